//! BigCommerce: what is read, by the real program over real HTTP.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ordersync::sim::bigcommerce::{Fee, NewOrder, Options, Scope};
use ordersync::sim::world::cents;
use ordersync::sim::{Fault, FaultKind, Simulated};
use serde_json::json;
use support::big::Rig;

fn paid(nth: u64) -> NewOrder {
    NewOrder::paid().line("TEE-001", u32::try_from(1 + nth % 3).unwrap())
}

#[test]
fn i3_a_store_that_answers_413_above_50_rows_is_read_to_its_end() {
    for include in [true, false] {
        let rig = Rig::unconnected(Options { largest_limit: 50, include, ..Options::rehearsal() });
        rig.shop.seed(70, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(2));
        let large = (1..=60).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), 1));
        let large = rig.shop.place_order(large);
        let refunded = rig.shop.place_order(NewOrder::paid().line("TEE-001", 3));
        assert!(rig.shop.refund_pieces(&refunded.to_string(), 0, 1));
        rig.connect("").exits(0);
        rig.sync();
        assert_eq!(rig.known(), rig.shop.numbers());
        assert_eq!(rig.show(large)["lines"].as_array().unwrap().len(), 60);
        assert_eq!(rig.show(refunded)["refunds"].as_array().unwrap().len(), 1);
        rig.on("dispatch", large, "--carrier dhl --tracking JD01").exits(0);
        assert_eq!(rig.tracking(large), ["JD01"]);
    }
}

#[test]
fn lists_that_know_no_pages_are_taken_once() {
    let rig = Rig::unconnected(Options { include: false, pages_of_parts: false, ..Options::rehearsal() });
    let ten = (1..=10).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), 1));
    let ten = rig.shop.place_order(ten);
    rig.connect("").exits(0);
    rig.server.clear_requests();
    rig.sync();
    assert_eq!(rig.show(ten)["lines"].as_array().unwrap().len(), 10);
    assert_eq!(rig.asked("/products").len(), 2, "the second page shows that there is none");
}

#[test]
fn refunds_that_cannot_be_asked_for_together_are_asked_for_order_by_order() {
    let rig = Rig::with(Options { refunds_of_several: false, ..Options::rehearsal() });
    let ids = [3, 4].map(|pieces| rig.shop.place_order(NewOrder::paid().line("TEE-001", pieces)));
    // A refund of an order that the pull has no business with.
    let elsewhere = rig.shop.place_order(NewOrder::paid().line("MUG-9", 2).at(Utc::now() - TimeDelta::days(300)));
    assert!(ids.iter().all(|id| rig.shop.refund_pieces(&id.to_string(), 0, 1)));
    rig.sync();
    assert!(rig.shop.refund_pieces(&elsewhere.to_string(), 0, 1));
    rig.server.clear_requests();
    rig.home.run(&format!("pull bigcommerce:{}", ids[0])).exits(0);
    for id in ids {
        assert_eq!(rig.show(id)["refunds"].as_array().unwrap().len(), 1);
    }
    assert_eq!(rig.asked(&format!("/orders/{}/payment_actions/refunds", ids[0])).len(), 1);
}

#[test]
fn a_store_that_does_not_count_its_orders_is_read_in_one_walk() {
    let rig = Rig::unconnected(Options::rehearsal());
    let id = rig.shop.place_order(paid(1));
    rig.connect("").exits(0);
    rig.fault(Fault::new(FaultKind::Redirect("http://127.0.0.1:1".to_owned())).on_path("/orders/count").times(9));
    rig.sync();
    assert_eq!(rig.known(), [id]);
}

#[test]
fn a_store_without_include_gives_the_same_orders_at_more_requests() {
    let rig = Rig::unconnected(Options::rehearsal());
    for nth in 0..6 {
        rig.shop.place_order(paid(nth));
    }
    let several = rig.shop.place_order(NewOrder::paid().line("TEE-001", 2).line_elsewhere("MUG-9", 1).coupon());
    let large = (1..=60).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), 1));
    let large = rig.shop.place_order(large);
    rig.shop.edit(several, |details| details.fees.push(Fee { id: 9, name: "Insurance".to_owned(), cost: cents(250) }));
    rig.shop.options().include = false;
    rig.connect("").exits(0).says("without their lines");
    rig.sync();
    let fetched = (rig.show(several), rig.show(large));
    assert_eq!(fetched.1["lines"].as_array().unwrap().len(), 60, "the list of lines has pages of its own");
    let with = Rig::over_same(&rig);
    with.connect("").exits(0);
    with.sync();
    for (id, shown) in [(several, fetched.0), (large, fetched.1)] {
        let whole = with.show(id);
        for member in ["lines", "ship_to", "total", "status"] {
            assert_eq!(shown[member], whole[member], "{member}");
        }
        let titles = |order: &serde_json::Value| {
            let charges = order["charges"].as_array().unwrap();
            charges.iter().map(|charge| (charge["kind"].clone(), charge["title"].clone())).collect::<Vec<_>>()
        };
        assert_eq!(titles(&shown), titles(&whole), "fees, shipping, taxes, discounts");
    }
}

