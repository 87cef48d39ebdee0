//! The merchant's status of an order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Local order status. The channel's own status is kept beside it, verbatim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Placed, not paid.
    AwaitingPayment,
    /// Paid, to be shipped.
    AwaitingFulfillment,
    /// Handed to a supplier who ships it.
    DropshipmentRequested,
    /// Held back by the merchant or the channel.
    OnHold,
    /// Some of it has been shipped.
    PartiallyShipped,
    /// All of it has been shipped.
    Shipped,
    /// Cancelled.
    Cancelled,
}

impl Status {
    /// Every status, in the order an order passes through them.
    pub(crate) const ALL: [Self; 7] = [
        Self::AwaitingPayment,
        Self::AwaitingFulfillment,
        Self::DropshipmentRequested,
        Self::OnHold,
        Self::PartiallyShipped,
        Self::Shipped,
        Self::Cancelled,
    ];

    /// The word used on the command line, in JSON and in the book.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "awaiting-payment",
            Self::AwaitingFulfillment => "awaiting-fulfillment",
            Self::DropshipmentRequested => "dropshipment-requested",
            Self::OnHold => "on-hold",
            Self::PartiallyShipped => "partially-shipped",
            Self::Shipped => "shipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What the merchant does with an order in the book alone, beside what its channel says of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Local {
    /// It is held back.
    pub(crate) held: bool,
    /// A supplier was asked to ship it.
    pub(crate) requested: bool,
    /// What is recorded as sent of it has not gone out, and is held back with it.
    pub(crate) unsent: bool,
}

impl Local {
    /// What an order counts as whose status is `bare` without it. What has come to an end has come
    /// to an end.
    pub(crate) fn over(self, bare: Status) -> Status {
        use Status::{AwaitingFulfillment, Cancelled, OnHold, Shipped};
        match bare {
            Shipped if self.held && self.unsent => OnHold,
            Shipped | Cancelled => bare,
            _ if self.held => OnHold,
            AwaitingFulfillment | OnHold if self.requested => Status::DropshipmentRequested,
            _ => bare,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Status {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|status| status.word() == word)
            .ok_or_else(|| format!("{word:?} is not a status; one of: {}", Self::ALL.map(Self::word).join(", ")))
    }
}
