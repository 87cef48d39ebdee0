//! `ordersync cancel`.

use serde_json::json;

use super::interrupt::{self, Left};
use super::outbox::{Looked, Pushed};
use super::waiting::Waiting;
use super::{App, Outcome};
use super::{outbox, output};
use crate::book::{Book, BookOrder, Guard, Leave, OutboxRow, OutboxState, Recorded};
use crate::channel::{CancelSupport, Cancellation, Cancelling, Goal, Write};
use crate::error::{Error, ErrorKind, Result, exit_code};
use crate::order::Status;
use crate::sync::export::Outcome as Push;
use crate::sync::guard::Seen;
use crate::sync::store::OpenStore;

/// Cancel an order here and at its channel.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// Why, for the channel's own record
    #[arg(long, default_value = "")]
    reason: String,
    /// Only in the book; the channel is not told
    #[arg(long)]
    local: bool,
    /// Have the channel tell the buyer, where it leaves that to us
    #[arg(long)]
    notify: bool,
    /// Do not put the stock back (the default puts it back, where the channel leaves it to us)
    #[arg(long)]
    no_restock: bool,
    /// Give the money back the way it was paid, where the channel can
    #[arg(long, conflicts_with = "local")]
    refund: bool,
    /// Also an order that is shipped, wholly or in part
    #[arg(long)]
    force: bool,
    /// Say what would happen, do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    interrupt::leaves(Left::Nothing);
    let mut book = app.existing_book()?;
    let id = book.find(&args.order)?;
    for _ in 0..super::dispatch::TRIES {
        if let Some(code) = once(app, &mut book, id, &args)? {
            return Ok(code);
        }
    }
    Err(super::dispatch::restless(id).into())
}

/// One try; nothing where the order changed while it was looked at: then what was decided by it is void.
fn once(app: &App, book: &mut Book, id: i64, args: &Args) -> anyhow::Result<Option<u8>> {
    let order = book.order(id)?;
    refuse_shipped(&order, args)?;
    if args.local {
        return local(app, book, &order, args);
    }
    let store = app.store(book, &order.store)?;
    let open = app.context.open(&store)?;
    let effect = match open.channel.capabilities().cancel {
        CancelSupport::Yes(can) => {
            refuse_unsupported(&order, args, &can)?;
            can.effect
        }
        CancelSupport::No(instead) => {
            let text =
                format!("{} takes no cancellation through its API; nothing was changed here or there", order.channel);
            let hint = format!("{instead}; then ordersync cancel book:{id} --local");
            return Err(Error::new(ErrorKind::Unsupported, text).hint(hint).into());
        }
    };
    let goal = Goal::Cancelled(Cancellation {
        reason: args.reason.clone(),
        notify: args.notify,
        restock: !args.no_restock,
        refund: args.refund,
        force: args.force,
        key: crate::http::sign::nonce()?,
    });
    let guard = if args.force { Guard::Force } else { Guard::Check };
    let seen = match look(app, book, &open, &order, &goal, guard)? {
        Some(Looked::Moved) => return Ok(None),
        Some(Looked::Clear(seen)) => Some(*seen),
        None => None,
    };
    if args.dry_run {
        return rehearse(app, &order, seen.as_ref(), effect).map(Some);
    }
    interrupt::leaves(Left::Kept);
    match book.record_cancel(id, order.last_event, Some((&goal, guard)), &args.reason)? {
        Recorded::Moved => Ok(None),
        Recorded::Local => Ok(Some(0)),
        // It goes out as it was recorded, not as it was planned now.
        Recorded::Already(row) => tell(app, book, &open, &order, effect, row, None).map(Some),
        Recorded::Row(row, event) => {
            crate::crash::point("after-record");
            let seen = seen.map(|seen| (seen, event));
            tell(app, book, &open, &order, effect, row, seen).map(Some)
        }
    }
}

fn tell(
    app: &App,
    book: &mut Book,
    open: &OpenStore,
    order: &BookOrder,
    effect: &str,
    row: i64,
    seen: Option<(Seen, i64)>,
) -> Outcome {
    let name = &open.store.name;
    let _watched = Waiting::watched(app, format!("recorded; waiting for {name}, which has not answered yet"));
    let (state, pushed) = outbox::push_row(app, book, open, row, seen)?;
    let waits = pushed.why_not().map(|why| format!("recorded; {why}"));
    let (detail, error) = match pushed {
        Pushed::Elsewhere | Pushed::Behind(_) => ("", None),
        Pushed::Tried(Push::TakenBack) => {
            ("taken back by another command", Some(outbox::taken_back(order.id, "cancellation")))
        }
        Pushed::Tried(Push::Confirmed { wrote }) if wrote.is_empty() => {
            ("it was cancelled at the channel already", None)
        }
        Pushed::Tried(Push::Confirmed { .. }) => ("cancelled here and at the channel", None),
        Pushed::Tried(Push::Waiting(error)) => ("cancelled here; the channel is told with the next sync", Some(error)),
        Pushed::Tried(Push::Pending(error)) => ("cancelled here; the channel is at work on it", Some(error)),
        Pushed::Tried(Push::Refused(error)) => ("not cancelled: the channel refused, or a guard did", Some(error)),
    };
    let detail = waits.as_deref().unwrap_or(detail);
    print(app, order, state, detail, effect, error.as_ref())?;
    Ok(error.map_or(0, |error| match error.kind() {
        ErrorKind::Temporary | ErrorKind::Unknown => 0,
        kind => exit_code(kind),
    }))
}

