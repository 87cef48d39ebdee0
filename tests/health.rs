//! `status --check`, `runs` and the timer's sync: what a monitor is told is what was done (F-1,
//! C-3). On one store: it is about the book.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ordersync::sim::{Fault, FaultKind};
use serde_json::{Value, json};
use support::program::{Call, until};
use support::woo::{ORDERS, Rig};

fn standing(rig: &Rig) -> Value {
    rig.home.json("status")["stores"][0].clone()
}

fn check<'a>(rig: &'a Rig, more: &str) -> Call<'a> {
    rig.home.run(&format!("status --check {more}"))
}

/// Puts the last reading, and the last turn of the timer, so many minutes back.
fn read_before(rig: &Rig, minutes: i64) {
    let back = minutes * 60_000;
    rig.home.sql(&format!(
        "UPDATE stores SET last_sync_at = last_sync_at - {back}, last_autosync_at = last_autosync_at - {back}"
    ));
}

/// A shop that answers no list of orders.
fn down(rig: &Rig) {
    rig.fault(Fault::new(FaultKind::ServerError(503)).on_path(ORDERS).always());
}

fn up(rig: &Rig) {
    rig.server.faults().clear();
}

#[test]
fn f1_only_a_whole_sync_makes_a_store_that_was_not_read_well_again() {
    let (rig, ids) = Rig::with_orders(&[1]);
    read_before(&rig, 59);
    check(&rig, "").exits(0);
    read_before(&rig, 2);
    let done = check(&rig, "").exits(3).prints("not read for 1 h 01 min");
    assert!(done.stdout.contains("ordersync sync --channel woocommerce"), "{done:?}");
    assert_eq!(standing(&rig)["troubles"], json!(["not-read"]));
    check(&rig, "--max-age 2h").exits(0);
    check(&rig, "--max-age soon").exits(2);
    for other in
        ["sync --dry-run", "sync --since 1d", &format!("pull woocommerce:{}", ids[0]), "doctor", "connect --test"]
    {
        rig.home.run(other).exits(0);
        check(&rig, "").exits(3);
    }
    rig.sync();
    check(&rig, "").exits(0);
    check(&rig, "--max-age 0m").exits(3);
}

#[test]
fn f1_a_store_whose_list_fails_is_not_well_whatever_else_it_does() {
    let (rig, ids) = Rig::with_orders(&[1]);
    read_before(&rig, 61);
    rig.fault(Fault::new(FaultKind::ServerError(503)).on_path("modified_after").always());
    rig.home.run(&format!("dispatch woocommerce:{} --carrier dhl --tracking JD01", ids[0])).exits(0);
    rig.home.run("sync --autosync").exits(5);
    check(&rig, "").exits(3).prints("not read for").prints("503");
    up(&rig);
    rig.home.run("sync").exits(0);
    check(&rig, "").exits(0);
}

#[test]
fn f1_a_sync_that_failed_is_told_at_once() {
    let (rig, _) = Rig::with_orders(&[1]);
    down(&rig);
    rig.home.run("sync").exits(5);
    let now = standing(&rig);
    assert_eq!(
        (&now["troubles"], &now["advice"], &now["ok"]),
        (&json!(["sync-failed"]), &json!("sync-failed"), &json!(true))
    );
    assert!(now["last_error"]["message"].as_str().unwrap().contains("503") && now["last_error"]["at"].is_string());
    check(&rig, "").exits(0).prints("the last sync failed: ").prints(" s ago)").prints("503");
    rig.home.run("sync --dry-run").done();
    assert_eq!(standing(&rig)["troubles"], json!(["sync-failed"]), "a rehearsal changes nothing about it");
    up(&rig);
    rig.sync();
    assert_eq!((&standing(&rig)["troubles"], &standing(&rig)["advice"]), (&json!([]), &json!("ok")));
}

#[test]
fn f1_a_first_sync_that_did_not_come_to_its_end_is_not_ok() {
    let (rig, _) = Rig::with_orders(&[1]);
    rig.home.sql("UPDATE stores SET last_sync_at = NULL");
    let now = standing(&rig);
    assert_eq!((&now["troubles"], &now["advice"]), (&json!(["first-sync"]), &json!("first-sync")));
    rig.home.run("status").exits(0).prints("orders are missing");
}

#[test]
fn f1_a_store_with_an_inbox_is_not_ok() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.shop.edit_address(ids[0], |address| address.city = "Elsewhere".to_owned());
    let wrong = FaultKind::WrongType(ordersync::sim::WrongType::TotalIsObject, Some(ids[0]));
    rig.fault(Fault::new(wrong).on_path(ORDERS));
    rig.home.run("sync").exits(3);
    check(&rig, "").exits(3);
    assert_eq!(standing(&rig)["advice"], "inbox");
}

