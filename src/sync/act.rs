//! What dispatch, cancel and retry have in common: the look before an act is recorded, and the push
//! of its row afterwards.

use std::any::Any;

use rust_decimal::Decimal;

use super::Context;
use super::export::{self, Outcome};
use super::guard::{self, Act, Look, Seen, Stop};
use super::import::import_one;
use super::outstanding::not_there;
use super::store::OpenStore;
use crate::book::{Book, BookOrder, Leave, OutboxRow, OutboxState, RunKind};
use crate::channel::{Goal, Task};
use crate::error::{Error, ErrorKind, Result};
use crate::http;
use crate::lock::{Lock, Work};
use crate::order::{Difference, Order, Status, sum};

/// Told how far an act has come, on behalf of the merchant.
pub(crate) trait Observer {
    /// The store is asked for as long as what is given back lives; nothing is recorded yet.
    fn looking(&self, store: &str) -> Box<dyn Any>;
    /// The act is recorded, and the store is told for as long as what is given back lives.
    fn telling(&self, store: &str) -> Box<dyn Any>;
    /// From here on an interruption leaves something behind.
    fn keeps(&self);
    /// What the merchant is to review before the act.
    fn differs(&self, differences: &[Difference]);
    /// A word on what is done in another way than it was asked for.
    fn note(&self, text: &str);
}

/// How often an act starts again because the order changed while it was looked at.
const TRIES: usize = 5;

/// Tries until the order was at rest for one try: nothing comes of one that was decided by what is
/// not so any more.
///
/// # Errors
/// `Refused` where the order is never at rest, and what a try fails with.
pub(crate) fn at_rest<T, E: From<Error>>(order: i64, mut once: impl FnMut() -> Result<Option<T>, E>) -> Result<T, E> {
    for _ in 0..TRIES {
        if let Some(done) = once()? {
            return Ok(done);
        }
    }
    Err(restless(order).into())
}

/// The error of an act that never found the order at rest.
pub(crate) fn restless(order: i64) -> Error {
    let text = format!("order {order} is being changed by other commands all the time; nothing was recorded or sent");
    Error::new(ErrorKind::Refused, text).hint("try again in a moment")
}

/// What the look before an act came to.
pub(crate) enum Looked {
    /// Nothing speaks against it.
    Clear(Box<Seen>),
    /// Another command has done something to the order meanwhile: what speaks against the act may
    /// be just that.
    Moved,
}

/// Reads the order at the channel and holds it against the merchant's version; gives what an act
/// that is not recorded yet would write. A version that is to be reviewed first is kept in the
/// book, so that `show` and `accept` have it.
pub(crate) fn look(
    book: &mut Book,
    observer: &dyn Observer,
    open: &OpenStore,
    order: &BookOrder,
    goal: &Goal,
    leave: Leave,
) -> Result<Looked> {
    let _looking = observer.looking(&open.store.name);
    let others = book.receipts_of_others(order.id, goal, None)?;
    let pieces = book.pieces_besides(order.id, None)?;
    let task = Task { remote_id: order.remote_id.clone(), goal: goal.clone(), receipts: Vec::new(), others, pieces };
    // What an unsettled row may have shipped is no news; it is settled, and the order looked at
    // again, before anything goes out.
    let tried = matches!(goal, Goal::Dispatched(_)) && book.is_unsettled(order.id)?;
    let act = Act { order: order.id, task: &task, leave, tried, took: false, recorded: false };
    let looked = guard::look(book, open, &act);
    if !matches!(looked, Ok(Look::Clear(_))) && book.last_event(order.id)? != order.last_event {
        return Ok(Looked::Moved);
    }
    let named = |error| nothing_recorded(error).rename_in_hint("ORDER", &format!("book:{}", order.id));
    let Stop { now, review, .. } = match looked.map_err(named)? {
        Look::Clear(seen) => return Ok(Looked::Clear(seen)),
        Look::Stopped(stop) => *stop,
    };
    let run = book.start_run(RunKind::Pull, false)?;
    import_one(book, open, run, now)?;
    book.finish_run(run, &[])?;
    observer.differs(&review.differences);
    Err(review.error)
}

