//! One shop's address, its tokens, and what queries cost there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::auth::{self, Kind, TokenEndpoint};
use super::errors;
use super::probe::{ALL_ORDERS, SCOPES, shows_routes};
use super::query::Document;
use super::settings::Settings;
use super::sizes::Sizes;
use super::wire::{self, App, Cost, Envelope, TOO_DEAR, Throttle};
use crate::channel::isolate::REPEATS;
use crate::channel::page_size::PageSizes;
use crate::channel::{Connection, Learn};
use crate::clock::Timestamp;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::http::oauth2;
use crate::http::status::AGAIN;
use crate::http::{Account, Budget, Client, Effect, Protocol, Reply, Request, Verdict, read_json};
use crate::secret::Secret;

/// The version of the API. One that is gone is answered by the oldest one left, in silence, so it
/// is looked at each year.
const VERSION: &str = "2026-10";

/// Where tokens are fetched.
const TOKEN_PATH: &str = "/admin/oauth/access_token";

/// How many walks may begin anew in one run because their cursor is refused: one that is refused
/// again and again would make a run without end.
const RESTARTS: u32 = 8;

/// How long an order is shown to an app without the scope for all of them.
const WINDOW: TimeDelta = TimeDelta::days(60);

/// What one query may cost at most.
const MOST_POINTS: f64 = 1000.0;

/// What a page should weigh at most, in bytes: several are in memory at once, and that stays under
/// 64 MiB (Q-1).
const HEAVY: f64 = 1_250_000.0;

/// A shop.
pub(crate) struct Api {
    graphql: Url,
    tokens: TokenEndpoint,
    http: Arc<Client>,
    credentials: Arc<Credentials>,
    kind: Kind,
    costs: Mutex<BTreeMap<(&'static str, u32), f64>>,
    bucket: Mutex<Option<Throttle>>,
    restarts: AtomicU32,
    /// Whether the app may see only the orders of the last 60 days, as far as that is known.
    hides_old: AtomicBool,
    /// Whether fulfilment orders are denied to the app, as far as that is known.
    hides_routes: AtomicBool,
    /// What the app may do, by the last answer that said so.
    scopes: Mutex<Value>,
    learn: Arc<Learn>,
    /// How much one query may ask for.
    pub(crate) sizes: Sizes,
}

/// A good answer.
pub(crate) struct Answer {
    reply: Reply,
    effect: Effect,
    /// Its price.
    pub(crate) cost: Option<Cost>,
    /// Whether fields were left empty because the app may not see them, and which scopes it lacks
    /// for them; and whether another version answered.
    pub(crate) hidden: Vec<String>,
    /// It held bytes that are no text (UTF-8); each is replaced by the sign for that.
    damaged: bool,
}

impl Answer {
    /// Marks an order out of this answer as damaged, where what was replaced may stand in it: it
    /// must not be silent that a name or an address is not what the buyer wrote. `text`: what came
    /// of the order.
    pub(crate) fn mark(&self, order: &mut Value, text: impl FnOnce() -> String) {
        if self.damaged && text().contains(char::REPLACEMENT_CHARACTER) {
            order[wire::DAMAGED] = json!(true);
        }
    }

    /// The data.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        let unreadable = |why: String| {
            let what = format!("JSON that has not the shape that its schema promises ({why})");
            let text = format!("{} answered with {what}; whether the write was applied is not known", self.reply.place);
            match self.effect {
                Effect::Read => self.reply.unusable(what),
                Effect::Write => Error::new(ErrorKind::Unknown, text).hint(AGAIN),
            }
        };
        let (envelope, _) = self.reply.json::<Envelope<'_>>()?;
        let data = envelope.data().ok_or_else(|| unreadable("no data".to_owned()))?;
        serde_json::from_str(data.get())
            .map_err(|error| unreadable(format!("{:?} error at column {}", error.classify(), error.column())))
    }
}

