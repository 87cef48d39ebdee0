//! The limits that the requests to one store pass: pauses that the channel asked for, and the
//! channel's budgets, by its own account in every reply, so that they are used up but not
//! overdrawn.
//!
//! A channel may have a budget for each kind of request: a [`Lane`]. Requests of one lane wait for
//! no other. All threads of the store pass the same limit, and every process knows how its lanes
//! stand ([`Shared`]): the next run begins with what the last one knew.
//!
//! Not every request is as urgent as every other ([`Purpose`]). Of the budget of all requests to a
//! store those that can wait leave a part to those that cannot. Of a bucket it stays in it, which
//! costs them nothing: it fills as quickly. Of a window it is given free bit by bit, so that nothing
//! is left unused at its end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::told;
use crate::clock::{Clock, Timestamp, rfc3339};
use crate::error::{Error, ErrorKind, Result};

/// A kind of request for which a channel has a budget of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lane {
    /// Its name among those of the channel; it is kept.
    pub(crate) name: &'static str,
    /// What the channel permits, full, where its answers do not tell what is left.
    pub(crate) permitted: Option<Budget>,
}

impl Lane {
    /// That of all requests to a channel that has one budget, or none.
    pub(crate) const ONE: Self = Self { name: "", permitted: None };
}

/// What a request is for: who can wait leaves a part of the budget to who cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Purpose {
    /// What somebody does and waits for: a dispatch, a cancellation, a look at one order.
    #[default]
    Act,
    /// An order that a delivery told of, which is to be in the book within seconds.
    Told,
    /// What a sync reads.
    Sync,
}

/// How much of a budget is left for dispatches and for whatever else a merchant does.
pub(crate) const KEPT: f64 = 0.2;

impl Purpose {
    /// The part of a budget that is left to others.
    fn leaves(self) -> f64 {
        match self {
            Self::Act => 0.0,
            Self::Told => KEPT,
            Self::Sync => 2.0 * KEPT,
        }
    }
}

/// What is kept of a window is given free over its whole length; of the last part of it not before the
/// window is almost over.
const LAST_PART: f64 = 1.0 / 3.0;
const ALMOST_OVER: Duration = Duration::from_secs(2);

/// How the limits of a store are told to other processes that call it.
pub(crate) trait Shared: Send + Sync {
    /// Makes a pause of the whole store known.
    fn pause(&self, until: Timestamp, why: &str);

    /// Has `change` work on how a lane stands as it was kept last, and keeps what it gives. False
    /// where that cannot be done just then.
    fn lane(&self, name: &str, change: &mut dyn FnMut(Option<Standing>) -> Option<Standing>) -> bool;
}

