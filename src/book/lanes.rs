//! How the limits of a store's API stand, for whichever process calls it next.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use super::Book;
use super::error::Done;
use crate::channel::Quota;
use crate::clock::Timestamp;
use crate::error::Result;

/// What the requests of a day are kept under. No lane has such a name.
const DAY: &str = "24 hours";

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

    /// Keeps what an answer has told just now of the requests that the channel permits in a day.
    pub(crate) fn keep_quota(&mut self, store: i64, told: Quota) -> Result<()> {
        let told = serde_json::to_string(&(self.clock.now(), told)).ok();
        self.change_lane(store, DAY, &mut |_| told.clone())
    }

    /// What an answer has told last of the requests that the channel permits in a day, and when.
    pub(crate) fn told_quota(&self, store: i64) -> Result<Option<(Timestamp, Quota)>> {
        let sql = "SELECT standing FROM lanes WHERE store_id = ? AND lane = ?";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let told: Option<String> =
            statement.query_row(params![store, DAY], |row| row.get(0)).optional().done("read")?;
        // By a clock that was ahead it was not told yet.
        let meant = |(at, _): &(Timestamp, Quota)| *at <= self.clock.now();
        Ok(told.and_then(|told| serde_json::from_str(&told).ok()).filter(meant))
    }

    /// Forgets how the lanes of a store stand: its channel is asked anew.
    pub(crate) fn forget_lanes(&mut self, store: i64) -> Result<()> {
        self.write("written", |db| {
            db.execute("DELETE FROM lanes WHERE store_id = ?", [store]).done("written").map(drop)
        })
    }
}
