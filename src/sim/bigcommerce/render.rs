//! Orders with their addresses, consignments and fees as Orders V2 shows them: most amounts as text
//! with four decimals, those of consignments as numbers, `""` for nothing, dates in RFC 2822.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value, json};

use super::options::Options;
use super::{Entry, Order};
use super::{subresources, vendor};
use crate::clock::Timestamp;
use crate::sim::world::{Address, Fee, Place, Way};

/// The statuses: id, name, description's beginning, place in lists.
pub(super) const STATUSES: [(&str, u8); 15] = [
    ("Incomplete", 0),
    ("Pending", 1),
    ("Shipped", 8),
    ("Partially Shipped", 6),
    ("Refunded", 11),
    ("Cancelled", 9),
    ("Declined", 10),
    ("Awaiting Payment", 2),
    ("Awaiting Pickup", 5),
    ("Awaiting Shipment", 4),
    ("Completed", 7),
    ("Awaiting Fulfillment", 3),
    ("Manual Verification Required", 13),
    ("Disputed", 12),
    ("Partially Refunded", 14),
];

/// Tax on everything: a tenth.
pub(super) fn tax(amount: Decimal) -> Decimal {
    (amount / Decimal::TEN).trunc_with_scale(2)
}

/// An amount as text.
pub(super) fn text(amount: Decimal) -> String {
    format!("{amount:.4}")
}

/// An amount as a number.
pub(super) fn number(amount: Decimal) -> Value {
    json!(amount.to_f64().unwrap_or_default())
}

/// No money.
const ZERO: Decimal = Decimal::ZERO;

/// A time.
pub(super) fn rfc2822(seconds: i64) -> String {
    Timestamp::from_timestamp(seconds, 0).unwrap_or_default().format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// What the buyer pays.
pub(super) fn total(order: &Order) -> Decimal {
    let (subtotal, shipping, fees) = (order.subtotal(), order.shipping(), order.fees());
    subtotal + shipping + fees + tax(subtotal) + tax(shipping) + tax(fees) - order.discount()
}

/// An order. `expand` tells what of `include` was asked for.
pub(super) fn order(options: &Options, entry: &Entry, order: &Order, expand: Expand) -> Value {
    let mut row = Map::new();
    head(&mut row, entry, order);
    money(&mut row, options, order);
    people(&mut row, entry, order);
    links(&mut row, options, order, expand);
    Value::Object(row)
}

/// What is shown in full instead of as a link.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Expand {
    pub(super) consignments: bool,
    pub(super) lines: bool,
    pub(super) fees: bool,
}

pub(super) fn put(row: &mut Map<String, Value>, members: Value) {
    if let Value::Object(members) = members {
        row.extend(members);
    }
}

fn head(row: &mut Map<String, Value>, entry: &Entry, order: &Order) {
    let status = vendor::status(entry);
    let name = STATUSES.get(usize::from(status)).map_or("Unknown", |(name, _)| name);
    let total: u64 = order.lines.iter().map(|line| line.quantity).sum();
    let shipped: u64 = order.lines.iter().map(|line| line.shipped).sum();
    put(
        row,
        json!({
            "id": order.id, "customer_id": order.customer, "date_created": rfc2822(entry.created),
            "date_modified": rfc2822(entry.modified), "date_shipped": order.own.shipped.map(rfc2822).unwrap_or_default(),
            "cart_id": format!("a8458391-ef68-4fe5-9ec1-{:012x}", order.id), "status_id": status, "status": name,
            "custom_status": if status == 11 { "Zu packen" } else { name }, "items_total": total,
            "items_shipped": shipped, "is_deleted": entry.away.is_some(), "order_is_digital": order.places.is_empty(),
        }),
    );
}

