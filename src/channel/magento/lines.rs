//! The rows of an order as lines.
//!
//! A configurable product comes twice: as the row that was bought, with price and counts, and as
//! the variant below it, with neither. It is one line. A bundle comes as its own row, with the
//! price, and the rows of its parts, each a line without a price. Whether a bundle ships as one or
//! in its parts nothing in the order says. Either way it is one line as long as whole ones of it go
//! out: a shipment of parts in their proportion is one of bundles. Where one holds some parts
//! without the others, as only the shop's own pages make them, the parts are the lines to ship; so
//! they are where some parts were given back without the others.

use rust_decimal::Decimal;

use super::map::amount;
use super::wire::{Chosen, Creditmemo, Item, Order, Shipment, ShippedItem};
use crate::order::{Line, LineQuantity, sum};

/// The rows of an order.
pub(crate) struct Rows<'o, 'a> {
    items: &'o [Item<'a>],
    shipments: &'o [Shipment<'a>],
    memos: &'o [Creditmemo<'a>],
}

impl<'o, 'a> Rows<'o, 'a> {
    /// Those of an order with what was fetched beside it.
    pub(crate) fn of(order: &'o Order<'a>) -> Self {
        let added = &order.ordersync.0;
        Self { items: &order.items.0, shipments: &added.shipments.0, memos: &added.creditmemos.0 }
    }

