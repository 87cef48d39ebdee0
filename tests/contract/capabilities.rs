//! What a channel can do, both ways and in every set-up: it does what it promises, and refuses the
//! rest before anything is written or recorded.

use ordersync::channel::{CancelSupport, Notify, UnknownCarrier};
use ordersync::sim::{About, Exchange, FaultKind, Lack, Standing};
use serde_json::{Value, json};

use super::desk::{Desk, each, struck};
use super::setups::{NUMBER, each_set_up, is_refused};

#[test]
fn d5_a_part_is_shipped_where_the_channel_can_and_refused_where_it_cannot() {
    each_set_up(|desk| {
        let standing = |id: &str| desk.store.standing(id).unwrap();
        let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
        let part = format!("--item TEE-001=1 {NUMBER}");
        if !desk.capabilities().partial {
            is_refused(desk, &id, "dispatch", &part);
            let way = format!("dispatch the order when all of it ships{}", desk.capabilities().for_parts);
            desk.on("dispatch", &id, &part).exits(6).says(&way);
            desk.on("dispatch", &id, NUMBER).exits(0);
            assert!(standing(&id).shipped, "{}: the whole goes", desk.kind);
            return;
        }
        desk.on("dispatch", &id, &part).exits(0);
        assert_eq!(desk.show(&id)["status"], "partially-shipped", "{}", desk.kind);
        let first = standing(&id);
        assert_eq!((first.sent, first.shipped, first.told("JD01")), (1, false, 1), "{}: {first:?}", desk.kind);
        desk.on("dispatch", &id, "--item TEE-001=2 --carrier dhl --tracking JD02").exits(6).says("only 1 of TEE-001");
        assert_eq!(standing(&id), first, "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD02").exits(0);
        let all = standing(&id);
        assert_eq!((all.sent, all.shipped), (3, true), "{}: {all:?}", desk.kind);
        assert_eq!((all.told("JD01"), all.told("JD02")), (1, 1), "{}: {all:?}", desk.kind);
        let mut numbers = desk.tracking_numbers(&id);
        numbers.sort();
        assert_eq!(numbers, ["JD01", "JD02"], "{}", desk.kind);
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
    });
}

#[test]
fn d5_several_parcels_are_told_where_the_channel_can_and_refused_where_it_cannot() {
    each_set_up(|desk| {
        for parcels in [
            "--carrier dhl --tracking JD01 --tracking JD02",
            "--carrier dhl --tracking JD01 --carrier ups --tracking JD02",
        ] {
            let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
            if !desk.capabilities().several_parcels {
                is_refused(desk, &id, "dispatch", parcels);
                continue;
            }
            desk.on("dispatch", &id, parcels).exits(0);
            let standing = desk.store.standing(&id).unwrap();
            assert!(standing.shipped, "{}: {standing:?}", desk.kind);
            assert_eq!((standing.told("JD01"), standing.told("JD02")), (1, 1), "{}: {standing:?}", desk.kind);
            desk.on("dispatch", &id, parcels).exits(0).prints("recorded already");
            assert_eq!(desk.store.standing(&id).unwrap(), standing, "{}", desk.kind);
        }
    });
}

