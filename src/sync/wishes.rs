//! What may be wished with a cancellation, beside the cancellation itself.

/// A wish about the money, the buyer or the stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The money is given back.
    Refund,
    /// The buyer is told.
    Notify,
    /// The stock does not go back.
    NoRestock,
}

impl Wish {
    /// How the merchant says it.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Refund => "--refund",
            Self::Notify => "--notify",
            Self::NoRestock => "--no-restock",
        }
    }

    /// What is left to the merchant where the channel has not heard it.
    pub(crate) fn instead(self) -> &'static str {
        match self {
            Self::Refund => "give the money back in the channel's own pages",
            Self::Notify => "tell the buyer from the channel's own pages",
            Self::NoRestock => "correct the stock in the channel's own pages",
        }
    }
}

/// The wishes, the gravest first.
pub(crate) fn wishes(refund: bool, notify: bool, restock: bool) -> Vec<Wish> {
    let all = [(refund, Wish::Refund), (notify, Wish::Notify), (!restock, Wish::NoRestock)];
    all.into_iter().filter(|(wished, _)| *wished).map(|(_, wish)| wish).collect()
}

/// The flags of these wishes, for a sentence.
pub(crate) fn flags(wishes: &[Wish]) -> String {
    wishes.iter().map(|wish| wish.flag()).collect::<Vec<_>>().join(" and ")
}

/// What is left to the merchant of these wishes, for a hint.
pub(crate) fn instead(wishes: &[Wish]) -> String {
    wishes.iter().map(|wish| wish.instead()).collect::<Vec<_>>().join("; ")
}
