//! BigCommerce's own OpenAPI documents against what the adapter sends and what the simulated store
//! answers. Without `ORDERSYNC_SPECS` it says that it is skipped.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use chrono::{TimeDelta, Utc};
use ordersync::sim::bigcommerce::{NewOrder, Options, REHEARSAL_TOKEN, Shop};
use ordersync::sim::{Exchange, Fault, FaultKind, Request, Simulated, Store};
use serde_json::{Value, json};
use support::big::Rig;
use support::openapi::{Api, Exception, complaints, specs_dir};

/// Where the vendor's documents are wrong or silent.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        about: "GET /orders: parameter sort=id:",
        why: "the schema lists the fields alone; its description adds :asc or :desc",
    },
    Exception { about: "GET /orders: parameter sort=date_modified:", why: "the same" },
    Exception {
        about: "GET /orders: unknown parameter is_deleted",
        why: "in older official documents only; the adapter tries whether the store still knows it",
    },
    Exception {
        about: "answer 204 is not in the document",
        why: "V2 answers every empty list so; the document says it for shipments only",
    },
    Exception {
        about: "valid under more than one of the schemas listed in the 'oneOf'",
        why: "a link to the consignments and the consignments themselves: neither schema requires a member",
    },
    Exception { about: ".custom_status: the document has no such member", why: "in all of the document's examples" },
    Exception { about: ".credit_card_type: the document has no such member", why: "in all of the document's examples" },
    Exception {
        about: ".order: the document has no such member",
        why: "the place of a status in lists: in the document's example",
    },
    Exception {
        about: "/fees answer 200.fees: the document has no such member",
        why: "the schema is that of one fee, the example of the same answer a list below `fees`",
    },
];

fn documents() -> Option<Vec<Api>> {
    let dir = specs_dir("bigcommerce")?;
    let files = ["orders.v2.oas2.yml", "orders.v3.yml", "store_information.v2.yml"];
    Some(files.iter().map(|file| Api::read(&dir.join(file))).collect())
}

/// The adapter does everything it can do, on a store of this kind.
fn whole_life(options: Options) -> Vec<Exchange> {
    let rig = Rig::unconnected(options);
    rig.shop.seed(120, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(2));
    for order in stories() {
        rig.shop.place_order(order);
    }
    rig.connect("--set page_size=20").exits(0);
    rig.home.run("sync").done();
    let two = placed(&rig, &NewOrder::paid().line("TEE-001", 3).line_elsewhere("MUG-9", 1));
    rig.on("dispatch", two, "--item TEE-001=1 --carrier usps --tracking 94001").exits(0);
    rig.on("dispatch", two, "--carrier dhl --tracking JD02 --carrier pigeon-post --tracking P3").exits(0);
    rig.on("dispatch", two, "--replaces JD02 --carrier ups --tracking 1Z02").exits(0);
    let gone = placed(&rig, &NewOrder::paid().line("BOOK-7", 1).staff_notes("VIP"));
    rig.on("cancel", gone, "--reason sold-out").exits(0);
    let digital = placed(&rig, &NewOrder::paid().line("VOUCHER-25", 1));
    rig.on("dispatch", digital, "").exits(0);
    rig.shop.refund_pieces(&two.to_string(), 0, 1);
    rig.sync();
    rig.home.run(&format!("pull bigcommerce:{two}")).exits(0);
    rig.home.run("pull bigcommerce:99999999").exits(7);
    let crowd = Utc::now() - TimeDelta::hours(3);
    for _ in 0..45 {
        rig.shop.place_order(NewOrder::paid().line("MUG-9", 1).at(crowd));
    }
    let (from, to) = (crowd - TimeDelta::hours(1), crowd + TimeDelta::hours(1));
    let time = |at: chrono::DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    rig.home.run(&format!("sync --since {} --until {}", time(from), time(to))).exits(0);
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/shipments"));
    let lost = placed(&rig, &NewOrder::paid().line("TEE-001", 1));
    rig.on("dispatch", lost, "--carrier dhl --tracking JD04").done();
    rig.server.requests()
}

/// Places an order and brings it into the book; what was asked for so far stays on record.
fn placed(rig: &Rig, new: &NewOrder) -> u64 {
    let id = rig.shop.place_order(new);
    rig.home.run("sync").done();
    id
}

