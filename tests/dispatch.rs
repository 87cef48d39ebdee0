//! `ordersync dispatch`, and what becomes of it: the outbox, `retry`, `accept`.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ordersync::clock::SystemClock;
use ordersync::lock::{Lock, Work};
use ordersync::sim::woocommerce::*;
use ordersync::sim::{Fault, FaultKind};
use serde_json::{Value, json};
use support::program::{Call, until};
use support::woo::Rig;

/// Dispatches one order of the shop.
fn dispatch<'a>(rig: &'a Rig, id: u64, more: &str) -> Call<'a> {
    rig.home.run(&format!("dispatch woocommerce:{id} {more}"))
}

/// With one parcel.
fn parcel<'a>(rig: &'a Rig, id: u64, tracking: &str) -> Call<'a> {
    dispatch(rig, id, &format!("--carrier dhl --tracking {tracking}"))
}

/// The states of the outbox, the oldest first.
fn outbox(rig: &Rig) -> Vec<String> {
    let rows = rig.home.json("outbox --all");
    let mut states: Vec<String> =
        rows.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect();
    states.reverse();
    states
}

/// The next sync finds every open row due.
fn all_due(rig: &Rig) {
    rig.home.sql("UPDATE outbox SET next_at = 0 WHERE state IN ('queued', 'sending', 'unknown', 'sent')");
}

/// The value of a meta entry of the order's nth fulfilment.
fn fulfilled(rig: &Rig, id: u64, nth: usize, key: &str) -> Value {
    let all = rig.shop.fulfillments(id);
    let meta = all[nth]["meta_data"].as_array().unwrap();
    meta.iter().find(|entry| entry["key"] == key).map(|entry| entry["value"].clone()).unwrap_or_default()
}

/// Asserts that the shop knows of one dispatch of all of it, and its buyer too.
fn assert_told_once(rig: &Rig, id: u64, told: &str) {
    let mails = rig.shop.mails(id);
    assert_eq!((rig.shop.fulfillments(id).len(), mails.fulfillment, mails.completed), (1, 1, 1), "{told}");
    assert_eq!((rig.status(id).as_str(), rig.shop.status(id).as_deref()), ("shipped", Some("completed")), "{told}");
    assert!(outbox(rig).iter().all(|state| state == "confirmed"), "{told}: {:?}", outbox(rig));
}

#[test]
fn d4_a_dispatch_is_written_and_confirmed_by_reading_it_back() {
    let (rig, ids) = Rig::with_orders(&[2]);
    let done = parcel(&rig, ids[0], "JD01").exits(0).prints("confirmed by the channel");
    done.prints("add a fulfilment with tracking DHL JD01").prints("set the order's status to completed");
    assert_told_once(&rig, ids[0], "dispatched");
    assert_eq!(fulfilled(&rig, ids[0], 0, "_tracking_number"), "JD01");
    let items = fulfilled(&rig, ids[0], 0, "_items");
    assert_eq!(items, json!([{ "item_id": rig.shop.item_ids(ids[0])[0], "qty": 2 }]));
    rig.sync();
    assert_eq!(
        (rig.writes().len(), &rig.show(ids[0])["changed_at_channel"]),
        (2, &json!(false)),
        "its echo is no news"
    );
}

#[test]
fn a_dispatch_in_json_tells_state_and_writes() {
    let (rig, ids) = Rig::with_orders(&[1]);
    let told = parcel(&rig, ids[0], "JD01").arg("--json").exits(0).json();
    assert_eq!((&told["order"], &told["state"], &told["error"]), (&json!("1"), &json!("confirmed"), &Value::Null));
    assert_eq!(told["writes"].as_array().unwrap().len(), 2);
    let error = parcel(&rig, ids[0], "JD02").arg("--json").exits(6).error();
    assert_eq!((&error["kind"], &error["exit_code"]), (&json!("refused"), &json!(6)));
}

#[test]
fn d2_a_dispatch_that_cannot_reach_the_shop_waits_for_the_next_sync() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.unplug();
    parcel(&rig, ids[0], "JD01").exits(0).prints("recorded").says("error: ");
    assert_eq!((rig.status(ids[0]).as_str(), outbox(&rig)), ("shipped", vec!["queued".to_owned()]));
    rig.home.run("sync").exits(5);
    rig.plug_in();
    rig.sync();
    assert_told_once(&rig, ids[0], "after the network came back");
}

#[test]
fn d2_later_only_records_and_the_next_sync_tells_the_shop() {
    let (rig, ids) = Rig::with_orders(&[1]);
    parcel(&rig, ids[0], "JD01 --later").exits(0).prints("the next sync tells the channel");
    assert!(rig.server.requests().is_empty());
    rig.sync();
    assert_told_once(&rig, ids[0], "later");
}

