use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What a shop makes of a query beside heeding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// It gives what is asked for; like 10.0.2, rows of one second come in any order.
    Plain,
    /// No more rows a page than these, whatever is asked for.
    Cap(usize),
    /// No counts in its headers.
    NoCount,
    /// `exclude` means nothing to it.
    NoExclude,
    /// `orderby=modified` sorts by something else.
    NoOrder,
    /// The same first page to every question.
    Frozen,
    /// `offset` means nothing to it.
    NoOffset,
    /// No more rows a page than these, and its count is that of the page.
    Counted(usize),
}

struct Shop {
    rows: BTreeMap<u64, i64>,
    seed: u64,
    habit: Habit,
    pages: u32,
}

impl Shop {
    fn new(rows: impl IntoIterator<Item = (u64, i64)>) -> Self {
        Self { rows: rows.into_iter().collect(), seed: 7, habit: Habit::Plain, pages: 0 }
    }

    fn page(&mut self, walk: &Walk, size: usize) -> Listed {
        self.pages += 1;
        self.seed = self.seed.wrapping_mul(6364136223846793005).wrapping_add(1);
        let walk = if self.habit == Habit::Frozen { &Walk::new(By::Modified, None, None) } else { walk };
        let mut rows: Vec<Row> = self.rows.iter().map(|(id, at)| Row { id: *id, at: *at }).collect();
        rows.retain(|row| walk.asks_for(row));
        rows.retain(|row| self.habit == Habit::NoExclude || !walk.taken.contains(&row.id));
        let total = rows.len() as u64;
        let offset = walk.stretch.map_or(0, |stretch| stretch.offset() as usize);
        match walk.stretch {
            Some(_) => rows.sort_by_key(|row| row.id),
            None if self.habit == Habit::NoOrder => rows.sort_by_key(|row| u64::MAX - row.id),
            None => rows.sort_by_key(|row| (row.at, row.id.wrapping_mul(self.seed | 1))),
        }
        if self.habit != Habit::NoOffset {
            rows.drain(..offset.min(rows.len()));
        }
        let size = walk.at_least(size);
        let size = if let Habit::Cap(most) | Habit::Counted(most) = self.habit { size.min(most) } else { size };
        rows.truncate(size);
        let total = if let Habit::Counted(_) = self.habit { rows.len() as u64 } else { total };
        // HPOS counts nothing where the page is empty.
        let total = Some(if rows.is_empty() { 0 } else { total }).filter(|_| self.habit != Habit::NoCount);
        let pages = total.map(|total| total.div_ceil(size as u64));
        Listed { length: rows.len() as u64, rows, total, pages }
    }

    fn last(&self, walk: &Walk) -> Option<Row> {
        let rows = self.rows.iter().map(|(id, at)| Row { id: *id, at: *at });
        rows.filter(|row| walk.end().is_none_or(|end| row.at <= end)).max_by_key(|row| row.at)
    }

    /// One page, and the walk after it; `None` at its end.
    fn step(&mut self, walk: &Walk, size: usize, now: i64) -> Result<(Vec<Row>, Option<Walk>), String> {
        let page = self.page(walk, size);
        let next = match walk.after(&page, size, now)? {
            Step::More(next) => Some(next),
            Step::End { hidden: 0 } => None,
            Step::End { hidden } => return Err(format!("{hidden} hidden")),
            Step::Unproven => match walk.after_nothing(self.last(walk)).ok_or("unproven")? {
                Step::More(next) => Some(next),
                _ => None,
            },
        };
        Ok((page.rows, next))
    }

    /// A whole walk; gives the ids met.
    fn walk(&mut self, size: usize) -> Result<BTreeSet<u64>, String> {
        let (mut seen, mut walk) = (BTreeSet::new(), Some(Walk::new(By::Modified, None, None)));
        while let Some(now) = walk {
            assert!(self.pages < 5_000, "it ends");
            let (rows, next) = self.step(&now, size, LATER)?;
            seen.extend(rows.iter().map(|row| row.id));
            walk = next;
        }
        Ok(seen)
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
        habit in prop::sample::select(vec![Habit::Plain, Habit::Cap(2), Habit::NoCount, Habit::NoExclude]),
    ) {
        let mut shop = Shop::new(times.into_iter().enumerate().map(|(id, at)| (id as u64 + 1, at)));
        (shop.seed, shop.habit) = (seed, habit);
        let mut changes = changes.into_iter();
        let mut clock = 12;
        let mut seen = BTreeMap::new();
        let mut walk = Some(Walk::new(By::Modified, None, None));
        while let Some(now) = walk {
            prop_assert!(shop.pages < 4000, "it ends");
            // Each page in a run of its own, as when every run is killed and the next goes on days
            // later.
            let now = now.resumed(u64::from(shop.pages) + 1, LATER);
            let (rows, next) = shop.step(&now, size, LATER).map_err(TestCaseError::fail)?;
            seen.extend(rows.iter().map(|row| (row.id, row.at)));
            walk = next;
            for id in changes.next().into_iter().flatten() {
                clock += 1;
                shop.rows.insert(id + 1, clock);
                // A change after the last page is for the next sync; its overlap covers it.
                if walk.is_none() {
                    shop.rows.remove(&(id + 1));
                    seen.remove(&(id + 1));
                }
            }
        }
        for (id, at) in &shop.rows {
            prop_assert_eq!(seen.get(id), Some(at), "order {}", id);
        }
    }
}

