//! `ordersync sync` as a program: its timer and locks, its home and book, what it prints. On one
//! store; what every channel keeps is in `tests/contract`.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ordersync::clock::SystemClock;
use ordersync::lock::{Lock, Work};
use ordersync::sim::woocommerce::*;
use ordersync::sim::{Fault, FaultKind};
use support::program::until;
use support::woo::{self, ORDERS, Rig, Served};

#[test]
fn c3_an_empty_shop_is_a_silent_success_and_verbose_is_one_line() {
    let rig = Rig::new();
    rig.sync();
    let done = rig.home.run("sync -v").exits(0).prints("woocommerce: 0 new, 0 changed, 0 unchanged");
    assert_eq!((done.stdout.lines().count(), done.stderr.as_str()), (1, ""));
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
}

/// Lists come so slowly that a sync is at work for as long as the test has it wait, on a machine
/// that has much else to do as well.
fn slow_lists(rig: &Rig) {
    rig.fault(Fault::new(FaultKind::Slow(Duration::from_secs(1))).on("GET", "/orders?").always());
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

#[test]
fn c2_a_range_that_is_none_is_refused() {
    let rig = Rig::new();
    rig.home.run("sync --since 2026-11-02 --until 2026-11-01").exits(2);
    rig.home.run("sync --since soon").exits(2).says("is not a time");
    rig.home.run("sync --until 1d").exits(2);
    assert!(rig.server.requests().is_empty());
}
