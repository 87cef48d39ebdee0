//! `ordersync orders`.

use chrono::TimeDelta;
use serde_json::json;

use super::output::{self, Table, csv_text};
use super::when::parse_since;
use super::{App, Outcome};
use crate::book::{Filter, OrderRow};
use crate::clock::rfc3339;
use crate::order::{Status, scaled};

/// As many as a screen takes, where somebody looks at them.
const SCREEN: usize = 50;
const ALL: usize = i64::MAX as usize;

/// List orders, the newest first.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
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
    /// Only orders that should be on their way: promised time over, or placed more than three days
    /// ago
    #[arg(long)]
    late: bool,
    /// Only orders that changed at the channel since you last saw them (marked *)
    #[arg(long)]
    changed: bool,
    /// Only orders with this text in number, name, e-mail, SKU, postcode or tracking number
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
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

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let book = app.existing_book()?;
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
        status: args.status,
        stores: stores.iter().map(|store| store.id).collect(),
        since,
        late: args.late.then(|| now - TimeDelta::days(3)),
        search: args.search.clone(),
        changed: args.changed,
        tags: args.tag.clone(),
        limit,
    };
    let rows = book.list(&filter)?;
    if app.global.json {
        output::print_json(&rows.iter().map(to_json).collect::<Vec<_>>())?;
    } else if args.csv {
        print_csv(&rows)?;
    } else {
        print(app, limit, &rows)?;
    }
    if !app.global.quiet && book.leaves_out_waiting(&filter)? {
        output::note("orders in their waiting time (the store's send_after) are left out; ordersync orders marks them");
    }
    let left_out = book.left_out(&filter)?;
    if left_out > 0 && !app.global.quiet {
        output::note(&format!(
            "{} of stores that are not connected any more cannot be sent from here and are left out; --channel STORE lists them",
            output::count(left_out, "order")
        ));
    }
    Ok(0)
}

fn print(app: &App, limit: usize, rows: &[OrderRow]) -> anyhow::Result<()> {
    if rows.is_empty() && !app.global.quiet {
        output::note(match app.existing_book()?.size()?.orders {
            0 => "no order is in the book yet; ordersync sync brings them in",
            _ => "no order fits",
        });
    }
    let now = app.context.clock.now();
    let mut table =
        Table::new(&[">order", "store", "number", "placed", "status", ">items", ">total", "", "to", "buyer"])
            .one_line("buyer", &["items", "to", "number", "placed", "store"]);
    let book = app.existing_book()?;
    for row in rows {
        let drifted = if row.drifted { " *" } else { "" };
        let twin = if row.twins.is_empty() { "" } else { " =" };
        let test = if row.test { " (test)" } else { "" };
        let waits = if row.not_before.is_some() { " (waits)" } else { "" };
        let status = format!("{}{test}{waits}{drifted}{twin}", row.status);
        table.row(&[
            &book.reference(row.id)?,
            &row.store,
            &row.number,
            &output::when(row.placed_at, now),
            &status,
            &row.items.normalize().to_string(),
            &scaled(row.total, &row.currency),
            &row.currency,
            &row.country,
            &row.buyer,
        ]);
    }
    table.print()?;
    if !app.global.quiet {
        if rows.iter().any(|row| row.not_before.is_some()) {
            output::note(
                "(waits) not to be sent before its waiting time is over (the store's send_after); show tells when",
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

fn to_json(row: &OrderRow) -> serde_json::Value {
    json!({
        "order": row.id.to_string(), "store": row.store, "number": row.number, "remote_id": row.remote_id,
        "status": row.status, "channel_status": row.channel_status, "placed_at": rfc3339(row.placed_at),
        "ship_by": row.ship_by.map(rfc3339), "total": scaled(row.total, &row.currency), "currency": row.currency,
        "buyer": row.buyer, "country": row.country, "items": row.items.normalize().to_string(), "changed_at_channel": row.drifted,
        "twin_of": row.twins, "sent_as_twin": row.sent_as_twin, "test": row.test, "tags": row.tags, "not_before": row.not_before.map(rfc3339),
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
    ];
    output::print_csv(
        &header,
        rows.iter().map(|row| {
            vec![
                row.id.to_string(),
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
            ]
        }),
    )
}
