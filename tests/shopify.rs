//! The whole program against a simulated Shopify shop: what is particular to this channel. What
//! every channel has in common is in `channels.rs`.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{TimeDelta, TimeZone, Utc};
use ordersync::channel::{Channel, Cursor, Next, Range, Values};
use ordersync::clock::{Clock, ManualClock};
use ordersync::sim::shopify::{Deaf, NewOrder, Options, REHEARSAL_TOKEN, Shop};
use ordersync::sim::{Fault, FaultKind, Server, ServerOptions, Simulated, Store};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::shopify::Desk;

fn tea(pieces: u32) -> NewOrder {
    NewOrder::paid().line("TEE-001", pieces)
}

/// Amounts of an order as texts without the zeros that say nothing.
fn amounts(shown: &Value, places: &[&str]) -> Vec<String> {
    let plain = |place: &&str| {
        let text = shown.pointer(place).and_then(Value::as_str).unwrap_or_else(|| panic!("{place} of {shown}"));
        text.parse::<rust_decimal::Decimal>().unwrap().normalize().to_string()
    };
    places.iter().map(plain).collect()
}

#[test]
fn either_pair_of_credentials_opens_the_shop_and_half_a_pair_is_named() {
    let desk = Desk::unconnected(Options::rehearsal());
    let bare = || desk.connect("").without("ORDERSYNC_CLIENT_ID").without("ORDERSYNC_CLIENT_SECRET");
    bare().exits(2).says("client_id and client_secret").says("access_token and api_secret");
    bare().env("ORDERSYNC_ACCESS_TOKEN", REHEARSAL_TOKEN).exits(2).says("ORDERSYNC_API_SECRET");
    desk.connect("").without("ORDERSYNC_CLIENT_SECRET").exits(2).says("ORDERSYNC_CLIENT_SECRET");
    assert!(desk.server.requests().is_empty());
    bare().env("ORDERSYNC_ACCESS_TOKEN", REHEARSAL_TOKEN).env("ORDERSYNC_API_SECRET", "x9").exits(0);
    assert_eq!(desk.shop.tokens_fetched(), 0);
    // The other kind for the same shop: its orders stay.
    desk.home.run("connect --reauth shopify").exits(0);
    desk.sync();
    assert_eq!(desk.shop.tokens_fetched(), 1);
    desk.home.assert_no_secret_in(&desk.home.book());
}

#[test]
fn a_domain_of_the_shops_own_is_refused_with_the_way_to_the_right_one() {
    let desk = Desk::unconnected(Options::rehearsal());
    desk.home.run("connect shopify --shop www.tea.example").exits(2).says(".myshopify.com");
    desk.home.run("connect shopify").exits(2).says("--shop");
    assert!(desk.server.requests().is_empty());
}

#[test]
fn what_a_missing_scope_means_is_said_and_nothing_is_deduced_from_silence() {
    let without = |scopes: &[&str]| Desk::unconnected(Options::rehearsal().without(scopes));
    without(&["write_orders"]).connect("").exits(4).says("read_orders");
    without(&["read_all_orders"]).connect("").exits(0).says("60 days");
    let desk = without(&["write_merchant_managed_fulfillment_orders"]);
    desk.connect("").exits(0).says("dispatched");
    let order = desk.place(&tea(1));
    // The shop shows no fulfilment order and no error; that is not "nothing to ship".
    desk.on("dispatch", order, "--carrier dhl --tracking JD01")
        .exits(4)
        .says("write_merchant_managed_fulfillment_orders");
    assert_eq!(desk.show(order)["status"], "awaiting-fulfillment");
    assert_eq!(desk.shop.counters().writes, 0);
}

#[test]
fn a_version_of_the_api_that_is_gone_is_noticed() {
    let desk = Desk::new();
    desk.shop.options().version = "2027-10".to_owned();
    let report = desk.sync();
    assert!(report["warnings"].to_string().contains("2027-10"), "{report}");
    desk.shop.options().version = "2026-10".to_owned();
    assert_eq!(desk.sync()["warnings"], json!([]));
}

#[test]
fn a_scope_that_is_taken_away_is_noticed_by_the_next_sync() {
    let desk = Desk::new();
    desk.sync();
    desk.shop.options().scopes.retain(|scope| scope != "write_orders");
    desk.home.run("sync").exits(4).says("read_orders");
    desk.shop.options().scopes.push("read_orders".to_owned());
    desk.home.run("sync").exits(0);
    desk.on("cancel", desk.shop.place_order(tea(1)), "").exits(7);
    let order = desk.place(&tea(1));
    desk.on("cancel", order, "").exits(4).says("write_orders");
}

#[test]
fn f3_a_token_that_has_run_out_is_fetched_once_more_and_a_revoked_app_is_exit_4_without_a_loop() {
    let desk = Desk::new();
    desk.sync();
    assert_eq!(desk.shop.tokens_fetched(), 1, "kept between runs");
    desk.shop.end_tokens();
    desk.place(&tea(1));
    assert_eq!((desk.orders(), desk.shop.tokens_fetched()), (1, 2));
    // Fetched tokens that are worth nothing: one more is asked for, then it is over.
    desk.server.faults().add(Fault::new(FaultKind::Unauthorized).on_path("graphql").always());
    desk.home.run("sync").exits(4).says("ordersync connect --reauth shopify");
    assert_eq!(desk.shop.tokens_fetched(), 3);
}

#[test]
fn a_token_that_is_short_of_its_end_is_renewed_before_it() {
    let desk = Desk::with(Options { token_life: 150, ..Options::rehearsal() });
    let fetched = desk.shop.tokens_fetched();
    desk.sync();
    assert_eq!(desk.shop.tokens_fetched(), fetched, "used while it lasts");
    let file = desk.home.path();
    let saved: Vec<_> = walk(&file).into_iter().filter(|path| path.ends_with("shopify.json")).collect();
    let text = std::fs::read_to_string(&saved[0]).unwrap();
    let mut secrets: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    secrets.insert("token_renew_at".to_owned(), "2026-01-01T00:00:00Z".to_owned());
    std::fs::write(&saved[0], serde_json::to_string(&secrets).unwrap()).unwrap();
    desk.sync();
    assert_eq!(desk.shop.tokens_fetched(), fetched + 1);
}

