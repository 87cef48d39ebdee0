//! Magento's order to ours. Pure: the same document and settings give the same order.
//!
//! Amounts are in the currency of the order; those of the shop's own are beside them under `base_`.
//! Lines are without tax. What REST gives as `row_total` has the discount in it, or the pieces not,
//! from version to version: a line's sum is what its row comes to with tax, less that. It is the
//! price times the pieces but for rounding; where it is not, these are believed.

use rust_decimal::Decimal;

use super::document::ASKED;
use super::lines::{Rows, lines};
use super::status::{self, CANCELED, Evidence, Statuses, held_as, meaning};
use super::wire;
use crate::channel::json::{Amount, Text};
use crate::channel::status_words::is_pickup;
use crate::clock::Timestamp;
use crate::order::sums::balanced;
use crate::order::{
    Address, Buyer, Charge, ChargeKind, Currency, Line, LineQuantity, Order, Parcel, Payment, Pieces, Presence, Refund,
    RemoteShipment, Status, Totals, sum,
};

/// Reads an order's document. The error names the member at fault and repeats nothing personal.
pub(crate) fn order(document: &str, statuses: &Statuses) -> Result<Order, String> {
    let order: wire::Order<'_> = serde_json::from_str(document).map_err(|error| {
        let (what, column) = (error.classify(), error.column());
        format!("the document has not the shape of an order ({what:?} error at column {column})")
    })?;
    map(&order, statuses).and_then(balanced)
}

fn map(o: &wire::Order<'_>, statuses: &Statuses) -> Result<Order, String> {
    let remote_id =
        o.entity_id.id().filter(|id| id.bytes().all(|b| b.is_ascii_digit())).ok_or("it has no entity_id")?;
    let currency = Currency::new(o.order_currency_code.get()).ok_or("order_currency_code is not a currency code")?;
    let placed_at = time(&o.created_at, "created_at")?.ok_or("it has no created_at")?;
    let updated_at = time(&o.updated_at, "updated_at")?.unwrap_or(placed_at);
    let picked_up = is_picked_up(o);
    o.items.given("items")?;
    let rows = Rows::of(o);
    let (mut lines, cancelled) = lines(&rows, o.state.get() == CANCELED)?;
    lines.iter_mut().filter(|_| picked_up).for_each(|line| line.ships = false);
    let refunds = super::refunds::refunds(o, &rows, &lines)?;
    let mut shipments = shipments(o, &rows, &lines)?;
    shipments.retain(|one| one.is_parcel(&lines));
    let totals = totals(o, &lines, &refunds)?;
    let paid = is_paid(o, totals.total)?;
    // What was given back with the rest does not make a part of it the whole.
    let is_closed = o.state.get() == status::CLOSED;
    let sent = if is_closed { sent_of_all(&lines, &shipments) } else { sent(&lines, &refunds, &shipments) };
    let is_owed = |line: &Line| line.ships && !Pieces::of(line, &refunds, &shipments).left.is_zero();
    let owed = sent.is_some() && lines.iter().any(is_owed);
    let mut parcelled = lines.iter().filter(|line| line.ships).peekable();
    let unsent = sent.is_none() && parcelled.peek().is_some() && parcelled.all(|line| line.refunded >= line.quantity);
    let seen = Evidence { paid, sent, owed, unsent };
    let billing = address(&o.billing_address.0);
    let status = meaning(o.state.get(), o.status.get(), seen, statuses);
    let before = (o.hold_before_state.get(), o.hold_before_status.get());
    let order = Order {
        number: o.increment_id.id().unwrap_or(remote_id).to_owned(),
        status,
        held_as: if status == Status::OnHold { held_as(o.state.get(), before, seen, statuses) } else { None },
        channel_status: words(o.state.get(), o.status.get()),
        presence: Presence::Listed,
        placed_at,
        updated_at,
        paid_at: paid.then(|| paid_at(o)).transpose()?.map(|at| at.unwrap_or(placed_at)),
        ship_by: None,
        currency,
        shop_totals: shop_totals(o, currency)?,
        prices_include_tax: false,
        buyer: buyer(o, &billing),
        ship_to: if picked_up { Vec::new() } else { ship_to(o, &billing, lines.iter().any(|line| line.ships)) },
        bill_to: Some(billing).filter(|address| *address != Address::default()),
        charges: charges(o, cancelled)?,
        totals,
        lines,
        refunds,
        shipments,
        payment: payment(o),
        buyer_note: o.customer_note.get().to_owned(),
        source: source(o).to_owned(),
        test: false,
        attributes: attributes(o, picked_up),
        asked_less: !ASKED.iter().all(|asked| o.ordersync.0.asked.0.iter().any(|of| of.get() == *asked)),
        remote_id: remote_id.to_owned(),
    };
    Ok(if is_closed { order.said_to_be_given_back() } else { order })
}

