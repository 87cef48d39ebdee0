//! Orders that cannot be shown or read: each costs itself only.

use chrono::{TimeDelta, Utc};
use ordersync::channel::CancelSupport;
use ordersync::sim::{Exchange, Fault, FaultKind, Lack, Purchase};
use serde_json::{Value, json};

use super::desk::{Desk, each, each_kind};
use super::setups::{self, peculiar};

/// Sums of such amounts ended the program: nothing of the page was kept, or no list of the book
/// could be printed any more.
#[test]
fn x7_an_order_with_absurd_amounts_costs_one_order() {
    each(|desk| {
        desk.sync();
        for (n, amount) in
            ["9000000000000000000000000000.00", "79228162514264337593543950335", "1e999"].iter().enumerate()
        {
            let ids: Vec<String> = (0..3).map(|_| desk.store.place(&Purchase::of(&[("TEE-001", 1)]))).collect();
            desk.server.faults().add(Fault::new(FaultKind::AbsurdAmounts((*amount).to_owned())).always());
            let done = desk.home.run("sync").exits(3);
            assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 1, "{} {amount} {done:?}", desk.kind);
            desk.server.faults().clear();
            for id in &ids {
                assert!(desk.store.touch(id));
            }
            desk.home.run("sync --full").done();
            for id in &ids {
                assert_eq!(desk.show(id)["status"], "awaiting-fulfillment", "{} {amount} {n}", desk.kind);
            }
        }
    });
}

#[test]
fn x7_a_book_that_holds_absurd_amounts_can_still_be_read() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 2), ("MUG-9", 1)]);
        let other = desk.paid(&[("TEE-001", 1)]);
        let largest = "'79228162514264337593543950335'";
        for set in [
            format!("UPDATE orders SET total = {largest} WHERE remote_id = '{id}' RETURNING id"),
            format!("UPDATE lines SET quantity = {largest}, total = {largest} RETURNING order_id"),
        ] {
            desk.home.sql(&set);
        }
        for command in ["orders", "orders --csv", "orders --json", "status", "doctor"] {
            let done = desk.home.run(command).done();
            assert!(matches!(done.code, Some(0 | 3)), "{done:?}");
        }
        desk.on("show", &id, "").exits(0);
        desk.on("dispatch", &other, "--carrier dhl --tracking JD01").done();
    });
}

#[test]
fn i4_i7_an_order_that_cannot_be_read_costs_one_order_and_is_accounted_for_until_it_is_mended() {
    each(|desk| {
        desk.sync();
        let ids: Vec<String> = (0..3).map(|_| desk.store.place(&Purchase::of(&[("TEE-001", 1)]))).collect();
        assert!(desk.store.spoil(&ids[1], true));
        desk.home.run("sync").exits(3).says("1 order could not be read; the inbox has").says("ordersync inbox");
        desk.home.run("status").exits(0).prints("1 thing in the inbox; ordersync inbox says what");
        let run = desk.home.json("runs --limit 1")[0].clone();
        let told = (&run["new"], &run["failed"], &run["state"]);
        assert_eq!(told, (&json!(2), &json!(1), &json!("partly")), "{}: {run}", desk.kind);
        let inbox = desk.home.json("inbox");
        assert_eq!((inbox.as_array().unwrap().len(), &inbox[0]["kind"]), (1, &json!("unreadable")), "{inbox}");
        assert!(inbox.to_string().contains(&format!("order {} ", ids[1])), "{}: {inbox}", desk.kind);
        desk.home.run("status --check --quiet").exits(3);
        desk.home.run("runs").exits(0).prints("1 order could not be read");

        assert!(desk.store.readdress(&ids[0], "77 Somewhere Else"));
        assert!(desk.store.spoil(&ids[1], false));
        assert!(desk.store.touch(&ids[2]));
        desk.home.run("sync").exits(0);
        let run = desk.home.json("runs --limit 1")[0].clone();
        let count = |key: &str| run[key].as_u64().unwrap();
        assert_eq!(count("fetched"), count("new") + count("changed") + count("unchanged") + count("failed"));
        assert_eq!([count("new"), count("changed"), count("failed")], [1, 1, 0], "{}: {run}", desk.kind);
        assert_eq!(desk.home.json("inbox"), json!([]), "{}", desk.kind);
        desk.assert_converged("mended");
    });
}

