//! Magento's oddities, by the real program over real HTTP.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ordersync::clock::SystemClock;
use ordersync::sim::magento::{NewOrder, Options, Shop, Version};
use ordersync::sim::world::Address;
use ordersync::sim::{Exchange, Fault, FaultKind, ServerOptions, Simulated};
use support::mag::Rig;
use support::program::{Call, EXPORT, dies};

/// The routes of what was asked for, without the way to them.
fn routes(requests: &[Exchange]) -> Vec<String> {
    let short = |one: &Exchange| one.path.rsplit_once("/V1/").map_or("", |(_, route)| route).to_owned();
    requests.iter().map(short).collect()
}

#[test]
fn q2_a_sync_with_nothing_new_asks_for_orders_and_for_shipments_once_each() {
    let rig = Rig::new();
    rig.shop.seed(40, Utc::now() - TimeDelta::days(9), Utc::now() - TimeDelta::days(2));
    rig.sync();
    rig.sync();
    rig.server.clear_requests();
    rig.sync();
    assert_eq!(routes(&rig.server.requests()), ["orders", "shipments"]);
    // Also where a part shipment, which moves no order's date, is the youngest thing.
    let id = rig.order(&NewOrder::of(&[("TEE-001", 3)]));
    assert!(rig.shop.ship_pieces(&id.to_string(), 0, 1, "dhl", "JD01"));
    rig.sync();
    rig.server.clear_requests();
    rig.sync();
    assert_eq!(routes(&rig.server.requests()), ["orders", "shipments"]);
}

/// A transfer that comes three weeks later: the invoice is made then.
#[test]
fn an_order_is_paid_when_its_invoice_is_made_and_all_of_a_page_are_told_by_one_request() {
    let rig = Rig::new();
    let placed = || NewOrder::of(&[("TEE-001", 1)]).unpaid().at(Utc::now() - TimeDelta::days(21));
    let ids: Vec<u64> = (0..20).map(|_| rig.shop.place_order(placed())).collect();
    rig.sync();
    assert_eq!(rig.show(ids[0])["paid_at"], serde_json::Value::Null);
    let before = Utc::now() - TimeDelta::minutes(5);
    assert!(ids.iter().all(|id| rig.shop.invoice(*id)));
    rig.server.clear_requests();
    rig.sync();
    let asked = routes(&rig.server.requests());
    assert_eq!(asked.iter().filter(|route| *route == "invoices").count(), 1, "{asked:?}");
    for id in ids {
        let shown = rig.show(id);
        let at = |member: &str| shown[member].as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap();
        assert!(at("paid_at") > before && at("placed_at") < before, "{} {}", shown["paid_at"], shown["placed_at"]);
    }
}

#[test]
fn where_invoices_may_not_be_read_connect_says_what_that_means() {
    let denied = vec!["Magento_Sales::sales_invoice"];
    let rig = Rig::unconnected(Options { denied, invoices_at_once: true, ..Options::default() });
    rig.connect("").exits(0).says("paid when it was placed");
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    rig.sync();
    assert_eq!(rig.show(id)["paid_at"], rig.show(id)["placed_at"]);
}

#[test]
fn i2_a_part_shipment_made_in_the_shop_is_seen_by_the_next_sync() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("TEE-001", 3)]));
    assert!(rig.shop.ship_pieces(&id.to_string(), 0, 1, "dhl", "JD01"));
    rig.sync();
    let shipments = |rig: &Rig| rig.home.json(&format!("show magento:{id}")).to_string();
    assert!(shipments(&rig).contains("JD01"), "{}", shipments(&rig));
}

