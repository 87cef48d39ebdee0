//! How a first sync is divided into slices that are read side by side.
//!
//! Where a channel can ask for ids above one, a slice is a stretch of ids: they are given out one
//! by one, so the orders in stretches of equal length are about as many. Elsewhere it is a stretch
//! of creation times between the orders at certain places of the list.

use serde::Serialize;

use super::changes::{Lists, Position, Rest, clock};
use super::read::{First, List};
use super::{Key, Query, Sort, Walk};
use crate::channel::checkpoint::Checkpoint;
use crate::channel::isolate::REPEATS;
use crate::channel::{Cursor, Plan, Range, slices};
use crate::error::{ErrorKind, Result};

/// A first sync of more pages than this is cut into slices.
const WORTH_SLICING: u64 = 3;

/// Pages in a slice, and the most slices.
const SLICE_PAGES: u64 = 10;
const MOST_SLICES: u64 = 16;

/// So many pages are in flight, and the number of walks is a multiple of it: with ten slices, two
/// would be read at the end while half of the threads look on.
const IN_FLIGHT: u64 = 4;

/// The walks that read every order of a range.
pub(crate) fn plan<L: Lists + Sync>(lists: &L, range: &Range) -> Result<Plan> {
    let since = range.since.map(|at| at.timestamp());
    let key = if lists.lists_changes() { Key::Modified } else { Key::Created };
    if let Some(until) = range.until {
        let walk = Walk::new(key, since, Some(until.timestamp())).modified_since(since);
        return alone(&Position::<L::Extra>::Slice(walk), None);
    }
    let list = lists.list(None);
    let (total, newest) = if lists.lists_changes() { survey(list.as_ref(), since)? } else { (None, None) };
    let many = total.filter(|total| *total > WORTH_SLICING * list.size() as u64);
    let divided = match many {
        Some(many) => divide(lists, since, many, newest)?,
        None => None,
    };
    let now = list.now();
    let Some((slices, newest)) = divided else {
        // One walk reads it all.
        let mut rest = Rest::new(Checkpoint::new(since), lists.extra(now));
        let from = rest.at.begin(lists.overlap(), clock(list.as_ref()));
        return alone(&Position::Changes(rest, Box::new(Walk::new(key, from, None))), total);
    };
    let slices =
        slices.into_iter().map(|walk| Cursor::new(&Position::<L::Extra>::Slice(walk))).collect::<Result<_>>()?;
    // What changes or is placed while the slices are read is modified after the newest order of
    // now.
    let at = Checkpoint::seen(Some(newest.min(now)), lists.overlap(), now);
    Ok(Plan { slices, changes: Cursor::new(&Position::Rest(Rest::new(at, lists.extra(now))))?, total })
}

fn alone<X: Serialize>(changes: &Position<X>, total: Option<u64>) -> Result<Plan> {
    Ok(Plan { slices: Vec::new(), changes: Cursor::new(changes)?, total })
}

/// A question for one row of all orders modified from `since` on.
fn row(sort: Sort, since: Option<i64>) -> Query {
    Query { modified: (since.map(|since| since - 1), None), ..Query::row(sort) }
}

/// The first row of a list; nothing where it is too much. An order that cannot be shown may be the
/// row: one walk reads it all then, and looks more closely at what the channel fails at.
fn first(list: &dyn List, query: &Query) -> Result<First> {
    match list.first(query, REPEATS) {
        Err(error) if error.is_too_much() => Ok(First::default()),
        first => first,
    }
}

/// How many orders there are, and when the newest of them was modified, where that comes with it.
fn survey(list: &dyn List, since: Option<i64>) -> Result<(Option<u64>, Option<i64>)> {
    if list.dialect().counts_with_pages {
        return newest(list, since).map(|first| (first.count, first.row.map(|row| row.at)));
    }
    Ok((list.count(&row(Sort::Id, since))?, None))
}

/// The order that was modified last, those with dates in the future aside.
fn newest(list: &dyn List, since: Option<i64>) -> Result<First> {
    let before = |now: i64| {
        let query = row(Sort::Modified, since);
        first(list, &Query { descending: true, modified: (query.modified.0, Some(now.saturating_add(1))), ..query })
    };
    let found = before(list.now())?;
    // The channel's clock is known by now.
    let now = list.now();
    if found.row.is_some_and(|row| row.at > now) { before(now) } else { Ok(found) }
}

