//! eBay's order to our order. Pure: the same document gives the same order.
//!
//! The sums are those of `pricingSummary`; what payments say is what the seller gets of them. Lines
//! cost what they cost before discounts, beside it what is left of that after them; discounts are
//! below zero. Names, streets, telephones and addresses for mails are told for 14 or 90 days, and are
//! nothing after that (P-11).

use rust_decimal::Decimal;

use super::status::{self, Cancelling};
use super::wire::{self, Cancel, Contact, Instruction, Money, Order as Told, Pricing};
use crate::channel::json::Text;
use crate::clock::{Timestamp, is_meant};
use crate::order::sums::{balanced, rest};
use crate::order::{
    Address, Buyer, Charge, ChargeKind, Currency, LARGEST, Line, LineQuantity, Order, Parcel, Payment, Presence,
    Refund, RefundLine, RemoteShipment, Totals, carrier_of, sum,
};

/// Reads an order's document. The error names the member at fault and repeats nothing personal.
pub(crate) fn order(document: &str) -> Result<Order, String> {
    map(&read(document)?)
}

/// Reads a document.
pub(crate) fn read(document: &str) -> Result<Told<'_>, String> {
    serde_json::from_str(document).map_err(|error| {
        let (what, column) = (error.classify(), error.column());
        format!("the document has not the shape of an order ({what:?} error at column {column})")
    })
}

fn map(o: &Told<'_>) -> Result<Order, String> {
    let remote_id = o.order_id.id().ok_or("it has no orderId")?.to_owned();
    let pricing = &o.pricing.0;
    let currency = Currency::new(pricing.total.0.currency.get()).ok_or("its currency is not a currency code")?;
    let delivery = Delivery::of(o);
    let lines = o.lines.given("lineItems")?.iter();
    let mut lines = lines.map(|line| self::line(line, currency, &delivery)).collect::<Result<Vec<_>, _>>()?;
    let placed_at = time(&o.created, "creationDate")?.ok_or("creationDate is missing")?;
    let (payment, fulfillment) = (o.payment.get(), o.fulfillment.get());
    let cancelling = Cancelling::of(o.cancel.0.state.get());
    let paid_at = paid_at(o).or_else(|| status::is_paid(payment).then_some(placed_at));
    let ships = lines.iter().any(|line| line.ships);
    let refunds = refunds(o, currency)?;
    let is_given_back = payment == status::GIVEN_BACK;
    if is_given_back {
        // What is told of the money is less the taxes that eBay keeps: all pieces are given back.
        lines.iter_mut().for_each(|line| line.refunded = line.quantity);
    }
    let totals = totals(pricing, currency, &refunds)?;
    let order = Order {
        number: remote_id.clone(),
        status: status::status(payment, fulfillment, cancelling, paid_at.is_some()),
        held_as: None,
        channel_status: words(o),
        presence: Presence::Listed,
        placed_at,
        updated_at: time(&o.modified, "lastModifiedDate")?.ok_or("lastModifiedDate is missing")?,
        paid_at,
        ship_by: ship_by(o),
        currency,
        prices_include_tax: totals.tax.is_zero(),
        shop_totals: before_conversion(pricing, currency, &totals)?,
        totals,
        buyer: buyer(o),
        ship_to: if ships { delivery.address().into_iter().collect() } else { Vec::new() },
        bill_to: bill_to(o),
        charges: charges(o, currency, &lines)?,
        lines,
        refunds,
        shipments: shipments(o)?,
        payment: self::payment(o),
        buyer_note: o.note.get().to_owned(),
        source: marketplaces(o),
        test: false,
        attributes: attributes(o, &delivery),
        asked_less: false,
        remote_id,
    };
    let order = balanced(with_what_is_told_elsewhere(order, o)?)?;
    let several = delivery.goes_to_several();
    Ok(match cancelling {
        Cancelling::UnderWay => order.held_back(&why_held_back(&o.cancel.0)),
        _ if several => order.held_back("eBay shows several delivery addresses, and not what goes to which of them"),
        _ => order,
    })
}

