//! What the channel says by itself (Instasync): deliveries, whether they come, and what nothing has
//! told of.

use chrono::TimeDelta;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::Book;
use super::error::Done;
use crate::clock::{Timestamp, from_millis};
use crate::error::Result;

/// How long a delivery is known again.
const KNOWN: TimeDelta = TimeDelta::hours(48);

/// How long it is remembered that nothing has told of an order where others are told of: longer than
/// any channel tries. Where nothing is, it is remembered until something comes.
const REMEMBERED: TimeDelta = TimeDelta::hours(72);

/// A good delivery, reduced to ids.
#[derive(Debug, Clone)]
pub(crate) struct Ring {
    /// The store.
    pub(crate) store: i64,
    /// The orders that have changed.
    pub(crate) orders: Vec<String>,
    /// What it is known by when it comes again.
    pub(crate) key: Option<String>,
    /// Whom the channel has erased: what it may have told of the customer as its own number.
    pub(crate) forget: Vec<String>,
}

/// How Instasync stands for a store where it is on.
#[derive(Debug, Clone)]
pub(crate) struct Hooked {
    /// The public address, before the path of the store.
    pub(crate) address: String,
    /// Since when deliveries are awaited.
    pub(crate) since: Timestamp,
    /// When the subscriptions were last looked at.
    pub(crate) checked_at: Timestamp,
    /// Whether they were all made.
    pub(crate) is_whole: bool,
    /// When the last good delivery came.
    pub(crate) delivered_at: Option<Timestamp>,
    /// How many good ones came.
    pub(crate) delivered: u64,
    /// How many were not the channel's.
    pub(crate) refused: u64,
}

impl Book {
    /// Keeps deliveries, durably: their orders are read again after `moment`. What came before
    /// within the last days is not kept twice.
    pub(crate) fn keep_deliveries(&mut self, rings: &[Ring], moment: TimeDelta) -> Result<()> {
        let now = self.clock.now();
        self.write_durably("written", |db| {
            let sql = "DELETE FROM deliveries WHERE came_at < ?";
            db.prepare_cached(sql).done("written")?.execute([(now - KNOWN).timestamp_millis()]).done("written")?;
            for ring in rings {
                keep(db, ring, moment, now)?;
            }
            Ok(())
        })
    }

