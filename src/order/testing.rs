//! Orders for tests: one plain order that a test changes in the respect it is about.

use rust_decimal::Decimal;

use super::{
    Address, Buyer, Charge, ChargeKind, Currency, Line, Order, Payment, Presence, RemoteShipment, Status, Totals,
};
use crate::clock::from_millis;

/// An order of one buyer, two lines (2 × TEA-001, 1 × CUP-002) and a shipping charge, in `status`.
pub(crate) fn order(remote_id: &str, status: Status) -> Order {
    let placed_at = from_millis(1_795_000_000_000);
    let shipped = matches!(status, Status::Shipped | Status::PartiallyShipped);
    Order {
        remote_id: remote_id.to_owned(),
        number: remote_id.to_owned(),
        status,
        held_as: None,
        channel_status: status.word().to_owned(),
        presence: Presence::Listed,
        placed_at,
        updated_at: placed_at,
        paid_at: (status != Status::AwaitingPayment).then_some(placed_at),
        ship_by: None,
        currency: Currency::new("EUR").unwrap_or_else(|| unreachable!("EUR is a currency")),
        totals: Totals {
            total: Decimal::new(3390, 2),
            lines: Decimal::new(2900, 2),
            shipping: Decimal::new(490, 2),
            ..Totals::default()
        },
        shop_totals: None,
        prices_include_tax: false,
        buyer: Buyer {
            remote_id: "0".to_owned(),
            name: "Robin Example".to_owned(),
            email: "robin@example.test".to_owned(),
            phone: String::new(),
        },
        ship_to: vec![address()],
        bill_to: Some(address()),
        lines: vec![line("11", "TEA-001", 2, 1000), line("12", "CUP-002", 1, 900)],
        charges: vec![Charge {
            kind: ChargeKind::Shipping,
            remote_id: "13".to_owned(),
            code: "flat_rate".to_owned(),
            title: "Parcel".to_owned(),
            amount: Decimal::new(490, 2),
            tax: Decimal::ZERO,
        }],
        refunds: Vec::new(),
        shipments: if shipped { vec![remote_shipment()] } else { Vec::new() },
        payment: Payment {
            method: "bacs".to_owned(),
            title: "Bank transfer".to_owned(),
            transaction_id: String::new(),
        },
        buyer_note: String::new(),
        source: "checkout".to_owned(),
        test: false,
        attributes: Vec::new(),
        asked_less: false,
    }
}

/// Where the order of [`order`] goes.
pub(crate) fn address() -> Address {
    Address {
        name: "Robin Example".to_owned(),
        line1: "1 Test Street".to_owned(),
        city: "Sampleton".to_owned(),
        postcode: "12345".to_owned(),
        country: "DE".to_owned(),
        ..Address::default()
    }
}

/// A line of `quantity` at `cents` each.
pub(crate) fn line(remote_id: &str, sku: &str, quantity: i64, cents: i64) -> Line {
    Line {
        remote_id: remote_id.to_owned(),
        sku: sku.to_owned(),
        name: format!("Product {sku}"),
        variant: String::new(),
        product_id: remote_id.to_owned(),
        quantity: Decimal::from(quantity),
        refunded: Decimal::ZERO,
        returned: None,
        unit_price: Decimal::new(cents, 2),
        total: Decimal::new(cents * quantity, 2),
        tax: Decimal::ZERO,
        ships: true,
        ship_to: 0,
    }
}

fn remote_shipment() -> RemoteShipment {
    RemoteShipment { remote_id: "1".to_owned(), shipped_at: None, lines: Vec::new(), parcels: Vec::new() }
}
