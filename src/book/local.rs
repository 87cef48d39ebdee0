//! What the merchant does with an order in the book alone: holds it back, asks a supplier to ship
//! it. The channel is told nothing of it, and nothing that comes from there ends it.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::acts::{column, head, set_status};
use super::error::{Done, book_error};
use super::outbox::{Leave, OPEN};
use super::outward::{self, Way, over_there};
use super::trail::{self, By, Who};
use super::{Book, undecided};
use crate::channel::ChannelKind;
use crate::clock::{Timestamp, from_millis, rfc3339};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Local, Status};

/// A hold of the merchant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hold {
    /// Since when.
    pub(crate) since: Timestamp,
    /// When it is released by itself, if ever.
    pub(crate) until: Option<Timestamp>,
    /// Why, as the merchant says; may be empty.
    pub(crate) reason: String,
}

/// What the merchant says of a hold. What is not said stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct HoldWish {
    /// When it is to be released by itself; `Some(None)`: never.
    pub(crate) until: Option<Option<Timestamp>>,
    /// Why.
    pub(crate) reason: Option<String>,
}

/// A request to a supplier to ship an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dropship {
    /// Since when.
    pub(crate) since: Timestamp,
    /// Whom; empty where the merchant has not said.
    pub(crate) supplier: String,
}

/// What became of work on an order in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worked {
    /// It is done, or would be.
    Done,
    /// It was so already, and nothing was done.
    Already,
}