impl Api {
    /// A shop with its credentials. No network.
    pub(crate) fn new(connection: Connection, settings: &Settings) -> Result<Self> {
        let base = settings.origin()?;
        let at = |path: &str| {
            let mut url = base.clone();
            url.set_path(path);
            url
        };
        let learn = Arc::new(connection.learn);
        let shelf = learn.clone();
        let keep: Learn = Box::new(move |name, value| shelf(name, value));
        let sizes = PageSizes::new(&connection.facts, keep, connection.http.clock().clone());
        let scopes = connection.facts[SCOPES].clone();
        let lacks = |is: fn(&str) -> bool| {
            scopes.as_array().is_some_and(|scopes| !scopes.iter().filter_map(Value::as_str).any(is))
        };
        let (hides_old, hides_routes) = (lacks(|scope| scope == ALL_ORDERS), lacks(shows_routes));
        Ok(Self {
            graphql: at(&format!("/admin/api/{VERSION}/graphql.json")),
            tokens: TokenEndpoint(at(TOKEN_PATH)),
            kind: Kind::of(&connection.credentials)?,
            http: connection.http,
            credentials: connection.credentials,
            costs: Mutex::default(),
            bucket: Mutex::default(),
            restarts: AtomicU32::new(0),
            hides_old: AtomicBool::new(hides_old),
            hides_routes: AtomicBool::new(hides_routes),
            scopes: Mutex::new(scopes),
            learn,
            sizes: Sizes::new(&sizes, settings.page_size),
        })
    }

    /// Asks.
    pub(crate) fn ask(&self, document: &'static Document, variables: Value) -> Result<Answer> {
        self.send(document, variables, Effect::Read, None)
    }

    /// Asks for a page of orders, which is looked at more closely where it fails.
    pub(crate) fn ask_page(&self, document: &'static Document, variables: Value) -> Result<Answer> {
        self.send(document, variables, Effect::Read, Some(REPEATS))
    }

    /// Asks with little patience: a question whose failure is an answer.
    pub(crate) fn ask_shortly(&self, document: &'static Document, variables: Value) -> Result<Answer> {
        self.send(document, variables, Effect::Read, Some(1))
    }

    /// Has something changed. What the answer says of refusals by the shop's own rules is for the
    /// caller to read.
    pub(crate) fn tell(&self, document: &'static Document, variables: Value) -> Result<Answer> {
        self.send(document, variables, Effect::Write, None)
    }

    /// Sends a document. One that can do without fulfilment orders does, where the app may not see
    /// them.
    fn send(
        &self,
        document: &'static Document,
        mut variables: Value,
        effect: Effect,
        repeats: Option<u32>,
    ) -> Result<Answer> {
        if !document.text.contains("$routes:") {
            return self.exchange(document, variables, effect, repeats);
        }
        if self.sees_routes() {
            variables["routes"] = json!(true);
            match self.exchange(document, variables.clone(), effect, repeats) {
                // The scope was taken away since it was last asked for.
                Err(error) if errors::denies_routes(&error) => self.hides_routes.store(true, Ordering::Relaxed),
                answer => return answer,
            }
        }
        variables["routes"] = json!(false);
        self.exchange(document, variables, effect, repeats)
    }

    fn exchange(
        &self,
        document: &'static Document,
        variables: Value,
        effect: Effect,
        repeats: Option<u32>,
    ) -> Result<Answer> {
        let size = ["first", "lines", "lists"].iter().find_map(|name| variables.get(*name)).and_then(Value::as_u64);
        let size = size.and_then(|size| u32::try_from(size).ok()).unwrap_or(1);
        let body = json!({ "query": document.text, "variables": variables });
        let mut request = Request::write_json(reqwest::Method::POST, self.graphql.clone(), &body);
        (request.effect, request.repeats) = (effect, repeats);
        let exchange = Exchange { api: self, document, size };
        let mut reply = self.http.send(&exchange, &request)?;
        let damaged = std::str::from_utf8(&reply.body).is_err();
        if damaged {
            reply.body = String::from_utf8_lossy(&reply.body).into_owned().into_bytes();
        }
        let (envelope, _) = reply.json::<Envelope<'_>>()?;
        let cost = envelope.extensions.cost.clone();
        let mut hidden: Vec<String> = envelope.errors.0.iter().map(hidden_because).collect();
        hidden.extend(other_version(&reply));
        Ok(Answer { reply, effect, cost, hidden, damaged })
    }

    /// What a document will cost: as the last time; else by the nearest size, in proportion, which
    /// is too much rather than too little.
    fn price(&self, document: &Document, size: u32) -> f64 {
        let costs = self.lock(&self.costs);
        let known = costs.range((document.name, 0)..=(document.name, u32::MAX));
        match known.min_by_key(|((_, known), _)| known.abs_diff(size)) {
            Some(((_, known), cost)) => (cost * f64::from(size) / f64::from((*known).max(1))).min(MOST_POINTS),
            None => document.guess,
        }
    }