/// A moment; nothing for null and what nobody can mean.
///
/// # Errors
/// It is none, named by its member.
pub(crate) fn time(text: &Text<'_>, member: &str) -> Result<Option<Timestamp>, String> {
    if text.get().is_empty() {
        return Ok(None);
    }
    let at = chrono::DateTime::parse_from_rfc3339(text.get()).map_err(|_| format!("{member} is no time"))?;
    Ok(Some(at.to_utc()).filter(is_meant))
}

fn told_time(text: &Text<'_>) -> Option<Timestamp> {
    time(text, "").ok().flatten()
}

fn paid_at(o: &Told<'_>) -> Option<Timestamp> {
    o.payments.0.payments.rows.iter().filter_map(|payment| told_time(&payment.date)).min()
}

fn ship_by(o: &Told<'_>) -> Option<Timestamp> {
    o.lines.rows.iter().filter_map(|line| told_time(&line.promised.0.ship_by)).min()
}

/// eBay's own words.
fn words(o: &Told<'_>) -> String {
    let cancel = o.cancel.0.state.get();
    let all = [o.payment.get(), o.fulfillment.get(), if cancel == "NONE_REQUESTED" { "" } else { cancel }];
    all.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" / ")
}

/// An amount in the order's currency, exactly; nothing where there is none. One that was converted
/// counts as it was before, where that is the order's.
///
/// # Errors
/// It is none that can be reckoned with, or of another currency than the order's.
fn money(money: &Money<'_>, currency: Currency, member: &str) -> Result<Option<Decimal>, String> {
    if money.value.get().is_empty() {
        return Ok(None);
    }
    let is = |code: &Text<'_>| code.get().is_empty() || Currency::new(code.get()) == Some(currency);
    let amount = money.value.decimal(member)?;
    let amount = match is(&money.currency) || amount.is_zero() {
        true => amount,
        false if !money.before_currency.get().is_empty() && is(&money.before_currency) => money.before.given(member)?,
        false => return Err(format!("{member} is not in the currency of its total")),
    };
    let is_meant = amount.abs() <= LARGEST && amount.scale() <= 9;
    is_meant.then_some(Some(amount)).ok_or_else(|| format!("{member} is larger than any amount, or finer"))
}

fn sum_of(amount: &Money<'_>, currency: Currency, member: &str) -> Result<Decimal, String> {
    money(amount, currency, member).map(Option::unwrap_or_default)
}

fn totals(p: &Pricing<'_>, currency: Currency, refunds: &[Refund]) -> Result<Totals, String> {
    let discount = sum_of(&p.discount.0, currency, "priceDiscount")?.abs();
    let delivery_discount = sum_of(&p.delivery_discount.0, currency, "deliveryDiscount")?.abs();
    let subtotal = sum_of(&p.subtotal.0, currency, "priceSubtotal")?;
    Ok(Totals {
        total: money(&p.total.0, currency, "total")?.ok_or("total is missing")?,
        lines: subtotal.saturating_sub(discount),
        shipping: sum_of(&p.delivery.0, currency, "deliveryCost")?.saturating_sub(delivery_discount),
        tax: sum_of(&p.tax.0, currency, "tax")?,
        discount: discount.saturating_add(delivery_discount),
        refunded: sum(refunds.iter().map(|refund| refund.amount)),
    })
}

/// The total before it was converted, where it was; of the other sums not all may have been.
fn before_conversion(
    p: &Pricing<'_>,
    currency: Currency,
    totals: &Totals,
) -> Result<Option<(Currency, Totals)>, String> {
    let Some(before) = Currency::new(p.total.0.before_currency.get()).filter(|before| *before != currency) else {
        return Ok(None);
    };
    let amount = |money: &Money<'_>, member: &str| money.before.decimal(member);
    let total = p.total.0.before.given("total.convertedFromValue")?;
    let lines = amount(&p.subtotal.0, "priceSubtotal")?.saturating_sub(amount(&p.discount.0, "priceDiscount")?.abs());
    let shipping = amount(&p.delivery.0, "deliveryCost")?
        .saturating_sub(amount(&p.delivery_discount.0, "deliveryDiscount")?.abs());
    let tax = amount(&p.tax.0, "tax")?;
    let discount = amount(&p.discount.0, "priceDiscount")?.abs();
    // What went back is told in one currency only.
    let refunded = if totals.refunded >= totals.total { total } else { Decimal::ZERO };
    let meant = [total, lines, shipping, tax, discount].iter().all(|amount| amount.abs() <= LARGEST);
    Ok(meant.then_some((before, Totals { total, lines, shipping, tax, discount, refunded })))
}

