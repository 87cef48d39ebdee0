//! Reading pages of orders, and what else a sync has to look at.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::api::{self, Api};
use super::document::{self, INCLUDE};
use super::hidden;
use super::settings::Settings;
use super::walk::{Changes, Row, Seen, Slice, Walking, iso};
use super::wire::{Count, Head};
use crate::channel::census::unlisted;
use crate::channel::checkpoint::Checkpoint;
use crate::channel::isolate::REPEATS;
use crate::channel::rows;
use crate::channel::strayed::STRAYED;
use crate::channel::{Cursor, Next, Page, Pass, Plan, Range, RemoteOrder, Unshown};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Reply, read_json};

/// How often archived orders are looked at, which no ordinary list shows.
const EVERY: Duration = Duration::from_secs(3600);

/// A first sync of more pages than this is cut into slices.
const WORTH_SLICING: u64 = 3;

/// Pages in a slice, and the most slices.
const SLICE_PAGES: u64 = 10;
const MOST_SLICES: u64 = 16;

/// Where a walk stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Position {
    /// The changes, at rest between two syncs. The version before wrote the second when it had read
    /// them and looked at the archived orders; those are a pass of their own now.
    Rest(Rest),
    #[serde(skip_serializing)]
    Archived(Rest, IgnoredAny),
    /// In the middle of the changes.
    Changes(Rest, Changes),
    /// In the middle of what could not be read by time, because the store cannot show an order in
    /// it: it is read by id.
    ById(Rest, Slice, Way),
    /// In a slice of a first sync, or of a range.
    Slice(Slice),
    /// In a range that was asked for.
    Range(Changes),
    /// In the archived orders.
    Archive(Changes),
    /// The same, by id.
    ArchiveById(Slice),
}

/// What is read by id instead of by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    /// The changes. What is modified after this second of the store's clock is for the next sync.
    Changes(i64),
    /// The archived orders, as the version before wrote it down.
    #[serde(skip_serializing)]
    Archived,
}

/// What is remembered from sync to sync.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Rest {
    /// Where the changes stand.
    #[serde(flatten)]
    at: Checkpoint,
    /// As the version before wrote down when it had last looked at the archived orders.
    #[serde(default, skip_serializing)]
    aside: Option<i64>,
    /// Date bounds are known to be inclusive.
    inclusive: bool,
    /// The orders that the store could not show when the changes were last read.
    #[serde(default)]
    shut: Vec<u64>,
}

impl Rest {
    fn new(at: Checkpoint) -> Self {
        Self { at, ..Self::default() }
    }

    /// The changes were read to their end.
    fn done(mut self) -> Self {
        self.at.done(super::OVERLAP);
        self
    }
}

/// The cursors of a range.
pub fn plan(api: &Api, settings: &Settings, range: &Range) -> Result<Plan> {
    let since = range.since.map(|at| at.timestamp());
    if let Some(until) = range.until {
        let walk = Changes::new(since, Some(until.timestamp()));
        return Ok(Plan { slices: Vec::new(), changes: Cursor::new(&Position::Range(walk))?, total: None });
    }
    let since_then: Vec<_> = since.map(|since| ("min_date_modified", iso(since - 1))).into_iter().collect();
    let total = count(api, &since_then)?;
    let known = total.unwrap_or(0);
    let ends = if known > WORTH_SLICING * settings.page_size as u64 { ends(api, since)? } else { None };
    let Some((first, last, newest)) = ends else {
        let mut rest = Rest::new(Checkpoint::new(since));
        let walk = Changes::new(rest.at.begin(super::OVERLAP, api.now()), None);
        let changes = Cursor::new(&Position::Changes(rest, walk))?;
        return Ok(Plan { slices: Vec::new(), changes, total });
    };
    let count = (known / (SLICE_PAGES * settings.page_size as u64)).clamp(4, MOST_SLICES);
    let slices = slices(first, last, count, since)
        .iter()
        .map(|s| Cursor::new(&Position::Slice(s.clone())))
        .collect::<Result<_>>()?;
    // What changes or is placed while the slices are read is modified after the newest order of
    // now.
    let at = Checkpoint::seen(Some(newest.min(api.now())), super::OVERLAP, api.now());
    Ok(Plan { slices, changes: Cursor::new(&Position::Rest(Rest::new(at)))?, total })
}

