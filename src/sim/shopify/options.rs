//! What kind of Shopify shop is simulated.

use std::time::Duration;

use crate::sim::options::options;

/// The client id that a rehearsal shop knows.
pub const REHEARSAL_CLIENT_ID: &str = "rehearsal-client-id";

/// The client secret that belongs to it.
pub const REHEARSAL_CLIENT_SECRET: &str = "rehearsal-client-secret";

/// The token of a rehearsal shop's older app, made in its admin.
pub const REHEARSAL_TOKEN: &str = "shpat_rehearsal";

/// Every scope that an order tool may ask for.
pub(crate) const ALL_SCOPES: &[&str] = &[
    "read_all_orders",
    "write_orders",
    "read_customers",
    "read_products",
    "write_merchant_managed_fulfillment_orders",
];

/// What of a question for a list is not heard.
#[derive(Debug, Clone, Copy)]
pub struct Deaf {
    /// In which order.
    pub order: bool,
    /// So many questions for orders find the oldest one of all before the others: the index has it
    /// wrong.
    pub strays: usize,
    /// More rows than this are never given.
    pub most_rows: usize,
    /// Every page says that it is the last.
    pub ends: bool,
}

options! {
    /// A Shopify shop's nature.
    Options {
        /// `NAME.myshopify.com`.
        domain: String = "tea-and-cups.myshopify.com".to_owned(),
        /// The number by which Shopify knows the shop, whatever its name.
        shop: u64 = 61_234_567_890,
        /// What the app's tokens may do.
        scopes: Vec<String> = ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
        /// Whether the app is approved for personal data.
        personal_data: bool = true,
        /// Points that flow into the bucket each second: 100 on Standard, 1000 on Plus.
        restore_rate: f64 = 100.0,
        /// What the bucket holds.
        bucket: f64 = 2000.0,
        /// How many times its usual price each query has: Shopify's formula is its own, and
        /// changes.
        price: f64 = 1.0,
        /// What of a question it does not hear, as with a cache or a proxy between.
        deaf: Deaf = Deaf { order: false, strays: 0, most_rows: usize::MAX, ends: false },
        /// How long the search index is behind, in seconds.
        lag: i64 = 0,
        /// How long after an order its fulfilment orders are made, in seconds.
        routing: i64 = 0,
        /// How long a cancellation takes, in seconds.
        cancelling: i64 = 0,
        /// Whether the answer to a cancellation names its result, and not only its job.
        job_results: bool = true,
        /// Whether cancellations come to nothing in their jobs.
        cancelling_fails: bool = false,
        /// How long a fetched token lives, in seconds.
        token_life: i64 = 86_399,
        /// The version of the API that answers.
        version: String = "2026-10".to_owned(),
        /// Whether cursors of earlier pages are taken.
        cursors: bool = true,
        /// How many orders a bulk operation writes in a second.
        bulk_rate: u64 = 500,
        /// How long each query takes, by the shop's clock.
        latency: Duration = Duration::ZERO,
        /// How much faster than the world's clock the shop's goes.
        speed: u32 = 1,
        /// The price in the buyer's currency of one of the shop's, in hundredths, for orders in
        /// another currency.
        exchange: i64 = 110,
    }
}

impl Options {
    /// A shop for rehearsals: on the plan with the largest budget, so that nobody waits for points.
    pub fn rehearsal() -> Self {
        Self { restore_rate: 1000.0, bucket: 20_000.0, ..Self::default() }
    }

    /// Another shop than that of a rehearsal.
    pub(crate) fn another() -> Self {
        Self { domain: "other.myshopify.com".to_owned(), shop: 7, ..Self::rehearsal() }
    }

    /// Shops that tell less, are slower or dearer.
    pub(crate) fn variants() -> Vec<(&'static str, Self)> {
        vec![
            ("no personal data", Self { personal_data: false, ..Self::rehearsal() }),
            ("dear queries", Self { price: 4.2, ..Self::rehearsal() }),
            ("fulfilment orders come later", Self { routing: 1, ..Self::rehearsal() }),
        ]
    }

    /// Without these scopes.
    pub fn without(mut self, scopes: &[&str]) -> Self {
        self.scopes.retain(|scope| !scopes.contains(&scope.as_str()));
        self
    }

    /// Whether a scope is granted; writing includes reading.
    pub(crate) fn has(&self, scope: &str) -> bool {
        let writing = scope.replacen("read_", "write_", 1);
        self.scopes.iter().any(|granted| granted == scope || *granted == writing)
    }
}