    /// After a page of `size`: larger ones are cheaper for each order, so the size goes to what a
    /// query may cost, and an answer may weigh. The price grows more slowly than the size, so
    /// proportion is on the safe side.
    pub(crate) fn fit_page(&self, size: u32, answer: &Answer) {
        let Some(cost) = &answer.cost else { return };
        let ceiling = 900.0f64.min(cost.throttle_status.maximum_available * 0.6);
        let share =
            (ceiling / cost.requested_query_cost.max(1.0)).min(HEAVY / (answer.reply.body.len() as f64).max(1.0));
        self.sizes.fit_page(size, share);
    }

    /// An answer has told what the app may do.
    pub(crate) fn note_scopes(&self, app: &App) {
        self.hides_old.store(!app.has(ALL_ORDERS), Ordering::Relaxed);
        self.hides_routes.store(!app.sees_routes(), Ordering::Relaxed);
        let scopes = json!(app.scopes().collect::<Vec<_>>());
        let mut known = self.lock(&self.scopes);
        if *known != scopes {
            (self.learn)(SCOPES, &scopes);
            *known = scopes;
        }
    }

    /// Whether fulfilment orders are asked for.
    pub(crate) fn sees_routes(&self) -> bool {
        !self.hides_routes.load(Ordering::Relaxed)
    }

    /// Orders made before this are hidden from the app, where it may not see all.
    pub(crate) fn shown_since(&self) -> Option<Timestamp> {
        self.hides_old.load(Ordering::Relaxed).then(|| self.now() - WINDOW)
    }

    /// Whether a walk whose cursor is refused may begin anew.
    pub(crate) fn may_restart(&self) -> bool {
        self.restarts.fetch_add(1, Ordering::Relaxed) < RESTARTS
    }

    /// Points that flow in each second, by the last answer.
    pub(crate) fn restore_rate(&self) -> Option<f64> {
        self.lock(&self.bucket).map(|bucket| bucket.restore_rate)
    }

    /// The time by the channel's clock, where an answer has told it.
    pub(crate) fn told_now(&self) -> Option<Timestamp> {
        self.http.told_now()
    }

    /// The time by our clock, or by Shopify's where ours is ahead: what is stamped later than this
    /// was not there before.
    pub(crate) fn now(&self) -> Timestamp {
        self.our_now().min(self.their_now())
    }

    /// The time by Shopify's clock, as far as its answers tell it.
    pub(crate) fn their_now(&self) -> Timestamp {
        self.http.their_now()
    }

    /// The time by our clock.
    pub(crate) fn our_now(&self) -> Timestamp {
        self.http.clock().now()
    }

    /// How far Shopify's clock is behind ours (negative) or ahead, where an answer has told.
    pub(crate) fn clock_difference(&self) -> Option<chrono::TimeDelta> {
        self.http.clock_difference()
    }

