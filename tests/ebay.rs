//! What only eBay does, met by the real program: a consent by a name, a list that moves, parcels and
//! cancellations.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use ordersync::sim::ebay::{
    NewOrder, Options, REHEARSAL_LANDING, REHEARSAL_RUNAME, Repeats, SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET,
};
use ordersync::sim::{Exchange, Fault, FaultKind, Simulated};
use serde_json::{Value, json};
use support::browser::{Waiting, permit};
use support::ebay::Rig;

const REFRESH: &str = "ORDERSYNC_REFRESH_TOKEN";

fn tee() -> NewOrder {
    NewOrder::of(&[("TEE-001", 2)])
}

fn header<'e>(one: &'e Exchange, name: &str) -> &'e str {
    one.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// Begins to connect by a consent, up to the address of the page.
fn begin(rig: &Rig) -> Waiting {
    let words = format!(
        "connect ebay --marketplace EBAY_DE --set ru_name={REHEARSAL_RUNAME} --endpoint {} --consent paste",
        rig.server.url()
    );
    Waiting::for_page(rig.home.spawn_listening(&words, &[], REFRESH))
}

#[test]
fn a_consent_is_asked_for_by_the_runame_and_its_code_is_decoded_once() {
    let rig = Rig::unconnected(Options::rehearsal());
    let waiting = begin(&rig);
    let page = url::Url::parse(&waiting.page).unwrap();
    let part = |name: &str| page.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(part("redirect_uri"), REHEARSAL_RUNAME);
    assert!(part("scope").split(' ').any(|scope| scope.ends_with("/sell.fulfillment")), "{page}");
    let landed = permit(&waiting.page);
    assert!(landed.starts_with(REHEARSAL_LANDING) && landed.contains("%23"), "{landed}");
    waiting.told(&format!("{landed}\n")).ends(0, "auth accepted");
    let asked = rig.asked("/identity/v1/oauth2/token");
    assert!(header(&asked[0], "authorization").starts_with("Basic "));
    let status = rig.home.run("status --json").without(REFRESH).exits(0).json();
    let ends = status["stores"][0]["credentials_expire_at"].as_str().unwrap().to_owned();
    let ends: chrono::DateTime<Utc> = ends.parse().unwrap();
    assert!((540..555).contains(&(ends - Utc::now()).num_days()), "18 months: {ends}");
    rig.home.run("status").exits(0).without("ends in");
    rig.home.run("sync").without(REFRESH).exits(0).silent();
    // The end is told two months before, and that no sync puts it off.
    let file = rig.home.path().join("credentials/ebay.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for (days, key, says) in [
        (50, "refresh_token_ends_at", "no sync renews it"),
        (50, "signing_key_ends_at", "signs what moves money"),
        (-1, "signing_key_ends_at", "has ended"),
    ] {
        let before = kept[key].clone();
        assert!(before.is_string(), "{key}: {:?}", kept.as_object().unwrap().keys());
        kept[key] = json!((Utc::now() + TimeDelta::days(days)).to_rfc3339());
        std::fs::write(&file, kept.to_string()).unwrap();
        rig.home.run("status").exits(0).prints(says);
        rig.home.run("doctor").done().prints(says);
        kept[key] = before;
    }
}

#[test]
fn a_landing_address_of_another_attempt_is_refused_and_one_that_is_none_is_not_repeated() {
    for (what, brings, says) in
        [("another state", "state=x", "another attempt"), ("the code alone", "", "is no address")]
    {
        let rig = Rig::unconnected(Options::rehearsal());
        let waiting = begin(&rig);
        let landed = permit(&waiting.page);
        let given = if brings.is_empty() { "v%5E1.1%23i".to_owned() } else { landed.replace("state=", brings) };
        let outcome = waiting.told(&format!("{given}\n"));
        let outcome = outcome.ends(if brings.is_empty() { 2 } else { 6 }, says);
        assert!(outcome.stderr.contains("nothing was stored"), "{what}: {outcome:?}");
        assert_eq!(rig.home.json("connect --list"), json!([]), "{what}");
    }
}

