//! Which shipments at the channel are the echo of an act of ours. What else was shipped there is
//! somebody else's, and no confirmation makes it the merchant's in silence.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::channel::Goal;
use crate::order::pieces::Pieces;
use crate::order::{LineQuantity, Order, RemoteShipment, Status, names_number};

/// Whether all that is shipped otherwise in `now` than in `by` is what this act has made of it.
/// `receipts` are the channel's names for what is the act's own.
pub(super) fn is_echo(goal: &Goal, receipts: &[String], by: &Order, now: &Order) -> bool {
    let act = Act { goal, receipts };
    // One that only says that all of it went out tells of no shipment any more.
    if now.shipments.iter().any(RemoteShipment::is_bare) {
        return act.has_closed(by, now);
    }
    let moved = |before: &Order, after: &Order| after.shipments.iter().all(|one| act.is_explained(one, before));
    moved(by, now) && moved(now, by) && act.has_sent(by, now) && act.has_closed(by, now)
}

struct Act<'a> {
    goal: &'a Goal,
    receipts: &'a [String],
}

impl Act<'_> {
    fn is_own(&self, one: &RemoteShipment) -> bool {
        !one.remote_id.is_empty() && self.receipts.contains(&one.remote_id)
    }

    fn has_no_number(&self) -> bool {
        matches!(self.goal, Goal::Dispatched(shipment) if shipment.parcels.is_empty())
    }

    fn names(&self, text: &str) -> bool {
        let names = |number: &str| names_number(text, number);
        match self.goal {
            Goal::Dispatched(shipment) => shipment.parcels.iter().any(|parcel| names(&parcel.tracking)),
            Goal::Retracked(change) => names(&change.was) || names(&change.parcel.tracking),
            Goal::Cancelled(_) => false,
        }
    }

    /// Whether one version's shipment is in the other one too, or differs by what the act did.
    fn is_explained(&self, one: &RemoteShipment, other: &Order) -> bool {
        let there = |number: &str| other.shipments.iter().flat_map(|one| &one.parcels).any(|it| it.tracking == number);
        if self.is_own(one) || one.is_count() || one.is_bare() {
            return true;
        }
        if one.parcels.is_empty() {
            let is_there = other.shipments.iter().any(|it| it.remote_id == one.remote_id);
            // How many of them may be the act's own, the pieces say.
            return one.remote_id.is_empty() || is_there || self.has_no_number();
        }
        one.parcels.iter().all(|parcel| there(&parcel.tracking) || self.names(&parcel.tracking))
    }

    /// Whether no more pieces are sent than the act sends, and none came back.
    fn has_sent(&self, by: &Order, now: &Order) -> bool {
        let (was, is) = (pieces(&by.shipments), pieces(&now.shipments));
        let sent = match self.goal {
            // One that the merchant has seen there before sends nothing more.
            Goal::Dispatched(shipment) if !by.shipments.iter().any(|one| self.is_own(one)) => count(&shipment.lines),
            _ => BTreeMap::new(),
        };
        let of = |pieces: &BTreeMap<&str, Decimal>, line: &str| pieces.get(line).copied().unwrap_or_default();
        was.keys().chain(is.keys()).all(|line| {
            let more = of(&is, line).saturating_sub(of(&was, line));
            more >= Decimal::ZERO && more <= of(&sent, line)
        })
    }

    /// Whether the order is as far as the act brings it.
    fn has_closed(&self, by: &Order, now: &Order) -> bool {
        let is_closed = |order: &Order| order.status == Status::Shipped;
        if is_closed(by) == is_closed(now) || now.is_gone() {
            return true;
        }
        let completes = matches!(self.goal, Goal::Dispatched(shipment) if shipment.completes);
        is_closed(now) && (completes || is_all_sent(now))
    }
}

fn is_all_sent(order: &Order) -> bool {
    let owed = |line| Pieces::of(line, &order.refunds, &order.shipments).at_most();
    order.lines.iter().filter(|line| line.ships).all(|line| owed(line).is_zero())
}

fn pieces(shipments: &[RemoteShipment]) -> BTreeMap<&str, Decimal> {
    count(shipments.iter().flat_map(|one| &one.lines))
}

