//! Reading lists of orders, page by page.
//!
//! A walk by modification time asks for everything changed at or after a second (`updated_at:>='...Z'`: quoted, else the time part is
//! ignored; fact sheet, 2.3), ascending, in every status. Shopify's cursors hold the sort value and id of the last row, not a row
//! number, so rows that shift are no harm: an order that changes meanwhile moves to the end and is met again.
//!
//! Where the next walk begins is not the newest order seen, but at most when this walk *began*, less the overlap: the search
//! index lags, so an order changed just before the walk passed its place may not have been listed there yet, and a walk can take hours.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::bulk::{self, Bulk};
use super::facts::Scopes;
use super::settings::Settings;
use super::site::{Answer, Site};
use super::{document, map, number, query, wire};
use crate::channel::{Cursor, Next, Page, RemoteOrder};
use crate::clock::{Timestamp, rfc3339};
use crate::error::{Error, ErrorKind, Result};
use crate::order::Status;

/// A place in a store's orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Before the first page of a walk by modification time.
    Start(Span),
    /// Within it.
    Changes(Changes),
    /// A slice of a first sync, by creation time.
    Slice(Slice),
    /// The same by a bulk operation.
    Bulk(Bulk),
}

/// A span of modification time; seconds since the epoch, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// From this second on; `None`: from the first order on.
    pub since: Option<i64>,
    /// Up to this second.
    pub until: Option<i64>,
}

/// A walk by modification time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// What it walks.
    pub span: Span,
    /// Shopify's cursor.
    pub after: Option<String>,
    /// The newest change seen.
    pub high: Option<i64>,
    /// When it began.
    pub began: i64,
}

/// Orders made in a span of time, the end not included, that were changed at or after another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Made at or after.
    pub from: i64,
    /// Made before; `None`: without end.
    pub to: Option<i64>,
    /// Changed at or after.
    pub since: Option<i64>,
    /// Shopify's cursor.
    pub after: Option<String>,
}

impl Span {
    /// The filter for it; nothing for everything.
    pub fn filter(&self) -> Option<String> {
        let since = self.since.map(|at| format!("updated_at:>='{}'", second(at)));
        let until = self.until.map(|at| format!("updated_at:<='{}'", second(at)));
        let terms: Vec<String> = since.into_iter().chain(until).collect();
        (!terms.is_empty()).then(|| terms.join(" "))
    }
}

impl Slice {
    /// The filter for it.
    pub fn filter(&self) -> String {
        let mut filter = format!("created_at:>='{}'", second(self.from));
        if let Some(to) = self.to {
            filter.push_str(&format!(" created_at:<'{}'", second(to)));
        }
        if let Some(since) = self.since {
            filter.push_str(&format!(" updated_at:>='{}'", second(since)));
        }
        filter
    }
}

fn second(at: i64) -> String {
    rfc3339(Timestamp::from_timestamp(at, 0).unwrap_or_default())
}

/// The page at a position.
pub fn page(site: &Site, settings: &Settings, at: &Cursor) -> Result<Page> {
    match at.position::<Position>()? {
        Position::Start(span) => {
            let began = site.now().timestamp();
            changes(site, settings, Changes { span, after: None, high: None, began }, true)
        }
        Position::Changes(walk) => changes(site, settings, walk, false),
        Position::Slice(slice) => self::slice(site, settings, slice),
        Position::Bulk(walk) => bulk::page(site, settings, walk),
    }
}

fn changes(site: &Site, settings: &Settings, walk: Changes, first: bool) -> Result<Page> {
    let filter = walk.span.filter();
    let read = match fetch(site, settings, first, filter.as_deref(), walk.after.as_deref(), "UPDATED_AT") {
        Err(error) if walk.after.is_some() && is_bad_cursor(&error) && site.may_restart() => {
            let restarted = Changes { after: None, ..walk };
            return changes(site, settings, restarted, first);
        }
        result => result?,
    };
    let high = walk.high.max(read.high);
    let next = match read.next {
        Some(after) => Next::More(Cursor::new(&Position::Changes(Changes { after: Some(after), high, ..walk }))?),
        None => {
            let reached = high.map(|high| high.min(walk.began) - super::OVERLAP.as_secs() as i64);
            let span = Span { since: walk.span.since.max(reached), until: None };
            Next::Done(Cursor::new(&Position::Start(span))?)
        }
    };
    Ok(Page { orders: read.orders, unshown: Vec::new(), next, drafts: 0, warnings: read.warnings })
}

