//! A position that lies ahead of the channel's own clock (I-3, F-4).
//!
//! An order with a wrong date, a fault of an earlier version, or a clock that was ahead or has gone
//! back since, leaves a position behind which nothing comes for hours or for years. Since when,
//! nobody knows, so much is read again. Only the channel's own clock can say it, and that is known
//! with the first answer.

/// What is told.
pub(crate) const STRAYED: &str = "the position of this store lay ahead of the shop's own clock, led there by an order with a wrong date or by a clock that was set back; the last 60 days are read again";

/// How far back is read.
const REACH: i64 = 60 * 86_400;

/// Two clocks are never the same to the second.
const APART: i64 = 5;

/// The second from which on a store is read again whose position stands at `position`, where the
/// channel's clock shows `now`; `None` where the position is as it should be.
pub(crate) fn again_from(position: Option<i64>, now: i64) -> Option<i64> {
    position.filter(|at| at.saturating_sub(APART) > now).map(|_| now.saturating_sub(REACH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f4_only_a_position_ahead_of_the_channels_clock_has_strayed() {
        assert_eq!(again_from(Some(9_000_000), 6_000_000), Some(6_000_000 - REACH));
        for fine in [None, Some(6_000_000), Some(6_000_000 + APART), Some(0)] {
            assert_eq!(again_from(fine, 6_000_000), None, "{fine:?}");
        }
    }
}
