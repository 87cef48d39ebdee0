//! Money and pieces given back (P-10): facts of an order under every policy.

use ordersync::sim::Purchase;
use serde_json::json;

use super::desk::each;
use super::setups::NUMBER;
use super::support::program::Home;

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
                desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6).says("refund");
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
        let listed = desk.home.json("orders --status awaiting-fulfillment --limit 0");
        let is_listed = |id: &String| listed.as_array().unwrap().iter().any(|row| row["remote_id"] == json!(id));
        assert!(!ids.iter().any(is_listed) && listed != json!([]), "{}: nothing of them is to be sent", desk.kind);
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

#[test]
fn p10_pieces_given_back_after_they_were_sent_leave_the_order_shipped() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2)]);
        desk.on("dispatch", &id, NUMBER).exits(0);
        assert!(desk.store.refund_pieces(&id, 0, 2), "{}", desk.kind);
        desk.sync();
        desk.on("accept", &id, "").exits(0);
        let shown = desk.show(&id);
        let refunds = shown["refunds"].as_array().unwrap().len();
        assert_eq!((&shown["status"], refunds), (&json!("shipped"), 1), "{}: {shown}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(6);
    });
}
