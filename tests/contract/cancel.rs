//! Cancelling an order.

use ordersync::channel::CancelSupport;
use ordersync::sim::{Fault, FaultKind};

use super::desk::each;

#[test]
fn d8_a_cancellation_with_other_wishes_takes_the_place_of_one_that_waits() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(Fault::new(FaultKind::ServerError(503)).always());
        desk.on("cancel", &id, "--reason one").exits(0);
        desk.on("cancel", &id, "--reason one").exits(0);
        assert_eq!(desk.home.json("outbox").as_array().unwrap().len(), 1, "{}: the same", desk.kind);
        desk.on("cancel", &id, "--reason two").exits(0);
        desk.server.faults().clear();
        let goals = desk.home.sql("SELECT goal FROM outbox WHERE state NOT IN ('withdrawn', 'confirmed')");
        assert!(goals.len() == 1 && goals[0].contains("two"), "{}: {goals:?}", desk.kind);
        desk.sync();
        assert!(desk.store.standing(&id).unwrap().cancelled, "{}", desk.kind);
    });
}

#[test]
fn d8_cancel_does_what_the_channel_allows() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let cancel = desk.on("cancel", &id, "--reason stock");
        match desk.capabilities().cancel {
            CancelSupport::Yes(can) => {
                cancel.exits(0);
                assert!(desk.store.standing(&id).unwrap().cancelled, "{}", desk.kind);
                let other = desk.paid(&[("TEE-001", 1)]);
                for (flag, heard) in [("--refund", can.refund), ("--no-restock", can.restock), ("--notify", can.notify)]
                {
                    if !heard {
                        desk.on("cancel", &other, flag).exits(1).says(flag);
                    }
                }
                assert!(!desk.store.standing(&other).unwrap().cancelled, "{}", desk.kind);
            }
            CancelSupport::No(_) => {
                cancel.exits(1).says("--local");
                assert_eq!(desk.writes(), 0, "{}", desk.kind);
                desk.on("cancel", &id, "--local").exits(0);
            }
        }
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        desk.sync();
        assert_eq!(desk.show(&id)["changed_at_channel"], false, "{}: {}", desk.kind, desk.show(&id));
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}: its own echo is news", desk.kind);
    });
}

#[test]
fn d8_what_was_cancelled_in_the_book_only_is_not_offered_again() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("cancel", &id, "--local").exits(0);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        assert!(desk.show(&id)["ship_to"].to_string().contains("77 Somewhere Else"), "{}", desk.kind);
        let word = desk.show(&id)["channel_status"].as_str().unwrap().to_lowercase();
        let word = word.split(' ').next().unwrap();
        let set = desk.home.run("config set").arg(&format!("{}.statuses", desk.kind));
        set.arg(&format!("{word}=awaiting-fulfillment")).done();
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}: {word}", desk.kind);
    });
}
