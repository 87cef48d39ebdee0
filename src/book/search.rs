//! The index of words that `orders --search` asks: SQLite's FTS5, over the words of `words`.
//!
//! It follows the audit trail: whatever is written to an order leaves an event there, so what is
//! behind the last event that the index has seen is what has to be looked at again. Importing costs
//! nothing for it; a sync brings the index up to date with as many events as it has made, and a
//! search with what is left, each in steps of a short transaction. No trigger, no second place that
//! has to know what is searched.
//!
//! The index holds no texts, only words, and for each the documents that have it. A document's
//! number begins with the hour in which the order was placed and ends with the order's own, so the
//! newest come first out of the index and a search ends with as many as are wanted. What an order
//! said before is taken out by its document's number. The words themselves leave the file when the
//! index is put together anew (`optimize`).

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Done;
use super::words::{Words, question};
use super::{Book, acts};
use crate::error::Result;

/// The index, as the schema makes it.
#[cfg(test)]
pub(super) const TABLE: &str =
    "CREATE VIRTUAL TABLE search USING fts5 (words, content = '', contentless_delete = 1, tokenize = 'ascii');";

/// As many events are looked at in one transaction.
const STEP: u32 = 500;

/// As many events a sync has looked at, at most: what is more waits for the first search.
const OF_A_SYNC: u64 = 1000;

/// The index of as many orders is put together anew within a moment.
const SMALL: u64 = 20_000;

/// Bits of a document's number that are the order's.
const ORDER_BITS: u32 = 32;

/// The first hour that has a number of its own: 1990 began 20 years after the epoch.
const FIRST_HOUR: i64 = 20 * 365 * 24;

/// The last one: 20 bits of hours reach beyond the year 2100.
const LAST_HOUR: i64 = (1 << 20) - 1;

impl Book {
    /// Whether there are events that the index has not seen.
    pub(crate) fn unsearched(&self) -> Result<u64> {
        let sql = "SELECT max(0, coalesce((SELECT max(rowid) FROM history), 0) - (SELECT up_to FROM search_seen))";
        self.db.prepare_cached(sql).done("read")?.query_row([], |row| row.get(0)).done("read")
    }

    /// Has the index see the next events; tells how many are left.
    pub(crate) fn index_step(&mut self) -> Result<u64> {
        self.index_some(STEP)?;
        self.unsearched()
    }

    /// Has the index see as many events as a run has made of `orders` orders.
    pub(crate) fn index_after(&mut self, orders: u64) -> Result<()> {
        let mut left = orders.min(OF_A_SYNC);
        while left > 0 {
            let step = STEP.min(u32::try_from(left).unwrap_or(STEP));
            if self.index_some(step)? < step as usize {
                break;
            }
            left = left.saturating_sub(step.into());
        }
        Ok(())
    }

    /// Takes the words that no order has any more out of the file, where the index is small enough to
    /// be put together anew at once.
    pub(super) fn forget_words(&mut self) -> Result<()> {
        let orders: u64 = self
            .db
            .query_row("SELECT count(*) FROM (SELECT 1 FROM searched LIMIT ?)", [SMALL + 1], |row| row.get(0))
            .done("read")?;
        if orders == 0 || orders > SMALL {
            return Ok(());
        }
        while self.index_step()? > 0 {}
        self.write("written", |db| {
            db.execute("INSERT INTO search (search) VALUES ('optimize')", []).done("written")?;
            Ok(())
        })
    }

