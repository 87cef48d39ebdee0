//! The shop as a server: addresses, requests, answers.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::auth::Key;
use super::errors;
use super::operation::Operation;
use super::probe::{Facts, Login};
use super::settings::Settings;
use crate::channel::page_size::{PageSize, PageSizes};
use crate::channel::settings::Known;
use crate::channel::{Connection, Learn};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Client, Protocol, Reply, Request, Verdict};

/// What makes a request for a plain permalink one to WooCommerce's API (`is_request_to_rest_api`):
/// it counts anywhere in the address, not encoded. WordPress takes it for a parameter that nobody
/// asks for.
const MARK: &str = "_for=wp-json/wc/";

/// The most rows that WooCommerce gives on a page.
const MOST_ROWS: u32 = 100;

/// A shop's server, with the key to it.
pub(crate) struct Api {
    /// The shop's address, as it is really asked.
    pub(crate) base: Url,
    key: Key,
    facts: Known<Option<Facts>>,
    http: Arc<Client>,
    page: PageSize,
    heeded: AtomicBool,
    refunds: Refunds,
    learn: Arc<Learn>,
}

/// What is known of refunds that orders may not list.
#[derive(Default)]
struct Refunds {
    /// The orders that the shop's list of refunds has named.
    named: Mutex<BTreeSet<String>>,
    /// That list has been read from this second on.
    read_from: Mutex<Option<i64>>,
    /// Orders of this shop leave out refunds that the list has.
    unlisted: AtomicBool,
}

/// The fact that orders of a shop leave out refunds.
const UNLISTED: &str = "unlisted_refunds";

impl Api {
    /// The shop of a connection.
    pub(crate) fn new(connection: Connection, settings: &Settings) -> Result<Self> {
        let key = Key {
            key: connection.credentials.need("consumer_key")?,
            secret: connection.credentials.need("consumer_secret")?,
        };
        let base = connection.http.address_of(&settings.url);
        let learn = Arc::new(connection.learn);
        let tell = learn.clone();
        let of_sizes: Learn = Box::new(move |name, value| (*tell)(name, value));
        let sizes = PageSizes::new(&connection.facts, of_sizes, connection.http.clock().clone());
        let unlisted = connection.facts.get(UNLISTED).and_then(serde_json::Value::as_bool).unwrap_or_default();
        let facts = serde_json::from_value(connection.facts).ok();
        Ok(Self {
            base,
            key,
            facts: Known::new(facts),
            http: connection.http,
            page: sizes.of("page", MOST_ROWS, MOST_ROWS),
            heeded: AtomicBool::new(false),
            refunds: Refunds { unlisted: AtomicBool::new(unlisted), ..Refunds::default() },
            learn,
        })
    }

    /// What is known about the shop; before the first probe, what most shops are like.
    pub(crate) fn facts(&self) -> Facts {
        self.facts.get().unwrap_or_else(|| Facts {
            root: format!("{}wp-json/", self.base.path()),
            plain: false,
            home: self.base.as_str().trim_end_matches('/').to_owned(),
            login: if self.base.scheme() == "https" { Login::Basic } else { Login::Oauth },
            version: None,
            modified_after: true,
            fulfillments: false,
            shipment_tracking: None,
            refunds: false,
        })
    }

    /// Takes over what a probe found out.
    pub(crate) fn learn(&self, facts: Facts) {
        self.facts.set(Some(facts));
    }

    /// The time by the channel's clock, where an answer has told it.
    pub(crate) fn told_now(&self) -> Option<Timestamp> {
        self.http.told_now()
    }

    /// The time by the shop's clock, as far as its answers tell it; positions in its lists are in
    /// this time.
    pub(crate) fn now(&self) -> Timestamp {
        self.http.their_now()
    }

    /// Our own clock.
    pub(crate) fn our_now(&self) -> Timestamp {
        self.http.clock().now()
    }

    /// How many rows a page the shop can bear.
    pub(crate) fn page_size(&self) -> usize {
        self.page.get() as usize
    }

    /// More rows a page than these were too much.
    pub(crate) fn at_most(&self, rows: usize) {
        self.page.at_most(u32::try_from(rows).unwrap_or(MOST_ROWS));
    }

