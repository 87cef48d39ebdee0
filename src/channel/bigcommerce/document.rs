//! One document for one order: its row of the list, and beside it, under `ordersync`, what the
//! store keeps elsewhere.
//!
//! The row holds lines, addresses and fees where the store serves `include`; else they are fetched
//! one by one. Refunds are only in V3 (`refunded_amount` of V2 is always 0), one request for all
//! orders of a page that may have some. Everything that the order is made of stands in the
//! document, so reading it again gives the same order, and an order read alone has the same
//! document as the same order in a list.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::api::Api;
use super::map;
use super::wire::{Head, HeadBundle, HeadLine, Refund};
use crate::channel::json::{Amount, Many};
use crate::channel::parts::{Rows, by_order, in_order, joined};
use crate::channel::rows::{dug, nameless};
use crate::channel::{Found, RemoteOrder, Unshown};
use crate::error::{Error, ErrorKind, Result};
use crate::http::status::AGAIN;
use crate::order::sum;

/// The parameters that ask for everything in one answer. Without the structure, consignments come
/// in a discouraged form.
pub(crate) const INCLUDE: [(&str, &str); 2] =
    [("include", "consignments.line_items,fees"), ("consignment_structure", "object")];

/// The list of sub-resources may be cut at its default length; a list of just such a length is
/// checked.
const SUSPICIOUS: usize = 50;

/// What was fetched for one order, verbatim.
#[derive(Default)]
struct Added {
    parts: Vec<(&'static str, Rows)>,
    /// Why it cannot be understood: it went away between two requests.
    gone: bool,
    /// Why the store cannot show what belongs to it.
    failed: Option<Error>,
}

impl Added {
    /// A row without its lines does not tell that some of them were given back.
    fn has_refunded_lines(&self) -> bool {
        let lines = self.parts.iter().filter(|(name, _)| *name == "products").flat_map(|(_, lines)| lines);
        lines
            .into_iter()
            .any(|line| serde_json::from_str::<HeadLine<'_>>(line.get()).is_ok_and(|line| is_refunded(&line)))
    }
}

/// The id, where it is one that a path can be made of.
fn numeric_id<'h>(head: &'h Head<'_>) -> Option<&'h str> {
    head.id.id().filter(|id| id.bytes().all(|b| b.is_ascii_digit()))
}

/// Of which orders the refunds are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundsOf {
    /// Of all: something may hang on it, as a dispatch does.
    All,
    /// Of those whose rows hint at some.
    Likely,
}

/// The rows with all that belongs to them, each as far as it can be understood. Orders refunded,
/// disputed or partly refunded cost one request together. An order at whose parts the store fails
/// costs one order; failing at all of them is an outage.
pub(crate) fn complete(api: &Api, rows: &[&RawValue], refunds_of: RefundsOf) -> Result<Found> {
    let heads: Vec<Head<'_>> = rows.iter().map(|row| serde_json::from_str(row.get()).unwrap_or_default()).collect();
    let mut parts = outage(heads.iter().map(|head| tolerant(missing(api, head))).collect::<Result<Vec<_>>>()?)?;
    let is_asked = |head: &Head<'_>, added: &Added| match refunds_of {
        RefundsOf::All => true,
        RefundsOf::Likely => may_have_refunds(head) || added.has_refunded_lines(),
    };
    let asked = heads.iter().zip(&parts).filter(|(head, added)| is_asked(head, added));
    let refunds = refunds(api, &asked.filter_map(|(head, _)| numeric_id(head)).collect::<Vec<_>>())?;
    let mut complete = Found::default();
    for ((row, head), added) in rows.iter().zip(&heads).zip(&mut parts) {
        // A list that moves while it is read has an order twice.
        match head.id.id().and_then(|id| refunds.get(id).cloned()) {
            Some(Ok(refunds)) => added.parts.push(("refunds", refunds)),
            Some(Err(error)) => added.failed = Some(error),
            None => {}
        }
        match &added.failed {
            Some(error) => complete.unshown.push(Unshown {
                remote_id: head.id.id().map(str::to_owned),
                place: String::new(),
                why: error.message().to_owned(),
                unlisted: 0,
            }),
            None => complete.orders.push(remote(row, head, added)?),
        }
    }
    Ok(complete)
}

/// A failure of the store's own is this order's; any other ends the page.
fn tolerant(result: Result<Added>) -> Result<Added> {
    match result {
        Err(error) if is_its_own(&error) => Ok(Added { failed: Some(error), ..Added::default() }),
        result => result,
    }
}

/// Whether it may be one order at which the store fails, or whose parts cannot be read.
fn is_its_own(error: &Error) -> bool {
    error.is_too_much() || error.kind() == ErrorKind::Unreadable
}

/// How many orders in a row say that it is not the orders.
const OUTAGE: usize = 3;

