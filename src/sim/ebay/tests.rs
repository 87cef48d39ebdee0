use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::access::stamp;
use super::*;
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::sim::http::{Store, parse_query};
use crate::sim::world::{Purchase, Vendor};
use crate::sim::{About, Lack, Simulated};

const NOW: i64 = 1_795_000_000;

fn shop(options: Options) -> (Shop, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_timestamp(NOW, 0).unwrap()));
    (Shop::new(options, clock.clone()), clock)
}

fn request(method: &str, path: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Request {
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: parse_query(query),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
        secure: false,
    }
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Asks the token endpoint.
fn token_of(shop: &Shop, keys: &str, form: &[(&str, &str)]) -> Response {
    let basic = format!("Basic {}", STANDARD.encode(keys));
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    shop.handle(&request("POST", "/identity/v1/oauth2/token", "", &[FORM, ("authorization", &basic)], &form))
}

fn token(shop: &Shop, form: &[(&str, &str)]) -> Response {
    let keys = shop.options().keys();
    token_of(shop, &format!("{}:{}", keys.0, keys.1), form)
}

fn renew(shop: &Shop, refresh: &str) -> Response {
    token(shop, &[("grant_type", "refresh_token"), ("refresh_token", refresh)])
}

fn access_token(response: &Response) -> String {
    response.body_json()["access_token"].as_str().unwrap().to_owned()
}

fn user_token(shop: &Shop) -> String {
    let refresh = shop.options().refresh();
    access_token(&renew(shop, &refresh))
}

fn app_token(shop: &Shop) -> String {
    access_token(&token(shop, &[("grant_type", "client_credentials"), ("scope", options::SCOPE)]))
}

/// Asks with this header.
fn ask_as(shop: &Shop, authorization: &str, method: &str, target: &str, body: &str) -> Response {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = [("authorization", authorization), JSON, ("x-ebay-c-marketplace-id", "EBAY_DE")];
    shop.handle(&request(method, path, query, &headers, body))
}

fn ask(shop: &Shop, method: &str, target: &str, body: &Value) -> Response {
    let token = format!("Bearer {}", user_token(shop));
    ask_as(shop, &token, method, target, &if body.is_null() { String::new() } else { body.to_string() })
}

fn get(shop: &Shop, target: &str) -> Response {
    ask(shop, "GET", target, &Value::Null)
}

const ORDERS: &str = "/sell/fulfillment/v1/order";

fn list(shop: &Shop, query: &str) -> Value {
    let response = get(shop, &format!("{ORDERS}?{query}"));
    assert_eq!(response.status, 200, "{query}: {}", response.body_json());
    response.body_json()
}

fn ids(body: &Value) -> Vec<String> {
    body["orders"].as_array().unwrap().iter().map(|row| row["orderId"].as_str().unwrap().to_owned()).collect()
}

/// Status and number of a refusal.
fn said(response: &Response) -> (u16, u64) {
    let body = response.body_json();
    let row = if body["errors"].is_array() { &body["errors"][0] } else { &body["errorMessage"]["error"][0] };
    (response.status, row["errorId"].as_u64().unwrap_or(0))
}

fn place(shop: &Shop, purchase: impl std::borrow::Borrow<Purchase>) -> String {
    shop.place(purchase.borrow())
}

fn one(shop: &Shop, id: &str) -> Value {
    get(shop, &format!("{ORDERS}/{id}?fieldGroups=TAX_BREAKDOWN")).body_json()
}

fn line_ids(shop: &Shop, id: &str) -> Vec<String> {
    shop.item_ids(Ebay::read_id(id)).iter().map(u64::to_string).collect()
}

fn ship(shop: &Shop, id: &str, body: &Value) -> Response {
    ask(shop, "POST", &format!("{ORDERS}/{id}/shipping_fulfillment"), body)
}

fn consent(shop: &Shop, method: &str, path: &str, change: (&str, &str)) -> Response {
    let scope = format!("{0} {0}/sell.fulfillment {0}/commerce.identity.readonly", options::SCOPE);
    let client = shop.options().keys().0;
    let all = [
        ("client_id", client),
        ("redirect_uri", REHEARSAL_RUNAME),
        ("response_type", "code"),
        ("scope", scope.as_str()),
        ("state", "s 7"),
        ("prompt", "login"),
    ];
    let all = all.map(|(name, value)| (name, if name == change.0 { change.1 } else { value }));
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
    shop.handle(&request(method, path, &query, &[], ""))
}

/// The seller allows; gives the query of the landing address as it stands there.
fn allow(shop: &Shop) -> String {
    let response = consent(shop, "POST", "/oauth2/authorize", ("", ""));
    let (base, query) = response.header("location").unwrap().split_once('?').unwrap();
    assert_eq!((response.status, base), (302, REHEARSAL_LANDING));
    query.to_owned()
}

fn redeem(shop: &Shop, code: &str, redirect: &str) -> Response {
    token(shop, &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect)])
}

#[test]
fn ids_are_three_numbers_that_say_nothing_of_their_order_and_lead_back() {
    let ids: Vec<u64> = (1_000..1_400).map(Ebay::order_id).collect();
    assert!(!ids.is_sorted());
    for (number, id) in (1_000..).zip(ids) {
        let text = Ebay::write_id(id);
        assert!(text.len() == 14 && text.starts_with("14-") && text.as_bytes()[8] == b'-', "{text}");
        assert_eq!((Ebay::number(id), Ebay::read_id(&text)), (number, id));
    }
    for text in ["7", "", "14-1-2", "140000000001", "14-00000-0000x"] {
        assert_eq!(Ebay::read_id(text), 0, "{text}");
    }
}

#[test]
fn consent_lands_with_an_encoded_code_that_is_redeemed_once_within_its_time() {
    let (shop, clock) = shop(Options::default());
    let page = consent(&shop, "GET", "/oauth2/authorize", ("", ""));
    let text = String::from_utf8(page.body).unwrap();
    assert!(page.status == 200 && text.contains("Agree and Continue") && text.contains("sell.fulfillment"), "{text}");
    let landed = allow(&shop);
    assert!(
        landed.contains("code=v%5E1.1%23") && landed.contains("%25") && landed.ends_with("expires_in=299"),
        "{landed}"
    );
    let pairs = parse_query(&landed);
    assert_eq!(pairs[0], ("state".to_owned(), "s 7".to_owned()));
    let code = &pairs[1].1;
    // What is still encoded, or decoded twice, is another code; and so is one for another landing address.
    let raw = landed.split('&').nth(1).unwrap().trim_start_matches("code=").to_owned();
    assert_eq!(redeem(&shop, &raw, REHEARSAL_RUNAME).status, 400);
    let given = redeem(&shop, code, REHEARSAL_RUNAME).body_json();
    let told = [&given["expires_in"], &given["refresh_token_expires_in"], &given["token_type"]];
    assert_eq!(told, [&json!(7_200), &json!(47_304_000), &json!("User Access Token")]);
    let again = redeem(&shop, code, REHEARSAL_RUNAME);
    let text = "the provided authorization grant code is invalid or was issued to another client";
    assert_eq!(
        (again.status, again.body_json()),
        (400, json!({ "error": "invalid_grant", "error_description": text }))
    );
    let code = |shop: &Shop| parse_query(&allow(shop))[1].1.clone();
    assert_eq!(redeem(&shop, &code(&shop), REHEARSAL_LANDING).status, 400, "the address in the place of its name");
    let late = code(&shop);
    clock.advance(TimeDelta::seconds(299));
    assert_eq!(redeem(&shop, &late, REHEARSAL_RUNAME).status, 400);
}

