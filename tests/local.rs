//! Local work at the command line: what is said, what is refused, and what is repeated by nobody.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use support::woo::Rig;

/// A home with two paid orders, 1 and 2 in the book.
fn rig() -> Rig {
    let rig = Rig::new();
    rig.paid(2);
    rig.paid(1);
    rig.sync();
    rig
}

/// The text of a note, a reason or a name, of somebody who means no good.
const HOSTILE: &str = "\u{1b}[2J\u{7}\u{202e}\nerror: all is lost";

#[test]
fn a_hold_ends_by_itself_for_whatever_looks_at_the_book_after_it() {
    let rig = rig();
    let day = (Utc::now() + TimeDelta::milliseconds(1500)).to_rfc3339();
    rig.home.call(&["hold", "1", "--until", &day]).exits(0).prints("until");
    let open = || rig.home.json("orders --status awaiting-fulfillment").as_array().unwrap().len();
    assert_eq!((open(), &rig.home.json("show 1")["status"]), (1, &json!("on-hold")));
    std::thread::sleep(Duration::from_millis(1600));
    assert_eq!(open(), 2);
    let shown = rig.home.json("show 1");
    assert_eq!((&shown["status"], &shown["hold"]), (&json!("awaiting-fulfillment"), &json!(null)));
    let last = shown["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["what"], &last["who"]), (&json!("released by itself"), &json!("program")));
    assert_eq!(rig.writes().len(), 0);
}

#[test]
fn a_hold_is_changed_by_what_is_said_and_keeps_what_is_not() {
    let rig = rig();
    rig.home.run("hold 1 --until 3d --reason asked").exits(0);
    rig.home.run("hold 1 --reason asked").exits(0).prints("already").prints("nothing was changed");
    let hold = || rig.home.json("show 1")["hold"].clone();
    assert!(hold()["until"].is_string());
    rig.home.run("hold 1").exits(0).prints("until you release it and no longer until").without("already");
    assert!(hold()["until"].is_null());
    rig.home.run("hold 1").exits(0).prints("already").prints("nothing was changed");
    rig.home.run("hold 1 --until 3d").exits(0);
    rig.home.run("hold 1 --until none").exits(0).prints("until you release it");
    assert_eq!((&hold()["until"], &hold()["reason"]), (&json!(null), &json!("asked")));
    for bad in ["yesterday", "2020-01-01", "0d"] {
        rig.home.run(&format!("hold 1 --until {bad}")).exits(2).says("--until").says("nothing was changed");
    }
    rig.home.call(&["hold", "1", "--reason", " "]).exits(2);
    rig.home.run("release 1 --dry-run").exits(0).prints("a dry run");
    assert!(hold().is_object(), "a rehearsal");
    assert_eq!(rig.home.json("release 1")["state"], "done");
    assert_eq!(rig.home.json("release 1")["state"], "already");
    rig.home.run("hold 99").exits(7);
    rig.home.run("hold 1 --dry-run -q").exits(0).prints("dry run");
}

#[test]
fn a_rehearsal_of_local_work_leaves_nothing_and_ends_like_the_act() {
    let rig = rig();
    let before = rig.home.json("show 1");
    for words in ["hold 1", "dropship 1 --to Sam", "refund 1 --amount 1 --line #1=1", "note 1 ring", "tag 1 gift"] {
        let done = rig.home.json(&format!("{words} --dry-run"));
        assert_eq!((&done["state"], &done["order"]), (&json!("dry-run"), &json!("1")), "{words}");
        assert_eq!(rig.home.json("show 1"), before, "{words}");
    }
    rig.home.run("cancel 1 --local").exits(0);
    for words in ["hold 1", "dropship 1"] {
        for more in ["", " --dry-run"] {
            rig.home.run(&format!("{words}{more}")).exits(6).says("is cancelled").says("hint: ");
        }
    }
}

/// A note may hold what nobody else is to read.
#[test]
fn x3_the_merchants_own_texts_are_in_no_error_and_no_line_of_the_trail() {
    let rig = rig();
    let secret = "Mrs Jones of 12 Hill Road";
    rig.home.call(&["note", "1", secret]).exits(0).without("Jones");
    rig.home.call(&["note", "1", &format!("{secret} ").repeat(300)]).exits(2).says("4000").without("Jones");
    rig.home.call(&["note", "99", secret]).exits(7).without("Jones");
    rig.home.run("show 1").exits(0).prints(secret);
    assert!(!rig.home.json("show 1")["history"].to_string().contains("Jones"));
    rig.home.run("note 1 --remove 1").exits(0);
    rig.home.run("note 1 --remove 1").exits(0).prints("already");
    rig.home.run("note 1 --remove 2").exits(7).says("has no note 2");
    rig.home.run("show 1 --history").exits(0).without("Jones");
    let left = rig.home.sql("SELECT count(*) FROM notes WHERE text <> ''");
    assert_eq!(left, ["0"]);
}

#[test]
fn c7_the_merchants_own_texts_are_only_text_on_a_terminal_and_in_a_csv() {
    let rig = rig();
    rig.home.call(&["note", "1", HOSTILE]).exits(0);
    rig.home.call(&["hold", "1", "--reason", HOSTILE]).exits(0);
    rig.home.call(&["dropship", "1", "--on-hold", "--to", HOSTILE]).exits(0);
    rig.home.call(&["refund", "1", "--amount", "1", "--reason", HOSTILE]).exits(0);
    rig.home.call(&["tag", "1", "=cmd"]).exits(0);
    for words in ["show 1", "show 1 --history", "orders", "hold 1", "orders --csv"] {
        let done = rig.home.run(words).exits(0);
        let harmful = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        for text in [&done.stdout, &done.stderr] {
            assert!(!text.chars().any(harmful), "{words}: {text:?}");
            assert!(!text.lines().any(|line| line.starts_with("error: all is lost")), "{words}");
        }
    }
    rig.home.run("orders --csv").exits(0).without(",=cmd");
    rig.home.call(&["tag", "1", "a,b"]).exits(2);
    rig.home.call(&["tag", "1", HOSTILE]).exits(2);
}

#[test]
fn i8_an_amount_that_is_given_back_is_exact() {
    let rig = rig();
    for bad in ["12,50", "-1", "0", "1e2", "0.001", "all", ""] {
        rig.home.call(&["refund", "1", &format!("--amount={bad}")]).exits(2).says("nothing was recorded");
    }
    rig.home.run("refund 1").exits(2);
    let total = rig.home.json("show 1")["totals"]["total"].as_str().unwrap().to_owned();
    rig.home.run("refund 1 --amount 0.10").exits(0).says("own pages");
    rig.home.run("refund 1 --amount 0.10").exits(0).prints("recorded already");
    rig.home.run("refund 1 --amount 0.10 --again").exits(0);
    rig.home.run(&format!("refund 1 --amount {total}")).exits(6).says("left to give back, not");
    rig.home.run("refund 1 --amount 1 --line TEE-001=9").exits(6);
    rig.home.run("refund 1 --amount 1 --line NONE=1").exits(7).says("left to give back");
    rig.home.run("refund 1 --amount 1 --line TEE-001").exits(2).says("--line");
    let own = rig.home.json("show 1")["own_refunds"].clone();
    assert_eq!((own.as_array().unwrap().len(), &own[1]["amount"]), (2, &json!("0.10")));
    assert_eq!(rig.home.json("show 1")["totals"]["refunded"], "0.00", "what the channel says stays what it says");
    assert_eq!(rig.writes().len(), 0);
}

/// Two terminals, and a sync beside them.
#[test]
fn f2_local_work_of_several_at_once_is_all_done_and_nothing_is_done_twice() {
    let rig = rig();
    let words = |n: usize| match n % 4 {
        0 => format!("note 1 text-{n}"),
        1 => format!("tag 1 tag-{n}"),
        2 => "refund 1 --amount 0.25".to_owned(),
        _ => "sync".to_owned(),
    };
    let run = &|n: usize| rig.home.run(&words(n)).done().code;
    let codes: Vec<Option<i32>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..12).map(|n| scope.spawn(move || run(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 8))), "{codes:?}");
    let shown = rig.home.json("show 1");
    let many = |key: &str| shown[key].as_array().unwrap().len();
    assert_eq!((many("notes"), many("tags"), many("own_refunds")), (3, 3, 1));
    let numbers: Vec<&str> =
        shown["notes"].as_array().unwrap().iter().filter_map(|note| note["note"].as_str()).collect();
    assert_eq!(numbers, ["1", "2", "3"]);
}
