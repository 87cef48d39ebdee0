//! One order: reading, making, changing, trashing; and the batch of such.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::errors::{critical, error, invalid_id, invalid_params};
use super::render::{self, ADDRESS, Style, meta_id};
use super::routes::args;
use super::vendor::{self, set_status};
use super::{Answer, Call, Context, Entry, Fee, Order, Response, WooCommerce};
use crate::sim::forms::{only_fields, readdress, rewrite};
use crate::sim::rest::{boolean, check, integer};
use crate::sim::world::fixtures::WARES;
use crate::sim::world::{Address, Place, add_line, part_id};

/// An order as the API shows it.
pub(super) fn seen(style: &Style<'_>, context: &Context<'_>, entry: &Entry) -> Value {
    let mut document = render::order(style, entry);
    if context.state.spoilt.contains(&entry.id) {
        document["total"] = json!({ "amount": "12.00" });
    }
    document
}

/// The order as JSON; null where there is none.
fn body(style: &Style<'_>, context: &Context<'_>, id: u64) -> Value {
    context.state.orders.get(&id).map(|entry| seen(style, context, entry)).unwrap_or_default()
}

/// An answer with an order, narrowed to `_fields`; unlike in lists the links always stay.
fn shown(call: &Call<'_, '_>, status: u16, body: Value) -> Response {
    let links = body["_links"].clone();
    let mut body = only_fields(body, call.text("_fields"));
    body["_links"] = links;
    Response::json(status, &body)
}

/// `GET /orders/{id}`: 404 for an unknown one; a trashed one is still given.
pub(super) fn get(call: &mut Call<'_, '_>) -> Answer {
    let id = call.id(0);
    if !call.state.orders.contains_key(&id) {
        return Err(invalid_id(404));
    }
    if call.state.unrenderable.contains(&id) {
        return Err(critical());
    }
    Ok(shown(call, 200, body(&call.style(), call, id)))
}

/// `POST /orders`.
pub(super) fn create(call: &mut Call<'_, '_>) -> Answer {
    let (wish, style) = (call.params.clone(), call.style());
    let body = create_from(call, &style, &wish);
    let location = format!("{}wc/v3/orders/{}", style.root, body["id"]);
    Ok(shown(call, 201, body).with_header("Location", location))
}

fn create_from(context: &mut Context<'_>, style: &Style<'_>, wish: &Map<String, Value>) -> Value {
    let id = vendor::create(context);
    apply(context, id, wish);
    context.touch(id);
    body(style, context, id)
}

/// `PUT /orders/{id}`: 400, not 404, for an unknown one.
pub(super) fn update(call: &mut Call<'_, '_>) -> Answer {
    let (id, wish) = (call.id(0), call.params.clone());
    if !call.state.orders.contains_key(&id) {
        return Err(invalid_id(400));
    }
    update_from(call, id, &wish);
    Ok(shown(call, 200, body(&call.style(), call, id)))
}

/// Orders in tables of their own move their date with every PUT, even an empty one; orders as posts
/// only when a field other than meta data really changes.
fn update_from(context: &mut Context<'_>, id: u64, wish: &Map<String, Value>) {
    if apply(context, id, wish) || context.options.profile.hpos() {
        context.touch(id);
    }
}

/// Applies what a body wishes; returns whether a field other than meta data changed.
fn apply(context: &mut Context<'_>, id: u64, wish: &Map<String, Value>) -> bool {
    let Some(order) = context.order_mut(id) else { return false };
    let mut changed = set_fields(order, wish);
    change_meta(order, wish.get("meta_data"));
    changed |= change_lines(order, wish.get("line_items"));
    changed |= add_charges(order, wish);
    if wish.get("set_paid").and_then(boolean) == Some(true) {
        changed |= set_status(context, id, "processing");
    }
    if let Some(status) = wish.get("status").and_then(Value::as_str) {
        changed |= set_status(context, id, status);
    }
    changed
}

fn set_fields(order: &mut Order, wish: &Map<String, Value>) -> bool {
    let texts = [
        ("customer_note", &mut order.note),
        ("transaction_id", &mut order.own.transaction_id),
        ("payment_method", &mut order.payment),
        ("currency", &mut order.currency),
    ];
    let mut changed = rewrite(wish, texts);
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
        changed |= wish.get(name).is_some_and(|change| readdress(address, &ADDRESS, change));
    }
    changed
}

