//! `ordersync listen`: webhooks of simulated stores, really delivered to the real program.

#![cfg(all(feature = "simulator", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ordersync::channel::ChannelKind;
use ordersync::clock::SystemClock;
use ordersync::sim::ebay;
use ordersync::sim::magento::{self, AsyncEvents};
use ordersync::sim::woocommerce::{NewOrder, Options};
use ordersync::sim::world::hooks::{Hook, Letter};
use ordersync::sim::{Fault, FaultKind, Lack, Purchase, Server, ServerOptions, Simulated, another, example, rehearsal};
use support::program::{Home, RECEIPT, until};
use support::woo::Rig;

/// A receiver at work; it ends with the test.
struct Listening {
    child: Child,
    port: u16,
}

impl Listening {
    /// Receives for the home's stores, subscribed under its own address.
    fn start(home: &Home) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::at(home, port, &format!("--public-url http://127.0.0.1:{port}"))
    }

    /// Receives for the stores of a kind, each by its name.
    fn start_of(home: &Home, kind: ChannelKind) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::at(home, port, &format!("--channel {kind} --public-url http://127.0.0.1:{port}"))
    }

    fn at(home: &Home, port: u16, more: &str) -> Self {
        let child = home.spawn(&format!("listen --bind 127.0.0.1:{port} {more}"), &[]);
        let listening = Self { child, port };
        until("the receiver", || listening.try_raw(b"GET /health HTTP/1.1\r\n\r\n").is_some());
        listening
    }

    fn try_raw(&self, bytes: &[u8]) -> Option<u16> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        let _ = stream.write_all(bytes);
        status(&mut stream)
    }

    /// What is answered to these bytes; 0 where nothing is.
    fn raw(&self, bytes: &[u8]) -> u16 {
        self.try_raw(bytes).unwrap_or(0)
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Ends it as a service manager does, and gives exit code and how long that took.
    fn stop(mut self) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        (status.code(), begun.elapsed())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut answer = Vec::new();
    let mut part = [0; 512];
    while !answer.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part).ok()? {
            0 => break,
            read => answer.extend_from_slice(&part[..read]),
        }
    }
    let text = String::from_utf8(answer).ok()?;
    assert!(text.is_empty() || text.to_lowercase().contains("content-length: 0\r\n"), "{text}");
    text.split(' ').nth(1)?.parse().ok()
}

/// A shop that delivers to a receiver: all subscriptions are made and tested.
fn delivering(rig: &Rig) -> Listening {
    let listening = Listening::start(&rig.home);
    until("the subscriptions and their tests", || rig.shop.letters().len() == 4);
    assert!(rig.shop.letters().iter().all(|ping| ping.status == Some(200)), "a test is answered 200");
    until("what is written down of it", || is_subscribed(&rig.home));
    listening
}

fn is_subscribed(home: &Home) -> bool {
    !home.sql("SELECT 1 FROM hooks WHERE checked_at > 0").is_empty()
}

fn book_has(home: &Home, id: u64) -> bool {
    home.sql(&format!("SELECT 1 FROM orders WHERE remote_id = '{id}'")).len() == 1
}

/// The last delivery, once so many were answered.
fn letter(rig: &Rig, nth: usize) -> Letter {
    until("a delivery", || rig.shop.letters().len() >= nth);
    rig.shop.letters().pop().unwrap()
}

fn header<'a>(letter: &'a mut Letter, name: &str) -> &'a mut String {
    &mut letter.headers.iter_mut().find(|(known, _)| known == name).unwrap().1
}

#[test]
fn w1_an_order_is_in_the_book_within_seconds_and_changes_follow() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let begun = Instant::now();
    let id = rig.paid(2);
    until("the order", || book_has(&rig.home, id));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(rig.shop.set_status(id, "cancelled"));
    until("the cancellation", || rig.home.json("changes").to_string().contains("cancelled"));
    rig.server.clear_requests();
    let writes = rig.shop.writes();
    assert_eq!(writes, 4, "the subscriptions, and nothing else was written");
    let (code, took) = listening.stop();
    assert!(code == Some(0) && took < Duration::from_secs(2), "{code:?} {took:?}");
    rig.assert_converged("by webhooks alone");
}

#[test]
fn w1_what_happens_within_a_second_is_read_once() {
    let rig = Rig::new();
    let _listening = delivering(&rig);
    rig.server.clear_requests();
    let id = rig.paid(1);
    for note in 0..5 {
        rig.shop.annotate(&id.to_string(), &format!("note {note}"));
    }
    until("the last of it", || book_has(&rig.home, id) && rig.show(id).to_string().contains("note 4"));
    until("the end of the work", || rig.home.sql("SELECT 1 FROM rereads").is_empty());
    let reads = rig.server.requests().iter().filter(|one| one.target().contains("wc/v3/orders?")).count();
    assert!(reads <= 2, "{reads} reads of one order");
}

#[test]
fn w1_what_is_set_while_it_runs_holds_for_the_next_delivery_and_a_store_that_was_removed_gets_none() {
    let rig = Rig::with(Options { custom_statuses: vec!["packed".to_owned()], ..Options::demo() });
    let listening = delivering(&rig);
    let (first, second) = (rig.paid(1), rig.paid(1));
    until("the orders", || book_has(&rig.home, first) && book_has(&rig.home, second));
    assert!(rig.shop.set_status(first, "packed"));
    until("its delivery", || {
        rig.shop.letters().iter().any(|letter| String::from_utf8_lossy(&letter.body).contains("packed"))
    });
    until("the end of the work", || rig.home.sql("SELECT 1 FROM rereads").is_empty());
    assert_ne!(rig.status(first), "shipped");
    rig.home.run("config set woocommerce.statuses packed=shipped").exits(0);
    assert!(rig.shop.set_status(second, "packed"));
    until("the change by the new meaning", || rig.home.json("inbox").to_string().contains("shipped at WooCommerce"));
    // As another process is told by the shop.
    rig.home.sql("UPDATE stores SET paused_until = (unixepoch() + 4) * 1000, paused_why = 'busy'");
    rig.server.clear_requests();
    let third = rig.paid(1);
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(rig.server.requests().len(), 0, "i6: the pause is everybody's");
    until("the order after the pause", || book_has(&rig.home, third));
    let good = letter(&rig, 5);
    rig.home.run("connect --remove woocommerce").exits(0);
    until("the end of what is received", || good.send() == Some(404));
    drop(listening);
}

#[test]
fn p12_a_word_that_nobody_knows_is_told_as_soon_as_a_delivery_brings_it() {
    let rig = Rig::with(Options { custom_statuses: vec!["xqzt".to_owned()], ..Options::demo() });
    let _listening = delivering(&rig);
    let id = rig.paid(1);
    assert!(rig.shop.set_status(id, "xqzt"));
    until("the question", || rig.home.json("inbox").to_string().contains("woocommerce.statuses xqzt="));
}

#[test]
fn w1_a_path_before_ours_is_known_again_after_a_restart_and_what_comes_beside_it_is_counted() {
    let rig = Rig::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let first = Listening::at(&rig.home, port, &format!("--public-url http://127.0.0.1:{port}/ordersync"));
    until("the subscriptions and their tests", || rig.shop.letters().len() == 4);
    let path = |address: &str| address.split_once(&format!(":{port}")).unwrap().1.to_owned();
    let hooks = rig.shop.hooks();
    assert!(hooks.iter().all(|hook| path(&hook.address).starts_with("/ordersync/hooks/")), "{hooks:?}");
    let (code, _) = first.stop();
    assert_eq!(code, Some(0));
    let again = Listening::at(&rig.home, port, "");
    let id = rig.paid(1);
    until("the order", || book_has(&rig.home, id));
    assert_eq!(letter(&rig, 5).status, Some(200));
    // A proxy may take the path away; another one is nobody's.
    let mut beside = letter(&rig, 5);
    beside.address = hooks[0].address.replace("/ordersync", "");
    assert_eq!(beside.send(), Some(200));
    beside.address = hooks[0].address.replace("/ordersync", "/other");
    assert_eq!(beside.send(), Some(404));
    again.stop();
    assert_eq!(rig.home.sql("SELECT refused FROM hooks"), ["1"]);
}

#[test]
fn w1_one_that_is_ended_while_it_still_looks_at_its_subscriptions_ends_well() {
    let rig = Rig::new();
    rig.server.faults().add(Fault::new(FaultKind::Slow(Duration::from_secs(60))).on("GET", "webhooks").always());
    let mut listening = Listening::start(&rig.home);
    let mut told = listening.child.stderr.take().unwrap();
    let (code, took) = listening.stop();
    assert!(code == Some(0) && took < Duration::from_secs(30), "{code:?} after {took:?}");
    let mut text = String::new();
    told.read_to_string(&mut text).unwrap();
    assert!(!text.contains("not as they should be"), "{text}");
    // The next one does it.
    rig.server.faults().clear();
    let _again = delivering(&rig);
}

#[test]
fn w1_an_address_that_was_left_is_answered_after_a_restart_and_doctor_says_how_long_to_keep_it_up() {
    for (kind, hours) in [(ChannelKind::Shopify, "another 3 h"), (ChannelKind::BigCommerce, "another 47 h")] {
        let (store, _server, home) = connected(kind);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let public = |prefix: &str| format!("--channel {kind} --public-url http://127.0.0.1:{port}{prefix}");
        let are_at = |prefix: &str| {
            let at = format!(":{port}{prefix}/hooks/");
            store.hooks().len() == topics(kind) && store.hooks().iter().all(|hook| hook.address.contains(&at))
        };
        let first = Listening::at(&home, port, &public("/old"));
        until("the subscriptions", || are_at("/old"));
        until("what is written down of it", || is_subscribed(&home));
        store.place(&Purchase::paid().line("TEE-001", 1));
        until("a delivery", || store.letters().iter().any(|one| one.status == Some(200) && one.body.len() > 30));
        let old = store.letters().into_iter().rfind(|one| one.body.len() > 30).unwrap();
        home.run("doctor --offline").exits(0).prints("is at work").without("keep http");
        assert_eq!(first.stop().0, Some(0));
        let second = Listening::at(&home, port, &public("/new"));
        until("the new address", || are_at("/new"));
        until("what is written down of it", || is_subscribed(&home));
        assert_eq!(old.send(), Some(200), "{kind}");
        assert_eq!(second.stop().0, Some(0));
        let again = Listening::at(&home, port, "");
        assert_eq!(old.send(), Some(200), "{kind}: after a restart");
        let told = home.run("doctor --offline").exits(0);
        told.prints(&format!("keep http://127.0.0.1:{port}/old up for another")).prints(hours);
        // In time nothing is sent there any more.
        home.sql("UPDATE former_addresses SET left_at = left_at - 48 * 3600000");
        home.run("doctor --offline").exits(0).without("keep http");
        assert_eq!(again.stop().0, Some(0));
        let last = Listening::at(&home, port, "");
        assert_eq!(old.send(), Some(404), "{kind}");
        assert_eq!(last.stop().0, Some(0));
        for file in std::fs::read_dir(home.path().join("listen")).unwrap().flatten() {
            std::fs::remove_file(file.path()).unwrap();
        }
        home.sql("UPDATE hooks SET delivered_at = NULL, checked_at = -1");
        let told = home.run("doctor --offline").exits(3);
        told.prints("not all subscriptions")
            .prints("no ordersync listen is at work")
            .prints("schedule install --listen");
    }
}

#[test]
fn w2_a_kill_after_the_answer_loses_nothing() {
    let rig = Rig::new();
    let id = rig.paid(1);
    rig.sync();
    let mut listening = delivering(&rig);
    rig.shop.annotate(&id.to_string(), "please ring");
    assert_eq!(letter(&rig, 5).status, Some(200));
    listening.signal("-KILL");
    listening.child.wait().unwrap();
    assert_eq!(rig.home.sql("SELECT remote_id FROM rereads WHERE why = 'asked'"), [id.to_string()]);
    until("the moment to be over", || {
        rig.home.run("sync").done().code == Some(0) && rig.home.sql("SELECT 1 FROM rereads").is_empty()
    });
    assert!(rig.show(id).to_string().contains("please ring"));
    assert_eq!(rig.home.sql("PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn w2_only_what_is_signed_for_this_store_is_taken_and_a_replay_costs_nothing() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let id = rig.paid(1);
    let good = letter(&rig, 5);
    assert_eq!(good.status, Some(200));
    until("the order", || book_has(&rig.home, id));
    until("the end of the work", || rig.home.sql("SELECT 1 FROM rereads").is_empty());
    rig.server.clear_requests();
    // One byte of the body, the signature, another key.
    let mut body = good.clone();
    *body.body.last_mut().unwrap() = b' ';
    let mut signature = good.clone();
    *header(&mut signature, "X-WC-Webhook-Signature") = "AAAA".to_owned();
    let mut unsigned = good.clone();
    unsigned.headers.retain(|(name, _)| name != "X-WC-Webhook-Signature");
    let mut twice = good.clone();
    twice.headers.push(("X-WC-Webhook-Signature".to_owned(), "AAAA".to_owned()));
    for bad in [&body, &signature, &unsigned, &twice] {
        assert_eq!(bad.send(), Some(401));
    }
    let mut elsewhere = good.clone();
    elsewhere.address = format!("http://127.0.0.1:{}/hooks/{}", listening.port, "0".repeat(64));
    assert_eq!(elsewhere.send(), Some(404));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..1_250).for_each(|_| assert_eq!(good.send(), Some(200))));
        }
    });
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(rig.server.requests().len(), 0, "ten thousand replays cost no request");
    let path = good.address.rsplit('/').next().unwrap().to_owned();
    let key = rig.shop.hooks()[0].key.clone();
    let file = rig.home.book().to_string_lossy().into_owned();
    let mut looked_through = 0;
    for file in [file.clone(), format!("{file}-wal")] {
        let book = std::fs::read(&file).unwrap();
        looked_through += book.len();
        for secret in [&path, &key] {
            assert!(secret.len() >= 32 && memchr_in(&book, secret.as_bytes()).is_none(), "{file} has path or key");
        }
    }
    assert!(looked_through > 100_000, "{looked_through}");
    let (_, _) = listening.stop();
    assert_eq!(rig.home.sql("SELECT refused FROM hooks"), ["4"]);
}

