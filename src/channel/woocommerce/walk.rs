//! A walk through the list of orders by a time that sorts it: always the first page above a moving lower bound, never page 2.
//!
//! Rows shift between pages while orders change, and WooCommerce 10.0 returns rows of the same second in any order (fact sheet, observed 6). So a
//! page is complete only up to its last second. The next request starts *at* that second and leaves out (`exclude`) the rows of it that
//! were read; nothing can fall between two pages.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Above this many rows in one second the request's address would get too long to leave them out one by one.
const TOO_MANY_TO_EXCLUDE: usize = 200;

/// A row that changes while it is left out is met by the next sync, which reaches back behind the newest row read. That holds only
/// while less time passes than it reaches back; a walk that stood still for longer (throttled) finishes its second on its own.
const COVERED_BY_OVERLAP: i64 = super::OVERLAP.as_secs() as i64 / 2;

/// The time that sorts a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Modification: for changes. An order that changes meanwhile moves ahead and is met again.
    Modified,
    /// Creation: for slices of a first sync. It does not move.
    Created,
}

/// Where a walk stands. Seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The time that sorts it.
    pub by: By,
    /// Everything before this second is read; `None`: from the beginning.
    pub from: Option<i64>,
    /// Up to and including this second; `None`: without end.
    pub until: Option<i64>,
    /// Only orders modified at or after this second.
    pub modified_since: Option<i64>,
    /// The rows of the second `from` that are read.
    pub taken: Vec<u64>,
    /// When they were read, by our clock.
    #[serde(default)]
    pub taken_at: i64,
    /// The run that read them.
    #[serde(default)]
    pub taken_by: u64,
    /// Only what is left of the second `from`, before the walk goes on behind it.
    #[serde(default)]
    pub alone: bool,
    /// More rows in one second than can be left out: how many of them, in the order of their ids, are read, and the last of them.
    pub crowd: Option<(u64, u64)>,
}

/// A row as the walk sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The order's id.
    pub id: u64,
    /// The time that sorts the walk.
    pub at: i64,
}

impl Walk {
    /// A walk from the second `from` on.
    pub fn new(by: By, from: Option<i64>, until: Option<i64>) -> Self {
        Self {
            by,
            from,
            until,
            modified_since: None,
            taken: Vec::new(),
            taken_at: 0,
            taken_by: 0,
            alone: false,
            crowd: None,
        }
    }

    /// The walk as `run` goes on with it at `now`. Rows that another run has left out, or this one long ago, may have changed since.
    ///
    /// They may stand further on now: left out there too they would be lost, so only the rest of their second is read without them.
    /// A walk that had come near the present may have left out more: rows that changed while the pages before were read, also
    /// within their own second. It reaches back as a new sync does.
    /// (An old one does not, so that runs that all break off after a page get on nevertheless.)
    pub fn resumed(&self, run: u64, now: i64) -> Self {
        let old = self.taken_by != run || (now - self.taken_at).abs() >= COVERED_BY_OVERLAP;
        let next = Self { taken_by: run, ..self.clone() };
        if !old || self.by == By::Created {
            return next;
        }
        let overlap = super::OVERLAP.as_secs() as i64;
        let young = self.from.filter(|second| self.taken_at - second < overlap);
        match (young, self.crowd) {
            // Nothing of it is read yet.
            (Some(_), _) if self.taken_at == 0 => next,
            (Some(second), _) => {
                Self { from: Some(second - overlap), taken: Vec::new(), alone: false, crowd: None, ..next }
            }
            (None, None) => Self { alone: !self.taken.is_empty() || self.alone, ..next },
            (None, Some(_)) => next,
        }
    }

    /// The query of the next page of `size` rows. Bounds are exclusive and in whole seconds there; times are bare GMT
    /// with `dates_are_gmt` (fact sheet, observed 1 and 2).
    pub fn query(&self, size: usize) -> Vec<(&'static str, String)> {
        let (after, before, orderby) = match self.by {
            By::Modified => ("modified_after", "modified_before", "modified"),
            By::Created => ("after", "before", "date"),
        };
        let mut query =
            vec![("per_page", size.to_string()), ("order", "asc".to_owned()), ("dates_are_gmt", "true".to_owned())];
        if let Some(from) = self.from {
            query.push((after, gmt(from - 1)));
        }
        let until = if self.crowd.is_some() || self.alone { self.from } else { self.until };
        if let Some(until) = until {
            query.push((before, gmt(until + 1)));
        }
        if let (By::Created, Some(since)) = (self.by, self.modified_since) {
            query.push(("modified_after", gmt(since - 1)));
        }
        match self.crowd {
            None => query.push(("orderby", orderby.to_owned())),
            Some((read, _)) => {
                query.push(("orderby", "id".to_owned()));
                // One row again, to see that the pages join.
                query.push(("offset", read.saturating_sub(1).to_string()));
            }
        }
        if !self.taken.is_empty() {
            let ids: Vec<String> = self.taken.iter().map(u64::to_string).collect();
            query.push(("exclude", ids.join(",")));
        }
        query
    }

