//! What waits for the merchant's word, of many orders at once.

use serde_json::{Value, json};

use super::desk::{Desk, each};

/// So many orders with another address and another note at the channel, all of which wait.
fn waiting(desk: &Desk, orders: usize) -> Vec<String> {
    desk.set("address=review");
    desk.set("edits=review");
    let ids: Vec<String> = (0..orders).map(|_| desk.paid(&[("TEE-001", 1)])).collect();
    for id in &ids {
        assert!(desk.store.readdress(id, "77 Somewhere Else") && desk.store.annotate(id, "please ring"));
    }
    desk.sync();
    ids
}

fn is_moved(desk: &Desk, id: &str) -> bool {
    desk.show(id)["ship_to"].to_string().contains("77 Somewhere Else")
}

/// The orders with something that waits, each with how many fields.
fn waits(desk: &Desk) -> Vec<(String, usize)> {
    let listed = desk.home.json("changes");
    let of =
        |one: &Value| (one["remote_id"].as_str().unwrap().to_owned(), one["differences"].as_array().unwrap().len());
    listed.as_array().unwrap().iter().map(of).collect()
}

#[test]
fn p2_several_orders_are_accepted_or_rejected_each_with_its_own_result() {
    each(|desk| {
        let kind = desk.kind;
        let ids = waiting(desk, 4);
        let [a, b, c, d] = [0, 1, 2, 3].map(|nth| format!("{kind}:{}", ids[nth]));
        let done = desk.home.run(&format!("accept {a} {b} {kind}:none {a}")).exits(3);
        done.prints("is now as the channel has it")
            .says("no order")
            .says("2 of 3 orders went well")
            .says("decided once");
        assert!(is_moved(desk, &ids[0]) && is_moved(desk, &ids[1]) && !is_moved(desk, &ids[2]), "{kind}");
        let done = desk.home.run(&format!("reject {c} {d} {a} --field address --json")).exits(3).json();
        let states: Vec<_> = done.as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["rejected", "rejected", "not-rejected"], "{kind}: {done}");
        assert_eq!((&done[2]["error"]["exit_code"], &done[2]["reference"]), (&json!(7), &json!(a)), "{kind}: {done}");
        assert_eq!(waits(desk), [(ids[2].clone(), 1), (ids[3].clone(), 1)], "{kind}");
        desk.home.run(&format!("accept {a} {b}")).exits(7).says("no newer version");
        // A word that is taken back is no secret.
        desk.home.run(&format!("accept {c} {d}")).exits(0).prints("what you had rejected is taken over: address");
        assert_eq!((waits(desk), desk.writes()), (vec![], 0), "{kind}: P-7");
        desk.home.run("accept").exits(2);
    });
}

/// Whatever of an order was refused, each of it is named.
#[test]
fn d2_what_was_refused_of_an_accepted_order_is_named_also_for_programs() {
    each(|desk| {
        let kind = desk.kind;
        let id = desk.paid(&[("TEE-001", 2)]);
        let parts = if desk.capabilities().partial { vec!["--item TEE-001=1"; 2] } else { vec![""] };
        for (nth, part) in parts.iter().enumerate() {
            desk.on("dispatch", &id, &format!("--carrier dhl --tracking JD0{nth} {part} --later")).exits(0);
        }
        desk.home.sql("UPDATE outbox SET state = 'failed', error = 'no such carrier' RETURNING 1");
        assert!(desk.store.annotate(&id, "please ring"));
        desk.sync();
        let done = desk.on("accept", &id, "").arg("--json").exits(0).json();
        let failed = done["failed"].as_array().unwrap();
        assert_eq!(failed.len(), parts.len(), "{kind}: {done}");
        for row in failed {
            assert_eq!(
                (&row["goal"], &row["error"]),
                (&json!("dispatch"), &json!("no such carrier")),
                "{kind}: {done}"
            );
            desk.home.run(&format!("outbox --withdraw {}", row["row"].as_str().unwrap())).exits(0);
        }
    });
}

#[test]
fn p2_what_changed_is_told_also_of_a_store_that_is_not_connected_any_more() {
    each(|desk| {
        let ids = waiting(desk, 1);
        desk.home.run(&format!("connect --remove {}", desk.kind)).exits(0);
        let shown = desk.on("show", &ids[0], "").exits(0).prints("77 Somewhere Else").stdout;
        assert!(!shown.contains("is lost"), "{}: {shown}", desk.kind);
    });
}