#[test]
fn d5_a_tracking_number_is_replaced_where_the_channel_can_and_refused_where_it_cannot() {
    each_set_up(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, NUMBER).exits(0);
        let replace = "--replaces JD01 --carrier ups --tracking 1Z02";
        if !desk.capabilities().replace_tracking {
            is_refused(desk, &id, "dispatch", replace);
            return;
        }
        let writes = desk.writes();
        desk.on("dispatch", &id, &format!("{replace} --dry-run")).exits(0).prints("nothing was written");
        assert_eq!((desk.writes(), desk.tracking_numbers(&id)), (writes, vec!["JD01".to_owned()]), "{}", desk.kind);
        desk.on("dispatch", &id, replace).exits(0);
        let standing = desk.store.standing(&id).unwrap();
        assert_eq!(desk.tracking_numbers(&id), ["1Z02"], "{}", desk.kind);
        assert!(standing.told("1Z02") <= 1 && standing.shipped, "{}: {standing:?}", desk.kind);
        let writes = desk.writes();
        desk.on("dispatch", &id, "--replaces JD01 --tracking 1Z03").exits(7);
        for same in ["--tracking 1z02", "--carrier ups --tracking 1Z02"] {
            desk.on("dispatch", &id, &format!("--replaces 1Z02 {same}")).exits(2).says("of the same carrier");
        }
        desk.sync();
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

#[test]
fn d6_the_carrier_of_a_number_is_corrected_where_the_channel_can_and_it_stays_one_parcel() {
    each_set_up(|desk| {
        if !desk.capabilities().replace_tracking {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, NUMBER).exits(0);
        let before = desk.store.standing(&id).unwrap().parcels;
        let correct = "--replaces JD01 --tracking jd01 --carrier ups --no-notify";
        let writes = desk.writes();
        desk.on("dispatch", &id, &format!("{correct} --dry-run")).exits(0).prints("UPS");
        assert_eq!(
            (desk.writes(), desk.store.standing(&id).unwrap().parcels),
            (writes, before.clone()),
            "{}",
            desk.kind
        );
        desk.on("dispatch", &id, correct).exits(0).prints("confirmed by the channel");
        let is_one = |carrier: &str| {
            let parcels = desk.store.standing(&id).unwrap().parcels;
            let is =
                matches!(parcels.as_slice(), [(of, number)] if number == "JD01" && of.eq_ignore_ascii_case(carrier));
            assert!(is, "{}: {parcels:?}", desk.kind);
            let shown = desk.show(&id);
            assert_eq!(shown["shipments"].as_array().unwrap().len(), 1, "{}: {shown}", desk.kind);
            let parcel = &shown["shipments"][0]["parcels"][0];
            assert_eq!((&parcel["carrier"], &parcel["tracking"]), (&json!(carrier), &json!("JD01")), "{}", desk.kind);
        };
        is_one("ups");
        let writes = desk.writes();
        desk.sync();
        desk.home.run("retry").done();
        desk.on("dispatch", &id, "--carrier ups --tracking JD01").exits(0).prints("recorded already");
        desk.on("dispatch", &id, NUMBER).exits(6).says("UPS and not DHL");
        assert_eq!((desk.writes(), desk.home.json("outbox")), (writes, json!([])), "{}", desk.kind);
        assert_eq!(desk.home.json("inbox"), json!([]), "{}: its own echo is news", desk.kind);
        is_one("ups");
    });
}

/// Each of its writes, struck by each way to lose it.
#[test]
fn d3_a_carrier_whose_correction_was_lost_is_looked_for_and_the_parcel_stays() {
    each_set_up(|desk| {
        if !desk.capabilities().replace_tracking {
            return;
        }
        let correct = "--replaces JD01 --tracking JD01 --carrier ups";
        let first = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &first, NUMBER).exits(0);
        let dispatch = desk.server.requests().len();
        desk.on("dispatch", &first, correct).exits(0);
        let writes = desk.server.requests().split_off(dispatch).into_iter().filter(Exchange::is_write);
        for write in writes.collect::<Vec<_>>() {
            for kind in [FaultKind::AnswerLost, FaultKind::CutBefore] {
                let told = format!("{} {kind:?} {}", desk.kind, write.name());
                let id = desk.paid(&[("TEE-001", 1)]);
                desk.on("dispatch", &id, NUMBER).exits(0);
                desk.server.faults().add(struck(kind, &write, &first));
                let done = desk.on("dispatch", &id, correct).done();
                // One of an address without the order's id is not met.
                let is_met = desk.server.faults().pending() == 0;
                assert_eq!(done.code, Some(if is_met { 5 } else { 0 }), "{told}: {done:?}");
                desk.server.faults().clear();
                desk.home.run("retry").done();
                let parcels = desk.store.standing(&id).unwrap().parcels;
                let is =
                    matches!(parcels.as_slice(), [(of, number)] if number == "JD01" && of.eq_ignore_ascii_case("ups"));
                assert!(is, "{told}: {parcels:?}");
                assert_eq!(desk.home.json("outbox"), json!([]), "{told}");
            }
        }
    });
}