impl Book {
    /// Does work on an order in one durable transaction. In a rehearsal everything is looked at and
    /// nothing stays.
    pub(super) fn work<T>(
        &mut self,
        rehearsal: bool,
        work: impl FnOnce(&rusqlite::Transaction<'_>, By) -> Result<T>,
    ) -> Result<T> {
        let by = self.by(Who::Merchant);
        if !rehearsal {
            return self.write_durably("written", |db| work(db, by));
        }
        let db = self.db.transaction_with_behavior(TransactionBehavior::Immediate).done("read")?;
        let value = work(&db, by)?;
        db.rollback().done("read")?;
        Ok(value)
    }

    /// Holds an order back, or changes its hold. A dispatch of it that has surely not gone out waits
    /// as well.
    ///
    /// # Errors
    /// `Refused` where nothing of it is to be sent any more.
    pub(crate) fn hold(&mut self, order: i64, wish: &HoldWish, rehearsal: bool) -> Result<(Worked, Hold)> {
        self.work(rehearsal, |db, by| {
            release_due_holds(db, by)?;
            let (_, bare) = head(db, order)?;
            let waits = bare == Status::Shipped && is_unsent(db, order)?;
            if matches!(bare, Status::Shipped | Status::Cancelled) && !waits {
                return Err(over(db, order, bare, "held back")?);
            }
            let was = hold_of(db, order)?;
            let hold = Hold {
                since: was.as_ref().map_or(by.at, |was| was.since),
                until: wish.until.unwrap_or_else(|| was.as_ref().and_then(|was| was.until)),
                reason: (wish.reason.clone())
                    .unwrap_or_else(|| was.as_ref().map(|was| was.reason.clone()).unwrap_or_default()),
            };
            if was.as_ref() == Some(&hold) {
                return Ok((Worked::Already, hold));
            }
            db.execute(
                "INSERT INTO holds VALUES (?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET until = excluded.until, reason = excluded.reason",
                params![order, hold.since.timestamp_millis(), hold.until.map(|at| at.timestamp_millis()), hold.reason],
            )
            .done("written")?;
            set_status(db, order, bare)?;
            let what = if was.is_some() { "hold changed" } else { "held" };
            trail::note(db, order, by, what, &in_words(&hold))?;
            Ok((Worked::Done, hold))
        })
    }

    /// Ends a hold of the merchant's; what the channel holds stays held. What came from there
    /// meanwhile is decided again.
    ///
    /// # Errors
    /// `Refused` where it is the channel alone that holds it.
    pub(crate) fn release(&mut self, order: i64, rehearsal: bool) -> Result<(Worked, Status)> {
        self.work(rehearsal, |db, by| {
            let (_, bare) = head(db, order)?;
            let held = hold_of(db, order)?;
            if held.is_some() {
                end_hold(db, order, "released", by)?;
                undecided::note(db, order, false)?;
            } else if bare == Status::OnHold {
                return Err(held_there(db, order)?);
            }
            let now_is = local_of(db, order)?.over(bare);
            Ok((if held.is_some() { Worked::Done } else { Worked::Already }, now_is))
        })
    }

    /// Lets a recorded dispatch go out although its order is on hold here.
    pub(crate) fn let_go(&mut self, row: i64, rehearsal: bool) -> Result<()> {
        self.work(rehearsal, |db, by| {
            let order = "SELECT order_id FROM outbox WHERE id = ?";
            let order: i64 = db.query_row(order, [row], |row| row.get(0)).done("read")?;
            let (_, bare) = head(db, order)?;
            let sql = format!("UPDATE outbox SET on_hold = 1, next_at = NULL WHERE id = ? AND state IN {OPEN}");
            db.execute(&sql, [row]).done("written")?;
            set_status(db, order, bare)?;
            trail::note(db, order, by, "dispatch let go", "in spite of the hold here")
        })
    }

    /// Notes that a supplier was asked to ship an order, or another one. `leave`: in spite of what; a
    /// hold of the merchant's ends by that.
    ///
    /// # Errors
    /// `Refused` where it may not go out, or not as a whole.
    pub(crate) fn request_dropship(
        &mut self,
        order: i64,
        supplier: Option<&str>,
        leave: Leave,
        rehearsal: bool,
    ) -> Result<(Worked, Dropship)> {
        self.work(rehearsal, |db, by| {
            release_due_holds(db, by)?;
            let (_, bare) = head(db, order)?;
            if matches!(bare, Status::Shipped | Status::Cancelled) {
                return Err(over(db, order, bare, "handed over")?);
            }
            outward::check(db, order, Way::Dropship, leave, by.at)?;
            let was = dropship_of(db, order)?;
            let wanted = Dropship {
                since: was.as_ref().map_or(by.at, |was| was.since),
                supplier: (supplier.map(str::to_owned))
                    .unwrap_or_else(|| was.as_ref().map(|was| was.supplier.clone()).unwrap_or_default()),
            };
            if was.as_ref() == Some(&wanted) && hold_of(db, order)?.is_none() {
                return Ok((Worked::Already, wanted));
            }
            if hold_of(db, order)?.is_some() {
                end_hold(db, order, "released", by)?;
            }
            super::accepted::take_applied(db, order, &[])?;
            db.execute(
                "INSERT INTO dropships VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET supplier = excluded.supplier",
                params![order, wanted.since.timestamp_millis(), wanted.supplier],
            )
            .done("written")?;
            set_status(db, order, bare)?;
            let what = if was.is_some() { "supplier changed" } else { "dropshipment requested" };
            trail::note(db, order, by, what, &wanted.supplier)?;
            Ok((Worked::Done, wanted))
        })
    }

    /// Takes a request to a supplier back: the merchant ships the order.
    pub(crate) fn withdraw_dropship(&mut self, order: i64, rehearsal: bool) -> Result<(Worked, Status)> {
        self.work(rehearsal, |db, by| {
            let (_, bare) = head(db, order)?;
            let gone = db.execute("DELETE FROM dropships WHERE order_id = ?", [order]).done("written")?;
            if gone > 0 {
                set_status(db, order, bare)?;
                trail::note(db, order, by, "dropshipment taken back", "")?;
                undecided::note(db, order, false)?;
            }
            let worked = if gone > 0 { Worked::Done } else { Worked::Already };
            Ok((worked, local_of(db, order)?.over(bare)))
        })
    }

    /// Releases the orders whose day has come. Who asks for the book looks at that first, so it
    /// holds for every list, count and act at once, without anything that runs beside.
    pub(crate) fn release_due(&mut self) -> Result<()> {
        let by = self.by(Who::Program);
        let due = "SELECT EXISTS (SELECT 1 FROM holds WHERE until <= ?)";
        if !self.db.query_row(due, [by.at.timestamp_millis()], |row| row.get(0)).done("read")? {
            return Ok(());
        }
        self.write("written", |db| release_due_holds(db, by))
    }
}

/// The merchant's hold of an order.
pub(super) fn hold_of(db: &Connection, order: i64) -> Result<Option<Hold>> {
    db.prepare_cached("SELECT held_at, until, reason FROM holds WHERE order_id = ?")
        .done("read")?
        .query_row([order], |row| {
            let until: Option<i64> = row.get(1)?;
            Ok(Hold { since: from_millis(row.get(0)?), until: until.map(from_millis), reason: row.get(2)? })
        })
        .optional()
        .done("read")
}

/// The merchant's request to a supplier.
pub(super) fn dropship_of(db: &Connection, order: i64) -> Result<Option<Dropship>> {
    db.prepare_cached("SELECT requested_at, supplier FROM dropships WHERE order_id = ?")
        .done("read")?
        .query_row([order], |row| Ok(Dropship { since: from_millis(row.get(0)?), supplier: row.get(1)? }))
        .optional()
        .done("read")
}

/// What the merchant does with an order in the book alone.
pub(super) fn local_of(db: &Connection, order: i64) -> Result<Local> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM holds WHERE order_id = ?1), EXISTS (SELECT 1 FROM dropships WHERE order_id = ?1)";
    let (held, requested) =
        db.prepare_cached(sql).done("read")?.query_row([order], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
    Ok(Local { held, requested, unsent: held && is_unsent(db, order)? })
}

