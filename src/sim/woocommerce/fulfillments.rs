//! Order fulfilments as WooCommerce 10.5 has them behind a feature switch: no check of quantities,
//! no protection against doubles, and numeric error codes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::check_rights;
use super::args::error;
use super::options::{Options, Rights};
use super::render::gmt;
use super::request::Call;
use super::vendor::{Fulfillment, Meta, set_meta};
use super::{Context, Order};
use crate::sim::http::Response;
use crate::sim::world::About;

/// Whether the asker may. Fulfilments of guest orders are readable by anybody: the owner check
/// compares customer 0 with user 0.
pub(super) fn allowed(call: &Call<'_>) -> Result<(), Response> {
    let order = call.id(0);
    let Some(found) = call.state.orders.get(&order) else {
        let body = json!({"code": "woocommerce_rest_order_invalid_id", "message": "Invalid order ID.",
            "data": {"status": "404"}});
        return Err(Response::json(404, &body));
    };
    let reads = call.method == "GET";
    let a_customer = call.who.as_ref().is_some_and(|key| key.rights == Rights::Customer);
    if reads && !a_customer && found.order(call.options).customer == 0 {
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
fn local(options: &Options, at: i64) -> String {
    gmt(at + i64::from(options.offset_minutes) * 60).replace('T', " ")
}

fn meta_json(fulfillment: &Fulfillment) -> Value {
    fulfillment.meta.iter().map(|meta| json!({"id": meta.id, "key": meta.key, "value": meta.value})).collect()
}

fn body(options: &Options, order: u64, fulfillment: &Fulfillment) -> Value {
    json!({
        "id": fulfillment.id, "entity_type": "WC_Order", "entity_id": order.to_string(),
        "is_fulfilled": fulfillment.status == "fulfilled", "status": fulfillment.status,
        "date_updated": local(options, fulfillment.updated), "meta_data": meta_json(fulfillment),
    })
}

fn of(call: &Call<'_>, order: u64) -> Vec<Fulfillment> {
    call.order(order).map(|order| order.own.fulfillments.clone()).unwrap_or_default()
}

/// Pieces that are sent, and carrier and number of each fulfilment.
pub(super) fn parcels(order: &Order) -> (u64, Vec<(String, String)>) {
    let live = || order.own.fulfillments.iter().filter(|one| !one.deleted);
    let text = |one: &Fulfillment, key: &str| {
        let found = one.meta.iter().find(|meta| meta.key == key).and_then(|meta| meta.value.as_str());
        found.unwrap_or_default().to_owned()
    };
    let pieces = live().filter(|one| one.status == "fulfilled").flat_map(items).filter_map(|item| item["qty"].as_u64());
    (pieces.sum(), live().map(|one| (text(one, "_shipment_provider"), text(one, "_tracking_number"))).collect())
}

/// What is in a fulfilment.
fn items(one: &Fulfillment) -> impl Iterator<Item = &Value> {
    let entries = one.meta.iter().filter(|meta| meta.key == "_items");
    entries.flat_map(|meta| meta.value.as_array().into_iter().flatten())
}

/// Every fulfilment of an order that is not deleted.
pub(super) fn all(call: &Call<'_>, order: u64) -> Vec<Value> {
    of(call, order).iter().filter(|one| !one.deleted).map(|one| body(call.options, order, one)).collect()
}

/// `GET /orders/{id}/fulfillments`.
pub(super) fn list(call: &Call<'_>) -> Response {
    Response::json(200, &Value::Array(all(call, call.id(0))))
}

fn find(call: &Call<'_>) -> Result<Fulfillment, Response> {
    let id = call.id(1);
    match of(call, call.id(0)).into_iter().find(|one| one.id == id) {
        None => Err(refused(0, "Fulfillment not found.")),
        Some(one) if one.deleted => Err(refused(404, "Fulfillment not found.")),
        Some(one) => Ok(one),
    }
}

/// `GET /orders/{id}/fulfillments/{id}`.
pub(super) fn get(call: &Call<'_>) -> Response {
    match find(call) {
        Ok(one) => Response::json(200, &body(call.options, call.id(0), &one)),
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

/// The entries of a body that count: those with an id, 0 for a new one. Others are dropped in
/// silence.
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
    let (order, notify) = (call.id(0), call.truth("notify_customer"));
    Response::json(201, &add(&mut call.context(), order, status, wished, notify))
}

/// Adds a fulfilment, whoever makes it; gives its body.
fn add(context: &mut Context<'_>, order: u64, status: String, wished: Vec<(String, Value)>, notify: bool) -> Value {
    context.state.own.last_fulfillment += 1;
    let id = context.state.own.last_fulfillment;
    let mut one = Fulfillment { id, status, updated: context.now, deleted: false, meta: Vec::new() };
    write_meta(context, &mut one, wished);
    let body = body(context.options, order, &one);
    store(context, order, one, notify);
    body
}

/// The merchant makes one in the admin screen. False in a shop without the feature.
pub(super) fn by_hand(
    context: &mut Context<'_>,
    order: u64,
    items: &[(u64, u64)],
    carrier: &str,
    number: &str,
) -> bool {
    let known = context.state.orders.contains_key(&order) && context.options.has_fulfillments();
    let items: Vec<Value> = items.iter().map(|(item, qty)| json!({ "item_id": item, "qty": qty })).collect();
    let mut meta = vec![("_items".to_owned(), Value::Array(items))];
    if !number.is_empty() {
        meta.push(("_shipment_provider".to_owned(), json!(carrier)));
        meta.push(("_tracking_number".to_owned(), json!(number)));
    }
    known && add(context, order, "fulfilled".to_owned(), meta, false).is_object()
}

/// `PUT /orders/{id}/fulfillments/{id}`: meta data that is not in the body is removed. The answer
/// still shows the old date.
pub(super) fn update(call: &mut Call<'_>) -> Response {
    let mut one = match find(call) {
        Ok(one) => one,
        Err(response) => return response,
    };
    let wished = wished_meta(call);
    if let Err(response) = check_items(&wished) {
        return response;
    }
    let (order, notify) = (call.id(0), call.truth("notify_customer"));
    call.text("status").unwrap_or("unfulfilled").clone_into(&mut one.status);
    let mut context = call.context();
    write_meta(&mut context, &mut one, wished);
    let body = body(context.options, order, &one);
    one.updated = context.now;
    store(&mut context, order, one, notify);
    Response::json(200, &body)
}

/// `DELETE /orders/{id}/fulfillments/{id}`.
pub(super) fn delete(call: &mut Call<'_>) -> Response {
    let one = match find(call) {
        Ok(one) => one,
        Err(response) => return response,
    };
    let order = call.id(0);
    store(&mut call.context(), order, Fulfillment { deleted: true, ..one }, false);
    Response::json(200, &json!({"message": "Fulfillment deleted successfully."}))
}

/// Deletes the nth fulfilment that is not deleted; whether there is one.
pub(super) fn remove(context: &mut Context<'_>, order: u64, nth: usize) -> bool {
    let found = context.order(order).and_then(|order| {
        let mut live = order.own.fulfillments.iter().filter(|one| !one.deleted);
        live.nth(nth).cloned()
    });
    let Some(one) = found else { return false };
    store(context, order, Fulfillment { deleted: true, ..one }, false);
    true
}

fn write_meta(context: &mut Context<'_>, one: &mut Fulfillment, mut wished: Vec<(String, Value)>) {
    if one.status == "fulfilled" {
        let at = local(context.options, context.now);
        let earlier = one.meta.iter().find(|meta| meta.key == "_date_fulfilled").map(|meta| meta.value.clone());
        wished.push(("_date_fulfilled".to_owned(), earlier.unwrap_or_else(|| json!(at))));
    }
    if context.options.forgets_entries {
        wished.retain(|(key, _)| key == "_items");
    }
    let before = std::mem::take(&mut one.meta);
    for (key, value) in wished {
        let known = before.iter().find(|meta| meta.key == key && meta.value == value).map(|meta| meta.id);
        let id = known.unwrap_or_else(|| {
            context.state.own.last_fulfillment_meta += 1;
            context.state.own.last_fulfillment_meta
        });
        one.meta.push(Meta { id, key, value });
    }
}

/// Where an order's overall status of fulfilments stands.
pub(super) const META: &str = "_fulfillment_status";

/// Keeps a fulfilment. The order's date moves and its `_fulfillment_status` follows; its status
/// does not.
fn store(context: &mut Context<'_>, order: u64, one: Fulfillment, notify: bool) {
    context.change(order, |order| {
        if notify && one.status == "fulfilled" && !one.deleted {
            let number =
                one.meta.iter().find(|meta| meta.key == "_tracking_number").and_then(|meta| meta.value.as_str());
            order.mail(About::Shipment, number.unwrap_or_default());
        }
        match order.own.fulfillments.iter_mut().find(|other| other.id == one.id) {
            Some(place) => *place = one,
            None => order.own.fulfillments.push(one),
        }
        match overall(order) {
            Some(status) => set_meta(order, META, json!(status)),
            None => order.own.meta.retain(|meta| meta.key != META),
        }
    });
}

fn overall(order: &Order) -> Option<&'static str> {
    let live = || order.own.fulfillments.iter().filter(|one| !one.deleted);
    live().next()?;
    let mut sent: BTreeMap<u64, f64> = BTreeMap::new();
    for item in live().filter(|one| one.status == "fulfilled").flat_map(items) {
        *sent.entry(item["item_id"].as_u64().unwrap_or(0)).or_default() += item["qty"].as_f64().unwrap_or(0.0);
    }
    if sent.is_empty() {
        return Some("unfulfilled");
    }
    let whole = |pieces: u64| f64::from(u32::try_from(pieces).unwrap_or(u32::MAX));
    let all = order.lines.iter().all(|l| sent.get(&l.id).is_some_and(|pieces| *pieces >= whole(l.quantity)));
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
