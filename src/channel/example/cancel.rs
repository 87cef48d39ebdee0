//! Cancellation: one request, safe to repeat.

use super::api::Operation;
use crate::channel::{RemoteOrder, Step, Write};
use crate::error::Result;

/// What is to be done to cancel this order.
pub(crate) fn step(now: &RemoteOrder) -> Result<Step> {
    let operation = Operation::Cancel { order: now.remote_id.clone() };
    Ok(Step::Write(vec![Write::new("cancel the order", operation)?]))
}
