//! Parcels: what eBay shows of them, and what of a dispatch is still to be told.
//!
//! A parcel is told of with its pieces and at most one number; eBay keeps no key of ours, tells the
//! buyer each time, and neither changes nor takes back what it was told. So what is there is known by
//! its number, and where it has none by its pieces and its time. Several boxes are dealt the pieces as
//! evenly as whole lines allow: no piece can be in two of them.
//!
//! eBay takes letters and digits of a number, and nothing else.

use chrono::TimeDelta;
use serde_json::value::RawValue;

use super::api::{Api, writable};
use super::map::{self, Delivery};
use super::operation::{self, Operation, moment};
use super::{document, wire};
use crate::channel::matching::{self, Matched, Part, Record};
use crate::channel::{DispatchPlan, RemoteOrder, Step, Write, impossible, whole_pieces};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{LineQuantity, Order, Parcel, Shipment, Status, carrier, deal, trackings};

/// eBay's word for a carrier that is not on its list.
const OTHER: &str = "Other";

/// The longest tracking number that any carrier has, and more.
const LONGEST: usize = 60;

/// How far eBay's clock and ours may be apart where a parcel without a number is known by its time.
const CLOCKS: i64 = 300;

/// Refuses what eBay surely takes no parcel for.
pub(crate) fn refuse(order: &Order, shipment: &Shipment) -> Result<()> {
    let sent_by = order.attributes.iter().find(|(label, _)| label == "sent by").map(|(_, by)| by.as_str());
    // What is only downloaded is told of as nothing: there is no parcel.
    let sent_by = sent_by.filter(|by| !by.starts_with("digital"));
    if let Some(by) = sent_by.filter(|_| !order.lines.iter().any(|line| line.ships)) {
        return Err(impossible(format!("eBay takes no parcel for this order ({by})")));
    }
    shipment.parcels.iter().try_for_each(|parcel| tracking(parcel).map(drop))?;
    let ships: Vec<LineQuantity> = ships(order, shipment).cloned().collect();
    boxes(&ships, shipment.parcels.len()).map(drop)
}

/// How this dispatch would be recorded, beside the order's parcels.
pub(crate) fn plan<'a>(api: &'a Api, now: &'a RemoteOrder, shipment: &'a Shipment) -> Result<DispatchPlan<'a>> {
    let order = now.order.as_deref().map_err(|why| unreadable(why))?;
    let told = map::read(now.document.get()).map_err(|why| unreadable(&why))?;
    if Delivery::of(&told).is_ebays() {
        return Err(impossible("eBay itself sends this order"));
    }
    refuse(order, shipment)?;
    let id = writable(&order.remote_id)?;
    let lines: Vec<LineQuantity> = ships(order, shipment).cloned().collect();
    let boxes = boxes(&lines, shipment.parcels.len())?;
    let parcels = move || shipment.parcels.iter().map(Some).chain(std::iter::repeat(None));
    let part = |(lines, parcel): (Vec<LineQuantity>, Option<&Parcel>)| Part {
        lines,
        numbers: matching::numbers(parcel),
        ..Part::default()
    };
    let parts = boxes.into_iter().zip(parcels()).map(part).collect();
    // The order's own status may lag behind them.
    let documents = document::parcels(api, &id)?;
    let shown = read(&documents)?;
    let request = map::open_request(&told.cancel.0).filter(|request| map::is_buyers(request.initiator.get()));
    let request = request.map(|request| request.id.get().to_owned()).filter(|id| writable(id).is_ok());
    let is_gone = order.status == Status::Cancelled;
    let step = move |_: &[Record], found: &Matched| {
        if is_gone && found.is_short() {
            return Err(impossible("eBay takes no parcel for an order that is cancelled there"));
        }
        let left = parcels().zip(&found.left);
        let writes = left.filter_map(|(parcel, left)| left.as_deref().map(|left| ship(&id, left, parcel, shipment)));
        let mut writes = writes.collect::<Result<Vec<_>>>()?;
        // It went out although the buyer wanted it cancelled: that is not left open.
        if let Some(request) = request.as_ref().filter(|_| found.completes) {
            writes.push(turn_down(request, shipment)?);
        }
        Ok(Step::of(writes))
    };
    let plan = DispatchPlan::new(parts, shown, step);
    Ok(DispatchPlan { behind: TimeDelta::seconds(CLOCKS), ..plan })
}

