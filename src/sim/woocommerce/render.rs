//! An order as the REST API writes it.

use chrono::DateTime;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

use super::options::{Options, Profile};
use super::vendor::Meta;
use super::{Entry, Fee, Line, Order, Refund};
use crate::sim::world::Address;

/// How things are written: the shop's settings and the wish of the request.
#[derive(Clone, Copy)]
pub(super) struct Style<'a> {
    pub(super) options: &'a Options,
    /// Decimals.
    pub(super) dp: u32,
    /// The REST root, with a slash at the end.
    pub(super) root: &'a str,
    /// The site's address.
    pub(super) home: &'a str,
}

/// A UTC time as the API writes it: without zone.
pub(super) fn gmt(at: i64) -> String {
    DateTime::from_timestamp(at, 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S").to_string()
}

impl Style<'_> {
    /// A time on the site's clock.
    pub(super) fn local(&self, at: i64) -> String {
        gmt(at + i64::from(self.options.offset_minutes) * 60)
    }

    fn money(&self, amount: Decimal) -> String {
        let dp = self.dp as usize;
        let rounded = amount.round_dp_with_strategy(self.dp, RoundingStrategy::MidpointAwayFromZero);
        format!("{rounded:.dp$}")
    }

    fn tax(&self, amount: Decimal, order: &Order) -> Decimal {
        let tax = amount * Decimal::new(i64::from(order.own.tax_basis_points), 4);
        tax.round_dp_with_strategy(self.options.decimals, RoundingStrategy::MidpointAwayFromZero)
    }

    fn taxes(&self, total: Decimal, subtotal: Option<Decimal>, order: &Order) -> Value {
        if order.own.tax_basis_points == 0 {
            return json!([]);
        }
        let subtotal = subtotal.map(|amount| self.money(self.tax(amount, order))).unwrap_or_default();
        json!([{"id": 1, "total": self.money(self.tax(total, order)), "subtotal": subtotal}])
    }
}

/// The sums of an order.
pub(super) struct Sums {
    pub(super) total: Decimal,
    tax: Decimal,
    cart_tax: Decimal,
    shipping: Decimal,
    shipping_tax: Decimal,
    discount: Decimal,
    discount_tax: Decimal,
}

/// Adds an order up as the shop does: tax is rounded per line.
pub(super) fn sums(style: Style<'_>, order: &Order) -> Sums {
    let mut sums = Sums {
        total: Decimal::ZERO,
        tax: Decimal::ZERO,
        cart_tax: Decimal::ZERO,
        shipping: Decimal::ZERO,
        shipping_tax: Decimal::ZERO,
        discount: Decimal::ZERO,
        discount_tax: Decimal::ZERO,
    };
    for line in &order.lines {
        sums.total += line.total();
        sums.cart_tax += style.tax(line.total(), order);
        sums.discount += line.discount;
        sums.discount_tax += style.tax(line.subtotal(), order) - style.tax(line.total(), order);
    }
    for fee in &order.fees {
        sums.total += fee.cost;
        sums.cart_tax += style.tax(fee.cost, order);
    }
    for charge in charges(order) {
        sums.shipping += charge.cost;
        sums.shipping_tax += style.tax(charge.cost, order);
    }
    sums.tax = sums.cart_tax + sums.shipping_tax;
    sums.total += sums.shipping + sums.tax;
    sums
}

/// The whole order.
pub(super) fn order(style: Style<'_>, entry: &Entry) -> Value {
    let order = entry.order(style.options);
    let sums = sums(style, &order);
    let mut body = Map::new();
    heads(&mut body, style, entry, &order);
    money(&mut body, style, &sums);
    people(&mut body, &order);
    dates(&mut body, style, entry, &order);
    items(&mut body, style, &order, &sums);
    if style.options.profile != Profile::V5_6 {
        newer(&mut body, style, entry, &order);
    }
    body.insert("_links".to_owned(), links(style, entry.id, order.customer));
    Value::Object(body)
}

fn put(body: &mut Map<String, Value>, fields: Value) {
    if let Value::Object(fields) = fields {
        body.extend(fields);
    }
}

fn heads(body: &mut Map<String, Value>, style: Style<'_>, entry: &Entry, order: &Order) {
    put(
        body,
        json!({
            "id": entry.id, "parent_id": 0, "status": entry.status, "number": order.own.number,
            "currency": order.currency, "currency_symbol": currency_symbol(&order.currency),
            "version": style.options.profile.version(), "prices_include_tax": false,
            "order_key": order.own.order_key, "cart_hash": "", "created_via": order.source,
            "customer_id": order.customer, "customer_note": order.note,
            "customer_ip_address": "203.0.113.7", "customer_user_agent": "Simulated",
            "payment_method": order.payment, "transaction_id": order.own.transaction_id,
            "payment_method_title": payment_title(&order.payment),
            "meta_data": order.own.meta.iter().map(order_meta).collect::<Vec<_>>(),
        }),
    );
}

