//! Reading pages of orders, and what else a sync has to look at.

use std::time::Duration;

use chrono::TimeDelta;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::api::Api;
use super::list::{Onward, Read, counted, is_well, odd, onward, placed, read, step, total};
use super::map;
use super::settings::Settings;
use super::walk::{By, Listed, Walk};
use super::wire::Head;
use crate::channel::checkpoint::Checkpoint;
use crate::channel::isolate::REPEATS;
use crate::channel::strayed::STRAYED;
use crate::channel::{Cursor, Next, Page, Pass, Plan, Range, Unshown};
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

/// How long an order that the shop cannot show is left out of its lists.
const LEFT_OUT: TimeDelta = TimeDelta::hours(20);
const MOST_LEFT_OUT: usize = 100;

/// Where a walk stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Position {
    /// The changes, at rest between two syncs. The version before wrote the others when it had read
    /// them and looked at the bin or the refunds; those are passes of their own now.
    Rest(Rest),
    #[serde(skip_serializing)]
    Bin(Rest, IgnoredAny),
    #[serde(skip_serializing)]
    Refunds(Rest, IgnoredAny, IgnoredAny),
    #[serde(skip_serializing)]
    GivenBack(Rest, IgnoredAny),
    /// In the middle of the changes.
    Changes(Rest, Walk),
    /// In a slice of a first sync, or in a range that was asked for.
    Slice(Walk),
    /// In the bin.
    Trash(Walk),
    /// In the refunds.
    Refunded(Walk),
}

/// What is remembered from sync to sync.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rest {
    /// Where the changes stand.
    #[serde(flatten)]
    at: Checkpoint,
    /// As the version before wrote down when it had last looked at the bin and the refunds, and the
    /// newest modification time known then.
    #[serde(default, skip_serializing)]
    aside: Option<i64>,
    #[serde(default, skip_serializing)]
    aside_from: Option<i64>,
    /// When an old shop was last read thoroughly.
    thorough: i64,
    /// How many rows a page the shop can bear; 0: nothing is known against the size that is set.
    #[serde(default)]
    size: usize,
    /// Orders that the shop cannot show, and until when they are left out of its lists: they are
    /// asked for by themselves.
    #[serde(default)]
    skip: Vec<(u64, i64)>,
    /// The most rows that a page has had, and whether its count is known to be that of the page
    /// alone.
    #[serde(default)]
    most: u64,
    #[serde(default)]
    capped: bool,
}

impl Rest {
    fn new(api: &Api, at: Checkpoint) -> Self {
        let thorough = api.now().timestamp();
        Self { at, aside: None, aside_from: None, thorough, size: 0, skip: Vec::new(), most: 0, capped: false }
    }

    /// The changes were read to their end.
    fn done(mut self) -> Self {
        self.at.done(super::OVERLAP);
        self
    }

    /// A walk that knows what is known of the shop's pages.
    fn walk(&self, by: By, from: Option<i64>) -> Walk {
        Walk { most: self.most, capped: self.capped, ..Walk::new(by, from, None) }
    }

    /// From where on a pass looks that begins now.
    fn pass_since(&self, now: i64) -> i64 {
        let before = [self.aside_from, self.aside].into_iter().flatten().min();
        let beside = self.at.beside(super::OVERLAP, now);
        before.map_or(beside, |before| beside.min(before - super::OVERLAP.as_secs() as i64))
    }
}

