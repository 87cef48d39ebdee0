//! `orders`: the lists of a morning, and the search.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use chrono::{TimeDelta, Utc};
use ordersync::sim::woocommerce::{Address, NewOrder};
use serde_json::{Value, json};
use support::woo::Rig;

/// The numbers in the book of what a list has, the oldest first.
fn list(rig: &Rig, words: &str) -> Vec<u64> {
    let rows = rig.home.json(&format!("orders {words}"));
    let id = |row: &Value| row["order"].as_str().unwrap().parse().unwrap();
    let mut ids: Vec<u64> = rows.as_array().unwrap().iter().map(id).collect();
    ids.sort_unstable();
    ids
}

/// One order of each kind: 1 and 2 are to be sent, 3 is a test order, 4 was given back, 5 needs no
/// parcel, 6 is on hold, 7 is not paid.
fn rig() -> (Rig, Vec<u64>) {
    let rig = Rig::new();
    let tee = || NewOrder::paid().line("TEE-001", 1);
    let orders = [tee(), tee(), tee(), tee(), NewOrder::paid().only_virtual(), tee().status("on-hold"), tee().unpaid()];
    let ids: Vec<u64> = orders.into_iter().map(|order| rig.shop.place_order(order)).collect();
    let total = rig.shop.order_json(ids[3]).unwrap()["total"].as_str().unwrap().to_owned();
    rig.shop.refund(ids[3], &total, "").unwrap();
    rig.sync();
    rig.home.sql("UPDATE orders SET test = 1 WHERE id = 3");
    rig.home.sql("UPDATE orders SET status = 'on-hold' WHERE id = 6");
    (rig, ids)
}

#[test]
fn what_is_to_be_sent_is_one_rule_in_lists_counts_and_views() {
    let (rig, _) = rig();
    assert_eq!(list(&rig, "--to-send"), [1, 2]);
    assert_eq!(list(&rig, "--status awaiting-fulfillment"), [1, 2]);
    assert_eq!(list(&rig, "--held"), [6]);
    assert_eq!(rig.home.sql("SELECT id FROM v_orders WHERE to_send ORDER BY id"), ["1", "2"]);
    let status = rig.home.json("status");
    assert_eq!(status["to_send"], 2);
    assert_eq!(status["left_out"], json!({ "test": 1, "given-back": 1, "no-parcel": 1 }), "{status}");
    let told = "left out: 1 is a test order, 1 was given back in full, 1 needs no parcel";
    for words in ["orders --to-send", "orders --to-send --json", "orders --status awaiting-fulfillment --csv"] {
        rig.home.run(words).exits(0).says(told);
    }
    rig.home.run("orders --to-send --since 1h --search tee-001").exits(0).says("left out: 1 is a test order, 1 was");
    rig.home.run("-q orders --to-send").exits(0).without("left out");
    rig.home.run("status").exits(0).prints("2 sales to send").prints("1 needs no parcel");
    let rows = rig.home.json("orders");
    let why: Vec<_> = rows.as_array().unwrap().iter().rev().map(|row| row["left_out"].clone()).collect();
    assert_eq!(
        why,
        [json!(null), json!(null), json!("test"), json!("given-back"), json!("no-parcel"), json!(null), json!(null)]
    );
}

#[test]
fn a_test_order_is_late_nowhere() {
    let (rig, _) = rig();
    rig.home.sql("UPDATE orders SET placed_at = placed_at - 864000000");
    assert_eq!(list(&rig, "--late"), [1, 2]);
    assert_eq!(rig.home.json("status")["stores"][0]["late"], 2);
    assert_eq!(list(&rig, "--today"), [0u64; 0]);
    rig.home.run("orders --today").exits(0).says("late from earlier days: 2 orders (ordersync orders --late)");
    rig.home.run("config set woocommerce.ship_within 60d").exits(0);
    assert_eq!(list(&rig, "--late"), [0u64; 0]);
    rig.home.run("config set woocommerce.ship_within 10d").exits(0);
    assert_eq!((list(&rig, "--late"), list(&rig, "--today")), (vec![], vec![1, 2]));
    rig.home.run("config set woocommerce.ship_within soon").exits(2);
}

#[test]
fn a_promised_moment_counts_on_the_day_of_the_shop() {
    let (rig, _) = rig();
    let now = Utc::now().timestamp_millis();
    // The shop's clock is so that its day ends in two hours.
    let seconds = 86_400 - 7200 - now / 1000 % 86_400;
    rig.home.sql("DELETE FROM zone_offsets");
    rig.home.sql(&format!("INSERT INTO zone_offsets VALUES (1, 0, {seconds})"));
    let hours = |n: i64| now + n * 3_600_000;
    rig.home.sql(&format!("UPDATE orders SET ship_by = {} WHERE id = 1", hours(1)));
    rig.home.sql(&format!("UPDATE orders SET ship_by = {} WHERE id = 2", hours(3)));
    assert_eq!((list(&rig, "--today"), list(&rig, "--late")), (vec![1], vec![]));
    rig.home.sql(&format!("UPDATE orders SET ship_by = {} WHERE id = 2", hours(-21)));
    assert_eq!((list(&rig, "--today"), list(&rig, "--late")), (vec![1, 2], vec![2]), "promised for this morning");
    rig.home.sql(&format!("UPDATE orders SET ship_by = {} WHERE id = 2", hours(-23)));
    assert_eq!((list(&rig, "--today"), list(&rig, "--late")), (vec![1], vec![2]), "for yesterday evening");
    rig.home.run("orders --late --today").exits(2);
}

