//! WooCommerce: the oddities of its lists and documents, its plugins and its servers, as far as
//! orders are read. What every channel keeps is in `tests/contract`.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use ordersync::clock::ManualClock;
use ordersync::sim::woocommerce::*;
use ordersync::sim::{Exchange, Fault, FaultKind, Server, ServerOptions, Simulated, WrongType};
use serde_json::json;
use support::program::{EXPORT, dies};
use support::woo::{self, ORDERS, Rig, Served};

/// What only the requests for pages of orders have in them, not the first look at the newest.
const PAGE: &str = "per_page=100";

/// Arms a fault that strikes every request for orders.
fn broken(rig: &Rig, kind: FaultKind) {
    rig.fault(Fault::new(kind).on_path(ORDERS).always());
}

#[test]
fn i2_orders_come_in_all_statuses_and_drafts_do_not() {
    let rig = Rig::new();
    let statuses = [
        ("pending", "awaiting-payment"),
        ("on-hold", "awaiting-payment"),
        ("failed", "awaiting-payment"),
        ("processing", "awaiting-fulfillment"),
        ("completed", "shipped"),
        ("cancelled", "cancelled"),
    ];
    let ids: Vec<u64> =
        statuses.iter().map(|(there, _)| rig.shop.place_order(NewOrder::paid().status(there))).collect();
    rig.shop.place_order(NewOrder::paid().status("checkout-draft"));
    rig.sync();
    for (id, (there, here)) in ids.iter().zip(statuses) {
        assert_eq!((rig.status(*id).as_str(), &rig.show(*id)["channel_status"]), (here, &there.into()));
    }
    assert_eq!(rig.home.json("orders").as_array().unwrap().len(), statuses.len());
    rig.assert_converged("all statuses");
}

#[test]
fn f4_notices_of_php_are_cut_away_and_told_of() {
    let rig = Rig::new();
    for kind in [FaultKind::NoticeBefore, FaultKind::NoticeAfter] {
        rig.paid(1);
        broken(&rig, kind);
        rig.home.run("sync -v").exits(0).says("the shop prints notices");
        rig.plug_in();
    }
    rig.paid(1);
    broken(&rig, FaultKind::ByteOrderMark);
    rig.sync();
    rig.assert_converged("notices");
}

#[test]
fn f4_a_page_that_is_too_much_for_the_shop_is_read_in_smaller_ones() {
    let rig = Rig::new();
    for pieces in 1..=30 {
        rig.paid(pieces);
    }
    rig.fault(Fault::new(FaultKind::ServerError(502)).on_path("per_page=100").always());
    rig.sync();
    rig.assert_converged("smaller pages");
}

#[test]
fn f4_a_clock_that_is_hours_off_is_named() {
    let clock = Arc::new(ManualClock::at(Utc::now() + TimeDelta::hours(5)));
    let shop = Arc::new(Shop::new(Options { https_seen: HttpsSeen::AsConnected, ..Options::demo() }, clock));
    let server = Server::start(shop.clone(), ServerOptions::default()).unwrap();
    let rig = Rig { served: Served { shop, server }, home: woo::home() };
    rig.connect("").exits(4).says("clock").says("timedatectl");
}

#[test]
fn i4_an_order_whose_refunds_the_shop_cannot_show_costs_one_order() {
    let rig = Rig::new();
    let (whole, broken) = (rig.paid(2), rig.paid(3));
    let item = rig.shop.item_ids(broken)[0];
    assert!(rig.shop.refund_line(broken, item, 1, "12.90").is_some());
    rig.fault(Fault::new(FaultKind::ServerError(500)).on("GET", "refunds").always());
    rig.home.run("sync").exits(3);
    assert_eq!(rig.home.sql("SELECT remote_id FROM orders"), [whole.to_string()]);
    let inbox = rig.home.json("inbox").to_string();
    assert!(inbox.contains("unshown") && inbox.contains(&broken.to_string()), "{inbox}");
    rig.plug_in();
    rig.home.run(&format!("pull woocommerce:{broken}")).exits(0);
    assert_eq!(rig.show(broken)["lines"][0]["left"], "2");
}

/// How many requests for refunds there were: for those of several orders, and for those of one.
fn asked_for_refunds(rig: &Rig) -> (usize, usize) {
    let requests = rig.server.requests();
    let of =
        |part: &str| requests.iter().filter(|one| one.path.ends_with("/refunds") && one.path.contains(part)).count();
    (of("/wc/v3/refunds"), of("/orders/"))
}

