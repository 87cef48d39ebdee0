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

use super::settings::Tracking as Home;
use super::site::{Call, Site};
use super::text::plain;
use super::wire::{Fulfillment, Made, Maybe, Note, Tracking};
use crate::channel::{Outstanding, RemoteOrder, Retracking, Task, Write};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::read_json;
use crate::order::{LineQuantity, Parcel, Shipment, Status, carrier, deal, names_number, same_number};

/// How soon to look again for what the shop took and does not show.
const UNSEEN: Duration = Duration::from_millis(300);

/// The order meta of a fulfilment by which we know our own again. Random, so it may be seen by anybody (observed 28).
const OUR_KEY: &str = "_ordersync_shipment";

/// What is still to be written for this shipment.
pub fn outstanding(
    site: &Site,
    home: Home,
    now: &RemoteOrder,
    task: &Task,
    shipment: &Shipment,
) -> Result<Outstanding> {
    let id = task.remote_id.as_str();
    let dispatch = Dispatch { site, home, now, task, shipment };
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
    Ok(Outstanding { writes: found.writes, wait: found.unseen.then_some(UNSEEN), adopted: found.adopted })
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
}

pub(super) fn call(method: Method, route: String, query: &[(&str, &str)], body: Value) -> Value {
    let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    json!(Call { method: method.to_string(), route, query, body })
}

/// A dispatch on its way to one of the three homes.
struct Dispatch<'a> {
    site: &'a Site,
    home: Home,
    now: &'a RemoteOrder,
    task: &'a Task,
    shipment: &'a Shipment,
}

