//! What the merchant does with an order in the book alone: the channel is told nothing of it, and
//! takes nothing of it back.

use ordersync::channel::CancelSupport;
use ordersync::sim::{Lack, Purchase};
use serde_json::json;

use super::desk::{Desk, each};
use super::setups::NUMBER;

fn status(desk: &Desk, id: &str) -> String {
    desk.show(id)["status"].as_str().unwrap_or_default().to_owned()
}

fn is_listed(desk: &Desk, filter: &str, id: &str) -> bool {
    let listed = desk.home.json(&format!("orders --limit 0 {filter}"));
    listed.as_array().unwrap().iter().any(|row| row["remote_id"] == json!(id))
}

#[test]
fn p5_a_hold_stops_a_dispatch_and_outlives_a_sync_and_an_accept() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2)]);
        let to_send = || desk.home.json("status")["to_send"].as_u64().unwrap();
        let before = to_send();
        desk.on("hold", &id, "--reason asked").exits(0).prints("on hold here, until you release it");
        desk.on("hold", &id, "").exits(0).prints("already").prints("nothing was changed");
        assert!(desk.store.annotate(&id, "please ring"));
        desk.sync();
        assert_eq!((status(desk, &id), &desk.show(&id)["hold"]["reason"]), ("on-hold".to_owned(), &json!("asked")));
        desk.on("accept", &id, "").exits(0);
        assert_eq!(status(desk, &id), "on-hold", "{}", desk.kind);
        assert!(is_listed(desk, "--status on-hold", &id), "{}", desk.kind);
        assert!(!is_listed(desk, "--status awaiting-fulfillment", &id), "{}", desk.kind);
        assert_eq!(to_send(), before - 1, "{}", desk.kind);
        desk.server.clear_requests();
        for more in ["", "--later", "--dry-run", "--as-local", "--as-local --force"] {
            let done = desk.on("dispatch", &id, &format!("{NUMBER} {more}")).exits(6);
            done.says("on hold here").says("ordersync release book:").says("--on-hold");
        }
        assert!(desk.server.requests().is_empty(), "{}: the channel knows nothing of it", desk.kind);
        desk.on("release", &id, "").exits(0).prints("awaiting-fulfillment again");
        desk.on("release", &id, "").exits(0).prints("nothing was changed");
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
        desk.on("dispatch", &id, NUMBER).exits(0);
        assert_eq!((status(desk, &id), desk.tracking_numbers(&id)), ("shipped".into(), vec!["JD01".to_owned()]));
        desk.on("hold", &id, "").exits(6).says("is shipped");
    });
}

/// What is said to be the way out of a hold is one.
#[test]
fn d3_a_dispatch_that_waits_for_a_hold_here_goes_out_at_the_merchants_word() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        desk.on("hold", &id, "").exits(0);
        let writes = desk.writes();
        for (command, more) in [("retry", ""), ("dispatch", NUMBER)] {
            let waits = desk.on(command, &id, more).exits(6).prints("on hold here: ordersync release lets it go");
            waits.says("ordersync release book:").says("--on-hold").without("next sync");
        }
        desk.home.run("sync").exits(0);
        desk.on("dispatch", &id, &format!("{NUMBER} --on-hold --dry-run")).exits(0).prints("it would go out");
        desk.home.run("sync").exits(0);
        assert_eq!((desk.writes(), status(desk, &id)), (writes, "on-hold".to_owned()), "{}", desk.kind);
        desk.on("dispatch", &id, &format!("{NUMBER} --on-hold")).exits(0).prints("confirmed by the channel");
        assert_eq!(desk.store.standing(&id).unwrap().told("JD01"), 1, "{}", desk.kind);
        assert_eq!(status(desk, &id), "shipped", "{}", desk.kind);

        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        desk.on("hold", &id, "").exits(0);
        desk.on("dispatch", &id, &format!("{NUMBER} --on-hold --later")).exits(0).prints("in spite of the hold");
        desk.home.run("sync").exits(0);
        assert_eq!(desk.store.standing(&id).unwrap().told("JD01"), 1, "{}", desk.kind);
    });
}

