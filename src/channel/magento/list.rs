//! The shop's list of orders: what is asked of it, and what its rows are.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::api::{Api, Criteria};
use super::document::{self, WANTED};
use super::map;
use super::settings::Settings;
use super::wire::Head;
use crate::channel::isolate::REPEATS;
use crate::channel::keyset::{
    Bounds, Content, Count, Dialect, Entry, Fetched, First, Key, List, Query, Row, Sort, Walk,
};
use crate::channel::{Found, RemoteOrder, Unshown, meant, rows};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Reply;

/// What Magento's lists can do: `gteq` and `lteq` include, ids can be asked for as well as times,
/// and the count of all comes with each page.
const DIALECT: Dialect =
    Dialect { bounds: Bounds::Inclusive, leaves_out: 0, above: true, counts_with_pages: true, farthest: None };

/// The list of orders.
pub(crate) struct Orders<'a> {
    pub(crate) api: &'a Api,
    pub(crate) settings: &'a Settings,
    /// No more of each order than its place is asked for.
    pub(crate) places: bool,
    /// The rows that were read before with all that belongs to them, and those that are now.
    pub(crate) seen: &'a [Seen],
    pub(crate) read: &'a Mutex<Vec<Seen>>,
}

/// A row of the list as it was given out: where a sync reads it again as it was, nothing that
/// belongs to it is read again. What changes without it is looked for by itself ([`super::pages`]).
/// Of an order that is set back to what it was, without its time being moved, another version may
/// stay that was read in between by its id; before a dispatch it is read anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) id: u64,
    pub(crate) at: i64,
    hash: String,
}

impl Seen {
    fn of(row: &RawValue) -> Option<Self> {
        let head: Head<'_> = serde_json::from_str(row.get()).ok()?;
        let hash = Sha256::digest(row.get()).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Some(Self { id: meant(head.entity_id.get())?, at: time(head.updated_at.get())?, hash })
    }
}

/// What of an order tells its place.
const PLACE: &str = "entity_id,created_at,updated_at";

impl Orders<'_> {
    fn criteria<'c>(&self, query: &Query, fields: &'c str) -> Result<Criteria<'c>> {
        let mut filters = bounds(query);
        filters.extend(self.store_filter()?);
        let by = match query.sort {
            Sort::Modified => Some("updated_at"),
            Sort::Created => Some("created_at"),
            Sort::Id => None,
        };
        let sort = by.into_iter().chain(["entity_id"]).map(|field| (field, query.descending)).collect();
        Ok(Criteria { filters, sort, size: query.size, fields })
    }

    /// The store views whose orders are wanted, by their ids.
    fn store_filter(&self) -> Result<Option<(&'static str, &'static str, String)>> {
        let ids = self.api.facts().ids_of(&self.settings.store_views)?;
        Ok((!ids.is_empty()).then(|| ("store_id", "in", ids.join(","))))
    }
}

