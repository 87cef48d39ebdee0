//! What changes at the channel: the copy, the newer version beside it, and the way from one to the
//! other.

use ordersync::channel::CancelSupport;
use ordersync::sim::{Fault, FaultKind, Lack, Purchase};
use serde_json::{Value, json};

use super::desk::{Desk, each, each_kind};
use super::setups::peculiar;

#[test]
fn p1_what_changes_at_the_channel_is_kept_beside_the_merchants_copy() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let before = desk.show(&id)["ship_to"].clone();
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        let shown = desk.show(&id);
        assert_eq!(shown["ship_to"], before, "{}: changed behind the merchant's back", desk.kind);
        assert_eq!(
            (&shown["changed_at_channel"], &shown["differences"][0]["aspect"]),
            (&json!(true), &json!("address"))
        );
        desk.on("show", &id, "").exits(0).prints("77 Somewhere Else");
        desk.home.run("status").exits(0).prints("1 order changed at the channel").prints("orders --changed");
        assert_eq!(desk.home.json("orders --changed").as_array().unwrap().len(), 1, "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6).says("address");
        assert_eq!(desk.writes(), 0, "{}: a guard that stopped nothing", desk.kind);
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.home.json("orders --changed"), json!([]), "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);
    });
}

#[test]
fn p3_a_cancellation_at_the_channel_is_announced_once_and_p9_payment_follows() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let unpaid = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
        desk.sync();
        assert!(desk.store.cancel(&id) && desk.store.pay(&unpaid));
        desk.sync();
        desk.sync();
        for order in [&id, &unpaid] {
            assert_eq!(desk.show(order)["status"], "awaiting-fulfillment", "{}", desk.kind);
        }
        let inbox = desk.home.json("inbox");
        assert_eq!((inbox.as_array().unwrap().len(), &inbox[0]["kind"]), (1, &json!("cancelled")), "{}", desk.kind);
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.show(&id)["status"], "cancelled", "{}", desk.kind);
        assert_eq!(desk.home.json("inbox"), json!([]), "{}", desk.kind);
    });
}

/// Archived orders are orders; what is thrown away is one that is cancelled.
#[test]
fn p4_what_is_put_away_at_the_channel_stays_in_the_book() {
    each(|desk| {
        if desk.store.lacks(Lack::Archive) {
            return;
        }
        let (id, unseen) = (desk.paid(&[("TEE-001", 1)]), desk.store.place(&Purchase::of(&[("MUG-9", 1)])));
        assert!(desk.store.put_away(&id) && desk.store.put_away(&unseen));
        desk.passes_are_due();
        desk.sync();
        let shown = desk.show(&id);
        assert_eq!(
            (&shown["status"], &shown["changed_at_channel"]),
            (&json!("awaiting-fulfillment"), &json!(true)),
            "{}",
            desk.kind
        );
        if desk.store.archives() {
            assert_eq!(desk.show(&unseen)["status"], "awaiting-fulfillment", "{}: it comes as what it is", desk.kind);
            assert_eq!(desk.home.json("inbox"), json!([]), "{}", desk.kind);
            desk.on("accept", &id, "").exits(0);
            desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
            assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}: archived means nothing for shipping", desk.kind);
        } else {
            assert_eq!(desk.home.json("inbox")[0]["kind"], "cancelled", "{}", desk.kind);
        }
    });
}

/// The documents in the book can be read without the secrets.
#[test]
fn show_and_accept_need_no_credentials() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        std::fs::remove_dir_all(desk.home.path().join("credentials")).unwrap();
        desk.on("show", &id, "").exits(0).prints("77 Somewhere Else");
        desk.on("accept", &id, "").exits(0).prints("77 Somewhere Else");
        desk.home.run("sync").exits(4);
    });
}

/// What a shop erases for its buyer is no change: the parcel goes out, and nothing that was known
/// is emptied.
#[test]
fn p11_data_that_a_channel_no_longer_tells_is_no_change_and_stays_in_the_book() {
    const KNOWN: &str = "SELECT buyer_name || buyer_email || buyer_phone || group_concat(a.kind || a.name || a.line1 || \
         a.city || a.postcode || a.country || a.phone || a.email) FROM orders o JOIN addresses a ON a.order_id = o.id GROUP BY o.id HAVING o.remote_id = ";
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let known = || desk.home.sql(&format!("{KNOWN}'{id}'"));
        let before = known();
        assert_eq!(before.len(), 1, "{}", desk.kind);
        assert!(desk.store.erase_buyer(&id));
        assert_eq!(desk.sync()["changed"], 0, "{}", desk.kind);
        // Another change of the order brings the version without them.
        assert!(desk.store.annotate(&id, "please ring"));
        desk.sync();
        desk.on("show", &id, "").exits(0).without("[deleted]").without("deleted@site.invalid");
        desk.on("dispatch", &id, "--carrier ups --tracking 1Z999AA10123456784").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["1Z999AA10123456784"], "{}", desk.kind);
        for _ in 0..2 {
            desk.on("accept", &id, "").done();
            assert!(desk.show(&id)["buyer_note"].to_string().contains("ring"), "{}: accepted", desk.kind);
            assert_eq!(known(), before, "{}", desk.kind);
            desk.store.annotate(&id, "please ring twice");
            desk.sync();
        }
    });
}

