//! `ordersync sync` against shops that sell, stumble and change while they are read.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use ordersync::clock::{Clock, ManualClock, SystemClock};
use ordersync::lock::{Lock, Work};
use ordersync::sim::woocommerce::*;
use ordersync::sim::{Fault, FaultKind, Server, ServerOptions, Simulated, WrongType};
use serde_json::json;
use support::program::until;
use support::woo::{self, ORDERS, Rig, Served};

/// What only the requests for pages of orders have in them, not the first look at the newest.
const PAGE: &str = "per_page=100";

/// Arms a fault that strikes every request for orders.
fn broken(rig: &Rig, kind: FaultKind) {
    rig.fault(Fault::new(kind).on_path(ORDERS).always());
}

/// The account of the last run.
fn last_run(rig: &Rig) -> serde_json::Value {
    rig.home.json("runs --limit 1")[0].clone()
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
fn c3_an_empty_shop_is_a_silent_success_and_verbose_is_one_line() {
    let rig = Rig::new();
    rig.sync();
    let done = rig.home.run("sync -v").exits(0).prints("woocommerce: 0 new, 0 changed, 0 unchanged");
    assert_eq!((done.stdout.lines().count(), done.stderr.as_str()), (1, ""));
}

#[test]
fn c3_a_failure_is_one_short_block() {
    let rig = Rig::new();
    broken(&rig, FaultKind::ServerError(503));
    let done = rig.home.run("sync").exits(5).says("error: woocommerce: ").says("hint: ");
    assert_eq!((done.stdout.as_str(), done.stderr.lines().count()), ("", 2));
}

#[test]
fn i7_a_run_accounts_for_all_that_it_fetched() {
    let rig = Rig::new();
    let ids = [rig.paid(1), rig.paid(2), rig.paid(3)];
    rig.fault(Fault::new(FaultKind::WrongType(WrongType::TotalIsObject, Some(ids[1]))).on_path(PAGE).always());
    let told = rig.home.run("sync --json").exits(3).json();
    let one = &told["stores"][0];
    assert_eq!([&one["fetched"], &one["new"], &one["failed"]], [&json!(3), &json!(2), &json!(1)]);
    rig.plug_in();
    rig.shop.edit_address(ids[0], |address| address.city = "Bremen".to_owned());
    rig.shop.touch(ids[1]);
    rig.home.run("sync").exits(0);
    let run = last_run(&rig);
    let count = |key: &str| run[key].as_u64().unwrap();
    assert_eq!(count("fetched"), count("new") + count("changed") + count("unchanged") + count("failed"));
    assert_eq!([count("new"), count("changed"), count("unchanged"), count("failed")], [1, 1, 1, 0]);
}

#[test]
fn i3_one_order_seen_by_every_way_is_one_row() {
    let (rig, ids) = Rig::with_orders(&[1]);
    let name = format!("woocommerce:{}", ids[0]);
    rig.home.run(&format!("pull {name}")).exits(0).prints("unchanged");
    rig.home.run("sync --since 2d").exits(0);
    rig.home.run("sync --full").exits(0);
    rig.sync();
    assert_eq!(rig.home.json("orders").as_array().unwrap().len(), 1);
    let later = rig.paid(1);
    assert_eq!(rig.home.json(&format!("pull woocommerce:{later}"))["result"], "new");
    rig.sync();
    assert_eq!(rig.home.json("orders").as_array().unwrap().len(), 2);
    rig.home.run("pull woocommerce:99999").exits(7).says("has no order 99999");
    rig.home.run("pull 99999").exits(7).says("STORE:ID");
}

/// Changes something in the shop before every request for orders, so often: the rows shift and
/// change between the pages.
fn restless(rig: &Rig, changes: u64) {
    let done = Arc::new(AtomicU64::new(0));
    rig.shop.before_request(move |request, shop| {
        if !request.target().contains("/orders") || done.fetch_add(1, Ordering::SeqCst) >= changes {
            return;
        }
        let turn = done.load(Ordering::SeqCst);
        let ids = shop.ids();
        let nth = |n: u64| ids[usize::try_from(n * 7).unwrap() % ids.len()];
        shop.edit_address(nth(turn), |address| address.city = format!("City {turn}"));
        shop.touch_many(&[nth(turn + 1), nth(turn + 2), nth(turn + 3)]);
        shop.place_order(NewOrder::paid().line("MUG-9", 1));
        shop.set_status(nth(turn + 4), "on-hold");
    });
}

fn keeps_up_with_changes(profile: Profile) {
    let rig = Rig { served: Served::new(Options { profile, ..Options::demo() }), home: woo::home() };
    rig.shop.seed(120, Utc::now() - TimeDelta::days(2), Utc::now() - TimeDelta::minutes(5));
    rig.connect("--set page_size=10").exits(0);
    restless(&rig, 40);
    rig.home.run("sync").exits(0);
    rig.shop.before_request(|_, _| {});
    rig.home.run("sync").exits(0);
    rig.assert_converged("first sync");
    let ids = rig.shop.ids();
    rig.shop.touch_many(&ids);
    restless(&rig, 20);
    rig.home.run("sync").exits(0);
    rig.shop.before_request(|_, _| {});
    rig.home.run("sync").exits(0);
    rig.assert_converged("all touched in one second");
}

#[test]
fn i3_nothing_is_lost_while_orders_change_between_pages() {
    keeps_up_with_changes(Profile::V10_5);
}

#[test]
fn i3_nothing_is_lost_in_a_shop_that_pages_without_a_second_key() {
    keeps_up_with_changes(Profile::V10_0_2);
    keeps_up_with_changes(Profile::V10_0_2Posts);
}

#[test]
fn i3_nothing_is_lost_in_a_shop_that_cannot_list_changes() {
    keeps_up_with_changes(Profile::V5_6);
}

#[test]
fn f4_a_broken_answer_is_asked_for_again_and_nothing_is_lost() {
    let kinds = [
        FaultKind::HtmlInstead,
        FaultKind::Truncated,
        FaultKind::CutBefore,
        FaultKind::AnswerLost,
        FaultKind::ServerError(500),
        FaultKind::ServerError(520),
        FaultKind::ByteOrderMark,
        FaultKind::NoticeBefore,
        FaultKind::NoticeAfter,
        FaultKind::Endless,
        FaultKind::RateLimited(None),
    ];
    for kind in kinds {
        let rig = Rig::new();
        rig.paid(1);
        rig.fault(Fault::new(kind.clone()).on_path(ORDERS));
        rig.home.run("sync").exits(0).silent();
        assert_eq!(rig.server.faults().pending(), 0, "{kind:?} struck");
        rig.assert_converged(&format!("{kind:?}"));
    }
}

#[test]
fn f4_a_shop_that_stays_broken_costs_the_run_and_nothing_else() {
    let kinds = [
        (FaultKind::HtmlInstead, 1),
        (FaultKind::Truncated, 5),
        (FaultKind::CutBefore, 5),
        (FaultKind::AnswerLost, 5),
        (FaultKind::ServerError(500), 5),
        (FaultKind::ServerError(503), 5),
        (FaultKind::Firewall, 5),
        (FaultKind::RateLimited(None), 5),
        (FaultKind::Unauthorized, 4),
    ];
    for (kind, code) in kinds {
        let (rig, _) = Rig::with_orders(&[1, 2]);
        let before = rig.home.sql("SELECT position FROM cursors");
        rig.paid(3);
        broken(&rig, kind.clone());
        rig.home.run("sync").exits(code).says("error: woocommerce: ");
        assert_eq!(rig.home.sql("SELECT position FROM cursors"), before, "{kind:?} moved the cursor");
        let error = rig.home.run("sync --json").exits(code).json()["stores"][0]["error"].clone();
        assert_eq!(error["exit_code"], code, "{kind:?}");
        assert!(last_run(&rig)["error"].is_string(), "{kind:?} is in the account of the run");
        rig.plug_in();
        rig.sync();
        rig.assert_converged(&format!("after {kind:?}"));
    }
}

#[test]
fn f4_notices_of_php_are_cut_away_and_told_of() {
    let rig = Rig::new();
    rig.paid(1);
    broken(&rig, FaultKind::NoticeBefore);
    rig.home.run("sync -v").exits(0).says("the shop prints notices");
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
fn i6_a_pause_that_the_shop_asks_for_is_kept_and_nothing_is_read_twice() {
    let rig = Rig::new();
    rig.paid(1);
    rig.fault(Fault::new(FaultKind::RateLimited(Some("1".to_owned()))).on_path(ORDERS));
    let begun = Instant::now();
    rig.sync();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    let asked: Vec<String> =
        rig.server.requests().iter().map(|one| format!("{} {:?}", one.path, one.param("page"))).collect();
    assert_eq!(asked.len(), 2 + 1, "the request that was throttled, and the two of a first sync: {asked:?}");
    rig.assert_converged("throttled");
}

#[test]
fn i6_a_long_pause_holds_for_every_process_that_calls_the_store() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.fault(Fault::new(FaultKind::RateLimited(Some("3600".to_owned()))).on_path(ORDERS));
    rig.home.run("sync").exits(5).says("429");
    rig.server.clear_requests();
    rig.home.run("sync").exits(5).says("asked to be left alone until");
    rig.home.run(&format!("pull woocommerce:{}", ids[0])).exits(5);
    assert!(rig.server.requests().is_empty(), "nobody knocks meanwhile");
    rig.home.run("status").exits(0).prints("the channel asked to be left alone");
}

#[test]
fn i4_an_order_that_cannot_be_read_costs_one_order_and_is_mended_by_the_shop() {
    let rig = Rig::new();
    let ids = [rig.paid(1), rig.paid(2), rig.paid(3)];
    rig.fault(Fault::new(FaultKind::WrongType(WrongType::TotalIsObject, Some(ids[1]))).on_path(PAGE));
    rig.home.run("sync").exits(3).says("1 order could not be read").says("ordersync inbox");
    assert_eq!(rig.home.json("orders").as_array().unwrap().len(), 2);
    let entry = &rig.home.json("inbox")[0];
    assert_eq!((&entry["kind"], &entry["store"]), (&json!("unreadable"), &json!("woocommerce")));
    rig.home.run("status --check --quiet").exits(3);
    rig.shop.touch(ids[1]);
    rig.sync();
    assert_eq!(rig.home.json("inbox").as_array().unwrap().len(), 0);
    rig.assert_converged("mended");
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

#[test]
fn i4_an_order_of_the_book_that_was_unreadable_once_leaves_the_inbox_when_it_comes_back_unchanged() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.fault(Fault::new(FaultKind::WrongType(WrongType::TotalIsObject, Some(ids[0]))).on_path(PAGE));
    rig.home.run("sync").exits(3);
    assert_eq!(rig.home.json("inbox").as_array().unwrap().len(), 1);
    rig.sync();
    assert_eq!(rig.home.json("inbox"), json!([]));
}

#[test]
fn i4_an_unreadable_order_is_tried_again_by_a_newer_program() {
    let rig = Rig::new();
    let id = rig.paid(1);
    rig.fault(Fault::new(FaultKind::WrongType(WrongType::TotalIsObject, None)).on_path(PAGE));
    rig.home.run("sync").exits(3);
    // As if an older program had failed on a document that this one can read.
    let document = rig.shop.order_json(id).unwrap().to_string().replace('\'', "''");
    rig.home.sql(&format!("UPDATE inbox SET program = '0.0.1', document = '{document}'"));
    rig.sync();
    assert_eq!(
        (rig.status(id).as_str(), rig.home.json("inbox").as_array().unwrap().len()),
        ("awaiting-fulfillment", 0)
    );
}

#[test]
fn i4_orders_without_an_id_or_a_date_cost_themselves_only() {
    for wrong in [WrongType::IdIsText, WrongType::DatesMissing] {
        let rig = Rig::new();
        let ids = [rig.paid(1), rig.paid(2), rig.paid(3)];
        rig.fault(Fault::new(FaultKind::WrongType(wrong, Some(ids[1]))).on_path(PAGE));
        rig.home.run("sync").exits(3);
        assert_eq!(rig.home.json("orders").as_array().unwrap().len(), 2, "{wrong:?}");
        rig.shop.touch(ids[1]);
        rig.home.run("sync").exits(0);
        rig.assert_converged(&format!("{wrong:?}"));
    }
}

#[test]
fn i4_an_order_with_broken_json_costs_itself_only_and_leaves_the_inbox_when_it_comes_mended() {
    for wrong in [WrongType::IdTwice, WrongType::NotANumber, WrongType::NotUtf8, WrongType::IdIsText] {
        let rig = Rig::new();
        let ids = [rig.paid(1), rig.paid(2), rig.paid(3)];
        rig.fault(Fault::new(FaultKind::WrongType(wrong, Some(ids[1]))).on_path(PAGE));
        rig.home.run("sync").exits(3).says("1 order could not be read");
        assert_eq!(rig.home.json("orders").as_array().unwrap().len(), 2, "{wrong:?}");
        assert!(rig.home.json("inbox").to_string().contains(&format!("order {} ", ids[1])), "{wrong:?}");
        rig.shop.touch(ids[1]);
        rig.sync();
        assert_eq!(rig.home.json("inbox"), json!([]), "{wrong:?}");
        rig.assert_converged(&format!("{wrong:?}"));
    }
    // A number that nobody reads costs nothing.
    let rig = Rig::new();
    let ids = [rig.paid(1), rig.paid(2)];
    rig.fault(Fault::new(FaultKind::WrongType(WrongType::HugeNumber, Some(ids[0]))).on_path(PAGE));
    rig.home.run("sync").done();
    rig.shop.touch(ids[0]);
    rig.sync();
    rig.assert_converged("a huge number");
}

#[test]
fn i5_one_store_that_is_down_costs_one_store() {
    let (rig, _) = Rig::with_orders(&[1]);
    let other = Served::new(Options::demo());
    rig.home.run(&format!("connect woocommerce --name other --url {}", other.server.url())).exits(0);
    let id = other.paid(1);
    rig.unplug();
    rig.home.run("sync").exits(3).says("error: woocommerce: ").without("other: ");
    assert_eq!(rig.home.json(&format!("show other:{id}"))["status"], "awaiting-fulfillment");
    rig.home.run("sync --channel other").exits(0).silent();
    rig.home.run("sync --channel woocommerce").exits(3);
    rig.home.run("sync --channel nobody").exits(7).says("connected: other, woocommerce");
}

#[test]
fn i1_autosync_keeps_its_interval_and_a_manual_sync_neither_delays_nor_doubles_it() {
    let rig = Rig::new();
    let asked = |words: &str| {
        rig.server.clear_requests();
        rig.home.run(words).exits(0).silent();
        !rig.server.requests().is_empty()
    };
    assert!(asked("sync"));
    assert!(asked("sync --autosync"), "a manual sync does not delay it");
    assert!(!asked("sync --autosync"), "not due");
    assert!(asked("sync"), "a manual sync works at any time");
    let ago = |minutes: i64| (Utc::now() - TimeDelta::minutes(minutes)).timestamp_millis();
    rig.home.sql(&format!("UPDATE stores SET last_autosync_at = {}", ago(31)));
    assert!(asked("sync --autosync"));
    rig.home.sql(&format!("UPDATE stores SET last_autosync_at = {}", ago(31)));
    rig.home.run("config set woocommerce.interval 60").exits(0);
    assert!(!asked("sync --autosync"), "the interval is the store's own");
    rig.home.run("config set woocommerce.interval 1").exits(2);
}

#[test]
fn i1_a_timer_without_a_store_has_nothing_to_say() {
    woo::home().run("sync --autosync").exits(0).silent();
    woo::home().run("sync").exits(7).says("no store is connected yet");
}

#[test]
fn f1_a_timer_goes_on_after_failures() {
    let rig = Rig::new();
    rig.unplug();
    for _ in 0..3 {
        rig.home.run("sync --autosync").exits(5);
        rig.home.sql("UPDATE stores SET last_autosync_at = last_autosync_at - 1860000");
    }
    rig.plug_in();
    let id = rig.paid(1);
    rig.home.run("sync --autosync").exits(0).silent();
    assert_eq!(rig.status(id), "awaiting-fulfillment");
}

#[test]
fn f2_a_second_process_waits_briefly_then_gives_way_and_a_timer_says_nothing() {
    let rig = Rig::new();
    let clock = SystemClock::new(Arc::new(AtomicBool::new(false)));
    let held = Lock::take(&rig.home.path().join("locks"), "woocommerce", Work::Import, Duration::ZERO, &clock).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| rig.home.run("sync").exits(8).says("another ordersync is at work"));
        scope.spawn(|| rig.home.run("sync --autosync").exits(0).silent());
    });
    drop(held);
    rig.sync();
    let _ = clock.now();
}

