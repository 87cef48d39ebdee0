//! The book as rows for other programs: sheets of orders, and of what belongs to them.
//!
//! A sheet is read as of one moment, order by order in the order of their numbers in the book, so
//! the same book gives the same rows in the same order, in the same little memory however many there
//! are. Nothing in a row depends on the time at which it is read. The columns are documented in
//! `docs/data.md`; they are only ever added to.

use std::collections::BTreeSet;

use rusqlite::{Row, Statement};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::error::{Done, odd};
use super::queries::{BookLine, awaited};
use super::{Book, Store};
use crate::clock::{Timestamp, from_millis, rfc3339};
use crate::error::Result;
use crate::order::{Status, scaled, stored_decimal, sum};

/// What the rows of an export are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sheet {
    /// One row for each order
    Orders,
    /// One row for each line of an order, with the address it goes to
    Lines,
    /// One row for each parcel, and one for a shipment without a tracking number
    Shipments,
    /// One row for each refund, at the channel or recorded by hand
    Refunds,
    /// One row for each shipping fee, tax, other fee and discount of an order
    Charges,
}

/// Which orders are exported, or the parts of which.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExportFilter {
    /// Only those with one of these statuses.
    pub(crate) statuses: Vec<Status>,
    /// Only those of these stores, where any are named.
    pub(crate) stores: Vec<Store>,
    /// Only those placed then or later.
    pub(crate) since: Option<Timestamp>,
    /// Only those placed before.
    pub(crate) until: Option<Timestamp>,
}

impl ExportFilter {
    /// The condition on `o`.
    fn condition(&self) -> String {
        let list = |words: Vec<String>| words.join(", ");
        let mut sql = "1".to_owned();
        if !self.statuses.is_empty() {
            let words = self.statuses.iter().map(|status| format!("'{}'", status.word())).collect();
            sql += &format!(" AND o.status IN ({})", list(words));
        }
        if !self.stores.is_empty() {
            let ids = self.stores.iter().map(|store| store.id.to_string()).collect();
            sql += &format!(" AND o.store_id IN ({})", list(ids));
        }
        for (is, at) in [(">=", self.since), ("<", self.until)] {
            if let Some(at) = at {
                sql += &format!(" AND o.placed_at {is} {}", at.timestamp_millis());
            }
        }
        sql
    }
}

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// There is none.
    None,
    /// An order, by its number in the book.
    Order(i64),
    /// A word, an id, an amount or a time of the program's own writing.
    Own(String),
    /// What somebody else has written.
    Text(String),
    /// A place or a number of things.
    Number(i64),
    /// Whether something is so.
    Flag(bool),
    /// Several texts, and what stands between them where they are one.
    Texts(Vec<String>, &'static str),
    /// What is in a shipment, or was given back.
    Pieces(Vec<Piece>),
}

/// Pieces of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    /// The channel's id of the line.
    pub(crate) line_id: String,
    /// Its SKU, where it has one.
    pub(crate) sku: Option<String>,
    /// How many.
    pub(crate) quantity: String,
    /// How much money, of a refund that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<String>,
}

