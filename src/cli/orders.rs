//! `ordersync orders`.

use serde_json::json;

use super::output::{self, Table, csv_text};
use super::when::parse_since;
use super::{App, Outcome};
use crate::book::{Book, Filter, LeftOut, LeftOuts, OrderRow, View};
use crate::clock::rfc3339;
use crate::error::Result;
use crate::order::{Status, scaled};

/// As many as a screen takes, where somebody looks at them.
const SCREEN: usize = 50;
const ALL: usize = i64::MAX as usize;

/// So many changes are made searchable before anybody wonders.
const SOON: u64 = 20_000;

/// List orders, the newest first.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("view")))]
pub(super) struct Args {
    /// What is to be sent: no test orders, none given back in full, none that needs no parcel, none
    /// of which a cancellation waits for your word, a sale in two stores once
    #[arg(long, group = "view")]
    to_send: bool,
    /// Of that, what should be on its way: the promised time is over or, where the channel promises
    /// none, the setting ship_within
    #[arg(long, group = "view")]
    late: bool,
    /// Of that, what is to go out on this day, in the time zone of its shop
    #[arg(long, group = "view")]
    today: bool,
    /// Only orders with changes at the channel that wait for your word
    #[arg(long, group = "view")]
    review: bool,
    /// Only orders that are held back
    #[arg(long, group = "view")]
    held: bool,
    /// Only this status, without test orders where it is one to be sent: awaiting-payment, awaiting-fulfillment, on-hold, partially-shipped,
    /// shipped, cancelled, ...
    #[arg(long, value_name = "STATUS")]
    status: Option<Status>,
    /// Only this store, or all stores of this channel; may be given several times
    #[arg(long, value_name = "STORE")]
    channel: Vec<String>,
    /// Only orders placed since then (7d, 2026-11-01, all)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only orders that changed at the channel since you last saw them (marked *)
    #[arg(long)]
    changed: bool,
    /// Only orders with words that begin with those of TEXT, in any order: number, name, e-mail,
    /// phone, postcode, note, SKU, title, tracking number
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    search: Option<String>,
    /// Only orders with this tag of yours; several times for all of several
    #[arg(long, value_name = "TAG", value_parser = super::tag::tag)]
    tag: Vec<String>,
    /// At most so many, 0 for all; default is 50 on the screen, and all in JSON and CSV
    #[arg(long)]
    limit: Option<usize>,
    /// Print as CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl Args {
    fn view(&self) -> View {
        let views = [
            (self.to_send, View::ToSend),
            (self.late, View::Late),
            (self.today, View::Today),
            (self.review, View::Review),
            (self.held, View::Held),
        ];
        views.into_iter().find(|(is_asked, _)| *is_asked).map_or(View::All, |(_, view)| view)
    }
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.existing_book()?;
    let now = app.context.clock.now();
    let since = args.since.as_deref().map(|text| parse_since(text, now)).transpose()?.flatten();
    let stores = if args.channel.is_empty() { Vec::new() } else { app.stores_of_old(&book, &args.channel)? };
    let limit = match args.limit {
        None if app.global.json || args.csv => ALL,
        None => SCREEN,
        Some(0) => ALL,
        Some(limit) => limit.min(ALL),
    };
    let filter = Filter {
        view: args.view(),
        status: args.status,
        stores: stores.iter().map(|store| store.id).collect(),
        since,
        search: args.search.clone(),
        changed: args.changed,
        tags: args.tag.clone(),
        limit,
    };
    if filter.search.is_some() {
        make_searchable(app, &mut book)?;
    }
    let rows = book.list(&filter)?;
    if app.global.json {
        output::print_json(&rows.iter().map(to_json).collect::<Vec<_>>())?;
    } else if args.csv {
        print_csv(&rows)?;
    } else {
        print(app, limit, &rows)?;
    }
    if !app.global.quiet {
        tell_left_out(&book, &filter)?;
    }
    Ok(0)
}

/// A first search makes the orders searchable that came since the last one: in short steps, so that
/// a sync beside it waits for none. Where the book cannot be written now, what is searchable
/// already is searched.
fn make_searchable(app: &App, book: &mut Book) -> Result<()> {
    let mut left = book.unsearched()?;
    if left > SOON && !app.global.quiet {
        output::note(&format!("{} are made searchable first, once", output::count(left, "new or changed order")));
    }
    while left > 0 {
        app.context.clock.check_interrupt()?;
        left = match book.index_step() {
            Ok(left) => left,
            Err(error) => {
                output::note(&format!("the newest {} are not searched: {error}", output::count(left, "change")));
                0
            }
        };
    }
    Ok(())
}

