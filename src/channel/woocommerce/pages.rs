//! Reading pages of orders, and what else a sync has to look at.

use std::time::Duration;

use chrono::TimeDelta;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::api::Api;
use super::list::{Orders, Refunds, counted, is_well, odd, parameters, placed};
use super::settings::Settings;
use super::wire::Head;
use crate::channel::checkpoint::Checkpoint;
use crate::channel::isolate::REPEATS;
use crate::channel::keyset::{self, Content, Key, List, Lists, Query, Row, Sort, Walk};
use crate::channel::{Cursor, Found, Page, Pass, Plan, Range, Unshown};
use crate::error::Result;
use crate::http::read_json;

/// How often the bin and the refunds are looked at, which the list of changes may not show.
const EVERY: Duration = Duration::from_secs(3600);

/// Old shops that cannot list changes: how far back a sync reads, shortly and, every six hours,
/// thoroughly.
const SHORT_REACH: TimeDelta = TimeDelta::days(3);
const LONG_REACH: TimeDelta = TimeDelta::days(60);
const THOROUGH: TimeDelta = TimeDelta::hours(6);

/// A first sync of more pages than this is cut into slices.
const WORTH_SLICING: usize = 3;

/// Pages in a slice, and the most slices.
const SLICE_PAGES: u64 = 10;
const MOST_SLICES: u64 = 16;

/// What is remembered of a shop besides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Extra {
    /// When an old shop was last read thoroughly.
    thorough: i64,
}

type Position = keyset::Position<Extra>;
type Rest = keyset::Rest<Extra>;

/// As it stands in the book.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Before(Before),
    Now(Position),
}

/// What only the version before wrote. When it had read the changes it looked at the bin and the
/// refunds; those are passes now.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Before {
    Bin(Rest, IgnoredAny),
    Refunds(Rest, IgnoredAny, IgnoredAny),
    GivenBack(Rest, IgnoredAny),
    Trash(Walk),
    Refunded(Walk),
}

fn stored(at: &Cursor) -> Result<Position> {
    Ok(match at.position::<Stored>()? {
        Stored::Now(position) => position,
        Stored::Before(Before::Bin(rest, _) | Before::Refunds(rest, ..) | Before::GivenBack(rest, _)) => {
            Position::Rest(rest)
        }
        Stored::Before(Before::Trash(walk)) => Position::Pass(BIN.to_owned(), walk),
        Stored::Before(Before::Refunded(walk)) => Position::Pass(REFUNDS.to_owned(), walk),
    })
}

/// The passes.
const BIN: &str = "bin";
const REFUNDS: &str = "refunds";

/// A shop's lists.
struct Shop<'a> {
    api: &'a Api,
    settings: &'a Settings,
}

impl Lists for Shop<'_> {
    type Extra = Extra;

    fn overlap(&self) -> Duration {
        super::OVERLAP
    }

    fn list(&self, pass: Option<&str>) -> Box<dyn List + '_> {
        let (api, settings) = (self.api, self.settings);
        match pass {
            Some(REFUNDS) => Box::new(Refunds(api)),
            Some(_) => Box::new(Orders { api, settings, status: Some("trash") }),
            None => Box::new(Orders { api, settings, status: None }),
        }
    }

    fn lists_changes(&self) -> bool {
        self.api.facts().modified_after
    }

    fn changes(&self, extra: &mut Extra, from: Option<i64>, now: i64) -> Walk {
        if self.lists_changes() {
            return Walk::new(Key::Modified, from, None);
        }
        let thorough = now - extra.thorough >= THOROUGH.num_seconds() || extra.thorough > now;
        let reach = if thorough { LONG_REACH } else { SHORT_REACH };
        if thorough {
            extra.thorough = now;
        }
        Walk::new(Key::Created, Some(now - reach.num_seconds()), None)
    }
}