fn charge(kind: ChargeKind, code: &str, title: &str, amount: Decimal) -> Charge {
    let (code, title) = (code.to_owned(), title.to_owned());
    Charge { kind, remote_id: String::new(), code, title, amount, tax: Decimal::ZERO }
}

fn charges(o: &Told<'_>, currency: Currency, lines: &[Line]) -> Result<Vec<Charge>, String> {
    let p = &o.pricing.0;
    let service = o.instructions.rows.iter().map(|one| one.step.0.service.get()).find(|code| !code.is_empty());
    let service = service.unwrap_or_default();
    let delivery = sum_of(&p.delivery.0, currency, "deliveryCost")?;
    let mut charges = vec![charge(ChargeKind::Shipping, service, &in_words(service, "Shipping"), delivery)];
    let mut add = |kind, code: &str, title: &str, amount: Decimal| {
        if !amount.is_zero() {
            charges.push(charge(kind, code, title, amount));
        }
    };
    let delivery_discount = sum_of(&p.delivery_discount.0, currency, "deliveryDiscount")?.abs();
    add(ChargeKind::Fee, "delivery-discount", "Delivery discount", -delivery_discount);
    add(ChargeKind::Fee, "adjustment", "Adjustment", sum_of(&p.adjustment.0, currency, "adjustment")?);
    add(ChargeKind::Fee, "fee", "Fees", sum_of(&p.fee.0, currency, "fee")?);
    // What is off the lines already, and what is off the order alone.
    let discount = sum_of(&p.discount.0, currency, "priceDiscount")?.abs();
    let before = sum(lines.iter().map(|line| line.unit_price.saturating_mul(line.quantity)));
    let off_lines = before.saturating_sub(sum(lines.iter().map(|line| line.total))).clamp(Decimal::ZERO, discount);
    let mut promotions: Vec<&str> =
        o.lines.rows.iter().flat_map(|line| &line.promotions.rows).map(|one| one.description.get()).collect();
    promotions.retain(|text| !text.is_empty());
    promotions.dedup();
    let title = if promotions.is_empty() { "Discount".to_owned() } else { promotions.join(", ") };
    add(ChargeKind::Discount, "discount", &title, off_lines);
    add(ChargeKind::Fee, "discount", &title, -discount.saturating_sub(off_lines));
    for (kind, amount) in taxes(o, currency)? {
        add(ChargeKind::Tax, &kind, &in_words(&kind, "Tax"), amount);
    }
    Ok(charges)
}

/// The taxes of all lines by their sort. Those that eBay keeps are among them where the breakdown is
/// told, and stand beside them in any case.
fn taxes(o: &Told<'_>, currency: Currency) -> Result<Vec<(String, Decimal)>, String> {
    let mut found: Vec<(String, Decimal)> = Vec::new();
    for line in &o.lines.rows {
        let told = if line.taxes.rows.is_empty() { &line.collected } else { &line.taxes };
        for tax in &told.rows {
            let amount = sum_of(&tax.amount.0, currency, "taxes.amount")?;
            match found.iter_mut().find(|(kind, _)| kind == tax.kind.get()) {
                Some((_, sum)) => *sum = sum.saturating_add(amount),
                None => found.push((tax.kind.get().to_owned(), amount)),
            }
        }
    }
    Ok(found)
}

