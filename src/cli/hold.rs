//! `ordersync hold`.

use serde_json::{Value, json};

use super::local::Told;
use super::output;
use super::when::parse_until;
use super::{App, Outcome};
use crate::book::{Hold, HoldWish, Worked};
use crate::clock::{Timestamp, rfc3339};

/// Hold an order back, here only: it is not offered to be sent, and dispatch refuses it without
/// --on-hold. A dispatch that is recorded and has surely not gone out waits until it is released.
///
/// The channel is not told, and nothing that comes from there ends it. An order that is held at the
/// channel as well stays so until it is released there.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order: its number in the book, STORE:ID, or the channel's own order number
    order: String,
    /// Release it by itself then (3d, 2026-12-24, 2026-12-24 13:30); without it, or with none: not
    /// by itself. A --reason alone leaves the end of a hold as it is
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Why, for yourself
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be done, do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let now = app.context.clock.now();
    let until = match args.until.as_deref().map(str::trim) {
        // Who says nothing of it means no end; a reason alone changes none.
        None if args.reason.is_none() => Some(None),
        None => None,
        Some("none") => Some(None),
        Some(text) => Some(Some(parse_until(text, now)?)),
    };
    let reason = args.reason.map(|text| super::local::text(&text, "--reason")).transpose()?;
    let mut book = app.book_to_write()?;
    let id = book.find(&args.order)?;
    let before = book.order(id)?.hold.and_then(|hold| hold.until);
    let (worked, hold) = book.hold(id, &HoldWish { until, reason }, args.dry_run)?;
    let order = book.order(id)?;
    let already = if worked == Worked::Already { " already" } else { "" };
    let before = before.filter(|at| *at > now && hold.until != Some(*at));
    let before = before.map_or(String::new(), |at| format!(" and no longer until {}", output::when(at, now)));
    let detail = format!("on hold here{already}, {}{before}", self::until(&hold, &|at| output::when(at, now)));
    if let Some(request) = &order.dropship {
        let whom = if request.supplier.is_empty() { "the supplier" } else { &request.supplier };
        output::note(&format!("{} was asked to ship it and is not told by this", output::clean(whom)));
    }
    let waiting: Vec<String> = order.outbox.iter().filter(|row| row.held).map(|row| row.id.to_string()).collect();
    if !waiting.is_empty() && !app.global.quiet {
        output::note(&format!(
            "a dispatch of it that has not gone out waits as well until it is released: row {} of the outbox",
            waiting.join(", ")
        ));
    }
    Told { order: &order, worked, dry_run: args.dry_run, detail }.tell(app, json!({ "hold": to_json(&hold) }))
}

/// `until 24 Dec 00:00`.
pub(super) fn until(hold: &Hold, when: &dyn Fn(Timestamp) -> String) -> String {
    hold.until.map_or_else(|| "until you release it".to_owned(), |at| format!("until {}", when(at)))
}

pub(super) fn to_json(hold: &Hold) -> Value {
    json!({ "since": rfc3339(hold.since), "until": hold.until.map(rfc3339), "reason": hold.reason })
}
