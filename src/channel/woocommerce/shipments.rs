//! Dispatch: tracking numbers in one of three homes, then the status.
//!
//! None of the homes is idempotent: a repeated POST makes a second fulfilment, tracking or note,
//! and may mail the buyer again. So each is read first, and what is there already is not written.
//! The status comes last, so that the shop's "completed" mail has the tracking number in it.

use std::rc::Rc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::api::Api;
use super::document::optional;
use super::operation::{NewStatus, NewTracking, Operation, order_route, trackings_route};
use super::settings::Tracking as Home;
use super::wire::{Fulfillment, Head, Made, Note, OUR_KEY, PROVIDER, Tracking};
use super::{map, status};
use crate::channel::json::Maybe;
use crate::channel::matching::{self, Matched, Part, Record};
use crate::channel::text::plain;
use crate::channel::{
    DispatchPlan, RemoteOrder, Step, TrackingChange, TrackingPlan, Write, impossible, number_of_pieces, rows,
};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::read_json;
use crate::order::{
    self, LineQuantity, Parcel, RemoteShipment, Shipment, Status, carrier, deal, same_carrier, same_number,
};

/// A dispatch on its way to one of the three homes.
struct Dispatch<'a> {
    api: &'a Api,
    home: Home,
    now: &'a RemoteOrder,
    id: u64,
    shipment: &'a Shipment,
    /// What goes into one entry each, in the order of the parts.
    groups: Vec<Group<'a>>,
}

/// How this dispatch would be recorded, beside what the shop shows. In their own home the parts are
/// looked for at first; then told in another one, then under the very ids that the shop gave.
pub(crate) fn plan<'a>(
    api: &'a Api,
    home: Home,
    (now, id): (&'a RemoteOrder, u64),
    shipment: &'a Shipment,
    receipts: &[String],
) -> Result<DispatchPlan<'a>> {
    // What is picked up or downloaded is done by its status: a fulfilment would tell the buyer that
    // it is on its way.
    let ships = now.order.as_ref().is_ok_and(|order| order.lines.iter().any(|line| line.ships));
    let groups = if ships || !shipment.parcels.is_empty() { groups(home, shipment) } else { Vec::new() };
    let dispatch = Dispatch { api, home, now, id, shipment, groups };
    let parts: Vec<Part> = dispatch.groups.iter().map(|(part, _)| part.clone()).collect();
    let shown = if parts.is_empty() { Vec::new() } else { dispatch.read(receipts)? };
    let dispatch = Rc::new(dispatch);
    let numbered = parts.iter().map(|part| !part.numbers.is_empty()).collect::<Vec<_>>();
    let (elsewhere, by_id) = (dispatch.clone(), dispatch.clone());
    let elsewhere = move |shown: &[Record], found: &Matched| {
        let untold = numbered.iter().zip(&found.left).any(|(numbered, left)| *numbered && left.is_some());
        if untold { elsewhere.told_elsewhere(shown) } else { Ok(Vec::new()) }
    };
    let by_id = move |_: &[Record], found: &Matched| by_id.under_its_id(found);
    let plan = DispatchPlan::new(parts, shown, move |_, found| dispatch.step(found));
    Ok(DispatchPlan { mark: shipment.key.clone(), further: vec![Box::new(elsewhere), Box::new(by_id)], ..plan })
}

impl Dispatch<'_> {
    fn step(&self, found: &Matched) -> Result<Step> {
        let left = self.groups.iter().zip(&found.left);
        let writes = left.filter_map(|(group, left)| left.as_deref().map(|left| self.write(group, left)));
        let mut writes = writes.collect::<Result<Vec<_>>>()?;
        if found.completes && !is_closed(self.now) {
            let was = self.now.order.as_ref().map_or(String::new(), |order| order.channel_status.clone());
            let operation = Operation::SetStatus { order: self.id, status: NewStatus::Completed, was };
            writes.push(Write::new("set the order's status to completed", operation)?);
        }
        Ok(Step::of(writes))
    }

    /// What the shop has acknowledged and its lists do not show.
    fn under_its_id(&self, found: &Matched) -> Result<Vec<Record>> {
        let mut more = Vec::new();
        for receipt in found.unseen.iter().filter(|_| self.home != Home::Extension) {
            if self.is_there(receipt)? {
                more.push(Record { id: receipt.clone(), ..Record::default() });
            }
        }
        Ok(more)
    }
}

