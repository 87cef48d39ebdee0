//! The channel's list held against the book, both ways.

use chrono::{DateTime, TimeDelta, Utc};
use ordersync::sim::{Exchange, Fault, FaultKind, Purchase, Question};
use serde_json::{Value, json};

use super::desk::{Desk, each, each_kind};
use super::kills::{COMPARISON, at_every_passing};
use super::setups::asked;
use super::support::program::dies;

fn days_ago(days: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(days)
}

/// What `reconcile` finds of the desk's one store, with its exit code.
fn compared(desk: &Desk, more: &str) -> (Value, Option<i32>) {
    let done = desk.home.run(&format!("reconcile --since 25d --json {more}")).done();
    (done.json()["stores"][0].clone(), done.code)
}

/// The differences as pairs of order and word.
fn differences(store: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = store["differences"].as_array().unwrap();
    rows.iter().map(|row| (text(&row["remote_id"]), text(&row["difference"]))).collect()
}

/// A store of some orders, read whole.
fn read_whole(kind: ordersync::channel::ChannelKind, orders: u64) -> Desk {
    let desk = Desk::empty(kind);
    desk.store.seed(orders, days_ago(20), days_ago(1));
    desk.connect("").exits(0);
    desk.sync();
    desk.server.clear_requests();
    desk
}

/// Everything in the book that a sync goes by.
fn positions(desk: &Desk) -> Vec<String> {
    desk.home.sql(
        "SELECT walk || position || done || coalesce(looked_at, '') FROM cursors
         UNION ALL SELECT name || coalesce(last_sync_at, '') || coalesce(last_autosync_at, '') FROM stores",
    )
}

#[test]
fn a_book_that_says_what_the_channel_says_is_clean_and_stays_as_it_is() {
    each_kind(|kind| {
        let desk = read_whole(kind, 120);
        let content = "SELECT id || status || updated_at FROM orders UNION ALL SELECT order_id || role || updated_at FROM versions";
        let before = (positions(&desk), desk.home.sql(content));
        let (store, code) = compared(&desk, "");
        assert_eq!(
            (code, &store["differences"], &store["clean"]),
            (Some(0), &json!([]), &json!(true)),
            "{kind}: {store}"
        );
        assert_eq!(before, (positions(&desk), desk.home.sql(content)), "{kind}");
        assert_eq!(desk.writes(), 0, "{kind}");
        assert_eq!(desk.home.sql("SELECT count(*) FROM listed"), ["0"], "{kind}: nothing is left behind");
        let told = desk.home.run("reconcile --since 25d").exits(0);
        told.prints("no difference").says("request");
        desk.server.clear_requests();
        desk.home.run("sync --json").exits(0);
        assert!(asked(&desk) <= 2, "{kind}: a sync with nothing new stays one");
    });
}

#[test]
fn what_a_comparison_costs_is_known_before_and_is_what_it_costs() {
    each_kind(|kind| {
        for orders in [0, 1, 9, 40, 100, 101, 199, 200, 251, 500] {
            let desk = Desk::empty(kind);
            for nth in 0..orders {
                let at = days_ago(20) + TimeDelta::minutes(nth * 7);
                desk.store.place(&Purchase { at: Some(at), ..Purchase::of(&[("TEE-001", 1)]) });
            }
            for (nth, id) in desk.store.ids().iter().enumerate() {
                assert!(desk.store.redate(id, days_ago(20) + TimeDelta::minutes(nth as i64 * 7)));
            }
            desk.connect("").exits(0);
            desk.sync();
            desk.server.clear_requests();
            let plan = desk.home.run("reconcile --since 25d --dry-run --json").exits(0).json();
            let asked = desk.server.requests().iter().filter(|one| is_of_orders(one)).count();
            assert_eq!(asked, desk.walks(), "{kind}: a dry run counts, and asks no more");
            let (store, code) = compared(&desk, "");
            let told = format!("{kind}, {orders} orders: {store}");
            assert_eq!((code, &store["listed"]), (Some(0), &json!(orders)), "{told}");
            assert_eq!(store["requests"]["computed"], plan["stores"][0]["requests"]["computed"], "{told}");
            assert_eq!(store["requests"]["computed"], store["requests"]["listing"], "{told}");
            assert_eq!(store["requests"]["single"], 0, "{told}");
        }
    });
}

