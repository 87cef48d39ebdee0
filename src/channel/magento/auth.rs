//! Credentials on requests: OAuth 1.0a with all four values of an integration, or its access token
//! alone as a Bearer.
//!
//! A shop checks a signature over the address that it takes for its own. Before 2.4.4 a token alone
//! was enough; since then that is a switch that is off.

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use url::Url;

use super::errors::Way;
use crate::clock::Timestamp;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::http::oauth1::{Method, Signer};
use crate::http::{Request, sign};
use crate::secret::Secret;

/// The credentials of a store.
pub(crate) enum Auth {
    /// Consumer key and secret, access token and secret.
    Signed(Box<[Secret; 4]>),
    /// The access token.
    Bearer(Secret),
}

/// The keys of the credentials, in the order of [`Auth::Signed`].
const KEYS: [&str; 4] = ["consumer_key", "consumer_secret", "access_token", "access_token_secret"];

impl Auth {
    /// Those that the merchant gave.
    ///
    /// # Errors
    /// `Credentials` for some of the four that are neither all of them nor the token alone.
    pub(crate) fn of(credentials: &Credentials) -> Result<Self> {
        let given = KEYS.map(|key| credentials.get(key));
        if let [Some(key), Some(secret), Some(token), Some(token_secret)] = given {
            return Ok(Self::Signed(Box::new([key, secret, token, token_secret])));
        }
        match given {
            [None, None, Some(token), None] => Ok(Self::Bearer(token)),
            given => {
                let missing: Vec<&str> =
                    KEYS.iter().zip(&given).filter(|(_, one)| one.is_none()).map(|(key, _)| *key).collect();
                let text =
                    format!("{} of the integration's four values is missing; nothing was sent", missing.join(", "));
                Err(Error::new(ErrorKind::Credentials, text).hint(
                    "give all four, or access_token alone where the shop takes it: ordersync connect --reauth STORE",
                ))
            }
        }
    }

    /// How requests are authorised.
    pub(crate) fn way(&self) -> Way {
        match self {
            Self::Signed(_) => Way::Signed,
            Self::Bearer(_) => Way::Bearer,
        }
    }

    /// Puts the credentials on a request. `signed_as`: what the shop takes its own scheme, host and
    /// port for, where those are others than are asked.
    pub(crate) fn put_on(&self, request: &mut Request, signed_as: Option<&str>, now: Timestamp) -> Result<()> {
        let value = match self {
            Self::Bearer(token) => format!("Bearer {}", token.reveal()),
            Self::Signed(four) => {
                let [key, secret, token, token_secret] = &**four;
                let signer =
                    Signer { consumer: (key, secret), token: Some((token, token_secret)), method: Method::HmacSha256 };
                let address = address(&request.url, signed_as);
                signer.header(request.method.as_str(), &address, &request.url, now, &sign::nonce()?)
            }
        };
        let mut value = HeaderValue::from_str(&value).map_err(|_| {
            Error::new(ErrorKind::Credentials, "the credentials hold signs that cannot be sent; nothing was sent")
                .hint("copy them again: ordersync connect --reauth STORE")
        })?;
        value.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, value);
        json(request);
        Ok(())
    }
}

/// Without this some shops answer in XML.
pub(crate) fn json(request: &mut Request) {
    request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
}

/// What is signed of an address: scheme, host, a port that is not the usual one, and path.
fn address(url: &Url, signed_as: Option<&str>) -> String {
    let origin = url.origin().ascii_serialization();
    format!("{}{}", signed_as.unwrap_or(&origin), url.path())
}

/// What a shop may take its own scheme, host and port for that is asked at this address: behind a
/// proxy that ends TLS it takes itself for unencrypted, and some servers keep the port from PHP.
pub(crate) fn other_origins(url: &Url) -> Vec<String> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let other = if url.scheme() == "https" { "http" } else { "https" };
    let mut origins = vec![format!("{other}://{host}{port}")];
    if !port.is_empty() {
        origins.extend([url.scheme(), other].map(|scheme| format!("{scheme}://{host}")));
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secrets;

    fn of(keys: &[&str]) -> Result<Way> {
        let secrets: Secrets = keys.iter().map(|key| ((*key).to_owned(), Secret::new("x"))).collect();
        Auth::of(&Credentials::loose(secrets)).map(|auth| auth.way())
    }

    #[test]
    fn all_four_values_sign_and_the_token_alone_is_a_bearer() {
        assert_eq!(of(&KEYS).unwrap(), Way::Signed);
        assert_eq!(of(&["access_token"]).unwrap(), Way::Bearer);
        for (given, missing) in [
            (&["access_token", "consumer_key"][..], "consumer_secret, access_token_secret"),
            (&[], "consumer_key"),
            (&KEYS[..2], "access_token"),
        ] {
            let error = of(given).unwrap_err();
            assert!(error.kind() == ErrorKind::Credentials && error.message().contains(missing), "{error}");
        }
    }

    #[test]
    fn what_is_signed_is_the_address_as_the_shop_sees_it() {
        let url = Url::parse("https://shop.example.test/de/rest/V1/orders?a=b").unwrap();
        assert_eq!(address(&url, None), "https://shop.example.test/de/rest/V1/orders");
        assert_eq!(other_origins(&url), ["http://shop.example.test"]);
        assert_eq!(address(&url, Some("http://shop.example.test")), "http://shop.example.test/de/rest/V1/orders");
        let url = Url::parse("http://127.0.0.1:8090/rest/V1/orders").unwrap();
        assert_eq!(address(&url, None), "http://127.0.0.1:8090/rest/V1/orders");
        assert_eq!(other_origins(&url), ["https://127.0.0.1:8090", "http://127.0.0.1", "https://127.0.0.1"]);
    }

    #[test]
    fn x1_credentials_are_never_shown() {
        let mut request = Request::get(Url::parse("https://shop.example.test/rest/V1/orders").unwrap());
        Auth::Bearer(Secret::new("t0ken")).put_on(&mut request, None, Timestamp::UNIX_EPOCH).unwrap();
        assert!(!format!("{request:?}").contains("t0ken"));
        assert_eq!(request.headers["accept"], "application/json");
    }
}
