//! An order as the REST API writes it: members without a value are left out, amounts are floats,
//! each in the order's currency and in the shop's own.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

use super::options::{Options, Version};
use super::vendor::{canceled, invoiced, is_virtual, status, to_invoice, word};
use super::{Call, Entry, Line, Magento, Order, shipments};
use crate::sim::forms::{address as named, merge, php_float, stamp};
use crate::sim::world::{Address, Note, Refund, Vendor, Way};

/// The names of an address's parts; a street has its lines in a list.
#[rustfmt::skip]
pub(super) const ADDRESS: [&str; 11] = [
    "firstname", "lastname", "company", "street_1", "street_2", "city", "region", "postcode", "country_id",
    "telephone", "email",
];

/// The carrier of a module for pick-up that writes nothing else on an order.
const AMASTY: &str = "amstorepickup";

/// A UTC time, without its zone.
pub(super) fn time(at: i64) -> String {
    stamp(at, "%Y-%m-%d %H:%M:%S")
}

/// A number with at most four decimals.
pub(super) fn number(amount: Decimal) -> Value {
    php_float(amount.round_dp(4))
}

fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

pub(super) fn tax(options: &Options, amount: Decimal) -> Decimal {
    cents(amount * Decimal::new(i64::from(options.tax_basis_points), 4))
}

/// The price of a line had the tax in it: its sum is what is left without it, and the price of one is
/// rounded from that. What they differ by stands where a discount does, below zero.
pub(super) fn take_out_tax(options: &Options, line: &mut Line) {
    let (gross, points) = (line.subtotal(), Decimal::from(options.tax_basis_points));
    let taxes = cents((gross * points).checked_div(Decimal::from(10_000) + points).unwrap_or_default());
    line.price = cents((gross - taxes).checked_div(Decimal::from(line.quantity)).unwrap_or_default());
    line.discount = line.subtotal() - (gross - taxes);
}

/// What is off a line.
fn off(line: &Line) -> Decimal {
    line.discount.max(Decimal::ZERO)
}

/// What so many pieces of a line come to before discount.
fn goods(line: &Line, pieces: u64) -> Decimal {
    let (pieces, all) = (Decimal::from(pieces), Decimal::from(line.quantity));
    let rounding = (line.discount.min(Decimal::ZERO) * pieces).checked_div(all).unwrap_or_default();
    line.price * pieces - cents(rounding)
}