/// Not a fetch of a token.
fn is_of_orders(exchange: &Exchange) -> bool {
    !exchange.name().contains("oauth")
}

#[test]
fn an_order_that_the_book_lacks_is_found_also_with_an_old_time_and_a_pull_mends_it() {
    each_kind(|kind| {
        let desk = read_whole(kind, 60);
        let id = desk.store.place(&Purchase { at: Some(days_ago(9)), ..Purchase::of(&[("TEE-001", 1)]) });
        assert!(desk.store.redate(&id, days_ago(9)));
        desk.sync();
        assert!(desk.home.sql(&format!("SELECT id FROM orders WHERE remote_id = '{id}'")).is_empty(), "{kind}");
        let (store, code) = compared(&desk, "");
        assert_eq!((code, differences(&store)), (Some(3), vec![(id.clone(), "missing".into())]), "{kind}: {store}");
        desk.home.run("reconcile --since 25d").exits(3).prints(&format!("ordersync pull {kind}:{id}"));
        desk.on("pull", &id, "").exits(0);
        assert_eq!(compared(&desk, "").1, Some(0), "{kind}");
    });
}

#[test]
fn an_order_that_is_newer_at_the_channel_is_found_and_brought_with_the_flag() {
    each_kind(|kind| {
        let desk = read_whole(kind, 60);
        let id = desk.store.ids()[5].clone();
        assert!(desk.store.annotate(&id, "please ring twice"));
        assert!(desk.store.redate(&id, days_ago(2) - TimeDelta::hours(5)));
        let (store, code) = compared(&desk, "");
        assert_eq!((code, differences(&store)), (Some(3), vec![(id.clone(), "newer".into())]), "{kind}: {store}");
        let (store, code) = compared(&desk, "--pull");
        assert_eq!((code, &store["differences"][0]["mended"]), (Some(0), &json!(true)), "{kind}: {store}");
        assert_eq!(compared(&desk, "").1, Some(0), "{kind}");
        // A save that changes nothing moves the time alone.
        assert!(desk.store.touch(&id));
        assert!(desk.store.redate(&id, days_ago(2) - TimeDelta::hours(4)));
        assert_eq!(compared(&desk, "").1, Some(3), "{kind}");
        desk.on("pull", &id, "").exits(0);
        assert_eq!(compared(&desk, "").1, Some(0), "{kind}: the same, seen later, is known");
    });
}

#[test]
fn p8_an_order_that_the_channel_has_no_more_is_a_fact_of_it_and_is_never_deleted() {
    each_kind(|kind| {
        let desk = read_whole(kind, 60);
        let id = desk.paid(&[("TEE-001", 1)]);
        assert_eq!(desk.show(&id)["gone_at_channel_since"], Value::Null);
        assert!(desk.store.erase(&id));
        let (store, code) = compared(&desk, "--pull");
        assert_eq!((code, differences(&store)), (Some(3), vec![(id.clone(), "gone".into())]), "{kind}: {store}");
        assert!(desk.show(&id)["gone_at_channel_since"].is_string(), "{kind}");
        desk.on("show", &id, "--history").exits(0).prints("the channel has it no more").prints("gone at the channel");
        let later = desk.on("dispatch", &id, "--carrier dhl --tracking JD01 --later --as-local --force").exits(6);
        later.says("gone at the channel").says("--local");
        assert_eq!(desk.home.json("outbox --all"), json!([]), "{kind}");
        let (store, code) = compared(&desk, "");
        assert_eq!((code, differences(&store)), (Some(0), vec![]), "{kind}: known is no difference: {store}");
        assert_eq!(store["left_out"]["known_gone"], 1, "{kind}: and it is said each time: {store}");
        desk.sync();
        assert!(desk.show(&id)["gone_at_channel_since"].is_string(), "{kind}: a sync leaves it so");
    });
}

