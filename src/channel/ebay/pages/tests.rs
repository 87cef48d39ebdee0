//! Walks over a list that moves: nothing of it is lost, and no walk is endless.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::list::row_for_tests;
use super::*;

const NOW: i64 = 1_795_000_000_000;

/// An account's orders: when each was changed last.
type Orders = BTreeMap<String, i64>;

/// Reads a list of such orders from `from` on, in pages of `size`; before each page, something
/// happens. Gives the newest version that was met of each, how many were told as unlisted, and how many
/// pages it took. `shows`: whether a row is given at all.
fn walk(
    orders: &mut Orders,
    size: usize,
    mut happens: impl FnMut(u64, i64, &mut Orders),
    shows: impl Fn(&str) -> bool,
) -> (Orders, u64, u64) {
    let (mut met, mut unlisted, mut pages, mut now) = (Orders::new(), 0, 0, NOW);
    let mut walk = Walk::of(Span { by: By::Modified, from: NOW - 10 * DAY, until: None });
    loop {
        now += 7_000;
        pages += 1;
        assert!(pages < 3_000, "{walk:?}");
        happens(pages, now, orders);
        let within = |at: i64| at >= walk.span.from && walk.span.until.is_none_or(|until| at <= until);
        let listed: Vec<(&String, &i64)> = orders.iter().filter(|(_, at)| within(**at)).collect();
        let page = listed.iter().skip(walk.offset as usize).take(size);
        let rows: Vec<Row> = page.filter(|(id, _)| shows(id)).map(|(id, at)| row_for_tests(id, **at)).collect();
        let total = listed.len() as u64;
        let more = walk.offset + (size as u64) < total;
        let (read, onward) = walk.after(Listed { rows, total: Some(total), more, warnings: Vec::new() }, now).unwrap();
        for row in &read.rows {
            met.insert(row.id.clone().unwrap(), row.modified.unwrap());
        }
        unlisted += read.unshown.iter().map(|one| one.unlisted).sum::<u64>();
        walk = match onward {
            Onward::More(walk) => walk,
            Onward::End(_) => return (met, unlisted, pages),
        };
    }
}

fn some(count: usize) -> Orders {
    let at = |n: usize| NOW - 9 * DAY + n as i64 * 1_234_567 % (8 * DAY);
    (0..count).map(|n| (format!("{:02}-{n:05}", n * 37 % 100), at(n))).collect()
}

#[test]
fn i3_a_list_that_holds_still_is_read_page_after_page_with_one_order_of_the_page_before() {
    for (count, size, most) in [(0, 10, 1), (7, 10, 1), (10, 10, 1), (11, 10, 5), (100, 10, 14), (500, 200, 6)] {
        let mut orders = some(count);
        let (met, unlisted, pages) = walk(&mut orders, size, |_, _, _| (), |_| true);
        assert_eq!((met, unlisted), (orders, 0), "{count}");
        assert!(pages <= most, "{count}: {pages}");
    }
}

#[test]
fn i3_orders_that_are_counted_and_not_listed_are_told_and_the_others_come() {
    let all =
        [(40, 200), (100, 10), (340, 200), (33, 10)].into_iter().flat_map(|of| (0..25).map(move |skip| (of, skip)));
    for ((count, size), skip) in all {
        let mut orders = some(count);
        let hidden: Vec<String> = orders.keys().skip(skip).step_by(25).cloned().collect();
        let is_hidden = |id: &str| hidden.iter().any(|hidden| hidden == id);
        let (met, unlisted, _) = walk(&mut orders, size, |_, _, _| (), |id| !is_hidden(id));
        orders.retain(|id, _| !is_hidden(id));
        assert_eq!((met, unlisted), (orders, hidden.len() as u64), "{count} {skip}");
    }
}

#[test]
fn i3_an_order_that_leaves_the_list_between_two_pages_takes_none_with_it() {
    let mut orders = some(60);
    // The first of the list: all behind it move up.
    let happens = |page: u64, now: i64, orders: &mut Orders| {
        if (2..6).contains(&page) {
            let first = orders.iter().filter(|(_, at)| **at < NOW).map(|(id, _)| id.clone()).next().unwrap();
            orders.insert(first, now);
        }
    };
    let (met, unlisted, _) = walk(&mut orders, 10, happens, |_| true);
    assert_eq!((met, unlisted), (orders, 0));
}

proptest! {
    /// Whatever changes, comes and however often, of each order the newest version is met that was there
    /// before the last page, and nothing is said to be missing.
    #[test]
    fn i3_nothing_is_lost_while_orders_change(
        count in 0usize..120, size in 2usize..30, until in 0u64..60,
        touched in prop::collection::vec((any::<prop::sample::Index>(), 0usize..3), 1..8),
    ) {
        let mut orders = some(count);
        let happens = |page: u64, now: i64, orders: &mut Orders| {
            if page > until {
                return;
            }
            let ids: Vec<String> = orders.keys().cloned().collect();
            for (which, new) in &touched {
                if !ids.is_empty() {
                    let nth = (which.index(ids.len()) + page as usize * 7) % ids.len();
                    orders.insert(ids[nth].clone(), now - 500);
                }
                for n in 0..*new {
                    orders.insert(format!("{:02}-new{page}{n}", page * 31 % 100), now - 400);
                }
            }
        };
        let (met, unlisted, _) = walk(&mut orders, size, happens, |_| true);
        prop_assert_eq!((met, unlisted), (orders, 0));
    }
}

#[test]
fn i3_a_first_sync_of_two_years_is_cut_into_months_that_join_the_newest_first() {
    let spans = slices(None, NOW);
    assert_eq!(spans.len(), 25);
    assert!(spans.iter().all(|span| span.by == By::Created && span.until.unwrap() - span.from <= MONTH));
    assert!(spans.windows(2).all(|pair| pair[1].until == Some(pair[0].from)));
    assert_eq!((spans[0].until, spans[24].from), (Some(NOW), list::reach(NOW)));
    let spans = slices(Some(NOW - 30 * DAY), NOW);
    assert!(spans.len() == MOST_SLICES as usize && spans.iter().all(|span| span.by == By::Modified));
    assert_eq!(spans[7].from, NOW - 30 * DAY);
}

#[test]
fn i4_orders_that_cannot_be_shown_are_named_by_the_one_before_them() {
    let begun = Walk { total: Some(30), ..Walk::of(Span { by: By::Modified, from: NOW - DAY, until: Some(NOW) }) };
    let why = Error::new(ErrorKind::Temporary, "eBay's server failed");
    let mut read = Read::default();
    let rows = ["1-1", "1-2"].map(|id| row_for_tests(id, NOW - DAY));
    let Onward::More(walk) = begun.clone().behind_hidden(&rows, 2, Some(30), &why, &mut read) else { panic!() };
    assert_eq!((walk.offset, walk.met), (3, 3));
    let walk = Walk { last: None, ..walk };
    let Onward::More(next) = walk.behind_hidden(&[], 3, Some(30), &why, &mut read) else { panic!() };
    assert_eq!((next.offset, next.met, next.hidden), (4, 4, 2));
    let Onward::End(_) = begun.behind_hidden(&rows, 29, Some(30), &why, &mut read) else { panic!() };
    let places: Vec<&str> = read.unshown.iter().map(|one| one.place.as_str()).collect();
    assert_eq!(places[0], "the order after 1-2 in eBay's list");
    assert!(places[1].starts_with("order 2 "), "{places:?}");
}