#[test]
fn p4_archived_orders_are_looked_for_once_an_hour_and_only_where_the_store_lists_them() {
    for lists_archived in [true, false] {
        let rig = Rig::unconnected(Options { lists_archived, ..Options::rehearsal() });
        // Connected before there is any order: whether the store lists archived ones cannot be
        // known yet.
        rig.connect("").exits(0);
        let ids: Vec<u64> = (0..2).map(|nth| rig.shop.place_order(paid(nth))).collect();
        rig.sync();
        rig.shop.set_archived(ids[0], true);
        let unseen = rig.shop.place_order(paid(5));
        rig.shop.set_archived(unseen, true);
        rig.sync();
        assert_eq!(rig.show(ids[0])["changed_at_channel"], false, "the ordinary list does not have it any more");
        rig.home.sql("UPDATE cursors SET looked_at = 0 WHERE walk LIKE 'pass/%'");
        rig.sync();
        let shown = rig.show(ids[0]);
        assert_eq!((&shown["presence"], &shown["status"]), (&json!("listed"), &json!("awaiting-fulfillment")));
        assert_eq!(shown["changed_at_channel"], lists_archived, "kept beside the merchant's copy");
        let archived = json!([{ "aspect": "archived", "before": "not archived", "after": "archived" }]);
        assert_eq!(shown["differences"], if lists_archived { archived } else { json!([]) });
        assert_eq!(rig.known().contains(&unseen), lists_archived, "one that was never seen comes as what it is");
        assert_eq!(rig.home.json("inbox"), json!([]));
    }
}

#[test]
fn f4_xml_and_html_are_told_from_answers_and_nothing_is_lost() {
    let rig = Rig::new();
    rig.sync();
    let id = rig.shop.place_order(paid(1));
    rig.fault(Fault::new(FaultKind::HtmlInstead).on_path("/v2/orders").times(50));
    let done = rig.home.run("sync").done();
    assert!(matches!(done.code, Some(1 | 5)) && done.stderr.contains("HTML"), "{done:?}");
    rig.server.faults().clear();
    rig.sync();
    assert_eq!(rig.known(), [id]);
    let accept =
        rig.server.requests().iter().all(|r| r.headers.iter().any(|h| h.0 == "accept" && h.1 == "application/json"));
    assert!(accept, "without it V2 answers in XML");
}

#[test]
fn i6_a_quota_that_other_apps_use_too_costs_pauses_and_no_429() {
    let window = Duration::from_secs(2);
    let rig = Rig::with(Options { quota: 12, window, others: 4, include: false, ..Options::default() });
    for nth in 0..6 {
        rig.shop.place_order(paid(nth));
    }
    rig.sync();
    assert_eq!(rig.known(), rig.shop.numbers());
    let refused = rig.server.requests().iter().filter(|request| request.status == Some(429)).count();
    assert!(refused <= 1, "{refused} requests over the quota");
    assert!(rig.server.requests().len() > 12, "more than one window's worth");
}

#[test]
fn i6_what_is_left_of_a_quota_is_known_to_the_next_process_and_to_one_beside_it() {
    let rig = Rig::unconnected(Options { quota: 8, window: Duration::from_secs(2), ..Options::rehearsal() });
    rig.connect("--set reserve=0").exits(0);
    let id = rig.order(&paid(1));
    for _ in 0..6 {
        let pull = || rig.home.spawn(&format!("pull bigcommerce:{id}"), &[]);
        for mut process in [pull(), pull()] {
            assert!(process.wait().unwrap().success());
        }
    }
    let requests = rig.server.requests();
    let refused = requests.iter().filter(|request| request.status == Some(429)).count();
    // Of two at once each may take what was the last.
    assert!(refused * 10 <= requests.len() && requests.len() > 8, "{refused} of {}", requests.len());
}

#[test]
fn a_token_without_the_scope_to_read_orders_connects_nothing() {
    let rig = Rig::unconnected(Options { orders: Scope::None, ..Options::rehearsal() });
    rig.connect("").exits(4).says("Orders: read-only");
    rig.home.run("connect --list").exits(0).without("Green Cat");
    let reads = Rig::unconnected(Options { information: false, ..Options::rehearsal() });
    reads.connect("").exits(0).says("Information & Settings");
}

#[test]
fn f3_a_deleted_api_account_is_exit_4_and_maintenance_exit_5() {
    let rig = Rig::new();
    rig.sync();
    rig.shop.set_revoked(true);
    rig.home.run("sync").exits(4).says("401").says("connect --reauth bigcommerce");
    rig.shop.set_revoked(false);
    let id = rig.shop.place_order(paid(1));
    rig.sync();
    assert_eq!((rig.known(), rig.home.json("inbox")), (vec![id], json!([])));
    rig.shop.set_down(true);
    rig.home.run("sync").exits(5).says("maintenance");
    rig.shop.set_down(false);
    rig.sync();
}

