//! Several commands at work at once, and what has not gone out yet.

use std::time::Duration;

use ordersync::channel::CancelSupport;
use ordersync::sim::{Fault, FaultKind};

use super::desk::{at_once, each};
use super::setups::states;

#[test]
fn d2_of_a_dispatch_and_a_cancellation_at_once_one_goes_out_and_the_other_is_told() {
    each(|desk| {
        if !matches!(desk.capabilities().cancel, CancelSupport::Yes(_)) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        let codes = at_once(desk, &id, ("dispatch", "--carrier dhl --tracking JD01"), ("cancel", ""));
        let standing = desk.store.standing(&id).unwrap();
        assert!(standing.shipped != standing.cancelled, "{}: {codes:?} {standing:?}", desk.kind);
        let (winner, loser) = if standing.shipped { (codes[0], codes[1]) } else { (codes[1], codes[0]) };
        assert_eq!((winner, loser), (Some(0), Some(6)), "{}: {standing:?}", desk.kind);
        let status = if standing.shipped { "shipped" } else { "cancelled" };
        assert_eq!(desk.show(&id)["status"], status, "{}", desk.kind);
        assert_eq!(standing.parcels.len(), usize::from(standing.shipped), "{}: {standing:?}", desk.kind);
        assert!(desk.home.json("outbox").as_array().unwrap().is_empty(), "{}", desk.kind);
    });
}

#[test]
fn d2_two_commands_at_once_do_one_thing_once() {
    each(|desk| {
        let numbers = ["--carrier dhl --tracking JD01", "--carrier dhl --tracking JD02"];
        let id = desk.paid(&[("TEE-001", 1)]);
        let mut codes = at_once(desk, &id, ("dispatch", numbers[0]), ("dispatch", numbers[1]));
        codes.sort_unstable();
        assert_eq!(codes, [Some(0), Some(6)], "{}", desk.kind);
        let once = desk.store.standing(&id).unwrap();
        assert_eq!(once.parcels.len(), 1, "{}: {once:?}", desk.kind);

        let id = desk.paid(&[("TEE-001", 1)]);
        let codes = at_once(desk, &id, ("dispatch", numbers[0]), ("dispatch", numbers[0]));
        // The second may come while the first is under way: then it is not confirmed yet.
        assert!(codes.contains(&Some(0)), "{}: the same one, {codes:?}", desk.kind);
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 5))), "{}: the same one, {codes:?}", desk.kind);
        let same = desk.store.standing(&id).unwrap();
        assert_eq!((same.parcels.len(), same.dispatch_mails), (1, once.dispatch_mails), "{}", desk.kind);

        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        let writes = desk.writes();
        // Whichever comes first: what is accepted meanwhile is what the dispatch is decided by.
        let codes = at_once(desk, &id, ("dispatch", numbers[0]), ("accept", ""));
        assert_eq!(codes[1], Some(0), "{}", desk.kind);
        assert_eq!(codes[0] == Some(0), desk.writes() > writes, "{}: {codes:?}", desk.kind);

        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.readdress(&id, "78 Somewhere Else"));
        desk.sync();
        let mut codes = at_once(desk, &id, ("accept", ""), ("accept", ""));
        codes.sort_unstable();
        assert!(codes[0] == Some(0) && matches!(codes[1], Some(0 | 7)), "{}: {codes:?}", desk.kind);
        desk.home.run("doctor --offline").exits(0);

        if matches!(desk.capabilities().cancel, CancelSupport::Yes(_)) {
            let (alone, before) = (desk.paid(&[("TEE-001", 1)]), desk.writes());
            desk.on("cancel", &alone, "").exits(0);
            let once = desk.writes() - before;
            let (id, before) = (desk.paid(&[("TEE-001", 1)]), desk.writes());
            let codes = at_once(desk, &id, ("cancel", ""), ("cancel", ""));
            assert!(codes.iter().all(|code| matches!(code, Some(0 | 5))), "{}: {codes:?}", desk.kind);
            assert!(codes.contains(&Some(0)), "{}: {codes:?}", desk.kind);
            assert!(desk.store.standing(&id).unwrap().cancelled, "{}", desk.kind);
            // The second may come when the first is through: then it finds the order cancelled.
            assert_eq!(desk.writes() - before, once, "{}: {codes:?}", desk.kind);
        }
    });
}

#[test]
fn d2_a_refused_dispatch_leaves_the_order_as_it_was_and_can_be_taken_back_or_tried_again() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later").exits(0);
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.home.run("sync").exits(3).says("1 dispatch or cancellation did not go out").says("ordersync inbox");
        assert_eq!((states(desk), desk.writes()), (vec!["failed".to_owned()], 0), "{}", desk.kind);
        assert_eq!(desk.home.json("inbox")[0]["kind"], "rejected", "{}", desk.kind);
        let shown = desk.show(&id);
        assert_eq!((&shown["status"], &shown["lines"][0]["left"]), (&"awaiting-fulfillment".into(), &"2".into()));
        // What was refused is no earlier dispatch: it can be made again, and the refused one taken
        // back.
        let row = desk.home.json("outbox")[0]["row"].as_str().unwrap().to_owned();
        desk.home.run(&format!("outbox --withdraw {row}")).exits(0);
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}", desk.kind);
        desk.on("accept", &id, "").exits(0);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later").exits(0);
        assert!(desk.store.readdress(&id, "78 Somewhere Else"));
        desk.home.run("sync").exits(3);
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        desk.home.run("retry").exits(0);
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);
    });
}

#[test]
fn d2_accepting_that_an_order_is_cancelled_takes_back_the_dispatch_that_waits() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later").exits(0);
        assert!(desk.store.cancel(&id));
        desk.home.run("pull").arg(&format!("{}:{id}", desk.kind)).exits(0);
        let writes = desk.writes();
        desk.on("accept", &id, "").exits(0).prints("taken back");
        desk.sync();
        assert_eq!(desk.writes(), writes, "{}: written to a cancelled order", desk.kind);
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        assert!(desk.home.json("outbox").as_array().unwrap().is_empty(), "{}", desk.kind);
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}", desk.kind);
    });
}

/// Between the moment at which a sync has read its rows and the one at which it writes, a merchant
/// takes one back.
#[test]
fn d2_what_is_taken_back_while_a_sync_is_about_to_send_it_does_not_go_out() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later").exits(0);
        let row = desk.home.json("outbox")[0]["row"].as_str().unwrap().to_owned();
        desk.server.faults().add(Fault::new(FaultKind::Slow(Duration::from_millis(900))).always());
        let sync = desk.home.spawn("sync", &[]);
        let until = std::time::Instant::now() + Duration::from_secs(60);
        while desk.server.requests().is_empty() && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        let taken_back = desk.home.run(&format!("outbox --withdraw {row}")).done().code == Some(0);
        let sync = sync.wait_with_output().unwrap();
        desk.server.faults().clear();
        let sent = desk.store.standing(&id).unwrap().sent;
        assert_eq!(sent, if taken_back { 0 } else { 2 }, "{}: {sync:?}", desk.kind);
        let left = if taken_back { "2" } else { "0" };
        assert_eq!(desk.show(&id)["lines"][0]["left"], left, "{}", desk.kind);
    });
}
