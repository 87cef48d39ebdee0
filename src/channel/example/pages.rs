//! The shop's list of orders, as the walks of [`keyset`] ask for it.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::api::Api;
use super::map;
use crate::channel::keyset::{self, Bounds, Content, Count, Dialect, Entry, Fetched, Key, List, Lists, Query, Row};
use crate::channel::keyset::{Sort, Walk};
use crate::channel::{RemoteOrder, meant, rows};
use crate::error::{Error, ErrorKind, Result};

/// What the shop's list can do.
const DIALECT: Dialect =
    Dialect { bounds: Bounds::Inclusive, leaves_out: 0, above: true, counts_with_pages: false, farthest: None };

/// What is remembered of a store besides: nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Extra {}

/// Where a walk stands.
pub(crate) type Position = keyset::Position<Extra>;

/// The lists of a shop: one.
pub(crate) struct Orders<'a> {
    api: &'a Api,
    /// No more of each order than its place is wanted. The shop cannot narrow its rows.
    places: bool,
}

impl<'a> Orders<'a> {
    /// The list of a shop.
    pub(crate) fn of(api: &'a Api) -> Self {
        Self { api, places: false }
    }
}

impl Lists for Orders<'_> {
    type Extra = Extra;

    fn extra(&self, _: i64) -> Extra {
        Extra {}
    }

    fn overlap(&self) -> Duration {
        super::OVERLAP
    }

    fn list(&self, _: Option<&str>) -> Box<dyn List + '_> {
        Box::new(Self::of(self.api))
    }

    fn places(&self) -> Box<dyn List + '_> {
        Box::new(Self { places: true, ..Self::of(self.api) })
    }

    fn changes(&self, _: &mut Extra, from: Option<i64>, _: i64) -> Walk {
        Walk::new(Key::Modified, from, None)
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
        self.api.page().get() as usize
    }

    fn at_most(&self, rows: usize) {
        self.api.page().at_most(u32::try_from(rows).unwrap_or(u32::MAX));
    }

    fn not_the_size(&self) {
        self.api.page().reset();
    }

    fn fetch(&self, query: &Query, _: &Walk, repeats: u32) -> Result<Fetched> {
        let mut asked = bounds(query);
        asked.push(("limit", query.size.to_string()));
        asked.push(("sort", if query.sort == Sort::Id { "id" } else { "changed" }.to_owned()));
        asked.push(("order", if query.descending { "desc" } else { "asc" }.to_owned()));
        let reply = self.api.get("orders", &asked, Some(repeats))?;
        let rows = rows::rows(&reply)?.0.into_iter().map(|row| entry(row, self.places)).collect();
        Ok(Fetched { rows, count: Count::Untold, warnings: Vec::new() })
    }

    fn count(&self, query: &Query) -> Result<Option<u64>> {
        self.api.count(&bounds(query)).map(Some)
    }

    fn one(&self, id: u64) -> Result<Option<RemoteOrder>> {
        one(self.api, &id.to_string(), Some(1))
    }

    /// An outage fails here too, and an order that cannot be shown does not.
    fn well(&self) -> Result<()> {
        let nobody = Query { ids: (Some(u64::from(u32::MAX)), Some(u64::from(u32::MAX))), ..Query::row(Sort::Id) };
        self.api.get("orders", &bounds(&nobody), None).map(drop)
    }

    /// Going on would import other orders than those that were asked for, or leave some out.
    fn odd(&self, why: &str) -> Error {
        let text = format!("the shop does not answer what it is asked ({why}); nothing was imported of this page");
        Error::new(ErrorKind::Unreadable, text).hint("ordersync connect --test STORE; orders read so far are kept")
    }
}

/// What of a question decides which orders are on the list. No walk here goes by the time at which
/// orders were placed.
fn bounds(query: &Query) -> Vec<(&'static str, String)> {
    let times = [("changed_from", query.modified.0), ("changed_to", query.modified.1)];
    let ids = [("id_from", query.ids.0), ("id_to", query.ids.1)];
    let times = times.into_iter().filter_map(|(name, at)| Some((name, at?.to_string())));
    times.chain(ids.into_iter().filter_map(|(name, id)| Some((name, id?.to_string())))).collect()
}

fn entry(row: Cow<'_, RawValue>, places: bool) -> Entry {
    let head: map::Head = serde_json::from_str(row.get()).unwrap_or_default();
    let place = head.id.zip(head.changed).map(|(id, at)| Row { id, at });
    let place = place.filter(|row| meant(&row.id.to_string()).is_some());
    let content = match head.id {
        Some(id) if places => Content::Head(id.to_string()),
        None if places => Content::Sign(None),
        _ => Content::Order(remote(row.into_owned())),
    };
    Entry { row: place, modified: place.map(|row| row.at), content }
}

/// One order.
pub(crate) fn one(api: &Api, id: &str, repeats: Option<u32>) -> Result<Option<RemoteOrder>> {
    // It goes into an address, so only digits are let through.
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let reply = api.get(&format!("orders/{id}"), &[], repeats)?;
    if reply.status == 404 {
        return Ok(None);
    }
    Ok(Some(remote(rows::single(&reply)?.into_owned())))
}

fn remote(document: Box<RawValue>) -> RemoteOrder {
    let remote_id = rows::dug(&document, "id").unwrap_or_else(|| rows::nameless(document.get()));
    let order = map::order(document.get()).map(Box::new);
    RemoteOrder { remote_id, document, order }
}
