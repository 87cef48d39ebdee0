//! Cancellation: a private note with the reason, then the status. The status is safe to repeat, the note is looked for first.

use reqwest::Method;
use serde_json::json;

use super::api::Api;
use super::shipments::{call, list_notes};
use crate::channel::{Outstanding, RemoteOrder, Task, Write};
use crate::error::Result;

/// What is still to be written to cancel this order. An order in the bin or refunded is as good as cancelled.
pub fn outstanding(api: &Api, now: &RemoteOrder, task: &Task, reason: &str) -> Result<Outstanding> {
    let status = now.order.as_ref().map_or("", |order| order.channel_status.as_str());
    let id = task.remote_id.as_str();
    // A list that lags does not show the note yet that the shop has taken.
    let noted = task.receipts.iter().any(|receipt| receipt.starts_with("note "));
    let mut writes = Vec::new();
    if !matches!(status, "cancelled" | "trash" | "refunded") {
        let note = format!("Cancelled: {}", reason.trim());
        if !noted
            && !reason.trim().is_empty()
            && !list_notes(api, id)?.iter().any(|there| says_the_same(&there.text, &note))
        {
            writes.push(Write {
                summary: "add a private order note with the reason".to_owned(),
                tells_buyer: false,
                content: call(
                    Method::POST,
                    format!("wc/v3/orders/{id}/notes"),
                    &[],
                    json!({ "note": note, "customer_note": false }),
                ),
            });
        }
        writes.push(Write {
            summary: "set the order's status to cancelled".to_owned(),
            tells_buyer: false,
            content: call(Method::PUT, format!("wc/v3/orders/{id}"), &[], json!({ "status": "cancelled" })),
        });
    }
    Ok(Outstanding { writes, ..Outstanding::default() })
}

/// Whether two texts are the same in their letters and digits: quotes, dashes and blanks are what shops make pretty.
fn says_the_same(a: &str, b: &str) -> bool {
    let bare = |text: &str| -> String { text.replace('×', "x").chars().filter(|c| c.is_alphanumeric()).collect() };
    bare(a) == bare(b)
}
