//! WooCommerce's order to ours. Pure: the same document and settings give the same order.
//!
//! Line prices are always without tax here, whatever the shop's `prices_include_tax` says about its
//! catalogue. Which lines a refund touched, and what is in fulfilments, stands in what was added to
//! the document ([`super::document`]).

use rust_decimal::Decimal;

use super::status::{self, Evidence, is_pickup, meaning};
use super::wire;
use crate::channel::json::{Keyed, Text};
use crate::channel::status_words::meaning as of_plugins;
use crate::channel::text::{decode, plain};
use crate::clock::Timestamp;
use crate::order::sums::balanced;
use crate::order::{
    Address, Buyer, Charge, ChargeKind, Currency, LABEL, Line, LineQuantity, Order, Parcel, Payment, Pieces, Presence,
    Refund, RefundLine, RemoteShipment, Status, Totals, names_number, sum,
};

pub(crate) use super::status::Statuses;

/// Statuses of entries that are no orders yet: open checkouts and unsaved forms.
pub(crate) fn is_draft(status: &str) -> bool {
    matches!(status, "checkout-draft" | "auto-draft" | "draft" | "new")
}

/// Reads an order's document. The error names the member at fault and repeats nothing personal.
pub(crate) fn order(document: &str, statuses: &Statuses) -> Result<Order, String> {
    map(&parse(document)?, statuses)
}

/// An order's document as the shop spells it.
pub(crate) fn parse(document: &str) -> Result<wire::Order<'_>, String> {
    serde_json::from_str(document).map_err(|error| {
        format!(
            "the document has not the shape of an order ({:?} error at column {})",
            error.classify(),
            error.column()
        )
    })
}

/// The order that it means.
pub(crate) fn map(o: &wire::Order<'_>, statuses: &Statuses) -> Result<Order, String> {
    as_told(o, statuses).and_then(balanced)
}

fn as_told(o: &wire::Order<'_>, statuses: &Statuses) -> Result<Order, String> {
    // Under another name than its own the same order would be there twice once it is readable
    // again.
    let is_id = |id: &&str| id.bytes().all(|b| b.is_ascii_digit());
    let remote_id = o.id.id().filter(is_id).ok_or("it has no id")?.to_owned();
    let currency = Currency::new(o.currency.get()).ok_or("its currency is not a currency code")?;
    let modified = time(&o.date_modified_gmt, "date_modified_gmt")?;
    let created = time(&o.date_created_gmt, "date_created_gmt")?;
    let (placed_at, updated_at) = match (created, modified) {
        (Some(created), Some(modified)) => (created, modified),
        (Some(one), None) | (None, Some(one)) => (one, one),
        (None, None) => return Err("it has neither date_created_gmt nor date_modified_gmt".to_owned()),
    };
    let picked_up = is_picked_up(o);
    let scattered = goes_to_several(o);
    let nothing_ships = picked_up || nothing_ships(o);
    let mut refunds = refunds(o)?.iter().map(|r| refund(r, details(o, r))).collect::<Result<Vec<_>, _>>()?;
    // What its own route tells and the order does not list.
    for told in &o.ordersync.0.refunds.0 {
        if !refunds.iter().any(|known| known.remote_id == told.id.get()) {
            let amount = told.amount.decimal("refunds.amount")?.abs();
            let (remote_id, reason) = (told.id.get().to_owned(), plain(&told.reason.0));
            refunds.push(Refund { remote_id, amount, reason, ..refund(&wire::Refund::default(), Some(told))? });
        }
    }
    let ships = |item: &wire::LineItem<'_>| !nothing_ships && !needs_no_parcel(o, item);
    let mut lines =
        o.line_items.given("line_items")?.iter().map(|item| line(item, ships(item))).collect::<Result<Vec<_>, _>>()?;
    for line in &mut lines {
        let parts = refunds.iter().flat_map(|refund| &refund.lines).filter(|part| part.line_id == line.remote_id);
        line.refunded = sum(parts.map(|part| part.quantity));
    }
    let mut shipments = shipments(o)?;
    shipments.retain(|one| one.is_parcel(&lines));
    let billing = address(&o.billing.0);
    let status = status(o, statuses, Goods { lines: &lines, refunds: &refunds, shipments: &shipments });
    // One of which something was sent is not waited with for the money.
    let has_begun = status == Status::OnHold && !shipments.is_empty();
    let mut order = Order {
        number: o.number.id().unwrap_or(&remote_id).to_owned(),
        status,
        held_as: has_begun.then_some(Status::PartiallyShipped),
        channel_status: o.status.get().to_owned(),
        presence: if o.status.get() == "trash" { Presence::Trashed } else { Presence::Listed },
        placed_at,
        updated_at,
        paid_at: time(&o.date_paid_gmt, "date_paid_gmt")?,
        ship_by: None,
        currency,
        totals: totals(o, &lines, &refunds)?,
        shop_totals: None,
        prices_include_tax: false,
        buyer: Buyer {
            remote_id: o.customer_id.id().unwrap_or_default().to_owned(),
            name: first_of(&billing.name, &name(&o.shipping.0)),
            email: billing.email.clone(),
            phone: first_of(&billing.phone, o.shipping.0.phone.get()),
        },
        ship_to: if picked_up || scattered {
            Vec::new()
        } else {
            ship_to(o, &billing, lines.iter().any(|line| line.ships))
        },
        bill_to: Some(billing).filter(|address| *address != Address::default()),
        lines,
        charges: charges(o)?,
        refunds,
        shipments: with_labels(o, shipments),
        payment: Payment {
            method: o.payment_method.get().to_owned(),
            title: plain(&o.payment_method_title.0),
            transaction_id: o.transaction_id.get().to_owned(),
        },
        buyer_note: decode(o.customer_note.get()),
        source: o.created_via.get().to_owned(),
        test: false,
        attributes: attributes(o, picked_up),
        asked_less: false,
        remote_id,
    };
    if is_erased(o, &order) {
        clear_marks(&mut order);
    }
    let refunded = status::plain(o.status.get()) == status::REFUNDED;
    let order = if refunded { order.said_to_be_given_back() } else { order };
    let in_doubt = || o.ordersync.0.fulfillments.0.iter().any(|one| one.is_made() && maker(o, one) == Maker::Unknown);
    Ok(if scattered && order.lines.iter().any(|line| line.ships) {
        order.held_back(SCATTERED)
    } else if let Some(parent) = counted_in(o) {
        order.held_back(&format!(
            "a marketplace plugin has made it of order {parent}, which has the same pieces in it; they are counted there"
        ))
    } else if in_doubt() {
        order.held_back(FULFILLED_BY_WHOM)
    } else {
        order
    })
}

