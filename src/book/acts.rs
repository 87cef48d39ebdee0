//! The merchant's acts: recorded, refused, tried again, taken back. Each is one durable transaction
//! that decides by what the order is *then*: what a command read before is void if the order has
//! changed since (D-2).

use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;

use super::error::{Done, odd};
use super::inbox::{
    CHANGES, EDITED, GIVEN_BACK, HELD_BACK, InboxNote, TAKEN_BACK, put_note, resolve_order, resolve_subject,
};
use super::local::local_of;
use super::outbox::{Guard, Leave, OPEN};
use super::outward::Way;
use super::trail::{self, By, Who};
use super::{Book, accepted, clearing, copy, outward, own_refunds, pieces, twins, undecided};
use crate::channel::{Cancellation, Goal, TrackingChange};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{LineQuantity, Parcel, Shipment, Status, same_number, sum};

/// A dispatch to be recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewDispatch<'a> {
    /// The order's number.
    pub(crate) order: i64,
    /// The order's last event when it was read; `None` where nothing was decided by what was read.
    pub(crate) seen: Option<i64>,
    /// What goes out.
    pub(crate) shipment: &'a Shipment,
    /// What it may go out in spite of.
    pub(crate) leave: Leave,
    /// Whether the merchant has named the pieces.
    pub(crate) named: bool,
}

/// What became of an act that was to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is in the outbox, in this row; the order's last event is now this one.
    Row(i64, i64),
    /// The very same was recorded before and is not settled, in this row.
    Already(i64),
    /// It is in the book, and nothing is to be told to the channel.
    Local,
    /// The order has changed since it was read: nothing was recorded.
    Moved,
}

/// What a row has come to, as far as taking it back is concerned.
struct Written {
    order: i64,
    store: i64,
    kind: String,
    state: String,
    /// Whether it is sure that nothing of it is at the channel.
    nothing: bool,
    shipment: Option<i64>,
    goal: String,
}

impl Book {
    /// Records a dispatch: shipment, outbox row, local status and history. A cancellation that
    /// waits and has surely not gone out is taken back by it.
    ///
    /// # Errors
    /// `Refused` where it may not go out, there is not so much left to ship, or a cancellation is on
    /// its way.
    pub(crate) fn record_dispatch(&mut self, new: &NewDispatch<'_>) -> Result<Recorded> {
        let (by, now) = self.merchant();
        let (order, shipment) = (new.order, new.shipment);
        self.write_durably("written", |db| {
            if has_moved(db, order, new.seen)? {
                return Ok(Recorded::Moved);
            }
            outward::check(db, order, Way::Dispatch { named: new.named }, new.leave, now)?;
            accepted::take_applied(db, order, &[])?;
            take_back_waiting(db, order, "cancel", by)?;
            drop_refused(db, order, "cancel", by)?;
            let (store, before) = head(db, order)?;
            still_open(db, order, shipment)?;
            let number = insert(db, order, shipment)?;
            let after = if shipment.completes { Status::Shipped } else { Status::PartiallyShipped };
            set_status(db, order, after)?;
            trail::note(db, order, by, "dispatched", &describe(shipment, before, after))?;
            twins::tell_of_dispatch(db, order, by)?;
            resolve_order(db, order, &[TAKEN_BACK, HELD_BACK], now)?;
            match new.leave.guard {
                Guard::Check => {}
                Guard::AsLocal => resolve_order(db, order, &["shipped", EDITED], now)?,
                Guard::Force => {
                    resolve_order(db, order, &CHANGES, now)?;
                    resolve_order(db, order, &[EDITED], now)?;
                }
            }
            let goal = Goal::Dispatched(shipment.clone());
            let row = queue(db, store, order, Some(number), &goal, new.leave, before, now)?;
            Ok(Recorded::Row(row, last_event(db, order)?.unwrap_or_default()))
        })
    }