/// An address that was changed and not yet accepted is not forgotten because it is erased
/// afterwards.
#[test]
fn p11_a_change_that_waits_outlives_the_erasure_of_what_it_told() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.readdress(&id, "99 New Road"));
        desk.sync();
        assert!(desk.store.erase_buyer(&id));
        desk.sync();
        desk.on("dispatch", &id, "--carrier ups --tracking 1Z999AA10123456784").exits(6).says("address");
        desk.on("accept", &id, "").exits(0);
        assert!(desk.show(&id)["ship_to"].to_string().contains("99 New Road"), "{}", desk.kind);
    });
}

/// A book that has lost the version that the merchant last saw: nothing goes out by it, no sync is
/// stuck on it, and what leads out is named.
#[test]
fn p1_an_order_whose_version_is_lost_is_looked_at_before_anything_goes_out() {
    each(|desk| {
        let (id, other) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("MUG-9", 1)]));
        let those = format!("SELECT id FROM orders WHERE remote_id IN ('{id}', '{other}')");
        assert_eq!(desk.home.sql(&format!("DELETE FROM versions WHERE order_id IN ({those}) RETURNING 1")).len(), 2);
        for (command, more) in [("dispatch", "--carrier dhl --tracking JD01"), ("cancel", "")] {
            if command == "dispatch" || matches!(desk.capabilities().cancel, CancelSupport::Yes(_)) {
                desk.on(command, &id, more).exits(6).says("has lost the version").says("nothing was sent");
            }
        }
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
        desk.home.run("doctor --offline").exits(3).prints("is lost").prints("ordersync accept book:");

        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        let new = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.sync();
        desk.show(&new);
        let shown = desk.show(&id);
        assert_eq!(
            (&shown["changed_at_channel"], &shown["inbox"][0]["kind"]),
            (&json!(true), &json!("lost")),
            "{shown}"
        );
        desk.on("show", &id, "").exits(0).prints("is lost");
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6);
        for order in [&id, &other] {
            desk.on("accept", order, "").exits(0);
            desk.on("dispatch", order, "--carrier dhl --tracking JD01").exits(0);
        }
        assert!(desk.show(&id)["ship_to"].to_string().contains("77 Somewhere Else"), "{}", desk.kind);
        desk.home.run("doctor --offline").exits(0);
        assert!(desk.home.json("inbox").as_array().unwrap().is_empty(), "{}", desk.kind);
    });
}

#[test]
fn accept_asks_the_channel_where_the_book_has_seen_nothing_new() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("accept", &id, "").exits(7).says("was asked just now").says("nothing was changed");
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.on("accept", &id, "").exits(0).prints("77 Somewhere Else");
        assert!(desk.show(&id)["ship_to"].to_string().contains("77 Somewhere Else"), "{}", desk.kind);
        assert_eq!((desk.show(&id)["changed_at_channel"].clone(), desk.writes()), (json!(false), 0), "{}", desk.kind);
        let unpaid = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
        desk.sync();
        assert!(desk.store.pay(&unpaid));
        desk.on("accept", &unpaid, "").exits(0).prints("as the channel has it");
        assert_eq!(desk.show(&unpaid)["status"], "awaiting-fulfillment", "{}", desk.kind);
    });
}

#[test]
fn accept_that_could_not_ask_says_so_and_when_the_store_was_read() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(Fault::new(FaultKind::CutBefore).always());
        let done = desk.on("accept", &id, "").exits(5).says("nothing was changed: the book has no newer version");
        done.says("was last read").says("could not be read now").says("ordersync pull book:");
        desk.server.faults().clear();
        std::fs::remove_dir_all(desk.home.path().join("credentials")).unwrap();
        desk.on("accept", &id, "").exits(4).says("was last read").says("--reauth");
    });
}

