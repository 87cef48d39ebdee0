//! WooCommerce: the homes of tracking numbers (fulfilments, the Shipment Tracking extension, notes)
//! and what only such shops do with a dispatch.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use ordersync::sim::woocommerce::*;
use ordersync::sim::{Fault, FaultKind};
use serde_json::{Value, json};
use support::woo::Rig;

/// The value of a meta entry of the order's nth fulfilment.
fn fulfilled(rig: &Rig, id: u64, nth: usize, key: &str) -> Value {
    let all = rig.shop.fulfillments(id);
    let meta = all[nth]["meta_data"].as_array().unwrap();
    meta.iter().find(|entry| entry["key"] == key).map(|entry| entry["value"].clone()).unwrap_or_default()
}

#[test]
fn d4_a_fulfilment_has_the_pieces_the_number_and_its_link() {
    let (rig, ids) = Rig::with_orders(&[3]);
    let done = rig.parcel(ids[0], "JD01 --item TEE-001=2").exits(0).without("completed");
    done.prints("add a fulfilment with tracking DHL JD01");
    rig.parcel(ids[0], "JD02").exits(0).prints("set the order's status to completed");
    let item = rig.shop.item_ids(ids[0])[0];
    for (nth, number, pieces) in [(0, "JD01", 2), (1, "JD02", 1)] {
        assert_eq!(fulfilled(&rig, ids[0], nth, "_items"), json!([{ "item_id": item, "qty": pieces }]));
        assert_eq!(fulfilled(&rig, ids[0], nth, "_tracking_number"), number);
    }
    assert_eq!((rig.shop.fulfillments(ids[0]).len(), rig.writes().len()), (2, 3));
    assert_eq!(rig.shop.status(ids[0]).as_deref(), Some("completed"));
}

#[test]
fn d5_an_old_extension_that_answers_under_v2_only_is_told_of_each_parcel() {
    let rig = Rig::with(Options { fulfillments: false, tracking: Tracking::OnlyV2, ..Options::demo() });
    let id = rig.paid(1);
    rig.sync();
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/shipment-trackings"));
    rig.dispatch(id, "--carrier dhl --tracking JD01 --carrier ups --tracking 1Z2").exits(5);
    rig.home.run("retry").exits(0);
    let numbers: Vec<Value> = rig.shop.trackings(id).iter().map(|t| t["tracking_number"].clone()).collect();
    assert_eq!(numbers, ["JD01", "1Z2"]);
    assert_eq!((rig.shop.mails(id).completed, rig.status(id).as_str()), (1, "shipped"));
}

#[test]
fn d3_a_number_is_recognised_in_a_note_however_it_is_written_and_however_the_shop_shows_it() {
    let numbers = ["RR 123 456 789 DE", "A_1/2.3#4", "12x34--56", "jd-01 & 'co'", "1Z...9"];
    for pretty_notes in [false, true] {
        let rig = Rig::with(Options { fulfillments: false, pretty_notes, ..Options::demo() });
        for number in numbers {
            let id = rig.paid(1);
            rig.sync();
            let order = format!("woocommerce:{id}");
            let shipped = ["dispatch", &order, "--carrier", "dhl", "--tracking", number];
            rig.home.call(&shipped).exits(0).prints("confirmed by the channel");
            rig.all_due();
            rig.sync();
            assert_eq!((rig.shop.mails(id).note, rig.shop.mails(id).completed), (1, 1), "{number} {pretty_notes}");
        }
        assert!(rig.outbox().iter().all(|state| state == "confirmed"), "{:?}", rig.outbox());
    }
}

#[test]
fn d4_a_note_to_the_staff_has_not_told_the_buyer_and_another_number_is_not_this_one() {
    let rig = Rig::with(Options { fulfillments: false, ..Options::demo() });
    let id = rig.paid(1);
    rig.sync();
    rig.shop.add_note(id, "label JD01 printed, give it to the driver", false);
    rig.shop.add_note(id, "Your other parcel JD 01 22 is on its way.", true);
    rig.parcel(id, "JD01").exits(0);
    assert_eq!(rig.shop.mails(id).note, 2, "the shop's own and ours");
    let quiet = rig.paid(1);
    rig.sync();
    rig.parcel(quiet, "JD02 --no-notify").exits(0);
    assert_eq!((rig.shop.mails(quiet).note, rig.outbox()), (0, vec!["confirmed".to_owned(); 2]));
}

