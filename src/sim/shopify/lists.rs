//! Lists of orders: what the search index believes, in its order, page by page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::answer::{Answer, internal};
use super::options::Options;
use super::vendor::fulfillment_status;
use super::{Context, render};
use crate::sim::world::{By, Query, narrow};

/// Orders made before this are hidden from an app without `read_all_orders`, and nothing says so.
const WINDOW: i64 = 60 * 86_400_000;

/// Whether an app may see an order made then.
pub(crate) fn visible(options: &Options, created: i64, now: i64) -> bool {
    options.has("read_all_orders") || created >= now - WINDOW
}

/// Which orders the `query` argument asks for, the oldest first, and warnings. Unknown fields do
/// not fail: they are warned of and the list comes unfiltered.
pub(crate) fn search(context: &Context<'_>, text: &str) -> (Query, Vec<Value>) {
    let mut query = Query { by: By::Created, ..Query::default() };
    let mut warnings = Vec::new();
    for term in text.split_whitespace() {
        let (field, rest) = term.split_once(':').unwrap_or(("", term));
        let value = rest.trim_start_matches(['<', '>', '=']);
        let sign = rest.strip_suffix(value).unwrap_or_default();
        let (bounds, found) = match field {
            "created_at" => (&mut query.created, time(value)),
            "updated_at" => (&mut query.modified, time(value)),
            "id" => (&mut query.id, value.parse().ok().map(|id| (id, id))),
            "fulfillment_status" => continue,
            "" if term == "OR" => continue,
            _ => {
                let message = "Invalid search field for this query.";
                warnings.push(json!({ "field": field, "message": message, "code": "invalid_field" }));
                continue;
            }
        };
        found.into_iter().for_each(|found| narrow(bounds, sign, found));
    }
    if !context.options.has("read_all_orders") {
        narrow(&mut query.created, ">=", (context.now - WINDOW, context.now));
    }
    (query, warnings)
}

/// Orders of these fulfilment statuses, in no order: nothing where the filter has none. Only what
/// somebody has touched is looked at, which is where holds come from.
fn of_status(context: &Context<'_>, text: &str) -> Option<Vec<u64>> {
    let wanted: Vec<String> = text
        .split_whitespace()
        .filter_map(|term| term.strip_prefix("fulfillment_status:"))
        .map(str::to_uppercase)
        .collect();
    let touched = context.state.orders.iter().filter(|(_, entry)| entry.order.is_some()).map(|(id, _)| *id);
    let has =
        |id: &u64| context.order(*id).is_some_and(|order| wanted.iter().any(|one| *one == fulfillment_status(&order)));
    (!wanted.is_empty()).then(|| touched.filter(has).collect())
}

/// `fulfillmentOrders`: those of these statuses, the newest first, as far as the app may see them.
pub(crate) fn fulfillment_orders(context: &mut Context<'_>, arguments: &Map<String, Value>) -> Answer {
    if !context.options.scopes.iter().any(|scope| scope.ends_with("_fulfillment_orders")) {
        return Ok(json!({ "$denied": "untold", "$needed": true }));
    }
    let text = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
    let wanted: Vec<String> =
        text.split_whitespace().filter_map(|term| term.strip_prefix("status:")).map(str::to_uppercase).collect();
    let first = arguments.get("first").and_then(Value::as_u64).and_then(|first| usize::try_from(first).ok());
    let touched = context.state.orders.iter().filter(|(_, entry)| entry.order.is_some());
    let ids: Vec<(u64, i64)> = touched.map(|(id, entry)| (*id, entry.created)).collect();
    let (mut found, only_of_services) = (Vec::new(), !context.options.has("read_merchant_managed_fulfillment_orders"));
    for (id, created) in ids {
        let Some(order) = context.order(id).filter(|_| visible(context.options, created, context.now)) else {
            continue;
        };
        let all = order.own.fulfillment_orders.iter().filter(|one| one.service || !only_of_services);
        found.extend(all.filter(|one| wanted.iter().any(|word| *word == one.status)).map(|one| {
            let mut tree = render::fulfillment_order(one);
            tree["updatedAt"] = json!(render::time(one.touched.unwrap_or(created)));
            (one.id, tree)
        }));
    }
    found.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    found.truncate(first.unwrap_or(50));
    Ok(json!({ "$connection": found.into_iter().map(|(_, tree)| tree).collect::<Vec<_>>() }))
}

/// `nodes(ids:)`: what there is of them, each in its place.
pub(crate) fn nodes(context: &mut Context<'_>, arguments: &Map<String, Value>) -> Answer {
    let mut trees = Vec::new();
    for id in arguments.get("ids").and_then(Value::as_array).into_iter().flatten() {
        let order = render::id_of("Order", id);
        if order.is_some_and(|id| context.state.unrenderable.contains(&id)) {
            return Err(internal());
        }
        let seen = |id: &u64| {
            context.state.orders.get(id).is_some_and(|entry| visible(context.options, entry.created, context.now))
        };
        let route = render::id_of("FulfillmentOrder", id).and_then(|id| {
            let order = context.order(super::order_of(id))?;
            order.own.fulfillment_orders.iter().find(|one| one.id == id).map(render::fulfillment_order)
        });
        let mut tree = order.filter(seen).and_then(|id| render::order(context, id)).or(route).unwrap_or_default();
        if tree.is_object() {
            tree["$nullable"] = json!(true);
        }
        trees.push(tree);
    }
    Ok(json!({ "$list": trees }))
}

