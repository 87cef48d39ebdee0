//! `ordersync dispatch`.

mod csv_file;
mod lines;
mod parcels;

use serde_json::json;

use super::interrupt::{self, Left};
use super::outbox::{Looked, Pushed};
use super::waiting::Waiting;
use super::{App, Outcome};
use super::{outbox, output};
use crate::book::{Book, BookOrder, Guard, Leave, Naming, NewDispatch, OutboxRow, OutboxState, Recorded, Store};
use crate::channel::{Capabilities, Goal, Notify, TrackingChange};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Parcel, Shipment, Status};
use crate::sync::export::Outcome as Push;
use crate::sync::guard::Seen;
use crate::sync::store::OpenStore;

/// Say that an order is on its way: recorded here, told to the channel at once or, where it can't be reached, with the next sync.
#[derive(Debug, Clone, clap::Args)]
#[command(override_usage = "ordersync dispatch [OPTIONS] <ORDER>\n       ordersync dispatch [OPTIONS] --from <FILE>")]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    order: Option<String>,
    /// Carrier, once for each --tracking (`ordersync carriers` lists the names)
    #[arg(long, value_name = "NAME")]
    carrier: Vec<String>,
    /// The carriers are called so, although one looks like a slip of a name that is known
    #[arg(long)]
    other_carrier: bool,
    /// Tracking number; several for several parcels
    #[arg(long, value_name = "NUMBER")]
    tracking: Vec<String>,
    /// Ship only this much of a line: SKU=QTY, or the line's number in `show` as #2=1; default is all that is left
    #[arg(long, value_name = "SKU=QTY")]
    item: Vec<String>,
    /// The --tracking number takes the place of this one, for the same parcel
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["item", "from"], requires = "tracking")]
    replaces: Option<String>,
    /// Have the channel tell the buyer (the default, where the channel leaves it to us)
    #[arg(long, overrides_with = "no_notify")]
    notify: bool,
    /// Do not have the channel tell the buyer
    #[arg(long)]
    no_notify: bool,
    /// Print what would be written, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Only record it; the next sync tells the channel
    #[arg(long, conflicts_with = "dry_run")]
    later: bool,
    /// Ship before it is paid: cash on delivery, payment terms, a transfer that is on its way
    #[arg(long)]
    unpaid: bool,
    /// Ship although it is on hold
    #[arg(long)]
    on_hold: bool,
    /// Ship a test order
    #[arg(long)]
    test_order: bool,
    /// Another box like one that is dispatched already really went out
    #[arg(long)]
    again: bool,
    /// Go on with your version of the order although the channel's has changed
    #[arg(long)]
    as_local: bool,
    /// With --as-local: also where the order is cancelled at the channel
    #[arg(long, requires = "as_local")]
    force: bool,
    /// Dispatch many: a CSV file with the columns order, carrier, tracking and, where wanted, sku, quantity, store and by; - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["carrier", "tracking", "item"])]
    from: Option<std::path::PathBuf>,
    /// With --from: leave this column out; may be given several times
    #[arg(long, value_name = "COLUMN", requires = "from")]
    ignore: Vec<String>,
    /// With --from: rows without a tracking number go out without one; they are refused otherwise
    #[arg(long, requires = "from", conflicts_with = "order")]
    no_tracking: bool,
    /// With --from: tracking numbers are right although they end in zeros as if a spreadsheet had rounded them
    #[arg(long, requires = "from", conflicts_with = "order")]
    trust_numbers: bool,
    /// Whose numbers a bare order number is: of the channel (the default with --from) or of the book
    #[arg(long, value_name = "WHOSE")]
    by: Option<By>,
}

/// Whose numbers a bare order number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
enum By {
    /// The channel's own.
    Channel,
    /// The book's.
    Book,
}

/// What one dispatch came to.
#[derive(Debug)]
struct Done {
    order: i64,
    name: String,
    state: &'static str,
    detail: String,
    writes: Vec<String>,
    error: Option<Error>,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    if let Some(file) = &args.from {
        return csv_file::run(app, &args, file);
    }
    interrupt::leaves(Left::Nothing);
    if args.carrier.iter().any(|name| name.trim().is_empty()) {
        let text = "a --carrier is empty, as where a script's variable is not set; nothing was recorded";
        return Err(Error::new(ErrorKind::Usage, text).hint("without --carrier a number goes out alone").into());
    }
    let mut book = app.existing_book()?;
    let order = args.order.as_deref().unwrap_or_default();
    let done = one(app, &mut book, order, &args)?;
    if app.global.json {
        output::print_json(&to_json(&done))?;
    } else {
        print(&done, app.global.quiet)?;
    }
    Ok(done.error.as_ref().map_or(0, |error| match error.kind() {
        // It is recorded and goes out by itself: the command has done its part.
        ErrorKind::Temporary | ErrorKind::Unknown if matches!(done.state, "queued" | "unknown" | "sent") => 0,
        kind => crate::error::exit_code(kind),
    }))
}