#[test]
fn what_waits_for_a_word_is_a_list() {
    let (rig, ids) = rig();
    assert_eq!(list(&rig, "--review"), [0u64; 0]);
    rig.shop.cancel(ids[1]);
    rig.sync();
    assert_eq!(list(&rig, "--review"), [2]);
    assert_eq!(list(&rig, "--review --search TEE"), [2]);
    assert_eq!(list(&rig, "--review --search nobody"), [0u64; 0]);
    rig.home.run("reject 2").exits(0);
    assert_eq!(list(&rig, "--review"), [0u64; 0]);
}

#[test]
fn a_search_finds_what_a_merchant_has_of_an_order() {
    let rig = Rig::new();
    let address = |first: &str, last: &str, phone: &str, email: &str| Address {
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        company: "Blume & Töchter".to_owned(),
        postcode: "50667".to_owned(),
        country: "DE".to_owned(),
        phone: phone.to_owned(),
        email: email.to_owned(),
        ..Address::default()
    };
    let people = [
        address("José", "Größmann", "+49 170 1234567", "jose@acme-corp.example.test"),
        address("花子", "佐藤", "03-1234-5678", "hanako@mail.example.test"),
        address("أحمد", "الحسن", "0501234567", "ahmad@mail.example.test"),
        address("Ann", "O'Brien", "", "ann@mail.example.test"),
    ];
    for (nth, person) in people.into_iter().enumerate() {
        let order = NewOrder::paid().line(&format!("CUP-00{nth}"), 1).note(&format!("note {nth}: \"ring\" AND wait"));
        rig.shop.place_order(order.bill_to(person.clone()).ship_to(person));
    }
    rig.sync();
    let found = |text: &str| -> Vec<u64> {
        let done = rig.home.call(&["orders", "--json", "--search", text]).exits(0);
        let rows: Value = serde_json::from_str(&done.stdout).unwrap();
        rows.as_array().unwrap().iter().rev().map(|row| row["order"].as_str().unwrap().parse().unwrap()).collect()
    };
    for text in [
        "jose",
        "GROSSMANN José",
        "größ",
        "0170 123",
        "+49-170",
        "170 1234567",
        "@acme-corp",
        "jose@acme-corp.example.test",
        "cup-000",
        "CUP000",
    ] {
        assert_eq!(found(text), [1], "{text}");
    }
    for (text, order) in [
        ("花", 2),
        ("佐藤", 2),
        ("03-1234", 2),
        ("احمد", 3),
        ("الحسن", 3),
        ("obrien", 4),
        ("O’Brien", 4),
        ("brien ann", 4),
    ] {
        assert_eq!(found(text), [order], "{text}");
    }
    for text in ["blume", "tochter 50667", "\"ring\" AND wait", "ring*", "wait -", "50667"] {
        assert_eq!(found(text), [1, 2, 3, 4], "{text}");
    }
    for text in ["-jose ann", "jose OR ann", "NEAR(jose)", "藤佐", "\"", "*", "ann 0170"] {
        assert_eq!(found(text), [0u64; 0], "{text}");
    }
    assert_eq!(list(&rig, "--search blume --limit 2"), [3, 4], "the newest first");
    assert_eq!(list(&rig, "--search blume --status shipped"), [0u64; 0]);
}

#[test]
fn a_search_goes_by_the_order_as_it_is_now() {
    let rig = Rig::new();
    let person = |name: &str| Address {
        first_name: name.to_owned(),
        last_name: "Miller".to_owned(),
        street_1: "Hauptstr. 1".to_owned(),
        city: "Bonn".to_owned(),
        country: "DE".to_owned(),
        ..Address::default()
    };
    let order = NewOrder::paid().line("TEE-001", 1).bill_to(person("Ann")).ship_to(person("Ann"));
    let id = rig.shop.place_order(order.at(Utc::now() - TimeDelta::days(2)));
    rig.sync();
    assert_eq!(list(&rig, "--search ann"), [1]);
    rig.shop.edit_address(id, |address| address.first_name = "Zoë".to_owned());
    rig.sync();
    assert_eq!(list(&rig, "--search zoe"), [0u64; 0], "the copy stays as it was");
    rig.home.run("accept 1").exits(0);
    assert_eq!(list(&rig, "--search zoe"), [1]);
    rig.parcel(id, "JD014600000001").exits(0);
    assert_eq!(list(&rig, "--search JD0146"), [1]);
    let documents = "SELECT (SELECT count(*) FROM search_docsize) || ' ' || (SELECT count(*) FROM searched)";
    assert_eq!(rig.home.sql(documents), ["1 1"], "it is in the index once");
}