#[test]
fn i3_a_second_with_more_rows_than_can_be_left_out_is_walked_by_id() {
    let mut shop = Shop::new((1..=1000).map(|id| (id, 5)).chain([(2000, 4), (2001, 6)]));
    let (mut seen, mut walk) = (BTreeSet::new(), Some(Walk::new(By::Modified, None, None)));
    let mut gone = false;
    while let Some(now) = walk {
        if now.stretch.is_some_and(|stretch| stretch.read > 300) && !gone {
            // An order of the stretch goes to the bin: the page after it does not join.
            gone = shop.rows.remove(&3).is_some();
        }
        let (rows, next) = shop.step(&now, 100, 0).unwrap();
        seen.extend(rows.iter().map(|row| row.id));
        walk = next;
    }
    assert!(gone && shop.rows.keys().all(|id| seen.contains(id)));
}

#[test]
fn i3_the_work_for_orders_of_one_second_grows_with_their_number_only() {
    for rows in [301, 2_600, 20_000] {
        let mut shop = Shop::new((1..=rows).map(|id| (id, 5)));
        assert_eq!(shop.walk(100).unwrap().len() as u64, rows);
        assert!(u64::from(shop.pages) <= rows / 99 + 6, "{rows}: {} pages", shop.pages);
    }
}

#[test]
fn i3_a_shop_that_gives_or_heeds_less_is_read_to_its_end_all_the_same() {
    for habit in [Habit::Cap(10), Habit::NoCount, Habit::NoExclude, Habit::NoOrder] {
        let mut shop = Shop::new((1..=450).map(|id| (id, if id > 150 { 9 } else { (id % 7) as i64 })));
        shop.habit = habit;
        assert_eq!(shop.walk(100).unwrap().len(), 450, "{habit:?}");
    }
}

#[test]
fn i3_a_shop_that_cuts_its_pages_and_counts_what_it_gives_is_read_to_its_end() {
    for (rows, seconds) in [(54, 54), (40, 4), (400, 7), (450, 1)] {
        let mut shop = Shop::new((1..=rows).map(|id| (id, (id % seconds) as i64)));
        shop.habit = Habit::Counted(10);
        assert_eq!(shop.walk(100).unwrap().len() as u64, rows, "{rows} in {seconds}");
    }
}

#[test]
fn i3_a_doubt_that_gets_no_answer_leaves_it_at_the_count() {
    let walk = Walk { taken: vec![20], doubted: true, ..Walk::new(By::Modified, Some(20), None) };
    let rows: Vec<Row> = (1..=20).map(|id| Row { id, at: id as i64 }).collect();
    let again = Listed { length: 20, total: Some(20), pages: Some(1), rows };
    assert_eq!(walk.after(&again, 100, LATER), Ok(Step::End { hidden: 0 }));
    assert!(!walk.is_capped(&again));
    Walk { doubted: false, ..walk }.after(&again, 100, LATER).unwrap_err();
}

#[test]
fn q2_an_honest_count_is_doubted_once_at_most_and_never_where_nothing_is_new() {
    let pages = |rows: u64, walk: Walk| {
        let mut shop = Shop::new((1..=rows).map(|id| (id, id as i64)));
        let mut walk = Some(walk);
        while let Some(now) = walk {
            walk = shop.step(&now, 100, LATER).unwrap().1;
        }
        shop.pages
    };
    let new = Walk::new(By::Modified, None, None);
    let known = |known| Walk { known: Some(known), ..new.clone() };
    assert_eq!([0, 9, 10, 54, 99, 100, 154].map(|rows| pages(rows, new.clone())), [1, 1, 2, 2, 2, 1, 2]);
    assert_eq!((pages(54, known(54)), pages(54, known(53))), (1, 2));
    assert_eq!(pages(54, Walk { most: 60, ..known(0) }), 1, "more have come at once");
}

#[test]
fn i3_a_shop_that_heeds_nothing_ends_the_walk_with_an_error() {
    for (habit, most) in [(Habit::Frozen, 12), (Habit::NoOffset, 30)] {
        let mut shop = Shop::new((1..=450).map(|id| (id, if id > 50 { 9 } else { 8 })));
        shop.habit = habit;
        shop.walk(100).unwrap_err();
        assert!(shop.pages < most, "{habit:?}: {} pages", shop.pages);
    }
}

