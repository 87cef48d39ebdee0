use std::sync::{Condvar, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::*;
use crate::channel::keyset::{Bounds, Count, Dialect, Fetched};
use crate::error::Error;

/// A store of so many orders, the nth made and modified in the nth second. Its answers come once
/// as many questions are on their way as are expected to be.
struct Slow {
    dialect: Dialect,
    orders: u64,
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    /// Each question, and whether it was for a count alone.
    asked: Vec<(Query, bool)>,
    under_way: usize,
    at_once: usize,
    /// From the nth question on so many are waited for.
    expected: Vec<usize>,
}

const NOW: i64 = 1_000_000;

impl Slow {
    fn new(dialect: Dialect, orders: u64, expected: &[usize]) -> Self {
        let state = State { expected: expected.to_vec(), ..State::default() };
        Self { dialect, orders, state: Mutex::new(state), came: Condvar::new() }
    }

    /// Answers a question together with those that are expected beside it; alone where they do not
    /// come.
    fn ask(&self, query: &Query, counts: bool) {
        let mut state = self.state.lock().unwrap();
        let nth = state.asked.len();
        state.asked.push((query.clone(), counts));
        state.under_way += 1;
        state.at_once = state.at_once.max(state.under_way);
        self.came.notify_all();
        let expected = state.expected.get(nth).copied().unwrap_or(1);
        let waits = |state: &mut State| state.at_once < expected;
        let (mut state, _) = self.came.wait_timeout_while(state, Duration::from_secs(10), waits).unwrap();
        state.under_way -= 1;
    }

    fn plan(&self) -> Plan {
        plan(&self, &Range { since: None, until: None }).unwrap()
    }

    fn asked(&self) -> Vec<(Query, bool)> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

impl List for &Slow {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn now(&self) -> i64 {
        NOW
    }

    fn our_now(&self) -> i64 {
        NOW
    }

    fn size(&self) -> usize {
        100
    }

    fn at_most(&self, _: usize) {}

    fn fetch(&self, query: &Query, _: &Walk, _: u32) -> Result<Fetched> {
        panic!("no page is read: {query:?}")
    }

    fn first(&self, query: &Query, _: u32) -> Result<First> {
        self.ask(query, false);
        let behind = query.created.0.unwrap_or(0).unsigned_abs();
        let nth = if query.descending { self.orders } else { behind + 1 + query.offset };
        let row = (nth <= self.orders).then_some(Row { id: nth, at: nth as i64 });
        Ok(First { count: self.dialect.counts_with_pages.then_some(self.orders), row })
    }

    fn count(&self, query: &Query) -> Result<Option<u64>> {
        self.ask(query, true);
        Ok(Some(self.orders))
    }

    fn well(&self) -> Result<()> {
        Ok(())
    }

    fn odd(&self, why: &str) -> Error {
        Error::new(ErrorKind::Unreadable, why)
    }

    fn proof(&self, query: &Query) -> Result<Count> {
        panic!("no end is read: {query:?}")
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Extra {}

impl Lists for &Slow {
    type Extra = Extra;

    fn extra(&self, _: i64) -> Extra {
        Extra {}
    }

    fn overlap(&self) -> Duration {
        Duration::from_secs(20)
    }

    fn list(&self, _: Option<&str>) -> Box<dyn List + '_> {
        Box::new(*self)
    }

    fn places(&self) -> Box<dyn List + '_> {
        Box::new(*self)
    }

    fn changes(&self, _: &mut Extra, from: Option<i64>, _: i64) -> Walk {
        Walk::new(Key::Modified, from, None)
    }
}

/// As Magento's, BigCommerce's, WooCommerce's and Etsy's.
const BY_ID: Dialect =
    Dialect { bounds: Bounds::Inclusive, leaves_out: 0, above: true, counts_with_pages: true, farthest: None };
const ASKED: Dialect = Dialect { bounds: Bounds::Unknown, counts_with_pages: false, ..BY_ID };
const BY_TIME: Dialect = Dialect { bounds: Bounds::Exclusive, leaves_out: 200, above: false, ..BY_ID };
const BY_PLACE: Dialect = Dialect { bounds: Bounds::Unknown, above: false, farthest: Some(12_000), ..BY_ID };

/// What a first sync of a slow shop waits for before its pages are in flight.
#[test]
fn q5_what_a_first_sync_is_cut_by_is_asked_for_at_once_and_nothing_twice() {
    for (dialect, orders, expected, requests) in [
        // The newest with the count, then both ends.
        (BY_ID, 4_000, &[1, 2, 2][..], 3),
        // The count, then the newest and both ends.
        (ASKED, 4_000, &[1, 3, 3, 3], 4),
        (BY_TIME, 4_000, &[1, 3, 3, 3], 4),
        // Seven places between eight walks: whoever has an answer asks for the next one.
        (BY_TIME, 9_000, &[1, 4, 4, 4, 4], 8),
        // The newest, the farthest, and the other two places; of more orders those behind it.
        (BY_PLACE, 4_000, &[1, 1, 2, 2], 4),
        (BY_PLACE, 20_000, &[1, 1, 4, 4, 4, 4], 17),
        // A small shop is read in one walk, and asked for nothing else.
        (BY_ID, 300, &[1], 1),
        (ASKED, 300, &[1], 1),
        (BY_TIME, 300, &[1], 1),
    ] {
        let shop = Slow::new(dialect, orders, expected);
        let plan = shop.plan();
        let most = expected.iter().copied().max();
        assert_eq!(Some(shop.state.lock().unwrap().at_once), most, "{dialect:?} {orders}");
        let asked = shop.asked();
        assert_eq!((asked.len(), plan.total), (requests, Some(orders)), "{dialect:?} {orders}: {asked:?}");
        let twice = asked.iter().enumerate().find(|(nth, query)| asked[..*nth].contains(query));
        assert_eq!(twice, None, "{dialect:?} {orders}");
        assert_eq!(plan.slices.is_empty(), orders == 300);
    }
}

/// One that is placed while the ends are asked for is newer than the newest, and no sign of a shop
/// that ignores what it is asked.
#[test]
fn i3_an_order_that_comes_between_the_first_questions_is_no_filter_that_was_ignored() {
    for (modified, is_well) in [(NOW, true), (NOW - 1, true), (NOW - 100, false)] {
        let shop = Slow::new(BY_ID, 4_000, &[]);
        let lists = &shop;
        let newest = Newest { row: Some(Row { id: 3_999, at: 3_999 }), count: Some(4_000), asked_at: NOW };
        let high = Row { id: 4_000, at: modified };
        assert_eq!(check_ends(lists.list(None).as_ref(), [Row { id: 1, at: 1 }, high], &newest).is_ok(), is_well);
    }
}
