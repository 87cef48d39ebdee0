//! A receipt as the API shows it: amounts with their divisors, times in epoch seconds under two
//! names, texts with HTML entities.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use super::options::Options;
use super::{Entry, Order, vendor};
use crate::sim::forms::merge;
use crate::sim::world::{Address, Line, Refund, Shipment, Way};

/// What may be null in a receipt and in a transaction; the buyer's message is where there is none.
#[rustfmt::skip]
const NULLABLE: &[&str] = &[
    "seller_email", "buyer_email", "first_line", "second_line", "city", "state", "zip", "formatted_address",
    "country_iso", "payment_email", "message_from_seller", "message_from_payment", "title",
    "description", "paid_timestamp", "shipped_timestamp", "listing_image_id", "listing_id", "product_id", "sku",
    "shipping_profile_id", "min_processing_days", "max_processing_days", "shipping_method", "shipping_upgrade",
    "expected_ship_date", "reason", "note_from_issuer", "receipt_shipping_id",
];

/// What a gift wrapping costs.
const WRAPPING: Decimal = Decimal::from_parts(300, 0, 0, false, 2);

/// A text as Etsy stores it.
fn entities(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// A text, or nothing.
fn or_null(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

/// How many decimals the order's currency has.
pub(super) fn decimals(order: &Order) -> u32 {
    if order.currency == "JPY" { 0 } else { 2 }
}

/// An amount, in pieces of which so many are one of the currency: Etsy uses both forms for yen.
fn money(order: &Order, amount: Decimal) -> Value {
    let divisor: i64 = if decimals(order) == 0 && order.id.is_multiple_of(2) { 1 } else { 100 };
    let rounded = amount.round_dp_with_strategy(decimals(order), RoundingStrategy::MidpointAwayFromZero);
    let amount = (rounded * Decimal::from(divisor)).to_i64().unwrap_or(i64::MAX);
    json!({ "amount": amount, "divisor": divisor, "currency_code": order.currency })
}

/// A number as JSON has it, whole where it is.
fn number(amount: Decimal) -> Value {
    match amount.is_integer() {
        true => json!(amount.to_i64().unwrap_or_default()),
        false => json!(amount.to_f64().unwrap_or_default()),
    }
}

/// Where an order goes.
fn country(order: &Order) -> &str {
    order.places.first().map_or(order.billing.country.as_str(), |place| place.address.country.as_str())
}

/// Sales tax and value-added tax, and how much of these comes on top of the prices.
fn taxes(order: &Order) -> [Decimal; 3] {
    let goods = order.subtotal() - order.discount();
    let percent = |rate: i64| (goods * Decimal::new(rate, 2)).round_dp(decimals(order));
    match country(order) {
        "US" => [percent(8), Decimal::ZERO, percent(8)],
        "GB" => [Decimal::ZERO, percent(20), percent(20)],
        // In the prices already.
        "NL" | "IE" => [Decimal::ZERO, percent(17), Decimal::ZERO],
        _ => [Decimal::ZERO; 3],
    }
}

fn wrapping(order: &Order) -> Decimal {
    if order.lines.iter().any(|line| line.wrapping.is_some()) { WRAPPING } else { Decimal::ZERO }
}

/// What the buyer pays.
pub(super) fn total(order: &Order) -> Decimal {
    order.subtotal() - order.discount() + order.shipping() + taxes(order)[2] + wrapping(order)
}

/// A receipt; a spoilt one breaks its own documentation.
pub(super) fn receipt(options: &Options, entry: &Entry, order: &Order, spoilt: bool) -> Value {
    let mut row = head(options, entry, order);
    merge(&mut row, sums(order));
    row["transactions"] = order.lines.iter().map(|line| transaction(options, entry, order, line)).collect();
    row["shipments"] = order.sent().filter(|one| !one.tracking.is_empty()).map(shipment).collect();
    row["refunds"] = order.refunds.iter().map(|one| refund(order, one)).collect();
    if options.discreet {
        hide(&mut row);
        row["message_from_buyer"] = or_null(&entities(&order.note));
    }
    if spoilt {
        row["grandtotal"] = json!("12.00");
        row["updated_timestamp"] = json!("yesterday");
    }
    row
}

/// Everything that may be null is.
fn hide(value: &mut Value) {
    match value {
        Value::Array(rows) => rows.iter_mut().for_each(hide),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if NULLABLE.contains(&name.as_str()) { *member = Value::Null } else { hide(member) }
            }
        }
        _ => {}
    }
}

fn head(options: &Options, entry: &Entry, order: &Order) -> Value {
    let (paper, message) = order.lines.iter().find_map(|line| line.wrapping.clone()).unwrap_or_default();
    let mut row = json!({
        "receipt_id": order.id, "receipt_type": 0, "seller_user_id": options.seller,
        "seller_email": "seller@greencat.test", "buyer_user_id": vendor::buyer(order), "buyer_email": null,
        "status": vendor::status(options, entry, order), "payment_method": order.payment, "payment_email": null,
        "message_from_seller": "", "message_from_buyer": entities(&order.note), "message_from_payment": null,
        "is_paid": order.paid.is_some(), "is_shipped": vendor::is_shipped(options, order),
        "create_timestamp": entry.created, "created_timestamp": entry.created, "update_timestamp": entry.modified,
        "updated_timestamp": entry.modified, "is_gift": !paper.is_empty(), "gift_message": entities(&message),
        "gift_sender": "",
    });
    let nowhere = Address::default();
    let address = order.places.first().map_or(&order.billing, |place| &place.address);
    merge(&mut row, place(if order.own.erased { &nowhere } else { address }));
    row
}