fn payment_title(slug: &str) -> String {
    if slug.is_empty() { String::new() } else { format!("Payment {slug}") }
}

fn currency_symbol(code: &str) -> &str {
    match code {
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        "JPY" => "¥",
        other => other,
    }
}

fn money(body: &mut Map<String, Value>, style: Style<'_>, sums: &Sums) {
    put(
        body,
        json!({
            "total": style.money(sums.total), "total_tax": style.money(sums.tax),
            "cart_tax": style.money(sums.cart_tax), "shipping_total": style.money(sums.shipping),
            "shipping_tax": style.money(sums.shipping_tax), "discount_total": style.money(sums.discount),
            "discount_tax": style.money(sums.discount_tax),
        }),
    );
}

fn people(body: &mut Map<String, Value>, order: &Order) {
    body.insert("billing".to_owned(), address(&order.billing, true));
    let none = Address::default();
    let delivery = order.places.first().map_or(&none, |place| &place.address);
    body.insert("shipping".to_owned(), address(delivery, false));
}

fn dates(body: &mut Map<String, Value>, style: Style<'_>, entry: &Entry, order: &Order) {
    let dates = [
        ("date_created", Some(entry.created)),
        ("date_modified", Some(entry.modified)),
        ("date_paid", order.paid),
        ("date_completed", order.own.completed),
    ];
    for (name, at) in dates {
        body.insert(name.to_owned(), json!(at.map(|at| style.local(at))));
        body.insert(format!("{name}_gmt"), json!(at.map(gmt)));
    }
}

fn items(body: &mut Map<String, Value>, style: Style<'_>, order: &Order, sums: &Sums) {
    let lines: Vec<_> = order.lines.iter().map(|line| self::line(style, order, line)).collect();
    let shipping: Vec<_> = charges(order).iter().map(|charge| shipping(style, order, charge)).collect();
    let fees: Vec<_> = order.fees.iter().map(|charge| fee(style, order, charge)).collect();
    let refunds = order
        .refunds
        .iter()
        .rev()
        .map(|refund| json!({"id": refund.id, "reason": refund.reason, "total": style.money(-refund.amount)}));
    let refunds: Vec<_> = refunds.collect();
    put(
        body,
        json!({
            "line_items": lines, "shipping_lines": shipping, "fee_lines": fees, "refunds": refunds,
            "tax_lines": tax_lines(style, order, sums), "coupon_lines": coupons(style, order, sums),
        }),
    );
}

fn newer(body: &mut Map<String, Value>, style: Style<'_>, entry: &Entry, order: &Order) {
    let url = format!(
        "{}/checkout/order-pay/{}/?pay_for_order=true&key={}",
        style.home.replacen("http://", "https://", 1),
        entry.id,
        order.own.order_key
    );
    put(
        body,
        json!({
            "payment_url": url, "is_editable": matches!(&*entry.status, "pending" | "on-hold" | "auto-draft"),
            "needs_payment": matches!(&*entry.status, "pending" | "failed") && !order.lines.is_empty(),
            "needs_processing": order.lines.iter().any(|line| line.ships()),
        }),
    );
}

/// An address as order JSON has it: billing with `email`, shipping without.
fn address(a: &Address, billing: bool) -> Value {
    let mut body = json!({
        "first_name": a.first_name, "last_name": a.last_name, "company": a.company, "address_1": a.street_1,
        "address_2": a.street_2, "city": a.city, "state": a.state, "postcode": a.postcode, "country": a.country,
        "phone": a.phone,
    });
    if billing {
        body["email"] = json!(a.email);
    }
    body
}

/// The shipping lines: those of its addresses, then those that were added.
fn charges(order: &Order) -> Vec<Fee> {
    let known = order.places.iter().filter(|place| place.id > 0);
    let known = known.map(|place| Fee { id: place.id, name: place.method.clone(), cost: place.cost });
    known.chain(order.own.charges.iter().cloned()).collect()
}

fn order_meta(meta: &Meta) -> Value {
    json!({"id": meta.id, "key": meta.key, "value": meta.value})
}

fn line_meta(id: u64, key: &str, label: &str, value: &str) -> Value {
    json!({
        "id": id, "key": key, "value": value, "display_key": label, "display_value": value,
    })
}

