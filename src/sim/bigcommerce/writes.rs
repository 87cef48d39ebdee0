//! What the API writes, with its side effects.

use serde_json::{Map, Value};

use super::render;
use super::response::{self, error_v2, not_found, not_writable};
use super::subresources;
use super::{BigCommerce, Context, Order, Shipment, Way, vendor};
use crate::sim::http::{Request, Response};
use crate::sim::world::{About, Tracking, fee, numbers, part_id};

/// Members of an order that a PUT may carry (`order_Put`, as far as this store keeps them).
const WRITABLE: &[&str] =
    &["status_id", "staff_notes", "customer_message", "external_order_id", "products", "fees", "payment_method"];

/// Providers that the store knows by name; `carrier_` stands before those of installed apps.
const PROVIDERS: &[&str] = &[
    "",
    "auspost",
    "canadapost",
    "endicia",
    "usps",
    "fedex",
    "royalmail",
    "ups",
    "upsready",
    "upsonline",
    "shipperhq",
];

/// The members of a shipment that may be sent; the first two only with a new one.
const SHIPMENT: &[&str] = &[
    "order_address_id",
    "items",
    "tracking_number",
    "shipping_method",
    "shipping_provider",
    "tracking_carrier",
    "tracking_link",
    "comments",
    "merchant_shipping_cost",
];

type Refused = Response;

/// Carries out a write below `/v2/orders`.
pub(super) fn write(context: &mut Context<'_>, method: &str, rest: &[&str], request: &Request) -> Response {
    if let ("DELETE", []) = (method, rest) {
        return archive_everything(context);
    }
    let known = rest.first().and_then(|id| id.parse().ok()).filter(|id| context.state.orders.contains_key(id));
    let Some(id) = known else { return not_found(request) };
    let done = match (method, &rest[1..]) {
        ("PUT", []) => change(context, id, request),
        ("DELETE", []) => {
            context.put_away(id, true);
            Ok(response::nothing())
        }
        ("POST", ["shipments"]) => ship(context, id, request),
        ("PUT", ["shipments", shipment]) => change_shipment(context, id, shipment, request),
        ("DELETE", ["shipments", shipment]) => undo_shipment(context, id, shipment, request),
        _ => Err(error_v2(405, "The requested method is not allowed.")),
    };
    context.state.writes += u64::from(done.is_ok());
    done.unwrap_or_else(|refused| refused)
}

/// The call that must never be made: every order of the store is put away.
fn archive_everything(context: &mut Context<'_>) -> Response {
    context.state.writes += 1;
    let ids: Vec<u64> = context.state.orders.keys().copied().collect();
    for id in ids {
        context.put_away(id, true);
    }
    response::nothing()
}

/// `PUT /v2/orders/{id}`. Products given lose their discounts, fees are replaced as a whole.
fn change(context: &mut Context<'_>, id: u64, request: &Request) -> Result<Response, Refused> {
    let wish = object(request)?;
    if let Some(field) = wish.keys().find(|field| !WRITABLE.contains(&field.as_str())) {
        return Err(not_writable(field));
    }
    let status = wish.get("status_id").map(status_of).transpose()?;
    let before = context.state.orders.get(&id).map(vendor::status);
    context.change(id, |order| {
        wish.iter().for_each(|(field, value)| apply(order, field, value));
        if status == Some(2) && before != Some(2) {
            order.mail(About::Completed, "");
        }
    });
    if let Some(status) = status {
        vendor::set_status(context, id, status);
    }
    let entry = context.state.orders.get(&id).ok_or_else(|| not_found(request))?;
    let shown = render::order(context.options, entry, &entry.order(context.options), render::Expand::default());
    Ok(response::json(200, &shown))
}

/// `POST /v2/orders/{id}/shipments`.
fn ship(context: &mut Context<'_>, id: u64, request: &Request) -> Result<Response, Refused> {
    let wish = object(request)?;
    check_members(&wish)?;
    let now = context.now;
    let Some(order) = context.order_mut(id) else { return Err(not_found(request)) };
    let place = wish.get("order_address_id").and_then(Value::as_u64);
    let place = place.filter(|place| order.places.iter().any(|known| known.id == *place));
    let place = place.ok_or_else(|| error_v2(400, "The field 'order_address_id' is invalid."))?;
    let items = items(&wish, order, place)?;
    let made = part_id::<BigCommerce>(order);
    let mut shipment = Shipment { id: made, place, at: now, items, ..Shipment::default() };
    fill(&mut shipment, &wish);
    order.mail(About::Shipment, numbers(&shipment.tracking));
    order.add_shipment(shipment);
    vendor::settle_status(context, id);
    shown(context, id, made, 201, request)
}

/// A shipment as the answer to a write.
fn shown(context: &Context<'_>, id: u64, shipment: u64, status: u16, request: &Request) -> Result<Response, Refused> {
    let order = context.order(id).ok_or_else(|| not_found(request))?;
    let found = order.shipments.iter().find(|known| known.id == shipment).ok_or_else(|| not_found(request))?;
    Ok(response::json(status, &subresources::shipment(&order, found)))
}

