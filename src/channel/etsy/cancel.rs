//! Cancellation: Etsy's API has none. What the seller cancels on etsy.com comes with the next sync.

use crate::channel::{RemoteOrder, Step, impossible};
use crate::error::Result;
use crate::order::Status;

/// Where an order is cancelled.
pub(crate) const WHERE: &str =
    "on etsy.com: Shop Manager > Orders & Delivery > the order > Cancel; the next sync brings it from there";

/// What is to be done to cancel this order.
pub(crate) fn step(now: &RemoteOrder) -> Result<Step> {
    if now.order.as_ref().is_ok_and(|order| order.status == Status::Cancelled) {
        return Ok(Step::Nothing);
    }
    Err(impossible("Etsy's API cancels no order").hint(WHERE))
}
