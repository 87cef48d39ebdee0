//! Dispatch: one shipment with all of its tracking numbers.
//!
//! The call is not idempotent, and cuts in silence what is more than what is left. So each attempt
//! first reads the order's shipments, and knows its own by a key in a comment that only the staff
//! sees; without it by its numbers and what is in it.

use chrono::TimeDelta;
use serde_json::value::RawValue;

use super::api::Api;
use super::document::{SHIPMENT, SHIPMENTS};
use super::lines::Rows;
use super::map::time;
use super::operation::{InParts, Item, NewShipment, Operation, Track};
use super::settings::Settings;
use super::status::{CANCELED, CLOSED, HELD, REVIEW};
use super::wire;
use crate::channel::matching::{self, Matched, Part, Record};
use crate::channel::{
    DispatchPlan, RemoteOrder, Step, TrackingChange, TrackingPlan, Write, impossible, number_of_pieces,
};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{LineQuantity, Order, Parcel, Shipment, carrier, same_carrier, same_number, trackings};

/// How far the shop's clock and ours may be apart when a shipment without number and key is
/// recognised by its age.
const CLOCKS: i64 = 300;

/// The longest tracking number and title that the shop's database takes.
const LONGEST: usize = 255;

/// What our key begins with.
const MARKER: &str = "ordersync:";

/// How this dispatch would be recorded, beside the order's shipments.
pub(crate) fn plan<'a>(
    api: &'a Api,
    settings: &'a Settings,
    now: &'a RemoteOrder,
    id: u64,
    shipment: &'a Shipment,
) -> Result<DispatchPlan<'a>> {
    let order = now.order.as_deref().map_err(|why| unreadable(why))?;
    let document: wire::Order<'_> = serde_json::from_str(now.document.get()).map_err(|_| unreadable("its document"))?;
    let rows = Rows::of(&document);
    let lines = parcelled(order, &rows, &shipment.lines)?;
    shipment.parcels.iter().try_for_each(check)?;
    // What the shop cannot ship is refused before anything is written.
    lines.iter().try_for_each(|line| item(line).map(drop))?;
    if lines.is_empty() && !shipment.parcels.is_empty() {
        return Err(impossible("nothing in this dispatch goes into a parcel, so it takes no tracking number"));
    }
    let mark = mark(shipment);
    let part = Part {
        mark: settings.marker.then(|| mark.clone()),
        numbers: matching::numbers(&shipment.parcels),
        lines,
        ..Part::default()
    };
    let parts = if part.lines.is_empty() { Vec::new() } else { vec![part] };
    let listed = if parts.is_empty() { Vec::new() } else { listed(api, id)? };
    let shown = read(&listed)?.iter().map(|one| record(one, &rows, order)).collect::<Result<_>>()?;
    let bundles = bundles(&rows, order)?;
    let state = document.state.get().to_owned();
    let step = move |shown: &[Record], found: &Matched| match found.left.first() {
        Some(Some(left)) => {
            may_ship(&state)?;
            let marker = settings.marker.then(|| mark.clone());
            let source = source(api, settings)?;
            let known = shown.iter().map(|record| record.id.clone()).collect();
            let operation = Operation::Ship {
                order: id,
                shipment: new_shipment(shipment, left, (marker, source))?,
                in_parts: in_parts(left, &bundles)?,
                known,
            };
            let summary = format!("add a shipment with {}", trackings(&shipment.parcels));
            Ok(Step::Write(vec![Write::new(summary, operation)?]))
        }
        _ => Ok(Step::Nothing),
    };
    let plan = DispatchPlan::new(parts, shown, step);
    Ok(DispatchPlan { mark: self::mark(shipment), behind: TimeDelta::seconds(CLOCKS), ..plan })
}

fn unreadable(why: &str) -> Error {
    Error::new(ErrorKind::Unreadable, format!("the order cannot be read at the channel ({why}); nothing was written"))
}

/// The dispatch's own key.
fn mark(shipment: &Shipment) -> String {
    let short: String = shipment.key.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("{MARKER}{short}")
}

/// Those of the lines that go into a parcel, each once: of two rows for one line the shop counts
/// one. A bundle that ships in its parts is these.
fn parcelled(order: &Order, rows: &Rows<'_, '_>, lines: &[LineQuantity]) -> Result<Vec<LineQuantity>> {
    let mut found: Vec<LineQuantity> = Vec::new();
    let mut add = |more: LineQuantity| match found.iter_mut().find(|known| known.line_id == more.line_id) {
        Some(known) => known.quantity = known.quantity.saturating_add(more.quantity),
        None => found.push(more),
    };
    let ships = |id: &str| order.lines.iter().any(|line| line.remote_id == id && line.ships);
    for wanted in lines {
        if !order.lines.iter().any(|line| line.remote_id == wanted.line_id) {
            return Err(impossible(format!("the order has no line {} at the channel any more", wanted.line_id)));
        }
        if ships(&wanted.line_id) {
            add(wanted.clone());
        } else {
            let parts = rows.parts_of(wanted).map_err(|why| unreadable(&why))?.unwrap_or_default();
            parts.into_iter().filter(|part| ships(&part.line_id)).for_each(&mut add);
        }
    }
    Ok(found)
}