/// The order whose pieces this one has for a vendor of a marketplace (Dokan, YITH, MultiVendorX), by
/// its id. The parent holds those of all vendors, and what the shop sells itself.
fn counted_in<'o>(o: &'o wire::Order<'_>) -> Option<&'o str> {
    let of_vendor = matches!(o.created_via.get(), "dokan" | "yith_wcmv_vendor_suborder")
        || meta(&o.meta_data.0, "_mvx_order_version").is_some();
    o.parent_id.id().filter(|_| of_vendor)
}

/// Why an order is held back of which a fulfilment may be the shop's own.
const FULFILLED_BY_WHOM: &str = "a fulfilment without a tracking number holds goods that are sent and have a download; \
    nobody can tell whether the shop made it by itself, as it does for downloads, or they have left";

/// Why an order that goes to several addresses is held back.
const SCATTERED: &str =
    "its pieces go to several addresses, which a plugin of the shop keeps and only its order screen shows";

/// Whether the pieces go to several addresses (Shipping Multiple Addresses). The order then has no
/// address of its own, and those in the plugin's packages stand beside whole products in no form
/// that is promised: to take the billing address for them would send all of it to the wrong door.
fn goes_to_several(o: &wire::Order<'_>) -> bool {
    let said = meta(&o.meta_data.0, "_multiple_shipping").is_some_and(|entry| entry.text() == "yes");
    said && address(&o.shipping.0).is_blank()
}

/// Whether the buyer was erased: WooCommerce says so, and gives an address that no mail reaches and
/// one mark, in the shop's language, in the place of each text.
fn is_erased(o: &wire::Order<'_>, order: &Order) -> bool {
    if meta(&o.meta_data.0, "_anonymized").is_some_and(|entry| entry.text() == "yes") {
        return true;
    }
    let twice = |name: &str| name.split_once(' ').is_some_and(|(first, last)| first == last && is_mark(first));
    order.buyer.email.ends_with("@site.invalid") || twice(&order.buyer.name)
}

/// Whether a text is what WordPress puts in the place of one: `[deleted]`.
fn is_mark(text: &str) -> bool {
    text.starts_with('[') && text.ends_with(']')
}

/// Whether it is what WooCommerce puts in the place of a telephone, each digit a zero, or of a number
/// that leads to somebody: 0.
fn is_of_zeros(text: &str) -> bool {
    let mut digits = text.chars().filter(char::is_ascii_digit).peekable();
    digits.peek().is_some() && digits.all(|digit| digit == '0')
}

/// What was erased tells nothing.
fn clear_marks(order: &mut Order) {
    let addresses = order.ship_to.iter_mut().chain(&mut order.bill_to);
    let texts = addresses.flat_map(|a| {
        [
            &mut a.name,
            &mut a.company,
            &mut a.line1,
            &mut a.line2,
            &mut a.city,
            &mut a.region,
            &mut a.postcode,
            &mut a.phone,
            &mut a.email,
        ]
    });
    let Buyer { name, email, phone, .. } = &mut order.buyer;
    for text in texts.chain([name, email, phone, &mut order.buyer_note]) {
        if is_mark(text) || text.ends_with("@site.invalid") {
            text.clear();
        }
    }
    let phones = order.ship_to.iter_mut().chain(&mut order.bill_to).map(|address| &mut address.phone);
    let numbers = phones.chain([&mut order.buyer.phone, &mut order.payment.transaction_id]);
    numbers.filter(|text| is_of_zeros(text)).for_each(|text| text.clear());
    order.attributes.retain(|(_, text)| !is_mark(text) && !text.ends_with("@site.invalid"));
}

/// What was bought, and what became of it.
#[derive(Clone, Copy)]
struct Goods<'a> {
    lines: &'a [Line],
    refunds: &'a [Refund],
    shipments: &'a [RemoteShipment],
}

/// What the shop's status amounts to. Fulfilments refine it: creating them never changes the
/// order's own status.
fn status(o: &wire::Order<'_>, statuses: &Statuses, goods: Goods<'_>) -> Status {
    let rows = &o.ordersync.0.fulfillments.0;
    let by_itself = rows.iter().any(|one| one.is_made() && is_by_itself(o, one));
    let fulfilled = match said_of_fulfillments(o) {
        Some(Status::Shipped) if is_fulfilled(o) && !by_itself => Some(Status::Shipped),
        Some(_) if nothing_left(goods) => Some(Status::Shipped),
        // What the shop has fulfilled by itself is no parcel.
        _ if goods.shipments.is_empty() && !rows.is_empty() => None,
        Some(Status::PartiallyShipped) => Some(Status::PartiallyShipped),
        // What is in them goes before the word of a plugin.
        said if rows.iter().any(wire::Fulfillment::is_made) => sent(goods).or(said),
        said => said,
    };
    let seen = Evidence {
        paid: !o.date_paid_gmt.get().is_empty(),
        completed: !o.date_completed_gmt.get().is_empty(),
        sent: fulfilled.or_else(|| sent(goods)),
    };
    let word = meaning(o.status.get(), seen, statuses);
    match (word, fulfilled) {
        (Status::Cancelled | Status::Shipped, _) => word,
        // What is left of it is held back.
        (Status::OnHold, Some(Status::PartiallyShipped)) => word,
        _ => fulfilled.unwrap_or(word),
    }
}

/// What its parcels amount to; those of most plugins do not say what is in them.
fn sent(goods: Goods<'_>) -> Option<Status> {
    let in_full = goods.shipments.iter().any(|one| one.lines.is_empty()) || nothing_left(goods);
    (!goods.shipments.is_empty()).then_some(if in_full { Status::Shipped } else { Status::PartiallyShipped })
}

/// Whether what was not sent has been given back: the shop's own word counts only what was sent.
/// What may have been sent before it was given back is not known to be done with.
fn nothing_left(goods: Goods<'_>) -> bool {
    let Goods { lines, refunds, shipments } = goods;
    let may_be_owed = |line: &Line| !Pieces::of(line, refunds, shipments).at_most().is_zero();
    !lines.iter().any(|line| line.ships && may_be_owed(line))
}

/// What the shop's word for all fulfilments of the order amounts to, its own or that of a plugin.
fn said_of_fulfillments(o: &wire::Order<'_>) -> Option<Status> {
    let said = of_plugins(&status::plain(&fulfillment_status(o)));
    said.filter(|said| matches!(said, Status::Shipped | Status::PartiallyShipped))
}

/// Whether a part of the order may be in fulfilments, so that it must be known what is in them:
/// plugins have words of their own for how much of it is.
pub(crate) fn is_partial(o: &wire::Order<'_>) -> bool {
    !matches!(fulfillment_status(o).as_str(), "" | "fulfilled" | "unfulfilled" | "no_fulfillments")
}