/// How much a channel still lets us ask for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Budget {
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

    /// How much comes back in a second, on average.
    fn per_second(self) -> f64 {
        match self {
            Self::Bucket { per_second, .. } => per_second,
            Self::Window { quota, length, .. } => quota / length.as_secs_f64(),
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

    /// With nothing left of it.
    fn emptied(self) -> Self {
        let (Self::Bucket { level: left, .. } | Self::Window { left, .. }) = self;
        self.less(left.max(0.0))
    }

    /// The same where a channel can mean it. An account with negative rates, with windows of days
    /// or with no numbers at all is none: nothing is held back for it, and the channel refuses what
    /// it does not want.
    fn believable(self) -> Option<Self> {
        let good = |number: f64| number.is_finite() && number >= 0.0;
        let believed = match self {
            // In debt is a state that buckets can be in, for a while.
            Self::Bucket { level, capacity, per_second } => {
                let full_in = told::seconds(((capacity - level) / per_second).max(0.0));
                let meant = full_in.is_some_and(|time| time <= told::LONGEST_PAUSE);
                level.is_finite() && good(capacity) && good(per_second) && meant
            }
            Self::Window { left, quota, ends_in, length } => {
                let meant = |time: Duration| told::window(time.as_secs_f64() * 1000.0).is_some();
                left.is_finite() && good(quota) && meant(ends_in) && meant(length)
            }
        };
        believed.then_some(self)
    }

    /// What is left after spending `cost`, or how long until that much is there beside the part
    /// `kept` of it that is others'. More than there can ever be is let through: the channel will say
    /// what it thinks of it.
    fn spend(self, cost: f64, kept: f64) -> Result<Self, Duration> {
        match self {
            Self::Bucket { level, capacity, per_second } => {
                let needed = (cost + capacity * kept).min(capacity);
                if level >= needed || cost > capacity || per_second <= 0.0 {
                    return Ok(self.less(cost));
                }
                let wait = told::seconds((needed - level) / per_second).unwrap_or_default();
                Err(wait.clamp(Duration::from_millis(1), Duration::from_secs(3600)))
            }
            Self::Window { left, quota, ends_in, length } => {
                if left >= (cost + quota * kept * part_kept(ends_in, length)).min(quota) || cost > quota {
                    return Ok(self.less(cost));
                }
                let free_at =
                    if left < cost { Duration::ZERO } else { free_when((left - cost) / (quota * kept), length) };
                Err(ends_in.saturating_sub(free_at).max(Duration::from_millis(1)))
            }
        }
    }
}

/// How much of what is kept of a window is kept so long before its end.
fn part_kept(ends_in: Duration, length: Duration) -> f64 {
    let left = (ends_in.as_secs_f64() / length.as_secs_f64()).min(1.0);
    if ends_in > ALMOST_OVER { left.max(LAST_PART) } else { left }
}

/// How long before the end of a window no more than this part is kept.
fn free_when(part: f64, length: Duration) -> Duration {
    let at = Duration::try_from_secs_f64(length.as_secs_f64() * part).unwrap_or_default();
    if part < LAST_PART { at.min(ALMOST_OVER) } else { at }
}

/// How long a request waits for its budget before it looks again: what a running query had set
/// aside and did not need comes back, and the answer of another thread tells so.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A clock that was set back by more than this makes what was kept before one of the future.
const AHEAD: TimeDelta = TimeDelta::minutes(1);

/// How a lane stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// When it stood so.
    at: Timestamp,
    /// When the channel told of it last.
    told: Timestamp,
    budget: Option<Budget>,
    /// All that went out, by its price, less what came back.
    spent: f64,
    closed_until: Option<Timestamp>,
}

impl Standing {
    fn new(lane: Lane, now: Timestamp) -> Self {
        Self { at: now, told: Timestamp::MIN_UTC, budget: lane.permitted, spent: 0.0, closed_until: None }
    }

    /// What another process kept, as far as it can be meant: not by a clock that was ahead.
    fn believable(self, now: Timestamp) -> Option<Self> {
        let latest = now + AHEAD;
        let closed_until = told::kept_pause(self.closed_until, now);
        let budget = self.budget.map(Budget::believable);
        (self.at <= latest && self.told <= latest && self.spent.is_finite() && budget != Some(None))
            .then_some(Self { closed_until, ..self })
    }

    fn is_limited(&self) -> bool {
        self.budget.is_some() || self.closed_until.is_some()
    }

    /// The budget as it is `now`.
    fn budget(&self, now: Timestamp) -> Option<Budget> {
        Some(self.budget?.after((now - self.at).to_std().unwrap_or_default()))
    }

    /// Takes `cost` out where the part `kept` is left, or says how long to wait before asking again.
    fn spend(&mut self, cost: f64, kept: f64, now: Timestamp) -> Result<(), Duration> {
        if let Some(left) = self.budget(now).map(|budget| budget.spend(cost, kept)).transpose()? {
            (self.at, self.budget) = (now, Some(left));
        }
        self.spent += cost;
        Ok(())
    }
}

/// A lane in this process.
struct Here {
    standing: Standing,
    /// What was spent and could not be shared.
    owed: f64,
    /// Whether it was ever compared with what other processes know.
    compared: bool,
    /// What went out from here, less what came back.
    used: f64,
}

