//! What `connect etsy` takes.

use url::Url;

use crate::channel::settings::{Given, usage};
use crate::channel::{Field, Form, Forms, Values};
use crate::error::Result;
use crate::http::is_loopback;

/// Where Etsy sends the browser after the consent, if the merchant registers nothing else. The port
/// is below those that systems give to outgoing connections.
pub(crate) const REDIRECT: &str = "http://localhost:19427/etsy";

/// The app's key, and what may be set.
pub(crate) const FIELDS: &[Field] = &[
    Field {
        key: "keystring",
        prompt: "Keystring of your app at Etsy",
        help: "Etsy alone decides who gets a key, often after weeks, and ordersync cannot help with that; \
               a key that Etsy has approved is at https://www.etsy.com/developers/your-apps",
        secret: false,
        required: true,
    },
    Field {
        key: "shared_secret",
        prompt: "Shared secret",
        help: "beside the keystring (See API Key Details)",
        secret: true,
        required: true,
    },
    Field {
        key: "refresh_token",
        prompt: "Refresh token",
        help: "of an earlier consent to this app, for scripts; without one Etsy's consent page is opened",
        secret: true,
        required: false,
    },
    Field {
        key: "redirect_uri",
        prompt: "Where Etsy sends the browser after the consent",
        help: "to the letter as among the app's callback URLs at Etsy (default http://localhost:19427/etsy); \
               its port is listened on for that moment; any https:// address works by paste",
        secret: false,
        required: false,
    },
    Field {
        key: "shop_id",
        prompt: "The shop's number",
        help: "found by itself; where it is given, the consent must be that shop's",
        secret: false,
        required: false,
    },
    Field {
        key: "page_size",
        prompt: "Orders per page",
        help: "2 to 100 (default 100)",
        secret: false,
        required: false,
    },
];

/// What Etsy makes of its keys.
pub(crate) const FORMS: Forms = &[("keystring", Form::Letters(24, 24)), ("shared_secret", Form::Letters(10, 10))];

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The app's keystring, which is also its `client_id`.
    pub(crate) keystring: String,
    /// Where Etsy sends the browser, as it is registered there.
    pub(crate) redirect_uri: String,
    /// The same, as addresses are compared.
    pub(crate) landing: Url,
    /// The shop that it must be.
    pub(crate) shop_id: Option<u64>,
    /// Orders per page.
    pub(crate) page_size: usize,
}

impl Settings {
    /// Checks the values of a store.
    pub(crate) fn read(values: &Values) -> Result<Self> {
        let given = Given(values);
        let redirect_uri = given.text("redirect_uri").unwrap_or(REDIRECT).to_owned();
        let shop_id = given.number("shop_id", 0, 0..=u64::MAX)?;
        Ok(Self {
            keystring: keystring(given.text("keystring").unwrap_or_default())?,
            landing: landing(&redirect_uri)?,
            redirect_uri,
            shop_id: Some(shop_id).filter(|id| *id > 0),
            page_size: given.number("page_size", 100, 2..=100)?,
        })
    }
}

/// The keystring. What is none is not repeated: the secret may hang on it.
fn keystring(text: &str) -> Result<String> {
    if !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(text.to_owned());
    }
    let why = if text.contains(':') { "holds more than the keystring" } else { "is not a keystring of Etsy's" };
    Err(usage(format!("keystring {why}; nothing was sent"))
        .hint("letters and digits alone; the shared secret, behind the colon, is a value of its own"))
}

/// An address that Etsy can send a browser to, and that a landing can be compared with.
fn landing(text: &str) -> Result<Url> {
    let refused = |why: &str| {
        Err(usage(format!("redirect_uri {why}; nothing was sent")).hint(
            "to the letter as it is registered at Etsy: http://localhost:PORT/PATH, or an https:// address of yours",
        ))
    };
    let Ok(url) = Url::parse(text) else { return refused("is no address") };
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return refused("holds more than scheme, host, port and path");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) && url.port().is_some_and(|port| port > 0) => Ok(url),
        "http" if is_loopback(&url) => refused("names no port of this machine"),
        _ => refused("is neither an https:// address nor one of this machine"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn read(key: &str, value: &str) -> Result<Settings> {
        let mut values = Values::from([("keystring".to_owned(), "a1b2c3d4e5f6a1b2c3d4e5f6".to_owned())]);
        values.insert(key.to_owned(), value.to_owned());
        Settings::read(&values)
    }

    #[test]
    fn settings_have_defaults_and_limits() {
        let settings = read("page_size", "").unwrap();
        assert_eq!((settings.page_size, settings.shop_id, &*settings.redirect_uri), (100, None, REDIRECT));
        assert_eq!(read("shop_id", "22220000").unwrap().shop_id, Some(22_220_000));
        for (key, bad) in [
            ("page_size", "1"),
            ("page_size", "101"),
            ("shop_id", "my-shop"),
            ("keystring", ""),
            ("keystring", "a1b2c3d4e5f6:s3cr3t"),
            ("redirect_uri", "localhost:19427/etsy"),
            ("redirect_uri", "http://shop.example.test/etsy"),
            ("redirect_uri", "http://localhost/etsy"),
            ("redirect_uri", "http://localhost:0/etsy"),
            ("redirect_uri", "https://a@shop.example.test/etsy"),
            ("redirect_uri", "https://shop.example.test/etsy?x=1"),
            ("redirect_uri", "https://shop.example.test/etsy#x"),
            ("redirect_uri", "ftp://shop.example.test/etsy"),
        ] {
            let error = read(key, bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{key} {bad}");
            assert!(!error.message().contains("s3cr3t"), "{error}");
        }
    }

    /// Etsy compares texts: `https://shop.example.test` and the same with a slash are two.
    #[test]
    fn the_redirect_address_is_kept_to_the_letter() {
        for text in ["https://Shop.example.test", "https://shop.example.test/", "http://127.0.0.1:3003/oauth/redirect"]
        {
            assert_eq!(read("redirect_uri", text).unwrap().redirect_uri, text);
        }
        assert!(read("redirect_uri", "http://[::1]:3003/").is_ok());
    }
}
