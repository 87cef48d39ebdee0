//! What lets nothing go out: the order as the channel has it is held against what the merchant
//! knows.

use std::time::Duration;

use ordersync::sim::{Fault, FaultKind, Purchase};
use serde_json::json;

use super::desk::{Desk, each, struck, writes_of_a_dispatch};
use super::support::program::Home;

#[test]
fn d1_an_order_cancelled_at_the_channel_is_not_shipped() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.cancel(&id));
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6).says("cancelled");
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --as-local").exits(6);
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
    });
}

#[test]
fn d1_a_line_that_is_gone_at_the_channel_is_told_as_a_change_and_the_rest_ships_once_it_is_accepted() {
    each(|desk| {
        let number = "--carrier dhl --tracking JD01";
        let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
        assert!(desk.store.remove_line(&id, 1));
        for more in ["", "--dry-run"] {
            let told = desk.on("dispatch", &id, &format!("{number} {more}")).exits(6);
            told.says("lines").says("nothing was sent").says("ordersync accept").says("--as-local");
        }
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
        assert!(desk.home.json("outbox").as_array().unwrap().is_empty(), "{}", desk.kind);
        desk.on("accept", &id, "").exits(0);
        desk.on("dispatch", &id, number).exits(0);
        assert!(desk.store.standing(&id).unwrap().shipped, "{}", desk.kind);

        let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02 --later").exits(0);
        assert!(desk.store.remove_line(&id, 1));
        let writes = desk.writes();
        desk.home.run("sync").exits(3);
        let told = desk.home.json("inbox").to_string();
        assert!(told.contains("lines") && told.contains("ordersync accept"), "{}: {told}", desk.kind);
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
        desk.on("accept", &id, "").exits(0);
        desk.on("retry", &id, "").exits(0);
        assert!(desk.store.standing(&id).unwrap().shipped, "{}", desk.kind);
        assert_eq!(desk.tracking_numbers(&id), ["JD02"], "{}", desk.kind);
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}", desk.kind);
    });
}

#[test]
fn d1_who_insists_ships_what_is_left_of_an_order_whose_line_is_gone() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
        assert!(desk.store.remove_line(&id, 1));
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --as-local").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
    });
}

#[test]
fn d1_pieces_that_others_have_shipped_are_not_shipped_again() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 3)]);
        assert!(desk.store.ship_pieces(&id, 0, 1, "UPS", "1Z01"));
        let number = "--carrier dhl --tracking JD01";
        desk.on("dispatch", &id, number).exits(6).says("shipped").says("nothing was sent");
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.show(&id)["lines"][0]["left"], "2", "{}", desk.kind);
        desk.on("dispatch", &id, "--item TEE-001=3 --carrier dhl --tracking JD01").exits(6).says("only 2");
        desk.on("dispatch", &id, number).exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((standing.sent, standing.shipped), (3, true), "{}: {standing:?}", desk.kind);

        // Beside a number that the merchant knows: another shipment without one counts no less.
        let part = desk.paid(&[("TEE-001", 3)]);
        assert!(desk.store.ship_pieces(&part, 0, 1, "UPS", "1Z03"));
        desk.sync();
        desk.on("accept", &part, "").done();
        assert!(desk.store.ship_pieces(&part, 0, 1, "", ""));
        desk.on("dispatch", &part, "--carrier dhl --tracking JD03").exits(6).says("shipped").says("ordersync accept");
        let insisted = desk.on("dispatch", &part, "--as-local --carrier dhl --tracking JD03").done();
        assert!(matches!(insisted.code, Some(1 | 6)), "{}: {insisted:?}", desk.kind);
        assert_eq!(desk.store.standing(&part).unwrap().sent, 2, "{}: more than was ordered", desk.kind);

        let later = desk.paid(&[("TEE-001", 3)]);
        desk.on("dispatch", &later, "--carrier dhl --tracking JD02 --later").exits(0);
        assert!(desk.store.ship_pieces(&later, 0, 1, "UPS", "1Z02"));
        desk.home.run("sync").exits(3);
        assert_eq!(desk.store.standing(&later).unwrap().sent, 1, "{}", desk.kind);
    });
}

#[test]
fn p10_pieces_given_back_are_not_shipped() {
    each(|desk| {
        for before_import in [true, false] {
            let id = if before_import {
                let id = desk.store.place(&Purchase::of(&[("TEE-001", 3)]));
                assert!(desk.store.refund_pieces(&id, 0, 1));
                desk.sync();
                id
            } else {
                let id = desk.paid(&[("TEE-001", 3)]);
                assert!(desk.store.refund_pieces(&id, 0, 1));
                desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6).says("lines");
                desk.on("accept", &id, "").exits(0);
                id
            };
            assert_eq!(desk.show(&id)["lines"][0]["left"], "2", "{} {before_import}", desk.kind);
            desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
            let standing = desk.store.standing(&id).unwrap();
            assert_eq!(standing.sent, 2, "{} {before_import}: {standing:?}", desk.kind);
        }
    });
}