/// Whether all of the order is in fulfilments.
pub(crate) fn is_fulfilled(o: &wire::Order<'_>) -> bool {
    fulfillment_status(o) == "fulfilled"
}

fn fulfillment_status(o: &wire::Order<'_>) -> String {
    meta(&o.meta_data.0, "_fulfillment_status").map(wire::Meta::text).unwrap_or_default()
}

/// The entry with this key, the newest where a plugin left several.
fn meta<'m, 'a>(entries: &'m [wire::Meta<'a>], key: &str) -> Option<&'m wire::Meta<'a>> {
    entries.iter().rev().find(|entry| entry.key.get() == key)
}

/// Whether the order as a whole holds nothing that is sent. The API does not tell virtual products,
/// and a blank delivery address alone may mean "same as billing", so all the evidence must agree:
/// no address, no shipping line, and the shop itself says that nothing needs processing (which it
/// also says of products that are gone).
fn nothing_ships(o: &wire::Order<'_>) -> bool {
    address(&o.shipping.0).is_blank()
        && o.shipping_lines.0.is_empty()
        && o.needs_processing.get() == "false"
        && o.line_items.0.iter().all(|item| item.product_id.id().is_some())
}

/// Whether it has no delivery address of its own.
pub(super) fn has_no_address(o: &wire::Order<'_>) -> bool {
    address(&o.shipping.0).is_blank()
}

/// Whether the product is known to be one that is not sent ([`super::goods`]).
fn needs_no_parcel(o: &wire::Order<'_>, item: &wire::LineItem<'_>) -> bool {
    product(o, item).is_some_and(wire::Product::needs_no_parcel)
}

/// The product or variation of a line, where the shop was asked for it.
fn product<'o, 'a>(o: &'o wire::Order<'a>, item: &wire::LineItem<'_>) -> Option<&'o wire::Product<'a>> {
    let id = item.variation_id.id().or(item.product_id.id())?;
    o.ordersync.0.products.0.iter().find(|product| product.id.get() == id)
}

/// Whether the buyer comes for it: every shipping line is a pick-up (the classic method, the block
/// checkout's, and those of plugins that build on them), or the status says so. The delivery
/// address is then the buyer's own, and no parcel goes there.
fn is_picked_up(o: &wire::Order<'_>) -> bool {
    let by_hand = |line: &wire::ShippingLine<'_>| {
        let method = line.method_id.get();
        method.starts_with("local_pickup") || method.starts_with("pickup_location")
    };
    let methods = &o.shipping_lines.0;
    is_pickup(o.status.get()) || (!methods.is_empty() && methods.iter().all(by_hand))
}

fn line(item: &wire::LineItem<'_>, ships: bool) -> Result<Line, String> {
    let quantity = item.quantity.given("line_items.quantity")?;
    let subtotal = item.subtotal.decimal("line_items.subtotal")?;
    let product = item.product_id.id().unwrap_or_default();
    Ok(Line {
        remote_id: item.id.id().ok_or("a line has no id")?.to_owned(),
        sku: item.sku.get().to_owned(),
        name: plain(&item.name.0),
        variant: variant(item),
        product_id: match item.variation_id.id() {
            Some(variation) if !product.is_empty() => format!("{product}:{variation}"),
            _ => product.to_owned(),
        },
        quantity,
        refunded: Decimal::ZERO,
        returned: None,
        unit_price: unit_price(subtotal, quantity),
        total: item.total.decimal("line_items.total")?,
        tax: item.total_tax.decimal("line_items.total_tax")?,
        ships: ships && !inside_bundle(item, subtotal),
        ship_to: 0,
    })
}

/// Where bundles' plugins name the bundle that a line is a part of.
const PARTS: [&str; 4] = ["_bundled_by", "bundled_by", "_composite_parent", "_mnm_container"];

/// Where they say whether a part is sent by itself.
const SENT_ALONE: [&str; 2] = ["_bundled_item_needs_shipping", "_mnm_item_needs_shipping"];

/// Whether the line is a part of a bundle that ships as one: Product Bundles, Composite Products and
/// Mix and Match list the bundle and its parts, most of them priced 0. What the plugin says of a part
/// counts; where it says nothing, parts with a price of their own ship.
fn inside_bundle(item: &wire::LineItem<'_>, subtotal: Decimal) -> bool {
    let has = |key| meta(&item.meta_data.0, key).is_some_and(|entry| !entry.text().is_empty());
    let is_part = PARTS.iter().any(|key| has(key));
    let said = SENT_ALONE.iter().find_map(|key| meta(&item.meta_data.0, key)).map(wire::Meta::text);
    match said.as_deref() {
        Some("yes") => false,
        Some("no") => is_part,
        _ => is_part && subtotal.is_zero(),
    }
}

/// Price of one before discounts: exact where it divides, else to six decimals.
fn unit_price(subtotal: Decimal, quantity: Decimal) -> Decimal {
    if quantity == Decimal::ONE {
        return subtotal;
    }
    let Some(price) = subtotal.checked_div(quantity) else { return subtotal };
    let mut price = price.round_dp(6.max(subtotal.scale())).normalize();
    if price.scale() < subtotal.scale() {
        price.rescale(subtotal.scale());
    }
    price
}

