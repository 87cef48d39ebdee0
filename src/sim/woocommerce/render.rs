//! An order as the REST API writes it.

use chrono::DateTime;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

use super::options::{Options, Profile};
use super::state::{Charge, Details, Line, Meta, Order, Refund};

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

    fn tax(&self, amount: Decimal, details: &Details) -> Decimal {
        let tax = amount * Decimal::new(i64::from(details.tax_basis_points), 4);
        tax.round_dp_with_strategy(self.options.decimals, RoundingStrategy::MidpointAwayFromZero)
    }

    fn taxes(&self, total: Decimal, subtotal: Option<Decimal>, details: &Details) -> Value {
        if details.tax_basis_points == 0 {
            return json!([]);
        }
        let subtotal = subtotal.map(|amount| self.money(self.tax(amount, details))).unwrap_or_default();
        json!([{"id": 1, "total": self.money(self.tax(total, details)), "subtotal": subtotal}])
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
pub(super) fn sums(style: Style<'_>, details: &Details) -> Sums {
    let mut sums = Sums {
        total: Decimal::ZERO,
        tax: Decimal::ZERO,
        cart_tax: Decimal::ZERO,
        shipping: Decimal::ZERO,
        shipping_tax: Decimal::ZERO,
        discount: Decimal::ZERO,
        discount_tax: Decimal::ZERO,
    };
    for line in &details.lines {
        sums.total += line.total;
        sums.cart_tax += style.tax(line.total, details);
        sums.discount += line.subtotal - line.total;
        sums.discount_tax += style.tax(line.subtotal, details) - style.tax(line.total, details);
    }
    for fee in &details.fee_lines {
        sums.total += fee.total;
        sums.cart_tax += style.tax(fee.total, details);
    }
    for charge in &details.shipping_lines {
        sums.shipping += charge.total;
        sums.shipping_tax += style.tax(charge.total, details);
    }
    sums.tax = sums.cart_tax + sums.shipping_tax;
    sums.total += sums.shipping + sums.tax;
    sums
}

/// The whole order.
pub(super) fn order(style: Style<'_>, order: &Order) -> Value {
    let details = order.details(style.options);
    let sums = sums(style, &details);
    let mut body = Map::new();
    heads(&mut body, style, order, &details);
    money(&mut body, style, &sums);
    people(&mut body, &details);
    dates(&mut body, style, order);
    items(&mut body, style, &details, &sums);
    if style.options.profile != Profile::V5_6 {
        newer(&mut body, style, order, &details);
    }
    body.insert("_links".to_owned(), links(style, order.id, details.customer_id));
    Value::Object(body)
}

fn put(body: &mut Map<String, Value>, fields: Value) {
    if let Value::Object(fields) = fields {
        body.extend(fields);
    }
}

fn heads(body: &mut Map<String, Value>, style: Style<'_>, order: &Order, details: &Details) {
    put(
        body,
        json!({
            "id": order.id, "parent_id": 0, "status": order.status, "number": details.number,
            "currency": details.currency, "currency_symbol": currency_symbol(&details.currency),
            "version": style.options.profile.version(), "prices_include_tax": false,
            "order_key": details.order_key, "cart_hash": "", "created_via": details.created_via,
            "customer_id": details.customer_id, "customer_note": details.customer_note,
            "customer_ip_address": "203.0.113.7", "customer_user_agent": "Simulated",
            "payment_method": details.payment_method, "transaction_id": details.transaction_id,
            "payment_method_title": payment_title(&details.payment_method),
            "meta_data": details.meta.iter().map(order_meta).collect::<Vec<_>>(),
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

fn people(body: &mut Map<String, Value>, details: &Details) {
    body.insert("billing".to_owned(), details.billing.json(true));
    body.insert("shipping".to_owned(), details.shipping.json(false));
}

fn dates(body: &mut Map<String, Value>, style: Style<'_>, order: &Order) {
    let dates = [
        ("date_created", Some(order.created)),
        ("date_modified", Some(order.modified)),
        ("date_paid", order.paid),
        ("date_completed", order.completed),
    ];
    for (name, at) in dates {
        body.insert(name.to_owned(), json!(at.map(|at| style.local(at))));
        body.insert(format!("{name}_gmt"), json!(at.map(gmt)));
    }
}

fn items(body: &mut Map<String, Value>, style: Style<'_>, details: &Details, sums: &Sums) {
    let lines: Vec<_> = details.lines.iter().map(|line| self::line(style, details, line)).collect();
    let shipping: Vec<_> = details.shipping_lines.iter().map(|charge| shipping(style, details, charge)).collect();
    let fees: Vec<_> = details.fee_lines.iter().map(|charge| fee(style, details, charge)).collect();
    let refunds = details
        .refunds
        .iter()
        .map(|refund| json!({"id": refund.id, "reason": refund.reason, "total": style.money(-refund.amount)}));
    let refunds: Vec<_> = refunds.collect();
    put(
        body,
        json!({
            "line_items": lines, "shipping_lines": shipping, "fee_lines": fees, "refunds": refunds,
            "tax_lines": tax_lines(style, details, sums), "coupon_lines": coupons(style, details, sums),
        }),
    );
}

fn newer(body: &mut Map<String, Value>, style: Style<'_>, order: &Order, details: &Details) {
    let url = format!(
        "{}/checkout/order-pay/{}/?pay_for_order=true&key={}",
        style.home.replacen("http://", "https://", 1),
        order.id,
        details.order_key
    );
    put(
        body,
        json!({
            "payment_url": url, "is_editable": matches!(&*order.status, "pending" | "on-hold" | "auto-draft"),
            "needs_payment": matches!(&*order.status, "pending" | "failed") && !details.lines.is_empty(),
            "needs_processing": details.lines.iter().any(|line| !line.is_virtual),
        }),
    );
}

fn order_meta(meta: &Meta) -> Value {
    json!({"id": meta.id, "key": meta.key, "value": meta.value})
}

fn line_meta(meta: &Meta) -> Value {
    json!({
        "id": meta.id, "key": meta.key, "value": meta.value, "display_key": meta.label,
        "display_value": meta.value,
    })
}

/// PHP writes a whole float without a fraction.
fn php_float(amount: Decimal) -> Value {
    match amount.to_i64().filter(|_| amount.fract().is_zero()) {
        Some(whole) => json!(whole),
        None => json!(amount.to_f64()),
    }
}

/// The price per piece as PHP computes it: a float division, nothing rounded.
fn price(total: Decimal, quantity: u32) -> Value {
    let exact = total.checked_div(Decimal::from(quantity)).unwrap_or_default();
    if exact.fract().is_zero() {
        return php_float(exact);
    }
    json!(total.to_f64().unwrap_or_default() / f64::from(quantity))
}

fn line(style: Style<'_>, details: &Details, line: &Line) -> Value {
    let image = if line.image == 0 { json!("") } else { json!(line.image.to_string()) };
    let src =
        if line.image == 0 { String::new() } else { format!("{}/wp-content/uploads/{}.jpg", style.home, line.image) };
    let mut body = json!({
        "id": line.id, "name": line.name, "product_id": line.product_id, "variation_id": line.variation_id,
        "quantity": line.quantity, "tax_class": "", "subtotal": style.money(line.subtotal),
        "subtotal_tax": style.money(style.tax(line.subtotal, details)), "total": style.money(line.total),
        "total_tax": style.money(style.tax(line.total, details)),
        "taxes": style.taxes(line.total, Some(line.subtotal), details),
        "meta_data": line.meta.iter().map(line_meta).collect::<Vec<_>>(), "sku": line.sku,
        "price": price(line.total, line.quantity), "parent_name": line.parent_name,
    });
    if style.options.profile != Profile::V5_6 {
        body["global_unique_id"] = json!(line.gtin);
        body["image"] = match line.variation_id {
            0 if line.sku.is_some() => json!({"id": image, "src": src}),
            _ => json!({"id": 0, "src": ""}),
        };
    }
    body
}

/// How the order gets to its buyer.
fn method(details: &Details) -> &str {
    let set = details.meta.iter().find(|meta| meta.key == "_sim_shipping_method");
    set.and_then(|meta| meta.value.as_str()).unwrap_or("flat_rate")
}

fn shipping(style: Style<'_>, details: &Details, charge: &Charge) -> Value {
    let mut body = json!({
        "id": charge.id, "method_title": charge.title, "method_id": method(details), "instance_id": "3",
        "total": style.money(charge.total), "total_tax": style.money(style.tax(charge.total, details)),
        "taxes": style.taxes(charge.total, None, details), "meta_data": [],
    });
    if style.options.profile != Profile::V5_6 {
        body["tax_status"] = json!("taxable");
    }
    body
}

fn fee(style: Style<'_>, details: &Details, charge: &Charge) -> Value {
    json!({
        "id": charge.id, "name": charge.title, "tax_class": "", "tax_status": "taxable",
        "amount": style.money(charge.total), "total": style.money(charge.total),
        "total_tax": style.money(style.tax(charge.total, details)),
        "taxes": style.taxes(charge.total, None, details), "meta_data": [],
    })
}

fn tax_lines(style: Style<'_>, details: &Details, sums: &Sums) -> Value {
    if details.tax_basis_points == 0 {
        return json!([]);
    }
    let percent = Decimal::new(i64::from(details.tax_basis_points), 2).normalize();
    json!([{
        "id": 900_000 + details.last_item, "rate_code": format!("DE-MWST {percent}%-1"), "rate_id": 1,
        "label": format!("MwSt {percent}%"), "compound": false, "tax_total": style.money(sums.cart_tax),
        "shipping_tax_total": style.money(sums.shipping_tax), "rate_percent": php_float(percent), "meta_data": [],
    }])
}

fn coupons(style: Style<'_>, details: &Details, sums: &Sums) -> Value {
    let Some(code) = &details.coupon else { return json!([]) };
    let info = format!("[28,\"{code}\",\"percent\",10]");
    let mut body = json!({
        "id": 800_000 + details.last_item, "code": code, "discount": sums.discount.normalize().to_string(),
        "discount_tax": sums.discount_tax.normalize().to_string(),
        "meta_data": [{"id": 700_000 + details.last_meta, "key": "coupon_info", "value": info,
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
pub(super) fn refund(style: Style<'_>, owner: u64, details: &Details, refund: &Refund, name_parent: bool) -> Value {
    let lines: Vec<_> = refund
        .lines
        .iter()
        .enumerate()
        .filter_map(|(at, part)| refund_line(style, details, refund, at, part))
        .collect();
    let kind = if refund.lines.is_empty() { "full" } else { "partial" };
    let base = format!("{}wc/v3/orders/{owner}", style.root);
    let mut body = json!({
        "id": refund.id, "date_created": style.local(refund.created), "date_created_gmt": gmt(refund.created),
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
        body["parent_id"] = json!(owner);
    }
    body
}

fn refund_line(
    style: Style<'_>,
    details: &Details,
    refund: &Refund,
    at: usize,
    (item, pieces, amount): &(u64, u32, Decimal),
) -> Option<Value> {
    let line = details.lines.iter().find(|line| line.id == *item)?;
    let id = refund.id * 1_000 + at as u64;
    let mut body = self::line(style, details, &Line { meta: Vec::new(), ..line.clone() });
    let text = item.to_string();
    put_into(
        &mut body,
        json!({
            "id": id, "quantity": -i64::from(*pieces), "subtotal": style.money(-amount),
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