/// The cursors of a range.
pub fn plan(api: &Api, settings: &Settings, range: &Range) -> Result<Plan> {
    let since = range.since.map(|at| at.timestamp());
    let alone = |changes: Position, total| Ok(Plan { slices: Vec::new(), changes: Cursor::new(&changes)?, total });
    if let Some(until) = range.until {
        let mut walk = Walk::new(by(api), since, Some(until.timestamp()));
        walk.modified_since = since;
        return alone(Position::Slice(walk), None);
    }
    if !api.facts().modified_after {
        return alone(begun(api, By::Created, since), None);
    }
    let (total, newest) = newest(api, since)?;
    let few = total.is_none_or(|total| total <= (WORTH_SLICING * settings.page_size) as u64);
    if few || newest.is_none() {
        return alone(begun(api, By::Modified, since), total);
    }
    let slices = slices(api, since, total.unwrap_or(0), settings.page_size)?
        .into_iter()
        .map(|walk| Cursor::new(&Position::Slice(walk)))
        .collect::<Result<_>>()?;
    // What changes while the slices are read is modified after the newest order of now.
    let at = Checkpoint::seen(newest, super::OVERLAP, api.now().timestamp());
    Ok(Plan { slices, changes: Cursor::new(&Position::Rest(Rest::new(api, at)))?, total })
}

/// One walk that reads everything from `since` on.
fn begun(api: &Api, by: By, since: Option<i64>) -> Position {
    let mut rest = Rest::new(api, Checkpoint::new(since));
    let from = rest.at.begin(super::OVERLAP, api.now().timestamp());
    Position::Changes(rest, Walk::new(by, from, None))
}

/// What the list of changes may not show. Orders in the bin are on no list but their own, and their
/// modification time moves when they go there. Some gateways refund without moving it.
pub fn passes(api: &Api, changes: &Cursor) -> Result<Vec<Pass>> {
    let rest = match changes.position::<Position>()? {
        Position::Rest(rest) | Position::Changes(rest, _) => rest,
        Position::Bin(rest, _) | Position::Refunds(rest, ..) | Position::GivenBack(rest, _) => rest,
        Position::Slice(_) | Position::Trash(_) | Position::Refunded(_) => return Ok(Vec::new()),
    };
    let since = Some(rest.pass_since(api.now().timestamp()));
    let pass = |name, title, position| Ok(Pass { name, title, every: EVERY, start: Cursor::new(&position)? });
    let bin = Walk { size: rest.size, ..rest.walk(by(api), since) };
    let mut passes = vec![pass("bin", "orders in the bin", Position::Trash(bin))?];
    if api.facts().refunds {
        passes.push(pass("refunds", "refunds", Position::Refunded(rest.walk(By::Created, since)))?);
    }
    Ok(passes)
}

fn by(api: &Api) -> By {
    if api.facts().modified_after { By::Modified } else { By::Created }
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
    let mut query = vec![
        ("per_page", "1".to_owned()),
        ("orderby", "modified".to_owned()),
        ("order", "desc".to_owned()),
        ("dates_are_gmt", "true".to_owned()),
        ("modified_before", super::walk::gmt(now + 1)),
        ("_fields", "id,date_modified_gmt".to_owned()),
    ];
    if let Some(since) = since {
        query.push(("modified_after", super::walk::gmt(since - 1)));
    }
    let reply = match api.ask("wc/v3/orders", &query, REPEATS) {
        // One walk reads it all, and looks more closely at what the shop fails at.
        Err(error) if error.is_too_much() => return Ok((None, None)),
        reply => reply?,
    };
    let (rows, _) = read_json::<Vec<Head<'_>>>(&reply.body)?;
    let modified = rows.first().and_then(|row| map::parse_time(row.date_modified_gmt.get()));
    Ok((total(&reply), modified.map(|at| at.timestamp())))
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
    Ok(starts
        .zip(ends)
        .map(|(from, until)| Walk { modified_since: since, ..Walk::new(By::Created, from, until) })
        .collect())
}

