//! eBay's own OpenAPI documents against what the simulated store answers. Without `ORDERSYNC_SPECS`
//! it says that it is skipped.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use ordersync::clock::SystemClock;
use ordersync::sim::ebay::{NewOrder, Options, REHEARSAL_CLIENT_ID, REHEARSAL_CLIENT_SECRET, REHEARSAL_REFRESH, Shop};
use ordersync::sim::{Exchange, Request, Simulated, Store};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::openapi::{Api, Exception, complaints, specs_dir};

/// Where the vendor's documents are wrong or silent.
const EXCEPTIONS: &[Exception] = &[
    Exception { about: ".legacyOrderId: the document has no such member", why: "live orders have it" },
    Exception { about: "answer 201 is not JSON", why: "what was made is named in Location; the body is empty" },
    Exception { about: "answer 401 is not in the document", why: "recorded of tokens that are none" },
    Exception { about: "answer 403 is not in the document", why: "recorded of scopes that are missing" },
    Exception { about: "answer 429 is not in the document", why: "in the vendor's pages on limits" },
    Exception {
        about: "POST /cancellation: takes no body",
        why: "that file lists paths; the bodies are in the vendor's pages",
    },
    Exception { about: "POST /cancellation/check_eligibility: takes no body", why: "the same" },
    Exception { about: "GET /cancellation/search: unknown parameter", why: "the same of parameters" },
    Exception { about: " has a body", why: "the documents give errors no schema; all of them have one form" },
];

const SCOPE: &str = "https://api.ebay.com/oauth/api_scope";

fn shop(options: Options) -> Shop {
    let shop = Shop::new(options, Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false)))));
    shop.seed(300, Utc::now() - TimeDelta::days(120), Utc::now() - TimeDelta::days(1));
    for order in stories() {
        shop.place_order(order);
    }
    shop
}

/// One order for each form that a document can have.
fn stories() -> Vec<NewOrder> {
    let plain = || NewOrder::of(&[("TEE-001", 2), ("SHIRT-S-ROT", 1)]);
    let mut all: Vec<NewOrder> =
        ["", "hub", "authenticity", "fulfilled-by-ebay", "tagged", "label", "localized", "adjusted"]
            .into_iter()
            .map(|source| plain().source(source).coupon().note("don't ring").currency_at("USD", 10_800).wrapped())
            .collect();
    all.extend((0..16).map(|_| plain().fee("Tire recycling", 100).duties(250)));
    all.push(NewOrder::of(&[("VOUCHER-25", 1)]));
    all.push(plain().picked_up());
    all.push(plain().unpaid());
    all.push(plain().status("failed"));
    all.push(NewOrder::of(&[("", 1)]).currency("JPY"));
    all
}

/// What a request with a token gets.
struct Client<'a> {
    shop: &'a Shop,
    user: String,
    app: String,
    seen: Vec<Exchange>,
}

impl<'a> Client<'a> {
    fn new(shop: &'a Shop) -> Self {
        let mut client = Self { shop, user: String::new(), app: String::new(), seen: Vec::new() };
        let basic = STANDARD.encode(format!("{REHEARSAL_CLIENT_ID}:{REHEARSAL_CLIENT_SECRET}"));
        let mut token = |form: &[(&str, &str)]| {
            let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            let given = client.ask(&format!("Basic {basic}"), "POST", "/identity/v1/oauth2/token", &form);
            given["access_token"].as_str().unwrap().to_owned()
        };
        let user = token(&[("grant_type", "refresh_token"), ("refresh_token", REHEARSAL_REFRESH)]);
        let app = token(&[("grant_type", "client_credentials"), ("scope", SCOPE)]);
        client.seen.clear();
        Self { user, app, ..client }
    }

