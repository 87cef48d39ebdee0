//! Dispatch: tracking numbers in one of three homes, then the status.
//!
//! None of the homes is idempotent: a repeated POST makes a second fulfilment, tracking or note, and may mail the buyer again
//! (fact sheet, 4.2 to 4.4 and observed 25). So each is read first, and what is there already is not written. The status comes last, so
//! that the shop's "completed" mail has the tracking number in it.

use reqwest::Method;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::settings::Tracking as Home;
use super::site::{Call, Site};
use super::text::plain;
use super::wire::{Fulfillment, Note, Tracking};
use crate::channel::{Outstanding, RemoteOrder, Retracking, Task, Write};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::read_json;
use crate::order::{Parcel, Shipment, Status, carrier, names_number};

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
    let mut found = match home {
        Home::Fulfillments => fulfillments(site, task, shipment)?,
        Home::Extension => trackings(site, id, shipment)?,
        Home::Note => notes(site, id, shipment)?,
        Home::None => Found::default(),
    };
    if shipment.completes && !is_closed(now) {
        found.writes.push(Write {
            summary: "set the order's status to completed".to_owned(),
            tells_buyer: true,
            content: call(Method::PUT, format!("wc/v3/orders/{id}"), &[], json!({ "status": "completed" })),
        });
    }
    Ok(Outstanding { writes: found.writes, wait: None, adopted: found.adopted })
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
    adopted: Vec<String>,
}

pub(super) fn call(method: Method, route: String, query: &[(&str, &str)], body: Value) -> Value {
    let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    json!(Call { method: method.to_string(), route, query, body })
}

/// One fulfilment for the shipment. It holds one set of items and one tracking number; several parcels whose split
/// is not known stand in it together, so that no item is counted twice.
fn fulfillments(site: &Site, task: &Task, shipment: &Shipment) -> Result<Found> {
    let id = task.remote_id.as_str();
    let text = list_fulfillments(site, id)?.to_string();
    let there: Vec<Fulfillment<'_>> = serde_json::from_str(&text).map_err(|_| {
        Error::new(ErrorKind::Unreadable, "the shop's list of fulfilments cannot be read; nothing was written")
    })?;
    // Two parts of an order may go out under one number: what another dispatch has is not this one's.
    let open = |one: &&Fulfillment<'_>| !task.taken.iter().any(|taken| taken == one.id.get());
    let same = there.iter().find(|one| is_ours(one, shipment));
    if let Some(same) = same.or_else(|| there.iter().filter(open).find(|one| has_numbers(one, shipment))) {
        return Ok(Found { writes: Vec::new(), adopted: vec![same.id.get().to_owned()] });
    }
    let items = shipment.lines.iter().map(item).collect::<Result<Vec<Value>>>()?;
    let mut meta = vec![entry("_items", json!(items)), entry(OUR_KEY, json!(shipment.key))];
    if let Some(first) = shipment.parcels.first() {
        meta.push(entry("_tracking_number", json!(numbers(shipment))));
        meta.push(entry("_shipment_provider", json!(provider(first))));
        meta.extend(link(first).map(|link| entry("_tracking_url", json!(link))));
    }
    let notify = if shipment.notify { "true" } else { "false" };
    let write = Write {
        summary: format!("add a fulfilment with {}", describe(shipment)),
        tells_buyer: shipment.notify,
        content: call(
            Method::POST,
            format!("wc/v3/orders/{id}/fulfillments"),
            &[("notify_customer", notify)],
            json!({ "status": "fulfilled", "is_fulfilled": true, "meta_data": meta }),
        ),
    };
    Ok(Found { writes: vec![write], adopted: Vec::new() })
}