/// From a list that the program wrote, looked through by the merchant, and from one of another make.
#[test]
fn p2_a_file_of_what_waits_is_accepted_or_rejected_as_far_as_it_is_still_so() {
    each(|desk| {
        let kind = desk.kind;
        let ids = waiting(desk, 4);
        let listed = desk.home.run(&format!("changes --csv --channel {kind} --field address")).exits(0).stdout;
        assert_eq!(listed.lines().count(), 5, "{kind}: {listed}");
        assert!(listed.starts_with("order,number,status,field,yours,channels\n"), "{kind}: {listed}");
        // One is taken out, and one changes again before the file comes back.
        let kept: Vec<&str> = listed.lines().filter(|line| !line.contains(&format!(":{},", ids[3]))).collect();
        desk.store.set_clock(1);
        assert!(desk.store.readdress(&ids[2], "9 Third Place"));
        desk.sync();
        let file = desk.home.file("waits.csv", &kept.join("\n"));
        let done = desk.home.run(&format!("accept --from {file}")).exits(3);
        done.says("is not what the file says any more").says("row 4").says("not read: number, status, yours");
        for (nth, is) in [true, true, false, false].into_iter().enumerate() {
            assert_eq!(is_moved(desk, &ids[nth]), is, "{kind}: {nth}");
        }
        assert_eq!(waits(desk).iter().map(|(_, fields)| fields).sum::<usize>(), 6, "{kind}: the notes wait still");

        let rows: Vec<String> = ids.iter().map(|id| format!("{id};{kind}")).collect();
        let text = format!("Order ID;Shop;Colour\n{};red\n{};\nnone;{kind};\n{};\n", rows[0], rows[1], rows[0]);
        let file = desk.home.file("ids.csv", &text);
        desk.home
            .run(&format!("reject --from {file}"))
            .exits(2)
            .says("no column \"Colour\"")
            .says("nothing was rejected");
        let done = desk.home.run(&format!("reject --from {file} --ignore Colour --json")).exits(3).json();
        let told: Vec<_> =
            done.as_array().unwrap().iter().map(|one| (one["row"].clone(), one["state"].clone())).collect();
        let expected = [(2, "rejected"), (3, "rejected"), (4, "not-rejected"), (5, "already")];
        assert_eq!(told, expected.map(|(row, state)| (json!(row), json!(state))), "{kind}: {done}");
        assert_eq!(waits(desk).len(), 2, "{kind}");
        assert_eq!(desk.writes(), 0, "{kind}: P-7");
    });
}

/// What cannot be told for sure stops all of the file before the first order.
#[test]
fn p2_a_file_that_can_be_read_in_two_ways_decides_about_nothing() {
    each(|desk| {
        let (kind, ids) = (desk.kind, waiting(desk, 2));
        let [a, b] = [0, 1].map(|nth| format!("{kind}:{}", ids[nth]));
        for (text, told) in [
            (format!("order,field\n{a},address\n{b},colour\n"), "row 3 has \"colour\" under field"),
            (format!("order,field\n{a},address\n{b},notes\n{a},\n"), "only one of the two names a field"),
            (format!("order,by\n{a},\n{b},me\n"), "it takes book or channel"),
            (format!("order\n{a}\n1.2E+15\n"), "which a spreadsheet has shortened"),
            (format!("order\n{a}\n\"{b}\n"), "never closed"),
            (format!("number\n{a}\n"), "no column is called order"),
            (format!("order,channels\n{a},x\n"), "none that says of which field"),
            ("order\n".to_owned(), "it holds no row"),
        ] {
            let file = desk.home.file("bad.csv", &text);
            desk.home.run(&format!("accept --from {file}")).exits(2).says(told).says("nothing was accepted");
        }
        assert_eq!(waits(desk).len(), 2, "{kind}");
        let fields = desk.home.file("fields.csv", &format!("order,field\n{a},address\n{b},address\n{a},notes\n"));
        desk.home.run(&format!("accept --from {fields}")).exits(0);
        assert_eq!(waits(desk), [(ids[1].clone(), 1)], "{kind}");
        let history = desk.show(&ids[0])["history"].to_string();
        assert_eq!(
            history.matches("\"accepted\"").count(),
            1,
            "{kind}: with the last field it is the whole: {history}"
        );
    });
}

/// Of each order one wins, and the other is told.
#[test]
fn p2_of_two_files_that_accept_and_reject_the_same_at_once_each_order_has_one_word() {
    each(|desk| {
        let (kind, ids) = (desk.kind, waiting(desk, 6));
        let rows: Vec<String> = ids.iter().map(|id| format!("{kind}:{id}")).collect();
        let file = desk.home.file("all.csv", &format!("order\n{}\n", rows.join("\n")));
        let running = ["accept", "reject"].map(|act| desk.home.spawn(&format!("{act} --from {file} --json"), &[]));
        let [accepted, rejected] = running.map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(matches!(output.status.code(), Some(0 | 3 | 6 | 7)), "{kind}: {output:?}");
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        });
        for (nth, id) in ids.iter().enumerate() {
            let (yes, no) = (&accepted[nth], &rejected[nth]);
            let is_accepted = yes["state"] == "accepted";
            assert_eq!(is_moved(desk, id), is_accepted, "{kind}: {yes} {no}");
            if is_accepted && no["state"] == "rejected" {
                assert!(!yes["had_rejected"].as_array().unwrap().is_empty(), "{kind}: in silence: {yes} {no}");
            }
            assert!(is_accepted || no["state"] == "rejected", "{kind}: {yes} {no}");
        }
        desk.home.run("doctor --offline").exits(0);
    });
}

#[test]
fn p2_what_is_rejected_is_told_with_both_versions() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.ship_elsewhere(&id, "DHL", "JD01"));
        desk.sync();
        desk.on("reject", &id, "").exits(0).prints("  shipped: not shipped (the channel: shipped");
    });
}
