//! `ordersync twin`.

use serde_json::json;

use super::output;
use super::{App, Outcome};
use crate::book::Verdict;

/// Say whether orders of two stores are one sale: a marketplace's order, and what a connector of
/// your shop made of it.
///
/// Twins are found by themselves, and shown by `show`, `orders` and the inbox. Nothing is merged or
/// hidden: the one counts as to be sent, and the other is not dispatched as well without --again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verdict: Said,
}

#[derive(Debug, clap::Subcommand)]
enum Said {
    /// They are one sale, which is sent once
    Confirm(Pair),
    /// They are two sales; the pair is never shown again
    Deny(Pair),
}

#[derive(Debug, clap::Args)]
struct Pair {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// Its twin; not needed where there is one
    twin: Option<String>,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let (verdict, pair) = match args.verdict {
        Said::Confirm(pair) => (Verdict::Confirmed, pair),
        Said::Deny(pair) => (Verdict::Denied, pair),
    };
    let mut book = app.book_to_write()?;
    let one = book.find(&pair.order)?;
    let other = pair.twin.as_deref().map(|twin| book.find(twin)).transpose()?;
    let twin = book.settle_twins(one, other, verdict)?;
    let name = |id: i64| book.order(id).map(|order| format!("{}:{}", order.store, order.number));
    if app.global.json {
        output::print_json(&json!({ "order": one.to_string(), "twin": twin.to_string(), "state": verdict.word() }))?;
    } else if !app.global.quiet {
        let what = match verdict {
            Verdict::Confirmed => "are one sale, and are sent once",
            Verdict::Denied => "are two sales, and each is sent",
        };
        output::line(&format!("orders {one} ({}) and {twin} ({}) {what}", name(one)?, name(twin)?))?;
    }
    Ok(0)
}
