//! Simulated stores: small servers on the loopback address that answer as a channel's real API
//! does.
//!
//! A simulated store has state and rules, not canned answers: orders are placed, edited, cancelled
//! and trashed while somebody reads them. `ordersync demo` and `ordersync simulate` let a merchant
//! rehearse with one, and the tests run the real adapters against them. They are written from each
//! channel's published documents and recorded answers and share no types with the adapters, so that
//! one misreading cannot hide in both.
//!
//! - [`Server`] serves any [`Store`]; [`Faults`] makes things go wrong between it and its client;
//!   [`Exchange`]s tell what was asked.
//! - [`Simulated`] is what people around a store do to it, whatever its channel; [`rehearsal`]
//!   opens the one for a channel.
//! - [`bigcommerce::Shop`], [`ebay::Shop`], [`etsy::Shop`], [`magento::Shop`], [`shopify::Shop`] and
//!   [`woocommerce::Shop`] are the stores for those channels, each a [`world::Vendor`]. What vendors
//!   have in common (routes, lists, GraphQL, signatures, quotas) stands beside them.
//!
//! # Control over HTTP
//!
//! Other processes steer a served store below [`CONTROL`], a path that no shop has. No keys are
//! needed; bodies are JSON.
//!
//! | request | does |
//! |---|---|
//! | `GET stats` | counts orders, applied writes, dispatch e-mails |
//! | `GET ids`, `GET order/{id}` | lists the orders, shows one |
//! | `POST place-order` | `{"lines": [{"sku", "quantity"}], "paid": true, "note", "street", "payment": "at-delivery", "delivery": "pick-up"}`, all optional |
//! | `POST pay/{id}`, `cancel/{id}`, `put-away/{id}`, `touch/{id}` | does that |
//! | `POST unrenderable/{id}`, `renderable/{id}` | every answer that would hold the order is a server error, or is not any more |
//! | `POST ship/{id}` | `{"carrier": "DHL", "tracking": "JD01"}`: all of it is shipped by other means |
//! | `POST edit-address/{id}` | `{"street": "New street 1"}` |
//! | `POST erase-buyer/{id}` | the buyer's name, addresses and e-mail are erased on request |
//! | `POST annotate/{id}` | `{"note": "please ring twice"}`: the buyer's note is another |
//! | `POST refund/{id}` | `{"amount": "5.00"}` |
//! | `POST ship-pieces/{id}`, `refund-pieces/{id}` | `{"line": 0, "pieces": 1}`, the first also `carrier` and `tracking`: pieces of a line are sent or given back there |
//! | `POST return-pieces/{id}` | `{"line": 0, "pieces": 1}`: pieces that had been sent come back and are refunded |
//! | `POST retrack/{id}` | `{"old": "JD01", "new": "JD02"}`: a parcel gets another tracking number |
//! | `POST remove-line/{id}` | `{"line": 0}`: the merchant takes a line out |
//! | `POST hold/{id}`, `release/{id}`, `unpay/{id}`, `undo-shipments/{id}` | the merchant holds it back, or no more, the payment is gone again, what was sent is undone |
//! | `POST clock` | `{"minutes": -180}`: the store's clock is so far ahead of the real one, or behind |
//! | `POST fault` | arms a fault: `{"kind": "answer-lost", "method": "PUT", "path": "/orders/", "times": 1, "after": 0}` |
//! | `DELETE fault` | disarms all |
//!
//! Shopify has in addition `POST outsource/{id}` (`{"line": 0}`: another service sends that line),
//! `split/{id}`, `schedule/{id}`, and `price` (`{"times": 30}`: every query costs
//! so many times as much).
//!
//! BigCommerce has in addition `POST status/{id}` (`{"status_id": 9}`), `restore/{id}`, `down` and
//! `up` (maintenance).
//!
//! eBay has in addition `POST ship-by/{id}` (`{"days": 7}` after it was placed), `end-tokens`, `revoke`
//! and `fail-tokens` as Etsy has, `ask-to-cancel/{id}` (`{"reason": "ORDER_MISTAKE"}`: the buyer asks,
//! within an hour of the purchase) and `close-account/{id}` (its buyer is gone, and whoever subscribed
//! to that is told). It has no archive, holds nothing back, and refunds amounts without pieces.
//!
//! Etsy has in addition `POST ship-by/{id}` (`{"days": 7}` after it was placed), `end-tokens`,
//! `revoke` (the seller has changed the password: tokens and consents are void), `fail-tokens`
//! (`{"times": 2}`: so many requests for tokens fail) and `key` (`{"active": false}`: the app is not
//! approved, or banned). It has no archive, holds nothing back, ships whole orders only and refunds
//! amounts without pieces ([`Lack`]); a refund moves no date there.
//!
//! Magento has in addition `POST invoice/{id}` (it cannot be cancelled any more), `status/{id}`
//! (`{"status": "packed"}`: the merchant's own word for how it stands), `revoke` and `restore` (the
//! access token), `down` and `up` (maintenance). A SKU in `BUNDLE` is placed as a bundle whose parts
//! go together, one in `BUNDLE-APART` as one of parts that go apart, one in `DOWNLOAD` as a file.
//!
//! WooCommerce has in addition `POST trash/{id}`, `restore/{id}` and `status/{id}` (`{"status":
//! "on-hold"}`).
//!
//! Kinds of faults: `rate-limited` (`retry_after`), `server-error` (`status`), `says` (`status`,
//! `text`: an error in these words), `firewall`, `unauthorized`, `cut-before`, `answer-lost`,
//! `truncated`, `byte-order-mark`, `notice-before`, `notice-after`, `html-instead`,
//! `html-with-script` (`json`: labelled as JSON), `other-json`, `stale-cache`, `frozen` (with the
//! `path` of one order: a replica that lags), `empty` (a list and its count), `wrong-type`
//! (`order`), `absurd-amounts` (`amount`), `spliced` (`behind`, `bytes`), `endless`, `drips`
//! (`milliseconds`: a blank each time, without end), `slow` (`milliseconds`), `deaf` (`parameters`:
//! a server that drops them from the query), `page-cap` (`rows`), `page-refused` (`rows`), `one-page`
//! (`rows`: counted, too), `no-count`, `redirect` (`to`), `done-then` (`answer`: another of these that
//! answers, once the store has done what was asked for). `times` 0 means until disarmed.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8899/__ordersync-sim/place-order -d '{"lines":[{"sku":"TEE-001","quantity":2}]}'
//! ```

