//! What adapters call to reach their channel: one client per store that waits, paces, repeats reads
//! and never repeats a write.
//!
//! An adapter describes its channel's side of every exchange with a [`Protocol`]: how a request is
//! authorised and what a reply means. Everything about *when* lives here.

/// What is said where nobody need do anything, as a part of a longer hint.
macro_rules! again {
    () => {
        "the next sync tries again by itself"
    };
}
pub(crate) use again;

mod body;
mod client;
pub(crate) mod ecdsa;
pub(crate) mod message_signature;
pub(crate) mod oauth1;
pub(crate) mod oauth2;
pub(crate) mod once;
mod pem;
mod rate_limit;
mod redact;
mod retry;
pub(crate) mod sign;
mod silence;
pub(crate) mod status;
mod tls;
pub(crate) mod told;

pub(crate) use body::{MAX_REPLY, TEST, check_json, read_json, unusable};
pub use client::Client;
pub(crate) use client::{Options, acting, is_loopback};
pub use rate_limit::RateLimit;
pub(crate) use rate_limit::{Budget, KEPT, Lane, LaneUse, Permit, Purpose, Shared, Standing};
pub(crate) use redact::url_for_people;
pub use retry::RetryPolicy;

use reqwest::header::HeaderMap;
use url::Url;

use crate::error::{Error, ErrorKind, Result};
use std::time::Duration;

/// Whether repeating a request can do harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing: repeated freely.
    Read,
    /// It changes something: never repeated once it has come to the channel.
    Write,
}

/// One request, before the adapter has authorised it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// HTTP method.
    pub method: reqwest::Method,
    /// Full URL with its query.
    pub(crate) url: Url,
    /// Headers beyond the standing ones.
    pub headers: HeaderMap,
    /// Body, with its content type among the headers.
    pub body: Option<Vec<u8>>,
    /// Whether it changes something.
    pub(crate) effect: Effect,
    /// How often it is repeated after a failure of the channel; `None`: as patience has it.
    pub(crate) repeats: Option<u32>,
}

impl Request {
    /// A GET.
    pub(crate) fn get(url: Url) -> Self {
        Self {
            method: reqwest::Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
            effect: Effect::Read,
            repeats: None,
        }
    }

    /// The same with another patience: a question whose failure is an answer is not worth the usual
    /// repeats. A pause that the channel asks for is waited for all the same.
    pub(crate) fn repeated(self, repeats: u32) -> Self {
        Self { repeats: Some(repeats), ..self }
    }

    /// A write with a JSON body.
    pub(crate) fn write_json(method: reqwest::Method, url: Url, body: &serde_json::Value) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(reqwest::header::CONTENT_TYPE, reqwest::header::HeaderValue::from_static("application/json"));
        Self { method, url, headers, body: Some(body.to_string().into_bytes()), effect: Effect::Write, repeats: None }
    }
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    /// Where it came from, as people may read it: no values of a query, no secrets.
    pub(crate) place: String,
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, decompressed, at most [`MAX_REPLY`] bytes.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// What the answer says, and whether something had to be cut away around it.
    ///
    /// # Errors
    /// Where it is not what was asked for: whose answer, what was found, what was not done.
    pub(crate) fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<(T, bool)> {
        read_json(&self.body).map_err(|why| self.unusable(why.message()))
    }

    /// The answer was `what`, and not what the channel's documents promise.
    pub(crate) fn unusable(&self, what: impl std::fmt::Display) -> Error {
        unusable(&self.place, what, "; nothing was used of it")
    }

    /// A header as text, where there is one and it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Retry-After`, or what some call `X-Retry-After`, as a pause from `now`: seconds or an HTTP
    /// date; the longer of the two. However long: the client bounds it.
    pub(crate) fn retry_after(&self, now: crate::clock::Timestamp) -> Option<Duration> {
        let told = |name| told::retry_after(self.header(name)?, self.header("date"), now);
        // No time at all is no answer: asking again at once is what led here.
        ["retry-after", "x-retry-after"].into_iter().filter_map(told).max().filter(|pause| !pause.is_zero())
    }
}

/// What a reply means, in the adapter's reading.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The answer that was asked for (an expected 404 counts as one).
    Good,
    /// Too many requests: after the pause a read is repeated; a write is looked for before it is
    /// made again.
    Throttled(Option<Duration>, Error),
    /// The channel failed. A read is repeated; a write may have been applied.
    Transient(Error),
    /// The access token has run out: [`Protocol::renew`], then once more; a write is looked for
    /// first.
    Expired(Error),
    /// A final no. What is said of what was not done, whoever made a write takes away: it is looked
    /// for.
    Refused(Error),
}

/// The channel's side of an exchange, told by the adapter.
pub(crate) trait Protocol: Send + Sync {
    /// Puts the credentials on a request. Called anew for each attempt: nonces and timestamps must
    /// be fresh.
    fn authorize(&self, request: &mut Request) -> Result<()>;

    /// What a reply means.
    fn classify(&self, request: &Request, reply: &Reply) -> Verdict;

    /// Whether a good answer is itself a secret. In all others the store's secrets are marked
    /// ([`Client::hide`]).
    fn grants(&self) -> bool {
        false
    }

    /// Fetches a fresh access token in the place of the one that `failed` was sent with, unless
    /// another thread or process has done so already ([`crate::credentials::Credentials::renew`]).
    /// Channels whose keys do not expire have nothing to renew.
    fn renew(&self, failed: &Request) -> Result<()> {
        let _ = failed;
        Err(Error::new(ErrorKind::Credentials, "these credentials cannot be renewed"))
    }

    /// Whose budget a request takes from, where the channel has one for each kind of request.
    fn lane(&self, request: &Request) -> Lane {
        let _ = request;
        Lane::ONE
    }

    /// What a request will cost of the channel's budget, in its own unit. Asked anew for each
    /// attempt: a refusal may have told more.
    fn cost(&self, request: &Request) -> f64 {
        let _ = request;
        1.0
    }

    /// The longest pause that is waited for, where the channel asks for shorter or for much longer
    /// ones only; never longer than the run has patience for.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// What the channel says in a reply, whatever its status, about its budget.
    fn account(&self, reply: &Reply) -> Option<Account> {
        let _ = reply;
        None
    }
}

/// A channel's account of its budget, in one reply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Account {
    /// How much may still be asked; `None` where the reply does not say.
    pub(crate) budget: Option<Budget>,
    /// What the request came to; `None` where that is [`Protocol::cost`].
    pub(crate) spent: Option<f64>,
}
