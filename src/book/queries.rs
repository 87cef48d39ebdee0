//! Reading one order with everything that the book knows of it, for `show` and every act.

use rusqlite::{OptionalExtension, Row, params};
use rust_decimal::Decimal;

use super::error::{Done, odd};
use super::{Book, Cleared, Dropship, Edit, Hold, InboxEntry, Note, OutboxRow, OutboxState, OwnRefund, Twin, pieces};
use crate::channel::Goal;
use crate::clock::{Timestamp, from_millis};
use crate::error::{Error, ErrorKind, Result};
use crate::order::waiting::Times;
use crate::order::{
    Address, Buyer, Charge, Counted, Field, LineQuantity, Parcel, Payment, Pieces, Refund, Status, Totals,
    is_given_back, stored_decimal, sum,
};

/// The shipments of an order, with what became of telling the channel.
pub(super) const SHIPMENTS: &str = "SELECT sh.id, sh.remote_id, sh.shipped_at, sh.key IS NOT NULL,
    coalesce((SELECT x.state FROM outbox x WHERE x.shipment_id = sh.id), 'confirmed')
    FROM shipments sh WHERE sh.order_id = ? ORDER BY sh.id";

/// A line of the merchant's copy.
#[derive(Debug, Clone)]
pub(crate) struct BookLine {
    /// The channel's id of it.
    pub(crate) remote_id: String,
    /// Stock-keeping unit.
    pub(crate) sku: String,
    /// Name.
    pub(crate) name: String,
    /// Variant.
    pub(crate) variant: String,
    /// How many are ordered.
    pub(crate) quantity: Decimal,
    /// How many were given back.
    pub(crate) refunded: Decimal,
    /// How many are in shipments recorded here or shown by the channel.
    pub(crate) shipped: Decimal,
    /// What became of its pieces.
    pub(crate) pieces: Pieces,
    /// Price of one.
    pub(crate) unit_price: Decimal,
    /// The line's total.
    pub(crate) total: Decimal,
    /// Tax on it.
    pub(crate) tax: Decimal,
    /// Whether it goes into a parcel.
    pub(crate) ships: bool,
    /// Which of the order's `ship_to` addresses it goes to.
    pub(crate) ship_to: usize,
}

impl BookLine {
    /// How many are still to be shipped.
    pub(crate) fn open(&self) -> Decimal {
        self.pieces.left
    }

    /// How many more are to be shipped if those given back of which nobody tells it had been sent
    /// before.
    pub(crate) fn unclear(&self) -> Decimal {
        if self.ships { self.pieces.unclear } else { Decimal::ZERO }
    }
}

impl BookOrder {
    /// Whether all of it was given back before all of it was sent.
    pub(crate) fn waits_given_back(&self) -> bool {
        let lines = self.lines.iter().map(|line| (line.quantity, line.refunded));
        let by_hand = sum(self.own_refunds.iter().map(|one| one.amount));
        let totals = Totals { refunded: self.totals.refunded.saturating_add(by_hand), ..self.totals };
        !matches!(self.status, Status::Shipped | Status::Cancelled) && is_given_back(&totals, lines)
    }

    /// What commands take for one of its lines: the SKU, or `#2` where that is not of one line alone.
    pub(crate) fn name_of(&self, line: &BookLine) -> String {
        let same = self.lines.iter().filter(|one| one.sku == line.sku).count();
        if !line.sku.is_empty() && same == 1 {
            return line.sku.clone();
        }
        let nth = self.lines.iter().position(|one| one.remote_id == line.remote_id).unwrap_or_default();
        format!("#{}", nth + 1)
    }

    /// What counts as sent by others.
    pub(crate) fn sent_by_others(&self) -> Vec<Counted> {
        let theirs = self.shipments.iter().filter(|shipment| !shipment.own && !shipment.lines.is_empty());
        theirs.map(|one| Counted { remote_id: one.remote_id.clone(), lines: one.lines.clone() }).collect()
    }

