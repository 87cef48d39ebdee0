//! Money and pieces given back (P-10): facts of an order under every policy.

use ordersync::sim::{Lack, Purchase};
use serde_json::json;

use super::desk::{Desk, each};
use super::setups::{NUMBER, each_set_up};
use super::support::program::Home;

#[test]
fn p10_pieces_given_back_are_not_shipped() {
    each(|desk| {
        if desk.store.lacks(Lack::RefundedPieces) {
            return;
        }
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
            let shown = desk.show(&id);
            assert_eq!(shown["lines"][0]["left"], "2", "{} {before_import}", desk.kind);
            assert_eq!(shown["lines"][0]["refunded"], "1", "{} {before_import}", desk.kind);
            // Not every channel says which refund the pieces belong to.
            for back in shown["refunds"][0]["lines"].as_array().unwrap() {
                assert_eq!(back["quantity"], "1", "{} {before_import}", desk.kind);
                assert_eq!(back["line_id"], shown["lines"][0]["id"], "{} {before_import}", desk.kind);
                desk.on("show", &id, "").exits(0).prints("1 × TEE-001");
            }
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
        desk.passes_are_due();
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
        // With the money a channel may have taken all pieces back.
        let done = desk.on("dispatch", &id, &format!("{number} --as-local --force")).done();
        let sent = if done.code == Some(0) { vec!["JD01"] } else { Vec::new() };
        assert!(matches!(done.code, Some(0 | 6)), "{done:?}");
        assert_eq!(desk.tracking_numbers(&id), sent, "{}", desk.kind);

        // Refunded before it is seen, in money or in pieces.
        if desk.store.lacks(Lack::RefundedPieces) {
            return;
        }
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
        let done = desk.on("dispatch", &ids[1], &format!("{number} --as-local --force")).exits(6);
        done.says("refunded in full").says("--local");

        // Refunded in the book, in money or in pieces.
        let ids = [(); 2].map(|()| desk.paid(&[("TEE-001", 2)]));
        assert!(desk.store.refund(&ids[0], &total) && desk.store.refund_pieces(&ids[1], 0, 2));
        desk.sync();
        let is_told = |id: &String| {
            let shown = desk.show(id);
            let number = shown["number"].as_str().unwrap().to_owned();
            let entry = told(&desk.home).into_iter().find(|entry| entry["number"] == json!(number)).unwrap();
            desk.home.run("inbox").exits(0).prints(&format!("{}:{number}  refund: ", desk.kind));
            entry["hint"].as_str().unwrap().contains("dispatch")
        };
        let hints: Vec<bool> = ids.iter().map(is_told).collect();
        // A shop that has closed such an order takes no dispatch of it.
        let is_open = !desk.store.lacks(Lack::OpenAfterRefund);
        assert_eq!(hints, [is_open, false], "{}: only money came back, or the pieces", desk.kind);
        desk.on("cancel", &ids[0], "--local").exits(0);
        assert_eq!(told(&desk.home).len(), 3, "{}: settled", desk.kind);
    });
}

#[test]
fn p10_pieces_given_back_after_they_were_sent_leave_the_order_shipped() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2)]);
        desk.on("dispatch", &id, NUMBER).exits(0);
        assert!(desk.store.refund_pieces(&id, 0, 2), "{}", desk.kind);
        desk.passes_are_due();
        desk.sync();
        desk.on("accept", &id, "").exits(0);
        let shown = desk.show(&id);
        let refunds = shown["refunds"].as_array().unwrap().len();
        assert_eq!((&shown["status"], refunds), (&json!("shipped"), 1), "{}: {shown}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(6);
    });
}

/// Of so many pieces one is sent, comes back and is refunded; nothing else is done with the order.
fn one_came_back(desk: &Desk, pieces: u32) -> String {
    let id = desk.paid(&[("TEE-001", pieces)]);
    desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --item TEE-001=1").exits(0);
    // A parcel takes its time to come back.
    desk.store.set_clock(2);
    assert!(desk.store.return_pieces(&id, 0, 1), "{}", desk.kind);
    desk.sync();
    desk.on("accept", &id, "").exits(0);
    id
}

fn left(desk: &Desk, id: &str) -> (String, String) {
    let line = desk.show(id)["lines"][0].clone();
    let text = |key: &str| line[key].as_str().unwrap().to_owned();
    (text("left"), text("unclear"))
}

fn of(left: &str, unclear: &str) -> (String, String) {
    (left.to_owned(), unclear.to_owned())
}