/// An object without its members that are null.
pub(super) fn without_nulls(document: Value) -> Value {
    let Value::Object(members) = document else { return document };
    Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A product by itself, with its word.
    Plain(&'static str),
    /// A choice of a product: it comes twice.
    Configurable,
    /// A bundle whose parts go together.
    Together,
    /// A bundle whose parts go apart.
    Apart,
}

impl Sort {
    /// By its product; a SKU in `BUNDLE` is that of a bundle, one in `BUNDLE-APART` of parts.
    pub(super) fn of(line: &Line) -> Self {
        match line.sku.as_str() {
            sku if sku.starts_with("BUNDLE-APART") => Self::Apart,
            sku if sku.starts_with("BUNDLE") => Self::Together,
            sku if sku.starts_with("DOWNLOAD") => Self::Plain("downloadable"),
            _ if line.way == Way::Download => Self::Plain("virtual"),
            _ if line.variant > 0 => Self::Configurable,
            _ => Self::Plain("simple"),
        }
    }
}

/// A row below that of a line.
pub(super) struct Part {
    /// Its id.
    pub(super) id: u64,
    /// Pieces in one of the line.
    pub(super) per_set: u64,
    /// Its name.
    pub(super) name: String,
    /// Its stock-keeping unit.
    pub(super) sku: String,
    /// Its share of the line's money.
    share: Decimal,
}

/// The rows below that of a line.
pub(super) fn parts(line: &Line) -> Vec<Part> {
    let part = |nth: u64, per_set, name, sku: String, share| Part { id: line.id + nth, per_set, name, sku, share };
    match Sort::of(line) {
        Sort::Plain(_) => Vec::new(),
        Sort::Configurable => vec![part(1, 1, line.name.clone(), line.sku.clone(), Decimal::ZERO)],
        Sort::Together | Sort::Apart => (1..=2)
            .map(|nth| {
                let (name, sku) = (format!("{} {nth}", line.name), format!("{}-{nth}", line.sku));
                part(nth, nth, name, sku, Decimal::new(if nth == 1 { 6 } else { 4 }, 1))
            })
            .collect(),
    }
}

/// Amounts of so many pieces of lines.
#[derive(Default)]
struct Amounts {
    subtotal: Decimal,
    discount: Decimal,
    tax: Decimal,
}

fn amounts(options: &Options, order: &Order, pieces: impl Fn(&Line) -> u64) -> Amounts {
    order.lines.iter().fold(Amounts::default(), |sum, line| {
        let goods = goods(line, pieces(line));
        let (pieces, all) = (Decimal::from(pieces(line)), Decimal::from(line.quantity));
        let share = |amount: Decimal| cents((amount * pieces).checked_div(all).unwrap_or_default());
        Amounts {
            subtotal: sum.subtotal + goods,
            discount: sum.discount + share(off(line)),
            tax: sum.tax + share(tax(options, line.total())),
        }
    })
}

/// What the buyer pays.
pub(super) fn total(options: &Options, order: &Order) -> Decimal {
    order.sums(|amount| tax(options, amount)).total + order.duties
}

/// Adds amounts in the order's currency and in the shop's own.
fn add(members: &mut Map<String, Value>, order: &Order, amounts: &[(&str, Decimal)]) {
    for (name, amount) in amounts {
        members.insert((*name).to_owned(), number(*amount));
        let base = cents(amount.checked_div(order.rate).unwrap_or(*amount));
        let base_name = match *name {
            "shipping_discount_tax_compensation_amount" => "base_shipping_discount_tax_compensation_amnt".to_owned(),
            name => format!("base_{name}"),
        };
        members.insert(base_name, number(base));
    }
}

/// The number that people see.
pub(super) fn increment(order: &Order) -> String {
    let old = order.own.replaces.map(|old| format!("{old:09}-1"));
    old.unwrap_or_else(|| format!("{:09}", order.id))
}

/// The id of an address.
pub(super) fn address_id(order: &Order, shipping: bool) -> Option<u64> {
    (!shipping || !order.places.is_empty()).then_some(order.id * 2 + u64::from(!shipping))
}

fn address(order: &Order, address: &Address, kind: &str) -> Value {
    let street: Vec<&str> = [&address.street_1, &address.street_2]
        .into_iter()
        .map(String::as_str)
        .filter(|line| !line.is_empty())
        .collect();
    let Value::Object(parts) = named(address, &ADDRESS) else { return Value::Null };
    let kept = parts.into_iter().filter(|(name, text)| !name.starts_with("street") && text != "");
    let mut document: Map<String, Value> = kept.collect();
    if let Some(region) = document.get("region").cloned() {
        document.insert("region_code".to_owned(), region);
    }
    // Who buys without an account has no e-mail of the delivery address but the order's.
    if !order.billing.email.is_empty() {
        document.insert("email".to_owned(), json!(order.billing.email));
    }
    let mut document = Value::Object(document);
    merge(&mut document, name_in_parts(address, ""));
    let id = address_id(order, kind == "shipping");
    merge(&mut document, json!({ "address_type": kind, "entity_id": id, "parent_id": order.id, "street": street }));
    document
}

/// An order as a list and a single answer have it; a spoilt one breaks its own schema.
pub(super) fn shown(call: &Call<'_, '_>, entry: &Entry) -> Value {
    let mut document = order(call.options, entry, &entry.order(call.options));
    if call.state.spoilt.contains(&entry.id) {
        document["grand_total"] = json!({ "amount": 12 });
    }
    document
}

/// The whole order.
pub(super) fn order(options: &Options, entry: &Entry, order: &Order) -> Value {
    let mut members = Map::new();
    let sums = order.sums(|amount| tax(options, amount));
    let all = |line: &Line| goods(line, line.quantity);
    let subtotal: Decimal = order.lines.iter().map(all).sum();
    let subtotal_tax: Decimal = order.lines.iter().map(|line| tax(options, all(line))).sum();
    let discount: Decimal = order.lines.iter().map(off).sum();
    let (grand, zero) = (total(options, order), Decimal::ZERO);
    let paid = money_in(options, order, &mut members, grand);
    #[rustfmt::skip]
    add(&mut members, order, &[
        ("subtotal", subtotal), ("subtotal_incl_tax", subtotal + subtotal_tax),
        ("discount_amount", -discount), ("discount_tax_compensation_amount", zero), ("tax_amount", sums.tax),
        ("grand_total", grand), ("total_due", grand - paid),
    ]);
    let shipping = shipping_amounts(options, order);
    members.extend(shipping.as_object().cloned().unwrap_or_default());
    let mut document = Value::Object(members);
    merge(&mut document, currencies(order));
    merge(&mut document, head(options, entry, order));
    merge(&mut document, relations(order));
    let rows = items(options, order, entry.created);
    document["payment"] = payment(order, grand, paid);
    document["extension_attributes"] = extension(options, order, &rows, &shipping, sums.tax);
    document["items"] = Value::Array(rows);
    without_nulls(document)
}

/// What was invoiced, cancelled and refunded; gives what was paid.
fn money_in(options: &Options, order: &Order, members: &mut Map<String, Value>, grand: Decimal) -> Decimal {
    let shipping = order.shipping();
    let shipping_tax = tax(options, shipping);
    let any = order.lines.iter().any(|line| invoiced(order, line) > 0);
    let all = any && order.lines.iter().all(|line| to_invoice(order, line) == 0);
    let had = amounts(options, order, |line| invoiced(order, line));
    let in_part = had.subtotal - had.discount + had.tax + shipping + shipping_tax;
    let paid = if all && order.own.canceled.is_empty() { grand } else { in_part.min(grand) };
    let paid = if any { paid } else { Decimal::ZERO };
    if any {
        #[rustfmt::skip]
        add(members, order, &[
            ("subtotal_invoiced", had.subtotal), ("discount_invoiced", -had.discount),
            ("tax_invoiced", had.tax + shipping_tax), ("shipping_invoiced", shipping), ("total_invoiced", paid),
            ("total_paid", paid), ("discount_tax_compensation_invoiced", Decimal::ZERO),
        ]);
    }
    if !order.own.canceled.is_empty() {
        let gone = amounts(options, order, |line| canceled(order, line));
        #[rustfmt::skip]
        add(members, order, &[
            ("subtotal_canceled", gone.subtotal), ("discount_canceled", gone.discount), ("tax_canceled", gone.tax),
            ("shipping_canceled", if any { Decimal::ZERO } else { shipping }), ("total_canceled", grand - paid),
        ]);
    }
    if !order.refunds.is_empty() {
        let back = order.refunds.iter().map(|refund| memo(options, order, refund));
        let sum = |name: &str| back.clone().map(|memo| amount(&memo[name])).sum::<Decimal>();
        #[rustfmt::skip]
        add(members, order, &[
            ("subtotal_refunded", sum("subtotal")), ("discount_refunded", sum("discount_amount")),
            ("tax_refunded", sum("tax_amount")), ("shipping_refunded", sum("shipping_amount")),
            ("total_refunded", order.refunded()), ("total_offline_refunded", order.refunded()),
            ("adjustment_positive", sum("adjustment_positive")), ("adjustment_negative", sum("adjustment_negative")),
        ]);
    }
    paid
}

fn amount(value: &Value) -> Decimal {
    value.to_string().parse().unwrap_or_default()
}

fn shipping_amounts(options: &Options, order: &Order) -> Value {
    let (cost, zero) = (order.shipping(), Decimal::ZERO);
    let taxes = tax(options, cost);
    let mut members = Map::new();
    #[rustfmt::skip]
    add(&mut members, order, &[
        ("shipping_amount", cost), ("shipping_incl_tax", cost + taxes), ("shipping_tax_amount", taxes),
        ("shipping_discount_amount", zero), ("shipping_discount_tax_compensation_amount", zero),
    ]);
    Value::Object(members)
}

/// The order's currency, and the shop's own.
fn currencies(order: &Order) -> Value {
    let base = if order.rate == Decimal::ONE { &order.currency } else { "EUR" };
    json!({
        "order_currency_code": order.currency, "base_currency_code": base, "global_currency_code": base,
        "store_currency_code": base, "base_to_global_rate": 1, "base_to_order_rate": number(order.rate),
    })
}

fn head(options: &Options, entry: &Entry, order: &Order) -> Value {
    let guest = order.customer == 0;
    // What a program makes comes from no cart, and has the number that it has elsewhere.
    let imported = order.source == Magento::PROGRAM;
    // Some guests have given their name only with the address.
    let nameless = guest && order.id.is_multiple_of(4);
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let name = |text: &str| some(text).filter(|_| !nameless);
    let pieces: u64 = order.lines.iter().map(|line| line.quantity).sum();
    let sent = order.places.first().map(|place| place.method.clone());
    let in_parts = if nameless { json!({}) } else { name_in_parts(&order.billing, "customer_") };
    let mut head = json!({
        "entity_id": entry.id, "increment_id": increment(order), "created_at": time(entry.created),
        "updated_at": time(entry.modified), "state": entry.status, "status": status(&entry.status, order),
        "store_id": 1 + entry.id % (options.store_views.len().max(1) as u64),
        "store_name": "Main Website\nMain Website Store\nDefault Store View",
        "customer_id": Some(order.customer).filter(|_| !guest), "customer_is_guest": guest.then_some(1),
        "customer_group_id": u8::from(!guest), "customer_email": some(&order.billing.email),
        "customer_firstname": name(&order.billing.first_name), "customer_lastname": name(&order.billing.last_name),
        "customer_note_notify": 1, "email_sent": (!imported).then_some(1),
        "applied_rule_ids": order.coupon.as_ref().map(|_| "1"),
        "remote_ip": (!imported && !order.billing.email.is_empty()).then_some("203.0.113.7"),
        "customer_note": some(&order.note), "coupon_code": order.coupon, "discount_description": order.coupon,
        "is_virtual": u8::from(is_virtual(order)), "billing_address_id": address_id(order, false),
        "billing_address": address(order, &order.billing, "billing"), "quote_id": (!imported).then_some(entry.id),
        "ext_order_id": imported.then(|| format!("IMPORT-{}", entry.id)),
        "protect_code": format!("{:032x}", crate::sim::world::mix(entry.id)), "total_item_count": order.lines.len(),
        "total_qty_ordered": pieces, "weight": number(Decimal::new(5, 1) * Decimal::from(pieces)),
        "shipping_description": sent, "status_histories": comments(entry, order),
        "hold_before_state": order.own.before_hold,
        "hold_before_status": order.own.before_hold.as_deref().map(word),
    });
    merge(&mut head, in_parts);
    head
}

/// A name of which more than two parts are told, as shops may ask for them: a title with a dot, a
/// second first name, and with a dot what stands behind the last name.
fn name_in_parts(address: &Address, before: &str) -> Value {
    let (mut first, mut last): (Vec<&str>, Vec<&str>) =
        (address.first_name.split(' ').collect(), address.last_name.split(' ').collect());
    if first.len() < 2 && last.len() < 2 {
        return json!({});
    }
    let prefix =
        if first.len() > 1 && first.first().is_some_and(|word| word.ends_with('.')) { first.remove(0) } else { "" };
    let suffix = last.pop_if(|word| word.ends_with('.')).unwrap_or_default();
    let middle = first.split_off(first.len().min(1)).join(" ");
    let parts = [
        ("prefix", prefix),
        ("firstname", &first.join(" ")),
        ("middlename", &middle),
        ("lastname", &last.join(" ")),
        ("suffix", suffix),
    ];
    let told = parts.into_iter().filter(|(_, part)| !part.is_empty());
    told.map(|(name, part)| (format!("{before}{name}"), json!(part))).collect()
}

/// An order that took the place of another, or one that another took the place of.
fn relations(order: &Order) -> Value {
    if let Some(new) = order.own.replaced_by {
        let number = format!("{:09}-1", order.id);
        return json!({ "relation_child_id": new.to_string(), "relation_child_real_id": number });
    }
    let Some(old) = order.own.replaces else { return json!({}) };
    let number = format!("{old:09}");
    json!({
        "edit_increment": 1, "original_increment_id": number, "relation_parent_id": old.to_string(),
        "relation_parent_real_id": number,
    })
}

/// The comments on an order, newest first.
pub(super) fn comments(entry: &Entry, order: &Order) -> Value {
    let comment = |note: &Note| {
        json!({
            "comment": note.text, "created_at": time(note.created), "entity_id": note.id, "entity_name": "order",
            "is_customer_notified": u8::from(note.to_customer), "is_visible_on_front": 0, "parent_id": order.id,
            "status": status(&entry.status, order),
        })
    };
    order.notes.iter().rev().map(comment).collect()
}

fn title(method: &str) -> &str {
    match method {
        "banktransfer" => "Bank Transfer Payment",
        "cashondelivery" => "Cash On Delivery",
        "checkmo" => "Check / Money order",
        other => other,
    }
}

fn payment(order: &Order, grand: Decimal, paid: Decimal) -> Value {
    let mut members = Map::new();
    let shipping = order.shipping();
    add(&mut members, order, &[("amount_ordered", grand), ("shipping_amount", shipping)]);
    let at_a_gateway = title(&order.payment) == order.payment;
    if order.paid.is_some() && at_a_gateway {
        members.insert("base_amount_authorized".to_owned(), number(grand));
        members.insert("amount_authorized".to_owned(), number(grand));
    }
    if paid > Decimal::ZERO {
        add(&mut members, order, &[("amount_paid", paid), ("shipping_captured", shipping)]);
    }
    if !order.refunds.is_empty() {
        add(&mut members, order, &[("amount_refunded", order.refunded())]);
    }
    let told =
        if order.own.payment_data.is_empty() { json!([title(&order.payment)]) } else { json!(order.own.payment_data) };
    let mut document = Value::Object(members);
    merge(
        &mut document,
        json!({
            "account_status": null, "cc_last4": null, "additional_information": told, "entity_id": order.id,
            "method": order.payment, "parent_id": order.id,
        }),
    );
    document
}

fn extension(options: &Options, order: &Order, items: &[Value], sums: &Value, taxes: Decimal) -> Value {
    let mut shipping = json!({ "total": sums });
    let picked_up = order.lines.iter().any(|line| line.way == Way::Pickup);
    if let Some(place) = order.places.first() {
        shipping["address"] = address(order, &place.address, "shipping");
        let of_module = order.delivery == AMASTY;
        shipping["method"] = match picked_up {
            true if of_module => json!(format!("{AMASTY}_{AMASTY}")),
            true => json!("instore_pickup"),
            false => json!("flatrate_flatrate"),
        };
    }
    let gift = order.lines.iter().find_map(|line| line.wrapping.as_ref());
    let gift = gift.map(|(sender, text)| {
        let who = json!({ "gift_message_id": order.id, "customer_id": order.customer });
        let mut gift = json!({ "sender": sender, "recipient": "You", "message": text });
        merge(&mut gift, who);
        gift
    });
    let percent = number(Decimal::new(i64::from(options.tax_basis_points), 2));
    let rate = json!({
        "code": "DE-MWST", "title": "MwSt", "percent": percent, "amount": number(taxes), "base_amount": number(taxes),
    });
    let rates: Vec<Value> = (taxes > Decimal::ZERO).then_some(rate).into_iter().collect();
    without_nulls(json!({
        "shipping_assignments": [{ "shipping": shipping, "items": items }],
        "payment_additional_info": [{ "key": "method_title", "value": title(&order.payment) }],
        "applied_taxes": rates, "item_applied_taxes": [], "converting_from_quote": false,
        "taxes": [], "additional_itemized_taxes": [], "gift_message": gift,
        "pickup_location_code": (picked_up && order.delivery != AMASTY).then_some("hamburg"),
    }))
}

/// Parents and children, one after the other.
fn items(options: &Options, order: &Order, created: i64) -> Vec<Value> {
    let mut rows = Vec::new();
    for line in &order.lines {
        let parent = item(options, order, line, created);
        rows.push(parent.clone());
        rows.extend(parts(line).iter().map(|part| child(options, order, line, part, &parent)));
    }
    rows
}

/// The money of a row, of which so many pieces are on an invoice: `row_total` is what a version
/// makes of it.
fn row(
    options: &Options,
    (all, invoiced): (Decimal, u64),
    price: Decimal,
    discount: Decimal,
    taxes: Decimal,
) -> [(&'static str, Decimal); 11] {
    let zero = Decimal::ZERO;
    let told = if options.version == Version::V2_4_8 { price } else { all };
    [
        ("price", price),
        ("price_incl_tax", price + tax(options, price)),
        ("original_price", price),
        ("row_total", (told - discount).max(zero)),
        ("row_total_incl_tax", (all - discount + taxes).max(zero)),
        ("row_invoiced", price * Decimal::from(invoiced)),
        ("discount_amount", discount),
        ("discount_invoiced", zero),
        ("tax_amount", taxes),
        ("tax_invoiced", zero),
        ("discount_tax_compensation_amount", zero),
    ]
}

fn item(options: &Options, order: &Order, line: &Line, created: i64) -> Value {
    let (sort, zero) = (Sort::of(line), Decimal::ZERO);
    let bundle = matches!(sort, Sort::Together | Sort::Apart);
    let mut members = Map::new();
    let discount = if bundle { zero } else { off(line) };
    let pieces = (goods(line, line.quantity), invoiced(order, line));
    add(&mut members, order, &row(options, pieces, line.price, discount, tax(options, line.total())));
    // What has prices of its own below it is refunded there.
    let back = if bundle { zero } else { line.price * Decimal::from(line.refunded) };
    add(&mut members, order, &[("amount_refunded", back)]);
    let kind = match sort {
        Sort::Plain(kind) => kind,
        Sort::Configurable => "configurable",
        Sort::Together | Sort::Apart => "bundle",
    };
    let choice = |(key, _, value): &(String, String, String)| json!({ "option_id": key, "option_value": value.len() });
    let chosen = match sort {
        Sort::Configurable => {
            json!({ "configurable_item_options": line.choices.iter().map(choice).collect::<Value>() })
        }
        Sort::Together | Sort::Apart => {
            json!({ "bundle_options": [{ "option_id": 1, "option_qty": 1, "option_selections": [1, 2] }] })
        }
        Sort::Plain(_) => json!({}),
    };
    let mut chosen = chosen;
    // What the buyer typed in an option of the first line: an attribute `option 12`.
    let is_first = order.lines.first().is_some_and(|first| first.id == line.id);
    let typed =
        order.meta.iter().filter(|_| is_first).filter_map(|meta| {
            Some(json!({ "option_id": meta.key.strip_prefix("option ")?, "option_value": meta.value }))
        });
    let typed: Vec<Value> = typed.collect();
    if !typed.is_empty() {
        chosen["custom_options"] = json!(typed);
    }
    let chosen = Some(chosen).filter(|chosen| chosen.as_object().is_some_and(|chosen| !chosen.is_empty()));
    let chosen = chosen.map(|chosen| json!({ "extension_attributes": chosen }));
    let mut document = Value::Object(members);
    let name = if line.parent.is_empty() { &line.name } else { &line.parent };
    merge(&mut document, common(order, line.id, name, &line.sku, created));
    merge(
        &mut document,
        json!({
            "product_id": line.product, "product_type": kind, "is_virtual": u8::from(line.way == Way::Download),
            "qty_ordered": line.quantity, "qty_shipped": row_shipped(order, line),
            "qty_invoiced": invoiced(order, line),
            "qty_refunded": row_refunded(order, line), "qty_canceled": canceled(order, line), "product_option": chosen,
            "discount_percent": if line.discount > zero { 10 } else { 0 },
            "tax_percent": number(Decimal::new(i64::from(options.tax_basis_points), 2)),
            "row_weight": number(Decimal::new(5, 1) * Decimal::from(line.quantity)), "weee_tax_applied": "[]",
        }),
    );
    without_nulls(document)
}

/// What the row of a line counts as shipped: one more with each shipment of parts that go apart.
fn row_shipped(order: &Order, line: &Line) -> u64 {
    let with_parts = || order.sent().filter(|one| !shipments::sent_parts(order, one, line).is_empty());
    if Sort::of(line) == Sort::Apart { with_parts().count() as u64 } else { line.shipped }
}

fn part_shipped(order: &Order, line: &Line, part: &Part) -> u64 {
    match Sort::of(line) {
        Sort::Together => line.shipped * part.per_set,
        _ => order.own.parts.get(&part.id).copied().unwrap_or(0),
    }
}

/// What the row of a line counts as given back: that of a bundle as many as all its parts together,
/// as the admin's form of a credit memo adds them up.
pub(super) fn row_refunded(order: &Order, line: &Line) -> u64 {
    match Sort::of(line) {
        Sort::Together | Sort::Apart => parts(line).iter().map(|part| part_refunded(order, line, part)).sum(),
        _ => line.refunded,
    }
}

/// What the row of a part counts as given back.
pub(super) fn part_refunded(order: &Order, line: &Line, part: &Part) -> u64 {
    let alone = order.own.parts_back.values().flatten().filter(|(row, _)| *row == part.id);
    line.refunded * part.per_set + alone.map(|(_, pieces)| pieces).sum::<u64>()
}

/// What all rows count as shipped, those of a bundle and of its parts too, and what those of simple
/// products count as given back.
pub(super) fn rows_done(order: &Order) -> (u64, u64) {
    order.lines.iter().fold((0, 0), |(mut shipped, mut back), line| {
        let parts = parts(line);
        shipped += row_shipped(order, line) + parts.iter().map(|part| part_shipped(order, line, part)).sum::<u64>();
        back += parts.iter().map(|part| part_refunded(order, line, part)).sum::<u64>();
        back += if Sort::of(line) == Sort::Plain("simple") { line.refunded } else { 0 };
        (shipped, back)
    })
}

/// What every row has.
fn common(order: &Order, id: u64, name: &str, sku: &str, created: i64) -> Value {
    json!({
        "item_id": id, "name": name, "sku": sku, "order_id": order.id, "store_id": 1, "quote_item_id": id,
        "created_at": time(created), "updated_at": time(created), "free_shipping": 0, "is_qty_decimal": 0,
        "no_discount": 0, "weight": 0.5, "extension_attributes": { "itemized_taxes": [] },
    })
}

/// The price of one of a part.
fn part_price(line: &Line, part: &Part) -> Decimal {
    cents((line.price * part.share).checked_div(Decimal::from(part.per_set)).unwrap_or_default())
}

/// A row below its parent, which it repeats.
fn child(options: &Options, order: &Order, line: &Line, part: &Part, parent: &Value) -> Value {
    let mut members = Map::new();
    let sets = |pieces: u64| pieces * part.per_set;
    let pieces = (sets(line.quantity), sets(invoiced(order, line)));
    let share = |amount: Decimal| cents(amount * part.share);
    let price = part_price(line, part);
    let back = part_refunded(order, line, part);
    let all = (price * Decimal::from(pieces.0), pieces.1);
    let money = row(options, all, price, share(off(line)), share(tax(options, line.total())));
    let bare = Sort::of(line) == Sort::Configurable;
    let unknown = ["price_incl_tax", "tax_amount", "discount_tax_compensation_amount"];
    let money: Vec<_> = money.into_iter().filter(|(name, _)| !bare || !unknown.contains(name)).collect();
    add(&mut members, order, &money);
    add(&mut members, order, &[("amount_refunded", price * Decimal::from(back))]);
    let mut document = Value::Object(members);
    merge(&mut document, common(order, part.id, &part.name, &part.sku, 0));
    document["created_at"] = parent["created_at"].clone();
    document["updated_at"] = parent["updated_at"].clone();
    merge(
        &mut document,
        json!({
            "product_id": line.variant.max(line.product * 100 + part.id % 10), "product_type": "simple",
            "is_virtual": 0,
            "parent_item_id": line.id, "parent_item": parent, "discount_percent": 0, "qty_ordered": pieces.0,
            "qty_shipped": part_shipped(order, line, part), "qty_invoiced": pieces.1, "qty_refunded": back,
            "qty_canceled": if bare { 0 } else { sets(canceled(order, line)) },
        }),
    );
    document
}

/// A credit memo.
pub(super) fn memo(options: &Options, order: &Order, refund: &Refund) -> Value {
    let pieces =
        |line: &Line| refund.lines.iter().filter(|(id, _, _)| *id == line.id).map(|(_, pieces, _)| pieces).sum();
    let mut back = amounts(options, order, pieces);
    let alone = order.own.parts_back.get(&refund.id).map_or(&[][..], Vec::as_slice);
    let of_parts = |line: &Line| {
        let rows = parts(line).into_iter().filter_map(|part| {
            let (_, pieces) = alone.iter().find(|(row, _)| *row == part.id)?;
            Some((part, *pieces))
        });
        rows.collect::<Vec<_>>()
    };
    for line in &order.lines {
        let money = of_parts(line).into_iter().map(|(part, pieces)| part_price(line, &part) * Decimal::from(pieces));
        let money: Decimal = money.sum();
        back.subtotal += money;
        back.tax += tax(options, money);
    }
    let whole = refund.amount >= total(options, order);
    let (zero, shipping) = (Decimal::ZERO, if whole { order.shipping() } else { Decimal::ZERO });
    let shipping_tax = tax(options, shipping);
    let taxes = back.tax + shipping_tax;
    let adjustment = refund.amount - (back.subtotal - back.discount + taxes + shipping);
    let mut members = Map::new();
    #[rustfmt::skip]
    add(&mut members, order, &[
        ("grand_total", refund.amount), ("subtotal", back.subtotal), ("discount_amount", -back.discount),
        ("subtotal_incl_tax", back.subtotal + back.tax), ("tax_amount", taxes), ("shipping_amount", shipping),
        ("shipping_tax_amount", shipping_tax), ("shipping_incl_tax", shipping + shipping_tax),
        ("adjustment", adjustment), ("discount_tax_compensation_amount", zero),
    ]);
    for (name, amount) in [("adjustment_positive", adjustment), ("adjustment_negative", -adjustment)] {
        if amount > zero {
            add(&mut members, order, &[(name, amount)]);
        }
    }
    let rows = (1..).zip(&refund.lines).filter_map(|(nth, (id, pieces, _))| {
        let line = order.line(*id)?;
        let id = refund.id * 100 + nth * 10;
        Some(match Sort::of(line) {
            Sort::Together | Sort::Apart => {
                let parts = parts(line).into_iter().map(|part| (pieces * part.per_set, part));
                memo_of_bundle(
                    options,
                    order,
                    (refund.id, id),
                    line,
                    parts.map(|(pieces, part)| (part, pieces)).collect(),
                )
            }
            _ => vec![memo_row(options, order, refund.id, id, line, *pieces)],
        })
    });
    let mut items: Vec<Value> = rows.flatten().collect();
    for line in &order.lines {
        let parts = of_parts(line);
        if !parts.is_empty() {
            items.extend(memo_of_bundle(options, order, (refund.id, refund.id * 100), line, parts));
        }
    }
    let mut document = Value::Object(members);
    merge(&mut document, currencies(order));
    merge(
        &mut document,
        json!({
            "entity_id": refund.id, "increment_id": format!("{:09}", refund.id), "order_id": order.id, "state": 2,
            "store_id": 1, "created_at": time(refund.at), "updated_at": time(refund.at), "items": items, "comments": [],
            "billing_address_id": address_id(order, false),
        }),
    );
    document
}

fn memo_row(options: &Options, order: &Order, memo: u64, id: u64, line: &Line, pieces: u64) -> Value {
    let (mut members, all) = (Map::new(), goods(line, pieces));
    let taxes = tax(options, all);
    #[rustfmt::skip]
    add(&mut members, order, &[
        ("price", line.price), ("price_incl_tax", line.price + tax(options, line.price)), ("row_total", all),
        ("row_total_incl_tax", all + taxes), ("tax_amount", taxes), ("discount_tax_compensation_amount", Decimal::ZERO),
    ]);
    let mut document = Value::Object(members);
    merge(
        &mut document,
        json!({
            "entity_id": id, "parent_id": memo, "order_item_id": line.id, "qty": pieces, "name": line.name,
            "sku": line.sku, "product_id": line.product, "base_cost": null, "weee_tax_applied": "[]",
            "weee_tax_applied_row_amount": 0, "weee_tax_row_disposition": 0, "base_weee_tax_row_disposition": 0,
        }),
    );
    document
}

/// The row of a bundle with as many pieces as all its parts together, and no sums; and the rows of
/// these parts.
fn memo_of_bundle(
    options: &Options,
    order: &Order,
    (memo, id): (u64, u64),
    line: &Line,
    parts: Vec<(Part, u64)>,
) -> Vec<Value> {
    let mut row = memo_row(options, order, memo, id, line, parts.iter().map(|(_, pieces)| pieces).sum());
    for sum in ["row_total", "row_total_incl_tax", "tax_amount", "discount_tax_compensation_amount"] {
        row.as_object_mut().into_iter().for_each(|row| {
            row.remove(sum);
            row.remove(&format!("base_{sum}"));
        });
    }
    let below = (1..).zip(parts).map(|(nth, (part, pieces))| {
        let as_line = Line {
            id: part.id,
            price: part_price(line, &part),
            discount: Decimal::ZERO,
            name: part.name,
            sku: part.sku,
            ..line.clone()
        };
        memo_row(options, order, memo, id + nth, &as_line, pieces)
    });
    std::iter::once(row).chain(below).collect()
}

/// An invoice, paid as it was made.
pub(super) fn invoice(order: &Order, (id, at): (u64, i64)) -> Value {
    let pieces: u64 = order.lines.iter().map(|line| invoiced(order, line)).sum();
    let mut document = currencies(order);
    merge(
        &mut document,
        json!({
            "entity_id": id, "increment_id": format!("{id:09}"), "order_id": order.id, "state": 2, "store_id": 1,
            "created_at": time(at), "updated_at": time(at), "total_qty": pieces, "items": [], "comments": [],
            "billing_address_id": address_id(order, false), "can_void_flag": 0,
        }),
    );
    document
}