    /// What is to be said of pieces given back of which nobody tells whether they had been sent
    /// before, and what settles it; nothing where that makes no difference.
    pub(crate) fn unclear_words(&self) -> Option<(String, String)> {
        if matches!(self.status, Status::Shipped | Status::Cancelled) {
            return None;
        }
        let unclear = self.lines.iter().filter(|line| line.unclear() > Decimal::ZERO);
        let (mut pieces, mut flags) = (Vec::new(), Vec::new());
        for line in unclear {
            let (name, count) = (self.name_of(line), line.unclear().normalize());
            pieces.push(format!("{count} × {name}"));
            let all = line.pieces.returned.saturating_add(count);
            flags.push((format!("--returned '{name}={}'", all.normalize()), format!("--returned '{name}=0'")));
        }
        let (is, is_not): (Vec<String>, Vec<String>) = flags.into_iter().unzip();
        let text = format!(
            "nobody tells of {} given back whether they had been sent before; if so, as many more are still to be sent",
            pieces.join(", ")
        );
        let hint = format!(
            "ordersync refund book:{0} {1} says that they had been, and offers the rest; ordersync refund book:{0} {2} says that they had not",
            self.id,
            is.join(" "),
            is_not.join(" ")
        );
        (!pieces.is_empty()).then_some((text, hint))
    }

    /// A shipment whose number was changed here is as far as the channel knows that number.
    fn await_numbers(&mut self) {
        for shipment in &mut self.shipments {
            if let Some(state) = awaited(&self.outbox, &shipment.parcels) {
                state.word().clone_into(&mut shipment.state);
            }
        }
    }
}

/// What became of telling the number of a shipment that was changed here, as long as that is open.
pub(super) fn awaited(outbox: &[OutboxRow], parcels: &[Parcel]) -> Option<OutboxState> {
    let is_told = |row: &&OutboxRow| match &row.goal {
        Goal::Retracked(change) => parcels.iter().any(|parcel| parcel.tracking == change.parcel.tracking),
        _ => false,
    };
    outbox.iter().rev().filter(|row| row.state.is_open()).find(is_told).map(|row| row.state)
}

/// A shipment of an order.
#[derive(Debug, Clone)]
pub(crate) struct BookShipment {
    /// The channel's id of it; empty until it is known.
    pub(crate) remote_id: String,
    /// When.
    pub(crate) shipped_at: Option<Timestamp>,
    /// What is in it; empty where the channel does not say.
    pub(crate) lines: Vec<LineQuantity>,
    /// Its tracking numbers.
    pub(crate) parcels: Vec<Parcel>,
    /// Whether it was recorded here (else the channel showed it).
    pub(crate) own: bool,
    /// The state of its outbox row; `confirmed` for one that the channel showed.
    pub(crate) state: String,
}