/// What of a dispatch goes into a parcel.
fn ships<'s>(order: &Order, shipment: &'s Shipment) -> impl Iterator<Item = &'s LineQuantity> {
    let goes = |line: &LineQuantity| order.lines.iter().all(|one| one.remote_id != line.line_id || one.ships);
    let kept: Vec<bool> = shipment.lines.iter().map(goes).collect();
    shipment.lines.iter().zip(kept).filter(|(_, kept)| *kept).map(|(line, _)| line)
}

/// What is in each of so many parcels. The same each time it is asked.
fn boxes(lines: &[LineQuantity], parcels: usize) -> Result<Vec<Vec<LineQuantity>>> {
    lines.iter().try_for_each(|line| whole_pieces(line, "eBay").map(drop))?;
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    deal(lines, parcels.max(1)).ok_or_else(|| {
        impossible(format!(
            "eBay takes one tracking number for each parcel, and {parcels} parcels are more than the pieces in them"
        ))
        .hint("ordersync dispatch ORDER --item SKU=QTY --carrier NAME --tracking NUMBER tells of each parcel by itself")
    })
}

fn ship(order: &str, lines: &[LineQuantity], parcel: Option<&Parcel>, shipment: &Shipment) -> Result<Write> {
    let line = |line: &LineQuantity| Ok((line.line_id.clone(), whole_pieces(line, "eBay")?));
    let operation = Operation::Ship(operation::Parcel {
        order: order.to_owned(),
        lines: lines.iter().map(line).collect::<Result<_>>()?,
        shipped_at: moment(shipment.shipped_at),
        tracking: parcel.map(tracking).transpose()?,
    });
    Write::new(format!("tell eBay and the buyer of a parcel with {}", trackings(parcel)), operation)
}

fn turn_down(request: &str, shipment: &Shipment) -> Result<Write> {
    let number = shipment.parcels.first().map(tracking).transpose()?.map(|(_, number)| number);
    let operation = Operation::Reject { request: request.to_owned(), shipped_at: moment(shipment.shipped_at), number };
    Write::new("turn down the buyer's request to cancel the order, as it was sent", operation)
}

/// eBay's code of the carrier, and the number as eBay takes it.
fn tracking(parcel: &Parcel) -> Result<(String, String)> {
    let number: String = parcel.tracking.chars().filter(char::is_ascii_alphanumeric).collect();
    if number.is_empty()
        || number.len() > LONGEST
        || parcel.tracking.chars().any(|c| !c.is_ascii() && c.is_alphanumeric())
    {
        return Err(impossible(format!("eBay takes tracking numbers of 1 to {LONGEST} letters and digits")));
    }
    let known = carrier(&parcel.carrier).map(|carrier| carrier.ebay).filter(|code| !code.is_empty());
    Ok((known.unwrap_or(OTHER).to_owned(), number))
}

/// The parcels as the matching takes them. One that cannot be read could be the one that is looked
/// for.
fn read(documents: &[Box<RawValue>]) -> Result<Vec<Record>> {
    let bad = |_: serde_json::Error| unreadable("one of its parcels");
    let told = documents.iter().map(|document| serde_json::from_str(document.get()).map_err(bad));
    let told: Vec<wire::Fulfillment<'_>> = told.collect::<Result<_>>()?;
    let ids = map::ids(&told);
    let record = |(one, id): (&wire::Fulfillment<'_>, String)| {
        Ok(Record {
            id,
            lines: map::contents(one).map_err(|why| unreadable(&why))?,
            tracking: Some(one.number.get().to_owned()).filter(|number| !number.is_empty()).into_iter().collect(),
            made_at: map::time(&one.date, "shippedDate").ok().flatten(),
            ..Record::default()
        })
    };
    told.iter().zip(ids).map(record).collect()
}

fn unreadable(why: &str) -> Error {
    Error::new(ErrorKind::Unreadable, format!("the order cannot be read at the channel ({why}); nothing was written"))
}

/// Carries out a write. A parcel has no receipt: what eBay calls it is its number, which another parcel
/// may have as well. The receipt of a cancellation is its number.
pub(crate) fn apply(api: &Api, operation: &Operation) -> Result<Option<String>> {
    let reply = api.carry_out(operation)?;
    match operation {
        Operation::Ship(_) => Ok(None),
        Operation::Cancel { .. } => super::cancel::number(&reply).map(Some),
        Operation::Approve { request } | Operation::Reject { request, .. } => Ok(Some(request.clone())),
    }
}

#[cfg(test)]
mod tests;