#[test]
fn d3_an_answer_that_was_lost_is_looked_for_and_the_buyer_is_told_once() {
    for (method, part) in [("POST", "/fulfillments"), ("PUT", "/orders/")] {
        for kind in [FaultKind::AnswerLost, FaultKind::Truncated, FaultKind::HtmlInstead, FaultKind::CutBefore] {
            let (rig, ids) = Rig::with_orders(&[1]);
            rig.fault(Fault::new(kind.clone()).on(method, part));
            let told = format!("{kind:?} at {method}");
            parcel(&rig, ids[0], "JD01").exits(0);
            all_due(&rig);
            rig.sync();
            assert_eq!(rig.server.faults().pending(), 0, "{told}");
            assert_told_once(&rig, ids[0], &told);
        }
    }
}

#[test]
fn d3_a_shop_that_fails_while_it_writes_is_asked_before_it_is_told_again() {
    for kind in
        [FaultKind::ServerError(500), FaultKind::ServerError(504), FaultKind::RateLimited(None), FaultKind::Firewall]
    {
        let (rig, ids) = Rig::with_orders(&[1]);
        rig.fault(Fault::new(kind.clone()).on("POST", "/fulfillments").times(2));
        parcel(&rig, ids[0], "JD01").exits(0);
        for _ in 0..3 {
            all_due(&rig);
            rig.home.run("sync").done();
        }
        assert_told_once(&rig, ids[0], &format!("{kind:?}"));
    }
}

#[test]
fn d3_a_row_whose_time_has_not_come_is_left_and_retry_does_not_wait() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/fulfillments"));
    parcel(&rig, ids[0], "JD01").exits(0);
    assert_eq!(outbox(&rig), ["unknown"]);
    rig.sync();
    assert_eq!(outbox(&rig), ["unknown"], "back-off");
    rig.home.run("retry").exits(0).prints("has arrived");
    assert_told_once(&rig, ids[0], "retried");
    rig.home.run("retry").exits(0).prints("nothing to try again");
}

#[test]
fn d4_what_the_shop_has_already_is_adopted_and_nothing_is_written() {
    let rig = Rig::with(Options { fulfillments: false, tracking: Tracking::On, ..Options::demo() });
    let id = rig.paid(1);
    rig.sync();
    rig.shop.complete_with_tracking(id, "DHL", "JD01");
    parcel(&rig, id, "JD01").exits(0).prints("the channel had it already; nothing was written");
    assert!(rig.writes().is_empty());
    assert_eq!((rig.status(id).as_str(), outbox(&rig)), ("shipped", vec!["confirmed".to_owned()]));
}

#[test]
fn d1_shipped_at_the_shop_by_other_means_stops_a_dispatch() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.shop.complete_with_tracking(ids[0], "UPS", "1Z9");
    parcel(&rig, ids[0], "JD01").exits(6).says("shipped").says("nothing was sent").says("ordersync accept book:1");
    assert!(rig.writes().is_empty() && outbox(&rig).is_empty());
    rig.home.run("accept 1").exits(0);
    assert_eq!(rig.status(ids[0]), "shipped");
}

#[test]
fn d1_a_changed_address_stops_a_dispatch_until_it_is_accepted() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.shop.edit_address(ids[0], |address| address.city = "Bremen".to_owned());
    let done = parcel(&rig, ids[0], "JD01").exits(6).says("address").says("Bremen").says("ordersync accept book:1");
    done.says("--as-local");
    assert_eq!((rig.writes().len(), outbox(&rig).len(), rig.status(ids[0]).as_str()), (0, 0, "awaiting-fulfillment"));
    rig.home.run("accept 1").exits(0);
    parcel(&rig, ids[0], "JD01").exits(0);
    assert_told_once(&rig, ids[0], "accepted");
}

#[test]
fn d1_as_local_goes_on_with_the_merchants_version() {
    let (rig, ids) = Rig::with_orders(&[1, 1]);
    rig.shop.edit_address(ids[0], |address| address.city = "Bremen".to_owned());
    parcel(&rig, ids[0], "JD01 --as-local").exits(0);
    rig.shop.edit_quantity(ids[1], 0, 5);
    parcel(&rig, ids[1], "JD02").exits(6).says("lines");
    parcel(&rig, ids[1], "JD02 --as-local").exits(0);
    ids.iter().for_each(|id| assert_told_once(&rig, *id, "as local"));
    assert_eq!(rig.show(ids[0])["changed_at_channel"], true, "the other version stays in sight");
}

#[test]
fn d1_a_cancelled_order_ships_by_force_only() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.shop.cancel(ids[0]);
    parcel(&rig, ids[0], "JD01").exits(6).says("cancelled").says("--as-local --force");
    parcel(&rig, ids[0], "JD01 --as-local").exits(6).says("cancelled");
    parcel(&rig, ids[0], "JD01 --force").exits(2).says("--as-local");
    assert!(rig.writes().is_empty());
    parcel(&rig, ids[0], "JD01 --as-local --force").exits(0);
    assert_told_once(&rig, ids[0], "forced");
}

