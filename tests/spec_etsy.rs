//! Etsy's own OpenAPI document and examples against what the adapter sends and reads. Without
//! `ORDERSYNC_SPECS` it says that it is skipped.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use chrono::{TimeDelta, Utc};
use ordersync::channel::{ChannelKind, Values, format};
use ordersync::sim::etsy::{NewOrder, Options};
use ordersync::sim::{Exchange, Fault, FaultKind, Simulated};
use serde_json::{Value, json};
use support::etsy::Rig;
use support::openapi::{Api, Exception, complaints, specs_dir};

/// Where the vendor's document is wrong or silent. Answers are held against it in
/// `tests/spec_etsy_store.rs`.
const EXCEPTIONS: &[Exception] = &[];

fn document() -> Option<Vec<Api>> {
    specs_dir("etsy").map(|dir| vec![Api::read(&dir.join("openapi-3.0.0.json"))])
}

/// The adapter does everything it can do, on a shop of this kind.
fn whole_life(options: Options) -> Vec<Exchange> {
    let rig = Rig::unconnected(options);
    rig.shop.seed(120, Utc::now() - TimeDelta::days(40), Utc::now() - TimeDelta::days(2));
    rig.connect("--set page_size=20").exits(0);
    rig.home.run("sync").done();
    let placed = |new: NewOrder| {
        let id = rig.shop.place_order(new);
        rig.home.run("sync").done();
        id
    };
    let two = placed(NewOrder::of(&[("TEE-001", 3)]).note("ring twice").coupon());
    rig.on("dispatch", two, "--carrier dhl-paket --tracking 00340434161094015902 --carrier pigeon-post --tracking P3")
        .exits(0);
    let bare = placed(NewOrder::of(&[("MUG-9", 1)]));
    rig.on("dispatch", bare, "").exits(0);
    let gone = placed(NewOrder::of(&[("BOOK-7", 1)]));
    assert!(rig.shop.cancel(&gone.to_string()));
    rig.shop.refund_silently(two, "1.00");
    rig.a_day_later();
    rig.home.run("sync").done();
    rig.home.run(&format!("pull etsy:{two}")).exits(0);
    rig.home.run("pull etsy:99999999").exits(7);
    let crowd = Utc::now() - TimeDelta::hours(3);
    for _ in 0..45 {
        rig.shop.place_order(NewOrder::of(&[("MUG-9", 1)]).at(crowd));
    }
    rig.home.run("sync --since 1969-12-01 --until 2020-01-01").done();
    rig.home.run("sync --full").done();
    rig.home.run("reconcile").done();
    rig.shop.set_unrenderable(&rig.shop.numbers()[60].to_string(), true);
    rig.home.run("sync --full").done();
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/tracking"));
    let lost = placed(NewOrder::of(&[("TEE-001", 1)]));
    rig.on("dispatch", lost, "--carrier dhl --tracking JD04").done();
    rig.home.run("connect --test etsy").done();
    rig.server.requests()
}

#[test]
fn every_request_is_as_the_vendor_documents_it() {
    let Some(apis) = document() else { return };
    let mut exchanges = whole_life(Options::rehearsal());
    exchanges.extend(whole_life(Options { exclusive_bounds: true, omitted_is_both: true, ..Options::rehearsal() }));
    let writes = exchanges.iter().filter(|exchange| exchange.path.ends_with("/tracking")).count();
    assert!(exchanges.len() > 100 && writes > 5, "{} requests, {writes} writes", exchanges.len());
    for one in exchanges.iter().filter(|exchange| exchange.path.ends_with("/tracking")) {
        let kind = one.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        assert_eq!(kind, Some("application/json"));
    }
    // The token endpoint stands beside the document; what comes back is the store's to prove.
    exchanges.retain(|exchange| !exchange.path.starts_with("/v3/public/"));
    let asked: Vec<Exchange> = exchanges.into_iter().map(|one| Exchange { faulty: true, ..one }).collect();
    for one in asked.iter().filter(|one| one.path.ends_with("/receipts")) {
        let number = |name: &str| one.param(name).and_then(|text| text.parse::<i64>().ok());
        assert!(number("limit").is_some_and(|limit| (1..=100).contains(&limit)), "{}", one.target());
        assert!(number("offset").is_none_or(|offset| (0..=12_000).contains(&offset)), "{}", one.target());
        for bound in ["min_created", "max_created", "min_last_modified", "max_last_modified"] {
            assert!(number(bound).is_none_or(|at| at >= 946_684_800), "{}", one.target());
        }
    }
    let found = complaints(&apis, &asked, EXCEPTIONS);
    assert!(found.is_empty(), "{} complaints\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_examples_are_read_as_they_are_meant() {
    let Some(dir) = specs_dir("etsy") else { return };
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(dir.join("examples").join(name)).unwrap()).unwrap()
    };
    let values = Values::from([("keystring".to_owned(), "a1b2c3d4e5f6a1b2c3d4e5f6".to_owned())]);
    let format = format(ChannelKind::Etsy, &values).unwrap();
    let order = |document: &Value| format.order(document.to_string().as_bytes()).unwrap();
    let paid = order(&read("receipt-paid.synthetic.json"));
    assert_eq!((paid.remote_id.as_str(), paid.totals.total.to_string()), ("3200000001", "40.30".to_owned()));
    let page = read("receipts-page.synthetic.json");
    let rows = page["results"].as_array().unwrap();
    assert_eq!(json!(rows.len()), page["count"]);
    for row in rows {
        let order = order(row);
        let parts: rust_decimal::Decimal = order.lines.iter().map(|line| line.total).sum();
        assert!(parts > rust_decimal::Decimal::ZERO && !order.lines.is_empty(), "{}", order.remote_id);
        assert_eq!(
            order.shipments.iter().map(|one| one.parcels.len()).sum::<usize>(),
            row["shipments"].as_array().unwrap().len()
        );
    }
}