#[test]
fn a_wrong_request_for_consent_shows_a_page() {
    let (shop, _) = shop(Options::default());
    for (name, value, says) in [
        ("client_id", SANDBOX_CLIENT_ID, "unauthorized_client"),
        ("redirect_uri", REHEARSAL_LANDING, "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "https://api.ebay.com/oauth/api_scope/buy.everything", "invalid_scope"),
    ] {
        let page = consent(&shop, "GET", "/oauth2/authorize", (name, value));
        assert!(page.status == 400 && String::from_utf8(page.body).unwrap().contains(says), "{name}");
    }
    let denied = consent(&shop, "GET", "/oauth2/authorize/deny", ("", ""));
    assert!(denied.header("location").unwrap().contains("error=access_denied"));
}

#[test]
fn tokens_end_and_a_refresh_token_stays_until_it_ends_or_the_password_changes() {
    let (shop, clock) = shop(Options::default());
    let refresh = shop.options().refresh();
    let given = renew(&shop, &refresh).body_json();
    assert!(given["refresh_token"].is_null(), "it is not another one");
    let bearer = format!("Bearer {}", given["access_token"].as_str().unwrap());
    let user = |bearer: &str| ask_as(&shop, bearer, "GET", "/commerce/identity/v1/user/", "");
    assert_eq!(user(&bearer).body_json()["userId"], "rEhEaRsAl01");
    clock.advance(TimeDelta::seconds(7_200));
    assert_eq!(said(&user(&bearer)), (401, 1_001));
    assert_eq!(said(&user("")), (401, 1_002));
    clock.advance(TimeDelta::days(540));
    assert_eq!(renew(&shop, &refresh).status, 200);
    clock.advance(TimeDelta::days(8));
    let ended = renew(&shop, &refresh);
    let text = "the provided authorization refresh token is invalid or was issued to another client";
    assert_eq!((ended.status, &ended.body_json()["error_description"]), (400, &json!(text)));
    let code = parse_query(&allow(&shop))[1].1.clone();
    let given = redeem(&shop, &code, REHEARSAL_RUNAME).body_json();
    shop.fail_tokens(1);
    let refresh = given["refresh_token"].as_str().unwrap();
    assert_eq!([renew(&shop, refresh).status, renew(&shop, refresh).status], [500, 200]);
    shop.revoke();
    assert_eq!(renew(&shop, refresh).body_json()["error"], "invalid_grant");
    assert_eq!(said(&user(&format!("Bearer {}", given["access_token"].as_str().unwrap()))), (401, 1_001));
}

#[test]
fn keys_of_the_other_environment_and_wrong_scopes_are_refused() {
    let (shop, _) = shop(Options::default());
    let keys = format!("{SANDBOX_CLIENT_ID}:{SANDBOX_CLIENT_SECRET}");
    let form = [("grant_type", "client_credentials"), ("scope", options::SCOPE)];
    let refused = token_of(&shop, &keys, &form);
    assert_eq!((refused.status, &refused.body_json()["error"]), (401, &json!("invalid_client")));
    let sandbox = Shop::new(Options::sandbox(), Arc::new(ManualClock::at(Timestamp::from_timestamp(NOW, 0).unwrap())));
    assert_eq!(token_of(&sandbox, &keys, &form).status, 200);
    // A token of there is worth nothing here.
    let there = format!("Bearer {}", user_token(&sandbox));
    assert_eq!(said(&ask_as(&shop, &there, "GET", ORDERS, "")), (401, 1_001));
    let app = format!("Bearer {}", app_token(&shop));
    assert_eq!(said(&ask_as(&shop, &app, "GET", ORDERS, "")), (403, 1_100), "the application has no orders");
    let refresh = shop.options().refresh();
    let narrow = format!("{}/commerce.identity.readonly", options::SCOPE);
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("scope", narrow.as_str())];
    let narrow = format!("Bearer {}", access_token(&token(&shop, &form)));
    assert_eq!(said(&ask_as(&shop, &narrow, "GET", ORDERS, "")), (403, 1_100));
    let wide = format!("{}/sell.everything", options::SCOPE);
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("scope", wide.as_str())];
    assert_eq!(token(&shop, &form).body_json()["error"], "invalid_scope");
    assert_eq!(token(&shop, &[("grant_type", "password")]).body_json()["error"], "unsupported_grant_type");
    let iaf = format!("IAF {}", user_token(&shop));
    assert_eq!(said(&ask_as(&shop, &iaf, "GET", ORDERS, "")), (401, 1_001));
}

#[test]
fn a_list_has_pages_of_records_and_says_where_the_others_are() {
    let (shop, clock) = shop(Options::default());
    let placed: Vec<String> = (0..7)
        .map(|_| {
            clock.advance(TimeDelta::seconds(60));
            place(&shop, NewOrder::of(&[("MUG-9", 1)]))
        })
        .collect();
    let newest: Vec<String> = placed.iter().rev().cloned().collect();
    let first = list(&shop, "limit=3&fieldGroups=TAX_BREAKDOWN");
    assert_eq!((ids(&first), &first["total"], first.get("prev")), (newest[..3].to_vec(), &json!(7), None));
    let next = "https://api.ebay.com/sell/fulfillment/v1/order?fieldGroups=TAX_BREAKDOWN&limit=3&offset=3";
    assert_eq!(first["next"], next);
    let last = list(&shop, "limit=3&offset=6");
    assert!(ids(&last) == newest[6..] && last.get("next").is_none() && last["prev"].is_string());
    assert_eq!(list(&shop, "")["limit"], 50);
    assert!(ids(&list(&shop, "offset=99")).is_empty());
    shop.options().links = Links::Relative;
    assert!(list(&shop, "limit=3")["next"].as_str().unwrap().starts_with("/sell/"));
    for (query, id) in [
        ("limit=201", 31_100),
        ("limit=0", 31_100),
        ("limit=x", 31_100),
        ("offset=-1", 31_000),
        ("fieldGroups=ALL", 32_800),
    ] {
        assert_eq!(said(&get(&shop, &format!("{ORDERS}?{query}"))), (400, id), "{query}");
    }
    for (sorted, expected) in [(Sorted::Oldest, placed.clone()), (Sorted::ById, shop.ids())] {
        shop.options().sorted = sorted;
        assert_eq!(ids(&list(&shop, "")), expected);
    }
    shop.options().sorted = Sorted::Changed;
    clock.advance(TimeDelta::seconds(60));
    shop.touch(&placed[2]);
    assert_eq!(ids(&list(&shop, ""))[0], placed[2]);
}

#[test]
fn filters_are_read_as_documented_and_of_two_dates_one_is_heeded() {
    let (shop, clock) = shop(Options { sorted: Sorted::Oldest, ..Options::default() });
    let at = |seconds: i64| stamp((NOW + seconds) * 1_000);
    let placed: Vec<String> = (0..4)
        .map(|_| {
            let id = place(&shop, NewOrder::of(&[("MUG-9", 1)]));
            clock.advance(TimeDelta::seconds(60));
            id
        })
        .collect();
    clock.advance(TimeDelta::seconds(60));
    shop.touch(&placed[0]);
    let created = format!("creationdate:[{}..{}]", at(60), at(120));
    assert_eq!(ids(&list(&shop, &format!("filter={created}"))), placed[1..=2]);
    let modified = format!("lastmodifieddate:[{}..]", at(200));
    assert_eq!(ids(&list(&shop, &format!("filter={modified}"))), placed[..1]);
    let both = format!("filter={modified},creationdate:[{}..]", at(120));
    assert_eq!(ids(&list(&shop, &both)), placed[2..], "the modification is never seen");
    assert!(shop.ship_elsewhere(&placed[3], "DHL", "JD1"));
    let open = "filter=orderfulfillmentstatus:%7BNOT_STARTED%7CIN_PROGRESS%7D";
    assert_eq!(ids(&list(&shop, open)), placed[..3]);
    assert_eq!(ids(&list(&shop, "filter=orderfulfillmentstatus:{IN_PROGRESS|FULFILLED}")), placed[3..]);
    let wrong = |filter: String| said(&get(&shop, &format!("{ORDERS}?filter={filter}")));
    for (filter, id) in [
        ("orderfulfillmentstatus:{NOT_STARTED}".to_owned(), 30_800),
        ("orderfulfillmentstatus:{NOT_STARTED|IN_PROGRESS|FULFILLED}".to_owned(), 30_800),
        ("status:{OPEN}".to_owned(), 30_700),
        ("creationdate".to_owned(), 30_700),
        (format!("creationdate:{}", at(0)), 30_800),
        (format!("creationdate:[..{}]", at(0)), 30_820),
        ("creationdate:[yesterday..]".to_owned(), 30_810),
        (format!("creationdate:[{}..]", at(0).replace('Z', "%2B00:00")), 30_810),
        (format!("creationdate:[{}..{}]", at(60), at(0)), 30_840),
        (format!("lastmodifieddate:[{}..{}]", at(0), at(7_200)), 30_850),
        (format!("creationdate:[{}..]", at(-731 * 86_400)), 30_830),
    ] {
        assert_eq!(wrong(filter.clone()), (400, id), "{filter}");
    }
}

