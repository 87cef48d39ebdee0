//! The version that a merchant goes by: the one that was last imported or accepted, with what was
//! applied of the newest one. Not with what the merchant has done to the order (D-1).

use crate::book::Book;
use crate::error::Result;
use crate::order::{Difference, Field};
use crate::order::{Order, differences};

/// What the book knows of an order's versions.
#[derive(Debug)]
pub(crate) struct Versions {
    /// The one that was last imported or accepted.
    pub(crate) base: Order,
    /// The same with what was applied since.
    pub(crate) by: Order,
    /// The newest one, where one is kept beside the copy and can be read.
    pub(crate) newest: Option<Order>,
}

impl Versions {
    /// Reads them; nothing where the one that was last imported or accepted is lost.
    pub(crate) fn read(book: &Book, order: i64, read: impl Fn(&[u8]) -> Result<Order>) -> Result<Option<Self>> {
        let Some(document) = book.base_document(order)? else { return Ok(None) };
        let base = read(&document)?;
        let newest = book.newest_document(order)?.and_then(|document| read(&document).ok());
        let by = match &newest {
            Some(newest) => {
                let applied: Vec<Field> = book.circumstances(order)?.applied();
                base.taking(&applied, newest)
            }
            None => base.clone(),
        };
        Ok(Some(Self { base, by, newest }))
    }

    /// What the newest version has otherwise.
    pub(crate) fn differences(&self) -> Vec<Difference> {
        self.newest.as_ref().map(|newest| differences(&self.by, newest)).unwrap_or_default()
    }
}
