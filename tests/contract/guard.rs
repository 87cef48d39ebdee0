//! What lets nothing go out: the order as the channel has it is held against what the merchant
//! knows.

use std::time::Duration;

use ordersync::channel::CancelSupport;
use ordersync::sim::{Fault, FaultKind, Lack, Purchase};
use serde_json::json;

use super::desk::{Desk, each};
use super::setups::{NUMBER, all_due, each_set_up, states, struck_dispatch};

#[test]
fn d1_an_order_cancelled_at_the_channel_is_shipped_by_force_only() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.cancel(&id));
        desk.on("dispatch", &id, NUMBER).exits(6).says("cancelled").says("--as-local --force");
        desk.on("dispatch", &id, &format!("{NUMBER} --as-local")).exits(6).says("cancelled");
        desk.on("dispatch", &id, &format!("{NUMBER} --force")).exits(2).says("--as-local");
        assert_eq!((desk.writes(), desk.home.json("outbox --all")), (0, json!([])), "{}", desk.kind);
        // A channel may have closed it for good.
        let done = desk.on("dispatch", &id, &format!("{NUMBER} --as-local --force")).done();
        let told = usize::from(done.code == Some(0));
        assert!(matches!(done.code, Some(0 | 6)), "{done:?}");
        assert_eq!((desk.store.standing(&id).unwrap().told("JD01"), states(desk)), (told, Vec::new()), "{}", desk.kind);
    });
}

/// What was all of it when it was recorded is not all of it any more.
#[test]
fn d1_an_order_that_grew_before_its_dispatch_went_out_is_not_closed_at_the_channel() {
    each(|desk| {
        if desk.store.lacks(Lack::Parts) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        assert!(desk.store.grow_line(&id, 0, 5));
        desk.home.run("sync").done();
        desk.on("accept", &id, "").exits(0);
        desk.on("retry", &id, "").exits(0);
        assert!(!desk.store.standing(&id).unwrap().shipped, "{}: five are left", desk.kind);
        assert_eq!(desk.show(&id)["status"], "partially-shipped", "{}", desk.kind);
        let rest = desk.on("dispatch", &id, "--carrier dhl --tracking JD02").done();
        let shipped = desk.store.standing(&id).unwrap().shipped;
        assert_eq!(shipped, rest.code == Some(0), "{}: nothing is left, where it was taken: {rest:?}", desk.kind);
    });
}

#[test]
fn d1_an_order_that_is_gone_at_the_channel_is_not_dispatched() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.erase(&id));
        let cancels = matches!(desk.capabilities().cancel, CancelSupport::Yes(_));
        for command in ["dispatch", "cancel", "pull"] {
            // What takes no cancellation is not asked for one.
            desk.on(command, &id, "").exits(if command == "cancel" && !cancels { 6 } else { 7 });
        }
        desk.on("dispatch", &id, NUMBER).exits(7).says("any more").says("nothing was written");
        assert_eq!((desk.writes(), desk.home.json("outbox --all")), (0, json!([])), "{}", desk.kind);
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        desk.home.run("sync").exits(3).says("ordersync inbox");
        assert_eq!((states(desk), desk.writes()), (vec!["failed".to_owned()], 0), "{}", desk.kind);
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}: it stays in the book", desk.kind);
    });
}

/// The parcel may have left the house.
#[test]
fn p3_a_dispatch_that_a_cancellation_took_back_stays_in_the_inbox() {
    each(|desk| {
        desk.set("cancels=apply");
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        assert!(desk.store.cancel(&id));
        for _ in 0..3 {
            desk.home.run("sync").done();
        }
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        let inbox = desk.home.json("inbox");
        let entry = inbox.as_array().unwrap().iter().find(|entry| entry["kind"] == "taken-back").unwrap();
        assert!(entry["text"].as_str().unwrap().contains("JD01"), "{}: {inbox}", desk.kind);
        desk.home.run(&format!("inbox --done {}", entry["entry"].as_str().unwrap())).exits(0);
        desk.home.run("sync").done();
        assert!(!desk.home.json("inbox").to_string().contains("taken-back"), "{}: settled", desk.kind);
    });
}

