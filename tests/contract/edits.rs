//! What the merchant edits in an order: it stays, it is shown, and it is given up by a word.

use ordersync::sim::Purchase;
use serde_json::{Value, json};

use super::desk::{Desk, each, each_kind};

const STREET: &str = "9 Merchants Lane";

fn street(shown: &Value) -> &Value {
    &shown["ship_to"][0]["line1"]
}

fn fields(shown: &Value) -> Vec<&str> {
    shown["differences"].as_array().unwrap().iter().map(|found| found["aspect"].as_str().unwrap()).collect()
}

/// Also in a store that applies everything, by whatever comes: other fields accepted, the whole
/// list read again, another version.
#[test]
fn p5_what_the_merchant_has_edited_stays_whatever_changes_at_the_channel() {
    each_kind(|kind| {
        let desk = Desk::by_default(kind);
        for setting in ["edits=apply", "address=apply", "cancels=apply", "shipments=apply"] {
            desk.set(setting);
        }
        let id = desk.paid(&[("TEE-001", 2)]);
        let there = street(&desk.show(&id)).clone();
        desk.home.call(&["edit", &format!("{kind}:{id}"), "--line1", STREET, "--buyer-note", "gate 4"]).exits(0);
        let shown = desk.show(&id);
        assert_eq!((street(&shown), &shown["buyer_note"]), (&json!(STREET), &json!("gate 4")), "{kind}");
        assert_eq!(shown["edits"][0]["channels"]["line1"], there, "{kind}: {shown}");
        desk.on("show", &id, "")
            .exits(0)
            .prints("address edited by you; the channel's:")
            .prints(there.as_str().unwrap());

        assert!(desk.store.readdress(&id, "77 Somewhere Else") && desk.store.annotate(&id, "please ring"));
        desk.sync();
        desk.home.run("sync --full").exits(0);
        let shown = desk.show(&id);
        assert_eq!((street(&shown), &shown["buyer_note"]), (&json!(STREET), &json!("gate 4")), "{kind}: overwritten");
        assert_eq!(fields(&shown), ["address", "notes"], "{kind}: it is drift on these fields");
        let found = &shown["differences"][0];
        assert!(found["before"].as_str().unwrap().contains(STREET), "{kind}: yours is what you have: {found}");
        assert!(found["after"].as_str().unwrap().contains("77 Somewhere Else"), "{kind}: {found}");
        // The guard goes by the channel's versions.
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6).says("address");

        desk.on("accept", &id, "--field notes").exits(0).prints("given up: notes: gate 4");
        let shown = desk.show(&id);
        assert_eq!((street(&shown), &shown["buyer_note"]), (&json!(STREET), &json!("please ring")), "{kind}");
        assert_eq!(desk.writes(), 0, "{kind}: P-7");
        desk.on("revert", &id, "--dry-run").exits(0).prints("would be reverted");
        assert_eq!(street(&desk.show(&id)), STREET, "{kind}: a rehearsal");
        desk.on("revert", &id, "--field notes").exits(7).says("edited no notes");
        desk.on("revert", &id, "").exits(0).prints("77 Somewhere Else");
        let shown = desk.show(&id);
        // What the store applies is applied again.
        assert_eq!((street(&shown), &shown["edits"]), (&json!("77 Somewhere Else"), &json!([])), "{kind}");
        assert_eq!(shown["changed_at_channel"], false, "{kind}: {shown}");
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{kind}");
        desk.home.run("doctor --offline").exits(0);
        // Where an order went that is over stays as it was.
        let sent = desk.paid(&[("TEE-001", 1)]);
        desk.home.call(&["edit", &format!("{kind}:{sent}"), "--line1", STREET]).exits(0);
        desk.on("dispatch", &sent, "--carrier dhl --tracking JD02").exits(0);
        desk.on("revert", &sent, "").exits(6).says("all of it is shipped");
        assert_eq!(street(&desk.show(&sent)), STREET, "{kind}");
    });
}