    /// Records a cancellation; with a goal it is also queued for the channel. A dispatch that waits
    /// and has surely not gone out is taken back by it. One that waits and wishes the same is the
    /// same one; one with other wishes takes the place of one that has surely not gone out.
    ///
    /// # Errors
    /// `Refused` where one with other wishes is on its way, or it would give back money that was
    /// given back by hand.
    pub(crate) fn record_cancel(
        &mut self,
        order: i64,
        seen: Option<i64>,
        goal: Option<(&Goal, Guard)>,
        reason: &str,
    ) -> Result<Recorded> {
        let (by, now) = self.merchant();
        self.write_durably("written", |db| {
            if has_moved(db, order, seen)? {
                return Ok(Recorded::Moved);
            }
            if let Some(already) = cancellation(db, order, goal.map(|(goal, _)| goal), by)? {
                return Ok(Recorded::Already(already));
            }
            if matches!(goal, Some((Goal::Cancelled(wished), _)) if wished.refund) {
                own_refunds::refuse_while_any(db, order)?;
            }
            accepted::take_applied(db, order, &[])?;
            take_back_waiting(db, order, "dispatch", by)?;
            drop_refused(db, order, "dispatch", by)?;
            let (store, before) = head(db, order)?;
            set_status(db, order, Status::Cancelled)?;
            let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            let what = if goal.is_some() { "cancelled" } else { "cancelled here only" };
            trail::note(db, order, by, what, &format!("{before} → cancelled{why}"))?;
            resolve_order(db, order, &["cancelled", GIVEN_BACK, HELD_BACK], now)?;
            let Some((goal, guard)) = goal else {
                stays_cancelled(db, order)?;
                return Ok(Recorded::Local);
            };
            let leave = Leave::of_no_dispatch(guard);
            let row = queue(db, store, order, None, goal, leave, before, now)?;
            Ok(Recorded::Row(row, last_event(db, order)?.unwrap_or_default()))
        })
    }

    /// Records another tracking number for a parcel that was dispatched, in the shipment and in the
    /// outbox.
    ///
    /// # Errors
    /// `NotFound` where no shipment of the order has the old number.
    pub(crate) fn record_retracking(&mut self, order: i64, change: &TrackingChange) -> Result<i64> {
        let (by, now) = self.merchant();
        self.write_durably("written", |db| {
            let (store, status) = head(db, order)?;
            let parcels = parcels_with(db, order, &change.was)?;
            let Some((shipment, _, was)) = parcels.first().cloned() else {
                let text = format!("order {order} has no tracking number {}; nothing was recorded", change.was);
                return Err(
                    Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{order} lists them"))
                );
            };
            let key: Option<String> =
                db.query_row("SELECT key FROM shipments WHERE id = ?", [shipment], |row| row.get(0)).done("read")?;
            replace_parcels(db, order, &change.was, &change.parcel)?;
            let boxes = if parcels.len() > 1 { format!(" ({} parcels)", parcels.len()) } else { String::new() };
            let detail = format!("{} → {} {}{boxes}", change.was, change.parcel.carrier, change.parcel.tracking);
            trail::note(db, order, by, "tracking replaced", &detail)?;
            let change = TrackingChange { shipment: key.unwrap_or_default(), before: Some(was), ..change.clone() };
            let goal = Goal::Retracked(change);
            let leave = Leave::of_no_dispatch(Guard::Check);
            queue(db, store, order, None, &goal, leave, status, now)
        })
    }

    /// The order's last event: another one than before means that something about the order has
    /// changed.
    pub(crate) fn last_event(&self, order: i64) -> Result<Option<i64>> {
        last_event(&self.db, order)
    }

    /// Stops a row for good and tells the merchant. Where it is sure that nothing of it is at the
    /// channel, the order is as it was before.
    pub(crate) fn refuse(&mut self, id: i64, error: &Error, note: &InboxNote) -> Result<()> {
        let by = self.by(if error.kind() == ErrorKind::Rejected { Who::Channel } else { Who::Program });
        let now = by.at;
        self.write_durably("written", |db| {
            let row = written(db, id)?;
            if matches!(row.state.as_str(), "withdrawn" | "confirmed") {
                return Ok(());
            }
            db.execute(
                "UPDATE outbox SET state = 'failed', settled_at = ?, next_at = NULL, error_kind = ?, error = ? WHERE id = ?",
                params![now.timestamp_millis(), error.kind().word(), error.message(), id],
            )
            .done("written")?;
            if row.kind == "cancel" {
                // It is all or nothing: what it left behind (a note, a job that failed) cancelled
                // nothing.
                is_not_there(db, id, &written(db, id)?)?;
            } else if row.nothing {
                undo(db, id, &row)?;
            }
            trail::note(db, row.order, by, "refused", error.message())?;
            put_note(db, Some(row.store), Some(row.order), &subject(id), note, now)
        })
    }