#[test]
fn d4_a_number_that_waits_in_the_outbox_is_not_shown_as_confirmed() {
    each_set_up(|desk| {
        if !desk.capabilities().replace_tracking {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("dispatch", &id, NUMBER).exits(0);
        let state = || desk.show(&id)["shipments"][0]["state"].clone();
        assert_eq!(state(), "confirmed", "{}", desk.kind);
        desk.on("dispatch", &id, "--replaces JD01 --carrier ups --tracking 1Z02 --later").exits(0);
        assert_eq!(state(), "queued", "{}", desk.kind);
        desk.sync();
        assert_eq!(state(), "confirmed", "{}", desk.kind);
    });
}

#[test]
fn d5_a_number_that_two_boxes_have_is_replaced_for_both_here_and_there() {
    each_set_up(|desk| {
        if !desk.capabilities().replace_tracking || !desk.capabilities().partial {
            return;
        }
        let id = desk.paid(&[("TEE-001", 3)]);
        desk.on("dispatch", &id, &format!("--item TEE-001=1 {NUMBER}")).exits(0);
        desk.on("dispatch", &id, &format!("{NUMBER} --again")).exits(0);
        desk.on("dispatch", &id, "--replaces JD01 --carrier ups --tracking 1Z02").exits(0);
        let shown = desk.show(&id);
        let boxes = shown["shipments"].as_array().unwrap();
        let book: Vec<&Value> = boxes.iter().map(|one| &one["parcels"][0]["tracking"]).collect();
        assert_eq!(book, ["1Z02", "1Z02"], "{}: {shown}", desk.kind);
        assert!(desk.tracking_numbers(&id).iter().all(|number| number == "1Z02"), "{}", desk.kind);
        desk.on("dispatch", &id, "--replaces JD01 --tracking 1Z03").exits(7);
    });
}

#[test]
fn d5_the_buyer_is_told_as_the_merchant_wishes_where_the_channel_leaves_it_to_him() {
    each_set_up(|desk| {
        let told = |more: &str| {
            let id = desk.paid(&[("TEE-001", 1)]);
            let done = desk.on("dispatch", &id, &format!("{NUMBER} {more}")).exits(0);
            (done, desk.store.standing(&id).unwrap().told("JD01"))
        };
        for more in ["", "--notify"] {
            assert_eq!(told(more).1, 1, "{} {more}", desk.kind);
        }
        if desk.capabilities().notify == Notify::Always {
            let id = desk.paid(&[("TEE-001", 1)]);
            return is_refused(desk, &id, "dispatch", &format!("{NUMBER} --no-notify"));
        }
        let (done, quiet) = told("--no-notify");
        match desk.capabilities().notify {
            Notify::Choice => assert_eq!(quiet, 0, "{}: {done:?}", desk.kind),
            // What the shop does by itself is no reason to send nothing: it is said.
            Notify::ShopDecides => {
                done.says("--no-notify changes nothing");
                assert_eq!(quiet, 1, "{}", desk.kind);
            }
            Notify::Always => unreachable!("refused above"),
        }
        if !desk.capabilities().replace_tracking {
            return;
        }
        for (more, told) in [("--notify", 1), ("--no-notify", 0)] {
            let id = desk.paid(&[("TEE-001", 1)]);
            desk.on("dispatch", &id, NUMBER).exits(0);
            let done = desk.on("dispatch", &id, &format!("--replaces JD01 --tracking 1Z02 {more}")).exits(0);
            match desk.capabilities().notify {
                Notify::Choice => assert_eq!(desk.store.standing(&id).unwrap().told("1Z02"), told, "{}", desk.kind),
                Notify::ShopDecides if told == 0 => _ = done.says("--no-notify changes nothing"),
                Notify::ShopDecides | Notify::Always => {}
            }
        }
    });
}

#[test]
fn d6_a_carrier_that_is_not_known_goes_out_by_its_name_or_is_refused_with_the_nearest() {
    each_set_up(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let dispatch = desk.on("dispatch", &id, "--carrier Brieftaube --tracking B1");
        match desk.capabilities().unknown_carrier {
            UnknownCarrier::SentAsText => {
                dispatch.exits(0);
                let standing = desk.store.standing(&id).unwrap();
                let told =
                    standing.told("Brieftaube") + standing.parcels.iter().filter(|one| one.0 == "Brieftaube").count();
                assert_eq!((told, standing.told("B1")), (1, 1), "{}: {standing:?}", desk.kind);
            }
            UnknownCarrier::SentAsOther => {
                dispatch.exits(0);
                let standing = desk.store.standing(&id).unwrap();
                let other = standing.parcels.iter().filter(|one| one.0.eq_ignore_ascii_case("other")).count();
                assert_eq!((other, standing.told("B1")), (1, 1), "{}: {standing:?}", desk.kind);
            }
            UnknownCarrier::Refused => {
                dispatch.exits(2).says("the nearest").says("nothing was recorded");
                assert_eq!((desk.writes(), desk.home.json("outbox")), (0, Value::Array(Vec::new())), "{}", desk.kind);
            }
        }
    });
}