#[test]
fn f2_two_processes_at_once_bring_every_order_once() {
    let rig = Rig { served: Served::new(Options::demo()), home: woo::home() };
    rig.shop.seed(80, Utc::now() - TimeDelta::days(2), Utc::now());
    rig.connect("--set page_size=10").exits(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| rig.home.run("sync").exits(0).silent());
        }
    });
    rig.assert_converged("three at once");
    let new: u64 = rig.home.json("runs").as_array().unwrap().iter().map(|run| run["new"].as_u64().unwrap()).sum();
    assert_eq!(new, 80);
}

/// Lists come so slowly that a sync is at work for as long as the test has it wait, on a machine
/// that has much else to do as well.
fn slow_lists(rig: &Rig) {
    rig.fault(Fault::new(FaultKind::Slow(Duration::from_secs(1))).on("GET", "/orders?").always());
}

#[test]
fn f2_orders_are_dispatched_while_a_first_sync_is_reading() {
    let rig = Rig { served: Served::new(Options::demo()), home: woo::home() };
    let id = rig.paid(1);
    rig.shop.seed(150, Utc::now() - TimeDelta::days(2), Utc::now());
    rig.connect("--set page_size=5 --set in_flight=2").exits(0);
    rig.home.run(&format!("pull woocommerce:{id}")).exits(0);
    slow_lists(&rig);
    let mut sync = rig.home.spawn("sync", &[]);
    until("the first page", || rig.home.sql("SELECT count(*) FROM orders")[0] != "1");
    rig.home.run("dispatch 1 --carrier dhl --tracking JD01").exits(0);
    assert!(sync.try_wait().unwrap().is_none(), "the sync was still at work");
    rig.plug_in();
    assert!(sync.wait().unwrap().success());
    assert_eq!((rig.shop.mails(id).completed, rig.status(id).as_str()), (1, "shipped"));
    rig.assert_converged("both");
}

