//! `ordersync dropship`.

use serde_json::{Value, json};

use super::local::{Told, text};
use super::output;
use super::{App, Outcome};
use crate::book::{Dropship, Leave, Worked};
use crate::clock::rfc3339;

/// Note that a supplier is to ship an order, here only: it counts as dropshipment-requested, and no
/// later change of it at the channel is taken over by itself, but a cancellation where the store
/// applies those; then the inbox says whom to tell.
///
/// Neither the supplier nor the channel is told. When the supplier has shipped it, dispatch says so
/// as with any other order.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// Whom you have asked
    #[arg(long, value_name = "WHOM", conflicts_with = "withdraw")]
    to: Option<String>,
    /// Also an order that is on hold; a hold of yours ends by it
    #[arg(long, conflicts_with = "withdraw")]
    on_hold: bool,
    /// Go on with your version of the order although the channel's has changed
    #[arg(long, conflicts_with = "withdraw")]
    as_local: bool,
    /// With --as-local: also where the order is cancelled at the channel, or refunded in full
    #[arg(long, requires = "as_local")]
    force: bool,
    /// Take it back: you ship it yourself
    #[arg(long)]
    withdraw: bool,
    /// Say what would be done, do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let to = args.to.as_deref().map(|whom| text(whom, "--to")).transpose()?;
    let mut book = app.book_to_write()?;
    let id = book.find(&args.order)?;
    if args.withdraw {
        let (worked, now_is) = book.withdraw_dropship(id, args.dry_run)?;
        let order = if args.dry_run { book.order(id)? } else { app.decided(&mut book, id)? };
        let now_is = if args.dry_run { now_is } else { order.shown };
        let detail = match worked {
            Worked::Already => format!("no supplier was asked for it, it is {now_is}"),
            Worked::Done => format!("yours to ship again, it is {now_is}; the supplier is not told by this"),
        };
        return Told { order: &order, worked, dry_run: args.dry_run, detail }.tell(app, json!({ "dropship": null }));
    }
    let guard = super::dispatch::guard(args.as_local, args.force);
    let leave = Leave { guard, unpaid: false, on_hold: args.on_hold, again: false, test_order: false };
    let (worked, request) = book.request_dropship(id, to.as_deref(), leave, args.dry_run)?;
    let order = book.order(id)?;
    let whom = if request.supplier.is_empty() { "a supplier" } else { &request.supplier };
    let already = if worked == Worked::Already { " already" } else { "" };
    let detail = format!("dropshipment requested{already} from {}; nothing was sent to anybody", output::clean(whom));
    Told { order: &order, worked, dry_run: args.dry_run, detail }.tell(app, json!({ "dropship": to_json(&request) }))
}

pub(super) fn to_json(request: &Dropship) -> Value {
    json!({ "since": rfc3339(request.since), "supplier": request.supplier })
}
