//! `ordersync watch` and the marks of `status`: the real program against simulated stores.

#![cfg(all(feature = "simulator", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ordersync::sim::etsy::Options as Etsy;
use ordersync::sim::woocommerce::Options as Woo;
use ordersync::sim::{Fault, FaultKind, Purchase, Server, Simulated};
use serde_json::Value;
use support::program::{Home, until};
use support::{etsy, woo};

/// A watch, or a receiver that watches beside, at work; it ends with the test.
struct Watching {
    child: Child,
    out: Arc<Mutex<Vec<String>>>,
    err: Arc<Mutex<Vec<String>>>,
}

fn gather(from: impl std::io::Read + Send + 'static) -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let all = lines.clone();
    std::thread::spawn(move || {
        BufReader::new(from).lines().map_while(Result::ok).for_each(|line| all.lock().unwrap().push(line));
    });
    lines
}

impl Watching {
    fn start(home: &Home, words: &str) -> Self {
        let mut child = home.spawn(words, &[]);
        let (out, err) = (gather(child.stdout.take().unwrap()), gather(child.stderr.take().unwrap()));
        Self { child, out, err }
    }

    fn lines(&self) -> Vec<String> {
        self.out.lock().unwrap().clone()
    }

    fn errors(&self) -> Vec<String> {
        self.err.lock().unwrap().clone()
    }

    fn says(&self, text: &str) -> bool {
        self.lines().iter().chain(&self.errors()).any(|line| line.contains(text))
    }

