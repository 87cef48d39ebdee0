//! Access tokens that end (RFC 6749): fetched, renewed a little before their end, once for all
//! threads and processes, and in the store's file before they are used (F-3). A refresh token that
//! comes with one takes the place of the old one in the same moment.

use chrono::TimeDelta;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::status::{self, Words};
use super::{Client, Effect, Protocol, Reply, Request, Verdict, check_json, read_json, told, unusable};
use crate::clock::{Timestamp, rfc3339};
use crate::credentials::Credentials;
use crate::error::Result;
use crate::secret::Secret;
use crate::secret::Secrets;

/// Where a fetched token stands among the secrets.
const TOKEN: &str = "token";

/// When it is renewed, beside it; no secret, which its end says ([`crate::credentials::TIME`]).
const RENEW_AT: &str = "token_renew_at";

/// Where the token stands that fetches the next one.
pub(crate) const REFRESH_TOKEN: &str = "refresh_token";

/// When that one ends, where the vendor says so.
pub(crate) const REFRESH_ENDS_AT: &str = "refresh_token_ends_at";

/// A fetched token is renewed so many seconds before its end.
const MARGIN: i64 = 120;

/// Who gives the tokens, in the adapter's words.
pub(crate) trait Issuer: Send + Sync {
    /// The vendor's name.
    fn vendor(&self) -> &'static str;

    /// Where tokens are fetched.
    fn endpoint(&self) -> &Url;

