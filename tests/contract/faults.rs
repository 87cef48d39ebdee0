//! Faults of servers and networks: a pause or a clear error.

use std::time::{Duration, Instant};

use chrono::Utc;
use ordersync::sim::{Fault, FaultKind, Purchase};
use serde_json::json;

use super::desk::each;

#[test]
fn i6_f4_faults_cost_a_pause_or_a_clear_error_and_never_an_order() {
    let faults = [
        (FaultKind::RateLimited(Some("1".to_owned())), &[0][..]),
        (FaultKind::RateLimited(None), &[0]),
        (FaultKind::ServerError(500), &[0]),
        (FaultKind::ServerError(503), &[0]),
        (FaultKind::ServerError(520), &[0]),
        (FaultKind::CutBefore, &[0]),
        (FaultKind::AnswerLost, &[0]),
        (FaultKind::Truncated, &[0]),
        (FaultKind::Endless, &[0]),
        (FaultKind::HtmlInstead, &[0, 1, 5]),
    ];
    each(|desk| {
        desk.sync();
        for (fault, codes) in &faults {
            let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
            desk.server.faults().next(fault.clone());
            let done = desk.home.run("sync").done();
            assert!(done.code.is_some_and(|code| codes.contains(&code)), "{} {fault:?}: {done:?}", desk.kind);
            desk.server.faults().clear();
            desk.sync();
            assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{} {fault:?}", desk.kind);
        }
    });
}

#[test]
fn f4_a_store_whose_lists_stay_broken_costs_the_run_and_nothing_else() {
    let kinds = [
        (FaultKind::HtmlInstead, &[1, 5][..]),
        (FaultKind::Truncated, &[0, 5]),
        (FaultKind::CutBefore, &[5]),
        (FaultKind::AnswerLost, &[5]),
        (FaultKind::ServerError(500), &[5]),
        (FaultKind::ServerError(503), &[5]),
        (FaultKind::RateLimited(None), &[5]),
        (FaultKind::Firewall, &[4, 5]),
        (FaultKind::Unauthorized, &[4]),
    ];
    each(|desk| {
        desk.sync();
        for (kind, codes) in &kinds {
            let told = format!("{} {kind:?}", desk.kind);
            let position = || desk.home.sql("SELECT walk || position FROM cursors ORDER BY walk");
            let before = position();
            let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
            desk.server.faults().add(desk.list_fault(kind.clone()).always());
            let done = desk.home.run("sync").done();
            assert!(done.code.is_some_and(|code| codes.contains(&code)), "{told}: {done:?}");
            if done.code == Some(0) {
                // The orders were found without their list.
                assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{told}");
                desk.server.faults().clear();
                continue;
            }
            let done = done.says(&format!("error: {}: ", desk.kind));
            assert!(done.stdout.is_empty() && done.stderr.lines().count() <= 2, "c3: a short block: {told} {done:?}");
            assert_eq!(position(), before, "{told} moved the position");
            let again = desk.home.run("sync --json").done();
            assert_eq!(Some(again.json()["stores"][0]["error"]["exit_code"].clone()), done.code.map(Into::into));
            assert!(desk.home.json("runs --limit 1")[0]["error"].is_string(), "{told} is in the account of the run");
            let blamed = desk.home.sql("SELECT count(*) FROM inbox WHERE kind IN ('unreadable', 'unshown')");
            assert_eq!(blamed, ["0"], "{told}: no order is to blame");
            desk.server.faults().clear();
            desk.sync();
            assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{told}");
        }
    });
}

#[test]
fn i6_a_pause_that_the_channel_asks_for_is_kept_and_nothing_is_read_twice() {
    each(|desk| {
        desk.sync();
        desk.sync();
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.server.clear_requests();
        desk.server.faults().add(desk.list_fault(FaultKind::RateLimited(Some("1".to_owned()))));
        let begun = Instant::now();
        desk.sync();
        assert!(begun.elapsed() >= Duration::from_secs(1), "{}: {:?}", desk.kind, begun.elapsed());
        let lists: Vec<(bool, String)> = desk.lists().iter().map(|one| (one.faulty, one.target())).collect();
        let is_kept = lists[0].0 && lists[1..].iter().all(|(is_faulty, _)| !is_faulty);
        assert!(lists.len() == 1 + desk.walks() && is_kept, "{}: {lists:?}", desk.kind);
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
    });
}