/// `PUT /v2/orders/{id}/shipments/{id}`: anything but what is in it.
fn change_shipment(context: &mut Context<'_>, id: u64, shipment: &str, request: &Request) -> Result<Response, Refused> {
    let wish = object(request)?;
    check_members(&wish)?;
    if wish.contains_key("items") {
        return Err(not_writable("items"));
    }
    let order = context.order_mut(id).ok_or_else(|| not_found(request))?;
    let found = order.shipments.iter_mut().find(|known| known.id.to_string() == shipment);
    let found = found.ok_or_else(|| not_found(request))?;
    fill(found, &wish);
    let found = found.id;
    context.touch(id);
    shown(context, id, found, 200, request)
}

/// `DELETE /v2/orders/{id}/shipments/{id}`: the pieces are open again, the status stays as it is.
fn undo_shipment(context: &mut Context<'_>, id: u64, shipment: &str, request: &Request) -> Result<Response, Refused> {
    let order = context.order_mut(id).ok_or_else(|| not_found(request))?;
    let found = order.shipments.iter().find(|known| known.id.to_string() == shipment);
    let found = found.ok_or_else(|| not_found(request))?.id;
    order.undo_shipment(found);
    order.shipments.retain(|known| known.id != found);
    context.touch(id);
    Ok(response::nothing())
}

fn object(request: &Request) -> Result<Map<String, Value>, Refused> {
    match request.json() {
        Some(Value::Object(members)) => Ok(members),
        _ => Err(error_v2(400, "The input was not valid JSON.")),
    }
}

fn status_of(value: &Value) -> Result<u8, Refused> {
    let id = value.as_u64().and_then(|id| u8::try_from(id).ok()).filter(|id| usize::from(*id) < render::STATUSES.len());
    id.ok_or_else(|| error_v2(400, "The field 'status_id' is invalid."))
}

fn apply(order: &mut Order, field: &str, value: &Value) {
    let text = || value.as_str().unwrap_or_default().to_owned();
    match field {
        "staff_notes" => order.staff_notes = text(),
        "customer_message" => order.note = text(),
        "external_order_id" => order.reference = text(),
        "payment_method" => order.payment = text(),
        "products" => {
            for row in value.as_array().into_iter().flatten() {
                let lines = order.lines.iter_mut().filter(|line| row["id"].as_u64() == Some(line.id));
                lines.for_each(|line| line.discount = rust_decimal::Decimal::ZERO);
            }
        }
        "fees" => {
            let kept: Vec<u64> = value.as_array().into_iter().flatten().filter_map(|fee| fee["id"].as_u64()).collect();
            order.fees.retain(|fee| kept.contains(&fee.id));
            for row in value.as_array().into_iter().flatten().filter(|row| row["id"].is_null()) {
                let name = row["display_name_customer"].as_str().unwrap_or("Fee").to_owned();
                fee::<BigCommerce>(order, &name, 0);
            }
        }
        _ => {}
    }
}

fn check_members(wish: &Map<String, Value>) -> Result<(), Refused> {
    if let Some(field) = wish.keys().find(|field| !SHIPMENT.contains(&field.as_str())) {
        return Err(not_writable(field));
    }
    let text = |name: &str| wish.get(name).and_then(Value::as_str).unwrap_or_default();
    let provider = text("shipping_provider");
    if !PROVIDERS.contains(&provider) && !provider.starts_with("carrier_") {
        return Err(error_v2(400, "The field 'shipping_provider' is invalid."));
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
fn items(wish: &Map<String, Value>, order: &Order, place: u64) -> Result<Vec<(u64, u64)>, Refused> {
    let rows = wish.get("items").and_then(Value::as_array).filter(|rows| !rows.is_empty());
    let rows = rows.ok_or_else(|| error_v2(400, "The field 'items' is invalid."))?;
    let mut items: Vec<(u64, u64)> = Vec::new();
    for row in rows {
        if let Some(field) = row.as_object().into_iter().flat_map(|row| row.keys()).find(|f| !is_item(f)) {
            return Err(not_writable(field));
        }
        let invalid = || error_v2(400, "The field 'items' is invalid.");
        let (line, pieces) = row["order_product_id"]
            .as_u64()
            .zip(row["quantity"].as_u64().filter(|pieces| *pieces > 0))
            .ok_or_else(invalid)?;
        let known = order.lines.iter().find(|known| known.id == line && known.way == Way::Parcel(place));
        let before: u64 = items.iter().filter(|(other, _)| *other == line).map(|(_, pieces)| pieces).sum();
        if before + pieces > known.ok_or_else(invalid)?.open() {
            let text = "The quantity specified is greater than the quantity of the product that is available to ship.";
            return Err(error_v2(400, text));
        }
        items.push((line, pieces));
    }
    Ok(items)
}

fn is_item(field: &str) -> bool {
    matches!(field, "order_product_id" | "quantity")
}

fn fill(shipment: &mut Shipment, wish: &Map<String, Value>) {
    if shipment.tracking.is_empty() {
        shipment.tracking.push(Tracking::default());
    }
    let Shipment { tracking, method, comments, .. } = shipment;
    let [Tracking { carrier, carrier_code, number, link }] = tracking.as_mut_slice() else { return };
    for (name, slot) in [
        ("tracking_number", number),
        ("shipping_provider", carrier),
        ("tracking_carrier", carrier_code),
        ("tracking_link", link),
        ("shipping_method", method),
        ("comments", comments),
    ] {
        if let Some(text) = wish.get(name).and_then(Value::as_str) {
            text.clone_into(slot);
        }
    }
}
