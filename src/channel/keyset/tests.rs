use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::read::{Batch, Onward, read};
use super::*;
use crate::channel::checkpoint::{Checkpoint, Now, Taken};
use crate::channel::{Cursor, Next, RemoteOrder};
use crate::error::{Error, ErrorKind, Result};

/// What a store makes of a query beside heeding it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Habit {
    /// It gives what is asked for, rows of one second in any order.
    #[default]
    Plain,
    /// No more rows a page than these, whatever is asked for.
    Cap(usize),
    /// The same, and it counts those of the page.
    Counted(usize),
    /// It counts so many, whatever there is.
    Counts(u64),
    /// It counts so many more, or fewer, than there are.
    Off(i64),
    /// It does not count, and all its lists are empty.
    Broken,
    /// It refuses places farther on than this.
    Near(u64),
    /// Its bounds are inclusive, whatever they are said to be.
    Includes,
    /// It does not count.
    NoCount,
    /// It leaves nothing out.
    NoExclude,
    /// It sorts by something else than the time.
    NoOrder,
    /// The same first page to every question.
    Frozen,
    /// It gives the first rows whatever the place asked for.
    NoOffset,
    /// It refuses pages of more rows than these.
    Refuses(usize),
}

/// An order: when it was modified, and when created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Made {
    modified: i64,
    created: i64,
}

struct Store {
    orders: RefCell<BTreeMap<u64, Made>>,
    dialect: Dialect,
    /// Where the dialect does not say.
    inclusive: bool,
    habit: Habit,
    size: usize,
    /// How many rows a page are known to be let through.
    borne: Cell<usize>,
    bad: BTreeSet<u64>,
    /// Whether the next pages of more than two rows fail, the last one first.
    fails: RefCell<Vec<bool>>,
    /// Counted and not shown.
    kept_back: BTreeSet<u64>,
    clock: Cell<i64>,
    seed: Cell<u64>,
    pages: Cell<u64>,
    /// Requests of any kind, with the repeats of those that fail.
    asked: Cell<u64>,
    /// Orders that change after each page, and while it is made: their places are fixed already.
    changes: RefCell<Vec<Vec<u64>>>,
    meanwhile: RefCell<Vec<Vec<u64>>>,
}

/// So long after the orders' own times that their seconds are over.
const LATER: i64 = 1_000_000;

const OVERLAP: Duration = Duration::from_secs(20);

/// As WooCommerce's, and as BigCommerce's.
const LEAVING_OUT: Dialect =
    Dialect { bounds: Bounds::Exclusive, leaves_out: 200, above: false, counts_with_pages: true, farthest: None };
const ABOVE: Dialect =
    Dialect { bounds: Bounds::Unknown, leaves_out: 0, above: true, counts_with_pages: false, farthest: None };
/// As the made-up channel's.
const PLAIN: Dialect = Dialect { bounds: Bounds::Inclusive, ..ABOVE };
/// As Magento's, and as Etsy's.
const COUNTING: Dialect = Dialect { counts_with_pages: true, ..PLAIN };
const BY_PLACE: Dialect =
    Dialect { bounds: Bounds::Unknown, leaves_out: 0, above: false, counts_with_pages: true, farthest: Some(12_000) };
const ALL: [Dialect; 5] = [LEAVING_OUT, ABOVE, PLAIN, COUNTING, BY_PLACE];

impl Store {
    fn new(dialect: Dialect, rows: impl IntoIterator<Item = (u64, i64)>) -> Self {
        let made = |(id, at)| (id, Made { modified: at, created: at });
        Self {
            orders: RefCell::new(rows.into_iter().map(made).collect()),
            dialect,
            inclusive: true,
            habit: Habit::Plain,
            size: 100,
            borne: Cell::new(usize::MAX),
            bad: BTreeSet::new(),
            fails: RefCell::default(),
            kept_back: BTreeSet::new(),
            clock: Cell::new(LATER),
            seed: Cell::new(7),
            pages: Cell::new(0),
            asked: Cell::new(0),
            changes: RefCell::default(),
            meanwhile: RefCell::default(),
        }
    }

    fn with(dialect: Dialect, habit: Habit, rows: impl IntoIterator<Item = (u64, i64)>) -> Self {
        Self { habit, ..Self::new(dialect, rows) }
    }

    fn fits(&self, query: &Query, id: u64, made: Made) -> bool {
        let inclusive = match self.dialect.bounds {
            Bounds::Inclusive => true,
            Bounds::Exclusive => self.habit == Habit::Includes,
            Bounds::Unknown => self.inclusive,
        };
        let edge = i64::from(!inclusive);
        let within = |at: i64, (low, high): (Option<i64>, Option<i64>)| {
            low.is_none_or(|low| at >= low + edge) && high.is_none_or(|high| at <= high - edge)
        };
        let ids = (query.ids.0.map(|low| low as i64), query.ids.1.map(|high| high as i64));
        within(made.modified, query.modified)
            && within(made.created, query.created)
            && within(id as i64, ids)
            && (query.only.is_empty() || query.only.contains(&id))
            && (self.habit == Habit::NoExclude || !query.without.contains(&id))
    }

    /// The ids of a list, in its order.
    fn listed(&self, query: &Query) -> Vec<u64> {
        assert!(self.dialect.leaves_out >= query.without.len() && (self.dialect.above || query.ids == (None, None)));
        self.seed.set(self.seed.get().wrapping_mul(6364136223846793005).wrapping_add(1));
        let seed = self.seed.get() | 1;
        let orders = self.orders.borrow();
        let mut fitting: Vec<(u64, Made)> =
            orders.iter().map(|(id, made)| (*id, *made)).filter(|(id, made)| self.fits(query, *id, *made)).collect();
        match query.sort {
            Sort::Id => fitting.sort_by_key(|(id, _)| *id),
            _ if self.habit == Habit::NoOrder => fitting.sort_by_key(|(id, _)| u64::MAX - id),
            Sort::Modified => fitting.sort_by_key(|(id, made)| (made.modified, id.wrapping_mul(seed))),
            Sort::Created => fitting.sort_by_key(|(id, made)| (made.created, id.wrapping_mul(seed))),
        }
        if query.descending {
            fitting.reverse();
        }
        fitting.into_iter().map(|(id, _)| id).collect()
    }

    /// Reads `walk` to its end; gives the orders met.
    fn walk(&self, walk: Walk) -> Result<(BTreeMap<u64, i64>, Batch)> {
        let (mut seen, mut all, mut walk) = (BTreeMap::new(), Batch::default(), walk);
        loop {
            assert!(self.pages.get() < 5_000, "it ends: {walk:?}");
            let (batch, onward) = read(&self, &walk)?;
            seen.extend(batch.orders.iter().map(version));
            all.join(batch);
            match onward {
                Onward::More(next) => walk = next,
                Onward::Done(_) => return Ok((seen, all)),
            }
        }
    }

    fn ask(&self, times: u32) {
        self.asked.set(self.asked.get() + u64::from(times));
    }

    fn modified(&self) -> Result<BTreeMap<u64, i64>> {
        self.walk(Walk::new(Key::Modified, None, None)).map(|(seen, _)| seen)
    }