impl Here {
    /// With what other processes did meanwhile.
    fn merge(&self, kept: Option<Standing>, now: Timestamp) -> Standing {
        match kept.and_then(|kept| kept.believable(now)) {
            Some(kept) if kept.told >= self.standing.told => {
                let budget = kept.budget.map(|budget| budget.less(self.owed)).or(self.standing.budget);
                Standing { budget, spent: kept.spent + self.owed, ..kept }
            }
            _ => self.standing,
        }
    }
}

/// What was taken of a lane's budget, and how quickly that comes back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LaneUse {
    /// What the channel permits in a second, on average, where it has a budget.
    pub(crate) per_second: Option<f64>,
    /// What this process has taken of it.
    pub(crate) spent: f64,
    /// Whether it is the budget of all requests to the store, also of those that write.
    pub(crate) of_all: bool,
}

/// Holds requests back until the channel wants to hear from us again.
pub struct RateLimit {
    state: Mutex<State>,
    shared: Option<Box<dyn Shared>>,
}

#[derive(Default)]
struct State {
    closed_until: Option<Timestamp>,
    lanes: BTreeMap<&'static str, Here>,
}

/// A request's place among those that went out, for [`RateLimit::account`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permit {
    lane: Lane,
    spent: f64,
}

impl RateLimit {
    /// A limit that opens at `closed_until`.
    pub(crate) fn new(closed_until: Option<Timestamp>, shared: Box<dyn Shared>) -> Self {
        Self { state: Mutex::new(State { closed_until, lanes: BTreeMap::new() }), shared: Some(shared) }
    }

    /// A limit that knows nothing yet and tells nobody.
    pub fn open() -> Self {
        Self { state: Mutex::default(), shared: None }
    }

    /// What this process has taken of each lane's budget.
    pub(crate) fn used(&self) -> Vec<LaneUse> {
        let of_lane = |(name, here): (&&str, &Here)| LaneUse {
            per_second: here.standing.budget.map(Budget::per_second),
            spent: here.used,
            of_all: *name == Lane::ONE.name,
        };
        self.state().lanes.iter().map(of_lane).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until when the limit is closed, if it is at `now`.
    pub(crate) fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.state().closed_until.filter(|until| *until > now)
    }

    /// Closes a lane until `until`, for everybody; where there is only one, the whole store. A
    /// pause that is shorter than a running one changes nothing.
    pub(crate) fn close(&self, lane: Lane, until: Timestamp, why: &str, now: Timestamp) {
        if lane.name != Lane::ONE.name {
            return self.with(lane, now, |lane| {
                lane.closed_until = lane.closed_until.max(Some(until));
                // What is refused is not there, whatever was counted.
                (lane.at, lane.budget) = (now, lane.budget(now).map(Budget::emptied));
            });
        }
        let mut state = self.state();
        if state.closed_until.is_none_or(|old| old < until) {
            state.closed_until = Some(until);
            drop(state);
            if let Some(shared) = &self.shared {
                shared.pause(until, why);
            }
        }
    }

    /// Has `work` done on how a lane stands, as all processes know it where that can be seen.
    fn with<T>(&self, lane: Lane, now: Timestamp, work: impl Fn(&mut Standing) -> T) -> T {
        let mut state = self.state();
        let new = || Here { standing: Standing::new(lane, now), owed: 0.0, compared: false, used: 0.0 };
        let here = state.lanes.entry(lane.name).or_insert_with(new);
        let mut standing = here.standing;
        let mut done = work(&mut standing);
        let spent = standing.spent - here.standing.spent;
        let mut owed = here.owed + spent;
        here.used += spent;
        // Of a lane without a limit there is nothing to tell.
        if let Some(shared) = self.shared.as_ref().filter(|_| !here.compared || standing.is_limited()) {
            let told = shared.lane(lane.name, &mut |kept| {
                standing = here.merge(kept, now);
                done = work(&mut standing);
                standing.is_limited().then_some(standing)
            });
            if told {
                (owed, here.compared) = (0.0, true);
            }
        }
        (here.standing, here.owed) = (standing, owed);
        done
    }