#[test]
fn a_shipment_that_is_undone_at_the_channel_is_left_again_after_accept() {
    each(|desk| {
        if desk.store.lacks(Lack::Undone) {
            return;
        }
        for number in ["--carrier dhl --tracking JD02", ""] {
            let id = desk.paid(&[("TEE-001", 3)]);
            if desk.capabilities().partial {
                desk.on("dispatch", &id, "--item TEE-001=1 --carrier dhl --tracking JD01").exits(0);
            }
            desk.on("dispatch", &id, number).exits(0);
            assert!(desk.store.undo_shipments(&id));
            desk.sync();
            let shown = desk.show(&id);
            assert_eq!(
                (&shown["changed_at_channel"], &shown["status"]),
                (&json!(true), &json!("shipped")),
                "{}",
                desk.kind
            );
            desk.on("dispatch", &id, "--carrier dhl --tracking JD03").exits(6).says("nothing left to ship");
            desk.on("accept", &id, "").exits(0);
            let shown = desk.show(&id);
            let left = (&shown["lines"][0]["left"], &shown["status"], &shown["shipments"]);
            assert_eq!(left, (&json!("3"), &json!("awaiting-fulfillment"), &json!([])), "{}", desk.kind);
            desk.on("dispatch", &id, "--carrier dhl --tracking JD03").exits(0);
            let standing = desk.store.standing(&id).unwrap();
            assert_eq!((standing.sent, desk.tracking_numbers(&id)), (3, vec!["JD03".to_owned()]), "{}", desk.kind);
            desk.home.run("status --check").exits(0);
        }
    });
}

/// What comes in together with the echo of our own dispatch is no part of it.
#[test]
fn p1_what_others_change_in_the_moment_of_a_dispatch_is_kept_as_a_change() {
    each(|desk| {
        let changed = |id: &str| {
            let shown = desk.show(id);
            (shown["changed_at_channel"].as_bool().unwrap(), shown["differences"].to_string())
        };
        let dispatch = |id: &str| {
            desk.on("dispatch", id, &format!("--carrier dhl --tracking JD{id} --later")).exits(0);
        };
        let alone = desk.paid(&[("TEE-001", 1)]);
        dispatch(&alone);
        desk.sync();
        assert!(!changed(&alone).0, "{}: its own echo is news", desk.kind);

        let id = desk.paid(&[("TEE-001", 1)]);
        dispatch(&id);
        assert!(desk.store.annotate(&id, "please ring twice"));
        desk.sync();
        desk.sync();
        assert_eq!(desk.tracking_numbers(&id), [format!("JD{id}").replace('-', "")], "{}", desk.kind);
        let (is_changed, drift) = changed(&id);
        assert!(is_changed && drift.contains("please ring twice"), "{}: {drift}", desk.kind);
        desk.on("show", &id, "").exits(0).prints("please ring twice");
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.show(&id)["buyer_note"], "please ring twice", "{}", desk.kind);
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);

        if desk.store.archives() && !desk.store.lacks(Lack::Archive) {
            let id = desk.paid(&[("TEE-001", 1)]);
            dispatch(&id);
            assert!(desk.store.put_away(&id));
            desk.sync();
            desk.sync();
            assert_eq!(desk.tracking_numbers(&id), [format!("JD{id}").replace('-', "")], "{}", desk.kind);
            let (is_changed, drift) = changed(&id);
            assert!(is_changed && drift.contains("archived"), "{}: {drift}", desk.kind);
        }
    });
}

/// What each kind does by default with an order that is cancelled there.
#[test]
fn p3_a_cancellation_is_applied_by_default_where_the_channel_is_known_for_it_and_never_after_a_parcel() {
    each_kind(|kind| {
        let desk = Desk::by_default(kind);
        let applies = peculiar(kind).cancels_apply;
        let (id, sent) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 1)]));
        desk.on("dispatch", &sent, "--carrier dhl --tracking JD01").exits(0);
        let writes = desk.writes();
        assert!(desk.store.cancel(&id) && desk.store.cancel(&sent));
        desk.sync();
        desk.sync();
        let expected = if applies { "cancelled" } else { "awaiting-fulfillment" };
        assert_eq!(desk.show(&id)["status"], expected, "{kind}");
        assert_eq!(desk.show(&sent)["status"], "shipped", "{kind}");
        let inbox = desk.home.json("inbox").to_string();
        assert!(inbox.contains("after dispatch") && inbox.contains("tracking JD01"), "{kind}: {inbox}");
        assert_eq!(inbox.matches("\"kind\"").count(), if applies { 1 } else { 2 }, "{kind}: {inbox}");
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(6).says("cancelled");
        assert_eq!(desk.writes(), writes, "{kind}: P-7");
        desk.set("cancels=ignore");
        let other = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.cancel(&other));
        desk.sync();
        let shown = desk.show(&other);
        assert_eq!((&shown["status"], &shown["inbox"]), (&json!("awaiting-fulfillment"), &json!([])), "{kind}");
        assert_eq!(shown["changed_at_channel"], true, "{kind}");
    });
}

