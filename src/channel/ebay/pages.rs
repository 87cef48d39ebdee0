//! Which walks read a seller's orders, and a page of one.
//!
//! eBay's list is paged by places, and an order that changes leaves a list by modification time, so
//! that everything behind it moves up. A walk reads a stretch of time that is over, and holds each page
//! against the one before: the last order of that must be on it, and as many orders be counted. Where
//! they are not, the stretch is read again, and then in halves: what fits on one page cannot move while
//! it is read. The last minute, which is not over, is such a page.

use std::cell::Cell;

use serde::{Deserialize, Serialize};

use super::api::Api;
use super::document;
use super::list::{self, By, DAY, Listed, Row, Span};
use crate::channel::census::unlisted;
use crate::channel::checkpoint::{self, Checkpoint, Now, Taken, first_page};
use crate::channel::isolate::isolate;
use crate::channel::{Cursor, Head, Heads, Next, Page, Plan, Range, Survey, Unshown};
use crate::clock::from_millis;
use crate::error::{Error, ErrorKind, Result};

/// Where a walk stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Position {
    /// The changes, at rest between two syncs.
    Rest(Checkpoint),
    /// In the middle of them.
    Changes(Checkpoint, Walk),
    /// In a slice of a first sync, or in a range that was asked for.
    Slice(Walk),
}

/// A walk through the orders of a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Walk {
    /// The stretch of it that is being read.
    #[serde(flatten)]
    span: Span,
    /// Where the walk ends, in milliseconds since the epoch; `None`: without end.
    end: Option<i64>,
    /// So many orders of the stretch lie behind.
    #[serde(default)]
    offset: u64,
    /// How many orders it was counted to have, once it is begun.
    #[serde(default)]
    total: Option<u64>,
    /// The last order of the page before, which the next one has again.
    #[serde(default)]
    last: Option<String>,
    /// How many orders were met, those included that cannot be shown.
    #[serde(default)]
    met: u64,
    /// How often its orders have moved.
    #[serde(default)]
    moved: u32,
    /// A page that proves nothing was asked for once more.
    #[serde(default)]
    doubted: bool,
    /// So many orders before its place cannot be shown.
    #[serde(default)]
    hidden: u64,
}

/// What is not over yet: in it, orders come into a list while it is read.
const MINUTE: i64 = 60_000;

/// A first sync of more pages than this is cut into slices.
const WORTH_SLICING: u64 = 3;

/// A month of a first sync, and the most slices of another.
const MONTH: i64 = 30 * DAY;
const MOST_SLICES: i64 = 8;

/// Before any order that is kept.
pub(crate) const LONG_AGO: i64 = 0;

/// A stretch is not cut smaller than this, in milliseconds; so often it is read again then.
const SMALLEST: i64 = 2;
const PATIENCE: u32 = 25;

/// The walks that read every order of a range.
pub(crate) fn plan(api: &Api, range: &Range) -> Result<Plan> {
    let since = range.since.map(|at| at.timestamp_millis());
    if range.until.is_some() {
        let walk = of_range(api, range);
        return Ok(Plan { slices: Vec::new(), changes: Cursor::new(&Position::Slice(walk))?, total: None });
    }
    let all = Span { by: By::Modified, from: since.unwrap_or(LONG_AGO), until: None };
    let total = list::count(api, &all)?;
    let is_worth_it = total.is_some_and(|total| total > WORTH_SLICING * u64::from(api.page().get()));
    let seconds = range.since.map(|at| at.timestamp());
    if !is_worth_it {
        let changes = Cursor::new(&Position::Rest(Checkpoint::new(seconds)))?;
        return Ok(Plan { slices: Vec::new(), changes, total });
    }
    let now = list::now(api);
    let slices = slices(since, now).into_iter().map(|span| Cursor::new(&Position::Slice(Walk::of(span))));
    // What changes while the slices are read is changed after now.
    let at = Checkpoint::seen(Some(now.div_euclid(1_000)), super::OVERLAP, now.div_euclid(1_000));
    Ok(Plan { slices: slices.collect::<Result<_>>()?, changes: Cursor::new(&Position::Rest(at))?, total })
}

/// The stretches of a first sync up to `now`: all that is kept by months of creation, the newest first;
/// what was changed since a moment in parts of equal length.
fn slices(since: Option<i64>, now: i64) -> Vec<Span> {
    let first = list::reach(now);
    let (by, from, length) = match since {
        None => (By::Created, first, MONTH),
        Some(since) => (By::Modified, since.max(first), ((now - since.max(first)) / MOST_SLICES).max(DAY / 24)),
    };
    let mut spans = Vec::new();
    let mut until = now;
    while until > from {
        let begin = (until - length).max(from);
        spans.push(Span { by, from: begin, until: Some(until) });
        until = begin;
    }
    spans
}