/// Where the parts of several orders were asked for and none came, the store is at fault and not
/// each of the orders.
fn outage(mut parts: Vec<Added>) -> Result<Vec<Added>> {
    let failed = parts.iter().filter(|added| added.failed.is_some()).count();
    let came = parts.iter().any(|added| !added.parts.is_empty());
    match parts.iter_mut().find_map(|added| added.failed.take_if(|_| failed >= OUTAGE && !came)) {
        Some(error) => Err(whole(&error)),
        None => Ok(parts),
    }
}

/// The same error as one that fewer orders at once do not help.
fn whole(error: &Error) -> Error {
    Error::new(error.kind(), error.message()).hint(error.hint_text().unwrap_or(AGAIN))
}

/// The lines, addresses and fees that the row does not hold.
fn missing(api: &Api, head: &Head<'_>) -> Result<Added> {
    let mut added = Added::default();
    let Some(id) = numeric_id(head) else { return Ok(added) };
    let mut fetch = |name: &'static str| -> Result<()> {
        match api.all(&format!("v2/orders/{id}/{name}"))? {
            Some(rows) => added.parts.push((name, rows)),
            None => added.gone = true,
        }
        Ok(())
    };
    if needs_lines(head) {
        fetch("products")?;
    }
    if !head.consignments.0.shipping.listed {
        fetch("shipping_addresses")?;
    }
    if !head.fees.listed && owes_fees(head) {
        match api.fees(id)? {
            Some(rows) => added.parts.push(("fees", rows)),
            None => added.gone = true,
        }
    }
    Ok(added)
}

/// Whether the row holds fewer lines than the order may have: none, links to them, a list that may
/// be cut, fewer pieces than it counts, or only those of pick-ups and downloads, without a word on
/// what is shipped. One consignment's list may come empty though something goes there
/// (https://github.com/bigcommerce/dev-docs/issues/2052).
fn needs_lines(head: &Head<'_>) -> bool {
    let bundles = bundles(head);
    let listed = bundles.iter().any(|bundle| !bundle.line_items.rows.is_empty());
    let links =
        bundles.iter().any(|b| b.line_items.rows.iter().any(|line| line.id.id().is_none()) || !b.line_items.listed);
    let cut =
        bundles.iter().any(|b| !b.line_items.rows.is_empty() && b.line_items.rows.len().is_multiple_of(SUSPICIOUS));
    let pieces = |line: &HeadLine<'_>| line.quantity.decimal("").unwrap_or_default();
    let told = sum(bundles.iter().flat_map(|bundle| &bundle.line_items.rows).map(pieces));
    let fewer = head.items_total.decimal("").is_ok_and(|counted| counted > told);
    !head.consignments.0.shipping.listed || !listed || links || cut || fewer
}

fn bundles<'h, 'a>(head: &'h Head<'a>) -> Vec<&'h HeadBundle<'a>> {
    let all = &head.consignments.0;
    [&all.shipping, &all.pickups, &all.downloads, &all.email.0.gift_certificates]
        .into_iter()
        .flat_map(|m: &Many<_>| &m.rows)
        .collect()
}

/// Whether the sums leave something over that can only be a fee. Saves a request for each order of
/// a store without `include`.
fn owes_fees(head: &Head<'_>) -> bool {
    let amount = |amount: &Amount<'_>| amount.decimal("").unwrap_or_default();
    let parts =
        [&head.subtotal_inc_tax, &head.shipping_cost_inc_tax, &head.handling_cost_inc_tax, &head.wrapping_cost_inc_tax];
    sum(parts.into_iter().map(amount)) - amount(&head.discount_amount) - amount(&head.coupon_discount)
        != amount(&head.total_inc_tax)
}

/// Whether there may be refunds: by the status, by the payment, or by a line. A merchant sets
/// another status to go on with an order; where no payment is told of, as of one outside of the
/// store's gateways, nothing hints then at what was given back of the order as a whole.
fn may_have_refunds(head: &Head<'_>) -> bool {
    let by_line = || bundles(head).iter().flat_map(|bundle| &bundle.line_items.rows).any(is_refunded);
    let payment = head.payment_status.get();
    let is_unpaid = matches!(head.status_id.get(), "0" | "1" | "7");
    let by_status = matches!(head.status_id.get(), "4" | "13" | "14");
    by_status || payment.contains("refunded") || (payment.is_empty() && !is_unpaid) || by_line()
}

fn is_refunded(line: &HeadLine<'_>) -> bool {
    line.is_refunded.is_true() || line.quantity_refunded.decimal("quantity_refunded").is_ok_and(|n| !n.is_zero())
}

/// The refunds of an order, or why the store cannot show them.
type Refunds = Result<Rows>;