#[test]
fn orders_older_than_two_years_are_not_there_and_without_a_filter_none_older_than_ninety_days() {
    let (shop, clock) = shop(Options::default());
    let age = |days: i64| NewOrder::of(&[("MUG-9", 1)]).at(clock.now() - TimeDelta::days(days));
    let [old, year, quarter, new] = [740, 400, 91, 2].map(|days| place(&shop, age(days)));
    assert_eq!(ids(&list(&shop, "")), std::slice::from_ref(&new));
    let since = |days: i64, to: &str| {
        let from = stamp((NOW - days * 86_400) * 1_000);
        format!("filter=creationdate:[{from}..{to}]")
    };
    assert_eq!(ids(&list(&shop, &since(729, ""))), [new, quarter, year.clone()]);
    let then = since(760, &stamp((NOW - 700 * 86_400) * 1_000));
    assert!(ids(&list(&shop, &then)).is_empty(), "nor of before");
    assert_eq!(said(&get(&shop, &format!("{ORDERS}/{old}"))), (404, 32_100));
    assert_eq!(ids(&list(&shop, &format!("orderIds={old},{year},14-00000-00000&limit=999"))), [year]);
    shop.options().strict_reach = true;
    assert_eq!(said(&get(&shop, &format!("{ORDERS}?{then}"))), (400, 30_830));
    let many = vec!["14-00000-00000"; 51].join(",");
    assert_eq!(said(&get(&shop, &format!("{ORDERS}?orderIds={many}"))), (400, 30_900));
}

#[test]
fn lists_know_of_a_change_a_while_later_and_an_order_by_itself_at_once() {
    let (shop, clock) = shop(Options { lag: 5_000, ..Options::default() });
    let id = place(&shop, NewOrder::of(&[("MUG-9", 1)]));
    assert!(ids(&list(&shop, "")).is_empty());
    assert_eq!(one(&shop, &id)["orderId"], json!(id));
    clock.advance(TimeDelta::seconds(5));
    assert_eq!(ids(&list(&shop, "")), [id]);
    let open = place(&shop, NewOrder::of(&[("MUG-9", 1)]).status("open"));
    clock.advance(TimeDelta::seconds(9));
    assert_eq!((ids(&list(&shop, "")).len(), said(&get(&shop, &format!("{ORDERS}/{open}")))), (1, (404, 32_100)));
}

fn amount(value: &Value) -> (String, String) {
    (value["value"].as_str().unwrap().to_owned(), value["currency"].as_str().unwrap().to_owned())
}

fn euros(text: &str) -> (String, String) {
    (text.to_owned(), "EUR".to_owned())
}

fn to(country: &str) -> crate::sim::world::Address {
    crate::sim::world::Address {
        first_name: "Mary-Ann".to_owned(),
        last_name: "O'Neill".to_owned(),
        street_1: "14 Mews".to_owned(),
        country: country.to_owned(),
        email: "mary@example.test".to_owned(),
        ..Default::default()
    }
}

#[test]
fn sums_are_signed_and_what_ebay_collects_is_in_them_only_where_it_is_asked_for() {
    let (shop, _) = shop(Options::default());
    let purchase = NewOrder::of(&[("MUG-9", 2)]).coupon().bill_to(to("US")).source("adjusted");
    let id = place(&shop, purchase);
    let whole = one(&shop, &id);
    let sums = &whole["pricingSummary"];
    let told = |name: &str| amount(&sums[name]);
    assert_eq!([told("priceSubtotal"), told("priceDiscount")], [euros("19.98"), euros("-2.0")]);
    assert_eq!([told("deliveryCost"), told("deliveryDiscount")], [euros("4.9"), euros("-1.0")]);
    assert_eq!([told("adjustment"), told("tax"), told("total")], [euros("-1.5"), euros("1.44"), euros("21.82")]);
    assert_eq!(whole["ebayCollectAndRemitTax"], true);
    assert_eq!(whole["lineItems"][0]["ebayCollectAndRemitTaxes"][0]["taxType"], "STATE_SALES_TAX");
    let bare = get(&shop, &format!("{ORDERS}/{id}")).body_json();
    assert_eq!(amount(&bare["pricingSummary"]["total"]), euros("20.38"));
    assert!(bare["pricingSummary"]["tax"].is_null() && bare["lineItems"][0]["taxes"] == json!([]));
    assert_eq!(amount(&bare["paymentSummary"]["payments"][0]["amount"]), euros("18.14"), "after fees");
    let line = &whole["lineItems"][0];
    assert_eq!(
        [amount(&line["lineItemCost"]), amount(&line["discountedLineItemCost"])],
        [euros("19.98"), euros("17.98")]
    );
    assert_eq!(amount(&line["total"]), euros("23.32"));
}

#[test]
fn refunds_are_net_on_the_order_and_gross_on_its_lines() {
    let (shop, clock) = shop(Options::default());
    let id = place(&shop, NewOrder::of(&[("TEE-001", 1), ("MUG-9", 1)]).bill_to(to("DE")));
    clock.advance(TimeDelta::hours(1));
    assert!(shop.refund(&id, "20.00"));
    let shown = one(&shop, &id);
    assert_eq!(shown["orderPaymentStatus"], "PARTIALLY_REFUNDED");
    assert_eq!(amount(&shown["paymentSummary"]["refunds"][0]["amount"]), euros("17.8"));
    let lines: Vec<_> = [0, 1].map(|nth| amount(&shown["lineItems"][nth]["refunds"][0]["amount"])).to_vec();
    assert_eq!(lines, [euros("17.8"), euros("2.2")], "the first with its shipping, then the second");
    assert!(shown["lastModifiedDate"].as_str() > shown["creationDate"].as_str());
    assert!(shop.refund(&id, "7.79"));
    assert_eq!(one(&shop, &id)["orderPaymentStatus"], "FULLY_REFUNDED");
    shop.options().nets_refunds = false;
    assert_eq!(amount(&one(&shop, &id)["paymentSummary"]["refunds"][0]["amount"]), euros("20.0"));
}