fn list_fulfillments(site: &Site, id: &str) -> Result<Value> {
    let reply = site.get(&format!("wc/v3/orders/{id}/fulfillments"), &[])?;
    let (listed, _) = read_json::<Value>(&reply.body)?;
    // Bare list in 10.5; `{"fulfillments": [...]}` was seen in its beta.
    Ok(listed.get("fulfillments").unwrap_or(&listed).clone())
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

fn meta(fulfillment: &Fulfillment<'_>, key: &str) -> Option<String> {
    fulfillment.meta_data.0.iter().find(|meta| meta.key.get() == key).map(|meta| meta.text())
}

/// Whether a fulfilment has our key.
fn is_ours(fulfillment: &Fulfillment<'_>, shipment: &Shipment) -> bool {
    meta(fulfillment, OUR_KEY).is_some_and(|key| key == shipment.key)
}

/// Whether a fulfilment has the shipment's tracking numbers, all of them.
fn has_numbers(fulfillment: &Fulfillment<'_>, shipment: &Shipment) -> bool {
    let number = meta(fulfillment, "_tracking_number").unwrap_or_default();
    !shipment.parcels.is_empty() && shipment.parcels.iter().all(|parcel| names_number(&number, &parcel.tracking))
}

fn numbers(shipment: &Shipment) -> String {
    shipment.parcels.iter().map(|parcel| parcel.tracking.as_str()).collect::<Vec<_>>().join(", ")
}

fn provider(parcel: &Parcel) -> String {
    carrier(&parcel.carrier).map_or_else(|| parcel.carrier.clone(), |carrier| carrier.woocommerce.to_owned())
}

fn link(parcel: &Parcel) -> Option<String> {
    parcel.url.clone().or_else(|| carrier(&parcel.carrier).map(|carrier| carrier.url(&parcel.tracking)))
}

fn title(parcel: &Parcel) -> String {
    carrier(&parcel.carrier).map_or_else(|| parcel.carrier.clone(), |carrier| carrier.title.to_owned())
}

fn describe(shipment: &Shipment) -> String {
    let parcels: Vec<String> =
        shipment.parcels.iter().map(|parcel| format!("tracking {} {}", title(parcel), parcel.tracking)).collect();
    if parcels.is_empty() { "no tracking".to_owned() } else { parcels.join(", ") }
}

/// The Shipment Tracking extension: an entry for each parcel.
fn trackings(site: &Site, id: &str, shipment: &Shipment) -> Result<Found> {
    if shipment.parcels.is_empty() {
        return Ok(Found::default());
    }
    let route = trackings_route(site, id);
    let reply = site.get(&route, &[])?;
    let (there, _) = read_json::<Vec<Tracking<'_>>>(&reply.body)?;
    let mut found = Found::default();
    for parcel in &shipment.parcels {
        match there.iter().find(|tracking| names_number(tracking.tracking_number.get(), &parcel.tracking)) {
            Some(tracking) => found.adopted.push(tracking.tracking_id.get().to_owned()),
            None => found.writes.push(Write {
                summary: format!("add tracking {} {}", title(parcel), parcel.tracking),
                tells_buyer: false,
                content: call(Method::POST, route.clone(), &[], tracking(parcel, shipment.shipped_at)),
            }),
        }
    }
    Ok(found)
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

/// An order note with all tracking numbers.
fn notes(site: &Site, id: &str, shipment: &Shipment) -> Result<Found> {
    if shipment.parcels.is_empty() {
        return Ok(Found::default());
    }
    let listed = list_notes(site, id)?;
    // A note that only the staff sees has told the buyer nothing.
    let counts = |note: &&OrderNote| note.to_buyer || !shipment.notify;
    let all_in = |note: &&OrderNote| shipment.parcels.iter().all(|parcel| names_number(&note.text, &parcel.tracking));
    if let Some(note) = listed.iter().filter(counts).find(all_in) {
        return Ok(Found { writes: Vec::new(), adopted: vec![note.receipt()] });
    }
    let parcels: Vec<String> = shipment
        .parcels
        .iter()
        .map(|parcel| {
            let link = link(parcel).map_or_else(String::new, |link| format!(" {link}"));
            format!("{}, tracking number {}{link}", title(parcel), parcel.tracking).trim_start_matches(", ").to_owned()
        })
        .collect();
    let write = Write {
        summary: format!("add an order note with {}", describe(shipment)),
        tells_buyer: shipment.notify,
        content: call(
            Method::POST,
            format!("wc/v3/orders/{id}/notes"),
            &[],
            json!({ "note": format!("Shipped with {}", parcels.join("; ")), "customer_note": shipment.notify }),
        ),
    };
    Ok(Found { writes: vec![write], adopted: Vec::new() })
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
        return Ok(Found { writes: Vec::new(), adopted: vec![new["id"].to_string()] });
    };
    let replaced = number(old).replace(&wish.was, &wish.parcel.tracking);
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
    Ok(Found { writes: vec![write], adopted: Vec::new() })
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
