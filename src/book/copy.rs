//! Writing the merchant's copy of an order, row by row.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, params, params_from_iter};
use rust_decimal::Decimal;

use super::acts::set_status;
use super::edits::{self, Overlaid};
use super::error::{Done, odd};
use super::local::local_of;
use super::pieces;
use super::trail::By;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::order::{Address, Buyer, LineQuantity, Local, Order, Parcel, People, RemoteShipment, Status};

/// Takes away the shipments that the channel showed. The unary plus keeps SQLite from going through
/// those of the whole book, which all have no key.
pub(super) const FORGET_THEIRS: &str = "DELETE FROM shipments WHERE order_id = ? AND +key IS NULL";

/// A column of an order's row, and what stands in it.
type Column<'o> = (&'static str, ToSqlOutput<'o>);

/// What of an order's row is the copy of the channel's version.
fn columns(o: &Order) -> Result<Vec<Column<'_>>> {
    fn text(text: &str) -> ToSqlOutput<'_> {
        ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
    }
    let written = |text: String| ToSqlOutput::Owned(Value::Text(text));
    let maybe = |text: Option<String>| ToSqlOutput::Owned(text.map_or(Value::Null, Value::Text));
    let at = |at: Timestamp| ToSqlOutput::Owned(Value::Integer(at.timestamp_millis()));
    let never = ToSqlOutput::Owned(Value::Null);
    let amount = |amount: Decimal| ToSqlOutput::Owned(Value::Text(amount.to_string()));
    Ok(vec![
        ("number", text(&o.number)),
        ("status", text(o.status.word())),
        ("bare_status", never.clone()),
        ("channel_status", text(&o.channel_status)),
        ("presence", text(o.presence.word())),
        ("placed_at", at(o.placed_at)),
        ("updated_at", at(o.updated_at)),
        ("paid_at", o.paid_at.map_or(never.clone(), at)),
        ("ship_by", o.ship_by.map_or(never, at)),
        ("currency", text(o.currency.code())),
        ("total", amount(o.totals.total)),
        ("lines_total", amount(o.totals.lines)),
        ("shipping_total", amount(o.totals.shipping)),
        ("tax_total", amount(o.totals.tax)),
        ("discount_total", amount(o.totals.discount)),
        ("refunded_total", amount(o.totals.refunded)),
        ("shop_currency", maybe(o.shop_totals.as_ref().map(|(currency, _)| currency.to_string()))),
        ("shop_totals", maybe(shop_totals(o)?)),
        ("prices_include_tax", o.prices_include_tax.into()),
        ("buyer_remote_id", text(&o.buyer.remote_id)),
        ("buyer_name", text(&o.buyer.name)),
        ("buyer_email", text(&o.buyer.email)),
        ("buyer_phone", text(&o.buyer.phone)),
        ("payment_method", text(&o.payment.method)),
        ("payment_title", text(&o.payment.title)),
        ("transaction_id", text(&o.payment.transaction_id)),
        ("buyer_note", text(&o.buyer_note)),
        ("source", text(&o.source)),
        ("test", o.test.into()),
        ("attributes", written(attributes(o)?)),
        ("given_back", o.is_given_back().into()),
        ("ships", (o.lines.is_empty() || o.lines.iter().any(|line| line.ships)).into()),
    ])
}

/// Inserts a copy and gives its short number.
pub(super) fn insert_copy(db: &Connection, store: i64, o: &Order, now: Timestamp) -> Result<i64> {
    let own = [
        ("store_id", store.into()),
        ("remote_id", o.remote_id.as_str().into()),
        ("imported_at", now.timestamp_millis().into()),
    ];
    static SQL: OnceLock<String> = OnceLock::new();
    let (names, values): (Vec<_>, Vec<_>) = own.into_iter().chain(columns(o)?).unzip();
    let sql = || format!("INSERT INTO orders ({}) VALUES ({})", names.join(", "), vec!["?"; names.len()].join(", "));
    db.prepare_cached(SQL.get_or_init(sql)).done("written")?.execute(params_from_iter(values)).done("written")?;
    let id = db.last_insert_rowid();
    insert_parts(db, id, o)?;
    Ok(id)
}

/// Makes the copy what `o` says; the merchant's own shipments and local work stay, and what it
/// knows of people that `o` does not tell (P-11). What the merchant has edited lies over it (P-5);
/// gives what became of that.
pub(super) fn replace_copy(db: &Connection, id: i64, o: &Order, by: By) -> Result<Overlaid> {
    let mut own = o.with_known(&people(db, id)?);
    let laid = edits::overlay(db, id, &mut own, by)?;
    let o = &own;
    static SQL: OnceLock<String> = OnceLock::new();
    let (names, values): (Vec<_>, Vec<_>) = columns(o)?.into_iter().unzip();
    let sql =
        || format!("UPDATE orders SET ({}) = ({}) WHERE id = ?", names.join(", "), vec!["?"; names.len()].join(", "));
    db.prepare_cached(SQL.get_or_init(sql))
        .done("written")?
        .execute(params_from_iter(values.into_iter().chain([id.into()])))
        .done("written")?;
    for table in ["lines", "addresses", "charges", "refunds"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE order_id = ?"))
            .done("written")?
            .execute([id])
            .done("written")?;
    }
    db.prepare_cached(FORGET_THEIRS).done("written")?.execute([id]).done("written")?;
    insert_parts(db, id, o)?;
    super::own_refunds::lay_over(db, id, by.at)?;
    if local_of(db, id)? != Local::default() {
        set_status(db, id, o.status)?;
    }
    Ok(laid)
}