#[test]
fn d1_an_edit_here_is_no_difference_at_the_channel_and_an_accepted_version_ends_it() {
    each(|desk| {
        let kind = desk.kind;
        let (id, other) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("TEE-001", 1)]));
        for order in [&id, &other] {
            desk.home.call(&["edit", &format!("{kind}:{order}"), "--line1", STREET]).exits(0);
        }
        assert_eq!(fields(&desk.show(&id)), [""; 0], "{kind}");
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        let shown = desk.show(&id);
        assert_eq!((&shown["status"], street(&shown)), (&json!("shipped"), &json!(STREET)), "{kind}: confirmed");

        assert!(desk.store.readdress(&other, "77 Somewhere Else"));
        desk.sync();
        assert_eq!(street(&desk.show(&other)), STREET, "{kind}");
        desk.on("accept", &other, "").exits(0).prints(&format!("given up: address: {}", "")).prints(STREET);
        let shown = desk.show(&other);
        assert_eq!((street(&shown), &shown["edits"]), (&json!("77 Somewhere Else"), &json!([])), "{kind}");
        let told: Vec<(&Value, &Value)> =
            shown["history"].as_array().unwrap().iter().map(|e| (&e["who"], &e["what"])).collect();
        assert!(told.contains(&(&json!("merchant"), &json!("edited"))), "{kind}: {told:?}");
        assert!(told.contains(&(&json!("merchant"), &json!("edit given up"))), "{kind}: {told:?}");
    });
}

/// What differs is accepted, and nothing else is given up by that.
#[test]
fn p5_an_edit_of_what_does_not_differ_outlives_an_accept() {
    each(|desk| {
        let (kind, id) = (desk.kind, desk.paid(&[("TEE-001", 1)]));
        desk.home.call(&["edit", &format!("{kind}:{id}"), "--line1", STREET]).exits(0);
        assert!(desk.store.annotate(&id, "please ring"));
        desk.sync();
        desk.on("accept", &id, "").exits(0).without("given up");
        let shown = desk.show(&id);
        assert_eq!((street(&shown), &shown["buyer_note"]), (&json!(STREET), &json!("please ring")), "{kind}");
        assert_eq!(shown["edits"][0]["field"], "address", "{kind}: {shown}");
        desk.on("revert", &id, "").exits(0);
        assert_ne!(street(&desk.show(&id)), STREET, "{kind}");
    });
}

/// An unpaid order follows in everything but in what was edited, and the merchant is told.
#[test]
fn p5_an_edited_address_of_an_unpaid_order_stays_and_what_changed_under_it_is_told() {
    each(|desk| {
        let kind = desk.kind;
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
        desk.sync();
        desk.home.call(&["edit", &format!("{kind}:{id}"), "--line1", STREET]).exits(0);
        assert!(desk.store.readdress(&id, "77 Somewhere Else"));
        desk.sync();
        let shown = desk.show(&id);
        assert_eq!(street(&shown), STREET, "{kind}");
        assert_eq!(shown["edits"][0]["channels"]["line1"], "77 Somewhere Else", "{kind}");
        assert_eq!(desk.home.json("inbox")[0]["kind"], "edited", "{kind}");
        assert!(desk.store.pay(&id));
        desk.sync();
        let shown = desk.show(&id);
        assert_eq!((&shown["status"], street(&shown)), (&json!("awaiting-fulfillment"), &json!(STREET)), "{kind}");
        desk.on("revert", &id, "").exits(0);
        assert_eq!(street(&desk.show(&id)), "77 Somewhere Else", "{kind}");
        assert_eq!(desk.home.json("inbox"), json!([]), "{kind}");
    });
}

