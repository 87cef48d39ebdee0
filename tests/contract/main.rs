//! The contract of every channel: the real program against each simulated store over real HTTP.
//! What a channel promises in its capabilities works; what it does not promise is refused before
//! anything is written. A new channel passes all of it.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

#[path = "../support/mod.rs"]
mod support;

mod alike;
mod at_once;
mod cancel;
mod capabilities;
mod changes;
mod connect;
mod credentials;
mod data;
mod decide;
mod desk;
mod dispatch;
mod edits;
mod faults;
mod files;
mod given_back;
mod guard;
mod import;
mod kills;
mod kills_at_random;
mod lists;
mod local;
mod lost;
mod meanwhile;
mod outages;
mod people;
mod privacy;
mod reconcile;
mod restless;
mod setups;
mod switches;
mod turned_down;
mod twins;
mod unreadable;
mod ways;
mod why;
