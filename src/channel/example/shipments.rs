//! What a dispatch is here, and what is there: one shipment with the dispatch's key, all of it in
//! the order's document.

use super::api::{Operation, Pieces};
use super::map::{self, Sent};
use crate::channel::matching::{self, Matched, Part, Record};
use crate::channel::{DispatchPlan, RemoteOrder, Step, TrackingChange, TrackingPlan, Write, impossible, whole_pieces};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{LineQuantity, Order, Shipment, Status, same_carrier, trackings};

/// How this dispatch would be recorded. What needs no parcel is in no shipment; an order of nothing
/// else is closed.
pub(crate) fn plan<'a>(now: &'a RemoteOrder, shipment: &'a Shipment) -> Result<DispatchPlan<'a>> {
    let order = now.order.as_deref().map_err(|why| unreadable(why))?;
    let lines = parcelled(order, &shipment.lines)?;
    // What the shop cannot ship is refused before anything is written.
    lines.iter().try_for_each(|line| pieces(line).map(drop))?;
    let part = Part {
        mark: Some(shipment.key.clone()),
        numbers: matching::numbers(&shipment.parcels),
        lines,
        ..Part::default()
    };
    let parts = if part.lines.is_empty() { Vec::new() } else { vec![part] };
    let plan = DispatchPlan::new(parts, shown(now)?, move |_, found| step(now, order, shipment, found));
    Ok(DispatchPlan { mark: shipment.key.clone(), ..plan })
}

/// Those of the lines that go into a parcel.
fn parcelled(order: &Order, lines: &[LineQuantity]) -> Result<Vec<LineQuantity>> {
    let mut found = Vec::new();
    for wanted in lines {
        let line = order.lines.iter().find(|line| line.remote_id == wanted.line_id);
        let gone = || impossible(format!("the order has no line {} at the channel any more", wanted.line_id));
        found.extend(line.ok_or_else(gone)?.ships.then(|| wanted.clone()));
    }
    Ok(found)
}

fn pieces(line: &LineQuantity) -> Result<Pieces> {
    let id = line.line_id.parse().map_err(|_| impossible(format!("{} is no line of the shop's", line.line_id)))?;
    Ok(Pieces { line: id, pieces: whole_pieces(line, "the shop")? })
}

fn step(now: &RemoteOrder, order: &Order, shipment: &Shipment, found: &Matched) -> Result<Step> {
    let id = now.remote_id.clone();
    if let Some(Some(left)) = found.left.first() {
        let parcel = shipment.parcels.first();
        let (carrier, tracking) =
            parcel.map(|parcel| (parcel.carrier.clone(), parcel.tracking.clone())).unwrap_or_default();
        let lines = left.iter().map(pieces).collect::<Result<_>>()?;
        let operation = Operation::Ship { order: id, mark: shipment.key.clone(), carrier, tracking, lines };
        let summary = format!("add a shipment, {}", trackings(&shipment.parcels));
        return Ok(Step::Write(vec![Write::new(summary, operation)?]));
    }
    let takes_parcels = order.lines.iter().any(|line| line.ships);
    if takes_parcels || !found.completes || order.status == Status::Shipped {
        return Ok(Step::Nothing);
    }
    Ok(Step::Write(vec![Write::new("close the order", Operation::Done { order: id })?]))
}

/// How this tracking number would be replaced.
pub(crate) fn replacement<'a>(now: &'a RemoteOrder, change: &'a TrackingChange) -> Result<TrackingPlan<'a>> {
    let there = document(now)?.into_iter().map(|one| (record(&one), one)).collect();
    let is_carried = |one: &Sent| same_carrier(&one.carrier, &change.parcel.carrier);
    Ok(TrackingPlan::in_place(there, is_carried, |one: &Sent| {
        let operation = Operation::Retrack {
            order: now.remote_id.clone(),
            shipment: one.id.to_string(),
            carrier: change.parcel.carrier.clone(),
            tracking: change.parcel.tracking.clone(),
        };
        Write::new(change.summary(), operation)
    }))
}

/// The order's shipments, which stand in its document.
fn shown(now: &RemoteOrder) -> Result<Vec<Record>> {
    Ok(document(now)?.iter().map(record).collect())
}

fn record(one: &Sent) -> Record {
    Record {
        id: one.id.to_string(),
        mark: Some(one.mark.clone()).filter(|mark| !mark.is_empty()),
        lines: one.pieces(),
        tracking: Some(one.tracking.clone()).filter(|number| !number.is_empty()).into_iter().collect(),
        made_at: map::time(one.at).ok(),
        ..Record::default()
    }
}

fn document(now: &RemoteOrder) -> Result<Vec<Sent>> {
    map::document(now.document.get()).map(|found| found.shipments).map_err(|why| unreadable(&why))
}

fn unreadable(why: &str) -> Error {
    Error::new(ErrorKind::Unreadable, format!("the order cannot be read at the channel ({why}); nothing was written"))
}
