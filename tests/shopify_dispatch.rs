//! Shopify: what only such a shop does with a dispatch or a cancellation: fulfilment orders, their
//! locations and holds, and jobs.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use chrono::{TimeDelta, Utc};
use ordersync::sim::shopify::{NewOrder, Options};
use ordersync::sim::{Fault, FaultKind, Simulated};
use serde_json::json;
use support::shopify::Desk;

fn tea(pieces: u32) -> NewOrder {
    NewOrder::paid().line("TEE-001", pieces)
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

/// One location's part went out, and the other's can never go.
#[test]
fn d2_the_rest_of_a_dispatch_that_was_refused_in_part_can_be_taken_back() {
    let desk = Desk::new();
    let order = desk.place(&tea(4));
    desk.shop.split(order);
    desk.server.faults().add(Fault::new(FaultKind::ServerError(500)).on_path("#mutation Fulfill").after(1));
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(5);
    desk.shop.hold(order, "Inventory out of stock");
    desk.home.run("retry").exits(6);
    assert_eq!(desk.shop.fulfillments(order), [(2, vec!["JD01".to_owned()])]);
    let row = desk.show(order)["outbox"][0].clone();
    assert_eq!(row["state"], "failed");
    let number = row["row"].as_str().unwrap();
    assert!(desk.home.json("inbox").to_string().contains(&format!("outbox --withdraw {number} takes the rest back")));
    desk.home.run(&format!("outbox --withdraw {number}")).exits(0).prints("2 pieces");
    let shown = desk.show(order);
    assert_eq!((&shown["status"], &shown["lines"][0]["left"]), (&json!("partially-shipped"), &json!("2")), "{shown}");
    assert_eq!((&shown["outbox"][0]["state"], desk.home.json("inbox")), (&json!("confirmed"), json!([])));
    desk.home.run(&format!("outbox --withdraw {number}")).exits(6);
    desk.shop.release(order);
    desk.on("dispatch", order, "--carrier dhl --tracking JD02").exits(0);
    assert_eq!(desk.shop.fulfillments(order), [(2, vec!["JD01".to_owned()]), (2, vec!["JD02".to_owned()])]);
    assert_eq!(desk.show(order)["status"], "shipped");
}

#[test]
fn d2_what_shopify_schedules_is_refused_and_what_it_held_back_goes_out_once_the_hold_is_over() {
    let desk = Desk::new();
    let order = desk.place(&tea(1));
    assert!(desk.shop.schedule(order));
    for more in ["--dry-run", ""] {
        let call = desk.on("dispatch", order, &format!("--carrier dhl --tracking JD01 {more}"));
        call.exits(6).says("on hold");
    }
    assert_eq!((&desk.show(order)["outbox"], desk.shop.counters().writes), (&json!([]), 0));
    let order = desk.place(&tea(1));
    desk.on("dispatch", order, "--carrier dhl --tracking JD01 --dry-run").exits(0).prints("of 1 piece with");
    desk.on("dispatch", order, "--carrier dhl --tracking JD01 --later").exits(0);
    desk.shop.hold(order, "Inventory out of stock");
    desk.home.run("sync").done();
    assert_eq!((desk.home.json("inbox").as_array().unwrap().len(), desk.shop.counters().writes), (1, 0));
    desk.shop.release(order);
    desk.home.run("retry").exits(0);
    assert_eq!(desk.shop.fulfillments(order).len(), 1);
    // That the hold is over is seen by a rehearsal as well, and not kept.
    let order = desk.place(&tea(1));
    desk.shop.hold(order, "Inventory out of stock");
    desk.home.run("sync").done();
    desk.shop.release(order);
    let kept = || (desk.home.json("runs"), desk.show(order));
    let before = kept();
    assert_eq!(before.1["status"], "on-hold");
    desk.on("dispatch", order, "--carrier dhl --tracking JD02 --dry-run").exits(0).prints("of 1 piece with");
    assert_eq!(kept(), before, "a dry run leaves nothing behind");
    // What the channel holds is not recorded to go out in spite of that: it would be refused each time.
    let held = desk.place(&tea(1));
    desk.shop.hold(held, "Inventory out of stock");
    desk.home.run("sync").done();
    for flags in ["--later", "--later --on-hold"] {
        desk.on("dispatch", held, &format!("--carrier dhl --tracking JD03 {flags}")).exits(6).says("on hold");
    }
    assert_eq!(desk.show(held)["outbox"], json!([]));
    desk.on("dispatch", order, "--carrier dhl --tracking JD02").exits(0);
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
fn d2_what_a_service_gives_back_is_the_merchants_and_is_moved_first() {
    let desk = Desk::new();
    let order = desk.shop.place_order(tea(2));
    desk.shop.outsource(order, 0);
    desk.sync();
    assert_eq!(desk.show(order)["lines"][0]["ships"], false);
    desk.shop.give_up(order);
    let given_back = desk.shop.place_order(tea(2));
    desk.shop.outsource(given_back, 0);
    desk.shop.give_up(given_back);
    desk.sync();
    assert_eq!(desk.show(given_back)["lines"][0]["ships"], true, "nobody else sends it");
    desk.on("dispatch", given_back, "--carrier dhl --tracking JD01").exits(6).says("given it back").says("move it");
    assert_eq!(desk.shop.counters().writes, 0);
    desk.shop.bring_home(given_back);
    desk.on("dispatch", given_back, "--carrier dhl --tracking JD01").exits(0);
    assert_eq!(desk.shop.fulfillments(given_back), [(2, vec!["JD01".to_owned()])]);
}

/// What needs no delivery has a fulfilment order of its own, and Shopify counts it.
#[test]
fn p12_an_order_of_goods_and_downloads_is_sent_with_its_parcel_and_one_of_downloads_by_saying_so() {
    let desk = Desk::new();
    let mixed = desk.place(&tea(1).line("VOUCHER-25", 1));
    desk.on("dispatch", mixed, "--carrier dhl --tracking JD01").exits(0);
    desk.sync();
    let shown = desk.show(mixed);
    assert_eq!((&shown["status"], &shown["drift"]), (&json!("shipped"), &json!(null)), "{shown}");
    assert!(shown["channel_status"].as_str().unwrap().contains("PARTIALLY_FULFILLED"), "{shown}");
    assert_eq!(desk.shop.fulfillments(mixed), [(1, vec!["JD01".to_owned()])], "nobody has said that it was delivered");
    let digital = desk.place(&NewOrder::paid().line("VOUCHER-25", 1));
    assert_eq!(desk.show(digital)["status"], "awaiting-fulfillment");
    desk.on("dispatch", digital, "--carrier dhl --tracking JD02").exits(6).says("needs no parcel");
    desk.on("dispatch", digital, "").exits(0);
    assert_eq!(desk.shop.fulfillments(digital), [(1, Vec::new())]);
    assert_eq!(desk.show(digital)["status"], "shipped");
    assert_eq!((desk.home.json("inbox"), desk.home.json("outbox")), (json!([]), json!([])));
}

/// All of it was given back before any of it was sent: Shopify's word for it is no shipment's.
#[test]
fn p10_an_order_that_was_given_back_unsent_is_not_shipped() {
    let desk = Desk::new();
    let order = desk.place(&tea(2));
    assert!(desk.shop.refund_pieces(&order.to_string(), 0, 2));
    let late = desk.shop.place_order(tea(2));
    assert!(desk.shop.refund_pieces(&late.to_string(), 0, 2));
    desk.sync();
    for id in [order, late] {
        let shown = desk.show(id);
        assert_eq!(shown["status"], "awaiting-fulfillment", "{shown}");
        assert!(shown.to_string().contains("FULFILLMENT_NOT_REQUIRED"), "{shown}");
        desk.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6).says("refunded in full");
    }
    assert_eq!(desk.shop.counters().writes, 0);
}

#[test]
fn p3_p12_a_cancellation_is_not_followed_over_a_parcel_of_an_order_in_progress() {
    let desk = Desk::new();
    let order = desk.shop.place_order(tea(2));
    desk.shop.ship_pieces(&order.to_string(), 0, 1, "DHL", "JD01");
    desk.shop.begin(order);
    desk.sync();
    let shown = desk.show(order);
    assert_eq!(shown["status"], "partially-shipped", "{shown}");
    desk.shop.cancel(&order.to_string());
    desk.sync();
    assert_eq!(desk.show(order)["status"], "partially-shipped");
    assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 1);
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
    assert!(inbox.contains("went out in part") && inbox.contains("is on hold at the channel"), "{inbox}");
    assert!(!inbox.contains("nothing was sent"), "{inbox}");
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

/// Shopify refuses a fulfilment of gift cards and other goods.
#[test]
fn d5_gift_cards_that_are_sent_with_other_goods_are_told_of_by_a_call_of_their_own() {
    let desk = Desk::new();
    let order = desk.place(&tea(2).line("GIFT-50", 1).line("MUG-9", 1));
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(0);
    assert_eq!(desk.shop.fulfillments(order), [(3, vec!["JD01".to_owned()]), (1, vec!["JD01".to_owned()])]);
    assert_eq!(desk.show(order)["status"], "shipped");
    desk.sync();
    assert_eq!((desk.home.json("inbox"), desk.home.json("outbox")), (json!([]), json!([])));
}

/// All numbers of a fulfilment are given anew where one is replaced.
#[test]
fn d5_the_replacement_of_one_of_many_numbers_takes_none_of_the_others_away() {
    let desk = Desk::new();
    let order = desk.place(&tea(12));
    let numbers: Vec<String> = (1..=12).map(|nth| format!("JD{nth:02}")).collect();
    desk.on("dispatch", order, &format!("--carrier dhl --tracking {}", numbers.join(" --tracking "))).exits(0);
    desk.on("dispatch", order, "--replaces JD11 --tracking JD99").exits(0);
    let mut wanted = numbers;
    wanted[10] = "JD99".to_owned();
    assert_eq!(desk.shop.fulfillments(order), [(12, wanted)]);
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
    desk.on("cancel", slow, "").exits(5).says("does not show it yet");
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
fn an_order_that_the_app_may_see_no_more_is_not_called_deleted() {
    let desk = Desk::new();
    let order = desk.shop.place_order(tea(1).at(Utc::now() - TimeDelta::days(70)));
    desk.sync();
    desk.shop.options().scopes.retain(|scope| scope != "read_all_orders");
    desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(7).says("read_all_orders").says("60 days");
}