/// What is owed is offered where the channel tells that the piece given back had been sent, and
/// told where nobody does.
#[test]
fn p10_a_piece_that_was_sent_and_came_back_takes_nothing_from_what_is_left() {
    each(|desk| {
        if !tells_pieces(desk) {
            return;
        }
        let id = one_came_back(desk, 3);
        if desk.store.tells_returns() {
            assert_eq!(left(desk, &id), of("2", "0"), "{}", desk.kind);
        } else {
            assert_eq!(left(desk, &id), of("1", "1"), "{}", desk.kind);
            desk.on("show", &id, "").exits(0).prints("nobody tells of 1 × TEE-001 given back");
            desk.home.run("orders --status partially-shipped").exits(0).prints("(?)");
            let more = desk.on("dispatch", &id, "--carrier dhl --tracking JD02 --item TEE-001=2").exits(6);
            more.says("has only 1 of TEE-001 left").says("--returned 'TEE-001=1'");
            desk.on("refund", &id, "--returned TEE-001=2").exits(6).says("given back");
            desk.on("refund", &id, "--returned TEE-001=1").exits(0).prints("had been sent before");
            desk.on("refund", &id, "--returned TEE-001=1").exits(0).prints("nothing was changed");
            assert_eq!(left(desk, &id), of("2", "0"), "{}", desk.kind);
        }
        assert!(desk.store.annotate(&id, "please ring"));
        desk.sync();
        assert_eq!(left(desk, &id), of("2", "0"), "{}: also after a sync", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((standing.sent, &desk.show(&id)["status"]), (3, &json!("shipped")), "{}: {standing:?}", desk.kind);
        desk.sync();
        assert_eq!((left(desk, &id), &desk.show(&id)["status"]), (of("0", "0"), &json!("shipped")), "{}", desk.kind);
        desk.home.run("doctor --offline").exits(0);
    });
}

/// An order of which perhaps a piece is owed is not done with in silence.
#[test]
fn p10_what_may_still_be_owed_keeps_an_order_among_those_to_be_sent_until_the_merchant_has_said() {
    each(|desk| {
        if !tells_pieces(desk) {
            return;
        }
        let id = one_came_back(desk, 2);
        let shown = desk.show(&id);
        assert_eq!(shown["status"], "partially-shipped", "{}: {shown}", desk.kind);
        if desk.store.tells_returns() {
            assert_eq!(left(desk, &id), of("1", "0"));
            return;
        }
        assert_eq!(left(desk, &id), of("0", "1"), "{}", desk.kind);
        desk.server.clear_requests();
        let refused = desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(6);
        refused.says("nobody tells of 1 × TEE-001").says("nothing was recorded").says("--returned 'TEE-001=0'");
        desk.on("refund", &id, "--returned TEE-001=0 --dry-run").exits(0);
        assert_eq!(left(desk, &id), of("0", "1"), "{}", desk.kind);
        desk.on("refund", &id, "--returned TEE-001=0").exits(0);
        for _ in 0..2 {
            assert_eq!(
                (left(desk, &id), &desk.show(&id)["status"]),
                (of("0", "0"), &json!("shipped")),
                "{}",
                desk.kind
            );
            desk.sync();
        }
        desk.on("refund", &id, "--returned TEE-001=1").exits(0);
        assert_eq!((left(desk, &id), &desk.show(&id)["status"]), (of("1", "0"), &json!("partially-shipped")));
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(0);
        assert_eq!(desk.store.standing(&id).unwrap().sent, 2, "{}", desk.kind);
    });
}

/// Given back before anything was sent: nobody has to be asked.
#[test]
fn p10_a_piece_given_back_before_the_first_parcel_is_not_asked_about() {
    each(|desk| {
        if !tells_pieces(desk) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        assert!(desk.store.refund_pieces(&id, 0, 1));
        desk.sync();
        desk.on("accept", &id, "").exits(0);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --item TEE-001=1").exits(0);
        assert_eq!(left(desk, &id), of("1", "0"), "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(0);
        assert_eq!((left(desk, &id), &desk.show(&id)["status"]), (of("0", "0"), &json!("shipped")), "{}", desk.kind);
    });
}

/// By hand: those that were not sent yet, as far as there are any and the merchant says nothing else.
#[test]
fn p10_by_hand_the_unsent_pieces_are_given_back_first_unless_the_merchant_says_that_it_was_a_sent_one() {
    each(|desk| {
        if !tells_pieces(desk) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --item TEE-001=1").exits(0);
        desk.on("refund", &id, "--amount 1 --line TEE-001=1").exits(0).says("--returned 'TEE-001=QTY'");
        assert_eq!(left(desk, &id), of("1", "0"), "{}", desk.kind);
        desk.on("refund", &id, "--returned TEE-001=1").exits(0);
        assert_eq!(left(desk, &id), of("2", "0"), "{}", desk.kind);
        desk.sync();
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(0);
        assert_eq!(desk.store.standing(&id).unwrap().sent, 3, "{}", desk.kind);
        desk.on("refund", &id, "--amount 1 --line TEE-001=1").exits(0).prints("recorded already");
        desk.on("refund", &id, "--amount 1 --line TEE-001=1 --again").exits(0);
        assert_eq!((left(desk, &id), &desk.show(&id)["status"]), (of("0", "0"), &json!("shipped")), "{}", desk.kind);
    });
}

#[test]
fn p10_what_was_given_back_outlives_a_mend_of_the_copy() {
    each(|desk| {
        if desk.store.lacks(Lack::RefundedPieces) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 2)]);
        assert!(desk.store.refund_pieces(&id, 0, 1));
        desk.sync();
        desk.home.call(&["edit", &format!("{}:{id}", desk.kind), "--line1", "9 Merchants Lane"]).exits(0);
        desk.on("hold", &id, "").exits(0);
        let before = desk.show(&id);
        assert_eq!(before["lines"][0]["left"], "1", "{}", desk.kind);
        desk.home.sql(&format!("UPDATE orders SET total = '1' WHERE remote_id = '{id}' RETURNING 1"));
        desk.home.run("doctor --offline --mend").exits(0).says("1 order made anew");
        let after = desk.show(&id);
        for part in ["lines", "totals", "refunds", "ship_to", "status", "hold", "differences"] {
            assert_eq!(after[part], before[part], "{} {part}", desk.kind);
        }
    });
}

