//! Walks through the list of orders by a key: always the first page above a moving lower bound,
//! never page 2.
//!
//! Offset paging over a list that moves skips rows: an order that changes leaves its place and
//! everything behind it moves up. So a walk by modification time asks again from the last second of
//! the page it got, and meets the rows of that second twice rather than never; the book knows an
//! order that it has. A second that fills a page is read by id. A walk by id, for the slices of a
//! first sync, needs no such care: ids do not move.
//!
//! Whether BigCommerce's date bounds are inclusive is not documented. A bound one second lower is
//! right either way; the first row that lies *on* a bound proves that it is inclusive, and from
//! then on the exact second is asked for.

use serde::{Deserialize, Serialize};

use crate::channel::census::{Census, SURELY_BEFORE};
use crate::clock::Timestamp;

/// Asking again further back begins after a walk has stood still for so many seconds: what changed
/// late in seconds that were read already is otherwise covered by how far the next sync reaches
/// back.
const STALE: i64 = super::OVERLAP.as_secs() as i64 / 2;

/// A row as a walk sees it: its id, and its modification time in seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The order's id.
    pub id: u64,
    /// When it was modified.
    pub at: i64,
}

/// A page as a walk sees it.
pub struct Seen<'a> {
    /// Its rows, in the store's order.
    pub rows: &'a [Row],
    /// Whether there may be more behind it.
    pub full: bool,
    /// When it was asked for, by the store's clock. What was modified after that may stand in a
    /// place that it has already left.
    pub asked_at: i64,
}

/// Fewer rows than this, none of them new, are taken for a whole page: no server gives so few where
/// more are there.
const FEW: usize = 10;

/// A walk as it is held against the store's count of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held<K> {
    /// What the store counts, and what was met.
    pub census: Census,
    /// Where the walk began.
    pub from: K,
    /// Orders that a later page lists once more, or that lie on the bounds and are none of the
    /// walk's.
    pub edge: Vec<u64>,
}

/// A way through the list.
pub trait Walking: Sized + Clone {
    /// The parameters of the next page of `size` rows.
    fn query(&self, size: usize) -> Vec<(&'static str, String)>;

    /// Whether the page is one that was asked for: misnamed filters are ignored in silence and the
    /// whole list comes back.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, seen: &Seen<'_>) -> Result<(), &'static str>;

    /// The walk after the page; `None` at its end.
    fn after(&self, seen: &Seen<'_>) -> Option<Self>;

    /// Whether a page that is shorter than asked for may have been cut by a server that gives no
    /// more at once, so that the shop's own count has to say.
    fn may_be_cut(&self, rows: &[Row]) -> bool;

    /// Whether no page of it was read yet.
    fn is_new(&self) -> bool;

    /// The walk after a page with these rows and so many that have no place, where it is held
    /// against a count: one that was taken with its first page.
    fn hold(&mut self, before: &Self, rows: &[Row], nameless: u64, count: Option<u64>);

    /// The walk from its beginning, for another count of what it was to meet before its last page
    /// was asked for; `None` where it has met as many as were counted, or is held against no count.
    fn in_doubt(&self, asked_at: i64) -> Option<Self>;

    /// How many orders this count and the first one hold, and no page has shown. The last one has
    /// these rows.
    fn missing(&self, count: u64, rows: &[Row], asked_at: i64) -> u64;

    /// Whether an empty page has to be proven by the store's own count: not where a sync asks for
    /// what is newer than all that is known.
    fn is_owed(&self) -> bool {
        true
    }

    /// Whether the row is one of this walk's, not the bound row of the page before or another
    /// slice's.
    fn wants(&self, row: Row) -> bool {
        let _ = row;
        true
    }
}

/// A walk by modification time. Seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Everything modified before this second is read; `None`: from the beginning.
    pub from: Option<i64>,
    /// Up to and including this second; `None`: without end.
    pub until: Option<i64>,
    /// It is proven that bounds are inclusive.
    pub inclusive: bool,
    /// The second `from` fills a page: it is read by id, up to and including this one.
    pub crowd: Option<u64>,
    /// When the last page was asked for; 0 before the first.
    pub read_at: i64,
    /// Up to here everything is in the book already.
    #[serde(default)]
    pub known: Option<i64>,
    /// The most rows that a page of this walk had: a shorter one is the last.
    #[serde(default)]
    pub most: usize,
    /// Its count, where it has one.
    #[serde(default)]
    pub held: Option<Held<Option<i64>>>,
}

impl Changes {
    /// A walk from the second `from` on.
    pub fn new(from: Option<i64>, until: Option<i64>) -> Self {
        Self { from, until, inclusive: false, crowd: None, read_at: 0, known: None, most: 0, held: None }
    }