    /// The walk after a page with these rows, read at `now`; `more` tells whether the shop has rows beyond them. `None`: the walk is at its end.
    pub fn after(&self, rows: &[Row], more: bool, now: i64) -> Option<Self> {
        if let Some(crowd) = self.crowd {
            return self.after_crowd(crowd, rows, more);
        }
        if !more {
            return if self.alone { self.behind() } else { None };
        }
        let last = rows.iter().map(|row| row.at).max()?;
        let mut taken: Vec<u64> = rows.iter().filter(|row| row.at == last).map(|row| row.id).collect();
        if self.from == Some(last) {
            taken.extend(&self.taken);
        }
        taken.sort_unstable();
        taken.dedup();
        let next = Self { from: Some(last), ..self.clone() };
        if taken.len() > TOO_MANY_TO_EXCLUDE {
            return Some(Self { taken: Vec::new(), taken_at: now, crowd: Some((0, 0)), ..next });
        }
        Some(Self { taken, taken_at: now, ..next })
    }

    /// Within a crowded second rows come by id. A page that does not join the one before it (a row went away) is read again from the start.
    fn after_crowd(&self, (read, last): (u64, u64), rows: &[Row], more: bool) -> Option<Self> {
        let joins = read == 0 || rows.first().is_some_and(|row| row.id == last);
        if !joins {
            return Some(Self { crowd: Some((0, 0)), ..self.clone() });
        }
        let overlap = u64::from(read > 0);
        match rows.last().filter(|_| more) {
            Some(row) => Some(Self { crowd: Some((read + rows.len() as u64 - overlap, row.id)), ..self.clone() }),
            None => self.behind(),
        }
    }

    /// The walk behind the second `from`, all of which is read.
    fn behind(&self) -> Option<Self> {
        let from = self.from.map(|second| second + 1);
        let over = matches!((from, self.until), (Some(from), Some(until)) if from > until);
        (!over).then(|| Self { from, taken: Vec::new(), alone: false, crowd: None, ..self.clone() })
    }
}