/// The choices as the buyer reads them; keys with an underscore are internal.
fn variant(item: &wire::LineItem<'_>) -> String {
    let shown = item.meta_data.0.iter().filter_map(|entry| {
        let key = first_of(&plain(&entry.display_key.0), entry.key.get());
        let value = first_of(&plain(&entry.display_value.0), &entry.text());
        (!key.starts_with('_') && !entry.key.get().starts_with('_') && !value.is_empty())
            .then(|| format!("{key}: {value}"))
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn totals(o: &wire::Order<'_>, lines: &[Line], refunds: &[Refund]) -> Result<Totals, String> {
    Ok(Totals {
        total: o.total.given("total")?,
        lines: sum(lines.iter().map(|line| line.total)),
        shipping: o.shipping_total.decimal("shipping_total")?,
        tax: o.total_tax.decimal("total_tax")?,
        discount: o.discount_total.decimal("discount_total")?,
        refunded: sum(refunds.iter().map(|refund| refund.amount)),
    })
}

fn charges(o: &wire::Order<'_>) -> Result<Vec<Charge>, String> {
    let mut charges = Vec::new();
    for s in &o.shipping_lines.0 {
        let (total, tax) = (s.total.decimal("shipping_lines.total")?, s.total_tax.decimal("shipping_lines.total_tax")?);
        charges.push(charge(ChargeKind::Shipping, &s.id, &s.method_id, &s.method_title, (total, tax)));
    }
    for f in &o.fee_lines.0 {
        let (total, tax) = (f.total.decimal("fee_lines.total")?, f.total_tax.decimal("fee_lines.total_tax")?);
        charges.push(charge(ChargeKind::Fee, &f.id, &Text::default(), &f.name, (total, tax)));
    }
    for t in &o.tax_lines.0 {
        let goods = t.tax_total.decimal("tax_lines.tax_total")?;
        let shipping = t.shipping_tax_total.decimal("tax_lines.shipping_tax_total")?;
        charges.push(charge(ChargeKind::Tax, &t.id, &t.rate_code, &t.label, (goods + shipping, Decimal::ZERO)));
    }
    for c in &o.coupon_lines.0 {
        let (off, tax) =
            (c.discount.decimal("coupon_lines.discount")?, c.discount_tax.decimal("coupon_lines.discount_tax")?);
        charges.push(charge(ChargeKind::Discount, &c.id, &c.code, &c.code, (off.abs(), tax.abs())));
    }
    Ok(charges)
}

fn charge(
    kind: ChargeKind,
    id: &Text<'_>,
    code: &Text<'_>,
    title: &Text<'_>,
    (amount, tax): (Decimal, Decimal),
) -> Charge {
    Charge { kind, remote_id: id.get().to_owned(), code: code.get().to_owned(), title: plain(&title.0), amount, tax }
}

/// What the refund's own route told of it.
fn details<'o, 'a>(o: &'o wire::Order<'a>, r: &wire::Refund<'_>) -> Option<&'o wire::RefundDetails<'a>> {
    o.ordersync.0.refunds.0.iter().find(|details| details.id.get() == r.id.get())
}

/// The refunds, which an order that has none need not have a list of.
fn refunds<'o>(o: &'o wire::Order<'_>) -> Result<&'o [wire::Refund<'o>], String> {
    let given = o.refunds.given("refunds");
    if o.status.get() == "refunded" { given } else { Ok(given.unwrap_or_default()) }
}

fn refund(r: &wire::Refund<'_>, details: Option<&wire::RefundDetails<'_>>) -> Result<Refund, String> {
    let items = details.map(|details| details.line_items.0.as_slice()).unwrap_or_default();
    Ok(Refund {
        remote_id: r.id.get().to_owned(),
        refunded_at: details
            .map(|details| time(&details.date_created_gmt, "refunds.date_created_gmt"))
            .transpose()?
            .flatten(),
        amount: r.total.decimal("refunds.total")?.abs(),
        reason: plain(&r.reason.0),
        lines: items.iter().filter_map(|item| refunded_line(item).transpose()).collect::<Result<_, _>>()?,
    })
}

/// What was given back of a line, with its tax; nothing where it does not say of which.
fn refunded_line(item: &wire::RefundedItem<'_>) -> Result<Option<RefundLine>, String> {
    let line_id = meta(&item.meta_data.0, "_refunded_item_id").map(wire::Meta::text).unwrap_or_default();
    let goods = item.total.decimal("refunds.line_items.total")?.abs();
    let tax = item.total_tax.decimal("refunds.line_items.total_tax")?.abs();
    let quantity = item.quantity.decimal("refunds.line_items.quantity")?.abs();
    Ok((!line_id.is_empty()).then_some(RefundLine { line_id, quantity, amount: sum([goods, tax]) }))
}

/// The delivery address; the billing one where it is blank and something is sent.
fn ship_to(o: &wire::Order<'_>, billing: &Address, ships: bool) -> Vec<Address> {
    let mut to = address(&o.shipping.0);
    if to.is_blank() {
        return if ships && !billing.is_blank() { vec![billing.clone()] } else { Vec::new() };
    }
    if to.name.is_empty() && to.company.is_empty() {
        to.name.clone_from(&billing.name);
    }
    to.phone = first_of(&to.phone, &billing.phone);
    to.email.clone_from(&billing.email);
    to_the_point(o, &mut to);
    vec![to]
}

/// Where plugins keep the code of the parcel locker or shop that the buyer has chosen, in the order
/// or its shipping line: InPost, and Packeta in its versions.
const POINTS: [&str; 6] = [
    "_parcel_machine_id",
    "_packetery_point_id",
    "packetery_point_id",
    "_packeta_point_id",
    "zasilkovna_id_pobocky",
    "paczkomat_key",
];

/// The same of Shiptastic, which puts the locker in the place of the street as well.
const LOCKER: &str = "_pickup_location_code";

/// Where Shiptastic keeps the number by which a locker knows the buyer.
const CUSTOMER_NUMBER: &str = "_pickup_location_customer_number";

/// What stands under a key in the order or in one of its shipping lines.
fn chosen(o: &wire::Order<'_>, key: &str) -> Option<String> {
    let lines = o.shipping_lines.0.iter().map(|line| &line.meta_data.0);
    let mut found = [&o.meta_data.0].into_iter().chain(lines).filter_map(|entries| meta(entries, key));
    found.find_map(|entry| Some(plain(&entry.text())).filter(|text| !text.is_empty() && text.chars().count() <= 60))
}

/// The point that the buyer has chosen.
fn point(o: &wire::Order<'_>) -> Option<String> {
    POINTS.iter().find_map(|key| chosen(o, key))
}

/// A parcel that goes to a locker or a shop gets there by the point's code and the buyer's number:
/// they are a part of the address, and another one is another address.
fn to_the_point(o: &wire::Order<'_>, to: &mut Address) {
    for code in [point(o), chosen(o, CUSTOMER_NUMBER)].into_iter().flatten() {
        if ![&to.company, &to.line1, &to.line2].iter().any(|line| line.contains(&code)) {
            to.line2 = format!("{} {code}", to.line2).trim().to_owned();
        }
    }
}

fn address(a: &wire::Address<'_>) -> Address {
    let text = |part: &Text<'_>| decode(part.get());
    Address {
        remote_id: None,
        name: name(a),
        company: text(&a.company),
        line1: text(&a.address_1),
        line2: text(&a.address_2),
        city: text(&a.city),
        region: text(&a.state),
        postcode: text(&a.postcode),
        country: a.country.get().to_owned(),
        phone: text(&a.phone),
        email: text(&a.email),
    }
}

fn name(a: &wire::Address<'_>) -> String {
    decode(format!("{} {}", a.first_name.get(), a.last_name.get()).trim())
}

/// What the shop shows as sent, in its fulfilments and in the parcels of a tracking plugin. One
/// that stands in both is one. An order that is fulfilled as a whole, and of whose fulfilments
/// nothing is known, has one shipment that says no more than that.
fn shipments(o: &wire::Order<'_>) -> Result<Vec<RemoteShipment>, String> {
    let made = o.ordersync.0.fulfillments.0.iter().filter(|one| one.is_made());
    let made: Vec<_> = made.collect();
    let by_hand = made.iter().filter(|one| !is_by_itself(o, one));
    let mut shipments = by_hand.map(|one| fulfilled(one)).collect::<Result<Vec<_>, _>>()?;
    let untold = o.ordersync.0.fulfillments.0.is_empty() && said_of_fulfillments(o) == Some(Status::Shipped);
    let by_itself = !made.is_empty() && shipments.is_empty();
    if shipments.is_empty() && (untold || is_fulfilled(o) && !by_itself) {
        shipments.push(RemoteShipment::default());
    }
    add_unknown(&mut shipments, tracked(o).into_iter().chain(of_aftership(o)));
    Ok(shipments)
}

/// Adds the parcels whose number is not among these.
fn add_unknown(shipments: &mut Vec<RemoteShipment>, more: impl Iterator<Item = RemoteShipment>) {
    for parcel in more {
        let number = parcel.parcels.first().map_or("", |parcel| &parcel.tracking);
        let known = shipments.iter().flat_map(|one| &one.parcels).any(|one| names_number(&one.tracking, number));
        if !known {
            shipments.push(parcel);
        }
    }
}

/// The same with the labels that were bought in the shop (WooCommerce Shipping, and its forerunner in
/// WooCommerce Tax). One is a parcel that somebody packs: no evidence of what has left.
fn with_labels(o: &wire::Order<'_>, mut shipments: Vec<RemoteShipment>) -> Vec<RemoteShipment> {
    let labels = ["wcshipping_labels", "wc_connect_labels"].into_iter().flat_map(|key| {
        let labels: Vec<wire::Label<'_>> = listed(o, key);
        let kept = labels.into_iter().filter(|label| matches!(label.refund.0.status.get(), "" | "rejected"));
        let named = |one: RemoteShipment| RemoteShipment { remote_id: format!("{LABEL}{}", one.remote_id), ..one };
        kept.map(|label| parcel(&label.label_id, &label.carrier_id, &label.tracking).map(named)).collect::<Vec<_>>()
    });
    add_unknown(&mut shipments, labels.flatten());
    shipments
}

/// Parcels that AfterShip keeps in the order's meta.
fn of_aftership(o: &wire::Order<'_>) -> Vec<RemoteShipment> {
    let items: Vec<wire::AfterShip<'_>> = listed(o, "_aftership_tracking_items");
    let with_lines = |item: &wire::AfterShip<'_>| {
        let parcel = parcel(&item.tracking_id, &item.slug, &item.tracking_number)?;
        Some(RemoteShipment { lines: aftership_lines(o, item).unwrap_or_default(), ..parcel })
    };
    items.iter().filter_map(with_lines).collect()
}

/// What is in such a parcel; nothing where one of its rows is of no line of the order, or tells no
/// number: then nothing of what is in it is known.
fn aftership_lines(o: &wire::Order<'_>, item: &wire::AfterShip<'_>) -> Option<Vec<LineQuantity>> {
    let line = |row: &wire::AfterShipLine<'_>| {
        let line = o.line_items.0.iter().find(|line| line.id.id().is_some() && line.id.get() == row.id.get())?;
        let quantity = row.quantity.decimal("line_items.quantity").ok()?;
        let line = LineQuantity { line_id: line.id.get().to_owned(), quantity };
        (line.quantity >= Decimal::ZERO).then_some(line)
    };
    let lines = item.line_items.0.iter().map(line).collect::<Option<Vec<_>>>()?;
    Some(lines.into_iter().filter(|line| !line.quantity.is_zero()).collect())
}

/// What a plugin keeps under this key as a list.
fn listed<'o, T: serde::Deserialize<'o>>(o: &'o wire::Order<'_>, key: &str) -> Vec<T> {
    let raw = meta(&o.meta_data.0, key).and_then(|entry| entry.value);
    raw.and_then(|raw| serde_json::from_str::<Keyed<T>>(raw.get()).ok()).map(|list| list.0).unwrap_or_default()
}

/// A parcel with this number; nothing where it has none.
fn parcel(id: &Text<'_>, carrier: &Text<'_>, number: &Text<'_>) -> Option<RemoteShipment> {
    let parcel = Parcel { carrier: carrier.get().to_owned(), tracking: number.get().to_owned(), url: None };
    let shipment =
        RemoteShipment { remote_id: id.get().to_owned(), parcels: vec![parcel], ..RemoteShipment::default() };
    (!number.get().is_empty()).then_some(shipment)
}

/// Who has made a fulfilment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// The merchant, or a program of theirs.
    Merchant,
    /// The shop by itself, which has sent nothing.
    Shop,
    /// It may be either.
    Unknown,
}

