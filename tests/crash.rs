//! `kill -9` at any instant (F-5): processes that really die, at every point of the work and at
//! random moments; after each the book opens, is whole, and the next run ends with the shop's
//! orders, each once, and with buyers who were told once.
//!
//! `ORDERSYNC_KILLS` sets how many random kills there are (30; up to 1000 for a long night).

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use ordersync::sim::woocommerce::*;
use support::program::{EXPORT, Home, dies};
use support::woo::{self, Rig, Served};

/// The points of an import that `crash::point` names.
const IMPORT: [&str; 2] = ["before-import", "after-import"];

/// A home whose cut-off writes are given a fifth of a second to arrive: time enough on loopback.
fn home() -> Home {
    woo::home().env("ORDERSYNC_RETRY_MS", "20")
}

fn rig(options: Options, page_size: u32) -> Rig {
    let rig = Rig { served: Served::new(options), home: home() };
    rig.connect(&format!("--set page_size={page_size}")).exits(0);
    rig
}

/// How often the points `names` were passed by `attempt` until it came to its end; each time it
/// dies once on the way.
fn at_every_passing(names: &[&str], mut attempt: impl FnMut(&str, u32) -> bool) -> Vec<u32> {
    names.iter().map(|point| (1..).find(|nth| !attempt(point, *nth)).unwrap_or(1) - 1).collect()
}

#[test]
fn every_crash_point_of_the_program_is_passed_here() {
    let mut found = Vec::new();
    collect(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    found.dedup();
    let mut known: Vec<&str> = IMPORT.iter().chain(&EXPORT).copied().collect();
    known.sort_unstable();
    assert_eq!(found, known);
}

/// The names in all calls of `crash::point` below `dir`.
fn collect(dir: &std::path::Path, found: &mut Vec<String>) {
    for path in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, found);
        } else {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let names = text.split("crash::point(\"").skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(names.map(str::to_owned));
        }
    }
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_first_sync_killed_at_every_page_ends_in_the_same_book() {
    let served = Served::new(Options::demo());
    served.shop.seed(60, Utc::now() - TimeDelta::days(2), Utc::now() - TimeDelta::minutes(1));
    let mut served = Some(served);
    let passed = at_every_passing(&IMPORT, |point, nth| {
        let rig = Rig { served: served.take().unwrap(), home: home() };
        rig.connect("--set page_size=10").exits(0);
        let died = dies(&rig.home, "sync", point, nth);
        assert_eq!(rig.home.sql("PRAGMA integrity_check"), ["ok"]);
        rig.sync();
        rig.assert_converged(&format!("{point}:{nth}"));
        let new: Vec<String> = rig.home.sql("SELECT sum(new) FROM run_stores");
        assert_eq!(new, ["60"], "no order came twice: {point}:{nth}");
        served = Some(rig.served);
        died
    });
    assert!(passed.iter().all(|times| *times >= 7), "each page of each slice, and the changes: {passed:?}");
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_an_incremental_sync_killed_at_every_page_ends_in_the_same_book() {
    let rig = rig(Options::demo(), 5);
    rig.shop.seed(40, Utc::now() - TimeDelta::days(2), Utc::now() - TimeDelta::minutes(1));
    rig.sync();
    let passed = at_every_passing(&IMPORT, |point, nth| {
        let ids = rig.shop.ids();
        for id in ids.iter().rev().step_by(2) {
            rig.shop.edit_address(*id, |address| address.city = format!("{point} {nth}"));
        }
        rig.paid(nth);
        let died = dies(&rig.home, "sync", point, nth);
        rig.sync();
        rig.assert_converged(&format!("{point}:{nth}"));
        died
    });
    assert!(passed.iter().all(|times| *times >= 4), "{passed:?}");
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
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_cancellation_killed_at_every_point_is_made_once() {
    let rig = rig(Options::demo(), 100);
    let passed = at_every_passing(&EXPORT, |point, nth| {
        let id = rig.paid(1);
        rig.sync();
        let died = dies(&rig.home, &format!("cancel woocommerce:{id} --reason sold-out"), point, nth);
        rig.sync();
        let place = format!("{point}:{nth}");
        let notes = rig.shop.notes(id).iter().filter(|note| note["note"].to_string().contains("sold-out")).count();
        assert_eq!(notes, 1, "{place}");
        assert_eq!(
            (rig.status(id).as_str(), rig.shop.status(id).as_deref()),
            ("cancelled", Some("cancelled")),
            "{place}"
        );
        rig.assert_converged(&place);
        died
    });
    assert!(passed.iter().all(|times| *times >= 1), "{passed:?}");
}

/// Numbers by chance, the same for the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn new(told: &str) -> Self {
        let seed = std::env::var("ORDERSYNC_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or_else(|| Utc::now().timestamp_micros().unsigned_abs() | 1);
        println!("{told}: ORDERSYNC_SEED={seed}");
        Self(seed)
    }

    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below.max(1)
    }
}