/// What a choice of a cancellation does to the order at the channel.
type Effect = fn(&Standing) -> String;

#[test]
fn d8_stock_money_and_the_buyer_are_as_the_merchant_wishes_where_the_channel_leaves_it_to_him() {
    each(|desk| {
        let CancelSupport::Yes(can) = desk.capabilities().cancel else {
            let id = desk.paid(&[("TEE-001", 2)]);
            is_refused(desk, &id, "cancel", "");
            desk.on("cancel", &id, "").exits(6).says("--local");
            return;
        };
        let cancelled = |more: &str| {
            let id = desk.paid(&[("TEE-001", 2)]);
            desk.on("cancel", &id, more).exits(0).says(can.effect).says(if more.contains("--refund") {
                ""
            } else {
                can.money
            });
            let standing = desk.store.standing(&id).unwrap();
            assert!(standing.cancelled, "{} {more}: {standing:?}", desk.kind);
            standing
        };
        let total = {
            let id = desk.paid(&[("TEE-001", 2)]);
            desk.show(&id)["totals"]["total"].as_str().unwrap().parse::<rust_decimal::Decimal>().unwrap()
        };
        let stock: Effect = |standing| standing.restocked.to_string();
        let money: Effect = |standing| standing.refunded.normalize().to_string();
        let mails: Effect = |standing| standing.mailed(About::Cancellation).to_string();
        let plain = cancelled("");
        for (flag, heard, effect, without, with) in [
            ("--no-restock", can.restock, stock, "2".to_owned(), "0".to_owned()),
            ("--refund", can.refund, money, "0".to_owned(), total.normalize().to_string()),
            ("--notify", can.notify, mails, "0".to_owned(), "1".to_owned()),
        ] {
            if heard {
                assert_eq!((effect(&plain), effect(&cancelled(flag))), (without, with), "{} {flag}", desk.kind);
            } else {
                let id = desk.paid(&[("TEE-001", 2)]);
                is_refused(desk, &id, "cancel", flag);
                desk.on("cancel", &id, flag).exits(6).says(&format!("then without {flag}"));
                assert!(!desk.store.standing(&id).unwrap().cancelled, "{} {flag}", desk.kind);
            }
        }
        assert_eq!(plain.refunded, rust_decimal::Decimal::ZERO, "{}: money goes by a wish only", desk.kind);
    });
}

#[test]
fn d8_the_reason_of_a_cancellation_is_told_to_the_staff() {
    each(|desk: &Desk| {
        if !matches!(desk.capabilities().cancel, CancelSupport::Yes(_)) {
            return;
        }
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.on("cancel", &id, "--reason sold-out").exits(0);
        let standing = desk.store.standing(&id).unwrap();
        let reasons = usize::from(!desk.store.lacks(Lack::Reasons));
        assert_eq!(standing.remarks.matches("sold-out").count(), reasons, "{}: {standing:?}", desk.kind);
        assert_eq!(standing.told("sold-out"), 0, "{}: {standing:?}", desk.kind);
    });
}