    /// Makes a row due now. What may have been applied stays to be looked for first; what was given
    /// back to the order is taken again. With `again` what the channel took is made once more: the
    /// merchant has looked there, and it is not there.
    ///
    /// # Errors
    /// `Refused` where the order may not go out, where there is not so much left to ship any more, or
    /// where the order was cancelled or dispatched since and that still waits.
    pub(crate) fn retry(&mut self, id: i64, again: bool) -> Result<()> {
        let now = self.clock.now();
        let refused = self.write_durably("written", |db| {
            let row = written(db, id)?;
            clearing::refuse_cleared(db, row.order)?;
            match row.state.as_str() {
                "confirmed" => return Ok(None),
                "withdrawn" => return Ok(Some(gone(id, row.order))),
                _ if again => is_not_there(db, id, &row)?,
                _ => {}
            }
            let row = written(db, id)?;
            if let Err(error) = may_go_out(db, id, &row, now) {
                return Ok(Some(error));
            }
            if row.state == "failed"
                && let Err(error) = come_back(db, id, &row)
            {
                return Ok(Some(error));
            }
            db.execute(
                "UPDATE outbox SET next_at = NULL, settled_at = NULL,
                   state = CASE WHEN state <> 'failed' THEN state WHEN written = 'no' THEN 'queued' ELSE 'unknown' END
                 WHERE id = ?",
                [id],
            )
            .done("written")?;
            // What the channel took and does not show stays so until it shows it.
            if again || row.state == "failed" {
                resolve_subject(db, row.store, &subject(id), now)?;
            }
            Ok(None)
        })?;
        refused.map_or(Ok(()), Err)
    }

    /// It is sure after all that nothing of the row is at the channel.
    pub(crate) fn is_not_there(&mut self, id: i64) -> Result<()> {
        self.write_durably("written", |db| is_not_there(db, id, &written(db, id)?))
    }

    /// Takes back what has not gone out: the order is as it was before.
    ///
    /// # Errors
    /// `Refused` where something of it may have reached the channel.
    pub(crate) fn withdraw(&mut self, id: i64) -> Result<()> {
        let by = self.by(Who::Merchant);
        self.write_durably("written", |db| {
            let row = written(db, id)?;
            let order = row.order;
            clearing::refuse_cleared(db, order)?;
            if row.state == "withdrawn" {
                let text = format!("row {id} was taken back already; nothing was changed");
                return Err(Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{order}")));
            }
            if row.state == "confirmed" || !row.nothing {
                let text = format!("what row {id} writes may have reached the channel; it was not taken back");
                return Err(Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{order}")));
            }
            // What is refused already holds nothing of the order.
            let later: bool = db
                .query_row(
                    &format!("SELECT EXISTS (SELECT 1 FROM outbox WHERE order_id = ? AND id > ? AND state IN {OPEN})"),
                    [order, id],
                    |row| row.get(0),
                )
                .done("read")?;
            if later && row.state != "failed" {
                let text = format!("something newer was recorded for order {order}; row {id} was not taken back");
                return Err(
                    Error::new(ErrorKind::Refused, text).hint("take the newer one back first: ordersync outbox")
                );
            }
            take_back(db, id, &row, by)
        })
    }

    /// Takes back the rest of a refused dispatch, of which a part is at the channel: that part stays
    /// and is to be confirmed, and the order has the rest to be sent again.
    ///
    /// # Errors
    /// `Refused` where the row is no such dispatch any more, or nothing of it would stay.
    pub(crate) fn withdraw_rest(&mut self, id: i64, rest: &[LineQuantity]) -> Result<()> {
        let by = self.by(Who::Merchant);
        self.write_durably("written", |db| {
            let row = written(db, id)?;
            let goal = serde_json::from_str(&row.goal).map_err(|_| odd("task", "goal"))?;
            let (Goal::Dispatched(mut shipment), Some(number), "failed") = (goal, row.shipment, row.state.as_str())
            else {
                return Err(gone(id, row.order));
            };
            for line in &mut shipment.lines {
                let less = sum(rest.iter().filter(|one| one.line_id == line.line_id).map(|one| one.quantity));
                line.quantity = line.quantity.saturating_sub(less);
            }
            shipment.lines.retain(|line| line.quantity > Decimal::ZERO);
            if shipment.lines.is_empty() {
                return Err(gone(id, row.order));
            }
            shipment.completes = false;
            db.execute("DELETE FROM shipment_lines WHERE shipment_id = ?", [number]).done("written")?;
            for line in &shipment.lines {
                let sql = "INSERT INTO shipment_lines (shipment_id, line_id, quantity) VALUES (?, ?, ?)";
                db.execute(sql, params![number, line.line_id, line.quantity.to_string()]).done("written")?;
            }
            let goal = serde_json::to_string(&Goal::Dispatched(shipment)).map_err(|e| odd("task", &e.to_string()))?;
            db.execute(
                "UPDATE outbox SET goal = ?, state = 'sent', settled_at = NULL, next_at = NULL, error = NULL, error_kind = NULL
                 WHERE id = ?",
                params![goal, id],
            )
            .done("written")?;
            stand_as_before(db, id, row.order)?;
            resolve_subject(db, row.store, &subject(id), by.at)?;
            let (_, status) = head(db, row.order)?;
            trail::note(db, row.order, by, "the rest of a dispatch was taken back", status.word())
        })
    }
}

impl Book {
    /// The merchant, now.
    fn merchant(&self) -> (By, Timestamp) {
        let by = self.by(Who::Merchant);
        (by, by.at)
    }
}

pub(super) fn subject(row: i64) -> String {
    format!("outbox {row}")
}

fn written(db: &Connection, id: i64) -> Result<Written> {
    db.query_row(
        "SELECT order_id, store_id, kind, state, written = 'no', shipment_id, goal FROM outbox WHERE id = ?",
        [id],
        |row| {
            Ok(Written {
                order: row.get(0)?,
                store: row.get(1)?,
                kind: row.get(2)?,
                state: row.get(3)?,
                nothing: row.get(4)?,
                shipment: row.get(5)?,
                goal: row.get(6)?,
            })
        },
    )
    .optional()
    .done("read")?
    .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("the outbox has no row {id}; nothing was changed")))
}

