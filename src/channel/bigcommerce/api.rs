//! The store as a server: addresses, requests, answers.

use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use super::errors;
use super::operation::Operation;
use super::probe::Facts;
use super::settings::{self, Settings};
use super::{auth, wire};
use crate::channel::Connection;
use crate::channel::all_pages::{More, all_pages};
use crate::channel::page_size::{PageSize, PageSizes, of_least};
use crate::channel::settings::Known;
use crate::clock::Timestamp;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Account, Client, Protocol, Reply, Request, Verdict};

/// The most rows in one page. 50 is the default, which has cost others the lines of large orders.
const MOST_ROWS: u32 = 250;

/// Rows in a page where nothing is said: what every server gives.
pub(crate) const DEFAULT_PAGE: usize = 50;

/// A store's server, with the token to it.
pub(crate) struct Api {
    base: Url,
    credentials: Arc<Credentials>,
    facts: Known<Facts>,
    http: Arc<Client>,
    reserve: u32,
    page: PageSize,
    sub_page: PageSize,
}

impl Api {
    /// The store of a connection.
    pub(crate) fn new(connection: Connection, settings: &Settings) -> Result<Self> {
        connection.credentials.need("access_token")?;
        let sizes = PageSizes::new(&connection.facts, connection.learn, connection.http.clock().clone());
        let mut base = settings::origin()?;
        base.set_path(&format!("/stores/{}/", settings.store_hash));
        Ok(Self {
            base,
            credentials: connection.credentials,
            facts: Known::new(serde_json::from_value(connection.facts).unwrap_or_default()),
            http: connection.http,
            reserve: settings.reserve,
            page: sizes.of("page", MOST_ROWS, MOST_ROWS),
            sub_page: sizes.of("sub_page", MOST_ROWS, MOST_ROWS),
        })
    }

    /// What is known about the store; before the first probe, what the documents promise.
    pub(crate) fn facts(&self) -> Facts {
        self.facts.get()
    }

    /// Takes over what a probe found out.
    pub(crate) fn learn(&self, facts: Facts) {
        self.facts.set(facts);
    }

    /// The time by the channel's clock, where an answer has told it.
    pub(crate) fn told_now(&self) -> Option<Timestamp> {
        self.http.told_now()
    }

    /// The store's clock in seconds since the epoch, as far as its answers have told it.
    pub(crate) fn now(&self) -> i64 {
        self.http.their_now().timestamp()
    }

    /// Our own clock.
    pub(crate) fn our_now(&self) -> i64 {
        self.http.clock().now().timestamp()
    }

    /// How many orders the store can give in one page.
    pub(crate) fn page_size(&self) -> usize {
        self.page.get() as usize
    }

    /// Notes that more than `size` orders are too much.
    pub(crate) fn at_most(&self, size: usize) {
        self.page.at_most(u32::try_from(size).unwrap_or(MOST_ROWS));
    }

    /// Notes that it was one order at which the store failed, not how many it was asked for.
    pub(crate) fn bears_more(&self) {
        self.page.reset();
    }

    /// Reads a route. An unknown id is an answer with status 404, nothing to show one with 204.
    pub(crate) fn get(&self, route: &str, query: &[(&str, String)]) -> Result<Reply> {
        self.http.send(self, &Request::get(self.address(route, query)?))
    }

    /// The same with little patience, for a question whose failure is an answer.
    pub(crate) fn get_once(&self, route: &str, query: &[(&str, String)], repeats: u32) -> Result<Reply> {
        self.http.send(self, &Request::get(self.address(route, query)?).repeated(repeats))
    }

