//! The engine.

pub mod lock;
pub mod policy;