#[test]
fn p12_what_the_buyer_comes_for_takes_no_parcel() {
    each(|desk| {
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 2)]).picked_up());
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6).says("needs no parcel");
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
        // What only the shop's own pages can do is refused.
        let done = desk.on("dispatch", &id, "").done();
        assert!(matches!(done.code, Some(0 | 6)), "{done:?}");
        assert_eq!(desk.tracking_numbers(&id), [""; 0], "{}", desk.kind);
    });
}

/// Money given back is a fact: what was not sent stays to be sent by its status, waits in the
/// inbox, and does not go out.
#[test]
fn p10_an_order_that_is_refunded_in_full_and_not_sent_waits_in_the_inbox_and_does_not_go_out() {
    each(|desk| {
        let number = "--carrier dhl --tracking JD01";
        let told = |home: &Home| home.json("inbox").as_array().unwrap().clone();
        let id = desk.paid(&[("TEE-001", 2)]);
        let total = desk.show(&id)["totals"]["total"].as_str().unwrap().to_owned();
        assert!(desk.store.refund(&id, &total), "{}", desk.kind);
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        assert_eq!((told(&desk.home).len(), &told(&desk.home)[0]["kind"]), (1, &json!("refund")), "{}", desk.kind);
        desk.on("dispatch", &id, number).exits(6).says("refund").says("nothing was");
        desk.on("dispatch", &id, &format!("{number} --as-local")).exits(6).says("refunded in full");
        desk.on("accept", &id, "").exits(0);
        let shown = desk.show(&id);
        assert_eq!((&shown["status"], &shown["totals"]["refunded"]), (&json!("awaiting-fulfillment"), &json!(total)));
        for more in ["", "--later", "--dry-run", "--as-local"] {
            desk.on("dispatch", &id, &format!("{number} {more}")).exits(6).says("refunded in full");
        }
        assert!(told(&desk.home).is_empty(), "{}: looked at", desk.kind);
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
        desk.on("dispatch", &id, &format!("{number} --as-local --force")).exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);

        // Refunded before it is seen, in money or in pieces.
        let ids = [(); 2].map(|()| desk.store.place(&Purchase::of(&[("TEE-001", 2)])));
        assert!(desk.store.refund(&ids[0], &total) && desk.store.refund_pieces(&ids[1], 0, 2));
        desk.sync();
        assert_eq!(told(&desk.home).len(), 2, "{}", desk.kind);
        for id in &ids {
            assert_eq!(desk.show(id)["status"], "awaiting-fulfillment", "{}", desk.kind);
            for more in ["", "--later", "--dry-run"] {
                desk.on("dispatch", id, &format!("{number} {more}")).exits(6);
            }
        }
        desk.on("cancel", &ids[0], "--local").exits(0);
        assert_eq!(told(&desk.home).len(), 1, "{}: settled", desk.kind);
    });
}

/// What can become of an order at the channel that lets nothing go out, and what the merchant is
/// told.
type Obstacle = (fn(&Desk, &str) -> bool, &'static str);

#[test]
fn d1_nothing_goes_out_for_an_order_that_stands_against_it_whatever_was_accepted() {
    let obstacles: [Obstacle; 4] = [
        (|desk, id| desk.store.cancel(id), "cancelled"),
        (|desk, id| desk.store.hold(id), "on hold"),
        (|desk, id| desk.store.unpay(id), "paid"),
        (|desk, id| desk.store.refund(id, "5.00"), "refund"),
    ];
    let number = "--carrier dhl --tracking JD01";
    each(|desk| {
        for (strike, says) in obstacles {
            let told = format!("{} {says}", desk.kind);
            let id = desk.paid(&[("TEE-001", 2)]);
            let writes = desk.writes();
            assert!(strike(desk, &id), "{told}");
            for more in ["", "--dry-run"] {
                desk.on("dispatch", &id, &format!("{number} {more}")).exits(6).says(says);
            }
            // Recorded before it was known, and accepted before it went out.
            let id = desk.paid(&[("TEE-001", 2)]);
            desk.on("dispatch", &id, &format!("{number} --later")).exits(0);
            assert!(strike(desk, &id), "{told}");
            desk.home.run("sync").exits(3);
            assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{told}");
            desk.on("accept", &id, "").exits(0);
            if says != "refund" {
                desk.home.run("retry").done();
                desk.sync();
                assert_eq!(desk.writes(), writes, "{told}: written all the same");
                assert_ne!(desk.show(&id)["status"], "shipped", "{told}");
            } else {
                desk.on("retry", &id, "").exits(0);
                assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{told}: seen and accepted");
            }
            for row in desk.home.json("outbox").as_array().unwrap() {
                desk.home.run(&format!("outbox --withdraw {}", row["row"].as_str().unwrap())).exits(0);
            }
        }
    });
}

#[test]
fn d9_an_order_on_hold_goes_out_by_its_own_switch_and_the_check_stays() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.hold(&id));
        desk.sync();
        desk.on("accept", &id, "").done();
        let number = "--carrier dhl --tracking JD01";
        desk.on("dispatch", &id, &format!("{number} --as-local")).exits(6).says("hold");
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.on("dispatch", &id, &format!("{number} --on-hold")).exits(6).says("address");
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
    });
}