    /// A sync from a position on, each page with a position that was written down; gives the
    /// position behind it.
    fn sync(&self, position: Position<Extra>, seen: &mut BTreeMap<u64, i64>) -> Position<Extra> {
        let mut cursor = Cursor::new(&position).unwrap();
        loop {
            assert!(self.pages.get() < 5_000, "it ends: {cursor:?}");
            let page = page(&self, cursor.position().unwrap()).unwrap();
            seen.extend(page.orders.iter().map(version));
            match page.next {
                Next::Done(done) => return done.position().unwrap(),
                next => cursor = next.cursor().clone(),
            }
        }
    }
}

fn version(order: &RemoteOrder) -> (u64, i64) {
    (order.remote_id.parse().unwrap(), order.document.get().parse().unwrap())
}

impl List for &Store {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn now(&self) -> i64 {
        self.clock.get()
    }

    fn our_now(&self) -> i64 {
        self.clock.get()
    }

    fn size(&self) -> usize {
        self.size.min(self.borne.get())
    }

    fn at_most(&self, rows: usize) {
        if matches!(self.habit, Habit::Refuses(_)) {
            self.borne.set(rows);
        }
    }

    fn fetch(&self, query: &Query, walk: &Walk, repeats: u32) -> Result<Fetched> {
        self.pages.set(self.pages.get() + 1);
        self.ask(1);
        if matches!(self.habit, Habit::Refuses(most) if query.size > most) {
            return Err(Error::new(ErrorKind::Failed, "400: the page is too large"));
        }
        let frozen = Query { size: query.size, ..Query::row(Sort::Modified) };
        let query = if self.habit == Habit::Frozen { &frozen } else { query };
        if matches!(self.habit, Habit::Near(most) if query.offset > most) {
            return Err(Error::new(ErrorKind::Failed, "400: the offset is greater than the maximum"));
        }
        let mut ids = self.listed(query);
        let total = ids.len() as u64;
        if self.habit != Habit::NoOffset {
            ids.drain(..ids.len().min(query.offset as usize));
        }
        let size = match self.habit {
            Habit::Cap(most) | Habit::Counted(most) => query.size.min(most),
            _ => query.size,
        };
        ids.truncate(if self.habit == Habit::Broken { 0 } else { size });
        let fails = query.size > 2 && self.fails.borrow_mut().pop().unwrap_or(false);
        if fails || ids.iter().any(|id| self.bad.contains(id)) {
            self.ask(repeats);
            return Err(Error::new(ErrorKind::Temporary, "500").too_much());
        }
        let total = match self.habit {
            Habit::NoCount | Habit::Broken => None,
            Habit::Off(by) => Some(total.saturating_add_signed(by)),
            Habit::Counted(_) => Some(ids.len() as u64),
            Habit::Counts(count) => Some(count),
            // As HPOS: nothing where the page is empty.
            _ => Some(if ids.is_empty() { 0 } else { total }),
        };
        let total = total.filter(|_| self.dialect.counts_with_pages);
        for id in self.meanwhile.borrow_mut().pop().into_iter().flatten() {
            if let Some(made) = self.orders.borrow_mut().get_mut(&id) {
                made.modified = self.clock.get();
            }
        }
        let orders = self.orders.borrow();
        let entry = |id: &u64| {
            let made = orders[id];
            let at = if walk.key == Key::Modified { made.modified } else { made.created };
            let document = RawValue::from_string(made.modified.to_string()).unwrap();
            let order = RemoteOrder { remote_id: id.to_string(), document, order: Err("x".to_owned()) };
            Entry { row: Some(Row { id: *id, at }), modified: Some(made.modified), content: Content::Order(order) }
        };
        let rows = ids.iter().filter(|id| !self.kept_back.contains(*id)).map(entry).collect();
        drop(orders);
        for id in self.changes.borrow_mut().pop().into_iter().flatten() {
            self.clock.set(self.clock.get() + 1);
            let now = self.clock.get() - 5;
            self.orders.borrow_mut().entry(id).or_insert(Made { modified: now, created: now }).modified = now;
        }
        Ok(Fetched { rows, count: total.map_or(Count::Untold, Count::OfPage), warnings: Vec::new() })
    }

    fn count(&self, query: &Query) -> Result<Option<u64>> {
        self.ask(1);
        let there = self.listed(query).len() as u64;
        Ok(match self.habit {
            Habit::Counts(count) => Some(count),
            Habit::Off(by) => Some(there.saturating_add_signed(by)),
            Habit::NoCount | Habit::Broken => None,
            _ => Some(there),
        })
    }

    fn proof(&self, query: &Query) -> Result<Count> {
        self.ask(1);
        if !self.dialect.counts_with_pages || self.dialect.leaves_out == 0 {
            return self.count(query).map(Count::Asked);
        }
        if self.habit == Habit::Broken {
            return Ok(Count::Untold);
        }
        let bounds = ((None, query.modified.1), (None, query.created.1));
        let all = Query { modified: bounds.0, created: bounds.1, ..query.clone() };
        let last = self.orders.borrow();
        let last = self.listed(&all).last().map(|id| Row { id: *id, at: last[id].modified });
        Ok(last.map_or(Count::Asked(Some(0)), |last| Count::Last(Some(last))))
    }

    fn one(&self, id: u64) -> Result<Option<RemoteOrder>> {
        let query = Query { only: vec![id], ..Query::row(Sort::Id) };
        let rows = self.fetch(&query, &Walk::default(), 0)?.rows;
        Ok(rows.into_iter().find_map(|entry| match entry.content {
            Content::Order(order) => Some(order),
            _ => None,
        }))
    }

    fn well(&self) -> Result<()> {
        self.ask(1);
        Ok(())
    }

