//! Lists that are not what was asked for: an order is never lost for one, and it is told.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ordersync::sim::{Fault, FaultKind, Purchase, Question};

use super::desk::{Desk, each, kinds};
use super::setups::{asked, peculiar};

#[test]
fn i3_one_answer_again_and_again_ends_the_run_and_loses_no_order() {
    each(|desk| {
        desk.store.seed(260, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        for after in [0, 1, 2, 4, 6] {
            desk.server.clear_requests();
            desk.server.faults().add(Fault::new(FaultKind::Frozen).after(after).always());
            desk.home.run("sync --full").done();
            // What hangs on the orders of a page is asked for beside it.
            let asked = desk.lists().len();
            // Where each page takes a second request, twice as many.
            let most = 400 * (1 + desk.capabilities().beside as usize);
            assert!(asked < most, "{}: frozen after {after}, it was asked {asked} times", desk.kind);
            desk.server.faults().clear();
        }
        desk.home.run("sync --full").exits(0);
        let known: Vec<String> = desk.home.sql("SELECT remote_id FROM orders");
        let hidden = desk.store.ids().len() - known.len();
        assert!(hidden < 30, "{}: {hidden} are missing", desk.kind);
    });
}

/// A cache that heeds only the path gives a list in which nothing is new for ever: the sync must
/// not stand still in silence.
#[test]
fn i3_a_list_that_stays_as_it_once_was_is_told_also_where_all_of_it_fits_on_a_page() {
    each(|desk| {
        desk.store.seed(20, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        desk.server.faults().add(desk.fault_of(FaultKind::Frozen, Question::Changes).unwrap().always());
        // Where there are two lists, the one has what only the other can have.
        desk.home.run("sync").exits(if desk.walks() == 1 { 0 } else { 1 });
        let new = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.home.run("sync").exits(1);
        desk.server.faults().clear();
        desk.home.run("sync").exits(0);
        assert_eq!(desk.show(&new)["status"], "awaiting-fulfillment", "{}", desk.kind);
    });
}

/// A database that failed, a server that is half up: a list that is empty once is the end of no
/// walk.
#[test]
fn i3_an_empty_list_in_the_place_of_a_full_one_loses_no_order() {
    let bare = [FaultKind::Empty, FaultKind::EmptyButCounted];
    for (kind, fault) in kinds().flat_map(|kind| bare.clone().map(|fault| (kind, fault))) {
        let mut all = None;
        for nth in 0..12 {
            let desk = Desk::unconnected(kind);
            desk.store.seed(60, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
            let all = *all.get_or_insert_with(|| desk.elsewhere().len());
            desk.connect("--set page_size=10").exits(0);
            desk.server.clear_requests();
            desk.server.faults().add(desk.list_fault(fault.clone()).after(nth));
            desk.home.run("sync").done();
            let struck = desk.server.faults().pending() == 0;
            desk.server.faults().clear();
            desk.home.run("sync").done();
            let known = desk.home.sql("SELECT remote_id FROM orders").len();
            assert_eq!(known, all, "{kind}: list {nth} was empty, {fault:?}");
            if !struck {
                break;
            }
        }
    }
}

/// A plugin or a proxy takes orders out of every list and leaves the counts.
#[test]
fn i3_orders_that_are_counted_and_not_listed_are_told() {
    for orders in [40, 340] {
        each(|desk| {
            desk.store.seed(orders, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
            let hidden: Vec<String> = desk.store.ids().into_iter().skip(7).step_by(25).collect();
            desk.server.faults().add(Fault::new(FaultKind::Hidden(hidden.clone())).always());
            desk.home.run("sync").exits(3);
            let inbox = desk.home.json("inbox").to_string();
            assert!(inbox.contains("counted than listed"), "{} of {orders}: {inbox}", desk.kind);
            let number = format!("{} orders are not shown", hidden.len());
            assert!(inbox.contains(&number), "{} of {orders}: {inbox}", desk.kind);
            let failed = &desk.home.json("runs --limit 1")[0]["failed"];
            // Another list may name some of them as well.
            let most = hidden.len() as u64 * (1 + u64::from(desk.capabilities().beside));
            let failed = failed.as_u64().unwrap();
            assert!((hidden.len() as u64..=most).contains(&failed), "{} of {orders}: {failed}", desk.kind);
            let asked = asked(desk);
            assert!(asked < 60, "{} of {orders}: {asked} requests", desk.kind);
            let known: Vec<String> = desk.home.sql("SELECT remote_id FROM orders");
            desk.server.faults().clear();
            let late = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
            desk.home.run("sync --full").exits(0);
            let all: Vec<String> = desk.home.sql("SELECT remote_id FROM orders");
            let came: Vec<&String> = all.iter().filter(|id| !known.contains(id) && **id != late).collect();
            assert!(!came.is_empty() && came.iter().all(|id| hidden.contains(id)), "{}: {came:?}", desk.kind);
        });
    }
}

/// Buyers and merchants go on while a sync reads: nothing is said to be missing.
#[test]
fn i3_orders_that_come_and_go_while_a_list_is_read_are_not_told_as_missing() {
    each(|desk| {
        desk.store.seed(340, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        let (over, ids) = (AtomicBool::new(false), desk.store.ids());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for id in ids.iter().step_by(3).cycle().take(2_000) {
                    if over.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                    desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
                    desk.store.put_away(id);
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            for _ in 0..3 {
                let done = desk.home.run("sync --full").done();
                let inbox = desk.home.json("inbox").to_string();
                if done.code != Some(0) || inbox.contains("listed") {
                    over.store(true, std::sync::atomic::Ordering::Relaxed);
                }
                assert!(done.code == Some(0) && !inbox.contains("listed"), "{}: {done:?} {inbox}", desk.kind);
            }
            over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    });
}

/// Bin and archive are on no list of changes.
#[test]
fn i3_what_is_looked_through_from_time_to_time_holds_up_no_new_order_when_it_fails() {
    each(|desk| {
        let kind = desk.kind;
        if desk.store.asks(Question::PutAway).is_none() {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.put_away(&id));
        for fault in [FaultKind::ServerError(503), FaultKind::ServerError(400), FaultKind::HtmlInstead] {
            desk.passes_are_due();
            desk.server.faults().add(desk.fault_of(fault.clone(), Question::PutAway).unwrap().always());
            let new = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
            let report = desk.home.run("sync --json").done().json()["stores"][0].clone();
            assert_eq!(report["new"], 1, "{kind}: {report}");
            let has_none = peculiar(kind).may_have_no_list && fault == FaultKind::ServerError(400);
            assert_eq!(report["error"].is_null(), has_none, "{kind}: {fault:?} {report}");
            assert_eq!(desk.show(&new)["status"], "awaiting-fulfillment", "{kind}: {fault:?}");
            assert_eq!(desk.show(&id)["changed_at_channel"], false, "{kind}: {fault:?}");
            desk.server.faults().clear();
        }
        desk.passes_are_due();
        desk.sync();
        assert_eq!(desk.show(&id)["changed_at_channel"], true, "{kind}");
    });
}

/// A cache that heeds only a part of the address gives one order in the place of another.
#[test]
fn d1_an_order_that_comes_in_the_place_of_another_is_not_taken_for_it() {
    each(|desk| {
        let (one, other) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("MUG-9", 1)]));
        desk.on("pull", &one, "").exits(0);
        let asked = desk.server.requests().remove(0);
        let route = asked.name();
        let part = route.split(one.as_str()).next().unwrap_or_default();
        desk.server.faults().add(Fault::new(FaultKind::Frozen).on(&asked.method, part).always());
        desk.on("pull", &one, "").done();
        for command in ["pull", "dispatch"] {
            let more = if command == "dispatch" { "--carrier dhl --tracking JD01" } else { "" };
            let done = desk.on(command, &other, more).done();
            assert_ne!(done.code, Some(0), "{} {command}", desk.kind);
            done.says("came where").says("nothing of it was used");
        }
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
        assert_eq!(desk.show(&other)["lines"][0]["sku"], "MUG-9", "{}", desk.kind);
    });
}

#[test]
fn what_can_be_sent_is_offered_and_orders_of_a_store_that_was_removed_are_counted() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.home.sql("UPDATE orders SET placed_at = placed_at - 864000000");
        let lists = ["orders --status awaiting-fulfillment", "orders --late"];
        let offered = |words: &str| desk.home.json(words).as_array().unwrap().len();
        let before = lists.map(offered);
        assert!(before.iter().all(|orders| *orders > 0), "{}: {before:?}", desk.kind);
        desk.home.run(&format!("connect --remove {}", desk.kind)).exits(0);
        for (words, orders) in lists.iter().zip(before) {
            let all = desk.home.run(&format!("{words} --limit 0 --json")).exits(0);
            assert_eq!(all.json(), serde_json::json!([]), "{}: {words}", desk.kind);
            all.says(&format!("{orders} order")).says("not connected any more").says("--channel STORE");
            assert_eq!(offered(&format!("{words} --channel {}", desk.kind)), orders, "{}: {words}", desk.kind);
        }
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(7).says("is disconnected");
    });
}