/// One order for each form that a document can have.
fn stories() -> Vec<NewOrder> {
    let large = (1..=55).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), 1));
    vec![
        NewOrder::paid().line("TEE-001", 2).line_elsewhere("MUG-9", 1),
        NewOrder::paid().status("0").line("MUG-9", 1),
        NewOrder::paid().line("VOUCHER-25", 1),
        NewOrder::paid().line("TEE-001", 1).currency_at("EUR", 9_200),
        NewOrder::paid().status("8").line("TEE-001", 1).picked_up(),
        NewOrder::paid().line("SHIRT-S-ROT", 1).wrapped().note("Gift"),
        NewOrder::paid().line("MUG-9", 2).coupon(),
        large,
    ]
}

#[test]
fn every_request_and_every_answer_is_as_the_vendor_documents_it() {
    let Some(apis) = documents() else { return };
    let mut exchanges = whole_life(Options::rehearsal());
    exchanges.extend(whole_life(Options { include: false, quota: 100_000, ..Options::rehearsal() }));
    exchanges.extend(everything_else());
    let writes = exchanges.iter().filter(|exchange| exchange.is_write()).count();
    assert!(exchanges.len() > 200 && writes > 10, "{} requests, {writes} writes", exchanges.len());
    let found = complaints(&apis, &exchanges, EXCEPTIONS);
    assert!(found.is_empty(), "{} complaints\n{}", found.len(), found.join("\n"));
}

/// What the store serves and the adapter does not ask for.
fn everything_else() -> Vec<Exchange> {
    let rig = Rig::unconnected(Options::rehearsal());
    let ids: Vec<u64> = stories().iter().map(|order| rig.shop.place_order(order)).collect();
    rig.shop.refund_pieces(&ids[0].to_string(), 0, 1);
    rig.shop.ship_elsewhere(&ids[3].to_string(), "ups", "1Z09");
    let shipped = rig.shop.order(ids[3]).unwrap();
    let mut paths = vec!["v2/time".to_owned(), "v2/store".to_owned(), "v2/order_statuses".to_owned()];
    paths.extend((0..15).map(|id| format!("v2/order_statuses/{id}")));
    paths.push(format!("v2/orders/{}/shipments/{}", ids[3], shipped.shipments[0].id));
    paths.push(format!("v2/orders/{}/products/{}", ids[3], shipped.lines[0].id));
    paths.push(format!("v2/orders/{}/shipping_addresses/{}", ids[3], shipped.places[0].id));
    for id in ids {
        let parts = ["", "/products", "/shipping_addresses", "/coupons", "/fees", "/shipments", "/shipments/count"];
        paths.extend(parts.iter().map(|part| format!("v2/orders/{id}{part}")));
        paths.push(format!("v2/orders/{id}/consignments"));
        paths.push(format!("v3/orders/{id}/payment_actions/refunds"));
    }
    paths.iter().map(|path| ask(&rig.shop, "GET", path)).collect()
}

fn ask(shop: &Shop, method: &str, path: &str) -> Exchange {
    let headers = [("x-auth-token", REHEARSAL_TOKEN), ("accept", "application/json")];
    let request = Request {
        method: method.to_owned(),
        path: format!("/stores/abc123/{path}"),
        query: Vec::new(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: Vec::new(),
        secure: false,
    };
    let response = shop.handle(&request);
    Exchange {
        method: request.method,
        path: request.path,
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
        status: Some(response.status),
        answer: response.body,
        faulty: false,
    }
}

#[test]
fn a_misspelt_parameter_member_or_path_is_a_complaint() {
    let Some(apis) = documents() else { return };
    let exchange = |method: &str, path: &str, query: &str, body: Value| Exchange {
        method: method.to_owned(),
        path: format!("/stores/abc123/{path}"),
        query: query.split_once('=').into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        headers: Vec::new(),
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
        status: None,
        answer: Vec::new(),
        faulty: false,
    };
    for bad in [
        exchange("GET", "v2/orders", "min_modified_date=x", Value::Null),
        exchange("GET", "v2/orders", "min_id=abc", Value::Null),
        exchange("GET", "v2/orders", "include=consignment.line_items", Value::Null),
        exchange("GET", "v2/order", "", Value::Null),
        exchange("POST", "v2/orders/7/shipments", "", json!({ "order_adress_id": 1 })),
        exchange("POST", "v2/orders/7/shipments", "", json!({ "tracking_number": 1 })),
        exchange("PUT", "v2/orders/7", "", json!({ "status_id": "5" })),
    ] {
        let name = format!("{} {} {:?}", bad.method, bad.path, bad.query);
        assert_eq!(complaints(&apis, &[bad], &[]).len(), 1, "{name}");
    }
}
