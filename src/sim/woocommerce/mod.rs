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
mod refunds;
mod render;
mod routes;
mod site;
#[cfg(test)]
mod tests;
mod trackings;
mod vendor;

pub use options::{
    HttpsSeen, Key, Options, Permalinks, Permission, Profile, REHEARSAL_KEY, REHEARSAL_SECRET, Rights, Tracking,
};
pub use vendor::{Own, WooCommerce};

use super::http::{Request, Response};
use super::rest::Answer;
use super::world;
pub use super::world::{Address, Fee, Line, Purchase as NewOrder, Refund};

/// A simulated WooCommerce shop.
pub type Shop = world::Shop<WooCommerce>;

type State = world::State<WooCommerce>;
type Entry = world::Entry<WooCommerce>;
type Order = world::Order<Own>;
type Context<'a> = world::Context<'a, WooCommerce>;
/// What is known about the asker: `None` without valid credentials.
type Who = Option<Key>;
type Call<'a, 'w> = super::rest::Call<'a, 'w, WooCommerce, Who>;
