//! `ordersync changes`.

use serde_json::{Value, json};

use super::output::{self, bold, csv_text};
use super::{App, Outcome};
use crate::book::{Book, BookOrder};
use crate::channel;
use crate::error::Result;
use crate::order::{Difference, Fate, Field};
use crate::sync::goes_by::Versions;

/// Changes at the channel that wait for your word: yours, and what the channel has.
///
/// What waits is what a store is set to review (`ordersync config`). `ordersync accept` takes over
/// the channel's version, `ordersync reject` keeps yours. Of many: print them with `--csv`, take out
/// of the file what you do not want, and give it to `accept --from` or `reject --from`; what changed
/// again at the channel since then is left as it is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this store, or all stores of this channel; may be given several times
    #[arg(long, value_name = "STORE")]
    channel: Vec<String>,
    /// Only this field; several times for several
    #[arg(long, value_name = "FIELD", value_parser = field)]
    field: Vec<Field>,
    /// At most so many orders, 0 for all; default is 50 on the screen, and all in JSON and CSV
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// Print as CSV: a line for each field
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// As many as a screen takes, where somebody looks at them.
const SCREEN: usize = 50;

/// A field of an order, by its word on the command line.
pub(super) fn field(word: &str) -> Result<Field, String> {
    Field::from_word(word)
        .ok_or_else(|| format!("is no field of an order; one of: {}", Field::ALL.map(Field::word).join(", ")))
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let book = app.existing_book()?;
    let stores = if args.channel.is_empty() { Vec::new() } else { app.stores_of_old(&book, &args.channel)? };
    let stores: Vec<i64> = stores.iter().map(|store| store.id).collect();
    let limit = match args.limit {
        None if app.global.json || args.csv => usize::MAX,
        None => SCREEN,
        Some(0) => usize::MAX,
        Some(limit) => limit,
    };
    let orders = book.waiting(&stores, &args.field, limit)?;
    let mut waiting = Vec::new();
    for id in &orders {
        let order = book.order(*id)?;
        let mut differences = waits(&book, &order)?;
        differences.retain(|found| args.field.is_empty() || args.field.contains(&found.aspect));
        waiting.push((order, differences));
    }
    if app.global.json {
        output::print_json(&waiting.iter().map(to_json).collect::<Vec<_>>())?;
    } else if args.csv {
        print_csv(&waiting)?;
    } else {
        print(app, &waiting)?;
    }
    if orders.len() == limit && !app.global.quiet {
        output::note(&format!("only the first {limit}; --limit 0 lists all"));
    }
    Ok(0)
}

/// What of the channel's newest version of an order waits for the merchant's word.
pub(super) fn waits(book: &Book, order: &BookOrder) -> Result<Vec<Difference>> {
    let fates = book.circumstances(order.id)?.fates;
    if fates.iter().all(|(_, fate)| *fate != Fate::Review) {
        // Of an order that was cleared of personal data there is no document to be read.
        return Ok(Vec::new());
    }
    let waits = |field: Field| fates.contains(&(field, Fate::Review));
    let found = versions(book, order)?.map(|versions| versions.differences()).unwrap_or_default();
    Ok(found.into_iter().filter(|found| waits(found.aspect)).collect())
}

/// The versions of an order. Reading them needs the adapter's format, not the network.
pub(super) fn versions(book: &Book, order: &BookOrder) -> Result<Option<Versions>> {
    // Also of a store that is not connected any more.
    let Some(store) = book.stores_of_old()?.into_iter().find(|store| store.name == order.store) else {
        return Ok(None);
    };
    let format = channel::format(store.kind, &store.values)?;
    Versions::read(book, order.id, format.as_ref())
}

fn to_json((order, differences): &(BookOrder, Vec<Difference>)) -> Value {
    json!({
        "order": order.id.to_string(), "store": order.store, "number": order.number, "remote_id": order.remote_id,
        "status": order.shown, "differences": differences,
    })
}

/// A line for each field: what `accept --from` and `reject --from` read.
fn print_csv(waiting: &[(BookOrder, Vec<Difference>)]) -> anyhow::Result<()> {
    let text = |text: &str| csv_text(text).into_owned();
    let rows = waiting.iter().flat_map(|(order, differences)| {
        differences.iter().map(move |found| {
            vec![
                text(&format!("{}:{}", order.store, order.remote_id)),
                text(&order.number),
                order.shown.to_string(),
                found.aspect.word().to_owned(),
                text(&found.before),
                text(&found.after),
            ]
        })
    });
    output::print_csv(&["order", "number", "status", "field", "yours", "channels"], rows)
}

fn print(app: &App, waiting: &[(BookOrder, Vec<Difference>)]) -> anyhow::Result<()> {
    if app.global.quiet && waiting.is_empty() {
        return Ok(());
    }
    if waiting.is_empty() {
        output::note("nothing that changed at a channel waits for you");
        return Ok(());
    }
    for (order, differences) in waiting {
        let head = format!("order {}  {}:{}  {}", order.id, order.store, order.number, order.shown);
        output::put(&format!("{}\n", bold(&output::clean(&head))))?;
        for found in differences {
            output::line(&format!("  {}: {} → {}", found.aspect.word(), found.before, found.after))?;
        }
    }
    if !app.global.quiet {
        output::note(
            "yours → the channel's; ordersync accept ORDER takes over the channel's version, ordersync reject ORDER keeps yours",
        );
    }
    Ok(())
}
