//! What happens to an order at the channel while an act of ours is under way there, or comes to
//! light only with its confirmation: it is told, and nothing is written over it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ordersync::sim::{Fault, FaultKind};
use serde_json::{Value, json};

use super::desk::{Desk, each, kinds};
use super::setups::{NUMBER, each_set_up, peculiar, states};

/// The kinds of what the inbox has open.
fn told(desk: &Desk) -> Vec<String> {
    let inbox = desk.home.json("inbox");
    inbox.as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
}

/// Dispatches an order that somebody cancels at the shop while the first write of it is on its way.
fn cancelled_on_the_way(desk: &Desk, more: &str) -> (String, Option<i32>) {
    let id = desk.paid(&[("TEE-001", 2)]);
    desk.on("dispatch", &id, &format!("{NUMBER} --dry-run")).exits(0);
    let reads = desk.server.requests().len();
    desk.server.clear_requests();
    // What the rehearsal has not asked is the first write.
    let slow = Fault::new(FaultKind::Slow(Duration::from_millis(1500)));
    desk.server.faults().add(slow.after(u32::try_from(reads).unwrap()));
    let dispatch = desk.home.spawn(&format!("dispatch {}:{id} {NUMBER} {more}", desk.kind), &[]);
    let until = Instant::now() + Duration::from_secs(60);
    while desk.server.requests().len() < reads && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert!(desk.store.cancel(&id), "{}", desk.kind);
    let done = dispatch.wait_with_output().unwrap();
    desk.server.faults().clear();
    (id, done.status.code())
}

#[test]
fn d1_a_cancellation_between_the_writes_of_a_dispatch_is_not_written_over_and_is_told() {
    each_set_up(|desk| {
        desk.set("cancels=review");
        let (id, code) = cancelled_on_the_way(desk, "");
        let standing = desk.store.standing(&id).unwrap();
        assert!(standing.cancelled, "{}: the cancellation is written over: {standing:?}", desk.kind);
        // A shop may itself refuse the parcel of an order that is cancelled: the look that follows tells
        // why.
        let is_there = desk.tracking_numbers(&id) == ["JD01"] || standing.told("JD01") > 0;
        let refused = if is_there { 3 } else { 6 };
        assert_eq!(code, Some(refused), "{}: {}", desk.kind, desk.home.json("outbox --all"));
        let first = desk.home.json("inbox").to_string();
        assert!(first.contains("cancelled") || !is_there, "{}: {first}", desk.kind);
        let writes = desk.writes();
        desk.sync();
        desk.home.run("retry").done();
        let inbox = desk.home.json("inbox").to_string();
        assert!(inbox.contains("cancelled"), "{}: {inbox}", desk.kind);
        assert_eq!((desk.writes(), desk.store.standing(&id).unwrap()), (writes, standing.clone()), "{}", desk.kind);
        // Where the parcel has gone out the order stays shipped here until the merchant decides.
        if is_there {
            assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
            assert!(desk.home.json("changes").to_string().contains("cancelled"), "{}", desk.kind);
            assert!(inbox.contains("JD01"), "{}: {inbox}", desk.kind);
        }
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
    });
}

/// Somebody cancels the order at the shop before the nth request of its dispatch, for each of them.
/// Of the two one comes to pass, or the merchant is told of both; a parcel that is not there leaves no
/// order shipped here.
#[test]
fn d1_a_cancellation_at_any_request_of_a_dispatch_is_never_lost_in_silence() {
    each_set_up(|desk| {
        for policy in ["review", "apply"] {
            desk.set(&format!("cancels={policy}"));
            for more in [NUMBER, ""] {
                let mut nth = 0;
                while cancelled_before(desk, more, nth, policy) {
                    nth += 1;
                    assert!(nth < 60, "{}: a dispatch that does not end", desk.kind);
                }
                // The look and the write, at the least.
                assert!(nth > 1, "{}: {nth} requests", desk.kind);
            }
        }
    });
}