/// What has surely not gone out is stopped, in part or as a whole, and goes out once it is released.
#[test]
fn d2_a_hold_stops_a_dispatch_that_waits_in_the_outbox() {
    each(|desk| {
        let parts: &[&str] =
            if desk.capabilities().partial { &["--item TEE-001=1", "--item TEE-001=2"] } else { &["--item TEE-001=2"] };
        for part in parts {
            let id = desk.paid(&[("TEE-001", 2)]);
            let writes = desk.writes();
            desk.on("dispatch", &id, &format!("{NUMBER} --later {part}")).exits(0);
            desk.on("hold", &id, "").exits(0).prints("on hold here").says("waits as well until it is released");
            assert_eq!(status(desk, &id), "on-hold", "{} {part}", desk.kind);
            desk.home.run("outbox").exits(0).prints("on hold here");
            assert_eq!(desk.home.json("outbox")[0]["held"], true, "{} {part}", desk.kind);
            let told = desk.home.json("status")["stores"][0]["outbox"].clone();
            assert_eq!((&told["open"], &told["oldest_at"]), (&json!(1), &json!(null)), "{} {part}", desk.kind);
            desk.home.run("status").exits(0).prints("1 (on hold)");
            desk.home.run("sync").exits(0);
            desk.on("retry", &id, "").exits(6).says("on hold here").says("ordersync release");
            assert_eq!(desk.writes(), writes, "{} {part}: nothing goes out", desk.kind);
            assert_eq!(status(desk, &id), "on-hold", "{} {part}", desk.kind);
            desk.on("release", &id, "").exits(0).prints("goes out with the next sync");
            desk.home.run("sync").exits(0);
            assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{} {part}", desk.kind);
            assert_eq!(desk.home.json("outbox"), json!([]), "{} {part}", desk.kind);
        }
    });
}

/// D-1: what a dispatch refuses, the retry of one refuses as well.
#[test]
fn p10_a_retry_sends_nothing_of_what_was_given_back_meanwhile() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.home.run("sync").exits(3);
        desk.on("accept", &id, "").exits(0);
        let total = desk.show(&id)["totals"]["total"].as_str().unwrap().to_owned();
        desk.on("refund", &id, &format!("--amount {total}")).exits(0);
        desk.on("dispatch", &id, NUMBER).exits(6).says("refunded in full");
        desk.on("retry", &id, "").exits(6).says("refunded in full").says("was not tried again");
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
        desk.on("refund", &id, "--remove 1").exits(0);
        desk.on("retry", &id, "").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);

        let id = desk.paid(&[("TEE-001", 1)]);
        let writes = desk.writes();
        let total = desk.show(&id)["totals"]["total"].as_str().unwrap().to_owned();
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        desk.on("refund", &id, &format!("--amount {total}")).exits(0);
        desk.home.run("sync").exits(3);
        assert!(desk.home.json("inbox").to_string().contains("refunded in full"), "{}", desk.kind);
        assert_eq!(desk.writes(), writes, "{}: given back while it waited", desk.kind);
    });
}

/// Of the pieces that were given back none goes out with what waits.
#[test]
fn p10_pieces_given_back_by_hand_stop_a_dispatch_that_waits() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 3)]);
        let writes = desk.writes();
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        desk.on("refund", &id, "--amount 1 --line TEE-001=1").exits(0).says("ordersync outbox --withdraw");
        desk.home.run("sync").exits(3);
        assert!(desk.home.json("inbox").to_string().contains("given back since"), "{}", desk.kind);
        assert_eq!(desk.writes(), writes, "{}: given back while it waited", desk.kind);
        desk.on("refund", &id, "--remove 1").exits(0);
        desk.on("retry", &id, "").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);
    });
}

