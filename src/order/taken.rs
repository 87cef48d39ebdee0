//! A version of an order with some fields of another one.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Charge, ChargeKind, Field, Line, Order, People, Presence, Status};

impl Order {
    /// This version with these fields as `other` has them; what that does not tell of people stays
    /// (P-11).
    pub(crate) fn taking(&self, fields: &[Field], other: &Order) -> Order {
        self.taking_each(&fields.iter().map(|field| (*field, other)).collect::<Vec<_>>())
    }

    /// The same with each field as that other version has it.
    pub(crate) fn taking_each(&self, parts: &[(Field, &Order)]) -> Order {
        let (known, mut order) = (People::of(self), self.clone());
        let mut full: Option<(&Order, Order)> = None;
        // In the order of the list: lines before what is given back of them, sums before charges.
        for field in Field::ALL {
            let Some((_, other)) = parts.iter().find(|(taken, _)| *taken == field) else { continue };
            let (_, told) = match full.take() {
                Some((of, told)) if std::ptr::eq(of, *other) => (of, told),
                _ => (*other, other.with_known(&known)),
            };
            order.take(field, &told);
            full = Some((*other, told));
        }
        if let Some((status, of)) = status_taking(self, parts) {
            order.status = status;
            order.held_as = of.held_as.filter(|_| status == Status::OnHold);
            order.channel_status.clone_from(&of.channel_status);
        }
        order
    }

    fn take(&mut self, field: Field, other: &Order) {
        match field {
            Field::Address => {
                self.ship_to.clone_from(&other.ship_to);
                self.place_lines(other);
            }
            Field::Lines => {
                let back: BTreeMap<_, _> =
                    self.lines.iter().map(|line| (line.remote_id.clone(), (line.refunded, line.returned))).collect();
                self.lines.clone_from(&other.lines);
                for line in &mut self.lines {
                    line.take_back(back.get(&line.remote_id).copied().unwrap_or_default());
                }
                self.place_lines(other);
            }
            Field::Refunded => self.take_refunds(other),
            Field::Payment => {
                self.paid_at = other.paid_at;
                self.payment.clone_from(&other.payment);
            }
            Field::Totals => {
                let refunded = self.totals.refunded;
                let for_shop = self.shop_totals.map(|(_, totals)| totals.refunded).unwrap_or_default();
                (self.totals, self.shop_totals) = (other.totals, other.shop_totals);
                self.totals.refunded = refunded;
                if let Some((_, totals)) = &mut self.shop_totals {
                    totals.refunded = for_shop;
                }
                self.take_charges(other);
            }
            Field::Service => {
                let is_shipping = |charge: &Charge| charge.kind == ChargeKind::Shipping;
                self.charges.retain(|charge| !is_shipping(charge));
                self.charges.extend(other.charges.iter().filter(|charge| is_shipping(charge)).cloned());
            }
            Field::Notes => self.buyer_note.clone_from(&other.buyer_note),
            Field::ShipBy => self.ship_by = other.ship_by,
            Field::Shipped => self.shipments.clone_from(&other.shipments),
            Field::Cancelled if other.presence == Presence::Trashed || self.presence == Presence::Trashed => {
                self.presence = other.presence;
            }
            Field::Archived => self.presence = other.presence,
            Field::Cancelled | Field::Hold => {}
        }
    }

    /// The amounts; what the shipping service is called is a field of its own.
    fn take_charges(&mut self, other: &Order) {
        let is_shipping = |charge: &&Charge| charge.kind == ChargeKind::Shipping;
        let own: Vec<Charge> = self.charges.iter().filter(is_shipping).cloned().collect();
        self.charges.clone_from(&other.charges);
        if self.charges.iter().filter(is_shipping).count() != own.len() {
            return;
        }
        let shipping = self.charges.iter_mut().filter(|charge| charge.kind == ChargeKind::Shipping);
        for (charge, own) in shipping.zip(own) {
            (charge.code, charge.title) = (own.code, own.title);
        }
    }

    /// Has each line go where it goes in `other`, as far as there are so many addresses.
    fn place_lines(&mut self, other: &Order) {
        let goes: BTreeMap<_, _> = other.lines.iter().map(|line| (line.remote_id.as_str(), line.ship_to)).collect();
        let most = self.ship_to.len().saturating_sub(1);
        for line in &mut self.lines {
            line.ship_to = goes.get(line.remote_id.as_str()).copied().unwrap_or(line.ship_to).min(most);
        }
    }