#[test]
fn f3_what_the_token_endpoint_refuses_is_told_as_what_it_is() {
    let told =
        [(402, 5, "unpaid bills"), (403, 4, "forbids"), (404, 7, "no store"), (423, 5, "lock"), (430, 5, "attack")];
    for (status, code, words) in told.into_iter().chain([(503, 5, "access_token"), (418, 1, "418")]) {
        let desk = Desk::new();
        desk.shop.end_tokens();
        desk.server.faults().add(Fault::new(FaultKind::ServerError(status)).on_path("access_token").always());
        desk.home.run("sync").exits(code).says(words).without("client id and secret");
        desk.server.faults().clear();
        desk.sync();
        assert_eq!(desk.home.json("inbox"), json!([]), "{status}");
    }
    let desk = Desk::unconnected(Options::rehearsal());
    desk.server.faults().add(Fault::new(FaultKind::HtmlInstead).on_path("access_token").always());
    desk.connect("").exits(1).says("web page (HTML)").says("no token was fetched");
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn i6_a_small_budget_costs_time_and_no_order() {
    let desk = Desk::unconnected(Options { bucket: 700.0, restore_rate: 2000.0, ..Options::rehearsal() });
    desk.shop.seed(400, Utc::now() - TimeDelta::days(30), Utc::now() - TimeDelta::days(1));
    desk.connect("").exits(0);
    desk.server.faults().add(Fault::new(FaultKind::RateLimited(None)).on_path("query Orders").times(2));
    let report = desk.sync();
    assert_eq!((report["new"].clone(), desk.server.faults().pending()), (json!(400), 0));
}

#[test]
fn a_query_that_costs_too_much_is_asked_smaller() {
    let desk = Desk::unconnected(Options { bucket: 20_000.0, ..Options::rehearsal() });
    desk.shop.seed(700, Utc::now() - TimeDelta::days(30), Utc::now() - TimeDelta::days(1));
    desk.connect("").exits(0);
    assert_eq!(desk.sync()["new"], 700);
    let sizes: Vec<u64> =
        desk.server.requests().iter().filter_map(|one| one.json()["variables"]["first"].as_u64()).collect();
    assert!(sizes.contains(&50) && sizes.iter().any(|size| *size > 80), "{sizes:?}");
    let refused =
        desk.server.requests().iter().filter(|one| one.answer.windows(17).any(|w| w == b"MAX_COST_EXCEEDED")).count();
    assert_eq!(refused, 0);
}

/// The formula is Shopify's own: a page of 50 orders was seen to cost 2,493 points, where one query
/// may cost 1,000.
#[test]
fn a_first_sync_comes_to_its_end_whatever_a_query_costs_and_the_next_process_knows() {
    for price in [4.2, 10.0] {
        let desk = Desk::unconnected(Options { price, restore_rate: 1e6, bucket: 20_000.0, ..Options::rehearsal() });
        desk.shop.seed(620, Utc::now() - TimeDelta::days(30), Utc::now() - TimeDelta::days(1));
        let large = desk.shop.place_order((1..=60).fold(NewOrder::paid(), |order, nth| order.line("TEE-001", nth)));
        desk.connect("").exits(0);
        assert_eq!(desk.sync()["new"], 621, "{price}");
        assert_eq!(desk.show(large)["lines"].as_array().unwrap().len(), 60);
        desk.on("pull", large, "").exits(0);
        let refused = desk.shop.too_dear();
        assert!((1..=20).contains(&refused), "{price}: {refused}");
        desk.sync();
        desk.on("pull", large, "").exits(0);
        assert_eq!(desk.shop.too_dear(), refused, "{price}: what fits is known");
        let sizes = &desk.home.sql("SELECT json_extract(facts, '$.sizes') FROM stores")[0];
        assert!(sizes.contains("\"page\""), "{sizes}");
    }
}

/// A query that is refused for its price costs nothing, so nothing is waited for.
#[test]
fn i6_what_was_refused_for_its_price_is_not_paid_for_by_waiting() {
    let reader = reader(Options { price: 4.2, restore_rate: 10.0, ..Options::default() }, 250);
    let now = reader.clock.now();
    reader.shop.seed(700, now - TimeDelta::days(30), now - TimeDelta::hours(1));
    reader.channel.plan(&Range { since: None, until: None }).unwrap();
    assert!(reader.shop.too_dear() > 1);
    assert_eq!(reader.clock.now(), now);
}

/// How long cursors live is not known. One that is refused costs the way from the beginning;
/// cursors that always are, no run without end.
#[test]
fn i3_a_cursor_that_is_refused_begins_the_walk_anew_and_not_for_ever() {
    let desk = Desk::unconnected(Options { cursors: false, ..Options::rehearsal() });
    for _ in 0..12 {
        desk.shop.place_order(tea(1));
    }
    desk.connect("--set page_size=5").exits(0);
    desk.home.run("sync").exits(1);
    assert!(desk.asked("Orders") < 30, "{}", desk.asked("Orders"));
    desk.shop.options().cursors = true;
    desk.sync();
    assert_eq!(desk.orders(), 12);
}

#[test]
fn orders_with_more_lines_than_a_page_brings_have_all_of_them_in_order() {
    let desk = Desk::new();
    // 20 come with the order, 30 follow, then a hundred at a time.
    let orders = [19, 20, 21, 50, 51, 151, 300].map(|lines| {
        let order = (1..=lines).fold(NewOrder::paid(), |order, nth| order.line("TEE-001", nth));
        (desk.shop.place_order(order), lines)
    });
    desk.sync();
    for (id, lines) in orders {
        let pieces: Vec<Value> =
            desk.show(id)["lines"].as_array().unwrap().iter().map(|l| l["quantity"].clone()).collect();
        assert_eq!(pieces, (1..=lines).map(|nth| json!(nth.to_string())).collect::<Vec<_>>());
    }
    let asked = desk
        .server
        .requests()
        .iter()
        .filter(|one| one.json()["query"].as_str().is_some_and(|text| text.starts_with("query Lines")))
        .count();
    assert_eq!(asked, 1 + 1 + 2 + 3 + 4, "and no question more than it takes");
}

#[test]
fn a_first_sync_is_cut_into_slices_of_like_size_where_most_orders_are_of_last_week() {
    let reader = reader(Options::rehearsal(), 250);
    let now = reader.clock.now();
    reader.shop.seed(100, now - TimeDelta::days(900), now - TimeDelta::days(8));
    reader.shop.seed(2000, now - TimeDelta::days(7), now - TimeDelta::hours(1));
    let plan = reader.channel.plan(&Range { since: None, until: None }).unwrap();
    let mut sizes = Vec::new();
    for slice in plan.slices {
        let (mut at, mut size) = (slice, 0);
        sizes.push(loop {
            let page = reader.channel.page(&at).unwrap();
            size += page.orders.len();
            match page.next {
                Next::More(next) | Next::Wait(next, _) => at = next,
                Next::Done(_) => break size,
            }
        });
    }
    assert_eq!(sizes.iter().sum::<usize>(), 2100);
    assert!((14..=40).contains(&sizes.len()) && sizes.iter().all(|size| *size <= 160), "{sizes:?}");
}

#[test]
fn i4_one_order_that_breaks_the_schema_costs_one_order() {
    let desk = Desk::new();
    let (good, bad) = (desk.shop.place_order(tea(1)), desk.shop.place_order(tea(2)));
    desk.shop.spoil(bad, true);
    desk.home.run("sync").exits(3);
    desk.show(good);
    assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 1);
}

#[test]
fn orders_without_personal_data_are_orders() {
    let desk = Desk::unconnected(Options { personal_data: false, ..Options::rehearsal() });
    desk.shop.seed(60, Utc::now() - TimeDelta::days(9), Utc::now() - TimeDelta::days(1));
    desk.connect("").exits(0);
    let report = desk.sync();
    assert_eq!((report["new"].clone(), report["failed"].clone()), (json!(60), json!(0)));
    let order = desk.place(&tea(1));
    let shown = desk.show(order);
    assert_eq!(shown["buyer"]["email"].as_str().unwrap_or_default(), "");
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(0);
}

