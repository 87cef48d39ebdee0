//! One request to an address that is no channel's, and how far it came.

use std::io::Read;
use std::time::Duration;

use reqwest::blocking as rq;
use reqwest::header::HeaderMap;
use url::Url;

use super::{is_loopback, tls};
use crate::error::{Error, ErrorKind, Result};

/// How long the connection, and all of it, may take.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// How much of an answer's body is looked at.
const LOOKED_AT: u64 = 1024;

/// What was answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answered {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// How the body begins.
    pub(crate) begins: Vec<u8>,
}

impl Answered {
    /// A header as text, where there is one and it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Where a request came to its end before anything was answered.
#[derive(Debug, Clone)]
pub(crate) enum Stopped {
    /// The name leads nowhere; why, in the system's words.
    Name(String),
    /// Nobody takes the connection.
    Connection(String),
    /// Whoever does has no certificate that could be trusted, or speaks no TLS.
    Certificate(Error),
    /// The connection broke, or no answer came in time.
    Silence(String),
}

/// Posts `body` to `url`, once. No redirect is followed. The proxies of the environment are used as
/// for channels.
///
/// # Errors
/// Where nothing can be sent at all; how far it came is the result.
pub(crate) fn post(url: &Url, headers: &[(String, String)], body: Vec<u8>) -> Result<Result<Answered, Stopped>> {
    let builder = rq::Client::builder()
        .user_agent(concat!("ordersync/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECTED_WITHIN)
        .timeout(ANSWERED_WITHIN)
        .tls_backend_preconfigured(tls::config(None)?);
    let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
    let failed = |e: reqwest::Error| Error::new(ErrorKind::Failed, format!("no HTTP client: {}", innermost(&e)));
    let client = builder.build().map_err(failed)?;
    let request = headers.iter().fold(client.post(url.clone()), |request, (name, value)| request.header(name, value));
    let answer = match request.body(body).send() {
        Ok(answer) => answer,
        Err(error) => return Ok(Err(stopped(url, &error))),
    };
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let mut begins = Vec::new();
    // What was answered is known; of a body that breaks off the rest says nothing more.
    let _ = answer.take(LOOKED_AT).read_to_end(&mut begins);
    Ok(Ok(Answered { status, headers, begins }))
}

fn stopped(url: &Url, error: &reqwest::Error) -> Stopped {
    let place = url.origin().ascii_serialization();
    let why = innermost(error);
    if error.is_connect() {
        if let Some(untrusted) = tls::untrusted(&place, error) {
            return Stopped::Certificate(untrusted);
        }
        if tls::is_of_tls(error) {
            let text = format!("{place} speaks no TLS that could be understood ({why}); nothing was sent");
            return Stopped::Certificate(Error::new(ErrorKind::Failed, text));
        }
        if is_of_a_name(error) {
            return Stopped::Name(why);
        }
        let why = if error.is_timeout() { "no connection in time".to_owned() } else { why };
        return Stopped::Connection(why);
    }
    Stopped::Silence(if error.is_timeout() { "no answer in time".to_owned() } else { why })
}

/// Whether the name could not be resolved: the connector tells it by these words alone.
fn is_of_a_name(error: &reqwest::Error) -> bool {
    std::iter::successors(std::error::Error::source(error), |error| error.source())
        .any(|error| error.to_string() == "dns error")
}

/// The innermost cause says what happened; the outer ones repeat the URL.
fn innermost(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).last().unwrap_or(error).to_string()
}