/// The refunds of these orders by order; order by order where the store does not give those of
/// several, or fails at one of them. V3's amounts are JSON numbers; their digits are kept.
fn refunds(api: &Api, ids: &[&str]) -> Result<BTreeMap<String, Refunds>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let together = match api.all_v3("v3/orders/payment_actions/refunds", Some(("order_id:in", ids.join(",")))) {
        Ok(rows) => by_order(rows, ids, |row| {
            Some(serde_json::from_str::<Refund<'_>>(row.get()).ok()?.order_id.get().to_owned())
        }),
        Err(error) if matches!(error.kind(), ErrorKind::NoStore | ErrorKind::Failed) => None,
        Err(error) if is_its_own(&error) => None,
        Err(error) => return Err(error),
    };
    if let Some(found) = together {
        return Ok(found.into_iter().map(|(id, rows)| (id, Ok(rows))).collect());
    }
    let mut found: BTreeMap<String, Refunds> = BTreeMap::new();
    let mut came = false;
    for id in ids {
        match api.all_v3(&format!("v3/orders/{id}/payment_actions/refunds"), None) {
            Ok(rows) => {
                came = true;
                if !rows.is_empty() {
                    found.insert((*id).to_owned(), Ok(in_order(rows)));
                }
            }
            Err(error) if is_its_own(&error) && (came || found.len() + 1 < OUTAGE) => {
                found.insert((*id).to_owned(), Err(error));
            }
            Err(error) => return Err(whole(&error)),
        }
    }
    Ok(found)
}

/// The order with its whole document.
fn remote(row: &RawValue, head: &Head<'_>, added: &Added) -> Result<RemoteOrder> {
    let document = joined(row, &added.parts)?;
    let order = match added.gone {
        true => Err("its lines or addresses were gone when they were asked for".to_owned()),
        false => map::order(document.get()).map(Box::new),
    };
    let id = head.id.id().map(str::to_owned).or_else(|| dug(row, "id"));
    let remote_id = id.unwrap_or_else(|| nameless(row.get()));
    Ok(RemoteOrder { remote_id, document, order })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn refunds_are_looked_for_where_status_payment_or_a_line_hints_at_them() {
        let asks = |json: &str| may_have_refunds(&serde_json::from_str(json).unwrap());
        for yes in [
            r#"{"status_id":4}"#,
            r#"{"status_id":13}"#,
            r#"{"status_id":2,"payment_status":"partially refunded"}"#,
            r#"{"status_id":11,"payment_status":""}"#,
            r#"{"status_id":"2"}"#,
            r#"{"status_id":2,"consignments":{"shipping":[{"line_items":[{"id":1,"quantity_refunded":1}]}]}}"#,
        ] {
            assert!(asks(yes), "{yes}");
        }
        assert!(!asks(r#"{"status_id":11,"payment_status":"captured"}"#));
        assert!(!asks(r#"{"status_id":7,"payment_status":""}"#), "what is not paid is not given back");
    }

    #[test]
    fn a_line_that_was_fetched_hints_at_refunds_too() {
        let added = |line: &str| Added { parts: vec![("products", vec![raw(line)])], ..Added::default() };
        assert!(added(r#"{"id":1,"quantity_refunded":"1"}"#).has_refunded_lines());
        assert!(!added(r#"{"id":1,"quantity_refunded":0}"#).has_refunded_lines());
    }

    #[test]
    fn lines_are_fetched_unless_the_row_surely_holds_them_all() {
        let needs = |consignments: &str| {
            needs_lines(&serde_json::from_str(&format!(r#"{{"consignments":{consignments}}}"#)).unwrap())
        };
        for yes in [
            r#"{"url":"x","resource":"y"}"#,
            r#"[{"shipping":[{"id":1,"line_items":[{"id":1}]}]}]"#,
            r#"{"pickups":[{"line_items":[{"id":1}]}]}"#,
            r#"{"shipping":[{"id":1,"line_items":{"url":"x"}}]}"#,
            r#"{"shipping":[{"id":1}]}"#,
            r#"{"shipping":[],"downloads":[]}"#,
        ] {
            assert!(needs(yes), "{yes}");
        }
        assert!(!needs(r#"{"shipping":[],"downloads":[{"line_items":[{"id":1}]}]}"#));
        assert!(!needs(r#"{"shipping":[{"id":1,"line_items":[{"id":1}]}]}"#));
        let counted = |items_total: &str| {
            needs_lines(&serde_json::from_str(&format!(r#"{{"items_total":{items_total},"consignments":{{"shipping":[{{"id":1,"line_items":[]}}],"downloads":[{{"line_items":[{{"id":2,"quantity":"2"}}]}}]}}}}"#)).unwrap())
        };
        assert!(counted("3"), "a piece is in none of its lines");
        assert!(!counted("2") && !counted("1") && !counted("\"\""));
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
