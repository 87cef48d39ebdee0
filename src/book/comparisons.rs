//! Comparing what a channel lists with the book: what was listed so far, and what differs.
//!
//! A comparison keeps what it has met beside its position, so one that is killed goes on, and the
//! two sides are held against each other at the end, when a sync may have brought what was missing.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Done;
use super::inbox::{InboxNote, put_note, resolve_subject};
use super::trail::{self, By, Who};
use super::{Book, INTERRUPTED_STAYS, Present, acts};
use crate::channel::{Cursor, Heads, Next};
use crate::clock::{Timestamp, from_millis};
use crate::error::Result;

/// The orders of a store (?1) of which the book's newest version was made from ?2 to ?3, and that are
/// not on the list.
const UNLISTED: &str = "FROM versions v INDEXED BY versions_by_time JOIN orders o ON o.id = v.order_id
    WHERE v.updated_at BETWEEN ?2 AND ?3 AND o.store_id = ?1
      AND (v.role = 'newest' OR NOT EXISTS (SELECT 1 FROM versions n WHERE n.order_id = v.order_id AND n.role = 'newest'))
      AND NOT EXISTS (SELECT 1 FROM listed l WHERE l.store_id = ?1 AND l.remote_id = o.remote_id)";

/// What the inbox says about a comparison that the timer could not make.
const NOT_COMPARED: &str = "comparison not made";

/// So many versions are looked at for any store.
const FEW: u64 = 1000;

/// Whether the order `o` is known to be gone at its channel.
pub(super) const GONE: &str = "EXISTS (SELECT 1 FROM gone g WHERE g.order_id = o.id)";

/// A comparison that is about to begin.
#[derive(Debug, Clone)]
pub(crate) struct NewComparison {
    /// What was asked for, in the words of the command.
    pub(crate) asked: String,
    /// From when on; `None` from the first order on.
    pub(crate) since: Option<Timestamp>,
    /// Up to when.
    pub(crate) until: Timestamp,
    /// What was modified later than this is for the next sync.
    pub(crate) settled: Timestamp,
    /// How many orders the channel counts.
    pub(crate) orders: Option<u64>,
    /// What listing them costs.
    pub(crate) requests: Option<u64>,
}

/// A comparison that is under way.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    /// What it is.
    pub(crate) new: NewComparison,
    /// How many requests have listed orders so far.
    pub(crate) made: u64,
}

/// An order of which book and list say different things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Apart {
    /// The channel's id.
    pub(crate) remote_id: String,
    /// Its number in the book, where it is there.
    pub(crate) order: Option<i64>,
    /// When it was modified by the list, where it is on it and that is told.
    pub(crate) listed: Option<Timestamp>,
    /// When the book's newest version was made, where there is one.
    pub(crate) known: Option<Timestamp>,
    /// When it was placed, where it is not on the list.
    pub(crate) placed: Option<Timestamp>,
    /// Why it is not in the book, where that is known: `unreadable`, `unshown`, or `nameless` (then
    /// the id is the place in the list).
    pub(crate) trouble: Option<String>,
    /// What the channel answered in its place.
    pub(crate) why: String,
}