    /// Gives how many events there were.
    fn index_some(&mut self, most: u32) -> Result<usize> {
        if self.unsearched()? == 0 {
            return Ok(0);
        }
        self.write("written", |db| {
            let up_to: i64 = db.query_row("SELECT up_to FROM search_seen", [], |row| row.get(0)).done("read")?;
            let sql = "SELECT rowid, order_id FROM history WHERE rowid > ? ORDER BY rowid LIMIT ?";
            let mut statement = db.prepare_cached(sql).done("read")?;
            let rows = statement.query_map(params![up_to, most], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
            let events: Vec<(i64, i64)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
            for order in events.iter().map(|(_, order)| *order).collect::<BTreeSet<i64>>() {
                put(db, order)?;
            }
            if let Some((last, _)) = events.last() {
                db.execute("UPDATE search_seen SET up_to = ?", [last]).done("written")?;
            }
            Ok(events.len())
        })
    }

    /// Goes through the orders that have all words of `text`, the newest first, as long as `more`
    /// wants another one: it is given the order's number, and the hour in which it was placed as a
    /// number that grows with time.
    pub(super) fn search(&self, text: &str, mut more: impl FnMut(i64, i64) -> Result<bool>) -> Result<()> {
        let Some(question) = question(text) else { return Ok(()) };
        let sql = "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let mut rows = statement.query([question]).done("read")?;
        while let Some(row) = rows.next().done("read")? {
            let document: i64 = row.get(0).done("read")?;
            if !more(document & ((1 << ORDER_BITS) - 1), document >> ORDER_BITS)? {
                break;
            }
        }
        Ok(())
    }
}

/// The number of an order's document.
fn number(order: i64, placed_at: i64) -> i64 {
    let hour = placed_at.div_euclid(3_600_000).saturating_sub(FIRST_HOUR).clamp(0, LAST_HOUR);
    (hour << ORDER_BITS) | (order & ((1 << ORDER_BITS) - 1))
}

/// Puts an order's words into the index, in the place of those that it had.
fn put(db: &Connection, order: i64) -> Result<()> {
    forget(db, order)?;
    let Some((placed_at, words)) = words_of(db, order)? else { return Ok(()) };
    let document = number(order, placed_at);
    let insert = "INSERT INTO search (rowid, words) VALUES (?, ?)";
    db.prepare_cached(insert).done("written")?.execute(params![document, words]).done("written")?;
    let note = "INSERT INTO searched VALUES (?, ?)";
    db.prepare_cached(note).done("written")?.execute([order, document]).done("written")?;
    Ok(())
}

/// Puts them in behind the event that was just noted, which the index has then seen where it had seen
/// all before.
pub(super) fn put_noted(db: &Connection, order: i64) -> Result<()> {
    put(db, order)?;
    let sql = "UPDATE search_seen SET up_to = up_to + 1 WHERE up_to + 1 = (SELECT max(rowid) FROM history)";
    db.prepare_cached(sql).done("written")?.execute([]).done("written")?;
    Ok(())
}

/// Takes an order's words out of the index; tells whether it had any.
pub(super) fn forget(db: &Connection, order: i64) -> Result<bool> {
    let sql = "DELETE FROM searched WHERE order_id = ? RETURNING document";
    let known: Option<i64> =
        db.prepare_cached(sql).done("written")?.query_row([order], |row| row.get(0)).optional().done("written")?;
    if let Some(document) = known {
        let sql = "DELETE FROM search WHERE rowid = ?";
        db.prepare_cached(sql).done("written")?.execute([document]).done("written")?;
    }
    Ok(known.is_some())
}

/// When an order was placed, and its words: numbers, names, e-mail addresses, phones, postcodes,
/// notes, SKUs, titles, tracking numbers.
fn words_of(db: &Connection, order: i64) -> Result<Option<(i64, String)>> {
    let mut words = Words::default();
    let sql = "SELECT placed_at, number, remote_id, buyer_name, buyer_email, buyer_phone, buyer_note FROM orders WHERE id = ?";
    let head = db.prepare_cached(sql).done("read")?.query_row([order], |row| {
        let text = |column: usize| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
        words.number(text(1)?);
        words.number(text(2)?);
        words.text(text(3)?);
        words.email(text(4)?);
        words.phone(text(5)?);
        words.text(text(6)?);
        row.get(0)
    });
    let Some(placed_at) = head.optional().done("read")? else { return Ok(None) };
    for address in ["ship", "bill"] {
        for to in super::copy::addresses(db, order, address)? {
            words.text(&to.name);
            words.text(&to.company);
            words.text(&to.postcode);
            words.email(&to.email);
            words.phone(&to.phone);
        }
    }
    let mut statement = db.prepare_cached("SELECT sku, name FROM lines WHERE order_id = ?").done("read")?;
    let mut rows = statement.query([order]).done("read")?;
    while let Some(row) = rows.next().done("read")? {
        for column in 0..2 {
            words.text(row.get_ref(column).done("read")?.as_str().map_err(rusqlite::Error::from).done("read")?);
        }
    }
    let notes = "SELECT text FROM notes WHERE order_id = ? AND removed_at IS NULL";
    acts::column::<String>(db, notes, [order])?.iter().for_each(|note| words.text(note));
    let parcels = "SELECT p.tracking FROM shipments s JOIN parcels p ON p.shipment_id = s.id WHERE s.order_id = ? AND p.tracking <> ''";
    acts::column::<String>(db, parcels, [order])?.iter().for_each(|tracking| words.number(tracking));
    Ok(Some((placed_at, words.into_text())))
}
