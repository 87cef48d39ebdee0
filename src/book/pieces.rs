//! What became of the pieces of an order's lines: the rule of [`crate::order::pieces`] over what the
//! book has, the merchant's own shipments and refunds among it.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;

use super::error::{Done, odd};
use super::local::Worked;
use super::{Book, acts, copy, trail};
use crate::clock::from_millis;
use crate::error::Result;
use crate::order::pieces::{Back, Pieces, Sent, given_back_by};
use crate::order::{KnownPieces, LineQuantity, Refund, Status};

/// A line and what became of its pieces.
pub(super) struct Counted {
    pub(super) id: String,
    pub(super) ships: bool,
    pub(super) pieces: Pieces,
    back: Back,
    sent: Vec<Sent>,
}

/// The lines of an order in their order.
pub(super) fn of_order(db: &Connection, order: i64) -> Result<Vec<Counted>> {
    without(db, order, None)
}

/// The same as if one of its shipments were not there.
pub(super) fn without(db: &Connection, order: i64, shipment: Option<i64>) -> Result<Vec<Counted>> {
    let sql = "SELECT remote_id, ships, quantity, refunded, coalesce(refunded_there, refunded), returned
               FROM lines WHERE order_id = ? ORDER BY position";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let read =
        |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?));
    let rows = statement.query_map([order], read).done("read")?;
    let rows: Vec<(String, bool, String, String, String, Option<String>)> =
        rows.collect::<rusqlite::Result<_>>().done("read")?;
    let is_any_back = rows.iter().any(|(_, _, _, back, ..)| back != "0");
    let sent = sent(db, order, shipment, is_any_back)?;
    let said = if is_any_back { said(db, order)? } else { BTreeMap::new() };
    let counted = rows.into_iter().map(|(id, ships, ordered, all, there, told)| {
        let there = copy::quantity(&there)?;
        let back = Back {
            there,
            told: told.map(|told| copy::quantity(&told)).transpose()?,
            by_hand: copy::quantity(&all)?.saturating_sub(there),
            said: said.get(&id).copied(),
        };
        let sent = sent.get(&id).cloned().unwrap_or_default();
        Ok(Counted { pieces: Pieces::new(copy::quantity(&ordered)?, &back, &sent), id, ships, back, sent })
    });
    counted.collect()
}

/// What is in the order's shipments but one, by line.
fn sent(db: &Connection, order: i64, but: Option<i64>, is_any_back: bool) -> Result<BTreeMap<String, Vec<Sent>>> {
    let sql = "SELECT sl.line_id, sl.quantity, sh.shipped_at FROM shipments sh
               JOIN shipment_lines sl ON sl.shipment_id = sh.id WHERE sh.order_id = ? AND sh.id IS NOT ? ORDER BY sh.id";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let rows =
        statement.query_map(params![order, but], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).done("read")?;
    let rows: Vec<(String, String, Option<i64>)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
    let refunds = if is_any_back && !rows.is_empty() { refunds(db, order)? } else { Vec::new() };
    let mut sent: BTreeMap<String, Vec<Sent>> = BTreeMap::new();
    for (line, quantity, at) in rows {
        let behind = given_back_by(&refunds, &line, at.map(from_millis));
        sent.entry(line).or_default().push(Sent { quantity: copy::quantity(&quantity)?, behind });
    }
    Ok(sent)
}

