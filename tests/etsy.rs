//! Etsy: what is read and written there and nowhere else, by the real program over real HTTP.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{TimeDelta, Utc};
use ordersync::sim::etsy::{NewOrder, Options};
use ordersync::sim::{Exchange, Fault, FaultKind, Simulated};
use serde_json::{Value, json};
use support::etsy::Rig;

/// Receipts of some weeks, the newest of them some days old, with cancelled ones among them.
fn seeded(options: Options, orders: u64) -> Rig {
    let rig = Rig::unconnected(options);
    rig.shop.seed(orders, Utc::now() - TimeDelta::days(40), Utc::now() - TimeDelta::days(3));
    rig
}

fn connected(options: Options, orders: u64, more: &str) -> Rig {
    let rig = seeded(options, orders);
    rig.connect(&format!("--since all {more}")).exits(0);
    rig.home.run("sync").done();
    rig.server.clear_requests();
    rig
}

/// What Etsy's documents leave open, either way.
fn both_ways() -> [Options; 4] {
    let one = |exclusive_bounds, omitted_is_both| Options { exclusive_bounds, omitted_is_both, ..Options::rehearsal() };
    [one(false, false), one(false, true), one(true, false), one(true, true)]
}

fn lists(rig: &Rig) -> Vec<Exchange> {
    rig.asked("/receipts")
}

#[test]
fn q2_nothing_new_takes_two_requests() {
    for options in both_ways() {
        let rig = connected(options, 60, "");
        rig.home.run("sync").done();
        for _ in 0..2 {
            rig.server.clear_requests();
            assert_eq!(rig.requests(), 2, "{:?}", lists(&rig).iter().map(Exchange::target).collect::<Vec<_>>());
        }
        let cancelled: Vec<_> = lists(&rig).iter().map(|asked| asked.param("was_canceled").is_some()).collect();
        assert_eq!(cancelled, [false, true]);
    }
}

#[test]
fn i2_cancelled_receipts_come_with_the_first_sync_and_with_each_one_after_it() {
    for options in both_ways() {
        let rig = seeded(options, 30);
        let old = rig.shop.place_order(NewOrder::of(&[("TEE-001", 1)]).at(Utc::now() - TimeDelta::days(20)));
        assert!(rig.shop.cancel(&old.to_string()));
        rig.connect("--since all").exits(0);
        rig.home.run("sync").done();
        assert_eq!((rig.status(old).as_str(), rig.known()), ("cancelled", rig.shop.numbers()));
        let new = rig.order(&NewOrder::of(&[("MUG-9", 1)]));
        assert!(rig.shop.cancel(&new.to_string()));
        // Newer orders come between: what was cancelled before them is not passed over.
        rig.order(&NewOrder::of(&[("MUG-9", 1)]));
        let told = rig.home.json("changes").to_string();
        assert!(told.contains("cancelled"), "{told}");
    }
}

#[test]
fn i3_more_orders_in_a_second_than_a_page_holds_are_all_read() {
    for options in both_ways() {
        let rig = seeded(options, 5);
        rig.connect("--since all --set page_size=10").exits(0);
        rig.home.run("sync").done();
        let crowd = Utc::now() - TimeDelta::hours(3);
        for _ in 0..45 {
            rig.shop.place_order(NewOrder::of(&[("MUG-9", 1)]).at(crowd));
        }
        let time = |at: chrono::DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (from, to) = (time(crowd - TimeDelta::hours(1)), time(crowd + TimeDelta::hours(1)));
        rig.home.run(&format!("sync --since {from} --until {to}")).exits(0);
        assert_eq!(rig.known(), rig.shop.numbers());
        rig.shop.touch_many(&rig.shop.numbers());
        rig.server.clear_requests();
        rig.home.run("sync").exits(0);
        assert!(lists(&rig).len() < 30, "{}", lists(&rig).len());
        rig.assert_settled("after a change of all in one second");
    }
}