/// The cursors of a range.
pub fn plan(api: &Api, settings: &Settings, range: &Range) -> Result<Plan> {
    let since = range.since.map(|at| at.timestamp());
    let alone = |changes: Position, total| Ok(Plan { slices: Vec::new(), changes: Cursor::new(&changes)?, total });
    if let Some(until) = range.until {
        let walk = Walk::new(key(api), since, Some(until.timestamp()));
        return alone(Position::Slice(walk.modified_since(since)), None);
    }
    if !api.facts().modified_after {
        return alone(begun(api, since), None);
    }
    let (total, newest) = newest(api, since)?;
    let few = total.is_none_or(|total| total <= (WORTH_SLICING * settings.page_size) as u64);
    if few || newest.is_none() {
        return alone(begun(api, since), total);
    }
    let slices = slices(api, since, total.unwrap_or(0), settings.page_size)?
        .into_iter()
        .map(|walk| Cursor::new(&Position::Slice(walk)))
        .collect::<Result<_>>()?;
    // What changes while the slices are read is modified after the newest order of now.
    let at = Checkpoint::seen(newest, super::OVERLAP, api.now().timestamp());
    Ok(Plan { slices, changes: Cursor::new(&Position::Rest(rest(api, at)))?, total })
}

fn rest(api: &Api, at: Checkpoint) -> Rest {
    Rest::new(at, Extra { thorough: api.now().timestamp() })
}

/// One walk that reads everything from `since` on.
fn begun(api: &Api, since: Option<i64>) -> Position {
    let mut rest = rest(api, Checkpoint::new(since));
    let from = rest.at.begin(super::OVERLAP, api.now().timestamp());
    Position::Changes(rest, Walk::new(key(api), from, None))
}

/// What the list of changes may not show. Orders in the bin are on no list but their own, and their
/// modification time moves when they go there. Some gateways refund without moving it.
pub fn passes(api: &Api, changes: &Cursor) -> Result<Vec<Pass>> {
    let position = stored(changes)?;
    let Some(rest) = position.rest() else { return Ok(Vec::new()) };
    let pass = |name: &'static str, title, key| {
        let walk = rest.beside(Walk::new(key, None, None), super::OVERLAP, api.now().timestamp());
        let start = Cursor::new(&Position::Pass(name.to_owned(), walk))?;
        Ok(Pass { name, title, every: EVERY, start })
    };
    let mut passes = vec![pass(BIN, "orders in the bin", key(api))?];
    if api.facts().refunds {
        passes.push(pass(REFUNDS, "refunds", Key::Created)?);
    }
    Ok(passes)
}

fn key(api: &Api) -> Key {
    if api.facts().modified_after { Key::Modified } else { Key::Created }
}

/// A question for one row of all orders modified from `since` on.
fn row(sort: Sort, since: Option<i64>) -> Query {
    let modified = (since.map(|since| since - 1), None);
    Query { modified, ..Query::row(sort) }
}

/// How many orders there are, and when the newest of them was modified; those with dates in the
/// future aside.
fn newest(api: &Api, since: Option<i64>) -> Result<(Option<u64>, Option<i64>)> {
    let found = newest_before(api, since, api.now().timestamp())?;
    // The shop's clock is known by now.
    let now = api.now().timestamp();
    if found.1.is_some_and(|at| at > now) { newest_before(api, since, now) } else { Ok(found) }
}

fn newest_before(api: &Api, since: Option<i64>, now: i64) -> Result<(Option<u64>, Option<i64>)> {
    let query = row(Sort::Modified, since);
    let query = Query { descending: true, modified: (query.modified.0, Some(now + 1)), ..query };
    // Where it is too much, one walk reads it all, and looks more closely at what the shop fails
    // at.
    let Some((total, row)) = first(api, &query)? else { return Ok((None, None)) };
    Ok((total, row.map(|row| row.at)))
}

