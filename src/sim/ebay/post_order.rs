//! Cancellations (Post-Order): whether an order can be cancelled, requests of the seller and of the
//! buyer, and what becomes of them by and by.

use serde_json::{Value, json};

use super::access::{moment, post_order_error, stamp};
use super::options::Detail;
use super::vendor::{self, CLOSED, Cancel, Program, cancel_id, close};
use super::{Call, Context, Ebay, Entry, Order, Response, render, signatures};
use crate::sim::rest::Answer;
use crate::sim::world::Vendor;

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// What a seller has to answer: the buyer has asked.
const ASKED: (&str, &str) = ("APPROVAL_PENDING", "CANCEL_REQUESTED");
/// The money is on its way back.
const UNDERWAY: (&str, &str) = ("REFUND_PENDING", "CANCEL_PENDING");
/// The seller has said no.
const REJECTED: (&str, &str) = ("CLOSED", "CANCEL_REJECTED");

fn invalid(what: &str) -> Response {
    post_order_error(400, 1_610, &format!("Invalid Input: {what}"))
}

/// What every request to this API needs beside the token.
fn checked(call: &Call<'_, '_>) -> Result<(), Response> {
    let site = call.request.header("x-ebay-c-marketplace-id").unwrap_or_default();
    if !site.starts_with("EBAY_") {
        return Err(invalid("the header X-EBAY-C-MARKETPLACE-ID is missing or names no marketplace"));
    }
    Ok(())
}

/// The body of a request.
fn wish(call: &Call<'_, '_>) -> Result<Value, Response> {
    let is_json = call.request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    call.request.json().filter(|wish| wish.is_object() && is_json).ok_or_else(|| invalid("the body is no JSON object"))
}

/// The reasons for which the seller may cancel an order, or why it cannot be cancelled.
fn reasons(call: &Call<'_, '_>, id: u64) -> Result<Vec<&'static str>, &'static str> {
    let entry = call.state.orders.get(&id).filter(|entry| call.by.is_seller && Ebay::is_listed(entry));
    let entry = entry.ok_or("INVALID_ORDER")?;
    let order = entry.order(call.options);
    let is_asked = order.own.cancels.iter().any(|cancel| cancel.closed.is_none());
    match vendor::payment(entry, &order) {
        _ if entry.status == vendor::CANCELED || is_asked => return Err("CANCELLATION_EXIST"),
        _ if order.sent().next().is_some() => return Err("SHIPPED_ORDER"),
        _ if order.own.program == Program::Fulfilled => return Err("UNSUPPORTED_ORDER"),
        "FULLY_REFUNDED" => return Err("FULL_REFUNDED_ORDER"),
        "PARTIALLY_REFUNDED" => return Err("PARTIAL_REFUNDED_ORDER"),
        _ if call.now - entry.created > 30 * DAY => return Err("CANCEL_WINDOW_ELAPSED"),
        _ => {}
    }
    let address = if call.options.address_issue { "ADDRESS_ISSUE" } else { "ADDRESS_ISSUES" };
    Ok(match order.paid {
        Some(_) => vec!["OUT_OF_STOCK_OR_CANNOT_FULFILL", "BUYER_ASKED_CANCEL", address],
        None => vec!["OUT_OF_STOCK_OR_CANNOT_FULFILL", "BUYER_ASKED_CANCEL", "ORDER_UNPAID"],
    })
}

/// Whether an order can be cancelled, as it is told.
fn eligibility(call: &Call<'_, '_>, text: &str) -> Value {
    let id = Ebay::read_id(text);
    let (reasons, failures) = match reasons(call, id) {
        Ok(reasons) => (reasons, Vec::new()),
        Err(failure) => (Vec::new(), vec![failure]),
    };
    let lines = call.order(id).map(|order| order.lines.iter().map(|line| line_of(line.id, line.product)).collect());
    let rows: Vec<Value> = lines.unwrap_or_default();
    let item = |row: &Value| {
        json!({
            "itemId": row["itemId"], "transactionId": row["transactionId"], "eligible": failures.is_empty(),
            "failureReason": failures,
        })
    };
    json!({
        "eligible": failures.is_empty(), "eligibleCancelReason": reasons, "failureReason": failures,
        "itemEligibilityResult": rows.iter().map(item).collect::<Value>(), "legacyOrderId": text,
    })
}