/// Etsy's own users: "refunds do not bump update_timestamp" (etsy/open-api #513, #604), ship-by dates
/// by design (#232).
#[test]
fn what_moves_no_time_is_found_by_a_look_at_the_last_weeks_once_a_day() {
    for options in both_ways() {
        let rig = connected(options, 120, "");
        let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]).at(Utc::now() - TimeDelta::days(2)));
        // What was changed last is read again for a while.
        rig.order(&NewOrder::of(&[("MUG-9", 1)]).at(Utc::now() - TimeDelta::days(1)));
        rig.shop.refund_silently(id, "5.00").unwrap();
        let ship_by = (Utc::now() + TimeDelta::days(9)).timestamp();
        assert!(rig.shop.set_ship_by(id, ship_by));
        rig.sync();
        rig.sync();
        assert!(rig.show(id)["refunds"].as_array().unwrap().is_empty(), "no list of changes shows it");
        rig.a_day_later();
        rig.server.clear_requests();
        let requests = rig.requests();
        assert_eq!(rig.show(id)["refunds"][0]["amount"], json!("5.00"), "{}", rig.show(id));
        let told = rig.home.json(&format!("show etsy:{id}")).to_string();
        assert!(told.contains(&(Utc::now() + TimeDelta::days(9)).format("%Y-%m-%d").to_string()), "{told}");
        // Two lists of changes, the count, two pages, and the cancelled ones; never one for an order.
        assert!(
            requests <= 9,
            "{requests}: {:?}",
            rig.server.requests().iter().map(Exchange::target).collect::<Vec<_>>()
        );
        assert!(rig.server.requests().iter().all(|asked| asked.path.ends_with("/receipts")));
        assert_eq!(rig.requests(), 2, "and not again before tomorrow");
    }
}

#[test]
fn the_look_at_the_last_weeks_is_left_out_where_less_than_a_tenth_of_the_day_is_left() {
    let rig = connected(Options::rehearsal(), 250, "--set page_size=5");
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]).at(Utc::now() - TimeDelta::days(2)));
    rig.order(&NewOrder::of(&[("MUG-9", 1)]).at(Utc::now() - TimeDelta::days(1)));
    rig.shop.refund_silently(id, "5.00").unwrap();
    rig.a_day_later();
    // What was asked so far is all but a few of what is permitted.
    let asked = u32::try_from(rig.shop.asked().0).unwrap();
    rig.shop.options().per_day = asked + 4;
    rig.home.run("sync").done();
    let run = rig.home.json("runs --limit 1")[0].clone();
    assert_eq!((&run["state"], run["requests"].as_u64()), (&json!("done"), Some(2)), "{run}");
    assert!(run["notes"][0].as_str().unwrap().contains("were not looked through"), "{run}");
    rig.home.run("runs").exits(0).prints("not looked through");
    rig.shop.options().per_day = 100_000;
    rig.home.run("sync").done();
    assert_eq!(rig.show(id)["refunds"][0]["amount"], json!("5.00"), "the next sync has room for it");
    assert_eq!(rig.home.json("runs --limit 1")[0]["notes"], json!([]));
}

#[test]
fn the_look_at_the_last_weeks_takes_a_tenth_of_the_day_at_most() {
    let rig = connected(Options::rehearsal(), 300, "--set page_size=10");
    rig.sync();
    rig.a_day_later();
    rig.shop.options().per_day = 200;
    rig.server.clear_requests();
    rig.home.run("sync").done();
    let looked = lists(&rig).iter().filter(|asked| asked.param("min_created").is_some()).count();
    assert!((10..=20).contains(&looked), "{looked}");
    let notes = rig.home.json("runs --limit 1")[0]["notes"].to_string();
    assert!(notes.contains("only orders placed since"), "{notes}");
}

#[test]
fn i6_a_day_that_is_used_up_ends_the_sync_with_the_time_to_go_on_and_the_next_one_goes_on_from_there() {
    let rig = seeded(Options::rehearsal(), 300);
    rig.connect("--since all --set page_size=10").exits(0);
    rig.shop.options().per_day = u32::try_from(rig.shop.asked().0).unwrap() + 12;
    let ended = rig.home.run("sync").exits(5);
    // Of several lists that are read at once the first to be refused tells of it.
    assert!(ended.stderr.contains("until 20"), "{}", ended.stderr);
    let read = rig.known().len();
    assert!((20..250).contains(&read), "{read}");
    rig.home.run("sync").exits(5).says("until 20");
    let asked = rig.shop.asked().0;
    rig.home.run("status").done();
    rig.shop.options().per_day = 100_000;
    rig.home.run("connect --test etsy").exits(0);
    rig.server.clear_requests();
    rig.home.run("sync").done();
    assert_eq!(rig.known(), rig.shop.numbers());
    assert!(rig.shop.asked().0 - asked < 45, "what was read is not read again: {}", rig.shop.asked().0 - asked);
}

