//! The store's list of orders: what is asked of it, and what its rows are.

use serde_json::value::RawValue;

use super::api::{self, Api};
use super::document::{self, INCLUDE, RefundsOf};
use super::pages::count;
use super::settings::Settings;
use super::wire::Place;
use crate::channel::keyset::{Bounds, Content, Count, Dialect, Entry, Fetched, First, List, Query, Row, Sort, Walk};
use crate::channel::{Found, RemoteOrder, Unshown, meant, rows};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Reply;

/// What BigCommerce's lists can do. Whether bounds are inclusive is not documented.
const DIALECT: Dialect =
    Dialect { bounds: Bounds::Unknown, leaves_out: 0, above: true, counts_with_pages: false, farthest: None };

/// The parameter that lists archived orders. It is not documented any more.
const ARCHIVED: (&str, &str) = ("is_deleted", "true");

/// The list of orders, or of the archived ones.
pub(crate) struct Orders<'a> {
    pub(crate) api: &'a Api,
    pub(crate) settings: &'a Settings,
    pub(crate) archived: bool,
    /// No more of each order than its place is wanted. Rows cannot be narrowed, but come without
    /// what else belongs to an order.
    pub(crate) places: bool,
}

impl Orders<'_> {
    fn add<'q>(&self, mut parameters: Vec<(&'q str, String)>) -> Vec<(&'q str, String)> {
        parameters.extend(self.archived.then(|| (ARCHIVED.0, ARCHIVED.1.to_owned())));
        parameters
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
        self.settings.page_size.min(self.api.page_size()).max(2)
    }

    fn least(&self) -> usize {
        api::DEFAULT_PAGE
    }

    fn at_most(&self, rows: usize) {
        self.api.at_most(rows.max(2));
    }

    fn not_the_size(&self) {
        self.api.bears_more();
    }

    fn fetch(&self, query: &Query, _: &Walk, repeats: u32) -> Result<Fetched> {
        let mut asked = self.add(parameters(query));
        if self.api.facts().include && !self.places {
            asked.extend(INCLUDE.map(|(name, value)| (name, value.to_owned())));
        }
        let reply = match self.api.get_once("v2/orders", &asked, repeats) {
            // A store that has come to refuse the parameter is read on without.
            Err(error) if self.archived && matches!(error.kind(), ErrorKind::Failed | ErrorKind::NoStore) => {
                return Ok(nothing());
            }
            reply => reply?,
        };
        if is_empty(&reply) {
            return Ok(nothing());
        }
        let (documents, _) = rows::rows(&reply)?;
        let places: Vec<Place<'_>> =
            documents.iter().map(|row| serde_json::from_str(row.get()).unwrap_or_default()).collect();
        // One that does not know it gives its ordinary orders; then there is nothing to learn here.
        if self.archived && !places.iter().all(|at| at.is_deleted.is_true()) {
            return Ok(nothing());
        }
        let entry = |(at, document): (&Place<'_>, &std::borrow::Cow<'_, RawValue>)| {
            let row = place(at);
            let content = match at.id.id() {
                Some(id) if self.places => Content::Head(id.to_owned()),
                None if self.places => Content::Sign(None),
                _ => Content::Document(document.as_ref().to_owned()),
            };
            Entry { row, modified: row.map(|row| row.at), content }
        };
        Ok(Fetched { rows: places.iter().zip(&documents).map(entry).collect(), ..nothing() })
    }

    fn count(&self, query: &Query) -> Result<Option<u64>> {
        count(self.api, &self.add(bounds(query)))
    }

    fn first(&self, query: &Query, repeats: u32) -> Result<First> {
        let reply = self.api.get_once("v2/orders", &self.add(parameters(query)), repeats)?;
        let rows = api::list(&reply)?;
        let first = rows.first().and_then(|row| serde_json::from_str::<Place<'_>>(row.get()).ok());
        Ok(First { count: None, row: first.as_ref().and_then(place) })
    }

    fn complete(&self, documents: Vec<Box<RawValue>>) -> Result<Found> {
        document::complete(self.api, &documents.iter().map(AsRef::as_ref).collect::<Vec<_>>(), RefundsOf::Likely)
    }

    fn one(&self, id: u64) -> Result<Option<RemoteOrder>> {
        one(self.api, id, Some(1))
    }

    /// An outage fails here too, and an order that cannot be shown does not.
    fn well(&self) -> Result<()> {
        let none = [("limit", "1".to_owned()), ("min_id", u32::MAX.to_string()), ("max_id", u32::MAX.to_string())];
        self.api.get("v2/orders", &none).map(|_| ())
    }

    /// The newest or the oldest, with all that is asked of one.
    fn shows_any(&self) -> Result<()> {
        let one = |descending| {
            let mut asked = parameters(&Query { descending, ..Query::row(Sort::Id) });
            if self.api.facts().include {
                asked.extend(INCLUDE.map(|(name, value)| (name, value.to_owned())));
            }
            self.api.get_once("v2/orders", &asked, 1)
        };
        one(true).or_else(|_| one(false)).map(|_| ())
    }

    fn odd(&self, why: &str) -> Error {
        odd(why)
    }

    fn is_held(&self) -> bool {
        !self.archived
    }
}

