//! Export: the outbox, row by row, until each is confirmed or refused.
//!
//! A row states a goal. Every attempt reads the channel first and writes only what is missing
//! there, so an attempt whose answer was lost, or whose process was killed, is looked for and not
//! repeated (D-3). The mark `sending` is durable before a write goes out; a row found in it by the
//! next process is treated as `unknown`. A write that was turned down is looked for within the
//! attempt: a shop may do the work, and a limit, a proxy or a plugin of it answer for it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;

use super::Context;
use super::echo::is_echo;
use super::goes_by::Versions;
use super::guard::{self, Act, Look, Seen};
use super::outstanding::{self, Outstanding};
use super::report::Exports;
use super::store::OpenStore;
use super::versions::{kept_beside, makes_status};
use super::wishes::{flags, instead, wishes};
use crate::book::{Beside, Book, Guard, InboxKind, InboxNote, OutboxRow, OutboxState, Sending};
use crate::channel::{Goal, RemoteOrder, Task, Write};
use crate::clock::Timestamp;
use crate::crash;
use crate::error::{Answer, Error, ErrorKind, Result};
use crate::order::sums::balanced_copy;
use crate::order::{Difference, Field, differences, trackings};

/// A write that was cut off may still be at work in the shop's server, long after a proxy before it
/// has given up (Magento sends its mails before it commits, and its own example of a server waits 600
/// seconds): it is not made again before so many first pauses of a failed request have passed, 11
/// minutes by default. Rehearsals that shorten the one shorten the other.
const SETTLE_PAUSES: u32 = 660;

/// How often an attempt reads the channel again after its writes, to see them arrive.
const ROUNDS: usize = 3;

/// How many answers to a row may be lost before nothing more is written for it without the
/// merchant: each may have told the buyer.
const LOST_ANSWERS: u32 = 4;

/// How often, and after how many first pauses of a failed request each, it is looked again for a
/// write that was asked to come again later, before it does: a list that lags behind, or a job that
/// the channel does it by, shows it in a few seconds, and the buyer is told once.
const LAGS: [u32; 3] = [1, 2, 5];

/// The longest pause within an attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// The kind of inbox entry for what a channel took, or may have taken, and does not show.
const UNSEEN_NOTE: InboxKind = InboxKind::Unseen;

/// How long the channel may leave unseen what it took before the merchant is told.
const UNSEEN: TimeDelta = TimeDelta::minutes(90);

/// Whether the channel took this write before. Books of the first version only hold its words.
fn is_acknowledged(write: &Write, acknowledged: &[String]) -> bool {
    let words = format!("doing {}", write.summary);
    acknowledged.iter().any(|known| *known == write.mark || *known == words)
}

/// What became of one row in one attempt.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Read back from the channel; `wrote` tells whether this attempt had to write anything.
    Confirmed {
        /// The writes made, in words. Empty: it was there already (D-4).
        wrote: Vec<String>,
    },
    /// The goal is reached, and not all that was wished with it is known to be done: the error says
    /// what is left to the merchant.
    Unheard(Error),
    /// Tried again by itself; the error says why it is not there yet.
    Waiting(Error),
    /// Tried again by itself: the channel is at work on it, or not ready for it. Says nothing of
    /// the other rows.
    Pending(Error),
    /// Stopped for good: refused by the channel or by a guard.
    Refused(Error),
    /// The merchant has taken it back meanwhile; nothing of it went out.
    TakenBack,
}

/// Pushes every row of the store whose time has come (`all`: every open row), each once. A row that
/// fails costs that row; an error that holds for the whole store (credentials, network) ends the
/// export and is returned. Whether a server's error is about the store or about the one order shows
/// with the next order: where that gets on, the first one waits for its next turn and holds nobody
/// up.
pub(crate) fn export_due(
    context: &Context,
    book: &mut Book,
    open: &OpenStore,
    all: bool,
    exports: &mut Exports,
) -> Result<()> {
    let mut tried = BTreeSet::new();
    let mut stuck: Option<(OutboxRow, Error)> = None;
    loop {
        // The rows of an order go out one after the other: the next one is due when the one before
        // it is settled.
        let mut due = book.due(open.store.id, context.clock.now(), all)?;
        due.retain(|row| tried.insert(row.id));
        if due.is_empty() {
            return stuck.map_or(Ok(()), |(_, error)| Err(error));
        }
        for row in due {
            context.clock.check_interrupt()?;
            let outcome = push(context, book, open, &row, None)?;
            if !matches!(outcome, Outcome::Waiting(_) | Outcome::TakenBack)
                && let Some((row, _)) = stuck.take()
            {
                book.put_off(row.id, context.clock.now() + back_off(row.attempts.saturating_add(1)))?;
            }
            exports.count(row.id, &outcome);
            if let Outcome::Waiting(error) = outcome {
                match error.kind() {
                    ErrorKind::Unknown | ErrorKind::Unreadable => {}
                    ErrorKind::Temporary if stuck.is_none() => stuck = Some((row, error)),
                    _ => return Err(error),
                }
            }
        }
    }
}

/// One attempt at one row. `seen` is what was read at the channel just now, where the caller has
/// read it.
///
/// # Errors
/// Only the book's own; what the channel does wrong is an [`Outcome`].
pub(crate) fn push(
    context: &Context,
    book: &mut Book,
    open: &OpenStore,
    row: &OutboxRow,
    seen: Option<Seen>,
) -> Result<Outcome> {
    // It may have been taken back since the caller has read it.
    let Some(row) = book.outbox_row(row.id)?.filter(|row| row.state.is_open()) else {
        return Ok(Outcome::TakenBack);
    };
    let attempt = Attempt {
        context,
        open,
        row: &row,
        told: Cell::new(false),
        turned_away: Cell::new(0),
        found: Cell::new(false),
        unsure: Cell::new(false),
        untold: RefCell::default(),
        short: RefCell::default(),
        replaced: Cell::new(false),
    };
    let pushed = attempt.run(book, seen).or_else(|error| attempt.failed(book, error));
    pushed.map_err(|error| attempt.after_telling(error))
}