#[test]
fn test_orders_archived_ones_and_edits_come_as_what_they_are() {
    let desk = Desk::new();
    let trial = desk.place(&tea(1).test());
    desk.on("dispatch", trial, "--carrier dhl --tracking JD01").exits(6).says("test order");
    let away = desk.shop.place_order(tea(1));
    desk.shop.put_away(&away.to_string());
    desk.sync();
    assert_eq!(desk.show(away)["status"], "awaiting-fulfillment", "archived is not shipped or cancelled");
    let edited = desk.place(&tea(2).line("MUG-9", 1));
    desk.shop.edit_away(edited, 1);
    desk.on("dispatch", edited, "--carrier dhl --tracking JD02").exits(6).says("lines").says("MUG-9");
    desk.on("accept", edited, "").exits(0);
    assert_eq!(desk.show(edited)["lines"].as_array().unwrap().len(), 1);
    desk.on("dispatch", edited, "--carrier dhl --tracking JD02").exits(0);
    assert_eq!(desk.shop.fulfillments(edited), [(2, vec!["JD02".to_owned()])]);
    let abroad = desk.place(&tea(1).currency("USD"));
    let shown = desk.show(abroad);
    let here = &shown["in_shop_currency"];
    // 12.90 and 4.90 postage in the shop's currency.
    assert_eq!(
        (&shown["currency"], &here["currency"], &here["totals"]["total"]),
        (&json!("USD"), &json!("EUR"), &json!("17.80"))
    );
    assert!(desk.on("show", abroad, "").exits(0).stdout.contains("17.80 EUR for the shop"));
}

#[test]
fn d5_an_order_at_two_locations_is_shipped_from_both_with_one_number() {
    let desk = Desk::new();
    let order = desk.place(&tea(4));
    desk.shop.split(order);
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(0);
    assert_eq!(desk.shop.fulfillments(order), [(2, vec!["JD01".to_owned()]), (2, vec!["JD01".to_owned()])]);
    assert_eq!(desk.show(order)["status"], "shipped");
    desk.on("dispatch", order, "--replaces JD01 --carrier ups --tracking 1Z9").exits(0);
    let numbers: Vec<_> = desk.shop.fulfillments(order).into_iter().flat_map(|(_, numbers)| numbers).collect();
    assert_eq!(numbers, ["1Z9", "1Z9"]);
}

#[test]
fn d5_parts_and_several_parcels_are_shipped_as_they_were_wished() {
    let desk = Desk::new();
    let order = desk.place(&tea(3).line("MUG-9", 1));
    desk.on("dispatch", order, "--item TEE-001=1 --no-notify").exits(0);
    desk.on("dispatch", order, "--item TEE-001=2 --carrier dhl --tracking JD01 --tracking JD02").exits(0);
    desk.on("dispatch", order, "--carrier pigeon --tracking P1").exits(0);
    let sent = desk.shop.fulfillments(order);
    let numbers = |list: &[&str]| list.iter().map(|number| (*number).to_owned()).collect::<Vec<_>>();
    assert_eq!(sent, [(1, numbers(&[])), (2, numbers(&["JD01", "JD02"])), (1, numbers(&["P1"]))]);
    assert_eq!(desk.shop.standing(&order.to_string()).unwrap().dispatch_mails, 2);
}

/// The parcel never left: the fulfilment is cancelled at Shopify, and the order is to be shipped
/// again.
#[test]
fn a_dispatch_that_is_undone_at_shopify_can_be_made_again_after_accept() {
    for tracking in ["--carrier dhl --tracking JD01", ""] {
        let desk = Desk::new();
        let order = desk.place(&tea(2));
        desk.on("dispatch", order, tracking).exits(0);
        desk.shop.undo_fulfillments(order);
        desk.sync();
        assert_eq!(desk.show(order)["status"], "shipped", "until the merchant has seen it");
        desk.on("dispatch", order, "--carrier dhl --tracking JD02").exits(6).says("nothing left to ship");
        desk.on("accept", order, "").exits(0);
        let shown = desk.show(order);
        assert_eq!((&shown["status"], &shown["lines"][0]["left"]), (&json!("awaiting-fulfillment"), &json!("2")));
        assert_eq!(shown["shipments"], json!([]));
        desk.on("dispatch", order, "--carrier dhl --tracking JD02").exits(0);
        assert_eq!(desk.show(order)["status"], "shipped");
        assert_eq!(desk.shop.fulfillments(order).last().unwrap(), &(2, vec!["JD02".to_owned()]));
        desk.home.run("status --check").exits(0);
    }
}

#[test]
fn d2_what_shopify_holds_back_is_refused_before_anything_is_recorded() {
    let desk = Desk::new();
    for word in ["hold", "scheduled"] {
        let order = desk.place(&tea(1));
        let stop =
            || if word == "hold" { desk.shop.hold(order, "Inventory out of stock") } else { desk.shop.schedule(order) };
        assert!(stop());
        for more in ["--dry-run", ""] {
            desk.on("dispatch", order, &format!("--carrier dhl --tracking JD01 {more}"))
                .exits(6)
                .says("on hold at the channel");
        }
        assert_eq!(desk.show(order)["outbox"], json!([]), "{word}");
        assert_ne!(desk.show(order)["status"], "shipped", "{word}");
    }
    // Recorded before it was known: it goes out once the hold is over.
    let order = desk.place(&tea(1));
    desk.on("dispatch", order, "--carrier dhl --tracking JD01 --later").exits(0);
    desk.shop.hold(order, "Inventory out of stock");
    desk.home.run("sync").done();
    assert_eq!(desk.shop.counters().writes, 0);
    assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 1);
    desk.shop.release(order);
    desk.home.run("retry").exits(0);
    assert_eq!(desk.shop.fulfillments(order).len(), 1);
}

#[test]
fn d2_p12_of_an_order_that_a_service_ships_in_part_the_merchants_own_part_goes() {
    let desk = Desk::new();
    let order = desk.shop.place_order(tea(2).line("MUG-9", 1));
    desk.shop.outsource(order, 1);
    desk.sync();
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(0);
    assert_eq!(desk.shop.fulfillments(order), [(2, vec!["JD01".to_owned()])]);
    assert_eq!(desk.show(order)["status"], "shipped", "all that is the merchant's");
    // Given to a service after it was imported.
    let later = desk.place(&tea(2).line("MUG-9", 1));
    desk.shop.outsource(later, 1);
    for more in ["--dry-run", ""] {
        let call = desk.on("dispatch", later, &format!("--carrier dhl --tracking JD02 {more}"));
        call.exits(6).says("fulfilment service").says("1 × MUG-9").says("--item TEE-001=2");
    }
    assert_eq!(desk.show(later)["outbox"], json!([]));
    desk.on("dispatch", later, "--item TEE-001=2 --carrier dhl --tracking JD02").exits(0);
    assert_eq!(desk.show(later)["status"], "partially-shipped");
    desk.home.run("status --check").exits(0);
    // All of it is the service's.
    let none = desk.place(&tea(1));
    desk.shop.outsource(none, 0);
    desk.on("dispatch", none, "--carrier dhl --tracking JD03").exits(6).says("fulfilment service");
}