/// What it was before the shop held it: authorised, it is to be sent, and the merchant's copy.
#[test]
fn p1_an_authorised_order_that_comes_on_hold_is_the_merchants_and_an_unpaid_one_follows() {
    let rig = Rig::new();
    let held = |status: &str| {
        let order = NewOrder { status: status.to_owned(), ..NewOrder::of(&[("TEE-001", 1)]).unpaid() };
        let id = rig.shop.place(&order);
        assert!(rig.shop.hold(&id));
        id.parse::<u64>().unwrap()
    };
    let (authorised, unpaid) = (held("processing"), held(""));
    rig.sync();
    for id in [authorised, unpaid] {
        assert_eq!((&rig.show(id)["status"], &rig.show(id)["paid_at"]), (&"on-hold".into(), &serde_json::Value::Null));
        assert!(rig.shop.readdress(&id.to_string(), "77 Somewhere Else"));
    }
    rig.sync();
    let street = |id: u64| rig.show(id)["ship_to"][0]["line1"].as_str().unwrap_or_default().to_owned();
    let follows = |id: u64| street(id) == "77 Somewhere Else";
    assert_eq!((follows(authorised), follows(unpaid)), (false, true));
    for id in [authorised, unpaid] {
        assert!(rig.shop.release(&id.to_string()));
    }
    rig.sync();
    assert_eq!((follows(authorised), &rig.show(authorised)["status"]), (false, &"awaiting-fulfillment".into()));
    assert_eq!((follows(unpaid), &rig.show(unpaid)["status"]), (true, &"awaiting-payment".into()));
}

/// A track has a time of its own, and moves no other.
#[test]
fn i2_a_number_that_is_replaced_in_the_shop_is_found_by_the_daily_look() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("TEE-001", 3)]));
    assert!(rig.shop.ship_pieces(&id.to_string(), 0, 1, "dhl", "JD01"));
    rig.sync();
    let daily = || rig.home.sql("UPDATE cursors SET looked_at = 0 WHERE walk LIKE 'pass/%'");
    daily();
    rig.sync();
    rig.shop.set_clock(1);
    assert!(rig.shop.retrack(&id.to_string(), "JD01", "JD02"));
    let shown = || rig.show(id)["differences"].to_string();
    rig.sync();
    assert!(shown().contains("JD01"), "{}", shown());
    daily();
    rig.sync();
    assert!(shown().contains("JD02") && !shown().contains("JD01"), "{}", shown());
}

/// Magento's own pages leave an order's time as it is.
#[test]
fn d1_an_address_that_is_changed_in_the_admin_is_seen_by_the_dispatch_and_not_by_a_sync() {
    let rig = Rig::new();
    // What changed in the last minutes is read at each sync.
    rig.shop.set_clock(-30);
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    rig.shop.set_clock(0);
    rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    rig.sync();
    assert!(rig.shop.readdress(&id.to_string(), "77 Somewhere Else"));
    rig.sync();
    assert_eq!(rig.show(id)["changed_at_channel"], false);
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6).says("77 Somewhere Else");
    assert_eq!(rig.writes().len(), 0);
    rig.on("accept", id, "").exits(0);
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
}

#[test]
fn i3_part_shipments_are_all_seen_where_pages_are_cut() {
    for cut in [FaultKind::PageCap(10), FaultKind::OnePage(10)] {
        let rig = Rig::new();
        let ids: Vec<u64> = (0..35).map(|_| rig.shop.place_order(NewOrder::of(&[("TEE-001", 3)]))).collect();
        rig.sync();
        for id in &ids {
            assert!(rig.shop.ship_pieces(&id.to_string(), 0, 1, "dhl", &format!("JD{id}")));
        }
        rig.fault(Fault::new(cut).on("GET", "/orders?").always());
        rig.home.run("sync").exits(0);
        rig.server.faults().clear();
        for id in &ids {
            let seen = rig.home.json(&format!("show magento:{id}")).to_string();
            assert!(seen.contains(&format!("JD{id}")), "{id}: {seen}");
        }
    }
}

/// Issue 9762 of magento2: the row of a bundle whose parts go apart is refused.
#[test]
fn d5_a_bundle_whose_parts_go_apart_is_shipped_in_its_parts_beside_other_lines_and_told_once() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("BUNDLE-APART", 2), ("MUG-9", 1)]));
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
    assert_eq!((rig.mails(id), rig.tracking(id), rig.status(id).as_str()), (1, vec!["JD01".to_owned()], "shipped"));
    rig.sync();
    rig.assert_settled("in its parts");
    let together = rig.order(&NewOrder::of(&[("BUNDLE-TOGETHER", 2)]));
    rig.on("dispatch", together, "--carrier dhl --tracking JD04").exits(0);
    assert_eq!((rig.mails(together), rig.status(together).as_str()), (1, "shipped"));
}

