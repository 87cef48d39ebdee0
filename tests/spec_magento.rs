//! Magento's own schemas of two versions against what the adapter sends, and answers of a real shop
//! against what it makes of them. Without `ORDERSYNC_SPECS` the tests pass unasked and say so.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use ordersync::channel::{ChannelKind, Values, format};
use ordersync::order::{ChargeKind, Order};
use ordersync::sim::magento::{NewOrder, Options};
use ordersync::sim::{Exchange, Fault, FaultKind, Simulated};
use serde_json::Value;
use support::mag::Rig;
use support::openapi::{Api, Exception, complaints, specs_dir};
use support::spec::{body, read, recorded_of};

/// Where the vendor's schemas are silent or wrong.
const EXCEPTIONS: &[Exception] = &[
    Exception { about: "unknown parameter fields", why: "documented for all routes at once: filtered responses" },
    Exception {
        about: "/emails: takes no body",
        why: "the same: an empty object, as every POST has a type of content",
    },
    Exception { about: "/cancel: takes no body", why: "an empty object, as every POST needs a type of content" },
];

/// The adapter does everything it can do, on a shop of this kind.
fn whole_life(options: Options, flags: &str) -> Vec<Exchange> {
    let rig = Rig::unconnected(options);
    rig.shop.seed(130, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(2));
    rig.connect(flags).exits(0);
    rig.home.run("sync").done();
    let two = placed(&rig, &NewOrder::of(&[("TEE-001", 3), ("MUG-9", 1), ("BUNDLE-APART", 1)]));
    rig.on("dispatch", two, "--item TEE-001=1 --carrier usps --tracking 94001 --carrier dhl --tracking JD02").exits(0);
    rig.on("dispatch", two, "--carrier pigeon-post --tracking P3 --no-notify").exits(0);
    rig.on("dispatch", two, "--replaces JD02 --carrier ups --tracking 1Z02").exits(0);
    let gone = placed(&rig, &NewOrder::of(&[("BOOK-7", 1)]));
    rig.on("cancel", gone, "--reason sold-out").exits(0);
    let digital = placed(&rig, &NewOrder::of(&[("VOUCHER-25", 1)]));
    rig.on("dispatch", digital, "").exits(0);
    rig.shop.refund_pieces(&two.to_string(), 0, 1);
    rig.sync();
    rig.home.run(&format!("pull magento:{two}")).exits(0);
    rig.home.run("pull magento:99999999").exits(7);
    rig.home.run("reconcile --since 30d").done();
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/ship"));
    let lost = placed(&rig, &NewOrder::of(&[("TEE-001", 1)]));
    rig.on("dispatch", lost, "--carrier dhl --tracking JD04").done();
    rig.server.requests()
}

/// Places an order and brings it into the book; what was asked for so far stays on record.
fn placed(rig: &Rig, new: &NewOrder) -> u64 {
    let id = rig.shop.place_order(new);
    rig.home.run("sync").done();
    id
}

/// The exchange as the schemas have its path, and without an answer: those are the shop's.
fn asked(exchange: Exchange) -> Option<Exchange> {
    let route = exchange.path.split_once("/V1/")?.1.to_owned();
    Some(Exchange { path: format!("/rest/default/V1/{route}"), faulty: true, ..exchange })
}

#[test]
fn every_request_is_one_that_both_versions_document() {
    let Some(dir) = specs_dir("magento") else { return };
    let mut exchanges = whole_life(Options::default(), "");
    exchanges.extend(whole_life(
        Options { sources: vec!["default", "hamburg"], ..Options::default() },
        "--set source=hamburg --set marker=no",
    ));
    let exchanges: Vec<Exchange> = exchanges.into_iter().filter_map(asked).collect();
    let routes: BTreeSet<String> = exchanges
        .iter()
        .map(|one| {
            let route = one.path.rsplit("/V1/").next().unwrap_or_default();
            let parts = route.split('/').map(|part| if part.bytes().all(|b| b.is_ascii_digit()) { "N" } else { part });
            format!("{} {}", one.method, parts.collect::<Vec<_>>().join("/"))
        })
        .collect();
    for route in [
        "GET orders",
        "GET orders/N",
        "POST order/N/ship",
        "POST shipment/track",
        "DELETE shipment/track/N",
        "POST orders/N/cancel",
        "POST orders/N/comments",
        "GET creditmemos",
        "GET shipments",
    ] {
        assert!(routes.contains(route), "{route} was not asked: {routes:?}");
    }
    for version in ["2.4.6", "2.4.9"] {
        let api = Api::read(&dir.join(format!("admin-schema-{version}.yaml")));
        let found = complaints(&[api], &exchanges, EXCEPTIONS);
        let found: Vec<&String> = found.iter().filter(|one| !one.starts_with("needless exception")).collect();
        assert!(found.is_empty(), "{version}:\n{found:#?}");
    }
}

#[test]
fn no_signed_question_has_a_blank_or_an_empty_value_or_as_many_groups_as_are_sorted_in_another_way() {
    for exchange in whole_life(Options::default(), "") {
        for (name, value) in &exchange.query {
            assert!(
                !value.is_empty() && !value.contains(' ') && !name.contains("[10]"),
                "{} {name}={value}",
                exchange.path
            );
        }
    }
}

fn mapped(document: &Value) -> Order {
    let values = Values::from([("url".to_owned(), "https://shop.example.test".to_owned())]);
    let format = format(ChannelKind::Magento, &values).unwrap();
    format.order(document.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {document}"))
}

/// Each order of the real shop is read, one line for each row that was bought, and its parts add
/// up.
#[test]
fn every_recorded_order_is_read_and_adds_up() {
    let Some(dir) = recorded_of("magento") else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("order-") && !name.starts_with("orders-list")
            || name == "order-sequence.json"
            || name == "orders-list-fields.json"
        {
            continue;
        }
        let file = read(&path);
        let documents = body(&file)["items"]
            .as_array()
            .filter(|_| name.starts_with("orders-"))
            .cloned()
            .unwrap_or_else(|| vec![body(&file).clone()]);
        for document in documents {
            let order = mapped(&document);
            let bought =
                document["items"].as_array().unwrap().iter().filter(|item| item["parent_item_id"].is_null()).count();
            assert_eq!(order.lines.len(), bought, "{name}");
            assert_eq!(order.number, document["increment_id"].as_str().unwrap(), "{name}");
            assert_eq!(
                order.totals.total.to_string().parse::<f64>().unwrap(),
                document["grand_total"].as_f64().unwrap(),
                "{name}"
            );
            let other: Vec<_> = order.charges.iter().filter(|charge| charge.kind == ChargeKind::Other).collect();
            assert!(other.is_empty(), "{name}: {other:?}");
            for (line, item) in order
                .lines
                .iter()
                .zip(document["items"].as_array().unwrap().iter().filter(|item| item["parent_item_id"].is_null()))
            {
                assert_eq!(line.remote_id, item["item_id"].to_string(), "{name}");
                assert_eq!(line.ships, item["is_virtual"] == 0, "{name}");
            }
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen} orders");
}
