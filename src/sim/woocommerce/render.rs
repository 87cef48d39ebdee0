//! An order as the REST API writes it.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::options::{Options, Profile};
use super::{Call, Context, Entry, Fee, Line, Order, Refund, vendor};
use crate::sim::forms::{address, merge, money, php_float, stamp};
use crate::sim::world::{Address, Dice, Meta, Sums};

/// How things are written: the shop's settings and the wish of the request.
pub(super) struct Style<'a> {
    pub(super) options: &'a Options,
    /// Decimals.
    pub(super) dp: u32,
    /// The REST root, with a slash at the end.
    pub(super) root: String,
    /// The site's address.
    home: String,
}

impl<'a> Style<'a> {
    /// As the shop's settings have it.
    pub(super) fn of(context: &Context<'a>) -> Self {
        let (options, root, home) = (context.options, context.root(), context.home());
        Self { options, dp: options.decimals, root, home }
    }
}

impl<'w> Call<'_, 'w> {
    /// As the request wishes it.
    pub(super) fn style(&self) -> Style<'w> {
        let style = Style::of(self);
        let wished = self.number("dp").and_then(|dp| u32::try_from(dp).ok()).filter(|dp| *dp <= 10);
        Style { dp: wished.unwrap_or(style.dp), ..style }
    }
}

/// A UTC time as the API writes it: without zone.
pub(super) fn gmt(at: i64) -> String {
    stamp(at, "%Y-%m-%dT%H:%M:%S")
}

impl Style<'_> {
    /// A time on the site's clock.
    pub(super) fn local(&self, at: i64) -> String {
        gmt(at + i64::from(self.options.offset_minutes) * 60)
    }

    /// The links of what hangs on an order.
    pub(super) fn links(&self, base: &str, kind: &str, id: u64) -> Value {
        json!({
            "self": [{"href": format!("{base}/{kind}/{id}"), "targetHints": {"allow": ["GET", "DELETE"]}}],
            "collection": [{"href": format!("{base}/{kind}")}], "up": [{"href": base}],
        })
    }

    fn is_new(&self) -> bool {
        self.options.profile != Profile::V5_6
    }

    fn money(&self, amount: Decimal) -> String {
        money(amount, self.dp)
    }

    pub(super) fn tax(&self, amount: Decimal) -> Decimal {
        let tax = amount * Decimal::new(i64::from(self.options.tax_basis_points), 4);
        tax.round_dp_with_strategy(self.options.decimals, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
    }

    /// `total`, its tax, and the list of taxes.
    fn charged(&self, total: Decimal, subtotal: Option<Decimal>) -> Value {
        let tax = |amount| self.money(self.tax(amount));
        let taxes = match self.options.tax_basis_points {
            0 => json!([]),
            _ => json!([{"id": 1, "total": tax(total), "subtotal": subtotal.map(tax).unwrap_or_default()}]),
        };
        json!({"total": self.money(total), "total_tax": tax(total), "taxes": taxes})
    }
}

/// The whole order.
pub(super) fn order(style: &Style<'_>, entry: &Entry) -> Value {
    let order = &*entry.order(style.options);
    let sums = order.sums(|amount| style.tax(amount));
    let mut body = head(style, entry, order);
    let dates = [
        ("date_created", Some(entry.created)),
        ("date_modified", Some(entry.modified)),
        ("date_paid", order.paid),
        ("date_completed", order.own.completed),
    ];
    for (name, at) in dates {
        body[name] = json!(at.map(|at| style.local(at)));
        body[format!("{name}_gmt")] = json!(at.map(gmt));
    }
    merge(&mut body, items(style, order, &sums));
    if style.is_new() {
        let newer = newer(style, entry, order, &body["order_key"]);
        merge(&mut body, newer);
    }
    body
}

fn head(style: &Style<'_>, entry: &Entry, order: &Order) -> Value {
    let title = if order.payment.is_empty() { String::new() } else { format!("Payment {}", order.payment) };
    let none = Address::default();
    // An order that goes to several addresses has none of its own.
    let place = order.places.first().filter(|_| order.meta(SCATTERED).is_none());
    let mut delivery = address(place.map_or(&none, |place| &place.address), &ADDRESS);
    delivery.as_object_mut().into_iter().for_each(|parts| drop(parts.remove("email")));
    let meta = |meta: &Meta| json!({"id": meta_id(order, meta), "key": meta.key, "value": meta.value});
    let key = Dice::new(style.options.seed, order.id ^ 0x006B_6579).letters(13);
    json!({
        "id": entry.id, "parent_id": order.own.parent, "status": entry.status, "number": vendor::number(style.options, order.id),
        "currency": order.currency, "currency_symbol": currency_symbol(&order.currency),
        "version": style.options.profile.version(), "prices_include_tax": false, "order_key": format!("wc_order_{key}"),
        "cart_hash": "", "created_via": order.source, "customer_id": order.customer, "customer_note": order.note,
        "customer_ip_address": "203.0.113.7", "customer_user_agent": "Simulated", "payment_method": order.payment,
        "transaction_id": order.own.transaction_id, "payment_method_title": title,
        "meta_data": order.meta.iter().map(meta).collect::<Value>(), "billing": address(&order.billing, &ADDRESS),
        "shipping": delivery, "_links": links(style, entry.id, order.customer),
    })
}

