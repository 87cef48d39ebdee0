//! What only WooCommerce does with a cancellation: its notes, its status, and an order that is
//! completed.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use ordersync::sim::woocommerce::NewOrder;
use ordersync::sim::{Fault, FaultKind};
use serde_json::json;
use support::program::Call;
use support::woo::Rig;

/// Cancels one order of the shop.
fn cancel<'a>(rig: &'a Rig, id: u64, more: &str) -> Call<'a> {
    rig.home.run(&format!("cancel woocommerce:{id} {more}"))
}

/// The order's status here and at the shop.
fn statuses(rig: &Rig, id: u64) -> (String, String) {
    (rig.status(id), rig.shop.status(id).unwrap())
}

fn both_cancelled() -> (String, String) {
    ("cancelled".to_owned(), "cancelled".to_owned())
}

/// How many notes of the order have this in them.
fn notes_with(rig: &Rig, id: u64, text: &str) -> usize {
    rig.shop.notes(id).iter().filter(|note| note["note"].as_str().unwrap().contains(text)).count()
}

#[test]
fn d8_a_cancellation_reaches_the_shop_and_says_what_it_does_not_do() {
    let (rig, ids) = Rig::with_orders(&[1]);
    let done = cancel(&rig, ids[0], "--reason sold-out").exits(0).prints("cancelled here and at the channel");
    done.says("no money is given back");
    assert_eq!(statuses(&rig, ids[0]), both_cancelled());
    assert_eq!((notes_with(&rig, ids[0], "sold-out"), rig.shop.mails(ids[0]).refunded), (1, 0));
    rig.sync();
    assert_eq!((rig.home.json("inbox"), &rig.show(ids[0])["changed_at_channel"]), (json!([]), &json!(false)));
}

#[test]
fn a_shipped_order_is_cancelled_by_force_only() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.home.run("dispatch 1 --carrier dhl --tracking JD01").exits(0);
    cancel(&rig, ids[0], "").exits(6).says("is shipped").says("--force");
    cancel(&rig, ids[0], "--local").exits(6);
    assert_eq!(statuses(&rig, ids[0]), ("shipped".to_owned(), "completed".to_owned()));
    cancel(&rig, ids[0], "--force").exits(0);
    assert_eq!(statuses(&rig, ids[0]), both_cancelled());
}

#[test]
fn d8_an_order_that_was_shipped_at_the_shop_meanwhile_is_not_cancelled_there() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.shop.complete_with_tracking(ids[0], "UPS", "1Z9");
    let done = cancel(&rig, ids[0], "").exits(6).says("shipped").says("nothing was sent");
    done.says("ordersync accept book:1").says("ordersync cancel book:1 --force").without("--as-local");
    assert_eq!(rig.shop.status(ids[0]).as_deref(), Some("completed"));
    assert_eq!(rig.status(ids[0]), "awaiting-fulfillment", "nothing is changed here either");
    assert!(rig.writes().is_empty());
    cancel(&rig, ids[0], "--force").exits(0);
    assert_eq!(statuses(&rig, ids[0]), both_cancelled());
}

#[test]
fn d3_a_cancellation_whose_answer_was_lost_leaves_one_note() {
    for (method, part) in [("POST", "/notes"), ("PUT", "/orders/")] {
        for kind in [FaultKind::AnswerLost, FaultKind::CutBefore, FaultKind::HtmlInstead] {
            let (rig, ids) = Rig::with_orders(&[1]);
            rig.fault(Fault::new(kind.clone()).on(method, part));
            cancel(&rig, ids[0], "--reason sold-out").exits(0);
            rig.home.run("retry").exits(0);
            assert_eq!(statuses(&rig, ids[0]), both_cancelled(), "{kind:?} at {method}");
            assert_eq!(notes_with(&rig, ids[0], "sold-out"), 1, "{kind:?} at {method}");
        }
    }
}

#[test]
fn a_dry_run_says_what_would_happen_and_does_nothing() {
    let (rig, ids) = Rig::with_orders(&[1]);
    cancel(&rig, ids[0], "--dry-run").exits(0).prints("would cancel");
    cancel(&rig, ids[0], "--dry-run --local").exits(0).prints("in the book only");
    let rehearsed = cancel(&rig, ids[0], "--dry-run --json").exits(0).json();
    assert_eq!((&rehearsed["state"], rehearsed["writes"].as_array().unwrap().len()), (&json!("dry-run"), 1));
    assert_eq!(statuses(&rig, ids[0]), ("awaiting-fulfillment".to_owned(), "processing".to_owned()));
}

#[test]
fn an_unpaid_order_can_be_cancelled_and_a_cancelled_one_not_be_dispatched() {
    let rig = Rig::new();
    let id = rig.shop.place_order(NewOrder::paid().unpaid());
    rig.sync();
    let told = cancel(&rig, id, "--json").exits(0).json();
    assert_eq!((&told["state"], &told["error"]), (&json!("confirmed"), &serde_json::Value::Null));
    assert_eq!(statuses(&rig, id), both_cancelled());
    rig.home.run("dispatch 1").exits(6).says("is cancelled");
    rig.home.run("cancel 77").exits(7);
}
