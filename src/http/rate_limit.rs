//! The limit that all requests to one store pass: pauses that the channel asked for, shared by
//! every thread and, through the book, by every process; and the channel's budget, by its own
//! account in every reply, so that it is used up but not overdrawn.

use std::sync::Mutex;
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};

/// Called when the channel asks for a pause, to make it known to other processes.
pub type OnPause = Box<dyn Fn(Timestamp, &str) + Send + Sync>;

/// How much a channel still lets us ask for, by its own account.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// A bucket that is filled all the time (Shopify's points).
    Bucket {
        /// What is in it now.
        level: f64,
        /// What it holds at most.
        capacity: f64,
        /// What flows in each second.
        per_second: f64,
    },
    /// So many requests until the window ends (BigCommerce's quota).
    Window {
        /// Left in this window.
        left: f64,
        /// Permitted in a whole window.
        quota: f64,
        /// Until a new one begins.
        ends_in: Duration,
        /// How long a whole window is.
        length: Duration,
    },
}

impl Budget {
    /// How things stand `later`.
    fn after(self, later: Duration) -> Self {
        match self {
            Self::Bucket { level, capacity, per_second } => {
                let level = (level + per_second * later.as_secs_f64()).min(capacity);
                Self::Bucket { level, capacity, per_second }
            }
            Self::Window { quota, ends_in, length, .. } if later >= ends_in => {
                Self::Window { left: quota, quota, ends_in: length, length }
            }
            Self::Window { left, quota, ends_in, length } => {
                Self::Window { left, quota, ends_in: ends_in - later, length }
            }
        }
    }

    /// What is left of it where so much was spent since.
    fn less(self, spent: f64) -> Self {
        match self {
            Self::Bucket { level, capacity, per_second } => Self::Bucket { level: level - spent, capacity, per_second },
            Self::Window { left, quota, ends_in, length } => {
                Self::Window { left: left - spent, quota, ends_in, length }
            }
        }
    }

    /// The same where a channel can mean it. An account with negative rates, with windows of days
    /// or with no numbers at all is none: nothing is held back for it, and the channel refuses what
    /// it does not want.
    fn believable(self) -> Option<Self> {
        let good = |number: f64| number.is_finite() && number >= 0.0;
        let believed = match self {
            // In debt is a state that buckets can be in.
            Self::Bucket { level, capacity, per_second } => level.is_finite() && good(capacity) && good(per_second),
            Self::Window { left, quota, ends_in, length } => {
                let meant = |time: Duration| super::told::window(time.as_secs_f64() * 1000.0).is_some();
                left.is_finite() && good(quota) && meant(ends_in) && meant(length)
            }
        };
        believed.then_some(self)
    }

    /// What is left after spending `cost`, or how long until that much is there. More than there
    /// can ever be is let through: the channel will say what it thinks of it.
    fn spend(self, cost: f64) -> Result<Self, Duration> {
        match self {
            Self::Bucket { level, capacity, per_second } => {
                if level >= cost || cost > capacity || per_second <= 0.0 {
                    return Ok(self.less(cost));
                }
                let wait = super::told::seconds((cost - level) / per_second).unwrap_or_default();
                Err(wait.clamp(Duration::from_millis(1), Duration::from_secs(3600)))
            }
            Self::Window { left, quota, ends_in, .. } => {
                if left >= cost || cost > quota {
                    return Ok(self.less(cost));
                }
                Err(ends_in.max(Duration::from_millis(1)))
            }
        }
    }
}

/// How long a request waits for its budget before it looks again: what a running query had set
/// aside and did not need comes back, and the answer of another thread tells so.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Holds requests back until the channel wants to hear from us again.
pub struct RateLimit {
    state: Mutex<State>,
    spacing: Duration,
    on_pause: OnPause,
}

struct State {
    closed_until: Option<Timestamp>,
    next_slot: Option<Timestamp>,
    budget: Option<(Timestamp, Budget)>,
    /// All that went out, by its price, less what came back.
    spent: f64,
}

/// A request's place among those that went out, for [`RateLimit::account`].
#[derive(Debug, Clone, Copy)]
pub struct Permit {
    spent: f64,
}

