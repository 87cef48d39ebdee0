//! Dispatch: tracking numbers in one of three homes, then the status.
//!
//! None of the homes is idempotent: a repeated POST makes a second fulfilment, tracking or note, and may mail the buyer again
//! (fact sheet, 4.2 to 4.4 and observed 25). So each is read first, and what is there already is not written. The status comes last, so
//! that the shop's "completed" mail has the tracking number in it.

use std::time::Duration;

use reqwest::Method;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::api::{Api, Operation};
use super::settings::Tracking as Home;
use super::text::plain;
use super::wire::{Fulfillment, Made, Maybe, Note, Tracking};
use crate::channel::matching::{self, Claim, Matched, Part, Record, matched, to_retrack};
use crate::channel::{Outstanding, RemoteOrder, Retracking, Task, Write, impossible};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::read_json;
use crate::order::{
    LineQuantity, Parcel, RemoteShipment, Shipment, Status, carrier, deal, left, names_number, same_number, sum,
};

/// How soon to look again for what the shop took and does not show.
const UNSEEN: Duration = Duration::from_millis(300);

/// The order meta of a fulfilment by which we know our own again. Random, so it may be seen by anybody (observed 28).
const OUR_KEY: &str = "_ordersync_shipment";

/// What is still to be written for this shipment.
pub fn outstanding(api: &Api, home: Home, now: &RemoteOrder, task: &Task, shipment: &Shipment) -> Result<Outstanding> {
    let id = task.remote_id.as_str();
    let dispatch = Dispatch { api, home, now, task, shipment };
    let mut found = match home {
        Home::Fulfillments => dispatch.fulfillments()?,
        Home::Extension => dispatch.trackings()?,
        Home::Note => dispatch.notes()?,
        Home::None => Found::default(),
    };
    if shipment.completes && !is_closed(now) {
        found.writes.push(Write {
            summary: "set the order's status to completed".to_owned(),
            tells_buyer: true,
            content: call(Method::PUT, format!("wc/v3/orders/{id}"), &[], json!({ "status": "completed" })),
        });
    }
    // An entry or a note tells of no pieces: one that is missing is told for all of them.
    let of_none = !found.unseen && found.pieces.is_empty() && found.adopted.is_empty() && !found.writes.is_empty();
    let pieces = if of_none { shipment.lines.clone() } else { found.pieces };
    Ok(Outstanding { writes: found.writes, wait: found.unseen.then_some(UNSEEN), adopted: found.adopted, pieces })
}

/// Shipped there already, or refunded: a status that says more than "completed" is not overwritten.
fn is_closed(now: &RemoteOrder) -> bool {
    now.order.as_ref().is_ok_and(|order| {
        (order.status == Status::Shipped && order.channel_status != "processing")
            || matches!(order.channel_status.as_str(), "completed" | "refunded")
    })
}

#[derive(Default)]
struct Found {
    writes: Vec<Write>,
    /// The shop took a write and does not show it yet (a cache, a replica that lags): it is not made again.
    unseen: bool,
    adopted: Vec<String>,
    pieces: Vec<LineQuantity>,
}

impl From<(Matched, Vec<Write>)> for Found {
    /// While anything that the shop took is not shown nothing is written: it may be what seems to be missing.
    fn from((matched, writes): (Matched, Vec<Write>)) -> Self {
        let unseen = matched.is_short() && !matched.unseen.is_empty();
        let (writes, pieces) = if unseen { Default::default() } else { (writes, matched.pieces()) };
        Self { writes, unseen, pieces, adopted: matched.claimed }
    }
}

pub(super) fn call(method: Method, route: String, query: &[(&str, &str)], body: Value) -> Value {
    let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    json!(Operation { method: method.to_string(), route, query, body })
}

/// A dispatch on its way to one of the three homes.
struct Dispatch<'a> {
    api: &'a Api,
    home: Home,
    now: &'a RemoteOrder,
    task: &'a Task,
    shipment: &'a Shipment,
}

/// What goes into one fulfilment. It holds one carrier and one link, so parcels of different carriers are fulfilments of their own, each with
/// a share of the pieces, in the order of the lines. Where there are fewer pieces than carriers, all numbers stand in one, without a carrier.
struct Group<'s> {
    key: String,
    lines: Vec<LineQuantity>,
    parcels: Vec<&'s Parcel>,
}

