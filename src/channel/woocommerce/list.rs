//! The shop's lists: what is asked of them, and what their rows are.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::api::Api;
use super::map::{self, Statuses};
use super::settings::Settings;
use super::wire::Head;
use crate::channel::isolate::REPEATS;
use crate::channel::json::Text;
use crate::channel::keyset::{
    Bounds, Content, Count, Dialect, Entry, Fetched, First, Key, List, Query, Row, Sort, Walk,
};
use crate::channel::{RemoteOrder, meant, rows};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Reply;
use crate::order::Order;

/// How many rows an address can leave out one by one.
const LEAVES_OUT: usize = 200;

/// What WooCommerce's lists can do. Bounds are exclusive, and in whole seconds.
const DIALECT: Dialect = Dialect {
    bounds: Bounds::Exclusive,
    leaves_out: LEAVES_OUT,
    above: false,
    counts_with_pages: true,
    farthest: None,
};

/// The list of orders, or those with one status.
pub(crate) struct Orders<'a> {
    pub(crate) api: &'a Api,
    pub(crate) settings: &'a Settings,
    pub(crate) status: Option<&'static str>,
    /// No more of each order than its place is asked for.
    pub(crate) places: bool,
}

/// What of an order tells its place, and whether it is one.
const PLACE: &str = "id,status,date_created_gmt,date_modified_gmt";

impl Orders<'_> {
    fn parameters(&self, query: &Query) -> Vec<(&'static str, String)> {
        let mut parameters = parameters(query);
        parameters.extend(self.status.map(|status| ("status", status.to_owned())));
        parameters
    }

    /// Whether most orders of the page have another status than the one asked for.
    fn are_others(&self, rows: &[Entry]) -> bool {
        let Some(status) = self.status else { return false };
        let orders = || rows.iter().filter_map(|entry| as_order(&entry.content));
        let others = orders().filter(|seen| seen.order.as_ref().is_ok_and(|order| order.channel_status != status));
        others.count() * 2 > orders().count()
    }
}

fn as_order(content: &Content) -> Option<&RemoteOrder> {
    match content {
        Content::Order(order) => Some(order),
        _ => None,
    }
}

impl List for Orders<'_> {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    fn now(&self) -> i64 {
        self.api.now().timestamp()
    }

    fn our_now(&self) -> i64 {
        self.api.our_now().timestamp()
    }

    fn size(&self) -> usize {
        self.settings.page_size.min(self.api.page_size()).max(1)
    }

    fn at_most(&self, rows: usize) {
        self.api.at_most(rows);
    }

    fn fetch(&self, query: &Query, walk: &Walk, repeats: u32) -> Result<Fetched> {
        if self.places {
            let mut asked = self.parameters(query);
            asked.push(("_fields", PLACE.to_owned()));
            return places(&self.api.ask("wc/v3/orders", &asked, repeats)?, walk.key);
        }
        let reply = self.api.ask("wc/v3/orders", &self.parameters(query), repeats)?;
        let page = entries(&reply, &self.settings.statuses, walk.key)?;
        if self.are_others(&page.rows) {
            let status = self.status.unwrap_or_default();
            return Err(odd(&format!("other orders came where those with status {status} were asked for")));
        }
        Ok(page)
    }

    fn count(&self, query: &Query) -> Result<Option<u64>> {
        let mut asked = self.parameters(&Query { size: 1, ..query.clone() });
        asked.push(("_fields", "id".to_owned()));
        match self.api.ask("wc/v3/orders", &asked, REPEATS) {
            Err(error) if error.is_too_much() => Ok(None),
            reply => Ok(counted(&reply?).total),
        }
    }

    fn first(&self, query: &Query, repeats: u32) -> Result<First> {
        let reply = self.api.ask("wc/v3/orders", &place(self.status, query), repeats)?;
        first(&reply, query.sort).map(|(first, _)| first)
    }

    fn proof(&self, query: &Query) -> Result<Count> {
        proof(self.api, "wc/v3/orders", self.status, query)
    }

    fn well(&self) -> Result<()> {
        is_well(self.api)
    }

    fn odd(&self, why: &str) -> Error {
        odd(why)
    }

    fn is_held(&self) -> bool {
        self.status.is_none()
    }

    fn is_heeded(&self) -> bool {
        self.api.is_heeded()
    }

    fn heeded(&self) {
        self.api.heeded();
    }
}

/// The list of refunds. Some gateways refund without moving the order's modification time: the
/// orders of new refunds are read again.
pub(crate) struct Refunds<'a>(pub(crate) &'a Api);

