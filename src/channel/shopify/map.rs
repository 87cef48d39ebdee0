//! Shopify's order to ours. Pure: the same document and setting give the same order.
//!
//! Amounts are in the buyer's currency (`presentmentMoney`), the sums also in the shop's. Every
//! line, price and subtotal includes tax where `taxesIncluded` says so.

use rust_decimal::{Decimal, RoundingStrategy};

use super::number;
use super::wire::{self, Amount, Bag};
use crate::clock::Timestamp;
use crate::order::sums::balanced;
use crate::order::{
    Address, Buyer, Charge, ChargeKind, Currency, LARGEST, Line, LineQuantity, Order, Parcel, Payment, Presence,
    Refund, RemoteShipment, Status, Totals, parse_decimal,
};

/// Reads an order's document; `authorized` is what an authorised payment amounts to. The error
/// names the member at fault and repeats nothing personal.
pub(crate) fn order(document: &str, authorized: Status) -> Result<Order, String> {
    let mut order: wire::Order = serde_json::from_str(document).map_err(|error| {
        format!(
            "the document has not the shape of an order ({:?} error at column {})",
            error.classify(),
            error.column()
        )
    })?;
    tell_returned(&mut order);
    map(&order, authorized).and_then(balanced)
}

/// Tells of each line how many of the pieces that are not ordered any more went out before.
///
/// An edit, and what is given back before it is sent, take pieces from what is unfulfilled; what is
/// given back after it was sent does not. So what is in fulfilments and not among the pieces that
/// are ordered and fulfilled has come back. The order's document has the former for all lines
/// together: of several lines of which pieces are gone it tells only none or all.
fn tell_returned(o: &mut wire::Order) {
    if o.cancelled_at.is_some() || o.incomplete.is_some() {
        return;
    }
    let gone = |item: &wire::LineItem| item.quantity.saturating_sub(item.current_quantity).max(0);
    let items = &o.line_items.nodes;
    let made = o.fulfillments.iter().filter(|one| is_made(one));
    let sent: Option<i64> = made.map(|one| one.total_quantity).sum();
    let kept = |item: &wire::LineItem| Some(item.current_quantity.saturating_sub(item.unfulfilled_quantity?));
    let kept: Option<i64> = items.iter().map(kept).sum();
    let Some((sent, kept)) = sent.zip(kept) else { return };
    let (returned, all) = (sent.saturating_sub(kept), items.iter().map(gone).sum::<i64>());
    let is_one = items.iter().filter(|item| gone(item) > 0).count() == 1;
    for item in o.line_items.nodes.iter_mut().filter(|item| gone(item) > 0) {
        item.returned = match returned {
            0 => Some(0),
            _ if returned == all => Some(gone(item)),
            _ if is_one && (0..=all).contains(&returned) => Some(returned),
            _ => None,
        };
    }
}

fn map(o: &wire::Order, authorized: Status) -> Result<Order, String> {
    let remote_id = number(&o.id);
    if remote_id.is_empty() {
        return Err("it has no id".to_owned());
    }
    if o.damaged {
        return Err("it holds bytes that are no text (UTF-8), so a name or an address in it may be damaged".to_owned());
    }
    let shop_currency = Currency::new(&o.currency_code).ok_or("its currency is not a currency code")?;
    let currency = Currency::new(&o.presentment_currency_code).ok_or("the buyer's currency is not a currency code")?;
    let created_at = time(&o.created_at, "createdAt")?;
    let lines = o.line_items.nodes.iter().map(|item| line(o, item)).collect::<Result<Vec<_>, _>>()?;
    let lines: Vec<Line> = lines.into_iter().flatten().collect();
    let shop_totals = (shop_currency != currency).then(|| totals(o, SHOP)).transpose()?;
    let ships = lines.iter().any(|line| line.ships);
    let shipments = shipments(o, &lines);
    let sent = sent(o, &shipments);
    let ship_to = o.shipping_address.as_ref().map(|a| address(a, o));
    let status = status(o, authorized, sent)?;
    // It would be sent but for the hold, whenever the money is taken.
    let held_as = if shipments.is_empty() { Status::AwaitingFulfillment } else { Status::PartiallyShipped };
    Ok(Order {
        remote_id: remote_id.to_owned(),
        number: o.name.clone(),
        status,
        held_as: (status == Status::OnHold).then_some(held_as),
        channel_status: channel_status(o),
        presence: if o.closed { Presence::Archived } else { Presence::Listed },
        placed_at: o.processed_at.as_deref().map_or(Ok(created_at), |at| time(at, "processedAt"))?,
        updated_at: time(&o.updated_at, "updatedAt")?,
        paid_at: paid_at(o, created_at),
        ship_by: None,
        currency,
        totals: totals(o, PRESENTMENT)?,
        shop_totals: shop_totals.map(|totals| (shop_currency, totals)),
        prices_include_tax: o.taxes_included,
        buyer: buyer(o),
        ship_to: ship_to.filter(|a| ships || !a.is_blank()).into_iter().collect(),
        bill_to: o.billing_address.as_ref().map(|a| address(a, o)),
        shipments,
        charges: charges(o)?,
        refunds: o.refunds.iter().map(refund).collect::<Result<Vec<_>, _>>()?,
        payment: payment(o),
        buyer_note: text(&o.note),
        source: text(&o.source_name),
        test: o.test,
        attributes: attributes(o),
        asked_less: false,
        lines,
    })
}

