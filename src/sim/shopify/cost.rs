//! What a query costs. Shopify does not publish the formula; this one fits the prices recorded from
//! a real shop: objects cost one point, scalars, money and paging none, a mutation ten, and a list
//! grows more slowly than its size (1 -> 3, 5 -> 8, 20 -> 12, 50 -> 17, 100 -> 20 with one object
//! in each).

use serde_json::{Map, Value};

use super::document::{Field, Selection, SelectionSet};
use super::graphql::argument;

/// Lists with pages.
const CONNECTIONS: [&str; 5] = ["orders", "lineItems", "shippingLines", "fulfillmentOrders", "fulfillmentLineItems"];

/// Lists without, that take `first`.
const LISTS: [&str; 5] = ["fulfillments", "refunds", "transactions", "trackingInfo", "taxLines"];

/// Things that cost nothing themselves.
const FREE: [&str; 10] = [
    "nodes",
    "edges",
    "node",
    "pageInfo",
    "shopMoney",
    "presentmentMoney",
    "userErrors",
    "orderCancelUserErrors",
    "accessScopes",
    "supportedActions",
];

/// What so many members of a list weigh.
pub fn weight(size: f64) -> f64 {
    if size <= 1.0 { size } else { size.powf(0.46) + 0.8 }
}

/// The most that a selection can cost.
pub fn requested(set: &SelectionSet, variables: &Map<String, Value>) -> f64 {
    set.items.iter().map(|item| one(item, variables)).sum()
}

fn one(item: &Selection, variables: &Map<String, Value>) -> f64 {
    match item {
        Selection::Field(field) => of_field(field, variables),
        Selection::InlineFragment(fragment) => requested(&fragment.selection_set, variables),
        Selection::FragmentSpread(_) => 0.0,
    }
}

fn of_field(field: &Field, variables: &Map<String, Value>) -> f64 {
    let inner = requested(&field.selection_set, variables);
    let name = field.name.as_str();
    let first = argument(field, "first", variables).and_then(|first| first.as_f64());
    if CONNECTIONS.contains(&name) {
        return 2.0 + weight(first.unwrap_or(250.0)) * (1.0 + inner);
    }
    if LISTS.contains(&name) && (first.is_some() || name == "trackingInfo") {
        return weight(first.unwrap_or(250.0)) * (1.0 + inner);
    }
    if field.selection_set.items.is_empty() || name.ends_with("Set") || FREE.contains(&name) {
        return inner;
    }
    1.0 + inner
}
