//! Refunds that the merchant has made by hand. They count beside those of the channel: pieces given
//! back are not offered for shipping, and of what is given back in full nothing goes out (P-10).
//!
//! Whether a refund that comes from the channel later is the same money nobody here can tell. Both
//! count, so that nothing goes out by mistake, and the merchant is asked.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;

use super::acts::{head, set_status, standing};
use super::error::{Done, odd};
use super::inbox::{InboxKind, InboxNote, put_note};
use super::local::Worked;
use super::{Book, copy, pieces, trail};
use crate::clock::{Timestamp, from_millis};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{LineQuantity, Status, Totals, decimals, is_given_back, scaled, stored_decimal, sum};

/// The kind of a note about money that may be counted twice.
const TWICE: &str = InboxKind::Refunds.word();

/// A refund made by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnRefund {
    /// Its number: 1, 2, ... of the order.
    pub(crate) number: i64,
    /// When it was recorded.
    pub(crate) at: Timestamp,
    /// How much, in the order's currency.
    pub(crate) amount: Decimal,
    /// Why, as the merchant says; may be empty.
    pub(crate) reason: String,
    /// The pieces given back.
    pub(crate) lines: Vec<LineQuantity>,
    /// How much was given back at the channel when it was recorded.
    known: Decimal,
}

/// A refund to be recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewRefund<'a> {
    /// How much, in the order's currency.
    pub(crate) amount: Decimal,
    /// The pieces given back.
    pub(crate) lines: &'a [LineQuantity],
    /// Why.
    pub(crate) reason: &'a str,
    /// It is another one, although the order has one like it.
    pub(crate) again: bool,
}

impl Book {
    /// Records a refund made by hand, and gives its number. The same once more is the one that is
    /// there.
    ///
    /// # Errors
    /// `Refused` where there is not so much left to give back, `Usage` for an amount that its
    /// currency does not have.
    pub(crate) fn record_refund(&mut self, order: i64, new: &NewRefund<'_>, rehearsal: bool) -> Result<(Worked, i64)> {
        self.work(rehearsal, |db, by| {
            let (_, bare) = head(db, order)?;
            let own = own_refunds(db, order)?;
            // The same money may be told with another reason, or without one.
            let is_same = |one: &&OwnRefund| one.amount == new.amount && one.lines == new.lines;
            if let Some(same) = own.iter().find(is_same).filter(|_| !new.again) {
                return Ok((Worked::Already, same.number));
            }
            let known = may_be_given_back(db, order, bare, new, &own)?;
            let number = "SELECT coalesce(max(number), 0) + 1 FROM own_refunds WHERE order_id = ?";
            let number: i64 = db.query_row(number, [order], |row| row.get(0)).done("read")?;
            let lines = serde_json::to_string(new.lines).map_err(|_| odd("refund", "lines"))?;
            db.execute(
                "INSERT INTO own_refunds VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                params![
                    order,
                    number,
                    by.at.timestamp_millis(),
                    new.amount.to_string(),
                    new.reason,
                    lines,
                    known.to_string()
                ],
            )
            .done("written")?;
            recount(db, order, bare)?;
            let why = if new.reason.is_empty() { String::new() } else { format!(": {}", new.reason) };
            let amount = scaled(new.amount, &currency(db, order)?);
            trail::note(db, order, by, "refund recorded", &format!("refund {number} of {amount}{why}"))?;
            Ok((Worked::Done, number))
        })
    }

    /// Whether a cancellation may give the order's money back.
    ///
    /// # Errors
    /// `Refused` while a refund made by hand stands.
    pub(crate) fn may_refund_by_cancelling(&self, order: i64) -> Result<()> {
        refuse_while_any(&self.db, order)
    }

    /// Takes the record of a refund back: it was none, or it is the one that the channel shows.
    ///
    /// # Errors
    /// `NotFound` where the order never had one of this number.
    pub(crate) fn remove_refund(&mut self, order: i64, number: i64, rehearsal: bool) -> Result<Worked> {
        self.work(rehearsal, |db, by| {
            // Also of an order that was cleared of personal data: the shop may tell of the same refund now.
            let (_, bare) = standing(db, order)?;
            let sql = "SELECT removed_at IS NOT NULL FROM own_refunds WHERE order_id = ? AND number = ?";
            match db.query_row(sql, [order, number], |row| row.get(0)).optional().done("read")? {
                None => {
                    let text = format!("order {order} has no refund {number} made by hand; nothing was changed");
                    return Err(
                        Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{order} numbers them"))
                    );
                }
                Some(true) => return Ok(Worked::Already),
                Some(false) => {}
            }
            db.execute(
                "UPDATE own_refunds SET removed_at = ? WHERE order_id = ? AND number = ?",
                [by.at.timestamp_millis(), order, number],
            )
            .done("written")?;
            recount(db, order, bare)?;
            ask_whether_twice(db, order, by.at)?;
            trail::note(db, order, by, "refund removed", &format!("refund {number}"))?;
            Ok(Worked::Done)
        })
    }
}