#[test]
fn an_edit_that_makes_no_sense_is_refused_and_changes_nothing() {
    each(|desk| {
        let (kind, id) = (desk.kind, desk.paid(&[("TEE-001", 2)]));
        let name = format!("{kind}:{id}");
        let before = desk.show(&id);
        desk.on("edit", &id, "").exits(2).says("--line1");
        desk.on("edit", &id, "--country UK").exits(2).says("GB");
        desk.home.call(&["edit", &name, "--line1", "", "--line2", " ", "--city", "", "--postcode", ""]).exits(2);
        for part in ["--line1", "--city", "--postcode", "--country"] {
            let done = desk.home.call(&["edit", &name, part, " ", "--phone", "1"]).exits(2);
            done.says(&format!("{part} is empty")).says("nothing was changed");
        }
        desk.home.call(&["edit", &name, "--name", "", "--company", ""]).exits(2).says("--name is empty");
        desk.on("edit", &id, "--address 2 --name Sam").exits(2).says("has no address 2");
        desk.on("edit", "nonsense", "--name Sam").exits(7);
        desk.home.call(&["edit", &name, "--line1", STREET, "--dry-run"]).exits(0).prints("would be edited");
        desk.home
            .call(&["edit", &name, "--line1", before["ship_to"][0]["line1"].as_str().unwrap()])
            .exits(0)
            .prints("nothing was changed");
        assert_eq!(desk.show(&id), before, "{kind}");
        desk.on("revert", &id, "").exits(7).says("edited nothing");

        desk.home.call(&["edit", &name, "--phone", "", "--line2", "", "--region", ""]).exits(0);
        let told = desk.home.json(&format!("edit {name} --line1 Elsewhere"));
        assert_eq!((&told["edited"][0]["aspect"], &told["dry_run"]), (&json!("address"), &json!(false)), "{kind}");
        if desk.capabilities().partial {
            desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --item TEE-001=1").exits(0);
            desk.on("edit", &id, "--line1 Third").exits(0).says("went to the address of before");
        }
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(0);
        desk.on("edit", &id, "--line1 Fourth").exits(6).says("all of it is shipped");
        desk.on("edit", &id, "--buyer-note thanks").exits(0);
        let cancelled = desk.paid(&[("TEE-001", 1)]);
        desk.on("cancel", &cancelled, "--local").exits(0);
        desk.on("edit", &cancelled, "--line1 Fifth").exits(6).says("cancelled");
    });
}

fn streets(shown: &Value) -> Vec<&str> {
    shown["ship_to"].as_array().unwrap().iter().map(|to| to["line1"].as_str().unwrap()).collect()
}

/// Where an order goes to several addresses, an edit is of one of them, wherever the channel lists
/// it, and no parcel goes to it instead of to another one.
#[test]
fn p5_an_edit_of_one_of_several_addresses_stays_with_it_or_is_given_up_and_told() {
    each(|desk| {
        let kind = desk.kind;
        let split = Purchase::of(&[("TEE-001", 1)]).line_elsewhere("MUG-9", 1).unpaid();
        let (turned, shrunk) = (desk.store.place(&split), desk.store.place(&split));
        desk.sync();
        if streets(&desk.show(&turned)).len() < 2 {
            return;
        }
        for id in [&turned, &shrunk] {
            desk.home.call(&["edit", &format!("{kind}:{id}"), "--address", "2", "--line1", STREET]).exits(0);
        }
        let before = desk.show(&turned);
        let (first, second) = (streets(&before)[0], before["edits"][0]["channels"]["line1"].as_str().unwrap());
        assert!(desk.store.reorder_places(&turned));
        desk.sync();
        let shown = desk.show(&turned);
        assert_eq!(streets(&shown), [STREET, first], "{kind}: laid over another address");
        assert_eq!(shown["edits"][0]["channels"]["line1"], second, "{kind}: {shown}");
        assert_eq!(desk.home.json("inbox"), json!([]), "{kind}: nothing was lost");
        desk.on("revert", &turned, "").exits(0).prints(second);
        assert_eq!(streets(&desk.show(&turned)), [second, first], "{kind}");

        assert!(desk.store.remove_place(&shrunk, 1));
        desk.sync();
        let shown = desk.show(&shrunk);
        assert_eq!((streets(&shown).len(), &shown["edits"]), (1, &json!([])), "{kind}: {shown}");
        assert_ne!(streets(&shown), [STREET], "{kind}: laid over another address");
        let told = desk.home.json("inbox")[0].clone();
        assert_eq!(told["kind"], "edited", "{kind}");
        for (part, words) in [("text", "address 2"), ("text", "given up"), ("hint", "ordersync edit")] {
            assert!(told[part].as_str().unwrap().contains(words), "{kind}: {told}");
        }
        assert!(desk.show(&shrunk)["history"].to_string().contains(STREET), "{kind}: what was written is kept");
        desk.home.run("doctor --offline").exits(0);
        assert_eq!(desk.writes(), 0, "{kind}: P-7");
    });
}

