//! What to advise while a first sync or a dispatch takes its time: pure decisions on times (A-1,
//! A-2, D-7).

use chrono::TimeDelta;

use crate::channel::GuideTime;
use crate::clock::Timestamp;

/// How long a first order may take after connecting before anything is wrong.
const FIRST_ORDER: TimeDelta = TimeDelta::minutes(150);

/// How long it may take after a connection test that passed.
const AFTER_TEST: TimeDelta = TimeDelta::minutes(30);

/// How long it is normal that a dispatch is not confirmed, and how long to be patient with one.
const NORMAL: TimeDelta = TimeDelta::minutes(30);
/// See [`NORMAL`].
const ALLOWED: TimeDelta = TimeDelta::minutes(90);

/// How far a clock is set back by those who set it right.
const CLOCK_SET_BACK: TimeDelta = TimeDelta::days(1);

/// About how long a first sync of so many orders takes: many a shop needs five seconds for a
/// hundred orders, and is asked for them one page after the other.
pub(crate) fn first_sync(orders: u64) -> TimeDelta {
    let seconds = orders.div_ceil(100).saturating_mul(5);
    TimeDelta::try_minutes(i64::try_from(seconds.div_ceil(60)).unwrap_or(i64::MAX)).unwrap_or(TimeDelta::MAX)
}

/// The stage of a store's import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Orders have come.
    Ok,
    /// None yet, and that is normal.
    Wait,
    /// None yet, and it is time to test the connection.
    Test,
    /// The test passed: wait a little longer.
    WaitAfterTest,
    /// Something is wrong that the merchant can't be expected to see.
    GetInTouch,
}

impl Stage {
    /// The word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wait => "wait",
            Self::Test => "test",
            Self::WaitAfterTest => "wait-after-test",
            Self::GetInTouch => "get-in-touch",
        }
    }
}

/// The stage of a store: `test` is when it was last tested since it was connected, and whether it
/// passed.
pub(crate) fn import_stage(
    now: Timestamp,
    connected_at: Timestamp,
    has_orders: bool,
    test: Option<(Timestamp, bool)>,
) -> Stage {
    if has_orders {
        return Stage::Ok;
    }
    if age(now, connected_at) <= FIRST_ORDER {
        return Stage::Wait;
    }
    // Where the clock was ahead when the store was connected, nothing says which came first.
    match test.filter(|(at, _)| *at >= connected_at || connected_at > now) {
        None => Stage::Test,
        Some((_, false)) => Stage::GetInTouch,
        Some((at, true)) if age(now, at) <= AFTER_TEST => Stage::WaitAfterTest,
        Some((_, true)) => Stage::GetInTouch,
    }
}

/// Whether a store of which no order has come yet takes longer than is usual for its channel.
pub(crate) fn is_later_than_usual(now: Timestamp, connected_at: Timestamp, guide: GuideTime) -> bool {
    guide.usual().is_some_and(|usual| age(now, connected_at) > usual)
}

/// How long ago something was. What lies ahead was noted by a clock that has been set back since:
/// a little ahead is just now, and of what is further ahead nobody knows, so it is long ago. It
/// would be waited for until then.
fn age(now: Timestamp, at: Timestamp) -> TimeDelta {
    let age = now - at;
    if age < -CLOCK_SET_BACK { TimeDelta::MAX } else { age.max(TimeDelta::zero()) }
}

/// How patient to be with the oldest dispatch or cancellation that is not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryPolicy {
    /// Nothing waits, or for up to 30 minutes.
    Normal,
    /// Up to 90 minutes: allow up to an hour and a half.
    Allow,
    /// Longer.
    GetInTouch,
}

impl RetryPolicy {
    /// The word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Allow => "allow-up-to-an-hour-and-a-half",
            Self::GetInTouch => "get-in-touch",
        }
    }
}

