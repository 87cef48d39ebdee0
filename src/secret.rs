//! A string that never shows itself: not in `{:?}`, not in errors, not in JSON.

use std::collections::BTreeMap;
use std::fmt;

/// A consumer secret, token or password. [`Secret::reveal`] is the only way to read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The secret values of a store, by the names of their fields.
pub type Secrets = BTreeMap<String, Secret>;

impl Secret {
    /// Wraps `value`.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for a request header or a signature and for nothing else.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}