fn gone(id: i64, order: i64) -> Error {
    let text = format!("row {id} of the outbox was taken back, or settled by a newer act; it was not tried again");
    Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{order}"))
}

/// Forgets what a row has at the channel: nothing. What a refused one held of the order until now
/// is given back.
fn is_not_there(db: &Connection, id: i64, row: &Written) -> Result<()> {
    db.execute(
        "UPDATE outbox SET acknowledged = '[]', receipts = '[]', looks = 0, written = 'no',
           state = CASE state WHEN 'failed' THEN state ELSE 'queued' END WHERE id = ?",
        [id],
    )
    .done("written")?;
    if row.state == "failed" && (!row.nothing || row.kind == "cancel") {
        undo(db, id, row)?;
    }
    Ok(())
}

/// Has a refused row take again what was given back of it.
///
/// # Errors
/// `Refused` where the order has been settled otherwise since, or has not so much left to ship.
fn come_back(db: &Connection, id: i64, row: &Written) -> Result<()> {
    no_opposite_waits(db, id, row)?;
    may_come_back(db, id, row)?;
    if row.nothing { redo(db, id, row) } else { Ok(()) }
}

/// Marks a row as taken back, and gives the order back what it held.
fn take_back(db: &Connection, id: i64, row: &Written, by: By) -> Result<()> {
    undo(db, id, row)?;
    db.execute(
        "UPDATE outbox SET state = 'withdrawn', settled_at = ?, next_at = NULL WHERE id = ?",
        params![by.at.timestamp_millis(), id],
    )
    .done("written")?;
    resolve_subject(db, row.store, &subject(id), by.at)?;
    let (_, status) = head(db, row.order)?;
    trail::note(db, row.order, by, "taken back before it went out", status.word())
}

/// Takes back the order's open rows of this kind: they are superseded.
///
/// # Errors
/// `Refused` where one of them may be on its way at the channel.
fn take_back_waiting(db: &Connection, order: i64, kind: &str, by: By) -> Result<()> {
    let sql = format!("SELECT id FROM outbox WHERE order_id = ? AND kind = ? AND state IN {OPEN} ORDER BY id DESC");
    for id in column::<i64>(db, &sql, params![order, kind])? {
        let row = written(db, id)?;
        if row.nothing {
            take_back(db, id, &row, by)?;
        } else if kind == "cancel" {
            let text =
                format!("a cancellation of order {order} is on its way to the channel; nothing was recorded or sent");
            return Err(Error::new(ErrorKind::Refused, text).hint("ordersync outbox tells how it stands"));
        }
    }
    Ok(())
}

