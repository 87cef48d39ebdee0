//! One form of an order's document, whichever way it came.
//!
//! Pages bring an order with a page of its lines, bulk operations bring order and lines as rows of
//! a file. Both end as the same JSON: the order with `lineItems.nodes` and `shippingLines.nodes` in
//! full, members sorted by name, nothing about paging. So an order that was read in bulk and comes
//! again in a page is known as unchanged.

use std::cell::Cell;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::api::Api;
use super::query;
use super::wire::{self, Nodes, PageInfo, Route};
use crate::channel::all_pages::{More, all_pages};
use crate::error::{Error, ErrorKind, Result};
use crate::http::status::AGAIN;

/// As many shipping lines as a page brings.
const SHIPPING_LINES: usize = 10;

/// How many lines follow those of the page. Most large orders end here, and what is asked for is
/// set aside of the budget, there or not.
const MORE_LINES: u32 = 30;

/// So many orders of a page have their missing lines fetched at once: one after the other, the
/// points that flow in meanwhile are lost.
const SIDE_BY_SIDE: usize = 8;

/// The lists without pages, and how many members of each come with an order.
const LISTS: [(&str, usize); 3] = [("refunds", 20), ("fulfillments", 20), ("transactions", 10)];

/// How many numbers of a fulfilment come with it.
const NUMBERS: usize = 10;

/// How many fulfilment orders come with an order.
const ROUTES: usize = 5;

/// The documents of orders as a page or a single read brings them, in that order; what is missing
/// of their lines is fetched.
///
/// A parsed order takes many times the room of its text, so one after the other is taken from
/// `orders` and only those stay parsed that lack lines.
pub(crate) fn complete(api: &Api, orders: impl Iterator<Item = Value>) -> Result<Vec<Box<RawValue>>> {
    let (mut documents, mut large) = (Vec::new(), Vec::new());
    for (place, order) in orders.enumerate() {
        if order["lineItems"]["pageInfo"]["hasNextPage"] == true || lacks_rest(&order) {
            large.push((place, order));
        } else {
            documents.push(finish(order)?);
        }
    }
    for some in large.chunks_mut(SIDE_BY_SIDE) {
        std::thread::scope(|scope| {
            let fetch = |order: &'_ mut Value| {
                fetch_lines(api, order)?;
                fetch_rest(api, order)
            };
            let fetch = |order| scope.spawn(move || fetch(order));
            let threads: Vec<_> = some.iter_mut().map(|(_, order)| fetch(order)).collect();
            let stopped = || Err(Error::new(ErrorKind::Failed, "reading an order's lines stopped; it was not taken"));
            threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| stopped()))
        })?;
    }
    // By rising places, so each goes where it stood.
    for (place, order) in large {
        documents.insert(place, finish(order)?);
    }
    Ok(documents)
}

/// Fetches the lines of an order that its page did not bring.
fn fetch_lines(api: &Api, order: &mut Value) -> Result<()> {
    let (what, undone) = ("an order's lines", "the order was not taken");
    let lines = &order["lineItems"];
    let nodes = lines["nodes"].as_array().cloned().unwrap_or_default();
    let page = Nodes { page_info: PageInfo::deserialize(&lines["pageInfo"]).unwrap_or_default(), nodes };
    let Some(after) = page.further(None, what, undone)? else { return Ok(()) };
    let id = order["id"].clone();
    let mut first = MORE_LINES;
    let lines = all_pages(what, page.nodes, after, key, |after| {
        let ask = |first: u32| api.ask(&query::LINES, json!({ "id": id, "first": first, "after": after }));
        let answer = api.sizes.fitting(&api.sizes.more_lines, first, ask)?;
        first = u32::MAX;
        let Some(more) = answer.read::<wire::Lines>()?.order else {
            let text = "an order went away while its lines were read; it was not taken";
            return Err(Error::new(ErrorKind::Temporary, text).hint(AGAIN));
        };
        let next = more.line_items.further(Some(after), what, undone)?;
        answer.mark(order, || more.line_items.nodes.iter().map(Value::to_string).collect());
        Ok((more.line_items.nodes, next.map_or(More::No, More::Yes)))
    })?;
    order["lineItems"]["nodes"] = Value::from(lines);
    Ok(())
}

/// By its id; by what is in it, where it has none.
fn key(line: &Value) -> String {
    line["id"].as_str().map_or_else(|| line.to_string(), str::to_owned)
}

