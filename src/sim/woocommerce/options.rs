//! What kind of WooCommerce shop is simulated.

use std::time::Duration;

use crate::sim::options::options;

/// A WooCommerce version and its order storage; what was observed on real shops of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// 10.5.0, orders in their own tables (HPOS).
    V10_5,
    /// 10.0.2, HPOS: `orderby=modified` has no second sort key, so ties repeat and vanish between
    /// pages.
    V10_0_2,
    /// 10.0.2, orders as posts: same ties, and a PUT that changes nothing leaves `date_modified`
    /// alone.
    V10_0_2Posts,
    /// 5.6, orders as posts: no `modified_after`, no `orderby=modified`, no `/refunds` route.
    V5_6,
}

impl Profile {
    /// The version number that the shop states.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::V10_5 => "10.5.0",
            Self::V10_0_2 | Self::V10_0_2Posts => "10.0.2",
            Self::V5_6 => "5.6.0",
        }
    }

    /// Whether orders live in their own tables.
    pub(crate) fn hpos(self) -> bool {
        matches!(self, Self::V10_5 | Self::V10_0_2)
    }

    /// Whether pages ordered by `modified` repeat and skip orders of the same second.
    pub(crate) fn loses_ties(self) -> bool {
        matches!(self, Self::V10_0_2 | Self::V10_0_2Posts)
    }

    /// Whether lists can be filtered by the date of modification.
    pub(crate) fn filters_modified(self) -> bool {
        self != Self::V5_6
    }
}

/// How the shop's addresses look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permalinks {
    /// `/wp-json/wc/v3/...`
    Pretty,
    /// `/?rest_route=/wc/v3/...` only; `/wp-json/` is an HTML 404.
    Plain,
    /// `/index.php/wp-json/wc/v3/...`
    IndexPhp,
}

/// Whether PHP believes that a request came over HTTPS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpsSeen {
    /// As the connection is: on plain HTTP Basic is ignored and OAuth 1.0a needed.
    AsConnected,
    /// Always: a proxy in front ends TLS and says so. Lets tests use Basic on loopback HTTP.
    Always,
    /// Never: a proxy in front ends TLS and does not say so.
    Never,
    /// No real shop: keys are taken on plain HTTP too, and OAuth signatures as the connection is,
    /// so that a rehearsal on loopback works with `curl -u` and with OAuth alike.
    Rehearsal,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Read only.
    Read,
    /// Write only: reading is refused.
    Write,
    /// Both.
    ReadWrite,
}

/// What the key's user may do in WordPress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Everything.
    Admin,
    /// Everything about the shop; not the system status.
    ShopManager,
    /// A customer: 403 everywhere.
    Customer,
}

/// A REST API key.
#[derive(Debug, Clone)]
pub struct Key {
    /// `ck_...`
    pub consumer_key: String,
    /// `cs_...`
    pub consumer_secret: String,
    /// What the key may do.
    pub permission: Permission,
    /// What its user may do.
    pub rights: Rights,
}

/// The consumer key that every simulated shop accepts unless told otherwise: of
/// the real form, made up, opens nothing real.
pub const REHEARSAL_KEY: &str = "ck_decade0000000000000000000000000000000001";
/// The secret of [`REHEARSAL_KEY`].
pub const REHEARSAL_SECRET: &str = "cs_decade0000000000000000000000000000000001";

impl Key {
    /// The rehearsal key with these powers.
    pub fn rehearsal(permission: Permission, rights: Rights) -> Self {
        let (consumer_key, consumer_secret) = (REHEARSAL_KEY.to_owned(), REHEARSAL_SECRET.to_owned());
        Self { consumer_key, consumer_secret, permission, rights }
    }
}

/// Where the Shipment Tracking extension answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracking {
    /// Not installed.
    Off,
    /// Under wc/v2 and wc/v3.
    On,
    /// An old one: under wc/v2 only.
    OnlyV2,
    /// Advanced Shipment Tracking in its place, which takes letters, digits, hyphens and blanks only.
    Strict,
}

