//! The one place that turns a kind of channel into an open store; past it nobody asks which kind it
//! is.

use std::sync::Arc;

use chrono::TimeDelta;

use super::settings::Given;
use super::webhooks::Webhooks;
use super::{Channel, ChannelKind, Field, Values};
use crate::credentials::Credentials;
use crate::error::Result;
use crate::http;
use crate::order::{Order, Policies};

/// What an adapter needs to talk to its store.
pub struct Connection {
    /// The non-secret values: address, settings.
    pub values: Values,
    /// The secret values, and where renewed ones are kept.
    pub credentials: Arc<Credentials>,
    /// What [`Channel::probe`] returned as facts the last time; null before the first probe.
    pub facts: serde_json::Value,
    /// The client of this store.
    pub http: Arc<http::Client>,
    /// Where what is learned meanwhile is kept for the next process.
    pub learn: Learn,
}

/// Keeps something that an adapter has learned about its store under a name of its own among the
/// facts of the last probe, until the next one.
pub(crate) type Learn = Box<dyn Fn(&str, &serde_json::Value) + Send + Sync>;

/// What a channel is before a store of it is open.
pub struct Adapter {
    /// The name people read.
    pub(crate) title: &'static str,
    /// What `connect` asks for, in order; the optional ones that are not secret are also the
    /// store's settings.
    pub fields: &'static [Field],
    /// By what the values of its fields are known.
    pub(crate) forms: Forms,
    /// The fields that say yes or no and have a flag without a value.
    pub(crate) switches: &'static [&'static str],
    /// The ways in, where a channel has several; one of them must be complete. Empty where the
    /// required fields say it all.
    pub(crate) auth_methods: &'static [AuthMethod],
    /// The settings whose values the shop itself has: before one is changed, the connection is
    /// tested with the new value.
    pub(crate) of_shop: &'static [&'static str],
    /// How long a first sync usually takes.
    pub guide_time: GuideTime,
    /// Whether an order's source ([`Order::source`]) says that it was sold there: at the checkout or by
    /// the shop's staff. Any other may be what a connector made of another store's order.
    pub(crate) sold_here: fn(&str) -> bool,
    /// Whether its API ships an order that is on hold there, or not paid, in these words of its
    /// ([`Order::channel_status`]): where it does not, nobody can insist.
    pub(crate) ships: fn(&str) -> bool,
    /// Whether a sync renews the consent, where it ends by its age; else the merchant has to give another
    /// one in time.
    pub(crate) renews_consent: bool,
    /// What a store does with changes that come after import, where the merchant has set nothing
    /// else: [`Policies::USUAL`] unless the vendor's users expect another.
    pub(crate) policies: Policies,
    /// How the channel tells of changes by itself, where it does.
    pub(crate) webhooks: Option<Webhooks>,
    /// Why it does not, as the end of a sentence; empty where that needs no words.
    pub(crate) no_webhooks: &'static str,
    /// The format of a store's documents. `Usage` for a value that cannot be right.
    pub(crate) format: fn(&Values) -> Result<Box<dyn Format>>,
    /// The vendor's or the shop's own server, which is sent a store's credentials where there is no
    /// endpoint. `Usage` for a value that cannot be right.
    pub(crate) origin: fn(&Values) -> Result<url::Url>,
    /// Opens a store. No network: a wrong key shows at the first request. `Usage` for a value that
    /// cannot be right, `Credentials` for a missing secret.
    pub(crate) open: fn(Connection) -> Result<Box<dyn Channel>>,
}

/// How long a first sync of a channel usually takes; approximate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuideTime(Option<u16>);

impl GuideTime {
    /// A channel that has none of its own.
    pub(crate) const UNKNOWN: Self = Self(None);

    /// So many minutes.
    pub(crate) const fn minutes(minutes: u16) -> Self {
        Self(Some(minutes))
    }

    /// The time, where the channel has one of its own.
    pub(crate) fn usual(self) -> Option<TimeDelta> {
        self.0.map(|minutes| TimeDelta::minutes(minutes.into()))
    }
}

impl std::fmt::Display for GuideTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => f.write_str("half an hour to 2.5 hours"),
            Some(1) => f.write_str("1 minute"),
            Some(60) => f.write_str("1 hour"),
            Some(minutes) if minutes % 60 == 0 => write!(f, "{} hours", minutes / 60),
            Some(minutes) if minutes > 60 && minutes % 30 == 0 => write!(f, "{}.5 hours", minutes / 60),
            Some(minutes) => write!(f, "{minutes} minutes"),
        }
    }
}

/// Opens a store.
///
/// # Errors
/// Those of [`Adapter::open`].
pub fn open(kind: ChannelKind, connection: Connection) -> Result<Box<dyn Channel>> {
    let credentials = connection.credentials.clone();
    connection.http.hide(move || credentials.hidden());
    (kind.adapter().open)(connection)
}

/// How a channel's documents read: no network, no secrets.
pub trait Format: Send + Sync {
    /// The order in a document that the book has: the same document gives the same order as when
    /// it was fetched.
    ///
    /// # Errors
    /// `Unreadable` where it is none.
    fn order(&self, document: &[u8]) -> Result<Order>;
}