impl RateLimit {
    /// A limit that opens at `closed_until` and lets one request through every `spacing`.
    pub fn new(closed_until: Option<Timestamp>, spacing: Duration, on_pause: OnPause) -> Self {
        Self { state: Mutex::new(State { closed_until, next_slot: None, budget: None, spent: 0.0 }), spacing, on_pause }
    }

    /// A limit without spacing that tells nobody.
    pub fn open() -> Self {
        Self::new(None, Duration::ZERO, Box::new(|_, _| {}))
    }

    /// Until when the limit is closed, if it is at `now`.
    pub fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        state.closed_until.filter(|until| *until > now)
    }

    /// Closes the limit until `until`, for everybody. A pause that is shorter than a running one
    /// changes nothing.
    pub fn close(&self, until: Timestamp, why: &str) {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if state.closed_until.is_none_or(|old| old < until) {
            state.closed_until = Some(until);
            drop(state);
            (self.on_pause)(until, why);
        }
    }

    /// Takes over the channel's own account of what may still be asked of it, as told by the answer
    /// to the request of `permit`, and what that request was priced too high by. The channel may
    /// not have seen what went out after that request: it comes off. Where it says nothing of the
    /// budget, what came back is added to what we know of it.
    pub fn account(&self, told: Option<Budget>, permit: Permit, refund: f64, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let since = (state.spent - permit.spent).max(0.0);
        let refund = if refund.is_finite() { refund } else { 0.0 };
        state.spent -= refund;
        state.budget = match told {
            Some(told) => told.believable().map(|told| (now, told.less(since))),
            None => state.budget.map(|(at, known)| (at, known.less(-refund))),
        };
    }

    /// Waits for the turn of a request that costs `cost` of the channel's budget.
    ///
    /// # Errors
    /// `Temporary` where that would take longer than `longest`.
    pub fn pass(&self, clock: &dyn Clock, cost: f64, longest: Duration) -> Result<Permit> {
        loop {
            clock.check_interrupt()?;
            match self.book_slot(clock.now(), cost) {
                Ok(permit) => return Ok(permit),
                Err(wait) if wait > longest => return Err(not_now(wait)),
                // What is waited for may come sooner, so it is looked for now and then.
                Err(wait) => clock.sleep(wait.min(LOOK_AGAIN))?,
            }
        }
    }

    /// Takes the next slot when the limit is open and the budget allows it, else says how long to
    /// wait before asking again.
    fn book_slot(&self, now: Timestamp, cost: f64) -> Result<Permit, Duration> {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let until = |at: Timestamp| at.signed_duration_since(now).to_std().unwrap_or(Duration::ZERO);
        if let Some(closed) = state.closed_until.filter(|closed| *closed > now) {
            return Err(until(closed));
        }
        if let Some(slot) = state.next_slot.filter(|slot| *slot > now) {
            return Err(until(slot));
        }
        if let Some((at, budget)) = state.budget {
            match budget.after((now - at).to_std().unwrap_or(Duration::ZERO)).spend(cost) {
                Ok(left) => state.budget = Some((now, left)),
                Err(wait) => return Err(wait),
            }
        }
        if !self.spacing.is_zero() {
            state.next_slot = Some(now + self.spacing);
        }
        state.spent += cost;
        Ok(Permit { spent: state.spent })
    }
}

