//! The two kinds of tokens: one that Shopify made once and that never ends, and one that is fetched
//! for 24 hours.

use reqwest::header::HeaderName;
use url::Url;

use super::errors;
use crate::clock::Timestamp;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::http::oauth2::{self, Issuer};
use crate::http::{Client, Reply, Request, Verdict};
use crate::secret::Secret;
use crate::secret::Secrets;

/// The header that carries a token.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-shopify-access-token");

/// How this store's requests are authorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Client id and secret, for which a token is fetched.
    Grant,
    /// A token that does not end.
    Static,
}

impl Kind {
    /// Which of the two the merchant gave; the newer one where there are both.
    pub(crate) fn of(credentials: &Credentials) -> Result<Self> {
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

/// The token to send now.
pub(crate) fn token(http: &Client, credentials: &Credentials, kind: Kind, at: &TokenEndpoint) -> Result<Secret> {
    match kind {
        Kind::Static => credentials.need("access_token"),
        Kind::Grant => oauth2::token(http, credentials, at),
    }
}

/// Where tokens are fetched: the client-credentials grant, which knows no refresh token.
pub(crate) struct TokenEndpoint(pub(crate) Url);

impl Issuer for TokenEndpoint {
    fn vendor(&self) -> &'static str {
        "Shopify"
    }

    fn endpoint(&self) -> &Url {
        &self.0
    }

    fn form(&self, secrets: &Secrets) -> Vec<(&'static str, String)> {
        let secret = |key: &str| secrets.get(key).map(|secret| secret.reveal().to_owned()).unwrap_or_default();
        vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", secret("client_id")),
            ("client_secret", secret("client_secret")),
        ]
    }

    fn refused(&self, request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
        match refusal(reply.status, &String::from_utf8_lossy(&reply.body)) {
            Some(error) => Verdict::Refused(error),
            // A shop that is frozen, locked or not there says so here, too.
            None => errors::refused(request, reply, now),
        }
    }
}

/// A refusal that is about the app. The bodies are not documented, and may be web pages: their
/// words are looked for. A 400 without any of them says nothing of client id and secret.
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

    const PLACE: &str = "https://x.myshopify.com/admin/oauth/access_token";

    fn verdict(status: u16, body: &str) -> Verdict {
        let reply = Reply { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec(), ..Reply::default() };
        let endpoint = Url::parse(PLACE).unwrap();
        TokenEndpoint(endpoint.clone()).refused(&Request::get(endpoint), &reply, from_millis(0))
    }

    fn refused(status: u16, body: &str) -> ErrorKind {
        match verdict(status, body) {
            Verdict::Refused(error) => error.kind(),
            other => panic!("{status} {body}: {other:?}"),
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
        }
    }
}
