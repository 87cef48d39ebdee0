//! The shop's documents, and the order in them. Pure: the same document gives the same order.

use serde::Deserialize;

use crate::clock::{Timestamp, is_meant};
use crate::order::sums::balanced;
use crate::order::{
    Address, Buyer, Charge, ChargeKind, Currency, Line, LineQuantity, Order, Parcel, Payment, Presence, Refund,
    RefundLine, RemoteShipment, Status, Totals, parse_decimal, sum,
};

/// What places an order in a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Head {
    /// Its id.
    pub(crate) id: Option<u64>,
    /// When it changed, in seconds since the epoch.
    pub(crate) changed: Option<i64>,
}

/// An order's document. Times are seconds, amounts are text.
#[derive(Debug, Deserialize)]
pub(crate) struct Document {
    #[serde(default)]
    customer: Option<u64>,
    id: u64,
    placed: i64,
    changed: i64,
    paid: Option<i64>,
    state: String,
    archived: bool,
    test: bool,
    currency: String,
    total: String,
    shipping: String,
    payment: String,
    source: String,
    note: String,
    bill_to: Person,
    ship_to: Option<Person>,
    lines: Vec<Item>,
    /// What was shipped.
    pub(crate) shipments: Vec<Sent>,
    refunds: Vec<Back>,
}

/// Somebody, and where.
#[derive(Debug, Deserialize)]
struct Person {
    name: String,
    company: String,
    street: String,
    street_2: String,
    city: String,
    region: String,
    postcode: String,
    country: String,
    phone: String,
    email: String,
}

#[derive(Debug, Deserialize)]
struct Item {
    id: u64,
    sku: String,
    name: String,
    pieces: u32,
    price: String,
    total: String,
    parcel: bool,
}

/// A shipment.
#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    /// Its id.
    pub(crate) id: u64,
    /// When it was made.
    pub(crate) at: i64,
    /// The key of the dispatch that made it; empty where something else did.
    pub(crate) mark: String,
    /// Carrier as it was given.
    pub(crate) carrier: String,
    /// The number; may be empty.
    pub(crate) tracking: String,
    /// What is in it.
    pub(crate) lines: Vec<Pieces>,
}

/// Pieces of a line.
#[derive(Debug, Deserialize)]
pub(crate) struct Pieces {
    line: u64,
    pieces: u32,
    #[serde(default)]
    amount: String,
}

#[derive(Debug, Deserialize)]
struct Back {
    id: u64,
    at: i64,
    amount: String,
    reason: String,
    lines: Vec<Pieces>,
}

impl Sent {
    /// The pieces in it.
    pub(crate) fn pieces(&self) -> Vec<LineQuantity> {
        let of = |one: &Pieces| LineQuantity { line_id: one.line.to_string(), quantity: one.pieces.into() };
        self.lines.iter().map(of).collect()
    }
}

/// Reads a document. The error repeats nothing personal.
pub(crate) fn document(text: &str) -> Result<Document, String> {
    serde_json::from_str(text).map_err(|error| {
        let (what, column) = (error.classify(), error.column());
        format!("the document has not the shape of an order ({what:?} error at column {column})")
    })
}

/// The order in a document.
pub(crate) fn order(text: &str) -> Result<Order, String> {
    map(document(text)?).and_then(balanced)
}