impl Book {
    /// The comparison of the store that is under way for what was asked; an old one is none.
    pub(crate) fn comparison(&self, store: i64, asked: &str) -> Result<Option<Comparison>> {
        let sql = "SELECT since, until, settled, orders, requests, made FROM comparisons
                   WHERE store_id = ? AND asked = ? AND begun_at BETWEEN ? AND ?";
        let now = self.now_ms();
        let read = |row: &rusqlite::Row<'_>| {
            let new = NewComparison {
                asked: asked.to_owned(),
                since: row.get::<_, Option<i64>>(0)?.map(from_millis),
                until: from_millis(row.get(1)?),
                settled: from_millis(row.get(2)?),
                orders: row.get(3)?,
                requests: row.get(4)?,
            };
            Ok(Comparison { new, made: row.get(5)? })
        };
        let from = now - INTERRUPTED_STAYS;
        self.db
            .prepare_cached(sql)
            .done("read")?
            .query_row(params![store, asked, from, now], read)
            .optional()
            .done("read")
    }

    /// Begins a comparison, in the place of any other of the store.
    pub(crate) fn begin_comparison(
        &mut self,
        store: i64,
        new: &NewComparison,
        made: u64,
        walks: &[Cursor],
    ) -> Result<()> {
        let now = self.now_ms();
        self.write("written", |db| {
            forget(db, store)?;
            let since = new.since.map(|at| at.timestamp_millis());
            db.execute(
                "INSERT INTO comparisons (store_id, asked, since, until, settled, begun_at, orders, requests, made)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    store,
                    new.asked,
                    since,
                    new.until.timestamp_millis(),
                    new.settled.timestamp_millis(),
                    now,
                    new.orders,
                    new.requests,
                    made
                ],
            )
            .done("written")?;
            for (nth, walk) in walks.iter().enumerate() {
                let nth = i64::try_from(nth).unwrap_or(i64::MAX);
                db.execute("INSERT INTO comparison_walks VALUES (?, ?, ?, 0)", params![store, nth, walk.as_str()])
                    .done("written")?;
            }
            Ok(())
        })
    }

    /// The walks of the comparison that are not at their ends.
    pub(crate) fn comparison_walks(&self, store: i64) -> Result<Vec<(i64, Cursor)>> {
        let sql = "SELECT nth, position FROM comparison_walks WHERE store_id = ? AND NOT done ORDER BY nth";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows =
            statement.query_map([store], |row| Ok((row.get(0)?, Cursor::from_stored(row.get(1)?)))).done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// Takes notice of a page, with the position behind it and what it cost.
    pub(crate) fn note_listed(&mut self, store: i64, walk: i64, page: &Heads, requests: u64) -> Result<()> {
        let by = self.by(Who::Channel);
        let sql = "INSERT INTO listed VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET modified_at = max(coalesce(modified_at, excluded.modified_at), excluded.modified_at),
              state = iif(state = 'shown', state, excluded.state), why = iif(state = 'shown', why, excluded.why)";
        self.write("written", |db| {
            let mut put = db.prepare_cached(sql).done("written")?;
            let gone = is_any_gone(db)?;
            for head in &page.orders {
                if gone {
                    is_listed_again(db, store, &head.remote_id, by)?;
                }
                let modified = head.modified.map(|at| at.timestamp_millis());
                put.execute(params![store, head.remote_id, modified, "shown", ""]).done("written")?;
            }
            for unshown in &page.unshown {
                let (id, state) = match &unshown.remote_id {
                    Some(id) => (id, "unshown"),
                    None => (&unshown.place, "nameless"),
                };
                let why = match unshown.unlisted {
                    0 => unshown.why.clone(),
                    missing => format!("{missing} {}", unshown.why),
                };
                put.execute(params![store, id, None::<i64>, state, why]).done("written")?;
            }
            let done = matches!(page.next, Next::Done(_));
            db.execute(
                "UPDATE comparison_walks SET position = ?, done = ? WHERE store_id = ? AND nth = ?",
                params![page.next.cursor().as_str(), done, store, walk],
            )
            .done("written")?;
            db.execute("UPDATE comparisons SET made = made + ? WHERE store_id = ?", params![requests, store])
                .done("written")?;
            Ok(())
        })
    }

    /// The comparison is over, or is given up.
    pub(crate) fn end_comparison(&mut self, store: i64) -> Result<()> {
        self.write("written", |db| forget(db, store))
    }

    /// The timer's comparison that began at `begun` has come to its end.
    pub(crate) fn note_nightly(&mut self, store: i64, begun: Timestamp) -> Result<()> {
        let now = self.clock.now();
        self.write("written", |db| {
            let sql = "UPDATE stores SET last_nightly_at = ?, nightly_failed_at = NULL WHERE id = ?";
            db.execute(sql, params![begun.timestamp_millis(), store]).done("written")?;
            resolve_subject(db, store, NOT_COMPARED, now)
        })
    }

    /// The timer's comparison that began at `begun` did not come to its end; `note` is what the
    /// merchant is to know of it.
    pub(crate) fn note_nightly_failed(&mut self, store: i64, begun: Timestamp, note: Option<&InboxNote>) -> Result<()> {
        self.write("written", |db| {
            let sql = "UPDATE stores SET nightly_failed_at = ? WHERE id = ?";
            db.execute(sql, params![begun.timestamp_millis(), store]).done("written")?;
            note.map_or(Ok(()), |note| put_note(db, Some(store), None, NOT_COMPARED, note, begun))
        })
    }

    /// When the timer last began to compare the store in vain, since a comparison of its came to the
    /// end.
    pub(crate) fn nightly_failed(&self, store: i64) -> Result<Option<Timestamp>> {
        let sql = "SELECT nightly_failed_at FROM stores WHERE id = ?";
        let at: Option<i64> =
            self.db.prepare_cached(sql).done("read")?.query_row([store], |row| row.get(0)).done("read")?;
        Ok(at.map(from_millis))
    }

    /// When the timer's last comparison of the store began that came to its end.
    pub(crate) fn last_nightly(&self, store: i64) -> Result<Option<Timestamp>> {
        let sql = "SELECT last_nightly_at FROM stores WHERE id = ?";
        let at: Option<i64> =
            self.db.prepare_cached(sql).done("read")?.query_row([store], |row| row.get(0)).done("read")?;
        Ok(at.map(from_millis))
    }

    /// How many orders were listed.
    pub(crate) fn count_listed(&self, store: i64) -> Result<u64> {
        let sql = "SELECT count(*) FROM listed WHERE store_id = ? AND state = 'shown'";
        self.db.prepare_cached(sql).done("read")?.query_row([store], |row| row.get(0)).done("read")
    }

    /// Whether any order that was listed is in the book.
    pub(crate) fn knows_listed(&self, store: i64) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM listed l JOIN orders o ON o.store_id = l.store_id AND o.remote_id = l.remote_id
            WHERE l.store_id = ?)";
        self.db.prepare_cached(sql).done("read")?.query_row([store], |row| row.get(0)).done("read")
    }

    /// The channel's ids of so many orders of the store that came last and are not known to be gone.
    pub(crate) fn newest_ids(&self, store: i64, orders: usize) -> Result<Vec<String>> {
        let sql =
            format!("SELECT o.remote_id FROM orders o WHERE o.store_id = ? AND NOT {GONE} ORDER BY o.id DESC LIMIT ?");
        acts::column(&self.db, &sql, params![store, i64::try_from(orders).unwrap_or(i64::MAX)])
    }

    /// The orders that were listed and are not in the book.
    pub(crate) fn not_in_book(&self, store: i64) -> Result<Vec<Apart>> {
        let sql = "SELECT l.remote_id, l.modified_at, iif(l.state = 'shown',
              (SELECT i.kind FROM inbox i INDEXED BY inbox_open WHERE i.store_id = l.store_id AND i.subject = l.remote_id
                AND i.kind IN ('unreadable', 'unshown') AND i.resolved_at IS NULL LIMIT 1), l.state), l.why
            FROM listed l WHERE l.store_id = ?1
              AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.store_id = l.store_id AND o.remote_id = l.remote_id)
            ORDER BY l.modified_at, l.remote_id";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement
            .query_map([store], |row| {
                let listed = row.get::<_, Option<i64>>(1)?.map(from_millis);
                Ok(Apart { remote_id: row.get(0)?, listed, trouble: row.get(2)?, why: row.get(3)?, ..Apart::default() })
            })
            .done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// The orders that were listed with a later time than that of the book's newest version; with
    /// another one, where that has not come yet.
    pub(crate) fn newer_there(&self, store: i64, present: Present) -> Result<Vec<Apart>> {
        // The order's own versions are looked at, not all of that time.
        let sql = "SELECT l.remote_id, l.modified_at, o.id,
              (SELECT max(v.updated_at) FROM versions v WHERE v.order_id = o.id) AS known
            FROM listed l JOIN orders o ON o.store_id = l.store_id AND o.remote_id = l.remote_id
            WHERE l.store_id = ?1
              AND (l.modified_at > coalesce(known, 0) OR (known > ?2 AND l.modified_at <> known))
            ORDER BY l.modified_at, l.remote_id";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement
            .query_map(params![store, present.latest().timestamp_millis()], |row| {
                let listed = row.get::<_, Option<i64>>(1)?.map(from_millis);
                let known = row.get::<_, Option<i64>>(3)?.map(from_millis);
                Ok(Apart { remote_id: row.get(0)?, order: row.get(2)?, listed, known, ..Apart::default() })
            })
            .done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// The orders of which the book's newest version is of the time that was compared, and that were
    /// not listed, from where the last comparison ended to look for them; those are left out that are
    /// known to be gone.
    pub(crate) fn not_listed(&self, store: i64, since: Option<Timestamp>, until: Timestamp) -> Result<Vec<Apart>> {
        let sql = format!(
            "SELECT o.remote_id, o.id, v.updated_at, o.placed_at {UNLISTED} AND NOT {GONE}
             ORDER BY o.id <= coalesce((SELECT looked_up FROM stores WHERE id = ?1), 0), o.id"
        );
        let since = since.map_or(i64::MIN, |at| at.timestamp_millis());
        let mut statement = self.db.prepare_cached(&sql).done("read")?;
        let rows = statement
            .query_map(params![store, since, until.timestamp_millis()], |row| {
                let known = Some(from_millis(row.get(2)?));
                let placed = Some(from_millis(row.get(3)?));
                Ok(Apart { remote_id: row.get(0)?, order: row.get(1)?, known, placed, ..Apart::default() })
            })
            .done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// How many orders were left out of these because they are known to be gone.
    pub(crate) fn known_gone(&self, store: i64, since: Option<Timestamp>, until: Timestamp) -> Result<u64> {
        let sql = format!("SELECT count(*) {UNLISTED} AND {GONE}");
        let since = since.map_or(i64::MIN, |at| at.timestamp_millis());
        let about = params![store, since, until.timestamp_millis()];
        self.db.prepare_cached(&sql).done("read")?.query_row(about, |row| row.get(0)).done("read")
    }

    /// Orders that a list lacks were read by their ids, this one last: the next comparison goes on
    /// behind it.
    pub(crate) fn note_looked_up(&mut self, store: i64, order: i64) -> Result<()> {
        self.write("written", |db| {
            db.execute("UPDATE stores SET looked_up = ? WHERE id = ?", [order, store]).done("written")?;
            Ok(())
        })
    }

    /// When the newest version of the store was made, by the channel's clock; with `before`, that of
    /// the order that so many come after.
    pub(crate) fn newest_version(&self, store: i64, before: u64) -> Result<Option<Timestamp>> {
        let orders = "SELECT coalesce(sum(orders), 0) FROM counts WHERE store_id = ?";
        let orders: u64 =
            self.db.prepare_cached(orders).done("read")?.query_row([store], |row| row.get(0)).done("read")?;
        if before >= orders {
            return Ok(None);
        }
        // The newest versions of the book are mostly those of a busy store. Of a quiet one it costs
        // less to look at each of its own orders.
        let at = match self.newest_of_book(store, before, orders.max(FEW))? {
            Some(at) => Some(at),
            None => {
                let sql = "SELECT max(v.updated_at) AS newest FROM orders o INDEXED BY orders_by_remote_id CROSS JOIN versions v ON v.order_id = o.id
                    WHERE o.store_id = ? GROUP BY o.id ORDER BY newest DESC LIMIT 1 OFFSET ?";
                let mut statement = self.db.prepare_cached(sql).done("read")?;
                statement.query_row(params![store, before], |row| row.get(0)).optional().done("read")?
            }
        };
        Ok(at.map(from_millis))
    }

    /// The same, found among the `most` newest versions of the whole book, if it is there.
    fn newest_of_book(&self, store: i64, before: u64, most: u64) -> Result<Option<i64>> {
        let sql = "SELECT v.updated_at, o.id, o.store_id FROM versions v INDEXED BY versions_by_time CROSS JOIN orders o ON o.id = v.order_id
            ORDER BY v.updated_at DESC LIMIT ?";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let mut rows = statement.query([most]).done("read")?;
        let mut met = BTreeSet::new();
        while let Some(row) = rows.next().done("read")? {
            let (at, order, of): (i64, i64, i64) = (|| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))().done("read")?;
            if of == store && met.insert(order) && met.len() as u64 > before {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// The newest version's time of one order.
    pub(crate) fn version_time(&self, order: i64) -> Result<Option<Timestamp>> {
        let sql = "SELECT max(updated_at) FROM versions WHERE order_id = ?";
        let at: Option<i64> =
            self.db.prepare_cached(sql).done("read")?.query_row([order], |row| row.get(0)).done("read")?;
        Ok(at.map(from_millis))
    }

    /// The timer's comparison has found differences.
    pub(crate) fn tell_of_comparison(&mut self, store: i64, note: &InboxNote) -> Result<()> {
        let now = self.clock.now();
        self.write("written", |db| put_note(db, Some(store), None, "comparison", note, now))
    }

    /// A comparison has found none.
    pub(crate) fn settle_comparison(&mut self, store: i64) -> Result<()> {
        let now = self.clock.now();
        self.write("written", |db| resolve_subject(db, store, "comparison", now))
    }

    /// The channel has said that it has this order no more: a fact that stays until it comes again.
    pub(crate) fn note_gone(&mut self, order: i64) -> Result<()> {
        let by = self.by(Who::Channel);
        self.write("written", |db| {
            let new = db
                .execute(
                    "INSERT INTO gone VALUES (?, ?) ON CONFLICT DO NOTHING",
                    params![order, by.at.timestamp_millis()],
                )
                .done("written")?;
            if new > 0 {
                trail::note(db, order, by, "gone at the channel", "the channel has no such order any more")?;
            }
            Ok(())
        })
    }

    /// Since when the channel is known to have the order no more.
    pub(crate) fn gone_at(&self, order: i64) -> Result<Option<Timestamp>> {
        gone_at(&self.db, order)
    }
}

/// Since when the channel is known to have an order no more.
pub(super) fn gone_at(db: &Connection, order: i64) -> Result<Option<Timestamp>> {
    let sql = "SELECT found_at FROM gone WHERE order_id = ?";
    let at: Option<i64> =
        db.prepare_cached(sql).done("read")?.query_row([order], |row| row.get(0)).optional().done("read")?;
    Ok(at.map(from_millis))
}

/// Whether any order is known to be gone.
pub(super) fn is_any_gone(db: &Connection) -> Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM gone)").done("read")?.query_row([], |row| row.get(0)).done("read")
}

/// An order is on the channel's list, so it is not gone, whatever was answered for it once.
fn is_listed_again(db: &Connection, store: i64, remote_id: &str, by: By) -> Result<()> {
    let sql = "SELECT o.id FROM orders o JOIN gone g ON g.order_id = o.id WHERE o.store_id = ? AND o.remote_id = ?";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let order: Option<i64> =
        statement.query_row(params![store, remote_id], |row| row.get(0)).optional().done("read")?;
    order.map_or(Ok(()), |order| is_there_again(db, order, by))
}

/// An order that was gone has come again.
pub(super) fn is_there_again(db: &Connection, order: i64, by: By) -> Result<()> {
    let back =
        db.prepare_cached("DELETE FROM gone WHERE order_id = ?").done("written")?.execute([order]).done("written")?;
    if back > 0 {
        trail::note(db, order, by, "there again", "the channel has the order again")?;
    }
    Ok(())
}

fn forget(db: &Connection, store: i64) -> Result<()> {
    for table in ["listed", "comparison_walks", "comparisons"] {
        db.execute(&format!("DELETE FROM {table} WHERE store_id = ?"), [store]).done("written")?;
    }
    Ok(())
}
