//! What a merchant sets for a BigCommerce store.

use url::Url;

use crate::channel::settings::{Given, usage};
use crate::channel::{Field, Form, Forms, Values};
use crate::error::Result;

/// What `connect` takes.
pub(crate) const FIELDS: &[Field] = &[
    Field {
        key: "store_hash",
        prompt: "Store hash, or the whole API path",
        help: "in the control panel: Settings > Store-level API accounts > Create API account; the API path holds it: /stores/HASH/",
        secret: false,
        required: true,
    },
    Field {
        key: "access_token",
        prompt: "Access token",
        help: "shown once, when the API account is made; scopes: Orders modify, Information & Settings read-only",
        secret: true,
        required: true,
    },
    Field {
        key: "client_secret",
        prompt: "Client secret (for webhooks)",
        help: "shown beside the access token; not needed for polling",
        secret: true,
        required: false,
    },
    Field {
        key: "page_size",
        prompt: "Orders per page",
        help: "2 to 250 (default 250)",
        secret: false,
        required: false,
    },
    Field {
        key: "reserve",
        prompt: "Requests of each window that are left to other apps",
        help: "0 to 1000 (default 4); all apps of the store share one quota, 150 requests in 30 seconds on most plans",
        secret: false,
        required: false,
    },
    Field {
        key: "marker",
        prompt: "Mark shipments in their comments",
        help: "yes or no (default yes): a short key by which a shipment whose answer was lost is known again; buyers may see it",
        secret: false,
        required: false,
    },
];

/// A hash is short, a token and a secret are long: a token in the place of the hash would stand in
/// the address of every request.
pub(crate) const FORMS: Forms = &[
    ("store_hash", Form::Letters(2, 20)),
    ("access_token", Form::Letters(25, 200)),
    ("client_secret", Form::Letters(25, 200)),
];

/// The vendor's address.
const API: &str = "https://api.bigcommerce.com";

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The store's permanent id, a part of every path.
    pub(crate) store_hash: String,
    /// Orders per page.
    pub(crate) page_size: usize,
    /// Requests of each window that are not used.
    pub(crate) reserve: u32,
    /// Whether shipments carry our key in their comments.
    pub(crate) marker: bool,
}

impl Settings {
    /// Checks the values of a store.
    pub(crate) fn read(values: &Values) -> Result<Self> {
        let given = Given(values);
        Ok(Self {
            store_hash: store_hash(given.text("store_hash").unwrap_or_default())?,
            page_size: given.number("page_size", 250, 2..=250)?,
            reserve: given.number("reserve", 4, 0..=1000)?,
            marker: given.choice("marker", &[("yes", true), ("no", false)])?,
        })
    }
}

/// The vendor's server.
pub(crate) fn origin() -> Result<Url> {
    Url::parse(API).map_err(|e| usage(format!("{API}: {e}; nothing was sent")))
}

/// The hash alone, or cut out of the API path that the control panel shows
/// (`https://api.bigcommerce.com/stores/abc123/v3/`) or of the store's own address there
/// (`store-abc123.mybigcommerce.com`).
fn store_hash(text: &str) -> Result<String> {
    let after = |marker: &str| text.split_once(marker).map(|(_, rest)| rest);
    let rest = after("/stores/").or_else(|| after("://store-")).unwrap_or(text).trim_start_matches("stores/");
    let hash = rest.split(['/', '.', '?', '#']).next().unwrap_or_default();
    let fits = (2..=40).contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_alphanumeric());
    if fits && !(text.contains("://") && rest == text) {
        return Ok(hash.to_owned());
    }
    Err(usage(format!("{text:?} holds no store hash; nothing was sent"))
        .hint("give the API path of the API account: https://api.bigcommerce.com/stores/abc123/v3/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn the_hash_is_cut_out_of_whatever_the_control_panel_shows() {
        for written in [
            "abc123",
            "stores/abc123",
            "https://api.bigcommerce.com/stores/abc123/v3/",
            "https://api.bigcommerce.com/stores/abc123",
            "https://store-abc123.mybigcommerce.com/manage/dashboard",
        ] {
            assert_eq!(store_hash(written).unwrap(), "abc123", "{written}");
        }
        for bad in ["", "a", "https://shop.example.test/", "abc 123", "../x"] {
            assert_eq!(store_hash(bad).unwrap_err().kind(), ErrorKind::Usage, "{bad}");
        }
    }

    #[test]
    fn settings_have_bounds() {
        let with = |key: &str, value: &str| {
            Settings::read(&Values::from([("store_hash".into(), "abc123".into()), (key.to_owned(), value.to_owned())]))
        };
        assert_eq!(with("page_size", "250").unwrap().page_size, 250);
        assert!(!with("marker", "no").unwrap().marker);
        for (key, value) in [("page_size", "1"), ("page_size", "251"), ("reserve", "-1"), ("marker", "maybe")] {
            assert_eq!(with(key, value).unwrap_err().kind(), ErrorKind::Usage, "{key}");
        }
    }
}
