//! Behaviour of the simulated shop, each with the observation on real shops that it repeats.

use std::sync::Arc;

use base64::Engine;
use chrono::{TimeDelta, TimeZone, Utc};
use serde_json::{Value, json};

use super::lists::row_ids;
use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::sim::http::{Store, parse_query};

fn start() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
}

fn trusted() -> Options {
    Options { https_seen: HttpsSeen::Always, ..Options::default() }
}

fn shop(options: Options) -> (Shop, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(start()));
    (Shop::new(options, clock.clone()), clock)
}

fn request(method: &str, target: &str, body: Option<Value>) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let token = base64::engine::general_purpose::STANDARD.encode(format!("{REHEARSAL_KEY}:{REHEARSAL_SECRET}"));
    Request {
        method: method.to_owned(),
        path: format!("/wp-json/wc/v3/{path}"),
        query: parse_query(query),
        headers: vec![
            ("authorization".to_owned(), format!("Basic {token}")),
            ("content-type".to_owned(), "application/json".to_owned()),
        ],
        body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        secure: false,
    }
}

fn get(shop: &Shop, target: &str) -> Response {
    shop.handle(&request("GET", target, None))
}

fn send(shop: &Shop, method: &str, target: &str, body: Value) -> Response {
    shop.handle(&request(method, target, Some(body)))
}

fn code(response: &Response) -> (u16, String) {
    (response.status, response.body_json()["code"].as_str().unwrap_or_default().to_owned())
}

fn pages(shop: &Shop, query: &str) -> Vec<u64> {
    let mut rows = Vec::new();
    for page in 1.. {
        let found = row_ids(&get(shop, &format!("orders?per_page=7&page={page}&_fields=id&{query}")));
        if found.is_empty() {
            return rows;
        }
        rows.extend(found);
    }
    rows
}

fn distinct(mut ids: Vec<u64>) -> usize {
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}

fn with_ties(profile: Profile) -> Shop {
    let (shop, _) = shop(Options { profile, ..trusted() });
    shop.seed(60, start() - TimeDelta::days(30), start() - TimeDelta::days(1));
    shop.touch_many(&shop.ids()[10..50]);
    shop
}

#[test]
fn pages_by_modified_lose_nothing_in_10_5() {
    let rows = pages(&with_ties(Profile::V10_5), "orderby=modified&order=asc");
    assert_eq!((rows.len(), distinct(rows)), (60, 60));
}

#[test]
fn pages_by_modified_repeat_and_skip_ties_in_10_0_2() {
    for profile in [Profile::V10_0_2, Profile::V10_0_2Posts] {
        let rows = pages(&with_ties(profile), "orderby=modified&order=asc");
        assert_eq!(rows.len(), 60);
        assert!(distinct(rows.clone()) < 60);
        assert_eq!(rows, pages(&with_ties(profile), "orderby=modified&order=asc"), "the same every time");
        assert_eq!(distinct(pages(&with_ties(profile), "orderby=id&order=asc")), 60);
    }
}

#[test]
fn past_the_end_hpos_counts_nothing_and_posts_count_everything() {
    let past = |profile| {
        let response = get(&with_ties(profile), "orders?per_page=20&page=99");
        let header = |name: &str| response.header(name).unwrap_or_default().to_owned();
        (header("X-WP-Total"), header("X-WP-TotalPages"), header("Link"), response.body_json())
    };
    let (total, page_count, link, body) = past(Profile::V10_5);
    assert_eq!((total.as_str(), page_count.as_str(), body), ("0", "0", json!([])));
    assert!(link.contains("&page=0&status%5B0%5D=any>; rel=\"prev\""), "{link}");
    let (total, page_count, link, _) = past(Profile::V10_0_2Posts);
    assert_eq!((total.as_str(), page_count.as_str()), ("60", "3"));
    assert!(link.contains("&page=3&"), "{link}");
}

