//! A simulated WooCommerce shop (REST API wc/v3), as shops of versions 10.5.0, 10.0.2 and 5.6
//! answer.
//!
//! Written from the vendor's documentation, its source and answers recorded from real shops; it
//! shares no types with the adapter.

mod access;
mod admin;
mod errors;
mod fulfillments;
mod lists;
mod notes;
mod options;
mod orders;
mod products;
mod refunds;
mod render;
mod routes;
mod site;
#[cfg(test)]
mod tests;
mod trackings;
mod vendor;
mod webhooks;

use std::sync::Arc;

pub use options::{
    HttpsSeen, Key, Options, Permalinks, Permission, Profile, REHEARSAL_KEY, REHEARSAL_SECRET, Rights, Tracking,
};
pub(crate) use vendor::{Own, WooCommerce};

use super::http::{Request, Response};
use super::rest::Answer;
pub use super::world::{Address, Purchase as NewOrder};
pub(crate) use super::world::{Fee, Line, Refund};
use super::{Registered, stores, world};

/// A simulated WooCommerce shop.
pub type Shop = world::Shop<WooCommerce>;

/// What makes stores of this kind.
pub(super) const REGISTERED: Registered = Registered {
    rehearsal: |clock, latency| Arc::new(Shop::demo_with(Options { page_latency: latency, ..Options::demo() }, clock)),
    another: |clock| Arc::new(Shop::new(Options::demo(), clock)),
    variants: |clock| stores::<WooCommerce>(Options::variants(), clock),
};

type State = world::State<WooCommerce>;
type Entry = world::Entry<WooCommerce>;
type Order = world::Order<Own>;
type Context<'a> = world::Context<'a, WooCommerce>;
/// What is known about the asker: `None` without valid credentials.
type Who = Option<Key>;
type Call<'a, 'w> = super::rest::Call<'a, 'w, WooCommerce, Who>;