impl List for Refunds<'_> {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    fn now(&self) -> i64 {
        self.0.now().timestamp()
    }

    fn our_now(&self) -> i64 {
        self.0.our_now().timestamp()
    }

    fn size(&self) -> usize {
        100
    }

    fn at_most(&self, _: usize) {}

    fn fetch(&self, query: &Query, walk: &Walk, repeats: u32) -> Result<Fetched> {
        let mut query = parameters(query);
        query.push(("_fields", "id,parent_id,date_created_gmt".to_owned()));
        let reply = self.0.ask("wc/v3/refunds", &query, repeats)?;
        let (rows, _) = reply.json::<Vec<Head<'_>>>()?;
        let entry = |head: &Head<'_>| {
            let order = head.parent_id.id().map(str::to_owned);
            Entry { row: placed(head, walk.key), modified: None, content: Content::Sign(order) }
        };
        let count = counted(&reply).total.map_or(Count::Untold, Count::OfPage);
        self.0.names_refunded(rows.iter().filter_map(|head| head.parent_id.id()).map(str::to_owned));
        Ok(Fetched { rows: rows.iter().map(entry).collect(), count, warnings: Vec::new() })
    }

    fn count(&self, _: &Query) -> Result<Option<u64>> {
        Ok(None)
    }

    fn proof(&self, query: &Query) -> Result<Count> {
        proof(self.0, "wc/v3/refunds", None, query)
    }

    fn well(&self) -> Result<()> {
        is_well(self.0)
    }

    fn odd(&self, why: &str) -> Error {
        odd(why)
    }

    fn is_held(&self) -> bool {
        false
    }
}

/// A question as WooCommerce takes it; times are bare GMT with `dates_are_gmt`.
pub(crate) fn parameters(query: &Query) -> Vec<(&'static str, String)> {
    let order = if query.descending { "desc" } else { "asc" };
    let sort = match query.sort {
        Sort::Modified => "modified",
        Sort::Created => "date",
        Sort::Id => "id",
    };
    let mut parameters = vec![
        ("per_page", query.size.to_string()),
        ("order", order.to_owned()),
        ("dates_are_gmt", "true".to_owned()),
        ("orderby", sort.to_owned()),
    ];
    let bounds = [
        ("modified_after", query.modified.0),
        ("modified_before", query.modified.1),
        ("after", query.created.0),
        ("before", query.created.1),
    ];
    parameters.extend(bounds.into_iter().filter_map(|(name, at)| Some((name, gmt(at?)))));
    let joined = |ids: &[u64]| ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    parameters.extend((query.offset > 0).then(|| ("offset", query.offset.to_string())));
    parameters.extend((!query.only.is_empty()).then(|| ("include", joined(&query.only))));
    parameters.extend((!query.without.is_empty()).then(|| ("exclude", joined(&query.without))));
    parameters
}

