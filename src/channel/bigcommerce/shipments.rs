//! Shipments: one for each delivery address and parcel.
//!
//! BigCommerce has no key of the client's for a write, and creating a shipment mails the buyer. So
//! every attempt first reads what is there: our own by a marker in the comments, others by the
//! tracking number, and, without either, by what is in them.
//!
//! **Several parcels.** A shipment has one tracking number and must have items, and no piece can be
//! in two of them. Where a dispatch goes to several addresses, it needs as many numbers as
//! addresses, in the order in which `show` lists them. Several parcels to one address are dealt the
//! pieces in the order of the lines, as evenly as whole lines allow; which box really holds what is
//! not known here, and a merchant who cares dispatches box by box with `--item`. What cannot be
//! dealt out is refused before anything is sent.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::value::RawValue;

use super::api::Api;
use super::map::parse_time;
use super::operation::{Item, NewShipment, NewStatus, Operation, Tracking};
use super::wire;
use crate::channel::matching::{self, Matched, Record};
use crate::channel::{
    DispatchPlan, RemoteOrder, Step, TrackingChange, TrackingPlan, Write, impossible, rows, whole_pieces,
};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{LineQuantity, Order, Parcel, Shipment, carrier, trackings};

/// The longest tracking number and link that the vendor's schema permits (`orderShipment_Post`).
const LONGEST_NUMBER: usize = 50;
const LONGEST_LINK: usize = 500;

/// How far the store's clock and ours may be apart when a shipment without number and marker is
/// recognised by its age.
const CLOCKS: i64 = 300;

/// A shipment that moves the order's status does so at once or, for all that is documented, a
/// little later.
const SETTLES: i64 = 3;

/// How this dispatch would be recorded, beside the order's shipments.
pub(crate) fn plan<'a>(
    api: &'a Api,
    marker: bool,
    now: &'a RemoteOrder,
    id: u64,
    shipment: &'a Shipment,
) -> Result<DispatchPlan<'a>> {
    let order = readable(now)?;
    // The store says of itself that the buyer has everything. An order that awaited its pick-up
    // does not tell any more that it takes no parcel.
    let is_done = shipment.parcels.is_empty() && status_id(now) == COMPLETED;
    let shipments = if is_done { Vec::new() } else { parts(order, shipment, marker)? };
    let documents = if shipments.is_empty() { Vec::new() } else { listed(api, id)? };
    let shown = read(&documents)?.iter().map(record).collect::<Result<_>>()?;
    let parts = shipments.iter().map(Part::wanted).collect();
    let is_open = !is_closed(now);
    let step = move |shown: &[Record], found: &Matched| {
        let left = shipments.iter().zip(&found.left);
        let writes = left.filter_map(|(part, left)| left.as_deref().map(|left| part.write(id, left)));
        let writes = writes.collect::<Result<Vec<_>>>()?;
        if writes.is_empty() && found.completes && is_open {
            close(api, (order, status_id(now)), id, shown, found)
        } else {
            Ok(Step::of(writes))
        }
    };
    let plan = DispatchPlan::new(parts, shown, step);
    Ok(DispatchPlan { mark: mark(shipment), behind: TimeDelta::seconds(CLOCKS), ..plan })
}

/// Closes the order, once its last shipment has had the time to do so by itself.
fn close(api: &Api, (order, was): (&Order, String), id: u64, shown: &[Record], found: &Matched) -> Result<Step> {
    let own = shown.iter().filter(|record| found.claimed.contains(&record.id));
    let youngest = own.filter_map(|record| record.made_at).max();
    // Waited out in one piece: an attempt looks only a few times.
    match youngest.map(|made| api.now() - made.timestamp()).filter(|age| age.abs() < SETTLES) {
        Some(age) => Ok(Step::Wait(Duration::from_secs((SETTLES - age.max(0)).unsigned_abs() + 1))),
        None => Ok(Step::Write(vec![closing(order, was, id)?])),
    }
}

fn readable(now: &RemoteOrder) -> Result<&Order> {
    now.order.as_deref().map_err(|why| {
        Error::new(
            ErrorKind::Unreadable,
            format!("the order cannot be read at the channel ({why}); nothing was written"),
        )
    })
}

