//! What `connect example` takes.

use url::Url;

use crate::channel::{Field, Form, Forms, Values};
use crate::error::{Error, ErrorKind, Result};

/// Address and token.
pub(crate) const FIELDS: &[Field] = &[
    Field {
        key: "address",
        prompt: "Address of the folder with the orders",
        help: "the shop's own program tells it",
        secret: false,
        required: true,
    },
    Field {
        key: "old",
        prompt: "Whether the shop's program is an old one",
        help: "yes for one that ships whole orders only and cancels none",
        secret: false,
        required: false,
    },
    Field { key: "token", prompt: "Token", help: "the shop's own program tells it", secret: true, required: true },
];

/// A token is known by its beginning.
pub(crate) const FORMS: Forms = &[("token", Form::Begins(&["ex_"]))];

/// The settings, checked.
pub(crate) struct Settings {
    /// The folder, with a slash at its end.
    pub(crate) url: Url,
    /// The shop's program is an old one.
    pub(crate) old: bool,
}

impl Settings {
    /// Checks the values of a store.
    pub(crate) fn read(values: &Values) -> Result<Self> {
        let text = values.get("address").map(String::as_str).unwrap_or_default();
        let url = Url::parse(&format!("{}/", text.trim().trim_end_matches('/')))
            .map_err(|why| Error::new(ErrorKind::Usage, format!("{text:?} is no address ({why}); nothing was sent")))?;
        Ok(Self { url, old: values.get("old").is_some_and(|old| old == "yes") })
    }
}
