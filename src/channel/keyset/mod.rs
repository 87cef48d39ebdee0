//! Walks through a channel's list of orders by a key: always the first page above a moving lower
//! bound, never page 2.
//!
//! Offset paging over a list that moves skips rows: an order that changes leaves its place, and
//! everything behind it moves up. So a walk by time asks again from the last second of the page it
//! got. The rows of that second it knows already are left out by their ids, where the channel can
//! do that, or met twice. A second that holds more rows than a page, and a stretch that comes out
//! of order, is read by ids, which do not move. A slice of a first sync may be read by ids from the
//! beginning.
//!
//! What comes is held against what was asked: a channel that heeds nothing of a request ends the
//! walk with an error. A short page is no end by itself, as a server or a proxy may cut pages; the
//! end is what the channel's own count says. A walk of several pages is held against that count as
//! well ([`super::census`]).
//!
//! What changes behind a walk, or shows late, is not its business: the next sync reads again from
//! before it began ([`super::checkpoint`]).
//!
//! An adapter says what its channel can do ([`Dialect`]), puts a [`Query`] into parameters, and
//! gives back the rows ([`List`]).

mod after;
mod changes;
mod heads;
mod plan;
mod read;
mod search;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::census::{Census, SURELY_BEFORE};

pub(crate) use changes::{Lists, Position, Rest, look, page};
pub(crate) use heads::{heads, survey};
pub(crate) use plan::plan;
pub(crate) use read::{Content, Entry, Fetched, First, List};

/// The time that sorts a walk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Key {
    /// Modification: for changes. An order that changes meanwhile moves ahead and is met again.
    #[default]
    Modified,
    /// Creation: for slices of a first sync. It does not move.
    Created,
}

impl Key {
    /// The order of a list by this time.
    fn sort(self) -> Sort {
        match self {
            Self::Modified => Sort::Modified,
            Self::Created => Sort::Created,
        }
    }

    /// The time that the rows of such a list are placed by.
    pub(crate) fn of(sort: Sort) -> Self {
        if sort == Sort::Created { Self::Created } else { Self::Modified }
    }
}

/// What a channel's lists can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// What a bound means.
    pub(crate) bounds: Bounds,
    /// How many rows it can leave out by their ids.
    pub(crate) leaves_out: usize,
    /// It can ask for ids above one; otherwise for a place in the order of ids.
    pub(crate) above: bool,
    /// Its count of a list comes with each page; otherwise it is asked for.
    pub(crate) counts_with_pages: bool,
    /// The farthest place in a list that can be asked for, where there is one.
    pub(crate) farthest: Option<u64>,
}

/// What a bound means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bounds {
    /// What lies on it is on the list.
    Inclusive,
    /// What lies on it is not.
    Exclusive,
    /// Nobody says. One second wider is right either way; the first row that lies *on* a bound, and
    /// did so before the page was made, proves that it is inclusive, and from then on the exact
    /// second is asked for, as long as all orders come that are counted.
    Unknown,
}

/// What sorts a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The time of the last change.
    Modified,
    /// The time of creation.
    Created,
    /// The id.
    Id,
}

/// A question for a page of a list. Bounds are to be sent as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) sort: Sort,
    pub(crate) descending: bool,
    pub(crate) modified: (Option<i64>, Option<i64>),
    pub(crate) created: (Option<i64>, Option<i64>),
    /// Ids from and up to; only where the channel can ask for them.
    pub(crate) ids: (Option<u64>, Option<u64>),
    /// Only these ids, where there are any.
    pub(crate) only: Vec<u64>,
    /// All but these ids.
    pub(crate) without: Vec<u64>,
    /// So many rows further on.
    pub(crate) offset: u64,
    pub(crate) size: usize,
}

impl Query {
    /// A question for the first row of all orders.
    pub(crate) fn row(sort: Sort) -> Self {
        Self {
            sort,
            descending: false,
            modified: (None, None),
            created: (None, None),
            ids: (None, None),
            only: Vec::new(),
            without: Vec::new(),
            offset: 0,
            size: 1,
        }
    }
}

/// A row as a walk sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// The order's id.
    pub(crate) id: u64,
    /// The time that sorts the walk.
    pub(crate) at: i64,
}