/// The first rule that holds. A refund is a fact, not a status: what remains is whether the goods
/// left.
fn status(o: &wire::Order, authorized: Status, sent: Sent) -> Result<Status, String> {
    let owes = amount(&o.total_outstanding_set, PRESENTMENT, "totalOutstandingSet")? > Decimal::ZERO;
    Ok(standing(o, authorized, owes, sent))
}

/// What of the goods that go into parcels has left the house, by the fulfilments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// There is no fulfilment.
    Untold,
    /// There are, of what needs no parcel alone.
    Nothing,
    Some,
    /// What is left needs no parcel, so nobody owes one: that a download is still to be delivered is
    /// no reason to keep the order open, nor is a parcel one to call it delivered.
    All,
}

fn sent(o: &wire::Order, shipments: &[RemoteShipment]) -> Sent {
    if !o.fulfillments.iter().any(is_made) {
        return Sent::Untold;
    }
    let needy = || o.line_items.nodes.iter().filter(|item| item.requires_shipping);
    let is_whole = || needy().next().is_some() && needy().all(|item| item.unfulfilled_quantity == Some(0));
    match shipments {
        [] => Sent::Nothing,
        _ if is_whole() => Sent::All,
        _ => Sent::Some,
    }
}

fn standing(o: &wire::Order, authorized: Status, owes: bool, sent: Sent) -> Status {
    let fulfillment = o.display_fulfillment_status.as_str();
    if o.cancelled_at.is_some() {
        return Status::Cancelled;
    }
    // What left the house is shipped, whatever became of the money, and whatever the word is:
    // `IN_PROGRESS` may have pieces in fulfilments.
    match (fulfillment, sent) {
        ("FULFILLED", _) | (_, Sent::All) => return Status::Shipped,
        (_, Sent::Some) | (PARTLY, Sent::Untold) if rest_waits(o).is_some() => return Status::OnHold,
        (_, Sent::Some) | (PARTLY, Sent::Untold) => return Status::PartiallyShipped,
        // Shopify fulfils gift cards by itself as soon as they are paid.
        _ => {}
    }
    match o.display_financial_status.as_deref() {
        Some("VOIDED" | "EXPIRED") => return Status::AwaitingPayment,
        // Of goods that were given back before they were sent nothing is required, either.
        _ if fulfillment == "FULFILLMENT_NOT_REQUIRED"
            && !o.line_items.nodes.iter().any(|item| item.requires_shipping && quantities(o, item).0 > 0) =>
        {
            return Status::Shipped;
        }
        Some("PENDING" | "PARTIALLY_PAID") => return Status::AwaitingPayment,
        Some("AUTHORIZED") if authorized == Status::AwaitingPayment => return Status::AwaitingPayment,
        None if owes => return Status::AwaitingPayment,
        _ => {}
    }
    match fulfillment {
        ON_HOLD | SCHEDULED => Status::OnHold,
        PARTLY if rest_waits(o).is_some() => Status::OnHold,
        _ => Status::AwaitingFulfillment,
    }
}