/// How often a command starts again because the order changed while it looked.
pub(super) const TRIES: usize = 5;

/// The error of a command that never found the order at rest.
pub(super) fn restless(order: i64) -> Error {
    let text = format!("order {order} is being changed by other commands all the time; nothing was recorded or sent");
    Error::new(ErrorKind::Refused, text).hint("try again in a moment")
}

/// One dispatch from reference to result. An error means that nothing was recorded.
fn one(app: &App, book: &mut Book, reference: &str, args: &Args) -> Result<Done> {
    let id = book.find_as(reference, naming(args))?;
    for _ in 0..TRIES {
        if let Some(done) = once(app, book, id, args)? {
            return Ok(done);
        }
    }
    Err(restless(id))
}

/// One try; nothing where the order changed while it was looked at: then what was decided by it is void.
fn once(app: &App, book: &mut Book, id: i64, args: &Args) -> Result<Option<Done>> {
    let order = book.order(id)?;
    let store = app.store(book, &order.store)?;
    let open = app.context.open(&store)?;
    let capabilities = open.channel.capabilities();
    if let Some(was) = &args.replaces {
        return replace(app, book, &open, &order, was, args).map(Some);
    }
    let parcels = parcels::of(args, &capabilities, &order.channel)?;
    if let Some(earlier) = lines::already(&order, &args.item, &parcels)?.filter(|_| !args.again) {
        return Ok(Some(recorded_already(&order, earlier)));
    }
    let shipment = shipment(app, &order, args, &capabilities, parcels)?;
    let leave =
        Leave { guard: guard(args), unpaid: args.unpaid || ships_unpaid(&store, &order), on_hold: args.on_hold };
    refuse_odd_status(&order, args, leave)?;
    let goal = Goal::Dispatched(shipment);
    if args.later {
        let recorded = record(book, &order, &goal, leave)?;
        return Ok(recorded.map(|_| done(&order, "queued", "recorded; the next sync tells the channel")));
    }
    match outbox::look(app, book, &open, &order, &goal, leave) {
        Ok(Looked::Moved) => Ok(None),
        Ok(Looked::Clear(seen)) if args.dry_run => Ok(Some(rehearsed(&order, &seen))),
        Ok(Looked::Clear(seen)) => match record(book, &order, &goal, leave)? {
            None => Ok(None),
            Some((row, event)) => push_recorded(app, book, &open, &order, row, Some((*seen, event))).map(Some),
        },
        Err(error) if args.dry_run => Err(error),
        // What speaks against it may be another command's dispatch, begun since the order was read here: then it is looked at anew.
        Err(error) if error.kind() == ErrorKind::Refused && book.order(id)?.outbox.len() != order.outbox.len() => {
            Ok(None)
        }
        Err(error) if matches!(error.kind(), ErrorKind::Temporary | ErrorKind::Unknown) => {
            let detail = "recorded; the channel cannot be reached now, the next sync tells it";
            let recorded = record(book, &order, &goal, leave)?;
            Ok(recorded.map(|_| Done { error: Some(error), ..done(&order, "queued", detail) }))
        }
        Err(error) => Err(error),
    }
}

/// The same order, lines, quantities and numbers as in a dispatch of before: it is that one (PRODUCT.md D-3).
fn recorded_already(order: &BookOrder, earlier: &OutboxRow) -> Done {
    let way = if earlier.state == OutboxState::Confirmed {
        String::new()
    } else {
        format!(" It is not confirmed by the channel yet; ordersync retry book:{} looks now.", order.id)
    };
    // Of what is shipped whole no second box can be told: the pieces in it would be more than were ordered.
    let again = if lines::is_open(order) { " --again says that another box really went out" } else { "" };
    let detail = format!("recorded already, nothing was sent.{way}{again}");
    done(order, earlier.state.word(), &detail)
}

