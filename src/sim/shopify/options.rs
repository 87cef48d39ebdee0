//! What kind of Shopify shop is simulated.

use std::time::Duration;

/// The client id that a rehearsal shop knows.
pub const REHEARSAL_CLIENT_ID: &str = "rehearsal-client-id";

/// The client secret that belongs to it.
pub const REHEARSAL_CLIENT_SECRET: &str = "rehearsal-client-secret";

/// The token of a rehearsal shop's older app, made in its admin.
pub const REHEARSAL_TOKEN: &str = "shpat_rehearsal";

/// Every scope that an order tool may ask for.
pub const ALL_SCOPES: &[&str] = &[
    "read_all_orders",
    "write_orders",
    "read_customers",
    "read_products",
    "write_merchant_managed_fulfillment_orders",
];

/// What of a question for a list is not heard.
#[derive(Debug, Clone, Copy)]
pub struct Deaf {
    /// Which orders are asked for.
    pub filter: bool,
    /// In which order.
    pub order: bool,
    /// More rows than this are never given.
    pub most_rows: usize,
    /// Every page says that it is the last.
    pub ends: bool,
}

/// A Shopify shop's nature.
#[derive(Debug, Clone)]
pub struct Options {
    /// `NAME.myshopify.com`.
    pub domain: String,
    /// The number by which Shopify knows the shop, whatever its name.
    pub shop: u64,
    /// What the app's tokens may do.
    pub scopes: Vec<String>,
    /// Whether the app is approved for personal data.
    pub personal_data: bool,
    /// Points that flow into the bucket each second: 100 on Standard, 1000 on Plus.
    pub restore_rate: f64,
    /// What the bucket holds.
    pub bucket: f64,
    /// How many times its usual price each query has: Shopify's formula is its own, and changes.
    pub price: f64,
    /// What of a question it does not hear, as with a cache or a proxy between.
    pub deaf: Deaf,
    /// How long the search index is behind, in seconds.
    pub lag: i64,
    /// How long after an order its fulfilment orders are made, in seconds.
    pub routing: i64,
    /// How long a cancellation takes, in seconds.
    pub cancelling: i64,
    /// Whether the answer to a cancellation names its result, and not only its job.
    pub job_results: bool,
    /// Whether cancellations come to nothing in their jobs.
    pub cancelling_fails: bool,
    /// How long a fetched token lives, in seconds.
    pub token_life: i64,
    /// The version of the API that answers.
    pub version: String,
    /// Whether cursors of earlier pages are taken.
    pub cursors: bool,
    /// How many orders a bulk operation writes in a second.
    pub bulk_rate: u64,
    /// How long each query takes, by the shop's clock.
    pub latency: Duration,
    /// How much faster than the world's clock the shop's goes.
    pub speed: u32,
    /// The price in the buyer's currency of one of the shop's, in hundredths, for orders in another
    /// currency.
    pub exchange: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            domain: "tea-and-cups.myshopify.com".to_owned(),
            shop: 61_234_567_890,
            scopes: ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
            personal_data: true,
            restore_rate: 100.0,
            bucket: 2000.0,
            price: 1.0,
            deaf: Deaf { filter: false, order: false, most_rows: usize::MAX, ends: false },
            lag: 0,
            routing: 0,
            cancelling: 0,
            job_results: true,
            cancelling_fails: false,
            token_life: 86_399,
            version: "2026-10".to_owned(),
            cursors: true,
            bulk_rate: 500,
            latency: Duration::ZERO,
            speed: 1,
            exchange: 110,
        }
    }
}

impl Options {
    /// A shop for rehearsals: on the plan with the largest budget, so that nobody waits for points.
    pub fn rehearsal() -> Self {
        Self { restore_rate: 1000.0, bucket: 20_000.0, ..Self::default() }
    }

    /// Without these scopes.
    pub fn without(mut self, scopes: &[&str]) -> Self {
        self.scopes.retain(|scope| !scopes.contains(&scope.as_str()));
        self
    }

    /// Whether a scope is granted; writing includes reading.
    pub fn has(&self, scope: &str) -> bool {
        let writing = scope.replacen("read_", "write_", 1);
        self.scopes.iter().any(|granted| granted == scope || *granted == writing)
    }
}