#[test]
fn p12_what_the_buyer_picks_up_is_not_shipped() {
    let desk = Desk::new();
    let order = desk.place(&tea(1).delivery("PICK_UP"));
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(6).says("picked up");
    assert_eq!(desk.shop.counters().writes, 0);
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn d7_a_dispatch_of_which_a_part_is_refused_does_not_say_that_nothing_went_out() {
    let desk = Desk::new();
    let order = desk.place(&tea(4));
    desk.shop.split(order);
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").dies_at("after-sent:1");
    assert_eq!(desk.shop.fulfillments(order).len(), 1);
    desk.shop.hold(order, "Inventory out of stock");
    desk.home.run("retry").exits(6);
    let inbox = desk.home.json("inbox").to_string();
    assert!(inbox.contains("went out in part") && inbox.contains("Inventory out of stock"), "{inbox}");
    desk.shop.release(order);
    desk.home.run("retry").exits(0);
    assert_eq!(desk.shop.fulfillments(order), [(2, vec!["JD01".to_owned()]), (2, vec!["JD01".to_owned()])]);
}

#[test]
fn a_very_new_order_that_has_no_fulfilment_order_yet_waits() {
    let desk = Desk::with(Options { routing: 3, ..Options::rehearsal() });
    let order = desk.place(&tea(1));
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(0);
    assert_eq!(desk.shop.fulfillments(order), [(1, vec!["JD01".to_owned()])]);
}

#[test]
fn what_waits_for_shopify_holds_up_no_other_order_and_is_told_as_what_it_is() {
    let desk = Desk::with(Options { routing: 600, ..Options::rehearsal() });
    let ready = desk.shop.place_order(tea(1).at(Utc::now() - TimeDelta::days(1)));
    let unrouted = desk.place(&tea(1));
    desk.on("dispatch", unrouted, "--carrier dhl --tracking JD01 --later").exits(0);
    desk.on("dispatch", ready, "--carrier dhl --tracking JD02 --later").exits(0);
    let report = desk.sync();
    assert_eq!((&report["waiting"], &report["sent"], &report["error"]), (&json!(1), &json!(1), &json!(null)));
    assert_eq!(desk.shop.fulfillments(ready).len(), 1);
    let left = desk.home.json("outbox");
    assert_eq!((&left[0]["state"], &left[1]), (&json!("queued"), &json!(null)));
    assert!(left[0]["error"].as_str().unwrap().contains("nothing was written"), "{left}");
}

#[test]
fn f4_a_list_of_lines_that_does_not_move_on_stops_the_dispatch_and_is_said() {
    let desk = Desk::new();
    let many = (0..170).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:03}"), 1));
    let order = desk.place(&many);
    // The second page of lines is answered with the first again, cursor and all.
    desk.server.faults().add(Fault::new(FaultKind::Frozen).on_path("#query FulfillmentLines").times(9));
    desk.on("dispatch", order, "--carrier dhl --tracking JD01")
        .exits(1)
        .says("does not move on")
        .says("nothing was written");
    assert!(desk.asked("FulfillmentLines") == 2 && desk.shop.counters().writes == 0);
    desk.server.faults().clear();
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(0);
    assert_eq!(desk.shop.fulfillments(order), [(170, vec!["JD01".to_owned()])]);
}

/// One call takes at most 512 lines, and a fulfilment shows its lines in pages.
#[test]
fn d5_an_order_of_very_many_lines_is_shipped_whole_and_once() {
    let desk = Desk::new();
    let many = (0..600).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:03}"), 1));
    let order = desk.place(&many);
    // What was written is found again although the first answer is lost.
    desk.server.faults().add(Fault::new(FaultKind::AnswerLost).on_path("#mutation Fulfill"));
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").done();
    desk.home.run("retry").exits(0);
    let numbers = || vec!["JD01".to_owned()];
    assert_eq!(desk.shop.fulfillments(order), [(512, numbers()), (88, numbers())]);
    assert_eq!(desk.show(order)["status"], "shipped");
}

/// Data and errors stand side by side in an answer of Shopify's: a write that has a result was
/// carried out.
#[test]
fn d3_a_dispatch_that_is_answered_with_a_result_and_a_throttle_tells_the_buyer_once() {
    let desk = Desk::new();
    let order = desk.place(&tea(2));
    let throttled = br#""errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"#.to_vec();
    let fault = Fault::new(FaultKind::Spliced("{".to_owned(), throttled)).on_path("#mutation Fulfill");
    desk.server.faults().add(fault);
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").done();
    assert_eq!(desk.server.faults().pending(), 0);
    desk.home.run("retry").done();
    desk.sync();
    assert_eq!(desk.shop.fulfillments(order), [(2, vec!["JD01".to_owned()])]);
    assert_eq!(desk.shop.counters().dispatch_mails, 1);
    assert_eq!(desk.show(order)["status"], "shipped");
}

#[test]
fn d4_an_order_that_is_sent_in_very_many_parts_is_read_back_whole() {
    let desk = Desk::new();
    let order = desk.place(&tea(60));
    for nth in 0..52 {
        desk.on("dispatch", order, &format!("--item TEE-001=1 --carrier dhl --tracking JD{nth:03}")).exits(0);
    }
    assert_eq!(desk.shop.fulfillments(order).len(), 52);
}

/// Commands that kill the program or lose its answers, for a dispatch with and without a number.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn d3_f5_whatever_happens_to_a_dispatch_the_parcel_is_sent_once() {
    for tracking in ["--carrier dhl --tracking JD01", ""] {
        for point in ["after-record", "before-write", "after-write", "after-sent", "before-confirm"] {
            let desk = Desk::new();
            let order = desk.place(&tea(2));
            let one = format!("--item TEE-001=1 {tracking}");
            desk.on("dispatch", order, &one).dies_at(point);
            desk.home.run("retry").done();
            desk.sync();
            assert_eq!(desk.shop.fulfillments(order).len(), 1, "{point} {tracking:?}");
            assert_eq!(desk.shop.standing(&order.to_string()).unwrap().dispatch_mails, 1, "{point} {tracking:?}");
            assert!(desk.home.json("outbox").as_array().unwrap().is_empty(), "{point} {tracking:?}");
        }
        let desk = Desk::new();
        let order = desk.place(&tea(2));
        desk.server.faults().add(Fault::new(FaultKind::AnswerLost).on_path("#mutation Fulfill"));
        desk.on("dispatch", order, &format!("--item TEE-001=1 {tracking}")).done();
        assert_eq!(desk.server.faults().pending(), 0);
        desk.home.run("retry").done();
        assert_eq!(desk.shop.fulfillments(order).len(), 1, "lost {tracking:?}");
        assert_eq!(desk.shop.standing(&order.to_string()).unwrap().dispatch_mails, 1);
    }
}

