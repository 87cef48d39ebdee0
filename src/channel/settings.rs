//! What a merchant sets for a store, checked: values with defaults and bounds, and how its server
//! is reached.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use super::{ChannelKind, Values};
use crate::clock::{Clock, parse_age};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Client, Options, Purpose, RateLimit, RetryPolicy};
use crate::order::policies::policy;
use crate::order::{Policies, ShipWithin};

/// The values of a store as an adapter reads them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a>(pub(crate) &'a Values);

impl<'a> Given<'a> {
    /// A value, where there is one.
    pub(crate) fn text(self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// A number.
    ///
    /// # Errors
    /// `Usage` for one that is out of bounds, or none.
    pub(crate) fn number<N>(self, key: &str, default: N, range: RangeInclusive<N>) -> Result<N>
    where
        N: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.text(key) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        number.ok_or_else(|| usage(format!("{key} {text:?} is not a number from {least} to {most}")))
    }

    /// One of some words, and what it means; the first of them where nothing is set.
    ///
    /// # Errors
    /// `Usage` for another word.
    pub(crate) fn choice<T: Copy>(self, key: &str, words: &[(&str, T)]) -> Result<T> {
        let text = self.text(key).or(words.first().map(|(word, _)| *word)).unwrap_or_default();
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        let known = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| usage(format!("{key} {text:?} is none of {}", known())))
    }
}

/// A setting of a store that the core reads; adapters add their own as fields.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its key: `ordersync config set STORE.KEY VALUE`.
    pub(crate) key: &'static str,
    /// What it does, its unit and its default.
    pub(crate) help: &'static str,
    check: fn(&str) -> bool,
}

/// How many minutes may be between two autosyncs of a store, and how many are where nothing is set.
pub(crate) const INTERVAL: RangeInclusive<i64> = 5..=1440;
/// See [`INTERVAL`].
pub(crate) const USUAL_INTERVAL: i64 = 30;

/// How many minutes after it was placed a new order may be kept from being sent: not longer than an
/// order counts as late.
pub(crate) const SEND_AFTER: RangeInclusive<i64> = 1..=4320;

/// The core's settings, the same for every channel.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "interval",
        help: "minutes between two autosyncs of this store, 5 to 1440 (default 30)",
        check: |text| text.parse::<i64>().is_ok_and(|minutes| INTERVAL.contains(&minutes)),
    },
    Setting {
        key: "in_flight",
        help: "pages fetched at the same time in a first sync, 1 to 8 (default 4 where the channel sets no limit)",
        check: |text| text.parse::<usize>().is_ok_and(|pages| (1..=8).contains(&pages)),
    },
    Setting {
        key: "send_after",
        help: "minutes after it was placed before a new order is to be sent, 1 to 4320 (default none); dispatch sends it all the same",
        check: |text| text.parse::<i64>().is_ok_and(|minutes| SEND_AFTER.contains(&minutes)),
    },
    Setting {
        key: "unpaid_methods",
        help: "payment methods of orders that ship before they are paid, with commas between (cod, bacs, \"Cash on Delivery\")",
        check: |text| text.split(',').any(|method| !method.trim().is_empty()),
    },
    Setting {
        key: "ship_within",
        help: "days (3d) or working days (2wd) of the shop that an order may take for which the channel promises no moment, after the day on which it was placed (default 3d)",
        check: |text| ShipWithin::parse(text).is_some(),
    },
    Setting {
        key: "edits",
        help: "what becomes of lines, sums, notes, shipping service and ship-by that change after import: ignore, review or apply",
        check: |text| policy("edits", text).is_some(),
    },
    Setting {
        key: "address",
        help: "what becomes of another delivery address after import: ignore, review or apply",
        check: |text| policy("address", text).is_some(),
    },
    Setting {
        key: "cancels",
        help: "what becomes of an order that is cancelled at the channel: ignore, review or apply; apply leaves alone what you have begun",
        check: |text| policy("cancels", text).is_some(),
    },
    Setting {
        key: "archives",
        help: "what becomes of an order that is archived at the channel: ignore or review; it never changes anything here",
        check: |text| policy("archives", text).is_some(),
    },
    Setting {
        key: "shipments",
        help: "what becomes of an order that is shipped at the channel by other means: ignore, review or apply",
        check: |text| policy("shipments", text).is_some(),
    },
    Setting {
        key: "reconcile",
        help: "so many of the newest orders are compared with the channel's list once a day by the timer, 0 to 100000 (default 0: none)",
        check: |text| text.parse::<u64>().is_ok_and(|orders| orders <= 100_000),
    },
    Setting {
        key: "retain",
        help: "how long the personal data of closed orders are kept, in days (90d) or weeks (26w) after the last thing that happened to them (default none: for good)",
        check: |text| parse_age(text).is_some(),
    },
    Setting {
        key: "allow_http",
        help: "yes: talk to this store without encryption (default no; the own machine is always permitted)",
        check: |text| matches!(text, "yes" | "no"),
    },
    Setting {
        key: "ca_file",
        help: "a PEM file with the certificate authority of a shop that has one of its own",
        check: |text| Path::new(text).is_absolute(),
    },
    Setting {
        key: "endpoint",
        help: "scheme, host and port to use instead of the channel's own, for every request",
        check: |text| endpoint(text).is_ok(),
    },
];

