//! The outbox: what is still to be written to channels.
//!
//! `queued` → `sending` (durable before the write goes out) → `sent` (the channel took it) →
//! `confirmed` (read back). `unknown`: the answer was lost. `failed`: refused. `withdrawn`: taken
//! back by the merchant before it went out.

use std::fmt;

use rusqlite::{Row, params};

use super::acts::column;
use super::error::{Done, odd};
use super::inbox::{InboxKind, InboxNote, put_note};

use super::{Book, outward};
use crate::channel::Goal;
use crate::clock::{Timestamp, from_millis};
use crate::error::{Error, Result};

/// What the guard of D-1 lets through for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Any difference that matters stops it.
    Check,
    /// The merchant goes on with the version in the book; only a cancellation at the channel stops
    /// it.
    AsLocal,
    /// Nothing stops it.
    Force,
}

impl Guard {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::AsLocal => "as-local",
            Self::Force => "force",
        }
    }

    pub(super) fn from_word(word: &str) -> Result<Self> {
        [Self::Check, Self::AsLocal, Self::Force]
            .into_iter()
            .find(|guard| guard.word() == word)
            .ok_or_else(|| odd("guard", word))
    }
}

/// What a dispatch may go out in spite of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leave {
    /// Of what has changed.
    pub(crate) guard: Guard,
    /// Of its not being paid.
    pub(crate) unpaid: bool,
    /// Of its being on hold.
    pub(crate) on_hold: bool,
    /// Of the same having gone out, or the same sale having come to an end in another store: another
    /// box really goes out.
    pub(crate) again: bool,
    /// Of its being a test.
    pub(crate) test_order: bool,
}

impl Leave {
    /// What is no dispatch goes out whatever a dispatch waits for.
    pub(crate) fn of_no_dispatch(guard: Guard) -> Self {
        Self { guard, unpaid: true, on_hold: true, again: true, test_order: true }
    }
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutboxState {
    /// Not tried, or turned down.
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

    /// Whether it is not settled.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::Unknown | Self::Sent)
    }

    /// The word in JSON and in the book.
    pub(crate) fn word(self) -> &'static str {
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

    pub(super) fn from_word(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word).ok_or_else(|| odd("outbox state", word))
    }
}

impl fmt::Display for OutboxState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Whether a write may go out.
#[derive(Debug)]
pub(crate) enum Sending {
    /// It is marked as under way.
    Begun,
    /// The merchant has taken the row back.
    TakenBack,
    /// The order is on hold here: the row waits.
    Held(Error),
}

/// A row of the outbox.
#[derive(Debug, Clone)]
pub(crate) struct OutboxRow {
    /// Its number.
    pub(crate) id: i64,
    /// Its store's number.
    pub(crate) store_id: i64,
    /// Its store's name.
    pub(crate) store: String,
    /// The order.
    pub(crate) order_id: i64,
    /// The channel's id of the order.
    pub(crate) remote_id: String,
    /// The channel's number of the order.
    pub(crate) number: String,
    /// What is to be true at the channel.
    pub(crate) goal: Goal,
    /// What it may go out in spite of.
    pub(crate) leave: Leave,
    /// Where it stands.
    pub(crate) state: OutboxState,
    /// How many writes were begun for it.
    pub(crate) attempts: u32,
    /// Whether something of it may be at the channel: a write was begun of which it is not sure
    /// that it came to nothing.
    pub(crate) may_be_there: bool,
    /// Whether the channel took a write of it.
    pub(crate) took: bool,
    /// When it was recorded.
    pub(crate) queued_at: Timestamp,
    /// When the last write was begun.
    pub(crate) attempted_at: Option<Timestamp>,
    /// When it is tried again.
    pub(crate) next_at: Option<Timestamp>,
    /// When it was confirmed, refused or withdrawn.
    pub(crate) settled_at: Option<Timestamp>,
    /// The write that is or was under way, in words.
    pub(crate) doing: String,
    /// What the channel answered.
    pub(crate) receipts: Vec<String>,
    /// The marks of the writes that the channel took: none of them is made again by itself.
    pub(crate) acknowledged: Vec<String>,
    /// How often in a row it was looked for in vain what the channel took or may have taken.
    pub(crate) looks: u32,
    /// The shipment that it tells the channel of, as long as it stands in the book.
    pub(crate) shipment: Option<i64>,
    /// Whether it waits because the order, or another one of the same sale, is on hold here.
    pub(crate) held: bool,
    /// Why it is not there yet.
    pub(crate) error: Option<String>,
}

