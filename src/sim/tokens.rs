//! Access tokens that a store has given out.

use std::collections::BTreeMap;

/// Tokens, and when they end.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// `None`: never.
    known: BTreeMap<String, Option<i64>>,
    /// How many were fetched.
    pub(crate) fetched: u64,
}

impl Tokens {
    /// One that was made by hand and has no end.
    pub(crate) fn with(token: &str) -> Self {
        Self { known: BTreeMap::from([(token.to_owned(), None)]), fetched: 0 }
    }

    /// Gives one out.
    pub(crate) fn fetch(&mut self, token: String, ends: i64) {
        self.known.insert(token, Some(ends));
        self.fetched += 1;
    }

    /// Whether a token is worth anything.
    pub(crate) fn are(&self, token: Option<&str>, now: i64) -> bool {
        token.and_then(|token| self.known.get(token)).is_some_and(|ends| ends.is_none_or(|ends| now < ends))
    }

    /// Every fetched token ends now.
    pub(crate) fn end(&mut self, now: i64) {
        self.known.values_mut().flatten().for_each(|ends| *ends = now);
    }
}