#[test]
fn d1_an_order_that_is_gone_or_in_the_bin_is_not_dispatched() {
    let (rig, ids) = Rig::with_orders(&[1, 1]);
    rig.shop.trash(ids[0]);
    rig.shop.force_delete(ids[1]);
    parcel(&rig, ids[0], "JD01").exits(6).says("cancelled");
    parcel(&rig, ids[1], "JD02").exits(7).says("nothing was written");
    assert!(rig.writes().is_empty() && outbox(&rig).is_empty());
    parcel(&rig, ids[1], "JD02 --later").exits(0);
    rig.home.run("sync").exits(3).says("ordersync inbox");
    assert_eq!(outbox(&rig), ["failed"]);
}

#[test]
fn d1_an_order_that_cannot_be_read_at_the_shop_is_not_dispatched_unseen() {
    let (rig, ids) = Rig::with_orders(&[1]);
    let unreadable = FaultKind::WrongType(ordersync::sim::WrongType::TotalIsObject, Some(ids[0]));
    rig.fault(Fault::new(unreadable.clone()).on("GET", "/orders/").always());
    parcel(&rig, ids[0], "JD01").exits(1).says("could not be read").says("nothing was sent");
    parcel(&rig, ids[0], "JD01 --as-local").exits(1);
    rig.home.run("cancel 1").exits(1).says("could not be read");
    assert_eq!((outbox(&rig).len(), rig.status(ids[0]).as_str()), (0, "awaiting-fulfillment"));
    parcel(&rig, ids[0], "JD01 --later").exits(0);
    rig.home.run("sync").exits(0);
    assert!(rig.writes().is_empty(), "it waits");
    rig.plug_in();
    all_due(&rig);
    rig.sync();
    assert_told_once(&rig, ids[0], "readable again");
}

#[test]
fn d1_a_dispatch_recorded_for_later_is_checked_before_it_goes_out() {
    let (rig, ids) = Rig::with_orders(&[1]);
    parcel(&rig, ids[0], "JD01 --later").exits(0);
    rig.shop.edit_address(ids[0], |address| address.city = "Bremen".to_owned());
    rig.home.run("sync").exits(3).says("1 dispatch or cancellation did not go out").says("ordersync inbox");
    assert!(rig.writes().is_empty());
    assert_eq!((outbox(&rig), &rig.home.json("inbox")[0]["kind"]), (vec!["failed".to_owned()], &json!("rejected")));
    rig.home.run("accept 1").exits(0);
    rig.home.run("retry 1").exits(0).prints("has arrived");
    assert_told_once(&rig, ids[0], "accepted and retried");
    assert_eq!(rig.home.json("inbox"), json!([]));
}

#[test]
fn d5_a_part_of_an_order_then_the_rest() {
    let rig = Rig::new();
    let id = rig.shop.place_order(NewOrder::paid().line("TEE-001", 3).line("MUG-9", 1));
    rig.sync();
    parcel(&rig, id, "JD01 --item TEE-001=2").exits(0).without("completed");
    assert_eq!((rig.status(id).as_str(), rig.shop.status(id).as_deref()), ("partially-shipped", Some("processing")));
    let left = rig.show(id)["lines"].as_array().unwrap().iter().map(|l| l["left"].clone()).collect::<Vec<_>>();
    assert_eq!(left, ["1", "1"]);
    parcel(&rig, id, "JD02 --item TEE-001=2").exits(6).says("only 1 of TEE-001 left");
    parcel(&rig, id, "JD02 --item NOPE=1").exits(7).says("TEE-001, MUG-9");
    parcel(&rig, id, "JD02 --item TEE-001").exits(2).says("SKU=QTY");
    parcel(&rig, id, "JD02 --item #2=1").exits(0);
    parcel(&rig, id, "JD03").exits(0);
    assert_eq!((rig.status(id).as_str(), rig.shop.status(id).as_deref()), ("shipped", Some("completed")));
    let mails = rig.shop.mails(id);
    assert_eq!((rig.shop.fulfillments(id).len(), mails.fulfillment, mails.completed), (3, 3, 1));
    let quantity = |nth| fulfilled(&rig, id, nth, "_items")[0]["qty"].clone();
    assert_eq!([quantity(0), quantity(1), quantity(2)], [2, 1, 1]);
    parcel(&rig, id, "JD04").exits(6).says("nothing left to ship");
}

/// Two parts in one box, or in two boxes under one number: each is a fulfilment of its own.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn d3_d5_two_parts_under_one_number_are_both_told_whatever_happens_to_the_first() {
    for point in ["", "before-write", "after-write", "after-sent", "before-confirm"] {
        let (rig, ids) = Rig::with_orders(&[3]);
        let first = parcel(&rig, ids[0], "JD01 --item TEE-001=1");
        if point.is_empty() {
            drop(first.exits(0))
        } else {
            first.dies_at(point)
        }
        parcel(&rig, ids[0], "JD01 --item TEE-001=1 --again").exits(0);
        let told = (rig.shop.fulfillments(ids[0]).len(), rig.shop.mails(ids[0]).fulfillment);
        assert_eq!((told, outbox(&rig)), ((2, 2), vec!["confirmed".to_owned(); 2]), "{point}");
    }
}

