//! What `connect example` takes.

use url::Url;

use crate::channel::settings::{Given, usage};
use crate::channel::{Field, Form, Forms, Values};
use crate::error::Result;

/// Address, token, and what may be set.
pub(crate) const FIELDS: &[Field] = &[
    Field {
        key: "url",
        prompt: "Address of the shop's program",
        help: "its start page tells it",
        secret: false,
        required: true,
    },
    Field { key: "token", prompt: "Token", help: "its start page tells it", secret: true, required: true },
    Field {
        key: "page_size",
        prompt: "Orders per page",
        help: "2 to 100 (default 100)",
        secret: false,
        required: false,
    },
    Field {
        key: "old",
        prompt: "Whether the shop's program is an old one",
        help: "yes for one that ships whole orders only and cancels none",
        secret: false,
        required: false,
    },
];

/// A token is known by its beginning.
pub(crate) const FORMS: Forms = &[("token", Form::Begins(&["ex_"]))];

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The shop's address, with a slash at its end.
    pub(crate) url: Url,
    /// Orders per page.
    pub(crate) page_size: usize,
    /// The shop's program is an old one.
    pub(crate) old: bool,
}

impl Settings {
    /// Checks the values of a store.
    pub(crate) fn read(values: &Values) -> Result<Self> {
        let given = Given(values);
        Ok(Self {
            url: address(given.text("url").unwrap_or_default())?,
            page_size: given.number("page_size", 100, 2..=100)?,
            old: given.choice("old", &[("no", false), ("yes", true)])?,
        })
    }
}

/// The address; one with a login in it is not repeated.
fn address(text: &str) -> Result<Url> {
    let url = Url::parse(&format!("{}/", text.trim_end_matches('/'))).ok();
    let is_plain =
        |url: &Url| matches!(url.scheme(), "http" | "https") && !url.authority().contains('@') && url.query().is_none();
    url.filter(is_plain).ok_or_else(|| usage("url is not the address of a shop's program; nothing was sent"))
}
