//! The search for an order that the channel cannot show: each list that holds it fails.
//!
//! Where a channel can ask for ids above one, the lowest id is searched up to which a list fails.
//! Ids do not move. Otherwise a list of a few ids that are asked for by name tells whether the
//! order is among them. Which ids may be its own, its neighbours tell: those beside it in the walk,
//! or, where dates run against ids, those beside it in the order of ids among all that were created
//! about then.

use super::read::{Batch, Entry, List, Onward};
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

/// Where ids are read one by one, no more of them are.
const SINGLES: u64 = 40;

/// How many ids are asked for at once, and how many rows.
const PAGE: usize = 100;

/// When the first web shop opened.
const FIRST: i64 = 800_000_000;

/// So many pages of orders that were created about then are looked through by ids, and so many
/// where those are too far away.
const FEW_PAGES: u64 = 3;
const MOST_PAGES: u64 = 20;

/// Names the order at which the walk stands and that the channel cannot show, and goes on behind
/// it. `before` is the id of the one read before it.
pub(super) fn past(list: &dyn List, at: &Walk, before: Option<u64>, why: &Error, batch: &mut Batch) -> Result<Onward> {
    let search = Search { list, at };
    match &at.by_id {
        Some(ids) if list.dialect().above => search.past_ids(ids, batch)?.ok_or_else(|| nameless(why, at)),
        // A channel that cannot leave out an id cannot ask for one either.
        _ => match search.find(before).filter(|_| list.dialect().leaves_out > 0) {
            Some(id) => {
                batch.unshown.push(Unshown::of(id.to_string(), why));
                batch.hidden.push(id);
                Ok(Onward::More(at.without(id)))
            }
            None if at.by_id.is_some() => search.past_place(why, batch)?.ok_or_else(|| nameless(why, at)),
            None => search.past_second(why, batch)?.ok_or_else(|| nameless(why, at)),
        },
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

/// How many of `size` rows are there at all from where the walk stands, in the order of ids.
pub(super) fn ahead(list: &dyn List, at: &Walk, size: usize) -> usize {
    let page = at.query(&list.dialect(), size);
    let behind = Query { offset: page.offset + page.size as u64, size: 1, ..page.clone() };
    let count = list.fetch(&behind, at, 0).ok().map(|fetched| fetched.count);
    match count {
        Some(Count::OfPage(count)) => usize::try_from(count.saturating_sub(page.offset)).unwrap_or(size).clamp(1, size),
        _ => size,
    }
}

/// Passes an order at which the walk stands and which is known not to be shown; nothing where it
/// stands at none.
pub(super) fn past_known(list: &dyn List, at: &Walk) -> Result<Option<(Batch, Onward)>> {
    let Some(ids) = &at.by_id else { return Ok(None) };
    let Some(id) = ids.hidden().filter(|id| *id <= ids.last.saturating_add(2)) else { return Ok(None) };
    let (search, mut batch) = (Search { list, at }, Batch::default());
    let last = search.alone(ids.last.saturating_add(1), id.saturating_add(1), ids, &mut batch)?;
    let onward = search.behind(last, batch.orders.len() + batch.hidden.len(), ids.clone());
    Ok(Some((batch, onward)))
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

    /// The walk behind the order with the lowest id that the channel cannot show; `None` where
    /// nothing fails.
    fn past_ids(&self, ids: &ById, batch: &mut Batch) -> Result<Option<Onward>> {
        let Some(id) = self.lowest(ids)? else { return Ok(None) };
        let before = (batch.orders.len(), batch.hidden.len());
        if id > ids.last + 1 {
            self.up_to(id - 1, ids, batch)?;
        }
        // Bounds that exclude make it this one, bounds that include the one after it.
        let last = self.alone(id, id.saturating_add(2), ids, batch)?;
        let met = batch.orders.len() - before.0 + batch.hidden.len() - before.1;
        Ok(Some(self.behind(last, met, ById { vain: ids.vain + 1, ..ids.clone() })))
    }

    /// Asks for each order from `first` to `last` by itself, and on to one that the channel does
    /// not fail at: that is the bound of what follows. Gives its id. Those that are known are not
    /// asked for.
    fn alone(&self, first: u64, last: u64, ids: &ById, batch: &mut Batch) -> Result<u64> {
        let mut at = first;
        for id in first..first.saturating_add(NEIGHBOURS) {
            at = id;
            if ids.known.contains(&id) {
                continue;
            }
            match self.list.one(id) {
                Ok(order) => batch.orders.extend(order),
                Err(error) if error.is_too_much() => {
                    batch.unshown.push(Unshown::of(id.to_string(), &error));
                    batch.hidden.push(id);
                    continue;
                }
                Err(error) => return Err(error),
            }
            if id >= last {
                break;
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
        batch.join(Batch::of(self.list, rows.into_iter().filter(wanted).collect())?);
        Ok(())
    }

    /// The lowest id of which a list up to the one after it fails: first ever farther, then in
    /// halves between.
    fn lowest(&self, ids: &ById) -> Result<Option<u64>> {
        let fails = |distance: i64| {
            let up_to = ids.last.checked_add_signed(distance);
            let upto = Walk { by_id: Some(ById { up_to, ..ids.clone() }), ..self.at.clone() };
            self.fails(&upto.query(&self.list.dialect(), 2))
        };
        let (mut below, mut reach) = (0, 1);
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
    /// places: the first row behind them that comes tells where it goes on. Nothing where there are
    /// more of them in a row than are passed.
    fn past_place(&self, why: &Error, batch: &mut Batch) -> Result<Option<Onward>> {
        let Some(ids) = &self.at.by_id else { return Ok(None) };
        let (mut ids, mut read, mut hidden) = (ids.clone(), Vec::new(), 0);
        let behind = loop {
            if read.len() as u64 > NEIGHBOURS {
                return Ok(None);
            }
            match self.entries(&self.here(read.len() as u64 + hidden)) {
                Ok(rows) if rows.is_empty() => break None,
                Ok(rows) => {
                    let row = rows.iter().find_map(|entry| entry.row);
                    read.extend(rows);
                    if hidden > 0 && row.is_some() {
                        break row;
                    }
                    // Before them: the page at which the channel failed began here.
                    ids.last = row.map_or(ids.last, |row| row.id.max(ids.last));
                }
                Err(error) if error.is_too_much() && hidden < NEIGHBOURS => hidden += 1,
                Err(error) if error.is_too_much() => return Ok(None),
                Err(error) => return Err(error),
            }
        };
        if hidden == 0 {
            return Ok(None);
        }
        // An outage is no fault of an order.
        self.list.well()?;
        let named = self.named(ids.last, behind.map(|row| row.id), hidden);
        // Where nothing else names them, their second does: it is the same in each walk.
        let is_named = self.asks_for_ids() || named.len() as u64 >= hidden;
        let own = if is_named { None } else { self.failing_second()? };
        let before = behind.filter(|_| own.is_none());
        let before = before.map_or(String::new(), |row| format!(" and before number {}", row.id));
        let second = super::after::utc(own.or(self.at.from).unwrap_or_default());
        for id in &named {
            batch.hidden.push(*id);
            // One that is known already was told.
            batch.unshown.extend((!self.at.skip.contains(id)).then(|| Unshown::of(id.to_string(), why)));
        }
        // Those that another list has may stand between them as well, and are told too.
        for nth in named.len() as u64 + 1..=hidden {
            let place = format!("order {nth} of {hidden} at {second} UTC after number {}{before}", ids.last);
            batch.unshown.push(Unshown { remote_id: None, place, why: why.message().to_owned(), unlisted: 0 });
        }
        // Bounds may count or not, so it may be the second after it, and is not to lie on the bound of
        // what is asked for next.
        let modified = own.map(|second| second.saturating_add(2)).or(self.at.from);
        batch.modified.extend(modified.filter(|_| self.at.key == Key::Modified));
        let census = self.at.census.map(|census| census.meet(read.len() as u64 + hidden));
        let read_on = ids.read.saturating_add(read.len() as u64).saturating_add(hidden);
        let wanted = |entry: &Entry| entry.row.is_none_or(|row| self.at.wants(row.id));
        batch.join(Batch::of(self.list, read.into_iter().filter(wanted).collect())?);
        let last = behind.map_or(ids.last, |row| row.id.max(ids.last));
        let by_id = Some(ById { read: read_on, last, vain: ids.vain + 1, ..ids });
        let walk = Walk { by_id, census, begun: true, before: None, doubted: false, ..self.at.clone() };
        Ok(Some(if behind.is_some() { Onward::More(walk) } else { walk.behind_stretch() }))
    }

    /// The second of the first order of a stretch that cannot be shown.
    fn failing_second(&self) -> Result<Option<i64>> {
        let by_time = Walk { by_id: None, taken: Vec::new(), ..self.at.clone() };
        let of_time = |until, size| Walk { until, ..by_time.clone() }.query(&self.list.dialect(), size);
        let from = match by_time.from {
            Some(from) => Some(from),
            None => self.rows(&Query { size: 1, ..of_time(self.at.end(), 1) }).and_then(|rows| Some(rows.first()?.at)),
        };
        let to = self.at.end().unwrap_or_else(|| self.list.now());
        let Some(from) = from.filter(|from| *from <= to) else { return Ok(None) };
        let fails = |second: i64| self.fails(&of_time(Some(second), PAGE));
        first_where(from, to, 1, |at| at.iter().map(|at| fails(*at)).collect()).map(Some)
    }

    /// The ids of so many orders that cannot be shown, which stand between these two, where these are
    /// so near to each other that ids can be read one by one.
    fn named(&self, before: u64, behind: Option<u64>, hidden: u64) -> Vec<u64> {
        if self.asks_for_ids() {
            return Vec::new();
        }
        let is_between = |id: &&u64| **id > before && behind.is_none_or(|behind| **id < behind);
        let mut named: Vec<u64> = self.at.skip.iter().filter(is_between).copied().collect();
        named.sort_unstable();
        if named.len() as u64 >= hidden {
            return named;
        }
        let Some(behind) = behind.filter(|behind| behind.saturating_sub(before) <= SINGLES && before > 0) else {
            return Vec::new();
        };
        named.clear();
        while let Some(id) = self.between(named.last().copied().unwrap_or(before), behind, SINGLES) {
            named.push(id);
        }
        named
    }

    /// Whether the channel can be asked for orders by their ids, several at once.
    fn asks_for_ids(&self) -> bool {
        self.list.dialect().leaves_out > 0
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
        batch.join(Batch::of(self.list, rest)?);
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

    /// The id of the order at which a list fails that can leave it out.
    fn find(&self, before: Option<u64>) -> Option<u64> {
        let by_place = || self.list.first(&self.here(0), 0).ok()?.row.map(|row| row.id);
        if let Some(id) = by_place().filter(|id| matches!(self.fails_at(&[*id]), Ok(true))) {
            return Some(id);
        }
        let after = self.next()?;
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
    fn entries(&self, query: &Query) -> Result<Vec<Entry>> {
        let rows = self.list.fetch(query, self.at, 0)?.rows;
        if rows.is_empty() { Ok(self.list.fetch(query, self.at, 0)?.rows) } else { Ok(rows) }
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
        self.fails(&Query { only: ids.to_vec(), ..self.query(Sort::Id, 0, PAGE) })
    }

    /// The first between these ids that the channel fails at.
    fn between(&self, low: u64, high: u64, most: u64) -> Option<u64> {
        if !self.asks_for_ids() {
            let few = low.checked_add(1).filter(|_| high.saturating_sub(low) <= most.min(SINGLES))?;
            return (few..high).find(|id| self.list.one(*id).is_err_and(|error| error.is_too_much()));
        }
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
