//! Simulated stores: small servers on the loopback address that answer as a channel's real API does.
//!
//! A simulated store has state and rules, not canned answers: orders are placed, edited, cancelled and
//! trashed while somebody reads them. `ordersync demo` and `ordersync simulate` let a merchant rehearse
//! with one, and the tests run the real adapters against them. They are written from each channel's
//! published documents and recorded answers and share no types with the adapters, so that one misreading
//! cannot hide in both.
//!
//! - [`Server`] serves any [`Store`]; [`Faults`] makes things go wrong between it and its client;
//!   [`Exchange`]s tell what was asked.
//! - [`woocommerce::Shop`] is the store for WooCommerce.
//!
//! # Control over HTTP
//!
//! Other processes steer a served store below [`CONTROL`], a path that no shop has. No keys are needed;
//! bodies are JSON.
//!
//! | request | does |
//! |---|---|
//! | `GET stats` | counts orders, applied writes, dispatch e-mails |
//! | `GET order/{id}` | shows an order |
//! | `POST place-order` | `{"status", "lines": [{"sku", "quantity"}], "note", "shipping": {...}}`, all optional |
//! | `POST pay/{id}`, `cancel/{id}`, `trash/{id}`, `restore/{id}` | does that |
//! | `POST status/{id}` | `{"status": "on-hold"}` |
//! | `POST edit-address/{id}` | `{"address_1": "New street 1"}`, any field of the delivery address |
//! | `POST refund/{id}` | `{"amount": "5.00"}` |
//! | `POST fault` | arms a fault: `{"kind": "answer-lost", "method": "PUT", "path": "/orders/", "times": 1, "after": 0}` |
//! | `DELETE fault` | disarms all |
//!
//! Kinds of faults: `rate-limited` (`retry_after`), `server-error` (`status`), `firewall`, `unauthorized`,
//! `cut-before`, `answer-lost`, `truncated`, `byte-order-mark`, `notice-before`, `notice-after`,
//! `html-instead`, `stale-cache`, `wrong-type` (`order`), `endless`, `slow` (`milliseconds`), `redirect`
//! (`to`). `times` 0 means until disarmed.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8899/__ordersync-sim/place-order -d '{"lines":[{"sku":"TEE-001","quantity":2}]}'
//! ```

mod faults;
mod http;
mod record;
mod server;
pub mod woocommerce;
pub mod words;

pub use faults::{Fault, FaultKind, Faults, WrongType};
pub use http::{Request, Response, Store};
pub use record::{Exchange, Recording};
pub use server::{Server, ServerOptions};

/// The path below which a served store is steered.
pub const CONTROL: &str = "/__ordersync-sim";
