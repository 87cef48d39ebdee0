//! The two kinds of tokens: one that Shopify made once and that never ends, and one that is fetched for 24 hours.

use chrono::TimeDelta;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::errors;
use crate::channel::Secrets;
use crate::clock::{Timestamp, rfc3339};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Client, Effect, Protocol, Reply, Request, Verdict, check_json, read_json, told, url_for_people};
use crate::secret::Secret;

/// Where the fetched token stands among the secrets.
const TOKEN: &str = "token";

/// When it is renewed, beside it; no secret, which its end says ([`crate::credentials::TIME`]).
const RENEW_AT: &str = "token_renew_at";

/// A fetched token is renewed this long before its end.
const MARGIN: i64 = 120;

/// The header that carries a token.
pub const HEADER: HeaderName = HeaderName::from_static("x-shopify-access-token");

/// How this store's requests are authorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Client id and secret, for which a token is fetched.
    Grant,
    /// A token that does not end.
    Static,
}

impl Kind {
    /// Which of the two the merchant gave; the newer one where there are both.
    pub fn of(credentials: &Credentials) -> Result<Self> {
        let has = |key: &str| credentials.get(key).is_some();
        match (has("client_id") && has("client_secret"), has("access_token")) {
            (true, _) => Ok(Self::Grant),
            (false, true) => Ok(Self::Static),
            (false, false) => Err(Error::new(
                ErrorKind::Credentials,
                "credentials are missing: either client_id and client_secret, or access_token and api_secret; nothing was sent",
            )
            .hint("ordersync connect --reauth STORE")),
        }
    }
}

/// The token to send now; a fetched one that is about to end is renewed before.
pub fn token(http: &Client, credentials: &Credentials, kind: Kind, at: &Url) -> Result<Secret> {
    if kind == Kind::Static {
        return credentials.need("access_token");
    }
    let now = http.clock().now();
    let fresh = |secrets: &Credentials| {
        let renew_at = secrets.get(RENEW_AT).and_then(|text| text.reveal().parse::<Timestamp>().ok())?;
        secrets.get(TOKEN).filter(|_| now < renew_at)
    };
    if let Some(token) = fresh(credentials) {
        return Ok(token);
    }
    renew(http, credentials, at, credentials.get(TOKEN).as_ref())?;
    credentials.need(TOKEN)
}

/// Fetches a token in the place of `stale`, unless somebody has done so.
pub fn renew(http: &Client, credentials: &Credentials, at: &Url, stale: Option<&Secret>) -> Result<()> {
    credentials.renew(TOKEN, stale, &|secrets| fetch(http, secrets, at))
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: serde_json::Value,
}