/// Both words, where they are not one: the shop's state and the merchant's own code.
fn words(state: &str, code: &str) -> String {
    match (state, code) {
        ("", one) | (one, "") => one.to_owned(),
        (state, code) if state == code => code.to_owned(),
        (state, code) => format!("{state} / {code}"),
    }
}

/// State and status code again.
pub(crate) fn apart(words: &str) -> (&str, &str) {
    words.split_once(" / ").unwrap_or((words, words))
}

/// To four places, as the shop's database has them: PHP writes `9.0700000000000003` for `9.07`.
pub(super) fn amount(amount: &Amount<'_>, member: &str) -> Result<Decimal, String> {
    Ok(amount.decimal(member)?.round_dp(4).normalize())
}

fn is_paid(o: &wire::Order<'_>, total: Decimal) -> Result<bool, String> {
    if !o.total_due.get().is_empty() {
        return Ok(amount(&o.total_due, "total_due")? <= Decimal::ZERO);
    }
    let paid = amount(&o.total_paid, "total_paid")?;
    Ok(paid >= total || matches!(o.state.get(), "complete" | status::CLOSED))
}

/// When it was paid: when the last of its invoices was made that is paid. `None` where no invoice is
/// known: nothing had to be paid, another program noted it, or the integration may not read them.
fn paid_at(o: &wire::Order<'_>) -> Result<Option<Timestamp>, String> {
    let paid = o.ordersync.0.invoices.0.iter().filter(|invoice| invoice.state.get() == "2");
    let times = paid.map(|invoice| time(&invoice.created_at, "invoices.created_at"));
    Ok(times.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().max())
}

/// What its shipments amount to.
fn sent(lines: &[Line], refunds: &[Refund], shipments: &[RemoteShipment]) -> Option<Status> {
    let may_be_owed = |line: &Line| !Pieces::of(line, refunds, shipments).at_most().is_zero();
    let is_open = lines.iter().any(|line| line.ships && may_be_owed(line));
    (!shipments.is_empty()).then_some(if is_open { Status::PartiallyShipped } else { Status::Shipped })
}

/// What they amount to, whatever was given back.
fn sent_of_all(lines: &[Line], shipments: &[RemoteShipment]) -> Option<Status> {
    let kept: Vec<Line> = lines.iter().map(|line| Line { refunded: Decimal::ZERO, ..line.clone() }).collect();
    sent(&kept, &[], shipments)
}

fn totals(o: &wire::Order<'_>, lines: &[Line], refunds: &[Refund]) -> Result<Totals, String> {
    o.grand_total.given("grand_total")?;
    Ok(Totals {
        total: amount(&o.grand_total, "grand_total")?,
        lines: sum(lines.iter().map(|line| line.total)),
        shipping: amount(&o.shipping_amount, "shipping_amount")?,
        tax: amount(&o.tax_amount, "tax_amount")?,
        discount: amount(&o.discount_amount, "discount_amount")?.abs(),
        refunded: amount(&o.total_refunded, "total_refunded")?.max(sum(refunds.iter().map(|refund| refund.amount))),
    })
}

/// The sums in the shop's own currency, where that is another one.
fn shop_totals(o: &wire::Order<'_>, currency: Currency) -> Result<Option<(Currency, Totals)>, String> {
    let Some(base) = Currency::new(o.base_currency_code.get()).filter(|base| *base != currency) else {
        return Ok(None);
    };
    let discount = amount(&o.base_discount_amount, "base_discount_amount")?;
    let subtotal = amount(&o.base_subtotal, "base_subtotal")?;
    let hidden = amount(&o.base_discount_tax_compensation_amount, "base_discount_tax_compensation_amount")?;
    let totals = Totals {
        total: amount(&o.base_grand_total, "base_grand_total")?,
        lines: sum([subtotal, discount, hidden]),
        shipping: amount(&o.base_shipping_amount, "base_shipping_amount")?,
        tax: amount(&o.base_tax_amount, "base_tax_amount")?,
        discount: discount.abs(),
        refunded: amount(&o.base_total_refunded, "base_total_refunded")?,
    };
    Ok(Some((base, totals)))
}

