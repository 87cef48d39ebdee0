//! Order fulfilments as WooCommerce 10.5 has them behind a feature switch: no check of quantities, no
//! protection against doubles, and numeric error codes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::args::error;
use super::auth::check_rights;
use super::call::Call;
use super::options::Rights;
use super::render::gmt;
use super::state::{Fulfillment, Meta};
use crate::sim::http::Response;

/// Whether the asker may. Fulfilments of guest orders are readable by anybody: the owner check compares
/// customer 0 with user 0.
pub(super) fn allowed(call: &Call<'_>) -> Result<(), Response> {
    let order = call.id(0);
    let Some(found) = call.state.orders.get(&order) else {
        let body = json!({"code": "woocommerce_rest_order_invalid_id", "message": "Invalid order ID.",
            "data": {"status": "404"}});
        return Err(Response::json(404, &body));
    };
    let reads = call.method == "GET";
    let a_customer = call.who.as_ref().is_some_and(|key| key.rights == Rights::Customer);
    if reads && !a_customer && found.details(call.options).customer_id == 0 {
        return Ok(());
    }
    match reads {
        true => check_rights(&call.who, "woocommerce_rest_cannot_view", "Sorry, you cannot view resources."),
        false => check_rights(&call.who, "woocommerce_rest_cannot_create", "Sorry, you cannot create resources."),
    }
}

/// A 400 with a number as its code.
fn refused(code: u16, message: &str) -> Response {
    Response::json(400, &json!({"code": code, "message": message, "data": {"status": 400}}))
}

/// The site's time with a space and without zone.
fn local(call: &Call<'_>, at: i64) -> String {
    gmt(at + i64::from(call.options.offset_minutes) * 60).replace('T', " ")
}

fn meta_json(fulfillment: &Fulfillment) -> Value {
    fulfillment.meta.iter().map(|meta| json!({"id": meta.id, "key": meta.key, "value": meta.value})).collect()
}

fn body(call: &Call<'_>, order: u64, fulfillment: &Fulfillment) -> Value {
    json!({
        "id": fulfillment.id, "entity_type": "WC_Order", "entity_id": order.to_string(),
        "is_fulfilled": fulfillment.status == "fulfilled", "status": fulfillment.status,
        "date_updated": local(call, fulfillment.updated), "meta_data": meta_json(fulfillment),
    })
}

fn of<'a>(call: &'a Call<'_>, order: u64) -> impl Iterator<Item = &'a Fulfillment> {
    call.state.attached.get(&order).into_iter().flat_map(|attached| attached.fulfillments.iter())
}

/// Every fulfilment of an order that is not deleted.
pub(super) fn all(call: &Call<'_>, order: u64) -> Vec<Value> {
    of(call, order).filter(|one| !one.deleted).map(|one| body(call, order, one)).collect()
}

/// `GET /orders/{id}/fulfillments`.
pub(super) fn list(call: &Call<'_>) -> Response {
    Response::json(200, &Value::Array(all(call, call.id(0))))
}

fn find(call: &Call<'_>) -> Result<Fulfillment, Response> {
    let id = call.id(1);
    match of(call, call.id(0)).find(|one| one.id == id) {
        None => Err(refused(0, "Fulfillment not found.")),
        Some(one) if one.deleted => Err(refused(404, "Fulfillment not found.")),
        Some(one) => Ok(one.clone()),
    }
}

/// `GET /orders/{id}/fulfillments/{id}`.
pub(super) fn get(call: &Call<'_>) -> Response {
    match find(call) {
        Ok(one) => Response::json(200, &body(call, call.id(0), &one)),
        Err(response) => response,
    }
}

/// `GET /orders/{id}/fulfillments/{id}/metadata`.
pub(super) fn metadata(call: &Call<'_>) -> Response {
    match find(call) {
        Ok(one) => Response::json(200, &meta_json(&one)),
        Err(response) => response,
    }
}

/// The entries of a body that count: those with an id, 0 for a new one. Others are dropped in silence.
fn wished_meta(call: &Call<'_>) -> Vec<(String, Value)> {
    let entries = call.params.get("meta_data").and_then(Value::as_array).into_iter().flatten();
    let counted = entries.filter(|entry| entry.get("id").is_some_and(|id| !id.is_null()));
    counted.filter_map(|entry| Some((entry["key"].as_str()?.to_owned(), entry["value"].clone()))).collect()
}

/// Items must be there, be numbered and have a positive quantity. Nothing else is checked.
fn check_items(meta: &[(String, Value)]) -> Result<(), Response> {
    let items = meta.iter().find(|(key, _)| key == "_items").and_then(|(_, value)| value.as_array());
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        return Err(refused(0, "The fulfillment should contain at least one item."));
    };
    let good = |item: &Value| item["item_id"].is_u64() && item["qty"].as_f64().is_some_and(|pieces| pieces > 0.0);
    if items.iter().all(good) { Ok(()) } else { Err(refused(0, "Invalid item.")) }
}

/// `POST /orders/{id}/fulfillments`: makes one more each time.
pub(super) fn create(call: &mut Call<'_>) -> Response {
    let wished = wished_meta(call);
    if let Err(response) = check_items(&wished) {
        return response;
    }
    let status = call.text("status").unwrap_or("unfulfilled").to_owned();
    Response::json(201, &add(call, call.id(0), status, wished))
}