/// As `update_meta_data` and `save_meta_data` do: by id, else by key; a value of null deletes.
fn change_meta(order: &mut Order, wish: Option<&Value>) {
    for entry in wish.and_then(Value::as_array).into_iter().flatten() {
        let (Some(key), value) = (entry["key"].as_str(), entry["value"].clone()) else { continue };
        let id = entry["id"].as_u64();
        let by_id = order.meta.iter().position(|meta| id == Some(meta_id(order, meta)));
        match by_id.or_else(|| order.meta.iter().position(|meta| meta.key == key)) {
            Some(at) if value.is_null() => drop(order.meta.remove(at)),
            Some(at) => {
                let found = order.meta.get_mut(at);
                found.into_iter().for_each(|meta| (meta.key, meta.value) = (key.to_owned(), value.clone()));
            }
            None if value.is_null() => {}
            None => order.set_meta(key, value),
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
        line.set_quantity(pieces);
    }
    if let Some(total) = decimal(total) {
        line.discount = line.subtotal() - total;
    }
}

fn new_line(order: &mut Order, wish: &Value, pieces: u64) {
    let product = wish["product_id"].as_u64().unwrap_or(0);
    let variation = wish["variation_id"].as_u64().unwrap_or(0);
    let ware = WARES.iter().find(|ware| {
        ware.product_id == product && (variation == 0 || ware.variation_id == variation)
            || ware.variation_id == product && product > 0
    });
    let name = ware.map_or_else(|| wish["name"].as_str().unwrap_or_default(), |ware| ware.sku);
    add_line::<WooCommerce>(order, name, pieces);
    if let Some(line) = order.lines.last_mut().filter(|_| ware.is_none()) {
        (line.gone, line.price) = (true, Decimal::ZERO);
    }
}

fn add_charges(order: &mut Order, wish: &Map<String, Value>) -> bool {
    let mut changed = false;
    for (name, title) in [("shipping_lines", "method_title"), ("fee_lines", "name")] {
        for entry in wish.get(name).and_then(Value::as_array).into_iter().flatten() {
            let id = part_id::<WooCommerce>(order);
            let title = entry[title].as_str().unwrap_or_default().to_owned();
            let charge = Fee { id, name: title, cost: decimal(&entry["total"]).unwrap_or_default() };
            let list = if name == "fee_lines" { &mut order.fees } else { &mut order.charges };
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
pub(super) fn delete(call: &mut Call<'_, '_>) -> Answer {
    let id = call.id(0);
    if !call.state.orders.contains_key(&id) {
        return Err(invalid_id(404));
    }
    let before = body(&call.style(), call, id);
    if call.truth("force") {
        call.state.remove(id);
    } else if !vendor::trash(call, id) {
        return Err(error(410, "woocommerce_rest_already_trashed", "The order has already been deleted."));
    }
    Ok(Response::json(200, &before))
}

/// `POST /orders/batch`: 200 over all; what fails says so in its place.
pub(super) fn batch(call: &mut Call<'_, '_>) -> Answer {
    let kinds = ["create", "update", "delete"];
    let wishes = kinds.map(|kind| call.params.get(kind).and_then(Value::as_array).cloned().unwrap_or_default());
    if wishes.iter().map(Vec::len).sum::<usize>() > 100 {
        let message = "Unable to accept more than 100 items for this request.";
        return Err(error(413, "woocommerce_rest_request_entity_too_large", message));
    }
    let style = call.style();
    let mut answer = Map::new();
    for (kind, wishes) in kinds.into_iter().zip(wishes).filter(|(_, wishes)| !wishes.is_empty()) {
        let done = wishes.iter().map(|wish| match kind {
            "create" => create_from(call, &style, wish.as_object().unwrap_or(&Map::new())),
            "update" => batch_update(call, &style, wish),
            _ => batch_delete(call, &style, wish.as_u64().unwrap_or(0)),
        });
        answer.insert(kind.to_owned(), done.collect());
    }
    Ok(Response::json(200, &Value::Object(answer)))
}

fn batch_update(context: &mut Context<'_>, style: &Style<'_>, wish: &Value) -> Value {
    let id = wish["id"].as_u64().unwrap_or(0);
    if !context.state.orders.contains_key(&id) {
        return failed(id, &invalid_id(400));
    }
    let mut wish = wish.as_object().cloned().unwrap_or_default();
    if let Err(wrong) = check(&args(context.options, "status:$writable"), &mut wish) {
        return failed(id, &invalid_params(&wrong));
    }
    update_from(context, id, &wish);
    body(style, context, id)
}

fn batch_delete(context: &mut Context<'_>, style: &Style<'_>, id: u64) -> Value {
    let before = body(style, context, id);
    if context.state.remove(id) { before } else { failed(id, &invalid_id(404)) }
}

fn failed(id: u64, response: &Response) -> Value {
    json!({"id": id, "error": response.body_json()})
}
