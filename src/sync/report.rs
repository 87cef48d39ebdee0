//! What a run did, for people, for scripts and for the book.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;

use super::export::Outcome;
use crate::book::{LeftToSend, StoreSummary, Tally};
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result, common_code, exit_code};
use crate::http::LaneUse;

/// The outcome of a run.
#[derive(Debug)]
pub struct Report {
    /// The run's number in the book.
    pub(crate) run: i64,
    /// Store by store.
    pub stores: Vec<StoreReport>,
}

/// The outcome for one store.
#[derive(Debug)]
pub struct StoreReport {
    /// The store's name.
    pub store: String,
    /// What was fetched and what became of it.
    pub tally: Tally,
    /// What became of the outbox.
    pub(crate) exports: Exports,
    /// What of the outbox is still open after it.
    pub(crate) left: LeftToSend,
    /// Requests sent.
    pub requests: u64,
    /// Bytes received, decompressed.
    pub(crate) bytes: u64,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// How much of that its answers were waited for, by all its threads together.
    pub(crate) answers: Duration,
    /// What was taken of the channel's budgets.
    pub(crate) used: Vec<LaneUse>,
    /// What the merchant should know about how it went.
    pub(crate) warnings: Vec<String>,
    /// Whether all that changed at the channel was read, whatever became of the outbox.
    pub(crate) read: bool,
    /// How far the channel's clock is ahead of ours, where its answers have told that.
    pub(crate) clock_apart: Option<TimeDelta>,
    /// Why it stopped early, if it did.
    pub error: Option<Error>,
}

/// What became of the rows of an outbox in one run. A row may be tried several times in it: it
/// counts as what its last try came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Exports {
    /// Known to have arrived.
    pub(crate) confirmed: u32,
    /// Refused by the channel or stopped by a guard: in the inbox.
    pub(crate) refused: u32,
    /// Cancelled at the channel by others, so that what was wished with the cancellation was not
    /// heard: in the inbox.
    pub(crate) unheard: u32,
    /// The rows still on the way: tried again later.
    pub(crate) waiting: BTreeSet<i64>,
    /// Those among them of which it is not known whether the channel has them: an answer was lost, or
    /// what was turned down could not be looked for.
    pub(crate) lost: BTreeSet<i64>,
}

impl Exports {
    /// This row's try came to that.
    pub(crate) fn count(&mut self, row: i64, outcome: &Outcome) {
        self.waiting.remove(&row);
        match outcome {
            Outcome::TakenBack => {}
            Outcome::Confirmed { .. } => self.confirmed += 1,
            Outcome::Unheard(_) => self.unheard += 1,
            Outcome::Refused(_) => self.refused += 1,
            Outcome::Pending(_) | Outcome::Waiting(_) => drop(self.waiting.insert(row)),
        }
        if matches!(outcome, Outcome::Waiting(error) if error.kind() == ErrorKind::Unknown) {
            self.lost.insert(row);
        }
        self.lost.retain(|row| self.waiting.contains(row));
    }

    /// Leaves out what another process has settled meanwhile.
    pub(crate) fn settle(&mut self, is_open: impl Fn(i64) -> Result<bool>) -> Result<()> {
        for row in self.waiting.clone() {
            if !is_open(row)? {
                self.waiting.remove(&row);
                self.lost.remove(&row);
            }
        }
        Ok(())
    }
}

impl StoreReport {
    /// An empty report for `store`.
    pub(crate) fn new(store: &str) -> Self {
        Self {
            store: store.to_owned(),
            tally: Tally::default(),
            exports: Exports::default(),
            left: LeftToSend::default(),
            requests: 0,
            bytes: 0,
            elapsed: Duration::ZERO,
            answers: Duration::ZERO,
            used: Vec::new(),
            warnings: Vec::new(),
            read: false,
            clock_apart: None,
            error: None,
        }
    }

    /// Whether all of it went well.
    pub(crate) fn is_clean(&self) -> bool {
        let Exports { refused, unheard, lost, .. } = &self.exports;
        self.error.is_none() && self.tally.failed == 0 && *refused == 0 && *unheard == 0 && lost.is_empty()
    }
}

impl Report {
    /// The exit code (C-2, I-4, I-5): the only store's own error, or "partly done".
    pub(crate) fn exit_code(&self) -> u8 {
        exit_code_of(self.stores.iter().map(|store| (store.error.as_ref(), store.is_clean())))
    }

    /// What the book keeps of the run.
    pub(crate) fn summaries(&self) -> Vec<StoreSummary> {
        self.stores
            .iter()
            .map(|s| StoreSummary {
                store: s.store.clone(),
                exported: s.exports.confirmed,
                requests: s.requests,
                bytes: s.bytes,
                read: s.read,
                notes: s.warnings.clone(),
                error: s.error.clone(),
            })
            .collect()
    }
}

/// The exit code of work on several stores, each with what stopped it, and whether all of it went
/// well.
pub(crate) fn exit_code_of<'a>(stores: impl Iterator<Item = (Option<&'a Error>, bool)> + Clone) -> u8 {
    let code = |(error, is_clean): (Option<&Error>, bool)| match error {
        Some(error) => exit_code(error.kind()),
        None if is_clean => 0,
        None => EXIT_PARTLY,
    };
    let interrupted = || stores.clone().map(code).find(|code| *code == 130);
    common_code(stores.clone().map(code)).or_else(interrupted).unwrap_or(EXIT_PARTLY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(errors: &[Option<ErrorKind>]) -> Report {
        let stores = errors
            .iter()
            .map(|kind| StoreReport { error: kind.map(|kind| Error::new(kind, "x")), ..StoreReport::new("s") })
            .collect();
        Report { run: 1, stores }
    }

    #[test]
    fn i5_one_store_down_among_several_is_partly_done_and_alone_its_own_code() {
        assert_eq!(report(&[None, None]).exit_code(), 0);
        assert_eq!(report(&[Some(ErrorKind::Temporary)]).exit_code(), 5);
        assert_eq!(report(&[Some(ErrorKind::Credentials)]).exit_code(), 4);
        assert_eq!(report(&[Some(ErrorKind::Temporary), None]).exit_code(), 3);
        assert_eq!(report(&[Some(ErrorKind::Temporary), Some(ErrorKind::Temporary)]).exit_code(), 5);
        assert_eq!(report(&[Some(ErrorKind::Temporary), Some(ErrorKind::Credentials)]).exit_code(), 3);
        assert_eq!(report(&[Some(ErrorKind::Interrupted), None]).exit_code(), 130);
    }

    #[test]
    fn i4_an_unreadable_order_makes_it_partly_done() {
        let mut one = report(&[None]);
        one.stores[0].tally.failed = 1;
        assert_eq!(one.exit_code(), 3);
    }
}