#[test]
fn i4_an_order_at_whose_lines_or_refunds_the_store_fails_costs_one_order() {
    let rig = Rig::with(Options { include: false, ..Options::rehearsal() });
    let ids: Vec<u64> = (0..4).map(|nth| rig.shop.place_order(paid(nth))).collect();
    let refunded: Vec<u64> = (0..3).map(|_| rig.shop.place_order(NewOrder::paid().line("TEE-001", 4))).collect();
    assert!(refunded.iter().all(|id| rig.shop.refund_pieces(&id.to_string(), 0, 1)));
    rig.fault(Fault::new(FaultKind::ServerError(500)).on_path(&format!("/orders/{}/products", ids[1])).always());
    // Neither together nor alone.
    rig.fault(Fault::new(FaultKind::ServerError(500)).on_path("order_id:in").always());
    rig.fault(
        Fault::new(FaultKind::ServerError(500)).on_path(&format!("/orders/{}/payment_actions", refunded[1])).always(),
    );
    rig.home.run("sync").exits(3);
    assert_eq!(rig.known(), [ids[0], ids[2], ids[3], refunded[0], refunded[2]]);
    let inbox = rig.home.json("inbox").to_string();
    assert!([ids[1], refunded[1]].iter().all(|id| inbox.contains(&format!("order {id} "))), "{inbox}");
    rig.server.faults().clear();
    rig.home.sql("UPDATE rereads SET due_at = 0");
    rig.sync();
    rig.assert_settled("mended");
}

#[test]
fn i5_lines_that_nobody_can_have_are_an_outage_and_no_order_is_to_blame() {
    let rig = Rig::with(Options { include: false, ..Options::rehearsal() });
    (0..4).for_each(|nth| _ = rig.shop.place_order(paid(nth)));
    rig.fault(Fault::new(FaultKind::ServerError(500)).on_path("/products").always());
    rig.home.run("sync").exits(5);
    assert_eq!(rig.home.json("inbox"), json!([]));
    rig.server.faults().clear();
    rig.sync();
    rig.assert_settled("up again");
}

#[test]
fn i4_lines_that_the_list_loses_are_fetched() {
    let rig = Rig::with(Options { loses_lines: true, ..Options::rehearsal() });
    let id = rig.shop.place_order(NewOrder::paid().line("TEE-001", 2).only_virtual());
    rig.sync();
    let shown = rig.show(id);
    assert_eq!(shown["lines"].as_array().unwrap().len(), 2, "{shown}");
    assert_eq!(shown["status"], "awaiting-fulfillment");
    assert!(!shown["charges"].as_array().unwrap().iter().any(|charge| charge["kind"] == "other"), "{shown}");
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
    assert_eq!(rig.tracking(id), ["JD01"]);
}

/// Outside of the store's gateways no payment tells of a refund, and the next status takes the
/// place of the one that did.
#[test]
fn p10_a_refund_stays_known_when_the_merchant_goes_on_with_the_order() {
    let rig = Rig::with(Options::rehearsal());
    let offline = NewOrder { payment: "Cash on Delivery".to_owned(), ..NewOrder::paid() };
    let id = rig.shop.place_order(offline.line("TEE-001", 2));
    rig.sync();
    assert!(rig.shop.refund(&id.to_string(), "10.00"));
    rig.sync();
    assert_eq!(rig.show(id)["refunds"].as_array().unwrap().len(), 1);
    assert!(rig.shop.set_status(id, 11));
    rig.sync();
    let shown = rig.show(id);
    assert_eq!(
        (shown["refunds"].as_array().unwrap().len(), &shown["totals"]["refunded"]),
        (1, &json!("10.00")),
        "{shown}"
    );
}

#[test]
fn p12_what_is_sent_in_part_and_set_back_is_sent_in_part() {
    let rig = Rig::with(Options { moves_status: false, ..Options::rehearsal() });
    let id = rig.shop.place_order(NewOrder::paid().line("TEE-001", 2));
    rig.sync();
    rig.on("dispatch", id, "--item TEE-001=1 --carrier dhl --tracking JD01").exits(0);
    rig.sync();
    let fresh = Rig::over_same(&rig);
    fresh.connect("").exits(0);
    assert!(rig.shop.set_status(id, 9));
    fresh.sync();
    assert_eq!(fresh.show(id)["status"], "partially-shipped");
    // What has begun is not cancelled by itself.
    assert!(rig.shop.set_status(id, 5));
    fresh.sync();
    assert_eq!(fresh.show(id)["status"], "partially-shipped");
    let inbox = fresh.home.json("inbox").to_string();
    assert!(inbox.contains("cancelled at BigCommerce after dispatch"), "{inbox}");
}
