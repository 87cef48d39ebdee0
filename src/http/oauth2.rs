//! Access tokens that end (RFC 6749): fetched, renewed a little before their end, once for all
//! threads and processes, and in the store's file before they are used (F-3). A refresh token that
//! comes with one takes the place of the old one in the same moment.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use chrono::TimeDelta;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::status::{self, Words};
use super::{Client, Effect, Protocol, Reply, Request, Verdict, check_json, read_json, told, unusable, url_for_people};
use crate::clock::{Timestamp, rfc3339};
use crate::credentials::{Credentials, Failure};
use crate::error::Result;
use crate::secret::Secret;
use crate::secret::Secrets;

/// Where a fetched token stands among the secrets, if the store has no other.
const TOKEN: &str = "token";

/// When a token is renewed stands beside it, under its name with this end; no secret, which that says
/// ([`crate::credentials::TIME`]).
const RENEW_AT: &str = "_renew_at";

/// Where the token stands that fetches the next one.
pub(crate) const REFRESH_TOKEN: &str = "refresh_token";

/// The one before it, where it rotates: kept until its successor has worked, for a vendor that
/// knows only this one after all.
const REFRESH_TOKEN_BEFORE: &str = "refresh_token_before";

/// When that one ends, where the vendor says so or is known to end it.
const REFRESH_ENDS_AT: &str = "refresh_token_ends_at";

/// A fetched token is renewed so many seconds before its end.
const MARGIN: i64 = 120;

/// How often a token endpoint that fails is asked again.
const REPEATS: u32 = 3;

/// When a store's consent ends if no sync renews it before; `None` where it does not end, or nobody
/// knows when.
pub(crate) fn consent_ends_at(secrets: &Secrets) -> Option<Timestamp> {
    secrets.get(REFRESH_ENDS_AT)?.reveal().parse().ok()
}

/// Who gives the tokens, in the adapter's words.
pub(crate) trait Issuer: Send + Sync {
    /// The vendor's name.
    fn vendor(&self) -> &'static str;

    /// Where its tokens stand among the secrets: one that gives another kind of token to the same
    /// store has a name of its own for them.
    fn kept_as(&self) -> &'static str {
        TOKEN
    }

    /// Where tokens are fetched.
    fn endpoint(&self) -> &Url;

    /// What is asked for one: the kind of grant and what proves who asks.
    fn form(&self, secrets: &Secrets) -> Vec<(&'static str, String)>;

    /// Puts on the request what does not belong in the form.
    fn authorize(&self, request: &mut Request, secrets: &Secrets) -> Result<()> {
        let _ = (request, secrets);
        Ok(())
    }

    /// How long a refresh token lives, where no answer says it.
    fn refresh_life(&self) -> Option<TimeDelta> {
        None
    }

    /// Whether each renewal brings another refresh token in the place of the one that was sent.
    fn rotates(&self) -> bool {
        false
    }

    /// Whether a refusal says no more than that the refresh token is not known there.
    fn is_unknown(&self, reply: &Reply) -> bool {
        let _ = reply;
        false
    }

    /// What a refusal means. They are final: the endpoint is never asked in a loop.
    fn refused(&self, request: &Request, reply: &Reply, now: Timestamp) -> Verdict;
}

/// The token to send now; one that is about to end is renewed before.
pub(crate) fn token(http: &Client, credentials: &Credentials, issuer: &dyn Issuer) -> Result<Secret> {
    let (now, name) = (http.clock().now(), issuer.kept_as());
    let renew_at = credentials.get(&renewed_at(name)).and_then(|text| text.reveal().parse::<Timestamp>().ok());
    let known = credentials.get(name);
    if let Some(token) = known.clone().filter(|_| renew_at.is_some_and(|at| now < at)) {
        return Ok(token);
    }
    renew(http, credentials, issuer, known.as_ref())?;
    credentials.need(name)
}

fn renewed_at(name: &str) -> String {
    format!("{name}{RENEW_AT}")
}

