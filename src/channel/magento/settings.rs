//! What a merchant sets for a Magento store.

use url::Url;

use super::status::Statuses;
use crate::channel::settings::{Given, shop_address};
use crate::channel::{AuthMethod, Field, Form, Forms, Values, status_words};
use crate::error::Result;

/// What `connect` takes. All four secrets sign; the token alone is a Bearer ([`AUTH_METHODS`]).
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
        prompt: "Consumer key",
        help: "in the shop's admin: System > Extensions > Integrations > Add New Integration; after Activate it shows four values",
        secret: true,
        required: false,
    },
    Field {
        key: "consumer_secret",
        prompt: "Consumer secret",
        help: "beside the consumer key",
        secret: true,
        required: false,
    },
    Field {
        key: "access_token",
        prompt: "Access token",
        help: "beside the consumer key",
        secret: true,
        required: false,
    },
    Field {
        key: "access_token_secret",
        prompt: "Access token secret",
        help: "beside the consumer key",
        secret: true,
        required: false,
    },
    Field {
        key: "store_view",
        prompt: "Store views whose orders are imported",
        help: "their codes, with commas between (default: all of the installation)",
        secret: false,
        required: false,
    },
    Field {
        key: "source",
        prompt: "Inventory source that ships",
        help: "its code, where the shop has several (Stores > Inventory > Sources)",
        secret: false,
        required: false,
    },
    Field {
        key: "statuses",
        prompt: "Meaning of added statuses",
        help: "for status codes of your own: packed=awaiting-fulfillment,wait=on-hold",
        secret: false,
        required: false,
    },
    Field {
        key: "page_size",
        prompt: "Orders per page",
        help: "2 to 300 (default 100); slow shops want less",
        secret: false,
        required: false,
    },
    Field {
        key: "marker",
        prompt: "Mark shipments in their comments",
        help: "yes or no (default yes): a short key by which a shipment whose answer was lost is known again; only the staff sees it",
        secret: false,
        required: false,
    },
];

/// The two ways in.
pub(crate) const AUTH_METHODS: &[AuthMethod] = &[
    AuthMethod {
        title: "all four values of an integration",
        keys: &["consumer_key", "consumer_secret", "access_token", "access_token_secret"],
    },
    AuthMethod {
        title: "the access token alone, where the shop takes it (2.4.4 and later: not by default)",
        keys: &["access_token"],
    },
];

/// All four are letters and digits of one length, so none is told from another, but from an
/// address.
pub(crate) const FORMS: Forms = &[
    ("url", Form::Address),
    ("consumer_key", Form::Letters(32, 32)),
    ("consumer_secret", Form::Letters(32, 32)),
    ("access_token", Form::Letters(32, 32)),
    ("access_token_secret", Form::Letters(32, 32)),
];

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The shop's address, with a slash at its end.
    pub(crate) url: Url,
    /// The codes of the store views whose orders are imported; none: all.
    pub(crate) store_views: Vec<String>,
    /// The inventory source that ships.
    pub(crate) source: Option<String>,
    /// The meaning of added statuses.
    pub(crate) statuses: Statuses,
    /// Orders per page.
    pub(crate) page_size: usize,
    /// Whether shipments carry our key in a comment for the staff.
    pub(crate) marker: bool,
}

impl Settings {
    /// Checks the values of a store.
    pub(crate) fn read(values: &Values) -> Result<Self> {
        let given = Given(values);
        let views = given.text("store_view").unwrap_or_default().split(',').map(str::trim);
        Ok(Self {
            url: address(given.text("url").unwrap_or_default())?,
            store_views: views.filter(|code| !code.is_empty()).map(str::to_owned).collect(),
            source: given.text("source").map(str::to_owned),
            statuses: status_words::setting(given.text("statuses").unwrap_or_default())?,
            page_size: given.number("page_size", 100, 2..=300)?,
            marker: given.choice("marker", &[("yes", true), ("no", false)])?,
        })
    }
}

/// The address of the admin, of the API or of `index.php` means the shop too. Whether its last part
/// is a store view, the shop tells ([`super::probe`]).
fn address(text: &str) -> Result<Url> {
    let is_inside =
        |part: &str| matches!(part, "rest" | "index.php" | "graphql" | "soap" | "swagger") || part.starts_with("admin");
    shop_address(text, is_inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn an_address_is_taken_as_people_write_it() {
        for (written, meant) in [
            ("shop.example.test", "https://shop.example.test/"),
            ("https://shop.example.test/admin_1k9x2c/admin/dashboard/index/key/0a1b/", "https://shop.example.test/"),
            ("https://shop.example.test/index.php/admin/", "https://shop.example.test/"),
            ("https://shop.example.test/rest/default/V1/orders?searchCriteria=", "https://shop.example.test/"),
            ("http://127.0.0.1:8089/shop", "http://127.0.0.1:8089/shop/"),
            ("https://shop.example.test/sub/index.php/rest", "https://shop.example.test/sub/"),
            ("https://shop.example.test/de/", "https://shop.example.test/de/"),
        ] {
            assert_eq!(address(written).unwrap().as_str(), meant, "{written}");
        }
        for bad in ["", "ftp://shop.example.test", "https://", "https://a:b@shop.example.test", "https:// space"] {
            assert_eq!(address(bad).unwrap_err().kind(), ErrorKind::Usage, "{bad}");
        }
        assert!(!address("https://ann:pa55@shop.example.test").unwrap_err().message().contains("pa55"));
    }

    #[test]
    fn settings_have_bounds_and_lists_have_commas() {
        let with = |key: &str, value: &str| {
            Settings::read(&Values::from([
                ("url".into(), "shop.example.test".into()),
                (key.to_owned(), value.to_owned()),
            ]))
        };
        assert_eq!(with("store_view", "de, fr ,").unwrap().store_views, ["de", "fr"]);
        assert_eq!(with("page_size", "300").unwrap().page_size, 300);
        assert_eq!(
            with("statuses", "packed=awaiting-fulfillment").unwrap().statuses["packed"].word(),
            "awaiting-fulfillment"
        );
        for (key, value) in [("page_size", "1"), ("page_size", "301"), ("marker", "maybe"), ("statuses", "packed")] {
            assert_eq!(with(key, value).unwrap_err().kind(), ErrorKind::Usage, "{key}");
        }
    }
}
