//! What time it is while something of a channel is read: whether a version's time can be true.
//!
//! Of two versions of an order the one with the later time is the newer one, as long as the clock
//! that dates them goes forward. A shop's clock that was ahead and was set right leaves versions of
//! a time to come behind; until that time has come, all that happens there is dated before them.

use chrono::TimeDelta;

use crate::clock::{Timestamp, from_millis};

/// Two clocks are never the same to the second, and an answer tells whole seconds.
const APART: TimeDelta = TimeDelta::seconds(5);

/// How far ahead of our own clock a time may be where no answer has told the channel's.
const UNTOLD: TimeDelta = TimeDelta::days(1);

/// What time it is at the channel and here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Present {
    theirs: Option<Timestamp>,
    ours: Timestamp,
}

impl Present {
    /// Now, by our clock and by the channel's, as far as its answers have told it.
    pub(super) fn new(theirs: Option<Timestamp>, ours: Timestamp) -> Self {
        Self { theirs, ours }
    }

    /// When a version was made that bears this time. One of a time to come was made before it was
    /// read, and what comes later is dated later than that, in whole seconds.
    pub(super) fn bounded(self, at: Timestamp) -> Timestamp {
        let (now, apart, back) = match self.theirs {
            Some(theirs) => (theirs, APART, APART),
            None => (self.ours, UNTOLD, TimeDelta::zero()),
        };
        if at <= now.checked_add_signed(apart).unwrap_or(now) {
            return at;
        }
        let made = now.checked_sub_signed(back).unwrap_or(now);
        from_millis(made.timestamp().saturating_mul(1000))
    }

    /// Whether a version that is in the book bears a time that has not come yet by either clock: a
    /// clock was set back since, and the time tells nothing of what is older. An answer out of a
    /// cache may tell a time that is past.
    pub(crate) fn is_ahead(self, known: Timestamp) -> bool {
        known > self.latest()
    }

    /// The last moment that can have come.
    pub(crate) fn latest(self) -> Timestamp {
        let (now, apart) = match self.theirs {
            Some(theirs) => (theirs.max(self.ours), APART),
            None => (self.ours, UNTOLD),
        };
        now.checked_add_signed(apart).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        from_millis(1_795_000_000_000 + seconds * 1000)
    }

    proptest! {
        /// A shop's clock is ahead for a while, by minutes or hours, and set right: what changes
        /// before and after is newer than what was known, and an older version is older again.
        #[test]
        fn i3_what_changes_after_a_clock_was_set_right_is_newer_and_what_is_late_is_older(
            ahead in 1i64..600,
            before in prop::collection::vec(1i64..5_000, 1..6),
            first in 0.0f64..1.0,
            after in prop::collection::vec(1i64..5_000, 0..6),
            is_wrong in any::<bool>(),
        ) {
            let (mut now, mut known) = (0, at(-1));
            let first = (first * (ahead * 60 - 11) as f64) as i64;
            let before = before.into_iter().map(|pause| (pause, ahead * 60));
            let after = [first].into_iter().chain(after).map(|pause| (pause, 0));
            for (pause, lead) in before.chain(after) {
                now += pause;
                let present = Present::new(Some(at(now + lead)), at(now));
                let made = at(now + lead);
                prop_assert!(made >= known || present.is_ahead(known), "{made} after {known}");
                // An order may bear a time of its own that has not come.
                let made = if is_wrong && lead > 0 { at(now + 9_000_000) } else { made };
                known = present.bounded(made);
                prop_assert!(known <= at(now + lead));
            }
            let present = Present::new(Some(at(now)), at(now));
            prop_assert!(!present.is_ahead(known) && at(now - 6) < known);
        }
    }

    #[test]
    fn i3_a_time_to_come_is_one_before_it_was_read_and_in_whole_seconds() {
        let now = at(0) + TimeDelta::milliseconds(700);
        let told = Present::new(Some(now), at(-9_000));
        assert_eq!((told.bounded(at(5)), told.bounded(at(6))), (at(5), at(-5)));
        assert!(!told.is_ahead(at(5)) && told.is_ahead(at(6)));
        let untold = Present::new(None, now);
        assert_eq!((untold.bounded(at(86_400)), untold.bounded(at(86_401))), (at(86_400), at(0)));
        let cached = Present::new(Some(at(-9_000)), now);
        assert!(!cached.is_ahead(at(5)), "an answer out of a cache tells when it was made");
    }
}
