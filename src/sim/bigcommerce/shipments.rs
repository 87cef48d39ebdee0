//! Shipments: made, changed and deleted over the API.

use serde_json::Value;

use super::options::Options;
use super::state::{Details, Shipment, State, Way};
use super::{errors, render};
use crate::sim::http::{Request, Response};

/// The vendor's own providers (`shipping_provider_standard`).
const PROVIDERS: &[&str] =
    &["", "auspost", "canadapost", "endicia", "usps", "fedex", "ups", "upsready", "upsonline", "shipperhq", "royalmail"];

/// `GET .../shipments`.
pub(super) fn all(options: &Options, state: &State, id: u64) -> Vec<Value> {
    let (Some(order), Some(details)) = (state.orders.get(&id), state.details(options, id)) else { return Vec::new() };
    details.shipments.iter().map(|shipment| render::shipment(order, &details, shipment)).collect()
}

/// `GET .../shipments/{sid}`.
pub(super) fn one(options: &Options, state: &State, id: u64, shipment: u64) -> Response {
    let found = all(options, state, id).into_iter().find(|shown| shown["id"] == shipment);
    found.map_or_else(errors::not_found, |shown| Response::json(200, &shown))
}

/// `POST .../shipments`: the buyer is told.
pub(super) fn create(options: &Options, state: &mut State, id: u64, request: &Request, now: i64) -> Response {
    let Some(wish) = request.json() else { return errors::v2(400, "The request body is not valid JSON.") };
    let Some(details) = state.details_mut(options, id) else { return errors::not_found() };
    let place = wish["order_address_id"].as_u64().unwrap_or(0);
    if !details.places.iter().any(|known| known.id == place) {
        return errors::invalid("order_address_id");
    }
    let items = match items(&wish["items"], details, place) {
        Ok(items) => items,
        Err(refusal) => return refusal,
    };
    let mut shipment = Shipment { id: details.next_id(id), place, created: now, items, ..Shipment::default() };
    if let Err(refusal) = fill(&mut shipment, &wish) {
        return refusal;
    }
    for (line, pieces) in &shipment.items {
        if let Some(line) = details.lines.iter_mut().find(|known| known.id == *line) {
            line.shipped += pieces;
        }
    }
    let made = shipment.id;
    details.shipments.push(shipment);
    if let Some(order) = state.orders.get_mut(&id) {
        order.mails += 1;
    }
    state.settle_status(options, id, now);
    let mut response = one(options, state, id, made);
    response.status = 201;
    response
}

/// The items, each open for so many pieces at this address.
fn items(wish: &Value, details: &Details, place: u64) -> Result<Vec<(u64, u64)>, Response> {
    let mut items = Vec::new();
    for item in wish.as_array().into_iter().flatten() {
        if !item["product_id"].is_null() {
            return Err(errors::read_only("product_id"));
        }
        let (id, pieces) = (item["order_product_id"].as_u64().unwrap_or(0), item["quantity"].as_u64().unwrap_or(0));
        let line = details.lines.iter().find(|line| line.id == id && line.way == Way::Parcel(place));
        let open = line.map_or(0, |line| line.quantity.saturating_sub(line.shipped));
        if pieces == 0 || pieces > open {
            return Err(errors::v2(400, "The quantity of an item is more than is left to be shipped."));
        }
        items.push((id, pieces));
    }
    if items.is_empty() { Err(errors::v2(400, "The field 'items' is required.")) } else { Ok(items) }
}

/// `PUT .../shipments/{sid}`: anything but the items.
pub(super) fn change(options: &Options, state: &mut State, id: u64, shipment: u64, request: &Request, now: i64) -> Response {
    let Some(wish) = request.json() else { return errors::v2(400, "The request body is not valid JSON.") };
    if !wish["items"].is_null() {
        return errors::read_only("items");
    }
    let Some(details) = state.details_mut(options, id) else { return errors::not_found() };
    let Some(known) = details.shipments.iter_mut().find(|known| known.id == shipment) else { return errors::not_found() };
    if let Err(refusal) = fill(known, &wish) {
        return refusal;
    }
    state.touch(id, now);
    one(options, state, id, shipment)
}

/// `DELETE .../shipments/{sid}`: the pieces are open again, the status stays.
pub(super) fn delete(options: &Options, state: &mut State, id: u64, shipment: u64, now: i64) -> Response {
    let Some(details) = state.details_mut(options, id) else { return errors::not_found() };
    let Some(place) = details.shipments.iter().position(|known| known.id == shipment) else { return errors::not_found() };
    for (line, pieces) in details.shipments.remove(place).items {
        if let Some(line) = details.lines.iter_mut().find(|known| known.id == line) {
            line.shipped = line.shipped.saturating_sub(pieces);
        }
    }
    state.touch(id, now);
    errors::nothing()
}

fn fill(shipment: &mut Shipment, wish: &Value) -> Result<(), Response> {
    let provider = wish["shipping_provider"].as_str().unwrap_or_default();
    if !PROVIDERS.contains(&provider) && !provider.starts_with("carrier_") {
        return Err(errors::invalid("shipping_provider"));
    }
    for (name, member, longest) in [
        ("tracking_number", &mut shipment.tracking_number, 50),
        ("tracking_link", &mut shipment.tracking_link, 500),
        ("comments", &mut shipment.comments, 65_535),
        ("shipping_provider", &mut shipment.shipping_provider, 100),
        ("tracking_carrier", &mut shipment.tracking_carrier, 100),
        ("shipping_method", &mut shipment.shipping_method, 250),
    ] {
        match wish[name].as_str() {
            Some(text) if text.chars().count() > longest => return Err(errors::invalid(name)),
            Some(text) => text.clone_into(member),
            None => {}
        }
    }
    Ok(())
}
