//! Cancellation: one request, with the reason for the staff.

use super::api::Operation;
use crate::channel::{RemoteOrder, Step, Write};
use crate::error::Result;
use crate::order::Status;

/// What is to be done to cancel this order.
pub(crate) fn step(now: &RemoteOrder, reason: &str) -> Result<Step> {
    if now.order.as_ref().is_ok_and(|order| order.status == Status::Cancelled) {
        return Ok(Step::Nothing);
    }
    let operation = Operation::Cancel { order: now.remote_id.clone(), reason: reason.trim().to_owned() };
    Ok(Step::Write(vec![Write::new("cancel the order", operation)?]))
}