fn map(o: Document) -> Result<Order, String> {
    let refunds = o.refunds.iter().map(refund).collect::<Result<Vec<_>, _>>()?;
    let lines = o.lines.iter().map(|item| line(item, &refunds)).collect::<Result<Vec<_>, _>>()?;
    let totals = Totals {
        total: parse_decimal(&o.total)?,
        lines: sum(lines.iter().map(|line| line.total)),
        shipping: parse_decimal(&o.shipping)?,
        refunded: sum(refunds.iter().map(|refund| refund.amount)),
        ..Totals::default()
    };
    let buyer = address(o.bill_to);
    Ok(Order {
        remote_id: o.id.to_string(),
        number: o.id.to_string(),
        status: status(&o.state)?,
        held_as: None,
        channel_status: o.state,
        presence: if o.archived { Presence::Archived } else { Presence::Listed },
        placed_at: time(o.placed)?,
        updated_at: time(o.changed)?,
        paid_at: o.paid.map(time).transpose()?,
        ship_by: None,
        currency: Currency::new(&o.currency).ok_or("its currency is not a currency code")?,
        totals,
        shop_totals: None,
        prices_include_tax: true,
        buyer: Buyer {
            remote_id: o.customer.map(|id| id.to_string()).unwrap_or_default(),
            name: buyer.name.clone(),
            email: buyer.email.clone(),
            phone: buyer.phone.clone(),
        },
        ship_to: o.ship_to.map(address).into_iter().collect(),
        bill_to: Some(buyer).filter(|buyer| *buyer != Address::default()),
        lines,
        charges: vec![Charge {
            kind: ChargeKind::Shipping,
            remote_id: String::new(),
            code: String::new(),
            title: "Shipping".to_owned(),
            amount: totals.shipping,
            tax: rust_decimal::Decimal::ZERO,
        }],
        refunds,
        shipments: o.shipments.iter().map(shipment).collect::<Result<_, _>>()?,
        payment: Payment { title: o.payment, ..Payment::default() },
        buyer_note: o.note,
        source: o.source,
        test: o.test,
        attributes: Vec::new(),
        asked_less: false,
    })
}

/// The shop says in one word how an order stands.
fn status(state: &str) -> Result<Status, String> {
    Ok(match state {
        "unpaid" => Status::AwaitingPayment,
        "open" => Status::AwaitingFulfillment,
        "held" => Status::OnHold,
        "part-sent" => Status::PartiallyShipped,
        "sent" => Status::Shipped,
        "cancelled" => Status::Cancelled,
        _ => return Err("its state is none that is known".to_owned()),
    })
}

/// A line. Nobody tells whether what was given back had been sent before.
fn line(item: &Item, refunds: &[Refund]) -> Result<Line, String> {
    let remote_id = item.id.to_string();
    let back = refunds.iter().flat_map(|refund| &refund.lines).filter(|back| back.line_id == remote_id);
    Ok(Line {
        refunded: sum(back.map(|back| back.quantity)),
        remote_id,
        sku: item.sku.clone(),
        name: item.name.clone(),
        variant: String::new(),
        product_id: String::new(),
        quantity: item.pieces.into(),
        returned: None,
        unit_price: parse_decimal(&item.price)?,
        total: parse_decimal(&item.total)?,
        tax: rust_decimal::Decimal::ZERO,
        ships: item.parcel,
        ship_to: 0,
    })
}

fn refund(back: &Back) -> Result<Refund, String> {
    let line = |one: &Pieces| {
        let amount = parse_decimal(&one.amount)?;
        Ok(RefundLine { line_id: one.line.to_string(), quantity: one.pieces.into(), amount })
    };
    Ok(Refund {
        remote_id: back.id.to_string(),
        refunded_at: Some(time(back.at)?),
        amount: parse_decimal(&back.amount)?,
        reason: back.reason.clone(),
        lines: back.lines.iter().map(line).collect::<Result<_, String>>()?,
    })
}

fn shipment(sent: &Sent) -> Result<RemoteShipment, String> {
    let parcel = Parcel { carrier: sent.carrier.clone(), tracking: sent.tracking.clone(), url: None };
    let parcels = if sent.tracking.is_empty() { Vec::new() } else { vec![parcel] };
    let shipped_at = Some(time(sent.at)?);
    Ok(RemoteShipment { remote_id: sent.id.to_string(), shipped_at, lines: sent.pieces(), parcels })
}

fn address(person: Person) -> Address {
    let Person { name, company, street: line1, street_2: line2, city, region, postcode, country, phone, email } =
        person;
    Address { remote_id: None, name, company, line1, line2, city, region, postcode, country, phone, email }
}

/// A moment, in seconds since the epoch.
pub(crate) fn time(seconds: i64) -> Result<Timestamp, String> {
    Timestamp::from_timestamp(seconds, 0).filter(is_meant).ok_or_else(|| "a time in it is none".to_owned())
}