    /// The walk as it is taken up at `now`: after a long stand-still it looks again at what may
    /// have changed late.
    pub fn resumed(&self, now: i64) -> Self {
        let again = self.read_at - super::OVERLAP.as_secs() as i64;
        match self.from.filter(|from| self.read_at > 0 && now - self.read_at > STALE && *from > again) {
            Some(_) => Self { from: Some(again), crowd: None, read_at: now, held: None, ..self.clone() },
            None => self.clone(),
        }
    }

    /// The lower bound as it is sent.
    fn bound(&self) -> Option<i64> {
        self.from.map(|from| if self.inclusive { from } else { from - 1 })
    }

    fn proven(&self, rows: &[Row]) -> bool {
        self.inclusive || self.bound().is_some_and(|bound| rows.iter().any(|row| row.at == bound))
    }

    fn after_crowd(&self, after: u64, seen: &Seen<'_>) -> Option<Self> {
        let last = seen.rows.iter().map(|row| row.id).max().filter(|last| seen.full && *last > after);
        if last.is_some() {
            return Some(Self { crowd: last, ..self.clone() });
        }
        let from = self.from.map(|second| second + 1);
        let over = matches!((from, self.until), (Some(from), Some(until)) if from > until);
        (!over).then(|| Self { from, crowd: None, ..self.clone() })
    }
}

/// The newest second up to which the page is surely complete. A row that was modified while the
/// page was made shows its new time in its old place; going on from there would leave out all
/// between.
fn settled(seen: &Seen<'_>) -> Option<i64> {
    let calm = seen.rows.iter().map(|row| row.at).filter(|at| *at < seen.asked_at - 1).max();
    calm.or_else(|| seen.rows.iter().map(|row| row.at).min())
}

impl Walking for Changes {
    fn query(&self, size: usize) -> Vec<(&'static str, String)> {
        let mut query = vec![("limit", size.to_string())];
        query.extend(self.bound().map(|bound| ("min_date_modified", iso(bound))));
        let until = if self.crowd.is_some() { self.from } else { self.until };
        query.extend(until.map(|until| ("max_date_modified", iso(until + 1))));
        match self.crowd {
            None => query.push(("sort", "date_modified:asc".to_owned())),
            Some(after) => {
                query.push(("sort", "id:asc".to_owned()));
                query.extend((after > 0).then(|| ("min_id", after.to_string())));
            }
        }
        query
    }