/// A second as the shop wants it: GMT without a zone.
fn gmt(seconds: i64) -> String {
    Timestamp::from_timestamp(seconds.max(0), 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The last row of a list, whatever is read of it. Something that takes the counts away leaves the
/// rows, and one that is read already proves the end.
fn proof(api: &Api, route: &str, status: Option<&str>, query: &Query) -> Result<Count> {
    let (modified, created) = ((None, query.modified.1), (None, query.created.1));
    let last = Query { descending: true, modified, created, offset: 0, size: 1, ..query.clone() };
    let (first, length) = first(&api.list(route, &place(status, &last))?, last.sort)?;
    Ok(match first {
        First { row: Some(last), .. } => Count::Last(Some(last)),
        First { count: Some(0), .. } if length == 0 => Count::Asked(Some(0)),
        _ => Count::Untold,
    })
}

/// A question for the place of a row alone.
fn place(status: Option<&str>, query: &Query) -> Vec<(&'static str, String)> {
    let mut asked = parameters(query);
    asked.extend(status.map(|status| ("status", status.to_owned())));
    asked.push(("_fields", "id,date_created_gmt,date_modified_gmt".to_owned()));
    asked
}

/// The first row of such an answer, and how many there are in it.
fn first(reply: &Reply, sort: Sort) -> Result<(First, usize)> {
    let (rows, _) = reply.json::<Vec<Head<'_>>>()?;
    let row = rows.first().and_then(|row| placed(row, Key::of(sort)));
    Ok((First { count: counted(reply).total, row }, rows.len()))
}

/// A question that holds no order: whether the shop answers at all.
pub(crate) fn is_well(api: &Api) -> Result<()> {
    api.ask("wc/v3/orders", &NO_ORDER.map(|(name, value)| (name, value.to_owned())), 1).map(|_| ())
}

/// A list that is empty in every shop.
pub(crate) const NO_ORDER: [(&str, &str); 3] = [("per_page", "1"), ("after", "9990-01-01T00:00:00"), ("_fields", "id")];

/// An answer that is not the answer to what was asked.
pub(crate) fn odd(why: &str) -> Error {
    let text = format!("the shop does not answer what it is asked ({why}); nothing of the answer was used");
    Error::new(ErrorKind::Unreadable, text).hint(
        "a cache, a proxy or a plugin stands before the shop's API and changes what is asked of it; exclude /wp-json/ from it, then ordersync connect --test STORE",
    )
}

/// Whether the shop heeds what it is asked: order, size of the page, bounds. Gives what the
/// merchant should know.
pub(crate) fn heeds(api: &Api) -> Result<Vec<String>> {
    let ask = |rows: &str| {
        heads(api, &[("per_page", rows), ("orderby", "id"), ("order", "asc"), ("_fields", "id,date_modified_gmt")])
    };
    let (asked, answer) = match ask("100") {
        // Something there may permit smaller pages only.
        Err(error) if error.kind() == ErrorKind::Failed && !error.is_too_much() => (10, ask("10")),
        answer => (100, answer),
    };
    let (first, total) = match answer {
        // An order that the shop cannot show, or too many of them: a sync looks more closely.
        Err(error) if error.is_too_much() => return Ok(Vec::new()),
        answer => answer?,
    };
    if !first.is_sorted_by_key(|row| row.0) {
        return Err(odd("its list comes in another order"));
    }
    let mut warnings = Vec::new();
    let length = first.len() as u64;
    match total {
        None if length > 0 => warnings.push(
            "the shop's answers come without X-WP-Total: something before it takes headers away, and each sync costs two requests more"
                .to_owned(),
        ),
        Some(total) if length < total.min(asked) => warnings.push(format!(
            "the shop gives {length} orders a page where {asked} were asked for: all of them come, in more requests"
        )),
        _ => {}
    }
    if api.facts().modified_after && length > 0 {
        let tomorrow = api.now().timestamp() + 86_400;
        let bound = gmt(tomorrow);
        let query =
            [("modified_after", bound.as_str()), ("dates_are_gmt", "true"), ("_fields", "id,date_modified_gmt")];
        let (later, _) = heads(api, &query)?;
        if later.iter().any(|row| row.1.is_some_and(|at| at <= tomorrow)) {
            return Err(odd("orders came that were modified before the time asked for"));
        }
    }
    Ok(warnings)
}

/// Ids and modification times of a list, and how many it has.
type Stamps = (Vec<(u64, Option<i64>)>, Option<u64>);

fn heads(api: &Api, query: &[(&str, &str)]) -> Result<Stamps> {
    let reply = api.get("wc/v3/orders", query)?;
    let (rows, _) = reply.json::<Vec<Head<'_>>>()?;
    let stamp = |row: &Head<'_>| (row.id.id().and_then(|id| id.parse().ok()).unwrap_or(0), modified(row));
    Ok((rows.iter().map(stamp).collect(), counted(&reply).total))
}

/// What a reply's headers say about the whole list.
pub(crate) struct Counted {
    pub(crate) total: Option<u64>,
    pub(crate) pages: Option<u64>,
}

pub(crate) fn counted(reply: &Reply) -> Counted {
    let number = |name| meant(reply.header(name)?);
    Counted { total: number("x-wp-total"), pages: number("x-wp-totalpages") }
}

/// A row's place in a list that is sorted by this time.
pub(crate) fn placed(head: &Head<'_>, key: Key) -> Option<Row> {
    let at = match key {
        Key::Modified => head.date_modified_gmt.get(),
        Key::Created => head.date_created_gmt.get(),
    };
    Some(Row { id: meant(head.id.id()?)?, at: map::parse_time(at)?.timestamp() })
}

fn modified(head: &Head<'_>) -> Option<i64> {
    map::parse_time(head.date_modified_gmt.get()).map(|at| at.timestamp())
}

/// A page, each order on its own: one that cannot be understood costs one order.
fn entries(reply: &Reply, statuses: &Statuses, key: Key) -> Result<Fetched> {
    let (documents, cut) = rows::rows(reply)?;
    let entry = |document: &Cow<'_, RawValue>| {
        let (head, order) = understand(document, statuses);
        let row = placed(&head, key);
        if map::is_draft(head.status.get()) {
            return Entry { row, modified: None, content: Content::Draft };
        }
        Entry { row, modified: modified(&head), content: Content::Order(named(document, &head, order)) }
    };
    let notices = "the shop prints notices around its answers (PHP errors shown to visitors); they were cut away, but should be switched off there";
    Ok(Fetched {
        rows: documents.iter().map(entry).collect(),
        count: counted(reply).total.map_or(Count::Untold, Count::OfPage),
        warnings: cut.then(|| notices.to_owned()).into_iter().collect(),
    })
}

/// A page of which no more than the places was asked for.
fn places(reply: &Reply, key: Key) -> Result<Fetched> {
    let (documents, _) = rows::rows(reply)?;
    let entry = |document: &Cow<'_, RawValue>| {
        let head = serde_json::from_str(document.get()).unwrap_or_else(|_| dug(document));
        let content = match head.id.id() {
            _ if map::is_draft(head.status.get()) => Content::Draft,
            Some(id) => Content::Head(id.to_owned()),
            None => Content::Sign(None),
        };
        Entry { row: placed(&head, key), modified: modified(&head), content }
    };
    let count = counted(reply).total.map_or(Count::Untold, Count::OfPage);
    Ok(Fetched { rows: documents.iter().map(entry).collect(), count, warnings: Vec::new() })
}

