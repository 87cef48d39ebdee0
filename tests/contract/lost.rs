//! Answers that are lost (D-3): what may have arrived is looked for, and the buyer is told once.

use std::sync::atomic::{AtomicU64, Ordering};

use ordersync::sim::{Exchange, Fault, FaultKind};
use serde_json::{Value, json};

use super::desk::{Desk, kinds, lost, struck, writes_of_a_dispatch};
use super::setups::{NUMBER, all_due, each_set_up, states, struck_dispatch};

/// The book cannot be written any more when the answer has come: what went out is said, and looked
/// for once there is room again.
#[test]
fn f4_a_disk_that_is_full_once_the_channel_was_told_is_said_with_what_has_gone_out() {
    each_set_up(|desk| {
        let without = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &without, "--carrier dhl --tracking JD00").exits(0);
        let once = desk.store.standing(&without).unwrap().dispatch_mails;
        let id = desk.paid(&[("TEE-001", 1)]);
        // The second row that the channel took finds no room.
        desk.home.sql("CREATE UNIQUE INDEX full ON outbox (CASE written WHEN 'yes' THEN 1 END)");
        let done = desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(1);
        done.says("could not be written").says("had gone out to the channel").says("ordersync retry book:");
        desk.home.sql("DROP INDEX full");
        desk.home.run("retry").exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((standing.dispatch_mails, standing.told("JD01")), (once, 1), "{}: {standing:?}", desk.kind);
    });
}

/// Each write of a dispatch, struck by each way to lose it or its answer.
#[test]
fn d3_whatever_happens_to_a_write_of_a_dispatch_it_arrives_and_the_buyer_is_told_once() {
    let lost = [FaultKind::AnswerLost, FaultKind::Truncated, FaultKind::HtmlInstead, FaultKind::CutBefore];
    let failed =
        [FaultKind::ServerError(500), FaultKind::ServerError(504), FaultKind::RateLimited(None), FaultKind::Firewall];
    each_set_up(|desk| {
        let (writes, without) = writes_of_a_dispatch(desk);
        let once = desk.store.standing(&without).unwrap();
        for write in &writes {
            for (kind, times) in lost.iter().map(|kind| (kind, 1)).chain(failed.iter().map(|kind| (kind, 2))) {
                let told = format!("{} {kind:?} at {}", desk.kind, write.name());
                let id = desk.paid(&[("TEE-001", 1)]);
                desk.server.faults().add(struck(kind.clone(), write, &without).times(times));
                // A firewall's refusal may be one of the key.
                let done = desk.on("dispatch", &id, NUMBER).done();
                assert!(matches!(done.code, Some(0 | 4 | 5)), "{told}: {done:?}");
                assert_eq!(done.code == Some(0), states(desk).is_empty(), "{told}: silent of what waits, {done:?}");
                for _ in 0..3 {
                    all_due(desk);
                    desk.home.run("sync").done();
                }
                assert_eq!(desk.server.faults().pending(), 0, "{told}");
                is_told_like(desk, &id, &once, &told);
            }
        }
    });
}

/// Asserts that an order stands as one whose dispatch met no fault.
fn is_told_like(desk: &Desk, id: &str, once: &ordersync::sim::Standing, told: &str) {
    let standing = desk.store.standing(id).unwrap();
    assert_eq!(standing.told("JD01"), 1, "{told}: {standing:?}");
    assert_eq!(
        (standing.dispatch_mails, standing.parcels.len(), standing.shipped),
        (once.dispatch_mails, once.parcels.len(), true),
        "{told}: {standing:?}"
    );
    assert_eq!(desk.show(id)["status"], "shipped", "{told}");
    assert_eq!(states(desk), [""; 0], "{told}");
    assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 0, "{told}: {}", desk.home.json("inbox"));
}

#[test]
fn d3_a_row_whose_time_has_not_come_is_left_and_retry_does_not_wait() {
    each_set_up(|desk| {
        let (writes, without) = writes_of_a_dispatch(desk);
        let once = desk.store.standing(&without).unwrap();
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(lost(&writes[0], &without));
        desk.on("dispatch", &id, NUMBER).exits(5);
        desk.sync();
        assert_eq!(states(desk), ["unknown"], "{}: back-off", desk.kind);
        desk.home.run("retry").exits(0).prints("has arrived");
        is_told_like(desk, &id, &once, &format!("{}", desk.kind));
        desk.home.run("retry").exits(0).prints("nothing to try again");
    });
}

