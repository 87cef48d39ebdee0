//! Orders with their addresses and consignments as Orders V2 shows them: most amounts as text with
//! four decimals, those of consignments as numbers, `""` for nothing, dates in RFC 2822.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::options::Options;
use super::{Entry, Order, parts, vendor};
use crate::sim::forms::{self, merge, stamp};
use crate::sim::world::{Address, Place, Way};

/// The statuses by id: name, and place in lists.
#[rustfmt::skip]
pub(super) const STATUSES: [(&str, u8); 15] = [
    ("Incomplete", 0), ("Pending", 1), ("Shipped", 8), ("Partially Shipped", 6), ("Refunded", 11), ("Cancelled", 9),
    ("Declined", 10), ("Awaiting Payment", 2), ("Awaiting Pickup", 5), ("Awaiting Shipment", 4), ("Completed", 7),
    ("Awaiting Fulfillment", 3), ("Manual Verification Required", 13), ("Disputed", 12), ("Partially Refunded", 14),
];

/// Tax on everything: a tenth.
pub(super) fn tax(amount: Decimal) -> Decimal {
    (amount / Decimal::TEN).trunc_with_scale(2)
}

/// An amount as text.
pub(super) fn text(amount: Decimal) -> Value {
    json!(format!("{amount:.4}"))
}

/// An amount as a number.
pub(super) fn number(amount: Decimal) -> Value {
    json!(amount.to_f64().unwrap_or_default())
}

/// How amounts are shown.
pub(super) type Show = fn(Decimal) -> Value;

/// No money.
pub(super) const ZERO: Decimal = Decimal::ZERO;

/// An amount without tax, with it, and the tax, under names that begin alike.
pub(super) fn taxed(row: &mut Value, name: &str, amount: Decimal, show: Show) {
    for (end, amount) in [("ex_tax", amount), ("inc_tax", amount + tax(amount)), ("tax", tax(amount))] {
        row[format!("{name}_{end}")] = show(amount);
    }
}

/// A cost: the same, and as it was before anything else.
pub(super) fn cost(row: &mut Value, name: &str, amount: Decimal, show: Show) {
    row[format!("base_{name}")] = show(amount);
    taxed(row, name, amount, show);
}

/// A time.
pub(super) fn rfc2822(seconds: i64) -> String {
    stamp(seconds, "%a, %d %b %Y %H:%M:%S +0000")
}

/// What the buyer pays.
pub(super) fn total(order: &Order) -> Decimal {
    let (subtotal, shipping, fees) = (order.subtotal(), order.shipping(), order.fees());
    subtotal + shipping + fees + tax(subtotal) + tax(shipping) + tax(fees) - order.discount()
}

/// What is shown in full instead of as a link.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Expand {
    pub(super) consignments: bool,
    pub(super) lines: bool,
    pub(super) fees: bool,
}

/// An order.
pub(super) fn order(options: &Options, entry: &Entry, order: &Order, expand: Expand) -> Value {
    let mut row = head(entry, order);
    merge(&mut row, money(options, order));
    merge(&mut row, people(entry, order));
    merge(&mut row, links(options, order, expand));
    row
}

fn head(entry: &Entry, order: &Order) -> Value {
    let status = vendor::status(entry);
    let name = STATUSES.get(usize::from(status)).map_or("Unknown", |(name, _)| name);
    let total: u64 = order.lines.iter().map(|line| line.quantity).sum();
    let shipped: u64 = order.lines.iter().map(|line| line.shipped).sum();
    json!({
        "id": order.id, "customer_id": order.customer, "date_created": rfc2822(entry.created),
        "date_modified": rfc2822(entry.modified), "date_shipped": order.own.shipped.map(rfc2822).unwrap_or_default(),
        "cart_id": format!("a8458391-ef68-4fe5-9ec1-{:012x}", order.id), "status_id": status, "status": name,
        "custom_status": if status == 11 { "Zu packen" } else { name }, "items_total": total,
        "items_shipped": shipped, "is_deleted": entry.away.is_some(), "order_is_digital": order.places.is_empty(),
    })
}

fn money(options: &Options, order: &Order) -> Value {
    let (subtotal, shipping, fees, discount) = (order.subtotal(), order.shipping(), order.fees(), order.discount());
    let foreign = order.currency != options.currency;
    let mut row = json!({
        "shipping_cost_tax_class_id": 2, "handling_cost_tax_class_id": 2, "wrapping_cost_tax_class_id": 3,
        "total_ex_tax": text(subtotal + shipping + fees - discount), "total_inc_tax": text(total(order)),
        "total_tax": text(tax(subtotal) + tax(shipping) + tax(fees)), "is_tax_inclusive_pricing": false,
        "refunded_amount": "0.0000", "store_credit_amount": "0.0000", "gift_certificate_amount": "0.0000",
        "discount_amount": "0.0000", "coupon_discount": text(discount), "currency_id": 1,
        "currency_code": order.currency, "currency_exchange_rate": "1.0000000000", "default_currency_id": 1,
        "default_currency_code": order.currency,
        "store_default_currency_code": if foreign { options.currency.as_str() } else { "" },
        "store_default_to_transactional_exchange_rate": format!("{:.10}", order.rate),
    });
    taxed(&mut row, "subtotal", subtotal, text);
    cost(&mut row, "shipping_cost", shipping, text);
    cost(&mut row, "handling_cost", ZERO, text);
    cost(&mut row, "wrapping_cost", ZERO, text);
    row
}

