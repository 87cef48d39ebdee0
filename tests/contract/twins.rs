//! The same sale seen in two stores: said, counted once, sent once, and settled by the merchant.

use std::time::Duration;

use ordersync::channel::ChannelKind;
use ordersync::sim::{Lack, Purchase, rehearsal};
use serde_json::json;

use super::desk::{Desk, clock, kinds};
use super::setups::NUMBER;

/// The kinds that a sale of Shopify's is copied to.
fn copies() -> impl Iterator<Item = ChannelKind> {
    let are_made = |kind| !rehearsal(kind, clock(), Duration::ZERO).lacks(Lack::Programs);
    kinds().filter(move |kind| *kind != ChannelKind::Shopify && are_made(*kind))
}

/// A home with two stores, and one sale in both of them: Shopify's number stands in the other's
/// note.
fn pair(kind: ChannelKind) -> (Desk, Desk, String, String) {
    let (desk, other) = (Desk::empty(kind), Desk::empty(ChannelKind::Shopify));
    desk.connect("").exits(0);
    desk.connect_also(&other, "origin");
    let sale = other.store.place(&Purchase::of(&[("TEE-001", 1)]));
    let note = format!("Imported from Shopify, order {sale}");
    let copy = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).note(&note).by_a_program());
    desk.home.run("sync").exits(0);
    (desk, other, sale, copy)
}

/// A book of one store looks for no twins, and has not let one pass when a second store comes.
#[test]
fn the_same_sale_is_found_when_the_second_store_comes_later() {
    for kind in copies() {
        for copy_first in [false, true] {
            let (desk, other) = (Desk::empty(kind), Desk::empty(ChannelKind::Shopify));
            let sale = other.store.place(&Purchase::of(&[("TEE-001", 1)]));
            let note = format!("Imported from Shopify, order {sale}");
            let copy = desk.store.place(&Purchase::of(&[("TEE-001", 1)]).note(&note).by_a_program());
            let (first, second, name, found) = match copy_first {
                true => (&desk, &other, "origin", format!("{kind}:{copy}")),
                false => (&other, &desk, "made", format!("shopify:{sale}")),
            };
            first.connect("").exits(0);
            first.home.run("sync").exits(0);
            assert_eq!(first.home.json("inbox"), json!([]), "{kind}");
            first.connect_also(second, name);
            first.home.run("sync").exits(0);
            let twins = &first.home.json(&format!("show {found}"))["twins"];
            assert_eq!(twins.as_array().map(Vec::len), Some(1), "{kind}, the copy first: {copy_first}");
            assert_eq!(first.home.json("inbox").as_array().map(Vec::len), Some(1), "{kind}");
        }
    }
}

#[test]
fn the_same_sale_in_two_stores_is_said_and_counts_once() {
    for kind in copies() {
        let (desk, _other, sale, copy) = pair(kind);
        let (made, sold) = (format!("{kind}:{copy}"), format!("origin:{sale}"));
        let shown = desk.home.json(&format!("show {made}"));
        let twin = &shown["twins"][0];
        assert_eq!(
            (&twin["original"], &twin["confirmed"], &twin["found_by"]),
            (&json!(true), &json!(false), &json!("number")),
            "{kind}: {shown}"
        );
        assert_eq!(desk.home.json(&format!("show {sold}"))["twins"][0]["original"], false, "{kind}");
        for (one, other) in [(&made, &sold), (&sold, &made)] {
            let told = desk.home.json(&format!("why {one}"));
            let (store, text) = (other.split(':').next().unwrap(), told["text"].as_str().unwrap());
            assert_eq!(told["verdict"], "in-book", "{kind}: {told}");
            assert!(text.contains(store) && text.contains("is the same sale"), "{kind}: {one}: {told}");
        }
        desk.home.run(&format!("show {made}")).exits(0).prints("twin of").prints("ordersync twin confirm|deny");
        let listed = desk.home.json("orders --status awaiting-fulfillment");
        let sent: Vec<bool> = listed.as_array().unwrap().iter().map(|o| o["sent_as_twin"].as_bool().unwrap()).collect();
        assert_eq!(sent.iter().filter(|sent| **sent).count(), 1, "{kind}: both are listed, one counts: {listed}");
        assert_eq!(sent.len(), 2, "{kind}");
        let status = desk.home.json("status");
        assert_eq!((&status["to_send"], &status["sent_as_twins"]), (&json!(1), &json!(1)), "{kind}");
        let inbox = desk.home.json("inbox");
        assert_eq!((inbox.as_array().unwrap().len(), &inbox[0]["kind"]), (1, &json!("twin")), "{kind}: {inbox}");

        // A second sync says nothing new; a verdict ends it.
        desk.home.run("sync --full").exits(0);
        assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 1, "{kind}");
        desk.home.run(&format!("twin confirm {made}")).exits(0).prints("one sale");
        desk.home.run(&format!("why {sold}")).exits(0).prints("is the same sale");
        assert_eq!(desk.home.json("inbox"), json!([]), "{kind}");
        assert_eq!(desk.home.json("status")["to_send"], 1, "{kind}");
        assert_eq!(desk.writes(), 0, "{kind}: nothing is written unasked");
    }
}