/// Another tracking number for a parcel that is on its way (PRODUCT.md D-5).
fn replace(app: &App, book: &mut Book, open: &OpenStore, order: &BookOrder, was: &str, args: &Args) -> Result<Done> {
    let can = open.channel.capabilities();
    if !can.replace_tracking {
        let text =
            format!("{} takes no other tracking number for a shipment; nothing was recorded or sent", order.channel);
        return Err(Error::new(ErrorKind::Unsupported, text).hint("change it in the channel's own pages"));
    }
    let parcels = parcels::of(args, &can, &order.channel)?;
    let [parcel] = parcels.as_slice() else {
        let text = "--replaces takes the place of one number, so give one --tracking; nothing was recorded";
        return Err(Error::new(ErrorKind::Usage, text).hint("--replaces OLD --tracking NEW"));
    };
    if parcel.tracking.eq_ignore_ascii_case(was) {
        let text = format!("--tracking and --replaces are the same number, {was}; nothing was recorded or sent");
        return Err(Error::new(ErrorKind::Usage, text).hint("--replaces OLD --tracking NEW"));
    }
    let known = order.shipments.iter().flat_map(|shipment| &shipment.parcels).find(|parcel| parcel.tracking == was);
    let Some(known) = known else {
        let text = format!("order {} has no tracking number {was}; nothing was recorded or sent", order.id);
        return Err(Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{} lists them", order.id)));
    };
    let mut parcel = parcel.clone();
    if parcel.carrier.is_empty() {
        parcel.carrier.clone_from(&known.carrier);
    }
    let change =
        TrackingChange { shipment: String::new(), was: was.to_owned(), parcel, notify: !args.no_notify, before: None };
    if args.dry_run {
        let seen = outbox::look(
            app,
            book,
            open,
            order,
            &Goal::Retracked(change),
            Leave { guard: Guard::Check, unpaid: true, on_hold: true },
        )?;
        let Looked::Clear(seen) = seen else { return Err(restless(order.id)) };
        return Ok(rehearsed(order, &seen));
    }
    interrupt::leaves(Left::Kept);
    let row = book.record_retracking(order.id, &change)?;
    crate::crash::point("after-record");
    if args.later {
        return Ok(done(order, "queued", "recorded; the next sync tells the channel"));
    }
    push_recorded(app, book, open, order, row, None)
}

fn rehearsed(order: &BookOrder, seen: &Seen) -> Done {
    let writes = seen.missing.writes.iter().map(|write| write.summary.clone()).collect();
    Done { writes, ..done(order, "dry-run", "nothing was written") }
}

fn naming(args: &Args) -> Naming {
    match args.by {
        None => Naming::Either,
        Some(By::Channel) => Naming::Channel,
        Some(By::Book) => Naming::Book,
    }
}

fn guard(args: &Args) -> Guard {
    match (args.as_local, args.force) {
        (true, true) => Guard::Force,
        (true, false) => Guard::AsLocal,
        _ => Guard::Check,
    }
}

fn needs_no_parcel(order: &BookOrder) -> Error {
    let text = format!(
        "order {} needs no parcel: it is picked up, downloaded or sent by others; nothing was recorded or sent",
        order.id
    );
    Error::new(ErrorKind::Refused, text).hint(format!(
        "ordersync dispatch book:{} without a carrier and a number says at the channel that it is done",
        order.id
    ))
}

/// What goes out: the lines wanted, or all that is left, and the parcels.
fn shipment(app: &App, order: &BookOrder, args: &Args, can: &Capabilities, parcels: Vec<Parcel>) -> Result<Shipment> {
    let (lines, completes) = lines::choose(order, &args.item)?;
    if !parcels.is_empty() && !order.lines.is_empty() && !order.lines.iter().any(|line| line.ships) {
        return Err(needs_no_parcel(order));
    }
    if !completes && !can.partial {
        let text =
            format!("{} cannot record a part of an order as shipped; nothing was recorded or sent", order.channel);
        return Err(Error::new(ErrorKind::Unsupported, text)
            .hint("dispatch the order when all of it ships, or turn on the shop's order fulfilments and run ordersync connect --test"));
    }
    if parcels.len() > 1 && !can.several_parcels {
        let text = format!("{} takes one tracking number for a shipment; nothing was recorded or sent", order.channel);
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    if args.no_notify && can.notify == Notify::ShopDecides {
        output::note("this shop's own settings decide whether the buyer is told; --no-notify changes nothing there");
    }
    Ok(Shipment {
        key: crate::http::sign::nonce()?,
        shipped_at: app.context.clock.now(),
        lines,
        parcels,
        notify: !args.no_notify,
        completes,
    })
}

/// Whether the order is paid in a way that the merchant ships before the money comes (PRODUCT.md D-9).
fn ships_unpaid(store: &Store, order: &BookOrder) -> bool {
    let methods = store.values.get("unpaid_methods").map_or("", String::as_str);
    let is = |method: &str, name: &str| !name.trim().is_empty() && method.eq_ignore_ascii_case(name.trim());
    methods
        .split(',')
        .map(str::trim)
        .any(|method| is(method, &order.payment.method) || is(method, &order.payment.title))
}

/// A dispatch of an order that is not to be shipped is most often a slip (PRODUCT.md D-1).
fn refuse_odd_status(order: &BookOrder, args: &Args, leave: Leave) -> Result<()> {
    let (problem, hint) = match order.status {
        Status::Cancelled if !args.force => ("is cancelled", "add --as-local --force if it ships all the same"),
        Status::AwaitingPayment if !leave.unpaid => (
            "is not paid yet",
            "add --unpaid if it ships before payment; the setting unpaid_methods does for its payment method",
        ),
        _ if order.waits_given_back() && !args.force => {
            ("is refunded in full", "add --as-local --force if it ships all the same")
        }
        Status::OnHold if !leave.on_hold => ("is on hold", "add --on-hold if it ships all the same"),
        // All that is left by the book may be on its way already.
        _ if order.is_sent_in_unknown_part() && (!args.as_local || args.item.is_empty()) => (
            "has gone out in part, and the channel does not tell which pieces",
            "name the pieces that go out now: --item SKU=QTY, for each of them, and --as-local",
        ),
        _ if order.test && !args.test_order => ("is a test order", "add --test-order if you mean it"),
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Refused, format!("order {} {problem}; nothing was recorded or sent", order.id))
        .hint(hint))
}

/// Records the dispatch: from here on it is not forgotten, whatever happens. Gives its row and the order's last event; nothing where the order has
/// changed since it was read.
fn record(book: &mut Book, order: &BookOrder, goal: &Goal, leave: Leave) -> Result<Option<(i64, i64)>> {
    let Goal::Dispatched(shipment) = goal else {
        return Err(Error::new(ErrorKind::Failed, "this is not a dispatch"));
    };
    interrupt::leaves(Left::Kept);
    match book.record_dispatch(&NewDispatch { order: order.id, seen: order.last_event, shipment, leave })? {
        Recorded::Row(row, event) => {
            crate::crash::point("after-record");
            Ok(Some((row, event)))
        }
        Recorded::Moved | Recorded::Local | Recorded::Already(_) => Ok(None),
    }
}

fn push_recorded(
    app: &App,
    book: &mut Book,
    open: &OpenStore,
    order: &BookOrder,
    row: i64,
    seen: Option<(Seen, i64)>,
) -> Result<Done> {
    let name = &open.store.name;
    let _watched = Waiting::watched(app, format!("recorded; waiting for {name}, which has not answered yet"));
    let (state, pushed) = outbox::push_row(app, book, open, row, seen)?;
    if let Some(why) = pushed.why_not() {
        return Ok(done(order, state, &format!("recorded; {why}")));
    }
    let Pushed::Tried(outcome) = pushed else { return Ok(done(order, state, "recorded")) };
    Ok(match outcome {
        Push::TakenBack => {
            let error = Some(outbox::taken_back(order.id, "dispatch"));
            Done { error, ..done(order, state, "taken back by another command") }
        }
        Push::Confirmed { wrote } if wrote.is_empty() => {
            done(order, state, "the channel had it already; nothing was written")
        }
        Push::Confirmed { wrote } => Done { writes: wrote, ..done(order, state, "confirmed by the channel") },
        Push::Waiting(error) | Push::Pending(error) => {
            Done { error: Some(error), ..done(order, state, "recorded; tried again with the next sync") }
        }
        Push::Refused(error) => {
            Done { error: Some(error), ..done(order, state, "refused; the order is as it was before") }
        }
    })
}

fn done(order: &BookOrder, state: &'static str, detail: &str) -> Done {
    Done {
        order: order.id,
        name: format!("{}:{}", order.store, order.number),
        state,
        detail: detail.to_owned(),
        writes: Vec::new(),
        error: None,
    }
}

fn print(done: &Done, quiet: bool) -> anyhow::Result<()> {
    if !quiet || done.state == "dry-run" {
        output::line(&format!("order {} ({}): {}", done.order, done.name, done.detail))?;
        for write in &done.writes {
            output::line(&format!("  {write}"))?;
        }
    }
    if let Some(error) = &done.error {
        output::print_error(error, output::Format::Human);
    }
    Ok(())
}

fn to_json(done: &Done) -> serde_json::Value {
    json!({
        "order": done.order.to_string(), "name": done.name, "state": done.state, "detail": done.detail,
        "writes": done.writes, "error": done.error.as_ref().map(output::error_json),
    })
}