/// Everything speaks for the first of two such dispatches being the second: line, quantity, number
/// and time.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn d3_d5_two_parts_of_a_line_that_are_alike_are_both_sent_whatever_happens_to_the_first() {
    for tracking in ["--carrier dhl --tracking JD01", ""] {
        let part = format!("--item TEE-001=1 {tracking}");
        let sent_twice = |desk: &Desk, order: u64, what: &str| {
            let pieces: Vec<u64> = desk.shop.fulfillments(order).into_iter().map(|(pieces, _)| pieces).collect();
            let mails = desk.shop.standing(&order.to_string()).unwrap().dispatch_mails;
            assert_eq!((pieces, mails), (vec![1, 1], 2), "{what} {tracking:?}");
            assert!(desk.home.json("outbox").as_array().unwrap().is_empty(), "{what} {tracking:?}");
        };
        for later in ["", " --later"] {
            let desk = Desk::new();
            let order = desk.place(&tea(3));
            desk.on("dispatch", order, &format!("{part}{later}")).exits(0);
            desk.on("dispatch", order, &format!("{part}{later} --again")).exits(0);
            desk.sync();
            sent_twice(&desk, order, later);
        }
        for point in ["after-record", "before-write", "after-write", "after-sent", "before-confirm", "after-confirm"] {
            let desk = Desk::new();
            let order = desk.place(&tea(3));
            desk.on("dispatch", order, &part).dies_at(point);
            desk.on("dispatch", order, &part).arg("--again").exits(0);
            sent_twice(&desk, order, point);
        }
        let desk = Desk::new();
        let order = desk.place(&tea(3));
        desk.server.faults().add(Fault::new(FaultKind::AnswerLost).on_path("#mutation Fulfill").times(2));
        desk.on("dispatch", order, &part).done();
        desk.on("dispatch", order, &part).arg("--again").done();
        desk.home.run("retry").done();
        sent_twice(&desk, order, "lost");
    }
}

/// A dispatch that went out whole before the order changed is confirmed as that: it is no other
/// dispatch's, and the change stays in sight.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn d3_what_a_dispatch_has_sent_before_the_order_changed_is_not_taken_for_the_next_ones() {
    let desk = Desk::new();
    let order = desk.place(&tea(3));
    let part = "--item TEE-001=1 --carrier dhl --tracking JD01";
    desk.on("dispatch", order, part).dies_at("after-write");
    assert!(desk.shop.readdress(&order.to_string(), "77 Somewhere Else"));
    desk.home.run("sync").exits(0);
    desk.on("dispatch", order, part).arg("--again").exits(6).says("address");
    desk.on("accept", order, "").exits(0);
    desk.on("dispatch", order, part).arg("--again").exits(0);
    assert_eq!(desk.shop.fulfillments(order).len(), 2);
    desk.home.run("retry").exits(0);
    assert_eq!(desk.shop.fulfillments(order).len(), 2);
    assert!(desk.home.json("outbox").as_array().unwrap().is_empty());
}

#[test]
fn d8_a_cancellation_is_a_job_whose_end_is_waited_for() {
    let desk = Desk::with(Options { cancelling: 1, ..Options::rehearsal() });
    let order = desk.place(&tea(1));
    let words = ["cancel", &format!("shopify:{order}"), "--refund", "--reason", "inventory: the last one broke"];
    desk.home.call(&words).exits(0);
    let (reason, note) = desk.shop.cancellation(order).unwrap();
    assert_eq!((&*reason, note.as_deref()), ("INVENTORY", Some("the last one broke")));
    assert_eq!(desk.asked("Cancel"), 1, "asked for once");
    desk.sync();
    assert!(desk.home.json("inbox").as_array().unwrap().is_empty());
    assert_eq!(desk.show(order)["status"], "cancelled");
}

#[test]
fn d8_a_cancellation_of_which_only_the_job_is_named_is_waited_for_and_not_asked_for_again() {
    let desk = Desk::with(Options { cancelling: 1, job_results: false, ..Options::rehearsal() });
    let order = desk.place(&tea(1));
    desk.on("cancel", order, "--refund").exits(0).prints("cancelled here and at the channel");
    assert_eq!(desk.asked("Cancel"), 1);
    assert!(desk.shop.standing(&order.to_string()).unwrap().cancelled);
    // At work for longer than one attempt waits.
    desk.shop.options().cancelling = 3600;
    let slow = desk.place(&tea(1));
    desk.on("cancel", slow, "").exits(0).says("does not show it yet");
    desk.home.run("retry").exits(5);
    assert_eq!(desk.asked("Cancel"), 2, "one for each order");
    assert!(desk.asked("CancelJob") >= 4);
}

#[test]
fn d8_a_cancellation_that_comes_to_nothing_is_refused_with_what_is_known_and_can_be_tried_again() {
    for (job_results, why) in [(true, "cannot be refunded"), (false, "its job is over")] {
        let desk = Desk::with(Options { job_results, cancelling_fails: true, ..Options::rehearsal() });
        let order = desk.place(&tea(1));
        desk.on("cancel", order, "--refund").exits(1).says(why);
        assert_eq!(desk.asked("Cancel"), 1);
        let inbox = desk.home.json("inbox").to_string();
        assert!(inbox.contains("did not go out") && !inbox.contains("in part"), "{inbox}");
        desk.shop.options().cancelling_fails = false;
        desk.home.run("retry").exits(0);
        assert!(desk.shop.standing(&order.to_string()).unwrap().cancelled);
    }
}

#[test]
fn d8_an_order_of_which_something_is_shipped_is_not_cancelled_and_one_cancelled_meanwhile_is() {
    let desk = Desk::new();
    let order = desk.place(&tea(2));
    desk.on("dispatch", order, "--item TEE-001=1 --carrier dhl --tracking JD01").exits(0);
    desk.on("cancel", order, "--force").exits(1).says("something is shipped");
    let other = desk.place(&tea(1));
    desk.server.faults().add(Fault::new(FaultKind::AnswerLost).on_path("#mutation Cancel"));
    desk.on("cancel", other, "--reason fraud").done();
    desk.home.run("retry").done();
    assert!(desk.shop.standing(&other.to_string()).unwrap().cancelled);
    assert_eq!(desk.show(other)["status"], "cancelled");
    let open = desk.home.json("outbox");
    let states: Vec<&str> = open.as_array().unwrap().iter().filter_map(|row| row["state"].as_str()).collect();
    assert_eq!(states, ["failed"], "only the refused one is left");
}

#[test]
fn an_order_that_is_erased_at_the_shop_stays_in_the_book() {
    let desk = Desk::new();
    let order = desk.place(&tea(1));
    desk.shop.delete(order);
    desk.sync();
    assert_eq!(desk.orders(), 1);
    desk.on("pull", order, "").exits(7);
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(7).says("any more");
}

#[test]
fn an_order_that_the_app_may_see_no_more_is_not_called_deleted() {
    let desk = Desk::new();
    let order = desk.shop.place_order(tea(1).at(Utc::now() - TimeDelta::days(70)));
    desk.sync();
    desk.shop.options().scopes.retain(|scope| scope != "read_all_orders");
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(7).says("read_all_orders").says("60 days");
}