#[test]
fn p3_a_store_can_be_set_to_follow_what_changes_until_the_merchant_has_begun() {
    each_kind(|kind| {
        let desk = Desk::by_default(kind);
        for setting in ["edits=apply", "address=apply", "cancels=apply", "shipments=apply"] {
            desk.set(setting);
        }
        desk.home.run(&format!("config set {kind}.archives apply")).exits(2).says("never changes anything here");
        let id = desk.paid(&[("TEE-001", 2)]);
        let begun = desk.paid(&[("TEE-001", 2)]);
        desk.on("dispatch", &begun, "--carrier dhl --tracking JD09").exits(0);
        for order in [&id, &begun] {
            assert!(desk.store.readdress(order, "77 Somewhere Else") && desk.store.annotate(order, "please ring"));
        }
        desk.sync();
        let shown = desk.show(&id);
        assert!(shown["ship_to"].to_string().contains("77 Somewhere Else"), "{kind}: {shown}");
        assert_eq!((&shown["buyer_note"], &shown["changed_at_channel"]), (&json!("please ring"), &json!(false)));
        desk.on("show", &id, "--history").exits(0).prints("applied").prints("77 Somewhere Else");
        let shown = desk.show(&begun);
        assert!(!shown["ship_to"].to_string().contains("77 Somewhere Else"), "{kind}: a parcel is on its way");
        assert_eq!(shown["changed_at_channel"], true, "{kind}");
        // It is the merchant's version now, so nothing stops its parcel.
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{kind}");

        let other = desk.paid(&[("TEE-001", 2)]);
        assert!(desk.store.ship_elsewhere(&other, "UPS", "1Z01"));
        desk.sync();
        let shown = desk.show(&other);
        assert_eq!((&shown["status"], &shown["changed_at_channel"]), (&json!("shipped"), &json!(false)), "{kind}");
        desk.home.run("doctor --offline").exits(0);
    });
}

/// A refund is recorded at once; what is left goes out once the merchant has seen it.
#[test]
fn p10_a_refund_is_recorded_under_every_policy_and_stops_a_parcel_until_it_is_seen() {
    each(|desk| {
        // Where a refund tells of no pieces, all of them are left.
        let left = if desk.store.lacks(Lack::RefundedPieces) { 3 } else { 2 };
        let id = desk.paid(&[("TEE-001", 3)]);
        assert!(desk.store.refund_pieces(&id, 0, 1));
        desk.passes_are_due();
        desk.sync();
        let shown = desk.show(&id);
        let told = (&shown["status"], &shown["lines"][0]["left"]);
        assert_eq!(told, (&json!("awaiting-fulfillment"), &json!(left.to_string())), "{}", desk.kind);
        assert!(!shown["refunds"].as_array().unwrap().is_empty(), "{}: {shown}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6).says("refund");
        desk.on("accept", &id, "").exits(0);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        assert_eq!(desk.store.standing(&id).unwrap().sent, left, "{}", desk.kind);
    });
}

#[test]
fn p2_what_is_to_be_reviewed_waits_until_the_merchant_accepts_or_rejects_it() {
    each(|desk| {
        desk.set("address=review");
        desk.set("edits=review");
        let (id, other) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 1)]));
        for order in [&id, &other] {
            assert!(desk.store.readdress(order, "77 Somewhere Else") && desk.store.annotate(order, "please ring"));
        }
        desk.sync();
        let waiting = |nth: usize| {
            let listed = desk.home.json("changes");
            let found = listed[nth]["differences"].as_array().cloned().unwrap_or_default();
            let fields: Vec<_> = found.iter().map(|found| found["aspect"].as_str().unwrap().to_owned()).collect();
            (listed.as_array().unwrap().len(), fields)
        };
        assert_eq!(waiting(0), (2, vec!["address".to_owned(), "notes".to_owned()]), "{}", desk.kind);
        desk.home.run("changes").exits(0).prints("77 Somewhere Else").prints("please ring");
        desk.home.run("status").exits(0).prints("2 orders with changes that wait");
        assert_eq!(desk.home.json("status")["waiting_for_review"], 2, "{}", desk.kind);

        desk.on("reject", &id, "--field lines").exits(7).says("nothing was rejected");
        desk.on("reject", &id, "--field address").exits(0).prints("stays as you have it");
        assert_eq!(waiting(0), (2, vec!["notes".to_owned()]), "{}", desk.kind);
        desk.on("reject", &id, "").exits(0);
        desk.on("reject", &id, "").exits(7).says("ordersync changes");
        assert_eq!(waiting(0).0, 1, "{}", desk.kind);
        let shown = desk.show(&id);
        assert_eq!((&shown["changed_at_channel"], &shown["buyer_note"]), (&json!(true), &json!("")), "{}", desk.kind);
        desk.on("show", &id, "").exits(0).prints("(rejected)").prints("77 Somewhere Else");
        let told = desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6);
        told.says("is still at the channel as you rejected it (address)").says("--as-local").without("last saw");
        desk.on("show", &id, "").exits(0).prints("otherwise at the channel").without("last saw");
        desk.on("dropship", &id, "--to Sam").exits(6).says("as you rejected it").without("last saw");

        // Only what changes again waits again.
        desk.store.set_clock(1);
        assert!(desk.store.annotate(&id, "please ring twice"));
        desk.sync();
        assert_eq!(waiting(0), (2, vec!["notes".to_owned()]), "{}", desk.kind);
        desk.on("accept", &other, "").exits(0);
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.home.json("changes"), json!([]), "{}", desk.kind);
        assert!(desk.show(&id)["ship_to"].to_string().contains("77 Somewhere Else"), "{}", desk.kind);
        assert_eq!(desk.writes(), 0, "{}: P-7", desk.kind);
    });
}

