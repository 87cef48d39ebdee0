use serde_json::{Value, json};

use super::*;
use crate::order::sums;

fn receipt(change: impl FnOnce(&mut Value)) -> Value {
    let eur = |amount: i64| json!({ "amount": amount, "divisor": 100, "currency_code": "EUR" });
    let mut receipt = json!({
        "receipt_id": 3_200_000_001_u64, "receipt_type": 0, "buyer_user_id": 22_222_222, "buyer_email": null,
        "name": "Ana Example", "first_line": "Calle Falsa 123", "second_line": "2 B", "city": "Madrid", "state": null,
        "zip": "28001", "country_iso": "ES", "formatted_address": "Ana Example\nCalle Falsa 123\n2 B\n28001 Madrid\nSpain",
    });
    let rest = json!({
    "status": "Paid", "payment_method": "cc", "message_from_buyer": "Please don&#39;t ring", "is_paid": true,
    });
    let more = json!({
        "is_shipped": false, "created_timestamp": 1_763_800_000, "updated_timestamp": 1_763_800_010, "is_gift": true,
        "gift_message": "Feliz cumple &amp; besos", "gift_sender": "Luis", "grandtotal": eur(4030), "subtotal": eur(3240),
        "total_price": eur(3600), "total_shipping_cost": eur(490), "total_tax_cost": eur(0), "total_vat_cost": eur(0),
        "discount_amt": eur(360), "gift_wrap_price": eur(300), "shipments": [], "refunds": [],
    });
    let lines = json!({
        "transactions": [{
            "transaction_id": 4_100_000_001_u64, "title": "Stoneware mug &ndash; don&#39;t panic", "quantity": 2,
            "is_digital": false, "listing_id": 1_500_000_001, "product_id": 18_000_000_001_u64, "sku": "MUG-BLUE",
            "price": eur(1800), "shipping_method": null, "shipping_upgrade": "Express &amp; insured",
            "expected_ship_date": 1_764_176_400, "paid_timestamp": 1_763_800_007, "buyer_coupon": 36.8, "shop_coupon": 37.5,
            "variations": [
                { "property_id": 200, "formatted_name": "Primary color", "formatted_value": "Blue" },
                { "property_id": 54, "formatted_name": "Personalization", "formatted_value": "For Ana &amp; Luis" },
            ],
        }],
    });
    for part in [rest, more, lines] {
        receipt.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    }
    change(&mut receipt);
    receipt
}

fn mapped(change: impl FnOnce(&mut Value)) -> Result<Order, String> {
    order(&receipt(change).to_string())
}

fn good(change: impl FnOnce(&mut Value)) -> Order {
    let order = mapped(change).unwrap();
    assert_eq!(sums::rest(&order), Some(Decimal::ZERO), "{:?}", order.charges);
    order
}

fn charges(order: &Order) -> Vec<(&'static str, &str, String)> {
    order.charges.iter().map(|c| (c.kind.word(), c.title.as_str(), c.amount.to_string())).collect()
}

#[test]
fn a_receipt_is_an_order_whose_parts_add_up() {
    let order = good(|_| ());
    assert_eq!((&*order.remote_id, &*order.number), ("3200000001", "3200000001"));
    assert_eq!(
        (order.status, &*order.channel_status, &*order.source),
        (Status::AwaitingFulfillment, "Paid", "etsy.com")
    );
    assert_eq!((&*order.buyer.remote_id, &*order.buyer.name), ("22222222", "Ana Example"));
    let to = &order.ship_to[0];
    assert_eq!([&*to.line1, &*to.line2, &*to.postcode, &*to.country], ["Calle Falsa 123", "2 B", "28001", "ES"]);
    assert_eq!((order.totals.total.to_string(), order.totals.lines.to_string()), ("40.30".into(), "32.40".into()));
    assert_eq!(
        charges(&order),
        [
            ("shipping", "Express & insured", "4.90".to_owned()),
            ("fee", "Discount", "-3.60".to_owned()),
            ("fee", "Gift wrap", "3.00".to_owned())
        ],
        "the numbers of coupons beside the line are in nothing"
    );
    let line = &order.lines[0];
    assert_eq!((&*line.name, &*line.sku), ("Stoneware mug – don't panic", "MUG-BLUE"));
    assert_eq!(line.variant, "Primary color: Blue, Personalization: For Ana & Luis");
    assert_eq!(
        (&*line.product_id, line.unit_price.to_string(), line.total.to_string()),
        ("1500000001:18000000001", "18.00".into(), "36.00".into())
    );
    assert_eq!(order.buyer_note, "Please don't ring");
    assert_eq!(order.ship_by.unwrap().timestamp(), 1_764_176_400);
    assert_eq!(order.paid_at.unwrap().timestamp(), 1_763_800_007);
    assert_eq!(order.attributes[1], ("gift message".to_owned(), "Feliz cumple & besos".to_owned()));
}

