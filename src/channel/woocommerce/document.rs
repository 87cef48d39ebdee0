//! One document for one order: its JSON as the shop gives it, and beside it, under `ordersync`,
//! what the shop keeps elsewhere.
//!
//! An order lists its refunds with their sums alone, and says of its fulfilments only whether they
//! are all of it. So the lines of refunds are added to orders that have some, one request for all
//! orders of a page, and the fulfilments to orders that have some, one request each: no list holds
//! those of several orders; and what of it needs no parcel ([`goods`]). Everything that the order is made of stands in the document, so
//! reading it again gives the same order, and an order read alone has the same document as the same
//! order in a list.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serde_json::value::RawValue;

use super::api::Api;
use super::goods;
use super::list;
use super::map::{self, Statuses};
use super::status;
use super::wire::{Head, Order};
use crate::channel::all_pages::{More, all_pages};
use crate::channel::parts::{Rows, in_order, joined};
use crate::channel::{Found, RemoteOrder, Unshown};
use crate::clock::Timestamp;
use crate::error::{ErrorKind, Result};

/// What is read of a refund.
const REFUND: &str = "id,parent_id,date_created_gmt,amount,reason,line_items";

/// Adds to these orders what the shop keeps elsewhere.
pub(crate) fn complete(api: &Api, statuses: &Statuses, orders: Vec<RemoteOrder>) -> Result<Found> {
    let refunds = refunds(api, &orders)?;
    let fulfilled = fulfilled(api, &orders)?;
    let products = goods::in_question(api, &orders, &fulfilled)?;
    let mut complete = Found::default();
    for seen in orders {
        let id = &seen.remote_id;
        // A list that moves while it is read has an order twice.
        if complete.unshown.iter().any(|hidden| hidden.remote_id.as_deref() == Some(id)) {
            continue;
        }
        let parts = [
            ("refunds", refunds.get(id).cloned()),
            ("fulfillments", fulfilled.get(id).cloned()),
            ("products", products.get(id).cloned().map(Ok)),
        ];
        let parts = parts.into_iter().filter_map(|(name, rows)| Some(rows?.map(|rows| (name, rows))));
        match parts.collect::<Result<Vec<_>>>() {
            Ok(parts) if parts.is_empty() => complete.orders.push(seen),
            Ok(parts) => complete.orders.push(list::remote(&joined(&seen.document, &parts)?, statuses)),
            Err(error) if error.is_too_much() => complete.unshown.push(Unshown::of(seen.remote_id, &error)),
            Err(error) => return Err(error),
        }
    }
    Ok(complete)
}