/// Shipping after its share of the discount, the discount itself, and what was cancelled of the
/// lines, which is in the total as before.
fn charges(o: &wire::Order<'_>, cancelled: Decimal) -> Result<Vec<Charge>, String> {
    let mut charges = Vec::new();
    let charge = |kind, code: &str, title: &str, amount, tax| Charge {
        kind,
        remote_id: String::new(),
        code: code.to_owned(),
        title: title.to_owned(),
        amount,
        tax,
    };
    let shipping = sum([
        amount(&o.shipping_amount, "shipping_amount")?,
        -amount(&o.shipping_discount_amount, "shipping_discount_amount")?,
        amount(&o.shipping_discount_tax_compensation_amount, "shipping_discount_tax_compensation_amount")?,
    ]);
    let (method, service) = (shipping_method(o), o.shipping_description.get());
    if !shipping.is_zero() || !service.is_empty() {
        let tax = amount(&o.shipping_tax_amount, "shipping_tax_amount")?;
        charges.push(charge(ChargeKind::Shipping, method, service, shipping, tax));
    }
    let off = amount(&o.discount_amount, "discount_amount")?.abs();
    if !off.is_zero() {
        let (code, title) = (o.coupon_code.get(), first_of(o.discount_description.get(), "Discount"));
        charges.push(charge(ChargeKind::Discount, code, title, off, Decimal::ZERO));
    }
    if !cancelled.is_zero() {
        charges.push(charge(ChargeKind::Fee, "", "Cancelled at the shop", cancelled, Decimal::ZERO));
    }
    Ok(charges)
}

fn assignment<'o, 'a>(o: &'o wire::Order<'a>) -> Option<&'o wire::Shipping<'a>> {
    o.extension_attributes.0.shipping_assignments.0.first().map(|assignment| &assignment.0.shipping.0)
}

fn shipping_method<'o>(o: &'o wire::Order<'_>) -> &'o str {
    assignment(o).map_or("", |shipping| shipping.method.get())
}

/// What the codes of the "carriers" end with by which goods stay at a counter of the shop's own:
/// Magento's, and those of modules (Amasty, Magestore, Mageworx, LS Retail). A carrier's own points
/// take parcels.
const COUNTERS: [&str; 4] = ["instore", "storepickup", "mageworxpickup", "clickandcollect"];

/// Whether the buyer comes for it.
fn is_picked_up(o: &wire::Order<'_>) -> bool {
    let method = shipping_method(o);
    !o.extension_attributes.0.pickup_location_code.get().is_empty()
        || COUNTERS.iter().any(|of| method.split('_').next().is_some_and(|carrier| carrier.ends_with(of)))
        || is_pickup(o.status.get())
}

fn buyer(o: &wire::Order<'_>, billing: &Address) -> Buyer {
    let name = name_of([
        &o.customer_prefix,
        &o.customer_firstname,
        &o.customer_middlename,
        &o.customer_lastname,
        &o.customer_suffix,
    ]);
    Buyer {
        remote_id: o.customer_id.id().unwrap_or_default().to_owned(),
        name: first_of(&name, &billing.name).to_owned(),
        email: first_of(o.customer_email.get(), &billing.email).to_owned(),
        phone: billing.phone.clone(),
    }
}

/// The delivery address; the billing one where there is none and something is sent.
fn ship_to(o: &wire::Order<'_>, billing: &Address, ships: bool) -> Vec<Address> {
    let to = assignment(o).map(|shipping| address(&shipping.address.0)).filter(|to| !to.is_blank());
    let to = to.or_else(|| Some(billing.clone()).filter(|to| ships && !to.is_blank()));
    let to = to.map(|to| Address {
        phone: first_of(&to.phone, &billing.phone).to_owned(),
        email: first_of(&to.email, &billing.email).to_owned(),
        ..to
    });
    to.into_iter().collect()
}

