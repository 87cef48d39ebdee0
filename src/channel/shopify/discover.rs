//! Finding out about a shop: who it is, and what the app may do there.

use serde::Deserialize;
use serde_json::json;

use super::facts::{ADD_SCOPE, ALL_ORDERS};
use super::query;
use super::site::Site;
use super::wire::{App, Count};
use crate::channel::Shop;
use crate::error::{Error, ErrorKind, Result};
use crate::order::Currency;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    shop: FoundShop,
    current_app_installation: App,
    orders_count: Option<Count>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundShop {
    id: String,
    name: String,
    myshopify_domain: String,
    currency_code: String,
    iana_timezone: String,
}

/// Why an order is not there: one that is hidden from the app looks like one that never was (fact sheet, 1.5).
pub fn gone(site: &Site, remote_id: &str) -> Error {
    let scopes = site.ask(&query::SHOP, json!({})).and_then(|answer| answer.read::<Found>());
    let error = |text| Error::new(ErrorKind::NotFound, text);
    match scopes.map(|found| found.current_app_installation.scopes()) {
        Ok(scopes) if !scopes.has(ALL_ORDERS) => error(format!(
            "the shop shows no order {remote_id}: it was deleted, or it is older than 60 days and the app lacks the scope {ALL_ORDERS}; nothing was written"
        ))
        .hint(ADD_SCOPE),
        _ => error(format!("the shop has no order {remote_id} any more; nothing was written")),
    }
}

/// Tests the token and reads the facts about the shop. Its identity is Shopify's id of the shop: names and domains can change.
pub fn probe(site: &Site) -> Result<Shop> {
    let found: Found = site.ask(&query::SHOP, json!({}))?.read()?;
    let scopes = found.current_app_installation.scopes();
    scopes.need_orders()?;
    Ok(Shop {
        remote_id: found.shop.id,
        title: found.shop.name,
        url: format!("https://{}", found.shop.myshopify_domain),
        currency: Currency::new(&found.shop.currency_code),
        time_zone: found.shop.iana_timezone,
        orders: found.orders_count.map(|count| count.count),
        warnings: scopes.warnings(),
        facts: json!({ "scopes": scopes.0 }),
    })
}
