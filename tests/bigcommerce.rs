//! BigCommerce: what is written, by the real program over real HTTP.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use ordersync::sim::bigcommerce::{NewOrder, Options, Scope};
use ordersync::sim::{Fault, FaultKind};
use serde_json::json;
use support::big::Rig;
use support::program::{EXPORT, dies};

#[test]
fn a_dispatch_to_several_addresses_is_one_shipment_for_each() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::paid().line("TEE-001", 2).line_elsewhere("MUG-9", 1).line_elsewhere("BOOK-7", 3));
    let places = rig.shop.order(id).unwrap().places;
    rig.on("dispatch", id, "--carrier dhl --tracking JD01 --carrier ups --tracking 1Z02").exits(0);
    let shipments = rig.shop.order(id).unwrap().shipments;
    let sent: Vec<(u64, &str, u64)> = shipments
        .iter()
        .map(|s| (s.place, s.tracking[0].number.as_str(), s.items.iter().map(|(_, pieces)| pieces).sum()))
        .collect();
    assert_eq!(sent, [(places[0].id, "JD01", 2), (places[1].id, "1Z02", 4)]);
    assert_eq!((rig.shop.status(id), rig.status(id).as_str(), rig.mails(id)), (Some(2), "shipped", 2));
    rig.sync();
    rig.assert_settled("after its own echo");
}

#[test]
fn what_goes_to_which_of_several_addresses_is_shown() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::paid().line("TEE-001", 2).line_elsewhere("MUG-9", 1));
    let shown = rig.home.json(&format!("show bigcommerce:{id}"));
    let places: Vec<_> = shown["lines"].as_array().unwrap().iter().map(|line| line["ship_to"].clone()).collect();
    assert_eq!((places, shown["ship_to"].as_array().unwrap().len()), (vec![json!(0), json!(1)], 2), "{shown}");
    let screen = rig.home.run(&format!("show bigcommerce:{id}")).exits(0).prints("ship to 1: ").prints("ship to 2: ");
    let mug = screen.stdout.lines().find(|line| line.contains("MUG-9")).unwrap();
    assert!(mug.split_whitespace().take(4).eq(["#2", "1", "1", "2"]), "{mug}");
    let single = rig.order(&NewOrder::paid().line("TEE-001", 2));
    rig.home.run(&format!("show bigcommerce:{single}")).exits(0).prints("ship to ").without("ship to 1:");
}

#[test]
fn d5_too_few_tracking_numbers_for_the_addresses_are_refused_before_anything_is_sent() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::paid().line("TEE-001", 2).line_elsewhere("MUG-9", 1));
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6).says("2 addresses").says("--item");
    assert!(rig.writes().is_empty());
    rig.on("dispatch", id, "--item TEE-001=2 --carrier dhl --tracking JD01").exits(0);
    rig.on("dispatch", id, "--carrier dhl --tracking JD02").exits(0);
    assert_eq!((rig.tracking(id), rig.shop.status(id)), (vec!["JD01".to_owned(), "JD02".to_owned()], Some(2)));
}

#[test]
fn d5_one_of_several_addresses_readdressed_stops_the_dispatch() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::paid().line("TEE-001", 2).line_elsewhere("MUG-9", 1));
    rig.shop.edit(id, |details| details.places[1].address.street_1 = "99 New Road".to_owned());
    rig.on("dispatch", id, "--carrier dhl --tracking JD01 --carrier dhl --tracking JD02").exits(6).says("address");
    assert!(rig.writes().is_empty());
}

#[test]
fn where_a_shipment_does_not_move_the_status_it_is_set() {
    let rig = Rig::with(Options { moves_status: false, ..Options::rehearsal() });
    let id = rig.order(&NewOrder::paid().line("TEE-001", 1));
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
    assert_eq!((rig.shop.status(id), rig.tracking(id).len(), rig.status(id).as_str()), (Some(2), 1, "shipped"));
    rig.sync();
    rig.assert_settled("after the status was set");
}

#[test]
fn d3_of_several_addresses_only_the_missing_shipment_is_made() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::paid().line("TEE-001", 2).line_elsewhere("MUG-9", 1));
    rig.fault(Fault::new(FaultKind::CutBefore).on("POST", "/shipments").after(1).times(20));
    rig.on("dispatch", id, "--carrier dhl --tracking JD01 --carrier dhl --tracking JD02").done();
    assert_eq!(rig.tracking(id), ["JD01"], "the first one went through");
    rig.server.faults().clear();
    rig.home.run("retry").done();
    rig.sync();
    assert_eq!((rig.tracking(id), rig.mails(id)), (vec!["JD01".to_owned(), "JD02".to_owned()], 2));
    rig.assert_settled("after the second came through");
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_dispatch_to_two_addresses_killed_at_every_point_tells_each_buyer_once() {
    let rig = Rig::new();
    for point in EXPORT {
        for nth in 1.. {
            let id = rig.order(&NewOrder::paid().line("TEE-001", 1).line_elsewhere("MUG-9", 1));
            let words =
                format!("dispatch bigcommerce:{id} --carrier dhl --tracking A{id} --carrier dhl --tracking B{id}");
            let died = dies(&rig.home, &words, point, nth);
            if died {
                dies(&rig.home, "sync", point, 1);
            }
            rig.sync();
            let place = format!("{point}:{nth}");
            assert_eq!(rig.tracking(id), [format!("A{id}"), format!("B{id}")], "{place}");
            assert_eq!(
                (rig.mails(id), rig.shop.status(id), rig.status(id).as_str()),
                (2, Some(2), "shipped"),
                "{place}"
            );
            rig.assert_settled(&place);
            if !died {
                assert!(nth > 1, "{point} is passed");
                break;
            }
        }
    }
}