/// Shipped there already, or refunded: a status that says more than "completed" is not overwritten.
fn is_closed(now: &RemoteOrder) -> bool {
    now.order.as_ref().is_ok_and(|order| {
        (order.status == Status::Shipped && order.channel_status != "processing")
            || matches!(order.channel_status.as_str(), "completed" | "refunded")
    })
}

/// Whether the order has another status by now than the one that this write is to replace: the shop
/// takes every status over every other.
pub(crate) fn is_overtaken(api: &Api, operation: &Operation) -> Result<bool> {
    let Operation::SetStatus { order, was, .. } = operation else { return Ok(false) };
    // The merchant insists on an order that cannot be read.
    if was.is_empty() {
        return Ok(false);
    }
    let reply = api.get(&order_route(*order, ""), &[("_fields", "id,status")])?;
    if reply.status == 404 {
        return Ok(true);
    }
    let row = rows::single(&reply)?;
    let head: Head<'_> = serde_json::from_str(row.get()).map_err(|_| reply.unusable("no order"))?;
    Ok(status::plain(head.status.get()) != status::plain(was))
}

/// Whether a change from "cancelled" to "completed" was noted since the dispatch was recorded: ours
/// came behind a cancellation that nothing had shown yet.
pub(crate) fn has_replaced_cancellation(api: &Api, id: u64, shipment: &Shipment) -> Result<bool> {
    let since = shipment.shipped_at - CLOCKS;
    let mut notes = optional(list_notes(api, id))?.unwrap_or_default();
    notes.retain(|note| !note.to_buyer && note.made_at.is_none_or(|at| at >= since));
    let usual = [CANCELLED, COMPLETED].map(str::to_owned);
    // A shop in another language has other words for them.
    let names =
        if notes.iter().any(|note| note.text.contains(COMPLETED)) { usual } else { names(api)?.unwrap_or(usual) };
    Ok(notes.iter().any(|note| names.iter().all(|name| note.text.contains(name.as_str()))))
}

/// What the shop calls "cancelled" and "completed"; `None` where it does not tell.
fn names(api: &Api) -> Result<Option<[String; 2]>> {
    let asked = api.get_briefly("wc/v3/orders/statuses", &[]);
    let Some(reply) = optional(asked)?.filter(|reply| reply.status != 404) else { return Ok(None) };
    let Ok((statuses, _)) = reply.json::<Vec<Value>>() else { return Ok(None) };
    let name = |slug: &str| {
        let one = statuses.iter().find(|one| one["slug"].as_str().map(status::plain).as_deref() == Some(slug))?;
        one["name"].as_str().map(plain).filter(|name| !name.is_empty())
    };
    Ok(name("cancelled").zip(name("completed")).map(|(cancelled, completed)| [cancelled, completed]))
}

/// What WooCommerce calls them in English.
const CANCELLED: &str = "Cancelled";
const COMPLETED: &str = "Completed";

/// How far the shop's clock and ours may be apart.
const CLOCKS: TimeDelta = TimeDelta::minutes(5);

/// What goes into one entry of the home: a fulfilment, a tracking, a note.
type Group<'s> = (Part, Vec<&'s Parcel>);

fn groups(home: Home, shipment: &Shipment) -> Vec<Group<'_>> {
    // An entry and a note hold a number and no pieces.
    let told = |parcels: &[Parcel]| Part { numbers: matching::numbers(parcels), ..Part::default() };
    match home {
        Home::Fulfillments => by_carrier(shipment),
        Home::Extension => {
            let parcels = shipment.parcels.chunks(1);
            parcels.map(|parcel| (told(parcel), parcel.iter().collect())).collect()
        }
        Home::Note if !shipment.parcels.is_empty() => {
            vec![(told(&shipment.parcels), shipment.parcels.iter().collect())]
        }
        Home::Note | Home::None => Vec::new(),
    }
}

/// A fulfilment holds one carrier and one link, so parcels of different carriers are fulfilments of
/// their own, each with a share of the pieces, in the order of the lines. Where there are fewer
/// pieces than carriers, all numbers stand in one, without a carrier.
fn by_carrier(shipment: &Shipment) -> Vec<Group<'_>> {
    let mut carriers: Vec<Vec<&Parcel>> = Vec::new();
    for parcel in &shipment.parcels {
        match carriers.iter_mut().find(|same| same.first().is_some_and(|first| provider(first) == provider(parcel))) {
            Some(same) => same.push(parcel),
            None => carriers.push(vec![parcel]),
        }
    }
    let shares = (carriers.len() > 1).then(|| deal(&shipment.lines, carriers.len())).flatten();
    let shares = shares.unwrap_or_else(|| {
        carriers = vec![shipment.parcels.iter().collect()];
        vec![shipment.lines.clone()]
    });
    let numbered = shares.into_iter().zip(carriers).enumerate();
    let groups = numbered.map(|(nth, (lines, parcels))| {
        let mark = if nth == 0 { shipment.key.clone() } else { format!("{}/{}", shipment.key, nth + 1) };
        let numbers = matching::numbers(parcels.iter().copied());
        (Part { mark: Some(mark), lines, numbers, ..Part::default() }, parcels)
    });
    groups.collect()
}