    fn address(&self, route: &str, query: &[(&str, String)]) -> Result<Url> {
        let mut url = self.route(route)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query.iter().map(|(name, value)| (*name, value.as_str())));
        }
        Ok(url)
    }

    /// Reads all of a sub-resource of an order; `None` where the order is gone.
    pub(crate) fn all(&self, route: &str) -> Result<Option<Vec<Box<RawValue>>>> {
        self.pages(route, None, list)
    }

    /// Reads all of a list of V3; nothing where an order is gone.
    pub(crate) fn all_v3(&self, route: &str, filter: Option<(&str, String)>) -> Result<Vec<Box<RawValue>>> {
        self.pages(route, filter, list_v3).map(Option::unwrap_or_default)
    }

    fn pages(
        &self,
        route: &str,
        filter: Option<(&str, String)>,
        rows: impl Fn(&Reply) -> Result<Vec<&RawValue>>,
    ) -> Result<Option<Vec<Box<RawValue>>>> {
        self.sized(|size| {
            let mut gone = false;
            let key = |row: &Box<_>| key(row);
            let all = all_pages(route, Vec::new(), 1usize, key, |page| {
                let mut query = vec![("limit", size.to_string()), ("page", page.to_string())];
                query.extend(filter.clone());
                let reply = self.get(route, &query)?;
                gone |= reply.status == 404;
                let rows = if gone { Vec::new() } else { rows(&reply)? };
                let more = more(rows.len(), size, page + 1);
                Ok((rows.into_iter().map(ToOwned::to_owned).collect(), more))
            })?;
            Ok((!gone).then_some(all))
        })
    }

    /// Reads in pages of the largest size, or, where that is more than the server gives (413) or
    /// bears (no answer in time, a 5xx), of the size that every server gives.
    fn sized<T>(&self, read: impl Fn(usize) -> Result<T>) -> Result<T> {
        let size = self.sub_page.get() as usize;
        match read(size) {
            Err(error) if error.is_too_much() => {
                let note = |least| self.sub_page.at_most(u32::try_from(least).unwrap_or(MOST_ROWS));
                of_least(size, DEFAULT_PAGE, note, read)?.ok_or(error)
            }
            done => done,
        }
    }

    /// Reads the fees of an order; `None` where the order is gone. The document knows no pages of
    /// them, its schema is that of one fee and its example a list below `fees`, while every other
    /// sub-resource is a bare list: each of these is taken.
    pub(crate) fn fees(&self, order: &str) -> Result<Option<Vec<Box<RawValue>>>> {
        let reply = self.get(&format!("v2/orders/{order}/fees"), &[])?;
        if reply.status == 404 {
            return Ok(None);
        }
        if reply.status == 204 || reply.body.trim_ascii().starts_with(b"[") {
            return Ok(Some(list(&reply)?.into_iter().map(ToOwned::to_owned).collect()));
        }
        let (found, _) = reply.json::<wire::Fees<'_>>()?;
        if found.fees.listed {
            return Ok(Some(found.fees.rows.into_iter().map(ToOwned::to_owned).collect()));
        }
        let (one, _) = reply.json::<&RawValue>()?;
        Ok(Some(if found.id.id().is_some() { vec![one.to_owned()] } else { Vec::new() }))
    }

    /// Carries out a write.
    pub(crate) fn carry_out(&self, operation: &Operation) -> Result<Reply> {
        let (method, route, body) = operation.request()?;
        self.http.send(self, &Request::write_json(method, self.route(&route)?, &body))
    }

    /// Makes, changes or takes away a subscription to webhooks; one that is gone already is no error.
    pub(crate) fn change_hook(&self, method: Method, route: &str, body: &Value) -> Result<()> {
        let mut request = Request::write_json(method, self.route(route)?, body);
        if body.is_null() {
            request.body = None;
        }
        self.http.send(self, &request).map(drop)
    }

    fn route(&self, route: &str) -> Result<Url> {
        self.base.join(route).map_err(|_| Error::new(ErrorKind::Failed, "an address cannot be made; nothing was sent"))
    }
}

/// By its id; by what is in it, where it has none.
fn key(row: &RawValue) -> String {
    let head = serde_json::from_str::<wire::Nothing<'_>>(row.get()).unwrap_or_default();
    head.id.id().unwrap_or(row.get()).to_owned()
}

/// Whether a list of one order may have rows beyond `got` of them, when `asked` were asked for: a
/// server that gives fewer cuts at a round number, and one that gives more knows no pages of it.
fn more(got: usize, asked: usize, next: usize) -> More<usize> {
    match got {
        got if got == asked => More::Yes(next),
        got if got > 0 && (got > asked || got.is_multiple_of(5)) => More::Perhaps(next),
        _ => More::No,
    }
}

/// The rows of a list of V2; an empty one comes as 204 without a body.
pub(crate) fn list(reply: &Reply) -> Result<Vec<&RawValue>> {
    if reply.status == 204 {
        return Ok(Vec::new());
    }
    reply.json::<Vec<&RawValue>>().map(|(rows, _)| rows)
}

fn list_v3(reply: &Reply) -> Result<Vec<&RawValue>> {
    if reply.status == 204 {
        return Ok(Vec::new());
    }
    let (found, _) = reply.json::<wire::Page<'_>>()?;
    found.data.listed.then_some(found.data.rows).ok_or_else(|| reply.unusable("JSON without a list of data"))
}

impl Protocol for Api {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        auth::put_on(request, &self.credentials.need("access_token")?)
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        errors::classify(request, reply, self.http.clock().now())
    }

    fn account(&self, reply: &Reply) -> Option<Account> {
        let budget = errors::budget(reply, self.reserve)?;
        Some(Account { budget: Some(budget), spent: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_pages_is_taken_once_and_a_full_page_that_comes_again_is_not_the_end() {
        assert_eq!(
            [0, 49, 25, 300, 250].map(|got| more(got, 250, 2)),
            [More::No, More::No, More::Perhaps(2), More::Perhaps(2), More::Yes(2)]
        );
        let rows = |count: usize| (0..count).map(|id| RawValue::from_string(format!("{{\"id\":{id}}}")).unwrap());
        let read = |count: usize| {
            let key = |row: &Box<_>| key(row);
            all_pages("x", Vec::new(), 1, key, |page| Ok((rows(count).collect(), more(count, 250, page + 1))))
        };
        assert_eq!([10, 300].map(|count| read(count).unwrap().len()), [10, 300]);
        assert!(read(250).unwrap_err().message().contains("does not move on"));
        let nameless = |text: &str| key(&RawValue::from_string(text.to_owned()).unwrap());
        assert_ne!(nameless("{\"x\":1}"), nameless("{\"x\":2}"), "told apart by what is in them");
    }
}
