//! Refunds, of an order and of all.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::errors::{error, invalid_id};
use super::lists::{bounds, page, paged};
use super::orders::decimal;
use super::{Answer, Call, Response, render, vendor};

/// `GET /refunds`. It declares `parent` and drops it: all refunds of the shop come.
pub(super) fn all(call: &mut Call<'_, '_>) -> Answer {
    Ok(rows(call, None))
}

/// `GET /orders/{id}/refunds`.
pub(super) fn list(call: &mut Call<'_, '_>) -> Answer {
    let id = call.id(0);
    call.order(id).ok_or_else(|| error(404, "woocommerce_rest_invalid_order_id", "Invalid order ID."))?;
    Ok(rows(call, Some(id)))
}

fn rows(call: &Call<'_, '_>, owner: Option<u64>) -> Response {
    let (from, to) = bounds(call, "after", "before");
    let (include, exclude) = (call.ids("include"), call.ids("exclude"));
    let mut found: Vec<(i64, u64)> = Vec::new();
    for (refund, order) in &call.state.refunds {
        let named = (include.is_empty() || include.contains(refund)) && !exclude.contains(refund);
        if owner.is_some_and(|owner| owner != *order) || !named {
            continue;
        }
        let order = call.order(*order);
        let at = order.and_then(|order| order.refunds.iter().find(|one| one.id == *refund).map(|one| one.at));
        found.extend(at.filter(|at| (from..=to).contains(at)).map(|at| (at, *refund)));
    }
    match call.text("orderby") {
        Some("id") => found.sort_unstable_by_key(|(_, refund)| *refund),
        _ => found.sort_unstable(),
    }
    if call.text("order") != Some("asc") {
        found.reverse();
    }
    let rows = page(call).of(&found).iter().filter_map(|(_, id)| body(call, *id, owner.is_none())).collect();
    let route = owner.map_or_else(|| "refunds".to_owned(), |owner| format!("orders/{owner}/refunds"));
    paged(call, &route, found.len(), rows, &[("dp".to_owned(), call.style().dp.to_string())])
}

/// One refund.
fn body(call: &Call<'_, '_>, id: u64, name_parent: bool) -> Option<Value> {
    let order = call.order(*call.state.refunds.get(&id)?)?;
    let refund = order.refunds.iter().find(|refund| refund.id == id)?;
    Some(render::refund(&call.style(), &order, refund, name_parent))
}

/// `GET /orders/{id}/refunds/{id}`.
pub(super) fn get(call: &mut Call<'_, '_>) -> Answer {
    let (owner, id) = (call.id(0), call.id(1));
    let found = body(call, id, false).filter(|_| call.state.refunds.get(&id) == Some(&owner));
    found.map(|body| Response::json(200, &body)).ok_or_else(|| invalid_id(404))
}

/// `POST /orders/{id}/refunds`. Too much is a 500 whose `data` is a number.
pub(super) fn create(call: &mut Call<'_, '_>) -> Answer {
    let id = call.id(0);
    call.order(id).ok_or_else(|| error(404, "woocommerce_rest_invalid_order_id", "Order is invalid"))?;
    let line = |line: &Value| {
        let pieces = line["quantity"].as_u64().unwrap_or(0);
        (line["id"].as_u64().unwrap_or(0), pieces, decimal(&line["refund_total"]).unwrap_or_default())
    };
    let wished = call.params.get("line_items").and_then(Value::as_array);
    let lines: Vec<(u64, u64, Decimal)> = wished.into_iter().flatten().map(line).collect();
    let of_lines = lines.iter().map(|(_, _, amount)| amount).sum();
    let amount = call.params.get("amount").and_then(decimal).unwrap_or(of_lines);
    if amount <= Decimal::ZERO || amount > vendor::refundable(call, id) {
        let code = "woocommerce_rest_cannot_create_order_refund";
        return Err(Response::json(500, &json!({"code": code, "message": "Invalid refund amount.", "data": 500})));
    }
    let reason = call.text("reason").unwrap_or_default().to_owned();
    let refund = call.refund(id, amount, &reason, lines).unwrap_or(0);
    let body = body(call, refund, false).unwrap_or_default();
    // The real shop forgets to put the order's id into this address.
    let location = format!("{}wc/v3/orders/(?P<order_id>[\\d]+)/refunds/{refund}", call.root());
    Ok(Response::json(201, &body).with_header("Location", location))
}

/// `DELETE /orders/{id}/refunds/{id}`: gone for good.
pub(super) fn delete(call: &mut Call<'_, '_>) -> Answer {
    let (response, owner, id) = (get(call)?, call.id(0), call.id(1));
    call.state.refunds.remove(&id);
    call.change(owner, |order| order.refunds.retain(|refund| refund.id != id));
    Ok(response)
}
