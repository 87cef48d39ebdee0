//! How a first sync is divided into slices that are read side by side.
//!
//! Where a channel can ask for ids above one, a slice is a stretch of ids: they are given out one
//! by one, so the orders in stretches of equal length are about as many. Elsewhere it is a stretch
//! of creation times between the orders at certain places of the list.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use serde::Serialize;

use super::changes::{Lists, Position, Rest, clock};
use super::read::{First, List};
use super::{Key, Query, Row, Sort, Walk};
use crate::channel::census::SURELY_BEFORE;
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

/// How many orders there are, and the newest of them, where that comes with it.
fn survey(list: &dyn List, since: Option<i64>) -> Result<(Option<u64>, Option<Newest>)> {
    if list.dialect().counts_with_pages {
        return Newest::ask(list, since).map(|newest| (newest.count, Some(newest)));
    }
    Ok((list.count(&row(Sort::Id, since))?, None))
}

/// The order that was modified last, those with dates in the future aside.
#[derive(Debug, Clone, Copy)]
struct Newest {
    row: Option<Row>,
    /// How many orders there are, where that comes with it.
    count: Option<u64>,
    /// When it was asked for, by the channel's clock.
    asked_at: i64,
}

impl Newest {
    fn ask(list: &dyn List, since: Option<i64>) -> Result<Self> {
        let before = |now: i64| {
            let query = row(Sort::Modified, since);
            let began = list.our_now();
            let query = Query { descending: true, modified: (query.modified.0, Some(now.saturating_add(1))), ..query };
            let First { row, count } = first(list, &query)?;
            // The channel's clock is known by now.
            let asked_at = list.now().saturating_sub(list.our_now().saturating_sub(began));
            Ok(Self { row, count, asked_at })
        };
        let found: Self = before(list.now())?;
        let now = list.now();
        if found.row.is_some_and(|row| row.at > now) { before(now) } else { Ok(found) }
    }
}

/// The slices of so many orders, and when the newest order was modified; `None` where the channel
/// does not show where they could be cut. The newest is asked for once, and what does not hang on
/// another answer at once.
fn divide<L: Lists + Sync>(
    lists: &L,
    since: Option<i64>,
    many: u64,
    newest: Option<Newest>,
) -> Result<Option<(Vec<Walk>, i64)>> {
    let list = lists.list(None);
    let dialect = list.dialect();
    if newest.is_some_and(|newest| newest.row.is_none()) {
        return Ok(None);
    }
    let pages = many / (SLICE_PAGES * list.size() as u64);
    let walks = pages.clamp(IN_FLIGHT, MOST_SLICES) / IN_FLIGHT * IN_FLIGHT;
    let count = walks.saturating_sub(lists.walks_beside()).max(1);
    let ask_newest = || match newest {
        Some(newest) => Ok(newest),
        None => Newest::ask(lists.list(None).as_ref(), since),
    };
    if !dialect.above {
        let slices = by_creation(lists, since, many, count)?;
        return Ok(ask_newest()?.row.map(|newest| (slices, newest.at)));
    }
    let end = |descending| {
        let query = Query { descending, ..row(Sort::Id, since) };
        first(lists.list(None).as_ref(), &query).map(|end| end.row)
    };
    let (low, high, newest) = std::thread::scope(|scope| {
        let (low, newest) = (scope.spawn(|| end(false)), scope.spawn(ask_newest));
        let high = end(true);
        (joined(low), high, joined(newest))
    });
    let (low, high, newest) = (low?, high?, newest?);
    let (Some(low), Some(high), Some(last)) = (low, high, newest.row) else { return Ok(None) };
    check_ends(list.as_ref(), [low, high], &newest)?;
    let before = low.id.saturating_sub(1);
    let bounds: Vec<u64> = slices::cuts(high.id - before, count).map(|cut| before.saturating_add(cut)).collect();
    let walks = slices::parts(before, &bounds).map(|(after, up_to)| Walk::of_ids(after, up_to, (since, None)));
    Ok(Some((walks.collect(), last.at)))
}