/// Dispatches a new order that is cancelled before the nth request; `false` where there were not so
/// many.
fn cancelled_before(desk: &Desk, more: &str, nth: usize, policy: &str) -> bool {
    let id = desk.paid(&[("TEE-001", 2)]);
    let (asked, struck) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
    let (order, done) = (id.clone(), struck.clone());
    desk.store.interrupt(Box::new(move |_, store| {
        if asked.fetch_add(1, Ordering::SeqCst) == nth {
            done.store(store.cancel(&order), Ordering::SeqCst);
        }
    }));
    let dispatch = desk.on("dispatch", &id, more).done();
    desk.store.interrupt(Box::new(|_, _| ()));
    let requests = desk.server.requests().len();
    if !struck.load(Ordering::SeqCst) {
        // It was through, or the shop does not cancel what it has closed.
        assert_eq!(dispatch.code, Some(0), "{}: {dispatch:?}", desk.kind);
        return nth < requests;
    }
    desk.sync();
    let told = format!("{} {policy} {more:?}, cancelled before request {nth} of {requests}: {dispatch:?}", desk.kind);
    let (standing, shown) = (desk.store.standing(&id).unwrap(), desk.show(&id));
    let inbox = desk.home.json("inbox").to_string();
    let has_number = desk.tracking_numbers(&id).contains(&"JD01".to_owned()) || standing.told("JD01") > 0;
    let is_there = has_number || standing.sent > 0 || standing.shipped || standing.dispatch_mails > 0;
    let is_told = inbox.contains("cancelled") || shown["status"] == "cancelled";
    assert!(is_told, "{told}: in silence: {standing:?} {inbox}");
    assert!(standing.cancelled || dispatch.code != Some(0), "{told}: written over: {standing:?}");
    assert!(is_there || shown["status"] != "shipped", "{told}: nothing is there: {shown}");
    let open = states(desk);
    assert!(open.iter().all(|state| state == "failed"), "{told}: {open:?}");
    desk.home.sql("UPDATE inbox SET resolved_at = 1 RETURNING 1");
    true
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn d1_a_cancellation_after_a_kill_between_the_writes_is_not_written_over_and_is_told() {
    let tried = Mutex::new(BTreeSet::new());
    each_set_up(|desk| {
        desk.set("cancels=review");
        let id = desk.paid(&[("TEE-001", 2)]);
        let command = format!("dispatch {}:{id} {NUMBER}", desk.kind);
        assert!(super::support::program::dies(&desk.home, &command, "after-sent", 1), "{}", desk.kind);
        assert!(desk.store.cancel(&id) || desk.store.standing(&id).unwrap().shipped, "{}", desk.kind);
        if !desk.store.standing(&id).unwrap().cancelled {
            return;
        }
        tried.lock().unwrap().insert(desk.kind.word());
        desk.home.sql("UPDATE outbox SET next_at = 0");
        desk.home.run("sync").exits(3);
        let standing = desk.store.standing(&id).unwrap();
        let numbers = desk.tracking_numbers(&id);
        let is_there = numbers == ["JD01"] || (numbers.is_empty() && standing.told("JD01") == 1);
        assert!(standing.cancelled && is_there, "{}: {standing:?}", desk.kind);
        let inbox = desk.home.json("inbox").to_string();
        assert!(inbox.contains("cancelled") && inbox.contains("JD01"), "{}: {inbox}", desk.kind);
        assert_eq!((states(desk), desk.show(&id)["status"].as_str()), (Vec::new(), Some("shipped")), "{}", desk.kind);
    });
    let (tried, mut twice) = (tried.into_inner().unwrap(), kinds().filter(|kind| peculiar(*kind).writes_twice));
    assert!(twice.all(|kind| tried.contains(kind.word())), "these write more than once: {tried:?}");
}

/// The version that a confirmation brings is read once: what it tells is told then.
#[test]
fn p3_a_cancellation_that_comes_with_a_confirmation_is_told_once() {
    each_set_up(|desk| {
        if !desk.capabilities().replace_tracking {
            return;
        }
        desk.set("cancels=review");
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, NUMBER).exits(0);
        if !desk.store.cancel(&id) {
            return;
        }
        desk.on("dispatch", &id, "--replaces JD01 --carrier ups --tracking 1Z02").exits(0);
        for _ in 0..2 {
            assert_eq!(told(desk), ["cancelled"], "{}", desk.kind);
            assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
            desk.sync();
        }
        desk.on("accept", &id, "").exits(0);
        assert_eq!((told(desk), desk.show(&id)["status"].as_str()), (Vec::new(), Some("cancelled")), "{}", desk.kind);
    });
}