/// A proxy gives up, and the shop behind it goes on: what is not to be seen there yet may still come.
#[test]
fn d3_a_write_that_may_still_be_at_work_is_not_made_again_by_a_sync_nor_a_retry() {
    each_set_up(|desk| {
        let (writes, without) = writes_of_a_dispatch(desk);
        let once = desk.store.standing(&without).unwrap();
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(struck(FaultKind::ServerError(504), &writes[0], &without));
        desk.on("dispatch", &id, NUMBER).exits(5);
        let before = desk.writes();
        let patient = |words: &str| desk.home.run(words).env("ORDERSYNC_RETRY_MS", "1000").done();
        let retried = patient("retry");
        assert_eq!(retried.code, Some(5), "{}: {retried:?}", desk.kind);
        retried.says("may still be carrying it out").says("nothing was written again");
        all_due(desk);
        patient("sync");
        assert_eq!((desk.writes(), states(desk)), (before, vec!["unknown".to_owned()]), "{}", desk.kind);
        desk.home.sql("UPDATE outbox SET attempted_at = attempted_at - 660001");
        desk.home.run("retry").env("ORDERSYNC_RETRY_MS", "1000").exits(0).prints("has arrived");
        is_told_like(desk, &id, &once, &format!("{}", desk.kind));
    });
}

#[test]
fn d3_of_several_parcels_only_what_is_missing_is_written() {
    let parcels = "--carrier dhl --tracking JD01 --carrier ups --tracking 1Z02";
    each_set_up(|desk| {
        if !desk.capabilities().several_parcels {
            return;
        }
        let without = desk.paid(&[("TEE-001", 2)]);
        desk.on("dispatch", &without, parcels).exits(0);
        let writes: Vec<Exchange> = desk.server.requests().into_iter().filter(Exchange::is_write).collect();
        let once = desk.store.standing(&without).unwrap();
        for nth in 0..u32::try_from(writes.len()).unwrap() {
            for kind in [FaultKind::AnswerLost, FaultKind::CutBefore] {
                let told = format!("{} {kind:?} at write {nth}", desk.kind);
                let id = desk.paid(&[("TEE-001", 2)]);
                let name = writes[0].name();
                let part = name.split(without.as_str()).next().unwrap();
                desk.server.faults().add(Fault::new(kind).on(&writes[0].method, part).after(nth).times(20));
                desk.on("dispatch", &id, parcels).done();
                desk.server.faults().clear();
                desk.home.run("retry").done();
                desk.sync();
                let standing = desk.store.standing(&id).unwrap();
                assert_eq!((standing.told("JD01"), standing.told("1Z02")), (1, 1), "{told}: {standing:?}");
                is_told_like(desk, &id, &once, &told);
            }
        }
    });
}

#[test]
fn d3_what_the_channel_took_is_only_looked_for_however_long_it_does_not_show_it() {
    each_set_up(|desk| {
        let once = {
            let id = desk.paid(&[("TEE-001", 2)]);
            let writes = desk.writes();
            desk.on("dispatch", &id, NUMBER).exits(0);
            (desk.writes() - writes, desk.store.standing(&id).unwrap().dispatch_mails)
        };
        let id = desk.paid(&[("TEE-001", 2)]);
        let writes = desk.writes();
        desk.server.faults().add(Fault::new(FaultKind::Lagging).always());
        desk.on("dispatch", &id, NUMBER).exits(5);
        for _ in 0..3 {
            desk.on("retry", &id, "").done();
            desk.home.sql("UPDATE outbox SET next_at = 0, attempted_at = attempted_at - 7200000 WHERE state = 'sent'");
            desk.home.run("sync").done();
        }
        let standing = desk.store.standing(&id).unwrap();
        assert!(desk.writes() - writes <= once.0, "{}: {} writes", desk.kind, desk.writes() - writes);
        assert!(standing.dispatch_mails <= once.1 && standing.parcels.len() <= 1, "{}: {standing:?}", desk.kind);
        let told = desk.home.json("inbox").to_string();
        assert!(told.contains("does not show it") && told.contains("retry"), "{}: {told}", desk.kind);
        desk.server.faults().clear();
        desk.on("retry", &id, "").exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!((desk.writes() - writes, standing.dispatch_mails), once, "{}: {standing:?}", desk.kind);
        assert_eq!((standing.told("JD01"), standing.shipped), (1, true), "{}: {standing:?}", desk.kind);
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}", desk.kind);
    });
}