/// `STATE_SALES_TAX` as `State sales tax`; a code in mixed case stays as it is.
fn in_words(code: &str, otherwise: &str) -> String {
    if code.is_empty() {
        return otherwise.to_owned();
    }
    if !code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_') {
        return code.to_owned();
    }
    let words = code.replace('_', " ").to_lowercase();
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// What the total holds and the order's sums do not say, where lines do: which of these are in the
/// sums is documented nowhere, so they are taken where they make up what is missing to the cent.
fn with_what_is_told_elsewhere(mut order: Order, o: &Told<'_>) -> Result<Order, String> {
    let missing = rest(&order).ok_or("its sums are larger than any amount")?;
    if missing.is_zero() {
        return Ok(order);
    }
    let currency = order.currency;
    let told = |money: &Money<'_>| sum_of(money, currency, "deliveryCost");
    let (mut import, mut handling, mut protection, mut shipping) = Default::default();
    for line in &o.lines.rows {
        let add = |sum: &mut Decimal, amount: Decimal| *sum = sum.saturating_add(amount);
        add(&mut import, told(&line.delivery.0.import.0)?);
        add(&mut handling, told(&line.delivery.0.handling.0)?);
        add(&mut shipping, told(&line.charged.0.shipping.0)?);
        for charge in &line.charged.0.charges.rows {
            add(&mut protection, told(&charge.amount.0)?);
        }
    }
    let tax = sum(taxes(o, currency)?.into_iter().map(|(_, amount)| amount));
    let tax = if order.totals.tax.is_zero() { tax } else { Decimal::ZERO };
    let parts = [
        ("tax", "Tax", tax),
        ("import", "Import charges", import),
        ("handling", "Handling", handling),
        ("buyer-protection", "Buyer protection", protection),
        ("ebay-shipping", "Shipping by eBay", shipping),
    ];
    let sets = 1..1_u32 << parts.len();
    let chosen = |set: u32| parts.iter().enumerate().filter(move |(nth, _)| set >> nth & 1 == 1).map(|(_, part)| part);
    let is_it = |set: &u32| {
        chosen(*set).all(|(_, _, amount)| !amount.is_zero())
            && sum(chosen(*set).map(|(_, _, amount)| *amount)) == missing
    };
    for (code, title, amount) in sets.into_iter().find(is_it).into_iter().flat_map(chosen) {
        if *code == "tax" {
            order.totals.tax = *amount;
            order.prices_include_tax = false;
        } else {
            order.charges.push(charge(ChargeKind::Fee, code, title, *amount));
        }
    }
    Ok(order)
}

fn line(l: &wire::Line<'_>, currency: Currency, delivery: &Delivery<'_, '_>) -> Result<Line, String> {
    let quantity = l.quantity.given("lineItems.quantity")?;
    let cost = money(&l.cost.0, currency, "lineItemCost")?.ok_or("lineItemCost is missing")?;
    let total = money(&l.discounted.0, currency, "discountedLineItemCost")?.unwrap_or(cost);
    let unit_price = cost.checked_div(quantity).map(|price| price.round_dp(6).normalize());
    let mut unit_price = unit_price.ok_or("a line has no pieces")?;
    if unit_price.scale() < cost.scale() {
        unit_price.rescale(cost.scale());
    }
    let told = if l.taxes.rows.is_empty() { &l.collected } else { &l.taxes };
    let tax = told.rows.iter().map(|tax| sum_of(&tax.amount.0, currency, "taxes.amount"));
    let tax = tax.collect::<Result<Vec<_>, _>>()?;
    let chosen = l.aspects.rows.iter().filter(|one| !one.value.get().is_empty());
    let chosen: Vec<_> = chosen.map(|one| format!("{}: {}", one.name.get(), one.value.get())).collect();
    let (item, variation) = (l.item.get(), l.variation.get());
    Ok(Line {
        remote_id: l.id.id().ok_or("a line has no lineItemId")?.to_owned(),
        sku: l.sku.get().to_owned(),
        name: l.title.get().to_owned(),
        variant: chosen.join(", "),
        product_id: if variation.is_empty() { item.to_owned() } else { format!("{item}:{variation}") },
        quantity,
        refunded: Decimal::ZERO,
        returned: None,
        unit_price,
        total,
        tax: sum(tax),
        ships: delivery.ships(),
        ship_to: 0,
    })
}

