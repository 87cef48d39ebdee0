use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::*;

/// A line: ordered at first, ordered now, of which unfulfilled.
type Counts = (i64, i64, i64);

/// An order with these lines, so many pieces in each fulfilment, and a refund or none.
fn document(lines: &[Counts], sent: &[Option<i64>], refunded: bool) -> Value {
    let money = json!({ "shopMoney": { "amount": "10.0" }, "presentmentMoney": { "amount": "10.0" } });
    let line = |(nth, (quantity, current, unfulfilled)): (usize, &Counts)| {
        json!({ "id": format!("gid://shopify/LineItem/{}", nth + 1), "title": "Tee", "sku": format!("TEE-{nth}"),
            "quantity": quantity, "currentQuantity": current, "unfulfilledQuantity": unfulfilled, "requiresShipping": true,
            "originalUnitPriceSet": money })
    };
    let fulfillment = |(nth, pieces): (usize, &Option<i64>)| {
        let mut one =
            json!({ "id": format!("gid://shopify/Fulfillment/{nth}"), "status": "SUCCESS", "trackingInfo": [] });
        if let Some(pieces) = pieces {
            one["totalQuantity"] = json!(pieces);
        }
        one
    };
    let mut order = json!({
        "id": "gid://shopify/Order/7", "name": "#7", "createdAt": "2026-11-23T07:00:50Z",
        "updatedAt": "2026-11-23T07:00:50Z", "currencyCode": "EUR", "presentmentCurrencyCode": "EUR",
        "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "PARTIALLY_FULFILLED",
        "lineItems": { "nodes": lines.iter().enumerate().map(line).collect::<Vec<_>>() },
        "fulfillments": sent.iter().enumerate().map(fulfillment).collect::<Vec<_>>(),
        "refunds": if refunded { json!([{ "id": "gid://shopify/Refund/1", "totalRefundedSet": money }]) } else { json!([]) },
    });
    for sum in [
        "totalPriceSet",
        "currentTotalPriceSet",
        "currentSubtotalPriceSet",
        "totalShippingPriceSet",
        "currentTotalTaxSet",
        "totalRefundedSet",
        "totalOutstandingSet",
    ] {
        order[sum] = money.clone();
    }
    order
}

fn read(document: &Value) -> Order {
    order(&document.to_string(), Status::AwaitingPayment).unwrap()
}

/// Of each line: ordered, given back, returned, left by the book's rule, and whether that is all.
fn lines(order: &Order) -> Vec<(i64, i64, Option<i64>, i64, i64)> {
    let whole = |count: Decimal| i64::try_from(count).unwrap();
    let line = |line: &Line| {
        let pieces = crate::order::Pieces::of(line, &order.refunds, &order.shipments);
        let returned = line.returned.map(whole);
        (whole(line.quantity), whole(line.refunded), returned, whole(pieces.left), whole(pieces.unclear))
    };
    order.lines.iter().map(line).collect()
}

/// What is authorised is to be sent, where the shop does not wait for the money; a hold stands over that.
#[test]
fn p9_an_authorised_order_on_hold_waits_for_its_payment_only_where_others_do() {
    let mut document = document(&[(1, 1, 1)], &[], false);
    document["displayFinancialStatus"] = json!("AUTHORIZED");
    for (word, held) in [("UNFULFILLED", false), ("ON_HOLD", true), ("SCHEDULED", true)] {
        document["displayFulfillmentStatus"] = json!(word);
        let read = |authorized| order(&document.to_string(), authorized).unwrap();
        let (sent, waits) = (read(Status::AwaitingFulfillment), read(Status::AwaitingPayment));
        assert_eq!((sent.status == Status::OnHold, sent.is_unpaid(), sent.paid_at), (held, false, None), "{word}");
        assert_eq!((waits.status, waits.is_unpaid()), (Status::AwaitingPayment, true), "{word}");
    }
}

