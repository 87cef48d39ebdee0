//! `ordersync dispatch`.

mod csv_file;

use serde_json::json;

use super::csv_file::By;
use super::interrupt::{self, Left};
use super::output;
use super::{App, Outcome};
use crate::book::{Book, Guard, Leave, Naming};
use crate::error::{Error, ErrorKind, Result, exit_code};
use crate::sync::dispatch::{self, Done, Request, When};

/// Say that an order is on its way: recorded here, told to the channel at once or, where it can't
/// be reached, with the next sync.
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
    /// Ship only this much of a line: SKU=QTY, or the line's number in `show` as #2=1; default is
    /// all that is left
    #[arg(long, value_name = "SKU=QTY")]
    item: Vec<String>,
    /// The --tracking number takes the place of this one, for the same parcel; the same number
    /// with another --carrier corrects its carrier
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
    /// Another box like one that is dispatched already really went out, or more pieces under its
    /// number
    #[arg(long)]
    again: bool,
    /// Go on with your version of the order although the channel's has changed
    #[arg(long)]
    as_local: bool,
    /// With --as-local: also where the order is cancelled at the channel
    #[arg(long, requires = "as_local")]
    force: bool,
    /// Dispatch many: a CSV file with the columns order, carrier, tracking and, where wanted, sku,
    /// quantity, store and by; - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["carrier", "tracking", "item"])]
    from: Option<std::path::PathBuf>,
    /// With --from: leave this column out; may be given several times
    #[arg(long, value_name = "COLUMN", requires = "from")]
    ignore: Vec<String>,
    /// With --from: rows without a tracking number go out without one; they are refused otherwise
    #[arg(long, requires = "from", conflicts_with = "order")]
    no_tracking: bool,
    /// With --from: tracking numbers are right although they end in zeros as if a spreadsheet had
    /// rounded them
    #[arg(long, requires = "from", conflicts_with = "order")]
    trust_numbers: bool,
    /// Whose numbers a bare order number is: of the channel (the default with --from) or of the
    /// book
    #[arg(long, value_name = "WHOSE")]
    by: Option<By>,
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
    let mut book = app.book_to_write()?;
    let order = args.order.as_deref().unwrap_or_default();
    let done = one(app, &mut book, order, &args)?;
    if app.global.json {
        output::print_json(&to_json(&done))?;
    } else {
        print(&done, app.global.quiet)?;
    }
    // Recorded is not told: who needs to know can tell it from what is done by the code.
    Ok(done.error.as_ref().map_or(0, |error| exit_code(error.kind())))
}

/// One dispatch from reference to result. An error means that nothing was recorded.
fn one(app: &App, book: &mut Book, reference: &str, args: &Args) -> Result<Done> {
    let order = book.find_as(reference, naming(args))?;
    dispatch::dispatch(&app.context, book, app, order, &request(args))
}

fn request(args: &Args) -> Request {
    let when = match (args.dry_run, args.later) {
        (true, _) => When::Never,
        (false, true) => When::Later,
        (false, false) => When::Now,
    };
    Request {
        carriers: args.carrier.clone(),
        other_carrier: args.other_carrier,
        tracking: args.tracking.clone(),
        items: args.item.clone(),
        replaces: args.replaces.clone(),
        notify: !args.no_notify,
        when,
        leave: Leave {
            guard: guard(args.as_local, args.force),
            unpaid: args.unpaid,
            on_hold: args.on_hold,
            again: args.again,
            test_order: args.test_order,
        },
    }
}

fn naming(args: &Args) -> Naming {
    By::naming(args.by)
}

/// What `--as-local` and `--force` let past.
pub(super) fn guard(as_local: bool, force: bool) -> Guard {
    match (as_local, force) {
        (true, true) => Guard::Force,
        (true, false) => Guard::AsLocal,
        _ => Guard::Check,
    }
}

fn print(done: &Done, quiet: bool) -> anyhow::Result<()> {
    print_done(done, quiet)?;
    if let Some(error) = &done.error {
        output::print_error(error, output::Format::Human);
    }
    Ok(())
}

/// What was done, without why it has not arrived.
fn print_done(done: &Done, quiet: bool) -> anyhow::Result<()> {
    if !quiet || done.state == "dry-run" {
        output::line(&format!("order {} ({}): {}", done.order, done.name, done.detail))?;
        for write in &done.writes {
            output::line(&format!("  {write}"))?;
        }
    }
    Ok(())
}

fn to_json(done: &Done) -> serde_json::Value {
    json!({
        "order": done.order.to_string(), "name": done.name, "state": done.state, "detail": done.detail,
        "writes": done.writes, "error": done.error.as_ref().map(output::error_json),
    })
}
