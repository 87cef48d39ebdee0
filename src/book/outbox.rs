//! The outbox: what is still to be written to channels.
//!
//! `queued` → `sending` (durable before the write goes out) → `sent` (the channel took it) → `confirmed` (read back).
//! `unknown`: the answer was lost. `failed`: refused. `withdrawn`: taken back by the merchant before it went out.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::{Done, odd};
use super::inbox::{InboxNote, put_note};
use super::{Book, rows};
use crate::channel::{ChannelKind, Goal, RemoteOrder, Retracking};
use crate::clock::{Timestamp, from_millis};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Order, Shipment, Status, stored_decimal, sum};

/// What the guard of PRODUCT.md D-1 lets through for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Any difference that matters stops it.
    Check,
    /// The merchant goes on with the version in the book; only a cancellation at the channel stops it.
    AsLocal,
    /// Nothing stops it.
    Force,
}

impl Guard {
    fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::AsLocal => "as-local",
            Self::Force => "force",
        }
    }

    fn from_word(word: &str) -> Result<Self> {
        [Self::Check, Self::AsLocal, Self::Force]
            .into_iter()
            .find(|guard| guard.word() == word)
            .ok_or_else(|| odd("guard", word))
    }
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxState {
    /// Not tried, or surely not applied.
    Queued,
    /// A write is under way; found by another process, its outcome is unknown.
    Sending,
    /// A write went out and its answer was lost.
    Unknown,
    /// The channel took it; not read back yet.
    Sent,
    /// Read back from the channel.
    Confirmed,
    /// Refused by the channel or a guard.
    Failed,
    /// Taken back by the merchant.
    Withdrawn,
}

impl OutboxState {
    const ALL: [Self; 7] =
        [Self::Queued, Self::Sending, Self::Unknown, Self::Sent, Self::Confirmed, Self::Failed, Self::Withdrawn];

    /// The word in JSON and in the book.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn from_word(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word).ok_or_else(|| odd("outbox state", word))
    }
}

impl fmt::Display for OutboxState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A row of the outbox.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// Its number.
    pub id: i64,
    /// Its store's number.
    pub store_id: i64,
    /// Its store's name.
    pub store: String,
    /// The order.
    pub order_id: i64,
    /// The channel's id of the order.
    pub remote_id: String,
    /// The channel's number of the order.
    pub number: String,
    /// What is to be true at the channel.
    pub goal: Goal,
    /// What the guard lets through.
    pub guard: Guard,
    /// Where it stands.
    pub state: OutboxState,
    /// How many writes were begun for it.
    pub attempts: u32,
    /// When it was recorded.
    pub queued_at: Timestamp,
    /// When the last write was begun.
    pub attempted_at: Option<Timestamp>,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// When it was confirmed, refused or withdrawn.
    pub settled_at: Option<Timestamp>,
    /// The write that is or was under way, in words.
    pub doing: String,
    /// What the channel answered.
    pub receipts: Vec<String>,
    /// Why it is not there yet.
    pub error: Option<String>,
}

const ROW: &str = "SELECT x.id, x.store_id, s.name, x.order_id, o.remote_id, o.number, x.goal, x.guard, x.state, x.attempts, x.queued_at,
    x.attempted_at, x.next_at, x.settled_at, x.doing, x.receipts, x.error
    FROM outbox x JOIN orders o ON o.id = x.order_id JOIN stores s ON s.id = x.store_id ";

/// The states of a row that is not settled; as in the partial index.
const OPEN: &str = "('queued', 'sending', 'unknown', 'sent')";

