//! Where each store's walks stand.

use rusqlite::{Connection, params};

use super::error::Done;
use super::{Book, CursorMove};
use crate::channel::Cursor;
use crate::clock::{Timestamp, from_millis};
use crate::error::Result;

/// Moves a walk. A pass at its end stands where the next one begins: where it was said to when it
/// began, or, where nothing was said (''), where it ended.
const MOVE: &str = "INSERT INTO cursors (store_id, walk, position, done) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET
      position = iif(excluded.done AND again <> '', again, excluded.position), done = excluded.done,
      looked_at = iif(excluded.done AND again IS NOT NULL, ?5, looked_at), again = iif(excluded.done, NULL, again)";

/// A walk and its position.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    /// Its name: `changes`, a slice of a first sync, or a pass.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) cursor: Cursor,
    /// Whether it came to its end.
    pub(crate) done: bool,
    /// When a pass came to its end last.
    pub(crate) looked_at: Option<Timestamp>,
    /// Whether a pass is under way.
    pub(crate) under_way: bool,
}

impl Book {
    /// The store's walks, by name.
    pub(crate) fn walks(&self, store: i64) -> Result<Vec<Walk>> {
        let sql =
            "SELECT walk, position, done, looked_at, again IS NOT NULL FROM cursors WHERE store_id = ? ORDER BY walk";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement
            .query_map([store], |row| {
                Ok(Walk {
                    name: row.get(0)?,
                    cursor: Cursor::from_stored(row.get(1)?),
                    done: row.get(2)?,
                    looked_at: row.get::<_, Option<i64>>(3)?.map(from_millis),
                    under_way: row.get(4)?,
                })
            })
            .done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// Replaces the store's walks, but for those whose names begin with `kept`.
    pub(crate) fn plan_walks(&mut self, store: i64, plan: &[(String, Cursor)], kept: &str) -> Result<()> {
        self.write("written", |db| {
            let others = "DELETE FROM cursors WHERE store_id = ?1 AND substr(walk, 1, length(?2)) <> ?2";
            db.execute(others, params![store, kept]).done("written")?;
            for (walk, cursor) in plan {
                let sql = "INSERT INTO cursors (store_id, walk, position, done) VALUES (?, ?, ?, 0)";
                db.execute(sql, params![store, walk, cursor.as_str()]).done("written")?;
            }
            Ok(())
        })
    }

    /// Takes up a pass that was last read to its end at `looked_at` and begins at `start` the next
    /// time.
    pub(crate) fn add_pass(&mut self, store: i64, walk: &str, start: &Cursor, looked_at: Timestamp) -> Result<()> {
        let sql = "INSERT INTO cursors (store_id, walk, position, done, looked_at) VALUES (?, ?, ?, 1, ?)";
        self.write("written", |db| {
            db.execute(sql, params![store, walk, start.as_str(), looked_at.timestamp_millis()]).done("written")?;
            Ok(())
        })
    }

    /// A pass is under way; the one after it begins at `again`, or where this one ends.
    pub(crate) fn begin_pass(&mut self, store: i64, walk: &str, again: Option<&Cursor>) -> Result<()> {
        let sql = "UPDATE cursors SET again = ?, done = 0 WHERE store_id = ? AND walk = ?";
        self.write("written", |db| {
            let again = again.map_or("", Cursor::as_str);
            db.execute(sql, params![again, store, walk]).done("written")?;
            Ok(())
        })
    }

    /// Forgets the finished walks whose names begin with `prefix`.
    pub(crate) fn drop_walks(&mut self, store: i64, prefix: &str) -> Result<()> {
        let walks = self.walks(store)?;
        if !walks.iter().any(|walk| walk.done && walk.name.starts_with(prefix)) {
            return Ok(());
        }
        self.write("written", |db| {
            db.execute(
                "DELETE FROM cursors WHERE store_id = ?1 AND done AND substr(walk, 1, length(?2)) = ?2",
                params![store, prefix],
            )
            .done("written")?;
            Ok(())
        })
    }
}

/// Moves a walk of the store, in the transaction of what was read up to there.
pub(super) fn advance(db: &Connection, store: i64, to: &CursorMove, now: Timestamp) -> Result<()> {
    db.prepare_cached(MOVE)
        .done("written")?
        .execute(params![store, to.walk, to.cursor.as_str(), to.done, now.timestamp_millis()])
        .done("written")?;
    Ok(())
}
