//! The merchant's own notes and tags. They are never told to a channel, and may hold personal data:
//! no error and no line of the audit trail repeats a note.

use rusqlite::{Connection, OptionalExtension, params};

use super::Book;
use super::acts::{column, head};
use super::error::Done;
use super::local::Worked;
use super::trail;
use crate::clock::{Timestamp, from_millis};
use crate::error::{Error, ErrorKind, Result};

/// A note of the merchant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// Its number: 1, 2, ... of the order.
    pub(crate) number: i64,
    /// When it was written.
    pub(crate) at: Timestamp,
    /// What it says.
    pub(crate) text: String,
}

impl Book {
    /// Adds a note to an order and gives its number. The same text once more is the note that is
    /// there.
    pub(crate) fn add_note(&mut self, order: i64, text: &str, rehearsal: bool) -> Result<(Worked, i64)> {
        self.work(rehearsal, |db, by| {
            head(db, order)?;
            let same = "SELECT number FROM notes WHERE order_id = ? AND text = ? AND removed_at IS NULL";
            let same = db.query_row(same, params![order, text], |row| row.get(0)).optional().done("read")?;
            if let Some(number) = same {
                return Ok((Worked::Already, number));
            }
            let number = "SELECT coalesce(max(number), 0) + 1 FROM notes WHERE order_id = ?";
            let number: i64 = db.query_row(number, [order], |row| row.get(0)).done("read")?;
            db.execute(
                "INSERT INTO notes VALUES (?, ?, ?, ?, NULL)",
                params![order, number, by.at.timestamp_millis(), text],
            )
            .done("written")?;
            trail::note(db, order, by, "note written", &format!("note {number}"))?;
            Ok((Worked::Done, number))
        })
    }

    /// Removes a note. Nothing of its text stays in the file, but for its words in the index of a
    /// search, which leave it there and then where it is small, and else as SQLite puts it together
    /// anew.
    ///
    /// # Errors
    /// `NotFound` where the order never had one of this number.
    pub(crate) fn remove_note(&mut self, order: i64, number: i64, rehearsal: bool) -> Result<Worked> {
        let worked = self.blank_note(order, number, rehearsal);
        if !rehearsal && matches!(worked, Ok(Worked::Done)) {
            self.forget_words()?;
            // The log still has what the file had. Somebody who reads the book now keeps it there,
            // until the next time that it is emptied.
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).done("written")?;
        }
        worked
    }

    fn blank_note(&mut self, order: i64, number: i64, rehearsal: bool) -> Result<Worked> {
        self.work(rehearsal, |db, by| {
            head(db, order)?;
            let sql = "SELECT removed_at IS NOT NULL FROM notes WHERE order_id = ? AND number = ?";
            match db.query_row(sql, [order, number], |row| row.get(0)).optional().done("read")? {
                None => return Err(no_note(order, number)),
                Some(true) => return Ok(Worked::Already),
                Some(false) => {}
            }
            db.execute(
                "UPDATE notes SET text = '', removed_at = ? WHERE order_id = ? AND number = ?",
                [by.at.timestamp_millis(), order, number],
            )
            .done("written")?;
            trail::note(db, order, by, "note removed", &format!("note {number}"))?;
            Ok(Worked::Done)
        })
    }

    /// Gives an order these tags, or takes them away; tells whether that changed anything, and all
    /// of its tags afterwards.
    pub(crate) fn tag(
        &mut self,
        order: i64,
        tags: &[String],
        away: bool,
        rehearsal: bool,
    ) -> Result<(Worked, Vec<String>)> {
        let (sql, what) = match away {
            false => ("INSERT OR IGNORE INTO tags VALUES (?, ?)", "tagged"),
            true => ("DELETE FROM tags WHERE order_id = ? AND tag = ?", "tags removed"),
        };
        self.work(rehearsal, |db, by| {
            head(db, order)?;
            let mut changed = Vec::new();
            for tag in tags {
                if db.execute(sql, params![order, tag]).done("written")? > 0 {
                    changed.push(tag.as_str());
                }
            }
            if changed.is_empty() {
                return Ok((Worked::Already, tags_of(db, order)?));
            }
            trail::note(db, order, by, what, &changed.join(", "))?;
            Ok((Worked::Done, tags_of(db, order)?))
        })
    }
}

/// The merchant's notes on an order, the oldest first.
pub(super) fn notes_of(db: &Connection, order: i64) -> Result<Vec<Note>> {
    let sql = "SELECT number, written_at, text FROM notes WHERE order_id = ? AND removed_at IS NULL ORDER BY number";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let note =
        |row: &rusqlite::Row<'_>| Ok(Note { number: row.get(0)?, at: from_millis(row.get(1)?), text: row.get(2)? });
    statement.query_map([order], note).done("read")?.collect::<rusqlite::Result<_>>().done("read")
}

/// The merchant's tags of an order.
pub(super) fn tags_of(db: &Connection, order: i64) -> Result<Vec<String>> {
    column(db, "SELECT tag FROM tags WHERE order_id = ? ORDER BY tag", [order])
}

fn no_note(order: i64, number: i64) -> Error {
    let text = format!("order {order} has no note {number}; nothing was changed");
    Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{order} numbers its notes"))
}
