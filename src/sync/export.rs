//! Export: the outbox, row by row, until each is confirmed or refused.
//!
//! A row states a goal. Every attempt reads the channel first and writes only what is missing there, so an
//! attempt whose answer was lost, or whose process was killed, is looked for and not repeated (PRODUCT.md D-3).
//! The mark `sending` is durable before a write goes out; a row found in it by the next process is treated as `unknown`.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::Context;
use super::guard::{self, Act, Look, Seen};
use super::report::Exports;
use super::store::OpenStore;
use crate::book::{Book, InboxNote, OutboxRow, OutboxState};
use crate::channel::{Goal, Task, Write};
use crate::clock::Timestamp;
use crate::crash;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Aspect, differences, same_beside};

/// A write that was cut off may still be at work in the shop's server: it is not looked for as lost before so many first pauses
/// of a failed request have passed, 10 seconds by default. Rehearsals that shorten the one shorten the other.
const SETTLE_PAUSES: u32 = 10;

/// How often an attempt reads the channel again after its writes, to see them arrive.
const ROUNDS: usize = 3;

/// How long the channel may leave unseen what it took before the merchant is told.
const UNSEEN: TimeDelta = TimeDelta::minutes(90);

/// What a write is known by among those of its row: the same goal is always made of the same writes.
fn mark(write: &Write) -> String {
    let digest = Sha256::digest(write.content.to_string());
    digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the channel took this write before. Books of the first version only hold its words.
fn is_acknowledged(write: &Write, acknowledged: &[String]) -> bool {
    let (mark, words) = (mark(write), format!("doing {}", write.summary));
    acknowledged.iter().any(|known| *known == mark || *known == words)
}

/// What became of one row in one attempt.
#[derive(Debug)]
pub enum Outcome {
    /// Read back from the channel; `wrote` tells whether this attempt had to write anything.
    Confirmed {
        /// The writes made, in words. Empty: it was there already (PRODUCT.md D-4).
        wrote: Vec<String>,
    },
    /// Tried again by itself; the error says why it is not there yet.
    Waiting(Error),
    /// Tried again by itself: the channel is at work on it, or not ready for it. Says nothing of the other rows.
    Pending(Error),
    /// Stopped for good: refused by the channel or by a guard.
    Refused(Error),
}

/// Pushes every row of the store whose time has come (`all`: every open row), each once. A row that fails costs that row; an error that holds
/// for the whole store (credentials, network) ends the export and is returned.
pub fn export_due(
    context: &Context,
    book: &mut Book,
    open: &OpenStore,
    all: bool,
    exports: &mut Exports,
) -> Result<()> {
    let mut tried = BTreeSet::new();
    loop {
        // The rows of an order go out one after the other: the next one is due when the one before it is settled.
        let mut due = book.due(open.store.id, context.clock.now(), all)?;
        due.retain(|row| tried.insert(row.id));
        if due.is_empty() {
            return Ok(());
        }
        for row in due {
            context.clock.check_interrupt()?;
            match push(context, book, open, &row, None)? {
                Outcome::Confirmed { .. } => exports.confirmed += 1,
                Outcome::Refused(_) => exports.refused += 1,
                Outcome::Pending(_) => exports.waiting += 1,
                Outcome::Waiting(error) => {
                    exports.waiting += 1;
                    if !matches!(error.kind(), ErrorKind::Unknown | ErrorKind::Unreadable) {
                        return Err(error);
                    }
                }
            }
        }
    }
}

/// One attempt at one row. `seen` is what was read at the channel just now, where the caller has read it.
///
/// # Errors
/// Only the book's own; what the channel does wrong is an [`Outcome`].
pub fn push(
    context: &Context,
    book: &mut Book,
    open: &OpenStore,
    row: &OutboxRow,
    seen: Option<Seen>,
) -> Result<Outcome> {
    let attempt = Attempt { context, open, row };
    match attempt.run(book, seen) {
        Ok(outcome) => Ok(outcome),
        Err(error) => attempt.failed(book, error),
    }
}

struct Attempt<'a> {
    context: &'a Context,
    open: &'a OpenStore,
    row: &'a OutboxRow,
}