#[test]
fn what_is_dispatched_stays_so_when_a_newer_version_is_accepted() {
    let (rig, ids) = Rig::with_orders(&[3]);
    parcel(&rig, ids[0], "JD01 --item TEE-001=2").exits(0);
    rig.shop.edit_address(ids[0], |address| address.city = "Bremen".to_owned());
    rig.sync();
    rig.home.run("accept 1").exits(0);
    assert_eq!(
        (rig.status(ids[0]).as_str(), &rig.show(ids[0])["lines"][0]["left"]),
        ("partially-shipped", &json!("1"))
    );
    parcel(&rig, ids[0], "JD02 --later").exits(0);
    rig.shop.edit_quantity(ids[0], 0, 4);
    rig.home.run("sync").exits(3);
    rig.home.run("accept 1").exits(0);
    assert_eq!(rig.status(ids[0]), "partially-shipped", "a fourth piece is still to be sent");
}

#[test]
fn d5_a_shop_that_cannot_take_a_part_refuses_before_anything_is_recorded() {
    let rig = Rig::with(Options { fulfillments: false, ..Options::demo() });
    let id = rig.paid(3);
    rig.sync();
    parcel(&rig, id, "JD01 --item TEE-001=1").exits(1).says("nothing was recorded or sent").says("hint: ");
    assert!(rig.writes().is_empty() && outbox(&rig).is_empty());
}

#[test]
fn d5_several_parcels_reach_every_home_of_tracking_numbers() {
    let parcels = "--carrier dhl --tracking JD01 --carrier ups --tracking 1Z2";
    let (rig, ids) = Rig::with_orders(&[1]);
    dispatch(&rig, ids[0], parcels).exits(0);
    assert_eq!(fulfilled(&rig, ids[0], 0, "_tracking_number"), "JD01, 1Z2");
    for tracking in [Tracking::On, Tracking::OnlyV2] {
        let rig = Rig::with(Options { fulfillments: false, tracking, ..Options::demo() });
        let id = rig.paid(1);
        rig.sync();
        rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/shipment-trackings"));
        dispatch(&rig, id, parcels).exits(0);
        rig.home.run("retry").exits(0);
        let numbers: Vec<Value> = rig.shop.trackings(id).iter().map(|t| t["tracking_number"].clone()).collect();
        assert_eq!(numbers, ["JD01", "1Z2"]);
        assert_eq!((rig.shop.mails(id).completed, rig.status(id).as_str()), (1, "shipped"));
    }
    let rig = Rig::with(Options { fulfillments: false, ..Options::demo() });
    let id = rig.paid(1);
    rig.sync();
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/notes"));
    dispatch(&rig, id, parcels).exits(0);
    rig.home.run("retry").exits(0);
    let notes: Vec<String> = rig.shop.notes(id).iter().map(|note| note["note"].to_string()).collect();
    let with_both = notes.iter().filter(|note| note.contains("JD01") && note.contains("1Z2")).count();
    assert_eq!((with_both, rig.shop.mails(id).note, rig.status(id).as_str()), (1, 1, "shipped"), "{notes:?}");
}

#[test]
fn d3_a_number_is_recognised_in_a_note_however_it_is_written_and_however_the_shop_shows_it() {
    let numbers = ["RR 123 456 789 DE", "A_1/2.3#4", "12x34--56", "jd-01 & 'co'", "1Z...9"];
    for pretty_notes in [false, true] {
        let rig = Rig::with(Options { fulfillments: false, pretty_notes, ..Options::demo() });
        for number in numbers {
            let id = rig.paid(1);
            rig.sync();
            let order = format!("woocommerce:{id}");
            let shipped = ["dispatch", &order, "--carrier", "dhl", "--tracking", number];
            rig.home.call(&shipped).exits(0).prints("confirmed by the channel");
            all_due(&rig);
            rig.sync();
            assert_eq!((rig.shop.mails(id).note, rig.shop.mails(id).completed), (1, 1), "{number} {pretty_notes}");
        }
        assert!(outbox(&rig).iter().all(|state| state == "confirmed"), "{:?}", outbox(&rig));
    }
}

#[test]
fn d4_a_note_to_the_staff_has_not_told_the_buyer_and_another_number_is_not_this_one() {
    let rig = Rig::with(Options { fulfillments: false, ..Options::demo() });
    let id = rig.paid(1);
    rig.sync();
    rig.shop.add_note(id, "label JD01 printed, give it to the driver", false);
    rig.shop.add_note(id, "Your other parcel JD 01 22 is on its way.", true);
    parcel(&rig, id, "JD01").exits(0);
    assert_eq!(rig.shop.mails(id).note, 2, "the shop's own and ours");
    let quiet = rig.paid(1);
    rig.sync();
    parcel(&rig, quiet, "JD02 --no-notify").exits(0);
    assert_eq!((rig.shop.mails(quiet).note, outbox(&rig)), (0, vec!["confirmed".to_owned(); 2]));
}

