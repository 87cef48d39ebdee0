//! What a merchant sets for a Shopify store.

use url::Url;

use crate::channel::settings::{Given, usage};
use crate::channel::{AuthMethod, Field, Form, Forms, Values};
use crate::error::Result;
use crate::order::Status;

/// What `connect` takes. The secrets are two pairs of which one is needed ([`AUTH_METHODS`]).
pub(crate) const FIELDS: &[Field] = &[
    Field {
        key: "shop",
        prompt: "The shop's own address at Shopify, NAME.myshopify.com",
        help: "NAME.myshopify.com, as under Settings > Domains; not the shop's own domain",
        secret: false,
        required: true,
    },
    Field {
        key: "client_id",
        prompt: "Client id",
        help: "in the Dev Dashboard: your app > Settings",
        secret: true,
        required: false,
    },
    Field {
        key: "client_secret",
        prompt: "Client secret",
        help: "beside the client id",
        secret: true,
        required: false,
    },
    Field {
        key: "access_token",
        prompt: "Access token (shpat_...)",
        help: "of an app made in the shop's own admin before 2026: Settings > Apps > Develop apps > API credentials; shown once",
        secret: true,
        required: false,
    },
    Field {
        key: "api_secret",
        prompt: "API secret key",
        help: "beside the access token",
        secret: true,
        required: false,
    },
    Field {
        key: "authorized",
        prompt: "Status of orders whose payment is authorised only",
        help: "awaiting-fulfillment (default) or awaiting-payment",
        secret: false,
        required: false,
    },
    Field {
        key: "bulk",
        prompt: "Bulk operations in a first sync",
        help: "auto (default: where pages would take more than about 10 minutes), always or never",
        secret: false,
        required: false,
    },
    Field {
        key: "page_size",
        prompt: "Orders per page",
        help: "at most, 1 to 250 (default 250); fewer are asked for where Shopify's price for them is too high",
        secret: false,
        required: false,
    },
];

/// The two kinds of credentials.
pub(crate) const AUTH_METHODS: &[AuthMethod] = &[
    AuthMethod { title: "an app of the Dev Dashboard", keys: &["client_id", "client_secret"] },
    AuthMethod { title: "an app made in the shop's admin before 2026", keys: &["access_token", "api_secret"] },
];

/// What Shopify makes of tokens and secrets. A client id and older secrets are plain letters and
/// digits.
pub(crate) const FORMS: Forms = &[
    ("client_secret", Form::Begins(&["shpss_"])),
    ("access_token", Form::Begins(&["shpat_", "shpca_", "shppa_"])),
    ("api_secret", Form::Begins(&["shpss_"])),
];

/// When a first sync goes by bulk operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bulk {
    /// Where pages would take long.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `NAME.myshopify.com`.
    pub(crate) shop: String,
    /// What an order amounts to whose payment is authorised, not captured.
    pub(crate) authorized: Status,
    /// When a first sync goes by bulk operations.
    pub(crate) bulk: Bulk,
    /// Orders per page, at most.
    pub(crate) page_size: u32,
}

impl Settings {
    /// Checks the values of a store.
    pub(crate) fn read(values: &Values) -> Result<Self> {
        let given = Given(values);
        let authorized = [Status::AwaitingFulfillment, Status::AwaitingPayment].map(|status| (status.word(), status));
        Ok(Self {
            shop: shop(given.text("shop").unwrap_or_default())?,
            authorized: given.choice("authorized", &authorized)?,
            bulk: given.choice("bulk", &[("auto", Bulk::Auto), ("always", Bulk::Always), ("never", Bulk::Never)])?,
            page_size: given.number("page_size", 250, 1..=250)?,
        })
    }

    /// The shop's own server at Shopify.
    pub(crate) fn origin(&self) -> Result<Url> {
        let shop = &self.shop;
        Url::parse(&format!("https://{shop}")).map_err(|e| usage(format!("{shop}: {e}; nothing was sent")))
    }
}

/// The shop's address as people write it. A domain of the shop's own would redirect, and a token is
/// not sent after a redirect.
fn shop(text: &str) -> Result<String> {
    let lower = text.trim().to_lowercase();
    let bare = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let name = match host {
        "admin.shopify.com" => path.strip_prefix("store/").and_then(|rest| rest.split(['/', '?']).next()),
        host => host.strip_suffix(".myshopify.com").or((!host.contains('.')).then_some(host)),
    };
    let is_name = |name: &&str| {
        !name.is_empty() && !name.starts_with('-') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.filter(is_name).map(|name| format!("{name}.myshopify.com")).ok_or_else(|| {
        usage(format!("{text:?} is not a shop's own address at Shopify; nothing was sent")).hint(
            "it ends in .myshopify.com (Settings > Domains in the shop's admin); https://admin.shopify.com/store/NAME works too, the shop's own domain does not",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_shop_is_named_in_several_ways_and_never_by_its_own_domain() {
        for written in [
            "tea-and-cups.myshopify.com",
            "https://Tea-and-Cups.myshopify.com/admin/orders",
            "https://admin.shopify.com/store/tea-and-cups/settings/domains",
            "admin.shopify.com/store/tea-and-cups",
            " tea-and-cups ",
        ] {
            assert_eq!(shop(written).unwrap(), "tea-and-cups.myshopify.com", "{written}");
        }
        for bad in [
            "",
            "www.tea.example",
            "https://tea.example",
            "a b",
            "-x",
            "admin.shopify.com",
            "x.myshopify.com.evil.test",
        ] {
            let error = shop(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{bad}");
            assert!(error.hint_text().unwrap().contains(".myshopify.com"));
        }
    }

    #[test]
    fn settings_have_defaults_and_limits() {
        let mut values = Values::from([("shop".to_owned(), "x".to_owned())]);
        let settings = Settings::read(&values).unwrap();
        assert_eq!(
            (settings.bulk, settings.authorized, settings.page_size),
            (Bulk::Auto, Status::AwaitingFulfillment, 250)
        );
        for (key, bad) in [("bulk", "often"), ("authorized", "shipped"), ("page_size", "0")] {
            values.insert(key.to_owned(), bad.to_owned());
            assert_eq!(Settings::read(&values).unwrap_err().kind(), ErrorKind::Usage, "{key}");
            values.remove(key);
        }
    }
}