fn line_of(line: u64, product: u64) -> Value {
    json!({ "itemId": (110_000_000_000 + product).to_string(), "transactionId": line.to_string() })
}

/// `POST cancellation/check_eligibility`: not in the sandbox.
pub(super) fn check(call: &mut Call<'_, '_>) -> Answer {
    checked(call)?;
    if call.options.sandbox {
        return Err(post_order_error(404, 1_404, "The resource is not supported in the sandbox."));
    }
    let wish = wish(call)?;
    let order = wish["legacyOrderId"].as_str().filter(|text| !text.is_empty());
    let order = order.ok_or_else(|| invalid("legacyOrderId is missing"))?;
    Ok(Response::json(200, &eligibility(call, order)))
}

/// `POST cancellation`.
pub(super) fn create(call: &mut Call<'_, '_>) -> Answer {
    checked(call)?;
    signatures::check(call)?;
    let wish = wish(call)?;
    let text = |name: &str| wish[name].as_str().unwrap_or_default().to_owned();
    let (order, reason) = (text("legacyOrderId"), text("cancelReason"));
    if order.is_empty() || reason.is_empty() {
        return Err(invalid("legacyOrderId or cancelReason is missing"));
    }
    if wish["buyerPaid"] == true && moment(wish["buyerPaidDate"]["value"].as_str().unwrap_or_default()).is_none() {
        return Err(invalid("buyerPaidDate is missing"));
    }
    if call.options.cancels_nothing {
        return Ok(Response::json(200, &json!({})));
    }
    let id = Ebay::read_id(&order);
    match reasons(call, id) {
        // Not an error, and no id: nothing was cancelled.
        Err(_) => return Ok(Response::json(200, &json!({ "orderEligibilityResult": eligibility(call, &order) }))),
        Ok(known) if !known.contains(&reason.as_str()) => {
            return Err(invalid("cancelReason is none that this order can be cancelled for"));
        }
        Ok(_) => {}
    }
    let cancel = cancel_id(call.state, id);
    let asked = call.now;
    let made = Cancel { id: cancel, by_buyer: false, reason, asked, due: None, stands: UNDERWAY, closed: None };
    call.change(id, |order| order.own.cancels.push(made));
    begin(call, id, cancel);
    settle(call);
    Ok(Response::json(200, &json!({ "cancelId": cancel.to_string() })))
}

/// The order of a request to cancel, and the request.
fn found(call: &Call<'_, '_>) -> Result<(u64, Cancel), Response> {
    let missing = || post_order_error(404, 1_620, "The cancellation was not found.");
    let wanted = call.id(0);
    let order = call.state.own.cancels.get(&wanted).copied().filter(|_| call.by.is_seller).ok_or_else(missing)?;
    let known = call.order(order).ok_or_else(missing)?;
    let cancel = known.own.cancels.iter().find(|cancel| cancel.id == wanted).cloned();
    Ok((order, cancel.ok_or_else(missing)?))
}

/// Changes a request to cancel, and its order's date.
fn change(context: &mut Context<'_>, order: u64, cancel: u64, change: impl FnOnce(&mut Cancel)) {
    context.change(order, |order| {
        if let Some(found) = order.own.cancels.iter_mut().find(|known| known.id == cancel) {
            change(found);
        }
    });
}