/// An order with everything the book knows of it.
#[derive(Debug, Clone)]
pub struct BookOrder {
    /// Its short number.
    pub id: i64,
    /// Its store's name.
    pub(crate) store: String,
    /// The channel's word.
    pub(crate) channel: String,
    /// The channel's id.
    pub(crate) remote_id: String,
    /// The channel's number.
    pub number: String,
    /// Its status, without what the merchant does with it here alone.
    pub(crate) status: Status,
    /// Its status here: what lists and counts have it as.
    pub(crate) shown: Status,
    /// The merchant's hold.
    pub(crate) hold: Option<Hold>,
    /// When it is to be sent at the earliest, where it is in the waiting time of its store.
    pub(crate) not_before: Option<Timestamp>,
    /// The merchant's request to a supplier.
    pub(crate) dropship: Option<Dropship>,
    /// Its status there, verbatim.
    pub(crate) channel_status: String,
    /// `listed`, `archived` or `trashed`.
    pub(crate) presence: String,
    /// When it was placed, imported, paid, and is to be shipped by.
    pub(crate) placed_at: Timestamp,
    /// When the channel last changed the version that the copy was made from.
    pub(crate) updated_at: Timestamp,
    /// When it came into the book.
    pub(crate) imported_at: Timestamp,
    /// When it was paid.
    pub(crate) paid_at: Option<Timestamp>,
    /// The latest moment to ship it.
    pub(crate) ship_by: Option<Timestamp>,
    /// Currency of all amounts.
    pub(crate) currency: String,
    /// The sums.
    pub(crate) totals: Totals,
    /// The sums in the shop's own currency, where the buyer paid in another.
    pub(crate) shop_totals: Option<(String, Totals)>,
    /// Who bought.
    pub(crate) buyer: Buyer,
    /// How it was paid.
    pub(crate) payment: Payment,
    /// What the buyer wrote.
    pub(crate) buyer_note: String,
    /// Where within the channel it came from.
    pub(crate) source: String,
    /// A test order.
    pub(crate) test: bool,
    /// Anything else worth showing.
    pub(crate) attributes: Vec<(String, String)>,
    /// Where it goes.
    pub(crate) ship_to: Vec<Address>,
    /// Who is billed.
    pub(crate) bill_to: Option<Address>,
    /// What was bought.
    pub(crate) lines: Vec<BookLine>,
    /// Shipping, taxes, fees and discounts.
    pub(crate) charges: Vec<Charge>,
    /// Money given back at the channel.
    pub(crate) refunds: Vec<Refund>,
    /// Money that the merchant has given back by hand.
    pub(crate) own_refunds: Vec<OwnRefund>,
    /// The merchant's notes.
    pub(crate) notes: Vec<Note>,
    /// The merchant's tags.
    pub(crate) tags: Vec<String>,
    /// Shipments.
    pub(crate) shipments: Vec<BookShipment>,
    /// What is or was in the outbox for it.
    pub(crate) outbox: Vec<OutboxRow>,
    /// What it needs.
    pub(crate) inbox: Vec<InboxEntry>,
    /// The orders of other stores that are the same sale.
    pub(crate) twins: Vec<Twin>,
    /// What the merchant has edited in it.
    pub(crate) edits: Vec<Edit>,
    /// The fields in which the channel's value under an edit has changed unseen.
    pub(crate) followed: Vec<Field>,
    /// That its personal data were taken out, if they were.
    pub(crate) cleared: Option<Cleared>,
    /// Whether a newer version is kept beside it.
    pub(crate) drifted: bool,
    /// Its last event when it was read: another one later means that something about it has changed
    /// since.
    pub(crate) last_event: Option<i64>,
}

impl Book {
    /// One order with everything the book knows of it.
    pub fn order(&self, id: i64) -> Result<BookOrder> {
        let sql = "SELECT o.*, s.name AS store, s.channel,
            EXISTS (SELECT 1 FROM changes c WHERE c.order_id = o.id AND c.fate <> 'applied') AS drifted,
            (SELECT max(rowid) FROM history h WHERE h.order_id = o.id) AS last_event
            FROM orders o JOIN stores s ON s.id = o.store_id WHERE o.id = ?";
        let head = self.db.prepare_cached(sql).done("read")?.query_row([id], book_order).optional().done("read")?;
        let mut order =
            head.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no order {id} is in the book")))??;
        order.ship_to = super::copy::addresses(&self.db, id, "ship")?;
        order.bill_to = super::copy::addresses(&self.db, id, "bill")?.pop();
        order.shipments = self.shipments(id)?;
        order.lines = self.lines(id, order.status, &order.shipments)?;
        order.charges = self.charges(id)?;
        order.refunds = self.refunds(id)?;
        order.outbox = self.outbox_of(id)?;
        order.await_numbers();
        order.inbox = self.inbox_of(id)?;
        order.twins = self.twins(id)?;
        order.edits = self.edits(id)?;
        order.followed = super::accepted::followed(&self.db, id)?;
        // One that has come to an end is held by nothing.
        order.hold = super::local::hold_of(&self.db, id)?.filter(|_| order.shown == Status::OnHold);
        order.not_before = self.not_before(&order)?;
        order.own_refunds = super::own_refunds::own_refunds(&self.db, id)?;
        order.notes = super::notes::notes_of(&self.db, id)?;
        order.tags = super::notes::tags_of(&self.db, id)?;
        order.dropship = super::local::dropship_of(&self.db, id)?;
        order.cleared = self.cleared(id)?;
        Ok(order)
    }

    fn not_before(&self, order: &BookOrder) -> Result<Option<Timestamp>> {
        let waits = self.waits()?;
        if waits.is_empty() {
            return Ok(None);
        }
        let store = "SELECT store_id FROM orders WHERE id = ?";
        let store = self.db.query_row(store, [order.id], |row| row.get(0)).done("read")?;
        let times = Times { placed_at: order.placed_at, imported_at: order.imported_at, ship_by: order.ship_by };
        Ok(self.waits_until(&waits, store, order.shown, times))
    }

