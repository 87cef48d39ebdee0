//! Killed at every point of the work (F-5), by processes that really die: the book is whole, and
//! the next run ends as if nothing had happened.

use chrono::{TimeDelta, Utc};
use ordersync::channel::CancelSupport;
use ordersync::sim::{Purchase, Question};
use serde_json::json;

use super::desk::{Desk, each, each_kind};
use super::support::program::{EXPORT, RECEIPT, RENEWAL, dies};

/// The points of an import that `crash::point` names.
const IMPORT: [&str; 2] = ["before-import", "after-import"];

/// Those of a comparison of the channel's list with the book.
pub const COMPARISON: [&str; 2] = ["before-listed", "after-listed"];

/// Those of deciding again, which `local.rs` passes.
const DECISION: [&str; 2] = ["before-decided", "after-decided"];

/// Those of clearing personal data, which `privacy.rs` passes.
pub const CLEARING: &str = "clearing";

#[test]
fn every_crash_point_of_the_program_is_passed_here() {
    let mut found = Vec::new();
    collect(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    found.dedup();
    let mut known: Vec<&str> = IMPORT
        .iter()
        .chain(&COMPARISON)
        .chain(&DECISION)
        .chain(&EXPORT)
        .chain(&RENEWAL)
        .chain(&RECEIPT)
        .chain(&[CLEARING])
        .copied()
        .collect();
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

/// Dies once at every passing of every point, and gives how often each was passed until `attempt`
/// came to its end.
pub fn at_every_passing(names: &[&str], mut attempt: impl FnMut(&str, u32) -> bool) -> Vec<u32> {
    names.iter().map(|point| (1..).find(|nth| !attempt(point, *nth)).unwrap_or(1) - 1).collect()
}

/// Where nothing at the channel shows whether the buyer was told, it is not done twice, and said.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_another_tracking_number_killed_at_every_point_is_told_once_or_said_not_to_be_known() {
    each(|desk| {
        if !desk.capabilities().replace_tracking {
            return;
        }
        let number = |id: &str| {
            let id = id.to_owned();
            desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
            format!("dispatch {}:{id} --replaces JD01 --carrier ups --tracking 1Z02", desk.kind)
        };
        let without = desk.paid(&[("TEE-001", 1)]);
        desk.home.run(&number(&without)).exits(0);
        let once = desk.store.standing(&without).unwrap();
        at_every_passing(&EXPORT, |point, nth| {
            let id = desk.paid(&[("TEE-001", 1)]);
            let place = format!("{} {point}:{nth}", desk.kind);
            let died = dies(&desk.home, &number(&id), point, nth);
            let told = desk.home.run("retry").done();
            assert!(matches!(told.code, Some(0 | 3)), "{place}: {told:?}");
            desk.sync();
            let standing = desk.store.standing(&id).unwrap();
            assert_eq!((desk.tracking_numbers(&id), standing.shipped), (vec!["1Z02".to_owned()], true), "{place}");
            let is_said = desk.home.json("inbox").to_string().contains("whether the last of it was done is not known");
            assert_eq!(told.code == Some(3), is_said, "{place}: {told:?}");
            let mails = standing.dispatch_mails;
            assert!(
                mails == once.dispatch_mails || (mails + 1 == once.dispatch_mails && is_said),
                "{place}: {standing:?}"
            );
            assert_eq!(desk.home.json("outbox"), json!([]), "{place}");
            desk.home.sql("DELETE FROM inbox WHERE kind = 'unheard' RETURNING 1");
            died
        });
    });
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
            assert_eq!(desk.tracking_numbers(&id), [format!("JD{id}").replace('-', "")], "{place}");
            assert_eq!((standing.dispatch_mails, standing.shipped), (once.dispatch_mails, true), "{place}");
            assert_eq!(desk.show(&id)["status"], "shipped", "{place}");
            assert_eq!(desk.home.json("outbox"), json!([]), "{place}");
            died
        });
        assert!(passed.iter().all(|times| *times >= 1), "{}: {passed:?}", desk.kind);
    });
}