fn not_now(wait: Duration) -> Error {
    let text = format!("the channel's quota is used up for another {} s; nothing was sent", wait.as_secs());
    Error::new(ErrorKind::Temporary, text).hint("the next sync tries again by itself").after(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    /// How long `requests` of `cost` wait in all, and the permit of the last.
    fn waits(limit: &RateLimit, clock: &ManualClock, requests: u32, cost: f64) -> (Duration, Permit) {
        let before = clock.now();
        let tickets =
            (0..requests).map(|_| limit.pass(clock, cost, Duration::from_secs(300)).unwrap()).collect::<Vec<_>>();
        ((clock.now() - before).to_std().unwrap(), *tickets.last().unwrap())
    }

    #[test]
    fn q5_a_bucket_is_used_at_the_rate_at_which_it_fills() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let limit = RateLimit::open();
        let (_, first) = waits(&limit, &clock, 1, 50.0);
        limit.account(
            Some(Budget::Bucket { level: 200.0, capacity: 2000.0, per_second: 100.0 }),
            first,
            0.0,
            clock.now(),
        );
        assert_eq!(waits(&limit, &clock, 4, 50.0).0, Duration::ZERO, "what is in it goes at once");
        assert_eq!(waits(&limit, &clock, 10, 50.0).0, Duration::from_secs(5));
        let (_, refused) = waits(&limit, &clock, 1, 100.0);
        limit.account(None, refused, 100.0, clock.now());
        assert_eq!(waits(&limit, &clock, 1, 100.0).0, Duration::ZERO, "what was refused is not paid for");
        let much = waits(&limit, &clock, 1, 5000.0).0;
        assert_eq!(much, Duration::ZERO, "more than it ever holds is the channel's to refuse");
    }

    #[test]
    fn i6_an_account_that_no_channel_means_holds_nothing_back() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let limit = RateLimit::open();
        let (_, permit) = waits(&limit, &clock, 1, 50.0);
        let bucket = |level, capacity, per_second| Budget::Bucket { level, capacity, per_second };
        let window = |ends_in, length| Budget::Window { left: 0.0, quota: 150.0, ends_in, length };
        for account in [
            bucket(0.0, 2000.0, 0.0),
            bucket(0.0, 2000.0, -5.0),
            bucket(0.0, 2000.0, f64::NAN),
            bucket(f64::NEG_INFINITY, 2000.0, 50.0),
            bucket(0.0, f64::INFINITY, 50.0),
            window(Duration::MAX, Duration::from_secs(30)),
            window(Duration::from_millis(u64::MAX), Duration::from_millis(u64::MAX)),
        ] {
            limit.account(Some(account), permit, f64::NAN, clock.now());
            assert_eq!(waits(&limit, &clock, 3, 50.0).0, Duration::ZERO, "{account:?}");
        }
        // One that can be meant but is longer than anybody waits ends in an error.
        limit.account(Some(bucket(0.0, 2000.0, 0.01)), permit, 0.0, clock.now());
        let error = limit.pass(&clock, 50.0, Duration::from_secs(300)).unwrap_err();
        assert_eq!((error.kind(), clock.now()), (ErrorKind::Temporary, Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn q5_a_window_is_used_up_and_the_next_one_waited_for() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let limit = RateLimit::open();
        let (ends_in, length) = (Duration::from_secs(12), Duration::from_secs(30));
        let (_, first) = waits(&limit, &clock, 1, 1.0);
        limit.account(Some(Budget::Window { left: 3.0, quota: 150.0, ends_in, length }), first, 0.0, clock.now());
        assert_eq!(waits(&limit, &clock, 3, 1.0).0, Duration::ZERO);
        assert_eq!(waits(&limit, &clock, 150, 1.0).0, ends_in);
        assert_eq!(waits(&limit, &clock, 1, 1.0).0, length);
    }

    #[test]
    fn q5_an_answer_that_was_long_on_its_way_does_not_undo_what_was_sent_meanwhile() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let limit = RateLimit::open();
        let bucket = |level| Some(Budget::Bucket { level, capacity: 2000.0, per_second: 100.0 });
        let (_, first) = waits(&limit, &clock, 1, 500.0);
        let (_, second) = waits(&limit, &clock, 1, 500.0);
        // The answer to the first: it cost 400, and the channel had not seen the second yet.
        limit.account(bucket(600.0), first, 100.0, clock.now());
        let (waited, third) = waits(&limit, &clock, 2, 100.0);
        assert_eq!(waited, Duration::from_secs(1), "600 less 500, and no more than that");
        // The second cost 100. Off what its answer says comes what went out after it, less what the
        // first gave back meanwhile.
        limit.account(bucket(900.0), second, 400.0, clock.now());
        assert_eq!(waits(&limit, &clock, 8, 100.0).0, Duration::ZERO);
        assert_eq!(waits(&limit, &clock, 1, 100.0).0, Duration::from_secs(1));
        // Another app spends all of it.
        limit.account(bucket(500.0), third, 0.0, clock.now());
        assert_eq!(waits(&limit, &clock, 1, 100.0).0, Duration::from_secs(1));
    }
}
