//! What `connect ebay` takes.

use crate::channel::settings::{Given, usage};
use crate::channel::{Field, Form, Forms, Values};
use crate::error::Result;
use crate::order::Currency;

/// The keyset, the marketplace, and what may be set.
pub(crate) const FIELDS: &[Field] = &[
    Field {
        key: "marketplace",
        prompt: "Your eBay marketplace",
        help: "where you are registered as a seller: EBAY_GB, EBAY_DE, EBAY_US ...; orders of your other marketplaces come as well",
        secret: false,
        required: true,
    },
    Field {
        key: "client_id",
        prompt: "App ID (client_id)",
        help: "of your production keyset: https://developer.ebay.com/my/keys",
        secret: true,
        required: true,
    },
    Field {
        key: "client_secret",
        prompt: "Cert ID (client_secret)",
        help: "beside the App ID, of the same keyset",
        secret: true,
        required: true,
    },
    Field {
        key: "ru_name",
        prompt: "RuName (for your consent)",
        help: "the name that eBay gave to your redirect URL: https://developer.ebay.com/my/auth > Get a Token from eBay via Your \
               Application; not the URL itself",
        secret: false,
        required: false,
    },
    Field {
        key: "refresh_token",
        prompt: "Refresh token",
        help: "of an earlier consent to this keyset, for scripts; without one eBay's consent page is opened",
        secret: true,
        required: false,
    },
    Field {
        key: "sandbox",
        prompt: "eBay's sandbox",
        help: "yes: eBay's test system, with a sandbox keyset (default no)",
        secret: false,
        required: false,
    },
    Field {
        key: "alert_email",
        prompt: "E-mail address for eBay's alerts",
        help: "where eBay writes when it cannot deliver to ordersync listen: it delivers to nobody without one",
        secret: false,
        required: false,
    },
    Field {
        key: "page_size",
        prompt: "Orders per page",
        help: "2 to 200 (default 200)",
        secret: false,
        required: false,
    },
];

/// What eBay makes of its keys.
pub(crate) const FORMS: Forms =
    &[("client_secret", Form::Begins(&["PRD-", "SBX-"])), ("refresh_token", Form::Begins(&["v^1.1#"]))];

/// The most orders that a page may have: more are refused.
const MOST: usize = 200;

/// A marketplace, as far as it is known here.
struct Marketplace {
    id: &'static str,
    currency: &'static str,
    site: &'static str,
    /// Its sellers must sign what moves money: those of the European Union and the United Kingdom.
    signs: bool,
}

const fn market(id: &'static str, currency: &'static str, site: &'static str, signs: bool) -> Marketplace {
    Marketplace { id, currency, site, signs }
}

const MARKETPLACES: &[Marketplace] = &[
    market("EBAY_AT", "EUR", "www.ebay.at", true),
    market("EBAY_AU", "AUD", "www.ebay.com.au", false),
    market("EBAY_BE", "EUR", "www.ebay.be", true),
    market("EBAY_CA", "CAD", "www.ebay.ca", false),
    market("EBAY_CH", "CHF", "www.ebay.ch", false),
    market("EBAY_DE", "EUR", "www.ebay.de", true),
    market("EBAY_ES", "EUR", "www.ebay.es", true),
    market("EBAY_FR", "EUR", "www.ebay.fr", true),
    market("EBAY_GB", "GBP", "www.ebay.co.uk", true),
    market("EBAY_HK", "HKD", "www.ebay.com.hk", false),
    market("EBAY_IE", "EUR", "www.ebay.ie", true),
    market("EBAY_IT", "EUR", "www.ebay.it", true),
    market("EBAY_MY", "MYR", "www.ebay.com.my", false),
    market("EBAY_NL", "EUR", "www.ebay.nl", true),
    market("EBAY_PH", "PHP", "www.ebay.ph", false),
    market("EBAY_PL", "PLN", "www.ebay.pl", true),
    market("EBAY_SG", "SGD", "www.ebay.com.sg", false),
    market("EBAY_US", "USD", "www.ebay.com", false),
];

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The seller's own marketplace.
    pub(crate) marketplace: String,
    /// The name of the redirect URL, where one was given.
    pub(crate) ru_name: Option<String>,
    /// It is eBay's test system.
    pub(crate) sandbox: bool,
    /// Where eBay writes when deliveries fail, where that is set.
    pub(crate) alert_email: Option<String>,
    /// Orders per page.
    pub(crate) page_size: usize,
}