    fn check(&self, seen: &Seen<'_>) -> Result<(), &'static str> {
        if self.bound().is_some_and(|bound| seen.rows.iter().any(|row| row.at < bound)) {
            return Err("orders that were modified before the time asked for");
        }
        let until = if self.crowd.is_some() { self.from } else { self.until };
        if until.is_some_and(|until| seen.rows.iter().any(|row| row.at > until.saturating_add(1))) {
            return Err("orders that were modified after the time asked for");
        }
        if let Some(after) = self.crowd {
            return in_order(seen.rows.iter().map(|row| row.id), after);
        }
        let calm = seen.rows.iter().map(|row| row.at).filter(|at| *at < seen.asked_at - 1);
        in_order(calm, i64::MIN)
    }

    fn after(&self, seen: &Seen<'_>) -> Option<Self> {
        let most = self.most.max(seen.rows.len());
        let next = Self { inclusive: self.proven(seen.rows), read_at: seen.asked_at, most, ..self.clone() };
        if let Some(after) = self.crowd {
            return next.after_crowd(after, seen);
        }
        let last = settled(seen).filter(|_| seen.full)?;
        if self.until.is_some_and(|until| last > until) {
            return None;
        }
        if self.from.is_none_or(|from| last > from) {
            return Some(Self { from: Some(last), ..next });
        }
        // No step forward: the page was filled by the bound's second, which is now known to be
        // included, or by the second itself.
        if next.inclusive && !self.inclusive {
            return Some(next);
        }
        Some(Self { crowd: Some(0), ..next })
    }

    fn is_new(&self) -> bool {
        self.most == 0
    }

    fn hold(&mut self, before: &Self, rows: &[Row], nameless: u64, count: Option<u64>) {
        let first =
            || count.map(|count| Held { census: Census::default().count(count), from: before.from, edge: vec![] });
        let held = if before.is_new() { first() } else { before.held.clone() };
        let Some(mut held) = held else { return };
        // The second before the bound is listed with every page; it was met with the first.
        let own = |row: &&Row| before.is_new() || before.from.is_none_or(|from| row.at >= from);
        let again = |row: &&Row| before.crowd.is_some_and(|after| row.id <= after) || held.edge.contains(&row.id);
        let fresh = rows.iter().filter(own).filter(|row| !again(row)).count() as u64;
        held.census = held.census.meet(fresh + nameless);
        if before.crowd.is_none() {
            let stays = self.from == before.from;
            let listed = rows.iter().filter(|row| self.from.is_none_or(|from| row.at >= from)).map(|row| row.id);
            held.edge = listed.chain(held.edge.iter().copied().filter(|_| stays)).collect();
            held.edge.sort_unstable();
            held.edge.dedup();
        }
        self.held = Some(held);
    }

    fn in_doubt(&self, asked_at: i64) -> Option<Self> {
        let held = self.held.as_ref().filter(|held| held.census.missing() > 0)?;
        let settled = asked_at - SURELY_BEFORE;
        // One second less than was asked for: its bound is one wider.
        let until = Some(self.until.map_or(settled, |until| (until - 1).min(settled)));
        Some(Self { inclusive: false, ..Self::new(held.from, until) })
    }

    fn missing(&self, count: u64, rows: &[Row], asked_at: i64) -> u64 {
        let later = rows.iter().filter(|row| row.at > asked_at - SURELY_BEFORE).count() as u64;
        self.held.as_ref().map_or(0, |held| held.census.count(count.saturating_add(later)).missing())
    }

    fn is_owed(&self) -> bool {
        self.most > 0 || self.known.is_none_or(|known| self.from.is_none_or(|from| from <= known))
    }

    fn may_be_cut(&self, rows: &[Row]) -> bool {
        let news = rows.iter().any(|row| self.known.is_none_or(|known| row.at > known));
        rows.len() >= self.most && !rows.is_empty() && (news || rows.len() >= FEW)
    }
}

/// A walk by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Ids up to and including this one are read, or another slice's.
    pub after: u64,
    /// Up to and including this id; `None`: without end.
    pub until: Option<u64>,
    /// Only orders modified at or after this second.
    pub modified_since: Option<i64>,
    /// Only orders modified up to and including this second.
    #[serde(default)]
    pub modified_until: Option<i64>,
    /// The most rows that a page of this walk had: a shorter one is the last.
    #[serde(default)]
    pub most: usize,
    /// How many orders in a row the store could not show.
    #[serde(default)]
    pub vain: u32,
    /// Orders that the store could not show when it was last read.
    #[serde(default)]
    pub shut: Vec<u64>,
    /// Its count, where it has one.
    #[serde(default)]
    pub held: Option<Held<u64>>,
}

impl Slice {
    /// The ids after this one, up to and including `until`.
    pub fn new(after: u64, until: Option<u64>, modified_since: Option<i64>) -> Self {
        Self { after, until, modified_since, modified_until: None, most: 0, vain: 0, shut: Vec::new(), held: None }
    }
}

impl Walking for Slice {
    fn query(&self, size: usize) -> Vec<(&'static str, String)> {
        let mut query = vec![("limit", size.to_string()), ("sort", "id:asc".to_owned())];
        // One id wider at both ends, so that it does not matter whether they count.
        query.extend((self.after > 0).then(|| ("min_id", self.after.to_string())));
        query.extend(self.until.map(|until| ("max_id", (until + 1).to_string())));
        query.extend(self.modified_since.map(|since| ("min_date_modified", iso(since - 1))));
        query.extend(self.modified_until.map(|until| ("max_date_modified", iso(until + 1))));
        query
    }