fn groups(shipment: &Shipment) -> Vec<Group<'_>> {
    let mut carriers: Vec<Vec<&Parcel>> = Vec::new();
    for parcel in &shipment.parcels {
        match carriers.iter_mut().find(|same| same.first().is_some_and(|first| provider(first) == provider(parcel))) {
            Some(same) => same.push(parcel),
            None => carriers.push(vec![parcel]),
        }
    }
    let shares = (carriers.len() > 1).then(|| deal(&shipment.lines, carriers.len())).flatten();
    let Some(shares) = shares else {
        let parcels = shipment.parcels.iter().collect();
        return vec![Group { key: shipment.key.clone(), lines: shipment.lines.clone(), parcels }];
    };
    let numbered = shares.into_iter().zip(carriers).enumerate();
    let key = |nth: usize| if nth == 0 { shipment.key.clone() } else { format!("{}/{}", shipment.key, nth + 1) };
    numbered.map(|(nth, (lines, parcels))| Group { key: key(nth), lines, parcels }).collect()
}

impl Dispatch<'_> {
    fn fulfillments(&self) -> Result<Found> {
        let text = list_fulfillments(self.api, &self.task.remote_id)?.to_string();
        let there = read_fulfillments(&text)?;
        let groups = groups(self.shipment);
        let part = |group: &Group<'_>| Part {
            mark: Some(group.key.clone()),
            lines: group.lines.clone(),
            numbers: matching::numbers(group.parcels.iter().copied()),
            ..Part::default()
        };
        let own = |one: &&Fulfillment<'_>| {
            one.is_made() || one.meta(OUR_KEY).is_some() || self.task.receipts.iter().any(|ours| ours == one.id.get())
        };
        let shown = there.iter().filter(own).map(fulfilled).collect();
        let found = self.find(&groups.iter().map(part).collect::<Vec<_>>(), shown, &self.task.taken)?;
        self.refuse_too_many(&there, &found)?;
        let left = groups.iter().zip(&found.left);
        let writes = left.filter_map(|(group, left)| left.as_deref().map(|left| self.fulfillment(group, left)));
        let writes = writes.collect::<Result<_>>()?;
        Ok((found, writes).into())
    }

    /// The shop takes any number of pieces, also more than were ordered: what others have sent, or what was given back, is not sent again.
    ///
    /// # Errors
    /// `Refused` where less is left of a line than is to be written.
    fn refuse_too_many(&self, there: &[Fulfillment<'_>], found: &Matched) -> Result<()> {
        let Ok(order) = &self.now.order else { return Ok(()) };
        if found.is_short() && !found.unseen.is_empty() {
            return Ok(());
        }
        let made = there.iter().filter(|one| one.is_made());
        let made: Vec<LineQuantity> = made.flat_map(|one| one.contents().unwrap_or_default()).collect();
        let wanted: Vec<LineQuantity> = found.left.iter().flatten().flatten().cloned().collect();
        let count = |pieces: &[LineQuantity], id: &str| {
            sum(pieces.iter().filter(|piece| piece.line_id == id).map(|piece| piece.quantity))
        };
        for line in &order.lines {
            let open = left(line.quantity, line.refunded, count(&made, &line.remote_id));
            let wanted = count(&wanted, &line.remote_id);
            if wanted > open {
                let text = format!(
                    "the shop has {} of line {} left to ship, not {}: shipped by other means, or given back; nothing was sent",
                    open.normalize(),
                    line.remote_id,
                    wanted.normalize()
                );
                return Err(Error::new(ErrorKind::Refused, text)
                    .hint("ordersync pull ORDER reads what it shows now; ordersync accept ORDER takes that over"));
            }
        }
        Ok(())
    }

    /// What of the parts is there: in their own home first, then told in another one, then under the very ids that the shop gave.
    fn find(&self, parts: &[Part], mut shown: Vec<Record>, taken: &[String]) -> Result<Matched> {
        let claim =
            Claim { mark: &self.shipment.key, receipts: &self.task.receipts, taken, since: self.shipment.shipped_at };
        let mut found = matched(parts, &shown, &claim);
        let untold = |found: &Matched| {
            parts.iter().zip(&found.left).any(|(part, left)| left.is_some() && !part.numbers.is_empty())
        };
        if untold(&found) {
            self.add_told_elsewhere(&mut shown)?;
            found = matched(parts, &shown, &claim);
        }
        if found.is_short() && !found.unseen.is_empty() && self.home != Home::Extension {
            for receipt in &found.unseen {
                if self.is_there(receipt)? {
                    shown.push(Record { id: receipt.clone(), ..Record::default() });
                }
            }
            found = matched(parts, &shown, &claim);
        }
        Ok(found)
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
        match self.api.get(&format!("wc/v3/orders/{}/{route}/{id}", self.task.remote_id), &[]) {
            // A cache that heeds a part of the address gives another answer.
            Ok(reply) => Ok(reply.status != 404 && made(&reply.body).is_some_and(|it| it == id)),
            Err(error) if matches!(error.kind(), ErrorKind::Failed | ErrorKind::Unsupported) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What the shop tells of tracking numbers in the other homes (PRODUCT.md D-4). The parcels of a tracking plugin stand in the order, beside
    /// the fulfilments that are known already.
    fn add_told_elsewhere(&self, shown: &mut Vec<Record>) -> Result<()> {
        if self.home != Home::Extension {
            let shipments = self.now.order.iter().flat_map(|order| &order.shipments);
            let parcel = |one: &RemoteShipment| elsewhere(&one.remote_id, matching::numbers(&one.parcels));
            let known = |one: &&RemoteShipment| shown.iter().any(|record| record.id == one.remote_id);
            let parcels: Vec<Record> = shipments.filter(|one| !known(one)).map(parcel).collect();
            shown.extend(parcels);
        }
        if self.home != Home::Note {
            shown.extend(self.notes_that_count()?.into_iter().map(|note| elsewhere(&note.receipt(), vec![note.text])));
        }
        if self.home != Home::Fulfillments && self.api.facts().fulfillments {
            let text = list_fulfillments(self.api, &self.task.remote_id)?.to_string();
            let made = read_fulfillments(&text)?;
            let numbers = |one: &Fulfillment<'_>| one.meta("_tracking_number").into_iter().collect();
            shown.extend(made.iter().filter(|one| one.is_made()).map(|one| elsewhere(one.id.get(), numbers(one))));
        }
        Ok(())
    }

    /// The order's notes; a note that only the staff sees has told the buyer nothing.
    fn notes_that_count(&self) -> Result<Vec<OrderNote>> {
        let mut notes = list_notes(self.api, &self.task.remote_id)?;
        notes.retain(|note| note.to_buyer || !self.shipment.notify);
        Ok(notes)
    }

    fn fulfillment(&self, group: &Group<'_>, left: &[LineQuantity]) -> Result<Write> {
        let items = left.iter().map(item).collect::<Result<Vec<Value>>>()?;
        let mut meta = vec![entry("_items", json!(items)), entry(OUR_KEY, json!(group.key))];
        if let Some(first) = group.parcels.first() {
            meta.push(entry("_tracking_number", json!(numbers(&group.parcels))));
            let one_carrier = group.parcels.iter().all(|parcel| provider(parcel) == provider(first));
            if one_carrier {
                meta.push(entry("_shipment_provider", json!(provider(first))));
                meta.extend(link(first).map(|link| entry("_tracking_url", json!(link))));
            }
        }
        let notify = if self.shipment.notify { "true" } else { "false" };
        Ok(Write {
            summary: format!("add a fulfilment with {}", describe(&group.parcels)),
            tells_buyer: self.shipment.notify,
            content: call(
                Method::POST,
                format!("wc/v3/orders/{}/fulfillments", self.task.remote_id),
                &[("notify_customer", notify)],
                json!({ "status": "fulfilled", "is_fulfilled": true, "meta_data": meta }),
            ),
        })
    }
}

/// A fulfilment as the matching takes it. Some versions drop entries, our key, the items and the number among them.
fn fulfilled(one: &Fulfillment<'_>) -> Record {
    Record {
        id: one.id.get().to_owned(),
        mark: one.meta(OUR_KEY),
        lines: one.contents().unwrap_or_default(),
        tracking: one.meta("_tracking_number").into_iter().collect(),
        ..Record::default()
    }
}

fn elsewhere(id: &str, tracking: Vec<String>) -> Record {
    Record { id: id.to_owned(), tracking, elsewhere: true, ..Record::default() }
}

fn read_fulfillments(text: &str) -> Result<Vec<Fulfillment<'_>>> {
    serde_json::from_str(text).map_err(|_| {
        Error::new(ErrorKind::Unreadable, "the shop's list of fulfilments cannot be read; nothing was written")
    })
}

fn list_fulfillments(api: &Api, id: &str) -> Result<Value> {
    let reply = api.get(&format!("wc/v3/orders/{id}/fulfillments"), &[])?;
    let (listed, _) = read_json::<Value>(&reply.body)?;
    // Bare list in 10.5; `{"fulfillments": [...]}` was seen in its beta.
    let list = listed.get("fulfillments").unwrap_or(&listed);
    if !list.is_array() {
        // Taken for an empty list, it would have the buyer told again.
        let text = "the shop's answer about fulfilments is no list; it was not used, nothing was written";
        return Err(Error::new(ErrorKind::Unreadable, text));
    }
    Ok(list.clone())
}

/// New meta entries need `"id": 0`; without it they are dropped in silence (observed 24).
fn entry(key: &str, value: Value) -> Value {
    json!({ "id": 0, "key": key, "value": value })
}

fn item(line: &crate::order::LineQuantity) -> Result<Value> {
    let id: u64 = line
        .line_id
        .parse()
        .map_err(|_| impossible(format!("line {:?} has no id that WooCommerce takes", line.line_id)))?;
    Ok(json!({ "item_id": id, "qty": quantity(line.quantity) }))
}

/// Whole quantities as integers; plugins that sell by weight have others.
fn quantity(quantity: Decimal) -> Value {
    match quantity.normalize() {
        whole if whole.scale() == 0 => json!(whole.to_i64().unwrap_or_default()),
        part => json!(part.to_f64().unwrap_or_default()),
    }
}

fn numbers(parcels: &[&Parcel]) -> String {
    parcels.iter().map(|parcel| parcel.tracking.as_str()).collect::<Vec<_>>().join(", ")
}

fn provider(parcel: &Parcel) -> String {
    let known = carrier(&parcel.carrier).map(|carrier| carrier.woocommerce).filter(|key| !key.is_empty());
    known.map_or_else(|| title(parcel), str::to_owned)
}

fn link(parcel: &Parcel) -> Option<String> {
    parcel.url.clone().or_else(|| carrier(&parcel.carrier)?.url(&parcel.tracking))
}

fn title(parcel: &Parcel) -> String {
    carrier(&parcel.carrier).map_or_else(|| parcel.carrier.clone(), |carrier| carrier.title.to_owned())
}

fn describe(parcels: &[&Parcel]) -> String {
    let parcels: Vec<String> =
        parcels.iter().map(|parcel| format!("tracking {} {}", title(parcel), parcel.tracking)).collect();
    if parcels.is_empty() { "no tracking".to_owned() } else { parcels.join(", ") }
}

impl Dispatch<'_> {
    /// The Shipment Tracking extension: an entry for each parcel.
    fn trackings(&self) -> Result<Found> {
        if self.shipment.parcels.is_empty() {
            return Ok(Found::default());
        }
        let route = trackings_route(self.api, &self.task.remote_id);
        let reply = self.api.get(&route, &[])?;
        let (there, _) = read_json::<Vec<Tracking<'_>>>(&reply.body)?;
        let part = |parcel| Part { numbers: matching::numbers([parcel]), ..Part::default() };
        let record = |entry: &Tracking<'_>| Record {
            id: entry.tracking_id.get().to_owned(),
            tracking: vec![entry.tracking_number.get().to_owned()],
            ..Record::default()
        };
        let parcels = &self.shipment.parcels;
        // An entry tells a number and nothing of pieces: one that another dispatch has told is told.
        let found =
            self.find(&parcels.iter().map(part).collect::<Vec<_>>(), there.iter().map(record).collect(), &[])?;
        let write = |parcel| Write {
            summary: format!("add tracking {} {}", title(parcel), parcel.tracking),
            tells_buyer: false,
            content: call(Method::POST, route.clone(), &[], tracking(parcel, self.shipment.shipped_at)),
        };
        let left = parcels.iter().zip(&found.left).filter(|(_, left)| left.is_some());
        let writes = left.map(|(parcel, _)| write(parcel)).collect();
        Ok((found, writes).into())
    }
}