#[test]
fn i8_each_amount_has_its_own_divisor() {
    let amount = |money: Value| {
        let text = money.to_string();
        let money: Money<'_> = serde_json::from_str(&text).unwrap();
        super::money(&money, Currency::new("EUR").unwrap(), "total").map(|found| found.map(|found| found.to_string()))
    };
    let of = |amount: Value, divisor: Value| json!({ "amount": amount, "divisor": divisor, "currency_code": "EUR" });
    for (money, expected) in [
        (of(json!(1641), json!(100)), "16.41"),
        (of(json!(4000), json!(100)), "40.00"),
        (of(json!(150_000), json!(1)), "150000"),
        (of(json!(1500), json!(1000)), "1.500"),
        (of(json!("1641"), json!("100")), "16.41"),
        (of(json!(-5), json!(100)), "-0.05"),
        (of(json!(5), json!(4)), "1.25"),
        (of(json!(0), json!(0)), "0"),
        (of(json!(900_719_925_474_099_i64), json!(100)), "9007199254740.99"),
    ] {
        assert_eq!(amount(money.clone()), Ok(Some(expected.to_owned())), "{money}");
    }
    for money in [
        of(json!(1), json!(0)),
        of(json!(1), json!(3)),
        of(json!("x"), json!(100)),
        of(json!(1), json!([])),
        of(json!(1e300), json!(1)),
    ] {
        assert!(amount(money.clone()).is_err(), "{money}");
    }
    assert!(amount(json!({ "amount": 1, "divisor": 100, "currency_code": "USD" })).is_err(), "two currencies");
    assert_eq!(amount(json!({ "amount": null, "divisor": 100 })), Ok(None));
}

#[test]
fn sales_tax_comes_on_top_and_vat_is_told_apart_wherever_it_is() {
    let taxed = |total: i64, tax: i64, vat: i64| {
        good(|r| {
            r["grandtotal"]["amount"] = json!(total);
            r["total_tax_cost"]["amount"] = json!(tax);
            r["total_vat_cost"]["amount"] = json!(vat);
        })
    };
    let of = |order: &Order| {
        let shown =
            order.charges.iter().filter(|c| ["VAT", "Sales tax", "Not itemised by the channel"].contains(&&*c.title));
        let shown = shown.map(|c| format!("{} {} {}", c.kind.word(), c.title, c.amount)).collect::<Vec<_>>().join(", ");
        (order.prices_include_tax, order.totals.tax.to_string(), shown)
    };
    assert_eq!(of(&taxed(4330, 300, 0)), (false, "3.00".into(), "tax Sales tax 3.00".into()));
    assert_eq!(of(&taxed(4030, 0, 500)), (true, "5.00".into(), "tax VAT 5.00".into()));
    assert_eq!(of(&taxed(4530, 0, 500)), (false, "5.00".into(), "tax VAT 5.00".into()));
    assert_eq!(of(&taxed(4330, 300, 500)), (true, "8.00".into(), "fee Sales tax 3.00, tax VAT 5.00".into()));
    assert_eq!(of(&taxed(4130, 0, 0)).2, "other Not itemised by the channel 1.00", "what no field explains");
}

#[test]
fn p12_what_is_only_downloaded_needs_no_parcel() {
    let order = good(|r| {
        r["transactions"][0]["is_digital"] = json!(true);
        r["transactions"][0]["expected_ship_date"] = json!(1_764_000_000);
    });
    assert_eq!((order.status, order.ship_to.len(), order.ship_by), (Status::Shipped, 0, None));
    assert!(!order.lines[0].ships);
}

