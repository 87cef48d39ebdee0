//! What to advise while a first sync or a dispatch takes its time: pure decisions on times (A-1,
//! A-2, D-7).

use chrono::TimeDelta;

use crate::clock::Timestamp;

/// How long a first order may take after connecting before anything is wrong.
const FIRST_ORDER: TimeDelta = TimeDelta::minutes(150);

/// How long it may take after a connection test that passed.
const AFTER_TEST: TimeDelta = TimeDelta::minutes(30);

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
    if now - connected_at <= FIRST_ORDER {
        return Stage::Wait;
    }
    match test.filter(|(at, _)| *at >= connected_at) {
        None => Stage::Test,
        Some((_, false)) => Stage::GetInTouch,
        Some((at, true)) if now - at <= AFTER_TEST => Stage::WaitAfterTest,
        Some((_, true)) => Stage::GetInTouch,
    }
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
    match age.map(|age| age.num_minutes()) {
        None | Some(..=30) => RetryPolicy::Normal,
        Some(31..=90) => RetryPolicy::Allow,
        Some(_) => RetryPolicy::GetInTouch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTED: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(minutes: i64) -> Timestamp {
        CONNECTED + TimeDelta::minutes(minutes)
    }

    fn stage(now: i64, test: Option<(i64, bool)>) -> Stage {
        import_stage(at(now), CONNECTED, false, test.map(|(minutes, passed)| (at(minutes), passed)))
    }

    #[test]
    fn a1_the_time_of_a_first_sync_goes_by_the_number_of_orders() {
        let minutes = |orders| first_sync(orders).num_minutes();
        assert_eq!([1, 340, 1200, 1201, 100_000].map(minutes), [1, 1, 1, 2, 84]);
        assert!(first_sync(u64::MAX) > TimeDelta::days(365));
    }

    #[test]
    fn a2_the_stages_of_a_store_without_orders() {
        assert_eq!(stage(0, None), Stage::Wait);
        assert_eq!(stage(150, None), Stage::Wait, "up to and including two and a half hours");
        assert_eq!(stage(151, None), Stage::Test);
        assert_eq!(stage(160, Some((155, false))), Stage::GetInTouch);
        assert_eq!(stage(160, Some((155, true))), Stage::WaitAfterTest);
        assert_eq!(stage(185, Some((155, true))), Stage::WaitAfterTest);
        assert_eq!(stage(186, Some((155, true))), Stage::GetInTouch);
        assert_eq!(import_stage(at(500), CONNECTED, true, None), Stage::Ok);
    }

    #[test]
    fn d7_the_age_of_the_oldest_unconfirmed_dispatch() {
        let retry = |minutes| export_patience(Some(TimeDelta::minutes(minutes)));
        assert_eq!(export_patience(None), RetryPolicy::Normal);
        assert_eq!(
            [retry(30), retry(31), retry(90), retry(91)],
            [RetryPolicy::Normal, RetryPolicy::Allow, RetryPolicy::Allow, RetryPolicy::GetInTouch]
        );
    }
}