/// Choices, and what the shop notes of its stock.
fn line_metas(line: &Line) -> Vec<Value> {
    let choices = line.choices.iter().map(|(key, label, value)| (key.as_str(), label.as_str(), value.clone()));
    let stock = line.ships().then(|| ("_reduced_stock", "_reduced_stock", line.quantity.to_string()));
    let numbered = (line.id * 10..).zip(choices.chain(stock));
    numbered.map(|(id, (key, label, value))| line_meta(id, key, label, &value)).collect()
}

/// PHP writes a whole float without a fraction.
fn php_float(amount: Decimal) -> Value {
    match amount.to_i64().filter(|_| amount.fract().is_zero()) {
        Some(whole) => json!(whole),
        None => json!(amount.to_f64()),
    }
}

/// The price per piece as PHP computes it: a float division, nothing rounded.
fn price(total: Decimal, quantity: u64) -> Value {
    let exact = total.checked_div(Decimal::from(quantity)).unwrap_or_default();
    if exact.fract().is_zero() {
        return php_float(exact);
    }
    json!(total.to_f64().unwrap_or_default() / f64::from(u32::try_from(quantity).unwrap_or(u32::MAX)))
}

fn line(style: Style<'_>, order: &Order, line: &Line) -> Value {
    let image = if line.image == 0 { json!("") } else { json!(line.image.to_string()) };
    let src =
        if line.image == 0 { String::new() } else { format!("{}/wp-content/uploads/{}.jpg", style.home, line.image) };
    let (product, variant) = if line.gone { (0, 0) } else { (line.product, line.variant) };
    let known = |text: &str| (!line.gone).then(|| text.to_owned());
    let (subtotal, total) = (line.subtotal(), line.total());
    let mut body = json!({
        "id": line.id, "name": line.name, "product_id": product, "variation_id": variant,
        "quantity": line.quantity, "tax_class": "", "subtotal": style.money(subtotal),
        "subtotal_tax": style.money(style.tax(subtotal, order)), "total": style.money(total),
        "total_tax": style.money(style.tax(total, order)),
        "taxes": style.taxes(total, Some(subtotal), order),
        "meta_data": line_metas(line), "sku": known(&line.sku),
        "price": price(total, line.quantity),
        "parent_name": known(&line.parent).filter(|name| !name.is_empty()),
    });
    if style.options.profile != Profile::V5_6 {
        body["global_unique_id"] = json!(known(&line.gtin));
        body["image"] = match variant {
            0 if !line.gone => json!({"id": image, "src": src}),
            _ => json!({"id": 0, "src": ""}),
        };
    }
    body
}

/// How the order gets to its buyer.
fn method(order: &Order) -> &'static str {
    if order.delivery.is_empty() { "flat_rate" } else { "local_pickup" }
}

fn shipping(style: Style<'_>, order: &Order, charge: &Fee) -> Value {
    let mut body = json!({
        "id": charge.id, "method_title": charge.name, "method_id": method(order), "instance_id": "3",
        "total": style.money(charge.cost), "total_tax": style.money(style.tax(charge.cost, order)),
        "taxes": style.taxes(charge.cost, None, order), "meta_data": [],
    });
    if style.options.profile != Profile::V5_6 {
        body["tax_status"] = json!("taxable");
    }
    body
}

fn fee(style: Style<'_>, order: &Order, charge: &Fee) -> Value {
    json!({
        "id": charge.id, "name": charge.name, "tax_class": "", "tax_status": "taxable",
        "amount": style.money(charge.cost), "total": style.money(charge.cost),
        "total_tax": style.money(style.tax(charge.cost, order)),
        "taxes": style.taxes(charge.cost, None, order), "meta_data": [],
    })
}

fn tax_lines(style: Style<'_>, order: &Order, sums: &Sums) -> Value {
    if order.own.tax_basis_points == 0 {
        return json!([]);
    }
    let percent = Decimal::new(i64::from(order.own.tax_basis_points), 2).normalize();
    json!([{
        "id": 900_000 + order.last_part, "rate_code": format!("DE-MWST {percent}%-1"), "rate_id": 1,
        "label": format!("MwSt {percent}%"), "compound": false, "tax_total": style.money(sums.cart_tax),
        "shipping_tax_total": style.money(sums.shipping_tax), "rate_percent": php_float(percent), "meta_data": [],
    }])
}

