//! Every request a simulated store got and the answer it gave, with the credentials scrubbed.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::http::{Request, Response};

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// Nothing: for measurements with many orders.
    Off,
    /// The last so many requests and answers.
    Last(usize),
}

/// One request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// `GET`, `PUT`, ...
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query pairs, decoded; keys and signatures read `<credentials>`.
    pub query: Vec<(String, String)>,
    /// The headers, names in lower case; `authorization` keeps only its scheme, tokens nothing.
    pub headers: Vec<(String, String)>,
    /// The request's body.
    pub body: Vec<u8>,
    /// The status the store gave; `None` when the connection was cut before the store saw the
    /// request.
    pub status: Option<u16>,
    /// The answer's body as the store made it, before a fault damaged it.
    pub answer: Vec<u8>,
    /// Whether a fault replaced, damaged or swallowed the answer.
    pub faulty: bool,
}

impl Exchange {
    /// The value of a query parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The request's body as JSON, `null` when it is empty or not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Path and query as readable text: what faults match on.
    pub fn target(&self) -> String {
        super::http::target(&self.path, &self.query, &self.body)
    }

    /// What it was about: the path, or of a GraphQL request the kind and name of its operation. A
    /// fault on this strikes requests like it.
    pub fn name(&self) -> String {
        match super::http::operation(&self.path, &self.body) {
            Some(operation) => format!("#{operation}"),
            None => self.path.clone(),
        }
    }

    /// Whether the store's own program failed at it. In GraphQL it says so with status 200.
    pub fn is_failure(&self) -> bool {
        let says_so = || String::from_utf8_lossy(&self.answer).contains("INTERNAL_SERVER_ERROR");
        self.status.is_some_and(|status| status >= 500) || says_so()
    }

    /// Whether the request can change something. In GraphQL the operation tells, and starting a
    /// bulk read changes nothing.
    pub fn is_write(&self) -> bool {
        is_write(&self.method, &self.path, &self.body)
    }
}

/// The place where exchanges are kept.
pub(super) struct Recorder {
    keep: Recording,
    kept: Mutex<VecDeque<Exchange>>,
}

impl Recorder {
    pub(super) fn new(keep: Recording) -> Self {
        Self { keep, kept: Mutex::new(VecDeque::new()) }
    }

    pub(super) fn add(&self, request: &Request, response: Option<&Response>, faulty: bool) {
        let Recording::Last(limit) = self.keep else { return };
        let mut kept = self.lock();
        kept.push_back(exchange(request, response, faulty));
        while kept.len() > limit {
            kept.pop_front();
        }
    }

    pub(super) fn all(&self) -> Vec<Exchange> {
        self.lock().iter().cloned().collect()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Exchange>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn exchange(request: &Request, response: Option<&Response>, faulty: bool) -> Exchange {
    Exchange {
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.iter().map(scrub_param).collect(),
        headers: request.headers.iter().filter(|(name, _)| !name.starts_with(':')).map(scrub_header).collect(),
        body: if is_login(&request.path) { SCRUBBED.into() } else { request.body.clone() },
        status: response.map(|response| response.status),
        answer: match response {
            Some(_) if is_login(&request.path) => SCRUBBED.into(),
            Some(response) => response.body.clone(),
            None => Vec::new(),
        },
        faulty,
    }
}

const SCRUBBED: &str = "<credentials>";

fn scrub_param((key, value): &(String, String)) -> (String, String) {
    let secret = matches!(key.as_str(), "consumer_key" | "consumer_secret" | "oauth_consumer_key" | "oauth_signature");
    (key.clone(), if secret { SCRUBBED.to_owned() } else { value.clone() })
}

/// Whether a request is about tokens: its body holds them, or its answer does.
fn is_login(path: &str) -> bool {
    [
        "/oauth/access_token",
        "/oauth/token",
        "/oauth/connect",
        "/application/scopes",
        "/oauth2/token",
        "/oauth2/authorize",
    ]
    .iter()
    .any(|end| path.ends_with(end))
}

fn scrub_header((name, value): &(String, String)) -> (String, String) {
    match name.as_str() {
        "authorization" => {
            let scheme = value.split_whitespace().next().unwrap_or_default();
            (name.clone(), format!("{scheme} {SCRUBBED}"))
        }
        // X-Auth-Token, X-Shopify-Access-Token and the like.
        name if name.ends_with("token") || name == "x-api-key" => (name.to_owned(), SCRUBBED.to_owned()),
        _ => (name.clone(), value.clone()),
    }
}

/// Whether a request changes something at the store.
pub(super) fn writes(request: &Request) -> bool {
    is_write(&request.method, &request.path, &request.body)
}

fn is_write(method: &str, path: &str, body: &[u8]) -> bool {
    if let Some(operation) = super::http::operation(path, body) {
        return operation.starts_with("mutation") && !body.windows(17).any(|part| part == b"bulkOperationRunQ");
    }
    // A question with a body is none either.
    if is_login(path) || path.ends_with("/check_eligibility") {
        return false;
    }
    !matches!(method, "GET" | "HEAD" | "OPTIONS")
}