#[test]
fn a_dry_run_counts_and_keeps_nothing() {
    let rig = Rig::new();
    rig.paid(1);
    let one = rig.home.json("sync --dry-run")["stores"][0].clone();
    assert_eq!((&one["new"], &one["fetched"]), (&json!(1), &json!(1)));
    assert_eq!(rig.home.json("orders"), json!([]));
    rig.sync();
    rig.assert_converged("after the dry run");
}

#[test]
fn a_range_is_read_again_without_touching_the_position() {
    let (rig, ids) = Rig::with_orders(&[1, 2]);
    rig.home.sql("DELETE FROM versions WHERE role = 'newest'");
    let before = rig.home.sql("SELECT walk || position FROM cursors");
    rig.shop.edit_address(ids[0], |address| address.city = "Bremen".to_owned());
    let one = rig.home.json("sync --since 1d")["stores"][0].clone();
    assert_eq!((&one["changed"], &one["unchanged"]), (&json!(1), &json!(1)));
    assert_eq!(rig.home.sql("SELECT walk || position FROM cursors"), before);
    rig.home.run("sync --since 2026-11-02 --until 2026-11-01").exits(2);
    rig.home.run("sync --since soon").exits(2).says("is not a time");
    rig.home.run("sync --until 1d").exits(2);
}

