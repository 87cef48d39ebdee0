//! `ordersync revert`.

use super::edit::print;
use super::{App, Outcome};
use crate::channel;
use crate::order::Field;
use crate::sync::{act, edit};

/// Give up what you have edited in an order: the channel's values are there again.
///
/// With what the store does with changes (`ordersync config`): what it applies is the newest, else
/// it is what you last imported or accepted.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// Only this field of it: address or notes; several times for several
    #[arg(long, value_name = "FIELD", value_parser = super::changes::field)]
    field: Vec<Field>,
    /// Say what would change, change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.book_to_write()?;
    let id = book.find(&args.order)?;
    let done = act::at_rest(id, || {
        let order = book.order(id)?;
        let store = app.store(&book, &order.store)?;
        let format = channel::format(store.kind, &store.values)?;
        edit::revert(&mut book, &store, format.as_ref(), &order, &args.field, args.dry_run)
    })?;
    print(app, &book.order(id)?, &done, args.dry_run, "reverted")?;
    Ok(0)
}