/// Adds a fulfilment, whoever makes it; gives its body.
pub(super) fn add(call: &mut Call<'_>, order: u64, status: String, wished: Vec<(String, Value)>) -> Value {
    let id = call.state.next_fulfillment;
    call.state.next_fulfillment += 1;
    let mut one = Fulfillment { id, status, updated: call.now, deleted: false, meta: Vec::new() };
    write_meta(call, &mut one, wished);
    let body = body(call, order, &one);
    call.state.attached(order).fulfillments.push(one);
    after_change(call, order, body["status"] == "fulfilled");
    body
}

/// `PUT /orders/{id}/fulfillments/{id}`: meta data that is not in the body is removed. The answer still
/// shows the old date.
pub(super) fn update(call: &mut Call<'_>) -> Response {
    let mut one = match find(call) {
        Ok(one) => one,
        Err(response) => return response,
    };
    let wished = wished_meta(call);
    if let Err(response) = check_items(&wished) {
        return response;
    }
    let order = call.id(0);
    call.text("status").unwrap_or("unfulfilled").clone_into(&mut one.status);
    write_meta(call, &mut one, wished);
    let body = body(call, order, &one);
    one.updated = call.now;
    replace(call, order, one);
    after_change(call, order, body["status"] == "fulfilled");
    Response::json(200, &body)
}

/// `DELETE /orders/{id}/fulfillments/{id}`.
pub(super) fn delete(call: &mut Call<'_>) -> Response {
    let mut one = match find(call) {
        Ok(one) => one,
        Err(response) => return response,
    };
    one.deleted = true;
    let order = call.id(0);
    replace(call, order, one);
    after_change(call, order, false);
    Response::json(200, &json!({"message": "Fulfillment deleted successfully."}))
}

/// Deletes the nth fulfilment that is not deleted; whether there is one.
pub(super) fn remove(call: &mut Call<'_>, order: u64, nth: usize) -> bool {
    let Some(mut one) = of(call, order).filter(|one| !one.deleted).nth(nth).cloned() else { return false };
    one.deleted = true;
    replace(call, order, one);
    after_change(call, order, false);
    true
}

fn replace(call: &mut Call<'_>, order: u64, one: Fulfillment) {
    let all = &mut call.state.attached(order).fulfillments;
    if let Some(place) = all.iter_mut().find(|other| other.id == one.id) {
        *place = one;
    }
}

fn write_meta(call: &mut Call<'_>, one: &mut Fulfillment, mut wished: Vec<(String, Value)>) {
    if one.status == "fulfilled" {
        let at = local(call, call.now);
        let earlier = one.meta.iter().find(|meta| meta.key == "_date_fulfilled").map(|meta| meta.value.clone());
        wished.push(("_date_fulfilled".to_owned(), earlier.unwrap_or_else(|| json!(at))));
    }
    if call.options.forgets_entries {
        wished.retain(|(key, _)| key == "_items");
    }
    let before = std::mem::take(&mut one.meta);
    for (key, value) in wished {
        let known = before.iter().find(|meta| meta.key == key && meta.value == value).map(|meta| meta.id);
        let id = known.unwrap_or_else(|| {
            call.state.next_fulfillment_meta += 1;
            call.state.next_fulfillment_meta - 1
        });
        one.meta.push(Meta { id, label: key.clone(), key, value });
    }
}

/// The order's date moves and its `_fulfillment_status` follows; its status does not.
fn after_change(call: &mut Call<'_>, order: u64, fulfilled: bool) {
    if fulfilled && call.truth("notify_customer") {
        call.state.attached(order).mails.fulfillment += 1;
    }
    let status = overall(call, order);
    if let Some(details) = call.state.details_mut(call.options, order) {
        match status {
            Some(status) => details.set_meta(order, "_fulfillment_status", json!(status)),
            None => details.meta.retain(|meta| meta.key != "_fulfillment_status"),
        }
    }
    call.state.bump(order, call.now);
}

fn overall(call: &Call<'_>, order: u64) -> Option<&'static str> {
    let live: Vec<&Fulfillment> = of(call, order).filter(|one| !one.deleted).collect();
    if live.is_empty() {
        return None;
    }
    let mut sent: BTreeMap<u64, f64> = BTreeMap::new();
    for one in live.iter().filter(|one| one.status == "fulfilled") {
        for item in one.meta.iter().filter(|m| m.key == "_items").flat_map(|m| m.value.as_array().into_iter().flatten())
        {
            *sent.entry(item["item_id"].as_u64().unwrap_or(0)).or_default() += item["qty"].as_f64().unwrap_or(0.0);
        }
    }
    if sent.is_empty() {
        return Some("unfulfilled");
    }
    let details = call.state.details(call.options, order)?;
    let all = details.lines.iter().all(|l| sent.get(&l.id).is_some_and(|pieces| *pieces >= f64::from(l.quantity)));
    Some(if all { "fulfilled" } else { "partially_fulfilled" })
}

/// `GET /orders/{id}/fulfillments/lookup`: guesses the carrier from the number.
pub(super) fn lookup(call: &Call<'_>) -> Response {
    let number = call.text("tracking_number").unwrap_or_default();
    let guess = match number {
        ups if ups.starts_with("1Z") => Some(("ups", format!("https://www.ups.com/track?tracknum={ups}"))),
        dhl if dhl.starts_with("003404") || dhl.starts_with("JD") => {
            Some(("dhl", format!("https://www.dhl.com/en/express/tracking.html?AWB={dhl}")))
        }
        _ => None,
    };
    let Some((provider, url)) = guess else {
        return error(404, "woocommerce_rest_tracking_number_not_found", "No tracking information found.");
    };
    let possibilities = json!({provider: {"url": url, "ambiguity_score": 95}});
    let body = json!({"tracking_number": number, "shipping_provider": provider, "tracking_url": url,
        "possibilities": possibilities});
    Response::json(200, &body)
}