/// How the SQL of a column is read.
#[derive(Clone, Copy)]
enum Kind {
    Order,
    Id,
    Own,
    Text,
    Number,
    Flag,
    Time,
    /// In the order's currency, and in the shop's.
    Money,
    ShopMoney,
    /// Amounts and quantities with blanks between them, which are added up.
    Moneys,
    Quantities,
    /// A JSON array, and what stands between its texts where they are one.
    Texts(&'static str),
    /// A JSON array of [`Piece`]s.
    Pieces,
    /// What the rule of an order's pieces says of a line.
    OfLine(fn(&BookLine) -> Decimal),
    /// What is known of a shipment.
    State,
}

type Column = (&'static str, Kind, &'static str);

/// Which order it is: in every sheet but that of the orders, which has more of it.
const ORDER: [Column; 9] = [
    ("order", Kind::Order, "o.id"),
    ("store", Kind::Own, "s.name"),
    ("channel", Kind::Own, "s.channel"),
    ("number", Kind::Text, "o.number"),
    ("remote_id", Kind::Text, "o.remote_id"),
    ("status", Kind::Own, "o.status"),
    ("test", Kind::Flag, "o.test"),
    ("placed_at", Kind::Time, "o.placed_at"),
    ("currency", Kind::Own, "o.currency"),
];

/// The address `a`.
const SHIP: [Column; 9] = [
    ("ship_name", Kind::Text, "a.name"),
    ("ship_company", Kind::Text, "a.company"),
    ("ship_line1", Kind::Text, "a.line1"),
    ("ship_line2", Kind::Text, "a.line2"),
    ("ship_postcode", Kind::Text, "a.postcode"),
    ("ship_city", Kind::Text, "a.city"),
    ("ship_region", Kind::Text, "a.region"),
    ("country", Kind::Text, "a.country"),
    ("ship_phone", Kind::Text, "a.phone"),
];

const HEAD: [Column; 28] = [
    ("order", Kind::Order, "o.id"),
    ("store", Kind::Own, "s.name"),
    ("channel", Kind::Own, "s.channel"),
    ("connected", Kind::Flag, "s.removed_at IS NULL"),
    ("number", Kind::Text, "o.number"),
    ("remote_id", Kind::Text, "o.remote_id"),
    ("status", Kind::Own, "o.status"),
    ("channel_status", Kind::Text, "o.channel_status"),
    ("presence", Kind::Own, "o.presence"),
    ("test", Kind::Flag, "o.test"),
    ("source", Kind::Text, "o.source"),
    ("placed_at", Kind::Time, "o.placed_at"),
    ("paid_at", Kind::Time, "o.paid_at"),
    ("ship_by", Kind::Time, "o.ship_by"),
    ("shipped_at", Kind::Time, "(SELECT max(h.shipped_at) FROM shipments h WHERE h.order_id = o.id)"),
    ("updated_at", Kind::Time, "o.updated_at"),
    ("imported_at", Kind::Time, "o.imported_at"),
    ("items", Kind::Quantities, "(SELECT group_concat(l.quantity, ' ') FROM lines l WHERE l.order_id = o.id)"),
    ("currency", Kind::Own, "o.currency"),
    ("lines_total", Kind::Money, "o.lines_total"),
    ("shipping_total", Kind::Money, "o.shipping_total"),
    ("tax_total", Kind::Money, "o.tax_total"),
    ("discount_total", Kind::Money, "o.discount_total"),
    (
        "fee_total",
        Kind::Moneys,
        "(SELECT group_concat(c.amount, ' ') FROM charges c WHERE c.order_id = o.id AND c.kind IN ('fee', 'other'))",
    ),
    ("total", Kind::Money, "o.total"),
    ("refunded_total", Kind::Money, "o.refunded_total"),
    (
        "refunded_by_hand",
        Kind::Moneys,
        "(SELECT group_concat(r.amount, ' ') FROM own_refunds r WHERE r.order_id = o.id AND r.removed_at IS NULL)",
    ),
    ("prices_include_tax", Kind::Flag, "o.prices_include_tax"),
];

const SHOP: [Column; 15] = [
    ("shop_currency", Kind::Own, "o.shop_currency"),
    ("shop_lines_total", Kind::ShopMoney, "o.shop_totals ->> 'lines'"),
    ("shop_shipping_total", Kind::ShopMoney, "o.shop_totals ->> 'shipping'"),
    ("shop_tax_total", Kind::ShopMoney, "o.shop_totals ->> 'tax'"),
    ("shop_discount_total", Kind::ShopMoney, "o.shop_totals ->> 'discount'"),
    ("shop_total", Kind::ShopMoney, "o.shop_totals ->> 'total'"),
    ("shop_refunded_total", Kind::ShopMoney, "o.shop_totals ->> 'refunded'"),
    ("payment_method", Kind::Text, "o.payment_method"),
    ("payment_title", Kind::Text, "o.payment_title"),
    ("transaction_id", Kind::Text, "o.transaction_id"),
    ("buyer_id", Kind::Text, "o.buyer_remote_id"),
    ("buyer", Kind::Text, "o.buyer_name"),
    ("buyer_email", Kind::Text, "o.buyer_email"),
    ("buyer_phone", Kind::Text, "o.buyer_phone"),
    ("buyer_note", Kind::Text, "o.buyer_note"),
];

const REST: [Column; 16] = [
    ("addresses", Kind::Number, "(SELECT count(*) FROM addresses c WHERE c.order_id = o.id AND c.kind = 'ship')"),
    ("bill_name", Kind::Text, "b.name"),
    ("bill_company", Kind::Text, "b.company"),
    ("bill_line1", Kind::Text, "b.line1"),
    ("bill_line2", Kind::Text, "b.line2"),
    ("bill_postcode", Kind::Text, "b.postcode"),
    ("bill_city", Kind::Text, "b.city"),
    ("bill_region", Kind::Text, "b.region"),
    ("bill_country", Kind::Text, "b.country"),
    (
        "tracking",
        Kind::Texts(" "),
        "(SELECT json_group_array(p.tracking ORDER BY p.shipment_id, p.position) FROM shipments h JOIN parcels p ON p.shipment_id = h.id
          WHERE h.order_id = o.id AND p.tracking <> '')",
    ),
    ("tags", Kind::Texts(", "), "(SELECT json_group_array(g.tag ORDER BY g.tag) FROM tags g WHERE g.order_id = o.id)"),
    (
        "twin_of",
        Kind::Texts(" "),
        "(SELECT json_group_array(z.name || ':' || w.number ORDER BY w.id) FROM twins t JOIN orders w ON w.id = t.twin_id
          JOIN stores z ON z.id = w.store_id WHERE t.order_id = o.id AND t.state <> 'denied')",
    ),
    ("copy", Kind::Flag, "EXISTS (SELECT 1 FROM twins t WHERE t.order_id = o.id AND t.state <> 'denied' AND t.copy)"),
    (
        "changed_at_channel",
        Kind::Flag,
        "EXISTS (SELECT 1 FROM changes c WHERE c.order_id = o.id AND c.fate <> 'applied')",
    ),
    ("gone_at_channel", Kind::Flag, "EXISTS (SELECT 1 FROM gone g WHERE g.order_id = o.id)"),
    ("cleared", Kind::Flag, "EXISTS (SELECT 1 FROM cleared x WHERE x.order_id = o.id)"),
];