#[test]
fn d9_an_unpaid_order_goes_out_by_its_own_switch_or_setting_and_the_check_stays() {
    each(|desk| {
        let place = || {
            let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
            desk.sync();
            id
        };
        let number = "--carrier dhl --tracking JD01";
        let id = place();
        desk.on("dispatch", &id, number).exits(6).says("--unpaid");
        desk.on("dispatch", &id, &format!("{number} --as-local")).exits(6).says("--unpaid");
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.on("dispatch", &id, &format!("{number} --unpaid")).exits(6).says("address");
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
        desk.sync();
        desk.on("dispatch", &id, &format!("{number} --unpaid")).exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);

        let id = place();
        let payment = desk.show(&id)["payment"].clone();
        let names = ["method", "title"].map(|name| payment[name].as_str().unwrap_or_default().to_owned());
        let method = names.into_iter().find(|name| !name.is_empty()).unwrap();
        desk.home.run("config set").arg(&format!("{}.unpaid_methods", desk.kind)).arg(&format!("x, {method}")).exits(0);
        desk.on("dispatch", &id, &format!("{number} --later")).exits(0);
        desk.sync();
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}: {method}", desk.kind);
    });
}

#[test]
fn d1_a_write_that_surely_came_to_nothing_switches_no_check_off() {
    each(|desk| {
        let (writes, without) = writes_of_a_dispatch(desk);
        let id = desk.paid(&[("TEE-001", 2)]);
        for write in &writes {
            desk.server.faults().add(struck(FaultKind::Firewall, write, &without).always());
        }
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").done();
        desk.server.faults().clear();
        assert_eq!(desk.home.json("outbox")[0]["state"], "queued", "{}", desk.kind);
        assert!(desk.store.ship_elsewhere(&id, "UPS", "1Z01"));
        let before = desk.writes();
        desk.home.run("retry").exits(6);
        assert_eq!((desk.writes(), desk.tracking_numbers(&id)), (before, vec!["1Z01".to_owned()]), "{}", desk.kind);
    });
}

#[test]
fn d1_what_changes_in_the_moment_of_a_dispatch_is_told() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(Fault::new(FaultKind::Slow(Duration::from_millis(700))).always());
        let command = format!("dispatch {}:{id} --carrier dhl --tracking JD01", desk.kind);
        let dispatch = desk.home.spawn(&command, &[]);
        let until = std::time::Instant::now() + Duration::from_secs(60);
        // The order was read, and the next request is on its way.
        while desk.server.requests().is_empty() && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        let done = dispatch.wait_with_output().unwrap();
        desk.server.faults().clear();
        assert!(done.status.success(), "{}: {done:?}", desk.kind);
        let told = desk.home.json("inbox");
        assert!(told.as_array().unwrap().iter().any(|note| note["kind"] == "raced"), "{}: {told}", desk.kind);
        desk.on("accept", &id, "").exits(0);
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}", desk.kind);
    });
}

/// A list that is up to date and single reads that lag behind.
#[test]
fn d1_an_order_that_is_shown_older_than_before_is_not_dispatched_by_that() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("pull", &id, "").exits(0);
        for read in desk.server.requests() {
            desk.server.faults().add(Fault::new(FaultKind::Lagging).on(&read.method, &read.name()).always());
        }
        desk.on("pull", &id, "").exits(0);
        // A minute later, by the shop's own clock.
        desk.store.set_clock(1);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        assert_eq!(desk.show(&id)["changed_at_channel"], true, "{}", desk.kind);
        let before = desk.writes();
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").done();
        assert_eq!(desk.writes(), before, "{}", desk.kind);
        desk.server.faults().clear();
        desk.home.run("retry").exits(6);
        assert_eq!(desk.writes(), before, "{}", desk.kind);
    });
}