/// What was given back before anything had been sent was an unsent piece: with the rest of them the
/// order is done with, there as well as here.
#[test]
fn d4_the_last_dispatch_completes_an_order_of_which_a_piece_was_given_back_before() {
    each_set_up(|desk| {
        // Not every shop says of an order that is refunded in part that it is closed.
        let closes = {
            let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
            assert!(desk.store.refund_pieces(&id, 1, 1));
            desk.sync();
            desk.on("accept", &id, "").exits(0);
            desk.on("dispatch", &id, "--carrier dhl --tracking JD00").exits(0);
            desk.store.standing(&id).unwrap().shipped
        };
        let check = |id: &str, what: &str| {
            assert_eq!(desk.show(id)["status"], "shipped", "{} {what}", desk.kind);
            let standing = desk.store.standing(id).unwrap();
            assert_eq!(standing.shipped, closes, "{} {what}: {standing:?}", desk.kind);
            desk.sync();
            let shown = desk.show(id);
            assert_eq!(
                (&shown["status"], &shown["differences"]),
                (&json!("shipped"), &json!([])),
                "{} {what}",
                desk.kind
            );
        };
        let given_back = || {
            let id = desk.paid(&[("TEE-001", 3)]);
            assert!(desk.store.refund_pieces(&id, 0, 1));
            desk.sync();
            desk.on("accept", &id, "").exits(0);
            id
        };
        let id = given_back();
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        check(&id, "all that was left");
        let id = given_back();
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02 --later").exits(0);
        desk.sync();
        check(&id, "all that was left, later");
        if !tells_pieces(desk) {
            return;
        }
        let id = given_back();
        desk.on("dispatch", &id, "--carrier dhl --tracking JD03 --item TEE-001=1").exits(0);
        assert!(!desk.store.standing(&id).unwrap().shipped, "{}: one is left", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD04").exits(0);
        check(&id, "in two parcels");
        if desk.store.tells_returns() {
            return;
        }
        let id = one_came_back(desk, 3);
        desk.on("refund", &id, "--returned TEE-001=0").exits(0);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD05").exits(0);
        assert_eq!(desk.show(&id)["status"], "shipped", "{}: by the merchant's word", desk.kind);
        // Who counts the pieces goes by that.
        let standing = desk.store.standing(&id).unwrap();
        assert!(standing.shipped || standing.sent > 0, "{}: by the merchant's word: {standing:?}", desk.kind);
    });
}

/// Whether parts of an order can be sent there, and it tells which pieces were given back.
fn tells_pieces(desk: &Desk) -> bool {
    desk.capabilities().partial && !desk.store.lacks(Lack::RefundedPieces)
}
