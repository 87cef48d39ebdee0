//! A row of the outbox that is confirmed: the channel shows what it was to reach.

use rusqlite::{Connection, params};

use super::acts::{has_moved, set_status, stand_by_own_acts, subject};
use super::arrived::fingerprint;
use super::error::{Done, odd};
use super::import::{Kept, put_version, tell};
use super::inbox::{self, InboxNote, put_note};
use super::outbox::OutboxState;
use super::trail::{self, By, Who};
use super::{Book, accepted, changes, copy};
use crate::channel::{ChannelKind, RemoteOrder};
use crate::error::Result;
use crate::order::{Field, Order, Status};

/// What becomes of a version in which more has changed than by an act of the merchant.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// What becomes of the rest.
    pub(crate) kept: Kept,
    /// The fields that the act has made: they are the merchant's, and differ no more.
    pub(crate) own: Vec<Field>,
}

impl Book {
    /// The goal is reached, as read back from the channel. Where nothing but our own write changed
    /// the order, the version read back is what the merchant has seen; else it is kept `beside` the
    /// copy, which takes the facts in it and what is our own, and the merchant is told what is to be
    /// told of it. `note`
    /// is what the merchant is to know of the act. Gives `false`, and changes nothing, where the
    /// order is not as it was at its event `seen`, or the row is settled: then what was read back is
    /// to be looked at again.
    pub(crate) fn confirm(
        &mut self,
        id: i64,
        seen: Option<i64>,
        now_there: &RemoteOrder,
        note: Option<&InboxNote>,
        beside: Option<&Beside>,
    ) -> Result<bool> {
        let by = self.by(Who::Channel);
        let documents = std::mem::take(&mut self.documents);
        let result = self.write_durably("written", |db| {
            let (row, state) = Confirmed::read(db, id)?;
            if has_moved(db, row.order, seen)? || !state.is_open() {
                return Ok(false);
            }
            row.settle(db, id, by)?;
            if let Some(note) = note {
                put_note(db, Some(row.store), Some(row.order), &subject(id), note, by.at)?;
            }
            let Ok(seen) = &now_there.order else { return Ok(true) };
            let role = if beside.is_none() { "base" } else { "newest" };
            let (codec, packed) = documents.pack(row.channel, now_there.document.get().as_bytes())?;
            put_version(db, row.order, role, (codec, &packed), seen.updated_at, &fingerprint(seen))?;
            match beside {
                Some(beside) => row.keep_beside(db, seen, beside, by)?,
                None => row.take_over(db, seen, by)?,
            }
            Ok(true)
        });
        self.documents = documents;
        result
    }
}

/// What a row that is confirmed is about.
struct Confirmed {
    order: i64,
    store: i64,
    channel: ChannelKind,
    kind: String,
}

impl Confirmed {
    /// The row, and how it stands.
    fn read(db: &Connection, id: i64) -> Result<(Self, OutboxState)> {
        let sql = "SELECT x.order_id, x.store_id, x.kind, s.channel, x.state
                   FROM outbox x JOIN stores s ON s.id = x.store_id WHERE x.id = ?";
        let (order, store, kind, word, state): (i64, i64, String, String, String) = db
            .query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
            .done("read")?;
        let channel = ChannelKind::from_word(&word).ok_or_else(|| odd("channel", &word))?;
        Ok((Self { order, store, channel, kind }, OutboxState::from_word(&state)?))
    }

    fn is_cancellation(&self) -> bool {
        self.kind == "cancel"
    }

    /// A version that came or was accepted meanwhile may have opened the order again.
    fn cancel(&self, db: &Connection) -> Result<()> {
        if self.is_cancellation() { set_status(db, self.order, Status::Cancelled) } else { Ok(()) }
    }

    fn settle(&self, db: &Connection, id: i64, by: By) -> Result<()> {
        db.execute(
            "UPDATE outbox SET state = 'confirmed', settled_at = ?, next_at = NULL, error = NULL, error_kind = NULL WHERE id = ?",
            params![by.at.timestamp_millis(), id],
        )
        .done("written")?;
        self.cancel(db)?;
        trail::note(db, self.order, by, "confirmed by the channel", &self.kind)?;
        inbox::resolve_order(db, self.order, &["rejected", "unseen"], by.at)?;
        if self.is_cancellation() {
            inbox::resolve_order(db, self.order, &["cancelled", inbox::GIVEN_BACK], by.at)?;
        }
        Ok(())
    }

    /// What was read back differs by more than our own write: the copy takes the facts in it.
    fn keep_beside(&self, db: &Connection, seen: &Order, beside: &Beside, by: By) -> Result<()> {
        let Beside { kept: beside, own } = beside;
        match beside.fates.as_slice() {
            [] => changes::put_unknown(db, self.order)?,
            fates => changes::put(db, self.order, fates)?,
        }
        if let Some(fact) = &beside.copy {
            copy::replace_copy(db, self.order, fact, by)?;
            stand_by_own_acts(db, self.order, fact.status)?;
            self.cancel(db)?;
        }
        if !own.is_empty() {
            accepted::settle(db, self.order, own)?;
            changes::forget_rejections(db, self.order, own)?;
            self.stand_as_there(db, seen)?;
        }
        // Where what differs is not known, nothing that was told before is settled by it.
        if beside.fates.is_empty() { Ok(()) } else { tell(db, self.order, seen, beside, by) }
    }

    /// What was read back is what the merchant has seen.
    fn take_over(&self, db: &Connection, seen: &Order, by: By) -> Result<()> {
        changes::forget(db, self.order)?;
        db.execute("DELETE FROM versions WHERE order_id = ? AND role = 'newest'", [self.order]).done("written")?;
        if self.is_cancellation() {
            // What it gave back and took off is in the sums and pieces from now on.
            copy::replace_copy(db, self.order, seen, by)?;
            self.cancel(db)?;
        }
        self.stand_as_there(db, seen)?;
        // Nothing differs any more, so what was told of an older version is settled by it.
        tell(db, self.order, seen, &Kept::default(), by)
    }

    /// How the order stands at the channel after our act.
    fn stand_as_there(&self, db: &Connection, seen: &Order) -> Result<()> {
        db.execute(
            "UPDATE orders SET channel_status = ?, updated_at = ?, paid_at = coalesce(paid_at, ?) WHERE id = ?",
            params![
                seen.channel_status,
                seen.updated_at.timestamp_millis(),
                seen.paid_at.map(|at| at.timestamp_millis()),
                self.order
            ],
        )
        .done("written")?;
        Ok(())
    }
}