/// Whom the copy knows, without what the merchant has edited.
pub(super) fn people(db: &Connection, id: i64) -> Result<People> {
    let sql = "SELECT buyer_remote_id, buyer_name, buyer_email, buyer_phone, buyer_note, transaction_id FROM orders WHERE id = ?";
    let known = db.prepare_cached(sql).done("read")?.query_row([id], |row| {
        let buyer = Buyer { remote_id: row.get(0)?, name: row.get(1)?, email: row.get(2)?, phone: row.get(3)? };
        Ok(People { buyer, buyer_note: row.get(4)?, transaction_id: row.get(5)?, ..People::default() })
    });
    let (ship_to, bill_to) = (addresses(db, id, "ship")?, addresses(db, id, "bill")?.pop());
    let mut people = People { ship_to, bill_to, ..known.done("read")? };
    edits::unedited(db, id, &mut people)?;
    Ok(people)
}

/// The addresses of a copy that are of this kind.
pub(super) fn addresses(db: &Connection, id: i64, kind: &str) -> Result<Vec<Address>> {
    let sql =
        "SELECT remote_id, name, company, line1, line2, city, region, postcode, country, phone, email FROM addresses
               WHERE order_id = ? AND kind = ? ORDER BY position";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let rows = statement.query_map(params![id, kind], |row| {
        Ok(Address {
            remote_id: row.get(0)?,
            name: row.get(1)?,
            company: row.get(2)?,
            line1: row.get(3)?,
            line2: row.get(4)?,
            city: row.get(5)?,
            region: row.get(6)?,
            postcode: row.get(7)?,
            country: row.get(8)?,
            phone: row.get(9)?,
            email: row.get(10)?,
        })
    });
    rows.done("read")?.collect::<rusqlite::Result<_>>().done("read")
}

/// How far the merchant's own dispatches, and what they say of pieces given back, have brought an
/// order whose copy says `status`. The channel's version may not know of them yet: what is recorded
/// here as shipped is not open again because of it.
pub(super) fn after_dispatches(db: &Connection, order: i64, status: Status) -> Result<Status> {
    let own: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM shipments WHERE order_id = ? AND key IS NOT NULL)")
        .done("read")?
        .query_row([order], |row| row.get(0))
        .done("read")?;
    let counts = own || (status == Status::PartiallyShipped && pieces::is_any_said(db, order)?);
    if !counts || matches!(status, Status::Shipped | Status::Cancelled) {
        return Ok(status);
    }
    Ok(if pieces::is_done(db, order)? { Status::Shipped } else { Status::PartiallyShipped })
}

/// A number of pieces as it stands in the book.
pub(super) fn quantity(text: &str) -> Result<Decimal> {
    crate::order::stored_decimal(text).map_err(|_| odd("quantity", text))
}

fn shop_totals(o: &Order) -> Result<Option<String>> {
    o.shop_totals.as_ref().map(|(_, totals)| json(totals)).transpose()
}

fn attributes(o: &Order) -> Result<String> {
    if o.attributes.is_empty() { Ok("[]".to_owned()) } else { json(&o.attributes) }
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| odd("value", &e.to_string()))
}

fn insert_parts(db: &Connection, id: i64, o: &Order) -> Result<()> {
    let mut insert = db
        .prepare_cached("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)")
        .done("written")?;
    for (position, line) in o.lines.iter().enumerate() {
        insert
            .execute(params![
                id,
                position,
                line.remote_id,
                line.sku,
                line.name,
                line.variant,
                line.product_id,
                line.quantity.to_string(),
                line.refunded.to_string(),
                line.unit_price.to_string(),
                line.total.to_string(),
                line.tax.to_string(),
                line.ships,
                line.ship_to,
                line.returned.map(|returned| returned.to_string())
            ])
            .done("written")?;
    }
    for (position, address) in o.ship_to.iter().enumerate() {
        insert_address(db, id, "ship", position, address)?;
    }
    if let Some(address) = &o.bill_to {
        insert_address(db, id, "bill", 0, address)?;
    }
    let mut insert = db.prepare_cached("INSERT INTO charges VALUES (?, ?, ?, ?, ?, ?, ?, ?)").done("written")?;
    for (position, charge) in o.charges.iter().enumerate() {
        insert
            .execute(params![
                id,
                position,
                charge.kind.word(),
                charge.remote_id,
                charge.code,
                charge.title,
                charge.amount.to_string(),
                charge.tax.to_string()
            ])
            .done("written")?;
    }
    for (position, refund) in o.refunds.iter().enumerate() {
        let at = refund.refunded_at.map(|at| at.timestamp_millis());
        db.prepare_cached("INSERT INTO refunds VALUES (?, ?, ?, ?, ?, ?, ?)")
            .done("written")?
            .execute(params![
                id,
                position,
                refund.remote_id,
                at,
                refund.amount.to_string(),
                refund.reason,
                json(&refund.lines)?
            ])
            .done("written")?;
    }
    insert_shown(db, id, o)
}