/// A line that may be a bundle.
struct Bundle {
    line: LineQuantity,
    sku: String,
    /// The pieces of its parts in all of it.
    parts: Vec<LineQuantity>,
}

fn bundles(rows: &Rows<'_, '_>, order: &Order) -> Result<Vec<Bundle>> {
    let mut found = Vec::new();
    for line in order.lines.iter().filter(|line| line.ships) {
        let all = LineQuantity { line_id: line.remote_id.clone(), quantity: line.quantity };
        let parts = rows.parts_of(&all).map_err(|why| unreadable(&why))?;
        found.extend(parts.map(|parts| Bundle { line: all, sku: line.sku.clone(), parts }));
    }
    Ok(found)
}

/// The rows of a shipment as they are where a bundle ships in its parts; none without a bundle.
fn in_parts(left: &[LineQuantity], bundles: &[Bundle]) -> Result<Vec<InParts>> {
    let bundle_of = |line: &LineQuantity| bundles.iter().find(|bundle| bundle.line.line_id == line.line_id);
    if left.iter().all(|line| bundle_of(line).is_none()) {
        return Ok(Vec::new());
    }
    let row = |line: &LineQuantity| {
        let Some(bundle) = bundle_of(line) else { return Ok(InParts { bundle: None, rows: vec![item(line)?] }) };
        let share = |part: &LineQuantity| {
            let pieces = part.quantity.saturating_mul(line.quantity).checked_div(bundle.line.quantity);
            LineQuantity { quantity: pieces.unwrap_or(part.quantity).round_dp(4), ..part.clone() }
        };
        let rows = bundle.parts.iter().map(|part| item(&share(part))).collect::<Result<_>>()?;
        Ok(InParts { bundle: Some(bundle.sku.clone()), rows })
    };
    left.iter().map(row).collect()
}

fn new_shipment(
    shipment: &Shipment,
    left: &[LineQuantity],
    (marker, source): (Option<String>, Option<String>),
) -> Result<NewShipment> {
    let items = left.iter().map(item).collect::<Result<_>>()?;
    let tracks = shipment.parcels.iter().map(track).collect();
    Ok(NewShipment { items, tracks, notify: shipment.notify, marker, source })
}

/// What the shop ships nothing of.
pub(super) fn may_ship(state: &str) -> Result<()> {
    match state {
        HELD => Err(impossible(
            "the order is on hold at the shop, which ships no held order: take the hold off there first",
        )),
        REVIEW => Err(impossible("the order's payment is under review at the shop: decide that there first")),
        CANCELED | CLOSED => {
            Err(impossible(format!("the order is {state} at the shop, which ships nothing of it any more")))
        }
        _ => Ok(()),
    }
}

/// The source that ships, where the shop has to be told.
pub(super) fn source(api: &Api, settings: &Settings) -> Result<Option<String>> {
    let sources = api.facts().sources;
    let known = || sources.join(", ");
    let hint = "ordersync config set STORE.source CODE; ordersync connect --test STORE reads them anew";
    match &settings.source {
        Some(source) if !sources.is_empty() && !sources.contains(source) => {
            Err(impossible(format!("the shop has no enabled source {source:?}, only {}", known())).hint(hint))
        }
        None if sources.len() > 1 => Err(impossible(format!(
            "the shop ships from several sources, and which one ships this is not set: {}",
            known()
        ))
        .hint(hint)),
        source => Ok(source.clone()),
    }
}

fn check(parcel: &Parcel) -> Result<()> {
    if parcel.tracking.chars().count() > LONGEST || parcel.title().chars().count() > LONGEST {
        return Err(impossible(format!("Magento takes tracking numbers and carriers of at most {LONGEST} characters")));
    }
    Ok(())
}

fn item(line: &LineQuantity) -> Result<Item> {
    let id = line.line_id.parse();
    let order_item_id = id.map_err(|_| impossible(format!("line {:?} has no id that Magento takes", line.line_id)))?;
    Ok(Item { order_item_id, qty: number_of_pieces(line, "Magento")? })
}

/// The modules that Magento has for carriers are of the United States; all others are known by
/// their names.
fn track(parcel: &Parcel) -> Track {
    let code = match carrier(&parcel.carrier).map(|carrier| carrier.name) {
        Some("ups") => "ups",
        Some("usps") => "usps",
        Some("fedex") => "fedex",
        Some("dhl-express") => "dhl",
        _ => "custom",
    };
    let title = if parcel.title().is_empty() { "Tracking" } else { parcel.title() };
    Track { track_number: parcel.tracking.clone(), title: title.to_owned(), carrier_code: code }
}

