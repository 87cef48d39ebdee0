//! `ordersync outbox`.

use serde_json::json;

use super::output::{self, Table};
use super::{App, Outcome};
use crate::book::{Book, OutboxRow};
use crate::channel::Goal;
use crate::clock::rfc3339;
use crate::error::{Error, ErrorKind, Result, exit_code};
use crate::sync::act;

/// As many settled ones as anybody looks at.
const SCREEN: usize = 200;
const ALL: usize = i64::MAX as usize;

const COLUMNS: [&str; 18] = [
    "row",
    "order",
    "store",
    "number",
    "kind",
    "what",
    "parcels",
    "replaces",
    "state",
    "attempts",
    "queued_at",
    "attempted_at",
    "next_at",
    "settled_at",
    "doing",
    "error",
    "held",
    "connected",
];

/// What is still to be written to channels.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Also what has arrived, was refused or taken back: the last 200 on the screen, and all in JSON
    /// and CSV
    #[arg(long)]
    all: bool,
    /// Print as CSV
    #[arg(long, conflicts_with_all = ["json", "withdraw"])]
    csv: bool,
    /// Take back a row that has not gone out, by its number, or STORE:ID for the one row of that order;
    /// the order is as it was before. Of a refused dispatch that the channel has a part of, the rest is
    /// taken back
    #[arg(long, value_name = "ROW", conflicts_with = "all")]
    withdraw: Option<String>,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.existing_book()?;
    if let Some(row) = args.withdraw {
        let row = row_named(&book, &row)?;
        let was_tried = book.outbox_row(row)?.is_some_and(|row| row.attempts > 0);
        let rest = act::withdraw(&app.context, &mut book, row)?;
        let order = book.outbox_row(row)?.map(|row| app.decided(&mut book, row.order_id)).transpose()?;
        if !app.global.quiet {
            output::line(&match &rest {
                None => {
                    let now_is = order.map(|order| format!("; order {} is {} now", order.id, order.shown));
                    let there = if was_tried { "nothing of it is at the channel" } else { "nothing was sent" };
                    format!("row {row} is taken back; {there}{}", now_is.unwrap_or_default())
                }
                Some((pieces, _)) => format!(
                    "what the channel has of row {row} stays; the rest of it is taken back and to be sent again: {} pieces",
                    pieces.normalize()
                ),
            })?;
        }
        let Some((_, Some(error))) = rest else { return Ok(0) };
        let error = error.context("what the channel has could not be confirmed yet");
        output::print_error(&error, output::Format::Human);
        return Ok(exit_code(error.kind()));
    }
    let stranded = book.stranded_outbox()?;
    let for_programs = app.global.json || args.csv;
    let most = if for_programs { ALL } else { SCREEN };
    let mut rows = if args.all { book.all_outbox(most)? } else { book.open_outbox()? };
    if !args.all {
        rows.extend(stranded.iter().cloned());
    }
    if for_programs {
        let mut told: Vec<_> = rows.iter().map(to_json).collect();
        for (row, told) in rows.iter().zip(&mut told) {
            told["connected"] = json!(book.store(&row.store)?.is_some_and(|store| store.id == row.store_id));
        }
        if args.csv {
            output::print_csv_of(&COLUMNS, &told)?
        } else {
            output::print_json(&told)?
        }
        return Ok(0);
    }
    if rows.is_empty() && !app.global.quiet {
        output::note("the outbox is empty: everything has arrived");
    }
    let now = app.context.clock.now();
    let columns = [">row", ">order", "store", "what", "state", "since", "next try", "why"];
    let mut table = Table::new(&columns).below("why");
    for row in &rows {
        let next = row.next_at.map_or_else(String::new, |at| output::when(at, now));
        table.row(&[
            &row.id.to_string(),
            &book.reference(row.order_id)?,
            &format!("{}:{}", row.store, row.number),
            &what(row),
            row.state.word(),
            &output::when(row.queued_at, now),
            &next,
            &why(row),
        ]);
    }
    table.print()?;
    if !stranded.is_empty() && !app.global.quiet {
        output::note(&forsaken(&stranded));
    }
    Ok(0)
}

/// The number of a row: what is named is one, or an order that has one row to be taken back. A number
/// alone is a row's.
fn row_named(book: &Book, named: &str) -> Result<i64> {
    if let Ok(row) = named.trim().parse() {
        return Ok(row);
    }
    if !named.contains(':') {
        let text = format!("{named:?} is neither the number of a row nor an order as STORE:ID; nothing was taken back");
        return Err(Error::new(ErrorKind::Usage, text).hint("ordersync outbox lists the rows with their numbers"));
    }
    let order = book.find(named)?;
    let mut rows = book.open_outbox()?;
    rows.extend(book.stranded_outbox()?);
    rows.retain(|row| row.order_id == order);
    match rows.as_slice() {
        [one] => Ok(one.id),
        [] => {
            let text = format!("order {order} has nothing in the outbox; nothing was taken back");
            Err(Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{order} says how it stands")))
        }
        several => {
            let named: Vec<String> = several.iter().map(|row| format!("row {}, {}", row.id, what(row))).collect();
            let text =
                format!("order {order} has several rows in the outbox ({}); nothing was taken back", named.join("; "));
            Err(Error::new(ErrorKind::Usage, text).hint("ordersync outbox --withdraw ROW takes one of them"))
        }
    }
}

/// Of rows that nobody sends, as their store is not connected any more.
pub(super) fn forsaken(rows: &[OutboxRow]) -> String {
    let stores: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.store.as_str()).collect();
    let stores: Vec<&str> = stores.into_iter().collect();
    let (are, them) = if rows.len() == 1 { ("is", "it") } else { ("are", "them") };
    format!(
        "{} of {} {are} not told to the channel, and nobody tells {them}: not connected any more; \
         ordersync connect KIND takes {them} up again",
        output::count(rows.len() as u64, "dispatch or cancellation"),
        stores.join(", ")
    )
}

/// Why it is not there yet.
fn why(row: &OutboxRow) -> String {
    let error = row.error.as_deref().unwrap_or("");
    match (row.held, error) {
        (false, _) => error.to_owned(),
        (true, "") => act::ON_HOLD.to_owned(),
        (true, _) => format!("{}; {error}", act::ON_HOLD),
    }
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
    let (parcels, replaces) = match &row.goal {
        Goal::Dispatched(shipment) => (shipment.parcels.as_slice(), None),
        Goal::Retracked(change) => (std::slice::from_ref(&change.parcel), Some(&change.was)),
        Goal::Cancelled(_) => (&[][..], None),
    };
    let parcels: Vec<_> =
        parcels.iter().map(|parcel| json!({ "carrier": parcel.carrier, "tracking": parcel.tracking })).collect();
    json!({
        "row": row.id.to_string(), "order": row.order_id.to_string(), "store": row.store, "number": row.number,
        "kind": row.goal.word(), "what": what(row), "parcels": parcels, "replaces": replaces, "state": row.state.word(), "attempts": row.attempts,
        "queued_at": rfc3339(row.queued_at), "attempted_at": row.attempted_at.map(rfc3339),
        "next_at": row.next_at.map(rfc3339), "settled_at": row.settled_at.map(rfc3339),
        "doing": row.doing, "error": row.error, "held": row.held,
    })
}