/// Who did what, when, and in which run: each event says so, and the run is one that `runs` lists.
#[test]
fn the_trail_of_an_order_says_who_did_what_and_in_which_run() {
    each(|desk| {
        desk.set("edits=apply");
        desk.set("address=review");
        let id = desk.paid(&[("TEE-001", 2)]);
        assert!(desk.store.annotate(&id, "please ring") && desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        desk.on("reject", &id, "").exits(0);
        desk.on("accept", &id, "").exits(0);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later").exits(0);
        desk.sync();
        let listed = desk.home.json("runs");
        let runs: Vec<&Value> = listed.as_array().unwrap().iter().map(|run| &run["run"]).collect();
        let history = desk.show(&id)["history"].clone();
        let events = history.as_array().unwrap();
        assert!(
            events.iter().all(|event| event["run"].is_null() || runs.contains(&&event["run"])),
            "{history} {listed}"
        );
        let told: Vec<(&str, &str, bool)> = events
            .iter()
            .map(|e| (e["what"].as_str().unwrap(), e["who"].as_str().unwrap(), e["run"].is_string()))
            .collect();
        let expected = [
            ("imported", "channel", true),
            ("changed at the channel", "channel", true),
            ("applied", "policy", true),
            ("rejected", "merchant", false),
            ("accepted", "merchant", false),
            ("dispatched", "merchant", false),
            ("confirmed by the channel", "channel", true),
        ];
        assert_eq!(told, expected, "{}", desk.kind);
        desk.on("show", &id, "--history").exits(0).prints("  policy    applied: notes: ").prints("(run ");
    });
}

/// Field by field, and what is left differs and stops a parcel as before.
#[test]
fn p2_a_field_is_accepted_by_itself_and_differs_again_once_it_changes_again() {
    each(|desk| {
        let kind = desk.kind;
        desk.set("address=review");
        desk.set("edits=review");
        let id = desk.paid(&[("TEE-001", 2)]);
        assert!(desk.store.readdress(&id, "77 Somewhere Else") && desk.store.annotate(&id, "please ring"));
        desk.sync();
        desk.on("accept", &id, "--field colour").exits(2).says("is no field of an order");
        desk.on("accept", &id, "--field lines").exits(7).says("does not differ in lines");
        desk.on("accept", &id, "--field notes").exits(0).prints("but for address").prints("please ring");
        let shown = desk.show(&id);
        assert_eq!(shown["buyer_note"], "please ring", "{kind}");
        assert!(!shown["ship_to"].to_string().contains("77 Somewhere Else"), "{kind}: {shown}");
        let fields = |shown: &Value| -> Vec<String> {
            let found = shown["differences"].as_array().unwrap().iter();
            found.map(|found| found["aspect"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(fields(&shown), ["address"], "{kind}");
        assert_eq!(desk.home.json("changes")[0]["differences"].as_array().unwrap().len(), 1, "{kind}");
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6).says("address");
        desk.sync();
        assert_eq!(fields(&desk.show(&id)), ["address"], "{kind}: the same version again");

        desk.store.set_clock(1);
        assert!(desk.store.annotate(&id, "please ring twice"));
        desk.sync();
        assert_eq!(fields(&desk.show(&id)), ["address", "notes"], "{kind}: it changed again");
        desk.on("accept", &id, "--field address").exits(0);
        let shown = desk.show(&id);
        assert!(shown["ship_to"].to_string().contains("77 Somewhere Else"), "{kind}: {shown}");
        assert_eq!(
            (&shown["buyer_note"], fields(&shown).as_slice()),
            (&json!("please ring"), &["notes".to_owned()][..])
        );
        assert_eq!(desk.writes(), 0, "{kind}: P-7");
        // Of a field that needs no look nothing stops the parcel.
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{kind}");
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.home.json("orders --changed"), json!([]), "{kind}");
        desk.home.run("doctor --offline").exits(0);
    });
}

#[test]
fn p2_of_two_terminals_that_accept_and_reject_at_once_one_wins_and_the_other_is_told() {
    each(|desk| {
        desk.set("address=review");
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        let commands = ["accept", "reject", "reject"].map(|act| format!("{act} {}:{id}", desk.kind));
        let running = commands.each_ref().map(|command| desk.home.spawn(command, &[]));
        let codes = running.map(|child| child.wait_with_output().unwrap().status.code());
        let accepted = codes[0] == Some(0);
        let rejected = codes[1..].iter().filter(|code| **code == Some(0)).count();
        assert!(rejected <= 1 && (accepted || rejected == 1), "{}: {codes:?}", desk.kind);
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 6 | 7))), "{}: {codes:?}", desk.kind);
        let moved = desk.show(&id)["ship_to"].to_string().contains("77 Somewhere Else");
        assert_eq!(moved, accepted, "{}: {codes:?}", desk.kind);
        assert_eq!(desk.home.json("changes"), json!([]), "{}", desk.kind);
    });
}

