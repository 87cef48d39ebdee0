//! `ordersync changes`.

use serde_json::{Value, json};

use super::output::{self, bold};
use super::{App, Outcome};
use crate::book::{Book, BookOrder};
use crate::channel;
use crate::error::Result;
use crate::order::{Difference, Fate, Field};
use crate::sync::goes_by::Versions;

/// Changes at the channel that wait for your word: yours, and what the channel has.
///
/// What waits is what a store is set to review (`ordersync config`). `ordersync accept` takes over
/// the channel's version, `ordersync reject` keeps yours.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// At most so many orders; 0 lists all
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
}

/// A field of an order, by its word on the command line.
pub(super) fn field(word: &str) -> Result<Field, String> {
    Field::from_word(word)
        .ok_or_else(|| format!("is no field of an order; one of: {}", Field::ALL.map(Field::word).join(", ")))
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let book = app.existing_book()?;
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let orders = book.waiting(limit)?;
    let mut waiting = Vec::new();
    for id in &orders {
        let order = book.order(*id)?;
        let differences = waits(&book, &order)?;
        waiting.push((order, differences));
    }
    if app.global.json {
        output::print_json(&waiting.iter().map(to_json).collect::<Vec<_>>())?;
        return Ok(0);
    }
    print(app, &waiting)?;
    if orders.len() == limit && !app.global.quiet {
        output::note(&format!("only the first {limit}; --limit 0 lists all"));
    }
    Ok(0)
}

/// What of the channel's newest version of an order waits for the merchant's word.
pub(super) fn waits(book: &Book, order: &BookOrder) -> Result<Vec<Difference>> {
    let fates = book.circumstances(order.id)?.fates;
    let waits = |field: Field| fates.contains(&(field, Fate::Review));
    let found = versions(book, order)?.map(|versions| versions.differences()).unwrap_or_default();
    Ok(found.into_iter().filter(|found| waits(found.aspect)).collect())
}

/// The versions of an order. Reading them needs the adapter's format, not the network.
pub(super) fn versions(book: &Book, order: &BookOrder) -> Result<Option<Versions>> {
    let Some(store) = book.store(&order.store)? else { return Ok(None) };
    let format = channel::format(store.kind, &store.values)?;
    Versions::read(book, order.id, format.as_ref())
}

fn to_json((order, differences): &(BookOrder, Vec<Difference>)) -> Value {
    json!({
        "order": order.id.to_string(), "store": order.store, "number": order.number, "remote_id": order.remote_id,
        "status": order.shown, "differences": differences,
    })
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