/// The shop's list of all refunds gives those that it is asked for by their ids, and knows no order
/// to ask for.
#[test]
fn q5_the_refunds_of_a_page_of_orders_cost_one_request_more() {
    let old = || Utc::now() - TimeDelta::days(90);
    for (profile, kind, expected) in [
        (Profile::V10_5, None, (1, 0)),
        (Profile::V10_0_2Posts, None, (1, 0)),
        (Profile::V10_5, Some(FaultKind::PageCap(40)), (3, 0)),
        (Profile::V10_5, Some(deaf(&["include"])), (1, 100)),
        (Profile::V5_6, None, (0, 100)),
    ] {
        let rig = Rig::with(Options { profile, ..Options::demo() });
        let refunded = |at| {
            let id = rig.shop.place_order(NewOrder::paid().line("TEE-001", 2).at(at));
            rig.shop.refund_line(id, rig.shop.item_ids(id)[0], 1, "12.90").unwrap();
            id
        };
        // What is on no page of this sync would come in the place of what is asked for.
        rig.shop.redate(&refunded(old()).to_string(), old());
        let ids: Vec<u64> = (0..100).map(|_| refunded(Utc::now() - TimeDelta::hours(2))).collect();
        if let Some(kind) = &kind {
            rig.fault(Fault::new(kind.clone()).on_path("wc/v3/refunds").always());
        }
        rig.server.clear_requests();
        rig.sync();
        assert_eq!(asked_for_refunds(&rig), expected, "{profile:?} {kind:?}");
        for id in [ids[0], ids[57], ids[99]] {
            assert_eq!(rig.show(id)["lines"][0]["left"], "1", "{profile:?} {kind:?}");
        }
        rig.server.clear_requests();
        rig.parcel(ids[3], "JD01").done();
        let (together, alone) = asked_for_refunds(&rig);
        assert!(together + alone <= 6, "{profile:?} {kind:?}: {together} and {alone}");
    }
}

#[test]
fn i4_orders_without_an_id_or_a_date_cost_themselves_only() {
    for wrong in [WrongType::IdIsText, WrongType::DatesMissing] {
        let rig = Rig::new();
        let ids = [rig.paid(1), rig.paid(2), rig.paid(3)];
        rig.fault(Fault::new(FaultKind::WrongType(wrong, Some(ids[1]))).on_path(PAGE));
        rig.home.run("sync").exits(3);
        assert_eq!(rig.home.json("orders").as_array().unwrap().len(), 2, "{wrong:?}");
        rig.shop.touch(&ids[1].to_string());
        rig.home.run("sync").exits(0);
        rig.assert_converged(&format!("{wrong:?}"));
    }
}

#[test]
fn what_no_list_of_changes_shows_is_looked_for_every_hour() {
    let (rig, ids) = Rig::with_orders(&[1, 2]);
    rig.shop.trash(ids[0]);
    rig.shop.refund_silently(ids[1], "3.00").unwrap();
    rig.home.sql("UPDATE cursors SET looked_at = looked_at - 3700000 WHERE walk LIKE 'pass/%'");
    rig.sync();
    assert_eq!(rig.home.json("inbox")[0]["kind"], "cancelled");
    assert_eq!(rig.show(ids[1])["changed_at_channel"], true);
}

#[test]
fn i2_a_full_sync_looks_through_the_bin_and_the_refunds_too() {
    for orders in [2, 460] {
        let rig = Rig::new();
        rig.shop.seed(orders, Utc::now() - TimeDelta::days(3), Utc::now() - TimeDelta::hours(3));
        let ids = [rig.paid(1), rig.paid(2)];
        rig.sync();
        rig.shop.trash(ids[0]);
        rig.shop.refund_silently(ids[1], "3.00").unwrap();
        rig.sync();
        assert_eq!(rig.home.json("inbox"), json!([]), "{orders}: within the hour");
        rig.home.run("sync --full").exits(0);
        let inbox = rig.home.json("inbox");
        assert_eq!((&inbox[0]["kind"], inbox.as_array().unwrap().len()), (&json!("cancelled"), 1), "{orders}: {inbox}");
        assert_eq!(rig.show(ids[1])["changed_at_channel"], true, "{orders}");
    }
}

