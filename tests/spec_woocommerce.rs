//! The simulated WooCommerce shop against recorded answers of real shops. Without `ORDERSYNC_SPECS`
//! the tests pass unasked and say so.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use ordersync::clock::ManualClock;
use ordersync::sim::woocommerce::*;
use ordersync::sim::{Exchange, Request, Response, Store};
use serde_json::{Value, json};
use support::spec::{Index, Schema, body, headers, read, recorded_dir};

struct Rig {
    shop: Shop,
    clock: Arc<ManualClock>,
}

fn at(gmt: &str) -> DateTime<Utc> {
    NaiveDateTime::parse_from_str(gmt, "%Y-%m-%dT%H:%M:%S").unwrap().and_utc()
}

fn rig(options: Options) -> Rig {
    let clock = Arc::new(ManualClock::at(at("2026-11-23T06:59:23")));
    Rig { shop: Shop::new(options, clock.clone()), clock }
}

fn trusted() -> Options {
    Options { https_seen: HttpsSeen::Always, fulfillments: true, ..Options::default() }
}

impl Rig {
    fn ask_as(&self, user: Option<(&str, &str)>, method: &str, target: &str, wish: Option<Vec<u8>>) -> Response {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let basic = |(key, secret): (&str, &str)| {
            let token = base64::engine::general_purpose::STANDARD.encode(format!("{key}:{secret}"));
            ("authorization".to_owned(), format!("Basic {token}"))
        };
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(user.map(basic));
        self.shop.handle(&Request {
            method: method.to_owned(),
            path: format!("/wp-json/wc/v3/{path}"),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers,
            body: wish.unwrap_or_default(),
            secure: false,
        })
    }

    fn ask(&self, method: &str, target: &str, wish: &Value) -> Response {
        let wish = if wish.is_null() { None } else { Some(wish.to_string().into_bytes()) };
        self.ask_as(Some((REHEARSAL_KEY, REHEARSAL_SECRET)), method, target, wish)
    }

    fn get(&self, target: &str) -> Value {
        self.ask("GET", target, &Value::Null).body_json()
    }
}

fn complain(complaints: &[String]) {
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn recorded_orders(dir: &Path) -> Vec<Value> {
    let mut orders = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "json") || path.ends_with("orders-list-fields.json") {
            continue;
        }
        let file = read(&path);
        match body(&file) {
            Value::Array(rows) => orders.extend(rows.iter().filter(|row| row["order_key"].is_string()).cloned()),
            one if one["order_key"].is_string() => orders.push(one.clone()),
            _ => {}
        }
    }
    orders
}

fn populated() -> Rig {
    let rig = rig(trusted());
    let now = at("2026-11-23T06:59:23");
    rig.shop.seed(300, now - TimeDelta::days(60), now);
    rig.shop.place_order(NewOrder::paid().only_virtual());
    rig.shop.place_order(NewOrder::paid().line("SHIRT-XL-OCE", 13).coupon().customer(7));
    let refunded = rig.shop.place_order(NewOrder::paid().line("TEE-001", 3));
    let item = rig.shop.item_ids(refunded)[0];
    rig.shop.refund_line(refunded, item, 1, "4.00").unwrap();
    rig.shop.refund(refunded, "1.00", "Delle").unwrap();
    rig.shop.trash(refunded);
    rig.ask("POST", "orders", &json!({"line_items": [{"product_id": 99999, "quantity": 1}]}));
    rig
}

#[test]
fn orders_have_the_keys_and_types_of_real_ones() {
    let Some(dir) = recorded_dir() else { return };
    let mut schema = Schema::default();
    recorded_orders(&dir).iter().for_each(|order| schema.learn(order));
    let rig = populated();
    for id in rig.shop.ids() {
        complain(&schema.check("order", &rig.get(&format!("orders/{id}"))));
    }
}

