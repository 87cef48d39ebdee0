//! A slice of a first sync by a bulk operation: Shopify writes the orders into a file, without
//! points, and we read the file.
//!
//! The operation is asked to group its rows (`groupObjects: true`), so that an order's lines follow
//! it. That is slower at Shopify's end, but without it the rows below an order may come anywhere
//! after it, and the whole file would have to be kept to put an order together. With it, a piece of
//! the file at a time is enough, and the place of the first order not yet taken is where reading
//! goes on after a crash.
//!
//! An operation that fails, expires or brings fewer orders than it counted, or clearly fewer than
//! we did before it, is never taken for an empty one: its slice is read in pages.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::Api;
use super::operation::Payload;
use super::pages::{self, Position, Slice};
use super::settings::Settings;
use super::{document, map, query, wire};
use crate::channel::census::Census;
use crate::channel::{Cursor, Next, Page, RemoteOrder};
use crate::error::{Error, ErrorKind, Result};

/// How much of a file is read at once, in bytes; some hundred orders.
const PIECE: u64 = 1024 * 1024;

/// An order larger than this is left to pages.
const LARGEST_PIECE: u64 = 16 * 1024 * 1024;

/// How often an operation that cannot be started, because too many are running, is tried again
/// before the slice is read in pages.
const TRIES: u32 = 30;

/// An operation that has not ended after so many seconds is not waited for any longer: most are
/// done within minutes, and some never.
const LONGEST: i64 = 3 * 3600;

/// A slice on its way through a bulk operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bulk {
    /// The slice.
    slice: Slice,
    /// The operation, once it is started.
    operation: Option<String>,
    /// How much of its file is read, in bytes.
    offset: u64,
    /// How many orders that were.
    orders: u64,
    /// How often it was looked at or tried to be started in vain.
    looks: u32,
    /// When it was started, in seconds; 0 where an earlier version did not note it.
    #[serde(default)]
    started: i64,
    /// How many rows were read, orders and what is below them.
    #[serde(default)]
    rows: u64,
}

impl Bulk {
    /// A slice that is not begun.
    pub(crate) fn new(slice: Slice) -> Self {
        Self { slice, operation: None, offset: 0, orders: 0, looks: 0, started: 0, rows: 0 }
    }
}

/// What there is of the slice: another look at the operation, or a piece of its file.
pub(crate) fn page(api: &Api, settings: &Settings, bulk: Bulk) -> Result<Page> {
    let Some(id) = &bulk.operation else { return start(api, bulk) };
    let state: Value = api.ask(&query::BULK_STATE, json!({ "id": id }))?.read()?;
    let operation = &state["bulkOperation"];
    match (operation["status"].as_str(), operation["url"].as_str()) {
        (None, _) => in_pages(bulk, "Shopify does not know a bulk operation any more"),
        (Some("CREATED" | "RUNNING"), _) => look_again(api, bulk),
        (Some("COMPLETED"), Some(url)) => match piece(api, settings, &bulk, url, operation) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unreadable) => {
                in_pages(bulk, error.message())
            }
            page => page,
        },
        // No file: nothing was found. That must agree with what it counted, and with what we did.
        (Some("COMPLETED"), None) if bulk.slice.counted() == 0 && count(&operation["rootObjectCount"]) == Some(0) => {
            done(bulk, Vec::new())
        }
        (Some("COMPLETED"), None) => {
            in_pages(bulk, "a bulk operation of Shopify's found no order where there are some")
        }
        _ => in_pages(bulk, "a bulk operation of Shopify's failed"),
    }
}

/// Every 2 to 10 seconds.
fn look_again(api: &Api, bulk: Bulk) -> Result<Page> {
    let now = api.now().timestamp();
    let started = if bulk.started == 0 { now } else { bulk.started.min(now) };
    if now - started > LONGEST {
        return in_pages(bulk, "a bulk operation of Shopify's has not ended for hours");
    }
    let pause = Duration::from_secs(u64::from(bulk.looks).saturating_add(2).min(10));
    wait(Bulk { looks: bulk.looks.saturating_add(1), started, ..bulk }, pause)
}

fn start(api: &Api, bulk: Bulk) -> Result<Page> {
    let inner = query::bulk(&bulk.slice.list().filter().unwrap_or_default(), api.sees_routes());
    // Changes nothing in the shop, so it is repeated like a read: an operation too many does no
    // harm.
    let payload = Payload::of(&api.ask(&query::BULK, json!({ "query": inner }))?)?.unwrap_or_default();
    match payload.made {
        Some(operation) if payload.errors.is_empty() => {
            let started = api.now().timestamp();
            wait(Bulk { operation: Some(operation.id), looks: 0, started, ..bulk }, Duration::from_secs(2))
        }
        _ if payload.errors.iter().any(|error| error.code == "OPERATION_IN_PROGRESS") && bulk.looks < TRIES => {
            wait(Bulk { looks: bulk.looks + 1, ..bulk }, Duration::from_secs(10))
        }
        _ => in_pages(bulk, "Shopify did not start a bulk operation"),
    }
}