    /// Takes over the channel's own account of what may still be asked of it, as told by the answer
    /// to the request of `permit`, and what that request was priced too high by. The channel may
    /// not have seen what went out after that request: it comes off. Where it says nothing of the
    /// budget, what came back is added to what we know of it.
    pub(crate) fn account(&self, told: Option<Budget>, permit: Permit, refund: f64, now: Timestamp) {
        let refund = if refund.is_finite() { refund } else { 0.0 };
        self.with(permit.lane, now, |lane| {
            let since = (lane.spent - permit.spent).max(0.0);
            lane.spent -= refund;
            match told {
                Some(told) => {
                    (lane.at, lane.told) = (now, now);
                    lane.budget = told.believable().map(|told| told.less(since)).or(permit.lane.permitted);
                }
                None => lane.budget = lane.budget.map(|known| known.less(-refund)),
            }
        });
    }

    /// Waits for the turn of a request that costs `cost` of its lane's budget.
    ///
    /// # Errors
    /// `Temporary` where that would take longer than `longest`.
    pub(crate) fn pass(
        &self,
        clock: &dyn Clock,
        lane: Lane,
        cost: f64,
        purpose: Purpose,
        longest: Duration,
    ) -> Result<Permit> {
        loop {
            clock.check_interrupt()?;
            match self.take(lane, clock.now(), cost, purpose) {
                Ok(permit) => return Ok(permit),
                Err(wait) if wait > longest => return Err(not_now(wait, clock.now())),
                // What is waited for may come sooner, so it is looked for now and then.
                Err(wait) => clock.sleep(wait.min(LOOK_AGAIN))?,
            }
        }
    }

    /// Takes `cost` out of the lane's budget where that is there, else says how long to wait before
    /// asking again.
    fn take(&self, lane: Lane, now: Timestamp, cost: f64, purpose: Purpose) -> Result<Permit, Duration> {
        let until = |at: Timestamp| at.signed_duration_since(now).to_std().unwrap_or(Duration::ZERO);
        if let Some(closed) = self.closed_until(now) {
            return Err(until(closed));
        }
        if cost <= 0.0 {
            return Ok(Permit { lane, spent: f64::INFINITY });
        }
        // Whatever else has a budget of its own is of one kind, and disturbs no dispatch.
        let kept = if lane.name == Lane::ONE.name { purpose.leaves() } else { 0.0 };
        self.with(lane, now, |standing| {
            if let Some(closed) = standing.closed_until.filter(|closed| *closed > now) {
                return Err(until(closed));
            }
            standing.spend(cost, kept, now)?;
            Ok(Permit { lane, spent: standing.spent })
        })
    }
}

