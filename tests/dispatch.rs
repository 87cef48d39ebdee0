//! `dispatch` as a command: its words, its files, and what waits for its turn. Nothing here is of a
//! channel; a WooCommerce shop stands for all of them.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ordersync::clock::SystemClock;
use ordersync::lock::{Lock, Work};
use ordersync::sim::woocommerce::{NewOrder, Options};
use ordersync::sim::{Fault, FaultKind};
use support::program::{Call, until};
use support::woo::Rig;

#[test]
fn c2_a_slip_on_the_command_line_is_named_and_nothing_is_recorded() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.dispatch(ids[0], "--carrier dhl").exits(2).says("--tracking");
    rig.dispatch(ids[0], "--carrier dhl --carrier ups --carrier gls --tracking a --tracking b").exits(2);
    rig.home.call(&["dispatch", "1", "--tracking", "JD\u{1b}[2J"]).exits(2).without("\u{1b}");
    rig.home.run("dispatch").exits(2);
    rig.home.run("dispatch 99").exits(7).says("99");
    assert!(rig.writes().is_empty() && rig.outbox().is_empty());
}

#[test]
fn d5_the_pieces_of_a_dispatch_are_named_by_their_sku_or_the_number_of_their_line() {
    let rig = Rig::new();
    let id = rig.shop.place_order(NewOrder::paid().line("TEE-001", 3).line("MUG-9", 1));
    rig.sync();
    rig.parcel(id, "JD01 --item NOPE=1").exits(7).says("TEE-001, MUG-9");
    rig.parcel(id, "JD01 --item TEE-001").exits(2).says("SKU=QTY");
    rig.parcel(id, "JD01 --item #2=1").exits(0);
    rig.parcel(id, "JD02 --item MUG-9=1").exits(6).says("nothing of MUG-9 left");
    let left = rig.show(id)["lines"].as_array().unwrap().iter().map(|l| l["left"].clone()).collect::<Vec<_>>();
    assert_eq!(left, ["3", "0"]);
}

#[test]
fn f2_a_dispatch_beside_a_running_export_is_recorded_and_taken_along() {
    let (rig, ids) = Rig::with_orders(&[1]);
    let clock = SystemClock::new(Arc::new(AtomicBool::new(false)));
    let held = Lock::take(&rig.home.path().join("locks"), "woocommerce", Work::Export, Duration::ZERO, &clock).unwrap();
    rig.parcel(ids[0], "JD01").exits(5).prints("takes it along").says("not confirmed by the channel");
    assert_eq!(rig.outbox(), ["queued"]);
    drop(held);
    rig.sync();
    rig.assert_told_once(ids[0], "taken along");
}

#[test]
fn d7_an_old_unconfirmed_dispatch_is_told_of_by_its_age() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.parcel(ids[0], "JD01 --later").exits(0);
    let told = |minutes: i64| {
        rig.home.sql(&format!(
            "UPDATE outbox SET queued_at = {}",
            (chrono::Utc::now() - chrono::TimeDelta::minutes(minutes)).timestamp_millis()
        ));
        rig.home.run("status --check").done()
    };
    assert_eq!(told(20).without("dispatch is not confirmed").code, Some(0));
    assert_eq!(told(45).prints("allow up to an hour and a half").code, Some(0));
    assert_eq!(told(120).prints("ordersync doctor --bundle").code, Some(3));
}

/// A CSV file of dispatches.
fn csv<'a>(rig: &'a Rig, text: &str) -> Call<'a> {
    let file = rig.home.file("parcels.csv", text);
    rig.home.run(&format!("dispatch --by book --from {file}"))
}

#[test]
fn many_orders_are_dispatched_from_a_file() {
    let (rig, ids) = Rig::with_orders(&[1, 3, 1]);
    let text = format!(
        "order,carrier,tracking,sku,quantity\n{0},dhl,JD01,,\nwoocommerce:{1},ups,1Z1,TEE-001,1\nwoocommerce:{1},ups,1Z2,TEE-001,2\nwoocommerce:{2},gls,G1,,\n",
        1, ids[1], ids[2]
    );
    csv(&rig, &text).exits(0).prints("order 1").prints("order 2").prints("order 3");
    ids.iter().for_each(|id| rig.assert_told_once(*id, "from a file"));
    let numbers: Vec<_> =
        rig.show(ids[1])["shipments"][0]["parcels"].as_array().unwrap().iter().map(|p| p["tracking"].clone()).collect();
    assert_eq!(numbers, ["1Z1", "1Z2"], "rows of one order are one dispatch");
}