#[test]
fn orders_from_before_the_reach_come_only_when_asked_for() {
    let shop = Served::new(Options::demo());
    let old = Utc::now() - TimeDelta::days(90);
    shop.shop.place_order(NewOrder::paid().at(old));
    shop.shop.place_order(NewOrder::paid());
    let count = |since: &str| {
        let home = woo::home();
        home.run(&format!("connect woocommerce --url {} {since}", shop.server.url())).exits(0);
        home.run("sync").exits(0);
        home.json("orders").as_array().unwrap().len()
    };
    assert_eq!((count(""), count("--since 100d"), count("--since all")), (1, 2, 2));
}

#[test]
fn q2_a_sync_with_nothing_new_is_one_request() {
    let (rig, _) = Rig::with_orders(&[1, 2, 3]);
    rig.sync();
    assert_eq!(rig.server.requests().len(), 1);
}

#[test]
fn p7_import_writes_nothing_to_the_shop() {
    let (rig, ids) = Rig::with_orders(&[1, 2, 3]);
    rig.shop.cancel(ids[0]);
    rig.shop.edit_quantity(ids[1], 0, 9);
    for words in ["sync", "sync --full", "sync --since 1d", "connect --test", "doctor", "status", "sync --dry-run"] {
        rig.home.run(words).done();
    }
    assert!(rig.writes().is_empty());
}