#[test]
fn links_repeat_the_added_defaults() {
    let response = get(&with_ties(Profile::V10_5), "orders?per_page=5&page=2&_fields=id");
    let link = response.header("Link").unwrap();
    assert!(link.contains("orders?per_page=5&page=1&_fields=id&status%5B0%5D=any&dp=2&context=view>; rel=\"prev\""));
    assert!(link.contains("page=3"), "{link}");
}

/// `semantics.json`: the site is an hour ahead of UTC and the order was modified at 12:00:00 UTC.
#[test]
fn date_filters_compare_as_on_real_shops() {
    for profile in [Profile::V10_5, Profile::V10_0_2Posts] {
        let (shop, _) = shop(Options { profile, ..trusted() });
        shop.place_order(NewOrder::paid());
        let cases = [
            ("modified_after=2026-11-24T12:00:00&dates_are_gmt=true", 0),
            ("modified_after=2026-11-24T11:59:59&dates_are_gmt=true", 1),
            ("modified_before=2026-11-24T12:00:00&dates_are_gmt=true", 0),
            ("modified_before=2026-11-24T12:00:01&dates_are_gmt=true", 1),
            ("modified_after=2026-11-24T13:00:00", 0),
            ("modified_after=2026-11-24T12:59:59", 1),
            ("modified_after=2026-11-24T11:59:59", 1),
            ("modified_after=2026-11-24T12:59:59&dates_are_gmt=true", 0),
            ("modified_after=2026-11-24T11:59:59Z", 1),
            ("modified_after=2026-11-24T11:59:59Z&dates_are_gmt=true", 0),
            ("modified_after=2026-11-24T12:59:59%2B01:00", 1),
            ("modified_after=2026-11-24T12:59:59%2B01:00&dates_are_gmt=true", 0),
            ("modified_after=2026-11-24T12:00:00Z", 0),
            ("modified_after=2026-11-24T12:00:00.000Z&dates_are_gmt=true", 0),
            ("modified_after=2026-11-24%2011:59:59&dates_are_gmt=true", 1),
        ];
        for (query, found) in cases {
            assert_eq!(row_ids(&get(&shop, &format!("orders?{query}"))).len(), found, "{query}");
        }
        let response = get(&shop, "orders?modified_after=2026-11-24&dates_are_gmt=true");
        assert_eq!(code(&response), (400, "rest_invalid_param".to_owned()));
        assert_eq!(response.body_json()["data"]["details"]["modified_after"]["code"], "rest_invalid_date");
    }
}

#[test]
fn a_put_that_changes_nothing_moves_the_date_with_hpos_only() {
    for (profile, moved) in [(Profile::V10_5, true), (Profile::V10_0_2Posts, false)] {
        for body in [json!({}), json!({"status": "processing"}), json!({"meta_data": [{"key": "a", "value": 1}]})] {
            let (shop, clock) = shop(Options { profile, ..trusted() });
            let id = shop.place_order(NewOrder::paid());
            clock.advance(TimeDelta::seconds(5));
            let response = send(&shop, "PUT", &format!("orders/{id}"), body);
            let after = response.body_json()["date_modified_gmt"].clone();
            assert_eq!(after == "2026-11-24T12:00:05", moved, "{after}");
        }
    }
}

#[test]
fn completing_twice_mails_the_buyer_once() {
    let (shop, _) = shop(trusted());
    let id = shop.place_order(NewOrder::paid());
    for _ in 0..2 {
        assert_eq!(send(&shop, "PUT", &format!("orders/{id}"), json!({"status": "completed"})).status, 200);
    }
    assert_eq!((shop.mails(id).completed, shop.writes()), (1, 2));
    assert_eq!(shop.order_json(id).unwrap()["date_completed_gmt"], "2026-11-24T12:00:00");
}