/// The creation time of the order at this place in the list.
fn created_at(api: &Api, since: Option<i64>, offset: u64) -> Result<Option<i64>> {
    let mut query = vec![
        ("per_page", "1".to_owned()),
        ("offset", offset.to_string()),
        ("orderby", "date".to_owned()),
        ("order", "asc".to_owned()),
        ("dates_are_gmt", "true".to_owned()),
        ("_fields", "id,date_created_gmt".to_owned()),
    ];
    if let Some(since) = since {
        query.push(("modified_after", super::walk::gmt(since - 1)));
    }
    let reply = match api.ask("wc/v3/orders", &query, REPEATS) {
        Err(error) if error.is_too_much() => return Ok(None),
        reply => reply?,
    };
    let (rows, _) = read_json::<Vec<Head<'_>>>(&reply.body)?;
    Ok(rows.first().and_then(|row| map::parse_time(row.date_created_gmt.get())).map(|at| at.timestamp()))
}

/// The page at `at`.
pub fn page(api: &Api, settings: &Settings, at: &Cursor) -> Result<Page> {
    match at.position::<Position>()? {
        Position::Rest(rest) | Position::Bin(rest, _) | Position::Refunds(rest, ..) | Position::GivenBack(rest, _) => {
            from_rest(api, settings, rest)
        }
        Position::Changes(rest, walk) => changes(api, settings, rest, walk),
        Position::Slice(walk) => listed(api, settings, walk, None, Position::Slice),
        Position::Trash(walk) => listed(api, settings, walk, Some("trash"), Position::Trash),
        Position::Refunded(walk) => refunds(api, walk),
    }
}

/// A page of a walk that remembers nothing beside itself.
fn listed(
    api: &Api,
    settings: &Settings,
    walk: Walk,
    status: Option<&str>,
    position: fn(Walk) -> Position,
) -> Result<Page> {
    let (page, next) = step(api, settings, &walk, status)?;
    finish(page, onto(next, walk, position)?)
}

fn onto(next: Option<Walk>, at: Walk, position: fn(Walk) -> Position) -> Result<Next> {
    Ok(match next {
        Some(next) => Next::More(Cursor::new(&position(next))?),
        None => Next::Done(Cursor::new(&position(at))?),
    })
}

/// The changes since the last sync, or since long ago, where the position lies ahead of the shop's
/// clock.
fn from_rest(api: &Api, settings: &Settings, rest: Rest) -> Result<Page> {
    let page = resumed(api, settings, rest.clone())?;
    // A shop that cannot list changes is read back from the present.
    let strayed = rest.at.strayed(api.now().timestamp()).filter(|_| api.facts().modified_after);
    match strayed {
        None => Ok(page),
        Some(at) => {
            let mut page = resumed(api, settings, Rest { at, ..rest })?;
            page.warnings.push(STRAYED.to_owned());
            Ok(page)
        }
    }
}

fn resumed(api: &Api, settings: &Settings, mut rest: Rest) -> Result<Page> {
    let walk = resume(api, &mut rest, api.now().timestamp());
    changes(api, settings, rest, walk)
}

/// The walk of the next sync.
fn resume(api: &Api, rest: &mut Rest, now: i64) -> Walk {
    rest.skip.retain(|(_, until)| (now..=now + LEFT_OUT.num_seconds()).contains(until));
    let skip: Vec<u64> = rest.skip.iter().map(|(id, _)| *id).collect();
    let from = rest.at.begin(super::OVERLAP, now);
    let (known, size) = (rest.at.high(), rest.size.saturating_mul(2));
    let like_before = rest.walk(By::Modified, None);
    let walk = |by, from| Walk { by, from, size, known, skip: skip.clone(), ..like_before.clone() };
    if api.facts().modified_after {
        return walk(By::Modified, from);
    }
    let thorough = now - rest.thorough >= THOROUGH.num_seconds() || rest.thorough > now;
    let reach = if thorough { LONG_REACH } else { SHORT_REACH };
    let walk = walk(By::Created, Some(now - reach.num_seconds()));
    if thorough {
        rest.thorough = now;
    }
    walk
}