const LINE: [Column; 16] = [
    ("line", Kind::Number, "l.position + 1"),
    ("line_id", Kind::Text, "l.remote_id"),
    ("sku", Kind::Text, "l.sku"),
    ("name", Kind::Text, "l.name"),
    ("variant", Kind::Text, "l.variant"),
    ("product_id", Kind::Text, "l.product_id"),
    ("quantity", Kind::OfLine(|line| line.quantity), "NULL"),
    ("refunded", Kind::OfLine(|line| line.refunded), "NULL"),
    ("shipped", Kind::OfLine(|line| line.shipped), "NULL"),
    ("left", Kind::OfLine(BookLine::open), "NULL"),
    ("unit_price", Kind::Money, "l.unit_price"),
    ("total", Kind::Money, "l.total"),
    ("tax", Kind::Money, "l.tax"),
    ("prices_include_tax", Kind::Flag, "o.prices_include_tax"),
    ("ships", Kind::Flag, "l.ships"),
    ("ship_to", Kind::Number, "iif(l.ships, l.ship_to, NULL)"),
];

const SHIPMENT: [Column; 11] = [
    ("shipment", Kind::Id, "h.id"),
    ("shipment_id", Kind::Text, "h.remote_id"),
    ("recorded_here", Kind::Flag, "h.key IS NOT NULL"),
    ("state", Kind::State, "coalesce((SELECT x.state FROM outbox x WHERE x.shipment_id = h.id), 'confirmed')"),
    ("shipped_at", Kind::Time, "h.shipped_at"),
    ("parcels", Kind::Number, "(SELECT count(*) FROM parcels c WHERE c.shipment_id = h.id)"),
    ("parcel", Kind::Number, "p.position + 1"),
    ("carrier", Kind::Text, "p.carrier"),
    ("tracking", Kind::Text, "p.tracking"),
    ("tracking_url", Kind::Text, "p.url"),
    (
        "lines",
        Kind::Pieces,
        "(SELECT json_group_array(json_object('line_id', n.line_id, 'quantity', n.quantity, 'sku',
            (SELECT l.sku FROM lines l WHERE l.order_id = o.id AND l.remote_id = n.line_id ORDER BY l.position LIMIT 1))
            ORDER BY n.line_id) FROM shipment_lines n WHERE n.shipment_id = h.id)",
    ),
];

