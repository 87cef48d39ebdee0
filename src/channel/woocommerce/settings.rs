//! What a merchant sets for a WooCommerce store.

use url::Url;

use super::map::Statuses;
use crate::channel::settings::{Given, shop_address};
use crate::channel::{Field, Form, Forms, Values, status_words};
use crate::error::Result;

/// What `connect` takes.
pub(crate) const FIELDS: &[Field] = &[
    Field {
        key: "url",
        prompt: "Address of the shop",
        help: "as in the browser: https://shop.example, or https://example.com/shop",
        secret: false,
        required: true,
    },
    Field {
        key: "consumer_key",
        prompt: "Consumer key (ck_...)",
        help: "in the shop: WooCommerce > Settings > Advanced > REST API > Add key, permissions Read/Write",
        secret: true,
        required: true,
    },
    Field {
        key: "consumer_secret",
        prompt: "Consumer secret (cs_...)",
        help: "shown once, beside the consumer key",
        secret: true,
        required: true,
    },
    Field {
        key: "tracking",
        prompt: "Where tracking numbers go",
        help: "fulfillments, shipment-tracking, note or none (default: what the shop has, in this order)",
        secret: false,
        required: false,
    },
    Field {
        key: "statuses",
        prompt: "Meaning of added statuses",
        help: "for statuses that plugins add: packed=awaiting-fulfillment,sent=shipped",
        secret: false,
        required: false,
    },
    Field {
        key: "page_size",
        prompt: "Orders per page",
        help: "1 to 100 (default 100); slow shops want less",
        secret: false,
        required: false,
    },
];

/// What the plugin makes of a key and its secret.
pub(crate) const FORMS: Forms =
    &[("consumer_key", Form::Begins(&["ck_"])), ("consumer_secret", Form::Begins(&["cs_"]))];

/// Where tracking numbers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tracking {
    /// Core order fulfilments (WooCommerce 10.1 and later, behind a feature switch).
    Fulfillments,
    /// The Shipment Tracking extension, or one that answers on its routes.
    Extension,
    /// An order note.
    Note,
    /// Nowhere: only the status.
    None,
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The shop's address, with a slash at its end.
    pub(crate) url: Url,
    /// Where tracking numbers go; `None`: what the shop has.
    pub(crate) tracking: Option<Tracking>,
    /// The meaning of added statuses.
    pub(crate) statuses: Statuses,
    /// Orders per page.
    pub(crate) page_size: usize,
}

impl Settings {
    /// Checks the values of a store.
    pub(crate) fn read(values: &Values) -> Result<Self> {
        const HOMES: [(&str, Option<Tracking>); 5] = [
            ("auto", None),
            ("fulfillments", Some(Tracking::Fulfillments)),
            ("shipment-tracking", Some(Tracking::Extension)),
            ("note", Some(Tracking::Note)),
            ("none", Some(Tracking::None)),
        ];
        let given = Given(values);
        Ok(Self {
            url: address(given.text("url").unwrap_or_default())?,
            tracking: given.choice("tracking", &HOMES)?,
            statuses: status_words::setting(given.text("statuses").unwrap_or_default())?,
            page_size: given.number("page_size", 100, 1..=100)?,
        })
    }
}

/// The login page and the API's address mean the shop too.
fn address(text: &str) -> Result<Url> {
    shop_address(text, |part| matches!(part, "wp-json" | "wp-admin" | "wp-login.php" | "index.php"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn an_address_is_taken_as_people_write_it() {
        for (written, meant) in [
            ("shop.example.test", "https://shop.example.test/"),
            ("https://shop.example.test/wp-admin/index.php?page=wc", "https://shop.example.test/"),
            ("http://127.0.0.1:8089/shop", "http://127.0.0.1:8089/shop/"),
            ("https://shop.example.test/sub/wp-json/wc/v3", "https://shop.example.test/sub/"),
        ] {
            assert_eq!(address(written).unwrap().as_str(), meant, "{written}");
        }
        for bad in ["", "ftp://shop.example.test", "https://", "https://a:b@shop.example.test", "https:// space"] {
            assert_eq!(address(bad).unwrap_err().kind(), ErrorKind::Usage, "{bad}");
        }
        assert!(!address("https://ck_1:cs_2@shop.example.test").unwrap_err().message().contains("cs_2"));
    }
}