fn trackings_route(api: &Api, id: &str) -> String {
    let namespace = api.facts().shipment_tracking.unwrap_or_else(|| "wc/v3".to_owned());
    format!("{namespace}/orders/{id}/shipment-trackings")
}

/// The extension refuses provider names that it does not know, so ours go in as custom ones with a link.
fn tracking(parcel: &Parcel, shipped_at: Timestamp) -> Value {
    let mut body = json!({
        "custom_tracking_provider": title(parcel),
        "tracking_number": parcel.tracking,
        "date_shipped": shipped_at.format("%Y-%m-%d").to_string(),
    });
    if let Some(link) = link(parcel) {
        body["custom_tracking_link"] = json!(link);
    }
    body
}

impl Dispatch<'_> {
    /// An order note with all tracking numbers.
    fn notes(&self) -> Result<Found> {
        let parcels: Vec<&Parcel> = self.shipment.parcels.iter().collect();
        if parcels.is_empty() {
            return Ok(Found::default());
        }
        let part = Part { numbers: matching::numbers(parcels.iter().copied()), ..Part::default() };
        let record = |note: OrderNote| Record { id: note.receipt(), tracking: vec![note.text], ..Record::default() };
        let listed = self.notes_that_count()?.into_iter().map(record).collect();
        let found = self.find(&[part], listed, &self.task.taken)?;
        let writes = if found.is_short() { vec![self.note(&parcels)] } else { Vec::new() };
        Ok((found, writes).into())
    }

    fn note(&self, parcels: &[&Parcel]) -> Write {
        let line = |parcel: &&Parcel| {
            let link = link(parcel).map_or_else(String::new, |link| format!(" {link}"));
            format!("{}, tracking number {}{link}", title(parcel), parcel.tracking).trim_start_matches(", ").to_owned()
        };
        let text = format!("Shipped with {}", parcels.iter().map(line).collect::<Vec<_>>().join("; "));
        Write {
            summary: format!("add an order note with {}", describe(parcels)),
            tells_buyer: self.shipment.notify,
            content: call(
                Method::POST,
                format!("wc/v3/orders/{}/notes", self.task.remote_id),
                &[],
                json!({ "note": text, "customer_note": self.shipment.notify }),
            ),
        }
    }
}