#[test]
fn d5_parcels_of_different_carriers_are_fulfilments_of_their_own() {
    let parcels = "--carrier dhl --tracking JD01 --carrier ups --tracking 1Z2 --carrier dhl --tracking JD03";
    let (rig, ids) = Rig::with_orders(&[3, 1]);
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/fulfillments"));
    dispatch(&rig, ids[0], parcels).exits(0);
    rig.home.run("retry").exits(0);
    let told = |nth, key| fulfilled(&rig, ids[0], nth, key);
    assert_eq!([told(0, "_tracking_number"), told(1, "_tracking_number")], ["JD01, JD03", "1Z2"]);
    let carriers = [told(0, "_shipment_provider"), told(1, "_shipment_provider")];
    assert!(carriers[1] == "ups" && carriers[0] != carriers[1], "{carriers:?}");
    assert_eq!([&told(0, "_items")[0]["qty"], &told(1, "_items")[0]["qty"]], [&json!(1), &json!(2)]);
    assert_eq!((rig.shop.fulfillments(ids[0]).len(), rig.shop.mails(ids[0]).fulfillment), (2, 2));
    assert_eq!((rig.status(ids[0]).as_str(), outbox(&rig)), ("shipped", vec!["confirmed".to_owned()]));

    dispatch(&rig, ids[1], parcels).exits(0);
    let told = |key| fulfilled(&rig, ids[1], 0, key);
    assert_eq!((told("_tracking_number"), told("_shipment_provider")), (json!("JD01, 1Z2, JD03"), Value::Null));
}

#[test]
fn d4_a_number_that_the_shop_has_told_in_another_place_is_not_told_again() {
    let has_both = || Options { tracking: Tracking::On, ..Options::demo() };
    for home in ["fulfillments", "shipment-tracking", "note"] {
        let rig = Rig::with(has_both());
        rig.home.run(&format!("config set woocommerce.tracking {home}")).exits(0);
        let told: [(&str, &dyn Fn(u64)); 3] = [
            ("plugin", &|id| assert!(rig.shop.complete_with_tracking(id, "DHL", "JD 01"))),
            ("fulfilment", &|id| assert!(rig.shop.fulfill(id, &[(rig.shop.item_ids(id)[0], 1)], "dhl", "JD-01"))),
            ("note", &|id| assert!(rig.shop.add_note(id, "On its way with DHL, JD01.", true) > 0)),
        ];
        for (place, tell) in told {
            let id = rig.paid(1);
            rig.sync();
            tell(id);
            let mails = rig.shop.mails(id);
            parcel(&rig, id, "JD01 --as-local").exits(0);
            let after = rig.shop.mails(id);
            assert_eq!((after.fulfillment, after.note), (mails.fulfillment, mails.note), "{home} {place}");
            let posts = rig.writes().iter().filter(|write| write.method == "POST").count();
            assert_eq!(posts, 0, "{home} {place}");
            assert_eq!(after.completed, 1, "{home} {place}");
        }
        assert!(outbox(&rig).iter().all(|state| state == "confirmed"), "{home}: {:?}", outbox(&rig));
    }
}

#[test]
fn d3_what_the_shop_took_and_does_not_show_is_looked_for_and_never_written_again() {
    let shops = [
        ("/fulfillments", Options::demo()),
        ("/shipment-trackings", Options { fulfillments: false, tracking: Tracking::On, ..Options::demo() }),
        ("/notes", Options { fulfillments: false, ..Options::demo() }),
    ];
    for (list, options) in shops {
        let rig = Rig::with(options);
        let id = rig.paid(1);
        rig.sync();
        rig.fault(Fault::new(FaultKind::Frozen).on("GET", list).always());
        parcel(&rig, id, "JD01").exits(0);
        for _ in 0..2 {
            all_due(&rig);
            rig.home.run("sync").done();
        }
        let told = || (rig.shop.fulfillments(id).len() + rig.shop.trackings(id).len(), rig.shop.mails(id));
        let (entries, mails) = told();
        let once = usize::from(list != "/notes");
        assert_eq!(
            (entries, mails.dispatch_mails() - mails.completed),
            (once, u32::from(list != "/shipment-trackings")),
            "{list}"
        );
        assert_eq!(outbox(&rig), ["sent"], "{list}");
        rig.plug_in();
        rig.home.run("retry").exits(0);
        assert_eq!((told(), outbox(&rig)), ((entries, mails), vec!["confirmed".to_owned()]), "{list}");
    }
}

#[test]
fn d3_a_fulfilment_of_which_the_shop_forgets_the_number_is_made_once() {
    let rig = Rig::with(Options { forgets_entries: true, ..Options::demo() });
    let id = rig.paid(2);
    rig.sync();
    dispatch(&rig, id, "--carrier dhl --tracking JD01 --carrier ups --tracking 1Z2").exits(0);
    assert_eq!((rig.shop.fulfillments(id).len(), rig.shop.mails(id).fulfillment), (2, 2));
    assert_eq!((rig.status(id).as_str(), outbox(&rig)), ("shipped", vec!["confirmed".to_owned()]));
}