/// What a list leaves out, and where it is.
fn tell_left_out(book: &Book, filter: &Filter) -> Result<()> {
    let mut left_out = book.left_outs(filter)?;
    if let Some(removed) = left_out.remove(&LeftOut::Removed) {
        output::note(&format!(
            "{} of stores that are not connected any more cannot be sent from here and are left out; --channel STORE lists them",
            output::count(removed, "order")
        ));
    }
    if let Some(words) = left_out_words(&left_out) {
        output::note(&format!("left out: {words}; ordersync orders lists them with all others"));
    }
    if filter.view == View::Today {
        let late = book.late_besides(filter)?;
        if late > 0 {
            output::note(&format!(
                "late from earlier days: {} (ordersync orders --late)",
                output::count(late, "order")
            ));
        }
    }
    Ok(())
}

/// Open orders that are not to be sent, in words: `2 test orders, 1 that needs no parcel`.
pub(super) fn left_out_words(left_out: &LeftOuts) -> Option<String> {
    let words = left_out.iter().map(|(reason, orders)| {
        let (one, more) = match reason {
            LeftOut::Test => ("is a test order", "are test orders"),
            LeftOut::GivenBack => ("was given back in full", "were given back in full"),
            LeftOut::NoParcel => ("needs no parcel", "need no parcel"),
            LeftOut::Waiting => ("is in the waiting time of its store", "are in the waiting time of their stores"),
            LeftOut::Gone => ("is gone at its channel", "are gone at their channels"),
            LeftOut::Cancelling => (
                "is cancelled at its channel and waits for your word",
                "are cancelled at their channels and wait for your word",
            ),
            LeftOut::Twin => ("goes out as its twin in another store", "go out as their twins in other stores"),
            LeftOut::Removed => ("is of a store that is not connected", "are of stores that are not connected"),
        };
        format!("{} {}", output::number(*orders), if *orders == 1 { one } else { more })
    });
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The same in JSON: how many, by the word for why.
pub(super) fn left_out_json(left_out: &LeftOuts) -> serde_json::Value {
    left_out.iter().map(|(reason, orders)| (reason.word().to_owned(), serde_json::Value::from(*orders))).collect()
}

fn print(app: &App, limit: usize, rows: &[OrderRow]) -> anyhow::Result<()> {
    if rows.is_empty() && !app.global.quiet {
        output::note(match app.existing_book()?.size()?.orders {
            0 => "no order is in the book yet; ordersync sync brings them in",
            _ => "no order fits",
        });
    }
    let mut table = table(app, rows)?;
    table.print()?;
    if !app.global.quiet {
        if let Some(left_out) = table.left_out("--json, --csv") {
            output::note(&left_out);
        }
        if rows.iter().any(|row| row.not_before.is_some()) {
            output::note(
                "(waits) not to be sent before its waiting time is over (the store's send_after); show tells when",
            );
        }
        if rows.iter().any(|row| row.unclear) {
            output::note(
                "(?) nobody tells of pieces given back whether they had been sent before, so more may be owed; show tells which",
            );
        }
        if rows.iter().any(|row| row.gone) {
            output::note(
                "(gone) the channel has it no more, so it cannot be dispatched there; cancel --local ends it here",
            );
        }
        if rows.iter().any(|row| row.cancelling) {
            output::note(
                "(cancelled) at the channel, and not to be sent until you have decided: ordersync accept or reject",
            );
        }
        if rows.iter().any(|row| row.cleared) {
            output::note("(cleared) its personal data were taken out of the book; ordersync help purge says more");
        }
        if rows.iter().any(is_with_supplier) {
            output::note(
                "(supplier) you have asked a supplier to ship it; show tells whom, dropship --withdraw takes that back",
            );
        }
        if rows.iter().any(|row| row.drifted) {
            output::note("* changed at the channel since you last saw it; show prints both versions");
        }
        if rows.iter().any(|row| !row.twins.is_empty()) {
            let elsewhere = rows.iter().filter(|row| row.sent_as_twin).count() as u64;
            let sent = match elsewhere {
                0 => String::new(),
                n => format!("; {} of them goes out as its twin and is not to be sent as well", output::number(n)),
            };
            output::note(&format!("= the same sale is in the book from another store, too; show tells which{sent}"));
        }
        if rows.len() == limit {
            output::note(&format!("only the newest {limit}; --limit 0 lists all"));
        }
    }
    Ok(())
}

/// One order a line. A status that all of them have is the first column that a narrow terminal does
/// without; the marks of each order stand beside it then.
fn table(app: &App, rows: &[OrderRow]) -> Result<Table> {
    let (now, book) = (app.context.clock.now(), app.existing_book()?);
    let is_one = rows.iter().all(|row| rows.first().is_some_and(|first| first.status == row.status));
    let is_marked = rows.iter().any(|row| !marks(row).is_empty());
    let mut columns = vec![">order", "store", "number", "placed", "status", ">items", ">total", "", "to", "buyer"];
    let beside = (is_one && is_marked).then_some(MARKS);
    if beside.is_some() {
        columns.insert(MARKS, "");
    }
    let leave_out: &[&str] =
        if is_one { &["status", "items", "to", "placed", "store"] } else { &["items", "to", "placed", "store"] };
    let mut table = Table::new(&columns).one_line("buyer", leave_out);
    for row in rows {
        let marks = marks(row);
        let status = match beside {
            None => format!("{} {marks}", row.status),
            Some(_) => row.status.to_string(),
        };
        let (order, placed) = (book.reference(row.id)?, output::when(row.placed_at, now));
        let (items, total) = (row.items.normalize().to_string(), scaled(row.total, &row.currency));
        let mut cells = vec![&*order, &row.store, &row.number, &placed, status.trim_end(), &items];
        cells.extend([&*total, &row.currency, &row.country, &row.buyer]);
        if let Some(place) = beside {
            cells.insert(place, &marks);
        }
        table.row(&cells);
    }
    Ok(table)
}

/// Where the marks of orders stand that have one status, behind it.
const MARKS: usize = 5;

fn is_with_supplier(row: &OrderRow) -> bool {
    row.status == Status::DropshipmentRequested
}

/// What is to be known of an order besides its status.
fn marks(row: &OrderRow) -> String {
    let marks = [
        (row.test, "(test)"),
        (row.not_before.is_some(), "(waits)"),
        (row.unclear, "(?)"),
        (row.gone, "(gone)"),
        (row.cancelling, "(cancelled)"),
        (row.cleared, "(cleared)"),
        // Also where a narrow terminal has no room for the status.
        (is_with_supplier(row), "(supplier)"),
        (row.drifted, "*"),
        (!row.twins.is_empty(), "="),
    ];
    marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark).collect::<Vec<_>>().join(" ")
}

