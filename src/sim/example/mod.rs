//! A simulated shop of the made-up channel `example`: the least that a store here is made of.
//!
//! A shop's own program keeps a list of orders and serves it as JSON, sorted by time of change or
//! by id and within bounds; whoever has the token may read it, ship, name another tracking number
//! and cancel. Everything of an order stands in its document.

mod hooks;
mod render;
mod routes;
mod vendor;

use std::sync::Arc;
use std::time::Duration;

use super::options::options;
use super::{Registered, stores, world};
pub use hooks::letter;
pub(crate) use vendor::Example;

/// The token that every simulated shop takes: made up, opens nothing real.
const TOKEN: &str = "ex_0123456789abcdef0123456789abcdef";

options! {
    /// A shop.
    Options {
        /// Its id.
        id: String = "corner".to_owned(),
        /// How long a page of orders takes.
        page_latency: Duration = Duration::ZERO,
    }
}

/// A simulated shop.
type Shop = world::Shop<Example>;

/// What makes shops of this kind.
pub(super) const REGISTERED: Registered = Registered {
    rehearsal: |clock, page_latency| {
        let options = Options { page_latency, ..Options::default() };
        Arc::new(Shop::with_stories(options, clock, 40, Vec::new()))
    },
    another: |clock| Arc::new(Shop::new(another(), clock)),
    variants: |clock| stores::<Example>(vec![("as it is", another())], clock),
};

fn another() -> Options {
    Options { id: "other".to_owned(), ..Options::default() }
}

type Entry = world::Entry<Example>;
type Order = world::Order<()>;
type Context<'a> = world::Context<'a, Example>;
type Call<'a, 'w> = super::rest::Call<'a, 'w, Example>;
