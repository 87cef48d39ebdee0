//! Etsy's own OpenAPI document and examples against what the simulated store answers. Without
//! `ORDERSYNC_SPECS` it says that it is skipped.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::{TimeDelta, Utc};
use ordersync::clock::SystemClock;
use ordersync::sim::etsy::{Key, NewOrder, Options, REHEARSAL_KEYSTRING, REHEARSAL_REFRESH, REHEARSAL_SECRET, Shop};
use ordersync::sim::{Exchange, Request, Simulated, Store};
use serde_json::{Value, json};
use support::openapi::{Api, Exception, complaints, specs_dir};
use support::spec::read;

/// Where the vendor's document is wrong or silent.
const EXCEPTIONS: &[Exception] = &[
    Exception { about: ".status: ", why: "the document has the statuses in small letters, real answers do not" },
    Exception {
        about: ".error_description: the document has no such member",
        why: "errors of OAuth have it, as recorded",
    },
    Exception { about: "answer 429 is not in the document", why: "recorded, and in the vendor's pages on limits" },
    Exception {
        about: "answer 403 is not in the document",
        why: "recorded of keys that are refused; the document has 401",
    },
];

fn shop(options: Options) -> Shop {
    let shop = Shop::new(options, Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false)))));
    shop.seed(300, Utc::now() - TimeDelta::days(40), Utc::now() - TimeDelta::days(1));
    for order in stories() {
        shop.place_order(order);
    }
    shop
}

/// One order for each form that a document can have.
fn stories() -> Vec<NewOrder> {
    vec![
        NewOrder::of(&[("TEE-001", 2), ("SHIRT-S-ROT", 1)]).coupon().note("don't ring"),
        NewOrder::of(&[("VOUCHER-25", 1)]),
        NewOrder::of(&[("MUG-9", 1)]).unpaid(),
        NewOrder::of(&[("BOOK-7", 1)]).wrapped(),
        NewOrder::of(&[("TEE-001", 1)]).currency("JPY"),
        NewOrder::of(&[("", 1)]),
    ]
}

/// What a request with the app's key and a token gets.
struct Client<'a> {
    shop: &'a Shop,
    token: String,
    seen: Vec<Exchange>,
}

impl<'a> Client<'a> {
    fn new(shop: &'a Shop) -> Self {
        let mut client = Self { shop, token: String::new(), seen: Vec::new() };
        let refresh = format!("{}.{REHEARSAL_REFRESH}", shop.options().seller);
        let form = format!("grant_type=refresh_token&client_id={REHEARSAL_KEYSTRING}&refresh_token={refresh}");
        let given = client.ask("POST", "/v3/public/oauth/token", &form);
        client.token = given["access_token"].as_str().unwrap().to_owned();
        client.seen.clear();
        client
    }

    /// A form, or JSON where the body is an object.
    fn ask(&mut self, method: &str, target: &str, body: &str) -> Value {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        let headers = [
            ("x-api-key", format!("{REHEARSAL_KEYSTRING}:{REHEARSAL_SECRET}")),
            ("authorization", format!("Bearer {}", self.token)),
            ("content-type", kind.to_owned()),
        ];
        let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.clone(),
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: body.as_bytes().to_vec(),
            secure: false,
        };
        let response = self.shop.handle(&request);
        let shown = serde_json::from_slice(&response.body).unwrap_or_default();
        self.seen.push(Exchange {
            method: request.method,
            path: request.path,
            query,
            headers: Vec::new(),
            body: request.body,
            status: Some(response.status),
            answer: response.body,
            faulty: false,
        });
        shown
    }

    /// About the shop's receipts.
    fn on(&mut self, method: &str, rest: &str, body: &str) -> Value {
        let shop = self.shop.options().shop;
        self.ask(method, &format!("/v3/application/shops/{shop}/receipts{rest}"), body)
    }
}

/// Everything that the store can be asked, also what it refuses.
fn everything(shop: &Shop) -> Vec<Exchange> {
    let mut client = Client::new(shop);
    let (id, token) = (shop.options().shop, client.token.clone());
    client.ask("GET", "/v3/application/openapi-ping", "");
    client.ask("GET", "/v3/application/users/me", "");
    client.ask("POST", "/v3/application/scopes", &format!("token={token}"));
    client.ask("GET", &format!("/v3/application/shops/{id}"), "");
    client.ask("GET", "/v3/application/shops/7", "");
    client.ask("GET", "/v3/application/shops/7/receipts", "");
    let since = (Utc::now() - TimeDelta::days(30)).timestamp();
    for query in [
        "".to_owned(),
        "?limit=100&offset=0&sort_on=created&sort_order=asc&was_canceled=true".to_owned(),
        format!("?limit=100&sort_on=updated&sort_order=up&min_last_modified={since}&max_last_modified=2000000000"),
        format!("?limit=100&sort_on=receipt_id&sort_order=descending&min_created={since}&max_created=2000000000"),
        "?was_paid=false&was_shipped=false&was_delivered=false&legacy=false".to_owned(),
        "?offset=100&limit=100".to_owned(),
        "?offset=200&limit=100".to_owned(),
        "?offset=999999".to_owned(),
    ] {
        client.on("GET", &query, "");
    }
    let ids: Vec<String> = shop.ids().into_iter().rev().take(6).collect();
    shop.refund(&ids[0], "1.00");
    shop.cancel(&ids[1]);
    for id in ids {
        client.on("GET", &format!("/{id}"), "");
        let body =
            json!({ "tracking_code": "JD01", "carrier_name": "dhl", "send_bcc": false, "note_to_buyer": "Hello" });
        client.on("POST", &format!("/{id}/tracking"), &body.to_string());
    }
    let id = shop.place_order(NewOrder::of(&[("TEE-001", 1)]));
    client.on("POST", &format!("/{id}/tracking"), "{}");
    client.on("PUT", &format!("/{id}"), "was_shipped=true");
    client.on("GET", "/8", "");
    client.token = "11111111.gone".to_owned();
    client.on("GET", "", "");
    client.token.clear();
    client.on("GET", "", "");
    shop.options().per_second = 0;
    client.on("GET", "", "");
    shop.options().key = Key::Inactive;
    client.ask("GET", "/v3/application/openapi-ping", "");
    client.seen
}