    /// The address of a route below the REST root.
    pub(crate) fn route(&self, facts: &Facts, route: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if facts.plain {
            url.set_path(&facts.root);
            // WooCommerce before 11.1 looks for these letters in the address as it was sent to know
            // a request for its API.
            url.set_query(Some(&format!("rest_route=/{route}&{MARK}")));
        } else {
            url.set_path(&format!("{}{route}", facts.root));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Reads a route with credentials. An unknown id is an answer with status 404.
    pub(crate) fn get(&self, route: &str, query: &[(&str, &str)]) -> Result<Reply> {
        let url = self.route(&self.facts(), route, query);
        self.http.send(&Authorized(self), &Request::get(url))
    }

    /// The same with less patience, where the shop has just answered another question and a failure
    /// is an answer.
    pub(crate) fn get_briefly(&self, route: &str, query: &[(&str, &str)]) -> Result<Reply> {
        let url = self.route(&self.facts(), route, query);
        self.http.send(&Authorized(self), &Request::get(url).repeated(1))
    }

    /// Whether a short page of this shop is known to be the beginning of a list in order.
    pub(crate) fn is_heeded(&self) -> bool {
        self.heeded.load(Ordering::Relaxed)
    }

    /// A page went on from a short one as it should.
    pub(crate) fn heeded(&self) {
        self.heeded.store(true, Ordering::Relaxed);
    }

    /// The shop's list of refunds has these orders.
    pub(crate) fn names_refunded(&self, orders: impl Iterator<Item = String>) {
        self.named().extend(orders);
    }

    /// Whether the shop's list of refunds has named the order.
    pub(crate) fn is_named_refunded(&self, order: &str) -> bool {
        self.named().contains(order)
    }

    fn named(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.refunds.named.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether orders of this shop are known to leave out refunds.
    pub(crate) fn leaves_out_refunds(&self) -> bool {
        self.refunds.unlisted.load(Ordering::Relaxed)
    }

    /// An order has left out a refund; so may every other.
    pub(crate) fn left_out_refunds(&self) {
        if !self.refunds.unlisted.swap(true, Ordering::Relaxed) {
            (*self.learn)(UNLISTED, &serde_json::Value::Bool(true));
        }
    }

    /// Has the list of refunds read by `read` from this second on, up to the one from which it was read
    /// already: whoever comes meanwhile waits for it, and where it fails the next one tries again.
    pub(crate) fn with_refunds_since(&self, since: i64, read: impl FnOnce(Option<i64>) -> Result<()>) -> Result<()> {
        let mut from = self.refunds.read_from.lock().unwrap_or_else(PoisonError::into_inner);
        if from.is_none_or(|from| since < from) {
            read(*from)?;
            *from = Some(since);
        }
        Ok(())
    }

    /// Reads a page of a list.
    pub(crate) fn list(&self, route: &str, query: &[(&str, String)]) -> Result<Reply> {
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.get(route, &query)
    }

    /// Asks for a page of a list with this little patience: here a failure is an answer too.
    pub(crate) fn ask(&self, route: &str, query: &[(&str, String)], repeats: u32) -> Result<Reply> {
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = self.route(&self.facts(), route, &query);
        self.http.send(&Authorized(self), &Request::get(url).repeated(repeats))
    }

    /// Reads an address without credentials, whatever the answer: for finding the API.
    pub(crate) fn look(&self, url: Url) -> Result<Reply> {
        self.http.send(&Anonymous(self), &Request::get(url))
    }

    /// Carries out a write.
    pub(crate) fn write(&self, operation: &Operation) -> Result<Reply> {
        let call = operation.call();
        let url = self.route(&self.facts(), &call.route, &call.query);
        let mut request = Request::write_json(call.method, url, &call.body);
        if call.body.is_null() {
            request.body = None;
        }
        let reply = self.http.send(&Authorized(self), &request)?;
        if reply.status == 404 {
            // Plugins give the code of an unknown order for whatever they do not take.
            let said = errors::said(&reply).map_or_else(String::new, |said| format!(", and says: {said}"));
            let text = format!("the shop answers 404 to {}{said}; nothing was written", call.route);
            return Err(Error::new(ErrorKind::Rejected, text).hint(
                "it is gone there, or a plugin does not take what was sent: ordersync outbox --withdraw ROW takes it back, to be sent with what it takes",
            ));
        }
        Ok(reply)
    }
}

struct Authorized<'a>(&'a Api);

impl Protocol for Authorized<'_> {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        // Page caches have served old answers to signed requests. Some heed no header; a parameter of
        // our own, which would make each address another one, no route declares.
        request.headers.insert("cache-control", reqwest::header::HeaderValue::from_static("no-cache"));
        self.0.key.put_on(request, &self.0.facts(), self.0.http.clock().now())
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        errors::classify(request, reply, self.0.http.clock().now())
    }
}

/// Nothing is authorised, and every answer but a server's failure is worth reading.
struct Anonymous<'a>(&'a Api);

impl Protocol for Anonymous<'_> {
    fn authorize(&self, _: &mut Request) -> Result<()> {
        Ok(())
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        match reply.status {
            408 | 429 | 500..=599 => errors::classify(request, reply, self.0.now()),
            _ => Verdict::Good,
        }
    }
}
