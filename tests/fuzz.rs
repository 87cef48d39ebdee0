//! Inputs that nobody means, by chance and by a seed: documents, whole answers with their headers,
//! credentials files, tables of dispatches, and what stands in the book. Whatever comes, the
//! program ends with an error or goes on; it never panics (F-6).
//!
//! `ORDERSYNC_FUZZ_SECONDS` is how long each of the tests goes on (2 by default);
//! `ORDERSYNC_FUZZ_SEED` repeats a run.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use chrono::Utc;
use ordersync::book::{Filter, RunKind};
use ordersync::channel::{self, ChannelKind};
use ordersync::clock::{Clock, ManualClock, SystemClock};
use ordersync::home::Home;
use ordersync::http::RetryPolicy;
use ordersync::sim::world::Dice;
use ordersync::sim::{Purchase, Request, Response, Server, ServerOptions, Simulated, Store, rehearsal};
use ordersync::sync::{Context, Job, Silent};
use serde_json::{Value, json};

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Writes down every panic of every thread of the program.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let at = info.location().map(ToString::to_string).unwrap_or_default();
            // Those of the tests themselves are failures anyway.
            if !at.contains("tests/") {
                PANICS.lock().unwrap().push(format!("{at}: {info}"));
            }
            usual(info);
        }));
    });
}

fn panics() -> Vec<String> {
    std::mem::take(&mut PANICS.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Runs `work` with ever new dice until the time is over; says which seed it was that made
/// something panic.
fn fuzz(name: &str, mut work: impl FnMut(&mut Dice)) {
    // One after the other, so that a panic in a thread of the program is put down to the right one.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    watch();
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = Duration::from_secs(number("ORDERSYNC_FUZZ_SECONDS").unwrap_or(2));
    let one = number("ORDERSYNC_FUZZ_SEED");
    let begun = Instant::now();
    let mut rounds = 0;
    while one.map_or(begun.elapsed() < seconds, |_| rounds < 1) {
        let seed = one.unwrap_or(rounds);
        let mut dice = Dice::new(seed, name.bytes().map(u64::from).sum());
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut dice)));
        let found = panics();
        assert!(found.is_empty(), "f6: {name}: ORDERSYNC_FUZZ_SEED={seed}: {found:#?}");
        if let Err(failure) = done {
            eprintln!("{name}: ORDERSYNC_FUZZ_SEED={seed}");
            std::panic::resume_unwind(failure);
        }
        rounds += 1;
    }
    println!("{name}: {rounds} rounds");
}

/// Texts that have broken programs.
const TEXTS: &[&str] = &[
    "",
    " ",
    "0",
    "-1",
    "NaN",
    "inf",
    "1e999",
    "-1e999",
    "1e-400",
    "9e27",
    "79228162514264337593543950335",
    "-0",
    "00",
    "0.1e1e1",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "99999999999999999999999999999",
    "0000-00-00T00:00:00",
    "-0001-11-30T00:00:00",
    "9999-12-31T23:59:59Z",
    "+262142-12-31T23:59:59Z",
    "1970-01-01T00:00:00",
    "2026-02-30T25:61:61",
    "Fri, 31 Dec 9999 23:59:59 +0000",
    "Thu, 01 Jan 1970 00:00:00 -2359",
    "2026-11-24T10:00:00+99:99",
    "gid://shopify/Order/",
    "gid://shopify/Order/99999999999999999999999",
    "gid:///",
    "\u{202e}x\u{61c}",
    "\u{0}",
    "\u{1b}[31m",
    "ä",
    "🫖",
    "'",
    "\"",
    "<script>",
    "=1+1",
    "null",
    "[]",
    "{}",
    "EUR",
    "eur ",
    "€",
    "XX",
    "processing",
    "wc-processing",
    "Shipped",
    "../../etc/passwd",
    "https://",
    "http://a:b@c",
    "//",
    "%",
    "%zz",
    "12,50",
    "1.2.3",
    "1_0",
    "\u{feff}",
];

/// One of the texts, or a long one.
fn text(dice: &mut Dice) -> String {
    match dice.below(12) {
        0 => "9".repeat(dice.below(400) as usize),
        1 => "x".repeat(dice.below(5000) as usize),
        2 => format!("{}", dice.roll()),
        3 => format!("{:e}", f64::from_bits(dice.roll())),
        _ => (*dice.pick(TEXTS).unwrap()).to_owned(),
    }
}

