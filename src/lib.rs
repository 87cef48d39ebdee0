//! ordersync: every order from every shop, in one SQLite file that the merchant owns.
//!
//! # The way of an order
//!
//! A sync ([`sync`]) runs each connected store on a thread of its own. Fetching threads ask the store's adapter ([`channel`]) for
//! page after page; the store's own thread takes them into the book ([`book`]), each page together with the position behind it in
//! one transaction. A run that is killed leaves whole pages and the right position, and the next run goes on from there.
//!
//! What the channel says is kept as its own document. The *merchant's copy* beside it is what `orders` and `show` print
//! and what the merchant works on; a newer version at the channel never changes the copy of a paid order behind the merchant's back
//! ([`sync::policy`]). It is kept as *drift*, and everything that compares the two compares documents, never local edits.
//!
//! # The way of a dispatch
//!
//! `dispatch` reads the order at the channel, holds it against the version that the merchant last saw
//! ([`sync::guard`]), records shipment and outbox row in one durable transaction, and pushes the row
//! ([`sync::export`]). A row states a goal ("this shipment is known there"). Every attempt asks what is
//! still outstanding ([`sync::outstanding`]): the adapter says which records the dispatch would be there
//! and what the channel shows, one rule matches the two ([`channel::matching`]), and the adapter turns
//! what is left into writes. An attempt whose answer was lost is therefore looked for, not repeated, and
//! the row is confirmed when nothing is outstanding any more.
//!
//! # Who owns what
//!
//! | folder | owns |
//! |---|---|
//! | [`order`] | the domain types: no I/O |
//! | [`channel`] | the seam ([`channel::Channel`]) and one folder per channel: its URLs, authentication, wire types, mapping, and the reading of its errors |
//! | [`http`] | the client that adapters call: waiting, repeating, pacing, TLS, redaction |
//! | [`book`] | the SQLite file: all SQL of the program, migrations, the views for the merchant's own tools |
//! | [`sync`] | the engine: import, export, policy, locks between processes, advice |
//! | [`cli`] | the command line: one file per command; all printing |
//! | `sim` | simulated stores with state and faults, for tests, `demo` and `simulate`; they never use an adapter's wire types |
//! | [`schedule`] | the half-hourly timer: systemd, cron, launchd |
//!
//! Errors are one type with a kind ([`error`]); the kind alone decides the exit code. Time comes from [`clock`], so that tests own it.
//! Secrets are [`secret::Secret`]s and live in files of their own ([`credentials`]).

pub mod book;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crash;
pub mod credentials;
pub mod error;
pub mod http;
pub mod order;
pub mod schedule;
pub mod secret;
#[cfg(feature = "simulator")]
pub mod sim;
pub mod sync;