fn coupons(style: Style<'_>, order: &Order, sums: &Sums) -> Value {
    let Some(code) = &order.coupon else { return json!([]) };
    let info = format!("[28,\"{code}\",\"percent\",10]");
    let mut body = json!({
        "id": 800_000 + order.last_part, "code": code, "discount": sums.discount.normalize().to_string(),
        "discount_tax": sums.discount_tax.normalize().to_string(),
        "meta_data": [{"id": 700_000 + order.last_part, "key": "coupon_info", "value": info,
            "display_key": "coupon_info", "display_value": info}],
    });
    if style.options.profile != Profile::V5_6 {
        put_into(&mut body, json!({"discount_type": "percent", "nominal_amount": 10, "free_shipping": false}));
    }
    body = json!([body]);
    body
}

fn put_into(body: &mut Value, fields: Value) {
    if let Value::Object(body) = body {
        put(body, fields);
    }
}

fn links(style: Style<'_>, id: u64, customer: u64) -> Value {
    let orders = format!("{}wc/v3/orders", style.root);
    let mut links = json!({
        "self": [{"href": format!("{orders}/{id}"),
            "targetHints": {"allow": ["GET", "POST", "PUT", "PATCH", "DELETE"]}}],
        "collection": [{"href": orders}],
    });
    if style.options.profile != Profile::V5_6 {
        let href = format!("{orders}/{id}/actions/email_templates");
        links["email_templates"] = json!([{"embeddable": true, "href": href}]);
    }
    if customer > 0 {
        links["customer"] = json!([{"href": format!("{}wc/v3/customers/{customer}", style.root)}]);
    }
    links
}

/// A refund; `parent` is named only in the list of all refunds.
pub(super) fn refund(style: Style<'_>, order: &Order, refund: &Refund, name_parent: bool) -> Value {
    let lines: Vec<_> =
        refund.lines.iter().enumerate().filter_map(|(at, part)| refund_line(style, order, refund, at, part)).collect();
    let kind = if refund.lines.is_empty() { "full" } else { "partial" };
    let base = format!("{}wc/v3/orders/{}", style.root, order.id);
    let mut body = json!({
        "id": refund.id, "date_created": style.local(refund.at), "date_created_gmt": gmt(refund.at),
        "amount": style.money(refund.amount), "reason": refund.reason, "refunded_by": 1, "refunded_payment": false,
        "meta_data": [{"id": refund.id * 10_000, "key": "_refund_type", "value": kind}],
        "line_items": lines, "shipping_lines": [], "tax_lines": [], "fee_lines": [],
        "_links": {
            "self": [{"href": format!("{base}/refunds/{}", refund.id), "targetHints": {"allow": ["GET", "DELETE"]}}],
            "collection": [{"href": format!("{base}/refunds")}],
            "up": [{"href": base}],
        },
    });
    if name_parent {
        body["parent_id"] = json!(order.id);
    }
    body
}

fn refund_line(
    style: Style<'_>,
    order: &Order,
    refund: &Refund,
    at: usize,
    (item, pieces, amount): &(u64, u64, Decimal),
) -> Option<Value> {
    let line = order.lines.iter().find(|line| line.id == *item)?;
    let id = refund.id * 1_000 + at as u64;
    let mut body = self::line(style, order, line);
    let text = item.to_string();
    put_into(
        &mut body,
        json!({
            "id": id, "quantity": -i128::from(*pieces), "subtotal": style.money(-amount),
            "total": style.money(-amount), "subtotal_tax": style.money(Decimal::ZERO),
            "total_tax": style.money(Decimal::ZERO), "taxes": [], "price": price(*amount, *pieces),
            "meta_data": [{"id": id, "key": "_refunded_item_id", "value": text,
                "display_key": "_refunded_item_id", "display_value": text}],
        }),
    );
    Some(body)
}

/// Keeps only the wished fields (`a,b.c`), as `_fields` does.
pub(super) fn only_fields(body: Value, fields: Option<&str>) -> Value {
    let Some(fields) = fields.filter(|fields| !fields.trim().is_empty()) else { return body };
    let wished: Vec<Vec<&str>> = fields.split(',').map(|field| field.trim().split('.').collect()).collect();
    match body {
        Value::Array(rows) => rows.into_iter().map(|row| keep(row, &wished)).collect(),
        one => keep(one, &wished),
    }
}

fn keep(body: Value, wished: &[Vec<&str>]) -> Value {
    let Value::Object(fields) = body else { return body };
    let kept = fields.into_iter().filter_map(|(key, value)| {
        let deeper: Vec<Vec<&str>> =
            wished.iter().filter(|path| path.first() == Some(&key.as_str())).map(|path| path[1..].to_vec()).collect();
        if deeper.is_empty() {
            return None;
        }
        let whole = deeper.iter().any(Vec::is_empty);
        Some((key, if whole { value } else { keep(value, &deeper) }))
    });
    Value::Object(kept.collect())
}
