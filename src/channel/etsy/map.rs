//! Etsy's receipt to our order. Pure: the same document gives the same order.
//!
//! All amounts of a receipt are in the shop's currency, each with a divisor of its own. A coupon is
//! told for the receipt as a whole; what is told of it beside the lines is in two currencies and
//! counts for nothing. Sales tax comes on top of prices, VAT mostly is in them: which of the two it
//! is, the total tells.

use rust_decimal::Decimal;

use super::status::{self, Goods};
use super::wire::{self, Money, Receipt, Transaction};
use crate::channel::json::Text;
use crate::channel::text::decode;
use crate::clock::{Timestamp, is_meant};
use crate::order::sums::balanced;
use crate::order::{
    Address, Buyer, Charge, ChargeKind, Currency, LARGEST, Line, Order, Parcel, Payment, Presence, Refund,
    RemoteShipment, Status, Totals, carrier_of, normal_number, sum,
};

/// Reads an order's document. The error names the member at fault and repeats nothing personal.
pub(crate) fn order(document: &str) -> Result<Order, String> {
    map(&receipt(document)?).and_then(balanced)
}

/// Reads a receipt.
pub(crate) fn receipt(document: &str) -> Result<Receipt<'_>, String> {
    serde_json::from_str(document).map_err(|error| {
        let (what, column) = (error.classify(), error.column());
        format!("the document has not the shape of a receipt ({what:?} error at column {column})")
    })
}

fn map(r: &Receipt<'_>) -> Result<Order, String> {
    let remote_id = id(&r.receipt_id).ok_or("it has no receipt_id")?.to_owned();
    let currency = Currency::new(r.grandtotal.0.currency_code.get()).ok_or("its currency is not a currency code")?;
    let lines = r.transactions.given("transactions")?.iter();
    let lines = lines.map(|transaction| line(transaction, currency)).collect::<Result<Vec<_>, _>>()?;
    let shipments = shipments(r)?;
    let ships = lines.iter().any(|line| line.ships);
    let goods = Goods { paid: r.is_paid.is_true(), sent: !shipments.is_empty(), ships };
    let word = status::word(r.status.get());
    let refunds = refunds(r, currency)?;
    let sums = Sums::of(r, currency, &lines)?;
    let placed_at = created(r).ok_or("it has no created_timestamp")?;
    let order = Order {
        number: remote_id.clone(),
        status: status::status(&word, goods),
        held_as: None,
        channel_status: r.status.get().to_owned(),
        presence: Presence::Listed,
        placed_at,
        updated_at: updated(r).ok_or("it has no updated_timestamp")?,
        paid_at: paid_at(r).or(goods.paid.then_some(placed_at)),
        ship_by: ship_by(r),
        currency,
        totals: sums.totals(&refunds),
        shop_totals: None,
        prices_include_tax: sums.vat_is_in_prices,
        buyer: Buyer {
            remote_id: id(&r.buyer_user_id).unwrap_or_default().to_owned(),
            name: plain(&r.name),
            email: plain(&r.buyer_email),
            phone: String::new(),
        },
        ship_to: if ships { vec![address(r)] } else { Vec::new() },
        bill_to: None,
        charges: sums.charges(r),
        lines,
        refunds,
        shipments,
        payment: Payment {
            method: r.payment_method.get().to_owned(),
            title: payment_title(r.payment_method.get()),
            transaction_id: String::new(),
        },
        buyer_note: plain(&r.message_from_buyer),
        source: source(r.receipt_type.get()),
        test: false,
        attributes: attributes(r),
        asked_less: false,
        remote_id,
    };
    Ok(if word == status::GIVEN_BACK { order.said_to_be_given_back() } else { order })
}

/// A text of a person or a listing, which Etsy keeps as it stands in a web page.
fn plain(text: &Text<'_>) -> String {
    decode(text.get()).trim().to_owned()
}

/// An id: digits only.
pub(crate) fn id<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    text.id().filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A moment in seconds; nothing for null, 0, and what nobody can mean.
pub(crate) fn time(text: &Text<'_>) -> Option<Timestamp> {
    let seconds = text.id()?.parse().ok()?;
    Timestamp::from_timestamp(seconds, 0).filter(is_meant)
}

fn created(r: &Receipt<'_>) -> Option<Timestamp> {
    time(&r.created_timestamp).or_else(|| time(&r.create_timestamp))
}

