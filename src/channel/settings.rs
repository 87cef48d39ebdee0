//! What a merchant sets for a store, checked: values with defaults and bounds, and how its server
//! is reached.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use super::Values;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Client, Options, RateLimit, RetryPolicy};

/// The values of a store as an adapter reads them.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a>(pub &'a Values);

impl<'a> Given<'a> {
    /// A value, where there is one.
    pub fn text(self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// A number.
    ///
    /// # Errors
    /// `Usage` for one that is out of bounds, or none.
    pub fn number<N>(self, key: &str, default: N, range: RangeInclusive<N>) -> Result<N>
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
    pub fn choice<T: Copy>(self, key: &str, words: &[(&str, T)]) -> Result<T> {
        let text = self.text(key).or(words.first().map(|(word, _)| *word)).unwrap_or_default();
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        let known = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| usage(format!("{key} {text:?} is none of {}", known())))
    }
}

/// A value that cannot be right.
pub fn usage(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, text.into())
}

/// The client of a store with these values: its endpoint, its certificate authority, and whether
/// plain HTTP is permitted.
///
/// # Errors
/// `Usage` for a value that cannot be right.
pub fn client(values: &Values, clock: Arc<dyn Clock>, retry: RetryPolicy, limit: RateLimit) -> Result<Client> {
    let given = Given(values);
    Client::new(Options {
        clock,
        retry,
        limit,
        endpoint: given.text("endpoint").map(crate::config::endpoint).transpose()?,
        ca_pem: given.text("ca_file").map(read_ca).transpose()?,
        allow_http: given.text("allow_http") == Some("yes"),
    })
}

fn read_ca(path: &str) -> Result<Vec<u8>> {
    // It is read at each start, so it must be there each time: a pipe gives what it has once, and a
    // device without end.
    crate::config::read_file(std::path::Path::new(path), 1024 * 1024)
        .map_err(|e| usage(format!("the certificate file {path} cannot be read: {e}; nothing was sent")))
}

/// What is known about a store: from its last probe, until a new one; shared by its threads.
#[derive(Debug)]
pub struct Known<T>(RwLock<T>);

impl<T: Clone> Known<T> {
    /// What is known at the opening of a store.
    pub fn new(known: T) -> Self {
        Self(RwLock::new(known))
    }

    /// What is known now.
    pub fn get(&self) -> T {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what was found out.
    pub fn set(&self, known: T) {
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
}