#[test]
fn payouts_are_in_the_sellers_currency_and_prices_too_where_they_are_localized() {
    let (shop, _) = shop(Options::default());
    let purchase = || NewOrder::of(&[("TEE-001", 1)]).bill_to(to("VN")).currency_at("USD", 12_500);
    let shown = one(&shop, &place(&shop, purchase()));
    assert_eq!(amount(&shown["pricingSummary"]["total"]), ("17.8".to_owned(), "USD".to_owned()));
    let paid = &shown["paymentSummary"]["payments"][0]["amount"];
    let expected = json!({
        "value": "12.67", "currency": "EUR", "convertedFromValue": "15.84", "convertedFromCurrency": "USD",
    });
    assert_eq!(*paid, expected);
    let lines = &shown["lineItems"][0];
    assert_eq!(
        (&lines["listingMarketplaceId"], &lines["purchaseMarketplaceId"]),
        (&json!("EBAY_DE"), &json!("EBAY_US"))
    );
    let shown = one(&shop, &place(&shop, purchase().source("localized")));
    let total = &shown["pricingSummary"]["total"];
    assert_eq!((amount(total), &total["convertedFromValue"]), (euros("14.24"), &json!("17.8")));
    let yen = one(&shop, &place(&shop, NewOrder::of(&[("TEE-001", 1)]).currency("JPY")));
    assert_eq!(yen["lineItems"][0]["lineItemCost"]["value"], "13.0");
}

#[test]
fn people_fade_with_the_age_of_their_orders_and_with_their_accounts() {
    let (shop, clock) = shop(Options::default());
    let id = place(&shop, NewOrder::of(&[("TEE-001", 1)]).bill_to(to("GB")));
    let to = |shown: &Value| shown["fulfillmentStartInstructions"][0]["shippingStep"]["shipTo"].clone();
    let first = to(&one(&shop, &id));
    assert_eq!((&first["email"], &first["fullName"]), (&json!("mary@example.test"), &json!("Mary-Ann O'Neill")));
    assert_eq!(first["primaryPhone"], json!({}));
    clock.advance(TimeDelta::days(14));
    let later = one(&shop, &id);
    assert!(to(&later)["email"].is_null() && to(&later)["contactAddress"]["addressLine1"] == "14 Mews");
    clock.advance(TimeDelta::days(76));
    let old = one(&shop, &id);
    assert!(!old.to_string().contains("Mews") && !old.to_string().contains("Neill"), "{old}");
    assert_eq!(to(&old)["contactAddress"], json!({ "countryCode": "GB" }));
    assert_eq!(old["lastModifiedDate"], later["lastModifiedDate"], "and nothing has changed");
    let young = place(&shop, NewOrder::of(&[("TEE-001", 1)]).street("77 Home Road").source("hub"));
    assert!(shop.erase_buyer(&young));
    let gone = one(&shop, &young);
    assert!(!gone.to_string().contains("77 Home Road") && !gone.to_string().contains("@example.test"), "{gone}");
}

#[test]
fn what_ebay_sends_on_goes_to_its_hub_under_a_reference() {
    let (shop, _) = shop(Options::default());
    let place =
        |source: &str| one(&shop, &place(&shop, NewOrder::of(&[("TEE-001", 1)]).ship_to(to("US")).source(source)));
    let told = |shown: &Value| shown["fulfillmentStartInstructions"][0].clone();
    let hub = told(&place("hub"));
    assert_eq!(
        (&hub["ebaySupportedFulfillment"], &hub["fulfillmentInstructionsType"]),
        (&json!(true), &json!("SHIP_TO"))
    );
    assert_eq!(hub["shippingStep"]["shipTo"]["contactAddress"]["addressLine1"], "Hubstraße 100");
    assert_eq!(hub["shippingStep"]["shipTo"]["email"], "mary@example.test");
    assert_eq!(hub["finalDestinationAddress"]["addressLine1"], "14 Mews");
    assert!(hub["shippingStep"]["shipToReferenceId"].as_str().unwrap().starts_with("EIS"));
    let genuine = place("authenticity");
    assert!(told(&genuine)["shippingStep"]["shipToReferenceId"].is_null());
    assert_eq!(genuine["program"]["authenticityVerification"]["status"], "PENDING");
    let tagged = told(&place("tagged"))["shippingStep"]["shipTo"]["contactAddress"].clone();
    assert_eq!((&tagged["addressLine1"], &tagged["addressLine2"]), (&json!("ebay:xgslkk7"), &json!("14 Mews")));
    let own = place("fulfilled-by-ebay");
    assert_eq!(told(&own)["fulfillmentInstructionsType"], "FULFILLED_BY_EBAY");
    assert!(
        told(&own)["shippingStep"]["shipTo"].is_null() && own["program"]["fulfillmentProgram"]["fulfilledBy"] == "EBAY"
    );
    let digital = one(&shop, &shop.place(&NewOrder::of(&[("VOUCHER-25", 1)])));
    assert_eq!(told(&digital), json!({ "fulfillmentInstructionsType": "DIGITAL" }));
    let pickup = told(&one(&shop, &shop.place(&NewOrder::of(&[("TEE-001", 1)]).picked_up())));
    assert_eq!(pickup["pickupStep"]["merchantLocationKey"], "store-1");
}

#[test]
fn a_fulfilment_has_its_pieces_its_number_and_a_mail() {
    let (shop, clock) = shop(Options::default());
    let id = place(&shop, NewOrder::of(&[("TEE-001", 3), ("MUG-9", 1)]));
    let lines = line_ids(&shop, &id);
    let body = json!({
        "lineItems": [{ "lineItemId": lines[0], "quantity": 2 }], "shippedDate": stamp(NOW * 1_000),
        "shippingCarrierCode": "DHL", "trackingNumber": "JD014600",
    });
    clock.advance(TimeDelta::seconds(9));
    let made = ship(&shop, &id, &body);
    let location = format!("https://api.ebay.com{ORDERS}/{id}/shipping_fulfillment/JD014600");
    assert_eq!((made.status, made.header("location"), made.body.len()), (201, Some(location.as_str()), 0));
    let shown = one(&shop, &id);
    assert_eq!(
        (&shown["orderFulfillmentStatus"], &shown["fulfillmentHrefs"]),
        (&json!("IN_PROGRESS"), &json!([location]))
    );
    let statuses = [0, 1].map(|nth| shown["lineItems"][nth]["lineItemFulfillmentStatus"].clone());
    assert_eq!(statuses, ["IN_PROGRESS", "NOT_STARTED"]);
    // Whoever leaves the quantity out sends one.
    let bare = json!({ "lineItems": lines.iter().map(|id| json!({ "lineItemId": id })).collect::<Value>() });
    assert_eq!(ship(&shop, &id, &bare).status, 201);
    let sent = get(&shop, &format!("{ORDERS}/{id}/shipping_fulfillment")).body_json();
    let expected = json!({
        "fulfillmentId": "JD014600", "shipmentTrackingNumber": "JD014600", "shippingCarrierCode": "DHL",
        "shippedDate": stamp(NOW * 1_000), "lineItems": [{ "lineItemId": lines[0], "quantity": 2 }],
    });
    assert_eq!((&sent["total"], &sent["fulfillments"][0]), (&json!(2), &expected));
    assert_eq!(sent["fulfillments"][1]["fulfillmentId"], "999");
    assert_eq!(one(&shop, &id)["orderFulfillmentStatus"], "FULFILLED");
    let standing = shop.standing(&id).unwrap();
    assert_eq!((standing.mailed(About::Shipment), standing.sent, shop.writes()), (2, 4, 2));
    assert_eq!(get(&shop, &format!("{ORDERS}/{id}/shipping_fulfillment/JD014600")).body_json(), expected);
}

