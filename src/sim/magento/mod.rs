//! A simulated Magento Open Source shop (REST `V1`, admin side), as versions 2.4.6 to 2.4.9
//! answer.
//!
//! Written from the vendor's documents, its schemas and answers recorded from real shops; it shares
//! no types with the adapter. Where versions and set-ups answer in different ways, that is a choice
//! of [`Options`].

mod access;
mod admin;
mod async_events;
mod criteria;
mod errors;
mod lists;
mod options;
mod orders;
mod render;
mod routes;
mod shipments;
#[cfg(test)]
mod tests;
mod vendor;

use std::sync::Arc;

pub use options::{
    ACCESS_TOKEN, ACCESS_TOKEN_SECRET, AsyncEvents, CONSUMER_KEY, CONSUMER_SECRET, OTHER_ACCESS_TOKEN, Options, Version,
};
pub(crate) use vendor::{Magento, Own};

use super::http::{Request, Response};
use super::rest::Answer;
pub use super::world::Purchase as NewOrder;
pub(crate) use super::world::{Line, Shipment, Tracking};
use super::{Registered, stores, world};

/// A simulated Magento shop.
pub type Shop = world::Shop<Magento>;

/// What makes stores of this kind.
pub(super) const REGISTERED: Registered = Registered {
    rehearsal: |clock, latency| Arc::new(Shop::demo(Options::rehearsal(latency), clock)),
    another: |clock| Arc::new(Shop::new(Options::another(), clock)),
    variants: |clock| stores::<Magento>(Options::variants(), clock),
};

type State = world::State<Magento>;
type Entry = world::Entry<Magento>;
type Order = world::Order<Own>;
type Context<'a> = world::Context<'a, Magento>;
type Call<'a, 'w> = super::rest::Call<'a, 'w, Magento>;
