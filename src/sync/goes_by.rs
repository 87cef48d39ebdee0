//! The version that a merchant goes by: the one that was last imported or accepted, as a whole or
//! field by field, with what was applied of the newest one. Not with what the merchant has done to
//! the order (D-1).

use crate::book::{Basis, Book};
use crate::channel::Format;
use crate::error::Result;
use crate::order::{Difference, Field, Order, differences};

/// What the book knows of an order's versions.
#[derive(Debug)]
pub(crate) struct Versions {
    /// The one that was last imported or accepted.
    pub(crate) base: Order,
    /// The same with what was applied since.
    pub(crate) by: Order,
    /// The same with the facts as well: what the copy was made of.
    pub(crate) written: Order,
    /// `by` with what the merchant has edited: what is theirs, for people.
    yours: Order,
    /// The newest one, where one is kept beside the copy and can be read.
    pub(crate) newest: Option<Order>,
}

/// The version that was last imported or accepted: everything that is compared is compared with
/// this one.
///
/// # Errors
/// `Unreadable` where a document of it cannot be read by this version of the program.
pub(crate) fn base(basis: &Basis, format: &dyn Format) -> Result<Order> {
    let base = format.order(&basis.document)?;
    let later = basis.accepted.iter().map(|(fields, document)| Ok((fields, format.order(document)?)));
    let later: Vec<(&Vec<Field>, Order)> = later.collect::<Result<_>>()?;
    let parts = later.iter().flat_map(|(fields, order)| fields.iter().map(move |field| (*field, order)));
    Ok(base.taking_each(&parts.collect::<Vec<_>>()))
}

impl Versions {
    /// Reads them; nothing where the one that was last imported or accepted is lost.
    pub(crate) fn read(book: &Book, order: i64, format: &dyn Format) -> Result<Option<Self>> {
        let Some(basis) = book.basis(order)? else { return Ok(None) };
        let base = base(&basis, format)?;
        let newest = book.newest_document(order)?.and_then(|document| format.order(&document).ok());
        let (by, written, edited) = match &newest {
            Some(newest) => {
                let since = book.circumstances(order)?;
                (base.taking(&since.applied(), newest), base.taking(&since.written(), newest), since.edited)
            }
            None => (base.clone(), base.clone(), Vec::new()),
        };
        let mut yours = by.clone();
        if edited.iter().any(|field| matches!(field, Field::Address | Field::Notes)) {
            let copy = book.order(order)?;
            (yours.ship_to, yours.buyer_note) = (copy.ship_to, copy.buyer_note);
        }
        Ok(Some(Self { base, by, written, yours, newest }))
    }

    /// The same once these fields of `now`, which the merchant's own act has made, are the merchant's.
    pub(super) fn with_own(&self, own: &[Field], now: &Order) -> Self {
        let [base, by, written, yours] =
            [&self.base, &self.by, &self.written, &self.yours].map(|version| version.taking(own, now));
        Self { base, by, written, yours, newest: self.newest.clone() }
    }

    /// What the newest version has otherwise; of what the merchant has edited it is held against
    /// that in words.
    pub(crate) fn differences(&self) -> Vec<Difference> {
        let Some(newest) = &self.newest else { return Vec::new() };
        let yours = differences(&self.yours, newest);
        let in_words = |found: Difference| {
            let edited = yours.iter().find(|yours| yours.aspect == found.aspect);
            edited.filter(|_| matches!(found.aspect, Field::Address | Field::Notes)).cloned().unwrap_or(found)
        };
        differences(&self.by, newest).into_iter().map(in_words).collect()
    }
}
