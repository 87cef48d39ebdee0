//! What a simulated store can be told works on every kind of store.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, TimeZone, Utc};

use super::*;
use crate::clock::ManualClock;
use crate::sim::{Lack, Simulated, rehearsal};

/// One store of every kind.
fn stores() -> Vec<Arc<dyn Simulated>> {
    let clock = Arc::new(ManualClock::at(Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()));
    ChannelKind::ALL.into_iter().map(|kind| rehearsal(kind, clock.clone(), Duration::ZERO)).collect()
}

fn two_lines() -> Purchase {
    Purchase::of(&[("TEE-001", 2), ("MUG-9", 1)])
}

/// The document after a control that must have changed it.
fn changed(store: &Arc<dyn Simulated>, id: &str, act: impl FnOnce(&str) -> bool) -> String {
    let before = store.document(id).unwrap().to_string();
    assert!(act(id), "{}", store.kind());
    let after = store.document(id).unwrap().to_string();
    assert_ne!(before, after, "{}", store.kind());
    after
}

#[test]
fn every_change_of_an_order_shows_in_its_document_on_every_kind() {
    for store in stores() {
        let fresh = || store.place(&two_lines());
        changed(&store, &fresh(), |id| store.cancel(id));
        changed(&store, &fresh(), |id| store.unpay(id));
        changed(&store, &store.place(&two_lines().unpaid()), |id| store.pay(id));
        if !store.lacks(Lack::Holds) {
            changed(&store, &fresh(), |id| store.hold(id));
        }
        if !store.lacks(Lack::Archive) {
            changed(&store, &fresh(), |id| store.put_away(id));
        }
        changed(&store, &fresh(), |id| store.refund(id, "1.00"));
        changed(&store, &fresh(), |id| store.refund_pieces(id, 0, 1));
        changed(&store, &fresh(), |id| store.remove_line(id, 1));
        let noted = changed(&store, &fresh(), |id| store.annotate(id, "ring twice"));
        assert!(noted.contains("ring twice"), "{}", store.kind());
        let moved = changed(&store, &fresh(), |id| store.readdress(id, "99 New Road"));
        assert!(moved.contains("99 New Road"), "{}", store.kind());
    }
}

#[test]
fn nothing_of_a_buyer_is_left_when_they_are_erased() {
    for store in stores() {
        let id = store.place(&two_lines().street("77 Home Road"));
        let gone = changed(&store, &id, |id| store.erase_buyer(id));
        assert!(!gone.contains("77 Home Road") && !gone.contains("@example.test"), "{}: {gone}", store.kind());
    }
}

#[test]
fn parcels_are_sent_in_parts_get_other_numbers_and_are_undone() {
    for store in stores() {
        let id = store.place(&two_lines());
        let parts = !store.lacks(Lack::Parts);
        assert_eq!(store.ship_pieces(&id, 0, 1, "DHL", "JD01"), parts, "{}", store.kind());
        if parts {
            let standing = store.standing(&id).unwrap();
            assert_eq!((standing.shipped, standing.sent, standing.parcels.len()), (false, 1, 1), "{}", store.kind());
            assert!(store.retrack(&id, "JD01", "JD02") && !store.retrack(&id, "JD01", "JD03"), "{}", store.kind());
            assert_eq!(store.standing(&id).unwrap().parcels[0].1, "JD02", "{}", store.kind());
        }
        assert!(store.ship_elsewhere(&id, "UPS", "1Z01"), "{}", store.kind());
        assert!(store.retrack(&id, "1Z01", "1Z02"), "{}", store.kind());
        let standing = store.standing(&id).unwrap();
        assert!(standing.shipped && standing.parcels.iter().any(|(_, number)| number == "1Z02"), "{}", store.kind());
        assert!(store.undo_shipments(&id), "{}", store.kind());
        let standing = store.standing(&id).unwrap();
        assert_eq!((standing.shipped, standing.sent, standing.parcels.len()), (false, 0, 0), "{}", store.kind());
    }
}

#[test]
fn every_kind_tells_of_stock_and_money_that_went_back() {
    for store in stores() {
        let id = store.place(&two_lines());
        assert!(store.refund_pieces(&id, 0, 1) && store.cancel(&id), "{}", store.kind());
        let standing = store.standing(&id).unwrap();
        let stock = if store.lacks(Lack::RefundedPieces) { 3 } else { 2 };
        assert_eq!((standing.restocked, standing.refunded), (stock, cents(1290)), "{}: {standing:?}", store.kind());
        assert_eq!(standing.dispatch_mails, 0, "{}", store.kind());
    }
}

#[test]
fn orders_that_nobody_knows_change_nothing() {
    for store in stores() {
        let count = store.counters().orders;
        let asked = [store.pay("7"), store.cancel("7"), store.hold("7"), store.put_away("7"), store.touch("x")];
        assert_eq!(asked, [false; 5], "{}", store.kind());
        assert!(!store.ship_elsewhere("7", "DHL", "1") && !store.refund("7", "1") && !store.remove_line("7", 0));
        assert_eq!(store.counters().orders, count);
    }
}

#[test]
fn what_is_made_up_is_the_same_every_time_and_cheap_until_somebody_looks() {
    let read = |store: &Arc<dyn Simulated>| -> Vec<Value> {
        let from = Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap();
        store.seed(200, from, from + TimeDelta::days(99));
        store.ids().iter().map(|id| store.document(id).unwrap()).collect()
    };
    for (one, other) in stores().iter().zip(&stores()) {
        assert!(read(one) == read(other), "{}", one.kind());
    }
}

#[test]
fn a_list_keeps_to_its_bounds_and_goes_on_behind_a_row() {
    let clock = Arc::new(ManualClock::at(Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()));
    let shop = crate::sim::bigcommerce::Shop::demo(crate::sim::bigcommerce::Options::default(), clock);
    let row = |by: By, entry: &Entry<_>| match by {
        By::Id => (0, entry.id),
        By::Created => (entry.created, entry.id),
        By::Modified => (entry.seen, entry.id),
    };
    let rows = |query: Query| -> Vec<(i64, u64)> { shop.lock().find(query).map(|one| row(query.by, one)).collect() };
    for (by, descending) in [(By::Id, false), (By::Created, false), (By::Modified, false), (By::Modified, true)] {
        let query = Query { by, descending, ..Query::default() };
        let all = rows(query);
        assert!(all.len() == 40 && all.is_sorted_by(|one, next| if descending { one > next } else { one < next }));
        let rest = rows(Query { behind: Some(all[16]), ..query });
        assert_eq!(rest, all[17..]);
    }
    let all = rows(Query { by: By::Modified, ..Query::default() });
    let (from, to) = (all[10].0, all[20].0);
    let inside = rows(Query { by: By::Modified, modified: (from, to), ..Query::default() });
    assert!(inside.iter().all(|(at, _)| (from..=to).contains(at)) && inside.len() >= 11);
    assert!(rows(Query { modified: (to, from - 1), ..Query::default() }).is_empty());
}