fn scalar(dice: &mut Dice) -> Value {
    match dice.below(12) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!([]),
        3 => json!({}),
        4 => json!(dice.roll() as i64),
        5 => json!(i64::MIN),
        6 => json!(u64::MAX),
        7 => json!(f64::from_bits(dice.roll())),
        8 => json!([[[[{ "id": {} }]]]]),
        _ => Value::String(text(dice)),
    }
}

/// Changes something in a document.
fn mutate(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Object(members) if !members.is_empty() && dice.below(12) > 0 => {
            let keys: Vec<String> = members.keys().cloned().collect();
            let key = dice.pick(&keys).unwrap().clone();
            match dice.below(10) {
                0 => {
                    members.remove(&key);
                }
                1 => {
                    let other = members[dice.pick(&keys).unwrap()].clone();
                    members.insert(key, other);
                }
                _ => mutate(members.get_mut(&key).unwrap(), dice),
            }
        }
        Value::Array(rows) if !rows.is_empty() && dice.below(12) > 0 => {
            let at = dice.below(rows.len() as u64) as usize;
            match dice.below(8) {
                0 => {
                    rows.remove(at);
                }
                1 => {
                    let row = rows[at].clone();
                    rows.insert(at, row);
                }
                2 => {
                    let row = rows[at].clone();
                    rows.extend(std::iter::repeat_n(row, dice.below(200) as usize));
                }
                _ => mutate(&mut rows[at], dice),
            }
        }
        other => *other = scalar(dice),
    }
}

/// Changes bytes: cut, doubled, replaced, numbers that JSON allows and no machine holds.
fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    if bytes.is_empty() {
        return;
    }
    let at = dice.below(bytes.len() as u64) as usize;
    match dice.below(9) {
        0 => bytes.truncate(at),
        1 => bytes[at] = dice.roll() as u8,
        2 => drop(bytes.splice(at..at, text(dice).into_bytes())),
        3 => drop(bytes.splice(0..0, b"\xef\xbb\xbf<b>Notice</b>: [0]\n".iter().copied())),
        4 => drop(bytes.splice(at..at, std::iter::repeat_n(b'[', 5000))),
        5 => {
            let half = bytes[at..].to_vec();
            bytes.extend(half);
        }
        _ => {
            // A number by another one.
            let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
            let Some(from) = (at..bytes.len()).find(|at| is_digit(*at)) else { return };
            let to = (from..bytes.len()).find(|at| !is_digit(*at)).unwrap_or(bytes.len());
            let number = dice.pick(&[
                "1e999",
                "-1e999",
                "99999999999999999999999999",
                "0.1e-400",
                "9e27",
                "-9223372036854775808",
            ]);
            bytes.splice(from..to, number.unwrap().bytes());
        }
    }
}

fn mutant(value: &Value, dice: &mut Dice) -> Vec<u8> {
    let mut value = value.clone();
    for _ in 0..dice.below(4) + u64::from(dice.below(2) == 0) {
        mutate(&mut value, dice);
    }
    let mut bytes = value.to_string().into_bytes();
    if dice.below(3) == 0 {
        damage(&mut bytes, dice);
    }
    bytes
}

/// A store whose answers are changed on their way, as soon as it is let loose.
struct Mutant {
    store: Arc<dyn Simulated>,
    loose: AtomicBool,
    seed: AtomicU64,
    asked: AtomicU64,
}

impl Store for Mutant {
    fn handle(&self, request: &Request) -> Response {
        let mut response = self.store.handle(request);
        response.delay = Duration::ZERO;
        if !self.loose.load(Ordering::Relaxed) {
            return response;
        }
        let mut dice = Dice::new(self.seed.load(Ordering::Relaxed), self.asked.fetch_add(1, Ordering::Relaxed));
        if dice.below(3) == 0 {
            return response;
        }
        match dice.below(6) {
            0 => {
                response.status =
                    *dice.pick(&[200, 201, 204, 301, 400, 401, 403, 404, 418, 429, 430, 500, 503, 599]).unwrap()
            }
            1 | 2 => header(&mut response, &mut dice),
            3 => damage(&mut response.body, &mut dice),
            _ => response.body = mutant(&response.body_json(), &mut dice),
        }
        response
    }

