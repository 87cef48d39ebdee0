//! What eBay's three statuses, of the payment, of the parcels and of a cancellation, amount to. None
//! of them says anything of the others.

use crate::order::Status;

/// How it stands with a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancelling {
    /// Nobody wants one.
    No,
    /// One is asked for and not decided, or is being carried out.
    UnderWay,
    /// The order is cancelled.
    Done,
}

impl Cancelling {
    /// By the word, which eBay spells in two ways. One that is not known is something that the
    /// merchant has to look at.
    pub(crate) fn of(state: &str) -> Self {
        match state.trim().to_ascii_uppercase().as_str() {
            "" | "NONE_REQUESTED" => Self::No,
            "CANCELED" | "CANCELLED" => Self::Done,
            _ => Self::UnderWay,
        }
    }
}

/// Whether parcels may be told of: an order of which nothing left has none.
pub(crate) fn has_parcels(fulfillment: &str) -> bool {
    !matches!(fulfillment, "" | "NOT_STARTED")
}

/// All of the money went back.
pub(crate) const GIVEN_BACK: &str = "FULLY_REFUNDED";

/// Whether the payment's word says that it was made, whatever went back since.
pub(crate) fn is_paid(payment: &str) -> bool {
    matches!(payment, "PAID" | "PARTIALLY_REFUNDED" | GIVEN_BACK)
}

/// The merchant's status. Money that went back is a fact, and no status (P-10); "pending" is said of a
/// payment that is awaited and of a refund. A word that is not known yet is held back rather than
/// offered for shipping. `paid`: a payment has a date, or eBay says that it was made.
pub(crate) fn status(payment: &str, fulfillment: &str, cancelling: Cancelling, paid: bool) -> Status {
    match (cancelling, fulfillment) {
        (Cancelling::Done, _) => Status::Cancelled,
        (_, "FULFILLED") => Status::Shipped,
        (_, "IN_PROGRESS") => Status::PartiallyShipped,
        _ if !paid => Status::AwaitingPayment,
        _ if payment == "FAILED" => Status::AwaitingPayment,
        (_, "NOT_STARTED" | "") if is_paid(payment) || payment == "PENDING" => Status::AwaitingFulfillment,
        _ => Status::OnHold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: bool = true;
    const UNPAID: bool = false;

    #[test]
    fn p12_the_three_words_make_one_status_and_evidence_goes_before_them() {
        use Cancelling::{Done, No, UnderWay};
        for (payment, fulfillment, cancelling, paid, expected) in [
            ("PAID", "NOT_STARTED", No, PAID, Status::AwaitingFulfillment),
            ("PAID", "NOT_STARTED", UnderWay, PAID, Status::AwaitingFulfillment),
            ("PAID", "IN_PROGRESS", No, PAID, Status::PartiallyShipped),
            ("PAID", "FULFILLED", No, PAID, Status::Shipped),
            ("PAID", "FULFILLED", Done, PAID, Status::Cancelled),
            ("FULLY_REFUNDED", "NOT_STARTED", Done, PAID, Status::Cancelled),
            ("FULLY_REFUNDED", "NOT_STARTED", No, PAID, Status::AwaitingFulfillment),
            ("PARTIALLY_REFUNDED", "NOT_STARTED", No, PAID, Status::AwaitingFulfillment),
            ("PENDING", "NOT_STARTED", No, UNPAID, Status::AwaitingPayment),
            ("PENDING", "NOT_STARTED", No, PAID, Status::AwaitingFulfillment),
            ("FAILED", "NOT_STARTED", No, PAID, Status::AwaitingPayment),
            ("PENDING", "FULFILLED", No, UNPAID, Status::Shipped),
            ("PAID", "LOST", No, PAID, Status::OnHold),
            ("IN_REVIEW", "NOT_STARTED", No, PAID, Status::OnHold),
        ] {
            assert_eq!(status(payment, fulfillment, cancelling, paid), expected, "{payment} {fulfillment}");
        }
        for (word, expected) in [
            ("CANCELED", Done),
            ("CANCELLED", Done),
            ("cancelled", Done),
            ("NONE_REQUESTED", No),
            ("", No),
            ("IN_PROGRESS", UnderWay),
            ("CANCEL_PENDING", UnderWay),
        ] {
            assert_eq!(Cancelling::of(word), expected, "{word}");
        }
    }
}
