//! What several test programs share.

pub mod program;
pub mod shopify;
pub mod spec;
pub mod woo;
