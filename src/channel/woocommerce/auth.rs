//! Credentials on requests: HTTP Basic over TLS, keys in the query where a server eats the header,
//! OAuth 1.0a without TLS.
//!
//! Source: WooCommerce `class-wc-rest-authentication.php`. One-legged OAuth 1.0a, HMAC-SHA256, no
//! token; parameters travel in the query string; the base string has the shop's own home address,
//! whatever address was called.

use base64::Engine;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use url::Url;

use super::probe::{Facts, Login};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::oauth1::{Method, Signer};
use crate::http::{Request, sign};
use crate::secret::Secret;

/// A consumer key and its secret.
pub(crate) struct Key {
    /// `ck_...`
    pub(crate) key: Secret,
    /// `cs_...`
    pub(crate) secret: Secret,
}

impl Key {
    /// Puts the key on a request in the shop's way.
    pub(crate) fn put_on(&self, request: &mut Request, facts: &Facts, now: Timestamp) -> Result<()> {
        // Whatever was found out over https: without it, nothing that the key can be read from is
        // sent.
        let login = if request.url.scheme() == "https" { facts.login } else { Login::Oauth };
        match login {
            Login::Basic => self.basic(request),
            Login::Query => {
                request
                    .url
                    .query_pairs_mut()
                    .append_pair("consumer_key", self.key.reveal())
                    .append_pair("consumer_secret", self.secret.reveal());
                Ok(())
            }
            Login::Oauth => {
                self.oauth(request, &facts.home, now, &sign::nonce()?);
                Ok(())
            }
        }
    }

    fn basic(&self, request: &mut Request) -> Result<()> {
        let pair = format!("{}:{}", self.key.reveal(), self.secret.reveal());
        let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
        let mut value = HeaderValue::from_str(&format!("Basic {encoded}"))
            .map_err(|_| Error::new(ErrorKind::Credentials, "the consumer key cannot be sent; nothing was sent"))?;
        value.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// The parameters travel in the query: not every server hands a header of this kind on to PHP.
    fn oauth(&self, request: &mut Request, home: &str, now: Timestamp, nonce: &str) {
        let signer = Signer { consumer: (&self.key, &self.secret), token: None, method: Method::HmacSha256 };
        let address = address(&request.url, home);
        let ours = signer.parameters(request.method.as_str(), &address, &request.url, now, nonce);
        request.url.query_pairs_mut().extend_pairs(ours);
    }
}

/// The called path below the shop's own home, always as `http`: OAuth is for requests that PHP
/// takes for unencrypted.
fn address(url: &Url, home: &str) -> String {
    let bare = home.split_once("://").map_or(home, |(_, rest)| rest).trim_end_matches('/');
    let home_path = bare.split_once('/').map_or(String::new(), |(_, path)| format!("/{path}"));
    let below = url.path().strip_prefix(&home_path).unwrap_or(url.path()).trim_start_matches('/');
    if below.is_empty() { format!("http://{bare}") } else { format!("http://{bare}/{below}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_the_shops_own_address() {
        for (called, home, signed) in [
            (
                "http://127.0.0.1:8089/shop/wp-json/wc/v3/orders?a=b",
                "https://www.example.test/shop",
                "http://www.example.test/shop/wp-json/wc/v3/orders",
            ),
            ("http://127.0.0.1:8089/?rest_route=/wc/v3", "http://example.test/", "http://example.test"),
        ] {
            assert_eq!(address(&Url::parse(called).unwrap(), home), signed);
        }
    }

    #[test]
    fn x1_a_key_is_never_shown() {
        let key = Key { key: Secret::new("ck_1"), secret: Secret::new("cs_1") };
        let mut request = Request::get(Url::parse("https://shop.example.test/").unwrap());
        key.basic(&mut request).unwrap();
        assert!(!format!("{request:?}").contains("Y2tf"));
    }
}