/// Of acts on several fields at once none is lost, and none is done twice.
#[test]
fn p2_two_terminals_that_accept_and_edit_at_once_are_both_done_or_told() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.readdress(&id, "77 Somewhere Else") && desk.store.annotate(&id, "please ring"));
        desk.sync();
        let acts = ["accept", "accept", "edit"].into_iter().zip(["--field address", "--field notes", "--name Sam"]);
        let commands: Vec<String> = acts.map(|(act, more)| format!("{act} {}:{id} {more}", desk.kind)).collect();
        let running: Vec<_> = commands.iter().map(|command| desk.home.spawn(command, &[])).collect();
        let codes: Vec<_> = running.into_iter().map(|child| child.wait_with_output().unwrap().status.code()).collect();
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 6))), "{}: {codes:?}", desk.kind);
        let shown = desk.show(&id);
        let count =
            |what: &str| shown["history"].as_array().unwrap().iter().filter(|event| event["what"] == what).count();
        let done = codes.iter().filter(|code| **code == Some(0)).count();
        assert_eq!(count("accepted") + count("edited"), done, "{}: {codes:?} {shown}", desk.kind);
        assert_eq!(shown["buyer_note"] == "please ring", codes[1] == Some(0), "{}: {shown}", desk.kind);
        desk.home.run("doctor --offline").exits(0);
    });
}

/// Money is a fact whatever the merchant has done to the order meanwhile.
#[test]
fn p9_an_order_that_is_paid_while_a_parcel_of_it_waits_is_to_be_sent_once_that_is_taken_back() {
    each(|desk| {
        let unpaid = || {
            let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
            desk.sync();
            id
        };
        let id = unpaid();
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --unpaid --later").exits(0);
        assert!(desk.store.pay(&id));
        desk.on("pull", &id, "").exits(0);
        let row = desk.home.json("outbox")[0]["row"].as_str().unwrap().to_owned();
        desk.home.run(&format!("outbox --withdraw {row}")).exits(0);
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        let listed = desk.home.json("orders --to-send --limit 0");
        assert!(listed.as_array().unwrap().iter().any(|row| row["remote_id"] == json!(id)), "{}: {listed}", desk.kind);

        let cancelled = unpaid();
        desk.on("cancel", &cancelled, "--local").exits(0);
        assert!(desk.store.pay(&cancelled));
        desk.sync();
        desk.sync();
        let shown = desk.show(&cancelled);
        assert_eq!((&shown["status"], &shown["inbox"][0]["kind"]), (&json!("cancelled"), &json!("paid")), "{shown}");
        assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 1, "{}", desk.kind);
        desk.on("dispatch", &cancelled, "--carrier dhl --tracking JD02 --as-local --force").exits(0);
        assert_eq!(desk.home.json("inbox"), json!([]), "{}", desk.kind);
    });
}

