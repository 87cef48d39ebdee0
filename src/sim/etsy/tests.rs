use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::sim::http::{Store, parse_query};
use crate::sim::{About, Lack, Simulated};

const VERIFIER: &str = "verifier-of-forty-three-letters-and-some-more-0";

fn shop(options: Options) -> (Shop, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_timestamp(1_795_000_000, 0).unwrap()));
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

/// A shop whose limits nobody meets.
fn quick() -> Options {
    Options { per_second: 1_000, ..Options::default() }
}

/// Asks the token endpoint.
fn token(shop: &Shop, form: &str) -> Response {
    let form = format!("client_id={REHEARSAL_KEYSTRING}&{form}");
    shop.handle(&request("POST", "/v3/public/oauth/token", "", &[FORM], &form))
}

fn renew(shop: &Shop, refresh: &str) -> Response {
    token(shop, &format!("grant_type=refresh_token&refresh_token={refresh}"))
}

fn bearer(shop: &Shop) -> String {
    let refresh = shop.options().given_refresh();
    format!("Bearer {}", renew(shop, &refresh).body_json()["access_token"].as_str().unwrap())
}

fn ask(shop: &Shop, method: &str, path: &str, query: &str, more: (&str, &str), body: &str) -> Response {
    let (key, token) = (format!("{REHEARSAL_KEYSTRING}:{REHEARSAL_SECRET}"), bearer(shop));
    let headers = [("x-api-key", key.as_str()), ("authorization", token.as_str()), more];
    shop.handle(&request(method, &format!("/v3/application/{path}"), query, &headers, body))
}

fn get(shop: &Shop, path: &str, query: &str) -> Response {
    ask(shop, "GET", path, query, ("accept", "*/*"), "")
}

fn list(shop: &Shop, query: &str) -> Value {
    get(shop, "shops/22220000/receipts", query).body_json()
}

fn ids(body: &Value) -> Vec<u64> {
    body["results"].as_array().into_iter().flatten().filter_map(|row| row["receipt_id"].as_u64()).collect()
}

fn track(shop: &Shop, id: u64, kind: (&str, &str), body: &Value) -> Response {
    ask(shop, "POST", &format!("shops/22220000/receipts/{id}/tracking"), "", kind, &body.to_string())
}

fn said(response: &Response) -> (u16, String) {
    (response.status, response.body_json()["error"].as_str().unwrap_or_default().to_owned())
}

