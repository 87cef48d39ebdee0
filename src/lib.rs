//! ordersync: every order from every shop, in one SQLite file that the merchant owns.

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
pub mod secret;
pub mod sim;
pub mod sync;
