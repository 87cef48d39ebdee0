//! Cancellation: one request, safe to repeat.

use super::api::Operation;
use crate::channel::{RemoteOrder, Step, Write};
use crate::error::Result;
use crate::order::Status;

/// What is to be done to cancel this order.
pub fn step(now: &RemoteOrder) -> Result<Step> {
    if now.order.as_ref().is_ok_and(|order| order.status == Status::Cancelled) {
        return Ok(Step::Nothing);
    }
    let operation = Operation::Cancel { order: now.remote_id.clone() };
    Ok(Step::Write(vec![Write::new("cancel the order", false, operation)?]))
}