/// What was refused and is tried again must not meet what the merchant has recorded since: a parcel
/// for an order that is being cancelled, or the other way round. A new act takes the older one
/// back; an old one that comes back leaves the choice to the merchant.
fn no_opposite_waits(db: &Connection, id: i64, row: &Written) -> Result<()> {
    let (opposite, open) = match row.kind.as_str() {
        "dispatch" => ("cancel", OPEN.to_string()),
        "cancel" => ("dispatch", "('queued', 'sending', 'unknown')".to_string()),
        _ => return Ok(()),
    };
    let sql = format!("SELECT max(id) FROM outbox WHERE order_id = ? AND kind = ? AND state IN {open}");
    let waits: Option<i64> = db.query_row(&sql, params![row.order, opposite], |row| row.get(0)).done("read")?;
    let Some(waits) = waits else { return Ok(()) };
    let what = if opposite == "cancel" { "a cancellation" } else { "a dispatch" };
    let text =
        format!("{what} of order {} was recorded since and still waits; row {id} was not tried again", row.order);
    Err(Error::new(ErrorKind::Refused, text)
        .hint(format!("ordersync outbox --withdraw {waits} takes that back, as long as it has not gone out")))
}

/// Takes back the order's dispatches that have surely not gone out, also refused ones; gives the
/// parcels of each.
pub(super) fn take_back_unsent(db: &Connection, order: i64, by: By) -> Result<Vec<Vec<Parcel>>> {
    let sql = format!(
        "SELECT id FROM outbox WHERE order_id = ? AND kind = 'dispatch' AND written = 'no' AND state IN {OPEN_OR_FAILED} ORDER BY id DESC"
    );
    let mut taken = Vec::new();
    for id in column::<i64>(db, &sql, params![order])? {
        let row = written(db, id)?;
        take_back(db, id, &row, by)?;
        if let Ok(Goal::Dispatched(shipment)) = serde_json::from_str(&row.goal) {
            taken.push(shipment.parcels);
        }
    }
    Ok(taken)
}

const OPEN_OR_FAILED: &str = "('queued', 'sending', 'unknown', 'sent', 'failed')";

/// Gives the order back what a row held of which nothing is at the channel.
fn undo(db: &Connection, id: i64, row: &Written) -> Result<()> {
    match row.kind.as_str() {
        "dispatch" => {
            let Some(shipment) = row.shipment else { return Ok(()) };
            db.execute("UPDATE outbox SET shipment_id = NULL WHERE id = ?", [id]).done("written")?;
            db.execute("DELETE FROM shipments WHERE id = ?", [shipment]).done("written")?;
            stand_as_before(db, id, row.order)
        }
        "cancel" => {
            // It may have been given back before, and the order have gone on since.
            let sql = "SELECT status = 'cancelled' AND cancelled_after IS NULL FROM orders WHERE id = ?";
            let stands: bool = db.query_row(sql, [row.order], |row| row.get(0)).done("read")?;
            if stands { stand_as_before(db, id, row.order) } else { Ok(()) }
        }
        _ => {
            if let Ok(Goal::Retracked(change)) = serde_json::from_str(&row.goal) {
                // Rows of the first version only know the number.
                let numbered = || Parcel { tracking: change.was.clone(), ..change.parcel.clone() };
                let was = change.before.clone().unwrap_or_else(numbered);
                replace_parcels(db, row.order, &change.parcel.tracking, &was)?;
            }
            Ok(())
        }
    }
}

/// Takes again what [`undo`] has given back.
fn redo(db: &Connection, id: i64, row: &Written) -> Result<()> {
    match serde_json::from_str(&row.goal) {
        Ok(Goal::Dispatched(shipment)) if row.shipment.is_none() => {
            let (_, before) = head(db, row.order)?;
            let shipment = without_gone(db, id, row.order, shipment)?;
            still_open(db, row.order, &shipment)?;
            let number = insert(db, row.order, &shipment)?;
            db.execute(
                "UPDATE outbox SET shipment_id = ?, status_before = ? WHERE id = ?",
                params![number, before.word(), id],
            )
            .done("written")?;
            set_status(db, row.order, copy::after_dispatches(db, row.order, before)?)
        }
        Ok(Goal::Cancelled(_)) => set_status(db, row.order, Status::Cancelled),
        Ok(Goal::Retracked(change)) => replace_parcels(db, row.order, &change.was, &change.parcel),
        _ => Ok(()),
    }
}

