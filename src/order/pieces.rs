//! How many pieces of a line are still to be shipped (P-10).
//!
//! What was given back *before* it was sent is not owed any more. What was given back after that had
//! left already: it takes nothing away from what is left. Where nobody tells which of the two it
//! was, no more is offered than what is surely owed, and the rest is told.

use rust_decimal::Decimal;

use super::{Line, Refund, RemoteShipment, sum};
use crate::clock::Timestamp;

/// Pieces of a line that were given back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Back {
    /// At the channel.
    pub(crate) there: Decimal,
    /// How many of these had been sent before, where the channel tells it.
    pub(crate) told: Option<Decimal>,
    /// By the merchant's hand: those that were not sent yet, as far as there are any.
    pub(crate) by_hand: Decimal,
    /// What the merchant says of them: so many of the first so many had been sent before.
    pub(crate) said: Option<(Decimal, Decimal)>,
}

impl Back {
    /// What the channel says of a line.
    pub(crate) fn of(line: &Line) -> Self {
        Self { there: line.refunded, told: line.returned, ..Self::default() }
    }

    /// All of them.
    fn all(&self) -> Decimal {
        self.there.saturating_add(self.by_hand)
    }

    /// How many had been sent before, at least and at most.
    fn returned(&self, sent: &[Sent]) -> (Decimal, Decimal) {
        match (self.said, self.told) {
            (Some((returned, of)), _) => {
                (returned, returned.saturating_add(self.all().saturating_sub(of).max(Decimal::ZERO)))
            }
            (None, Some(told)) => (told, told),
            (None, None) => (Decimal::ZERO, self.may_have_been_sent(sent)),
        }
    }

    /// How many of those given back at the channel may have been sent before: none of them was in a
    /// shipment that was made after it was given back.
    fn may_have_been_sent(&self, sent: &[Sent]) -> Decimal {
        let mut sent: Vec<(Decimal, Decimal)> =
            sent.iter().map(|one| (one.behind.min(self.there), one.quantity)).collect();
        sent.sort_unstable();
        let (mut found, mut out, mut met) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        for (behind, quantity) in sent.into_iter().chain([(self.there, Decimal::ZERO)]) {
            let back = behind.saturating_sub(met).max(Decimal::ZERO).min(out);
            (found, out, met) = (found.saturating_add(back), out.saturating_sub(back), met.max(behind));
            out = out.saturating_add(quantity);
        }
        found
    }
}

/// Pieces of a line in one shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) quantity: Decimal,
    /// How many of the line are known to have been given back before it went out.
    pub(crate) behind: Decimal,
}

/// What is known of the pieces of a line beside what its order at the channel tells.
#[derive(Debug, Clone, Default)]
pub struct KnownPieces {
    /// The channel's id of the line.
    pub(crate) line_id: String,
    /// Those that were given back, by the merchant's hand and word as well.
    pub(crate) back: Back,
    /// Those that were sent, by whomever.
    pub(crate) sent: Vec<Sent>,
}

/// What became of the pieces of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pieces {
    /// How many of those given back had been sent before, as far as that is known.
    pub(crate) returned: Decimal,
    /// How many are surely to be shipped yet.
    pub(crate) left: Decimal,
    /// How many more are to be shipped if those given back of which nobody tells it had been sent
    /// before.
    pub(crate) unclear: Decimal,
}

impl Pieces {
    /// Of a line of so many, of which these were given back and sent, by whomever.
    pub(crate) fn new(ordered: Decimal, back: &Back, sent: &[Sent]) -> Self {
        let (all, out) = (back.all(), sum(sent.iter().map(|one| one.quantity)));
        // More were sent and given back than there are: so many must be the same ones.
        let surely = all.saturating_add(out).saturating_sub(ordered).max(Decimal::ZERO);
        let (least, most) = back.returned(sent);
        let most_of_all = all.min(out).max(Decimal::ZERO);
        let returned = least.max(surely).min(most_of_all);
        let at_most = most.max(surely).min(most_of_all);
        let owed = |returned: Decimal| {
            ordered.saturating_sub(all.saturating_sub(returned)).saturating_sub(out).max(Decimal::ZERO)
        };
        let left = owed(returned);
        Self { returned, left, unclear: owed(at_most).saturating_sub(left) }
    }

    /// Of a line as a version of its order tells it.
    pub(crate) fn of(line: &Line, refunds: &[Refund], shipments: &[RemoteShipment]) -> Self {
        let mut sent = Vec::new();
        for shipment in shipments {
            let behind = given_back_by(refunds, &line.remote_id, shipment.shipped_at);
            let here = shipment.lines.iter().filter(|one| one.line_id == line.remote_id);
            sent.extend(here.map(|one| Sent { quantity: one.quantity, behind }));
        }
        Self::new(line.quantity, &Back::of(line), &sent)
    }

    /// As many as may be owed at most.
    pub(crate) fn at_most(&self) -> Decimal {
        self.left.saturating_add(self.unclear)
    }
}

