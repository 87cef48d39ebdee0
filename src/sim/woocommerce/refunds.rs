//! Refunds of an order.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::args::error;
use super::list;
use super::orders::decimal;
use super::request::{Call, invalid_id};
use super::vendor;
use crate::sim::http::Response;

/// `GET /orders/{id}/refunds`.
pub(super) fn list(call: &mut Call<'_>) -> Response {
    let id = call.id(0);
    if !call.has_order(id) {
        return error(404, "woocommerce_rest_invalid_order_id", "Invalid order ID.");
    }
    list::refunds(call, Some(id))
}

/// `GET /orders/{id}/refunds/{id}`.
pub(super) fn get(call: &Call<'_>) -> Response {
    let (owner, id) = (call.id(0), call.id(1));
    let found = list::refund_json(call, id, false).filter(|_| call.state.own.refund_owners.get(&id) == Some(&owner));
    found.map_or_else(|| invalid_id(404), |body| Response::json(200, &body))
}

/// `POST /orders/{id}/refunds`. Too much is a 500 whose `data` is a number.
pub(super) fn create(call: &mut Call<'_>) -> Response {
    let id = call.id(0);
    if !call.has_order(id) {
        return error(404, "woocommerce_rest_invalid_order_id", "Order is invalid");
    }
    let lines = refunded_lines(call.params.get("line_items"));
    let of_lines: Decimal = lines.iter().map(|(_, _, amount)| *amount).sum();
    let amount = call.params.get("amount").and_then(decimal).unwrap_or(of_lines);
    if amount <= Decimal::ZERO || amount > vendor::refundable(&call.context(), id) {
        let code = "woocommerce_rest_cannot_create_order_refund";
        return Response::json(500, &json!({"code": code, "message": "Invalid refund amount.", "data": 500}));
    }
    let reason = call.text("reason").unwrap_or_default().to_owned();
    let refund = call.context().refund(id, amount, &reason, lines).unwrap_or(0);
    let body = list::refund_json(call, refund, false).unwrap_or_default();
    // The real shop forgets to put the order's id into this address.
    let location = format!("{}wc/v3/orders/(?P<order_id>[\\d]+)/refunds/{refund}", call.root);
    Response::json(201, &body).with_header("Location", location)
}

fn refunded_lines(wish: Option<&Value>) -> Vec<(u64, u64, Decimal)> {
    let lines = wish.and_then(Value::as_array).into_iter().flatten().map(|line| {
        let pieces = line["quantity"].as_u64().unwrap_or(0);
        (line["id"].as_u64().unwrap_or(0), pieces, decimal(&line["refund_total"]).unwrap_or_default())
    });
    lines.collect()
}

/// `DELETE /orders/{id}/refunds/{id}`: gone for good.
pub(super) fn delete(call: &mut Call<'_>) -> Response {
    let (owner, id) = (call.id(0), call.id(1));
    let response = get(call);
    if response.status == 200 {
        call.state.own.refund_owners.remove(&id);
        call.context().change(owner, |order| order.refunds.retain(|refund| refund.id != id));
    }
    response
}