    fn check(&self, seen: &Seen<'_>) -> Result<(), &'static str> {
        if self.until.is_some_and(|until| seen.rows.iter().any(|row| row.id > until.saturating_add(1))) {
            return Err("orders beyond the number asked for");
        }
        if self.modified_since.is_some_and(|since| seen.rows.iter().any(|row| row.at < since - 1)) {
            return Err("orders that were modified before the time asked for");
        }
        if self.modified_until.is_some_and(|until| seen.rows.iter().any(|row| row.at > until.saturating_add(1))) {
            return Err("orders that were modified after the time asked for");
        }
        in_order(seen.rows.iter().map(|row| row.id), self.after)
    }

    fn after(&self, seen: &Seen<'_>) -> Option<Self> {
        let last = seen.rows.iter().map(|row| row.id).max().filter(|last| seen.full && *last > self.after)?;
        let over = self.until.is_some_and(|until| last >= until);
        (!over).then(|| Self { after: last, most: self.most.max(seen.rows.len()), vain: 0, ..self.clone() })
    }

    fn may_be_cut(&self, rows: &[Row]) -> bool {
        rows.len() >= self.most && !rows.is_empty()
    }

    fn is_new(&self) -> bool {
        self.most == 0
    }

    fn hold(&mut self, before: &Self, rows: &[Row], nameless: u64, count: Option<u64>) {
        let first =
            || count.map(|count| Held { census: Census::default().count(count), from: before.after, edge: vec![] });
        let held = if before.is_new() { first() } else { before.held.clone() };
        let Some(mut held) = held else { return };
        let (own, others): (Vec<Row>, Vec<Row>) = rows.iter().partition(|row| before.wants(**row));
        held.census = held.census.meet(own.len() as u64 + nameless);
        // Each page begins with the last of the one before.
        held.edge.extend(others.iter().map(|row| row.id).filter(|id| before.is_new() || *id > before.after));
        self.held = Some(held);
    }

    fn in_doubt(&self, asked_at: i64) -> Option<Self> {
        let held = self.held.as_ref().filter(|held| held.census.missing() > held.edge.len() as u64)?;
        let settled = asked_at - SURELY_BEFORE;
        // One id and one second less than was asked for at either end: the bounds are one wider.
        let until = self.until.map(|until| until.saturating_sub(1));
        let modified_until = Some(self.modified_until.map_or(settled, |until| (until - 1).min(settled)));
        let from = held.from.saturating_add(1);
        Some(Self { modified_until, ..Self::new(from, until, self.modified_since.map(|since| since + 1)) })
    }

    fn missing(&self, count: u64, _: &[Row], _: i64) -> u64 {
        self.held.as_ref().map_or(0, |held| held.census.count(count).missing())
    }

    fn wants(&self, row: Row) -> bool {
        row.id > self.after && self.until.is_none_or(|until| row.id <= until)
    }
}

fn in_order<T: PartialOrd + Copy>(keys: impl Iterator<Item = T>, first: T) -> Result<(), &'static str> {
    let mut last = first;
    for key in keys {
        if key < last {
            return Err("orders in another order than the one asked for");
        }
        last = key;
    }
    Ok(())
}

/// A second as the API takes it: ISO 8601 in UTC.
pub fn iso(seconds: i64) -> String {
    Timestamp::from_timestamp(seconds.max(0), 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// A store's list as seen through a query, with bounds of either kind and rows of one second in
    /// any order.
    struct Store {
        rows: BTreeMap<u64, i64>,
        inclusive: bool,
        most: usize,
        seed: u64,
        clock: i64,
    }

    impl Store {
        fn page(&mut self, query: &[(&'static str, String)]) -> (Vec<Row>, usize) {
            let text = |name: &str| query.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone());
            let time = |name: &str| text(name).map(|t| chrono::DateTime::parse_from_rfc3339(&t).unwrap().timestamp());
            let id = |name: &str| text(name).map(|t| t.parse::<u64>().unwrap());
            let edge = i64::from(!self.inclusive);
            let wanted = |row: &Row| {
                time("min_date_modified").is_none_or(|min| row.at >= min + edge)
                    && time("max_date_modified").is_none_or(|max| row.at <= max - edge)
                    && id("min_id").is_none_or(|min| row.id >= min + edge as u64)
                    && id("max_id").is_none_or(|max| row.id <= max - edge as u64)
            };
            let mut rows: Vec<Row> = self.rows.iter().map(|(id, at)| Row { id: *id, at: *at }).filter(wanted).collect();
            self.seed = self.seed.wrapping_mul(6364136223846793005).wrapping_add(1);
            match text("sort").as_deref() {
                Some("id:asc") => rows.sort_by_key(|row| row.id),
                Some("date_modified:asc") => rows.sort_by_key(|row| (row.at, row.id.wrapping_mul(self.seed | 1))),
                other => panic!("sorted by {other:?}"),
            }
            let size = text("limit").unwrap().parse::<usize>().unwrap();
            rows.truncate(size.min(self.most));
            (rows, size)
        }

        /// How many orders there are by the store's own count.
        fn count(&mut self, query: &[(&'static str, String)]) -> usize {
            let most = std::mem::replace(&mut self.most, usize::MAX);
            let mut query = query.to_vec();
            query.retain(|(name, _)| *name != "limit");
            query.push(("limit", usize::MAX.to_string()));
            let (rows, _) = self.page(&query);
            self.most = most;
            rows.len()
        }

        /// Reads `walk` to its end; between the pages, orders change.
        fn walk<W: Walking>(&mut self, walk: W, size: usize, changes: Vec<u64>) -> BTreeMap<u64, i64> {
            let (mut seen, mut walk, mut changes, mut pages) = (BTreeMap::new(), Some(walk), changes.into_iter(), 0);
            while let Some(now) = walk {
                pages += 1;
                assert!(pages < 4000, "it ends");
                let (rows, asked) = self.page(&now.query(size));
                let full = rows.len() >= asked || (now.may_be_cut(&rows) && self.count(&now.query(asked)) > rows.len());
                let page = Seen { rows: &rows, full, asked_at: self.clock + 10 };
                now.check(&page).unwrap();
                seen.extend(rows.iter().filter(|row| now.wants(**row)).map(|row| (row.id, row.at)));
                walk = now.after(&page);
                if let (Some(id), true) = (changes.next(), walk.is_some()) {
                    self.clock += 1;
                    self.rows.insert(id, self.clock);
                }
            }
            seen
        }
    }

    fn store(times: &[i64], inclusive: bool, most: usize, seed: u64) -> Store {
        let rows = times.iter().enumerate().map(|(id, at)| (id as u64 + 1, 100 + *at)).collect();
        Store { rows, inclusive, most, seed, clock: 120 }
    }

    proptest! {
        /// Bounds inclusive or exclusive, however few rows the store gives, however many share a
        /// second, while orders change: every order is met in its last version.
        #[test]
        fn i3_a_walk_by_modification_meets_every_order_in_its_last_version(
            times in prop::collection::vec(0i64..12, 1..60),
            changes in prop::collection::vec(1u64..65, 0..20),
            size in 2usize..40,
            most in 2usize..50,
            inclusive: bool,
            from in prop::option::of(95i64..105),
            seed: u64,
        ) {
            let mut store = store(&times, inclusive, most, seed);
            let seen = store.walk(Changes::new(from, None), size, changes);
            for (id, at) in store.rows.iter().filter(|(_, at)| from.is_none_or(|from| **at >= from)) {
                prop_assert_eq!(seen.get(id), Some(at), "order {}", id);
            }
        }

        /// Slices by id partition the list, whatever the bounds mean.
        #[test]
        fn i3_slices_by_id_meet_every_order_once(
            times in prop::collection::vec(0i64..12, 1..60),
            cut in 0u64..60,
            size in 2usize..40,
            inclusive: bool,
            seed: u64,
        ) {
            let mut store = store(&times, inclusive, 50, seed);
            let low = store.walk(Slice::new(0, Some(cut), Some(100)), size, Vec::new());
            let high = store.walk(Slice::new(cut, None, Some(100)), size, Vec::new());
            let ids = |seen: &BTreeMap<u64, i64>| seen.keys().copied().collect::<BTreeSet<_>>();
            prop_assert!(ids(&low).is_disjoint(&ids(&high)));
            prop_assert_eq!(ids(&low).len() + ids(&high).len(), store.rows.len());
        }

        /// A range that ends is read up to its end and ends.
        #[test]
        fn a_range_is_read_to_its_end(times in prop::collection::vec(0i64..12, 1..60), size in 2usize..20, inclusive: bool, seed: u64) {
            let mut store = store(&times, inclusive, 50, seed);
            let seen = store.walk(Changes::new(Some(103), Some(106)), size, Vec::new());
            for (id, _) in store.rows.iter().filter(|(_, at)| (103..=106).contains(*at)) {
                prop_assert!(seen.contains_key(id));
            }
        }
    }

    fn rows(times: &[i64]) -> Vec<Row> {
        times.iter().enumerate().map(|(id, at)| Row { id: id as u64 + 1, at: *at }).collect()
    }

    #[test]
    fn a_filter_or_a_sort_that_is_ignored_stops_the_walk() {
        let walk = Changes::new(Some(100), None);
        let check = |times: &[i64]| walk.check(&Seen { rows: &rows(times), full: true, asked_at: 900 });
        assert!(check(&[99, 100, 200]).is_ok(), "the bound is one second lower");
        assert!(check(&[98, 100]).is_err());
        assert!(check(&[100, 200, 150]).is_err());
        assert!(
            check(&[100, 899, 150]).is_ok(),
            "an order that changes while the page is made stands in its old place"
        );
        let slice = Slice::new(7, Some(9), None);
        let check = |ids: &[u64]| {
            let rows: Vec<Row> = ids.iter().map(|id| Row { id: *id, at: 1 }).collect();
            slice.check(&Seen { rows: &rows, full: false, asked_at: 9 })
        };
        assert!(check(&[7, 8, 10]).is_ok() && check(&[6]).is_err() && check(&[11]).is_err() && check(&[9, 8]).is_err());
    }

    #[test]
    fn a_row_that_changes_while_its_page_is_made_does_not_carry_the_walk_away() {
        let walk = Changes::new(Some(100), None);
        let next = walk.after(&Seen { rows: &rows(&[100, 900, 150]), full: true, asked_at: 900 }).unwrap();
        assert_eq!(next.from, Some(150));
    }

    #[test]
    fn a_walk_that_stood_still_looks_again_and_a_quick_one_does_not() {
        let walk = Changes { read_at: 10_000, ..Changes::new(Some(9_990), None) };
        assert_eq!(walk.resumed(10_010), walk);
        assert_eq!(walk.resumed(20_000).from, Some(10_000 - super::super::OVERLAP.as_secs() as i64));
        let far_back = Changes { read_at: 10_000, ..Changes::new(Some(500), None) };
        assert_eq!(far_back.resumed(20_000).from, Some(500));
    }

    #[test]
    fn bounds_are_encoded_as_the_api_takes_them() {
        let query = Changes::new(Some(1_795_000_000), Some(1_795_000_010)).query(250);
        let has = |name: &str, value: &str| query.iter().any(|(n, v)| *n == name && v == value);
        assert!(has("min_date_modified", "2026-11-18T11:06:39+00:00"), "{query:?}");
        assert!(has("max_date_modified", "2026-11-18T11:06:51+00:00") && has("limit", "250"));
    }
}