/// The refunds made by hand, the oldest first.
pub(super) fn own_refunds(db: &Connection, order: i64) -> Result<Vec<OwnRefund>> {
    let sql = "SELECT number, refunded_at, amount, reason, lines, known FROM own_refunds
               WHERE order_id = ? AND removed_at IS NULL ORDER BY number";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let rows = statement
        .query_map([order], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)))
        .done("read")?
        .collect::<rusqlite::Result<Vec<(i64, i64, String, String, String, String)>>>()
        .done("read")?;
    let read = |(number, at, amount, reason, lines, known): (_, _, String, _, String, String)| {
        Ok(OwnRefund {
            number,
            at: from_millis(at),
            amount: self::amount(&amount)?,
            reason,
            lines: serde_json::from_str(&lines).map_err(|_| odd("refund", "lines"))?,
            known: self::amount(&known)?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// What of a copy that was just made from the channel's version is given back by hand besides.
pub(super) fn lay_over(db: &Connection, order: i64, at: Timestamp) -> Result<()> {
    let any = "SELECT EXISTS (SELECT 1 FROM own_refunds WHERE order_id = ?)";
    if !db.prepare_cached(any).done("read")?.query_row([order], |row| row.get(0)).done("read")? {
        return Ok(());
    }
    count(db, order)?;
    ask_whether_twice(db, order, at)
}

/// What was given back by hand is not given back once more with a cancellation.
///
/// # Errors
/// `Refused` while a refund made by hand stands.
pub(super) fn refuse_while_any(db: &Connection, order: i64) -> Result<()> {
    let own = own_refunds(db, order)?;
    let Some(first) = own.first() else { return Ok(()) };
    let currency = currency(db, order)?;
    let money = scaled(sum(own.iter().map(|one| one.amount)), &currency);
    let numbers: Vec<String> = own.iter().map(|one| one.number.to_string()).collect();
    let refunds = if own.len() == 1 { "refund" } else { "refunds" };
    let text = format!(
        "of order {order} {money} {currency} were given back by hand already ({refunds} {}), and --refund would give it \
         back again; nothing was cancelled here or at the channel",
        numbers.join(", ")
    );
    Err(Error::new(ErrorKind::Refused, text).hint(format!(
        "ordersync cancel book:{order} without --refund moves no money; ordersync refund book:{order} --remove {} where \
         that was not given back",
        first.number
    )))
}

fn amount(text: &str) -> Result<Decimal> {
    stored_decimal(text).map_err(|_| odd("amount", text))
}

fn currency(db: &Connection, order: i64) -> Result<String> {
    db.query_row("SELECT currency FROM orders WHERE id = ?", [order], |row| row.get(0)).done("read")
}

/// What the order costs, and how much of it the channel shows as given back.
fn money(db: &Connection, order: i64) -> Result<(Decimal, Decimal)> {
    let sql = "SELECT total, refunded_total FROM orders WHERE id = ?";
    let (total, refunded): (String, String) =
        db.query_row(sql, [order], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
    Ok((amount(&total)?, amount(&refunded)?))
}

/// A line as far as it can be given back.
struct Line {
    position: i64,
    id: String,
    ordered: Decimal,
    /// In all.
    refunded: Decimal,
    /// By what the channel says, as it stands in the book.
    there: String,
}

fn lines(db: &Connection, order: i64) -> Result<Vec<Line>> {
    let sql = "SELECT position, remote_id, quantity, refunded, coalesce(refunded_there, refunded) FROM lines
               WHERE order_id = ? ORDER BY position";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let rows = statement
        .query_map([order], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .done("read")?
        .collect::<rusqlite::Result<Vec<(i64, String, String, String, String)>>>()
        .done("read")?;
    let read = |(position, id, ordered, refunded, there): (_, _, String, String, _)| {
        let (ordered, refunded) = (copy::quantity(&ordered)?, copy::quantity(&refunded)?);
        Ok(Line { position, id, ordered, refunded, there })
    };
    rows.into_iter().map(read).collect()
}

/// Refuses what there is not left to give back; gives how much the channel shows as given back.
fn may_be_given_back(
    db: &Connection,
    order: i64,
    bare: Status,
    new: &NewRefund<'_>,
    own: &[OwnRefund],
) -> Result<Decimal> {
    let refused = |why: String| {
        let text = format!("order {order} {why}; nothing was recorded");
        Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{order} lists what was given back"))
    };
    let currency = currency(db, order)?;
    if new.amount <= Decimal::ZERO || new.amount.normalize().scale() > decimals(&currency) {
        let text = format!("{} is no amount in {currency} that can be given back; nothing was recorded", new.amount);
        return Err(Error::new(ErrorKind::Usage, text).hint("--amount 12.50"));
    }
    if bare == Status::AwaitingPayment {
        return Err(refused("is not paid, so there is nothing to give back".to_owned()));
    }
    let (total, there) = money(db, order)?;
    let by_hand = sum(own.iter().map(|one| one.amount));
    let rest = total.saturating_sub(there).saturating_sub(by_hand).max(Decimal::ZERO);
    if new.amount > rest {
        let (rest, wanted) = (scaled(rest, &currency), scaled(new.amount, &currency));
        return Err(refused(format!("has only {rest} {currency} left to give back, not {wanted}")));
    }
    let lines = lines(db, order)?;
    for back in new.lines {
        let of_line = lines.iter().filter(|line| line.id == back.line_id);
        let rest = sum(of_line.map(|line| line.ordered.saturating_sub(line.refunded).max(Decimal::ZERO)));
        if back.quantity > rest {
            return Err(refused(format!("has only {} of a line left to give back", rest.normalize())));
        }
    }
    Ok(there)
}

/// Counts anew what is given back, and whether anything is left to be sent by that.
fn recount(db: &Connection, order: i64, bare: Status) -> Result<()> {
    let was_sent = pieces::is_done(db, order)?;
    count(db, order)?;
    if !is_sent_by_pieces(db, order)? {
        return Ok(());
    }
    match (was_sent, pieces::is_done(db, order)?, bare) {
        (false, true, Status::PartiallyShipped) => set_status(db, order, Status::Shipped),
        (true, false, Status::Shipped) => set_status(db, order, Status::PartiallyShipped),
        _ => Ok(()),
    }
}

/// Counts the pieces given back here and there, and whether that is all of the order.
fn count(db: &Connection, order: i64) -> Result<()> {
    let own = own_refunds(db, order)?;
    let mut pieces: BTreeMap<&str, Decimal> = BTreeMap::new();
    for back in own.iter().flat_map(|one| &one.lines) {
        let count = pieces.entry(&back.line_id).or_default();
        *count = count.saturating_add(back.quantity);
    }
    let mut counted = Vec::new();
    for line in lines(db, order)? {
        let there = copy::quantity(&line.there)?;
        let mine = pieces.get(line.id.as_str()).copied().unwrap_or_default();
        let mine = mine.min(line.ordered.saturating_sub(there)).max(Decimal::ZERO);
        if let Some(rest) = pieces.get_mut(line.id.as_str()) {
            *rest = rest.saturating_sub(mine);
        }
        let (all, beneath) = if mine.is_zero() {
            (line.there.clone(), None)
        } else {
            (there.saturating_add(mine).to_string(), Some(&line.there))
        };
        db.prepare_cached("UPDATE lines SET refunded = ?, refunded_there = ? WHERE order_id = ? AND position = ?")
            .done("written")?
            .execute(params![all, beneath, order, line.position])
            .done("written")?;
        counted.push((line.ordered, there.saturating_add(mine)));
    }
    let (total, there) = money(db, order)?;
    let refunded = there.saturating_add(sum(own.iter().map(|one| one.amount)));
    let all = is_given_back(&Totals { total, refunded, ..Totals::default() }, counted.into_iter());
    db.execute("UPDATE orders SET given_back = ? WHERE id = ?", params![all, order]).done("written")?;
    Ok(())
}

/// Whether the merchant has sent something of the order, and it is known what is in every shipment
/// of it. How far it is sent is the channel's to say otherwise.
fn is_sent_by_pieces(db: &Connection, order: i64) -> Result<bool> {
    let sql = "SELECT coalesce(max(sh.key IS NOT NULL), 0)
          AND NOT coalesce(max(NOT EXISTS (SELECT 1 FROM shipment_lines sl WHERE sl.shipment_id = sh.id)), 0)
        FROM shipments sh WHERE sh.order_id = ?";
    db.query_row(sql, [order], |row| row.get(0)).done("read")
}

/// Whether the merchant was asked this of an order and has dealt with it.
pub(super) const ASKED_BEFORE: &str =
    "SELECT EXISTS (SELECT 1 FROM inbox WHERE order_id = ? AND kind = ? AND text = ? AND resolved_at IS NOT NULL)";

/// Asks the merchant whether what the channel shows as given back since a refund was recorded by
/// hand is the same money; once for what it shows.
fn ask_whether_twice(db: &Connection, order: i64, at: Timestamp) -> Result<()> {
    let (_, there) = money(db, order)?;
    let own = own_refunds(db, order)?;
    let Some(first) = own.iter().find(|one| one.known < there) else {
        db.execute("DELETE FROM inbox WHERE order_id = ? AND kind = ? AND resolved_at IS NULL", params![order, TWICE])
            .done("written")?;
        return Ok(());
    };
    let sql = "SELECT o.store_id, s.name, o.remote_id, o.currency FROM orders o JOIN stores s ON s.id = o.store_id WHERE o.id = ?";
    let (store, name, subject, currency): (i64, String, String, String) =
        db.query_row(sql, [order], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).done("read")?;
    let money = |amount| format!("{} {currency}", scaled(amount, &currency));
    let since = there.saturating_sub(first.known);
    let text = format!(
        "{name} shows {} given back for order {order} since you recorded {} by hand; both count until you say that it is the same money",
        money(since),
        money(sum(own.iter().filter(|one| one.known < there).map(|one| one.amount)))
    );
    if db.query_row(ASKED_BEFORE, params![order, TWICE, text], |row| row.get(0)).done("read")? {
        return Ok(());
    }
    let hint = format!(
        "ordersync refund book:{order} --remove {} if it is the same; ordersync show book:{order} lists both",
        first.number
    );
    put_note(db, Some(store), Some(order), &subject, &InboxNote { kind: InboxKind::Refunds, text, hint }, at)
}
