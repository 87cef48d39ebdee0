//! Reading pages of orders, and what else a sync has to look at.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::document::{self, INCLUDE};
use super::settings::Settings;
use super::site::{self, Site};
use super::walk::{Changes, Row, Seen, Slice, Walking, iso};
use super::wire::{Count, Head};
use crate::channel::{Cursor, Next, Page, Plan, Range, RemoteOrder};
use crate::error::{Error, ErrorKind, Result};
use crate::http::read_json;

/// How often a sync looks at archived orders, which no ordinary list shows.
const ASIDE: TimeDelta = TimeDelta::hours(1);

/// A first sync of more pages than this is cut into slices.
const WORTH_SLICING: u64 = 3;

/// Pages in a slice, and the most slices.
const SLICE_PAGES: u64 = 10;
const MOST_SLICES: u64 = 16;

/// Fewer orders at once make no way: a page may begin with the row before it.
const FEWEST: usize = 2;

/// Where a sync stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Position {
    /// At rest between two syncs.
    Rest(Rest),
    /// In the middle of the changes.
    Changes(Rest, Changes),
    /// In the middle of the archived orders.
    Archived(Rest, Changes),
    /// In a slice of a first sync.
    Slice(Slice),
    /// In a range that was asked for: no rest, nothing aside.
    Range(Changes),
}

/// What is remembered from sync to sync. Seconds since the epoch, by the store's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rest {
    /// The newest modification time read so far; everything up to it is read, but for what the overlap covers.
    high: Option<i64>,
    /// When the archived orders were last looked at.
    aside: i64,
    /// Date bounds are known to be inclusive.
    inclusive: bool,
}

/// The cursors of a range.
pub fn begin(site: &Site, settings: &Settings, range: &Range) -> Result<Plan> {
    let since = range.since.map(|at| at.timestamp());
    if let Some(until) = range.until {
        let walk = Changes::new(since, Some(until.timestamp()));
        return Ok(Plan { slices: Vec::new(), changes: Cursor::new(&Position::Range(walk))?, total: None });
    }
    let total = count(site, since)?;
    let rest = |high| Rest { high, aside: site.now(), inclusive: false };
    let known = total.unwrap_or(0);
    let ends = if known > WORTH_SLICING * settings.page_size as u64 { ends(site, since)? } else { None };
    let Some((first, last, newest)) = ends else {
        let changes = Cursor::new(&Position::Changes(rest(since), Changes::new(since, None)))?;
        return Ok(Plan { slices: Vec::new(), changes, total });
    };
    let count = (known / (SLICE_PAGES * settings.page_size as u64)).clamp(4, MOST_SLICES);
    let slices = slices(first, last, count, since)
        .iter()
        .map(|s| Cursor::new(&Position::Slice(s.clone())))
        .collect::<Result<_>>()?;
    // What changes or is placed while the slices are read is modified after the newest order of now.
    Ok(Plan { slices, changes: Cursor::new(&Position::Rest(rest(Some(newest.min(site.now())))))?, total })
}