impl Attempt<'_> {
    fn run(&self, book: &mut Book, seen: Option<Seen>) -> Result<Outcome> {
        let mut receipts = self.row.receipts.clone();
        let mut seen = match seen {
            // What looked like this row's before it was recorded may have become another's since.
            Some(seen) if seen.missing.adopted.is_empty() => seen,
            _ => match self.look(book, &mut receipts)? {
                Look::Clear(seen) => *seen,
                Look::Stopped(stop) => return self.refuse(book, stop.review.error),
            },
        };
        if self.may_still_be_at_work() && !seen.missing.writes.is_empty() {
            self.sit_out()?;
            seen = match self.look(book, &mut receipts)? {
                Look::Clear(seen) => *seen,
                Look::Stopped(stop) => return self.refuse(book, stop.review.error),
            };
        }
        let mut wrote = Vec::new();
        let mut acknowledged = self.row.acknowledged.clone();
        for _ in 0..ROUNDS {
            if seen.missing.is_nothing() {
                return self.confirm(book, &seen, wrote);
            }
            let mut open: Vec<&Write> =
                seen.missing.writes.iter().filter(|write| !is_acknowledged(write, &acknowledged)).collect();
            if self.may_be_the_lost_one(book, &seen, &receipts)? {
                open.clear();
            }
            for write in &open {
                receipts.extend(self.apply(book, write)?);
                acknowledged.push(mark(write));
                wrote.push(write.summary.clone());
            }
            if let Some(pause) = seen.missing.wait {
                self.context.clock.sleep(pause.min(Duration::from_secs(8)))?;
            } else if open.is_empty() {
                // A cache or a replica that lags behind shows it in a moment.
                self.context.clock.sleep(self.context.patience.first_pause)?;
            }
            seen = self.look_on(book, &mut receipts)?;
        }
        if seen.missing.is_nothing() {
            return self.confirm(book, &seen, wrote);
        }
        let state = self.state_after_nothing_new(book)?;
        let text = match state {
            OutboxState::Sent => {
                "the channel took the write but does not show it yet; it is looked for and not made again"
            }
            OutboxState::Queued => "the channel is not ready to take it yet; nothing was written",
            _ => "the channel does not show yet whether an earlier attempt was carried out; nothing more was written",
        };
        let error = Error::new(ErrorKind::Temporary, text).hint("the next sync looks again by itself");
        book.settle(self.row.id, state, Some(&error), Some(self.next_try()), None)?;
        if state == OutboxState::Sent {
            self.tell_if_unseen(book)?;
        }
        Ok(Outcome::Pending(error))
    }

    /// What the channel took and has not shown for so long is not coming by itself.
    fn tell_if_unseen(&self, book: &mut Book) -> Result<()> {
        let taken = self.row.attempted_at.filter(|at| self.context.clock.now() - *at > UNSEEN);
        let Some(taken) = taken else { return Ok(()) };
        let (goal, order) = (self.row.goal.word(), self.row.order_id);
        let note = InboxNote {
            kind: "unseen",
            text: format!(
                "the channel took the {goal} of order {order} at {} and does not show it; it is looked for and not made again",
                crate::clock::rfc3339(taken)
            ),
            hint: format!(
                "look at the order in the channel's own pages; ordersync retry book:{order} looks again, and with --again makes it again"
            ),
        };
        book.tell_of_row(self.row, &note)
    }

    /// Reads the channel; `receipts` are those of earlier attempts and of the writes that this one has made. What is found to be the
    /// row's own is added to them: two rows may be alike to the letter, and what one has found is not there for the other.
    fn look(&self, book: &mut Book, receipts: &mut Vec<String>) -> Result<Look> {
        let row = self.row;
        let task = self.task(book, receipts)?;
        let act = Act { order: row.order_id, task: &task, leave: row.leave, tried: row.attempts > 0 };
        let look = guard::look(book, self.open, &act)?;
        match &look {
            Look::Clear(seen) => self.own(book, &seen.missing.adopted, receipts)?,
            Look::Stopped(stop) => self.own(book, &stop.adopted, receipts)?,
        }
        Ok(look)
    }

    /// Looks again after this attempt's own writes: they are what changed.
    fn look_on(&self, book: &mut Book, receipts: &mut Vec<String>) -> Result<Seen> {
        let task = self.task(book, receipts)?;
        let now = guard::read(self.open, &task.remote_id)?;
        let missing = guard::missing(self.open, &task, &now)?;
        self.own(book, &missing.adopted, receipts)?;
        Ok(Seen { now, missing })
    }

    fn task(&self, book: &Book, receipts: &[String]) -> Result<Task> {
        let row = self.row;
        Ok(Task {
            remote_id: row.remote_id.clone(),
            goal: row.goal.clone(),
            receipts: receipts.to_vec(),
            taken: book.taken(row.order_id, &row.goal, Some(row.id))?,
        })
    }

    fn own(&self, book: &mut Book, adopted: &[String], receipts: &mut Vec<String>) -> Result<()> {
        let found: Vec<String> = adopted.iter().filter(|id| !receipts.contains(id)).cloned().collect();
        if !found.is_empty() {
            book.own(self.row.id, &found)?;
            receipts.extend(found);
        }
        Ok(())
    }

    /// Whether the answer to an earlier attempt was lost.
    fn may_have_arrived(&self) -> bool {
        matches!(self.row.state, OutboxState::Sending | OutboxState::Unknown)
    }

    /// Whether more is shipped there than the merchant knows of, of which nothing tells whose it is: it may be what the lost answer was
    /// to, and a list that lags behind does not show it yet. It is not made again on a guess.
    fn may_be_the_lost_one(&self, book: &Book, seen: &Seen, receipts: &[String]) -> Result<bool> {
        let dispatch = matches!(self.row.goal, Goal::Dispatched(_));
        if !dispatch || !self.may_have_arrived() || !receipts.is_empty() || !seen.missing.adopted.is_empty() {
            return Ok(false);
        }
        let (Ok(now), Some(document)) = (&seen.now.order, book.base_document(self.row.order_id)?) else {
            return Ok(false);
        };
        let base = self.open.channel.read(&document)?;
        Ok(differences(&base, now).iter().any(|difference| difference.aspect == Aspect::Shipped))
    }

    /// Whether an earlier attempt was cut off so recently that the shop may still be carrying it out.
    fn may_still_be_at_work(&self) -> bool {
        self.may_have_arrived() && self.settles_in() > Duration::ZERO
    }

    fn settles_in(&self) -> Duration {
        let Some(attempted) = self.row.attempted_at else { return Duration::ZERO };
        let settle = self.context.patience.first_pause * SETTLE_PAUSES;
        let settled = attempted + settle;
        (settled - self.context.clock.now()).to_std().unwrap_or(Duration::ZERO).min(settle)
    }

    fn sit_out(&self) -> Result<()> {
        self.context.clock.sleep(self.settles_in())
    }

    fn apply(&self, book: &mut Book, write: &Write) -> Result<Option<String>> {
        crash::point("before-sending");
        book.sending(self.row.id, &write.summary)?;
        crash::point("before-write");
        let receipt = match self.open.channel.apply(write) {
            // That the same is refused a second time does not say that the first one came to nothing: it may be the reason.
            Err(error) if error.kind() == ErrorKind::Rejected && self.may_have_arrived() => None,
            Err(error) if error.kind() != ErrorKind::Unknown => {
                book.not_applied(self.row.id)?;
                return Err(error);
            }
            other => other?,
        };
        crash::point("after-write");
        book.took(self.row.id, &mark(write), receipt.as_deref())?;
        crash::point("after-sent");
        Ok(receipt)
    }

    /// Confirmed: the version that shows our write becomes the merchant's, unless something else changed in it as well.
    fn confirm(&self, book: &mut Book, seen: &Seen, wrote: Vec<String>) -> Result<Outcome> {
        crash::point("before-confirm");
        let only_ours = match (&seen.now.order, book.base_document(self.row.order_id)?) {
            (Ok(now), Some(document)) => {
                let base = self.open.channel.read(&document)?;
                let known = differences(&base, now).iter().all(|d| explained(&self.row.goal, d.aspect));
                known && same_beside(&base, now)
            }
            _ => false,
        };
        book.confirm(self.row.id, &seen.now, only_ours)?;
        crash::point("after-confirm");
        Ok(Outcome::Confirmed { wrote })
    }

    fn refuse(&self, book: &mut Book, error: Error) -> Result<Outcome> {
        // A part of a dispatch may be at the channel already (another location's parcel). A cancellation is all or nothing: its receipt is a job's.
        let written = matches!(self.row.goal, Goal::Dispatched(_))
            && book.outbox_row(self.row.id)?.is_some_and(|row| !row.receipts.is_empty());
        let what = if written { "went out in part at least; nothing more was sent" } else { "did not go out" };
        let note = InboxNote {
            kind: "rejected",
            text: format!("the {} of order {} {what}: {error}", self.row.goal.word(), self.row.order_id),
            hint: error
                .hint_text()
                .map_or_else(|| format!("ordersync retry book:{}", self.row.order_id), str::to_owned),
        };
        book.refuse(self.row.id, &error, &note)?;
        Ok(Outcome::Refused(error))
    }

    /// Sorts an error of the channel into the row's next state.
    fn failed(&self, book: &mut Book, error: Error) -> Result<Outcome> {
        let next_at = Some(self.next_try());
        match error.kind() {
            ErrorKind::Book | ErrorKind::Interrupted => return Err(error),
            ErrorKind::Rejected
            | ErrorKind::Refused
            | ErrorKind::Unsupported
            | ErrorKind::NotFound
            | ErrorKind::Usage => {
                return self.refuse(book, error);
            }
            ErrorKind::Unknown => book.settle(self.row.id, OutboxState::Unknown, Some(&error), next_at, None)?,
            _ => {
                let state = self.state_after_nothing_new(book)?;
                // Of a channel that was not to be reached the next sync may know better: nothing is put off.
                let put_off = state != OutboxState::Queued || error.kind() != ErrorKind::Temporary;
                book.settle(self.row.id, state, Some(&error), next_at.filter(|_| put_off), None)?;
            }
        }
        Ok(Outcome::Waiting(error))
    }

    /// The state of a row whose attempt ended without a confirmation, before, between or after its writes.
    /// What may have been written before stays to be looked for.
    fn state_after_nothing_new(&self, book: &Book) -> Result<OutboxState> {
        let state = book.outbox_row(self.row.id)?.map_or(self.row.state, |row| row.state);
        Ok(match state {
            OutboxState::Sent => OutboxState::Sent,
            // The one write in flight was surely not applied, but an attempt before it may have been.
            OutboxState::Sending if self.row.state == OutboxState::Queued => OutboxState::Queued,
            OutboxState::Queued => OutboxState::Queued,
            _ => OutboxState::Unknown,
        })
    }

    /// Back-off: 1, 2, 4 ... minutes, at most 30, so that every row is tried at least at every half-hourly sync (PRODUCT.md D-7). What the
    /// channel took is only looked for, so the pauses may grow.
    fn next_try(&self) -> Timestamp {
        if !self.row.acknowledged.is_empty() {
            let minutes = 1i64 << self.row.looks.min(9);
            return self.context.clock.now() + TimeDelta::minutes(minutes.min(360));
        }
        let minutes = 1i64 << self.row.attempts.min(5);
        self.context.clock.now() + TimeDelta::minutes(minutes.min(25))
    }
}

/// Whether reaching the goal changes this aspect of the order by itself.
fn explained(goal: &Goal, aspect: Aspect) -> bool {
    match goal {
        Goal::Dispatched(_) | Goal::Retracked(_) => matches!(aspect, Aspect::Shipped | Aspect::Payment | Aspect::Other),
        Goal::Cancelled(_) => !matches!(aspect, Aspect::Address),
    }
}
