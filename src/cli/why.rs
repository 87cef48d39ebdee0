//! `ordersync why`.

use serde_json::json;

use super::output;
use super::pull::target;
use super::{App, Outcome};
use crate::clock::rfc3339;
use crate::error::ErrorKind;
use crate::sync::why::{self, Evidence};

/// Explain why an order is in the book, or is not, and what that rests on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// STORE:ID with the channel's id, or an order that is in the book
    #[arg(value_name = "STORE:ID")]
    order: String,
    /// Go by this machine's own files alone, and do not ask the channel
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.existing_book()?;
    let (store, remote_id) = target(&book, &args.order)?;
    let known = match book.find(&args.order) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        found => Some(found?),
    };
    let why = match known {
        Some(id) => why::of_book(&book, &book.order(id)?)?,
        None => {
            let store = app.store(&book, &store)?;
            why::of_store(&app.context, &mut book, &store, &remote_id, args.offline)?
        }
    };
    if app.global.json {
        let evidence = |one: &Evidence| json!({ "what": one.what, "run": one.run.map(|run| run.to_string()), "request": one.request, "at": one.at.map(rfc3339) });
        output::print_json(&json!({
            "store": store, "remote_id": remote_id, "order": known.map(|id| id.to_string()), "verdict": why.verdict.word(),
            "text": why.text, "hint": (!why.hint.is_empty()).then_some(&why.hint),
            "evidence": why.evidence.iter().map(evidence).collect::<Vec<_>>(),
        }))?;
        return Ok(0);
    }
    let now = app.context.clock.now();
    output::line(&format!("{store}:{remote_id}: {}", why.text))?;
    for one in &why.evidence {
        let at = one.at.map(|at| output::when(at, now)).unwrap_or_default();
        let run = one.run.map(|run| format!(" (run {run})")).unwrap_or_default();
        let request = one.request.as_ref().map(|request| format!(" ({request})")).unwrap_or_default();
        output::line(&format!("  {at}  {}{run}{request}", one.what))?;
    }
    if !why.hint.is_empty() {
        output::line(&format!("  {}", why.hint))?;
    }
    Ok(0)
}
