//! What kind of Magento shop is simulated.

use std::time::Duration;

use crate::sim::options::options;

/// A version, as far as versions answer in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 2.4.7: an item's `row_total` is after discount.
    V2_4_7,
    /// 2.4.8: the quantity is left out of it.
    V2_4_8,
    /// 2.4.8-p3 and 2.4.9: signatures are checked by code of its own, which sorts names in another
    /// way.
    V2_4_9,
}

/// The free modules for webhooks, as far as a shop has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsyncEvents {
    /// Neither.
    No,
    /// The one that delivers, and not the one by which there is anything to deliver.
    Base,
    /// Both, of version 3: a body is the data.
    Data,
    /// Both, of version 4: a body is a CloudEvent.
    CloudEvent,
}

/// The consumer key that every simulated shop takes: of the real form, made up, opens nothing real.
pub const CONSUMER_KEY: &str = "decade00000000000000000000000001";
/// Its secret.
pub const CONSUMER_SECRET: &str = "decade00000000000000000000000002";
/// The access token.
pub const ACCESS_TOKEN: &str = "decade00000000000000000000000003";
/// A token that belongs to another integration.
pub const OTHER_ACCESS_TOKEN: &str = "decade00000000000000000000000005";
/// The secret of the access token.
pub const ACCESS_TOKEN_SECRET: &str = "decade00000000000000000000000004";

options! {
    /// What kind of shop is simulated.
    Options {
        /// The version.
        version: Version = Version::V2_4_7,
        /// The sub-directory the shop lives in, such as `/shop`; empty for none.
        prefix: String = String::new(),
        /// Whether the web server has rewrites; else addresses begin with `/index.php`.
        rewrites: bool = true,
        /// Whether whatever comes over plain http is sent on to https.
        redirects_to_https: bool = false,
        /// Whether the access token alone is taken as Bearer.
        bearer: bool = false,
        /// What the integration may not do: ids of resources.
        denied: Vec<&'static str> = Vec::new(),
        /// Whether whoever does not ask for JSON gets XML.
        xml_by_default: bool = false,
        /// Developer mode: errors carry a stack trace.
        developer_mode: bool = false,
        /// Whether numbers have seventeen digits, as an old setting of PHP writes them.
        long_floats: bool = false,
        /// Whether inputs are limited: no page over 300, no list over 20, pages of 20 by default.
        input_limits: bool = false,
        /// Whether a page past the end is the last page again.
        repeats_last_page: bool = false,
        /// Whether rows that are equal in what a list is sorted by change places between pages.
        shuffles_ties: bool = false,
        /// Whether invoices are made at once, as cards are captured and not only authorised: such
        /// an order cannot be cancelled.
        invoices_at_once: bool = false,
        /// Whether what is edited in the admin saves the order too, as extensions do that edit
        /// orders; Magento's own forms leave its date alone.
        edits_save: bool = false,
        /// Whether the shop sees the port that it was asked at; a web server may keep it from PHP.
        sees_port: bool = true,
        /// The codes of its store views; orders come from one after the other.
        store_views: Vec<&'static str> = vec!["default"],
        /// Where the goods are.
        sources: Vec<&'static str> = vec!["default"],
        /// Where of these nothing is left.
        sold_out: Vec<&'static str> = Vec::new(),
        /// The shop's currency.
        currency: String = "EUR".to_owned(),
        /// Tax in hundredths of a percent (1900 = 19 %); 0 for none.
        tax_basis_points: u32 = 1900,
        /// Its modules for webhooks.
        async_events: AsyncEvents = AsyncEvents::No,
        /// Whether the prices in the catalogue have the tax in them: of those that are kept the price
        /// of one is rounded from the sum of all.
        prices_include_tax: bool = false,
        /// How long a page of orders takes.
        page_latency: Duration = Duration::ZERO,
        /// The id of the first order.
        first_id: u64 = 101,
        /// Decides what is in seeded orders.
        seed: u64 = 24,
    }
}

impl Options {
    /// A shop for rehearsals, each page of which takes so long: an extension saves the order with
    /// what is edited in its admin. What a sync makes of an edit is rehearsed with it; without it
    /// only a dispatch sees one.
    pub fn rehearsal(page_latency: Duration) -> Self {
        Self { page_latency, edits_save: true, ..Self::default() }
    }

    /// Another one.
    pub(crate) fn another() -> Self {
        Self { first_id: 5_001, async_events: AsyncEvents::CloudEvent, ..Self::rehearsal(Duration::ZERO) }
    }

    /// Versions, and ways of serving.
    pub(crate) fn variants() -> Vec<(&'static str, Self)> {
        vec![
            ("2.4.8", Self { version: Version::V2_4_8, ..Self::another() }),
            ("2.4.9", Self { version: Version::V2_4_9, long_floats: true, ..Self::another() }),
            ("the last page again", Self { repeats_last_page: true, shuffles_ties: true, ..Self::another() }),
            ("without rewrites", Self { rewrites: false, prefix: "/shop".to_owned(), ..Self::another() }),
            ("access token alone", Self { bearer: true, ..Self::another() }),
            ("input limits", Self { input_limits: true, ..Self::another() }),
            ("two store views", Self { store_views: vec!["default", "at"], ..Self::another() }),
            ("webhooks of version 3", Self { async_events: AsyncEvents::Data, ..Self::another() }),
            ("two sources", Self { sources: vec!["default", "hamburg"], ..Self::another() }),
            ("XML by default", Self { xml_by_default: true, developer_mode: true, ..Self::another() }),
        ]
    }
}