fn to_json(row: &OrderRow) -> serde_json::Value {
    json!({
        "order": row.id.to_string(), "store": row.store, "number": row.number, "remote_id": row.remote_id,
        "status": row.status, "channel_status": row.channel_status, "placed_at": rfc3339(row.placed_at),
        "ship_by": row.ship_by.map(rfc3339), "total": scaled(row.total, &row.currency), "currency": row.currency,
        "buyer": row.buyer, "country": row.country, "items": row.items.normalize().to_string(), "changed_at_channel": row.drifted,
        "twin_of": row.twins, "sent_as_twin": row.sent_as_twin, "test": row.test, "tags": row.tags,
        "not_before": row.not_before.map(rfc3339), "to_send": row.to_send, "left_out": row.left_out,
        "unclear": row.unclear,
        "gone_at_channel": row.gone,
        "cleared": row.cleared,
    })
}

fn print_csv(rows: &[OrderRow]) -> anyhow::Result<()> {
    let header = [
        "order",
        "store",
        "number",
        "remote_id",
        "status",
        "placed_at",
        "ship_by",
        "items",
        "total",
        "currency",
        "country",
        "buyer",
        "twin_of",
        "sent_as_twin",
        "tags",
        "not_before",
        "unclear",
        "to_send",
        "left_out",
        "gone_at_channel",
        "changed_at_channel",
        "test",
        "cleared",
    ];
    output::print_csv(
        &header,
        rows.iter().map(|row| {
            vec![
                output::csv_order(row.id),
                row.store.clone(),
                csv_text(&row.number).into_owned(),
                csv_text(&row.remote_id).into_owned(),
                row.status.to_string(),
                rfc3339(row.placed_at),
                row.ship_by.map(rfc3339).unwrap_or_default(),
                row.items.normalize().to_string(),
                scaled(row.total, &row.currency),
                row.currency.clone(),
                csv_text(&row.country).into_owned(),
                csv_text(&row.buyer).into_owned(),
                csv_text(&row.twins.join(" ")).into_owned(),
                row.sent_as_twin.to_string(),
                csv_text(&row.tags.join(", ")).into_owned(),
                row.not_before.map(rfc3339).unwrap_or_default(),
                row.unclear.to_string(),
                row.to_send.to_string(),
                row.left_out.clone().unwrap_or_default(),
                row.gone.to_string(),
                row.drifted.to_string(),
                row.test.to_string(),
                row.cleared.to_string(),
            ]
        }),
    )
}