#[test]
fn a_fulfilment_that_is_wrong_is_refused_by_its_number_and_sends_nothing() {
    let (shop, clock) = shop(Options::default());
    let id = place(&shop, NewOrder::of(&[("TEE-001", 2)]));
    let line = line_ids(&shop, &id)[0].clone();
    let good = json!({
        "lineItems": [{ "lineItemId": line, "quantity": 1 }], "shippingCarrierCode": "DHL", "trackingNumber": "JD01",
    });
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        said(&ship(&shop, &id, &body))
    };
    let item = |line: &str, pieces: Value| json!([{ "lineItemId": line, "quantity": pieces }]);
    assert_eq!(with("trackingNumber", json!("JD 01-4")), (400, 32_300));
    assert_eq!(with("trackingNumber", Value::Null), (400, 32_300));
    assert_eq!(with("shippingCarrierCode", json!("Pigeon Post")), (400, 32_300));
    assert_eq!(with("shippingCarrierCode", Value::Null), (400, 32_300));
    assert_eq!(with("lineItems", item("7", json!(1))), (400, 32_200));
    assert_eq!(with("lineItems", json!([good["lineItems"][0], good["lineItems"][0]])), (400, 32_210));
    for pieces in [json!(3), json!(0), json!("1"), json!(-1), json!(1.5)] {
        assert_eq!(with("lineItems", item(&line, pieces)), (400, 32_600));
    }
    assert_eq!(with("lineItems", json!([])), (400, 32_600));
    for date in [stamp((NOW + 60) * 1_000), stamp((NOW - 60) * 1_000), "2026-11-23".to_owned()] {
        assert_eq!(with("shippedDate", json!(date)), (400, 32_500), "{date}");
    }
    assert_eq!(said(&ship(&shop, "14-00000-00000", &good)), (400, 32_100));
    assert_eq!(said(&ship(&shop, &id, &json!("x"))), (500, 30_500));
    let own = place(&shop, NewOrder::of(&[("TEE-001", 1)]).source("fulfilled-by-ebay"));
    let body = json!({ "lineItems": [{ "lineItemId": line_ids(&shop, &own)[0] }] });
    assert_eq!(said(&ship(&shop, &own, &body)), (400, 32_600));
    assert_eq!((shop.writes(), shop.standing(&id).unwrap().dispatch_mails), (0, 0));
    shop.options().strips_tracking = true;
    let mut loose = good.clone();
    loose["trackingNumber"] = json!("JD 01-4");
    assert_eq!(ship(&shop, &id, &loose).status, 201);
    assert_eq!(shop.standing(&id).unwrap().parcels, [("DHL".to_owned(), "JD014".to_owned())]);
    loose["trackingNumber"] = json!("JD014");
    assert_eq!(said(&ship(&shop, &id, &loose)).0, 409);
    shop.options().repeats = Repeats::Put;
    assert_eq!(said(&ship(&shop, &id, &loose)), (400, 34_500));
    shop.options().repeats = Repeats::Taken;
    assert_eq!(ship(&shop, &id, &loose).status, 201);
    clock.advance(TimeDelta::hours(1));
    let gone = place(&shop, NewOrder::of(&[("TEE-001", 1)]));
    assert!(shop.cancel(&gone));
    let body = json!({ "lineItems": [{ "lineItemId": line_ids(&shop, &gone)[0] }] });
    assert_eq!(ship(&shop, &gone, &body).status, 409);
}

#[test]
fn a_cancelled_order_is_spelt_either_way_and_tells_why_only_by_itself() {
    let (shop, clock) = shop(Options::default());
    let id = place(&shop, NewOrder::of(&[("TEE-001", 1)]));
    clock.advance(TimeDelta::seconds(5));
    assert_eq!(one(&shop, &id)["cancelStatus"], json!({ "cancelState": "NONE_REQUESTED", "cancelRequests": [] }));
    assert!(shop.cancel(&id));
    let listed = list(&shop, "")["orders"][0]["cancelStatus"].clone();
    assert_eq!((&listed["cancelState"], &listed["cancelRequests"]), (&json!("CANCELED"), &json!([])));
    let whole = one(&shop, &id);
    assert_eq!(whole["cancelStatus"]["cancelRequests"][0]["cancelRequestState"], "COMPLETED");
    assert_eq!(whole["orderPaymentStatus"], "FULLY_REFUNDED", "the money goes back with it");
    shop.options().cancelled = "CANCELLED";
    assert_eq!(one(&shop, &id)["cancelStatus"]["cancelState"], "CANCELLED");
}

#[test]
fn the_day_has_its_limit_and_begins_in_california() {
    let (shop, clock) = shop(Options { per_day: 2, ..Options::default() });
    let token = format!("Bearer {}", user_token(&shop));
    let asked = || said(&ask_as(&shop, &token, "GET", ORDERS, ""));
    assert_eq!([asked(), asked(), asked()], [(200, 0), (200, 0), (429, 2_001)]);
    assert_eq!(shop.asked(), (3, 1));
    let midnight = Timestamp::from_timestamp(NOW, 0).unwrap().date_naive().and_hms_opt(8, 0, 0).unwrap().and_utc();
    let midnight = if midnight > clock.now() { midnight } else { midnight + TimeDelta::days(1) };
    let left = midnight - clock.now();
    clock.advance(left - TimeDelta::seconds(1));
    let token = format!("Bearer {}", user_token(&shop));
    let asked = || said(&ask_as(&shop, &token, "GET", ORDERS, ""));
    assert_eq!(asked(), (429, 2_001));
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(asked(), (200, 0));
}

#[test]
fn another_account_sees_nothing_of_the_sellers() {
    let (shop, _) = shop(Options { stranger: true, ..Options::default() });
    let id = place(&shop, NewOrder::of(&[("TEE-001", 1)]));
    let code = parse_query(&allow(&shop))[1].1.clone();
    let bearer = format!("Bearer {}", access_token(&redeem(&shop, &code, REHEARSAL_RUNAME)));
    assert_eq!(ask_as(&shop, &bearer, "GET", ORDERS, "").body_json()["total"], 0);
    assert_eq!(ask_as(&shop, &bearer, "GET", &format!("{ORDERS}/{id}"), "").status, 404);
    assert_eq!(ask_as(&shop, &bearer, "GET", "/commerce/identity/v1/user/", "").body_json()["userId"], "sTrAnGeR777");
}

#[test]
fn what_ebay_does_not_have_comes_to_nothing() {
    let (shop, _) = shop(Options::default());
    let id = place(&shop, NewOrder::of(&[("TEE-001", 3), ("VOUCHER-25", 1)]).line_elsewhere("MUG-9", 1));
    assert!(!shop.hold(&id) && !shop.put_away(&id) && !shop.reorder_places(&id));
    assert!([Lack::Archive, Lack::Holds, Lack::RefundedPieces].iter().all(|what| shop.lacks(*what)));
    assert!(shop.order(Ebay::read_id(&id)).unwrap().lines.iter().all(|line| line.ships()), "all of it is sent");
}

#[test]
fn twenty_thousand_orders_are_there_at_once() {
    let (shop, clock) = shop(Options::default());
    shop.seed(20_000, clock.now() - TimeDelta::days(300), clock.now());
    let from = stamp((NOW - 301 * 86_400) * 1_000);
    let page = list(&shop, &format!("filter=creationdate:[{from}..]&limit=200&offset=400"));
    assert_eq!((page["total"].as_u64(), ids(&page).len()), (Some(20_000), 200));
}

const CANCELLATION: &str = "/post-order/v2/cancellation";

fn post_order(shop: &Shop, method: &str, rest: &str, body: &Value) -> Response {
    let token = format!("IAF {}", user_token(shop));
    ask_as(
        shop,
        &token,
        method,
        &format!("{CANCELLATION}{rest}"),
        &if body.is_null() { String::new() } else { body.to_string() },
    )
}

fn cancel(shop: &Shop, id: &str, reason: &str) -> Value {
    let wish = json!({
        "legacyOrderId": id, "cancelReason": reason, "buyerPaid": true, "buyerPaidDate": { "value": stamp(NOW * 1_000) },
    });
    let response = post_order(shop, "POST", "", &wish);
    assert_eq!(response.status, 200, "{}", response.body_json());
    response.body_json()
}

const SOLD_OUT: &str = "OUT_OF_STOCK_OR_CANNOT_FULFILL";

