//! How long to go on trying.

use std::time::Duration;

/// A page of 100 orders takes a poor shop up to a minute.
const READ: Duration = Duration::from_secs(70);

/// How often and how long a request is repeated before the store is given up for this run.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The first pause after a failure; it doubles from then on. `ORDERSYNC_RETRY_MS` sets it, for
    /// rehearsals.
    pub first_pause: Duration,
    /// How many times a failed read is repeated.
    pub repeats: u32,
    /// The longest pause that is waited for; a channel that asks for more ends the run for its
    /// store.
    pub longest_pause: Duration,
    /// How long one read may take altogether.
    pub timeout: Duration,
    /// The same for a write: one that is cut off is in doubt, so it is waited for.
    pub write_timeout: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(1000),
            repeats: 4,
            longest_pause: Duration::from_secs(300),
            timeout: READ,
            write_timeout: Duration::from_secs(90),
        }
    }
}

impl RetryPolicy {
    /// For a merchant who connects a shop and waits: of one that does not answer in so long a time
    /// not much is to be expected.
    pub(crate) fn short() -> Self {
        Self { repeats: 2, longest_pause: Duration::from_secs(15), timeout: Duration::from_secs(15), ..Self::default() }
    }

    /// For a look at one order while the merchant waits: about half a minute until the outbox takes
    /// over.
    pub(crate) fn brief() -> Self {
        Self { timeout: Duration::from_secs(10), ..Self::short() }
    }

    /// The same with another first pause.
    pub fn starting_at(self, first_pause: Duration) -> Self {
        Self { first_pause, ..self }
    }

    /// The same for a server that answers that it has too much to do and not for how long: 5 s are
    /// what BigCommerce asks for.
    pub(crate) fn under_load(self) -> Self {
        Self { first_pause: self.first_pause.saturating_mul(5), ..self }
    }

    /// The pause before repeat number `n` (from 0): doubling, up to a minute, with up to a quarter
    /// more by chance so that many machines do not come back in step.
    pub(crate) fn pause(&self, n: u32) -> Duration {
        let base = self.first_pause.saturating_mul(1 << n.min(16)).min(Duration::from_secs(60));
        let mut byte = [0u8; 1];
        let chance = if getrandom::fill(&mut byte).is_ok() { u32::from(byte[0]) } else { 0 };
        base + base * chance / 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_waits_for_seconds_until_the_outbox_takes_over() {
        let longest = |retry: RetryPolicy| {
            let pauses: Duration = (0..retry.repeats).map(|n| retry.pause(n)).sum();
            pauses + retry.timeout * (retry.repeats + 1)
        };
        assert!(longest(RetryPolicy::brief()) < Duration::from_secs(40), "{:?}", longest(RetryPolicy::brief()));
        assert!(longest(RetryPolicy::short()) < Duration::from_secs(60), "{:?}", longest(RetryPolicy::short()));
        assert_eq!(
            RetryPolicy::brief().write_timeout,
            RetryPolicy::default().write_timeout,
            "no write is cut off for it"
        );
    }

    #[test]
    fn pauses_double_and_stay_bounded() {
        let retry = RetryPolicy::default();
        for n in 0..40 {
            let least = Duration::from_secs(1 << n.min(6)).min(Duration::from_secs(60));
            let pause = retry.pause(n);
            assert!(pause >= least && pause <= least * 5 / 4, "{n}: {pause:?}");
        }
    }
}