#[test]
fn a_fulfilment_that_is_deleted_at_the_shop_is_left_again_after_accept_whatever_the_order_says() {
    let (rig, ids) = Rig::with_orders(&[3, 2]);
    parcel(&rig, ids[0], "JD01 --item TEE-001=1").exits(0);
    parcel(&rig, ids[0], "JD02").exits(0);
    assert!(rig.shop.delete_fulfillment(ids[0], 1));
    parcel(&rig, ids[1], "JD01").exits(0);
    assert!(rig.shop.delete_fulfillment(ids[1], 0));
    assert_eq!(rig.shop.status(ids[1]).as_deref(), Some("completed"), "a shop leaves the status as it is");
    rig.sync();
    for (id, left, status) in [(ids[0], "2", "partially-shipped"), (ids[1], "2", "awaiting-fulfillment")] {
        assert_eq!(rig.show(id)["changed_at_channel"], true, "{id}");
        rig.home.run(&format!("accept woocommerce:{id}")).exits(0);
        assert_eq!((&rig.show(id)["lines"][0]["left"], rig.status(id).as_str()), (&json!(left), status), "{id}");
        parcel(&rig, id, "JD03").exits(0);
        assert_eq!(
            (
                rig.status(id).as_str(),
                fulfilled(&rig, id, rig.shop.fulfillments(id).len() - 1, "_items")[0]["qty"].clone()
            ),
            ("shipped", json!(2))
        );
    }
}

#[test]
fn a_shop_can_be_told_the_status_only() {
    let rig = Rig::new();
    let id = rig.paid(1);
    rig.home.run("config set woocommerce.tracking none").exits(0);
    rig.home.run("config set woocommerce.tracking everywhere").exits(2);
    rig.sync();
    parcel(&rig, id, "JD01").exits(0);
    assert_eq!((rig.shop.fulfillments(id).len(), rig.shop.status(id).as_deref()), (0, Some("completed")));
}

#[test]
fn no_notify_keeps_the_fulfilment_quiet() {
    let (rig, ids) = Rig::with_orders(&[2]);
    parcel(&rig, ids[0], "JD01 --no-notify --item TEE-001=1").exits(0);
    assert_eq!(rig.shop.mails(ids[0]).dispatch_mails(), 0);
}

#[test]
fn an_order_of_downloads_and_one_without_tracking_can_be_dispatched() {
    let rig = Rig::new();
    let voucher = rig.shop.place_order(NewOrder::paid().only_virtual());
    let plain = rig.paid(1);
    rig.sync();
    dispatch(&rig, voucher, "").exits(0);
    dispatch(&rig, plain, "").exits(0);
    for id in [voucher, plain] {
        assert_eq!((rig.status(id).as_str(), rig.shop.status(id).as_deref()), ("shipped", Some("completed")));
    }
}

#[test]
fn an_order_that_is_not_to_be_shipped_is_refused_before_the_shop_is_asked() {
    let rig = Rig::new();
    let unpaid = rig.shop.place_order(NewOrder::paid().unpaid());
    let cancelled = rig.shop.place_order(NewOrder::paid().status("cancelled"));
    rig.sync();
    rig.server.clear_requests();
    parcel(&rig, unpaid, "JD01").exits(6).says("not paid yet").says("--unpaid");
    parcel(&rig, unpaid, "JD01 --as-local").exits(6).says("--unpaid");
    parcel(&rig, cancelled, "JD01").exits(6).says("is cancelled").says("--as-local --force");
    assert!(rig.writes().is_empty());
}

#[test]
fn c2_a_slip_on_the_command_line_is_named_and_nothing_is_recorded() {
    let (rig, ids) = Rig::with_orders(&[1]);
    dispatch(&rig, ids[0], "--carrier dhl").exits(2).says("--tracking");
    dispatch(&rig, ids[0], "--carrier dhl --carrier ups --carrier gls --tracking a --tracking b").exits(2);
    rig.home.call(&["dispatch", "1", "--tracking", "JD\u{1b}[2J"]).exits(2).without("\u{1b}");
    rig.home.run("dispatch").exits(2);
    rig.home.run("dispatch 99").exits(7).says("99");
    assert!(rig.writes().is_empty() && outbox(&rig).is_empty());
}

#[test]
fn d6_a_carrier_of_any_name_is_sent_and_known_ones_by_the_shops_code() {
    let (rig, ids) = Rig::with_orders(&[1, 1]);
    dispatch(&rig, ids[0], "--carrier royalmail --tracking RM1").exits(0);
    dispatch(&rig, ids[1], "--carrier Brieftaube --tracking B1").exits(0);
    assert_eq!(fulfilled(&rig, ids[0], 0, "_shipment_provider"), "royal-mail");
    assert!(fulfilled(&rig, ids[0], 0, "_tracking_url").as_str().unwrap().contains("RM1"));
    assert_eq!(fulfilled(&rig, ids[1], 0, "_shipment_provider"), "Brieftaube");
    rig.home.run("carriers").exits(0).prints("royal-mail").prints("usps");
}

#[test]
fn a_dry_run_prints_the_writes_and_makes_none() {
    let (rig, ids) = Rig::with_orders(&[1]);
    parcel(&rig, ids[0], "JD01 --dry-run").exits(0).prints("add a fulfilment").prints("nothing was written");
    assert_eq!((rig.writes().len(), outbox(&rig).len(), rig.status(ids[0]).as_str()), (0, 0, "awaiting-fulfillment"));
}

