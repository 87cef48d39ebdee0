//! What is done to one order over the API: cancelling, holding, comments, another address.

use serde_json::{Value, json};

use super::errors::{error, missing, plain, required};
use super::render::ADDRESS;
use super::vendor::{can_cancel, invoiced, set_state, status, to_invoice, to_ship};
use super::{Answer, Call, Context, Order, Response, render};
use crate::sim::forms::readdress;
use crate::sim::world::Line;

/// The order of a request.
pub(super) fn known(call: &Call<'_, '_>) -> Result<u64, Response> {
    Some(call.id(0)).filter(|id| call.state.orders.contains_key(id)).ok_or_else(missing)
}

/// An order at which the shop's program fails fails it whole.
pub(super) fn one(call: &mut Call<'_, '_>) -> Answer {
    let id = known(call)?;
    if call.state.unrenderable.contains(&id) {
        return Err(super::errors::internal(call));
    }
    let entry = call.state.orders.get(&id).ok_or_else(missing)?;
    Ok(Response::json(200, &render::shown(call, entry)))
}

/// What is neither shipped nor on an invoice is cancelled.
pub(super) fn cancel_rest(order: &mut Order) {
    let rest = |line: &Line| (line.id, to_ship(order, line).min(to_invoice(order, line)));
    let rows: Vec<(u64, u64)> = order.lines.iter().map(rest).collect();
    rows.into_iter().for_each(|(line, pieces)| *order.own.canceled.entry(line).or_default() += pieces);
}

/// Cancels an order, or what is not on an invoice of it; false where that cannot be.
pub(super) fn cancel_order(context: &mut Context<'_>, id: u64) -> bool {
    let Some(state) = context.state.orders.get(&id).map(|entry| entry.status.clone()) else { return false };
    let Some(order) = context.order_mut(id).filter(|order| can_cancel(&state, order)) else { return false };
    cancel_rest(order);
    order.restock();
    let kept = |line: &Line| invoiced(order, line) > line.refunded;
    let open = order.lines.iter().any(|line| kept(line) && to_ship(order, line) > 0);
    let next = match order.lines.iter().any(kept) {
        true if open => "processing",
        true => "complete",
        false => "canceled",
    };
    set_state(context, id, next);
    context.touch(id);
    true
}

/// Holds an order; false where that cannot be.
pub(super) fn hold_order(context: &mut Context<'_>, id: u64) -> bool {
    let Some(state) = context.state.orders.get(&id).map(|entry| entry.status.clone()) else { return false };
    let can = !matches!(&*state, "canceled" | "payment_review" | "complete" | "closed" | "holded");
    let Some(order) = context.order_mut(id).filter(|_| can) else { return false };
    order.own.before_hold = Some(state);
    set_state(context, id, "holded")
}

/// Puts an order that is held back into its state; false where it is not held.
pub(super) fn unhold_order(context: &mut Context<'_>, id: u64) -> bool {
    let held = context.state.orders.get(&id).is_some_and(|entry| entry.status == "holded");
    let before = context.order_mut(id).filter(|_| held).and_then(|order| order.own.before_hold.take());
    before.is_some_and(|before| set_state(context, id, before))
}

/// `POST orders/{id}/cancel`.
pub(super) fn cancel(call: &mut Call<'_, '_>) -> Answer {
    let id = known(call)?;
    Ok(Response::json(200, &json!(cancel_order(call, id))))
}

/// `POST orders/{id}/hold`.
pub(super) fn hold(call: &mut Call<'_, '_>) -> Answer {
    let id = known(call)?;
    let held = hold_order(call, id);
    if held { Ok(Response::json(200, &json!(true))) } else { Err(plain(400, "A hold action is not available.")) }
}

/// `POST orders/{id}/unhold`.
pub(super) fn unhold(call: &mut Call<'_, '_>) -> Answer {
    let id = known(call)?;
    let freed = unhold_order(call, id);
    if freed { Ok(Response::json(200, &json!(true))) } else { Err(plain(400, "You cannot remove the hold.")) }
}

/// `GET orders/{id}/statuses`.
pub(super) fn statuses(call: &mut Call<'_, '_>) -> Answer {
    let id = known(call)?;
    let entry = call.state.orders.get(&id).ok_or_else(missing)?;
    Ok(Response::json(200, &json!(status(&entry.status, &entry.order(call.options)))))
}

/// `GET orders/{id}/comments`.
pub(super) fn comments(call: &mut Call<'_, '_>) -> Answer {
    let id = known(call)?;
    let entry = call.state.orders.get(&id).ok_or_else(missing)?;
    let items = render::comments(entry, &entry.order(call.options));
    let count = items.as_array().map_or(0, Vec::len);
    Ok(Response::json(
        200,
        &json!({ "items": items, "search_criteria": { "filter_groups": [] }, "total_count": count }),
    ))
}

/// `POST orders/{id}/comments`: the order's date does not move.
pub(super) fn comment(call: &mut Call<'_, '_>) -> Answer {
    let (id, wish) = (known(call)?, call.params.get("statusHistory").cloned().unwrap_or_default());
    if !wish.is_object() {
        return Err(required("statusHistory"));
    }
    let entry = call.state.orders.get(&id).ok_or_else(missing)?;
    let wanted = wish["status"].as_str().unwrap_or_default();
    if !wanted.is_empty() && wanted != status(&entry.status, &entry.order(call.options)) {
        let text =
            "Unable to add comment: The status \"%1\" is not part of the order\n                 status history.";
        return Err(error(400, text, json!([wanted])));
    }
    let notified = wish["is_customer_notified"].as_i64() == Some(1) || wish["is_customer_notified"] == true;
    call.add_note(id, wish["comment"].as_str().unwrap_or_default(), notified);
    Ok(Response::json(200, &json!(true)))
}

/// `PUT orders/{id}`: an address of the order is another; its date does not move.
pub(super) fn address(call: &mut Call<'_, '_>) -> Answer {
    let (id, wish) = (known(call)?, call.params.get("entity").cloned().unwrap_or_default());
    if !wish.is_object() {
        return Err(required("entity"));
    }
    let mut flat = wish.clone();
    for (name, nth) in [("street_1", 0), ("street_2", 1)] {
        flat[name] = wish["street"].get(nth).cloned().unwrap_or(Value::String(String::new()));
    }
    let order = call.order_mut(id).ok_or_else(missing)?;
    let address = match wish["address_type"].as_str() {
        Some("billing") => Some(&mut order.billing),
        _ => order.places.first_mut().map(|place| &mut place.address),
    };
    if let Some(address) = address {
        readdress(address, &ADDRESS, &flat);
    }
    Ok(Response::json(200, &wish))
}