fn memchr_in(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[test]
fn w2_of_a_signed_body_nothing_is_believed_but_which_order_it_is() {
    let rig = Rig::new();
    let _listening = delivering(&rig);
    let id = rig.paid(2);
    let good = letter(&rig, 5);
    until("the order", || book_has(&rig.home, id));
    until("the end of the work", || rig.home.sql("SELECT 1 FROM rereads").is_empty());
    let before = rig.show(id);
    let mut lie = good.clone();
    let mut body: serde_json::Value = serde_json::from_slice(&good.body).unwrap();
    body["status"] = "cancelled".into();
    body["total"] = "0.01".into();
    body["shipping"]["address_1"] = "1 Thieves Lane".into();
    body["line_items"] = serde_json::json!([]);
    lie.body = body.to_string().into_bytes();
    let key = rig.shop.hooks().into_iter().find(|hook| hook.id == good.hook).unwrap().key;
    *header(&mut lie, "X-WC-Webhook-Signature") = hmac_in_base64(&key, &lie.body);
    rig.server.clear_requests();
    assert_eq!(lie.send(), Some(200));
    until("its order to be read", || !rig.server.requests().is_empty());
    until("the end of the work", || rig.home.sql("SELECT 1 FROM rereads").is_empty());
    assert_eq!(rig.show(id), before);
    assert_eq!(rig.home.json("changes"), serde_json::json!([]));
    rig.assert_converged("after a lie");
}

fn hmac_in_base64(key: &str, body: &[u8]) -> String {
    use base64::Engine;
    use hmac::{Hmac, KeyInit, Mac};
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(body);
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

#[test]
fn w2_a_replay_of_a_week_ago_is_refused_or_reads_the_order_once_and_changes_nothing() {
    for kind in INSTANT {
        let one = Delivering::new(kind);
        let id = one.store.place(&Purchase::paid().line("TEE-001", 1));
        until("the order", || one.has(&id, "TEE-001"));
        let good = one.good_letter();
        until("the end of the work", || one.home.sql("SELECT 1 FROM rereads").is_empty());
        one.home.sql("UPDATE deliveries SET came_at = came_at - 7 * 86400000");
        let order = || one.home.json(&format!("show {kind}:{id}"));
        let before = order();
        one.server.clear_requests();
        for _ in 0..3 {
            assert_eq!(good.send(), Some(200), "{kind}");
        }
        until("its order to be read", || !one.server.requests().is_empty());
        until("the end of the work", || one.home.sql("SELECT 1 FROM rereads").is_empty());
        std::thread::sleep(Duration::from_millis(1300));
        let reads = one.server.requests();
        assert!(reads.iter().all(|one| !one.is_write() || kind == ChannelKind::Shopify), "{kind}");
        assert!(reads.len() <= 8, "{kind}: {} requests", reads.len());
        assert_eq!(order(), before, "{kind}");
    }
}

#[test]
fn x4_what_a_header_says_of_who_has_forwarded_it_is_not_believed() {
    let two = TwoShops::new();
    let told = |target: &str, more: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", two.listening.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let host = format!("127.0.0.1:{}", two.listening.port);
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let address = two.address();
    let path = address.split_once(&format!(":{}", two.listening.port)).unwrap().1.to_owned();
    let forwarded = "X-Forwarded-Host: evil.example.test\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n\
        X-Forwarded-Prefix: /ordersync\r\nX-Forwarded-For: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\n\
        Forwarded: host=evil.example.test;proto=https\r\nX-Original-URL: /health\r\nX-Rewrite-URL: /health\r\n";
    let challenge = format!("{path}?challenge=abc");
    let plain = told(&challenge, "");
    assert!(plain.starts_with("HTTP/1.1 200") && plain.contains("answer"), "{plain}");
    assert_eq!(told(&challenge, forwarded), plain, "the address is the one that was told");
    assert!(told("/other", forwarded).starts_with("HTTP/1.1 404"));
    assert!(told(&format!("/ordersync{path}"), forwarded).starts_with("HTTP/1.1 404"));
    let body = serde_json::json!({ "id": "d-1", "shop": "corner", "orders": [900] });
    let mut good = example::letter(&address, "k-1", &body);
    for line in forwarded.split("\r\n").filter(|line| !line.is_empty()) {
        let (name, value) = line.trim_start().split_once(": ").unwrap();
        good.headers.push((name.to_owned(), value.to_owned()));
    }
    let mut bad = good.clone();
    *bad.body.last_mut().unwrap() = b' ';
    assert_eq!((good.send(), bad.send()), (Some(200), Some(401)));
}

#[test]
fn w2_while_it_runs_a_secret_is_replaced_and_the_one_before_is_good_for_a_day() {
    let one = Delivering::new(ChannelKind::Shopify);
    one.store.place(&Purchase::paid().line("TEE-001", 1));
    let good = one.good_letter();
    let file = one.home.path().join("credentials/shopify.json");
    let whole: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let name = ["client_secret", "api_secret"].into_iter().find(|name| whole[*name].is_string()).unwrap();
    let secret = whole[name].as_str().unwrap().to_owned();
    let write = |secret: &str, before: Option<(&str, i64)>| {
        let mut changed = whole.clone();
        changed[name] = secret.into();
        if let Some((before, hours)) = before {
            changed["hook_key_before"] = before.into();
            changed["hook_key_before_at"] = (chrono::Utc::now() - chrono::TimeDelta::hours(hours)).to_rfc3339().into();
        }
        std::fs::write(&file, changed.to_string()).unwrap();
    };
    let signed = |secret: &str| {
        let mut letter = good.clone();
        *header_like(&mut letter, "hmac", "signature") = hmac_in_base64(secret, &letter.body);
        letter.send()
    };
    assert_eq!((signed(&secret), signed("the next one")), (Some(200), Some(401)));
    write("the next one", Some((&secret, 1)));
    until("the next secret", || signed("the next one") == Some(200));
    assert_eq!((signed(&secret), signed("another")), (Some(200), Some(401)));
    // What has had its day is gone once there is another.
    write("the third one", Some((&secret, 25)));
    until("the third secret", || signed("the third one") == Some(200));
    assert_eq!((signed(&secret), signed("the next one")), (Some(401), Some(401)));
}

#[test]
fn w2_errors_and_gone_orders_in_place_of_an_order_are_answered_and_harmless() {
    let rig = Rig::new();
    let id = rig.paid(1);
    rig.sync();
    let _listening = delivering(&rig);
    rig.shop.trash(id);
    let deleted = letter(&rig, 5);
    assert_eq!((deleted.status, deleted.body.as_slice()), (Some(200), format!("{{\"id\":{id}}}").as_bytes()));
    let other = rig.paid(1);
    rig.shop.erase(&other.to_string());
    until("the deliveries", || rig.shop.letters().len() == 7);
    assert!(rig.shop.letters().iter().all(|letter| letter.status == Some(200)));
    until("the end of the work", || rig.home.sql("SELECT 1 FROM rereads").is_empty());
    rig.sync();
}

#[test]
fn w1_a_delivery_is_worked_on_while_a_first_sync_runs() {
    let rig = Rig::with(Options { page_latency: Duration::from_millis(400), ..Options::demo() });
    let now = chrono::Utc::now();
    rig.shop.seed(4_000, now - chrono::TimeDelta::days(20), now - chrono::TimeDelta::hours(1));
    let _listening = delivering(&rig);
    let mut sync = rig.home.spawn("sync", &[]);
    until("the sync", || !rig.home.sql("SELECT 1 FROM orders LIMIT 1").is_empty());
    let begun = Instant::now();
    let id = rig.paid(1);
    until("the order", || book_has(&rig.home, id));
    let took = begun.elapsed();
    assert!(sync.try_wait().unwrap().is_none(), "the sync was over before: the test shows nothing");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(sync.wait().unwrap().success());
    rig.assert_converged("beside a first sync");
}

#[test]
fn w1_a_delivery_is_worked_on_while_a_purge_runs() {
    let rig = Rig::new();
    let now = chrono::Utc::now();
    rig.shop.seed(3_000, now - chrono::TimeDelta::days(25), now - chrono::TimeDelta::days(15));
    rig.home.run("sync").exits(0);
    let _listening = delivering(&rig);
    let mut purge = rig.home.spawn("purge --older-than 1d", &[]);
    let mut placed = Vec::new();
    // Until it is over, and at least one that has come while it was not.
    while purge.try_wait().unwrap().is_none() {
        placed.push((rig.paid(1), Instant::now()));
        let (id, begun) = *placed.last().unwrap();
        until("the order", || book_has(&rig.home, id) || begun.elapsed() > Duration::from_secs(5));
        assert!(book_has(&rig.home, id), "{:?}", begun.elapsed());
    }
    assert!(purge.wait().unwrap().success());
    assert!(!placed.is_empty(), "the purge was over before: the test shows nothing");
    assert!(!rig.home.sql("SELECT 1 FROM purges WHERE orders > 1000").is_empty(), "it has cleared next to nothing");
}

/// A shop whose budget a first sync uses up, and a home that has not read it yet.
fn with_little_budget(kind: ChannelKind) -> Arc<dyn Simulated> {
    use ordersync::sim::{bigcommerce, shopify};
    let clock = Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))));
    match kind {
        // Every order takes several requests there.
        ChannelKind::BigCommerce => {
            let options = bigcommerce::Options { include: false, quota: 120, ..bigcommerce::Options::default() };
            Arc::new(bigcommerce::Shop::new(options, clock))
        }
        _ => {
            let options = shopify::Options { restore_rate: 20.0, bucket: 1000.0, ..shopify::Options::default() };
            Arc::new(shopify::Shop::new(options, clock))
        }
    }
}

#[test]
fn w1_a_delivery_goes_before_the_pages_of_a_first_sync_that_uses_up_the_channel_s_budget() {
    for kind in [ChannelKind::BigCommerce, ChannelKind::Shopify] {
        let store = with_little_budget(kind);
        let now = chrono::Utc::now();
        // So few that Shopify's are read in pages.
        store.seed(550, now - chrono::TimeDelta::days(20), now - chrono::TimeDelta::hours(1));
        let server = Server::start(store.clone(), ServerOptions::default()).unwrap();
        let access = store.access(server.url());
        let home = access.secrets.iter().fold(Home::new(), |home, (name, value)| home.secret(name, value));
        home.run(&format!("connect {kind} {}", access.flags.join(" "))).exits(0);
        let _listening = Listening::start_of(&home, kind);
        until("the subscriptions", || store.hooks().len() == topics(kind));
        until("what is written down of it", || is_subscribed(&home));
        let mut sync = home.spawn("sync", &[]);
        let before = server.requests().len();
        until("the sync", || server.requests().len() > before + if kind == ChannelKind::Shopify { 2 } else { 40 });
        // Longer than a window of BigCommerce's.
        let all = Instant::now();
        while all.elapsed() < Duration::from_secs(34) {
            let id = store.place(&Purchase::paid().line("TEE-001", 1));
            let begun = Instant::now();
            let known = format!("SELECT 1 FROM orders WHERE remote_id = '{id}'");
            until("the order", || !home.sql(&known).is_empty() || begun.elapsed() > Duration::from_secs(60));
            assert!(begun.elapsed() < Duration::from_secs(5), "{kind}: {:?}", begun.elapsed());
            std::thread::sleep(Duration::from_secs(3));
        }
        assert!(sync.try_wait().unwrap().is_none(), "{kind}: the sync was over before: the test shows nothing");
        sync.kill().unwrap();
        sync.wait().unwrap();
    }
}

#[test]
fn w1_bigcommerce_tells_of_shipments_by_their_order_and_of_checkouts_that_are_not_finished() {
    let one = Delivering::new(ChannelKind::BigCommerce);
    let told = |scope: &str| {
        let text = format!("\"scope\":\"{scope}\"");
        let letters = one.store.letters();
        letters.into_iter().filter(|one| String::from_utf8_lossy(&one.body).contains(&text)).collect::<Vec<_>>()
    };
    let id = one.store.place(&Purchase::paid().line("TEE-001", 3));
    until("the order", || one.has(&id, "TEE-001"));
    assert!(one.store.ship_pieces(&id, 0, 1, "ups", "1Z999AA10123456784"));
    until("its delivery", || told("store/shipment/created").len() == 1);
    until("the end of the work", || one.home.sql("SELECT 1 FROM rereads").is_empty());
    let shown = one.home.json(&format!("show bigcommerce:{id}")).to_string();
    assert!(shown.contains("partly shipped"), "{shown}");
    let mut shipment = told("store/shipment/created").remove(0);
    assert_eq!(shipment.status, Some(200));
    let body: serde_json::Value = serde_json::from_slice(&shipment.body).unwrap();
    let order = body["data"]["orderId"].to_string();
    assert!(body["data"]["type"] == "shipment" && order == id, "{body}");
    // The shipment's own number is no order's.
    until("the end of the work", || one.home.sql("SELECT 1 FROM rereads").is_empty());
    one.home.sql("DELETE FROM deliveries RETURNING 1");
    one.server.clear_requests();
    shipment.status = None;
    assert_eq!(shipment.send(), Some(200));
    until("the order to be read", || !one.server.requests().is_empty());
    until("the end of the work", || one.home.sql("SELECT 1 FROM rereads").is_empty());
    let number = format!("/{}", body["data"]["id"]);
    assert!(one.server.requests().iter().all(|one| !one.path.ends_with(&number)), "{number}");
    // A checkout that reached the payment page is an order that waits for its payment.
    let checkout = one.store.place(&Purchase::paid().unpaid().line("MUG-9", 1).status("Incomplete"));
    until("the checkout", || one.has(&checkout, "awaiting-payment"));
    assert!(one.store.pay(&checkout));
    until("the order", || one.has(&checkout, "awaiting-fulfillment"));
    assert!(one.store.letters().iter().all(|letter| letter.status == Some(200)));
}