fn updated(r: &Receipt<'_>) -> Option<Timestamp> {
    time(&r.updated_timestamp).or_else(|| time(&r.update_timestamp))
}

fn paid_at(r: &Receipt<'_>) -> Option<Timestamp> {
    r.transactions.rows.iter().filter_map(|line| time(&line.paid_timestamp)).min()
}

/// The earliest of the days that the buyer was promised for what goes into a parcel.
fn ship_by(r: &Receipt<'_>) -> Option<Timestamp> {
    let shipped = r.transactions.rows.iter().filter(|line| !line.is_digital.is_true());
    shipped.filter_map(|line| time(&line.expected_ship_date)).min()
}

/// An amount, exactly; nothing where there is none.
///
/// # Errors
/// It is none that can be reckoned with, or of another currency than the order's.
fn money(money: &Money<'_>, currency: Currency, member: &str) -> Result<Option<Decimal>, String> {
    if money.amount.get().is_empty() {
        return Ok(None);
    }
    let amount = money.amount.decimal(member)?;
    let code = money.currency_code.get();
    if !code.is_empty() && Currency::new(code) != Some(currency) && !amount.is_zero() {
        return Err(format!("{member} is not in the currency of its total"));
    }
    let divisor = money.divisor.decimal("divisor").map_err(|why| format!("{member}: {why}"))?;
    if amount.is_zero() && divisor.is_zero() {
        return Ok(Some(Decimal::ZERO));
    }
    // What has no end cannot be added up to the total.
    let has_end = |quotient: &Decimal| quotient.scale() <= 9 && quotient.checked_mul(divisor) == Some(amount);
    let exact = amount.checked_div(divisor).filter(has_end);
    let exact = exact.filter(|amount| amount.abs() <= LARGEST);
    let mut exact = exact.ok_or_else(|| format!("{member} cannot be divided by its divisor"))?;
    // 4000 in hundredths are 40.00, and not 40.
    let places = (0..=4).find(|places| Decimal::from(10u32.pow(*places)) == divisor).unwrap_or(0);
    if exact.scale() < places {
        exact.rescale(places);
    }
    Ok(Some(exact))
}

fn sum_of(amount: &Money<'_>, currency: Currency, member: &str) -> Result<Decimal, String> {
    money(amount, currency, member).map(Option::unwrap_or_default)
}

/// The parts of the total that are no lines.
struct Sums {
    total: Decimal,
    subtotal: Decimal,
    shipping: Decimal,
    tax: Decimal,
    vat: Decimal,
    discount: Decimal,
    gift_wrap: Decimal,
    /// The prices have the VAT in them.
    vat_is_in_prices: bool,
    /// Sales tax that is charged beside a VAT that is in the prices.
    tax_beside: bool,
}

impl Sums {
    fn of(r: &Receipt<'_>, currency: Currency, lines: &[Line]) -> Result<Self, String> {
        let total = money(&r.grandtotal.0, currency, "grandtotal")?.ok_or("grandtotal is missing")?;
        let discount = sum_of(&r.discount_amt.0, currency, "discount_amt")?.abs();
        let of_lines = sum(lines.iter().map(|line| line.total)).saturating_sub(discount);
        let mut sums = Self {
            total,
            subtotal: money(&r.subtotal.0, currency, "subtotal")?.unwrap_or(of_lines),
            shipping: sum_of(&r.total_shipping_cost.0, currency, "total_shipping_cost")?,
            tax: sum_of(&r.total_tax_cost.0, currency, "total_tax_cost")?,
            vat: sum_of(&r.total_vat_cost.0, currency, "total_vat_cost")?,
            discount,
            gift_wrap: sum_of(&r.gift_wrap_price.0, currency, "gift_wrap_price")?,
            vat_is_in_prices: false,
            tax_beside: false,
        };
        let net = of_lines.saturating_add(sums.shipping).saturating_add(sums.gift_wrap);
        let on_top = total.saturating_sub(net);
        if !sums.vat.is_zero() && on_top != sums.tax.saturating_add(sums.vat) {
            sums.vat_is_in_prices = true;
            sums.tax_beside = !sums.tax.is_zero() && on_top == sums.tax;
        }
        Ok(sums)
    }

    fn totals(&self, refunds: &[Refund]) -> Totals {
        Totals {
            total: self.total,
            lines: self.subtotal,
            shipping: self.shipping,
            tax: self.tax.saturating_add(self.vat),
            discount: self.discount,
            refunded: sum(refunds.iter().map(|refund| refund.amount)),
        }
    }

