//! One REST request, after the route was found, the asker known and the parameters checked.

use serde_json::{Map, Value};

use super::access::Who;
use super::args::{boolean, error, integer};
use super::options::Options;
use super::render::Style;
use super::{Context, Order, State};
use crate::sim::http::Response;

/// Everything a handler needs.
pub(super) struct Call<'a> {
    pub(super) options: &'a Options,
    pub(super) state: &'a mut State,
    pub(super) method: &'a str,
    /// The query as it was sent, for `Link`.
    pub(super) query: &'a [(String, String)],
    pub(super) params: Map<String, Value>,
    /// The names in the route, in order.
    pub(super) path: Vec<String>,
    pub(super) who: Who,
    /// The REST root with a slash at the end.
    pub(super) root: &'a str,
    /// The site's address.
    pub(super) home: &'a str,
    /// Seconds since the epoch.
    pub(super) now: i64,
}

impl Call<'_> {
    /// The shop, to be changed.
    pub(super) fn context(&mut self) -> Context<'_> {
        Context { options: self.options, state: self.state, now: self.now, served: "" }
    }

    /// What an order is made of.
    pub(super) fn order(&self, id: u64) -> Option<std::borrow::Cow<'_, Order>> {
        self.state.order(self.options, id)
    }

    /// A number in the path; 0 when there is none, which is nobody's id.
    pub(super) fn id(&self, at: usize) -> u64 {
        self.path.get(at).and_then(|part| part.parse().ok()).unwrap_or(0)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.params.get(name).and_then(integer)
    }

    pub(super) fn truth(&self, name: &str) -> bool {
        self.params.get(name).and_then(boolean).unwrap_or(false)
    }

    pub(super) fn style(&self) -> Style<'_> {
        let wished = self.number("dp").and_then(|dp| u32::try_from(dp).ok()).filter(|dp| *dp <= 10);
        let dp = wished.unwrap_or(self.options.decimals);
        Style { options: self.options, dp, root: self.root, home: self.home }
    }

    /// Whether the order exists; auto-drafts and the trash included.
    pub(super) fn has_order(&self, id: u64) -> bool {
        self.state.orders.contains_key(&id)
    }
}

/// "Invalid ID." with the code that WooCommerce uses for orders.
pub(super) fn invalid_id(status: u16) -> Response {
    error(status, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
}

/// What WordPress says when a program in it ends in the middle of its work.
pub(super) fn critical() -> Response {
    let text = "<p>There has been a critical error on this website.</p>";
    error(500, "internal_server_error", text)
}
