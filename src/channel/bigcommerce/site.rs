//! The store as a server: addresses, requests, answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

use serde_json::value::RawValue;
use url::Url;

use super::deed::Deed;
use super::errors::{self, Strain};
use super::facts::Facts;
use super::settings::Settings;
use super::{auth, wire};
use crate::channel::Connection;
use crate::credentials::Keyring;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Budget, Client, Protocol, Reply, Request, Verdict, read_json};

/// The vendor's address; `endpoint` replaces scheme, host and port.
const API: &str = "https://api.bigcommerce.com/";

/// Rows of a sub-resource or of V3 in one page. 50 is the default, which has cost others the lines of large orders (fact sheet 10).
const SUB_PAGE: usize = 250;

/// More pages than any sub-resource of one order has; a server that ignores `page` would otherwise be asked for ever.
const MOST_PAGES: usize = 200;

/// A store's server, with the token to it.
pub struct Site {
    base: Url,
    keyring: Arc<Keyring>,
    facts: RwLock<Facts>,
    http: Arc<Client>,
    reserve: u32,
    strain: Strain,
    bearable: AtomicUsize,
}

impl Site {
    /// The store of a connection.
    pub fn new(connection: Connection, settings: &Settings) -> Result<Self> {
        connection.keyring.need("access_token")?;
        let bad = |_| Error::new(ErrorKind::Failed, "the API's address cannot be made; nothing was sent");
        let mut base = settings.endpoint.clone().map_or_else(|| Url::parse(API).map_err(bad), Ok)?;
        base.set_path(&format!("/stores/{}/", settings.store_hash));
        base.set_query(None);
        base.set_fragment(None);
        Ok(Self {
            base,
            keyring: connection.keyring,
            facts: RwLock::new(serde_json::from_value(connection.facts).unwrap_or_default()),
            http: connection.http,
            reserve: settings.reserve,
            strain: Strain::default(),
            bearable: AtomicUsize::new(usize::MAX),
        })
    }

    /// What is known about the store; before the first probe, what the documents promise.
    pub fn facts(&self) -> Facts {
        self.facts.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Takes over what a probe found out.
    pub fn learn(&self, facts: Facts) {
        *self.facts.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = facts;
    }

    /// The store's clock in seconds since the epoch, as far as its answers have told it.
    pub fn now(&self) -> i64 {
        let ahead = self.http.clock_difference().unwrap_or_default();
        (self.http.clock().now() + ahead).timestamp()
    }

    /// How many orders the store can give in one page: what was too much once will be again.
    pub fn bearable(&self) -> usize {
        self.bearable.load(Ordering::Relaxed)
    }

    /// Notes that more than `size` orders are too much.
    pub fn at_most(&self, size: usize) {
        self.bearable.fetch_min(size, Ordering::Relaxed);
    }

    /// Reads a route. An unknown id is an answer with status 404, nothing to show one with 204.
    pub fn get(&self, route: &str, query: &[(&str, String)]) -> Result<Reply> {
        let mut url = self.route(route)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query.iter().map(|(name, value)| (*name, value.as_str())));
        }
        self.http.send(self, &Request::get(url))
    }

    /// Reads all pages of a sub-resource of an order; `None` where the order is gone.
    pub fn all(&self, route: &str) -> Result<Option<Vec<Box<RawValue>>>> {
        let mut rows = Vec::new();
        for page in 1..=MOST_PAGES {
            let reply = self.get(route, &[("limit", SUB_PAGE.to_string()), ("page", page.to_string())])?;
            if reply.status == 404 {
                return Ok(None);
            }
            let (before, found) = (rows.len(), list(&reply)?);
            let more = super::pages::may_go_on(found.len(), SUB_PAGE);
            rows.extend(found.into_iter().map(ToOwned::to_owned));
            if !more || rows.len() == before {
                break;
            }
        }
        Ok(Some(rows))
    }

    /// Reads the fees of an order; `None` where the order is gone. The document knows no pages of them, its schema is that of one fee and its
    /// example a list below `fees`, while every other sub-resource is a bare list: each of these is taken.
    pub fn fees(&self, order: &str) -> Result<Option<Vec<Box<RawValue>>>> {
        let reply = self.get(&format!("v2/orders/{order}/fees"), &[])?;
        if reply.status == 404 {
            return Ok(None);
        }
        if reply.status == 204 || reply.body.trim_ascii().starts_with(b"[") {
            return Ok(Some(list(&reply)?.into_iter().map(ToOwned::to_owned).collect()));
        }
        let (found, _) = read_json::<wire::Fees<'_>>(&reply.body)?;
        if found.fees.listed {
            return Ok(Some(found.fees.rows.into_iter().map(ToOwned::to_owned).collect()));
        }
        let (one, _) = read_json::<&RawValue>(&reply.body)?;
        Ok(Some(if found.id.id().is_some() { vec![one.to_owned()] } else { Vec::new() }))
    }

    /// Reads all pages of a list of V3.
    pub fn all_v3(&self, route: &str, filter: &(&str, String)) -> Result<Vec<Box<RawValue>>> {
        let mut rows = Vec::new();
        for page in 1..=MOST_PAGES {
            let query = [filter.clone(), ("limit", SUB_PAGE.to_string()), ("page", page.to_string())];
            let reply = self.get(route, &query)?;
            if reply.status == 204 {
                break;
            }
            let (found, _) = read_json::<wire::Page<'_>>(&reply.body)?;
            if !found.data.listed {
                return Err(Error::new(ErrorKind::Unreadable, format!("{route} answered without a list of data")));
            }
            let more = super::pages::may_go_on(found.data.rows.len(), SUB_PAGE);
            rows.extend(found.data.rows.into_iter().map(ToOwned::to_owned));
            if !more {
                break;
            }
        }
        Ok(rows)
    }

    /// Carries out a write.
    pub fn carry_out(&self, deed: &Deed) -> Result<Reply> {
        let (method, route, body) = deed.request()?;
        self.http.send(self, &Request::write_json(method, self.route(&route)?, &body))
    }

    fn route(&self, route: &str) -> Result<Url> {
        self.base.join(route).map_err(|_| Error::new(ErrorKind::Failed, "an address cannot be made; nothing was sent"))
    }
}

/// The rows of a list of V2; an empty one comes as 204 without a body (fact sheet 2.1).
pub fn list(reply: &Reply) -> Result<Vec<&RawValue>> {
    if reply.status == 204 {
        return Ok(Vec::new());
    }
    read_json::<Vec<&RawValue>>(&reply.body).map(|(rows, _)| rows)
}

impl Protocol for Site {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        auth::put_on(request, &self.keyring.need("access_token")?)
    }

    fn judge(&self, request: &Request, reply: &Reply) -> Verdict {
        errors::judge(request, reply, self.http.clock().now(), &self.strain)
    }

    fn budget(&self, reply: &Reply) -> Option<Budget> {
        errors::budget(reply, self.reserve)
    }
}