#[test]
fn p1_what_changes_at_the_shop_stands_beside_the_copy_until_it_is_accepted() {
    let (rig, ids) = Rig::with_orders(&[1]);
    let name = format!("woocommerce:{}", ids[0]);
    let city = |rig: &Rig| rig.show(ids[0])["ship_to"][0]["city"].as_str().unwrap().to_owned();
    let before = city(&rig);
    rig.shop.edit_address(ids[0], |address| address.city = "Bremen".to_owned());
    rig.sync();
    let show = rig.show(ids[0]);
    assert_eq!((city(&rig), &show["changed_at_channel"]), (before.clone(), &json!(true)));
    assert_eq!(show["differences"][0]["aspect"], "address");
    rig.home.run(&format!("show {name}")).exits(0).prints("Bremen").prints(&before);
    rig.home.run("status").exits(0).prints("1 order changed at the channel").prints("orders --changed");
    assert_eq!(rig.home.json("orders --changed").as_array().unwrap().len(), 1);
    rig.home.run(&format!("accept {name}")).exits(0).prints("Bremen");
    assert_eq!((city(&rig).as_str(), &rig.show(ids[0])["changed_at_channel"]), ("Bremen", &json!(false)));
    rig.home.run(&format!("accept {name}")).exits(7).says("has no newer version");
    assert_eq!(rig.home.json("orders --changed"), json!([]));
}

