//! `ordersync accept`.

use super::output;
use super::pull;
use super::{App, Outcome};
use crate::book::{Accepted, Book, Store};
use crate::channel;
use crate::error::{Error, ErrorKind, Result};
use crate::sync::act;
use crate::sync::goes_by::Versions;

/// Take over the channel's newer version of an order.
///
/// The version that the book has seen and `show` prints; where it has seen none, the channel is
/// asked for it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.existing_book()?;
    let id = book.find(&args.order)?;
    act::at_rest(id, || once(app, &mut book, id))
}

/// One try; nothing where the order changed while it was read: then what was read of it is void.
fn once(app: &App, book: &mut Book, id: i64) -> anyhow::Result<Option<u8>> {
    let order = book.order(id)?;
    let store = app.store(book, &order.store)?;
    let Some(newest) = book.newest_document(id)? else {
        // What was asked for is in the book now, and the order another than the one that was read.
        return if ask(app, book, &store, id, &order.remote_id)? { Ok(None) } else { followed(app, id).map(Some) };
    };
    let format = channel::format(store.kind, &store.values)?;
    let now = format.order(&newest)?;
    let versions = Versions::read(book, id, |document| format.order(document)).unwrap_or_default();
    let before = versions.as_ref().map(|versions| &versions.base);
    let Accepted::Taken(taken) = book.accept(id, order.last_event, before, &now)? else { return Ok(None) };
    let changed = versions.map(|versions| versions.differences()).unwrap_or_default();
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
    Ok(Some(0))
}

/// Asks for the channel's version of an order of which the book has seen no newer one. It may have
/// been changed just now, so the channel is asked before it is said that there is none. False where
/// the order took over what was new as it was read, as one that is not paid does.
fn ask(app: &App, book: &mut Book, store: &Store, id: i64, remote_id: &str) -> Result<bool> {
    let read = pull::read_now(app, book, store, remote_id).map_err(|error| not_asked(app, store, id, error))?;
    let is_newer = book.newest_document(id)?.is_some();
    if !is_newer && read.changed == 0 {
        let text = format!(
            "{} was asked just now and has no newer version of order {id} than the book; nothing was changed",
            store.name
        );
        return Err(Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{id} says how it stands")));
    }
    Ok(is_newer)
}

fn followed(app: &App, id: i64) -> Outcome {
    if app.global.json {
        output::print_json(&serde_json::json!({ "order": id.to_string(), "accepted": [], "taken_back": 0 }))?;
    } else if !app.global.quiet {
        output::line(&format!(
            "order {id} was read just now and is as the channel has it; until it is paid it follows"
        ))?;
    }
    Ok(0)
}

fn not_asked(app: &App, store: &Store, id: i64, error: Error) -> Error {
    if error.kind() == ErrorKind::Interrupted {
        return error;
    }
    let read = store.last_sync_at.map_or_else(
        || format!("{} was never read in full", store.name),
        |at| format!("{} was last read {} ago", store.name, output::duration(app.context.clock.now() - at)),
    );
    let context = format!(
        "nothing was changed: the book has no newer version of order {id} ({read}), and it could not be read now"
    );
    let hint = error.hint_text().map_or_else(|| format!("ordersync pull book:{id} reads it"), str::to_owned);
    Error::new(error.kind(), error.message()).context(context).hint(hint)
}
