//! What Etsy's one status word, and the flags beside it, amount to.
//!
//! The document has the words in lower case, real answers have them in capitals. There is no status
//! of a part that is shipped: the first parcel makes the whole receipt shipped.

use crate::order::Status;

/// What is known of a receipt's goods.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Goods {
    /// Etsy says that it is paid.
    pub(crate) paid: bool,
    /// Etsy says that it is shipped, or shows a parcel of it.
    pub(crate) sent: bool,
    /// Something in it goes into a parcel.
    pub(crate) ships: bool,
}

/// The word in lower case, in one spelling.
pub(crate) fn word(status: &str) -> String {
    let word = status.to_lowercase().replace(['_', '-'], " ");
    let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
    if word == "cancelled" { "canceled".to_owned() } else { word }
}

/// The word for a receipt of which all was given back.
pub(crate) const GIVEN_BACK: &str = "fully refunded";

/// The merchant's status for a status word. One that is not known yet is held back rather than
/// offered for shipping.
pub(crate) fn status(word: &str, goods: Goods) -> Status {
    match word {
        "canceled" => Status::Cancelled,
        "completed" => Status::Shipped,
        _ if goods.sent => Status::Shipped,
        "open" | "payment processing" => Status::AwaitingPayment,
        // Whether Etsy marks what is only downloaded as shipped is not known. Nobody packs it.
        "paid" | "partially refunded" | GIVEN_BACK if !goods.ships => Status::Shipped,
        "paid" => Status::AwaitingFulfillment,
        // Money given back is a fact, not a status (P-10).
        "partially refunded" | GIVEN_BACK => Status::AwaitingFulfillment,
        _ if !goods.paid => Status::AwaitingPayment,
        _ => Status::OnHold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: Goods = Goods { paid: true, sent: false, ships: true };

    #[test]
    fn p12_the_words_count_in_any_case_and_evidence_goes_before_them() {
        use Status::*;
        for (text, goods, expected) in [
            ("Open", Goods { paid: false, ..PAID }, AwaitingPayment),
            ("Payment Processing", Goods { paid: false, ..PAID }, AwaitingPayment),
            ("PAYMENT_PROCESSING", PAID, AwaitingPayment),
            ("paid", PAID, AwaitingFulfillment),
            ("Paid", Goods { sent: true, ..PAID }, Shipped),
            ("Paid", Goods { ships: false, ..PAID }, Shipped),
            ("Completed", PAID, Shipped),
            ("Canceled", PAID, Cancelled),
            ("cancelled", Goods { sent: true, ..PAID }, Cancelled),
            ("Fully Refunded", Goods { sent: true, ..PAID }, Shipped),
            ("Fully Refunded", PAID, AwaitingFulfillment),
            ("Partially Refunded", PAID, AwaitingFulfillment),
            ("Partially Refunded", Goods { sent: true, ..PAID }, Shipped),
            ("In Review", PAID, OnHold),
            ("In Review", Goods { paid: false, ..PAID }, AwaitingPayment),
            ("", Goods { sent: true, ..PAID }, Shipped),
        ] {
            assert_eq!(status(&word(text), goods), expected, "{text} {goods:?}");
        }
    }
}
