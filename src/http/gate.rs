//! The gate that all requests to one store pass: pauses that the channel asked for, shared by every thread and, through
//! the book, by every process.

use std::sync::Mutex;
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::error::Result;

/// Called when the channel asks for a pause, to make it known to other processes.
pub type OnPause = Box<dyn Fn(Timestamp, &str) + Send + Sync>;

/// Holds requests back until the channel wants to hear from us again.
pub struct Gate {
    state: Mutex<State>,
    spacing: Duration,
    on_pause: OnPause,
}

struct State {
    closed_until: Option<Timestamp>,
    next_slot: Option<Timestamp>,
}

impl Gate {
    /// A gate that opens at `closed_until` and lets one request through every `spacing`.
    pub fn new(closed_until: Option<Timestamp>, spacing: Duration, on_pause: OnPause) -> Self {
        Self { state: Mutex::new(State { closed_until, next_slot: None }), spacing, on_pause }
    }

    /// A gate without spacing that tells nobody.
    pub fn open() -> Self {
        Self::new(None, Duration::ZERO, Box::new(|_, _| {}))
    }

    /// Until when the gate is closed, if it is at `now`.
    pub fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        state.closed_until.filter(|until| *until > now)
    }

    /// Closes the gate until `until`, for everybody. A pause that is shorter than a running one changes nothing.
    pub fn close(&self, until: Timestamp, why: &str) {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if state.closed_until.is_none_or(|old| old < until) {
            state.closed_until = Some(until);
            drop(state);
            (self.on_pause)(until, why);
        }
    }

    /// Waits for this request's turn.
    pub fn pass(&self, clock: &dyn Clock) -> Result<()> {
        loop {
            clock.check_interrupt()?;
            let now = clock.now();
            let wait = self.book_slot(now);
            if wait.is_zero() {
                return Ok(());
            }
            clock.sleep(wait)?;
        }
    }

    /// Takes the next slot when the gate is open, else says how long to wait before asking again.
    fn book_slot(&self, now: Timestamp) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let until = |at: Timestamp| (at - now).to_std().unwrap_or(Duration::ZERO);
        if let Some(closed) = state.closed_until.filter(|closed| *closed > now) {
            return until(closed);
        }
        if self.spacing.is_zero() {
            return Duration::ZERO;
        }
        match state.next_slot.filter(|slot| *slot > now) {
            Some(slot) => until(slot),
            None => {
                state.next_slot = Some(now + self.spacing);
                Duration::ZERO
            }
        }
    }
}