#[test]
fn i4_an_order_of_the_book_that_was_unreadable_once_leaves_the_inbox_when_it_comes_back_unchanged() {
    each(|desk| {
        desk.sync();
        desk.server.faults().add(desk.list_fault(FaultKind::AbsurdAmounts("1e999".to_owned())).always());
        desk.home.run("sync --full").exits(3);
        assert_ne!(desk.home.json("inbox"), json!([]), "{}", desk.kind);
        desk.server.faults().clear();
        let report = desk.home.json("sync --full")["stores"][0].clone();
        assert_eq!((&report["changed"], desk.home.json("inbox")), (&json!(0), json!([])), "{}: {report}", desk.kind);
    });
}

/// A row that is nothing has no date and no number: the walk goes on behind it, and once that is
/// long ago only the inbox knows of it.
#[test]
fn i4_a_row_that_is_null_stays_in_the_inbox_until_all_is_read_again() {
    each(|desk| {
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        assert!(desk.store.redate(&id, Utc::now() - TimeDelta::days(2)));
        desk.server.faults().add(desk.list_fault(FaultKind::Nulled(vec![id.clone()])).always());
        desk.home.run("sync").exits(3);
        desk.server.faults().clear();
        desk.sync();
        desk.sync();
        let inbox = desk.home.json("inbox");
        let told = format!("{inbox}");
        assert_eq!(inbox.as_array().unwrap().len(), 1, "{}: {told}", desk.kind);
        assert!(told.contains("sync --full") && told.contains("not in the book"), "{}: {told}", desk.kind);
        desk.home.run("sync --full").exits(0);
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        assert_eq!(desk.home.json("inbox"), json!([]), "{}", desk.kind);
    });
}

#[test]
fn i4_an_unreadable_order_is_tried_again_by_a_newer_program() {
    each(|desk| {
        desk.sync();
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        assert!(desk.store.spoil(&id, true));
        desk.home.run("sync").exits(3);
        // No list of changes shows it any more.
        assert!(desk.store.spoil(&id, false) && desk.store.redate(&id, Utc::now() - TimeDelta::days(30)));
        // As if an older program had failed on a document that this one can read.
        let document = desk.opened().1.channel.order(&id).unwrap().unwrap().document.get().replace('\'', "''");
        desk.home.sql(&format!("UPDATE inbox SET program = '0.0.1', document = '{document}'"));
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        assert_eq!(desk.home.json("inbox"), json!([]), "{}", desk.kind);
    });
}

/// Inside one order's document: the same key twice, a number that is none, text in another
/// encoding.
#[test]
fn i4_one_row_that_is_broken_json_costs_one_order_by_its_name_until_it_comes_mended() {
    each(|desk| {
        desk.sync();
        for junk in
            [&br#""status":1,"id":ID,"#[..], br#""broken":1e999,"#, br#""broken":01,"#, b"\"broken\":\"M\xfcller\","]
        {
            let ids: Vec<String> = (0..3).map(|_| desk.store.place(&Purchase::of(&[("TEE-001", 1)]))).collect();
            if peculiar(desk.kind).read_as_a_whole && !junk.ends_with(b"1e999,") && std::str::from_utf8(junk).is_ok() {
                continue;
            }
            let id = desk.store.document(&ids[1]).unwrap()["id"].to_string();
            let junk = String::from_utf8(junk.to_vec()).map(|text| text.replace("ID", &id).into_bytes());
            let junk = junk.unwrap_or_else(|error| error.into_bytes());
            desk.server.faults().add(Fault::new(FaultKind::Spliced(format!("\"id\":{id},"), junk.clone())).always());
            let told = format!("{} {}", desk.kind, String::from_utf8_lossy(&junk));
            let done = desk.home.run("sync").done();
            let inbox = desk.home.json("inbox");
            // A member that nobody looks at may hold what it will.
            if done.code != Some(0) {
                assert_eq!((done.code, inbox.as_array().unwrap().len()), (Some(3), 1), "{told} {done:?}");
                assert!(inbox.to_string().contains(&format!("order {} ", ids[1])), "{told} {inbox}");
            }
            for id in [&ids[0], &ids[2]] {
                assert_eq!(desk.show(id)["status"], "awaiting-fulfillment", "{told}");
            }
            desk.server.faults().clear();
            assert!(desk.store.touch(&ids[1]));
            desk.sync();
            assert_eq!(desk.show(&ids[1])["status"], "awaiting-fulfillment", "{told}");
            assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 0, "{told}");
        }
    });
}

