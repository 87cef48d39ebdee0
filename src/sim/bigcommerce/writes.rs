//! What the API writes, with its side effects.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::response::{self, error_v2, invalid, not_found, not_writable};
use super::webhooks::{RESHIPPED, SHIPPED, UNSHIPPED};
use super::{BigCommerce, Call, Order, Response, Shipment, Way, parts, render, vendor};
use crate::sim::forms::rewrite;
use crate::sim::rest::Answer;
use crate::sim::world::hooks::News;
use crate::sim::world::{About, Tracking, fee, numbers, part_id};

/// Members of an order that a PUT may carry (`order_Put`, as far as this store keeps them).
const WRITABLE: &[&str] =
    &["status_id", "staff_notes", "customer_message", "external_order_id", "products", "fees", "payment_method"];

/// Providers that the store knows by name; `carrier_` stands before those of installed apps.
#[rustfmt::skip]
const PROVIDERS: &[&str] = &[
    "", "auspost", "canadapost", "endicia", "usps", "fedex", "royalmail", "ups", "upsready", "upsonline", "shipperhq",
];

/// The members of a shipment that may be sent; the first two only with a new one.
#[rustfmt::skip]
const SHIPMENT: &[&str] = &[
    "order_address_id", "items", "tracking_number", "shipping_method", "shipping_provider", "tracking_carrier",
    "tracking_link", "comments", "merchant_shipping_cost",
];

type Wish = Map<String, Value>;

/// `DELETE /v2/orders`, the call that must never be made: every order of the store is put away.
pub(super) fn archive_everything(call: &mut Call<'_, '_>) -> Answer {
    let ids: Vec<u64> = call.state.orders.keys().copied().collect();
    for id in ids {
        call.put_away(id, true);
    }
    Ok(response::nothing())
}

/// `DELETE /v2/orders/{id}`.
pub(super) fn archive(call: &mut Call<'_, '_>) -> Answer {
    let id = call.id(0);
    call.put_away(id, true);
    Ok(response::nothing())
}

/// `PUT /v2/orders/{id}`. Products given lose their discounts, fees are replaced as a whole.
pub(super) fn change(call: &mut Call<'_, '_>) -> Answer {
    let (id, wish) = (call.id(0), object(call, WRITABLE)?);
    let status = wish.get("status_id").map(status_of).transpose()?;
    let before = call.state.orders.get(&id).map(vendor::status);
    call.change(id, |order| {
        apply(order, &wish);
        if status == Some(2) && before != Some(2) {
            order.mail(About::Completed, "");
        }
    });
    if let Some(status) = status {
        vendor::set_status(call, id, status);
    }
    let entry = call.state.orders.get(&id).ok_or_else(|| not_found(call.request))?;
    let shown = render::order(call.options, entry, &entry.order(call.options), render::Expand::default());
    Ok(response::json(200, &shown))
}

/// `POST /v2/orders/{id}/shipments`.
pub(super) fn ship(call: &mut Call<'_, '_>) -> Answer {
    let (id, at, wish) = (call.id(0), call.now, object(call, SHIPMENT)?);
    check_members(&wish)?;
    let request = call.request;
    let order = call.order_mut(id).ok_or_else(|| not_found(request))?;
    let place = wish.get("order_address_id").and_then(Value::as_u64);
    let place = place.filter(|place| order.places.iter().any(|known| known.id == *place));
    let place = place.ok_or_else(|| invalid("order_address_id"))?;
    let items = items(&wish, order, place)?;
    let made = part_id::<BigCommerce>(order);
    let mut shipment = Shipment { id: made, place, at, items, ..Shipment::default() };
    fill(&mut shipment, &wish);
    order.mail(About::Shipment, numbers(&shipment.tracking));
    order.add_shipment(shipment);
    call.state.note(id, News::Named(SHIPPED, made));
    vendor::settle_status(call, id);
    shown(call, made, 201)
}

/// A shipment as the answer to a write.
fn shown(call: &Call<'_, '_>, shipment: u64, status: u16) -> Answer {
    let order = call.order(call.id(0)).ok_or_else(|| not_found(call.request))?;
    let found = order.shipments.iter().find(|known| known.id == shipment);
    let found = found.ok_or_else(|| not_found(call.request))?;
    Ok(response::json(status, &parts::shipment(&order, found)))
}

/// `PUT /v2/orders/{id}/shipments/{id}`: anything but what is in it.
pub(super) fn change_shipment(call: &mut Call<'_, '_>) -> Answer {
    let (order, id, wish) = (call.id(0), call.id(1), object(call, SHIPMENT)?);
    check_members(&wish)?;
    if wish.contains_key("items") {
        return Err(not_writable("items"));
    }
    let found = call.order_mut(order).and_then(|order| order.shipments.iter_mut().find(|known| known.id == id));
    found.into_iter().for_each(|found| fill(found, &wish));
    let shown = shown(call, id, 200)?;
    call.state.note(order, News::Named(RESHIPPED, id));
    call.touch(order);
    Ok(shown)
}

