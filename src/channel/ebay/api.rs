//! eBay's APIs: addresses, what goes out and what an answer is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use url::Url;

use super::auth::{Auth, POST_ORDER};
use super::errors;
use super::operation::Operation;
use super::settings::Settings;
use crate::channel::page_size::{PageSize, PageSizes};
use crate::channel::{Connection, impossible};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Client, Effect, Protocol, Reply, Request, Verdict};

/// A seller's account at eBay, with the keys to it.
pub(crate) struct Api {
    /// How requests are authorised.
    pub(crate) auth: Auth,
    http: Arc<Client>,
    page: PageSize,
    /// Whether it is eBay's test system, which lacks some calls.
    pub(crate) sandbox: bool,
    /// The requests a day that eBay permits, as the last probe has heard it; 0: it has not.
    permitted: AtomicU64,
}

impl Api {
    /// The account of a connection.
    pub(crate) fn new(connection: Connection, settings: &Settings) -> Result<Self> {
        let auth = Auth::new(connection.http.clone(), connection.credentials, settings)?;
        let permitted = connection.facts.get(PERMITTED).and_then(Value::as_str).and_then(|text| text.parse().ok());
        let sizes = PageSizes::new(&connection.facts, connection.learn, connection.http.clock().clone());
        let most = u32::try_from(settings.page_size).unwrap_or(u32::MAX);
        Ok(Self {
            auth,
            http: connection.http,
            page: sizes.of("page", most, most),
            sandbox: settings.sandbox,
            permitted: AtomicU64::new(permitted.unwrap_or(0)),
        })
    }

    /// The client.
    pub(crate) fn http(&self) -> &Client {
        &self.http
    }

    /// How many orders are asked for at once.
    pub(crate) fn page(&self) -> &PageSize {
        &self.page
    }

    /// The requests a day that are permitted, where that is known.
    pub(crate) fn permitted(&self) -> Option<u64> {
        Some(self.permitted.load(Ordering::Relaxed)).filter(|permitted| *permitted > 0)
    }

    /// The time by eBay's clock, where an answer has told it.
    pub(crate) fn told_now(&self) -> Option<Timestamp> {
        self.http.told_now()
    }

    /// eBay's clock, as far as its answers have told it.
    pub(crate) fn now(&self) -> Timestamp {
        self.http.their_now()
    }

    /// Our own clock.
    pub(crate) fn our_now(&self) -> Timestamp {
        self.http.clock().now()
    }

    /// A page of orders. The signs of a filter are encoded once, by hand: some of them stand in an
    /// address as they are, and eBay takes none of those.
    pub(crate) fn orders(&self, filter: &str, limit: u64, offset: u64, repeats: u32) -> Result<Reply> {
        let mut url = self.auth.hosts.api("/sell/fulfillment/v1/order")?;
        let filter = filter.replace('[', "%5B").replace(']', "%5D");
        url.set_query(Some(&format!("filter={filter}&limit={limit}&offset={offset}&{BREAKDOWN}")));
        self.http.send(self, &Request::get(url).repeated(repeats))
    }

    /// One order; one that the account does not have is an answer of another status than 200.
    pub(crate) fn order(&self, id: &str) -> Result<Reply> {
        let mut url = self.auth.hosts.api(&format!("/sell/fulfillment/v1/order/{}", checked(id)?))?;
        url.set_query(Some(BREAKDOWN));
        self.get(url)
    }

    /// The parcels of an order.
    pub(crate) fn fulfillments(&self, id: &str) -> Result<Reply> {
        self.get(self.auth.hosts.api(&format!("/sell/fulfillment/v1/order/{}/shipping_fulfillment", checked(id)?))?)
    }

    /// Whose account it is.
    pub(crate) fn user(&self) -> Result<Reply> {
        self.get(self.auth.hosts.apiz("/commerce/identity/v1/user/")?)
    }

    /// The requests that eBay permits this account.
    pub(crate) fn limits(&self) -> Result<Reply> {
        let mut url = self.auth.hosts.api("/developer/analytics/v1_beta/user_rate_limit/")?;
        url.set_query(Some("api_context=sell&api_name=fulfillment"));
        self.get(url)
    }

    /// The cancellations of an order.
    pub(crate) fn cancellations(&self, order: &str) -> Result<Reply> {
        let mut url = self.auth.hosts.api(&format!("{POST_ORDER}v2/cancellation/search"))?;
        url.set_query(Some(&format!("legacy_order_id={}&limit=25", checked(order)?)));
        self.get(url)
    }

    /// A cancellation.
    pub(crate) fn cancellation(&self, id: &str) -> Result<Reply> {
        self.get(self.auth.hosts.api(&format!("{POST_ORDER}v2/cancellation/{}", checked(id)?))?)
    }

    /// Asks whether an order can be cancelled, and for which reasons. It changes nothing.
    pub(crate) fn may_cancel(&self, order: &str) -> Result<Reply> {
        let url = self.auth.hosts.api(&format!("{POST_ORDER}v2/cancellation/check_eligibility"))?;
        let body = json!({ "legacyOrderId": checked(order)? });
        let question = Request { effect: Effect::Read, ..Request::write_json(reqwest::Method::POST, url, &body) };
        self.http.send(self, &question)
    }

    /// Carries out a write.
    pub(crate) fn carry_out(&self, operation: &Operation) -> Result<Reply> {
        let (method, path, body) = operation.request(self.now());
        let mut request = Request::write_json(method, self.auth.hosts.api(&path)?, &body);
        if body.is_null() {
            request.body = None;
            request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        self.http.send(self, &request)
    }

    fn get(&self, url: Url) -> Result<Reply> {
        self.http.send(self, &Request::get(url))
    }
}

/// Taxes that eBay keeps are in the sums only where this is asked for, so it always is.
const BREAKDOWN: &str = "fieldGroups=TAX_BREAKDOWN";

/// Where the permitted requests stand among the facts.
pub(crate) const PERMITTED: &str = "permitted";

/// An id that can stand in an address as it is.
///
/// # Errors
/// `NotFound` for anything else.
pub(crate) fn checked(id: &str) -> Result<&str> {
    let is_one =
        !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_!".contains(&b));
    is_one.then_some(id).ok_or_else(|| {
        let text = format!("{:?} is not an order id of eBay's; nothing was sent", crate::http::status::short(id));
        Error::new(ErrorKind::NotFound, text)
    })
}

/// The same of what is to be written.
pub(crate) fn writable(id: &str) -> Result<String> {
    checked(id).map(str::to_owned).map_err(|_| impossible("it has an id that eBay does not take"))
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
}