/// The order's cancellation that is not settled, where it wishes the same. One with other wishes is
/// taken back.
///
/// # Errors
/// `Refused` where that one may be on its way at the channel.
fn cancellation(db: &Connection, order: i64, goal: Option<&Goal>, by: By) -> Result<Option<i64>> {
    let sql =
        format!("SELECT id FROM outbox WHERE order_id = ? AND kind = 'cancel' AND state IN {OPEN} ORDER BY id DESC");
    let Some(id) = column::<i64>(db, &sql, params![order])?.first().copied() else { return Ok(None) };
    let row = written(db, id)?;
    let earlier = serde_json::from_str::<Goal>(&row.goal).ok();
    let same = match (&earlier, goal) {
        (Some(Goal::Cancelled(earlier)), Some(Goal::Cancelled(change))) => {
            *earlier == Cancellation { key: earlier.key.clone(), ..change.clone() }
        }
        _ => false,
    };
    if same {
        return Ok(Some(id));
    }
    if !row.nothing {
        let text = format!(
            "a cancellation of order {order} with other wishes is on its way to the channel; nothing was recorded or sent"
        );
        return Err(Error::new(ErrorKind::Refused, text).hint("ordersync outbox tells how it stands"));
    }
    take_back(db, id, &row, by)?;
    Ok(None)
}

/// What was refused before a newer act is settled by it: it does not come back with the next retry.
fn drop_refused(db: &Connection, order: i64, kind: &str, by: By) -> Result<()> {
    let sql = "SELECT id FROM outbox WHERE order_id = ? AND kind = ? AND state = 'failed' AND written = 'no'";
    for id in column::<i64>(db, sql, params![order, kind])? {
        take_back(db, id, &written(db, id)?, by)?;
    }
    Ok(())
}

/// Whether the order stands so that an act that was refused may be tried again.
fn may_come_back(db: &Connection, id: i64, row: &Written) -> Result<()> {
    let (_, status) = head(db, row.order)?;
    let guard: String = db.query_row("SELECT guard FROM outbox WHERE id = ?", [id], |row| row.get(0)).done("read")?;
    let against = match (row.kind.as_str(), status) {
        _ if guard == Guard::Force.word() => false,
        ("dispatch", Status::Cancelled) | ("cancel", Status::Shipped | Status::PartiallyShipped) => true,
        // One that still holds its shipment makes the order shipped by itself.
        ("dispatch", Status::Shipped) => row.nothing && row.shipment.is_none() && guard == Guard::Check.word(),
        _ => false,
    };
    if !against {
        return Ok(());
    }
    let order = row.order;
    let text = format!("order {order} is {status} by now; row {id} was not tried again");
    let anew = if row.kind == "cancel" { "--force" } else { "... --as-local --force" };
    Err(Error::new(ErrorKind::Refused, text).hint(format!(
        "ordersync outbox --withdraw {id} takes the row back; ordersync {} book:{order} {anew} does it all the same",
        row.kind
    )))
}

/// Whether a row may go out, that was refused or waits (D-1). What may be at the channel already is
/// looked for there first, whatever has happened since; only a hold stops that.
fn may_go_out(db: &Connection, id: i64, row: &Written, now: Timestamp) -> Result<()> {
    match serde_json::from_str(&row.goal).map_err(|_| odd("task", "goal"))? {
        Goal::Dispatched(_) => {
            let bar = outward::bar(db, row.order, Way::Retry(id), outward::leave_of(db, id)?, now)?;
            let bar = bar.filter(|bar| row.nothing || (bar.waits && row.state == "failed"));
            bar.map_or(Ok(()), |bar| Err(bar.error(row.order, Way::Retry(id))))
        }
        Goal::Cancelled(wished) if wished.refund && row.nothing => own_refunds::refuse_while_any(db, row.order),
        Goal::Cancelled(_) | Goal::Retracked(_) => Ok(()),
    }
}

/// What of a dispatch the order still has: a line may have been taken out of it since, and the
/// merchant has accepted that.
fn without_gone(db: &Connection, id: i64, order: i64, mut shipment: Shipment) -> Result<Shipment> {
    let there = column::<String>(db, "SELECT remote_id FROM lines WHERE order_id = ?", [order])?;
    shipment.lines.retain(|line| there.contains(&line.line_id));
    if shipment.lines.is_empty() {
        let text = format!("order {order} has nothing of this dispatch any more; nothing was sent");
        let hint = format!("ordersync outbox --withdraw {id} takes it back");
        return Err(Error::new(ErrorKind::Refused, text).hint(hint));
    }
    Ok(shipment)
}