/// What of a store's outbox is still on its way.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeftToSend {
    /// So many dispatches and cancellations.
    pub(crate) open: u64,
    /// Of these, what may be at the channel already.
    pub(crate) unknown: u64,
    /// Of these, what is not tried before its time has come.
    pub(crate) put_off: u64,
    /// When the first of what is put off is tried.
    pub(crate) next_at: Option<Timestamp>,
}

/// Whether the row `x` waits because its order, or another order of the same sale, is on hold here.
/// What may be at the channel is not stopped by that.
macro_rules! held {
    () => {
        "(x.kind = 'dispatch' AND x.written = 'no' AND NOT x.on_hold AND x.state IN ('queued', 'sending', 'unknown', 'sent')
          AND (EXISTS (SELECT 1 FROM holds h WHERE h.order_id = x.order_id)
            OR EXISTS (SELECT 1 FROM twins t JOIN holds h ON h.order_id = t.twin_id JOIN orders w ON w.id = t.twin_id
              WHERE t.order_id = x.order_id AND t.state <> 'denied' AND w.status = 'on-hold')))"
    };
}

const HELD: &str = held!();

const ROW: &str = concat!(
    "SELECT x.id, x.store_id, s.name, x.order_id, o.remote_id, o.number, x.goal, x.guard, x.state, x.attempts, x.queued_at,
    x.attempted_at, x.next_at, x.settled_at, x.doing, x.receipts, x.error, x.shipment_id, x.unpaid, x.acknowledged, x.looks, x.on_hold,
    x.written <> 'no', x.written = 'yes', x.again, ",
    held!(),
    " FROM outbox x JOIN orders o ON o.id = x.order_id JOIN stores s ON s.id = x.store_id "
);

/// The states of a row that is not settled; as in the partial index.
pub(super) const OPEN: &str = "('queued', 'sending', 'unknown', 'sent')";

/// How many rows of a store were refused for good and are not dealt with.
pub(super) const FAILED: &str =
    "SELECT count(*) FROM outbox x INDEXED BY outbox_failed WHERE x.store_id = ? AND x.state = 'failed'
    AND NOT EXISTS (SELECT 1 FROM outbox y WHERE y.order_id = x.order_id AND y.kind = x.kind AND y.id > x.id)
    AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.order_id = x.order_id AND i.resolved_at >= x.settled_at)";

impl Book {
    /// The open rows of a store whose time has come (`all`: every open row), the oldest first, one
    /// for an order: what was recorded first for an order goes out first. What is on hold here waits.
    pub(crate) fn due(&self, store: i64, now: Timestamp, all: bool) -> Result<Vec<OutboxRow>> {
        let sql = format!(
            "{ROW} WHERE x.store_id = ?1 AND x.state IN {OPEN} AND (?2 OR x.next_at IS NULL OR x.next_at <= ?3 OR x.next_at > ?4)
             AND NOT EXISTS (SELECT 1 FROM outbox y WHERE y.order_id = x.order_id AND y.id < x.id AND y.state IN {OPEN})
             AND NOT {HELD} ORDER BY x.id"
        );
        let now = now.timestamp_millis();
        self.outbox_rows(&sql, params![store, all, now, now.saturating_add(super::NO_PAUSE_IS_LONGER)])
    }

