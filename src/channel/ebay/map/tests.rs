use serde_json::{Value, json};

use super::*;
use crate::order::{Status, differences};

fn money(value: &str) -> Value {
    json!({ "value": value, "currency": "GBP" })
}

/// An order as the vendor's file describes it: two mugs at a discount and a tea, to a home.
fn document() -> Value {
    json!({
        "orderId": "12-34567-89012", "legacyOrderId": "12-34567-89012", "salesRecordReference": "88",
        "creationDate": "2026-11-20T10:00:00.000Z", "lastModifiedDate": "2026-11-20T10:00:02.345Z",
        "orderFulfillmentStatus": "NOT_STARTED", "orderPaymentStatus": "PAID",
        "cancelStatus": { "cancelState": "NONE_REQUESTED", "cancelRequests": [] },
        "buyer": { "username": "ann_1", "buyerRegistrationAddress": {
            "fullName": "Ann Example", "email": "ann@example.test", "primaryPhone": {},
            "contactAddress": { "addressLine1": "1 Mill Lane", "city": "Leeds", "postalCode": "LS1 1AA", "countryCode": "GB" } } },
        "pricingSummary": {
            "priceSubtotal": money("26.00"), "priceDiscount": money("-2.00"), "deliveryCost": money("4.00"),
            "deliveryDiscount": money("-1.00"), "total": money("27.00") },
        "paymentSummary": { "totalDueSeller": money("23.10"), "refunds": [],
            "payments": [{ "paymentMethod": "EBAY", "paymentStatus": "PAID", "paymentDate": "2026-11-20T10:00:01.000Z",
                "amount": money("23.10"), "paymentHolds": [] }] },
        "fulfillmentStartInstructions": [{ "fulfillmentInstructionsType": "SHIP_TO", "ebaySupportedFulfillment": false,
            "shippingStep": { "shippingServiceCode": "UK_RoyalMailTracked", "shipTo": {
                "fullName": "Ann Example", "primaryPhone": { "phoneNumber": "0113 1" }, "email": "ann@example.test",
                "contactAddress": { "addressLine1": "1 Mill Lane", "city": "Leeds", "postalCode": "LS1 1AA", "countryCode": "GB" } } } }],
        "lineItems": [
            { "lineItemId": "9900012345678", "legacyItemId": "110000001", "legacyVariationId": "42", "sku": "MUG-RED",
              "title": "Mug", "quantity": 2, "lineItemCost": money("20.00"), "discountedLineItemCost": money("18.00"),
              "variationAspects": [{ "name": "Colour", "value": "Red" }], "taxes": [], "refunds": [],
              "appliedPromotions": [{ "promotionId": "1", "description": "Two for less", "discountAmount": money("2.00") }],
              "listingMarketplaceId": "EBAY_GB", "purchaseMarketplaceId": "EBAY_GB", "properties": { "new": {} },
              "lineItemFulfillmentInstructions": { "shipByDate": "2026-11-24T22:59:59.000Z" } },
            { "lineItemId": "9900012345679", "legacyItemId": "110000002", "title": "Tea", "quantity": 1,
              "lineItemCost": money("6.00"), "taxes": [], "refunds": [], "appliedPromotions": [],
              "listingMarketplaceId": "EBAY_GB", "purchaseMarketplaceId": "EBAY_IE",
              "lineItemFulfillmentInstructions": { "shipByDate": "2026-11-23T22:59:59.000Z" } }
        ],
        "addedOverNight": [1, 2]
    })
}

fn read(document: &Value) -> Order {
    order(&document.to_string()).unwrap()
}