/// Archived orders are on no list but their own. Archiving changes nothing but the order's presence
/// (P-4).
pub fn passes(api: &Api, changes: &Cursor) -> Result<Vec<Pass>> {
    let rest = match changes.position::<Position>()? {
        Position::Rest(rest) | Position::Archived(rest, _) => rest,
        Position::Changes(rest, _) | Position::ById(rest, ..) => rest,
        _ => return Ok(Vec::new()),
    };
    if !api.facts().archived {
        return Ok(Vec::new());
    }
    let beside = rest.at.beside(super::OVERLAP, api.now());
    let from = rest.aside.map_or(beside, |aside| beside.min(aside - super::OVERLAP.as_secs() as i64));
    let start = Cursor::new(&Position::Archive(Changes::new(Some(from), None)))?;
    Ok(vec![Pass { name: "archived", title: "archived orders", every: EVERY, start }])
}

/// How many orders there are, incomplete ones included. Only a first sync's way hangs on it: a
/// store that does not say is read in one walk.
pub(super) fn count(api: &Api, query: &[(&'static str, String)]) -> Result<Option<u64>> {
    let reply = match api.get_once("v2/orders/count", query, REPEATS) {
        Ok(reply) => reply,
        Err(error) if matches!(error.kind(), ErrorKind::NoStore | ErrorKind::Failed) || error.is_too_much() => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    Ok(read_json::<Count<'_>>(&reply.body).ok().and_then(|(count, _)| count.count.get().parse().ok()))
}

/// The lowest and the highest id, and the newest modification time.
fn ends(api: &Api, since: Option<i64>) -> Result<Option<(u64, u64, i64)>> {
    let one = |sort: &str| -> Result<Option<Row>> {
        let mut query = vec![("limit", "1".to_owned()), ("sort", sort.to_owned())];
        query.extend(since.map(|since| ("min_date_modified", iso(since - 1))));
        let reply = api.get_once("v2/orders", &query, 1)?;
        let row = api::list(&reply)?
            .first()
            .and_then(|row| serde_json::from_str::<Head<'_>>(row.get()).ok().as_ref().and_then(place));
        Ok(row)
    };
    // An order that the store cannot show may be one of them: then one walk does it.
    let known = |sort: &str| match one(sort) {
        Err(error) if error.is_too_much() => Ok(None),
        known => known,
    };
    let (first, last, newest) = (known("id:asc")?, known("id:desc")?, known("date_modified:desc")?);
    let (Some(first), Some(last), Some(newest)) = (first, last, newest) else { return Ok(None) };
    if first.id > last.id || first.at > newest.at || last.at > newest.at {
        return Err(ignored("orders in another order than the one asked for"));
    }
    Ok(Some((first.id, last.id, newest.at)))
}

/// Cuts the ids into stretches of equal length: they are given out one by one, so the orders in
/// them are about as many. The last is open.
fn slices(first: u64, last: u64, count: u64, since: Option<i64>) -> Vec<Slice> {
    let from = first.saturating_sub(1);
    let span = u128::from(last.saturating_sub(first)) + 1;
    let share = |n: u64| u64::try_from(span * u128::from(n) / u128::from(count.max(1))).unwrap_or(u64::MAX);
    let bound = |n: u64| from.saturating_add(share(n));
    (0..count).map(|n| Slice::new(bound(n), (n + 1 < count).then(|| bound(n + 1)), since)).collect()
}

/// The page at `at`.
pub fn page(api: &Api, settings: &Settings, at: &Cursor) -> Result<Page> {
    match at.position::<Position>()? {
        Position::Rest(rest) | Position::Archived(rest, _) | Position::ById(rest, _, Way::Archived) => {
            resume(api, settings, rest)
        }
        Position::Changes(rest, walk) => changes(api, settings, rest, walk.resumed(api.now())),
        Position::ById(rest, slice, Way::Changes(began)) => by_id(api, settings, rest, slice, began, None),
        Position::Slice(slice) => {
            let (read, next) = hidden::step(api, settings, &slice, None, None)?;
            finish(read, next.map(Position::Slice), || Position::Slice(slice))
        }
        Position::Archive(walk) => archived(api, settings, walk.resumed(api.now())),
        Position::ArchiveById(slice) => {
            let (mut read, next) = hidden::step(api, settings, &slice, Some(ARCHIVED), None)?;
            read.only_archived();
            finish(read, next.map(Position::ArchiveById), || Position::ArchiveById(slice))
        }
        Position::Range(walk) => {
            let walk = walk.resumed(api.now());
            match step(api, settings, &walk, None, None) {
                Ok((read, next)) => finish(read, next.map(Position::Range), || Position::Range(walk)),
                Err(error) => instead(api, error, Position::Slice(slice_of(&walk))),
            }
        }
    }
}

/// The changes since the last sync, or since long ago, where the position lies ahead of the store's
/// clock.
fn resume(api: &Api, settings: &Settings, rest: Rest) -> Result<Page> {
    let page = resume_at(api, settings, rest.clone())?;
    match rest.at.strayed(api.now()) {
        None => Ok(page),
        Some(at) => {
            let mut page = resume_at(api, settings, Rest { at, ..rest })?;
            page.warnings.push(STRAYED.to_owned());
            Ok(page)
        }
    }
}

fn resume_at(api: &Api, settings: &Settings, mut rest: Rest) -> Result<Page> {
    let from = rest.at.begin(super::OVERLAP, api.now());
    let walk = Changes { inclusive: rest.inclusive, known: rest.at.high(), ..Changes::new(from, None) };
    if !rest.shut.is_empty() {
        let slice = Slice { shut: std::mem::take(&mut rest.shut), ..slice_of(&walk) };
        return by_id(api, settings, rest, slice, api.now(), Some(1));
    }
    changes(api, settings, rest, walk)
}

fn changes(api: &Api, settings: &Settings, mut rest: Rest, walk: Changes) -> Result<Page> {
    let began = api.now();
    let (read, next) = match step(api, settings, &walk, None, None) {
        Ok(step) => step,
        Err(error) => return instead(api, error, Position::ById(rest, slice_of(&walk), Way::Changes(began))),
    };
    if read.dense && next.is_some() {
        rest.at.crowded();
    }
    rest.inclusive |= next.as_ref().is_some_and(|next| next.inclusive) || walk.inclusive;
    rest.at.reach(read.high, api.now());
    let next = next.map(|walk| Position::Changes(rest.clone(), walk));
    finish(read, next, || Position::Rest(rest.done()))
}

/// What a walk by time has before it, as a walk by id. The store has just failed at it, so its
/// first page is asked for with little patience.
fn slice_of(walk: &Changes) -> Slice {
    Slice { modified_until: walk.until, vain: 1, ..Slice::new(0, None, walk.from) }
}

/// A page at which the store fails is read in another way, where it is not the store as a whole
/// that fails.
fn instead(api: &Api, error: Error, position: Position) -> Result<Page> {
    if !error.is_too_much() {
        return Err(error);
    }
    hidden::well(api)?;
    let next = Next::More(Cursor::new(&position)?);
    Ok(Page::without_orders(next))
}

/// What could not be read by time. What is modified after `began` is for the next sync.
fn by_id(
    api: &Api,
    settings: &Settings,
    mut rest: Rest,
    slice: Slice,
    began: i64,
    repeats: Option<u32>,
) -> Result<Page> {
    let (read, next) = hidden::step(api, settings, &slice, None, repeats)?;
    rest.shut.extend(read.unshown.iter().filter_map(|order| order.remote_id.as_ref()?.parse::<u64>().ok()));
    rest.at.reach(read.high.map(|high| high.min(began)), api.now());
    let next = next.map(|slice| Position::ById(rest.clone(), slice, Way::Changes(began)));
    finish(read, next, || Position::Rest(rest.done()))
}

/// The parameter that lists archived orders.
const ARCHIVED: (&str, &str) = ("is_deleted", "true");

/// A page of the archived orders. A store that does not know the parameter gives its ordinary
/// orders; then there is nothing to learn here. The parameter is not documented any more: a store
/// that has come to refuse it is read on without.
fn archived(api: &Api, settings: &Settings, walk: Changes) -> Result<Page> {
    let (mut read, next) = match step(api, settings, &walk, Some(ARCHIVED), None) {
        Ok(step) => step,
        Err(error) if error.is_too_much() => return instead(api, error, Position::ArchiveById(slice_of(&walk))),
        Err(error) if matches!(error.kind(), ErrorKind::Failed | ErrorKind::NoStore) => (Read::default(), None),
        Err(error) => return Err(error),
    };
    let next = next.filter(|_| read.archived == read.orders.len());
    read.only_archived();
    finish(read, next.map(Position::Archive), || Position::Archive(walk))
}

/// The page with the position behind it.
fn finish(read: Read, next: Option<Position>, done: impl FnOnce() -> Position) -> Result<Page> {
    let next = match next {
        Some(position) => Next::More(Cursor::new(&position)?),
        None => Next::Done(Cursor::new(&done())?),
    };
    Ok(Page { orders: read.orders, unshown: read.unshown, ..Page::without_orders(next) })
}

/// A page as read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) orders: Vec<RemoteOrder>,
    pub(super) unshown: Vec<Unshown>,
    /// The newest modification time that is not one to come: that would carry the cursor past all
    /// that changes until then.
    pub(super) high: Option<i64>,
    /// How many of them are archived.
    pub(super) archived: usize,
    /// A full page of less time than the overlap.
    dense: bool,
}

impl Read {
    /// A store that does not know the parameter gave other orders than archived ones.
    fn only_archived(&mut self) {
        if self.archived != self.orders.len() {
            self.orders.clear();
        }
    }

    /// Takes in another page.
    pub(super) fn join(&mut self, more: Self) {
        self.orders.extend(more.orders);
        self.unshown.extend(more.unshown);
        self.high = self.high.max(more.high);
        self.archived += more.archived;
    }
}

/// Something that is asked for beside the walk's own parameters.
pub(super) type Aside = Option<(&'static str, &'static str)>;

/// Reads the walk's next page, a smaller one where the store cannot give so much.
pub(super) fn step<W: Walking>(
    api: &Api,
    settings: &Settings,
    walk: &W,
    more: Aside,
    repeats: Option<u32>,
) -> Result<(Read, Option<W>)> {
    let size = settings.page_size.min(api.bearable()).max(2);
    match fetch(api, walk, size, more, repeats.unwrap_or(REPEATS)) {
        Err(error) if error.is_too_much() && size > api::DEFAULT_PAGE => {
            let smaller = fetch(api, walk, api::DEFAULT_PAGE, more, 0)?;
            api.at_most(api::DEFAULT_PAGE);
            Ok(smaller)
        }
        done => done,
    }
}

/// What a walk asks for.
fn question<W: Walking>(walk: &W, size: usize, more: Aside) -> Vec<(&'static str, String)> {
    let mut query = walk.query(size);
    query.extend(more.map(|(name, value)| (name, value.to_owned())));
    query
}

/// Reads a page of `size` rows, and says how the walk goes on.
pub(super) fn fetch<W: Walking>(
    api: &Api,
    walk: &W,
    size: usize,
    more: Aside,
    repeats: u32,
) -> Result<(Read, Option<W>)> {
    let mut query = question(walk, size, more);
    if api.facts().include {
        query.extend(INCLUDE.map(|(name, value)| (name, value.to_owned())));
    }
    let asked_at = api.now();
    let mut reply = api.get_once("v2/orders", &query, repeats)?;
    let mut untold = None;
    if is_empty(&reply) && more.is_none() && walk.is_owed() {
        // An answer of nothing, out of a cache or from a server that is half up, proves no absence.
        let counted = counted(api, walk, more)?.filter(|count| *count > 0);
        if counted.is_some() {
            reply = api.get_once("v2/orders", &query, repeats)?;
        }
        untold = counted.filter(|_| is_empty(&reply)).and_then(unlisted);
    }
    let documents = if is_empty(&reply) { Vec::new() } else { rows::rows(&reply.body)?.0 };
    let heads: Vec<Head<'_>> =
        documents.iter().map(|row| serde_json::from_str(row.get()).unwrap_or_default()).collect();
    let placed: Vec<Row> = heads.iter().filter_map(place).collect();
    let (full, count) = goes_on(api, walk, &placed, (documents.len(), size), more)?;
    let seen = Seen { rows: &placed, full, asked_at };
    once_each(&placed).and_then(|()| walk.check(&seen)).map_err(ignored)?;
    if seen.full && placed.is_empty() {
        return Err(Error::new(
            ErrorKind::Unreadable,
            "BigCommerce gave a page of orders without ids or dates; nothing was imported of it",
        ));
    }
    let wanted = |head: &Head<'_>| place(head).is_none_or(|row| walk.wants(row));
    let kept: Vec<&RawValue> =
        documents.iter().zip(&heads).filter(|(_, head)| wanted(head)).map(|(row, _)| row.as_ref()).collect();
    let complete = document::complete(api, &kept)?;
    let (oldest, newest) = (placed.iter().map(|row| row.at).min(), placed.iter().map(|row| row.at).max());
    let span = newest.zip(oldest).map_or(0, |(newest, oldest)| newest - oldest);
    let mut next = walk.after(&seen);
    let (nameless, count) = ((documents.len() - placed.len()) as u64, count.filter(|_| more.is_none()));
    match &mut next {
        Some(next) => next.hold(walk, &placed, nameless, count),
        None if untold.is_none() => {
            let mut done = walk.clone();
            done.hold(walk, &placed, nameless, count);
            untold = missing(api, &done, &placed, asked_at)?;
        }
        None => {}
    }
    let read = Read {
        orders: complete.orders,
        unshown: complete.unshown.into_iter().chain(untold).collect(),
        high: placed.iter().map(|row| row.at).filter(|at| *at <= asked_at).max(),
        archived: heads.iter().filter(|head| wanted(head) && head.is_deleted.is_true()).count(),
        dense: documents.len() >= size && span < super::OVERLAP.as_secs() as i64,
    };
    Ok((read, next))
}

/// Whether there may be more behind a page of `got` rows where `size` were asked for, and the
/// store's count, where it was asked for.
///
/// One that is shorter may have been cut: the highest `limit` that is permitted is not documented
/// for sure, and a proxy may have one of its own. Where the page does not tell by itself, the
/// store's own count does; a store that does not count is asked for the next page. A walk of
/// several pages is held against the count at its end.
fn goes_on<W: Walking>(
    api: &Api,
    walk: &W,
    rows: &[Row],
    (got, size): (usize, usize),
    more: Aside,
) -> Result<(bool, Option<u64>)> {
    if got >= size {
        let count = if more.is_none() && walk.is_new() { counted(api, walk, more)? } else { None };
        return Ok((true, count));
    }
    if !walk.may_be_cut(rows) {
        return Ok((false, None));
    }
    let count = counted(api, walk, more)?;
    Ok((count.is_none_or(|count| count > got as u64), count))
}

/// What is to be told of orders that a walk, whose last page was asked for at `asked_at`, should
/// have met by the store's counts; it has these rows.
fn missing<W: Walking>(api: &Api, walk: &W, rows: &[Row], asked_at: i64) -> Result<Option<Unshown>> {
    let Some(whole) = walk.in_doubt(asked_at) else { return Ok(None) };
    let count = counted(api, &whole, None)?.unwrap_or(0);
    Ok(unlisted(walk.missing(count, rows, asked_at)))
}

/// How many orders the store counts from where a walk stands.
fn counted<W: Walking>(api: &Api, walk: &W, more: Aside) -> Result<Option<u64>> {
    let mut query = question(walk, 1, more);
    query.retain(|(name, _)| !matches!(*name, "limit" | "sort"));
    count(api, &query)
}

/// An empty list comes as 204 without a body.
fn is_empty(reply: &Reply) -> bool {
    reply.status == 204 || reply.body.trim_ascii() == b"[]"
}

/// Reads one order; `None` where the store has none with this id.
pub fn one(api: &Api, id: u64, repeats: Option<u32>) -> Result<Option<RemoteOrder>> {
    let include = if api.facts().include { &INCLUDE[..] } else { &[] };
    let query: Vec<_> = include.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let route = format!("v2/orders/{id}");
    let reply = match repeats {
        None => api.get(&route, &query)?,
        Some(repeats) => api.get_once(&route, &query, repeats)?,
    };
    if matches!(reply.status, 204 | 404) {
        return Ok(None);
    }
    let mut complete = document::complete(api, &[rows::single(&reply.body)?.as_ref()])?;
    match complete.unshown.pop() {
        Some(Unshown { why, .. }) => Err(Error::new(ErrorKind::Temporary, why).too_much()),
        None => Ok(complete.orders.pop()),
    }
}

/// One query gives each order once.
fn once_each(rows: &[Row]) -> Result<(), &'static str> {
    let mut ids: Vec<u64> = rows.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    match ids.windows(2).any(|pair| pair.first() == pair.last()) {
        true => Err("the same order twice in one page"),
        false => Ok(()),
    }
}

/// The row's place in a walk; `None` where its id or its time cannot be read: such an order costs
/// itself only.
fn place(head: &Head<'_>) -> Option<Row> {
    let at = super::map::parse_time(head.date_modified.get())?.timestamp();
    Some(Row { id: head.id.get().parse().ok()?, at })
}

/// Going on would import the whole list, or leave out orders, in silence.
fn ignored(what: &str) -> Error {
    let text = format!("BigCommerce answered with {what}: a filter was ignored; nothing was imported of this page");
    Error::new(ErrorKind::Unreadable, text)
        .hint("if it stays so, ordersync doctor --bundle and tell us; orders read so far are kept")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_every_id_once() {
        for (first, last, count) in [(1, 10, 4), (100, 100_000, 16), (5, 6, 4)] {
            let slices = slices(first, last, count, None);
            assert_eq!(slices[0].after, first - 1);
            assert!(slices.windows(2).all(|pair| pair[0].until == Some(pair[1].after)));
            assert_eq!(slices.last().unwrap().until, None);
        }
    }
}
