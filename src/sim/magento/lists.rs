//! Lists: orders, shipments, credit memos, invoices.

use serde_json::Value;

use super::criteria::{Cell, Criteria};
use super::errors::internal;
use super::{Answer, Call, Entry, Order, Response, render, shipments};
use crate::sim::rest::Page;
use crate::sim::world::{ALL, By, Query};

/// Columns of an order that can be filtered and sorted by, beside those that an entry has.
const ORDER: &[&str] = &[
    "increment_id",
    "state",
    "status",
    "store_id",
    "customer_id",
    "customer_email",
    "grand_total",
    "base_grand_total",
    "total_paid",
    "total_due",
    "order_currency_code",
    "base_currency_code",
    "is_virtual",
    "coupon_code",
    "quote_id",
    "relation_parent_id",
    "original_increment_id",
    "ext_order_id",
    "shipping_description",
];

/// Those of a shipment, a credit memo or an invoice.
const CHILD: &[&str] = &[
    "entity_id",
    "increment_id",
    "order_id",
    "store_id",
    "customer_id",
    "created_at",
    "updated_at",
    "total_qty",
    "grand_total",
    "billing_address_id",
    "shipping_address_id",
    "state",
];

/// What an order has in a column; its content is made only where that is needed.
fn cell(call: &Call<'_, '_>, entry: &Entry, name: &str) -> Option<Cell> {
    Some(match name {
        "entity_id" => Cell::Number(entry.id.into()),
        "created_at" => Cell::Time(entry.created),
        "updated_at" => Cell::Time(entry.seen),
        "state" => Cell::Text(entry.status.to_string()),
        name if ORDER.contains(&name) => {
            Cell::of(&render::order(call.options, entry, &entry.order(call.options)), name)
        }
        _ => return None,
    })
}

/// How the memory is walked through for what a list is sorted by first.
fn query(criteria: &Criteria) -> Query {
    let first = criteria.sorts.first();
    let by = match first.map_or("", |(field, _)| field.as_str()) {
        "updated_at" => By::Modified,
        "created_at" => By::Created,
        _ => By::Id,
    };
    let descending = first.is_some_and(|(_, down)| *down);
    let bounds = |field| criteria.bounds(field);
    let (created, modified, id) = (bounds("created_at"), bounds("updated_at"), bounds("entity_id"));
    Query { by, descending, created, modified, id, behind: None }
}

/// `GET orders`.
pub(super) fn orders(call: &mut Call<'_, '_>) -> Answer {
    let criteria = Criteria::of(call)?;
    let mut found: Vec<&Entry> = Vec::new();
    for entry in call.state.find(query(&criteria)) {
        if criteria.takes(|field| cell(call, entry, field)).map_err(|_| internal(call))? {
            found.push(entry);
        }
    }
    sort(call, &criteria, &mut found)?;
    let page = criteria.page(call, found.len());
    let rows = page.of(&found);
    if rows.iter().any(|entry| call.state.unrenderable.contains(&entry.id)) {
        return Err(Response { delay: call.options.page_latency, ..internal(call) });
    }
    let rows: Vec<Value> = rows.iter().map(|entry| render::shown(call, entry)).collect();
    let body = criteria.answer(&rows, found.len());
    Ok(Response { delay: call.options.page_latency, ..Response::json(200, &body) })
}

/// Sorts what the walk has not sorted; an unknown column is an error.
fn sort(call: &Call<'_, '_>, criteria: &Criteria, found: &mut [&Entry]) -> Result<(), Response> {
    let known = |field: &str| matches!(field, "entity_id" | "created_at" | "updated_at") || ORDER.contains(&field);
    if criteria.sorts.iter().any(|(field, _)| !known(field)) {
        return Err(internal(call));
    }
    let sorts = || criteria.sorts.iter().map(|(field, down)| (field.as_str(), *down));
    let whole = sorts().any(|(field, _)| matches!(field, "entity_id" | "increment_id"));
    if call.options.shuffles_ties && !whole && !criteria.sorts.is_empty() {
        found.sort_by_key(|entry| criteria.chance(entry.id));
    }
    let first = sorts().next().unwrap_or(("entity_id", false));
    let walked = match sorts().nth(1) {
        None => !call.options.shuffles_ties,
        second => second == Some(("entity_id", first.1)) && criteria.sorts.len() == 2,
    };
    if !walked || !matches!(first.0, "entity_id" | "created_at" | "updated_at") {
        let of = |entry: &Entry, field: &str| cell(call, entry, field).unwrap_or(Cell::Null);
        found.sort_by(|one, other| criteria.compare(|is_first, field| of(if is_first { one } else { other }, field)));
    }
    Ok(())
}

/// `GET shipments`.
pub(super) fn shipments(call: &mut Call<'_, '_>) -> Answer {
    children(call, |_, order| order.sent().map(|one| shipments::document(order, one)).collect())
}

/// `GET creditmemos`.
pub(super) fn memos(call: &mut Call<'_, '_>) -> Answer {
    children(call, |call, order| order.refunds.iter().map(|one| render::memo(call.options, order, one)).collect())
}

/// `GET invoices`.
pub(super) fn invoices(call: &mut Call<'_, '_>) -> Answer {
    children(call, |_, order| order.own.invoices.iter().map(|one| render::invoice(order, *one)).collect())
}

/// A list of what hangs on orders.
fn children(call: &mut Call<'_, '_>, of: impl Fn(&Call<'_, '_>, &Order) -> Vec<Value>) -> Answer {
    let criteria = Criteria::of(call)?;
    let owner = criteria.bounds("order_id");
    let since = criteria.bounds("created_at").0.max(criteria.bounds("updated_at").0);
    let mut found: Vec<Value> = Vec::new();
    for entry in call.state.find(Query { id: owner, modified: ALL, ..Query::default() }) {
        // What nobody has changed has nothing younger than itself.
        if entry.order.is_none() && entry.modified < since {
            continue;
        }
        for row in of(call, &entry.order(call.options)) {
            let cell = |name: &str| CHILD.contains(&name).then(|| Cell::of(&row, name));
            if criteria.takes(cell).map_err(|_| internal(call))? {
                found.push(row);
            }
        }
    }
    if criteria.sorts.iter().any(|(field, _)| !CHILD.contains(&field.as_str())) {
        return Err(internal(call));
    }
    found.sort_by_key(|row| row["entity_id"].as_u64());
    found.sort_by(|one, other| criteria.compare(|first, field| Cell::of(if first { one } else { other }, field)));
    let page: Page = criteria.page(call, found.len());
    Ok(Response::json(200, &criteria.answer(page.of(&found), found.len())))
}
