//! The search for an order that the channel cannot show: each list that holds it fails.
//!
//! Where a channel can ask for ids above one, the lowest id is searched up to which a list fails.
//! Ids do not move. Otherwise a list of a few ids that are asked for by name tells whether the
//! order is among them. Which ids may be its own, its neighbours tell: those beside it in the walk,
//! or, where dates run against ids, those beside it in the order of ids among all that were created
//! about then.

use super::read::{Batch, Entry, Fetched, List, Onward};
use super::{Bounds, ById, Count, Dialect, Key, Query, Row, Sort, Walk};
use crate::channel::Unshown;
use crate::channel::first_where::first_where;
use crate::channel::isolate::isolate;
use crate::error::{Error, ErrorKind, Result};

/// So many orders in a row that cannot be shown make one wonder whether it is the orders.
pub(super) const MANY: u32 = 3;

/// At most so many orders in a row are asked for by themselves, or passed in search of a neighbour.
const NEIGHBOURS: u64 = 12;

/// Ids further away than this are not looked through.
const FARTHEST: i64 = 1 << 40;

/// Of more ids between two neighbours than this, most are no orders at all; and of so many they are
/// looked through all the same, where nothing else helps.
const FEW: u64 = 300;
const MOST: u64 = 20_000;

/// Ids are mostly given out in a row: so many are asked for by themselves before they are searched.
const IN_A_ROW: u64 = 3;

/// How many ids are asked for at once, and how many rows.
const PAGE: usize = 100;

/// When the first web shop opened.
const FIRST: i64 = 800_000_000;

/// So many pages of orders that were created about then are looked through by ids, and so many
/// where those are too far away.
const FEW_PAGES: u64 = 3;
const MOST_PAGES: u64 = 20;

/// Names the order at which the walk stands and that the channel cannot show, and goes on behind
/// it; nothing where it is shown after all.
pub(super) fn past(list: &dyn List, at: &Walk, why: &Error, batch: &mut Batch) -> Result<Option<Onward>> {
    let (search, dialect) = (Search { list, at }, list.dialect());
    if let Some(ids) = at.by_id.as_ref().filter(|_| dialect.above) {
        return search.past_ids(ids, why, batch);
    }
    // A channel that cannot leave out an id cannot ask for one either.
    if dialect.leaves_out > 0 {
        let (before, after) = (batch.last.or(at.taken.last().copied()), search.next());
        let mut named = search.near(before, after.flatten().map(|row| row.id));
        if named.is_none()
            && let Ok(first) = list.first(&search.here(0), 0)
        {
            named = first.row.map(|row| row.id).filter(|id| matches!(search.fails_at(&[*id]), Ok(true)));
            if named.is_none() && !search.fails(&search.here(0))? {
                return Ok(None);
            }
        }
        if let Some(id) = named.or_else(|| search.find(before, after?)) {
            batch.unshown.push(Unshown::of(id.to_string(), why));
            batch.hidden.push(id);
            return Ok(Some(Onward::More(at.without(id))));
        }
    }
    if at.by_id.is_some() {
        search.past_place(why, batch)
    } else {
        search.past_second(why, batch).and_then(|found| found.map(Some).ok_or_else(|| nameless(why, at)))
    }
}

/// A walk by time, at a page of so many rows at which the channel fails, as one by places in the
/// order of ids: no farther than to the first row behind the page that comes, because far places
/// cannot be asked for everywhere.
pub(super) fn near(list: &dyn List, at: &Walk, size: usize) -> Result<Walk> {
    let page = at.query(&list.dialect(), size);
    for further in 0..NEIGHBOURS {
        let behind = Query { offset: page.offset + page.size as u64 + further, size: 1, ..page.clone() };
        match list.fetch(&behind, at, 0) {
            Ok(fetched) => {
                let row = fetched.rows.iter().find_map(|entry| entry.row);
                return Ok(row.map_or_else(|| at.all_by_id(), |row| at.near_by_id(row.at)));
            }
            // An outage is no fault of an order.
            Err(error) if error.is_too_much() => list.well()?,
            Err(error) => return Err(error),
        }
    }
    Ok(at.all_by_id())
}

