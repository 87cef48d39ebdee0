//! What an import brings: every order once, its sums, and where the next one goes on.

use chrono::{TimeDelta, Utc};
use ordersync::channel::ChannelKind;
use ordersync::sim::{Exchange, Purchase};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::desk::{Desk, each, each_kind};

#[test]
fn i3_i7_p7_a_first_sync_brings_every_order_once_and_writes_nothing() {
    each(|desk| {
        desk.store.seed(320, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        let first = desk.sync();
        let number = |report: &Value, key: &str| report[key].as_u64().unwrap();
        assert_eq!(
            number(&first, "fetched"),
            number(&first, "new") + number(&first, "changed") + number(&first, "unchanged") + number(&first, "failed")
        );
        assert_eq!(number(&first, "failed"), 0, "{first}");
        let known: Vec<String> = desk.home.sql("SELECT remote_id FROM orders ORDER BY remote_id");
        let mut distinct = known.clone();
        distinct.dedup();
        assert_eq!(known.len(), distinct.len(), "{}: doubled", desk.kind);
        let there = desk.store.ids();
        assert!(known.iter().all(|id| there.contains(id)), "{}: invented", desk.kind);
        assert!(known.len() >= 340, "{}: only {} of {}", desk.kind, known.len(), there.len());
        let second = desk.sync();
        assert_eq!((number(&second, "new"), number(&second, "changed")), (0, 0), "{second}");
        assert!(desk.store.cancel(&known[0]) && desk.store.readdress(&known[1], "77 Somewhere Else"));
        for words in ["sync", "sync --full", "sync --since 1d", "connect --test", "doctor", "status", "sync --dry-run"]
        {
            desk.home.run(words).done();
        }
        assert_eq!(desk.writes(), 0, "{}: importing wrote", desk.kind);
    });
}

/// Number, total, tax included, tax, lines, charges (with the tax on them where prices include it)
/// of every order in the book.
const SUMS: &str = "SELECT o.number || '|' || o.total || '|' || o.prices_include_tax || '|' || o.tax_total || '|'
  || coalesce((SELECT group_concat(total) FROM lines WHERE order_id = o.id), '') || '|'
  || coalesce((SELECT group_concat(amount || CASE WHEN o.prices_include_tax THEN ',' || tax ELSE '' END) FROM charges
               WHERE order_id = o.id AND kind IN ('shipping', 'fee', 'other')), '') FROM orders o ORDER BY o.id";

fn assert_adds_up(row: &str) {
    let amount = |text: &str| text.parse::<Decimal>().unwrap();
    let sum = |list: &str| list.split(',').filter(|text| !text.is_empty()).map(amount).sum::<Decimal>();
    let [number, total, inclusive, tax, lines, charges] = row.split('|').collect::<Vec<_>>().try_into().unwrap();
    let tax = if inclusive == "1" { Decimal::ZERO } else { amount(tax) };
    assert_eq!(sum(lines) + sum(charges) + tax, amount(total), "order {number}: {row}");
}

#[test]
fn f7_the_parts_of_every_order_add_up_to_its_total() {
    each(|desk| {
        desk.store.seed(400, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 3), ("MUG-9", 1)]));
        assert!(desk.store.refund(&id, "5.00"));
        let gone = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        assert!(desk.store.cancel(&gone));
        desk.sync();
        let orders = desk.home.sql(SUMS);
        assert!(orders.len() >= 400, "{}: {}", desk.kind, orders.len());
        orders.iter().for_each(|row| assert_adds_up(row));
        let unexplained = desk
            .home
            .sql("SELECT order_id || ': ' || amount FROM charges WHERE kind = 'other' AND title <> 'Rounding'");
        assert_eq!(unexplained, [""; 0], "{}: a part that the mapping does not know", desk.kind);
    });
}

#[test]
fn q2_a_sync_with_nothing_new_is_one_request_and_one_for_each_list_beside() {
    each(|desk| {
        desk.sync();
        desk.sync();
        desk.server.clear_requests();
        let requests = &desk.sync()["requests"];
        let sent: Vec<String> = desk.server.requests().iter().map(Exchange::name).collect();
        assert_eq!(requests, 1 + desk.capabilities().beside, "{}: {sent:?}", desk.kind);
        desk.home.run("sync").exits(0).silent();
    });
}

#[test]
fn i2_an_unpaid_order_is_imported_and_follows_the_channel_until_it_is_paid() {
    each(|desk| {
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).unpaid());
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "awaiting-payment", "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(6);
        assert!(desk.store.pay(&id));
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
    });
}