    fn served_at(&self, url: &str) {
        self.store.served_at(url);
    }
}

/// Every header that is read, with a value that nobody means.
fn header(response: &mut Response, dice: &mut Dice) {
    const NAMES: &[&str] = &[
        "Retry-After",
        "X-Retry-After",
        "Date",
        "X-Rate-Limit-Requests-Left",
        "X-Rate-Limit-Requests-Quota",
        "X-Rate-Limit-Time-Reset-Ms",
        "X-Rate-Limit-Time-Window-Ms",
        "X-WP-Total",
        "X-WP-TotalPages",
        "Link",
        "Location",
        "Content-Type",
        "X-Shopify-API-Version",
        "Content-Range",
        "X-Shopify-Shop-Api-Call-Limit",
    ];
    const LINKS: &[&str] =
        &["<", "<>; rel=\"https://api.w.org/\"", "<https://api.w.org/>", "<http://[>; rel=https://api.w.org/", ",,,"];
    if dice.below(3) == 0 {
        response.status = *dice.pick(&[429, 503, 301, 200]).unwrap();
    }
    let value = if dice.below(5) == 0 { (*dice.pick(LINKS).unwrap()).to_owned() } else { text(dice) };
    // What cannot be sent at all tests nothing of ours.
    let value: String = value.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(2000).collect();
    response.set_header(dice.pick(NAMES).unwrap(), value);
}

/// A connected store in a home of its own, worked on within this process.
struct Rig {
    context: Context,
    clock: Arc<ManualClock>,
    mutant: Arc<Mutant>,
    _server: Server,
    _dir: tempfile::TempDir,
    kind: ChannelKind,
}

impl Rig {
    fn new(kind: ChannelKind) -> Self {
        let real: Arc<dyn Clock> = Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))));
        let store = rehearsal(kind, real, Duration::ZERO);
        let mutant = Arc::new(Mutant {
            store: store.clone(),
            loose: AtomicBool::new(false),
            seed: AtomicU64::new(0),
            asked: AtomicU64::new(0),
        });
        let server = Server::start(mutant.clone(), ServerOptions::default()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        // Pauses pass at once: what is asked for is looked at, not waited for.
        let clock = Arc::new(ManualClock::at(Utc::now()));
        let context = Context {
            home: Home::locate(Some(dir.path().join("home"))).unwrap(),
            clock: clock.clone(),
            retry: RetryPolicy { repeats: 1, timeout: Duration::from_secs(10), ..RetryPolicy::default() },
            lock_timeout: Duration::ZERO,
        };
        let rig = Self { context, clock, mutant, _server: server, _dir: dir, kind };
        rig.connect();
        rig
    }

    /// Through the program itself, so that values and facts are as it leaves them.
    fn connect(&self) {
        let access = self.mutant.store.access(self._server.url());
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_ordersync"))
            .args(["--home", &self._dir.path().join("home").to_string_lossy(), "connect", self.kind.word()])
            .args(&access.flags)
            .envs(access.secrets.iter().map(|(name, value)| (*name, value.as_str())))
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    fn store(&self) -> ordersync::book::Store {
        self.context.book().unwrap().stores().unwrap().remove(0)
    }

    fn sync(&self, full: bool) {
        let job = Job { kind: RunKind::Sync, range: None, full, dry_run: false };
        // A store whose settings cannot be read is an error.
        let Ok(stores) = self.context.book().and_then(|book| book.stores()) else { return };
        let _ = ordersync::sync::run(&self.context, &stores, &job, &Silent);
    }

    fn sql(&self, text: &str) {
        let db = rusqlite::Connection::open(self.context.home.book()).unwrap();
        db.busy_timeout(Duration::from_secs(10)).unwrap();
        db.execute_batch(text).unwrap();
    }
}

