//! What a dispatch is here, and what is there: one shipment with the dispatch's key, all of it in
//! the order.

use super::api::Operation;
use super::map::{self, Document, DocumentShipment};
use crate::channel::matching::{self, Matched, Part, Record};
use crate::channel::{DispatchPlan, RemoteOrder, Step, TrackingChange, TrackingPlan, Write};
use crate::error::{Error, ErrorKind, Result};
use crate::order::Shipment;

struct Plan<'a> {
    order: &'a str,
    shipment: &'a Shipment,
    part: [Part; 1],
    shown: Vec<Record>,
}

/// How this dispatch would be recorded.
pub fn plan<'a>(now: &'a RemoteOrder, shipment: &'a Shipment) -> Result<Box<dyn DispatchPlan + 'a>> {
    let part = Part {
        mark: Some(shipment.key.clone()),
        lines: shipment.lines.clone(),
        numbers: matching::numbers(&shipment.parcels),
        ..Part::default()
    };
    Ok(Box::new(Plan { order: &now.remote_id, shipment, part: [part], shown: shown(now)? }))
}

impl DispatchPlan for Plan<'_> {
    fn parts(&self) -> &[Part] {
        &self.part
    }

    fn shown(&self) -> &[Record] {
        &self.shown
    }

    fn mark(&self) -> &str {
        &self.shipment.key
    }

    fn step(&self, found: &Matched) -> Result<Step> {
        let Some(Some(left)) = found.left.first() else { return Ok(Step::Nothing) };
        let parcel = self.shipment.parcels.first();
        let (carrier, tracking) =
            parcel.map(|parcel| (parcel.carrier.clone(), parcel.tracking.clone())).unwrap_or_default();
        let operation = Operation::Ship {
            order: self.order.to_owned(),
            mark: self.shipment.key.clone(),
            carrier,
            tracking,
            lines: left.iter().map(|line| (line.line_id.clone(), line.quantity.normalize().to_string())).collect(),
        };
        Ok(Step::Write(vec![Write::new("add a shipment", true, operation)?]))
    }
}

struct Replacement<'a> {
    order: &'a str,
    change: &'a TrackingChange,
    shown: Vec<Record>,
}

/// How this tracking number would be replaced.
pub fn replacement<'a>(now: &'a RemoteOrder, change: &'a TrackingChange) -> Result<Box<dyn TrackingPlan + 'a>> {
    Ok(Box::new(Replacement { order: &now.remote_id, change, shown: shown(now)? }))
}

impl TrackingPlan for Replacement<'_> {
    fn shown(&self) -> &[Record] {
        &self.shown
    }

    fn step(&self, old: &[&Record], _: &[&Record]) -> Result<Step> {
        let parcel = &self.change.parcel;
        let write = |record: &&Record| {
            let operation = Operation::Retrack {
                order: self.order.to_owned(),
                shipment: record.id.clone(),
                carrier: parcel.carrier.clone(),
                tracking: parcel.tracking.clone(),
            };
            Write::new(format!("replace tracking {} by {}", self.change.was, parcel.tracking), false, operation)
        };
        Ok(Step::of(old.iter().map(write).collect::<Result<_>>()?))
    }
}

/// The order's shipments, which stand in its document.
fn shown(now: &RemoteOrder) -> Result<Vec<Record>> {
    let unreadable = |why| Error::new(ErrorKind::Unreadable, format!("{why}; nothing was written"));
    let Document { shipments, .. } = map::document(now.document.get().as_bytes()).map_err(unreadable)?;
    let record = |one: &DocumentShipment| Record {
        id: one.id.clone(),
        mark: Some(one.mark.clone()).filter(|mark| !mark.is_empty()),
        lines: one.pieces(),
        tracking: vec![one.tracking.clone()],
        ..Record::default()
    };
    Ok(shipments.iter().map(record).collect())
}