/// Closed in a way that says at least as much as "shipped": refunded, partly refunded and disputed
/// orders keep their status.
fn is_closed(now: &RemoteOrder) -> bool {
    matches!(status_id(now).as_str(), "2" | "10" | "4" | "13" | "14")
}

/// The id of the status "Completed".
const COMPLETED: &str = "10";

/// The order's status id.
pub(crate) fn status_id(now: &RemoteOrder) -> String {
    serde_json::from_str::<wire::Head<'_>>(now.document.get())
        .map(|head| head.status_id.get().to_owned())
        .unwrap_or_default()
}

/// Whether the order has another status by now than the one that this write is to replace: every
/// status is taken over every other.
pub(crate) fn is_overtaken(api: &Api, operation: &Operation) -> Result<bool> {
    let Operation::SetStatus { order, was, .. } = operation else { return Ok(false) };
    // The merchant insists on an order that cannot be read.
    if was.is_empty() {
        return Ok(false);
    }
    let reply = api.get(&format!("v2/orders/{order}"), &[])?;
    if matches!(reply.status, 204 | 404) {
        return Ok(true);
    }
    let row = rows::single(&reply)?;
    let head: wire::Head<'_> = serde_json::from_str(row.get()).map_err(|_| reply.unusable("no order"))?;
    Ok(head.status_id.get() != *was)
}

fn closing(order: &Order, was: String, id: u64) -> Result<Write> {
    let status = if order.lines.iter().any(|line| line.ships) { NewStatus::Shipped } else { NewStatus::Completed };
    let word = if status == NewStatus::Shipped { "shipped" } else { "completed" };
    let operation = Operation::SetStatus { order: id, status, staff_notes: None, was };
    Write::new(format!("set the order's status to {word}"), operation)
}

/// The order's shipments, all pages of them.
fn listed(api: &Api, id: u64) -> Result<Vec<Box<RawValue>>> {
    let rows = api.all(&format!("v2/orders/{id}/shipments"))?;
    rows.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("the store has no order {id} any more; nothing was written"))
    })
}

/// A shipment that cannot be read could be the one that is looked for.
fn unreadable() -> Error {
    Error::new(ErrorKind::Unreadable, "the order's list of shipments cannot be read; nothing was written")
}

fn read(documents: &[Box<RawValue>]) -> Result<Vec<wire::Shipment<'_>>> {
    documents.iter().map(|document| serde_json::from_str(document.get()).map_err(|_| unreadable())).collect()
}

/// One shipment as it is to be.
struct Part<'s> {
    address: u64,
    place: String,
    lines: Vec<LineQuantity>,
    parcel: Option<&'s Parcel>,
    /// What stands in its comments; none where the merchant wants none.
    marker: Option<String>,
}

/// The marker's beginning; the short key of the dispatch and the number of the part within it
/// follow.
const MARKER: &str = "ordersync:";

/// The dispatch's own mark.
fn mark(shipment: &Shipment) -> String {
    let short: String = shipment.key.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("{MARKER}{short}")
}

/// The shipments that a dispatch consists of. The same each time it is asked.
fn parts<'s>(order: &Order, shipment: &'s Shipment, marker: bool) -> Result<Vec<Part<'s>>> {
    let mut parts = Vec::new();
    for (place, lines, parcel) in deal(order, shipment)? {
        let to = order.ship_to.get(place);
        let address = to.and_then(|address| address.remote_id.as_deref()).and_then(|id| id.parse().ok());
        let address = address.ok_or_else(|| impossible("the delivery address has no id that BigCommerce takes"))?;
        check(parcel)?;
        // What BigCommerce cannot ship is refused before anything is written.
        lines.iter().try_for_each(|line| item(line).map(drop))?;
        parts.push(Part {
            address,
            place: to.map(|to| to.city.clone()).unwrap_or_default(),
            lines,
            parcel,
            marker: marker.then(|| format!("{}/{}", mark(shipment), parts.len() + 1)),
        });
    }
    Ok(parts)
}

type Dealt<'s> = (usize, Vec<LineQuantity>, Option<&'s Parcel>);