fn with(change: impl FnOnce(&mut Value)) -> Order {
    let mut document = document();
    change(&mut document);
    read(&document)
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn i8_the_sums_are_those_of_the_order_and_never_of_its_payments() {
    let order = read(&document());
    assert_eq!((order.remote_id.as_str(), order.status), ("12-34567-89012", Status::AwaitingFulfillment));
    assert_eq!(order.totals.total, dec("27.00"));
    assert_eq!(
        (order.totals.lines, order.totals.shipping, order.totals.discount),
        (dec("24.00"), dec("3.00"), dec("3.00"))
    );
    assert_eq!((order.lines[0].unit_price, order.lines[0].total), (dec("10.00"), dec("18.00")));
    let charges: Vec<_> = order.charges.iter().map(|one| (one.kind, one.title.as_str(), one.amount)).collect();
    assert!(charges.contains(&(ChargeKind::Discount, "Two for less", dec("2.00"))), "{charges:?}");
    assert!(charges.contains(&(ChargeKind::Fee, "Delivery discount", dec("-1.00"))), "{charges:?}");
    assert!(charges.iter().all(|(kind, ..)| *kind != ChargeKind::Other), "{charges:?}");
    assert_eq!((order.lines[0].product_id.as_str(), order.lines[0].variant.as_str()), ("110000001:42", "Colour: Red"));
    assert_eq!((order.lines[1].sku.as_str(), order.source.as_str()), ("", "EBAY_GB, EBAY_IE"));
    assert_eq!(order.ship_by.unwrap().to_rfc3339(), "2026-11-23T22:59:59+00:00");
    assert_eq!(order.updated_at.timestamp_subsec_millis(), 345);
    assert_eq!((order.buyer.remote_id.as_str(), order.buyer.phone.as_str()), ("ann_1", "0113 1"));
}

#[test]
fn i8_a_discount_of_the_whole_order_and_taxes_that_ebay_keeps_add_up() {
    let order = with(|o| {
        o["lineItems"][0].as_object_mut().unwrap().remove("discountedLineItemCost");
        o["lineItems"][0]["taxes"] = json!([{ "amount": money("1.60"), "taxType": "STATE_SALES_TAX" }]);
        o["lineItems"][0]["ebayCollectAndRemitTaxes"] = json!([{ "amount": money("1.60"), "taxType": "STATE_SALES_TAX", "ebayReference": { "name": "IOSS", "value": "IM1" } }]);
        o["pricingSummary"]["tax"] = money("1.60");
        o["pricingSummary"]["total"] = money("28.60");
    });
    assert!(order.charges.iter().all(|one| one.kind != ChargeKind::Other), "{:?}", order.charges);
    assert!(order.charges.iter().any(|one| one.kind == ChargeKind::Fee && one.amount == dec("-2.00")));
    assert_eq!((order.totals.tax, order.lines[0].tax, order.prices_include_tax), (dec("1.60"), dec("1.60"), false));
    assert!(order.attributes.contains(&("tax reference".into(), "IOSS IM1".into())), "{:?}", order.attributes);
    // Import charges of a hub, which only the lines tell.
    let order = with(|o| {
        o["lineItems"][0]["deliveryCost"] = json!({ "importCharges": money("3.33"), "shippingCost": money("4.00") });
        o["pricingSummary"]["total"] = money("30.33");
    });
    assert!(order.charges.iter().any(|one| one.code == "import" && one.amount == dec("3.33")), "{:?}", order.charges);
    let unknown = with(|o| o["pricingSummary"]["total"] = money("30.00"));
    assert!(unknown.charges.iter().any(|one| one.kind == ChargeKind::Other && one.amount == dec("3.00")));
}

#[test]
fn i8_an_order_in_two_currencies_counts_in_that_of_its_total() {
    let both = |value: &str, before: &str| json!({ "value": value, "currency": "USD", "convertedFromValue": before, "convertedFromCurrency": "GBP" });
    let order = with(|o| {
        o["pricingSummary"] = json!({ "priceSubtotal": money("26.00"), "priceDiscount": money("-2.00"),
            "deliveryCost": money("3.00"), "total": money("27.00") });
        o["lineItems"][1]["lineItemCost"] = both("8.00", "6.00");
    });
    assert_eq!(order.lines[1].total, dec("6.00"));
    let converted = with(|o| {
        o["pricingSummary"]["total"] = json!({ "value": "27.00", "currency": "GBP", "convertedFromValue": "33.75", "convertedFromCurrency": "USD" });
    });
    let (before, totals) = converted.shop_totals.unwrap();
    assert_eq!((before.code(), totals.total), ("USD", dec("33.75")));
    let mut stranger = document();
    stranger["lineItems"][1]["lineItemCost"] = json!({ "value": "8.00", "currency": "USD" });
    assert!(order_error(&stranger).contains("lineItemCost is not in the currency"));
}

fn order_error(document: &Value) -> String {
    order(&document.to_string()).unwrap_err()
}

#[test]
fn p10_refunds_of_the_order_and_of_its_lines_are_never_added_to_each_other() {
    let refunds = |o: &mut Value| {
        o["paymentSummary"]["refunds"] = json!([
            { "refundId": "r1", "amount": money("7.20"), "refundDate": "2026-11-21T10:00:00.000Z", "refundStatus": "REFUNDED" },
            { "refundId": "r2", "amount": money("1.00"), "refundStatus": "FAILED" },
            { "refundId": "r3", "amount": money("2.00"), "refundStatus": "PENDING" }]);
        o["lineItems"][0]["refunds"] =
            json!([{ "refundId": "r1", "amount": money("8.64"), "refundDate": "2026-11-21T10:00:00.000Z" }]);
        o["orderPaymentStatus"] = json!("PARTIALLY_REFUNDED");
    };
    let order = with(refunds);
    assert_eq!((order.refunds.len(), order.totals.refunded), (1, dec("7.20")));
    assert_eq!((order.refunds[0].amount, order.refunds[0].lines[0].amount), (dec("7.20"), dec("8.64")));
    assert!(!order.is_given_back() && order.status == Status::AwaitingFulfillment);
    let of_lines = with(|o| {
        refunds(o);
        o["paymentSummary"]["refunds"] = json!([]);
    });
    assert_eq!((of_lines.refunds.len(), of_lines.totals.refunded), (1, dec("8.64")));
    // What the seller has less by it is less than what the buyer paid.
    let all = with(|o| {
        refunds(o);
        o["orderPaymentStatus"] = json!("FULLY_REFUNDED");
    });
    assert!(all.is_given_back() && all.totals.refunded == dec("7.20"), "{:?}", all.totals);
}

#[test]
fn p12_both_spellings_of_cancelled_are_one_and_a_request_holds_the_order_back() {
    for word in ["CANCELED", "CANCELLED"] {
        assert_eq!(with(|o| o["cancelStatus"]["cancelState"] = json!(word)).status, Status::Cancelled, "{word}");
    }
    let asked = with(|o| {
        o["cancelStatus"] = json!({ "cancelState": "IN_PROGRESS", "cancelRequests": [
            { "cancelInitiator": "Buyer", "cancelReason": "ORDER_MISTAKE", "cancelRequestId": "5", "cancelRequestState": "REQUESTED" }] });
    });
    assert_eq!((asked.status, asked.held_as), (Status::OnHold, Some(Status::AwaitingFulfillment)));
    let why = asked.why_held_back().unwrap();
    assert!(why.contains("order mistake") && why.contains("ordersync cancel") && why.contains("--on-hold"), "{why}");
    let ours = with(|o| o["cancelStatus"] = json!({ "cancelState": "IN_PROGRESS", "cancelRequests": [] }));
    assert!(ours.why_held_back().unwrap().contains("under way"));
    assert_eq!(asked.channel_status, "PAID / NOT_STARTED / IN_PROGRESS");
}

#[test]
fn a_hub_is_where_the_parcel_goes_and_its_reference_stands_above_the_street() {
    let order = with(|o| {
        let one = &mut o["fulfillmentStartInstructions"][0];
        one["ebaySupportedFulfillment"] = json!(true);
        one["finalDestinationAddress"] = json!({ "addressLine1": "9 Far Road", "city": "Perth", "countryCode": "AU" });
        one["shippingStep"]["shipToReferenceId"] = json!("1803453456");
        one["shippingStep"]["shipTo"]["companyName"] = json!("Global Shipping");
        one["shippingStep"]["shipTo"]["contactAddress"]["addressLine2"] = json!("Unit 3");
    });
    let to = &order.ship_to[0];
    assert_eq!((to.line1.as_str(), to.line2.as_str()), ("Reference # 1803453456", "1 Mill Lane, Unit 3"));
    assert_eq!((to.company.as_str(), to.country.as_str()), ("Global Shipping", "GB"));
    assert!(order.attributes.iter().any(|(label, text)| label == "by way of" && text.ends_with("to AU")));
    assert!(!format!("{order:?}").contains("Far Road"), "nobody sends it there");
    let tagged = with(|o| {
        let address = &mut o["fulfillmentStartInstructions"][0]["shippingStep"]["shipTo"]["contactAddress"];
        address["addressLine1"] = json!("ebay:xgslkk7");
        address["addressLine2"] = json!("1 Mill Lane");
    });
    assert_eq!((tagged.ship_to[0].line1.as_str(), tagged.ship_to[0].line2.as_str()), ("ebay:xgslkk7", "1 Mill Lane"));
}

#[test]
fn p11_what_ebay_tells_no_more_is_no_change() {
    for by_hub in [false, true] {
        let mut fresh = document();
        if by_hub {
            fresh["fulfillmentStartInstructions"][0]["shippingStep"]["shipToReferenceId"] = json!("1803453456");
        }
        let mut old = fresh.clone();
        for person in ["/buyer/buyerRegistrationAddress", "/fulfillmentStartInstructions/0/shippingStep/shipTo"] {
            let person = old.pointer_mut(person).unwrap().as_object_mut().unwrap();
            ["fullName", "email", "primaryPhone"].iter().for_each(|member| drop(person.remove(*member)));
            let address = person["contactAddress"].as_object_mut().unwrap();
            ["addressLine1", "addressLine2"].iter().for_each(|member| drop(address.remove(*member)));
        }
        let (fresh, old) = (read(&fresh), read(&old));
        assert!(differences(&fresh, &old).is_empty(), "{by_hub}: {:?}", differences(&fresh, &old));
    }
}

#[test]
fn p12_what_the_seller_does_not_send_is_marked_and_no_parcel() {
    for (kind, says) in [("FULFILLED_BY_EBAY", "eBay"), ("DIGITAL", "digital"), ("PREPARE_FOR_PICKUP", "comes for it")]
    {
        let order = with(|o| {
            o["fulfillmentStartInstructions"][0] = json!({ "fulfillmentInstructionsType": kind });
        });
        assert!(order.lines.iter().all(|line| !line.ships) && order.ship_to.is_empty(), "{kind}");
        assert!(order.attributes.iter().any(|(label, text)| label == "sent by" && text.contains(says)), "{kind}");
    }
    let by_ebay = with(|o| o["program"] = json!({ "fulfillmentProgram": { "fulfilledBy": "EBAY" } }));
    assert!(by_ebay.lines.iter().all(|line| !line.ships));
}

#[test]
fn d4_parcels_come_with_what_is_in_them_and_an_order_that_was_marked_as_sent_has_one_without() {
    let order = with(|o| {
        o["orderFulfillmentStatus"] = json!("IN_PROGRESS");
        o["ordersync"] = json!({ "fulfillments": [{ "fulfillmentId": "JD01", "shipmentTrackingNumber": "JD01",
            "shippingCarrierCode": "RoyalMail", "shippedDate": "2026-11-21T10:00:00.000Z",
            "lineItems": [{ "lineItemId": "9900012345678", "quantity": 1 }] }] });
    });
    assert_eq!(order.status, Status::PartiallyShipped);
    let parcel = &order.shipments[0].parcels[0];
    assert_eq!((parcel.carrier.as_str(), parcel.tracking.as_str()), ("royal-mail", "JD01"));
    assert_eq!(order.shipments[0].lines[0].quantity, Decimal::ONE);
    let bare = with(|o| o["orderFulfillmentStatus"] = json!("FULFILLED"));
    assert!(bare.status == Status::Shipped && bare.shipments.len() == 1 && bare.shipments[0].is_bare());
}

#[test]
fn i4_a_document_that_lacks_what_an_order_is_made_of_is_none_and_nothing_personal_is_repeated() {
    for (pointer, says) in [
        ("/orderId", "orderId"),
        ("/lineItems", "lineItems"),
        ("/lastModifiedDate", "lastModifiedDate"),
        ("/pricingSummary/total", "currency"),
        ("/lineItems/0/quantity", "quantity"),
        ("/lineItems/0/lineItemCost", "lineItemCost"),
    ] {
        let mut document = document();
        *document.pointer_mut(pointer).unwrap() = Value::Null;
        let error = order_error(&document);
        assert!(error.contains(says) && !error.contains("Ann"), "{pointer}: {error}");
    }
    for absurd in ["1e999", "79228162514264337593543950335", "[]", "27.0000000001"] {
        let mut document = document();
        document["pricingSummary"]["total"]["value"] = json!(absurd);
        order_error(&document);
    }
    assert!(order("[]").is_err() && order("{}").is_err());
}