/// Whether an order may have more of something than came with it, or goods that go different ways:
/// then it takes its fulfilment orders' lines to tell which.
pub(crate) fn lacks_rest(order: &Value) -> bool {
    let len = |list: &Value| list.as_array().map_or(0, Vec::len);
    let is_full = |(name, most): &(&str, usize)| len(&order[*name]) >= *most;
    let numbers = order["fulfillments"].as_array().into_iter().flatten().map(|one| len(&one["trackingInfo"]));
    let routes = &order["fulfillmentOrders"];
    let many = len(&routes["nodes"]) > ROUTES || routes["pageInfo"]["hasNextPage"] == true;
    LISTS.iter().any(is_full)
        || numbers.into_iter().any(|count| count >= NUMBERS)
        || many
        || goes_different_ways(routes)
}

fn goes_different_ways(routes: &Value) -> bool {
    let open = routes["nodes"].as_array().into_iter().flatten().filter_map(|one| Route::deserialize(one).ok());
    // What needs no delivery is told by its lines.
    let open = open.filter(|route| route.is_open() && !route.is_undelivered());
    let mut ways = open.map(|route| route.by_others());
    let first = ways.next();
    ways.any(|way| Some(way) != first)
}

/// Fetches the rest of an order.
fn fetch_rest(api: &Api, order: &mut Value) -> Result<()> {
    if !lacks_rest(order) {
        return Ok(());
    }
    let asked = Cell::new(0);
    let ask = |lists: u32| {
        asked.set(lists as usize);
        api.ask(&query::REST, json!({ "id": order["id"], "lists": lists }))
    };
    let answer = api.sizes.fitting(&api.sizes.lists, u32::MAX, ask)?;
    let Some(Value::Object(rest)) = answer.read::<wire::OneOrder>()?.order else {
        let text = "an order went away while it was read; it was not taken";
        return Err(Error::new(ErrorKind::Temporary, text).hint(AGAIN));
    };
    answer.mark(order, || rest.values().map(Value::to_string).collect());
    // There is no way to ask for more than this, so it is said.
    if LISTS.iter().any(|(name, _)| rest[*name].as_array().is_some_and(|list| list.len() >= asked.get())) {
        order["incomplete"] = json!(asked.get());
    }
    if let Some(members) = order.as_object_mut() {
        members.extend(rest);
    }
    Ok(())
}

/// The document of an order of which everything is there.
pub(crate) fn finish(mut order: Value) -> Result<Box<RawValue>> {
    // Where the app may not see them there are none.
    if order.is_object() && order["fulfillmentOrders"].is_null() {
        order["fulfillmentOrders"] = json!({ "nodes": [] });
    }
    // Fulfilment orders are replaced all the time; those that are over say nothing.
    if let Some(Value::Array(routes)) = order.pointer_mut("/fulfillmentOrders/nodes") {
        routes.retain(|one| Route::deserialize(one).is_ok_and(|route| route.is_open()));
        routes.iter_mut().filter_map(|one| one.get_mut("lineItems")?.as_object_mut()).for_each(|lines| {
            lines.remove("pageInfo");
        });
    }
    for connection in ["lineItems", "shippingLines", "fulfillmentOrders"] {
        if let Some(Value::Object(members)) = order.get_mut(connection) {
            members.remove("pageInfo");
        }
    }
    if let Some(Value::Array(lines)) = order.pointer_mut("/shippingLines/nodes") {
        lines.truncate(SHIPPING_LINES);
    }
    serde_json::value::to_raw_value(&order)
        .map_err(|e| Error::new(ErrorKind::Failed, format!("an order could not be written down: {e}")))
}

/// Puts the rows of a bulk operation's file together: an order and the rows below it.
pub(crate) fn assemble(mut order: Value, rows: Vec<Value>) -> Value {
    let (mut lines, mut shipping, mut routes) = (Vec::new(), Vec::new(), Vec::new());
    for mut row in rows {
        if let Some(members) = row.as_object_mut() {
            members.remove("__parentId");
        }
        // A shipping line's id may be null, so the rows are told apart by what only the others
        // have.
        match (row.get("quantity"), row.get("requestStatus")) {
            (Some(_), _) => lines.push(row),
            (None, Some(_)) => routes.push(row),
            (None, None) => shipping.push(row),
        }
    }
    if let Some(members) = order.as_object_mut() {
        members.insert("lineItems".to_owned(), json!({ "nodes": lines }));
        members.insert("shippingLines".to_owned(), json!({ "nodes": shipping }));
        members.insert("fulfillmentOrders".to_owned(), json!({ "nodes": routes }));
    }
    order
}