#[test]
fn d5_parcels_of_different_carriers_are_fulfilments_of_their_own() {
    let parcels = "--carrier dhl --tracking JD01 --carrier ups --tracking 1Z2 --carrier dhl --tracking JD03";
    let (rig, ids) = Rig::with_orders(&[3, 1]);
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/fulfillments"));
    rig.dispatch(ids[0], parcels).exits(5);
    rig.home.run("retry").exits(0);
    let told = |nth, key| fulfilled(&rig, ids[0], nth, key);
    assert_eq!([told(0, "_tracking_number"), told(1, "_tracking_number")], ["JD01, JD03", "1Z2"]);
    let carriers = [told(0, "_shipment_provider"), told(1, "_shipment_provider")];
    assert!(carriers[1] == "ups" && carriers[0] != carriers[1], "{carriers:?}");
    assert_eq!([&told(0, "_items")[0]["qty"], &told(1, "_items")[0]["qty"]], [&json!(1), &json!(2)]);
    assert_eq!((rig.shop.fulfillments(ids[0]).len(), rig.shop.mails(ids[0]).fulfillment), (2, 2));
    assert_eq!((rig.status(ids[0]).as_str(), rig.outbox()), ("shipped", vec!["confirmed".to_owned()]));

    rig.dispatch(ids[1], parcels).exits(0);
    let told = |key| fulfilled(&rig, ids[1], 0, key);
    assert_eq!((told("_tracking_number"), told("_shipment_provider")), (json!("JD01, 1Z2, JD03"), Value::Null));
}

#[test]
fn d4_a_number_that_the_shop_has_told_in_another_place_is_not_told_again() {
    let has_both = || Options { tracking: Tracking::On, ..Options::demo() };
    for home in ["fulfillments", "shipment-tracking", "note"] {
        let rig = Rig::with(has_both());
        rig.home.run(&format!("config set woocommerce.tracking {home}")).exits(0);
        let told: [(&str, &dyn Fn(u64)); 3] = [
            ("plugin", &|id| assert!(rig.shop.complete_with_tracking(id, "DHL", "JD 01"))),
            ("fulfilment", &|id| assert!(rig.shop.fulfill(id, &[(rig.shop.item_ids(id)[0], 1)], "dhl", "JD-01"))),
            ("note", &|id| assert!(rig.shop.add_note(id, "On its way with DHL, JD01.", true) > 0)),
        ];
        for (place, tell) in told {
            let id = rig.paid(1);
            rig.sync();
            tell(id);
            let mails = rig.shop.mails(id);
            rig.parcel(id, "JD01 --as-local").exits(0);
            let after = rig.shop.mails(id);
            assert_eq!((after.fulfillment, after.note), (mails.fulfillment, mails.note), "{home} {place}");
            let posts = rig.writes().iter().filter(|write| write.method == "POST").count();
            assert_eq!(posts, 0, "{home} {place}");
            assert_eq!(after.completed, 1, "{home} {place}");
        }
        assert!(rig.outbox().iter().all(|state| state == "confirmed"), "{home}: {:?}", rig.outbox());
    }
}

#[test]
fn d3_a_fulfilment_of_which_the_shop_forgets_the_number_is_made_once() {
    let rig = Rig::with(Options { forgets_entries: true, ..Options::demo() });
    let id = rig.paid(2);
    rig.sync();
    rig.dispatch(id, "--carrier dhl --tracking JD01 --carrier ups --tracking 1Z2").exits(0);
    assert_eq!((rig.shop.fulfillments(id).len(), rig.shop.mails(id).fulfillment), (2, 2));
    assert_eq!((rig.status(id).as_str(), rig.outbox()), ("shipped", vec!["confirmed".to_owned()]));
}