#[test]
fn d1_a_sale_in_two_stores_is_sent_once() {
    for kind in copies() {
        let (desk, other, sale, copy) = pair(kind);
        let (made, sold) = (format!("{kind}:{copy}"), format!("origin:{sale}"));
        desk.home.run(&format!("dispatch {sold} {NUMBER}")).exits(0);
        for how in ["", "--later", "--dry-run", "--as-local"] {
            let refused = desk.home.run(&format!("dispatch {made} {NUMBER} {how}")).exits(6);
            refused.says("dispatched already").says("nothing was").says("twin deny");
        }
        assert_eq!((desk.writes(), desk.home.json("status")["to_send"].clone()), (0, json!(0)), "{kind}");
        let file = desk.home.file("labels.csv", &format!("order,carrier,tracking\n{copy},dhl,JD02\n"));
        desk.home.run(&format!("dispatch --from {file}")).exits(6);
        assert_eq!(desk.writes(), 0, "{kind}");
        desk.home.run(&format!("dispatch {made} {NUMBER} --again")).exits(0);
        assert_eq!(desk.tracking_numbers(&copy), ["JD01"], "{kind}");
        assert_eq!(other.tracking_numbers(&sale), ["JD01"], "{kind}");
    }
}

/// D-1: the retry of a dispatch is one, too.
#[test]
fn d1_a_retry_tells_nobody_of_a_second_parcel_of_the_same_sale() {
    for kind in copies() {
        let (desk, _other, sale, copy) = pair(kind);
        let (made, sold) = (format!("{kind}:{copy}"), format!("origin:{sale}"));
        desk.home.run(&format!("dispatch {made} {NUMBER} --later")).exits(0);
        assert!(desk.store.readdress(&copy, "77 Somewhere Else"));
        desk.home.run("sync").done();
        desk.home.run(&format!("accept {made}")).exits(0);
        desk.home.run(&format!("dispatch {sold} {NUMBER}")).exits(0);
        desk.home.run(&format!("dispatch {made} {NUMBER}")).exits(6).says("dispatched already");
        desk.home.run(&format!("retry {made}")).exits(6).says("dispatched already").says("was not tried again");
        assert_eq!(desk.writes(), 0, "{kind}");
    }
}

/// D-1: a sale that is over in one store is over in the other.
#[test]
fn d1_the_twin_of_a_sale_that_was_cancelled_or_given_back_does_not_go_out() {
    for kind in copies() {
        for cancels in [true, false] {
            let (desk, other, sale, copy) = pair(kind);
            let (made, sold) = (format!("{kind}:{copy}"), format!("origin:{sale}"));
            desk.home.run(&format!("dispatch {made} {NUMBER} --later")).exits(0);
            desk.home.run(&format!("twin confirm {made}")).exits(0);
            if cancels {
                assert!(other.store.cancel(&sale));
            } else {
                let total = desk.home.json(&format!("show {sold}"))["totals"]["total"].as_str().unwrap().to_owned();
                assert!(other.store.refund(&sale, &total));
            }
            desk.home.run("sync --channel origin").exits(0);
            desk.home.run("sync").exits(3);
            let what = if cancels { "is cancelled" } else { "is refunded in full" };
            assert!(desk.home.json("inbox").to_string().contains(what), "{kind}: what waited does not go out");
            for how in ["", "--later", "--dry-run", "--as-local"] {
                let refused = desk.home.run(&format!("dispatch {made} {NUMBER} {how}")).exits(6);
                refused.says("the same sale").says(what).says("twin deny").says("--again");
            }
            desk.home.run(&format!("retry {made}")).exits(6).says(what);
            desk.home.run(&format!("dropship {made} --to Sam")).exits(6).says(what);
            assert_eq!(desk.writes(), 0, "{kind}");
            desk.home.run(&format!("dispatch {made} {NUMBER} --again")).exits(0);
            assert_eq!(desk.tracking_numbers(&copy), ["JD01"], "{kind}");
        }
    }
}

#[test]
fn what_is_denied_is_two_sales_for_good() {
    let (desk, _other, sale, copy) = pair(ChannelKind::WooCommerce);
    let (made, sold) = (format!("woocommerce:{copy}"), format!("origin:{sale}"));
    let denied = desk.home.json(&format!("twin deny {made}"));
    assert_eq!(denied["state"], "denied");
    desk.home.run("sync --full").exits(0);
    assert_eq!(desk.home.json(&format!("show {made}"))["twins"], json!([]));
    assert_eq!((desk.home.json("inbox"), desk.home.json("status")["to_send"].clone()), (json!([]), json!(2)));
    desk.home.run(&format!("twin confirm {made}")).exits(7).says("no twin");
    for order in [&sold, &made] {
        desk.home.run(&format!("dispatch {order} {NUMBER}")).exits(0);
    }
    // The merchant's later word counts, and two orders of one store are no twins.
    desk.home.run(&format!("twin confirm {made} {sold}")).exits(0);
    assert_eq!(desk.home.json(&format!("show {sold}"))["twins"][0]["confirmed"], true);
    let another = desk.paid(&[("TEE-001", 1)]);
    desk.home.run(&format!("twin confirm {made} woocommerce:{another}")).exits(2).says("nothing was");
}

/// Whoever buys the same at two shops has bought it twice.
#[test]
fn the_same_bought_at_two_checkouts_is_two_sales() {
    let (desk, other) = (Desk::empty(ChannelKind::WooCommerce), Desk::empty(ChannelKind::Shopify));
    desk.connect("").exits(0);
    desk.connect_also(&other, "origin");
    let sale = other.store.place(&Purchase::of(&[("TEE-001", 1)]));
    desk.store.place(&Purchase::of(&[("TEE-001", 1)]).note(&format!("as in my order {sale}")));
    desk.home.run("sync").exits(0);
    assert_eq!((desk.home.json("inbox"), desk.home.json("status")["to_send"].clone()), (json!([]), json!(2)));
}
