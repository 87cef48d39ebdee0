//! By when an order is to be sent, in the days of its shop.
//!
//! A channel that promises the buyer a moment says it with the order, and has counted the working
//! days itself. Where none is promised, the merchant's own time counts: so many days, or working
//! days, after the day on which the order was placed.

use std::ops::Range;

const DAY: i64 = 86_400;

/// How many days an order for which the channel promises no moment may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShipWithin {
    days: i64,
    /// Whether Saturdays and Sundays do not count.
    working: bool,
}

impl ShipWithin {
    /// Where nothing is set.
    pub(crate) const USUAL: Self = Self { days: 3, working: false };

    /// `3d` (days) or `2wd` (working days), up to 60.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('d')?;
        let (number, working) = number.strip_suffix('w').map_or((number, false), |number| (number, true));
        let days = number.parse().ok().filter(|days| (0..=60).contains(days))?;
        Some(Self { days, working })
    }

    /// The last day for an order that was placed on `day`.
    fn last_day(self, day: i64) -> i64 {
        if !self.working {
            return day + self.days;
        }
        let next_working = |day: i64| (day..).find(|day| is_working(*day)).unwrap_or(day);
        (0..self.days).fold(if self.days == 0 { next_working(day) } else { day }, |day, _| next_working(day + 1))
    }

    /// The first day that leaves a time after `last`.
    fn first_day_after(self, last: i64) -> i64 {
        // A week has five working days at least of seven.
        let reach = self.days * 2 + 7;
        (last - reach..=last + 1).find(|day| self.last_day(*day) > last).unwrap_or(last + 1)
    }
}

/// Monday to Friday. The first of January 1970 was a Thursday.
fn is_working(day: i64) -> bool {
    (day + 3).rem_euclid(7) < 5
}

/// What is due in a shop by now, as bounds in milliseconds since 1970: of the promised moment, and
/// of when an order was placed for which none is promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    /// Promised before this, or without a promise placed before that: it is late.
    pub(crate) late: (i64, i64),
    /// Promised or placed in these: it is to be sent on this day of the shop.
    pub(crate) today: (Range<i64>, Range<i64>),
}

impl Due {
    /// `offsets`: since when (milliseconds since 1970) the shop's clock is how many seconds before
    /// UTC, the oldest first; none: UTC.
    pub(crate) fn at(now: i64, offsets: &[(i64, i64)], within: ShipWithin) -> Self {
        let shop = Days(offsets);
        let today = shop.of(now);
        let (late, done) = (shop.start(within.first_day_after(today - 1)), shop.start(within.first_day_after(today)));
        Self { late: (now, late), today: (shop.start(today)..shop.start(today + 1), late..done) }
    }

    /// The same with nothing late that is due on this day of the shop.
    pub(crate) fn before_today(&self) -> Self {
        let (promised, placed) = self.late;
        Self { late: (promised.min(self.today.0.start), placed.min(self.today.1.start)), today: self.today.clone() }
    }
}

/// The days of a shop, each as the number of days since 1970.
struct Days<'a>(&'a [(i64, i64)]);