/// `DELETE /v2/orders/{id}/shipments/{id}`: the pieces are open again, the status stays as it is.
pub(super) fn undo_shipment(call: &mut Call<'_, '_>) -> Answer {
    let (order, id) = (call.id(0), call.id(1));
    shown(call, id, 200)?;
    call.change(order, |order| {
        order.undo_shipment(id);
        order.shipments.retain(|known| known.id != id);
    });
    call.state.note(order, News::Named(UNSHIPPED, id));
    Ok(response::nothing())
}

/// The members of a request; one that is none of these is refused.
fn object(call: &Call<'_, '_>, writable: &[&str]) -> Result<Wish, Response> {
    let Some(Value::Object(wish)) = call.request.json() else {
        return Err(error_v2(400, "The input was not valid JSON."));
    };
    match wish.keys().find(|field| !writable.contains(&field.as_str())) {
        Some(field) => Err(not_writable(field)),
        None => Ok(wish),
    }
}

fn status_of(value: &Value) -> Result<u8, Response> {
    let id = value.as_u64().and_then(|id| u8::try_from(id).ok()).filter(|id| usize::from(*id) < render::STATUSES.len());
    id.ok_or_else(|| invalid("status_id"))
}

fn apply(order: &mut Order, wish: &Wish) {
    let texts = [
        ("staff_notes", &mut order.staff_notes),
        ("customer_message", &mut order.note),
        ("external_order_id", &mut order.reference),
        ("payment_method", &mut order.payment),
    ];
    rewrite(wish, texts);
    let rows = |field: &str| wish.get(field).and_then(Value::as_array);
    for row in rows("products").into_iter().flatten() {
        let lines = order.lines.iter_mut().filter(|line| row["id"].as_u64() == Some(line.id));
        lines.for_each(|line| line.discount = Decimal::ZERO);
    }
    if let Some(rows) = rows("fees") {
        order.fees.retain(|fee| rows.iter().any(|row| row["id"].as_u64() == Some(fee.id)));
        for row in rows.iter().filter(|row| row["id"].is_null()) {
            fee::<BigCommerce>(order, row["display_name_customer"].as_str().unwrap_or("Fee"), 0);
        }
    }
}

fn check_members(wish: &Wish) -> Result<(), Response> {
    let text = |name: &str| wish.get(name).and_then(Value::as_str).unwrap_or_default();
    let provider = text("shipping_provider");
    if !PROVIDERS.contains(&provider) && !provider.starts_with("carrier_") {
        return Err(invalid("shipping_provider"));
    }
    for (name, most) in [("tracking_number", 50), ("tracking_link", 500), ("comments", 65_535)] {
        if text(name).chars().count() > most {
            return Err(error_v2(400, &format!("The field '{name}' is too long.")));
        }
    }
    Ok(())
}

/// What is to be in a new shipment: lines that go to this address, and no more of them than are
/// left.
fn items(wish: &Wish, order: &Order, place: u64) -> Result<Vec<(u64, u64)>, Response> {
    let rows = wish.get("items").and_then(Value::as_array).filter(|rows| !rows.is_empty());
    let mut items: Vec<(u64, u64)> = Vec::new();
    for row in rows.ok_or_else(|| invalid("items"))? {
        let is_known = |field: &&String| matches!(field.as_str(), "order_product_id" | "quantity");
        if let Some(field) = row.as_object().into_iter().flat_map(Map::keys).find(|field| !is_known(field)) {
            return Err(not_writable(field));
        }
        let pieces = row["quantity"].as_u64().filter(|pieces| *pieces > 0);
        let (line, pieces) = row["order_product_id"].as_u64().zip(pieces).ok_or_else(|| invalid("items"))?;
        let known = order.lines.iter().find(|known| known.id == line && known.way == Way::Parcel(place));
        let before: u64 = items.iter().filter(|(other, _)| *other == line).map(|(_, pieces)| pieces).sum();
        if before + pieces > known.ok_or_else(|| invalid("items"))?.open() {
            let text = "The quantity specified is greater than the quantity of the product that is available to ship.";
            return Err(error_v2(400, text));
        }
        items.push((line, pieces));
    }
    Ok(items)
}

fn fill(shipment: &mut Shipment, wish: &Wish) {
    if shipment.tracking.is_empty() {
        shipment.tracking.push(Tracking::default());
    }
    let Shipment { tracking, method, comments, .. } = shipment;
    let [Tracking { carrier, carrier_code, number, link }] = tracking.as_mut_slice() else { return };
    let texts = [
        ("tracking_number", number),
        ("shipping_provider", carrier),
        ("tracking_carrier", carrier_code),
        ("tracking_link", link),
        ("shipping_method", method),
        ("comments", comments),
    ];
    rewrite(wish, texts);
}