/// Money that went back. Of an order it is what the seller has less by that, of a line what the buyer
/// got: the one is never added to the other. What failed, or has not been done, is none.
fn refunds(o: &Told<'_>, currency: Currency) -> Result<Vec<Refund>, String> {
    let is_done = |refund: &&wire::Refund<'_>| !matches!(refund.status.get(), "FAILED" | "PENDING");
    let of_order: Vec<&wire::Refund<'_>> = o.payments.0.refunds.rows.iter().filter(is_done).collect();
    let of_lines = || o.lines.rows.iter().flat_map(|line| line.refunds.rows.iter().map(move |refund| (line, refund)));
    let of_lines: Vec<_> = of_lines().filter(|(_, refund)| !refund.date.get().is_empty()).collect();
    let mut found: Vec<Refund> = Vec::new();
    if !of_order.is_empty() {
        for refund in of_order {
            let own = of_lines.iter().filter(|(_, part)| id_of(part) == id_of(refund));
            let parts = own.map(|(line, part)| refund_line(line, part, currency)).collect::<Result<Vec<_>, _>>()?;
            push(&mut found, refund, currency, parts)?;
        }
        return Ok(found);
    }
    for (line, refund) in of_lines {
        let part = refund_line(line, refund, currency)?;
        let known = found.iter_mut().find(|known| known.remote_id == id_of(refund));
        match known.filter(|known| known.lines.iter().all(|one| one.line_id != part.line_id)) {
            Some(known) => {
                known.amount = known.amount.saturating_add(part.amount);
                known.lines.push(part);
            }
            None => push(&mut found, refund, currency, vec![part])?,
        }
    }
    Ok(found)
}

/// What names a refund: its id, and the moment where it has none.
fn id_of<'t>(refund: &'t wire::Refund<'_>) -> &'t str {
    let all = [&refund.id, &refund.reference, &refund.date];
    all.into_iter().map(Text::get).find(|id| !id.is_empty()).unwrap_or_default()
}

fn push(
    found: &mut Vec<Refund>,
    refund: &wire::Refund<'_>,
    currency: Currency,
    lines: Vec<RefundLine>,
) -> Result<(), String> {
    let id = id_of(refund);
    let nth = found.iter().filter(|known| known.remote_id.split('/').next() == Some(id)).count();
    found.push(Refund {
        remote_id: if nth == 0 { id.to_owned() } else { format!("{id}/{nth}") },
        refunded_at: told_time(&refund.date),
        amount: money(&refund.amount.0, currency, "refunds.amount")?.unwrap_or_default().abs(),
        reason: String::new(),
        lines,
    });
    Ok(())
}

/// How many pieces it is for, eBay does not tell.
fn refund_line(line: &wire::Line<'_>, refund: &wire::Refund<'_>, currency: Currency) -> Result<RefundLine, String> {
    let amount = money(&refund.amount.0, currency, "lineItems.refunds.amount")?.unwrap_or_default().abs();
    Ok(RefundLine { line_id: line.id.get().to_owned(), quantity: Decimal::ZERO, amount })
}

/// The parcels. An order that was marked as sent in eBay's own pages may have none.
fn shipments(o: &Told<'_>) -> Result<Vec<RemoteShipment>, String> {
    let told = &o.ordersync.0.fulfillments.rows;
    let mut shipments = Vec::with_capacity(told.len());
    for (one, id) in told.iter().zip(ids(told)) {
        let (carrier, tracking) = (carrier_name(one.carrier.get()), one.number.get().to_owned());
        let parcel = Some(Parcel { carrier, tracking, url: None }).filter(|parcel| !parcel.tracking.is_empty());
        shipments.push(RemoteShipment {
            remote_id: id,
            shipped_at: told_time(&one.date),
            lines: contents(one)?,
            parcels: parcel.into_iter().collect(),
        });
    }
    if shipments.is_empty() && o.fulfillment.get() == "FULFILLED" {
        shipments.push(RemoteShipment::default());
    }
    Ok(shipments)
}