    /// What is asked for one: the kind of grant and what proves who asks.
    fn form(&self, secrets: &Secrets) -> Vec<(&'static str, String)>;

    /// Puts on the request what does not belong in the form.
    fn authorize(&self, request: &mut Request, secrets: &Secrets) -> Result<()> {
        let _ = (request, secrets);
        Ok(())
    }

    /// What a refusal means. They are final: the endpoint is never asked in a loop.
    fn refused(&self, request: &Request, reply: &Reply, now: Timestamp) -> Verdict;
}

/// The token to send now; one that is about to end is renewed before.
pub(crate) fn token(http: &Client, credentials: &Credentials, issuer: &dyn Issuer) -> Result<Secret> {
    let now = http.clock().now();
    let renew_at = credentials.get(RENEW_AT).and_then(|text| text.reveal().parse::<Timestamp>().ok());
    let known = credentials.get(TOKEN);
    if let Some(token) = known.clone().filter(|_| renew_at.is_some_and(|at| now < at)) {
        return Ok(token);
    }
    renew(http, credentials, issuer, known.as_ref())?;
    credentials.need(TOKEN)
}

/// Fetches a token in the place of `stale`, unless somebody has done so.
pub(crate) fn renew(
    http: &Client,
    credentials: &Credentials,
    issuer: &dyn Issuer,
    stale: Option<&Secret>,
) -> Result<()> {
    credentials.renew(TOKEN, stale, &|secrets| fetch(http, secrets, issuer))
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: serde_json::Value,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    refresh_token_expires_in: serde_json::Value,
}

fn fetch(http: &Client, secrets: &Secrets, issuer: &dyn Issuer) -> Result<Secrets> {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(issuer.form(secrets)).finish();
    let mut request = Request::get(issuer.endpoint().clone());
    request.method = reqwest::Method::POST;
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    request.body = Some(form.into_bytes());
    request.effect = Effect::Read;
    let now = http.clock().now();
    let reply = http.send(&TokenEndpoint { issuer, secrets, now }, &request)?;
    let unreadable = |what: &str| unusable(&reply.place, what, "; no token was fetched");
    let granted = check_json(&reply).and_then(|()| read_json::<Granted>(&reply.body));
    let (granted, _) = granted.map_err(|error| unreadable(error.message()))?;
    // Kept, it would be in the way of a good one for as long as it is said to live.
    if !is_token(&granted.access_token) {
        return Err(unreadable("a token that is empty or cannot be sent"));
    }
    Ok(fresh(granted, http.clock().now()))
}

/// What is kept of an answer.
fn fresh(granted: Granted, now: Timestamp) -> Secrets {
    let end = |life: i64| Secret::new(rfc3339(now + TimeDelta::seconds(life)));
    let mut fresh = Secrets::from([
        (TOKEN.to_owned(), Secret::new(granted.access_token)),
        (RENEW_AT.to_owned(), end(told::life(granted.expires_in.as_f64(), MARGIN))),
    ]);
    if let Some(refresh) = granted.refresh_token.filter(|token| is_token(token)) {
        fresh.insert(REFRESH_TOKEN.to_owned(), Secret::new(refresh));
    }
    if let Some(life) = granted.refresh_token_expires_in.as_f64() {
        fresh.insert(REFRESH_ENDS_AT.to_owned(), end(told::long_life(life)));
    }
    fresh
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

struct TokenEndpoint<'a> {
    issuer: &'a dyn Issuer,
    secrets: &'a Secrets,
    now: Timestamp,
}

impl Protocol for TokenEndpoint<'_> {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        self.issuer.authorize(request, self.secrets)
    }

    fn cost(&self, _: &Request) -> f64 {
        0.0
    }

    fn grants(&self) -> bool {
        true
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        match reply.status {
            200 => Verdict::Good,
            408 | 429 | 500..=599 => {
                match status::classify(&Words::of(self.issuer.vendor()), request, reply, self.now) {
                    // A smaller page would ask for the same token.
                    Verdict::Transient(error) => Verdict::Transient(error.not_too_much()),
                    verdict => verdict,
                }
            }
            _ => self.issuer.refused(request, reply, self.now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;
    use crate::error::{Error, ErrorKind};
    use serde_json::json;

    #[test]
    fn what_cannot_be_a_token_is_none() {
        assert!(is_token("shpat_0a1b2c"));
        for bad in ["", " ", "a b", "a\nb", "ä"] {
            assert!(!is_token(bad), "{bad:?}");
        }
    }

    #[test]
    fn f3_a_refresh_token_that_rotates_is_kept_with_the_token_that_it_came_with() {
        let kept = |answer: serde_json::Value| fresh(serde_json::from_value(answer).unwrap(), from_millis(0));
        let rotated = kept(json!({ "access_token": "a", "expires_in": 3600, "refresh_token": "b" }));
        assert_eq!(rotated[TOKEN], Secret::new("a"));
        assert_eq!(rotated[REFRESH_TOKEN], Secret::new("b"));
        assert_eq!(rotated[RENEW_AT], Secret::new("1970-01-01T00:58:00Z"));
        // One that stays is not named again, or named as nothing: the old one must not be lost.
        for answer in [json!({ "access_token": "a" }), json!({ "access_token": "a", "refresh_token": "" })] {
            assert!(!kept(answer).contains_key(REFRESH_TOKEN));
        }
        let long = kept(json!({ "access_token": "a", "refresh_token": "b", "refresh_token_expires_in": 47_304_000 }));
        assert_eq!(long[REFRESH_ENDS_AT], Secret::new("1971-07-02T12:00:00Z"));
    }

    struct Vendor(Url);

    impl Issuer for Vendor {
        fn vendor(&self) -> &'static str {
            "Vendor"
        }

        fn endpoint(&self) -> &Url {
            &self.0
        }

        fn form(&self, _: &Secrets) -> Vec<(&'static str, String)> {
            Vec::new()
        }

        fn refused(&self, _: &Request, _: &Reply, _: Timestamp) -> Verdict {
            Verdict::Refused(Error::new(ErrorKind::Credentials, "no"))
        }
    }

    #[test]
    fn a_token_endpoint_that_fails_is_waited_for_and_one_that_refuses_is_not() {
        let vendor = Vendor(Url::parse("https://auth.example.test/token").unwrap());
        let verdict = |status: u16| {
            let reply =
                Reply { status, headers: reqwest::header::HeaderMap::new(), body: Vec::new(), ..Reply::default() };
            let endpoint = TokenEndpoint { issuer: &vendor, secrets: &Secrets::new(), now: from_millis(0) };
            endpoint.classify(&Request::get(vendor.0.clone()), &reply)
        };
        assert!(matches!(verdict(200), Verdict::Good));
        assert!(matches!(verdict(429), Verdict::Throttled(..)));
        assert!(matches!(verdict(503), Verdict::Transient(e) if e.kind() == ErrorKind::Temporary && !e.is_too_much()));
        for status in [201, 301, 400, 401, 403, 404] {
            assert!(matches!(verdict(status), Verdict::Refused(_)), "{status}");
        }
    }
}