const REFUND: [Column; 7] = [
    ("refund", Kind::Id, "r.number"),
    ("refund_id", Kind::Text, "r.remote_id"),
    ("recorded_here", Kind::Flag, "r.own"),
    ("refunded_at", Kind::Time, "r.refunded_at"),
    ("amount", Kind::Money, "r.amount"),
    ("reason", Kind::Text, "r.reason"),
    (
        "lines",
        Kind::Pieces,
        "(SELECT json_group_array(json_object('line_id', j.value ->> 'line_id', 'quantity', j.value ->> 'quantity',
            'amount', j.value ->> 'amount', 'sku',
            (SELECT l.sku FROM lines l WHERE l.order_id = o.id AND l.remote_id = j.value ->> 'line_id' ORDER BY l.position LIMIT 1))
            ORDER BY j.key) FROM json_each(r.lines) j)",
    ),
];

const CHARGE: [Column; 6] = [
    ("charge", Kind::Number, "c.position + 1"),
    ("kind", Kind::Own, "c.kind"),
    ("code", Kind::Text, "c.code"),
    ("title", Kind::Text, "c.title"),
    ("amount", Kind::Money, "c.amount"),
    ("tax", Kind::Money, "c.tax"),
];

impl Sheet {
    fn parts(self) -> &'static [&'static [Column]] {
        match self {
            Self::Orders => &[&HEAD, &SHOP, &SHIP, &REST],
            Self::Lines => &[&ORDER, &LINE, &SHIP],
            Self::Shipments => &[&ORDER, &SHIPMENT],
            Self::Refunds => &[&ORDER, &REFUND],
            Self::Charges => &[&ORDER, &CHARGE],
        }
    }

    fn all(self) -> impl Iterator<Item = &'static Column> {
        self.parts().iter().copied().flatten()
    }

    /// The names of its columns.
    pub(crate) fn columns(self) -> Vec<&'static str> {
        self.all().map(|(name, ..)| *name).collect()
    }

    /// The rows of one order.
    pub(super) fn sql(self) -> String {
        let columns: Vec<String> = self.all().map(|(name, _, sql)| format!("{sql} AS \"{name}\"")).collect();
        let (joined, order) = match self {
            Self::Orders => (
                "LEFT JOIN addresses a ON a.order_id = o.id AND a.kind = 'ship' AND a.position = 0
                 LEFT JOIN addresses b ON b.order_id = o.id AND b.kind = 'bill' AND b.position = 0",
                "o.id",
            ),
            Self::Lines => (
                "JOIN lines l ON l.order_id = o.id
                 LEFT JOIN addresses a ON l.ships AND a.order_id = o.id AND a.kind = 'ship' AND a.position = l.ship_to",
                "l.position",
            ),
            Self::Shipments => (
                "JOIN shipments h ON h.order_id = o.id LEFT JOIN parcels p ON p.shipment_id = h.id",
                "h.id, p.position",
            ),
            Self::Refunds => (
                "JOIN (SELECT 0 AS own, position, NULL AS number, remote_id, refunded_at, amount, reason, lines FROM refunds WHERE order_id = ?1
                       UNION ALL
                       SELECT 1, number, number, '', refunded_at, amount, reason, lines FROM own_refunds
                       WHERE order_id = ?1 AND removed_at IS NULL) r",
                "r.own, r.position",
            ),
            Self::Charges => ("JOIN charges c ON c.order_id = o.id", "c.position"),
        };
        format!(
            "SELECT {} FROM orders o JOIN stores s ON s.id = o.store_id {joined} WHERE o.id = ?1 ORDER BY {order}",
            columns.join(", ")
        )
    }
}