impl Book {
    /// Records a dispatch: shipment, outbox row, local status and history in one durable transaction (PRODUCT.md D-2).
    pub fn record_dispatch(&mut self, order: i64, shipment: &Shipment, guard: Guard) -> Result<i64> {
        let now = self.clock.now();
        self.write_durably("written", |db| {
            let (store, before) = head(db, order)?;
            still_open(db, order, shipment)?;
            let at = Some(shipment.shipped_at.timestamp_millis());
            let number = rows::insert_shipment(
                db,
                order,
                Some(&shipment.key),
                "",
                at,
                shipment.notify,
                &shipment.lines,
                &shipment.parcels,
            )?;
            let after = if shipment.completes { Status::Shipped } else { Status::PartiallyShipped };
            set_status(db, order, after)?;
            rows::note_history(db, order, now, "dispatched", &describe(shipment, before, after))?;
            queue(db, store, order, Some(number), &Goal::Dispatched(shipment.clone()), guard, before, now)
        })
    }

    /// Records a cancellation; with a goal it is also queued for the channel.
    pub fn record_cancel(&mut self, order: i64, goal: Option<(&Goal, Guard)>, reason: &str) -> Result<Option<i64>> {
        let now = self.clock.now();
        self.write_durably("written", |db| {
            let (store, before) = head(db, order)?;
            let already: Option<i64> = db
                .query_row(
                    &format!("SELECT id FROM outbox WHERE order_id = ? AND kind = 'cancel' AND state IN {OPEN}"),
                    [order],
                    |row| row.get(0),
                )
                .optional()
                .done("read")?;
            if already.is_some() {
                return Ok(already);
            }
            set_status(db, order, Status::Cancelled)?;
            let detail = if reason.is_empty() {
                format!("{before} → cancelled")
            } else {
                format!("{before} → cancelled: {reason}")
            };
            rows::note_history(
                db,
                order,
                now,
                if goal.is_some() { "cancelled" } else { "cancelled here only" },
                &detail,
            )?;
            super::inbox::resolve_order(db, order, &["cancelled"], now)?;
            goal.map(|(goal, guard)| queue(db, store, order, None, goal, guard, before, now)).transpose()
        })
    }

