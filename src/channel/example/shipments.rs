//! What a dispatch is here, and what is there: one shipment with the dispatch's key, all of it in
//! the order.

use super::api::Operation;
use super::map::{self, Document, DocumentShipment};
use crate::channel::matching::{self, Matched, Part, Record};
use crate::channel::{DispatchPlan, RemoteOrder, Step, TrackingChange, TrackingPlan, Write};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Shipment, same_carrier};

/// How this dispatch would be recorded.
pub(crate) fn plan<'a>(now: &'a RemoteOrder, shipment: &'a Shipment) -> Result<DispatchPlan<'a>> {
    let part = Part {
        mark: Some(shipment.key.clone()),
        lines: shipment.lines.clone(),
        numbers: matching::numbers(&shipment.parcels),
        ..Part::default()
    };
    let plan = DispatchPlan::new(vec![part], shown(now)?, |_, found| step(now, shipment, found));
    Ok(DispatchPlan { mark: shipment.key.clone(), ..plan })
}

fn step(now: &RemoteOrder, shipment: &Shipment, found: &Matched) -> Result<Step> {
    let Some(Some(left)) = found.left.first() else { return Ok(Step::Nothing) };
    let parcel = shipment.parcels.first();
    let (carrier, tracking) =
        parcel.map(|parcel| (parcel.carrier.clone(), parcel.tracking.clone())).unwrap_or_default();
    let operation = Operation::Ship {
        order: now.remote_id.clone(),
        mark: shipment.key.clone(),
        carrier,
        tracking,
        lines: left.iter().map(|line| (line.line_id.clone(), line.quantity.normalize().to_string())).collect(),
    };
    Ok(Step::Write(vec![Write::new("add a shipment", operation)?]))
}

/// How this tracking number would be replaced.
pub(crate) fn replacement<'a>(now: &'a RemoteOrder, change: &'a TrackingChange) -> Result<TrackingPlan<'a>> {
    let carriers = document(now)?.shipments.into_iter().map(|one| one.carrier);
    let there = shown(now)?.into_iter().zip(carriers);
    let there = there.map(|(record, carrier)| (record.clone(), (record.id, carrier))).collect();
    let is_carried = |(_, carrier): &(String, String)| same_carrier(carrier, &change.parcel.carrier);
    Ok(TrackingPlan::in_place(there, is_carried, |(shipment, _): &(String, String)| {
        let operation = Operation::Retrack {
            order: now.remote_id.clone(),
            shipment: shipment.clone(),
            carrier: change.parcel.carrier.clone(),
            tracking: change.parcel.tracking.clone(),
        };
        Write::new(change.summary(), operation)
    }))
}

/// The order's shipments, which stand in its document.
fn shown(now: &RemoteOrder) -> Result<Vec<Record>> {
    let Document { shipments, .. } = document(now)?;
    let record = |one: &DocumentShipment| Record {
        id: one.id.clone(),
        mark: Some(one.mark.clone()).filter(|mark| !mark.is_empty()),
        lines: one.pieces(),
        tracking: vec![one.tracking.clone()],
        ..Record::default()
    };
    Ok(shipments.iter().map(record).collect())
}

fn document(now: &RemoteOrder) -> Result<Document> {
    let unreadable = |why| Error::new(ErrorKind::Unreadable, format!("{why}; nothing was written"));
    map::document(now.document.get().as_bytes()).map_err(unreadable)
}
