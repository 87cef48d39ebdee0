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

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::Order;
use crate::clock::Timestamp;

/// What was placed later after the sale, in milliseconds, is only known by a number.
pub(crate) const AFTER_MS: i64 = 3_600_000;

/// As far two channels' clocks may be apart.
const BEFORE_MS: i64 = 5 * 60_000;

/// Nor is it what was made of an order by its number that was placed further apart than this.
const MONTH_MS: i64 = 31 * 24 * 3_600_000;

/// Fewer digits may be an accident: dates have eight. Marketplaces number by ten (Etsy) and more.
const DIGITS: usize = 9;

/// As many numbers of one order are looked for.
const MOST: usize = 20;

/// What of an order tells its twin.
#[derive(Debug, Clone)]
pub(crate) struct Sale {
    /// The store's number in the book.
    pub(crate) store: i64,
    /// Whether the store sold it itself, at its checkout or by its staff; else a program made it.
    pub(crate) sold_here: bool,
    /// Of the checkout's tests.
    pub(crate) test: bool,
    /// The channel's id and number of it.
    pub(crate) names: [String; 2],
    /// When it was placed.
    pub(crate) placed_at: Timestamp,
    /// What it is paid in.
    pub(crate) currency: String,
    /// What the buyer pays.
    pub(crate) total: Decimal,
    /// Name, postcode and country of where it goes; blank where there are several places or none.
    pub(crate) to: [String; 3],
    /// SKU, name and quantity of each line that goes into a parcel.
    pub(crate) pieces: Vec<(String, String, Decimal)>,
    /// Where it may carry a number of another store.
    pub(crate) texts: Vec<String>,
}

/// How a twin was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// By its number.
    Number,
    /// By buyer, pieces, total and time.
    Buyer,
}

impl Sale {
    /// That of an order.
    pub(crate) fn of(store: i64, sold_here: bool, order: &Order) -> Self {
        let to = match order.ship_to.as_slice() {
            [one] => [&one.name, &one.postcode, &one.country].map(String::clone),
            _ => Default::default(),
        };
        let pieces = order.lines.iter().filter(|line| line.ships);
        let texts = order.attributes.iter().map(|(_, text)| text).chain([&order.buyer_note, &order.source]);
        Self {
            store,
            sold_here,
            test: order.test,
            names: [order.remote_id.clone(), order.number.clone()],
            placed_at: order.placed_at,
            currency: order.currency.code().to_owned(),
            total: order.totals.total,
            to,
            pieces: pieces.map(|line| (line.sku.clone(), line.name.clone(), line.quantity)).collect(),
            texts: texts.filter(|text| !text.is_empty()).cloned().collect(),
        }
    }

    /// The long numbers that it has itself, their digits alone.
    pub(crate) fn own_numbers(&self) -> BTreeSet<String> {
        self.names.iter().flat_map(|name| numbers(name)).map(digits).collect()
    }

    /// The long numbers that it carries, as they are written there. What the store sold itself
    /// carries none.
    pub(crate) fn carried(&self) -> Vec<&str> {
        let texts = self.names.iter().chain(&self.texts).filter(|_| !self.sold_here);
        texts.flat_map(|text| numbers(text)).take(MOST).collect()
    }

    /// Where it goes, in one way of writing; nothing where that is not known.
    pub(crate) fn place(&self) -> Option<String> {
        let [name, postcode, country] = &self.to;
        let country = country.trim().to_uppercase();
        let mut postcode: String = postcode.chars().filter(|c| c.is_alphanumeric()).collect();
        if country == "US" && postcode.len() == 9 {
            postcode.truncate(5); // Only some channels tell the block.
        }
        let known = postcode.chars().count() > 2 && country.len() == 2 && !words(name).is_empty();
        known.then(|| format!("{country} {}", postcode.to_uppercase()))
    }

    fn is_same_price(&self, other: &Self) -> bool {
        self.currency == other.currency && self.total == other.total && self.total > Decimal::ZERO
    }

    /// By SKU where all lines of both have one, else by name.
    fn are_same_pieces(&self, other: &Self) -> bool {
        let with_sku = self.pieces.iter().chain(&other.pieces).all(|(sku, ..)| !sku.trim().is_empty());
        let counted = |sale: &Self| {
            let mut counts = BTreeMap::<String, Decimal>::new();
            for (sku, name, quantity) in sale.pieces.iter().filter(|(.., quantity)| *quantity > Decimal::ZERO) {
                let what = if with_sku { sku.trim().to_lowercase() } else { words(name).join(" ") };
                let count = counts.entry(what).or_default();
                *count = count.saturating_add(*quantity);
            }
            counts
        };
        let counts = counted(self);
        !counts.is_empty() && counts.keys().all(|what| !what.is_empty()) && counts == counted(other)
    }

    /// Whether the names are the same, or one has words that the other leaves out.
    fn is_same_person(&self, other: &Self) -> bool {
        let [one, two] = [self, other].map(|sale| words(&sale.to[0]).into_iter().collect::<BTreeSet<_>>());
        !one.is_empty() && !two.is_empty() && (one.is_subset(&two) || two.is_subset(&one))
    }

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

/// The long numbers in a text, with the hyphens in them; zeros in front are no digits of theirs.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|c: char| !(c.is_ascii_digit() || c == '-')).map(|run| run.trim_matches('-'));
    runs.filter(|run| digits(run).trim_start_matches('0').len() >= DIGITS)
}

/// The digits of a number.
pub(crate) fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// The words of a name, in one way of writing.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}