#[test]
fn keys_of_the_sandbox_and_of_production_are_told_apart_before_anything_is_sent() {
    let rig = Rig::unconnected(Options::rehearsal());
    rig.connect("--sandbox").exits(2).says("production keyset").says("nothing was sent");
    let sandbox = |call: support::program::Call<'_>| {
        call.env("ORDERSYNC_CLIENT_ID", SANDBOX_CLIENT_ID).env("ORDERSYNC_CLIENT_SECRET", SANDBOX_CLIENT_SECRET).done()
    };
    let done = sandbox(rig.connect(""));
    assert_eq!(done.code, Some(2), "{done:?}");
    done.says("one of eBay's sandbox").says("--sandbox");
    assert!(rig.server.requests().is_empty());
    Rig::with(Options::sandbox()).sync();
    // A token of the other system is refused with 1001, a fresh one as well.
    let rig = Rig::new();
    rig.fault(Fault::new(FaultKind::Unauthorized).on("GET", "/order").always());
    rig.home.run("sync").exits(4).says("--reauth ebay").says("--sandbox");
}

#[test]
fn q2_an_order_of_which_nothing_has_left_costs_no_request_of_its_own() {
    let rig = Rig::new();
    rig.sync();
    let ids: Vec<String> = (0..5).map(|_| rig.shop.place(&tee())).collect();
    rig.server.clear_requests();
    rig.sync();
    let asked: Vec<String> = rig.server.requests().iter().map(Exchange::name).collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(rig.shop.ship_elsewhere(&ids[0], "UPS", "1Z999AA10123456784"));
    assert!(rig.shop.cancel(&ids[1]));
    rig.server.clear_requests();
    rig.sync();
    let asked: BTreeSet<String> = rig.server.requests().iter().map(Exchange::name).collect();
    assert!(asked.iter().any(|name| name.contains(&format!("{}/shipping_fulfillment", ids[0]))), "{asked:?}");
    assert!(asked.iter().any(|name| name.ends_with(&ids[1])), "{asked:?}");
    assert_eq!(asked.len(), 3, "{asked:?}");
}

#[test]
fn i3_a_first_sync_of_all_goes_by_months_of_creation_and_a_later_one_by_changes() {
    let rig = Rig::unconnected(Options::rehearsal());
    rig.shop.seed(800, Utc::now() - TimeDelta::days(700), Utc::now() - TimeDelta::days(1));
    rig.connect("--since all").exits(0);
    rig.server.clear_requests();
    rig.home.run("sync").exits(0);
    assert_eq!(rig.home.sql("SELECT count(*) FROM orders"), [rig.shop.ids().len().to_string()]);
    let filters: Vec<String> = rig.lists().iter().map(|one| one.param("filter").unwrap().to_owned()).collect();
    assert!(filters.iter().filter(|filter| filter.starts_with("creationdate:[")).count() >= 24, "{filters:?}");
    assert!(filters.iter().all(|filter| !filter.contains("creationdate") || !filter.contains("lastmodified")));
    rig.server.clear_requests();
    rig.home.run("sync").exits(0);
    assert!(rig.lists().iter().all(|one| one.param("filter").unwrap().starts_with("lastmodifieddate:[")));
}