#[test]
fn d4_an_order_that_the_shop_has_fulfilled_as_a_whole_has_its_parcels_and_is_adopted() {
    let (rig, ids) = Rig::with_orders(&[3, 2, 1]);
    let item = |id| rig.shop.item_ids(id)[0];
    for number in ["1ZA", "1ZB", "1ZC"] {
        assert!(rig.shop.fulfill(ids[0], &[(item(ids[0]), 1)], "ups", number));
    }
    assert!(rig.shop.fulfill(ids[1], &[(item(ids[1]), 1)], "ups", "1ZD"));
    rig.sync();
    // Imported as it is, with what is in each.
    let imported = rig.paid(3);
    for number in ["1ZE", "1ZF", "1ZG"] {
        assert!(rig.shop.fulfill(imported, &[(item(imported), 1)], "ups", number));
    }
    rig.server.clear_requests();
    rig.sync();
    let asked = rig.server.requests().iter().filter(|one| one.path.ends_with("/fulfillments")).count();
    assert!(asked <= 3, "one request for each order that has some, not {asked}");
    let shown = rig.show(imported);
    let parcels: Vec<&str> = shown["shipments"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["parcels"].as_array().unwrap())
        .map(|parcel| parcel["tracking"].as_str().unwrap())
        .collect();
    assert_eq!((&shown["status"], parcels), (&json!("shipped"), vec!["1ZE", "1ZF", "1ZG"]), "{shown}");
    rig.home.run(&format!("show woocommerce:{}", ids[0])).exits(0).prints("1ZA, ups 1ZB, ups 1ZC");
    // What the shop has told already is taken over, and the rest of it is sent.
    rig.dispatch(ids[0], "--carrier ups --tracking 1ZA --as-local").done();
    rig.home.run(&format!("accept woocommerce:{}", ids[1])).exits(0);
    rig.dispatch(ids[1], "--carrier ups --tracking 1ZH").exits(0);
    rig.sync();
    let drift = rig.show(ids[1])["differences"].to_string();
    assert!(!drift.contains("without tracking"), "{drift}");
    rig.dispatch(ids[2], "--carrier ups --tracking 1ZI --carrier ups --tracking 1ZJ").exits(0);
    rig.sync();
    let drift = rig.show(ids[2])["differences"].to_string();
    assert!(!drift.contains("without tracking") && !drift.contains("1ZI, 1ZJ\""), "{drift}");
}

#[test]
fn p3_what_the_shop_fulfils_by_itself_is_no_parcel_that_was_begun() {
    let rig = Rig::with(Options { fulfills_virtual: true, ..Options::demo() });
    rig.home.run("config set woocommerce.cancels apply").exits(0);
    let mixed = || NewOrder::paid().line("VOUCHER-25", 1).line("TEE-001", 2);
    let [cancelled, sent, by_hand] = [0; 3].map(|_| rig.shop.place_order(mixed()));
    let unpaid = rig.shop.place_order(mixed().unpaid());
    rig.sync();
    rig.shop.set_status(unpaid, "processing");
    rig.server.clear_requests();
    rig.sync();
    let products = rig.server.requests().iter().filter(|one| one.path.contains("/products")).count();
    assert_eq!(products, 1, "for all orders of the page");
    for id in [cancelled, sent, by_hand, unpaid] {
        let shown = rig.show(id);
        assert_eq!((&shown["status"], &shown["shipments"]), (&json!("awaiting-fulfillment"), &json!([])), "{shown}");
        assert_eq!((&shown["lines"][0]["ships"], &shown["lines"][1]["left"]), (&json!(false), &json!("2")), "{shown}");
        assert_eq!(shown["differences"], json!([]), "{shown}");
    }
    rig.shop.cancel(cancelled);
    rig.parcel(sent, "JD01").exits(0);
    // Goods are a parcel without a number too.
    assert!(rig.shop.fulfill(by_hand, &[(rig.shop.item_ids(by_hand)[1], 1)], "", ""));
    rig.sync();
    assert_eq!((rig.status(cancelled).as_str(), rig.status(sent).as_str()), ("cancelled", "shipped"));
    assert!(!rig.show(sent)["differences"].to_string().contains("without tracking"), "{}", rig.show(sent));
    let differences = rig.show(by_hand)["differences"].to_string();
    assert!(differences.contains("partly shipped (1 shipment without tracking)"), "{differences}");
}

#[test]
fn p12_goods_with_a_download_are_sent_whatever_the_shop_has_fulfilled_by_itself() {
    let rig = Rig::with(Options { downloadable: vec!["BOOK-7".to_owned()], ..Options::demo() });
    let book = || rig.shop.place_order(NewOrder::paid().line("BOOK-7", 1));
    let mixed = rig.shop.place_order(NewOrder::paid().line("BOOK-7", 2).line("TEE-001", 1));
    let ids = [book(), mixed];
    rig.sync();
    for id in ids {
        let shown = rig.show(id);
        assert_eq!((&shown["status"], &shown["shipments"]), (&json!("awaiting-fulfillment"), &json!([])), "{shown}");
        assert!(shown["lines"].as_array().unwrap().iter().all(|line| line["ships"] == true), "{shown}");
        rig.parcel(id, "JD01").exits(0);
        rig.sync();
        assert_eq!((rig.status(id).as_str(), rig.shop.status(id).as_deref()), ("shipped", Some("completed")));
    }
    // A merchant's own is told by what the shop would not have made.
    let sent = rig.shop.place_order(NewOrder::paid().line("BOOK-7", 1).line("TEE-001", 1));
    assert!(rig.shop.fulfill(sent, &[(rig.shop.item_ids(sent)[1], 1)], "", ""));
    rig.sync();
    let shown = rig.show(sent);
    assert_eq!((&shown["status"], &shown["lines"][0]["left"]), (&json!("partially-shipped"), &json!("1")), "{shown}");
    // Where its time tells nothing, nobody guesses.
    let doubtful = book();
    assert!(rig.shop.date_fulfillment(doubtful, 0, Utc::now() + TimeDelta::hours(5)));
    rig.sync();
    assert_eq!(rig.status(doubtful), "on-hold");
    rig.parcel(doubtful, "JD02").exits(6).says("held back").says("without a tracking number");
    assert!(rig.home.json("inbox").to_string().contains("without a tracking number"));
    rig.parcel(doubtful, "JD02 --on-hold").exits(0);
}

