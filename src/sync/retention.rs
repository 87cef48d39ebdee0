//! How long a store keeps the personal data of its closed orders: once a day what has become
//! too old is cleared, a little with each sync, behind its imports.

use std::time::Duration;

use chrono::TimeDelta;

use super::Context;
use crate::book::{Book, How, Store};
use crate::error::Result;

/// How long a sync clears at most; the next one goes on.
const OF_A_SYNC: Duration = Duration::from_secs(2);

/// How long it takes until a store is looked through again.
const EVERY: TimeDelta = TimeDelta::days(1);

/// Clears what is too old in these stores, and goes on with what is under way.
pub(super) fn sweep(context: &Context, book: &mut Book, stores: &[Store]) -> Result<()> {
    let now = context.clock.now();
    for store in stores {
        let Some(before) = store.retain().and_then(|age| now.checked_sub_signed(age)) else { continue };
        let last = book.purge(store.id)?;
        // A clock that was ahead must not put it off for good.
        let is_fresh = |begun| now - begun < EVERY && begun <= now;
        if last.is_some_and(|last| {
            last.finished_at.is_none() || (last.before >= before - EVERY && is_fresh(last.begun_at))
        }) {
            continue;
        }
        book.begin_purge(store.id, before, How::Retention)?;
    }
    book.clear_for(context.clock.as_ref(), OF_A_SYNC).map(drop)
}