#[test]
fn i6_requests_keep_to_the_permitted_rate_and_what_is_refused_is_asked_again() {
    let rig = seeded(Options { per_second: 5, per_day: 5_000, ..Options::rehearsal() }, 200);
    rig.connect("--since all --set page_size=10").exits(0);
    let before = rig.shop.asked();
    rig.home.run("sync").done();
    // A busy machine may send two of a second's in the next one.
    let (asked, refused) = (rig.shop.asked().0 - before.0, rig.shop.asked().1 - before.1);
    assert!(refused * 10 <= asked, "{refused} of {asked} were refused");
    assert_eq!(rig.known(), rig.shop.numbers());
}

/// etsy/open-api #157, #135, #466: accepted, marked as shipped, the number dropped.
#[test]
fn d3_a_number_that_is_dropped_is_told_and_not_sent_again() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    rig.shop.options().drops_tracking = true;
    let told = rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(3).says("without tracking");
    told.says("enter JD01 there").prints("the channel took it").without("as it was before");
    for command in ["retry", "sync", &format!("retry etsy:{id}")] {
        let told = rig.home.run(command).done();
        assert!(!format!("{}{}", told.stdout, told.stderr).contains("lost"), "{command}: {told:?}");
        let (inbox, rows) = (rig.home.json("inbox"), rig.home.json("outbox"));
        assert!(
            inbox[0]["text"].as_str().unwrap().contains("shipped the order without tracking"),
            "{command}: {inbox}"
        );
        assert_eq!((rig.mails(id), &rows[0]["state"]), (1, &json!("sent")), "{command}: {rows}");
    }
    // The seller enters it on Etsy's own pages.
    assert!(rig.shop.ship_elsewhere(&id.to_string(), "dhl", "JD01"));
    rig.home.run("sync").exits(0);
    rig.on("retry", id, "").done();
    assert_eq!((rig.tracking(id), rig.mails(id)), (vec!["JD01".to_owned()], 2));
    rig.assert_settled("once the number is there");
}

/// Each of several numbers is told of, and what is found out about the second hides nothing of the
/// first.
#[test]
fn d3_of_several_numbers_that_are_dropped_each_is_told_however_the_last_one_ends() {
    let parcels = "--carrier dhl --tracking JD01 --carrier ups --tracking 1Z02";
    for refused in [false, true] {
        let rig = Rig::new();
        let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
        rig.shop.options().drops_tracking = true;
        if refused {
            let says = FaultKind::Says(400, "Not this one".to_owned());
            rig.fault(Fault::new(says).on("POST", "/tracking").after(1));
        }
        let told = rig.on("dispatch", id, parcels).done().says("enter JD01 there");
        assert_ne!(told.code, Some(0));
        let text = |rig: &Rig| rig.home.json("inbox").to_string();
        let all: &[&str] = if refused { &["JD01", "Not this one"] } else { &["JD01", "1Z02"] };
        assert!(
            all.iter().all(|what| told.stderr.contains(what) && text(&rig).contains(what)),
            "{told:?} {}",
            text(&rig)
        );
        if refused {
            continue;
        }
        // What was told when it was taken says what to do; to make it again would tell the buyer again.
        rig.home.sql("UPDATE outbox SET next_at = 0, attempted_at = attempted_at - 7200000 RETURNING 1");
        rig.home.run("sync").done();
        assert!(all.iter().all(|what| text(&rig).contains(what)), "{}", text(&rig));
        assert!(!text(&rig).contains("--again"), "{}", text(&rig));
    }
}

/// An answer that lags behind, and one that is another receipt's, say nothing of the write.
#[test]
fn d3_an_answer_that_does_not_show_the_write_is_looked_for() {
    let rig = Rig::new();
    let (id, other) = (rig.order(&NewOrder::of(&[("TEE-001", 1)])), rig.order(&NewOrder::of(&[("MUG-9", 1)])));
    for (order, shown) in [(id, id), (other, id)] {
        let old = rig.shop.document(&shown.to_string()).unwrap();
        rig.fault(Fault::new(FaultKind::OtherJson(old)).on("POST", "/tracking"));
        rig.on("dispatch", order, &format!("--carrier dhl --tracking JD{order}")).done();
        rig.home.run("retry").done();
        assert_eq!((rig.tracking(order), rig.mails(order)), (vec![format!("JD{order}")], 1));
    }
    rig.assert_settled("after odd answers");
}