impl Dispatch<'_> {
    /// Reads what stands in the home of this dispatch.
    fn read(&self, receipts: &[String]) -> Result<Vec<Record>> {
        match self.home {
            Home::Fulfillments => self.read_fulfillments(receipts),
            Home::Extension => Ok(trackings(self.api, self.id)?.into_iter().map(|(record, _)| record).collect()),
            Home::Note => {
                let record =
                    |note: OrderNote| Record { id: note.receipt(), tracking: vec![note.text], ..Record::default() };
                Ok(self.notes_that_count()?.into_iter().map(record).collect())
            }
            Home::None => Ok(Vec::new()),
        }
    }

    fn read_fulfillments(&self, receipts: &[String]) -> Result<Vec<Record>> {
        let text = list_fulfillments(self.api, self.id)?.to_string();
        let there = read_fulfillments(&text)?;
        let own = |one: &&Fulfillment<'_>| {
            one.is_made() || one.meta(OUR_KEY).is_some() || receipts.iter().any(|ours| ours == one.id.get())
        };
        // What the shop has fulfilled by itself has not gone out.
        let order = map::parse(self.now.document.get()).ok();
        let is_by_itself = |one: &Fulfillment<'_>| order.as_ref().is_some_and(|o| map::is_by_itself(o, one));
        let record = |one| fulfilled(one).map(|record| Record { draft: record.draft || is_by_itself(one), ..record });
        there.iter().filter(own).map(record).collect()
    }

    fn write(&self, (part, parcels): &Group<'_>, left: &[LineQuantity]) -> Result<Write> {
        match self.home {
            Home::Fulfillments => self.fulfillment(part, parcels, left),
            Home::Extension => {
                let parcel = parcels.first().ok_or_else(|| impossible("an entry tells of a parcel"))?;
                let tracking = tracking(parcel, self.shipment.shipped_at);
                let operation = Operation::AddTracking { namespace: namespace(self.api), order: self.id, tracking };
                Write::new(format!("add {}", order::trackings([*parcel])), operation)
            }
            Home::Note | Home::None => self.note(parcels),
        }
    }

    /// Looks for what the shop has acknowledged under its own id, where the list does not show it.
    fn is_there(&self, receipt: &str) -> Result<bool> {
        let (route, id) = match receipt.split_once(' ') {
            Some(("note", id)) => ("notes", id),
            _ => ("fulfillments", receipt),
        };
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(false);
        }
        match self.api.get(&order_route(self.id, &format!("/{route}/{id}")), &[]) {
            // A cache that heeds a part of the address gives another answer.
            Ok(reply) => Ok(reply.status != 404 && made(&reply.body).is_some_and(|it| it == id)),
            Err(error) if matches!(error.kind(), ErrorKind::Failed | ErrorKind::NoStore) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What the shop tells of tracking numbers in the other homes (D-4). The parcels of a tracking
    /// plugin stand in the order, beside the fulfilments that are known already.
    fn told_elsewhere(&self, shown: &[Record]) -> Result<Vec<Record>> {
        let mut more = Vec::new();
        if self.home != Home::Extension {
            let shipments = self.now.order.iter().flat_map(|order| &order.shipments);
            let parcel = |one: &RemoteShipment| elsewhere(&one.remote_id, matching::numbers(&one.parcels));
            let known = |one: &&RemoteShipment| shown.iter().any(|record| record.id == one.remote_id);
            more.extend(shipments.filter(|one| !known(one)).map(parcel));
        }
        if self.home != Home::Note {
            more.extend(self.notes_that_count()?.into_iter().map(|note| elsewhere(&note.receipt(), vec![note.text])));
        }
        if self.home != Home::Fulfillments && self.api.facts().fulfillments {
            let text = list_fulfillments(self.api, self.id)?.to_string();
            let made = read_fulfillments(&text)?;
            let numbers = |one: &Fulfillment<'_>| one.meta("_tracking_number").into_iter().collect();
            more.extend(made.iter().filter(|one| one.is_made()).map(|one| elsewhere(one.id.get(), numbers(one))));
        }
        Ok(more)
    }

    /// The order's notes; a note that only the staff sees has told the buyer nothing.
    fn notes_that_count(&self) -> Result<Vec<OrderNote>> {
        let mut notes = list_notes(self.api, self.id)?;
        notes.retain(|note| note.to_buyer || !self.shipment.notify);
        Ok(notes)
    }

    fn fulfillment(&self, part: &Part, parcels: &[&Parcel], left: &[LineQuantity]) -> Result<Write> {
        let items = left.iter().map(item).collect::<Result<Vec<Value>>>()?;
        let mut entries = vec![entry("_items", json!(items)), entry(OUR_KEY, json!(part.mark))];
        if let Some(first) = parcels.first() {
            entries.push(entry("_tracking_number", json!(numbers(parcels))));
            let one_carrier = parcels.iter().all(|parcel| provider(parcel) == provider(first));
            if one_carrier {
                entries.push(entry(PROVIDER, json!(provider(first))));
                entries.extend(first.link().map(|link| entry("_tracking_url", json!(link))));
            }
        }
        let operation = Operation::Fulfill { order: self.id, entries, notify: self.shipment.notify };
        let what = order::trackings(parcels.iter().copied());
        Write::new(format!("add a fulfilment with {what}"), operation)
    }
}

