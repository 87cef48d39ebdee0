//! What the API writes, with its side effects.

use serde_json::{Map, Value};

use super::answer::{self, error_v2, not_found, not_writable};
use super::options::Options;
use super::parts;
use super::render;
use super::state::{Details, Fee, Line, Shipment, State, Way};
use crate::sim::http::{Request, Response};

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

/// Where orders are written.
pub(super) struct Desk<'a> {
    pub(super) options: &'a Options,
    pub(super) state: &'a mut State,
    pub(super) now: i64,
}

impl Desk<'_> {
    /// Carries out a write below `/v2/orders`.
    pub(super) fn write(&mut self, method: &str, rest: &[&str], request: &Request) -> Response {
        if let ("DELETE", []) = (method, rest) {
            return self.archive_everything();
        }
        let known = rest.first().and_then(|id| id.parse().ok()).filter(|id| self.state.orders.contains_key(id));
        let Some(id) = known else { return not_found(request) };
        let done = match (method, &rest[1..]) {
            ("PUT", []) => self.change(id, request),
            ("DELETE", []) => Ok(self.archive(id)),
            ("POST", ["shipments"]) => self.ship(id, request),
            ("PUT", ["shipments", shipment]) => self.change_shipment(id, shipment, request),
            ("DELETE", ["shipments", shipment]) => self.undo_shipment(id, shipment, request),
            _ => Err(error_v2(405, "The requested method is not allowed.")),
        };
        self.state.writes += u64::from(done.is_ok());
        done.unwrap_or_else(|refused| refused)
    }

    /// The call that must never be made: every order of the store is put away.
    fn archive_everything(&mut self) -> Response {
        self.state.writes += 1;
        let ids: Vec<u64> = self.state.orders.keys().copied().collect();
        ids.into_iter().for_each(|id| drop(self.archive(id)));
        answer::nothing()
    }

    pub(super) fn archive(&mut self, id: u64) -> Response {
        self.state.touch(self.options, id, self.now);
        if let Some(order) = self.state.orders.get_mut(&id) {
            order.archived = true;
        }
        answer::nothing()
    }

    /// `PUT /v2/orders/{id}`. Products given lose their discounts, fees are replaced as a whole.
    fn change(&mut self, id: u64, request: &Request) -> Result<Response, Refused> {
        let wish = object(request)?;
        if let Some(field) = wish.keys().find(|field| !WRITABLE.contains(&field.as_str())) {
            return Err(not_writable(field));
        }
        let status = wish.get("status_id").map(status_of).transpose()?;
        let Some(details) = self.state.details_mut(self.options, id) else { return Err(not_found(request)) };
        for (field, value) in &wish {
            apply(details, id, field, value);
        }
        if let Some(status) = status {
            let was = self.state.orders.get(&id).map(|order| order.status);
            self.state.set_status(self.options, id, status, self.now);
            self.mail(id, status == 2 && was != Some(2));
        }
        self.state.touch(self.options, id, self.now);
        self.order(id, request)
    }

    fn order(&self, id: u64, request: &Request) -> Result<Response, Refused> {
        let shown = self.state.orders.get(&id).zip(self.state.details(self.options, id));
        let (order, details) = shown.ok_or_else(|| not_found(request))?;
        Ok(answer::json(200, &render::order(self.options, order, &details, render::Expand::default())))
    }

    fn mail(&mut self, id: u64, when: bool) {
        if let Some(order) = self.state.orders.get_mut(&id).filter(|_| when) {
            order.mails += 1;
        }
    }

    /// `POST /v2/orders/{id}/shipments`.
    fn ship(&mut self, id: u64, request: &Request) -> Result<Response, Refused> {
        let wish = object(request)?;
        check_members(&wish)?;
        let Some(details) = self.state.details_mut(self.options, id) else { return Err(not_found(request)) };
        let place = wish.get("order_address_id").and_then(Value::as_u64);
        let place = place.filter(|place| details.places.iter().any(|known| known.id == *place));
        let place = place.ok_or_else(|| error_v2(400, "The field 'order_address_id' is invalid."))?;
        let items = items(&wish, details, place)?;
        for (line, pieces) in &items {
            details.lines.iter_mut().filter(|known| known.id == *line).for_each(|known| known.shipped += pieces);
        }
        let mut shipment = Shipment { id: details.next_id(id), place, created: self.now, items, ..Shipment::default() };
        fill(&mut shipment, &wish);
        let made = shipment.id;
        details.shipments.push(shipment);
        self.mail(id, true);
        self.state.settle_status(self.options, id, self.now);
        self.shipment(id, made, 201, request)
    }

    fn shipment(&self, id: u64, shipment: u64, status: u16, request: &Request) -> Result<Response, Refused> {
        let shown = self.state.orders.get(&id).zip(self.state.details(self.options, id));
        let (order, details) = shown.ok_or_else(|| not_found(request))?;
        let found = details.shipments.iter().find(|known| known.id == shipment).ok_or_else(|| not_found(request))?;
        Ok(answer::json(status, &parts::shipment(order, &details, found)))
    }

    /// `PUT /v2/orders/{id}/shipments/{id}`: anything but what is in it.
    fn change_shipment(&mut self, id: u64, shipment: &str, request: &Request) -> Result<Response, Refused> {
        let wish = object(request)?;
        check_members(&wish)?;
        if wish.contains_key("items") {
            return Err(not_writable("items"));
        }
        let details = self.state.details_mut(self.options, id).ok_or_else(|| not_found(request))?;
        let found = details.shipments.iter_mut().find(|known| known.id.to_string() == shipment);
        let found = found.ok_or_else(|| not_found(request))?;
        fill(found, &wish);
        let found = found.id;
        self.state.touch(self.options, id, self.now);
        self.shipment(id, found, 200, request)
    }

    /// `DELETE /v2/orders/{id}/shipments/{id}`: the pieces are open again, the status stays as it is.
    fn undo_shipment(&mut self, id: u64, shipment: &str, request: &Request) -> Result<Response, Refused> {
        let details = self.state.details_mut(self.options, id).ok_or_else(|| not_found(request))?;
        let place = details.shipments.iter().position(|known| known.id.to_string() == shipment);
        let gone = details.shipments.remove(place.ok_or_else(|| not_found(request))?);
        for (line, pieces) in gone.items {
            let lines = details.lines.iter_mut().filter(|known| known.id == line);
            lines.for_each(|known| known.shipped = known.shipped.saturating_sub(pieces));
        }
        self.state.touch(self.options, id, self.now);
        Ok(answer::nothing())
    }
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