/// A page as the channel gave it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The rows that have an id and a time, in the channel's order.
    pub(crate) rows: Vec<Row>,
    /// How many entries came, whatever they are.
    pub(crate) length: u64,
    /// What is known of how many there are.
    pub(crate) count: Count,
    /// How many rows came at once from the list's end, where that was asked for.
    pub(crate) gives: u64,
}

/// What is known of how many orders fit a query.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Nothing.
    #[default]
    Untold,
    /// It came with the page, and may be that of the page only.
    OfPage(u64),
    /// It was asked for by itself; `None` where the channel does not say.
    Asked(Option<u64>),
    /// In its place, the last row of the list that is shown, if any is.
    Last(Option<Row>),
}

/// How a walk goes on after a page.
#[allow(clippy::large_enum_variant, reason = "one is made for each page")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// There is more.
    More(Walk),
    /// All of it is read.
    End(Walk),
    /// The page proves nothing: the channel has to be asked how many there are.
    Ask,
}

/// Where a walk stands. Seconds since the epoch, by the channel's clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Walk {
    /// The time that sorts it.
    #[serde(alias = "by")]
    pub(crate) key: Key,
    /// Everything before this second is read; `None`: from the beginning.
    pub(crate) from: Option<i64>,
    /// Up to and including this second; `None`: without end.
    pub(crate) until: Option<i64>,
    /// Only orders modified at or after this second, where it is sorted by another time.
    pub(crate) modified_since: Option<i64>,
    /// Bounds are known to be inclusive.
    pub(crate) inclusive: bool,
    /// Bounds are not taken for inclusive by what a page shows: orders that are counted and not shown
    /// may lie on one.
    pub(crate) wider: bool,
    /// Up to here everything is in the book already; `None`: nothing is.
    pub(crate) known: Option<i64>,
    /// Orders that the channel cannot show: left out or read around, so that the others of their
    /// pages come.
    pub(crate) skip: Vec<u64>,
    /// The most rows that a page of this list was seen to have: a shorter one was not cut.
    pub(crate) most: u64,
    /// The channel counts the rows of a page, and not those of the list.
    pub(crate) capped: bool,
    /// The next sync reads again what this walk leaves unsure.
    is_revisited: bool,
    /// From this second on it may have passed over orders that changed while a page was made.
    gap: Option<i64>,
    /// A page of it was read.
    begun: bool,
    /// The rows of the second `from` that are read.
    taken: Vec<u64>,
    /// So many rows from where it stands on are looked past: they are counted and not shown.
    ahead: u64,
    /// How much was done for that since something new came.
    vain: u64,
    /// It is read by ids.
    by_id: Option<ById>,
    /// The page before.
    before: Option<Before>,
    /// The page before was the last by the channel's own count, which is doubted.
    doubted: bool,
    /// What it has met, where it is held against a count; how many rows lay on its bounds as they
    /// were sent and are none of its; and where it began.
    census: Option<Census>,
    edge: u64,
    start: (Option<i64>, Option<ById>),
}

/// A stretch of time that is read in the order of ids. Its first second is the walk's `from`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ById {
    /// Its last second, behind which the walk goes on by time; `None`: all of the walk.
    to: Option<i64>,
    /// Ids up to and including this one are read, or another slice's.
    last: u64,
    /// Up to and including this id; `None`: without end.
    up_to: Option<u64>,
    /// How many of its rows lie behind, where only a place in the list can be asked for.
    read: u64,
    /// No more ids than so many are asked for at once, to look past orders that are counted and not
    /// shown; 0: all.
    within: u64,
    /// The id of an order behind these that is shown.
    shown: u64,
    /// How often it went back since it last came further.
    back: u32,
    /// How many orders in a row the channel could not show.
    vain: u32,
    /// Orders that are known not to be shown, and are read around.
    known: Vec<u64>,
}

/// The page before, as far as it must agree with the next one: rows that are counted there and not
/// here were passed over, because the channel sorted the page by something else than the time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Before {
    /// Where the walk stood.
    from: Option<i64>,
    taken: Vec<u64>,
    met: u64,
    /// How many rows it left.
    left: u64,
}

impl Walk {
    /// A walk from the second `from` on.
    pub(crate) fn new(key: Key, from: Option<i64>, until: Option<i64>) -> Self {
        Self { key, from, until, ..Self::default() }
    }

    /// The walk through those of its orders only that were modified at or after this second.
    pub(crate) fn modified_since(self, since: Option<i64>) -> Self {
        Self { modified_since: since, ..self }
    }

