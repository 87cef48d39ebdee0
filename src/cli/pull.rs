//! `ordersync pull`.

use serde_json::json;

use super::output;
use super::{App, Outcome};
use crate::book::{BOOK, Book, RunKind, Store, Tally};
use crate::error::{Error, ErrorKind, Result};
use crate::sync::import::import_one;

/// Read one order from its channel now.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// STORE:ID with the channel's id, or an order that is in the book
    #[arg(value_name = "STORE:ID")]
    order: String,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.existing_book()?;
    let (store, remote_id) = target(&book, &args.order)?;
    let store = app.store(&book, &store)?;
    let tally = read_now(app, &mut book, &store, &remote_id)?;
    let what = match (tally.new, tally.changed) {
        (1.., _) => "new",
        (_, 1..) => "changed",
        _ => "unchanged",
    };
    let id = book.find_remote(store.id, &remote_id)?;
    if app.global.json {
        output::print_json(
            &json!({ "order": id.to_string(), "store": store.name, "remote_id": remote_id, "result": what }),
        )?;
    } else if !app.global.quiet {
        output::line(&format!("order {id} ({}:{remote_id}): {what}", store.name))?;
    }
    Ok(0)
}

/// Reads one order at its channel and brings it into the book.
///
/// # Errors
/// `NotFound` where the channel has no such order, `Unreadable` where it cannot be understood, and
/// what stands against asking.
pub(super) fn read_now(app: &App, book: &mut Book, store: &Store, remote_id: &str) -> Result<Tally> {
    let open = app.context.open(store)?;
    let Some(seen) = open.channel.order(remote_id)? else {
        let text = format!("{} has no order {remote_id}; nothing was imported", store.name);
        return Err(Error::new(ErrorKind::NotFound, text));
    };
    let run = book.start_run(RunKind::Pull, false)?;
    let tally = import_one(book, &open, run, seen)?;
    book.finish_run(run, &[])?;
    if tally.failed > 0 {
        let text = format!("order {remote_id} of {} cannot be understood; its document is in the inbox", store.name);
        return Err(Error::new(ErrorKind::Unreadable, text).hint("ordersync inbox"));
    }
    Ok(tally)
}

/// The store and the channel's id. An order that is not in the book yet is named by STORE:ID.
pub(super) fn target(book: &Book, reference: &str) -> Result<(String, String)> {
    match book.find(reference) {
        Ok(id) => book.order(id).map(|order| (order.store, order.remote_id)),
        Err(error) if error.kind() == ErrorKind::NotFound => match reference.split_once(':') {
            Some((store, id)) if store != BOOK && !store.is_empty() && !id.trim().is_empty() => {
                Ok((store.to_owned(), id.to_owned()))
            }
            _ => Err(error.hint("name an order that is not in the book as STORE:ID, with the channel's id")),
        },
        Err(error) => Err(error),
    }
}
