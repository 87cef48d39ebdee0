//! BigCommerce's order to ours. Pure: the same document gives the same order.
//!
//! Amounts are in the transactional currency, `default_currency_code`; `currency_code` is only what
//! the buyer saw them in, in spite of the names. Prices are given with and without tax; which of
//! the two an order shows follows `is_tax_inclusive_pricing`.
//!
//! The order's row tells how many pieces of a line are shipped, but neither in which parcels nor
//! with which numbers. That stands in the order as one shipment without a number: enough to know
//! what is left to ship.

use rust_decimal::Decimal;

use super::lines;
use super::status::{Goods, REFUNDED, held_as, paid_as, status};
use super::wire;
use crate::channel::json::Text;
use crate::clock::Timestamp;
use crate::order::sums::balanced;
use crate::order::{
    Address, Buyer, Charge, ChargeKind, Currency, Line, LineQuantity, Order, Payment, Pieces, Presence, Refund,
    RefundLine, RemoteShipment, Totals, sum,
};

/// Reads an order's document. The error names the member at fault and repeats nothing personal.
pub(crate) fn order(document: &str) -> Result<Order, String> {
    let order: wire::Order<'_> = serde_json::from_str(document).map_err(|error| {
        format!(
            "the document has not the shape of an order ({:?} error at column {})",
            error.classify(),
            error.column()
        )
    })?;
    map(&order).and_then(balanced)
}

fn map(o: &wire::Order<'_>) -> Result<Order, String> {
    let remote_id = o.id.id().filter(|id| id.bytes().all(|b| b.is_ascii_digit())).ok_or("it has no id")?.to_owned();
    let currency = [&o.default_currency_code, &o.currency_code].into_iter().find_map(|code| Currency::new(code.get()));
    let currency = currency.ok_or("its currency is not a currency code")?;
    let placed_at = time(&o.date_created, "date_created")?.ok_or("it has no date_created")?;
    let updated_at = time(&o.date_modified, "date_modified")?.ok_or("it has no date_modified")?;
    let status_id: u8 = o.status_id.get().parse().map_err(|_| "its status_id is not a number".to_owned())?;
    let refunds = o.ordersync.0.refunds.rows.iter().filter(|refund| !declined(refund)).map(refund);
    let refunds = refunds.collect::<Result<Vec<_>, _>>()?;
    let billing = address(&o.billing_address.0);
    let places = lines::places(o);
    let ship_to: Vec<Address> = places.iter().map(|place| delivery(place, &billing)).collect();
    let (mut lines, shipped) = lines::lines(o, &places)?;
    // The address of a buyer who comes for it would only be copied onto a label.
    let ship_to = if lines::all_picked_up(o, &places, &lines) { Vec::new() } else { ship_to };
    lines.iter_mut().for_each(|line| line.refunded = line.refunded.max(given_back(&refunds, &line.remote_id)));
    let totals = totals(o, &lines, &refunds)?;
    let shipments = shipments(shipped);
    let status = paid_as(status(status_id, goods(o, &lines, &refunds, &shipments)?), o.payment_status.get());
    let order = Order {
        number: remote_id.clone(),
        status,
        held_as: held_as(status, !shipments.is_empty(), o.payment_status.get()),
        channel_status: first_of(o.custom_status.get(), o.status.get()),
        presence: if o.is_deleted.is_true() { Presence::Archived } else { Presence::Listed },
        placed_at,
        updated_at,
        paid_at: is_paid(o.payment_status.get()).then_some(placed_at),
        ship_by: None,
        currency,
        shop_totals: shop_totals(o, currency, &totals)?,
        totals,
        prices_include_tax: o.is_tax_inclusive_pricing.is_true(),
        buyer: buyer(o, &billing),
        ship_to,
        bill_to: Some(billing).filter(|address| *address != Address::default()),
        lines,
        charges: charges(o, &places)?,
        refunds,
        shipments,
        payment: Payment {
            method: o.payment_provider_id.get().to_owned(),
            title: o.payment_method.get().to_owned(),
            transaction_id: String::new(),
        },
        buyer_note: o.customer_message.get().to_owned(),
        source: o.order_source.get().to_owned(),
        test: is_test(o),
        attributes: lines::attributes(o, &places),
        asked_less: false,
        remote_id,
    };
    Ok(if status_id == REFUNDED { order.said_to_be_given_back() } else { order })
}

/// There is no flag for test orders; the gateway's name is the sign.
fn is_test(o: &wire::Order<'_>) -> bool {
    o.payment_method.get().to_lowercase().starts_with("test payment")
        || o.payment_provider_id.get().eq_ignore_ascii_case("testgateway")
}

