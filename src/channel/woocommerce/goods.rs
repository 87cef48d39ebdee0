//! Which goods go into no parcel, where a fulfilment raises the question, or that the order tells of
//! no way to send it.
//!
//! An order of vouchers or services alone has no shipping line and no delivery address, and one of
//! goods may have neither. The shop's own word that nothing needs processing is only said of what is
//! virtual and downloadable at once.
//!
//! With order fulfilments on, a shop fulfils downloads by itself in the moment in which an order is
//! paid. Such a fulfilment tells of no number and no carrier, and so do those that other programs
//! make of parcels: what is in it decides, and the order does not say which of its lines are
//! virtual. Their products do: one request for all orders of a page, and one for each product that
//! has variations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::api::Api;
use super::document::optional;
use super::map;
use super::wire::{Fulfillment, Product};
use crate::channel::RemoteOrder;
use crate::channel::parts::Rows;
use crate::error::Result;
use crate::order::{ChargeKind, Line};

/// How many products are asked for at once: a page of them.
const AT_ONCE: usize = 100;

/// A product and its variation, by their ids.
type Good<'a> = (&'a str, Option<&'a str>);

/// The products of which it has to be known whether they go into a parcel, by order.
pub(super) fn in_question(
    api: &Api,
    orders: &[RemoteOrder],
    fulfilled: &BTreeMap<String, Result<Rows>>,
) -> Result<BTreeMap<String, Rows>> {
    let mut wanted: Vec<(&str, BTreeSet<Good<'_>>)> = Vec::new();
    for seen in orders {
        let rows = fulfilled.get(&seen.remote_id).and_then(|rows| rows.as_ref().ok());
        let mut goods = rows.map(|rows| of_order(seen, rows)).unwrap_or_default();
        if tells_no_way(seen) {
            goods.extend(seen.order.iter().flat_map(|order| &order.lines).filter(|line| line.ships).filter_map(good));
        }
        wanted.push((seen.remote_id.as_str(), goods));
    }
    wanted.retain(|(_, goods)| !goods.is_empty());
    let known = read(api, &wanted.iter().flat_map(|(_, goods)| goods).copied().collect())?;
    let rows = |goods: &BTreeSet<Good<'_>>| -> Rows {
        goods.iter().filter_map(|(product, variation)| known.get(variation.unwrap_or(product)).cloned()).collect()
    };
    let found = wanted.iter().map(|(order, goods)| ((*order).to_owned(), rows(goods)));
    Ok(found.filter(|(_, rows)| !rows.is_empty()).collect())
}

/// Whether the order tells of no way to send it: it has no shipping line, or no delivery address of
/// its own.
fn tells_no_way(seen: &RemoteOrder) -> bool {
    let Ok(order) = &seen.order else { return false };
    if !order.lines.iter().any(|line| line.ships) {
        return false;
    }
    // Where it has one, it is not read a second time.
    let may_be_billed = order.ship_to.first() == order.bill_to.as_ref();
    !order.charges.iter().any(|charge| charge.kind == ChargeKind::Shipping)
        || may_be_billed && map::parse(seen.document.get()).is_ok_and(|o| map::has_no_address(&o))
}

/// The product of a line, and its variation.
fn good(line: &Line) -> Option<Good<'_>> {
    let id = Some(line.product_id.as_str()).filter(|id| !id.is_empty())?;
    Some(id.split_once(':').map_or((id, None), |(product, variation)| (product, Some(variation))))
}

/// What is in fulfilments of the order that tell of no parcel.
fn of_order<'a>(seen: &'a RemoteOrder, rows: &Rows) -> BTreeSet<Good<'a>> {
    let Ok(order) = &seen.order else { return BTreeSet::new() };
    let mut goods = BTreeSet::new();
    for row in rows {
        let Ok(one) = serde_json::from_str::<Fulfillment<'_>>(row.get()) else { continue };
        if !one.is_made() || one.tells_of_a_parcel() {
            continue;
        }
        for part in one.contents().unwrap_or_default() {
            let line = order.lines.iter().find(|line| line.remote_id == part.line_id);
            goods.extend(line.and_then(good));
        }
    }
    goods
}

/// The products with these ids, as far as the shop shows them.
fn read<'a>(api: &Api, goods: &BTreeSet<Good<'a>>) -> Result<BTreeMap<String, Box<RawValue>>> {
    let mut routes: BTreeMap<String, Vec<&'a str>> = BTreeMap::new();
    for (product, variation) in goods {
        let route = match variation {
            Some(_) => format!("wc/v3/products/{product}/variations"),
            None => "wc/v3/products".to_owned(),
        };
        routes.entry(route).or_default().push(variation.unwrap_or(product));
    }
    let mut known = BTreeMap::new();
    for (route, ids) in &routes {
        for ids in ids.chunks(AT_ONCE) {
            for row in asked(api, route, ids)? {
                let product: Product<'_> = serde_json::from_str(row.get()).unwrap_or_default();
                if let Some(id) = ids.iter().find(|id| **id == product.id.get()) {
                    known.insert((*id).to_owned(), row);
                }
            }
        }
    }
    Ok(known)
}

/// A shop that does not show its products has its fulfilments taken for parcels.
fn asked(api: &Api, route: &str, ids: &[&str]) -> Result<Rows> {
    let include = ids.join(",");
    let query = [("per_page", "100"), ("include", &*include), ("_fields", "id,virtual,downloadable")];
    let reply = match optional(api.get_briefly(route, &query)) {
        Err(error) if error.is_too_much() => None,
        reply => reply?.filter(|reply| reply.status != 404),
    };
    let Some(reply) = reply else { return Ok(Rows::new()) };
    let (rows, _) = reply.json::<Vec<&RawValue>>()?;
    Ok(rows.into_iter().map(RawValue::to_owned).collect())
}
