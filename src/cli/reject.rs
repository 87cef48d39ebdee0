//! `ordersync reject`.

use serde_json::json;

use super::changes::{versions, waits};
use super::decide::{self, Act, Asked, Told, Which};
use super::{App, Outcome};
use crate::book::{Book, Rejected};
use crate::error::{Error, ErrorKind, Result};
use crate::order::Difference;
use crate::sync::{act, policy};

/// Keep your version of an order, or of many, although the channel has another.
///
/// What is rejected waits no more and stays so until that field changes again at the channel. It
/// still differs: `show` prints both, and `dispatch` goes on with yours with `--as-local`.
#[derive(Debug, clap::Args)]
#[command(override_usage = "ordersync reject [OPTIONS] <ORDER>...\n       ordersync reject [OPTIONS] --from <FILE>")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    decide::run(app, &args.which, &Act { done: "rejected", one })
}

fn one(_: &App, book: &mut Book, id: i64, asked: Asked<'_>) -> Result<Told> {
    act::at_rest(id, || once(book, id, asked))
}

/// One try; nothing where the order changed while it was read: then what was read of it is void.
fn once(book: &mut Book, id: i64, asked: Asked<'_>) -> Result<Option<Told>> {
    let (order, fields) = (book.order(id)?, asked.fields);
    let wanted = |found: &Difference| fields.is_empty() || fields.contains(&found.aspect);
    let found: Vec<Difference> = waits(book, &order)?.into_iter().filter(wanted).collect();
    if let Some(field) = fields.iter().find(|field| found.iter().all(|found| found.aspect != **field)) {
        return Err(nothing_waits(id, field.word()));
    }
    let Some(versions) = versions(book, &order)?.filter(|_| !found.is_empty()) else {
        return Err(nothing_waits(id, "what changed at the channel"));
    };
    let Some(newest) = &versions.newest else { return Err(nothing_waits(id, "a newer version")) };
    decide::is_as_seen(&order, asked, &found)?;
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
    let head = format!("order {id} ({}:{}) stays as you have it", order.store, order.number);
    let kept = found.iter().map(|one| format!("  {}: {} (the channel: {})", one.aspect.word(), one.before, one.after));
    let lines = std::iter::once(head).chain(kept).collect();
    Ok(Some(Told { json: json!({ "order": id.to_string(), "rejected": found }), lines }))
}

fn nothing_waits(order: i64, what: &str) -> Error {
    let text = format!("{what} of order {order} does not wait for your word; nothing was rejected");
    Error::new(ErrorKind::NotFound, text).hint("ordersync changes lists what waits")
}