impl List for Orders<'_> {
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
        (self.api.page().get() as usize).max(2)
    }

    fn at_most(&self, rows: usize) {
        self.api.page().at_most(u32::try_from(rows.max(2)).unwrap_or(super::api::MOST_ROWS));
    }

    fn not_the_size(&self) {
        self.api.page().reset();
    }

    fn fetch(&self, query: &Query, walk: &Walk, repeats: u32) -> Result<Fetched> {
        let criteria = self.criteria(query, if self.places { PLACE } else { WANTED })?;
        let reply = self.api.search("orders", &criteria, Some(repeats))?;
        let listed = rows::member(&reply, "items", "total_count")?;
        let entry = |row: &RawValue| {
            let head: Head<'_> = serde_json::from_str(row.get()).unwrap_or_else(|_| dug(row));
            let content = match head.entity_id.id() {
                Some(id) if self.places => Content::Head(id.to_owned()),
                None if self.places => Content::Sign(None),
                _ => Content::Document(row.to_owned()),
            };
            Entry { row: placed(&head, walk.key), modified: time(head.updated_at.get()), content }
        };
        let notices = "the shop prints notices around its answers (PHP errors shown to visitors); they were cut away, but should be switched off there";
        Ok(Fetched {
            rows: listed.rows.iter().map(|row| entry(row)).collect(),
            count: listed.total.as_deref().and_then(meant).map_or(Count::Untold, Count::OfPage),
            warnings: listed.cut.then(|| notices.to_owned()).into_iter().collect(),
        })
    }

    fn count(&self, query: &Query) -> Result<Option<u64>> {
        let criteria = self.criteria(&Query { size: 1, ..query.clone() }, "entity_id")?;
        match self.api.search("orders", &criteria, Some(REPEATS)) {
            Err(error) if error.is_too_much() => Ok(None),
            reply => Ok(total(&reply?)),
        }
    }

    fn first(&self, query: &Query, repeats: u32) -> Result<First> {
        let reply = self.api.search("orders", &self.criteria(query, PLACE)?, Some(repeats))?;
        let listed = rows::member(&reply, "items", "total_count")?;
        let head = listed.rows.first().map(|row| serde_json::from_str::<Head<'_>>(row.get()).unwrap_or_default());
        let row = head.and_then(|head| placed(&head, Key::of(query.sort)));
        Ok(First { count: listed.total.as_deref().and_then(meant), row })
    }

    fn complete(&self, documents: Vec<Box<RawValue>>) -> Result<Found> {
        let rows = documents.iter().map(|row| (row.as_ref(), Seen::of(row)));
        let is_new = |seen: &Option<Seen>| seen.as_ref().is_none_or(|seen| !self.seen.contains(seen));
        let (rows, read): (Vec<_>, Vec<_>) = rows.filter(|(_, seen)| is_new(seen)).unzip();
        let found = document::complete(self.api, &self.settings.statuses, &rows)?;
        self.read.lock().unwrap_or_else(PoisonError::into_inner).extend(read.into_iter().flatten());
        Ok(found)
    }

    fn one(&self, id: u64) -> Result<Option<RemoteOrder>> {
        one(self.api, self.settings, id, Some(1))
    }

    fn well(&self) -> Result<()> {
        is_well(self.api)
    }

    /// The newest or the oldest.
    fn shows_any(&self) -> Result<()> {
        let one = |descending| {
            let criteria = self.criteria(&Query { descending, ..Query::row(Sort::Id) }, PLACE)?;
            self.api.search("orders", &criteria, Some(1)).map(drop)
        };
        one(true).or_else(|_: Error| one(false))
    }

    fn odd(&self, why: &str) -> Error {
        odd(why)
    }
}

/// What of a question decides which orders are on the list.
fn bounds(query: &Query) -> Vec<(&'static str, &'static str, String)> {
    let times = [
        ("updated_at", "gteq", query.modified.0),
        ("updated_at", "lteq", query.modified.1),
        ("created_at", "gteq", query.created.0),
        ("created_at", "lteq", query.created.1),
    ];
    let ids = [("entity_id", "gteq", query.ids.0), ("entity_id", "lteq", query.ids.1)];
    let times = times.into_iter().filter_map(|(field, condition, at)| Some((field, condition, utc(at?))));
    let mut filters: Vec<_> = times
        .chain(ids.into_iter().filter_map(|(field, condition, id)| Some((field, condition, id?.to_string()))))
        .collect();
    let joined = |ids: &[u64]| ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    filters.extend((!query.only.is_empty()).then(|| ("entity_id", "in", joined(&query.only))));
    filters
}

