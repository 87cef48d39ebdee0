//! The shop does what the recorded answers and the vendor's source say.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;
use crate::sim::http::parse_query;
use crate::sim::{Simulated, Store};

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
}

fn shop(options: Options) -> (Shop, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(start()));
    (Shop::new(options, clock.clone()), clock)
}

/// A signature by the letters of RFC 5849, independent of the shop's own.
fn sign(method: &str, url: &str, query: &str, oauth: &[(&str, String)]) -> String {
    use base64::Engine;
    use hmac::{KeyInit, Mac};
    let encode = |text: &str| -> String {
        let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    let mut pairs: Vec<String> =
        oauth.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    // What is sent is encoded once already.
    pairs.extend(query.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned));
    pairs.sort();
    let base = format!("{method}&{}&{}", encode(url), encode(&pairs.join("&")));
    let key = format!("{CONSUMER_SECRET}&{ACCESS_TOKEN_SECRET}");
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(base.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

/// What goes into the header of a signed request.
struct Signed {
    method: &'static str,
    token: &'static str,
    at: i64,
    nonce: String,
    signature: Option<&'static str>,
}

impl Default for Signed {
    fn default() -> Self {
        static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let nonce = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Self {
            method: "HMAC-SHA256",
            token: ACCESS_TOKEN,
            at: start().timestamp(),
            nonce: format!("{nonce}"),
            signature: None,
        }
    }
}

fn encoded(query: &str) -> String {
    query.replace('[', "%5B").replace(']', "%5D").replace(':', "%3A").replace(',', "%2C").replace(' ', "%20")
}

fn signed(how: Signed, method: &str, target: &str, body: Option<&Value>) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/rest/V1/{path}") };
    let raw = encoded(query);
    let oauth = [
        ("oauth_consumer_key", CONSUMER_KEY.to_owned()),
        ("oauth_token", how.token.to_owned()),
        ("oauth_nonce", how.nonce),
        ("oauth_timestamp", how.at.to_string()),
        ("oauth_signature_method", how.method.to_owned()),
        ("oauth_version", "1.0".to_owned()),
    ];
    let signature = sign(method, &format!("http://127.0.0.1{path}"), &raw, &oauth);
    let signature = how.signature.map_or(signature, str::to_owned).replace('+', "%2B").replace('/', "%2F");
    let told: Vec<String> = oauth.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    let header = format!("OAuth {},oauth_signature=\"{}\"", told.join(","), signature.replace('=', "%3D"));
    let mut headers = vec![("authorization".to_owned(), header), (":query".to_owned(), raw.clone())];
    headers.extend(body.map(|_| ("content-type".to_owned(), "application/json".to_owned())));
    Request {
        method: method.to_owned(),
        path,
        query: parse_query(&raw),
        headers,
        body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        secure: false,
    }
}

fn ask(shop: &Shop, method: &str, target: &str, body: Value) -> Response {
    let body = (method != "GET" && method != "DELETE").then_some(&body);
    shop.handle(&signed(Signed::default(), method, target, body))
}

fn get(shop: &Shop, target: &str) -> Response {
    ask(shop, "GET", target, Value::Null)
}

fn order(shop: &Shop, id: u64) -> Value {
    get(shop, &format!("orders/{id}")).body_json()
}

/// Ids in a list of orders, and how many there are.
fn listed(shop: &Shop, criteria: &str) -> (Vec<u64>, u64) {
    let body = get(shop, &format!("orders?{criteria}&fields=items[entity_id],total_count")).body_json();
    let ids = body["items"].as_array().into_iter().flatten().map(|row| row["entity_id"].as_u64().unwrap());
    (ids.collect(), body["total_count"].as_u64().unwrap())
}

fn filter(nth: usize, field: &str, condition: &str, value: &str) -> String {
    let at = format!("searchCriteria[filterGroups][{nth}][filters][0]");
    format!("{at}[field]={field}&{at}[conditionType]={condition}&{at}[value]={value}")
}

#[test]
fn a_signature_is_checked_to_the_letter() {
    let (shop, _) = shop(Options::default());
    let target = "orders?searchCriteria[pageSize]=1&fields=items[entity_id],total_count";
    let answer = |how: Signed| {
        let response = shop.handle(&signed(how, "GET", target, None));
        (response.status, response.body_json()["message"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(answer(Signed::default()).0, 200);
    assert_eq!(answer(Signed { nonce: "one".to_owned(), ..Signed::default() }).0, 200);
    let again = answer(Signed { nonce: "one".to_owned(), ..Signed::default() });
    assert_eq!(again, (401, "The nonce is already being used by the consumer with ID %1".to_owned()));
    let wrong = (401, "The signature is invalid. Verify and try again.".to_owned());
    assert_eq!(answer(Signed { signature: Some("AAAA"), ..Signed::default() }), wrong);
    let sha1 = (400, "Signature method %1 is not supported".to_owned());
    assert_eq!(answer(Signed { method: "HMAC-SHA1", ..Signed::default() }), sha1);
    let unknown = answer(Signed { token: "decade00000000000000000000000009", ..Signed::default() });
    assert_eq!(unknown, (401, "Specified token does not exist".to_owned()));
    let hour = 3_600;
    assert_eq!(answer(Signed { at: start().timestamp() - hour, ..Signed::default() }).0, 200, "an old one is taken");
    let ahead = (401, "An error occurred validating the nonce".to_owned());
    assert_eq!(answer(Signed { at: start().timestamp() + hour, ..Signed::default() }), ahead);
}

#[test]
fn every_refusal_of_access_looks_the_same() {
    let refused = json!({
        "message": "The consumer isn't authorized to access %resources.",
        "parameters": { "resources": "Magento_Sales::actions_view" },
    });
    let bare = |options: Options, header: &str| {
        let mut asked = signed(Signed::default(), "GET", "orders?searchCriteria=", None);
        asked.headers = vec![("authorization".to_owned(), header.to_owned())];
        let response = shop(options).0.handle(&asked);
        (response.status, response.body_json())
    };
    let bearer = format!("Bearer {ACCESS_TOKEN}");
    assert_eq!(bare(Options::default(), ""), (401, refused.clone()));
    assert_eq!(bare(Options::default(), &bearer), (401, refused.clone()));
    assert_eq!(bare(Options { bearer: true, ..Options::default() }, &bearer).0, 200);
    let denied = Options { denied: vec!["Magento_Sales::actions_view"], ..Options::default() };
    assert_eq!(get(&shop(denied).0, "orders?searchCriteria=").body_json(), refused);
}

#[test]
fn lists_are_filtered_sorted_and_cut_as_the_real_shop_does_it() {
    let (shop, clock) = shop(Options::default());
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(shop.place_order(NewOrder::of(&[("TEE-001", 1)])));
        clock.advance(TimeDelta::seconds(1));
    }
    shop.touch(&ids[0].to_string());
    let at = "2026-11-24T12:00:03Z";
    assert_eq!(listed(&shop, &filter(0, "created_at", "gt", at)).0, ids[4..]);
    assert_eq!(listed(&shop, &filter(0, "created_at", "gteq", "2026-11-24 12:00:03")).0, ids[3..]);
    let snake = "searchCriteria[filter_groups][0][filters][0][field]=created_at&searchCriteria[filter_groups][0]\
                 [filters][0][condition_type]=from&searchCriteria[filter_groups][0][filters][0][value]=2026-11-24 \
                 12:00:03&searchCriteria[page_size]=2&searchCriteria[current_page]=2";
    assert_eq!(listed(&shop, snake), (ids[5..7].to_vec(), 4));
    let either = format!(
        "{}&{}",
        filter(0, "entity_id", "eq", "101"),
        filter(0, "entity_id", "eq", "103").replace("[filters][0]", "[filters][1]")
    );
    assert_eq!(listed(&shop, &either).0, [ids[0], ids[2]]);
    let sorted = "searchCriteria[sortOrders][0][field]=updated_at&searchCriteria[sortOrders][0][direction]=ASC\
                  &searchCriteria[sortOrders][1][field]=entity_id&searchCriteria[sortOrders][1][direction]=ASC";
    let last = [&ids[1..], &ids[..1]].concat();
    assert_eq!(listed(&shop, sorted).0, last);
    assert_eq!(listed(&shop, "searchCriteria[sortOrders][0][field]=entity_id").0[0], ids[6], "the other way round");
    assert_eq!(listed(&shop, &filter(0, "entity_id", "in", "101,104")).0, [ids[0], ids[3]]);
    assert_eq!(listed(&shop, &filter(0, "increment_id", "like", "%25103")).0, [ids[2]]);
    assert_eq!(listed(&shop, &filter(0, "entity_id", "nonsense", "103")).0, [ids[2]]);
}

#[test]
fn an_empty_page_has_no_rows_and_a_page_past_the_end_may_be_the_last_again() {
    let past = "orders?searchCriteria[pageSize]=2&searchCriteria[currentPage]=9";
    for repeats_last_page in [false, true] {
        let (shop, _) = shop(Options { repeats_last_page, ..Options::default() });
        let ids: Vec<u64> = (0..3).map(|_| shop.place_order(NewOrder::paid())).collect();
        let body = get(&shop, past).body_json();
        assert_eq!(body["total_count"], 3);
        if repeats_last_page {
            assert_eq!(body["items"][0]["entity_id"], json!(ids[2]));
        } else {
            assert_eq!(body["items"], json!([]));
            let narrow = get(&shop, &format!("{past}&fields=items[entity_id],total_count")).body_json();
            assert_eq!(narrow, json!({ "items": null, "total_count": 3 }));
        }
    }
}

#[test]
fn what_a_list_is_not_asked_for_rightly_is_refused() {
    let (shop, _) = shop(Options { input_limits: true, ..Options::default() });
    let said = |target: &str| {
        let response = get(&shop, target);
        (response.status, response.body_json()["message"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(said("orders"), (400, r#""%fieldName" is required. Enter and try again."#.to_owned()));
    let large = (400, "Maximum SearchCriteria pageSize is %max".to_owned());
    assert_eq!(said("orders?searchCriteria[pageSize]=301"), large);
    let unknown = said(&format!("orders?{}", filter(0, "nope", "eq", "1")));
    assert!(shop.ids().is_empty() || unknown.0 == 500, "{unknown:?}");
    assert_eq!(said("orders?searchCriteria[sortOrders][0][field]=nope").0, 500);
    assert_eq!(said("orders?searchCriteria[pagesize]=1").0, 400);
    assert_eq!(
        said("orders/abc"),
        (400, r#"The "abc" value's type is invalid. The "int" type was expected. Verify and try again."#.to_owned())
    );
    assert_eq!(said("nothing"), (404, "Request does not match any route.".to_owned()));
    assert_eq!(said("orders/9").0, 404);
}

#[test]
fn shipping_again_ships_again_and_moves_the_date_only_with_the_state() {
    let (shop, clock) = shop(Options { invoices_at_once: true, ..Options::default() });
    let id = shop.place_order(NewOrder::of(&[("TEE-001", 3)]));
    let item = order(&shop, id)["items"][0]["item_id"].clone();
    let ship = |qty: u64| {
        clock.advance(TimeDelta::seconds(10));
        let track = json!([{ "track_number": "JD01", "title": "DHL", "carrier_code": "custom" }]);
        let wish = json!({ "items": [{ "order_item_id": item, "qty": qty }], "notify": true, "tracks": track });
        ask(&shop, "POST", &format!("order/{id}/ship"), wish)
    };
    let made = ship(1);
    assert!(made.status == 200 && made.body_json().is_string(), "{made:?}");
    assert_eq!(order(&shop, id)["updated_at"], "2026-11-24 12:00:00");
    assert_eq!(ship(1).status, 200);
    assert_eq!(order(&shop, id)["items"][0]["qty_shipped"], 2);
    assert_eq!(ship(9_999).status, 200, "cut to the rest");
    let now = order(&shop, id);
    assert_eq!((&now["state"], &now["updated_at"]), (&json!("complete"), &json!("2026-11-24 12:00:30")));
    assert_eq!((now["items"][0]["qty_shipped"].as_u64(), shop.mails(id).fulfillment), (Some(3), 3));
    let refused = ship(1);
    let said = "Shipment Document Validation Error(s):\nThe order does not allow a shipment to be created.\n\
                You can't create a shipment without products.";
    assert_eq!((refused.status, &refused.body_json()["message"]), (400, &json!(said)));
    let list = get(&shop, &format!("shipments?{}", filter(0, "order_id", "eq", &id.to_string()))).body_json();
    assert_eq!(list["total_count"], 3);
    assert_eq!(list["items"][0]["tracks"][0]["track_number"], "JD01");
}

#[test]
fn the_parent_of_a_choice_ships_and_a_bundle_by_its_kind() {
    let (shop, _) = shop(Options::default());
    let lines = [("SHIRT-S-ROT", 1), ("BUNDLE-TOGETHER", 1), ("BUNDLE-APART", 1)];
    let id = shop.place_order(NewOrder::of(&lines));
    let rows = order(&shop, id)["items"].as_array().unwrap().clone();
    let kinds: Vec<&str> = rows.iter().map(|row| row["product_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["configurable", "simple", "bundle", "simple", "simple", "bundle", "simple", "simple"]);
    assert!(rows[1]["parent_item"]["item_id"] == rows[0]["item_id"] && rows[1]["sku"] == rows[0]["sku"]);
    let ship = |nth: usize| {
        let wish = json!({ "items": [{ "order_item_id": rows[nth]["item_id"], "qty": 1 }] });
        ask(&shop, "POST", &format!("order/{id}/ship"), wish)
    };
    let status = |nth: usize| ship(nth).status;
    assert_eq!([1, 3, 5].map(status), [400; 3]);
    let said = |nth: usize| ship(nth).body_json()["message"].as_str().unwrap().to_owned();
    assert!(said(3).contains("shipment type \"Together\". Bundle product itself should be shipped instead."));
    assert!(said(5).contains("shipment type \"Separately\". Bundle product options should be shipped instead."));
    assert_eq!([0, 2, 6, 7, 7].map(status), [200; 5]);
    let row = |nth: usize| order(&shop, id)["items"][nth]["qty_shipped"].clone();
    assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(row), [1, 0, 1, 1, 2, 3, 1, 2].map(|n| json!(n)));
    assert_eq!(shop.lines(id).iter().map(|line| line.shipped).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn only_what_is_not_on_an_invoice_is_cancelled_and_the_answer_says_so() {
    let (shop, clock) = shop(Options::default());
    let (open, invoiced) = (shop.place_order(NewOrder::paid()), shop.place_order(NewOrder::paid()));
    clock.advance(TimeDelta::seconds(5));
    shop.invoice(invoiced);
    let cancel = |id: u64| ask(&shop, "POST", &format!("orders/{id}/cancel"), json!({})).body_json();
    assert_eq!([cancel(open), cancel(open), cancel(invoiced)], [json!(true), json!(false), json!(false)]);
    let now = order(&shop, open);
    assert_eq!((&now["state"], &now["items"][0]["qty_canceled"]), (&json!("canceled"), &json!(1)));
    assert_eq!(now["updated_at"], "2026-11-24 12:00:05");
    let ship = ask(&shop, "POST", &format!("order/{open}/ship"), json!({})).body_json();
    let said = "A shipment cannot be created when an order has a status of canceled";
    assert!(ship["message"].as_str().unwrap().contains(said), "{ship}");
}

#[test]
fn a_held_order_is_not_shipped_and_goes_back_to_its_state() {
    let (shop, _) = shop(Options::default());
    let id = shop.place_order(NewOrder::paid());
    let post = |what: &str| ask(&shop, "POST", &format!("orders/{id}/{what}"), json!({}));
    assert_eq!(post("hold").body_json(), true);
    assert_eq!((order(&shop, id)["state"].clone(), post("hold").status), (json!("holded"), 400));
    assert_eq!(ask(&shop, "POST", &format!("order/{id}/ship"), json!({})).status, 400);
    assert_eq!(post("cancel").body_json(), false);
    assert_eq!((post("unhold").body_json(), order(&shop, id)["state"].clone()), (json!(true), json!("processing")));
}

#[test]
fn tracks_comments_and_addresses_move_no_date() {
    let (shop, clock) = shop(Options::default());
    let id = shop.place_order(NewOrder::of(&[("TEE-001", 2)]));
    let item = order(&shop, id)["items"][0]["item_id"].clone();
    let wish = json!({ "items": [{ "order_item_id": item, "qty": 1 }] });
    let shipment = ask(&shop, "POST", &format!("order/{id}/ship"), wish).body_json();
    clock.advance(TimeDelta::seconds(9));
    let track = json!({ "entity": { "order_id": id, "parent_id": shipment, "track_number": "JD02", "title": "DHL",
        "carrier_code": "custom", "qty": 1, "weight": 1, "description": "" } });
    let made = ask(&shop, "POST", "shipment/track", track).body_json();
    assert_eq!((&made["track_number"], &made["created_at"]), (&json!("JD02"), &json!("2026-11-24 12:00:09")));
    let history =
        json!({ "statusHistory": { "comment": "sold out", "is_customer_notified": 0, "status": "processing" } });
    assert_eq!(ask(&shop, "POST", &format!("orders/{id}/comments"), history).body_json(), true);
    let other = json!({ "statusHistory": { "comment": "x", "status": "complete" } });
    assert_eq!(ask(&shop, "POST", &format!("orders/{id}/comments"), other).status, 400);
    let address = json!({ "entity": { "address_type": "shipping", "street": ["9 New Street"], "city": "Wien" } });
    assert_eq!(ask(&shop, "PUT", &format!("orders/{id}"), address).status, 200);
    let now = order(&shop, id);
    assert_eq!(now["updated_at"], "2026-11-24 12:00:00");
    let place = &now["extension_attributes"]["shipping_assignments"][0]["shipping"]["address"];
    assert_eq!(
        (&place["street"], &now["status_histories"][0]["comment"]),
        (&json!(["9 New Street"]), &json!("sold out"))
    );
    let path = format!("shipment/{}", shipment.as_str().unwrap());
    assert_eq!(get(&shop, &path).body_json()["tracks"].as_array().unwrap().len(), 1);
    let removed = ask(&shop, "DELETE", &format!("shipment/track/{}", made["entity_id"]), Value::Null);
    assert_eq!((removed.body_json(), get(&shop, &path).body_json()["tracks"].clone()), (json!(true), json!([])));
}

#[test]
fn totals_add_up_but_for_fees_that_no_field_explains() {
    let (shop, _) = shop(Options::default());
    shop.seed(200, start() - TimeDelta::days(9), start());
    let money = |value: &Value| value.to_string().parse::<rust_decimal::Decimal>().unwrap_or_default();
    for id in shop.numbers() {
        let order = order(&shop, id);
        let sum =
            ["subtotal", "discount_amount", "tax_amount", "shipping_amount"].iter().map(|name| money(&order[*name]));
        let other = money(&order["grand_total"]) - sum.sum::<rust_decimal::Decimal>();
        let fees = shop.order(id).unwrap().fees();
        assert_eq!(other, fees, "order {id}: {order}");
    }
}

#[test]
fn what_a_row_comes_to_is_wrong_in_each_version_in_its_way() {
    let row = |version: Version| {
        let (shop, _) = shop(Options { version, tax_basis_points: 0, ..Options::default() });
        let id = shop.place_order(NewOrder::of(&[("BOOK-7", 3)]).coupon());
        let row = order(&shop, id)["items"][0].clone();
        [row["row_total"].clone(), row["row_total_incl_tax"].clone(), row["discount_amount"].clone()]
    };
    assert_eq!(row(Version::V2_4_7), [json!(67.36), json!(67.36), json!(7.49)]);
    assert_eq!(row(Version::V2_4_8)[0], json!(17.46));
    assert_eq!(row(Version::V2_4_8)[1], json!(67.36));
}

#[test]
fn one_order_at_which_the_shop_fails_fails_its_page() {
    let (shop, _) = shop(Options::default());
    let ids: Vec<u64> = (0..4).map(|_| shop.place_order(NewOrder::paid())).collect();
    shop.set_unrenderable(&ids[2].to_string(), true);
    let status = |target: &str| get(&shop, target).status;
    assert_eq!(status("orders?searchCriteria[pageSize]=2"), 200);
    assert_eq!(status("orders?searchCriteria[pageSize]=2&searchCriteria[currentPage]=2"), 500);
    assert_eq!((status(&format!("orders/{}", ids[2])), status(&format!("orders/{}", ids[3]))), (500, 200));
}

#[test]
fn money_goes_back_by_credit_memos_and_all_of_it_closes_the_order() {
    let (shop, _) = shop(Options::default());
    let id = shop.place_order(NewOrder::of(&[("TEE-001", 2)]));
    assert!(shop.refund_pieces(&id.to_string(), 0, 1));
    let memos = get(&shop, &format!("creditmemos?{}", filter(0, "order_id", "eq", &id.to_string()))).body_json();
    assert_eq!((&memos["items"][0]["items"][0]["qty"], &memos["items"][0]["order_id"]), (&json!(1), &json!(id)));
    let now = order(&shop, id);
    assert_eq!((&now["items"][0]["qty_refunded"], &now["total_refunded"]), (&json!(1), &json!(12.9)));
    let total = now["grand_total"].clone();
    assert!(shop.refund(&id.to_string(), &total.to_string()));
    assert_eq!(order(&shop, id)["state"], "closed");
}

#[test]
fn addresses_are_those_of_the_web_server() {
    let status =
        |options: Options, path: &str| shop(options).0.handle(&signed(Signed::default(), "GET", path, None)).status;
    for path in [
        "/rest/V1/orders?searchCriteria=",
        "/rest/all/V1/orders?searchCriteria=",
        "/index.php/rest/default/V1/orders?searchCriteria=",
    ] {
        assert_eq!(status(Options::default(), path), 200, "{path}");
    }
    let folder = || Options { prefix: "/shop".to_owned(), rewrites: false, ..Options::default() };
    assert_eq!(status(folder(), "/shop/rest/V1/orders?searchCriteria="), 404);
    assert_eq!(status(folder(), "/shop/index.php/rest/V1/orders?searchCriteria="), 200);
    assert_eq!(status(Options { redirects_to_https: true, ..Options::default() }, "/rest/V1/orders"), 302);
}

#[test]
fn goods_in_two_places_go_out_from_the_default_one_unless_another_is_named() {
    let sources = vec!["default", "hamburg"];
    let ship = |options: Options, named: &str| {
        let (shop, _) = shop(options);
        let id = shop.place_order(NewOrder::paid());
        let wish = match named {
            "" => json!({}),
            code => json!({ "arguments": { "extension_attributes": { "source_code": code } } }),
        };
        let status = ask(&shop, "POST", &format!("order/{id}/ship"), wish).status;
        let list = get(&shop, &format!("shipments?{}", filter(0, "order_id", "eq", &id.to_string()))).body_json();
        (status, list["items"][0]["extension_attributes"]["source_code"].as_str().unwrap_or_default().to_owned())
    };
    let of = |sold_out: &[&'static str]| Options {
        sources: sources.clone(),
        sold_out: sold_out.to_vec(),
        ..Options::default()
    };
    assert_eq!(ship(of(&[]), ""), (200, "default".to_owned()));
    assert_eq!(ship(of(&[]), "hamburg"), (200, "hamburg".to_owned()));
    assert_eq!(ship(of(&["default"]), ""), (400, String::new()));
    assert_eq!(ship(of(&["default"]), "hamburg"), (200, "hamburg".to_owned()));
    assert_eq!(ship(of(&[]), "nowhere"), (400, String::new()));
    assert_eq!(ship(Options { sources: vec!["hamburg"], ..Options::default() }, ""), (200, "hamburg".to_owned()));
}

#[test]
fn numbers_may_have_seventeen_digits() {
    let (shop, _) = shop(Options { long_floats: true, tax_basis_points: 0, ..Options::default() });
    let id = shop.place_order(NewOrder::of(&[("MUG-9", 1)]));
    let body = String::from_utf8(get(&shop, &format!("orders/{id}?fields=subtotal")).body).unwrap();
    assert_eq!(body, r#"{"subtotal":9.9900000000000002}"#);
}

#[test]
fn from_the_eleventh_of_a_name_on_no_version_sorts_as_the_standard_does() {
    let groups = |count: usize| (0..count).map(|nth| filter(nth, "entity_id", "gt", "1")).collect::<Vec<_>>().join("&");
    for (version, count, status) in
        [(Version::V2_4_7, 10, 200), (Version::V2_4_7, 11, 401), (Version::V2_4_9, 10, 200), (Version::V2_4_9, 11, 401)]
    {
        let (shop, _) = shop(Options { version, ..Options::default() });
        assert_eq!(get(&shop, &format!("orders?{}", groups(count))).status, status, "{version:?}, {count}");
    }
}

#[test]
fn what_a_shipment_is_wished_with_is_read_as_the_real_shop_reads_it() {
    let (shop, _) = shop(Options::default());
    let id = shop.place_order(NewOrder::of(&[("TEE-001", 4), ("VOUCHER-25", 1)]));
    let rows = order(&shop, id)["items"].clone();
    let (tee, voucher) = (&rows[0]["item_id"], &rows[1]["item_id"]);
    let ship = |wish: Value| ask(&shop, "POST", &format!("order/{id}/ship"), wish);
    let items = |pairs: &[(&Value, Value)]| -> Value {
        json!({ "items": pairs.iter().map(|(id, qty)| json!({ "order_item_id": id, "qty": qty })).collect::<Value>() })
    };
    assert_eq!(ship(items(&[(tee, json!(1)), (tee, json!(1))])).status, 200);
    assert_eq!(order(&shop, id)["items"][0]["qty_shipped"], 1, "of two rows with one id one counts");
    assert_eq!(ship(items(&[(tee, json!(1)), (&json!(1), json!(1)), (voucher, json!(1))])).status, 200);
    let refused = |wish: Value| {
        let response = ship(wish);
        (response.status, response.body_json()["message"].as_str().unwrap().to_owned())
    };
    let none = "Shipment Document Validation Error(s):\nYou can't create a shipment without products.";
    for wish in [items(&[(tee, json!(0))]), items(&[(tee, json!(-1))]), items(&[(&json!(1), json!(1))])] {
        assert_eq!(refused(wish), (400, none.to_owned()));
    }
    assert!(refused(items(&[(tee, json!("x"))])).1.starts_with("Error occurred during \"qty\" processing. The \"x\""));
    let mut wish = items(&[(tee, json!(1))]);
    wish["tracks"] = json!({ "track_number": "JD01", "title": "DHL", "carrier_code": "custom" });
    assert_eq!(refused(wish.clone()).1.matches("Please enter a tracking number.").count(), 3);
    wish["tracks"] = json!([{ "track_number": "JD01", "title": "DHL", "carrier_code": "custom", "url": "x" }]);
    assert!(refused(wish.clone()).1.contains("is not supported"));
    wish["tracks"] = json!([]);
    wish["nosuch"] = json!(1);
    assert_eq!(ship(wish).status, 200, "an unknown member of the body is ignored");
    assert_eq!(order(&shop, id)["items"][0]["qty_shipped"], 3);
}

#[test]
fn what_is_on_an_invoice_in_part_is_cancelled_for_the_rest_and_stays_in_its_state() {
    let (shop, _) = shop(Options::default());
    let id = shop.place_order(NewOrder::of(&[("TEE-001", 2)]));
    let line = shop.item_ids(id)[0];
    shop.edit(id, |order| order.own.invoiced = [(line, 1)].into());
    assert_eq!(ask(&shop, "POST", &format!("orders/{id}/cancel"), json!({})).body_json(), true);
    let now = order(&shop, id);
    assert_eq!((&now["state"], &now["items"][0]["qty_canceled"]), (&json!("processing"), &json!(1)));
    assert_eq!(ask(&shop, "POST", &format!("order/{id}/ship"), json!({})).status, 200);
    assert_eq!(order(&shop, id)["state"], "complete");
}

#[test]
fn twenty_thousand_orders_are_there_at_once() {
    let (shop, _) = shop(Options::default());
    shop.seed(20_000, start() - TimeDelta::days(300), start());
    assert!(shop.lock().orders.values().all(|entry| entry.order.is_none()), "made up only when looked at");
    let page = |_| get(&shop, "orders?searchCriteria[pageSize]=100&searchCriteria[currentPage]=150").body_json();
    let [first, again] = [0; 2].map(page);
    assert_eq!((first["items"].as_array().unwrap().len(), &first["total_count"]), (100, &json!(20_000)));
    assert!(first == again, "what is made up is the same every time");
    let recent = filter(0, "updated_at", "gteq", "2026-11-24T11:00:00Z");
    let shipments = get(&shop, &format!("shipments?{recent}")).body_json();
    assert!(shipments["total_count"].as_u64().unwrap() < 100, "{shipments}");
    assert!(shop.lock().orders.values().all(|entry| entry.order.is_none()), "reading changes nothing");
}
