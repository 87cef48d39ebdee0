//! Cancelling an order.

use ordersync::channel::CancelSupport;
use ordersync::sim::{Exchange, Fault, FaultKind, Lack, Purchase};
use serde_json::{Value, json};

use super::desk::{Desk, each, struck};
use super::setups::peculiar;

#[test]
fn d8_a_cancellation_with_other_wishes_takes_the_place_of_one_that_waits() {
    each(|desk| {
        if !cancels(desk) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(Fault::new(FaultKind::ServerError(503)).always());
        desk.on("cancel", &id, "--reason one").exits(5);
        desk.on("cancel", &id, "--reason one").exits(5);
        assert_eq!(desk.home.json("outbox").as_array().unwrap().len(), 1, "{}: the same", desk.kind);
        desk.on("cancel", &id, "--reason two").exits(5);
        desk.server.faults().clear();
        let goals = desk.home.sql("SELECT goal FROM outbox WHERE state NOT IN ('withdrawn', 'confirmed')");
        assert!(goals.len() == 1 && goals[0].contains("two"), "{}: {goals:?}", desk.kind);
        desk.sync();
        assert!(desk.store.standing(&id).unwrap().cancelled, "{}", desk.kind);
    });
}

#[test]
fn d8_a_cancellation_reaches_the_channel_and_is_no_news_of_it() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        if cancels(desk) {
            desk.on("cancel", &id, "--reason stock").exits(0).prints("cancelled here and at the channel");
        } else {
            desk.on("cancel", &id, "--reason stock").exits(6).says("--local");
            desk.on("cancel", &id, "--local").exits(0);
        }
        assert_eq!(desk.store.standing(&id).unwrap().cancelled, cancels(desk), "{}", desk.kind);
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        desk.sync();
        assert_eq!(desk.show(&id)["changed_at_channel"], false, "{}: {}", desk.kind, desk.show(&id));
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}: its own echo is news", desk.kind);
    });
}

#[test]
fn d8_what_was_cancelled_in_the_book_only_is_not_offered_again() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("cancel", &id, "--local").exits(0);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        assert!(desk.show(&id)["ship_to"].to_string().contains("77 Somewhere Else"), "{}", desk.kind);
        let word = desk.show(&id)["channel_status"].as_str().unwrap().to_lowercase();
        let word = word.split(' ').next().unwrap();
        let set = desk.home.run("config set").arg(&format!("{}.statuses", desk.kind));
        set.arg(&format!("{word}=awaiting-fulfillment")).done();
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}: {word}", desk.kind);
    });
}

/// Whether orders of this store can be cancelled over its API.
fn cancels(desk: &Desk) -> bool {
    matches!(desk.capabilities().cancel, CancelSupport::Yes(_))
}

#[test]
fn d8_what_is_cancelled_in_the_book_only_is_as_it_was_at_the_channel() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("cancel", &id, "--local --reason sold-out").exits(0).prints("in the book only");
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        assert!(!desk.store.standing(&id).unwrap().cancelled, "{}", desk.kind);
        desk.on("cancel", &id, "--local").exits(6).says("cancelled already");
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
    });
}

#[test]
fn d8_what_is_cancelled_at_the_channel_already_is_adopted() {
    each(|desk| {
        if !cancels(desk) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.cancel(&id));
        desk.on("cancel", &id, "").exits(0).prints("it was cancelled at the channel already");
        desk.sync();
        assert_eq!((desk.show(&id)["status"].as_str(), desk.writes()), (Some("cancelled"), 0), "{}", desk.kind);
        assert_eq!(desk.home.json("inbox"), json!([]), "{}: its own echo is news", desk.kind);
    });
}