/// The word for the parts says nothing of holds; what is left of the merchant's own to send does.
#[test]
fn d2_what_is_left_of_an_order_in_parts_is_held_where_all_of_it_is() {
    let mut document = document(&[(3, 3, 2)], &[Some(1)], false);
    let route = |status: &str, service: bool| json!({ "status": status, "requestStatus": if service { "ACCEPTED" } else { "UNSUBMITTED" }, "supportedActions": [] });
    for (routes, status, words) in [
        (vec![], Status::PartiallyShipped, "PAID / PARTIALLY_FULFILLED"),
        (vec![route("ON_HOLD", false)], Status::OnHold, "PAID / PARTIALLY_FULFILLED / ON_HOLD"),
        (
            vec![route("CLOSED", false), route("SCHEDULED", false)],
            Status::OnHold,
            "PAID / PARTIALLY_FULFILLED / SCHEDULED",
        ),
        (vec![route("ON_HOLD", false), route("OPEN", false)], Status::PartiallyShipped, "PAID / PARTIALLY_FULFILLED"),
        (
            vec![route("ON_HOLD", false), route("IN_PROGRESS", true)],
            Status::OnHold,
            "PAID / PARTIALLY_FULFILLED / ON_HOLD",
        ),
    ] {
        document["fulfillmentOrders"] = json!({ "nodes": routes });
        let order = read(&document);
        assert_eq!((order.status, order.channel_status.as_str()), (status, words));
        assert_eq!(order.held_as, (status == Status::OnHold).then_some(Status::PartiallyShipped));
    }
}

/// What is left to ship is `unfulfilledQuantity`, whatever was given back when.
#[test]
fn p10_what_went_out_and_came_back_is_told_by_what_is_in_fulfilments() {
    for (counts, sent, refunded, wanted, what) in [
        ((3, 2, 2), &[Some(1)][..], true, (3, 1, Some(1), 2, 0), "one sent, returned and refunded"),
        ((3, 2, 1), &[Some(1)], true, (3, 1, Some(0), 1, 0), "one sent, another given back unsent"),
        ((3, 1, 1), &[Some(1)], true, (3, 2, Some(1), 1, 0), "one of each"),
        ((3, 2, 2), &[], true, (3, 1, Some(0), 2, 0), "given back before anything was sent"),
        ((3, 2, 3), &[], true, (3, 1, Some(1), 2, 0), "refunded, and not taken from what is to be fulfilled (P-10)"),
        ((3, 0, 0), &[Some(2), Some(1)], true, (3, 3, Some(3), 0, 0), "all sent, all returned"),
        ((3, 2, 1), &[Some(1)], false, (2, 0, None, 1, 0), "an edit took one out"),
        ((3, 2, 2), &[Some(1)], false, (3, 1, Some(1), 2, 0), "returned, and no money went back"),
        ((3, 2, 2), &[None], true, (3, 1, None, 2, 0), "a document of before does not tell it"),
    ] {
        let order = read(&document(&[counts], sent, refunded));
        assert_eq!(lines(&order), [wanted], "{what}");
    }
}

#[test]
fn p10_several_lines_of_which_pieces_are_gone_are_told_apart_only_where_all_went_the_same_way() {
    let told = |lines: &[Counts], sent: i64| {
        let order = read(&document(lines, &[Some(sent)], true));
        self::lines(&order)
            .into_iter()
            .map(|(_, _, returned, left, unclear)| (returned, left, unclear))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&[(3, 2, 2), (2, 1, 1)], 2), [(Some(1), 2, 0), (Some(1), 1, 0)], "all of them had been sent");
    assert_eq!(told(&[(3, 2, 2), (2, 1, 1)], 0), [(Some(0), 2, 0), (Some(0), 1, 0)], "none had");
    assert_eq!(
        told(&[(3, 2, 2), (2, 1, 1), (1, 1, 0)], 2),
        [(None, 2, 0), (None, 1, 0), (None, 0, 0)],
        "one of the two"
    );
    assert_eq!(told(&[(3, 2, 2), (2, 2, 1)], 2), [(Some(1), 2, 0), (None, 1, 0)], "one line alone is told");
}

/// What a fulfilment has in it is not another when a piece of it comes back.
#[test]
fn d1_a_piece_that_comes_back_is_no_shipment_undone() {
    let before = read(&document(&[(3, 3, 2)], &[Some(1)], false));
    let after = read(&document(&[(3, 2, 2)], &[Some(1)], true));
    let found = crate::order::differences(&before, &after);
    assert!(found.iter().all(|one| one.aspect != crate::order::Field::Shipped), "{found:?}");
    assert!(found.iter().any(|one| one.after.contains("1 × TEE-0, 1 of it sent before")), "{found:?}");
}