    /// A row by its id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&'o Item<'a>> {
        self.items.iter().find(|item| item.item_id.get() == id)
    }

    fn parent(&self, item: &Item<'_>) -> Option<&'o Item<'a>> {
        item.parent_item_id.id().and_then(|id| self.by_id(id))
    }

    /// The credit memos that count: open ones and done ones. The third state is taken back.
    pub(crate) fn memos(&self) -> impl Iterator<Item = &'o Creditmemo<'a>> {
        self.memos.iter().filter(|memo| memo.state.get() != "3")
    }

    /// The rows below one.
    pub(crate) fn children<'s>(&'s self, parent: &'s Item<'_>) -> impl Iterator<Item = &'o Item<'a>> + 's {
        let is_child = |item: &&Item<'_>| item.parent_item_id.id().is_some_and(|id| id == parent.item_id.get());
        self.items.iter().filter(is_child)
    }

    /// The id of the line that a row belongs to: the variant of a configurable product to that.
    pub(crate) fn line_of<'i>(&'i self, id: &'i str) -> &'i str {
        let parent = self.by_id(id).and_then(|item| self.parent(item));
        parent.filter(|parent| is_configurable(parent)).map_or(id, |parent| parent.item_id.get())
    }

    /// How many of a bundle went with a shipment in parts: none where it holds no part of it,
    /// `None` where these are not whole ones.
    fn whole_ones(&self, one: &Shipment<'_>, bundle: &Item<'_>) -> Result<Option<Decimal>, String> {
        let sent = |part: &Item<'_>| -> Result<Decimal, String> {
            let rows = one.items.0.iter().filter(|row| row.order_item_id.get() == part.item_id.get());
            Ok(sum(rows.map(|row| amount(&row.qty, "shipments.qty")).collect::<Result<Vec<_>, _>>()?))
        };
        self.in_whole_ones(bundle, sent)
    }

    /// So many of the parts as so many of their bundle; `None` where they are not whole ones.
    fn in_whole_ones(
        &self,
        bundle: &Item<'_>,
        count: impl Fn(&Item<'_>) -> Result<Decimal, String>,
    ) -> Result<Option<Decimal>, String> {
        let ones = self.ones_of_each(bundle, count)?;
        let first = ones.first().copied().unwrap_or_default();
        let is_whole = first.fract().is_zero() && ones.iter().all(|ones| *ones == first);
        Ok(is_whole.then_some(first))
    }

    /// So many of each of the parts as so many of their bundle. What goes into no parcel counts only
    /// where nothing of it does.
    fn ones_of_each(
        &self,
        bundle: &Item<'_>,
        count: impl Fn(&Item<'_>) -> Result<Decimal, String>,
    ) -> Result<Vec<Decimal>, String> {
        let whole = amount(&bundle.qty_ordered, "qty_ordered")?;
        let mut parts: Vec<_> = self.children(bundle).filter(|part| goes_into_a_parcel(part)).collect();
        if parts.is_empty() {
            parts = self.children(bundle).collect();
        }
        let ones = |part: &Item<'_>| {
            let of_part = count(part)?.saturating_mul(whole);
            let each = amount(&part.qty_ordered, "qty_ordered")?;
            Ok(of_part.checked_div(each).unwrap_or_default().round_dp(4))
        };
        parts.into_iter().map(ones).collect()
    }

    /// The bundle that a row is, or that it is a part of.
    pub(crate) fn bundle_of(&self, item: &'o Item<'a>) -> Option<&'o Item<'a>> {
        let bundle = self.parent(item).or_else(|| self.children(item).next().map(|_| item));
        bundle.filter(|bundle| !is_configurable(bundle))
    }

    /// Whether the parts of a bundle are to ship by themselves.
    pub(crate) fn ships_apart(&self, bundle: &Item<'_>) -> Result<bool, String> {
        let of_each = self.shipments.iter().map(|one| self.whole_ones(one, bundle));
        Ok(of_each.collect::<Result<Vec<_>, _>>()?.contains(&None) || self.is_torn(bundle)?)
    }

    /// Whether parts of a bundle were given back without the others before all of it was sent.
    fn is_torn(&self, bundle: &Item<'_>) -> Result<bool, String> {
        let count = |item: &Item<'_>| amount(&item.qty_shipped, "qty_shipped");
        let sent = self.ones(bundle, count)?.unwrap_or_default();
        if sent >= amount(&bundle.qty_ordered, "qty_ordered")? {
            return Ok(false);
        }
        let of_each = self.memos().map(|memo| self.ones(bundle, |item| in_memo(memo, item)));
        let is_torn = of_each.collect::<Result<Vec<_>, _>>()?.contains(&None);
        Ok(is_torn || self.ones(bundle, refunded)?.is_none() || self.ones(bundle, canceled)?.is_none())
    }

    /// How many of a bundle this counts; `None` where it is some parts without the others. The row of a
    /// bundle has credit memos' pieces of all its parts together, or the number of its shipments: it
    /// tells something only where its parts tell nothing.
    pub(crate) fn ones(
        &self,
        bundle: &Item<'_>,
        count: impl Fn(&Item<'_>) -> Result<Decimal, String>,
    ) -> Result<Option<Decimal>, String> {
        let of_parts = sum(self.children(bundle).map(&count).collect::<Result<Vec<_>, _>>()?);
        if of_parts.is_zero() {
            let most = amount(&bundle.qty_ordered, "qty_ordered")?.max(Decimal::ZERO);
            return Ok(Some(count(bundle)?.min(most)));
        }
        self.in_whole_ones(bundle, count)
    }

    /// How many of a line were given back: of a bundle of which some parts were without the others,
    /// as many as were whole.
    fn refunded(&self, item: &Item<'_>) -> Result<Decimal, String> {
        if is_configurable(item) || self.children(item).next().is_none() {
            return refunded(item);
        }
        if let Some(ones) = self.ones(item, refunded)? {
            return Ok(ones);
        }
        let least = self.ones_of_each(item, refunded)?.into_iter().min();
        Ok(least.unwrap_or_default().floor())
    }

    /// How many of a line were cancelled by themselves. The shop counts those of a bundle in its row or
    /// in its parts, as it ships them and reckons its price: which is empty tells nothing.
    fn canceled(&self, item: &Item<'_>) -> Result<Decimal, String> {
        let bundle = self.parent(item).filter(|parent| !is_configurable(parent));
        if let Some(bundle) = bundle {
            let of_parts = sum(self.children(bundle).map(canceled).collect::<Result<Vec<_>, _>>()?);
            let all = LineQuantity { line_id: bundle.item_id.get().to_owned(), quantity: canceled(bundle)? };
            let parts = if of_parts.is_zero() { self.parts_of(&all)?.unwrap_or_default() } else { Vec::new() };
            let mine = parts.into_iter().find(|part| part.line_id == item.item_id.get());
            return mine.map_or_else(|| canceled(item), |part| Ok(part.quantity));
        }
        if is_configurable(item) || self.children(item).next().is_none() {
            return canceled(item);
        }
        match self.ones(item, canceled)? {
            Some(ones) => Ok(ones),
            None => Ok(self.ones_of_each(item, canceled)?.into_iter().min().unwrap_or_default().floor()),
        }
    }

    /// How many of a line the order counts as shipped. The row of a bundle that goes in its parts
    /// counts shipments: where the parts are counted too, they tell how many went.
    pub(crate) fn shipped(&self, id: &str) -> Result<Decimal, String> {
        let Some(item) = self.by_id(id) else { return Ok(Decimal::ZERO) };
        let count = |item: &Item<'_>| amount(&item.qty_shipped, "qty_shipped");
        if let Some(bundle) = self.parent(item).filter(|parent| !is_configurable(parent)) {
            let of_parts = sum(self.children(bundle).map(count).collect::<Result<Vec<_>, _>>()?);
            let all = LineQuantity { line_id: bundle.item_id.get().to_owned(), quantity: count(bundle)? };
            let parts = if of_parts.is_zero() { self.parts_of(&all)?.unwrap_or_default() } else { Vec::new() };
            let mine = parts.into_iter().find(|part| part.line_id == id);
            return mine.map_or_else(|| count(item), |part| Ok(part.quantity));
        }
        let ones = self.bundle_of(item).map(|_| self.in_whole_ones(item, count)).transpose()?.flatten();
        ones.filter(|ones| !ones.is_zero()).map_or_else(|| count(item), Ok)
    }

    /// What of the lines is in a shipment. The row of a bundle whose parts are in it as well is
    /// only their heading.
    pub(crate) fn contents(&self, one: &Shipment<'_>) -> Result<Vec<LineQuantity>, String> {
        let mut found: Vec<LineQuantity> = Vec::new();
        let mut add = |id: &str, quantity| found.push(LineQuantity { line_id: id.to_owned(), quantity });
        let mut met = Vec::new();
        for row in &one.items.0 {
            let (id, quantity) = (row.order_item_id.get(), amount(&row.qty, "shipments.qty")?.abs());
            if self.line_of(id) != id {
                continue;
            }
            let Some(bundle) = self.by_id(id).and_then(|item| self.bundle_of(item)) else {
                add(id, quantity);
                continue;
            };
            let bundle_id = bundle.item_id.get();
            let ones = if self.ships_apart(bundle)? { None } else { self.whole_ones(one, bundle)? };
            match ones {
                // Without a row of its parts it is no heading, but what went.
                None if id == bundle_id => {
                    let is_of_a_part = |row: &ShippedItem<'_>| {
                        let part = self.by_id(row.order_item_id.get()).and_then(|item| self.parent(item));
                        part.is_some_and(|parent| parent.item_id.get() == bundle_id)
                    };
                    if !one.items.0.iter().any(is_of_a_part) {
                        let all = LineQuantity { line_id: id.to_owned(), quantity };
                        let parts = self.parts_of(&all)?.unwrap_or_default();
                        parts.into_iter().for_each(|part| add(&part.line_id, part.quantity));
                    }
                }
                None => add(id, quantity),
                Some(ones) if ones.is_zero() => add(id, quantity),
                Some(ones) if !met.contains(&bundle_id) => {
                    met.push(bundle_id);
                    add(bundle_id, ones);
                }
                Some(_) => {}
            }
        }
        Ok(found)
    }

    /// The pieces that stand for these of a line: those of its parts, in proportion, where it is a
    /// bundle. `None` where it is none.
    pub(crate) fn parts_of(&self, wanted: &LineQuantity) -> Result<Option<Vec<LineQuantity>>, String> {
        let Some(parent) = self.by_id(&wanted.line_id).filter(|item| !is_configurable(item)) else { return Ok(None) };
        let whole = amount(&parent.qty_ordered, "qty_ordered")?;
        let part = |item: &Item<'_>| -> Result<LineQuantity, String> {
            let each = amount(&item.qty_ordered, "qty_ordered")?;
            let quantity = each.saturating_mul(wanted.quantity).checked_div(whole).unwrap_or(each);
            Ok(LineQuantity { line_id: item.item_id.get().to_owned(), quantity: quantity.round_dp(4).normalize() })
        };
        let ships = |item: &&Item<'_>| goes_into_a_parcel(item);
        let parts = self.children(parent).filter(ships).map(part).collect::<Result<Vec<_>, _>>()?;
        Ok((!parts.is_empty()).then_some(parts))
    }

    /// Whether something is not invoiced yet, and whether something is.
    pub(crate) fn invoiced(&self) -> Result<(bool, bool), String> {
        let (mut open, mut done) = (false, false);
        for item in self.items.iter().filter(|item| self.parent(item).is_none()) {
            let invoiced = amount(&item.qty_invoiced, "qty_invoiced")?;
            let left = amount(&item.qty_ordered, "qty_ordered")?.saturating_sub(self.canceled(item)?);
            open |= invoiced < left;
            done |= !invoiced.is_zero();
        }
        Ok((open, done))
    }
}

