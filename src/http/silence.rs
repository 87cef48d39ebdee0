//! How long a store has said nothing, whatever it was asked and by which thread.

use std::time::{Duration, Instant};

/// The time for which a store was asked in vain. What passes while nobody asks is no silence.
#[derive(Default)]
pub(super) struct Silence {
    /// How many questions are open.
    asked: u32,
    /// Since when there has been an open question all the time and no answer.
    since: Option<Instant>,
    /// How long it was before that.
    before: Duration,
    /// Whether the last question brought no answer.
    pub(super) in_vain: bool,
    /// Nothing more is asked in this run.
    pub(super) given_up: bool,
}

impl Silence {
    /// A question goes out.
    pub(super) fn ask(&mut self, now: Instant) {
        self.asked += 1;
        self.since.get_or_insert(now);
    }

    /// A question is over, and the store has said something or cannot be reached.
    pub(super) fn heard(&mut self, now: Instant) {
        self.asked -= 1;
        self.before = Duration::ZERO;
        self.since = (self.asked > 0).then_some(now);
        self.in_vain = false;
    }

    /// A question is over and nothing came. Gives how long the store has said nothing.
    pub(super) fn in_vain(&mut self, now: Instant) -> Duration {
        let quiet = self.quiet(now);
        self.asked -= 1;
        self.in_vain = true;
        if self.asked == 0 {
            self.before = quiet;
            self.since = None;
        }
        quiet
    }

    /// For how long the open questions are without an answer; nothing while there are none.
    pub(super) fn waits(&self, now: Instant) -> Option<Duration> {
        (self.asked > 0).then(|| self.quiet(now))
    }

    fn quiet(&self, now: Instant) -> Duration {
        self.before + self.since.map(|since| now.duration_since(since)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_the_time_in_which_nobody_asks_is_no_silence() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut silence = Silence::default();
        silence.ask(at(0));
        assert_eq!(silence.in_vain(at(60)), Duration::from_secs(60));
        assert_eq!(silence.waits(at(600)), None);
        silence.ask(at(600));
        assert_eq!(silence.waits(at(601)), Some(Duration::from_secs(61)));
        silence.ask(at(610));
        assert_eq!(silence.in_vain(at(630)), Duration::from_secs(90), "two at once are one silence");
        assert_eq!(silence.in_vain(at(640)), Duration::from_secs(100));
        silence.ask(at(900));
        silence.heard(at(901));
        silence.ask(at(1000));
        assert_eq!(silence.in_vain(at(1001)), Duration::from_secs(1), "it has spoken");
    }
}
