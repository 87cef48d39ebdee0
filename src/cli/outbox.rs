//! `ordersync outbox`, and the push that dispatch, cancel and retry share.

use serde_json::json;

use super::output::{self, Table};
use super::waiting::Waiting;
use super::{App, Outcome};
use crate::book::{Book, BookOrder, Leave, OutboxRow, OutboxState, RunKind};
use crate::channel::{Goal, Task};
use crate::clock::rfc3339;
use crate::error::{Error, ErrorKind, Result};
use crate::sync::export::{self, Outcome as Push};
use crate::sync::guard::{self, Act, Look, Seen, Stop};
use crate::sync::lock::{Lock, Work};
use crate::sync::store::OpenStore;

/// What is still to be written to channels.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Also what has arrived, was refused or taken back: the last 200
    #[arg(long)]
    all: bool,
    /// Take back a row that has not gone out; the order is as it was before
    #[arg(long, value_name = "ROW", conflicts_with = "all")]
    withdraw: Option<i64>,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.existing_book()?;
    if let Some(row) = args.withdraw {
        book.withdraw(row)?;
        if !app.global.quiet {
            output::line(&format!("row {row} is taken back; nothing was sent"))?;
        }
        return Ok(0);
    }
    let rows = if args.all { book.all_outbox(200)? } else { book.open_outbox()? };
    if app.global.json {
        output::print_json(&rows.iter().map(to_json).collect::<Vec<_>>())?;
        return Ok(0);
    }
    if rows.is_empty() && !app.global.quiet {
        output::note("the outbox is empty: everything has arrived");
    }
    let now = app.context.clock.now();
    let mut table = Table::new(&[">row", ">order", "store", "what", "state", "since", "next try", "why"]);
    for row in &rows {
        let next = row.next_at.map_or_else(String::new, |at| output::when(at, now));
        table.row(&[
            &row.id.to_string(),
            &row.order_id.to_string(),
            &format!("{}:{}", row.store, row.number),
            &what(row),
            row.state.word(),
            &output::when(row.queued_at, now),
            &next,
            row.error.as_deref().unwrap_or(""),
        ]);
    }
    table.print()?;
    Ok(0)
}

fn what(row: &OutboxRow) -> String {
    match &row.goal {
        Goal::Dispatched(shipment) => {
            let parcels: Vec<String> =
                shipment.parcels.iter().map(|p| format!("{} {}", p.carrier, p.tracking)).collect();
            format!("dispatch {}", parcels.join(", ")).trim().to_owned()
        }
        Goal::Cancelled(_) => "cancel".to_owned(),
        Goal::Retracked(change) => {
            format!("tracking {} → {} {}", change.was, change.parcel.carrier, change.parcel.tracking)
        }
    }
}

pub(super) fn to_json(row: &OutboxRow) -> serde_json::Value {
    json!({
        "row": row.id.to_string(), "order": row.order_id.to_string(), "store": row.store, "number": row.number,
        "kind": row.goal.word(), "state": row.state.word(), "attempts": row.attempts,
        "queued_at": rfc3339(row.queued_at), "attempted_at": row.attempted_at.map(rfc3339),
        "next_at": row.next_at.map(rfc3339), "settled_at": row.settled_at.map(rfc3339),
        "doing": row.doing, "error": row.error,
    })
}

/// Reads the order at the channel and holds it against the merchant's version; gives what a change that is not recorded yet would write. A
/// version that is to be reviewed first is kept in the book, so that `show` and `accept` have it.
pub(super) fn look(
    app: &App,
    book: &mut Book,
    open: &OpenStore,
    order: &BookOrder,
    goal: &Goal,
    leave: Leave,
) -> Result<Looked> {
    let name = &open.store.name;
    let _watched =
        Waiting::watched(app, format!("waiting for {name}, which has not answered yet; nothing is recorded or sent"));
    let others = book.receipts_of_others(order.id, goal, None)?;
    let task = Task { remote_id: order.remote_id.clone(), goal: goal.clone(), receipts: Vec::new(), others };
    // What an unsettled row may have shipped is no news; it is settled, and the order looked at again, before anything goes out.
    let tried = matches!(goal, Goal::Dispatched(_)) && book.is_unsettled(order.id)?;
    let looked = guard::look(book, open, &Act { order: order.id, task: &task, leave, tried, took: false });
    if !matches!(looked, Ok(Look::Clear(_))) && book.last_event(order.id)? != order.last_event {
        return Ok(Looked::Moved);
    }
    let Stop { now, review, .. } = match looked? {
        Look::Clear(seen) => return Ok(Looked::Clear(seen)),
        Look::Stopped(stop) => *stop,
    };
    let run = book.start_run(RunKind::Pull, false)?;
    crate::sync::import::import_one(book, open, run, now)?;
    book.finish_run(run, &[])?;
    if !app.global.json {
        for difference in &review.differences {
            output::note(&format!("{}: {} → {}", difference.aspect.word(), difference.before, difference.after));
        }
    }
    Err(review.error)
}