/// What is in fulfilments, of each order that has some.
fn fulfilled(api: &Api, orders: &[RemoteOrder]) -> Result<BTreeMap<String, Result<Rows>>> {
    let mut found = BTreeMap::new();
    for seen in orders.iter().filter(|seen| has_fulfillments(api, seen)) {
        match fulfillments(api, &seen.remote_id) {
            Ok(rows) => found.extend(rows.map(|rows| (seen.remote_id.clone(), Ok(rows)))),
            Err(error) if error.is_too_much() => drop(found.insert(seen.remote_id.clone(), Err(error))),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Whether something of the order is in fulfilments. Of one that is fulfilled as a whole it is
/// known without them what is left, so a shop that has switched them off is not asked.
fn has_fulfillments(api: &Api, seen: &RemoteOrder) -> bool {
    let text = seen.document.get();
    let fulfilled = |o: &Order<'_>| map::is_partial(o) || (map::is_fulfilled(o) && api.facts().fulfillments);
    seen.order.is_ok() && text.contains("_fulfillment_status") && map::parse(text).is_ok_and(|o| fulfilled(&o))
}

/// The refunds of these orders by order: all at once by the ids that the orders list, and order by
/// order where the shop has no list of all refunds, does not heed what it is asked, or does not
/// give one of them.
fn refunds(api: &Api, orders: &[RemoteOrder]) -> Result<BTreeMap<String, Result<Rows>>> {
    let one = api.leaves_out_refunds() && orders.len() == 1;
    if api.leaves_out_refunds() && !one && api.facts().refunds {
        let since = since(orders);
        api.with_refunds_since(since, |until| refunded(api, since, until))?;
    }
    // That an order lists none says nothing where the shop's own list has one of it.
    let may_have = |seen: &RemoteOrder| one || is_untold(seen) || api.is_named_refunded(&seen.remote_id);
    let asked = orders.iter().map(|seen| (seen, listed(seen))).filter(|(seen, ids)| !ids.is_empty() || may_have(seen));
    let listed: BTreeMap<&str, BTreeSet<&str>> = asked.map(|(seen, ids)| (seen.remote_id.as_str(), ids)).collect();
    let mut found = if api.facts().refunds { together(api, &listed)? } else { BTreeMap::new() };
    found.retain(|order, rows| listed.get(order.as_str()).is_some_and(|ids| ids.len() == rows.len()));
    let mut found: BTreeMap<String, Result<Rows>> =
        found.into_iter().map(|(order, rows)| (order, Ok(in_order(rows)))).collect();
    for order in listed.keys().filter(|order| !found.contains_key(**order)).copied().collect::<Vec<_>>() {
        match optional(of_one(api, order)) {
            Ok(rows) => {
                let is_unlisted = listed.get(order).is_some_and(BTreeSet::is_empty);
                if is_unlisted && rows.as_ref().is_some_and(|rows| !rows.is_empty()) {
                    api.left_out_refunds();
                }
                found.extend(rows.filter(|rows| !rows.is_empty()).map(|rows| (order.to_owned(), Ok(in_order(rows)))));
            }
            Err(error) if error.is_too_much() => drop(found.insert(order.to_owned(), Err(error))),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// How much earlier than its order a refund may be by the times that the shop tells: a version that
/// does not heed that times are UTC takes them for its own.
const ZONES: i64 = 86_400;

/// From when on the refunds of these orders were made, in seconds: nothing is given back before it
/// was ordered. Of an order that cannot be read nobody knows.
fn since(orders: &[RemoteOrder]) -> i64 {
    let placed = |seen: &RemoteOrder| seen.order.as_ref().map_or(0, |order| order.placed_at.timestamp());
    orders.iter().map(placed).min().unwrap_or(0).saturating_sub(ZONES).max(0)
}

/// Has the shop's list of refunds name the orders that it has any of, from one second up to another:
/// of a shop whose orders leave them out it tells which orders to ask for.
fn refunded(api: &Api, since: i64, until: Option<i64>) -> Result<()> {
    let text = |row: &Box<_>| RawValue::get(row).to_owned();
    let bound = |at: i64| Timestamp::from_timestamp(at, 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S").to_string();
    let mut within = vec![("dates_are_gmt", "true".to_owned()), ("after", bound(since))];
    within.extend(until.map(|until| ("before", bound(until.saturating_add(ZONES)))));
    let read = |number: &u64| page(api, REFUNDS, *number, &within, "id,parent_id");
    let rows = all_pages("refunds", Rows::new(), 1u64, text, read)?;
    let parent = |row: &RawValue| serde_json::from_str::<Head<'_>>(row.get()).ok()?.parent_id.id().map(str::to_owned);
    api.names_refunded(rows.iter().filter_map(|row| parent(row)));
    Ok(())
}

/// Whether the order was given back by its status, and lists no refund: some versions leave the list
/// empty.
fn is_untold(seen: &RemoteOrder) -> bool {
    let is_refunded = |order: &crate::order::Order| status::plain(&order.channel_status) == status::REFUNDED;
    seen.order.as_ref().is_ok_and(|order| order.refunds.is_empty() && is_refunded(order))
}

/// The ids of the refunds that an order lists.
fn listed(seen: &RemoteOrder) -> BTreeSet<&str> {
    seen.order.iter().flat_map(|order| &order.refunds).map(|refund| refund.remote_id.as_str()).collect()
}

/// As many of these refunds as the shop gives by their ids. `parent` is a parameter of this list
/// too, and every version drops it: the answer would be all refunds that the shop ever had.
fn together(api: &Api, listed: &BTreeMap<&str, BTreeSet<&str>>) -> Result<BTreeMap<String, Rows>> {
    let mut found: BTreeMap<String, Rows> = BTreeMap::new();
    let of: BTreeMap<&str, &str> =
        listed.iter().flat_map(|(order, ids)| ids.iter().map(|id| (*id, *order))).filter(|(id, _)| is_id(id)).collect();
    let mut left: Vec<&str> = of.keys().copied().collect();
    while !left.is_empty() {
        let asked = left.iter().take(AT_ONCE).copied().collect::<Vec<_>>();
        let rows = match optional(page(api, REFUNDS, 1, &[("include", asked.join(","))], REFUND)) {
            Err(error) if error.is_too_much() => break,
            answer => answer?.map(|(rows, _)| rows).unwrap_or_default(),
        };
        let mut came = BTreeSet::new();
        for row in rows {
            let head: Head<'_> = serde_json::from_str(row.get()).unwrap_or_default();
            let known = of.get_key_value(head.id.get()).filter(|(_, order)| **order == head.parent_id.get());
            // One that was not asked for: it was not heeded, and what else came is a page of all.
            let Some((id, order)) = known else { return Ok(found) };
            if came.insert(*id) {
                found.entry((*order).to_owned()).or_default().push(row);
            }
        }
        // It may give fewer rows a page than it is asked for. What is left where none came is gone.
        if came.is_empty() {
            break;
        }
        left.retain(|id| !came.contains(id));
    }
    Ok(found)
}

/// How many refunds are asked for at once: a page of them.
const AT_ONCE: usize = 100;

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// All refunds of one order.
fn of_one(api: &Api, order: &str) -> Result<Rows> {
    let text = |row: &Box<_>| RawValue::get(row).to_owned();
    let route = format!("wc/v3/orders/{order}/refunds");
    all_pages("refunds", Rows::new(), 1u64, text, |number| page(api, &route, *number, &[], REFUND))
}

/// The list of all refunds.
const REFUNDS: &str = "wc/v3/refunds";

/// A page of a list of refunds, or of those of it that `only` asks for, with these members.
fn page(
    api: &Api,
    route: &str,
    number: u64,
    only: &[(&'static str, String)],
    fields: &str,
) -> Result<(Rows, More<u64>)> {
    let page = number.to_string();
    let mut query =
        vec![("per_page", "100"), ("orderby", "id"), ("order", "asc"), ("page", &page), ("_fields", fields)];
    query.extend(only.iter().map(|(name, value)| (*name, value.as_str())));
    let reply = api.get_briefly(route, &query)?;
    if reply.status == 404 {
        return Ok((Rows::new(), More::No));
    }
    let (rows, _) = reply.json::<Vec<&RawValue>>()?;
    // By the shop's own count: it may give fewer rows a page than it is asked for.
    let last = list::counted(&reply).pages.map_or(rows.len() < 100, |pages| number >= pages);
    let more = if last { More::No } else { More::Yes(number + 1) };
    Ok((rows.into_iter().map(RawValue::to_owned).collect(), more))
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
pub(super) fn optional<T>(asked: Result<T>) -> Result<Option<T>> {
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