/// As long may a shop take from the payment to the fulfilment that it makes by itself.
const AT_ONCE: chrono::TimeDelta = chrono::TimeDelta::minutes(2);

/// Whether the shop has made this fulfilment by itself, as far as is known.
pub(super) fn is_by_itself(o: &wire::Order<'_>, one: &wire::Fulfillment<'_>) -> bool {
    maker(o, one) != Maker::Merchant
}

/// Who has made this fulfilment. In the moment in which an order is paid a shop fulfils by itself
/// all that has a download, sent or not: in full, with no number and no carrier. Of goods that are
/// sent a merchant's own may look the same; then its time tells.
fn maker(o: &wire::Order<'_>, one: &wire::Fulfillment<'_>) -> Maker {
    let contents = one.contents().unwrap_or_default();
    if one.tells_of_a_parcel() || contents.is_empty() {
        return Maker::Merchant;
    }
    let mut is_sent = false;
    for part in &contents {
        let item = o.line_items.0.iter().find(|item| item.id.get() == part.line_id);
        let Some((item, product)) = item.and_then(|item| Some((item, product(o, item)?))) else {
            return Maker::Merchant;
        };
        let whole = item.quantity.decimal("line_items.quantity").is_ok_and(|all| part.quantity >= all);
        if !product.is_downloadable() || !whole {
            return Maker::Merchant;
        }
        is_sent |= !product.needs_no_parcel();
    }
    if !is_sent {
        return Maker::Merchant;
    }
    // It is told in the shop's own time, and so are those, where they are told.
    let own = [(&o.date_paid, &o.date_paid_gmt), (&o.date_created, &o.date_created_gmt)];
    let times = own.map(|(time, gmt)| if time.get().is_empty() { gmt } else { time });
    let with = |at: chrono::NaiveDateTime| {
        let mut known = times.iter().filter_map(|time| local_time(time.get()));
        known.any(|time| at.signed_duration_since(time).abs() <= AT_ONCE)
    };
    if one.sent_at().is_some_and(with) { Maker::Shop } else { Maker::Unknown }
}

