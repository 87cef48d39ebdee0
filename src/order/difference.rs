//! What changed between two versions of an order, in the aspects a merchant must know before shipping (PRODUCT.md D-1).

use serde::{Deserialize, Serialize};

use super::{Address, Order, Presence, Status};

/// Which side of an order changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Cancelled or put in the bin.
    Cancelled,
    /// Shipped, or more of it shipped.
    Shipped,
    /// Goes somewhere else.
    Address,
    /// Other lines or quantities, or some given back.
    Lines,
    /// Paid, or no longer paid.
    Payment,
    /// Sums.
    Totals,
    /// Notes, numbers and everything else.
    Other,
}

impl Aspect {
    /// The word in JSON and in the book.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Shipped => "shipped",
            Self::Address => "address",
            Self::Lines => "lines",
            Self::Payment => "payment",
            Self::Totals => "totals",
            Self::Other => "other",
        }
    }

    /// Whether a dispatch must stop for it until the merchant has looked.
    pub fn stops_dispatch(self) -> bool {
        matches!(self, Self::Cancelled | Self::Shipped | Self::Address | Self::Lines)
    }
}

/// One thing that differs, as text for the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which side of the order.
    pub aspect: Aspect,
    /// Before, in words. Personal data: for the merchant's screen, never for a log.
    pub before: String,
    /// After, in words.
    pub after: String,
}

/// What is different in `after` as compared with `before`, the graver first.
pub fn differences(before: &Order, after: &Order) -> Vec<Difference> {
    let mut found = Vec::new();
    let note = |found: &mut Vec<Difference>, aspect, before: String, after: String| {
        if before != after {
            found.push(Difference { aspect, before, after });
        }
    };
    let gone = |o: &Order| o.status == Status::Cancelled || o.presence == Presence::Trashed;
    if gone(before) != gone(after) {
        note(&mut found, Aspect::Cancelled, standing(before), standing(after));
    }
    if shipped(before) != shipped(after) {
        note(&mut found, Aspect::Shipped, shipped(before), shipped(after));
    }
    let same_places = before.ship_to.len() == after.ship_to.len()
        && before.ship_to.iter().zip(&after.ship_to).all(|(a, b)| a.same_place(b));
    if !same_places {
        note(&mut found, Aspect::Address, places(&before.ship_to), places(&after.ship_to));
    }
    note(&mut found, Aspect::Lines, lines(before), lines(after));
    note(&mut found, Aspect::Payment, payment(before), payment(after));
    note(&mut found, Aspect::Totals, totals(before), totals(after));
    if found.is_empty() && without_time(before) != without_time(after) {
        note(&mut found, Aspect::Other, other(before), other(after));
    }
    found
}

fn standing(order: &Order) -> String {
    match order.presence {
        Presence::Trashed => format!("in the bin ({})", order.channel_status),
        _ if order.status == Status::Cancelled => format!("cancelled ({})", order.channel_status),
        _ => order.channel_status.clone(),
    }
}

fn shipped(order: &Order) -> String {
    let parcels: Vec<String> = order
        .shipments
        .iter()
        .flat_map(|shipment| &shipment.parcels)
        .map(|parcel| format!("{} {}", parcel.carrier, parcel.tracking).trim().to_owned())
        .collect();
    match (order.status, parcels.is_empty()) {
        (Status::Shipped, true) => "shipped".to_owned(),
        (Status::Shipped, false) => format!("shipped ({})", parcels.join(", ")),
        (Status::PartiallyShipped, true) => match pieces(order) {
            none if none.is_zero() => "partly shipped".to_owned(),
            pieces => format!("partly shipped ({} pieces)", pieces.normalize()),
        },
        (_, false) => format!("partly shipped ({})", parcels.join(", ")),
        (_, true) => match order.shipments.len() {
            0 => "not shipped".to_owned(),
            n => format!("{n} shipments without tracking"),
        },
    }
}

/// How many pieces are in the channel's shipments, where it says what is in them.
fn pieces(order: &Order) -> rust_decimal::Decimal {
    order.shipments.iter().flat_map(|shipment| &shipment.lines).map(|line| line.quantity).sum()
}

fn places(addresses: &[Address]) -> String {
    if addresses.is_empty() {
        return "no delivery address".to_owned();
    }
    let place = |a: &Address| {
        [&a.name, &a.company, &a.line1, &a.line2, &a.postcode, &a.city, &a.region, &a.country]
            .into_iter()
            .map(|part| part.trim())
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    };
    addresses.iter().map(place).collect::<Vec<_>>().join("; ")
}

fn lines(order: &Order) -> String {
    let mut lines: Vec<String> = order
        .lines
        .iter()
        .map(|line| {
            let label = if line.sku.is_empty() { &line.name } else { &line.sku };
            let variant = if line.variant.is_empty() { String::new() } else { format!(" ({})", line.variant) };
            let refunded = if line.refunded.is_zero() {
                String::new()
            } else {
                format!(", {} refunded", line.refunded.normalize())
            };
            format!("{} × {label}{variant}{refunded}", line.quantity.normalize())
        })
        .collect();
    lines.sort();
    lines.join("; ")
}

fn payment(order: &Order) -> String {
    match (order.status, order.paid_at) {
        (Status::AwaitingPayment, _) => "awaiting payment",
        (_, Some(_)) => "paid",
        (_, None) => "not marked as paid",
    }
    .to_owned()
}

fn totals(order: &Order) -> String {
    let refunded = order.totals.refunded;
    let rest = if refunded.is_zero() { String::new() } else { format!(", {} refunded", refunded.normalize()) };
    format!("{} {}{rest}", order.totals.total.normalize(), order.currency)
}

fn other(order: &Order) -> String {
    format!("{} of {}", order.channel_status, crate::clock::rfc3339(order.updated_at))
}

fn without_time(order: &Order) -> Order {
    Order { updated_at: crate::clock::Timestamp::UNIX_EPOCH, ..order.clone() }
}
