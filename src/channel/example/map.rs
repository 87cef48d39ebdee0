//! The shop's documents, and the order in them.

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::clock::{Timestamp, from_millis};
use crate::order::{
    Address, Buyer, Currency, Line, LineQuantity, Order, Parcel, Payment, Presence, RemoteShipment, Status, Totals,
    parse_decimal,
};

/// An order's document.
#[derive(Debug, Deserialize)]
pub(crate) struct Document {
    /// Its id.
    pub(crate) id: String,
    /// When it changed, in seconds since the epoch.
    pub(crate) changed: i64,
    placed: i64,
    state: String,
    currency: String,
    total: String,
    buyer: String,
    street: String,
    lines: Vec<DocumentLine>,
    /// What was shipped.
    #[serde(default)]
    pub(crate) shipments: Vec<DocumentShipment>,
}

#[derive(Debug, Deserialize)]
struct DocumentLine {
    id: String,
    sku: String,
    quantity: u32,
    price: String,
}

/// A shipment.
#[derive(Debug, Deserialize)]
pub(crate) struct DocumentShipment {
    /// Its id.
    pub(crate) id: String,
    /// The key of the dispatch that made it.
    #[serde(default)]
    pub(crate) mark: String,
    /// Carrier as it was given.
    pub(crate) carrier: String,
    /// The number; may be empty.
    pub(crate) tracking: String,
    /// Line id and pieces.
    pub(crate) lines: Vec<(String, String)>,
}

impl DocumentShipment {
    /// The pieces in it.
    pub(crate) fn pieces(&self) -> Vec<LineQuantity> {
        let piece = |(line, count): &(String, String)| {
            Some(LineQuantity { line_id: line.clone(), quantity: parse_decimal(count).ok()? })
        };
        self.lines.iter().filter_map(piece).collect()
    }
}

/// Reads a document.
pub(crate) fn document(text: &[u8]) -> Result<Document, String> {
    serde_json::from_slice(text).map_err(|why| why.to_string())
}

/// The order in a document.
pub(crate) fn order(text: &[u8]) -> Result<Order, String> {
    let found = document(text)?;
    let amount = |text: &str| parse_decimal(text).map_err(|_| format!("{text:?} is no amount"));
    let lines = found.lines.iter().map(|line| self::line(line, amount(&line.price)?)).collect::<Result<Vec<_>, _>>()?;
    let total = amount(&found.total)?;
    let shipments: Vec<RemoteShipment> = found.shipments.iter().map(shipment).collect();
    Ok(Order {
        remote_id: found.id.clone(),
        number: found.id.clone(),
        status: status(&found, &lines)?,
        channel_status: found.state,
        presence: Presence::Listed,
        placed_at: seconds(found.placed)?,
        updated_at: seconds(found.changed)?,
        paid_at: Some(seconds(found.placed)?),
        ship_by: None,
        currency: Currency::new(&found.currency).ok_or("it has no currency")?,
        totals: Totals { total, lines: total, ..Totals::default() },
        shop_totals: None,
        prices_include_tax: true,
        buyer: Buyer { name: found.buyer.clone(), ..Buyer::default() },
        ship_to: vec![Address { name: found.buyer, line1: found.street, ..Address::default() }],
        bill_to: None,
        lines,
        charges: Vec::new(),
        refunds: Vec::new(),
        shipments,
        payment: Payment::default(),
        buyer_note: String::new(),
        source: String::new(),
        test: false,
        attributes: Vec::new(),
    })
}

/// Pieces tell more than the word.
fn status(found: &Document, lines: &[Line]) -> Result<Status, String> {
    let sent: Decimal = found.shipments.iter().flat_map(DocumentShipment::pieces).map(|piece| piece.quantity).sum();
    let ordered: Decimal = lines.iter().map(|line| line.quantity).sum();
    Ok(match found.state.as_str() {
        "cancelled" => Status::Cancelled,
        "open" if sent.is_zero() => Status::AwaitingFulfillment,
        "open" if sent < ordered => Status::PartiallyShipped,
        "open" => Status::Shipped,
        other => return Err(format!("{other:?} is no state")),
    })
}

fn line(line: &DocumentLine, price: Decimal) -> Result<Line, String> {
    let quantity = Decimal::from(line.quantity);
    Ok(Line {
        remote_id: line.id.clone(),
        sku: line.sku.clone(),
        name: line.sku.clone(),
        variant: String::new(),
        product_id: String::new(),
        quantity,
        refunded: Decimal::ZERO,
        returned: None,
        unit_price: price,
        total: price.checked_mul(quantity).ok_or("a price is beyond all numbers")?,
        tax: Decimal::ZERO,
        ships: true,
        ship_to: 0,
    })
}

fn shipment(found: &DocumentShipment) -> RemoteShipment {
    let parcel = Parcel { carrier: found.carrier.clone(), tracking: found.tracking.clone(), url: None };
    RemoteShipment { remote_id: found.id.clone(), shipped_at: None, lines: found.pieces(), parcels: vec![parcel] }
}

fn seconds(at: i64) -> Result<Timestamp, String> {
    at.checked_mul(1000).map(from_millis).ok_or_else(|| format!("{at} is no time"))
}