fn changes(api: &Api, settings: &Settings, mut rest: Rest, walk: Walk) -> Result<Page> {
    let (page, next) = step(api, settings, &walk, None)?;
    rest.at.reach(page.high, api.now().timestamp());
    if next.is_some() && page.is_dense() {
        rest.at.crowded();
    }
    (rest.most, rest.capped) = (rest.most.max(page.most), rest.capped || page.capped);
    let until = api.now().timestamp() + LEFT_OUT.num_seconds();
    let met = page.unshown.iter().filter_map(|one| Some((one.remote_id.as_ref()?.parse().ok()?, until)));
    rest.skip.extend(met);
    // So many would not fit into an address.
    let surplus = rest.skip.len().saturating_sub(MOST_LEFT_OUT);
    rest.skip.drain(..surplus);
    match next {
        Some(next) => finish(page, Next::More(Cursor::new(&Position::Changes(rest, next))?)),
        None => {
            rest.size = page.size;
            finish(page, Next::Done(Cursor::new(&Position::Rest(rest.done()))?))
        }
    }
}

/// Some gateways refund without moving the order's modification time: the orders of new refunds are
/// read again.
fn refunds(api: &Api, walk: Walk) -> Result<Page> {
    let walk = walk.resumed(api.run(), api.now().timestamp());
    let mut query = walk.query(100);
    query.push(("_fields", "id,parent_id,date_created_gmt".to_owned()));
    let reply = api.list("wc/v3/refunds", &query)?;
    let (rows, _) = read_json::<Vec<Head<'_>>>(&reply.body)?;
    let mut parents: Vec<u64> = rows.iter().filter_map(|row| row.parent_id.id()?.parse().ok()).collect();
    parents.sort_unstable();
    parents.dedup();
    let listed = Listed {
        rows: rows.iter().filter_map(|row| placed(row, By::Created)).collect(),
        length: rows.len() as u64,
        ..counted(&reply)
    };
    let next = onward(api, "wc/v3/refunds", None, &walk, &listed, 100)?;
    let next = match next {
        Onward::More(next) => Some(*next),
        Onward::End { .. } => None,
    };
    let reread = parents.iter().map(u64::to_string).collect();
    Ok(Page { reread, ..Page::without_orders(onto(next, walk, Position::Refunded)?) })
}

/// The orders with these ids, as far as they are on a list; in several requests where the shop
/// gives fewer than it is asked for, or fails at one of them.
pub fn of_ids(api: &Api, settings: &Settings, ids: Vec<u64>) -> Result<Read> {
    let mut all = Read::default();
    let mut asked = vec![ids];
    while let Some(mut ids) = asked.pop().filter(|ids| !ids.is_empty()) {
        let include = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let query = [("include", include), ("per_page", "100".to_owned()), ("orderby", "id".to_owned())];
        let reply = match api.ask("wc/v3/orders", &query, REPEATS) {
            Err(error) if error.is_too_much() => {
                is_well(api)?;
                match ids.as_slice() {
                    [id] => all.unshown.push(Unshown::of(id.to_string(), &error)),
                    ids => asked.extend(ids.chunks(ids.len().div_ceil(2)).map(<[u64]>::to_vec)),
                }
                continue;
            }
            reply => reply?,
        };
        let page = read(&reply, &settings.statuses, By::Modified, api.now().timestamp())?;
        let is_read = |id: u64| all.orders.iter().any(|order| order.remote_id == id.to_string());
        if let Some(row) = page.listed.rows.iter().find(|row| !ids.contains(&row.id) && !is_read(row.id)) {
            return Err(odd(&format!("order {} came where others were asked for", row.id)));
        }
        let before = ids.len();
        ids.retain(|id| page.listed.rows.iter().all(|row| row.id != *id));
        // What is left where none of them came is in the bin or gone. The count may be that of the
        // page.
        if ids.len() < before {
            asked.push(ids);
        }
        all.absorb(page);
    }
    Ok(all)
}

fn finish(page: Read, next: Next) -> Result<Page> {
    Ok(Page {
        orders: page.orders,
        unshown: page.unshown,
        drafts: page.drafts,
        warnings: page.warnings,
        ..Page::without_orders(next)
    })
}