/// A fulfilment as the matching takes it. Some versions drop entries, our key, the items and the
/// number among them.
fn fulfilled(one: &Fulfillment<'_>) -> Result<Record> {
    Ok(Record {
        id: one.id.get().to_owned(),
        mark: one.meta(OUR_KEY),
        lines: contents(one)?,
        tracking: one.meta("_tracking_number").into_iter().collect(),
        draft: !one.is_made(),
        ..Record::default()
    })
}

/// Pieces that cannot be read would be taken for none, and sent again.
fn contents(one: &Fulfillment<'_>) -> Result<Vec<LineQuantity>> {
    one.contents().map_err(|why| {
        let text = format!("what is in fulfilment {} cannot be read ({why}); nothing was written", one.id.get());
        Error::new(ErrorKind::Unreadable, text).hint("correct or delete it in the shop's order screen")
    })
}

fn elsewhere(id: &str, tracking: Vec<String>) -> Record {
    Record { id: id.to_owned(), tracking, elsewhere: true, ..Record::default() }
}

fn read_fulfillments(text: &str) -> Result<Vec<Fulfillment<'_>>> {
    serde_json::from_str(text).map_err(|_| {
        Error::new(ErrorKind::Unreadable, "the shop's list of fulfilments cannot be read; nothing was written")
    })
}

fn list_fulfillments(api: &Api, id: u64) -> Result<Value> {
    let reply = api.get(&order_route(id, "/fulfillments"), &[])?;
    let (listed, _) = reply.json::<Value>()?;
    // Bare list in 10.5; `{"fulfillments": [...]}` was seen in its beta.
    let list = listed.get("fulfillments").unwrap_or(&listed);
    if !list.is_array() {
        // Taken for an empty list, it would have the buyer told again.
        return Err(reply.unusable("no list of fulfilments"));
    }
    Ok(list.clone())
}

/// New meta entries need `"id": 0`; without it they are dropped in silence.
fn entry(key: &str, value: Value) -> Value {
    json!({ "id": 0, "key": key, "value": value })
}

fn item(line: &crate::order::LineQuantity) -> Result<Value> {
    let id: u64 = line
        .line_id
        .parse()
        .map_err(|_| impossible(format!("line {:?} has no id that WooCommerce takes", line.line_id)))?;
    Ok(json!({ "item_id": id, "qty": number_of_pieces(line, "WooCommerce")? }))
}

fn numbers(parcels: &[&Parcel]) -> String {
    parcels.iter().map(|parcel| parcel.tracking.as_str()).collect::<Vec<_>>().join(", ")
}

fn provider(parcel: &Parcel) -> String {
    let known = carrier(&parcel.carrier).map(|carrier| carrier.woocommerce).filter(|key| !key.is_empty());
    known.unwrap_or(parcel.title()).to_owned()
}