/// The refusal names the bundles that are to go in their parts, and an error holds a part of its
/// words only; a together-bundle in its parts would be refused as well.
#[test]
fn d5_of_several_bundles_those_go_in_their_parts_that_the_refusal_names() {
    let rig = Rig::new();
    let long = format!("BUNDLE-APART-{}", "X".repeat(50));
    let goods = [("BUNDLE-TOGETHER", 2), ("BUNDLE-APART", 1), (&long, 1), ("BUNDLE-APART-2", 2), ("MUG-9", 1)];
    let id = rig.order(&NewOrder::of(&goods));
    rig.on("dispatch", id, "--item BUNDLE-TOGETHER=1 --item BUNDLE-APART-2=1 --carrier dhl --tracking JD01").exits(0);
    rig.on("dispatch", id, "--carrier dhl --tracking JD02").exits(0);
    assert_eq!((rig.mails(id), rig.tracking(id)), (2, vec!["JD01".to_owned(), "JD02".to_owned()]));
    assert!(rig.shop.standing(&id.to_string()).unwrap().shipped);
    assert_eq!(rig.writes().len(), 4, "each once as it is, and once with those in their parts");
    rig.sync();
    assert_eq!(rig.status(id), "shipped");
    rig.assert_settled("several bundles");
}

/// What was rolled back leaves no shipment that was not there before.
#[test]
fn d3_a_shipment_that_the_shop_could_not_save_is_refused_also_right_after_another_one() {
    for marker in ["yes", "no"] {
        let rig = Rig::unconnected(Options {
            sources: vec!["default", "hamburg"],
            sold_out: vec!["hamburg"],
            ..Options::default()
        });
        rig.connect(&format!("--set source=default --set marker={marker}")).exits(0);
        let id = rig.order(&NewOrder::of(&[("TEE-001", 3)]));
        rig.on("dispatch", id, "--item TEE-001=1 --carrier dhl --tracking JD01").exits(0);
        rig.home.run("config set magento.source hamburg").exits(0);
        let told = rig.on("dispatch", id, "--item TEE-001=1 --carrier dhl --tracking JD02").exits(1);
        told.says("Could not save").says("source CODE");
        assert_eq!((rig.mails(id), rig.tracking(id)), (1, vec!["JD01".to_owned()]));
        rig.home.run("config set magento.source default").exits(0);
        rig.on("dispatch", id, "--carrier dhl --tracking JD02").exits(0);
        assert_eq!((rig.mails(id), rig.status(id).as_str()), (2, "shipped"), "{marker}");
    }
}

#[test]
fn c6_a_dispatch_of_more_lines_than_the_shop_takes_is_told_with_the_setting_and_nothing_is_sent() {
    let rig = Rig::with(Options { input_limits: true, ..Options::default() });
    let goods: Vec<String> = (1..=25).map(|nth| format!("PART-{nth:02}")).collect();
    let goods: Vec<(&str, u32)> = goods.iter().map(|sku| (sku.as_str(), 1)).collect();
    let id = rig.order(&NewOrder::of(&goods));
    let told = rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(1);
    told.says("no more than 20 lines").says("and is not there").says("--item").says("Input List Limit");
    assert_eq!((rig.mails(id), rig.status(id).as_str()), (0, "awaiting-fulfillment"));
    let some = |from: usize, to: usize| (from..=to).map(|nth| format!("--item #{nth}=1 ")).collect::<String>();
    rig.on("dispatch", id, &format!("{}--carrier dhl --tracking JD01", some(1, 20))).exits(0);
    rig.on("dispatch", id, &format!("{}--carrier dhl --tracking JD02", some(21, 25))).exits(0);
    assert_eq!((rig.mails(id), rig.status(id).as_str()), (2, "shipped"));
    let many = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    let numbers: String = (1..=21).map(|nth| format!("--carrier dhl --tracking JD{nth:02} ")).collect();
    rig.on("dispatch", many, &numbers).exits(1).says("no more than 20 tracking numbers");
    assert_eq!(rig.mails(many), 0);
}