/// A cancellation is through once its time is over.
fn begin(context: &mut Context<'_>, order: u64, cancel: u64) {
    let due = context.now + context.options.cancel_seconds * 1_000;
    change(context, order, cancel, |cancel| (cancel.stands, cancel.due) = (UNDERWAY, Some(due)));
    context.state.own.due.push((due, order, cancel));
}

/// What has come due meanwhile is through: cancelled, or the money did not go back.
pub(super) fn settle(context: &mut Context<'_>) {
    let now = context.now;
    let (due, later) = std::mem::take(&mut context.state.own.due).into_iter().partition(|(at, ..)| *at <= now);
    context.state.own.due = later;
    let due: Vec<(i64, u64, u64)> = due;
    for (at, order, cancel) in due {
        if context.options.refund_fails {
            let failed = ("REFUND_FAILED_RETRY", "CANCEL_PENDING");
            change(context, order, cancel, |cancel| (cancel.stands, cancel.due) = (failed, None));
            continue;
        }
        let is_paid = context.order(order).is_some_and(|order| order.paid.is_some());
        let end = if is_paid { CLOSED } else { ("CLOSED", "CANCEL_CLOSED_NO_REFUND") };
        close(context, order);
        change(context, order, cancel, |cancel| (cancel.stands, cancel.due, cancel.closed) = (end, None, Some(at)));
    }
}

/// `GET cancellation/{id}`.
pub(super) fn one(call: &mut Call<'_, '_>) -> Answer {
    checked(call)?;
    let (order, cancel) = found(call)?;
    let entry = call.state.orders.get(&order).ok_or_else(|| invalid("the order is gone"))?;
    let mut row = summary(call, entry, &entry.order(call.options), &cancel);
    if call.options.detail == Detail::Old {
        for (old, new) in [("state", "cancelState"), ("status", "cancelStatus")] {
            row[old] = row[new].take();
        }
        row.as_object_mut().into_iter().for_each(|row| row.retain(|_, value| !value.is_null()));
    }
    let body = if call.options.detail == Detail::Flat { row } else { json!({ "cancelDetail": row }) };
    Ok(Response::json(200, &body))
}

fn date(at: i64) -> Value {
    json!({ "value": stamp(at) })
}

/// A request to cancel, as it stands.
fn summary(call: &Call<'_, '_>, entry: &Entry, order: &Order, cancel: &Cancel) -> Value {
    // The refund is on its way, and then it is at the bank.
    let state = match cancel.due {
        Some(due) if call.now * 2 > cancel.asked + due => "REFUND_INITIATED",
        _ => cancel.stands.0,
    };
    let lines = order.lines.iter().map(|line| {
        let mut row = line_of(line.id, line.product);
        row["cancelQuantity"] = json!(line.quantity);
        row
    });
    let amount = render::text(render::total(order, true));
    let mut row = json!({
        "cancelId": cancel.id.to_string(), "legacyOrderId": Ebay::write_id(order.id), "cancelReason": cancel.reason,
        "marketplaceId": call.options.marketplace, "requestorType": if cancel.by_buyer { "BUYER" } else { "SELLER" },
        "cancelState": state, "cancelStatus": cancel.stands.1, "cancelRequestDate": date(cancel.asked),
        "paymentStatus": if order.paid.is_some() { "PAID" } else { "NOT_PAID" },
        "requestRefundAmount": { "value": amount, "currency": order.currency },
        "lineItems": lines.collect::<Value>(), "lastModifiedDate": date(entry.modified),
    });
    if cancel.stands == ASKED {
        row["sellerResponseDueDate"] = date(cancel.asked + 3 * DAY);
    }
    if let Some(at) = cancel.closed {
        row["cancelCloseDate"] = date(at);
        row["cancelCloseReason"] = json!(if cancel.stands == REJECTED { "SELLER_DECLINE" } else { "FULL_REFUNDED" });
    }
    row
}