/// Where each parcel is a write of its own, the program may die between two of them.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_dispatch_of_two_parcels_killed_at_every_point_tells_of_each_once() {
    each(|desk| {
        if !desk.capabilities().several_parcels {
            return;
        }
        let two = |id: &str| format!("--carrier dhl --tracking JD{id} --carrier ups --tracking 1Z{id}");
        let without = desk.paid(&[("TEE-001", 2)]);
        desk.on("dispatch", &without, &two(&without)).exits(0);
        let once = desk.store.standing(&without).unwrap();
        let passed = at_every_passing(&EXPORT, |point, nth| {
            let id = desk.paid(&[("TEE-001", 2)]);
            let place = format!("{} {point}:{nth}", desk.kind);
            let died = dies(&desk.home, &format!("dispatch {}:{id} {}", desk.kind, two(&id)), point, nth);
            desk.home.sql("UPDATE outbox SET next_at = 0");
            desk.sync();
            desk.home.run("retry").done();
            let standing = desk.store.standing(&id).unwrap();
            let numbers = ["JD", "1Z"].map(|begin| format!("{begin}{id}").replace('-', ""));
            assert_eq!(desk.tracking_numbers(&id), numbers, "{place}");
            assert_eq!((standing.dispatch_mails, standing.shipped), (once.dispatch_mails, true), "{place}");
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
fn f5_a_first_sync_killed_at_every_page_ends_in_the_same_book() {
    each_kind(|kind| {
        let first = Desk::empty(kind);
        first.store.seed(60, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        let all = first.elsewhere().len().to_string();
        let passed = at_every_passing(&IMPORT, |point, nth| {
            let desk = Desk::beside(first.store.clone());
            let place = format!("{point}:{nth}");
            desk.connect("--set page_size=10").exits(0);
            let died = dies(&desk.home, "sync", point, nth);
            assert_eq!(desk.home.sql("PRAGMA integrity_check"), ["ok"], "{kind} {place}");
            desk.sync();
            desk.assert_converged(&place);
            assert_eq!(desk.home.sql("SELECT sum(new) FROM run_stores"), std::slice::from_ref(&all), "{kind} {place}");
            died
        });
        assert!(passed.iter().all(|times| *times >= 6), "{kind}: each page: {passed:?}");
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_an_incremental_sync_killed_at_every_page_ends_in_the_same_book() {
    each_kind(|kind| {
        let desk = Desk::empty(kind);
        desk.store.seed(40, Utc::now() - TimeDelta::days(2), Utc::now() - TimeDelta::hours(1));
        desk.connect("--set page_size=10").exits(0);
        desk.sync();
        let passed = at_every_passing(&IMPORT, |point, nth| {
            for id in desk.store.ids().iter().filter(|id| desk.store.is_listed(id)).take(36) {
                assert!(desk.store.readdress(id, &format!("{point} {nth}")));
            }
            desk.store.place(&Purchase::of(&[("TEE-001", nth)]));
            let died = dies(&desk.home, "sync", point, nth);
            desk.sync();
            desk.assert_converged(&format!("{point}:{nth}"));
            died
        });
        assert!(passed.iter().all(|times| *times >= 3), "{kind}: each page: {passed:?}");
    });
}

/// What no list of changes shows is looked through after the changes.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_sync_killed_while_it_looks_through_what_was_put_away_is_followed_by_one_that_reads_what_changed_since() {
    each(|desk| {
        if desk.store.asks(Question::PutAway).is_none() {
            return;
        }
        let (edited, away) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 1)]));
        let passed = at_every_passing(&["after-import"], |point, nth| {
            desk.passes_are_due();
            assert!(desk.store.put_away(&away));
            let died = dies(&desk.home, "sync", point, nth);
            assert!(desk.store.readdress(&edited, &format!("{point} {nth}")));
            desk.sync();
            desk.assert_converged(&format!("{point}:{nth}"));
            assert_eq!(desk.show(&away)["changed_at_channel"], true, "{} {point}:{nth}", desk.kind);
            died
        });
        assert!(passed[0] >= 2, "{}: the changes, and what was put away: {passed:?}", desk.kind);
    });
}
