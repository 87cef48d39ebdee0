//! What the status words of a shop mean.
//!
//! WooCommerce has eight words of its own; plugins add theirs, as many as there are plugins. A word
//! of a plugin says less than what stands in the order: a date of completion and parcels with
//! numbers mean that it is sent, whatever it is called. Without those the words count that plugins
//! in wide use have ([`crate::channel::status_words`]), then what the merchant has set. Nothing is
//! guessed of the others: they stand in the inbox.

use crate::channel::status_words::meaning as of_plugins;
use crate::order::Status;

pub(crate) use crate::channel::status_words::{Statuses, is_pickup, plain};

/// WooCommerce's own word for an order of which all was given back.
pub(crate) const REFUNDED: &str = "refunded";

/// What an order says of itself beside its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// It has a date of payment.
    pub(crate) paid: bool,
    /// It has a date of completion.
    pub(crate) completed: bool,
    /// What its fulfilments and parcels amount to: sent, or sent in part.
    pub(crate) sent: Option<Status>,
}

/// What the word means for an order of which this is known.
pub(crate) fn meaning(word: &str, seen: Evidence, statuses: &Statuses) -> Status {
    let plain = plain(word);
    let set = statuses.get(&plain).copied();
    if let Some(status) = of_woocommerce(&plain, seen) {
        return set.unwrap_or(status);
    }
    let told = set.or_else(|| of_plugins(&plain));
    match (told, seen.sent) {
        (Some(Status::Cancelled | Status::Shipped | Status::PartiallyShipped), _) => told.unwrap_or(Status::Shipped),
        (_, Some(sent)) => sent,
        _ if seen.completed => Status::Shipped,
        (Some(status), _) => status,
        (None, _) if seen.paid => Status::AwaitingFulfillment,
        (None, _) => Status::AwaitingPayment,
    }
}

/// Whether nobody knows what the word means.
pub(crate) fn is_unknown(word: &str, statuses: &Statuses) -> bool {
    let plain = plain(word);
    let seen = Evidence { paid: false, completed: false, sent: None };
    !plain.is_empty()
        && !statuses.contains_key(&plain)
        && of_woocommerce(&plain, seen).is_none()
        && of_plugins(&plain).is_none()
}

/// WooCommerce's own words.
fn of_woocommerce(word: &str, seen: Evidence) -> Option<Status> {
    Some(match word {
        "pending" | "failed" => Status::AwaitingPayment,
        "on-hold" if seen.paid => Status::OnHold,
        "on-hold" => Status::AwaitingPayment,
        "processing" => Status::AwaitingFulfillment,
        "completed" => Status::Shipped,
        "cancelled" | "trash" => Status::Cancelled,
        // Money given back is a fact, not a status (P-10): what remains is whether the goods ever
        // left.
        REFUNDED if seen.completed => Status::Shipped,
        REFUNDED => seen.sent.unwrap_or(Status::AwaitingFulfillment),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Evidence = Evidence { paid: true, completed: false, sent: None };

    #[test]
    fn p12_words_of_plugins_mean_what_they_say_in_any_spelling() {
        for (word, status) in [
            ("shipped", Status::Shipped),
            ("wc-delivered", Status::Shipped),
            ("partial-shipped", Status::PartiallyShipped),
            ("Partially_Shipped", Status::PartiallyShipped),
            ("ready-pickup", Status::AwaitingFulfillment),
            ("awaiting-shipment", Status::AwaitingFulfillment),
            ("pre-ordered", Status::OnHold),
            ("partially-paid", Status::AwaitingPayment),
            ("canceled", Status::Cancelled),
            ("nobody-knows", Status::AwaitingFulfillment),
        ] {
            assert_eq!(meaning(word, NOTHING, &Statuses::new()), status, "{word}");
            assert_eq!(is_unknown(word, &Statuses::new()), word == "nobody-knows", "{word}");
        }
        assert!(!is_unknown("processing", &Statuses::new()) && !is_unknown("", &Statuses::new()));
    }

    #[test]
    fn p10_a_refund_leaves_what_is_known_of_the_shipping() {
        let meaning = |seen| meaning("wc-refunded", seen, &Statuses::new());
        assert_eq!(meaning(NOTHING), Status::AwaitingFulfillment);
        assert_eq!(meaning(Evidence { completed: true, ..NOTHING }), Status::Shipped);
        for sent in [Status::Shipped, Status::PartiallyShipped] {
            assert_eq!(meaning(Evidence { sent: Some(sent), ..NOTHING }), sent);
        }
    }

    #[test]
    fn p12_evidence_goes_before_the_word_of_a_plugin_and_that_before_nothing_known() {
        let none = Statuses::new();
        let completed = Evidence { completed: true, ..NOTHING };
        let sent = |status| Evidence { sent: Some(status), ..NOTHING };
        for word in ["nobody-knows", "packed"] {
            assert_eq!(meaning(word, completed, &none), Status::Shipped, "{word}");
            assert_eq!(meaning(word, sent(Status::PartiallyShipped), &none), Status::PartiallyShipped, "{word}");
        }
        assert_eq!(meaning("partial-shipped", sent(Status::Shipped), &none), Status::PartiallyShipped);
        // WooCommerce's own words stand: an order that was taken back to processing is to be worked
        // on again.
        assert_eq!(meaning("processing", completed, &none), Status::AwaitingFulfillment);
        let unpaid = Evidence { paid: false, ..NOTHING };
        assert_eq!(meaning("nobody-knows", unpaid, &none), Status::AwaitingPayment);
        let set = Statuses::from([("nobody-knows".to_owned(), Status::OnHold), ("on-hold".to_owned(), Status::OnHold)]);
        assert_eq!(meaning("wc-nobody-knows", unpaid, &set), Status::OnHold);
        assert_eq!(meaning("on-hold", unpaid, &set), Status::OnHold);
        assert!(!is_unknown("nobody-knows", &set));
    }
}