#[test]
fn w1_what_shopify_does_not_send_twice_is_in_the_book_all_the_same() {
    let one = Delivering::new(ChannelKind::Shopify);
    let id = one.store.place(&Purchase::paid().line("TEE-001", 1));
    until("the order", || one.has(&id, "TEE-001"));
    let updates = || {
        let is_update = |one: &&Letter| one.headers.iter().any(|(_, value)| value == "orders/updated");
        one.store.letters().iter().filter(is_update).count()
    };
    let before = updates();
    // The date is told in seconds, so most of these say what the last one said.
    for _ in 0..40 {
        one.store.touch(&id);
    }
    one.store.annotate(&id, "please ring");
    until("the change", || one.has(&id, "please ring"));
    until("the end of the work", || one.home.sql("SELECT 1 FROM rereads").is_empty());
    let sent = updates() - before;
    assert!((1..20).contains(&sent), "{sent} deliveries");
}

#[test]
fn w2_what_cannot_be_kept_is_not_answered_200() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let other = rusqlite::Connection::open(rig.home.book()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let id = rig.paid(1);
    let refused = letter(&rig, 5);
    assert_eq!(refused.status, Some(503));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(refused.send(), Some(200));
    until("the order", || book_has(&rig.home, id));
    drop(listening);
}

#[test]
fn x4_requests_beyond_the_limits_are_refused_with_an_empty_body() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let path = rig.shop.hooks()[0].address.split_once(&format!(":{}", listening.port)).unwrap().1.to_owned();
    let post = |headers: &str, body: &str| {
        listening.raw(format!("POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n{body}").as_bytes())
    };
    let get = |line: &str| listening.raw(format!("{line}\r\nHost: x\r\n\r\n").as_bytes());
    assert_eq!(get("GET /health HTTP/1.1"), 200);
    assert_eq!(get("GET / HTTP/1.1"), 404);
    assert_eq!(get("GET /hooks/ HTTP/1.1"), 404);
    assert_eq!(get(&format!("GET {path} HTTP/1.1")), 405);
    for other in [
        format!("{path}/"),
        format!("{path}?x=1"),
        format!("/x/..{path}"),
        path.replacen('/', "%2F", 2),
        format!("//{path}"),
    ] {
        assert_eq!(get(&format!("POST {other} HTTP/1.1")), 404, "{other}");
    }
    assert_eq!(post("", ""), 401);
    assert_eq!(post("Content-Length: 2\r\n", "{}"), 401);
    assert_eq!(post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"), 401);
    assert_eq!(post("Content-Length: 1048577\r\n", ""), 413);
    assert_eq!(post("Transfer-Encoding: chunked\r\n", "100001\r\n"), 413);
    let endless = format!("{}0\r\n", "10000\r\n".to_owned() + &"x".repeat(0x10000) + "\r\n");
    assert_eq!(post("Transfer-Encoding: chunked\r\n", &endless.trim_end_matches("0\r\n").repeat(17)), 413);
    for both in
        ["Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n"]
    {
        assert_eq!(post(both, "{}"), 400);
    }
    assert_eq!(post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), 400);
    assert_eq!(post("Content-Length: -2\r\n", "{}"), 400);
    assert_eq!(post("Content-Length: +2\r\n", "{}"), 400);
    assert_eq!(post("Transfer-Encoding: gzip, chunked\r\n", ""), 400);
    assert_eq!(post("Transfer-Encoding: chunked\r\n", "zz\r\n"), 400);
    assert_eq!(post("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\n"), 400);
    assert_eq!(post("Content-Encoding: gzip\r\nContent-Length: 2\r\n", "{}"), 415);
    assert_eq!(post(&format!("X: {}\r\n", "y".repeat(17 * 1024)), ""), 431);
    assert_eq!(post(&"X: y\r\n".repeat(100_000), ""), 431);
    assert_eq!(listening.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400);
    assert_eq!(listening.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400);
    assert_eq!(listening.raw(b"POST\r\n\r\n"), 400);
    // What drips in is not waited for: 5 s for the head, 10 s in all.
    let slow = |sent: String| {
        let mut stream = TcpStream::connect(("127.0.0.1", listening.port)).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        let begun = Instant::now();
        (status(&mut stream), begun.elapsed().as_secs())
    };
    std::thread::scope(|scope| {
        let head = scope.spawn(|| slow(format!("POST {path} HTTP/1.1\r\nHost: x\r\n")));
        let body = scope.spawn(|| slow(format!("POST {path} HTTP/1.1\r\nContent-Length: 9\r\n\r\n{{}}")));
        assert!(matches!(head.join().unwrap(), (Some(408), 4..=7)));
        assert!(matches!(body.join().unwrap(), (Some(408), 9..=12)));
    });
    // Its own limits did not wear it out.
    let id = rig.paid(1);
    until("the order", || book_has(&rig.home, id));
}

#[test]
fn x4_idle_connections_take_no_more_than_their_time() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let idle: Vec<_> = (0..200).filter_map(|_| TcpStream::connect(("127.0.0.1", listening.port)).ok()).collect();
    assert_eq!(idle.len(), 200);
    let begun = Instant::now();
    let id = rig.paid(1);
    until("the order", || book_has(&rig.home, id));
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?} with {} idle ones", begun.elapsed(), idle.len());
}

#[test]
fn w1_a_burst_is_kept_in_groups_and_each_order_comes() {
    let rig = Rig::new();
    let _listening = delivering(&rig);
    let ids: Vec<u64> = (0..200).map(|_| rig.shop.place_order(NewOrder::paid().line("TEE-001", 1))).collect();
    until("the deliveries", || rig.shop.letters().len() == 4 + ids.len());
    let refused = rig.shop.letters().iter().filter(|letter| letter.status != Some(200)).count();
    assert_eq!(refused, 0, "a burst is answered");
    until("the orders", || rig.home.sql("SELECT count(*) FROM orders") == [ids.len().to_string()]);
    rig.assert_converged("after a burst");
}

#[test]
fn w1_subscriptions_that_went_are_made_again_by_a_sync_and_told_once() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let address = rig.shop.hooks()[0].address.clone();
    let (others, older) = ("https://other.example.test/hook", address.replace("127.0.0.1", "localhost"));
    rig.shop.change_hooks(&mut |hooks| {
        let mut other = hooks[0].clone();
        (other.id, other.address) = (90, others.to_owned());
        let mut twin = hooks[0].clone();
        (twin.id, twin.address) = (91, older.clone());
        hooks.remove(3);
        hooks[1].is_active = false;
        hooks.extend([other, twin]);
    });
    rig.server.clear_requests();
    rig.home.run("sync -v").exits(0).without("Instasync");
    assert!(rig.server.requests().iter().all(|one| !one.target().contains("webhooks")), "not within a day");
    rig.home.sql("UPDATE hooks SET checked_at = checked_at - 90000000");
    rig.home.run("sync -v").exits(0).says("subscribed to order.restored; switched on again order.updated");
    rig.home.run("sync -v").exits(0).without("Instasync");
    let hooks = rig.shop.hooks();
    assert!(hooks.iter().all(|hook| hook.is_active) && hooks.len() == 5, "{hooks:?}");
    assert!(hooks.iter().any(|hook| hook.address == others) && hooks.iter().all(|hook| hook.address != older));
    drop(listening);
    rig.home.run("connect --remove woocommerce").exits(0);
    let left: Vec<String> = rig.shop.hooks().into_iter().map(|hook| hook.address).collect();
    assert_eq!(left, [others], "another's subscription is left alone");
}

#[test]
fn w1_new_credentials_keep_the_path_and_a_store_without_webhooks_is_refused() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let before: Vec<_> = rig.shop.hooks();
    rig.home.run("connect --reauth woocommerce").exits(0);
    drop(listening);
    let listening = Listening::start(&rig.home);
    until("the new address", || rig.shop.hooks().iter().all(|hook| hook.address.contains(&listening.port.to_string())));
    let path = |address: &str| address.rsplit('/').next().unwrap().to_owned();
    assert!(rig.shop.hooks().iter().all(|hook| path(&hook.address) == path(&before[0].address)));
    for bad in ["http://shop.example.test", "ftp://x", "https://a:b@x.test", "https://x.test/?q", "x"] {
        rig.home
            .run(&format!("listen --bind 127.0.0.1:0 --public-url {bad}"))
            .exits(2)
            .says("nothing was subscribed to");
    }
}

/// A simulated store of any kind that delivers to a receiver.
struct Delivering {
    store: Arc<dyn Simulated>,
    server: Server,
    home: Home,
    listening: Listening,
}

fn connected(kind: ChannelKind) -> (Arc<dyn Simulated>, Server, Home) {
    connected_to(another(kind, Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))))))
}

fn connected_to(store: Arc<dyn Simulated>) -> (Arc<dyn Simulated>, Server, Home) {
    let kind = store.kind();
    let server = Server::start(store.clone(), ServerOptions::default()).unwrap();
    let access = store.access(server.url());
    let home = access.secrets.iter().fold(Home::new(), |home, (name, value)| home.secret(name, value));
    home.run(&format!("connect {kind} {}", access.flags.join(" "))).exits(0);
    home.run("sync").exits(0);
    (store, server, home)
}

const INSTANT: [ChannelKind; 4] =
    [ChannelKind::BigCommerce, ChannelKind::Magento, ChannelKind::Shopify, ChannelKind::WooCommerce];

/// How many topics a kind is subscribed to.
fn topics(kind: ChannelKind) -> usize {
    match kind {
        ChannelKind::BigCommerce => 2,
        ChannelKind::Magento => 5,
        // Holds and their ends have topics of their own.
        ChannelKind::Shopify => 6,
        _ => 4,
    }
}

/// The subscriptions that deliver: not every channel deletes one.
fn active(store: &dyn Simulated) -> Vec<Hook> {
    store.hooks().into_iter().filter(|hook| hook.is_active).collect()
}

impl Delivering {
    fn new(kind: ChannelKind) -> Self {
        Self::of(another(kind, Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))))))
    }

    fn of(store: Arc<dyn Simulated>) -> Self {
        let kind = store.kind();
        let (store, server, home) = connected_to(store);
        let listening = Listening::start_of(&home, kind);
        until("the subscriptions", || store.hooks().len() == topics(kind));
        until("what is written down of it", || is_subscribed(&home));
        Self { store, server, home, listening }
    }

    fn has(&self, id: &str, text: &str) -> bool {
        let kind = self.store.kind();
        let shown = self.home.run(&format!("show {kind}:{id} --json")).done();
        shown.code == Some(0) && shown.stdout.contains(text)
    }

    fn good_letter(&self) -> Letter {
        until("a delivery", || self.store.letters().iter().any(|one| one.status == Some(200) && one.body.len() > 30));
        self.store.letters().into_iter().rfind(|one| one.status == Some(200) && one.body.len() > 30).unwrap()
    }
}

#[test]
fn w1_every_channel_with_webhooks_tells_of_new_and_changed_orders() {
    for kind in INSTANT {
        let one = Delivering::new(kind);
        let begun = Instant::now();
        let id = one.store.place(&Purchase::paid().line("TEE-001", 1));
        until("the order", || one.has(&id, "TEE-001"));
        assert!(begun.elapsed() < Duration::from_secs(5), "{kind}: {:?}", begun.elapsed());
        if one.store.lacks(Lack::EditsToldOf) {
            assert!(one.store.cancel(&id), "{kind}");
            until("the change", || one.home.json("changes").to_string().contains("cancelled"));
        } else {
            one.store.annotate(&id, "please ring");
            until("the change", || one.has(&id, "please ring"));
        }
        assert!(one.store.letters().iter().all(|letter| letter.status == Some(200)), "{kind}");
        let status = one.home.json("status");
        let told = &status["stores"][0];
        assert!(told["instasync"] == true && told["deliveries"].as_u64() >= Some(2), "{kind}: {told}");
        one.home.run("status").env("LC_ALL", "C.UTF-8").exits(0).prints("⚡ orders come by webhook");
        one.home.run("status").env("LC_ALL", "C").exits(0).prints("[instant] orders come by webhook").without("⚡");
    }
}

