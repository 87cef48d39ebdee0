//! The shop's list of receipts: what is asked of it, and what its rows are.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::api::Api;
use super::map;
use super::wire::Head;
use crate::channel::isolate::REPEATS;
use crate::channel::json::Text;
use crate::channel::keyset::{Bounds, Content, Count, Dialect, Entry, Fetched, Key, List, Query, Row, Sort, Walk};
use crate::channel::{RemoteOrder, meant, rows};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Reply;

/// What Etsy's list can do. Whether bounds are inclusive is not documented, nor whether this list
/// has the end that another one has.
pub(crate) const DIALECT: Dialect =
    Dialect { bounds: Bounds::Unknown, leaves_out: 0, above: false, counts_with_pages: true, farthest: Some(12_000) };

/// The first second that the API takes as a bound: the year 2000.
const FIRST: i64 = 946_684_800;

/// Which receipts a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that come where nothing is said: without the cancelled ones, or with them. Etsy has
    /// announced the second and does not say which of the two it is.
    Usual,
    /// Those that are not cancelled.
    Live,
    /// The cancelled ones.
    Cancelled,
}

/// The list of receipts.
pub(crate) struct Receipts<'a> {
    pub(crate) api: &'a Api,
    pub(crate) which: Which,
    /// No more of each receipt than its place is wanted. Rows cannot be narrowed.
    pub(crate) places: bool,
    /// It is held against Etsy's count of it: not where it is mostly empty, and a request is to be
    /// enough to see it.
    pub(crate) held: bool,
}

impl Receipts<'_> {
    fn add(&self, mut asked: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
        let cancelled = match self.which {
            Which::Usual => return asked,
            Which::Live => "false",
            Which::Cancelled => "true",
        };
        asked.push(("was_canceled", cancelled.to_owned()));
        asked
    }
}

impl List for Receipts<'_> {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    fn now(&self) -> i64 {
        self.api.now()
    }

    fn our_now(&self) -> i64 {
        self.api.our_now()
    }

    fn size(&self) -> usize {
        self.api.page().get() as usize
    }

    fn at_most(&self, rows: usize) {
        self.api.page().at_most(u32::try_from(rows).unwrap_or(u32::MAX));
    }

    fn not_the_size(&self) {
        self.api.page().reset();
    }

    fn fetch(&self, query: &Query, walk: &Walk, repeats: u32) -> Result<Fetched> {
        let reply = self.api.receipts(&self.add(parameters(query)), repeats)?;
        let key = if query.sort == Sort::Id { walk.key } else { Key::of(query.sort) };
        page(&reply, key, self.places)
    }

    fn count(&self, query: &Query) -> Result<Option<u64>> {
        let asked = self.add(parameters(&Query { size: 1, offset: 0, ..query.clone() }));
        match self.api.receipts(&asked, REPEATS) {
            Err(error) if error.is_too_much() => Ok(None),
            reply => match page(&reply?, Key::Modified, true)?.count {
                Count::OfPage(count) => Ok(Some(count)),
                _ => Ok(None),
            },
        }
    }

    fn one(&self, id: u64) -> Result<Option<RemoteOrder>> {
        one(self.api, id, Some(0))
    }

    /// An outage fails here too, and an order that cannot be shown does not: nothing was sold in the
    /// second in which the last century ended.
    fn well(&self) -> Result<()> {
        let nothing = (Some(FIRST), Some(FIRST));
        let query = Query { created: nothing, ..Query::row(Sort::Created) };
        self.api.receipts(&parameters(&query), 0).map(drop)
    }

    /// Going on would import other orders than those that were asked for, or leave some out.
    fn odd(&self, why: &str) -> Error {
        let text = format!("Etsy does not answer what it is asked ({why}); nothing was imported of this page");
        Error::new(ErrorKind::Unreadable, text)
            .hint("if it stays so, ordersync doctor --bundle and tell us; orders read so far are kept")
    }

    fn is_held(&self) -> bool {
        self.held
    }
}

