//! WooCommerce, REST API `wc/v3`.

use super::{Channel, Connection, Field};
use crate::error::{Error, ErrorKind, Result};

/// What `connect woocommerce` takes.
pub const FIELDS: &[Field] = &[
    Field {
        key: "url",
        prompt: "Address of the shop",
        help: "as in the browser, e.g. https://shop.example",
        secret: false,
        required: true,
    },
    Field {
        key: "consumer_key",
        prompt: "Consumer key (ck_...)",
        help: "WooCommerce > Settings > Advanced > REST API",
        secret: true,
        required: true,
    },
    Field {
        key: "consumer_secret",
        prompt: "Consumer secret (cs_...)",
        help: "shown once, beside the consumer key",
        secret: true,
        required: true,
    },
];

/// The approximate guide time of a first sync.
pub const GUIDE_TIME: &str = "30 minutes";

/// Opens a WooCommerce store.
pub fn open(_connection: Connection) -> Result<Box<dyn Channel>> {
    Err(Error::new(ErrorKind::Unsupported, "not yet"))
}