fn of_range(api: &Api, range: &Range) -> Walk {
    let at = |at: crate::clock::Timestamp| at.timestamp_millis();
    let until = range.until.map_or_else(|| list::now(api), at);
    Walk::of(Span { by: By::Modified, from: range.since.map_or(LONG_AGO, at), until: Some(until) })
}

/// How a range is listed for a comparison.
pub(crate) fn survey(api: &Api, range: &Range) -> Result<Survey> {
    let walk = of_range(api, range);
    let orders = if walk.is_beyond(list::now(api)) { Some(0) } else { list::count(api, &walk.span)? };
    let size = u64::from(api.page().get()).max(2);
    // Each page behind the first has an order of the one before; an empty list is asked for twice.
    let cost = |orders: u64| match orders {
        0 => 2,
        orders if orders <= size => 1,
        orders => 1 + (orders - size).div_ceil(size - 1),
    };
    Ok(Survey { walks: vec![Cursor::new(&Position::Slice(walk))?], orders, requests: orders.map(cost) })
}

/// The page at `at`.
pub(crate) fn page(api: &Api, at: &Cursor) -> Result<Page> {
    let (read, next) = go_on(api, at.position()?, |api, read| {
        let found = document::complete(api, read.rows.drain(..).map(|row| row.document).collect())?;
        read.unshown.extend(found.unshown);
        Ok(found.orders)
    })?;
    Ok(Page { orders: read.1, unshown: read.0.unshown, reread: Vec::new(), next, drafts: 0, warnings: read.0.warnings })
}

/// The ids and times of the page at `at`.
pub(crate) fn heads(api: &Api, at: &Cursor) -> Result<Heads> {
    let head = |row: &Row| Some(Head { remote_id: row.id.clone()?, modified: row.modified.map(from_millis) });
    let (read, next) = go_on(api, at.position()?, |_, read| Ok(read.rows.iter().filter_map(head).collect()))?;
    Ok(Heads { orders: read.1, unshown: read.0.unshown, next })
}

type Taking<'t, T> = &'t dyn Fn(&Api, &mut Read) -> Result<Vec<T>>;

fn go_on<T>(
    api: &Api,
    at: Position,
    take: impl Fn(&Api, &mut Read) -> Result<Vec<T>>,
) -> Result<((Read, Vec<T>), Next)> {
    match at {
        Position::Slice(walk) => {
            let (mut read, onward) = step(api, walk)?;
            let orders = take(api, &mut read)?;
            let next = match onward {
                Onward::More(walk) => Next::More(Cursor::new(&Position::Slice(walk))?),
                Onward::End(walk) => Next::Done(Cursor::new(&Position::Slice(walk))?),
            };
            Ok(((read, orders), next))
        }
        Position::Changes(at, walk) => changes(api, at, walk, &take),
        Position::Rest(at) => begin(api, at, &take),
    }
}

/// The changes since the last sync.
fn begin<T>(api: &Api, at: Checkpoint, take: Taking<'_, T>) -> Result<((Read, Vec<T>), Next)> {
    let taken = Cell::new(None);
    let page = first_page(
        &at,
        || api.now().timestamp(),
        |mut at| {
            let from = at.begin(super::OVERLAP, clock(api));
            let from = from.map_or(LONG_AGO, |from| from.saturating_mul(1_000));
            let walk = Walk::of(Span { by: By::Modified, from, until: None });
            let (read, next) = changes(api, at, walk, take)?;
            taken.set(Some(read));
            Ok(Page::without_orders(next))
        },
    )?;
    let (mut read, orders) = taken.take().unwrap_or_default();
    read.warnings.extend(page.warnings);
    Ok(((read, orders), page.next))
}

fn changes<T>(api: &Api, mut at: Checkpoint, walk: Walk, take: Taking<'_, T>) -> Result<((Read, Vec<T>), Next)> {
    let (mut read, onward) = step(api, walk)?;
    let mut modified: Vec<i64> =
        read.rows.iter().filter_map(|row| row.modified).map(|at| at.div_euclid(1_000)).collect();
    let orders = take(api, &mut read)?;
    // The next sync is not to meet again what cannot be shown; when it was changed, nobody knows.
    let is_hidden = read.unshown.iter().any(|one| one.remote_id.is_none());
    modified.extend(is_hidden.then(|| api.now().timestamp()));
    let more = matches!(onward, Onward::More(_));
    let page = Taken { modified, more, dear: !read.unshown.is_empty(), gap: None };
    let after = at.take(&page, super::OVERLAP, clock(api));
    let next = match onward {
        Onward::More(walk) => Next::More(Cursor::new(&Position::Changes(at, walk))?),
        Onward::End(_) => {
            let cursor = Cursor::new(&Position::Rest(at))?;
            if after == checkpoint::Onward::Again { Next::More(cursor) } else { Next::Done(cursor) }
        }
    };
    Ok(((read, orders), next))
}

