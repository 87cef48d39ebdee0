//! Control over HTTP for other processes: what `curl` can do to a simulated shop. See [`crate::sim`].

use serde_json::{Value, json};

use super::Shop;
use super::hands::NewOrder;
use super::state::Address;
use crate::sim::http::{Request, Response};

/// Answers a request below the control path.
pub(super) fn handle(shop: &Shop, request: &Request, verb: &str) -> Response {
    let wish = request.json().unwrap_or(Value::Null);
    let (verb, id) = verb.split_once('/').unwrap_or((verb, ""));
    let id = id.parse().unwrap_or(0);
    match (request.method.as_str(), verb) {
        ("GET", "stats") => stats(shop),
        ("GET", "order") => shop.order_json(id).map_or_else(unknown, |order| Response::json(200, &order)),
        ("POST", "place-order") => place(shop, &wish),
        ("POST", "cancel") => done(shop, id, shop.cancel(id)),
        ("POST", "pay") => done(shop, id, shop.pay(id)),
        ("POST", "trash") => done(shop, id, shop.trash(id)),
        ("POST", "restore") => done(shop, id, shop.restore(id)),
        ("POST", "status") => done(shop, id, shop.set_status(id, wish["status"].as_str().unwrap_or_default())),
        ("POST", "refund") => {
            done(shop, id, shop.refund(id, wish["amount"].as_str().unwrap_or_default(), "").is_some())
        }
        ("POST", "edit-address") => done(shop, id, shop.edit_address(id, |address| address.update(&wish))),
        _ => unknown(),
    }
}

fn unknown() -> Response {
    Response::json(404, &json!({"error": "unknown order or verb: see the documentation of `sim`"}))
}

fn done(shop: &Shop, id: u64, changed: bool) -> Response {
    match shop.status(id) {
        Some(status) => Response::json(200, &json!({"id": id, "status": status, "changed": changed})),
        None if changed => Response::json(200, &json!({"id": id, "changed": true})),
        None => unknown(),
    }
}

fn stats(shop: &Shop) -> Response {
    let counters = shop.counters();
    Response::json(
        200,
        &json!({"orders": counters.orders, "writes": counters.writes, "dispatch_mails": counters.dispatch_mails}),
    )
}

/// `{"status": "processing", "lines": [{"sku": "TEE-001", "quantity": 2}], "note": "...", "shipping": {...}}`,
/// all of it optional.
fn place(shop: &Shop, wish: &Value) -> Response {
    let mut new = NewOrder::paid();
    if let Some(status) = wish["status"].as_str() {
        new = new.status(status);
    }
    for line in wish["lines"].as_array().into_iter().flatten() {
        let pieces = line["quantity"].as_u64().and_then(|pieces| u32::try_from(pieces).ok()).unwrap_or(1);
        new = new.line(line["sku"].as_str().unwrap_or_default(), pieces);
    }
    if let Some(note) = wish["note"].as_str() {
        new = new.note(note);
    }
    if wish["shipping"].is_object() {
        let mut address = Address::default();
        address.update(&wish["shipping"]);
        new = new.ship_to(address);
    }
    let id = shop.place_order(new);
    Response::json(201, &json!({"id": id, "status": shop.status(id)}))
}