#[test]
fn p12_vouchers_and_services_are_not_offered_for_shipping() {
    for downloadable in [vec![], vec!["VOUCHER-25".to_owned()]] {
        let rig = Rig::with(Options { downloadable, fulfillments: false, ..Options::demo() });
        let ids: Vec<u64> = (0..5).map(|_| rig.shop.place_order(NewOrder::paid().only_virtual())).collect();
        let goods = rig.paid(2);
        rig.sync();
        let asked = rig.server.requests().iter().filter(|one| one.path.contains("/products")).count();
        assert!(asked <= 1, "{asked} requests for a page of orders");
        for id in ids {
            let shown = rig.show(id);
            assert_eq!((&shown["lines"][0]["ships"], &shown["ship_to"]), (&json!(false), &json!([])), "{shown}");
            rig.parcel(id, "JD01").exits(6).says("needs no parcel");
        }
        assert_eq!((&rig.show(goods)["lines"][0]["ships"], rig.writes().len()), (&json!(true), 0));
    }
}

#[test]
fn p12_what_a_marketplace_plugin_has_made_of_an_order_is_counted_once() {
    for source in ["dokan", "yith_wcmv_vendor_suborder"] {
        let rig = Rig::new();
        let parent = rig.shop.place_order(NewOrder::of(&[("TEE-001", 2), ("MUG-9", 1)]));
        let child = |sku: &str, pieces| {
            let id = rig.shop.place_order(NewOrder::paid().line(sku, pieces).source(source));
            assert!(rig.shop.set_parent(id, parent));
            id
        };
        let children = [child("TEE-001", 2), child("MUG-9", 1)];
        // One that a split moved its pieces to is an order like any other.
        let split = rig.paid(1);
        assert!(rig.shop.set_parent(split, parent));
        rig.sync();
        for id in children {
            assert_eq!(rig.status(id), "on-hold", "{source}");
            rig.parcel(id, "JD01").exits(6).says("held back").says(&format!("order {parent}"));
        }
        for id in [split, parent] {
            assert_eq!(rig.status(id), "awaiting-fulfillment", "{source}");
        }
        rig.parcel(parent, "JD01").exits(0);
    }
}

#[test]
fn p10_refunds_that_an_order_does_not_list_are_asked_for_where_its_status_names_them() {
    let rig = Rig::with(Options { hides_refunds: true, ..Options::demo() });
    let id = rig.paid(2);
    rig.shop.refund_line(id, rig.shop.item_ids(id)[0], 1, "12.90").unwrap();
    rig.shop.set_status(id, "refunded");
    rig.sync();
    let shown = rig.show(id);
    let refunds = shown["refunds"].as_array().unwrap();
    assert_eq!((refunds.len(), &refunds[0]["amount"]), (2, &json!("12.90")), "{shown}");
    assert_eq!(shown["lines"][0]["refunded"], "1", "{shown}");
    rig.parcel(id, "JD01").exits(6).says("refunded in full");
}

#[test]
fn p10_a_refund_that_only_the_list_of_refunds_has_stays_whatever_the_order_lists() {
    let rig = Rig::with(Options { hides_refunds: true, ..Options::demo() });
    let ids = [rig.paid(2), rig.paid(2), rig.paid(2)];
    rig.sync();
    let refund = |id: u64| rig.shop.refund_line(id, rig.shop.item_ids(id)[0], 1, "12.90").unwrap();
    refund(ids[0]);
    rig.home.sql("UPDATE cursors SET looked_at = looked_at - 3700000 WHERE walk LIKE 'pass/%'");
    rig.sync();
    assert_eq!(rig.show(ids[0])["differences"].to_string().matches("refund").count().min(1), 1, "{}", rig.show(ids[0]));
    // From now on it is known of the shop, in each process: before a dispatch, and on a page.
    refund(ids[1]);
    rig.parcel(ids[1], "JD01").exits(6).says("refund");
    rig.shop.touch(&ids[0].to_string());
    rig.shop.touch(&ids[2].to_string());
    rig.sync();
    assert!(rig.show(ids[0])["differences"].to_string().contains("refund"), "{}", rig.show(ids[0]));
    rig.parcel(ids[2], "JD02").exits(0);
}

