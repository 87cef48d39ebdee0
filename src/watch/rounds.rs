//! What a store's rounds have taken of its channel's requests in the last days, and what is left of a
//! day's.

use std::collections::VecDeque;

use chrono::TimeDelta;

use crate::channel::Quota;
use crate::clock::Timestamp;

const DAY: TimeDelta = TimeDelta::seconds(Quota::WINDOW.as_secs() as i64);

/// A round that takes this many times what one with nothing new takes has done something else as well.
const MUCH: f64 = 3.0;

/// The rounds of the last two days, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    rounds: VecDeque<Round>,
}

#[derive(Debug, Clone, Copy)]
struct Round {
    begun: Timestamp,
    ended: Timestamp,
    requests: f64,
    /// What of these comes with every round.
    usual: f64,
}

impl Rounds {
    /// Those of former processes, each with its end.
    pub(super) fn of(known: Vec<(Timestamp, u64)>) -> Self {
        let round = |(at, requests)| Round { begun: at, ended: at, requests: requests as f64, usual: requests as f64 };
        Self { rounds: known.into_iter().map(round).collect() }
    }

    /// So long rounds are remembered.
    pub(super) fn since(now: Timestamp) -> Timestamp {
        now - DAY * 2
    }

    /// One more; `cost` is what one with nothing new takes.
    pub(super) fn add(&mut self, begun: Timestamp, ended: Timestamp, requests: u64, cost: f64) {
        let requests = requests as f64;
        self.rounds.push_back(Round { begun, ended, requests, usual: requests.min(cost * MUCH) });
        let since = Self::since(ended);
        while self.rounds.front().is_some_and(|round| round.ended < since) {
            self.rounds.pop_front();
        }
    }

    /// How many requests of the last day came with the rounds: what else they took is not taken again.
    pub(super) fn own(&self, now: Timestamp) -> f64 {
        self.rounds.iter().filter(|round| round.ended > now - DAY).map(|round| round.usual).sum()
    }

    /// What is left of a day's quota that stood so when it was told. What our own rounds took a day
    /// before is permitted again; of what others took nobody knows when that was.
    pub(super) fn left(&self, (at, told): (Timestamp, Quota), now: Timestamp) -> Quota {
        let sum = |is: &dyn Fn(&Round) -> bool| -> f64 {
            self.rounds.iter().filter(|round| is(round)).map(|round| round.requests).sum()
        };
        let left = match told.left.filter(|_| now - at < DAY) {
            Some(left) => {
                let back = sum(&|round| round.begun > at - DAY && round.ended <= now - DAY);
                left as f64 + back - sum(&|round| round.begun > at)
            }
            None => told.permitted as f64 - sum(&|round| round.ended > now - DAY),
        };
        Quota { left: Some(left.clamp(0.0, told.permitted as f64) as u64), ..told }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn i6_what_own_rounds_took_is_permitted_again_a_day_later_and_what_others_took_when_it_surely_is() {
        let at = |hours: f64| from_millis(1_795_000_000_000 + (hours * 3_600_000.0) as i64);
        let mut rounds = Rounds::of(vec![(at(0.0), 10)]);
        rounds.add(at(1.0), at(1.1), 20, 2.0);
        rounds.add(at(20.0), at(20.1), 2, 2.0);
        assert_eq!([rounds.own(at(21.0)), rounds.own(at(24.5)), rounds.own(at(26.0))], [18.0, 8.0, 2.0]);
        let left = |told: f64, left, now| {
            rounds.left((at(told), Quota { permitted: 100, left }), at(now)).left.unwrap_or_default()
        };
        assert_eq!(left(20.05, Some(8), 21.0), 8, "as it was told");
        assert_eq!(left(20.05, Some(8), 24.1), 18);
        assert_eq!(left(20.05, Some(8), 25.2), 38);
        assert_eq!(left(19.0, Some(8), 20.2), 6, "the last one has told nothing");
        assert_eq!(left(20.05, Some(8), 44.05), 98, "whoever took it");
        assert_eq!(left(20.05, None, 20.2), 68);
    }
}