#[test]
fn every_answer_is_as_the_vendor_documents_it() {
    let Some(dir) = specs_dir("etsy") else { return };
    let apis = [Api::read(&dir.join("openapi-3.0.0.json"))];
    let mut exchanges = everything(&shop(Options::rehearsal()));
    exchanges.extend(everything(&shop(Options { discreet: true, omitted_is_both: true, ..Options::rehearsal() })));
    exchanges.extend(everything(&shop(Options {
        country: "US".into(),
        currency: "USD".into(),
        ..Options::rehearsal()
    })));
    let found = complaints(&apis, &exchanges, EXCEPTIONS);
    assert!(found.is_empty(), "{} complaints\n{}", found.len(), found.join("\n"));
    let good = exchanges.iter().filter(|exchange| exchange.status == Some(200)).count();
    assert!(good > 60, "{good} good answers");
}

/// The members of the objects of a document: place and name.
fn members(value: &Value, place: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(rows) => rows.iter().for_each(|row| members(row, &format!("{place}[]"), found)),
        Value::Object(object) => {
            for (name, value) in object {
                found.insert(format!("{place}.{name}"));
                members(value, &format!("{place}.{name}"), found);
            }
        }
        _ => {}
    }
}

fn members_of(values: &[Value]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    values.iter().for_each(|value| members(value, "", &mut found));
    found
}

#[test]
fn receipts_have_the_members_of_the_document_and_of_the_examples() {
    let Some(dir) = specs_dir("etsy") else { return };
    let shop = shop(Options::rehearsal());
    let shown: Vec<Value> = shop.ids().iter().map(|id| shop.document(id).unwrap()).collect();
    let mine = members_of(&shown);
    let api = Api::read(&dir.join("openapi-3.0.0.json"));
    for (place, schema) in [
        ("", "ShopReceipt"),
        (".transactions[]", "ShopReceiptTransaction"),
        (".transactions[].variations[]", "TransactionVariations"),
        (".transactions[].product_data[]", "ListingPropertyValue"),
        (".shipments[]", "ShopReceiptShipment"),
        (".refunds[]", "ShopRefund"),
        (".grandtotal", "Money"),
    ] {
        let known = api.members(schema);
        assert!(known.len() > 2, "{schema}");
        let missing: Vec<&String> = known.iter().filter(|name| !mine.contains(&format!("{place}.{name}"))).collect();
        assert!(missing.is_empty(), "{schema}: {missing:?}");
    }
    let example = |file: &str| read(&dir.join("examples").join(Path::new(file)));
    let page = example("receipts-page.synthetic.json");
    let theirs = members_of(page["results"].as_array().unwrap());
    assert_eq!(theirs.difference(&mine).collect::<Vec<_>>(), Vec::<&String>::new());
    let statuses: BTreeSet<&str> = shown.iter().filter_map(|row| row["status"].as_str()).collect();
    let capitals = |row: &Value| row["status"].as_str().unwrap().starts_with(char::is_uppercase);
    assert!(
        statuses.len() >= 5 && shown.iter().chain(page["results"].as_array().unwrap()).all(capitals),
        "{statuses:?}"
    );
}

/// The bodies of errors are those that people have recorded.
#[test]
fn errors_are_said_in_recorded_words() {
    let Some(dir) = specs_dir("etsy") else { return };
    let recorded = read(&dir.join("examples/errors.observed.json"));
    let words: BTreeSet<(u64, String)> = recorded
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["status"].as_u64().unwrap(), one["body"]["error"].as_str().unwrap().to_owned()))
        .collect();
    let shop = shop(Options::rehearsal());
    let said: BTreeSet<(u64, String)> = everything(&shop)
        .into_iter()
        .filter_map(|one| {
            let body: Value = serde_json::from_slice(&one.answer).ok()?;
            Some((u64::from(one.status?), body["error"].as_str()?.to_owned()))
        })
        .collect();
    for (status, text) in [
        (401, "invalid_token"),
        (403, "No user was provided as part of the bearer token."),
        (429, "Exceeded per second rate limit"),
        (400, "Offset provided is greater than the maximum offset allowed."),
    ] {
        let one = (status, text.to_owned());
        assert!(words.contains(&one) && said.contains(&one), "{status} {text}");
    }
}