#[test]
fn d1_an_order_that_cannot_be_read_at_the_channel_is_not_dispatched_unseen() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(Fault::new(FaultKind::AbsurdAmounts("1e999".to_owned())).always());
        for more in ["", "--as-local", "--dry-run"] {
            let done = desk.on("dispatch", &id, &format!("{NUMBER} {more}")).exits(1);
            done.says("could not be read").says("nothing was sent");
        }
        if matches!(desk.capabilities().cancel, CancelSupport::Yes(_)) {
            desk.on("cancel", &id, "").exits(1).says("could not be read");
        }
        assert_eq!((states(desk), desk.show(&id)["status"].as_str()), (Vec::new(), Some("awaiting-fulfillment")));
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        desk.home.run("sync").done();
        assert_eq!(desk.writes(), 0, "{}: it waits", desk.kind);
        desk.server.faults().clear();
        all_due(desk);
        desk.home.run("sync").done();
        assert_eq!(desk.store.standing(&id).unwrap().told("JD01"), 1, "{}: readable again", desk.kind);
    });
}

#[test]
fn d1_an_order_that_is_not_to_be_shipped_is_refused_before_the_channel_is_asked() {
    each(|desk| {
        let unpaid = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
        let cancelled = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        assert!(desk.store.cancel(&cancelled));
        desk.sync();
        desk.server.clear_requests();
        for more in ["", "--as-local"] {
            desk.on("dispatch", &unpaid, &format!("{NUMBER} {more}")).exits(6).says("not paid yet").says("--unpaid");
        }
        desk.on("dispatch", &cancelled, NUMBER).exits(6).says("is cancelled").says("--as-local --force");
        assert!(desk.server.requests().is_empty(), "{}", desk.kind);
    });
}

#[test]
fn d1_an_address_that_changed_stops_a_dispatch_until_it_is_accepted_or_the_merchant_insists() {
    each(|desk| {
        for insists in [false, true] {
            let id = desk.paid(&[("TEE-001", 1)]);
            let writes = desk.writes();
            assert!(desk.store.readdress(&id, "77 Somewhere Else"));
            for more in ["", "--dry-run"] {
                let done = desk.on("dispatch", &id, &format!("{NUMBER} {more}")).exits(6);
                done.says("address").says("77 Somewhere Else").says("ordersync accept book:").says("--as-local");
            }
            assert_eq!((desk.writes(), states(desk)), (writes, Vec::new()), "{}", desk.kind);
            assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
            if insists {
                desk.on("dispatch", &id, &format!("{NUMBER} --as-local")).exits(0);
            } else {
                desk.on("accept", &id, "").exits(0);
                desk.on("dispatch", &id, NUMBER).exits(0);
            }
            assert_eq!(desk.store.standing(&id).unwrap().told("JD01"), 1, "{}", desk.kind);
            assert_eq!(
                desk.show(&id)["changed_at_channel"],
                insists,
                "{}: the other version stays in sight",
                desk.kind
            );
        }
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

        // A row that was refused, and of which the order has nothing any more.
        if desk.capabilities().partial {
            let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
            desk.on("dispatch", &id, "--item MUG-9=1 --carrier dhl --tracking JD03 --later").exits(0);
            assert!(desk.store.remove_line(&id, 1));
            desk.home.run("sync").exits(3);
            desk.on("accept", &id, "").exits(0);
            let row = desk.home.json("outbox")[0]["row"].as_str().unwrap().to_owned();
            let told = desk.on("retry", &id, "").exits(6).says("has nothing of this dispatch any more");
            told.says(&format!("ordersync outbox --withdraw {row} takes it back"));
        }
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
        let parts = !desk.store.lacks(Lack::Parts);
        let id = desk.paid(&[("TEE-001", 3)]);
        assert_eq!(desk.store.ship_pieces(&id, 0, 1, "UPS", "1Z01"), parts);
        let number = "--carrier dhl --tracking JD01";
        let whole = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.ship_elsewhere(&whole, "UPS", "1Z00"));
        for id in [&id, &whole].into_iter().skip(usize::from(!parts)) {
            let told = desk.on("dispatch", id, number).exits(6).says("shipped").says("nothing was sent");
            told.says("ordersync accept book:");
        }
        assert_eq!((desk.writes(), states(desk)), (0, Vec::new()), "{}", desk.kind);
        desk.on("accept", &whole, "").exits(0);
        assert_eq!(desk.show(&whole)["status"], "shipped", "{}", desk.kind);
        if !parts {
            return;
        }
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
        let insisted = desk.on("dispatch", &part, "--as-local --carrier dhl --tracking JD03").exits(6);
        insisted.says("left to ship").says("nothing");
        assert_eq!(desk.store.standing(&part).unwrap().sent, 2, "{}: more than was ordered", desk.kind);

        let later = desk.paid(&[("TEE-001", 3)]);
        desk.on("dispatch", &later, "--carrier dhl --tracking JD02 --later").exits(0);
        assert!(desk.store.ship_pieces(&later, 0, 1, "UPS", "1Z02"));
        desk.home.run("sync").exits(3);
        assert_eq!(desk.store.standing(&later).unwrap().sent, 1, "{}", desk.kind);
        desk.on("accept", &later, "").exits(0).prints("ordersync retry book:").prints("ordersync outbox --withdraw");
    });
}