/// The offline payment method by which the carrier collects the money.
pub(super) const AT_DELIVERY: &str = "Cash on Delivery";

fn payment_status(status: u8, method: &str) -> Option<&'static str> {
    match status {
        0 | 1 | 7 => None,
        // No payment is known of until the merchant says so.
        _ if method == AT_DELIVERY => None,
        4 => Some("refunded"),
        14 => Some("partially refunded"),
        _ => Some("captured"),
    }
}

fn people(entry: &Entry, order: &Order) -> Value {
    let mut row = json!({
        "payment_method": order.payment, "payment_provider_id": "", "ip_address": "192.0.2.1", "ip_address_v6": "",
        "geoip_country": country(&order.billing.country), "geoip_country_iso2": order.billing.country,
        "staff_notes": order.staff_notes, "customer_message": order.note, "ebay_order_id": "0",
        "shipping_address_count": order.places.len(), "billing_address": address(&order.billing, order),
        "is_email_opt_in": false, "credit_card_type": null, "order_source": order.source, "channel_id": 1,
        "external_source": null, "external_id": null, "external_merchant_id": null,
        "external_order_id": order.reference, "tax_provider_id": "BasicTaxProvider", "customer_locale": "en",
    });
    let paid = payment_status(vendor::status(entry), &order.payment);
    paid.into_iter().for_each(|paid| row["payment_status"] = json!(paid));
    row
}

/// A link to what is not shown.
pub(super) fn link(options: &Options, order: u64, path: &str) -> Value {
    let path = format!("/orders/{order}/{path}");
    json!({ "url": format!("https://api.bigcommerce.com/stores/{}/v2{path}", options.store_hash), "resource": path })
}

fn links(options: &Options, order: &Order, expand: Expand) -> Value {
    let link = |name: &str| link(options, order.id, name);
    let consigned = match expand.consignments || expand.lines {
        true => consignments(options, order, expand.lines),
        false => link("consignments"),
    };
    let fees = if expand.fees { parts::fees(options, order).into() } else { link("fees") };
    json!({
        "products": link("products"), "shipping_addresses": link("shippingaddresses"), "coupons": link("coupons"),
        "fees": fees, "consignments": consigned,
    })
}

/// The consignments in their object structure.
pub(super) fn consignments(options: &Options, order: &Order, lines: bool) -> Value {
    let of = |way: Way| -> Value {
        let here = order.lines.iter().filter(|line| line.way == way);
        match lines {
            true => here.map(|line| parts::product(line, order)).collect(),
            false => here.map(|line| link(options, order.id, &format!("products/{}", line.id))).collect(),
        }
    };
    let is_lost = options.loses_lines && order.lines.iter().any(|line| line.way == Way::Download);
    let shipping = order.places.iter().map(|one| {
        let quotes = format!("consignments/shipping/{}/shipping_quotes", one.id);
        let mut shown = place(one, order, number);
        shown["shipping_quotes"] = link(options, order.id, &quotes);
        shown["line_items"] = if is_lost { json!([]) } else { of(Way::Parcel(one.id)) };
        shown
    });
    let bundle = |way: Way, mut members: Value| {
        members["line_items"] = of(way);
        if order.lines.iter().any(|line| line.way == way) { json!([members]) } else { json!([]) }
    };
    let mail = || json!({ "recipient_email": order.billing.email });
    let pickup = json!({ "id": order.id, "pickup_method_id": 1, "pickup_method_display_name": "Pick up in store",
        "collection_instructions": "Bring your ID", "collection_time_description": "9am - 6pm" });
    json!({
        "pickups": bundle(Way::Pickup, pickup), "shipping": shipping.collect::<Value>(),
        "downloads": bundle(Way::Download, mail()),
        "email": { "gift_certificates": bundle(Way::Certificate, mail()) },
    })
}

/// The names of an address's parts.
#[rustfmt::skip]
const ADDRESS: [&str; 11] = [
    "first_name", "last_name", "company", "street_1", "street_2", "city", "state", "zip", "country_iso2", "phone", "email",
];

/// An address without its form fields.
pub(super) fn bare(address: &Address) -> Value {
    let mut shown = forms::address(address, &ADDRESS);
    shown["country"] = json!(country(&address.country));
    shown
}

/// An address with the merchant's own fields, which the billing address has.
fn address(address: &Address, order: &Order) -> Value {
    let mine = order.own.form_fields.iter().filter(|_| *address == order.billing);
    let mut shown = bare(address);
    shown["form_fields"] = mine.map(|(name, value)| json!({ "name": name, "value": value })).collect();
    shown
}

/// A delivery address with what goes there.
pub(super) fn place(place: &Place, order: &Order, show: Show) -> Value {
    let here = || order.lines.iter().filter(|line| line.way == Way::Parcel(place.id));
    let (total, shipped): (u64, u64) = (here().map(|line| line.quantity).sum(), here().map(|line| line.shipped).sum());
    let mut shown = address(&place.address, order);
    merge(
        &mut shown,
        json!({
            "id": place.id, "items_total": total, "items_shipped": shipped, "shipping_method": place.method,
            "cost_tax_class_id": 2, "handling_cost_tax_class_id": 2, "shipping_zone_id": 1,
            "shipping_zone_name": "Rest of the world",
        }),
    );
    cost(&mut shown, "cost", place.cost, show);
    cost(&mut shown, "handling_cost", ZERO, show);
    shown
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