#[test]
fn w2_in_no_channel_a_delivery_is_good_for_another_store_or_with_another_body() {
    for kind in INSTANT {
        let clock = Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))));
        let one = Delivering::new(kind);
        // Where all stores are signed for with one key, another one; else another key.
        let other = match kind {
            ChannelKind::BigCommerce | ChannelKind::Shopify => Delivering::of(rehearsal(kind, clock, Duration::ZERO)),
            _ => Delivering::new(kind),
        };
        one.store.place(&Purchase::paid().line("TEE-001", 1));
        let good = one.good_letter();
        until("the end of the work", || one.home.sql("SELECT 1 FROM rereads").is_empty());
        one.server.clear_requests();
        let mut elsewhere = good.clone();
        elsewhere.address = other.store.hooks()[0].address.clone();
        // Each store has a key of its own, or what is signed names it.
        assert_eq!(elsewhere.send(), Some(401), "{kind}");
        let mut changed = good.clone();
        changed.body.push(b' ');
        assert_eq!(changed.send(), Some(401), "{kind}");
        let mut cut = good.clone();
        cut.body.pop();
        assert_eq!(cut.send(), Some(401), "{kind}");
        let mut unsigned = good.clone();
        unsigned
            .headers
            .retain(|(name, _)| !name.to_lowercase().contains("signature") && !name.to_lowercase().contains("hmac"));
        unsigned.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-ordersync-key"));
        assert_eq!(unsigned.send(), Some(401), "{kind}");
        for _ in 0..5 {
            assert_eq!(good.send(), Some(200), "{kind}");
        }
        std::thread::sleep(Duration::from_millis(1300));
        assert_eq!(one.server.requests().len(), 0, "{kind}: a replay costs no request");
    }
}

#[test]
fn w1_in_every_channel_what_went_is_subscribed_again_and_all_of_ours_goes_with_the_store() {
    for kind in INSTANT {
        let one = Delivering::new(kind);
        let all = one.store.hooks().len();
        one.store.change_hooks(&mut |hooks| drop(hooks.remove(0)));
        one.home.sql("UPDATE hooks SET checked_at = checked_at - 90000000");
        one.home.run("sync -v").exits(0).says("Instasync: subscribed to");
        assert_eq!(one.store.hooks().len(), all, "{kind}");
        let status = one.listening.raw(b"GET /health HTTP/1.1\r\n\r\n");
        assert_eq!(status, 200);
        one.home.run("listen --off").exits(0).prints("taken away");
        assert_eq!(active(&*one.store), [], "{kind}");
        assert_eq!(one.home.json("status")["stores"][0]["instasync"], false, "{kind}");
        one.home.run("listen --off").exits(0);
        one.home.run(&format!("connect --remove {kind}")).exits(0);
    }
}

#[test]
fn w1_a_subscription_that_is_cut_off_is_gone_on_with_and_known_until_it_is_taken_away() {
    for kind in INSTANT {
        let (store, server, home) = connected(kind);
        let all = topics(kind);
        // A busy channel: the write is turned away, and made a moment later.
        let hooks = match kind {
            ChannelKind::Shopify => "graphql",
            ChannelKind::Magento => "async_event",
            _ => "hooks",
        };
        let busy = Fault::new(FaultKind::RateLimited(Some("1".to_owned()))).on("POST", hooks);
        let after = if kind == ChannelKind::Shopify { 2 } else { 1 };
        server.faults().add(busy.after(after));
        let listening = Listening::start_of(&home, kind);
        until("the subscriptions", || store.hooks().len() == all);
        until("what is written down of it", || is_subscribed(&home));
        assert_eq!(server.faults().pending(), 0, "{kind}: it was busy");
        assert_eq!(listening.stop().0, Some(0), "{kind}");
        home.run("listen --off").exits(0);
        assert_eq!(active(&*store), [], "{kind}");
        // One that refuses after the first: the next sync goes on, and what was made goes with the store.
        let kept = store.hooks().len();
        server.faults().add(Fault::new(FaultKind::Firewall).on("POST", hooks).after(after).always());
        let listening = Listening::start_of(&home, kind);
        until("the first", || active(&*store).len() == 1);
        assert_eq!(home.json("status")["stores"][0]["instasync"], false, "{kind}");
        assert_eq!(listening.stop().0, Some(3), "{kind}");
        server.faults().clear();
        home.run("sync -v").exits(0).says("Instasync: subscribed to");
        assert_eq!((active(&*store).len(), store.hooks().len()), (all, kept + all), "{kind}");
        assert_eq!(home.json("status")["stores"][0]["instasync"], true, "{kind}");
        store.change_hooks(&mut |hooks| hooks.truncate(1));
        home.sql("UPDATE hooks SET checked_at = 0");
        home.run(&format!("connect --remove {kind}")).exits(0);
        assert_eq!(active(&*store), [], "{kind}: what was made of it goes with the store");
    }
}

#[test]
fn w1_a_store_without_a_key_is_left_out_and_told() {
    let (_shop, _server, home) = connected(ChannelKind::Shopify);
    let rig = Rig::new();
    home.run(&format!("connect woocommerce --url {}", rig.server.url()))
        .env("ORDERSYNC_CONSUMER_KEY", ordersync::sim::woocommerce::REHEARSAL_KEY)
        .env("ORDERSYNC_CONSUMER_SECRET", ordersync::sim::woocommerce::REHEARSAL_SECRET)
        .exits(0);
    let file = home.path().join("credentials/shopify.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("client_secret", "no_secret").replace("api_secret", "no_secret")).unwrap();
    home.run("listen --bind 127.0.0.1:0 --channel shopify").exits(4).says("no delivery could be verified");
    let listening = Listening::start(&home);
    until("the subscriptions of the other", || rig.shop.letters().len() == 4);
    until("what is written down of it", || is_subscribed(&home));
    assert_eq!(listening.stop().0, Some(3));
}

#[test]
fn w4_a_sync_has_what_a_failing_address_missed_and_takes_up_again_what_the_vendor_gave_up() {
    for kind in INSTANT {
        let one = Delivering::new(kind);
        let all = one.store.hooks().len();
        drop(one.listening);
        // Times of orders are whole seconds in some channels.
        one.home.sql("UPDATE hooks SET since = since - 2000");
        let id = one.store.place(&Purchase::paid().line("TEE-001", 1));
        if one.store.lacks(Lack::GivingUp) {
            one.store.change_hooks(&mut |hooks| hooks[0].is_active = false);
        }
        for nth in 0..12 {
            one.store.annotate(&id, &format!("note {nth}"));
        }
        until("the vendor to give up", || active(&*one.store).len() < all);
        // The sync has the order all the same.
        one.home.run("sync -v").exits(0).without("Instasync");
        // Nobody told of it in the time in which a delivery may come.
        let since = || one.home.json("status")["stores"][0]["unannounced_since"].clone();
        assert!(since().is_null(), "{kind}: too early");
        one.home.sql("UPDATE unannounced SET found_at = found_at - 180000000");
        assert!(since().is_string(), "{kind}: {}", since());
        one.home.run("status").env("LC_ALL", "C.UTF-8").exits(0).prints("⚡!").prints("no webhook told of");
        // That does not pass by itself.
        one.home.sql("UPDATE unannounced SET found_at = found_at - 720000000");
        assert!(since().is_string(), "{kind}: {}", since());
        one.home.sql("UPDATE hooks SET checked_at = checked_at - 90000000");
        one.home.run("sync -v").exits(0).says("Instasync: ");
        assert!(one.store.hooks().iter().all(|hook| hook.is_active) && one.store.hooks().len() == all, "{kind}");
        assert!(since().is_null(), "{kind}: it is mended");
    }
}

#[test]
fn w4_subscriptions_that_were_deleted_in_silence_are_made_again_by_the_sync_that_finds_an_order_of_which_nothing_told()
{
    for kind in INSTANT {
        let one = Delivering::new(kind);
        let ago = |minutes: i64| chrono::Utc::now() - chrono::TimeDelta::minutes(minutes);
        let looked_at = |minutes: i64| {
            let earlier = minutes * 60_000;
            one.home.sql(&format!("UPDATE hooks SET since = since - {earlier}, checked_at = checked_at - {earlier}"));
        };
        looked_at(62);
        let lose = || one.store.change_hooks(&mut Vec::clear);
        let placed = |minutes: i64| {
            let id = one.store.place(&Purchase::paid().line("TEE-001", 1).at(ago(minutes)));
            one.store.touch(&id);
            id
        };
        lose();
        let id = placed(10);
        one.home.run("sync -v").exits(0).says("Instasync: ");
        assert!(one.has(&id, "TEE-001"), "{kind}");
        assert_eq!(active(&*one.store).len(), topics(kind), "{kind}");
        // Not within the hour, and not for an order whose delivery may be on its way.
        lose();
        placed(10);
        one.home.run("sync -v").exits(0).without("Instasync");
        looked_at(62);
        one.home.sql("DELETE FROM unannounced RETURNING 1");
        placed(0);
        one.home.run("sync -v").exits(0).without("Instasync");
        assert_eq!(active(&*one.store), [], "{kind}");
        placed(10);
        one.home.run("sync -v").exits(0).says("Instasync: ");
        assert_eq!(active(&*one.store).len(), topics(kind), "{kind}");
    }
}

#[test]
fn w1_while_all_is_well_the_subscriptions_cost_less_than_one_request_a_day() {
    for kind in INSTANT {
        let one = Delivering::new(kind);
        let route = match kind {
            ChannelKind::Shopify => "webhookSubscriptions",
            ChannelKind::Magento => "async_event",
            ChannelKind::WooCommerce => "webhooks",
            _ => "hooks",
        };
        one.server.clear_requests();
        // Two days of half hours, each with an order that a delivery tells of.
        for half_hour in 0..96 {
            one.home.sql("UPDATE hooks SET since = since - 1800000, checked_at = checked_at - 1800000");
            if half_hour % 24 == 0 {
                let id = one.store.place(&Purchase::paid().line("TEE-001", 1));
                until("the order", || one.has(&id, "TEE-001"));
            }
            one.home.run("sync").exits(0);
        }
        let is_about = |one: &&ordersync::sim::Exchange| {
            let body = String::from_utf8_lossy(&one.body);
            one.target().contains(route) || one.target().contains("modules") || body.contains(route)
        };
        let asked = one.server.requests().iter().filter(is_about).count();
        assert!(asked == 1, "{kind}: {asked} requests in two days");
    }
}

#[test]
fn w3_a_channel_without_webhooks_is_refused_with_another_way() {
    let (_store, _server, home) = connected(ChannelKind::Etsy);
    for named in ["", "--channel etsy"] {
        let told = home.run(&format!("listen --bind 127.0.0.1:0 {named}")).exits(6);
        told.says("commercial apps only").says("nothing to receive").says("ordersync watch").says("schedule install");
    }
}

fn magento_shop(async_events: AsyncEvents) -> Arc<dyn Simulated> {
    let clock = Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))));
    Arc::new(magento::Shop::new(magento::Options { async_events, ..magento::Options::default() }, clock))
}

#[test]
fn w1_a_magento_shop_is_subscribed_once_it_was_named_and_without_the_module_it_is_told_what_to_install() {
    for (modules, why) in [(AsyncEvents::No, "does not have the free module"), (AsyncEvents::Base, "not the one")] {
        let (store, server, home) = connected_to(magento_shop(modules));
        let at = "--bind 127.0.0.1:0 --public-url https://shop.example.test";
        home.run(&format!("listen {at}")).exits(6).says("only a store that is named").says("--channel magento");
        server.clear_requests();
        let told = home.run(&format!("listen {at} --channel magento")).exits(6);
        told.says(why).says("composer require mage-os/mageos-async-events").says("nothing was subscribed to");
        assert!(server.requests().iter().all(|one| one.method == "GET"), "nothing was written");
        assert_eq!((store.hooks(), home.sql("SELECT 1 FROM hooks").len()), (Vec::new(), 0));
        home.run("sync -v").exits(0).without("Instasync");
    }
    let one = Delivering::of(magento_shop(AsyncEvents::Data));
    assert_eq!(one.listening.stop().0, Some(0));
    // From then on it needs no name; and beside others it is left alone until it has been named.
    let again = Listening::start(&one.home);
    until("the new address alone", || {
        let active = active(&*one.store);
        active.len() == 5 && active.iter().all(|hook| hook.address.contains(&again.port.to_string()))
    });
    assert_eq!(one.store.hooks().len(), 10);
    // What was taken away once is listed for good, and is not taken away each day.
    one.home.sql("UPDATE hooks SET checked_at = checked_at - 90000000");
    one.server.clear_requests();
    one.home.run("sync -v").exits(0).without("Instasync");
    assert!(one.server.requests().iter().all(|one| one.method == "GET"), "nothing was written");
    let rig = Rig::new();
    rig.home.run("listen --off").exits(0);
}

#[test]
fn w1_magento_s_two_forms_of_deliveries_have_no_time_and_may_have_no_type_and_what_was_made_names_its_order() {
    for modules in [AsyncEvents::Data, AsyncEvents::CloudEvent] {
        let one = Delivering::of(magento_shop(modules));
        let id = one.store.place(&Purchase::paid().line("TEE-001", 3));
        until("the order", || one.has(&id, "TEE-001"));
        let good = one.good_letter();
        let names: Vec<String> = good.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
        assert_eq!(names.contains(&"content-type".to_owned()), modules == AsyncEvents::Data);
        // A part of it is shipped: nothing of the order moves.
        assert!(one.store.ship_pieces(&id, 0, 1, "DHL", "JD014600001"));
        until("the shipment", || one.has(&id, "JD014600001"));
        assert!(one.store.letters().iter().all(|letter| letter.status == Some(200)), "{modules:?}");
        // An edited address moves nothing there, and nobody tells of it.
        let before = one.store.letters().len();
        one.store.readdress(&id, "Other Street 5");
        one.store.refund_pieces(&id, 0, 1);
        until("the refund", || one.store.letters().len() > before);
        until("the end of the work", || one.home.sql("SELECT 1 FROM rereads").is_empty());
        assert!(one.has(&id, "Other Street 5"), "it is read with what was told of");
    }
}