#[test]
fn post_order_takes_the_same_token_under_another_name_and_wants_a_marketplace() {
    let (shop, _) = shop(Options::default());
    let (token, search) = (user_token(&shop), format!("{CANCELLATION}/search"));
    for (form, status) in [("IAF", 200), ("TOKEN", 200), ("Bearer", 401), ("Basic", 401)] {
        assert_eq!(ask_as(&shop, &format!("{form} {token}"), "GET", &search, "").status, status, "{form}");
    }
    let bare = request("GET", &search, "", &[("authorization", &format!("IAF {token}"))], "");
    assert_eq!(said(&shop.handle(&bare)), (400, 1_610));
}

#[test]
fn an_order_tells_whether_and_for_what_it_can_be_cancelled() {
    let (shop, clock) = shop(Options::default());
    let check = |id: &str| post_order(&shop, "POST", "/check_eligibility", &json!({ "legacyOrderId": id })).body_json();
    let place = |purchase: Purchase| place(&shop, purchase);
    let plain = || NewOrder::of(&[("TEE-001", 2)]);
    let good = check(&place(plain()));
    assert_eq!(good["eligibleCancelReason"], json!([SOLD_OUT, "BUYER_ASKED_CANCEL", "ADDRESS_ISSUES"]));
    assert!(good["eligible"] == true && good["itemEligibilityResult"][0]["eligible"] == true);
    assert_eq!(check(&place(plain().unpaid()))["eligibleCancelReason"][2], "ORDER_UNPAID");
    let [shipped, part, whole, cancelled] = [(); 4].map(|()| place(plain()));
    assert!(shop.ship_elsewhere(&shipped, "DHL", "JD01") && shop.refund(&part, "1.00") && shop.refund(&whole, "99.00"));
    assert!(shop.cancel(&cancelled));
    let old = place(plain().at(clock.now() - TimeDelta::days(31)));
    let own = place(plain().source("fulfilled-by-ebay"));
    for (id, why) in [
        (shipped.as_str(), "SHIPPED_ORDER"),
        (&part, "PARTIAL_REFUNDED_ORDER"),
        (&whole, "FULL_REFUNDED_ORDER"),
        (&cancelled, "CANCELLATION_EXIST"),
        (&old, "CANCEL_WINDOW_ELAPSED"),
        (&own, "UNSUPPORTED_ORDER"),
        ("14-00000-00000", "INVALID_ORDER"),
    ] {
        let refused = check(id);
        assert_eq!((&refused["eligible"], &refused["failureReason"]), (&json!(false), &json!([why])));
        let made = cancel(&shop, id, SOLD_OUT);
        assert!(made["cancelId"].is_null() && made["orderEligibilityResult"]["failureReason"][0] == why, "{made}");
    }
    assert_eq!(shop.counters().orders, 8);
    let (sandbox, _) = self::shop(Options::sandbox());
    let id = sandbox.place(&plain());
    let refused = post_order(&sandbox, "POST", "/check_eligibility", &json!({ "legacyOrderId": id }));
    assert_eq!(refused.status, 404, "there is none in the sandbox");
}

#[test]
fn a_cancellation_takes_its_time_and_ends_with_the_money() {
    let (shop, clock) = shop(Options::default());
    let id = place(&shop, NewOrder::of(&[("TEE-001", 2)]));
    let wrong = json!({ "legacyOrderId": id, "cancelReason": "ORDER_UNPAID" });
    assert_eq!(said(&post_order(&shop, "POST", "", &wrong)), (400, 1_610));
    let made = cancel(&shop, &id, SOLD_OUT)["cancelId"].as_str().unwrap().to_owned();
    let detail = || post_order(&shop, "GET", &format!("/{made}"), &Value::Null).body_json()["cancelDetail"].clone();
    let stands = || {
        let shown = detail();
        [shown["cancelState"].clone(), shown["cancelStatus"].clone()]
    };
    assert_eq!(stands(), ["REFUND_PENDING", "CANCEL_PENDING"]);
    assert_eq!(one(&shop, &id)["cancelStatus"]["cancelState"], "IN_PROGRESS");
    assert_eq!(one(&shop, &id)["cancelStatus"]["cancelRequests"][0]["cancelRequestState"], "REQUESTED");
    clock.advance(TimeDelta::seconds(60));
    assert_eq!(stands(), ["REFUND_INITIATED", "CANCEL_PENDING"]);
    assert!(!shop.standing(&id).unwrap().cancelled);
    let found = |query: &str| post_order(&shop, "GET", &format!("/search?{query}"), &Value::Null).body_json();
    assert_eq!(found(&format!("legacy_order_id={id}"))["cancellations"][0]["cancelId"], json!(made));
    assert_eq!(found("legacy_order_id=14-00000-00000")["total"], 0);
    assert_eq!(found(&format!("creation_date_range_from={}", stamp((NOW + 9) * 1_000)))["total"], 0);
    clock.advance(TimeDelta::seconds(30));
    assert_eq!(stands(), ["CLOSED", "CANCEL_CLOSED_WITH_REFUND"]);
    let shown = one(&shop, &id);
    assert_eq!(
        (&shown["cancelStatus"]["cancelState"], &shown["orderPaymentStatus"]),
        (&json!("CANCELED"), &json!("FULLY_REFUNDED"))
    );
    let standing = shop.standing(&id).unwrap();
    assert_eq!((standing.cancelled, standing.restocked, standing.mailed(About::Cancellation)), (true, 2, 1));
    shop.options().detail = Detail::Flat;
    assert_eq!(post_order(&shop, "GET", &format!("/{made}"), &Value::Null).body_json()["cancelState"], "CLOSED");
    shop.options().detail = Detail::Old;
    assert_eq!(detail()["state"], "CLOSED");
    assert_eq!(post_order(&shop, "GET", "/7", &Value::Null).status, 404);
    let unpaid = place(&shop, NewOrder::of(&[("TEE-001", 2)]).unpaid());
    let ended = cancel(&shop, &unpaid, "ORDER_UNPAID")["cancelId"].as_str().unwrap().to_owned();
    clock.advance(TimeDelta::seconds(90));
    assert_eq!(
        post_order(&shop, "GET", &format!("/{ended}"), &Value::Null).body_json()["cancelDetail"]["status"],
        "CANCEL_CLOSED_NO_REFUND"
    );
}

#[test]
fn a_cancellation_may_fail_later_or_cancel_nothing_at_once() {
    let (shop, clock) = shop(Options { refund_fails: true, ..Options::default() });
    let id = place(&shop, NewOrder::of(&[("TEE-001", 2)]));
    let made = cancel(&shop, &id, SOLD_OUT)["cancelId"].as_str().unwrap().to_owned();
    clock.advance(TimeDelta::seconds(90));
    let shown = post_order(&shop, "GET", &format!("/{made}"), &Value::Null).body_json()["cancelDetail"].clone();
    assert_eq!(shown["cancelState"], "REFUND_FAILED_RETRY");
    assert!(!shop.standing(&id).unwrap().cancelled);
    shop.options().cancels_nothing = true;
    let other = place(&shop, NewOrder::of(&[("TEE-001", 2)]));
    assert_eq!(cancel(&shop, &other, SOLD_OUT), json!({}));
    clock.advance(TimeDelta::days(9));
    assert_eq!(one(&shop, &other)["cancelStatus"]["cancelState"], "NONE_REQUESTED");
}