#[test]
fn f6_no_document_of_an_order_makes_the_program_panic() {
    let mut seen: Vec<(Box<dyn channel::Format>, Vec<Value>)> = Vec::new();
    for kind in ChannelKind::ALL {
        let rig = Rig::new(kind);
        rig.sync(false);
        let book = rig.context.book().unwrap();
        let rows = book.list(&Filter { limit: 30, ..Filter::default() }).unwrap();
        let documents: Vec<Value> =
            rows.iter().filter_map(|row| serde_json::from_slice(&book.base_document(row.id).ok()??).ok()).collect();
        assert!(documents.len() > 5, "{kind}");
        seen.push((channel::format(kind, &rig.store().values).unwrap(), documents));
    }
    fuzz("documents", |dice| {
        for (format, documents) in &seen {
            for _ in 0..20 {
                let document = mutant(dice.pick(documents).unwrap(), dice);
                if let Ok(order) = format.order(&document) {
                    let other = mutant(dice.pick(documents).unwrap(), dice);
                    if let Ok(other) = format.order(&other) {
                        let _ = ordersync::order::differences(&order, &other);
                    }
                }
            }
        }
    });
}

#[test]
fn f6_no_answer_of_a_shop_makes_the_program_panic() {
    let rigs: Vec<Rig> = ChannelKind::ALL.into_iter().chain([ChannelKind::Shopify]).map(Rig::new).collect();
    // The other way of a first sync.
    rigs[ChannelKind::ALL.len()].sql("UPDATE stores SET settings = json_set(settings, '$.bulk', 'always')");
    for rig in &rigs {
        rig.sync(false);
    }
    fuzz("answers", |dice| {
        for rig in &rigs {
            let id = rig.mutant.store.place(&Purchase::of(&[("TEE-001", 2), ("MUG-9", 1)]));
            if dice.below(3) == 0 {
                // Something to send, so that writes are answered as well.
                rig.sync(false);
                let order = format!("{}:{id}", rig.kind);
                let act = match dice.below(3) {
                    0 => vec!["cancel", &order, "--reason", "stock"],
                    _ => vec!["dispatch", &order, "--carrier", "ups", "--tracking", "1Z1", "--later"],
                };
                program(&rig._dir.path().join("home"), &act, &[]);
            }
            rig.mutant.seed.store(dice.roll(), Ordering::Relaxed);
            rig.mutant.loose.store(true, Ordering::Relaxed);
            rig.sync(dice.below(3) == 0);
            if let Ok(open) = rig.context.open(&rig.store()) {
                let _ = open.channel.probe();
                for id in rig.mutant.store.ids().iter().rev().take(2) {
                    let _ = open.channel.order(id);
                }
            }
            rig.mutant.loose.store(false, Ordering::Relaxed);
            rig.clock.advance(chrono::TimeDelta::hours(2));
            rig.context.book().unwrap().end_pause(rig.store().id).unwrap();
            let book = rig.context.book().unwrap();
            let rows = book.list(&Filter { limit: 20, ..Filter::default() }).unwrap();
            rows.iter().for_each(|row| drop(book.order(row.id).unwrap()));
        }
    });
}