    /// Money and pieces; of a line never more than it has here, and none forgotten where `other` tells
    /// the money alone.
    fn take_refunds(&mut self, other: &Order) {
        self.refunds.clone_from(&other.refunds);
        self.totals.refunded = other.totals.refunded;
        if let (Some((_, totals)), Some((_, theirs))) = (&mut self.shop_totals, &other.shop_totals) {
            totals.refunded = theirs.refunded;
        }
        if !other.tells_pieces_back() {
            return;
        }
        let back: BTreeMap<_, _> =
            other.lines.iter().map(|line| (line.remote_id.as_str(), (line.refunded, line.returned))).collect();
        for line in &mut self.lines {
            if let Some(back) = back.get(line.remote_id.as_str()) {
                line.take_back(*back);
            }
        }
    }
}

impl Line {
    /// So many given back, and how many of them after they were sent; never more than it has.
    fn take_back(&mut self, (refunded, returned): (Decimal, Option<Decimal>)) {
        self.refunded = refunded.min(self.quantity);
        self.returned = returned.map(|returned| returned.min(self.refunded));
    }
}

/// The status that the taken fields make of that of `base`, where they make one, and the version
/// that it is of: the gravest field decides.
fn status_taking<'a>(base: &Order, parts: &[(Field, &'a Order)]) -> Option<(Status, &'a Order)> {
    let taken = |field| parts.iter().find(|(taken, _)| *taken == field).map(|(_, other)| *other);
    if let Some(other) = taken(Field::Cancelled) {
        return Some((other.status, other));
    }
    if let Some(other) = taken(Field::Shipped) {
        let status = match other.status {
            Status::Shipped | Status::PartiallyShipped => other.status,
            Status::OnHold if taken(Field::Hold).is_some_and(|held| held.status == Status::OnHold) => Status::OnHold,
            // What went out before it was cancelled or held there went out.
            Status::Cancelled | Status::OnHold if !other.shipments.is_empty() => Status::PartiallyShipped,
            _ => Status::AwaitingFulfillment,
        };
        return Some((status, other));
    }
    if let Some(other) = taken(Field::Hold) {
        // That one which is paid here, or to be sent before it is, waits for its payment there is
        // another field's to say.
        let is_paid = !base.is_unpaid() && taken(Field::Payment).is_none();
        let waits = is_paid && other.status == Status::AwaitingPayment;
        return Some((if waits { Status::AwaitingFulfillment } else { other.status }, other));
    }
    // Whose payment is taken awaits it no more (P-9).
    let is_paid = |other: &&Order| base.status == Status::AwaitingPayment && other.status != Status::AwaitingPayment;
    taken(Field::Payment).filter(is_paid).map(|other| (Status::AwaitingFulfillment, other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{Difference, differences, testing};

    /// Shipped in part, and then cancelled.
    #[test]
    fn p3_what_went_out_of_an_order_before_it_was_cancelled_is_no_news_of_the_cancellation() {
        let lines = vec![crate::order::LineQuantity { line_id: "11".into(), quantity: Decimal::ONE }];
        let shipments = vec![crate::order::RemoteShipment { remote_id: "1".into(), lines, ..Default::default() }];
        let before = Order { shipments, ..testing::order("7", Status::PartiallyShipped) };
        let after = Order { status: Status::Cancelled, ..before.clone() };
        let fields: Vec<Field> = differences(&before, &after).iter().map(|found| found.aspect).collect();
        assert_eq!(fields, [Field::Cancelled]);
        assert_eq!(before.taking(&[Field::Shipped], &after).status, Status::PartiallyShipped);
    }

    /// Shipped in part, and the rest held back.
    #[test]
    fn p3_what_went_out_of_an_order_before_it_was_held_is_no_news_of_the_hold() {
        let lines = vec![crate::order::LineQuantity { line_id: "11".into(), quantity: Decimal::ONE }];
        let shipments = vec![crate::order::RemoteShipment { remote_id: "1".into(), lines, ..Default::default() }];
        let (before, held) = (testing::order("7", Status::AwaitingFulfillment), testing::order("7", Status::OnHold));
        let after = Order { shipments, held_as: Some(Status::PartiallyShipped), ..held };
        let taken = before.taking(&[Field::Shipped], &after);
        assert_eq!((taken.status, taken.held_as), (Status::PartiallyShipped, None));
        let left: Vec<Field> = differences(&taken, &after).iter().map(|found| found.aspect).collect();
        assert_eq!(left, [Field::Hold]);
        let both = before.taking(&[Field::Shipped, Field::Hold], &after);
        assert_eq!(differences(&both, &after), []);
    }

    fn changed() -> Order {
        let mut after = testing::order("7", Status::OnHold);
        after.ship_to[0].line1 = "2 Other Street".into();
        after.lines[0].quantity = Decimal::from(3);
        after.lines[1].refunded = Decimal::ONE;
        after.lines.push(testing::line("14", "NEW", 1, 100));
        (after.totals.refunded, after.totals.total) = (Decimal::from(9), Decimal::from(50));
        after.buyer_note = "please ring".into();
        after.charges[0].title = "Express".into();
        after.ship_by = Some(after.placed_at);
        after.presence = Presence::Archived;
        after.paid_at = after.paid_at.map(|at| at + chrono::TimeDelta::hours(1));
        after
    }

    fn fields(found: &[Difference]) -> Vec<Field> {
        found.iter().map(|found| found.aspect).collect()
    }

    #[test]
    fn a_field_that_is_taken_differs_no_more_and_the_others_stay_as_they_are() {
        let (before, after) = (testing::order("7", Status::AwaitingFulfillment), changed());
        let all = fields(&differences(&before, &after));
        assert!(all.len() >= 8, "{all:?}");
        for field in &all {
            let taken = before.taking(&[*field], &after);
            assert!(!fields(&differences(&taken, &after)).contains(field), "{field:?} is taken");
            let more: Vec<Field> =
                fields(&differences(&before, &taken)).into_iter().filter(|other| other != field).collect();
            assert!(more.is_empty(), "{field:?} and nothing else: {more:?}");
        }
        assert_eq!(differences(&before.taking(&all, &after), &after), []);
        assert_eq!(before.taking(&[], &after), before);
    }

    #[test]
    fn p9_whose_payment_is_taken_awaits_it_no_more() {
        let before = Order { paid_at: None, ..testing::order("7", Status::AwaitingPayment) };
        for status in [Status::AwaitingFulfillment, Status::OnHold, Status::Shipped] {
            let taken = before.taking(&[Field::Payment], &testing::order("7", status));
            assert_eq!((taken.status, taken.paid_at.is_some()), (Status::AwaitingFulfillment, true), "{status}");
            assert!(!fields(&differences(&taken, &testing::order("7", status))).contains(&Field::Payment));
        }
        let still = testing::order("7", Status::AwaitingPayment);
        assert_eq!(before.taking(&[Field::Payment], &still).status, Status::AwaitingPayment);
    }

    #[test]
    fn p9_the_end_of_a_hold_says_nothing_of_the_payment() {
        let (before, after) = (testing::order("7", Status::OnHold), testing::order("7", Status::AwaitingPayment));
        let taken = before.taking(&[Field::Hold], &after);
        assert_eq!((taken.status, taken.paid_at.is_some()), (Status::AwaitingFulfillment, true));
        assert_eq!(fields(&differences(&taken, &after)), [Field::Payment]);
        assert_eq!(before.taking(&[Field::Hold, Field::Payment], &after).status, Status::AwaitingPayment);
        let later = Order { paid_at: None, held_as: Some(Status::AwaitingFulfillment), ..before.clone() };
        let taken = later.taking(&[Field::Hold], &after);
        assert_eq!((taken.status, taken.held_as), (Status::AwaitingFulfillment, None), "paid by other terms");
        let unpaid = Order { paid_at: None, ..before };
        assert_eq!(unpaid.taking(&[Field::Hold], &after).status, Status::AwaitingPayment);
    }

    #[test]
    fn pieces_given_back_of_a_line_are_never_more_than_it_has_here() {
        let (before, mut after) = (testing::order("7", Status::AwaitingFulfillment), changed());
        after.lines[0].refunded = Decimal::from(3);
        let taken = before.taking(&[Field::Refunded], &after);
        assert_eq!((taken.lines[0].quantity, taken.lines[0].refunded), (Decimal::from(2), Decimal::from(2)));
    }

    #[test]
    fn p11_nothing_is_emptied_by_a_field_that_is_taken() {
        let (before, mut after) = (testing::order("7", Status::AwaitingFulfillment), changed());
        after.ship_to.clone_from(&before.ship_to);
        after.ship_to[0].name.clear();
        after.ship_to[0].phone = "+49".into();
        let taken = before.taking(&[Field::Address], &after);
        assert_eq!(taken.ship_to[0].name, "Robin Example");
    }
}