#[test]
fn a_buyer_asks_within_an_hour_and_the_seller_answers() {
    let (shop, clock) = shop(Options { cancel_seconds: 0, ..Options::default() });
    let ask = |purchase: Purchase| {
        let id = place(&shop, purchase);
        (id.clone(), shop.ask_to_cancel(Ebay::read_id(&id), "ORDER_MISTAKE"))
    };
    assert_eq!(ask(NewOrder::of(&[("TEE-001", 1)]).at(clock.now() - TimeDelta::hours(2))).1, None);
    let (first, asked) = ask(NewOrder::of(&[("TEE-001", 1)]));
    let asked = asked.unwrap();
    let shown = post_order(&shop, "GET", &format!("/{asked}"), &Value::Null).body_json()["cancelDetail"].clone();
    assert_eq!((&shown["requestorType"], &shown["cancelState"]), (&json!("BUYER"), &json!("APPROVAL_PENDING")));
    assert_eq!(shown["sellerResponseDueDate"]["value"], stamp((NOW + 3 * 86_400) * 1_000));
    assert_eq!(list(&shop, "")["orders"][0]["cancelStatus"]["cancelState"], "IN_PROGRESS");
    let approved = post_order(&shop, "POST", &format!("/{asked}/approve"), &Value::Null);
    assert!(approved.status == 200 && approved.body.is_empty());
    assert!(shop.standing(&first).unwrap().cancelled);
    assert_eq!(post_order(&shop, "POST", &format!("/{asked}/approve"), &Value::Null).status, 400);
    let (second, asked) = ask(NewOrder::of(&[("TEE-001", 1)]));
    let asked = asked.unwrap();
    let body = json!({ "shipmentDate": { "value": stamp(NOW * 1_000) }, "trackingNumber": "JD01" });
    assert_eq!(post_order(&shop, "POST", &format!("/{asked}/reject"), &body).status, 200);
    let request = one(&shop, &second)["cancelStatus"].clone();
    assert_eq!(request["cancelState"], "NONE_REQUESTED");
    let told = &request["cancelRequests"][0];
    assert_eq!((&told["cancelRequestState"], &told["cancelInitiator"]), (&json!("REJECTED"), &json!("Buyer")));
}

/// A signed request to cancel, with one of its parts changed.
fn signed_request(shop: &Shop, key: &Value, body: &str, change: &str, created: i64) -> Response {
    use ring::signature::Ed25519KeyPair;
    use sha2::{Digest, Sha256};
    let private = STANDARD.decode(key["privateKey"].as_str().unwrap()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&private).unwrap();
    let jwe = key["jwe"].as_str().unwrap();
    let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
    let names = if change == "component" { "" } else { " \"@authority\"" };
    let params =
        format!("(\"content-digest\" \"x-ebay-signature-key\" \"@method\" \"@path\"{names});created={created}");
    let authority = if change == "component" { "" } else { "\"@authority\": api.ebay.com\n" };
    let base = format!(
        "\"content-digest\": {digest}\n\"x-ebay-signature-key\": {jwe}\n\"@method\": POST\n\"@path\": {CANCELLATION}\n\
         {authority}\"@signature-params\": {params}"
    );
    let signature = format!("sig1=:{}:", STANDARD.encode(pair.sign(base.as_bytes())));
    let token = format!("IAF {}", user_token(shop));
    let (input, body) = (format!("sig1={params}"), if change == "body" { format!("{body} ") } else { body.to_owned() });
    let all = [
        ("authorization", token.as_str()),
        ("host", if change == "host" { "api.sandbox.ebay.com" } else { "api.ebay.com" }),
        JSON,
        ("x-ebay-c-marketplace-id", "EBAY_DE"),
        ("x-ebay-signature-key", if change == "key" { "x.y.z" } else { jwe }),
        ("content-digest", &digest),
        ("signature-input", &input),
        ("signature", &signature),
    ];
    let sent: Vec<(&str, &str)> = all.into_iter().filter(|(name, _)| *name != change).collect();
    shop.handle(&request("POST", CANCELLATION, "", &sent, &body))
}