/// The count of a list and its first row; `None` where that is too much for the shop.
fn first(api: &Api, query: &Query) -> Result<Option<(Option<u64>, Option<Row>)>> {
    let key = if query.sort == Sort::Created { Key::Created } else { Key::Modified };
    let mut asked = parameters(query);
    asked.push(("_fields", "id,date_created_gmt,date_modified_gmt".to_owned()));
    let reply = match api.ask("wc/v3/orders", &asked, REPEATS) {
        Err(error) if error.is_too_much() => return Ok(None),
        reply => reply?,
    };
    let (rows, _) = read_json::<Vec<Head<'_>>>(&reply.body)?;
    Ok(Some((counted(&reply).total, rows.first().and_then(|row| placed(row, key)))))
}

/// Cuts the orders into slices of about equal size at creation times, found by looking at single
/// rows; several at a time.
fn slices(api: &Api, since: Option<i64>, total: u64, page_size: usize) -> Result<Vec<Walk>> {
    // A multiple of the pages in flight: with ten slices, two would be read at the end while half
    // of the threads look on.
    let count = (total / (SLICE_PAGES * page_size as u64)).clamp(4, MOST_SLICES) / 4 * 4;
    let offsets: Vec<u64> = (1..count).map(|n| n * (total / count) + n * (total % count) / count).collect();
    let mut bounds = Vec::new();
    for chunk in offsets.chunks(4) {
        let found: Vec<Result<Option<i64>>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                chunk.iter().map(|offset| scope.spawn(move || created_at(api, since, *offset))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or(Ok(None))).collect()
        });
        for bound in found {
            bounds.extend(bound?);
        }
    }
    bounds.sort_unstable();
    bounds.dedup();
    let starts = std::iter::once(None).chain(bounds.iter().copied().map(Some));
    let ends = bounds.iter().map(|bound| Some(bound - 1)).chain([None]);
    Ok(starts.zip(ends).map(|(from, until)| Walk::new(Key::Created, from, until).modified_since(since)).collect())
}

/// The creation time of the order at this place in the list.
fn created_at(api: &Api, since: Option<i64>, offset: u64) -> Result<Option<i64>> {
    let found = first(api, &Query { offset, ..row(Sort::Created, since) })?;
    Ok(found.and_then(|(_, row)| row).map(|row| row.at))
}

/// The page at `at`.
pub fn page(api: &Api, settings: &Settings, at: &Cursor) -> Result<Page> {
    keyset::page(&Shop { api, settings }, stored(at)?)
}

/// The orders with these ids, as far as they are on a list; in several requests where the shop
/// gives fewer than it is asked for, or fails at one of them.
pub fn of_ids(api: &Api, settings: &Settings, ids: Vec<u64>) -> Result<Found> {
    let list = Orders { api, settings, status: None };
    let mut all = Found::default();
    let mut asked = vec![ids];
    while let Some(mut ids) = asked.pop().filter(|ids| !ids.is_empty()) {
        let query = Query { only: ids.clone(), size: 100, ..Query::row(Sort::Id) };
        let page = match list.fetch(&query, &Walk::default(), REPEATS) {
            Err(error) if error.is_too_much() => {
                is_well(api)?;
                match ids.as_slice() {
                    [id] => all.unshown.push(Unshown::of(id.to_string(), &error)),
                    ids => asked.extend(ids.chunks(ids.len().div_ceil(2)).map(<[u64]>::to_vec)),
                }
                continue;
            }
            page => page?,
        };
        let is_read = |id: u64| all.orders.iter().any(|order| order.remote_id == id.to_string());
        let rows: Vec<u64> = page.rows.iter().filter_map(|entry| entry.row).map(|row| row.id).collect();
        if let Some(id) = rows.iter().find(|id| !ids.contains(id) && !is_read(**id)) {
            return Err(odd(&format!("order {id} came where others were asked for")));
        }
        let before = ids.len();
        ids.retain(|id| !rows.contains(id));
        // What is left where none of them came is in the bin or gone. The count may be that of the
        // page.
        if ids.len() < before {
            asked.push(ids);
        }
        all.orders.extend(page.rows.into_iter().filter_map(|entry| match entry.content {
            Content::Order(order) => Some(order),
            _ => None,
        }));
    }
    Ok(all)
}
