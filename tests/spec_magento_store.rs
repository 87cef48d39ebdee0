//! The simulated Magento shop against the vendor's own schemas of two versions and against answers
//! recorded from a real shop. Without `ORDERSYNC_SPECS` the tests pass unasked and say so.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use ordersync::clock::ManualClock;
use ordersync::sim::magento::{ACCESS_TOKEN, NewOrder, Options, Shop};
use ordersync::sim::world::Address;
use ordersync::sim::{Exchange, Request, Simulated, Store};
use serde_json::{Value, json};
use support::openapi::{Api, Exception, complaints, specs_dir};
use support::spec::{Schema, body, read, recorded_of};

/// Where the vendor's schema and its shops are not the same, and what the older schema lacks.
fn exceptions(version: &str) -> Vec<Exception> {
    let recorded = "recorded from a real shop";
    let mut all = vec![
        (".base_cost: null is not", recorded),
        (".account_status: null is not", recorded),
        (".cc_last4: null is not", recorded),
        (".tracks[].description: null is not", recorded),
        (".tracks[].qty: null is not", recorded),
        (".tracks[].weight: null is not", recorded),
        (".additional_information[]: null is not", "magento2#13738"),
        (r#""postcode" is a required property"#, "in countries that have none, as all that is null"),
        (r#""telephone" is a required property"#, "where the shop does not ask for it"),
        (".parameters: {", "recorded: named placeholders are an object"),
        ("/ship answer 200:", "recorded: the id is text"),
        (": takes no body", "every POST needs a type of content, and an empty object is taken"),
    ];
    if version == "2.4.6" {
        let newer = "recorded from 2.4.7";
        all.extend([(".additional_itemized_taxes: the document", newer), (".taxes: the document", newer)]);
        all.push((".itemized_taxes: the document", newer));
    }
    all.into_iter().map(|(about, why)| Exception { about, why }).collect()
}

/// A body that is sent without its type.
const UNTYPED: &str = "{ }";

struct Rig {
    shop: Shop,
    clock: Arc<ManualClock>,
    seen: Vec<Exchange>,
}

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
}

fn rig(options: Options) -> Rig {
    let clock = Arc::new(ManualClock::at(start()));
    Rig { shop: Shop::new(Options { bearer: true, ..options }, clock.clone()), clock, seen: Vec::new() }
}

impl Rig {
    /// Asks as who has the token, if any; keeps the exchange.
    fn ask_as(&mut self, token: &str, method: &str, target: &str, wish: Option<&str>) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut headers = Vec::new();
        if !token.is_empty() {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        let typed = wish.filter(|wish| *wish != UNTYPED);
        headers.extend(typed.map(|_| ("content-type".to_owned(), "application/json".to_owned())));
        let request = Request {
            method: method.to_owned(),
            path: format!("/rest/default/V1/{path}"),
            query,
            headers,
            body: wish.unwrap_or_default().as_bytes().to_vec(),
            secure: false,
        };
        let response = self.shop.handle(&request);
        let Request { method, path, query, headers, body, .. } = request;
        let (status, answer) = (Some(response.status), response.body.clone());
        self.seen.push(Exchange { method, path, query, headers, body, status, answer, faulty: false });
        self.clock.advance(TimeDelta::seconds(1));
        (response.status, response.body_json())
    }

    fn get(&mut self, target: &str) -> Value {
        self.ask_as(ACCESS_TOKEN, "GET", target, None).1
    }

    fn post(&mut self, target: &str, wish: &Value) -> Value {
        self.ask_as(ACCESS_TOKEN, "POST", target, Some(&wish.to_string())).1
    }
}

fn of_order(id: u64) -> String {
    let at = "searchCriteria[filterGroups][0][filters][0]";
    format!("{at}[field]=order_id&{at}[value]={id}&{at}[conditionType]=eq")
}

/// Every sort of order, and everything that is done over the API.
fn whole_life(options: Options) -> Rig {
    let mut rig = rig(options);
    rig.shop.seed(120, start() - TimeDelta::days(20), start() - TimeDelta::days(2));
    let kinds = [
        NewOrder::of(&[("SHIRT-S-ROT", 2), ("MUG-9", 1)]).customer(7).note("ring"),
        NewOrder::of(&[("BUNDLE-TOGETHER", 1)]).coupon(),
        NewOrder::of(&[("BUNDLE-APART", 2)]).currency_at("USD", 10_832),
        NewOrder::of(&[("VOUCHER-25", 1), ("DOWNLOAD-1", 1)]),
        NewOrder::of(&[("BOOK-7", 1)]).unpaid().wrapped(),
        NewOrder::of(&[("BOOK-7", 1)]).picked_up(),
        NewOrder::of(&[("BOOK-7", 1)]).status("processing:packed"),
    ];
    let ids: Vec<u64> = kinds.iter().map(|kind| rig.shop.place_order(kind)).collect();
    rig.get("store/storeConfigs");
    rig.get("modules");
    rig.get("inventory/sources");
    rig.get("orders?searchCriteria[pageSize]=200");
    rig.get("orders?searchCriteria[pageSize]=5&searchCriteria[currentPage]=99");
    let item = rig.get(&format!("orders/{}", ids[0]))["items"][0]["item_id"].clone();
    let track = json!([{ "track_number": "JD01", "title": "DHL", "carrier_code": "custom" }]);
    let comment = json!({ "comment": "Teil 1 – Grüße", "is_visible_on_front": 0 });
    let first = json!({ "items": [{ "order_item_id": item, "qty": 1 }], "notify": true, "appendComment": true,
        "comment": comment, "tracks": track });
    let ship = format!("order/{}/ship", ids[0]);
    let shipment: u64 = rig.post(&ship, &first).as_str().unwrap().parse().unwrap();
    let more = json!({ "entity": { "order_id": ids[0], "parent_id": shipment, "track_number": "JD02", "title": "DHL",
        "carrier_code": "custom", "qty": 1, "weight": 1, "description": "" } });
    let made = rig.post("shipment/track", &more)["entity_id"].clone();
    let remark = json!({ "entity": { "comment": "weighed", "is_customer_notified": 0, "is_visible_on_front": 0,
        "parent_id": shipment } });
    rig.post(&format!("shipment/{shipment}/comments"), &remark);
    rig.get(&format!("shipment/{shipment}"));
    rig.ask_as(ACCESS_TOKEN, "DELETE", &format!("shipment/track/{made}"), None);
    rig.post(&format!("shipment/{shipment}/emails"), &json!({}));
    rig.post(&ship, &json!({}));
    rig.post(&ship, &json!({}));
    rig.get(&format!("shipments?{}", of_order(ids[0])));
    let history = json!({ "statusHistory": { "comment": "Notiz", "is_customer_notified": 0, "is_visible_on_front": 0,
        "parent_id": ids[0], "status": "processing" } });
    rig.post(&format!("orders/{}/comments", ids[0]), &history);
    rig.get(&format!("orders/{}/comments", ids[0]));
    rig.get(&format!("orders/{}/statuses", ids[0]));
    rig.post(&format!("orders/{}/hold", ids[1]), &json!({}));
    rig.get(&format!("orders/{}", ids[1]));
    rig.post(&format!("orders/{}/unhold", ids[1]), &json!({}));
    rig.post(&format!("orders/{}/cancel", ids[1]), &json!({}));
    rig.shop.refund_pieces(&ids[2].to_string(), 0, 1);
    rig.shop.refund(&ids[6].to_string(), "5.00");
    rig.get("creditmemos?searchCriteria[pageSize]=50");
    rig.get("shipments?searchCriteria[pageSize]=50");
    for id in rig.shop.numbers() {
        rig.get(&format!("orders/{id}"));
    }
    for target in ["orders", "orders/99999999", "orders?searchCriteria[sortOrders][0][field]=nope"] {
        rig.get(target);
    }
    rig.ask_as("", "GET", "orders?searchCriteria[pageSize]=1", None);
    rig
}

#[test]
fn every_answer_keeps_to_the_schemas_of_both_versions() {
    let Some(dir) = specs_dir("magento") else { return };
    let rig = whole_life(Options::default());
    for version in ["2.4.6", "2.4.9"] {
        let api = Api::read(&dir.join(format!("admin-schema-{version}.yaml")));
        let found = complaints(&[api], &rig.seen, &exceptions(version));
        assert!(found.is_empty(), "{version}:\n{}", found.join("\n"));
    }
}

fn recorded(dir: &Path, files: &[&str]) -> Schema {
    let mut schema = Schema::default();
    for file in files {
        let file = read(&dir.join(format!("{file}.json")));
        match body(&file)["items"].as_array().filter(|_| body(&file)["search_criteria"].is_object()) {
            Some(rows) => rows.iter().for_each(|row| schema.learn(row)),
            None => schema.learn(body(&file)),
        }
    }
    schema
}

fn complain(complaints: &[String]) {
    let unlike: std::collections::BTreeSet<&String> = complaints.iter().collect();
    assert!(unlike.is_empty(), "{unlike:#?}");
}

/// Orders as the recorded shop had them: no tax, no discount, one currency.
fn plain_orders() -> Rig {
    let mut rig = rig(Options { tax_basis_points: 0, invoices_at_once: true, ..Options::default() });
    let text = str::to_owned;
    let home = Address {
        first_name: text("Ελένη"),
        last_name: text("Παπαδοπούλου"),
        street_1: text("Ερμού 10"),
        city: text("Αθήνα"),
        state: text("Αττική"),
        postcode: text("105 63"),
        country: text("GR"),
        phone: text("+30 21 0000"),
        email: text("buyer@example.test"),
        ..Address::default()
    };
    let paid = || NewOrder::of(&[("SHIRT-S-ROT", 2), ("MUG-9", 1)]).bill_to(home.clone());
    let order = || NewOrder { payment: text("checkmo"), ..paid() };
    for purchase in [order(), order().customer(7), order().unpaid()] {
        rig.shop.place_order(purchase);
    }
    let [done, back] = [0; 2].map(|_| rig.shop.place_order(order()));
    rig.post(
        &format!("order/{done}/ship"),
        &json!({ "tracks": [{ "track_number": "1", "title": "DHL", "carrier_code": "dhl" }] }),
    );
    let total = rig.get(&format!("orders/{back}"))["grand_total"].to_string();
    rig.shop.refund(&back.to_string(), &total);
    let open = rig.shop.place_order(order().unpaid());
    rig.post(&format!("orders/{open}/cancel"), &json!({}));
    let wait = rig.shop.place_order(order().unpaid());
    rig.post(&format!("orders/{wait}/hold"), &json!({}));
    rig
}

#[test]
fn orders_shipments_and_credit_memos_have_the_members_and_types_of_real_ones() {
    let Some(dir) = recorded_of("magento") else { return };
    let mut rig = plain_orders();
    let orders = recorded(
        &dir,
        &[
            "orders-list",
            "order-new",
            "order-processing",
            "order-complete",
            "order-closed",
            "order-canceled",
            "order-holded",
            "order-with-configurable",
        ],
    );
    let mut found = Vec::new();
    for id in rig.shop.numbers() {
        found.extend(orders.check("order", &rig.get(&format!("orders/{id}"))));
        // Some guests' names stand with their address alone; orders of a checkout tell more than those
        // that were recorded, which were made over the API.
        let known = [
            "customer_firstname: missing",
            "customer_lastname: missing",
            "customer_note_notify: the",
            "email_sent: the",
            "remote_ip: the",
        ];
        found.retain(|one| !known.iter().any(|known| one.contains(known)));
    }
    let shipments = recorded(&dir, &["shipments-list"]);
    let memos = recorded(&dir, &["creditmemos-list"]);
    for row in rig.get("shipments?searchCriteria[pageSize]=9")["items"].as_array().unwrap() {
        found.extend(shipments.check("shipment", row));
    }
    for row in rig.get("creditmemos?searchCriteria[pageSize]=9")["items"].as_array().unwrap() {
        found.extend(memos.check("memo", row));
    }
    complain(&found);
}

/// Recorded file, method, target (`{id}` is a paid order), body, and whether the token is given.
const ANSWERS: &[(&str, &str, &str, Option<&str>, &str)] = &[
    ("error-bad-json", "POST", "order/{id}/ship", Some("{\"items\":"), ACCESS_TOKEN),
    ("error-bad-token", "GET", "orders/{id}", None, "zzzz"),
    ("error-no-auth", "GET", "orders/{id}", None, ""),
    ("error-cancel-404", "POST", "orders/99999999/cancel", Some("{}"), ACCESS_TOKEN),
    ("error-method", "PATCH", "orders/{id}", None, ACCESS_TOKEN),
    ("error-no-content-type", "POST", "order/{id}/ship", Some(UNTYPED), ACCESS_TOKEN),
    ("error-order-404", "GET", "orders/99999999", None, ACCESS_TOKEN),
    ("error-order-not-a-number", "GET", "orders/abc", None, ACCESS_TOKEN),
    ("error-route-404", "GET", "nothing", None, ACCESS_TOKEN),
    ("error-ship-404", "POST", "order/99999999/ship", Some("{}"), ACCESS_TOKEN),
    ("orders-no-criteria", "GET", "orders", None, ACCESS_TOKEN),
];

#[test]
fn refusals_are_those_of_the_real_shop_to_the_letter() {
    let Some(dir) = recorded_of("magento") else { return };
    let mut rig = rig(Options::default());
    let id = rig.shop.place_order(NewOrder::paid()).to_string();
    for (file, method, target, wish, token) in ANSWERS {
        let (status, answer) = rig.ask_as(token, method, &target.replace("{id}", &id), *wish);
        let file = read(&dir.join(format!("{file}.json")));
        assert_eq!((json!(status), &answer), (file["response"]["status"].clone(), body(&file)), "{method} {target}");
    }
    for file in ["orders-bad-field", "orders-bad-sort"] {
        let file = read(&dir.join(format!("{file}.json")));
        let url = file["request"]["url"].as_str().unwrap();
        let (status, answer) =
            rig.ask_as(ACCESS_TOKEN, "GET", &format!("orders?{}", url.split_once('?').unwrap().1), None);
        let message = |body: &Value| body["message"].as_str().unwrap().split("webapi-").next().unwrap().to_owned();
        assert_eq!((status, message(&answer)), (500, message(body(&file))), "{url}");
    }
}

/// The same requests, of lists without rows or narrowed to some members.
#[test]
fn lists_repeat_what_they_were_asked_for_as_the_real_shop_does() {
    let Some(dir) = recorded_of("magento") else { return };
    let mut rig = rig(Options::default());
    for _ in 0..12 {
        rig.shop.place_order(NewOrder::paid());
    }
    for name in ["orders-empty-result", "orders-page-past-end", "orders-pagesize-0", "orders-list-fields"] {
        let file = read(&dir.join(format!("{name}.json")));
        let url = file["request"]["url"].as_str().unwrap().to_owned();
        let mut answer = rig.get(&format!("orders?{}", url.split_once('?').unwrap().1));
        assert_eq!(answer["search_criteria"], body(&file)["search_criteria"], "{name}");
        if answer["items"].is_null() {
            answer["total_count"] = body(&file)["total_count"].clone();
            assert_eq!(&answer, body(&file), "{name}");
        }
        let mut schema = Schema::default();
        schema.learn(body(&file));
        complain(&schema.check(name, &answer));
    }
}

/// The recorded story of one order, step by step: what each request is answered with, and whether
/// the order's date moved.
#[test]
fn a_recorded_story_goes_as_it_went() {
    let Some(dir) = recorded_of("magento") else { return };
    let story = read(&dir.join("order-sequence.json"));
    let steps: Vec<&Value> = story["sequence"].as_array().unwrap().iter().collect();
    let step = |name: &str| *steps.iter().find(|step| step["step"] == name).unwrap();
    let mut rig = rig(Options { invoices_at_once: true, ..Options::default() });
    let id = rig.shop.place_order(NewOrder::of(&[("TEE-001", 1), ("MUG-9", 2), ("BOOK-7", 52), ("SHIRT-S-ROT", 1)]));
    let rows = rig.get(&format!("orders/{id}"))["items"].clone();
    let before = rig.get(&format!("orders/{id}"))["updated_at"].clone();
    let names = [
        "ship one piece with a track",
        "the same request again (a retry)",
        "more than left",
        "item of another order",
        "track added to the shipment",
        "ship the rest",
        "ship again when all is shipped",
        "cancel a complete order",
    ];
    let mut first = String::new();
    for name in names {
        let (method, url) =
            (step(name)["request"]["method"].as_str().unwrap(), step(name)["request"]["url"].as_str().unwrap());
        let target = url.split_once("/V1/").unwrap().1.replace("/9/", &format!("/{id}/"));
        let mut wish = step(name)["request"]["body"].clone();
        for item in wish["items"].as_array_mut().into_iter().flatten().filter(|item| item["order_item_id"] == 20) {
            item["order_item_id"] = rows[2]["item_id"].clone();
        }
        if wish["entity"].is_object() {
            (wish["entity"]["order_id"], wish["entity"]["parent_id"]) = (json!(id), json!(first));
        }
        let (status, answer) = rig.ask_as(ACCESS_TOKEN, method, &target, Some(&wish.to_string()));
        let theirs = &step(name)["response"];
        assert_eq!(json!(status), theirs["status"], "{name}: {answer}");
        match &theirs["body"] {
            Value::String(_) => assert!(answer.is_string(), "{name}: {answer}"),
            Value::Object(members) if members.contains_key("track_number") => {
                let mut schema = Schema::default();
                schema.learn(&theirs["body"]);
                complain(&schema.check(name, &answer));
            }
            body => assert_eq!(&answer, body, "{name}"),
        }
        if first.is_empty() {
            answer.as_str().unwrap_or_default().clone_into(&mut first);
        }
        let now = rig.get(&format!("orders/{id}"));
        let left_alone = step(name)["order_after"]["updated_at"] == step("before")["order_after"]["updated_at"];
        assert_eq!(now["updated_at"] == before, left_alone, "{name}");
        assert_eq!(now["state"], step(name)["order_after"]["state"], "{name}");
        for (ours, theirs) in
            now["items"].as_array().unwrap().iter().zip(step(name)["order_after"]["items"].as_array().unwrap())
        {
            assert_eq!(ours["qty_shipped"], theirs["qty_shipped"], "{name}");
        }
    }
}
