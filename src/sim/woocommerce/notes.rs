//! Notes on an order. They move no date; a note to the customer is an e-mail each time.

use serde_json::{Value, json};

use super::args::error;
use super::call::Call;
use super::render::gmt;
use super::state::Note;
use crate::sim::http::Response;

fn body(call: &Call<'_>, order: u64, note: &Note) -> Value {
    let base = format!("{}wc/v3/orders/{order}", call.root);
    json!({
        "id": note.id, "author": "WooCommerce", "date_created": call.style().local(note.created),
        "date_created_gmt": gmt(note.created), "note": note.text, "customer_note": note.to_customer,
        "_links": {
            "self": [{"href": format!("{base}/notes/{}", note.id), "targetHints": {"allow": ["GET", "DELETE"]}}],
            "collection": [{"href": format!("{base}/notes")}],
            "up": [{"href": base}],
        },
    })
}

fn invalid_order() -> Response {
    error(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
}

/// Every note of an order, newest first.
pub(super) fn all(call: &Call<'_>, order: u64) -> Vec<Value> {
    let mut notes: Vec<&Note> = call.state.attached.get(&order).map(|a| a.notes.iter().collect()).unwrap_or_default();
    notes.sort_by_key(|note| std::cmp::Reverse(note.created));
    let wanted = |note: &&Note| match call.text("type") {
        Some("customer") => note.to_customer,
        Some("internal") => !note.to_customer,
        _ => true,
    };
    notes.into_iter().filter(wanted).map(|note| body(call, order, note)).collect()
}

/// `GET /orders/{id}/notes`.
pub(super) fn list(call: &Call<'_>) -> Response {
    let order = call.id(0);
    if !call.has_order(order) {
        return invalid_order();
    }
    Response::json(200, &Value::Array(all(call, order)))
}

/// `GET /orders/{id}/notes/{id}`.
pub(super) fn get(call: &Call<'_>) -> Response {
    let (order, id) = (call.id(0), call.id(1));
    let attached = call.state.attached.get(&order);
    match attached.and_then(|attached| attached.notes.iter().find(|note| note.id == id)) {
        Some(note) => Response::json(200, &body(call, order, note)),
        None => error(404, "woocommerce_rest_invalid_id", "Invalid resource ID."),
    }
}

/// `POST /orders/{id}/notes`.
pub(super) fn create(call: &mut Call<'_>) -> Response {
    let order = call.id(0);
    if !call.has_order(order) {
        return invalid_order();
    }
    let text = call.text("note").unwrap_or_default().to_owned();
    let to_customer = call.truth("customer_note");
    let id = call.state.add_note(order, &text, to_customer, call.now);
    let note = Note { id, created: call.now, text, to_customer };
    let location = format!("{}wc/v3/orders/{order}/notes/{id}", call.root);
    Response::json(201, &body(call, order, &note)).with_header("Location", location)
}

/// `DELETE /orders/{id}/notes/{id}`.
pub(super) fn delete(call: &mut Call<'_>) -> Response {
    let (order, id) = (call.id(0), call.id(1));
    let response = get(call);
    if response.status == 200 {
        call.state.attached(order).notes.retain(|note| note.id != id);
    }
    response
}
