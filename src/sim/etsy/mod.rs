//! A simulated Etsy: the consent page, the token endpoint and Open API v3 of one shop.
//!
//! Written from the vendor's OpenAPI document, its pages and answers that people have recorded; it
//! shares no types with the adapter. What those leave open (do bounds exclude, what does a list
//! without `was_canceled` have, does a refresh token work once it was renewed) is a choice of
//! [`Options`], so that both answers can be met.
//!
//! Etsy has three hosts (`www`, `api`, `openapi`); here their paths are served below one address.
//! What Etsy does not have is not done here either: the acts return false and say so by
//! [`Lack`](crate::sim::Lack).

mod access;
mod admin;
mod consent;
mod lists;
mod options;
mod render;
mod routes;
#[cfg(test)]
mod tests;
mod vendor;
mod writes;

use std::sync::Arc;

pub use options::{Key, Options, REHEARSAL_KEYSTRING, REHEARSAL_REDIRECT, REHEARSAL_REFRESH, REHEARSAL_SECRET};
pub(crate) use vendor::{Etsy, Own};

use super::http::{Request, Response};
pub use super::world::Purchase as NewOrder;
use super::{Registered, stores, world};

/// A simulated Etsy with one shop.
pub type Shop = world::Shop<Etsy>;

/// What makes shops of this kind.
pub(super) const REGISTERED: Registered = Registered {
    rehearsal: |clock, latency| Arc::new(Shop::demo(Options { page_latency: latency, ..Options::rehearsal() }, clock)),
    another: |clock| Arc::new(Shop::new(Options::another(), clock)),
    variants: |clock| stores::<Etsy>(Options::variants(), clock),
};

type State = world::State<Etsy>;
type Entry = world::Entry<Etsy>;
type Order = world::Order<Own>;
type Context<'a> = world::Context<'a, Etsy>;
type Call<'a, 'w> = super::rest::Call<'a, 'w, Etsy>;