/// A place where the shop has told a tracking number.
struct Told {
    /// The receipt of a write that makes one like it.
    receipt: String,
    text: String,
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
    /// Receipts of writes that are not among these: the shop took them and does not show them.
    fn unseen<'r>(&'r self, seen: &[&str]) -> Vec<&'r str> {
        let receipts = self.task.receipts.iter().map(String::as_str);
        receipts.filter(|receipt| !seen.contains(receipt)).collect()
    }

    fn has_receipt(&self, receipt: &str) -> bool {
        self.task.receipts.iter().any(|ours| ours == receipt)
    }

    fn is_anothers(&self, receipt: &str) -> bool {
        self.task.taken.iter().any(|taken| taken == receipt)
    }

    fn fulfillments(&self) -> Result<Found> {
        let text = list_fulfillments(self.site, &self.task.remote_id)?.to_string();
        let there = read_fulfillments(&text)?;
        let mut unseen = self.unseen(&there.iter().map(|one| one.id.get()).collect::<Vec<_>>());
        // Two parts of an order may go out under one number: what another dispatch has is not this one's.
        let open = |one: &&Fulfillment<'_>| !self.is_anothers(one.id.get());
        let shared = |group: &Group<'_>| there.iter().any(|one| !open(&one) && has_numbers(one, &group.parcels));
        let groups = groups(self.shipment);
        // Some versions drop entries, our key and the number among them: then the shop's own answer tells which it was.
        let bare = |one: &&Fulfillment<'_>| {
            one.meta(OUR_KEY).is_none() && !groups.iter().any(|group| has_numbers(one, &group.parcels))
        };
        let mut bare: Vec<_> = there.iter().filter(|one| self.has_receipt(one.id.get())).filter(bare).collect();
        let mut found = Found::default();
        for group in &groups {
            let ours = there.iter().find(|one| is_ours(one, &group.key));
            let like = || there.iter().filter(open).find(|one| one.is_made() && has_numbers(one, &group.parcels));
            if let Some(same) = ours.or_else(like).or_else(|| bare.pop()) {
                found.adopted.push(same.id.get().to_owned());
            } else if shared(group) || !self.is_told_elsewhere(&group.parcels, &mut found)? {
                match unseen.pop() {
                    Some(receipt) => self.look_for(receipt, &mut found)?,
                    None => found.writes.push(self.fulfillment(group)?),
                }
            }
        }
        Ok(found)
    }

    /// Looks for what the shop has acknowledged under its own id, where the list does not show it.
    fn look_for(&self, receipt: &str, found: &mut Found) -> Result<()> {
        let (route, id) = match receipt.split_once(' ') {
            Some(("note", id)) => ("notes", id),
            _ => ("fulfillments", receipt),
        };
        let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
        let asked = is_id.then(|| self.site.get(&format!("wc/v3/orders/{}/{route}/{id}", self.task.remote_id), &[]));
        match asked.transpose() {
            // A cache that heeds a part of the address gives another answer.
            Ok(reply) => {
                match reply.is_some_and(|reply| reply.status != 404 && made(&reply.body).is_some_and(|it| it == id)) {
                    true => found.adopted.push(receipt.to_owned()),
                    false => found.unseen = true,
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::Failed | ErrorKind::Unsupported) => found.unseen = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn fulfillment(&self, group: &Group<'_>) -> Result<Write> {
        let items = group.lines.iter().map(item).collect::<Result<Vec<Value>>>()?;
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

    /// Whether all these numbers were told in another home than the one they go to: then nothing is told again (PRODUCT.md D-4).
    fn is_told_elsewhere(&self, parcels: &[&Parcel], found: &mut Found) -> Result<bool> {
        if parcels.is_empty() {
            return Ok(false);
        }
        let told = self.told_elsewhere()?;
        let telling = |parcel: &&Parcel| told.iter().find(|told| names_number(&told.text, &parcel.tracking));
        let receipts: Vec<&str> = parcels.iter().filter_map(telling).map(|told| told.receipt.as_str()).collect();
        if receipts.len() < parcels.len() {
            return Ok(false);
        }
        found.adopted.extend(receipts.into_iter().map(str::to_owned));
        Ok(true)
    }

    /// What the shop has told in the other homes, what is another dispatch's left out. The parcels of a tracking plugin stand in the order.
    fn told_elsewhere(&self) -> Result<Vec<Told>> {
        let mut told = Vec::new();
        if self.home != Home::Extension {
            let shipments = self.now.order.iter().flat_map(|order| &order.shipments);
            let parcels = shipments.flat_map(|one| one.parcels.iter().map(|parcel| (&one.remote_id, parcel)));
            told.extend(parcels.map(|(id, parcel)| Told { receipt: id.clone(), text: parcel.tracking.clone() }));
        }
        if self.home != Home::Note {
            told.extend(
                self.notes_that_count()?.into_iter().map(|note| Told { receipt: note.receipt(), text: note.text }),
            );
        }
        if self.home != Home::Fulfillments && self.site.facts().fulfillments {
            let text = list_fulfillments(self.site, &self.task.remote_id)?.to_string();
            let made = read_fulfillments(&text)?;
            told.extend(made.iter().filter(|one| one.is_made()).map(|one| Told {
                receipt: one.id.get().to_owned(),
                text: one.meta("_tracking_number").unwrap_or_default(),
            }));
        }
        told.retain(|told| !self.is_anothers(&told.receipt));
        Ok(told)
    }

    /// The order's notes; a note that only the staff sees has told the buyer nothing.
    fn notes_that_count(&self) -> Result<Vec<OrderNote>> {
        let mut notes = list_notes(self.site, &self.task.remote_id)?;
        notes.retain(|note| note.to_buyer || !self.shipment.notify);
        Ok(notes)
    }
}

fn read_fulfillments(text: &str) -> Result<Vec<Fulfillment<'_>>> {
    serde_json::from_str(text).map_err(|_| {
        Error::new(ErrorKind::Unreadable, "the shop's list of fulfilments cannot be read; nothing was written")
    })
}

fn list_fulfillments(site: &Site, id: &str) -> Result<Value> {
    let reply = site.get(&format!("wc/v3/orders/{id}/fulfillments"), &[])?;
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
    let id: u64 = line.line_id.parse().map_err(|_| {
        Error::new(
            ErrorKind::Rejected,
            format!("line {:?} has no id that WooCommerce takes; nothing was written", line.line_id),
        )
    })?;
    Ok(json!({ "item_id": id, "qty": quantity(line.quantity) }))
}

/// Whole quantities as integers; plugins that sell by weight have others.
fn quantity(quantity: Decimal) -> Value {
    match quantity.normalize() {
        whole if whole.scale() == 0 => json!(whole.to_i64().unwrap_or_default()),
        part => json!(part.to_f64().unwrap_or_default()),
    }
}

/// Whether a fulfilment has this key of ours.
fn is_ours(fulfillment: &Fulfillment<'_>, key: &str) -> bool {
    fulfillment.meta(OUR_KEY).is_some_and(|found| found == key)
}

/// Whether a fulfilment has these parcels' tracking numbers, all of them.
fn has_numbers(fulfillment: &Fulfillment<'_>, parcels: &[&Parcel]) -> bool {
    let number = fulfillment.meta("_tracking_number").unwrap_or_default();
    !parcels.is_empty() && parcels.iter().all(|parcel| names_number(&number, &parcel.tracking))
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
        let route = trackings_route(self.site, &self.task.remote_id);
        let reply = self.site.get(&route, &[])?;
        let (there, _) = read_json::<Vec<Tracking<'_>>>(&reply.body)?;
        let mut unseen = self.unseen(&there.iter().map(|one| one.tracking_id.get()).collect::<Vec<_>>());
        let mut bare: Vec<_> = there.iter().filter(|one| self.has_receipt(one.tracking_id.get())).collect();
        bare.retain(|one| !self.shipment.parcels.iter().any(|parcel| tracks(one, parcel)));
        let mut found = Found::default();
        for parcel in &self.shipment.parcels {
            let same = there.iter().find(|one| tracks(one, parcel));
            if let Some(same) = same.or_else(|| bare.pop()) {
                found.adopted.push(same.tracking_id.get().to_owned());
            } else if !self.is_told_elsewhere(&[parcel], &mut found)? {
                match unseen.pop() {
                    Some(_) => found.unseen = true,
                    None => found.writes.push(Write {
                        summary: format!("add tracking {} {}", title(parcel), parcel.tracking),
                        tells_buyer: false,
                        content: call(Method::POST, route.clone(), &[], tracking(parcel, self.shipment.shipped_at)),
                    }),
                }
            }
        }
        Ok(found)
    }
}

/// Whether an entry of the extension has this parcel's number.
fn tracks(entry: &Tracking<'_>, parcel: &Parcel) -> bool {
    names_number(entry.tracking_number.get(), &parcel.tracking)
}

fn trackings_route(site: &Site, id: &str) -> String {
    let namespace = site.facts().shipment_tracking.unwrap_or_else(|| "wc/v3".to_owned());
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
        let mut found = Found::default();
        if parcels.is_empty() {
            return Ok(found);
        }
        let listed = self.notes_that_count()?;
        let receipts: Vec<String> = listed.iter().map(OrderNote::receipt).collect();
        let all_in = |note: &&OrderNote| parcels.iter().all(|parcel| names_number(&note.text, &parcel.tracking));
        let open = |note: &&OrderNote| !self.is_anothers(&note.receipt());
        // Our own note is known by its number, whatever the shop has made of its text.
        let own = |note: &&OrderNote| self.task.receipts.contains(&note.receipt());
        let same = listed.iter().find(own).or_else(|| listed.iter().filter(open).find(all_in));
        if let Some(note) = same {
            found.adopted.push(note.receipt());
        } else if !self.is_told_elsewhere(&parcels, &mut found)? {
            match self.unseen(&receipts.iter().map(String::as_str).collect::<Vec<_>>()).pop() {
                Some(receipt) => self.look_for(receipt, &mut found)?,
                None => found.writes.push(self.note(&parcels)),
            }
        }
        Ok(found)
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
pub fn retracking(site: &Site, home: Home, id: &str, wish: &Retracking) -> Result<Outstanding> {
    let found = match home {
        Home::Fulfillments => replace_in_fulfillment(site, id, wish)?,
        Home::Extension => replace_entry(site, id, wish)?,
        Home::Note | Home::None => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this shop keeps tracking numbers in order notes, which cannot be changed; nothing was written",
            )
            .hint("add a note with the new number in the shop's order screen"));
        }
    };
    Ok(Outstanding { writes: found.writes, wait: None, adopted: found.adopted })
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