    /// A walk by ids above `after`, up to and including `up_to`, of the orders modified in this
    /// time.
    pub(crate) fn of_ids(after: u64, up_to: Option<u64>, modified: (Option<i64>, Option<i64>)) -> Self {
        let by_id = Some(ById { last: after, up_to, ..ById::default() });
        Self { by_id, ..Self::new(Key::Modified, modified.0, modified.1) }
    }

    /// What a walk by time has before it, as a walk by ids. The channel has just failed at it.
    pub(crate) fn all_by_id(&self) -> Self {
        let by_id = Some(ById { vain: 1, known: self.skip.clone(), ..ById::default() });
        Self { by_id, before: None, doubted: false, ..self.clone() }
    }

    /// What a walk by time has before it up to this second, as a walk by ids. The channel has just
    /// failed at it.
    pub(crate) fn near_by_id(&self, to: i64) -> Self {
        let all = self.all_by_id();
        Self { by_id: all.by_id.map(|ids| ById { to: Some(to), ..ids }), ..all }
    }

    /// Whether nothing of it is read yet.
    pub(crate) fn is_new(&self) -> bool {
        !self.begun
    }

    /// Whether an order belongs to it, by its id: not to another slice, nor to what is read.
    pub(crate) fn wants(&self, id: u64) -> bool {
        self.by_id.as_ref().is_none_or(|ids| id > ids.last && ids.up_to.is_none_or(|up_to| id <= up_to))
    }

    /// The walk without an order that the channel cannot show. The counts to come leave it out as
    /// well.
    pub(crate) fn without(&self, id: u64) -> Self {
        let skip = [self.skip.as_slice(), &[id]].concat();
        let fewer = |census: Census| Census { counted: census.counted.map(|all| all.saturating_sub(1)), ..census };
        Self { skip, before: None, census: self.census.map(fewer), ..self.clone() }
    }

    /// The last second that a request asks for.
    fn end(&self) -> Option<i64> {
        self.by_id.as_ref().and_then(|ids| ids.to).or(self.until)
    }

    /// The bounds as they are sent.
    fn bounds(&self, dialect: &Dialect) -> (Option<i64>, Option<i64>) {
        let wider = i64::from(dialect.bounds != Bounds::Inclusive);
        let below = if self.inclusive { 0 } else { wider };
        (self.from.map(|from| from - below), self.end().map(|end| end.saturating_add(wider)))
    }

    /// The question for the next page of `size` rows.
    pub(crate) fn query(&self, dialect: &Dialect, size: usize) -> Query {
        let wider = i64::from(dialect.bounds != Bounds::Inclusive);
        let bounds = self.bounds(dialect);
        let (modified, created) = match self.key {
            Key::Modified => (bounds, (None, None)),
            Key::Created => ((self.modified_since.map(|at| at - wider), None), bounds),
        };
        let size = self.at_least(dialect, size);
        let without = if dialect.leaves_out == 0 { Vec::new() } else { self.skip.clone() };
        let query = Query { modified, created, without, size, offset: self.ahead, ..Query::row(self.key.sort()) };
        match &self.by_id {
            None if dialect.leaves_out == 0 => query,
            None => Query { without: [self.taken.as_slice(), &self.skip].concat(), ..query },
            Some(ids) if dialect.above => {
                // One id wider, as bounds may not count.
                let exact = u64::from(dialect.bounds == Bounds::Inclusive);
                let low = (ids.last > 0).then(|| ids.last.saturating_add(exact));
                let within = (ids.within > 0).then(|| ids.last.saturating_add(ids.within));
                let high = ids.end().into_iter().chain(within).min();
                let high = high.map(|end| end.saturating_add(1 - exact));
                Query { sort: Sort::Id, ids: (low, high), ..query }
            }
            Some(ids) => Query { sort: Sort::Id, offset: ids.offset() + self.ahead, ..query },
        }
    }

    /// A stretch that is read by places, from the first one on.
    fn at_first_place(&self) -> Option<Self> {
        let ids = self.by_id.clone().filter(|ids| ids.read > 0)?;
        Some(Self { by_id: Some(ById { read: 0, last: 0, ..ids }), ahead: 0, ..self.clone() })
    }