/// D-1: a supplier is asked for nothing that has changed at the channel and was not looked at.
#[test]
fn d1_what_changed_at_the_channel_is_not_handed_over_unseen() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2)]);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        for more in ["", "--dry-run"] {
            let refused = desk.on("dropship", &id, &format!("--to Sam {more}")).exits(6);
            refused.says("address").says("nothing was changed").says("ordersync accept book:").says("--as-local");
        }
        assert_eq!(status(desk, &id), "awaiting-fulfillment", "{}", desk.kind);
        desk.on("dropship", &id, "--to Sam --as-local").exits(0);
        desk.on("dropship", &id, "--withdraw").exits(0);
        assert!(desk.store.cancel(&id));
        desk.sync();
        for more in ["", "--as-local"] {
            let refused = desk.on("dropship", &id, &format!("--to Sam {more}")).exits(6);
            refused.says("cancelled").says("--as-local --force");
        }
        desk.on("dropship", &id, "--to Sam --as-local --force").exits(0);

        // Shipped there by others: a supplier would send it once more.
        let id = desk.paid(&[("TEE-001", 2)]);
        let part = desk.store.ship_pieces(&id, 0, 1, "UPS", "1Z02");
        assert!(part || desk.store.lacks(Lack::Parts) && desk.store.ship_elsewhere(&id, "UPS", "1Z02"));
        desk.sync();
        desk.on("dropship", &id, "--to Sam").exits(6).says("shipped");

        let id = desk.paid(&[("TEE-001", 2)]);
        assert!(desk.store.refund_pieces(&id, 0, 1));
        desk.passes_are_due();
        desk.sync();
        desk.on("dropship", &id, "--to Sam").exits(6).says("refund");
        desk.on("accept", &id, "").exits(0);
        desk.on("dropship", &id, "--to Sam").exits(0);
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
    });
}

/// P-3: a supplier packs what is cancelled, until somebody tells them.
#[test]
fn p3_a_cancellation_of_what_a_supplier_was_asked_for_is_told() {
    each(|desk| {
        desk.set("cancels=apply");
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dropship", &id, "--to Sam").exits(0);
        assert!(desk.store.cancel(&id));
        desk.sync();
        assert_eq!(status(desk, &id), "cancelled", "{}", desk.kind);
        let inbox = desk.home.json("inbox");
        let entry = inbox.as_array().unwrap().iter().find(|entry| entry["kind"] == "taken-back").unwrap();
        assert!(entry["text"].as_str().unwrap().contains("supplier"), "{}: {inbox}", desk.kind);
    });
}

/// The flags may come in any order.
#[test]
fn the_same_refund_by_hand_is_the_same_whichever_line_is_named_first() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 2)]);
        desk.on("refund", &id, "--amount 1 --line TEE-001=1 --line MUG-9=1").exits(0);
        let again = desk.on("refund", &id, "--amount 1 --line MUG-9=1 --line TEE-001=1").exits(0);
        again.prints("recorded already");
    });
}

#[test]
fn d2_an_order_on_hold_here_ships_where_the_merchant_says_so() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("hold", &id, "--until 3d").exits(0);
        desk.on("dispatch", &id, &format!("{NUMBER} --on-hold")).exits(0);
        assert_eq!((status(desk, &id), desk.tracking_numbers(&id)), ("shipped".into(), vec!["JD01".to_owned()]));
        desk.sync();
        assert_eq!(status(desk, &id), "shipped", "{}", desk.kind);
    });
}

/// P-3: an order that the merchant holds is one that was begun with.
#[test]
fn p3_a_cancellation_at_the_channel_waits_where_the_order_is_on_hold_here() {
    each(|desk| {
        desk.set("cancels=apply");
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("hold", &id, "").exits(0);
        assert!(desk.store.cancel(&id));
        desk.sync();
        assert_eq!(status(desk, &id), "on-hold", "{}", desk.kind);
        let inbox = desk.home.json("inbox").to_string();
        assert!(inbox.contains("it stays on-hold here"), "{}: {inbox}", desk.kind);
        desk.on("accept", &id, "").exits(0);
        assert_eq!(status(desk, &id), "cancelled", "{}", desk.kind);
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
    });
}

#[test]
fn d2_what_a_supplier_ships_is_dispatched_as_any_order_and_changes_wait_for_a_word() {
    each(|desk| {
        desk.set("address=apply");
        let id = desk.paid(&[("TEE-001", 2)]);
        desk.on("dropship", &id, "--to Sam").exits(0).prints("requested from Sam").prints("nothing was sent");
        desk.on("dropship", &id, "--to Sam").exits(0).prints("nothing was changed");
        assert!(is_listed(desk, "--status dropshipment-requested", &id), "{}", desk.kind);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        assert_eq!(status(desk, &id), "dropshipment-requested", "{}", desk.kind);
        desk.home.run("changes").exits(0).prints("77 Somewhere Else");
        desk.on("accept", &id, "").exits(0);
        assert_eq!(status(desk, &id), "dropshipment-requested", "{}", desk.kind);
        desk.on("dropship", &id, "--withdraw").exits(0).prints("awaiting-fulfillment");
        desk.on("dropship", &id, "").exits(0);
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
        desk.on("dispatch", &id, NUMBER).exits(0);
        assert_eq!((status(desk, &id), desk.tracking_numbers(&id)), ("shipped".into(), vec!["JD01".to_owned()]));
        desk.on("dropship", &id, "").exits(6).says("is shipped");
    });
}

