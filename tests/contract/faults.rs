//! Faults of servers and networks: a pause or a clear error.

use chrono::Utc;
use ordersync::sim::{Fault, FaultKind, Purchase};

use super::desk::each;

#[test]
fn i6_f4_faults_cost_a_pause_or_a_clear_error_and_never_an_order() {
    let faults = [
        (FaultKind::RateLimited(Some("1".to_owned())), &[0][..]),
        (FaultKind::ServerError(503), &[0]),
        (FaultKind::CutBefore, &[0]),
        (FaultKind::Truncated, &[0]),
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

/// The scripts of a page that stands in the place of an answer hold `[]`, a plugin's answer holds
/// anything: nothing is lost for it, and no buyer is told twice.
#[test]
fn f4_a_page_with_scripts_in_the_place_of_an_answer_loses_no_order_and_tells_nobody_twice() {
    each(|desk| {
        let without_fault = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &without_fault, "--carrier dhl --tracking JD00").exits(0);
        let once = desk.store.standing(&without_fault).unwrap().dispatch_mails;
        let asked = desk.server.requests().len() as u32;
        for kind in [FaultKind::HtmlWithScript(false), FaultKind::HtmlWithScript(true), FaultKind::OtherJson] {
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
