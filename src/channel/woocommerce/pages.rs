//! Reading pages of orders, and what else a sync has to look at.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::map::{self, Statuses};
use super::settings::Settings;
use super::site::Site;
use super::walk::{By, Row, Walk};
use super::wire::Head;
use crate::channel::{Cursor, Next, Page, Plan, Range, RemoteOrder};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Reply, read_json};
use crate::order::Order;

/// How often a sync looks at the bin and at refunds, which the list of changes may not show.
const ASIDE: TimeDelta = TimeDelta::hours(1);

/// Old shops that cannot list changes: how far back a sync reads, shortly and, every six hours, thoroughly.
const SHORT_REACH: TimeDelta = TimeDelta::days(3);
const LONG_REACH: TimeDelta = TimeDelta::days(60);
const THOROUGH: TimeDelta = TimeDelta::hours(6);

/// A first sync of more pages than this is cut into slices.
const WORTH_SLICING: usize = 3;

/// Pages in a slice, and the most slices.
const SLICE_PAGES: u64 = 10;
const MOST_SLICES: u64 = 16;

/// Where a sync stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Position {
    /// At rest between two syncs.
    Rest(Rest),
    /// In the middle of the changes.
    Changes(Rest, Walk),
    /// In the middle of the bin.
    Bin(Rest, Walk),
    /// At this page of the refunds made since.
    Refunds(Rest, i64, u32),
    /// In a slice of a first sync, or in a range that was asked for: no rest, nothing aside.
    Slice(Walk),
}

/// What is remembered from sync to sync. Seconds since the epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rest {
    /// The newest modification time read so far; everything up to it is read, but for what the overlap covers.
    high: Option<i64>,
    /// When the bin and the refunds were last looked at.
    aside: i64,
    /// When an old shop was last read thoroughly.
    thorough: i64,
    /// The run that read the changes last.
    #[serde(default)]
    run: u64,
}

/// The cursors of a range.
pub fn begin(site: &Site, settings: &Settings, range: &Range) -> Result<Plan> {
    let now = site.now().timestamp();
    let since = range.since.map(|at| at.timestamp());
    if let Some(until) = range.until {
        let mut walk = Walk::new(by(site), since, Some(until.timestamp()));
        walk.modified_since = since;
        return Ok(Plan { slices: Vec::new(), changes: Cursor::new(&Position::Slice(walk))?, total: None });
    }
    if !site.facts().modified_after {
        let rest = Rest { high: since, aside: now, thorough: now, run: site.run() };
        let walk = Walk::new(By::Created, since, None);
        return Ok(Plan { slices: Vec::new(), changes: Cursor::new(&Position::Changes(rest, walk))?, total: None });
    }
    let (total, newest) = newest(site, since)?;
    let rest = |high| Rest { high, aside: now, thorough: now, run: site.run() };
    let few = total.is_none_or(|total| total <= (WORTH_SLICING * settings.page_size) as u64);
    if few || newest.is_none() {
        let walk = Walk::new(By::Modified, since, None);
        return Ok(Plan { slices: Vec::new(), changes: Cursor::new(&Position::Changes(rest(since), walk))?, total });
    }
    let total = total.unwrap_or(0);
    let slices = slices(site, since, total, settings.page_size)?
        .into_iter()
        .map(|walk| Cursor::new(&Position::Slice(walk)))
        .collect::<Result<_>>()?;
    // What changes while the slices are read is modified after the newest order of now.
    Ok(Plan { slices, changes: Cursor::new(&Position::Rest(rest(newest)))?, total: Some(total) })
}

fn by(site: &Site) -> By {
    if site.facts().modified_after { By::Modified } else { By::Created }
}

/// How many orders there are, and when the newest of them was modified.
fn newest(site: &Site, since: Option<i64>) -> Result<(Option<u64>, Option<i64>)> {
    let mut query = vec![
        ("per_page", "1".to_owned()),
        ("orderby", "modified".to_owned()),
        ("order", "desc".to_owned()),
        ("dates_are_gmt", "true".to_owned()),
        ("_fields", "id,date_modified_gmt".to_owned()),
    ];
    if let Some(since) = since {
        query.push(("modified_after", super::walk::gmt(since - 1)));
    }
    let reply = get(site, "wc/v3/orders", &query)?;
    let (rows, _) = read_json::<Vec<Head<'_>>>(&reply.body)?;
    let modified = rows.first().and_then(|row| map::parse_time(row.date_modified_gmt.get()));
    Ok((total(&reply), modified.map(|at| at.timestamp())))
}