#[test]
fn the_earliest_day_that_was_promised_counts() {
    let order = good(|r| {
        let mut other = r["transactions"][0].clone();
        other["transaction_id"] = json!(4_100_000_002_u64);
        other["expected_ship_date"] = json!(1_764_000_000);
        other["price"]["amount"] = json!(0);
        let mut third = other.clone();
        third["expected_ship_date"] = json!(null);
        third["transaction_id"] = json!(4_100_000_003_u64);
        r["transactions"].as_array_mut().unwrap().extend([other, third]);
    });
    assert_eq!(order.ship_by.unwrap().timestamp(), 1_764_000_000);
    assert_eq!(order.charges[0].title, "Express & insured", "an upgrade of several lines is one");
}

#[test]
fn p10_refunds_are_facts_and_those_that_failed_are_none() {
    let back = |amount: i64, status: Value| {
        json!({ "amount": { "amount": amount, "divisor": 100, "currency_code": "EUR" }, "created_timestamp": 1_763_900_000,
                "reason": "Account Adjustment", "note_from_issuer": "", "status": status })
    };
    let order = good(|r| {
        r["status"] = json!("Partially Refunded");
        r["refunds"] = json!([back(500, json!("SUCCESS")), back(300, json!(null)), back(900, json!("FAILED"))]);
    });
    let told: Vec<_> = order.refunds.iter().map(|r| (r.remote_id.as_str(), r.amount.to_string())).collect();
    assert_eq!(told, [("1763900000", "5.00".to_owned()), ("1763900000/1", "3.00".to_owned())]);
    assert_eq!((order.totals.refunded.to_string(), order.status), ("8.00".into(), Status::AwaitingFulfillment));
    let whole = good(|r| r["status"] = json!("Fully Refunded"));
    assert!(whole.is_given_back(), "a word without an amount means all of it");
    let sent = good(|r| {
        r["status"] = json!("fully refunded");
        r["is_shipped"] = json!(true);
        r["refunds"] = json!([back(4030, json!("SUCCESS"))]);
    });
    assert_eq!((sent.status, sent.is_given_back()), (Status::Shipped, true));
}

#[test]
fn parcels_come_back_as_they_were_typed_or_by_etsys_word() {
    let shipped = |carrier: &str| {
        let order = good(|r| {
            r["is_shipped"] = json!(true);
            r["shipments"] = json!([{ "receipt_shipping_id": 13, "shipment_notification_timestamp": 1_763_890_000,
                                      "carrier_name": carrier, "tracking_code": "JD 01" }]);
        });
        order.shipments[0].parcels[0].carrier.clone()
    };
    assert_eq!(
        ["dhl-germany", "DHL", "dhl", "USPS", "deutsch-post", "YT-EXPRESS", "hermes", "other"].map(shipped),
        ["dhl-paket", "dhl", "dhl-express", "usps", "deutsche-post", "YT-EXPRESS", "evri", "other"]
    );
    let bare = good(|r| r["is_shipped"] = json!(true));
    assert!(bare.status == Status::Shipped && bare.shipments[0].is_bare());
    let nameless = good(|r| {
        r["shipments"] = json!([{ "receipt_shipping_id": null, "carrier_name": null, "tracking_code": "jd-01" },
                                { "receipt_shipping_id": 14, "carrier_name": "", "tracking_code": null }]);
    });
    assert_eq!(
        nameless.shipments.iter().map(|s| (s.remote_id.as_str(), s.parcels.len())).collect::<Vec<_>>(),
        [("code:JD01", 1), ("14", 0)]
    );
}

#[test]
fn p11_an_address_whose_parts_are_withheld_is_read_off_its_label() {
    let parts = ["first_line", "second_line", "city", "zip", "country_iso"];
    let hide = |r: &mut Value| parts.iter().for_each(|part| r[*part] = json!(null));
    let order = good(hide);
    assert_eq!(order.ship_to[0].line1, "Calle Falsa 123");
    assert_eq!(order.ship_to[0].line2, "2 B, 28001 Madrid, Spain");
    let none = good(|r| {
        hide(r);
        r["formatted_address"] = json!(null);
    });
    assert!(none.ship_to[0].is_blank());
    let known = crate::order::People::of(&good(|_| ()));
    assert_eq!(none.with_known(&known).ship_to, good(|_| ()).ship_to, "nothing that was known is emptied");
}

