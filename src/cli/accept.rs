//! `ordersync accept`.

use serde_json::json;

use super::output;
use super::pull;
use super::{App, Outcome};
use crate::book::{Book, BookOrder, Store};
use crate::channel;
use crate::error::{Error, ErrorKind, Result};
use crate::order::Field;
use crate::sync::accept::{self, Done};
use crate::sync::act;

/// Take over the channel's newer version of an order.
///
/// The version that the book has seen and `show` prints; where it has seen none, the channel is
/// asked for it. With `--field` only that of it: the rest stays as you have it, and differs.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// Only this field of it, as `ordersync show` calls it; several times for several
    #[arg(long, value_name = "FIELD", value_parser = super::changes::field)]
    field: Vec<Field>,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.existing_book()?;
    let id = book.find(&args.order)?;
    act::at_rest(id, || once(app, &mut book, id, &args.field))
}

/// One try; nothing where the order changed while it was read: then what was read of it is void.
fn once(app: &App, book: &mut Book, id: i64, fields: &[Field]) -> anyhow::Result<Option<u8>> {
    let order = book.order(id)?;
    let store = app.store(book, &order.store)?;
    if book.newest_document(id)?.is_none() {
        // What was asked for is in the book now, and the order another than the one that was read.
        return if ask(app, book, &store, id, &order.remote_id)? { Ok(None) } else { followed(app, id).map(Some) };
    }
    let format = channel::format(store.kind, &store.values)?;
    let Some(done) = accept::accept(book, &store, format.as_ref(), &order, fields)? else { return Ok(None) };
    print(app, &order, &done)?;
    Ok(Some(0))
}

fn print(app: &App, order: &BookOrder, done: &Done) -> anyhow::Result<()> {
    let id = order.id;
    let left: Vec<&str> = done.left.iter().map(|field| field.word()).collect();
    if app.global.json {
        let (changed, taken) = (&done.differences, done.taken_back);
        return output::print_json(&json!({
            "order": id.to_string(), "accepted": changed, "left": left, "taken_back": taken,
            "given_up": done.given_up,
        }));
    }
    if app.global.quiet {
        return Ok(());
    }
    let but = if left.is_empty() { String::new() } else { format!(", but for {}", left.join(", ")) };
    output::line(&format!("order {id} ({}:{}) is now as the channel has it{but}", order.store, order.number))?;
    for difference in &done.differences {
        output::line(&format!("  {}: {} → {}", difference.aspect.word(), difference.before, difference.after))?;
    }
    for edit in &done.given_up {
        output::line(&format!("  what you had edited is given up: {}: {}", edit.aspect.word(), edit.before))?;
    }
    if done.taken_back > 0 {
        output::line("its dispatch had not gone out and is taken back; the channel was told nothing")?;
    }
    Ok(())
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
        output::print_json(
            &json!({ "order": id.to_string(), "accepted": [], "left": [], "taken_back": 0, "given_up": [] }),
        )?;
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