#[test]
fn a_fulfilment_that_is_deleted_at_the_shop_is_left_again_after_accept_whatever_the_order_says() {
    let (rig, ids) = Rig::with_orders(&[3, 2]);
    rig.parcel(ids[0], "JD01 --item TEE-001=1").exits(0);
    rig.parcel(ids[0], "JD02").exits(0);
    assert!(rig.shop.delete_fulfillment(ids[0], 1));
    rig.parcel(ids[1], "JD01").exits(0);
    assert!(rig.shop.delete_fulfillment(ids[1], 0));
    assert_eq!(rig.shop.status(ids[1]).as_deref(), Some("completed"), "a shop leaves the status as it is");
    rig.sync();
    for (id, left, status) in [(ids[0], "2", "partially-shipped"), (ids[1], "2", "awaiting-fulfillment")] {
        assert_eq!(rig.show(id)["changed_at_channel"], true, "{id}");
        rig.home.run(&format!("accept woocommerce:{id}")).exits(0);
        assert_eq!((&rig.show(id)["lines"][0]["left"], rig.status(id).as_str()), (&json!(left), status), "{id}");
        rig.parcel(id, "JD03").exits(0);
        assert_eq!(
            (
                rig.status(id).as_str(),
                fulfilled(&rig, id, rig.shop.fulfillments(id).len() - 1, "_items")[0]["qty"].clone()
            ),
            ("shipped", json!(2))
        );
    }
}

#[test]
fn d5_a_fulfilment_that_is_a_draft_again_gets_no_other_number_and_does_not_go_out_by_one() {
    let (rig, ids) = Rig::with_orders(&[2]);
    rig.parcel(ids[0], "JD01").exits(0);
    assert!(rig.shop.unfulfill(ids[0], 0));
    let (mails, writes) = (rig.shop.mails(ids[0]).fulfillment, rig.writes().len());
    rig.parcel(ids[0], "JD02 --replaces JD01").exits(6).says("no tracking number JD01").says("nothing was written");
    assert_eq!(rig.shop.fulfillments(ids[0])[0]["status"], "unfulfilled");
    assert_eq!((rig.shop.mails(ids[0]).fulfillment, rig.writes().len()), (mails, writes));
}

#[test]
fn p12_what_a_shipping_plugin_calls_shipped_or_delivered_went_out() {
    let rig = Rig::with(Options { shipping_plugin: true, ..Options::demo() });
    let item = |id| rig.shop.item_ids(id)[0];
    let [known, known_in_part] = [2, 3].map(|pieces| rig.paid(pieces));
    rig.sync();
    let [whole, in_part] = [2, 3].map(|pieces| rig.paid(pieces));
    for (id, pieces, number) in [(known, 2, "JDA"), (known_in_part, 1, "JDB"), (whole, 2, "JDC"), (in_part, 1, "JDD")] {
        assert!(rig.shop.fulfill(id, &[(item(id), pieces)], "dhl", number));
    }
    assert!(rig.shop.deliver(known, 0) && rig.shop.deliver(whole, 0));
    rig.sync();
    assert_eq!((rig.status(whole).as_str(), rig.status(in_part).as_str()), ("shipped", "partially-shipped"));
    assert_eq!(rig.show(whole)["shipments"][0]["parcels"][0]["tracking"], "JDC");
    for id in [known, known_in_part] {
        rig.parcel(id, "JD01").exits(6).says("shipped");
    }
    assert_eq!(rig.writes().len(), 0, "what has left is not announced again");
    rig.home.run(&format!("accept woocommerce:{known_in_part}")).exits(0);
    for id in [known_in_part, in_part] {
        rig.parcel(id, "JD01").exits(0).prints("confirmed by the channel");
        let mine = rig.shop.fulfillments(id)[1].clone();
        assert_eq!(
            (&mine["status"], fulfilled(&rig, id, 1, "_items")[0]["qty"].clone()),
            (&json!("shipped"), json!(2))
        );
    }
    assert!(rig.shop.deliver(in_part, 1));
    rig.parcel(in_part, "JD02 --replaces JD01").exits(0);
    assert_eq!(rig.shop.fulfillments(in_part)[1]["status"], "delivered", "another number takes nothing back");
    assert_eq!(fulfilled(&rig, in_part, 1, "_tracking_number"), "JD02");
}