/// P-10: pieces given back by hand are given back, whoever knows of it.
#[test]
fn p10_pieces_given_back_by_hand_are_not_shipped_and_the_channel_is_told_nothing_of_it() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 3)]);
        let refund = "--amount 1.50 --line TEE-001=1 --reason broken";
        desk.on("refund", &id, &format!("{refund} --dry-run")).exits(0).prints("a dry run");
        assert_eq!(desk.show(&id)["own_refunds"], json!([]), "{}", desk.kind);
        desk.on("refund", &id, refund).exits(0).prints("no money moves").says("own pages");
        desk.on("refund", &id, refund).exits(0).prints("recorded already").prints("nothing was changed");
        let other = "--amount 1.50 --line TEE-001=1";
        desk.on("refund", &id, other).exits(0).prints("recorded already").prints("--again");
        desk.on("refund", &id, "--amount 1 --line TEE-001=3").exits(6).says("left to give back");
        desk.on("refund", &id, "--amount 100000").exits(6).says("left to give back").says("nothing was recorded");
        desk.on("refund", &id, "--amount 1.001").exits(2);
        desk.on("refund", &id, "--amount 9,50").exits(2).says("hint: --amount 9.50");
        for accepts in [false, true] {
            assert!(desk.store.annotate(&id, if accepts { "please ring" } else { "ring twice" }));
            desk.sync();
            if accepts {
                desk.on("accept", &id, "").exits(0);
            }
            let shown = desk.show(&id);
            let line = &shown["lines"][0];
            assert_eq!((&line["refunded"], &line["left"]), (&json!("1"), &json!("2")), "{}: {shown}", desk.kind);
        }
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
        desk.on("dispatch", &id, NUMBER).exits(0);
        let (shown, standing) = (desk.show(&id), desk.store.standing(&id).unwrap());
        assert_eq!((&shown["status"], desk.tracking_numbers(&id)), (&json!("shipped"), vec!["JD01".to_owned()]));
        assert!(!desk.capabilities().partial || standing.sent == 2, "{}: {standing:?}", desk.kind);
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
        desk.home.run("doctor --offline").exits(0);
    });
}

#[test]
fn p10_an_order_given_back_in_full_by_hand_does_not_go_out() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let total = desk.show(&id)["totals"]["total"].as_str().unwrap().to_owned();
        desk.on("refund", &id, &format!("--amount {total}")).exits(0).says("ordersync cancel");
        assert!(!is_listed(desk, "--status awaiting-fulfillment", &id), "{}", desk.kind);
        desk.server.clear_requests();
        for more in ["", "--later", "--dry-run", "--as-local"] {
            desk.on("dispatch", &id, &format!("{NUMBER} {more}")).exits(6).says("refunded in full");
        }
        assert!(desk.server.requests().is_empty(), "{}", desk.kind);
        desk.on("refund", &id, "--remove 1").exits(0);
        desk.on("refund", &id, "--remove 1").exits(0).prints("nothing was changed");
        assert!(is_listed(desk, "--status awaiting-fulfillment", &id), "{}", desk.kind);
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
    });
}