/// The slices of so many orders, and when the newest order was modified; `None` where the channel
/// does not show where they could be cut.
fn divide<L: Lists + Sync>(
    lists: &L,
    since: Option<i64>,
    many: u64,
    newest: Option<i64>,
) -> Result<Option<(Vec<Walk>, i64)>> {
    let list = lists.list(None);
    let dialect = list.dialect();
    if dialect.counts_with_pages && newest.is_none() {
        return Ok(None);
    }
    let pages = many / (SLICE_PAGES * list.size() as u64);
    let walks = pages.clamp(IN_FLIGHT, MOST_SLICES) / IN_FLIGHT * IN_FLIGHT;
    let count = walks.saturating_sub(lists.walks_beside()).max(1);
    if !dialect.above {
        let slices = by_creation(lists, since, many, count)?;
        let newest = if newest.is_some() { newest } else { self::newest(list.as_ref(), since)?.row.map(|row| row.at) };
        return Ok(newest.map(|newest| (slices, newest)));
    }
    let end = |descending| first(list.as_ref(), &Query { descending, ..row(Sort::Id, since) }).map(|end| end.row);
    let (low, high) = (end(false)?, end(true)?);
    let newest = self::newest(list.as_ref(), since)?.row;
    let (Some(low), Some(high), Some(newest)) = (low, high, newest) else { return Ok(None) };
    let now = list.now();
    if low.id > high.id || [low, high].iter().any(|row| row.at > newest.at && row.at <= now) {
        return Err(list.odd("orders came in another order than the one asked for: a filter was ignored"));
    }
    let before = low.id.saturating_sub(1);
    let bounds: Vec<u64> = slices::cuts(high.id - before, count).map(|cut| before.saturating_add(cut)).collect();
    let walks = slices::parts(before, &bounds).map(|(after, up_to)| Walk::of_ids(after, up_to, (since, None)));
    Ok(Some((walks.collect(), newest.at)))
}

/// The farthest place in the list that can be asked for, up to this one: a channel may refuse nearer
/// ones than it says.
pub(super) fn reached(list: &dyn List, since: Option<i64>, most: u64) -> Result<u64> {
    let mut place = most.max(1);
    loop {
        match first(list, &Query { offset: place, ..row(Sort::Created, since) }) {
            Err(error) if place > 1 && error.kind() == ErrorKind::Failed => place /= 2,
            found => return found.map(|_| place),
        }
    }
}

/// About so many slices of equal size by creation times, found by looking at single rows; several
/// at a time.
fn by_creation<L: Lists + Sync>(lists: &L, since: Option<i64>, many: u64, count: u64) -> Result<Vec<Walk>> {
    let list = lists.list(None);
    // The order at a place: so many behind the one that was created then.
    let created_at = |(behind, offset): (Option<i64>, u64)| -> Result<Option<i64>> {
        let query = Query { created: (behind, None), offset, ..row(Sort::Created, since) };
        Ok(first(lists.list(None).as_ref(), &query)?.row.map(|row| row.at))
    };
    let last = slices::cuts(many, count).last().unwrap_or(1);
    let farthest = list.dialect().farthest.map(|most| reached(list.as_ref(), since, most.min(last))).transpose()?;
    let farthest = farthest.unwrap_or(u64::MAX);
    let (mut base, mut places) = ((None, 0), Vec::new());
    for place in slices::cuts(many, count) {
        while place - base.1 > farthest {
            match created_at((base.0, farthest))? {
                // As many in one second as places can be asked for.
                Some(at) if base.0 != Some(at) => base = (Some(at), base.1 + farthest),
                _ => break,
            }
        }
        if place - base.1 <= farthest {
            places.push((base.0, place - base.1));
        }
    }
    let mut bounds = Vec::new();
    for chunk in places.chunks(IN_FLIGHT as usize) {
        let found: Vec<Result<Option<i64>>> = std::thread::scope(|scope| {
            let threads: Vec<_> = chunk.iter().map(|place| scope.spawn(|| created_at(*place))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or(Ok(None))).collect()
        });
        for bound in found {
            bounds.extend(bound?.map(Some));
        }
    }
    bounds.sort_unstable();
    bounds.dedup();
    let slice = |(from, behind): (Option<i64>, Option<Option<i64>>)| {
        Walk::new(Key::Created, from, behind.flatten().map(|behind| behind - 1)).modified_since(since)
    };
    Ok(slices::parts(None, &bounds).map(slice).collect())
}