pub mod bigcommerce;
mod budget;
pub mod ebay;
pub mod etsy;
#[cfg(feature = "example")]
pub mod example;
mod faults;
mod forms;
mod grants;
mod graphql;
mod http;
pub mod magento;
mod oauth1;
mod options;
mod record;
mod rest;
mod server;
pub mod shopify;
mod simulated;
mod time;
mod tokens;
pub mod woocommerce;
pub mod world;
mod xml;

use std::sync::Arc;
use std::time::Duration;

use crate::channel::ChannelKind;
use crate::clock::Clock;

pub(crate) use faults::help as fault_kinds;
pub use faults::{Fault, FaultKind, WrongType};
pub use http::{Request, Response, Store};
pub use record::{Exchange, Recording};
pub use server::{Server, ServerOptions};
pub(crate) use simulated::Access;
pub use simulated::{Lack, Question, Simulated, Standing};
pub use world::{About, Purchase};

/// The path below which a served store is steered.
pub(crate) const CONTROL: &str = "/__ordersync-sim";

/// What a channel's simulation is for whoever does not know which it is: the one place where its
/// stores are made.
struct Registered {
    /// A store with some forty varied orders, each page of which takes so long.
    rehearsal: fn(Arc<dyn Clock>, Duration) -> Arc<dyn Simulated>,
    /// An empty store, another than that of the rehearsal.
    another: fn(Arc<dyn Clock>) -> Arc<dyn Simulated>,
    /// Empty stores of each sort.
    variants: fn(&Arc<dyn Clock>) -> Variants,
}

/// Stores, and what is special about each.
type Variants = Vec<(&'static str, Arc<dyn Simulated>)>;

fn registered(kind: ChannelKind) -> &'static Registered {
    match kind {
        ChannelKind::BigCommerce => &bigcommerce::REGISTERED,
        ChannelKind::Ebay => &ebay::REGISTERED,
        #[cfg(feature = "example")]
        ChannelKind::Example => &example::REGISTERED,
        ChannelKind::Etsy => &etsy::REGISTERED,
        ChannelKind::Magento => &magento::REGISTERED,
        ChannelKind::Shopify => &shopify::REGISTERED,
        ChannelKind::WooCommerce => &woocommerce::REGISTERED,
    }
}

fn stores<V: world::Vendor>(options: Vec<(&'static str, V::Options)>, clock: &Arc<dyn Clock>) -> Variants {
    let store = |options| Arc::new(world::Shop::<V>::new(options, clock.clone())) as Arc<dyn Simulated>;
    options.into_iter().map(|(what, options)| (what, store(options))).collect()
}

/// A simulated store of this kind with some forty varied orders of the last weeks and fixed keys
/// ([`Simulated::access`]); each page of orders takes it `latency`.
pub fn rehearsal(kind: ChannelKind, clock: Arc<dyn Clock>, latency: Duration) -> Arc<dyn Simulated> {
    (registered(kind).rehearsal)(clock, latency)
}

/// An empty store of this kind, another than that of [`rehearsal`].
pub fn another(kind: ChannelKind, clock: Arc<dyn Clock>) -> Arc<dyn Simulated> {
    (registered(kind).another)(clock)
}

/// Empty stores of this kind, of the versions and in the ways of serving that an adapter copes
/// with, and what is special about each.
pub fn variants(kind: ChannelKind, clock: &Arc<dyn Clock>) -> Variants {
    (registered(kind).variants)(clock)
}
