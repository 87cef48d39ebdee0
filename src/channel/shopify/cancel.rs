//! Cancellation. Shopify carries it out in a job; the final word is the order's `cancelledAt`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, Operation};
use super::errors::short;
use super::wire::{Reference, UserError};
use super::{gid, query};
use crate::channel::{Cancellation, RemoteOrder, Step, Write};
use crate::error::{Error, ErrorKind, Result};
use crate::order::Status;

/// A staff note is at most this long, in characters.
const LONGEST_NOTE: usize = 255;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancelled {
    order_cancel: Option<Payload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    job: Option<Reference>,
    job_result: Option<Reference>,
    #[serde(default)]
    order_cancel_user_errors: Vec<UserError>,
}

#[derive(Deserialize)]
struct Outcome {
    node: Option<State>,
}

#[derive(Deserialize)]
struct JobOutcome {
    job: Option<JobState>,
    order: Option<CancelledAt>,
}

#[derive(Deserialize)]
struct JobState {
    done: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CancelledAt {
    cancelled_at: Option<String>,
}

/// How a cancellation that was asked for before fares.
enum Progress {
    /// It is at work, or the order does not show it yet.
    Running,
    /// It came to nothing, for this reason.
    Failed(String),
    /// Shopify knows nothing of it.
    Unknown,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    done: bool,
    status: Option<String>,
    errors: Vec<UserError>,
}

/// What is to be done to cancel this order.
pub fn step(api: &Api, now: &RemoteOrder, cancellation: &Cancellation, receipts: &[String]) -> Result<Step> {
    if now.order.as_ref().is_ok_and(|order| order.status == Status::Cancelled) {
        return Ok(Step::Nothing);
    }
    let order = &now.remote_id;
    match receipts.last().map(|receipt| progress(api, order, receipt)).transpose()? {
        Some(Progress::Running) => return Ok(Step::Wait(Duration::from_secs(2))),
        Some(Progress::Failed(why)) => return Err(Error::new(ErrorKind::Rejected, refusal(&why))),
        Some(Progress::Unknown) | None => {}
    }
    let (reason, note) = reason(&cancellation.reason);
    let Cancellation { restock, notify, refund, .. } = *cancellation;
    let variables = json!({
        "id": gid("Order", order)?, "reason": reason, "restock": restock, "notify": notify, "note": note,
        "refund": refund.then(|| json!({ "originalPaymentMethodsRefund": true })),
    });
    let summary = format!("cancel the order ({reason}{})", if refund { ", money back" } else { "" });
    Ok(Step::Write(vec![Write::new(summary, notify, Operation::Cancel(variables))?]))
}

/// Asks for what `receipt` names. A cancellation is not asked for again while it runs.
fn progress(api: &Api, order: &str, receipt: &str) -> Result<Progress> {
    if receipt.contains("/OrderCancelJobResult/") {
        let outcome: Outcome = api.ask(&query::CANCEL_RESULT, json!({ "id": receipt }))?.read()?;
        let state = outcome.node.unwrap_or_default();
        return Ok(match state.status.as_deref() {
            Some("FAILED") => {
                let why = state.errors.into_iter().next().map(|error| error.message);
                Progress::Failed(why.unwrap_or_else(|| "no reason given".to_owned()))
            }
            Some("SUCCEEDED") => Progress::Running,
            Some("STARTED") if !state.done => Progress::Running,
            _ => Progress::Unknown,
        });
    }
    if receipt.contains("/Job/") {
        // A job says only that it is over; what came of it, the order does.
        let variables = json!({ "id": receipt, "order": gid("Order", order)? });
        let outcome: JobOutcome = api.ask(&query::CANCEL_JOB, variables)?.read()?;
        let is_cancelled = outcome.order.is_some_and(|order| order.cancelled_at.is_some());
        return Ok(match outcome.job {
            Some(job) if job.done && !is_cancelled => {
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

/// Cancels; gives the id by which the job is asked for. An order that is cancelled already is as
/// wished.
pub fn cancel(api: &Api, variables: &Value) -> Result<Option<String>> {
    let data: Cancelled = api.tell(&query::CANCEL, variables.clone())?.read()?;
    let unclear = || Error::new(ErrorKind::Unknown, "Shopify did not say what became of the cancellation");
    let payload = data.order_cancel.ok_or_else(unclear)?;
    match payload.order_cancel_user_errors.first() {
        Some(error) if error.message.contains("already been canceled") => Ok(None),
        Some(error) => Err(Error::new(ErrorKind::Rejected, refusal(&error.message))),
        None => {
            let receipt = payload.job_result.map(|result| result.id).or(payload.job.map(|job| job.id));
            receipt.map(Some).ok_or_else(unclear)
        }
    }
}

fn refusal(why: &str) -> String {
    if why.contains("outstanding fulfillments") {
        return "Shopify does not cancel an order of which something is shipped; cancel its fulfilments there first, or refund it"
            .to_owned();
    }
    format!("Shopify refused to cancel the order: {}", short(why))
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
