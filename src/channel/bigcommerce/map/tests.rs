use serde_json::{Value, json};

use super::*;
use crate::order::Status;

/// A line as `orderProducts` of the vendor's schema has it.
fn product(id: u64, sku: &str, quantity: u64) -> Value {
    json!({
        "id": id, "order_id": 149, "product_id": 77, "variant_id": 12, "order_pickup_method_id": 0, "order_address_id": 51,
        "name": "Towel", "sku": sku, "type": "physical", "price_ex_tax": "55.9900", "price_inc_tax": "65.2300",
        "total_ex_tax": "55.9900", "total_inc_tax": "65.2300", "total_tax": "9.2400", "quantity": quantity,
        "quantity_shipped": 0, "quantity_refunded": 0, "wrapping_name": "", "wrapping_message": "",
        "applied_discounts": [{"id": "total-coupon", "amount": "1.5900", "name": "$5 off", "code": "S2549", "target": "order"}],
        "product_options": [{"display_name": "Size", "display_value": "S"}], "configurable_fields": [],
        "discounted_total_inc_tax": "63.6400"
    })
}

fn consignment(id: u64, city: &str, lines: &[Value]) -> Value {
    json!({
        "id": id, "first_name": "Jane", "last_name": "Doe", "company": "", "street_1": "1 Test Street", "street_2": "",
        "city": city, "state": "Texas", "zip": "78751", "country": "United States", "country_iso2": "US", "email": "",
        "phone": "", "form_fields": [], "shipping_method": "Ground", "cost_ex_tax": 5.1, "cost_tax": 1.1, "line_items": lines
    })
}

/// An order row of the vendor's example, `orderCollection_Resp`, without its lines.
const ROW: &str = r#"{
    "id": 149, "customer_id": 0, "date_created": "Wed, 10 Jan 2018 21:05:30 +0000",
    "date_modified": "Wed, 05 Dec 2018 20:16:55 +0000", "date_shipped": "", "status_id": 11,
    "status": "Awaiting Fulfillment", "custom_status": "Zu packen", "total_inc_tax": "72.0400", "total_tax": 10.34,
    "shipping_cost_ex_tax": "5.1000", "handling_cost_ex_tax": "0.0000", "wrapping_cost_ex_tax": "0.0000",
    "discount_amount": "0.0000", "coupon_discount": "1.5900", "store_credit_amount": "0.0000",
    "gift_certificate_amount": "0.0000", "items_total": 1, "items_shipped": 0, "is_tax_inclusive_pricing": false,
    "payment_method": "Credit Card", "payment_provider_id": "stripe", "payment_status": "captured",
    "currency_code": "EUR", "default_currency_code": "USD", "store_default_currency_code": "",
    "store_default_to_transactional_exchange_rate": "1.0000000000", "customer_message": "Ring twice", "staff_notes": "",
    "order_source": "www", "channel_id": 1, "external_id": null, "external_order_id": "", "ebay_order_id": "0",
    "is_deleted": false, "fees": [],
    "billing_address": {"first_name": "Jane", "last_name": "Doe", "company": "", "street_1": "455 Main Street",
        "street_2": "", "city": "Austin", "state": "Texas", "zip": "78751", "country": "United States",
        "country_iso2": "US", "phone": "555-123-4567", "email": "jane@example.test", "form_fields": []}
}"#;

fn document() -> Value {
    let mut row: Value = serde_json::from_str(ROW).unwrap();
    let shipping = [consignment(51, "Austin", &[product(65, "S-ORAN", 1)])];
    row["consignments"] =
        json!({"pickups": [], "shipping": shipping, "downloads": [], "email": {"gift_certificates": []}});
    row
}

