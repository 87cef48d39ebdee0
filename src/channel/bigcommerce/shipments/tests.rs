use rust_decimal::Decimal;
use serde_json::json;

use super::*;
use crate::channel::matching::{Claim, matched};
use crate::clock::from_millis;
use crate::order::{Address, Status, testing};

fn quantity(line_id: &str, quantity: i64) -> LineQuantity {
    LineQuantity { line_id: line_id.into(), quantity: quantity.into() }
}

fn parcel(carrier: &str, tracking: &str) -> Parcel {
    Parcel { carrier: carrier.into(), tracking: tracking.into(), url: None }
}

/// 2 × line 11 and 1 × line 12 to the first address, 1 × line 13 to the second; line 14 is a
/// download.
fn order() -> Order {
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    order.ship_to = ["51", "52"].map(|id| Address { remote_id: Some(id.into()), ..testing::address() }).into();
    order.lines.push(crate::order::Line { ship_to: 1, ..testing::line("13", "POT-003", 1, 500) });
    order.lines.push(crate::order::Line { ships: false, ..testing::line("14", "PDF", 1, 500) });
    order
}

fn shipment(lines: &[(&str, i64)], parcels: &[Parcel]) -> Shipment {
    Shipment {
        key: "0123456789abcdef-0123".into(),
        shipped_at: from_millis(1_795_000_000_000),
        lines: lines.iter().map(|(id, n)| quantity(id, *n)).collect(),
        parcels: parcels.to_vec(),
        notify: true,
        completes: true,
        counted: Vec::new(),
    }
}

/// Address, pieces by line, tracking number.
type Planned = (u64, Vec<(u64, u64)>, Option<String>);

fn dealt(lines: &[(&str, i64)], parcels: &[Parcel]) -> Result<Vec<Planned>> {
    let shipment = shipment(lines, parcels);
    let parts = parts(&order(), &shipment, true)?;
    Ok(parts
        .iter()
        .map(|part| {
            let items = part.lines.iter().map(|line| item(line).unwrap());
            let items = items.map(|item| (item.order_product_id, item.quantity)).collect();
            (part.address, items, part.parcel.map(|parcel| parcel.tracking.clone()))
        })
        .collect())
}

#[test]
fn one_shipment_for_each_address_and_none_for_downloads() {
    let parts = dealt(&[("13", 1), ("11", 2), ("14", 1), ("12", 1)], &[]).unwrap();
    assert_eq!(parts, [(51, vec![(11, 2), (12, 1)], None), (52, vec![(13, 1)], None)]);
    let numbers = [parcel("dhl", "A"), parcel("dhl", "B")];
    let parts = dealt(&[("11", 2), ("13", 1)], &numbers).unwrap();
    assert_eq!(parts, [(51, vec![(11, 2)], Some("A".into())), (52, vec![(13, 1)], Some("B".into()))]);
}

#[test]
fn d5_several_parcels_to_one_address_share_the_pieces_and_no_piece_twice() {
    let numbers = [parcel("dhl", "A"), parcel("dhl", "B")];
    let parts = dealt(&[("11", 2), ("12", 1)], &numbers).unwrap();
    assert_eq!(parts, [(51, vec![(11, 2)], Some("A".into())), (51, vec![(12, 1)], Some("B".into()))]);
    let three = [parcel("dhl", "A"), parcel("dhl", "B"), parcel("dhl", "C")];
    let parts = dealt(&[("11", 2), ("12", 1)], &three).unwrap();
    assert_eq!(parts.iter().map(|(_, items, _)| items.clone()).collect::<Vec<_>>(), [[(11, 1)], [(11, 1)], [(12, 1)]]);
}

#[test]
fn d5_what_cannot_be_dealt_out_is_refused_before_anything_is_sent() {
    let numbers = [parcel("dhl", "A"), parcel("dhl", "B")];
    for (lines, parcels, said) in [
        (vec![("12", 1)], &numbers[..], "for 1 pieces"),
        (vec![("11", 2), ("13", 1)], &numbers[..1], "2 addresses"),
        (vec![("14", 1)], &numbers[..1], "goes into a parcel"),
        (vec![("99", 1)], &[], "no line 99"),
    ] {
        let error = dealt(&lines, parcels).unwrap_err();
        assert!(error.kind() == ErrorKind::Refused && error.message().contains(said), "{error}");
    }
    let long = [parcel("dhl", &"1".repeat(51))];
    assert_eq!(dealt(&[("12", 1)], &long).unwrap_err().kind(), ErrorKind::Refused);
    let half = LineQuantity { line_id: "11".into(), quantity: Decimal::new(5, 1) };
    assert_eq!(item(&half).unwrap_err().kind(), ErrorKind::Refused);
}

