//! One order: shown, changed, archived.

use serde_json::Value;

use super::list::expand;
use super::options::Options;
use super::state::{Fee, State};
use super::{errors, render, seed};
use crate::sim::http::{Request, Response};

/// `GET /v2/orders/{id}`; archived ones too.
pub(super) fn get(options: &Options, state: &State, id: u64, request: &Request) -> Response {
    match (state.orders.get(&id), state.details(options, id)) {
        (Some(order), Some(details)) => {
            Response::json(200, &render::order(options, order, &details, expand(options, request)))
        }
        _ => errors::not_found(),
    }
}

/// `PUT /v2/orders/{id}`: what is given is replaced. `products` clears the discounts of the lines and `fees` is the whole list.
pub(super) fn change(options: &Options, state: &mut State, id: u64, request: &Request, now: i64) -> Response {
    let Some(Value::Object(wish)) = request.json() else { return errors::v2(400, "The request body is not valid JSON.") };
    if let Some(field) = ["id", "external_id", "total_tax", "date_modified"].into_iter().find(|field| wish.contains_key(*field)) {
        return errors::read_only(field);
    }
    let status = wish.get("status_id").map(|status| status.as_u64().filter(|status| *status < 15));
    if status == Some(None) {
        return errors::invalid("status_id");
    }
    let Some(details) = state.details_mut(options, id) else { return errors::not_found() };
    for (name, member) in [("staff_notes", &mut details.staff_notes), ("customer_message", &mut details.message)] {
        if let Some(text) = wish.get(name).and_then(Value::as_str) {
            text.clone_into(member);
        }
    }
    if wish.contains_key("products") {
        details.lines.iter_mut().for_each(|line| line.discount = 0);
        details.coupon = None;
    }
    if let Some(fees) = wish.get("fees").and_then(Value::as_array) {
        details.fees = fees.iter().filter_map(|fee| Some(Fee { id: fee["id"].as_u64()?, name: String::new(), cost: 0 })).collect();
    }
    match status.flatten().and_then(|status| u8::try_from(status).ok()) {
        Some(status) => state.set_status(id, status, now),
        None => {
            state.touch(id, now);
            true
        }
    };
    get(options, state, id, request)
}

/// `DELETE /v2/orders/{id}`: archived, not gone.
pub(super) fn archive(state: &mut State, id: u64, now: i64) -> Response {
    let Some(order) = state.orders.get_mut(&id) else { return errors::not_found() };
    order.archived = true;
    state.touch(id, now);
    errors::nothing()
}

/// `DELETE /v2/orders`: the call that nobody should make.
pub(super) fn archive_all(state: &mut State) -> Response {
    state.orders.values_mut().for_each(|order| order.archived = true);
    errors::nothing()
}

/// `GET .../products`.
pub(super) fn products(options: &Options, state: &State, id: u64) -> Vec<Value> {
    let details = state.details(options, id).unwrap_or_else(|| seed::blank(options, id));
    details.lines.iter().map(|line| render::product(id, line, &details)).collect()
}

/// `GET .../shipping_addresses`.
pub(super) fn places(options: &Options, state: &State, id: u64) -> Vec<Value> {
    let details = state.details(options, id).unwrap_or_else(|| seed::blank(options, id));
    details.places.iter().map(|place| render::shipping_address(options, id, place, &details)).collect()
}

/// `GET .../fees`.
pub(super) fn fees(options: &Options, state: &State, id: u64) -> Vec<Value> {
    state.details(options, id).map(|details| details.fees.iter().map(render::fee).collect()).unwrap_or_default()
}
