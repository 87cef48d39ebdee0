//! Finding out about a shop: who it is, and what the app may do there.

use serde::Deserialize;
use serde_json::json;

use super::query;
use super::site::Site;
use super::wire::{App, Count};
use crate::channel::Shop;
use crate::error::Result;
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
