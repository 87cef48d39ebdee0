//! What of an order tells whether another is the same sale: its numbers, where it goes, what is in it
//! and what it costs, each in one way of writing. The rule is [`super::twin`].

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::Order;
use crate::clock::Timestamp;

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

    pub(super) fn is_same_price(&self, other: &Self) -> bool {
        self.currency == other.currency && self.total == other.total && self.total > Decimal::ZERO
    }

    /// By SKU where all lines of both have one, else by name.
    pub(super) fn are_same_pieces(&self, other: &Self) -> bool {
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
    pub(super) fn is_same_person(&self, other: &Self) -> bool {
        let [one, two] = [self, other].map(|sale| words(&sale.to[0]).into_iter().collect::<BTreeSet<_>>());
        !one.is_empty() && !two.is_empty() && (one.is_subset(&two) || two.is_subset(&one))
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