#[test]
fn an_order_of_which_too_little_is_left_costs_one_row() {
    let (rig, ids) = Rig::with_orders(&[1, 1, 1]);
    let text = format!(
        "order,carrier,tracking,sku,quantity\n1,dhl,JD01,,\n2,dhl,JD03,TEE-001,7\nwoocommerce:{},dhl,JD05,,\n",
        ids[2]
    );
    let rows = csv(&rig, &text).arg("--json").exits(3).json();
    let states: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["confirmed", "not-recorded", "confirmed"]);
    assert_eq!(rows[1]["error"]["kind"], "refused");
    assert_eq!(rig.status(ids[1]), "awaiting-fulfillment");
    csv(&rig, "order,tracking\n88,JD\n").exits(7).says("order 88");
}

#[test]
fn a_file_from_a_spreadsheet_is_read_and_one_that_is_none_is_refused_as_a_whole() {
    let (rig, ids) = Rig::with_orders(&[1, 1]);
    csv(&rig, "\u{feff}order;carrier;tracking\r\n1;dhl; JD01 \r\n").exits(0);
    rig.assert_told_once(ids[0], "semicolons");
    let before = rig.writes().len();
    for (text, says) in [
        ("", "no row"),
        ("carrier,tracking\ndhl,JD02\n", "order"),
        ("order,tracking\n2,JD02\n,JD03\n", "row 3 names no order"),
        ("order,tracking\n2,JD02\n1,JD03\n2,JD04\n", "put its rows together"),
        ("order,tracking\n2,JD02,too,many\n", "nothing was dispatched"),
    ] {
        csv(&rig, text).exits(2).says(says);
    }
    rig.home.run("dispatch --from nowhere.csv").exits(2);
    assert_eq!((rig.writes().len(), rig.status(ids[1]).as_str()), (before, "awaiting-fulfillment"));
    rig.home.run("dispatch --by book --from -").stdin("order,carrier,tracking\n2,dhl,JD02\n").exits(0);
    rig.assert_told_once(ids[1], "standard input");
}

#[cfg(unix)]
#[test]
fn an_interrupted_look_says_that_nothing_is_recorded() {
    let (rig, ids) = Rig::with_orders(&[1]);
    for command in ["dispatch", "cancel"] {
        rig.fault(Fault::new(FaultKind::Slow(Duration::from_secs(6))));
        let child = rig.home.spawn(&format!("{command} woocommerce:{}", ids[0]), &[]);
        until("the look", || rig.server.faults().pending() == 0);
        let pid = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(130) && said.contains("nothing was recorded or sent"), "{command}: {said}");
        assert!(rig.outbox().is_empty() && rig.writes().is_empty(), "{command}");
    }
}

/// Two orders, each called by the other's number: 2 and 3 at the shop are 1 and 2 in the book.
fn crossed() -> (Rig, Vec<u64>) {
    let rig = Rig::with(Options { first_id: 2, ..Options::demo() });
    let ids = vec![rig.paid(1), rig.paid(1)];
    rig.sync();
    rig.server.clear_requests();
    (rig, ids)
}

#[test]
fn a_number_that_could_mean_two_orders_is_refused_by_every_command() {
    let (rig, ids) = crossed();
    assert_eq!(ids, [2, 3]);
    for command in ["dispatch 2 --carrier ups --tracking 1Z", "cancel 2", "accept 2", "show 2", "pull 2", "retry 2"] {
        rig.home.run(command).exits(2).says("book:1 (woocommerce:2)").says("book:2 (woocommerce:3)");
    }
    assert!(rig.writes().is_empty() && rig.outbox().is_empty());
    rig.dispatch(2, "--carrier ups --tracking 1Z01 --dry-run").exits(0).prints("order 1 ");
    rig.home.run("dispatch book:2 --carrier ups --tracking 1Z02 --dry-run").exits(0).prints("order 2 ");
    rig.home.run("dispatch #2 --carrier ups --tracking 1Z01").exits(0).prints("order 1 ");
    rig.home.run("dispatch 2 --by book --carrier ups --tracking 1Z02").exits(0).prints("order 2 ");
    ids.iter().for_each(|id| rig.assert_told_once(*id, "each once"));
}

#[test]
fn a_file_from_outside_holds_the_channels_numbers() {
    let (rig, _) = crossed();
    let file = rig.home.file("parcels.csv", "order,carrier,tracking\n2,ups,1Z02\n");
    rig.home.run(&format!("dispatch --from {file} --dry-run")).exits(0).prints("order 1 ");
    rig.home.run(&format!("dispatch --from {file} --by book --dry-run")).exits(0).prints("order 2 ");
    let file = rig.home.file("parcels.csv", "order,carrier,tracking\n1,ups,1Z01\n");
    rig.home.run(&format!("dispatch --from {file}")).exits(7).says("--by book");
}