/// A hold at the channel is no act of the merchant's.
#[test]
fn p9_an_unpaid_order_that_the_channel_has_held_and_released_follows_it_as_before() {
    each(|desk| {
        if desk.store.lacks(Lack::Holds) {
            return;
        }
        let held = || {
            let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
            desk.sync();
            assert!(desk.store.hold(&id));
            desk.sync();
            id
        };
        let (id, cancelled) = (held(), held());
        if !desk.show(&id)["paid_at"].is_null() {
            // Such a shop holds back what is paid.
            return;
        }
        // Some call it to be sent once it is released.
        assert!(desk.store.release(&id) && desk.store.unpay(&id));
        assert!(desk.store.release(&cancelled) && desk.store.cancel(&cancelled));
        desk.sync();
        let status = |id: &str| desk.show(id)["status"].as_str().unwrap().to_owned();
        assert_eq!([status(&id), status(&cancelled)], ["awaiting-payment", "cancelled"], "{}", desk.kind);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        let shown = desk.show(&id);
        assert!(shown["ship_to"].to_string().contains("77 Somewhere Else"), "{}: {shown}", desk.kind);
        assert_eq!(shown["changed_at_channel"], false, "{}: {shown}", desk.kind);
        let done = desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --unpaid").done();
        assert!(!done.stderr.contains("changed at the channel"), "{}: {done:?}", desk.kind);
    });
}

/// The channel's hold is the channel's, whenever it was first seen; that of the merchant is another.
#[test]
fn p9_a_hold_at_the_channel_and_its_end_are_facts_of_an_order_that_nobody_has_begun_with() {
    each(|desk| {
        if desk.store.lacks(Lack::Holds) {
            return;
        }
        let status = |id: &str| desk.show(id)["status"].as_str().unwrap().to_owned();
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        assert!(desk.store.hold(&id));
        desk.sync();
        assert_eq!(status(&id), "on-hold", "{}", desk.kind);
        for expected in ["awaiting-fulfillment", "on-hold", "awaiting-fulfillment"] {
            let is_done = if expected == "on-hold" { desk.store.hold(&id) } else { desk.store.release(&id) };
            assert!(is_done, "{}", desk.kind);
            desk.sync();
            assert_eq!(status(&id), expected, "{}", desk.kind);
        }
        assert_eq!(desk.show(&id)["differences"], json!([]), "{}", desk.kind);
        desk.on("hold", &id, "").exits(0);
        assert!(desk.store.hold(&id));
        desk.sync();
        assert!(desk.store.release(&id));
        desk.sync();
        assert_eq!(status(&id), "on-hold", "{}: the merchant's stands", desk.kind);
        desk.on("release", &id, "").exits(0);
        assert_eq!((status(&id), desk.writes()), ("awaiting-fulfillment".to_owned(), 0), "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{}", desk.kind);
    });
}