/// Shopify's words for orders of which nothing may be shipped yet.
pub(super) const ON_HOLD: &str = "ON_HOLD";
pub(super) const SCHEDULED: &str = "SCHEDULED";

/// The one for an order of which a part is in fulfilments.
const PARTLY: &str = "PARTIALLY_FULFILLED";

/// What stands between Shopify's words.
pub(super) const AND: &str = " / ";

/// The word by which all that is left of an order in parts waits: its own word for the parts tells
/// nothing of that, its fulfilment orders do.
fn rest_waits(o: &wire::Order) -> Option<&'static str> {
    let is_ours = |route: &&wire::Route| route.is_open() && route.by_others().is_none();
    let mut open = o.fulfillment_orders.nodes.iter().filter(is_ours).peekable();
    let word = [ON_HOLD, SCHEDULED].into_iter().find(|word| open.peek().is_some_and(|route| route.status == *word))?;
    open.all(|route| matches!(&*route.status, ON_HOLD | SCHEDULED)).then_some(word)
}

/// Shopify's own words.
fn channel_status(o: &wire::Order) -> String {
    let cancelled = o.cancelled_at.as_ref().map(|_| "CANCELLED");
    let returned = o.return_status.as_deref().filter(|word| *word != "NO_RETURN");
    let fulfillment = o.display_fulfillment_status.as_str();
    let waits = if fulfillment == PARTLY { rest_waits(o) } else { None };
    let words = [cancelled, o.display_financial_status.as_deref(), Some(fulfillment), waits, returned];
    words.into_iter().flatten().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(AND)
}

/// When the last money of a paid order came in; where no transaction says so, when it was placed.
fn paid_at(o: &wire::Order, created_at: Timestamp) -> Option<Timestamp> {
    let paid = matches!(o.display_financial_status.as_deref(), Some("PAID" | "PARTIALLY_REFUNDED" | "REFUNDED"));
    let moves = o.transactions.iter().filter(|t| t.status == "SUCCESS" && matches!(&*t.kind, "SALE" | "CAPTURE"));
    let last = moves.filter_map(|t| time(t.processed_at.as_deref()?, "").ok()).max();
    let placed = || o.processed_at.as_deref().and_then(|at| time(at, "").ok()).unwrap_or(created_at);
    paid.then(|| last.unwrap_or_else(placed))
}

/// How many of a line are ordered, and how many of them were given back.
///
/// Shopify counts what an edit took out and what was given back in one number, `quantity -
/// currentQuantity`. Where the order has no refund it can only be edits, so the quantity is what is
/// left, but for what went out and came back; else it is shown as given back, which the quantity to
/// ship agrees with. A cancellation makes it 0 of every line, and takes nothing out.
fn quantities(o: &wire::Order, item: &wire::LineItem) -> (i64, i64) {
    let gone = item.quantity.saturating_sub(item.current_quantity).max(0);
    let returned = item.returned.unwrap_or(0);
    match (o.refunds.is_empty(), o.cancelled_at.is_some()) {
        (true, false) => (item.current_quantity.saturating_add(returned), returned),
        (true, true) => (item.quantity, 0),
        (false, _) => (item.quantity, gone),
    }
}

/// The part of an amount that belongs to so many pieces. Shopify tells a line's discounts and taxes
/// for all that was ever ordered of it, also for what an edit took out.
fn part(amount: Decimal, pieces: i64, of: i64) -> Result<Decimal, String> {
    if pieces == of || of <= 0 {
        return Ok(amount);
    }
    let share = amount.checked_mul(pieces.into()).and_then(|all| all.checked_div(of.into()));
    let share = share.ok_or("an amount of a line is larger than any amount")?;
    Ok(share.round_dp_with_strategy(amount.scale().max(2), RoundingStrategy::MidpointAwayFromZero).normalize())
}

/// What is off a line for so many pieces.
fn discount(item: &wire::LineItem, pieces: i64) -> Result<Decimal, String> {
    let all = sum(item.discount_allocations.iter().map(|a| &a.allocated_amount_set))?;
    part(all, pieces, item.quantity)
}