/// A page without rows.
fn nothing() -> Fetched {
    Fetched { rows: Vec::new(), count: Count::Untold, warnings: Vec::new() }
}

/// An empty list comes as 204 without a body.
fn is_empty(reply: &Reply) -> bool {
    reply.status == 204 || reply.body.trim_ascii() == b"[]"
}

/// A question as BigCommerce takes it.
pub(crate) fn parameters(query: &Query) -> Vec<(&'static str, String)> {
    let sort = match query.sort {
        Sort::Modified => "date_modified",
        Sort::Created => "date_created",
        Sort::Id => "id",
    };
    let direction = if query.descending { "desc" } else { "asc" };
    let mut parameters = vec![("limit", query.size.to_string()), ("sort", format!("{sort}:{direction}"))];
    parameters.extend(bounds(query));
    parameters
}

/// What of a question decides which orders are on the list.
pub(crate) fn bounds(query: &Query) -> Vec<(&'static str, String)> {
    let times = [
        ("min_date_modified", query.modified.0),
        ("max_date_modified", query.modified.1),
        ("min_date_created", query.created.0),
        ("max_date_created", query.created.1),
    ];
    let ids = [("min_id", query.ids.0), ("max_id", query.ids.1)];
    let times = times.into_iter().filter_map(|(name, at)| Some((name, iso(at?))));
    times.chain(ids.into_iter().filter_map(|(name, id)| Some((name, id?.to_string())))).collect()
}

/// A second as the API takes it: ISO 8601 in UTC.
fn iso(seconds: i64) -> String {
    Timestamp::from_timestamp(seconds.max(0), 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// The row's place in a walk; `None` where its id or its time cannot be read: such an order costs
/// itself only.
fn place(row: &Place<'_>) -> Option<Row> {
    let at = super::map::parse_time(row.date_modified.get())?.timestamp();
    Some(Row { id: meant(row.id.get())?, at })
}

/// Reads one order; `None` where the store has none with this id.
pub(crate) fn one(api: &Api, id: u64, repeats: Option<u32>) -> Result<Option<RemoteOrder>> {
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
    let mut complete = document::complete(api, &[rows::single(&reply)?.as_ref()], RefundsOf::All)?;
    match complete.unshown.pop() {
        Some(Unshown { why, .. }) => Err(Error::new(ErrorKind::Temporary, why).too_much()),
        None => Ok(complete.orders.pop()),
    }
}

/// Going on would import the whole list, or leave out orders, in silence.
pub(crate) fn odd(why: &str) -> Error {
    let text = format!("BigCommerce does not answer what it is asked ({why}); nothing was imported of this page");
    Error::new(ErrorKind::Unreadable, text)
        .hint("if it stays so, ordersync doctor --bundle and tell us; orders read so far are kept")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::keyset::Key;

    #[test]
    fn bounds_are_one_second_wider_and_encoded_as_the_api_takes_them() {
        let query = Walk::new(Key::Modified, Some(1_795_000_000), Some(1_795_000_010)).query(&DIALECT, 250);
        let asked = parameters(&query);
        let has = |name: &str, value: &str| asked.iter().any(|(n, v)| *n == name && v == value);
        assert!(has("min_date_modified", "2026-11-18T11:06:39+00:00"), "{asked:?}");
        assert!(has("max_date_modified", "2026-11-18T11:06:51+00:00") && has("limit", "250"));
    }
}