fn place(address: &Address) -> Value {
    let name = format!("{} {}", address.first_name, address.last_name).trim().to_owned();
    let town = format!("{} {}", address.postcode, address.city).trim().to_owned();
    let lines = [name.as_str(), &address.street_1, &address.street_2, &town, &address.state, &address.country];
    let formatted: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    json!({
        "name": name, "first_line": or_null(&address.street_1), "second_line": or_null(&address.street_2),
        "city": or_null(&address.city), "state": or_null(&address.state), "zip": or_null(&address.postcode),
        "country_iso": or_null(&address.country), "formatted_address": or_null(&formatted.join("\n")),
    })
}

fn sums(order: &Order) -> Value {
    let money = |amount| money(order, amount);
    let [tax, vat, _] = taxes(order);
    json!({
        "grandtotal": money(total(order)), "subtotal": money(order.subtotal() - order.discount()),
        "total_price": money(order.subtotal()), "total_shipping_cost": money(order.shipping()),
        "total_tax_cost": money(tax), "total_vat_cost": money(vat), "discount_amt": money(order.discount()),
        "gift_wrap_price": money(wrapping(order)),
    })
}

/// A line.
fn transaction(options: &Options, entry: &Entry, order: &Order, line: &Line) -> Value {
    let digital = line.way == Way::Download;
    let sent = order.sent().map(|shipment| shipment.at).min();
    let is_first = order.lines.iter().find(|line| line.ships()).is_some_and(|first| first.id == line.id);
    let shipping = if is_first { order.shipping() } else { Decimal::ZERO };
    let listing = |id: u64| if line.gone || line.product == 0 { Value::Null } else { json!(id) };
    let foreign = country(order) != options.country;
    let sku = if line.sku.is_empty() && line.id.is_multiple_of(2) { Value::Null } else { json!(line.sku) };
    json!({
        "transaction_id": line.id, "title": entities(&line.name), "description": "Made by hand &ndash; in clay",
        "seller_user_id": options.seller, "buyer_user_id": vendor::buyer(order), "create_timestamp": entry.created,
        "created_timestamp": entry.created, "paid_timestamp": order.paid, "shipped_timestamp": sent,
        "quantity": line.quantity, "listing_image_id": if line.image > 0 { json!(line.image) } else { Value::Null },
        "receipt_id": order.id, "is_digital": digital, "file_data": if digital { "voucher.pdf" } else { "" },
        "listing_id": listing(1_500_000_000 + line.product), "transaction_type": "listing",
        "product_id": listing(18_000_000_000 + line.product * 100 + line.variant), "sku": sku,
        "price": money(order, line.price), "shipping_cost": money(order, shipping),
        "variations": variations(order, line), "product_data": properties(line), "shipping_profile_id": 900_001,
        "min_processing_days": 1, "max_processing_days": 3,
        "shipping_method": if order.own.upgrade.is_some() { Value::Null } else { json!("Standard") },
        "shipping_upgrade": order.own.upgrade, "expected_ship_date": vendor::ship_by(entry, order).filter(|_| !digital),
        // The same discount in the buyer's currency and in the shop's.
        "buyer_coupon": if foreign { number((line.discount * Decimal::new(108, 2)).round_dp(2)) } else { json!(0) },
        "shop_coupon": number(line.discount),
    })
}

fn variations(order: &Order, line: &Line) -> Value {
    let choice = |(nth, (_, name, value)): (u64, &(String, String, String))| {
        let (property, value_id) = (200 + nth, 51_995_096_597_u64 + nth);
        json!({ "property_id": property, "value_id": value_id, "formatted_name": name, "formatted_value": entities(value) })
    };
    let personal = order.own.personal.iter().map(|text| {
        json!({
            "property_id": 54, "value_id": null, "formatted_name": "Personalization",
            "formatted_value": entities(text), "question_id": 700_001,
        })
    });
    (0..).zip(&line.choices).map(choice).chain(personal).collect()
}

fn properties(line: &Line) -> Value {
    let property = |(nth, (_, name, value)): (u64, &(String, String, String))| {
        json!({
            "property_id": 200 + nth, "property_name": name, "scale_id": null, "scale_name": null,
            "value_ids": [51_995_096_597_u64 + nth], "values": [value],
        })
    };
    (0..).zip(&line.choices).map(property).collect()
}

/// The mail goes out a moment after the receipt has changed.
fn shipment(shipment: &Shipment) -> Value {
    let tracking = shipment.tracking.first().cloned().unwrap_or_default();
    json!({
        "receipt_shipping_id": shipment.id, "shipment_notification_timestamp": shipment.at + 2,
        "carrier_name": tracking.carrier, "tracking_code": tracking.number,
    })
}

fn refund(order: &Order, refund: &Refund) -> Value {
    let reason = if refund.reason.is_empty() { "Account Adjustment" } else { &refund.reason };
    json!({
        "amount": money(order, refund.amount), "created_timestamp": refund.at, "reason": reason, "note_from_issuer": "",
        "status": "SUCCESS",
    })
}