/// What a store of `kind` with these values does with changes that come after import.
pub(crate) fn policies(kind: ChannelKind, values: &Values) -> Policies {
    kind.adapter().policies.with(|key| Given(values).text(key))
}

/// Checks a setting's key and value for a store of `kind`; the adapter checks its own values when
/// the store is opened.
pub(crate) fn check_setting(kind: ChannelKind, key: &str, value: &str) -> Result<()> {
    if let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) {
        if (setting.check)(value) {
            return Ok(());
        }
        // Without the value: an address may hold a password.
        let text = format!("the value given for {key} does not fit: {}; nothing was changed", setting.help);
        return Err(Error::new(ErrorKind::Usage, text));
    }
    let own: Vec<&str> = kind.adapter().fields.iter().filter(|field| !field.secret).map(|field| field.key).collect();
    if own.contains(&key) {
        return Ok(());
    }
    let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).chain(own).collect();
    Err(Error::new(ErrorKind::Usage, format!("{kind} stores have no setting {key:?}; one of: {}", known.join(", "))))
}

/// What stands in the place of a channel's own server: scheme, host and port. A login, a path or a
/// query would be kept in the book and shown.
pub(crate) fn endpoint(text: &str) -> Result<url::Url> {
    let refused = |why: &str| {
        let text = format!("the endpoint {why}; nothing was sent");
        Error::new(ErrorKind::Usage, text).hint("scheme, host and port alone: https://test.example.com:8443")
    };
    let url = url::Url::parse(text.trim()).map_err(|e| refused(&format!("is no address ({e})")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(refused("is not an http:// or https:// address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("holds a login, which would be kept where everybody can read it"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(refused("holds more than scheme, host and port"));
    }
    Ok(url)
}

/// The address of a shop that its merchant hosts, as people write it: without a scheme it is https,
/// and what is below the shop's own path is cut off. `is_inside` says whether a part of the path is.
pub(crate) fn shop_address(text: &str, is_inside: impl Fn(&str) -> bool) -> Result<url::Url> {
    // With a login in it, or what may be one, it is not repeated.
    let shown = if text.contains('@') { "what was given" } else { text };
    let refused = |why: &str| usage(format!("{shown:?} is not the address of a shop: {why}; nothing was sent"));
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = url::Url::parse(&with_scheme).map_err(|e| refused(&e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("it begins with neither https:// nor http://"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(refused("it has no host name"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(usage("the address of the shop holds a login; give it without one; nothing was sent"));
    }
    url.set_query(None);
    url.set_fragment(None);
    let parts: Vec<&str> =
        url.path().split('/').filter(|part| !part.is_empty()).take_while(|part| !is_inside(part)).collect();
    let path = if parts.is_empty() { "/".to_owned() } else { format!("/{}/", parts.join("/")) };
    url.set_path(&path);
    Ok(url)
}

/// Scheme, host and port of an endpoint that an older version has kept with more than that.
pub(crate) fn endpoint_alone(text: &str) -> String {
    url::Url::parse(text).map_or_else(|_| text.to_owned(), |url| url.origin().ascii_serialization())
}

/// A value that cannot be right.
pub(crate) fn usage(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, text.into())
}

/// The client of a store with these values: its endpoint, its certificate authority, and whether
/// plain HTTP is permitted.
///
/// # Errors
/// `Usage` for a value that cannot be right.
pub fn client(values: &Values, clock: Arc<dyn Clock>, retry: RetryPolicy, limit: RateLimit) -> Result<Client> {
    client_for(values, clock, retry, limit, Purpose::Act)
}

/// The same for requests that are for something else.
pub(crate) fn client_for(
    values: &Values,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    limit: RateLimit,
    purpose: Purpose,
) -> Result<Client> {
    let given = Given(values);
    Client::new(Options {
        clock,
        retry,
        limit,
        purpose,
        endpoint: given.text("endpoint").map(endpoint).transpose()?,
        ca_pem: given.text("ca_file").map(read_ca).transpose()?,
        allow_http: given.text("allow_http") == Some("yes"),
    })
}

fn read_ca(path: &str) -> Result<Vec<u8>> {
    // It is read at each start, so it must be there each time: a pipe gives what it has once, and a
    // device without end.
    crate::files::read_file(Path::new(path), 1024 * 1024)
        .map_err(|e| usage(format!("the certificate file {path} cannot be read: {e}; nothing was sent")))
}

/// What is known about a store: from its last probe, until a new one; shared by its threads.
#[derive(Debug)]
pub(crate) struct Known<T>(RwLock<T>);

impl<T: Clone> Known<T> {
    /// What is known at the opening of a store.
    pub(crate) fn new(known: T) -> Self {
        Self(RwLock::new(known))
    }

    /// What is known now.
    pub(crate) fn get(&self) -> T {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what was found out.
    pub(crate) fn set(&self, known: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_defaults_and_bounds() {
        let values = |text: &str| Values::from([("size".to_owned(), text.to_owned())]);
        let number = |text: &str| Given(&values(text)).number("size", 100u32, 1..=250).map_err(|e| e.to_string());
        assert_eq!(["", " 7 ", "250"].map(number), [Ok(100), Ok(7), Ok(250)]);
        for bad in ["0", "251", "-1", "many", "99999999999"] {
            assert_eq!(number(bad), Err(format!("size {bad:?} is not a number from 1 to 250")));
        }
        let choice = |text: &str| Given(&values(text)).choice("size", &[("auto", 1), ("never", 2)]);
        assert_eq!((choice("").unwrap(), choice("never").unwrap()), (1, 2));
        assert_eq!(choice("often").unwrap_err().message(), "size \"often\" is none of auto, never");
        assert_eq!(Given(&Values::new()).number("size", 100u32, 1..=250).unwrap(), 100);
    }

    #[test]
    fn x6_an_endpoint_is_scheme_host_and_port_and_its_refusal_repeats_nothing() {
        for good in ["http://127.0.0.1:8899", "https://test.example.com/", "http://[::1]:1"] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "https://ann:pa55word@shop.example.com",
            "https://pa55word@shop.example.com",
            "https://shop.example.com?key=pa55word",
            "https://shop.example.com/#pa55word",
            "https://shop.example.com/pa55word",
            "ftp://pa55word",
            "pa55word",
            "",
        ] {
            let error = endpoint(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{bad}");
            assert!(!error.message().contains("pa55word"), "{error}");
        }
        assert_eq!(endpoint_alone("https://ann:pa55word@shop.example.com:8443/x?y#z"), "https://shop.example.com:8443");
    }
}