/// What is still to be written so that the shop has another tracking number for the same parcel.
pub fn retracking(api: &Api, home: Home, id: &str, wish: &Retracking) -> Result<Outstanding> {
    let found = match home {
        Home::Fulfillments => replace_in_fulfillment(api, id, wish)?,
        Home::Extension => replace_entry(api, id, wish)?,
        Home::Note | Home::None => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this shop keeps tracking numbers in order notes, which cannot be changed; nothing was written",
            )
            .hint("add a note with the new number in the shop's order screen"));
        }
    };
    Ok(Outstanding { writes: found.writes, adopted: found.adopted, ..Outstanding::default() })
}

/// The receipt of a write to this route: the id of what the shop says that it has made.
pub(super) fn receipt(route: &str, body: &[u8]) -> Option<String> {
    match route.rsplit('/').next() {
        Some("notes") => made(body).map(|id| format!("note {id}")),
        Some("fulfillments" | "shipment-trackings") => made(body),
        _ => None,
    }
}

/// The id of the one thing in an answer.
fn made(body: &[u8]) -> Option<String> {
    let (Maybe(made), _) = read_json::<Maybe<Made<'_>>>(body).ok()?;
    made.tracking_id.id().or(made.id.id()).map(str::to_owned)
}

/// A PUT has to carry every entry again: what is left out is deleted (fact sheet, 4.2).
fn replace_in_fulfillment(api: &Api, id: &str, wish: &Retracking) -> Result<Found> {
    let there = list_fulfillments(api, id)?;
    let number = |fulfillment: &Value| {
        let entries = fulfillment["meta_data"].as_array().into_iter().flatten();
        let mut texts = entries.filter(|meta| meta["key"] == "_tracking_number").map(|meta| meta["value"].clone());
        texts.next().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let all = there.as_array().map(Vec::as_slice).unwrap_or_default();
    let (old, new) = to_retrack(all, wish, |one, wanted| names_number(&number(one), wanted))?;
    let Some(old) = old.first() else {
        return Ok(Found { adopted: new.iter().map(|one| one["id"].to_string()).collect(), ..Found::default() });
    };
    let replaced = replaced(&number(old), wish);
    let mut meta: Vec<Value> = old["meta_data"].as_array().cloned().unwrap_or_default();
    meta.retain(|entry| entry["key"] != "_tracking_url");
    for entry in &mut meta {
        match entry["key"].as_str() {
            Some("_tracking_number") => entry["value"] = json!(replaced),
            Some("_shipment_provider") => entry["value"] = json!(provider(&wish.parcel)),
            _ => {}
        }
    }
    meta.extend(link(&wish.parcel).map(|link| entry("_tracking_url", json!(link))));
    let notify = if wish.notify { "true" } else { "false" };
    let write = Write {
        summary: replacing(wish),
        tells_buyer: wish.notify,
        content: call(
            Method::PUT,
            format!("wc/v3/orders/{id}/fulfillments/{}", old["id"]),
            &[("notify_customer", notify)],
            json!({ "status": "fulfilled", "is_fulfilled": true, "meta_data": meta }),
        ),
    };
    Ok(Found { writes: vec![write], ..Found::default() })
}

/// The extension's entries cannot be changed: the new one is added before the old one goes.
fn replace_entry(api: &Api, id: &str, wish: &Retracking) -> Result<Found> {
    let route = trackings_route(api, id);
    let reply = api.get(&route, &[])?;
    let (there, _) = read_json::<Vec<Tracking<'_>>>(&reply.body)?;
    let names = |one: &Tracking<'_>, number: &str| names_number(one.tracking_number.get(), number);
    let (old, new) = to_retrack(&there, wish, names)?;
    let (old, new) = (old.first(), new.first());
    let mut found = Found::default();
    match new {
        Some(new) => found.adopted.push(new.tracking_id.get().to_owned()),
        None => found.writes.push(Write {
            summary: replacing(wish),
            tells_buyer: false,
            content: call(Method::POST, route.clone(), &[], tracking(&wish.parcel, api.now())),
        }),
    }
    if let Some(old) = old.map(|old| old.tracking_id.get()).filter(|old| old.bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        found.writes.push(Write {
            summary: format!("remove tracking {}", wish.was),
            tells_buyer: false,
            content: call(Method::DELETE, format!("{route}/{old}"), &[], Value::Null),
        });
    }
    Ok(found)
}

/// The numbers of a fulfilment with the new one in the place of the old one, however that is written there.
fn replaced(numbers: &str, wish: &Retracking) -> String {
    let new = wish.parcel.tracking.as_str();
    let numbers: Vec<&str> = numbers.split(',').map(str::trim).collect();
    if !numbers.iter().any(|number| same_number(number, &wish.was)) {
        return new.to_owned();
    }
    let each = numbers.iter().map(|number| if same_number(number, &wish.was) { new } else { number });
    each.collect::<Vec<_>>().join(", ")
}

fn replacing(wish: &Retracking) -> String {
    format!("replace tracking {} by {} {}", wish.was, title(&wish.parcel), wish.parcel.tracking)
}

/// A note of an order, its text without the signs and tags that a shop may dress it in.
pub(super) struct OrderNote {
    id: String,
    /// What stands in it.
    pub text: String,
    to_buyer: bool,
}

impl OrderNote {
    fn receipt(&self) -> String {
        format!("note {}", self.id)
    }
}

/// The order's notes.
pub(super) fn list_notes(api: &Api, id: &str) -> Result<Vec<OrderNote>> {
    let reply = api.get(&format!("wc/v3/orders/{id}/notes"), &[])?;
    let (notes, _) = read_json::<Vec<Note<'_>>>(&reply.body)?;
    let read = |note: &Note<'_>| OrderNote {
        id: note.id.get().to_owned(),
        text: plain(note.note.get()),
        to_buyer: note.customer_note.get() == "true",
    };
    Ok(notes.iter().map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d5_quantities_are_whole_where_they_are() {
        assert_eq!(quantity("2.0".parse().unwrap()), json!(2));
        assert_eq!(quantity("0.5".parse().unwrap()), json!(0.5));
    }
}
