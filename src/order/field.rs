//! The fields of an order: what of it can change after import, as a fixed list.

use serde::{Deserialize, Serialize};

/// What marks the value of a field: the same for the same value.
pub(crate) type Mark = [u8; 16];

/// A side of an order that can differ between two versions. What touches none of them (a tag, the
/// name of a product, the buyer's telephone) is no change of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Field {
    /// Cancelled or put in the bin, or no longer so.
    Cancelled,
    /// Shipped, or more or less of it shipped.
    Shipped,
    /// Where it goes, and whom the carrier asks for there.
    Address,
    /// Lines added or removed, other quantities, prices or products.
    Lines,
    /// Money or pieces given back.
    Refunded,
    /// Paid, or no longer paid.
    Payment,
    /// Held back, or no longer so.
    Hold,
    /// What the buyer pays in all.
    Totals,
    /// What the buyer wrote.
    Notes,
    /// The shipping service that the buyer chose.
    Service,
    /// The latest moment to ship it.
    ShipBy,
    /// Put away as done with, or taken out again.
    Archived,
}

impl Field {
    /// Every field, the graver first.
    pub(crate) const ALL: [Self; 12] = [
        Self::Cancelled,
        Self::Shipped,
        Self::Address,
        Self::Lines,
        Self::Refunded,
        Self::Payment,
        Self::Hold,
        Self::Totals,
        Self::Notes,
        Self::Service,
        Self::ShipBy,
        Self::Archived,
    ];

    /// Whether the merchant can edit it.
    pub(crate) fn can_be_edited(self) -> bool {
        matches!(self, Self::Address | Self::Notes)
    }

    /// The field with this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.word() == word)
    }

    /// Whether a parcel waits until the merchant has seen a difference in it.
    pub(crate) fn stops_a_parcel(self) -> bool {
        matches!(self, Self::Cancelled | Self::Shipped | Self::Address | Self::Lines | Self::Refunded)
    }

    /// The word on the command line and in the book.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Shipped => "shipped",
            Self::Address => "address",
            Self::Lines => "lines",
            Self::Refunded => "refund",
            Self::Payment => "payment",
            Self::Hold => "hold",
            Self::Totals => "totals",
            Self::Notes => "notes",
            Self::Service => "service",
            Self::ShipBy => "ship-by",
            Self::Archived => "archived",
        }
    }
}
