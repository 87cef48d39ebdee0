//! The set-ups of each kind of store that can do different things: what is promised in one is
//! refused in another.

use std::sync::Arc;
use std::time::Duration;

use ordersync::channel::ChannelKind;
use ordersync::sim::{FaultKind, Simulated, magento, rehearsal, woocommerce};

use super::desk::{Desk, clock, kinds, side_by_side, struck, writes_of_a_dispatch};

/// One tracking number, the same for every order.
pub const NUMBER: &str = "--carrier dhl --tracking JD01";

/// A store beside the usual one of its kind, and what `connect` is told of it.
struct SetUp {
    name: &'static str,
    store: Arc<dyn Simulated>,
    flags: &'static str,
}

/// What each kind has beside its usual set-up.
fn others(kind: ChannelKind) -> Vec<SetUp> {
    let usual = || rehearsal(kind, clock(), Duration::ZERO);
    let woo = |tracking| -> Arc<dyn Simulated> {
        let options = woocommerce::Options { fulfillments: false, tracking, ..woocommerce::Options::demo() };
        Arc::new(woocommerce::Shop::demo_with(options, clock()))
    };
    match kind {
        ChannelKind::BigCommerce => vec![SetUp { name: "no marker", store: usual(), flags: "--set marker=no" }],
        ChannelKind::Example => vec![SetUp { name: "an old program", store: usual(), flags: "--set old=yes" }],
        ChannelKind::Ebay | ChannelKind::Etsy => Vec::new(),
        ChannelKind::Magento => {
            let shop = |sources| -> Arc<dyn Simulated> {
                let options = magento::Options { sources, ..magento::Options::rehearsal(Duration::ZERO) };
                Arc::new(magento::Shop::demo(options, clock()))
            };
            vec![
                SetUp { name: "no marker", store: usual(), flags: "--set marker=no" },
                SetUp { name: "two sources", store: shop(vec!["default", "hamburg"]), flags: "--set source=hamburg" },
            ]
        }
        ChannelKind::Shopify => Vec::new(),
        ChannelKind::WooCommerce => vec![
            SetUp { name: "Shipment Tracking", store: woo(woocommerce::Tracking::On), flags: "" },
            SetUp { name: "a note", store: woo(woocommerce::Tracking::Off), flags: "" },
        ],
    }
}

/// What is peculiar to a kind, where a contract allows for it.
pub struct Peculiar {
    /// Cancellations at the channel are applied by default (P-3).
    pub cancels_apply: bool,
    /// Its parameter for what is put away is documented no more: a store that refuses it has no such
    /// list.
    pub may_have_no_list: bool,
    /// It cancels no order of which some money went back, whoever insists.
    pub keeps_refunded: bool,
    /// What belongs to an order may take a request of its own, beside the lists.
    pub asks_apart: bool,
    /// It hides orders of a certain age, so that one which is not there may be one of them.
    pub hides_old: bool,
    /// A dispatch is known to take it more than one write.
    pub writes_twice: bool,
    /// Its rows stand inside an object: broken JSON in one breaks the answer.
    pub read_as_a_whole: bool,
    /// How large a page may be is its own affair: queries are refused by their price.
    pub prices_queries: bool,
    /// How many requests an order may cost that the channel cannot show, in a page of 100: twice the
    /// halvings are 13. `None` where its pages have no key to halve them by.
    pub unshowable: Option<usize>,
    /// The status by which it says that the role or the scopes of the key do not reach so far; `None`
    /// where it says so within a good answer, or has no roles.
    pub role: Option<u16>,
    /// The path before which credentials are refused; what is refused before a whole site is another
    /// matter.
    pub api: &'static str,
}

/// What is peculiar to this kind.
pub fn peculiar(kind: ChannelKind) -> Peculiar {
    let usual = Peculiar {
        cancels_apply: false,
        may_have_no_list: false,
        keeps_refunded: false,
        asks_apart: false,
        hides_old: false,
        writes_twice: false,
        read_as_a_whole: false,
        prices_queries: false,
        unshowable: Some(13),
        role: Some(403),
        api: "",
    };
    match kind {
        // What every server gives is tried first, and the order behind it is asked for alone.
        ChannelKind::BigCommerce => {
            Peculiar { cancels_apply: true, may_have_no_list: true, writes_twice: true, unshowable: Some(20), ..usual }
        }
        // Behind each order that cannot be shown a page begins.
        ChannelKind::Ebay => {
            Peculiar { keeps_refunded: true, asks_apart: true, hides_old: true, unshowable: Some(20), ..usual }
        }
        ChannelKind::Example => Peculiar { role: None, ..usual },
        ChannelKind::Magento => Peculiar { role: Some(401), ..usual },
        // The last weeks are looked through besides.
        ChannelKind::Etsy => Peculiar { unshowable: Some(2 * 13), ..usual },
        ChannelKind::Shopify => Peculiar {
            cancels_apply: true,
            read_as_a_whole: true,
            prices_queries: true,
            unshowable: None,
            role: None,
            ..usual
        },
        // Where its neighbours in time are none by their ids, it is searched among more of them.
        ChannelKind::WooCommerce => Peculiar { writes_twice: true, unshowable: Some(40), api: "wc/v3/orders", ..usual },
    }
}

/// Holds the contract against every set-up of every kind, side by side.
pub fn each_set_up(contract: impl Fn(&Desk) + Sync) {
    let usual = |kind| SetUp { name: "as usual", store: rehearsal(kind, clock(), Duration::ZERO), flags: "" };
    let all = kinds().flat_map(|kind| others(kind).into_iter().chain([usual(kind)]));
    let named = all.map(|set_up| (format!("{}, {}", set_up.store.kind(), set_up.name), set_up));
    side_by_side(named, |set_up| {
        let desk = Desk::beside(set_up.store);
        desk.connect(set_up.flags).exits(0);
        desk.server.clear_requests();
        contract(&desk);
    });
}

/// The states of the open rows of the outbox, the newest first.
pub fn states(desk: &Desk) -> Vec<String> {
    let rows = desk.home.json("outbox");
    rows.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
}

/// The next sync finds every open row due.
pub fn all_due(desk: &Desk) {
    desk.home.sql("UPDATE outbox SET next_at = 0");
}

/// A dispatch of a new order each of whose writes meets this fault.
pub fn struck_dispatch(desk: &Desk, kind: &FaultKind) -> String {
    let (writes, without) = writes_of_a_dispatch(desk);
    let id = desk.paid(&[("TEE-001", 2)]);
    for write in &writes {
        desk.server.faults().add(struck(kind.clone(), write, &without).always());
    }
    desk.on("dispatch", &id, NUMBER).done();
    id
}

/// What is not promised is refused before anything is written or recorded, and what can be done
/// instead is named.
pub fn is_refused(desk: &Desk, id: &str, command: &str, more: &str) {
    let rows = || desk.home.json("outbox --all").as_array().unwrap().len();
    let before = (desk.writes(), rows(), desk.show(id)["status"].clone());
    let hows: &[&str] = if command == "cancel" { &["--dry-run", ""] } else { &["--dry-run", "--later", ""] };
    for how in hows {
        desk.on(command, id, &format!("{more} {how}")).exits(6).says("nothing was").says("hint: ");
    }
    assert_eq!((desk.writes(), rows(), desk.show(id)["status"].clone()), before, "{}: {more}", desk.kind);
}

/// How many requests went out so far: of a channel that asks for the parts of orders one by one, those
/// for lists.
pub fn asked(desk: &Desk) -> usize {
    if peculiar(desk.kind).asks_apart { desk.lists().len() } else { desk.server.requests().len() }
}