/// A second as the shop wants it: GMT without a zone.
pub fn gmt(seconds: i64) -> String {
    Timestamp::from_timestamp(seconds.max(0), 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// A shop's list as seen through a query: like 10.0.2, rows of one second come in any order.
    struct Shop {
        rows: BTreeMap<u64, i64>,
        seed: u64,
    }

    impl Shop {
        fn page(&mut self, walk: &Walk, size: usize) -> (Vec<Row>, bool) {
            self.seed = self.seed.wrapping_mul(6364136223846793005).wrapping_add(1);
            let until = if walk.crowd.is_some() || walk.alone { walk.from } else { walk.until };
            let mut rows: Vec<Row> = self
                .rows
                .iter()
                .map(|(id, at)| Row { id: *id, at: *at })
                .filter(|row| walk.from.is_none_or(|from| row.at >= from) && until.is_none_or(|until| row.at <= until))
                .filter(|row| !walk.taken.contains(&row.id))
                .collect();
            match walk.crowd {
                Some((read, _)) => {
                    rows.sort_by_key(|row| row.id);
                    rows.drain(..(read.saturating_sub(1) as usize).min(rows.len()));
                }
                None => rows.sort_by_key(|row| (row.at, row.id.wrapping_mul(self.seed | 1))),
            }
            let more = rows.len() > size;
            rows.truncate(size);
            (rows, more)
        }
    }

    /// So long after the rows' own times that their seconds are over.
    const LATER: i64 = 1_000_000;

    proptest! {
        /// While orders change between the pages, every order is met, in its last version.
        #[test]
        fn i3_a_walk_by_modification_meets_every_order_also_where_times_are_equal(
            times in prop::collection::vec(0i64..12, 1..40),
            changes in prop::collection::vec(prop::collection::vec(0u64..45, 0..6), 0..12),
            size in 1usize..8,
            seed in any::<u64>(),
        ) {
            let mut shop = Shop { rows: times.into_iter().enumerate().map(|(id, at)| (id as u64, at)).collect(), seed };
            let mut changes = changes.into_iter();
            let mut clock = 12;
            let mut seen = BTreeMap::new();
            let mut walk = Some(Walk::new(By::Modified, None, None));
            let mut pages = 0;
            while let Some(now) = walk {
                pages += 1;
                prop_assert!(pages < 2000, "it ends");
                // Each page in a run of its own, as when every run is killed and the next goes on days later.
                let now = now.resumed(pages, LATER);
                let (rows, more) = shop.page(&now, size);
                seen.extend(rows.iter().map(|row| (row.id, row.at)));
                walk = now.after(&rows, more, LATER);
                for id in changes.next().into_iter().flatten() {
                    clock += 1;
                    shop.rows.insert(id, clock);
                    // A change after the last page is for the next sync; its overlap covers it.
                    if walk.is_none() {
                        shop.rows.remove(&id);
                        seen.remove(&id);
                    }
                }
            }
            for (id, at) in &shop.rows {
                prop_assert_eq!(seen.get(id), Some(at), "order {}", id);
            }
        }
    }

    #[test]
    fn a_second_with_more_rows_than_can_be_left_out_is_walked_by_id() {
        let mut shop = Shop { rows: (1..=1000).map(|id| (id, 5)).chain([(2000, 4), (2001, 6)]).collect(), seed: 7 };
        let mut seen = std::collections::BTreeSet::new();
        let mut walk = Some(Walk::new(By::Modified, None, None));
        let mut gone = false;
        while let Some(now) = walk {
            if now.crowd.is_some_and(|(read, _)| read > 300) && !gone {
                // An order of the crowd goes to the bin: the pages after it no longer join.
                gone = shop.rows.remove(&3).is_some();
            }
            let (rows, more) = shop.page(&now, 100);
            seen.extend(rows.iter().map(|row| row.id));
            walk = now.after(&rows, more, 0);
        }
        assert!(gone && shop.rows.keys().all(|id| seen.contains(id)));
    }

    /// Reads a page of two rows at `read_at`, is killed, and reads the rest in another run; what it reads then.
    fn killed_and_resumed(read_at: i64, change: impl Fn(&mut Shop, u64)) -> Vec<Row> {
        let mut shop = Shop { rows: [(1, 5), (2, 5), (3, 5)].into(), seed: 7 };
        let first = Walk::new(By::Modified, None, None).resumed(1, read_at);
        let (rows, more) = shop.page(&first, 2);
        let mut walk = first.after(&rows, more, read_at);
        change(&mut shop, rows[0].id);
        let mut seen = Vec::new();
        while let Some(now) = walk.map(|walk| walk.resumed(2, read_at + 1)) {
            let (rows, more) = shop.page(&now, 2);
            seen.extend(&rows);
            walk = now.after(&rows, more, read_at + 1);
        }
        seen
    }

    #[test]
    fn i3_a_row_that_was_left_out_and_changed_before_the_next_run_is_met_between_others() {
        let seen = killed_and_resumed(LATER, |shop, id| shop.rows.extend([(id, 6), (7, 7), (8, 8), (9, 9), (10, 10)]));
        assert!(seen.iter().any(|row| row.at == 6) && seen.iter().filter(|row| row.at == 5).count() == 1, "{seen:?}");
    }

    #[test]
    fn i3_a_row_that_changes_again_in_the_second_in_which_it_was_read_is_read_again_by_the_next_run() {
        let seen = killed_and_resumed(5, |_, _| {});
        assert_eq!(seen.iter().filter(|row| row.at == 5).count(), 3, "{seen:?}");
    }

    #[test]
    fn q2_a_quick_walk_ends_with_its_last_page_and_one_that_stood_still_finishes_its_second_first() {
        let walk = Walk { taken: vec![7], taken_at: 1000, taken_by: 1, ..Walk::new(By::Modified, Some(5), None) };
        assert_eq!(walk.resumed(1, 1001), walk);
        assert_eq!(walk.after(&[Row { id: 8, at: 6 }], false, 1001), None);
        for resumed in [walk.resumed(1, 1000 + COVERED_BY_OVERLAP), walk.resumed(2, 1001)] {
            assert!(resumed.alone);
            let behind = resumed.after(&[], false, 9000).unwrap();
            assert_eq!((behind.from, behind.taken.is_empty(), behind.alone), (Some(6), true, false));
        }
    }

    #[test]
    fn bounds_are_bare_gmt_and_one_second_wider_because_the_shop_excludes_them() {
        let mut walk = Walk::new(By::Created, Some(1_795_000_000), Some(1_795_000_010));
        walk.modified_since = Some(1_794_000_000);
        walk.taken = vec![7, 8];
        let query = walk.query(50);
        let has = |name: &str, value: &str| query.iter().any(|(n, v)| *n == name && v == value);
        assert!(has("after", "2026-11-18T11:06:39") && has("before", "2026-11-18T11:06:51"), "{query:?}");
        assert!(has("dates_are_gmt", "true") && has("exclude", "7,8") && has("orderby", "date"));
        assert!(has("modified_after", &gmt(1_793_999_999)));
    }
}