/// Whether a row is no order yet, as it comes alone.
pub(crate) fn is_draft(document: &RawValue) -> bool {
    map::is_draft(&rows::dug(document, "status").unwrap_or_default())
}

/// An order's document with what could be made of it.
pub(crate) fn remote(document: &RawValue, statuses: &Statuses) -> RemoteOrder {
    let (head, order) = understand(document, statuses);
    named(document, &head, order)
}

/// The order, and what places it in a list; a document is parsed once, where it can be understood
/// at all.
fn understand<'a>(document: &'a RawValue, statuses: &Statuses) -> (Head<'a>, Result<Box<Order>, String>) {
    if let Some(why) = rows::broken(document) {
        return (dug(document), Err(why.to_owned()));
    }
    match map::parse(document.get()) {
        Ok(parsed) => {
            let order = map::map(&parsed, statuses).map(Box::new);
            let head = if order.is_ok() { Head::from(parsed) } else { dug(document) };
            (head, order)
        }
        Err(why) => (dug(document), Err(why)),
    }
}

/// What places an order in a list, out of a row that cannot be read as one. Where its id is none,
/// the address that it has for itself tells it.
fn dug(row: &RawValue) -> Head<'static> {
    let text = |name: &str| Text(Cow::Owned(rows::dug(row, name).unwrap_or_default()));
    let mut head = Head {
        id: text("id"),
        status: text("status"),
        date_created_gmt: text("date_created_gmt"),
        date_modified_gmt: text("date_modified_gmt"),
        parent_id: text("parent_id"),
        ..Head::default()
    };
    let is_id = head.id.get().bytes().all(|byte| byte.is_ascii_digit()) && head.id.id().is_some();
    if let Some(id) = rows::text(row).split_once("\"_links\"").and_then(|(_, links)| own_id(links)).filter(|_| !is_id) {
        head.id = Text(Cow::Owned(id));
    }
    head
}

/// The id in the address that an order has for itself.
fn own_id(links: &str) -> Option<String> {
    let (_, rest) = links.split_once("\"self\"")?;
    let rest = rest.replace("\\/", "/");
    let (_, rest) = rest.split_once("/orders/")?;
    let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!id.is_empty()).then_some(id)
}

fn named(document: &RawValue, head: &Head<'_>, order: Result<Box<Order>, String>) -> RemoteOrder {
    RemoteOrder {
        remote_id: head.id.id().map_or_else(|| rows::nameless(document.get()), str::to_owned),
        document: document.to_owned(),
        order,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(row: &str) -> String {
        let row = RawValue::from_string(row.to_owned()).unwrap();
        dug(&row).id.get().to_owned()
    }

    #[test]
    fn i4_an_id_is_found_where_it_stands_twice_or_is_none() {
        assert_eq!(id(r#"{"id":7,"id":8,"meta":{"id":9}}"#), "8");
        let links =
            r#"{"id":"abc","_links":{"self":[{"href":"https:\/\/shop.example\/wp-json\/wc\/v3\/orders\/102"}]}}"#;
        assert_eq!(id(links), "102");
        assert_eq!(id("{}"), "");
    }

    #[test]
    fn i4_a_row_that_is_broken_has_its_place_in_the_list() {
        for broken in [
            &b"{\"id\":7,\"name\":\"J\xffrg, \\\"x\\\" ]\",\"date_modified_gmt\":\"2026-11-23T07:00:50\"}"[..],
            b"{\"id\":7,\"n\":NaN,\"l\":[{\"id\":9}],\"date_modified_gmt\":\"2026-11-23T07:00:50\"}",
        ] {
            let body = [&b" [{\"id\":6},"[..], broken, b",{\"id\":8}]\n"].concat();
            let reply = Reply { body, ..Reply::default() };
            let (rows, _) = rows::rows(&reply).unwrap();
            assert_eq!([0, 2].map(|nth| rows[nth].get()), [r#"{"id":6}"#, r#"{"id":8}"#]);
            let (head, order) = understand(&rows[1], &Statuses::new());
            assert!(order.is_err());
            assert_eq!((head.id.get(), head.date_modified_gmt.get()), ("7", "2026-11-23T07:00:50"));
        }
    }
}