/// The shipments that the channel shows, without the pieces in them that the merchant's own tell.
fn insert_shown(db: &Connection, id: i64, o: &Order) -> Result<()> {
    if o.shipments.iter().all(RemoteShipment::is_bare) {
        return Ok(());
    }
    let mut ours = told(db, id)?;
    for shipment in o.shipments.iter().filter(|shipment| !shipment.is_bare()) {
        let lines = beyond(&shipment.lines, &mut ours);
        if lines.is_empty() && !shipment.lines.is_empty() {
            continue;
        }
        let at = shipment.shipped_at.map(|at| at.timestamp_millis());
        insert_shipment(db, id, None, &shipment.remote_id, at, false, &lines, &shipment.parcels)?;
    }
    Ok(())
}

/// How many of each line are in the merchant's own shipments that the channel has taken, or may
/// have: it shows them among its own. Taken for somebody else's they would be counted twice, and
/// what is left could never be sent; the channel's own count keeps too many from going out.
fn told(db: &Connection, order: i64) -> Result<BTreeMap<String, Decimal>> {
    let mut told = BTreeMap::new();
    let mut query = db
        .prepare_cached(
            "SELECT sl.line_id, sl.quantity FROM shipment_lines sl JOIN shipments sh ON sh.id = sl.shipment_id
             JOIN outbox x ON x.shipment_id = sh.id AND (x.state IN ('sending', 'unknown', 'sent', 'confirmed') OR x.receipts <> '[]')
             WHERE sh.order_id = ? AND sh.key IS NOT NULL",
        )
        .done("read")?;
    let rows = query.query_map([order], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).done("read")?;
    for row in rows {
        let (line, sent) = row.done("read")?;
        let known: &mut Decimal = told.entry(line).or_default();
        *known = known.saturating_add(quantity(&sent)?);
    }
    Ok(told)
}

/// What of `lines` is more than the merchant's own shipments; these are used up by it.
fn beyond(lines: &[LineQuantity], ours: &mut BTreeMap<String, Decimal>) -> Vec<LineQuantity> {
    let rest = lines.iter().map(|line| {
        let own = ours.get(&line.line_id).copied().unwrap_or_default().min(line.quantity);
        if let Some(left) = ours.get_mut(&line.line_id) {
            *left -= own;
        }
        LineQuantity { quantity: line.quantity - own, ..line.clone() }
    });
    rest.filter(|line| !line.quantity.is_zero()).collect()
}

pub(super) fn insert_address(db: &Connection, id: i64, kind: &str, position: usize, a: &Address) -> Result<()> {
    db.prepare_cached("INSERT INTO addresses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .done("written")?
        .execute(params![
            id,
            kind,
            position,
            a.remote_id,
            a.name,
            a.company,
            a.line1,
            a.line2,
            a.city,
            a.region,
            a.postcode,
            a.country,
            a.phone,
            a.email
        ])
        .done("written")?;
    Ok(())
}

/// Inserts a shipment, the merchant's own (`key`) or one of the channel's, and gives its number.
#[allow(clippy::too_many_arguments)]
pub(super) fn insert_shipment(
    db: &Connection,
    order: i64,
    key: Option<&str>,
    remote_id: &str,
    shipped_at: Option<i64>,
    notify: bool,
    lines: &[LineQuantity],
    parcels: &[Parcel],
) -> Result<i64> {
    db.prepare_cached("INSERT INTO shipments (order_id, key, remote_id, shipped_at, notify) VALUES (?, ?, ?, ?, ?)")
        .done("written")?
        .execute(params![order, key, remote_id, shipped_at, notify])
        .done("written")?;
    let id = db.last_insert_rowid();
    for line in lines {
        db.prepare_cached("INSERT OR REPLACE INTO shipment_lines VALUES (?, ?, ?)")
            .done("written")?
            .execute(params![id, line.line_id, line.quantity.to_string()])
            .done("written")?;
    }
    for (position, parcel) in parcels.iter().enumerate() {
        db.prepare_cached("INSERT INTO parcels VALUES (?, ?, ?, ?, ?)")
            .done("written")?
            .execute(params![id, position, parcel.carrier, parcel.tracking, parcel.url])
            .done("written")?;
    }
    Ok(id)
}
