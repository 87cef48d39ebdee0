//! How often a store is asked: a pure decision on what its channel permits, what a round takes of
//! that, how long the answers take, and how quiet it has been.

use std::time::Duration;

use crate::channel::Quota;
pub(crate) use crate::http::KEPT;
use crate::http::LaneUse;

/// How often a store is asked at most: no merchant notices the difference, and each round costs this
/// machine something as well.
const SHORTEST: Duration = Duration::from_secs(5);

/// A server that sets no limit of its own works on our questions for one part in so many of the time,
/// and is asked every five minutes however slow it is.
const PARTS: f64 = 10.0;
const SLOW_AT_MOST: Duration = Duration::from_secs(300);

const DAY: Duration = Quota::WINDOW;

/// After so long without anything new a store is asked less often, up to so many times less, and no
/// less often for that than every five minutes.
const QUIET: Duration = Duration::from_secs(3600);
const QUIET_TIMES: f64 = 4.0;
const QUIET_AT_MOST: Duration = Duration::from_secs(300);

/// The same of a night.
const NIGHT_TIMES: f64 = 10.0;
const NIGHT_AT_MOST: Duration = Duration::from_secs(900);

/// What is known of a store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// What the channel permits in any 24 hours, and what is left of it now, where it counts so.
    pub(crate) quota: Option<Quota>,
    /// How many of the requests of the last 24 hours were rounds of ours.
    pub(crate) own: f64,
    /// How many requests a round takes.
    pub(crate) cost: f64,
    /// What a round with nothing new takes of the channel's other budgets.
    pub(crate) lanes: Vec<LaneUse>,
    /// How long the store works on the answers of a round with nothing new; zero as long as none has
    /// been measured.
    pub(crate) answers: Duration,
    /// How long nothing new has come.
    pub(crate) quiet: Duration,
    /// Whether it is a time at which the merchant wants it to be slow.
    pub(crate) night: bool,
}

/// How often a store is asked, and why not more often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// The time from the beginning of a round to the beginning of the next one.
    pub(crate) every: Duration,
    /// What decides that.
    pub(crate) why: Why,
    /// By what it is longer than it had to be.
    pub(crate) slowed: Option<Slowed>,
}

/// What decides how often a store is asked at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Why {
    /// More often is of no use to anybody.
    Shortest,
    /// How long its answers take.
    Answers(Duration),
    /// What is permitted in a short time, beside what is kept.
    Lane {
        /// So many points or requests a second.
        per_second: f64,
        /// Whether a part of it is kept.
        kept: bool,
    },
    /// The requests of 24 hours, beside what is kept.
    Day {
        /// So many in all.
        permitted: u64,
        /// So many of the last 24 hours went to other things than rounds.
        others: u64,
    },
}

/// Why a store is asked less often than it could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slowed {
    /// Nothing has happened for a while.
    Quiet,
    /// It is night.
    Night,
}

impl Facts {
    /// Whether a round can be made now without what is kept of the day's quota.
    pub(crate) fn are_enough(&self, kept: f64) -> bool {
        self.quota.is_none_or(|quota| {
            let permitted = quota.permitted as f64;
            // However small the quota is, one round of a day is ours.
            let kept = (permitted * kept).min(permitted - self.cost).max(0.0);
            quota.left.map_or(permitted, |left| left as f64) - kept >= self.cost
        })
    }

    /// How often the store is asked where `kept` of each budget is left to others.
    pub(crate) fn pace(&self, kept: f64) -> Pace {
        let day = self.quota.map(|quota| self.of_day(quota, kept));
        let answers = (!self.answers.is_zero())
            .then(|| (self.answers.mul_f64(PARTS).min(SLOW_AT_MOST), Why::Answers(self.answers)));
        let lanes = self.lanes.iter().filter_map(|lane| of_lane(lane, kept));
        let all = lanes.chain(answers).chain(day).map(|(every, why)| (whole(every), why));
        let (every, why) = all.fold((SHORTEST, Why::Shortest), |most, one| if one.0 > most.0 { one } else { most });
        let quiet = (self.quiet.as_secs_f64() / QUIET.as_secs_f64()).clamp(1.0, QUIET_TIMES);
        let (slow, slowed) = match self.night {
            true => (slower(every, NIGHT_TIMES, NIGHT_AT_MOST), Slowed::Night),
            false => (slower(every, quiet, QUIET_AT_MOST), Slowed::Quiet),
        };
        Pace { every: slow, why, slowed: (slow > every).then_some(slowed) }
    }