/// One line; nothing where an edit took all of it out.
fn line(o: &wire::Order, item: &wire::LineItem) -> Result<Option<Line>, String> {
    let (quantity, refunded) = quantities(o, item);
    if quantity <= 0 {
        return Ok(None);
    }
    let unit_price = amount(&item.original_unit_price_set, PRESENTMENT, "lineItems.originalUnitPriceSet")?;
    let total = unit_price.checked_mul(quantity.into()).and_then(|all| all.checked_sub(discount(item, quantity).ok()?));
    let product = item.product.as_ref().map_or("", |product| number(&product.id));
    let variant = item.variant.as_ref().map_or("", |variant| number(&variant.id));
    Ok(Some(Line {
        remote_id: number(&item.id).to_owned(),
        sku: text(&item.sku),
        name: item.title.clone(),
        variant: choices(item),
        product_id: if variant.is_empty() { product.to_owned() } else { format!("{product}:{variant}") },
        quantity: Decimal::from(quantity),
        refunded: Decimal::from(refunded),
        returned: item.returned.filter(|_| refunded > 0).map(Decimal::from),
        unit_price,
        total: total.filter(|total| total.abs() <= LARGEST).ok_or("the total of a line is too large to be meant")?,
        tax: part(taxes(&item.tax_lines)?, quantity, item.quantity)?,
        // Also of a gift card: those of plastic are sent.
        ships: item.requires_shipping && by_others(o, item).is_none(),
        ship_to: 0,
    }))
}

/// Who brings all that is left of a line to the buyer, where it is not a parcel of the merchant's.
/// The lines of fulfilment orders are only there where not all goods of the order go the same way.
fn by_others(o: &wire::Order, item: &wire::LineItem) -> Option<&'static str> {
    let has_it = |route: &&wire::Route| route.line_items.is_none() || route.holds(number(&item.id));
    let open = || o.fulfillment_orders.nodes.iter().filter(|route| route.is_open()).filter(has_it);
    // What needs no delivery stands beside what does, and is of other lines.
    let is_other = |route: &&wire::Route| route.is_undelivered() && open().any(|other| !other.is_undelivered());
    let mut ways = open().filter(|route| !is_other(route)).map(wire::Route::by_others);
    let first = ways.next()??;
    ways.all(|way| way.is_some()).then_some(first)
}

/// What is not the merchant's to send, in words.
fn deliveries(o: &wire::Order) -> Vec<(String, String)> {
    let needy = || o.line_items.nodes.iter().filter(|item| item.requires_shipping && quantities(o, item).0 > 0);
    let mut ways: Vec<(&str, Vec<&str>)> = Vec::new();
    for item in needy() {
        let Some(way) = by_others(o, item) else { continue };
        let name = if item.sku.is_empty() { &item.title } else { &item.sku };
        match ways.iter_mut().find(|(known, _)| *known == way) {
            Some((_, names)) => names.push(name),
            None => ways.push((way, vec![name])),
        }
    }
    let all = needy().count();
    let told = |(way, names): (&str, Vec<&str>)| match names.len() == all {
        true => ("delivery".to_owned(), way.to_owned()),
        false => (way.to_owned(), names.join(", ")),
    };
    ways.into_iter().map(told).collect()
}

/// The variant and what the buyer chose or wrote for it; attributes with an underscore are for
/// apps.
fn choices(item: &wire::LineItem) -> String {
    let variant = Some(item.variant_title.clone()).filter(|title| title != "Default Title" && !title.is_empty());
    let custom = item.custom_attributes.iter().filter(|a| !a.key.starts_with('_'));
    variant.into_iter().chain(custom.map(|a| format!("{}: {}", a.key, a.value))).collect::<Vec<_>>().join(", ")
}

type Side = fn(&Bag) -> &Option<Amount>;

const PRESENTMENT: Side = |bag| &bag.presentment_money;
const SHOP: Side = |bag| &bag.shop_money;

/// An amount that the schema promises. One that is not there is no amount: taken for nothing, it
/// would make an order free of charge.
fn amount(bag: &Option<Bag>, side: Side, member: &str) -> Result<Decimal, String> {
    let amount = bag.as_ref().and_then(|bag| side(bag).as_ref()).filter(|amount| !amount.amount.trim().is_empty());
    let amount = amount.ok_or_else(|| format!("{member} is missing"))?;
    parse_decimal(&amount.amount).map_err(|why| format!("{member}: {why}"))
}