/// Once the channel's address has changed under the merchant's, no parcel goes out before the
/// merchant has seen that, also where the order followed the channel as it was not paid.
#[test]
fn d1_what_changed_under_an_edit_of_an_unpaid_order_stops_a_parcel_until_it_is_settled() {
    const THERE: &str = "77 Somewhere Else";
    let settling: [(&str, &[&str], &str); 4] = [
        ("accept", &[], THERE),
        ("revert", &[], THERE),
        ("edit", &["--line1", "3 Third Street"], "3 Third Street"),
        ("edit", &["--line1", STREET], STREET),
    ];
    each(|desk| {
        let kind = desk.kind;
        let inbox = || desk.home.json("inbox");
        let settle = |name: &str, (command, more, stands): &(&str, &[&str], &str), id: &str| {
            let words: Vec<&str> = [*command, name].into_iter().chain(more.iter().copied()).collect();
            desk.home.call(&words).exits(0);
            let shown = desk.show(id);
            assert_eq!(street(&shown), stands, "{kind}: {words:?}");
            assert_eq!((&shown["changed_at_channel"], inbox()), (&json!(false), json!([])), "{kind}: {words:?}");
        };
        for is_settled_unpaid in [false, true] {
            for way in &settling {
                let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
                let name = format!("{kind}:{id}");
                desk.sync();
                desk.home.call(&["edit", &name, "--line1", STREET]).exits(0);
                assert!(desk.store.readdress(&id, THERE));
                desk.sync();
                assert_eq!(fields(&desk.show(&id)), ["address"], "{kind}: it is to be seen");
                assert_eq!(inbox()[0]["kind"], "edited", "{kind}");
                if is_settled_unpaid {
                    settle(&name, way, &id);
                }
                assert!(desk.store.pay(&id) && desk.store.annotate(&id, "please ring"));
                desk.sync();
                let shown = desk.show(&id);
                assert_eq!(
                    (&shown["status"], &shown["buyer_note"]),
                    (&json!("awaiting-fulfillment"), &json!("please ring"))
                );
                if !is_settled_unpaid {
                    assert_eq!(street(&shown), STREET, "{kind}");
                    assert_eq!(shown["edits"][0]["channels"]["line1"], THERE, "{kind}");
                    desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6).says("address");
                    desk.on("dropship", &id, "").exits(6).says("address");
                    assert_eq!(desk.tracking_numbers(&id), [""; 0], "{kind}: a parcel went out");
                    settle(&name, way, &id);
                }
                desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
            }
        }
    });
}

/// What the channel takes back itself, and what the merchant insists on.
#[test]
fn d1_a_change_under_an_edit_that_is_taken_back_or_overruled_stops_nothing() {
    each(|desk| {
        let kind = desk.kind;
        let edited = || {
            let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
            desk.sync();
            let before = street(&desk.show(&id)).as_str().unwrap().to_owned();
            desk.home.call(&["edit", &format!("{kind}:{id}"), "--line1", STREET]).exits(0);
            assert!(desk.store.readdress(&id, "77 Somewhere Else"));
            desk.sync();
            (id, before)
        };
        for is_paid_first in [false, true] {
            let (id, before) = edited();
            if is_paid_first {
                assert!(desk.store.pay(&id));
                desk.sync();
            }
            assert!(desk.store.readdress(&id, &before));
            desk.sync();
            let shown = desk.show(&id);
            assert_eq!((street(&shown), fields(&shown)), (&json!(STREET), vec![]), "{kind}");
            assert_eq!(shown["edits"][0]["channels"]["line1"], before, "{kind}");
            assert_eq!(desk.home.json("inbox"), json!([]), "{kind}: nothing is to be seen any more");
            assert!(is_paid_first || desk.store.pay(&id));
            desk.sync();
            desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        }
        let (id, _) = edited();
        assert!(desk.store.pay(&id));
        desk.sync();
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02 --later").done();
        desk.home.run("sync").exits(3);
        assert_eq!(desk.tracking_numbers(&id), [""; 0], "{kind}: the push looks as well");
        assert!(desk.home.json("inbox").to_string().contains("rejected"), "{kind}");
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02 --as-local").exits(0);
        assert_eq!(desk.tracking_numbers(&id), ["JD02"], "{kind}");
        let kinds = desk.home.json("inbox");
        assert!(!kinds.to_string().contains("\"edited\""), "{kind}: {kinds}");
    });
}
