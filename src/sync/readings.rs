//! A changed meaning is applied to orders that nobody here has worked on (P-12): what a status word
//! means, and whether an order needs a parcel, may be another by the next version of the program or
//! another setting.

use std::collections::BTreeSet;

use super::goes_by::base;
use super::store::OpenStore;
use crate::book::{Arrived, Book, InboxKind, InboxNote, Reading, Untouched};
use crate::error::Result;
use crate::order::{Order, Status};

/// The setting for status words.
pub(crate) const STATUSES: &str = "statuses";

/// What a word may be set to mean.
const MEANINGS: [Status; 6] = [
    Status::AwaitingPayment,
    Status::AwaitingFulfillment,
    Status::OnHold,
    Status::PartiallyShipped,
    Status::Shipped,
    Status::Cancelled,
];

/// How often orders are looked at anew that others have worked on meanwhile.
const TRIES: u32 = 5;

/// How many orders are read again in one transaction.
const AT_ONCE: u32 = 500;

/// Reads the store's orders again from their documents, where they may mean something else than
/// when they were read last.
pub(crate) fn refresh(book: &mut Book, open: &OpenStore) -> Result<()> {
    let store = &open.store;
    let setting = |reading: &Reading| words(&reading.statuses);
    let now = Reading {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        statuses: store.values.get(STATUSES).cloned().unwrap_or_default(),
    };
    let last = book.last_reading(store.id)?;
    if last.as_ref() == Some(&now) {
        return Ok(());
    }
    let words: Vec<String> = last.iter().flat_map(setting).chain(setting(&now)).collect();
    let (mut after, mut tries) = (0, 0);
    loop {
        let orders = book.untouched(store.id, &words, after, AT_ONCE)?;
        let Some(last) = orders.last() else { break };
        let changed = changed(book, open, &orders)?;
        // What others work on all the time is left to the next sync, which reads all of it again.
        if book.reread(&changed)? > 0 {
            tries += 1;
            if tries < TRIES {
                continue;
            }
            return Ok(());
        }
        after = last.order;
    }
    book.statuses_are_known(store.id, &setting(&now))?;
    book.note_reading(store.id, &now)
}

/// Those of the orders that now mean something else.
fn changed(book: &mut Book, open: &OpenStore, orders: &[Untouched]) -> Result<Vec<(Untouched, Order)>> {
    let (mut changed, mut unknown) = (Vec::new(), BTreeSet::new());
    for found in orders {
        let Some(basis) = book.basis(found.order)? else { continue };
        let Ok(order) = base(&basis, open.format.as_ref()) else { continue };
        unknown.extend(open.channel.unknown_status(&order));
        if order.status != found.status || book.ships(found.order)? != order.lines.iter().any(|line| line.ships) {
            changed.push((*found, order));
        }
    }
    tell(book, open, unknown)?;
    Ok(changed)
}

/// Tells of the status words of these orders that nobody knows.
pub(crate) fn puzzle(book: &mut Book, open: &OpenStore, orders: &[Arrived]) -> Result<()> {
    let read = orders.iter().filter_map(|seen| seen.order.as_ref().ok());
    tell(book, open, read.filter_map(|order| open.channel.unknown_status(order)).collect())
}

fn tell(book: &mut Book, open: &OpenStore, unknown: BTreeSet<String>) -> Result<()> {
    let store = &open.store;
    for word in unknown {
        let note = InboxNote {
            kind: InboxKind::Status,
            text: format!(
                "nobody here knows what the status {word:?} of {} means: paid orders with it count as to be shipped, others as not paid yet; it may be {}",
                store.name,
                MEANINGS.map(Status::word).join(", ")
            ),
            hint: format!("ordersync config set {}.{STATUSES} {word}=shipped", store.name),
        };
        book.tell_of_status(store.id, &word, &note)?;
    }
    Ok(())
}

/// A setting with more words in it: what was said of other words before stays said. A word that is
/// set again means what was said last.
pub(crate) fn with_more(set: &str, more: &str) -> String {
    let again = words(more);
    let stays = |pair: &&str| words(pair).first().is_some_and(|word| !again.contains(word));
    set.split(',').filter(stays).chain([more]).map(str::trim).collect::<Vec<_>>().join(",")
}

/// The words of a setting `THEIRS=OURS,...`.
fn words(setting: &str) -> Vec<String> {
    let theirs = setting.split(',').filter_map(|pair| pair.split_once('=')).map(|(theirs, _)| theirs.trim());
    theirs.map(|word| word.strip_prefix("wc-").unwrap_or(word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::with_more;

    #[test]
    fn p12_a_word_that_is_set_leaves_the_others_as_they_are() {
        assert_eq!(with_more("", "a=shipped"), "a=shipped");
        assert_eq!(with_more("a=shipped", "b=on-hold"), "a=shipped,b=on-hold");
        assert_eq!(with_more("a=shipped,wc-b=on-hold", "b=shipped"), "a=shipped,b=shipped");
    }
}