    /// Records another tracking number for a parcel that was dispatched, in the shipment and in the outbox.
    ///
    /// # Errors
    /// `NotFound` where no shipment of the order has the old number.
    pub fn record_retracking(&mut self, order: i64, wish: &Retracking) -> Result<i64> {
        let now = self.clock.now();
        self.write_durably("written", |db| {
            let (store, status) = head(db, order)?;
            let parcel: Option<(i64, i64)> = db
                .query_row(
                    "SELECT p.shipment_id, p.position FROM parcels p JOIN shipments s ON s.id = p.shipment_id
                     WHERE s.order_id = ? AND p.tracking = ? ORDER BY s.id DESC LIMIT 1",
                    params![order, wish.was],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()
                .done("read")?;
            let Some((shipment, position)) = parcel else {
                let text = format!("order {order} has no tracking number {}; nothing was recorded", wish.was);
                return Err(
                    Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{order} lists them"))
                );
            };
            let key: Option<String> =
                db.query_row("SELECT key FROM shipments WHERE id = ?", [shipment], |row| row.get(0)).done("read")?;
            db.execute(
                "UPDATE parcels SET carrier = ?, tracking = ?, url = ? WHERE shipment_id = ? AND position = ?",
                params![wish.parcel.carrier, wish.parcel.tracking, wish.parcel.url, shipment, position],
            )
            .done("written")?;
            let detail = format!("{} → {} {}", wish.was, wish.parcel.carrier, wish.parcel.tracking);
            rows::note_history(db, order, now, "tracking replaced", &detail)?;
            let goal = Goal::Retracked(Retracking { shipment: key.unwrap_or_default(), ..wish.clone() });
            queue(db, store, order, None, &goal, Guard::Check, status, now)
        })
    }

    /// The open rows of a store whose time has come (`all`: every open row), the oldest first, one for an order:
    /// what was recorded first for an order goes out first.
    pub fn due(&self, store: i64, now: Timestamp, all: bool) -> Result<Vec<OutboxRow>> {
        let sql = format!(
            "{ROW} WHERE x.store_id = ?1 AND x.state IN {OPEN} AND (?2 OR x.next_at IS NULL OR x.next_at <= ?3)
             AND NOT EXISTS (SELECT 1 FROM outbox y WHERE y.order_id = x.order_id AND y.id < x.id AND y.state IN {OPEN})
             ORDER BY x.id"
        );
        self.outbox_rows(&sql, params![store, all, now.timestamp_millis()])
    }

    /// Every open row of the connected stores.
    pub fn open_outbox(&self) -> Result<Vec<OutboxRow>> {
        let sql = format!(
            "{ROW} WHERE (x.state IN {OPEN} OR (x.state = 'failed' AND x.settled_at IS NOT NULL)) AND s.removed_at IS NULL ORDER BY x.id"
        );
        let mut rows = self.outbox_rows(&sql, [])?;
        // A failed row is open to a retry until something newer was recorded for the same goal.
        let newest: Vec<(i64, &'static str, i64)> =
            rows.iter().map(|row| (row.order_id, row.goal.word(), row.id)).collect();
        rows.retain(|row| {
            row.state != OutboxState::Failed
                || !newest
                    .iter()
                    .any(|(order, word, id)| *order == row.order_id && *word == row.goal.word() && *id > row.id)
        });
        Ok(rows)
    }

    /// The last `limit` rows, whatever became of them.
    pub fn all_outbox(&self, limit: usize) -> Result<Vec<OutboxRow>> {
        let sql = format!("{ROW} ORDER BY x.id DESC LIMIT ?");
        self.outbox_rows(&sql, params![limit])
    }

    /// One row.
    pub fn outbox_row(&self, id: i64) -> Result<Option<OutboxRow>> {
        Ok(self.outbox_rows(&format!("{ROW} WHERE x.id = ?"), [id])?.pop())
    }

    /// The rows of one order.
    pub(super) fn outbox_of(&self, order: i64) -> Result<Vec<OutboxRow>> {
        self.outbox_rows(&format!("{ROW} WHERE x.order_id = ? ORDER BY x.id"), [order])
    }

    /// The receipts of the order's rows of this kind, but for those of one row: what they name belongs to those rows. A row that was taken
    /// back owns nothing.
    pub fn taken(&self, order: i64, goal: &Goal, but: Option<i64>) -> Result<Vec<String>> {
        let sql = "SELECT r.value FROM outbox x, json_each(x.receipts) r
                   WHERE x.order_id = ? AND x.kind = ? AND x.id IS NOT ? AND x.state <> 'withdrawn'";
        column(&self.db, sql, params![order, goal.word(), but])
    }

    /// Whether a write was begun for the order of which it is not settled what became of it.
    pub fn is_unsettled(&self, order: i64) -> Result<bool> {
        let sql =
            format!("SELECT EXISTS (SELECT 1 FROM outbox WHERE order_id = ? AND attempts > 0 AND state IN {OPEN})");
        self.db.prepare_cached(&sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
    }

    /// Adds to a row's receipts what the channel showed to be its own. On the disk before it returns: whatever becomes of the row, no
    /// other one may take this for its own.
    pub fn own(&mut self, id: i64, found: &[String]) -> Result<()> {
        self.write_durably("written", |db| {
            for receipt in found {
                db.execute(
                    "UPDATE outbox SET receipts = json_insert(receipts, '$[#]', ?1)
                     WHERE id = ?2 AND NOT EXISTS (SELECT 1 FROM json_each(receipts) WHERE value = ?1)",
                    params![receipt, id],
                )
                .done("written")?;
            }
            Ok(())
        })
    }

    /// How many rows of a store are open, and since when the oldest of them.
    pub fn outbox_age(&self, store: i64) -> Result<(u64, Option<Timestamp>)> {
        let sql = format!("SELECT count(*), min(queued_at) FROM outbox WHERE store_id = ? AND state IN {OPEN}");
        self.db
            .prepare_cached(&sql)
            .done("read")?
            .query_row([store], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(from_millis))))
            .done("read")
    }

    /// How many dispatches and cancellations of a store were refused for good and are not dealt with: nothing newer was recorded for the
    /// same goal, and the merchant has not marked what the inbox says of the order as done.
    pub fn failed_count(&self, store: i64) -> Result<u64> {
        let sql = "SELECT count(*) FROM outbox x INDEXED BY outbox_failed WHERE x.store_id = ? AND x.state = 'failed'
             AND NOT EXISTS (SELECT 1 FROM outbox y WHERE y.order_id = x.order_id AND y.kind = x.kind AND y.id > x.id)
             AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.order_id = x.order_id AND i.resolved_at >= x.settled_at)";
        self.db.prepare_cached(sql).done("read")?.query_row([store], |row| row.get(0)).done("read")
    }