/// What the look before an act came to.
pub(super) enum Looked {
    /// Nothing speaks against it.
    Clear(Box<Seen>),
    /// Another command has done something to the order meanwhile: what speaks against the act may be just that.
    Moved,
}

/// What a push of one row came to.
pub(super) enum Pushed {
    /// It had its attempt.
    Tried(Push),
    /// Another process is sending the store's outbox, and takes the row along.
    Elsewhere,
    /// This older row of the order must arrive first.
    Behind(Box<OutboxRow>),
}

impl Pushed {
    /// In words, where there was no attempt.
    pub(super) fn why_not(&self) -> Option<String> {
        match self {
            Self::Tried(_) => None,
            Self::Elsewhere => Some("another ordersync is sending this store's outbox and takes it along".to_owned()),
            Self::Behind(older) => Some(format!(
                "it goes out after row {} of the outbox, a {} that is {}{}",
                older.id,
                older.goal.word(),
                older.state,
                older.error.as_deref().map(|why| format!(" ({why})")).unwrap_or_default()
            )),
        }
    }
}

/// Why a row had no attempt: it is settled meanwhile, or an older one of its order is not.
fn not_tried(book: &Book, row: OutboxRow) -> Result<Pushed> {
    let error = || row.error.clone().unwrap_or_else(|| "it was refused".to_owned());
    Ok(match row.state {
        OutboxState::Confirmed => Pushed::Tried(Push::Confirmed { wrote: Vec::new() }),
        OutboxState::Withdrawn => Pushed::Tried(Push::TakenBack),
        OutboxState::Failed => Pushed::Tried(Push::Refused(Error::new(ErrorKind::Refused, error()))),
        _ => {
            let open = book.open_outbox()?.into_iter();
            let mut older = open.filter(|one| one.order_id == row.order_id && one.id < row.id && one.state.is_open());
            older.next().map_or(Pushed::Elsewhere, |older| Pushed::Behind(Box::new(older)))
        }
    })
}

/// The error of an act that was taken back before it went out.
pub(super) fn taken_back(order: i64, what: &str) -> Error {
    let text =
        format!("the {what} of order {order} was taken back by another command before it went out; nothing was sent");
    Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{order} tells how it stands"))
}

/// Pushes one row now, under the store's export lock, after what was recorded for the same order before it. Gives the row's state
/// afterwards. What was `seen` at the channel holds only while that event is the order's last.
pub(super) fn push_row(
    app: &App,
    book: &mut Book,
    open: &OpenStore,
    row: i64,
    seen: Option<(Seen, i64)>,
) -> Result<(&'static str, Pushed)> {
    let locks = app.context.home.locks();
    let clock = app.context.clock.as_ref();
    let _lock = match Lock::take(&locks, &open.store.name, Work::Export, app.context.lock_timeout, clock) {
        Err(error) if error.kind() == ErrorKind::Locked => return Ok(("queued", Pushed::Elsewhere)),
        other => other?,
    };
    let missing = || Error::new(ErrorKind::NotFound, format!("the outbox has no row {row}"));
    let now = book.outbox_row(row)?.ok_or_else(missing)?;
    let older: Vec<OutboxRow> = book
        .due(open.store.id, app.context.clock.now(), true)?
        .into_iter()
        .filter(|other| other.order_id == now.order_id && other.id < row)
        .collect();
    for other in &older {
        export::push(&app.context, book, open, other, None)?;
    }
    let due = book.due(open.store.id, app.context.clock.now(), true)?;
    let Some(row) = due.into_iter().find(|due| due.id == row) else {
        let now = book.outbox_row(row)?.ok_or_else(missing)?;
        return Ok((now.state.word(), not_tried(book, now)?));
    };
    // What was read before something else happened to the order is no longer how things stand.
    let last = book.last_event(row.order_id)?;
    let seen = seen.filter(|(_, event)| last == Some(*event)).map(|(seen, _)| seen);
    let outcome = export::push(&app.context, book, open, &row, seen)?;
    let state = book.outbox_row(row.id)?.map_or("queued", |row| row.state.word());
    Ok((state, Pushed::Tried(outcome)))
}