/// D-8: money that went back by hand does not go back once more with the cancellation.
#[test]
fn d8_a_cancellation_gives_back_nothing_that_was_given_back_by_hand() {
    each(|desk| {
        let CancelSupport::Yes(can) = desk.capabilities().cancel else { return };
        if !can.refund {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        let total = desk.show(&id)["totals"]["total"].as_str().unwrap().to_owned();
        desk.on("refund", &id, &format!("--amount {total}")).exits(0);
        desk.server.clear_requests();
        for more in ["--dry-run", "", "--force"] {
            let refused = desk.on("cancel", &id, &format!("--refund {more}")).exits(6);
            refused.says("by hand").says("nothing was cancelled").says("without --refund").says("--remove 1");
        }
        assert!(desk.server.requests().is_empty(), "{}", desk.kind);
        assert_eq!((status(desk, &id).as_str(), desk.home.json("outbox --all")), ("awaiting-fulfillment", json!([])));
        desk.on("cancel", &id, "").exits(0);
        assert_eq!(status(desk, &id), "cancelled", "{}", desk.kind);
    });
}

#[test]
fn p10_the_same_money_given_back_here_and_there_is_asked_about_and_does_not_count_twice_once_it_is_said() {
    each(|desk| {
        if desk.store.lacks(Lack::RefundedPieces) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        desk.on("refund", &id, "--amount 1 --line TEE-001=1").exits(0);
        assert!(desk.store.refund_pieces(&id, 0, 1), "{}", desk.kind);
        desk.sync();
        desk.sync();
        let inbox = desk.home.json("inbox");
        assert_eq!(
            (inbox.as_array().unwrap().len(), &inbox[0]["kind"]),
            (1, &json!("refunds")),
            "{}: {inbox}",
            desk.kind
        );
        assert_eq!(desk.show(&id)["lines"][0]["left"], "1", "{}: nothing goes out by mistake", desk.kind);
        desk.on("refund", &id, "--remove 1").exits(0);
        assert_eq!((desk.home.json("inbox"), desk.show(&id)["lines"][0]["left"].clone()), (json!([]), json!("2")));
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
    });
}

#[test]
fn p7_notes_and_tags_are_told_to_nobody_and_outlive_what_comes_from_the_channel() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.home.call(&["note", &format!("{}:{id}", desk.kind), "a card goes with it"]).exits(0).prints("note 1");
        desk.on("tag", &id, "VIP gift").exits(0).prints("gift, vip");
        assert!(desk.store.annotate(&id, "please ring"));
        desk.sync();
        desk.on("accept", &id, "").exits(0);
        let shown = desk.show(&id);
        assert_eq!(
            (&shown["notes"][0]["text"], &shown["tags"]),
            (&json!("a card goes with it"), &json!(["gift", "vip"]))
        );
        assert!(is_listed(desk, "--tag vip --tag GIFT", &id) && !is_listed(desk, "--tag other", &id), "{}", desk.kind);
        desk.on("show", &id, "").exits(0).prints("your note 1").prints("your tags gift, vip");
        desk.on("dispatch", &id, NUMBER).exits(0);
        let told = desk.server.requests().iter().any(|one| one.body.windows(4).any(|part| part == b"card"));
        assert!(!told, "{}: a note went out", desk.kind);
    });
}

/// The waiting time is for the lists; an explicit dispatch is the merchant's word.
#[test]
fn an_order_in_its_waiting_time_is_not_offered_and_is_sent_where_the_merchant_says_so() {
    each(|desk| {
        desk.home.run(&format!("config set {}.send_after 4321", desk.kind)).exits(2).says("1 to 4320");
        desk.set("send_after=600");
        let [id, other] = [(); 2].map(|()| desk.paid(&[("TEE-001", 1)]));
        for one in [&id, &other] {
            assert!(!is_listed(desk, "--status awaiting-fulfillment", one), "{}", desk.kind);
            assert!(is_listed(desk, "", one) && desk.show(one)["not_before"].is_string(), "{}", desk.kind);
        }
        desk.home.run("status").exits(0).prints("in the waiting time");
        desk.home.run("orders").exits(0).prints("(waits)").says("send_after");
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
        desk.on("dispatch", &id, NUMBER).exits(0).says("waiting time");
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);
        let csv = desk.home.file("labels.csv", &format!("order,carrier,tracking\n{other},dhl,JD02\n"));
        desk.home.run(&format!("dispatch --from {csv}")).exits(0);
        assert_eq!(desk.tracking_numbers(&other), ["JD02"], "{}", desk.kind);
    });
}