#[test]
fn lists_leave_out_the_trash_but_a_trashed_order_can_be_read() {
    let (shop, clock) = shop(trusted());
    let id = shop.place_order(NewOrder::paid());
    let draft = shop.place_order(NewOrder::paid().status("checkout-draft"));
    clock.advance(TimeDelta::seconds(9));
    shop.trash(id);
    assert_eq!(row_ids(&get(&shop, "orders")), [draft]);
    assert_eq!(row_ids(&get(&shop, "orders?status=any")), [draft]);
    assert_eq!(row_ids(&get(&shop, "orders?status=trash,processing")), [id]);
    let read = get(&shop, &format!("orders/{id}")).body_json();
    assert_eq!((&read["status"], &read["date_modified_gmt"]), (&json!("trash"), &json!("2026-11-24T12:00:09")));
    assert!(shop.restore(id));
    assert_eq!(shop.status(id).as_deref(), Some("processing"));
    shop.lock().remove(id);
    assert_eq!(code(&get(&shop, &format!("orders/{id}"))), (404, "woocommerce_rest_shop_order_invalid_id".to_owned()));
}

#[test]
fn unknown_orders_are_404_to_get_and_400_to_put() {
    let (shop, _) = shop(trusted());
    let body = json!({"status": "completed"});
    assert_eq!(get(&shop, "orders/99").status, 404);
    assert_eq!(send(&shop, "PUT", "orders/99", body).status, 400);
    assert_eq!(code(&get(&shop, "nothing-here")), (404, "rest_no_route".to_owned()));
    assert_eq!(code(&send(&shop, "PATCH", "orders", json!({}))), (404, "rest_no_route".to_owned()));
}

#[test]
fn an_unknown_status_is_refused_with_the_list_of_known_ones() {
    let (shop, _) = shop(Options { custom_statuses: vec!["shipped".to_owned()], ..trusted() });
    let id = shop.place_order(NewOrder::paid());
    assert_eq!(send(&shop, "PUT", &format!("orders/{id}"), json!({"status": "shipped"})).status, 200);
    let refused = send(&shop, "PUT", &format!("orders/{id}"), json!({"status": "sent"})).body_json();
    let message = refused["data"]["params"]["status"].as_str().unwrap();
    assert!(message.ends_with("failed, checkout-draft, and shipped."), "{message}");
}

#[test]
fn version_5_6_ignores_filters_it_does_not_know() {
    let (shop, _) = shop(Options { profile: Profile::V5_6, ..trusted() });
    let id = shop.place_order(NewOrder::paid());
    assert_eq!(row_ids(&get(&shop, "orders?modified_after=2030-01-01T00:00:00")), [id]);
    assert_eq!(code(&get(&shop, "orders?orderby=modified")).0, 400);
    assert_eq!(code(&get(&shop, "refunds")).1, "rest_no_route");
}

#[test]
fn fulfillments_need_items_with_ids_and_never_refuse_a_double() {
    let (shop, clock) = shop(Options { fulfillments: true, ..trusted() });
    let id = shop.place_order(NewOrder::paid().line("TEE-001", 3));
    let item = shop.item_ids(id)[0];
    let path = format!("orders/{id}/fulfillments");
    let parcel = |entry: Value| json!({"status": "fulfilled", "notify_customer": true, "meta_data": [entry]});
    let items = json!([{"item_id": item, "qty": 1}]);
    let without_id = send(&shop, "POST", &path, parcel(json!({"key": "_items", "value": items})));
    assert_eq!((without_id.status, &without_id.body_json()["code"]), (400, &json!(0)));
    clock.advance(TimeDelta::seconds(1));
    for _ in 0..2 {
        let made = send(&shop, "POST", &path, parcel(json!({"id": 0, "key": "_items", "value": items})));
        assert_eq!((made.status, &made.body_json()["date_updated"]), (201, &json!("2026-11-24 13:00:01")));
    }
    assert_eq!((shop.fulfillments(id).len(), shop.mails(id).fulfillment), (2, 2));
    let order = shop.order_json(id).unwrap();
    assert_eq!(order["meta_data"][0]["value"], "partially_fulfilled");
    assert_eq!((&order["status"], &order["date_modified_gmt"]), (&json!("processing"), &json!("2026-11-24T12:00:01")));
    let missing = get(&shop, &format!("{path}/99"));
    assert_eq!((missing.status, &missing.body_json()["code"]), (400, &json!(0)));
}