/// The order's parcels with this number, however it is written, the newest first, each with its
/// shipment and its place there.
fn parcels_with(db: &Connection, order: i64, number: &str) -> Result<Vec<(i64, i64, Parcel)>> {
    let sql = "SELECT p.shipment_id, p.position, p.carrier, p.tracking, p.url FROM parcels p JOIN shipments s ON s.id = p.shipment_id
               WHERE s.order_id = ? ORDER BY s.id DESC, p.position";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let parcel = |row: &rusqlite::Row<'_>| {
        Ok((row.get(0)?, row.get(1)?, Parcel { carrier: row.get(2)?, tracking: row.get(3)?, url: row.get(4)? }))
    };
    let all = statement.query_map([order], parcel).done("read")?.collect::<rusqlite::Result<Vec<_>>>().done("read")?;
    Ok(all.into_iter().filter(|(_, _, parcel)| same_number(&parcel.tracking, number)).collect())
}

/// Gives all of the order's parcels with a number another one: the channel, which knows a parcel by
/// its number, changes all of them as well.
fn replace_parcels(db: &Connection, order: i64, from: &str, to: &Parcel) -> Result<()> {
    for (shipment, position, _) in parcels_with(db, order, from)? {
        db.execute(
            "UPDATE parcels SET carrier = ?, tracking = ?, url = ? WHERE shipment_id = ? AND position = ?",
            params![to.carrier, to.tracking, to.url, shipment, position],
        )
        .done("written")?;
    }
    Ok(())
}

/// The status of an order without row `id`: what its other acts have brought it to, else what it
/// was before the first of those that came to nothing. What came from the channel meanwhile is
/// decided again.
fn stand_as_before(db: &Connection, id: i64, order: i64) -> Result<()> {
    let before: String = db
        .query_row(
            "SELECT y.status_before FROM outbox x JOIN outbox y ON y.order_id = x.order_id AND y.id <= x.id AND y.kind = x.kind
             WHERE x.id = ?1 AND (y.id = x.id OR (y.state IN ('failed', 'withdrawn') AND y.written = 'no' AND y.settled_at >= x.queued_at))
             ORDER BY y.id LIMIT 1",
            [id],
            |row| row.get(0),
        )
        .done("read")?;
    let before: Status = before.parse().map_err(|_| odd("status", &before))?;
    // What was the merchant's own doing may have been taken back since.
    let channels = if before == Status::PartiallyShipped || before == Status::Shipped {
        before
    } else {
        copy::after_dispatches(db, order, before)?
    };
    undecided::note(db, order, true)?;
    set_status(db, order, channels)
}

pub(super) fn has_moved(db: &Connection, order: i64, seen: Option<i64>) -> Result<bool> {
    Ok(seen.is_some() && last_event(db, order)? != seen)
}

pub(super) fn last_event(db: &Connection, order: i64) -> Result<Option<i64>> {
    db.prepare_cached("SELECT max(rowid) FROM history WHERE order_id = ?")
        .done("read")?
        .query_row([order], |row| row.get(0))
        .done("read")
}

/// An order's store, and its status without what the merchant does with it here alone, for an act on
/// it.
///
/// # Errors
/// `NotFound` for no such order, `Refused` for one that was cleared of personal data.
pub(super) fn head(db: &Connection, order: i64) -> Result<(i64, Status)> {
    let head = standing(db, order)?;
    clearing::refuse_cleared(db, order)?;
    Ok(head)
}

/// The same of any order.
pub(super) fn standing(db: &Connection, order: i64) -> Result<(i64, Status)> {
    let (store, word): (i64, String) = db
        .query_row("SELECT store_id, coalesce(bare_status, status) FROM orders WHERE id = ?", [order], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .done("read")?
        .ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("no order {order} is in the book; nothing was recorded"))
        })?;
    Ok((store, word.parse().map_err(|_| odd("status", &word))?))
}

fn insert(db: &Connection, order: i64, shipment: &Shipment) -> Result<i64> {
    let at = Some(shipment.shipped_at.timestamp_millis());
    let (key, lines, parcels) = (Some(shipment.key.as_str()), &shipment.lines, &shipment.parcels);
    copy::insert_shipment(db, order, key, "", at, shipment.notify, lines, parcels)
}