/// Whether a hold of the channel's that the book knows of is over there: not every channel says so with
/// a change of the order. The order is read again; where that fails, the book's word stands. `keeps`:
/// what was read is taken into the book, as a rehearsal does not do.
pub(crate) fn is_released(
    book: &mut Book,
    observer: &dyn Observer,
    open: &OpenStore,
    order: &BookOrder,
    keeps: bool,
) -> Result<bool> {
    if order.shown != Status::OnHold || order.hold.is_some() {
        return Ok(false);
    }
    let looking = observer.looking(&open.store.name);
    let Ok(now) = guard::read(open, &order.remote_id) else { return Ok(false) };
    drop(looking);
    if !keeps {
        // One that is over, or on its way, tells of no hold.
        let is_to_be_sent = |now: &Order| !now.is_gone() && !matches!(now.status, Status::OnHold | Status::Shipped);
        return Ok(now.order.is_ok_and(|now| is_to_be_sent(&now)));
    }
    let run = book.start_run(RunKind::Pull, false)?;
    import_one(book, open, run, now)?;
    book.finish_run(run, &[])?;
    Ok(book.order(order.id)?.shown != Status::OnHold)
}

/// An answer that cannot be used ends the act, and no sync takes it up.
fn nothing_recorded(error: Error) -> Error {
    if error.kind() != ErrorKind::Unreadable {
        return error;
    }
    let hint = error.hint_text().unwrap_or(http::again!()).replace(http::again!(), "give the command again later");
    Error::new(error.kind(), format!("{}; nothing was recorded or sent", error.message())).hint(hint)
}

/// What a push of one row came to.
pub(crate) enum Pushed {
    /// It had its attempt.
    Tried(Outcome),
    /// Another process is sending the store's outbox, and takes the row along.
    Elsewhere,
    /// This older row of the order must arrive first.
    Behind(Box<OutboxRow>),
}

impl Pushed {
    /// Why the row has not arrived, where it has not.
    pub(crate) fn error(self, row: &OutboxRow) -> Option<Error> {
        if let Some(why) = self.why_not() {
            return Some(Error::new(ErrorKind::Temporary, format!("nothing was sent: {why}")));
        }
        match self {
            Self::Tried(Outcome::Unheard(e) | Outcome::Waiting(e) | Outcome::Pending(e) | Outcome::Refused(e)) => {
                Some(e)
            }
            Self::Tried(Outcome::TakenBack) => Some(taken_back(row.order_id, row.goal.word())),
            Self::Tried(Outcome::Confirmed { .. }) | Self::Elsewhere | Self::Behind(_) => None,
        }
    }

    /// In words, where there was no attempt.
    pub(crate) fn why_not(&self) -> Option<String> {
        match self {
            Self::Tried(_) => None,
            Self::Elsewhere => Some("another ordersync is sending this store's outbox and takes it along".to_owned()),
            Self::Behind(older) => Some(format!(
                "it goes out after row {} of the outbox, a {} that is {}{}{}",
                older.id,
                older.goal.word(),
                older.state,
                if older.held { " and on hold here" } else { "" },
                older.error.as_deref().map(|why| format!(" ({why})")).unwrap_or_default()
            )),
        }
    }
}

/// Why a row had no attempt: it is settled meanwhile, or an older one of its order is not.
fn not_tried(book: &Book, row: OutboxRow) -> Result<Pushed> {
    let error = || row.error.clone().unwrap_or_else(|| "it was refused".to_owned());
    Ok(match row.state {
        OutboxState::Confirmed => Pushed::Tried(Outcome::Confirmed { wrote: Vec::new() }),
        OutboxState::Withdrawn => Pushed::Tried(Outcome::TakenBack),
        OutboxState::Failed => Pushed::Tried(Outcome::Refused(Error::new(ErrorKind::Refused, error()))),
        _ if row.held => {
            let text = format!("order {} is on hold here by now; nothing was sent", row.order_id);
            let hint = format!("ordersync release book:{} ends the hold", row.order_id);
            Pushed::Tried(Outcome::Pending(Error::new(ErrorKind::Refused, text).hint(hint)))
        }
        _ => {
            let open = book.open_outbox()?.into_iter();
            let mut older = open.filter(|one| one.order_id == row.order_id && one.id < row.id && one.state.is_open());
            older.next().map_or(Pushed::Elsewhere, |older| Pushed::Behind(Box::new(older)))
        }
    })
}