impl Days<'_> {
    fn of(&self, at: i64) -> i64 {
        (at.div_euclid(1000).saturating_add(self.offset(at))).div_euclid(DAY)
    }

    /// When a day begins. Where the clock is changed at midnight, by the clock after it.
    fn start(&self, day: i64) -> i64 {
        let midnight = day.saturating_mul(DAY);
        let guess = midnight.saturating_sub(self.offset(midnight.saturating_mul(1000)));
        midnight.saturating_sub(self.offset(guess.saturating_mul(1000))).saturating_mul(1000)
    }

    fn offset(&self, at: i64) -> i64 {
        self.0.iter().rev().find(|(since, _)| *since <= at).or(self.0.first()).map_or(0, |(_, seconds)| *seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(time: &str) -> i64 {
        chrono::DateTime::parse_from_rfc3339(time).unwrap().timestamp_millis()
    }

    fn due(now: &str, offset: i64, within: &str) -> Due {
        Due::at(ms(now), &[(0, offset)], ShipWithin::parse(within).unwrap())
    }

    #[test]
    fn what_is_late_without_a_promise_goes_by_whole_days_of_the_shop() {
        // A Wednesday, nine hours before UTC: there it is the 26th since 15:00 UTC of the 25th.
        let there = due("2026-11-25T20:00:00Z", 9 * 3600, "3d");
        assert_eq!(there.late.1, ms("2026-11-22T15:00:00Z"), "placed on the 22nd: the 25th was the last day");
        assert_eq!(there.today.0, ms("2026-11-25T15:00:00Z")..ms("2026-11-26T15:00:00Z"));
        assert_eq!(there.today.1, ms("2026-11-22T15:00:00Z")..ms("2026-11-23T15:00:00Z"), "placed on the 23rd");
        assert_eq!(
            due("2026-11-25T20:00:00Z", 0, "0d").today.1,
            ms("2026-11-25T00:00:00Z")..ms("2026-11-26T00:00:00Z")
        );
    }

    #[test]
    fn working_days_are_monday_to_friday() {
        let today = |now: &str, within: &str| due(now, 0, within).today.1;
        // 23 November 2026 is a Monday: Friday, Saturday and Sunday have two working days until Tuesday but for Friday.
        assert_eq!(today("2026-11-24T10:00:00Z", "2wd"), ms("2026-11-20T00:00:00Z")..ms("2026-11-23T00:00:00Z"));
        assert_eq!(today("2026-11-25T10:00:00Z", "2wd"), ms("2026-11-23T00:00:00Z")..ms("2026-11-24T00:00:00Z"));
        assert!(today("2026-11-28T10:00:00Z", "2wd").is_empty(), "on a Saturday nothing is due");
        assert_eq!(
            due("2026-11-28T10:00:00Z", 0, "2wd").late.1,
            ms("2026-11-26T00:00:00Z"),
            "Thursday has until Monday"
        );
        assert_eq!(today("2026-11-30T10:00:00Z", "0wd"), ms("2026-11-28T00:00:00Z")..ms("2026-12-01T00:00:00Z"));
    }

    #[test]
    fn a_day_on_which_the_clock_changes_has_its_own_length() {
        let berlin = [(0, 3600), (ms("2026-03-29T01:00:00Z"), 7200)];
        let due = Due::at(ms("2026-03-29T12:00:00Z"), &berlin, ShipWithin::USUAL);
        assert_eq!(due.today.0, ms("2026-03-28T23:00:00Z")..ms("2026-03-29T22:00:00Z"), "23 hours");
        assert_eq!(due.late.1, ms("2026-03-25T23:00:00Z"));
        assert_eq!(Due::at(0, &[], ShipWithin::USUAL).today.0, 0..86_400_000);
    }

    #[test]
    fn a_time_to_ship_is_a_number_of_days() {
        for bad in ["", "3", "d", "wd", "-1d", "61d", "3 d", "1.5d", "3w"] {
            assert_eq!(ShipWithin::parse(bad), None, "{bad}");
        }
        assert_eq!(ShipWithin::parse("3d"), Some(ShipWithin::USUAL));
    }

    #[test]
    fn what_is_late_is_not_due_today_and_no_day_is_forgotten() {
        for within in ["0d", "1d", "60d", "0wd", "1wd", "5wd", "60wd"].map(|text| ShipWithin::parse(text).unwrap()) {
            for day in 20_000..20_030 {
                let (now, tomorrow) = ((day * DAY + 5) * 1000, ((day + 1) * DAY + 5) * 1000);
                let (today, next) = (Due::at(now, &[], within), Due::at(tomorrow, &[], within));
                assert_eq!(today.today.1.end, next.today.1.start, "{within:?}");
                assert_eq!((today.late.1, today.late.0), (today.today.1.start, now));
            }
        }
    }
}