    /// Of which time it reads, for people.
    fn stretch(&self) -> String {
        let from = self.from.map(|from| format!(" from {}", after::utc(from))).unwrap_or_default();
        let to = self.end().map(|end| format!(" to {}", after::utc(end))).unwrap_or_default();
        if from.is_empty() && to.is_empty() { String::new() } else { format!("{from}{to} UTC") }
    }

    /// Whether it reads a stretch of time by ids.
    pub(super) fn is_in_stretch(&self) -> bool {
        self.by_id.as_ref().is_some_and(|ids| ids.to.is_some())
    }

    /// The questions for the last row of its list that is shown: of a stretch that is read by ids the
    /// one with the highest id; whatever is shown up to its end; and where that is nothing, what is
    /// before the place where it stands: then the list is no empty answer.
    pub(super) fn its_end(&self, dialect: &Dialect, size: usize) -> impl Iterator<Item = Query> + use<> {
        let by_id = self.by_id.clone().map(|ids| ById { within: 0, ..ids });
        let (is_by_id, walk) = (by_id.is_some(), Self { by_id, ahead: 0, taken: Vec::new(), ..self.clone() });
        let query = walk.query(dialect, size);
        let query = Query { descending: true, offset: 0, ids: (None, query.ids.1), ..query };
        let (modified, created) = match self.key {
            Key::Modified => ((None, query.modified.1), query.created),
            Key::Created => (query.modified, (None, query.created.1)),
        };
        let all = Query { sort: self.key.sort(), modified, created, ..query.clone() };
        let read = self.from.map(|from| match self.key {
            Key::Modified => Query { modified: (None, Some(from - 1)), ..all.clone() },
            Key::Created => Query { created: (None, Some(from - 1)), ..all.clone() },
        });
        is_by_id.then_some(query).into_iter().chain([all]).chain(read)
    }

    /// How many rows of the next page may only join it to the one before.
    fn joins(&self, dialect: &Dialect) -> usize {
        usize::from(match &self.by_id {
            None => dialect.leaves_out == 0,
            Some(ids) if dialect.above => dialect.bounds != Bounds::Inclusive && ids.last > 0,
            Some(ids) => ids.read > 0,
        })
    }

    fn at_least(&self, dialect: &Dialect, size: usize) -> usize {
        size.max(1 + self.joins(dialect))
    }

    /// The question how many orders the walk was to meet that were there before `asked_at`; `None`
    /// where it has met as many as were counted, or is held against no count.
    pub(crate) fn in_doubt(&self, dialect: &Dialect, asked_at: i64) -> Option<Query> {
        self.census.filter(|census| census.missing() > self.edge)?;
        // What lies on a bound that is sent wider is none of its.
        let is_wider = dialect.bounds == Bounds::Unknown || (dialect.bounds == Bounds::Exclusive && self.inclusive);
        let closer = i64::from(is_wider);
        let until = self.until.map_or(i64::MAX, |until| until - closer).min(asked_at - SURELY_BEFORE);
        let (from, by_id) = self.start.clone();
        let closer_ids = |ids: ById| ById {
            last: ids.last.saturating_add(closer as u64),
            up_to: ids.up_to.map(|up_to| up_to.saturating_sub(closer as u64)),
            ..ids
        };
        let by_id = by_id.map(closer_ids).filter(|_| dialect.above);
        let from = from.map(|from| from + closer);
        Some(
            Self { from, until: Some(until), by_id, taken: Vec::new(), inclusive: false, ..self.clone() }
                .query(dialect, 1),
        )
    }

    /// How many orders this count and those before hold, and no page has shown.
    pub(crate) fn missing(&self, count: u64) -> u64 {
        self.census.map_or(0, |census| census.count(count).missing())
    }
}

impl ById {
    /// The next order that is known not to be shown.
    fn hidden(&self) -> Option<u64> {
        let ahead = |id: &u64| *id > self.last && self.up_to.is_none_or(|up_to| *id <= up_to);
        self.known.iter().copied().filter(ahead).min()
    }

    /// Up to and including which id a list is asked for: wider by one, it must not hold an order
    /// that cannot be shown.
    fn end(&self) -> Option<u64> {
        self.hidden().map(|id| id.saturating_sub(2)).or(self.up_to)
    }

    /// One row again, to see that the pages join.
    fn offset(&self) -> u64 {
        self.read.saturating_sub(1)
    }
}