/// The milliseconds of a second. Without quotes only the date counts.
fn time(text: &str) -> Option<(i64, i64)> {
    let quoted = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let full = quoted.map_or_else(|| text.get(..10).map(|date| format!("{date}T00:00:00Z")), |full| Some(full.into()));
    let at = chrono::DateTime::parse_from_rfc3339(&full?).ok()?.timestamp_millis();
    Some((at, at.saturating_add(999)))
}

/// `ordersCount`.
pub(crate) fn count(context: &mut Context<'_>, arguments: &Map<String, Value>) -> Answer {
    let (query, warnings) = search(context, arguments.get("query").and_then(Value::as_str).unwrap_or_default());
    let count = context.state.find(query).count() as u64;
    let limit = match arguments.get("limit") {
        Some(Value::Null) => u64::MAX,
        limit => limit.and_then(Value::as_u64).unwrap_or(10_000),
    };
    let precision = if count >= limit { "AT_LEAST" } else { "EXACT" };
    Ok(json!({ "$type": "Count", "count": count.min(limit), "precision": precision, "$warnings": warnings }))
}

fn refused(message: &str) -> Value {
    json!({ "message": message, "extensions": { "code": "BAD_REQUEST" } })
}

/// `orders`: a page of a list, or what is wrong with the wish.
pub(crate) fn orders(context: &mut Context<'_>, arguments: &Map<String, Value>) -> Answer {
    let (options, deaf) = (context.options, context.options.deaf);
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let (mut query, warnings) = search(context, text("query").unwrap_or_default());
    let first = arguments.get("first").and_then(Value::as_u64).filter(|first| (1..=250).contains(first));
    let first = first.and_then(|first| usize::try_from(first).ok());
    let first = first.ok_or_else(|| refused("you must provide one of first or last"))?.min(deaf.most_rows);
    query.by = match text("sortKey").filter(|_| !deaf.order) {
        Some("UPDATED_AT") => By::Modified,
        // Processing is creation here.
        Some("CREATED_AT" | "PROCESSED_AT") | None => By::Created,
        Some(_) => return Err(json!({ "message": "unsupported sort key in a simulated store" })),
    };
    query.behind = text("after").map(|text| decode(options, text)).transpose()?;
    query.descending = arguments.get("reverse") == Some(&Value::Bool(true));
    let row = |one: &super::Entry| (if query.by == By::Modified { one.seen } else { one.created }, one.id);
    let mut page: Vec<(i64, u64)> = context.state.find(query).take(first.saturating_add(1)).map(row).collect();
    if context.state.own.strays < deaf.strays && query.behind.is_none() && query.by == By::Modified {
        let all = Query { by: query.by, ..Query::default() };
        let stray: Vec<(i64, u64)> =
            context.state.find(all).take(1).map(row).filter(|one| !page.contains(one)).collect();
        page.splice(0..0, stray);
        context.state.own.strays += 1;
    }
    let more = page.len() > first && !deaf.ends;
    page.truncate(first);
    if let Some(found) = of_status(context, text("query").unwrap_or_default()) {
        let shown = |id: &u64| {
            Some((context.state.orders.get(id).filter(|one| visible(options, one.created, context.now))?.created, *id))
        };
        page = found.iter().filter_map(shown).collect();
        page.sort_unstable();
        page.reverse();
        page.truncate(first);
    }
    if page.iter().any(|(_, id)| context.state.unrenderable.contains(id)) {
        return Err(internal());
    }
    let trees: Vec<Value> = page.iter().filter_map(|(_, id)| render::order(context, *id)).collect();
    let info = json!({
        "$type": "PageInfo", "hasNextPage": more, "hasPreviousPage": query.behind.is_some(),
        "startCursor": page.first().map(|row| encode(*row)), "endCursor": page.last().map(|row| encode(*row)),
    });
    Ok(json!({ "$connection": trees, "$page": info, "$warnings": warnings }))
}

/// Cursors as recorded: the last row's id and sort value.
fn encode((value, id): (i64, u64)) -> String {
    BASE64.encode(json!({ "last_id": id, "last_value": value }).to_string())
}

fn decode(options: &Options, cursor: &str) -> Result<(i64, u64), Value> {
    let place = BASE64.decode(cursor).ok().filter(|_| options.cursors);
    let place: Option<Value> = place.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let row = place.and_then(|place| place["last_value"].as_i64().zip(place["last_id"].as_u64()));
    row.ok_or_else(|| refused("Invalid cursor for current pagination sort."))
}