/// Two terminals may dispatch the same order at the same time: what is recorded is held against
/// what is left inside the transaction.
fn still_open(db: &Connection, order: i64, shipment: &Shipment) -> Result<()> {
    let counted = pieces::of_order(db, order)?;
    for line in &shipment.lines {
        let open = counted.iter().find(|one| one.id == line.line_id).map(|one| one.pieces.left).unwrap_or_default();
        if line.quantity > open {
            let text = format!("order {order} has only {} of it left to ship; nothing was recorded or sent", open);
            return Err(Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{order}")));
        }
    }
    Ok(())
}

pub(super) fn column<T: rusqlite::types::FromSql>(
    db: &Connection,
    sql: &str,
    about: impl rusqlite::Params,
) -> Result<Vec<T>> {
    let mut statement = db.prepare_cached(sql).done("read")?;
    let rows = statement.query_map(about, |row| row.get(0)).done("read")?;
    rows.collect::<rusqlite::Result<_>>().done("read")
}

/// Notes that the merchant has cancelled the order in the book only.
fn stays_cancelled(db: &Connection, order: i64) -> Result<()> {
    let sql = "UPDATE orders SET cancelled_after = (SELECT coalesce(max(id), 0) FROM outbox WHERE order_id = ?1) WHERE id = ?1";
    db.execute(sql, [order]).done("written").map(|_| ())
}

/// The channel's version is cancelled as well: from here on it is the channel that says so.
pub(super) fn is_cancelled_there(db: &Connection, order: i64) -> Result<()> {
    db.execute("UPDATE orders SET cancelled_after = NULL WHERE id = ?", [order]).done("written").map(|_| ())
}

/// Whether the merchant has cancelled the order: a cancellation is on its way, or it was cancelled
/// in the book only and not dispatched since.
pub(super) fn is_cancelled_here(db: &Connection, order: i64) -> Result<bool> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM outbox WHERE order_id = ?1 AND kind = 'cancel' AND state IN {OPEN})
           OR EXISTS (SELECT 1 FROM orders o WHERE o.id = ?1 AND o.cancelled_after IS NOT NULL AND NOT EXISTS
                (SELECT 1 FROM outbox x WHERE x.order_id = o.id AND x.kind = 'dispatch' AND x.id > o.cancelled_after
                   AND x.state <> 'withdrawn' AND NOT (x.state = 'failed' AND x.written = 'no')))"
    );
    db.prepare_cached(&sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
}

/// Gives an order whose copy was just made from the channel's version the status that the
/// merchant's own acts have brought it to: a cancellation on its way or in the book only, and what
/// is recorded as dispatched. Acts that come to nothing after all lead back to `status`.
pub(super) fn stand_by_own_acts(db: &Connection, order: i64, status: Status) -> Result<()> {
    db.execute(
        &format!("UPDATE outbox SET status_before = ? WHERE order_id = ? AND state IN {OPEN_OR_FAILED}"),
        params![status.word(), order],
    )
    .done("written")?;
    let cancelled = is_cancelled_here(db, order)?;
    let own = if cancelled { Status::Cancelled } else { copy::after_dispatches(db, order, status)? };
    if own == status { Ok(()) } else { set_status(db, order, own) }
}

/// Gives an order a status; what the merchant does with it here alone stays over it.
pub(super) fn set_status(db: &Connection, order: i64, bare: Status) -> Result<()> {
    let shown = local_of(db, order)?.over(bare);
    let beneath = (shown != bare).then(|| bare.word());
    db.execute("UPDATE orders SET status = ?, bare_status = ? WHERE id = ?", params![shown.word(), beneath, order])
        .done("written")?;
    Ok(())
}

#[allow(clippy::too_many_arguments)]
fn queue(
    db: &Connection,
    store: i64,
    order: i64,
    shipment: Option<i64>,
    goal: &Goal,
    leave: Leave,
    before: Status,
    now: Timestamp,
) -> Result<i64> {
    let text = serde_json::to_string(goal).map_err(|_| odd("task", "goal"))?;
    db.execute(
        "INSERT INTO outbox (store_id, order_id, shipment_id, kind, goal, guard, unpaid, on_hold, again, state, status_before, queued_at, written)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, 'no')",
        params![
            store,
            order,
            shipment,
            goal.word(),
            text,
            leave.guard.word(),
            leave.unpaid,
            leave.on_hold,
            leave.again,
            before.word(),
            now.timestamp_millis()
        ],
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

#[cfg(test)]
impl Book {
    /// Records a dispatch by what the order is now.
    pub(crate) fn dispatched(&mut self, order: i64, shipment: &Shipment, guard: Guard) -> Result<i64> {
        match self.record_dispatch(&NewDispatch {
            order,
            seen: None,
            shipment,
            leave: Leave { guard, unpaid: false, on_hold: false, again: false, test_order: false },
            named: true,
        })? {
            Recorded::Row(row, _) => Ok(row),
            other => panic!("{other:?}"),
        }
    }
}