/// `GET cancellation/search`.
pub(super) fn search(call: &mut Call<'_, '_>) -> Answer {
    checked(call)?;
    let told = |name: &str| call.request.param(name).filter(|text| !text.is_empty());
    let size = |name: &str, usual: usize| match told(name) {
        None => Ok(usual),
        Some(text) => text.parse().map_err(|_| invalid(name)),
    };
    let (limit, offset) = (size("limit", 25)?.clamp(1, 200), size("offset", 0)?);
    let edge = |name: &str| match told(name) {
        None => Ok(None),
        Some(text) => moment(text).map(Some).ok_or_else(|| invalid(name)),
    };
    let (from, to) = (edge("creation_date_range_from")?, edge("creation_date_range_to")?);
    let mut rows = Vec::new();
    for (cancel, order) in call.state.own.cancels.iter().rev().filter(|_| call.by.is_seller) {
        let Some(entry) = call.state.orders.get(order) else { continue };
        let order = entry.order(call.options);
        let Some(cancel) = order.own.cancels.iter().find(|known| known.id == *cancel) else { continue };
        let is_wished = told("legacy_order_id").is_none_or(|id| id == Ebay::write_id(order.id))
            && told("cancel_id").is_none_or(|id| id == cancel.id.to_string())
            && from.is_none_or(|from| from <= cancel.asked)
            && to.is_none_or(|to| cancel.asked <= to);
        if is_wished {
            rows.push(summary(call, entry, &order, cancel));
        }
    }
    let total = rows.len();
    let page: Vec<Value> = rows.into_iter().skip(offset).take(limit).collect();
    let pages = json!({
        "limit": limit, "offset": offset, "totalEntries": total, "totalPages": total.div_ceil(limit),
    });
    Ok(Response::json(200, &json!({ "cancellations": page, "paginationOutput": pages, "total": total })))
}

/// The request of a buyer that waits for the seller's answer.
fn waiting(call: &Call<'_, '_>) -> Result<(u64, u64), Response> {
    let (order, cancel) = found(call)?;
    match cancel.stands {
        ASKED => Ok((order, cancel.id)),
        _ => Err(post_order_error(400, 1_630, "The cancellation is not in a state in which this can be done.")),
    }
}

fn done() -> Answer {
    Ok(Response { body: Vec::new(), ..Response::json(200, &Value::Null) })
}

/// `POST cancellation/{id}/approve`.
pub(super) fn approve(call: &mut Call<'_, '_>) -> Answer {
    checked(call)?;
    signatures::check(call)?;
    let (order, cancel) = waiting(call)?;
    begin(call, order, cancel);
    settle(call);
    done()
}

/// `POST cancellation/{id}/reject`.
pub(super) fn reject(call: &mut Call<'_, '_>) -> Answer {
    checked(call)?;
    let (order, cancel) = waiting(call)?;
    let wish = wish(call)?;
    if !wish["shipmentDate"].is_null() && moment(wish["shipmentDate"]["value"].as_str().unwrap_or_default()).is_none() {
        return Err(invalid("shipmentDate"));
    }
    let now = call.now;
    change(call, order, cancel, |cancel| (cancel.stands, cancel.closed) = (REJECTED, Some(now)));
    done()
}

/// The buyer asks for it: within an hour, and not of what was sent. Gives the request's id.
pub(super) fn ask(context: &mut Context<'_>, order: u64, reason: &str) -> Option<u64> {
    let entry = context.state.orders.get(&order)?;
    let known = entry.order(context.options);
    let is_late = context.now - entry.created > 3_600_000 || known.sent().next().is_some();
    if is_late || entry.status == vendor::CANCELED || known.own.cancels.iter().any(|cancel| cancel.closed.is_none()) {
        return None;
    }
    let id = cancel_id(context.state, order);
    let (asked, reason) = (context.now, reason.to_owned());
    let made = Cancel { id, by_buyer: true, reason, asked, due: None, stands: ASKED, closed: None };
    context.change(order, |order| order.own.cancels.push(made));
    Some(id)
}