/// BigCommerce tells that an order is paid, not when; the time that it was placed stands for it. An
/// authorisation is no payment yet.
fn is_paid(payment_status: &str) -> bool {
    matches!(payment_status, "captured" | "paid" | "partially refunded" | "refunded")
}

/// What may have been sent before it was given back counts as open: it is not known to be done with.
fn goods(
    o: &wire::Order<'_>,
    lines: &[Line],
    refunds: &[Refund],
    shipments: &[RemoteShipment],
) -> Result<Goods, String> {
    let open = |line: &Line| Pieces::of(line, refunds, shipments).at_most();
    let shipped = shipments.iter().flat_map(|one| &one.lines).map(|line| line.quantity);
    Ok(Goods {
        shipped: sum(shipped).max(o.items_shipped.decimal("items_shipped")?),
        open: sum(lines.iter().filter(|line| line.ships).map(open)),
        dated: !o.date_shipped.get().is_empty(),
        ships: lines.iter().any(|line| line.ships),
    })
}

fn shipments(shipped: Vec<LineQuantity>) -> Vec<RemoteShipment> {
    if shipped.is_empty() {
        return Vec::new();
    }
    vec![RemoteShipment { remote_id: String::new(), shipped_at: None, lines: shipped, parcels: Vec::new() }]
}

fn totals(o: &wire::Order<'_>, lines: &[Line], refunds: &[Refund]) -> Result<Totals, String> {
    Ok(Totals {
        total: o.total_inc_tax.decimal("total_inc_tax")?,
        lines: sum(lines.iter().map(|line| line.total)),
        shipping: o.shipping_cost_ex_tax.decimal("shipping_cost_ex_tax")?,
        tax: o.total_tax.decimal("total_tax")?,
        discount: o.discount_amount.decimal("discount_amount")? + o.coupon_discount.decimal("coupon_discount")?,
        refunded: sum(refunds.iter().map(|refund| refund.amount)),
    })
}

/// The sums in the store's own currency, where the buyer paid in another and the rate is given; to
/// four decimals, as the API's amounts are.
fn shop_totals(o: &wire::Order<'_>, paid_in: Currency, totals: &Totals) -> Result<Option<(Currency, Totals)>, String> {
    let Some(own) = Currency::new(o.store_default_currency_code.get()).filter(|own| *own != paid_in) else {
        return Ok(None);
    };
    let rate =
        o.store_default_to_transactional_exchange_rate.decimal("store_default_to_transactional_exchange_rate")?;
    if rate <= Decimal::ZERO {
        return Ok(None);
    }
    let convert = |amount: Decimal| amount.checked_div(rate).map(|amount| amount.round_dp(4));
    let Totals { total, lines, shipping, tax, discount, refunded } = *totals;
    let converted = || {
        Some(Totals {
            total: convert(total)?,
            lines: convert(lines)?,
            shipping: convert(shipping)?,
            tax: convert(tax)?,
            discount: convert(discount)?,
            refunded: convert(refunded)?,
        })
    };
    Ok(converted().map(|totals| (own, totals)))
}

fn charges(o: &wire::Order<'_>, places: &[&wire::Address<'_>]) -> Result<Vec<Charge>, String> {
    let mut charges = Vec::new();
    for place in places {
        let (cost, tax) = (place.cost_ex_tax.decimal("cost_ex_tax")?, place.cost_tax.decimal("cost_tax")?);
        let method = place.shipping_method.get();
        charges.push(charge(ChargeKind::Shipping, place.id.get(), method, method, (cost, tax)));
    }
    for fee in if o.fees.listed { &o.fees.rows } else { &o.ordersync.0.fees.rows } {
        let (cost, tax) = (fee.cost().decimal("fees.cost_ex_tax")?, fee.cost_tax.decimal("fees.cost_tax")?);
        let title = first_of(fee.display_name_customer.get(), fee.display_name_merchant.get());
        charges.push(charge(ChargeKind::Fee, fee.id.get(), fee.kind.get(), &title, (cost, tax)));
    }
    for (title, cost, tax) in [
        ("Handling", &o.handling_cost_ex_tax, &o.handling_cost_tax),
        ("Gift wrapping", &o.wrapping_cost_ex_tax, &o.wrapping_cost_tax),
    ] {
        let (cost, tax) = (cost.decimal(title)?, tax.decimal(title)?);
        if !cost.is_zero() {
            charges.push(charge(ChargeKind::Fee, "", &title.to_lowercase(), title, (cost, tax)));
        }
    }
    let tax = o.total_tax.decimal("total_tax")?;
    if !tax.is_zero() {
        charges.push(charge(ChargeKind::Tax, "", "", "Tax", (tax, Decimal::ZERO)));
    }
    charges.extend(lines::discounts(o)?);
    Ok(charges)
}

