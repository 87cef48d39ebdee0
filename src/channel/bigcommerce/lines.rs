//! The lines of an order, where each of them goes, and what stands on them.

use rust_decimal::Decimal;

use super::map::{charge, first_of};
use super::wire::{self, Product};
use crate::order::{Charge, ChargeKind, Line, LineQuantity};

/// The order's delivery addresses, in the store's order.
pub(crate) fn places<'o, 'a>(o: &'o wire::Order<'a>) -> Vec<&'o wire::Address<'a>> {
    let consigned = &o.consignments.0.shipping;
    let places = if consigned.listed { consigned } else { &o.ordersync.0.shipping_addresses };
    places.rows.iter().collect()
}

/// A line and the way it reaches the buyer.
struct Found<'o, 'a> {
    product: &'o Product<'a>,
    /// The consignment's own id where the line stands in one, else what the line says.
    address: Option<&'o str>,
    /// In a parcel, not by download, by e-mail or at the counter.
    shipped: bool,
}

/// The lines, and how many of each are shipped.
pub(crate) fn lines(
    o: &wire::Order<'_>,
    places: &[&wire::Address<'_>],
) -> Result<(Vec<Line>, Vec<LineQuantity>), String> {
    let inclusive = o.is_tax_inclusive_pricing.is_true();
    let (mut lines, mut shipped) = (Vec::new(), Vec::new());
    for found in found(o)? {
        let line = line(&found, places, inclusive)?;
        let sent = found.product.quantity_shipped.decimal("products.quantity_shipped")?;
        if !sent.is_zero() {
            shipped.push(LineQuantity { line_id: line.remote_id.clone(), quantity: sent });
        }
        lines.push(line);
    }
    Ok((lines, shipped))
}

/// The lines out of the consignments, or out of the list that was fetched instead, which is the
/// whole one.
fn found<'o, 'a>(o: &'o wire::Order<'a>) -> Result<Vec<Found<'o, 'a>>, String> {
    let fetched = &o.ordersync.0.products;
    let consigned = &o.consignments.0;
    if fetched.listed {
        let physical = |product: &Product<'_>| {
            let address = product.order_address_id.id();
            goes_by_parcel(product, address)
                && product.order_pickup_method_id.id().is_none()
                && !is_picked_up(o, places(o).into_iter().find(|place| place.id.id() == address))
        };
        let found = |product| Found { product, address: product.order_address_id.id(), shipped: physical(product) };
        return Ok(fetched.rows.iter().map(found).collect());
    }
    if !consigned.shipping.listed {
        return Err("its lines are not in the document".to_owned());
    }
    let sent = consigned.shipping.rows.iter().flat_map(|place| {
        let picked_up = is_picked_up(o, Some(place));
        let by_parcel = move |product| goes_by_parcel(product, place.id.id()) && !picked_up;
        let found = move |product| Found { product, address: place.id.id(), shipped: by_parcel(product) };
        place.line_items.rows.iter().map(found)
    });
    let bundles = [&consigned.pickups, &consigned.downloads, &consigned.email.0.gift_certificates];
    let others = bundles.into_iter().flat_map(|bundles| &bundles.rows).flat_map(|bundle| &bundle.line_items.rows);
    Ok(sent.chain(others.map(|product| Found { product, address: None, shipped: false })).collect())
}

/// Whether the buyer comes for what would go to this address: the store's status says so of the
/// whole order, or its shipping method "Pickup In Store" does, which is a shipping address like any
/// other in an order.
fn is_picked_up(o: &wire::Order<'_>, place: Option<&wire::Address<'_>>) -> bool {
    o.status_id.get() == AWAITING_PICKUP || place.is_some_and(|place| is_pickup(place.shipping_method.get()))
}

/// The id of the status "Awaiting Pickup".
const AWAITING_PICKUP: &str = "8";

/// Whether a shipping method is the store's counter. A merchant can rename it; what only holds the
/// word (a carrier's pick-up points) is a parcel.
fn is_pickup(method: &str) -> bool {
    let letters = method.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase);
    matches!(
        letters.collect::<String>().as_str(),
        "pickup"
            | "pickupinstore"
            | "pickupatstore"
            | "pickupinshop"
            | "instorepickup"
            | "storepickup"
            | "localpickup"
            | "customerpickup"
            | "clickandcollect"
            | "clickcollect"
            | "collectinstore"
            | "collectionfromstore"
    )
}

/// Whether nothing of the order goes to an address because the buyer comes for it.
pub(crate) fn all_picked_up(o: &wire::Order<'_>, places: &[&wire::Address<'_>], lines: &[Line]) -> bool {
    !lines.iter().any(|line| line.ships) && places.iter().any(|place| is_picked_up(o, Some(place)))
}

/// A line whose kind is not told, or is not known yet, is what its delivery address makes of it.
fn goes_by_parcel(product: &Product<'_>, address: Option<&str>) -> bool {
    match product.kind.get() {
        "physical" => true,
        "digital" | "giftcertificate" => false,
        _ => address.is_some(),
    }
}