/// A name as the shop writes it: title, first name, middle name, last name, suffix.
fn name_of(parts: [&Text<'_>; 5]) -> String {
    let told = parts.map(Text::get).into_iter().filter(|part| !part.is_empty());
    told.collect::<Vec<_>>().join(" ")
}

fn address(a: &wire::Address<'_>) -> Address {
    let mut street = a.street.0.iter().map(AsRef::<str>::as_ref).filter(|line| !line.is_empty());
    let line1 = street.next().unwrap_or_default().to_owned();
    Address {
        remote_id: None,
        name: name_of([&a.prefix, &a.firstname, &a.middlename, &a.lastname, &a.suffix]),
        company: a.company.get().to_owned(),
        line1,
        line2: street.collect::<Vec<_>>().join(", "),
        city: a.city.get().to_owned(),
        region: first_of(a.region.get(), a.region_code.get()).to_owned(),
        postcode: a.postcode.get().to_owned(),
        country: a.country_id.get().to_owned(),
        phone: a.telephone.get().to_owned(),
        email: a.email.get().to_owned(),
    }
}

/// The key under which the name of the way of payment stands among what the gateway left.
pub(super) const METHOD_TITLE: &str = "method_title";

fn payment(o: &wire::Order<'_>) -> Payment {
    let mut pairs = o.extension_attributes.0.payment_additional_info.0.iter().flatten();
    let title = pairs.find(|pair| pair.key.get() == METHOD_TITLE).map_or("", |pair| pair.value.get());
    Payment {
        method: o.payment.0.method.get().to_owned(),
        title: title.to_owned(),
        transaction_id: o.payment.0.last_trans_id.get().to_owned(),
    }
}

/// Where it was made. A checkout notes the buyer's machine; what was made without one, by the staff
/// or by a program, may be what a connector made of another shop's order.
fn source(o: &wire::Order<'_>) -> &'static str {
    let method = o.payment.0.method.get();
    let is_of_program =
        ["m2epro", "codisto", "channable", "magnalister", "channelengine"].iter().any(|name| method.starts_with(name));
    if !is_of_program && !o.remote_ip.get().is_empty() { CHECKOUT } else { "admin or program" }
}

/// The source of an order that was placed at the shop's own checkout.
pub(super) const CHECKOUT: &str = "checkout";

/// The label under which an order tells that it needs no parcel.
const DELIVERY: &str = "delivery";

fn attributes(o: &wire::Order<'_>, picked_up: bool) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut add = |label: &str, text: &str| {
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(500).collect();
        if !text.is_empty() {
            found.push((label.to_owned(), text));
        }
    };
    if picked_up {
        let place = first_of(o.extension_attributes.0.pickup_location_code.get(), o.shipping_description.get());
        add(DELIVERY, &format!("pick-up: {place}"));
    }
    // An edited order is a new one, and the one before it is cancelled. An order that was ordered
    // again has the same members (2.4.7 and later), and stays as it is.
    add("original order", first_of(o.original_increment_id.get(), o.relation_parent_real_id.get()));
    let label = if o.state.get() == CANCELED { "replaced by" } else { "ordered again as" };
    add(label, o.relation_child_real_id.get());
    add("marketplace order", o.ext_order_id.get());
    add("VAT number", first_of(o.customer_taxvat.get(), o.billing_address.0.vat_id.get()));
    add("purchase order", o.payment.0.po_number.get());
    add("store", o.store_name.get());
    let of_lines = o.items.0.iter().map(|item| &item.extension_attributes.0.gift_message.0);
    for gift in std::iter::once(&o.extension_attributes.0.gift_message.0).chain(of_lines).take(20) {
        if !gift.message.get().is_empty() {
            let (to, from) = (gift.recipient.get(), gift.sender.get());
            add("gift message", &format!("to {to} from {from}: {}", gift.message.get()));
        }
    }
    found
}

/// The shipments, and what the order counts as shipped beside them as one without a number.
fn shipments(o: &wire::Order<'_>, rows: &Rows<'_, '_>, lines: &[Line]) -> Result<Vec<RemoteShipment>, String> {
    let known = &o.ordersync.0.shipments.0;
    let mut shipments = known.iter().map(|one| shipment(one, rows)).collect::<Result<Vec<_>, _>>()?;
    let mut more = Vec::new();
    for line in lines.iter().filter(|line| line.ships) {
        let counted = rows.shipped(&line.remote_id)?;
        let of_line = |one: &LineQuantity| one.line_id == line.remote_id;
        let told = sum(shipments.iter().flat_map(|one| &one.lines).filter(|one| of_line(one)).map(|one| one.quantity));
        if counted > told {
            more.push(LineQuantity { line_id: line.remote_id.clone(), quantity: counted.saturating_sub(told) });
        }
    }
    if !more.is_empty() {
        shipments.push(RemoteShipment { lines: more, ..RemoteShipment::default() });
    }
    Ok(shipments)
}

fn shipment(one: &wire::Shipment<'_>, rows: &Rows<'_, '_>) -> Result<RemoteShipment, String> {
    let parcel = |track: &wire::Track<'_>| Parcel {
        carrier: first_of(track.title.get(), track.carrier_code.get()).to_owned(),
        tracking: track.track_number.get().to_owned(),
        url: None,
    };
    Ok(RemoteShipment {
        remote_id: one.entity_id.get().to_owned(),
        shipped_at: time(&one.created_at, "shipments.created_at")?,
        lines: rows.contents(one)?,
        parcels: one.tracks.0.iter().map(parcel).filter(|parcel| !parcel.tracking.is_empty()).collect(),
    })
}

fn first_of<'t>(a: &'t str, b: &'t str) -> &'t str {
    if a.is_empty() { b } else { a }
}

/// A time as the shop writes it: UTC without a zone, whatever its own is. Nothing for null and
/// MySQL's zero date.
pub(super) fn time(text: &Text<'_>, member: &str) -> Result<Option<Timestamp>, String> {
    let text = text.get();
    if text.is_empty() || text.starts_with("0000-") {
        return Ok(None);
    }
    parse_time(text).map(Some).ok_or_else(|| format!("{member} is not a time"))
}

/// `2026-11-23 07:00:50`, with or without `T` and `Z`.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let read = text.replacen(' ', "T", 1).parse::<chrono::NaiveDateTime>();
    read.ok().map(|naive| naive.and_utc()).filter(crate::clock::is_meant)
}

#[cfg(test)]
mod tests;