#[test]
fn f4_orders_placed_while_the_shops_clock_was_set_back_are_read_and_it_is_told() {
    each(|desk| {
        desk.paid(&[("TEE-001", 1)]);
        desk.store.set_clock(-14);
        let back: Vec<String> = (0..2).map(|_| desk.store.place(&Purchase::of(&[("TEE-001", 1)]))).collect();
        let told = desk.home.run("sync -v").exits(0);
        assert!(told.stderr.contains("ahead of the shop's own clock"), "{}: {told:?}", desk.kind);
        for id in &back {
            assert_eq!(desk.show(id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        }
        let told = desk.home.run("sync -v").exits(0);
        assert!(!told.stderr.contains("clock"), "{}: told once: {told:?}", desk.kind);
        desk.store.set_clock(0);
        let right = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.sync();
        assert_eq!(desk.show(&right)["status"], "awaiting-fulfillment", "{}", desk.kind);
    });
}

#[test]
fn i3_what_changes_after_the_shops_clock_was_set_right_is_seen_and_keeps_a_dispatch_back() {
    each(|desk| {
        let ids: Vec<String> = (0..3).map(|_| desk.store.place(&Purchase::of(&[("TEE-001", 1)]))).collect();
        desk.sync();
        desk.store.set_clock(14);
        assert!(ids.iter().all(|id| desk.store.touch(id)));
        desk.sync();
        desk.store.set_clock(0);
        assert!(ids.iter().all(|id| desk.store.readdress(id, "77 Somewhere Else")));
        let before = desk.writes();
        desk.on("dispatch", &ids[0], "--carrier dhl --tracking JD01").exits(6);
        assert_eq!(desk.writes(), before, "{}", desk.kind);
        desk.on("pull", &ids[1], "").exits(0);
        assert_eq!(desk.show(&ids[1])["changed_at_channel"], true, "{}", desk.kind);
        desk.sync();
        assert_eq!(desk.show(&ids[2])["changed_at_channel"], true, "{}", desk.kind);
        for id in &ids {
            desk.on("accept", id, "").exits(0);
            assert!(desk.show(id)["ship_to"].to_string().contains("77 Somewhere Else"), "{}", desk.kind);
        }
        desk.sync();
        assert_eq!(desk.home.json("changes"), json!([]), "{}", desk.kind);
    });
}

#[test]
fn pull_reads_one_order_now_and_knows_when_there_is_none() {
    each(|desk| {
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 3)]));
        desk.home.run(&format!("pull {}:{id}", desk.kind)).exits(0);
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        desk.home.run(&format!("pull {}:99999999", desk.kind)).exits(7);
        desk.home.run(&format!("pull {}:../../x", desk.kind)).exits(7);
    });
}

#[test]
fn a_rehearsal_of_several_stores_stands_in_nobodys_way() {
    let desks: Vec<Desk> = ChannelKind::ALL.map(Desk::unconnected).into();
    let (first, others) = desks.split_first().unwrap();
    first.connect("").exits(0);
    for other in others {
        first.connect_also(other, other.kind.word());
    }
    for desk in &desks {
        desk.store.seed(300, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
    }
    for _ in 0..2 {
        let report = first.home.json("sync --dry-run");
        for store in report["stores"].as_array().unwrap() {
            assert!(store["error"].is_null() && store["new"].as_u64().unwrap() > 200, "{report}");
        }
    }
    assert_eq!(first.home.sql("SELECT count(*) FROM orders"), ["0"]);
    first.home.run("sync").exits(0);
}

/// Where our clock is ahead, the time since the newest change seems longer than it is.
#[test]
fn f4_a_clock_that_is_ahead_of_the_store_s_loses_no_order_that_shows_late() {
    each_kind(|kind| {
        let desk = Desk::new(kind);
        let behind = desk.capabilities().overlap.as_secs() as i64 / 60 + 5;
        desk.store.set_clock(-behind);
        desk.sync();
        let newest = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        (0..3).for_each(|_| drop(desk.sync()));
        assert_eq!(desk.show(&newest)["remote_id"], json!(newest));
        let before = Utc::now() - TimeDelta::minutes(behind) - TimeDelta::seconds(5);
        let late = desk.store.place(&Purchase { at: Some(before), ..Purchase::of(&[("TEE-001", 1)]) });
        desk.sync();
        desk.home.run(&format!("show {kind}:{late}")).exits(0);
    });
}