options! {
    /// What kind of shop is simulated.
    Options {
        /// Version and storage.
        profile: Profile = Profile::V10_5,
        /// The site's offset from UTC in minutes. Fixed: the simulation knows no summer time.
        offset_minutes: i32 = 60,
        /// The site's name for its zone, for show.
        time_zone: String = "Europe/Berlin".to_owned(),
        /// How addresses look.
        permalinks: Permalinks = Permalinks::Pretty,
        /// The sub-directory the shop lives in, such as `/shop`; empty for none.
        prefix: String = String::new(),
        /// The address the shop believes it has, without a slash at the end; `None`: the served
        /// one.
        home_url: Option<String> = None,
        /// Whether the order fulfilments feature is switched on (only 10.5 knows it).
        fulfillments: bool = false,
        /// SKUs of the products that come with a download. What of them is in an order that is paid
        /// the shop fulfils by itself, sent or not.
        downloadable: Vec<String> = Vec::new(),
        /// Whether the shop fulfils by itself what is virtual, when an order is paid.
        fulfills_virtual: bool = false,
        /// A shipping plugin keeps the fulfilments, in words of its own.
        shipping_plugin: bool = false,
        /// The Shipment Tracking extension.
        tracking: Tracking = Tracking::Off,
        /// The keys that exist.
        keys: Vec<Key> = vec![Key::rehearsal(Permission::ReadWrite, Rights::Admin)],
        /// Whether PHP believes in HTTPS.
        https_seen: HttpsSeen = HttpsSeen::AsConnected,
        /// The web server keeps the Authorization header from PHP (CGI): only keys in the query
        /// work.
        strips_authorization: bool = false,
        /// The shop's currency.
        currency: String = "EUR".to_owned(),
        /// Decimals in money texts: a setting of the shop, not of the currency.
        decimals: u32 = 2,
        /// Tax in hundredths of a percent (1900 = 19 %); 0 for none.
        tax_basis_points: u32 = 1900,
        /// A sequential-number plugin: the prefix of order numbers; `None`: the number is the id.
        number_prefix: Option<String> = None,
        /// Statuses that plugins have added, such as `shipped`.
        custom_statuses: Vec<String> = Vec::new(),
        /// Of what comes with a fulfilment, the shop keeps only what is in it, as some versions do.
        forgets_entries: bool = false,
        /// Orders leave the list of their refunds empty; the refunds' own routes give them.
        hides_refunds: bool = false,
        /// A theme or plugin makes the texts of notes pretty: entities, typographic signs, links,
        /// paragraphs.
        pretty_notes: bool = false,
        /// How long a page of a list takes.
        page_latency: Duration = Duration::ZERO,
        /// The id of the first order.
        first_id: u64 = 101,
        /// Decides what is in seeded orders.
        seed: u64 = 1,
    }
}

impl Options {
    /// The options of [`Shop::demo`](super::Shop::demo).
    pub fn demo() -> Self {
        Self { fulfillments: true, https_seen: HttpsSeen::Rehearsal, ..Self::default() }
    }

    /// Versions, addresses, and homes of tracking numbers.
    pub(crate) fn variants() -> Vec<(&'static str, Self)> {
        vec![
            ("10.0.2", Self { profile: Profile::V10_0_2, ..Self::demo() }),
            ("10.0.2, orders as posts", Self { profile: Profile::V10_0_2Posts, ..Self::demo() }),
            ("5.6", Self { profile: Profile::V5_6, ..Self::demo() }),
            ("tracking extension", Self { fulfillments: false, tracking: Tracking::On, ..Self::demo() }),
            ("notes", Self { fulfillments: false, ..Self::demo() }),
            ("plain permalinks", Self { permalinks: Permalinks::Plain, ..Self::demo() }),
            ("in a folder", Self { prefix: "/shop".to_owned(), permalinks: Permalinks::IndexPhp, ..Self::demo() }),
        ]
    }

    /// Whether the fulfilment routes exist.
    pub(super) fn has_fulfillments(&self) -> bool {
        self.fulfillments && self.profile == Profile::V10_5
    }
}
