//! How long a store keeps the personal data of its closed orders: once a day what has become
//! too old is cleared, a little with each sync, behind its imports.
//!
//! Nobody is asked, and nothing brings it back, so it is done only for a store that was read in full
//! just now, and by the earlier of two clocks: a machine whose clock is years ahead must not clear
//! what is young.

use std::time::Duration;

use chrono::TimeDelta;

use super::Context;
use super::report::StoreReport;
use crate::book::{Book, How, Store};
use crate::clock::Timestamp;
use crate::error::{ErrorKind, Result};

/// How long a sync clears at most; the next one goes on.
const OF_A_SYNC: Duration = Duration::from_secs(2);

/// How long it takes until a store is looked through again.
const EVERY: TimeDelta = TimeDelta::days(1);

/// Clears what is too old in these stores, and goes on with what is under way. What it does not
/// come to, the next sync does; what keeps it from that is told, and `status` tells it as well.
pub(super) fn sweep(context: &Context, book: &mut Book, stores: &[Store], reports: &mut [StoreReport]) {
    let told = book.begin_forgetting_told();
    let begun = told.and_then(|_| begin(context, book, stores, reports));
    let cleared = book.clear_for(context.clock.as_ref(), OF_A_SYNC).map(drop);
    let failure = match begun.and_then(|untold| cleared.map(|()| untold)) {
        Err(error) if error.kind() == ErrorKind::Interrupted => return,
        Err(error) => Some(error.message().to_owned()),
        Ok(untold) => untold,
    };
    let noted = book.note_clearing(failure.as_deref()).err().map(|error| error.message().to_owned());
    if let (Some(why), Some(report)) = (failure.or(noted), reports.first_mut()) {
        report.warnings.push(format!("personal data were not cleared as they should be: {why}"));
    }
}

/// Begins the clearings that are due; tells why that of a store cannot be.
fn begin(context: &Context, book: &mut Book, stores: &[Store], reports: &[StoreReport]) -> Result<Option<String>> {
    let ours = context.clock.now();
    let mut untold = None;
    for (store, report) in stores.iter().zip(reports) {
        let Some(age) = store.retain().filter(|_| report.read && report.error.is_none()) else { continue };
        let Some(now) = earlier(ours, report.clock_apart) else {
            untold = Some(format!(
                "{}: its answers do not tell the time, and by this machine's clock alone nothing is cleared; ordersync purge does it",
                store.name
            ));
            continue;
        };
        let Some(before) = now.checked_sub_signed(age) else { continue };
        if is_due(book, store, before, ours)? {
            book.begin_purge(store.id, before, How::Retention)?;
        }
    }
    Ok(untold)
}

/// The earlier of the two clocks; nothing where the channel has not told its own.
fn earlier(ours: Timestamp, apart: Option<TimeDelta>) -> Option<Timestamp> {
    ours.checked_add_signed(apart?.min(TimeDelta::zero()))
}

fn is_due(book: &Book, store: &Store, before: Timestamp, now: Timestamp) -> Result<bool> {
    let Some(last) = book.purge(store.id)? else { return Ok(true) };
    // A clock that was ahead must not put it off for good.
    let is_fresh = now - last.begun_at < EVERY && last.begun_at <= now;
    let is_as_late = last.before >= before - EVERY;
    Ok(last.finished_at.is_some() && !(is_as_late && is_fresh))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn x3_what_is_kept_no_longer_is_told_by_the_earlier_of_two_clocks() {
        let ours = from_millis(1_795_100_000_000);
        let years = TimeDelta::days(730);
        assert_eq!(earlier(ours, Some(-years)), Some(ours - years), "ours is two years ahead");
        assert_eq!(earlier(ours, Some(years)), Some(ours), "theirs is");
        assert_eq!(earlier(ours, None), None);
    }
}
