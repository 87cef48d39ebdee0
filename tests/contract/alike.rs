//! Parts of one order that are alike to the letter: line, pieces, number and time. Each is told
//! once, whatever happens to the first.

use ordersync::sim::{Exchange, FaultKind, Purchase};

use super::desk::{Desk, each, struck};
use super::setups::{NUMBER, each_set_up, states};
use super::support::program::{EXPORT, dies};

/// One piece of three, under a number or without one.
fn part(tracking: &str) -> String {
    format!("--item TEE-001=1 {tracking}")
}

fn three(desk: &Desk) -> String {
    let id = desk.store.place(&Purchase::of(&[("TEE-001", 3)]));
    desk.sync();
    id
}

/// Asserts that two parts went out and that the buyer was told of each.
fn went_twice(desk: &Desk, id: &str, told: &str) {
    let standing = desk.store.standing(id).unwrap();
    assert_eq!((standing.sent, standing.dispatch_mails), (2, 2), "{} {told}: {standing:?}", desk.kind);
    assert_eq!(states(desk), [""; 0], "{} {told}", desk.kind);
    assert_eq!(desk.show(id)["lines"][0]["left"], "1", "{} {told}", desk.kind);
    assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 0, "{} {told}", desk.kind);
}

#[test]
fn d3_d5_two_parts_that_are_alike_are_both_told_when_the_first_is_late_or_its_answer_is_lost() {
    each_set_up(|desk| {
        if !desk.capabilities().partial {
            return;
        }
        for tracking in [NUMBER, ""] {
            let part = part(tracking);
            for later in ["", "--later"] {
                let id = three(desk);
                desk.server.clear_requests();
                desk.on("dispatch", &id, &format!("{part} {later}")).exits(0);
                desk.on("dispatch", &id, &format!("{part} {later} --again")).exits(0);
                desk.sync();
                went_twice(desk, &id, &format!("{tracking:?} {later}"));
                let write = desk.server.requests().into_iter().find(Exchange::is_write).unwrap();

                let lost = three(desk);
                desk.server.faults().add(struck(FaultKind::AnswerLost, &write, &id).times(2));
                desk.on("dispatch", &lost, &format!("{part} {later}")).done();
                desk.on("dispatch", &lost, &format!("{part} {later} --again")).done();
                // Each row waits for the one before it.
                for _ in 0..3 {
                    desk.home.run("retry").done();
                }
                went_twice(desk, &lost, &format!("{tracking:?} {later}, lost"));
            }
        }
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn d3_d5_two_parts_that_are_alike_are_both_told_when_the_program_dies_over_the_first() {
    each_set_up(|desk| {
        if !desk.capabilities().partial {
            return;
        }
        for tracking in [NUMBER, ""] {
            for point in EXPORT {
                let id = three(desk);
                let part = part(tracking);
                assert!(dies(&desk.home, &format!("dispatch {}:{id} {part}", desk.kind), point, 1), "{point}");
                desk.on("dispatch", &id, &part).arg("--again").exits(0);
                desk.home.run("retry").done();
                went_twice(desk, &id, &format!("{point} {tracking:?}"));
            }
        }
    });
}

/// A dispatch that went out whole before the order changed is confirmed as that: it is no other
/// dispatch's, and the change stays in sight.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn d3_what_a_dispatch_has_sent_before_the_order_changed_is_not_taken_for_the_next_ones() {
    each(|desk| {
        if !desk.capabilities().partial {
            return;
        }
        let id = three(desk);
        let part = part(NUMBER);
        assert!(dies(&desk.home, &format!("dispatch {}:{id} {part}", desk.kind), "after-write", 1), "{}", desk.kind);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.home.run("sync").exits(0);
        desk.on("dispatch", &id, &part).arg("--again").exits(6).says("address");
        desk.on("accept", &id, "").exits(0);
        desk.on("dispatch", &id, &part).arg("--again").exits(0);
        desk.home.run("retry").exits(0);
        went_twice(desk, &id, "the order changed");
    });
}