/// Deals lines and parcels out: by address, and within one by parcel. What is downloaded or picked
/// up is in none.
fn deal<'s>(order: &Order, shipment: &'s Shipment) -> Result<Vec<Dealt<'s>>> {
    let mut places: Vec<(usize, Vec<LineQuantity>)> = Vec::new();
    for wanted in &shipment.lines {
        let line = order.lines.iter().find(|line| line.remote_id == wanted.line_id);
        let line = line
            .ok_or_else(|| impossible(format!("the order has no line {} at the channel any more", wanted.line_id)))?;
        if !line.ships {
            continue;
        }
        match places.iter_mut().find(|(place, _)| *place == line.ship_to) {
            Some((_, lines)) => lines.push(wanted.clone()),
            None => places.push((line.ship_to, vec![wanted.clone()])),
        }
    }
    places.sort_by_key(|(place, _)| *place);
    let parcels = &shipment.parcels;
    match (places.as_mut_slice(), parcels.len()) {
        (_, 0) => Ok(places.into_iter().map(|(place, lines)| (place, lines, None)).collect()),
        ([], _) => Err(impossible("nothing in this dispatch goes into a parcel, so it takes no tracking number")),
        ([(place, lines)], count) => {
            let boxes = boxes(lines, count)?;
            Ok(boxes.into_iter().zip(parcels).map(|(lines, parcel)| (*place, lines, Some(parcel))).collect())
        }
        (several, count) if several.len() == count => {
            Ok(places.into_iter().zip(parcels).map(|((place, lines), parcel)| (place, lines, Some(parcel))).collect())
        }
        (several, count) => {
            let text = format!(
                "this dispatch goes to {} addresses, so it takes {0} tracking numbers (one for each, in the order in which they are listed), not {count}",
                several.len()
            );
            Err(impossible(text).hint("dispatch address by address with --item, or give a --tracking for each"))
        }
    }
}

/// So many boxes with the pieces dealt to them.
fn boxes(lines: &[LineQuantity], count: usize) -> Result<Vec<Vec<LineQuantity>>> {
    crate::order::deal(lines, count).ok_or_else(|| {
        let text = format!(
            "{count} tracking numbers for {} pieces: BigCommerce takes one number for a shipment, and no shipment without a piece in it",
            crate::order::sum(lines.iter().map(|line| line.quantity)).normalize()
        );
        impossible(text).hint("give as many --tracking as there are pieces, or fewer; the buyer gets the others from you")
    })
}

fn check(parcel: Option<&Parcel>) -> Result<()> {
    match parcel {
        Some(parcel) if parcel.tracking.chars().count() > LONGEST_NUMBER => {
            Err(impossible(format!("BigCommerce takes tracking numbers of at most {LONGEST_NUMBER} characters")))
        }
        Some(Parcel { url: Some(url), .. }) if url.chars().count() > LONGEST_LINK => {
            Err(impossible(format!("BigCommerce takes links of at most {LONGEST_LINK} characters")))
        }
        _ => Ok(()),
    }
}

fn item(line: &LineQuantity) -> Result<Item> {
    let id = line.line_id.parse();
    let order_product_id =
        id.map_err(|_| impossible(format!("line {:?} has no id that BigCommerce takes", line.line_id)))?;
    Ok(Item { order_product_id, quantity: whole_pieces(line, "BigCommerce")? })
}

impl Part<'_> {
    fn wanted(&self) -> matching::Part {
        matching::Part {
            mark: self.marker.clone(),
            place: Some(self.address.to_string()),
            lines: self.lines.clone(),
            numbers: matching::numbers(self.parcel),
        }
    }

    fn write(&self, order: u64, left: &[LineQuantity]) -> Result<Write> {
        let items = left.iter().map(item).collect::<Result<Vec<Item>>>()?;
        let pieces = items.iter().fold(0u64, |pieces, item| pieces.saturating_add(item.quantity));
        let with = trackings(self.parcel);
        let to = if self.place.is_empty() { String::new() } else { format!(" to {}", self.place) };
        let tracking = Tracking { comments: self.marker.clone(), ..self.parcel.map(tracking).unwrap_or_default() };
        let shipment = NewShipment { order_address_id: self.address, tracking, items };
        let s = if pieces == 1 { "" } else { "s" };
        let summary = format!("add a shipment of {pieces} piece{s}{to} with {with}");
        Write::new(summary, Operation::Ship { order, shipment })
    }
}

