//! Cancellation: a private note with the reason, then the status. The status is safe to repeat, the
//! note is looked for first.

use super::api::Api;
use super::operation::{NewStatus, Operation};
use super::shipments::list_notes;
use crate::channel::{RemoteOrder, Step, Write};
use crate::error::Result;

/// What is to be done to cancel this order. An order in the bin or refunded is as good as
/// cancelled.
pub(crate) fn step(api: &Api, now: &RemoteOrder, id: u64, reason: &str, receipts: &[String]) -> Result<Step> {
    let status = now.order.as_ref().map_or("", |order| order.channel_status.as_str());
    if matches!(status, "cancelled" | "trash" | "refunded") {
        return Ok(Step::Nothing);
    }
    let note = format!("Cancelled: {}", reason.trim());
    // A list that lags does not show the note yet that the shop has taken.
    let noted = reason.trim().is_empty() || receipts.iter().any(|receipt| receipt.starts_with("note "));
    let mut writes = Vec::new();
    if !noted && !list_notes(api, id)?.iter().any(|there| says_the_same(&there.text, &note)) {
        let operation = Operation::AddNote { order: id, text: note, to_buyer: false };
        writes.push(Write::new("add a private order note with the reason", operation)?);
    }
    let operation = Operation::SetStatus { order: id, status: NewStatus::Cancelled, was: status.to_owned() };
    writes.push(Write::new("set the order's status to cancelled", operation)?);
    Ok(Step::Write(writes))
}

/// Whether two texts are the same in their letters and digits: quotes, dashes and blanks are what
/// shops make pretty.
fn says_the_same(a: &str, b: &str) -> bool {
    let bare = |text: &str| -> String { text.replace('×', "x").chars().filter(|c| c.is_alphanumeric()).collect() };
    bare(a) == bare(b)
}
