use serde_json::json;

use super::*;
use crate::order::{Currency, Status, testing};

fn order(country: &str, total: i64, currency: &str) -> Order {
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    order.ship_to[0].country = country.to_owned();
    order.totals.total = Decimal::new(total, 2);
    order.currency = Currency::new(currency).unwrap();
    order
}

#[test]
fn d5_what_etsy_takes_with_a_number_only_is_known_before() {
    for (shop, to, total, currency, expected) in [
        ("US", "US", 1001, "USD", true),
        ("US", "US", 1000, "USD", false),
        ("", "US", 2000, "USD", true),
        ("DE", "US", 2000, "USD", false),
        ("US", "US", 2000, "EUR", false),
        ("DE", "IN", 100, "EUR", true),
        ("US", "CA", 9000, "USD", false),
        ("US", "", 9000, "USD", false),
    ] {
        assert_eq!(required(&order(to, total, currency), shop).is_some(), expected, "{shop} {to} {total} {currency}");
    }
}

#[test]
fn d6_a_carrier_that_etsy_has_no_word_for_is_another_one() {
    let words = ["dhl-paket", "usps", "Brieftaube", "dhl", ""].map(word);
    assert_eq!(words, ["dhl-germany", "usps", "other", "other", "other"]);
}

#[test]
fn a_parcel_is_known_by_its_number_and_named_by_its_id() {
    let document = json!({ "shipments": [
        { "receipt_shipping_id": 13, "tracking_code": "JD 01", "shipment_notification_timestamp": 1_763_890_000 },
        { "receipt_shipping_id": null, "tracking_code": "jd02" },
        { "receipt_shipping_id": 14, "tracking_code": "" },
    ]});
    let document = serde_json::value::to_raw_value(&document).unwrap();
    let now = RemoteOrder { remote_id: "7".into(), document, order: Err("unread".into()) };
    let shown = shown(&now).unwrap();
    let ids: Vec<_> = shown.iter().map(|one| (one.id.as_str(), one.tracking.join(","))).collect();
    assert_eq!(ids, [("13", "JD 01".to_owned()), ("code:JD02", "jd02".to_owned()), ("14", String::new())]);
}