fn is_configurable(item: &Item<'_>) -> bool {
    item.product_type.get() == "configurable"
}

/// How many of a row the order counts as given back.
fn refunded(item: &Item<'_>) -> Result<Decimal, String> {
    Ok(amount(&item.qty_refunded, "qty_refunded")?.max(Decimal::ZERO))
}

/// How many of a row were cancelled.
fn canceled(item: &Item<'_>) -> Result<Decimal, String> {
    Ok(amount(&item.qty_canceled, "qty_canceled")?.max(Decimal::ZERO))
}

/// How many of a row a credit memo gives back.
pub(crate) fn in_memo(memo: &Creditmemo<'_>, item: &Item<'_>) -> Result<Decimal, String> {
    let rows = memo.items.0.iter().filter(|row| row.order_item_id.get() == item.item_id.get());
    let counts = rows.map(|row| Ok(amount(&row.qty, "creditmemos.qty")?.abs()));
    Ok(sum(counts.collect::<Result<Vec<_>, String>>()?))
}

fn is_yes(text: &str) -> bool {
    matches!(text, "1" | "true")
}

/// Not what is downloaded, nor a virtual gift card.
fn goes_into_a_parcel(item: &Item<'_>) -> bool {
    !is_yes(item.is_virtual.get()) && !matches!(item.product_type.get(), "virtual" | "downloadable")
}