/// How many of a line are known to have been given back by then. A parcel takes days to come back:
/// what was given back in the moment in which one went out was not in it.
pub(crate) fn given_back_by(refunds: &[Refund], line: &str, at: Option<Timestamp>) -> Decimal {
    let Some(at) = at else { return Decimal::ZERO };
    let before = refunds.iter().filter(|refund| refund.refunded_at.is_some_and(|back| back <= at));
    sum(before.flat_map(|refund| &refund.lines).filter(|one| one.line_id == line).map(|one| one.quantity))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn n(count: i64) -> Decimal {
        Decimal::from(count)
    }

    fn sent(all: &[(i64, i64)]) -> Vec<Sent> {
        all.iter().map(|(quantity, behind)| Sent { quantity: n(*quantity), behind: n(*behind) }).collect()
    }

    /// Left and unclear, of a line of three.
    fn of_three(back: Back, all: &[(i64, i64)]) -> (Decimal, Decimal) {
        let pieces = Pieces::new(n(3), &back, &sent(all));
        (pieces.left, pieces.unclear)
    }

    #[test]
    fn p10_only_what_was_given_back_unsent_takes_something_away_from_what_is_left() {
        let back = |there, told: Option<i64>| Back { there: n(there), told: told.map(n), ..Back::default() };
        for (back, sent, wanted, what) in [
            (back(1, Some(1)), &[(1, 0)][..], (2, 0), "sent, returned and refunded"),
            (back(1, Some(0)), &[(1, 0)], (1, 0), "given back unsent"),
            (back(1, None), &[], (2, 0), "nothing was sent, so it was not"),
            (back(1, None), &[(1, 0)], (1, 1), "not told"),
            (back(1, None), &[(1, 1)], (1, 0), "given back before anything was sent"),
            (back(2, None), &[(1, 0), (1, 2)], (0, 0), "one of the two must have been in the first"),
            (back(1, None), &[(3, 0)], (0, 0), "all was sent"),
            (back(3, None), &[(1, 0)], (0, 0), "all was given back"),
            (Back { by_hand: n(1), ..Back::default() }, &[(1, 0)], (1, 0), "by hand: the unsent first"),
            (Back { by_hand: n(1), ..Back::default() }, &[(3, 0)], (0, 0), "by hand: then those that were sent"),
            (Back { said: Some((n(1), n(1))), ..back(1, None) }, &[(1, 0)], (2, 0), "the merchant says it was"),
            (Back { said: Some((n(0), n(1))), ..back(1, None) }, &[(1, 0)], (1, 0), "the merchant says it was not"),
            (Back { said: Some((n(0), n(1))), ..back(2, None) }, &[(1, 0)], (0, 1), "one more came since"),
            (back(1, Some(1)), &[], (2, 0), "nothing was sent, whatever is told"),
        ] {
            assert_eq!(of_three(back, sent), (n(wanted.0), n(wanted.1)), "{what}");
        }
    }

    /// What people do to a line.
    #[derive(Debug, Clone, Copy)]
    enum Act {
        Send(u8),
        GiveBackUnsent(u8),
        Return(u8),
    }

    fn act() -> impl Strategy<Value = Act> {
        (0u8..3, 1u8..4).prop_map(|(kind, count)| match kind {
            0 => Act::Send(count),
            1 => Act::GiveBackUnsent(count),
            _ => Act::Return(count),
        })
    }

    proptest! {
        /// Never more than is owed is offered, and never is owed what is neither offered nor told.
        #[test]
        fn p10_what_is_owed_is_offered_or_told(ordered in 1i64..9, acts in prop::collection::vec(act(), 0..9), dated: bool) {
            let (mut owed, mut out, mut back, mut returned) = (ordered, 0, 0, 0);
            let mut shipments = Vec::new();
            for act in acts {
                match act {
                    Act::Send(count) => {
                        let count = i64::from(count).min(owed);
                        (owed, out) = (owed - count, out + count);
                        shipments.push((count, if dated { back } else { 0 }));
                    }
                    Act::GiveBackUnsent(count) => {
                        let count = i64::from(count).min(owed);
                        (owed, back) = (owed - count, back + count);
                    }
                    Act::Return(count) => {
                        let count = i64::from(count).min(out - returned);
                        (back, returned) = (back + count, returned + count);
                    }
                }
            }
            let untold = Back { there: n(back), ..Back::default() };
            let pieces = Pieces::new(n(ordered), &untold, &sent(&shipments));
            prop_assert!(pieces.left <= n(owed) && n(owed) <= pieces.at_most(), "{pieces:?}, owed {owed}");
            let told = Back { told: Some(n(returned)), ..untold };
            let pieces = Pieces::new(n(ordered), &told, &sent(&shipments));
            prop_assert_eq!((pieces.left, pieces.unclear, pieces.returned), (n(owed), n(0), n(returned)));
            let said = Back { said: Some((n(returned), n(back))), ..untold };
            prop_assert_eq!(Pieces::new(n(ordered), &said, &sent(&shipments)), pieces);
        }
    }
}
