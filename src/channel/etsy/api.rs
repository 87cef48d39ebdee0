//! Etsy's API: addresses of a shop's receipts, the quotas, what goes out and what an answer is.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::auth::{self, Auth};
use super::errors::{self, Quota};
use super::operation::Operation;
use super::settings::Settings;
use crate::channel::Connection;
use crate::channel::page_size::{PageSize, PageSizes};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Account, Budget, Client, Lane, Protocol, Reply, Request, Verdict};

/// How many requests a second are made before an answer has told how many are permitted: the least
/// that is told of an app of a merchant's own.
const AT_FIRST: u32 = 5;

/// What is used of what is permitted. Requests that leave evenly arrive a little less so.
const USED: f64 = 0.96;

/// A pause that is longer ends the run.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A shop at Etsy, with the keys to it.
pub(crate) struct Api {
    /// How requests are authorised.
    pub(crate) auth: Auth,
    http: Arc<Client>,
    shop: Option<u64>,
    country: String,
    page: PageSize,
    /// The requests a second that an answer has told of last; 0: none has.
    per_second: AtomicU32,
    day: Mutex<Option<Quota>>,
}

impl Api {
    /// The shop of a connection.
    pub(crate) fn new(connection: Connection, settings: &Settings) -> Result<Self> {
        let auth = Auth::new(connection.http.clone(), connection.credentials, settings)?;
        let fact = |name: &str| connection.facts.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (known, country) = (fact("shop_id").parse().ok(), fact("country"));
        let sizes = PageSizes::new(&connection.facts, connection.learn, connection.http.clock().clone());
        let most = u32::try_from(settings.page_size).unwrap_or(u32::MAX);
        Ok(Self {
            auth,
            http: connection.http,
            shop: settings.shop_id.or(known),
            country,
            page: sizes.of("page", most, most),
            per_second: AtomicU32::new(0),
            day: Mutex::default(),
        })
    }

    /// How many receipts are asked for at once.
    pub(crate) fn page(&self) -> &PageSize {
        &self.page
    }

    /// Where the shop ships from, as far as that is known: ISO 3166-1 alpha-2.
    pub(crate) fn country(&self) -> &str {
        &self.country
    }

    /// The day's quota, as the last answer of this run has told it.
    pub(crate) fn quota(&self) -> Option<Quota> {
        *self.day.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests have gone out.
    pub(crate) fn requests(&self) -> u64 {
        self.http.requests()
    }

    /// The time by Etsy's clock, where an answer has told it.
    pub(crate) fn told_now(&self) -> Option<Timestamp> {
        self.http.told_now()
    }

    /// Etsy's clock in seconds since the epoch, as far as its answers have told it.
    pub(crate) fn now(&self) -> i64 {
        self.http.their_now().timestamp()
    }

    /// Our own clock.
    pub(crate) fn our_now(&self) -> i64 {
        self.http.clock().now().timestamp()
    }

    /// Asks for a page of the shop's receipts.
    pub(crate) fn receipts(&self, query: &[(&str, String)], repeats: u32) -> Result<Reply> {
        let mut url = self.address("")?;
        url.query_pairs_mut().extend_pairs(query);
        self.http.send(self, &Request::get(url).repeated(repeats))
    }

    /// Asks for one receipt; one that the shop does not have is an answer with status 404.
    pub(crate) fn receipt(&self, id: u64, repeats: Option<u32>) -> Result<Reply> {
        let request = Request::get(self.address(&format!("/{id}"))?);
        self.http.send(self, &if let Some(repeats) = repeats { request.repeated(repeats) } else { request })
    }

    /// Carries out a write.
    pub(crate) fn carry_out(&self, operation: &Operation) -> Result<Reply> {
        let (method, route, body) = operation.request();
        self.http.send(self, &Request::write_json(method, self.address(&route)?, &body))
    }

    fn address(&self, route: &str) -> Result<Url> {
        let unknown = || {
            Error::new(ErrorKind::Failed, "it is not known yet which shop at Etsy this is; nothing was sent")
                .hint("ordersync connect --test STORE finds out")
        };
        auth::address(&format!("/v3/application/shops/{}/receipts{route}", self.shop.ok_or_else(unknown)?))
    }

    /// So many requests a second, one by one: several at once may count as more than are permitted.
    fn pace(per_second: u32) -> Budget {
        Budget::Bucket { level: 1.0, capacity: 1.0, per_second: f64::from(per_second) * USED }
    }
}

impl Protocol for Api {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        self.auth.authorize(request)
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        errors::classify(request, reply, self.http.clock().now())
    }

    fn renew(&self, failed: &Request) -> Result<()> {
        self.auth.renew(failed)
    }

    fn lane(&self, _: &Request) -> Lane {
        Lane { permitted: Some(Self::pace(AT_FIRST)), ..Lane::ONE }
    }

    /// The pace is told once: what an answer says of the running second is over when it comes.
    fn account(&self, reply: &Reply) -> Option<Account> {
        if let Some(quota) = Quota::of(reply) {
            *self.day.lock().unwrap_or_else(PoisonError::into_inner) = Some(quota);
        }
        let told = errors::per_second(reply)?;
        let is_new = self.per_second.swap(told, Ordering::Relaxed) != told;
        let empty = |budget| match budget {
            Budget::Bucket { capacity, per_second, .. } => Budget::Bucket { level: 0.0, capacity, per_second },
            other => other,
        };
        is_new.then(|| Account { budget: Some(empty(Self::pace(told))), spent: None })
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }
}