    fn charges(&self, r: &Receipt<'_>) -> Vec<Charge> {
        let mut charges = vec![shipping(r, self.shipping)];
        let mut add = |kind, code: &str, title: &str, amount: Decimal| {
            if !amount.is_zero() {
                charges.push(charge(kind, code, title, amount));
            }
        };
        // It is off the receipt, and not off its lines.
        add(ChargeKind::Fee, "discount", "Discount", -self.discount);
        add(ChargeKind::Fee, "gift-wrap", "Gift wrap", self.gift_wrap);
        let of_tax = if self.tax_beside { ChargeKind::Fee } else { ChargeKind::Tax };
        add(of_tax, "sales-tax", "Sales tax", self.tax);
        add(ChargeKind::Tax, "vat", "VAT", self.vat);
        charges
    }
}

fn charge(kind: ChargeKind, code: &str, title: &str, amount: Decimal) -> Charge {
    let (code, title) = (code.to_owned(), title.to_owned());
    Charge { kind, remote_id: String::new(), code, title, amount, tax: Decimal::ZERO }
}

/// What the buyer has paid for a faster way comes first: it may stand beside no method at all, and
/// no method is the standard one.
fn shipping(r: &Receipt<'_>, amount: Decimal) -> Charge {
    let of = |member: fn(&Transaction<'_>) -> String| {
        let mut names: Vec<String> = r.transactions.rows.iter().map(member).filter(|name| !name.is_empty()).collect();
        names.dedup();
        names.join(", ")
    };
    let (upgrade, method) = (of(|line| plain(&line.shipping_upgrade)), of(|line| plain(&line.shipping_method)));
    let title = [upgrade.as_str(), method.as_str(), "Standard"].into_iter().find(|name| !name.is_empty());
    charge(ChargeKind::Shipping, &method, title.unwrap_or_default(), amount)
}

fn line(t: &Transaction<'_>, currency: Currency) -> Result<Line, String> {
    let quantity = t.quantity.given("transactions.quantity")?;
    let unit_price = money(&t.price.0, currency, "transactions.price")?.ok_or("transactions.price is missing")?;
    let total = unit_price.checked_mul(quantity).filter(|total| total.abs() <= LARGEST);
    let (listing, product) = (id(&t.listing_id).unwrap_or_default(), id(&t.product_id));
    let chosen = t.variations.rows.iter().map(|v| (plain(&v.formatted_name), plain(&v.formatted_value)));
    let chosen = chosen.filter(|(_, value)| !value.is_empty());
    let chosen: Vec<_> =
        chosen.map(|(name, value)| if name.is_empty() { value } else { format!("{name}: {value}") }).collect();
    Ok(Line {
        remote_id: id(&t.transaction_id).ok_or("a line has no transaction_id")?.to_owned(),
        sku: plain(&t.sku),
        name: plain(&t.title),
        variant: chosen.join(", "),
        product_id: product.map_or_else(|| listing.to_owned(), |product| format!("{listing}:{product}")),
        quantity,
        refunded: Decimal::ZERO,
        returned: None,
        unit_price,
        total: total.ok_or("a line's total is larger than any amount")?,
        tax: Decimal::ZERO,
        ships: !t.is_digital.is_true(),
        ship_to: 0,
    })
}

/// What was given back. What was refused, or is only asked for, is not.
fn refunds(r: &Receipt<'_>, currency: Currency) -> Result<Vec<Refund>, String> {
    let mut refunds: Vec<Refund> = Vec::new();
    for back in r.refunds.given("refunds")? {
        let status = back.status.get().to_lowercase();
        if ["fail", "error", "declin", "reject", "cancel", "pending"].iter().any(|word| status.starts_with(word)) {
            continue;
        }
        let amount = money(&back.amount.0, currency, "refunds.amount")?.ok_or("refunds.amount is missing")?;
        let at = back.created_timestamp.get();
        let nth = refunds.iter().filter(|known| known.remote_id.split('/').next() == Some(at)).count();
        let words = [plain(&back.reason), plain(&back.note_from_issuer)];
        refunds.push(Refund {
            // It has no id: of one second the first, the second.
            remote_id: if nth == 0 { at.to_owned() } else { format!("{at}/{nth}") },
            refunded_at: time(&back.created_timestamp),
            amount: amount.abs(),
            reason: words.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(": "),
            lines: Vec::new(),
        });
    }
    Ok(refunds)
}