/// What can become of an order at the channel that lets nothing go out, and what the merchant is
/// told.
type Obstacle = (fn(&Desk, &str) -> bool, &'static str);

/// Another part of the order goes into a parcel that is on its way there already.
#[test]
fn d1_a_number_that_accepted_pieces_have_is_no_word_of_the_pieces_that_are_left() {
    each(|desk| {
        if desk.store.lacks(Lack::Parts) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        assert!(desk.store.ship_pieces(&id, 0, 1, "UPS", "1Z01"));
        desk.sync();
        desk.on("accept", &id, "").done();
        desk.on("dispatch", &id, "--carrier ups --tracking 1Z01 --again").exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((standing.sent, standing.shipped), (3, true), "{}: {standing:?}", desk.kind);
    });
}

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
            if says == "on hold" && desk.store.lacks(Lack::Holds) {
                continue;
            }
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
            // A hold at the channel is a fact, the rest a difference.
            let stands = if says == "on hold" { "on-hold" } else { "awaiting-fulfillment" };
            assert_eq!(desk.show(&id)["status"], stands, "{told}");
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

/// Not every channel says with a change of the order that a hold is over, and no sync may have come
/// since.
#[test]
fn d2_an_order_that_its_channel_held_goes_out_once_it_does_not_any_more() {
    each_set_up(|desk| {
        if desk.store.lacks(Lack::Holds) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 2)]);
        assert!(desk.store.hold(&id), "{}", desk.kind);
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "on-hold", "{}", desk.kind);
        let writes = desk.writes();
        for more in ["--dry-run", "--later", ""] {
            let call = desk.on("dispatch", &id, &format!("--carrier dhl --tracking JD01 {more}"));
            call.exits(6).says("on hold");
        }
        assert_eq!((desk.writes(), desk.show(&id)["outbox"].clone()), (writes, json!([])), "{}", desk.kind);
        assert!(desk.store.release(&id), "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((standing.told("JD01"), standing.shipped), (1, true), "{}: {standing:?}", desk.kind);
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
        // A hold of the merchant's own is not the channel's to end.
        let own = desk.paid(&[("TEE-001", 1)]);
        desk.on("hold", &own, "").exits(0);
        desk.server.clear_requests();
        desk.on("dispatch", &own, "--carrier dhl --tracking JD02").exits(6).says("on hold");
        assert!(desk.server.requests().is_empty(), "{}", desk.kind);
    });
}

