//! Walks through orders that change, share a second, or are given otherwise than was asked for:
//! none is lost or doubled, and what is read is not read again and again.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{TimeDelta, Utc};
use ordersync::sim::{Exchange, FaultKind, Purchase, Question};

use super::desk::{Desk, each, each_kind, each_variant};
use super::setups::peculiar;

/// Changes something in the store before every list of orders, so often: the rows shift and change
/// between the pages.
fn restless(desk: &Desk, changes: u64) {
    let (method, list) = desk.store.asks(Question::Orders).unwrap();
    let done = AtomicU64::new(0);
    desk.store.interrupt(Box::new(move |request, store| {
        let is_list = request.method == method && request.target().contains(list);
        if !is_list || done.load(Ordering::SeqCst) >= changes {
            return;
        }
        let turn = done.fetch_add(1, Ordering::SeqCst) as usize;
        let ids = store.ids();
        let nth = |n: usize| &ids[n * 7 % ids.len()];
        store.readdress(nth(turn), &format!("{turn} Long Road"));
        (1..4).for_each(|more| _ = store.touch(nth(turn + more)));
        store.place(&Purchase::of(&[("MUG-9", 1)]));
        store.hold(nth(turn + 4));
    }));
}

#[test]
fn i3_nothing_is_lost_or_doubled_while_orders_change_between_pages() {
    each_variant(|desk, what| {
        let two_syncs = |changes: u64| {
            restless(desk, changes);
            desk.home.run("sync").exits(0);
            desk.store.interrupt(Box::new(|_, _| ()));
            desk.home.run("sync").exits(0);
        };
        desk.store.seed(50, Utc::now() - TimeDelta::days(2), Utc::now() - TimeDelta::minutes(5));
        two_syncs(20);
        // All of them in one second.
        desk.store.ids().iter().for_each(|id| assert!(desk.store.touch(id)));
        two_syncs(10);
        desk.settle();
        desk.home.run("sync").exits(0);
        desk.assert_converged(what);
    });
}

#[test]
fn i3_many_orders_of_one_second_are_all_read() {
    each_variant(|desk, what| {
        let at = Utc::now() - TimeDelta::hours(2);
        let ids: Vec<String> = (0..44).map(|_| desk.store.place(&Purchase::of(&[("TEE-001", 1)]).at(at))).collect();
        ids.iter().for_each(|id| assert!(desk.store.redate(id, at)));
        desk.sync();
        assert_eq!(desk.orders(), 44, "{what}");
        // A wave of changes, met by a sync that goes on from its position.
        let at = Utc::now();
        for id in &ids {
            assert!(desk.store.annotate(id, "please ring twice") && desk.store.redate(id, at));
        }
        let report = desk.sync();
        assert_eq!((&report["changed"], &report["failed"]), (&44.into(), &0.into()), "{what}: {report}");
        assert_eq!(desk.orders(), 44, "{what}");
    });
}

/// A bulk edit gives hundreds of orders one time; each walk begins a little before the last one's
/// end, and may meet them again and again.
#[test]
fn q2_hundreds_of_orders_of_one_second_are_not_read_again_at_every_sync() {
    each_kind(|kind| {
        let desk = Desk::empty(kind);
        desk.connect("").exits(0);
        let at = Utc::now() - TimeDelta::seconds(20);
        let ids: Vec<String> = (0..220).map(|_| desk.store.place(&Purchase::of(&[("TEE-001", 1)]))).collect();
        ids.iter().for_each(|id| assert!(desk.store.redate(id, at)));
        assert_eq!(desk.sync()["new"], 220, "{kind}");
        desk.sync();
        desk.server.clear_requests();
        desk.sync();
        let asked: Vec<String> = desk.server.requests().iter().map(Exchange::name).collect();
        // The page itself, or what tells that it has nothing new, and a count to be sure of it.
        assert!(asked.len() <= 2, "{kind}: {asked:?}");
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.server.clear_requests();
        assert_eq!(desk.sync()["new"], 1, "{kind}");
        assert!(desk.server.requests().len() <= 6, "{kind}: {}", desk.server.requests().len());
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{kind}");
    });
}