/// P-3 and what else waited only because of what the merchant did: once that has ended, the newest
/// version is decided about again, whoever ends it and however.
#[test]
fn p3_what_came_while_the_merchant_was_at_work_is_decided_once_that_has_ended() {
    each(|desk| {
        let kind = desk.kind;
        desk.set("cancels=apply");
        desk.set("address=apply");
        let is_cancelled = |id: &str, how: &str| {
            assert!(!is_listed(desk, "--to-send", id), "{kind}: offered to be sent, {how}");
            assert_eq!(status(desk, id), "cancelled", "{kind}: {how}");
            assert_eq!(desk.home.json("inbox"), json!([]), "{kind}: {how}");
        };
        let held = || {
            let id = desk.paid(&[("TEE-001", 1)]);
            desk.on("hold", &id, "--until 3d").exits(0);
            assert!(desk.store.cancel(&id));
            desk.sync();
            assert_eq!(status(desk, &id), "on-hold", "{kind}");
            id
        };
        let id = held();
        desk.on("release", &id, "--dry-run").exits(0).prints("is decided then");
        assert_eq!(status(desk, &id), "on-hold", "{kind}: a rehearsal");
        desk.on("release", &id, "").exits(0).prints("it is cancelled here as well");
        is_cancelled(&id, "released");
        let id = held();
        desk.home.sql("UPDATE holds SET until = 1 RETURNING 1");
        is_cancelled(&id, "released by itself, and looked at");
        let id = held();
        desk.home.sql("UPDATE holds SET until = 1 RETURNING 1");
        desk.sync();
        is_cancelled(&id, "released by itself, and synchronised");

        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dropship", &id, "").exits(0);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        desk.on("dropship", &id, "--withdraw").exits(0);
        let shown = desk.show(&id);
        assert_eq!(shown["ship_to"][0]["line1"], "77 Somewhere Else", "{kind}: {shown}");
        assert_eq!(shown["changed_at_channel"], false, "{kind}");

        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        assert!(desk.store.cancel(&id));
        desk.on("pull", &id, "").done();
        assert_eq!(status(desk, &id), "shipped", "{kind}");
        let row = desk.show(&id)["outbox"][0]["row"].as_str().unwrap().to_owned();
        desk.home.run(&format!("outbox --withdraw {row}")).exits(0).prints("is cancelled now");
        is_cancelled(&id, "taken back");

        // What is to be reviewed still waits, and is not offered until then.
        desk.set("cancels=review");
        let id = held();
        desk.on("release", &id, "").exits(0).prints("awaiting-fulfillment again").says("ordersync accept book:");
        assert!(!is_listed(desk, "--to-send", &id) && is_listed(desk, "--review", &id), "{kind}");
        assert_eq!(desk.home.json("status")["left_out"]["cancellation-waits"], 1, "{kind}");
        let listed = desk.home.json("orders --status awaiting-fulfillment");
        assert_eq!(listed[0]["left_out"], "cancellation-waits", "{kind}: {listed}");
        let view = format!("SELECT to_send FROM v_orders WHERE remote_id = '{id}'");
        assert_eq!(desk.home.sql(&view), ["0"], "{kind}");
        assert_eq!(desk.home.json("inbox")[0]["kind"], "cancelled", "{kind}");
        assert_eq!(desk.writes(), 0, "{kind}: P-7");
        desk.on("reject", &id, "").exits(0);
        assert!(is_listed(desk, "--to-send", &id), "{kind}: the merchant sends it all the same");
        desk.home.run("doctor --offline").exits(0);
    });
}

/// What a book of before has kept beside a copy and not decided about, and what this program cannot
/// decide about: that is tried by the next one.
#[test]
fn p2_what_an_older_program_left_undecided_is_decided_by_the_next_command() {
    each(|desk| {
        let kind = desk.kind;
        desk.set("cancels=apply");
        let (moved, gone) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 1)]));
        desk.on("hold", &gone, "").exits(0);
        assert!(desk.store.readdress(&moved, "77 Somewhere Else") && desk.store.cancel(&gone));
        desk.sync();
        desk.home.sql("UPDATE changes SET field = 'unknown' WHERE field = 'address' RETURNING 1");
        desk.home.sql("INSERT INTO undecided SELECT DISTINCT order_id, NULL, 1, 0 FROM changes WHERE 1 RETURNING 1");
        desk.home.run("orders").exits(0);
        assert_eq!(desk.home.sql("SELECT field FROM changes ORDER BY field"), ["address", "cancelled"], "{kind}");
        assert_eq!(desk.home.sql("SELECT count(*) FROM undecided"), ["0"], "{kind}");

        let of = format!("WHERE role = 'newest' AND order_id = (SELECT id FROM orders WHERE remote_id = '{gone}')");
        assert_eq!(desk.home.sql(&format!("UPDATE versions SET codec = codec + 90 {of} RETURNING 1")), ["1"]);
        desk.on("release", &gone, "").exits(0);
        assert_eq!(desk.home.sql("SELECT tried IS NOT NULL FROM undecided"), ["1"], "{kind}");
        assert!(!is_listed(desk, "--to-send", &gone), "{kind}: it is cancelled there");
        desk.home.sql(&format!("UPDATE versions SET codec = codec - 90 {of} RETURNING 1"));
        assert_eq!(status(desk, &gone), "awaiting-fulfillment", "{kind}: this version of the program has tried");
        desk.home.sql("UPDATE undecided SET tried = 'another' RETURNING 1");
        assert_eq!(status(desk, &gone), "cancelled", "{kind}");
    });
}