    /// Marks that a write is about to go out. On the disk before it returns.
    pub fn sending(&mut self, id: i64, doing: &str) -> Result<()> {
        let now = self.now_ms();
        self.write_durably("written", |db| {
            db.execute(
                "UPDATE outbox SET state = 'sending', attempts = attempts + 1, attempted_at = ?, doing = ?, error = NULL, error_kind = NULL WHERE id = ?",
                params![now, doing, id],
            )
            .done("written")?;
            Ok(())
        })
    }

    /// Moves a row to the state that an attempt left it in.
    pub fn settle(
        &mut self,
        id: i64,
        state: OutboxState,
        error: Option<&Error>,
        next_at: Option<Timestamp>,
        receipt: Option<&str>,
    ) -> Result<()> {
        self.write_durably("written", |db| {
            db.execute(
                "UPDATE outbox SET state = ?1, error_kind = ?2, error = ?3, next_at = ?4,
                   receipts = CASE WHEN ?5 IS NULL THEN receipts ELSE json_insert(receipts, '$[#]', ?5) END
                 WHERE id = ?6",
                params![
                    state.word(),
                    error.map(|e| e.kind().word()),
                    error.map(|e| e.message().to_owned()),
                    next_at.map(|at| at.timestamp_millis()),
                    receipt,
                    id
                ],
            )
            .done("written")?;
            Ok(())
        })
    }