#[test]
fn i3_an_order_that_is_dated_in_the_future_holds_up_no_other() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let future = Utc::now() + TimeDelta::days(400);
        assert!(desk.store.redate(&id, future));
        desk.sync();
        let late = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).at(future));
        desk.sync();
        let new = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.sync();
        for id in [&late, &new] {
            assert_eq!(desk.show(id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        }
    });
}

#[test]
fn i3_a_store_that_gives_fewer_orders_than_asked_for_is_read_to_its_end() {
    for (rows, orders) in [(10, 54), (33, 54), (25, 420)] {
        each_kind(|kind| {
            let desk = Desk::empty(kind);
            desk.store.seed(orders, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
            desk.connect("").exits(0);
            desk.server.faults().add(desk.list_fault(FaultKind::PageCap(rows)).always());
            desk.sync();
            // As many at once as no page holds, met by a sync that goes on.
            (0..30).for_each(|_| _ = desk.store.place(&Purchase::of(&[("TEE-001", 1)])));
            desk.sync();
            let there = desk.store.ids().iter().filter(|id| desk.store.is_listed(id)).count();
            assert_eq!(desk.orders(), there, "{kind}: {rows} rows, {orders} orders");
            let one = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
            desk.sync();
            assert_eq!(desk.show(&one)["status"], "awaiting-fulfillment", "{kind}: {rows} rows");
        });
    }
}

/// A plugin, a proxy or the vendor may permit smaller pages than before. What fits is known to the
/// next sync as well, and what is refused for another reason is not asked for in ever smaller ones.
#[test]
fn i3_a_store_that_refuses_pages_as_large_as_those_asked_for_is_read_in_smaller_ones() {
    each_kind(|kind| {
        if peculiar(kind).prices_queries {
            return;
        }
        let desk = Desk::empty(kind);
        desk.store.seed(230, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        desk.connect("--set page_size=100").exits(0);
        desk.server.faults().add(desk.list_fault(FaultKind::PageRefused(40)).always());
        desk.sync();
        let there = desk.store.ids().iter().filter(|id| desk.store.is_listed(id)).count();
        assert_eq!(desk.orders(), there, "{kind}");
        let new = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.server.clear_requests();
        desk.sync();
        assert_eq!(desk.show(&new)["status"], "awaiting-fulfillment", "{kind}");
        assert_eq!(
            desk.lists().iter().filter(|asked| asked.status == Some(400)).count(),
            0,
            "{kind}: what fits is known"
        );
        desk.home.run("connect --test").exits(0);
        desk.server.faults().clear();
        let refused = FaultKind::Says(400, "Unsupported parameter".to_owned());
        desk.server.faults().add(desk.list_fault(refused).always());
        desk.server.clear_requests();
        desk.home.run("sync").exits(1);
        let asked = desk.lists().len();
        assert!(asked <= 2 * (1 + desk.walks()), "{kind}: {asked} questions, all of them refused");
    });
}

/// A cache or a plugin that drops the query brings the whole shop instead of what is new.
#[test]
fn i3_a_store_that_ignores_what_it_is_asked_moves_no_position_and_brings_nothing() {
    each(|desk| {
        desk.paid(&[("TEE-001", 1)]);
        let position = || desk.home.sql("SELECT walk || position FROM cursors ORDER BY walk");
        let (before, orders) = (position(), desk.orders());
        desk.store.seed(60, Utc::now() - TimeDelta::days(400), Utc::now() - TimeDelta::days(300));
        let new = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.server.clear_requests();
        desk.server.faults().add(desk.list_fault(FaultKind::Deaf(Vec::new())).always());
        desk.home.run("sync").exits(1);
        assert!(desk.server.requests().len() < 60, "{}: {}", desk.kind, desk.server.requests().len());
        assert_eq!((position(), desk.orders()), (before, orders), "{}", desk.kind);
        desk.server.faults().clear();
        desk.sync();
        assert_eq!(desk.show(&new)["status"], "awaiting-fulfillment", "{}", desk.kind);
    });
}
