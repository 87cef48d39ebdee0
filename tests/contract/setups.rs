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
        ChannelKind::Etsy => Vec::new(),
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
