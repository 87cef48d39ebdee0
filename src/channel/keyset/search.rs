//! The search for an order that the channel cannot show: each list that holds it fails.
//!
//! Where a channel can ask for ids above one, the lowest id is searched up to which a list fails.
//! Ids do not move. Otherwise a list of a few ids that are asked for by name tells whether the
//! order is among them. Which ids may be its own, its neighbours tell: those beside it in the walk,
//! or, where dates run against ids, those beside it in the order of ids among all that were created
//! about then.

use super::read::{Batch, Entry, List, Onward};
use super::{ById, Query, Row, Sort, Walk};
use crate::channel::Unshown;
use crate::error::{Error, ErrorKind, Result};

/// So many orders in a row that cannot be shown make one wonder whether it is the orders.
pub(super) const MANY: u32 = 3;

/// At most so many orders in a row are asked for by themselves, or passed in search of a neighbour.
const NEIGHBOURS: u64 = 12;

/// Ids further away than this are not looked through.
const FARTHEST: u64 = 1 << 40;

/// Of more ids between two neighbours than this, most are no orders at all.
const MOST: u64 = 300;

/// How many ids are asked for at once, and how many rows.
const PAGE: usize = 100;

/// How far beyond the last order's id.
const BEYOND: u64 = 150;

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
        _ => {
            let id = search.find(before).ok_or_else(|| nameless(why, at))?;
            batch.unshown.push(Unshown::of(id.to_string(), why));
            batch.hidden.push(id);
            Ok(Onward::More(at.without(id)))
        }
    }
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
        // Bounds that exclude make it this one, bounds that include the one after it; and the bound
        // of what follows is none that fails.
        let mut last = id;
        for next in id..id.saturating_add(NEIGHBOURS) {
            last = next;
            match self.list.one(next) {
                Ok(order) => batch.orders.extend(order),
                Err(error) if error.is_too_much() => {
                    batch.unshown.push(Unshown::of(next.to_string(), &error));
                    batch.hidden.push(next);
                    continue;
                }
                Err(error) => return Err(error),
            }
            if next >= id + 2 {
                break;
            }
        }
        let met = batch.orders.len() - before.0 + batch.hidden.len() - before.1;
        let census = self.at.census.map(|census| census.meet(met as u64));
        let by_id = Some(ById { last, vain: ids.vain + 1, ..ids.clone() });
        let walk = Walk { by_id, census, begun: true, ..self.at.clone() };
        let over = ids.up_to.is_some_and(|up_to| last >= up_to);
        Ok(Some(if over { Onward::Done(walk) } else { Onward::More(walk) }))
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
        let fails = |distance: u64| {
            let up_to = ids.last.checked_add(distance);
            let upto = Walk { by_id: Some(ById { up_to, ..ids.clone() }), ..self.at.clone() };
            self.fails(&upto.query(&self.list.dialect(), 2))
        };
        let (mut below, mut reach) = (0, 1);
        // One that is known already is not looked for again.
        let known = ids.known.iter().filter_map(|id| id.checked_sub(ids.last)).filter(|distance| *distance > 2).min();
        if let Some(known) = known
            && !fails(known - 2)?
        {
            (below, reach) = (known - 2, known);
        }
        while !fails(reach)? {
            (below, reach) = (reach, reach * 2);
            if reach > FARTHEST {
                return Ok(None);
            }
        }
        while reach - below > 1 {
            let middle = below + (reach - below) / 2;
            if fails(middle)? { reach = middle } else { below = middle }
        }
        Ok(ids.last.checked_add(reach))
    }

    /// The id of the order at which a list fails that can leave it out.
    fn find(&self, before: Option<u64>) -> Option<u64> {
        let after = self.next()?;
        let changed = after.map_or_else(|| self.list.now(), |after| after.at);
        self.beside(before, after.map(|after| after.id)).or_else(|| self.by_creation(changed))
    }

    /// A question for this page of all orders, but for those that are left out.
    fn query(&self, sort: Sort, offset: u64, size: usize) -> Query {
        Query { without: self.at.skip.clone(), offset, size, ..Query::row(sort) }
    }

    fn rows(&self, query: &Query) -> Option<Vec<Row>> {
        let fetched = self.list.fetch(query, self.at, 0).ok()?;
        Some(fetched.rows.iter().filter_map(|entry| entry.row).collect())
    }

    /// The row behind it, if there is one; nothing where the channel fails at that too.
    fn next(&self) -> Option<Option<Row>> {
        (1..=NEIGHBOURS).find_map(|further| {
            let offset = self.at.by_id.as_ref().map_or(0, |ids| ids.read) + further;
            let query = Query { size: 1, offset, ..self.at.query(&self.list.dialect(), 1) };
            self.rows(&query).map(|rows| rows.first().copied())
        })
    }

    /// The order, by the ids of its neighbours.
    fn beside(&self, before: Option<u64>, after: Option<u64>) -> Option<u64> {
        match (before, after) {
            (Some(before), Some(after)) => self.between(before.min(after), before.max(after)),
            (Some(one), None) => self.between(one, one.saturating_add(BEYOND)),
            (None, Some(one)) => self.between(one.saturating_sub(BEYOND), one),
            (None, None) => None,
        }
    }

    /// Whether the channel fails at one of these; nothing where it fails otherwise.
    fn fails_at(&self, ids: &[u64]) -> Option<bool> {
        self.fails(&Query { only: ids.to_vec(), ..self.query(Sort::Id, 0, PAGE) }).ok()
    }

    /// The first between these ids that the channel fails at.
    fn between(&self, low: u64, high: u64) -> Option<u64> {
        if high.saturating_sub(low) > MOST {
            return None;
        }
        let ids: Vec<u64> = (low.checked_add(1)?..high).filter(|id| !self.at.skip.contains(id)).collect();
        let mut ids = ids.chunks(PAGE).find(|ids| self.fails_at(ids) == Some(true))?;
        while ids.len() > 1 {
            let (first, rest) = ids.split_at(ids.len() / 2);
            ids = if self.fails_at(first)? { first } else { rest };
        }
        ids.first().copied().filter(|id| self.fails_at(&[*id]) == Some(true))
    }

    /// It, by when it was created: mostly not long before its last change, which is not after
    /// `changed`.
    fn by_creation(&self, changed: i64) -> Option<u64> {
        let is_before = |at: i64| {
            let walk = self.at.query(&self.list.dialect(), 1);
            self.fails(&Query { created: (None, Some(at)), offset: 0, size: 1, ..walk }).ok()
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
                Places::Between(before, after) => {
                    if let Some(id) = self.beside(before, after) {
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
        let mut among = PAGE;
        while among > 1 {
            let half = among / 2;
            match page(offset, half) {
                Some(rows) => {
                    before = rows.last().map(|row| row.id).or(before);
                    (offset, among) = (offset + half as u64, among - half);
                }
                None => among = half,
            }
        }
        let after = (1..=NEIGHBOURS).find_map(|further| page(offset + further, 1));
        Some(Places::Between(before, after.and_then(|rows| rows.first().map(|row| row.id))))
    }
}

/// Where an order stands among others, in the order of ids.
enum Places {
    /// Behind more pages than are looked through.
    Many,
    /// Between these ids, or at an end.
    Between(Option<u64>, Option<u64>),
}