/// How patient to be, by the age of the oldest unconfirmed row.
pub(crate) fn export_patience(age: Option<TimeDelta>) -> RetryPolicy {
    match age {
        Some(age) if age > ALLOWED => RetryPolicy::GetInTouch,
        Some(age) if age > NORMAL => RetryPolicy::Allow,
        _ => RetryPolicy::Normal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTED: Timestamp = Timestamp::UNIX_EPOCH;

    /// `2:30:01` after the store was connected, or before it (`-0:30:00`).
    fn at(time: &str) -> Timestamp {
        let (sign, time) = time.strip_prefix('-').map_or((1, time), |time| (-1, time));
        let seconds = time.split(':').fold(0, |all, part| all * 60 + part.parse::<i64>().unwrap());
        CONNECTED + TimeDelta::seconds(sign * seconds)
    }

    fn stage(now: &str, test: Option<(&str, bool)>) -> Stage {
        import_stage(at(now), CONNECTED, false, test.map(|(time, passed)| (at(time), passed)))
    }

    #[test]
    fn a1_the_time_of_a_first_sync_goes_by_the_number_of_orders() {
        let minutes = |orders| first_sync(orders).num_minutes();
        assert_eq!([1, 340, 1200, 1201, 100_000].map(minutes), [1, 1, 1, 2, 84]);
        assert!(first_sync(u64::MAX) > TimeDelta::days(365));
    }

    #[test]
    fn a2_the_stages_of_a_store_without_orders() {
        assert_eq!(["0:00:00", "0:30:00", "2:30:00"].map(|now| stage(now, None)), [Stage::Wait; 3]);
        assert_eq!(stage("2:30:01", None), Stage::Test, "wait is up to and including two and a half hours");
        assert_eq!(stage("2:30:00", Some(("0:10:00", false))), Stage::Wait, "a test does not shorten it");
        assert_eq!(stage("2:40:00", Some(("2:35:00", false))), Stage::GetInTouch);
        for now in ["2:35:00", "2:40:00", "3:05:00"] {
            assert_eq!(stage(now, Some(("2:35:00", true))), Stage::WaitAfterTest, "{now}");
        }
        assert_eq!(stage("3:05:01", Some(("2:35:00", true))), Stage::GetInTouch);
        assert_eq!(stage("2:30:01", Some(("-1:00:00", true))), Stage::Test, "that was before it was connected");
    }

    #[test]
    fn a2_the_first_order_ends_every_stage() {
        let tests = [None, Some(("2:35:00", false)), Some(("2:35:00", true))];
        for (now, test) in ["0:10:00", "2:31:00", "2:40:00", "9:00:00"].iter().flat_map(|now| tests.map(|t| (now, t))) {
            let test = test.map(|(time, passed)| (at(time), passed));
            assert_eq!(import_stage(at(now), CONNECTED, true, test), Stage::Ok, "{now} {test:?}");
        }
    }

    #[test]
    fn a2_a_clock_that_was_set_back_is_waited_for_no_longer_than_without() {
        assert_eq!(stage("-1:00:00", None), Stage::Wait, "it was connected just now");
        assert_eq!(stage("3:00:00", Some(("3:10:00", true))), Stage::WaitAfterTest);
        assert_eq!(stage("-1:00:00", Some(("-1:10:00", false))), Stage::Wait);
        assert_eq!(stage("-48:00:00", None), Stage::Test, "a clock that was days ahead says nothing");
        assert_eq!(stage("-48:00:00", Some(("-48:10:00", true))), Stage::WaitAfterTest);
        assert_eq!(stage("-48:00:00", Some(("-49:00:00", true))), Stage::GetInTouch);
        assert_eq!(stage("3:00:00", Some(("99:00:00", true))), Stage::GetInTouch);
        assert_eq!(export_patience(Some(TimeDelta::hours(-1))), RetryPolicy::Normal);
    }

    #[test]
    fn a2_past_a_channels_own_guide_time_it_is_later_than_usual_and_still_to_be_waited_for() {
        let late = |now, guide| (is_later_than_usual(at(now), CONNECTED, guide), stage(now, None));
        let hour = GuideTime::minutes(60);
        assert_eq!(late("1:00:00", hour), (false, Stage::Wait));
        assert_eq!(late("1:00:01", hour), (true, Stage::Wait));
        assert_eq!(late("2:30:00", hour), (true, Stage::Wait));
        assert_eq!(late("0:30:01", GuideTime::minutes(30)), (true, Stage::Wait));
        assert_eq!(late("2:30:00", GuideTime::minutes(150)), (false, Stage::Wait));
        assert_eq!(late("2:30:00", GuideTime::UNKNOWN), (false, Stage::Wait));
        assert_eq!(late("-1:00:00", hour), (false, Stage::Wait));
    }

    #[test]
    fn a1_guide_times_are_told_in_words() {
        let words = [1, 30, 60, 120, 150].map(|minutes| GuideTime::minutes(minutes).to_string());
        assert_eq!(words, ["1 minute", "30 minutes", "1 hour", "2 hours", "2.5 hours"]);
        assert_eq!(GuideTime::UNKNOWN.to_string(), "half an hour to 2.5 hours");
    }

    #[test]
    fn d7_the_age_of_the_oldest_unconfirmed_dispatch() {
        let retry = |time: &str| export_patience(Some(at(time) - CONNECTED));
        assert_eq!(export_patience(None), RetryPolicy::Normal);
        assert_eq!(["0:00:00", "0:30:00"].map(retry), [RetryPolicy::Normal; 2]);
        assert_eq!(["0:30:01", "1:30:00"].map(retry), [RetryPolicy::Allow; 2]);
        assert_eq!(["1:30:01", "48:00:00"].map(retry), [RetryPolicy::GetInTouch; 2]);
    }
}
