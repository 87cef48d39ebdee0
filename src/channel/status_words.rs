//! Status words that plugins and shops in wide use add to a channel's own, and what a merchant says of
//! those that nobody knows (P-12).
//!
//! There are as many of them as there are plugins: those of Advanced Shipment Tracking, Order Status
//! Manager, Local Pickup, Deposits, Pre-Orders and shipping programs, and what merchants call by the
//! same names. Nothing is guessed of the others: they stand in the inbox.

use std::collections::BTreeMap;

use super::settings::usage;
use crate::error::Result;
use crate::order::Status;

/// The merchant's own reading of added statuses, by their words as [`plain`] gives them.
pub(crate) type Statuses = BTreeMap<String, Status>;

/// The setting `statuses`: `packed=awaiting-fulfillment,sent=shipped`.
///
/// # Errors
/// `Usage` for what is none.
pub(crate) fn setting(text: &str) -> Result<Statuses> {
    text.split(',')
        .filter(|pair| !pair.trim().is_empty())
        .map(|pair| {
            let (theirs, ours) =
                pair.split_once('=').ok_or_else(|| usage(format!("statuses: {pair:?} is not THEIRS=OURS")))?;
            let theirs = theirs.trim();
            let ours = ours.trim().parse().map_err(|why| usage(format!("statuses: {why}")))?;
            Ok((plain(theirs), ours))
        })
        .collect()
}

/// A status word as plugins are compared by: without the prefix of the database, in one spelling.
pub(crate) fn plain(word: &str) -> String {
    let word = word.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    word.strip_prefix("wc-").unwrap_or(&word).to_owned()
}

/// Whether the word says that the buyer comes for the goods, or has come.
pub(crate) fn is_pickup(word: &str) -> bool {
    matches!(
        &*plain(word),
        "ready-pickup"
            | "ready-for-pickup"
            | "ready-for-pick-up"
            | "ready-to-pickup"
            | "ready-for-collection"
            | "ready-to-collect"
            | "pickup"
            | "picked-up"
            | "pickedup"
            | "collected"
    )
}

/// What a word in wide use means.
pub(crate) fn meaning(word: &str) -> Option<Status> {
    Some(match word {
        "partial-shipped"
        | "partially-shipped"
        | "partial-shipment"
        | "partially-fulfilled"
        | "partial-dispatched"
        | "partially-dispatched"
        | "partial-complete"
        | "partially-completed" => Status::PartiallyShipped,
        "shipped" | "delivered" | "dispatched" | "despatched" | "sent" | "in-transit" | "out-for-delivery"
        | "on-the-way" | "on-route" | "updated-tracking" | "fulfilled" | "complete" | "returned" | "returning"
        | "pickup" | "picked-up" | "pickedup" | "collected" => Status::Shipped,
        "awaiting-shipment"
        | "awaiting-shipping"
        | "awaiting-fulfillment"
        | "awaiting-fulfilment"
        | "awaiting-pickup"
        | "ready-to-ship"
        | "ready-for-shipping"
        | "ready-for-shipment"
        | "ready-for-dispatch"
        | "to-ship"
        | "packed"
        | "packing"
        | "packaging"
        | "picking"
        | "picked"
        | "preparing"
        | "in-production"
        | "in-progress"
        | "printing"
        | "printed"
        | "label-printed"
        | "exported"
        | "confirmed"
        | "accepted"
        | "ready-pickup"
        | "ready-for-pickup"
        | "ready-for-pick-up"
        | "ready-to-pickup"
        | "ready-for-collection"
        | "ready-to-collect" => Status::AwaitingFulfillment,
        "partially-paid"
        | "partial-payment"
        | "pending-deposit"
        | "scheduled-payment"
        | "awaiting-payment"
        | "awaiting-bank-transfer"
        | "payment-pending"
        | "payment-authorized"
        | "authorized" => Status::AwaitingPayment,
        "pre-ordered" | "pre-order" | "preorder" | "backorder" | "backordered" | "back-order" | "fraud"
        | "manual-review" | "in-review" | "verification" => Status::OnHold,
        "canceled" | "rejected" | "declined" | "expired" | "voided" => Status::Cancelled,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_words_in_wide_use_are_known_in_any_spelling_and_others_by_the_setting_alone() {
        for (word, status) in [
            ("shipped", Some(Status::Shipped)),
            ("wc-delivered", Some(Status::Shipped)),
            ("Partially_Shipped", Some(Status::PartiallyShipped)),
            ("ready for pickup", Some(Status::AwaitingFulfillment)),
            ("nobody-knows", None),
        ] {
            assert_eq!(meaning(&plain(word)), status, "{word}");
        }
        let set = setting("wc-packed=awaiting-fulfillment, Sent Out = shipped").unwrap();
        assert_eq!(set.into_keys().collect::<Vec<_>>(), ["packed", "sent-out"]);
        assert!(setting("packed=packed").is_err() && setting("packed").is_err());
        assert!(is_pickup("Ready_For_Collection") && !is_pickup("ready-to-ship"));
    }
}
