//! Whether what the book says of its orders holds together: sums, pieces, and dispatches that never
//! went out (F-7).
//!
//! The tables are read side by side in the order of the orders' numbers, one order at a time, so a
//! book of any size is checked in the same little memory.

use rusqlite::{Row, Rows};
use rust_decimal::Decimal;

use super::Book;
use super::error::Done;
use crate::error::Result;
use crate::order::sums::Sum;
use crate::order::{ChargeKind, LARGEST, Totals, stored_decimal};

/// Something that is wrong with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// The order's number.
    pub(crate) order: i64,
    /// What is wrong.
    pub(crate) fault: Fault,
}

/// What can be wrong with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its total is so much more than its parts, and no charge says so.
    Sums(Decimal),
    /// It has an amount that nobody can mean.
    TooLarge,
    /// More of a line is sent or given back than was ordered.
    Pieces,
    /// It has a number of pieces that cannot be read.
    Uncounted,
    /// It is shipped here, but its dispatch, this row of the outbox, was refused.
    InVain(i64),
    /// The version that the merchant last saw is lost.
    Unseen,
}

/// The charges as the book has them: kind, amount, tax on it.
type Part = (String, String, String);

impl Book {
    /// Looks at every order and calls `found` for each flaw.
    pub(crate) fn audit(&self, found: &mut dyn FnMut(Flaw)) -> Result<()> {
        let mut orders =
            self.db.prepare("SELECT id, total, tax_total, prices_include_tax FROM orders ORDER BY id").done("read")?;
        let mut lines = self
            .db
            .prepare("SELECT order_id, remote_id, quantity, refunded, total FROM lines ORDER BY order_id, position")
            .done("read")?;
        let mut charges = self
            .db
            .prepare("SELECT order_id, kind, amount, tax FROM charges ORDER BY order_id, position")
            .done("read")?;
        let mut sent = self
            .db
            .prepare(
                "SELECT sh.order_id, sl.line_id, sl.quantity FROM shipments sh INDEXED BY shipments_by_order
                 JOIN shipment_lines sl ON sl.shipment_id = sh.id ORDER BY sh.order_id",
            )
            .done("read")?;
        let mut lines =
            Beside::new(lines.query([]).done("read")?, |row| Ok((row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
        let mut charges =
            Beside::new(charges.query([]).done("read")?, |row| Ok((row.get(1)?, row.get(2)?, row.get(3)?)));
        let mut sent = Beside::new(sent.query([]).done("read")?, |row| Ok((row.get(1)?, row.get(2)?)));
        let mut orders = orders.query([]).done("read")?;
        while let Some(row) = orders.next().done("read")? {
            let order: i64 = row.get(0).done("read")?;
            let whole = Whole {
                total: row.get(1).done("read")?,
                tax: row.get(2).done("read")?,
                with_tax: row.get(3).done("read")?,
                lines: lines.of(order)?,
                charges: charges.of(order)?,
                sent: sent.of(order)?,
            };
            [whole.sums(), whole.pieces()].into_iter().flatten().for_each(|fault| found(Flaw { order, fault }));
        }
        self.sent_in_vain()?.into_iter().chain(self.unseen()?).for_each(found);
        Ok(())
    }

    /// Orders without the version that the merchant last imported or accepted.
    fn unseen(&self) -> Result<Vec<Flaw>> {
        let sql = "SELECT o.id FROM orders o
             WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.order_id = o.id AND v.role = 'base') ORDER BY o.id";
        let mut statement = self.db.prepare(sql).done("read")?;
        let rows = statement.query_map([], |row| Ok(Flaw { order: row.get(0)?, fault: Fault::Unseen }));
        rows.done("read")?.collect::<rusqlite::Result<_>>().done("read")
    }

    /// Orders that are shipped here although their newest dispatch was refused: nothing of it is at
    /// the channel.
    fn sent_in_vain(&self) -> Result<Vec<Flaw>> {
        let sql = "SELECT x.order_id, x.id FROM outbox x JOIN orders o ON o.id = x.order_id
             WHERE x.state = 'failed' AND x.kind = 'dispatch' AND x.shipment_id IS NOT NULL
               AND o.status IN ('shipped', 'partially-shipped')
               AND NOT EXISTS (SELECT 1 FROM outbox y WHERE y.order_id = x.order_id AND y.kind = 'dispatch'
                               AND y.state <> 'withdrawn' AND y.id <> x.id)
             ORDER BY x.order_id";
        let mut statement = self.db.prepare(sql).done("read")?;
        let rows = statement.query_map([], |row| Ok(Flaw { order: row.get(0)?, fault: Fault::InVain(row.get(1)?) }));
        rows.done("read")?.collect::<rusqlite::Result<_>>().done("read")
    }
}

/// Rows of another table that belong to the order that is being looked at.
struct Beside<'s, T> {
    rows: Rows<'s>,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
    /// The row that was read ahead, and whose it is.
    next: Option<(i64, T)>,
    done: bool,
}

impl<'s, T> Beside<'s, T> {
    fn new(rows: Rows<'s>, read: fn(&Row<'_>) -> rusqlite::Result<T>) -> Self {
        Self { rows, read, next: None, done: false }
    }

