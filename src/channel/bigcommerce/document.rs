//! One document for one order: its row of the list, and beside it, under `ordersync`, what the store keeps elsewhere.
//!
//! The row holds lines, addresses and fees where the store serves `include`; else they are fetched one by one. Refunds are only in V3
//! (`refunded_amount` of V2 is always 0: fact sheet 3), one request for all orders of a page that may have some. Everything that
//! the order is made of stands in the document, so reading it again gives the same order, and an order read alone has the same document as
//! the same order in a list.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::map;
use super::site::Site;
use super::wire::{Head, HeadBundle, Many, Refund, Text};
use crate::channel::RemoteOrder;
use crate::error::{Error, ErrorKind, Result};
use crate::order::parse_decimal;

/// The parameters that ask for everything in one answer. Without the structure, consignments come in a discouraged form (fact sheet 2.4).
pub const INCLUDE: [(&str, &str); 2] =
    [("include", "consignments.line_items,fees"), ("consignment_structure", "object")];

/// The list of sub-resources may be cut at its default length; a list of just such a length is checked.
const SUSPICIOUS: usize = 50;

/// What was fetched for one order, verbatim.
#[derive(Default)]
struct Added {
    parts: Vec<(&'static str, Vec<Box<RawValue>>)>,
    /// Why it cannot be understood: it went away between two requests.
    gone: bool,
}

/// The rows with all that belongs to them, each as far as it can be understood. Orders refunded, disputed or partly refunded cost one
/// request together.
pub fn complete(site: &Site, rows: &[&RawValue]) -> Result<Vec<RemoteOrder>> {
    let heads: Vec<Head<'_>> = rows.iter().map(|row| serde_json::from_str(row.get()).unwrap_or_default()).collect();
    let mut refunds = refunds(site, &heads)?;
    let mut orders = Vec::with_capacity(rows.len());
    for (row, head) in rows.iter().zip(&heads) {
        let mut added = missing(site, head)?;
        if let Some(refunds) = head.id.id().and_then(|id| refunds.remove(id)) {
            added.parts.push(("refunds", refunds));
        }
        orders.push(remote(row, head, &added)?);
    }
    Ok(orders)
}

/// The lines, addresses and fees that the row does not hold.
fn missing(site: &Site, head: &Head<'_>) -> Result<Added> {
    let mut added = Added::default();
    let Some(id) = head.id.id().filter(|id| id.bytes().all(|b| b.is_ascii_digit())) else { return Ok(added) };
    let bundles = bundles(head);
    let listed = bundles.iter().any(|bundle| !bundle.line_items.rows.is_empty());
    let links =
        bundles.iter().any(|b| b.line_items.rows.iter().any(|line| line.id.id().is_none()) || !b.line_items.listed);
    let cut =
        bundles.iter().any(|b| !b.line_items.rows.is_empty() && b.line_items.rows.len().is_multiple_of(SUSPICIOUS));
    let mut fetch = |name: &'static str| -> Result<()> {
        match site.all(&format!("v2/orders/{id}/{name}"))? {
            Some(rows) => added.parts.push((name, rows)),
            None => added.gone = true,
        }
        Ok(())
    };
    if !listed || links || cut {
        fetch("products")?;
    }
    if !head.consignments.0.shipping.listed {
        fetch("shipping_addresses")?;
    }
    if !head.fees.listed && owes_fees(head) {
        match site.fees(id)? {
            Some(rows) => added.parts.push(("fees", rows)),
            None => added.gone = true,
        }
    }
    Ok(added)
}

fn bundles<'h, 'a>(head: &'h Head<'a>) -> Vec<&'h HeadBundle<'a>> {
    let all = &head.consignments.0;
    [&all.shipping, &all.pickups, &all.downloads, &all.email.0.gift_certificates]
        .into_iter()
        .flat_map(|m: &Many<_>| &m.rows)
        .collect()
}

/// Whether the sums leave something over that can only be a fee. Saves a request for each order of a store without `include`.
fn owes_fees(head: &Head<'_>) -> bool {
    let amount = |text: &Text<'_>| parse_decimal(text.get()).unwrap_or_default();
    let parts: Decimal =
        [&head.subtotal_inc_tax, &head.shipping_cost_inc_tax, &head.handling_cost_inc_tax, &head.wrapping_cost_inc_tax]
            .into_iter()
            .map(amount)
            .sum();
    parts - amount(&head.discount_amount) - amount(&head.coupon_discount) != amount(&head.total_inc_tax)
}

/// Whether there may be refunds: by the status, by the payment, or by a line.
fn may_have_refunds(head: &Head<'_>) -> bool {
    let by_line = || {
        bundles(head).iter().flat_map(|bundle| &bundle.line_items.rows).any(|line| {
            line.is_refunded.is_true() || parse_decimal(line.quantity_refunded.get()).is_ok_and(|n| !n.is_zero())
        })
    };
    matches!(head.status_id.get(), "4" | "13" | "14") || head.payment_status.get().contains("refunded") || by_line()
}