/// A shipment as the matching takes it. Pieces that are not told would be taken for none, and sent
/// again.
fn record(found: &wire::Shipment<'_>) -> Result<Record> {
    let quantity = |item: &wire::ShipmentItem<'_>| {
        let quantity = item.quantity.given("quantity").map_err(|_| unreadable())?;
        Ok(LineQuantity { line_id: item.order_product_id.get().to_owned(), quantity })
    };
    let marked = found.comments.get().split_whitespace().find(|word| word.starts_with(MARKER));
    Ok(Record {
        id: found.id.get().to_owned(),
        mark: marked.map(str::to_owned),
        place: found.order_address_id.id().map(str::to_owned),
        lines: found.items.rows.iter().map(quantity).collect::<Result<_>>()?,
        tracking: Some(found.tracking_number.get())
            .filter(|number| !number.is_empty())
            .map(str::to_owned)
            .into_iter()
            .collect(),
        made_at: parse_time(found.date_created.get()),
        ..Record::default()
    })
}

/// The three ways to a tracking link, the vendor's own carriers first, then AfterShip's, then a
/// link of the carrier's. A link of the merchant's own goes before all.
fn tracking(parcel: &Parcel) -> Tracking {
    let known = carrier(&parcel.carrier);
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let (provider, slug) = known.map_or(("", ""), |carrier| (carrier.bigcommerce, carrier.aftership));
    let coded = !provider.is_empty() || !slug.is_empty();
    let link =
        parcel.url.clone().or_else(|| known.filter(|_| !coded).and_then(|carrier| carrier.url(&parcel.tracking)));
    Tracking {
        tracking_number: Some(parcel.tracking.clone()),
        shipping_provider: Some(provider.to_owned()),
        tracking_carrier: Some(if provider.is_empty() { slug.to_owned() } else { String::new() }),
        tracking_link: link,
        shipping_method: if coded { None } else { some(parcel.title()) },
        comments: None,
    }
}

/// How this tracking number would be replaced.
pub(crate) fn replacement<'a>(api: &Api, order: u64, change: &'a TrackingChange) -> Result<TrackingPlan<'a>> {
    check(Some(&change.parcel))?;
    let documents = listed(api, order)?;
    let there = read(&documents)?;
    let there = there.iter().map(|one| Ok((record(one)?, Old::of(one, &change.parcel)))).collect::<Result<_>>()?;
    Ok(TrackingPlan::in_place(there, |old: &Old| old.is_carried, move |old: &Old| replace(order, old, change)))
}

/// A shipment whose tracking changes.
struct Old {
    id: String,
    comments: String,
    /// The carrier's name, where BigCommerce has no code for it; else the way of delivery.
    method: String,
    /// It has the new carrier.
    is_carried: bool,
}

impl Old {
    fn of(one: &wire::Shipment<'_>, parcel: &Parcel) -> Self {
        let new = tracking(parcel);
        let is = |shown: &str, sent: Option<&String>| sent.is_none_or(|sent| shown.eq_ignore_ascii_case(sent));
        Self {
            id: one.id.get().to_owned(),
            comments: one.comments.get().to_owned(),
            method: one.shipping_method.get().to_owned(),
            is_carried: is(one.shipping_provider.get(), new.shipping_provider.as_ref())
                && is(one.tracking_carrier.get(), new.tracking_carrier.as_ref())
                && is(one.shipping_method.get(), new.shipping_method.as_ref()),
        }
    }
}

/// The comments go along, so that our marker stays in them however a PUT treats what it is not
/// given.
fn replace(order: u64, old: &Old, change: &TrackingChange) -> Result<Write> {
    let shipment = old.id.parse().map_err(|_| impossible("the shipment has no id that BigCommerce takes"))?;
    let comments = Some(old.comments.clone()).filter(|text| !text.is_empty());
    let new = tracking(&change.parcel);
    // The name of the carrier before would stand beside the code of the new one.
    let is_before = change.before.as_ref().is_some_and(|before| before.title() == old.method);
    let shipping_method = new.shipping_method.or(is_before.then(|| change.parcel.title().to_owned()));
    // A link that was set for the old number would outlive it.
    let tracking_link = Some(new.tracking_link.unwrap_or_default());
    let tracking = Tracking { comments, tracking_link, shipping_method, ..new };
    Write::new(change.summary(), Operation::Retrack { order, shipment, tracking })
}

#[cfg(test)]
mod tests;
