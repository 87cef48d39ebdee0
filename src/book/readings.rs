//! What stored documents mean, where that has changed since they were read: by another version of
//! the program, or another setting.

use rusqlite::{Connection, OptionalExtension, params};

use super::acts::last_event;
use super::error::{Done, odd};
use super::inbox::{InboxNote, put_note};
use super::trail::{self, Who};
use super::{Book, copy};
use crate::error::Result;
use crate::order::{Order, Status};

/// How the copies of a store were last read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The program's version.
    pub(crate) program: String,
    /// The store's setting for status words.
    pub(crate) statuses: String,
}

/// An order that nobody here has worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Untouched {
    /// Its number.
    pub(crate) order: i64,
    /// Its status, without what the merchant does with it here alone.
    pub(crate) status: Status,
    /// Its last event when it was found so.
    pub(crate) event: Option<i64>,
}

/// Nobody here has worked on the order `o`.
const UNTOUCHED: &str = "o.cancelled_after IS NULL AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.order_id = o.id)
    AND NOT EXISTS (SELECT 1 FROM dropships d WHERE d.order_id = o.id)
    AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.order_id = o.id AND c.fate IN ('applied', 'fact'))";

fn is_untouched(db: &Connection, order: i64) -> Result<bool> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM orders o WHERE o.id = ? AND {UNTOUCHED})");
    db.prepare_cached(&sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
}

/// Whether the merchant was told of a status word of a store and has dealt with it.
pub(super) const TOLD_BEFORE: &str = "SELECT EXISTS (SELECT 1 FROM inbox WHERE store_id = ? AND kind = 'status' AND subject = ? AND resolved_at IS NOT NULL)";

impl Book {
    /// How the store's copies were last read; `None` before that was noted.
    pub(crate) fn last_reading(&self, store: i64) -> Result<Option<Reading>> {
        self.db
            .prepare_cached("SELECT program, statuses FROM readings WHERE store_id = ?")
            .done("read")?
            .query_row([store], |row| Ok(Reading { program: row.get(0)?, statuses: row.get(1)? }))
            .optional()
            .done("read")
    }

    /// Notes how they are read now.
    pub(crate) fn note_reading(&mut self, store: i64, reading: &Reading) -> Result<()> {
        self.write("written", |db| {
            db.execute(
                "INSERT INTO readings VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET program = excluded.program, statuses = excluded.statuses",
                params![store, reading.program, reading.statuses],
            )
            .done("written")?;
            Ok(())
        })
    }

    /// Orders behind `after` that nobody here has worked on and that wait for something, or whose
    /// status word is among `words`.
    pub(crate) fn untouched(&self, store: i64, words: &[String], after: i64, most: u32) -> Result<Vec<Untouched>> {
        let words = serde_json::to_string(words).unwrap_or_default();
        let sql = format!(
            "SELECT o.id, coalesce(o.bare_status, o.status), (SELECT max(h.rowid) FROM history h WHERE h.order_id = o.id)
            FROM orders o WHERE o.store_id = ?1 AND o.id > ?2
              AND (o.status IN ('awaiting-payment', 'awaiting-fulfillment', 'on-hold', 'partially-shipped')
                   -- What was given back once counted as cancelled.
                   OR (o.status = 'cancelled' AND o.refunded_total NOT IN ('0', '0.00'))
                   OR o.channel_status IN (SELECT value FROM json_each(?3))
                   OR o.channel_status IN (SELECT 'wc-' || value FROM json_each(?3)))
              AND {UNTOUCHED} ORDER BY o.id LIMIT ?4"
        );
        let mut statement = self.db.prepare_cached(&sql).done("read")?;
        let rows = statement
            .query_map(params![store, after, words, most], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .done("read")?;
        let found: Vec<(i64, String, Option<i64>)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
        let read = |(order, word, event): (i64, String, Option<i64>)| {
            Ok(Untouched { order, status: word.parse().map_err(|_| odd("status", &word))?, event })
        };
        found.into_iter().map(read).collect()
    }

    /// Whether anything of the copy goes into a parcel.
    pub(crate) fn ships(&self, order: i64) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM lines WHERE order_id = ? AND ships)";
        self.db.prepare_cached(sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
    }

    /// The copies of these orders are what their documents mean now. Those are left as they are of
    /// which somebody has made something since they were found untouched: gives how many.
    pub(crate) fn reread(&mut self, orders: &[(Untouched, Order)]) -> Result<usize> {
        let by = self.by(Who::Program);
        self.write("written", |db| {
            let mut moved = 0;
            for (found, order) in orders {
                let id = found.order;
                if last_event(db, id)? != found.event || !is_untouched(db, id)? {
                    moved += 1;
                    continue;
                }
                copy::replace_copy(db, id, order, by)?;
                db.prepare_cached("UPDATE versions SET fingerprint = ? WHERE order_id = ? AND role = 'base'")
                    .done("written")?
                    .execute(params![super::arrived::fingerprint(order), id])
                    .done("written")?;
                let detail = format!("{} → {} ({})", found.status, order.status, order.channel_status);
                trail::note(db, id, by, "read again", &detail)?;
            }
            Ok(moved)
        })
    }

    /// Tells of a status word that nobody knows; never again once that was settled.
    pub(crate) fn tell_of_status(&mut self, store: i64, word: &str, note: &InboxNote) -> Result<()> {
        let about = params![store, word];
        let settled: bool =
            self.db.prepare_cached(TOLD_BEFORE).done("read")?.query_row(about, |row| row.get(0)).done("read")?;
        if settled {
            return Ok(());
        }
        let now = self.clock.now();
        self.write("written", |db| put_note(db, Some(store), None, word, note, now))
    }

    /// These status words are known now.
    pub(crate) fn statuses_are_known(&mut self, store: i64, words: &[String]) -> Result<()> {
        let (now, words) = (self.now_ms(), serde_json::to_string(words).unwrap_or_default());
        self.write("written", |db| {
            db.execute(
                "UPDATE inbox SET resolved_at = ?1 WHERE store_id = ?2 AND kind = 'status' AND resolved_at IS NULL
                   AND subject IN (SELECT value FROM json_each(?3))",
                params![now, store, words],
            )
            .done("written")?;
            Ok(())
        })
    }
}