fn money(row: &mut Map<String, Value>, options: &Options, order: &Order) {
    let (subtotal, shipping, fees, discount) = (order.subtotal(), order.shipping(), order.fees(), order.discount());
    let net = subtotal + shipping + fees;
    put(
        row,
        json!({
            "subtotal_ex_tax": text(subtotal), "subtotal_inc_tax": text(subtotal + tax(subtotal)),
            "subtotal_tax": text(tax(subtotal)), "base_shipping_cost": text(shipping),
            "shipping_cost_ex_tax": text(shipping), "shipping_cost_inc_tax": text(shipping + tax(shipping)),
            "shipping_cost_tax": text(tax(shipping)), "shipping_cost_tax_class_id": 2, "base_handling_cost": text(ZERO),
            "handling_cost_ex_tax": text(ZERO), "handling_cost_inc_tax": text(ZERO), "handling_cost_tax": text(ZERO),
            "handling_cost_tax_class_id": 2, "base_wrapping_cost": text(ZERO), "wrapping_cost_ex_tax": text(ZERO),
            "wrapping_cost_inc_tax": text(ZERO), "wrapping_cost_tax": text(ZERO), "wrapping_cost_tax_class_id": 3,
        }),
    );
    let (taxes, foreign) = (tax(subtotal) + tax(shipping) + tax(fees), order.currency != options.currency);
    put(
        row,
        json!({
            "total_ex_tax": text(net - discount), "total_inc_tax": text(total(order)), "total_tax": text(taxes),
            "is_tax_inclusive_pricing": false, "refunded_amount": "0.0000", "store_credit_amount": "0.0000",
            "gift_certificate_amount": "0.0000", "discount_amount": "0.0000", "coupon_discount": text(discount),
            "currency_id": 1, "currency_code": order.currency, "currency_exchange_rate": "1.0000000000",
            "default_currency_id": 1, "default_currency_code": order.currency,
            "store_default_currency_code": if foreign { options.currency.as_str() } else { "" },
            "store_default_to_transactional_exchange_rate": format!("{:.10}", order.rate),
        }),
    );
}

/// The offline payment method by which the carrier collects the money.
pub(super) const AT_DELIVERY: &str = "Cash on Delivery";

fn payment_status(status: u8, method: &str) -> &'static str {
    match status {
        0 | 1 | 7 => "",
        // No payment is known of until the merchant says so.
        _ if method == AT_DELIVERY => "",
        4 => "refunded",
        14 => "partially refunded",
        _ => "captured",
    }
}

fn people(row: &mut Map<String, Value>, entry: &Entry, order: &Order) {
    put(
        row,
        json!({
            "payment_method": order.payment, "payment_provider_id": "", "ip_address": "192.0.2.1",
            "ip_address_v6": "", "geoip_country": country(&order.billing.country),
            "geoip_country_iso2": order.billing.country, "staff_notes": order.staff_notes,
            "customer_message": order.note, "shipping_address_count": order.places.len(), "ebay_order_id": "0",
            "billing_address": address(&order.billing, order), "is_email_opt_in": false, "credit_card_type": null,
            "order_source": order.source, "channel_id": 1, "external_source": null, "external_id": null,
            "external_merchant_id": null, "external_order_id": order.reference,
            "tax_provider_id": "BasicTaxProvider", "customer_locale": "en",
        }),
    );
    let paid = payment_status(vendor::status(entry), &order.payment);
    if !paid.is_empty() {
        row.insert("payment_status".to_owned(), json!(paid));
    }
}

fn link(options: &Options, path: &str) -> Value {
    json!({ "url": format!("https://api.bigcommerce.com/stores/{}/v2{path}", options.store_hash), "resource": path })
}

fn links(row: &mut Map<String, Value>, options: &Options, order: &Order, expand: Expand) {
    let path = |name: &str| format!("/orders/{}/{name}", order.id);
    for (member, name) in
        [("products", "products"), ("shipping_addresses", "shippingaddresses"), ("coupons", "coupons")]
    {
        row.insert(member.to_owned(), link(options, &path(name)));
    }
    let fees = if expand.fees { order.fees.iter().map(fee).collect() } else { link(options, &path("fees")) };
    row.insert("fees".to_owned(), fees);
    let consigned = match expand.consignments || expand.lines {
        true => consignments(options, order, expand.lines),
        false => link(options, &path("consignments")),
    };
    row.insert("consignments".to_owned(), consigned);
}

/// The consignments in their object structure.
pub(super) fn consignments(options: &Options, order: &Order, lines: bool) -> Value {
    let of = |way: Way| -> Value {
        let here = order.lines.iter().filter(|line| line.way == way);
        match lines {
            true => here.map(|line| subresources::product(line, order)).collect(),
            false => here.map(|line| link(options, &format!("/orders/{}/products/{}", order.id, line.id))).collect(),
        }
    };
    let shipping: Vec<Value> = order
        .places
        .iter()
        .map(|place| {
            let mut shown = consignment(place, order);
            shown["shipping_quotes"] =
                link(options, &format!("/orders/{}/consignments/shipping/{}/shipping_quotes", order.id, place.id));
            shown["line_items"] = of(Way::Parcel(place.id));
            shown
        })
        .collect();
    let some = |way: Way| order.lines.iter().any(|line| line.way == way);
    let bundle = |way: Way, mut members: Value| match some(way) {
        true => {
            members["line_items"] = of(way);
            json!([members])
        }
        false => json!([]),
    };
    let mail = || json!({ "recipient_email": order.billing.email });
    json!({
        "pickups": bundle(Way::Pickup, json!({ "id": order.id, "pickup_method_id": 1,
            "pickup_method_display_name": "Pick up in store", "collection_instructions": "Bring your ID",
            "collection_time_description": "9am - 6pm" })),
        "shipping": shipping,
        "downloads": bundle(Way::Download, mail()),
        "email": { "gift_certificates": bundle(Way::Certificate, mail()) },
    })
}

