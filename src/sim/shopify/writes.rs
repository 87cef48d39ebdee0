//! What the API changes, with the refusals that a real shop was recorded to give.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::render::{gid, id_of};
use super::vendor::{self, Cancelled, FulfillmentOrder, Job, total};
use super::{Context, Order, order_of};
use crate::sim::world::{About, Refund, Shipment, Tracking, numbers};

/// Lines of a fulfilment order in one call.
const MOST_LINES: usize = 512;

/// A refusal with `userErrors`.
fn refused(field: &[&str], message: impl Into<String>) -> Value {
    json!({ "$type": "UserError", "field": field, "message": message.into() })
}

/// A malformed id is an error of the query.
fn invalid_id() -> Value {
    json!({ "message": "invalid id", "extensions": { "code": "RESOURCE_NOT_FOUND" } })
}

/// A mutation's answer: the fulfilment, a refusal for the user, or an error of the query.
fn payload(kind: &str, done: Result<u64, Value>) -> Answer {
    let (fulfillment, errors) = match done {
        Ok(id) => (json!({ "$type": "Fulfillment", "id": gid("Fulfillment", id), "status": "SUCCESS" }), Vec::new()),
        Err(error) if error["$type"].is_null() => return Err(error),
        Err(error) => (Value::Null, vec![error]),
    };
    Ok(json!({ "$type": kind, "fulfillment": fulfillment, "userErrors": errors }))
}

/// `fulfillmentCreate`.
pub(crate) fn fulfill(context: &mut Context<'_>, arguments: &Map<String, Value>) -> Answer {
    let wish = &arguments["fulfillment"];
    let notify = wish["notifyCustomer"] == true;
    let done = wished(context, wish).map(|(order, fulfillment)| {
        let id = fulfillment.id;
        context.change(order, |order| {
            take_from(order, &fulfillment);
            if notify {
                order.mail(About::Shipment, numbers(&fulfillment.tracking));
            }
            order.add_shipment(fulfillment);
        });
        context.state.writes += 1;
        id
    });
    payload("FulfillmentCreatePayload", done)
}

/// The order and the fulfilment that a wish is about, or why it is refused.
fn wished(context: &mut Context<'_>, wish: &Value) -> Result<(u64, Shipment), Value> {
    let unknown = || refused(&["fulfillment"], "Fulfillment order does not exist.");
    let (mut items, mut places, mut ways, mut owner) = (Vec::new(), Vec::new(), Vec::new(), None);
    for (n, group) in wish["lineItemsByFulfillmentOrder"].as_array().into_iter().flatten().enumerate() {
        let id = id_of("FulfillmentOrder", &group["fulfillmentOrderId"]).ok_or_else(invalid_id)?;
        let order = context.order(order_of(id)).ok_or_else(unknown)?;
        let one = order.own.fulfillment_orders.iter().find(|one| one.id == id).ok_or_else(unknown)?;
        check_open(one)?;
        owner = Some(order.id);
        if !places.contains(&one.location) {
            places.push(one.location);
        }
        if !ways.contains(&one.undelivered) {
            ways.push(one.undelivered);
        }
        items.extend(pieces(one, group, n)?);
    }
    if places.len() > 1 {
        let text = format!(
            "All fulfillment orders must be assigned to a single location. Multiple locations with ids {places:?} were found."
        );
        return Err(refused(&["fulfillment"], text));
    }
    if ways.len() > 1 {
        return Err(refused(&["fulfillment"], "All fulfillment orders must have the same delivery method type."));
    }
    let order = owner.ok_or_else(unknown)?;
    let is_gift = |line: &u64| context.order(order).and_then(|o| o.line(*line).map(super::render::is_gift_card));
    let mut kinds: Vec<Option<bool>> = items.iter().map(|(line, _)| is_gift(line)).collect();
    kinds.dedup();
    if kinds.len() > 1 {
        return Err(refused(&["fulfillment"], "Gift cards cannot be fulfilled together with other items."));
    }
    let (id, tracking) = (context.state.own.take_id(), tracking(&wish["trackingInfo"]));
    Ok((order, Shipment { id, at: context.now, tracking, items, ..Shipment::default() }))
}

/// Whether the merchant can ship a fulfilment order.
fn check_open(one: &FulfillmentOrder) -> Result<(), Value> {
    if !matches!(one.status, "OPEN" | "IN_PROGRESS") {
        let status = one.status.to_lowercase();
        let text = format!("Fulfillment order {} has an unfulfillable status= {status}.", one.id);
        return Err(refused(&["fulfillment"], text));
    }
    if one.service {
        return Err(refused(&["fulfillment"], "Fulfillment order is assigned to a fulfillment service."));
    }
    Ok(())
}

