//! `ordersync release`.

use serde_json::json;

use super::local::Told;
use super::{App, Outcome};
use crate::book::{OutboxRow, OutboxState, Worked};
use crate::channel::Goal;
use crate::order::Status;

/// End a hold of yours.
///
/// What the channel holds is released in its own pages; the order is on hold as long as either of
/// you holds it. What came from the channel meanwhile and only waited for this, as a cancellation of
/// a store that applies those, is taken over.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// Say what would be done, do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.book_to_write()?;
    let id = book.find(&args.order)?;
    let (worked, now_is) = book.release(id, args.dry_run)?;
    let order = if args.dry_run { book.order(id)? } else { app.decided(&mut book, id)? };
    let now_is = if args.dry_run { now_is } else { order.shown };
    let waits = |row: &&OutboxRow| matches!(row.goal, Goal::Dispatched(_)) && row.state == OutboxState::Queued;
    let queued = order.outbox.iter().any(|row| waits(&row) && (!row.held || args.dry_run));
    let detail = match (worked, now_is) {
        (Worked::Already, _) => format!("not on hold here, it is {now_is}"),
        (_, Status::Cancelled) => {
            format!("released; it was cancelled at {} meanwhile, and it is cancelled here as well", order.store)
        }
        (_, Status::OnHold) => {
            format!("released here; it is still on hold at {} ({})", order.store, order.channel_status)
        }
        _ if queued => format!(
            "released, it counts as {now_is} again; its dispatch goes out with the next sync, unless something at its channel stands against it"
        ),
        _ => format!("released, it counts as {now_is} again"),
    };
    let detail = match args.dry_run && worked == Worked::Done && book.newest_document(id)?.is_some() {
        true => format!("{detail}; what has changed at the channel is decided then"),
        false => detail,
    };
    Told { order: &order, worked, dry_run: args.dry_run, detail }.tell(app, json!({}))
}