/// What stands for a parcel's id where Etsy gives it none: its number.
pub(crate) fn shipment_id(one: &wire::Shipment<'_>) -> String {
    let code = one.tracking_code.get();
    let by_code = || if code.is_empty() { String::new() } else { format!("code:{}", normal_number(code)) };
    id(&one.receipt_shipping_id).map_or_else(by_code, str::to_owned)
}

/// The parcels. A receipt that is shipped without one has a shipment that says no more than that.
fn shipments(r: &Receipt<'_>) -> Result<Vec<RemoteShipment>, String> {
    let shipment = |one: &wire::Shipment<'_>| {
        let (carrier, tracking) = (carrier_name(&plain(&one.carrier_name)), plain(&one.tracking_code));
        let parcel = Some(Parcel { carrier, tracking, url: None }).filter(|parcel| !parcel.tracking.is_empty());
        RemoteShipment {
            remote_id: shipment_id(one),
            shipped_at: time(&one.shipment_notification_timestamp),
            lines: Vec::new(),
            parcels: parcel.into_iter().collect(),
        }
    };
    let mut shipments: Vec<_> = r.shipments.given("shipments")?.iter().map(shipment).collect();
    let is_sent = r.is_shipped.is_true() || status::word(r.status.get()) == "completed";
    if is_sent && shipments.is_empty() {
        shipments.push(RemoteShipment::default());
    }
    Ok(shipments)
}

/// The plain name of a carrier, which comes back as Etsy's word for it or as somebody typed it:
/// `dhl` is its word for DHL Express, `DHL` may be any of them.
fn carrier_name(text: &str) -> String {
    let is_word = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let by_word = || carrier_of(text, |carrier| carrier.etsy);
    let known = by_word().filter(|_| is_word).or_else(|| crate::order::carrier(text)).or_else(by_word);
    known.map_or_else(|| text.to_owned(), |carrier| carrier.name.to_owned())
}

/// Where it goes. Where its parts are withheld, what the buyer's label says stands for them.
fn address(r: &Receipt<'_>) -> Address {
    let address = Address {
        name: plain(&r.name),
        line1: plain(&r.first_line),
        line2: plain(&r.second_line),
        city: plain(&r.city),
        region: plain(&r.state),
        postcode: plain(&r.zip),
        country: plain(&r.country_iso),
        ..Address::default()
    };
    if !address.is_blank() {
        return address;
    }
    let label = plain(&r.formatted_address);
    let mut label = label.lines().map(str::trim).filter(|line| !line.is_empty() && *line != address.name);
    let line1 = label.next().unwrap_or_default().to_owned();
    Address { line1, line2: label.collect::<Vec<_>>().join(", "), ..address }
}

/// Where it was sold: on etsy.com or in a shop of its own (Pattern).
fn source(receipt_type: &str) -> String {
    match receipt_type {
        "" => String::new(),
        "0" | "5" => "etsy.com".to_owned(),
        "1" => "pattern".to_owned(),
        other => format!("receipt type {other}"),
    }
}

fn payment_title(method: &str) -> String {
    let title = match method {
        "cc" => "Credit card",
        "paypal" => "PayPal",
        "check" => "Check",
        "mo" => "Money order",
        "bt" => "Bank transfer",
        "ideal" => "iDEAL",
        "sofort" => "Sofort",
        "apple_pay" => "Apple Pay",
        "google" | "google_pay" | "android_pay" => "Google Pay",
        "klarna" | "k_pay_in_3" | "k_pay_in_4" | "k_financing" => "Klarna",
        other => other,
    };
    title.to_owned()
}

fn attributes(r: &Receipt<'_>) -> Vec<(String, String)> {
    let gift = if r.is_gift.is_true() { "yes".to_owned() } else { String::new() };
    let shown = [("gift", gift), ("gift message", plain(&r.gift_message)), ("gift from", plain(&r.gift_sender))];
    shown.into_iter().filter(|(_, text)| !text.is_empty()).map(|(label, text)| (label.to_owned(), text)).collect()
}

/// Whether Etsy counts it as shipped.
pub(crate) fn is_sent(order: &Order) -> bool {
    order.status == Status::Shipped || !order.shipments.is_empty()
}

#[cfg(test)]
mod tests;
