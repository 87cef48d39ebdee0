//! Whether an order's parts add up to its total, and what is said where they do not (F-7).
//!
//! The total is what the buyer pays, refunds not subtracted. It is made of
//!
//! - the lines, which are after discounts: a charge of the kind `discount` says how much is off,
//!   and is in them already;
//! - shipping and fees, each without its tax;
//! - tax: all of it where prices are without tax, else what is on shipping and fees, since the
//!   lines have theirs in them;
//! - what the channel does not itemise: a charge of the kind `other`, which [`balanced`] adds so
//!   that nothing is hidden; and where the merchant has lines of one version and totals of another,
//!   what they differ by ([`balanced_copy`]).

use rust_decimal::Decimal;

use super::{Charge, ChargeKind, Order, Totals};

/// The parts of a total, added up one by one: from an order in memory, or row by row from the book.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sum {
    total: Decimal,
    with_tax: bool,
    /// `None`: larger than any amount.
    parts: Option<Decimal>,
}

impl Sum {
    /// The sum of an order with these totals, of which no part is known yet. `with_tax`: whether
    /// the prices of its lines include tax.
    pub(crate) fn new(totals: &Totals, with_tax: bool) -> Self {
        let tax = if with_tax { Decimal::ZERO } else { totals.tax };
        Self { total: totals.total, with_tax, parts: Some(tax) }
    }

    /// Adds a line's total.
    pub(crate) fn line(&mut self, total: Decimal) {
        self.add(total);
    }

    /// Adds a charge. Tax lines and discounts are no parts of their own: they are in the tax and in
    /// the lines.
    pub(crate) fn charge(&mut self, kind: ChargeKind, amount: Decimal, tax: Decimal) {
        if matches!(kind, ChargeKind::Tax | ChargeKind::Discount) {
            return;
        }
        self.add(amount);
        if self.with_tax {
            self.add(tax);
        }
    }

    /// What the total is more than its parts; `None` where they are larger than any amount.
    pub(crate) fn rest(&self) -> Option<Decimal> {
        self.total.checked_sub(self.parts?)
    }

    fn add(&mut self, part: Decimal) {
        self.parts = self.parts.and_then(|sum| sum.checked_add(part));
    }
}

/// What the order's total is more than its lines and charges; `None` where they are larger than any
/// amount.
pub(crate) fn rest(order: &Order) -> Option<Decimal> {
    let mut sum = Sum::new(&order.totals, order.prices_include_tax);
    order.lines.iter().for_each(|line| sum.line(line.total));
    order.charges.iter().for_each(|charge| sum.charge(charge.kind, charge.amount, charge.tax));
    sum.rest()
}

/// The order as an adapter made it, with a charge `other` for what its channel does not itemise.
/// Every order goes through it, so that what the merchant adds up is the total.
///
/// # Errors
/// For sums that no amount holds.
pub(crate) fn balanced(mut order: Order) -> Result<Order, String> {
    let rest = rest(&order).ok_or("its sums are larger than any amount")?;
    if !rest.is_zero() {
        let title = if is_rounding(&order, rest) { "Rounding" } else { "Not itemised by the channel" };
        order.charges.push(other(&order, rest, title));
    }
    Ok(order)
}

/// The merchant's copy of an order, whose parts may be of different versions, with a charge `other`
/// for what its total is more or less than its parts by that. Sums that no amount holds stay as they
/// are.
pub(crate) fn balanced_copy(mut copy: Order) -> Order {
    if let Some(rest) = rest(&copy).filter(|rest| !rest.is_zero()) {
        copy.charges.push(other(&copy, rest, "Difference of lines and totals"));
    }
    copy
}

fn other(order: &Order, rest: Decimal, title: &str) -> Charge {
    Charge {
        kind: ChargeKind::Other,
        remote_id: String::new(),
        code: String::new(),
        title: title.to_owned(),
        amount: as_exact_as(rest, order.totals.total),
        tax: Decimal::ZERO,
    }
}

/// Whether it is no more than what rounding each part to the total's own decimals can come to.
fn is_rounding(order: &Order, rest: Decimal) -> bool {
    let parts = i64::try_from(order.lines.len() + order.charges.len()).unwrap_or(i64::MAX);
    let least = Decimal::new(1, order.totals.total.scale().min(2));
    least.checked_mul(parts.into()).is_some_and(|most| rest.abs() <= most)
}

/// Without decimals that say nothing, but with as many as the total has.
fn as_exact_as(amount: Decimal, total: Decimal) -> Decimal {
    let mut amount = amount.normalize();
    if amount.scale() < total.scale() {
        amount.rescale(total.scale());
    }
    amount
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{Field, Status, testing};

    fn amount(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn order() -> Order {
        testing::order("7", Status::AwaitingFulfillment)
    }

    fn other(order: Order) -> Vec<(String, String)> {
        let charges = balanced(order).unwrap().charges.into_iter();
        charges.filter(|c| c.kind == ChargeKind::Other).map(|c| (c.title, c.amount.to_string())).collect()
    }

    #[test]
    fn f7_an_order_whose_parts_add_up_stays_as_it_is() {
        assert_eq!(balanced(order()).unwrap(), order());
        let mut taxed = order();
        taxed.totals.tax = amount("6.44");
        taxed.totals.total += amount("6.44");
        assert_eq!(rest(&taxed).unwrap(), Decimal::ZERO, "tax on top of prices without tax");
        let mut inclusive = order();
        inclusive.prices_include_tax = true;
        inclusive.charges[0].tax = amount("0.93");
        inclusive.totals.tax = amount("5.56");
        inclusive.totals.total += amount("0.93");
        assert_eq!(rest(&inclusive).unwrap(), Decimal::ZERO, "tax that is in the lines is not counted twice");
    }

    #[test]
    fn f7_what_the_channel_does_not_itemise_is_shown_as_it_is() {
        let mut duties = order();
        duties.totals.total += amount("7.50");
        assert_eq!(other(duties), [("Not itemised by the channel".to_owned(), "7.50".to_owned())]);
        let mut less = order();
        less.totals.total = amount("30");
        assert_eq!(other(less), [("Not itemised by the channel".to_owned(), "-3.9".to_owned())]);
        let mut rounded = order();
        rounded.totals.total -= amount("0.01");
        assert_eq!(other(rounded), [("Rounding".to_owned(), "-0.01".to_owned())]);
    }

    #[test]
    fn f7_balancing_twice_adds_nothing() {
        let mut order = order();
        order.totals.total += amount("7.50");
        let once = balanced(order).unwrap();
        assert_eq!(balanced(once.clone()).unwrap(), once);
    }

    #[test]
    fn f7_a_copy_with_parts_of_different_versions_says_by_how_much_they_differ() {
        let (before, mut after) = (order(), order());
        after.lines[0].total += amount("25");
        after.totals.total += amount("25");
        for (field, difference) in [(Field::Lines, "-25"), (Field::Totals, "25")] {
            let copy = balanced_copy(before.taking(&[field], &after));
            assert_eq!(rest(&copy), Some(Decimal::ZERO));
            let charge = copy.charges.last().unwrap();
            assert_eq!((charge.kind, charge.amount), (ChargeKind::Other, amount(difference)), "{field:?}");
        }
        let whole = before.taking(&[Field::Lines, Field::Totals], &after);
        assert_eq!(balanced_copy(whole.clone()), whole);
    }

    #[test]
    fn f6_sums_that_no_amount_holds_are_an_error_of_the_order() {
        let mut order = order();
        order.lines.iter_mut().for_each(|line| line.total = Decimal::MAX);
        assert!(balanced(order).is_err());
    }
}
