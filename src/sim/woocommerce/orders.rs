//! One order: reading, making, changing, trashing; and the batch of such.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::args::{self, boolean, error, integer};
use super::render;
use super::request::{Call, critical, invalid_id};
use super::routes::writable_statuses;
use super::vendor::{self, set_meta, set_status};
use super::{Fee, Line, Order, WooCommerce};
use crate::sim::http::Response;
use crate::sim::world::fixtures::WARES;
use crate::sim::world::{Address, Place, add_line, part_id};

/// The order as JSON.
pub(super) fn body(call: &Call<'_>, id: u64) -> Value {
    call.state.orders.get(&id).map(|order| render::order(call.style(), order)).unwrap_or_default()
}

/// `_fields` on a single order; unlike in lists the links always stay.
pub(super) fn narrowed(call: &Call<'_>, body: Value) -> Value {
    let links = body["_links"].clone();
    let mut body = render::only_fields(body, call.text("_fields"));
    if !links.is_null() {
        body["_links"] = links;
    }
    body
}

/// `GET /orders/{id}`: 404 for an unknown one; a trashed one is still given.
pub(super) fn get(call: &Call<'_>) -> Response {
    let id = call.id(0);
    if !call.has_order(id) {
        return invalid_id(404);
    }
    if call.state.unrenderable.contains(&id) {
        return critical();
    }
    Response::json(200, &narrowed(call, body(call, id)))
}

/// `POST /orders`.
pub(super) fn create(call: &mut Call<'_>) -> Response {
    let wish = call.params.clone();
    let body = create_from(call, &wish);
    let location = format!("{}wc/v3/orders/{}", call.root, body["id"]);
    Response::json(201, &narrowed(call, body)).with_header("Location", location)
}

fn create_from(call: &mut Call<'_>, wish: &Map<String, Value>) -> Value {
    let id = vendor::create(&mut call.context());
    apply(call, id, wish);
    call.context().touch(id);
    body(call, id)
}

/// `PUT /orders/{id}`: 400, not 404, for an unknown one.
pub(super) fn update(call: &mut Call<'_>) -> Response {
    let id = call.id(0);
    if !call.has_order(id) {
        return invalid_id(400);
    }
    let wish = call.params.clone();
    update_from(call, id, &wish);
    Response::json(200, &narrowed(call, body(call, id)))
}

/// Orders in tables of their own move their date with every PUT, even an empty one; orders as posts
/// only when a field other than meta data really changes.
fn update_from(call: &mut Call<'_>, id: u64, wish: &Map<String, Value>) {
    let changed = apply(call, id, wish);
    if changed || call.options.profile.hpos() {
        call.context().touch(id);
    }
}

/// Applies what a body wishes; returns whether a field other than meta data changed.
fn apply(call: &mut Call<'_>, id: u64, wish: &Map<String, Value>) -> bool {
    let mut context = call.context();
    let Some(order) = context.order_mut(id) else { return false };
    let mut changed = set_fields(order, wish);
    change_meta(order, wish.get("meta_data"));
    changed |= change_lines(order, wish.get("line_items"));
    changed |= add_charges(order, wish);
    if wish.get("set_paid").and_then(boolean) == Some(true) {
        changed |= set_status(&mut context, id, "processing");
    }
    if let Some(status) = wish.get("status").and_then(Value::as_str) {
        changed |= set_status(&mut context, id, status);
    }
    changed
}

fn set_fields(order: &mut Order, wish: &Map<String, Value>) -> bool {
    let mut changed = false;
    let texts = [
        ("customer_note", &mut order.note),
        ("transaction_id", &mut order.own.transaction_id),
        ("payment_method", &mut order.payment),
        ("currency", &mut order.currency),
    ];
    for (name, field) in texts {
        if let Some(text) = wish.get(name).and_then(Value::as_str).filter(|text| text != field) {
            text.clone_into(field);
            changed = true;
        }
    }
    if let Some(id) = wish.get("customer_id").and_then(integer).and_then(|id| u64::try_from(id).ok()) {
        changed |= std::mem::replace(&mut order.customer, id) != id;
    }
    if order.places.is_empty() && wish.contains_key("shipping") {
        // An address alone: nothing is sent there yet.
        let (method, cost) = (String::new(), Decimal::ZERO);
        order.places.push(Place { id: 0, address: Address::default(), method, cost });
    }
    let delivery = order.places.first_mut().map(|place| ("shipping", &mut place.address));
    for (name, address) in delivery.into_iter().chain([("billing", &mut order.billing)]) {
        let before = address.clone();
        wish.get(name).into_iter().for_each(|change| vendor::update(address, change));
        changed |= before != *address;
    }
    changed
}

/// As `update_meta_data` and `save_meta_data` do: by id, else by key; a value of null deletes.
fn change_meta(order: &mut Order, wish: Option<&Value>) {
    for entry in wish.and_then(Value::as_array).into_iter().flatten() {
        let (Some(key), value) = (entry["key"].as_str(), entry["value"].clone()) else { continue };
        let id = entry["id"].as_u64();
        let by_id = order.own.meta.iter().position(|meta| id == Some(meta.id));
        let at = by_id.or_else(|| order.own.meta.iter().position(|meta| meta.key == key));
        match (at, value.is_null()) {
            (Some(at), true) => {
                order.own.meta.remove(at);
            }
            (None, true) => {}
            (Some(at), false) => {
                if let Some(meta) = order.own.meta.get_mut(at) {
                    key.clone_into(&mut meta.key);
                    meta.value = value;
                }
            }
            (None, false) => set_meta(order, key, value),
        }
    }
}