/// A channel may have closed what was sent for good.
fn by_force(desk: &Desk, id: &str, status: &str) {
    let done = desk.on("cancel", id, "--force").done();
    assert!(matches!(done.code, Some(0 | 1)), "{done:?}");
    let forced = done.code == Some(0);
    assert_eq!(desk.store.standing(id).unwrap().cancelled, forced, "{}", desk.kind);
    assert_eq!(desk.show(id)["status"], if forced { "cancelled" } else { status }, "{}", desk.kind);
    if !forced {
        done.says("shipped");
    }
}

#[test]
fn d8_an_order_that_was_shipped_at_the_channel_meanwhile_is_not_cancelled_there() {
    each(|desk| {
        if !cancels(desk) {
            return;
        }
        let (whole, part) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 2)]));
        assert!(desk.store.ship_elsewhere(&whole, "UPS", "1Z999AA10123456784"));
        assert!(desk.store.ship_pieces(&part, 0, 1, "UPS", "1Z999AA10123456784"));
        for id in [&whole, &part] {
            let done = desk.on("cancel", id, "").exits(6).says("shipped").says("nothing was sent");
            done.says("ordersync accept book:").says("ordersync cancel book:").says("--force").without("--as-local");
            assert_eq!(desk.show(id)["status"], "awaiting-fulfillment", "{}: nor is it here", desk.kind);
            assert!(!desk.store.standing(id).unwrap().cancelled && desk.writes() == 0, "{}", desk.kind);
        }
        by_force(desk, &whole, "awaiting-fulfillment");
    });
}

/// Whether the merchant knows of the refund or not.
#[test]
fn d8_an_order_of_which_something_was_given_back_is_cancelled_by_force_only() {
    each(|desk| {
        if !cancels(desk) {
            return;
        }
        for known in [true, false] {
            let (part, whole) = (desk.paid(&[("TEE-001", 2)]), desk.paid(&[("TEE-001", 1)]));
            let total = desk.show(&whole)["totals"]["total"].as_str().unwrap().to_owned();
            assert!(desk.store.refund(&part, "5.00") && desk.store.refund(&whole, &total), "{}", desk.kind);
            if known {
                desk.on("accept", &part, "").exits(0);
                desk.on("accept", &whole, "").exits(0);
            }
            let writes = desk.writes();
            for (id, says) in [(&part, "refunded in part"), (&whole, "refunded in full")] {
                for more in ["", "--dry-run"] {
                    desk.on("cancel", id, more).exits(6).says(says).says("nothing was sent").says("--force");
                }
                assert_eq!(desk.show(id)["status"], "awaiting-fulfillment", "{}: nor is it here", desk.kind);
            }
            assert_eq!(desk.writes(), writes, "{}", desk.kind);
            let can_be = matches!(desk.capabilities().cancel, CancelSupport::Yes(can) if can.taken);
            if peculiar(desk.kind).keeps_refunded {
                desk.on("cancel", &part, "--force").exits(1).says("went back already").says("nothing was");
                continue;
            }
            desk.on("cancel", &part, "--force").exits(if can_be { 0 } else { 6 });
            assert_eq!(desk.store.standing(&part).unwrap().cancelled, can_be, "{}", desk.kind);
        }
    });
}

/// It may be the cancellation's own.
#[test]
fn d3_money_that_goes_back_with_a_cancellation_whose_answer_was_lost_does_not_stop_it() {
    each(|desk| {
        let CancelSupport::Yes(can) = desk.capabilities().cancel else { return };
        if !can.refund {
            return;
        }
        let first = desk.paid(&[("TEE-001", 1)]);
        desk.on("cancel", &first, "--refund").exits(0);
        let write = desk.server.requests().into_iter().rfind(Exchange::is_write).unwrap();
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(struck(FaultKind::CutBefore, &write, &first));
        desk.on("cancel", &id, "--refund").exits(5);
        desk.server.faults().clear();
        let total = desk.show(&id)["totals"]["total"].as_str().unwrap().to_owned();
        assert!(desk.store.refund(&id, &total), "{}", desk.kind);
        desk.on("retry", &id, "").exits(0);
        assert!(desk.store.standing(&id).unwrap().cancelled, "{}", desk.kind);
    });
}

