//! The writes that this adapter can make, all of them, and what becomes of one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::{Answer, Api};
use super::errors::short;
use super::wire::{Reference, UserError};
use super::{number, query};
use crate::error::{Error, ErrorKind, Result};

/// A mutation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// `fulfillmentCreate` with these variables.
    Fulfill(Value),
    /// `fulfillmentTrackingInfoUpdate` with these variables.
    Retrack(Value),
    /// `orderCancel` with these variables.
    Cancel(Value),
}

/// What a mutation gives, whichever it is.
#[derive(Default, Deserialize)]
pub(crate) struct Payload {
    /// What was made.
    pub(crate) made: Option<Reference>,
    job: Option<Reference>,
    /// Refusals by the shop's own rules.
    #[serde(default)]
    pub(crate) errors: Vec<UserError>,
}

impl Payload {
    /// That of the only mutation in an answer.
    pub(crate) fn of(answer: &Answer) -> Result<Option<Self>> {
        let data: BTreeMap<String, Option<Self>> = answer.read()?;
        Ok(data.into_values().next().flatten())
    }
}

/// Carries one out; gives the id of the fulfilment, by its number as orders show it, or of the job
/// that cancels, whole. An order that is cancelled already is as wished.
pub(crate) fn apply(api: &Api, operation: &Operation) -> Result<Option<String>> {
    let (document, variables) = match operation {
        Operation::Fulfill(variables) => (&query::FULFILL, variables),
        Operation::Retrack(variables) => (&query::RETRACK, variables),
        Operation::Cancel(variables) => (&query::CANCEL, variables),
    };
    let unclear = || Error::new(ErrorKind::Unknown, "Shopify did not say what became of the write");
    let payload = Payload::of(&api.tell(document, variables.clone())?)?.ok_or_else(unclear)?;
    let is_cancellation = matches!(operation, Operation::Cancel(_));
    match payload.errors.first().map(|error| &*error.message) {
        Some(why) if is_cancellation && why.contains("already been canceled") => Ok(None),
        Some(why) => Err(Error::new(ErrorKind::Rejected, refusal(why))),
        None => {
            let made = payload.made.or(payload.job).ok_or_else(unclear)?;
            Ok(Some(if is_cancellation { made.id } else { number(&made.id).to_owned() }))
        }
    }
}

/// A refusal by the shop's own rules.
pub(crate) fn refusal(why: &str) -> String {
    if why.contains("outstanding fulfillments") {
        return "Shopify does not cancel an order of which something is shipped; cancel its fulfilments there first, or refund it"
            .to_owned();
    }
    format!("Shopify refused: {}", short(why))
}