/// As README says it is done.
#[test]
fn a_book_restored_from_a_copy_reads_on_and_tells_nobody_twice() {
    let (rig, ids) = Rig::with_orders(&[1, 2]);
    let copy = rig.home.beside("copy.sqlite");
    rig.home.run(&format!("backup {}", copy.display())).exits(0);
    let dispatch = format!("dispatch woocommerce:{} --carrier ups --tracking 1Z1", ids[0]);
    rig.home.run(&dispatch).exits(0);
    let later = rig.paid(3);
    rig.sync();
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", rig.home.book().display()));
    }
    std::fs::rename(&copy, rig.home.book()).unwrap();
    rig.server.clear_requests();
    rig.sync();
    rig.assert_converged("restored");
    assert_eq!(rig.status(later), "awaiting-fulfillment");
    assert_eq!(rig.show(ids[0])["changed_at_channel"], true);
    rig.home.run(&format!("accept woocommerce:{}", ids[0])).exits(0);
    assert_eq!(rig.status(ids[0]), "shipped");
    rig.home.run(&dispatch).done();
    assert!(rig.writes().is_empty());
}

#[test]
fn p3_a_cancellation_at_the_shop_is_announced_once_and_p9_payment_follows() {
    let (rig, ids) = Rig::with_orders(&[1]);
    let unpaid = rig.shop.place_order(NewOrder::paid().unpaid());
    rig.sync();
    rig.shop.cancel(ids[0]);
    rig.shop.pay(unpaid);
    rig.sync();
    rig.sync();
    assert_eq!(
        (rig.status(ids[0]).as_str(), rig.status(unpaid).as_str()),
        ("awaiting-fulfillment", "awaiting-fulfillment")
    );
    let inbox = rig.home.json("inbox");
    assert_eq!((inbox.as_array().unwrap().len(), &inbox[0]["kind"]), (1, &json!("cancelled")));
    rig.home.run(&format!("accept woocommerce:{}", ids[0])).exits(0);
    assert_eq!((rig.status(ids[0]).as_str(), rig.home.json("inbox")), ("cancelled", json!([])));
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

#[cfg(unix)]
#[test]
fn f4_a_read_only_book_is_named_and_left_alone() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let (rig, ids) = Rig::with_orders(&[1]);
    let home = rig.home.path();
    let root = std::fs::metadata(&home).unwrap().uid() == 0;
    let nobody = 65_534;
    // Permissions mean nothing to root, so it plays another user.
    let all = [
        home.parent().unwrap().to_owned(),
        home.clone(),
        home.join("locks"),
        home.join("credentials"),
        rig.home.book(),
        home.join("credentials/woocommerce.json"),
    ];
    if root {
        all.iter()
            .chain(&[home.join("locks/woocommerce.import.lock")])
            .for_each(|path| chown(path, Some(nobody), Some(nobody)).unwrap());
    }
    rig.home.sql("PRAGMA journal_mode = DELETE");
    let mode =
        |path: &std::path::Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(&rig.home.book(), 0o400);
    mode(&home, 0o500);
    let before = std::fs::read(rig.home.book()).unwrap();
    let run = |words: &str| if root { rig.home.run(words).user(nobody) } else { rig.home.run(words) };
    run("sync").exits(1).says("read-only").says("hint: ");
    run(&format!("cancel woocommerce:{} --local", ids[0])).exits(1).says("read-only");
    mode(&home, 0o700);
    mode(&rig.home.book(), 0o600);
    assert!(std::fs::read(rig.home.book()).unwrap() == before);
    rig.home.run("orders").exits(0);
}