/// Unpaid again, an order follows its channel again.
#[test]
fn p9_a_dispatch_before_payment_that_is_taken_back_leaves_an_order_that_follows_the_channel() {
    each(|desk| {
        let kind = desk.kind;
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
        desk.sync();
        desk.on("dispatch", &id, &format!("{NUMBER} --unpaid --later")).exits(0);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.on("pull", &id, "").done();
        assert_eq!(status(desk, &id), "shipped", "{kind}");
        let row = desk.show(&id)["outbox"][0]["row"].as_str().unwrap().to_owned();
        desk.home.run(&format!("outbox --withdraw {row}")).exits(0).prints("is awaiting-payment now");
        let shown = desk.show(&id);
        assert_eq!(shown["ship_to"][0]["line1"], "77 Somewhere Else", "{kind}: {shown}");
        assert_eq!((&shown["changed_at_channel"], desk.writes()), (&json!(false), 0), "{kind}");
        desk.home.run("doctor --offline").exits(0);
    });
}

/// F-5: an act that ends what the merchant did, killed before or behind what follows from it.
#[test]
fn f5_what_is_to_be_decided_again_is_decided_though_the_command_is_killed() {
    each(|desk| {
        let kind = desk.kind;
        desk.set("cancels=apply");
        for point in ["before-decided", "after-decided"] {
            let [id, other] = [(); 2].map(|()| desk.paid(&[("TEE-001", 1)]));
            for one in [&id, &other] {
                desk.on("hold", one, "").exits(0);
                assert!(desk.store.cancel(one));
            }
            desk.sync();
            desk.on("release", &id, "").dies_at(point);
            assert_eq!(status(desk, &id), "cancelled", "{kind}: {point}");
            desk.set("cancels=ignore");
            desk.home.run(&format!("config set {kind}.cancels review")).dies_at(point);
            assert!(is_listed(desk, "--review", &other), "{kind}: {point}");
            assert_eq!(desk.home.sql("SELECT count(*) FROM undecided"), ["0"], "{kind}: {point}");
            desk.on("accept", &other, "").exits(0);
            desk.set("cancels=apply");
        }
        desk.home.run("doctor --offline").exits(0);
    });
}

/// A row is named by its number, or as everywhere by its order.
#[test]
fn d2_a_row_of_the_outbox_is_taken_back_by_the_name_of_its_order() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2)]);
        let withdraw = |named: &str| desk.home.run(&format!("outbox --withdraw {named}"));
        let order = format!("{}:{id}", desk.kind);
        desk.on("dispatch", &id, &format!("{NUMBER} --later")).exits(0);
        withdraw(&order).exits(0).prints("is taken back");
        assert_eq!(status(desk, &id), "awaiting-fulfillment", "{}", desk.kind);
        withdraw(&order).exits(7).says("nothing in the outbox");
        withdraw("1x").exits(2).says("neither the number of a row nor an order").without("invalid digit");
        if desk.capabilities().partial {
            for number in ["JD01", "JD02"] {
                let more = format!("--item TEE-001=1 --carrier dhl --tracking {number} --later");
                desk.on("dispatch", &id, &more).exits(0);
            }
            let several = withdraw(&order).exits(2).says("several rows");
            several.says("JD01").says("JD02").says("nothing was taken back");
        }
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
    });
}