#[test]
fn w4_what_magento_s_module_sent_to_nobody_is_never_sent_again_and_the_next_sync_has_it() {
    let one = Delivering::of(magento_shop(AsyncEvents::CloudEvent));
    let known = one.store.place(&Purchase::paid().line("TEE-001", 1));
    until("the order", || one.has(&known, "TEE-001"));
    let (address, came) = (one.listening.port, one.store.letters().len());
    assert_eq!(one.listening.stop().0, Some(0));
    let id = one.store.place(&Purchase::paid().line("MUG-9", 1));
    assert!(one.store.cancel(&known));
    until("the refused connections", || one.store.letters().len() >= came + 2);
    assert!(one.store.letters().iter().skip(came).all(|letter| letter.status.is_none()));
    let again = Listening::at(&one.home, address, "");
    // Nothing is lost of what comes now, and what came before is not in the book.
    let next = one.store.place(&Purchase::paid().line("BOOK-7", 1));
    let has = |id: &str, text: &str| one.home.run(&format!("show magento:{id} --json")).done().stdout.contains(text);
    until("the order", || has(&next, "BOOK-7"));
    assert!(!has(&id, "MUG-9"), "the module does not send again");
    one.home.run("sync").exits(0);
    assert!(has(&id, "MUG-9"));
    assert!(one.home.json("changes").to_string().contains("cancelled"));
    assert_eq!(again.stop().0, Some(0));
}

/// Two shops of the made-up channel that have one token: one application, with one path for both.
struct TwoShops {
    home: Home,
    shops: [(Arc<dyn Simulated>, Server); 2],
    listening: Listening,
}

impl TwoShops {
    fn new() -> Self {
        let clock = || Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))));
        let (one, server, home) = connected_to(rehearsal(ChannelKind::Example, clock(), Duration::ZERO));
        let other = another(ChannelKind::Example, clock());
        let beside = Server::start(other.clone(), ServerOptions::default()).unwrap();
        let flags = other.access(beside.url()).flags.join(" ");
        home.run(&format!("connect example --name second {flags}")).exits(0);
        home.run("sync").exits(0);
        let listening = Listening::start(&home);
        until("the subscriptions", || one.hooks().len() == 2 && other.hooks().len() == 2);
        until("what is written down of it", || home.sql("SELECT 1 FROM hooks WHERE checked_at > 0").len() == 2);
        Self { home, shops: [(one, server), (other, beside)], listening }
    }

    fn address(&self) -> String {
        self.shops[0].0.hooks()[0].address.clone()
    }

    /// What is answered to a delivery that is signed with a key of this name.
    fn send(&self, key: &str, body: &serde_json::Value) -> Option<u16> {
        example::letter(&self.address(), key, body).send()
    }

    fn requests(&self, nth: usize, part: &str) -> usize {
        self.shops[nth].1.requests().iter().filter(|one| one.target().contains(part)).count()
    }

    fn is_at_rest(&self) -> bool {
        self.home.sql("SELECT 1 FROM rereads").is_empty()
    }

    fn has(&self, store: &str, id: &str, text: &str) -> bool {
        self.home.run(&format!("show {store}:{id} --json")).done().stdout.contains(text)
    }
}

#[test]
fn w1_stores_of_one_application_have_one_path_and_each_gets_its_own() {
    let two = TwoShops::new();
    let all: Vec<String> = two.shops.iter().flat_map(|(shop, _)| shop.hooks()).map(|hook| hook.address).collect();
    assert!(all.iter().all(|address| *address == two.address()), "{all:?}");
    for (nth, name) in [(0, "example"), (1, "second")] {
        let id = two.shops[nth].0.place(&Purchase::paid().line("TEE-001", 1));
        until("the order", || two.has(name, &id, "TEE-001"));
    }
    // Several orders in one delivery, of the second shop.
    let place = |sku: &str| two.shops[1].0.place(&Purchase::paid().line(sku, 1));
    let (first, second) = (place("MUG-9"), place("BOOK-7"));
    until("the orders", || two.has("second", &first, "MUG-9") && two.has("second", &second, "BOOK-7"));
    until("the end of the work", || two.is_at_rest());
    two.shops.iter().for_each(|(_, server)| server.clear_requests());
    let body = |shop: &str| serde_json::json!({ "id": format!("d-{shop}"), "shop": shop, "orders": [first.parse::<u64>().unwrap(), second.parse::<u64>().unwrap()] });
    assert_eq!(two.send("k-1", &body("other")), Some(200));
    until("both reads", || two.requests(1, &first) == 1 && two.requests(1, &second) == 1);
    // Again it costs nothing, and a stranger's is dropped.
    assert_eq!((two.send("k-1", &body("other")), two.send("k-1", &body("stranger"))), (Some(200), Some(200)));
    std::thread::sleep(Duration::from_millis(1300));
    assert_eq!((two.requests(0, "orders"), two.requests(1, "orders")), (0, 2));
    // What is subscribed to for both stays for the one that is left.
    two.home.run("listen --off --channel second").exits(0).prints("1 subscription taken away");
    let topics: Vec<String> = two.shops[1].0.hooks().into_iter().map(|hook| hook.topic).collect();
    assert_eq!(topics, ["people"]);
    two.home.run("listen --off").exits(0).prints("example: 2 subscriptions taken away");
    assert!(two.shops.iter().all(|(shop, _)| shop.hooks().is_empty()));
}

#[test]
fn w2_a_key_that_a_delivery_names_is_fetched_once_and_made_up_names_cost_next_to_nothing() {
    let two = TwoShops::new();
    two.shops.iter().for_each(|(_, server)| server.clear_requests());
    let body = |nth: u64| serde_json::json!({ "id": format!("d-{nth}"), "shop": "corner", "orders": [nth] });
    for nth in 900..920 {
        assert_eq!(two.send("k-1", &body(nth)), Some(200));
    }
    // What cannot be a name is not asked for.
    for odd in ["", "../shop", "k-1?x", "k 1", "k%201", &"k".repeat(65)] {
        assert_eq!(two.send(odd, &body(1)), Some(401), "{odd}");
    }
    assert_eq!(two.requests(0, "keys"), 1);
    // The vendor has a new one.
    assert_eq!(two.send("k-2", &body(920)), Some(200));
    for nth in 0..40 {
        assert!(matches!(two.send(&format!("bad-{nth}"), &body(1)), Some(401 | 503)));
    }
    assert!((3..=5).contains(&two.requests(0, "keys")), "{}", two.requests(0, "keys"));
    assert_eq!(two.requests(1, "keys"), 0);
    assert_eq!((two.send("k-1", &body(921)), two.send("k-2", &body(922))), (Some(200), Some(200)));
    // Another key's signature.
    let mut mixed = example::letter(&two.address(), "k-1", &body(923));
    *header(&mut mixed, "X-Key") = "k-2".to_owned();
    assert_eq!(mixed.send(), Some(401));
    let (code, _) = two.listening.stop();
    assert_eq!(code, Some(0));
}

#[test]
fn w2_what_waits_for_its_key_and_then_for_the_book_is_answered_before_its_sender_gives_up() {
    let two = TwoShops::new();
    let body = |nth: u64| serde_json::json!({ "id": format!("d-{nth}"), "shop": "corner", "orders": [nth] });
    assert_eq!(two.send("k-1", &body(900)), Some(200));
    until("the end of the work", || two.is_at_rest());
    let slow = Fault::new(FaultKind::Slow(Duration::from_secs(3))).on("GET", "keys");
    two.shops[0].1.faults().add(slow);
    let other = rusqlite::Connection::open(two.home.book()).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    assert_eq!(two.send("k-2", &body(901)), Some(503));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(begun.elapsed() > Duration::from_secs(3), "the key was there at once: the test shows nothing");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(two.send("k-2", &body(901)), Some(200));
}

#[test]
fn x4_a_challenge_is_answered_at_the_path_alone_and_by_the_public_address() {
    let two = TwoShops::new();
    let path = two.address().split_once(&format!(":{}", two.listening.port)).unwrap().1.to_owned();
    let get = |target: &str| two.listening.raw(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    assert_eq!(get(&format!("{path}?other=1")), 400);
    assert_eq!(get(&format!("{path}?challenge={}", "x".repeat(300))), 400);
    assert_eq!(get(&path), 400);
    assert_eq!(get("/hooks/x?challenge=1"), 404);
    assert_eq!(two.listening.raw(format!("POST {path}?challenge=1 HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()), 404);
    // A new address, behind a proxy that leaves its path or takes it away: the shop asks there, and
    // subscribes only where the answer is for the address that it knows.
    let home = two.home;
    let port = two.listening.port;
    assert_eq!(two.listening.stop().0, Some(0));
    let again = Listening::at(&home, port, &format!("--public-url http://localhost:{port}/ordersync"));
    until("the new address", || {
        let hooks: Vec<_> = two.shops.iter().flat_map(|(shop, _)| shop.hooks()).collect();
        hooks.len() == 4 && hooks.iter().all(|hook| hook.address.contains("/ordersync/hooks/"))
    });
    assert_eq!(again.stop().0, Some(0));
    // That it was answered is known later as well.
    home.run("doctor --offline")
        .exits(3)
        .prints("BAD   second: receiver")
        .prints(&format!("second: endpoint: http://localhost:{port}/ordersync last answered"));
    std::fs::remove_dir_all(home.path().join("data/listen"))
        .or_else(|_| std::fs::remove_dir_all(home.path().join("listen")))
        .unwrap();
    home.run("doctor --offline").exits(3).prints("BAD   example: endpoint: ").prints("was never answered at");
    home.run("listen --off").exits(0);
    home.run("doctor --offline")
        .exits(0)
        .prints("example: endpoint: none here")
        .prints("ordersync forget example USER");
}

#[test]
fn x3_whom_the_channel_has_erased_is_forgotten_in_all_its_stores_also_after_a_kill() {
    let two = TwoShops::new();
    for store in ["example", "second"] {
        two.home.run(&format!("config set {store}.cancels apply")).exits(0);
    }
    let of = |nth: usize, sku: &str| two.shops[nth].0.place(&Purchase::paid().line(sku, 1).customer(77));
    let (closed, open, other) = (of(0, "TEE-001"), of(0, "MUG-9"), of(1, "BOOK-7"));
    let somebody = two.shops[0].0.place(&Purchase::paid().line("TEE-001", 1).customer(78));
    for (store, id) in [("example", &closed), ("example", &open), ("second", &other), ("example", &somebody)] {
        until("the orders", || two.home.run(&format!("show {store}:{id}")).done().code == Some(0));
    }
    for (nth, id) in [(0, &closed), (1, &other), (0, &somebody)] {
        assert!(two.shops[nth].0.cancel(id));
    }
    let cancelled = "SELECT count(*) FROM orders WHERE status = 'cancelled' AND buyer_remote_id IN ('77', '78')";
    until("the cancellations", || two.home.sql(cancelled) == ["3"]);
    until("the end of the work", || two.is_at_rest());
    let left = || two.home.sql("SELECT remote_id FROM orders WHERE buyer_remote_id = '77'");
    let erased = serde_json::json!({ "id": "e-1", "erased": 77 });
    let mut forged = example::letter(&two.address(), "k-1", &erased);
    *forged.body.last_mut().unwrap() = b' ';
    assert_eq!(forged.send(), Some(401));
    assert_eq!(two.send("k-1", &erased), Some(200));
    // An order that is not closed keeps its address until it is, and the person is not forgotten.
    until("the closed ones", || left() == [open.clone()]);
    assert_eq!(two.home.sql("SELECT store_id FROM to_forget").len(), 1);
    assert_eq!(two.home.sql("SELECT 1 FROM orders WHERE buyer_remote_id = '78'").len(), 1, "nobody else");
    assert!(two.shops[0].0.cancel(&open));
    let is_closed = format!("SELECT 1 FROM orders WHERE remote_id = '{open}' AND status = 'cancelled'");
    until("the cancellation", || !two.home.sql(&is_closed).is_empty());
    two.home.run("sync").exits(0);
    assert_eq!((left(), two.home.sql("SELECT 1 FROM to_forget")), (Vec::new(), Vec::new()));
    // What was answered is kept: the next sync does it.
    assert_eq!(two.send("k-1", &serde_json::json!({ "id": "e-2", "erased": 78 })), Some(200));
    two.listening.signal("-KILL");
    two.home.run("sync").exits(0);
    until("the last one", || two.home.sql("SELECT 1 FROM orders WHERE buyer_remote_id = '78'").is_empty());
}

#[test]
fn w5_a_storm_of_deliveries_writes_nothing_to_the_channel_and_reads_no_more_than_the_orders_it_is_about() {
    for kind in INSTANT {
        let one = Delivering::new(kind);
        let ids: Vec<String> = (0..4).map(|_| one.store.place(&Purchase::paid().line("TEE-001", 1))).collect();
        ids.iter().for_each(|id| until("the order", || one.has(id, "TEE-001")));
        let archived = one.store.archives() && one.store.put_away(&ids[0]);
        one.good_letter();
        until("the end of the work", || one.home.sql("SELECT 1 FROM rereads").is_empty());
        until("what was put away", || !archived || one.store.letters().len() > ids.len());
        until("the end of the work", || one.home.sql("SELECT 1 FROM rereads").is_empty());
        // All that came, and the same in the way in which it is not good.
        let good: Vec<Letter> = one.store.letters().into_iter().filter(|one| one.body.len() > 30).collect();
        let mut other = good[0].clone();
        header_like(&mut other, "signature", "hmac").push('A');
        let mut unknown = good[0].clone();
        match unknown.headers.iter_mut().find(|(name, _)| name.to_lowercase().contains("topic")) {
            Some((_, topic)) => *topic = "products/update".to_owned(),
            None => unknown.body = br#"{"scope":"store/product/updated","type":"catalog.product.updated"}"#.to_vec(),
        }
        let mut elsewhere = good[0].clone();
        elsewhere.address = elsewhere.address.replace("/hooks/", "/hooks/0");
        let before = (one.store.counters().writes, one.home.sql("SELECT id, status, presence FROM orders ORDER BY id"));
        one.server.clear_requests();
        let storm: Vec<Letter> = good.iter().chain([&other, &unknown, &elsewhere]).cloned().collect();
        let answers: Vec<Option<u16>> = std::thread::scope(|scope| {
            let sender = |nth: usize| {
                let storm = &storm;
                scope.spawn(move || (0..250).map(|at| storm[(nth + at) % storm.len()].send()).collect::<Vec<_>>())
            };
            let senders: Vec<_> = (0..8).map(sender).collect();
            senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
        });
        assert_eq!(answers.len(), 2_000, "{kind}");
        assert!(answers.iter().all(|answer| matches!(answer, Some(200 | 401 | 404))), "{kind}: {answers:?}");
        std::thread::sleep(Duration::from_millis(1300));
        until("the end of the work", || one.home.sql("SELECT 1 FROM rereads").is_empty());
        let requests = one.server.requests();
        assert!(requests.len() <= 2 * ids.len(), "{kind}: {} requests", requests.len());
        let after = (one.store.counters().writes, one.home.sql("SELECT id, status, presence FROM orders ORDER BY id"));
        assert_eq!(after, before, "{kind}: nothing was written, and nothing has changed");
    }
}

/// The header in whose name one of these words is.
fn header_like<'a>(letter: &'a mut Letter, one: &str, other: &str) -> &'a mut String {
    let is_it = |name: &str| name.to_lowercase().contains(one) || name.to_lowercase().contains(other);
    &mut letter.headers.iter_mut().find(|(name, _)| is_it(name)).unwrap().1
}

/// What one writes to whom, once: a proxy that answers all by itself.
fn answering(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut stream = stream;
                read_request(&mut stream);
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    port
}

/// A request with its whole body.
fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut part = vec![0; 64 * 1024];
    loop {
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return request;
            }
        }
        match stream.read(&mut part) {
            Ok(read) if read > 0 => request.extend_from_slice(&part[..read]),
            _ => return request,
        }
    }
}