/// What became of one write.
enum Applied {
    /// The channel took it; with its receipt, where it gives one.
    Took(Option<String>),
    /// The channel answered that it does not do it.
    TurnedDown(Error),
    /// It did not go out: the merchant has taken the row back.
    TakenBack,
    /// It did not go out: the merchant holds the order back.
    Held(Error),
}

/// How an attempt goes on after its writes.
enum Then {
    /// It is over.
    Over(Outcome),
    /// The channel is looked at again.
    Look,
    /// It was looked at since, the order's last event being this.
    Looked(Box<Seen>, Option<i64>),
    /// The order has changed since it was looked at, and nothing has gone out in this attempt.
    Overtaken,
}

/// 1, 2, 4 ... minutes, at most 25, so that every row is tried at least at every half-hourly sync
/// (D-7).
fn back_off(attempts: u32) -> TimeDelta {
    TimeDelta::minutes((1i64 << attempts.min(5)).min(25))
}

/// What is known of a row's writes: from earlier attempts, and from this one.
struct Known {
    /// The channel's ids of what is the row's.
    receipts: Vec<String>,
    /// The marks of the writes that the channel took.
    acknowledged: Vec<String>,
}

/// How the merchant learns at once what became of a write; a sync waits for the row's time.
fn looks_now(order: i64) -> String {
    format!("ordersync retry book:{order} looks at the channel now; the next syncs do so by themselves")
}

/// Where the merchant is to look before a write is made again.
fn again_where_it_is_not(order: i64) -> String {
    format!(
        "look at the order in the channel's own pages; ordersync retry book:{order} --again makes it again where it is not there"
    )
}

struct Attempt<'a> {
    context: &'a Context,
    open: &'a OpenStore,
    row: &'a OutboxRow,
    /// A write of it has gone out.
    told: Cell<bool>,
    /// How many of its writes were turned down.
    turned_away: Cell<u32>,
    /// The write whose answer was lost is there: nothing of the row is in doubt any more.
    found: Cell<bool>,
    /// One of these was there all the same, by whoever's hand.
    unsure: Cell<bool>,
    /// A write of which nothing shows whether it was made, and why that is not known.
    untold: RefCell<Option<Error>>,
    /// The channel took these writes of it, and its answers do not show what they were for.
    short: RefCell<Vec<Error>>,
    /// One of its writes has replaced a cancellation at the channel.
    replaced: Cell<bool>,
}

