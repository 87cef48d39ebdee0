//! What several test programs share.

#[macro_use]
mod rig;

pub mod big;
pub mod browser;
pub mod ebay;
pub mod etsy;
pub mod mag;
pub mod openapi;
pub mod page;
pub mod program;
pub mod shopify;
pub mod spec;
pub mod tls;
pub mod woo;