/// The answer is lost, and what answers from then on does not know of the write yet. That the
/// repeat is refused does not say that the first one came to nothing: it may be the reason. Where a
/// channel takes a repeat, what it took is only looked for.
#[test]
fn d3_a_lost_write_is_looked_for_before_it_is_made_once_more_and_is_never_called_failed() {
    each_set_up(|desk| {
        let (writes, without) = writes_of_a_dispatch(desk);
        let once = desk.store.standing(&without).unwrap();
        let id = desk.paid(&[("TEE-001", 1)]);
        let before = desk.writes();
        desk.server.faults().add(lost(&writes[0], &without));
        desk.server.faults().add(Fault::new(FaultKind::Lagging).always());
        desk.on("dispatch", &id, NUMBER).done();
        for _ in 0..3 {
            desk.home.run("retry").done();
            desk.home.run("sync").done();
            assert!(matches!(&*states(desk)[0], "unknown" | "sent"), "{}: {:?}", desk.kind, states(desk));
        }
        let asked = desk.server.requests();
        let same = |one: &Exchange| one.is_write() && one.name().replace(&id, &without) == writes[0].name();
        let tried: Vec<usize> = (0..asked.len()).filter(|nth| same(&asked[*nth])).collect();
        assert!(tried.len() <= 2, "{}: written {} times", desk.kind, tried.len());
        let looked = |pair: &[usize]| asked[pair[0]..pair[1]].iter().any(|one| !one.is_write());
        assert!(tried.windows(2).all(looked), "{}: repeated blindly", desk.kind);
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
        let inbox = desk.home.json("inbox").to_string();
        assert!(!inbox.contains("did not go out"), "{}: {inbox}", desk.kind);
        desk.server.faults().clear();
        desk.home.run("retry").exits(0);
        let took_repeats = desk.writes() - before > writes.len() as u64;
        let standing = desk.store.standing(&id).unwrap();
        let most = if took_repeats { 2 } else { 1 };
        assert!((1..=most).contains(&standing.told("JD01")), "{}: {standing:?}", desk.kind);
        assert_eq!(standing.shipped, once.shipped, "{}: {standing:?}", desk.kind);
        assert_eq!(states(desk), [""; 0], "{}", desk.kind);
    });
}

/// The answer to a dispatch is lost, it never arrived, and then somebody else ships the order.
#[test]
fn d3_what_others_have_shipped_since_an_answer_was_lost_is_not_shipped_again() {
    super::desk::each(|desk| {
        let id = struck_dispatch(desk, &FaultKind::ServerError(502));
        desk.server.faults().clear();
        assert_eq!(states(desk), ["unknown"], "{}", desk.kind);
        assert!(desk.store.ship_elsewhere(&id, "UPS", "1Z01"));
        let before = desk.writes();
        desk.home.run("retry").done();
        assert!(!desk.home.json("inbox").as_array().unwrap().is_empty(), "{}: the merchant has to look", desk.kind);
        assert_eq!(desk.writes(), before, "{}: {:?}", desk.kind, desk.home.json("inbox"));
        desk.on("accept", &id, "").exits(0);
        desk.home.run("retry").done();
        desk.home.run("sync").done();
        assert_eq!((desk.writes(), desk.tracking_numbers(&id)), (before, vec!["1Z01".to_owned()]), "{}", desk.kind);
        // The merchant has looked: it is not there, and there is nothing left to make it of.
        desk.on("retry", &id, "--again").done();
        assert_eq!(desk.writes(), before, "{}", desk.kind);
        for row in desk.home.json("outbox").as_array().unwrap() {
            desk.home.run(&format!("outbox --withdraw {}", row["row"].as_str().unwrap())).exits(0);
        }
        let shown = desk.show(&id);
        assert_eq!((&shown["status"], &shown["lines"][0]["left"]), (&"shipped".into(), &"0".into()), "{}", desk.kind);
    });
}

/// A server that takes every write and loses every answer, and shows nothing of it: each may have
/// told the buyer.
#[test]
fn d3_after_four_lost_answers_nothing_more_is_written_without_the_merchant() {
    each_set_up(|desk| {
        let id = struck_dispatch(desk, &FaultKind::ServerError(502));
        for _ in 0..5 {
            desk.home.run("retry").done();
        }
        let tried = desk.server.requests().iter().filter(|request| request.is_write()).count();
        assert_eq!(tried, 4, "{}", desk.kind);
        let told = desk.home.json("inbox");
        assert!(told.as_array().unwrap().iter().any(|note| note["kind"] == "unseen"), "{}: {told}", desk.kind);
        desk.server.faults().clear();
        desk.on("retry", &id, "--again").exits(0);
        assert_eq!(desk.store.standing(&id).unwrap().told("JD01"), 1, "{}", desk.kind);
    });
}

