//! ordersync: every order from every shop, in one SQLite file that the merchant owns.

pub mod clock;
pub mod error;
pub mod order;
pub mod secret;
pub mod sim;