/// How many random kills each of the two tests makes.
fn kills() -> u64 {
    std::env::var("ORDERSYNC_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(30u64).min(1000)
}

/// Runs `words` and kills it after up to `within`; says whether it came to its own end before.
fn killed(home: &Home, words: &str, within: Duration, dice: &mut Dice) -> bool {
    let mut child = home.spawn(words, &[]);
    let moment = Duration::from_micros(dice.roll(u64::try_from(within.as_micros()).unwrap()));
    // The moment itself is what is tried out here; nothing waits for luck.
    std::thread::sleep(moment);
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    ended
}

/// How long a command takes when it is let be.
fn duration(run: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    run();
    begun.elapsed()
}

/// A shop that grew without end would make each round longer than the one before.
const MOST_ORDERS: u64 = 120;

/// Changes orders of the shop until told to stop: edits, saves without a change, new orders.
fn while_the_shop_changes<T>(rig: &Rig, ids: &[u64], dice: &mut Dice, work: impl FnOnce(&mut Dice) -> T) -> T {
    let stop = Arc::new(AtomicBool::new(false));
    let mut own = Dice(dice.roll(u64::MAX) | 1);
    std::thread::scope(|scope| {
        let (stop_here, shop) = (stop.clone(), rig.shop.clone());
        scope.spawn(move || {
            while !stop_here.load(Ordering::Relaxed) {
                let index = own.roll(ids.len() as u64) as usize;
                let city = format!("City {}", own.roll(1000));
                shop.edit_address(ids[index], |address| address.city = city);
                shop.touch_many(&ids[index..(index + 5).min(ids.len())]);
                if own.roll(8) == 0 && shop.counters().orders < MOST_ORDERS {
                    shop.place_order(NewOrder::paid().line("MUG-9", 1));
                }
                std::thread::sleep(Duration::from_millis(own.roll(6)));
            }
        });
        let value = work(dice);
        stop.store(true, Ordering::Relaxed);
        value
    })
}

#[test]
fn f5_syncs_killed_at_random_while_the_shop_sells_end_in_the_same_book() {
    let mut dice = Dice::new("syncs");
    let rig = rig(Options { page_latency: Duration::from_millis(2), ..Options::demo() }, 7);
    rig.shop.seed(60, Utc::now() - TimeDelta::days(2), Utc::now() - TimeDelta::minutes(1));
    let ids = rig.shop.ids();
    let mut within = duration(|| {
        rig.home.run("sync --dry-run").exits(0);
    });
    let mut ended = 0;
    for round in 0..kills() {
        let full = if dice.roll(4) == 0 { " --full" } else { "" };
        let came_to_its_end = while_the_shop_changes(&rig, &ids, &mut dice, |dice| {
            killed(&rig.home, &format!("sync{full}"), within, dice)
        });
        ended += u64::from(came_to_its_end);
        assert_eq!(rig.home.sql("PRAGMA integrity_check"), ["ok"]);
        within = within.max(duration(|| {
            rig.sync();
        }));
        rig.assert_converged(&format!("round {round}"));
    }
    assert!(kills() == 0 || ended < kills(), "none was killed in the middle");
}

#[test]
fn f5_dispatches_killed_at_random_while_the_shop_sells_tell_each_buyer_once() {
    let mut dice = Dice::new("dispatches");
    let rig = rig(Options { page_latency: Duration::from_millis(2), ..Options::demo() }, 100);
    rig.shop.seed(20, Utc::now() - TimeDelta::days(2), Utc::now() - TimeDelta::minutes(1));
    let ids = rig.shop.ids();
    let first = rig.paid(1);
    rig.sync();
    let dispatch = |id: u64| format!("dispatch woocommerce:{id} --carrier dhl --tracking JD{id}");
    let within = duration(|| {
        rig.home.run(&dispatch(first)).exits(0);
    });
    for round in 0..kills() {
        let id = rig.paid(1);
        rig.sync();
        while_the_shop_changes(&rig, &ids, &mut dice, |dice| {
            killed(&rig.home, &dispatch(id), within, dice);
            if dice.roll(3) == 0 {
                killed(&rig.home, "sync", within, dice);
            }
        });
        assert_eq!(rig.home.sql("PRAGMA integrity_check"), ["ok"]);
        if rig.status(id) == "awaiting-fulfillment" {
            // It died before it was recorded: nothing may have gone out, and the merchant says it
            // again.
            assert_eq!(rig.shop.mails(id).dispatch_mails(), 0, "round {round}");
            rig.home.run(&dispatch(id)).exits(0);
        }
        rig.sync();
        let mails = rig.shop.mails(id);
        let told = (rig.shop.fulfillments(id).len(), mails.fulfillment, mails.completed);
        assert_eq!(told, (1, 1, 1), "round {round}");
        assert_eq!(rig.status(id), "shipped", "round {round}");
        rig.assert_converged(&format!("round {round}"));
    }
}