#[test]
fn i4_an_order_that_the_channel_cannot_show_is_left_out_named_and_comes_once_it_is_mended() {
    each_kind(|kind| {
        let desk = Desk::new(kind);
        let from = Utc::now() - TimeDelta::days(9);
        desk.store.seed(150, from, Utc::now() - TimeDelta::days(1));
        let ids = desk.store.ids();
        let hidden: Vec<&String> = [60, 61, 130].iter().filter_map(|nth| ids.get(*nth)).collect();
        let named = |open: &Value| -> usize {
            let texts: Vec<String> = open.as_array().unwrap().iter().map(ToString::to_string).collect();
            hidden.iter().filter(|id| texts.iter().any(|text| text.contains(&format!("order {id} ")))).count()
        };
        let listed = desk.elsewhere();
        hidden.iter().for_each(|id| assert!(desk.store.set_unrenderable(id, true)));
        desk.home.run("sync").exits(3);
        let first = setups::asked(&desk);
        let known: Vec<String> = desk.home.sql("SELECT remote_id FROM orders");
        let missing: Vec<&String> = listed.iter().filter(|id| !known.contains(id) && !hidden.contains(id)).collect();
        assert!(missing.is_empty(), "{kind}: lost {missing:?}");
        let has_names = !desk.store.lacks(Lack::NearIds);
        let inbox = desk.home.json("inbox");
        let told = if has_names { named(&inbox) } else { inbox.as_array().unwrap().len() };
        assert_eq!(told, 3, "{kind}: {inbox}");
        let most = if peculiar(kind).unshowable.is_some() { 100 } else { 150 };
        assert!(first < most, "{kind}: {first} requests");

        let later = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.home.run("sync").exits(0);
        assert_eq!(desk.show(&later)["status"], "awaiting-fulfillment", "{kind}");
        hidden.iter().for_each(|id| assert!(desk.store.set_unrenderable(id, false)));
        desk.home.run(&format!("pull {kind}:{}", hidden[0])).exits(0);
        desk.home.sql("UPDATE rereads SET due_at = 0");
        desk.home.run("sync").exits(0);
        if !has_names {
            // What has no name is looked for where all is read again.
            desk.home.run("sync --full").exits(0);
            assert_eq!(desk.home.json("inbox"), json!([]), "{kind}");
        }
        assert_eq!(named(&desk.home.json("inbox")), 0, "{kind}: {}", desk.home.json("inbox"));
        for id in &hidden {
            assert_eq!(desk.home.sql(&format!("SELECT count(*) FROM orders WHERE remote_id = '{id}'")), ["1"]);
        }
    });
}

