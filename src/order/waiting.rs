//! The waiting time of new orders: how long after an order was placed it is not to be sent yet.

use chrono::TimeDelta;

use super::Status;
use crate::clock::Timestamp;

/// When an order was placed, when it came into the book, and by when it is promised.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// By the channel's clock.
    pub(crate) placed_at: Timestamp,
    /// By this machine's clock.
    pub(crate) imported_at: Timestamp,
    /// The latest moment to ship it.
    pub(crate) ship_by: Option<Timestamp>,
}

/// When the waiting time of an order ends; nothing where it is over, or has none. It counts from
/// when the order was placed, so a first sync and a late one hold nothing up; a channel's clock that
/// is ahead makes it no longer, and what is promised earlier is due earlier.
pub(crate) fn not_before(wait: TimeDelta, status: Status, times: Times, now: Timestamp) -> Option<Timestamp> {
    let end = times.placed_at.min(times.imported_at).checked_add_signed(wait)?;
    let end = times.ship_by.map_or(end, |promised| end.min(promised));
    (status == Status::AwaitingFulfillment && end > now).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn a_waiting_time_counts_from_when_an_order_was_placed_and_ends_with_what_was_promised() {
        let at = |minutes: i64| from_millis(1_795_000_000_000) + TimeDelta::minutes(minutes);
        let wait = TimeDelta::minutes(60);
        let times = |placed, imported, ship_by: Option<i64>| Times {
            placed_at: at(placed),
            imported_at: at(imported),
            ship_by: ship_by.map(at),
        };
        let ends = |status, times, now| not_before(wait, status, times, at(now));
        let open = Status::AwaitingFulfillment;
        assert_eq!(ends(open, times(0, 10, None), 59), Some(at(60)));
        assert_eq!(ends(open, times(0, 10, None), 60), None, "to the minute");
        assert_eq!(ends(open, times(0, 100, None), 100), None, "it came late");
        assert_eq!(ends(open, times(600, 0, None), 0), Some(at(60)), "placed by a clock that is ahead");
        assert_eq!(ends(open, times(0, 0, Some(30)), 29), Some(at(30)));
        assert_eq!(ends(open, times(0, 0, Some(30)), 30), None);
        for status in Status::ALL.into_iter().filter(|status| *status != open) {
            assert_eq!(ends(status, times(0, 0, None), 0), None, "{status}");
        }
    }
}