/// The format of a store's documents.
///
/// # Errors
/// `Usage` for a value that cannot be right.
pub fn format(kind: ChannelKind, values: &Values) -> Result<Box<dyn Format>> {
    (kind.adapter().format)(values)
}

/// Scheme, host and port of the server that is sent a store's credentials.
///
/// # Errors
/// `Usage` for a value that cannot be right.
pub(crate) fn origin(kind: ChannelKind, values: &Values) -> Result<String> {
    let own = (kind.adapter().origin)(values)?;
    let endpoint = Given(values).text("endpoint").map(crate::channel::settings::endpoint).transpose()?;
    Ok(endpoint.unwrap_or(own).origin().ascii_serialization())
}

/// A set of optional fields that together open a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuthMethod {
    /// What the wizard calls it.
    pub(crate) title: &'static str,
    /// The keys of its fields.
    pub(crate) keys: &'static [&'static str],
}

/// What a value of a field looks like at this vendor: tells what was pasted into the wrong field,
/// before anything of it is sent.
///
/// A value with another form is not refused: vendors change theirs. Only one that has the form of
/// *another* field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// It begins with the vendor's own prefix; no other field of any channel does.
    Begins(&'static [&'static str]),
    /// It is made of so many letters and digits, fewest and most; tells the fields of one channel
    /// apart that have such a form.
    Letters(usize, usize),
    /// It is the address of a shop; tells the fields of one channel apart, as well.
    Address,
}

impl Form {
    fn fits(self, value: &str) -> bool {
        match self {
            Self::Begins(prefixes) => prefixes.iter().any(|prefix| value.starts_with(prefix)),
            Self::Letters(fewest, most) => {
                (fewest..=most).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric())
            }
            Self::Address => value.contains("://") || value.contains('.') || value.starts_with("localhost"),
        }
    }
}

/// The forms of fields, by their keys; a field without one can hold anything.
pub(crate) type Forms = &'static [(&'static str, Form)];

/// Which other field the value has the form of, given as `key`: the channel and the field's key.
pub(crate) fn misplaced(kind: ChannelKind, key: &str, value: &str) -> Option<(ChannelKind, &'static str)> {
    let own = kind.adapter().forms.iter().find(|(own, _)| *own == key).map(|(_, form)| *form);
    if own.is_some_and(|form| form.fits(value)) {
        return None;
    }
    let counts = |of: ChannelKind, form: Form| match form {
        Form::Begins(_) => true,
        Form::Letters(..) | Form::Address => of == kind && own.is_some(),
    };
    let found = |of: ChannelKind| {
        let other = of.adapter().forms.iter().find(|(_, form)| counts(of, *form) && form.fits(value));
        other.map(|(other, _)| (of, *other))
    };
    found(kind).or_else(|| ChannelKind::ALL.into_iter().find_map(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_the_form_of_another_field_is_misplaced_and_one_with_no_form_is_not() {
        use ChannelKind::{BigCommerce, Magento, Shopify, WooCommerce};
        let token = "a1b2c3d4".repeat(4);
        for (kind, key, value, meant) in [
            (WooCommerce, "consumer_key", "cs_1", Some((WooCommerce, "consumer_secret"))),
            (WooCommerce, "consumer_secret", "ck_1", Some((WooCommerce, "consumer_key"))),
            (WooCommerce, "url", "ck_1", Some((WooCommerce, "consumer_key"))),
            (WooCommerce, "consumer_key", "shpat_1", Some((Shopify, "access_token"))),
            (WooCommerce, "consumer_key", "ck_1", None),
            (WooCommerce, "consumer_key", "of-a-plugin", None),
            (Shopify, "access_token", "shpss_1", Some((Shopify, "client_secret"))),
            (Shopify, "api_secret", "shpat_1", Some((Shopify, "access_token"))),
            (Shopify, "client_id", "shpss_1", Some((Shopify, "client_secret"))),
            (Shopify, "api_secret", "shpss_1", None),
            (Shopify, "shop", "tea-and-cups", None),
            (BigCommerce, "store_hash", token.as_str(), Some((BigCommerce, "access_token"))),
            (BigCommerce, "access_token", "abc123", Some((BigCommerce, "store_hash"))),
            (BigCommerce, "access_token", "shpat_1", Some((Shopify, "access_token"))),
            (BigCommerce, "access_token", token.as_str(), None),
            (BigCommerce, "client_secret", token.as_str(), None),
            (BigCommerce, "store_hash", "https://api.bigcommerce.com/stores/abc123/v3/", None),
            (BigCommerce, "page_size", "250", None),
            (Magento, "url", token.as_str(), Some((Magento, "consumer_key"))),
            (Magento, "access_token", "https://shop.example", Some((Magento, "url"))),
            (Magento, "access_token", token.as_str(), None),
            (Magento, "url", "shop.example", None),
            (WooCommerce, "url", "https://shop.example", None),
        ] {
            assert_eq!(misplaced(kind, key, value), meant, "{kind} {key}");
        }
    }

    #[test]
    fn every_form_is_that_of_a_field() {
        for kind in ChannelKind::ALL {
            for (key, _) in kind.adapter().forms {
                assert!(kind.adapter().fields.iter().any(|field| field.key == *key), "{kind} has no field {key}");
            }
        }
    }
}