/// Passes an order at which the walk stands and which is known not to be shown; nothing where it
/// stands at none.
pub(super) fn past_known(list: &dyn List, at: &Walk) -> Result<Option<(Batch, Onward)>> {
    let Some((ids, id)) = known_at(at) else { return Ok(None) };
    let (search, mut batch) = (Search { list, at }, Batch::default());
    let last = search.alone(ids.last.saturating_add(1), id.saturating_add(1), ids, &mut batch)?;
    let onward = search.behind(last, batch.len(), ids.clone());
    Ok(Some((batch, onward)))
}

/// The order at which a walk stands and which is known not to be shown.
pub(super) fn known_at(at: &Walk) -> Option<(&ById, u64)> {
    let ids = at.by_id.as_ref()?;
    Some((ids, ids.hidden().filter(|id| *id <= ids.last.saturating_add(2))?))
}

/// A channel that fails at a page of a single order, and does not when it is asked which.
fn nameless(why: &Error, at: &Walk) -> Error {
    let place = match (&at.by_id, at.from) {
        (Some(ids), _) => format!("after number {}", ids.last),
        (None, from) => format!("after {} UTC", super::after::utc(from.unwrap_or_default())),
    };
    let text = format!("{}; it fails even when asked for a single order ({place})", why.message());
    Error::new(ErrorKind::Temporary, text).hint(
        "an order that the channel itself cannot show; where it has an error log, that names the order. The next sync tries again by itself",
    )
}

struct Search<'a> {
    list: &'a dyn List,
    at: &'a Walk,
}