    /// A part of a file that Shopify made for us, from its own signed address and without the
    /// token.
    pub(crate) fn download(&self, url: &str, from: u64, length: u64) -> Result<Reply> {
        let unusable =
            || Error::new(ErrorKind::Unreadable, "Shopify named no usable address for the file; it was not fetched");
        let url = Url::parse(url).map_err(|_| unusable())?;
        let mut request = Request::get(url);
        let range = format!("bytes={from}-{}", from.saturating_add(length).saturating_sub(1));
        let range = HeaderValue::from_str(&range).map_err(|_| unusable())?;
        request.headers.insert(reqwest::header::RANGE, range);
        // Ranges are of the file, not of a compressed form of it.
        request.headers.insert(reqwest::header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        self.http.send(&Download, &request)
    }

    fn token(&self) -> Result<Secret> {
        auth::token(&self.http, &self.credentials, self.kind, &self.tokens)
    }

    fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> std::sync::MutexGuard<'a, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A version that is gone is answered in silence by the oldest one left, which may not mean the
/// same.
fn other_version(reply: &Reply) -> Option<String> {
    let version = reply.header("x-shopify-api-version")?.trim();
    (!version.is_empty() && version != VERSION).then(|| {
        let version = errors::short(version);
        format!(
            "Shopify answers in version {version} of its API, not in {VERSION} as asked: a newer ordersync is needed"
        )
    })
}

fn hidden_because(error: &super::wire::GraphError) -> String {
    let field = error.path.iter().rev().find_map(Value::as_str).unwrap_or("a field");
    match error.required_access.as_deref() {
        Some(access) => {
            format!("Shopify hides {} from the app: it needs {}", errors::short(field), errors::short(access))
        }
        None => format!("Shopify hides {} from the app: it is not approved for personal data", errors::short(field)),
    }
}

/// Shopify's side of one exchange of queries.
struct Exchange<'a> {
    api: &'a Api,
    document: &'static Document,
    size: u32,
}

impl Protocol for Exchange<'_> {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        let mut value = HeaderValue::from_str(self.api.token()?.reveal())
            .map_err(|_| Error::new(ErrorKind::Credentials, "the access token cannot be sent; nothing was sent"))?;
        value.set_sensitive(true);
        request.headers.insert(auth::HEADER, value);
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(())
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        match errors::classify(request, reply, self.api.our_now()) {
            Verdict::Expired(error) if self.api.kind == Kind::Static => Verdict::Refused(error),
            verdict => verdict,
        }
    }

    fn renew(&self, failed: &Request) -> Result<()> {
        let stale = failed.headers.get(auth::HEADER).and_then(|value| value.to_str().ok()).map(Secret::new);
        oauth2::renew(&self.api.http, &self.api.credentials, &self.api.tokens, stale.as_ref())
    }

    fn cost(&self, _: &Request) -> f64 {
        self.api.price(self.document, self.size)
    }

    fn account(&self, reply: &Reply) -> Option<Account> {
        let body = String::from_utf8_lossy(&reply.body);
        let (envelope, _) = read_json::<Envelope<'_>>(body.as_bytes()).ok()?;
        let Some(cost) = envelope.extensions.cost else {
            // A query that is refused for its price costs nothing, and its answer says nothing of
            // the bucket.
            let is_too_dear = envelope.errors.0.iter().any(|error| error.code == TOO_DEAR);
            return is_too_dear.then_some(Account { budget: None, spent: Some(0.0) });
        };
        let bucket = cost.throttle_status;
        *self.api.lock(&self.api.bucket) = Some(bucket);
        if cost.requested_query_cost <= MOST_POINTS {
            self.api.lock(&self.api.costs).insert((self.document.name, self.size), cost.requested_query_cost);
        }
        let budget = Budget::Bucket {
            level: bucket.currently_available,
            capacity: bucket.maximum_available,
            per_second: bucket.restore_rate,
        };
        // A throttled query has no actual cost: nothing was spent.
        Some(Account { budget: Some(budget), spent: Some(cost.actual_query_cost.unwrap_or(0.0)) })
    }
}

/// The file store's side of a download. It knows nothing of tokens or points.
struct Download;

impl Protocol for Download {
    fn authorize(&self, _: &mut Request) -> Result<()> {
        Ok(())
    }

    fn cost(&self, _: &Request) -> f64 {
        0.0
    }

    fn classify(&self, _: &Request, reply: &Reply) -> Verdict {
        let text = format!("the file of a bulk operation could not be fetched ({})", reply.status);
        match reply.status {
            200 | 206 => Verdict::Good,
            429 => Verdict::Throttled(None, Error::new(ErrorKind::Temporary, text)),
            500..=599 => Verdict::Transient(Error::new(ErrorKind::Temporary, text)),
            _ => Verdict::Refused(Error::new(ErrorKind::NotFound, text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d3_an_answer_to_a_write_that_cannot_be_read_does_not_say_that_nothing_was_written() {
        let answer = |effect| {
            let headers = reqwest::header::HeaderMap::new();
            let reply = Reply {
                status: 200,
                headers,
                body: br#"{"data":{"fulfillmentCreate":7}}"#.to_vec(),
                ..Reply::default()
            };
            Answer { reply, effect, cost: None, hidden: Vec::new(), damaged: false }
        };
        let kind = |effect| answer(effect).read::<BTreeMap<String, bool>>().unwrap_err().kind();
        assert_eq!((kind(Effect::Read), kind(Effect::Write)), (ErrorKind::Unreadable, ErrorKind::Unknown));
    }
}
