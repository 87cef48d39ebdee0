//! Parcels: what Etsy shows of them, and what of a dispatch is still to be told.
//!
//! Etsy has no parcels with pieces in them. A number is told for the receipt, which is shipped as a
//! whole with the first one; each number makes an entry of its own and an e-mail of its own to the
//! buyer, and so does the same number again. So what is there is known by its number alone, and
//! what was told of without one by the receipt being shipped.

use rust_decimal::Decimal;

use super::api::Api;
use super::operation::Operation;
use super::{list, map};
use crate::channel::matching::{self, Matched, Part, Record};
use crate::channel::{DispatchPlan, RemoteOrder, Step, Write, impossible};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Order, Parcel, Shipment, Status, carrier, same_number, trackings};

/// Etsy's word for a carrier that is not on its list.
const OTHER: &str = "other";

/// How this dispatch would be recorded. `country`: where the shop ships from, as far as is known.
pub(crate) fn plan<'a>(
    country: &str,
    now: &'a RemoteOrder,
    receipt: u64,
    shipment: &'a Shipment,
) -> Result<DispatchPlan<'a>> {
    let order = now.order.as_deref().map_err(|why| unreadable(why))?;
    let (is_sent, is_gone) = (map::is_sent(order), order.status == Status::Cancelled);
    refuse_bare(order, country, shipment)?;
    // An entry tells a number, and nothing of pieces.
    let part = |parcel| Part { numbers: matching::numbers([parcel]), ..Part::default() };
    let parts = shipment.parcels.iter().map(part).collect();
    let step = move |_: &[Record], found: &Matched| {
        if is_gone && (shipment.parcels.is_empty() || found.is_short()) {
            return Err(impossible("Etsy takes no parcel for an order that is cancelled there"));
        }
        if shipment.parcels.is_empty() {
            return if is_sent {
                Ok(Step::Nothing)
            } else {
                mark_shipped(receipt).map(|write| Step::Write(vec![write]))
            };
        }
        let left = shipment.parcels.iter().zip(&found.left).filter(|(_, left)| left.is_some());
        left.map(|(parcel, _)| track(receipt, parcel)).collect::<Result<_>>().map(Step::of)
    };
    Ok(DispatchPlan::new(parts, shown(now)?, step))
}

/// Refuses what Etsy takes with a number only. An order that is sent already takes none any more.
pub(crate) fn refuse_bare(order: &Order, country: &str, shipment: &Shipment) -> Result<()> {
    if !shipment.parcels.is_empty() || map::is_sent(order) {
        return Ok(());
    }
    required(order, country).map_or(Ok(()), |why| {
        Err(impossible(format!("Etsy takes no dispatch without a tracking number and a carrier {why}"))
            .hint("ordersync dispatch ORDER --carrier NAME --tracking NUMBER"))
    })
}

/// Why this order cannot go out without a number.
fn required(order: &Order, country: &str) -> Option<String> {
    let to = &order.ship_to.first()?.country;
    if to.eq_ignore_ascii_case("IN") {
        return Some("to India".to_owned());
    }
    // Where nothing tells where the shop is, the currency does.
    let is_domestic = to.eq_ignore_ascii_case("US") && (country.is_empty() || country.eq_ignore_ascii_case("US"));
    let is_over = order.currency.code() == "USD" && order.totals.total > Decimal::TEN;
    (is_domestic && is_over).then(|| "within the United States for an order over 10 USD".to_owned())
}

fn track(receipt: u64, parcel: &Parcel) -> Result<Write> {
    let operation = Operation::Track { receipt, carrier: word(&parcel.carrier), code: parcel.tracking.clone() };
    Write::new(format!("tell Etsy and the buyer of {}", trackings([parcel])), operation)
}

fn mark_shipped(receipt: u64) -> Result<Write> {
    Write::new("mark the order as shipped, of which Etsy tells the buyer", Operation::Ship { receipt })
}

/// Etsy's word for a carrier.
fn word(name: &str) -> String {
    let known = carrier(name).map(|carrier| carrier.etsy).filter(|word| !word.is_empty());
    known.unwrap_or(OTHER).to_owned()
}

/// The parcels that the receipt shows.
fn shown(now: &RemoteOrder) -> Result<Vec<Record>> {
    let receipt = map::receipt(now.document.get()).map_err(|why| unreadable(&why))?;
    let record = |one: &super::wire::Shipment<'_>| Record {
        id: map::shipment_id(one),
        tracking: Some(one.tracking_code.get().to_owned()).filter(|code| !code.is_empty()).into_iter().collect(),
        made_at: map::time(&one.shipment_notification_timestamp),
        ..Record::default()
    };
    Ok(receipt.shipments.rows.iter().map(record).collect())
}

fn unreadable(why: &str) -> Error {
    Error::new(ErrorKind::Unreadable, format!("the order cannot be read at the channel ({why}); nothing was written"))
}

/// Carries out a write; the receipt is the id of the entry that was made. The answer is the whole
/// order: one that does not show the number is shipped without it.
pub(crate) fn apply(api: &Api, operation: &Operation) -> Result<Option<String>> {
    let reply = api.carry_out(operation)?;
    let lost = |why: &str| {
        let text = format!("Etsy's answer cannot be read ({why}); whether the write was applied is not known");
        Error::new(ErrorKind::Unknown, text)
    };
    let (Operation::Track { receipt, .. } | Operation::Ship { receipt }) = operation;
    let now = list::answered(&reply, *receipt).map_err(|error| lost(error.message()))?;
    let order = now.order.as_ref().map_err(|why| lost(why))?;
    let Operation::Track { code, .. } = operation else {
        return if map::is_sent(order) { Ok(None) } else { Err(lost("the order is not shipped in it")) };
    };
    let entries = shown(&now).map_err(|error| lost(error.message()))?;
    let own = entries.iter().rev().find(|entry| entry.tracking.iter().any(|number| same_number(number, code)));
    own.map(|entry| Some(entry.id.clone()).filter(|id| !id.is_empty())).ok_or_else(|| without_number(order, code))
}

fn without_number(order: &Order, code: &str) -> Error {
    let text = if map::is_sent(order) {
        format!(
            "Etsy shipped the order without tracking: its answer does not show the number {code}, and the buyer was told \
             without it; it is not sent again, which would tell the buyer a second time"
        )
    } else {
        format!("Etsy took the number {code} and shows neither it nor the order as shipped; it is not sent again")
    };
    Error::new(ErrorKind::Partly, text).hint(format!("look at the order on etsy.com, and enter {code} there"))
}

#[cfg(test)]
mod tests;