    /// The day's requests, spread over the day. The window slides: what our own rounds took comes back
    /// as evenly as it went, so what there is for them is what is left and what they took. What others
    /// took may come back all at once, a day later.
    fn of_day(&self, quota: Quota, kept: f64) -> (Duration, Why) {
        let permitted = quota.permitted as f64;
        let left = quota.left.map_or(permitted - self.own, |left| left as f64).clamp(0.0, permitted);
        let own = self.own.clamp(0.0, permitted - left);
        let most = permitted * (1.0 - kept);
        let ours = (left + own - permitted * kept).min(most);
        let every = if ours > self.cost { DAY.mul_f64((self.cost / ours).clamp(0.0, 1.0)) } else { DAY };
        let others = (permitted - left - own).round() as u64;
        (every, Why::Day { permitted: quota.permitted, others })
    }
}

/// What a round takes of a budget, spread. Of one for reads alone nothing has to be kept for
/// dispatches.
fn of_lane(lane: &LaneUse, kept: f64) -> Option<(Duration, Why)> {
    let per_second = lane.per_second.filter(|rate| rate.is_finite() && *rate > 0.0)?;
    let share = if lane.of_all { 1.0 - kept } else { 1.0 };
    let seconds = lane.spent / (per_second * share);
    let every = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(DAY).min(DAY);
    Some((every, Why::Lane { per_second, kept: lane.of_all }))
}

/// In whole seconds, so that what is printed is what is done; never less.
fn whole(every: Duration) -> Duration {
    Duration::from_secs(every.as_secs() + u64::from(every.subsec_nanos() > 0))
}

