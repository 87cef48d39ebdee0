//! The list of receipts: filters, order, pages by offset.

use serde_json::{Value, json};

use super::access::error;
use super::options::Options;
use super::{Call, Entry, Response, render, vendor};
use crate::sim::rest::{Answer, boolean};
use crate::sim::world::{ALL, Bounds, By, Query};

/// What a list may be asked for.
pub(super) const PARAMETERS: &str = "min_created:int(946684800..) max_created:int(946684800..) \
     min_last_modified:int(946684800..) max_last_modified:int(946684800..) limit:int(1..)=25 offset:int(0..)=0 \
     sort_on:created|updated|receipt_id=created sort_order:asc|ascending|up|desc|descending|down=desc \
     was_paid:bool was_shipped:bool was_delivered:bool was_canceled:bool legacy:bool";

/// More rows than this are never given, whatever is asked for.
const MOST_ROWS: usize = 100;

/// Seconds from shipping to delivery.
const UNDERWAY: i64 = 5 * 86_400;

/// The order and the bounds of a list.
fn query(call: &Call<'_, '_>) -> Query {
    let edge = i64::from(call.options.exclusive_bounds);
    let bounds = |name: &str| -> Bounds {
        let low = call.number(&format!("min_{name}")).map(|low| low.saturating_add(edge));
        let high = call.number(&format!("max_{name}")).map(|high| high.saturating_sub(edge));
        (low.unwrap_or(ALL.0), high.unwrap_or(ALL.1))
    };
    let by = match call.text("sort_on") {
        Some("updated") => By::Modified,
        Some("receipt_id") => By::Id,
        _ => By::Created,
    };
    let descending = call.text("sort_order").is_none_or(|order| order.starts_with('d'));
    Query { by, descending, created: bounds("created"), modified: bounds("last_modified"), ..Query::default() }
}

/// Whether a receipt is one of those that are asked for.
fn matches(call: &Call<'_, '_>, entry: &Entry) -> bool {
    let wish = |name: &str| call.params.get(name).and_then(boolean);
    let canceled = wish("was_canceled").or(if call.options.omitted_is_both { None } else { Some(false) });
    if canceled.is_some_and(|canceled| canceled != vendor::is_canceled(entry)) {
        return false;
    }
    let [paid, shipped, delivered] = ["was_paid", "was_shipped", "was_delivered"].map(wish);
    // The content is made only where it is asked for.
    [paid, shipped, delivered].iter().all(Option::is_none) || {
        let order = entry.order(call.options);
        let is_there = order.sent().any(|shipment| shipment.at + UNDERWAY < call.now);
        paid.is_none_or(|paid| paid == order.paid.is_some())
            && shipped.is_none_or(|shipped| shipped == vendor::is_shipped(call.options, &order))
            && delivered.is_none_or(|delivered| delivered == is_there)
    }
}

/// `GET shops/{id}/receipts`.
pub(super) fn receipts(call: &mut Call<'_, '_>) -> Answer {
    let size = |name: &str| call.number(name).and_then(|number| usize::try_from(number).ok());
    let (limit, offset) = (size("limit").unwrap_or(25).min(MOST_ROWS), size("offset").unwrap_or(0));
    if offset as u64 > call.options.offset_cap {
        return Err(error(400, "Offset provided is greater than the maximum offset allowed."));
    }
    let found: Vec<&Entry> = call.state.find(query(call)).filter(|entry| matches(call, entry)).collect();
    let page: Vec<&Entry> = found.iter().skip(offset).take(limit).copied().collect();
    if page.iter().any(|entry| call.state.unrenderable.contains(&entry.id)) {
        return Err(error(500, "Server Error"));
    }
    let rows: Vec<Value> = page.iter().map(|entry| shown(call, entry)).collect();
    let body = json!({ "count": found.len(), "results": rows });
    Ok(Response { delay: call.options.page_latency, ..Response::json(200, &body) })
}

/// A receipt as a request sees it.
fn shown(call: &Call<'_, '_>, entry: &Entry) -> Value {
    let options: &Options = call.options;
    render::receipt(options, entry, &entry.order(options), call.state.spoilt.contains(&entry.id))
}

/// `GET shops/{id}/receipts/{id}`, and what writes answer.
pub(super) fn one(call: &mut Call<'_, '_>) -> Answer {
    let id = call.id(1);
    if call.request.method == "GET" && call.state.unrenderable.contains(&id) {
        return Err(error(500, "Server Error"));
    }
    let entry = call.state.orders.get(&id).ok_or_else(|| missing(call))?;
    Ok(Response::json(200, &shown(call, entry)))
}

/// There is no such receipt, or it is another shop's.
pub(super) fn missing(call: &Call<'_, '_>) -> Response {
    let (shop, receipt) = (call.id(0), call.id(1));
    let text = format!("Could not find a Shop Receipt with receipt_id = {receipt} associated with shop_id = {shop}.");
    error(404, &text)
}