/// Shopify fulfils gift cards by itself: a parcel that is to be sent still, and a cancellation that is
/// to be followed (P-3), are no less so by that.
#[test]
fn p12_what_needs_no_parcel_begins_none_by_being_fulfilled() {
    let mut document = document(&[(1, 1, 0), (2, 2, 2)], &[Some(1)], false);
    let begun = |document: &Value| {
        let order = read(document);
        (order.status, order.shipments.len())
    };
    assert_eq!(begun(&document), (Status::PartiallyShipped, 1), "both ship");
    document["lineItems"]["nodes"][0]["requiresShipping"] = json!(false);
    assert_eq!(begun(&document), (Status::AwaitingFulfillment, 0));
    document["displayFinancialStatus"] = json!("PENDING");
    assert_eq!(begun(&document).0, Status::AwaitingPayment);
    document["fulfillments"][0]["trackingInfo"] = json!([{ "company": "UPS", "number": "1Z", "url": null }]);
    assert_eq!(begun(&document), (Status::PartiallyShipped, 1), "a number is a parcel's");
    document["fulfillments"] = json!([]);
    assert_eq!(begun(&document), (Status::PartiallyShipped, 0), "nobody tells by what");
    let mut untold = self::document(&[(1, 1, 0), (2, 2, 2)], &[Some(1)], false);
    untold["lineItems"]["nodes"][0]["requiresShipping"] = json!(false);
    untold["lineItems"]["nodes"][1]["unfulfilledQuantity"] = Value::Null;
    assert_eq!(begun(&untold), (Status::PartiallyShipped, 1), "of the other line it is not known");
}

/// `IN_PROGRESS` says that all is marked as in progress, and not that nothing was sent: a
/// cancellation would be followed over a parcel (P-3).
#[test]
fn p12_pieces_that_were_sent_are_told_whatever_the_word() {
    let status = |counts: Counts, sent: &[Option<i64>], word: &str| {
        let mut document = document(&[counts], sent, false);
        document["displayFulfillmentStatus"] = json!(word);
        read(&document).status
    };
    for word in ["IN_PROGRESS", "UNFULFILLED", "ON_HOLD", "PENDING_FULFILLMENT", "REQUEST_DECLINED", "NEW_WORD"] {
        assert_eq!(status((2, 2, 1), &[Some(1)], word), Status::PartiallyShipped, "{word}");
        assert_eq!(status((2, 2, 0), &[Some(2)], word), Status::Shipped, "{word}");
    }
    assert_eq!(status((2, 2, 2), &[], "IN_PROGRESS"), Status::AwaitingFulfillment);
    assert_eq!(status((2, 2, 2), &[], "ON_HOLD"), Status::OnHold);
}

/// "No items remaining to fulfill": also where all of it was given back before it was sent.
#[test]
fn p12_what_needs_no_fulfilment_any_more_was_not_sent_for_that() {
    let mut document = document(&[(2, 0, 0)], &[], true);
    document["displayFulfillmentStatus"] = json!("FULFILLMENT_NOT_REQUIRED");
    document["displayFinancialStatus"] = json!("REFUNDED");
    assert_eq!(read(&document).status, Status::AwaitingFulfillment);
    document["fulfillments"] =
        json!([{ "id": "gid://shopify/Fulfillment/1", "status": "CANCELLED", "totalQuantity": 2 }]);
    assert_eq!(read(&document).status, Status::AwaitingFulfillment, "called back");
    document["lineItems"]["nodes"][0]["requiresShipping"] = json!(false);
    assert_eq!(read(&document).status, Status::Shipped, "nothing of it ever went into a parcel");
}

/// Shopify counts all items, and what needs no parcel is not for us to send.
#[test]
fn p12_an_order_is_sent_once_what_needs_a_parcel_is() {
    let mut document = document(&[(2, 2, 0), (1, 1, 1)], &[Some(2)], false);
    assert_eq!(read(&document).status, Status::PartiallyShipped);
    document["lineItems"]["nodes"][1]["requiresShipping"] = json!(false);
    assert_eq!(read(&document).status, Status::Shipped);
}