impl Search<'_> {
    fn fails(&self, query: &Query) -> Result<bool> {
        match self.list.fetch(query, self.at, 0) {
            Ok(_) => Ok(false),
            Err(error) if error.is_too_much() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The walk behind the first order that it stands at; nothing where that is shown. Ids are mostly
    /// given out one by one; elsewhere the lowest is searched at which a list fails.
    fn past_ids(&self, ids: &ById, why: &Error, batch: &mut Batch) -> Result<Option<Onward>> {
        let (before, next) = (batch.len(), ids.last.saturating_add(1));
        // Of bounds that may count or not, the order that a list fails at is this one or the next.
        let unsure = u64::from(self.list.dialect().bounds != Bounds::Inclusive);
        let (mut named, mut shown) = (None, 0);
        while named.is_none() && shown < IN_A_ROW {
            let id = next.saturating_add(shown);
            match self.list.one(id) {
                Err(error) if error.is_too_much() => named = Some((id, error)),
                Ok(None) => shown += 1,
                // It may be on the list, before the other.
                Ok(Some(_)) => break,
                Err(error) => return Err(error),
            }
        }
        let last = if let Some((id, error)) = named {
            batch.unshown.push(Unshown::of(id.to_string(), &error));
            batch.hidden.push(id);
            self.alone(id + 1, id + unsure, ids, batch)?
        } else if !self.fails(&self.at.query(&self.list.dialect(), 2))? {
            return Ok(None);
        } else {
            let id = self.lowest(ids, shown.cast_signed())?.ok_or_else(|| nameless(why, self.at))?;
            if id > next {
                self.up_to(id - 1, ids, batch)?;
            }
            self.alone(id, id.saturating_add(2 * unsure), ids, batch)?
        };
        Ok(Some(self.behind(last, batch.len() - before, ById { vain: ids.vain + 1, ..ids.clone() })))
    }

    /// Asks for each order from `first` to `last` by itself, and, where it must be known whether a
    /// bound counts, on to one that the channel does not fail at. Gives the last id. Those that are
    /// known are not asked for.
    fn alone(&self, first: u64, last: u64, ids: &ById, batch: &mut Batch) -> Result<u64> {
        let is_exact = self.list.dialect().bounds == Bounds::Inclusive;
        let mut at = first - 1;
        while (at < last || !is_exact) && at < first + NEIGHBOURS {
            at += 1;
            if ids.known.contains(&at) {
                continue;
            }
            match self.list.one(at) {
                Ok(order) => {
                    batch.orders.extend(order);
                    if at >= last {
                        break;
                    }
                }
                Err(error) if error.is_too_much() => {
                    batch.unshown.push(Unshown::of(at.to_string(), &error));
                    batch.hidden.push(at);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(at)
    }

    /// The walk from the id `last` on, after so many orders were met.
    fn behind(&self, last: u64, met: usize, ids: ById) -> Onward {
        let census = self.at.census.map(|census| census.meet(met as u64));
        let over = ids.up_to.is_some_and(|up_to| last >= up_to);
        let walk = Walk { by_id: Some(ById { last, ..ids }), census, begun: true, ..self.at.clone() };
        if over { Onward::Done(walk) } else { Onward::More(walk) }
    }

    /// Takes what comes before an order that fails: the question at which it failed was for more
    /// than one.
    fn up_to(&self, id: u64, ids: &ById, batch: &mut Batch) -> Result<()> {
        let by_id = Some(ById { up_to: Some(id), ..ids.clone() });
        let upto = Walk { by_id, ..self.at.clone() };
        let rows = self.list.fetch(&upto.query(&self.list.dialect(), 2), self.at, 1)?.rows;
        let wanted = |entry: &Entry| entry.row.is_none_or(|row| upto.wants(row.id));
        batch.join(Batch::of(rows.into_iter().filter(wanted).collect()));
        Ok(())
    }

    /// The lowest id of which a list up to the one after it fails: first ever farther, then in
    /// halves between. It is none of so many that come first.
    fn lowest(&self, ids: &ById, none: i64) -> Result<Option<u64>> {
        let fails = |distance: i64| {
            let up_to = ids.last.checked_add_signed(distance);
            let upto = Walk { by_id: Some(ById { up_to, ..ids.clone() }), ..self.at.clone() };
            self.fails(&upto.query(&self.list.dialect(), 2))
        };
        let (mut below, mut reach) = ((none - 1).max(0), none + 1);
        while !fails(reach)? {
            (below, reach) = (reach, reach * 2);
            if reach > FARTHEST {
                return Ok(None);
            }
        }
        let lowest = first_where(below + 1, reach, 1, |at| at.iter().map(|at| fails(*at)).collect())?;
        Ok(ids.last.checked_add_signed(lowest))
    }

    /// The walk behind the orders that nothing names and at which a stretch stands that is read by
    /// places: the first row behind them that comes tells where it goes on. Nothing where they are
    /// shown; an error where there are more of them in a row than are passed.
    fn past_place(&self, why: &Error, batch: &mut Batch) -> Result<Option<Onward>> {
        let Some(ids) = &self.at.by_id else { return Ok(None) };
        let (mut hidden, mut size) = (1, self.list.size());
        let fetched = loop {
            match self.page(&Query { size, ..self.here(hidden) }) {
                Err(error) if !error.is_too_much() => return Err(error),
                Err(_) if size > 1 => size = 1,
                Err(_) if hidden < NEIGHBOURS => hidden += 1,
                Err(_) => return Err(nameless(why, self.at)),
                Ok(fetched) => break fetched,
            }
        };
        // Where orders have left the stretch meanwhile, it is not at its place any more.
        if !self.fails(&self.here(0))? {
            return Ok(None);
        }
        let rows: Vec<Row> = fetched.rows.iter().filter_map(|entry| entry.row).collect();
        if !rows.is_sorted_by_key(|row| row.id) {
            return Err(self.list.odd("its rows are not in the order of their ids"));
        }
        let after = (ids.last > 0).then(|| format!(" after number {}", ids.last));
        let before = rows.first().map(|row| format!(" before number {}", row.id));
        let beside: Vec<String> = after.into_iter().chain(before).collect();
        for nth in 1..=hidden {
            let place = format!("order {nth} of {hidden}{}", beside.join(" and"));
            batch.unshown.push(Unshown { remote_id: None, place, why: why.message().to_owned(), unlisted: 0 });
        }
        // The next sync is not to meet it again.
        let is_last = rows.is_empty() && self.at.key == Key::Modified;
        batch.modified.extend(is_last.then(|| self.at.end().unwrap_or_else(|| self.list.now())));
        let read = ids.read.saturating_add(hidden).saturating_add(fetched.rows.len() as u64);
        let is_over =
            matches!(fetched.count, Count::OfPage(count) if count > fetched.rows.len() as u64 && read >= count);
        // That nothing comes behind them is no proof that nothing is there; their number is.
        if rows.is_empty() && !is_over && self.list.count(&self.here(0))?.is_none_or(|all| read < all) {
            return Err(nameless(why, self.at));
        }
        let census = self.at.census.map(|census| census.meet(fetched.rows.len() as u64 + hidden));
        let wanted = |entry: &Entry| entry.row.is_none_or(|row| self.at.wants(row.id));
        batch.join(Batch::of(fetched.rows.into_iter().filter(wanted).collect()));
        let last = rows.last().map_or(ids.last, |row| row.id.max(ids.last));
        let by_id = Some(ById { read, last, vain: ids.vain + 1, ..ids.clone() });
        let walk = Walk { by_id, census, begun: true, before: None, doubted: false, ..self.at.clone() };
        Ok(Some(if is_over || rows.is_empty() { walk.behind_stretch() } else { Onward::More(walk) }))
    }

    /// The walk behind the second of an order that nothing names. What else is in that second is
    /// read; by ids, which stay in order, where more than a page is in it, or more of what cannot be
    /// shown.
    fn past_second(&self, why: &Error, batch: &mut Batch) -> Result<Option<Onward>> {
        let said = self.list.dialect();
        let includes = self.includes();
        let dialect = if includes { Dialect { bounds: Bounds::Inclusive, ..said } } else { said };
        let at = Walk { inclusive: self.at.inclusive || includes, ..self.at.clone() };
        // Rows of one second may come in any order.
        let fails = |second: i64| {
            let up_to = Walk { until: Some(second), ..at.clone() };
            self.fails(&up_to.query(&dialect, PAGE))
        };
        // Its date may lie ahead.
        let behind = at.until.unwrap_or_else(|| self.list.now().saturating_mul(2));
        let from = at.from.unwrap_or(FIRST).min(behind);
        let second = first_where(from, behind, 1, |at| at.iter().map(|at| fails(*at)).collect())?;
        if includes && !fails(second)? {
            return self.beside_bounds(at, &dialect);
        }
        let taken = if at.from == Some(second) { at.taken.clone() } else { Vec::new() };
        let only = Walk { from: Some(second), until: Some(second), taken, ..at.clone() };
        if !fails(second)? || (at.from.is_none() && fails(second - 1)?) {
            return Ok(None);
        }
        // An outage is no fault of an order.
        self.list.well()?;
        let rest = Query { offset: 1, ..only.query(&dialect, PAGE) };
        let rest = (0..NEIGHBOURS).find_map(|_| self.list.fetch(&rest, self.at, 0).ok());
        let Some(rest) = rest.map(|rest| rest.rows).filter(|rest| rest.len() < PAGE) else {
            return Ok(Some(Onward::More(Walk { until: at.until, ..only }.tied(second))));
        };
        let census = at.census.map(|census| census.meet(rest.len() as u64 + 1));
        batch.join(Batch::of(rest));
        let place = format!("the order of {} UTC", super::after::utc(second));
        batch.unshown.push(Unshown { remote_id: None, place, why: why.message().to_owned(), unlisted: 0 });
        batch.modified.extend((at.key == Key::Modified).then_some(second));
        let over = at.until.is_some_and(|until| second >= until);
        let from = Some(second.saturating_add(1));
        let walk = Walk { from, taken: Vec::new(), before: None, doubted: false, begun: true, census, ..at };
        Ok(Some(if over { Onward::Done(walk) } else { Onward::More(walk) }))
    }

    /// Whether bounds include what lies on them, whatever is said of them: an order that can be
    /// shown proves it.
    fn includes(&self) -> bool {
        let sort = self.at.key.sort();
        let known = (0..NEIGHBOURS).find_map(|nth| self.rows(&self.query(sort, nth, 1)));
        let Some(row) = known.and_then(|rows| rows.first().copied()) else { return false };
        let bounds = (Some(row.at), Some(row.at));
        let on_them = match self.at.key {
            Key::Modified => Query { modified: bounds, ..self.query(sort, 0, 1) },
            Key::Created => Query { created: bounds, ..self.query(sort, 0, 1) },
        };
        self.rows(&Query { only: vec![row.id], ..on_them }).is_some_and(|rows| rows.contains(&row))
    }

    /// The walk where the order lies on a bound as it was sent, and is none of its. `at` asks for
    /// the exact second from now on.
    fn beside_bounds(&self, at: Walk, exact: &Dialect) -> Result<Option<Onward>> {
        if !self.at.inclusive {
            return Ok(Some(Onward::More(at)));
        }
        let is_read = at.until.is_some() && self.rows(&at.query(exact, PAGE)).is_some_and(|rows| rows.is_empty());
        let is_over = is_read && self.fails(&at.query(&self.list.dialect(), PAGE))?;
        Ok(is_over.then_some(Onward::Done(at)))
    }

    /// The id of the order, where its neighbours leave room for few. Ids are mostly given out in a
    /// row, so at an end it is taken for the next one.
    fn near(&self, before: Option<u64>, after: Option<u64>) -> Option<u64> {
        let ids = match (before, after) {
            (Some(one), Some(other)) => one.min(other).saturating_add(1)..one.max(other),
            (Some(before), None) => before.saturating_add(1)..before.saturating_add(2),
            (None, Some(after)) => after.saturating_sub(1)..after,
            (None, None) => return None,
        };
        if ids.end.saturating_sub(ids.start) > 3 {
            return None;
        }
        let mut ids = ids.filter(|id| !self.at.skip.contains(id));
        ids.find(|id| matches!(self.fails_at(&[*id]), Ok(true)))
    }

    /// The id of the order at which a list fails that can leave it out.
    fn find(&self, before: Option<u64>, after: Option<Row>) -> Option<u64> {
        let changed = after.map_or_else(|| self.list.now(), |after| after.at);
        let mut nearest = Neighbours(before, after.map(|after| after.id));
        self.beside(nearest, FEW)
            .or_else(|| self.by_creation(changed, &mut nearest))
            .or_else(|| self.beside(nearest, MOST))
    }

    /// A question for the row so much further on than the order, at which the walk stands.
    fn here(&self, further: u64) -> Query {
        let offset = self.at.by_id.as_ref().map_or(0, |ids| ids.read) + further;
        Query { size: 1, offset, ..self.at.query(&self.list.dialect(), 1) }
    }

    /// A question for this page of all orders, but for those that are left out.
    fn query(&self, sort: Sort, offset: u64, size: usize) -> Query {
        Query { without: self.at.skip.clone(), offset, size, ..Query::row(sort) }
    }

    /// A page of a list. Nothing may be no answer, most often once.
    fn page(&self, query: &Query) -> Result<Fetched> {
        let fetched = self.list.fetch(query, self.at, 0)?;
        if fetched.rows.is_empty() { self.list.fetch(query, self.at, 0) } else { Ok(fetched) }
    }

    fn rows(&self, query: &Query) -> Option<Vec<Row>> {
        let fetched = self.list.fetch(query, self.at, 0).ok()?;
        Some(fetched.rows.iter().filter_map(|entry| entry.row).collect())
    }

    /// The row behind it, if there is one; nothing where the channel fails at that too.
    fn next(&self) -> Option<Option<Row>> {
        (1..=NEIGHBOURS).find_map(|further| self.rows(&self.here(further)).map(|rows| rows.first().copied()))
    }

    /// The order, by the ids of its neighbours, where no more than so many are between them. Of
    /// more, and at an end, half as many are looked through beside each.
    fn beside(&self, neighbours: Neighbours, most: u64) -> Option<u64> {
        let (low, high) = match neighbours {
            Neighbours(Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
            // Behind the last order read, before the next one.
            Neighbours(before, after) => (before, after),
        };
        if let (Some(low), Some(high)) = (low, high)
            && (high - low <= most || most <= FEW)
        {
            return self.between(low, high, most);
        }
        let end = most / 2;
        let above = |low: u64| {
            let known = self.left_out(low, end, |id| id > low);
            let to = known.saturating_add(end).min(high.unwrap_or(u64::MAX));
            self.between(if to - low > most { known } else { low }, to, most)
        };
        let below = |high: u64| {
            let known = self.left_out(high, end, |id| id < high);
            let from = known.saturating_sub(end).max(low.unwrap_or(0));
            self.between(from, if high - from > most { known } else { high }, most)
        };
        low.and_then(above).or_else(|| high.and_then(below))
    }

    /// From an id on, to the farthest order of those that are left out on this side, where none is
    /// farther from the one before than so many: what is between was looked through when they were
    /// found.
    fn left_out(&self, from: u64, apart: u64, is_on_side: impl Fn(u64) -> bool) -> u64 {
        let mut known: Vec<u64> = self.at.skip.iter().copied().filter(|id| is_on_side(*id)).collect();
        known.sort_unstable_by_key(|id| id.abs_diff(from));
        known.into_iter().fold(from, |reached, id| if id.abs_diff(reached) <= apart { id } else { reached })
    }

    /// Whether the channel fails at one of these.
    fn fails_at(&self, ids: &[u64]) -> Result<bool> {
        self.fails(&Query { only: ids.to_vec(), ..self.query(Sort::Id, 0, ids.len()) })
    }

    /// The first between these ids that the channel fails at.
    fn between(&self, low: u64, high: u64, most: u64) -> Option<u64> {
        if high.saturating_sub(low) > most {
            return None;
        }
        let ids: Vec<u64> = (low.checked_add(1)?..high).filter(|id| !self.at.skip.contains(id)).collect();
        let ids = ids.chunks(PAGE).find(|ids| matches!(self.fails_at(ids), Ok(true)))?;
        let up_to = |nth: &i64| self.fails_at(ids.get(..=*nth as usize).unwrap_or_default());
        let nth = first_where(0, ids.len() as i64, 1, |at| at.iter().map(up_to).collect()).ok()?;
        ids.get(nth as usize).copied().filter(|id| matches!(self.fails_at(&[*id]), Ok(true)))
    }

    /// It, by when it was created: mostly not long before its last change, which is not after
    /// `changed`. Else the nearest of its neighbours that were come upon.
    fn by_creation(&self, changed: i64, nearest: &mut Neighbours) -> Option<u64> {
        // Rows of one second may come in any order: whether it is the first row is chance.
        let is_before = |at: i64| {
            let walk = self.at.query(&self.list.dialect(), PAGE);
            self.fails(&Query { created: (None, Some(at)), offset: 0, ..walk }).ok()
        };
        // Created from `low` on and before `high`.
        let (mut low, mut high, mut step) = (changed, changed + 1, 3_600);
        while is_before(low)? {
            (low, high) = (low - step, low);
            step *= 4;
            if low < FIRST {
                return None;
            }
        }
        let mut most = FEW_PAGES;
        loop {
            match self.places((Some(low - 1), Some(high)), most)? {
                Places::Many if most == FEW_PAGES && high - low > 1 => {
                    let middle = low + (high - low) / 2;
                    if is_before(middle)? { high = middle } else { low = middle }
                }
                Places::Many => return None,
                Places::Between(neighbours) => {
                    *nearest = neighbours;
                    if let Some(id) = self.beside(neighbours, FEW) {
                        return Some(id);
                    }
                    // Among more orders its neighbours are nearer.
                    (most, step) = (MOST_PAGES, (high - low).saturating_mul(2));
                    (low, high) = (low - step, high + step);
                    if low < FIRST {
                        return None;
                    }
                }
            }
        }
    }

    /// The ids next to the first order that fails, in the order of ids among those created then.
    fn places(&self, created: (Option<i64>, Option<i64>), most: u64) -> Option<Places> {
        let page = |offset, size| self.rows(&Query { created, ..self.query(Sort::Id, offset, size) });
        let (mut before, mut offset) = (None, 0);
        while let Some(rows) = page(offset, PAGE) {
            offset += PAGE as u64;
            if rows.len() < PAGE {
                return None;
            }
            if offset >= most * PAGE as u64 {
                return Some(Places::Many);
            }
            before = rows.last().map(|row| row.id);
        }
        let read = |at: &u64, size: usize| {
            let rows = self.list.fetch(&Query { created, ..self.query(Sort::Id, *at, size) }, self.at, 0)?.rows;
            Ok((rows.iter().filter_map(|entry| entry.row).collect::<Vec<Row>>(), Some(at + size as u64)))
        };
        let found = isolate(offset, PAGE, read, || Ok(())).ok()?;
        let (before, offset) = (found.rows.last().map(|row| row.id).or(before), found.at?);
        let after = (1..=NEIGHBOURS).find_map(|further| page(offset + further, 1));
        Some(Places::Between(Neighbours(before, after.and_then(|rows| rows.first().map(|row| row.id)))))
    }
}

/// The ids next to an order, or next to an end.
#[derive(Clone, Copy)]
struct Neighbours(Option<u64>, Option<u64>);

/// Where an order stands among others, in the order of ids.
enum Places {
    /// Behind more pages than are looked through.
    Many,
    /// Between these.
    Between(Neighbours),
}