/// A null may stand for whatever belongs to an order.
#[test]
fn i4_a_shipment_that_comes_as_null_costs_its_order_until_it_comes_and_is_told() {
    let rig = Rig::new();
    let ids: Vec<u64> = (0..3).map(|_| rig.shop.place_order(NewOrder::of(&[("TEE-001", 2)]))).collect();
    for id in &ids {
        assert!(rig.shop.ship_pieces(&id.to_string(), 0, 1, "UPS", &format!("1Z{id}")));
    }
    let nulled = || Fault::new(FaultKind::Spliced("\"items\":[".to_owned(), b"null,".to_vec()));
    rig.fault(nulled().on("GET", &ids[1].to_string()).always());
    rig.home.run("sync").exits(3).says("1 order could not be read");
    assert_eq!(rig.known(), [ids[0], ids[2]]);
    let told = rig.home.json("inbox").to_string();
    assert!(told.contains("shipments that it gives is null"), "{told}");
    rig.server.faults().clear();
    rig.home.run("sync").done();
    assert_eq!(rig.known(), ids);
    assert!(rig.show(ids[1]).to_string().contains(&format!("1Z{}", ids[1])));
    rig.fault(nulled().on("GET", "/shipments?").always());
    rig.on("dispatch", ids[0], "--carrier dhl --tracking JD01").done().says("null");
    assert_eq!(rig.writes().len(), 0);
    rig.server.faults().clear();
    // The look for new shipments says so too, and goes on.
    rig.fault(nulled().on("GET", "tracks[created_at]").always());
    assert!(rig.shop.ship_pieces(&ids[2].to_string(), 0, 1, "UPS", "1Z99"));
    let told = rig.report()["warnings"].to_string();
    assert!(told.contains("as null or without an id"), "{told}");
    assert!(rig.show(ids[2]).to_string().contains("1Z99"));
}

#[test]
fn i4_an_order_that_is_read_by_its_id_and_comes_as_null_is_told_and_not_taken_for_gone() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("TEE-001", 3)]));
    assert!(rig.shop.ship_pieces(&id.to_string(), 0, 1, "UPS", "1Z01"));
    // The shipment is seen, and its order is read again by its id.
    rig.fault(Fault::new(FaultKind::Nulled(vec![id.to_string()])).on("GET", "[conditionType]=in").always());
    rig.home.run("sync").exits(3);
    let told = rig.home.json("inbox").to_string();
    assert!(told.contains("does not give it"), "{told}");
    assert_eq!(rig.show(id)["gone_at_channel_since"], serde_json::Value::Null);
    rig.server.faults().clear();
    rig.home.run("sync --full").done();
    assert!(rig.show(id).to_string().contains("1Z01"));
}

/// Magento ships what is left where more is asked for, and says nothing of it.
#[test]
fn d4_pieces_that_the_shop_cuts_off_a_dispatch_are_told_and_can_be_taken_back() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("TEE-001", 4)]));
    rig.fault(Fault::new(FaultKind::Slow(Duration::from_secs(2))).on("POST", "/ship"));
    std::thread::scope(|scope| {
        let dispatch = scope.spawn(|| rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6));
        while rig.server.faults().pending() > 0 {
            std::thread::yield_now();
        }
        assert!(rig.shop.ship_pieces(&id.to_string(), 0, 3, "UPS", "1Z01"));
        let told = dispatch.join().unwrap();
        told.says("recorded 1 of TEE-001, not 4").says("outbox --withdraw 1 ");
    });
    assert_eq!(rig.mails(id), 1);
    rig.home.run("retry").done().says("recorded 1 of TEE-001, not 4");
    assert_eq!(rig.writes().len(), 1, "the rest is not sent by itself");
    rig.home.run("outbox --withdraw 1").exits(0);
    rig.home.run("outbox").exits(0).says("everything has arrived");
    let lines = rig.home.json(&format!("show magento:{id}"))["lines"].clone();
    assert_eq!((rig.mails(id), lines[0]["left"].as_str()), (1, Some("3")), "until the other shipment is accepted");
    rig.on("accept", id, "").exits(0);
    assert_eq!(rig.status(id), "shipped");
}

/// What a real 2.4.7 does: an order is `complete` once the rows of a bundle and of its parts
/// together count as many as were ordered, here at a half.
#[test]
fn d5_half_of_a_bundle_goes_out_and_then_the_other_half_without_a_word_in_between() {
    for sku in ["BUNDLE-APART", "BUNDLE-TOGETHER"] {
        let rig = Rig::new();
        let id = rig.order(&NewOrder::of(&[(sku, 2)]));
        assert!(rig.shop.invoice(id));
        rig.sync();
        rig.on("dispatch", id, &format!("--item {sku}=1 --carrier dhl --tracking JD01")).exits(0);
        assert_eq!(rig.shop.status(id).unwrap().0, "complete", "{sku}");
        for look in ["just sent", "read again"] {
            let shown = rig.show(id);
            assert_eq!(shown["status"], "partially-shipped", "{sku} {look}");
            assert_eq!(shown["changed_at_channel"], false, "{sku} {look}: {}", shown["differences"]);
            rig.sync();
        }
        rig.on("dispatch", id, "--carrier dhl --tracking JD02").exits(0);
        assert_eq!((rig.mails(id), rig.tracking(id)), (2, vec!["JD01".to_owned(), "JD02".to_owned()]), "{sku}");
        rig.sync();
        assert_eq!((rig.status(id).as_str(), &rig.show(id)["changed_at_channel"]), ("shipped", &false.into()), "{sku}");
        rig.assert_settled(sku);
    }
}