#[test]
fn what_has_not_gone_out_can_be_taken_back() {
    let (rig, ids) = Rig::with_orders(&[1]);
    parcel(&rig, ids[0], "JD01 --later").exits(0);
    let row = rig.home.json("outbox")[0]["row"].as_str().unwrap().to_owned();
    rig.home.run(&format!("outbox --withdraw {row}")).exits(0);
    rig.sync();
    assert_eq!((rig.writes().len(), rig.status(ids[0]).as_str()), (0, "awaiting-fulfillment"));
    parcel(&rig, ids[0], "JD02").exits(0);
    rig.home.run("outbox --withdraw 2").exits(6).says("may have reached the channel");
}

#[test]
fn f2_a_dispatch_beside_a_running_export_is_recorded_and_taken_along() {
    let (rig, ids) = Rig::with_orders(&[1]);
    let clock = SystemClock::new(Arc::new(AtomicBool::new(false)));
    let held = Lock::take(&rig.home.path().join("locks"), "woocommerce", Work::Export, Duration::ZERO, &clock).unwrap();
    parcel(&rig, ids[0], "JD01").exits(0).prints("takes it along");
    assert_eq!(outbox(&rig), ["queued"]);
    drop(held);
    rig.sync();
    assert_told_once(&rig, ids[0], "taken along");
}

#[test]
fn two_dispatches_at_once_tell_the_buyer_once() {
    let (rig, ids) = Rig::with_orders(&[1]);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(|| parcel(&rig, ids[0], "JD01").done().code)).collect();
        let mut codes: Vec<_> = all.into_iter().map(|thread| thread.join().unwrap()).collect();
        codes.sort_unstable();
        assert_eq!(codes, [Some(0); 4], "all say the same");
    });
    assert_told_once(&rig, ids[0], "four at once");
}

#[test]
fn d7_an_old_unconfirmed_dispatch_is_told_of_by_its_age() {
    let (rig, ids) = Rig::with_orders(&[1]);
    parcel(&rig, ids[0], "JD01 --later").exits(0);
    let told = |minutes: i64| {
        rig.home.sql(&format!(
            "UPDATE outbox SET queued_at = {}",
            (chrono::Utc::now() - chrono::TimeDelta::minutes(minutes)).timestamp_millis()
        ));
        rig.home.run("status --check").done()
    };
    assert_eq!(told(20).without("dispatch is not confirmed").code, Some(0));
    assert_eq!(told(45).prints("allow up to an hour and a half").code, Some(0));
    assert_eq!(told(120).prints("ordersync doctor --bundle").code, Some(3));
}

/// A CSV file of dispatches.
fn csv<'a>(rig: &'a Rig, text: &str) -> Call<'a> {
    let file = rig.home.file("parcels.csv", text);
    rig.home.run(&format!("dispatch --by book --from {file}"))
}

#[test]
fn many_orders_are_dispatched_from_a_file() {
    let (rig, ids) = Rig::with_orders(&[1, 3, 1]);
    let text = format!(
        "order,carrier,tracking,sku,quantity\n{0},dhl,JD01,,\nwoocommerce:{1},ups,1Z1,TEE-001,1\nwoocommerce:{1},ups,1Z2,TEE-001,2\nwoocommerce:{2},gls,G1,,\n",
        1, ids[1], ids[2]
    );
    csv(&rig, &text).exits(0).prints("order 1").prints("order 2").prints("order 3");
    ids.iter().for_each(|id| assert_told_once(&rig, *id, "from a file"));
    assert_eq!(fulfilled(&rig, ids[1], 0, "_tracking_number"), "1Z1, 1Z2");
}

#[test]
fn an_order_of_which_too_little_is_left_costs_one_row() {
    let (rig, ids) = Rig::with_orders(&[1, 1, 1]);
    let text = format!(
        "order,carrier,tracking,sku,quantity\n1,dhl,JD01,,\n2,dhl,JD03,TEE-001,7\nwoocommerce:{},dhl,JD05,,\n",
        ids[2]
    );
    let rows = csv(&rig, &text).arg("--json").exits(3).json();
    let states: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["confirmed", "not-recorded", "confirmed"]);
    assert_eq!(rows[1]["error"]["kind"], "refused");
    assert_eq!(rig.status(ids[1]), "awaiting-fulfillment");
    csv(&rig, "order,tracking\n88,JD\n").exits(7).says("order 88");
}