#[test]
fn f4_a_damaged_book_is_named_and_a_backup_is_the_way_back() {
    let (rig, _) = Rig::with_orders(&[1, 2, 3]);
    let copy = rig.home.beside("copy.sqlite");
    rig.home.run(&format!("backup {}", copy.display())).exits(0);
    rig.home.run(&format!("backup {}", copy.display())).exits(6).says("exists already");
    rig.home.sql("PRAGMA journal_mode = DELETE");
    let mut bytes = std::fs::read(rig.home.book()).unwrap();
    let size = bytes.len();
    bytes[8192..size - 4096].fill(0x5a);
    std::fs::write(rig.home.book(), &bytes).unwrap();
    rig.home.run("sync").exits(1).says("damaged").says("hint: ");
    rig.home.run("doctor --offline").exits(3).prints("BAD   book");
    std::fs::write(rig.home.book(), b"this is not a book, it is a letter to the merchant").unwrap();
    rig.home.run("sync").exits(1).says("not an order book");
    std::fs::copy(&copy, rig.home.book()).unwrap();
    rig.sync();
    rig.assert_converged("restored");
}

#[cfg(unix)]
#[test]
fn c2_an_interrupt_is_130_and_the_next_run_goes_on() {
    let rig = Rig { served: Served::new(Options::demo()), home: woo::home() };
    rig.shop.seed(100, Utc::now() - TimeDelta::days(2), Utc::now());
    rig.connect("--set page_size=5 --set in_flight=1").exits(0);
    slow_lists(&rig);
    let child = rig.home.spawn("sync", &[]);
    until("the first page", || rig.home.sql("SELECT count(*) FROM orders")[0] != "0");
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    rig.plug_in();
    let there: u64 = rig.home.sql("SELECT count(*) FROM orders")[0].parse().unwrap();
    assert!(there < 100, "it was interrupted in the middle");
    let one = rig.home.json("sync")["stores"][0].clone();
    assert_eq!(one["new"], 100 - there, "only what was missing is new");
    rig.assert_converged("after the interrupt");
}

#[cfg(unix)]
#[test]
fn x1_no_secret_is_in_the_list_of_processes() {
    let rig = Rig::new();
    rig.fault(Fault::new(FaultKind::Slow(Duration::from_secs(60))).on_path(ORDERS));
    let mut child = rig.home.spawn("sync", &[]);
    let file = format!("/proc/{}/cmdline", child.id());
    let looks = std::path::Path::new(&file).exists();
    if !looks {
        println!("skipped: this system has no /proc to look at");
    }
    // Empty for the first moment of a process.
    let line = || String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    if looks {
        until("the command line", || line().contains("sync"));
        assert!(!line().contains(REHEARSAL_KEY) && !line().contains(REHEARSAL_SECRET));
    }
    child.kill().unwrap();
    child.wait().unwrap();
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
        (FaultKind::PageCap(10), 54),
        (FaultKind::PageCap(10), 420),
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
    for (kind, orders) in
        [(deaf(&[]), 54), (deaf(&["modified_after", "modified_before"]), 420), (FaultKind::Frozen, 250)]
    {
        let rig = meddled(orders, kind.clone());
        rig.home.run("sync").exits(1).says("does not answer what it is asked").says("connect --test woocommerce");
        assert!(rig.server.requests().len() < 60, "{kind:?}: {} requests", rig.server.requests().len());
        rig.plug_in();
        rig.sync();
        rig.assert_converged(&format!("after {kind:?}"));
    }
}