/// Another shop at the address, an emptied database: it has nothing of what it is asked for.
#[test]
fn p8_a_shop_that_answers_with_nothing_has_no_order_noted_as_gone() {
    each_kind(|kind| {
        for orders in [1, 40] {
            let desk = read_whole(kind, 0);
            for _ in 0..orders {
                desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
            }
            desk.sync();
            desk.store.ids().iter().for_each(|id| assert!(desk.store.erase(id)));
            let done = desk.home.run("reconcile --since all").exits(6);
            done.says("nothing was noted as gone").says("connect --test");
            assert_eq!(desk.home.sql("SELECT count(*) FROM gone"), ["0"], "{kind}");
            assert_eq!(desk.home.sql("SELECT count(*) FROM listed"), ["0"], "{kind}: nothing is left behind");
        }
    });
}

/// In a quiet week one order may be all that changed: that the shop is the same an older one tells.
#[test]
fn p8_the_only_order_of_a_time_may_be_gone_where_the_shop_has_older_ones() {
    each_kind(|kind| {
        let desk = read_whole(kind, 40);
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.sync();
        assert!(desk.store.erase(&id));
        let done = desk.home.run("reconcile --since 1h --json").done();
        let store = done.json()["stores"][0].clone();
        assert_eq!((done.code, differences(&store)), (Some(3), vec![(id, "gone".into())]), "{kind}: {store}");
    });
}

/// Ours is behind, so by it nothing has happened at the channel yet.
#[test]
fn f4_the_channels_clock_tells_which_orders_are_compared() {
    each_kind(|kind| {
        let desk = read_whole(kind, 0);
        desk.store.set_clock(12);
        for _ in 0..3 {
            desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        }
        desk.store.set_clock(14);
        desk.sync();
        let (store, code) = compared(&desk, "");
        assert_eq!((code, &store["listed"]), (Some(0), &json!(3)), "{kind}: {store}");
    });
}

#[test]
fn what_was_put_away_is_told_as_that_until_the_book_knows() {
    each(|desk| {
        if desk.store.asks(Question::PutAway).is_none() {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.put_away(&id));
        let (store, code) = compared(desk, "");
        assert_eq!(
            (code, differences(&store)),
            (Some(3), vec![(id.clone(), "put-away".into())]),
            "{}: {store}",
            desk.kind
        );
        assert_eq!(compared(desk, "--pull").1, Some(0), "{}", desk.kind);
        let (store, code) = compared(desk, "");
        assert_eq!((code, differences(&store)), (Some(0), vec![]), "{}: {store}", desk.kind);
    });
}

/// A plugin or a proxy takes an order out of every list; it is there all the same.
#[test]
fn an_order_that_the_list_leaves_out_is_not_told_as_gone() {
    each_kind(|kind| {
        let desk = read_whole(kind, 60);
        let id = desk.store.ids().into_iter().filter(|id| desk.store.is_listed(id)).nth(20).unwrap();
        desk.server.faults().add(Fault::new(FaultKind::Hidden(vec![id.clone()])).always());
        let (store, code) = compared(&desk, "");
        let found = differences(&store);
        assert_eq!(code, Some(3), "{kind}: {store}");
        assert!(found.contains(&(id.clone(), "unlisted".into())), "{kind}: {store}");
        assert!(found.iter().all(|(_, what)| what != "gone" && what != "missing"), "{kind}: {store}");
        assert_eq!(desk.show(&id)["gone_at_channel_since"], Value::Null, "{kind}");
    });
}