/// Recorded and not confirmed is no success: each command that leaves a row so says it, also by its
/// code.
/// What the channel shows while the answer is out is no change of others: nothing says to accept it.
#[test]
fn d3_what_the_channel_shows_of_a_dispatch_in_doubt_is_told_as_probably_ones_own() {
    let told = AtomicU64::new(0);
    each_set_up(|desk| {
        let (writes, without) = writes_of_a_dispatch(desk);
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(lost(&writes[0], &without));
        desk.on("dispatch", &id, NUMBER).exits(5);
        desk.on("pull", &id, "").exits(0);
        if desk.show(&id)["differences"].to_string().contains("\"shipped\"") {
            let shown = desk.on("show", &id, "").exits(0);
            shown.prints("probably your own dispatch JD01").prints("ordersync retry book:").without("ordersync accept");
            told.fetch_add(1, Ordering::Relaxed);
        }
        desk.on("retry", &id, "").exits(0);
        desk.on("show", &id, "").exits(0).without("probably your own");
    });
    let told = told.into_inner();
    assert!(told >= kinds().count().min(2) as u64, "{told}");
}

#[test]
fn c2_a_write_whose_answer_was_lost_is_told_by_every_command() {
    each_set_up(|desk| {
        let (writes, without) = writes_of_a_dispatch(desk);
        let unknown = "it is not known whether the channel has it";
        let id = desk.paid(&[("TEE-001", 1)]);
        for write in &writes {
            desk.server.faults().add(struck(FaultKind::ServerError(502), write, &without).always());
        }
        let done = desk.on("dispatch", &id, NUMBER).exits(5);
        done.prints("recorded").prints(unknown).says("error: ");
        let again = desk.on("dispatch", &id, NUMBER).exits(5);
        again.prints("recorded already, nothing was sent").prints(unknown).says("ordersync retry book:");
        let quiet = desk.home.run(&format!("dispatch {}:{id} {NUMBER} --quiet", desk.kind)).exits(5);
        quiet.says("not confirmed by the channel");
        let told = desk.on("dispatch", &id, NUMBER).arg("--json").exits(5).json();
        assert_eq!((&told["state"], &told["error"]["exit_code"]), (&"unknown".into(), &5.into()), "{}", desk.kind);
        desk.on("retry", &id, "").exits(5).prints(unknown).says("error: ");
        all_due(desk);
        desk.home.run("sync").exits(3).says(unknown).says("ordersync outbox");
        desk.server.faults().clear();
        desk.on("retry", &id, "").exits(0);
    });
}

/// The same for another number.
#[test]
fn c2_another_tracking_number_whose_answer_was_lost_is_told() {
    each_set_up(|desk| {
        if !desk.capabilities().replace_tracking {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, NUMBER).exits(0);
        desk.server.faults().add(Fault::new(FaultKind::CutBefore).always());
        let replace = "--replaces JD01 --carrier ups --tracking 1Z02";
        desk.on("dispatch", &id, replace).exits(5).prints("recorded; ").says("error: ");
        desk.server.faults().clear();
        desk.on("retry", &id, "").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["1Z02"], "{}", desk.kind);
    });
}

/// The version with our own pieces in it is taken over before anybody has looked whether they are.
#[test]
fn d3_pieces_of_a_lost_answer_are_not_counted_twice_where_the_version_is_accepted_first() {
    each_set_up(|desk| {
        if !desk.capabilities().partial {
            return;
        }
        let (writes, without) = writes_of_a_dispatch(desk);
        let id = desk.paid(&[("TEE-001", 6)]);
        desk.server.faults().add(lost(&writes[0], &without));
        desk.on("dispatch", &id, "--item TEE-001=3 --carrier dhl --tracking L1").exits(5);
        desk.server.faults().clear();
        desk.home.run(&format!("accept {}:{id}", desk.kind)).done();
        desk.on("retry", &id, "").exits(0);
        let left = |shown: Value| shown["lines"][0]["left"].clone();
        assert_eq!(left(desk.show(&id)), json!("3"), "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking L2").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["L1", "L2"], "{}", desk.kind);
    });
}