/// A page of a slice. Times of creation do not move, so nothing shifts between its pages; what changes meanwhile is for the changes' walk.
fn slice(site: &Site, settings: &Settings, slice: Slice) -> Result<Page> {
    let filter = slice.filter();
    let read = match fetch(site, settings, false, Some(&filter), slice.after.as_deref(), "CREATED_AT") {
        Err(error) if slice.after.is_some() && is_bad_cursor(&error) && site.may_restart() => {
            return self::slice(site, settings, Slice { after: None, ..slice });
        }
        result => result?,
    };
    let next = match read.next {
        Some(after) => Next::More(Cursor::new(&Position::Slice(Slice { after: Some(after), ..slice }))?),
        None => Next::Done(Cursor::new(&Position::Slice(slice))?),
    };
    Ok(Page { orders: read.orders, unshown: Vec::new(), next, drafts: 0, warnings: read.warnings })
}

/// How long cursors live is not documented (fact sheet, 2.5): one that is refused costs the way from the walk's beginning.
fn is_bad_cursor(error: &Error) -> bool {
    error.kind() == ErrorKind::Failed && error.message().to_lowercase().contains("cursor")
}

struct Read {
    orders: Vec<RemoteOrder>,
    next: Option<String>,
    high: Option<i64>,
    warnings: Vec<String>,
}

/// Fetches a page, smaller ones where the size asked for costs too much.
fn fetch(
    site: &Site,
    settings: &Settings,
    first: bool,
    filter: Option<&str>,
    after: Option<&str>,
    sort: &str,
) -> Result<Read> {
    let document = if first { &query::FIRST_ORDERS } else { &query::ORDERS };
    let (_, answer) = ask(site, document, filter, after, sort)?;
    read(site, settings, answer, after)
}

/// A page of as many orders as may be asked for at once, and how many that is.
fn ask(
    site: &Site,
    document: &'static query::Document,
    filter: Option<&str>,
    after: Option<&str>,
    sort: &str,
) -> Result<(u32, Answer)> {
    loop {
        let (size, lines) = (site.sizes.page.get(), site.sizes.page_lines.get());
        let variables = json!({ "first": size, "lines": lines, "after": after, "query": filter, "sort": sort });
        match site.ask(document, variables) {
            Ok(answer) => {
                site.fit_page(size, &answer);
                return Ok((size, answer));
            }
            Err(error) if error.is_too_much() && site.sizes.less_of_a_page(size, lines, &error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// What a page of orders comes to in points for each order, for an estimate.
pub fn measure(site: &Site, filter: Option<&str>) -> Result<Option<f64>> {
    let (size, answer) = ask(site, &query::ORDERS, filter, None, "CREATED_AT")?;
    let Some(cost) = &answer.cost else { return Ok(None) };
    Ok(cost.actual_query_cost.map(|cost| cost / f64::from(size)))
}

fn read(site: &Site, settings: &Settings, answer: Answer, after: Option<&str>) -> Result<Read> {
    let data: wire::Orders = answer.read()?;
    let mut warnings = answer.hidden.clone();
    warnings.sort();
    warnings.dedup();
    if let Some(app) = data.current_app_installation {
        warnings.extend(checked(&app.scopes())?);
    }
    let next = data.orders.page_info.next().map(str::to_owned);
    if data.orders.page_info.is_torn() || next.is_some() && next.as_deref() == after {
        let text = "Shopify's list of orders does not move on; nothing more was imported";
        return Err(Error::new(ErrorKind::Temporary, text));
    }
    drop(answer);
    let mut high = None;
    let parsed = data.orders.nodes.into_iter().map(|text| {
        let order: Value = serde_json::from_str(text.get()).unwrap_or_else(|_| text.get().into());
        high = high.max(order["updatedAt"].as_str().and_then(|at| map::time(at, "").ok()));
        order
    });
    let documents = document::complete(site, parsed)?;
    let high = high.map(|at| at.timestamp());
    let orders = documents.into_iter().map(|document| remote(document, settings.authorized)).collect();
    Ok(Read { orders, next, high, warnings })
}

/// A scope that went away is an error where orders hang on it, and the one that hides old orders is told in every run.
fn checked(scopes: &Scopes) -> Result<Vec<String>> {
    scopes.need_orders()?;
    Ok(scopes.warnings())
}

/// An order's document with what could be made of it.
pub fn remote(document: Box<RawValue>, authorized: Status) -> RemoteOrder {
    let head: wire::Head = serde_json::from_str(document.get()).unwrap_or_default();
    let id = head.id.as_deref().map(number).filter(|id| !id.is_empty());
    RemoteOrder {
        remote_id: id.map_or_else(|| nameless(document.get()), str::to_owned),
        order: map::order(document.get(), authorized).map(Box::new),
        document,
    }
}

/// A name for an order without an id, the same each time it comes.
fn nameless(document: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(document.as_bytes());
    format!("unreadable-{}", hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>())
}