#[test]
fn sellers_of_the_eu_sign_what_moves_money_with_a_key_that_was_made_for_them() {
    let (shop, clock) = shop(Options { signatures: true, ..Options::default() });
    let keys = "/developer/key_management/v1/signing_key";
    let app = |method: &str, target: &str, body: &str| {
        ask_as(&shop, &format!("Bearer {}", app_token(&shop)), method, target, body)
    };
    assert_eq!(said(&app("POST", keys, r#"{"signingKeyCipher":"DSA"}"#)), (400, 210_001));
    let key = app("POST", keys, r#"{"signingKeyCipher":"ED25519"}"#).body_json();
    assert_eq!(key["expirationTime"].as_i64().unwrap() - NOW, 3 * 365 * 86_400);
    let known = app("GET", &format!("{keys}/{}", key["signingKeyId"].as_str().unwrap()), "").body_json();
    assert!(known["privateKey"].is_null() && known["publicKey"] == key["publicKey"], "told once");
    assert_eq!(said(&get(&shop, keys)), (400, 210_005), "not the user's");
    let id = place(&shop, NewOrder::of(&[("TEE-001", 1)]));
    let body = json!({ "legacyOrderId": id, "cancelReason": SOLD_OUT }).to_string();
    let refused = |change: &str, created: i64| said(&signed_request(&shop, &key, &body, change, created));
    for (change, number) in [
        ("x-ebay-signature-key", 215_001),
        ("signature-input", 215_002),
        ("signature", 215_003),
        ("key", 215_120),
        ("component", 215_121),
        ("host", 215_122),
        ("body", 215_123),
        ("content-digest", 215_122),
    ] {
        assert_eq!(refused(change, NOW), (403, number), "{change}");
    }
    assert_eq!(refused("", NOW - 601), (403, 215_122), "too old");
    assert_eq!(said(&post_order(&shop, "POST", "", &serde_json::from_str(&body).unwrap())), (403, 215_001));
    assert!(signed_request(&shop, &key, &body, "", NOW).body_json()["cancelId"].is_string());
    clock.advance(TimeDelta::days(3 * 365));
    shop.lock().own.grants = crate::sim::grants::Grants::new(1);
    let fresh = Shop::new(Options { signatures: true, ..Options::default() }, clock.clone());
    fresh.lock().own.keys = shop.lock().own.keys.clone();
    let late = signed_request(&fresh, &key, &body, "", clock.now().timestamp());
    assert_eq!(said(&late), (403, 215_120), "the key has expired");
}

/// eBay's own program signs with ECDSA over SHA-1, as the vendor's published vector shows.
#[test]
fn a_delivery_is_signed_over_its_bytes_with_a_key_that_can_be_fetched() {
    use p256::ecdsa::signature::hazmat::PrehashVerifier;
    use p256::ecdsa::{Signature, VerifyingKey};
    use p256::pkcs8::DecodePublicKey;
    use sha1::{Digest, Sha1};
    let (shop, _) = shop(Options::default());
    let letter = delivery("http://127.0.0.1:1/x", 1, &json!({ "metadata": { "topic": "X" } }));
    let header = &letter.headers.iter().find(|(name, _)| name == "X-EBAY-SIGNATURE").unwrap().1;
    let told: Value = serde_json::from_slice(&STANDARD.decode(header).unwrap()).unwrap();
    assert_eq!((&told["alg"], &told["digest"]), (&json!("ecdsa"), &json!("SHA1")));
    let bearer = format!("Bearer {}", app_token(&shop));
    let target = |kid: &str| format!("/commerce/notification/v1/public_key/{kid}");
    let key = ask_as(&shop, &bearer, "GET", &target(told["kid"].as_str().unwrap()), "").body_json();
    let pem = key["key"].as_str().unwrap();
    let inside = pem.trim_start_matches("-----BEGIN PUBLIC KEY-----").trim_end_matches("-----END PUBLIC KEY-----");
    let verifying = VerifyingKey::from_public_key_der(&STANDARD.decode(inside).unwrap()).unwrap();
    let signature = Signature::from_der(&STANDARD.decode(told["signature"].as_str().unwrap()).unwrap()).unwrap();
    assert!(verifying.verify_prehash(&Sha1::digest(&letter.body), &signature).is_ok());
    assert!(verifying.verify_prehash(&Sha1::digest(b"other"), &signature).is_err());
    assert_eq!(said(&ask_as(&shop, &bearer, "GET", &target("nobody"), "")), (404, 195_001));
}

#[test]
fn limits_are_told_to_the_application_and_to_the_user() {
    let (shop, _) = shop(Options { per_day: 9, ..Options::default() });
    get(&shop, ORDERS);
    let bearer = format!("Bearer {}", app_token(&shop));
    let target = "/developer/analytics/v1_beta/rate_limit/?api_context=sell&api_name=Fulfillment";
    let told = ask_as(&shop, &bearer, "GET", target, "").body_json();
    let rate = &told["rateLimits"][0]["resources"][0]["rates"][0];
    assert_eq!((&rate["limit"], &rate["remaining"], &rate["timeWindow"]), (&json!(9), &json!(8), &json!(86_400)));
    assert!(rate["reset"].as_str().unwrap().ends_with("T08:00:00.000Z"));
    assert_eq!(ask_as(&shop, &bearer, "GET", "/developer/analytics/v1_beta/rate_limit/?api_name=x", "").status, 204);
    assert_eq!(get(&shop, "/developer/analytics/v1_beta/user_rate_limit/").status, 200);
}

/// An address at which this token is known, for so many questions.
fn endpoint(token: &'static str, times: usize) -> (String, std::thread::JoinHandle<()>) {
    use sha2::Digest;
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/ebay", listener.local_addr().unwrap());
    let mine = address.clone();
    let thread = std::thread::spawn(move || {
        for _ in 0..times {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let code = head.split("challenge_code=").nth(1).unwrap().split(' ').next().unwrap();
            let hash = sha2::Sha256::digest(format!("{code}{token}{mine}"));
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            let body = json!({ "challengeResponse": hash }).to_string();
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, thread)
}

#[test]
fn notifications_need_an_address_to_write_to_then_a_destination_that_answers_then_the_right_token() {
    const TOKEN: &str = "rehearsal-verification-token-0123456789";
    let (shop, _) = shop(Options { local_endpoints: false, ..Options::default() });
    let (app, user) = (format!("Bearer {}", app_token(&shop)), format!("Bearer {}", user_token(&shop)));
    let ask = |who: &str, method: &str, rest: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        ask_as(&shop, who, method, &format!("/commerce/notification/v1/{rest}"), &body)
    };
    let destination = |endpoint: &str, token: &str| json!({ "name": "x", "status": "ENABLED", "deliveryConfig": { "endpoint": endpoint, "verificationToken": token } });
    for endpoint in ["", "http://shop.example.test/x", "https://localhost/x", "https://192.168.0.7/x"] {
        let refused = ask(&app, "POST", "destination", destination(endpoint, TOKEN));
        assert_eq!(said(&refused), (400, 195_017), "{endpoint}");
    }
    let good = "https://shop.example.test/ebay";
    assert_eq!(said(&ask(&app, "POST", "destination", destination(good, "short"))), (400, 195_019));
    assert_eq!(said(&ask(&app, "GET", "config", Value::Null)), (404, 195_026));
    assert_eq!(said(&ask(&app, "POST", "destination", destination(good, TOKEN))), (409, 195_003));
    assert_eq!(said(&ask(&app, "PUT", "config", json!({ "alertEmail": "nobody" }))), (400, 195_025));
    assert_eq!(ask(&app, "PUT", "config", json!({ "alertEmail": "me@greencat.test" })).status, 204);
    shop.options().local_endpoints = true;
    let (address, thread) = endpoint("another-verification-token-0123456789abc", 1);
    assert_eq!(said(&ask(&app, "POST", "destination", destination(&address, TOKEN))), (409, 195_020));
    thread.join().unwrap();
    let (address, thread) = endpoint(TOKEN, 1);
    let made = ask(&app, "POST", "destination", destination(&address, TOKEN));
    assert_eq!((made.status, made.header("location").unwrap().ends_with("/destination/1")), (201, true));
    thread.join().unwrap();
    assert_eq!(said(&ask(&app, "POST", "destination", destination(&address, TOKEN))), (409, 195_021));
    let wish = |topic: &str| {
        json!({
            "topicId": topic, "status": "ENABLED", "destinationId": "1",
            "payload": { "format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS" },
        })
    };
    let subscribe = |who: &str, topic: &str| ask(who, "POST", "subscription", wish(topic));
    assert_eq!(said(&subscribe(&app, "ORDER_CONFIRMATION")), (403, 195_011));
    assert_eq!(said(&subscribe(&user, "MARKETPLACE_ACCOUNT_DELETION")), (403, 195_011));
    assert_eq!(said(&subscribe(&user, "ITEM_SOLD")), (400, 195_002));
    assert_eq!(subscribe(&user, "ORDER_CONFIRMATION").status, 201);
    assert_eq!(said(&subscribe(&user, "ORDER_CONFIRMATION")), (409, 195_012));
    assert_eq!(subscribe(&app, "MARKETPLACE_ACCOUNT_DELETION").status, 201);
    assert_eq!(said(&ask(&app, "DELETE", "destination/1", Value::Null)), (409, 195_024));
    assert_eq!(said(&ask(&user, "GET", "topic", Value::Null)), (403, 1_100));
    let topics = || ask(&app, "GET", "topic", Value::Null).body_json().to_string().contains("ORDER_CONFIRMATION");
    assert!(topics());
    shop.options().order_topic = false;
    assert!(!topics());
}

#[test]
fn a_new_order_is_told_with_its_lines_and_the_sellers_id_and_a_closed_account_with_its_own() {
    let (shop, _) = shop(Options::default());
    shop.change_hooks(&mut |hooks| {
        for (id, topic) in [(1, "ORDER_CONFIRMATION"), (2, "MARKETPLACE_ACCOUNT_DELETION")] {
            hooks.push(crate::sim::world::hooks::Hook {
                id,
                topic: topic.to_owned(),
                address: "http://127.0.0.1:1/nobody".to_owned(),
                key: "1".to_owned(),
                headers: Vec::new(),
                is_active: true,
                failures: 0,
            });
        }
    });
    let wait = |count: usize| {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while shop.letters().len() < count {
            assert!(std::time::Instant::now() < until, "{:?}", shop.letters());
            std::thread::yield_now();
        }
        let letters = shop.letters();
        assert_eq!(letters.len(), count);
        serde_json::from_slice::<Value>(&letters[count - 1].body).unwrap()
    };
    let id = place(&shop, NewOrder::of(&[("TEE-001", 2), ("MUG-9", 1)]));
    let told = wait(1)["notification"]["data"].clone();
    assert_eq!((&told["user"]["userId"], &told["order"]["orderId"]), (&json!("rEhEaRsAl01"), &json!(id)));
    assert_eq!(told["order"]["orderLineItems"][0]["orderLineItemId"], json!(line_ids(&shop, &id)[0]));
    assert_eq!(told["order"]["orderLineItems"].as_array().unwrap().len(), 2);
    assert!(shop.annotate(&id, "ring") && shop.refund(&id, "1.00"), "of which nobody is told");
    assert!(shop.unpay(&id) && shop.pay(&id));
    assert_eq!(wait(2)["notification"]["data"]["order"]["orderId"], json!(id), "it comes again");
    let user = super::vendor::user_id(&shop.order(Ebay::read_id(&id)).unwrap());
    assert!(shop.close_account(Ebay::read_id(&id)));
    let told = wait(3);
    assert_eq!(
        (&told["metadata"]["topic"], &told["notification"]["data"]["userId"]),
        (&json!("MARKETPLACE_ACCOUNT_DELETION"), &json!(user))
    );
    assert_eq!(one(&shop, &id)["buyer"]["username"], "Unknown eBay user");
}