fn line(found: &Found<'_, '_>, places: &[&wire::Address<'_>], inclusive: bool) -> Result<Line, String> {
    let p = found.product;
    let product = p.product_id.id().unwrap_or_default();
    let (unit_price, total) = prices(p, inclusive)?;
    Ok(Line {
        remote_id: p.id.id().ok_or("a line has no id")?.to_owned(),
        sku: p.sku.get().to_owned(),
        name: first_of(p.name.get(), p.name_customer.get()),
        variant: variant(p),
        product_id: match p.variant_id.id() {
            Some(variant) if !product.is_empty() => format!("{product}:{variant}"),
            _ => product.to_owned(),
        },
        quantity: p.quantity.decimal("products.quantity")?,
        refunded: p.quantity_refunded.decimal("products.quantity_refunded")?,
        returned: None,
        unit_price,
        total,
        tax: p.total_tax.decimal("products.total_tax")?,
        ships: found.shipped,
        ship_to: if found.shipped { place(found.address, places)? } else { 0 },
    })
}

/// Price of one before discounts, and the line after them. The line's share of every discount is
/// told with tax where prices are told with tax.
fn prices(p: &Product<'_>, inclusive: bool) -> Result<(Decimal, Decimal), String> {
    let off = p
        .applied_discounts
        .rows
        .iter()
        .map(|d| d.amount.decimal("applied_discounts.amount"))
        .sum::<Result<Decimal, _>>()?;
    if !inclusive {
        let total = p.total_ex_tax.decimal("products.total_ex_tax")? - off;
        return Ok((p.price_ex_tax.decimal("products.price_ex_tax")?, total));
    }
    let total = match p.discounted_total_inc_tax.get() {
        "" => p.total_inc_tax.decimal("products.total_inc_tax")? - off,
        _ => p.discounted_total_inc_tax.decimal("products.discounted_total_inc_tax")?,
    };
    Ok((p.price_inc_tax.decimal("products.price_inc_tax")?, total))
}

/// Which of the order's addresses a line goes to. One that cannot be found is no reason to guess: a
/// parcel to a wrong address is worse than an order in the inbox. An order that an app made may
/// have none at all: then there is none to guess, and it is not sent.
fn place(address: Option<&str>, places: &[&wire::Address<'_>]) -> Result<usize, String> {
    let known = address.and_then(|id| places.iter().position(|place| place.id.id() == Some(id)));
    match (known, address, places.len()) {
        (Some(place), ..) => Ok(place),
        (None, None, 0 | 1) => Ok(0),
        _ => Err("a line goes to an address that the order does not list".to_owned()),
    }
}

/// The choices as the buyer reads them.
fn variant(p: &Product<'_>) -> String {
    let choices =
        p.product_options.rows.iter().map(|c| (c.display_name.get().to_owned(), c.display_value.get().to_owned()));
    let fields = p.configurable_fields.rows.iter().map(|field| (field.name.get().to_owned(), field.text()));
    let shown =
        choices.chain(fields).filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}: {value}"));
    shown.collect::<Vec<_>>().join(", ")
}

/// The discounts with their names and codes, each added up over the lines that share it.
pub(crate) fn discounts(o: &wire::Order<'_>) -> Result<Vec<Charge>, String> {
    let mut charges: Vec<Charge> = Vec::new();
    for found in found(o)? {
        for discount in &found.product.applied_discounts.rows {
            let off = discount.amount.decimal("applied_discounts.amount")?.abs();
            let same = |c: &&mut Charge| {
                c.remote_id == discount.id.get() && c.code == discount.code.get() && c.title == discount.name.get()
            };
            match charges.iter_mut().find(same) {
                Some(charge) => charge.amount += off,
                None => charges.push(charge(
                    ChargeKind::Discount,
                    discount.id.get(),
                    discount.code.get(),
                    discount.name.get(),
                    (off, Decimal::ZERO),
                )),
            }
        }
    }
    Ok(charges)
}

/// Everything else worth showing.
pub(crate) fn attributes(o: &wire::Order<'_>, places: &[&wire::Address<'_>]) -> Vec<(String, String)> {
    let mut shown: Vec<(String, String)> = Vec::new();
    let mut show = |label: &str, value: &str| {
        if !value.is_empty() {
            shown.push((label.to_owned(), value.to_owned()));
        }
    };
    show("staff notes", o.staff_notes.get());
    show("external order", o.external_order_id.get());
    show("external id", o.external_id.get());
    show("external merchant", o.external_merchant_id.get());
    show("external source", o.external_source.get());
    // "0" stands for none here.
    show("eBay order", o.ebay_order_id.id().unwrap_or_default());
    show("sales channel", Some(o.channel_id.get()).filter(|id| *id != "1").unwrap_or_default());
    show("payment status", o.payment_status.get());
    for (label, credit) in
        [("paid by store credit", &o.store_credit_amount), ("paid by gift certificate", &o.gift_certificate_amount)]
    {
        if credit.decimal(label).is_ok_and(|credit| !credit.is_zero()) {
            show(label, credit.get());
        }
    }
    if o.status_id.get() == "13" {
        show("problem", "disputed: the buyer's bank asks for the money back");
    }
    for bundle in &o.consignments.0.pickups.rows {
        show("pick-up", first_of(bundle.pickup_method_display_name.get(), "yes").as_str());
    }
    for place in places.iter().filter(|place| is_picked_up(o, Some(place))) {
        show("pick-up", first_of(place.shipping_method.get(), "yes").as_str());
    }
    let forms = std::iter::once(&o.billing_address.0)
        .chain(places.iter().copied())
        .flat_map(|address| &address.form_fields.rows);
    for field in forms {
        show(field.name.get(), &field.text());
    }
    for found in found(o).unwrap_or_default() {
        let (name, message) = (found.product.wrapping_name.get(), found.product.wrapping_message.get());
        let what = [name, message].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
        if !what.is_empty() {
            show(&format!("gift wrapping of {}", first_of(found.product.sku.get(), found.product.name.get())), &what);
        }
    }
    shown
}