/// A store that is set to do something else: what changed before is decided by that, and what the
/// merchant has said of it stays said.
#[test]
fn p2_what_a_store_is_set_to_do_with_changes_decides_also_about_those_of_before() {
    each(|desk| {
        let kind = desk.kind;
        let [moved, edited, refused, gone, held] = [(); 5].map(|()| desk.paid(&[("TEE-001", 1)]));
        desk.home.call(&["edit", &format!("{kind}:{edited}"), "--line1", "9 Merchants Lane"]).exits(0);
        desk.on("hold", &held, "").exits(0);
        desk.set("cancels=ignore");
        for id in [&moved, &edited, &refused] {
            assert!(desk.store.readdress(id, "77 Somewhere Else"));
        }
        assert!(desk.store.cancel(&gone) && desk.store.cancel(&held));
        desk.sync();
        let street = |id: &str| desk.show(id)["ship_to"][0]["line1"].as_str().unwrap().to_owned();
        let before = street(&refused);
        let waiting = || -> Vec<String> {
            let waits = desk.home.json("changes");
            waits.as_array().unwrap().iter().map(|one| one["remote_id"].as_str().unwrap().to_owned()).collect()
        };
        let set = |setting: &str| {
            let (key, value) = setting.split_once('=').unwrap();
            desk.home.run(&format!("config set {kind}.{key} {value}")).exits(0)
        };
        assert_eq!(waiting(), [""; 0], "{kind}");

        set("address=review").says("5 orders").says("looked at again").says("3 orders more");
        set("address=review").without("looked at again");
        assert_eq!(waiting().len(), 3, "{kind}");
        desk.on("reject", &refused, "").exits(0);
        set("address=ignore").says("looked at again").without("wait for your word");
        assert_eq!(waiting(), [""; 0], "{kind}");
        for id in [&moved, &edited, &refused] {
            assert_eq!(desk.show(id)["changed_at_channel"], true, "{kind}: it differs still");
        }
        set("address=apply");
        assert_eq!(street(&moved), "77 Somewhere Else", "{kind}");
        assert_eq!((street(&edited), street(&refused)), ("9 Merchants Lane".to_owned(), before), "{kind}: P-5");
        desk.on("show", &moved, "--history").exits(0).prints("applied").prints("decided again");
        // What was taken over by itself is not taken back by itself.
        desk.home.run(&format!("config unset {kind}.address")).exits(0);
        desk.set("address=ignore");
        assert_eq!(street(&moved), "77 Somewhere Else", "{kind}");
        assert_eq!(desk.show(&moved)["changed_at_channel"], false, "{kind}");

        set("cancels=review");
        assert_eq!(waiting().len(), 2, "{kind}");
        assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 2, "{kind}: each is told of once");
        set("cancels=apply");
        assert_eq!(desk.show(&gone)["status"], "cancelled", "{kind}");
        assert_eq!(desk.show(&held)["status"], "on-hold", "{kind}: P-3, the merchant has begun with it");
        assert_eq!(waiting(), std::slice::from_ref(&held), "{kind}");
        assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 1, "{kind}");
        set("cancels=ignore");
        assert_eq!(desk.show(&gone)["status"], "cancelled", "{kind}: no setting opens it again");
        assert_eq!((waiting(), desk.home.json("inbox")), (vec![], json!([])), "{kind}");
        desk.sync();
        desk.home.run("sync --full").exits(0);
        assert_eq!(desk.show(&gone)["status"], "cancelled", "{kind}");
        assert_eq!(street(&moved), "77 Somewhere Else", "{kind}");
        assert_eq!(desk.writes(), 0, "{kind}: P-7");
        desk.home.run("doctor --offline").exits(0);
    });
}

/// Lines of one version and totals of another: what they differ by is shown, and the book holds.
#[test]
fn f7_lines_and_totals_that_are_accepted_apart_say_what_they_differ_by() {
    each(|desk| {
        let sums = |id: &str, what: &str| {
            let shown = desk.show(id);
            let charges = shown["charges"].as_array().unwrap().iter();
            let apart = charges.filter(|charge| charge["title"] == "Difference of lines and totals").count();
            let doctor = desk.home.run("doctor --offline").exits(0);
            doctor.prints("sums and pieces add up");
            let mended = desk.home.run("doctor --offline --mend").exits(0);
            assert!(!mended.stderr.contains("made anew"), "{} {what}: {}", desk.kind, mended.stderr);
            apart
        };
        let grown = || {
            let id = desk.paid(&[("TEE-001", 1)]);
            assert!(desk.store.grow_line(&id, 0, 1), "{}", desk.kind);
            desk.sync();
            let shown = desk.show(&id);
            let found = shown["differences"].as_array().unwrap().iter().map(|one| one["aspect"].as_str().unwrap());
            let found: Vec<&str> = found.collect();
            assert!(found.contains(&"lines") && found.contains(&"totals"), "{}: {found:?}", desk.kind);
            id
        };
        desk.set("edits=review");
        for (one, other) in [("lines", "totals"), ("totals", "lines")] {
            let id = grown();
            desk.on("accept", &id, &format!("--field {one}")).exits(0).prints("are of different versions now");
            assert_eq!(sums(&id, one), 1, "{} {one}", desk.kind);
            desk.on("show", &id, "").exits(0).prints("Difference of lines and totals");
            desk.on("accept", &id, &format!("--field {other}")).exits(0);
            assert_eq!(sums(&id, "both"), 0, "{} {one}, {other}", desk.kind);
        }
        let id = grown();
        desk.on("reject", &id, "--field totals").exits(0);
        desk.on("accept", &id, "--field lines").exits(0);
        assert_eq!(sums(&id, "totals rejected"), 1, "{}", desk.kind);
        let id = grown();
        desk.on("reject", &id, "--field totals").exits(0);
        desk.set("edits=apply");
        desk.sync();
        assert_eq!(desk.show(&id)["lines"][0]["quantity"], "2", "{}: applied", desk.kind);
        assert_eq!(sums(&id, "applied, totals rejected"), 1, "{}", desk.kind);
    });
}