/// The order's shipments as they are now.
fn listed(api: &Api, id: u64) -> Result<Vec<Box<RawValue>>> {
    match api.of_orders(SHIPMENTS, &[id.to_string().as_str()], SHIPMENT) {
        Err(error) if error.kind() == ErrorKind::Permission => {
            let text = "the integration may not read shipments, so a dispatch could go out twice; nothing was written";
            let hint = "tick Sales > Operations > Shipments in the shop's admin (System > Extensions > Integrations), then ordersync connect --test STORE";
            Err(Error::new(ErrorKind::Permission, text).hint(hint))
        }
        rows => rows,
    }
}

/// A shipment that cannot be read could be the one that is looked for, and a comment our key.
fn read(rows: &[Box<RawValue>]) -> Result<Vec<wire::Shipment<'_>>> {
    let is_whole = |one: &wire::Shipment<'_>| one.comments.0.iter().all(Option::is_some);
    let each = rows.iter().map(|row| serde_json::from_str(row.get()).ok().filter(is_whole));
    each.map(|one| one.ok_or_else(|| unreadable("one of its shipments"))).collect()
}

/// A shipment as the matching takes it.
fn record(one: &wire::Shipment<'_>, rows: &Rows<'_, '_>, order: &Order) -> Result<Record> {
    let ships = |part: &LineQuantity| order.lines.iter().all(|line| line.remote_id != part.line_id || line.ships);
    let mut lines = rows.contents(one).map_err(|why| unreadable(&why))?;
    lines.retain(ships);
    let words = one.comments.0.iter().flatten().flat_map(|comment| comment.comment.get().split_whitespace());
    Ok(Record {
        id: one.entity_id.get().to_owned(),
        mark: words.filter(|word| word.starts_with(MARKER)).map(str::to_owned).next(),
        lines,
        tracking: one
            .tracks
            .0
            .iter()
            .map(|track| track.track_number.get().to_owned())
            .filter(|number| !number.is_empty())
            .collect(),
        made_at: time(&one.created_at, "created_at").ok().flatten(),
        ..Record::default()
    })
}

/// A tracking number of a shipment.
struct Old {
    id: String,
    shipment: String,
    number: String,
    carrier: String,
}

/// How this tracking number would be replaced. A number cannot be changed where it stands: the new
/// one is added to its shipment before the old one goes. The buyer is mailed last.
pub(crate) fn replacement<'a>(api: &Api, order: u64, change: &'a TrackingChange) -> Result<TrackingPlan<'a>> {
    check(&change.parcel)?;
    let rows = listed(api, order)?;
    let mut there = Vec::new();
    for one in read(&rows)? {
        there.extend(one.tracks.0.iter().map(|track| Old {
            id: track.entity_id.get().to_owned(),
            shipment: one.entity_id.get().to_owned(),
            number: track.track_number.get().to_owned(),
            carrier: track.title.get().to_owned(),
        }));
    }
    let record = |old: &Old| Record { id: old.id.clone(), tracking: vec![old.number.clone()], ..Record::default() };
    let shown = there.iter().map(record).collect();
    let carried = there.iter().map(|old| is_carried(old, change)).collect();
    let writes = move |places: &[usize], _: bool| {
        let old: Vec<&Old> = places.iter().filter_map(|place| there.get(*place)).collect();
        retrack(order, &there, &old, change)
    };
    Ok(TrackingPlan { shown, carried, writes: Box::new(writes) })
}

fn retrack(order: u64, there: &[Old], old: &[&Old], change: &TrackingChange) -> Result<Vec<Write>> {
    let is_new = |one: &&Old| same_number(&one.number, &change.parcel.tracking) && is_carried(one, change);
    let old: Vec<&&Old> = old.iter().filter(|one| !is_new(one)).collect();
    let mut told: Vec<&str> = there.iter().filter(is_new).map(|one| one.shipment.as_str()).collect();
    let mut writes = Vec::new();
    for one in &old {
        if told.contains(&one.shipment.as_str()) {
            continue;
        }
        told.push(&one.shipment);
        let operation = Operation::AddTrack { order, shipment: number(&one.shipment)?, track: track(&change.parcel) };
        writes.push(Write::new(change.summary(), operation)?);
    }
    let which = if change.is_of_carrier() { " of the carrier before" } else { "" };
    for one in &old {
        let operation = Operation::RemoveTrack { track: number(&one.id)? };
        writes.push(Write::new(format!("remove tracking {}{which}", change.was), operation)?);
    }
    if change.notify {
        told.sort_unstable();
        told.dedup();
        for shipment in told {
            let operation = Operation::Mail { shipment: number(shipment)? };
            writes.push(Write::new("mail the buyer the shipment as it is now", operation)?.traceless());
        }
    }
    Ok(writes)
}

fn is_carried(old: &Old, change: &TrackingChange) -> bool {
    same_carrier(&old.carrier, change.parcel.title())
}

fn number(id: &str) -> Result<u64> {
    id.parse().map_err(|_| impossible("the shipment has no id that Magento takes"))
}

#[cfg(test)]
mod tests;
