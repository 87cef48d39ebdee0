//! The one place that turns a kind of channel into an open store; past it nobody asks which kind it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Channel, ChannelKind, Field, Values};
use crate::credentials::Keyring;
use crate::error::Result;
use crate::http;
use crate::order::Order;
use crate::secret::Secret;

/// The secret values of a store, by the name of their [`Field`].
pub type Secrets = BTreeMap<String, Secret>;

/// What an adapter needs to talk to its store.
pub struct Connection {
    /// The non-secret values: address, settings.
    pub values: Values,
    /// The secret values, and where renewed ones are kept.
    pub keyring: Arc<Keyring>,
    /// What [`Channel::probe`] returned as facts the last time; null before the first probe.
    pub facts: serde_json::Value,
    /// The client of this store.
    pub http: Arc<http::Client>,
    /// Where what is learned meanwhile is kept for the next process.
    pub learn: Learn,
}

/// Keeps something that an adapter has learned about its store under a name of its own among the facts of the last probe, until the next one.
pub type Learn = Box<dyn Fn(&str, &serde_json::Value) + Send + Sync>;

/// Opens a store. No network: a wrong key shows at the first request.
///
/// # Errors
/// `Usage` for a value that cannot be right, `Credentials` for a missing secret.
pub fn open(kind: ChannelKind, connection: Connection) -> Result<Box<dyn Channel>> {
    match kind {
        ChannelKind::BigCommerce => super::bigcommerce::open(connection),
        ChannelKind::Shopify => super::shopify::open(connection),
        ChannelKind::WooCommerce => super::woocommerce::open(connection),
    }
}

/// How a channel's documents read: no network, no secrets.
pub trait Format: Send + Sync {
    /// The order in a document that the book has.
    ///
    /// # Errors
    /// `Unreadable` where it is none.
    fn order(&self, document: &[u8]) -> Result<Order>;
}

/// The format of a store's documents.
///
/// # Errors
/// `Usage` for a value that cannot be right.
pub fn format(kind: ChannelKind, values: &Values) -> Result<Box<dyn Format>> {
    match kind {
        ChannelKind::BigCommerce => super::bigcommerce::format(values),
        ChannelKind::Shopify => super::shopify::format(values),
        ChannelKind::WooCommerce => super::woocommerce::format(values),
    }
}

/// Scheme, host and port of the server that is sent a store's credentials.
///
/// # Errors
/// `Usage` for a value that cannot be right.
pub fn origin(kind: ChannelKind, values: &Values) -> Result<String> {
    let url = match kind {
        ChannelKind::BigCommerce => super::bigcommerce::origin(values),
        ChannelKind::Shopify => super::shopify::origin(values),
        ChannelKind::WooCommerce => super::woocommerce::origin(values),
    }?;
    Ok(url.origin().ascii_serialization())
}

/// What `connect` asks for, in order; the optional ones that are not secret are also the store's settings.
pub fn fields(kind: ChannelKind) -> &'static [Field] {
    match kind {
        ChannelKind::BigCommerce => super::bigcommerce::FIELDS,
        ChannelKind::Shopify => super::shopify::FIELDS,
        ChannelKind::WooCommerce => super::woocommerce::FIELDS,
    }
}

/// A set of optional fields that together open a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// What the wizard calls it.
    pub title: &'static str,
    /// The keys of its fields.
    pub keys: &'static [&'static str],
}

/// The ways in, where a channel has several; one of them must be complete. Empty where the required fields say it all.
pub fn ways(kind: ChannelKind) -> &'static [Way] {
    match kind {
        ChannelKind::Shopify => super::shopify::WAYS,
        ChannelKind::BigCommerce | ChannelKind::WooCommerce => &[],
    }
}

/// The approximate guide time of a first sync, in words (PRODUCT.md A-1); known without opening a store.
pub fn guide_time(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::BigCommerce => super::bigcommerce::GUIDE_TIME,
        ChannelKind::Shopify => super::shopify::GUIDE_TIME,
        ChannelKind::WooCommerce => super::woocommerce::GUIDE_TIME,
    }
}
