//! Refunds: the credit memos of an order, and what its own sums tell where they cannot be read.
//!
//! A bundle is in a memo as its own row and as those of its parts. What the row of the bundle says
//! is of no use: the shop's own pages write on it the pieces of all the parts together, and its
//! money stands on the parts where these have prices of their own.

use rust_decimal::Decimal;

use super::lines::{Rows, in_memo, is_but_rounded};
use super::map::{amount, time};
use super::wire::{BackItem, Creditmemo, Item, Order};
use crate::order::{Line, Refund, RefundLine, sum};

/// The refunds with their lines; by the order's own sums, where nothing is known of them.
pub(super) fn refunds(o: &Order<'_>, rows: &Rows<'_, '_>, lines: &[Line]) -> Result<Vec<Refund>, String> {
    let refunds = rows.memos().map(|memo| refund(memo, rows, lines)).collect::<Result<Vec<_>, _>>()?;
    let back = amount(&o.total_refunded, "total_refunded")?;
    if !refunds.is_empty() || back.is_zero() {
        return Ok(refunds);
    }
    let mut found = Vec::new();
    for line in lines.iter().filter(|line| !line.refunded.is_zero()) {
        let Some(row) = rows.by_id(&line.remote_id) else { continue };
        let own = amount(&row.amount_refunded, "amount_refunded")?;
        let amount = match rows.bundle_of(row) {
            None => own,
            Some(bundle) if bundle.item_id.get() == line.remote_id => {
                if rows.ships_apart(bundle)? {
                    continue;
                }
                let of_parts = rows.children(bundle).map(|part| amount(&part.amount_refunded, "amount_refunded"));
                own.max(sum(of_parts.collect::<Result<Vec<_>, _>>()?))
            }
            Some(bundle) => {
                let with_it =
                    lines.iter().any(|line| line.remote_id == bundle.item_id.get() && !line.refunded.is_zero());
                if with_it && !rows.ships_apart(bundle)? {
                    continue;
                }
                own
            }
        };
        found.push(RefundLine { line_id: line.remote_id.clone(), quantity: line.refunded, amount: amount.min(back) });
    }
    let reason = String::new();
    Ok(vec![Refund { remote_id: String::new(), refunded_at: None, amount: back, reason, lines: found }])
}

fn refund(memo: &Creditmemo<'_>, rows: &Rows<'_, '_>, lines: &[Line]) -> Result<Refund, String> {
    let back = amount(&memo.grand_total, "creditmemos.grand_total")?.abs();
    let mut found: Vec<RefundLine> = Vec::new();
    for row in &memo.items.0 {
        let id = row.order_item_id.get();
        let quantity = amount(&row.qty, "creditmemos.qty")?.abs();
        let is_line = rows.line_of(id) == id && lines.iter().any(|line| line.remote_id == id);
        let Some(item) = rows.by_id(id).filter(|_| is_line && !quantity.is_zero()) else { continue };
        let told = match rows.bundle_of(item) {
            None => Some(RefundLine { line_id: id.to_owned(), quantity, amount: money(row)? }),
            Some(bundle) => of_bundle(memo, rows, bundle, row, &found)?,
        };
        found.extend(told.map(|line| RefundLine { amount: line.amount.max(Decimal::ZERO).min(back), ..line }));
    }
    Ok(Refund {
        remote_id: memo.entity_id.get().to_owned(),
        refunded_at: time(&memo.created_at, "creditmemos.created_at")?,
        amount: back,
        reason: memo.comments.0.iter().flatten().next().map_or("", |comment| comment.comment.get()).to_owned(),
        lines: found,
    })
}

/// What a row of a bundle, or of a part of one, tells beside those that were told of the memo: whole
/// ones of the bundle once, else each part by itself.
fn of_bundle(
    memo: &Creditmemo<'_>,
    rows: &Rows<'_, '_>,
    bundle: &Item<'_>,
    row: &BackItem<'_>,
    told: &[RefundLine],
) -> Result<Option<RefundLine>, String> {
    let (id, bundle_id) = (row.order_item_id.get(), bundle.item_id.get());
    let ones = match rows.ships_apart(bundle)? {
        true => None,
        false => rows.ones(bundle, |item| in_memo(memo, item))?,
    };
    match ones.filter(|ones| !ones.is_zero()) {
        Some(_) if told.iter().any(|line| line.line_id == bundle_id) => Ok(None),
        Some(quantity) => {
            let amount = money_of(memo, rows, bundle, quantity)?;
            Ok(Some(RefundLine { line_id: bundle_id.to_owned(), quantity, amount }))
        }
        None if id == bundle_id => Ok(None),
        None => {
            let quantity = amount(&row.qty, "creditmemos.qty")?.abs();
            Ok(Some(RefundLine { line_id: id.to_owned(), quantity, amount: money(row)? }))
        }
    }
}

/// What a memo gives back for whole ones of a bundle: the sum of its parts, where they have prices.
fn money_of(memo: &Creditmemo<'_>, rows: &Rows<'_, '_>, bundle: &Item<'_>, ones: Decimal) -> Result<Decimal, String> {
    let (mut own, mut of_parts) = (Decimal::ZERO, Decimal::ZERO);
    for row in &memo.items.0 {
        let id = row.order_item_id.get();
        if id == bundle.item_id.get() {
            let goods = amount(&row.row_total, "creditmemos.row_total")?;
            let by_price = amount(&row.price, "creditmemos.price")?.saturating_mul(ones);
            own = sum([own, if goods.is_zero() { by_price } else { goods }, beside(row)?]);
        } else if rows.children(bundle).any(|part| part.item_id.get() == id) {
            of_parts = sum([of_parts, money(row)?]);
        }
    }
    Ok(if of_parts.is_zero() { own } else { of_parts }.round_dp(4).normalize())
}

/// What a row gives back, with its tax.
fn money(row: &BackItem<'_>) -> Result<Decimal, String> {
    let quantity = amount(&row.qty, "creditmemos.qty")?.abs();
    let by_price = amount(&row.price, "creditmemos.price")?.saturating_mul(quantity);
    let told = amount(&row.row_total, "creditmemos.row_total")?;
    let goods = if is_but_rounded(told, by_price, quantity) { told } else { by_price };
    Ok(sum([goods, beside(row)?]).round_dp(4).normalize())
}

/// Tax and discount of a row.
fn beside(row: &BackItem<'_>) -> Result<Decimal, String> {
    Ok(sum([
        amount(&row.tax_amount, "creditmemos.tax_amount")?,
        -amount(&row.discount_amount, "creditmemos.discount_amount")?,
        amount(&row.discount_tax_compensation_amount, "creditmemos.discount_tax_compensation_amount")?,
    ]))
}
