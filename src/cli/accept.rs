//! `ordersync accept`.

use super::output;
use super::{App, Outcome};
use crate::channel;
use crate::error::{Error, ErrorKind};
use crate::order::differences;

/// Take over the channel's newer version of an order.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.existing_book()?;
    let id = book.find(&args.order)?;
    let Some(newest) = book.newest_document(id)? else {
        let text = format!("the channel has no newer version of order {id}; nothing was changed");
        return Err(Error::new(ErrorKind::NotFound, text).hint(format!("ordersync pull book:{id} looks now")).into());
    };
    let order = book.order(id)?;
    let store = app.store(&book, &order.store)?;
    let format = channel::format(store.kind, &store.values)?;
    let now = format.order(&newest)?;
    let before = book.base_document(id)?.and_then(|document| format.order(&document).ok());
    let taken = book.accept(id, before.as_ref(), &now)?;
    let changed = before.map(|before| differences(&before, &now)).unwrap_or_default();
    if app.global.json {
        output::print_json(&serde_json::json!({ "order": id.to_string(), "accepted": changed, "taken_back": taken }))?;
    } else if !app.global.quiet {
        output::line(&format!("order {id} ({}:{}) is now as the channel has it", order.store, order.number))?;
        for difference in changed {
            output::line(&format!("  {}: {} → {}", difference.aspect.word(), difference.before, difference.after))?;
        }
        if taken > 0 {
            output::line("its dispatch had not gone out and is taken back; the channel was told nothing")?;
        }
    }
    Ok(0)
}