    /// The goal is reached, as read back from the channel. `only_ours` tells that nothing but our own write changed the order: then
    /// the version read back is what the merchant has seen; else it is kept beside the copy.
    pub fn confirm(&mut self, id: i64, now_there: &RemoteOrder, only_ours: bool) -> Result<()> {
        let now = self.clock.now();
        let documents = std::mem::take(&mut self.documents);
        let result = self.write_durably("written", |db| {
            let (order, kind, word): (i64, String, String) = db
                .query_row(
                    "SELECT x.order_id, x.kind, s.channel FROM outbox x JOIN stores s ON s.id = x.store_id WHERE x.id = ?",
                    [id],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .done("read")?;
            db.execute(
                "UPDATE outbox SET state = 'confirmed', settled_at = ?, next_at = NULL, error = NULL, error_kind = NULL WHERE id = ?",
                params![now.timestamp_millis(), id],
            )
            .done("written")?;
            if kind == "cancel" {
                // A version accepted meanwhile may have opened it again.
                set_status(db, order, Status::Cancelled)?;
            }
            rows::note_history(db, order, now, "confirmed by the channel", &kind)?;
            super::inbox::resolve_order(db, order, &["rejected"], now)?;
            let Ok(seen) = &now_there.order else { return Ok(()) };
            let channel = ChannelKind::from_word(&word).ok_or_else(|| odd("channel", &word))?;
            let role = if only_ours { "base" } else { "newest" };
            let print = super::import::fingerprint(seen);
            super::import::put_version(db, &documents, channel, order, role, now_there, seen.updated_at, &print)?;
            if only_ours {
                db.execute("DELETE FROM versions WHERE order_id = ? AND role = 'newest'", [order]).done("written")?;
                db.execute(
                    "UPDATE orders SET channel_status = ?, updated_at = ?, paid_at = coalesce(paid_at, ?) WHERE id = ?",
                    params![
                        seen.channel_status,
                        seen.updated_at.timestamp_millis(),
                        seen.paid_at.map(|at| at.timestamp_millis()),
                        order
                    ],
                )
                .done("written")?;
            }
            Ok(())
        });
        self.documents = documents;
        result
    }

    /// Stops a row for good and tells the merchant.
    pub fn refuse(&mut self, id: i64, error: &Error, note: &InboxNote) -> Result<()> {
        let now = self.clock.now();
        self.write_durably("written", |db| {
            let (store, order): (i64, i64) = db
                .query_row("SELECT store_id, order_id FROM outbox WHERE id = ?", [id], |row| Ok((row.get(0)?, row.get(1)?)))
                .done("read")?;
            db.execute(
                "UPDATE outbox SET state = 'failed', settled_at = ?, next_at = NULL, error_kind = ?, error = ? WHERE id = ?",
                params![now.timestamp_millis(), error.kind().word(), error.message(), id],
            )
            .done("written")?;
            rows::note_history(db, order, now, "refused", error.message())?;
            put_note(db, Some(store), Some(order), &format!("outbox {id}"), note, now)
        })
    }

    /// Makes a row due now. What may have been applied stays to be looked for first.
    pub fn retry(&mut self, id: i64) -> Result<()> {
        let now = self.clock.now();
        self.write_durably("written", |db| {
            db.execute(
                // What a cancellation that was refused left behind (the id of a failed job) says nothing of the new attempt.
                "UPDATE outbox SET next_at = NULL, settled_at = NULL,
                   receipts = CASE WHEN state = 'failed' AND kind = 'cancel' THEN '[]' ELSE receipts END,
                   state = CASE state WHEN 'failed' THEN CASE WHEN attempts > 0 THEN 'unknown' ELSE 'queued' END ELSE state END
                 WHERE id = ?",
                [id],
            )
            .done("written")?;
            let order: i64 = db.query_row("SELECT order_id FROM outbox WHERE id = ?", [id], |row| row.get(0)).done("read")?;
            super::inbox::resolve_order(db, order, &["rejected"], now)
        })
    }

    /// Takes back what has not gone out: the order is as it was before.
    ///
    /// # Errors
    /// `Refused` where a write was begun: it may have reached the channel.
    pub fn withdraw(&mut self, id: i64) -> Result<()> {
        let now = self.clock.now();
        self.write_durably("written", |db| {
            let found: Option<(i64, String, u32, Option<i64>, String, String)> = db
                .query_row(
                    "SELECT order_id, state, attempts, shipment_id, status_before, goal FROM outbox WHERE id = ?",
                    [id],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)),
                )
                .optional()
                .done("read")?;
            let Some((order, state, attempts, shipment, before, goal)) = found else {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("the outbox has no row {id}; nothing was changed"),
                ));
            };
            if !matches!(state.as_str(), "queued" | "failed") || attempts > 0 {
                let text = format!("what row {id} writes may have reached the channel; it was not taken back");
                return Err(Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{order}")));
            }
            let later: bool = db
                .query_row(
                    "SELECT EXISTS (SELECT 1 FROM outbox WHERE order_id = ? AND id > ? AND state <> 'withdrawn')",
                    [order, id],
                    |row| row.get(0),
                )
                .done("read")?;
            if later {
                let text = format!("something newer was recorded for order {order}; row {id} was not taken back");
                return Err(
                    Error::new(ErrorKind::Refused, text).hint("take the newer one back first: ordersync outbox")
                );
            }
            db.execute(
                "UPDATE outbox SET state = 'withdrawn', settled_at = ?, shipment_id = NULL WHERE id = ?",
                params![now.timestamp_millis(), id],
            )
            .done("written")?;
            if let Some(shipment) = shipment {
                db.execute("DELETE FROM shipments WHERE id = ?", [shipment]).done("written")?;
            }
            if let Ok(Goal::Retracked(wish)) = serde_json::from_str(&goal) {
                db.execute(
                    "UPDATE parcels SET tracking = ?1 WHERE tracking = ?2 AND shipment_id IN (SELECT id FROM shipments WHERE order_id = ?3)",
                    params![wish.was, wish.parcel.tracking, order],
                )
                .done("written")?;
            }
            let before: Status = before.parse().map_err(|_| odd("status", &before))?;
            set_status(db, order, before)?;
            super::inbox::resolve_order(db, order, &["rejected"], now)?;
            rows::note_history(db, order, now, "taken back before it went out", before.word())
        })
    }

    fn outbox_rows(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<OutboxRow>> {
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement.query_map(params, outbox_row).done("read")?;
        rows.map(|row| row.done("read")?).collect()
    }
}