#[test]
fn refunds_and_notes_have_the_keys_and_types_of_real_ones() {
    let Some(dir) = recorded_dir() else { return };
    let rig = populated();
    let id = rig.shop.ids().into_iter().rev().nth(1).unwrap();
    let of = |files: &[&str]| {
        let mut schema = Schema::default();
        files.iter().for_each(|file| schema.learn(body(&read(&dir.join(file)))));
        schema
    };
    complain(&of(&["order-refunds-list.json"]).check("refunds", &rig.get(&format!("orders/{id}/refunds"))));
    complain(&of(&["refunds-list.json"]).check("refunds", &rig.get("refunds")));
    let note = json!({"note": "Sent", "customer_note": true});
    let made = rig.ask("POST", &format!("orders/{id}/notes"), &note).body_json();
    complain(&of(&["order-note-create.json"]).check("note", &made));
    complain(&of(&["order-notes-list.json"]).check("notes", &rig.get(&format!("orders/{id}/notes"))));
    complain(&of(&["data-currencies-current.json"]).check("currency", &rig.get("data/currencies/current")));
    complain(&of(&["settings-general.json"]).check("settings", &rig.get("settings/general?_fields=id,value")));
}

/// Recorded file, method, target (`{id}` is a paid order), body, and who asks.
const ANSWERS: &[(&str, &str, &str, &str, Asker)] = &[
    ("error-bad-key.json", "GET", "orders", "", Asker::UnknownKey),
    ("error-bad-secret.json", "GET", "orders", "", Asker::WrongSecret),
    ("error-no-auth.json", "GET", "orders", "", Asker::Nobody),
    ("error-basic-over-plain-http.json", "GET", "orders", "", Asker::PlainHttp),
    ("error-customer-key-lists.json", "GET", "orders", "", Asker::Customer),
    ("error-customer-key-puts.json", "PUT", "orders/{id}", r#"{"status":"completed"}"#, Asker::Customer),
    ("error-read-key-writes.json", "PUT", "orders/{id}", r#"{"status":"completed"}"#, Asker::ReadKey),
    ("error-write-key-reads.json", "GET", "orders/{id}", "", Asker::WriteKey),
    ("error-method-not-allowed.json", "PATCH", "orders", "", Asker::Admin),
    ("error-route-404.json", "GET", "nothing-here", "", Asker::Admin),
    ("error-order-404.json", "GET", "orders/99999999", "", Asker::Admin),
    ("error-note-empty.json", "POST", "orders/{id}/notes", "{}", Asker::Admin),
    ("error-put-404.json", "PUT", "orders/99999999", r#"{"status":"completed"}"#, Asker::Admin),
    ("error-put-bad-json.json", "PUT", "orders/{id}", r#"{"status": "#, Asker::Admin),
    ("error-put-bad-status.json", "PUT", "orders/{id}", r#"{"status":"shipped"}"#, Asker::Admin),
    ("error-put-bad-type.json", "PUT", "orders/{id}", r#"{"customer_id":"abc"}"#, Asker::Admin),
    ("orders-list-bad-date.json", "GET", "orders?modified_after=yesterday", "", Asker::Admin),
    ("orders-list-bad-status.json", "GET", "orders?status=nonsense", "", Asker::Admin),
    ("orders-list-per-page-101.json", "GET", "orders?per_page=101", "", Asker::Admin),
    ("orders-list-past-end.json", "GET", "orders?per_page=100&page=9999", "", Asker::Admin),
    ("orders-list-empty-status.json", "GET", "orders?status=pending&search=doesnotexist12345", "", Asker::Admin),
    ("order-refund-too-much.json", "POST", "orders/{id}/refunds", r#"{"amount":"99999.00"}"#, Asker::Admin),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asker {
    Admin,
    Customer,
    ReadKey,
    WriteKey,
    Nobody,
    UnknownKey,
    WrongSecret,
    PlainHttp,
}

fn options_for(asker: Asker) -> Options {
    let key = match asker {
        Asker::Customer => Key::rehearsal(Permission::ReadWrite, Rights::Customer),
        Asker::ReadKey => Key::rehearsal(Permission::Read, Rights::Admin),
        Asker::WriteKey => Key::rehearsal(Permission::Write, Rights::Admin),
        _ => Key::rehearsal(Permission::ReadWrite, Rights::Admin),
    };
    let https_seen = if asker == Asker::PlainHttp { HttpsSeen::Never } else { HttpsSeen::Always };
    Options { keys: vec![key], https_seen, ..trusted() }
}

fn without_hosts(text: &str) -> String {
    let text = text.replace("http://127.0.0.1:8089", "HOME").replace("http://127.0.0.1:8088", "HOME");
    text.replace("http://127.0.0.1/", "HOME/")
}

#[test]
fn refusals_and_empty_lists_are_those_of_real_shops_to_the_letter() {
    let Some(dir) = recorded_dir() else { return };
    for (file, method, target, wish, asker) in ANSWERS {
        let rig = rig(options_for(*asker));
        let id = rig.shop.place_order(NewOrder::paid());
        let user = match asker {
            Asker::Nobody => None,
            Asker::UnknownKey => Some(("ck_nope", "cs_nope")),
            Asker::WrongSecret => Some((REHEARSAL_KEY, "cs_nope")),
            _ => Some((REHEARSAL_KEY, REHEARSAL_SECRET)),
        };
        let wish = if wish.is_empty() { None } else { Some(wish.as_bytes().to_vec()) };
        let ours = rig.ask_as(user, method, &target.replace("{id}", &id.to_string()), wish);
        let real = read(&dir.join(file));
        assert_eq!(json!(ours.status), real["response"]["status"], "{file}");
        assert_eq!(&ours.body_json(), body(&real), "{file}");
        compare_headers(file, &real, &ours);
    }
}

/// Same header names, and the same values but for the host. What the web server before a shop adds
/// is not in its recorded answers: `Date`, and what it asks for in `WWW-Authenticate`.
fn compare_headers(file: &str, real: &Value, ours: &Response) {
    let real: Vec<_> = headers(real).into_iter().map(|(name, value)| (name, without_hosts(&value))).collect();
    let mut ours: Vec<_> = ours.headers.iter().map(|(name, value)| (name.clone(), without_hosts(value))).collect();
    ours.retain(|(name, _)| name != "WWW-Authenticate" && name != "Date");
    ours.sort();
    assert_eq!(ours, real, "{file}");
}

#[test]
fn paging_headers_are_those_of_real_shops() {
    let Some(dir) = recorded_dir() else { return };
    let rig = rig(trusted());
    let now = at("2026-11-23T06:59:23");
    rig.shop.seed(300, now - TimeDelta::days(60), now);
    let target = "orders?per_page=5&page=2&_fields=id,number,status,date_modified_gmt,total&orderby=modified&order=asc";
    let ours = rig.ask("GET", target, &Value::Null);
    let real = read(&dir.join("orders-list-fields.json"));
    compare_headers("orders-list-fields.json", &real, &ours);
    let mut schema = Schema::default();
    schema.learn(body(&real));
    complain(&schema.check("row", &ours.body_json()));
}

const SHOPS: [(&str, Profile); 3] =
    [("", Profile::V10_5), ("10.0.2", Profile::V10_0_2), ("10.0.2-posts", Profile::V10_0_2Posts)];

#[test]
fn date_filters_find_what_real_shops_found() {
    let Some(dir) = recorded_dir() else { return };
    for (sub, profile) in SHOPS {
        let real = read(&dir.join(sub).join("semantics.json"));
        let modified = real["modified_after"]["order"]["date_modified_gmt"].as_str().unwrap();
        let rig = rig(Options { profile, ..trusted() });
        rig.shop.place_order(NewOrder::paid().at(at(modified)));
        for (name, test) in real["modified_after"]["tests"].as_object().unwrap() {
            let ours = rig.ask("GET", &format!("orders?{}", test["query"].as_str().unwrap()), &Value::Null);
            match test["contains_the_order"].as_bool() {
                Some(found) => assert_eq!(ours.body_json().as_array().unwrap().len() == 1, found, "{sub} {name}"),
                None => assert_eq!(ours.body_json()["code"], test["contains_the_order"], "{sub} {name}"),
            }
            assert_eq!(ours.header("X-WP-Total"), test["total"].as_str(), "{sub} {name}");
        }
    }
}

#[test]
fn hidden_statuses_are_listed_where_real_shops_list_them() {
    let Some(dir) = recorded_dir() else { return };
    for (sub, profile) in SHOPS {
        let real = read(&dir.join(sub).join("semantics.json"));
        for (status, seen) in real["hidden_statuses"].as_object().unwrap() {
            let stored = seen["stored_as"].as_str().unwrap();
            let rig = rig(Options { profile, ..trusted() });
            rig.shop.place_order(NewOrder::paid().unpaid().status(stored));
            let found = |query: &str| rig.get(&format!("orders?_fields=id{query}"));
            let same = |ours: &Value, real: &Value| match real.as_array() {
                Some(rows) => ours.as_array().map(Vec::len) == Some(rows.len()),
                None => ours["code"] == *real,
            };
            assert!(same(&found(""), &seen["in_default_list"]), "{sub} {status} default");
            assert!(same(&found("&status=any"), &seen["in_status_any"]), "{sub} {status} any");
            let own = found(&format!("&status={status}"));
            assert!(same(&own, &seen["in_status_own"]), "{sub} {status} own: {own}");
        }
    }
}

#[test]
fn the_date_of_modification_moves_when_it_does_in_real_shops() {
    let Some(dir) = recorded_dir() else { return };
    let steps: [(&str, &str, &str, Value); 13] = [
        ("PUT status processing", "PUT", "", json!({"status": "processing"})),
        ("PUT status processing again (no change)", "PUT", "", json!({"status": "processing"})),
        ("PUT empty body", "PUT", "", json!({})),
        ("POST customer note", "POST", "/notes", json!({"note": "x", "customer_note": true})),
        ("POST private note", "POST", "/notes", json!({"note": "x"})),
        ("PUT meta_data", "PUT", "", json!({"meta_data": [{"key": "_tracking_number", "value": "1"}]})),
        ("PUT same meta_data again", "PUT", "", json!({"meta_data": [{"key": "_tracking_number", "value": "1"}]})),
        ("POST partial refund", "POST", "/refunds", json!({"amount": "5.00", "api_refund": false})),
        ("PUT status completed", "PUT", "", json!({"status": "completed"})),
        ("PUT completed -> processing (backwards)", "PUT", "", json!({"status": "processing"})),
        ("PUT status cancelled", "PUT", "", json!({"status": "cancelled"})),
        ("DELETE (trash)", "DELETE", "", Value::Null),
        ("PUT restore from trash", "PUT", "", json!({"status": "processing"})),
    ];
    for (sub, profile) in SHOPS {
        let real = read(&dir.join(sub).join("order-sequence.json"));
        let rig = rig(Options { profile, ..trusted() });
        let id = rig.shop.place_order(NewOrder::paid().unpaid().status("pending"));
        for (name, method, below, wish) in &steps {
            let step = &real["sequence"][*name];
            let before = rig.shop.order_json(id).unwrap()["date_modified_gmt"].clone();
            rig.clock.advance(TimeDelta::seconds(2));
            let ours = rig.ask(method, &format!("orders/{id}{below}"), wish);
            assert_eq!(json!(ours.status), step["status"], "{sub} {name}");
            let after = rig.shop.order_json(id).unwrap();
            assert_eq!(after["status"], step["after"]["status"], "{sub} {name}");
            let moved = step["modified_before"] != step["after"]["date_modified_gmt"];
            assert_eq!(before != after["date_modified_gmt"], moved, "{sub} {name}");
        }
    }
}

#[test]
fn fulfillments_answer_step_by_step_as_in_the_real_shop() {
    let Some(dir) = recorded_dir() else { return };
    let real = read(&dir.join("fulfillments-sequence.json"));
    let rig = rig(trusted());
    let order = rig.shop.place_order(NewOrder::paid().line("TEE-001", 3).line("SHIRT-S-ROT", 1));
    let items = rig.shop.item_ids(order);
    let translate = |text: String| {
        let text = text.replace("orders/361", &format!("orders/{order}")).replace("\"361\"", &format!("\"{order}\""));
        text.replace("1850", &items[0].to_string()).replace("1851", &items[1].to_string())
    };
    // The last steps were asked with other keys.
    for (at, step) in real["steps"].as_array().unwrap().iter().enumerate().take(23) {
        let request = &step["request"];
        let target = translate(request["url"].as_str().unwrap().split_once("/wc/v3/").unwrap().1.to_owned());
        let wish = serde_json::from_str(&translate(request["body"].to_string())).unwrap();
        let ours = rig.ask(request["method"].as_str().unwrap(), &target, &wish);
        assert_eq!(json!(ours.status), step["response"]["status"], "step {at}: {target}");
        let real = serde_json::from_str::<Value>(&translate(body(step).to_string())).unwrap();
        if ours.status >= 400 {
            assert_eq!(ours.body_json(), real, "step {at}: {target}");
        } else if !target.contains("lookup") {
            let (ours, real) = (without_times(&ours.body_json()), without_times(&real));
            assert_eq!(ours, real, "step {at}: {target}");
        }
    }
}

/// The same answer without its dates, which come from another clock.
fn without_times(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_times).collect(),
        Value::Object(fields) if fields.get("key") == Some(&json!("_date_fulfilled")) => json!("when"),
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(key, _)| *key != "date_updated");
            Value::Object(kept.map(|(key, value)| (key.clone(), without_times(value))).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn the_index_names_only_routes_and_parameters_that_real_shops_have() {
    let Some(index) = Index::recorded() else { return };
    let ours = rig(trusted()).get("");
    for (pattern, route) in ours["routes"].as_object().unwrap() {
        let real = index.route(pattern).unwrap_or_else(|| panic!("no real shop has {pattern}"));
        // Of products only what is read of them is here.
        let read_only = pattern.starts_with("/wc/v3/products") && route["methods"] == json!(["GET"]);
        assert!(read_only || route["methods"] == real["methods"], "{pattern}");
        for (at, endpoint) in route["endpoints"].as_array().unwrap().iter().enumerate() {
            for (name, arg) in endpoint["args"].as_object().into_iter().flatten() {
                let known = &real["endpoints"][at]["args"][name];
                assert_eq!(arg["type"], known["type"], "{pattern} {name}");
                for key in ["enum", "default", "minimum", "maximum", "format"] {
                    assert!(arg[key].is_null() || arg[key] == known[key], "{pattern} {name} {key}");
                }
            }
        }
    }
}

/// A recorded request as an exchange.
fn exchange(recorded: &Value) -> Option<Exchange> {
    let request = recorded.get("request")?;
    let url = url::Url::parse(request["url"].as_str()?).unwrap();
    let body = &request["body"];
    Some(Exchange {
        method: request["method"].as_str()?.to_owned(),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers: Vec::new(),
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
        status: None,
        answer: Vec::new(),
        faulty: false,
    })
}

#[test]
fn the_check_of_requests_takes_what_real_shops_took_and_minds_what_they_refused() {
    let Some(dir) = recorded_dir() else { return };
    let index = Index::load(&dir.join("wc-v3-index.json"));
    let mut taken = 0;
    for entry in std::fs::read_dir(&dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let file =
            if path.is_file() && path.extension().is_some_and(|kind| kind == "json") { read(&path) } else { continue };
        let good = file["response"]["status"].as_u64().is_some_and(|status| status < 300);
        if let Some(one) = exchange(&file).filter(|_| good) {
            complain(&index.check(&one));
            taken += 1;
        }
    }
    assert!(taken > 30, "{taken}");
    let refused = [
        "orders-list-bad-date.json",
        "orders-list-bad-status.json",
        "orders-list-per-page-101.json",
        "error-put-bad-status.json",
        "error-put-bad-type.json",
        "error-put-bad-json.json",
        "error-note-empty.json",
        "error-route-404.json",
        "error-method-not-allowed.json",
    ];
    for file in refused {
        assert!(!index.check(&exchange(&read(&dir.join(file))).unwrap()).is_empty(), "{file}");
    }
}

/// Everything that the program asks of a shop in its daily work.
fn daily_work(options: Options) -> Vec<Exchange> {
    let rig = support::woo::Rig { served: support::woo::Served::new(options), home: support::woo::home() };
    let now = Utc::now();
    let first = rig.shop.seed(60, now - TimeDelta::days(2), now - TimeDelta::hours(1));
    rig.connect("--set page_size=5").exits(0);
    rig.home.run("sync").exits(0);
    rig.shop.touch_many(&(first..first + 12).collect::<Vec<_>>());
    let (one, other) = (rig.paid(3), rig.shop.place_order(NewOrder::paid().line("MUG-9", 1)));
    rig.shop.trash(first);
    rig.shop.refund_silently(first + 1, "1.00").unwrap();
    rig.home.sql("UPDATE cursors SET looked_at = 0 WHERE walk LIKE 'pass/%'");
    for words in ["sync", "sync --since 3d", "sync --since 3d --until 1d", "sync --full", "connect --test", "doctor"] {
        rig.home.run(words).exits(0);
    }
    rig.home.run(&format!("pull woocommerce:{one}")).exits(0);
    // A part, where the shop takes parts.
    rig.home.run(&format!("dispatch woocommerce:{one} --carrier dhl --tracking JD01 --item TEE-001=1")).done();
    rig.home
        .run(&format!("dispatch woocommerce:{one} --carrier ups --tracking 1Z1 --tracking 1Z2 --no-notify"))
        .exits(0);
    rig.home.run(&format!("cancel woocommerce:{other} --reason sold-out")).exits(0);
    rig.server.requests()
}

#[test]
fn the_program_sends_only_what_a_real_shop_takes() {
    let Some(index) = Index::recorded() else { return };
    // Routes of an extension that the recorded shop had not.
    let index = index.with_extra("/shipment-trackings");
    let shops = [
        Options::demo(),
        Options { fulfillments: false, permalinks: Permalinks::Plain, ..Options::demo() },
        Options { fulfillments: false, tracking: Tracking::On, prefix: "/shop".to_owned(), ..Options::demo() },
        Options { profile: Profile::V10_0_2, https_seen: HttpsSeen::AsConnected, ..Options::demo() },
        Options { profile: Profile::V5_6, ..Options::demo() },
    ];
    for options in shops {
        let exchanges = daily_work(options);
        let writes = exchanges.iter().filter(|exchange| exchange.is_write()).count();
        assert!(exchanges.len() > 60 && writes >= 4, "{} requests, {writes} writes", exchanges.len());
        complain(&exchanges.iter().flat_map(|exchange| index.check(exchange)).collect::<Vec<_>>());
        let refused: Vec<String> = exchanges
            .iter()
            .filter(|exchange| exchange.status.is_none_or(|status| status >= 400) && exchange.path.contains("wc/v3"))
            .map(|exchange| format!("{} {} {:?}", exchange.method, exchange.path, exchange.status))
            .collect();
        assert!(refused.is_empty(), "{refused:?}");
    }
}