impl Book {
    /// Gives every row of a sheet to `each`, as of one moment: what is written to the book meanwhile
    /// is in none of them. Gives how many there were.
    ///
    /// # Errors
    /// Those of `each`, `Interrupted`, and `Book` where the book cannot be read to its end.
    pub(crate) fn export(
        &self,
        sheet: Sheet,
        filter: &ExportFilter,
        each: &mut dyn FnMut(&[Cell]) -> Result<()>,
    ) -> Result<u64> {
        // Nothing is written in it: it holds one state of the book for all that is read.
        let _moment = self.db.unchecked_transaction().done("read")?;
        let mut orders = self.db.prepare(&orders_of(filter)).done("read")?;
        let mut rows = self.db.prepare(&sheet.sql()).done("read")?;
        let renumbered = self.renumbered()?;
        let mut found = orders.query([]).done("read")?;
        let mut count = 0;
        while let Some(row) = found.next().done("read")? {
            self.clock.check_interrupt()?;
            let (order, status): (i64, String) = (row.get(0).done("read")?, row.get(1).done("read")?);
            let status = status.parse().map_err(|_| odd("status", &status))?;
            let lines = if sheet == Sheet::Lines { self.counted_lines(order, status)? } else { Vec::new() };
            let known = Known { book: self, order, lines, renumbered: renumbered.contains(&order) };
            count += known.rows(sheet, &mut rows, each)?;
        }
        Ok(count)
    }

    /// The orders of which another tracking number is still to be told.
    fn renumbered(&self) -> Result<BTreeSet<i64>> {
        let sql =
            "SELECT order_id FROM outbox WHERE kind = 'tracking' AND state IN ('queued', 'sending', 'unknown', 'sent')";
        let mut statement = self.db.prepare(sql).done("read")?;
        let rows = statement.query_map([], |row| row.get(0)).done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }
}

/// The orders that fit, in the order of their numbers in the book. No index has them in that order;
/// by one, all of them would be put in order in memory.
pub(super) fn orders_of(filter: &ExportFilter) -> String {
    let condition = filter.condition();
    format!("SELECT o.id, coalesce(o.bare_status, o.status) FROM orders o NOT INDEXED WHERE {condition} ORDER BY o.id")
}

/// An order whose rows are read, and what is known of it besides.
struct Known<'a> {
    book: &'a Book,
    order: i64,
    lines: Vec<BookLine>,
    renumbered: bool,
}