    fn all<T>(&self, sql: &str, id: i64, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>> {
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement.query_map([id], read).done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// The lines of an order that has this status, with what became of their pieces.
    pub(super) fn counted_lines(&self, id: i64, status: Status) -> Result<Vec<BookLine>> {
        self.lines(id, status, &self.shipments(id)?)
    }

    fn lines(&self, id: i64, status: Status, shipments: &[BookShipment]) -> Result<Vec<BookLine>> {
        let sql = "SELECT remote_id, sku, name, variant, quantity, refunded, unit_price, total, tax, ships, ship_to FROM lines
                   WHERE order_id = ? ORDER BY position";
        let mut lines = self.all(sql, id, |row| {
            Ok(BookLine {
                remote_id: row.get(0)?,
                sku: row.get(1)?,
                name: row.get(2)?,
                variant: row.get(3)?,
                quantity: amount(row, 4)?,
                refunded: amount(row, 5)?,
                shipped: Decimal::ZERO,
                pieces: Pieces::default(),
                unit_price: amount(row, 6)?,
                total: amount(row, 7)?,
                tax: amount(row, 8)?,
                ships: row.get(9)?,
                ship_to: usize::try_from(row.get::<_, i64>(10)?).unwrap_or_default(),
            })
        })?;
        let whole = status == Status::Shipped;
        for (line, counted) in lines.iter_mut().zip(pieces::of_order(&self.db, id)?) {
            line.pieces = counted.pieces;
            let shipped = shipments
                .iter()
                .flat_map(|shipment| &shipment.lines)
                .filter(|l| l.line_id == line.remote_id)
                .map(|l| l.quantity);
            // An order that is shipped without anybody saying what was in the parcels is shipped as
            // a whole.
            line.shipped = sum(shipped);
            if whole {
                let Pieces { returned, .. } = line.pieces;
                line.shipped = line.quantity.saturating_sub(line.refunded.saturating_sub(returned));
                line.pieces = Pieces { returned, ..Pieces::default() };
            }
        }
        Ok(lines)
    }

    fn charges(&self, id: i64) -> Result<Vec<Charge>> {
        let sql = "SELECT kind, remote_id, code, title, amount, tax FROM charges WHERE order_id = ? ORDER BY position";
        self.all(sql, id, |row| {
            Ok(Charge {
                kind: json_word(row, 0)?,
                remote_id: row.get(1)?,
                code: row.get(2)?,
                title: row.get(3)?,
                amount: amount(row, 4)?,
                tax: amount(row, 5)?,
            })
        })
    }

    fn refunds(&self, id: i64) -> Result<Vec<Refund>> {
        let sql =
            "SELECT remote_id, refunded_at, amount, reason, lines FROM refunds WHERE order_id = ? ORDER BY position";
        self.all(sql, id, |row| {
            Ok(Refund {
                remote_id: row.get(0)?,
                refunded_at: row.get::<_, Option<i64>>(1)?.map(from_millis),
                amount: amount(row, 2)?,
                reason: row.get(3)?,
                lines: json(row, 4)?,
            })
        })
    }

    fn shipments(&self, id: i64) -> Result<Vec<BookShipment>> {
        let heads = self.all(SHIPMENTS, id, |row| {
            let shipment = BookShipment {
                remote_id: row.get(1)?,
                shipped_at: row.get::<_, Option<i64>>(2)?.map(from_millis),
                lines: Vec::new(),
                parcels: Vec::new(),
                own: row.get(3)?,
                state: row.get(4)?,
            };
            Ok((row.get::<_, i64>(0)?, shipment))
        })?;
        heads
            .into_iter()
            .map(|(number, shipment)| {
                let lines =
                    self.all("SELECT line_id, quantity FROM shipment_lines WHERE shipment_id = ?", number, |row| {
                        Ok(LineQuantity { line_id: row.get(0)?, quantity: amount(row, 1)? })
                    })?;
                Ok(BookShipment { lines, parcels: self.parcels(number)?, ..shipment })
            })
            .collect()
    }

    /// The parcels of a shipment.
    pub(super) fn parcels(&self, shipment: i64) -> Result<Vec<Parcel>> {
        let sql = "SELECT carrier, tracking, url FROM parcels WHERE shipment_id = ? ORDER BY position";
        self.all(sql, shipment, |row| Ok(Parcel { carrier: row.get(0)?, tracking: row.get(1)?, url: row.get(2)? }))
    }

    /// Whether any order of a store is paid by this method, by its word or its title.
    pub(crate) fn is_paid_by(&self, store: i64, method: &str) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM orders WHERE store_id = ?1
                   AND (payment_method = ?2 COLLATE NOCASE OR payment_title = ?2 COLLATE NOCASE))";
        self.db.prepare_cached(sql).done("read")?.query_row(params![store, method], |row| row.get(0)).done("read")
    }
}

