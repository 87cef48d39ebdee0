//! What kind of eBay is simulated.

use std::time::Duration;

use crate::sim::options::options;

/// The App ID of the simulated production keyset: made up, opens nothing real.
pub const REHEARSAL_CLIENT_ID: &str = "Rehearsa-orders-PRD-0123456789ab-cdef0123";

/// The Cert ID that goes with it.
pub const REHEARSAL_CLIENT_SECRET: &str = "PRD-0123456789ab-cdef-0123-4567-89ab";

/// The App ID of the simulated sandbox keyset.
pub const SANDBOX_CLIENT_ID: &str = "Rehearsa-orders-SBX-0123456789ab-cdef0123";

/// The Cert ID that goes with it.
pub const SANDBOX_CLIENT_SECRET: &str = "SBX-0123456789ab-cdef-0123-4567-89ab";

/// The RuName: what stands for the landing address in requests.
pub const REHEARSAL_RUNAME: &str = "Rehearsal_Shop-Rehearsa-orders-abcdefgh";

/// Where the browser lands once the seller has consented.
pub const REHEARSAL_LANDING: &str = "https://shop.example.test/ebay/accepted";

/// The refresh token of a seller who has consented before.
pub const REHEARSAL_REFRESH: &str = "v^1.1#i^1#r^1#f^0#p^3#I^3#t^Ul4xMF8wOlJlaGVhcnNhbA==";

/// What every scope begins with, and the one that every keyset has.
pub(crate) const SCOPE: &str = "https://api.ebay.com/oauth/api_scope";

/// The further scopes that a keyset of an order tool owns.
pub(crate) const SCOPES: &[&str] = &[
    "/sell.fulfillment",
    "/sell.fulfillment.readonly",
    "/sell.inventory",
    "/sell.inventory.readonly",
    "/sell.account",
    "/sell.account.readonly",
    "/sell.finances",
    "/commerce.identity.readonly",
    "/commerce.notification.subscription",
    "/commerce.notification.subscription.readonly",
];

/// In which order a list has its orders: it is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sorted {
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
    /// By the order's id, which says nothing of its age.
    ById,
    /// The one that was changed last comes first.
    Changed,
}

/// How `next`, `prev` and `href` are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// With eBay's own host, whatever stands between.
    OfEbay,
    /// With the address under which the store is served.
    Served,
    /// Without a host.
    Relative,
}

/// How a cancellation is shown by itself; the pages and the generated clients differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// In `cancelDetail`, with `cancelState` and `cancelStatus`.
    Wrapped,
    /// In `cancelDetail`, with `state` and `status`.
    Old,
    /// Without anything around it.
    Flat,
}

/// What comes of a fulfilment whose tracking number the order has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// A second parcel under the same number.
    Taken,
    /// 409.
    Conflict,
    /// 400, with the advice to change the one that is there, for which there is no method.
    Put,
}