/// `id` with a quantity changes a line (0 removes it), `product_id` adds one; a product that does
/// not exist makes an empty line, as in the real shop.
fn change_lines(order: &mut Order, wish: Option<&Value>) -> bool {
    let wishes = wish.and_then(Value::as_array).cloned().unwrap_or_default();
    for wish in &wishes {
        let pieces = wish.get("quantity").and_then(integer).and_then(|pieces| u64::try_from(pieces).ok());
        match wish["id"].as_u64().filter(|id| *id > 0) {
            Some(id) => change_line(order, id, pieces, &wish["total"]),
            None => new_line(order, wish, pieces.unwrap_or(1)),
        }
    }
    !wishes.is_empty()
}

fn change_line(order: &mut Order, id: u64, pieces: Option<u64>, total: &Value) {
    if pieces == Some(0) {
        order.lines.retain(|line| line.id != id);
        return;
    }
    let Some(line) = order.lines.iter_mut().find(|line| line.id == id) else { return };
    if let Some(pieces) = pieces {
        set_quantity(line, pieces);
    }
    if let Some(total) = decimal(total) {
        line.discount = line.subtotal() - total;
    }
}

/// Changes the pieces of a line at the same price per piece.
pub(super) fn set_quantity(line: &mut Line, pieces: u64) {
    let each = line.total().checked_div(Decimal::from(line.quantity)).unwrap_or_default();
    line.quantity = pieces;
    line.discount = line.subtotal() - (each * Decimal::from(pieces)).round_dp(2);
}

fn new_line(order: &mut Order, wish: &Value, pieces: u64) {
    let product = wish["product_id"].as_u64().unwrap_or(0);
    let variation = wish["variation_id"].as_u64().unwrap_or(0);
    let ware = WARES.iter().find(|ware| {
        ware.product_id == product && (variation == 0 || ware.variation_id == variation)
            || ware.variation_id == product && product > 0
    });
    match ware {
        Some(ware) => add_line::<WooCommerce>(order, ware.sku, pieces),
        None => {
            let name = wish["name"].as_str().unwrap_or_default();
            add_line::<WooCommerce>(order, name, pieces);
            if let Some(line) = order.lines.last_mut() {
                (line.gone, line.price) = (true, Decimal::ZERO);
            }
        }
    }
}

fn add_charges(order: &mut Order, wish: &Map<String, Value>) -> bool {
    let mut changed = false;
    for (name, title) in [("shipping_lines", "method_title"), ("fee_lines", "name")] {
        for entry in wish.get(name).and_then(Value::as_array).into_iter().flatten() {
            let id = part_id::<WooCommerce>(order);
            let title = entry[title].as_str().unwrap_or_default().to_owned();
            let charge = Fee { id, name: title, cost: decimal(&entry["total"]).unwrap_or_default() };
            let list = if name == "fee_lines" { &mut order.fees } else { &mut order.own.charges };
            list.push(charge);
            changed = true;
        }
    }
    changed
}

/// An amount written as text or number.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

/// `DELETE /orders/{id}`: to the trash, or with `force=true` for good. The answer shows the order
/// as it was before.
pub(super) fn delete(call: &mut Call<'_>) -> Response {
    let id = call.id(0);
    if !call.has_order(id) {
        return invalid_id(404);
    }
    let before = body(call, id);
    if call.truth("force") {
        remove(call, id);
    } else if !vendor::trash(&mut call.context(), id) {
        return error(410, "woocommerce_rest_already_trashed", "The order has already been deleted.");
    }
    Response::json(200, &before)
}

/// `POST /orders/batch`: 200 over all; what fails says so in its place.
pub(super) fn batch(call: &mut Call<'_>) -> Response {
    let params = call.params.clone();
    let wishes = |name: &str| params.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let (create, update, delete) = (wishes("create"), wishes("update"), wishes("delete"));
    if create.len() + update.len() + delete.len() > 100 {
        let message = "Unable to accept more than 100 items for this request.";
        return error(413, "woocommerce_rest_request_entity_too_large", message);
    }
    let mut answer = Map::new();
    if !create.is_empty() {
        let made = create.iter().map(|wish| create_from(call, wish.as_object().unwrap_or(&Map::new())));
        answer.insert("create".to_owned(), made.collect());
    }
    if !update.is_empty() {
        answer.insert("update".to_owned(), update.iter().map(|wish| batch_update(call, wish)).collect());
    }
    if !delete.is_empty() {
        answer.insert("delete".to_owned(), delete.iter().map(|id| batch_delete(call, id)).collect());
    }
    Response::json(200, &Value::Object(answer))
}

fn batch_update(call: &mut Call<'_>, wish: &Value) -> Value {
    let id = wish["id"].as_u64().unwrap_or(0);
    if !call.has_order(id) {
        return failed(id, &invalid_id(400));
    }
    let mut wish = wish.as_object().cloned().unwrap_or_default();
    let statuses = args::Kind::OneOf(writable_statuses(call.options));
    if let Err(response) = args::check(&[args::Arg::new("status", statuses)], &mut wish) {
        return failed(id, &response);
    }
    update_from(call, id, &wish);
    body(call, id)
}

fn batch_delete(call: &mut Call<'_>, id: &Value) -> Value {
    let id = id.as_u64().unwrap_or(0);
    let before = body(call, id);
    match remove(call, id) {
        true => before,
        false => failed(id, &invalid_id(404)),
    }
}

/// Erases an order for good.
fn remove(call: &mut Call<'_>, id: u64) -> bool {
    call.state.own.refund_owners.retain(|_, owner| *owner != id);
    call.state.remove(id)
}

fn failed(id: u64, response: &Response) -> Value {
    json!({"id": id, "error": response.body_json()})
}