    /// Waits until it has said this.
    fn until_said(&self, text: &str) {
        let begun = Instant::now();
        while !self.says(text) {
            let said = (self.lines(), self.errors());
            assert!(begun.elapsed() < Duration::from_secs(100), "{text:?} was not said: {said:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Ends it as a service manager does: at once, and that is no failure.
    fn stop(mut self) {
        let begun = Instant::now();
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        let (code, took) = (status.code(), begun.elapsed());
        assert!(code == Some(0) && took < Duration::from_secs(2), "{code:?} {took:?} {:?}", self.errors());
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn book_has(home: &Home, id: u64) -> bool {
    home.sql(&format!("SELECT 1 FROM orders WHERE remote_id = '{id}'")).len() == 1
}

fn store(home: &Home, name: &str) -> Value {
    let status = home.json("status");
    status["stores"].as_array().unwrap().iter().find(|store| store["store"] == name).unwrap().clone()
}

fn asked(server: &Server) -> usize {
    server.requests().len()
}

/// Long enough for a round at the shortest interval, and no longer than two.
fn a_round() {
    std::thread::sleep(Duration::from_millis(6500));
}

/// A second shop in the home of the first.
fn also(rig: &woo::Rig, other: &woo::Served, name: &str) {
    rig.home.run(&format!("connect woocommerce --name {name} --url {}", other.server.url())).exits(0);
}

fn subscribed(home: &Home) {
    home.sql(
        "INSERT INTO hooks (store_id, address, since, checked_at, delivered_at, delivered)
         SELECT id, 'https://shop.example.test', 1, unixepoch() * 1000, unixepoch() * 1000, 3 FROM stores RETURNING 1",
    );
}

#[test]
fn i1_a_new_order_is_in_the_book_within_the_interval_and_each_round_that_brings_something_is_told() {
    let rig = woo::Rig::new();
    let watching = Watching::start(&rig.home, "watch");
    watching.until_said("woocommerce: every 5 s (more often is of no use)");
    assert!(watching.says("not subscribed to: ordersync help instasync"), "{:?}", watching.lines());
    until("the first round", || !rig.home.sql("SELECT 1 FROM stores WHERE last_sync_at IS NOT NULL").is_empty());
    let begun = Instant::now();
    let id = rig.paid(1);
    until("the order", || book_has(&rig.home, id));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    watching.until_said("woocommerce: 1 new, 0 changed");
    assert!(store(&rig.home, "woocommerce")["watched"] == true);
    let told = watching.lines().len();
    a_round();
    a_round();
    assert_eq!(watching.errors(), [""; 0]);
    assert_eq!(watching.lines().len(), told, "a round that brings nothing is not told: {:?}", watching.lines());
    // By hand beside it.
    rig.home.run("sync").exits(0).silent();
    assert_eq!(rig.writes().len(), 0, "p7");
    watching.stop();
    // Quiet rounds are one run, and those that brought something are seen.
    let runs = rig.home.json("runs");
    let watch: Vec<_> = runs.as_array().unwrap().iter().filter(|run| run["kind"] == "watch").collect();
    let new: u64 = watch.iter().map(|run| run["new"].as_u64().unwrap()).sum();
    assert!(new == 1 && watch.len() <= 3, "{watch:?}");
    assert!(store(&rig.home, "woocommerce")["watched"] == false);
    rig.assert_converged("by a watch");
}

#[test]
fn c1_each_line_for_programs_is_one_object() {
    let rig = woo::Rig::new();
    let watching = Watching::start(&rig.home, "watch --json");
    until("the interval", || !watching.lines().is_empty());
    rig.paid(1);
    until("the round", || watching.lines().iter().any(|line| line.contains("\"round\"")));
    let page = support::page::section("watch");
    for line in watching.lines() {
        let told: Value = serde_json::from_str(&line).unwrap();
        for (key, value) in told.as_object().unwrap() {
            let entry = page.iter().find(|entry| entry.name == *key);
            let entry = entry.unwrap_or_else(|| panic!("docs/data.md has no {key} of watch"));
            assert!(entry.fits(value), "{key} is {value}, and the page says {}", entry.kind);
        }
        assert!(told["event"] == "interval" || told["new"] == 1, "{told}");
    }
    watching.stop();
}

#[test]
fn i6_a_tiny_day_s_quota_is_not_overspent_and_a_part_of_it_is_left_for_dispatches() {
    let rig = etsy::Rig::with(Etsy { per_day: 40, ..Etsy::rehearsal() });
    let order = rig.order(&Purchase::paid().line("TEE-001", 1));
    let watching = Watching::start(&rig.home, "watch");
    watching.until_said("etsy: every ");
    watching.until_said("40 requests a day");
    a_round();
    a_round();
    assert!(asked(&rig.server) <= 4, "{} requests", asked(&rig.server));
    // Whoever works by hand is not held back, and the watch leaves what is kept for it.
    while asked(&rig.server) < 20 {
        rig.home.run("sync").exits(0);
    }
    let before = asked(&rig.server);
    a_round();
    assert!(asked(&rig.server) - before <= 2, "{before}");
    rig.on("dispatch", order, "--carrier dhl --tracking JD01").exits(0);
    assert!(!rig.server.requests().iter().any(|one| one.status == Some(429)));
    watching.stop();
}

#[test]
fn f2_two_watches_of_a_store_are_one_and_the_other_takes_over() {
    let rig = woo::Rig::new();
    let other = rig.paid(1);
    let mut first = Watching::start(&rig.home, "watch");
    until("the first round", || book_has(&rig.home, other));
    let second = Watching::start(&rig.home, "watch");
    second.until_said("another ordersync watches it");
    // The first round may be at work still, with all that a first sync asks for.
    a_round();
    rig.server.clear_requests();
    let begun = Instant::now();
    a_round();
    a_round();
    let (asked, rounds) = (asked(&rig.server), begun.elapsed().as_secs() / 5 + 1);
    assert!(asked as u64 <= rounds, "{asked} requests in {rounds} rounds of one");
    first.signal("-KILL");
    first.child.wait().unwrap();
    let id = rig.paid(1);
    until("the order by the other one", || book_has(&rig.home, id));
    second.until_said("1 new");
    second.stop();
}

#[test]
fn f5_one_that_is_killed_loses_nothing() {
    let rig = woo::Rig::new();
    for _ in 0..3 {
        rig.paid(1);
        let mut watching = Watching::start(&rig.home, "watch");
        watching.until_said("every 5 s");
        std::thread::sleep(Duration::from_millis(30));
        watching.signal("-KILL");
        watching.child.wait().unwrap();
        assert_eq!(rig.home.sql("PRAGMA integrity_check"), ["ok"]);
    }
    let watching = Watching::start(&rig.home, "watch");
    until("the orders", || rig.home.sql("SELECT count(*) FROM orders") == ["3"]);
    watching.stop();
    rig.assert_converged("after kills");
}

#[test]
fn f1_it_ends_at_once_while_a_store_does_not_answer_and_nothing_is_said_to_be_cut_off() {
    let rig = woo::Rig::new();
    rig.fault(Fault::new(FaultKind::Slow(Duration::from_secs(9))).on("GET", woo::ORDERS).always());
    let watching = Watching::start(&rig.home, "watch");
    until("the round", || !rig.home.sql("SELECT 1 FROM runs WHERE kind = 'watch' AND finished_at IS NULL").is_empty());
    // The question is on its way, and is not seen before it is answered.
    std::thread::sleep(Duration::from_millis(500));
    watching.stop();
    rig.server.faults().clear();
    let told = store(&rig.home, "woocommerce");
    assert!(!told["troubles"].to_string().contains("cut-off"), "{told}");
}

#[test]
fn i5_a_store_that_is_down_costs_that_store_and_is_told_once() {
    let rig = woo::Rig::new();
    let other = woo::Served::new(Woo::demo());
    also(&rig, &other, "second");
    other.fault(Fault::new(FaultKind::ServerError(500)).always());
    let watching = Watching::start(&rig.home, "watch");
    watching.until_said("second: ");
    let begun = Instant::now();
    let id = rig.paid(1);
    until("the order of the other", || book_has(&rig.home, id));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    a_round();
    a_round();
    let errors = watching.errors();
    assert_eq!(errors.iter().filter(|line| line.starts_with("error: second")).count(), 1, "{errors:?}");
    other.server.faults().clear();
    watching.until_said("second: is read again");
    watching.stop();
}

#[test]
fn f3_refused_credentials_end_the_rounds_with_one_word_until_there_are_others() {
    let rig = woo::Rig::new();
    rig.fault(Fault::new(FaultKind::Unauthorized).always());
    let watching = Watching::start(&rig.home, "watch");
    watching.until_said("connect --reauth woocommerce");
    rig.server.clear_requests();
    a_round();
    a_round();
    assert_eq!(asked(&rig.server), 0);
    assert_eq!(
        watching.errors().iter().filter(|line| line.starts_with("error: ")).count(),
        1,
        "{:?}",
        watching.errors()
    );
    rig.server.faults().clear();
    let id = rig.paid(1);
    rig.home.run("connect --reauth woocommerce").exits(0);
    until("the order", || book_has(&rig.home, id));
    watching.until_said("woocommerce: is read again");
    watching.stop();
}

#[test]
fn w3_a_store_that_webhooks_tell_of_is_left_to_them_until_they_do_not() {
    let rig = woo::Rig::new();
    rig.sync();
    subscribed(&rig.home);
    // What nobody receives tells of nothing.
    let unheard = Watching::start(&rig.home, "watch");
    unheard.until_said("no ordersync listen receives them");
    unheard.stop();
    std::fs::create_dir_all(rig.home.path().join("listen")).unwrap();
    let presence = serde_json::json!({
        "bind": "127.0.0.1:8788", "stores": ["woocommerce"], "at": chrono::Utc::now().timestamp_millis(),
    });
    std::fs::write(rig.home.path().join("listen/8788.json"), presence.to_string()).unwrap();
    rig.server.clear_requests();
    let watching = Watching::start(&rig.home, "watch");
    watching.until_said("webhooks tell of its orders, so it is left to them");
    a_round();
    assert_eq!(asked(&rig.server), 0);
    // A sync has found an order that nothing told of. Its delivery may still come, and status is silent
    // of it that long; asking costs little.
    let unannounced = |minutes: u32| {
        let found = format!("SELECT id, '1', (unixepoch() - {minutes} * 60) * 1000 FROM stores");
        rig.home.sql(&format!("INSERT OR REPLACE INTO unannounced {found} RETURNING 1"));
    };
    let since = || rig.home.json("status")["stores"][0]["unannounced_since"].clone();
    unannounced(10);
    watching.until_said("a delivery about one of its orders is late");
    assert!(since().is_null(), "{}", since());
    let id = rig.paid(1);
    until("the order", || book_has(&rig.home, id));
    watching.stop();
    unannounced(70);
    assert!(since().is_string(), "{}", since());
    let watching = Watching::start(&rig.home, "watch");
    watching.until_said("do not tell of all its orders");
    let id = rig.paid(1);
    until("the order", || book_has(&rig.home, id));
    rig.home.sql("DELETE FROM unannounced RETURNING 1");
    std::thread::sleep(Duration::from_secs(6));
    watching.stop();
    let named = Watching::start(&rig.home, "watch --channel woocommerce");
    named.until_said("webhooks tell of its orders as well");
    let id = rig.paid(1);
    until("the order of one that is named", || book_has(&rig.home, id));
    named.stop();
}

#[test]
fn w1_a_receiver_watches_the_stores_that_nothing_is_received_for() {
    let shop = woo::Rig::new();
    let other = etsy::Rig::unconnected(Etsy::rehearsal());
    let access = other.shop.access(other.server.url());
    let connect = format!("connect etsy {}", access.flags.join(" "));
    let call = access.secrets.iter().fold(shop.home.run(&connect), |call, (name, value)| call.env(name, value));
    call.exits(0);
    shop.home.run("sync").exits(0);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("listen --bind 127.0.0.1:{port}");
    let watching = Watching::start(&shop.home, &listen);
    watching.until_said("etsy: every ");
    let id = other.shop.place_order(Purchase::paid().line("TEE-001", 1));
    until("the order", || book_has(&shop.home, id));
    // The shop delivers nowhere yet, so it is polled as well.
    watching.until_said("woocommerce: every");
    watching.stop();
    subscribed(&shop.home);
    let both = Watching::start(&shop.home, &listen);
    both.until_said("etsy: every ");
    a_round();
    assert!(!both.says("woocommerce: every"), "{:?}", both.lines());
    both.stop();
    let deaf = Watching::start(&shop.home, &format!("{listen} --no-watch"));
    deaf.until_said("receiving at");
    other.server.clear_requests();
    a_round();
    assert_eq!(asked(&other.server), 0);
    deaf.stop();
}

#[test]
fn a_night_is_told_and_what_is_none_is_refused() {
    let rig = woo::Rig::new();
    rig.home.run("watch --night 22-6").exits(2).says("--night 22:00-06:00");
    rig.home.run("watch --channel nonsense").exits(7);
    let watching = Watching::start(&rig.home, "watch --night 00:00-23:59");
    watching.until_said("as it is night");
    watching.stop();
}

#[test]
fn w3_a_gap_is_told_with_its_reason_and_since_when_and_a_late_delivery_is_none() {
    let rig = woo::Rig::new();
    rig.sync();
    assert_eq!(store(&rig.home, "woocommerce")["sooner_with"], "ordersync listen --public-url https://...");
    subscribed(&rig.home);
    let orders = || store(&rig.home, "woocommerce")["tasks"][0].clone();
    let task = |is_instant: bool| serde_json::json!({ "task": "orders", "instasync": is_instant });
    assert_eq!(orders(), task(false), "nobody receives");
    rig.home.run("status").env("LC_ALL", "C.UTF-8").exits(0).without("⚡");
    let receiving = Watching::start(&rig.home, "listen --bind 127.0.0.1:0 --no-watch");
    receiving.until_said("receiving at");
    until("the word of it", || orders() == task(true));
    rig.home.run("status").env("LC_ALL", "C.UTF-8").exits(0).prints("⚡");
    receiving.stop();
    let told = store(&rig.home, "woocommerce");
    assert_eq!(told["tasks"][1], serde_json::json!({ "task": "outbox", "instasync": false }));
    assert!(told["instasync_gap"].is_null() && told["sooner_with"].is_null(), "{told}");
    let gap = |minutes: u32| {
        rig.home.sql(&format!(
            "REPLACE INTO unannounced SELECT id, '1', (unixepoch() - {minutes} * 60) * 1000 FROM stores RETURNING 1"
        ));
        store(&rig.home, "woocommerce")["instasync_gap"].clone()
    };
    assert!(gap(50).is_null(), "a delivery may come for an hour");
    assert_eq!(gap(90)["reason"], "some-missing");
    assert!(gap(90)["since"].is_string());
    rig.home.sql("UPDATE hooks SET delivered_at = (unixepoch() - 86400) * 1000 RETURNING 1");
    assert_eq!(gap(90)["reason"], "stopped");
    rig.home.sql("UPDATE hooks SET delivered_at = NULL RETURNING 1");
    assert_eq!(gap(90)["reason"], "nothing-came");
    let screen = rig.home.run("status").env("LC_ALL", "C.UTF-8").exits(0);
    let row = screen.stdout.lines().find(|line| line.starts_with("woocommerce ")).unwrap().to_owned();
    assert!(row.contains("ago ⚡!"), "at the orders' own task: {row}");
    screen.prints("for 1 h 30 min").prints("no delivery ever came").prints("https://shop.example.test");
}

#[test]
fn w4_a_timer_that_was_removed_is_missed_by_what_relies_on_it() {
    let rig = woo::Rig::new();
    let dir = rig.home.beside("bin");
    std::fs::create_dir_all(&dir).unwrap();
    let program = dir.join("crontab");
    let spool = rig.home.beside("spool");
    let text = format!("#!/bin/sh\nif [ \"$1\" = -l ]; then /bin/cat {0}; else /bin/cat > {0}; fi\n", spool.display());
    std::fs::write(&program, text).unwrap();
    std::fs::write(&spool, "").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let schedule = |words: &str| rig.home.run(&format!("schedule {words}")).env("PATH", dir.to_str().unwrap()).exits(0);
    rig.home.run("sync --autosync").exits(0);
    schedule("install");
    assert_eq!(rig.home.json("status")["timer"]["installed"], true);
    schedule("remove");
    let timer = rig.home.json("status")["timer"].clone();
    assert!(timer["installed"] == false && timer["removed_at"].is_string(), "{timer}");
    assert_eq!(timer["relied_on_by"], serde_json::json!(["orders"]));
    let told = rig.home.run("status").exits(0).prints("the timer was removed").prints("not scheduled");
    told.prints("ordersync schedule install puts it back").without("no timer is installed");
    subscribed(&rig.home);
    assert_eq!(rig.home.json("status")["timer"]["relied_on_by"], serde_json::json!(["instasync"]));
    rig.home.run("status").exits(0).prints("what webhooks of woocommerce lose is not found by itself");
    // Whoever has it run by other means needs none of ours.
    rig.home.sql("UPDATE stores SET last_autosync_at = (unixepoch() + 2) * 1000 RETURNING 1");
    assert!(rig.home.json("status")["timer"]["removed_at"].is_null());
    schedule("install");
    rig.home.run("status").exits(0).without("was removed");
}
