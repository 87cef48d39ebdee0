use std::sync::Arc;

use chrono::{TimeDelta, TimeZone, Utc};
use serde_json::{Map, Value, json};

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::sim::Simulated;
use crate::sim::graphql::parse;
use crate::sim::http::Store;

fn shop(options: Options) -> (Shop, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Utc.with_ymd_and_hms(2026, 11, 23, 7, 0, 0).unwrap()));
    (Shop::new(options, clock.clone()), clock)
}

fn ask(shop: &Shop, query: &str, variables: Value) -> Value {
    let headers = vec![("x-shopify-access-token".to_owned(), REHEARSAL_TOKEN.to_owned())];
    let request = Request {
        method: "POST".to_owned(),
        path: "/admin/api/2026-10/graphql.json".to_owned(),
        query: Vec::new(),
        headers,
        body: json!({ "query": query, "variables": variables }).to_string().into_bytes(),
        secure: false,
    };
    shop.handle(&request).body_json()
}

#[test]
fn a_list_is_paged_by_cursors_and_its_index_lags() {
    let (shop, clock) = shop(Options { lag: 30, ..Options::default() });
    for _ in 0..3 {
        shop.place_order(NewOrder::paid().line("TEE-001", 1));
    }
    let query = "query($n:Int!,$a:String){orders(first:$n,after:$a,sortKey:UPDATED_AT){pageInfo{hasNextPage endCursor} nodes{id}}}";
    assert_eq!(ask(&shop, query, json!({ "n": 2 }))["data"]["orders"]["nodes"], json!([]));
    clock.advance(TimeDelta::seconds(31));
    let first = ask(&shop, query, json!({ "n": 2 }));
    let info = &first["data"]["orders"]["pageInfo"];
    assert_eq!(
        (info["hasNextPage"].clone(), first["data"]["orders"]["nodes"].as_array().unwrap().len()),
        (json!(true), 2)
    );
    let rest = ask(&shop, query, json!({ "n": 2, "a": info["endCursor"] }));
    assert_eq!(rest["data"]["orders"]["nodes"].as_array().unwrap().len(), 1);
    let bad = ask(&shop, query, json!({ "n": 2, "a": "x" }));
    assert!(bad["errors"][0]["message"].as_str().unwrap().contains("cursor"));
}

#[test]
fn prices_are_those_recorded_from_a_real_shop() {
    let price = |query: &str| answer::DIALECT.prices.requested(&parse(query, &Map::new()).unwrap().selections).round();
    assert_eq!(price("query q{orders(first:1){nodes{id name} pageInfo{endCursor}}}"), 3.0);
    let edit =
        "query q{order(id:1){id lineItems(first:50){nodes{id variant{id} originalUnitPriceSet{shopMoney{amount}}}}}}";
    assert!((price(edit) - 17.0).abs() <= 1.0, "{}", price(edit));
    let hundred = "query q{orders(first:100){nodes{id customer{id}}}}";
    assert!((price(hundred) - 20.0).abs() <= 2.0, "{}", price(hundred));
}

#[test]
fn an_empty_bucket_throttles_inside_200_and_fills_again() {
    let (shop, clock) = shop(Options { bucket: 5.0, restore_rate: 1.0, ..Options::default() });
    let query = "query q{orders(first:1){nodes{id} pageInfo{endCursor}}}";
    assert!(ask(&shop, query, json!({}))["data"].is_object());
    while ask(&shop, query, json!({}))["errors"].is_null() {}
    assert_eq!(ask(&shop, query, json!({}))["errors"][0]["extensions"]["code"], "THROTTLED");
    clock.advance(TimeDelta::seconds(3));
    assert!(ask(&shop, query, json!({}))["data"].is_object());
}

#[test]
fn an_unknown_field_is_refused_and_an_unknown_filter_warned_of() {
    let (shop, _) = shop(Options::default());
    shop.place_order(NewOrder::paid().line("TEE-001", 1));
    let unknown = ask(&shop, "query q{orders(first:1){nodes{id colour}}}", json!({}));
    assert!(unknown["errors"][0]["message"].as_str().unwrap().contains("colour"));
    let warned = ask(&shop, "query q{orders(first:1,query:\"colour:red\"){nodes{id}}}", json!({}));
    assert_eq!(warned["extensions"]["search"][0]["warnings"][0]["code"], "invalid_field");
}

#[test]
fn a_part_shipped_twice_is_shipped_twice_and_too_much_is_refused() {
    let (shop, _) = shop(Options::default());
    let id = shop.place_order(NewOrder::paid().line("TEE-001", 2));
    let ship = |count: i64| {
        let mutation = "mutation m($f:FulfillmentInput!){fulfillmentCreate(fulfillment:$f){fulfillment{id status} userErrors{field message}}}";
        let line = format!("gid://shopify/FulfillmentOrderLineItem/{}", id + 301);
        ask(
            &shop,
            mutation,
            json!({ "f": { "lineItemsByFulfillmentOrder": [{
            "fulfillmentOrderId": format!("gid://shopify/FulfillmentOrder/{}", id + 200),
            "fulfillmentOrderLineItems": [{ "id": line, "quantity": count }] }] } }),
        )
    };
    let text = |answer: &Value| answer["data"]["fulfillmentCreate"]["userErrors"][0]["message"].clone();
    assert!(text(&ship(1)).is_null());
    assert_eq!(text(&ship(2)), "Invalid fulfillment order line item quantity requested.");
    assert!(text(&ship(1)).is_null());
    assert_eq!(shop.fulfillments(id).len(), 2);
    let closed = format!("Fulfillment order {} has an unfulfillable status= closed.", id + 200);
    assert_eq!(text(&ship(1)), closed);
}

#[test]
fn twenty_thousand_orders_are_there_at_once() {
    let (shop, clock) = shop(Options::default());
    shop.seed(20_000, clock.now() - TimeDelta::days(300), clock.now());
    let count = ask(&shop, "query q{ordersCount(limit:null){count precision}}", json!({}));
    assert_eq!(count["data"]["ordersCount"], json!({ "count": 20_000, "precision": "EXACT" }));
}