#[test]
fn d8_what_was_dispatched_is_cancelled_by_force_only() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        let writes = desk.writes();
        for more in ["", "--local"] {
            desk.on("cancel", &id, more).exits(6).says("--force");
        }
        assert_eq!((desk.show(&id)["status"].as_str(), desk.writes()), (Some("shipped"), writes), "{}", desk.kind);
        assert!(!desk.store.standing(&id).unwrap().cancelled, "{}", desk.kind);
        if cancels(desk) {
            by_force(desk, &id, "shipped");
        }
    });
}

#[test]
fn d2_a_cancellation_that_cannot_reach_the_channel_waits_for_the_next_sync() {
    each(|desk| {
        if !cancels(desk) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(Fault::new(FaultKind::CutBefore).always());
        desk.on("cancel", &id, "--reason sold-out").exits(5).prints("the channel is told with the next sync");
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        assert!(!desk.store.standing(&id).unwrap().cancelled, "{}", desk.kind);
        desk.server.faults().clear();
        desk.home.sql("UPDATE outbox SET next_at = 0");
        desk.sync();
        assert!(desk.store.standing(&id).unwrap().cancelled, "{}", desk.kind);
        assert_eq!(desk.home.json("outbox"), json!([]), "{}", desk.kind);
    });
}

/// Each write of a cancellation, struck by each way to lose it.
#[test]
fn d3_a_cancellation_whose_answer_was_lost_is_made_once() {
    each(|desk| {
        if !cancels(desk) {
            return;
        }
        let without_fault = desk.paid(&[("TEE-001", 1)]);
        desk.on("cancel", &without_fault, "--reason sold-out").exits(0);
        let once = desk.writes();
        let writes: Vec<Exchange> = desk.server.requests().into_iter().filter(Exchange::is_write).collect();
        for write in &writes {
            for kind in [FaultKind::AnswerLost, FaultKind::CutBefore, FaultKind::HtmlInstead] {
                let told = format!("{} {kind:?} {}", desk.kind, write.name());
                let id = desk.paid(&[("TEE-001", 1)]);
                let before = desk.writes();
                desk.server.faults().add(struck(kind, write, &without_fault));
                let done = desk.on("cancel", &id, "--reason sold-out").exits(5);
                done.prints("it is not known whether the channel has it").says("error: ");
                desk.server.faults().clear();
                desk.home.run("retry").done();
                desk.sync();
                let standing = desk.store.standing(&id).unwrap();
                assert!(standing.cancelled, "{told}");
                let reasons = usize::from(!desk.store.lacks(Lack::Reasons));
                assert_eq!(standing.remarks.matches("sold-out").count(), reasons, "{told}: {standing:?}");
                assert_eq!(desk.writes() - before, once, "{told}");
                assert_eq!(desk.home.json("outbox"), json!([]), "{told}");
            }
        }
    });
}

#[test]
fn d8_a_dry_run_of_a_cancellation_writes_nothing_and_records_nothing() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        if cancels(desk) {
            desk.on("cancel", &id, "--dry-run").exits(0).prints("would cancel");
            let rehearsed = desk.on("cancel", &id, "--dry-run --json").exits(0).json();
            assert_eq!(rehearsed["state"], "dry-run", "{}: {rehearsed}", desk.kind);
            assert!(!rehearsed["writes"].as_array().unwrap().is_empty(), "{}: {rehearsed}", desk.kind);
            desk.server.faults().add(Fault::new(FaultKind::CutBefore).always());
            desk.on("cancel", &id, "--dry-run").exits(5).prints("as soon as it can be reached");
            desk.server.faults().clear();
        } else {
            desk.on("cancel", &id, "--dry-run").exits(6);
        }
        desk.on("cancel", &id, "--dry-run --local").exits(0).prints("in the book only");
        assert_eq!(desk.home.json("outbox"), json!([]), "{}", desk.kind);
        assert_eq!(
            (desk.show(&id)["status"].as_str(), desk.writes()),
            (Some("awaiting-fulfillment"), 0),
            "{}",
            desk.kind
        );
    });
}