#[test]
fn d5_a_tracking_number_is_replaced_in_place_and_its_old_link_goes() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::paid().line("TEE-001", 1));
    rig.on("dispatch", id, "--carrier pigeon-post --tracking P1").exits(0);
    let old = rig.shop.order(id).unwrap().shipments[0].clone();
    assert_eq!((old.tracking[0].carrier.as_str(), old.method.as_str()), ("", "pigeon-post"));
    rig.on("dispatch", id, "--replaces P1 --carrier ups --tracking 1Z02").exits(0);
    let new = rig.shop.order(id).unwrap().shipments[0].clone();
    assert_eq!((new.id, new.tracking[0].number.as_str(), new.tracking[0].carrier.as_str()), (old.id, "1Z02", "ups"));
    assert_eq!((new.tracking[0].link.as_str(), &new.comments, new.items), ("", &old.comments, old.items));
    let puts: Vec<_> = rig.writes().into_iter().filter(|write| write.method == "PUT").collect();
    assert!(puts.iter().all(|put| put.json().get("items").is_none()), "items cannot be changed");
}

#[test]
fn d8_a_reason_is_appended_to_the_staff_notes_and_nothing_else_is_sent() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::paid().line("TEE-001", 1).staff_notes("Called twice"));
    rig.on("cancel", id, "--reason sold-out").exits(0);
    let notes = rig.shop.order(id).unwrap().staff_notes;
    assert_eq!((rig.shop.status(id), notes.as_str()), (Some(5), "Called twice\nCancelled: sold-out"));
    let members =
        |write: &ordersync::sim::Exchange| write.json().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(
        rig.writes().iter().all(|write| members(write) == ["staff_notes", "status_id"]),
        "only what changes is sent"
    );
}

#[test]
fn p12_what_needs_no_parcel_is_completed_by_its_status() {
    let rig = Rig::new();
    let picked_up = rig.order(&NewOrder::paid().status("8").line("TEE-001", 2));
    let digital = rig.order(&NewOrder::paid().line("VOUCHER-25", 1));
    for id in [picked_up, digital] {
        rig.on("dispatch", id, "").exits(0);
        assert_eq!((rig.shop.status(id), rig.shop.order(id).unwrap().shipments.len()), (Some(10), 0));
    }
}

#[test]
fn incomplete_orders_are_never_shipped_and_become_real_under_the_same_id() {
    let rig = Rig::new();
    for status in [0, 1] {
        let id = rig.order(&NewOrder::paid().status(&status.to_string()).line("TEE-001", 1));
        assert_eq!(rig.status(id), "awaiting-payment");
        assert_eq!(rig.home.json("orders --status awaiting-fulfillment"), json!([]));
        rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6);
        assert!(rig.writes().is_empty());
        rig.shop.set_status(id, 11);
        rig.sync();
        assert_eq!(rig.status(id), "awaiting-fulfillment");
        rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
    }
    rig.assert_settled("both are real");
}

#[test]
fn a_token_without_the_scope_to_modify_says_which_one_is_missing() {
    let rig = Rig::with(Options { orders: Scope::ReadOnly, information: false, ..Options::rehearsal() });
    let id = rig.order(&NewOrder::paid().line("TEE-001", 1));
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(4).says("Orders: modify").says("reauth");
    assert_eq!(rig.tracking(id).len(), 0);
    rig.shop.options().orders = Scope::Modify;
    rig.home.run("retry").done();
    rig.sync();
    assert_eq!(rig.tracking(id), ["JD01"]);
}

#[test]
fn the_calls_that_would_ruin_a_store_are_never_sent() {
    let rig = Rig::new();
    let shipped = rig.order(&NewOrder::paid().line("TEE-001", 2).line_elsewhere("MUG-9", 1).coupon());
    let cancelled = rig.order(&NewOrder::paid().line("BOOK-7", 1).coupon());
    rig.on("dispatch", shipped, "--carrier dhl --tracking JD01 --carrier dhl --tracking JD02").exits(0);
    rig.on("dispatch", shipped, "--replaces JD01 --carrier ups --tracking 1Z01").exits(0);
    rig.on("cancel", cancelled, "--reason stock").exits(0);
    rig.sync();
    for write in rig.server.requests().iter().filter(|request| request.is_write()) {
        assert!(matches!(write.method.as_str(), "POST" | "PUT"), "{} {}", write.method, write.path);
        let body = write.json();
        for member in ["products", "fees", "consignments", "billing_address"] {
            assert!(body.get(member).is_none(), "{}: {body}", write.path);
        }
    }
    assert_eq!(rig.shop.archived(), 0);
    assert!(
        rig.shop.order(cancelled).unwrap().lines[0].discount > rust_decimal::Decimal::ZERO,
        "its discount is still there"
    );
}
