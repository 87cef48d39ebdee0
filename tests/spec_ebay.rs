//! eBay's own OpenAPI documents against what the adapter sends. Without `ORDERSYNC_SPECS` it says that
//! it is skipped.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use chrono::{TimeDelta, Utc};
use ordersync::sim::ebay::{NewOrder, Options};
use ordersync::sim::{Exchange, Fault, FaultKind, Simulated};
use serde_json::Value;
use support::ebay::Rig;
use support::openapi::{Api, Exception, complaints, specs_dir};

/// Where the vendor's documents are wrong or silent. Answers are held against them in
/// `tests/spec_ebay_store.rs`.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        about: "POST /cancellation: takes no body",
        why: "that file lists paths; the bodies are in the vendor's pages",
    },
    Exception { about: "POST /cancellation/check_eligibility: takes no body", why: "the same" },
    Exception { about: "GET /cancellation/search: unknown parameter", why: "the same of parameters" },
];

fn documents() -> Option<Vec<Api>> {
    let dir = specs_dir("ebay")?.join("openapi");
    let names = [
        "sell_fulfillment_v1",
        "commerce_identity_v1",
        "developer_analytics_v1_beta",
        "developer_key_management_v1",
        "post_order_cancellation",
    ];
    Some(names.iter().map(|name| Api::read(&dir.join(format!("{name}_oas3.json")))).collect())
}

/// The adapter does everything it can do, on an account of this kind.
fn whole_life(options: Options) -> Vec<Exchange> {
    let rig = Rig::unconnected(options);
    rig.shop.seed(120, Utc::now() - TimeDelta::days(600), Utc::now() - TimeDelta::days(2));
    rig.connect("--since all --set page_size=20").exits(0);
    rig.home.run("sync").done();
    let placed = |new: &NewOrder| {
        let id = rig.shop.place(new);
        rig.home.run("sync").done();
        id
    };
    let two = placed(&NewOrder::of(&[("TEE-001", 3)]).note("ring twice").coupon());
    rig.run("dispatch", &two, "--carrier dhl --tracking JD-01 --carrier pigeon-post --tracking P3").exits(0);
    let bare = placed(&NewOrder::of(&[("MUG-9", 1)]));
    rig.run("dispatch", &bare, "").exits(0);
    let gone = placed(&NewOrder::of(&[("BOOK-7", 1)]));
    rig.run("cancel", &gone, "").done();
    let asked = placed(&NewOrder::of(&[("BOOK-7", 1)]));
    assert!(rig.shop.verb("POST", "ask-to-cancel", &asked, &Value::Null).is_some());
    rig.sync();
    rig.run("cancel", &asked, "").done();
    rig.home.run("sync --since 1969-12-01 --until 2020-01-01").done();
    rig.home.run("sync --full").done();
    rig.home.run("reconcile").done();
    rig.shop.set_unrenderable(&rig.shop.ids()[60], true);
    rig.home.run("sync --full").done();
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/shipping_fulfillment"));
    let lost = placed(&NewOrder::of(&[("TEE-001", 1)]));
    rig.run("dispatch", &lost, "--carrier dhl --tracking JD04").done();
    rig.home.run("connect --test ebay").done();
    rig.server.requests()
}

#[test]
fn every_request_is_as_the_vendor_documents_it() {
    let Some(apis) = documents() else { return };
    let mut exchanges = whole_life(Options { signatures: true, ..Options::rehearsal() });
    exchanges.extend(whole_life(Options { strict_reach: true, ..Options::rehearsal() }));
    assert!(exchanges.len() > 60, "{} requests", exchanges.len());
    for one in &exchanges {
        let header = |name: &str| one.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
        let form = match one.path.as_str() {
            "/identity/v1/oauth2/token" => "Basic ",
            path if path.starts_with("/post-order/") => "IAF ",
            _ => "Bearer ",
        };
        assert!(header("authorization").starts_with(form), "{}", one.target());
        if one.path.starts_with("/post-order/") {
            assert_eq!(header("x-ebay-c-marketplace-id"), "EBAY_DE", "{}", one.target());
        }
    }
    // The token endpoint stands in no document; what comes back is the store's to prove.
    exchanges.retain(|exchange| exchange.path != "/identity/v1/oauth2/token");
    let asked: Vec<Exchange> = exchanges.into_iter().map(|one| Exchange { faulty: true, ..one }).collect();
    for one in asked.iter().filter(|one| one.path.ends_with("/order")) {
        let number = |name: &str| one.param(name).and_then(|text| text.parse::<i64>().ok());
        assert!(number("limit").is_some_and(|limit| (1..=200).contains(&limit)), "{}", one.target());
        let filter = one.param("filter").unwrap_or_default();
        let both = filter.contains("creationdate") && filter.contains("lastmodifieddate");
        assert!(!both && !filter.contains("orderfulfillmentstatus"), "{filter}");
        assert_eq!(one.param("fieldGroups"), Some("TAX_BREAKDOWN"), "{}", one.target());
    }
    let found = complaints(&apis, &asked, EXCEPTIONS);
    assert!(found.is_empty(), "{} complaints\n{}", found.len(), found.join("\n"));
}
