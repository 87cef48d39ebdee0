//! What hangs on an order, as Orders V2 and V3 show it: lines, addresses, coupons, fees, shipments,
//! refunds.

use serde_json::{Value, json};

use super::options::Options;
use super::render::{ZERO, bare, cost, link, number, place, rfc2822, tax, taxed, text};
use super::{Line, Order, Refund, Shipment, Way};
use crate::sim::forms::stamp;
use crate::sim::world::{Fee, Tracking};

/// The lines.
pub(super) fn products(_: &Options, order: &Order) -> Vec<Value> {
    order.lines.iter().map(|line| product(line, order)).collect()
}

/// The delivery addresses, as a resource of their own: amounts are text.
pub(super) fn addresses(options: &Options, order: &Order) -> Vec<Value> {
    let address = |one| {
        let mut shown = place(one, order, text);
        shown["order_id"] = json!(order.id);
        shown["shipping_quotes"] = link(options, order.id, &format!("shippingaddresses/{}/shippingquotes", one.id));
        shown
    };
    order.places.iter().map(address).collect()
}

/// The coupon.
pub(super) fn coupons(_: &Options, order: &Order) -> Vec<Value> {
    let coupon = |code: &String| {
        json!({
            "id": order.id, "coupon_id": 1, "order_id": order.id, "code": code, "amount": "10.0000", "type": 1,
            "discount": number(order.discount()),
        })
    };
    order.coupon.iter().map(coupon).collect()
}

/// The fees.
pub(super) fn fees(_: &Options, order: &Order) -> Vec<Value> {
    let fee = |fee: &Fee| {
        let mut shown = json!({
            "id": fee.id, "type": "custom_fee", "display_name_customer": fee.name, "display_name_merchant": fee.name,
            "source": "v2", "tax_class_id": null,
        });
        cost(&mut shown, "cost", fee.cost, text);
        shown
    };
    order.fees.iter().map(fee).collect()
}

/// The shipments.
pub(super) fn shipments(_: &Options, order: &Order) -> Vec<Value> {
    order.shipments.iter().map(|one| shipment(order, one)).collect()
}

/// A line.
pub(super) fn product(line: &Line, order: &Order) -> Value {
    let total = line.subtotal();
    let place = if let Way::Parcel(place) = line.way { place } else { 0 };
    let (wrapping, message) = line.wrapping.clone().unwrap_or_default();
    let kind = match line.way {
        Way::Download => "digital",
        Way::Certificate => "giftcertificate",
        _ => "physical",
    };
    let mut row = json!({
        "id": line.id, "order_id": order.id, "product_id": line.product, "variant_id": line.variant,
        "order_pickup_method_id": u64::from(line.way == Way::Pickup), "order_address_id": place, "name": line.name,
        "name_customer": line.name, "name_merchant": line.name, "sku": line.sku, "upc": "", "type": kind,
        "weight": "1.0000", "width": "1.0000", "height": "1.0000", "depth": "1.0000", "quantity": line.quantity,
        "base_cost_price": "0.0000", "is_refunded": line.refunded >= line.quantity,
        "quantity_refunded": line.refunded, "refund_amount": "0.0000", "return_id": 0,
        "wrapping_id": u64::from(!wrapping.is_empty()), "wrapping_name": wrapping, "wrapping_message": message,
        "quantity_shipped": line.shipped, "event_name": null, "fixed_shipping_cost": "0.0000", "ebay_item_id": "",
        "ebay_transaction_id": "", "option_set_id": null, "parent_order_product_id": null,
        "is_bundled_product": false, "bin_picking_number": "", "external_id": null, "brand": "",
        "applied_discounts": discounts(line, order), "product_options": options(line), "configurable_fields": [],
        "gift_certificate_id": null, "discounted_total_inc_tax": text(total + tax(total) - line.discount),
    });
    cost(&mut row, "price", line.price, text);
    cost(&mut row, "total", total, text);
    cost(&mut row, "wrapping_cost", ZERO, text);
    taxed(&mut row, "cost_price", ZERO, text);
    row
}

fn discounts(line: &Line, order: &Order) -> Value {
    let discount = |code: &String| json!({ "id": "total-coupon", "amount": text(line.discount), "name": "Welcome", "code": code, "target": "order" });
    order.coupon.iter().filter(|_| line.discount > ZERO).map(discount).collect()
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
    let item = |(line, pieces): &(u64, u64)| {
        let product = order.line(*line).map_or(0, |line| line.product);
        json!({ "order_product_id": line, "product_id": product, "quantity": pieces })
    };
    let to = order.places.iter().find(|place| place.id == s.place).map_or(&order.billing, |place| &place.address);
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
        "shipping_address": bare(to), "items": s.items.iter().map(item).collect::<Value>(),
        "shipping_provider_display_name": t.carrier.to_uppercase(), "generated_tracking_link": link,
    })
}

/// A refund, as V3 shows it: amounts are numbers.
pub(super) fn refund(order: u64, refund: &Refund) -> Value {
    let item = |(line, pieces, amount): &(u64, u64, _)| json!({ "item_type": "PRODUCT", "item_id": line, "quantity": pieces, "requested_amount": number(*amount) });
    let mut items: Vec<Value> = refund.lines.iter().map(item).collect();
    if items.is_empty() {
        items.push(json!({ "item_type": "ORDER", "item_id": order, "requested_amount": number(refund.amount) }));
    }
    json!({
        "id": refund.id, "order_id": order, "user_id": 1, "created": stamp(refund.at, "%Y-%m-%dT%H:%M:%S+00:00"),
        "reason": refund.reason, "total_amount": number(refund.amount), "total_tax": number(ZERO),
        "uses_merchant_override_values": false, "items": items,
        "payments": [{ "id": refund.id, "provider_id": "custom", "amount": number(refund.amount), "offline": true,
            "is_declined": false, "declined_message": "" }],
    })
}
