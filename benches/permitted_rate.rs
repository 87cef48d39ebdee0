//! `cargo bench --bench permitted_rate`: how much of the rate that a channel permits a first sync
//! uses (target: 95 %).
//!
//! The engine and a simulated store with the vendor's own limits run on one clock that may go five
//! times as fast as the world's, so minutes of waiting take seconds; what program and store compute
//! counts five times, too, which is to their disadvantage. Where each request waits for its own turn
//! (Etsy) that would be what is measured, so there the clock is the world's. A channel is a [`Row`]:
//! its store, and what it says was spent and is permitted.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot go on says where")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, TimeZone, Utc};
use ordersync::book::{NewStore, RunKind, Store};
use ordersync::channel::Values;
use ordersync::clock::{Clock, Timestamp};
use ordersync::credentials::Credentials;
use ordersync::error::Error;
use ordersync::home::Home;
use ordersync::http::RetryPolicy;
use ordersync::secret::{Secret, Secrets};
use ordersync::sim::{Recording, Server, ServerOptions, Simulated, bigcommerce, etsy, shopify};
use ordersync::sync::store::open_new;
use ordersync::sync::{Context, Job, Silent, run};

/// How much faster than the world the clock goes where it may.
const SPEED: u32 = 5;

/// What a request takes, by that clock: a page of 250 orders of a real shop.
const LATENCY: Duration = Duration::from_millis(1500);

struct FastClock {
    began: Instant,
    speed: u32,
}

