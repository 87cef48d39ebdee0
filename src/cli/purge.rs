//! `ordersync purge`.

use chrono::TimeDelta;
use serde_json::json;

use super::output;
use super::privacy::{self, AFTERWARDS};
use super::{App, Outcome};
use crate::book::{Book, How, Store};
use crate::clock::{Timestamp, parse_age, rfc3339};
use crate::error::{Error, ErrorKind, Result};

/// Take the personal data of old, closed orders out of the book: names, addresses, e-mails, phones,
/// notes, free texts and the channel's documents.
///
/// Their numbers, sums, SKUs, pieces, tracking numbers and the country stay. An order is as old as
/// the last thing that happened to it, at its channel or here. One that is not shipped or
/// cancelled, waits to be told to its channel, or needs you, is left out. No later sync brings the
/// data back, and nothing more can be sent from here for such an order. It cannot be undone;
/// Ctrl-C calls off what is not done yet, and a purge takes the place of one that is under way.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTERWARDS)]
pub(super) struct Args {
    /// Orders to which nothing has happened for so long: 90d, 26w
    #[arg(long, value_name = "TIME")]
    older_than: String,
    /// Only this store, or all stores of this channel; may be given several times
    #[arg(long, value_name = "STORE")]
    channel: Vec<String>,
    /// Say how many would be cleared, do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let age = age(&args.older_than)?;
    let mut book = app.existing_book()?;
    let stores = app.stores_of_old(&book, &args.channel)?;
    let now = app.context.clock.now();
    let before = now.checked_sub_signed(age).ok_or_else(|| unmeant(&args.older_than))?;
    let mut counts = Vec::new();
    if args.dry_run {
        for store in &stores {
            counts.push((store.name.as_str(), book.old_orders(store.id, before)?));
        }
        return tell(app, &counts, rfc3339(before), None);
    }
    for store in &stores {
        book.begin_purge(store.id, before, How::Purge)?;
    }
    let left = match privacy::finish(app, &mut book) {
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            return Err(call_off(&mut book, &stores, before)?.into());
        }
        finished => finished?,
    };
    for store in &stores {
        let Some(purge) = book.purge(store.id)?.filter(|purge| purge.is_of(before)) else {
            output::note(&format!("{}: called off, or another purge has taken the place of this one", store.name));
            continue;
        };
        counts.push((store.name.as_str(), (purge.orders, purge.left_out)));
    }
    tell(app, &counts, rfc3339(before), Some(left))
}

/// Ends what was begun, and says what was done of it.
fn call_off(book: &mut Book, stores: &[Store], before: Timestamp) -> Result<Error> {
    let (mut orders, mut is_over) = (0u64, true);
    for store in stores {
        let Some(purge) = book.purge(store.id)?.filter(|purge| purge.is_of(before)) else { continue };
        is_over &= purge.finished_at.is_some();
        book.call_off_purge(store.id, before)?;
        // What was done until that moment counts.
        orders = orders.saturating_add(purge.orders);
    }
    let cleared = output::count(orders, "order");
    if is_over {
        let text = format!("interrupted: {cleared} cleared of personal data; bytes of them may still be in the file");
        return Ok(Error::new(ErrorKind::Interrupted, text).hint("the next ordersync sync wipes them off"));
    }
    let text = format!("interrupted: the purge is called off; {cleared} cleared of personal data before, and stay so");
    Ok(Error::new(ErrorKind::Interrupted, text)
        .hint("the other orders are as they were; the next ordersync sync wipes the file"))
}

fn age(text: &str) -> Result<TimeDelta> {
    parse_age(text).ok_or_else(|| unmeant(text))
}

fn unmeant(text: &str) -> Error {
    let text = format!("--older-than {text:?} is no age of a day or more; nothing was cleared");
    Error::new(ErrorKind::Usage, text).hint("write it in days or weeks: --older-than 90d")
}

/// What was done; without `left`, what would be.
fn tell(app: &App, counts: &[(&str, (u64, u64))], before: String, left: Option<crate::book::Left>) -> Outcome {
    if app.global.json {
        let stores: Vec<_> = counts
            .iter()
            .map(|(store, (orders, left_out))| json!({ "store": store, "orders": orders, "left_out": left_out }))
            .collect();
        output::print_json(&json!({
            "dry_run": left.is_none(), "before": before, "stores": stores, "left": left.map(|left| left.word()),
        }))?;
    } else if !app.global.quiet {
        let done = if left.is_some() { "cleared of personal data" } else { "would be cleared of personal data" };
        for (store, (orders, left_out)) in counts {
            let open = match left_out {
                0 => String::new(),
                n => format!("; {} as old and not closed: left as they are", output::count(*n, "order")),
            };
            output::line(&format!("{store}: {} {done}{open}", output::count(*orders, "order")))?;
        }
    }
    Ok(left.map_or(0, |left| privacy::told(app, left)))
}