/// An amount that the schema lets be null: an order without taxes, discounts or goods.
fn amount_or_none(bag: &Option<Bag>, side: Side, member: &str) -> Result<Decimal, String> {
    if bag.is_none() { Ok(Decimal::ZERO) } else { amount(bag, side, member) }
}

fn sum<'a>(mut bags: impl Iterator<Item = &'a Option<Bag>>) -> Result<Decimal, String> {
    bags.try_fold(Decimal::ZERO, |total, bag| {
        Ok(total.saturating_add(amount(bag, PRESENTMENT, "an amount of a line")?))
    })
}

fn taxes(lines: &[wire::TaxLine]) -> Result<Decimal, String> {
    sum(lines.iter().map(|line| &line.price_set))
}

/// The sums in one currency. `totalPriceSet` and its kin are those of checkout; after an edit what
/// is owed are the `current*` ones, from which refunds are taken off, and which must not be.
fn totals(o: &wire::Order, side: Side) -> Result<Totals, String> {
    let get = |bag: &Option<Bag>, member: &str| amount(bag, side, member);
    let get_or_none = |bag: &Option<Bag>, member: &str| amount_or_none(bag, side, member);
    let refunded = get(&o.total_refunded_set, "totalRefundedSet")?;
    let paid_in_all = get(&o.current_total_price_set, "currentTotalPriceSet")?.checked_add(refunded);
    let at_checkout = (
        get(&o.total_price_set, "totalPriceSet")?,
        get_or_none(&o.subtotal_price_set, "subtotalPriceSet")?,
        get_or_none(&o.total_tax_set, "totalTaxSet")?,
    );
    let now = (
        paid_in_all.ok_or("its sums are larger than any amount")?,
        get(&o.current_subtotal_price_set, "currentSubtotalPriceSet")?,
        get(&o.current_total_tax_set, "currentTotalTaxSet")?,
    );
    let (total, lines, tax) = if is_edited(o) { now } else { at_checkout };
    Ok(Totals {
        total,
        lines,
        shipping: get(&o.total_shipping_price_set, "totalShippingPriceSet")?,
        tax,
        discount: discounts(o, side)?,
        refunded,
    })
}

/// Whether the sums of checkout are those of another order by now.
fn is_edited(o: &wire::Order) -> bool {
    o.edited && o.cancelled_at.is_none()
}

/// All discounts, without those on what an edit took out. Those of the lines are known in the
/// buyer's currency only.
fn discounts(o: &wire::Order, side: Side) -> Result<Decimal, String> {
    let all = |side| amount_or_none(&o.total_discounts_set, side, "totalDiscountsSet");
    let (wanted, theirs) = (all(side)?, all(PRESENTMENT)?);
    let mut left = Some(theirs);
    for item in &o.line_items.nodes {
        let (was, is) = (discount(item, item.quantity)?, discount(item, quantities(o, item).0.max(0))?);
        left = left.and_then(|left| left.checked_sub(was)?.checked_add(is));
    }
    let left = left.ok_or("its discounts are larger than any amount")?;
    if left == theirs || theirs.is_zero() {
        return Ok(wanted);
    }
    let share = wanted.checked_mul(left).and_then(|all| all.checked_div(theirs));
    Ok(share.ok_or("its discounts are larger than any amount")?.round_dp(wanted.scale().max(2)).normalize())
}

/// A price without its tax.
fn net(o: &wire::Order, price: Decimal, tax: Decimal) -> Result<Decimal, String> {
    if !o.taxes_included {
        return Ok(price);
    }
    price.checked_sub(tax).ok_or_else(|| "a tax is larger than any amount".to_owned())
}

fn charge(kind: ChargeKind, title: &str, amount: Decimal) -> Charge {
    let title = title.to_owned();
    Charge { kind, remote_id: String::new(), code: String::new(), title, amount, tax: Decimal::ZERO }
}

/// A charge that bears a tax.
fn taxed(o: &wire::Order, id: &str, charge: Charge, taxes: &[wire::TaxLine]) -> Result<Charge, String> {
    let tax = self::taxes(taxes)?;
    Ok(Charge { remote_id: number(id).to_owned(), amount: net(o, charge.amount, tax)?, tax, ..charge })
}

