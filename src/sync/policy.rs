//! What becomes of a newer version of an order: pure decisions, no I/O.
//!
//! An imported order is the merchant's working copy. The channel changes it only until it is paid
//! (P-9); after that a newer version is kept beside it as drift (P-1) and, where the merchant must
//! know of it, announced in the inbox (the `review` of cancels and shipments).

use crate::order::{Field, Order, Status, differences};

/// What to do with a newer version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The copy takes it over.
    Follow,
    /// It says what the merchant's version says, put in another way: there is nothing to be shown.
    Same,
    /// The copy stays as it is; the version is kept beside it, with what the merchant is to be
    /// told.
    Keep(Option<Notice>),
}

/// What the merchant is told about a version that is kept beside the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The gravest change.
    pub(crate) field: Field,
    /// One sentence without personal data.
    pub(crate) text: String,
}

/// Decides for one order: `status` is the copy's own, `base` the version the copy was made from,
/// `known` the newest version seen before this one, `seen` the new one.
pub(crate) fn decide(status: Status, base: &Order, known: &Order, seen: &Order) -> Decision {
    if status == Status::AwaitingPayment {
        return Decision::Follow;
    }
    let news: Vec<Field> = differences(known, seen).into_iter().map(|difference| difference.aspect).collect();
    let apart: Vec<Field> = differences(base, seen).into_iter().map(|difference| difference.aspect).collect();
    if apart.is_empty() {
        return Decision::Same;
    }
    let is_news = |field| news.contains(&field) && apart.contains(&field);
    let is_cancelled = seen.status == Status::Cancelled;
    if is_news(Field::Cancelled) && is_cancelled && status != Status::Cancelled {
        return Decision::Keep(Some(Notice { field: Field::Cancelled, text: cancelled(status, seen) }));
    }
    if seen.waits_given_back() && !known.is_given_back() && !matches!(status, Status::Shipped | Status::Cancelled) {
        return Decision::Keep(Some(Notice { field: Field::Refunded, text: seen.given_back_text() }));
    }
    let shipped_here = matches!(status, Status::Shipped | Status::PartiallyShipped);
    if is_news(Field::Shipped) && !shipped_here && status != Status::Cancelled {
        let text = format!("shipped at the channel by other means while it is {status} here ({})", seen.channel_status);
        return Decision::Keep(Some(Notice { field: Field::Shipped, text }));
    }
    Decision::Keep(None)
}

fn cancelled(status: Status, seen: &Order) -> String {
    match status {
        Status::Shipped | Status::PartiallyShipped => {
            format!("cancelled at the channel after dispatch ({}); it stays {status} here", seen.channel_status)
        }
        _ => format!("cancelled at the channel ({}); it stays {status} here until you decide", seen.channel_status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::testing;

    fn order(status: Status) -> Order {
        testing::order("7", status)
    }

    #[test]
    fn p9_an_unpaid_order_follows_the_channel_in_everything() {
        let base = order(Status::AwaitingPayment);
        for status in Status::ALL {
            assert_eq!(decide(Status::AwaitingPayment, &base, &base, &order(status)), Decision::Follow);
        }
    }

    #[test]
    fn p1_a_paid_order_is_never_changed_by_the_channel() {
        let base = order(Status::AwaitingFulfillment);
        let mut seen = base.clone();
        seen.ship_to[0].line1 = "2 Other Street".into();
        assert_eq!(decide(Status::AwaitingFulfillment, &base, &base, &seen), Decision::Keep(None));
    }

    #[test]
    fn p3_a_cancellation_at_the_channel_is_announced_once() {
        let base = order(Status::AwaitingFulfillment);
        let seen = order(Status::Cancelled);
        let first = decide(Status::AwaitingFulfillment, &base, &base, &seen);
        assert!(matches!(first, Decision::Keep(Some(Notice { field: Field::Cancelled, .. }))), "{first:?}");
        assert_eq!(decide(Status::AwaitingFulfillment, &base, &seen, &seen), Decision::Keep(None));
    }

    #[test]
    fn the_echo_of_the_merchants_own_dispatch_is_no_news() {
        let base = order(Status::AwaitingFulfillment);
        assert_eq!(decide(Status::Shipped, &base, &base, &order(Status::Shipped)), Decision::Keep(None));
    }

    #[test]
    fn what_says_the_same_is_kept_nowhere() {
        let base = order(Status::AwaitingFulfillment);
        let mut seen = base.clone();
        seen.totals.total.rescale(4);
        assert_eq!(decide(Status::AwaitingFulfillment, &base, &order(Status::Cancelled), &seen), Decision::Same);
    }
}