#[test]
fn a_shop_can_be_told_the_status_only() {
    let rig = Rig::new();
    let id = rig.paid(1);
    rig.home.run("config set woocommerce.tracking none").exits(0);
    rig.home.run("config set woocommerce.tracking everywhere").exits(2);
    rig.sync();
    rig.parcel(id, "JD01").exits(0);
    assert_eq!((rig.shop.fulfillments(id).len(), rig.shop.status(id).as_deref()), (0, Some("completed")));
}

#[test]
fn d6_a_carrier_of_any_name_is_sent_and_known_ones_by_the_shops_code() {
    let (rig, ids) = Rig::with_orders(&[1, 1]);
    rig.dispatch(ids[0], "--carrier royalmail --tracking RM1").exits(0);
    rig.dispatch(ids[1], "--carrier Brieftaube --tracking B1").exits(0);
    assert_eq!(fulfilled(&rig, ids[0], 0, "_shipment_provider"), "royal-mail");
    assert!(fulfilled(&rig, ids[0], 0, "_tracking_url").as_str().unwrap().contains("RM1"));
    assert_eq!(fulfilled(&rig, ids[1], 0, "_shipment_provider"), "Brieftaube");
    rig.home.run("carriers").exits(0).prints("royal-mail").prints("usps");
}

#[test]
fn d1_what_went_out_in_part_without_its_pieces_being_told_is_not_sent_whole_again() {
    let (rig, ids) = Rig::with_orders(&[3, 3]);
    // As Advanced Shipment Tracking leaves it: a number, and no word of what is in the parcel.
    let parcel = json!([{ "tracking_provider": "dhl", "tracking_number": "00340434161094000146",
        "date_shipped": "1795000000", "tracking_id": "a2" }]);
    assert!(rig.shop.set_meta(ids[0], "_wc_shipment_tracking_items", parcel));
    for id in &ids {
        assert!(rig.shop.set_status(*id, "partial-shipped"), "{id}");
        rig.home.run(&format!("accept woocommerce:{id}")).exits(0);
        assert_eq!(rig.status(*id), "partially-shipped");
        let dispatch = format!("dispatch woocommerce:{id} --carrier ups --tracking 1Z999AA1012345678{}", id % 10);
        for more in ["", "--dry-run", "--later", "--as-local", "--item TEE-001=2"] {
            let told = rig.home.run(&format!("{dispatch} {more}")).exits(6);
            told.says("does not tell which pieces")
                .says("nothing was recorded or sent")
                .says("--item")
                .says("--as-local");
        }
        assert_eq!((rig.writes().len(), rig.home.json("outbox").as_array().unwrap().len()), (0, 0));
        rig.home.run(&format!("{dispatch} --item TEE-001=2 --as-local")).exits(0);
        assert_eq!(rig.show(*id)["lines"][0]["left"], "1");
        rig.server.clear_requests();
    }
}

#[test]
fn p1_a_line_that_grew_at_the_shop_is_left_for_the_piece_that_is_more_once_it_is_accepted() {
    let (rig, ids) = Rig::with_orders(&[3]);
    rig.parcel(ids[0], "JD01 --item TEE-001=2").exits(0);
    rig.parcel(ids[0], "JD02 --later").exits(0);
    rig.shop.edit_quantity(ids[0], 0, 4);
    rig.home.run("sync").exits(3);
    rig.home.run("accept 1").exits(0);
    assert_eq!(rig.status(ids[0]), "partially-shipped", "a fourth piece is still to be sent");
}

#[test]
fn d1_an_order_that_goes_to_several_addresses_is_held_back_and_never_goes_to_the_billing_one() {
    let (rig, ids) = Rig::with_orders(&[2]);
    let scattered = rig.paid(3);
    assert!(rig.shop.set_meta(scattered, "_multiple_shipping", json!("yes")));
    assert!(rig.shop.set_meta(ids[0], "_multiple_shipping", json!("yes")), "changed after it was imported");
    rig.sync();
    let shown = rig.show(scattered);
    assert_eq!((&shown["status"], &shown["ship_to"]), (&json!("on-hold"), &json!([])), "{shown}");
    let inbox = rig.home.json("inbox");
    let entry = inbox.as_array().unwrap().iter().find(|entry| entry["kind"] == "held").expect("an entry");
    assert!(entry["text"].as_str().unwrap().contains("several addresses"), "{entry}");
    for id in [scattered, ids[0]] {
        rig.parcel(id, "JD01").exits(6).says("several addresses").says("nothing was").says("--on-hold");
    }
    assert_eq!(rig.writes().len(), 0);
    rig.parcel(scattered, "JD01 --on-hold").exits(0);
    let inbox = rig.home.json("inbox");
    let held: Vec<&Value> = inbox.as_array().unwrap().iter().filter(|entry| entry["kind"] == "held").collect();
    assert!(held.len() == 1 && held[0]["number"].as_str() == Some(ids[0].to_string().as_str()), "{inbox}");
}

