//! Credentials on requests: HTTP Basic over TLS, keys in the query where a server eats the header, OAuth 1.0a without TLS.
//!
//! Source: WooCommerce `class-wc-rest-authentication.php`. One-legged OAuth 1.0a, HMAC-SHA256, no token; parameters travel in the query
//! string; the base string has the shop's own home address, whatever address was called.

use base64::Engine;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use url::Url;

use super::probe::{Facts, Login};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Request, sign};
use crate::secret::Secret;

/// A consumer key and its secret.
pub struct Key {
    /// `ck_...`
    pub key: Secret,
    /// `cs_...`
    pub secret: Secret,
}

impl Key {
    /// Puts the key on a request in the shop's way.
    pub fn put_on(&self, request: &mut Request, facts: &Facts, now: Timestamp) -> Result<()> {
        // Whatever was found out over https: without it, nothing that the key can be read from is sent (PRODUCT.md X-5).
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
            Login::Oauth => self.oauth(request, &facts.home, now, &sign::nonce()?),
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

    fn oauth(&self, request: &mut Request, home: &str, now: Timestamp, nonce: &str) -> Result<()> {
        request
            .url
            .query_pairs_mut()
            .append_pair("oauth_consumer_key", self.key.reveal())
            .append_pair("oauth_nonce", nonce)
            .append_pair("oauth_signature_method", "HMAC-SHA256")
            .append_pair("oauth_timestamp", &now.timestamp().to_string());
        let base = base_string(request.method.as_str(), &request.url, home);
        let signature = sign::hmac_sha256(format!("{}&", self.secret.reveal()).as_bytes(), base.as_bytes());
        request.url.query_pairs_mut().append_pair("oauth_signature", &signature);
        Ok(())
    }
}

/// Method, address and sorted parameters, each encoded (RFC 5849, 3.4.1). Parameters are scalars only: PHP would sign lists under other names.
fn base_string(method: &str, url: &Url, home: &str) -> String {
    let mut pairs: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (sign::encode(&name), sign::encode(&value))).collect();
    pairs.sort();
    let parameters: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{method}&{}&{}", sign::encode(&address(url, home)), sign::encode(&parameters.join("&")))
}

/// The called path below the shop's own home, always as `http`: OAuth is for requests that PHP takes for unencrypted.
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
    fn the_base_string_has_the_shops_own_address_and_sorted_parameters() {
        let url = Url::parse("http://127.0.0.1:8089/shop/wp-json/wc/v3/orders?per_page=100&modified_after=2026-11-23T07:00:49&oauth_nonce=n").unwrap();
        assert_eq!(
            base_string("GET", &url, "https://www.example.test/shop"),
            "GET&http%3A%2F%2Fwww.example.test%2Fshop%2Fwp-json%2Fwc%2Fv3%2Forders\
             &modified_after%3D2026-11-23T07%253A00%253A49%26oauth_nonce%3Dn%26per_page%3D100"
        );
    }

    #[test]
    fn x1_a_key_is_never_shown() {
        let key = Key { key: Secret::new("ck_1"), secret: Secret::new("cs_1") };
        let mut request = Request::get(Url::parse("https://shop.example.test/").unwrap());
        key.basic(&mut request).unwrap();
        assert!(!format!("{request:?}").contains("Y2tf"));
    }
}