options! {
    /// A seller and the APIs, with what the documents leave open as a choice.
    Options {
        /// The seller's immutable user id.
        user_id: String = "rEhEaRsAl01".to_owned(),
        /// The seller's name.
        username: String = "greencat_pottery".to_owned(),
        /// Where the seller is registered.
        marketplace: String = "EBAY_DE".to_owned(),
        /// The seller's country.
        country: String = "DE".to_owned(),
        /// The seller's currency: payouts are in it.
        currency: String = "EUR".to_owned(),
        /// Whether this is the sandbox, which has its own keys, fewer topics, and no check of
        /// eligibility.
        sandbox: bool = false,
        /// What the seller's consent covers of what is asked for; the endings of scopes.
        scopes: Vec<String> = SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
        /// Another user than the seller is signed in where consent is asked for.
        stranger: bool = false,
        /// Seconds for which a code can be redeemed.
        code_life: i64 = 299,
        /// Seconds for which an access token lives.
        token_life: i64 = 7_200,
        /// Seconds for which a refresh token lives: 18 months.
        refresh_life: i64 = 47_304_000,
        /// Requests of a day, by the API (`fulfillment`, `post-order`, `notification`, ...).
        per_day: u32 = 100_000,
        /// The order of a list.
        sorted: Sorted = Sorted::Newest,
        /// How lists point at their other pages.
        links: Links = Links::OfEbay,
        /// Milliseconds until lists know of a change.
        lag: i64 = 0,
        /// Whether `creationdate` from before two years is refused; else such orders are not there.
        strict_reach: bool = false,
        /// Whether the order's own refunds are what the seller loses, net of fees.
        nets_refunds: bool = true,
        /// The word for a cancelled order.
        cancelled: &'static str = "CANCELED",
        /// What comes of a tracking number that the order has already.
        repeats: Repeats = Repeats::Conflict,
        /// Whether tracking numbers are taken with other characters than letters and digits, which
        /// are dropped in silence; else they are refused.
        strips_tracking: bool = false,
        /// Seconds from a cancellation to its end.
        cancel_seconds: i64 = 90,
        /// Whether the refund that belongs to a cancellation fails.
        refund_fails: bool = false,
        /// Whether a cancellation is answered with 200, without its id, and nothing is cancelled.
        cancels_nothing: bool = false,
        /// How a cancellation is shown.
        detail: Detail = Detail::Wrapped,
        /// Whether the money goes back with a cancellation.
        cancelling_refunds: bool = true,
        /// Whether `ADDRESS_ISSUES` is spelt without its last letter.
        address_issue: bool = false,
        /// Whether requests that move money must be signed: sellers of the EU and the UK.
        signatures: bool = false,
        /// Whether there is a topic of new orders.
        order_topic: bool = true,
        /// Whether the endpoint of a destination may be on this machine, and without TLS.
        local_endpoints: bool = true,
        /// How long a page of orders takes.
        page_latency: Duration = Duration::ZERO,
        /// Where the made-up orders come from.
        seed: u64 = 7,
    }
}

impl Options {
    /// For rehearsals: acts of people that do one thing each, and cancellations that are done at once.
    pub fn rehearsal() -> Self {
        Self {
            cancel_seconds: 0,
            cancelling_refunds: false,
            nets_refunds: false,
            repeats: Repeats::Taken,
            ..Self::default()
        }
    }

    /// The sandbox.
    pub fn sandbox() -> Self {
        Self { sandbox: true, order_topic: false, ..Self::rehearsal() }
    }

    /// Another seller than that of a rehearsal.
    pub(crate) fn another() -> Self {
        let (user_id, username) = ("oThErUsEr02".to_owned(), "other_pottery".to_owned());
        Self { user_id, username, ..Self::rehearsal() }
    }

    /// App ID and Cert ID of the environment.
    pub(super) fn keys(&self) -> (&'static str, &'static str) {
        match self.sandbox {
            true => (SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET),
            false => (REHEARSAL_CLIENT_ID, REHEARSAL_CLIENT_SECRET),
        }
    }

    /// The refresh token that a script is given.
    pub(super) fn refresh(&self) -> String {
        format!("{REHEARSAL_REFRESH}{}", if self.sandbox { "sandbox" } else { "" })
    }

    /// What the documents leave open, decided the other way.
    pub(crate) fn variants() -> Vec<(&'static str, Self)> {
        vec![
            ("the oldest first", Self { sorted: Sorted::Oldest, ..Self::another() }),
            ("by id", Self { sorted: Sorted::ById, links: Links::Served, ..Self::another() }),
            ("what changed last comes first", Self { sorted: Sorted::Changed, ..Self::another() }),
            ("relative links", Self { links: Links::Relative, ..Self::another() }),
            ("two years are the limit", Self { strict_reach: true, ..Self::another() }),
            ("refunds are net", Self { nets_refunds: true, ..Self::another() }),
            ("spelt with two L", Self { cancelled: "CANCELLED", ..Self::another() }),
            ("cancellations take a while", Self { cancel_seconds: 90, detail: Detail::Flat, ..Self::another() }),
            ("cancellations in old words", Self { detail: Detail::Old, address_issue: true, ..Self::another() }),
            ("the money goes back", Self { cancelling_refunds: true, ..Self::another() }),
        ]
    }
}
