use super::*;
use crate::order::{Status, testing};

fn parcel(carrier: &str, tracking: &str) -> Parcel {
    Parcel { carrier: carrier.to_owned(), tracking: tracking.to_owned(), url: None }
}

fn shipment(order: &Order, parcels: Vec<Parcel>) -> Shipment {
    let line = |line: &crate::order::Line| LineQuantity { line_id: line.remote_id.clone(), quantity: line.quantity };
    Shipment {
        key: "k".into(),
        shipped_at: crate::clock::from_millis(1_795_000_000_000),
        lines: order.lines.iter().map(line).collect(),
        parcels,
        notify: true,
        completes: true,
        counted: Vec::new(),
    }
}

#[test]
fn d6_a_number_goes_out_as_letters_and_digits_and_its_carrier_as_ebays_word_or_other() {
    for (carrier, number, expected) in [
        ("royal-mail", "AB 1234-5678 9GB", Some(("RoyalMail", "AB123456789GB"))),
        ("dhl", "00340434161094012345", Some(("DHL", "00340434161094012345"))),
        ("Brieftaube", "B.1", Some(("Other", "B1"))),
        ("ups", "---", None),
        ("ups", "", None),
        ("ups", "1Zä", None),
    ] {
        let told = tracking(&parcel(carrier, number)).ok();
        assert_eq!(told, expected.map(|(code, number)| (code.to_owned(), number.to_owned())), "{number}");
    }
    assert!(tracking(&parcel("ups", &"1".repeat(61))).unwrap_err().message().contains("nothing was written"));
}

#[test]
fn d5_more_parcels_than_pieces_are_refused_before_anything_is_written() {
    let order = testing::order("12-1", Status::AwaitingFulfillment);
    let pieces = order.lines.iter().map(|line| line.quantity).sum::<rust_decimal::Decimal>();
    let many = |count: usize| (0..count).map(|n| parcel("dhl", &format!("JD{n}"))).collect::<Vec<_>>();
    let fits = usize::try_from(pieces.trunc().mantissa()).unwrap();
    assert!(refuse(&order, &shipment(&order, many(fits))).is_ok());
    let error = refuse(&order, &shipment(&order, many(fits + 1))).unwrap_err();
    assert!(error.kind() == ErrorKind::Refused && error.hint_text().unwrap().contains("--item"), "{error}");
}

#[test]
fn d2_what_ebay_sends_itself_is_refused() {
    let mut order = testing::order("12-1", Status::AwaitingFulfillment);
    order.lines.iter_mut().for_each(|line| line.ships = false);
    order.attributes.push(("sent by".to_owned(), "eBay: nothing is to be sent from here".to_owned()));
    let error = refuse(&order, &shipment(&order, Vec::new())).unwrap_err();
    assert!(error.message().contains("eBay: nothing is to be sent"), "{error}");
}

#[test]
fn d4_parcels_without_a_number_are_told_apart_though_ebay_calls_them_the_same() {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    let bare = r#"{"fulfillmentId":"999","shippedDate":"2026-11-23T09:15:00.000Z","lineItems":[{"lineItemId":"9","quantity":2}]}"#;
    let numbered =
        r#"{"fulfillmentId":"JD01","shipmentTrackingNumber":"JD01","lineItems":[{"lineItemId":"9"}],"new":{}}"#;
    let shown = read(&[raw(bare), raw(bare), raw(numbered)]).unwrap();
    let ids: Vec<&str> = shown.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["999", "999/1", "JD01"]);
    assert_eq!(shown[0].lines[0].quantity, rust_decimal::Decimal::TWO);
    assert!(shown[0].made_at.is_some() && shown[0].tracking.is_empty());
    assert_eq!(shown[2].lines[0].quantity, rust_decimal::Decimal::ONE, "one that is not counted is one");
    assert!(read(&[raw(r#"{"fulfillmentId":[],"lineItems":[{"quantity":[1]}]}"#)]).is_err());
}