    /// How Instasync stands for the store; `None` where it is off.
    pub(crate) fn hooked(&self, store: i64) -> Result<Option<Hooked>> {
        let sql = "SELECT address, since, checked_at, delivered_at, delivered, refused FROM hooks WHERE store_id = ?";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Hooked {
                address: row.get(0)?,
                since: from_millis(row.get(1)?),
                checked_at: from_millis(row.get::<_, i64>(2)?.saturating_abs()),
                is_whole: row.get::<_, i64>(2)? > 0,
                delivered_at: row.get::<_, Option<i64>>(3)?.map(from_millis),
                delivered: row.get(4)?,
                refused: row.get(5)?,
            })
        };
        self.db.prepare_cached(sql).done("read")?.query_row([store], read).optional().done("read")
    }

    /// The addresses that the store was subscribed to before, to which what failed within so long may be
    /// sent again, and until when; without a time where something may still be subscribed to one.
    pub(crate) fn former_addresses(
        &self,
        store: i64,
        comes_within: TimeDelta,
    ) -> Result<Vec<(String, Option<Timestamp>)>> {
        let sql =
            "SELECT address, left_at FROM former_addresses WHERE store_id = ? AND (left_at IS NULL OR left_at > ?)
                   ORDER BY coalesce(left_at, 9e18) DESC";
        let since = (self.clock.now() - comes_within).timestamp_millis();
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let read = |row: &rusqlite::Row<'_>| {
            let left: Option<i64> = row.get(1)?;
            Ok((row.get(0)?, left.map(|at| from_millis(at) + comes_within)))
        };
        let rows = statement.query_map(params![store, since], read).done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// The store is about to be subscribed to this address: what is made from now on is known, so that
    /// it can be gone on with and taken away.
    pub(crate) fn hook(&mut self, store: i64, address: &str) -> Result<()> {
        let now = self.now_ms();
        self.write_durably("written", |db| {
            let left = "INSERT INTO former_addresses (store_id, address)
                          SELECT store_id, address FROM hooks WHERE store_id = ?1 AND address <> ?2
                        ON CONFLICT DO UPDATE SET left_at = NULL";
            db.execute(left, params![store, address]).done("written")?;
            let back = "DELETE FROM former_addresses WHERE store_id = ? AND address = ?";
            db.execute(back, params![store, address]).done("written")?;
            db.execute(
                "INSERT INTO hooks (store_id, address, since, checked_at) VALUES (?, ?, ?, 0)
                 ON CONFLICT DO UPDATE SET address = excluded.address, checked_at = 0 WHERE address <> excluded.address",
                params![store, address, now],
            )
            .done("written")
            .map(drop)
        })
    }

    /// The store's subscriptions were looked at, and are as they should be.
    pub(crate) fn hooks_checked(&mut self, store: i64, address: &str) -> Result<()> {
        let now = self.now_ms();
        self.write("written", |db| {
            db.execute(
                "INSERT INTO hooks (store_id, address, since, checked_at) VALUES (?1, ?2, ?3, ?3)
                 ON CONFLICT DO UPDATE SET address = excluded.address, checked_at = excluded.checked_at,
                   since = iif(checked_at <= 0, excluded.since, since)",
                params![store, address, now],
            )
            .done("written")?;
            let left = "UPDATE former_addresses SET left_at = ?2 WHERE store_id = ?1 AND left_at IS NULL";
            db.execute(left, [store, now]).done("written")?;
            let old = now - REMEMBERED.num_milliseconds();
            db.execute("DELETE FROM former_addresses WHERE store_id = ? AND left_at < ?", [store, old])
                .done("written")?;
            // As long as nothing comes the first one is enough to know since when.
            let sql = "DELETE FROM unannounced WHERE store_id = ?1 AND found_at < ?2
                         AND (found_at > (SELECT min(found_at) FROM unannounced WHERE store_id = ?1)
                           OR found_at <= (SELECT delivered_at FROM hooks WHERE store_id = ?1))";
            db.execute(sql, [store, old]).done("written").map(drop)
        })
    }

    /// Subscriptions of the store that were missing or switched off are there again: what nothing has
    /// told of before is no sign of a gap any more.
    pub(crate) fn hooks_restored(&mut self, store: i64) -> Result<()> {
        self.write("written", |db| {
            db.execute("DELETE FROM unannounced WHERE store_id = ?", [store]).done("written").map(drop)
        })
    }

    /// The store's subscriptions could not be looked at. Before they were all made, the time of that
    /// is kept as a negative one.
    pub(crate) fn hooks_not_checked(&mut self, store: i64) -> Result<()> {
        let now = self.now_ms();
        self.write("written", |db| {
            let sql = "UPDATE hooks SET checked_at = iif(checked_at > 0, ?1, -?1) WHERE store_id = ?2";
            db.execute(sql, [now, store]).done("written").map(drop)
        })
    }

    /// Counts deliveries that were not the channel's.
    pub(crate) fn count_refused(&mut self, store: i64, refused: u64) -> Result<()> {
        self.write("written", |db| {
            db.execute("UPDATE hooks SET refused = refused + ? WHERE store_id = ?", params![refused, store])
                .done("written")
                .map(drop)
        })
    }

    /// Instasync is off for the store.
    pub(crate) fn unhook(&mut self, store: i64) -> Result<()> {
        self.write("written", |db| {
            // Whom the channel has erased is forgotten all the same.
            for table in ["hooks", "former_addresses", "unannounced", "deliveries"] {
                db.execute(&format!("DELETE FROM {table} WHERE store_id = ?"), [store]).done("written")?;
            }
            Ok(())
        })
    }

    /// Whether a sync has found an order since the subscriptions were looked at that was placed before
    /// `placed`, and nothing has told of it yet.
    pub(crate) fn finds_untold(&self, store: i64, placed: Timestamp) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM unannounced u JOIN hooks h USING (store_id)
                     JOIN orders o ON o.store_id = u.store_id AND o.remote_id = u.remote_id
                   WHERE u.store_id = ? AND u.found_at >= h.checked_at AND o.placed_at < ?)";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        statement.query_row([store, placed.timestamp_millis()], |row| row.get(0)).done("read")
    }

    /// Since when syncs find new orders of the store that nothing has told of, although its
    /// deliveries come within so long. Until a delivery comes, or what was missing is restored.
    pub(crate) fn unannounced_since(&self, store: i64, comes_within: TimeDelta) -> Result<Option<Timestamp>> {
        let now = self.clock.now();
        let sql = "SELECT min(u.found_at) FROM unannounced u LEFT JOIN hooks h USING (store_id)
                   WHERE u.store_id = ?1 AND u.found_at <= ?3
                     AND (u.found_at >= ?2 OR h.delivered_at IS NULL OR h.delivered_at < u.found_at)";
        let (oldest, late) = ((now - REMEMBERED).timestamp_millis(), (now - comes_within).timestamp_millis());
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let at: Option<i64> = statement.query_row([store, oldest, late], |row| row.get(0)).done("read")?;
        Ok(at.map(from_millis))
    }
}

fn keep(db: &Connection, ring: &Ring, moment: TimeDelta, now: Timestamp) -> Result<()> {
    let (store, at) = (ring.store, now.timestamp_millis());
    if let Some(key) = &ring.key {
        let hash = Sha256::digest(key.as_bytes());
        let sql = "INSERT INTO deliveries (store_id, key, came_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
        let kept = db.prepare_cached(sql).done("written")?.execute(params![store, &hash[..16], at]).done("written")?;
        if kept == 0 {
            return Ok(());
        }
    }
    for person in &ring.forget {
        let sql = "INSERT INTO to_forget (store_id, person, told_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
        db.prepare_cached(sql).done("written")?.execute(params![store, person, at]).done("written")?;
    }
    for id in &ring.orders {
        super::rereads::ring(db, store, id, moment, now)?;
        let sql = "DELETE FROM unannounced WHERE store_id = ? AND remote_id = ?";
        db.prepare_cached(sql).done("written")?.execute(params![store, id]).done("written")?;
    }
    let sql = "UPDATE hooks SET delivered = delivered + 1, delivered_at = ? WHERE store_id = ?";
    db.prepare_cached(sql).done("written")?.execute([at, store]).done("written").map(drop)
}

/// A sync has found a new order. Where deliveries are awaited since before it was placed, one should
/// tell of it.
pub(super) fn found(db: &Connection, store: i64, remote_id: &str, placed: Timestamp, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO unannounced (store_id, remote_id, found_at)
               SELECT ?1, ?2, ?3 FROM hooks WHERE store_id = ?1 AND checked_at > 0 AND since <= ?4 AND NOT EXISTS
                 (SELECT 1 FROM rereads WHERE store_id = ?1 AND remote_id = ?2 AND why = 'asked')
               ON CONFLICT DO NOTHING";
    let found = params![store, remote_id, now.timestamp_millis(), placed.timestamp_millis()];
    db.prepare_cached(sql).done("written")?.execute(found).done("written")?;
    Ok(())
}