fn wait(bulk: Bulk, pause: Duration) -> Result<Page> {
    let next = Next::Wait(Cursor::new(&Position::Bulk(bulk))?, pause);
    Ok(Page::without_orders(next))
}

fn done(bulk: Bulk, orders: Vec<RemoteOrder>) -> Result<Page> {
    let next = Next::Done(Cursor::new(&Position::Bulk(bulk))?);
    Ok(Page { orders, ..Page::without_orders(next) })
}

/// The slice from its beginning in pages; what was read of it already is known to the book.
fn in_pages(bulk: Bulk, why: &str) -> Result<Page> {
    let warning = format!("{why}; its orders are read in pages, which takes longer");
    let next = Next::More(Cursor::new(&Position::Slice(bulk.slice))?);
    Ok(Page { warnings: vec![warning], ..Page::without_orders(next) })
}

/// Numbers are texts there.
fn count(number: &Value) -> Option<u64> {
    number.as_str()?.parse().ok()
}

/// What is wrong with a file, for which its slice is read in pages.
fn odd(what: &str) -> Error {
    Error::new(ErrorKind::Unreadable, format!("a bulk operation's file {what}"))
}

/// The next orders of the file.
fn piece(api: &Api, settings: &Settings, bulk: &Bulk, url: &str, operation: &Value) -> Result<Page> {
    let size = count(&operation["fileSize"]).unwrap_or(u64::MAX);
    let mut length = PIECE;
    loop {
        let bytes = fetch(api, url, bulk.offset, length)?;
        let last = (bytes.len() as u64) < length || bulk.offset.saturating_add(bytes.len() as u64) >= size;
        let (documents, used, rows) = split(&bytes, last, &|order| document::complete(api, std::iter::once(order)))?;
        if !documents.is_empty() || last {
            let next = Bulk {
                offset: bulk.offset + used as u64,
                orders: bulk.orders + documents.len() as u64,
                rows: bulk.rows + rows,
                ..bulk.clone()
            };
            return taken(api, settings, next, documents, operation, last);
        }
        length *= 4;
        if length > LARGEST_PIECE {
            return Err(odd("holds an order of unusual size"));
        }
    }
}

/// The page of what a piece holds. At the end of the file the counts must agree: which orders lack
/// some of their rows is not known, so none of them would be taken.
fn taken(
    api: &Api,
    settings: &Settings,
    next: Bulk,
    documents: Documents,
    operation: &Value,
    last: bool,
) -> Result<Page> {
    if !documents.iter().all(|document| belongs(document.get(), &next.slice)) {
        return Err(odd("holds other orders than those asked for"));
    }
    let orders = documents.into_iter().map(|document| pages::remote(document, settings.authorized)).collect();
    if !last {
        let next = Next::More(Cursor::new(&Position::Bulk(next))?);
        return Ok(Page { orders, ..Page::without_orders(next) });
    }
    let fewer = |told: &Value, read: u64| count(told).is_some_and(|counted| counted > read);
    let lacks = || odd("holds fewer orders or rows than it counted");
    if fewer(&operation["rootObjectCount"], next.orders) || fewer(&operation["objectCount"], next.rows) {
        return Err(lacks());
    }
    let census = Census { counted: next.slice.place.counted, met: next.orders };
    let asked = if next.started == 0 { api.now().timestamp() } else { next.started };
    let unshown = pages::missing(api, next.slice.list(), census, asked, &[]);
    let unshown = unshown.map_err(|error| if error.kind() == ErrorKind::Unreadable { lacks() } else { error })?;
    Ok(Page { unshown: unshown.into_iter().collect(), ..done(next, orders)? })
}

/// A piece of the file, also from a server that knows no ranges.
fn fetch(api: &Api, url: &str, offset: u64, length: u64) -> Result<Vec<u8>> {
    let reply = api.download(url, offset, length)?;
    if reply.status == 206 {
        return Ok(reply.body);
    }
    let from = usize::try_from(offset).unwrap_or(usize::MAX).min(reply.body.len());
    let to = from.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(reply.body.len());
    Ok(reply.body.get(from..to).unwrap_or_default().to_vec())
}

/// Whether an order is one of those that were asked for.
fn belongs(document: &str, slice: &Slice) -> bool {
    let head: wire::Head = serde_json::from_str(document).unwrap_or_default();
    let is_in = |at: i64| slice.from <= at && slice.to.is_none_or(|to| at < to);
    let is_new = |at: i64| slice.since.is_none_or(|since| since <= at);
    map::second(head.created_at.as_deref()).is_none_or(is_in)
        && map::second(head.updated_at.as_deref()).is_none_or(is_new)
}