    fn odd(&self, why: &str) -> Error {
        Error::new(ErrorKind::Unreadable, why)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Extra {}

impl Lists for &Store {
    type Extra = Extra;

    fn extra(&self, _: i64) -> Extra {
        Extra {}
    }

    fn overlap(&self) -> Duration {
        OVERLAP
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

fn dialects() -> impl Strategy<Value = Dialect> {
    let bounds = prop::sample::select(vec![Bounds::Inclusive, Bounds::Exclusive, Bounds::Unknown]);
    (bounds, prop::sample::select(vec![0usize, 3, 200]), any::<bool>(), any::<bool>()).prop_map(
        |(bounds, leaves_out, above, counts_with_pages)| Dialect {
            bounds,
            leaves_out,
            above,
            counts_with_pages,
            farthest: None,
        },
    )
}

fn habits() -> impl Strategy<Value = Habit> {
    prop::sample::select(vec![Habit::Plain, Habit::Cap(0), Habit::NoCount, Habit::NoExclude, Habit::Refuses(3)])
}

proptest! {
    /// Whatever bounds mean, however rows of one second are told apart, however few come at once,
    /// while orders change between the pages: the sync and the next one meet every order in its
    /// last version, though each page is read by a process of its own.
    #[test]
    fn i3_a_sync_and_the_next_meet_every_order_in_its_last_version(
        times in prop::collection::vec(0i64..12, 1..60),
        changes in prop::collection::vec(prop::collection::vec(1u64..65, 0..6), 0..12),
        meanwhile in prop::collection::vec(prop::collection::vec(1u64..65, 0..6), 0..6),
        size in prop_oneof![1usize..8, 20usize..40],
        seed: u64,
        dialect in dialects(),
        habit in habits(),
        inclusive: bool,
    ) {
        let rows = times.iter().enumerate().map(|(id, at)| (id as u64 + 1, 100 + at));
        // No server is taken to cut pages smaller than this, where it does not count.
        let small = if dialect.counts_with_pages { 3 } else { 10 };
        let habit = if habit == Habit::Cap(0) { Habit::Cap(small) } else { habit };
        let store = Store { size, inclusive, ..Store::with(dialect, habit, rows) };
        store.seed.set(seed);
        store.clock.set(130);
        *store.changes.borrow_mut() = changes;
        *store.meanwhile.borrow_mut() = meanwhile;
        let mut seen = BTreeMap::new();
        let at = store.sync(Position::Rest(Rest::new(Checkpoint::new(None), Extra {})), &mut seen);
        store.changes.borrow_mut().clear();
        store.meanwhile.borrow_mut().clear();
        store.clock.set(store.clock.get() + 21);
        let at = store.sync(at, &mut seen);
        store.clock.set(store.clock.get() + 21);
        store.sync(at, &mut seen);
        for (id, made) in store.orders.borrow().iter() {
            prop_assert_eq!(seen.get(id), Some(&made.modified), "order {}", id);
        }
    }

    /// The same where orders are counted and never shown, and the count is wrong besides: nothing that
    /// is shown is lost, and no sync fails.
    #[test]
    fn i3_what_is_shown_beside_hidden_orders_is_met_by_the_syncs_that_find_something_new(
        times in prop::collection::vec(0i64..12, 1..60),
        hidden in prop::collection::btree_set(1u64..60, 0..8),
        changes in prop::collection::vec(prop::collection::vec(1u64..65, 0..4), 0..6),
        size in prop_oneof![9usize..14, 20usize..40],
        seed: u64,
        dialect in prop::sample::select(ALL.to_vec()),
        off in -1i64..=2,
    ) {
        let rows = times.iter().enumerate().map(|(id, at)| (id as u64 + 1, 100 + at));
        let store = Store { size, kept_back: hidden, ..Store::with(dialect, Habit::Off(off), rows) };
        store.seed.set(seed);
        store.clock.set(130);
        *store.changes.borrow_mut() = changes;
        let mut seen = BTreeMap::new();
        // One that is shown is never out of sight: the newest.
        store.orders.borrow_mut().insert(99, Made { created: 125, modified: 125 });
        let mut at = store.sync(Position::Rest(Rest::new(Checkpoint::new(None), Extra {})), &mut seen);
        store.changes.borrow_mut().clear();
        for id in 100..102 {
            store.clock.set(store.clock.get() + 30);
            let now = store.clock.get() - 10;
            store.orders.borrow_mut().insert(id, Made { created: now, modified: now });
            at = store.sync(at, &mut seen);
        }
        for (id, made) in store.orders.borrow().iter().filter(|(id, _)| !store.kept_back.contains(id)) {
            prop_assert_eq!(seen.get(id), Some(&made.modified), "order {}", id);
        }
    }

    /// Slices partition the list, by ids and by creation.
    #[test]
    fn i3_slices_meet_every_order_once(
        times in prop::collection::vec(0i64..12, 1..60),
        cut in 0u64..60,
        size in 2usize..40,
        seed: u64,
        dialect in dialects(),
        inclusive: bool,
    ) {
        let rows = times.iter().enumerate().map(|(id, at)| (id as u64 + 1, 100 + at));
        let store = Store { size, inclusive, ..Store::new(dialect, rows) };
        store.seed.set(seed);
        let second = 100 + cut as i64 % 12;
        let slices = match dialect.above {
            true => [Walk::of_ids(0, Some(cut), (Some(100), None)), Walk::of_ids(cut, None, (Some(100), None))],
            false => {
                [Walk::new(Key::Created, None, Some(second)), Walk::new(Key::Created, Some(second + 1), None)]
            }
        };
        let [low, high] = slices.map(|slice| store.walk(slice).unwrap());
        prop_assert!(low.1.unshown.is_empty() && high.1.unshown.is_empty(), "nothing is missing");
        let all: BTreeSet<u64> = low.0.keys().chain(high.0.keys()).copied().collect();
        prop_assert_eq!(all.len(), times.len());
        prop_assert!(!dialect.above || low.0.len() + high.0.len() == times.len());
    }

    /// A second with more orders than places can be asked for is read as far as it can be: what is
    /// before it is given out and what is behind it is not passed over; the walk ends in an error that
    /// says so, each time it is taken up again, and reads on once there are fewer.
    #[test]
    fn i3_places_beyond_those_that_can_be_asked_for_lose_no_order_in_silence(
        before in 0u64..40,
        crowd in 1u64..220,
        behind in 0u64..40,
        most in 12u64..160,
        size in 3usize..40,
        seed: u64,
        inclusive: bool,
    ) {
        let second = 1_000;
        let at = |id: u64| match id {
            id if id <= before => id as i64,
            id if id <= before + crowd => second,
            id => second + id as i64,
        };
        let dialect = Dialect { farthest: Some(most), ..BY_PLACE };
        let rows = (1..=before + crowd + behind).map(|id| (id, at(id)));
        let store = Store { size, inclusive, ..Store::with(dialect, Habit::Near(most), rows) };
        store.seed.set(seed);
        let (mut seen, mut walk) = (BTreeSet::new(), Walk::new(Key::Modified, None, None));
        let ended = loop {
            prop_assert!(store.pages.get() < 2_000, "it ends: {walk:?}");
            match read(&&store, &walk) {
                Ok((batch, onward)) => {
                    seen.extend(batch.orders.iter().map(|order| version(order).0));
                    match onward {
                        Onward::More(next) => walk = next,
                        Onward::Done(_) => break None,
                    }
                }
                Err(error) => break Some(error),
            }
        };
        match ended {
            None => prop_assert_eq!(seen.len() as u64, before + crowd + behind),
            Some(error) => {
                prop_assert!(crowd > most, "all of it can be asked for: {error}");
                prop_assert!(error.kind() == ErrorKind::Failed && error.message().contains("more than"), "{error}");
                prop_assert!((1..=before).all(|id| seen.contains(&id)), "what is before it is in the book");
                prop_assert!(seen.iter().all(|id| *id <= before + crowd), "and nothing behind it");
                prop_assert!(walk.from.is_none_or(|from| from <= second), "{walk:?}");
                let same = read(&&store, &walk).map(drop).unwrap_err();
                prop_assert_eq!(same.message(), error.message());
                // Most of them change once more, at other times.
                for (nth, id) in (before + 13..=before + crowd).enumerate() {
                    store.orders.borrow_mut().insert(id, Made { modified: 5_000 + nth as i64, created: at(id) });
                }
                seen.extend(store.walk(walk).unwrap().0.into_keys());
                prop_assert_eq!(seen.len() as u64, before + crowd + behind);
            }
        }
    }

    /// A range that ends is read up to its end and ends.
    #[test]
    fn i3_a_range_is_read_to_its_end(
        times in prop::collection::vec(0i64..12, 1..60),
        size in 1usize..20,
        seed: u64,
        dialect in dialects(),
        inclusive: bool,
    ) {
        let rows = times.iter().enumerate().map(|(id, at)| (id as u64 + 1, 100 + at));
        let store = Store { size, inclusive, ..Store::new(dialect, rows) };
        store.seed.set(seed);
        let (seen, told) = store.walk(Walk::new(Key::Modified, Some(103), Some(106))).unwrap();
        prop_assert!(told.unshown.is_empty());
        for (id, _) in store.orders.borrow().iter().filter(|(_, made)| (103..=106).contains(&made.modified)) {
            prop_assert!(seen.contains_key(id));
        }
    }

    /// Orders that cannot be shown are named and passed, wherever they stand and whatever their
    /// dates, and all others are met; also where some of them are known, and other pages fail only
    /// now and then.
    #[test]
    fn i4_an_order_that_cannot_be_shown_is_named_and_passed(
        times in prop::collection::vec((0i64..9_000_000, 0i64..9_000_000), 20..120),
        bad in prop::collection::btree_set(1u64..120, 1..7),
        size in 1usize..60,
        far in prop_oneof![1u64..40, 300u64..5_000],
        known in prop::collection::vec(any::<bool>(), 7),
        fails in prop::collection::vec(any::<bool>(), 0..20),
        leaving: bool,
        inclusive: bool,
    ) {
        let dialect = if leaving { LEAVING_OUT } else { ABOVE };
        let store = Store { size, inclusive, ..Store::new(dialect, []) };
        let made = |(nth, (created, later)): (usize, &(i64, i64))| {
            (nth as u64 * far + 1, Made { created: 900_000_000 + created, modified: 900_000_000 + created + later })
        };
        let orders: BTreeMap<u64, Made> = times.iter().enumerate().map(made).collect();
        store.clock.set(920_000_000);
        let ids: Vec<u64> = orders.keys().copied().collect();
        let bad: BTreeSet<u64> = bad.iter().map(|nth| ids[*nth as usize % ids.len()]).collect();
        *store.orders.borrow_mut() = orders;
        let store = Store { bad: bad.clone(), ..store };
        let (seen, told) = store.walk(Walk::new(Key::Modified, None, None)).unwrap();
        let hidden: BTreeSet<u64> = told.hidden.iter().copied().collect();
        prop_assert_eq!(&hidden, &bad);
        prop_assert_eq!(seen.len() + store.bad.len(), ids.len());
        prop_assert!(told.unshown.iter().all(|one| one.remote_id.is_some()), "nothing else is missing");
        // Where a list leaves them out, none of them is searched while pages fail.
        let skip: Vec<u64> =
            bad.iter().zip(known).filter(|(_, known)| leaving || *known).map(|(id, _)| *id).collect();
        *store.fails.borrow_mut() = fails;
        let walk = Walk { skip: skip.clone(), ..Walk::new(Key::Modified, None, None) };
        let (seen, told) = store.walk(walk).unwrap();
        let hidden: BTreeSet<u64> = told.hidden.iter().chain(&skip).copied().collect();
        prop_assert_eq!(hidden, bad);
        prop_assert_eq!(seen.len() + store.bad.len(), ids.len());
    }
}

/// For each of them, wherever it stands.
#[test]
fn i4_an_order_that_cannot_be_shown_costs_twice_the_halvings_of_its_page_at_most() {
    let (first, last): (&[u64], &[u64]) = (&[1], &[250]);
    let places = [2, 26, 49, 50, 51, 99, 100, 101, 150, 249].map(|nth| vec![nth]);
    let several = [vec![20, 70], vec![20, 21], vec![99, 100, 101], vec![10, 20, 30, 40], vec![10, 110, 210]];
    for (dialect, apart) in [(LEAVING_OUT, 1), (ABOVE, 1), (PLAIN, 1), (COUNTING, 1), (BY_PLACE, 1_000_003)] {
        let asked = |bad: &[u64], walk: &Walk| {
            let rows = (1..=250).map(|nth| (nth * apart, 900_000_000 + 5_000 * nth as i64));
            let store = Store { bad: bad.iter().map(|nth| nth * apart).collect(), ..Store::new(dialect, rows) };
            store.clock.set(920_000_000);
            let (seen, told) = store.walk(walk.clone()).unwrap();
            assert_eq!((seen.len(), told.unshown.len()), (250 - bad.len(), bad.len()), "{dialect:?} {bad:?}");
            store.asked.get()
        };
        let slice =
            if dialect.above { Walk::of_ids(0, None, (None, None)) } else { Walk::new(Key::Created, None, None) };
        for walk in [Walk::new(Key::Modified, None, None), slice] {
            let all = asked(&[], &walk);
            for bad in places.iter().chain(&several).map(Vec::as_slice).chain([first, last]) {
                let more = asked(bad, &walk) - all;
                // By places each page of several takes one or two more, to know where it ends; and the
                // last of a list one, to know that nothing is behind it.
                let each = match dialect == BY_PLACE {
                    true if bad.len() > 1 => 15,
                    true if bad == last => 14,
                    _ => 13,
                };
                assert!(more <= each * bad.len() as u64, "{dialect:?} {:?} {bad:?}: {more} more", walk.key);
            }
        }
    }
}

#[test]
fn i4_a_page_that_fails_once_before_an_order_that_is_known_not_to_be_shown_is_read_in_smaller_ones() {
    for inclusive in [true, false] {
        for bad in [20, 21, 40] {
            let rows = (1..=40).map(|id| (id, id as i64));
            let store = Store { inclusive, size: 50, bad: [bad].into(), ..Store::new(ABOVE, rows) };
            // By time, and the first by ids.
            *store.fails.borrow_mut() = vec![true, true];
            let walk = Walk { skip: vec![bad], ..Walk::new(Key::Modified, None, None) };
            let (seen, told) = store.walk(walk).unwrap();
            assert_eq!((seen.len(), told.hidden), (39, vec![]), "all but {bad}");
        }
    }
}

/// Two orders a second, so far apart in their ids that nothing names the one that cannot be shown.
/// It is alone in its second, but for the twentieth.
fn nameless(habit: Habit, bad: u64, apart: i64) -> Store {
    let rows =
        (1..=40).flat_map(|nth| [(nth * 50_000, nth as i64 * apart), (nth * 50_000 + 25_000, nth as i64 * apart)]);
    let store = Store::with(LEAVING_OUT, habit, rows.filter(|(id, _)| *id != bad * 50_000 + 25_000 || bad == 20));
    store.clock.set(900_000_000);
    Store { bad: [bad * 50_000].into(), ..store }
}

#[test]
fn i4_an_order_that_nothing_names_is_passed_by_its_second_in_a_bounded_number_of_requests() {
    for (bad, until) in [(1, None), (20, None), (20, Some(20)), (40, None), (40, Some(40))] {
        for (habit, apart) in [(Habit::Plain, 1000), (Habit::Plain, 1), (Habit::Includes, 1000), (Habit::Includes, 1)] {
            let (case, store) = (format!("{bad} {habit:?} {apart}"), nameless(habit, bad, apart));
            let until = until.map(|until: i64| until * apart);
            let (seen, told) = store.walk(Walk::new(Key::Modified, Some(1), until)).unwrap();
            let places: Vec<&str> = told.unshown.iter().map(|one| &*one.place).collect();
            assert_eq!(places, [format!("the order of {} UTC", after::utc(bad as i64 * apart))], "{case}");
            let wanted = |made: &&Made| until.is_none_or(|until| made.modified <= until);
            let wanted = store.orders.borrow().values().filter(wanted).count();
            assert!(seen.len() + 1 >= wanted, "{case}");
            assert!(store.pages.get() < 700, "{case}: {} pages", store.pages.get());
        }
    }
}

/// Those that are known tell how far to look for the next one.
#[test]
fn i4_many_orders_in_a_row_that_cannot_be_shown_are_named_though_their_ids_are_far_apart() {
    for bad in [0..4, 30..35, 36..40] {
        for descending in [false, true] {
            let at = |nth: u64| 900_000_000 + 1_000 * if descending { 40 - nth as i64 } else { nth as i64 };
            let store = Store::new(LEAVING_OUT, (0..40).map(|nth| (nth * 4_999 + 1, at(nth))));
            let store = Store { bad: bad.clone().map(|nth| nth * 4_999 + 1).collect(), size: 7, ..store };
            store.clock.set(920_000_000);
            let (seen, told) = store.walk(Walk::new(Key::Modified, None, None)).unwrap();
            let hidden: BTreeSet<u64> = told.hidden.iter().copied().collect();
            assert_eq!((seen.len() + hidden.len(), &hidden), (40, &store.bad), "{bad:?} {descending}");
        }
    }
}

/// A server gives the rows of one second in any order. What the next rows are, and whether those
/// that cannot be shown are all that is left, changes from question to question.
#[test]
fn i4_orders_of_one_second_that_cannot_be_shown_are_passed_in_whatever_order_they_come() {
    for (apart, size, named) in [(2_926, 1, true), (2_926, 7, true), (90_000, 1, false), (90_000, 7, false)] {
        for seed in 0..60 {
            let rows = (0..65).map(|nth| (nth * apart + 1, 900_000_000)).chain([(1_000, 900_000_777)]);
            let store = Store { size, ..Store::new(LEAVING_OUT, rows) };
            let store = Store { bad: (0..3).map(|nth| nth * apart + 1).collect(), ..store };
            store.clock.set(920_000_000);
            store.seed.set(seed);
            let (seen, told) = store.walk(Walk::new(Key::Modified, None, None)).unwrap();
            assert_eq!(seen.len(), 63, "{apart} {size} {seed}");
            let hidden: BTreeSet<u64> = told.hidden.iter().copied().collect();
            assert!(
                hidden.is_subset(&store.bad) && (hidden == store.bad) == named,
                "{apart} {size} {seed}: {hidden:?}"
            );
            let unnamed: Vec<&str> =
                told.unshown.iter().filter(|one| one.remote_id.is_none()).map(|one| &*one.place).collect();
            assert_eq!(unnamed.is_empty(), named, "{apart} {size} {seed}: {unnamed:?}");
        }
    }
}

#[test]
fn i4_an_order_that_cannot_be_shown_beside_a_walk_is_none_of_it_though_bounds_include_it() {
    for (bad, from, until) in [(19, 20, 40), (30, 20, 29), (1, 2, 40)] {
        let store = nameless(Habit::Includes, bad, 1);
        let (seen, told) = store.walk(Walk::new(Key::Modified, Some(from), Some(until))).unwrap();
        assert!(told.unshown.is_empty(), "{bad}: {:?}", told.unshown);
        let orders = store.orders.borrow();
        let mut wanted = orders.iter().filter(|(_, made)| (from..=until).contains(&made.modified));
        assert!(wanted.all(|(id, _)| seen.contains_key(id)), "{bad}");
    }
}

#[test]
fn i3_the_newest_order_that_is_left_out_is_no_row_to_be_proven_though_nothing_is_counted() {
    for bad in [39, 40] {
        let rows = (1..=40).map(|id| (id, LATER - 5_000 + 100 * id as i64));
        let store = Store { bad: [bad].into(), ..Store::with(LEAVING_OUT, Habit::NoCount, rows) };
        let mut seen = BTreeMap::new();
        let mut at = store.sync(Position::Rest(Rest::new(Checkpoint::new(None), Extra {})), &mut seen);
        for _ in 0..3 {
            store.clock.set(store.clock.get() + 300);
            at = store.sync(at, &mut seen);
        }
        assert_eq!(seen.len(), 39, "all but {bad}");
    }
}

#[test]
fn q2_an_order_that_is_known_not_to_be_shown_costs_the_next_syncs_a_few_requests() {
    for (dialect, inclusive) in [(LEAVING_OUT, false), (ABOVE, true), (ABOVE, false)] {
        for bad in [39, 40] {
            let rows = (1..=40).map(|id| (id, LATER - 100 + id as i64));
            let store = Store { inclusive, bad: [bad].into(), ..Store::new(dialect, rows) };
            let mut seen = BTreeMap::new();
            let mut at = store.sync(Position::Rest(Rest::new(Checkpoint::new(None), Extra {})), &mut seen);
            for id in 41..45 {
                store.pages.set(0);
                store.clock.set(store.clock.get() + 30);
                let now = store.clock.get() - 10;
                store.orders.borrow_mut().insert(id, Made { created: now, modified: now });
                at = store.sync(at, &mut seen);
                assert!(seen.contains_key(&id) && store.pages.get() <= 5, "{dialect:?}: {} pages", store.pages.get());
            }
            assert_eq!(seen.len(), 43, "all but {bad}");
        }
    }
}

#[test]
fn i3_a_second_with_more_rows_than_can_be_left_out_is_read_by_ids_while_orders_leave_it() {
    let store = Store::new(LEAVING_OUT, (1..=1000).map(|id| (id, 5)).chain([(2000, 4), (2001, 6)]));
    let (mut seen, mut walk, mut gone) = (BTreeSet::new(), Walk::new(Key::Modified, None, None), false);
    while let (batch, Onward::More(next)) = read(&&store, &walk).unwrap() {
        seen.extend(batch.orders.iter().map(|order| version(order).0));
        if next.by_id.as_ref().is_some_and(|ids| ids.read > 300) && !gone {
            // An order of the stretch goes to the bin: the page after it does not join.
            gone = store.orders.borrow_mut().remove(&3).is_some();
        }
        walk = next;
    }
    seen.extend(store.walk(walk).unwrap().0.keys());
    assert!(gone && store.orders.borrow().keys().all(|id| seen.contains(id)));
}

#[test]
fn i3_a_stretch_that_all_orders_have_left_is_behind_the_walk_though_nothing_is_counted() {
    let asked =
        Dialect { bounds: Bounds::Exclusive, leaves_out: 0, above: false, counts_with_pages: false, farthest: None };
    for (dialect, habit) in [
        (LEAVING_OUT, Habit::Plain),
        (LEAVING_OUT, Habit::NoCount),
        (Dialect { leaves_out: 0, ..LEAVING_OUT }, Habit::NoCount),
        (asked, Habit::Plain),
        (asked, Habit::NoCount),
    ] {
        // The highest id lies behind the stretch, and the last in time before it.
        let store = Store::with(dialect, habit, [(1, 200), (2, 50), (9, 60)]);
        let by_id = Some(ById { to: Some(105), ..ById::default() });
        let taken = vec![1];
        let walk = Walk { by_id, begun: true, taken, ..Walk::new(Key::Modified, Some(100), None) };
        let (seen, told) = store.walk(walk).unwrap();
        assert_eq!(seen.into_keys().collect::<Vec<u64>>(), [1], "{habit:?} {dialect:?}");
        assert!(told.unshown.is_empty());
    }
}

#[test]
fn i3_the_work_for_orders_of_one_second_grows_with_their_number_only() {
    for dialect in [LEAVING_OUT, ABOVE, Dialect { leaves_out: 0, ..LEAVING_OUT }] {
        for rows in [301, 2_600, 20_000] {
            let store = Store::new(dialect, (1..=rows).map(|id| (id, 5)));
            assert_eq!(store.modified().unwrap().len() as u64, rows);
            assert!(store.pages.get() <= rows / 99 + 6, "{rows}: {} pages", store.pages.get());
        }
    }
}

#[test]
fn i3_a_store_that_gives_or_heeds_less_is_read_to_its_end_all_the_same() {
    for dialect in [LEAVING_OUT, ABOVE] {
        for habit in [Habit::Cap(10), Habit::NoCount, Habit::NoExclude, Habit::NoOrder] {
            if habit == Habit::NoOrder && !dialect.counts_with_pages {
                // A page that is in order by chance is told by the count at the end only.
                continue;
            }
            let rows = (1..=450).map(|id| (id, if id > 150 { 9 } else { (id % 7) as i64 }));
            assert_eq!(Store::with(dialect, habit, rows).modified().unwrap().len(), 450, "{habit:?} {dialect:?}");
        }
    }
}

#[test]
fn i3_a_page_that_is_refused_is_asked_for_smaller_down_to_what_is_let_through() {
    for dialect in ALL {
        for most in [2, 3, 7, 50, 99] {
            let store = Store::with(dialect, Habit::Refuses(most), (1..=450).map(|id| (id, id as i64 / 3)));
            assert_eq!(store.modified().unwrap().len(), 450, "{most} {dialect:?}");
            let fits = (0..7).map(|nth| 100 >> nth).find(|rows| *rows <= most).unwrap_or(1);
            // Where one row joins the pages there must be another.
            let fits = if dialect.leaves_out == 0 { fits.max(2) } else { fits };
            assert_eq!(store.borne.get(), fits, "{most} {dialect:?}");
        }
        // What is refused whatever its size costs one question more.
        let store = Store::with(dialect, Habit::Refuses(0), (1..=450).map(|id| (id, id as i64)));
        let error = store.modified().unwrap_err();
        assert_eq!((error.kind(), store.asked.get()), (ErrorKind::Failed, 2), "{dialect:?}");
    }
}

#[test]
fn i3_a_store_that_cuts_its_pages_and_counts_what_it_gives_is_read_to_its_end() {
    for (rows, seconds) in [(54, 54), (40, 4), (400, 7), (450, 1)] {
        let store = Store::with(LEAVING_OUT, Habit::Counted(10), (1..=rows).map(|id| (id, (id % seconds) as i64)));
        assert_eq!(store.modified().unwrap().len() as u64, rows, "{rows} in {seconds}");
    }
}

#[test]
fn i3_a_full_page_is_no_end_by_a_count_alone() {
    for (dialect, habit) in [
        (LEAVING_OUT, Habit::Counted(100)),
        (LEAVING_OUT, Habit::Counts(0)),
        (LEAVING_OUT, Habit::Counts(100)),
        (ABOVE, Habit::Counts(0)),
        (ABOVE, Habit::Counts(100)),
    ] {
        for seconds in [730, 70, 3, 1] {
            let store = Store::with(dialect, habit, (1..=730).map(|id| (id, (id % seconds) as i64)));
            assert_eq!(store.modified().unwrap().len(), 730, "{habit:?} {seconds} {dialect:?}");
            let (slice, _) = store.walk(Walk::of_ids(0, None, (None, None))).unwrap();
            assert_eq!(slice.len(), 730, "by ids: {habit:?} {seconds} {dialect:?}");
        }
    }
}

#[test]
fn i3_bounds_that_are_inclusive_against_what_is_said_lose_nothing_beside_a_crowded_second() {
    let at = |id: u64| if (300..1_500).contains(&id) { 30 } else { (id / 10) as i64 };
    let store = Store::with(LEAVING_OUT, Habit::Includes, (1..=1_700).map(|id| (id, at(id).min(400))));
    for (from, until) in [(0, 29), (31, 400), (29, 31), (0, 400)] {
        let (seen, told) = store.walk(Walk::new(Key::Modified, Some(from), Some(until))).unwrap();
        assert!(told.unshown.is_empty(), "{from} to {until}: {:?}", told.unshown);
        let mut wanted = (1..=1_700).filter(|id| (from..=until).contains(&at(*id).min(400)));
        assert!(wanted.all(|id| seen.contains_key(&id)), "{from} to {until}");
    }
}

#[test]
fn i3_a_store_that_heeds_nothing_ends_the_walk_with_an_error() {
    for (habit, most) in [(Habit::Frozen, 12), (Habit::NoOffset, 30)] {
        let store = Store::with(LEAVING_OUT, habit, (1..=450).map(|id| (id, if id > 50 { 9 } else { 8 })));
        store.modified().unwrap_err();
        assert!(store.pages.get() < most, "{habit:?}: {} pages", store.pages.get());
    }
}

/// Whatever is counted, and wherever orders stand that are counted and never shown: all that is
/// shown is met, by the first sync and by those that go on from it, and no sync fails.
#[test]
fn i3_a_count_that_is_wrong_stops_no_sync_and_loses_no_order() {
    let run = |from: u64, to: u64| (from..to).collect::<BTreeSet<u64>>();
    let apart = run(7, 8).into_iter().chain(20..38).collect();
    let hidden = [run(0, 0), run(40, 41), run(38, 41), run(1, 2), run(1, 31), run(5, 36), apart];
    for dialect in ALL {
        for habit in [Habit::Plain, Habit::Off(1), Habit::Off(-1), Habit::Counts(500), Habit::Counts(0), Habit::Cap(10)]
        {
            for (hidden, size, seconds) in
                hidden.iter().flat_map(|hidden| [(hidden, 100, 40), (hidden, 10, 40), (hidden, 10, 3), (hidden, 7, 1)])
            {
                if habit == Habit::Counts(0) && !hidden.is_empty() {
                    // Nothing tells of more behind a short page.
                    continue;
                }
                let case = format!("{dialect:?} {habit:?} {hidden:?} {size} {seconds}");
                let rows = (1..=40).map(|id| (id, LATER - 5_000 + 100 * ((id - 1) * seconds / 40) as i64));
                let store = Store { size, kept_back: hidden.clone(), ..Store::with(dialect, habit, rows) };
                let mut seen = BTreeMap::new();
                let mut at = store.sync(Position::Rest(Rest::new(Checkpoint::new(None), Extra {})), &mut seen);
                for id in 41..45 {
                    store.clock.set(store.clock.get() + 300);
                    let now = store.clock.get() - 100;
                    store.orders.borrow_mut().insert(id, Made { created: now, modified: now });
                    at = store.sync(at, &mut seen);
                }
                assert_eq!(seen.len(), 44 - store.kept_back.len(), "{case}");
                store.clock.set(store.clock.get() + 300);
                store.pages.set(0);
                store.sync(at, &mut seen);
                assert!(store.pages.get() <= 13, "{case}: {} pages for nothing new", store.pages.get());
            }
        }
    }
}

#[test]
fn i3_how_far_places_can_be_asked_for_is_learnt_from_the_refusal() {
    for (most, reached) in [(99, 75), (100, 75), (299, 150), (300, 300), (0, 1)] {
        let store = Store::with(BY_PLACE, Habit::Near(most), (1..=400).map(|id| (id, id as i64)));
        let found = plan::reached(&&store, None, 300);
        assert_eq!(found.ok().map(|found| found.0), Some(reached).filter(|place| *place <= most), "{most}");
    }
}

#[test]
fn i3_an_empty_list_that_nothing_counts_is_no_proof_that_there_is_nothing() {
    for dialect in [LEAVING_OUT, COUNTING, BY_PLACE] {
        let rows = (1..=40).map(|id| (id, LATER - 5_000 + 100 * id as i64));
        let mut store = Store::new(dialect, rows);
        let (mut seen, new) = (BTreeMap::new(), Position::Rest(Rest::new(Checkpoint::new(None), Extra {})));
        let at = store.sync(new.clone(), &mut seen);
        store.clock.set(store.clock.get() + 300);
        let at = store.sync(at, &mut seen);
        store.habit = Habit::Broken;
        for position in [at.clone(), new] {
            let error = page(&&store, position).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unreadable, "{dialect:?}: {error}");
        }
        // Rows without a count are rows, and the last of them proves the end.
        store.habit = Habit::NoCount;
        store.sync(at, &mut seen);
    }
}

#[test]
fn i3_orders_that_are_counted_and_never_shown_are_told() {
    for (dialect, rows) in [(LEAVING_OUT, 40), (LEAVING_OUT, 340), (ABOVE, 340), (PLAIN, 340)] {
        // Some of the pages have fewer rows than those before them.
        for (first, apart, times) in [(7, 25, 1), (7, 25, 7_919), (15, 40, 7_919)] {
            let at = |id: u64| ((id - id % 3) * times % 1_000) as i64;
            let store = Store::new(dialect, (1..=rows).map(|id| (id, at(id))));
            let store = Store { kept_back: (first..rows).step_by(apart).collect(), ..store };
            let (seen, told) = store.walk(Walk::new(Key::Modified, None, None)).unwrap();
            assert_eq!(seen.len(), rows as usize - store.kept_back.len(), "{dialect:?} {rows}");
            let missing = store.kept_back.len() as u64;
            assert!(told.unshown.iter().any(|one| one.unlisted == missing), "{dialect:?} {rows}: {:?}", told.unshown);
        }
    }
}

/// Also in a slice that is a page long.
#[test]
fn i3_orders_of_a_slice_that_are_counted_and_never_shown_are_told() {
    for dialect in [ABOVE, PLAIN] {
        for (after, up_to) in [(0, Some(95)), (95, Some(190)), (0, Some(250)), (285, None)] {
            let store = Store::new(dialect, (1..=340).map(|id| (id, 100 + id as i64)));
            let store = Store { kept_back: (8..340).step_by(25).collect(), ..store };
            let missing = store.kept_back.range(after + 1..=up_to.unwrap_or(340)).count() as u64;
            let (_, told) = store.walk(Walk::of_ids(after, up_to, (Some(50), None))).unwrap();
            assert!(
                told.unshown.iter().any(|one| one.unlisted == missing),
                "{dialect:?} {after}: {missing}, {:?}",
                told.unshown
            );
        }
    }
}

#[test]
fn q2_an_honest_count_is_doubted_once_at_most_and_never_where_nothing_is_new() {
    let pages = |rows: u64, walk: Walk| {
        let store = Store::new(LEAVING_OUT, (1..=rows).map(|id| (id, id as i64)));
        store.walk(walk).unwrap();
        store.pages.get()
    };
    let new = Walk::new(Key::Modified, None, None);
    let known = |known| Walk { known: Some(known), ..new.clone() };
    assert_eq!([0, 9, 10, 54, 99, 100, 154].map(|rows| pages(rows, new.clone())), [1, 1, 2, 2, 2, 2, 2]);
    assert_eq!((pages(54, known(54)), pages(54, known(53))), (1, 2));
    assert_eq!(pages(54, Walk { most: 60, ..known(0) }), 1, "more have come at once");
}

fn after(walk: &Walk, page: &Listed) -> std::result::Result<Step, String> {
    walk.after(&LEAVING_OUT, page, 100, LATER)
}

#[test]
fn i3_a_doubt_that_gets_no_answer_leaves_it_at_the_count() {
    let walk = Walk { taken: vec![20], doubted: true, begun: true, ..Walk::new(Key::Modified, Some(20), None) };
    let rows: Vec<Row> = (1..=20).map(|id| Row { id, at: id as i64 }).collect();
    let again = Listed { length: 20, count: Count::OfPage(20), gives: 0, rows };
    assert!(matches!(after(&walk, &again), Ok(Step::End(done)) if !done.capped));
    after(&Walk { doubted: false, ..walk }, &again).unwrap_err();
}

#[test]
fn i3_an_empty_page_proves_nothing_without_a_count() {
    let walk = Walk { taken: vec![7], begun: true, ..Walk::new(Key::Modified, Some(5), None) };
    assert_eq!(after(&walk, &Listed::default()), Ok(Step::Ask));
    let counted = |count| Listed { count, ..Listed::default() };
    assert!(matches!(after(&walk, &counted(Count::OfPage(0))), Ok(Step::End(_))));
    assert_eq!(after(&walk, &counted(Count::OfPage(4))), Ok(Step::Ask));
    after(&walk, &counted(Count::Last(None))).unwrap_err();
    let past = |id, at| matches!(after(&walk, &counted(Count::Last(Some(Row { id, at })))), Ok(Step::End(_)));
    assert!(past(9, 4) && past(7, 5) && !past(8, 5) && !past(7, 6));
}

/// Neither is one in a window of ids that is read to look past orders that are not shown.
#[test]
fn i3_an_empty_window_of_ids_is_passed_only_where_it_is_counted() {
    let by_id = Some(ById { last: 10, within: 50, shown: 900, ..ById::default() });
    let walk = Walk { by_id, begun: true, most: 100, ..Walk::new(Key::Modified, Some(5), None) };
    let after = |count| walk.after(&COUNTING, &Listed { count, ..Listed::default() }, 100, LATER);
    assert_eq!(after(Count::Untold), Ok(Step::Ask));
    after(Count::Asked(None)).unwrap_err();
    after(Count::Last(Some(Row { id: 900, at: 9 }))).unwrap_err();
    for count in [Count::OfPage(0), Count::Asked(Some(0))] {
        assert!(matches!(after(count), Ok(Step::More(next)) if next.by_id.as_ref().is_some_and(|ids| ids.last == 60)));
    }
}

/// A count that stays as it is says of each window that something is in it.
#[test]
fn i3_what_is_looked_past_is_bounded_by_the_number_of_orders_and_not_by_that_of_ids() {
    for dialect in [ABOVE, PLAIN, COUNTING] {
        let rows = (1..=60).chain([1_000_000]).map(|id| (id, id as i64));
        let store =
            Store { size: 10, kept_back: (41..=60).collect(), ..Store::with(dialect, Habit::Counts(500), rows) };
        let seen = store.modified().map(|seen| seen.len());
        assert!(store.asked.get() < 300, "{dialect:?}: {} requests, {seen:?}", store.asked.get());
    }
}

#[test]
fn q2_orders_that_were_not_shown_once_cost_the_later_syncs_nothing() {
    for dialect in ALL {
        let rows = (1..=40).map(|id| (id, LATER - 5_000 + 100 * id as i64));
        let mut store = Store { kept_back: [30].into(), ..Store::new(dialect, rows) };
        let (mut seen, new) = (BTreeMap::new(), Position::Rest(Rest::new(Checkpoint::new(None), Extra {})));
        let mut at = store.sync(new, &mut seen);
        store.kept_back.clear();
        let asked: Vec<u64> = (0..4)
            .map(|_| {
                store.clock.set(store.clock.get() + 300);
                store.asked.set(0);
                at = store.sync(at.clone(), &mut seen);
                store.asked.get()
            })
            .collect();
        assert_eq!(asked[3], 1, "{dialect:?}: {asked:?}");
    }
}

#[test]
fn i3_a_row_that_changes_while_its_page_is_made_does_not_carry_the_walk_away() {
    for dialect in [LEAVING_OUT, ABOVE] {
        let walk = Walk::new(Key::Modified, Some(100), None);
        let rows = |times: &[i64]| -> Vec<Row> {
            times.iter().enumerate().map(|(id, at)| Row { id: id as u64 + 1, at: *at }).collect()
        };
        let page = |times: &[i64]| Listed { rows: rows(times), length: 3, ..Listed::default() };
        let Ok(Step::More(next)) = walk.after(&dialect, &page(&[100, 900, 150]), 3, 900) else { panic!("more") };
        assert_eq!((next.from, next.by_id), (Some(150), None));
        let Ok(Step::More(next)) = walk.after(&dialect, &page(&[100, 200, 150]), 3, 900) else { panic!("more") };
        assert!(next.by_id.is_some(), "what is out of order is read by ids");
        walk.after(&dialect, &page(&[98, 97, 100]), 3, 900).unwrap_err();
    }
}

#[test]
fn q2_orders_that_changed_just_before_a_sync_cost_one_page_and_what_may_lie_between_is_owed() {
    let walk = Walk { is_revisited: true, ..Walk::new(Key::Modified, Some(100), None) };
    let rows = |times: &[i64]| times.iter().enumerate().map(|(id, at)| Row { id: id as u64 + 1, at: *at }).collect();
    let after = |times: &[i64]| {
        let page = Listed { rows: rows(times), length: 3, count: Count::OfPage(9), gives: 0 };
        let Ok(Step::More(next)) = walk.after(&LEAVING_OUT, &page, 3, 900) else { panic!("more") };
        (next.from, next.gap)
    };
    assert_eq!(after(&[150, 899, 900]), (Some(900), Some(150)));
    assert_eq!(after(&[900, 900, 900]), (Some(900), Some(100)));
    assert_eq!(after(&[100, 900, 150]), (Some(150), None), "its place shows that it was another");
    let mut at = Checkpoint::seen(Some(100), OVERLAP, 100);
    at.begin(OVERLAP, Now { theirs: 900, ours: 900 });
    let page = Taken { modified: vec![150, 899, 900], gap: Some(150), ..Taken::default() };
    at.take(&page, OVERLAP, Now { theirs: 900, ours: 900 });
    assert_eq!(at.begin(OVERLAP, Now { theirs: 2_000, ours: 2_000 }), Some(150), "not only what is newer than it saw");
}

#[test]
fn i3_a_row_on_the_bound_proves_it_inclusive_and_the_exact_second_is_asked_for_then() {
    let walk = Walk::new(Key::Modified, Some(100), None);
    assert_eq!(walk.query(&ABOVE, 2).modified, (Some(99), None));
    let page = Listed { rows: vec![Row { id: 1, at: 99 }, Row { id: 2, at: 100 }], length: 2, ..Listed::default() };
    let Ok(Step::More(next)) = walk.after(&ABOVE, &page, 2, LATER) else { panic!("more") };
    assert_eq!((next.query(&ABOVE, 2).modified, next.by_id), ((Some(100), None), None));
}

/// What is taken for a proof once, and is none, would leave out the second of each later bound.
#[test]
fn i3_a_row_on_the_bound_proves_nothing_where_it_may_have_come_there_while_the_page_was_made() {
    let walk = Walk::new(Key::Modified, Some(100), None);
    let after = |dialect: &Dialect, rows: &[(u64, i64)], asked_at: i64| {
        let rows: Vec<Row> = rows.iter().map(|(id, at)| Row { id: *id, at: *at }).collect();
        let page = Listed { length: rows.len() as u64, rows, ..Listed::default() };
        let Ok(Step::More(next)) = walk.after(dialect, &page, 2, asked_at) else { panic!("more") };
        next.query(dialect, 2).modified.0
    };
    let (calm, moved) = ([(1, 99), (2, 104)], [(2, 104), (1, 99), (3, 105)]);
    assert_eq!(after(&ABOVE, &calm, LATER), Some(104));
    for dialect in [LEAVING_OUT, ABOVE] {
        assert_eq!(after(&dialect, &calm, 106), Some(103), "the second was not over everywhere");
        assert_eq!(after(&dialect, &moved, LATER), Some(99), "it is not in its place");
    }
}

#[test]
fn i3_a_position_that_took_bounds_for_inclusive_asks_for_the_second_before_again() {
    for (dialect, word) in [(LEAVING_OUT, "inclusive"), (LEAVING_OUT, "includes"), (ABOVE, "inclusive")] {
        let store = Store { inclusive: false, ..Store::new(dialect, [(1, LATER - 500), (2, LATER - 499)]) };
        let at = serde_json::to_value(Checkpoint::seen(Some(LATER - 500), OVERLAP, LATER - 100)).unwrap();
        let serde_json::Value::Object(mut old) = at else { panic!("an object") };
        old.insert("owed".into(), (LATER - 499).into());
        old.insert(word.into(), true.into());
        let rest: Rest<Extra> = serde_json::from_value(old.into()).unwrap();
        let mut seen = BTreeMap::new();
        store.sync(Position::Rest(rest), &mut seen);
        assert!(seen.contains_key(&2), "{dialect:?} {word}: {seen:?}");
    }
}

#[test]
fn i3_a_walk_of_an_earlier_version_goes_on() {
    let old = r#"{"by":"created","from":5,"until":null,"modified_since":null,"taken":[300],"taken_at":9,"taken_by":1,"alone":false,"crowd":[300,17],"stretch":{"to":9,"read":7,"last":8,"back":0}}"#;
    let walk: Walk = serde_json::from_str(old).unwrap();
    assert_eq!(walk, Walk { taken: vec![300], ..Walk::new(Key::Created, Some(5), None) });
    let old = r#"{"from":5,"until":9,"inclusive":true,"crowd":17,"read_at":8,"most":250,"held":null}"#;
    let walk: Walk = serde_json::from_str(old).unwrap();
    assert_eq!(walk, Walk { inclusive: true, most: 250, ..Walk::new(Key::Modified, Some(5), Some(9)) });
}