fn apply(details: &mut Details, order: u64, field: &str, value: &Value) {
    let text = || value.as_str().unwrap_or_default().to_owned();
    match field {
        "staff_notes" => details.staff_notes = text(),
        "customer_message" => details.message = text(),
        "external_order_id" => details.external_order_id = text(),
        "payment_method" => details.payment_method = text(),
        "products" => {
            for row in value.as_array().into_iter().flatten() {
                let lines = details.lines.iter_mut().filter(|line| row["id"].as_u64() == Some(line.id));
                lines.for_each(|line| line.discount = 0);
            }
        }
        "fees" => {
            let kept: Vec<u64> = value.as_array().into_iter().flatten().filter_map(|fee| fee["id"].as_u64()).collect();
            details.fees.retain(|fee| kept.contains(&fee.id));
            for fee in value.as_array().into_iter().flatten().filter(|fee| fee["id"].is_null()) {
                let name = fee["display_name_customer"].as_str().unwrap_or("Fee").to_owned();
                let id = details.next_id(order);
                details.fees.push(Fee { id, name, cost: 0 });
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

/// What is to be in a new shipment: lines that go to this address, and no more of them than are left.
fn items(wish: &Map<String, Value>, details: &Details, place: u64) -> Result<Vec<(u64, u64)>, Refused> {
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
        let known = details.lines.iter().find(|known| known.id == line && known.way == Way::Parcel(place));
        let before: u64 = items.iter().filter(|(other, _)| *other == line).map(|(_, pieces)| pieces).sum();
        if before + pieces > open(known.ok_or_else(invalid)?) {
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

fn open(line: &Line) -> u64 {
    line.quantity.saturating_sub(line.shipped + line.refunded)
}

fn fill(shipment: &mut Shipment, wish: &Map<String, Value>) {
    let Shipment {
        tracking_number, shipping_provider, tracking_carrier, tracking_link, shipping_method, comments, ..
    } = shipment;
    for (name, slot) in [
        ("tracking_number", tracking_number),
        ("shipping_provider", shipping_provider),
        ("tracking_carrier", tracking_carrier),
        ("tracking_link", tracking_link),
        ("shipping_method", shipping_method),
        ("comments", comments),
    ] {
        if let Some(text) = wish.get(name).and_then(Value::as_str) {
            text.clone_into(slot);
        }
    }
}