/// Holds the orders with the lowest and the highest id against each other and the newest one. What
/// is modified once that was asked for, may be newer.
fn check_ends(list: &dyn List, [low, high]: [Row; 2], newest: &Newest) -> Result<()> {
    let is_missed = |row: &Row| {
        newest.row.is_some_and(|newest| row.at > newest.at) && row.at < newest.asked_at.saturating_sub(SURELY_BEFORE)
    };
    if low.id > high.id || [low, high].iter().any(is_missed) {
        return Err(list.odd("orders came in another order than the one asked for: a filter was ignored"));
    }
    Ok(())
}

/// What a thread gives.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The farthest place in the list that can be asked for, up to this one, and the order there: a
/// channel may refuse nearer ones than it says.
pub(super) fn reached(list: &dyn List, since: Option<i64>, most: u64) -> Result<(u64, Option<Row>)> {
    let mut place = most.max(1);
    loop {
        match first(list, &Query { offset: place, ..row(Sort::Created, since) }) {
            Err(error) if place > 1 && error.kind() == ErrorKind::Failed => place /= 2,
            found => return found.map(|first| (place, first.row)),
        }
    }
}

/// A place in the order of creation: so many orders behind the one that was created then.
type Place = (Option<i64>, u64);

/// About so many slices of equal size by creation times, found by looking at single rows; several
/// at a time.
fn by_creation<L: Lists + Sync>(lists: &L, since: Option<i64>, many: u64, count: u64) -> Result<Vec<Walk>> {
    let list = lists.list(None);
    let last = slices::cuts(many, count).last().unwrap_or(1);
    let known = list.dialect().farthest.map(|most| reached(list.as_ref(), since, most.min(last))).transpose()?;
    let farthest = known.map_or(u64::MAX, |(place, _)| place);
    let created_at = |place: &Place| -> Result<Option<i64>> {
        let (behind, offset) = *place;
        let query = Query { created: (behind, None), offset, ..row(Sort::Created, since) };
        let found = match known {
            Some((place, row)) if (None, place) == (behind, offset) => row,
            _ => first(lists.list(None).as_ref(), &query)?.row,
        };
        Ok(found.map(|row| row.at))
    };
    let (mut base, mut places): (Place, Vec<Place>) = ((None, 0), Vec::new());
    for place in slices::cuts(many, count) {
        while place - base.1 > farthest {
            match created_at(&(base.0, farthest))? {
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
    for bound in side_by_side(&places, created_at) {
        bounds.extend(bound?.map(Some));
    }
    bounds.sort_unstable();
    bounds.dedup();
    let slice = |(from, behind): (Option<i64>, Option<Option<i64>>)| {
        Walk::new(Key::Created, from, behind.flatten().map(|behind| behind - 1)).modified_since(since)
    };
    Ok(slices::parts(None, &bounds).map(slice).collect())
}

/// The answers to these questions, several of which are asked at a time: a thread whose question is
/// answered takes the next one.
fn side_by_side<Q: Sync, A: Send>(questions: &[Q], ask: impl Fn(&Q) -> Result<A> + Sync) -> Vec<Result<A>> {
    let next = AtomicUsize::new(0);
    let answers = || {
        let mut answers = Vec::new();
        while let Some(question) = questions.get(next.fetch_add(1, Ordering::Relaxed)) {
            answers.push(ask(question));
            // What comes behind it would be for nothing.
            if answers.last().is_some_and(Result::is_err) {
                next.store(questions.len(), Ordering::Relaxed);
            }
        }
        answers
    };
    std::thread::scope(|scope| {
        let threads = (questions.len() as u64).min(IN_FLIGHT);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(answers)).collect();
        threads.into_iter().flat_map(joined).collect()
    })
}