fn outbox_row(row: &Row<'_>) -> rusqlite::Result<Result<OutboxRow>> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|ms| ms.map(from_millis));
    let (goal, guard, state): (String, String, String) = (row.get(6)?, row.get(7)?, row.get(8)?);
    let parsed = (|| {
        let goal = serde_json::from_str(&goal).map_err(|_| odd("task", "goal"))?;
        Ok((goal, Guard::from_word(&guard)?, OutboxState::from_word(&state)?))
    })();
    let (goal, guard, state) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(OutboxRow {
        id: row.get(0)?,
        store_id: row.get(1)?,
        store: row.get(2)?,
        order_id: row.get(3)?,
        remote_id: row.get(4)?,
        number: row.get(5)?,
        goal,
        guard,
        state,
        attempts: row.get(9)?,
        queued_at: time(10)?.unwrap_or_default(),
        attempted_at: time(11)?,
        next_at: time(12)?,
        settled_at: time(13)?,
        doing: row.get(14)?,
        receipts: serde_json::from_str(&row.get::<_, String>(15)?).unwrap_or_default(),
        error: row.get(16)?,
    }))
}

fn head(db: &Connection, order: i64) -> Result<(i64, Status)> {
    let (store, word): (i64, String) = db
        .query_row("SELECT store_id, status FROM orders WHERE id = ?", [order], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .done("read")?
        .ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("no order {order} is in the book; nothing was recorded"))
        })?;
    Ok((store, word.parse().map_err(|_| odd("status", &word))?))
}