#[test]
fn d6_the_vendors_own_carriers_go_before_aftership_and_that_before_a_link() {
    let code = |carrier: &str| {
        let t = tracking(&parcel(carrier, "N1"));
        (t.shipping_provider.unwrap(), t.tracking_carrier.unwrap(), t.tracking_link.is_some(), t.shipping_method)
    };
    assert_eq!(code("royal-mail"), ("royalmail".into(), String::new(), false, None));
    assert_eq!(code("dhl-express"), (String::new(), "dhl".into(), false, None));
    assert_eq!(code("dhl-paket"), (String::new(), "dhl-germany".into(), false, None));
    assert_eq!(code("dhl"), (String::new(), String::new(), true, Some("DHL".into())));
    assert_eq!(code("inpost-uk"), (String::new(), String::new(), true, Some("InPost UK".into())));
    assert_eq!(code("Pigeon Post"), (String::new(), String::new(), false, Some("Pigeon Post".into())));
    assert_eq!(code(""), (String::new(), String::new(), false, None));
}

/// Whether a dispatch of 1 × line 12 has this shipment of the store's.
fn is(document: serde_json::Value, marker: bool, parcels: &[Parcel]) -> bool {
    let text = document.to_string();
    let found: wire::Shipment<'_> = serde_json::from_str(&text).unwrap();
    let shipment = shipment(&[("12", 1)], parcels);
    let parts = parts(&order(), &shipment, marker).unwrap();
    let since = shipment.shipped_at - TimeDelta::seconds(CLOCKS);
    let claim = Claim { mark: &mark(&shipment), receipts: &[], others: &[], counted: &[], since };
    !matched(&[parts[0].wanted()], &[record(&found).unwrap()], &claim).is_short()
}

#[test]
fn d4_other_goods_under_the_same_number_are_not_this_shipment() {
    let items = |items: serde_json::Value| json!({"id": 5, "order_address_id": 51, "comments": "", "tracking_number": "JD01", "date_created": "", "items": items});
    let number = [parcel("dhl", "JD01")];
    assert!(
        !is(items(json!([{"order_product_id": 11, "quantity": 2}])), true, &number),
        "the other part of the parcel"
    );
    assert!(is(items(json!([{"order_product_id": "12", "quantity": "1"}])), true, &number));
    assert!(is(items(json!(null)), true, &number), "its content is not told");
    let mut nowhere = items(json!([{"order_product_id": 12, "quantity": 1}]));
    nowhere["order_address_id"] = json!(null);
    assert!(is(nowhere, false, &number), "its address is not told");
}

#[test]
fn d3_a_shipment_is_known_again_by_marker_by_number_or_by_what_is_in_it() {
    let there = |comments: &str, tracking: &str, made: &str| {
        json!({"id": 5, "order_address_id": 51, "comments": comments, "tracking_number": tracking, "date_created": made,
            "items": [{"order_product_id": 12, "product_id": 0, "quantity": 1}]})
    };
    let (early, late) = ("Mon, 01 Jan 2018 00:00:00 +0000", "Wed, 18 Nov 2026 11:06:41 +0000");
    let ours = "box ordersync:0123456789ab/1";
    let other = "ordersync:ffffffffffff/1";
    let number = [parcel("dhl", "JD01")];
    assert!(is(there(ours, "", early), true, &[]));
    assert!(is(there("", "jd01", early), true, &number), "entered by hand in the control panel");
    assert!(!is(there(other, "JD01", late), true, &number), "another dispatch's");
    assert!(is(there("", "", late), false, &[]));
    assert!(!is(there("", "", early), false, &[]), "a part that went out long before");
    assert!(!is(there("", "JD02", late), false, &number));
    let mut elsewhere = there("", "JD01", late);
    elsewhere["order_address_id"] = json!(52);
    assert!(!is(elsewhere, true, &number));
}

#[test]
fn d3_a_shipment_whose_pieces_cannot_be_read_is_not_taken_for_an_empty_one() {
    for quantity in [json!("many"), json!({}), json!(null)] {
        let text = json!({"id": 5, "items": [{"order_product_id": 12, "quantity": quantity}]}).to_string();
        let error = record(&serde_json::from_str(&text).unwrap()).unwrap_err();
        assert!(error.kind() == ErrorKind::Unreadable && error.message().contains("nothing was written"), "{error}");
    }
}