#[test]
fn what_changes_while_it_is_compared_and_what_the_next_sync_brings_is_no_difference() {
    each_kind(|kind| {
        let desk = read_whole(kind, 340);
        let ids = desk.store.ids();
        let fresh = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        let restless = ids.clone();
        let next = std::sync::atomic::AtomicUsize::new(0);
        desk.store.interrupt(Box::new(move |_, store| {
            let nth = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) * 37;
            restless.iter().cycle().skip(nth).take(3).for_each(|id| assert!(store.touch(id)));
            store.place(&Purchase::of(&[("MUG-9", 1)]));
        }));
        let (store, code) = compared(&desk, "");
        assert_eq!((code, differences(&store)), (Some(0), vec![]), "{kind}: {store}");
        assert!(store["left_out"].to_string().contains(|c: char| ('1'..='9').contains(&c)), "{kind}: {store}");
        desk.store.interrupt(Box::new(|_, _| ()));
        desk.sync();
        assert_eq!(desk.show(&fresh)["status"], "awaiting-fulfillment", "{kind}");
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has no crash points")]
fn f5_a_comparison_killed_at_every_page_goes_on_from_there() {
    each_kind(|kind| {
        let desk = read_whole(kind, 620);
        let id = desk.store.place(&Purchase { at: Some(days_ago(9)), ..Purchase::of(&[("TEE-001", 1)]) });
        assert!(desk.store.redate(&id, days_ago(9)));
        desk.sync();
        let (whole, _) = compared(&desk, "");
        let before = positions(&desk);
        let passed = at_every_passing(&COMPARISON, |point, nth| {
            let place = format!("{kind} {point}:{nth}");
            let done =
                desk.home.run("reconcile --since 25d").env("ORDERSYNC_CRASH_AT", &format!("{point}:{nth}")).done();
            if done.code.is_some() {
                return false;
            }
            assert_eq!(desk.home.sql("PRAGMA integrity_check"), ["ok"], "{place}");
            assert_eq!(before, positions(&desk), "{place}");
            // One whose list was complete begins anew: it may be old.
            let is_open = desk.home.sql("SELECT count(*) FROM comparison_walks WHERE NOT done")[0] != "0";
            let (store, code) = compared(&desk, "");
            assert_eq!(
                (code, differences(&store)),
                (Some(3), vec![(id.clone(), "missing".into())]),
                "{place}: {store}"
            );
            assert_eq!((&store["resumed"], &store["listed"]), (&json!(is_open), &whole["listed"]), "{place}");
            let (made, all) = (&store["requests"]["listing"], whole["requests"]["listing"].as_u64().unwrap());
            assert!(made.as_u64().unwrap() <= all, "{place}: a page is listed once: {made} of {all}");
            true
        });
        assert!(passed.iter().all(|times| *times >= 3), "{kind}: each page: {passed:?}");
        assert!(!dies(&desk.home, "sync", "before-listed", 1), "{kind}: a sync compares nothing");
    });
}

#[test]
fn i5_a_store_that_is_down_or_not_read_yet_costs_that_store() {
    each(|desk| {
        let done = desk.home.run("reconcile").exits(6);
        done.says("first sync").says(&format!("ordersync sync --channel {}", desk.kind));
        desk.sync();
        desk.server.faults().add(Fault::new(FaultKind::ServerError(502)).always());
        desk.home.run("reconcile").exits(5);
        desk.server.faults().clear();
        desk.server.faults().add(Fault::new(FaultKind::Unauthorized).always());
        desk.home.run("reconcile").exits(4).says("--reauth");
        desk.server.faults().clear();
        desk.home.run("reconcile").exits(0);
        let status = desk.home.json("status").to_string();
        assert!(!status.contains("502"), "{}: what a comparison met is no failed sync: {status}", desk.kind);
    });
}

#[test]
fn the_timer_compares_the_newest_orders_of_a_store_that_is_set_to_it_once_a_day() {
    each_kind(|kind| {
        let desk = read_whole(kind, 60);
        let autosync = || {
            desk.home.sql("UPDATE stores SET last_autosync_at = 0");
            desk.home.run("sync --autosync").exits(0);
        };
        let compared = || desk.home.sql("SELECT count(*) FROM runs WHERE kind = 'reconcile'")[0].clone();
        autosync();
        assert_eq!(compared(), "0", "{kind}: off by default");
        desk.set("reconcile=20");
        // Ids may say nothing of the age of orders.
        let newest = desk.home.sql("SELECT remote_id FROM orders ORDER BY updated_at DESC, placed_at DESC LIMIT 12");
        let id = newest.into_iter().filter(|id| desk.store.is_listed(id)).nth(5).unwrap();
        assert!(desk.store.erase(&id));
        autosync();
        autosync();
        assert_eq!(compared(), "1", "{kind}: once a day");
        let inbox = desk.home.json("inbox");
        let entry = inbox.as_array().unwrap().iter().find(|entry| entry["kind"] == "apart").unwrap();
        assert!(entry["text"].as_str().unwrap().contains("1 order"), "{kind}: {inbox}");
        assert!(desk.show(&id)["gone_at_channel_since"].is_string(), "{kind}");
        desk.home.run("reconcile --nightly").exits(0).silent();
        desk.home.sql("UPDATE stores SET last_nightly_at = last_nightly_at - 86400000");
        desk.home.run("reconcile --nightly").exits(0);
        assert_eq!(
            (compared().as_str(), desk.home.json("inbox")),
            ("2", json!([])),
            "{kind}: what is known is settled"
        );
        assert_eq!(desk.writes(), 0, "{kind}");
    });
}

/// A shop that answers "no such order" for a moment is believed until its list says otherwise.
#[test]
fn p8_an_order_that_is_listed_again_is_not_gone_also_with_the_same_time() {
    each_kind(|kind| {
        let desk = read_whole(kind, 60);
        let open = "SELECT remote_id FROM orders WHERE status = 'awaiting-fulfillment' AND ships AND NOT given_back AND NOT test";
        let open: Vec<String> = desk.home.sql(open).into_iter().filter(|id| desk.store.is_listed(id)).collect();
        let (id, to_send) = (&open[0], || desk.home.json("status"));
        let before = to_send()["to_send"].as_u64().unwrap();
        desk.home.sql(&format!("INSERT INTO gone SELECT id, 0 FROM orders WHERE remote_id = '{id}'"));
        let status = to_send();
        assert_eq!(
            (status["to_send"].as_u64(), &status["left_out"]["gone"]),
            (Some(before - 1), &json!(1)),
            "{kind}: what is gone there cannot be dispatched there: {status}"
        );
        let listed = desk.home.run("orders --to-send --limit 0 --json").exits(0);
        assert_eq!(listed.json().as_array().unwrap().len() as u64, before - 1, "{kind}");
        listed.says("gone at its channel");
        let (store, code) = compared(&desk, "");
        assert_eq!((code, &store["left_out"]["known_gone"]), (Some(0), &json!(0)), "{kind}: {store}");
        assert_eq!(desk.show(id)["gone_at_channel_since"], Value::Null, "{kind}");
        assert_eq!(to_send()["to_send"].as_u64(), Some(before), "{kind}");
        desk.on("show", id, "--history").exits(0).prints("there again");
    });
}

#[test]
fn a_nightly_comparison_that_fails_is_told_and_not_made_again_at_every_turn() {
    each_kind(|kind| {
        let desk = read_whole(kind, 20);
        desk.set("reconcile=10");
        desk.server.faults().add(Fault::new(FaultKind::Unauthorized).always());
        let compared = || desk.home.sql("SELECT count(*) FROM runs WHERE kind = 'reconcile'")[0].clone();
        desk.home.run("reconcile --nightly").exits(4);
        let told = || desk.home.json("inbox").to_string().contains("nightly comparison");
        assert!(told(), "{kind}: {}", desk.home.json("inbox"));
        desk.home.run("reconcile --nightly").exits(0);
        assert_eq!(compared(), "1", "{kind}: not again at once");
        desk.server.faults().clear();
        desk.home.sql("UPDATE stores SET nightly_failed_at = nightly_failed_at - 14400000");
        desk.home.run("reconcile --nightly").exits(0);
        assert_eq!((compared().as_str(), told()), ("2", false), "{kind}: {}", desk.home.json("inbox"));
    });
}