fn no_such_number(wish: &Retracking) -> Error {
    Error::new(ErrorKind::Rejected, format!("the shop shows no tracking number {}; nothing was written", wish.was))
}

/// A PUT has to carry every entry again: what is left out is deleted (fact sheet, 4.2).
fn replace_in_fulfillment(site: &Site, id: &str, wish: &Retracking) -> Result<Found> {
    let there = list_fulfillments(site, id)?;
    let number = |fulfillment: &Value| {
        let entries = fulfillment["meta_data"].as_array().into_iter().flatten();
        let mut texts = entries.filter(|meta| meta["key"] == "_tracking_number").map(|meta| meta["value"].clone());
        texts.next().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let all = there.as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(old) = all.iter().find(|fulfillment| names_number(&number(fulfillment), &wish.was)) else {
        let new = all.iter().find(|fulfillment| names_number(&number(fulfillment), &wish.parcel.tracking));
        let new = new.ok_or_else(|| no_such_number(wish))?;
        return Ok(Found { adopted: vec![new["id"].to_string()], ..Found::default() });
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
fn replace_entry(site: &Site, id: &str, wish: &Retracking) -> Result<Found> {
    let route = trackings_route(site, id);
    let reply = site.get(&route, &[])?;
    let (there, _) = read_json::<Vec<Tracking<'_>>>(&reply.body)?;
    let named = |number: &str| there.iter().find(|tracking| names_number(tracking.tracking_number.get(), number));
    let (old, new) = (named(&wish.was), named(&wish.parcel.tracking));
    if old.is_none() && new.is_none() {
        return Err(no_such_number(wish));
    }
    let mut found = Found::default();
    match new {
        Some(new) => found.adopted.push(new.tracking_id.get().to_owned()),
        None => found.writes.push(Write {
            summary: replacing(wish),
            tells_buyer: false,
            content: call(Method::POST, route.clone(), &[], tracking(&wish.parcel, site.now())),
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
pub(super) fn list_notes(site: &Site, id: &str) -> Result<Vec<OrderNote>> {
    let reply = site.get(&format!("wc/v3/orders/{id}/notes"), &[])?;
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
