//! Killed at every point of the work: the book is whole, and the next sync ends as if nothing had
//! happened.

use chrono::{TimeDelta, Utc};
use ordersync::channel::CancelSupport;
use serde_json::json;

use super::desk::{Desk, each, each_kind};
use super::support::program::{EXPORT, dies};

/// Dies once at every passing of every point, and gives how often each was passed until `attempt`
/// came to its end.
fn at_every_passing(names: &[&str], mut attempt: impl FnMut(&str, u32) -> bool) -> Vec<u32> {
    names.iter().map(|point| (1..).find(|nth| !attempt(point, *nth)).unwrap_or(1) - 1).collect()
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_dispatch_killed_at_every_point_tells_the_buyer_once() {
    each(|desk| {
        let without = desk.paid(&[("TEE-001", 2)]);
        desk.on("dispatch", &without, "--carrier dhl --tracking JD00").exits(0);
        let once = desk.store.standing(&without).unwrap();
        let passed = at_every_passing(&EXPORT, |point, nth| {
            let id = desk.paid(&[("TEE-001", 2)]);
            let place = format!("{} {point}:{nth}", desk.kind);
            let command = format!("dispatch {}:{id} --carrier dhl --tracking JD{id}", desk.kind);
            let died = dies(&desk.home, &command, point, nth);
            assert_eq!(desk.home.sql("PRAGMA integrity_check"), ["ok"], "{place}");
            dies(&desk.home, "sync", point, nth);
            desk.home.sql("UPDATE outbox SET next_at = 0");
            desk.sync();
            desk.home.run("retry").done();
            let standing = desk.store.standing(&id).unwrap();
            assert_eq!(desk.tracking_numbers(&id), [format!("JD{id}")], "{place}");
            assert_eq!((standing.dispatch_mails, standing.shipped), (once.dispatch_mails, true), "{place}");
            assert_eq!(desk.show(&id)["status"], "shipped", "{place}");
            assert_eq!(desk.home.json("outbox"), json!([]), "{place}");
            died
        });
        assert!(passed.iter().all(|times| *times >= 1), "{}: {passed:?}", desk.kind);
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_cancellation_killed_at_every_point_is_made_once() {
    each(|desk| {
        if !matches!(desk.capabilities().cancel, CancelSupport::Yes(_)) {
            return;
        }
        let without = desk.paid(&[("TEE-001", 1)]);
        desk.on("cancel", &without, "--reason sold-out").exits(0);
        let once = desk.writes();
        at_every_passing(&EXPORT, |point, nth| {
            let id = desk.paid(&[("TEE-001", 1)]);
            let (place, before) = (format!("{} {point}:{nth}", desk.kind), desk.writes());
            let died = dies(&desk.home, &format!("cancel {}:{id} --reason sold-out", desk.kind), point, nth);
            desk.home.sql("UPDATE outbox SET next_at = 0");
            desk.sync();
            desk.home.run("retry").done();
            assert!(desk.store.standing(&id).unwrap().cancelled, "{place}");
            assert_eq!(desk.writes() - before, once, "{place}");
            assert_eq!(desk.show(&id)["status"], "cancelled", "{place}");
            assert_eq!(desk.home.json("outbox"), json!([]), "{place}");
            died
        });
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_first_sync_killed_at_every_page_brings_every_order_once() {
    each_kind(|kind| {
        // A store of its own each time: a quota would run out over so many first syncs of one.
        let (from, to) = (Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        let seeded = || {
            let desk = Desk::unconnected(kind);
            desk.store.seed(60, from, to);
            desk
        };
        let all = seeded().elsewhere().len();
        let passed = at_every_passing(&["before-import", "after-import"], |point, nth| {
            let desk = seeded();
            let place = format!("{kind} {point}:{nth}");
            desk.connect("--set page_size=10").exits(0);
            let died = dies(&desk.home, "sync", point, nth);
            assert_eq!(desk.home.sql("PRAGMA integrity_check"), ["ok"], "{place}");
            desk.sync();
            assert_eq!(desk.home.sql("SELECT count(*) FROM orders"), [all.to_string()], "{place}");
            assert_eq!(desk.home.sql("SELECT sum(new) FROM run_stores"), [all.to_string()], "{place}");
            died
        });
        assert!(passed.iter().all(|times| *times >= 2), "{kind}: {passed:?}");
    });
}