fn fields(address: &Address, order: &Order) -> Value {
    let mine = if *address == order.billing { order.own.form_fields.as_slice() } else { &[] };
    mine.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

/// A billing address.
fn address(address: &Address, order: &Order) -> Value {
    let mut shown = bare(address);
    shown["form_fields"] = fields(address, order);
    shown
}

/// An address without its form fields.
pub(super) fn bare(a: &Address) -> Value {
    json!({
        "first_name": a.first_name, "last_name": a.last_name, "company": a.company, "street_1": a.street_1,
        "street_2": a.street_2, "city": a.city, "state": a.state, "zip": a.postcode, "country": country(&a.country),
        "country_iso2": a.country, "phone": a.phone, "email": a.email,
    })
}

fn items(order: &Order, place: u64) -> (u64, u64) {
    let here = || order.lines.iter().filter(|line| line.way == Way::Parcel(place));
    (here().map(|line| line.quantity).sum(), here().map(|line| line.shipped).sum())
}

/// A delivery address as a consignment: its amounts are numbers.
fn consignment(place: &Place, order: &Order) -> Value {
    let (total, shipped) = items(order, place.id);
    let mut shown = address(&place.address, order);
    let row = json!({
        "id": place.id, "items_total": total, "items_shipped": shipped, "shipping_method": place.method,
        "base_cost": number(place.cost), "cost_ex_tax": number(place.cost),
        "cost_inc_tax": number(place.cost + tax(place.cost)), "cost_tax": number(tax(place.cost)),
        "cost_tax_class_id": 2, "base_handling_cost": number(ZERO), "handling_cost_ex_tax": number(ZERO),
        "handling_cost_inc_tax": number(ZERO), "handling_cost_tax": number(ZERO), "handling_cost_tax_class_id": 2,
        "shipping_zone_id": 1, "shipping_zone_name": "Rest of the world",
    });
    if let (Value::Object(shown), Value::Object(row)) = (&mut shown, row) {
        shown.extend(row);
    }
    shown
}

/// A delivery address as its own resource: its amounts are text.
pub(super) fn shipping_address(options: &Options, place: &Place, order: &Order) -> Value {
    let (total, shipped) = items(order, place.id);
    let mut shown = address(&place.address, order);
    let row = json!({
        "id": place.id, "order_id": order.id, "items_total": total, "items_shipped": shipped,
        "shipping_method": place.method, "base_cost": text(place.cost), "cost_ex_tax": text(place.cost),
        "cost_inc_tax": text(place.cost + tax(place.cost)), "cost_tax": text(tax(place.cost)), "cost_tax_class_id": 2,
        "base_handling_cost": text(ZERO), "handling_cost_ex_tax": text(ZERO), "handling_cost_inc_tax": text(ZERO),
        "handling_cost_tax": text(ZERO), "handling_cost_tax_class_id": 2, "shipping_zone_id": 1,
        "shipping_zone_name": "Rest of the world",
        "shipping_quotes": link(options, &format!("/orders/{}/shippingaddresses/{}/shippingquotes", order.id, place.id)),
    });
    if let (Value::Object(shown), Value::Object(row)) = (&mut shown, row) {
        shown.extend(row);
    }
    shown
}

/// A fee.
pub(super) fn fee(fee: &Fee) -> Value {
    json!({
        "id": fee.id, "type": "custom_fee", "display_name_customer": fee.name, "display_name_merchant": fee.name,
        "source": "v2", "base_cost": text(fee.cost), "cost_ex_tax": text(fee.cost),
        "cost_inc_tax": text(fee.cost + tax(fee.cost)), "cost_tax": text(tax(fee.cost)), "tax_class_id": null,
    })
}

/// A country by name.
fn country(code: &str) -> &'static str {
    match code {
        "" => "",
        "DE" => "Germany",
        "GB" => "United Kingdom",
        "US" => "United States",
        "AT" => "Austria",
        "ES" => "Spain",
        "NL" => "Netherlands",
        _ => "Elsewhere",
    }
}