type Documents = Vec<Box<serde_json::value::RawValue>>;

/// The whole rows in a piece of the file, and where each begins. Unless it is the last piece, its
/// last row may go on in the next one.
fn rows_of(bytes: &[u8], last: bool) -> impl Iterator<Item = (usize, &[u8])> {
    let mut end = 0;
    let rows = bytes.split_inclusive(|byte| *byte == b'\n').map(move |row| {
        end += row.len();
        (end - row.len(), row)
    });
    let whole = rows.filter(move |(_, row)| last || row.ends_with(b"\n"));
    whole.map(|(start, row)| (start, row.trim_ascii())).filter(|(_, text)| !text.is_empty())
}

/// The whole orders in a piece of the file, how many bytes they are, and how many rows. The last
/// one may go on in the next piece, unless this is the last. `complete` makes the document of an
/// order that may lack something, as it does for one of a page.
fn split(bytes: &[u8], last: bool, complete: &dyn Fn(Value) -> Result<Documents>) -> Result<(Documents, usize, u64)> {
    let assembled = |order: Value, rows: Vec<Value>| {
        let order = document::assemble(order, rows);
        if document::lacks_rest(&order) { complete(order) } else { Ok(vec![document::finish(order)?]) }
    };
    let odd = || odd("is not in the form that Shopify promises");
    let mut documents = Vec::new();
    let mut used = 0;
    let (mut rows_used, mut rows_seen) = (0, 0);
    let mut current: Option<(Value, Vec<Value>)> = None;
    for (start, text) in rows_of(bytes, last) {
        let value: Value = serde_json::from_slice(text).map_err(|_| odd())?;
        let parent = value["__parentId"].as_str().map(str::to_owned);
        match (parent, &mut current) {
            (None, _) => {
                if let Some((order, rows)) = current.take() {
                    documents.append(&mut assembled(order, rows)?);
                }
                (used, rows_used) = (start, rows_seen);
                current = Some((value, Vec::new()));
            }
            (Some(parent), Some((order, rows))) if order["id"] == parent.as_str() => rows.push(value),
            (Some(_), _) => return Err(odd()),
        }
        rows_seen += 1;
    }
    if last {
        if let Some((order, rows)) = current.take() {
            documents.append(&mut assembled(order, rows)?);
        }
        (used, rows_used) = (bytes.len(), rows_seen);
    }
    Ok((documents, used, rows_used))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = concat!(
        "{\"id\":\"gid://shopify/Order/1\"}\n",
        "{\"id\":\"gid://shopify/LineItem/11\",\"quantity\":1,\"__parentId\":\"gid://shopify/Order/1\"}\n",
        "{\"id\":null,\"title\":\"Post\",\"__parentId\":\"gid://shopify/Order/1\"}\n",
        "{\"id\":\"gid://shopify/Order/2\"}\n",
        "{\"id\":\"gid://shopify/LineItem/21\",\"quantity\":1,\"__parentId\":\"gid://shopify/Order/2\"}\n",
        "{\"id\":\"gid://shopify/LineItem/22\",\"quantity\":1,\"__parentId\":\"gid://shopify/Order/2\"}\n",
    );

    fn whole(order: Value) -> Result<Documents> {
        unreachable!("nothing is missing of {order}")
    }

    #[test]
    fn i3_wherever_a_file_is_cut_every_order_comes_whole_and_once() {
        let (all, used, rows) = split(FILE.as_bytes(), true, &whole).unwrap();
        assert_eq!((all.len(), used, rows), (2, FILE.len(), 6));
        assert!(all[0].get().contains("\"lineItems\":{\"nodes\":[{\"id\":\"gid://shopify/LineItem/11\""));
        assert!(all[0].get().contains("\"shippingLines\":{\"nodes\":[{\"id\":null,"));
        for cut in 0..=FILE.len() {
            let (mut first, used, some) = split(&FILE.as_bytes()[..cut], false, &whole).unwrap();
            let (rest, _, others) = split(&FILE.as_bytes()[used..], true, &whole).unwrap();
            first.extend(rest);
            assert_eq!(some + others, 6, "cut at {cut}");
            let texts = |documents: &Documents| documents.iter().map(|d| d.get().to_owned()).collect::<Vec<_>>();
            assert_eq!(texts(&first), texts(&all), "cut at {cut}");
        }
    }

    #[test]
    fn a_row_that_belongs_to_no_order_is_no_good_file() {
        assert!(split(b"{\"id\":\"x\",\"__parentId\":\"gid://shopify/Order/9\"}\n", true, &whole).is_err());
        assert!(split(b"<html>\n", true, &whole).is_err());
    }
}
