//! What the states and status codes of a shop mean.
//!
//! Each order has a state, one of a fixed set, and a status code of the merchant's own that belongs
//! to one. The state decides; within those in which an order is worked on, what is shipped goes
//! before it, and a code in wide use, or one that the merchant has said the meaning of, refines it.

use crate::channel::status_words::{self, plain};
use crate::order::Status;

pub(crate) use crate::channel::status_words::Statuses;

/// The state of an order all of which was given back.
pub(crate) const CLOSED: &str = "closed";

/// The state of a cancelled order, and of one that is held.
pub(crate) const CANCELED: &str = "canceled";
pub(crate) const HELD: &str = "holded";

/// The state of an order whose payment somebody looks at.
pub(crate) const REVIEW: &str = "payment_review";

/// What an order says of itself beside its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Nothing of its total is due.
    pub(crate) paid: bool,
    /// What is shipped of it amounts to: all, or a part.
    pub(crate) sent: Option<Status>,
    /// Something of it is shipped, and something else is surely left to ship.
    pub(crate) owed: bool,
    /// Each piece that would go into a parcel was given back, and none was shipped.
    pub(crate) unsent: bool,
}

/// What state and status code mean for an order of which this is known.
pub(crate) fn meaning(state: &str, code: &str, seen: Evidence, statuses: &Statuses) -> Status {
    let plain = plain(code);
    let set = statuses.get(&plain).copied();
    let added = || status_words::meaning(&plain);
    let open = || seen.sent.unwrap_or(Status::AwaitingFulfillment);
    match state {
        CANCELED => Status::Cancelled,
        HELD => Status::OnHold,
        // Also where nothing is left to be shipped because it was given back.
        "complete" if seen.unsent => Status::AwaitingFulfillment,
        // What is in no shipment is evidence, and the shop still ships it then. The state comes too
        // early where rows of parts are added up (half of a bundle counts as all of it), and whoever
        // sets it by hand tells nothing of the pieces.
        "complete" if seen.owed => Status::PartiallyShipped,
        "complete" => Status::Shipped,
        // Money given back is a fact, not a status (P-10).
        CLOSED => open(),
        // Those that come first on the state's list are the shop's own words for it.
        "processing" if !is_of_core(&plain) => refined(set.or_else(added), seen).unwrap_or_else(open),
        "processing" => refined(set, seen).unwrap_or_else(open),
        "new" | "pending_payment" | REVIEW => {
            let waits = if seen.paid && state == "new" { Status::AwaitingFulfillment } else { Status::AwaitingPayment };
            seen.sent.or(set).unwrap_or(waits)
        }
        // A state of a module's own.
        _ => refined(set.or_else(added), seen).unwrap_or(match (seen.sent, seen.paid) {
            (Some(sent), _) => sent,
            (None, true) => Status::AwaitingFulfillment,
            (None, false) => Status::AwaitingPayment,
        }),
    }
}

/// What an order that is held back would be without that: what it was before, where the shop has put
/// it on hold, and what its state says, where its code does. Nothing where the shop does not tell.
pub(crate) fn held_as(state: &str, before: (&str, &str), seen: Evidence, statuses: &Statuses) -> Option<Status> {
    let (state, code) = if state == HELD { before } else { (state, "") };
    let told = (!state.is_empty()).then(|| meaning(state, code, seen, statuses))?;
    let by_state = || meaning(state, "", seen, &Statuses::new());
    Some(if told == Status::OnHold { by_state() } else { told })
}

/// What a code says. That something is shipped goes before what waits; the word for all of it
/// goes before parts that are known.
fn refined(told: Option<Status>, seen: Evidence) -> Option<Status> {
    match (told, seen.sent) {
        (Some(Status::Shipped | Status::PartiallyShipped | Status::Cancelled), _) | (_, None) => told,
        (_, sent) => sent,
    }
}

/// The codes that a new shop has.
fn is_of_core(plain: &str) -> bool {
    matches!(
        plain,
        "pending"
            | "processing"
            | "complete"
            | "closed"
            | "canceled"
            | "holded"
            | "payment-review"
            | "pending-payment"
            | "pending-paypal"
            | "paypal-reversed"
            | "paypal-canceled-reversal"
    )
}