/// A proxy that puts something before the path.
fn misleading(to: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let request = read_request(&mut stream);
            let line = request.windows(11).position(|part| part == b"POST /hooks").unwrap();
            let mut far = TcpStream::connect(("127.0.0.1", to)).unwrap();
            far.write_all(&[b"POST /wrong", &request[line + 5..]].concat()).unwrap();
            let mut answer = Vec::new();
            far.read_to_end(&mut answer).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    port
}

/// What a test delivery says of the way, with this public address.
fn send_test(home: &Home, address: &str) -> (Option<i32>, serde_json::Value) {
    home.sql(&format!("UPDATE hooks SET address = '{address}' RETURNING 1"));
    let done = home.run("listen send-test --json").without("SSL_CERT_FILE").without("SSL_CERT_DIR").done();
    (done.code, done.json()[0].clone())
}

#[test]
fn w1_a_test_delivery_of_every_channel_comes_through_and_changes_nothing() {
    for kind in INSTANT {
        let one = Delivering::new(kind);
        let before = one.home.sql("SELECT delivered || ' ' || refused FROM hooks");
        let orders = one.home.sql("SELECT count(*) FROM orders");
        one.server.clear_requests();
        one.home.run("listen send-test").exits(0).prints("came to ordersync listen");
        let told = one.home.json(&format!("listen send-test --channel {kind}"));
        assert!(told[0]["ok"] == true && told[0]["link"].is_null(), "{kind}: {told}");
        let page = support::page::section("listen send-test");
        for (key, value) in told[0].as_object().unwrap() {
            let entry = page.iter().find(|entry| entry.name == format!("[].{key}"));
            assert!(entry.is_some_and(|entry| entry.fits(value)), "c1: {key} is not what the page says: {value}");
        }
        assert_eq!(one.home.sql("SELECT delivered || ' ' || refused FROM hooks"), before, "{kind}");
        assert_eq!(one.home.sql("SELECT count(*) FROM orders"), orders, "{kind}");
        assert!(one.home.sql("SELECT 1 FROM rereads").is_empty(), "{kind}");
        assert_eq!(one.server.requests().len(), 0, "{kind}: the channel is not asked");
        let address = one.home.sql("SELECT address FROM hooks").remove(0);
        assert_eq!(one.listening.stop().0, Some(0), "{kind}");
        let (code, told) = send_test(&one.home, &address);
        assert_eq!((code, told["link"].as_str()), (Some(5), Some("connection")), "{kind}: {told}");
    }
}

#[test]
fn w1_a_test_delivery_that_does_not_come_through_names_the_link_that_fails() {
    let rig = Rig::new();
    rig.home.run("listen send-test").exits(7).says("no public address is known").says("--public-url");
    let listening = delivering(&rig);
    let page = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";
    let found = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let moved = "HTTP/1.1 301 Moved\r\nLocation: https://www.example.test/x?token=s3cret\r\nContent-Length: 0\r\n\r\n";
    let large = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
    let login = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
    for (answer, word) in
        [(page, "502"), (found, "lost"), (moved, "www.example.test"), (large, "413"), (login, "login")]
    {
        let (code, told) = send_test(&rig.home, &format!("http://127.0.0.1:{}", answering(answer)));
        assert_eq!((code, told["link"].as_str()), (Some(1), Some("proxy")), "{told}");
        let text = told["message"].as_str().unwrap();
        assert!(text.contains(word) && text.contains("takes the test at") && !text.contains("s3cret"), "{told}");
    }
    let (code, told) = send_test(&rig.home, "https://orders.ordersync-test.invalid");
    assert_eq!((code, told["link"].as_str()), (Some(5), Some("dns")), "{told}");
    let (code, told) = send_test(&rig.home, &format!("https://127.0.0.1:{}", listening.port));
    assert_eq!((code, told["link"].as_str()), (Some(1), Some("certificate")), "{told}");
    let (secure, pem) = support::tls::over_tls(Options::demo());
    let (code, told) = send_test(&rig.home, secure.server.url());
    assert_eq!((code, told["link"].as_str()), (Some(1), Some("certificate")), "{told}");
    // Once it is trusted, the next link is asked.
    let file = rig.home.file("authority.pem", &pem);
    let trusted = rig.home.run("listen send-test").env("SSL_CERT_FILE", &file).without("SSL_CERT_DIR").exits(1);
    assert!(trusted.stderr.contains("proxy: ") && trusted.stderr.contains("SSL_CERT_FILE"), "{trusted:?}");
    let (code, told) = send_test(&rig.home, &format!("http://127.0.0.1:{}", misleading(listening.port)));
    assert_eq!((code, told["link"].as_str()), (Some(1), Some("path")), "{told}");
    // Another book's receiver.
    let other = Rig::new();
    let others = Listening::start(&other.home);
    let (code, told) = send_test(&rig.home, &format!("http://127.0.0.1:{}", others.port));
    assert_eq!((code, told["link"].as_str()), (Some(1), Some("listen")), "{told}");
    drop(listening);
    let (code, told) = send_test(&rig.home, &format!("http://127.0.0.1:{}", others.port));
    assert_eq!((code, told["link"].as_str()), (Some(1), Some("listen")), "{told}");
    let (code, told) = send_test(&rig.home, &format!("http://127.0.0.1:{}", answering(page)));
    assert_eq!((code, told["link"].as_str()), (Some(1), Some("listen")), "{told}");
    assert!(told["hint"].as_str().unwrap().contains("schedule install --listen"), "{told}");
    let (_store, _server, home) = connected(ChannelKind::Etsy);
    home.run("listen send-test").exits(6).says("nothing to receive");
}

#[test]
fn w1_a_test_delivery_with_another_key_is_told_as_such() {
    let rig = Rig::new();
    drop(delivering(&rig));
    let old = rig.home.beside("old");
    let copied = std::process::Command::new("cp").args(["-r"]).arg(rig.home.path()).arg(&old).status().unwrap();
    assert!(copied.success());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = rig.home.spawn(&format!("listen --bind 127.0.0.1:{port} --home {}", old.display()), &[]);
    let old = Listening { child, port };
    until("the receiver", || old.try_raw(b"GET /health HTTP/1.1\r\n\r\n").is_some());
    let file = rig.home.path().join("credentials/woocommerce.json");
    let mut secrets: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let mut changed = false;
    for (name, value) in secrets.as_object_mut().unwrap() {
        if name == "hook_key" {
            *value = "another key than the receiver has".into();
            changed = true;
        }
    }
    assert!(changed, "the file has no hook_key of its own");
    std::fs::write(&file, secrets.to_string()).unwrap();
    let (code, told) = send_test(&rig.home, &format!("http://127.0.0.1:{port}"));
    assert_eq!((code, told["link"].as_str()), (Some(4), Some("secret")), "{told}");
}

#[test]
fn w2_killed_between_the_first_byte_and_the_import_nothing_that_was_answered_is_lost_or_doubled() {
    for kind in INSTANT {
        let (store, _server, home) = connected(kind);
        let all = topics(kind);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let named = format!("--public-url http://127.0.0.1:{port} --channel {}", kind.word());
        let first = Listening::at(&home, port, &named);
        until("the subscriptions", || store.hooks().len() == all);
        until("what is written down of it", || is_subscribed(&home));
        drop(first);
        for point in RECEIPT {
            let child = home.spawn(&format!("listen --bind 127.0.0.1:{port}"), &[("ORDERSYNC_CRASH_AT", point)]);
            let mut dying = Listening { child, port };
            until("the receiver", || dying.try_raw(b"GET /health HTTP/1.1\r\n\r\n").is_some());
            let before = store.letters().len();
            let id = store.place(&Purchase::paid().line("TEE-001", 1));
            assert!(dying.child.wait().unwrap().code().is_none(), "{kind} {point}: it lives on");
            until("an end of the deliveries", || store.letters().len() > before);
            let is_answered = || store.letters().iter().skip(before).any(|letter| letter.status == Some(200));
            let answered = point != "before-kept" && point != "after-kept";
            if answered {
                // One event may be told in several deliveries, of which others break off.
                until("the answer", is_answered);
            }
            assert!(is_answered() == answered, "{kind} {point}");
            assert_eq!(home.sql("PRAGMA integrity_check"), ["ok"], "{kind} {point}");
            // A vendor that has a subscription switched off is asked to go on.
            let again = Listening::at(&home, port, "");
            if !answered {
                // Sent again, as vendors do, if it was not answered.
                for letter in store.letters().iter().skip(before) {
                    assert_eq!(letter.send(), Some(200), "{kind} {point}");
                }
            }
            let rows = || home.sql(&format!("SELECT count(*) FROM orders WHERE remote_id = '{id}'"));
            until("the order", || rows() == ["1"]);
            until("the end of the work", || home.sql("SELECT 1 FROM rereads").is_empty());
            assert_eq!(rows(), ["1"], "{kind} {point}");
            // Whether it has looked at its subscriptions by then is another matter.
            assert!(matches!(again.stop().0, Some(0 | 3)), "{kind} {point}");
        }
    }
}

#[test]
fn w2_stopped_in_the_midst_of_a_burst_it_ends_within_two_seconds_and_has_all_that_it_answered() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let ids: Vec<u64> = (0..200).map(|_| rig.shop.place_order(NewOrder::paid().line("TEE-001", 1))).collect();
    until("the first deliveries", || rig.shop.letters().len() > 10);
    let (code, took) = listening.stop();
    assert!(code == Some(0) && took < Duration::from_secs(2), "{code:?} {took:?}");
    until("the deliveries", || rig.shop.letters().len() == 4 + ids.len());
    let known: std::collections::BTreeSet<String> =
        rig.home.sql("SELECT remote_id FROM orders UNION SELECT remote_id FROM rereads").into_iter().collect();
    let mut good = 0;
    for letter in rig.shop.letters().iter().skip(4).filter(|letter| letter.status == Some(200)) {
        let order: serde_json::Value = serde_json::from_slice(&letter.body).unwrap();
        assert!(known.contains(&order["id"].to_string()), "answered and lost: {}", order["id"]);
        good += 1;
    }
    assert!(good > 0, "none was answered");
}