#[test]
fn fulfillments_do_not_exist_where_the_feature_is_off() {
    let (shop, _) = shop(trusted());
    let id = shop.place_order(NewOrder::paid());
    assert_eq!(code(&get(&shop, &format!("orders/{id}/fulfillments"))), (404, "rest_no_route".to_owned()));
    assert!(!get(&shop, "").body_json()["routes"].to_string().contains("fulfillments"));
}

#[test]
fn notes_move_no_date_and_refunds_do() {
    let (shop, clock) = shop(trusted());
    let id = shop.place_order(NewOrder::paid());
    clock.advance(TimeDelta::seconds(1));
    let note = send(&shop, "POST", &format!("orders/{id}/notes"), json!({"note": "Sent", "customer_note": true}));
    assert_eq!((note.status, shop.mails(id).note), (201, 1));
    assert_eq!(shop.order_json(id).unwrap()["date_modified_gmt"], "2026-11-24T12:00:00");
    let empty = send(&shop, "POST", &format!("orders/{id}/notes"), json!({}));
    assert_eq!(code(&empty), (400, "rest_missing_callback_param".to_owned()));
    shop.refund(id, "3.00", "One piece broken").unwrap();
    let order = shop.order_json(id).unwrap();
    assert_eq!(
        (&order["refunds"][0]["total"], &order["date_modified_gmt"]),
        (&json!("-3.00"), &json!("2026-11-24T12:00:01"))
    );
    assert_eq!(get(&shop, "refunds").body_json()[0]["parent_id"], json!(id));
    let too_much = send(&shop, "POST", &format!("orders/{id}/refunds"), json!({"amount": "999.00"}));
    assert_eq!((too_much.status, &too_much.body_json()["data"]), (500, &json!(500)));
}

#[test]
fn parcels_of_the_tracking_extension_live_in_the_orders_meta_data() {
    let (shop, _) = shop(Options { tracking: Tracking::OnlyV2, ..trusted() });
    let id = shop.place_order(NewOrder::paid());
    let path = format!("orders/{id}/shipment-trackings");
    assert_eq!(code(&get(&shop, &path)).1, "rest_no_route");
    let mut made = request(
        "POST",
        &path,
        Some(json!({"tracking_provider": "DHL", "tracking_number": "JD1", "date_shipped": "2026-11-24"})),
    );
    made.path = made.path.replace("v3", "v2");
    let parcel = shop.handle(&made);
    assert_eq!((parcel.status, &parcel.body_json()["date_shipped"]), (201, &json!("2026-11-24")));
    let stored = &shop.order_json(id).unwrap()["meta_data"][0];
    assert_eq!(
        (&stored["key"], &stored["value"][0]["tracking_number"]),
        (&json!("_wc_shipment_tracking_items"), &json!("JD1"))
    );
}

#[test]
fn a_batch_reports_failures_in_place_and_takes_a_hundred() {
    let (shop, _) = shop(trusted());
    let id = shop.place_order(NewOrder::paid());
    let answer = send(&shop, "POST", "orders/batch", json!({"update": [{"id": id, "status": "completed"}, {"id": 9}]}));
    let body = answer.body_json();
    assert_eq!((answer.status, &body["update"][0]["status"]), (200, &json!("completed")));
    assert_eq!(body["update"][1]["error"]["data"]["status"], 400);
    let many: Vec<_> = (0..101).map(|_| json!({"id": id})).collect();
    assert_eq!(send(&shop, "POST", "orders/batch", json!({"update": many})).status, 413);
}

#[test]
fn keys_are_refused_as_real_shops_refuse_them() {
    let (shop, _) = shop(trusted());
    let with = |user: &str, secret: &str| {
        let mut asked = request("GET", "orders", None);
        let token = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{secret}"));
        asked.headers = vec![("authorization".to_owned(), format!("Basic {token}"))];
        code(&shop.handle(&asked))
    };
    assert_eq!(with("ck_unknown", "x"), (401, "woocommerce_rest_cannot_view".to_owned()));
    assert_eq!(with(REHEARSAL_KEY, "x"), (401, "woocommerce_rest_authentication_error".to_owned()));
    assert_eq!(with(REHEARSAL_KEY, REHEARSAL_SECRET).0, 200);
}