fn fulfilled(one: &wire::Fulfillment<'_>) -> Result<RemoteShipment, String> {
    let numbers = one.meta("_tracking_number").unwrap_or_default();
    let url = one.meta("_tracking_url").filter(|url| !url.is_empty());
    let carrier = one.meta("_shipment_provider").unwrap_or_default();
    // Parcels of one carrier are in one fulfilment, with one link.
    let parcels = numbers.split(',').map(str::trim).filter(|number| !number.is_empty());
    let parcel = |tracking: &str| Parcel { carrier: carrier.clone(), tracking: tracking.to_owned(), url: url.clone() };
    Ok(RemoteShipment {
        remote_id: one.id.get().to_owned(),
        // The shop tells it in its own time, without an offset.
        shipped_at: None,
        lines: one.contents()?,
        parcels: parcels.map(parcel).collect(),
    })
}

pub(super) fn contents(items: &[wire::Item<'_>]) -> Result<Vec<LineQuantity>, String> {
    let named = items.iter().filter_map(|item| Some((item.item_id.id()?.to_owned(), &item.qty)));
    named.map(|(line_id, qty)| Ok(LineQuantity { line_id, quantity: qty.decimal("fulfillments.qty")?.abs() })).collect()
}

/// Parcels that the Shipment Tracking extension (or Advanced Shipment Tracking, in the same place)
/// keeps in the order's meta.
fn tracked(o: &wire::Order<'_>) -> Vec<RemoteShipment> {
    let Some(raw) = meta(&o.meta_data.0, "_wc_shipment_tracking_items").and_then(|entry| entry.value) else {
        return Vec::new();
    };
    let items: Keyed<wire::Tracking<'_>> = serde_json::from_str(raw.get()).unwrap_or_default();
    items.0.iter().filter(|item| !item.tracking_number.get().is_empty()).map(tracking).collect()
}

fn tracking(item: &wire::Tracking<'_>) -> RemoteShipment {
    let seconds = item.date_shipped.get().parse().ok();
    let link = first_of(item.custom_tracking_link.get(), item.tracking_link.get());
    RemoteShipment {
        remote_id: item.tracking_id.get().to_owned(),
        shipped_at: seconds.and_then(|seconds| Timestamp::from_timestamp(seconds, 0)),
        lines: contents(&item.products_list.0).unwrap_or_default(),
        parcels: vec![Parcel {
            carrier: first_of(item.tracking_provider.get(), item.custom_tracking_provider.get()),
            tracking: item.tracking_number.get().to_owned(),
            url: Some(link).filter(|link| !link.is_empty()),
        }],
    }
}

/// The label under which an order tells that it needs no parcel.
const DELIVERY: &str = "delivery";

/// Where plugins keep the number that an order has at the marketplace it came from: WP-Lister for
/// Amazon and for eBay, Codisto.
const MARKETPLACE_KEYS: [&str; 4] =
    ["_wpla_amazon_order_id", "_codisto_amazonorderid", "_ebay_order_id", "_ebay_extended_order_id"];

/// Where plugins keep a VAT number.
const VAT_KEYS: [&str; 5] =
    ["_billing_vat_number", "billing_vat_number", "_vat_number", "vat_number", "_billing_eu_vat_number"];

/// The parent order, the number at a marketplace, the VAT number, and the public text entries that plugins add (gift messages
/// and the like).
fn attributes(o: &wire::Order<'_>, picked_up: bool) -> Vec<(String, String)> {
    let place = o.shipping_lines.0.iter().map(|line| plain(&line.method_title.0)).find(|title| !title.is_empty());
    let pickup = picked_up.then(|| (DELIVERY.to_owned(), format!("pick-up: {}", place.unwrap_or_default())));
    let code = chosen(o, LOCKER).or_else(|| point(o)).map(|code| ("pick-up point".to_owned(), code));
    let number = chosen(o, CUSTOMER_NUMBER).map(|number| ("pick-up customer number".to_owned(), number));
    let parent = o.parent_id.id().map(|id| ("parent order".to_owned(), id.to_owned()));
    let sold = MARKETPLACE_KEYS.iter().filter_map(|key| {
        let number = meta(&o.meta_data.0, key)?.text();
        (!number.is_empty() && number.len() <= 60).then(|| ("marketplace order".to_owned(), plain(&number)))
    });
    let entries = o.meta_data.0.iter().filter_map(|entry| {
        let key = entry.key.get();
        let label = if VAT_KEYS.contains(&key) { "VAT number" } else { key };
        let value = entry.text();
        let shown =
            !label.starts_with('_') && !POINTS.contains(&label) && !value.is_empty() && value.chars().count() <= 500;
        shown.then(|| (label.to_owned(), plain(&value)))
    });
    pickup.into_iter().chain(code).chain(number).chain(parent).chain(sold).chain(entries.take(20)).collect()
}

fn first_of(a: &str, b: &str) -> String {
    if a.is_empty() { b.to_owned() } else { a.to_owned() }
}

/// A GMT time as the shop writes it, without zone; nothing for null, the empty string and MySQL's
/// zero date.
pub(crate) fn time(text: &Text<'_>, member: &str) -> Result<Option<Timestamp>, String> {
    let text = text.get();
    if text.is_empty() || text.starts_with("0000-") {
        return Ok(None);
    }
    parse_time(text).map(Some).ok_or_else(|| format!("{member} is not a time"))
}

/// `2026-11-23T07:00:50`, with or without `Z` and fractions.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    local_time(text).map(|naive| naive.and_utc()).filter(crate::clock::is_meant)
}