/// What names each parcel. Those without a number may all be called the same.
pub(crate) fn ids(told: &[wire::Fulfillment<'_>]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::with_capacity(told.len());
    for one in told {
        let id = one.id.get();
        let nth = ids.iter().filter(|known| known.split('/').next() == Some(id)).count();
        ids.push(if nth == 0 { id.to_owned() } else { format!("{id}/{nth}") });
    }
    ids
}

/// The pieces in a parcel. One that is not counted is one.
pub(crate) fn contents(one: &wire::Fulfillment<'_>) -> Result<Vec<LineQuantity>, String> {
    let part = |part: &wire::Part<'_>| {
        let quantity =
            if part.quantity.get().is_empty() { Ok(Decimal::ONE) } else { part.quantity.decimal("quantity") };
        Ok(LineQuantity { line_id: part.id.get().to_owned(), quantity: quantity? })
    };
    one.lines.rows.iter().map(part).collect()
}

/// The plain name of a carrier.
fn carrier_name(code: &str) -> String {
    let known = crate::order::carrier(code).or_else(|| carrier_of(code, |carrier| carrier.ebay));
    known.map_or_else(|| code.to_owned(), |carrier| carrier.name.to_owned())
}

/// How an order is to be brought to the buyer.
pub(crate) struct Delivery<'o, 'a> {
    instructions: &'o [Instruction<'a>],
    by_ebay: bool,
}

impl<'o, 'a> Delivery<'o, 'a> {
    /// That of an order.
    pub(crate) fn of(o: &'o Told<'a>) -> Self {
        let by_ebay = o.program.0.fulfilled.0.by.get() == "EBAY";
        Self { instructions: &o.instructions.rows, by_ebay }
    }

    fn kind(&self) -> &'o str {
        self.instructions.first().map(|one| one.kind.get()).unwrap_or_default()
    }

    /// Whether eBay itself sends it.
    pub(crate) fn is_ebays(&self) -> bool {
        self.by_ebay || self.kind() == "FULFILLED_BY_EBAY"
    }

    /// Whether the seller sends a parcel.
    fn ships(&self) -> bool {
        !self.is_ebays() && !matches!(self.kind(), "DIGITAL" | "PREPARE_FOR_PICKUP")
    }

    fn goes_to_several(&self) -> bool {
        let mut places = self.instructions.iter().map(|one| contact(&one.step.0.to.0));
        let first = places.next();
        self.ships()
            && places.any(|place| first.as_ref().is_some_and(|first| !place.is_blank() && !first.same_place(&place)))
    }

    /// Where the parcel goes. That may be a hub, from where others bring it on: its reference stands
    /// above the street, or they do not know whose it is.
    fn address(&self) -> Option<Address> {
        let one = self.instructions.first()?;
        let mut to = contact(&one.step.0.to.0);
        let reference = one.step.0.reference.get();
        if !reference.is_empty() {
            let street = [to.line1.as_str(), to.line2.as_str()];
            to.line2 = street.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ");
            to.line1 = format!("Reference # {reference}");
        }
        Some(to)
    }
}

fn contact(c: &Contact<'_>) -> Address {
    let a = &c.address.0;
    let text = |text: &Text<'_>| text.get().to_owned();
    Address {
        name: text(&c.name),
        company: text(&c.company),
        line1: text(&a.line1),
        line2: text(&a.line2),
        city: text(&a.city),
        region: if a.region.get().is_empty() { text(&a.county) } else { text(&a.region) },
        postcode: text(&a.postcode),
        country: text(&a.country),
        phone: text(&c.phone.0.number),
        email: text(&c.email),
        ..Address::default()
    }
}

fn buyer(o: &Told<'_>) -> Buyer {
    let (b, to) = (&o.buyer.0, o.instructions.rows.first().map(|one| &one.step.0.to.0));
    let by_hub = o.instructions.rows.first().is_some_and(|one| one.by_hub.is_true());
    let first = |own: &Text<'_>, other: Option<&Text<'_>>| {
        let all = [Some(own.get()), other.map(Text::get)];
        all.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
    };
    // A hub has a name and a telephone of its own; the address for mails is the buyer's.
    let person = to.filter(|_| !by_hub);
    Buyer {
        remote_id: b.username.get().to_owned(),
        name: first(&b.registered.0.name, person.map(|to| &to.name)),
        email: first(&b.registered.0.email, to.map(|to| &to.email)),
        phone: first(&b.registered.0.phone.0.number, person.map(|to| &to.phone.0.number)),
    }
}