pub(super) fn charge(kind: ChargeKind, id: &str, code: &str, title: &str, (amount, tax): (Decimal, Decimal)) -> Charge {
    Charge { kind, remote_id: id.to_owned(), code: code.to_owned(), title: title.to_owned(), amount, tax }
}

/// A refund whose payments were all declined has given nothing back.
fn declined(refund: &wire::Refund<'_>) -> bool {
    !refund.payments.rows.is_empty() && refund.payments.rows.iter().all(|payment| payment.is_declined.is_true())
}

fn refund(r: &wire::Refund<'_>) -> Result<Refund, String> {
    let products = r.items.rows.iter().filter(|item| item.item_type.get() == "PRODUCT");
    let line = |item: &wire::RefundItem<'_>| {
        Ok(RefundLine {
            line_id: item.item_id.get().to_owned(),
            quantity: item.quantity.decimal("refunds.items.quantity")?,
            amount: item.requested_amount.decimal("refunds.items.requested_amount")?.abs(),
        })
    };
    Ok(Refund {
        remote_id: r.id.get().to_owned(),
        refunded_at: time(&r.created, "refunds.created")?,
        amount: r.total_amount.decimal("refunds.total_amount")?.abs(),
        reason: r.reason.get().to_owned(),
        lines: products.map(line).collect::<Result<_, String>>()?,
    })
}

/// How many of a line its refunds give back.
fn given_back(refunds: &[Refund], line_id: &str) -> Decimal {
    let given = refunds.iter().flat_map(|refund| &refund.lines).filter(|line| line.line_id == line_id);
    sum(given.map(|line| line.quantity))
}

fn buyer(o: &wire::Order<'_>, billing: &Address) -> Buyer {
    Buyer {
        remote_id: o.customer_id.id().unwrap_or_default().to_owned(),
        name: billing.name.clone(),
        email: billing.email.clone(),
        phone: billing.phone.clone(),
    }
}

/// A delivery address, with the order's id for it; phone and e-mail stand in from the billing
/// address.
fn delivery(place: &wire::Address<'_>, billing: &Address) -> Address {
    let to = address(place);
    Address {
        remote_id: place.id.id().map(str::to_owned),
        phone: first_of(&to.phone, &billing.phone),
        email: first_of(&to.email, &billing.email),
        ..to
    }
}

/// `state` is a name, not a code.
fn address(a: &wire::Address<'_>) -> Address {
    let text = |part: &Text<'_>| part.get().to_owned();
    Address {
        remote_id: None,
        name: format!("{} {}", a.first_name.get(), a.last_name.get()).trim().to_owned(),
        company: text(&a.company),
        line1: text(&a.street_1),
        line2: text(&a.street_2),
        city: text(&a.city),
        region: text(&a.state),
        postcode: text(&a.zip),
        country: first_of(a.country_iso2.get(), a.country.get()),
        phone: text(&a.phone),
        email: text(&a.email),
    }
}

pub(super) fn first_of(a: &str, b: &str) -> String {
    if a.is_empty() { b.to_owned() } else { a.to_owned() }
}

/// A time; nothing for null and `""`.
fn time(text: &Text<'_>, member: &str) -> Result<Option<Timestamp>, String> {
    if text.get().is_empty() {
        return Ok(None);
    }
    parse_time(text.get()).map(Some).ok_or_else(|| format!("{member} is not a time"))
}

/// RFC 2822 as V2 writes it, RFC 3339 as V3 does; without a zone it is UTC.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let zoned = chrono::DateTime::parse_from_rfc2822(text).or_else(|_| chrono::DateTime::parse_from_rfc3339(text));
    // A weekday that does not go with its date says nothing.
    let without = || text.split_once(", ").and_then(|(_, rest)| chrono::DateTime::parse_from_rfc2822(rest).ok());
    let zoned = zoned.or_else(|error| without().ok_or(error));
    // ISO 8601 with an offset without a colon is what PHP's DATE_ISO8601 writes.
    let zoned = zoned.or_else(|_| chrono::DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    let bare = || chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|naive| naive.and_utc());
    zoned.ok().map(|at| at.to_utc()).or_else(bare).filter(crate::clock::is_meant)
}

#[cfg(test)]
mod tests;