/// Two terminals may dispatch the same order at the same time: what is recorded is held against what is left inside the transaction.
fn still_open(db: &Connection, order: i64, shipment: &Shipment) -> Result<()> {
    for line in &shipment.lines {
        let texts: Vec<String> = db
            .prepare_cached(
                "SELECT sl.quantity FROM shipment_lines sl JOIN shipments sh ON sh.id = sl.shipment_id WHERE sh.order_id = ? AND sl.line_id = ?",
            )
            .done("read")?
            .query_map(params![order, line.line_id], |row| row.get(0))
            .done("read")?
            .collect::<rusqlite::Result<_>>()
            .done("read")?;
        let shipped = sum(texts.iter().filter_map(|text| stored_decimal(text).ok()));
        let ordered: Option<String> = db
            .prepare_cached("SELECT quantity FROM lines WHERE order_id = ? AND remote_id = ?")
            .done("read")?
            .query_row(params![order, line.line_id], |row| row.get(0))
            .optional()
            .done("read")?;
        let ordered = ordered.and_then(|text| stored_decimal(&text).ok()).unwrap_or_default();
        if shipped.saturating_add(line.quantity) > ordered {
            let text = format!("order {order} was dispatched just now by another command; nothing was recorded twice");
            return Err(Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{order}")));
        }
    }
    Ok(())
}

/// Takes back the merchant's own confirmed dispatches that the channel has undone since (a fulfilment cancelled there): what was in them is
/// open again. Only what `before` showed and `seen` does not counts as undone, as many a channel never shows a dispatch in its orders.
pub(super) fn undo_dispatches(db: &Connection, order: i64, before: &Order, seen: &Order, now: Timestamp) -> Result<()> {
    let confirmed = column::<i64>(
        db,
        "SELECT sh.id FROM shipments sh JOIN outbox x ON x.shipment_id = sh.id AND x.kind = 'dispatch' AND x.state = 'confirmed'
         WHERE sh.order_id = ? AND sh.key IS NOT NULL",
        [order],
    )?;
    for shipment in confirmed {
        let numbers = column::<String>(db, "SELECT tracking FROM parcels WHERE shipment_id = ?", [shipment])?;
        let undone = if numbers.is_empty() {
            !before.shipments.is_empty() && seen.shipments.is_empty()
        } else {
            numbers.iter().all(|number| shows(before, number) && !shows(seen, number))
        };
        if undone {
            db.execute("UPDATE outbox SET shipment_id = NULL WHERE shipment_id = ?", [shipment]).done("written")?;
            db.execute("DELETE FROM shipments WHERE id = ?", [shipment]).done("written")?;
            rows::note_history(db, order, now, "dispatch undone at the channel", &numbers.join(", "))?;
        }
    }
    Ok(())
}

fn shows(order: &Order, number: &str) -> bool {
    let parcels = order.shipments.iter().flat_map(|shipment| &shipment.parcels);
    parcels.into_iter().any(|parcel| crate::order::names_number(&parcel.tracking, number))
}

fn column<T: rusqlite::types::FromSql>(db: &Connection, sql: &str, about: impl rusqlite::Params) -> Result<Vec<T>> {
    let mut statement = db.prepare_cached(sql).done("read")?;
    let rows = statement.query_map(about, |row| row.get(0)).done("read")?;
    rows.collect::<rusqlite::Result<_>>().done("read")
}

/// Gives an order whose copy was just made from the channel's version the status that the merchant's own acts have brought it to: a
/// cancellation on its way, and what is recorded as dispatched.
pub(super) fn stand_by_own_acts(db: &Connection, order: i64, status: Status) -> Result<()> {
    let cancelled: bool = db
        .query_row(
            &format!("SELECT EXISTS (SELECT 1 FROM outbox WHERE order_id = ? AND kind = 'cancel' AND state IN {OPEN})"),
            [order],
            |row| row.get(0),
        )
        .done("read")?;
    let own = if cancelled { Status::Cancelled } else { rows::after_dispatches(db, order, status)? };
    if own == status { Ok(()) } else { set_status(db, order, own) }
}

fn set_status(db: &Connection, order: i64, status: Status) -> Result<()> {
    db.execute("UPDATE orders SET status = ? WHERE id = ?", params![status.word(), order]).done("written")?;
    Ok(())
}

#[allow(clippy::too_many_arguments)]
fn queue(
    db: &Connection,
    store: i64,
    order: i64,
    shipment: Option<i64>,
    goal: &Goal,
    guard: Guard,
    before: Status,
    now: Timestamp,
) -> Result<i64> {
    let text = serde_json::to_string(goal).map_err(|_| odd("task", "goal"))?;
    db.execute(
        "INSERT INTO outbox (store_id, order_id, shipment_id, kind, goal, guard, state, status_before, queued_at)
         VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?)",
        params![store, order, shipment, goal.word(), text, guard.word(), before.word(), now.timestamp_millis()],
    )
    .done("written")?;
    Ok(db.last_insert_rowid())
}

fn describe(shipment: &Shipment, before: Status, after: Status) -> String {
    let parcels: Vec<String> =
        shipment.parcels.iter().map(|p| format!("{} {}", p.carrier, p.tracking).trim().to_owned()).collect();
    let tracking = if parcels.is_empty() { "no tracking".to_owned() } else { parcels.join(", ") };
    format!("{before} → {after}, {tracking}")
}
