//! Cancellation. Shopify carries it out in a job; the final word is the order's `cancelledAt`.

use std::time::Duration;

use serde_json::{Value, json};

use super::api::Api;
use super::operation::{Operation, refusal};
use super::wire::UserError;
use super::{gid, query};
use crate::channel::{Cancellation, RemoteOrder, Step, Write};
use crate::error::{Error, ErrorKind, Result};

/// A staff note is at most this long, in characters.
const LONGEST_NOTE: usize = 255;

/// How a cancellation that was asked for before fares.
enum Progress {
    /// It is at work, or the order does not show it yet.
    Running,
    /// It came to nothing, for this reason.
    Failed(String),
    /// Shopify knows nothing of it.
    Unknown,
}

/// What is to be done to cancel this order. It is not asked for again while it runs.
pub(crate) fn step(api: &Api, now: &RemoteOrder, cancellation: &Cancellation, receipts: &[String]) -> Result<Step> {
    let order = gid("Order", &now.remote_id)?;
    match receipts.last().map(|receipt| progress(api, &order, receipt)).transpose()? {
        Some(Progress::Running) => return Ok(Step::Wait(Duration::from_secs(2))),
        Some(Progress::Failed(why)) => return Err(Error::new(ErrorKind::Rejected, refusal(&why))),
        Some(Progress::Unknown) | None => {}
    }
    let (reason, note) = reason(&cancellation.reason);
    let Cancellation { restock, notify, refund, .. } = *cancellation;
    let variables = json!({
        "id": order, "reason": reason, "restock": restock, "notify": notify, "note": note,
        "refund": refund.then(|| json!({ "originalPaymentMethodsRefund": true })),
    });
    let summary = format!("cancel the order ({reason}{})", if refund { ", money back" } else { "" });
    Ok(Step::Write(vec![Write::new(summary, Operation::Cancel(variables))?]))
}

/// Asks for what `receipt` names.
fn progress(api: &Api, order: &str, receipt: &str) -> Result<Progress> {
    if receipt.contains("/OrderCancelJobResult/") {
        let answer: Value = api.ask(&query::CANCEL_RESULT, json!({ "id": receipt }))?.read()?;
        let result = &answer["node"];
        return Ok(match result["status"].as_str() {
            Some("FAILED") => Progress::Failed(UserError::from(result["errors"][0].clone()).message),
            Some("SUCCEEDED") => Progress::Running,
            Some("STARTED") if result["done"] != true => Progress::Running,
            _ => Progress::Unknown,
        });
    }
    if receipt.contains("/Job/") {
        // A job says only that it is over; what came of it, the order does.
        let answer: Value = api.ask(&query::CANCEL_JOB, json!({ "id": receipt, "order": order }))?.read()?;
        return Ok(match answer["job"]["done"].as_bool() {
            Some(true) if answer["order"]["cancelledAt"].is_null() => {
                Progress::Failed("its job is over, and the order is not cancelled".to_owned())
            }
            Some(_) => Progress::Running,
            None => Progress::Unknown,
        });
    }
    Ok(Progress::Unknown)
}

/// Shopify's reason and a note for the staff: `fraud`, or `inventory: the last one broke`. Any
/// other text is a note.
fn reason(text: &str) -> (&'static str, Option<String>) {
    let text = text.trim();
    let (word, rest) = text.split_once(':').unwrap_or((text, ""));
    let known = match word.trim().to_lowercase().as_str() {
        "customer" => Some("CUSTOMER"),
        "declined" => Some("DECLINED"),
        "fraud" => Some("FRAUD"),
        "inventory" => Some("INVENTORY"),
        "staff" => Some("STAFF"),
        "other" | "" => Some("OTHER"),
        _ => None,
    };
    let note = if known.is_some() { rest } else { text };
    let note: String = note.trim().chars().take(LONGEST_NOTE).collect();
    (known.unwrap_or("OTHER"), Some(note).filter(|note| !note.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d8_a_reason_is_shopifys_word_or_a_note() {
        assert_eq!(reason("fraud"), ("FRAUD", None));
        assert_eq!(reason(""), ("OTHER", None));
        assert_eq!(reason("Inventory: the last one broke"), ("INVENTORY", Some("the last one broke".to_owned())));
        assert_eq!(reason("out of stock"), ("OTHER", Some("out of stock".to_owned())));
        assert_eq!(reason(&"x".repeat(300)).1.unwrap().len(), 255);
    }
}