#[test]
fn d5_half_of_a_bundle_that_the_shop_sends_is_news_and_the_rest_goes_out_after_it_is_accepted() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("BUNDLE-APART", 2), ("MUG-9", 1)]));
    assert!(rig.shop.invoice(id) && rig.shop.ship_pieces(&id.to_string(), 0, 1, "dhl", "JD01"));
    rig.on("dispatch", id, "--carrier dhl --tracking JD02").exits(6).says("shipped");
    rig.on("accept", id, "").exits(0);
    assert_eq!((rig.shop.status(id).unwrap().0.as_str(), rig.status(id).as_str()), ("complete", "partially-shipped"));
    rig.on("dispatch", id, "--carrier dhl --tracking JD02").exits(0);
    assert_eq!((rig.tracking(id), rig.status(id)), (vec!["JD01".to_owned(), "JD02".to_owned()], "shipped".to_owned()));
    rig.assert_settled("after the shop's half");
}

/// Issue 39060 of magento2: the shop's own pages count the pieces of all parts on the bundle's row.
#[test]
fn p10_half_of_a_bundle_that_is_paid_back_leaves_the_other_half_to_be_sent() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("BUNDLE-APART", 2), ("MUG-9", 1)]));
    rig.sync();
    assert!(rig.shop.refund_parts(id, 0, &[2, 0], "14.28").is_some());
    rig.sync();
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6);
    assert_eq!(rig.writes().len(), 0);
    rig.on("accept", id, "").exits(0);
    let lines = rig.show(id)["lines"].to_string();
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
    let row = |sku: &str| {
        let order = rig.shop.document(&id.to_string()).unwrap();
        let rows = order["items"].as_array().unwrap();
        let row = rows.iter().find(|row| row["sku"] == sku).unwrap().clone();
        [&row["qty_ordered"], &row["qty_refunded"], &row["qty_shipped"]].map(|count| count.as_u64().unwrap())
    };
    assert_eq!(
        [row("BUNDLE-APART-1"), row("BUNDLE-APART-2"), row("MUG-9")],
        [[2, 2, 0], [4, 0, 4], [1, 0, 1]],
        "{lines}"
    );
    assert_eq!(row("BUNDLE-APART")[1], 2);
    rig.assert_settled("the other half");
}

#[test]
fn d1_what_the_buyer_typed_is_shown_and_another_text_is_another_line() {
    let rig = Rig::new();
    let file = "image/png,Ann.png,custom_options/quote/A/n/5f.png,custom_options/order/A/n/5f.png,/var/www/5f.png,9,6,4,5ecr3t";
    let typed = [("option 12", "Ann & Ben\nLinz"), ("option 14", file)];
    let attributes = typed.map(|(option, text)| (option.to_owned(), text.into())).to_vec();
    let id = rig.order(&NewOrder { attributes, ..NewOrder::of(&[("MUG-9", 2)]) });
    rig.sync();
    assert_eq!(rig.show(id)["lines"][0]["variant"], "option 12: Ann & Ben / Linz, option 14: Ann.png");
    rig.on("show", id, "--raw").exits(0).prints("Ann.png").without("5ecr3t");
    assert!(rig.shop.set_option(id, "12", "Ann & Bob"));
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6).says("Ann & Bob");
    assert_eq!(rig.writes().len(), 0);
    rig.on("accept", id, "").exits(0);
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
}

