//! What hangs on an order, as Orders V2 and V3 show it: lines, shipments, refunds.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::render::{bare, number, put, rfc2822, tax, text};
use super::{Line, Order, Refund, Shipment, Way};
use crate::clock::Timestamp;
use crate::sim::world::Tracking;

/// A line.
pub(super) fn product(line: &Line, order: &Order) -> Value {
    let mut row = Map::new();
    let total = line.subtotal();
    let place = if let Way::Parcel(place) = line.way { place } else { 0 };
    put(
        &mut row,
        json!({
            "id": line.id, "order_id": order.id, "product_id": line.product, "variant_id": line.variant,
            "order_pickup_method_id": u64::from(line.way == Way::Pickup), "order_address_id": place, "name": line.name,
            "name_customer": line.name, "name_merchant": line.name, "sku": line.sku, "upc": "",
            "type": match line.way { Way::Download => "digital", Way::Certificate => "giftcertificate", _ => "physical" },
            "base_price": text(line.price), "price_ex_tax": text(line.price),
            "price_inc_tax": text(line.price + tax(line.price)), "price_tax": text(tax(line.price)),
            "base_total": text(total), "total_ex_tax": text(total), "total_inc_tax": text(total + tax(total)),
            "total_tax": text(tax(total)), "weight": "1.0000", "width": "1.0000", "height": "1.0000", "depth": "1.0000",
            "quantity": line.quantity, "base_cost_price": "0.0000", "cost_price_inc_tax": "0.0000",
        }),
    );
    let (wrapping, message) = line.wrapping.clone().unwrap_or_default();
    put(
        &mut row,
        json!({
            "cost_price_ex_tax": "0.0000", "cost_price_tax": "0.0000", "is_refunded": line.refunded >= line.quantity,
            "quantity_refunded": line.refunded, "refund_amount": "0.0000", "return_id": 0,
            "wrapping_id": u64::from(!wrapping.is_empty()), "wrapping_name": wrapping, "base_wrapping_cost": "0.0000",
            "wrapping_cost_ex_tax": "0.0000", "wrapping_cost_inc_tax": "0.0000", "wrapping_cost_tax": "0.0000",
            "wrapping_message": message, "quantity_shipped": line.shipped, "event_name": null, "fixed_shipping_cost": "0.0000",
            "ebay_item_id": "", "ebay_transaction_id": "", "option_set_id": null, "parent_order_product_id": null,
            "is_bundled_product": false, "bin_picking_number": "", "external_id": null, "brand": "",
            "applied_discounts": discounts(line, order), "product_options": options(line), "configurable_fields": [],
            "gift_certificate_id": null, "discounted_total_inc_tax": text(total + tax(total) - line.discount),
        }),
    );
    Value::Object(row)
}

fn discounts(line: &Line, order: &Order) -> Value {
    match &order.coupon {
        Some(code) if line.discount > Decimal::ZERO => {
            json!([{ "id": "total-coupon", "amount": text(line.discount), "name": "Welcome", "code": code, "target": "order" }])
        }
        _ => json!([]),
    }
}

fn options(line: &Line) -> Value {
    let option = |(n, (_, name, value)): (u64, &(String, String, String))| {
        json!({
            "id": line.id * 10 + n, "option_id": 18, "order_product_id": line.id, "product_option_id": 120,
            "display_name": name, "display_value": value, "display_name_customer": name, "display_name_merchant": name,
            "display_value_customer": value, "display_value_merchant": value, "value": "69", "type": "Multiple choice",
            "name": name, "display_style": "Rectangle",
        })
    };
    (0..).zip(&line.choices).map(option).collect()
}

/// A shipment.
pub(super) fn shipment(order: &Order, s: &Shipment) -> Value {
    let product = |line: u64| order.lines.iter().find(|l| l.id == line).map_or(0, |l| l.product);
    let items: Vec<Value> = s
        .items
        .iter()
        .map(|(line, pieces)| json!({ "order_product_id": line, "product_id": product(*line), "quantity": pieces }))
        .collect();
    let to = order.places.iter().find(|place| place.id == s.place).map(|place| bare(&place.address));
    let none = Tracking::default();
    let t = s.tracking.first().unwrap_or(&none);
    let link = match (t.carrier.as_str(), t.carrier_code.as_str()) {
        _ if t.number.is_empty() || !t.link.is_empty() => String::new(),
        ("", "") => String::new(),
        ("", slug) => format!("https://bigcommerce.aftership.com/{slug}/{}", t.number),
        (provider, _) => format!("https://tracking.example.test/{provider}/{}", t.number),
    };
    json!({
        "id": s.id, "order_id": order.id, "customer_id": order.customer, "order_address_id": s.place,
        "date_created": rfc2822(s.at), "tracking_number": t.number, "merchant_shipping_cost": "0.0000",
        "shipping_method": s.method, "comments": s.comments, "shipping_provider": t.carrier,
        "tracking_carrier": t.carrier_code, "tracking_link": t.link, "billing_address": bare(&order.billing),
        "shipping_address": to.unwrap_or_else(|| bare(&order.billing)), "items": items,
        "shipping_provider_display_name": t.carrier.to_uppercase(), "generated_tracking_link": link,
    })
}

/// A refund, as V3 shows it: amounts are numbers.
pub(super) fn refund(order: u64, refund: &Refund) -> Value {
    let created = Timestamp::from_timestamp(refund.at, 0).unwrap_or_default();
    let items: Vec<Value> = refund
        .lines
        .iter()
        .map(|(line, pieces, amount)| {
            json!({ "item_type": "PRODUCT", "item_id": line, "quantity": pieces, "requested_amount": number(*amount) })
        })
        .collect();
    let items = if items.is_empty() {
        vec![json!({ "item_type": "ORDER", "item_id": order, "requested_amount": number(refund.amount) })]
    } else {
        items
    };
    json!({
        "id": refund.id, "order_id": order, "user_id": 1, "created": created.format("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
        "reason": refund.reason, "total_amount": number(refund.amount), "total_tax": number(Decimal::ZERO),
        "uses_merchant_override_values": false, "items": items,
        "payments": [{ "id": refund.id, "provider_id": "custom", "amount": number(refund.amount), "offline": true,
            "is_declined": false, "declined_message": "" }],
    })
}