#[test]
fn a_key_may_do_what_its_permission_and_its_user_may() {
    let of = |permission, rights, method: &str| {
        let (shop, _) = shop(Options { keys: vec![Key::rehearsal(permission, rights)], ..trusted() });
        let id = shop.place_order(NewOrder::paid());
        let response = send(&shop, method, &format!("orders/{id}"), json!({}));
        (response.status, response.body_json()["message"].as_str().unwrap_or_default().to_owned())
    };
    let no_write = "The API key provided does not have write permissions.";
    assert_eq!(of(Permission::Read, Rights::Admin, "PUT"), (401, no_write.to_owned()));
    assert_eq!(of(Permission::Write, Rights::Admin, "GET").0, 401);
    assert_eq!(of(Permission::ReadWrite, Rights::Customer, "PUT").0, 403);
    assert_eq!(of(Permission::ReadWrite, Rights::ShopManager, "PUT").0, 200);
}

#[test]
fn basic_is_ignored_over_plain_http() {
    let (shop, _) = shop(Options::default());
    assert_eq!(code(&get(&shop, "orders")), (401, "woocommerce_rest_cannot_view".to_owned()));
    let query = format!("orders?consumer_key={REHEARSAL_KEY}&consumer_secret={REHEARSAL_SECRET}");
    assert_eq!(get(&shop, &query).status, 401);
}

#[test]
fn a_server_that_strips_the_header_takes_keys_in_the_query() {
    let (shop, _) = shop(Options { strips_authorization: true, ..trusted() });
    assert_eq!(get(&shop, "orders").status, 401);
    let query = format!("orders?consumer_key={REHEARSAL_KEY}&consumer_secret={REHEARSAL_SECRET}");
    assert_eq!(get(&shop, &query).status, 200);
}

/// Signs as the documents describe it, independently of the shop's own base string.
fn signed(target: &str, at: i64, nonce: &str) -> Request {
    use hmac::{KeyInit, Mac};
    let mut asked = request("GET", target, None);
    asked.headers.clear();
    for (name, value) in [
        ("oauth_consumer_key", REHEARSAL_KEY),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", &at.to_string()),
    ] {
        asked.query.push((name.to_owned(), value.to_owned()));
    }
    let encode = |text: &str| {
        let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect::<String>()
    };
    let mut pairs: Vec<_> = asked.query.iter().map(|(k, v)| (encode(&encode(k)), encode(&encode(v)))).collect();
    pairs.sort();
    let joined = pairs.iter().map(|(k, v)| format!("{k}%3D{v}")).collect::<Vec<_>>().join("%26");
    let base = format!("GET&{}&{joined}", encode(&format!("http://127.0.0.1{}", asked.path)));
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(format!("{REHEARSAL_SECRET}&").as_bytes()).unwrap();
    mac.update(base.as_bytes());
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    asked.query.push(("oauth_signature".to_owned(), signature));
    asked
}

#[test]
fn oauth_over_plain_http_checks_signature_clock_and_nonce() {
    let (shop, _) = shop(Options::default());
    let now = start().timestamp();
    let target = "orders?modified_after=2026-01-01T00:00:00&status[0]=processing&per_page=5";
    assert_eq!(shop.handle(&signed(target, now, "one")).status, 200);
    let refused = |asked: &Request| shop.handle(asked).body_json()["message"].as_str().unwrap().to_owned();
    assert_eq!(refused(&signed(target, now, "one")), "Invalid nonce - nonce has already been used.");
    assert_eq!(refused(&signed(target, now - 901, "two")), "Invalid timestamp.");
    assert_eq!(shop.handle(&signed(target, now + 899, "three")).status, 200);
    let mut forged = signed(target, now, "four");
    forged.query[2].1 = "6".to_owned();
    assert_eq!(refused(&forged), "Invalid signature - provided signature does not match.");
    let mut incomplete = signed(target, now, "five");
    incomplete.query.pop();
    assert_eq!(code(&shop.handle(&incomplete)).1, "woocommerce_rest_authentication_missing_parameter");
}