#[test]
fn f6_nothing_that_stands_in_the_book_makes_the_program_panic() {
    let rigs: Vec<Rig> = ChannelKind::ALL.into_iter().map(Rig::new).collect();
    for rig in &rigs {
        rig.sync(false);
    }
    let column = |rig: &Rig, sql: &str| -> Vec<String> {
        let db = rusqlite::Connection::open(rig.context.home.book()).unwrap();
        let mut found = db.prepare(sql).unwrap();
        found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let good: Vec<Vec<Vec<String>>> = rigs
        .iter()
        .map(|rig| {
            ["SELECT position FROM cursors", "SELECT settings FROM stores", "SELECT facts FROM stores"]
                .iter()
                .map(|sql| column(rig, sql))
                .collect()
        })
        .collect();
    fuzz("stored", |dice| {
        for (rig, good) in rigs.iter().zip(&good) {
            let [positions, settings, facts] = good.as_slice() else { panic!() };
            let quoted = |bytes: Vec<u8>| format!("'{}'", String::from_utf8_lossy(&bytes).replace(['\'', '\0'], ""));
            let changed = |from: &[String], dice: &mut Dice| {
                let value: Value = serde_json::from_str(dice.pick(from).unwrap()).unwrap();
                quoted(mutant(&value, dice))
            };
            let (a, b, c) = (changed(positions, dice), changed(settings, dice), changed(facts, dice));
            match dice.below(5) {
                0 => rig.sql(&format!("UPDATE stores SET settings = {b}")),
                1 => rig.sql(&format!("UPDATE stores SET facts = {c}")),
                2 => {
                    let time = *dice.pick(&[i64::MIN, -1, 0, i64::MAX, 99_999_999_999_999]).unwrap();
                    rig.sql(&format!(
                        "UPDATE stores SET paused_until = {time}, last_sync_at = {time}, last_autosync_at = {time}, since = {time}"
                    ));
                }
                _ => rig.sql(&format!("UPDATE cursors SET position = {a}")),
            }
            rig.sync(false);
            let home = rig._dir.path().join("home");
            for command in ["status", "orders", "config"] {
                if dice.below(6) == 0 {
                    program(&home, &[command], &[]);
                }
            }
            let put_back =
                |name: &str, text: &str| rig.sql(&format!("UPDATE stores SET {name} = '{}'", text.replace('\'', "''")));
            put_back("settings", &settings[0]);
            put_back("facts", &facts[0]);
            rig.sql(&format!(
                "UPDATE cursors SET position = '{}'; UPDATE stores SET paused_until = NULL, last_sync_at = NULL, last_autosync_at = NULL, since = NULL",
                positions[0].replace('\'', "''")
            ));
        }
    });
}

/// What reads a book.
const COMMANDS: &[&[&str]] =
    &[&["orders"], &["show", "1", "--history"], &["status"], &["doctor", "--offline"], &["accept", "2"]];

/// Runs the program; an exit code of 101 or a word of panic fails the test.
fn program(home: &Path, words: &[&str], environment: &[(&str, &str)]) {
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_ordersync"))
        .arg("--home")
        .arg(home)
        .args(words)
        .env("ORDERSYNC_RETRY_MS", "1")
        .envs(environment.iter().copied())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() != Some(101) && !said.contains("panicked at"), "f6: {words:?}: {said}");
}

#[test]
fn f6_no_credentials_file_and_no_table_of_dispatches_makes_the_program_panic() {
    let rig = Rig::new(ChannelKind::WooCommerce);
    rig.sync(false);
    let home = rig._dir.path().join("home");
    let file = rig._dir.path().join("file");
    let number = rig.context.book().unwrap().list(&Filter { limit: 1, ..Filter::default() }).unwrap()[0].number.clone();
    let table =
        format!("order,carrier,tracking,sku,quantity\n{number},dhl,JD01,TEE-001,1\nwoocommerce:{number},ups,1Z1,,\n");
    let toml = "consumer_key = \"ck_1\"\nconsumer_secret = \"cs_1\"\nurl = \"http://127.0.0.1:9\"\npage_size = 5\n";
    let json = r#"{"consumer_key":"ck_1","consumer_secret":"cs_1","url":"http://127.0.0.1:9","page_size":5}"#;
    rig.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let book = std::fs::read(rig.context.home.book()).unwrap();
    fuzz("files", |dice| {
        let mut bytes = dice.pick(&[table.as_str(), toml, json]).unwrap().as_bytes().to_vec();
        for _ in 0..dice.below(4) {
            damage(&mut bytes, dice);
        }
        std::fs::write(&file, &bytes).unwrap();
        let name = file.to_string_lossy();
        program(&home, &["dispatch", "--from", &name, "--dry-run"], &[]);
        program(&home, &["connect", "woocommerce", "--name", "other", "--credentials", &name], &[]);
        std::fs::write(home.join("credentials/woocommerce.json"), &bytes).unwrap();
        program(&home, &["connect", "--test", "woocommerce"], &[]);
        let mut bytes = book.clone();
        for _ in 0..=dice.below(40) {
            let at = dice.below(bytes.len() as u64) as usize;
            let to = bytes.len().min(at + dice.below(64) as usize);
            bytes[at..to].fill(dice.roll() as u8);
        }
        let other = rig._dir.path().join("damaged");
        std::fs::create_dir_all(&other).unwrap();
        std::fs::write(other.join("orders.sqlite"), &bytes).unwrap();
        let command = dice.pick(COMMANDS);
        program(&other, command.unwrap(), &[]);
        std::fs::remove_dir_all(&other).unwrap();
    });
}