impl FastClock {
    fn of(speed: u32) -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), speed })
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let passed = TimeDelta::from_std(self.began.elapsed() * self.speed).unwrap();
        Utc.with_ymd_and_hms(2026, 11, 23, 7, 0, 0).unwrap() + passed
    }

    fn sleep(&self, pause: Duration) -> Result<(), Error> {
        std::thread::sleep(pause / self.speed);
        Ok(())
    }

    fn check_interrupt(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// A store under measurement.
struct Row {
    name: &'static str,
    clock: Arc<FastClock>,
    store: Arc<dyn Simulated>,
    /// Settings beyond those that the store needs to be reached.
    settings: &'static [(&'static str, &'static str)],
    /// What was spent of the channel's budget, and how many requests were refused for want of it.
    spent: Box<dyn Fn() -> (f64, u64)>,
    /// The least seconds in which the channel permits so much to be spent.
    permitted: fn(f64) -> f64,
    /// The least share of it that is good enough; `None` where the way is not held back by it.
    target: Option<f64>,
}

fn shopify(name: &'static str, plus: bool, bulk: &'static str) -> Row {
    let clock = FastClock::of(SPEED);
    let standard = shopify::Options { latency: LATENCY, speed: SPEED, ..shopify::Options::default() };
    let options = if plus { shopify::Options { restore_rate: 1000.0, bucket: 20_000.0, ..standard } } else { standard };
    let shop = Arc::new(shopify::Shop::new(options, clock.clone()));
    let counted = shop.clone();
    Row {
        name,
        clock,
        store: shop,
        settings: if bulk == "always" { &[("bulk", "always")] } else { &[("bulk", "never")] },
        spent: Box::new(move || (counted.points(), counted.throttled())),
        // A full bucket at once, and then what flows in.
        permitted: if plus { |spent| (spent - 20_000.0) / 1000.0 } else { |spent| (spent - 2000.0) / 100.0 },
        target: (bulk == "never" && !plus).then_some(0.95),
    }
}

/// A store that gives so few rows at once that the quota is the bound: with 250, twenty thousand
/// orders are over in two windows.
fn bigcommerce() -> Row {
    let clock = FastClock::of(SPEED);
    let latency = Duration::from_millis(400);
    let options =
        bigcommerce::Options { most_rows: 20, page_latency: latency / SPEED, ..bigcommerce::Options::default() };
    let shop = Arc::new(bigcommerce::Shop::new(options, clock.clone()));
    let counted = shop.clone();
    Row {
        name: "bigcommerce Standard",
        clock,
        store: shop,
        settings: &[],
        spent: Box::new(move || {
            let (asked, refused) = counted.asked();
            (asked as f64, refused)
        }),
        // 150 at once, and again every 30 seconds.
        permitted: |spent| ((spent - 1.0) / 150.0).floor() * 30.0,
        target: Some(0.95),
    }
}

/// A shop of an app of a merchant's own: five requests in each second of Etsy's clock.
fn etsy() -> Row {
    let clock = FastClock::of(1);
    let latency = Duration::from_millis(400);
    let options = etsy::Options { page_latency: latency, ..etsy::Options::default() };
    let shop = Arc::new(etsy::Shop::new(options, clock.clone()));
    let counted = shop.clone();
    Row {
        name: "etsy, 5 a second",
        clock,
        store: shop,
        settings: &[],
        spent: Box::new(move || {
            let (asked, refused) = counted.asked();
            (asked as f64, refused)
        }),
        permitted: |spent| ((spent - 1.0) / 5.0).floor(),
        target: Some(0.95),
    }
}

fn main() {
    // As `cargo bench -- etsy` has it; whatever names no channel of these is for another bench.
    let names: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |row: &str| names.is_empty() || names.iter().any(|name| row.starts_with(name.as_str()));
    let orders = if std::env::var("ORDERSYNC_BENCH").is_ok_and(|size| size == "quick") { 5_000 } else { 20_000 };
    println!(
        "first sync of {orders} orders, clock × {SPEED} (Etsy's × 1), {} ms for a page of Shopify's, 400 ms for one of the others",
        LATENCY.as_millis()
    );
    println!(
        "{:28}{:>9}{:>10}{:>10}{:>11}{:>11}{:>8}",
        "", "seconds", "requests", "orders/s", "throttled", "spent", "share"
    );
    let rows: [&dyn Fn() -> Row; 5] = [
        &bigcommerce,
        &etsy,
        &|| shopify("shopify Standard, pages", false, "never"),
        &|| shopify("shopify Plus, pages", true, "never"),
        &|| shopify("shopify Standard, bulk", false, "always"),
    ];
    for row in rows.into_iter().map(|row| row()).filter(|row| wanted(row.name)) {
        measure(&row, orders);
    }
}

fn measure(row: &Row, orders: u64) {
    let clock = &row.clock;
    let now = clock.now();
    row.store.seed(orders, now - TimeDelta::days(300), now - TimeDelta::hours(1));
    let options = ServerOptions { recording: Recording::Off, ..ServerOptions::default() };
    let server = Server::start(row.store.clone(), options).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let context = Context {
        home: Home::locate(Some(dir.path().to_owned())).unwrap(),
        clock: clock.clone(),
        retry: RetryPolicy::default(),
        lock_timeout: Duration::from_secs(60),
    };
    let store = connect(&context, row, server.url());
    let (before, _) = (row.spent)();
    let began = clock.now();
    let job = Job { kind: RunKind::Sync, range: None, full: false, dry_run: false };
    let report = run(&context, &[store], &job, &Silent).unwrap();
    let seconds = (clock.now() - began).as_seconds_f64();
    let one = &report.stores[0];
    assert!(one.error.is_none(), "{:?}", one.error);
    assert_eq!(one.tally.new, orders);
    let (spent, throttled) = (row.spent)();
    let share = (row.permitted)(spent - before).max(0.0) / seconds;
    let verdict = match row.target {
        Some(target) if share >= target => "ok",
        Some(_) => "MISSED",
        None => "",
    };
    println!(
        "{:28}{seconds:>9.0}{:>10}{:>10.0}{throttled:>11}{:>11.0}{:>7.1}% {verdict}",
        row.name,
        one.requests,
        orders as f64 / seconds,
        spent - before,
        share * 100.0,
    );
}

/// Connects the store as `connect` does.
fn connect(context: &Context, row: &Row, url: &str) -> Store {
    let access = row.store.access(url);
    let pairs = access.flags.chunks(2).map(|pair| match pair[1].split_once('=').filter(|_| pair[0] == "--set") {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (pair[0].trim_start_matches("--").replace('-', "_"), pair[1].clone()),
    });
    let settings = row.settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let values: Values = pairs.chain(settings).collect();
    let key = |name: &str| name.trim_start_matches("ORDERSYNC_").to_lowercase();
    let secrets: Secrets = access.secrets.iter().map(|(name, value)| (key(name), Secret::new(value.clone()))).collect();
    let credentials = Arc::new(Credentials::loose(secrets));
    let shop = open_new(context, row.store.kind(), values.clone(), credentials.clone(), None).unwrap().probe().unwrap();
    context.credential_store().write("shop", &credentials.all()).unwrap();
    let new = NewStore {
        name: "shop".to_owned(),
        kind: row.store.kind(),
        remote_id: shop.remote_id,
        title: shop.title,
        url: shop.url,
        currency: shop.currency,
        time_zone: shop.time_zone,
        values,
        facts: shop.facts,
        since: None,
    };
    context.book().unwrap().add_store(&new).unwrap()
}