/// eBay's own host stands in the links of its lists, and an endpoint is set.
#[test]
fn x6_a_link_of_a_list_leads_to_no_other_server() {
    let rig = Rig::new();
    rig.shop.seed(450, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
    rig.home.run("sync").exits(0);
    assert_eq!(rig.home.sql("SELECT count(*) FROM orders"), [rig.shop.ids().len().to_string()]);
    assert!(rig.lists().iter().all(|one| one.param("limit").is_some_and(|limit| limit.parse::<u32>().unwrap() <= 200)));
}

#[test]
fn d2_an_order_that_ebay_sends_itself_is_marked_and_refused() {
    let rig = Rig::new();
    let id = rig.placed(&tee().source("fulfilled-by-ebay"));
    assert!(rig.shown(&id).to_string().contains("nothing is to be sent from here"), "{}", rig.shown(&id));
    rig.run("dispatch", &id, "--carrier dhl --tracking JD01").exits(6);
    assert!(rig.writes().is_empty());
}

#[test]
fn d4_a_number_is_sent_and_known_by_its_letters_and_digits_and_quantities_are_always_told() {
    for repeats in [Repeats::Taken, Repeats::Conflict, Repeats::Put] {
        let rig = Rig::with(Options { repeats, ..Options::rehearsal() });
        let id = rig.placed(&tee());
        rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/shipping_fulfillment"));
        rig.run("dispatch", &id, "--carrier dhl --tracking").arg("JD 01-234").exits(5);
        rig.home.run("retry").done();
        rig.sync();
        let writes = rig.writes();
        assert_eq!(writes.len(), 1, "{repeats:?}: {writes:?}");
        let body = writes[0].json();
        assert_eq!((&body["trackingNumber"], &body["lineItems"][0]["quantity"]), (&json!("JD01234"), &json!(2)));
        assert_eq!(rig.home.json("outbox"), json!([]), "{repeats:?}");
        assert_eq!(rig.shop.standing(&id).unwrap().dispatch_mails, 1, "{repeats:?}");
    }
}

#[test]
fn d8_a_cancellation_that_takes_a_while_is_followed_by_later_runs() {
    let rig = Rig::with(Options { cancel_seconds: 90, ..Options::rehearsal() });
    let id = rig.placed(&tee());
    rig.run("cancel", &id, "--reason").arg("the buyer asked for it").done();
    assert_eq!(rig.home.json("outbox")[0]["state"], "sent", "{}", rig.home.json("outbox"));
    let cancels = || rig.asked("/post-order/v2/cancellation").into_iter().filter(Exchange::is_write).count();
    assert_eq!(cancels(), 1);
    let body = rig.writes().last().unwrap().json();
    assert_eq!((&body["cancelReason"], &body["legacyOrderId"]), (&json!("BUYER_ASKED_CANCEL"), &json!(id)));
    rig.home.sql("UPDATE outbox SET next_at = 0");
    rig.home.run("sync").done();
    assert_eq!(cancels(), 1, "it is not asked for twice");
    rig.shop.set_clock(2);
    rig.home.sql("UPDATE outbox SET next_at = 0");
    rig.home.run("sync").done();
    rig.home.run("sync").done();
    assert_eq!(rig.home.json("outbox"), json!([]));
    assert!(rig.shop.standing(&id).unwrap().cancelled && cancels() == 1);
    assert_eq!(rig.shown(&id)["status"], "cancelled");
}

#[test]
fn d8_an_answer_without_a_number_has_cancelled_nothing() {
    let rig = Rig::with(Options { cancels_nothing: true, ..Options::rehearsal() });
    let id = rig.placed(&tee());
    rig.run("cancel", &id, "").exits(1).says("does not cancel");
    assert_eq!(rig.shown(&id)["status"], "awaiting-fulfillment");
}

#[test]
fn d8_post_order_gets_the_token_as_iaf_and_a_signature_where_it_demands_one() {
    let rig = Rig::with(Options { signatures: true, ..Options::rehearsal() });
    let id = rig.placed(&tee());
    rig.run("cancel", &id, "").exits(0);
    let asked: Vec<Exchange> =
        rig.server.requests().into_iter().filter(|one| one.path.starts_with("/post-order/")).collect();
    assert!(asked.len() >= 3 && asked.iter().all(|one| header(one, "authorization").starts_with("IAF ")));
    let signed = asked.iter().find(|one| one.path.ends_with("/cancellation")).unwrap();
    for name in ["x-ebay-signature-key", "content-digest", "signature-input", "signature"] {
        assert!(!header(signed, name).is_empty(), "{name}");
    }
    assert!(rig.shop.standing(&id).unwrap().cancelled);
    // A seller of elsewhere has no key.
    let rig = Rig::unconnected(Options { signatures: true, ..Options::rehearsal() });
    rig.connect("--marketplace EBAY_US").done();
}

#[test]
fn a_buyer_who_wants_to_cancel_holds_the_order_back_and_both_ways_on_go() {
    let rig = Rig::new();
    let asked = || {
        let id = rig.placed(&tee());
        assert!(rig.shop.verb("POST", "ask-to-cancel", &id, &Value::Null).is_some());
        rig.sync();
        id
    };
    let id = asked();
    let shown = rig.run("dispatch", &id, "--carrier dhl --tracking JD01").exits(6);
    shown.says("--on-hold").says("ordersync");
    assert!(rig.shown(&id).to_string().contains("the buyer wants to cancel it"), "{}", rig.shown(&id));
    rig.run("cancel", &id, "").exits(0);
    assert!(rig.shop.standing(&id).unwrap().cancelled);
    let paths: Vec<String> = rig.writes().iter().map(|one| one.path.clone()).collect();
    assert!(paths.iter().any(|path| path.ends_with("/approve")), "{paths:?}");
    let id = asked();
    rig.run("dispatch", &id, "--carrier dhl --tracking JD02 --on-hold --as-local").exits(0);
    let writes = rig.writes();
    let reject = writes.iter().find(|one| one.path.ends_with("/reject")).unwrap();
    assert_eq!(reject.json()["trackingNumber"], "JD02");
    assert!(rig.shop.standing(&id).unwrap().shipped);
}