/// When which pieces were given back at the channel.
fn refunds(db: &Connection, order: i64) -> Result<Vec<Refund>> {
    let sql = "SELECT refunded_at, lines FROM refunds WHERE order_id = ?";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let rows = statement.query_map([order], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
    let rows: Vec<(Option<i64>, String)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
    let refund = |(at, lines): (Option<i64>, String)| {
        let lines = serde_json::from_str(&lines).map_err(|_| odd("refund", "lines"))?;
        let (remote_id, reason) = (String::new(), String::new());
        Ok(Refund { remote_id, refunded_at: at.map(from_millis), amount: Decimal::ZERO, reason, lines })
    };
    rows.into_iter().map(refund).collect()
}

/// The merchant's word on pieces given back, by line.
fn said(db: &Connection, order: i64) -> Result<BTreeMap<String, (Decimal, Decimal)>> {
    let sql = "SELECT line_id, returned, of_given_back FROM own_returns WHERE order_id = ?";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let rows = statement.query_map([order], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).done("read")?;
    let rows: Vec<(String, String, String)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
    rows.into_iter().map(|(id, returned, of)| Ok((id, (copy::quantity(&returned)?, copy::quantity(&of)?)))).collect()
}

/// Whether a shipment that waits holds more pieces than are owed without it: some of them were given
/// back since it was recorded.
pub(super) fn holds_given_back(db: &Connection, order: i64, shipment: i64) -> Result<bool> {
    let sql = "SELECT line_id, quantity FROM shipment_lines WHERE shipment_id = ?
               AND EXISTS (SELECT 1 FROM lines l WHERE l.order_id = ? AND l.remote_id = line_id AND l.refunded <> '0')";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let rows = statement.query_map([shipment, order], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
    let rows: Vec<(String, String)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
    if rows.is_empty() {
        return Ok(false);
    }
    let counted = without(db, order, Some(shipment))?;
    for (line, quantity) in rows {
        let owed = counted.iter().find(|one| one.id == line).map(|one| one.pieces.at_most());
        if owed.is_some_and(|owed| copy::quantity(&quantity).is_ok_and(|quantity| quantity > owed)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the merchant has said of any pieces of the order whether they had been sent.
pub(super) fn is_any_said(db: &Connection, order: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM own_returns WHERE order_id = ?)";
    db.prepare_cached(sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
}

/// Whether nothing of the order is to be sent any more, nor may be.
pub(super) fn is_done(db: &Connection, order: i64) -> Result<bool> {
    Ok(of_order(db, order)?.iter().all(|line| !line.ships || line.pieces.at_most().is_zero()))
}

/// Whether more of the order may be owed than is offered.
pub(super) fn is_unclear(db: &Connection, order: i64) -> Result<bool> {
    Ok(of_order(db, order)?.iter().any(|line| line.ships && !line.pieces.unclear.is_zero()))
}

impl Book {
    /// What is known of the pieces of each line, as if the shipment of this row of the outbox were not
    /// there.
    pub(crate) fn pieces_besides(&self, order: i64, row: Option<i64>) -> Result<Vec<KnownPieces>> {
        let sql = "SELECT shipment_id FROM outbox WHERE id = ? AND kind = 'dispatch'";
        let shipment: Option<Option<i64>> =
            self.db.prepare_cached(sql).done("read")?.query_row([row], |row| row.get(0)).optional().done("read")?;
        let counted = without(&self.db, order, shipment.flatten())?;
        let known = |one: Counted| KnownPieces { line_id: one.id, back: one.back, sent: one.sent };
        Ok(counted.into_iter().map(known).collect())
    }

    /// Records how many of the pieces that were given back had been sent before.
    ///
    /// # Errors
    /// `NotFound` where there is no such order.
    pub(crate) fn say_returned(&mut self, order: i64, lines: &[LineQuantity], rehearsal: bool) -> Result<Worked> {
        self.work(rehearsal, |db, by| {
            let (_, bare) = acts::head(db, order)?;
            let was_done = is_done(db, order)?;
            let mut worked = Worked::Already;
            for line in lines {
                let sql = "SELECT refunded FROM lines WHERE order_id = ? AND remote_id = ?";
                let back: String = db.query_row(sql, params![order, line.line_id], |row| row.get(0)).done("read")?;
                let (returned, back) = (line.quantity, copy::quantity(&back)?);
                if said(db, order)?.get(&line.line_id) == Some(&(returned, back)) {
                    continue;
                }
                worked = Worked::Done;
                db.execute(
                    "INSERT OR REPLACE INTO own_returns VALUES (?, ?, ?, ?)",
                    params![order, line.line_id, returned.to_string(), back.to_string()],
                )
                .done("written")?;
                let detail =
                    format!("{} of {} given back of line {}", returned.normalize(), back.normalize(), line.line_id);
                trail::note(db, order, by, "returned", &detail)?;
            }
            match (was_done, is_done(db, order)?, bare) {
                (false, true, Status::PartiallyShipped) => acts::set_status(db, order, Status::Shipped)?,
                (true, false, Status::Shipped) => acts::set_status(db, order, Status::PartiallyShipped)?,
                _ => {}
            }
            Ok(worked)
        })
    }
}
