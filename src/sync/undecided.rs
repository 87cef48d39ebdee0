//! What came while the merchant was at work on an order is decided again once that has ended, and
//! what is kept beside the copies of a store once it is set to do something else with changes.
//!
//! The acts note the orders ([`Book::undecided`]); each command that opens the book looks at a few of
//! them first, a sync at all. In a book with nothing to decide that is one question.

use std::collections::BTreeMap;

use super::versions;
use crate::book::{Book, Known, Store, Undecided, Update};
use crate::channel::{self, Format};
use crate::clock::Clock;
use crate::crash;
use crate::error::Result;

/// How many orders a command looks at before it does what it was given for.
const AT_ONCE: u32 = 100;

/// A store, and how its documents are read.
type Reader = (Store, Box<dyn Format>);

/// Decides about the first few orders behind this one of which something is to be decided again.
pub(crate) fn some(book: &mut Book, after: i64) -> Result<()> {
    if book.is_any_undecided()? { next(book, &readers(book)?, after).map(drop) } else { Ok(()) }
}

/// Decides about all of them.
///
/// # Errors
/// `Interrupted`: the rest is noted still, and the next command goes on.
pub(crate) fn all(book: &mut Book, clock: &dyn Clock) -> Result<()> {
    if !book.is_any_undecided()? {
        return Ok(());
    }
    let readers = readers(book)?;
    let mut after = Some(0);
    while let Some(last) = after {
        clock.check_interrupt()?;
        after = next(book, &readers, last)?;
    }
    Ok(())
}

/// Also of stores that are not connected any more: their orders are in the book.
fn readers(book: &Book) -> Result<BTreeMap<i64, Reader>> {
    let stores = book.stores_of_old()?.into_iter();
    let reader = |store: Store| Some((store.id, (channel::format(store.kind, &store.values).ok()?, store)));
    Ok(stores.filter_map(reader).map(|(id, (format, store))| (id, (store, format))).collect())
}

/// Decides about a few orders behind this one; gives the last of them. Where the book cannot be
/// written, they are due still.
fn next(book: &mut Book, readers: &BTreeMap<i64, Reader>, after: i64) -> Result<Option<i64>> {
    let due = book.undecided(after, AT_ONCE)?;
    for order in &due {
        let decided = match readers.get(&order.store) {
            Some((store, format)) => one(book, store, format.as_ref(), *order)?,
            None => false,
        };
        // What cannot be read stands in no other order's way.
        if !decided {
            book.undecidable(order.order)?;
        }
    }
    Ok(due.last().map(|one| one.order))
}

/// Decides about one order; false where a version of it cannot be read. One that another command
/// changes in this moment is left to the next look.
pub(super) fn one(book: &mut Book, store: &Store, format: &dyn Format, due: Undecided) -> Result<bool> {
    let event = book.last_event(due.order)?;
    // A document that is damaged is one that cannot be read.
    let Ok(known) = book.known(due.order) else { return Ok(false) };
    let Some(known) = known.filter(|known| known.newest.is_some()) else {
        return book.decided(due.order, event, None, None).map(|_| true);
    };
    let Some((seen, update)) = versions::again_as_is(store, format, &known, due.tell) else { return Ok(false) };
    if due.keep && takes_back(&known, &update) {
        // Then it is decided once more, by what the merchant has then.
        return match book.keep_applied(due.order, event)? {
            true => one(book, store, format, Undecided { keep: false, ..due }),
            false => Ok(true),
        };
    }
    crash::point("before-decided");
    let decided = book.decided(due.order, event, Some(known.since.policies), Some((&seen, &update)));
    crash::point("after-decided");
    decided.map(|_| true)
}

/// Whether the copy would lose something that it has taken over.
fn takes_back(known: &Known, update: &Update) -> bool {
    let Update::Keep(kept) = update else { return false };
    let applied = known.since.applied();
    kept.fates.iter().any(|(field, fate)| applied.contains(field) && !fate.is_written())
}