impl Attempt<'_> {
    fn run(&self, book: &mut Book, seen: Option<Seen>) -> Result<Outcome> {
        let mut known = Known { receipts: self.row.receipts.clone(), acknowledged: self.row.acknowledged.clone() };
        let (mut seen, mut event) = match self.begin(book, seen, &mut known)? {
            (Look::Clear(seen), event) => (*seen, event),
            (Look::Stopped(stop), _) => return self.stop(book, *stop),
        };
        let (mut wrote, mut rounds) = (Vec::new(), 0);
        while rounds < ROUNDS {
            if self.would_repeat(&seen) {
                return self.still_at_work(book);
            }
            if !seen.missing.is_nothing() {
                match self.write(book, &seen, &mut known, &mut wrote)? {
                    Then::Over(outcome) => return Ok(outcome),
                    Then::Looked(now, at) => {
                        (seen, event) = (*now, at);
                        continue;
                    }
                    Then::Overtaken => {
                        event = book.last_event(self.row.order_id)?;
                        seen = match self.look(book, &mut known)? {
                            Look::Clear(seen) => *seen,
                            Look::Stopped(stop) => return self.stop(book, *stop),
                        };
                        rounds += 1;
                        continue;
                    }
                    Then::Look => {}
                }
            } else if self.confirm(book, &seen, event, &wrote)? {
                return Ok(self.reached(&seen, wrote));
            } else if !book.outbox_row(self.row.id)?.is_some_and(|row| row.state.is_open()) {
                return Ok(Outcome::TakenBack);
            }
            // Also where something else has happened to the order since it was read: as it is now
            // is what counts.
            event = book.last_event(self.row.order_id)?;
            seen = self.look_on(book, &mut known)?;
            rounds += 1;
        }
        if seen.missing.is_nothing() && self.confirm(book, &seen, event, &wrote)? {
            return Ok(self.reached(&seen, wrote));
        }
        self.unfinished(book)
    }

    /// The look before anything is written, and the order's last event at that time.
    fn begin(&self, book: &mut Book, seen: Option<Seen>, known: &mut Known) -> Result<(Look, Option<i64>)> {
        let event = book.last_event(self.row.order_id)?;
        // What looked like this row's before it was recorded may have become another's since.
        let look = match seen.filter(|seen| seen.missing.claimed.is_empty()) {
            Some(seen) => Look::Clear(Box::new(seen)),
            None => self.look(book, known)?,
        };
        let repeats = matches!(&look, Look::Clear(seen) if self.would_repeat(seen));
        if !repeats || self.settles_in() > LONGEST_WAIT {
            return Ok((look, event));
        }
        // A clock may wake early.
        self.context.clock.sleep(self.settles_in() + Duration::from_millis(5))?;
        let event = book.last_event(self.row.order_id)?;
        Ok((self.look(book, known)?, event))
    }

    /// Takes note of a look before the attempt's own writes: what became of a write whose answer was
    /// lost shows in it.
    fn looked(&self, seen: &Seen, known: &Known) {
        if !self.told.get() && self.is_lost() {
            self.found.set(self.shows_the_lost_one(seen, &known.acknowledged));
        }
    }

    /// Whether the write whose answer was lost is there, and what is missing is only what was to come
    /// behind it. A dispatch can be cut into other writes from one look to the next, so of that more
    /// must be there than its other writes account for.
    fn shows_the_lost_one(&self, seen: &Seen, acknowledged: &[String]) -> bool {
        let missing = &seen.missing;
        let is_missing = missing.writes.iter().any(|write| write.summary == self.row.doing);
        let accounts = match self.row.goal {
            Goal::Dispatched(_) => missing.is_all_there || missing.claimed.len() > acknowledged.len(),
            Goal::Retracked(_) | Goal::Cancelled(_) => true,
        };
        !is_missing && accounts && !missing.writes.is_empty()
    }

    /// Whether an earlier attempt was cut off so recently that the shop may still be carrying out
    /// what is missing there.
    fn would_repeat(&self, seen: &Seen) -> bool {
        let is_first = !self.told.get() && !seen.missing.writes.is_empty();
        is_first && self.may_have_arrived() && self.settles_in() > Duration::ZERO
    }

    /// It is too early to make a write again.
    fn still_at_work(&self, book: &mut Book) -> Result<Outcome> {
        let (goal, order) = (self.row.goal.word(), self.row.order_id);
        let at = self.context.clock.now() + self.settles_in();
        let text = format!(
            "what became of the {goal} of order {order} a moment ago is not known, and the channel may still be carrying it out; it \
             does not show it yet, and nothing was written again"
        );
        let hint = format!(
            "ordersync retry book:{order} from {} on looks again, as the next sync does by itself; nothing is made twice meanwhile",
            crate::clock::rfc3339(at)
        );
        let error = Error::new(ErrorKind::Temporary, text).hint(hint);
        book.settle(self.row.id, OutboxState::Unknown, Some(&error), Some(at), None)?;
        Ok(Outcome::Pending(error))
    }

    /// Makes the writes that are missing, as far as nothing speaks against it, and waits until they
    /// can be seen.
    fn write(&self, book: &mut Book, seen: &Seen, known: &mut Known, wrote: &mut Vec<String>) -> Result<Then> {
        let mut open: Vec<&Write> =
            seen.missing.writes.iter().filter(|write| !is_acknowledged(write, &known.acknowledged)).collect();
        if !open.is_empty() && self.is_lost_again() {
            self.tell_of_silence(book)?;
            open.clear();
        } else if self.may_be_the_lost_one(book, seen, &known.receipts)? {
            self.tell_of_doubt(book)?;
            open.clear();
        } else if self.was_turned_down() && !open.is_empty() {
            book.not_applied(self.row.id)?;
        }
        // After this attempt's own writes nobody else has looked.
        if let Some(error) = guard::too_many(self.row.order_id, &seen.missing).filter(|_| !open.is_empty()) {
            return Err(error);
        }
        let task = self.task(book, &known.receipts)?;
        for (nth, write) in open.iter().enumerate() {
            if nth > 0 {
                let now = guard::read(self.open, &task.remote_id)?;
                if guard::forbids_more(self.open, &self.act(&task), &now)?.is_some() {
                    // What is missing after that shows when all of it is looked at again.
                    return Ok(Then::Look);
                }
            } else if let Some(error) = guard::forbids_more(self.open, &self.act(&task), &seen.now)? {
                return Err(error);
            }
            if self.open.channel.is_overtaken(write)? {
                return Ok(if self.told.get() { Then::Look } else { Then::Overtaken });
            }
            match self.apply(book, write)? {
                Applied::TakenBack => return Ok(Then::Over(Outcome::TakenBack)),
                Applied::Held(error) => return Ok(Then::Over(Outcome::Pending(error))),
                Applied::TurnedDown(error) => return self.turned_down(book, write, seen, error, known, wrote),
                Applied::Took(receipt) => known.receipts.extend(receipt),
            }
            known.acknowledged.push(write.mark.clone());
            wrote.push(write.summary.clone());
        }
        if let Some(pause) = seen.missing.wait {
            self.context.clock.sleep(pause.min(LONGEST_WAIT))?;
        } else if open.is_empty() {
            // A cache or a replica that lags behind shows it in a moment.
            self.context.clock.sleep(self.context.retry.first_pause)?;
        }
        Ok(Then::Look)
    }

    /// What became of a write of which the channel says that it does not do it shows there and
    /// nowhere else (D-4). What is there was done; what is not, and was not refused for good, is made
    /// again, once it had the time to show.
    fn turned_down(
        &self,
        book: &mut Book,
        write: &Write,
        before: &Seen,
        error: Error,
        known: &mut Known,
        wrote: &mut Vec<String>,
    ) -> Result<Then> {
        if write.is_traceless {
            let doubt = self.doubt_of(write, &error.unclaimed());
            // It is told before the row says that it is made: this attempt may end before its goal.
            let hint = doubt.hint_text().unwrap_or_default().to_owned();
            self.tell(book, InboxKind::Unheard, doubt.message().to_owned(), hint)?;
            book.took(self.row.id, &write.mark, None)?;
            known.acknowledged.push(write.mark.clone());
            return Ok(Then::Look);
        }
        let times = self.turned_away.get().saturating_add(1);
        self.turned_away.set(times);
        let among = |writes: &[Write], one: &Write| writes.iter().any(|other| other.mark == one.mark);
        let is_throttled = error.answer() == Some(Answer::NotNow) && error.kind() == ErrorKind::Temporary;
        let mut lags = LAGS.iter().filter(|_| is_throttled);
        let (seen, event) = loop {
            let event = book.last_event(self.row.order_id)?;
            let looked = match wrote.is_empty() {
                true => self.look(book, known),
                false => self.look_on(book, known).map(|seen| Look::Clear(Box::new(seen))),
            };
            let seen = match looked {
                Ok(Look::Clear(seen)) => seen,
                Ok(Look::Stopped(stop)) => {
                    let is_absent = self.shows_nothing(book, &stop, known)?;
                    if let Some(pauses) = lags.next().filter(|_| is_absent) {
                        self.pause(*pauses)?;
                        continue;
                    }
                    return self.stop_absent(book, *stop, is_absent).map(Then::Over);
                }
                Err(why) if matches!(why.kind(), ErrorKind::Book | ErrorKind::Interrupted) => return Err(why),
                Err(why) => return Err(self.not_looked_for(error, why)),
            };
            match lags.next() {
                Some(pauses) if among(&seen.missing.writes, write) => self.pause(*pauses)?,
                _ => break (seen, event),
            }
        };
        let missing = &seen.missing.writes;
        let is_missing = among(missing, write);
        // Others may have changed what is missing.
        if !is_missing && missing.iter().all(|one| among(&before.missing.writes, one)) {
            self.unsure.set(true);
            book.took(self.row.id, &write.mark, None)?;
            known.acknowledged.push(write.mark.clone());
            wrote.push(write.summary.clone());
            return Ok(Then::Looked(seen, event));
        }
        // That the same is refused a second time does not say that the first one came to nothing: it
        // may be the reason.
        if self.may_have_arrived() && error.kind() == ErrorKind::Rejected {
            book.refused_repeat(self.row.id, &write.mark)?;
            return self.doubt(book, error).map(Then::Over);
        }
        if is_missing {
            book.not_applied(self.row.id)?;
        }
        let is_over = is_missing && error.answer() != Some(Answer::NotNow);
        if !is_over && times <= self.context.retry.repeats {
            return Ok(Then::Looked(seen, event));
        }
        Err(error.unclaimed().adding("it was looked for at the channel then, and is not there"))
    }

    /// So many first pauses of a failed request.
    fn pause(&self, pauses: u32) -> Result<()> {
        self.context.clock.sleep(self.context.retry.first_pause.saturating_mul(pauses).min(LONGEST_WAIT))
    }

    /// Whether nothing of a dispatch that is stopped is at the channel.
    fn shows_nothing(&self, book: &Book, stop: &guard::Stop, known: &Known) -> Result<bool> {
        let task = self.task(book, &known.receipts)?;
        match outstanding::shows_nothing(self.open.channel.as_ref(), &task, &stop.now) {
            Err(error) if !matches!(error.kind(), ErrorKind::Book | ErrorKind::Interrupted) => Ok(false),
            other => other,
        }
    }

    /// A guard stops it behind a write that was turned down. Where the channel shows nothing of it,
    /// it was not carried out.
    fn stop_absent(&self, book: &mut Book, mut stop: guard::Stop, is_absent: bool) -> Result<Outcome> {
        if is_absent {
            book.not_applied(self.row.id)?;
            stop.review.error = stop.review.error.adding("the channel turned it down before, and shows nothing of it");
        }
        self.stop(book, stop)
    }

    /// What nothing at the channel shows is made once all else is there, if a write of this row has
    /// made it so, and once only: where an answer to it was lost, the merchant is told.
    fn with_traceless(&self, mut missing: Outstanding, known: &Known) -> Outstanding {
        let is_begun = self.row.may_be_there || self.told.get();
        for write in std::mem::take(&mut missing.traceless) {
            if !is_begun || known.acknowledged.contains(&write.mark) {
                continue;
            }
            if self.may_have_arrived() && self.row.doing == write.summary {
                self.doubt_of(&write, &Error::new(ErrorKind::Unknown, "its answer was lost"));
            } else {
                missing.writes.push(write);
            }
        }
        missing
    }

    fn doubt_of(&self, write: &Write, why: &Error) -> Error {
        let order = self.row.order_id;
        let text = format!(
            "order {order} is at the channel as it is to be; whether the last of it was done is not known: {} ({})",
            write.summary,
            why.message()
        );
        let hint = "it is not made again by itself; look in the channel's own pages, and do it there if it is missing";
        let doubt = Error::new(ErrorKind::Partly, text).hint(hint);
        self.untold.replace(Some(doubt.clone()));
        doubt
    }

    /// What is known of a write that was turned down and could not be looked for.
    fn not_looked_for(&self, error: Error, why: Error) -> Error {
        let (refused, error, why) = (error.kind() == ErrorKind::Rejected, error.unclaimed(), why.unclaimed());
        // What the order is like by now tells why it was.
        if guard::is_about_the_order(&why) {
            return why.context(error.message());
        }
        let error = error.adding(&format!("whether it is there all the same could not be looked up ({why})"));
        if refused { Error::new(ErrorKind::Unknown, error.message()) } else { error }
    }

    /// The attempt is over and the goal is not reached, or not to be seen yet.
    fn unfinished(&self, book: &mut Book) -> Result<Outcome> {
        let state = self.state_after_nothing_new(book)?;
        let text = match state {
            OutboxState::Sent => {
                "the channel took the write but does not show it yet; it is looked for and not made again"
            }
            OutboxState::Queued if self.was_turned_down() => {
                "an earlier attempt was turned down, and the channel does not show yet whether it was carried out; nothing more was written"
            }
            OutboxState::Queued => "the channel is not ready to take it yet; nothing was written",
            _ => "the channel does not show yet whether an earlier attempt was carried out; nothing more was written",
        };
        let error = Error::new(ErrorKind::Temporary, text).hint(looks_now(self.row.order_id));
        let error = self.fell_short().unwrap_or(error);
        book.settle(self.row.id, state, Some(&error), Some(self.next_try()), None)?;
        if state == OutboxState::Sent {
            self.tell_if_unseen(book)?;
        }
        Ok(Outcome::Pending(error))
    }

    /// Tells the merchant of the row, once.
    fn tell(&self, book: &mut Book, kind: InboxKind, text: String, hint: String) -> Result<()> {
        book.tell_of_row(self.row, &InboxNote { kind, text, hint })
    }

    /// Whether the answers to this row's writes are lost again and again, and none of them is
    /// shown.
    fn is_lost_again(&self) -> bool {
        self.may_have_arrived() && self.row.state == OutboxState::Unknown && self.row.looks >= LOST_ANSWERS
    }

    /// What the channel took and does not show, all of it, and what helps besides.
    fn fell_short(&self) -> Option<Error> {
        let short = self.short.borrow();
        let all = short.iter().cloned().reduce(|all, one| {
            let hints = [&all, &one].map(|error| error.hint_text().unwrap_or_default()).join("; ");
            all.adding(one.message()).hint(hints)
        })?;
        let (order, first) = (self.row.order_id, all.hint_text().map_or(String::new(), |hint| format!("{hint}; ")));
        Some(all.hint(format!(
            "{first}ordersync retry book:{order} looks again, as each sync does, and makes nothing again"
        )))
    }

    fn tell_of_silence(&self, book: &mut Book) -> Result<()> {
        let (goal, order) = (self.row.goal.word(), self.row.order_id);
        let text = format!(
            "the channel's answers to the {goal} of order {order} were lost {LOST_ANSWERS} times, and it shows nothing of it; it is looked for and not made again"
        );
        self.tell(book, UNSEEN_NOTE, text, again_where_it_is_not(order))
    }

    /// Whether a write of this dispatch came behind a cancellation that nothing had shown, and the
    /// channel has taken it over that.
    fn has_replaced_cancellation(&self, seen: &Seen) -> Result<bool> {
        let Goal::Dispatched(shipment) = &self.row.goal else { return Ok(false) };
        let is_ours = self.told.get() || self.row.may_be_there;
        if !is_ours || self.row.leave.guard == Guard::Force {
            return Ok(false);
        }
        self.open.channel.has_replaced_cancellation(&seen.now, shipment)
    }

    /// What has changed at the channel between the look and the write: it is too late to stop, and
    /// the merchant may still stop the parcel.
    fn race(&self, changed: &[Difference]) -> Option<InboxNote> {
        if self.replaced.get() {
            let error = self.replaced();
            let hint = error.hint_text().unwrap_or_default().to_owned();
            return Some(InboxNote { kind: InboxKind::Raced, text: error.message().to_owned(), hint });
        }
        let what: Vec<&str> = changed.iter().map(|difference| difference.aspect.word()).collect();
        let is_gone = changed.iter().any(|difference| difference.aspect == Field::Cancelled);
        let is_wanted = match self.row.leave.guard {
            Guard::Check => true,
            Guard::AsLocal => is_gone,
            Guard::Force => false,
        };
        if what.is_empty() || !is_wanted || !matches!(self.row.goal, Goal::Dispatched(_)) {
            return None;
        }
        let order = self.row.order_id;
        let text = format!(
            "order {order} changed at the channel ({}) in the moment in which its dispatch went out: look before the parcel leaves",
            what.join(", ")
        );
        let hint = format!(
            "ordersync show book:{order} has both versions; ordersync accept book:{order} takes over the channel's"
        );
        Some(InboxNote { kind: InboxKind::Raced, text, hint })
    }

    /// What of what was wished is not known to be done.
    fn left_over(&self, seen: &Seen, wrote: &[String]) -> Option<Error> {
        self.untold.borrow().clone().or_else(|| self.unheard(seen, wrote))
    }

    /// What of the wishes with a cancellation the channel has not heard, as far as is known, where
    /// others may have cancelled the order: money that was given back shows in the order.
    fn unheard(&self, seen: &Seen, wrote: &[String]) -> Option<Error> {
        let Goal::Cancelled(wished) = &self.row.goal else { return None };
        if self.row.took || !(wrote.is_empty() || self.unsure.get()) {
            return None;
        }
        let is_back = seen.now.order.as_ref().is_ok_and(|now| now.totals.refunded >= now.totals.total);
        let wishes = wishes(wished.refund && !is_back, wished.notify, wished.restock);
        if wishes.is_empty() {
            return None;
        }
        let (order, flags) = (self.row.order_id, flags(&wishes));
        let may_be_there = self.row.may_be_there || self.unsure.get();
        let text = if may_be_there {
            format!(
                "order {order} is cancelled at the channel, and our answer was lost: whether {flags} was carried out is not known"
            )
        } else {
            format!("order {order} was cancelled at the channel by others; {flags} was not carried out")
        };
        let look = if may_be_there { "look first whether it was: " } else { "" };
        Some(Error::new(ErrorKind::Refused, text).hint(format!("{look}{}", instead(&wishes))))
    }

    fn reached(&self, seen: &Seen, wrote: Vec<String>) -> Outcome {
        let left = self.left_over(seen, &wrote).or_else(|| self.too_late(seen));
        left.map_or(Outcome::Confirmed { wrote }, Outcome::Unheard)
    }

    /// The order was cancelled there while its dispatch went out, and is not any more.
    fn replaced(&self) -> Error {
        let order = self.row.order_id;
        let text = format!(
            "order {order} was cancelled at the channel in the moment in which its dispatch went out, and the dispatch was written over that: it is shipped there now"
        );
        let hint = format!(
            "stop the parcel where you still can; ordersync cancel book:{order} --force cancels the order there again"
        );
        Error::new(ErrorKind::Partly, text).hint(hint)
    }

    /// The order was cancelled there while its dispatch went out.
    fn too_late(&self, seen: &Seen) -> Option<Error> {
        if self.replaced.get() {
            return Some(self.replaced());
        }
        let now = seen.now.order.as_ref().ok().filter(|now| now.is_gone())?;
        let Goal::Dispatched(shipment) = &self.row.goal else { return None };
        if self.row.leave.guard == Guard::Force {
            return None;
        }
        let order = self.row.order_id;
        let there = if shipment.parcels.is_empty() { "the dispatch".to_owned() } else { trackings(&shipment.parcels) };
        let text = format!(
            "order {order} was cancelled at the channel ({}) while its dispatch went out: {there} is there, the order was left as it is",
            now.channel_status
        );
        let hint = format!(
            "stop the parcel where you still can; ordersync accept book:{order} takes over the cancellation, ordersync reject book:{order} keeps the order shipped here"
        );
        Some(Error::new(ErrorKind::Partly, text).hint(hint))
    }

    /// More was shipped at the channel than the merchant knows of, and it may be what the lost
    /// answer was to: only the merchant can tell.
    fn tell_of_doubt(&self, book: &mut Book) -> Result<()> {
        let (goal, order) = (self.row.goal.word(), self.row.order_id);
        let text = format!(
            "the answer to the {goal} of order {order} was lost, and something was shipped there since: it may be that, so nothing more is written"
        );
        let hint = format!(
            "look at the order in the channel's own pages; ordersync accept book:{order} where somebody else shipped it; \
             ordersync retry book:{order} --again makes it again"
        );
        self.tell(book, UNSEEN_NOTE, text, hint)
    }

    /// The channel refuses to take again what may have arrived.
    fn doubt(&self, book: &mut Book, refused: Error) -> Result<Outcome> {
        let (goal, order) = (self.row.goal.word(), self.row.order_id);
        let text = format!(
            "an earlier attempt at the {goal} of order {order} may have arrived, and the channel does not take it again ({}); \
             it is looked for and not made again",
            refused.message()
        );
        let hint = again_where_it_is_not(order);
        self.tell(book, UNSEEN_NOTE, text.clone(), hint.clone())?;
        let error = Error::new(ErrorKind::Unknown, text).hint(hint);
        book.settle(self.row.id, OutboxState::Unknown, Some(&error), Some(self.next_try()), None)?;
        Ok(Outcome::Pending(error))
    }

    /// A guard stops it. Where others have shipped all of it and nothing of ours is there, what the
    /// row holds is given back.
    fn stop(&self, book: &mut Book, stop: guard::Stop) -> Result<Outcome> {
        if stop.moot && self.row.receipts.is_empty() && self.row.acknowledged.is_empty() {
            book.is_not_there(self.row.id)?;
        }
        self.refuse(book, stop.review.error)
    }

    /// What the channel took and has not shown for so long is not coming by itself.
    fn tell_if_unseen(&self, book: &mut Book) -> Result<()> {
        let taken = self.row.attempted_at.filter(|at| self.context.clock.now() - *at > UNSEEN);
        let Some(taken) = taken else { return Ok(()) };
        // What was told when it was taken says more.
        if book.is_told_of(self.row, UNSEEN_NOTE)? {
            return Ok(());
        }
        let (goal, order) = (self.row.goal.word(), self.row.order_id);
        let text = format!(
            "the channel took the {goal} of order {order} at {} and does not show it; it is looked for and not made again",
            crate::clock::rfc3339(taken)
        );
        let hint = format!(
            "look at the order in the channel's own pages; ordersync retry book:{order} looks again, and with --again makes it again"
        );
        self.tell(book, UNSEEN_NOTE, text, hint)
    }

    /// Reads the channel; the receipts are those of earlier attempts and of the writes that this
    /// one has made. What is found to be the row's own is added to them: two rows may be alike to
    /// the letter, and what one has found is not there for the other.
    fn look(&self, book: &mut Book, known: &mut Known) -> Result<Look> {
        let task = self.task(book, &known.receipts)?;
        match guard::look(book, self.open, &self.act(&task))? {
            Look::Clear(seen) => {
                self.own(book, &seen.missing.claimed, known)?;
                let missing = self.with_traceless(seen.missing, known);
                let seen = Seen { missing, ..*seen };
                self.looked(&seen, known);
                Ok(Look::Clear(Box::new(seen)))
            }
            Look::Stopped(stop) => {
                self.own(book, &stop.claimed, known)?;
                Ok(Look::Stopped(stop))
            }
        }
    }

    /// Looks again after this attempt's own writes: they are what changed.
    fn look_on(&self, book: &mut Book, known: &mut Known) -> Result<Seen> {
        let task = self.task(book, &known.receipts)?;
        let now = guard::read(self.open, &task.remote_id)?;
        let missing = guard::missing(self.open, &task, self.row.leave.guard, &now)?;
        self.own(book, &missing.claimed, known)?;
        let missing = if self.is_called_off(&now, &missing, known) {
            Outstanding { claimed: missing.claimed, is_all_there: true, ..Outstanding::default() }
        } else {
            self.with_traceless(missing, known)
        };
        let seen = Seen { now, missing };
        self.looked(&seen, known);
        Ok(seen)
    }

    /// Whether the order was cancelled since the channel took all of a dispatch: what it shows no more
    /// does not come.
    fn is_called_off(&self, now: &RemoteOrder, missing: &Outstanding, known: &Known) -> bool {
        let is_gone = now.order.as_ref().is_ok_and(|order| order.is_gone());
        let is_dispatch = matches!(self.row.goal, Goal::Dispatched(_)) && self.row.leave.guard != Guard::Force;
        let took = missing.writes.iter().all(|write| is_acknowledged(write, &known.acknowledged));
        is_gone && is_dispatch && took && !missing.writes.is_empty()
    }

    /// The act as it stands now, for the guard.
    fn act<'t>(&self, task: &'t Task) -> Act<'t> {
        let (order, leave) = (self.row.order_id, self.row.leave);
        let tried = self.row.may_be_there || self.told.get();
        Act { order, task, leave, tried, took: !self.row.acknowledged.is_empty(), recorded: true }
    }

    fn task(&self, book: &Book, receipts: &[String]) -> Result<Task> {
        let row = self.row;
        Ok(Task {
            remote_id: row.remote_id.clone(),
            goal: row.goal.clone(),
            receipts: receipts.to_vec(),
            others: book.receipts_of_others(row.order_id, &row.goal, Some(row.id))?,
            pieces: book.pieces_besides(row.order_id, Some(row.id))?,
        })
    }

    fn own(&self, book: &mut Book, claimed: &[String], known: &mut Known) -> Result<()> {
        let found: Vec<String> = claimed.iter().filter(|id| !known.receipts.contains(id)).cloned().collect();
        if !found.is_empty() {
            book.own(self.row.id, &found)?;
            known.receipts.extend(found);
        }
        Ok(())
    }

    /// What the merchant goes by.
    fn versions(&self, book: &Book) -> Result<Option<Versions>> {
        Versions::read(book, self.row.order_id, self.open.format.as_ref())
    }

    /// Whether the answer to an earlier attempt was lost.
    fn is_lost(&self) -> bool {
        matches!(self.row.state, OutboxState::Sending | OutboxState::Unknown)
    }

    /// Whether that is so, and what became of it is not known.
    fn may_have_arrived(&self) -> bool {
        self.is_lost() && !self.found.get()
    }

    /// Whether an earlier attempt was turned down and could not be looked for.
    fn was_turned_down(&self) -> bool {
        self.row.state == OutboxState::Queued && self.row.may_be_there
    }

    /// Whether more is shipped there than the merchant knows of, of which nothing tells whose it
    /// is: it may be what the lost answer was to, and a list that lags behind does not show it yet.
    /// It is not made again on a guess.
    fn may_be_the_lost_one(&self, book: &Book, seen: &Seen, receipts: &[String]) -> Result<bool> {
        let dispatch = matches!(self.row.goal, Goal::Dispatched(_));
        let in_doubt = self.may_have_arrived() || self.was_turned_down();
        if !dispatch || !in_doubt || !receipts.is_empty() || !seen.missing.claimed.is_empty() {
            return Ok(false);
        }
        let (Ok(now), Some(versions)) = (&seen.now.order, self.versions(book)?) else {
            return Ok(false);
        };
        Ok(differences(&versions.by, now).iter().any(|difference| difference.aspect == Field::Shipped))
    }

    /// How long the shop may still be carrying out what an earlier attempt has sent.
    fn settles_in(&self) -> Duration {
        let Some(attempted) = self.row.attempted_at else { return Duration::ZERO };
        let settle = self.context.retry.first_pause * SETTLE_PAUSES;
        let settled = attempted + settle;
        (settled - self.context.clock.now()).to_std().unwrap_or(Duration::ZERO).min(settle)
    }

    fn apply(&self, book: &mut Book, write: &Write) -> Result<Applied> {
        crash::point("before-sending");
        match book.sending(self.row.id, &write.summary)? {
            Sending::Begun => {}
            Sending::TakenBack => return Ok(Applied::TakenBack),
            Sending::Held(error) => return Ok(Applied::Held(error)),
        }
        crash::point("before-write");
        self.told.set(true);
        let receipt = match self.open.channel.apply(write) {
            Err(error) if error.answer().is_some() || error.kind() == ErrorKind::Rejected => {
                return Ok(Applied::TurnedDown(error));
            }
            // A list that lags behind may show it yet: it is looked for as anything that was taken.
            Err(error) if error.kind() == ErrorKind::Partly => {
                self.short.borrow_mut().push(error);
                None
            }
            Err(error) if error.kind() != ErrorKind::Unknown => {
                book.not_applied(self.row.id)?;
                return Err(error);
            }
            other => other?,
        };
        crash::point("after-write");
        book.took(self.row.id, &write.mark, receipt.as_deref())?;
        if let Some(error) = self.fell_short() {
            self.tell(book, UNSEEN_NOTE, error.message().to_owned(), error.hint_text().unwrap_or_default().to_owned())?;
        }
        crash::point("after-sent");
        Ok(Applied::Took(receipt))
    }

    /// Confirmed: the version that shows our write becomes the merchant's; where something else changed
    /// in it as well, what is ours of it does, and the rest is kept beside the copy. `false` where the
    /// order is no more what it was at this event.
    fn confirm(&self, book: &mut Book, seen: &Seen, event: Option<i64>, wrote: &[String]) -> Result<bool> {
        self.replaced.set(self.has_replaced_cancellation(seen)?);
        crash::point("before-confirm");
        let (mut raced, mut beside) = (Vec::new(), Some(Beside::default()));
        if let (Ok(now), Some(versions)) = (&seen.now.order, self.versions(book)?) {
            let found = differences(&versions.by, now);
            let receipts = book.outbox_row(self.row.id)?.map(|row| row.receipts).unwrap_or_default();
            let goal = &self.row.goal;
            let is_own = |field| match field {
                Field::Shipped if !matches!(goal, Goal::Cancelled(_)) => is_echo(goal, &receipts, &versions.by, now),
                _ => explained(goal, field),
            };
            let fields = found.iter().map(|found| found.aspect);
            let (own, others): (Vec<Field>, Vec<Field>) = fields.partition(|field| is_own(*field));
            beside = if others.is_empty() {
                None
            } else {
                // What makes the status as well is not to be told apart from it; that the rest of it is
                // held is.
                let is_mixed = |field: &Field| makes_status(*field) && *field != Field::Hold;
                let mut own = if others.iter().any(is_mixed) { Vec::new() } else { own };
                // Some put away what is cancelled, which is no difference of its own beside that.
                if own.contains(&Field::Cancelled) && !own.contains(&Field::Archived) {
                    own.push(Field::Archived);
                }
                let since = book.circumstances(self.row.order_id)?;
                let had = versions.with_own(&own, now);
                let mut kept = kept_beside(&self.open.store, &since, self.row.order_id, &had, now);
                // What a cancellation gave back and took off is in the sums and pieces from now on.
                if own.contains(&Field::Cancelled) {
                    kept.copy.get_or_insert(balanced_copy(had.written));
                }
                Some(Beside { kept, own })
            };
            raced = found;
            raced.retain(|d| matches!(d.aspect, Field::Address | Field::Lines | Field::Cancelled | Field::Refunded));
        }
        let unheard = self.left_over(seen, wrote).map(|error| InboxNote {
            kind: InboxKind::Unheard,
            text: error.message().to_owned(),
            hint: error.hint_text().unwrap_or_default().to_owned(),
        });
        let note = unheard.or_else(|| self.race(&raced));
        let confirmed = book.confirm(self.row.id, event, &seen.now, note.as_ref(), beside.as_ref())?;
        crash::point("after-confirm");
        Ok(confirmed)
    }

    fn refuse(&self, book: &mut Book, error: Error) -> Result<Outcome> {
        // A part of a dispatch may be at the channel already (another location's parcel). A
        // cancellation is all or nothing: its receipt is a job's.
        let row = book.outbox_row(self.row.id)?.filter(|row| matches!(row.goal, Goal::Dispatched(_)));
        let written = row.as_ref().is_some_and(|row| row.took || !row.receipts.is_empty());
        let what = match row {
            Some(_) if written => "went out in part at least; nothing more was sent",
            Some(row) if row.may_be_there => "may have gone out; nothing more was sent",
            _ => "did not go out",
        };
        let order = self.row.order_id;
        // What the channel has no more does not come by itself.
        let gone = error.kind() == ErrorKind::NotFound && error.hint_text().is_none();
        let error = if gone {
            error.hint(format!("ordersync cancel book:{order} --local takes the order out of your work"))
        } else {
            error
        };
        let row = self.row.id.to_string();
        let error = error.rename_in_hint("ROW", &row).rename_in_hint("ORDER", &format!("book:{order}"));
        let hint = error.hint_text().map_or_else(|| format!("ordersync retry book:{order}"), str::to_owned);
        let is_said = hint.contains("--withdraw");
        let rest = format!("{hint}; ordersync outbox --withdraw {row} takes the rest back");
        let note = InboxNote {
            kind: InboxKind::Rejected,
            text: format!("the {} of order {} {what}: {error}", self.row.goal.word(), self.row.order_id),
            hint: if written && !is_said { rest } else { hint },
        };
        book.refuse(self.row.id, &error, &note)?;
        Ok(Outcome::Refused(error))
    }

    /// The book's own error, where the channel was told before: the row stands in the book as one
    /// whose answer was lost (F-4).
    fn after_telling(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Book || !self.told.get() {
            return error;
        }
        let (goal, order) = (self.row.goal.word(), self.row.order_id);
        let text = format!(
            "{}; the {goal} of order {order} had gone out to the channel before that, and the book does not know yet what became of it",
            error.message()
        );
        let first = error.hint_text().map_or(String::new(), |hint| format!("{hint}; then "));
        let hint = format!(
            "{first}ordersync retry book:{order}, or the next sync, looks at the channel before anything is written again"
        );
        Error::new(ErrorKind::Book, text).hint(hint)
    }

    /// Sorts an error of the channel into the row's next state.
    fn failed(&self, book: &mut Book, error: Error) -> Result<Outcome> {
        let next_at = Some(self.next_try());
        if matches!(error.kind(), ErrorKind::Book | ErrorKind::Interrupted) {
            return Err(error);
        }
        let error = match self.fell_short() {
            Some(short) => {
                let hints = [&short, &error].into_iter().filter_map(|error| error.hint_text());
                let hint = hints.collect::<Vec<_>>().join("; ");
                error.adding(short.message()).hint(hint)
            }
            None => error,
        };
        match error.kind() {
            ErrorKind::Rejected
            | ErrorKind::Refused
            | ErrorKind::Unsupported
            | ErrorKind::NotFound
            | ErrorKind::Usage => {
                return self.refuse(book, error);
            }
            ErrorKind::Unknown => {
                let error =
                    if self.short.borrow().is_empty() { error.hint(looks_now(self.row.order_id)) } else { error };
                book.settle(self.row.id, OutboxState::Unknown, Some(&error), next_at, None)?;
                return Ok(Outcome::Waiting(error));
            }
            _ => {
                let state = self.state_after_nothing_new(book)?;
                // Of a channel that was not to be reached the next sync may know better: nothing is
                // put off.
                let put_off = state != OutboxState::Queued || error.kind() != ErrorKind::Temporary;
                book.settle(self.row.id, state, Some(&error), next_at.filter(|_| put_off), None)?;
            }
        }
        Ok(Outcome::Waiting(error))
    }

    /// The state of a row whose attempt ended without a confirmation, before, between or after its
    /// writes. What may have been written before stays to be looked for.
    fn state_after_nothing_new(&self, book: &Book) -> Result<OutboxState> {
        let state = book.outbox_row(self.row.id)?.map_or(self.row.state, |row| row.state);
        Ok(match state {
            OutboxState::Sent => OutboxState::Sent,
            // The one write in flight was surely not applied, but an attempt before it may have
            // been.
            OutboxState::Sending if self.row.state == OutboxState::Queued || self.found.get() => OutboxState::Queued,
            OutboxState::Queued => OutboxState::Queued,
            _ => OutboxState::Unknown,
        })
    }

    /// What the channel took is only looked for, so the pauses may grow.
    fn next_try(&self) -> Timestamp {
        if !self.row.acknowledged.is_empty() {
            let minutes = 1i64 << self.row.looks.min(9);
            return self.context.clock.now() + TimeDelta::minutes(minutes.min(360));
        }
        self.context.clock.now() + back_off(self.row.attempts)
    }
}

/// Whether reaching the goal changes this field of the order by itself. Of what is shipped only a
/// part may be its doing.
fn explained(goal: &Goal, field: Field) -> bool {
    match goal {
        Goal::Dispatched(_) | Goal::Retracked(_) => matches!(field, Field::Shipped | Field::Payment),
        Goal::Cancelled(_) => !matches!(field, Field::Address | Field::Notes | Field::ShipBy),
    }
}