#[test]
fn a_bulk_operation_that_fails_is_no_empty_shop_and_its_file_is_fetched_without_the_token() {
    let desk = Desk::unconnected(Options::rehearsal());
    desk.shop.seed(900, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
    desk.shop.fail_bulk(1);
    desk.connect("--set bulk=always").exits(0);
    let report = desk.sync();
    assert_eq!(report["new"], 900, "{report}");
    assert!(desk.shop.bulk_operations() > 0);
    // Nor is one that ends well and found nothing where orders were counted.
    let empty = Desk::unconnected(Options::rehearsal());
    empty.shop.seed(900, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
    empty.shop.empty_bulk(1);
    empty.connect("--set bulk=always").exits(0);
    assert_eq!(empty.sync()["new"], 900);
    let again = Desk::unconnected(Options::rehearsal());
    again.shop.seed(900, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
    again.connect("--set bulk=always").exits(0);
    assert_eq!(again.sync()["new"], 900);
    let files: Vec<_> = again.server.requests().into_iter().filter(|one| one.path.starts_with("/bulk/")).collect();
    assert!(!files.is_empty());
    assert!(files.iter().all(|one| one.headers.iter().all(|(name, _)| name != "x-shopify-access-token")));
    assert!(again.server.requests().iter().any(|one| one.status == Some(206)));
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_first_sync_by_bulk_operations_killed_within_its_files_brings_every_order_once() {
    for point in ["before-import:2", "after-import:2"] {
        let desk = Desk::unconnected(Options::rehearsal());
        desk.shop.seed(1500, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
        desk.connect("--set bulk=always").exits(0);
        let mut deaths = 0;
        while desk.home.run("sync").env("ORDERSYNC_CRASH_AT", point).done().code.is_none() {
            deaths += 1;
            assert_eq!(desk.home.sql("PRAGMA integrity_check"), ["ok"]);
        }
        assert!(deaths > 3, "{point}: {deaths}");
        assert_eq!(desk.orders(), 1500, "{point}");
        let wrong = "SELECT count(*) FROM orders WHERE NOT EXISTS (SELECT 1 FROM lines WHERE order_id = orders.id)";
        assert_eq!(desk.home.sql(wrong), ["0"]);
    }
}

struct Reader {
    shop: Arc<Shop>,
    _server: Server,
    clock: Arc<ManualClock>,
    channel: Box<dyn Channel>,
}

fn reader(options: Options, page_size: u64) -> Reader {
    let clock = Arc::new(ManualClock::at(Utc.with_ymd_and_hms(2026, 11, 23, 7, 0, 0).unwrap()));
    let shop = Arc::new(Shop::new(options, clock.clone()));
    let server = Server::start(shop.clone(), ServerOptions::default()).unwrap();
    let values = [
        ("shop", "tea-and-cups".to_owned()),
        ("endpoint", server.url().to_owned()),
        ("page_size", page_size.to_string()),
    ];
    let values = Values::from(values.map(|(key, value)| (key.to_owned(), value)));
    let secrets = [("access_token", REHEARSAL_TOKEN), ("api_secret", "x")];
    let channel = support::shopify::channel(&clock, values, secrets);
    Reader { shop, _server: server, clock, channel }
}

/// Shopify has it shipped, and the rest of the order with it: a card of plastic left out would
/// never go.
#[test]
fn a_gift_card_that_requires_shipping_ships() {
    let reader = reader(Options::rehearsal(), 5);
    let id = reader.shop.place_order(tea(1)).to_string();
    let mut document: serde_json::Value =
        serde_json::from_str(reader.channel.order(&id).unwrap().unwrap().document.get()).unwrap();
    let ships = |document: &serde_json::Value| {
        reader.channel.read(document.to_string().as_bytes()).unwrap().lines.first().unwrap().ships
    };
    document["lineItems"]["nodes"][0]["isGiftCard"] = json!(true);
    assert!(ships(&document));
    document["lineItems"]["nodes"][0]["requiresShipping"] = json!(false);
    assert!(!ships(&document));
}

/// `spec_shopify.rs` asks the vendor's schema for every amount.
#[test]
fn i4_an_order_whose_price_is_null_is_unreadable_and_not_free_of_charge() {
    let reader = reader(Options::rehearsal(), 5);
    let id = reader.shop.place_order(tea(1)).to_string();
    let whole = reader.channel.order(&id).unwrap().unwrap().document.get().to_owned();
    let with = |place: &str, value: serde_json::Value| {
        let mut document: serde_json::Value = serde_json::from_str(&whole).unwrap();
        *document.pointer_mut(place).unwrap() = value;
        reader.channel.read(document.to_string().as_bytes())
    };
    let without = |place: &str| with(place, serde_json::Value::Null);
    let promised = ["totalPriceSet", "totalShippingPriceSet", "totalOutstandingSet", "currentTotalPriceSet"];
    let named = promised.map(|member| (format!("/{member}"), member));
    let line = ("/lineItems/nodes/0/originalUnitPriceSet".to_owned(), "originalUnitPriceSet");
    let inner = ("/totalPriceSet/presentmentMoney".to_owned(), "totalPriceSet");
    for (place, member) in named.into_iter().chain([line, inner]) {
        let error = without(&place).unwrap_err();
        assert!(error.message().contains(&format!("{member} is missing")), "{place}: {error}");
    }
    assert!(with("/totalPriceSet/presentmentMoney/amount", json!("")).is_err(), "no digits are no zero either");
    assert!(without("/presentmentCurrencyCode").is_err());
    assert_eq!(without("/totalTaxSet").unwrap().totals.tax.to_string(), "0", "an order may have no taxes");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// While orders are changed and placed between the pages, the index lags and walks are cut off
    /// and gone on with later, the syncs meet every order in its last version.
    #[test]
    fn i3_walks_meet_every_order_in_its_last_version(
        orders in 1usize..25,
        changes in prop::collection::vec((0usize..25, 0i64..40), 0..30),
        page_size in 1u64..6,
        lag in 0i64..120,
        pause in 0i64..400,
    ) {
        let reader = reader(Options { lag, ..Options::rehearsal() }, page_size);
        for _ in 0..orders {
            reader.shop.place_order(tea(1));
            reader.clock.advance(TimeDelta::seconds(1));
        }
        reader.clock.advance(TimeDelta::seconds(200));
        let mut seen = BTreeMap::new();
        let plan = reader.channel.plan(&Range { since: None, until: None }).unwrap();
        let mut at = plan.changes;
        let mut changes = changes.into_iter();
        let pages = AtomicU64::new(0);
        for round in 0..4 {
            at = loop {
                prop_assert!(pages.fetch_add(1, Ordering::Relaxed) < 2000, "it ends");
                // As if the process had been killed and gone on after a while: only the text of the
                // position is left.
                let stored = Cursor::from_stored(at.as_str().to_owned());
                reader.clock.advance(TimeDelta::seconds(pause / 10));
                let page = reader.channel.page(&stored).unwrap();
                for order in page.orders {
                    let order = order.order.unwrap();
                    seen.insert(order.remote_id.clone(), order.updated_at);
                }
                if round < 2 && let Some((order, wait)) = changes.next() {
                    reader.clock.advance(TimeDelta::seconds(wait));
                    match reader.shop.numbers().get(order) {
                        Some(id) => { reader.shop.touch(&id.to_string()); }
                        None => { reader.shop.place_order(tea(1)); }
                    }
                }
                match page.next {
                    Next::More(next) | Next::Wait(next, _) => at = next,
                    Next::Done(next) => break next,
                }
            };
            // By the last one the index knows of everything, and the newest minutes are due once more.
            reader.clock.advance(TimeDelta::seconds(pause + if round == 2 { 430 } else { 130 }));
        }
        for id in reader.shop.ids() {
            let now = reader.channel.order(&id).unwrap().unwrap().order.unwrap().updated_at;
            prop_assert_eq!(seen.get(&id), Some(&now), "order {} at {}", id, reader.clock.now());
        }
    }
}

/// 2 pieces with ten per cent off, one of them taken out: Shopify goes on telling the discount and
/// the tax of both.
#[test]
fn f7_a_line_of_which_an_edit_took_a_part_has_the_discount_and_the_tax_of_what_is_left() {
    let desk = Desk::new();
    let order = desk.shop.place_order(tea(2).coupon());
    desk.shop.edit_away(order, 0);
    desk.sync();
    let shown = desk.show(order);
    let places = ["/lines/0/quantity", "/lines/0/total", "/lines/0/tax", "/totals/discount", "/totals/total"];
    // 12.90 less 1.29, and 4.90 postage.
    assert_eq!(amounts(&shown, &places), ["1", "11.61", "1.85", "1.29", "16.51"], "{shown}");
    assert_eq!(desk.home.sql("SELECT kind FROM charges WHERE kind = 'other'"), Vec::<String>::new());
}

#[test]
fn a_cancelled_order_keeps_its_lines_in_the_book() {
    let desk = Desk::new();
    let order = desk.place(&tea(2).line("MUG-9", 1));
    desk.shop.cancel(&order.to_string());
    desk.sync();
    desk.on("accept", order, "").exits(0);
    let shown = desk.show(order);
    assert_eq!((&shown["status"], shown["lines"].as_array().unwrap().len()), (&json!("cancelled"), 2), "{shown}");
    assert_eq!(amounts(&shown, &["/lines/0/quantity", "/lines/1/quantity"]), ["2", "1"]);
}

#[test]
fn f7_duties_and_fees_are_charges() {
    let desk = Desk::new();
    let order = desk.place(&tea(1).duties(2000).fee("Import handling", 350));
    let charges = desk.home.sql("SELECT title || ' ' || amount FROM charges WHERE kind = 'fee' ORDER BY position");
    assert_eq!(charges, ["Duties 20.0", "Import handling 3.5"]);
    assert_eq!(amounts(&desk.show(order), &["/totals/total"]), ["41.3"]);
    assert_eq!(desk.home.sql("SELECT kind FROM charges WHERE kind = 'other'"), Vec::<String>::new());
}

#[test]
fn p12_what_left_the_house_is_shipped_whatever_became_of_the_money() {
    let desk = Desk::new();
    let order = desk.shop.place_order(tea(1));
    desk.shop.ship_elsewhere(&order.to_string(), "DHL", "JD01");
    desk.shop.expire(order);
    let waits = desk.shop.place_order(tea(1));
    desk.shop.expire(waits);
    desk.sync();
    assert_eq!(desk.show(order)["status"], "shipped");
    assert_eq!(desk.show(waits)["status"], "awaiting-payment");
}

#[test]
fn p12_goods_that_need_no_parcel_of_the_merchants_are_marked() {
    for (method, word) in [("PICK_UP", "picked up"), ("LOCAL", "the shop itself"), ("RETAIL", "in the shop")] {
        let desk = Desk::new();
        let order = desk.place(&tea(1).line("MUG-9", 1).delivery(method));
        let shown = desk.show(order);
        assert_eq!(shown["lines"][0]["ships"], false, "{method}: {shown}");
        assert!(shown["attributes"].to_string().contains(word), "{method}: {shown}");
    }
    let desk = Desk::new();
    let order = desk.shop.place_order(tea(2).line("MUG-9", 1));
    desk.shop.outsource(order, 1);
    desk.sync();
    let shown = desk.show(order);
    assert_eq!((&shown["lines"][0]["ships"], &shown["lines"][1]["ships"]), (&json!(true), &json!(false)), "{shown}");
    assert!(shown["attributes"].to_string().contains("MUG-9"), "{shown}");
}

/// Lists without pages come with 20 members. What the 21st says is asked for, by pages and by bulk
/// operations alike.
#[test]
fn nothing_is_cut_off_a_long_list_of_fulfilments() {
    for bulk in ["never", "always"] {
        let desk = Desk::unconnected(Options::rehearsal());
        let order = desk.shop.place_order(tea(1));
        desk.shop.try_often(order, 23);
        desk.connect(&format!("--set bulk={bulk}")).exits(0);
        desk.sync();
        let shown = desk.show(order);
        assert!(shown["shipments"].to_string().contains("TRY022"), "{bulk}: {shown}");
        assert_eq!(
            desk.home.json(&format!("pull shopify:{order}"))["result"],
            "unchanged",
            "one document whichever way it came"
        );
    }
}

/// The search index lags, so the newest minutes are read once more. Where a bulk edit has put
/// hundreds of orders into them, that is not at every sync.
#[test]
fn q2_nothing_new_is_one_request_also_where_hundreds_share_the_newest_minutes() {
    let desk = Desk::unconnected(Options::rehearsal());
    let before = Utc::now() - TimeDelta::hours(1);
    let orders: Vec<u64> = (0..220).map(|_| desk.shop.place_order(tea(1).at(before))).collect();
    desk.connect("").exits(0);
    assert_eq!(desk.sync()["new"], 220);
    let quiet = desk.sync();
    assert_eq!((&quiet["requests"], &quiet["fetched"]), (&json!(1), &json!(0)), "{quiet}");
    desk.shop.readdress(&orders[7].to_string(), "77 Somewhere Else");
    desk.sync();
    assert_ne!(desk.show(orders[7])["differences"], json!([]));
}

#[test]
fn i3_a_list_that_is_not_what_was_asked_for_ends_the_sync_and_moves_nothing() {
    let whole = Options::rehearsal().deaf;
    let deaf = [
        (Deaf { filter: true, ..whole }, "at other times"),
        (Deaf { order: true, ..whole }, "not in the order"),
        (Deaf { most_rows: 10, ends: true, ..whole }, "Shopify counts"),
    ];
    for (deaf, said) in deaf {
        let desk = Desk::unconnected(Options::rehearsal());
        desk.shop.seed(80, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        desk.connect("").exits(0);
        // A first sync has no filter that could be ignored.
        if deaf.filter {
            desk.sync();
        }
        let new = desk.shop.place_order(tea(1));
        desk.shop.options().deaf = deaf;
        desk.home.run("sync").exits(1).says(said);
        desk.shop.options().deaf = whole;
        desk.sync();
        assert_eq!((desk.orders(), &desk.show(new)["status"]), (81, &json!("awaiting-fulfillment")), "{said}");
    }
    // Fewer rows than asked for are only smaller pages.
    let desk = Desk::unconnected(Options { deaf: Deaf { most_rows: 10, ..whole }, ..Options::rehearsal() });
    desk.shop.seed(80, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
    desk.connect("").exits(0);
    assert_eq!(desk.sync()["new"], 80);
}

#[test]
fn i4_an_order_that_shopify_cannot_show_costs_one_order_in_slices_and_in_changes() {
    let desk = Desk::unconnected(Options::rehearsal());
    desk.shop.seed(400, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
    let ids = desk.shop.ids();
    for bad in [&ids[0], &ids[137], &ids[399]] {
        desk.shop.set_unrenderable(bad, true);
    }
    desk.connect("").exits(0);
    desk.home.run("sync").exits(3);
    assert_eq!(desk.orders(), 397);
    let inbox = desk.home.json("inbox").to_string();
    assert!(inbox.contains(&ids[0]) && inbox.contains(&ids[137]) && inbox.contains(&ids[399]), "{inbox}");
    // Of three orders of one moment the second; the walk goes on behind it.
    let now = Utc::now();
    let three = [1, 2, 3].map(|pieces| desk.shop.place_order(tea(pieces).at(now)));
    let after = desk.shop.place_order(tea(4));
    desk.shop.set_unrenderable(&three[1].to_string(), true);
    desk.server.clear_requests();
    desk.home.run("sync").exits(3);
    assert!(desk.server.requests().len() < 90, "{}", desk.server.requests().len());
    for shown in [three[0], three[2], after] {
        assert_eq!(desk.show(shown)["status"], "awaiting-fulfillment");
    }
    assert!(desk.home.json("inbox").to_string().contains(&three[1].to_string()));
    let last = desk.place(&tea(5));
    assert_eq!(desk.show(last)["status"], "awaiting-fulfillment");
    assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 4, "each is said once");
}

#[test]
fn i4_orders_of_one_second_around_two_that_cannot_be_shown_are_read_from_both_ends() {
    let desk = Desk::unconnected(Options::rehearsal());
    let before = Utc::now() - TimeDelta::hours(1);
    let ids: Vec<u64> = (0..40).map(|_| desk.shop.place_order(tea(1).at(before))).collect();
    let later = desk.shop.place_order(tea(1).at(before + TimeDelta::seconds(1)));
    for bad in [ids[9], ids[10]] {
        desk.shop.set_unrenderable(&bad.to_string(), true);
    }
    desk.connect("").exits(0);
    desk.home.run("sync").exits(3);
    assert_eq!(desk.orders(), 39);
    desk.show(later);
    let inbox = desk.home.json("inbox").to_string();
    assert!(inbox.contains(&ids[9].to_string()) && inbox.contains(&ids[10].to_string()), "{inbox}");
}

#[test]
fn i5_a_shop_that_fails_at_everything_is_down_and_no_order_is_blamed() {
    let desk = Desk::new();
    desk.place(&tea(1));
    desk.server.faults().add(Fault::new(FaultKind::ServerError(520)).on_path("graphql").always());
    desk.shop.place_order(tea(1));
    desk.home.run("sync").exits(5);
    assert_eq!(desk.home.json("inbox"), json!([]));
    desk.server.faults().clear();
    desk.sync();
    assert_eq!(desk.orders(), 2);
}

#[test]
fn i3_a_bulk_operation_that_never_ends_is_given_up_after_hours_and_its_orders_come_in_pages() {
    let desk = Desk::unconnected(Options::rehearsal());
    desk.shop.seed(900, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
    desk.shop.stall_bulk(1);
    desk.connect("--set bulk=always").exits(0);
    let mut sync = desk.home.spawn("sync", &[]);
    let waits = "SELECT count(*) FROM cursors WHERE position ->> '$.bulk.looks' > 0";
    support::program::until("a look at the operation", || desk.home.sql(waits) == ["1"]);
    sync.kill().unwrap();
    sync.wait().unwrap();
    let hours = format!(
        "UPDATE cursors SET position = json_set(position, '$.bulk.started', {})",
        Utc::now().timestamp() - 4 * 3600
    );
    desk.home.sql(&format!("{hours} WHERE position ->> '$.bulk.looks' > 0"));
    let report = desk.sync();
    assert!(report["warnings"].to_string().contains("not ended"), "{report}");
    assert_eq!((desk.orders(), desk.shop.bulk_operations()), (900, 1));
}

#[test]
fn i3_a_bulk_file_that_lacks_rows_is_not_taken_for_whole() {
    let desk = Desk::unconnected(Options::rehearsal());
    desk.shop.seed(900, Utc::now() - TimeDelta::days(50), Utc::now() - TimeDelta::days(1));
    desk.shop.shorten_bulk(1);
    desk.connect("--set bulk=always").exits(0);
    let report = desk.sync();
    assert!(report["warnings"].to_string().contains("fewer"), "{report}");
    let without = "SELECT count(*) FROM orders WHERE NOT EXISTS (SELECT 1 FROM lines WHERE order_id = orders.id)";
    assert_eq!((desk.orders(), desk.home.sql(without)), (900, vec!["0".to_owned()]));
}

/// A shop in whose answers some bytes are others.
struct Spoiled {
    shop: Arc<Shop>,
    from: &'static [u8],
    to: &'static [u8],
}

impl Store for Spoiled {
    fn handle(&self, request: &ordersync::sim::Request) -> ordersync::sim::Response {
        let mut response = self.shop.handle(request);
        if let Some(at) = response.body.windows(self.from.len()).position(|bytes| bytes == self.from) {
            response.body.splice(at..at + self.from.len(), self.to.iter().copied());
        }
        response
    }
}

#[test]
fn i4_bytes_of_one_order_that_are_no_json_cost_one_order_and_its_id_is_known() {
    for to in [&br#""note":1e999"#[..], b"\"note\":\"\xff\"", b"\"note\":{", br#""note":1,"note":2"#] {
        let reader = reader(Options::rehearsal(), 250);
        let orders = ["a", "SPOIL", "b"].map(|note| reader.shop.place_order(tea(1).note(note)).to_string());
        let spoiled = Spoiled { shop: reader.shop.clone(), from: br#""note":"SPOIL""#, to };
        let server = Server::start(Arc::new(spoiled), ServerOptions::default()).unwrap();
        let values = [("shop", "tea-and-cups".to_owned()), ("endpoint", server.url().to_owned())];
        let values = Values::from(values.map(|(key, value)| (key.to_owned(), value)));
        let channel =
            support::shopify::channel(&reader.clock, values, [("access_token", REHEARSAL_TOKEN), ("api_secret", "x")]);
        let mut at = channel.plan(&Range { since: None, until: None }).unwrap().changes;
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        loop {
            let page = channel.page(&at).unwrap();
            for order in page.orders {
                if order.order.is_ok() { good.push(order.remote_id) } else { bad.push(order.remote_id) }
            }
            bad.extend(page.unshown.into_iter().filter_map(|unshown| unshown.remote_id));
            match page.next {
                Next::More(next) | Next::Wait(next, _) => at = next,
                Next::Done(_) => break,
            }
        }
        assert_eq!(good, [orders[0].clone(), orders[2].clone()], "{}", String::from_utf8_lossy(to));
        assert_eq!(bad, [orders[1].clone()], "{}", String::from_utf8_lossy(to));
    }
}