    fn ask(&mut self, authorization: &str, method: &str, target: &str, body: &str) -> Value {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        let headers =
            [("authorization", authorization), ("content-type", kind), ("x-ebay-c-marketplace-id", "EBAY_DE")];
        let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.clone(),
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
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

    fn user(&mut self, method: &str, target: &str, body: &Value) -> Value {
        let (token, body) = (format!("Bearer {}", self.user), text(body));
        self.ask(&token, method, target, &body)
    }

    fn app(&mut self, method: &str, target: &str, body: &Value) -> Value {
        let (token, body) = (format!("Bearer {}", self.app), text(body));
        self.ask(&token, method, target, &body)
    }

    fn post_order(&mut self, method: &str, rest: &str, body: &Value) -> Value {
        let (token, body) = (format!("IAF {}", self.user), text(body));
        self.ask(&token, method, &format!("/post-order/v2/cancellation{rest}"), &body)
    }
}

fn text(body: &Value) -> String {
    if body.is_null() { String::new() } else { body.to_string() }
}

const ORDERS: &str = "/sell/fulfillment/v1/order";

fn at(days: i64) -> String {
    (Utc::now() - TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Everything about orders that the store can be asked, also what it refuses.
fn orders(client: &mut Client<'_>) {
    let none = Value::Null;
    for query in [
        "".to_owned(),
        "?limit=200&offset=0&fieldGroups=TAX_BREAKDOWN".to_owned(),
        format!("?filter=lastmodifieddate:[{}..{}]&limit=200&offset=200", at(200), at(0)),
        format!("?filter=creationdate:[{}..],orderfulfillmentstatus:{{NOT_STARTED|IN_PROGRESS}}", at(100)),
        "?limit=201".to_owned(),
        "?filter=orderfulfillmentstatus:{NOT_STARTED}".to_owned(),
    ] {
        client.user("GET", &format!("{ORDERS}{query}"), &none);
    }
    let ids = client.shop.ids();
    client.user("GET", &format!("{ORDERS}?orderIds={},{}", ids[0], ids[1]), &none);
    client.shop.refund(&ids[0], "1.00");
    client.shop.cancel(&ids[1]);
    for id in ids.iter().take(80) {
        client.user("GET", &format!("{ORDERS}/{id}?fieldGroups=TAX_BREAKDOWN"), &none);
        client.user("GET", &format!("{ORDERS}/{id}/shipping_fulfillment"), &none);
    }
    let id = client.shop.place(&NewOrder::of(&[("TEE-001", 2)]));
    let line = client.user("GET", &format!("{ORDERS}/{id}"), &none)["lineItems"][0]["lineItemId"].clone();
    let items = json!([{ "lineItemId": line, "quantity": 1 }]);
    let body =
        json!({ "lineItems": items, "shippingCarrierCode": "DHL", "trackingNumber": "JD01", "shippedDate": at(0) });
    let path = format!("{ORDERS}/{id}/shipping_fulfillment");
    client.user("POST", &path, &json!({ "lineItems": items, "shippingCarrierCode": "DHL", "trackingNumber": "JD01" }));
    client.user("POST", &path, &body);
    client.user("GET", &path, &none);
    client.user("GET", &format!("{path}/JD01"), &none);
    client.user("GET", &format!("{path}/JD02"), &none);
    client.user("GET", &format!("{ORDERS}/14-00000-00000"), &none);
    client.user("GET", &format!("{ORDERS}/14-00000-00000/shipping_fulfillment/X"), &none);
    client.user("GET", "/commerce/identity/v1/user/", &none);
    client.app("GET", ORDERS, &none);
    client.ask("", "GET", ORDERS, "");
}

fn cancellations(client: &mut Client<'_>) {
    let none = Value::Null;
    let id = client.shop.place(&NewOrder::of(&[("TEE-001", 2)]));
    client.post_order("POST", "/check_eligibility", &json!({ "legacyOrderId": id }));
    let wish = json!({ "legacyOrderId": id, "cancelReason": "OUT_OF_STOCK_OR_CANNOT_FULFILL" });
    let made = client.post_order("POST", "", &wish)["cancelId"].as_str().unwrap().to_owned();
    client.post_order("GET", &format!("/{made}"), &none);
    client.post_order("GET", "/search?legacy_order_id=1", &none);
}

/// An endpoint that answers challenges, for so many connections.
fn endpoint(token: &'static str, times: usize) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let mine = address.clone();
    let thread = std::thread::spawn(move || {
        (0..times)
            .map(|_| {
                let (stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut head, mut length) = (String::new(), 0);
                while reader.read_line(&mut head).unwrap() > 2 {
                    let line = head.lines().last().unwrap_or_default().to_lowercase();
                    if let Some(sent) = line.strip_prefix("content-length:") {
                        length = sent.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let code =
                    head.split("challenge_code=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
                let hash: String =
                    Sha256::digest(format!("{code}{token}{mine}")).iter().map(|byte| format!("{byte:02x}")).collect();
                let answer = json!({ "challengeResponse": hash }).to_string();
                let head_back = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
                write!(&stream, "{head_back}Content-Length: {}\r\n\r\n{answer}", answer.len()).unwrap();
                format!("{head}{}", String::from_utf8_lossy(&body))
            })
            .collect()
    });
    (address, thread)
}

fn application(client: &mut Client<'_>) {
    const TOKEN: &str = "rehearsal-verification-token-0123456789";
    let none = Value::Null;
    let (address, thread) = endpoint(TOKEN, 3);
    let notification = |rest: &str| format!("/commerce/notification/v1/{rest}");
    client.app("GET", &notification("config"), &none);
    let destination = json!({
        "name": "orders", "status": "ENABLED", "deliveryConfig": { "endpoint": address, "verificationToken": TOKEN },
    });
    client.app("POST", &notification("destination"), &destination);
    client.app("PUT", &notification("config"), &json!({ "alertEmail": "seller@greencat.test" }));
    client.app("GET", &notification("config"), &none);
    client.app("GET", &notification("topic?limit=20"), &none);
    client.app("GET", &notification("topic/ORDER_CONFIRMATION"), &none);
    client.app("POST", &notification("destination"), &destination);
    client.app("PUT", &notification("destination/1"), &destination);
    client.app("GET", &notification("destination?limit=10"), &none);
    client.app("GET", &notification("destination/1"), &none);
    let wish = json!({
        "topicId": "ORDER_CONFIRMATION", "status": "ENABLED", "destinationId": "1",
        "payload": { "format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS" },
    });
    client.app("POST", &notification("subscription"), &wish);
    client.user("POST", &notification("subscription"), &wish);
    client.user("GET", &notification("subscription"), &none);
    client.user("GET", &notification("subscription/1"), &none);
    client.user("POST", &notification("subscription/1/test"), &none);
    let told = thread.join().unwrap();
    assert!(told[2].to_lowercase().contains("x-ebay-signature: "), "{told:?}");
    client.user("POST", &notification("subscription/1/disable"), &none);
    client.user("POST", &notification("subscription/1/enable"), &none);
    client.app("DELETE", &notification("destination/1"), &none);
    client.user("DELETE", &notification("subscription/1"), &none);
    client.app("DELETE", &notification("destination/1"), &none);
    client.app("GET", &notification("public_key/5f1c8e30-0b1d-4b7c-9d0e-3c5a7e2f9b10"), &none);
    client.app("GET", &notification("public_key/nobody"), &none);
    let keys = "/developer/key_management/v1/signing_key";
    let made = client.app("POST", keys, &json!({ "signingKeyCipher": "ED25519" }));
    client.app("GET", keys, &none);
    client.app("GET", &format!("{keys}/{}", made["signingKeyId"].as_str().unwrap()), &none);
    client.app("GET", &format!("{keys}/nobody"), &none);
    client.app("POST", keys, &json!({ "signingKeyCipher": "RSA" }));
    client.app("GET", "/developer/analytics/v1_beta/rate_limit/?api_context=sell&api_name=fulfillment", &none);
    client.app("GET", "/developer/analytics/v1_beta/rate_limit/?api_name=nobody", &none);
    client.user("GET", "/developer/analytics/v1_beta/user_rate_limit/", &none);
    client.shop.options().per_day = 0;
    client.user("GET", ORDERS, &none);
}

fn everything(shop: &Shop) -> Vec<Exchange> {
    let mut client = Client::new(shop);
    orders(&mut client);
    cancellations(&mut client);
    application(&mut client);
    client.seen
}

fn apis(dir: &std::path::Path) -> Vec<Api> {
    let files = [
        "sell_fulfillment_v1_oas3.json",
        "commerce_identity_v1_oas3.json",
        "commerce_notification_v1_oas3.json",
        "developer_analytics_v1_beta_oas3.json",
        "developer_key_management_v1_oas3.json",
        "post_order_cancellation_oas3.json",
    ];
    files.iter().map(|file| Api::read(&dir.join("openapi").join(file))).collect()
}

#[test]
fn every_answer_is_as_the_vendor_documents_it() {
    let Some(dir) = specs_dir("ebay") else { return };
    let mut exchanges =
        everything(&shop(Options { repeats: ordersync::sim::ebay::Repeats::Conflict, ..Options::rehearsal() }));
    exchanges.extend(everything(&shop(Options {
        country: "US".into(),
        currency: "USD".into(),
        marketplace: "EBAY_US".into(),
        ..Options::rehearsal()
    })));
    let found = complaints(&apis(&dir), &exchanges, EXCEPTIONS);
    assert!(found.is_empty(), "{} complaints\n{}", found.len(), found.join("\n"));
    let good = exchanges.iter().filter(|exchange| exchange.status == Some(200)).count();
    assert!(good > 300, "{good} good answers");
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

/// What no story has: a dispute's, an installer's or a store's own, and what is there for the future.
const UNTOLD: &[&str] = &[
    "appointment",
    "compatibilityProperties",
    "ebayCollectedCharges",
    "linkedOrderLineItems",
    "shippingIntermediationFee",
    "handlingCost",
    "ebayVault",
    "outcomeReason",
    "refundReferenceId",
    "paymentReferenceId",
    "county",
    "recipientEmail",
    "city",
    "releaseDate",
];

#[test]
fn orders_have_the_members_of_the_document() {
    let Some(dir) = specs_dir("ebay") else { return };
    let shop = shop(Options::rehearsal());
    let ids = shop.ids();
    ids.iter().step_by(5).for_each(|id| assert!(shop.refund(id, "1.00")));
    let mut mine = BTreeSet::new();
    for id in &ids {
        members(&shop.document(id).unwrap(), "", &mut mine);
    }
    let api = &apis(&dir)[0];
    for (place, schema) in [
        ("", "Order"),
        (".buyer", "Buyer"),
        (".buyer.taxAddress", "TaxAddress"),
        (".cancelStatus", "CancelStatus"),
        (".cancelStatus.cancelRequests[]", "CancelRequest"),
        (".fulfillmentStartInstructions[]", "FulfillmentStartInstruction"),
        (".fulfillmentStartInstructions[].shippingStep", "ShippingStep"),
        (".fulfillmentStartInstructions[].shippingStep.shipTo", "ExtendedContact"),
        (".fulfillmentStartInstructions[].shippingStep.shipTo.contactAddress", "Address"),
        (".lineItems[]", "LineItem"),
        (".lineItems[].deliveryCost", "DeliveryCost"),
        (".lineItems[].ebayCollectAndRemitTaxes[]", "EbayCollectAndRemitTax"),
        (".lineItems[].giftDetails", "GiftDetails"),
        (".lineItems[].lineItemFulfillmentInstructions", "LineItemFulfillmentInstructions"),
        (".lineItems[].properties", "LineItemProperties"),
        (".lineItems[].refunds[]", "LineItemRefund"),
        (".paymentSummary", "PaymentSummary"),
        (".paymentSummary.payments[]", "Payment"),
        (".paymentSummary.payments[].amount", "Amount"),
        (".paymentSummary.payments[].paymentHolds[]", "PaymentHold"),
        (".paymentSummary.refunds[]", "OrderRefund"),
        (".pricingSummary", "PricingSummary"),
        (".program", "Program"),
    ] {
        let known = api.members(schema);
        assert!(known.len() > 1, "{schema}");
        let missing = known.iter().filter(|name| !mine.contains(&format!("{place}.{name}")));
        let missing: Vec<&String> = missing.filter(|name| !UNTOLD.contains(&name.as_str())).collect();
        assert!(missing.is_empty(), "{schema}: {missing:?}");
    }
}

/// The bodies of errors are those that people have recorded.
#[test]
fn errors_are_said_in_recorded_words() {
    let Some(dir) = specs_dir("ebay") else { return };
    let read = |file: &str| support::spec::read(&dir.join("examples").join(file));
    let recorded = read("errors.json");
    let shop = shop(Options::rehearsal());
    let said: Vec<Value> =
        everything(&shop).into_iter().filter_map(|one| serde_json::from_slice(&one.answer).ok()).collect();
    for name in ["rest_403_scope", "rest_429"] {
        assert!(said.contains(&recorded[name]), "{name}");
    }
    for name in ["fulfillment_400_filter", "rest_401_invalid_token"] {
        let wanted = &recorded[name]["errors"][0];
        let has =
            |body: &Value| ["errorId", "domain", "category"].iter().all(|key| body["errors"][0][key] == wanted[key]);
        let mut client = Client::new(&shop);
        client.user = "v^1.1#gone".to_owned();
        shop.options().per_day = 100_000;
        let gone = client.user("GET", ORDERS, &Value::Null);
        assert!(said.iter().chain([&gone]).any(has), "{name}");
    }
}