#[test]
fn f4_on_a_full_disk_nothing_is_answered_200() {
    let rig = Rig::new();
    let first = delivering(&rig);
    let port = first.port;
    drop(first);
    // No file may grow beyond 33 KiB, of which SQLite's shared memory takes 32: the log is soon full,
    // and the book cannot take over what is in it.
    let child = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 66; exec \"$0\" listen --bind \"$1\""])
        .arg(env!("CARGO_BIN_EXE_ordersync"))
        .arg(format!("127.0.0.1:{port}"))
        .env("ORDERSYNC_HOME", rig.home.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut full = Listening { child, port };
    until("the receiver", || full.try_raw(b"GET /health HTTP/1.1\r\n\r\n").is_some());
    let mut ids = Vec::new();
    while !rig.shop.letters().iter().any(|letter| letter.status == Some(503)) {
        assert!(ids.len() < 50, "it has room for all");
        let before = rig.shop.letters().len();
        ids.push(rig.paid(1));
        until("an answer", || rig.shop.letters().len() > before);
    }
    let mut said = full.child.stderr.take().unwrap();
    drop(full);
    let mut text = String::new();
    said.read_to_string(&mut text).unwrap();
    assert!(text.contains("deliveries are not taken (503)"), "{text}");
    assert_eq!(rig.home.sql("PRAGMA integrity_check"), ["ok"]);
    let _again = Listening::at(&rig.home, port, "");
    for letter in rig.shop.letters().iter().filter(|letter| letter.status == Some(503)) {
        assert_eq!(letter.send(), Some(200));
    }
    until("all orders", || ids.iter().all(|id| book_has(&rig.home, *id)));
}

#[test]
fn x4_ten_thousand_idle_connections_keep_no_delivery_waiting() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let (_, most) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).unwrap();
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, most, most).unwrap();
    let wanted = usize::try_from(most.saturating_sub(500)).unwrap_or(usize::MAX).min(10_000);
    let slow: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", listening.port)).unwrap();
            stream.write_all(b"POST /hooks/").unwrap();
            stream
        })
        .collect();
    let id = rig.paid(1);
    let begun = Instant::now();
    assert_eq!(letter(&rig, 5).status, Some(200));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?} beside {} slow ones", begun.elapsed(), slow.len());
    let idle: Vec<_> = (0..wanted).filter_map(|_| TcpStream::connect(("127.0.0.1", listening.port)).ok()).collect();
    assert!(wanted >= 500 && idle.len() == wanted, "{} of {wanted}", idle.len());
    let begun = Instant::now();
    rig.shop.annotate(&id.to_string(), "please ring");
    assert_eq!(letter(&rig, 6).status, Some(200));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?} with {} idle ones", begun.elapsed(), idle.len());
    until("the change", || book_has(&rig.home, id) && rig.show(id).to_string().contains("please ring"));
    let (code, took) = listening.stop();
    assert!(code == Some(0) && took < Duration::from_secs(2), "{code:?} {took:?}");
}

#[test]
fn x4_beyond_what_can_wait_deliveries_are_refused_at_once_and_come_again() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let id = rig.paid(1);
    let good = letter(&rig, 5);
    until("the order", || book_has(&rig.home, id));
    let other = rusqlite::Connection::open(rig.home.book()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    let answers: Vec<(Option<u16>, Duration)> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..400).map(|_| scope.spawn(|| (good.send(), begun.elapsed()))).collect();
        assert_eq!(listening.raw(b"GET /health HTTP/1.1\r\n\r\n"), 200, "it is there all the while");
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|(status, _)| *status == Some(503)), "{answers:?}");
    let soonest = answers.iter().map(|(_, took)| *took).min().unwrap();
    assert!(soonest < Duration::from_millis(2500), "nobody was refused before the book was given up: {soonest:?}");
    other.execute_batch("ROLLBACK").unwrap();
    // Those that nobody waits for any more may still stand before it.
    until("the book", || good.send() == Some(200));
}

#[test]
fn x4_six_hundred_refused_ones_that_do_not_leave_keep_no_delivery_waiting() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let path = rig.shop.hooks()[0].address.split_once(&format!(":{}", listening.port)).unwrap().1.to_owned();
    let id = rig.paid(1);
    let good = letter(&rig, 5);
    until("the order", || book_has(&rig.home, id));
    // Refused with the whole request (401), and with its head (404): neither leaves, and more come.
    let whole = format!("POST {path} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}");
    for request in [whole.as_str(), "POST /hooks/nobody HTTP/1.1\r\nContent-Length: 2\r\n\r\n"] {
        let refused = || {
            let mut stream = TcpStream::connect(("127.0.0.1", listening.port)).unwrap();
            // Whoever makes room may be gone before it has sent all.
            let _ = stream.write_all(request.as_bytes());
            stream
        };
        let mut held: std::collections::VecDeque<TcpStream> = (0..600).map(|_| refused()).collect();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    held.pop_front();
                    held.push_back(refused());
                }
            });
            let answers: Vec<(Option<u16>, Duration)> = (0..20)
                .map(|_| {
                    let begun = Instant::now();
                    (good.send(), begun.elapsed())
                })
                .collect();
            is_over.store(true, Ordering::Relaxed);
            let is_good =
                |(status, took): &(Option<u16>, Duration)| *status == Some(200) && *took < Duration::from_secs(4);
            assert!(answers.iter().all(is_good), "{request}: {answers:?}");
        });
    }
}

#[test]
fn w1_a_store_that_is_connected_meanwhile_or_anew_is_received_without_a_restart() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let old = rig.shop.hooks()[0].address.clone();
    let said = rig.home.run("connect --remove woocommerce").exits(0);
    assert!(said.stderr.contains("4 webhooks were taken away") || said.stdout.contains("4 webhooks"), "{said:?}");
    rig.connect("").exits(0);
    until("the subscriptions", || rig.shop.hooks().len() == 4);
    assert_ne!(rig.shop.hooks()[0].address, old, "another path");
    let id = rig.paid(1);
    until("the order", || book_has(&rig.home, id));
    let second = Rig::new();
    rig.home.run(&format!("connect woocommerce --name second --url {}", second.server.url())).exits(0);
    until("the subscriptions of the second", || second.shop.hooks().len() == 4);
    let other = second.paid(1);
    until("its order", || {
        !rig.home
            .sql(&format!(
                "SELECT 1 FROM orders JOIN stores ON stores.id = store_id WHERE stores.name = 'second' AND orders.remote_id = '{other}'"
            ))
            .is_empty()
    });
    assert_eq!(listening.stop().0, Some(0));
}

#[test]
fn w1_with_verbose_each_delivery_and_each_order_that_is_read_has_a_line() {
    let rig = Rig::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut listening = Listening::at(&rig.home, port, &format!("-v --public-url http://127.0.0.1:{port}"));
    until("the subscriptions and their tests", || rig.shop.letters().len() == 4);
    let id = rig.paid(1);
    until("the order", || book_has(&rig.home, id));
    until("the end of the work", || rig.home.sql("SELECT 1 FROM rereads").is_empty());
    let mut said = listening.child.stderr.take().unwrap();
    listening.stop();
    let mut text = String::new();
    said.read_to_string(&mut text).unwrap();
    assert!(text.contains(&format!("woocommerce: a delivery about order {id} was taken\n")), "{text}");
    assert!(text.contains(&format!("woocommerce: order {id} was read\n")), "{text}");
    let order = rig.show(id);
    let person = order["ship_to"]["name"].as_str().or(order["buyer"]["name"].as_str()).unwrap_or("Ada").to_owned();
    assert!(!text.contains(&person), "x3: {text}");
}

#[test]
fn w1_a_public_port_that_a_channel_does_not_deliver_to_is_refused_with_the_reason() {
    let (store, _server, home) = connected(ChannelKind::BigCommerce);
    // Where no shop can deliver, nothing is waited for.
    let said = home.run("listen --bind 127.0.0.1:0 --public-url https://orders.example.com:8443").exits(6);
    said.says("delivers to port 443 alone").says("8443");
    assert_eq!(store.hooks(), []);
}

#[test]
fn w3_a_store_that_is_subscribed_without_a_receiver_is_told() {
    let rig = Rig::new();
    let listening = delivering(&rig);
    let stores = || rig.home.json("status")["stores"][0].clone();
    assert!(stores()["listening_at"].is_string(), "{}", stores());
    rig.home.run("status").exits(0).without("no ordersync listen");
    let file = rig.home.path().join(format!("listen/127.0.0.1-{}.json", listening.port));
    listening.stop();
    let deaf = || rig.home.run("status").exits(0).prints("no ordersync listen has run for").without("come by webhook");
    deaf();
    let mut presence: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    presence["at"] = (presence["at"].as_i64().unwrap() - 3 * 3_600_000).into();
    std::fs::write(&file, presence.to_string()).unwrap();
    rig.home.run("status").exits(0).prints("no ordersync listen has run for 3 h").prints("schedule install --listen");
}

/// Plays the part of a log-in: a user manager of its own, in a view of the files of its own.
#[cfg(target_os = "linux")]
const MANAGER: &str = r#"
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR"
chmod 700 "$XDG_RUNTIME_DIR"
/lib/systemd/systemd --user >/dev/null 2>&1 &
manager=$!
trap 'kill -TERM $manager; wait $manager || true' EXIT
until systemctl --user is-system-running >/dev/null 2>&1; do sleep 0.1; done
"$PROGRAM" schedule install --listen --bind "127.0.0.1:$PORT" >"$HOME/installed"
unit="$(sed 's/.* as //' "$HOME/installed").service"
main() { systemctl --user show -P MainPID "$unit"; }
echo "installed $(systemctl --user is-active "$unit") $(systemctl --user is-enabled "$unit")"
first=$(main)
kill -9 "$first"
until [ "$(main)" != "$first" ] && [ "$(systemctl --user is-active "$unit")" = active ]; do sleep 0.1; done
echo "again $(systemctl --user show -P NRestarts "$unit")"
begun=$(date +%s%N)
systemctl --user stop "$unit"
echo "stopped $(systemctl --user show -P Result "$unit") $(( ($(date +%s%N) - begun) / 1000000 ))"
"$PROGRAM" schedule remove --listen >/dev/null
echo "left $(systemctl --user is-enabled "$unit" 2>/dev/null || true)"
"#;

#[cfg(target_os = "linux")]
#[test]
fn f1_a_real_systemd_starts_the_receiver_starts_it_anew_when_it_is_killed_and_stops_it() {
    let can = std::path::Path::new("/lib/systemd/systemd").exists()
        && std::process::Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
    if !can {
        println!("skipped: no systemd is installed here, or it cannot be started");
        return;
    }
    let rig = Rig::new();
    drop(delivering(&rig));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let account = rig.home.beside("account");
    std::fs::create_dir(&account).unwrap();
    let script = rig.home.file("manager.sh", MANAGER);
    let mut command = std::process::Command::new("unshare");
    command.args(["-m", "timeout", "90", "sh"]).arg(script).env("PROGRAM", env!("CARGO_BIN_EXE_ordersync"));
    command.env("HOME", &account).env("XDG_RUNTIME_DIR", "/run/user/0").env("PORT", port.to_string());
    let output = command.env_remove("XDG_CONFIG_HOME").env("ORDERSYNC_HOME", rig.home.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    let [installed, again, stopped, left] = lines[..] else { panic!("{said}{why}") };
    assert_eq!((installed, again, left.trim_end()), ("installed active enabled", "again 1", "left"), "{why}");
    let (result, took) = stopped.strip_prefix("stopped ").unwrap().split_once(' ').unwrap();
    assert!(result == "success" && took.parse::<u64>().unwrap() < 2_000, "{stopped}");
}

/// A seller at eBay, with a home whose store knows where eBay is to write.
struct AtEbay {
    shop: Arc<ebay::Shop>,
    server: Server,
    home: Home,
}

const ALERTS: &str = "--set alert_email=alerts@example.test";

impl AtEbay {
    fn connected(options: ebay::Options, more: &str) -> Self {
        let clock = Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))));
        let shop = Arc::new(ebay::Shop::new(options, clock));
        let server = Server::start(shop.clone(), ServerOptions::default()).unwrap();
        let access = Simulated::access(&*shop, server.url());
        let home = access.secrets.iter().fold(Home::new(), |home, (name, value)| home.secret(name, value));
        home.run(&format!("connect ebay {} {more}", access.flags.join(" "))).exits(0);
        home.run("sync").exits(0);
        Self { shop, server, home }
    }

    fn usual() -> (Self, Listening) {
        let one = Self::connected(ebay::Options::rehearsal(), ALERTS);
        let listening = Listening::start(&one.home);
        until("the subscriptions", || one.shop.hooks().len() == 2);
        until("what is written down of it", || is_subscribed(&one.home));
        (one, listening)
    }

    fn address(&self) -> String {
        self.shop.hooks()[0].address.clone()
    }

    /// What was asked of the Notification API: method and what is behind its address.
    fn asked(&self) -> Vec<String> {
        let begin = "/commerce/notification/v1/";
        let asked = self.server.requests();
        asked.iter().filter_map(|one| Some(format!("{} {}", one.method, one.path.strip_prefix(begin)?))).collect()
    }

    /// What is answered to a notice with this in it, signed with the nth of eBay's keys.
    fn notify(&self, nth: usize, topic: &str, id: &str, data: serde_json::Value) -> Option<u16> {
        ebay::delivery(&self.address(), nth, &Self::notice(topic, id, data)).send()
    }

    fn notice(topic: &str, id: &str, data: serde_json::Value) -> serde_json::Value {
        let metadata = serde_json::json!({ "topic": topic, "schemaVersion": "1.0", "deprecated": false });
        let notification = serde_json::json!({ "notificationId": id, "publishAttemptCount": 1, "data": data });
        serde_json::json!({ "metadata": metadata, "notification": notification })
    }

    fn sale(&self, user: &str, order: &str) -> serde_json::Value {
        let lines =
            serde_json::json!([{ "orderLineItemId": "1", "quantity": 1 }, { "orderLineItemId": "2", "quantity": 3 }]);
        serde_json::json!({ "user": { "userId": user }, "order": { "orderId": order, "orderLineItems": lines } })
    }

    fn has(&self, id: &str, text: &str) -> bool {
        self.home.run(&format!("show ebay:{id} --json")).done().stdout.contains(text)
    }

    fn is_at_rest(&self) -> bool {
        self.home.sql("SELECT 1 FROM rereads").is_empty()
    }

    /// eBay marks a destination down where nobody answers.
    fn switch_off_destination(&self, id: u64) {
        let secrets = std::fs::read(self.home.path().join("credentials/ebay.json")).unwrap();
        let secrets: serde_json::Value = serde_json::from_slice(&secrets).unwrap();
        let secret = |name: &str| secrets[name].as_str().unwrap().to_owned();
        let config = serde_json::json!({ "endpoint": self.address(), "verificationToken": secret("hook_key") });
        let body = serde_json::json!({ "name": "x", "status": "DISABLED", "deliveryConfig": config }).to_string();
        let mut stream = TcpStream::connect(self.server.url().trim_start_matches("http://")).unwrap();
        let head = format!(
            "PUT /commerce/notification/v1/destination/{id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            secret("application_token"),
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }

    fn user(&self) -> String {
        self.shop.options().user_id.clone()
    }
}

