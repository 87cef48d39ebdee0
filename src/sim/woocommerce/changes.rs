//! What happens inside the shop when an order changes, whoever changes it.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::json;

use super::options::Options;
use super::render::{Style, sums};
use super::seed;
use super::state::{Order, Refund, State};

/// The statuses WooCommerce itself knows, in its own order.
pub(super) const CORE_STATUSES: [&str; 8] =
    ["pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft"];

/// A known status without allocating.
pub(super) fn status_word(status: &str) -> Cow<'static, str> {
    let known = CORE_STATUSES.iter().chain(&["trash", "auto-draft"]).find(|known| **known == status);
    known.map_or_else(|| Cow::Owned(status.to_owned()), |known| Cow::Borrowed(*known))
}

/// What people read instead of a status word.
pub(super) fn status_name(status: &str) -> String {
    match status {
        "pending" => "Pending payment".to_owned(),
        "on-hold" => "On hold".to_owned(),
        "checkout-draft" => "Draft".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}

/// Puts an order into a status, with all that follows: dates, note, e-mail. Returns whether it changed.
pub(super) fn set_status(options: &Options, state: &mut State, id: u64, status: &str, now: i64) -> bool {
    let Some(order) = state.orders.get_mut(&id) else { return false };
    if order.status == status {
        return false;
    }
    let before = std::mem::replace(&mut order.status, status_word(status));
    if matches!(status, "processing" | "completed") && order.paid.is_none() {
        order.paid = Some(now);
    }
    if status == "completed" {
        order.completed = Some(now);
    }
    let was_unpaid = matches!(&*before, "pending" | "failed" | "on-hold" | "checkout-draft");
    let mails = &mut state.attached(id).mails;
    match status {
        "completed" => mails.completed += 1,
        "processing" if was_unpaid => mails.processing += 1,
        _ => {}
    }
    let text = format!("Order status changed from {} to {}.", status_name(&before), status_name(status));
    state.add_note(id, &text, false, now);
    if status == "refunded" {
        refund_the_rest(options, state, id, now);
    }
    state.bump(id, now);
    true
}

/// What is left to refund of an order.
pub(super) fn refundable(options: &Options, order: &Order) -> Decimal {
    let details = order.details(options);
    let style = Style { options, dp: options.decimals, root: "", home: "" };
    let refunded: Decimal = details.refunds.iter().map(|refund| refund.amount).sum();
    sums(style, &details).total.round_dp(options.decimals) - refunded
}

fn refund_the_rest(options: &Options, state: &mut State, id: u64, now: i64) {
    let rest = state.orders.get(&id).map(|order| refundable(options, order)).unwrap_or_default();
    if rest > Decimal::ZERO {
        add_refund(options, state, id, rest, "Order fully refunded.", Vec::new(), now);
    }
}

/// Adds a refund and moves the order's date; returns the refund's id. Does not check the amount.
pub(super) fn add_refund(
    options: &Options,
    state: &mut State,
    id: u64,
    amount: Decimal,
    reason: &str,
    lines: Vec<(u64, u32, Decimal)>,
    now: i64,
) -> Option<u64> {
    let refund_id = state.next_id;
    let details = state.details_mut(options, id)?;
    details.refunds.insert(0, Refund { id: refund_id, created: now, amount, reason: reason.to_owned(), lines });
    state.next_id += 1;
    state.refund_owners.insert(refund_id, id);
    state.attached(id).mails.refunded += 1;
    let order = state.orders.get_mut(&id)?;
    if refundable(options, order) <= Decimal::ZERO {
        order.status = Cow::Borrowed("refunded");
    }
    state.bump(id, now);
    Some(refund_id)
}

/// Moves an order to the trash, where it keeps the status it had in its meta data.
pub(super) fn trash(options: &Options, state: &mut State, id: u64, now: i64) -> bool {
    let Some(before) = state.orders.get(&id).map(|order| order.status.clone()) else { return false };
    if before == "trash" {
        return false;
    }
    if let Some(details) = state.details_mut(options, id) {
        details.set_meta(id, "_wp_trash_meta_status", json!(format!("wc-{before}")));
        details.set_meta(id, "_wp_trash_meta_time", json!(now.to_string()));
    }
    if let Some(order) = state.orders.get_mut(&id) {
        order.status = Cow::Borrowed("trash");
    }
    state.attached(id).status_before_trash = Some(before);
    state.bump(id, now);
    true
}

/// Takes an order out of the trash into the status it had.
pub(super) fn restore(state: &mut State, id: u64, now: i64) -> bool {
    let before = state.attached.get_mut(&id).and_then(|attached| attached.status_before_trash.take());
    let Some(order) = state.orders.get_mut(&id).filter(|order| order.status == "trash") else { return false };
    order.status = before.unwrap_or(Cow::Borrowed("pending"));
    state.bump(id, now);
    true
}

/// A new, empty order; returns its id.
pub(super) fn create(options: &Options, state: &mut State, status: &str, created: i64) -> u64 {
    let id = state.take_id();
    let details = Some(Box::new(seed::blank(options, id)));
    let status = status_word(status);
    state.insert(Order { id, created, modified: created, paid: None, completed: None, status, details });
    id
}
