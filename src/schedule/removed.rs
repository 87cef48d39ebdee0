//! The note beside the book that the timer was taken away: what relies on it does so in vain from then
//! on, and `status` says so.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::clock::{Timestamp, from_millis};
use crate::home::Home;

#[derive(Serialize, Deserialize)]
struct Removed {
    /// When, in milliseconds since 1970.
    at: i64,
}

fn note(home: &Home) -> PathBuf {
    home.data().join("schedule-removed.json")
}

/// Notes it. Where that cannot be written, the timer is gone all the same.
pub(crate) fn keep(home: &Home, now: Timestamp) {
    if let Ok(bytes) = serde_json::to_vec(&Removed { at: now.timestamp_millis() }) {
        let _ = std::fs::write(note(home), bytes);
    }
}

/// Forgets it: there is a timer again.
pub(crate) fn forget(home: &Home) {
    let _ = std::fs::remove_file(note(home));
}

/// When the timer was taken away, as far as the note tells.
pub(crate) fn at(home: &Home) -> Option<Timestamp> {
    let removed: Removed = serde_json::from_slice(&std::fs::read(note(home)).ok()?).ok()?;
    Some(from_millis(removed.at))
}