/// A question as Etsy takes it.
fn parameters(query: &Query) -> Vec<(&'static str, String)> {
    let sort = match query.sort {
        Sort::Modified => "updated",
        Sort::Created => "created",
        Sort::Id => "receipt_id",
    };
    let bounds = [
        ("min_last_modified", query.modified.0),
        ("max_last_modified", query.modified.1),
        ("min_created", query.created.0),
        ("max_created", query.created.1),
    ];
    let mut parameters = vec![
        ("limit", query.size.to_string()),
        ("offset", query.offset.to_string()),
        ("sort_on", sort.to_owned()),
        ("sort_order", if query.descending { "desc" } else { "asc" }.to_owned()),
    ];
    parameters.extend(bounds.into_iter().filter_map(|(name, at)| Some((name, at?.max(FIRST).to_string()))));
    parameters
}

/// A page of receipts.
fn page(reply: &Reply, key: Key, places: bool) -> Result<Fetched> {
    let listed = rows::member(reply, "results", "count")?;
    let count = listed.total.as_deref().and_then(meant).map_or(Count::Untold, Count::OfPage);
    let rows = listed.rows.into_iter().map(|row| entry(row, key, places)).collect();
    let warnings = listed.cut.then(|| "Etsy's answers have more around them than JSON; it was left out".to_owned());
    Ok(Fetched { rows, count, warnings: warnings.into_iter().collect() })
}

/// A row. One without all that belongs to a receipt would empty what the book has: it is read again
/// by its id.
fn entry(row: Cow<'_, RawValue>, key: Key, places: bool) -> Entry {
    let head: Head<'_> = serde_json::from_str(row.get()).unwrap_or_default();
    let id = map::id(&head.receipt_id).map(str::to_owned);
    let time = |one: &Text<'_>, other: &Text<'_>| map::time(one).or_else(|| map::time(other));
    let modified = time(&head.updated_timestamp, &head.update_timestamp);
    let created = || time(&head.created_timestamp, &head.create_timestamp);
    let at = if key == Key::Created { created() } else { modified };
    let place = |id: &str, at: Timestamp| Some(Row { id: meant(id)?, at: at.timestamp() });
    let place = id.as_deref().zip(at).and_then(|(id, at)| place(id, at));
    let is_whole = head.is_whole();
    let content = match id {
        Some(id) if places => Content::Head(id),
        None if places => Content::Sign(None),
        Some(id) if !is_whole => Content::Sign(Some(id)),
        _ => Content::Order(remote(row.into_owned())),
    };
    Entry { row: place, modified: modified.map(|at| at.timestamp()), content }
}

/// Reads one receipt; `None` where the shop has none with this id.
pub(crate) fn one(api: &Api, id: u64, repeats: Option<u32>) -> Result<Option<RemoteOrder>> {
    let reply = api.receipt(id, repeats)?;
    if reply.status == 404 {
        return Ok(None);
    }
    Ok(Some(remote(rows::single_with(&reply, ID)?.into_owned())))
}

/// The order in an answer that is this receipt.
pub(crate) fn answered(reply: &Reply, id: u64) -> Result<RemoteOrder> {
    let now = remote(rows::single_with(reply, ID)?.into_owned());
    if now.remote_id == id.to_string() { Ok(now) } else { Err(reply.unusable("another receipt")) }
}

const ID: &str = "receipt_id";

fn remote(document: Box<RawValue>) -> RemoteOrder {
    let broken = || rows::broken(&document).map(str::to_owned);
    let order = broken().map_or_else(|| map::order(document.get()), Err);
    let remote_id = match &order {
        Ok(order) => order.remote_id.clone(),
        Err(_) => rows::dug(&document, ID).unwrap_or_else(|| rows::nameless(document.get())),
    };
    RemoteOrder { remote_id, document, order: order.map(Box::new) }
}