impl Settings {
    /// Checks the values of a store.
    pub(crate) fn read(values: &Values) -> Result<Self> {
        let given = Given(values);
        Ok(Self {
            marketplace: marketplace(given.text("marketplace").unwrap_or_default())?,
            ru_name: given.text("ru_name").map(ru_name).transpose()?,
            sandbox: given.choice("sandbox", &[("no", false), ("yes", true)])?,
            alert_email: given.text("alert_email").map(email).transpose()?,
            page_size: given.number("page_size", MOST, 2..=MOST)?,
        })
    }

    fn known(&self) -> Option<&'static Marketplace> {
        MARKETPLACES.iter().find(|known| known.id == self.marketplace)
    }

    /// The marketplace's currency, where that is known.
    pub(crate) fn currency(&self) -> Option<Currency> {
        self.known().and_then(|known| Currency::new(known.currency))
    }

    /// The marketplace's host for people.
    pub(crate) fn site(&self) -> &'static str {
        self.known().map_or("www.ebay.com", |known| known.site)
    }

    /// Whether what moves money must be signed.
    pub(crate) fn signs(&self) -> bool {
        self.known().is_some_and(|known| known.signs)
    }
}

/// A marketplace's id as eBay writes it.
fn marketplace(text: &str) -> Result<String> {
    let id = text.to_ascii_uppercase().replace('-', "_");
    let is_one = id.strip_prefix("EBAY_").is_some_and(|rest| {
        (2..=20).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    });
    if is_one {
        return Ok(id);
    }
    let known: Vec<&str> = MARKETPLACES.iter().map(|known| known.id).collect();
    let text: String = text.chars().take(40).collect();
    Err(usage(format!("marketplace {text:?} is none of eBay's; nothing was sent"))
        .hint(format!("one of {}", known.join(", "))))
}

/// An address for mails, as far as that can be seen.
fn email(text: &str) -> Result<String> {
    let is_one = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let is_plain = text.len() <= 254 && text.bytes().all(|byte| byte.is_ascii_graphic());
    let odd = || usage("alert_email is no e-mail address; nothing was sent").hint("as in alerts@example.com");
    (is_one && is_plain).then(|| text.to_owned()).ok_or_else(odd)
}

/// A RuName. What people take for it is the address that it stands for.
fn ru_name(text: &str) -> Result<String> {
    let is_name = text.len() <= 200 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_name {
        return Ok(text.to_owned());
    }
    let why = if text.contains("://") { "is an address" } else { "holds signs that no RuName has" };
    Err(usage(format!("ru_name {why}; nothing was sent"))
        .hint("the name itself is wanted, as in Your_Name-YourApp-PRD-abc123-de45: https://developer.ebay.com/my/auth"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings> {
        let usual = [("marketplace", "EBAY_GB")].into_iter().chain(pairs.iter().copied());
        Settings::read(&usual.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn settings_have_defaults_and_limits() {
        let settings = read(&[]).unwrap();
        assert_eq!((settings.page_size, settings.sandbox, settings.signs()), (200, false, true));
        assert_eq!(settings.currency().unwrap().code(), "GBP");
        let settings = read(&[("marketplace", "ebay-us"), ("sandbox", "yes"), ("page_size", "50")]).unwrap();
        assert_eq!((settings.marketplace.as_str(), settings.sandbox, settings.signs()), ("EBAY_US", true, false));
        assert!(read(&[("marketplace", "EBAY_MOTORS_US")]).unwrap().currency().is_none());
        for (key, bad) in [
            ("marketplace", ""),
            ("marketplace", "GB"),
            ("marketplace", "EBAY_"),
            ("marketplace", "http://127.0.0.1:1"),
            ("ru_name", "https://shop.example.test/ebay"),
            ("ru_name", "My Name"),
            ("sandbox", "perhaps"),
            ("alert_email", "nobody"),
            ("alert_email", "a b@example.test"),
            ("page_size", "1"),
            ("page_size", "201"),
        ] {
            assert_eq!(read(&[(key, bad)]).unwrap_err().kind(), ErrorKind::Usage, "{key} {bad}");
        }
    }
}
