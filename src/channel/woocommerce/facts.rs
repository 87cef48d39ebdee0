//! What `probe` found out about a shop, as stored with it.

use serde::{Deserialize, Serialize};

use super::settings::Tracking;

/// How credentials reach PHP in this shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Login {
    /// HTTP Basic, over TLS.
    Basic,
    /// In the query string, over TLS: the server keeps the Authorization header from PHP.
    Query,
    /// OAuth 1.0a: no TLS, or a shop that does not know that it has TLS.
    Oauth,
}

/// What is known about a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Path of the REST root: `/wp-json/`, `/shop/index.php/wp-json/`; with plain permalinks the path before `?rest_route=`.
    pub root: String,
    /// Plain permalinks: routes are a parameter, not a path.
    pub plain: bool,
    /// The shop's own idea of its address, which OAuth signs; without a slash at its end.
    pub home: String,
    /// How credentials reach PHP.
    pub login: Login,
    /// WooCommerce's version, where it shows.
    pub version: Option<String>,
    /// The list of orders can be filtered by modification time (5.8 and later).
    pub modified_after: bool,
    /// Core order fulfilments are switched on.
    pub fulfillments: bool,
    /// The namespace in which the Shipment Tracking extension answers.
    pub shipment_tracking: Option<String>,
    /// Refunds of all orders can be listed (9.0 and later).
    pub refunds: bool,
}

impl Facts {
    /// Where tracking numbers go when the merchant says nothing.
    pub fn tracking_home(&self) -> Tracking {
        if self.fulfillments {
            Tracking::Fulfillments
        } else if self.shipment_tracking.is_some() {
            Tracking::Extension
        } else {
            Tracking::Note
        }
    }
}
