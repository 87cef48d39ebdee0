use serde_json::{Value, json};

use super::*;
use crate::order::ChargeKind;

fn row(id: u64, more: Value) -> Value {
    let mut row = json!({ "item_id": id, "product_id": id + 1000, "product_type": "simple", "sku": format!("SKU-{id}"), "name": "Tea",
        "is_virtual": 0, "qty_ordered": 1, "qty_shipped": 0, "qty_refunded": 0, "qty_canceled": 0, "qty_invoiced": 0,
        "price": 10, "tax_amount": 0, "discount_amount": 0 });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

fn document(items: &[Value], more: Value) -> Value {
    let mut order = json!({ "entity_id": 7, "increment_id": "000000007", "state": "processing", "status": "processing",
        "created_at": "2026-11-23 06:42:45", "updated_at": "2026-11-23 06:43:05", "order_currency_code": "EUR",
        "base_currency_code": "EUR", "grand_total": 10, "total_due": 0, "items": items });
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order
}

fn read(items: &[Value], more: Value) -> Order {
    order(&document(items, more).to_string(), &Statuses::new()).unwrap()
}

fn other(order: &Order) -> Vec<(String, String)> {
    let charges = order.charges.iter().filter(|charge| charge.kind == ChargeKind::Other);
    charges.map(|charge| (charge.title.clone(), charge.amount.to_string())).collect()
}

fn line(order: &Order, nth: usize) -> (String, String, bool) {
    let line = &order.lines[nth];
    (line.quantity.to_string(), line.total.to_string(), line.ships)
}

#[test]
fn p11_a_document_without_its_lines_is_not_taken_for_an_order_that_has_none() {
    for items in [Value::Null, json!("none")] {
        let document = document(&[], json!({ "items": items }));
        assert_eq!(order(&document.to_string(), &Statuses::new()).unwrap_err(), "items is not in the document");
    }
}

/// The issues 39984 of magento2 and 301 of OCA's connector: what `row_total` holds differs from
/// version to version, so it is not read.
#[test]
fn f7_a_line_is_its_price_times_its_pieces_less_its_discount_whatever_row_total_says() {
    for row_total in [json!(24.95), json!(71.1075), json!(74.85), json!(null)] {
        let item = row(
            1,
            json!({ "qty_ordered": 3, "price": 24.95, "row_total": row_total, "row_total_incl_tax": row_total,
            "discount_amount": 3.7425, "tax_amount": 13.51 }),
        );
        let order = read(&[item], json!({ "grand_total": 84.62, "tax_amount": 13.51, "discount_amount": -3.7425 }));
        assert_eq!(line(&order, 0), ("3".to_owned(), "71.1075".to_owned(), true), "{row_total}");
        let rounding = other(&order);
        assert!(rounding.is_empty() || rounding[0].0 == "Rounding", "{rounding:?}");
    }
}

/// A hundred at 10.00 with 19 % in it: the price of one is 840.34 by a hundred, rounded.
#[test]
fn f7_where_prices_have_the_tax_in_them_a_line_is_its_sum_and_not_its_rounded_price() {
    let of = |more: Value| {
        let mut item = row(1, json!({ "qty_ordered": 100, "price": 8.4, "qty_refunded": 100 }));
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item
    };
    let memo = json!({ "entity_id": 9, "state": 2, "grand_total": 1000, "items": [{ "order_item_id": 1, "qty": 100, "price": 8.4,
        "row_total": 840.34, "tax_amount": 159.66 }] });
    let more = json!({ "grand_total": 1000, "tax_amount": 159.66, "total_refunded": 1000, "ordersync": { "creditmemos": [memo] } });
    let order = read(&[of(json!({ "row_total_incl_tax": 1000, "tax_amount": 159.66 }))], more);
    assert_eq!((line(&order, 0).1.as_str(), other(&order).len()), ("840.34", 0), "{:?}", order.charges);
    assert_eq!(order.refunds[0].lines[0].amount.to_string(), "1000");
    // 10 % off, with the tax on what is left: 840.34 - 100.00 + 15.97.
    let off = of(
        json!({ "row_total_incl_tax": 900, "tax_amount": 143.69, "discount_amount": 100, "discount_tax_compensation_amount": 15.97 }),
    );
    let order = read(&[off], json!({ "grand_total": 900, "tax_amount": 143.69, "discount_amount": -100 }));
    assert_eq!((line(&order, 0).1.as_str(), other(&order).len()), ("756.31", 0), "{:?}", order.charges);
}

#[test]
fn f7_hidden_tax_and_the_discount_of_shipping_are_reckoned_with() {
    // Prices with tax in the catalogue, 10 % off goods and shipping.
    let item = row(
        1,
        json!({ "qty_ordered": 2, "price": 10, "discount_amount": 2.38, "discount_tax_compensation_amount": 0.38, "tax_amount": 3.42 }),
    );
    let more = json!({ "grand_total": 26.775, "tax_amount": 4.275, "discount_amount": -2.975, "shipping_amount": 5, "shipping_tax_amount": 0.855,
        "shipping_discount_amount": 0.595, "shipping_discount_tax_compensation_amount": 0.095, "shipping_description": "Flat Rate - Fixed" });
    let order = read(&[item], more);
    assert_eq!(order.lines[0].total.to_string(), "18");
    let shipping = &order.charges[0];
    assert_eq!(
        (shipping.amount.normalize().to_string(), shipping.tax.to_string()),
        ("4.5".to_owned(), "0.855".to_owned())
    );
    assert_eq!(other(&order), []);
    assert_eq!(order.totals.discount.to_string(), "2.975");
}

#[test]
fn i8_the_digits_of_floats_are_those_of_the_shops_database() {
    let text = document(&[row(1, json!({}))], json!({}))
        .to_string()
        .replace("\"grand_total\":10", "\"grand_total\":9.0700000000000003");
    let order = order(&text, &Statuses::new()).unwrap();
    assert_eq!(order.totals.total.to_string(), "9.07");
    let yen =
        read(&[row(1, json!({ "price": 3918.51 }))], json!({ "grand_total": 3918.51, "order_currency_code": "JPY" }));
    assert_eq!((yen.totals.total.to_string(), other(&yen).len()), ("3918.51".to_owned(), 0));
}

#[test]
fn f7_what_no_field_explains_is_shown_as_other_and_the_total_stays() {
    let order = read(&[row(1, json!({ "price": 2996.25 }))], json!({ "grand_total": 3001.58 }));
    assert_eq!(order.totals.total.to_string(), "3001.58");
    assert_eq!(other(&order), [("Not itemised by the channel".to_owned(), "5.33".to_owned())]);
}

#[test]
fn the_buyers_currency_counts_and_the_shops_own_stands_beside_it() {
    let more = json!({ "order_currency_code": "USD", "base_currency_code": "EUR", "base_grand_total": 9, "base_subtotal": 9, "grand_total": 10 });
    let order = read(&[row(1, json!({ "base_price": 9 }))], more);
    assert_eq!((order.currency.to_string().as_str(), order.totals.total.to_string().as_str()), ("USD", "10"));
    let (base, totals) = order.shop_totals.unwrap();
    assert_eq!((base.to_string().as_str(), totals.total.to_string().as_str()), ("EUR", "9"));
}

/// The issues 21231, 22562, 26228 of magento2: the row of the variant repeats SKU and, at times,
/// the price, and its counts never move.
#[test]
fn a_configurable_product_is_one_line_with_the_variants_product() {
    let parent = row(
        5,
        json!({ "product_type": "configurable", "qty_ordered": 2, "price": 25, "qty_shipped": 1, "sku": "SHIRT-M" }),
    );
    let child = row(
        6,
        json!({ "parent_item_id": 5, "qty_ordered": 2, "price": 25, "sku": "SHIRT-M", "name": "Tea M", "parent_item": parent.clone() }),
    );
    let order = read(&[parent, child], json!({ "grand_total": 50 }));
    let [only] = &order.lines[..] else { panic!("{:?}", order.lines) };
    assert_eq!((only.remote_id.as_str(), only.product_id.as_str(), only.variant.as_str()), ("5", "1005:1006", "Tea M"));
    assert_eq!((order.status, other(&order).len()), (Status::PartiallyShipped, 0));
}

/// The issues 18227 and 37567 of magento2: some versions leave the values out.
#[test]
fn what_the_buyer_typed_or_chose_is_told_beside_the_variant() {
    let options =
        |options: Value| json!({ "product_option": { "extension_attributes": { "custom_options": options } } });
    let told = |more: Value| read(&[row(1, more)], json!({})).lines[0].variant.clone();
    let both =
        json!([{ "option_id": "12", "option_value": "Ann & Ben\r\n2026" }, { "option_id": 13, "option_value": 34 }]);
    assert_eq!(told(options(both.clone())), "option 12: Ann & Ben / 2026, option 13: 34");
    for nothing in [
        json!(null),
        json!([]),
        json!({}),
        json!([null, { "option_id": "12" }, { "option_id": "12", "option_value": " " }]),
    ] {
        assert_eq!(told(options(nothing.clone())), "", "{nothing}");
    }
    assert_eq!(told(json!({ "product_option": [] })), "");
    let mut parent = options(both);
    parent["product_type"] = json!("configurable");
    let rows = [row(5, parent), row(6, json!({ "parent_item_id": 5, "name": "Tea M" }))];
    assert_eq!(read(&rows, json!({})).lines[0].variant, "Tea M, option 12: Ann & Ben / 2026, option 13: 34");
}

fn bundle(shipments: Value) -> Order {
    let parent = row(1, json!({ "product_type": "bundle", "qty_ordered": 2, "price": 44.93, "discount_amount": 0 }));
    let part = |id: u64, pieces: u32| {
        row(
            id,
            json!({ "parent_item_id": 1, "qty_ordered": pieces, "price": 9.99, "discount_amount": 1.5, "tax_amount": 2 }),
        )
    };
    let more = json!({ "grand_total": 90.86, "tax_amount": 4, "discount_amount": -3, "ordersync": { "shipments": shipments } });
    read(&[parent, part(2, 4), part(3, 2)], more)
}

/// The parts carry discount and tax; the row of the bundle has the price.
#[test]
fn a_bundle_ships_as_one_until_a_shipment_holds_a_part_of_it() {
    let whole = bundle(json!([]));
    assert_eq!(
        (line(&whole, 0), line(&whole, 1)),
        (("2".into(), "86.86".into(), true), ("4".into(), "0".into(), false))
    );
    assert_eq!((whole.lines[0].tax.to_string(), other(&whole).len()), ("4".to_owned(), 0));
    let together = bundle(
        json!([{ "entity_id": 9, "created_at": "2026-11-23 07:00:00", "items": [{ "order_item_id": 1, "qty": 1 }] }]),
    );
    assert!(together.lines[0].ships && !together.lines[1].ships);
    assert_eq!((together.status, together.shipments[0].lines[0].line_id.as_str()), (Status::PartiallyShipped, "1"));

    // In its parts, and only one of the two is on the row of the bundle.
    let row = |id: u32, pieces: u32| json!({ "order_item_id": id, "qty": pieces });
    let whole = bundle(json!([{ "entity_id": 9, "items": [row(1, 1), row(2, 4), row(3, 2)] }]));
    assert!(whole.lines[0].ships && !whole.lines[1].ships);
    let sent = |order: &Order| {
        let lines = order.shipments.iter().flat_map(|one| &one.lines);
        lines.map(|line| format!("{}x{}", line.quantity, line.line_id)).collect::<Vec<_>>()
    };
    assert_eq!((whole.status, sent(&whole)), (Status::Shipped, vec!["2x1".to_owned()]));
    let apart = bundle(json!([{ "entity_id": 9, "items": [row(1, 1), row(2, 4), row(3, 1)] }]));
    assert!(!apart.lines[0].ships && apart.lines[1].ships && apart.lines[2].ships);
    assert_eq!((apart.status, sent(&apart)), (Status::PartiallyShipped, vec!["4x2".to_owned(), "1x3".to_owned()]));
}

/// Where the shipments cannot be read the counts of the order are what is known: the row of a
/// bundle counts shipments, and what was sent of its parts is what went.
#[test]
fn p12_half_of_a_bundle_is_no_complete_order() {
    let counted = |state: &str, of_row: u32, of_parts: [u32; 2]| {
        let rows = [(1, 2, of_row), (2, 4, of_parts[0]), (3, 2, of_parts[1])];
        let rows = rows.map(|(id, ordered, shipped)| {
            let parent = (id > 1).then_some(1);
            let kind = if id == 1 { "bundle" } else { "simple" };
            row(id, json!({ "product_type": kind, "parent_item_id": parent, "qty_ordered": ordered, "qty_shipped": shipped }))
        });
        read(&rows, json!({ "state": state, "status": state, "grand_total": 0 })).status
    };
    assert_eq!(counted("complete", 1, [2, 1]), Status::PartiallyShipped);
    assert_eq!(counted("complete", 1, [4, 2]), Status::Shipped);
    assert_eq!(counted("processing", 1, [4, 2]), Status::Shipped);
    assert_eq!(counted("processing", 1, [0, 0]), Status::PartiallyShipped, "of a version that counts no parts");
}

/// Without a bundle it is somebody's word: pieces that are in no shipment are still to be sent.
#[test]
fn p12_an_order_that_is_called_complete_has_to_be_sent_what_is_in_no_shipment() {
    let counted = |shipped: u32, refunded: u32| {
        let item = row(1, json!({ "qty_ordered": 3, "qty_shipped": shipped, "qty_refunded": refunded }));
        read(&[item], json!({ "state": "complete", "status": "complete", "grand_total": 0 })).status
    };
    assert_eq!(counted(2, 0), Status::PartiallyShipped);
    assert_eq!((counted(3, 0), counted(0, 0)), (Status::Shipped, Status::Shipped));
    assert_eq!(counted(2, 1), Status::Shipped, "given back, nobody knows which piece");
}

#[test]
fn pieces_that_were_cancelled_one_by_one_are_no_longer_ordered_and_stay_in_the_total() {
    let item = || row(1, json!({ "qty_ordered": 3, "qty_canceled": 1, "price": 10 }));
    let order = read(&[item()], json!({ "grand_total": 30, "total_due": 0 }));
    assert_eq!(line(&order, 0), ("2".to_owned(), "20".to_owned(), true));
    let fee = order.charges.iter().find(|charge| charge.kind == ChargeKind::Fee).unwrap();
    assert_eq!((fee.title.as_str(), fee.amount.to_string().as_str()), ("Cancelled at the shop", "10"));
    let whole = read(&[item()], json!({ "grand_total": 30, "state": "canceled", "status": "canceled" }));
    assert_eq!((line(&whole, 0).0.as_str(), whole.status, other(&whole).len()), ("3", Status::Cancelled, 0));
}

#[test]
fn p10_credit_memos_give_money_and_pieces_and_without_them_the_order_does() {
    let parent = row(
        5,
        json!({ "product_type": "configurable", "qty_ordered": 3, "price": 25, "qty_refunded": 1, "amount_refunded": 25 }),
    );
    let child = row(6, json!({ "parent_item_id": 5, "qty_ordered": 3, "price": 0 }));
    let memo = json!([
        { "entity_id": 3, "state": 2, "created_at": "2026-11-24 08:00:00", "grand_total": 29.75, "comments": [{ "comment": "too small" }],
          "items": [{ "order_item_id": 5, "qty": 1, "price": 25, "tax_amount": 4.75 }, { "order_item_id": 6, "qty": 1, "price": null }] },
        { "entity_id": 4, "state": 3, "grand_total": 5, "items": null },
    ]);
    let more =
        |memos: Value| json!({ "grand_total": 75, "total_refunded": 29.75, "ordersync": { "creditmemos": memos } });
    let order = read(&[parent.clone(), child.clone()], more(memo));
    let [refund] = &order.refunds[..] else { panic!("{:?}", order.refunds) };
    assert_eq!(
        (refund.remote_id.as_str(), refund.amount.to_string().as_str(), refund.reason.as_str()),
        ("3", "29.75", "too small")
    );
    assert!(refund.refunded_at.is_some() && refund.lines.len() == 1, "{refund:?}");
    assert_eq!((refund.lines[0].line_id.as_str(), refund.lines[0].amount.to_string().as_str()), ("5", "29.75"));
    let untold = read(&[parent, child], more(json!([])));
    assert_eq!(
        (untold.refunds[0].amount.to_string().as_str(), untold.refunds[0].lines[0].quantity),
        ("29.75", Decimal::ONE)
    );
    assert_eq!((untold.lines[0].refunded, untold.totals.refunded.to_string().as_str()), (Decimal::ONE, "29.75"));
}

/// Two of a bundle of two mugs and a pot, as the order counts them given back and as memos tell it.
fn bundle_back(of_row: u32, of_parts: [u32; 2], sent: u32, memos: Value) -> Order {
    let item = |id: u64, ordered: u32, back: u32, price: u32| {
        let (parent, kind) = if id == 1 { (None, "bundle") } else { (Some(1), "simple") };
        row(
            id,
            json!({ "product_type": kind, "parent_item_id": parent, "qty_ordered": ordered, "qty_refunded": back, "price": price,
            "amount_refunded": if id == 1 { 0 } else { price * back }, "qty_shipped": sent * ordered / 2 }),
        )
    };
    let items = [item(1, 2, of_row, 40), item(2, 4, of_parts[0], 10), item(3, 2, of_parts[1], 20)];
    let back: u64 = memos.as_array().unwrap().iter().map(|memo| memo["grand_total"].as_u64().unwrap()).sum();
    let back = if back == 0 { u64::from(10 * of_parts[0] + 20 * of_parts[1]) } else { back };
    read(&items, json!({ "grand_total": 80, "total_refunded": back, "ordersync": { "creditmemos": memos } }))
}

fn memo(id: u32, total: u32, rows: &[(u32, u32, u32)]) -> Value {
    let row = |(row, pieces, price): &(u32, u32, u32)| {
        let sum = (*row > 1).then_some(price * pieces);
        json!({ "order_item_id": row, "qty": pieces, "price": price, "row_total": sum, "tax_amount": 0 })
    };
    json!({ "entity_id": id, "state": 2, "created_at": "2026-11-24 08:00:00", "grand_total": total,
        "items": rows.iter().map(row).collect::<Vec<_>>() })
}

/// Of each line that ships: pieces left; and of each refund: line, pieces, amount.
fn left_and_back(order: &Order) -> (Vec<String>, Vec<String>) {
    let ships = order.lines.iter().filter(|line| line.ships);
    let left = ships.map(|line| {
        format!("{}: {}", line.remote_id, Pieces::of(line, &order.refunds, &order.shipments).left.normalize())
    });
    let back = order.refunds.iter().flat_map(|refund| &refund.lines);
    let back =
        back.map(|line| format!("{} x {} = {}", line.quantity.normalize(), line.line_id, line.amount.normalize()));
    (left.collect(), back.collect())
}

/// The issues 39060 and 40404 of magento2: the row of a bundle counts the pieces of all its parts.
#[test]
fn p10_of_a_bundle_as_many_were_given_back_as_its_parts_say() {
    // One of two: its row says three.
    let one = bundle_back(3, [2, 1], 0, json!([memo(9, 40, &[(1, 3, 40), (2, 2, 10), (3, 1, 20)])]));
    assert_eq!(left_and_back(&one), (vec!["1: 1".to_owned()], vec!["1 x 1 = 40".to_owned()]));
    assert_eq!(one.status, Status::AwaitingFulfillment);
    let untold = bundle_back(3, [2, 1], 0, json!([]));
    assert_eq!(left_and_back(&untold), left_and_back(&one), "by the order's own sums");
    let both =
        json!([memo(8, 40, &[(1, 3, 40), (2, 2, 10), (3, 1, 20)]), memo(9, 40, &[(1, 3, 40), (2, 2, 10), (3, 1, 20)])]);
    let all = bundle_back(6, [4, 2], 0, both);
    assert_eq!(all.lines[0].refunded, Decimal::TWO);
    // A version, or a program, that counts the bundle alone.
    let alone = bundle_back(1, [0, 0], 0, json!([memo(9, 40, &[(1, 1, 40)])]));
    assert_eq!(left_and_back(&alone), left_and_back(&one));
}

#[test]
fn p10_where_a_part_of_a_bundle_was_given_back_the_others_are_still_to_be_sent() {
    let (left, pot) = (["2: 4", "3: 1"].map(str::to_owned).to_vec(), vec!["1 x 3 = 20".to_owned()]);
    let memos = json!([memo(9, 20, &[(1, 1, 40), (3, 1, 20)])]);
    let torn = bundle_back(1, [0, 1], 0, memos.clone());
    assert_eq!((left_and_back(&torn), torn.status), ((left.clone(), pot.clone()), Status::AwaitingFulfillment));
    assert_eq!(left_and_back(&bundle_back(1, [0, 1], 0, json!([]))), (left, pot.clone()), "by the order's own sums");
    // Both rows of two: the row of the bundle counts both of two.
    let two = bundle_back(2, [0, 2], 0, json!([memo(9, 40, &[(1, 2, 40), (3, 2, 20)])]));
    assert_eq!(left_and_back(&two).0, ["2: 4", "3: 0"]);
    // One part first and then the others are one bundle in two memos.
    let two = json!([memo(8, 20, &[(1, 2, 40), (2, 2, 10)]), memo(9, 20, &[(1, 1, 40), (3, 1, 20)])]);
    assert_eq!(left_and_back(&bundle_back(3, [2, 1], 0, two)).0, ["2: 2", "3: 1"]);
    // Once all of it was sent nothing is left of which it had to be told.
    let after = bundle_back(1, [0, 1], 2, memos);
    assert_eq!((left_and_back(&after), after.status), ((vec!["1: 0".to_owned()], pot), Status::Shipped));
}

/// The row of a bundle that goes in its parts counts shipments: two of a part each are not all of two.
#[test]
fn p10_parts_that_were_sent_one_after_the_other_are_not_all_of_a_bundle() {
    let item = |id: u64, ordered: u32, back: u32, sent: u32| {
        let (parent, kind) = if id == 1 { (None, "bundle") } else { (Some(1), "simple") };
        row(
            id,
            json!({ "product_type": kind, "parent_item_id": parent, "qty_ordered": ordered, "qty_refunded": back, "qty_shipped": sent }),
        )
    };
    let order = read(&[item(1, 2, 1, 2), item(2, 4, 1, 2), item(3, 2, 0, 1)], json!({ "grand_total": 0 }));
    let ships: Vec<_> = order.lines.iter().filter(|line| line.ships).map(|line| line.remote_id.as_str()).collect();
    assert_eq!((ships, order.status), (vec!["2", "3"], Status::PartiallyShipped));
}

/// Whole ones of it went first: what the shop says of the bundle is said of its parts then.
#[test]
fn p10_whole_bundles_that_were_sent_before_a_part_was_given_back_are_counted_on_the_parts() {
    let item = |id: u64, ordered: u32, back: u32| {
        let (parent, kind) = if id == 1 { (None, "bundle") } else { (Some(1), "simple") };
        row(
            id,
            json!({ "product_type": kind, "parent_item_id": parent, "qty_ordered": ordered, "qty_refunded": back,
            "qty_shipped": u32::from(id == 1) }),
        )
    };
    let items = [item(1, 2, 1), item(2, 4, 0), item(3, 2, 1)];
    let sent =
        json!([{ "entity_id": 9, "created_at": "2026-11-23 07:00:00", "items": [{ "order_item_id": 1, "qty": 1 }] }]);
    for shipments in [sent, json!([])] {
        let order = read(&items, json!({ "grand_total": 0, "ordersync": { "shipments": shipments } }));
        let sent: Vec<_> = order.shipments.iter().flat_map(|one| &one.lines).collect();
        let sent: Vec<_> =
            sent.iter().map(|line| format!("{} x {}", line.quantity.normalize(), line.line_id)).collect();
        assert_eq!((order.status, sent), (Status::PartiallyShipped, ["2 x 2", "1 x 3"].map(str::to_owned).to_vec()));
    }
}

#[test]
fn f7_a_refund_of_a_line_is_not_more_than_the_refund() {
    let one = bundle_back(2, [0, 2], 2, json!([memo(9, 15, &[(1, 2, 40), (3, 2, 20)])]));
    assert_eq!(left_and_back(&one).1, ["2 x 3 = 15"], "less a fee");
}

#[test]
fn an_order_that_was_edited_names_the_one_before_it_and_the_one_after() {
    let new = read(
        &[row(1, json!({}))],
        json!({ "increment_id": "000000123-1", "original_increment_id": "000000123", "relation_parent_id": "17", "relation_parent_real_id": "000000123" }),
    );
    assert_eq!(new.number, "000000123-1");
    assert!(new.attributes.contains(&("original order".to_owned(), "000000123".to_owned())));
    let old = read(&[row(1, json!({}))], json!({ "state": "canceled", "relation_child_real_id": "000000123-1" }));
    assert!(old.attributes.contains(&("replaced by".to_owned(), "000000123-1".to_owned())));
    // To order it again, in the admin of 2.4.7, writes the same member on one that stays open.
    let open = json!({ "state": "processing", "relation_child_real_id": "000000123-1" });
    let open = read(&[row(1, json!({}))], open);
    assert!(open.attributes.contains(&("ordered again as".to_owned(), "000000123-1".to_owned())));
    assert!(open.attributes.iter().all(|(label, _)| label != "replaced by"));
}

#[test]
fn an_order_was_paid_when_the_last_invoice_that_is_paid_was_made() {
    let paid_at = |more: Value| {
        let order = read(&[row(1, json!({}))], more);
        order.paid_at.map(|at| at.to_string())
    };
    let invoice = |state: u32, at: &str| json!({ "entity_id": state, "order_id": 7, "state": state, "created_at": at });
    let of = |due: u32, invoices: Value| json!({ "total_due": due, "ordersync": { "invoices": invoices } });
    let two = json!([
        invoice(2, "2026-12-14 09:00:00"),
        invoice(2, "2026-12-15 09:00:00"),
        invoice(3, "2026-12-16 09:00:00")
    ]);
    assert_eq!(paid_at(of(0, two.clone())).as_deref(), Some("2026-12-15 09:00:00 UTC"));
    assert_eq!(paid_at(of(3, two)), None, "a part of it is");
    let placed = Some("2026-11-23 06:42:45 UTC");
    assert_eq!(paid_at(of(0, json!(null))).as_deref(), placed, "no invoice is known");
    assert_eq!(paid_at(of(0, json!([invoice(1, "2026-12-14 09:00:00")]))).as_deref(), placed);
}

#[test]
fn what_is_virtual_or_picked_up_takes_no_parcel() {
    let virtual_line = row(1, json!({ "is_virtual": 1, "product_type": "downloadable" }));
    let assigned = |method: &str| {
        json!({ "extension_attributes": { "shipping_assignments": [{ "shipping": { "method": method,
        "address": { "firstname": "Ann", "lastname": "Lee", "street": ["1 Quay", "Rear", "Door 2"], "city": "Cork", "country_id": "IE" } } }] } })
    };
    let order = read(&[virtual_line.clone(), row(2, json!({}))], assigned("flatrate_flatrate"));
    assert_eq!(order.lines.iter().map(|line| line.ships).collect::<Vec<_>>(), [false, true]);
    let to = &order.ship_to[0];
    assert_eq!((to.line1.as_str(), to.line2.as_str(), to.name.as_str()), ("1 Quay", "Rear, Door 2", "Ann Lee"));
    let counters = [
        "instore_pickup",
        "storepickup_storepickup",
        "amstorepickup_amstorepickup",
        "smstorepickup_smstorepickup",
        "mageworxpickup_mageworxpickup",
        "clickandcollect_clickandcollect",
    ];
    for method in counters {
        let picked_up = read(&[row(2, json!({}))], assigned(method));
        assert!(!picked_up.lines[0].ships && picked_up.ship_to.is_empty(), "{method}");
    }
    for method in ["inpost_pickup", "dhlpickup_dhlpickup", "flatrate_storepickup", "mondialrelaypickup_24R"] {
        assert!(
            read(&[row(2, json!({}))], assigned(method)).lines[0].ships,
            "{method}: a carrier's point takes parcels"
        );
    }
    // The one assignment of a virtual order has no address.
    let downloaded = read(
        &[virtual_line],
        json!({ "is_virtual": 1, "extension_attributes": { "shipping_assignments": [{ "shipping": { "total": {} } }] } }),
    );
    assert!(downloaded.ship_to.is_empty());
}

#[test]
fn names_are_whole() {
    let full = json!({ "prefix": "Dr.", "firstname": "Ann", "middlename": "Marie", "lastname": "Lee", "suffix": "Jr.",
        "street": ["1 Quay"], "city": "Cork", "country_id": "IE" });
    let customer = json!({ "customer_prefix": "Mx", "customer_firstname": "Ann", "customer_middlename": " ", "customer_lastname": "Lee" });
    let mut more = json!({ "billing_address": full, "extension_attributes": { "shipping_assignments": [{ "shipping": { "address": full } }] } });
    more.as_object_mut().unwrap().extend(customer.as_object().unwrap().clone());
    let order = read(&[row(1, json!({}))], more);
    let names = [&order.buyer.name, &order.ship_to[0].name, &order.bill_to.as_ref().unwrap().name];
    assert_eq!(names, ["Mx Ann Lee", "Dr. Ann Marie Lee Jr.", "Dr. Ann Marie Lee Jr."]);
}

/// What an order is none without.
const REQUIRED: [&str; 5] = ["entity_id", "order_currency_code", "created_at", "grand_total", "items"];

#[test]
fn everything_that_may_be_missing_or_null_may_be_both() {
    let whole = document(&[row(1, json!({}))], json!({}));
    for name in whole.as_object().unwrap().keys().filter(|name| !REQUIRED.contains(&name.as_str())) {
        for value in [None, Some(Value::Null), Some(json!("")), Some(json!([]))] {
            let mut less = whole.clone();
            match value {
                None => drop(less.as_object_mut().unwrap().remove(name)),
                Some(value) => less[name] = value,
            }
            let read = order(&less.to_string(), &Statuses::new());
            let is_amount = matches!(name.as_str(), "total_due") && less[name] == json!([]);
            assert_eq!(read.is_ok(), !is_amount, "{name}: {read:?}");
        }
    }
    for (name, value) in [
        ("grand_total", json!({})),
        ("grand_total", json!("")),
        ("created_at", json!("soon")),
        ("entity_id", json!("7x")),
        ("order_currency_code", json!(null)),
    ] {
        let mut bad = whole.clone();
        bad[name] = value;
        assert!(order(&bad.to_string(), &Statuses::new()).is_err(), "{name}");
    }
}

#[test]
fn times_are_utc_with_a_blank_or_without() {
    let of = |text: &str| parse_time(text).map(|at| at.timestamp());
    for text in ["2026-11-23 06:43:05", "2026-11-23T06:43:05Z", "2026-11-23T06:43:05"] {
        assert_eq!(of(text), Some(1_795_416_185), "{text}");
    }
    assert_eq!([of("0000-00-00 00:00:00"), of("soon"), of("")], [None; 3]);
}

#[test]
fn both_words_of_an_order_are_told_and_found_again() {
    assert_eq!(
        (words("new", "pending"), words("complete", "complete"), words("", "x")),
        ("new / pending".into(), "complete".into(), "x".into())
    );
    assert_eq!(apart("new / pending"), ("new", "pending"));
    assert_eq!(apart("complete"), ("complete", "complete"));
}

#[test]
fn f3_a_street_may_be_a_text_and_no_quantity_is_negative() {
    let order =
        read(&[row(1, json!({}))], json!({ "billing_address": { "street": "Str. 1\nHaus 2", "city": "Köln" } }));
    let billing = order.bill_to.clone().unwrap();
    assert_eq!((billing.line1.as_str(), billing.line2.as_str()), ("Str. 1", "Haus 2"));
}

#[test]
fn i4_a_row_that_is_null_costs_the_order_only_where_it_may_be_a_line_or_a_shipment() {
    let with = |more: Value| super::order(&document(&[row(1, json!({}))], more).to_string(), &Statuses::new());
    let shipments = |one: Value| json!({ "ordersync": { "shipments": [one] } });
    for harmless in [
        shipments(json!({ "entity_id": 5, "items": [], "comments": [null, { "comment": "by hand" }] })),
        json!({ "extension_attributes": { "payment_additional_info": [null, { "key": "method_title", "value": "Card" }] } }),
        json!({ "extension_attributes": { "shipping_assignments": [null] } }),
    ] {
        assert!(with(harmless.clone()).is_ok(), "{harmless}");
    }
    for unknown in [
        json!({ "items": [null, row(1, json!({}))] }),
        shipments(json!(null)),
        shipments(json!({ "entity_id": 5, "items": [null] })),
        shipments(json!({ "entity_id": 5, "items": [], "tracks": [null] })),
    ] {
        assert!(with(unknown.clone()).is_err(), "{unknown}");
    }
}

/// The first version of the program asked for neither titles and middle names nor options, and a
/// member without a value is left out: only what was asked for tells the two apart.
#[test]
fn p11_what_an_older_document_was_not_asked_for_is_no_change_and_later_a_change() {
    let of = |name: Value, options: Value, asked: bool| {
        let mut to =
            json!({ "firstname": "Ann", "lastname": "Smith", "street": ["1 Test Street"], "city": "Sampleton" });
        to.as_object_mut().unwrap().extend(name.as_object().unwrap().clone());
        let size = row(
            1,
            json!({ "product_type": "configurable", "name": "Shirt", "product_option": {
            "extension_attributes": { "custom_options": options } } }),
        );
        let variant = row(2, json!({ "parent_item_id": 1, "name": "Shirt, blue" }));
        let mut more =
            json!({ "extension_attributes": { "shipping_assignments": [{ "shipping": { "address": to } }] } });
        if asked {
            more["ordersync"] = json!({ "asked": ASKED });
        }
        read(&[size, variant], more)
    };
    let fields = |before: &Order, after: &Order| -> Vec<&str> {
        crate::order::differences(before, after).iter().map(|found| found.aspect.word()).collect()
    };
    let full = json!({ "prefix": "Dr", "middlename": "Marie", "suffix": "MD" });
    let options = json!([{ "option_id": "12", "option_value": "for Ben" }]);
    let (old, new) = (of(json!({}), json!([]), false), of(full.clone(), options.clone(), true));
    assert_eq!(new.ship_to[0].name, "Dr Ann Marie Smith MD");
    assert_eq!(fields(&old, &new), [""; 0], "{:?}", crate::order::differences(&old, &new));
    assert!(crate::order::same_places(&old, &new));
    let asked = of(json!({}), json!([]), true);
    assert_eq!(fields(&asked, &new), ["address", "lines"], "the shop has changed both since");
    let other = of(json!({ "firstname": "Bea", "prefix": "Dr" }), options, true);
    assert_eq!(fields(&old, &other), ["address"], "another person");
    let moved = of(json!({ "prefix": "Dr", "street": ["2 Test Street"] }), json!([]), true);
    assert_eq!(fields(&old, &moved), ["address"], "another door");
}

/// The row of a bundle has nothing to cancel where its parts are reckoned or shipped by themselves,
/// and they have nothing where they are not.
#[test]
fn p12_what_is_cancelled_of_a_bundle_is_told_by_its_row_or_by_its_parts() {
    let of = |bundle: u32, parts: [u32; 2]| {
        let set = json!({ "product_type": "bundle", "sku": "SET", "qty_ordered": 3, "qty_canceled": bundle });
        let part = |pieces: u32, off: u32| json!({ "parent_item_id": 1, "qty_ordered": pieces, "qty_canceled": off });
        let rows = [row(1, set), row(2, part(6, parts[0])), row(3, part(3, parts[1]))];
        let order = read(&rows, json!({ "grand_total": 30 }));
        let lines = order.lines.iter().map(|line| (line.quantity.normalize().to_string(), line.ships));
        lines.collect::<Vec<_>>()
    };
    let lines = |pieces: [&str; 3], apart: bool| {
        pieces
            .iter()
            .zip([!apart, apart, apart])
            .map(|(pieces, ships)| ((*pieces).to_owned(), ships))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(0, [0, 0]), lines(["3", "6", "3"], false));
    assert_eq!(of(1, [0, 0]), lines(["2", "4", "2"], false), "its row alone");
    assert_eq!(of(0, [2, 1]), lines(["2", "4", "2"], false), "its parts alone");
    assert_eq!(of(1, [2, 1]), lines(["2", "4", "2"], false), "both");
    assert_eq!(of(0, [2, 0]), lines(["3", "4", "3"], true), "one part without the other");
}