fn charges(o: &wire::Order) -> Result<Vec<Charge>, String> {
    let mut charges = Vec::new();
    for s in &o.shipping_lines.nodes {
        let price = amount(&s.discounted_price_set, PRESENTMENT, "shippingLines")?;
        let shipping = Charge { code: text(&s.code), ..charge(ChargeKind::Shipping, &s.title, price) };
        charges.push(taxed(o, &s.id, shipping, &s.tax_lines)?);
    }
    // Duties may be in the prices.
    let duties = if is_edited(o) { &o.current_total_duties_set } else { &o.original_total_duties_set };
    let duties = if o.duties_included { &None } else { duties };
    let duties = amount_or_none(duties, PRESENTMENT, "totalDutiesSet")?;
    charges.extend((!duties.is_zero()).then(|| charge(ChargeKind::Fee, "Duties", duties)));
    for fee in &o.additional_fees {
        let price = amount(&fee.price, PRESENTMENT, "additionalFees")?;
        charges.push(taxed(o, &fee.id, charge(ChargeKind::Fee, &fee.name, price), &fee.tax_lines)?);
    }
    for t in &o.current_tax_lines {
        let tax = amount(&t.price_set, PRESENTMENT, "currentTaxLines")?;
        charges.push(Charge { code: t.title.clone(), ..charge(ChargeKind::Tax, &t.title, tax) });
    }
    let discount = discounts(o, PRESENTMENT)?;
    let codes = o.discount_codes.join(", ");
    let off = || Charge { code: codes.clone(), ..charge(ChargeKind::Discount, &codes, discount) };
    charges.extend((!discount.is_zero()).then(off));
    Ok(charges)
}

fn refund(r: &wire::Refund) -> Result<Refund, String> {
    Ok(Refund {
        remote_id: number(&r.id).to_owned(),
        refunded_at: r.created_at.as_deref().map(|at| time(at, "refunds.createdAt")).transpose()?,
        amount: amount(&r.total_refunded_set, PRESENTMENT, "refunds.totalRefundedSet")?,
        reason: text(&r.note),
        lines: Vec::new(),
    })
}

/// Whether a fulfilment is on its way or made, not cancelled or failed.
pub(crate) fn is_made(fulfillment: &wire::Fulfillment) -> bool {
    matches!(&*fulfillment.status, "SUCCESS" | "OPEN" | "PENDING")
}

/// What was shipped. An order's document does not say which lines are in which fulfilment, only how
/// many of each line are fulfilled: that is put into the only one, and where there are several into
/// an entry of its own. Where nothing that ships is among it, what has no number is no parcel.
fn shipments(o: &wire::Order, ordered: &[Line]) -> Vec<RemoteShipment> {
    let mut made: Vec<RemoteShipment> = o.fulfillments.iter().filter(|f| is_made(f)).map(shipment).collect();
    let fulfilled = |item: &wire::LineItem| {
        // Of a cancelled order nothing is ordered any more, and nothing unfulfilled.
        let count = item.current_quantity.saturating_sub(item.unfulfilled_quantity?);
        let count = count.saturating_add(item.returned.unwrap_or(0));
        let line_id = number(&item.id).to_owned();
        (count > 0).then(|| LineQuantity { line_id, quantity: Decimal::from(count) })
    };
    let lines: Vec<LineQuantity> = o.line_items.nodes.iter().filter_map(fulfilled).collect();
    let count = RemoteShipment { remote_id: String::new(), shipped_at: None, lines, parcels: Vec::new() };
    let is_whole = o.incomplete.is_none() && o.line_items.nodes.iter().all(|item| item.unfulfilled_quantity.is_some());
    if is_whole && !count.is_parcel(ordered) {
        made.retain(|one| !one.parcels.is_empty());
    }
    match made.as_mut_slice() {
        [] => {}
        [only] => only.lines = count.lines,
        _ if count.lines.is_empty() => {}
        _ => made.push(count),
    }
    made
}