impl Known<'_> {
    fn rows(
        &self,
        sheet: Sheet,
        statement: &mut Statement<'_>,
        each: &mut dyn FnMut(&[Cell]) -> Result<()>,
    ) -> Result<u64> {
        let mut rows = statement.query([self.order]).done("read")?;
        let mut nth = 0;
        while let Some(row) = rows.next().done("read")? {
            let line = self.lines.get(nth);
            let cells = sheet.all().enumerate().map(|(n, (_, kind, _))| self.cell(row, n, *kind, line));
            each(&cells.collect::<Result<Vec<Cell>>>()?)?;
            nth += 1;
        }
        Ok(nth as u64)
    }

    fn cell(&self, row: &Row<'_>, n: usize, kind: Kind, line: Option<&BookLine>) -> Result<Cell> {
        let text = || row.get::<_, Option<String>>(n).done("read");
        let own = |text: Option<String>| text.map_or(Cell::None, Cell::Own);
        Ok(match kind {
            Kind::Order => Cell::Order(row.get(n).done("read")?),
            Kind::Id => own(row.get::<_, Option<i64>>(n).done("read")?.map(|id| id.to_string())),
            Kind::Own => own(text()?),
            Kind::Text => text()?.map_or(Cell::None, Cell::Text),
            Kind::Number => row.get::<_, Option<i64>>(n).done("read")?.map_or(Cell::None, Cell::Number),
            Kind::Flag => Cell::Flag(row.get(n).done("read")?),
            Kind::Time => own(row.get::<_, Option<i64>>(n).done("read")?.map(|ms| rfc3339(from_millis(ms)))),
            Kind::Money => own(text()?.map(|text| money(row, "currency", &text)).transpose()?),
            Kind::ShopMoney => own(text()?.map(|text| money(row, "shop_currency", &text)).transpose()?),
            Kind::Moneys => Cell::Own(money(row, "currency", &added(text()?)?.to_string())?),
            Kind::Quantities => Cell::Own(quantity(added(text()?)?)),
            Kind::Texts(between) => {
                let text = text()?.unwrap_or_default();
                Cell::Texts(serde_json::from_str(&text).map_err(|_| odd("list", "no texts"))?, between)
            }
            Kind::Pieces => Cell::Pieces(pieces(row, &text()?.unwrap_or_default())?),
            Kind::OfLine(of) => line.map_or(Cell::None, |line| Cell::Own(quantity(of(line)))),
            Kind::State => own(Some(self.state(row, text()?.unwrap_or_default())?)),
        })
    }

    /// The state of a shipment: of one whose number was changed here, what became of telling that.
    fn state(&self, row: &Row<'_>, state: String) -> Result<String> {
        if !self.renumbered {
            return Ok(state);
        }
        let shipment: i64 = row.get("shipment").done("read")?;
        let outbox = self.book.outbox_of(self.order)?;
        let parcels = self.book.parcels(shipment)?;
        Ok(awaited(&outbox, &parcels).map_or(state, |awaited| awaited.word().to_owned()))
    }
}

/// What is in a shipment or was given back, its amounts at the scale of the order's currency.
fn pieces(row: &Row<'_>, text: &str) -> Result<Vec<Piece>> {
    let pieces: Vec<Piece> = serde_json::from_str(text).map_err(|_| odd("list", "no pieces"))?;
    let piece = |piece: Piece| {
        Ok(Piece {
            quantity: quantity(decimal(&piece.quantity)?),
            amount: piece.amount.map(|amount| money(row, "currency", &amount)).transpose()?,
            sku: piece.sku.filter(|sku| !sku.is_empty()),
            ..piece
        })
    };
    pieces.into_iter().map(piece).collect()
}

fn money(row: &Row<'_>, currency: &str, amount: &str) -> Result<String> {
    let currency: Option<String> = row.get(currency).done("read")?;
    Ok(scaled(decimal(amount)?, currency.as_deref().unwrap_or_default()))
}

fn quantity(quantity: Decimal) -> String {
    quantity.normalize().to_string()
}

fn added(texts: Option<String>) -> Result<Decimal> {
    let texts = texts.unwrap_or_default();
    let all: Vec<Decimal> = texts.split_ascii_whitespace().map(decimal).collect::<Result<_>>()?;
    Ok(sum(all))
}

fn decimal(text: &str) -> Result<Decimal> {
    stored_decimal(text).map_err(|_| odd("amount", text))
}