#[test]
fn i3_a_position_that_is_there_stays_where_the_shop_ignores_the_query() {
    let (rig, _) = Rig::with_orders(&[1; 30]);
    let new = rig.paid(7);
    let before = rig.home.sql("SELECT position FROM cursors");
    rig.shop.seed(60, Utc::now() - TimeDelta::days(3), Utc::now() - TimeDelta::days(2));
    rig.fault(Fault::new(deaf(&[])).on_path(ORDERS).always());
    rig.home.run("sync").exits(1);
    assert_eq!(rig.home.sql("SELECT position FROM cursors"), before);
    rig.plug_in();
    rig.sync();
    assert_eq!(rig.status(new), "awaiting-fulfillment");
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
fn i3_q2_thousands_of_orders_of_one_second_cost_a_request_for_each_hundred_and_then_one() {
    let rig = Rig::new();
    rig.shop.seed(1_200, Utc::now() - TimeDelta::days(3), Utc::now() - TimeDelta::hours(1));
    for id in rig.shop.ids() {
        rig.shop.modified_at(id, Utc::now() - TimeDelta::seconds(5));
    }
    rig.sync();
    assert!(rig.server.requests().len() < 45, "{} requests", rig.server.requests().len());
    rig.assert_converged("a bulk edit");
    rig.sync();
    rig.server.clear_requests();
    rig.sync();
    assert_eq!(rig.server.requests().len(), 1, "nothing is new");
    let id = rig.paid(3);
    rig.sync();
    assert_eq!(rig.server.requests().len(), 2, "one order is new, and on the page");
    rig.shop.touch(rig.shop.ids()[3]);
    rig.sync();
    assert_eq!(rig.status(id), "awaiting-fulfillment");
    rig.assert_converged("after a bulk edit");
}

#[test]
fn i3_an_order_with_a_date_in_the_future_holds_up_no_other() {
    let (rig, ids) = Rig::with_orders(&[1, 2]);
    let future = Utc::now() + TimeDelta::days(400);
    rig.shop.modified_at(ids[0], future);
    rig.sync();
    let late = rig.shop.place_order(NewOrder::paid().at(future));
    rig.sync();
    let new = rig.paid(5);
    rig.sync();
    assert_eq!((rig.status(late).as_str(), rig.status(new).as_str()), ("awaiting-fulfillment", "awaiting-fulfillment"));
    // A book whose position an earlier version moved there.
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
            rig.shop.modified_at(id, at);
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
    rig.shop.touch(ids[3]);
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

#[test]
fn i4_a_shop_that_is_down_is_told_as_that_and_at_once() {
    let (rig, _) = Rig::with_orders(&[1, 2]);
    rig.fault(Fault::new(FaultKind::ServerError(520)).always());
    let done = rig.home.run("sync").exits(5);
    assert!(!done.stderr.contains("cannot show") && rig.home.json("inbox") == json!([]), "{done:?}");
    assert!(rig.server.requests().len() < 10, "{} requests", rig.server.requests().len());
}

#[test]
fn i3_a_page_that_is_empty_once_and_counted_as_ever_is_asked_for_again() {
    let rig = Rig { served: Served::new(Options::demo()), home: woo::home() };
    let ids: Vec<u64> = (0..45).map(|_| rig.paid(1)).collect();
    for nth in 0..16 {
        let home = woo::home();
        home.run(&format!(
            "connect woocommerce --url {}{} --set page_size=10",
            rig.server.url(),
            rig.shop.options().prefix
        ))
        .exits(0);
        rig.fault(Fault::new(FaultKind::EmptyButCounted).on("GET", "per_page=10&").after(nth));
        home.run("sync").exits(0);
        let struck = rig.server.faults().pending() == 0;
        rig.server.faults().clear();
        assert_eq!(home.sql("SELECT count(*) FROM orders"), [ids.len().to_string()], "list {nth} was empty");
        if !struck {
            assert!(nth > 4, "{nth}");
            break;
        }
    }
}
