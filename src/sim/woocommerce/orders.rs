//! One order: reading, making, changing, trashing; and the batch of such.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::args::{self, boolean, error, integer};
use super::call::{Call, critical, invalid_id};
use super::changes;
use super::render;
use super::routes::writable_statuses;
use super::seed;
use super::state::{Charge, Details, Line};
use crate::sim::http::Response;
use crate::sim::world::fixtures::WARES;

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
    let id = changes::create(call.options, call.state, "pending", call.now);
    if let Some(details) = call.state.details_mut(call.options, id) {
        "rest-api".clone_into(&mut details.created_via);
    }
    apply(call, id, wish);
    call.state.bump(id, call.now);
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

/// Orders in tables of their own move their date with every PUT, even an empty one; orders as posts only
/// when a field other than meta data really changes.
fn update_from(call: &mut Call<'_>, id: u64, wish: &Map<String, Value>) {
    let changed = apply(call, id, wish);
    if changed || call.options.profile.hpos() {
        call.state.bump(id, call.now);
    }
}

/// Applies what a body wishes; returns whether a field other than meta data changed.
fn apply(call: &mut Call<'_>, id: u64, wish: &Map<String, Value>) -> bool {
    let Some(details) = call.state.details_mut(call.options, id) else { return false };
    let mut changed = set_fields(details, wish);
    change_meta(details, id, wish.get("meta_data"));
    changed |= change_lines(details, id, wish.get("line_items"));
    changed |= add_charges(details, id, wish);
    if wish.get("set_paid").and_then(boolean) == Some(true) {
        changed |= changes::set_status(call.options, call.state, id, "processing", call.now);
    }
    if let Some(status) = wish.get("status").and_then(Value::as_str) {
        changed |= changes::set_status(call.options, call.state, id, status, call.now);
    }
    changed
}

fn set_fields(details: &mut Details, wish: &Map<String, Value>) -> bool {
    let mut changed = false;
    let texts = [
        ("customer_note", &mut details.customer_note),
        ("transaction_id", &mut details.transaction_id),
        ("payment_method", &mut details.payment_method),
        ("currency", &mut details.currency),
    ];
    for (name, field) in texts {
        if let Some(text) = wish.get(name).and_then(Value::as_str).filter(|text| text != field) {
            text.clone_into(field);
            changed = true;
        }
    }
    if let Some(id) = wish.get("customer_id").and_then(integer).and_then(|id| u64::try_from(id).ok()) {
        changed |= std::mem::replace(&mut details.customer_id, id) != id;
    }
    for (name, address) in [("billing", &mut details.billing), ("shipping", &mut details.shipping)] {
        let before = address.clone();
        wish.get(name).into_iter().for_each(|change| address.update(change));
        changed |= before != *address;
    }
    changed
}

/// As `update_meta_data` and `save_meta_data` do: by id, else by key; a value of null deletes.
fn change_meta(details: &mut Details, order: u64, wish: Option<&Value>) {
    for entry in wish.and_then(Value::as_array).into_iter().flatten() {
        let (Some(key), value) = (entry["key"].as_str(), entry["value"].clone()) else { continue };
        let id = entry["id"].as_u64();
        let by_id = details.meta.iter().position(|meta| id == Some(meta.id));
        let at = by_id.or_else(|| details.meta.iter().position(|meta| meta.key == key));
        match (at, value.is_null()) {
            (Some(at), true) => {
                details.meta.remove(at);
            }
            (None, true) => {}
            (Some(at), false) => {
                if let Some(meta) = details.meta.get_mut(at) {
                    key.clone_into(&mut meta.key);
                    meta.value = value;
                }
            }
            (None, false) => details.set_meta(order, key, value),
        }
    }
}

/// `id` with a quantity changes a line (0 removes it), `product_id` adds one; a product that does not
/// exist makes an empty line, as in the real shop.
fn change_lines(details: &mut Details, order: u64, wish: Option<&Value>) -> bool {
    let wishes = wish.and_then(Value::as_array).cloned().unwrap_or_default();
    for wish in &wishes {
        let pieces = wish.get("quantity").and_then(integer).and_then(|pieces| u32::try_from(pieces).ok());
        match wish["id"].as_u64().filter(|id| *id > 0) {
            Some(id) => change_line(details, id, pieces, &wish["total"]),
            None => add_line(details, order, wish, pieces.unwrap_or(1)),
        }
    }
    !wishes.is_empty()
}

fn change_line(details: &mut Details, id: u64, pieces: Option<u32>, total: &Value) {
    if pieces == Some(0) {
        details.lines.retain(|line| line.id != id);
        return;
    }
    let Some(line) = details.lines.iter_mut().find(|line| line.id == id) else { return };
    if let Some(pieces) = pieces {
        set_quantity(line, pieces);
    }
    if let Some(total) = decimal(total) {
        line.total = total;
    }
}

/// Changes the pieces of a line at the same price per piece.
pub(super) fn set_quantity(line: &mut Line, pieces: u32) {
    let scale = |amount: Decimal| {
        let each = amount.checked_div(Decimal::from(line.quantity)).unwrap_or_default();
        (each * Decimal::from(pieces)).round_dp(2)
    };
    (line.subtotal, line.total) = (scale(line.subtotal), scale(line.total));
    line.quantity = pieces;
}

fn add_line(details: &mut Details, order: u64, wish: &Value, pieces: u32) {
    let product = wish["product_id"].as_u64().unwrap_or(0);
    let variation = wish["variation_id"].as_u64().unwrap_or(0);
    let ware = WARES.iter().find(|ware| {
        ware.product_id == product && (variation == 0 || ware.variation_id == variation)
            || ware.variation_id == product && product > 0
    });
    match ware {
        Some(ware) => seed::push_ware(details, order, ware, pieces),
        None => {
            let id = details.next_item(order);
            details.lines.push(empty_line(id, wish["name"].as_str().unwrap_or_default(), pieces));
        }
    }
}

fn empty_line(id: u64, name: &str, quantity: u32) -> Line {
    Line {
        id,
        product_id: 0,
        variation_id: 0,
        name: name.to_owned(),
        parent_name: None,
        quantity,
        subtotal: Decimal::ZERO,
        total: Decimal::ZERO,
        sku: None,
        gtin: None,
        image: 0,
        is_virtual: false,
        meta: Vec::new(),
    }
}

fn add_charges(details: &mut Details, order: u64, wish: &Map<String, Value>) -> bool {
    let mut changed = false;
    for (name, title) in [("shipping_lines", "method_title"), ("fee_lines", "name")] {
        for entry in wish.get(name).and_then(Value::as_array).into_iter().flatten() {
            let id = details.next_item(order);
            let title = entry[title].as_str().unwrap_or_default().to_owned();
            let charge = Charge { id, title, total: decimal(&entry["total"]).unwrap_or_default() };
            let list = if name == "fee_lines" { &mut details.fee_lines } else { &mut details.shipping_lines };
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

/// `DELETE /orders/{id}`: to the trash, or with `force=true` for good. The answer shows the order as it
/// was before.
pub(super) fn delete(call: &mut Call<'_>) -> Response {
    let id = call.id(0);
    if !call.has_order(id) {
        return invalid_id(404);
    }
    let before = body(call, id);
    if call.truth("force") {
        call.state.remove(id);
    } else if !changes::trash(call.options, call.state, id, call.now) {
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
    match call.state.remove(id) {
        Some(_) => before,
        None => failed(id, &invalid_id(404)),
    }
}

fn failed(id: u64, response: &Response) -> Value {
    json!({"id": id, "error": response.body_json()})
}
