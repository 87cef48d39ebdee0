//! How the limits of a store's API stand, for whichever process calls it next.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use super::Book;
use super::error::Done;
use crate::error::Result;

impl Book {
    /// A book that gives up where another process, or another thread, is writing for longer.
    pub(crate) fn in_a_hurry(self, patience: Duration) -> Result<Self> {
        self.db.busy_timeout(patience).done("opened")?;
        Ok(self)
    }

    /// Has `change` work on how a lane of a store stands, in words that are its own; keeps what it
    /// gives, if that is another.
    pub(crate) fn change_lane(
        &mut self,
        store: i64,
        lane: &str,
        change: &mut dyn FnMut(Option<String>) -> Option<String>,
    ) -> Result<()> {
        self.write("written", |db| {
            let kept: Option<String> = db
                .prepare_cached("SELECT standing FROM lanes WHERE store_id = ? AND lane = ?")
                .and_then(|mut found| found.query_row(params![store, lane], |row| row.get(0)).optional())
                .done("read")?;
            let Some(standing) = change(kept.clone()).filter(|standing| Some(standing) != kept.as_ref()) else {
                return Ok(());
            };
            let sql = "INSERT OR REPLACE INTO lanes (store_id, lane, standing) VALUES (?, ?, ?)";
            db.prepare_cached(sql).and_then(|mut put| put.execute(params![store, lane, standing])).done("written")?;
            Ok(())
        })
    }

    /// Forgets how the lanes of a store stand: its channel is asked anew.
    pub(crate) fn forget_lanes(&mut self, store: i64) -> Result<()> {
        self.write("written", |db| {
            db.execute("DELETE FROM lanes WHERE store_id = ?", [store]).done("written").map(drop)
        })
    }
}