const SALE: &str = "ORDER_CONFIRMATION";
const ERASED: &str = "MARKETPLACE_ACCOUNT_DELETION";

#[test]
fn w1_ebay_is_subscribed_in_its_order_and_a_sale_is_in_the_book_within_seconds() {
    let (one, listening) = AtEbay::usual();
    // Topics are asked for first; then alerts, destination and subscription.
    let asked = one.asked();
    assert_eq!(asked[0], "GET topic", "{asked:?}");
    let writes: Vec<&str> = asked.iter().map(String::as_str).filter(|one| !one.starts_with("GET")).collect();
    assert_eq!(writes, ["PUT config", "POST destination", "POST subscription", "POST subscription"]);
    let topics: Vec<String> = one.shop.hooks().into_iter().map(|hook| hook.topic).collect();
    assert_eq!(topics, [SALE, ERASED]);
    let begun = Instant::now();
    let id = Simulated::place(&*one.shop, &Purchase::paid().line("TEE-001", 2).line("MUG-9", 1));
    until("the order", || one.has(&id, "TEE-001") && one.has(&id, "MUG-9"));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    until("the answer", || one.shop.letters().iter().any(|letter| letter.status == Some(200)));
    until("the end of the work", || one.is_at_rest());
    let status = one.home.json("status");
    assert!(status["stores"][0]["instasync"] == true && status["stores"][0]["deliveries"] == 1, "{status}");
    one.server.clear_requests();
    // The same again, and one order in another notice.
    let good = one.shop.letters().pop().unwrap();
    assert_eq!((good.send(), good.send()), (Some(200), Some(200)));
    std::thread::sleep(Duration::from_millis(1300));
    assert_eq!(one.server.requests().len(), 0, "a repetition costs no request");
    assert_eq!(one.notify(0, SALE, "a_b", one.sale(&one.user(), &id)), Some(200));
    until("one read", || one.server.requests().len() == 1);
    assert!(one.server.requests()[0].path.contains("/sell/fulfillment/v1/order"));
    until("the end of the work", || one.is_at_rest());
    one.home.run("listen send-test").exits(6).says("only eBay can sign a delivery");
    // Nothing is written the next time.
    one.server.clear_requests();
    assert_eq!(listening.stop().0, Some(0));
    one.home.sql("UPDATE hooks SET checked_at = checked_at - 90000000");
    one.home.run("sync -v").exits(0).without("Instasync");
    assert!(one.asked().iter().all(|one| one.starts_with("GET")), "{:?}", one.asked());
    one.home.run("listen --off").exits(0).prints("2 subscriptions taken away");
    assert_eq!(one.shop.hooks(), []);
    assert!(one.asked().contains(&"DELETE destination/1".to_owned()));
}

#[test]
fn w3_without_the_topic_or_an_address_for_alerts_the_refusal_is_clear_and_ebay_is_polled() {
    let at = "listen --bind 127.0.0.1:0 --public-url http://127.0.0.1:9 --channel ebay";
    let one = AtEbay::connected(ebay::Options::sandbox(), ALERTS);
    let told = one.home.run(at).exits(6);
    told.says("eBay's sandbox has no topic ORDER_CONFIRMATION")
        .says("nothing was subscribed to")
        .says("ordersync watch");
    assert!(one.asked().iter().all(|one| one.starts_with("GET")), "{:?}", one.asked());
    assert_eq!((one.shop.hooks(), one.home.sql("SELECT 1 FROM hooks").len()), (Vec::new(), 0));
    one.home.run("sync -v").exits(0).without("Instasync");
    one.home.run("doctor --offline").exits(0).prints("ebay: endpoint: none here");
    // What is not received for is polled.
    let watching = one.home.spawn("watch --channel ebay", &[]);
    let mut watching = Listening { child: watching, port: 0 };
    let id = Simulated::place(&*one.shop, &Purchase::paid().line("TEE-001", 1));
    until("the order", || one.has(&id, "TEE-001"));
    watching.signal("-TERM");
    watching.child.wait().unwrap();

    let one = AtEbay::connected(ebay::Options::rehearsal(), "");
    let told = one.home.run(at).exits(6);
    told.says("an e-mail address for its alerts").says("ordersync config set ebay.alert_email you@example.com");
    assert!(one.asked().iter().all(|one| one.starts_with("GET")), "{:?}", one.asked());
    one.home.run("config set ebay.alert_email nobody").exits(2).says("alert_email is no e-mail address");
    one.home.run("config set ebay.alert_email alerts@example.test").exits(0);
    // Nobody answers at the public address.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listening = Listening::at(&one.home, port, "--public-url http://127.0.0.1:9");
    until("the question", || one.asked().contains(&"POST destination".to_owned()));
    assert_eq!(listening.stop().0, Some(3));
    assert_eq!(one.shop.hooks(), []);
    one.home.run("doctor --offline").exits(3).prints("eBay was never answered at http://127.0.0.1:9");
}

#[test]
fn w2_only_what_ebay_has_signed_for_this_seller_is_taken_and_made_up_keys_cost_next_to_nothing() {
    let (one, _listening) = AtEbay::usual();
    let id = Simulated::place(&*one.shop, &Purchase::paid().line("TEE-001", 1));
    until("the order", || one.has(&id, "TEE-001"));
    until("the end of the work", || one.is_at_rest());
    one.server.clear_requests();
    let sale = |user: &str| AtEbay::notice(SALE, "n_1", one.sale(user, &id));
    // A stranger's is dropped; of a topic that nobody wants, or without an order, nothing becomes.
    assert_eq!(one.notify(0, SALE, "n_0", one.sale("sTrAnGeR777", &id)), Some(200));
    assert_eq!(one.notify(0, "ITEM_SOLD", "n_2", one.sale(&one.user(), &id)), Some(200));
    assert_eq!(one.notify(0, SALE, "n_3", one.sale(&one.user(), "12/../../user")), Some(200));
    let good = ebay::delivery(&one.address(), 0, &sale(&one.user()));
    let mut other = good.clone();
    other.body.push(b' ');
    assert_eq!(other.send(), Some(401));
    let signature = |json: &str| {
        let mut letter = good.clone();
        *header(&mut letter, "X-EBAY-SIGNATURE") = base64(json.as_bytes());
        letter.send()
    };
    for odd in ["", "../user", "a/b", "a b", "k?x", &"k".repeat(65)] {
        assert_eq!(
            signature(&format!(r#"{{"kid":"{odd}","signature":"x","alg":"ecdsa","digest":"SHA1"}}"#)),
            Some(401)
        );
    }
    for odd in ["", "[]", "{}", r#"{"kid":7}"#] {
        assert_eq!(signature(odd), Some(401), "{odd}");
    }
    let mut unsigned = good.clone();
    unsigned.headers.retain(|(name, _)| name != "X-EBAY-SIGNATURE");
    assert_eq!(unsigned.send(), Some(401));
    let keys = || one.asked().iter().filter(|one| one.starts_with("GET public_key/")).count();
    assert_eq!(keys(), 0, "the first one is known");
    for nth in 0..30 {
        let made_up = format!(r#"{{"kid":"made-up-{nth}","signature":"x","alg":"ecdsa","digest":"SHA1"}}"#);
        assert!(matches!(signature(&made_up), Some(401 | 503)));
    }
    assert!((1..=4).contains(&keys()), "{}", keys());
    assert_eq!(one.server.requests().iter().filter(|one| one.path.contains("/order")).count(), 0);
    assert_eq!(good.send(), Some(200));
    until("the read", || one.server.requests().iter().any(|one| one.path.contains("/sell/fulfillment/v1/order")));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn x3_whom_ebay_erases_is_forgotten_by_name_and_by_id_and_doctor_says_when_ebay_was_answered() {
    let (one, listening) = AtEbay::usual();
    one.home.run("config set ebay.cancels apply").exits(0);
    let place = |customer: u64| {
        let id = Simulated::place(&*one.shop, &Purchase::paid().line("TEE-001", 1).customer(customer));
        until("the order", || one.has(&id, "TEE-001"));
        assert!(one.shop.cancel(&id));
        one.home.run(&format!("pull ebay:{id}")).exits(0);
        id
    };
    let (theirs, other) = (place(77), place(78));
    let theirs_number = *one.shop.numbers().iter().rev().nth(1).unwrap();
    let left =
        |id: &str| one.home.sql(&format!("SELECT 1 FROM orders WHERE remote_id = '{id}' AND buyer_remote_id <> ''"));
    assert_eq!((left(&theirs).len(), left(&other).len()), (1, 1));
    assert!(one.shop.close_account(theirs_number));
    until("the notice", || one.home.sql("SELECT 1 FROM to_forget").is_empty() && left(&theirs).is_empty());
    assert_eq!(left(&other).len(), 1, "nobody else");
    let name = one.home.sql(&format!("SELECT buyer_remote_id FROM orders WHERE remote_id = '{other}'")).pop().unwrap();
    // Where the id stands in the place of the name.
    assert_eq!(one.notify(0, ERASED, "e_1", serde_json::json!({ "userId": name, "username": "x" })), Some(200));
    until("the other one", || left(&other).is_empty());
    assert_eq!(listening.stop().0, Some(0));
    let port = one.address();
    let port = port.split("/hooks").next().unwrap();
    let told = one.home.run("doctor --offline").exits(3);
    told.prints("BAD   ebay: receiver").prints(&format!("ebay: endpoint: {port} last answered eBay"));
}

#[test]
fn w1_a_subscription_of_ebay_s_moves_with_the_address_and_another_program_s_is_left_alone() {
    let (one, listening) = AtEbay::usual();
    let before: Vec<u64> = one.shop.hooks().iter().map(|hook| hook.id).collect();
    let port = listening.port;
    assert_eq!(listening.stop().0, Some(0));
    // eBay has one subscription to a topic: it is moved, not made beside the old one.
    let again = Listening::at(&one.home, port, &format!("--public-url http://localhost:{port}/ordersync"));
    until("the new address", || one.shop.hooks().iter().all(|hook| hook.address.contains("/ordersync/hooks/")));
    assert_eq!(one.shop.hooks().iter().map(|hook| hook.id).collect::<Vec<_>>(), before);
    until("the old one to go", || one.asked().contains(&"DELETE destination/1".to_owned()));
    assert!(!one.asked().iter().any(|one| one.starts_with("DELETE subscription")), "{:?}", one.asked());
    let id = Simulated::place(&*one.shop, &Purchase::paid().line("TEE-001", 1));
    until("the order", || one.has(&id, "TEE-001"));
    // What eBay has switched off is switched on again: a subscription, or the destination of both.
    one.shop.change_hooks(&mut |hooks| hooks[0].is_active = false);
    one.home.sql("UPDATE hooks SET checked_at = checked_at - 90000000");
    one.home.run("sync -v").exits(0).says("Instasync: switched on again ORDER_CONFIRMATION");
    assert!(one.shop.hooks().iter().all(|hook| hook.is_active));
    one.switch_off_destination(2);
    one.server.clear_requests();
    one.home.sql("UPDATE hooks SET checked_at = checked_at - 90000000");
    one.home
        .run("sync -v")
        .exits(0)
        .says("Instasync: switched on again ORDER_CONFIRMATION, MARKETPLACE_ACCOUNT_DELETION");
    let writes: Vec<String> = one.asked().into_iter().filter(|one| !one.starts_with("GET")).collect();
    assert_eq!(writes, ["PUT destination/2"]);
    // Another program with the same keyset, which a second home is as well.
    let access = Simulated::access(&*one.shop, one.server.url());
    let other = access.secrets.iter().fold(Home::new(), |home, (name, value)| home.secret(name, value));
    other.run(&format!("connect ebay {} {ALERTS}", access.flags.join(" "))).exits(0);
    one.server.clear_requests();
    let told = other.run("listen --bind 127.0.0.1:0 --public-url http://127.0.0.1:9 --channel ebay").exits(6);
    told.says("does so at localhost already, which is not this ordersync")
        .says("nothing was subscribed to")
        .says("ordersync watch");
    assert!(one.asked().iter().all(|one| one.starts_with("GET")), "{:?}", one.asked());
    one.home.run("connect --remove ebay").exits(0);
    assert_eq!(one.shop.hooks(), []);
    assert_eq!(again.stop().0, Some(0));
}