    /// The rows of `order`; those before it belong to no order any more.
    fn of(&mut self, order: i64) -> Result<Vec<T>> {
        let mut found = Vec::new();
        while let Some((whose, row)) = self.take()? {
            if whose > order {
                self.next = Some((whose, row));
                break;
            }
            if whose == order {
                found.push(row);
            }
        }
        Ok(found)
    }

    fn take(&mut self) -> Result<Option<(i64, T)>> {
        if self.next.is_some() || self.done {
            return Ok(self.next.take());
        }
        let Some(row) = self.rows.next().done("read")? else {
            self.done = true;
            return Ok(None);
        };
        let whose = row.get(0).done("read")?;
        (self.read)(row).done("read").map(|row| Some((whose, row)))
    }
}

/// An order with its parts, as texts.
struct Whole {
    total: String,
    tax: String,
    with_tax: bool,
    /// Id, ordered, given back, total.
    lines: Vec<(String, String, String, String)>,
    charges: Vec<Part>,
    /// Id of the line, how many.
    sent: Vec<(String, String)>,
}

impl Whole {
    fn sums(&self) -> Option<Fault> {
        let Some(rest) = self.rest() else { return Some(Fault::TooLarge) };
        let parts = i64::try_from(self.lines.len() + self.charges.len()).unwrap_or(i64::MAX);
        // Channels round each part by itself; an older version did not write that down.
        let rounding = Decimal::new(1, 2).saturating_mul(parts.into());
        (rest.abs() > rounding).then_some(Fault::Sums(rest))
    }

    /// `None`: an amount that is none, or larger than any that can be meant.
    fn rest(&self) -> Option<Decimal> {
        let amount = |text: &str| stored_decimal(text).ok().filter(|amount| amount.abs() <= LARGEST);
        let totals = Totals { total: amount(&self.total)?, tax: amount(&self.tax)?, ..Totals::default() };
        let mut sum = Sum::new(&totals, self.with_tax);
        for (.., total) in &self.lines {
            sum.line(amount(total)?);
        }
        for (kind, value, tax) in &self.charges {
            let kind: ChargeKind = serde_json::from_value(kind.as_str().into()).ok()?;
            sum.charge(kind, amount(value)?, amount(tax)?);
        }
        sum.rest()
    }

    /// Ordered = left + sent + given back unsent holds where neither of the two is more than what was
    /// ordered, sent or given back: what is both is counted once.
    fn pieces(&self) -> Option<Fault> {
        match self.has_too_many() {
            Some(too_many) => too_many.then_some(Fault::Pieces),
            None => Some(Fault::Uncounted),
        }
    }

    /// `None`: a number that is none.
    fn has_too_many(&self) -> Option<bool> {
        let number = |text: &str| stored_decimal(text).ok();
        let mut too_many = false;
        for (id, ordered, back, _) in &self.lines {
            let mut sent = self.sent.iter().filter(|(line, _)| line == id).map(|(_, pieces)| number(pieces));
            let sent = sent.try_fold(Decimal::ZERO, |all, some| Some(all.saturating_add(some?)))?;
            too_many |= sent.max(number(back)?) > number(ordered)?;
        }
        Some(too_many)
    }
}
