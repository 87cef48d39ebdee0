//! An order as this shop shows it: all of it in one document, amounts as text, times in seconds.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Entry, Order, vendor};
use crate::sim::forms;
use crate::sim::world::{Address, Refund, Shipment};

fn money(amount: Decimal) -> String {
    forms::money(amount, 2)
}

/// An order; a spoilt one breaks the shop's own rules.
pub(super) fn order(entry: &Entry, order: &Order, spoilt: bool) -> Value {
    let total = money(order.subtotal() - order.discount() + order.shipping());
    let lines = order.lines.iter().map(|line| {
        json!({
            "id": line.id, "sku": line.sku, "name": line.name, "pieces": line.quantity, "price": money(line.price),
            "total": money(line.total()), "parcel": line.ships(),
        })
    });
    json!({
        "id": order.id, "customer": Some(order.customer).filter(|id| *id > 0), "placed": entry.created, "changed": entry.modified, "paid": order.paid,
        "state": vendor::state(entry, order), "archived": entry.away.is_some(), "test": order.test,
        "currency": order.currency, "total": if spoilt { json!({ "amount": total }) } else { json!(total) },
        "shipping": money(order.shipping()), "payment": order.payment, "source": order.source, "note": order.note,
        "remarks": order.staff_notes, "bill_to": address(&order.billing),
        "ship_to": order.places.first().map(|place| address(&place.address)), "lines": lines.collect::<Value>(),
        "shipments": order.sent().map(shipment).collect::<Value>(),
        "refunds": order.refunds.iter().map(refund).collect::<Value>(),
    })
}

fn address(address: &Address) -> Value {
    json!({
        "name": format!("{} {}", address.first_name, address.last_name).trim(), "company": address.company,
        "street": address.street_1, "street_2": address.street_2, "city": address.city, "region": address.state,
        "postcode": address.postcode, "country": address.country, "phone": address.phone, "email": address.email,
    })
}

/// The mark is what whoever made it has called it.
fn shipment(shipment: &Shipment) -> Value {
    let tracking = shipment.tracking.first().cloned().unwrap_or_default();
    let lines: Value = shipment.items.iter().map(|(line, pieces)| json!({ "line": line, "pieces": pieces })).collect();
    json!({
        "id": shipment.id, "at": shipment.at, "mark": shipment.comments, "carrier": tracking.carrier,
        "tracking": tracking.number, "lines": lines,
    })
}

fn refund(refund: &Refund) -> Value {
    let line = |(line, pieces, amount): &(u64, u64, Decimal)| json!({ "line": line, "pieces": pieces, "amount": money(*amount) });
    json!({
        "id": refund.id, "at": refund.at, "amount": money(refund.amount), "reason": refund.reason,
        "lines": refund.lines.iter().map(line).collect::<Value>(),
    })
}