/// The lines, and what the pieces that were cancelled one by one come to. A cancelled order keeps
/// its pieces.
pub(crate) fn lines(rows: &Rows<'_, '_>, is_cancelled: bool) -> Result<(Vec<Line>, Decimal), String> {
    let (mut lines, mut off) = (Vec::new(), Decimal::ZERO);
    for item in rows.items {
        let parent = rows.parent(item);
        if parent.is_some_and(is_configurable) {
            continue;
        }
        let ordered = quantity(item)?;
        let cancelled = if is_cancelled { Decimal::ZERO } else { rows.canceled(item)? };
        if ordered < Decimal::ZERO {
            return Err(format!("qty_ordered is {ordered}"));
        }
        let cancelled = cancelled.clamp(Decimal::ZERO, ordered);
        let is_part = parent.is_some();
        let net = if is_part { Decimal::ZERO } else { net(rows, item, ordered)? };
        // What was cancelled stays in the total.
        let share = net.saturating_mul(cancelled).checked_div(ordered).unwrap_or_default().round_dp(4).normalize();
        off = sum([off, share]);
        lines.push(Line {
            quantity: ordered.saturating_sub(cancelled),
            total: net.saturating_sub(share),
            unit_price: if is_part { Decimal::ZERO } else { amount(&item.price, "price")? },
            tax: if is_part { Decimal::ZERO } else { tax(rows, item)? },
            ships: goes_into_a_parcel(item)
                && match rows.bundle_of(item) {
                    Some(bundle) => rows.ships_apart(bundle)? == is_part,
                    None => true,
                },
            ..line(rows, item)?
        });
    }
    Ok((lines, off))
}

fn quantity(item: &Item<'_>) -> Result<Decimal, String> {
    item.qty_ordered.given("qty_ordered")?;
    amount(&item.qty_ordered, "qty_ordered")
}