fn slower(every: Duration, times: f64, at_most: Duration) -> Duration {
    every.max(whole(every.mul_f64(times)).min(at_most))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn quota(permitted: u64, left: Option<u64>) -> Facts {
        Facts { quota: Some(Quota { permitted, left }), cost: 2.0, ..Facts::default() }
    }

    fn lane(per_second: f64, spent: f64, of_all: bool) -> Facts {
        Facts { lanes: vec![LaneUse { per_second: Some(per_second), spent, of_all }], cost: 1.0, ..Facts::default() }
    }

    #[test]
    fn i6_the_interval_is_what_the_channel_s_limits_permit() {
        let day = |permitted, others| Why::Day { permitted, others };
        let answers = |s| Facts { answers: seconds(s), cost: 2.0, ..Facts::default() };
        let used = |own, left| Facts { own, ..quota(10_000, Some(left)) };
        let of_all = Why::Lane { per_second: 100.0, kept: true };
        let own_lane = Why::Lane { per_second: 0.0056, kept: false };
        let slow_lane = Why::Lane { per_second: 0.1, kept: true };
        for (what, facts, every, why) in [
            ("nothing is known", Facts::default(), 5, Why::Shortest),
            ("a day's quota of which nothing is told yet", quota(5_000, None), 44, day(5_000, 0)),
            ("one that is whole", quota(10_000, Some(10_000)), 22, day(10_000, 0)),
            ("one of which our own rounds have used their part", used(8_000.0, 2_000), 22, day(10_000, 0)),
            ("one of which others have used half", quota(10_000, Some(5_000)), 58, day(10_000, 5_000)),
            ("the same beside our own", used(3_000.0, 2_000), 58, day(10_000, 5_000)),
            ("one that others have used up", quota(10_000, Some(1_900)), 86_400, day(10_000, 8_100)),
            ("one of a large app", quota(100_000, Some(100_000)), 5, Why::Shortest),
            ("a tiny one", quota(20, Some(20)), 10_800, day(20, 0)),
            ("a bucket that fills quickly", lane(100.0, 60.0, true), 5, Why::Shortest),
            ("a dear round", lane(100.0, 800.0, true), 10, of_all),
            ("a slow bucket", lane(0.1, 1.0, true), 13, slow_lane),
            ("a budget of reads alone, as Amazon has for its lists", lane(0.0056, 1.0, false), 179, own_lane),
            ("a quick server", answers(0.02), 5, Why::Shortest),
            ("one that takes its time", answers(1.2), 12, Why::Answers(seconds(1.2))),
            ("one that is overloaded", answers(90.0), 300, Why::Answers(seconds(90.0))),
        ] {
            let pace = facts.pace(KEPT);
            assert_eq!((pace.every.as_secs(), pace.why, pace.slowed), (every, why, None), "{what}");
        }
    }

    #[test]
    fn it_slows_down_when_nothing_happens_and_at_night_where_it_is_told_to() {
        let at = |quiet: u64, night| Facts { quiet: seconds(quiet as f64), night, ..quota(10_000, None) }.pace(KEPT);
        for (quiet, night, every, slowed) in [
            (0, false, 22, None),
            (3_600, false, 22, None),
            (7_200, false, 44, Some(Slowed::Quiet)),
            (86_400, false, 88, Some(Slowed::Quiet)),
            (0, true, 220, Some(Slowed::Night)),
            (86_400, true, 220, Some(Slowed::Night)),
        ] {
            let pace = at(quiet, night);
            assert_eq!((pace.every.as_secs(), pace.slowed), (every, slowed), "{quiet} s, night: {night}");
        }
        let slow = |night| Facts { quiet: DAY, night, ..quota(400, None) }.pace(KEPT);
        assert_eq!(
            (slow(false).every.as_secs(), slow(true).every.as_secs()),
            (540, 900),
            "what is slow is not much slower"
        );
        assert_eq!(slow(false).slowed, None);
    }

    #[test]
    fn i6_no_round_is_made_with_what_is_kept_of_a_day() {
        let enough = |permitted, left| quota(permitted, left).are_enough(KEPT);
        assert!(enough(10_000, None) && enough(10_000, Some(2_002)) && Facts::default().are_enough(KEPT));
        assert!(!enough(10_000, Some(2_001)) && !enough(10_000, Some(0)));
        assert!(enough(2, Some(2)) && !enough(2, Some(1)), "one round of a day is always ours");
    }

    /// Whatever a vendor tells.
    fn any_facts() -> impl Strategy<Value = Facts> {
        let quota = prop::option::of((1..200_000_u64, prop::option::of(0..250_000_u64)));
        let lane = (prop::option::of(-1.0..2_000.0_f64), 0.0..2_000.0_f64, any::<bool>());
        let times = (0..600_000_u64, 0..1_000_000_u64, any::<bool>());
        (quota, 0.0..300_000.0_f64, 1.0..50.0_f64, prop::collection::vec(lane, 0..4), times).prop_map(
            |(quota, own, cost, lanes, (answers, quiet, night))| Facts {
                quota: quota.map(|(permitted, left)| Quota { permitted, left }),
                own,
                cost,
                lanes: lanes
                    .into_iter()
                    .map(|(per_second, spent, of_all)| LaneUse { per_second, spent, of_all })
                    .collect(),
                answers: Duration::from_millis(answers),
                quiet: Duration::from_secs(quiet),
                night,
            },
        )
    }

    proptest! {
        #[test]
        fn i6_it_is_never_too_often_and_never_without_end(facts in any_facts()) {
            let pace = facts.pace(KEPT);
            prop_assert!(pace.every >= SHORTEST && pace.every <= DAY, "{pace:?}");
            // What a day has of rounds at this pace is within what is not kept, beside what others took.
            if let Some(Quota { permitted, left: Some(left) }) = facts.quota {
                let rounds = (DAY.as_secs_f64() / pace.every.as_secs_f64() - 1.0).max(0.0);
                let (permitted, left) = (permitted as f64, (left as f64).min(permitted as f64));
                let others = (permitted - left - facts.own).max(0.0);
                prop_assert!(rounds * facts.cost + others <= permitted * (1.0 - KEPT) + 1.0 || rounds == 0.0, "{pace:?}");
            }
            for lane in &facts.lanes {
                if let Some(rate) = lane.per_second.filter(|rate| *rate > 0.001) {
                    let taken = (lane.spent / pace.every.as_secs_f64()).min(lane.spent);
                    let share = if lane.of_all { 1.0 - KEPT } else { 1.0 };
                    prop_assert!(taken <= rate * share * 1.001 || pace.every == DAY, "{lane:?} {pace:?}");
                }
            }
        }

        #[test]
        fn i6_more_work_or_less_to_hope_for_never_makes_it_faster(facts in any_facts(), more in 1.0..9.0_f64) {
            let every = facts.pace(KEPT).every;
            let other = |change: &dyn Fn(&mut Facts)| {
                let mut other = facts.clone();
                change(&mut other);
                other.pace(KEPT).every
            };
            prop_assert!(other(&|f| f.cost *= more) >= every);
            prop_assert!(other(&|f| f.answers = f.answers.mul_f64(more)) >= every);
            prop_assert!(other(&|f| f.quiet = f.quiet.mul_f64(more)) >= every);
            prop_assert!(other(&|f| f.lanes.iter_mut().for_each(|lane| lane.spent *= more)) >= every);
            prop_assert!(other(&|f| f.night = true) >= other(&|f| f.night = false));
            prop_assert!(facts.pace(KEPT / more).every <= every);
            let twice = |q: Quota| Quota { permitted: q.permitted * 2, left: q.left.map(|left| left + q.permitted) };
            prop_assert!(other(&|f| f.quota = f.quota.map(twice)) <= every);
        }
    }
}