/// Whether nobody knows what an order in this state with this code is: a state of a module's own,
/// and a code that is neither in wide use nor set.
pub(crate) fn is_unknown(state: &str, code: &str, statuses: &Statuses) -> bool {
    let known =
        matches!(state, "new" | "pending_payment" | REVIEW | "processing" | "complete" | CLOSED | CANCELED | HELD);
    let plain = plain(code);
    !known && !plain.is_empty() && !statuses.contains_key(&plain) && status_words::meaning(&plain).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Evidence = Evidence { paid: true, sent: None, owed: false, unsent: false };

    #[test]
    fn p12_the_state_decides_and_what_is_shipped_refines_it() {
        use Status::*;
        let sent = |status| Evidence { sent: Some(status), ..NOTHING };
        let unpaid = Evidence { paid: false, ..NOTHING };
        for (state, code, seen, wanted) in [
            ("new", "pending", unpaid, AwaitingPayment),
            ("new", "pending", NOTHING, AwaitingFulfillment),
            ("pending_payment", "pending_payment", unpaid, AwaitingPayment),
            ("payment_review", "fraud", unpaid, AwaitingPayment),
            ("processing", "processing", unpaid, AwaitingFulfillment),
            ("processing", "processing", sent(PartiallyShipped), PartiallyShipped),
            ("processing", "processing", sent(Shipped), Shipped),
            ("processing", "fraud", NOTHING, OnHold),
            ("processing", "shipped", NOTHING, Shipped),
            ("processing", "our_own_word", NOTHING, AwaitingFulfillment),
            ("processing", "packed", sent(PartiallyShipped), PartiallyShipped),
            ("complete", "complete", NOTHING, Shipped),
            ("complete", "delivered", NOTHING, Shipped),
            ("complete", "complete", Evidence { unsent: true, ..NOTHING }, AwaitingFulfillment),
            ("complete", "complete", sent(PartiallyShipped), Shipped),
            ("complete", "complete", Evidence { owed: true, ..sent(PartiallyShipped) }, PartiallyShipped),
            ("closed", "closed", NOTHING, AwaitingFulfillment),
            ("closed", "closed", sent(Shipped), Shipped),
            ("canceled", "canceled", NOTHING, Cancelled),
            ("holded", "holded", NOTHING, OnHold),
            ("of_a_module", "of_a_module", unpaid, AwaitingPayment),
            ("of_a_module", "of_a_module", sent(Shipped), Shipped),
        ] {
            assert_eq!(meaning(state, code, seen, &Statuses::new()), wanted, "{state} {code}");
        }
    }

    #[test]
    fn p9_an_order_on_hold_is_without_that_what_it_was_before() {
        use Status::*;
        let unpaid = Evidence { paid: false, ..NOTHING };
        let sent = Evidence { sent: Some(PartiallyShipped), ..unpaid };
        let set = Statuses::from([("processing".to_owned(), OnHold), ("checked".to_owned(), OnHold)]);
        for (state, before, seen, wanted) in [
            (HELD, ("new", "pending"), unpaid, Some(AwaitingPayment)),
            (HELD, ("pending_payment", "pending_payment"), unpaid, Some(AwaitingPayment)),
            (HELD, ("processing", "processing"), unpaid, Some(AwaitingFulfillment)),
            (HELD, ("processing", "checked"), unpaid, Some(AwaitingFulfillment)),
            (HELD, ("processing", "processing"), sent, Some(PartiallyShipped)),
            (HELD, ("", ""), unpaid, None),
            ("processing", ("", ""), unpaid, Some(AwaitingFulfillment)),
            ("new", ("", ""), unpaid, Some(AwaitingPayment)),
        ] {
            assert_eq!(held_as(state, before, seen, &set), wanted, "{state} {before:?}");
        }
    }

    #[test]
    fn p12_the_merchants_word_counts_where_the_state_leaves_room() {
        let set = Statuses::from([("our-own-word".to_owned(), Status::OnHold)]);
        assert_eq!(meaning("processing", "our_own_word", NOTHING, &set), Status::OnHold);
        assert_eq!(meaning("canceled", "our_own_word", NOTHING, &set), Status::Cancelled);
        let part = Evidence { sent: Some(Status::PartiallyShipped), ..NOTHING };
        assert_eq!(meaning("processing", "our_own_word", part, &set), Status::PartiallyShipped);
        // Also of a code of the shop's own.
        let set = Statuses::from([("processing".to_owned(), Status::OnHold)]);
        let all = Evidence { sent: Some(Status::Shipped), ..NOTHING };
        assert_eq!(meaning("processing", "processing", NOTHING, &set), Status::OnHold);
        assert_eq!(meaning("processing", "processing", all, &set), Status::Shipped);
    }

    #[test]
    fn p12_only_a_state_that_nobody_knows_makes_a_code_unknown() {
        let none = Statuses::new();
        assert!(!is_unknown("processing", "our_own_word", &none));
        assert!(is_unknown("of_a_module", "our_own_word", &none));
        assert!(!is_unknown("of_a_module", "shipped", &none));
        assert!(!is_unknown("of_a_module", "x", &Statuses::from([("x".to_owned(), Status::OnHold)])));
    }
}
