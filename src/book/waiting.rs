//! Orders in the waiting time of their stores: not to be sent yet.

use chrono::TimeDelta;

use super::Book;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::order::Status;
use crate::order::waiting::{Times, not_before};

impl Book {
    /// The waiting times of the stores that have one.
    pub(super) fn waits(&self) -> Result<Vec<(i64, TimeDelta)>> {
        let stores = self.stores_of_old()?;
        Ok(stores.iter().filter_map(|store| Some((store.id, store.send_after()?))).collect())
    }

    /// When the waiting time of an order ends, where it is in it.
    pub(super) fn waits_until(
        &self,
        waits: &[(i64, TimeDelta)],
        store: i64,
        status: Status,
        times: Times,
    ) -> Option<Timestamp> {
        let (_, wait) = waits.iter().find(|(id, _)| *id == store)?;
        not_before(*wait, status, times, self.clock.now())
    }

    /// The condition by which an order `o` is in its waiting time; nothing where no store has one.
    /// The same rule as that of [`not_before`], for the index.
    pub(super) fn in_waiting_time(&self) -> Result<Option<String>> {
        let (now, waits) = (self.now_ms(), self.waits()?);
        let since = |wait: &TimeDelta| now.saturating_sub(wait.num_milliseconds());
        let Some(longest) = waits.iter().map(|(_, wait)| since(wait)).min() else { return Ok(None) };
        let of_store = |(id, wait): &(i64, TimeDelta)| {
            let since = since(wait);
            format!("(+o.store_id = {id} AND o.placed_at > {since} AND o.imported_at > {since})")
        };
        let stores: Vec<String> = waits.iter().map(of_store).collect();
        Ok(Some(format!(
            "(o.status = 'awaiting-fulfillment' AND o.placed_at > {longest} AND (o.ship_by IS NULL OR o.ship_by > {now}) AND ({}))",
            stores.join(" OR ")
        )))
    }
}
