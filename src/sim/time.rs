//! The clock of a simulated store: it may be wrong, as those of real shops are.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;

use crate::clock::{Clock, Timestamp};

/// Another clock, ahead of it or behind.
pub(super) struct ShopClock {
    clock: Arc<dyn Clock>,
    ahead_minutes: AtomicI64,
}

impl ShopClock {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, ahead_minutes: AtomicI64::new(0) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now() + TimeDelta::minutes(self.ahead_minutes.load(Ordering::Relaxed))
    }

    /// So many minutes ahead from now on, behind where it is negative; ten days at most.
    pub(super) fn set(&self, ahead_minutes: i64) {
        self.ahead_minutes.store(ahead_minutes.clamp(-14_400, 14_400), Ordering::Relaxed);
    }
}