fn not_now(wait: Duration, now: Timestamp) -> Error {
    let until = TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait));
    let until = until.map_or(String::new(), |until| format!(" until {}", rfc3339(until)));
    let text = format!("the channel's quota is used up{until}; nothing was sent");
    Error::new(ErrorKind::Temporary, text).hint(super::status::AGAIN).after(wait)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn i6_what_is_taken_of_each_budget_is_known_and_what_came_back_is_not_taken() {
        let limit = RateLimit::open();
        let clock = ManualClock::at(crate::clock::from_millis(1_795_000_000_000));
        let own =
            Lane { name: "lists", permitted: Some(Budget::Bucket { level: 9.0, capacity: 9.0, per_second: 0.5 }) };
        let pass = |lane, cost| limit.pass(&clock, lane, cost, Purpose::Act, Duration::ZERO).unwrap();
        pass(own, 2.0);
        let permit = pass(Lane::ONE, 30.0);
        let (left, quota, minute) = (120.0, 150.0, Duration::from_secs(60));
        let told = Budget::Window { left, quota, ends_in: minute, length: minute };
        limit.account(Some(told), permit, 25.0, clock.now());
        let of = |per_second, spent, of_all| LaneUse { per_second: Some(per_second), spent, of_all };
        assert_eq!(limit.used(), [of(2.5, 5.0, true), of(0.5, 2.0, false)]);
    }

    /// How long `requests` of `cost` wait in all, and the permit of the last.
    fn waits(limit: &RateLimit, clock: &ManualClock, requests: u32, cost: f64) -> (Duration, Permit) {
        let before = clock.now();
        let tickets = (0..requests)
            .map(|_| limit.pass(clock, Lane::ONE, cost, Purpose::Act, Duration::from_secs(300)).unwrap())
            .collect::<Vec<_>>();
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
        let window = |ends_in, length| Budget::Window { left: 0.0, quota: 150.0, ends_in, length };
        for account in [
            bucket(0.0, 2000.0, 0.0),
            bucket(0.0, 2000.0, -5.0),
            bucket(0.0, 2000.0, f64::NAN),
            bucket(f64::NEG_INFINITY, 2000.0, 50.0),
            bucket(0.0, f64::INFINITY, 50.0),
            bucket(f64::NAN, 2000.0, 50.0),
            bucket(-1e12, 2000.0, 50.0),
            bucket(0.0, 2000.0, 1e-9),
            window(Duration::MAX, Duration::from_secs(30)),
            window(Duration::from_millis(u64::MAX), Duration::from_millis(u64::MAX)),
        ] {
            limit.account(Some(account), permit, f64::NAN, clock.now());
            assert_eq!(waits(&limit, &clock, 3, 50.0).0, Duration::ZERO, "{account:?}");
        }
        // One that can be meant but is longer than anybody waits ends in an error.
        limit.account(Some(bucket(0.0, 2000.0, 0.1)), permit, 0.0, clock.now());
        let error = limit.pass(&clock, Lane::ONE, 50.0, Purpose::Act, Duration::from_secs(300)).unwrap_err();
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

    /// What processes that call one store know of each other.
    #[derive(Default)]
    struct Desk {
        lanes: Mutex<BTreeMap<String, Standing>>,
        pauses: Mutex<Vec<Timestamp>>,
        shut: AtomicBool,
    }

    impl Shared for Arc<Desk> {
        fn pause(&self, until: Timestamp, _: &str) {
            self.pauses.lock().unwrap().push(until);
        }

        fn lane(&self, name: &str, change: &mut dyn FnMut(Option<Standing>) -> Option<Standing>) -> bool {
            if self.shut.load(Ordering::Relaxed) {
                return false;
            }
            let mut lanes = self.lanes.lock().unwrap();
            // As it is kept: in words.
            let kept = lanes.get(name).map(|kept| serde_json::to_string(kept).unwrap());
            if let Some(standing) = change(kept.and_then(|text| serde_json::from_str(&text).ok())) {
                lanes.insert(name.to_owned(), standing);
            }
            true
        }
    }

    fn process(desk: &Arc<Desk>) -> RateLimit {
        RateLimit::new(None, Box::new(desk.clone()))
    }

    const fn bucket(level: f64, capacity: f64, per_second: f64) -> Budget {
        Budget::Bucket { level, capacity, per_second }
    }

    /// A page of orders a minute, five at once at most, beside two writes a second.
    const ORDERS: Lane = Lane { name: "orders", permitted: Some(bucket(5.0, 5.0, 1.0 / 60.0)) };
    const WRITES: Lane = Lane { name: "writes", permitted: Some(bucket(10.0, 10.0, 2.0)) };

    /// How many requests of a lane go out at once.
    fn at_once(limit: &RateLimit, clock: &ManualClock, lane: Lane) -> usize {
        (0..100).take_while(|_| limit.take(lane, clock.now(), 1.0, Purpose::Act).is_ok()).count()
    }

    #[test]
    fn i6_processes_do_not_overdraw_a_lane_together_and_the_next_run_knows_what_is_left() {
        let (desk, clock) = (Arc::default(), ManualClock::at(Timestamp::UNIX_EPOCH));
        let (one, other) = (process(&desk), process(&desk));
        assert_eq!((at_once(&one, &clock, ORDERS), at_once(&other, &clock, ORDERS)), (5, 0));
        clock.advance(TimeDelta::seconds(120));
        assert_eq!((at_once(&other, &clock, ORDERS), at_once(&one, &clock, ORDERS)), (2, 0));
        assert_eq!(at_once(&process(&desk), &clock, ORDERS), 0, "the next run");
        clock.advance(TimeDelta::days(400));
        assert_eq!(at_once(&process(&desk), &clock, ORDERS), 5, "not more than it holds");
    }

    #[test]
    fn i6_an_empty_lane_holds_up_no_other() {
        let (desk, clock) = (Arc::default(), ManualClock::at(Timestamp::UNIX_EPOCH));
        let limit = process(&desk);
        assert_eq!(at_once(&limit, &clock, ORDERS), 5);
        let before = clock.now();
        assert_eq!(at_once(&limit, &clock, WRITES), 10);
        limit.close(WRITES, before + TimeDelta::seconds(200), "429", before);
        limit.pass(&clock, ORDERS, 1.0, Purpose::Act, Duration::from_secs(300)).unwrap();
        assert!((60..62).contains(&(clock.now() - before).num_seconds()), "{}", clock.now());
        assert_eq!(at_once(&process(&desk), &clock, WRITES), 0, "for every process");
        clock.advance(TimeDelta::seconds(150));
        assert_eq!(at_once(&process(&desk), &clock, WRITES), 10);
        clock.advance(TimeDelta::seconds(60));
        limit.close(WRITES, clock.now() + TimeDelta::seconds(2), "429", clock.now());
        clock.advance(TimeDelta::seconds(2));
        assert_eq!(at_once(&limit, &clock, WRITES), 4, "what was counted was not there");
        assert!(desk.pauses.lock().unwrap().is_empty() && limit.closed_until(before).is_none());
        // The one lane of a channel is the store.
        limit.close(Lane::ONE, clock.now() + TimeDelta::seconds(200), "429", clock.now());
        assert_eq!((at_once(&limit, &clock, WRITES), desk.pauses.lock().unwrap().len()), (0, 1));
    }

    #[test]
    fn i6_what_the_channel_tells_one_process_the_other_knows() {
        let (desk, clock) = (Arc::default(), ManualClock::at(Timestamp::UNIX_EPOCH));
        let (one, other) = (process(&desk), process(&desk));
        let permit = one.take(Lane::ONE, clock.now(), 1.0, Purpose::Act).unwrap();
        assert!(desk.lanes.lock().unwrap().is_empty(), "nothing is known of a limit");
        one.account(Some(bucket(3.0, 40.0, 1.0)), permit, 0.0, clock.now());
        assert_eq!((at_once(&other, &clock, Lane::ONE), at_once(&one, &clock, Lane::ONE)), (3, 0));
        // An answer to a request that went out before two of the other process.
        clock.advance(TimeDelta::seconds(4));
        let permit = one.take(Lane::ONE, clock.now(), 1.0, Purpose::Act).unwrap();
        other.take(Lane::ONE, clock.now(), 1.0, Purpose::Act).unwrap();
        other.take(Lane::ONE, clock.now(), 1.0, Purpose::Act).unwrap();
        one.account(Some(bucket(5.0, 40.0, 1.0)), permit, 0.0, clock.now());
        assert_eq!(at_once(&one, &clock, Lane::ONE), 3);
    }

    #[test]
    fn i6_what_could_not_be_told_is_told_later() {
        let (desk, clock) = (Arc::<Desk>::default(), ManualClock::at(Timestamp::UNIX_EPOCH));
        let (one, other) = (process(&desk), process(&desk));
        one.take(ORDERS, clock.now(), 1.0, Purpose::Act).unwrap();
        desk.shut.store(true, Ordering::Relaxed);
        one.take(ORDERS, clock.now(), 1.0, Purpose::Act).unwrap();
        one.take(ORDERS, clock.now(), 1.0, Purpose::Act).unwrap();
        desk.shut.store(false, Ordering::Relaxed);
        one.take(ORDERS, clock.now(), 1.0, Purpose::Act).unwrap();
        assert_eq!((at_once(&other, &clock, ORDERS), at_once(&one, &clock, ORDERS)), (1, 0));
    }

    #[test]
    fn i6_an_account_from_the_future_or_that_nobody_means_is_not_believed() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH + TimeDelta::days(9000));
        let now = clock.now();
        let kept =
            |at: Timestamp, budget| Standing { at, told: now, budget: Some(budget), spent: 0.0, closed_until: None };
        let empty = bucket(0.0, 5.0, 1.0 / 60.0);
        for (standing, expected) in [
            (kept(now, empty), 0),
            (kept(now + TimeDelta::seconds(30), empty), 0),
            (kept(now + TimeDelta::hours(2), empty), 5),
            (kept(Timestamp::MAX_UTC, empty), 5),
            (kept(Timestamp::MIN_UTC, empty), 5),
            (Standing { told: Timestamp::MAX_UTC, ..kept(now, empty) }, 5),
            (Standing { spent: f64::INFINITY, ..kept(now, empty) }, 5),
            (kept(now, bucket(-1e300, 5.0, 1.0)), 5),
            (kept(now, bucket(0.0, 5.0, 1e-12)), 5),
            (kept(now, bucket(1e300, 5.0, 1.0)), 5),
            (Standing { closed_until: Some(now + TimeDelta::days(4000)), ..kept(now, bucket(5.0, 5.0, 1.0)) }, 5),
        ] {
            let desk = Arc::<Desk>::default();
            desk.lanes.lock().unwrap().insert("orders".to_owned(), standing);
            assert_eq!(at_once(&process(&desk), &clock, ORDERS), expected, "{standing:?}");
        }
    }

    /// How much of a budget a request for `purpose` finds at once, one by one.
    fn found(limit: &RateLimit, now: Timestamp, purpose: Purpose) -> usize {
        (0..10_000).take_while(|_| limit.take(Lane::ONE, now, 1.0, purpose).is_ok()).count()
    }

    #[test]
    fn w1_what_a_sync_leaves_an_order_that_was_told_of_finds_and_what_both_leave_a_dispatch_finds() {
        let minute = Duration::from_secs(60);
        let window = Budget::Window { left: 150.0, quota: 150.0, ends_in: minute, length: minute };
        for (budget, sync, told, act) in [(bucket(1000.0, 1000.0, 50.0), 600, 200, 200), (window, 90, 30, 30)] {
            let (desk, clock) = (Arc::default(), ManualClock::at(Timestamp::UNIX_EPOCH));
            let (one, other) = (process(&desk), process(&desk));
            let permit = one.take(Lane::ONE, clock.now(), 1.0, Purpose::Sync).unwrap();
            one.account(Some(budget), permit, 0.0, clock.now());
            assert_eq!(found(&one, clock.now(), Purpose::Sync), sync, "{budget:?}");
            assert_eq!(found(&other, clock.now(), Purpose::Told), told, "{budget:?}");
            assert_eq!(found(&one, clock.now(), Purpose::Sync), 0, "{budget:?}");
            assert_eq!(found(&other, clock.now(), Purpose::Act), act, "{budget:?}");
        }
        // A budget of one kind of request is that kind's.
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let limit = RateLimit::open();
        let taken = (0..9).take_while(|_| limit.take(ORDERS, clock.now(), 1.0, Purpose::Sync).is_ok()).count();
        assert_eq!(taken, 5);
    }

    #[test]
    fn q5_a_sync_alone_uses_a_window_to_its_end_and_a_bucket_at_the_rate_at_which_it_fills() {
        let (quota, length) = (150.0, Duration::from_secs(30));
        let window = Budget::Window { left: quota, quota, ends_in: length, length };
        for (budget, permitted) in [(window, 1500.0), (bucket(400.0, 1000.0, 50.0), 15_000.0)] {
            let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
            let limit = RateLimit::open();
            let permit = limit.take(Lane::ONE, clock.now(), 1.0, Purpose::Sync).unwrap();
            limit.account(Some(budget), permit, 0.0, clock.now());
            let mut used = 0.0;
            while clock.now() < Timestamp::UNIX_EPOCH + TimeDelta::seconds(300) {
                limit.pass(&clock, Lane::ONE, 1.0, Purpose::Sync, Duration::from_secs(300)).unwrap();
                used += 1.0;
                // Each answer takes its time, however short.
                clock.advance(TimeDelta::milliseconds(10));
            }
            assert!(used >= 0.95 * permitted && used <= permitted + quota, "{used} of {permitted}");
        }
    }

    proptest::proptest! {
        /// Whatever two processes ask for and whenever: the channel permits it.
        #[test]
        fn i6_two_processes_stay_within_what_a_lane_permits(steps in proptest::collection::vec((0usize..3, 0i64..90), 1..120)) {
            let (desk, clock) = (Arc::default(), ManualClock::at(Timestamp::UNIX_EPOCH));
            let mut processes = [process(&desk), process(&desk)];
            let mut theirs = ORDERS.permitted.unwrap();
            for (who, pause) in steps {
                clock.advance(TimeDelta::seconds(pause));
                theirs = theirs.after(Duration::from_secs(pause as u64));
                match processes.get(who) {
                    Some(process) if process.take(ORDERS, clock.now(), 1.0, Purpose::Act).is_ok() => {
                        let Budget::Bucket { level, .. } = theirs else { unreachable!() };
                        proptest::prop_assert!(level > 1.0 - 1e-6, "{level}");
                        theirs = theirs.less(1.0);
                    }
                    Some(_) => {}
                    // One of them ends, and the next run begins.
                    None => processes[0] = process(&desk),
                }
            }
        }

        /// Whatever is asked for by those who leave a part of the budget to others, in two processes:
        /// it is there.
        #[test]
        fn w1_whatever_syncs_and_deliveries_take_a_dispatch_finds_its_part(
            is_bucket in proptest::bool::ANY,
            quota in 20.0..5_000.0_f64,
            steps in proptest::collection::vec((0usize..2, proptest::bool::ANY, 0i64..3_000, 0.0..0.4_f64), 1..200),
        ) {
            let (desk, clock) = (Arc::default(), ManualClock::at(Timestamp::UNIX_EPOCH));
            let processes = [process(&desk), process(&desk)];
            let length = Duration::from_secs(30);
            let mut theirs = match is_bucket {
                true => bucket(quota, quota, quota / 30.0),
                false => Budget::Window { left: quota, quota, ends_in: length, length },
            };
            let permit = processes[0].take(Lane::ONE, clock.now(), 1.0, Purpose::Sync).unwrap();
            processes[0].account(Some(theirs), permit, 0.0, clock.now());
            for (who, is_sync, pause, part) in steps {
                clock.advance(TimeDelta::milliseconds(pause));
                theirs = theirs.after(Duration::from_millis(pause as u64));
                let (purpose, cost) = (if is_sync { Purpose::Sync } else { Purpose::Told }, quota * part);
                if processes[who].take(Lane::ONE, clock.now(), cost, purpose).is_ok() && cost > 0.0 {
                    theirs = theirs.less(cost);
                }
                let (left, kept) = match theirs {
                    Budget::Bucket { level, .. } => (level, 1.0),
                    Budget::Window { left, ends_in, .. } => (left, part_kept(ends_in, length)),
                };
                proptest::prop_assert!(left >= quota * KEPT * kept - 1e-6 * quota, "{theirs:?}");
                // Whoever is turned away is told when to ask again, and that is no longer than a window.
                if let Err(wait) = processes[who].take(Lane::ONE, clock.now(), cost, Purpose::Sync) {
                    proptest::prop_assert!(!wait.is_zero() && wait <= length, "{wait:?}");
                } else if cost > 0.0 {
                    theirs = theirs.less(cost);
                }
            }
        }
    }
}
