//! `ordersync reject`.

use serde_json::json;

use super::changes::{versions, waits};
use super::output;
use super::{App, Outcome};
use crate::book::{Book, Rejected};
use crate::error::{Error, ErrorKind};
use crate::order::{Difference, Field};
use crate::sync::{act, policy};

/// Keep your version of an order, although the channel has another.
///
/// What is rejected waits no more and stays so until that field changes again at the channel. It
/// still differs: `show` prints both, and `dispatch` goes on with yours with `--as-local`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// Only this field of it, as `ordersync changes` calls it; several times for several
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
    let wanted = |found: &Difference| fields.is_empty() || fields.contains(&found.aspect);
    let found: Vec<Difference> = waits(book, &order)?.into_iter().filter(wanted).collect();
    if let Some(field) = fields.iter().find(|field| found.iter().all(|found| found.aspect != **field)) {
        return Err(nothing_waits(id, field.word()).into());
    }
    let Some(versions) = versions(book, &order)?.filter(|_| !found.is_empty()) else {
        return Err(nothing_waits(id, "what changed at the channel").into());
    };
    let Some(newest) = &versions.newest else { return Err(nothing_waits(id, "a newer version").into()) };
    let rejected: Vec<_> = found
        .iter()
        .map(|found| {
            let words = format!("{} → {}", found.before, found.after);
            (found.aspect, policy::mark(&versions.base, newest, found.aspect), words)
        })
        .collect();
    if book.reject(id, order.last_event, &rejected)? == Rejected::Moved {
        return Ok(None);
    }
    if app.global.json {
        output::print_json(&json!({ "order": id.to_string(), "rejected": found }))?;
    } else if !app.global.quiet {
        output::line(&format!("order {id} ({}:{}) stays as you have it", order.store, order.number))?;
        for found in &found {
            output::line(&format!("  {}: {}, not {}", found.aspect.word(), found.before, found.after))?;
        }
    }
    Ok(Some(0))
}

fn nothing_waits(order: i64, what: &str) -> Error {
    let text = format!("{what} of order {order} does not wait for your word; nothing was rejected");
    Error::new(ErrorKind::NotFound, text).hint("ordersync changes lists what waits")
}