/// Cuts the orders into slices of about equal size at creation times, found by looking at single rows; several at a time.
fn slices(site: &Site, since: Option<i64>, total: u64, page_size: usize) -> Result<Vec<Walk>> {
    // A multiple of the pages in flight: with ten slices, two would be read at the end while half of the threads look on.
    let count = (total / (SLICE_PAGES * page_size as u64)).clamp(4, MOST_SLICES) / 4 * 4;
    let offsets: Vec<u64> = (1..count).map(|n| n * total / count).collect();
    let mut bounds = Vec::new();
    for chunk in offsets.chunks(4) {
        let found: Vec<Result<Option<i64>>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                chunk.iter().map(|offset| scope.spawn(move || created_at(site, since, *offset))).collect();
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
fn created_at(site: &Site, since: Option<i64>, offset: u64) -> Result<Option<i64>> {
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
    let reply = get(site, "wc/v3/orders", &query)?;
    let (rows, _) = read_json::<Vec<Head<'_>>>(&reply.body)?;
    Ok(rows.first().and_then(|row| map::parse_time(row.date_created_gmt.get())).map(|at| at.timestamp()))
}

/// The page at `at`.
pub fn page(site: &Site, settings: &Settings, at: &Cursor) -> Result<Page> {
    let now = site.now().timestamp();
    match at.position::<Position>()? {
        Position::Rest(mut rest) => {
            let walk = resume(site, &mut rest, now);
            changes(site, settings, rest, walk)
        }
        // A run that was killed while it looked aside had read the changes of its own time; those since then come first.
        Position::Bin(mut rest, _) | Position::Refunds(mut rest, ..) if rest.run != site.run() => {
            let walk = resume(site, &mut rest, now);
            changes(site, settings, rest, walk)
        }
        Position::Changes(rest, walk) => changes(site, settings, rest, walk),
        Position::Bin(rest, walk) => bin(site, settings, rest, walk),
        Position::Refunds(rest, since, number) => refunds(site, settings, rest, since, number),
        Position::Slice(walk) => {
            let (page, next) = step(site, settings, &walk, None)?;
            finish(
                page,
                match next {
                    Some(next) => Next::More(Cursor::new(&Position::Slice(next))?),
                    None => Next::Done(Cursor::new(&Position::Slice(walk))?),
                },
            )
        }
    }
}

/// The walk of the next sync: from the newest order read, less the overlap.
fn resume(site: &Site, rest: &mut Rest, now: i64) -> Walk {
    if site.facts().modified_after {
        return Walk::new(By::Modified, rest.high.map(|high| high - super::OVERLAP.as_secs() as i64), None);
    }
    let thorough = now - rest.thorough >= THOROUGH.num_seconds();
    if thorough {
        rest.thorough = now;
    }
    let reach = if thorough { LONG_REACH } else { SHORT_REACH };
    Walk::new(By::Created, Some(now - reach.num_seconds()), None)
}

fn changes(site: &Site, settings: &Settings, mut rest: Rest, walk: Walk) -> Result<Page> {
    let (page, next) = step(site, settings, &walk, None)?;
    rest.high = rest.high.max(page.high);
    rest.run = site.run();
    let now = site.now().timestamp();
    let next = match next {
        Some(next) => Next::More(Cursor::new(&Position::Changes(rest, next))?),
        None if now - rest.aside >= ASIDE.num_seconds() || rest.aside > now => {
            let from = rest.aside.min(now) - super::OVERLAP.as_secs() as i64;
            Next::More(Cursor::new(&Position::Bin(rest, Walk::new(by(site), Some(from), None)))?)
        }
        None => Next::Done(Cursor::new(&Position::Rest(rest))?),
    };
    finish(page, next)
}

/// Orders in the bin are on no list but their own, and their modification time moves when they go there (fact sheet, observed 5).
fn bin(site: &Site, settings: &Settings, mut rest: Rest, walk: Walk) -> Result<Page> {
    let (page, next) = step(site, settings, &walk, Some("trash"))?;
    let now = site.now().timestamp();
    let next = match next {
        Some(next) => Next::More(Cursor::new(&Position::Bin(rest, next))?),
        None if site.facts().refunds => {
            let since = rest.aside.min(now) - super::OVERLAP.as_secs() as i64;
            Next::More(Cursor::new(&Position::Refunds(rest, since, 1))?)
        }
        None => {
            rest.aside = now;
            Next::Done(Cursor::new(&Position::Rest(rest))?)
        }
    };
    finish(page, next)
}

/// Some gateways refund without moving the order's modification time: the orders of new refunds are read again.
fn refunds(site: &Site, settings: &Settings, mut rest: Rest, since: i64, number: u32) -> Result<Page> {
    let query = [
        ("after", super::walk::gmt(since)),
        ("dates_are_gmt", "true".to_owned()),
        ("orderby", "date".to_owned()),
        ("order", "asc".to_owned()),
        ("per_page", "100".to_owned()),
        ("page", number.to_string()),
        ("_fields", "id,parent_id".to_owned()),
    ];
    let reply = get(site, "wc/v3/refunds", &query)?;
    let (rows, _) = read_json::<Vec<Head<'_>>>(&reply.body)?;
    let more = rows.len() >= 100;
    let mut parents: Vec<&str> = rows.iter().filter_map(|row| row.parent_id.id()).collect();
    parents.sort_unstable();
    parents.dedup();
    let page = if parents.is_empty() {
        Read::default()
    } else {
        let query = [("include", parents.join(",")), ("per_page", "100".to_owned()), ("orderby", "id".to_owned())];
        read(&get(site, "wc/v3/orders", &query)?, &settings.statuses, By::Modified)?
    };
    let next = if more {
        Next::More(Cursor::new(&Position::Refunds(rest, since, number + 1))?)
    } else {
        rest.aside = site.now().timestamp();
        Next::Done(Cursor::new(&Position::Rest(rest))?)
    };
    finish(page, next)
}

fn finish(page: Read, next: Next) -> Result<Page> {
    Ok(Page { orders: page.orders, unshown: Vec::new(), next, drafts: page.drafts, warnings: page.warnings })
}

/// A page as read.
#[derive(Default)]
struct Read {
    orders: Vec<RemoteOrder>,
    rows: Vec<Row>,
    length: usize,
    total: Option<u64>,
    high: Option<i64>,
    drafts: u32,
    warnings: Vec<String>,
}

/// Reads the walk's next page, smaller ones where the shop cannot bear the size asked for.
fn step(site: &Site, settings: &Settings, walk: &Walk, status: Option<&str>) -> Result<(Read, Option<Walk>)> {
    // Shared by all walks of the process: what was too much for a shop once will be again.
    static BEARABLE: AtomicUsize = AtomicUsize::new(100);
    loop {
        let size = settings.page_size.min(BEARABLE.load(Ordering::Relaxed)).max(1);
        let walk = walk.resumed(site.run(), site.now().timestamp());
        let mut query = walk.query(size);
        if let Some(status) = status {
            query.push(("status", status.to_owned()));
        }
        match get(site, "wc/v3/orders", &query) {
            Ok(reply) => {
                let page = read(&reply, &settings.statuses, walk.by)?;
                let more = page.total.map_or(page.length >= size, |total| total > size as u64);
                let next = walk.after(&page.rows, more, site.now().timestamp());
                return Ok((page, next));
            }
            Err(error) if error.is_too_much() && size > 1 => {
                BEARABLE.fetch_min((size / 4).max(1), Ordering::Relaxed);
            }
            Err(error) if error.is_too_much() => return Err(stuck(error, &walk)),
            Err(error) => return Err(error),
        }
    }
}

/// A shop that fails at a page of a single order.
fn stuck(error: Error, walk: &Walk) -> Error {
    let place = walk.from.map(super::walk::gmt).unwrap_or_default();
    let text = format!("{}; it fails even when asked for a single order (after {place} UTC)", error.message());
    Error::new(ErrorKind::Temporary, text)
        .hint("an order that the shop itself cannot show; its error log names it. The rest is read once that is mended")
}

fn get(site: &Site, route: &str, query: &[(&str, String)]) -> Result<Reply> {
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    site.get(route, &query)
}

fn total(reply: &Reply) -> Option<u64> {
    reply.header("x-wp-total")?.trim().parse().ok()
}

/// Reads a page, each order on its own: one that cannot be understood costs one order.
fn read(reply: &Reply, statuses: &Statuses, by: By) -> Result<Read> {
    let (documents, cut) = read_json::<Vec<&RawValue>>(&reply.body)?;
    let mut page = Read { length: documents.len(), total: total(reply), ..Read::default() };
    if cut {
        page.warnings.push(
            "the shop prints notices around its answers (PHP errors shown to visitors); they were cut away, but should be switched off there"
                .to_owned(),
        );
    }
    for document in documents {
        let (head, order) = understand(document, statuses);
        let modified = map::parse_time(head.date_modified_gmt.get()).map(|at| at.timestamp());
        let at = match by {
            By::Modified => modified,
            By::Created => map::parse_time(head.date_created_gmt.get()).map(|at| at.timestamp()),
        };
        if let (Some(id), Some(at)) = (head.id.id().and_then(|id| id.parse().ok()), at) {
            page.rows.push(Row { id, at });
        }
        if map::is_draft(head.status.get()) {
            page.drafts += 1;
            continue;
        }
        page.high = page.high.max(modified);
        page.orders.push(named(document, &head, order));
    }
    Ok(page)
}

/// An order's document with what could be made of it.
pub fn remote(document: &RawValue, statuses: &Statuses) -> RemoteOrder {
    let (head, order) = understand(document, statuses);
    named(document, &head, order)
}

/// The order, and what places it in a list; a document is parsed once, where it can be understood at all.
fn understand<'a>(document: &'a RawValue, statuses: &Statuses) -> (Head<'a>, Result<Box<Order>, String>) {
    match map::parse(document.get()) {
        Ok(parsed) => {
            let order = map::map(&parsed, statuses).map(Box::new);
            (Head::from(parsed), order)
        }
        Err(why) => (serde_json::from_str(document.get()).unwrap_or_default(), Err(why)),
    }
}

fn named(document: &RawValue, head: &Head<'_>, order: Result<Box<Order>, String>) -> RemoteOrder {
    RemoteOrder {
        remote_id: head.id.id().map_or_else(|| nameless(document.get()), str::to_owned),
        document: document.to_owned(),
        order,
    }
}

/// A name for an order without an id, the same each time it comes.
fn nameless(document: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(document.as_bytes());
    format!("unreadable-{}", hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>())
}
