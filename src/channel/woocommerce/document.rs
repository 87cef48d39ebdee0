//! One document for one order: its JSON as the shop gives it, and beside it, under `ordersync`,
//! what the shop keeps elsewhere.
//!
//! An order lists its refunds with their sums alone, and says of its fulfilments only whether they
//! are all of it. So the lines of refunds are added to orders that have some, one request for all
//! orders of a page, and the fulfilments to orders that are fulfilled in part: of the others it is
//! known without them what is left. Everything that the order is made of stands in the document, so
//! reading it again gives the same order, and an order read alone has the same document as the same
//! order in a list.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::api::Api;
use super::list;
use super::map::{self, Statuses};
use super::wire::Head;
use crate::channel::all_pages::{More, all_pages};
use crate::channel::parts::{Rows, by_order, in_order, joined};
use crate::channel::{Found, RemoteOrder, Unshown};
use crate::error::{ErrorKind, Result};

/// What is read of a refund.
const REFUND: &str = "id,parent_id,date_created_gmt,amount,reason,line_items";

/// Adds to these orders what the shop keeps elsewhere.
pub(crate) fn complete(api: &Api, statuses: &Statuses, orders: Vec<RemoteOrder>) -> Result<Found> {
    let refunded: Vec<String> =
        orders.iter().filter(|seen| has_refunds(seen)).map(|seen| seen.remote_id.clone()).collect();
    let mut refunds = refunds(api, &refunded)?;
    let mut complete = Found::default();
    for seen in orders {
        match parts(api, &seen, refunds.remove(&seen.remote_id)) {
            Ok(parts) if parts.is_empty() => complete.orders.push(seen),
            Ok(parts) => complete.orders.push(list::remote(&joined(&seen.document, &parts)?, statuses)),
            Err(error) if error.is_too_much() => complete.unshown.push(Unshown::of(seen.remote_id, &error)),
            Err(error) => return Err(error),
        }
    }
    Ok(complete)
}

fn parts(api: &Api, seen: &RemoteOrder, refunds: Option<Result<Rows>>) -> Result<Vec<(&'static str, Rows)>> {
    let mut parts = Vec::new();
    parts.extend(refunds.transpose()?.map(|rows| ("refunds", rows)));
    if is_fulfilled_in_part(seen) {
        parts.extend(fulfillments(api, &seen.remote_id)?.map(|rows| ("fulfillments", rows)));
    }
    Ok(parts)
}

fn has_refunds(seen: &RemoteOrder) -> bool {
    seen.order.as_ref().is_ok_and(|order| !order.refunds.is_empty())
}

fn is_fulfilled_in_part(seen: &RemoteOrder) -> bool {
    let text = seen.document.get();
    seen.order.is_ok() && text.contains("partially_fulfilled") && map::parse(text).is_ok_and(|o| map::is_partial(&o))
}

/// The refunds of these orders by order; order by order where the shop has no list of all refunds
/// or does not heed what it is asked.
fn refunds(api: &Api, ids: &[String]) -> Result<BTreeMap<String, Result<Rows>>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut found = BTreeMap::new();
    if api.facts().refunds {
        let together = match optional(listed(api, "wc/v3/refunds", &[("parent", ids.join(","))])) {
            Err(error) if error.is_too_much() => None,
            other => other?,
        };
        let of = |row: &RawValue| Some(serde_json::from_str::<Head<'_>>(row.get()).ok()?.parent_id.get().to_owned());
        let asked: Vec<&str> = ids.iter().map(String::as_str).collect();
        let by_order = together.and_then(|rows| by_order(rows, &asked, of)).unwrap_or_default();
        found.extend(by_order.into_iter().map(|(id, rows)| (id, Ok(rows))));
    }
    // An order that has some is asked itself, where it was not among them.
    for id in ids.iter().filter(|id| !found.contains_key(*id)).cloned().collect::<Vec<_>>() {
        match optional(listed(api, &format!("wc/v3/orders/{id}/refunds"), &[])) {
            Ok(rows) => found.extend(rows.filter(|rows| !rows.is_empty()).map(|rows| (id, Ok(in_order(rows))))),
            Err(error) if error.is_too_much() => drop(found.insert(id, Err(error))),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// All of a list.
fn listed(api: &Api, route: &str, query: &[(&str, String)]) -> Result<Rows> {
    let text = |row: &Box<_>| RawValue::get(row).to_owned();
    all_pages("refunds", Rows::new(), 1u64, text, |number| {
        let page = number.to_string();
        let mut query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query.extend([("per_page", "100"), ("orderby", "id"), ("order", "asc"), ("page", &page), ("_fields", REFUND)]);
        let reply = api.get_briefly(route, &query)?;
        if reply.status == 404 {
            return Ok((Rows::new(), More::No));
        }
        let (rows, _) = reply.json::<Vec<&RawValue>>()?;
        // By the shop's own count: it may give fewer rows a page than it is asked for.
        let last = list::counted(&reply).pages.map_or(rows.len() < 100, |pages| *number >= pages);
        let more = if last { More::No } else { More::Yes(number + 1) };
        Ok((rows.into_iter().map(RawValue::to_owned).collect(), more))
    })
}

/// The order's fulfilments; `None` where the shop has no such list.
fn fulfillments(api: &Api, id: &str) -> Result<Option<Rows>> {
    let asked = api.get_briefly(&format!("wc/v3/orders/{id}/fulfillments"), &[]);
    let Some(reply) = optional(asked)?.filter(|reply| reply.status != 404) else { return Ok(None) };
    let (answer, _) = reply.json::<Value>()?;
    let rows = rows_of(answer).ok_or_else(|| reply.unusable("no list of fulfilments"))?;
    Ok(Some(in_order(rows)))
}

/// A bare list in 10.5; `{"fulfillments": [...]}` was seen in its beta.
fn rows_of(mut answer: Value) -> Option<Rows> {
    let list = if answer.get("fulfillments").is_some() { answer["fulfillments"].take() } else { answer };
    serde_json::from_str(&list.to_string()).ok()
}

/// What a shop does not have, or does not show to this key, is left out; a shop that fails is asked
/// again.
fn optional<T>(asked: Result<T>) -> Result<Option<T>> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.kind() {
            ErrorKind::NoStore | ErrorKind::NotFound | ErrorKind::Permission => Ok(None),
            ErrorKind::Failed => Ok(None),
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fulfilments_come_bare_or_in_a_member() {
        for answer in [r#"[{"id":2},{"id":1}]"#, r#"{"fulfillments":[{"id":2},{"id":1}]}"#] {
            let rows = in_order(rows_of(serde_json::from_str(answer).unwrap()).unwrap());
            assert_eq!(rows.iter().map(|row| row.get()).collect::<Vec<_>>(), [r#"{"id":1}"#, r#"{"id":2}"#]);
        }
        assert!(rows_of(serde_json::json!("none")).is_none());
    }
}
