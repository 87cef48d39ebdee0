//! A simulated BigCommerce store: Orders V2, refunds of V3, store information.
//!
//! Written from the vendor's OpenAPI documents and their examples; it shares no types with the
//! adapter. What those documents leave open (do bounds exclude, is `include` served, does a
//! shipment move the status) is a choice of [`Options`], so that both answers can be met.

mod access;
mod admin;
mod lists;
mod options;
mod parts;
mod render;
mod response;
mod routes;
#[cfg(test)]
mod tests;
mod vendor;
mod webhooks;
mod writes;

use std::sync::Arc;

pub use options::{Options, REHEARSAL_TOKEN, Scope};
pub(crate) use vendor::{BigCommerce, Own};

use super::http::{Request, Response};
pub use super::world::{Fee, Purchase as NewOrder};
pub(crate) use super::world::{Line, Refund, Shipment, Way};
use super::{Registered, stores, world};

/// A simulated BigCommerce store.
pub type Shop = world::Shop<BigCommerce>;

/// What makes stores of this kind.
pub(super) const REGISTERED: Registered = Registered {
    rehearsal: |clock, latency| Arc::new(Shop::demo(Options { page_latency: latency, ..Options::rehearsal() }, clock)),
    another: |clock| Arc::new(Shop::new(Options::another(), clock)),
    variants: |clock| stores::<BigCommerce>(Options::variants(), clock),
};

type State = world::State<BigCommerce>;
type Entry = world::Entry<BigCommerce>;
type Order = world::Order<Own>;
type Context<'a> = world::Context<'a, BigCommerce>;
type Call<'a, 'w> = super::rest::Call<'a, 'w, BigCommerce>;
