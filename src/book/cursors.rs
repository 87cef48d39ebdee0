//! Where each store's walks stand.

use rusqlite::params;

use super::Book;
use super::error::Done;
use crate::channel::Cursor;
use crate::error::Result;

/// A walk and its position.
#[derive(Debug, Clone)]
pub struct Walk {
    /// Its name: `changes`, or a slice of a first sync.
    pub name: String,
    /// Where it stands.
    pub cursor: Cursor,
    /// Whether it came to its end.
    pub done: bool,
}

impl Book {
    /// The store's walks, by name.
    pub fn walks(&self, store: i64) -> Result<Vec<Walk>> {
        let sql = "SELECT walk, position, done FROM cursors WHERE store_id = ? ORDER BY walk";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement
            .query_map([store], |row| {
                Ok(Walk { name: row.get(0)?, cursor: Cursor::from_stored(row.get(1)?), done: row.get(2)? })
            })
            .done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// Replaces all of the store's walks.
    pub fn plan_walks(&mut self, store: i64, plan: &[(String, Cursor)]) -> Result<()> {
        self.write("written", |db| {
            db.execute("DELETE FROM cursors WHERE store_id = ?", [store]).done("written")?;
            for (walk, cursor) in plan {
                db.execute("INSERT INTO cursors VALUES (?, ?, ?, 0)", params![store, walk, cursor.as_str()])
                    .done("written")?;
            }
            Ok(())
        })
    }

    /// Forgets the finished walks whose names begin with `prefix`.
    pub fn drop_walks(&mut self, store: i64, prefix: &str) -> Result<()> {
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
