//! Whether two orders of different stores are one sale: what was bought at one of them, and what a
//! connector of the merchant's other shop made of it there. No I/O, and no guess: saying nothing is
//! better than a false twin.
//!
//! What a store sold itself, at its checkout or by its staff, is no copy of anything, so one who buys
//! the same at two shops is never taken for one sale, and what goes out again for an earlier order
//! is none either. A copy is made by a program, and
//!
//! - carries the number that the sale has at the other store, in its own number, a note or an
//!   attribute, has its total or its pieces, goes to the same name or postcode where both are known,
//!   and was placed within a month of it, as what is written about an earlier order is not; or
//! - goes to the same name, postcode and country with the same pieces for the same total, and was
//!   placed with or within the hour after one that the other store sold itself. Connectors write the
//!   time of the sale, or come by every few minutes and wait for the payment, half an hour as a rule.
//!   In a whole day there would be buyers who ordered the same again in another way.
//!
//! Where a channel withholds name or postcode, only the number tells.

use super::sale::{Sale, digits};

/// What was placed later after the sale, in milliseconds, is only known by a number.
pub(crate) const AFTER_MS: i64 = 3_600_000;

/// As far two channels' clocks may be apart.
const BEFORE_MS: i64 = 5 * 60_000;

/// Nor is it what was made of an order by its number that was placed further apart than this.
const MONTH_MS: i64 = 31 * 24 * 3_600_000;

/// How a twin was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// By its number.
    Number,
    /// By buyer, pieces, total and time.
    Buyer,
}

impl Sale {
    /// Whether it was made of `original`.
    fn copies(&self, original: &Self) -> Option<How> {
        if self.store == original.store || self.sold_here || self.test || original.test {
            return None;
        }
        let (same_price, same_pieces) = (self.is_same_price(original), self.are_same_pieces(original));
        let own = original.own_numbers();
        let carries = self.carried().into_iter().any(|number| own.contains(&digits(number)));
        // What goes out again for nothing names the order that it is for, and is no twin of it.
        let is_free = self.total.is_zero() != original.total.is_zero();
        let after = self.placed_at.signed_duration_since(original.placed_at).num_milliseconds();
        let (place, its_place) = (self.place(), original.place());
        let (same_place, same_person) = (place == its_place, self.is_same_person(original));
        let unknown = place.is_none() || its_place.is_none();
        let to_another = !unknown && !same_place && !same_person;
        if carries && (same_price || same_pieces && !is_free) && !to_another && after.abs() <= MONTH_MS {
            return Some(How::Number);
        }
        let alike = same_price && same_pieces && same_place && same_person && !unknown;
        (alike && original.sold_here && (-BEFORE_MS..=AFTER_MS).contains(&after)).then_some(How::Buyer)
    }
}

/// Whether the two are one sale: how that is known, and whether the second is the copy.
pub(crate) fn twins(one: &Sale, two: &Sale) -> Option<(How, bool)> {
    match (two.copies(one), one.copies(two)) {
        // Each carries the other's number: the first of them was there before.
        (Some(How::Number), Some(How::Number)) => Some((How::Number, one.placed_at <= two.placed_at)),
        (Some(how), _) => Some((how, true)),
        (None, Some(how)) => Some((how, false)),
        (None, None) => None,
    }
}
