//! One form of an order's document, whichever way it came.
//!
//! Pages bring an order with a page of its lines, bulk operations bring order and lines as rows of a file. Both end as the same JSON: the
//! order with `lineItems.nodes` and `shippingLines.nodes` in full, members sorted by name, nothing about paging. So an order
//! that was read in bulk and comes again in a page is known as unchanged.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::query;
use super::site::Site;
use super::wire::{self, Nodes, PageInfo};
use crate::error::{Error, ErrorKind, Result};

/// As many shipping lines as a page brings.
const SHIPPING_LINES: usize = 10;

/// The document of an order as a page or a single read brings it; what is missing of its lines is fetched.
pub fn complete(site: &Site, mut order: Value) -> Result<Box<RawValue>> {
    let info: PageInfo = serde_json::from_value(order["lineItems"]["pageInfo"].take()).unwrap_or_default();
    let torn =
        || Error::new(ErrorKind::Unreadable, "Shopify does not say where an order's lines go on; it was not taken");
    if info.is_torn() {
        return Err(torn());
    }
    let mut next = info.next().map(str::to_owned);
    while let Some(after) = next {
        let answer = site.ask(&query::LINES, json!({ "id": order["id"], "after": after }))?;
        let Some(more) = answer.read::<wire::Lines>()?.order else {
            let text = "an order went away while its lines were read; it was not taken";
            return Err(Error::new(ErrorKind::Temporary, text).hint("the next sync tries again by itself"));
        };
        let Nodes { page_info, nodes } = more.line_items;
        if page_info.is_torn() {
            return Err(torn());
        }
        let stands = nodes.is_empty() || page_info.next() == Some(after.as_str());
        if let Some(lines) = order["lineItems"]["nodes"].as_array_mut() {
            lines.extend(nodes);
        }
        next = page_info.next().map(str::to_owned);
        if stands && next.is_some() {
            let text = "Shopify's list of an order's lines does not end; the order was not taken";
            return Err(Error::new(ErrorKind::Unreadable, text));
        }
    }
    finish(order)
}

/// The document of an order of which everything is there.
pub fn finish(mut order: Value) -> Result<Box<RawValue>> {
    for connection in ["lineItems", "shippingLines"] {
        if let Some(members) = order[connection].as_object_mut() {
            members.remove("pageInfo");
        }
    }
    if let Some(lines) = order["shippingLines"]["nodes"].as_array_mut() {
        lines.truncate(SHIPPING_LINES);
    }
    RawValue::from_string(order.to_string())
        .map_err(|e| Error::new(ErrorKind::Failed, format!("an order could not be written down: {e}")))
}

/// Puts the rows of a bulk operation's file together: an order and the rows below it.
pub fn assemble(mut order: Value, rows: Vec<Value>) -> Result<Box<RawValue>> {
    let (mut lines, mut shipping) = (Vec::new(), Vec::new());
    for mut row in rows {
        if let Some(members) = row.as_object_mut() {
            members.remove("__parentId");
        }
        // A shipping line's id may be null, so the rows are told apart by what only a line has.
        if row.get("quantity").is_some() { lines.push(row) } else { shipping.push(row) }
    }
    order["lineItems"] = json!({ "nodes": lines });
    order["shippingLines"] = json!({ "nodes": shipping });
    finish(order)
}