#[test]
fn i3_rows_that_are_counted_and_never_shown_are_told_at_the_end() {
    let census = Census { counted: Some(3), met: 2 };
    let stretch = Stretch { to: 9, read: 2, last: 8, back: 0, census };
    let walk = Walk { stretch: Some(stretch), ..Walk::new(By::Modified, Some(5), None) };
    let joining = Listed { rows: vec![Row { id: 8, at: 6 }], length: 1, total: Some(3), pages: Some(1) };
    let Ok(Step::More(behind)) = walk.after(&joining, 100, LATER) else { panic!("the rest of the list is read") };
    assert_eq!((behind.from, behind.hidden), (Some(10), 1));
    let nothing = Listed { total: Some(0), pages: Some(0), ..Listed::default() };
    assert_eq!(behind.after(&nothing, 100, LATER), Ok(Step::End { hidden: 1 }));
}

#[test]
fn i3_an_empty_page_proves_nothing_without_a_count() {
    let walk = Walk { taken: vec![7], ..Walk::new(By::Modified, Some(5), None) };
    assert_eq!(walk.after(&Listed::default(), 100, LATER), Ok(Step::Unproven));
    let counted = |total| Listed { total: Some(total), pages: Some(1), ..Listed::default() };
    assert_eq!(walk.after(&counted(0), 100, LATER), Ok(Step::End { hidden: 0 }));
    assert_eq!(walk.after(&counted(2), 100, LATER), Ok(Step::End { hidden: 2 }));
    walk.after(&Listed { total: Some(44), ..Listed::default() }, 100, LATER).unwrap_err();
    let past = |id, at| walk.is_past(Row { id, at });
    assert!(past(9, 4) && past(7, 5) && !past(8, 5) && !past(7, 6));
}

/// Reads a page of two rows at `read_at`, is killed, and reads the rest in another run; what it
/// reads then.
fn killed_and_resumed(read_at: i64, change: impl Fn(&mut Shop, u64)) -> Vec<Row> {
    let mut shop = Shop::new([(1, 5), (2, 5), (3, 5)]);
    let first = Walk::new(By::Modified, None, None).resumed(1, read_at);
    let (rows, mut walk) = shop.step(&first, 2, read_at).unwrap();
    change(&mut shop, rows[0].id);
    let mut seen = Vec::new();
    while let Some(now) = walk.map(|walk| walk.resumed(2, read_at + 1)) {
        let (rows, next) = shop.step(&now, 2, read_at + 1).unwrap();
        seen.extend(&rows);
        walk = next;
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
fn i3_a_walk_that_an_order_of_the_future_led_past_the_present_comes_back_with_the_next_run() {
    for by in [By::Modified, By::Created] {
        let led = Walk { taken: vec![7], taken_at: 5_000, taken_by: 1, ..Walk::new(by, Some(9_000_000), None) };
        assert_eq!(led.resumed(1, 5_001), led);
        let back = led.resumed(2, 90_000);
        assert_eq!((back.from, back.taken.is_empty()), (Some(4_400), true), "{by:?}");
    }
}

#[test]
fn i3_a_position_of_an_earlier_version_within_a_crowded_second_goes_on() {
    let old = r#"{"by":"modified","from":5,"until":null,"modified_since":null,"taken":[],"taken_at":9,"taken_by":1,"alone":false,"crowd":[300,17]}"#;
    let walk = serde_json::from_str::<Walk>(old).unwrap().resumed(2, LATER);
    assert_eq!((walk.from, walk.stretch), (Some(5 - 600), None), "near its present it reaches back");
    let old = old.replace("\"taken_at\":9", "\"taken_at\":900000");
    let walk = serde_json::from_str::<Walk>(&old).unwrap().resumed(2, LATER);
    assert_eq!(walk.stretch, Some(Stretch { to: 5, ..Stretch::default() }));
}

#[test]
fn q2_a_quick_walk_ends_with_its_last_page_and_one_that_stood_still_finishes_its_second_first() {
    let walk = Walk { taken: vec![7], taken_at: 1000, taken_by: 1, ..Walk::new(By::Modified, Some(5), None) };
    assert_eq!(walk.resumed(1, 1001), walk);
    let page = Listed { rows: vec![Row { id: 8, at: 6 }], length: 1, total: Some(1), pages: Some(1) };
    assert_eq!(walk.after(&page, 100, 1001), Ok(Step::End { hidden: 0 }));
    let none = Listed { total: Some(0), ..Listed::default() };
    for resumed in [walk.resumed(1, 1000 + COVERED_BY_OVERLAP), walk.resumed(2, 1001)] {
        assert!(resumed.alone);
        let Ok(Step::More(behind)) = resumed.after(&none, 100, 9000) else { panic!("{resumed:?}") };
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
