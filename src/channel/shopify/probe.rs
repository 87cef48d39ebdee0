//! Finding out about a shop: who it is, and what the app may do there.

use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::query;
use super::wire::{App, Count, objects};
use crate::channel::ShopInfo;
use crate::channel::json::nullable;
use crate::error::{Error, ErrorKind, Result};
use crate::order::Currency;

objects! {
    /// What [`query::SHOP`] gives.
    Found [shop: Shop, current_app_installation: App] { orders_count: Option<Count> }

    /// The shop.
    Shop [
        id: String,
        name: String,
        myshopify_domain: String,
        currency_code: String,
        iana_timezone: String,
    ] {}
}

/// Why an order is not there: one that is hidden from the app looks like one that never was.
pub(crate) fn gone(api: &Api, remote_id: &str) -> Error {
    let found = api.ask(&query::SHOP, json!({})).and_then(|answer| answer.read::<Found>());
    let error = |text| Error::new(ErrorKind::NotFound, text);
    match found {
        Ok(found) if !found.current_app_installation.has(ALL_ORDERS) => error(format!(
            "the shop shows no order {remote_id}: it was deleted, or it is older than 60 days and the app lacks the scope {ALL_ORDERS}; nothing was written"
        ))
        .hint(ADD_SCOPE),
        _ => error(format!("the shop has no order {remote_id} any more; nothing was written")),
    }
}

/// Tests the token and reads the facts about the shop. Its identity is Shopify's id of the shop:
/// names and domains can change.
pub(crate) fn probe(api: &Api) -> Result<ShopInfo> {
    let found: Found = api.ask(&query::SHOP, json!({}))?.read()?;
    let app = found.current_app_installation;
    app.need_orders()?;
    Ok(ShopInfo {
        remote_id: found.shop.id,
        title: found.shop.name,
        url: format!("https://{}", found.shop.myshopify_domain),
        currency: Currency::new(&found.shop.currency_code),
        time_zone: found.shop.iana_timezone,
        orders: found.orders_count.map(|count| count.count),
        warnings: app.warnings(),
        choices: Vec::new(),
        facts: json!({ SCOPES: app.scopes().collect::<Vec<_>>() }),
    })
}

/// Where what the app may do stands among the facts of a store.
pub(crate) const SCOPES: &str = "scopes";

/// Whether a scope shows fulfilment orders at all, if only those of others.
pub(crate) fn shows_routes(scope: &str) -> bool {
    scope.ends_with("_fulfillment_orders")
}

/// The scope without which nothing can be shipped.
pub(crate) const SHIP: &str = "write_merchant_managed_fulfillment_orders";

/// The scope without which only the orders of the last 60 days are shown.
pub(crate) const ALL_ORDERS: &str = "read_all_orders";

impl App {
    /// What it may do, as Shopify calls it.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.access_scopes.iter().map(|scope| &*scope.handle)
    }

    /// Whether this is granted. Writing includes reading, and the reading form is then not listed.
    pub(crate) fn has(&self, scope: &str) -> bool {
        let writing = scope.strip_prefix("read_").map(|rest| format!("write_{rest}"));
        self.scopes().any(|granted| granted == scope || Some(granted) == writing.as_deref())
    }

    /// Whether the fulfilment orders of the merchant's own locations can be shipped.
    pub(crate) fn can_ship(&self) -> bool {
        self.has(SHIP)
    }

    /// Whether fulfilment orders are shown to it.
    pub(crate) fn sees_routes(&self) -> bool {
        self.scopes().any(shows_routes)
    }

    /// Fails without the one scope that nothing works without.
    pub(crate) fn need_orders(&self) -> Result<()> {
        if self.has("read_orders") {
            return Ok(());
        }
        Err(missing("read_orders", "orders cannot be read; nothing was imported"))
    }

    /// One sentence for each scope that is missing.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let wanted = [
            (ALL_ORDERS, "Shopify shows only the orders of the last 60 days, and says nothing of the older ones"),
            ("write_orders", "orders cannot be cancelled at Shopify from here"),
            (
                SHIP,
                "nothing can be dispatched from here: Shopify hides what there is to ship, and what is not the merchant's to send",
            ),
            ("read_customers", "the customer's name and id are not shown where they differ from the addresses"),
            ("read_products", "the ids of products and variants are not shown"),
        ];
        wanted
            .into_iter()
            .filter(|(scope, _)| !self.has(scope))
            .map(|(scope, consequence)| format!("the app lacks the scope {scope}: {consequence}"))
            .collect()
    }
}

/// How a scope is given to the app.
pub(crate) const ADD_SCOPE: &str = "add it to the app (Dev Dashboard > your app > Versions: release one with the scope; then approve it in the shop), then ordersync connect --test STORE";

/// A scope is missing.
pub(crate) fn missing(scope: &str, consequence: &str) -> Error {
    Error::new(ErrorKind::Permission, format!("the app lacks the scope {scope}: {consequence}")).hint(ADD_SCOPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(scopes: &[&str]) -> App {
        let scopes: Vec<_> = scopes.iter().map(|handle| json!({ "handle": handle })).collect();
        serde_json::from_value(json!({ "accessScopes": scopes })).unwrap()
    }

    #[test]
    fn writing_includes_reading() {
        let scopes = app(&["write_orders"]);
        assert!(scopes.has("read_orders") && scopes.has("write_orders") && !scopes.has("read_all_orders"));
        assert!(scopes.need_orders().is_ok());
        assert_eq!(app(&[]).need_orders().unwrap_err().kind(), ErrorKind::Permission);
    }

    #[test]
    fn what_a_missing_scope_means_is_said() {
        let warnings = app(&["read_orders"]).warnings().join("\n");
        assert!(warnings.contains("60 days") && warnings.contains("cancelled") && warnings.contains("dispatched"));
    }
}