/// How many orders there are, incomplete ones included. Only a first sync's way hangs on it: a store that does not say is read in one walk.
pub(super) fn count(site: &Site, since: Option<i64>) -> Result<Option<u64>> {
    let query: Vec<_> = since.map(|since| ("min_date_modified", iso(since - 1))).into_iter().collect();
    let reply = match site.get("v2/orders/count", &query) {
        Ok(reply) => reply,
        Err(error) if matches!(error.kind(), ErrorKind::NoStore | ErrorKind::Failed) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(read_json::<Count<'_>>(&reply.body).ok().and_then(|(count, _)| count.count.get().parse().ok()))
}

/// The lowest and the highest id, and the newest modification time.
fn ends(site: &Site, since: Option<i64>) -> Result<Option<(u64, u64, i64)>> {
    let one = |sort: &str| -> Result<Option<Row>> {
        let mut query = vec![("limit", "1".to_owned()), ("sort", sort.to_owned())];
        query.extend(since.map(|since| ("min_date_modified", iso(since - 1))));
        let reply = site.get("v2/orders", &query)?;
        let row = site::list(&reply)?
            .first()
            .and_then(|row| serde_json::from_str::<Head<'_>>(row.get()).ok().as_ref().and_then(place));
        Ok(row)
    };
    let (first, last, newest) = (one("id:asc")?, one("id:desc")?, one("date_modified:desc")?);
    let (Some(first), Some(last), Some(newest)) = (first, last, newest) else { return Ok(None) };
    if first.id > last.id || first.at > newest.at || last.at > newest.at {
        return Err(ignored("orders in another order than the one asked for"));
    }
    Ok(Some((first.id, last.id, newest.at)))
}

/// Cuts the ids into stretches of equal length: they are given out one by one, so the orders in them are about as many. The last is open.
fn slices(first: u64, last: u64, count: u64, since: Option<i64>) -> Vec<Slice> {
    let (from, span) = (first.saturating_sub(1), last.saturating_sub(first) + 1);
    let bound = |n: u64| from + span * n / count;
    (0..count)
        .map(|n| Slice { after: bound(n), until: (n + 1 < count).then(|| bound(n + 1)), modified_since: since })
        .collect()
}

/// The page at `at`.
pub fn page(site: &Site, settings: &Settings, at: &Cursor) -> Result<Page> {
    match at.position::<Position>()? {
        Position::Rest(rest) => {
            let from = rest.high.map(|high| high - super::OVERLAP.as_secs() as i64);
            let walk = Changes { inclusive: rest.inclusive, ..Changes::new(from, None) };
            changes(site, settings, rest, walk)
        }
        Position::Changes(rest, walk) => changes(site, settings, rest, walk.resumed(site.now())),
        Position::Archived(rest, walk) => archived(site, settings, rest, walk),
        Position::Slice(slice) => {
            let (read, next) = step(site, settings, &slice, None)?;
            let done = slice.clone();
            finish(read, next, Position::Slice, || Position::Slice(done))
        }
        Position::Range(walk) => {
            let (read, next) = step(site, settings, &walk.resumed(site.now()), None)?;
            finish(read, next, Position::Range, || Position::Range(walk))
        }
    }
}

fn changes(site: &Site, settings: &Settings, mut rest: Rest, walk: Changes) -> Result<Page> {
    let (read, next) = step(site, settings, &walk, None)?;
    // One order with a time to come would carry the cursor past all that changes until then.
    rest.high = rest.high.max(read.high.map(|high| high.min(site.now())));
    rest.inclusive |= next.as_ref().is_some_and(|next| next.inclusive) || walk.inclusive;
    let now = site.now();
    let due = site.facts().archived && (now - rest.aside >= ASIDE.num_seconds() || rest.aside > now);
    let looked = rest.clone();
    finish(
        read,
        next,
        |walk| Position::Changes(rest.clone(), walk),
        || match due {
            true => {
                let from = looked.aside.min(now) - super::OVERLAP.as_secs() as i64;
                Position::Archived(looked, Changes::new(Some(from), None))
            }
            false => Position::Rest(looked),
        },
    )
}

/// Archived orders are on no list but their own. Archiving changes nothing but the order's presence (PRODUCT.md P-4). A store that does
/// not know the parameter gives its ordinary orders; then there is nothing to learn here.
fn archived(site: &Site, settings: &Settings, rest: Rest, walk: Changes) -> Result<Page> {
    let resting = Rest { aside: site.now(), ..rest.clone() };
    let (mut read, next) = match step(site, settings, &walk, Some(("is_deleted", "true"))) {
        Ok(step) => step,
        Err(error) => {
            let at = Cursor::new(&Position::Rest(without_archived(error, rest, resting)?))?;
            return Ok(Page {
                orders: Vec::new(),
                unshown: Vec::new(),
                next: Next::Done(at),
                drafts: 0,
                warnings: Vec::new(),
            });
        }
    };
    let next = next.filter(|_| read.archived == read.orders.len());
    if read.archived != read.orders.len() {
        read.orders.clear();
    }
    finish(read, next, |walk| Position::Archived(rest.clone(), walk), || Position::Rest(resting))
}

/// Where a sync rests that could not look at the archived orders. The parameter is not documented any more: a store that has come to refuse
/// it is read on without, and one whose answer is not to be trusted is asked again next time. Neither holds up the orders that are sold.
fn without_archived(error: Error, before: Rest, looked: Rest) -> Result<Rest> {
    match error.kind() {
        ErrorKind::Failed | ErrorKind::NoStore => Ok(looked),
        ErrorKind::Unreadable => Ok(before),
        _ => Err(error),
    }
}

/// The page with the position behind it.
fn finish<W>(
    read: Read,
    next: Option<W>,
    more: impl FnOnce(W) -> Position,
    done: impl FnOnce() -> Position,
) -> Result<Page> {
    let next = match next {
        Some(walk) => Next::More(Cursor::new(&more(walk))?),
        None => match done() {
            position @ Position::Archived(..) => Next::More(Cursor::new(&position)?),
            position => Next::Done(Cursor::new(&position)?),
        },
    };
    Ok(Page { orders: read.orders, unshown: Vec::new(), next, drafts: 0, warnings: Vec::new() })
}

/// A page as read.
struct Read {
    orders: Vec<RemoteOrder>,
    high: Option<i64>,
    archived: usize,
}

/// Reads the walk's next page, smaller ones where the store cannot give so much.
fn step<W: Walking>(
    site: &Site,
    settings: &Settings,
    walk: &W,
    more: Option<(&'static str, &str)>,
) -> Result<(Read, Option<W>)> {
    loop {
        let size = settings.page_size.min(site.bearable()).max(FEWEST);
        let mut query = walk.query(size);
        query.extend(more.map(|(name, value)| (name, value.to_owned())));
        if site.facts().include {
            query.extend(INCLUDE.map(|(name, value)| (name, value.to_owned())));
        }
        let asked_at = site.now();
        match site.get("v2/orders", &query) {
            Ok(reply) => {
                let documents = site::list(&reply)?;
                let heads: Vec<Head<'_>> =
                    documents.iter().map(|row| serde_json::from_str(row.get()).unwrap_or_default()).collect();
                let rows: Vec<Row> = heads.iter().filter_map(place).collect();
                let seen = Seen { rows: &rows, full: may_go_on(documents.len(), size), asked_at };
                walk.check(&seen).map_err(ignored)?;
                if seen.full && rows.is_empty() {
                    return Err(Error::new(
                        ErrorKind::Unreadable,
                        "BigCommerce gave a page of orders without ids or dates; nothing was imported of it",
                    ));
                }
                let wanted = |head: &Head<'_>| place(head).is_none_or(|row| walk.wants(row));
                let kept: Vec<_> =
                    documents.iter().zip(&heads).filter(|(_, head)| wanted(head)).map(|(row, _)| *row).collect();
                let read = Read {
                    orders: document::complete(site, &kept)?,
                    high: rows.iter().map(|row| row.at).max(),
                    archived: heads.iter().filter(|head| wanted(head) && head.is_deleted.is_true()).count(),
                };
                return Ok((read, walk.after(&seen)));
            }
            Err(error) if error.is_too_much() && size > FEWEST => {
                site.at_most(if size > site::DEFAULT_PAGE { site::DEFAULT_PAGE } else { (size / 4).max(FEWEST) });
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether there may be rows beyond `got` of them, when `asked` were asked for. The highest permitted `limit` of V2 orders is not documented
/// for sure (fact sheet 2.1): a server that permits fewer cuts at a round number, so such a number may be its limit.
pub fn may_go_on(got: usize, asked: usize) -> bool {
    got >= asked.max(1) || (got > 0 && got.is_multiple_of(10))
}

/// The row's place in a walk; `None` where its id or its time cannot be read: such an order costs itself only.
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

    #[test]
    fn archived_orders_that_cannot_be_listed_hold_up_no_sync() {
        let rest = |aside| Rest { high: Some(1), aside, inclusive: true };
        let after = |kind| without_archived(Error::new(kind, "x"), rest(5), rest(9)).map(|rest| rest.aside);
        assert_eq!(after(ErrorKind::Failed).unwrap(), 9);
        assert_eq!(after(ErrorKind::Unreadable).unwrap(), 5, "it is looked for again");
        for kind in [ErrorKind::Temporary, ErrorKind::Credentials, ErrorKind::Permission] {
            assert_eq!(after(kind).unwrap_err().kind(), kind);
        }
    }

    #[test]
    fn a_round_number_of_rows_may_be_the_servers_limit() {
        assert!(may_go_on(250, 250) && may_go_on(50, 250) && may_go_on(1, 1));
        assert!(!may_go_on(0, 250) && !may_go_on(49, 250) && !may_go_on(251 - 2, 250));
    }
}