#[test]
fn a_rehearsal_takes_basic_and_oauth_on_plain_http() {
    let (shop, _) = shop(Options { https_seen: HttpsSeen::Rehearsal, ..Options::default() });
    assert_eq!(get(&shop, "orders").status, 200);
    assert_eq!(shop.handle(&signed("orders?per_page=5", start().timestamp(), "one")).status, 200);
}

#[test]
fn permalinks_decide_which_addresses_exist() {
    let status = |permalinks, path: &str, query: &str| {
        let (shop, _) = shop(Options { permalinks, prefix: "/shop".to_owned(), ..trusted() });
        let mut asked = request("GET", "orders", None);
        asked.path = path.to_owned();
        asked.query = parse_query(query);
        shop.handle(&asked).status
    };
    assert_eq!(status(Permalinks::Pretty, "/shop/wp-json/wc/v3/orders", ""), 200);
    assert_eq!(status(Permalinks::Pretty, "/wp-json/wc/v3/orders", ""), 404);
    assert_eq!(status(Permalinks::Plain, "/shop/wp-json/wc/v3/orders", ""), 404);
    assert_eq!(status(Permalinks::Plain, "/shop/", "rest_route=/wc/v3/orders&x=wp-json/wc/"), 200);
    // Nobody is known there: it is no request to the shop's API by the letters of its address.
    assert_eq!(status(Permalinks::Plain, "/shop/", "rest_route=/wc/v3/orders"), 401);
    assert_eq!(status(Permalinks::IndexPhp, "/shop/wp-json/wc/v3/orders", ""), 404);
    assert_eq!(status(Permalinks::IndexPhp, "/shop/index.php/wp-json/wc/v3/orders", ""), 200);
}

#[test]
fn totals_add_up_and_money_is_text() {
    let (shop, _) = shop(trusted());
    let first = shop.seed(200, start() - TimeDelta::days(9), start());
    for id in first..first + 200 {
        let order = shop.order_json(id).unwrap();
        let money = |value: &Value| value.as_str().unwrap().parse::<rust_decimal::Decimal>().unwrap();
        let sum = |list: &str| {
            order[list].as_array().unwrap().iter().map(|l| money(&l["total"])).sum::<rust_decimal::Decimal>()
        };
        let added = sum("line_items") + sum("shipping_lines") + sum("fee_lines") + money(&order["total_tax"]);
        assert_eq!(added, money(&order["total"]), "order {id}");
    }
}

#[test]
fn an_order_edited_after_seeding_keeps_everything_else() {
    let (shop, _) = shop(trusted());
    let id = shop.seed(1, start() - TimeDelta::days(9), start());
    let before = shop.order_json(id).unwrap();
    shop.edit_address(id, |address| "New street 1".clone_into(&mut address.street_1));
    let mut after = shop.order_json(id).unwrap();
    assert_eq!(after["shipping"]["address_1"], "New street 1");
    for key in ["shipping", "date_modified", "date_modified_gmt"] {
        after[key] = before[key].clone();
    }
    assert_eq!(after, before);
}

#[test]
fn a_hook_changes_orders_between_pages() {
    let (shop, _) = shop(trusted());
    let first = shop.seed(4, start() - TimeDelta::days(9), start());
    shop.before_request(move |asked, shop| {
        if asked.param("page") == Some("2") {
            shop.lock().remove(first);
        }
    });
    let ids = |page: u32| row_ids(&get(&shop, &format!("orders?per_page=2&page={page}&orderby=id&order=asc")));
    assert_eq!(ids(1), [first, first + 1]);
    assert_eq!(ids(2), [first + 3], "the third order moved to the page that was already read");
}

#[test]
fn the_demo_shop_has_about_forty_orders() {
    let shop = Shop::demo(Arc::new(ManualClock::at(start())));
    assert_eq!(shop.ids().len(), 40);
    assert_eq!(get(&shop, "orders?per_page=100&dates_are_gmt=true").status, 200);
}