#[test]
fn d5_orders_that_need_a_number_are_refused_without_one() {
    let dollars = Options { currency: "USD".to_owned(), country: "US".to_owned(), ..Options::rehearsal() };
    let to = |country: &str| {
        let rig = Rig::with(dollars.clone());
        let id = rig.shop.place_order(NewOrder::of(&[("TEE-001", 1)]));
        rig.shop.edit_address(id, |address| address.country = country.to_owned());
        rig.sync();
        rig.server.clear_requests();
        (rig, id)
    };
    for country in ["US", "IN"] {
        let (rig, id) = to(country);
        for how in ["--dry-run", "--later", ""] {
            rig.on("dispatch", id, how).exits(6).says("tracking number").says("nothing was");
        }
        assert!(rig.writes().is_empty() && rig.home.json("outbox --all") == json!([]), "{country}");
        let (rig, id) = to(country);
        rig.on("dispatch", id, "--carrier usps --tracking 9400111899223197428490").exits(0);
        assert_eq!(rig.tracking(id), ["9400111899223197428490"]);
    }
    let (rig, id) = to("FR");
    rig.on("dispatch", id, "").exits(0);
    assert_eq!((rig.mails(id), rig.status(id).as_str()), (1, "shipped"));
}

#[test]
fn d3_each_parcel_is_told_once_over_lost_answers() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("TEE-001", 2)]));
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/tracking").after(1));
    rig.on("dispatch", id, "--carrier dhl --tracking JD01 --carrier ups --tracking 1Z02").done();
    for _ in 0..3 {
        rig.home.run("retry").done();
        rig.home.run("sync").done();
    }
    assert_eq!((rig.tracking(id), rig.mails(id)), (vec!["JD01".to_owned(), "1Z02".to_owned()], 2));
    rig.assert_settled("after the second answer was lost");
    let unmarked = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/tracking"));
    rig.on("dispatch", unmarked, "").done();
    rig.home.run("retry").done();
    rig.sync();
    assert_eq!((rig.mails(unmarked), rig.status(unmarked).as_str()), (1, "shipped"));
}

/// A row without all that belongs to a receipt is read by its id, and empties nothing.
#[test]
fn p11_a_list_that_is_poorer_than_the_book_wipes_nothing() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]).note("ring twice"));
    rig.shop.refund(&id.to_string(), "5.00");
    rig.sync();
    let before = rig.show(id);
    for member in ["transactions", "shipments", "refunds"] {
        let mut poor = rig.shop.document(&id.to_string()).unwrap();
        poor.as_object_mut().unwrap().remove(member);
        poor["updated_timestamp"] = json!(Utc::now().timestamp());
        let page = json!({ "count": 1, "results": [poor] });
        rig.server.clear_requests();
        rig.fault(Fault::new(FaultKind::OtherJson(page)).on("GET", "/receipts"));
        rig.sync();
        rig.server.faults().clear();
        assert_eq!(rig.asked(&format!("/receipts/{id}")).len(), 1, "{member}");
        let after = rig.show(id);
        for part in ["lines", "refunds", "shipments", "ship_to", "buyer_note"] {
            assert_eq!(after[part], before[part], "{member}: {part}");
        }
    }
}

/// Nor does a receipt that is read by its id, and nothing goes out on the word of it.
#[test]
fn p11_a_receipt_that_is_poorer_than_the_book_wipes_nothing() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    rig.shop.refund(&id.to_string(), "5.00");
    rig.sync();
    let before = rig.show(id);
    for member in ["transactions", "shipments", "refunds"] {
        for poorer in [None, Some(Value::Null)] {
            let mut poor = rig.shop.document(&id.to_string()).unwrap();
            poor.as_object_mut().unwrap().remove(member);
            poor["status"] = json!("Paid");
            poor["updated_timestamp"] = json!(Utc::now().timestamp());
            poor.as_object_mut().unwrap().extend(poorer.map(|null| (member.to_owned(), null)));
            rig.fault(Fault::new(FaultKind::OtherJson(poor)).on("GET", &format!("/receipts/{id}")).always());
            rig.on("pull", id, "").done();
            rig.on("dispatch", id, "--carrier dhl --tracking JD01 --as-local").exits(1).says(member);
            rig.server.faults().clear();
            let after = rig.show(id);
            for part in ["lines", "refunds", "shipments", "ship_to", "total"] {
                assert_eq!(after[part], before[part], "{member}: {part}");
            }
        }
    }
    assert!(rig.writes().is_empty());
    rig.on("pull", id, "").exits(0);
    rig.assert_settled("once the receipt is whole");
}