    /// What of a store's outbox is still on its way; not what is on hold here.
    pub(crate) fn left_to_send(&self, store: i64) -> Result<LeftToSend> {
        let sql = format!(
            "SELECT count(*), coalesce(sum(state IN ('sending', 'unknown')), 0), coalesce(sum(next_at > ?2), 0),
               min(CASE WHEN next_at > ?2 THEN next_at END)
             FROM outbox x WHERE store_id = ?1 AND state IN {OPEN} AND NOT {HELD}"
        );
        let read = |row: &Row<'_>| {
            Ok(LeftToSend {
                open: row.get(0)?,
                unknown: row.get(1)?,
                put_off: row.get(2)?,
                next_at: row.get::<_, Option<i64>>(3)?.map(from_millis),
            })
        };
        self.db.prepare_cached(&sql).done("read")?.query_row([store, self.now_ms()], read).done("read")
    }

    /// Every open row of stores that are not connected any more: nobody sends them.
    pub(crate) fn stranded_outbox(&self) -> Result<Vec<OutboxRow>> {
        self.outbox_rows(&format!("{ROW} WHERE x.state IN {OPEN} AND s.removed_at IS NOT NULL ORDER BY x.id"), [])
    }

    /// Every open row of the connected stores.
    pub(crate) fn open_outbox(&self) -> Result<Vec<OutboxRow>> {
        // A failed row is open to a retry until something newer was recorded for the same goal.
        let sql = format!(
            "{ROW} WHERE (x.state IN {OPEN} OR (x.state = 'failed' AND x.settled_at IS NOT NULL AND NOT EXISTS
               (SELECT 1 FROM outbox y WHERE y.order_id = x.order_id AND y.kind = x.kind AND y.id > x.id AND y.state <> 'withdrawn')))
             AND s.removed_at IS NULL ORDER BY x.id"
        );
        self.outbox_rows(&sql, [])
    }

    /// The last `limit` rows, whatever became of them.
    pub(crate) fn all_outbox(&self, limit: usize) -> Result<Vec<OutboxRow>> {
        let sql = format!("{ROW} ORDER BY x.id DESC LIMIT ?");
        self.outbox_rows(&sql, params![limit])
    }

    /// One row.
    pub(crate) fn outbox_row(&self, id: i64) -> Result<Option<OutboxRow>> {
        Ok(self.outbox_rows(&format!("{ROW} WHERE x.id = ?"), [id])?.pop())
    }

    /// The rows of one order.
    pub(super) fn outbox_of(&self, order: i64) -> Result<Vec<OutboxRow>> {
        self.outbox_rows(&format!("{ROW} WHERE x.order_id = ? ORDER BY x.id"), [order])
    }

    /// The receipts of the order's rows of this kind, but for those of one row: what they name
    /// belongs to those rows. A row that was taken back owns nothing.
    pub(crate) fn receipts_of_others(&self, order: i64, goal: &Goal, but: Option<i64>) -> Result<Vec<String>> {
        let sql = "SELECT r.value FROM outbox x, json_each(x.receipts) r
                   WHERE x.order_id = ? AND x.kind = ? AND x.id IS NOT ? AND x.state <> 'withdrawn'";
        column(&self.db, sql, params![order, goal.word(), but])
    }

    /// Whether a write was begun for the order of which it is not settled what became of it.
    pub(crate) fn is_unsettled(&self, order: i64) -> Result<bool> {
        let sql =
            format!("SELECT EXISTS (SELECT 1 FROM outbox WHERE order_id = ? AND written <> 'no' AND state IN {OPEN})");
        self.db.prepare_cached(&sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
    }

    /// The times of the versions that the channel has shown of an order and that are in the book,
    /// the newest last.
    pub(crate) fn shown(&self, order: i64) -> Result<Vec<Timestamp>> {
        let sql = "SELECT updated_at FROM versions WHERE order_id = ? ORDER BY updated_at";
        let times: Vec<i64> = column(&self.db, sql, [order])?;
        Ok(times.into_iter().map(from_millis).collect())
    }

    /// Adds to a row's receipts what the channel showed to be its own. On the disk before it
    /// returns: whatever becomes of the row, no other one may take this for its own.
    pub(crate) fn own(&mut self, id: i64, found: &[String]) -> Result<()> {
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

    /// How many rows of a store are open, and since when the oldest of them waits for its channel: what
    /// is on hold here waits for the merchant.
    pub(crate) fn outbox_age(&self, store: i64) -> Result<(u64, Option<Timestamp>)> {
        let sql = format!(
            "SELECT count(*), min(CASE WHEN NOT {HELD} THEN queued_at END) FROM outbox x WHERE store_id = ? AND state IN {OPEN}"
        );
        self.db
            .prepare_cached(&sql)
            .done("read")?
            .query_row([store], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(from_millis))))
            .done("read")
    }

    /// How many dispatches and cancellations of a store were refused for good and are not dealt
    /// with: nothing newer was recorded for the same goal, and the merchant has not marked what the
    /// inbox says of the order as done.
    pub(crate) fn failed_count(&self, store: i64) -> Result<u64> {
        self.db.prepare_cached(FAILED).done("read")?.query_row([store], |row| row.get(0)).done("read")
    }

    /// Marks that a write is about to go out. On the disk before it returns. From then on nobody
    /// can take the row back. Only where it gives [`Sending::Begun`] anything may go out.
    ///
    /// # Errors
    /// `Refused` where the order may not go out any more, or the money not back.
    pub(crate) fn sending(&mut self, id: i64, doing: &str) -> Result<Sending> {
        let at = self.clock.now();
        let now = at.timestamp_millis();
        self.write_durably("written", |db| {
            if let Some((order, bar)) = outward::bar_of_row(db, id, at)? {
                let waits = bar.waits;
                let error = bar.error(order, outward::Way::Push(id));
                return if waits { Ok(Sending::Held(error)) } else { Err(error) };
            }
            let sql = format!(
                "UPDATE outbox SET state = 'sending', attempts = attempts + 1, attempted_at = ?, doing = ?, error = NULL, error_kind = NULL,
                   written = CASE written WHEN 'no' THEN 'trying' WHEN 'trying' THEN 'maybe' ELSE written END
                 WHERE id = ? AND state IN {OPEN}"
            );
            let begun = db.execute(&sql, params![now, doing, id]).done("written")? > 0;
            Ok(if begun { Sending::Begun } else { Sending::TakenBack })
        })
    }

    /// The channel took the write under way, and gave this receipt. `mark` is what the write is
    /// known by.
    pub(crate) fn took(&mut self, id: i64, mark: &str, receipt: Option<&str>) -> Result<()> {
        self.write_durably("written", |db| {
            db.execute(
                "UPDATE outbox SET state = 'sent', written = 'yes', error_kind = NULL, error = NULL, next_at = NULL, looks = 0,
                   acknowledged = json_insert(acknowledged, '$[#]', ?1),
                   receipts = CASE WHEN ?2 IS NULL THEN receipts ELSE json_insert(receipts, '$[#]', ?2) END
                 WHERE id = ?3",
                params![mark, receipt, id],
            )
            .done("written")?;
            Ok(())
        })
    }

    /// The channel refuses a write that may have arrived before: that may be the very reason, so
    /// the row stays unknown, and the write is not made a third time.
    pub(crate) fn refused_repeat(&mut self, id: i64, mark: &str) -> Result<()> {
        self.write_durably("written", |db| {
            db.execute(
                "UPDATE outbox SET state = 'unknown', acknowledged = json_insert(acknowledged, '$[#]', ?) WHERE id = ?",
                params![mark, id],
            )
            .done("written")?;
            Ok(())
        })
    }

    /// Has a row wait until then, as it stands.
    pub(crate) fn put_off(&mut self, id: i64, until: Timestamp) -> Result<()> {
        self.write_durably("written", |db| {
            let sql = format!("UPDATE outbox SET next_at = ? WHERE id = ? AND state IN {OPEN}");
            db.execute(&sql, params![until.timestamp_millis(), id]).done("written")?;
            Ok(())
        })
    }

    /// Tells the merchant of something about a row.
    pub(crate) fn tell_of_row(&mut self, row: &OutboxRow, note: &InboxNote) -> Result<()> {
        let now = self.clock.now();
        let (store, order, subject) = (Some(row.store_id), Some(row.order_id), super::acts::subject(row.id));
        self.write("written", |db| put_note(db, store, order, &subject, note, now))
    }

    /// Whether an open note of this kind tells the merchant of a row.
    pub(crate) fn is_told_of(&self, row: &OutboxRow, kind: InboxKind) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM inbox WHERE store_id = ? AND kind = ? AND subject = ? AND resolved_at IS NULL)";
        let about = params![row.store_id, kind.word(), super::acts::subject(row.id)];
        self.db.prepare_cached(sql).done("read")?.query_row(about, |row| row.get(0)).done("read")
    }

    /// The write under way was surely not applied: the row is as it was before it.
    pub(crate) fn not_applied(&mut self, id: i64) -> Result<()> {
        self.write_durably("written", |db| {
            db.execute("UPDATE outbox SET written = 'no' WHERE id = ? AND written = 'trying'", [id]).done("written")?;
            Ok(())
        })
    }

    /// Moves a row to the state that an attempt left it in; one that was taken back meanwhile stays
    /// so.
    pub(crate) fn settle(
        &mut self,
        id: i64,
        state: OutboxState,
        error: Option<&Error>,
        next_at: Option<Timestamp>,
        receipt: Option<&str>,
    ) -> Result<()> {
        self.write_durably("written", |db| {
            let sql = format!(
                "UPDATE outbox SET state = ?1, error_kind = ?2, error = ?3, next_at = ?4,
                   written = CASE ?1 WHEN 'sent' THEN 'yes' ELSE written END,
                   looks = CASE WHEN ?1 = 'sent' OR (?1 = 'unknown' AND ?2 = 'unknown') THEN looks + 1 ELSE looks END,
                   receipts = CASE WHEN ?5 IS NULL THEN receipts ELSE json_insert(receipts, '$[#]', ?5) END
                 WHERE id = ?6 AND state IN {OPEN}"
            );
            db.execute(
                &sql,
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

    fn outbox_rows(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<OutboxRow>> {
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement.query_map(params, outbox_row).done("read")?;
        rows.map(|row| row.done("read")?).collect()
    }
}

fn outbox_row(row: &Row<'_>) -> rusqlite::Result<Result<OutboxRow>> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|ms| ms.map(from_millis));
    let (goal, guard, state): (String, String, String) = (row.get(6)?, row.get(7)?, row.get(8)?);
    let (receipts, acknowledged): (String, String) = (row.get(15)?, row.get(19)?);
    let parsed = (|| {
        let goal = serde_json::from_str(&goal).map_err(|_| odd("task", "goal"))?;
        // What the channel took, forgotten, would be written again.
        let receipts = serde_json::from_str(&receipts).map_err(|_| odd("list of receipts", &receipts))?;
        let acknowledged = serde_json::from_str(&acknowledged).map_err(|_| odd("list of marks", &acknowledged))?;
        Ok((goal, Guard::from_word(&guard)?, OutboxState::from_word(&state)?, receipts, acknowledged))
    })();
    let (goal, guard, state, receipts, acknowledged) = match parsed {
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
        leave: Leave {
            guard,
            unpaid: row.get(18)?,
            on_hold: row.get(21)?,
            again: row.get(24)?,
            // Whatever is recorded was let past that.
            test_order: true,
        },
        state,
        attempts: row.get(9)?,
        may_be_there: row.get(22)?,
        took: row.get(23)?,
        queued_at: time(10)?.unwrap_or_default(),
        attempted_at: time(11)?,
        next_at: time(12)?,
        settled_at: time(13)?,
        doing: row.get(14)?,
        receipts,
        error: row.get(16)?,
        acknowledged,
        looks: row.get(20)?,
        shipment: row.get(17)?,
        held: row.get(25)?,
    }))
}