#[test]
fn i6_a_long_pause_holds_for_every_process_that_calls_the_store() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().next(FaultKind::RateLimited(Some("3600".to_owned())));
        desk.home.run("sync").exits(5).says("429");
        desk.server.clear_requests();
        desk.home.run("sync").exits(5).says("asked to be left alone until");
        desk.on("pull", &id, "").exits(5);
        assert!(desk.server.requests().is_empty(), "{}: nobody knocks meanwhile", desk.kind);
        desk.home.run("status").exits(0).prints("the channel asked to be left alone");
    });
}

/// The scripts of a page that stands in the place of an answer hold `[]`, a plugin's answer holds
/// anything: nothing is lost for it, and no buyer is told twice.
#[test]
fn f4_a_page_with_scripts_in_the_place_of_an_answer_loses_no_order_and_tells_nobody_twice() {
    each(|desk| {
        let without_fault = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &without_fault, "--carrier dhl --tracking JD00").exits(0);
        let once = desk.store.standing(&without_fault).unwrap().dispatch_mails;
        let asked = desk.server.requests().len() as u32;
        let other = FaultKind::OtherJson(json!({ "status": "ok", "id": null, "result": [] }));
        for kind in [FaultKind::HtmlWithScript(false), FaultKind::HtmlWithScript(true), other] {
            let page = |after| Fault::new(kind.clone()).after(after);
            for after in 0..2 {
                let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
                desk.server.faults().add(page(after).times(20));
                desk.home.run("sync").done();
                desk.server.faults().clear();
                desk.sync();
                assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{} {after}", desk.kind);
            }
            for after in 0..=asked {
                let id = desk.paid(&[("TEE-001", 1)]);
                let case = format!("{} {kind:?}, after {after} requests", desk.kind);
                desk.server.faults().add(page(after));
                desk.on("dispatch", &id, "--carrier dhl --tracking JD01").done();
                desk.server.faults().clear();
                desk.home.run("retry").done();
                desk.sync();
                if desk.tracking_numbers(&id).is_empty() {
                    // An order that could not be read was not dispatched; then it can be.
                    desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
                }
                assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{case}");
                assert_eq!(desk.store.standing(&id).unwrap().dispatch_mails, once, "{case}");
            }
        }
    });
}

/// A pause of years would stop a store for good; a larger one ended the program.
#[test]
fn i6_a_pause_that_no_vendor_means_is_bounded_said_and_ended() {
    each(|desk| {
        desk.sync();
        let reauth = format!("connect --reauth {}", desk.kind);
        for (asked, end) in [("315360000", "connect --test"), ("9999999999999999", reauth.as_str())] {
            let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
            desk.server.faults().next(FaultKind::RateLimited(Some(asked.to_owned())));
            desk.home.run("sync").exits(5).says("which no channel means").says("connect --test");
            desk.home.run("sync").exits(5).says("asked to be left alone until");
            desk.home.run("status").exits(0).prints("asked to be left alone").prints("connect --test");
            desk.home.run("status --check").exits(3).prints("left alone");
            desk.home.run(end).exits(0);
            desk.sync();
            assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{} {asked}", desk.kind);
        }
        // As an older version, or a clock that was ahead, has left it in the book.
        for until in ["9999999999999", "9223372036854775807"] {
            desk.home.sql(&format!("UPDATE stores SET paused_until = {until} RETURNING id"));
            desk.home.run("status").exits(0).without("left alone");
            desk.sync();
        }
        // One that can be meant, for longer than a timer's turns, is for monitors to know.
        let hours = Utc::now().timestamp_millis() + 20 * 3_600_000;
        desk.home.sql(&format!("UPDATE stores SET paused_until = {hours} RETURNING id"));
        desk.home.run("status --check").exits(3).prints("left alone");
        desk.home.run("sync").exits(5);
        desk.home.run("connect --test").exits(0);
        desk.home.run("status --check").exits(0);
    });
}

#[test]
fn i6_pauses_that_are_negative_or_past_or_no_time_at_all_cost_no_more_than_a_repeat() {
    each(|desk| {
        desk.sync();
        for asked in ["-5", "0", "NaN", "Thu, 01 Jan 1970 00:00:00 GMT", ""] {
            desk.server.faults().next(FaultKind::RateLimited(Some(asked.to_owned())));
            desk.home.run("sync").exits(0);
        }
    });
}