fn line(rows: &Rows<'_, '_>, item: &Item<'_>) -> Result<Line, String> {
    let variant = is_configurable(item).then(|| rows.children(item).next()).flatten();
    let product = item.product_id.id().unwrap_or_default();
    Ok(Line {
        remote_id: item.item_id.id().ok_or("a line has no item_id")?.to_owned(),
        sku: item.sku.get().to_owned(),
        name: item.name.get().to_owned(),
        variant: made_up(item, variant),
        product_id: match variant.and_then(|variant| variant.product_id.id()) {
            Some(variant) if !product.is_empty() => format!("{product}:{variant}"),
            _ => product.to_owned(),
        },
        quantity: Decimal::ZERO,
        refunded: rows.refunded(item)?,
        returned: None,
        unit_price: Decimal::ZERO,
        total: Decimal::ZERO,
        tax: Decimal::ZERO,
        ships: true,
        ship_to: 0,
    })
}

/// The variant, and what the buyer typed or chose beside it. What an option is called only the
/// catalogue knows.
fn made_up(item: &Item<'_>, variant: Option<&Item<'_>>) -> String {
    let name = variant.map(|variant| variant.name.get()).filter(|name| *name != item.name.get());
    let options = item.product_option.0.extension_attributes.0.custom_options.0.iter().flatten();
    let option = |option: &Chosen<'_>| {
        let rows = option.option_value.get().lines().map(str::trim).filter(|row| !row.is_empty());
        let text = rows.collect::<Vec<_>>().join(" / ");
        (!text.is_empty()).then(|| format!("option {}: {text}", option.option_id.get()))
    };
    name.map(str::to_owned).into_iter().chain(options.filter_map(option)).collect::<Vec<_>>().join(", ")
}

/// The line without tax after its discount. Where the parts of a bundle carry the discount, the row
/// of the bundle has none.
fn net(rows: &Rows<'_, '_>, item: &Item<'_>, ordered: Decimal) -> Result<Decimal, String> {
    let discount = |item: &Item<'_>| -> Result<Decimal, String> {
        let off = amount(&item.discount_amount, "discount_amount")?.abs();
        let hidden = amount(&item.discount_tax_compensation_amount, "discount_tax_compensation_amount")?;
        Ok(off.saturating_sub(hidden))
    };
    let mut off = discount(item)?;
    if off.is_zero() && !is_configurable(item) {
        off = sum(rows.children(item).map(discount).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(goods(item, ordered)?.saturating_sub(off).round_dp(4).normalize())
}

/// What the pieces of a row cost without tax and before discount. A shop whose prices have the tax
/// in them rounds the price of one from the sum of all.
fn goods(item: &Item<'_>, ordered: Decimal) -> Result<Decimal, String> {
    let by_price = amount(&item.price, "price")?.saturating_mul(ordered);
    if item.row_total_incl_tax.get().is_empty() {
        return Ok(by_price);
    }
    // After discount, with the tax on what is left.
    let told = sum([
        amount(&item.row_total_incl_tax, "row_total_incl_tax")?,
        -amount(&item.tax_amount, "tax_amount")?,
        amount(&item.discount_amount, "discount_amount")?.abs(),
        -amount(&item.discount_tax_compensation_amount, "discount_tax_compensation_amount")?,
    ]);
    Ok(if is_but_rounded(told, by_price, ordered) { told } else { by_price })
}

/// Whether a sum is that of so many pieces but for the rounding of the price of each, and of the two
/// or three amounts that it is made of.
pub(crate) fn is_but_rounded(told: Decimal, by_price: Decimal, pieces: Decimal) -> bool {
    let of_prices = pieces.abs().saturating_mul(Decimal::new(5, 3));
    told.saturating_sub(by_price).abs() <= of_prices.saturating_add(Decimal::new(2, 2))
}

fn tax(rows: &Rows<'_, '_>, item: &Item<'_>) -> Result<Decimal, String> {
    let own = amount(&item.tax_amount, "tax_amount")?;
    if !own.is_zero() {
        return Ok(own);
    }
    let parts = rows.children(item).map(|part| amount(&part.tax_amount, "tax_amount"));
    Ok(sum(parts.collect::<Result<Vec<_>, _>>()?))
}