#[test]
fn d8_an_unpaid_order_can_be_cancelled_and_a_cancelled_one_not_be_dispatched() {
    each(|desk| {
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
        desk.sync();
        let (local, state) = if cancels(desk) { ("", "confirmed") } else { ("--local", "local") };
        let told = desk.on("cancel", &id, local).arg("--json").exits(0).json();
        assert_eq!((&told["state"], &told["error"]), (&json!(state), &json!(null)), "{}", desk.kind);
        assert_eq!(desk.store.standing(&id).unwrap().cancelled, cancels(desk), "{}", desk.kind);
        let writes = desk.writes();
        desk.on("dispatch", &id, "").exits(6).says("is cancelled");
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

#[test]
fn d8_a_dispatch_that_waits_is_taken_back_before_its_order_is_cancelled() {
    each(|desk| {
        if !cancels(desk) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later").exits(0);
        desk.on("cancel", &id, "").exits(6).says("--force").says("ordersync outbox --withdraw 1 takes it back");
        desk.home.run("outbox --withdraw 1").exits(0);
        desk.on("cancel", &id, "").exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert!(standing.cancelled && standing.parcels.is_empty(), "{}: {standing:?}", desk.kind);
        assert_eq!(standing.dispatch_mails, 0, "{}", desk.kind);
    });
}

#[test]
fn d8_a_cancellation_on_its_way_stands_when_a_newer_version_is_accepted() {
    each(|desk| {
        if !cancels(desk) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(Fault::new(FaultKind::CutBefore).always());
        desk.on("cancel", &id, "").exits(5);
        desk.server.faults().clear();
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.on("pull", &id, "").exits(0);
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        assert!(!desk.store.standing(&id).unwrap().cancelled, "{}", desk.kind);
        desk.on("retry", &id, "").exits(0);
        assert!(desk.store.standing(&id).unwrap().cancelled, "{}", desk.kind);
    });
}

/// Before it goes and when it has gone, the sum is named: what is left after other refunds.
#[test]
fn d8_money_that_goes_back_with_a_cancellation_is_named_and_so_is_who_gets_it() {
    each(|desk| {
        if !refunds(desk) {
            return;
        }
        let only_with = "only with --refund";
        let id = desk.paid(&[("TEE-001", 2)]);
        let shown = desk.show(&id);
        let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let (total, currency) = (word(&shown["totals"]["total"]), word(&shown["currency"]));
        let told = format!("gives back {total} {currency} to {}", word(&shown["buyer"]["name"]));
        desk.on("cancel", &id, "--dry-run").exits(0).prints(only_with).without("gives back");
        desk.on("cancel", &id, "--refund --dry-run").exits(0).prints(&told).without(only_with).without("a reason of");
        assert!(desk.store.refund(&id, "1.00"), "{}", desk.kind);
        desk.on("accept", &id, "").exits(0);
        let left: rust_decimal::Decimal = total.parse().unwrap();
        let told = format!("gives back {} {currency}", left - rust_decimal::Decimal::ONE);
        desk.on("cancel", &id, "--refund --force").exits(0).prints(&told).without(only_with);
    });
}

fn refunds(desk: &Desk) -> bool {
    matches!(desk.capabilities().cancel, CancelSupport::Yes(can) if can.refund)
}

#[test]
fn d8_a_second_cancellation_is_the_first_and_says_what_became_of_the_money() {
    each(|desk| {
        let CancelSupport::Yes(can) = desk.capabilities().cancel else { return };
        let id = desk.paid(&[("TEE-001", 1)]);
        let refund = if can.refund { "--refund" } else { "" };
        let money = if can.refund { "the money goes back the way it was paid" } else { "cancelled here" };
        desk.on("cancel", &id, refund).exits(0).prints(money);
        let (writes, once) = (desk.writes(), desk.store.standing(&id).unwrap());
        let rows = desk.home.json("outbox --all");
        let money = if can.refund { "; the money went back by that" } else { "" };
        let again = desk.on("cancel", &id, refund).exits(0);
        again.prints(&format!("cancelled already, here and at the channel{money}"));
        desk.on("cancel", &id, &format!("{refund} --dry-run")).exits(0).prints("nothing would be written");
        assert_eq!((desk.writes(), desk.store.standing(&id).unwrap()), (writes, once), "{}", desk.kind);
        assert_eq!(desk.home.json("outbox --all"), rows, "{}: a second row", desk.kind);

        // Also where the answer to the first was lost.
        let write = desk.server.requests().into_iter().rfind(Exchange::is_write).unwrap();
        let lost = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(struck(FaultKind::AnswerLost, &write, &id));
        desk.on("cancel", &lost, refund).exits(5);
        desk.server.faults().clear();
        let told = if can.refund { "whether the money went back, its own pages tell" } else { "cancelled" };
        desk.on("cancel", &lost, refund).exits(0).prints(told);
        let told =
            if can.refund { "whether --refund was carried out, the channel's own pages tell" } else { "already" };
        desk.on("cancel", &lost, refund).exits(0).prints(told).without("the money went back by that");
        assert_eq!(desk.home.json("outbox --all").as_array().unwrap().len(), 2, "{}", desk.kind);
    });
}

/// Money that was given back once is not said to be still owed.
#[test]
fn d8_a_second_cancellation_is_the_first_whatever_else_changed_there() {
    each(|desk| {
        let CancelSupport::Yes(can) = desk.capabilities().cancel else { return };
        let id = desk.paid(&[("TEE-001", 1)]);
        let refund = if can.refund { "--refund" } else { "" };
        desk.on("cancel", &id, refund).exits(0);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        assert_eq!(desk.show(&id)["changed_at_channel"], true, "{}", desk.kind);
        let writes = desk.writes();
        desk.on("cancel", &id, refund).exits(0).prints("cancelled already, here and at the channel");
        desk.on("cancel", &id, &format!("{refund} --dry-run")).exits(0).prints("nothing would be written");
        assert_eq!(desk.home.json("outbox --all").as_array().unwrap().len(), 1, "{}: a second row", desk.kind);
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

/// Others have cancelled it while it waited: the money has not gone back by that.
#[test]
fn d8_a_wish_that_nobody_heard_is_told() {
    each(|desk| {
        let CancelSupport::Yes(can) = desk.capabilities().cancel else { return };
        for (can, flag) in [(can.refund, "--refund"), (can.notify, "--notify"), (can.restock, "--no-restock")] {
            let id = desk.paid(&[("TEE-001", 1)]);
            if !can {
                continue;
            }
            desk.server.faults().add(Fault::new(FaultKind::CutBefore).always());
            desk.on("cancel", &id, flag).exits(5);
            desk.server.faults().clear();
            assert!(desk.store.cancel(&id));
            desk.home.sql("UPDATE outbox SET next_at = 0");
            let writes = desk.writes();
            desk.home
                .run("sync")
                .exits(3)
                .says("1 dispatch or cancellation at the channel as wished")
                .says("ordersync inbox");
            assert_eq!(desk.writes(), writes, "{} {flag}", desk.kind);
            let inbox = desk.home.json("inbox");
            let told = inbox.as_array().unwrap().iter().find(|note| note["kind"] == "unheard");
            let told = told.unwrap_or_else(|| panic!("{} {flag}: {inbox}", desk.kind));
            let text = told["text"].as_str().unwrap();
            assert!(text.contains("by others") && text.contains(flag), "{} {flag}: {text}", desk.kind);
            assert!(told["hint"].to_string().contains("the channel's own pages"), "{} {flag}: {told}", desk.kind);
            desk.on("cancel", &id, flag).exits(6).says(&format!("{flag} comes too late"));
            desk.home.run(&format!("inbox --done {}", told["entry"].as_str().unwrap())).exits(0);
            desk.home.run("sync").exits(0);
        }
    });
}

/// What would come too late is not dropped in silence.
#[test]
fn d8_money_is_not_said_to_go_back_where_the_order_is_cancelled_already() {
    each(|desk| {
        let CancelSupport::Yes(can) = desk.capabilities().cancel else { return };
        if !can.refund {
            return;
        }
        let (here, there) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 1)]));
        desk.on("cancel", &here, "").exits(0).without("money goes back");
        assert!(desk.store.cancel(&there));
        let writes = desk.writes();
        for id in [&here, &there] {
            for how in ["--dry-run", ""] {
                let done = desk.on("cancel", id, &format!("--refund {how}")).exits(6);
                done.says("--refund comes too late").says("the channel's own pages");
            }
            assert_eq!(desk.store.standing(id).unwrap().refunded, rust_decimal::Decimal::ZERO, "{}", desk.kind);
        }
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

/// Another home that imports the order afterwards has no other sums, refunds and pieces of it.
#[test]
fn p10_what_a_cancellation_from_here_gave_back_is_in_the_book() {
    each(|desk| {
        let CancelSupport::Yes(can) = desk.capabilities().cancel else { return };
        let id = desk.paid(&[("TEE-001", 2), ("MUG-009", 1)]);
        desk.on("cancel", &id, if can.refund { "--refund" } else { "" }).exits(0);
        let facts = |shown: Value| {
            const KEYS: [&str; 9] = [
                "status",
                "channel_status",
                "presence",
                "paid_at",
                "totals",
                "in_shop_currency",
                "lines",
                "charges",
                "refunds",
            ];
            KEYS.map(|key| (key, shown[key].clone()))
        };
        let there = desk.seen_elsewhere(|other| facts(other.show(&id)));
        assert_eq!(facts(desk.show(&id)), there, "{}", desk.kind);
        assert_eq!(there[8].1.as_array().unwrap().is_empty(), !can.refund, "{}", desk.kind);
    });
}

/// The money is a fact, whatever else has changed there and waits for the merchant.
#[test]
fn p10_what_a_cancellation_from_here_gave_back_is_in_the_book_also_beside_another_change() {
    each(|desk| {
        let CancelSupport::Yes(can) = desk.capabilities().cancel else { return };
        let id = desk.paid(&[("TEE-001", 2), ("MUG-009", 1)]);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        desk.on("cancel", &id, if can.refund { "--refund" } else { "" }).exits(0);
        let facts = |shown: Value| {
            (
                shown["status"].clone(),
                shown["paid_at"].clone(),
                shown["totals"]["refunded"].clone(),
                shown["refunds"].clone(),
            )
        };
        let there = desk.seen_elsewhere(|other| facts(other.show(&id)));
        assert_eq!(facts(desk.show(&id)), there, "{}", desk.kind);
        assert_eq!(there.3.as_array().unwrap().is_empty(), !can.refund, "{}", desk.kind);
        assert!(desk.show(&id)["differences"].to_string().contains("77 Somewhere Else"), "{}: it waits", desk.kind);
    });
}

/// A fact that comes later is written to the copy, and the order stays what the merchant made of it.
#[test]
fn p3_an_order_that_was_cancelled_from_here_is_not_opened_by_what_comes_later() {
    each(|desk| {
        let CancelSupport::Yes(_) = desk.capabilities().cancel else { return };
        let id = desk.paid(&[("TEE-001", 2)]);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        desk.on("cancel", &id, "").exits(0);
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        assert!(desk.store.refund(&id, "1.00"), "{}", desk.kind);
        desk.sync();
        assert_eq!(desk.show(&id)["refunds"][0]["amount"], "1.00", "{}", desk.kind);
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6);
    });
}
