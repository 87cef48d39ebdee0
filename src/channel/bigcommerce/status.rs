//! What BigCommerce's one status, which stands for payment and shipping together, amounts to.
//!
//! Statuses are told by their id: a merchant can rename them. Ids 4, 13 and 14 replace what was
//! known of the shipping, so there it is derived from the pieces shipped. And whoever sets an order
//! back to one that waits to be sent, takes nothing back that has left: pieces are better evidence
//! than a word (P-12).

use rust_decimal::Decimal;

use crate::order::Status;

/// "Refunded": all of it.
pub(crate) const REFUNDED: u8 = 4;

/// What is known about an order's goods.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Goods {
    /// Pieces shipped, by lines or by the order's own count, whichever is more.
    pub(crate) shipped: Decimal,
    /// Pieces that are still to be shipped: ordered, not shipped, not given back.
    pub(crate) open: Decimal,
    /// The order has a shipping date. A merchant can set an order to shipped by hand, without
    /// shipments; the date stays when the status changes again.
    pub(crate) dated: bool,
    /// Something in it is shipped at all.
    pub(crate) ships: bool,
}

/// The merchant's status for a status id.
///
/// 0 "Incomplete" is a checkout that reached the payment page and 1 "Pending" one that did not
/// finish. They are imported like all others (I-2) as awaiting payment: nothing is filtered out of
/// sight, `dispatch` refuses them, and when the buyer pays, the same id gets another status and the
/// copy follows (P-9). An id that is not known yet is held back rather than offered for shipping.
pub(crate) fn status(id: u8, goods: Goods) -> Status {
    match id {
        0 | 1 | 7 => Status::AwaitingPayment,
        8 | 9 | 11 => pieces_so_far(goods).unwrap_or(Status::AwaitingFulfillment),
        12 => Status::OnHold,
        3 => Status::PartiallyShipped,
        2 | 10 => Status::Shipped,
        5 | 6 => Status::Cancelled,
        13 => shipped_so_far(goods).unwrap_or(Status::OnHold),
        // Money given back is a fact, not a status (P-10).
        REFUNDED | 14 => shipped_so_far(goods).unwrap_or(Status::AwaitingFulfillment),
        _ => Status::OnHold,
    }
}

/// The status of an order with this payment. A status of shipping is no proof of it: a merchant or
/// a program can set any. What was refused or taken back is not paid, and what is held for review
/// is not to go out before somebody has looked.
pub(crate) fn paid_as(status: Status, payment_status: &str) -> Status {
    match (status, payment_status.trim().to_ascii_lowercase().as_str()) {
        (Status::AwaitingFulfillment, "declined" | "void" | "void pending") => Status::AwaitingPayment,
        (Status::AwaitingFulfillment, "held for review") => Status::OnHold,
        _ => status,
    }
}

/// What an order with this payment would be without the hold; `None` where that is not known: a
/// status id stands in the place of another one, and most ways to pay later tell nothing. Money that
/// is set aside for the merchant is as good as there.
pub(crate) fn held_as(status: Status, has_begun: bool, payment_status: &str) -> Option<Status> {
    let is_set_aside = matches!(payment_status.trim().to_ascii_lowercase().as_str(), "authorized" | "capture pending");
    match status {
        Status::OnHold if has_begun => Some(Status::PartiallyShipped),
        Status::OnHold => is_set_aside.then_some(Status::AwaitingFulfillment),
        _ => None,
    }
}

/// Shipped or partly shipped; `None` where nothing has left. The date stands for pieces of which
/// nothing is told.
fn shipped_so_far(goods: Goods) -> Option<Status> {
    if !goods.ships {
        return Some(Status::Shipped);
    }
    pieces_so_far(goods).or(goods.dated.then_some(Status::Shipped))
}

/// The same by the pieces alone.
fn pieces_so_far(goods: Goods) -> Option<Status> {
    match (goods.shipped.is_zero(), goods.open.is_zero()) {
        (true, _) => None,
        (false, true) => Some(Status::Shipped),
        (false, false) => Some(Status::PartiallyShipped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goods(shipped: i64, open: i64) -> Goods {
        Goods { shipped: shipped.into(), open: open.into(), dated: shipped > 0, ships: true }
    }

    #[test]
    fn all_fifteen_statuses_by_their_id() {
        use Status::*;
        let expected = [
            AwaitingPayment,
            AwaitingPayment,
            Shipped,
            PartiallyShipped,
            AwaitingFulfillment,
            Cancelled,
            Cancelled,
            AwaitingPayment,
            AwaitingFulfillment,
            AwaitingFulfillment,
            Shipped,
            AwaitingFulfillment,
            OnHold,
            OnHold,
            AwaitingFulfillment,
        ];
        for (id, wanted) in expected.into_iter().enumerate() {
            assert_eq!(status(id as u8, goods(0, 2)), wanted, "{id}");
        }
        assert_eq!(status(15, goods(0, 2)), OnHold, "a status of tomorrow is not offered for shipping");
    }

    #[test]
    fn p9_money_that_is_set_aside_is_waited_for_no_more_while_an_order_is_held() {
        for word in ["authorized", "Capture Pending"] {
            assert_eq!(held_as(Status::OnHold, false, word), Some(Status::AwaitingFulfillment), "{word}");
        }
        for word in ["", "pending", "declined", "held for review", "paid"] {
            assert_eq!(held_as(Status::OnHold, false, word), None, "{word}: the payment alone tells");
        }
        assert_eq!(held_as(Status::OnHold, true, ""), Some(Status::PartiallyShipped));
        assert_eq!(held_as(Status::AwaitingFulfillment, false, "authorized"), None);
    }

    #[test]
    fn p10_refunded_and_disputed_orders_keep_what_is_known_of_their_shipping() {
        for id in [4, 13, 14] {
            assert_eq!(status(id, goods(2, 0)), Status::Shipped);
            assert_eq!(status(id, goods(1, 1)), Status::PartiallyShipped);
        }
        for id in [4, 14] {
            assert_eq!(status(id, goods(1, 0)), Status::Shipped, "the rest was given back");
            assert_eq!(status(id, goods(0, 0)), Status::AwaitingFulfillment, "nothing was ever sent");
        }
    }

    #[test]
    fn an_order_that_was_set_to_shipped_by_hand_is_not_offered_again_after_a_refund() {
        let by_hand = Goods { dated: true, ..goods(0, 2) };
        assert!([4, 13, 14].iter().all(|id| status(*id, by_hand) == Status::Shipped));
    }

    #[test]
    fn p12_pieces_that_have_left_have_left_whatever_the_order_is_set_to() {
        for id in [8, 9, 11] {
            assert_eq!(status(id, goods(1, 1)), Status::PartiallyShipped);
            assert_eq!(status(id, goods(2, 0)), Status::Shipped);
            let dated = Goods { dated: true, ..goods(0, 2) };
            assert_eq!(status(id, dated), Status::AwaitingFulfillment, "a date stays when shipments are deleted");
        }
    }

    #[test]
    fn what_has_nothing_to_ship_is_not_waited_for() {
        let digital = Goods { ships: false, ..goods(0, 0) };
        assert_eq!(status(14, digital), Status::Shipped);
    }
}