pub(super) fn amount(row: &Row<'_>, column: usize) -> rusqlite::Result<Decimal> {
    let text: String = row.get(column)?;
    stored_decimal(&text)
        .map_err(|why| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, why.into()))
}

/// A value that is stored as JSON.
fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, e.into()))
}

/// A value that is stored as one of its type's own words.
fn json_word<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let word: String = row.get(column)?;
    serde_json::from_value(word.into())
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, e.into()))
}

fn named_amount(row: &Row<'_>, column: &str) -> rusqlite::Result<Decimal> {
    amount(row, row.as_ref().column_index(column)?)
}

fn book_order(row: &Row<'_>) -> rusqlite::Result<Result<BookOrder>> {
    let word: String = row.get("status")?;
    let bare = row.get::<_, Option<String>>("bare_status")?.unwrap_or_else(|| word.clone());
    let (Ok(shown), Ok(status)) = (word.parse(), bare.parse()) else { return Ok(Err(odd("status", &word))) };
    let time = |column: &str| row.get::<_, Option<i64>>(column).map(|ms| ms.map(from_millis));
    let shop_totals = match row.get::<_, Option<String>>("shop_totals")?.as_deref().map(serde_json::from_str::<Totals>)
    {
        None => None,
        Some(Ok(totals)) => Some(totals),
        Some(Err(_)) => return Ok(Err(odd("shop_totals", "what it holds"))),
    };
    Ok(Ok(BookOrder {
        id: row.get("id")?,
        store: row.get("store")?,
        channel: row.get("channel")?,
        remote_id: row.get("remote_id")?,
        number: row.get("number")?,
        status,
        shown,
        hold: None,
        not_before: None,
        dropship: None,
        channel_status: row.get("channel_status")?,
        presence: row.get("presence")?,
        placed_at: from_millis(row.get("placed_at")?),
        updated_at: from_millis(row.get("updated_at")?),
        imported_at: from_millis(row.get("imported_at")?),
        paid_at: time("paid_at")?,
        ship_by: time("ship_by")?,
        currency: row.get("currency")?,
        totals: Totals {
            lines: named_amount(row, "lines_total")?,
            shipping: named_amount(row, "shipping_total")?,
            tax: named_amount(row, "tax_total")?,
            discount: named_amount(row, "discount_total")?,
            total: named_amount(row, "total")?,
            refunded: named_amount(row, "refunded_total")?,
        },
        shop_totals: row.get::<_, Option<String>>("shop_currency")?.zip(shop_totals),
        buyer: Buyer {
            remote_id: row.get("buyer_remote_id")?,
            name: row.get("buyer_name")?,
            email: row.get("buyer_email")?,
            phone: row.get("buyer_phone")?,
        },
        payment: Payment {
            method: row.get("payment_method")?,
            title: row.get("payment_title")?,
            transaction_id: row.get("transaction_id")?,
        },
        buyer_note: row.get("buyer_note")?,
        source: row.get("source")?,
        test: row.get("test")?,
        attributes: json(row, row.as_ref().column_index("attributes")?)?,
        ship_to: Vec::new(),
        bill_to: None,
        lines: Vec::new(),
        charges: Vec::new(),
        refunds: Vec::new(),
        own_refunds: Vec::new(),
        notes: Vec::new(),
        tags: Vec::new(),
        shipments: Vec::new(),
        outbox: Vec::new(),
        inbox: Vec::new(),
        twins: Vec::new(),
        edits: Vec::new(),
        followed: Vec::new(),
        cleared: None,
        drifted: row.get("drifted")?,
        last_event: row.get("last_event")?,
    }))
}