#[test]
fn d1_an_order_with_a_parcel_of_which_nobody_tells_what_is_in_it_is_not_shipped_without_a_word() {
    let parcel = |number: &str| {
        [
            (
                "_wc_shipment_tracking_items",
                json!([{ "tracking_provider": "ups", "tracking_number": number,
                "date_shipped": "1795000000", "tracking_id": "a1" }]),
            ),
            (
                "_aftership_tracking_items",
                json!([{ "slug": "ups", "tracking_number": number, "tracking_id": "b2",
                "additional_fields": {}, "metrics": { "created_at": "2026-11-23T07:00:50Z" } }]),
            ),
            (
                "wcshipping_labels",
                json!([{ "label_id": 7, "tracking": number, "carrier_id": "ups", "status": "PURCHASED" }]),
            ),
        ]
    };
    for home in ["fulfillments", "shipment-tracking", "note"] {
        let rig = Rig::with(Options { tracking: Tracking::On, ..Options::demo() });
        rig.home.run(&format!("config set woocommerce.tracking {home}")).exits(0);
        for (key, value) in parcel("1ZA") {
            let [id, taken_over, beside] = [1, 2, 3].map(|pieces| rig.paid(pieces));
            for id in [id, taken_over, beside] {
                assert!(rig.shop.set_meta(id, key, value.clone()));
            }
            rig.sync();
            assert_eq!(rig.status(id), "awaiting-fulfillment", "{key}");
            rig.server.clear_requests();
            for more in ["", " --dry-run"] {
                let refused = rig.parcel(id, &format!("1ZB{more}"));
                refused.exits(6).says("1ZA").says("--as-local").says("takes it over").says("nothing was sent");
            }
            assert_eq!(rig.writes().len(), 0, "{home} {key}");
            rig.dispatch(taken_over, "--carrier ups --tracking 1ZA").exits(0);
            rig.parcel(beside, "1ZB --as-local").exits(0);
            assert_eq!(
                (rig.status(taken_over).as_str(), rig.status(beside).as_str()),
                ("shipped", "shipped"),
                "{home} {key}"
            );
        }
        let given_back = rig.paid(1);
        let label =
            json!([{ "label_id": 8, "tracking": "1ZC", "carrier_id": "ups", "refund": { "status": "pending" } }]);
        assert!(rig.shop.set_meta(given_back, "wcshipping_labels", label));
        rig.sync();
        rig.parcel(given_back, "1ZD").exits(0);
    }
}

#[test]
fn c6_what_a_plugin_does_not_take_is_told_in_its_own_words() {
    let rig = Rig::with(Options { fulfillments: false, tracking: Tracking::Strict, ..Options::demo() });
    let id = rig.paid(1);
    rig.sync();
    let refused = rig.dispatch(id, "--carrier dhl --tracking JD/01");
    refused.exits(1).says("Special character not allowd in tracking number").says("--withdraw");
    assert_eq!(rig.shop.status(id).as_deref(), Some("processing"));
    rig.dispatch(id, "--carrier dhl --tracking JD01").exits(0);
}

#[test]
fn d1_d8_an_order_in_the_bin_is_a_cancelled_one() {
    let (rig, ids) = Rig::with_orders(&[1]);
    rig.shop.trash(ids[0]);
    rig.parcel(ids[0], "JD01").exits(6).says("cancelled");
    rig.home.run("cancel 1").exits(0).prints("it was cancelled at the channel already");
    assert!(rig.writes().is_empty());
}