#[test]
fn f3_a_token_that_ends_between_two_pages_is_renewed() {
    let rig = seeded(Options::rehearsal(), 100);
    rig.connect("--since all --set page_size=10").exits(0);
    let asked = AtomicU32::new(0);
    rig.shop.before_request(move |request, shop| {
        if request.path.ends_with("/receipts") && asked.fetch_add(1, Ordering::Relaxed) == 5 {
            shop.end_tokens();
        }
    });
    rig.home.run("sync").done();
    assert_eq!(rig.known(), rig.shop.numbers());
}

/// Nothing that the API refuses is asked for behind an order that cannot be shown.
#[test]
fn i4_an_order_that_cannot_be_shown_costs_one_in_small_pages_too() {
    let rig = seeded(Options::rehearsal(), 150);
    let hidden = rig.shop.numbers()[70];
    assert!(rig.shop.set_unrenderable(&hidden.to_string(), true));
    rig.connect("--since all --set page_size=10").exits(0);
    rig.home.run("sync").done();
    let expected: Vec<u64> = rig.shop.numbers().into_iter().filter(|id| *id != hidden).collect();
    assert_eq!(rig.known(), expected);
    assert_eq!(rig.home.json("inbox").as_array().unwrap().len(), 1, "{}", rig.home.json("inbox"));
    assert!(lists(&rig).iter().all(|asked| asked.status != Some(400)));
    assert!(rig.shop.set_unrenderable(&hidden.to_string(), false));
    rig.a_day_later();
    rig.home.run("sync").done();
    assert_eq!(rig.known(), rig.shop.numbers(), "the next day it is there");
}

#[test]
fn d8_a_cancellation_on_etsys_own_pages_comes_with_the_next_sync() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    for more in ["", "--force", "--dry-run"] {
        let done = rig.on("cancel", id, more).exits(6).says("etsy.com").says("ordersync cancel book:1 --local takes");
        done.without("add --force");
    }
    assert!(rig.writes().is_empty());
    assert!(rig.shop.cancel(&id.to_string()));
    rig.home.run("sync").done();
    let shown: Value = rig.show(id);
    assert!(shown.to_string().contains("cancelled"), "{shown}");
}

#[test]
fn d8_each_way_that_is_named_to_cancel_an_order_leads_on() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(0);
    let writes = rig.writes().len();
    rig.on("cancel", id, "")
        .exits(6)
        .says("takes no cancellation")
        .says("ordersync cancel book:1 --local --force takes");
    rig.home.run("cancel book:1 --local --force").exits(0).says("to cancel it there as well: on etsy.com");
    assert_eq!((rig.status(id).as_str(), rig.writes().len()), ("cancelled", writes));
    rig.on("cancel", id, "").exits(6).says("etsy.com").without("--local");
}

/// A 401 says that nothing was carried out, so the write goes out again with a new token, once; what
/// becomes of that is looked for as ever.
#[test]
fn d3_a_write_that_is_refused_for_its_token_goes_out_once_more_and_tells_once() {
    let rig = Rig::new();
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    rig.fault(Fault::new(FaultKind::Unauthorized).on("POST", "/tracking"));
    rig.fault(Fault::new(FaultKind::AnswerLost).on("POST", "/tracking"));
    rig.on("dispatch", id, "--carrier dhl --tracking JD01").exits(5);
    for _ in 0..2 {
        rig.home.run("retry").done();
    }
    let tracked = || rig.asked("/tracking").len();
    assert_eq!((tracked(), rig.mails(id), rig.tracking(id)), (2, 1, vec!["JD01".to_owned()]));
    rig.assert_settled("after the repeat's answer was lost");
    let other = rig.order(&NewOrder::of(&[("TEE-001", 1)]));
    rig.fault(Fault::new(FaultKind::Unauthorized).on("POST", "/tracking").always());
    rig.on("dispatch", other, "--carrier dhl --tracking JD02").exits(4).says("--reauth");
    assert_eq!((tracked(), rig.mails(other)), (2, 0), "no more than once");
}