/// The Shipment Tracking extension: an entry for each parcel, which tells a number and nothing of
/// pieces; and the name of its carrier.
fn trackings(api: &Api, id: u64) -> Result<Vec<(Record, String)>> {
    let reply = api.get(&trackings_route(&namespace(api), id), &[])?;
    let (there, _) = reply.json::<Vec<Tracking<'_>>>()?;
    let record = |entry: &Tracking<'_>| Record {
        id: entry.tracking_id.get().to_owned(),
        tracking: vec![entry.tracking_number.get().to_owned()],
        shared: true,
        ..Record::default()
    };
    let carrier = |entry: &Tracking<'_>| {
        let custom = entry.custom_tracking_provider.get();
        if custom.is_empty() { entry.tracking_provider.get() } else { custom }.to_owned()
    };
    Ok(there.iter().map(|entry| (record(entry), carrier(entry))).collect())
}

/// Where the extension's routes are.
fn namespace(api: &Api) -> String {
    api.facts().shipment_tracking.unwrap_or_else(|| "wc/v3".to_owned())
}

fn tracking(parcel: &Parcel, shipped_at: Timestamp) -> NewTracking {
    NewTracking {
        custom_tracking_provider: parcel.title().to_owned(),
        tracking_number: parcel.tracking.clone(),
        date_shipped: shipped_at.format("%Y-%m-%d").to_string(),
        custom_tracking_link: parcel.link(),
    }
}

impl Dispatch<'_> {
    /// An order note with all tracking numbers.
    fn note(&self, parcels: &[&Parcel]) -> Result<Write> {
        let line = |parcel: &&Parcel| {
            let link = parcel.link().map_or_else(String::new, |link| format!(" {link}"));
            format!("{}, tracking number {}{link}", parcel.title(), parcel.tracking).trim_start_matches(", ").to_owned()
        };
        let text = format!("Shipped with {}", parcels.iter().map(line).collect::<Vec<_>>().join("; "));
        let summary = format!("add an order note with {}", order::trackings(parcels.iter().copied()));
        Write::new(summary, Operation::AddNote { order: self.id, text, to_buyer: self.shipment.notify })
    }
}

/// How this tracking number would be replaced.
pub(crate) fn replacement<'a>(
    api: &'a Api,
    home: Home,
    id: u64,
    change: &'a TrackingChange,
    receipts: &[String],
) -> Result<TrackingPlan<'a>> {
    match home {
        Home::Fulfillments => {
            let there = made_ones(&list_fulfillments(api, id)?)?;
            let is_carried = |(_, old): &(Record, Value)| {
                let mut entries = old["meta_data"].as_array().into_iter().flatten();
                let shown = entries.find(|entry| entry["key"] == PROVIDER).and_then(|entry| entry["value"].as_str());
                same_carrier(shown.unwrap_or_default(), &provider(&change.parcel))
            };
            Ok(TrackingPlan::in_place(there, is_carried, move |(record, old): &(Record, Value)| {
                replace_in(id, record, old, change)
            }))
        }
        Home::Extension => {
            let (shown, carriers): (Vec<Record>, Vec<String>) = trackings(api, id)?.into_iter().unzip();
            let ids: Vec<String> = shown.iter().map(|record| record.id.clone()).collect();
            // What the shop has made of this change is the new one, whatever it calls the carrier:
            // taken for an old one, it would be deleted.
            let is_carried = |(record, shown): (&Record, &String)| {
                receipts.contains(&record.id) || same_carrier(shown, change.parcel.title())
            };
            let carried = shown.iter().zip(&carriers).map(is_carried).collect();
            let writes = move |old: &[usize], is_new: bool| {
                replace_entries(api, id, old.iter().filter_map(|place| ids.get(*place)), is_new, change)
            };
            Ok(TrackingPlan { shown, carried, writes: Box::new(writes) })
        }
        Home::Note | Home::None => Err(Error::new(
            ErrorKind::Unsupported,
            "this shop keeps tracking numbers in order notes, which cannot be changed; nothing was written",
        )
        .hint("add a note with the new number in the shop's order screen")),
    }
}

/// The fulfilments that went out, each with its document. A draft would go out with its new number.
fn made_ones(list: &Value) -> Result<Vec<(Record, (Record, Value))>> {
    let text = list.to_string();
    let all = read_fulfillments(&text)?;
    let each = all.iter().zip(list.as_array().into_iter().flatten()).filter(|(one, _)| one.is_made());
    each.map(|(one, document)| fulfilled(one).map(|record| (record.clone(), (record, document.clone())))).collect()
}