/// Fetches a token in the place of `stale`, unless somebody has done so.
pub(crate) fn renew(
    http: &Client,
    credentials: &Credentials,
    issuer: &dyn Issuer,
    stale: Option<&Secret>,
) -> Result<()> {
    let rotates = issuer.rotates();
    credentials.renew(issuer.kept_as(), stale, rotates, &|secrets| match fetch(http, secrets, issuer) {
        Err(Refusal { failure, is_unknown: true }) if rotates => {
            with_the_one_before(http, secrets, issuer).ok_or(failure)
        }
        fetched => fetched.map_err(|refusal| refusal.failure),
    })
}

/// Fetches the first token, for what a consent has brought.
pub(crate) fn redeem(
    http: &Client,
    credentials: &Credentials,
    issuer: &dyn Issuer,
    form: &[(&'static str, String)],
) -> Result<()> {
    let fresh = ask(http, &credentials.all(), issuer, form).map_err(|refusal| refusal.failure.error)?;
    if !fresh.contains_key(REFRESH_TOKEN) {
        return Err(unusable(&url_for_people(issuer.endpoint()), "no refresh token", "; nothing was stored"));
    }
    credentials.put(fresh);
    Ok(())
}

/// What the refresh token before the present one brings, where there is one: a file that was put
/// back from a copy, or a vendor that has taken back what it gave.
fn with_the_one_before(http: &Client, secrets: &Secrets, issuer: &dyn Issuer) -> Option<Secrets> {
    let mut secrets = secrets.clone();
    let before = secrets.remove(REFRESH_TOKEN_BEFORE)?;
    secrets.insert(REFRESH_TOKEN.to_owned(), before);
    fetch(http, &secrets, issuer).ok()
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

/// Why no token was given.
struct Refusal {
    failure: Failure,
    /// It says no more than that what was sent is not known.
    is_unknown: bool,
}

fn fetch(http: &Client, secrets: &Secrets, issuer: &dyn Issuer) -> Result<Secrets, Refusal> {
    let mut fresh = ask(http, secrets, issuer, &issuer.form(secrets))?;
    let old = secrets.get(REFRESH_TOKEN).filter(|old| issuer.rotates() && fresh.get(REFRESH_TOKEN) != Some(*old));
    if let Some(old) = old.filter(|_| fresh.contains_key(REFRESH_TOKEN)) {
        fresh.insert(REFRESH_TOKEN_BEFORE.to_owned(), old.clone());
    }
    Ok(fresh)
}

fn ask(
    http: &Client,
    secrets: &Secrets,
    issuer: &dyn Issuer,
    form: &[(&'static str, String)],
) -> Result<Secrets, Refusal> {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut request = Request::get(issuer.endpoint().clone()).repeated(REPEATS);
    request.method = reqwest::Method::POST;
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    request.body = Some(form.into_bytes());
    request.effect = Effect::Read;
    let now = http.clock().now();
    let endpoint = TokenEndpoint::of(issuer, secrets, now);
    let reply = http.send(&endpoint, &request).map_err(|error| Refusal {
        failure: Failure { error, is_lost: endpoint.unanswered.load(Ordering::Relaxed) > 0 },
        is_unknown: endpoint.is_unknown.load(Ordering::Relaxed),
    })?;
    // What it gave is lost with it.
    let unreadable = |what: &str| {
        let error = unusable(&reply.place, what, "; no token was fetched");
        Refusal { failure: Failure { error, is_lost: true }, is_unknown: false }
    };
    let granted = check_json(&reply).and_then(|()| read_json::<Granted>(&reply.body));
    let (granted, _) = granted.map_err(|error| unreadable(error.message()))?;
    // Kept, it would be in the way of a good one for as long as it is said to live.
    if !is_token(&granted.access_token) {
        return Err(unreadable("a token that is empty or cannot be sent"));
    }
    Ok(fresh(granted, issuer.kept_as(), issuer.refresh_life(), http.clock().now()))
}

/// What is kept of an answer, the token as `name`. A refresh token lives for `life` where the answer
/// does not say for how long.
fn fresh(granted: Granted, name: &str, life: Option<TimeDelta>, now: Timestamp) -> Secrets {
    let end = |life: i64| Secret::new(rfc3339(now + TimeDelta::seconds(life)));
    let mut fresh = Secrets::from([
        (name.to_owned(), Secret::new(granted.access_token)),
        (renewed_at(name), end(told::life(granted.expires_in.as_f64(), MARGIN))),
    ]);
    let refresh = granted.refresh_token.filter(|token| is_token(token));
    let life = life.filter(|_| refresh.is_some()).map(|life| life.num_seconds() as f64);
    if let Some(refresh) = refresh {
        fresh.insert(REFRESH_TOKEN.to_owned(), Secret::new(refresh));
    }
    if let Some(life) = granted.refresh_token_expires_in.as_f64().or(life) {
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
    is_unknown: AtomicBool,
    /// How many attempts have had no answer: each may have been carried out.
    unanswered: AtomicU32,
}

impl<'a> TokenEndpoint<'a> {
    fn of(issuer: &'a dyn Issuer, secrets: &'a Secrets, now: Timestamp) -> Self {
        Self { issuer, secrets, now, is_unknown: AtomicBool::new(false), unanswered: AtomicU32::new(0) }
    }
}

impl Protocol for TokenEndpoint<'_> {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        self.issuer.authorize(request, self.secrets)
    }

    fn cost(&self, _: &Request) -> f64 {
        0.0
    }

    fn grants(&self) -> bool {
        true
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        self.unanswered.fetch_sub(1, Ordering::Relaxed);
        match reply.status {
            200 => Verdict::Good,
            408 | 429 | 500..=599 => {
                match status::classify(&Words::of(self.issuer.vendor()), request, reply, self.now) {
                    // A smaller page would ask for the same token.
                    Verdict::Transient(error) => Verdict::Transient(error.not_too_much()),
                    verdict => verdict,
                }
            }
            _ => {
                self.is_unknown.store(self.issuer.is_unknown(reply), Ordering::Relaxed);
                self.issuer.refused(request, reply, self.now)
            }
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
        let kept =
            |answer: serde_json::Value| fresh(serde_json::from_value(answer).unwrap(), TOKEN, None, from_millis(0));
        let rotated = kept(json!({ "access_token": "a", "expires_in": 3600, "refresh_token": "b" }));
        assert_eq!(rotated[TOKEN], Secret::new("a"));
        assert_eq!(rotated[REFRESH_TOKEN], Secret::new("b"));
        assert_eq!(rotated["token_renew_at"], Secret::new("1970-01-01T00:58:00Z"));
        // One that stays is not named again, or named as nothing: the old one must not be lost.
        for answer in [json!({ "access_token": "a" }), json!({ "access_token": "a", "refresh_token": "" })] {
            assert!(!kept(answer).contains_key(REFRESH_TOKEN));
        }
        let long = kept(json!({ "access_token": "a", "refresh_token": "b", "refresh_token_expires_in": 47_304_000 }));
        assert_eq!(long[REFRESH_ENDS_AT], Secret::new("1971-07-02T12:00:00Z"));
    }

    #[test]
    fn two_kinds_of_token_of_one_store_do_not_get_in_each_other_s_way() {
        let granted =
            |token: &str| serde_json::from_value(json!({ "access_token": token, "expires_in": 3600 })).unwrap();
        let mut kept = fresh(granted("a"), TOKEN, None, from_millis(0));
        kept.extend(fresh(granted("b"), "application_token", None, from_millis(60_000)));
        assert_eq!((&kept[TOKEN], &kept["application_token"]), (&Secret::new("a"), &Secret::new("b")));
        assert_eq!(kept["application_token_renew_at"], Secret::new("1970-01-01T00:59:00Z"));
        assert_eq!(kept["token_renew_at"], Secret::new("1970-01-01T00:58:00Z"));
        assert!(renewed_at("application_token").ends_with(crate::credentials::TIME), "it is no secret");
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
            let secrets = Secrets::new();
            let endpoint = TokenEndpoint::of(&vendor, &secrets, from_millis(0));
            endpoint.unanswered.store(1, Ordering::Relaxed);
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