fn read(document: &Value) -> Order {
    order(&document.to_string()).unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_plain_order_is_read_whole() {
    let order = read(&document());
    assert_eq!((order.remote_id.as_str(), order.number.as_str()), ("149", "149"));
    assert_eq!((order.status, order.channel_status.as_str()), (Status::AwaitingFulfillment, "Zu packen"));
    assert_eq!(order.currency.code(), "USD", "the transactional currency, not the one it was shown in");
    assert_eq!((order.totals.total, order.totals.tax), (decimal("72.04"), decimal("10.34")));
    assert_eq!(order.totals.discount, decimal("1.59"));
    let line = &order.lines[0];
    assert_eq!((line.remote_id.as_str(), line.product_id.as_str(), line.variant.as_str()), ("65", "77:12", "Size: S"));
    assert_eq!((line.unit_price, line.total), (decimal("55.99"), decimal("54.40")));
    assert!(line.ships);
    assert_eq!(order.ship_to[0].remote_id.as_deref(), Some("51"));
    assert_eq!(order.ship_to[0].email, "jane@example.test", "stands in from the billing address");
    assert_eq!(crate::clock::rfc3339(order.updated_at), "2018-12-05T20:16:55Z");
    assert!(order.shop_totals.is_none() && order.shipments.is_empty() && !order.test && order.paid_at.is_some());
    let codes: Vec<(ChargeKind, &str)> = order.charges.iter().map(|c| (c.kind, c.code.as_str())).collect();
    let known = [(ChargeKind::Shipping, "Ground"), (ChargeKind::Tax, ""), (ChargeKind::Discount, "S2549")];
    assert_eq!(codes[..3], known);
    assert_eq!(codes[3..], [(ChargeKind::Other, "")], "the vendor's example asks 2.20 more than its parts");
    assert_eq!(order.charges[3].amount, decimal("2.20"));
}

#[test]
fn the_same_order_with_its_parts_fetched_one_by_one_is_the_same_order() {
    let whole = document();
    let mut apart = document();
    let place = &whole["consignments"]["shipping"][0];
    let lines = place["line_items"].clone();
    apart["consignments"] = json!({"url": "https://api.bigcommerce.com/x", "resource": "/orders/149/consignments"});
    apart["fees"] = json!({"url": "https://api.bigcommerce.com/x", "resource": "/orders/149/fees"});
    apart["ordersync"] = json!({"products": lines, "shipping_addresses": [place]});
    assert_eq!(read(&apart), read(&whole));
    apart["ordersync"] = json!({"shipping_addresses": [place]});
    assert!(order(&apart.to_string()).is_err(), "an order without its lines is no order");
}

#[test]
fn lines_know_their_address_and_what_is_not_shipped_has_none() {
    let mut several = document();
    let digital = json!({"id": 80, "type": "digital", "quantity": 1, "product_id": 5});
    let gift = json!({"id": 81, "type": "giftcertificate", "quantity": 1, "product_id": 0});
    let picked = product(82, "PICK", 1);
    several["consignments"] = json!({
        "shipping": [consignment(51, "Austin", &[product(65, "A", 1)]), consignment(52, "Dallas", &[product(66, "B", 2)])],
        "downloads": [{"line_items": [digital]}], "email": {"gift_certificates": [{"line_items": [gift]}]},
        "pickups": [{"pickup_method_display_name": "Shop Austin", "line_items": [picked]}],
    });
    let order = read(&several);
    let ways: Vec<(&str, bool, usize)> =
        order.lines.iter().map(|l| (l.remote_id.as_str(), l.ships, l.ship_to)).collect();
    assert_eq!(ways, [("65", true, 0), ("66", true, 1), ("82", false, 0), ("80", false, 0), ("81", false, 0)]);
    assert_eq!(order.ship_to[1].city, "Dallas");
    assert!(order.attributes.contains(&("pick-up".to_owned(), "Shop Austin".to_owned())));
}

/// Pick-up without the pick-up methods of 2022: a status, or a shipping method.
#[test]
fn p12_what_the_buyer_comes_for_needs_no_parcel_and_a_carriers_pick_up_point_does() {
    let with = |status: u8, method: &str, apart: bool| {
        let mut picked = document();
        picked["status_id"] = json!(status);
        picked["consignments"]["shipping"][0]["shipping_method"] = json!(method);
        if apart {
            let place = picked["consignments"]["shipping"][0].clone();
            let lines = place["line_items"].clone();
            picked["consignments"] = json!({"url": "https://api.bigcommerce.com/x", "resource": "/y"});
            picked["ordersync"] = json!({"products": lines, "shipping_addresses": [place]});
        }
        read(&picked)
    };
    for apart in [false, true] {
        for (status, method) in
            [(8, "Ground"), (11, "Pickup In Store"), (11, "Pick up in store"), (9, "In-Store Pickup")]
        {
            let order = with(status, method, apart);
            assert_eq!(order.status, Status::AwaitingFulfillment, "{status} {method}");
            assert!(!order.lines[0].ships && order.ship_to.is_empty(), "{status} {method}");
            assert!(order.attributes.contains(&("pick-up".to_owned(), method.to_owned())), "{:?}", order.attributes);
        }
        for (status, method) in [(11, "Ground"), (11, "DHL pickup point"), (9, "UPS Pickup"), (11, "")] {
            let order = with(status, method, apart);
            assert!(order.lines[0].ships && order.ship_to.len() == 1, "{status} {method}");
        }
    }
}

#[test]
fn a_line_to_an_address_that_is_not_there_is_not_sent_to_another() {
    let mut lost = document();
    lost["consignments"] = json!("");
    let mut line = product(65, "A", 1);
    line["order_address_id"] = json!(99);
    lost["ordersync"] =
        json!({"products": [line], "shipping_addresses": [consignment(51, "A", &[]), consignment(52, "B", &[])]});
    assert_eq!(order(&lost.to_string()).unwrap_err(), "a line goes to an address that the order does not list");
}

#[test]
fn pieces_shipped_are_known_without_their_parcels() {
    let mut partly = document();
    partly["status_id"] = json!(3);
    partly["consignments"]["shipping"][0]["line_items"] = json!([product(65, "A", 3)]);
    partly["consignments"]["shipping"][0]["line_items"][0]["quantity_shipped"] = json!(2);
    let order = read(&partly);
    assert_eq!(order.status, Status::PartiallyShipped);
    assert_eq!(order.shipments[0].lines, [LineQuantity { line_id: "65".into(), quantity: Decimal::TWO }]);
    partly["consignments"]["shipping"][0]["line_items"][0]["quantity_shipped"] = json!(1);
    let before = read(&partly);
    let found = crate::order::differences(&before, &order);
    assert!(
        found.iter().any(|d| d.aspect == crate::order::Field::Shipped),
        "one piece more stops a dispatch: {found:?}"
    );
}

#[test]
fn refunds_come_from_v3_and_declined_ones_gave_nothing_back() {
    let mut refunded = document();
    refunded["status_id"] = json!(14);
    refunded["ordersync"] = json!({"refunds": [
        {"id": 3, "order_id": 149, "created": "2020-01-15T01:02:34+00:00", "reason": "broken", "total_amount": 10.10,
         "items": [{"item_type": "PRODUCT", "item_id": 65, "quantity": 1, "requested_amount": 10.10},
                   {"item_type": "SHIPPING", "item_id": 51, "requested_amount": 5}], "payments": [{"is_declined": false}]},
        {"id": 4, "order_id": 149, "created": "2020-01-15T01:02:34Z", "total_amount": 99, "payments": [{"is_declined": true}]}
    ]});
    let order = read(&refunded);
    assert_eq!(order.refunds.len(), 1);
    assert_eq!((order.totals.refunded, order.refunds[0].amount), (decimal("10.10"), decimal("10.10")));
    assert_eq!(order.refunds[0].lines.len(), 1, "only lines");
    assert_eq!((order.lines[0].refunded, order.status), (Decimal::ONE, Status::AwaitingFulfillment));
}

#[test]
fn the_shops_own_currency_is_there_where_the_rate_is() {
    let mut foreign = document();
    foreign["store_default_currency_code"] = json!("GBP");
    foreign["store_default_to_transactional_exchange_rate"] = json!("2.0000000000");
    let (currency, totals) = read(&foreign).shop_totals.unwrap();
    assert_eq!((currency.code(), totals.total), ("GBP", decimal("36.02")));
    foreign["store_default_to_transactional_exchange_rate"] = json!("");
    assert!(read(&foreign).shop_totals.is_none());
}

#[test]
fn archived_is_a_matter_of_place_and_test_gateways_are_known() {
    let mut archived = document();
    archived["is_deleted"] = json!(true);
    archived["payment_method"] = json!("Test Payment Gateway");
    archived["ebay_order_id"] = json!("110");
    let order = read(&archived);
    assert_eq!((order.presence, order.status), (Presence::Archived, Status::AwaitingFulfillment));
    assert!(order.test && order.attributes.contains(&("eBay order".to_owned(), "110".to_owned())));
}

#[test]
fn i4_what_is_wrong_is_named_by_its_member_and_repeats_nothing_personal() {
    for (member, value, said) in [
        ("id", json!("abc"), "it has no id"),
        ("date_modified", json!("yesterday"), "date_modified is not a time"),
        ("date_created", json!(""), "it has no date_created"),
        ("status_id", json!(null), "its status_id is not a number"),
        ("total_inc_tax", json!({"amount": "12.00"}), "total_inc_tax is an object"),
        ("default_currency_code", json!("?"), ""),
    ] {
        let mut wrong = document();
        wrong[member] = value;
        match (order(&wrong.to_string()), said) {
            (Ok(order), "") => assert_eq!(order.currency.code(), "EUR"),
            (Err(error), said) => assert_eq!(error, said),
            (Ok(_), said) => panic!("{said}"),
        }
    }
    let mut wrong = document();
    wrong["consignments"]["shipping"][0]["line_items"][0]["quantity"] = json!("many");
    assert!(order(&wrong.to_string()).unwrap_err().starts_with("products.quantity"));
    assert!(!order("{\"id\":7,\"billing_address\":{\"first_name\":\"Jane\"").unwrap_err().contains("Jane"));
}

#[test]
fn times_come_in_either_form() {
    let seconds = |text: &str| parse_time(text).map(|at| at.timestamp());
    assert_eq!(seconds("Thu, 20 Apr 2017 11:32:00 -0400"), Some(1_492_702_320));
    for same in
        ["2017-04-20T11:32:00.000-04:00", "2017-04-20T15:32:00Z", "2017-04-20T11:32:00-0400", "2017-04-20T15:32:00"]
    {
        assert_eq!(seconds(same), Some(1_492_702_320), "{same}");
    }
    assert_eq!(seconds("0000-00-00"), None);
}

#[test]
fn a_time_whose_weekday_is_wrong_is_read_by_its_date() {
    let right = parse_time("Wed, 05 Dec 2018 20:16:55 +0000");
    assert!(right.is_some());
    assert_eq!(parse_time("Mon, 05 Dec 2018 20:16:55 +0000"), right);
    assert_eq!(parse_time("yesterday, then"), None);
}

#[test]
fn a_line_of_no_known_kind_is_shipped_where_it_has_an_address() {
    for (kind, ships) in [
        (json!("physical"), true),
        (json!(null), true),
        (json!("bulky"), true),
        (json!("digital"), false),
        (json!("giftcertificate"), false),
    ] {
        let mut row = document();
        row["consignments"]["shipping"][0]["line_items"][0]["type"] = kind.clone();
        assert_eq!(read(&row).lines[0].ships, ships, "{kind}");
    }
    let mut row = document();
    let line = row["consignments"]["shipping"][0]["line_items"][0].clone();
    let mut nowhere = line.clone();
    (nowhere["type"], nowhere["order_address_id"], nowhere["id"]) = (json!(""), json!(0), json!(66));
    row["ordersync"] = json!({ "products": [line, nowhere] });
    assert_eq!(read(&row).lines.iter().map(|line| line.ships).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn d9_an_order_whose_payment_failed_or_is_held_for_review_is_not_offered_for_shipping() {
    let status = |id: u8, payment: &str| {
        let mut document = document();
        document["status_id"] = json!(id);
        document["payment_status"] = json!(payment);
        read(&document).status
    };
    for id in [8, 9, 11] {
        for failed in ["declined", "void", "void pending", "Declined"] {
            assert_eq!(status(id, failed), Status::AwaitingPayment, "{id} {failed}");
        }
        assert_eq!(status(id, "held for review"), Status::OnHold, "{id}");
        // Offline payments have none, and an authorisation is captured when the goods leave.
        for fine in ["", "captured", "paid", "authorized", "capture pending", "pending", "partially refunded"] {
            assert_eq!(status(id, fine), Status::AwaitingFulfillment, "{id} {fine}");
        }
    }
    assert_eq!([2, 5, 10].map(|id| status(id, "void")), [Status::Shipped, Status::Cancelled, Status::Shipped]);
}

#[test]
fn an_order_without_any_address_is_read_and_one_with_a_foreign_one_is_not() {
    let with = |address: u64| {
        let mut document = document();
        let mut line = product(65, "S-ORAN", 1);
        line["order_address_id"] = json!(address);
        document["consignments"]["shipping"] = json!([]);
        document["ordersync"] = json!({ "products": [line] });
        order(&document.to_string())
    };
    let read = with(0).unwrap();
    assert!(read.ship_to.is_empty() && read.lines[0].ships && read.status == Status::AwaitingFulfillment);
    assert!(with(51).is_err());
}
