use serde_json::json;

use super::super::map;
use super::super::status::Statuses;
use super::*;

/// An order of a bundle (two of it), of its parts, and of a simple line.
fn order(shipments: serde_json::Value) -> String {
    let row = |id: u64, pieces: u32, more: serde_json::Value| {
        let mut row = json!({ "item_id": id, "product_type": "simple", "qty_ordered": pieces, "price": 1 });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let part = json!({ "parent_item_id": 1 });
    json!({ "entity_id": 7, "state": "processing", "created_at": "2026-11-23 06:42:45", "order_currency_code": "EUR", "grand_total": 3,
        "items": [row(1, 2, json!({ "product_type": "bundle", "sku": "SET" })), row(2, 4, part.clone()), row(3, 2, part), row(9, 1, json!({}))],
        "ordersync": { "shipments": shipments } })
    .to_string()
}

fn pieces(id: &str, quantity: u32) -> LineQuantity {
    LineQuantity { line_id: id.to_owned(), quantity: quantity.into() }
}

fn lines_of(document: &str, wanted: &[LineQuantity]) -> Vec<(String, String)> {
    let order = map::order(document, &Statuses::new()).unwrap();
    let parsed: wire::Order<'_> = serde_json::from_str(document).unwrap();
    let found = parcelled(&order, &Rows::of(&parsed), wanted).unwrap();
    found.into_iter().map(|line| (line.line_id, line.quantity.to_string())).collect()
}

fn shipment(lines: Vec<LineQuantity>) -> Shipment {
    let shipped_at = crate::clock::from_millis(1_795_416_185_000);
    let parcel = Parcel { carrier: "dhl".to_owned(), tracking: "JD01".to_owned(), url: None };
    Shipment {
        key: "k-1234567890abcdef".to_owned(),
        shipped_at,
        lines,
        parcels: vec![parcel],
        notify: true,
        completes: false,
        counted: Vec::new(),
    }
}

#[test]
fn d5_a_bundle_is_shipped_as_one_with_its_parts_in_reserve() {
    let document = order(json!([]));
    let of_order = map::order(&document, &Statuses::new()).unwrap();
    let parsed: wire::Order<'_> = serde_json::from_str(&document).unwrap();
    let bundles = bundles(&Rows::of(&parsed), &of_order).unwrap();
    let left = [pieces("1", 1), pieces("9", 1)];
    let whole = new_shipment(&shipment(left.to_vec()), &left, (None, None)).unwrap();
    assert_eq!(json!(whole.items), json!([{ "order_item_id": 1, "qty": 1 }, { "order_item_id": 9, "qty": 1 }]));
    let rows: Vec<_> =
        in_parts(&left, &bundles).unwrap().into_iter().map(|row| (row.bundle, json!(row.rows))).collect();
    let parts = json!([{ "order_item_id": 2, "qty": 2 }, { "order_item_id": 3, "qty": 1 }]);
    assert_eq!(rows, [(Some("SET".to_owned()), parts), (None, json!([{ "order_item_id": 9, "qty": 1 }]))]);
    assert!(in_parts(&left[1..], &bundles).unwrap().is_empty(), "no bundle is among them");
}

/// The dispatch that was recorded of the bundle is found again in the shipment of its parts. Once
/// some of them went without the others, the parts are what is left to ship.
#[test]
fn d4_what_went_in_parts_is_the_bundle_again_and_parts_without_the_others_are_not() {
    let whole = order(json!([]));
    assert_eq!(lines_of(&whole, &[pieces("1", 2)]), [("1".to_owned(), "2".to_owned())]);
    let row = |id: u32, pieces: u32| json!({ "order_item_id": id, "qty": pieces });
    let ours = || {
        let rows = [row(1, 1), row(2, 2), row(3, 1)];
        json!({ "entity_id": 5, "items": rows, "comments": [{ "comment": "ordersync:k1234567890a" }] })
    };
    let shown = |document: &str| {
        let of_order = map::order(document, &Statuses::new()).unwrap();
        let parsed: wire::Order<'_> = serde_json::from_str(document).unwrap();
        record(&parsed.ordersync.0.shipments.0[0], &Rows::of(&parsed), &of_order).unwrap()
    };
    let half = order(json!([ours()]));
    assert_eq!(lines_of(&half, &[pieces("1", 1)]), [("1".to_owned(), "1".to_owned())]);
    assert_eq!(shown(&half).mark.as_deref(), Some(mark(&shipment(Vec::new())).as_str()));
    assert_eq!(shown(&half).lines, [pieces("1", 1)]);
    let apart = order(json!([ours(), { "entity_id": 6, "items": [row(1, 1), row(2, 1)] }]));
    let wanted = [("2".to_owned(), "2".to_owned()), ("3".to_owned(), "1".to_owned())];
    assert_eq!(lines_of(&apart, &[pieces("1", 1)]), wanted);
    assert_eq!(shown(&apart).lines, [pieces("2", 2), pieces("3", 1)]);
}

/// What is null may be the shipment that is looked for, or the comment that is our key.
#[test]
fn d3_a_shipment_with_a_comment_that_is_null_is_not_taken_for_one_without_our_key() {
    let rows = |row: &str| [RawValue::from_string(row.to_owned()).unwrap()];
    assert_eq!(read(&rows(r#"{"entity_id":5,"comments":[{"comment":"x"}]}"#)).unwrap().len(), 1);
    for row in ["null", r#"{"entity_id":5,"comments":[null]}"#, r#"{"entity_id":5,"tracks":[null]}"#] {
        assert_eq!(read(&rows(row)).unwrap_err().kind(), ErrorKind::Unreadable, "{row}");
    }
}

/// Of two rows for one line the shop ships one.
#[test]
fn d5_the_pieces_of_a_line_are_sent_in_one_row() {
    assert_eq!(lines_of(&order(json!([])), &[pieces("9", 1), pieces("9", 2)]), [("9".to_owned(), "3".to_owned())]);
    let document = order(json!([]));
    let of_order = map::order(&document, &Statuses::new()).unwrap();
    let parsed: wire::Order<'_> = serde_json::from_str(&document).unwrap();
    assert_eq!(parcelled(&of_order, &Rows::of(&parsed), &[pieces("77", 1)]).unwrap_err().kind(), ErrorKind::Refused);
}

#[test]
fn d6_only_the_vendors_own_modules_are_named_by_code() {
    let code = |carrier: &str| {
        let track = track(&Parcel { carrier: carrier.to_owned(), tracking: "1".to_owned(), url: None });
        (track.carrier_code, track.title)
    };
    assert_eq!(code("ups"), ("ups", "UPS".to_owned()));
    assert_eq!(code("dhl-express"), ("dhl", "DHL Express".to_owned()));
    assert_eq!(code("dhl-paket"), ("custom", "DHL Paket".to_owned()));
    assert_eq!(code("Our own van"), ("custom", "Our own van".to_owned()));
    assert_eq!(code(""), ("custom", "Tracking".to_owned()));
}
