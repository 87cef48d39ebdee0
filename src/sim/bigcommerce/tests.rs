use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::sim::Simulated;
use crate::sim::http::Store;

fn shop(options: Options) -> (Shop, Arc<ManualClock>) {
    let start = Timestamp::from_timestamp(1_795_000_000, 0).unwrap();
    let clock = Arc::new(ManualClock::at(start));
    (Shop::new(options, clock.clone()), clock)
}

fn request(method: &str, path: &str, query: &str, body: &Value) -> Request {
    Request {
        method: method.to_owned(),
        path: format!("/stores/abc123/{path}"),
        query: crate::sim::http::parse_query(query),
        headers: vec![
            ("x-auth-token".to_owned(), REHEARSAL_TOKEN.to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ],
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
        secure: false,
    }
}

fn get(shop: &Shop, path: &str, query: &str) -> Response {
    shop.handle(&request("GET", path, query, &Value::Null))
}

fn send(shop: &Shop, method: &str, path: &str, body: &Value) -> Response {
    shop.handle(&request(method, path, "", body))
}

fn ids(response: &Response) -> Vec<u64> {
    response.body_json().as_array().into_iter().flatten().filter_map(|row| row["id"].as_u64()).collect()
}

fn seconds(shop: &Shop, of: u64) -> i64 {
    shop.lock().orders[&of].modified
}

fn encoded(seconds: i64) -> String {
    Timestamp::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%dT%H:%M:%S%%2B00:00").to_string()
}

#[test]
fn an_empty_list_is_204_without_a_body() {
    let (shop, _) = shop(Options::default());
    let response = get(&shop, "v2/orders", "");
    assert_eq!((response.status, response.body.len()), (204, 0));
    let id = shop.place_order(NewOrder::paid().line("MUG-9", 1));
    assert_eq!(get(&shop, &format!("v2/orders/{id}/shipments"), "").status, 204);
    assert_eq!(get(&shop, "v3/orders/payment_actions/refunds", "").body_json()["data"], json!([]));
}

#[test]
fn errors_have_the_form_of_their_version_and_a_missing_scope_that_of_v3() {
    let (shop, _) = shop(Options { orders: Scope::ReadOnly, information: false, ..Options::default() });
    assert_eq!(get(&shop, "v2/orders/7", "").body_json()[0]["status"], 404);
    assert_eq!(get(&shop, "v3/orders/7/payment_actions/refunds", "").body_json()["status"], 404);
    assert_eq!(get(&shop, "v2/store", "").body_json()["status"], 403);
    let id = shop.place_order(NewOrder::paid().line("MUG-9", 1));
    assert_eq!(send(&shop, "PUT", &format!("v2/orders/{id}"), &json!({ "status_id": 5 })).status, 403);
    shop.set_revoked(true);
    assert_eq!(get(&shop, "v2/orders", "").status, 401);
    shop.set_down(true);
    assert_eq!(get(&shop, "v2/orders", "").status, 503);
}

#[test]
fn without_an_accept_header_v2_answers_in_xml() {
    let (shop, _) = shop(Options::default());
    shop.place_order(NewOrder::paid().line("MUG-9", 1));
    let mut bare = request("GET", "v2/orders", "", &Value::Null);
    bare.headers.retain(|(name, _)| name != "accept");
    let response = shop.handle(&bare);
    assert!(response.body.starts_with(b"<?xml") && response.header("content-type") == Some("application/xml"));
}

#[test]
fn bounds_include_or_exclude_as_the_option_has_it() {
    for (exclusive, expected) in [(false, 2), (true, 0)] {
        let (shop, clock) = shop(Options { exclusive_bounds: exclusive, ..Options::default() });
        let first = shop.place_order(NewOrder::paid().line("MUG-9", 1));
        clock.advance(TimeDelta::seconds(1));
        let last = shop.place_order(NewOrder::paid().line("MUG-9", 1));
        let (from, to) = (encoded(seconds(&shop, first)), encoded(seconds(&shop, last)));
        let found = get(&shop, "v2/orders", &format!("min_date_modified={from}&max_date_modified={to}"));
        assert_eq!(ids(&found).len(), expected);
        assert_eq!(ids(&get(&shop, "v2/orders", &format!("min_id={first}&max_id={last}"))).len(), expected);
    }
}

#[test]
fn the_quota_is_shared_with_other_apps_and_every_answer_tells_it() {
    let (shop, clock) = shop(Options { quota: 10, others: 6, ..Options::default() });
    let left = |response: &Response| response.header("X-Rate-Limit-Requests-Left").unwrap().to_owned();
    assert_eq!(left(&get(&shop, "v2/orders", "")), "9");
    clock.advance(TimeDelta::seconds(20));
    let told: Vec<String> = (0..6).map(|_| left(&get(&shop, "v2/orders", ""))).collect();
    assert_eq!(told, ["4", "3", "2", "1", "0", "0"]);
    let refused = get(&shop, "v2/orders", "");
    assert_eq!((refused.status, refused.header("X-Rate-Limit-Time-Reset-Ms")), (429, Some("10000")));
    clock.advance(TimeDelta::seconds(10));
    assert_eq!(get(&shop, "v2/orders", "").status, 204);
}

#[test]
fn consignments_come_when_asked_for_and_in_the_discouraged_form_without_the_structure() {
    let (shop, _) = shop(Options::default());
    shop.place_order(NewOrder::paid().line("TEE-001", 1).line_elsewhere("MUG-9", 2));
    let row = |query: &str| get(&shop, "v2/orders", query).body_json()[0].clone();
    assert!(row("")["consignments"]["url"].is_string());
    assert!(row("include=consignments.line_items,fees")["consignments"].is_array());
    let whole = row("include=consignments.line_items,fees&consignment_structure=object");
    assert_eq!(whole["consignments"]["shipping"].as_array().unwrap().len(), 2);
    assert_eq!(whole["consignments"]["shipping"][1]["line_items"][0]["quantity"], 2);
    shop.options().include = false;
    let unserved = row("include=consignments.line_items,fees&consignment_structure=object");
    assert!(unserved["consignments"]["url"].is_string());
}

fn shipment(shop: &Shop, id: u64, pieces: u64) -> Value {
    let details = shop.order(id).unwrap();
    let items = json!([{ "order_product_id": details.lines[0].id, "quantity": pieces }]);
    json!({ "order_address_id": details.places[0].id, "tracking_number": "JD01", "items": items })
}

#[test]
fn shipments_move_the_status_and_cannot_ship_more_than_there_is() {
    let (shop, _) = shop(Options::default());
    let id = shop.place_order(NewOrder::paid().line("MUG-9", 2));
    let path = format!("v2/orders/{id}/shipments");
    let made = send(&shop, "POST", &path, &shipment(&shop, id, 1));
    assert_eq!((made.status, shop.status(id)), (201, Some(3)));
    assert_eq!(send(&shop, "POST", &path, &shipment(&shop, id, 2)).status, 400);
    assert_eq!(send(&shop, "POST", &path, &shipment(&shop, id, 1)).status, 201);
    assert_eq!(shop.status(id), Some(2));
    assert_eq!(shop.standing(&id.to_string()).unwrap().dispatch_mails, 2);
    let first = made.body_json()["id"].as_u64().unwrap();
    assert_eq!(send(&shop, "DELETE", &format!("{path}/{first}"), &Value::Null).status, 204);
    assert_eq!(shop.status(id), Some(2), "deleting a shipment does not move the status back");
    let second = ids(&get(&shop, &path, ""))[0];
    let place = format!("{path}/{second}");
    assert_eq!(send(&shop, "PUT", &place, &json!({ "tracking_number": "1Z02" })).status, 200);
    assert_eq!(send(&shop, "PUT", &place, &json!({ "items": [] })).status, 400);
    assert_eq!(get(&shop, &place, "").body_json()["tracking_number"], "1Z02");
}

#[test]
fn what_cannot_be_written_is_refused_by_name() {
    let (shop, _) = shop(Options::default());
    let id = shop.place_order(NewOrder::paid().line("MUG-9", 2));
    let path = format!("v2/orders/{id}/shipments");
    let mut wrong = shipment(&shop, id, 1);
    wrong["items"][0]["product_id"] = json!(12);
    let refused = send(&shop, "POST", &path, &wrong);
    assert!(refused.status == 400 && refused.body_json()[0]["message"].as_str().unwrap().contains("'product_id'"));
    let mut wrong = shipment(&shop, id, 1);
    wrong["shipping_provider"] = json!("pigeon");
    assert_eq!(send(&shop, "POST", &path, &wrong).status, 400);
    assert_eq!(send(&shop, "PUT", &format!("v2/orders/{id}"), &json!({ "items_shipped": 2 })).status, 400);
    assert_eq!(shop.counters().writes, 0);
}

#[test]
fn a_put_has_the_side_effects_that_the_documents_warn_of() {
    let (shop, _) = shop(Options::default());
    let id = shop.place_order(NewOrder::paid().line("MUG-9", 2).coupon());
    shop.edit(id, |details| details.fees.push(Fee { id: 5, name: "Insurance".to_owned(), cost: world::cents(100) }));
    let path = format!("v2/orders/{id}");
    let line = shop.order(id).unwrap().lines[0].id;
    send(&shop, "PUT", &path, &json!({ "products": [{ "id": line, "quantity": 2 }], "fees": [] }));
    let details = shop.order(id).unwrap();
    assert!(details.lines[0].discount.is_zero() && details.fees.is_empty());
    let changed = send(&shop, "PUT", &path, &json!({ "status_id": 5, "staff_notes": "x" })).body_json();
    assert_eq!((&changed["status_id"], &changed["staff_notes"]), (&json!(5), &json!("x")));
}

#[test]
fn archived_orders_leave_the_list_and_are_still_there() {
    let (shop, _) = shop(Options::default());
    let id = shop.place_order(NewOrder::paid().line("MUG-9", 1));
    let path = format!("v2/orders/{id}");
    assert_eq!(send(&shop, "DELETE", &path, &Value::Null).status, 204);
    assert!(ids(&get(&shop, "v2/orders", "")).is_empty());
    assert_eq!(ids(&get(&shop, "v2/orders", "is_deleted=true")), [id]);
    assert_eq!(get(&shop, &path, "").body_json()["is_deleted"], true);
    shop.set_archived(id, false);
    shop.place_order(NewOrder::paid().line("MUG-9", 1));
    send(&shop, "DELETE", "v2/orders", &Value::Null);
    assert_eq!(shop.archived(), 2, "one call puts the whole store away");
}

#[test]
fn refunds_stand_in_v3_only() {
    let (shop, _) = shop(Options::default());
    let id = shop.place_order(NewOrder::paid().line("MUG-9", 2));
    assert!(shop.refund_pieces(&id.to_string(), 0, 1) && shop.status(id) == Some(14));
    assert_eq!(get(&shop, &format!("v2/orders/{id}"), "").body_json()["refunded_amount"], "0.0000");
    let found = get(&shop, "v3/orders/payment_actions/refunds", &format!("order_id:in={id}")).body_json();
    assert_eq!(found["data"][0]["items"][0]["quantity"], 1);
    assert_eq!(found["meta"]["pagination"]["total"], 1);
}

#[test]
fn the_list_is_cut_sorted_and_bounded() {
    let (shop, clock) = shop(Options::default());
    for _ in 0..60 {
        shop.place_order(NewOrder::paid().line("MUG-9", 1));
        clock.advance(TimeDelta::seconds(1));
    }
    assert_eq!(ids(&get(&shop, "v2/orders", "")).len(), 50);
    assert_eq!(ids(&get(&shop, "v2/orders", "page=2")).len(), 10);
    assert_eq!(get(&shop, "v2/orders", "limit=251").status, 413);
    shop.touch("100");
    assert_eq!(ids(&get(&shop, "v2/orders", "sort=date_modified:desc&limit=1")), [100]);
    assert_eq!(get(&shop, "v2/orders/count", "min_id=150").body_json()["count"], 10);
}

#[test]
fn twenty_thousand_orders_are_there_at_once() {
    let (shop, clock) = shop(Options::default());
    let now = clock.now();
    shop.seed(20_000, now - TimeDelta::days(300), now);
    assert!(shop.lock().orders.values().all(|entry| entry.order.is_none()), "made up only when looked at");
    let page = get(
        &shop,
        "v2/orders",
        "limit=250&sort=id:asc&include=consignments.line_items,fees&consignment_structure=object",
    );
    assert_eq!(ids(&page).len(), 250);
    let again = get(
        &shop,
        "v2/orders",
        "limit=250&sort=id:asc&include=consignments.line_items,fees&consignment_structure=object",
    );
    assert_eq!(page.body, again.body, "what is made up is the same every time");
}