/// Takes back what of a row is not at the channel: all of it where nothing is; of a dispatch that
/// was refused after the channel had taken a part of it, the rest. Gives how many pieces that is, and
/// why the part that is there could not be confirmed, where it could not.
///
/// # Errors
/// `Refused` where what the row writes may have reached the channel.
pub(crate) fn withdraw(context: &Context, book: &mut Book, id: i64) -> Result<Option<(Decimal, Option<Error>)>> {
    let row = book.outbox_row(id)?.filter(|row| row.state == OutboxState::Failed && row.may_be_there);
    let Some((row, Goal::Dispatched(shipment))) = row.as_ref().map(|row| (row, &row.goal)) else {
        return book.withdraw(id).map(|()| None);
    };
    let order = book.order(row.order_id)?;
    let open = context.open(&super::dispatch::store_of(book, &order)?)?;
    let clock = context.clock.as_ref();
    let lock = Lock::take(&context.home.locks(), &open.store.name, Work::Export, context.lock_timeout, clock)?;
    let others = book.receipts_of_others(row.order_id, &row.goal, Some(id))?;
    let (remote_id, goal, receipts) = (row.remote_id.clone(), row.goal.clone(), row.receipts.clone());
    let task = Task { remote_id, goal, receipts, others, pieces: book.pieces_besides(order.id, Some(id))? };
    let now = guard::read(&open, &task.remote_id)?;
    let rest = not_there(open.channel.as_ref(), &task, &now, shipment)?;
    if rest.is_empty() {
        let text = format!(
            "the channel does not tell which pieces of row {id} it has and which it has not; nothing was taken back"
        );
        return Err(Error::new(ErrorKind::Refused, text).hint(format!(
            "look at the order in the channel's own pages; ordersync retry book:{} tries again what is missing",
            order.id
        )));
    }
    book.withdraw_rest(id, &rest)?;
    drop(lock);
    let (_, pushed) = push_row(context, book, &open, id, None)?;
    Ok(Some((sum(rest.iter().map(|line| line.quantity)), pushed.error(row))))
}

/// The error of an act that was taken back before it went out.
pub(crate) fn taken_back(order: i64, what: &str) -> Error {
    let text =
        format!("the {what} of order {order} was taken back by another command before it went out; nothing was sent");
    Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{order} tells how it stands"))
}

/// Why a row of the outbox waits that nothing is wrong with.
pub(crate) const ON_HOLD: &str = "on hold here: ordersync release lets it go";

/// The error of a dispatch that is recorded and waits because its order is on hold here.
pub(crate) fn held(order: i64) -> Error {
    let text = format!("order {order} is on hold here, so its dispatch is recorded and waits; nothing was sent");
    let hint = format!("ordersync release book:{order} ends the hold; add --on-hold if it ships all the same");
    Error::new(ErrorKind::Refused, text).hint(hint)
}

/// How an act stands that is recorded and not confirmed, by the state of its row.
pub(crate) fn standing(state: &str) -> &'static str {
    match state {
        "unknown" | "sending" => {
            "it is not known whether the channel has it, and the next sync looks there before anything is written again"
        }
        "sent" => "the channel took it and does not show it yet, and the next sync looks again",
        _ => "the channel is told with the next sync",
    }
}

/// The error of an act that is recorded and was not told now.
pub(crate) fn not_confirmed(order: i64, what: &str) -> Error {
    let text = format!("the {what} of order {order} is recorded and not confirmed by the channel");
    Error::new(ErrorKind::Temporary, text).hint(format!("ordersync retry book:{order} looks now"))
}

/// Pushes one row now, under the store's export lock, after what was recorded for the same order
/// before it. Gives the row's state afterwards. What was `seen` at the channel holds only while
/// that event is the order's last.
pub(crate) fn push_row(
    context: &Context,
    book: &mut Book,
    open: &OpenStore,
    row: i64,
    seen: Option<(Seen, i64)>,
) -> Result<(&'static str, Pushed)> {
    let locks = context.home.locks();
    let clock = context.clock.as_ref();
    let _lock = match Lock::take(&locks, &open.store.name, Work::Export, context.lock_timeout, clock) {
        Err(error) if error.kind() == ErrorKind::Locked => return Ok(("queued", Pushed::Elsewhere)),
        other => other?,
    };
    let missing = || Error::new(ErrorKind::NotFound, format!("the outbox has no row {row}"));
    let now = book.outbox_row(row)?.ok_or_else(missing)?;
    let older: Vec<OutboxRow> = book
        .due(open.store.id, context.clock.now(), true)?
        .into_iter()
        .filter(|other| other.order_id == now.order_id && other.id < row)
        .collect();
    for other in &older {
        export::push(context, book, open, other, None)?;
    }
    let due = book.due(open.store.id, context.clock.now(), true)?;
    let Some(row) = due.into_iter().find(|due| due.id == row) else {
        let now = book.outbox_row(row)?.ok_or_else(missing)?;
        return Ok((now.state.word(), not_tried(book, now)?));
    };
    // What was read before something else happened to the order is no longer how things stand.
    let last = book.last_event(row.order_id)?;
    let seen = seen.filter(|(_, event)| last == Some(*event)).map(|(seen, _)| seen);
    let outcome = export::push(context, book, open, &row, seen)?;
    let state = book.outbox_row(row.id)?.map_or("queued", |row| row.state.word());
    Ok((state, Pushed::Tried(outcome)))
}
