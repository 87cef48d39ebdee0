//! The one source of "now" and of waiting, so that tests own time.
//!
//! Nothing else in the program calls `Utc::now` or `thread::sleep`. Times in the whole program are
//! UTC.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::{Error, ErrorKind};

/// A moment in UTC.
pub type Timestamp = DateTime<Utc>;

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    /// The current moment.
    fn now(&self) -> Timestamp;

    /// Waits for `pause`. Ends early, with [`ErrorKind::Interrupted`], when the merchant pressed
    /// Ctrl-C.
    fn sleep(&self, pause: Duration) -> Result<(), Error>;

    /// Fails with [`ErrorKind::Interrupted`] once the merchant has pressed Ctrl-C.
    fn check_interrupt(&self) -> Result<(), Error>;
}

/// The machine's clock, with the interrupt flag that Ctrl-C sets.
pub struct SystemClock {
    interrupted: Arc<AtomicBool>,
}

impl SystemClock {
    /// A clock that stops waiting as soon as `interrupted` is set.
    pub fn new(interrupted: Arc<AtomicBool>) -> Self {
        Self { interrupted }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Utc::now()
    }

    fn sleep(&self, pause: Duration) -> Result<(), Error> {
        const STEP: Duration = Duration::from_millis(50);
        let begun = std::time::Instant::now();
        loop {
            self.check_interrupt()?;
            let left = pause.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(STEP));
        }
    }

    fn check_interrupt(&self) -> Result<(), Error> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        Ok(())
    }
}

/// A clock for work that has an end: once the time is over it interrupts, and every sleep with it.
pub(crate) struct BoundedClock {
    clock: Arc<dyn Clock>,
    end: std::time::Instant,
    why: String,
}

impl BoundedClock {
    /// The clock's time, for so long from now on; `why` is what the interruption says.
    pub(crate) fn new(clock: Arc<dyn Clock>, longest: Duration, why: impl Into<String>) -> Self {
        Self { clock, end: std::time::Instant::now() + longest, why: why.into() }
    }
}

impl Clock for BoundedClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep(&self, pause: Duration) -> Result<(), Error> {
        let left = self.end.saturating_duration_since(std::time::Instant::now());
        self.clock.sleep(pause.min(left))?;
        if pause > left { self.check_interrupt() } else { Ok(()) }
    }

    fn check_interrupt(&self) -> Result<(), Error> {
        self.clock.check_interrupt()?;
        if std::time::Instant::now() >= self.end {
            return Err(Error::new(ErrorKind::Interrupted, self.why.clone()));
        }
        Ok(())
    }
}

/// How long something is kept: `90d`, `26w`; a day at least.
pub(crate) fn parse_age(text: &str) -> Option<chrono::TimeDelta> {
    let text = text.trim();
    let (number, days) = match text.strip_suffix('d') {
        Some(number) => (number, 1),
        None => (text.strip_suffix('w')?, 7),
    };
    let number = number.parse::<i64>().ok().filter(|number| (1..100_000).contains(number))?;
    Some(chrono::TimeDelta::days(number * days))
}

/// A clock for tests: stands still until told otherwise, and "sleeping" moves it on at once.
pub struct ManualClock {
    now_ms: AtomicI64,
    slept: Mutex<Vec<Duration>>,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn at(start: Timestamp) -> Self {
        Self { now_ms: AtomicI64::new(start.timestamp_millis()), slept: Mutex::new(Vec::new()) }
    }

    /// Moves the clock on.
    pub fn advance(&self, by: TimeDelta) {
        self.now_ms.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }

    /// Every pause that was asked for, in order.
    #[cfg(test)]
    pub(crate) fn slept(&self) -> Vec<Duration> {
        self.slept.lock().map(|slept| slept.clone()).unwrap_or_default()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        from_millis(self.now_ms.load(Ordering::SeqCst))
    }

    fn sleep(&self, pause: Duration) -> Result<(), Error> {
        if let Ok(mut slept) = self.slept.lock() {
            slept.push(pause);
        }
        self.advance(TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX));
        Ok(())
    }

    fn check_interrupt(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// The moment `ms` milliseconds after the Unix epoch; the epoch itself for a number no calendar
/// holds ([`is_meant`]).
pub fn from_millis(ms: i64) -> Timestamp {
    DateTime::from_timestamp_millis(ms).filter(is_meant).unwrap_or(DateTime::UNIX_EPOCH)
}

/// Whether a time is one that somebody can mean: in the years from 1 to 9999, which every calendar,
/// the book's own and JSON can hold.
pub(crate) fn is_meant(at: &Timestamp) -> bool {
    (1..=9999).contains(&chrono::Datelike::year(at))
}

/// `2026-11-24T13:05:00Z`: how a time is written in JSON, CSV and errors.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