/// Of years of refunds those are read that the orders at hand can have.
#[test]
fn p10_of_a_shop_whose_orders_leave_refunds_out_no_more_of_its_list_is_read_than_orders_at_hand_need() {
    let rig = Rig::with(Options { hides_refunds: true, ..Options::demo() });
    let old: Vec<u64> =
        (0..250).map(|_| rig.shop.place_order(NewOrder::paid().at(Utc::now() - TimeDelta::days(300)))).collect();
    rig.shop.set_clock(-200 * 1_440);
    for id in &old {
        rig.shop.refund_line(*id, rig.shop.item_ids(*id)[0], 1, "1.00").unwrap();
    }
    rig.shop.set_clock(0);
    let new = [rig.paid(2), rig.paid(2), rig.paid(2)];
    rig.sync();
    // What the look at the newest refunds finds of one order is known of the shop from then on.
    let refund = |id: u64| rig.shop.refund_line(id, rig.shop.item_ids(id)[0], 1, "12.90").unwrap();
    refund(new[0]);
    rig.home.sql("UPDATE cursors SET looked_at = looked_at - 3700000 WHERE walk LIKE 'pass/%'");
    rig.sync();
    refund(new[1]);
    new.iter().for_each(|id| assert!(rig.shop.touch(&id.to_string())));
    rig.server.clear_requests();
    rig.sync();
    assert!(rig.show(new[1])["differences"].to_string().contains("refund"), "{}", rig.show(new[1]));
    let is_by_ids = |one: &Exchange| one.query.iter().any(|(name, _)| name == "include");
    let requests = rig.server.requests();
    let lists = requests.iter().filter(|one| one.path.ends_with("wc/v3/refunds") && !is_by_ids(one)).count();
    assert_eq!(lists, 1, "pages of the list of all refunds for three orders of today");
}

#[test]
fn i8_money_is_text_times_are_utc_and_ids_are_text() {
    let rig = Rig::with(Options { decimals: 3, currency: "KWD".to_owned(), ..Options::demo() });
    let id = rig.shop.place_order(NewOrder::paid().line("SHIRT-XL-OCE", 13).coupon());
    rig.sync();
    let (show, there) = (rig.show(id), rig.shop.order_json(id).unwrap());
    assert_eq!((&show["totals"]["total"], &show["currency"]), (&there["total"], &json!("KWD")));
    assert_eq!(show["placed_at"], format!("{}Z", there["date_created_gmt"].as_str().unwrap()));
    assert!(show["order"].is_string() && show["lines"][0]["id"].is_string());
    let document = rig.home.json(&format!("show woocommerce:{id} --raw"));
    assert_eq!(document, there, "the shop's own document is kept as it came");
}

/// A shop with this many orders of the last days, some of them changed in one second, and something
/// before it.
fn meddled(orders: u64, kind: FaultKind) -> Rig {
    let rig = Rig::new();
    rig.shop.seed(orders, Utc::now() - TimeDelta::days(3), Utc::now() - TimeDelta::hours(1));
    rig.fault(Fault::new(kind).on_path(ORDERS).always());
    rig
}