/// A page of 100 is halved down to it: 2 log2(100) requests for each of them, in each walk that meets
/// it.
#[test]
fn i4_an_order_that_cannot_be_shown_costs_twice_the_halvings_of_its_page() {
    each_kind(|kind| {
        // One walk by time, and slices.
        for orders in [220, 420] {
            let Some(most) = peculiar(kind).unshowable else { return };
            let desk = Desk::unconnected(kind);
            desk.store.seed(orders, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
            desk.connect("--set page_size=100").exits(0);
            desk.home.run("sync").exits(0);
            let ids = desk.store.ids();
            let asked = |hidden: &[usize]| {
                hidden.iter().for_each(|nth| assert!(desk.store.set_unrenderable(&ids[*nth], true)));
                desk.server.clear_requests();
                desk.home.run("sync --full").exits(if hidden.is_empty() { 0 } else { 3 });
                hidden.iter().for_each(|nth| assert!(desk.store.set_unrenderable(&ids[*nth], false)));
                setups::asked(&desk)
            };
            let all = asked(&[]);
            for hidden in [&[60][..], &[150], &[70, 71, 120, 180]] {
                let more = asked(hidden).saturating_sub(all);
                assert!(more <= most * hidden.len(), "{kind}: {more} more than {all} for {hidden:?} of {orders}");
            }
        }
    });
}

/// Each failure is waited out before it is repeated, so what fails for good is not asked again and
/// again.
#[test]
fn i4_the_search_for_an_order_that_the_channel_cannot_show_is_short_of_patience() {
    each_kind(|kind| {
        let desk = Desk::new(kind);
        desk.store.seed(150, Utc::now() - TimeDelta::days(9), Utc::now() - TimeDelta::days(1));
        let midst = Some(Utc::now() - TimeDelta::days(5));
        let hidden = desk.store.place(&Purchase { at: midst, ..Purchase::of(&[("TEE-001", 1)]) });
        assert!(desk.store.set_unrenderable(&hidden, true));
        desk.server.clear_requests();
        desk.home.run("sync").exits(3);
        let name = if desk.store.lacks(Lack::NearIds) { "order ".to_owned() } else { format!("order {hidden} ") };
        assert!(desk.home.json("inbox").to_string().contains(&name), "{}", desk.kind);
        let failed: Vec<String> = desk
            .server
            .requests()
            .iter()
            .filter(|asked| asked.is_failure())
            .map(|asked| format!("{} {:?} {}", asked.name(), asked.query, String::from_utf8_lossy(&asked.body)))
            .collect();
        let same = |one: &String| failed.iter().filter(|other| *other == one).count();
        let most = failed.iter().max_by_key(|one| same(one)).unwrap();
        // Once to find the row, and once more after the channel was seen to be well: where the halvings
        // end at it, these are one question. Each is repeated once.
        assert!(same(most) <= 4, "{}: {} times {most}", desk.kind, same(most));
        assert!(failed.len() <= 24, "{}: {} failures {failed:#?}", desk.kind, failed.len());
    });
}

#[test]
fn i4_a_newest_order_that_the_channel_cannot_show_holds_up_none_that_comes_later() {
    each_kind(|kind| {
        let desk = Desk::new(kind);
        desk.sync();
        // A second that is not over is read again by the next sync, and this order is not to be met
        // again.
        let hidden = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        assert!(desk.store.redate(&hidden, Utc::now() - TimeDelta::seconds(10)));
        assert!(desk.store.set_unrenderable(&hidden, true));
        desk.home.run("sync").exits(3);
        for _ in 0..2 {
            let id = desk.store.place(&Purchase::of(&[("MUG-9", 1)]));
            desk.home.run("sync").exits(0);
            assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{kind}");
        }
        desk.server.clear_requests();
        desk.home.run("sync").exits(0);
        let asked: Vec<String> = desk.server.requests().iter().map(Exchange::name).collect();
        assert!(asked.len() <= 12, "{kind}: {} {asked:#?}", asked.len());
        desk.server.faults().add(Fault::new(FaultKind::ServerError(502)).always());
        desk.home.run("sync").exits(5);
        assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 1, "{kind}: an outage is no order's fault");
    });
}

/// Whatever it is asked: an answer of another kind says whose it was, what it was and what was not
/// done, and which command helps.
#[test]
fn f4_c6_an_answer_of_another_kind_is_named_with_its_address_and_what_helps() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        for other in [json!({}), json!(null), json!(7), json!("Ann"), json!({ "data": null })] {
            let fault = |kind| Fault::new(kind).always();
            desk.server.faults().add(fault(FaultKind::OtherJson(other.clone())));
            let order = format!("{}:{id}", desk.kind);
            for command in ["sync --full", "connect --test", "doctor", &format!("pull {order}")] {
                let done = desk.home.run(command).done();
                let told = format!("{} {other} {command}: {done:?}", desk.kind);
                let said = format!("{}{}", done.stdout, done.stderr);
                assert!(!matches!(done.code, Some(0 | 101)), "{told}");
                assert!(said.contains(desk.server.url().trim_end_matches('/')), "whose answer: {told}");
                assert!(said.contains("nothing was"), "{told}");
                assert!(!said.contains("STORE") && !said.contains("Ann") && !said.contains('&'), "{told}");
                let helps = if command.starts_with("sync") { "ordersync connect --test" } else { "" };
                assert!(done.stderr.contains(helps), "{told}");
            }
            desk.server.faults().clear();
        }
        desk.sync();
        assert_eq!(desk.home.json("inbox"), json!([]), "{}", desk.kind);
    });
}

/// No sync takes up what is not recorded.
#[test]
fn c6_an_answer_that_an_act_cannot_use_leaves_nothing_behind_and_promises_nothing() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        desk.server.faults().add(Fault::new(FaultKind::HtmlInstead).always());
        for (act, more) in [("dispatch", "--carrier dhl --tracking JD01"), ("cancel", "")] {
            if act == "cancel" && !matches!(desk.capabilities().cancel, CancelSupport::Yes(_)) {
                continue;
            }
            let done = desk.on(act, &id, more).exits(1).says("nothing was recorded or sent");
            done.says("connect --test").without("the next sync tries again");
            assert_eq!(desk.home.json("outbox"), json!([]), "{} {act}", desk.kind);
        }
    });
}