/// Every member null, of another type or missing: an order, or an error that repeats nothing.
#[test]
fn x7_whatever_stands_in_a_member_costs_one_order_at_most() {
    let odd = [
        json!(null),
        json!(""),
        json!([]),
        json!({}),
        json!(true),
        json!(-1),
        json!("Ana Example"),
        json!(1e300),
        json!([[{}]]),
    ];
    let members: Vec<String> = receipt(|_| ()).as_object().unwrap().keys().cloned().collect();
    let of_line: Vec<String> = receipt(|_| ())["transactions"][0].as_object().unwrap().keys().cloned().collect();
    for value in &odd {
        for member in &members {
            let told = mapped(|r| r[member.as_str()] = value.clone());
            assert!(told.as_ref().err().is_none_or(|why| !why.contains("Ana")), "{member} {value}: {told:?}");
        }
        for member in &of_line {
            let _ = mapped(|r| r["transactions"][0][member.as_str()] = value.clone());
        }
    }
    for member in [
        "buyer_email",
        "first_line",
        "second_line",
        "city",
        "state",
        "zip",
        "formatted_address",
        "country_iso",
        "payment_email",
        "message_from_seller",
        "message_from_buyer",
        "message_from_payment",
        "is_gift",
        "gift_message",
        "gift_sender",
        "subtotal",
        "total_price",
    ] {
        good(|r| r[member] = json!(null));
    }
    for member in [
        "title",
        "sku",
        "listing_id",
        "product_id",
        "variations",
        "shipping_method",
        "shipping_upgrade",
        "expected_ship_date",
        "paid_timestamp",
    ] {
        good(|r| r["transactions"][0][member] = json!(null));
    }
    for member in ["transactions", "shipments", "refunds"] {
        for value in odd.iter().filter(|value| !value.is_array()) {
            let why = mapped(|r| r[member] = value.clone()).unwrap_err();
            assert_eq!(why, format!("{member} is not in the document"), "P-11: not taken for none: {value}");
        }
    }
}

#[test]
fn numbers_as_texts_and_ids_beyond_what_a_float_holds_are_read_as_they_stand() {
    let order = good(|r| {
        r["receipt_id"] = json!(9_007_199_254_740_993_u64);
        r["created_timestamp"] = json!("1763800000");
        r["transactions"][0]["quantity"] = json!("2");
        r["buyer_user_id"] = json!("9007199254740995");
        r["is_paid"] = json!("true");
    });
    assert_eq!((&*order.remote_id, &*order.buyer.remote_id), ("9007199254740993", "9007199254740995"));
    let old = good(|r| {
        let members = r.as_object_mut().unwrap();
        for (new, old) in [("created_timestamp", "create_timestamp"), ("updated_timestamp", "update_timestamp")] {
            let at = members.remove(new).unwrap();
            members.insert(old.to_owned(), at);
        }
    });
    assert_eq!(old.updated_at.timestamp(), 1_763_800_010);
    let ahead = good(|r| r["transactions"][0]["expected_ship_date"] = json!(7_258_118_400_i64));
    assert_eq!(ahead.ship_by.unwrap().timestamp(), 7_258_118_400, "the year 2200");
    let beyond = good(|r| r["transactions"][0]["expected_ship_date"] = json!(i64::MAX));
    assert_eq!(beyond.ship_by, None);
    let early = good(|r| r["created_timestamp"] = json!(86_400));
    assert_eq!(early.placed_at.timestamp(), 86_400, "1970");
}

#[test]
fn a_shop_of_its_own_is_another_source() {
    let source = |kind: Value| good(|r| r["receipt_type"] = kind).source;
    assert_eq!(
        [json!(0), json!(5), json!(1), json!(7), json!(null)].map(source),
        ["etsy.com", "etsy.com", "pattern", "receipt type 7", ""]
    );
}