#[test]
fn f7_the_lines_of_a_shop_whose_prices_have_the_tax_in_them_add_up_to_the_cent() {
    for version in [Version::V2_4_7, Version::V2_4_8] {
        let rig = Rig::with(Options { version, prices_include_tax: true, ..Options::default() });
        let id = rig.order(&NewOrder::of(&[("SCREW", 100), ("MUG-9", 3)]));
        rig.sync();
        let shown = rig.show(id);
        assert_eq!([&shown["lines"][0]["total"], &shown["lines"][0]["tax"]], ["840.34", "159.66"], "{version:?}");
        let charges = shown["charges"].as_array().unwrap();
        assert!(charges.iter().all(|charge| charge["kind"] != "other"), "{version:?}: {charges:?}");
        assert!(rig.shop.refund_pieces(&id.to_string(), 0, 100));
        rig.sync();
        assert_eq!(
            rig.show(id)["refunds"][0]["lines"][0]["quantity"],
            "100",
            "{version:?}: {}",
            rig.show(id)["refunds"]
        );
    }
}

#[test]
fn p12_what_a_module_keeps_for_the_buyer_at_the_counter_is_not_offered_for_shipping() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("MUG-9", 1)]).delivery("amstorepickup"));
    rig.sync();
    assert_eq!(rig.show(id)["lines"][0]["ships"], false, "{}", rig.show(id));
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6);
    assert_eq!(rig.writes().len(), 0);
}

#[test]
fn a_parcel_is_addressed_with_all_of_the_name() {
    let rig = Rig::new();
    let to = Address {
        first_name: "Dr. Ann Marie".to_owned(),
        last_name: "van der Lee Jr.".to_owned(),
        street_1: "Am Markt 1".to_owned(),
        city: "Bremen".to_owned(),
        postcode: "28195".to_owned(),
        country: "DE".to_owned(),
        ..Address::default()
    };
    let id = rig.order(&NewOrder::of(&[("MUG-9", 1)]).ship_to(to));
    rig.sync();
    let address = &rig.shop.document(&id.to_string()).unwrap()["extension_attributes"]["shipping_assignments"][0]["shipping"]
        ["address"];
    assert_eq!([&address["firstname"], &address["middlename"]], ["Ann", "Marie"]);
    assert_eq!(rig.show(id)["ship_to"][0]["name"], "Dr. Ann Marie van der Lee Jr.");
}