/// Whether a dispatch is recorded of which surely nothing has gone out, and that a hold stops.
fn is_unsent(db: &Connection, order: i64) -> Result<bool> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM outbox WHERE order_id = ? AND kind = 'dispatch' AND written = 'no' AND NOT on_hold
           AND state IN {OPEN})"
    );
    db.prepare_cached(&sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
}

fn release_due_holds(db: &Connection, by: By) -> Result<()> {
    let due = column::<i64>(db, "SELECT order_id FROM holds WHERE until <= ?", [by.at.timestamp_millis()])?;
    for order in due {
        end_hold(db, order, "released by itself", by.who(Who::Program))?;
        undecided::note(db, order, false)?;
    }
    Ok(())
}

fn end_hold(db: &Connection, order: i64, what: &str, by: By) -> Result<()> {
    let (_, bare) = head(db, order)?;
    db.execute("DELETE FROM holds WHERE order_id = ?", [order]).done("written")?;
    set_status(db, order, bare)?;
    trail::note(db, order, by, what, &format!("it is {} now", local_of(db, order)?.over(bare)))
}

fn in_words(hold: &Hold) -> String {
    let until = hold.until.map_or_else(|| "until it is released".to_owned(), |at| format!("until {}", rfc3339(at)));
    if hold.reason.is_empty() { until } else { format!("{until}: {}", hold.reason) }
}

/// Of an order that has come to an end nothing is held back or handed over.
fn over(db: &Connection, order: i64, status: Status, done: &str) -> Result<Error> {
    let text = format!("order {order} is {status}, so nothing of it is {done}; nothing was changed");
    let queued = "SELECT max(id) FROM outbox WHERE order_id = ? AND written = 'no' AND state = 'queued'";
    let queued: Option<i64> = db.query_row(queued, [order], |row| row.get(0)).done("read")?;
    let hint = match queued {
        Some(row) => format!("ordersync outbox --withdraw {row} takes back what has not gone out yet"),
        None => format!("ordersync show book:{order} tells how it came to that"),
    };
    Ok(Error::new(ErrorKind::Refused, text).hint(hint))
}

/// Only the channel can release what it holds.
fn held_there(db: &Connection, order: i64) -> Result<Error> {
    let sql =
        "SELECT s.name, s.channel, o.channel_status FROM orders o JOIN stores s ON s.id = o.store_id WHERE o.id = ?";
    let (store, channel, words): (String, String, String) = db
        .query_row(sql, [order], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .map_err(|e| book_error("read", e))?;
    let text = format!("order {order} is held at {store} ({words}), not here; nothing was changed");
    let ships = ChannelKind::from_word(&channel).is_some_and(|kind| (kind.adapter().ships)(&words));
    let insist = if ships {
        format!("; ordersync dispatch book:{order} ... --on-hold ships it all the same")
    } else {
        String::new()
    };
    Ok(Error::new(ErrorKind::Refused, text).hint(format!("{}{insist}", over_there(order))))
}