pub(super) fn shipment(f: &wire::Fulfillment) -> RemoteShipment {
    let parcel = |t: &wire::Tracking| {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Some(Parcel { carrier: text(&t.company), tracking: some(&t.number)?, url: some(&t.url) })
    };
    RemoteShipment {
        remote_id: number(&f.id).to_owned(),
        shipped_at: f.created_at.as_deref().and_then(|at| time(at, "").ok()),
        lines: Vec::new(),
        parcels: f.tracking_info.iter().filter_map(parcel).collect(),
    }
}

fn payment(o: &wire::Order) -> Payment {
    let paid = o.transactions.iter().find(|t| t.status == "SUCCESS");
    Payment {
        title: o.payment_gateway_names.join(", "),
        method: o.payment_gateway_names.first().map(|name| text(name)).unwrap_or_default(),
        transaction_id: paid.map(|t| t.payment_id.clone()).unwrap_or_default(),
    }
}

/// The buyer as the order has them; the customer's record fills in. All of it may be hidden from
/// the app.
fn buyer(o: &wire::Order) -> Buyer {
    let of = |a: &Option<wire::Address>, part: fn(&wire::Address) -> String| a.as_ref().map(part).unwrap_or_default();
    let (billing, shipping) = (&o.billing_address, &o.shipping_address);
    let (id, known) =
        o.customer.as_ref().map(|customer| (&*customer.id, customer.display_name.clone())).unwrap_or_default();
    let phone = |a: &wire::Address| text(&a.phone);
    Buyer {
        remote_id: number(id).to_owned(),
        name: first_of([of(billing, name), of(shipping, name), known]),
        email: text(&o.email),
        phone: first_of([text(&o.phone), of(shipping, phone), of(billing, phone)]),
    }
}

fn name(a: &wire::Address) -> String {
    let both = format!("{} {}", text(&a.first_name), text(&a.last_name));
    first_of([text(&a.name), both.trim().to_owned()])
}

fn address(a: &wire::Address, o: &wire::Order) -> Address {
    Address {
        remote_id: None,
        name: name(a),
        company: text(&a.company),
        line1: text(&a.address1),
        line2: text(&a.address2),
        city: text(&a.city),
        region: first_of([text(&a.province_code), text(&a.province)]),
        postcode: text(&a.zip),
        country: first_of([text(&a.country_code_v2), text(&a.country)]),
        phone: text(&a.phone),
        email: text(&o.email),
    }
}

/// Tags, purchase order number, the reason of a cancellation, and what buyer and apps attached to
/// the order.
fn attributes(o: &wire::Order) -> Vec<(String, String)> {
    let tags = (!o.tags.is_empty()).then(|| o.tags.join(", "));
    let named = [
        ("tags", tags),
        ("purchase order", o.po_number.clone()),
        ("confirmation number", o.confirmation_number.clone()),
        ("order at its source", o.source_identifier.clone()),
        ("cancel reason", o.cancel_reason.clone()),
    ];
    let named = named.into_iter().filter_map(|(label, value)| Some((label.to_owned(), value?)));
    let custom = o.custom_attributes.iter().map(|a| (a.key.clone(), text(&a.value)));
    let cut =
        |most| ("incomplete".to_owned(), format!("Shopify lists no more than {most} refunds, fulfilments or payments"));
    deliveries(o)
        .into_iter()
        .chain(o.incomplete.map(cut))
        .chain(named)
        .chain(custom)
        .filter(|(label, value)| !label.starts_with('_') && !value.is_empty())
        .take(40)
        .collect()
}

fn text(part: &str) -> String {
    part.trim().to_owned()
}

fn first_of<const N: usize>(parts: [String; N]) -> String {
    parts.into_iter().find(|part| !part.is_empty()).unwrap_or_default()
}

/// A time of Shopify's: whole seconds in UTC, or with an offset.
pub(crate) fn time(text: &str, member: &str) -> Result<Timestamp, String> {
    let parsed = chrono::DateTime::parse_from_rfc3339(text.trim());
    let meant = parsed.ok().map(|at| at.to_utc()).filter(crate::clock::is_meant);
    meant.ok_or_else(|| format!("{member} is not a time"))
}

/// The second of such a time, where there is one.
pub(crate) fn second(text: Option<&str>) -> Option<i64> {
    Some(time(text?, "").ok()?.timestamp())
}

#[cfg(test)]
mod tests;
