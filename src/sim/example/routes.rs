//! Which request is for what, and what the writes do.

use serde_json::{Value, json};

use super::{Call, Context, Entry, Example, Options, Shop, TOKEN, hooks, render};
use crate::sim::http::{Request, Response};
use crate::sim::rest::{Answer, Route, find};
use crate::sim::world::{ALL, About, Bounds, By, Event, Query, Shipment, State, Tracking, numbers, part_id};

type Handler = fn(&mut Call<'_, '_>) -> Answer;

/// Every route.
const ROUTES: &[Route<Handler>] = &[
    Route("GET", "shop", "", |call| {
        Ok(Response::json(200, &json!({ "id": call.options.id, "name": "Corner Shop", "currency": "EUR" })))
    }),
    Route("GET", "orders", "", orders),
    Route("GET", "orders/count", "", |call| {
        let count = call.state.find(query(call.request)).count();
        Ok(Response::json(200, &json!({ "count": count })))
    }),
    Route("GET", "orders/{id}", "", |call| {
        let entry = call.state.orders.get(&call.id(0)).ok_or_else(missing)?;
        shown(call.options, call.state, &[entry]).map(|rows| Response::json(200, &rows[0]))
    }),
    Route("GET", "hooks", "", hooks::list),
    Route("POST", "hooks", "", hooks::create),
    Route("PUT", "hooks/{id}", "", hooks::update),
    Route("DELETE", "hooks/{id}", "", hooks::delete),
    Route("GET", "keys", "", hooks::key),
    Route("POST", "orders/{id}/shipments", "", ship),
    Route("PUT", "orders/{id}/shipments/{id}", "", retrack),
    Route("POST", "orders/{id}/done", "", |call| {
        let id = call.id(0);
        call.set_word(id, "done");
        changed(call, |order| order.mail(About::Completed, ""))
    }),
    Route("POST", "orders/{id}/cancel", "", |call| {
        let (id, wish) = (call.id(0), call.request.json().unwrap_or_default());
        let reason = wish["reason"].as_str().unwrap_or_default();
        call.change_and(id, Event::Cancelled, |order| order.staff_notes.push_str(reason));
        changed(call, |_| ())
    }),
];

/// The answer to a request.
pub(super) fn respond(shop: &Shop, request: &Request) -> Response {
    if request.header("x-token") != Some(TOKEN) {
        return refused(401, "this is not the token");
    }
    shop.with(|context| answer(context, request).unwrap_or_else(|refused| refused))
}

fn answer(context: &mut Context<'_>, request: &Request) -> Answer {
    let (route, path) = find(ROUTES, &request.method, request.path.trim_matches('/')).ok_or_else(missing)?;
    let mut call = Call { context, request, params: serde_json::Map::new(), path, by: () };
    let is_of_order = !call.path.is_empty() && route.1.starts_with("orders/");
    if is_of_order && !call.state.orders.contains_key(&call.id(0)) {
        return Err(missing());
    }
    let response = (route.3)(&mut call)?;
    call.state.writes += u64::from(request.method != "GET");
    Ok(response)
}

pub(super) fn refused(status: u16, message: &str) -> Response {
    Response::json(status, &json!({ "message": message }))
}

pub(super) fn missing() -> Response {
    refused(404, "there is no such thing here")
}

/// The order and the bounds of a list; both ends are in it.
fn query(request: &Request) -> Query {
    let bounds = |name: &str| -> Bounds {
        let edge = |end: &str| request.param(&format!("{name}_{end}")).and_then(|text| text.parse().ok());
        (edge("from").unwrap_or(ALL.0), edge("to").unwrap_or(ALL.1))
    };
    Query {
        by: if request.param("sort") == Some("changed") { By::Modified } else { By::Id },
        descending: request.param("order") == Some("desc"),
        modified: bounds("changed"),
        id: bounds("id"),
        ..Query::default()
    }
}

/// The first rows of a list, a hundred at most.
fn orders(call: &mut Call<'_, '_>) -> Answer {
    let limit = call.request.param("limit").and_then(|text| text.parse().ok()).unwrap_or(100).min(100);
    let found: Vec<&Entry> = call.state.find(query(call.request)).take(limit).collect();
    let rows = shown(call.options, call.state, &found)?;
    Ok(Response { delay: call.options.page_latency, ..Response::json(200, &json!(rows)) })
}

/// Orders as they are shown; the shop's program fails at some of them.
fn shown(options: &Options, state: &State<Example>, found: &[&Entry]) -> Result<Vec<Value>, Response> {
    if found.iter().any(|entry| state.unrenderable.contains(&entry.id)) {
        return Err(refused(500, "the shop's program has failed"));
    }
    let row = |entry: &&Entry| render::order(entry, &entry.order(options), state.spoilt.contains(&entry.id));
    Ok(found.iter().map(row).collect())
}

/// Changes the order of a request and shows it.
fn changed(call: &mut Call<'_, '_>, change: impl FnOnce(&mut super::Order)) -> Answer {
    let id = call.id(0);
    call.change(id, change);
    let entry = call.state.orders.get(&id).ok_or_else(missing)?;
    Ok(Response::json(200, &render::order(entry, &entry.order(call.options), false)))
}

/// The carrier and the number that a request names; nothing where it names no number.
fn tracking(wish: &Value) -> Vec<Tracking> {
    let text = |name: &str| wish[name].as_str().unwrap_or_default().to_owned();
    let one = Tracking { carrier: text("carrier"), number: text("tracking"), ..Tracking::default() };
    if one == Tracking::default() { Vec::new() } else { vec![one] }
}

/// Ships pieces that are left, and mails the buyer.
fn ship(call: &mut Call<'_, '_>) -> Answer {
    let (id, at, wish) = (call.id(0), call.now, call.request.json().unwrap_or_default());
    let order = call.order_mut(id).ok_or_else(missing)?;
    let mut items = Vec::new();
    for row in wish["lines"].as_array().into_iter().flatten() {
        let (line, pieces) = (row["line"].as_u64().unwrap_or(0), row["pieces"].as_u64().unwrap_or(0));
        if pieces == 0 || order.line(line).is_none_or(|line| line.open() < pieces) {
            return Err(refused(422, "so many pieces are not left of that line"));
        }
        items.push((line, pieces));
    }
    if items.is_empty() {
        return Err(refused(422, "a shipment has pieces in it"));
    }
    let (made, tracking) = (part_id::<Example>(order), tracking(&wish));
    order.mail(About::Shipment, numbers(&tracking));
    let comments = wish["mark"].as_str().unwrap_or_default().to_owned();
    order.add_shipment(Shipment { id: made, at, items, tracking, comments, ..Shipment::default() });
    call.touch(id);
    Ok(Response::json(201, &json!({ "id": made })))
}

/// Gives a shipment another carrier and number.
fn retrack(call: &mut Call<'_, '_>) -> Answer {
    let (id, shipment, wish) = (call.id(0), call.id(1), call.request.json().unwrap_or_default());
    let order = call.order_mut(id).ok_or_else(missing)?;
    let found = order.shipments.iter_mut().find(|known| known.id == shipment && !known.undone);
    found.ok_or_else(missing)?.tracking = tracking(&wish);
    call.touch(id);
    Ok(Response::json(200, &json!({ "id": shipment })))
}