/// A hold once a part has gone holds the rest.
#[test]
fn d2_the_rest_of_an_order_that_the_channel_holds_once_a_part_is_sent_is_not_shipped() {
    each_set_up(|desk| {
        if desk.store.lacks(Lack::Holds) || !desk.capabilities().partial {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        desk.on("dispatch", &id, "--item TEE-001=1 --carrier dhl --tracking JD01").exits(0);
        assert!(desk.store.hold(&id), "{}", desk.kind);
        let writes = desk.writes();
        desk.sync();
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(6).says("hold");
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
        // It is told of, and seen it holds the rest as before.
        let seen = desk.show(&id);
        assert!(seen["status"] == "on-hold" || seen["changed_at_channel"] == true, "{}: {seen}", desk.kind);
        desk.on("accept", &id, "").done();
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(6).says("hold");
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
        assert!(desk.store.release(&id), "{}", desk.kind);
        desk.sync();
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01", "JD02"], "{}", desk.kind);
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
        // Without a date nothing tells that an answer is older.
        if desk.store.lacks(Lack::DatedEdits) {
            return;
        }
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

#[test]
fn d1_a_write_that_surely_came_to_nothing_switches_no_check_off() {
    each(|desk| {
        let id = struck_dispatch(desk, &FaultKind::Firewall);
        desk.server.faults().clear();
        assert_eq!(states(desk), ["queued"], "{}", desk.kind);
        assert!(desk.store.ship_elsewhere(&id, "UPS", "1Z01"));
        let before = desk.writes();
        desk.home.run("retry").exits(6);
        assert_eq!((desk.writes(), desk.tracking_numbers(&id)), (before, vec!["1Z01".to_owned()]), "{}", desk.kind);
    });
}

/// What our own act has made of an order is no change there, whatever else differs; and what is not
/// ours stays one.
#[test]
fn d1_what_our_own_act_has_made_is_no_change_beside_what_others_have_changed() {
    each_set_up(|desk| {
        desk.set("edits=ignore");
        desk.set("address=ignore");
        let differs = |id: &str| -> Vec<String> {
            let shown = desk.show(id);
            let found = shown["differences"].as_array().unwrap().iter();
            found.map(|one| one["aspect"].as_str().unwrap().to_owned()).collect()
        };
        let is_only = |id: &str, field: &str, what: &str| {
            assert_eq!(differs(id), [field], "{} {what}", desk.kind);
            desk.sync();
            assert_eq!(differs(id), [field], "{} {what}, after a sync", desk.kind);
        };
        let noted = || {
            let id = desk.paid(&[("TEE-001", 3)]);
            assert!(desk.store.annotate(&id, "please ring"));
            desk.sync();
            id
        };
        let id = noted();
        desk.on("dispatch", &id, NUMBER).exits(0);
        is_only(&id, "notes", "all of it");
        let before = desk.show(&id);
        desk.on("accept", &id, "").exits(0);
        let after = desk.show(&id);
        for part in ["status", "channel_status"] {
            assert_eq!(before[part], after[part], "{} {part}", desk.kind);
        }
        let id = noted();
        if desk.on("cancel", &id, "").done().code == Some(0) {
            is_only(&id, "notes", "cancelled");
            assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        }
        if !desk.capabilities().partial {
            return;
        }
        let part = |tracking: &str| format!("--carrier ups --tracking {tracking} --item TEE-001=1");
        let id = noted();
        desk.on("dispatch", &id, &part("1ZPART1")).exits(0);
        is_only(&id, "notes", "a part");
        desk.on("dispatch", &id, &part("1ZPART2")).exits(0);
        is_only(&id, "notes", "another part");
        // What others send is told still.
        let theirs = noted();
        desk.on("dispatch", &theirs, &part("1ZPART3")).exits(0);
        if desk.store.ship_pieces(&theirs, 0, 1, "DHL", "JD77") {
            desk.sync();
            assert!(differs(&theirs).contains(&"shipped".to_owned()), "{}: {:?}", desk.kind, differs(&theirs));
            desk.on("dispatch", &theirs, &part("1ZPART4")).exits(6).says("shipped");
        }
        desk.on("dispatch", &id, "--carrier ups --tracking 1ZPART5").exits(0);
        is_only(&id, "notes", "the rest");
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);

        let id = desk.paid(&[("TEE-001", 2)]);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.on("dispatch", &id, &format!("{} --as-local", part("1ZPART6"))).exits(0);
        is_only(&id, "address", "as local");
        desk.on("dispatch", &id, "--carrier ups --tracking 1ZPART7 --as-local").exits(0);
        is_only(&id, "address", "as local, the rest");
    });
}