/// The receipt of a write: the id of what the shop says that it has made.
pub(super) fn receipt(operation: &Operation, body: &[u8]) -> Option<String> {
    match operation {
        Operation::AddNote { .. } => made(body).map(|id| format!("note {id}")),
        Operation::Fulfill { .. } | Operation::AddTracking { .. } => made(body),
        Operation::SetStatus { .. }
        | Operation::Retrack { .. }
        | Operation::RemoveTracking { .. }
        | Operation::Subscribe { .. }
        | Operation::Resume { .. }
        | Operation::Unsubscribe { .. } => None,
    }
}

/// The id of the one thing in an answer.
fn made(body: &[u8]) -> Option<String> {
    let (Maybe(made), _) = read_json::<Maybe<Made<'_>>>(body).ok()?;
    made.tracking_id.id().or(made.id.id()).map(str::to_owned)
}

/// A PUT has to carry every entry again: what is left out is deleted.
fn replace_in(order: u64, record: &Record, old: &Value, change: &TrackingChange) -> Result<Write> {
    let numbers = record.tracking.join(", ");
    let fulfillment = record.id.parse().map_err(|_| impossible("the fulfilment has no id that WooCommerce takes"))?;
    let mut entries: Vec<Value> = old["meta_data"].as_array().cloned().unwrap_or_default();
    entries.retain(|entry| entry["key"] != "_tracking_url");
    for entry in &mut entries {
        match entry["key"].as_str() {
            Some("_tracking_number") => entry["value"] = json!(replaced(&numbers, change)),
            Some(PROVIDER) => entry["value"] = json!(provider(&change.parcel)),
            _ => {}
        }
    }
    // It went out without a carrier.
    let is_alone = same_number(&numbers, &change.was) && !change.parcel.carrier.is_empty();
    if is_alone && !entries.iter().any(|entry| entry["key"] == PROVIDER) {
        entries.push(entry(PROVIDER, json!(provider(&change.parcel))));
    }
    entries.extend(change.parcel.link().map(|link| entry("_tracking_url", json!(link))));
    // One of a plugin that is delivered already stays so.
    let status = old["status"].as_str().filter(|status| !status.is_empty()).unwrap_or("fulfilled").to_owned();
    Write::new(change.summary(), Operation::Retrack { order, fulfillment, status, entries, notify: change.notify })
}

/// The extension's entries cannot be changed: the new one is added before the old ones go.
fn replace_entries<'i>(
    api: &Api,
    order: u64,
    old: impl Iterator<Item = &'i String>,
    is_new: bool,
    change: &TrackingChange,
) -> Result<Vec<Write>> {
    let mut writes = Vec::new();
    if !is_new {
        let tracking = tracking(&change.parcel, api.now());
        let operation = Operation::AddTracking { namespace: namespace(api), order, tracking };
        writes.push(Write::new(change.summary(), operation)?);
    }
    for id in old.filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric())) {
        let operation = Operation::RemoveTracking { namespace: namespace(api), order, tracking: id.clone() };
        let which = if change.is_of_carrier() { " of the carrier before" } else { "" };
        writes.push(Write::new(format!("remove tracking {}{which}", change.was), operation)?);
    }
    Ok(writes)
}

/// The numbers of a fulfilment with the new one in the place of the old one, however that is
/// written there.
fn replaced(numbers: &str, change: &TrackingChange) -> String {
    let new = change.parcel.tracking.as_str();
    let numbers: Vec<&str> = numbers.split(',').map(str::trim).collect();
    if !numbers.iter().any(|number| same_number(number, &change.was)) {
        return new.to_owned();
    }
    let each = numbers.iter().map(|number| if same_number(number, &change.was) { new } else { number });
    each.collect::<Vec<_>>().join(", ")
}

/// A note of an order, its text without the signs and tags that a shop may dress it in.
pub(super) struct OrderNote {
    id: String,
    /// What stands in it.
    pub(crate) text: String,
    to_buyer: bool,
    made_at: Option<Timestamp>,
}

impl OrderNote {
    fn receipt(&self) -> String {
        format!("note {}", self.id)
    }
}

/// The order's notes.
pub(super) fn list_notes(api: &Api, id: u64) -> Result<Vec<OrderNote>> {
    let reply = api.get(&order_route(id, "/notes"), &[])?;
    let (notes, _) = reply.json::<Vec<Note<'_>>>()?;
    let read = |note: &Note<'_>| OrderNote {
        id: note.id.get().to_owned(),
        text: plain(note.note.get()),
        to_buyer: note.customer_note.get() == "true",
        made_at: map::parse_time(note.date_created_gmt.get()),
    };
    Ok(notes.iter().map(read).collect())
}