/// A row's id in the whole shop.
pub(super) fn meta_id(order: &Order, meta: &Meta) -> u64 {
    order.id * 10_000 + meta.id
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

fn items(style: &Style<'_>, order: &Order, sums: &Sums) -> Value {
    let refund =
        |refund: &Refund| json!({"id": refund.id, "reason": refund.reason, "total": style.money(-refund.amount)});
    json!({
        "total": style.money(sums.total), "total_tax": style.money(sums.tax),
        "cart_tax": style.money(sums.goods_tax), "shipping_total": style.money(sums.shipping),
        "shipping_tax": style.money(sums.shipping_tax), "discount_total": style.money(sums.discount),
        "discount_tax": style.money(sums.discount_tax),
        "line_items": order.lines.iter().map(|one| line(style, one)).collect::<Value>(),
        "shipping_lines": charges(order).iter().map(|charge| shipping(style, order, charge)).collect::<Value>(),
        "fee_lines": order.fees.iter().map(|charge| fee(style, charge)).collect::<Value>(),
        "refunds": order.refunds.iter().rev().filter(|_| !style.options.hides_refunds).map(refund).collect::<Value>(),
        "tax_lines": tax_lines(style, order, sums), "coupon_lines": coupons(style, order, sums),
    })
}

fn newer(style: &Style<'_>, entry: &Entry, order: &Order, key: &Value) -> Value {
    let options = style.options;
    let (home, id) = (style.home.replacen("http://", "https://", 1), entry.id);
    let key = key.as_str().unwrap_or_default();
    json!({
        "payment_url": format!("{home}/checkout/order-pay/{id}/?pay_for_order=true&key={key}"),
        "is_editable": matches!(&*entry.status, "pending" | "on-hold" | "auto-draft"),
        "needs_payment": matches!(&*entry.status, "pending" | "failed") && !order.lines.is_empty(),
        // What is virtual and not to be downloaded is processed too.
        "needs_processing": order.lines.iter().any(|line| line.ships() || !options.downloadable.contains(&line.sku)),
    })
}

/// Where Shipping Multiple Addresses says that the pieces go to several.
pub(super) const SCATTERED: &str = "_multiple_shipping";

/// The names of an address's parts. Only the billing address shows its e-mail.
#[rustfmt::skip]
pub(super) const ADDRESS: [&str; 11] = [
    "first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country", "phone",
    "email",
];

/// The shipping lines: those of its addresses, then those that were added.
fn charges(order: &Order) -> Vec<Fee> {
    let known = order.places.iter().filter(|place| place.id > 0);
    let known = known.map(|place| Fee { id: place.id, name: place.method.clone(), cost: place.cost });
    known.chain(order.charges.iter().cloned()).collect()
}

fn line_meta(id: u64, key: &str, label: &str, value: &str) -> Value {
    json!({"id": id, "key": key, "value": value, "display_key": label, "display_value": value})
}

/// Choices, and what the shop notes of its stock.
fn line_metas(line: &Line) -> Value {
    let choices = line.choices.iter().map(|(key, label, value)| (key.as_str(), label.as_str(), value.clone()));
    let stock = line.ships().then(|| ("_reduced_stock", "_reduced_stock", line.quantity.to_string()));
    let numbered = (line.id * 10..).zip(choices.chain(stock));
    numbered.map(|(id, (key, label, value))| line_meta(id, key, label, &value)).collect()
}

/// The price per piece as PHP computes it: a float division, nothing rounded.
fn price(total: Decimal, quantity: u64) -> Value {
    let exact = total.checked_div(Decimal::from(quantity)).unwrap_or_default();
    if exact.fract().is_zero() {
        return php_float(exact);
    }
    json!(total.to_f64().unwrap_or_default() / f64::from(u32::try_from(quantity).unwrap_or(u32::MAX)))
}

fn line(style: &Style<'_>, line: &Line) -> Value {
    let (product, variant) = if line.gone { (0, 0) } else { (line.product, line.variant) };
    let known = |text: &str| (!line.gone).then(|| text.to_owned());
    let subtotal = line.subtotal();
    let mut body = json!({
        "id": line.id, "name": line.name, "product_id": product, "variation_id": variant, "quantity": line.quantity,
        "tax_class": "", "subtotal": style.money(subtotal),
        "subtotal_tax": style.money(style.tax(subtotal)), "meta_data": line_metas(line),
        "sku": known(&line.sku), "price": price(line.total(), line.quantity),
        "parent_name": known(&line.parent).filter(|name| !name.is_empty()),
    });
    merge(&mut body, style.charged(line.total(), Some(subtotal)));
    if style.is_new() {
        body["global_unique_id"] = json!(known(&line.gtin));
        let src = format!("{}/wp-content/uploads/{}.jpg", style.home, line.image);
        body["image"] = match (variant, line.image) {
            (0, 0) if !line.gone => json!({"id": "", "src": ""}),
            (0, image) if !line.gone => json!({"id": image.to_string(), "src": src}),
            _ => json!({"id": 0, "src": ""}),
        };
    }
    body
}

fn shipping(style: &Style<'_>, order: &Order, charge: &Fee) -> Value {
    let method = if order.delivery.is_empty() { "flat_rate" } else { "local_pickup" };
    let mut body = json!({"id": charge.id, "method_title": charge.name, "method_id": method, "instance_id": "3",
        "meta_data": []});
    merge(&mut body, style.charged(charge.cost, None));
    if style.is_new() {
        body["tax_status"] = json!("taxable");
    }
    body
}

fn fee(style: &Style<'_>, charge: &Fee) -> Value {
    let mut body = json!({"id": charge.id, "name": charge.name, "tax_class": "", "tax_status": "taxable",
        "amount": style.money(charge.cost), "meta_data": []});
    merge(&mut body, style.charged(charge.cost, None));
    body
}

fn tax_lines(style: &Style<'_>, order: &Order, sums: &Sums) -> Value {
    if style.options.tax_basis_points == 0 {
        return json!([]);
    }
    let percent = Decimal::new(i64::from(style.options.tax_basis_points), 2).normalize();
    json!([{
        "id": 900_000 + order.last_part, "rate_code": format!("DE-MWST {percent}%-1"), "rate_id": 1,
        "label": format!("MwSt {percent}%"), "compound": false, "tax_total": style.money(sums.goods_tax),
        "shipping_tax_total": style.money(sums.shipping_tax), "rate_percent": php_float(percent), "meta_data": [],
    }])
}

fn coupons(style: &Style<'_>, order: &Order, sums: &Sums) -> Value {
    let Some(code) = &order.coupon else { return json!([]) };
    let info = format!("[28,\"{code}\",\"percent\",10]");
    let mut body = json!({
        "id": 800_000 + order.last_part, "code": code, "discount": sums.discount.normalize().to_string(),
        "discount_tax": sums.discount_tax.normalize().to_string(),
        "meta_data": [line_meta(700_000 + order.last_part, "coupon_info", "coupon_info", &info)],
    });
    if style.is_new() {
        merge(&mut body, json!({"discount_type": "percent", "nominal_amount": 10, "free_shipping": false}));
    }
    json!([body])
}

fn links(style: &Style<'_>, id: u64, customer: u64) -> Value {
    let (root, allow) = (format!("{}wc/v3", style.root), json!(["GET", "POST", "PUT", "PATCH", "DELETE"]));
    let href = format!("{root}/orders/{id}");
    let mut links = json!({
        "self": [{"href": href, "targetHints": {"allow": allow}}], "collection": [{"href": format!("{root}/orders")}],
    });
    if style.is_new() {
        links["email_templates"] = json!([{"embeddable": true, "href": format!("{href}/actions/email_templates")}]);
    }
    if customer > 0 {
        links["customer"] = json!([{"href": format!("{root}/customers/{customer}")}]);
    }
    links
}

/// A refund; `parent` is named only in the list of all refunds.
pub(super) fn refund(style: &Style<'_>, order: &Order, refund: &Refund, name_parent: bool) -> Value {
    let lines = (refund.id * 1_000..).zip(&refund.lines).filter_map(|(id, part)| refund_line(style, order, id, part));
    let kind = if refund.lines.is_empty() { "full" } else { "partial" };
    let base = format!("{}wc/v3/orders/{}", style.root, order.id);
    let mut body = json!({
        "id": refund.id, "date_created": style.local(refund.at), "date_created_gmt": gmt(refund.at),
        "amount": style.money(refund.amount), "reason": refund.reason, "refunded_by": 1, "refunded_payment": false,
        "meta_data": [{"id": refund.id * 10_000, "key": "_refund_type", "value": kind}],
        "line_items": lines.collect::<Value>(), "shipping_lines": [], "tax_lines": [], "fee_lines": [],
        "_links": style.links(&base, "refunds", refund.id),
    });
    if name_parent {
        body["parent_id"] = json!(order.id);
    }
    body
}

fn refund_line(style: &Style<'_>, order: &Order, id: u64, part: &(u64, u64, Decimal)) -> Option<Value> {
    let (item, pieces, amount) = part;
    let mut body = line(style, order.line(*item)?);
    let (text, none) = (item.to_string(), style.money(Decimal::ZERO));
    merge(
        &mut body,
        json!({
            "id": id, "quantity": -i128::from(*pieces), "subtotal": style.money(-amount), "total": style.money(-amount),
            "subtotal_tax": none, "total_tax": none, "taxes": [], "price": price(*amount, *pieces),
            "meta_data": [line_meta(id, "_refunded_item_id", "_refunded_item_id", &text)],
        }),
    );
    Some(body)
}