fn bill_to(o: &Told<'_>) -> Option<Address> {
    Some(contact(&o.buyer.0.registered.0)).filter(|address| !address.is_blank() || !address.name.is_empty())
}

fn payment(o: &Told<'_>) -> Payment {
    let one = o.payments.0.payments.rows.first();
    let method = one.map(|one| one.method.get()).unwrap_or_default();
    Payment {
        method: method.to_owned(),
        title: in_words(method, ""),
        transaction_id: one.map(|one| one.reference.get().to_owned()).unwrap_or_default(),
    }
}

/// Where it was bought: lines of one order may be of several marketplaces.
fn marketplaces(o: &Told<'_>) -> String {
    let mut all: Vec<&str> = Vec::new();
    for line in &o.lines.rows {
        let at = [line.bought_at.get(), line.listed_at.get()].into_iter().find(|id| !id.is_empty());
        all.extend(at.filter(|id| !all.contains(id)));
    }
    all.join(", ")
}

fn attributes(o: &Told<'_>, delivery: &Delivery<'_, '_>) -> Vec<(String, String)> {
    let one = o.instructions.rows.first();
    let by = match delivery.kind() {
        _ if delivery.is_ebays() => "eBay: nothing is to be sent from here",
        "DIGITAL" => "digital: nothing is to be sent",
        "PREPARE_FOR_PICKUP" => "the buyer comes for it",
        _ => "",
    };
    let hub = one.filter(|one| one.by_hub.is_true()).map(|one| one.destination.0.country.get());
    let hub =
        hub.map(|country| format!("a hub of eBay's brings it on to {country}").trim_end_matches(" to ").to_owned());
    let mut references: Vec<String> = Vec::new();
    for tax in o.lines.rows.iter().flat_map(|line| &line.collected.rows) {
        let (name, value) = (tax.reference.0.name.get(), tax.reference.0.value.get());
        let told = format!("{name} {value}").trim().to_owned();
        references.extend(Some(told).filter(|told| !told.is_empty() && !references.contains(told)));
    }
    let label = if o.program.0.label.0.by.get() == "EBAY" { "of eBay's, to be had on its pages" } else { "" };
    let gift = |of: fn(&wire::Gift<'_>) -> String| {
        o.lines.rows.iter().map(|line| of(&line.gift.0)).find(|text| !text.is_empty()).unwrap_or_default()
    };
    let shown = [
        ("sent by", by.to_owned()),
        ("by way of", hub.unwrap_or_default()),
        ("tax reference", references.join(", ")),
        ("label", label.to_owned()),
        ("authenticity", o.program.0.verified.0.status.get().to_owned()),
        ("sales record", o.sales_record.get().to_owned()),
        ("gift message", gift(|gift| gift.message.get().to_owned())),
        ("gift from", gift(|gift| gift.sender.get().to_owned())),
    ];
    shown.into_iter().filter(|(_, text)| !text.is_empty()).map(|(label, text)| (label.to_owned(), text)).collect()
}

/// The request that is not decided yet, where it is told.
pub(crate) fn open_request<'c, 'a>(cancel: &'c Cancel<'a>) -> Option<&'c wire::CancelRequest<'a>> {
    let is_open = |request: &&wire::CancelRequest<'_>| !matches!(request.state.get(), "REJECTED" | "COMPLETED");
    cancel.requests.rows.iter().rev().find(is_open)
}

/// Whether a buyer has made it.
pub(crate) fn is_buyers(who: &str) -> bool {
    who.eq_ignore_ascii_case("buyer")
}

fn why_held_back(cancel: &Cancel<'_>) -> String {
    let request = open_request(cancel);
    match request.filter(|request| is_buyers(request.initiator.get())) {
        Some(request) => {
            let reason = in_words(request.reason.get(), "no reason given").to_lowercase();
            format!(
                "the buyer wants to cancel it ({reason}): ordersync cancel ORDER agrees, and eBay gives the money back; ordersync \
                 dispatch ORDER ... --on-hold sends it and turns the request down"
            )
        }
        None => "its cancellation is under way at eBay".to_owned(),
    }
}

#[cfg(test)]
mod tests;