/// What time it is at eBay and here.
fn clock(api: &Api) -> Now {
    Now { theirs: api.now().timestamp(), ours: api.our_now().timestamp() }
}

/// What came of a page.
#[derive(Debug, Default)]
pub(crate) struct Read {
    rows: Vec<Row>,
    unshown: Vec<Unshown>,
    warnings: Vec<String>,
}

/// How a walk goes on after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Onward {
    More(Walk),
    End(Walk),
}

/// Reads a page of a walk.
fn step(api: &Api, walk: Walk) -> Result<(Read, Onward)> {
    let now = list::now(api);
    if walk.is_beyond(now) {
        return Ok((Read::default(), Onward::End(walk)));
    }
    let size = u64::from(api.page().get());
    let listed = match list::page(api, &walk.span, walk.offset) {
        Err(error) if error.is_too_much() => return past(api, walk, size),
        listed => listed?,
    };
    walk.after(listed, list::now(api))
}

/// Reads on where eBay fails at a page: up to the order that it cannot show, and behind it.
fn past(api: &Api, walk: Walk, size: u64) -> Result<(Read, Onward)> {
    let (total, moved) = (Cell::new(walk.total), Cell::new(false));
    let warnings = Cell::new(Vec::new());
    let found = isolate(
        walk.offset,
        size as usize,
        |at, count| {
            let listed = list::read(api, &walk.span, count as u64, *at, 0)?;
            let before = total.replace(listed.total.or(total.get()));
            moved.set(moved.get() || (before.is_some() && before != total.get()));
            warnings.set(listed.warnings);
            let behind = at.saturating_add(listed.rows.len() as u64);
            let more = listed.more || total.get().is_some_and(|total| behind < total);
            Ok((listed.rows, (more && behind > *at).then_some(behind)))
        },
        || list::is_well(api),
    )?;
    let Some(why) = found.why else {
        // All of it came after all: it was the size, or it has passed.
        api.page().at_most(u32::try_from(size / 2).unwrap_or(1));
        let (total, more) = (total.get(), found.at.is_some());
        return walk.after(Listed { rows: found.rows, total, more, warnings: warnings.take() }, list::now(api));
    };
    let mut read = Read { rows: Vec::new(), unshown: Vec::new(), warnings: warnings.take() };
    if moved.get() {
        return Ok((read, Onward::More(walk.again(list::now(api))?)));
    }
    let at = found.at.unwrap_or(walk.offset);
    let onward = walk.behind_hidden(&found.rows, at, total.get(), &why, &mut read);
    read.rows = found.rows;
    Ok((read, onward))
}

impl Walk {
    /// A walk through a span.
    fn of(span: Span) -> Self {
        let (offset, total, last, met) = (0, None, None, 0);
        Self { end: span.until, span, offset, total, last, met, moved: 0, doubted: false, hidden: 0 }
    }

    /// Whether it ends before anything that is kept.
    fn is_beyond(&self, now: i64) -> bool {
        self.end.is_some_and(|end| end < list::reach(now) || end < self.span.from)
    }

    /// The walk from its stretch's beginning on.
    fn anew(&self, span: Span) -> Self {
        Self { moved: self.moved, ..Self::of(span) }.ending(self.end)
    }

    fn ending(self, end: Option<i64>) -> Self {
        Self { end, ..self }
    }