/// The same by a clock that the text does not tell.
pub(super) fn local_time(text: &str) -> Option<chrono::NaiveDateTime> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    text.replacen(' ', "T", 1).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest document that is an order, with this member replaced or left out.
    fn with(member: &str, value: Option<serde_json::Value>) -> Result<Order, String> {
        let mut document = serde_json::json!({
            "id": 101, "number": "101", "status": "processing", "currency": "EUR", "total": "12.00",
            "date_created_gmt": "2026-11-23T07:00:50", "date_modified_gmt": "2026-11-23T07:00:50",
            "line_items": [{ "id": 1, "name": "Tea", "quantity": 1, "subtotal": "12.00", "total": "12.00" }],
        });
        let fields = document.as_object_mut().unwrap();
        fields.remove(member);
        fields.extend(value.map(|value| (member.to_owned(), value)));
        order(&document.to_string(), &Statuses::default())
    }

    fn order_of(document: &serde_json::Value) -> Order {
        order(&document.to_string(), &Statuses::default()).unwrap()
    }

    #[test]
    fn p12_what_is_packed_in_a_bundle_is_no_piece_beside_it() {
        use serde_json::json;
        let part = |price: &str, entries: &[(&str, &str)]| {
            let meta: Vec<_> = entries.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
            let lines = json!([
                { "id": 1, "name": "Box", "quantity": 1, "subtotal": "12.00", "total": "12.00" },
                { "id": 2, "name": "Tea", "quantity": 6, "subtotal": price, "total": price, "meta_data": meta }]);
            with("line_items", Some(lines)).unwrap().lines[1].ships
        };
        for key in PARTS {
            assert!(!part("0.00", &[(key, "a1b2")]) && part("3.00", &[(key, "a1b2")]), "{key}");
            for said in SENT_ALONE {
                assert!(!part("3.00", &[(key, "a1b2"), (said, "no")]), "{key} {said}");
                assert!(part("0.00", &[(key, "a1b2"), (said, "yes")]), "{key} {said}");
            }
        }
        assert!(part("0.00", &[]) && part("0.00", &[("_mnm_container_size", "6"), ("_mnm_item_needs_shipping", "no")]));
    }

    #[test]
    fn d1_a_locker_and_the_buyers_number_there_are_shown_and_are_a_part_of_the_address() {
        use serde_json::json;
        let order = |meta: serde_json::Value, of_line: serde_json::Value| {
            let document = json!({
                "id": 101, "number": "101", "status": "processing", "currency": "EUR", "total": "12.00",
                "date_created_gmt": "2026-11-23T07:00:50",
                "line_items": [{ "id": 1, "name": "Tea", "quantity": 1, "subtotal": "12.00", "total": "12.00" }],
                "shipping": { "first_name": "Ann", "address_1": "Packstation 123", "address_2": "", "country": "DE" },
                "shipping_lines": [{ "id": 2, "method_title": "Locker", "total": "0.00", "meta_data": of_line }],
                "meta_data": meta,
            });
            order_of(&document)
        };
        let entry = |key: &str, value: &str| json!([{ "id": 1, "key": key, "value": value }]);
        let none = order(json!([]), json!([]));
        for key in POINTS {
            for found in [order(entry(key, "WAW22A"), json!([])), order(json!([]), entry(key, "WAW22A"))] {
                assert_eq!(found.attributes, [("pick-up point".to_owned(), "WAW22A".to_owned())], "{key}");
                assert_eq!(found.ship_to[0].line2, "WAW22A", "{key}");
                let changed = crate::order::differences(&none, &found);
                assert!(changed.iter().any(|one| one.aspect == crate::order::Field::Address), "{key}");
            }
        }
        let shiptastic = json!([{ "key": LOCKER, "value": "123:DE" }, { "key": CUSTOMER_NUMBER, "value": 1_234_567 }]);
        let found = order(shiptastic, json!([]));
        let labels: Vec<&str> = found.attributes.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["pick-up point", "pick-up customer number"]);
        assert_eq!((found.ship_to[0].line1.as_str(), found.ship_to[0].line2.as_str()), ("Packstation 123", "1234567"));
    }

    /// Of three pieces, with these rows in a parcel of AfterShip.
    #[test]
    fn d5_what_aftership_has_in_a_parcel_counts_where_all_of_it_is_of_the_order() {
        use serde_json::json;
        let of = |rows: serde_json::Value| {
            let parcel = json!({ "tracking_id": "a1", "tracking_number": "JD01", "slug": "dhl", "line_items": rows });
            let document = json!({
                "id": 141, "number": "141", "status": "processing", "currency": "EUR", "total": "45.00",
                "date_created_gmt": "2026-11-23T07:00:50", "date_paid_gmt": "2026-11-23T07:00:50",
                "line_items": [{ "id": 141001, "name": "Tee", "quantity": 3, "subtotal": "45.00", "total": "45.00" }],
                "meta_data": [{ "id": 1, "key": "_aftership_tracking_items", "value": [parcel] }],
            });
            let order = order(&document.to_string(), &Statuses::default()).unwrap();
            assert_eq!(order.shipments[0].parcels[0].tracking, "JD01");
            let lines = order.shipments[0].lines.iter();
            lines.map(|line| format!("{} of {}", line.quantity, line.line_id)).collect::<Vec<_>>()
        };
        assert_eq!(of(json!([{ "id": 141_001, "quantity": 1 }])), ["1 of 141001"]);
        assert_eq!(of(json!([{ "id": "141001", "quantity": "2" }, { "id": 7, "quantity": 0 }])), [""; 0]);
        assert_eq!(of(json!([{ "id": "141001", "quantity": "2" }])), ["2 of 141001"]);
        for odd in [
            json!([{ "id": 141_001, "quantity": 1 }, { "id": 9, "quantity": 1 }]),
            json!([{ "sku": "TEE", "quantity": 1 }]),
            json!([{ "id": 141_001, "quantity": -1 }]),
            json!("none"),
            json!(null),
        ] {
            assert_eq!(of(odd.clone()), [""; 0], "{odd}");
        }
    }

    #[test]
    fn the_number_that_an_order_has_at_a_marketplace_is_told() {
        use serde_json::json;
        for key in MARKETPLACE_KEYS {
            let meta = json!([{ "id": 1, "key": key, "value": "113-4300393-6159415" }, { "id": 2, "key": "_other", "value": "1" }]);
            let told = with("meta_data", Some(meta)).unwrap().attributes;
            assert_eq!(told, [("marketplace order".to_owned(), "113-4300393-6159415".to_owned())], "{key}");
        }
    }

    #[test]
    fn i4_an_amount_that_is_no_amount_makes_the_order_unreadable_and_not_free_of_charge() {
        use serde_json::json;
        assert_eq!(with("total", Some(json!(12.5))).unwrap().totals.total.to_string(), "12.5");
        for value in
            [Some(json!({ "amount": "12.00" })), Some(json!(["12.00"])), Some(json!(true)), Some(json!("")), None]
        {
            assert!(with("total", value.clone()).is_err(), "{value:?}");
        }
        assert!(with("line_items", Some(json!([{ "id": 1, "quantity": [], "total": "1.00" }]))).is_err());
        assert!(with("total_tax", None).is_ok(), "what a shop may leave out is zero");
    }

    /// Three pieces of a line, with what was added to the document and the shop's word on its
    /// fulfilments.
    fn of_three(refunds: serde_json::Value, fulfillments: serde_json::Value, word: &str) -> Order {
        let document = serde_json::json!({
            "id": 141, "number": "141", "status": "processing", "currency": "EUR", "total": "45.00",
            "date_created_gmt": "2026-11-23T07:00:50", "date_modified_gmt": "2026-11-23T07:00:50",
            "date_paid_gmt": "2026-11-23T07:00:50",
            "line_items": [{ "id": 141001, "name": "Tee", "quantity": 3, "subtotal": "45.00", "total": "45.00" }],
            "refunds": [{ "id": 9001, "reason": "", "total": "-17.85" }, { "id": 9003, "reason": "", "total": "-5.00" }],
            "meta_data": [{ "id": 1, "key": "_fulfillment_status", "value": word }],
            "ordersync": { "refunds": refunds, "fulfillments": fulfillments },
        });
        order(&document.to_string(), &Statuses::default()).unwrap()
    }

    #[test]
    fn p10_the_lines_of_refunds_count_whatever_their_sign_and_an_amount_alone_gives_no_piece_back() {
        use serde_json::json;
        let item = |quantity: i32, of: &str| {
            json!({ "id": 9002, "quantity": quantity, "total": "-15.00", "total_tax": "-2.85",
                "meta_data": [{ "id": 1, "key": "_refunded_item_id", "value": of }] })
        };
        let refund = |id: u32, items: Vec<serde_json::Value>| json!({ "id": id, "line_items": items });
        for quantity in [-1, 1] {
            let one = refund(9001, vec![item(quantity, "141001"), item(-1, "77"), json!({ "quantity": -1 })]);
            let found = of_three(json!([one, refund(9003, vec![])]), json!([]), "");
            assert_eq!(found.lines[0].refunded, Decimal::ONE, "{quantity}");
            let amounts: Vec<String> = found.refunds[0].lines.iter().map(|line| line.amount.to_string()).collect();
            assert_eq!((amounts, found.refunds[1].lines.len()), (vec!["17.85".to_owned(); 2], 0));
        }
        assert_eq!(of_three(json!([]), json!([]), "").lines[0].refunded, Decimal::ZERO);
    }

    #[test]
    fn what_is_in_fulfilments_is_sent_and_drafts_and_deleted_ones_are_not() {
        use serde_json::json;
        let made = |id: u32, status: &str, qty: u32| {
            json!({ "id": id, "status": status, "is_fulfilled": true, "meta_data": [
                { "id": 1, "key": "_items", "value": [{ "item_id": 141001, "qty": qty }] },
                { "id": 2, "key": "_tracking_number", "value": "JD01" }] })
        };
        let mut deleted = made(3, "fulfilled", 2);
        deleted["date_deleted"] = json!("2026-11-23 08:00:00");
        let found = of_three(
            json!([]),
            json!([made(1, "fulfilled", 1), made(2, "unfulfilled", 2), deleted]),
            "partially_fulfilled",
        );
        assert_eq!(found.status, Status::PartiallyShipped);
        let [one] = &found.shipments[..] else { panic!("{:?}", found.shipments) };
        assert_eq!((one.lines[0].quantity, one.parcels[0].tracking.as_str()), (Decimal::ONE, "JD01"));

        let back = json!([{ "id": 9001, "line_items": [{ "quantity": -2, "meta_data": [{ "key": "_refunded_item_id", "value": 141001 }] }] }]);
        let found = of_three(back, json!([made(1, "fulfilled", 1)]), "partially_fulfilled");
        assert_eq!(found.status, Status::PartiallyShipped, "one of the two given back may be the one that was sent");
        for (word, statuses, expected) in [
            ("partially-shipped", ["shipped", "draft"], Status::PartiallyShipped),
            ("shipped", ["delivered", "draft"], Status::PartiallyShipped),
            ("not-shipped", ["draft", "processing"], Status::AwaitingFulfillment),
            ("delivered", ["delivered", "shipped"], Status::Shipped),
        ] {
            let rows = statuses.map(|status| {
                let mut one = made(7, status, 2);
                one["is_fulfilled"] = json!(matches!(status, "shipped" | "delivered"));
                one
            });
            assert_eq!(of_three(json!([]), json!(rows), word).status, expected, "{word}");
        }
        let whole = of_three(json!([]), json!([]), "delivered");
        assert!(whole.status == Status::Shipped && whole.shipments[0].is_bare(), "{:?}", whole.shipments);
        let whole = of_three(json!([]), json!([]), "fulfilled");
        assert!(whole.status == Status::Shipped && whole.shipments[0].is_bare(), "{:?}", whole.shipments);
    }

    #[test]
    fn p11_marks_in_the_place_of_an_erased_buyer_tell_nothing_and_brackets_alone_erase_nothing() {
        let person = |name: &str, company: &str, email: &str| {
            let billing = serde_json::json!({
                "first_name": name, "last_name": name, "company": company, "email": email, "address_1": "1 Street"
            });
            with("billing", Some(billing)).unwrap()
        };
        for (name, email) in [("[deleted]", ""), ("", "deleted@site.invalid"), ("[gelöscht]", "deleted@site.invalid")]
        {
            let order = person(name, "[deleted]", email);
            let to = order.bill_to.unwrap_or_default();
            assert_eq!([&to.name, &to.company, &to.email, &order.buyer.email], [""; 4], "{name} {email}");
        }
        let order = person("Ann", "[Team Blue]", "ann@example.com");
        assert_eq!(order.bill_to.unwrap().company, "[Team Blue]");
        let erased = |value: &str| {
            let document = serde_json::json!({
                "id": 101, "number": "101", "status": "completed", "currency": "EUR", "total": "0.00",
                "date_created_gmt": "2026-11-23T07:00:50", "line_items": [], "transaction_id": "0",
                "billing": { "first_name": "", "phone": "+00 000 0000000" }, "shipping": { "phone": "000" },
                "meta_data": [{ "id": 1, "key": "_anonymized", "value": value },
                    { "id": 2, "key": "Payer first name", "value": "[deleted]" }],
            });
            order_of(&document)
        };
        let phones = |order: &Order| {
            let to = order.bill_to.iter().chain(&order.ship_to).map(|address| address.phone.clone());
            let all = to.chain([order.buyer.phone.clone(), order.payment.transaction_id.clone()]);
            all.filter(|text| !text.is_empty()).count()
        };
        assert_eq!((phones(&erased("yes")), erased("yes").attributes.len()), (0, 0));
        assert!(phones(&erased("no")) > 1 && erased("no").attributes.len() == 1);
    }

    #[test]
    fn p11_a_document_without_its_lines_or_its_refund_is_not_taken_for_one_that_has_none() {
        for poorer in [None, Some(serde_json::Value::Null), Some("".into())] {
            let lines = with("line_items", poorer.clone()).unwrap_err();
            assert_eq!(lines, "line_items is not in the document");
        }
        // The smallest document has none, and nothing says that there is one.
        assert!(with("refunds", None).unwrap().refunds.is_empty());
        assert_eq!(with("status", Some("refunded".into())).unwrap_err(), "refunds is not in the document");
    }

    #[test]
    fn i4_an_order_under_a_name_that_is_no_id_is_unreadable() {
        for id in ["abc", "-1", "10 1"] {
            assert!(with("id", Some(id.into())).is_err(), "{id}");
        }
        assert_eq!(with("id", Some("101".into())).unwrap().remote_id, "101");
    }
}
