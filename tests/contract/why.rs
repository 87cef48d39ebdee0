//! Why an order is in the book, or is not, and what that rests on.

use chrono::{TimeDelta, Utc};
use ordersync::sim::{Fault, FaultKind, Lack, Purchase, Question};
use serde_json::Value;

use super::desk::{Desk, each, each_kind};
use super::setups::peculiar;

/// What `why` says of an order; each answer rests on something and names a command where one helps.
fn why(desk: &Desk, id: &str, more: &str) -> Value {
    let told = desk.home.json(&format!("why {}:{id} {more}", desk.kind));
    assert!(told["text"].is_string(), "{}: {told}", desk.kind);
    assert!(desk.on("why", id, more).exits(0).stdout.lines().count() >= 2, "{}: {told}", desk.kind);
    told
}

fn assert_rests_on(told: &Value, key: &str) {
    let evidence = told["evidence"].as_array().unwrap();
    assert!(evidence.iter().any(|one| !one[key].is_null() && !one["at"].is_null()), "no {key} in {told}");
}

#[test]
fn an_order_of_the_book_is_there_since_a_run() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let told = why(desk, &id, "");
        assert_eq!(told["verdict"], "in-book", "{told}");
        assert_rests_on(&told, "run");
        assert!(desk.server.requests().is_empty(), "{}: the book knows it", desk.kind);
        assert!(desk.store.redate(&id, Utc::now() - TimeDelta::days(2)));
        assert!(desk.store.erase(&id));
        desk.home.run("reconcile").done();
        let told = why(desk, &id, "");
        assert_eq!(told["verdict"], "gone", "{told}");
    });
}

#[test]
fn an_order_that_no_list_has_shown_is_told_from_one_that_changed_before_or_after() {
    each_kind(|kind| {
        let desk = Desk::empty(kind);
        desk.store.seed(30, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        desk.connect("").exits(0);
        desk.sync();
        let placed = |days: i64| {
            let at = Utc::now() - TimeDelta::days(days);
            let id = desk.store.place(&Purchase { at: Some(at), ..Purchase::of(&[("TEE-001", 1)]) });
            assert!(desk.store.redate(&id, at));
            id
        };
        let (late, old, unseen) = (desk.store.place(&Purchase::of(&[("TEE-001", 1)])), placed(45), placed(9));
        for (id, verdict) in [(&late, "next-sync"), (&old, "not-asked-for"), (&unseen, "never-seen")] {
            let told = why(&desk, id, "");
            assert_eq!(told["verdict"], verdict, "{kind}: {told}");
            assert!(told["hint"].as_str().unwrap().contains(&format!("ordersync pull {kind}:{id}")), "{kind}: {told}");
            assert_rests_on(&told, "request");
            desk.server.clear_requests();
            assert_eq!(why(&desk, id, "--offline")["verdict"], "not-asked", "{kind}");
            assert!(desk.server.requests().is_empty(), "{kind}: nothing is asked");
        }
        desk.on("pull", &unseen, "").exits(0);
        assert_eq!(why(&desk, &unseen, "")["verdict"], "in-book", "{kind}");
        let told = why(&desk, "987654321", "");
        let verdict = if peculiar(kind).hides_old { "refused" } else { "not-there" };
        assert_eq!(told["verdict"], verdict, "{kind}: {told}");
        assert!(!told["text"].as_str().unwrap().contains("any more"), "{kind}: it never was there: {told}");
        assert_eq!(desk.writes(), 0, "{kind}");
        if desk.store.asks(Question::PutAway).is_some() {
            let away = placed(8);
            assert!(desk.store.put_away(&away));
            assert_eq!(why(&desk, &away, "")["verdict"], "put-away", "{kind}");
        }
    });
}

#[test]
fn an_order_that_cannot_be_read_or_shown_and_a_key_that_is_refused_are_named() {
    each(|desk| {
        assert_eq!(why(desk, "987654321", "")["verdict"], "not-read", "{}", desk.kind);
        desk.store.seed(150, Utc::now() - TimeDelta::days(9), Utc::now() - TimeDelta::days(1));
        let midst = Some(Utc::now() - TimeDelta::days(5));
        let hidden = desk.store.place(&Purchase { at: midst, ..Purchase::of(&[("TEE-001", 1)]) });
        assert!(desk.store.set_unrenderable(&hidden, true));
        desk.home.run("sync").exits(3);
        if !desk.store.lacks(Lack::NearIds) {
            let told = why(desk, &hidden, "--offline");
            assert_eq!(told["verdict"], "unshown", "{}: {told}", desk.kind);
            assert_rests_on(&told, "run");
        }
        let spoilt = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        assert!(desk.store.spoil(&spoilt, true));
        assert_eq!(why(desk, &spoilt, "")["verdict"], "unreadable", "{}: as the channel has it now", desk.kind);
        desk.home.run("sync").exits(3);
        let told = why(desk, &spoilt, "--offline");
        assert_eq!(told["verdict"], "unreadable", "{}: {told}", desk.kind);
        assert_rests_on(&told, "run");
        let later = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        assert!(desk.store.set_unrenderable(&later, true));
        assert_eq!(why(desk, &later, "")["verdict"], "unshown", "{}: as the channel answers now", desk.kind);
        desk.server.faults().add(Fault::new(FaultKind::ServerError(502)).always());
        desk.on("why", "987654321", "").exits(5);
        desk.server.faults().clear();
        desk.server.faults().add(Fault::new(FaultKind::Unauthorized).always());
        for _ in 0..2 {
            let told = why(desk, "987654321", "");
            assert_eq!(told["verdict"], "refused", "{}: {told}", desk.kind);
            assert!(told["hint"].as_str().unwrap().contains("--reauth"), "{}: {told}", desk.kind);
        }
    });
}

#[test]
fn an_order_that_the_role_of_the_key_does_not_reach_is_refused_and_not_missing() {
    each(|desk| {
        let Some(status) = peculiar(desk.kind).role else { return };
        desk.sync();
        let forbidden = FaultKind::Says(status, "The consumer isn't authorized to access %resources.".to_owned());
        desk.server.faults().add(Fault::new(forbidden).always());
        let told = why(desk, "987654321", "");
        assert_eq!(told["verdict"], "refused", "{}: {told}", desk.kind);
        assert!(!told["hint"].as_str().unwrap().is_empty(), "{}: {told}", desk.kind);
        // What was answered then is known to the next one.
        desk.server.faults().clear();
        let told = why(desk, "987654321", "--offline");
        assert_eq!(told["verdict"], "refused", "{}: {told}", desk.kind);
        assert_rests_on(&told, "run");
        desk.sync();
        // Where old orders are hidden it may be one of them.
        let verdict = if peculiar(desk.kind).hides_old { "refused" } else { "not-there" };
        assert_eq!(why(desk, "987654321", "")["verdict"], verdict, "{}", desk.kind);
    });
}