#[test]
fn a_file_from_a_spreadsheet_is_read_and_one_that_is_none_is_refused_as_a_whole() {
    let (rig, ids) = Rig::with_orders(&[1, 1]);
    csv(&rig, "\u{feff}order;carrier;tracking\r\n1;dhl; JD01 \r\n").exits(0);
    assert_told_once(&rig, ids[0], "semicolons");
    let before = rig.writes().len();
    for (text, says) in [
        ("", "no row"),
        ("carrier,tracking\ndhl,JD02\n", "order"),
        ("order,tracking\n2,JD02\n,JD03\n", "row 3 names no order"),
        ("order,tracking\n2,JD02\n1,JD03\n2,JD04\n", "put its rows together"),
        ("order,tracking\n2,JD02,too,many\n", "nothing was dispatched"),
    ] {
        csv(&rig, text).exits(2).says(says);
    }
    rig.home.run("dispatch --from nowhere.csv").exits(2);
    assert_eq!((rig.writes().len(), rig.status(ids[1]).as_str()), (before, "awaiting-fulfillment"));
    rig.home.run("dispatch --by book --from -").stdin("order,carrier,tracking\n2,dhl,JD02\n").exits(0);
    assert_told_once(&rig, ids[1], "standard input");
}

#[cfg(unix)]
#[test]
fn an_interrupted_look_says_that_nothing_is_recorded() {
    let (rig, ids) = Rig::with_orders(&[1]);
    for command in ["dispatch", "cancel"] {
        rig.fault(Fault::new(FaultKind::Slow(Duration::from_secs(6))));
        let child = rig.home.spawn(&format!("{command} woocommerce:{}", ids[0]), &[]);
        until("the look", || rig.server.faults().pending() == 0);
        let pid = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(130) && said.contains("nothing was recorded or sent"), "{command}: {said}");
        assert!(outbox(&rig).is_empty() && rig.writes().is_empty(), "{command}");
    }
}

/// Two orders, each called by the other's number: 2 and 3 at the shop are 1 and 2 in the book.
fn crossed() -> (Rig, Vec<u64>) {
    let rig = Rig::with(Options { first_id: 2, ..Options::demo() });
    let ids = vec![rig.paid(1), rig.paid(1)];
    rig.sync();
    rig.server.clear_requests();
    (rig, ids)
}

#[test]
fn a_number_that_could_mean_two_orders_is_refused_by_every_command() {
    let (rig, ids) = crossed();
    assert_eq!(ids, [2, 3]);
    for command in ["dispatch 2 --carrier ups --tracking 1Z", "cancel 2", "accept 2", "show 2", "pull 2", "retry 2"] {
        rig.home.run(command).exits(2).says("book:1 (woocommerce:2)").says("book:2 (woocommerce:3)");
    }
    assert!(rig.writes().is_empty() && outbox(&rig).is_empty());
    dispatch(&rig, 2, "--carrier ups --tracking 1Z01 --dry-run").exits(0).prints("order 1 ");
    rig.home.run("dispatch book:2 --carrier ups --tracking 1Z02 --dry-run").exits(0).prints("order 2 ");
    rig.home.run("dispatch #2 --carrier ups --tracking 1Z01").exits(0).prints("order 1 ");
    rig.home.run("dispatch 2 --by book --carrier ups --tracking 1Z02").exits(0).prints("order 2 ");
    ids.iter().for_each(|id| assert_told_once(&rig, *id, "each once"));
}

#[test]
fn a_file_from_outside_holds_the_channels_numbers() {
    let (rig, _) = crossed();
    let file = rig.home.file("parcels.csv", "order,carrier,tracking\n2,ups,1Z02\n");
    rig.home.run(&format!("dispatch --from {file} --dry-run")).exits(0).prints("order 1 ");
    rig.home.run(&format!("dispatch --from {file} --by book --dry-run")).exits(0).prints("order 2 ");
    let file = rig.home.file("parcels.csv", "order,carrier,tracking\n1,ups,1Z01\n");
    rig.home.run(&format!("dispatch --from {file}")).exits(7).says("--by book");
}

#[test]
fn d1_what_went_out_in_part_without_its_pieces_being_told_is_not_sent_whole_again() {
    let (rig, ids) = Rig::with_orders(&[3, 3]);
    // As Advanced Shipment Tracking leaves it: a number, and no word of what is in the parcel.
    let parcel = json!([{ "tracking_provider": "dhl", "tracking_number": "00340434161094000146",
        "date_shipped": "1795000000", "tracking_id": "a2" }]);
    assert!(rig.shop.set_meta(ids[0], "_wc_shipment_tracking_items", parcel));
    for id in &ids {
        assert!(rig.shop.set_status(*id, "partial-shipped"), "{id}");
        rig.home.run(&format!("accept woocommerce:{id}")).exits(0);
        assert_eq!(rig.status(*id), "partially-shipped");
        let dispatch = format!("dispatch woocommerce:{id} --carrier ups --tracking 1Z999AA1012345678{}", id % 10);
        for more in ["", "--dry-run", "--later", "--as-local", "--item TEE-001=2"] {
            let told = rig.home.run(&format!("{dispatch} {more}")).exits(6);
            told.says("does not tell which pieces")
                .says("nothing was recorded or sent")
                .says("--item")
                .says("--as-local");
        }
        assert_eq!((rig.writes().len(), rig.home.json("outbox").as_array().unwrap().len()), (0, 0));
        rig.home.run(&format!("{dispatch} --item TEE-001=2 --as-local")).exits(0);
        assert_eq!(rig.show(*id)["lines"][0]["left"], "1");
        rig.server.clear_requests();
    }
}
