//! A simulated eBay: the consent page, the token endpoint and the APIs of one seller (Fulfillment,
//! Post-Order, Identity, Analytics, Key Management, Notification).
//!
//! Written from the vendor's OpenAPI documents, its pages and answers that people have recorded; it
//! shares no types with the adapter. What those leave open (in which order is a list, how does a
//! cancellation look, is an order's refund net) is a choice of [`Options`], so that both answers can
//! be met.
//!
//! eBay has three hosts (`api`, `apiz`, `auth`) and the same again for its sandbox; here their paths
//! are served below one address, and [`Options::sandbox`] says which of the two it is. What eBay does
//! not have is not done here either: the acts return false and say so by [`Lack`](crate::sim::Lack).

mod access;
mod admin;
mod consent;
mod fulfillments;
mod lists;
mod notifications;
mod options;
mod post_order;
mod render;
mod routes;
mod signatures;
#[cfg(test)]
mod tests;
mod vendor;

use std::sync::Arc;

pub use notifications::delivery;
pub use options::{
    Detail, Links, Options, REHEARSAL_CLIENT_ID, REHEARSAL_CLIENT_SECRET, REHEARSAL_LANDING, REHEARSAL_REFRESH,
    REHEARSAL_RUNAME, Repeats, SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET, Sorted,
};
pub(crate) use vendor::{Ebay, Own};

use super::http::{Request, Response};
pub use super::world::Purchase as NewOrder;
use super::{Registered, stores, world};

/// A simulated eBay with one seller.
pub type Shop = world::Shop<Ebay>;

/// What makes shops of this kind.
pub(super) const REGISTERED: Registered = Registered {
    rehearsal: |clock, latency| Arc::new(Shop::demo(Options { page_latency: latency, ..Options::rehearsal() }, clock)),
    another: |clock| Arc::new(Shop::new(Options::another(), clock)),
    variants: |clock| stores::<Ebay>(Options::variants(), clock),
};

type State = world::State<Ebay>;
type Entry = world::Entry<Ebay>;
type Order = world::Order<Own>;
type Context<'a> = world::Context<'a, Ebay>;
type Call<'a, 'w> = super::rest::Call<'a, 'w, Ebay, Caller>;

/// Who asks: the user of the token; nobody has the application's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// Whether it is the application itself.
    is_app: bool,
    /// Whether it is the seller.
    is_seller: bool,
}