fn fetch(http: &Client, secrets: &Secrets, at: &Url) -> Result<Secrets> {
    let secret = |key: &str| secrets.get(key).map(Secret::reveal).unwrap_or_default();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", secret("client_id"))
        .append_pair("client_secret", secret("client_secret"))
        .finish();
    let mut request = Request::get(at.clone());
    request.method = reqwest::Method::POST;
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    request.body = Some(body.into_bytes());
    request.effect = Effect::Read;
    let reply = http.send(&TokenEndpoint { now: http.clock().now() }, &request)?;
    let unreadable = |what: &str| {
        let text = format!("{} answered with {what}; no token was fetched", url_for_people(at));
        Error::new(ErrorKind::Unreadable, text).hint("ordersync connect --test STORE")
    };
    let granted = check_json(&reply).and_then(|()| read_json::<Granted>(&reply.body));
    let (granted, _) = granted.map_err(|error| unreadable(error.message()))?;
    // Kept, it would be in the way of a good one for as long as it is said to live.
    if !is_token(&granted.access_token) {
        return Err(unreadable("a token that is empty or cannot be sent"));
    }
    let renew_at = http.clock().now() + TimeDelta::seconds(told::life(granted.expires_in.as_f64(), MARGIN));
    Ok(Secrets::from([
        (TOKEN.to_owned(), Secret::new(granted.access_token)),
        (RENEW_AT.to_owned(), Secret::new(rfc3339(renew_at))),
    ]))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The token endpoint's side of the exchange. Its refusals are final: it is never asked in a loop.
struct TokenEndpoint {
    now: Timestamp,
}

impl Protocol for TokenEndpoint {
    fn authorize(&self, _: &mut Request) -> Result<()> {
        Ok(())
    }

    fn cost(&self, _: &Request) -> f64 {
        0.0
    }

    fn grants(&self) -> bool {
        true
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        let place = url_for_people(&request.url);
        match reply.status {
            200 => Verdict::Good,
            429 => Verdict::Throttled(
                reply.retry_after(self.now),
                Error::new(
                    ErrorKind::Temporary,
                    format!("Shopify asked for fewer tokens to be fetched (429, {place})"),
                ),
            ),
            500..=599 => Verdict::Transient(
                Error::new(
                    ErrorKind::Temporary,
                    format!("Shopify's token endpoint failed ({}, {place}); nothing was sent", reply.status),
                )
                .hint("the next sync tries again by itself"),
            ),
            status => match refusal(status, &String::from_utf8_lossy(&reply.body)) {
                Some(error) => Verdict::Refused(error),
                // A shop that is frozen, locked or not there says so here, too.
                None => errors::refused(status, reply, &place, self.now),
            },
        }
    }
}

/// A refusal that is about the app. The bodies are not documented, and may be web pages (fact sheet, 1.2): their words are looked for. A 400
/// without any of them says nothing of client id and secret.
fn refusal(status: u16, body: &str) -> Option<Error> {
    let refused = |text: &str, hint: &str| {
        let text = format!("{text} ({status}); nothing was imported or sent");
        Some(Error::new(ErrorKind::Credentials, text).hint(hint.to_owned()))
    };
    let says = |words: &[&str]| words.iter().any(|word| body.contains(word));
    if says(&["shop_not_permitted"]) {
        return refused(
            "Shopify gives this app no token for this shop: app and shop are not in the same organisation",
            "make the app in the Dev Dashboard of the organisation that the shop belongs to",
        );
    }
    if says(&["app_not_installed"]) {
        return refused(
            "the app is not installed in this shop",
            "release a version of the app with its scopes and install it in the shop (Dev Dashboard > your app > Home)",
        );
    }
    let unknown = ["application_cannot_be_found", "invalid_client", "unauthorized_client", "invalid_grant"];
    if status == 401 || says(&unknown) {
        return refused(
            "Shopify refuses the client id and secret",
            "check client id and secret in the Dev Dashboard (your app > Settings), then ordersync connect --reauth STORE",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;
    use reqwest::header::HeaderMap;

    fn verdict(status: u16, body: &str) -> Verdict {
        let request = Request::get(Url::parse("https://x.myshopify.com/admin/oauth/access_token").unwrap());
        let reply = Reply { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() };
        TokenEndpoint { now: from_millis(0) }.classify(&request, &reply)
    }

    fn refused(status: u16, body: &str) -> ErrorKind {
        match verdict(status, body) {
            Verdict::Refused(error) => error.kind(),
            other => panic!("{status} {body}: {other:?}"),
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        assert!(is_token("shpat_0a1b2c"));
        for bad in ["", " ", "a b", "a\nb", "ä"] {
            assert!(!is_token(bad), "{bad:?}");
        }
    }

    #[test]
    fn only_what_is_about_the_app_is_refused_credentials() {
        let page = |words: &str| format!("<html><body><h1>400</h1>Oauth error {words}</body></html>");
        for words in ["application_cannot_be_found", "shop_not_permitted: Client ...", "app_not_installed"] {
            assert_eq!(refused(400, &page(words)), ErrorKind::Credentials, "{words}");
        }
        assert_eq!(refused(400, r#"{"error":"invalid_client"}"#), ErrorKind::Credentials);
        assert_eq!(refused(403, &page("shop_not_permitted")), ErrorKind::Credentials);
        assert_eq!(refused(401, ""), ErrorKind::Credentials);
        let html = "<!DOCTYPE html><html><body>This store is unavailable</body></html>";
        for body in ["", html, "{}"] {
            assert_eq!(refused(400, body), ErrorKind::Failed);
            assert_eq!(refused(402, body), ErrorKind::Temporary);
            assert_eq!(refused(403, body), ErrorKind::Permission);
            assert_eq!(refused(404, body), ErrorKind::NoStore);
            assert_eq!(refused(423, body), ErrorKind::Temporary);
            assert_eq!(refused(430, body), ErrorKind::Temporary);
            assert_eq!(refused(301, body), ErrorKind::Failed);
            let Verdict::Transient(error) = verdict(503, body) else { panic!("not a stumble") };
            // The same token would be fetched again for a smaller page.
            assert!(error.kind() == ErrorKind::Temporary && !error.is_too_much());
            assert!(matches!(verdict(429, body), Verdict::Throttled(..)));
        }
    }
}
