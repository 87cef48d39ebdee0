//! Orders to be read again later, each by itself.

use chrono::TimeDelta;
use rusqlite::{Connection, OptionalExtension, params};

use super::Book;
use super::error::Done;
use super::inbox::{InboxKind, InboxNote, put_note};
use crate::channel::Unshown;
use crate::channel::rows::NAMELESS;
use crate::clock::Timestamp;
use crate::error::Result;

/// Why an order is read again by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Something has said that it has changed.
    Asked,
    /// The channel could not show it.
    Unshown,
}

impl Why {
    fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Unshown => "unshown",
        }
    }
}

/// How long an order that the channel cannot show is left alone.
const AGAIN: TimeDelta = TimeDelta::days(1);

impl Book {
    /// The orders of the store that are due to be read again for this reason, the longest waiting
    /// first.
    pub(crate) fn due_rereads(&self, store: i64, why: Why, most: u32) -> Result<Vec<String>> {
        let sql = "SELECT remote_id FROM rereads
            WHERE store_id = ?1 AND why = ?5 AND (due_at <= ?2 OR due_at > ?2 + ?4) ORDER BY due_at LIMIT ?3";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement
            .query_map(params![store, self.now_ms(), most, super::NO_PAUSE_IS_LONGER, why.word()], |row| row.get(0))
            .done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// When the next order of the store is due that something has said to have changed.
    pub(crate) fn next_asked(&self, store: i64) -> Result<Option<Timestamp>> {
        let sql = "SELECT min(due_at) FROM rereads WHERE store_id = ? AND why = 'asked'";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let at: Option<i64> = statement.query_row([store], |row| row.get(0)).done("read")?;
        Ok(at.map(crate::clock::from_millis))
    }

    /// Since when an order waits to be read because something has said that it changed.
    pub(crate) fn asked_for(&self, store: i64, remote_id: &str) -> Result<Option<Timestamp>> {
        let sql = "SELECT due_at FROM rereads WHERE store_id = ? AND remote_id = ? AND why = 'asked'";
        let at: Option<i64> = self
            .db
            .prepare_cached(sql)
            .done("read")?
            .query_row(params![store, remote_id], |row| row.get(0))
            .optional()
            .done("read")?;
        Ok(at.map(crate::clock::from_millis))
    }

    /// These orders were read again after they were found due at `due`, as far as there are any: what
    /// has come of them is in the book. One that was asked for again meanwhile stays.
    pub(crate) fn rereads_done(&mut self, store: i64, remote_ids: &[String], due: Timestamp) -> Result<()> {
        let sql = "DELETE FROM rereads WHERE store_id = ?1 AND remote_id = ?2 AND why = 'asked'
                     AND (due_at <= ?3 OR due_at > ?3 + ?4)";
        let due = due.timestamp_millis();
        self.write("written", |db| {
            for id in remote_ids {
                let done = params![store, id, due, super::NO_PAUSE_IS_LONGER];
                db.prepare_cached(sql).done("written")?.execute(done).done("written")?;
            }
            Ok(())
        })
    }

    /// The channel has no such order any more: nothing is left to be asked for.
    pub(crate) fn reread_gone(&mut self, store: i64, remote_id: &str) -> Result<()> {
        let now = self.clock.now();
        self.write("written", |db| settle(db, store, remote_id, now))
    }

    /// All orders of the store were read since `since`: what nothing names and was not met among
    /// them is there no more, or came by its name.
    pub(crate) fn settle_nameless(&mut self, store: i64, since: Timestamp) -> Result<()> {
        let (now, since) = (self.now_ms(), since.timestamp_millis());
        self.write("written", |db| {
            db.execute(
                "DELETE FROM rereads WHERE store_id = ? AND why = 'nameless' AND met_at < ?",
                params![store, since],
            )
            .done("written")?;
            db.execute(
                "UPDATE inbox SET resolved_at = ?1, document = NULL WHERE store_id = ?2 AND resolved_at IS NULL
                   AND (kind = 'unshown' OR (kind = 'unreadable' AND subject LIKE ?3 || '%'))
                   AND NOT EXISTS (SELECT 1 FROM rereads r WHERE r.store_id = inbox.store_id AND r.remote_id = inbox.subject)",
                params![now, store, NAMELESS],
            )
            .done("written")?;
            Ok(())
        })
    }
}

/// Puts orders down to be read again at once. One that the channel cannot show is asked for each
/// day as it is.
pub(super) fn ask(db: &Connection, store: i64, remote_ids: &[String], now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO rereads (store_id, remote_id, due_at, why) VALUES (?, ?, ?, 'asked') ON CONFLICT DO NOTHING";
    for id in remote_ids {
        let at = now.timestamp_millis();
        db.prepare_cached(sql).done("written")?.execute(params![store, id, at]).done("written")?;
    }
    Ok(())
}

/// Puts an order down to be read again a moment later: what happens to it until then is read with
/// it. One that waits already waits no longer; one that is due may be just being read, and is due
/// once more.
pub(super) fn ring(db: &Connection, store: i64, remote_id: &str, moment: TimeDelta, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO rereads (store_id, remote_id, due_at, why) VALUES (?1, ?2, ?3, 'asked')
               ON CONFLICT DO UPDATE SET why = 'asked', due_at = CASE WHEN why <> 'asked' THEN excluded.due_at
                 WHEN due_at <= ?4 THEN ?4 + 1 ELSE min(due_at, excluded.due_at) END";
    let (due, now) = ((now + moment).timestamp_millis(), now.timestamp_millis());
    db.prepare_cached(sql).done("written")?.execute(params![store, remote_id, due, now]).done("written").map(drop)
}

/// Puts down an order that the channel could not show, or how many it does not list; the run has
/// told so many of those `before`. Gives for how many orders that is news: for none where it is
/// known and they were not due to be asked for again.
pub(super) fn put(db: &Connection, store: i64, unshown: &Unshown, before: u64, now: Timestamp) -> Result<u64> {
    let subject = unshown.remote_id.as_deref().unwrap_or(&unshown.place);
    let is_news = match &unshown.remote_id {
        Some(id) => put_off(db, store, id, "unshown", now)?,
        None => met(db, store, &unshown.place, now)? || (unshown.unlisted > 0 && before > 0),
    };
    if !is_news {
        return Ok(0);
    }
    let name: String = db.query_row("SELECT name FROM stores WHERE id = ?", [store], |row| row.get(0)).done("read")?;
    let order: Option<i64> = db
        .prepare_cached("SELECT id FROM orders WHERE store_id = ? AND remote_id = ?")
        .done("read")?
        .query_row(params![store, subject], |row| row.get(0))
        .optional()
        .done("read")?;
    let all = unshown.unlisted.saturating_add(before);
    put_note(db, Some(store), order, subject, &note(&name, unshown, all), now)?;
    Ok(unshown.unlisted.max(1))
}

/// Notes that something was met that nothing names; false where that was said within a day.
pub(super) fn met(db: &Connection, store: i64, place: &str, now: Timestamp) -> Result<bool> {
    let is_news = put_off(db, store, place, "nameless", now)?;
    db.prepare_cached("UPDATE rereads SET met_at = ? WHERE store_id = ? AND remote_id = ?")
        .done("written")?
        .execute(params![now.timestamp_millis(), store, place])
        .done("written")?;
    Ok(is_news)
}

/// Notes when to ask again; false where it is not the time yet.
fn put_off(db: &Connection, store: i64, id: &str, why: &str, now: Timestamp) -> Result<bool> {
    let changed = db
        .prepare_cached(
            "INSERT INTO rereads (store_id, remote_id, due_at, why, tries) VALUES (?1, ?2, ?3, ?6, 1)
             ON CONFLICT DO UPDATE SET due_at = excluded.due_at, why = excluded.why, tries = tries + 1 WHERE due_at <= ?4 OR due_at > ?4 + ?5",
        )
        .done("written")?
        .execute(params![
            store,
            id,
            (now + AGAIN).timestamp_millis(),
            now.timestamp_millis(),
            super::NO_PAUSE_IS_LONGER,
            why
        ])
        .done("written")?;
    Ok(changed > 0)
}

/// `all`: how many orders are not listed, where it is about those.
fn note(store: &str, unshown: &Unshown, all: u64) -> InboxNote {
    let why = &unshown.why;
    match &unshown.remote_id {
        Some(id) => InboxNote {
            kind: InboxKind::Unshown,
            text: format!(
                "order {id} cannot be shown by the channel itself ({why}); it was left out, the others were read, and it is asked for again each day"
            ),
            hint: format!(
                "open order {id} in the channel's own pages and save it, or ask the channel's support; ordersync pull {store}:{id} asks for it now"
            ),
        },
        None if unshown.unlisted > 0 => InboxNote {
            kind: InboxKind::Unshown,
            text: format!(
                "{all} {} not shown by the channel's lists ({why}); the others were read",
                if all == 1 { "order is" } else { "orders are" }
            ),
            hint: format!(
                "compare with the channel's own pages; ordersync pull {store}:ID brings one by its number, and ordersync sync --full looks whether all are listed again"
            ),
        },
        None => InboxNote {
            kind: InboxKind::Unshown,
            text: format!(
                "{} cannot be shown by the channel itself ({why}); it was left out and the others were read",
                unshown.place
            ),
            hint: format!(
                "look for it in the channel's own pages; ordersync pull {store}:ID, with its number, brings it once it is mended, and ordersync sync --full looks whether all are shown again"
            ),
        },
    }
}

/// Nothing is to be asked for any more: the order came, or is gone.
pub(super) fn settle(db: &Connection, store: i64, remote_id: &str, now: Timestamp) -> Result<()> {
    // What was asked for is read by its id: a page that was fetched before may come into the book
    // after.
    db.prepare_cached("DELETE FROM rereads WHERE store_id = ? AND remote_id = ? AND why <> 'asked'")
        .done("written")?
        .execute(params![store, remote_id])
        .done("written")?;
    db.prepare_cached(
        "UPDATE inbox SET resolved_at = ? WHERE store_id = ? AND kind = 'unshown' AND subject = ? AND resolved_at IS NULL",
    )
    .done("written")?
    .execute(params![now.timestamp_millis(), store, remote_id])
    .done("written")?;
    Ok(())
}