#[test]
fn p10_a_refund_that_comes_with_a_confirmation_is_told() {
    each(|desk| {
        if !desk.capabilities().partial || !desk.capabilities().replace_tracking {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        desk.on("dispatch", &id, &format!("--item TEE-001=1 {NUMBER}")).exits(0);
        let total = desk.show(&id)["totals"]["total"].as_str().unwrap().to_owned();
        assert!(desk.store.refund(&id, &total), "{}", desk.kind);
        desk.on("dispatch", &id, "--replaces JD01 --carrier ups --tracking 1Z02").exits(0);
        assert_eq!(told(desk), ["refund"], "{}", desk.kind);
        desk.sync();
        assert_eq!(told(desk), ["refund"], "{}", desk.kind);
    });
}

/// Whether the order is marked as changed at the channel, and how many pieces are left of it.
fn standing(desk: &Desk, id: &str) -> (Value, Value) {
    let shown = desk.show(id);
    (shown["changed_at_channel"].clone(), shown["lines"][0]["left"].clone())
}

#[test]
fn p2_what_others_ship_is_not_taken_for_ours_with_the_confirmation_of_another_number() {
    each_set_up(|desk| {
        let can = desk.capabilities();
        if !can.partial || !can.replace_tracking {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        desk.on("dispatch", &id, &format!("--item TEE-001=1 {NUMBER}")).exits(0);
        assert_eq!(standing(desk, &id), (json!(false), json!("2")), "{}: our own is no change", desk.kind);
        desk.on("dispatch", &id, "--replaces JD01 --carrier ups --tracking 1Z02").exits(0);
        assert_eq!(standing(desk, &id), (json!(false), json!("2")), "{}: our own is no change", desk.kind);
        assert!(desk.store.ship_pieces(&id, 0, 1, "UPS", "1Z99"), "{}", desk.kind);
        desk.on("dispatch", &id, "--replaces 1Z02 --carrier ups --tracking 1Z03").exits(0);
        for _ in 0..2 {
            assert_eq!(standing(desk, &id), (json!(true), json!("2")), "{}", desk.kind);
            desk.sync();
        }
        desk.on("accept", &id, "").exits(0);
        assert_eq!(standing(desk, &id), (json!(false), json!("1")), "{}", desk.kind);
        desk.on("dispatch", &id, "--item TEE-001=1 --as-local --carrier dhl --tracking JD04").exits(0);
        let last = standing(desk, &id);
        assert_eq!(
            last,
            (json!(false), json!("0")),
            "{}: the last of it: {}",
            desk.kind,
            desk.show(&id)["differences"]
        );
    });
}

#[test]
fn p2_what_others_ship_in_the_moment_of_a_dispatch_is_not_taken_for_ours() {
    each_set_up(|desk| {
        if !desk.capabilities().partial {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        let part = "--item TEE-001=1 --carrier dhl --tracking JD01";
        assert!(super::support::program::dies(
            &desk.home,
            &format!("dispatch {}:{id} {part}", desk.kind),
            "after-sent",
            1
        ));
        assert!(desk.store.ship_pieces(&id, 0, 1, "UPS", "1Z99"), "{}", desk.kind);
        desk.home.sql("UPDATE outbox SET next_at = 0");
        desk.on("retry", &id, "").exits(0);
        assert_eq!(states(desk), [""; 0], "{}", desk.kind);
        assert_eq!(standing(desk, &id), (json!(true), json!("2")), "{}", desk.kind);
        desk.on("accept", &id, "").exits(0);
        assert_eq!(standing(desk, &id), (json!(false), json!("1")), "{}", desk.kind);
    });
}