/// A second as the shop takes it, without a blank.
pub(crate) fn utc(seconds: i64) -> String {
    Timestamp::from_timestamp(seconds.max(0), 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time of the shop's in seconds since the epoch.
pub(crate) fn time(text: &str) -> Option<i64> {
    map::parse_time(text).map(|at| at.timestamp())
}

/// How many rows a list has, as an answer says.
pub(crate) fn total(reply: &Reply) -> Option<u64> {
    rows::member(reply, "items", "total_count").ok()?.total.as_deref().and_then(meant)
}

fn dug(row: &RawValue) -> Head<'static> {
    let text = |name: &str| crate::channel::json::Text(rows::dug(row, name).unwrap_or_default().into());
    let times = rows::text(row);
    let time = |name: &str| {
        let at = times.split_once(&format!("\"{name}\":\"")).and_then(|(_, rest)| rest.split_once('"'));
        crate::channel::json::Text(at.map(|(at, _)| at.to_owned()).unwrap_or_default().into())
    };
    Head {
        entity_id: text("entity_id"),
        updated_at: time("updated_at"),
        created_at: time("created_at"),
        ..Head::default()
    }
}

/// The row's place in a walk; `None` where its id or its time cannot be read: such an order costs
/// itself only.
fn placed(head: &Head<'_>, key: Key) -> Option<Row> {
    let at = match key {
        Key::Modified => head.updated_at.get(),
        Key::Created => head.created_at.get(),
    };
    Some(Row { id: meant(head.entity_id.get())?, at: time(at)? })
}

/// Reads one order; `None` where the shop has none with this id, or none that is wanted.
pub(crate) fn one(api: &Api, settings: &Settings, id: u64, repeats: Option<u32>) -> Result<Option<RemoteOrder>> {
    let query = [("fields".to_owned(), WANTED.to_owned())];
    let reply = api.get(&format!("orders/{id}"), &query, repeats)?;
    if reply.status == 404 {
        return Ok(None);
    }
    let row = rows::single_with(&reply, "entity_id")?;
    if let Some(other) = rows::dug(&row, "entity_id").filter(|other| *other != id.to_string()) {
        let text = format!("order {other} came where {id} was asked for; nothing of it was used");
        return Err(Error::new(ErrorKind::Unreadable, text));
    }
    let views = api.facts().ids_of(&settings.store_views)?;
    if !views.is_empty() && rows::dug(&row, "store_id").is_none_or(|view| !views.contains(&view)) {
        return Ok(None);
    }
    let mut found = document::complete(api, &settings.statuses, &[row.as_ref()])?;
    match found.unshown.pop() {
        Some(Unshown { why, .. }) => Err(Error::new(ErrorKind::Temporary, why).too_much()),
        None => Ok(found.orders.pop()),
    }
}

/// A question that holds no order: whether the shop answers at all.
pub(crate) fn is_well(api: &Api) -> Result<()> {
    let none = Criteria {
        filters: vec![("entity_id", "eq", u32::MAX.to_string())],
        size: 1,
        fields: "entity_id",
        ..Criteria::default()
    };
    api.search("orders", &none, Some(1)).map(drop)
}

/// An answer that is not the answer to what was asked.
pub(crate) fn odd(why: &str) -> Error {
    let text = format!("the shop does not answer what it is asked ({why}); nothing of the answer was used");
    Error::new(ErrorKind::Unreadable, text).hint(
        "a cache, a proxy or a module stands before the shop's API and changes what is asked of it; exclude /rest/ from it, then ordersync connect --test STORE",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_include_and_times_have_no_blank() {
        let query = Walk::new(Key::Modified, Some(1_795_000_000), Some(1_795_000_010)).query(&DIALECT, 250);
        let asked = bounds(&query);
        assert_eq!(asked[0], ("updated_at", "gteq", "2026-11-18T11:06:40Z".to_owned()));
        assert_eq!(asked[1], ("updated_at", "lteq", "2026-11-18T11:06:50Z".to_owned()));
        let slice = Walk::of_ids(100, Some(200), (None, None)).query(&DIALECT, 100);
        assert_eq!(bounds(&slice), [("entity_id", "gteq", "101".to_owned()), ("entity_id", "lteq", "200".to_owned())]);
    }

    #[test]
    fn a_row_that_is_no_json_keeps_its_place() {
        let text =
            r#"{"entity_id": 8,"updated_at":"2026-11-23 06:43:05","created_at":"2026-11-20 06:43:05","total":01}"#;
        let row = RawValue::from_string(serde_json::to_string(text).unwrap()).unwrap();
        assert_eq!(placed(&dug(&row), Key::Modified), Some(Row { id: 8, at: 1_795_416_185 }));
    }
}