/// The pieces that the nth group of a wish wants: all that remain, or those it names.
fn pieces(one: &FulfillmentOrder, group: &Value, n: usize) -> Result<Vec<(u64, u64)>, Value> {
    let Some(wanted) = group["fulfillmentOrderLineItems"].as_array() else {
        return Ok(one.lines.iter().map(|open| (open.line, open.remaining)).collect());
    };
    let (n, group) = (n.to_string(), "lineItemsByFulfillmentOrder");
    if wanted.len() > MOST_LINES {
        let count = wanted.len();
        let text = format!("The input array size of {count} is greater than the maximum allowed of {MOST_LINES}.");
        return Err(refused(&["fulfillment", group, &n], text));
    }
    let piece = |(m, want): (usize, &Value)| {
        let id = id_of("FulfillmentOrderLineItem", &want["id"]);
        let open = one.lines.iter().find(|line| Some(line.id) == id);
        let open = open.ok_or_else(|| refused(&["fulfillment"], "Fulfillment order line item does not exist."))?;
        let count = want["quantity"].as_i64().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        if count == 0 {
            let field = ["fulfillment", group, &n, "fulfillmentOrderLineItems", &m.to_string(), "quantity"];
            return Err(refused(&field, "Quantity must be greater than 0"));
        }
        if count > open.remaining {
            return Err(refused(&["fulfillment"], "Invalid fulfillment order line item quantity requested."));
        }
        Ok((open.line, count))
    };
    wanted.iter().enumerate().map(piece).collect()
}

/// `fulfillmentTrackingInfoUpdate`.
pub(crate) fn retrack(context: &mut Context<'_>, arguments: &Map<String, Value>) -> Answer {
    let id = id_of("Fulfillment", &arguments["fulfillmentId"]).ok_or_else(invalid_id)?;
    let tracking = tracking(&arguments["trackingInfoInput"]);
    let notify = arguments.get("notifyCustomer") == Some(&json!(true));
    let owner = owner_of_fulfillment(context, id);
    let done = owner.ok_or_else(|| refused(&["fulfillmentId"], "Fulfillment does not exist.")).map(|owner| {
        context.change(owner, |order| {
            let found = order.shipments.iter_mut().filter(|one| one.id == id);
            found.for_each(|one| one.tracking.clone_from(&tracking));
            if notify {
                order.mail(About::Shipment, numbers(&tracking));
            }
        });
        context.state.writes += 1;
        id
    });
    payload("FulfillmentTrackingInfoUpdatePayload", done)
}

/// The order that a fulfilment is of.
pub(crate) fn owner_of_fulfillment(context: &Context<'_>, fulfillment: u64) -> Option<u64> {
    let has = |id: &u64| context.order(*id).is_some_and(|order| order.shipments.iter().any(|s| s.id == fulfillment));
    let touched = context.state.orders.iter().filter(|(_, entry)| entry.order.is_some()).map(|(id, _)| *id);
    std::iter::once(order_of(fulfillment)).chain(touched).find(has)
}

/// `orderCancel`: checks at once, works later.
pub(crate) fn cancel(context: &mut Context<'_>, arguments: &Map<String, Value>) -> Answer {
    let order = id_of("Order", &arguments["orderId"]).ok_or_else(invalid_id)?;
    let kind = "OrderCancelPayload";
    if let Some((field, message, code)) = why_not_cancel(context, order, arguments) {
        let error = json!({ "$type": "OrderCancelUserError", "field": [field], "message": message, "code": code });
        return Ok(json!({ "$type": kind, "job": null, "jobResult": null, "orderCancelUserErrors": [error] }));
    }
    let number = context.state.own.take_id();
    let done_at = context.now + context.options.cancelling * 1000;
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::to_owned);
    let refund = arguments.get("refundMethod").is_some_and(|method| method["originalPaymentMethodsRefund"] == true);
    let (reason, note) = (text("reason").unwrap_or_default(), text("staffNote"));
    let given = |name: &str| arguments.get(name) == Some(&json!(true));
    let (restock, notify, fails) = (given("restock"), given("notifyCustomer"), context.options.cancelling_fails);
    let job = Job { order, done_at, reason, note, refund, restock, notify, fails };
    context.state.own.jobs.insert(number, job);
    context.state.writes += 1;
    work(context);
    let shown = context.options.job_results.then(|| job_result(context, &json!(gid(RESULT, number))));
    Ok(json!({
        "$type": kind, "orderCancelUserErrors": [], "jobResult": shown,
        "job": { "$type": "Job", "id": gid("Job", number), "done": context.now >= done_at },
    }))
}