#[test]
fn f1_a_sync_is_at_work_from_its_beginning_also_while_it_sends() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.home.run(&format!("dispatch woocommerce:{} --carrier dhl --tracking JD01 --later", ids[0])).exits(0);
    let order = format!("{ORDERS}/{}", ids[0]);
    rig.fault(Fault::new(FaultKind::Slow(Duration::from_secs(20))).on_path(&order).always());
    let mut slow = rig.home.spawn("sync", &[]);
    until("the export is at work", || rig.home.path().join("locks/woocommerce.export.lock").exists());
    assert_eq!(rig.home.json("runs")[0]["state"], "at-work");
    assert!(standing(&rig)["at_work_since"].is_string());
    slow.kill().unwrap();
    slow.wait().unwrap();
    assert_eq!(rig.home.json("runs")[0]["state"], "cut-off");
}

#[test]
fn d2_what_waits_for_its_next_try_is_counted_and_told() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.home.run(&format!("dispatch woocommerce:{} --carrier dhl --tracking JD01 --later", ids[0])).exits(0);
    let soon = (Utc::now() + TimeDelta::minutes(20)).timestamp_millis();
    rig.home.sql(&format!("UPDATE outbox SET state = 'unknown', written = 'maybe', next_at = {soon}"));
    let told = rig.home.json("sync")["stores"][0].clone();
    assert_eq!((&told["waiting"], &told["unknown"]), (&json!(1), &json!(1)));
    assert!(told["next_try_at"].is_string());
    rig.home.run("sync -v").exits(0).prints("1 waits until ").says("ordersync retry");
    rig.home.sql("UPDATE outbox SET next_at = NULL");
    rig.home.run("sync --dry-run").exits(0).prints("1 would be sent out").prints("dry run: nothing was kept or sent");
    rig.home.run("sync --dry-run --quiet").exits(0).silent();
}

#[test]
fn d7_what_a_store_that_is_disconnected_was_not_told_is_said() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.home.run(&format!("dispatch woocommerce:{} --carrier dhl --tracking JD01 --later", ids[0])).exits(0);
    rig.home.run("connect --remove woocommerce --force").exits(0);
    rig.home.run("outbox").exits(0).prints("queued").says("not connected any more").without("everything has arrived");
    assert_eq!(rig.home.json("outbox")[0]["connected"], false);
    rig.home.run("retry").exits(0).prints("not connected any more").without("everything has arrived");
}

/// What is not connected is not at fault, and the orders that it has brought are in the book still.
#[test]
fn f1_a_book_whose_last_store_was_removed_is_well_and_is_there() {
    let (rig, _) = Rig::with_orders(&[1]);
    rig.home.run("connect --remove woocommerce").exits(0);
    rig.home.run("status --check").exits(0);
    rig.home.run("status").exits(0).prints("no store is connected").prints("1 order").prints("ordersync connect");
    let status = rig.home.json("status");
    assert_eq!((&status["stores"], &status["ok"]), (&json!([]), &json!(true)));
}

#[test]
fn f1_a_store_that_was_never_read_counts_from_when_it_was_connected() {
    let rig = Rig::new();
    down(&rig);
    rig.home.run("sync").exits(5);
    check(&rig, "").exits(0).prints("approximately").prints("the last sync failed: ").prints("503");
    rig.home.sql("UPDATE stores SET connected_at = connected_at - 3660000");
    check(&rig, "").exits(3).prints("not read since it was connected");
}

#[test]
fn f1_a_sync_that_runs_or_was_killed_is_told_as_what_it_is() {
    let (rig, _) = Rig::with_orders(&[1]);
    read_before(&rig, 61);
    rig.paid(1);
    rig.home.run("sync").dies_at("before-import");
    assert_eq!(rig.home.json("runs")[0]["state"], "cut-off");
    rig.home.run("runs").exits(0).prints("cut off before its end");
    check(&rig, "").exits(3).prints("was cut off");
    rig.fault(Fault::new(FaultKind::Slow(Duration::from_secs(20))).on_path(ORDERS).always());
    let mut slow = rig.home.spawn("sync", &[]);
    until("the sync is at work", || standing(&rig)["at_work_since"].is_string());
    assert_eq!(rig.home.json("runs")[0]["state"], "at-work");
    check(&rig, "").exits(3).prints("a sync is at work on it");
    slow.kill().unwrap();
    slow.wait().unwrap();
    up(&rig);
    rig.sync();
    check(&rig, "").exits(0).without("cut off");
}