fn deaf(parameters: &[&str]) -> FaultKind {
    FaultKind::Deaf(parameters.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn i3_a_shop_that_gives_fewer_orders_than_asked_for_is_read_to_its_end() {
    for (kind, orders) in [
        (FaultKind::OnePage(10), 54),
        (FaultKind::OnePage(25), 420),
        (deaf(&["per_page"]), 54),
        (deaf(&["exclude"]), 420),
        (deaf(&["orderby"]), 54),
        (FaultKind::NoCount, 54),
        (FaultKind::NoCount, 420),
    ] {
        let rig = meddled(orders, kind.clone());
        rig.sync();
        rig.assert_converged(&format!("{kind:?} with {orders}"));
        let id = rig.paid(1);
        rig.sync();
        assert_eq!(rig.status(id), "awaiting-fulfillment", "{kind:?}");
        // As many at once as no page holds.
        let many: Vec<u64> = (0..30).map(|_| rig.paid(1)).collect();
        rig.sync();
        for id in many {
            assert_eq!(rig.status(id), "awaiting-fulfillment", "{kind:?}");
        }
    }
}

#[test]
fn i3_a_shop_that_ignores_what_it_is_asked_moves_no_position() {
    for (kind, orders) in [(deaf(&[]), 54), (deaf(&["modified_after", "modified_before"]), 420)] {
        let rig = meddled(orders, kind.clone());
        rig.home.run("sync").exits(1).says("does not answer what it is asked").says("connect --test woocommerce");
        assert!(rig.server.requests().len() < 60, "{kind:?}: {} requests", rig.server.requests().len());
        rig.plug_in();
        rig.sync();
        rig.assert_converged(&format!("after {kind:?}"));
    }
}

#[test]
fn i3_connect_tells_of_a_shop_that_ignores_what_it_is_asked() {
    for (kind, code, says) in [
        (deaf(&[]), 1, "does not answer what it is asked"),
        (deaf(&["modified_after"]), 1, "modified before the time asked for"),
        (FaultKind::PageCap(10), 0, "10 orders a page"),
        (FaultKind::NoCount, 0, "X-WP-Total"),
    ] {
        let rig = Rig { served: Served::new(Options::demo()), home: woo::home() };
        rig.shop.seed(54, Utc::now() - TimeDelta::days(3), Utc::now() - TimeDelta::hours(1));
        rig.fault(Fault::new(kind).on_path(ORDERS).always());
        rig.connect("").exits(code).says(says);
    }
}

#[test]
fn i3_a_position_that_an_earlier_version_moved_into_the_future_loses_nothing() {
    let (rig, _) = Rig::with_orders(&[1, 2]);
    let future = Utc::now() + TimeDelta::days(400);
    let position = rig.home.sql("SELECT position FROM cursors WHERE walk = 'changes'")[0].clone();
    let mut led: serde_json::Value = serde_json::from_str(&position).unwrap();
    led["rest"]["high"] = json!(future.timestamp());
    rig.home.sql(&format!("UPDATE cursors SET position = '{led}' WHERE walk = 'changes'"));
    let missed = rig.paid(6);
    rig.home.run("sync -v").exits(0).says("lay ahead of the shop's own clock");
    let next = rig.paid(7);
    rig.sync();
    assert_eq!(
        (rig.status(missed).as_str(), rig.status(next).as_str()),
        ("awaiting-fulfillment", "awaiting-fulfillment")
    );
    rig.assert_converged("the future");
}

#[test]
fn i3_a_shop_whose_clock_is_hours_off_loses_nothing() {
    for hours in [-7, -2, 3, 9] {
        let rig = Rig::new();
        for pieces in 1..=4 {
            // What its clock says goes into the dates of its orders; the answers' Date comes from a
            // server before it.
            let at = Utc::now() + TimeDelta::hours(hours);
            let id = rig.shop.place_order(NewOrder::paid().line("TEE-001", pieces).at(at));
            rig.shop.redate(&id.to_string(), at);
            rig.sync();
            assert_eq!(rig.status(id), "awaiting-fulfillment", "{hours} h, order {pieces}");
        }
        rig.assert_converged(&format!("{hours} h"));
    }
}

#[test]
fn p12_words_of_plugins_are_understood_and_one_that_nobody_knows_is_told_once_with_the_command_that_maps_it() {
    let words = ["shipped", "partial-shipped", "ready-pickup", "gluing", "drying"];
    let custom_statuses = words.map(str::to_owned).to_vec();
    let rig = Rig::with(Options { custom_statuses, ..Options::demo() });
    let place = |word: &str| {
        let id = rig.shop.place_order(NewOrder::paid());
        rig.shop.set_status(id, word);
        id
    };
    let ids = words.map(place);
    let glued = place("gluing");
    rig.sync();
    let status = |nth: usize| rig.status(ids[nth]);
    assert_eq!(
        (status(0).as_str(), status(1).as_str(), status(2).as_str()),
        ("shipped", "partially-shipped", "awaiting-fulfillment")
    );
    let told = |rig: &Rig| -> Vec<serde_json::Value> {
        let inbox = rig.home.json("inbox");
        inbox.as_array().unwrap().iter().filter(|entry| entry["kind"] == "status").cloned().collect()
    };
    let entries = told(&rig);
    assert_eq!(entries.len(), 2, "{entries:?}");
    let hint =
        entries.iter().map(|entry| entry["hint"].as_str().unwrap()).find(|hint| hint.contains("gluing")).unwrap();
    assert!(hint.starts_with("ordersync config set woocommerce.statuses gluing="), "{hint}");
    // One of them is worked on: a new meaning leaves it alone.
    rig.home.run(&format!("dispatch woocommerce:{glued} --carrier dhl --tracking JD01 --later")).exits(0);
    rig.home.run("config set woocommerce.statuses gluing=on-hold").exits(0);
    assert_eq!((status(3).as_str(), rig.status(glued).as_str()), ("on-hold", "shipped"));
    assert_eq!(told(&rig).len(), 1);
    rig.shop.touch(&ids[3].to_string());
    rig.home.run("sync").done();
    assert_eq!(
        (status(3).as_str(), told(&rig).len()),
        ("on-hold", 1),
        "and a sync that brings the same again changes nothing"
    );
    assert!(rig.show(ids[3])["drift"].is_null() || rig.show(ids[3])["drift"] == json!([]), "{}", rig.show(ids[3]));
    let hint = told(&rig)[0]["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("statuses drying="), "{hint}");
    // The advice for the second word leaves what was said of the first.
    rig.home.run("config set woocommerce.statuses drying=shipped").exits(0);
    rig.home.run("config get woocommerce.statuses").exits(0).prints("gluing=on-hold,drying=shipped");
}

#[test]
fn p12_a_word_that_nobody_knows_is_told_by_a_read_of_one_order_as_by_a_sync() {
    let rig = Rig::with(Options { custom_statuses: vec!["xqzt".to_owned()], ..Options::demo() });
    let id = rig.paid(1);
    assert!(rig.shop.set_status(id, "xqzt"));
    let asked = || rig.home.json("inbox").to_string().matches("woocommerce.statuses xqzt=").count();
    rig.home.run(&format!("pull woocommerce:{id}")).exits(0);
    assert_eq!(asked(), 1);
    rig.sync();
    assert_eq!(asked(), 1, "once");
}

#[test]
fn p12_what_is_picked_up_is_marked_and_not_offered_for_shipping() {
    let custom_statuses = vec!["ready-pickup".to_owned()];
    let rig = Rig::with(Options { custom_statuses, ..Options::demo() });
    let parcel = rig.paid(1);
    let picked_up = rig.shop.place_order(NewOrder::paid().line("TEE-001", 2).picked_up());
    let ready = rig.paid(2);
    rig.shop.set_status(ready, "ready-pickup");
    rig.sync();
    let offered = rig.home.json("orders --status awaiting-fulfillment");
    let offered: Vec<&str> =
        offered.as_array().unwrap().iter().map(|order| order["number"].as_str().unwrap()).collect();
    assert_eq!(offered, [parcel.to_string()]);
    for id in [picked_up, ready] {
        let order = rig.show(id);
        assert_eq!((&order["ship_to"], &order["lines"][0]["ships"]), (&json!([]), &json!(false)), "{order}");
        assert!(order["attributes"].to_string().contains("pick-up"), "{order}");
        rig.home
            .run(&format!("dispatch woocommerce:{id} --carrier dhl --tracking JD0{id}"))
            .exits(6)
            .says("needs no parcel");
    }
    assert!(rig.writes().is_empty());
    rig.home.run(&format!("dispatch woocommerce:{picked_up}")).exits(0);
    assert_eq!(rig.shop.status(picked_up).as_deref(), Some("completed"));
}

#[test]
fn i4_an_order_that_the_shop_cannot_show_is_named_and_left_out_wherever_it_stands() {
    for orders in [30, 700] {
        let rig = Rig::new();
        rig.shop.seed(orders, Utc::now() - TimeDelta::days(3), Utc::now() - TimeDelta::hours(1));
        let ids = rig.shop.ids();
        let broken = [ids[0], ids[20], ids[21], *ids.last().unwrap()];
        broken.iter().for_each(|id| assert!(rig.shop.set_unrenderable(&id.to_string(), true)));
        rig.home.run("sync").exits(3);
        let asked = rig.server.requests().len() as u64;
        assert!(asked < orders / 30 + 40 * broken.len() as u64, "{orders}: {asked} requests");
        let inbox = rig.home.json("inbox").to_string();
        assert!(broken.iter().all(|id| inbox.contains(&format!("order {id} "))), "{inbox}");
        let known = rig.home.sql("SELECT count(*) FROM orders")[0].parse::<usize>().unwrap();
        assert_eq!(known, ids.len() - broken.len(), "{orders}");
        rig.sync();
        rig.server.clear_requests();
        rig.sync();
        assert!(rig.server.requests().len() < 3, "{:?}", rig.server.requests().len());
        let new = rig.paid(1);
        rig.sync();
        assert_eq!(rig.status(new), "awaiting-fulfillment");
        broken.iter().for_each(|id| assert!(rig.shop.set_unrenderable(&id.to_string(), false)));
        for id in broken {
            rig.home.run(&format!("pull woocommerce:{id}")).exits(0);
        }
        rig.assert_converged("mended");
        assert_eq!(rig.home.json("inbox"), json!([]));
    }
}

fn rig(options: Options, page_size: u32) -> Rig {
    // Cut-off writes are given a fifth of a second to arrive: time enough on loopback.
    let rig = Rig { served: Served::new(options), home: woo::home().env("ORDERSYNC_RETRY_MS", "9") };
    rig.connect(&format!("--set page_size={page_size}")).exits(0);
    rig
}

/// How often the points `names` were passed by `attempt` until it came to its end; each time it
/// dies once on the way.
fn at_every_passing(names: &[&str], mut attempt: impl FnMut(&str, u32) -> bool) -> Vec<u32> {
    names.iter().map(|point| (1..).find(|nth| !attempt(point, *nth)).unwrap_or(1) - 1).collect()
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_sync_killed_while_it_looks_at_bin_and_refunds_is_followed_by_one_that_reads_what_changed_since() {
    let rig = rig(Options::demo(), 100);
    let (edited, refunded, trashed) = (rig.paid(1), rig.paid(1), rig.paid(1));
    rig.sync();
    let passed = at_every_passing(&["after-import"], |point, nth| {
        rig.home.sql("UPDATE cursors SET looked_at = 0 WHERE walk LIKE 'pass/%'");
        rig.shop.trash(trashed);
        rig.shop.refund_silently(refunded, "0.01").unwrap();
        let died = dies(&rig.home, "sync", point, nth);
        rig.shop.edit_address(edited, |address| address.city = format!("{point} {nth}"));
        rig.sync();
        rig.assert_converged(&format!("{point}:{nth}"));
        died
    });
    assert_eq!(passed, [4], "the changes, the bin, the refunds and their orders");
}

/// A dispatch that dies at every point, then perhaps the sync after it too; the buyer is told once
/// in the end.
fn dispatches_survive(options: Options, told: impl Fn(&Rig, u64) -> (usize, u32, u32)) {
    let rig = rig(options, 100);
    let passed = at_every_passing(&EXPORT, |point, nth| {
        let mut died = false;
        for again in [false, true] {
            let id = rig.paid(2);
            rig.sync();
            died = dies(&rig.home, &format!("dispatch woocommerce:{id} --carrier dhl --tracking JD{id}"), point, nth);
            assert_eq!(rig.home.sql("PRAGMA integrity_check"), ["ok"]);
            if again {
                dies(&rig.home, "sync", point, nth);
            }
            rig.sync();
            let place = format!("{point}:{nth} again: {again}");
            assert_eq!(told(&rig, id), (1, 1, 1), "{place}");
            assert_eq!(
                (rig.status(id).as_str(), rig.shop.status(id).as_deref()),
                ("shipped", Some("completed")),
                "{place}"
            );
            assert_eq!(rig.home.json("outbox"), serde_json::json!([]), "{place}");
            rig.assert_converged(&place);
        }
        died
    });
    assert!(passed.iter().all(|times| *times >= 1), "{passed:?}");
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_dispatch_killed_at_every_point_leaves_one_tracking_number() {
    dispatches_survive(Options { fulfillments: false, tracking: Tracking::On, ..Options::demo() }, |rig, id| {
        (rig.shop.trackings(id).len(), 1, rig.shop.mails(id).completed)
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_dispatch_killed_at_every_point_leaves_one_note() {
    dispatches_survive(Options { fulfillments: false, ..Options::demo() }, |rig, id| {
        let with_number = rig.shop.notes(id).iter().filter(|note| note["note"].to_string().contains("JD")).count();
        (with_number, rig.shop.mails(id).note, rig.shop.mails(id).completed)
    });
}

#[test]
fn i2_a_draft_is_no_order_when_it_is_asked_for_by_its_id_either() {
    let rig = Rig::new();
    rig.sync();
    let id = rig.shop.place_order(NewOrder::paid().status("checkout-draft").line("TEE-001", 1));
    rig.home.run(&format!("pull woocommerce:{id}")).exits(7).says("draft");
    rig.home.run(&format!("why woocommerce:{id}")).done().prints("draft");
    assert_eq!(rig.home.sql("SELECT count(*) FROM orders"), ["0"]);
}

/// A list that was complete and wrong is not held against the shop of later.
#[test]
fn f4_a_comparison_that_failed_after_its_list_begins_anew() {
    let (rig, ids) = Rig::with_orders(&[1, 1, 1, 1, 1]);
    rig.fault(Fault::new(FaultKind::Unauthorized).on("GET", &format!("/orders/{}", ids[0])).always());
    rig.fault(Fault::new(FaultKind::Hidden(vec![ids[0].to_string()])).always());
    rig.home.run("reconcile").exits(4);
    assert_eq!(rig.home.sql("SELECT count(*) FROM listed"), ["0"]);
    rig.server.faults().clear();
    rig.home.run("reconcile").exits(0).prints("5 orders compared, no difference");
}