fn why_not_cancel(
    context: &Context<'_>,
    id: u64,
    arguments: &Map<String, Value>,
) -> Option<(&'static str, &'static str, &'static str)> {
    let Some(order) = context.order(id) else { return Some(("orderId", "Order does not exist", "NOT_FOUND")) };
    let note = arguments.get("staffNote").and_then(Value::as_str).unwrap_or_default();
    let given = |name: &str| arguments.get(name).is_some_and(|value| !value.is_null());
    let (field, message) = if note.chars().count() > 255 {
        ("staffNote", "Staff note is too long. Maximum length is 255 characters.")
    } else if given("refund") && given("refundMethod") {
        ("refund", "Only one of the arguments `refund` or `refund_method` is allowed.")
    } else if order.own.cancelled.is_some() {
        ("orderId", "Cannot cancel an order that has already been canceled")
    } else if order.sent().next().is_some() {
        ("orderId", "Cannot cancel an order that has outstanding fulfillments")
    } else {
        return None;
    };
    Some((field, message, "INVALID"))
}

/// Cancellations whose time has come take effect.
pub(crate) fn work(context: &mut Context<'_>) {
    let due = context.state.own.jobs.values().filter(|job| job.done_at <= context.now && !job.fails);
    for job in due.cloned().collect::<Vec<Job>>() {
        if context.order(job.order).is_none_or(|order| order.own.cancelled.is_some()) {
            continue;
        }
        let (id, at) = (context.state.own.take_id(), job.done_at);
        context.change(job.order, |order| {
            close(order, Cancelled { at, reason: job.reason, note: job.note });
            if job.restock {
                order.restock();
            }
            if job.notify {
                order.mail(About::Cancellation, "");
            }
            if job.refund && order.own.financial == Some("PAID") {
                let amount = total(order);
                order.refunds.push(Refund { id, at, amount, reason: String::new(), lines: Vec::new() });
                order.own.financial = Some("REFUNDED");
            }
        });
    }
}

/// The kind of id by which the result of a cancellation is asked for.
const RESULT: &str = "OrderCancelJobResult";

/// `node(id:)` of a cancellation.
pub(crate) fn job_result(context: &Context<'_>, id: &Value) -> Value {
    let Some(job) = id_of(RESULT, id).and_then(|number| context.state.own.jobs.get(&number)) else {
        return Value::Null;
    };
    let done = job.done_at <= context.now;
    let failed = done && job.fails;
    let error = json!({ "$type": "OrderCancelUserError", "field": null, "code": "INVALID",
        "message": "The payment cannot be refunded at the moment" });
    json!({ "$type": RESULT, "id": id, "done": done, "errors": failed.then_some(error).into_iter().collect::<Vec<_>>(),
        "status": if failed { "FAILED" } else if done { "SUCCEEDED" } else { "STARTED" } })
}

/// `job(id:)`: only whether it is over.
pub(crate) fn job(context: &Context<'_>, id: &Value) -> Value {
    let job = id_of("Job", id).and_then(|number| context.state.own.jobs.get(&number));
    job.map(|job| json!({ "$type": "Job", "id": id, "done": job.done_at <= context.now })).unwrap_or_default()
}

/// Cancels an order: everything closes, nothing remains.
pub(crate) fn close(order: &mut Order, cancelled: Cancelled) {
    order.own.cancelled = Some(cancelled);
    if order.own.financial == Some("AUTHORIZED") {
        order.own.financial = Some("VOIDED");
    }
    order.own.fulfillment_orders.iter_mut().for_each(|one| one.status = "CLOSED");
}

/// Takes a fulfilment's pieces out of the fulfilment orders of its order.
fn take_from(order: &mut Order, fulfillment: &Shipment) {
    for (line, count) in &fulfillment.items {
        let mut left = *count;
        for one in order.own.fulfillment_orders.iter_mut().filter(|one| matches!(one.status, "OPEN" | "IN_PROGRESS")) {
            for open in one.lines.iter_mut().filter(|open| open.line == *line) {
                let take = left.min(open.remaining);
                (open.remaining, left) = (open.remaining - take, left - take);
                if take > 0 {
                    one.status = "IN_PROGRESS";
                }
            }
        }
    }
    vendor::close(order, |one| one.status == "IN_PROGRESS");
}

/// `FulfillmentTrackingInput`: one number or several.
fn tracking(wish: &Value) -> Vec<Tracking> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |number: &Value, link: &Value| {
        let (carrier, number, link) = (text(&wish["company"]), text(number), text(link));
        Tracking { carrier, number, link, ..Tracking::default() }
    };
    match wish["numbers"].as_array() {
        Some(numbers) => numbers.iter().enumerate().map(|(n, number)| one(number, &wish["urls"][n])).collect(),
        None if wish["number"].is_string() || wish["company"].is_string() => vec![one(&wish["number"], &wish["url"])],
        None => Vec::new(),
    }
}