/// What is used up before the look is through is told, and the next day's goes on from there.
#[test]
fn the_look_at_the_last_weeks_goes_on_where_its_requests_were_used_up() {
    let rig = connected(Options::rehearsal(), 300, "--set page_size=10");
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]).at(Utc::now() - TimeDelta::days(2)));
    rig.order(&NewOrder::of(&[("MUG-9", 1)]).at(Utc::now() - TimeDelta::days(1)));
    rig.shop.refund_silently(id, "5.00").unwrap();
    rig.shop.options().per_day = 200;
    let look = || {
        rig.a_day_later();
        rig.server.clear_requests();
        // How many there are is not told, so that more than there is room for are begun with.
        rig.fault(Fault::new(FaultKind::NoCount).on("GET", "limit=1&"));
        rig.home.run("sync").exits(0);
        let looked: Vec<_> = lists(&rig).into_iter().filter(|asked| asked.param("min_created").is_some()).collect();
        rig.server.faults().clear();
        let first = looked.iter().find(|asked| asked.param("limit") == Some("10")).unwrap();
        let from: i64 = first.param("min_created").unwrap().parse().unwrap();
        (looked.len(), from, rig.home.json("runs --limit 1")[0]["notes"].to_string())
    };
    let (asked, begun, notes) = look();
    assert!((15..=21).contains(&asked), "{asked}");
    assert!(notes.contains("are used up") && notes.contains("goes on from there"), "{notes}");
    assert!(rig.show(id)["refunds"].as_array().unwrap().is_empty());
    let (asked, from, notes) = look();
    assert!(asked <= 21 && from > begun + 10 * 86_400, "{asked}: {from} after {begun}");
    assert_eq!((&rig.show(id)["refunds"][0]["amount"], notes.as_str()), (&json!("5.00"), "[]"));
    let (_, from, _) = look();
    assert!(from < begun + 86_400, "and then it begins anew");
}

/// The first of the last weeks' receipts is asked for their number.
#[test]
fn i4_a_first_receipt_that_cannot_be_shown_does_not_end_the_look_at_the_last_weeks() {
    let rig = connected(Options::rehearsal(), 30, "");
    let hidden = rig.shop.place_order(NewOrder::of(&[("TEE-001", 1)]).at(Utc::now() - TimeDelta::days(44)));
    let id = rig.order(&NewOrder::of(&[("TEE-001", 1)]).at(Utc::now() - TimeDelta::days(2)));
    rig.order(&NewOrder::of(&[("MUG-9", 1)]).at(Utc::now() - TimeDelta::days(1)));
    assert!(rig.shop.set_unrenderable(&hidden.to_string(), true));
    rig.shop.refund_silently(id, "5.00").unwrap();
    rig.a_day_later();
    rig.home.run("sync").done();
    assert_eq!(rig.show(id)["refunds"][0]["amount"], json!("5.00"), "{}", rig.home.json("runs --limit 1"));
}

/// What comes in the place of a list, or in the middle of a run, is a clear error that loses nothing,
/// and the next sync brings all.
#[test]
fn f4_answers_that_are_none_cost_the_run_and_no_order() {
    let says = |status, text: &str| FaultKind::Says(status, text.to_owned());
    for fault in [
        says(200, "Server Error"),
        says(403, "User does not own the requested shop."),
        says(400, "Invalid value for parameter: [limit]"),
        FaultKind::Firewall,
        FaultKind::OtherJson(json!({ "count": 500, "results": [] })),
        FaultKind::OtherJson(json!({ "count": "500", "results": null })),
        FaultKind::OtherJson(json!([])),
        FaultKind::OtherJson(json!(null)),
    ] {
        let told = format!("{fault:?}");
        let rig = seeded(Options::rehearsal(), 60);
        rig.connect("--since all --set page_size=10").exits(0);
        rig.fault(Fault::new(fault).on("GET", "/receipts").after(3).always());
        let done = rig.home.run("sync").done();
        assert!(matches!(done.code, Some(1 | 4 | 5)), "{told}: {done:?}");
        assert!(done.stderr.contains("hint: "), "{told}: {done:?}");
        rig.server.faults().clear();
        rig.home.run("sync").exits(0);
        rig.assert_settled(&told);
    }
}

/// A count that is larger than what comes is told, and what came is kept.
#[test]
fn i3_a_list_that_counts_more_than_it_brings_is_told() {
    let rig = connected(Options::rehearsal(), 20, "");
    let id = rig.shop.place_order(NewOrder::of(&[("TEE-001", 1)]));
    let row = rig.shop.document(&id.to_string()).unwrap();
    let page = json!({ "count": 500, "results": [row] });
    rig.fault(Fault::new(FaultKind::OtherJson(page)).on("GET", "/receipts").always());
    let done = rig.home.run("sync").done();
    assert!(done.code != Some(0) || rig.home.json("inbox") != json!([]), "{done:?}");
    rig.server.faults().clear();
    rig.home.run("sync").done();
    assert_eq!(rig.known(), rig.shop.numbers());
}