/// The refunds of these orders by order. V3's amounts are JSON numbers; their digits are kept.
fn refunds(site: &Site, heads: &[Head<'_>]) -> Result<BTreeMap<String, Vec<Box<RawValue>>>> {
    let ids: Vec<&str> = heads.iter().filter(|head| may_have_refunds(head)).filter_map(|head| head.id.id()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut found: BTreeMap<String, Vec<(u64, Box<RawValue>)>> = BTreeMap::new();
    for row in site.all_v3("v3/orders/payment_actions/refunds", &("order_id:in", ids.join(",")))? {
        let refund: Refund<'_> = serde_json::from_str(row.get()).unwrap_or_default();
        let order = refund.order_id.get().to_owned();
        if !ids.contains(&order.as_str()) {
            let text =
                "BigCommerce gave refunds of other orders than those asked for; nothing was imported of this page";
            return Err(Error::new(ErrorKind::Unreadable, text));
        }
        let id = refund.id.get().parse().unwrap_or(0);
        found.entry(order).or_default().push((id, row));
    }
    Ok(found
        .into_iter()
        .map(|(order, mut refunds)| {
            refunds.sort_by_key(|(id, _)| *id);
            refunds.dedup_by_key(|(id, _)| *id);
            (order, refunds.into_iter().map(|(_, refund)| refund).collect())
        })
        .collect())
}

/// The order with its whole document.
fn remote(row: &RawValue, head: &Head<'_>, added: &Added) -> Result<RemoteOrder> {
    let document = joined(row, added)?;
    let order = match added.gone {
        true => Err("its lines or addresses were gone when they were asked for".to_owned()),
        false => map::order(document.get()).map(Box::new),
    };
    let remote_id = head.id.id().map_or_else(|| nameless(row.get()), str::to_owned);
    Ok(RemoteOrder { remote_id, document, order })
}

/// The row with one member more, at its end.
fn joined(row: &RawValue, added: &Added) -> Result<Box<RawValue>> {
    let body = row.get().trim_end();
    let Some(open) = body.strip_suffix('}').filter(|_| !added.parts.is_empty()) else { return Ok(row.to_owned()) };
    let mut text = String::with_capacity(body.len() + 64);
    text.push_str(open.trim_end());
    text.push_str(if text.ends_with('{') { "\"ordersync\":{" } else { ",\"ordersync\":{" });
    for (n, (name, rows)) in added.parts.iter().enumerate() {
        let rows: Vec<&str> = rows.iter().map(|row| row.get()).collect();
        text.push_str(&format!("{}\"{name}\":[{}]", if n == 0 { "" } else { "," }, rows.join(",")));
    }
    text.push_str("}}");
    RawValue::from_string(text)
        .map_err(|_| Error::new(ErrorKind::Unreadable, "an order's parts do not make one document"))
}

/// A name for an order without an id, the same each time it comes.
fn nameless(document: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(document.as_bytes());
    format!("unreadable-{}", hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn parts_go_into_the_document_verbatim_and_their_digits_stay() {
        let added =
            Added { parts: vec![("refunds", vec![raw(r#"{"total_amount":1.10}"#)]), ("fees", vec![])], gone: false };
        let document = joined(&raw("{\"id\":7 }"), &added).unwrap();
        assert_eq!(document.get(), r#"{"id":7,"ordersync":{"refunds":[{"total_amount":1.10}],"fees":[]}}"#);
        assert_eq!(joined(&raw("{}"), &added).unwrap().get().matches("ordersync").count(), 1);
        assert_eq!(joined(&raw(r#"{"id":7}"#), &Added::default()).unwrap().get(), r#"{"id":7}"#);
        assert_eq!(joined(&raw("[]"), &added).unwrap().get(), "[]");
    }

    #[test]
    fn refunds_are_looked_for_where_status_payment_or_a_line_hints_at_them() {
        let asks = |json: &str| may_have_refunds(&serde_json::from_str(json).unwrap());
        for yes in [
            r#"{"status_id":4}"#,
            r#"{"status_id":13}"#,
            r#"{"status_id":2,"payment_status":"partially refunded"}"#,
            r#"{"status_id":2,"consignments":{"shipping":[{"line_items":[{"id":1,"quantity_refunded":1}]}]}}"#,
        ] {
            assert!(asks(yes), "{yes}");
        }
        assert!(!asks(r#"{"status_id":11,"payment_status":"captured"}"#));
    }

    #[test]
    fn a_sum_that_does_not_add_up_means_fees() {
        let owes = |json: &str| owes_fees(&serde_json::from_str(json).unwrap());
        assert!(!owes(
            r#"{"subtotal_inc_tax":"10.0000","shipping_cost_inc_tax":5,"coupon_discount":"1","total_inc_tax":"14.00"}"#
        ));
        assert!(owes(r#"{"subtotal_inc_tax":"10.0000","shipping_cost_inc_tax":5,"total_inc_tax":"17.00"}"#));
    }
}