#[test]
fn d2_where_several_sources_ship_the_one_has_to_be_named_before_anything_is_recorded() {
    let rig = Rig::unconnected(Options { sources: vec!["default", "hamburg"], ..Options::default() });
    rig.connect("").exits(0).says("several sources (default, hamburg)").says("config set");
    let id = rig.order(&NewOrder::of(&[("TEE-001", 2)]));
    for how in ["--dry-run", "--later", ""] {
        rig.on("dispatch", id, &format!("--carrier dhl --tracking JD01 {how}")).exits(6).says("default, hamburg");
    }
    assert!(rig.writes().is_empty());
    rig.home
        .run("config set magento.source nowhere")
        .exits(2)
        .says("only default, hamburg")
        .says("nothing was changed");
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(6).says("default, hamburg");
    rig.home.run("config set magento.source hamburg").exits(0);
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
    let told = String::from_utf8(rig.writes()[0].body.clone()).unwrap();
    assert!(told.contains(r#""source_code":"hamburg""#), "{told}");
}

/// Where none is named the shop ships from its default one, without a word.
#[test]
fn d2_sources_that_may_not_be_read_are_told_at_connect_until_one_is_named() {
    let sources = vec!["default", "hamburg"];
    let denied = vec!["Magento_InventoryApi::source"];
    let rig = Rig::unconnected(Options { sources, denied, ..Options::default() });
    rig.connect("").exits(0).says("may not read inventory sources").says("config set");
    rig.home.run("connect --test").done().says("may not read inventory sources");
    rig.home.run("config set magento.source hamburg").exits(0);
    let told = rig.home.run("connect --test").exits(0);
    assert!(!format!("{told:?}").contains("may not read inventory sources"), "{told:?}");
}

/// The store views are what makes the store this one: orders of another one that were changed before
/// would never come.
#[test]
fn i3_a_source_and_store_views_are_those_of_the_shop_and_another_view_is_another_store() {
    let kind =
        || Options { sources: vec!["default", "hamburg"], store_views: vec!["default", "at"], ..Options::default() };
    let rig = Rig::unconnected(kind());
    rig.connect("--set source=nowhere").exits(2).says("only default, hamburg");
    rig.connect("--set store_view=nowhere").exits(2).says("only default, at").says("--set store_view=CODES at connect");
    assert_eq!(rig.home.json("connect --list"), serde_json::json!([]));
    rig.connect("--set store_view=at").exits(0);
    rig.home.run("config set magento.store_view nowhere").exits(2).says("only default, at");
    for words in ["set magento.store_view default", "set magento.store_view at,default", "unset magento.store_view"] {
        rig.home.run(&format!("config {words}")).exits(6).says("another shop").says("connect magento --name");
    }
    assert_eq!(rig.home.json("config get magento.store_view")["value"], "at");
    rig.home.run("config set magento.store_view at").exits(0);
    rig.home.run("connect --test").exits(0);
}

#[test]
fn c6_store_views_that_may_not_be_read_are_said_to_be_that_and_not_to_be_wrong() {
    let denied = vec!["Magento_Backend::store"];
    let rig = Rig::unconnected(Options { store_views: vec!["default", "at"], denied, ..Options::default() });
    rig.connect("--set store_view=at").exits(4).says("may not read the shop's store views").says("All Stores");
    rig.connect("").exits(0).says("may not read the stores");
}

/// What belongs to an order beside its lines: what it replaces, from which store view it is.
#[test]
fn show_has_what_is_known_of_an_order_besides_a_line_each() {
    let rig = Rig::new();
    let old = rig.shop.place_order(NewOrder::of(&[("TEE-001", 2)]).unpaid());
    let new = rig.shop.replace(old, &NewOrder::of(&[("TEE-001", 1)]));
    rig.sync();
    rig.on("show", old, "").exits(0).prints(&format!("replaced by: {old:09}-1"));
    rig.on("show", new, "").exits(0).prints(&format!("original order: {old:09}")).prints("store: Main Website");
}

#[test]
fn a_token_without_a_signature_is_refused_with_the_switch_to_flip_and_taken_where_that_is_on() {
    const REST: [&str; 3] = ["CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN_SECRET"];
    for bearer in [false, true] {
        let rig = Rig::unconnected(Options { bearer, ..Options::default() });
        let alone =
            |call: Call<'_>| REST.iter().fold(call, |call, name| call.without(&format!("ORDERSYNC_{name}"))).done();
        let connected = alone(rig.connect(""));
        if bearer {
            assert_eq!(connected.code, Some(0), "{connected:?}");
        } else {
            assert_eq!(connected.code, Some(4), "{connected:?}");
            connected.says("takes no token without a signature").says("standalone Bearer tokens");
        }
    }
}

#[test]
fn the_api_is_found_below_a_store_view_and_without_rewrites() {
    let rig = Rig::unconnected(Options { rewrites: false, prefix: "/shop".to_owned(), ..Options::default() });
    let connect = |path: &str, name: &str| {
        rig.home.run(&format!("connect magento --name {name} --url {}{path}", rig.server.url())).exits(0);
        rig.home.run(&format!("connect --remove {name}")).exits(0);
    };
    for (nth, path) in
        ["/shop", "/shop/de", "/shop/index.php/admin_1k9x/admin/dashboard/", "/shop/rest/V1/orders"].iter().enumerate()
    {
        connect(path, &format!("shop{nth}"));
    }
    rig.home
        .run(&format!("connect magento --url {}/elsewhere", rig.server.url()))
        .exits(7)
        .says("no Magento REST API was found");
}

/// A port like those of a shop that has both: what comes encrypted goes on to `behind`, and what
/// does not is sent to the encrypted address. Gives the port and the heads that came unencrypted.
fn both_ways(behind: String) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, plain) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let told = plain.clone();
    let answer = move |mut there: TcpStream| -> std::io::Result<()> {
        let mut first = [0];
        if there.peek(&mut first)? == 1 && first[0] == 0x16 {
            let mut here = TcpStream::connect(&behind)?;
            let (mut from, mut to) = (there.try_clone()?, here.try_clone()?);
            std::thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
            std::io::copy(&mut here, &mut there)?;
            return there.shutdown(Shutdown::Both);
        }
        let lines = BufReader::new(there.try_clone()?).lines().map_while(Result::ok);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let target = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("/").to_owned();
        told.lock().unwrap().push(head.join("\n"));
        let to = format!("Location: https://127.0.0.1:{port}{target}\r\nContent-Length: 0\r\nConnection: close");
        there.write_all(format!("HTTP/1.1 302 Found\r\n{to}\r\n\r\n").as_bytes())
    };
    std::thread::spawn(move || {
        for there in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || drop(answer(there)));
        }
    });
    (port, plain)
}