/// What a cancellation would write.
fn rehearse(app: &App, order: &BookOrder, seen: Option<&Seen>, effect: &str) -> Outcome {
    let (id, store) = (order.id, &order.store);
    let writes = seen.map_or(&[][..], |seen| &seen.missing.writes);
    let detail = match seen {
        None => format!("would cancel order {id} in the book, and at {store} as soon as it can be reached"),
        Some(_) if writes.is_empty() => {
            format!("order {id} is cancelled at {store} already; nothing would be written there")
        }
        Some(_) => format!("would cancel order {id} at {store}: {effect}"),
    };
    print_rehearsal(app, order, &detail, writes)
}

fn print_rehearsal(app: &App, order: &BookOrder, detail: &str, writes: &[Write]) -> Outcome {
    if app.global.json {
        output::print_json(&json!({
            "order": order.id.to_string(), "name": format!("{}:{}", order.store, order.number), "state": "dry-run",
            "detail": detail, "writes": writes.iter().map(|write| &write.summary).collect::<Vec<_>>(),
        }))?;
        return Ok(0);
    }
    output::line(detail)?;
    for write in writes {
        output::line(&format!("  {write}"))?;
    }
    Ok(0)
}

/// How the order stands at the channel, refused where that speaks against it; nothing where the channel can't be reached: then the
/// same check is made before the push.
fn look(
    app: &App,
    book: &mut Book,
    open: &OpenStore,
    order: &BookOrder,
    goal: &Goal,
    guard: Guard,
) -> Result<Option<Looked>> {
    match outbox::look(app, book, open, order, goal, Leave { guard, unpaid: true, on_hold: true }) {
        Ok(looked) => Ok(Some(looked)),
        Err(error) if matches!(error.kind(), ErrorKind::Temporary | ErrorKind::Unknown) => Ok(None),
        Err(error) => Err(error),
    }
}

fn refuse_shipped(order: &BookOrder, args: &Args) -> Result<()> {
    if order.status == Status::Cancelled && args.local {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("order {} is cancelled already; nothing was changed", order.id),
        ));
    }
    if matches!(order.status, Status::Shipped | Status::PartiallyShipped) && !args.force {
        let text = format!("order {} is {}; nothing was cancelled here or at the channel", order.id, order.status);
        let waits = |row: &&OutboxRow| matches!(row.goal, Goal::Dispatched(_)) && row.state == OutboxState::Queued;
        if let Some(row) = order.outbox.iter().find(waits) {
            let hint = format!(
                "its dispatch has not gone out yet: ordersync outbox --withdraw {} takes it back; add --force if it is to be cancelled all the same",
                row.id
            );
            return Err(Error::new(ErrorKind::Refused, text).hint(hint));
        }
        return Err(Error::new(ErrorKind::Refused, text).hint("add --force if it is to be cancelled all the same"));
    }
    Ok(())
}

/// A change about money, stock or the buyer that the channel would not hear is refused, not dropped.
fn refuse_unsupported(order: &BookOrder, args: &Args, can: &Cancelling) -> Result<()> {
    let wishes = [
        (args.refund && !can.refund, "--refund", "give the money back in the channel's own pages"),
        (
            args.no_restock && !can.restock,
            "--no-restock",
            "the channel decides about stock; correct it there afterwards",
        ),
        (args.notify && !can.notify, "--notify", "the shop's own settings decide whether the buyer is told"),
    ];
    match wishes.into_iter().find(|(unheard, ..)| *unheard) {
        None => Ok(()),
        Some((_, flag, instead)) => {
            let text =
                format!("{} takes no {flag} with a cancellation; nothing was changed here or there", order.channel);
            Err(Error::new(ErrorKind::Unsupported, text).hint(format!("{instead}; then without {flag}")))
        }
    }
}

fn local(app: &App, book: &mut Book, order: &BookOrder, args: &Args) -> anyhow::Result<Option<u8>> {
    if args.dry_run {
        let detail = format!("would cancel order {} in the book only", order.id);
        return print_rehearsal(app, order, &detail, &[]).map(Some);
    }
    interrupt::leaves(Left::Kept);
    if book.record_cancel(order.id, order.last_event, None, &args.reason)? == Recorded::Moved {
        return Ok(None);
    }
    print(app, order, "local", "cancelled in the book only; the channel was not told", "", None)?;
    Ok(Some(0))
}

fn print(
    app: &App,
    order: &BookOrder,
    state: &str,
    detail: &str,
    effect: &str,
    error: Option<&Error>,
) -> anyhow::Result<()> {
    let name = format!("{}:{}", order.store, order.number);
    if app.global.json {
        return output::print_json(&json!({
            "order": order.id.to_string(), "name": name, "state": state, "detail": detail,
            "error": error.map(output::error_json),
        }));
    }
    if !app.global.quiet {
        output::line(&format!("order {} ({name}): {detail}", order.id))?;
        if error.is_none() && !effect.is_empty() {
            output::note(effect);
        }
    }
    if let Some(error) = error {
        output::print_error(error, output::Format::Human);
    }
    Ok(())
}
