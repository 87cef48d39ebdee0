//! What a simulated store sees of a request and gives back as an answer.

use std::time::Duration;

use serde_json::Value;
use url::form_urlencoded;

/// The header under which a request holds its query as it was sent; no client can send one of that
/// name.
pub(super) const RAW_QUERY: &str = ":query";

/// A request as it reached the store.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `PUT`, ...
    pub method: String,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// The query pairs, decoded, in the order in which they were sent.
    pub query: Vec<(String, String)>,
    /// The headers with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; empty when there was none.
    pub body: Vec<u8>,
    /// Whether the connection was TLS.
    pub secure: bool,
}

impl Request {
    /// The value of a header (name in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a query parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The query as it was sent, undecoded, where it is known.
    pub(super) fn raw_query(&self) -> Option<&str> {
        self.header(RAW_QUERY)
    }

    /// The query pairs as they were sent, also where something before the store drops or changes
    /// some: what a signature is about.
    pub(super) fn sent(&self) -> Vec<(String, String)> {
        self.raw_query().map_or_else(|| self.query.clone(), parse_query)
    }

    /// Path and query as readable text, and of a GraphQL request the kind and name of its operation
    /// (`#mutation Cancel`): what faults match on.
    pub fn target(&self) -> String {
        target(&self.path, &self.query, &self.body)
    }

    /// `query Orders` or `mutation Cancel`, for a GraphQL request.
    pub(crate) fn operation(&self) -> Option<String> {
        operation(&self.path, &self.body)
    }

    /// The pairs of a body that is a form.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        parse_query(&String::from_utf8_lossy(&self.body))
    }

    /// The body as JSON; `None` when it is empty or not JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What [`Request::target`] says of a request.
pub(super) fn target(path: &str, query: &[(String, String)], body: &[u8]) -> String {
    let mut target = path.to_owned();
    for (index, (key, value)) in query.iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        target.push_str(key);
        target.push('=');
        target.push_str(value);
    }
    if let Some(operation) = operation(path, body) {
        target.push('#');
        target.push_str(&operation);
    }
    target
}

/// Kind and name of a GraphQL operation.
pub(super) fn operation(path: &str, body: &[u8]) -> Option<String> {
    if !path.ends_with("/graphql.json") {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = body["query"].as_str()?;
    Some(text.split(['(', '{']).next()?.trim().to_owned())
}

/// Decodes a raw query string as PHP does: `+` is a space.
pub(crate) fn parse_query(raw: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(raw.as_bytes()).into_owned().collect()
}

/// The store's answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers in the order in which they are sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long the store takes for it; other requests are served meanwhile.
    pub delay: Duration,
}

impl Response {
    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json; charset=UTF-8", body.to_string())
    }

    /// An answer with an HTML body.
    pub(crate) fn html(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, "text/html; charset=UTF-8", body)
    }

    /// A file, or the range of it that is asked for.
    pub(super) fn file(request: &Request, kind: &str, file: &[u8]) -> Self {
        let mut response = Self::new(200, kind, "");
        let range = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        match range.and_then(|(from, to)| Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?))) {
            Some((from, _)) if from >= file.len() => response.status = 416,
            Some((from, to)) => {
                let to = to.saturating_add(1).min(file.len());
                response.status = 206;
                response.set_header("Content-Range", format!("bytes {from}-{}/{}", to.saturating_sub(1), file.len()));
                response.body = file.get(from..to).unwrap_or_default().to_vec();
            }
            None => response.body = file.to_vec(),
        }
        response
    }

    fn new(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into().into_bytes(), delay: Duration::ZERO }
    }

    /// Sets a header, replacing one of the same name.
    pub fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }

    /// The same answer with one more header.
    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set_header(name, value);
        self
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, `null` when it is not JSON.
    pub fn body_json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// A simulated store: state and rules behind one address.
pub trait Store: Send + Sync {
    /// Answers one request, changing the state as the real store would.
    fn handle(&self, request: &Request) -> Response;

    /// The store's own form of a fault, where its channel says it in another way than a web server
    /// would (a throttle inside a 200).
    fn fault(&self, _kind: &super::FaultKind, _request: &Request) -> Option<Response> {
        None
    }

    /// Tells the store the address (`http://127.0.0.1:4711`) under which it is now served.
    fn served_at(&self, _url: &str) {}
}