#[test]
fn x2_a_shop_that_sends_what_is_not_encrypted_to_https_is_asked_there_alone_from_then_on() {
    let shop = Shop::new(Options::default(), Arc::new(SystemClock::new(Arc::default())));
    let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let (tls, pem) = support::tls::certified(params);
    let rig = Rig::served_with(Arc::new(shop), ServerOptions { tls: Some(tls), ..ServerOptions::default() });
    let (port, plain) = both_ways(rig.server.url().trim_start_matches("https://").to_owned());
    let file = rig.home.file("ca.pem", &pem);
    rig.home.run(&format!("connect magento --url http://127.0.0.1:{port} --ca-file {file}")).exits(0);
    let found: Vec<String> = std::mem::take(&mut *plain.lock().unwrap());
    assert!(!found.is_empty(), "where the API is was looked for at the address that was given");
    for head in &found {
        assert!(!head.to_ascii_lowercase().contains("authorization"), "credentials went out unencrypted: {head}");
    }
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
    rig.assert_settled("over TLS");
    assert!(plain.lock().unwrap().is_empty(), "{:?}", plain.lock().unwrap());
}

#[test]
fn i6_the_largest_page_that_the_shop_permits_is_asked_for() {
    let rig = Rig::new();
    rig.shop.seed(130, Utc::now() - TimeDelta::days(9), Utc::now() - TimeDelta::days(2));
    rig.fault(
        Fault::new(FaultKind::Says(400, "Maximum SearchCriteria pageSize is 40".to_owned()))
            .on("GET", "pageSize]=100")
            .always(),
    );
    rig.home.run("sync").exits(0);
    rig.server.faults().clear();
    assert_eq!(rig.known(), rig.shop.numbers());
}

#[test]
fn d8_what_is_invoiced_or_held_is_not_cancelled_and_the_reason_is_told_once() {
    let rig = Rig::new();
    let invoiced = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    assert!(rig.shop.invoice(invoiced));
    rig.on("cancel", invoiced, "--reason sold-out").exits(6).says("invoiced");
    let open = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    rig.server.clear_requests();
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/comments"));
    rig.on("cancel", open, "--reason sold-out").done();
    rig.home.run("retry").done();
    assert_eq!(rig.shop.status(open).unwrap().0, "canceled");
    let comments = routes(&rig.writes()).into_iter().filter(|route| route.ends_with("/comments")).count();
    assert_eq!(comments, 1, "the lost answer was looked for");
}

#[test]
fn d3_a_lost_answer_is_found_by_the_key_and_without_it_by_number_and_content() {
    for flags in ["", "--set marker=no"] {
        let rig = Rig::unconnected(Options::default());
        rig.connect(flags).exits(0);
        let id = rig.order(&NewOrder::of(&[("TEE-001", 4)]));
        for number in ["--carrier dhl --tracking JD01", ""] {
            rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/ship"));
            rig.on("dispatch", id, &format!("--item TEE-001=1 {number}")).done();
            rig.home.run("retry").done();
        }
        let sent = rig.shop.order(id).unwrap().shipments.len();
        assert_eq!((rig.mails(id), sent), (2, 2), "{flags}");
        assert_eq!(rig.home.json("outbox"), serde_json::json!([]), "{flags}");
    }
}

#[test]
fn f5_a_number_is_replaced_by_the_new_one_first_and_a_kill_between_leaves_no_two() {
    let mut died = 0;
    for (point, nth) in EXPORT.iter().flat_map(|point| [(point, 1), (point, 2)]) {
        let rig = Rig::new();
        let id = rig.order(&NewOrder::of(&[("TEE-001", 2)]));
        rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
        let words = format!("dispatch magento:{id} --replaces JD01 --carrier ups --tracking 1Z02");
        died += u32::from(dies(&rig.home, &words, point, nth));
        rig.home.run("retry").done();
        rig.sync();
        assert_eq!(rig.tracking(id), ["1Z02"], "{point}");
        rig.assert_settled(point);
        // What is still to be removed is told of; a mail is never sent again.
        assert!((1..=2).contains(&rig.mails(id)), "{point} {nth}: {}", rig.mails(id));
    }
    assert!(died > EXPORT.len() as u32, "{died}");
}