#[test]
fn f1_credentials_that_are_gone_are_told_before_the_next_sync_fails() {
    let (rig, _) = Rig::with_orders(&[1]);
    std::fs::remove_dir_all(rig.home.path().join("credentials")).unwrap();
    check(&rig, "--quiet").exits(4).silent();
    check(&rig, "").exits(4).prints("ordersync connect --reauth woocommerce");
    assert_eq!(standing(&rig)["troubles"], json!(["credentials-gone"]));
}

#[test]
fn f1_a_paused_store_is_not_well() {
    let (rig, _) = Rig::with_orders(&[1]);
    let until = (Utc::now() + TimeDelta::minutes(30)).timestamp_millis();
    rig.home.sql(&format!("UPDATE stores SET paused_until = {until}, paused_why = 'busy'"));
    check(&rig, "").exits(3).prints("asked to be left alone").prints("ordersync connect --test woocommerce");
    assert_eq!(standing(&rig)["troubles"], json!(["paused"]));
    rig.home.sql(&format!("UPDATE stores SET paused_until = {}", Utc::now().timestamp_millis() + 20_000));
    check(&rig, "").exits(0);
}

#[test]
fn f1_what_was_refused_is_not_well_until_it_is_dealt_with() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.home.run(&format!("dispatch woocommerce:{} --carrier dhl --tracking JD01 --later", ids[0])).exits(0);
    rig.home.sql(&format!(
        "UPDATE outbox SET state = 'failed', settled_at = {}, error = 'no', error_kind = 'rejected'",
        Utc::now().timestamp_millis()
    ));
    check(&rig, "").exits(3).prints("1 dispatch or cancellation did not go out").prints("ordersync outbox");
    assert_eq!(standing(&rig)["outbox"]["failed"], 1);
    rig.home.run("retry").exits(0);
    check(&rig, "").exits(0);
}

#[test]
fn every_late_order_is_counted() {
    let (rig, _) = Rig::with_orders(&[1]);
    rig.home.sql("UPDATE orders SET placed_at = placed_at - 864000000");
    let columns = rig
        .home
        .sql("SELECT group_concat(name) FROM pragma_table_info('orders') WHERE name NOT IN ('id', 'remote_id')");
    rig.home.sql(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1234)
         INSERT INTO orders (remote_id, {0}) SELECT 'x' || i, {0} FROM orders, n WHERE id = 1",
        columns[0]
    ));
    assert_eq!(standing(&rig)["late"], 1235);
}

#[test]
fn c3_an_outage_is_told_once_by_the_timer_and_again_by_status() {
    let (rig, _) = Rig::with_orders(&[1]);
    let turn = || {
        rig.home.sql("UPDATE stores SET last_autosync_at = last_autosync_at - 3600000");
        rig.home.run("sync --autosync")
    };
    down(&rig);
    turn().exits(5).says("error: ");
    turn().exits(5).silent();
    turn().exits(5).silent();
    rig.home.sql("UPDATE stores SET told_at = told_at - 90000000");
    turn().exits(5).says("error: ");
    rig.home.run("sync").exits(5).says("error: ");
    up(&rig);
    turn().exits(0).silent();
    down(&rig);
    turn().exits(5).says("error: ");
    up(&rig);
    rig.fault(Fault::new(FaultKind::Unauthorized).on_path(ORDERS).always());
    turn().exits(4).says("error: ");
    turn().exits(4).silent();
}

#[test]
fn f1_a_server_that_never_answers_does_not_keep_the_next_turn_from_coming() {
    let (rig, _) = Rig::with_orders(&[1]);
    rig.fault(Fault::new(FaultKind::Slow(Duration::from_secs(3600))).on_path(ORDERS).always());
    // The client would give up long after that, and say so in other words.
    for end in ["1", "500"] {
        rig.home.sql("UPDATE stores SET last_autosync_at = NULL, told_at = NULL");
        rig.home.run("sync --autosync").env("ORDERSYNC_RUN_MS", end).exits(5).says("stopped after");
    }
}

#[test]
fn c6_nobody_promises_that_a_store_that_is_not_connected_is_tried_again() {
    let home = support::woo::home();
    let done = home.run("connect woocommerce --url http://127.0.0.1:9").done();
    assert_ne!(done.code, Some(0));
    done.says("hint: ").without("the next sync").says("nothing is connected");
}