/// The query of a good request for consent.
fn wish(change: impl Fn(&str) -> Option<&'static str>) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER.as_bytes()));
    let all = [
        ("response_type", "code"),
        ("client_id", REHEARSAL_KEYSTRING),
        ("redirect_uri", REHEARSAL_REDIRECT),
        ("scope", "transactions_r transactions_w shops_r"),
        ("state", "s7"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in all {
        query.append_pair(name, change(name).unwrap_or(value));
    }
    query.finish()
}

fn consent(shop: &Shop, method: &str, path: &str, query: &str) -> (u16, String) {
    let response = shop.handle(&request(method, path, query, &[], ""));
    let to = response.header("location").map(str::to_owned);
    (response.status, to.unwrap_or_else(|| String::from_utf8(response.body).unwrap()))
}

/// The seller allows; gives the code.
fn allow(shop: &Shop) -> String {
    let (status, to) = consent(shop, "POST", "/oauth/connect", &wish(|_| None));
    let (base, query) = to.split_once('?').unwrap();
    assert_eq!((status, base), (302, REHEARSAL_REDIRECT));
    let pairs = parse_query(query);
    assert!(pairs.contains(&("state".to_owned(), "s7".to_owned())));
    pairs.into_iter().find(|(name, _)| name == "code").unwrap().1
}

fn redeem(shop: &Shop, code: &str, verifier: &str, redirect: &str) -> Response {
    let form = format!("code={code}&code_verifier={verifier}&redirect_uri={redirect}");
    token(shop, &format!("grant_type=authorization_code&{form}"))
}

#[test]
fn consent_gives_a_code_that_is_redeemed_once_with_its_verifier() {
    let (shop, clock) = shop(quick());
    let (status, page) = consent(&shop, "GET", "/oauth/connect", &wish(|_| None));
    assert!(status == 200 && page.contains("Grant access") && page.contains("/oauth/connect/deny?"), "{page}");
    let code = allow(&shop);
    let given = redeem(&shop, &code, VERIFIER, REHEARSAL_REDIRECT).body_json();
    assert_eq!((&given["token_type"], &given["expires_in"]), (&json!("Bearer"), &json!(3600)));
    for name in ["access_token", "refresh_token"] {
        assert!(given[name].as_str().unwrap().starts_with("11111111."), "{given}");
    }
    assert_eq!(said(&redeem(&shop, &code, VERIFIER, REHEARSAL_REDIRECT)), (400, "invalid_grant".to_owned()), "again");
    let other = "another-verifier-of-forty-three-letters-or-more";
    for (verifier, redirect) in [(other, REHEARSAL_REDIRECT), (VERIFIER, "https://shop.example.test/etsy")] {
        let code = allow(&shop);
        assert_eq!(said(&redeem(&shop, &code, verifier, redirect)).1, "invalid_grant");
    }
    let late = allow(&shop);
    clock.advance(TimeDelta::seconds(301));
    assert_eq!(said(&redeem(&shop, &late, VERIFIER, REHEARSAL_REDIRECT)).1, "invalid_grant");
}

#[test]
fn a_wrong_request_for_consent_is_told_on_the_page_or_at_the_callback() {
    let (shop, _) = shop(quick());
    let told = |name: &'static str, value: &'static str| {
        consent(&shop, "GET", "/oauth/connect", &wish(|one| (one == name).then_some(value)))
    };
    for (name, value, says) in [
        ("redirect_uri", "http://localhost:19427/etsy/", "The requested redirect URL is not permitted."),
        ("client_id", "other", "not recognized"),
    ] {
        let (status, page) = told(name, value);
        assert!(status == 400 && page.contains(says), "{page}");
    }
    for (name, value, says) in [
        ("state", "", "error_description=state+is+required"),
        ("code_challenge_method", "plain", "error=invalid_request"),
        ("code_challenge", "short", "error=invalid_request"),
        ("scope", "everything", "error=invalid_scope"),
        ("response_type", "token", "error=unsupported_response_type"),
    ] {
        let (status, to) = told(name, value);
        assert!(status == 302 && to.starts_with(REHEARSAL_REDIRECT) && to.contains(says), "{to}");
    }
    let deny = || consent(&shop, "GET", "/oauth/connect/deny", &wish(|_| None));
    assert!(deny().1.contains("error=access_denied") && deny().1.contains("state=s7"));
    shop.options().denial_returns = false;
    assert!(deny().0 == 200 && deny().1.contains("A stitch has gone awry"));
}

#[test]
fn tokens_end_by_the_shops_clock_and_a_password_ends_all_of_them() {
    let (shop, clock) = shop(quick());
    let given = shop.options().given_refresh();
    let first = renew(&shop, &given).body_json();
    let mine = |token: &Value| {
        let key = format!("{REHEARSAL_KEYSTRING}:{REHEARSAL_SECRET}");
        let token = format!("Bearer {}", token["access_token"].as_str().unwrap());
        let headers = [("x-api-key", key.as_str()), ("authorization", token.as_str())];
        shop.handle(&request("GET", "/v3/application/users/me", "", &headers, ""))
    };
    assert_eq!(mine(&first).body_json(), json!({ "user_id": 11_111_111, "shop_id": 22_220_000 }));
    clock.advance(TimeDelta::seconds(3_600));
    let ended = mine(&first);
    assert_eq!((said(&ended).0, &ended.body_json()["error_description"]), (401, &json!("access token is expired")));
    let second = renew(&shop, first["refresh_token"].as_str().unwrap());
    assert_eq!(mine(&second.body_json()).status, 200);
    shop.fail_tokens(1);
    assert_eq!(said(&renew(&shop, &given)), (500, "Server Error".to_owned()));
    shop.revoke();
    let revoked = renew(&shop, &given);
    let expected = json!({ "error": "invalid_grant", "error_description": "refresh_token is revoked" });
    assert_eq!((revoked.status, revoked.body_json()), (400, expected));
    assert_eq!(mine(&second.body_json()).status, 401);
}

#[test]
fn a_renewed_refresh_token_works_further_on_or_is_dead_and_none_outlives_ninety_days() {
    for works in [true, false] {
        let (shop, clock) = shop(Options { renewed_works: works, ..quick() });
        let given = shop.options().given_refresh();
        let refresh = |response: Response| response.body_json()["refresh_token"].as_str().unwrap().to_owned();
        let first = refresh(renew(&shop, &given));
        let second = refresh(renew(&shop, &first));
        assert_eq!(renew(&shop, &given).status == 200, works, "nor is the one that a script was given better");
        assert_eq!(renew(&shop, &first).status == 200, works);
        clock.advance(TimeDelta::days(89));
        let third = refresh(renew(&shop, &second));
        clock.advance(TimeDelta::days(90));
        assert_eq!(said(&renew(&shop, &third)), (400, "invalid_grant".to_owned()));
    }
}

#[test]
fn the_key_is_told_apart_as_etsy_does() {
    let (shop, _) = shop(quick());
    let ping = |key: Option<&str>| {
        let headers: Vec<(&str, &str)> = key.into_iter().map(|key| ("x-api-key", key)).collect();
        shop.handle(&request("GET", "/v3/application/openapi-ping", "", &headers, ""))
    };
    let good = format!("{REHEARSAL_KEYSTRING}:{REHEARSAL_SECRET}");
    assert_eq!(ping(Some(&good)).body_json(), json!({ "application_id": 123_456_789 }));
    let format = "Invalid API key: should be in the format 'keystring:shared_secret'.";
    let unknown = "API key not found or not active, or incorrect shared secret for API key.";
    assert_eq!(said(&ping(None)), (403, format.to_owned()));
    let bare = ping(Some(REHEARSAL_KEYSTRING));
    assert_eq!(said(&bare), (403, "Shared secret is required in x-api-key header.".to_owned()));
    for wrong in [REHEARSAL_SECRET, "a:b", &format!("{REHEARSAL_KEYSTRING}:wrong")] {
        assert_eq!(said(&ping(Some(wrong))), (403, unknown.to_owned()));
    }
    shop.options().key = Key::Inactive;
    assert_eq!(said(&ping(Some(&good))), (403, unknown.to_owned()), "pending");
}

#[test]
fn a_scope_that_the_token_lacks_and_another_account_are_refused() {
    let scopes = vec!["transactions_r".to_owned(), "shops_r".to_owned()];
    let (shop, _) = shop(Options { scopes, ..quick() });
    let id = shop.place_order(NewOrder::of(&[("MUG-9", 1)]));
    let refused = track(&shop, id, JSON, &json!({}));
    assert_eq!(said(&refused), (403, "insufficient_scope".to_owned()));
    shop.options().names_scopes = false;
    assert_eq!(said(&track(&shop, id, JSON, &json!({}))), (401, "invalid_token".to_owned()));
    let token = bearer(&shop).trim_start_matches("Bearer ").to_owned();
    let told = ask(&shop, "POST", "scopes", "", FORM, &format!("token={token}"));
    assert_eq!(told.body_json()["scopes"], json!(["transactions_r", "shops_r"]));
    let other = get(&shop, "shops/7/receipts/8", "");
    let text = "Could not find a Shop Receipt with receipt_id = 8 associated with shop_id = 7.";
    assert_eq!(said(&other), (404, text.to_owned()));
    let key = format!("{REHEARSAL_KEYSTRING}:{REHEARSAL_SECRET}");
    let nobody = request("GET", "/v3/application/users/me", "", &[("x-api-key", &key)], "");
    let text = "No user was provided as part of the bearer token.";
    assert_eq!(said(&shop.handle(&nobody)), (403, text.to_owned()));
    shop.options().stranger = true;
    let given = redeem(&shop, &allow(&shop), VERIFIER, REHEARSAL_REDIRECT).body_json();
    assert!(given["access_token"].as_str().unwrap().starts_with("11111888."), "{given}");
}

#[test]
fn a_list_is_sorted_bounded_and_clamped() {
    let (shop, clock) = shop(quick());
    let placed: Vec<u64> = (0..130)
        .map(|_| {
            clock.advance(TimeDelta::seconds(60));
            shop.place_order(NewOrder::of(&[("MUG-9", 1)]))
        })
        .collect();
    let (first, last) = (placed[0], placed[129]);
    let newest = list(&shop, "");
    assert_eq!((newest["count"].as_u64(), ids(&newest).len(), ids(&newest)[0]), (Some(130), 25, last));
    assert_eq!(ids(&list(&shop, "limit=500&sort_order=up")).len(), 100, "clamped in silence");
    assert_eq!(ids(&list(&shop, "limit=100&offset=100&sort_on=receipt_id&sort_order=ascending")).len(), 30);
    clock.advance(TimeDelta::seconds(1));
    shop.touch(&first.to_string());
    assert_eq!(ids(&list(&shop, "sort_on=updated&limit=1")), [first]);
    let at = |id: u64| shop.lock().orders[&id].created;
    let (low, high) = (at(placed[3]), at(placed[5]));
    let between = format!("min_created={low}&max_created={high}&sort_order=asc");
    assert_eq!(ids(&list(&shop, &between)), placed[3..=5]);
    shop.options().exclusive_bounds = true;
    assert_eq!(ids(&list(&shop, &between)), placed[4..=4]);
    for wrong in ["min_created=7", "limit=0", "offset=-1", "sort_on=price", "was_paid=perhaps", "page=2"] {
        assert_eq!(get(&shop, "shops/22220000/receipts", wrong).status, 400, "{wrong}");
    }
    shop.options().strict_query = false;
    assert_eq!(get(&shop, "shops/22220000/receipts", "page=2").status, 200);
    let far = get(&shop, "shops/22220000/receipts", "offset=12001");
    assert_eq!(said(&far).1, "Offset provided is greater than the maximum offset allowed.");
}

#[test]
fn a_list_without_was_canceled_has_or_has_not_what_is_cancelled() {
    for both in [false, true] {
        let (shop, _) = shop(Options { omitted_is_both: both, ..quick() });
        let kept = shop.place_order(NewOrder::of(&[("MUG-9", 1)]));
        let gone = shop.place_order(NewOrder::of(&[("MUG-9", 1)]));
        assert!(shop.cancel(&gone.to_string()));
        assert_eq!(ids(&list(&shop, "sort_order=asc")), if both { vec![kept, gone] } else { vec![kept] });
        assert_eq!(ids(&list(&shop, "was_canceled=true")), [gone]);
        assert_eq!(ids(&list(&shop, "was_canceled=false")), [kept]);
        let shown = get(&shop, &format!("shops/22220000/receipts/{gone}"), "").body_json();
        assert_eq!((&shown["status"], shown["refunds"].as_array().unwrap().len()), (&json!("Canceled"), 1));
        assert_eq!(ids(&list(&shop, "was_shipped=false&was_paid=true")).last(), Some(&kept));
        shop.ship_elsewhere(&kept.to_string(), "DHL", "JD01");
        assert_eq!(ids(&list(&shop, "was_shipped=true")), [kept]);
        assert!(ids(&list(&shop, "was_delivered=true")).is_empty());
    }
}

#[test]
fn every_tracking_that_is_taken_ships_and_mails_once_more() {
    let (shop, clock) = shop(quick());
    let id = shop.place_order(NewOrder::of(&[("TEE-001", 2)]));
    let body = json!({ "tracking_code": "JD01", "carrier_name": "dhl", "send_bcc": false, "note_to_buyer": "Hello" });
    for times in 1..=2 {
        clock.advance(TimeDelta::seconds(10));
        let shown = track(&shop, id, JSON, &body);
        assert_eq!(shown.status, 200);
        let shown = shown.body_json();
        assert_eq!((&shown["status"], &shown["is_shipped"]), (&json!("Completed"), &json!(true)));
        let shipments = shown["shipments"].as_array().unwrap();
        assert_eq!((shipments.len(), &shipments[0]["carrier_name"]), (times, &json!("dhl")));
        assert!(shipments[times - 1]["shipment_notification_timestamp"].as_i64() > shown["updated_timestamp"].as_i64());
        assert_eq!(shop.standing(&id.to_string()).unwrap().mailed(About::Shipment), times);
    }
    assert_eq!(shop.standing(&id.to_string()).unwrap().sent, 2, "the pieces went once");
    assert_eq!(shop.writes(), 2);
}

#[test]
fn what_comes_as_a_form_ships_without_its_tracking_and_what_json_does_not_know_is_refused() {
    let (shop, _) = shop(quick());
    let id = shop.place_order(NewOrder::of(&[("TEE-001", 1)]));
    let body = json!({ "tracking_code": "JD01", "carrier_name": "dhl" });
    for (wrong, name) in [
        (json!({ "tracking_number": "JD01" }), "tracking_number"),
        (json!({ "tracking_code": 1 }), "tracking_code"),
        (json!({ "carrier_name": null }), "carrier_name"),
        (json!({ "send_bcc": "no" }), "send_bcc"),
    ] {
        let refused = said(&track(&shop, id, JSON, &wrong));
        assert!(refused.0 == 400 && refused.1.contains(name), "{refused:?}");
    }
    assert_eq!(track(&shop, id, JSON, &json!([])).status, 400);
    assert_eq!(shop.standing(&id.to_string()).unwrap().dispatch_mails, 0);
    let shown = track(&shop, id, FORM, &body).body_json();
    assert_eq!((&shown["is_shipped"], &shown["shipments"]), (&json!(true), &json!([])));
    assert_eq!(shop.standing(&id.to_string()).unwrap().dispatch_mails, 1);
    let other = shop.place_order(NewOrder::of(&[("TEE-001", 1)]));
    let unknown = json!({ "tracking_code": "X1", "carrier_name": "pigeon-post" });
    assert_eq!(track(&shop, other, JSON, &unknown).body_json()["shipments"][0]["carrier_name"], "pigeon-post");
    shop.options().carriers_as_given = false;
    assert_eq!(track(&shop, other, JSON, &unknown).body_json()["shipments"][1]["carrier_name"], "other");
}

#[test]
fn within_the_united_states_and_to_india_a_number_is_needed() {
    let (shop, _) = shop(Options { country: "US".to_owned(), currency: "USD".to_owned(), ..quick() });
    let to = |country: &str| crate::sim::world::Address { country: country.to_owned(), ..Default::default() };
    let place = |sku: &str, country: &str| shop.place_order(NewOrder::of(&[(sku, 1)]).ship_to(to(country)));
    let needed = (400, "A tracking number is required".to_owned());
    for id in [place("TEE-001", "US"), place("FREE-0", "IN")] {
        assert_eq!(said(&track(&shop, id, JSON, &json!({ "send_bcc": false }))), needed);
        assert_eq!(said(&track(&shop, id, JSON, &json!({ "tracking_code": "1Z" }))), needed, "without a carrier");
        assert_eq!(said(&track(&shop, id, FORM, &json!({}))), needed);
        assert_eq!(shop.standing(&id.to_string()).unwrap().dispatch_mails, 0);
        assert_eq!(track(&shop, id, JSON, &json!({ "tracking_code": "1Z", "carrier_name": "ups" })).status, 200);
    }
    for id in [place("FREE-0", "US"), place("TEE-001", "GB")] {
        let shown = track(&shop, id, JSON, &json!({})).body_json();
        assert_eq!((&shown["is_shipped"], &shown["shipments"]), (&json!(true), &json!([])));
    }
    let gone = place("TEE-001", "GB");
    shop.cancel(&gone.to_string());
    assert_eq!(track(&shop, gone, JSON, &json!({})).status, 409);
    let path = format!("shops/22220000/receipts/{}", place("TEE-001", "GB"));
    assert_eq!(ask(&shop, "PUT", &path, "", FORM, "was_shipped=true").body_json()["status"], "Completed");
}

#[test]
fn refunds_and_ship_by_dates_move_no_other_date() {
    let (shop, clock) = shop(quick());
    let id = shop.place_order(NewOrder::of(&[("TEE-001", 3)]));
    let one = || get(&shop, &format!("shops/22220000/receipts/{id}"), "").body_json();
    let before = one();
    clock.advance(TimeDelta::hours(1));
    assert!(shop.refund_pieces(&id.to_string(), 0, 1) && shop.set_ship_by(id, 1_796_000_000));
    let after = one();
    assert_eq!(after["updated_timestamp"], before["updated_timestamp"]);
    assert_eq!((&after["status"], &after["refunds"][0]["status"]), (&json!("Partially Refunded"), &json!("SUCCESS")));
    assert_eq!(after["transactions"][0]["expected_ship_date"], 1_796_000_000);
    assert_eq!(after["grandtotal"], before["grandtotal"], "the original total");
    assert_eq!(shop.order(id).unwrap().open(), 3, "no refund tells of pieces");
    shop.refund(&id.to_string(), "1000.00");
    assert_eq!(one()["status"], "Fully Refunded");
}

#[test]
fn what_etsy_does_not_have_comes_to_nothing() {
    let (shop, _) = shop(quick());
    let id = shop.place_order(NewOrder::of(&[("TEE-001", 3)]).line_elsewhere("MUG-9", 1)).to_string();
    assert!(
        !shop.hold(&id) && !shop.release(&id) && !shop.put_away(&id) && !shop.ship_pieces(&id, 0, 1, "DHL", "JD01")
    );
    assert!(!shop.reorder_places(&id), "one address");
    assert!([Lack::Archive, Lack::Holds, Lack::Parts, Lack::RefundedPieces].iter().all(|what| shop.lacks(*what)));
    assert_eq!(shop.document(&id).unwrap()["status"], "Paid");
}

#[test]
fn amounts_have_their_divisor_and_texts_their_entities() {
    let (shop, _) = shop(quick());
    let show = |new: NewOrder| shop.document(&shop.place_order(new).to_string()).unwrap();
    let yen = [(); 2].map(|()| show(NewOrder::of(&[("TEE-001", 1)]).currency("JPY")));
    let price = |shown: &Value| {
        let price = &shown["transactions"][0]["price"];
        (price["amount"].as_i64().unwrap(), price["divisor"].as_i64().unwrap())
    };
    let mut forms = yen.each_ref().map(price);
    forms.sort_unstable();
    assert_eq!(forms, [(13, 1), (1_300, 100)]);
    let shown = show(NewOrder::of(&[("TEE-001", 1)]).note("don't <b>ring</b> & \"wait\"").coupon());
    assert_eq!(shown["message_from_buyer"], "don&#39;t &lt;b&gt;ring&lt;/b&gt; &amp; &quot;wait&quot;");
    assert_eq!(shown["transactions"][0]["title"], "Tee &quot;Grüne Katze&quot;");
    assert_eq!(shown["transactions"][0]["shop_coupon"], 1.29);
    assert_eq!(shown["discount_amt"]["amount"], 129);
    for (one, other) in [("create_timestamp", "created_timestamp"), ("update_timestamp", "updated_timestamp")] {
        assert!(shown[one].is_i64() && shown[one] == shown[other]);
    }
}

#[test]
fn the_limits_of_a_second_and_of_a_day_are_told_and_kept() {
    let (shop, clock) = shop(Options { per_second: 3, per_day: 5, ..quick() });
    let header = |response: &Response, name: &str| response.header(name).unwrap_or_default().to_owned();
    let key = format!("{REHEARSAL_KEYSTRING}:{REHEARSAL_SECRET}");
    let at =
        |path: &str| shop.handle(&request("GET", &format!("/v3/application/{path}"), "", &[("x-api-key", &key)], ""));
    let first = at("shops/22220000");
    let told = ["x-limit-per-second", "x-remaining-this-second", "x-limit-per-day", "x-remaining-today"];
    assert_eq!(told.map(|name| header(&first, name)), ["3", "2", "5", "4"]);
    assert_eq!([at("shops/22220000").status, at("shops/22220000").status], [200, 200]);
    assert_eq!(said(&at("shops/22220000")), (429, "Exceeded per second rate limit".to_owned()));
    assert_eq!(at("openapi-ping").status, 200, "not counted");
    clock.advance(TimeDelta::seconds(1));
    assert_eq!([at("shops/22220000").status, at("shops/22220000").status], [200, 200]);
    clock.advance(TimeDelta::seconds(1));
    let spent = at("shops/22220000");
    assert_eq!(said(&spent), (429, "Exceeded daily rate limit".to_owned()));
    assert_eq!(
        (header(&spent, "retry-after"), header(&spent, "x-remaining-today")),
        ("86400".to_owned(), "0".to_owned())
    );
    clock.advance(TimeDelta::seconds(86_398));
    assert_eq!(at("shops/22220000").status, 200, "the window slides");
    assert_eq!(shop.asked().1, 2);
}

#[test]
fn twenty_thousand_receipts_are_there_at_once() {
    let (shop, clock) = shop(quick());
    shop.seed(20_000, clock.now() - TimeDelta::days(300), clock.now());
    let page = list(&shop, "sort_order=asc&limit=100&was_canceled=false");
    assert!(page["count"].as_u64() > Some(18_000) && ids(&page).len() == 100);
}