    /// The walk after a page.
    fn after(self, listed: Listed, now: i64) -> Result<(Read, Onward)> {
        let read = |rows| Read { rows, unshown: Vec::new(), warnings: listed.warnings.clone() };
        let is_first = self.total.is_none();
        let has_moved = !is_first && listed.total.is_some() && listed.total != self.total;
        let place = |last: &String| listed.rows.iter().position(|row| row.id.as_ref() == Some(last));
        // What is behind the last order of the page before is new. Behind a page that had none it need not
        // be there.
        let new_from = match self.last.as_ref().map(place) {
            Some(Some(place)) => Some(place + 1),
            Some(None) if !self.doubted => None,
            Some(None) | None => Some(0),
        };
        let Some(new_from) = new_from.filter(|_| !has_moved) else {
            return Ok((read(Vec::new()), Onward::More(self.again(now)?)));
        };
        let length = listed.rows.len() as u64;
        let new = length.saturating_sub(new_from as u64);
        let behind = self.offset.saturating_add(length);
        let total = listed.total.unwrap_or(behind).max(behind + u64::from(listed.more && length > 0));
        let met = self.met.saturating_add(new);
        let walk = Self { total: Some(listed.total.unwrap_or(total)), met, ..self.clone() };
        if behind >= total {
            // That a stretch is empty which the walk does not come back to is asked twice.
            if total == 0 && self.span.until.is_some() && !self.doubted {
                return Ok((read(listed.rows), Onward::More(Self { doubted: true, ..self })));
            }
            let mut read = read(listed.rows);
            read.unshown.extend(unlisted(listed.total.unwrap_or(0).saturating_sub(met)));
            return Ok((read, walk.behind_stretch()));
        }
        // Nothing, where something is counted.
        if length == 0 && self.offset == 0 {
            return Ok((read(Vec::new()), Onward::More(self.again(now)?)));
        }
        if is_first && self.offset == 0 && self.span.until.is_none() && self.span.from < now - MINUTE {
            let closed = Span { until: Some(now - MINUTE), ..self.span };
            // They are read again at once, and what belongs to them may be dear.
            return Ok((read(Vec::new()), Onward::More(self.anew(closed))));
        }
        if new == 0 {
            // Some may be counted and not listed; or a page has one order only.
            if self.doubted {
                let mut read = read(listed.rows);
                read.unshown.extend(unlisted(total.saturating_sub(met)));
                return Ok((read, walk.behind_stretch()));
            }
            return Ok((read(listed.rows), Onward::More(Self { offset: behind, doubted: true, ..walk })));
        }
        let last = listed.rows.last().and_then(|row| row.id.clone()).filter(|_| length > 1);
        let offset = if last.is_some() { behind - 1 } else { behind };
        let onward = Onward::More(Self { offset, last, doubted: false, hidden: 0, ..walk });
        Ok((read(listed.rows), onward))
    }

    /// The walk behind an order at this place, which eBay cannot show and which nothing names but the one
    /// before it.
    fn behind_hidden(self, rows: &[Row], at: u64, total: Option<u64>, why: &Error, read: &mut Read) -> Onward {
        let shown = rows.iter().rev().find_map(|row| row.id.clone());
        let is_beside = shown.is_none() && (self.hidden > 0 || self.last.is_some());
        let hidden = if shown.is_some() { 1 } else { self.hidden + 1 };
        let before = shown.or_else(|| self.last.clone().filter(|_| is_beside));
        let nth = if hidden > 1 { format!("order {hidden}") } else { "the order".to_owned() };
        let place = match &before {
            Some(before) => format!("{nth} after {before} in eBay's list"),
            None => format!("{nth} in eBay's list from {} on", super::operation::moment(from_millis(self.span.from))),
        };
        read.unshown.push(Unshown { remote_id: None, place, why: why.message().to_owned(), unlisted: 0 });
        let known = self.last.as_ref().filter(|_| self.hidden == 0);
        let again =
            known.and_then(|last| rows.iter().position(|row| row.id.as_ref() == Some(last))).map_or(0, |nth| nth + 1);
        let met = self.met.saturating_add(rows.len().saturating_sub(again) as u64).saturating_add(1);
        let offset = at.saturating_add(1);
        let walk = Self { offset, total, met, last: None, hidden, doubted: false, ..self };
        if total.is_some_and(|total| offset >= total) { walk.behind_stretch() } else { Onward::More(walk) }
    }

    /// The walk at the stretch behind this one.
    fn behind_stretch(self) -> Onward {
        match self.span.until {
            Some(until) if self.span.until != self.end => {
                // Whether a bound belongs to a list, two of them know that join.
                let span = Span { from: until - 1, until: self.end, ..self.span };
                Onward::More(Self::of(span).ending(self.end))
            }
            _ => Onward::End(self),
        }
    }

    /// The walk at the beginning of its stretch, of which orders have moved: at once, and then of half
    /// of it.
    ///
    /// # Errors
    /// `Temporary` where it does not hold still.
    fn again(self, now: i64) -> Result<Self> {
        let moved = self.moved.saturating_add(1);
        let until = self.span.until.unwrap_or(now).min(now);
        let from = self.span.from.max(list::reach(now));
        let half = Some(until - from).filter(|length| moved > 1 && *length > SMALLEST).map(|length| from + length / 2);
        if half.is_none() && moved > PATIENCE {
            let text = "eBay's list of orders does not hold still while it is read; nothing was imported of this page";
            return Err(Error::new(ErrorKind::Temporary, text).hint(crate::http::status::AGAIN));
        }
        let span = Span { until: half.or(self.span.until), ..self.span };
        let moved = if half.is_some() { 1 } else { moved };
        Ok(Self { moved, ..self.anew(span) })
    }
}

#[cfg(test)]
mod tests;
