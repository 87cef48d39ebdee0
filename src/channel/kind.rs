//! The kinds of channel, and what `connect` asks for.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The non-secret values of a store, by the name of their [`Field`].
pub type Values = BTreeMap<String, String>;

/// A kind of sales channel. An enum, because the kinds are known and the compiler should list what a new one must touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// BigCommerce, Orders V2 and V3.
    #[value(name = "bigcommerce")]
    BigCommerce,
    /// Shopify, Admin GraphQL `2026-10`.
    Shopify,
    /// WooCommerce, REST API `wc/v3`.
    #[value(name = "woocommerce")]
    WooCommerce,
}

impl ChannelKind {
    /// Every kind, sorted by word.
    pub const ALL: [Self; 3] = [Self::BigCommerce, Self::Shopify, Self::WooCommerce];

    /// The word on the command line and in the book.
    pub fn word(self) -> &'static str {
        match self {
            Self::BigCommerce => "bigcommerce",
            Self::Shopify => "shopify",
            Self::WooCommerce => "woocommerce",
        }
    }

    /// The name people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::BigCommerce => "BigCommerce",
            Self::Shopify => "Shopify",
            Self::WooCommerce => "WooCommerce",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One value that `connect` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its key in a credentials file; its flag is `--key-with-dashes`, its variable `ORDERSYNC_KEY`.
    pub key: &'static str,
    /// What the wizard asks.
    pub prompt: &'static str,
    /// Where the merchant finds it.
    pub help: &'static str,
    /// Secrets come from a file, standard input, the environment or a hidden prompt, never from a flag.
    pub secret: bool,
    /// Whether there is no connection without it.
    pub required: bool,
}