fn count<'a>(lines: impl IntoIterator<Item = &'a LineQuantity>) -> BTreeMap<&'a str, Decimal> {
    let mut counted = BTreeMap::new();
    for line in lines {
        let count: &mut Decimal = counted.entry(line.line_id.as_str()).or_default();
        *count = count.saturating_add(line.quantity);
    }
    counted
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::channel::TrackingChange;
    use crate::clock::from_millis;
    use crate::order::{Parcel, Shipment, testing};

    fn parcel(number: &str) -> Parcel {
        Parcel { carrier: "ups".into(), tracking: number.into(), url: None }
    }

    fn lines(of: &[(&str, i64)]) -> Vec<LineQuantity> {
        let line = |(id, n): &(&str, i64)| LineQuantity { line_id: (*id).into(), quantity: Decimal::from(*n) };
        of.iter().map(line).collect()
    }

    fn one(id: &str, numbers: &[&str], of: &[(&str, i64)]) -> RemoteShipment {
        let parcels = numbers.iter().map(|number| parcel(number)).collect();
        RemoteShipment { remote_id: id.into(), shipped_at: None, lines: lines(of), parcels }
    }

    fn order(shipments: &[RemoteShipment], status: Status) -> Order {
        Order { shipments: shipments.to_vec(), ..testing::order("7", status) }
    }

    fn dispatched(numbers: &[&str], of: &[(&str, i64)], completes: bool) -> Goal {
        let parcels = numbers.iter().map(|number| parcel(number)).collect();
        let shipped_at = from_millis(1_795_100_000_000);
        let (lines, counted) = (lines(of), Vec::new());
        Goal::Dispatched(Shipment { key: "key".into(), shipped_at, lines, parcels, notify: true, completes, counted })
    }

    #[test]
    fn p2_what_a_dispatch_has_sent_is_its_echo_and_what_others_sent_is_not() {
        let part = Status::PartiallyShipped;
        let before = order(&[], Status::AwaitingFulfillment);
        let goal = dispatched(&["JD01"], &[("11", 1)], false);
        let echo = |shipments: &[RemoteShipment], status| {
            is_echo(&goal, &["1".to_owned()], &before, &order(shipments, status))
        };
        let (ours, counted) = (one("1", &["JD01"], &[("11", 1)]), |n| one("", &[], &[("11", n)]));
        assert!(echo(from_ref(&ours), part), "with its pieces");
        assert!(echo(&[one("", &["jd-01"], &[])], part), "by its number");
        assert!(echo(&[counted(1)], part), "counted");
        assert!(echo(&[], Status::AwaitingFulfillment), "told in a note");
        assert!(!echo(&[ours.clone(), one("2", &["1Z99"], &[])], part), "another number");
        assert!(!echo(&[ours.clone(), one("2", &[], &[])], part), "another without a number");
        assert!(!echo(&[ours.clone(), one("2", &["JD01"], &[("11", 1)])], part), "more pieces");
        assert!(!echo(&[counted(2)], part), "more counted");
        assert!(!echo(&[ours], Status::Shipped), "closed by others");
        assert!(!echo(&[RemoteShipment::default()], Status::Shipped), "closed by others, without a word of what");
    }

    #[test]
    fn p2_another_number_sends_nothing() {
        let change = TrackingChange {
            shipment: String::new(),
            was: "JD01".into(),
            parcel: parcel("1Z02"),
            notify: true,
            before: None,
        };
        let goal = Goal::Retracked(change);
        let status = Status::PartiallyShipped;
        let before = order(&[one("1", &["JD01"], &[("11", 1)])], status);
        let echo = |shipments: &[RemoteShipment]| is_echo(&goal, &[], &before, &order(shipments, status));
        assert!(echo(&[one("1", &["1Z02"], &[("11", 1)])]));
        assert!(!echo(&[one("1", &["1Z02"], &[("11", 2)])]), "more pieces");
        assert!(!echo(&[one("1", &["1Z02"], &[]), one("2", &["1Z99"], &[]), one("", &[], &[("11", 2)])]));
        assert!(!echo(&[]), "undone");
    }

    #[test]
    fn p2_the_last_dispatch_closes_the_order_beside_what_others_have_sent() {
        let before = order(&[one("9", &["1Z99"], &[("11", 1)])], Status::PartiallyShipped);
        let goal = dispatched(&["JD01"], &[("11", 1), ("12", 1)], true);
        let rest = one("1", &["JD01"], &[("11", 1), ("12", 1)]);
        let now = order(&[one("9", &["1Z99"], &[("11", 1)]), rest], Status::Shipped);
        assert!(is_echo(&goal, &["1".to_owned()], &before, &now));
        let whole = order(&[RemoteShipment::default()], Status::Shipped);
        assert!(is_echo(&goal, &["1".to_owned()], &before, &whole), "shown as a whole from then on");
        let gone = order(&[one("1", &["JD01"], &[("11", 1), ("12", 1)])], Status::Shipped);
        assert!(!is_echo(&goal, &["1".to_owned()], &before, &gone), "what the others sent is undone");
    }
}
