//! W-1, W-2: what happens at a shop, and how soon it is in the book; what a receiver does with what
//! is not meant for it; what a long time costs it; and that a kill loses nothing that was answered.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use ordersync::clock::{Clock, SystemClock};
use ordersync::sim::world::hooks::Letter;
use ordersync::sim::{
    Fault, FaultKind, Purchase, Question, Recording, Request, Response, Server, ServerOptions, Simulated, Store,
    woocommerce,
};
use rusqlite::{Connection, OpenFlags};

use crate::row;

/// How much is received.
pub struct Size {
    /// Orders one a second, and seconds of a flood.
    pub seconds: u64,
    /// Orders of a burst.
    pub burst: u64,
    /// Orders of the first sync beside which others come.
    pub first: u64,
    /// Requests of each kind that are refused.
    pub refused: u64,
    /// Deliveries of a long time.
    pub deliveries: u64,
    /// Kills.
    pub kills: u64,
}

fn empty() -> Arc<dyn Simulated> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(Arc::default()));
    Arc::new(woocommerce::Shop::new(woocommerce::Options::demo(), clock))
}

fn unrecorded() -> ServerOptions {
    ServerOptions { recording: Recording::Off, ..ServerOptions::default() }
}

/// A shop whose requests are counted.
struct Counting {
    shop: Arc<dyn Simulated>,
    requests: AtomicU64,
}

impl Store for Counting {
    fn handle(&self, request: &Request) -> Response {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.shop.handle(request)
    }

    fn served_at(&self, url: &str) {
        self.shop.served_at(url);
    }
}

/// A shop that tells of its orders, a home, and a receiver beside them.
struct Rig {
    shop: Arc<dyn Simulated>,
    server: Server,
    asked: Arc<Counting>,
    home: PathBuf,
    port: u16,
    listener: Option<Child>,
}

impl Rig {
    fn new(home: PathBuf) -> Self {
        let shop = empty();
        let asked = Arc::new(Counting { shop: shop.clone(), requests: AtomicU64::new(0) });
        let server = Server::start(asked.clone(), unrecorded()).unwrap();
        std::fs::create_dir(&home).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut rig = Self { shop, server, asked, home, port, listener: None };
        rig.connect("woocommerce", rig.shop.as_ref(), rig.server.url());
        rig.run(&["sync"]);
        rig.start();
        rig.until("the subscriptions", |rig| rig.shop.letters().len() >= 4);
        rig.until("what is written down of them", |rig| {
            rig.count("SELECT count(*) FROM hooks WHERE checked_at > 0") > 0
        });
        rig
    }

    fn connect(&self, name: &str, shop: &dyn Simulated, url: &str) {
        let access = shop.access(url);
        let flags = access.flags.iter().map(String::as_str);
        let words: Vec<&str> =
            ["connect", "woocommerce", "--name", name, "--since", "all"].into_iter().chain(flags).collect();
        self.done(self.command(&words).envs(access.secrets.iter().cloned()));
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ordersync"));
        command.args(words).env("ORDERSYNC_HOME", &self.home).stdin(Stdio::null());
        command
    }

    fn done(&self, command: &mut Command) {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn run(&self, words: &[&str]) {
        self.done(&mut self.command(words));
    }

    /// Receives, and does nothing beside that.
    fn start(&mut self) {
        let (bind, public) = (format!("127.0.0.1:{}", self.port), format!("http://127.0.0.1:{}", self.port));
        let words = ["listen", "--no-watch", "--bind", &bind, "--public-url", &public];
        let child = self.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.listener = Some(child);
        self.until("the receiver", |rig| rig.answer(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n") == Some(200));
    }

    /// How many requests the shop has had.
    fn served(&self) -> u64 {
        self.asked.requests.load(Ordering::Relaxed)
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.listener.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn id(&self) -> u32 {
        self.listener.as_ref().unwrap().id()
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < Duration::from_secs(300), "{what} did not come");
            sleep(Duration::from_millis(2));
        }
    }

    /// What is answered to these bytes.
    fn answer(&self, bytes: &[u8]) -> Option<u16> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        let _ = stream.write_all(bytes);
        let (mut text, mut part) = (Vec::new(), [0; 512]);
        while !text.ends_with(b"\r\n\r\n") {
            match stream.read(&mut part).ok()? {
                0 => break,
                read => text.extend_from_slice(&part[..read]),
            }
        }
        String::from_utf8(text).ok()?.split(' ').nth(1)?.parse().ok()
    }

    fn book(&self) -> Connection {
        Connection::open_with_flags(self.home.join("orders.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    fn count(&self, sql: &str) -> u64 {
        self.book().query_row(sql, [], |row| row.get(0)).unwrap_or(0)
    }

    /// Places so many orders, so long apart; gives how many milliseconds each took to the book.
    fn orders(&self, count: u64, apart: Duration) -> Vec<f64> {
        let done = Arc::new(AtomicBool::new(false));
        let seen = {
            let (file, done) = (self.home.join("orders.sqlite"), done.clone());
            std::thread::spawn(move || arrivals(&file, &done))
        };
        let begun = Instant::now();
        let mut placed = BTreeMap::new();
        for nth in 0..count {
            sleep((apart * nth as u32).saturating_sub(begun.elapsed()));
            let at = Instant::now();
            placed.insert(self.shop.place(&Purchase::of(&[("TEE-001", 1)])), at);
        }
        let all =
            || placed.keys().all(|id| self.count(&format!("SELECT count(*) FROM orders WHERE remote_id = '{id}'")) > 0);
        self.until("the last of the orders", |_| all());
        done.store(true, Ordering::Relaxed);
        let seen = seen.join().unwrap();
        let mut took: Vec<f64> = placed.iter().map(|(id, at)| (seen[id] - *at).as_secs_f64() * 1e3).collect();
        took.sort_by(f64::total_cmp);
        took
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.kill();
    }
}

/// When each order was first in the book.
fn arrivals(file: &Path, done: &AtomicBool) -> HashMap<String, Instant> {
    let book = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut new = book.prepare("SELECT id, remote_id FROM orders WHERE id > ?").unwrap();
    let (mut seen, mut last) = (HashMap::new(), 0i64);
    loop {
        let ends = done.load(Ordering::Relaxed);
        let rows = new.query_map([last], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
        for (id, remote_id) in rows.unwrap().map_while(Result::ok) {
            last = last.max(id);
            seen.entry(remote_id).or_insert_with(Instant::now);
        }
        if ends {
            return seen;
        }
        sleep(Duration::from_millis(2));
    }
}

fn at(sorted: &[f64], part: usize) -> f64 {
    sorted[(sorted.len() - 1) * part / 100]
}

/// What most merchants wait for, and what they were promised.
fn told(what: &str, took: &[f64]) {
    let figures = format!("{:.0} / {:.0} / {:.0} ms", at(took, 50), at(took, 99), at(took, 100));
    row(
        &format!("{what}: p50 / p99 / longest"),
        figures,
        "p99 1 s, all 5 s",
        at(took, 99) < 1e3 && at(took, 100) < 5e3,
    );
}

/// Seconds of CPU, bytes of memory and open files of a process.
fn held(id: u32) -> (f64, u64, usize) {
    let text = |file: &str| std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap_or_default();
    let stat = text("stat");
    let times: Vec<f64> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
    let resident = text("statm").split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0u64);
    let files = std::fs::read_dir(format!("/proc/{id}/fd")).map_or(0, Iterator::count);
    (times.iter().sum::<f64>() / 100.0, resident * 4096, files)
}

fn is_orders(letter: &Letter) -> bool {
    letter.body.starts_with(b"{\"")
}

pub fn measure(dir: &Path, size: &Size) {
    let mut rig = Rig::new(dir.join("listen"));
    let second = Duration::from_secs(1);
    // The least there is to do: the order is asked for, and kept.
    let least = floor(&rig, dir);
    row("one order asked for and kept by a lean program, median", format!("{least:.1} ms"), "", true);
    let each = rig.orders(size.seconds, second);
    told("an order a second, to the book", &each);
    row(
        "  p50 over the lean program and the second of gathering",
        format!("{:.2}", at(&each, 50) / (least + 1e3)),
        "",
        true,
    );
    told(&format!("{} orders within a second", size.burst), &rig.orders(size.burst, second / size.burst as u32));
    {
        let other = empty();
        other.seed(size.first, Utc::now() - TimeDelta::days(300), Utc::now() - TimeDelta::days(1));
        let server = Server::start(other.clone(), unrecorded()).unwrap();
        rig.connect("large", other.as_ref(), server.url());
        let mut sync = rig.command(&["sync", "--channel", "large"]).stdout(Stdio::null()).spawn().unwrap();
        let took = rig.orders(size.seconds.min(20), second / 2);
        let beside = sync.try_wait().unwrap().is_none();
        told(
            &format!("while {} others are imported{}", size.first, if beside { "" } else { " (they ended before)" }),
            &took,
        );
        assert!(sync.wait().unwrap().success());
        rig.run(&["connect", "--remove", "large"]);
    }
    let (method, part) = rig.shop.asks(Question::Orders).unwrap();
    rig.server.faults().add(Fault::new(FaultKind::Slow(Duration::from_millis(600))).on(method, part).always());
    told("where the shop answers in 600 ms", &rig.orders(size.seconds.min(30), second));
    rig.server.faults().clear();
    refusals(&rig, size);
    flood(&rig, size);
    long_time(&rig, size);
    kills(&mut rig, size);
}

/// Milliseconds of one order: asked for by its id, and written to a book of its own.
fn floor(rig: &Rig, dir: &Path) -> f64 {
    let id = rig.shop.place(&Purchase::of(&[("TEE-001", 1)]));
    let access = rig.shop.access(rig.server.url());
    let secret = |name: &str| access.secrets.iter().find(|(known, _)| known.ends_with(name)).unwrap().1.clone();
    let client = reqwest::blocking::Client::new();
    let url = format!("{}/wp-json/wc/v3/orders?include={id}", rig.server.url());
    let book = Connection::open(dir.join("floor.sqlite")).unwrap();
    book.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER PRIMARY KEY, document TEXT)")
        .unwrap();
    let mut took = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        let asked = client.get(&url).basic_auth(secret("CONSUMER_KEY"), Some(secret("CONSUMER_SECRET")));
        let text = asked.send().unwrap().text().unwrap();
        book.execute("INSERT INTO orders (document) VALUES (?)", [text]).unwrap();
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    at(&took, 50)
}

/// A delivery as it went over the wire, to this path.
fn wire(letter: &Letter, path: &str, length: usize) -> Vec<u8> {
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Length: {length}\r\n");
    letter.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    [head.as_bytes(), b"\r\n", &letter.body].concat()
}

fn path(letter: &Letter) -> String {
    format!("/{}", letter.address.splitn(4, '/').nth(3).unwrap())
}

/// A good delivery of an order.
fn good(rig: &Rig) -> Letter {
    rig.shop.letters().into_iter().rev().find(is_orders).unwrap()
}

/// A delivery of that sort with another body than was signed, one that is too large, and one to a
/// path of nobody's.
fn bad(rig: &Rig) -> [(&'static str, u16, Vec<u8>); 3] {
    let mut letter = good(rig);
    let own = path(&letter);
    let large = wire(&letter, &own, 2 << 20);
    let nowhere = wire(&letter, "/hooks/0000", letter.body.len());
    let last = letter.body.len() - 1;
    letter.body[last] = b' ';
    [
        ("a bad signature", 401, wire(&letter, &own, letter.body.len())),
        ("2 MiB announced", 413, large),
        ("an unknown path", 404, nowhere),
    ]
}

/// What it costs to refuse.
fn refusals(rig: &Rig, size: &Size) {
    for (what, status, bytes) in bad(rig) {
        let before = held(rig.id());
        for _ in 0..size.refused {
            assert_eq!(rig.answer(&bytes), Some(status), "{what}");
        }
        let after = held(rig.id());
        let micros = (after.0 - before.0) * 1e6 / size.refused as f64;
        let grown = after.1.saturating_sub(before.1) as f64 / size.refused as f64;
        row(&format!("refusing {what}: CPU, memory kept"), format!("{micros:.0} µs, {grown:.0} bytes"), "", true);
    }
}

/// Good deliveries while 2,000 bad ones a second come in.
fn flood(rig: &Rig, size: &Size) {
    let (ends, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let bad = bad(rig);
    let begun = Instant::now();
    let took = std::thread::scope(|scope| {
        for (_, _, bytes) in bad.iter().cycle().take(6) {
            let (ends, sent) = (&ends, &sent);
            scope.spawn(move || {
                while !ends.load(Ordering::Relaxed) {
                    let due = sent.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_micros(500 * due).saturating_sub(begun.elapsed()));
                    rig.answer(bytes);
                }
            });
        }
        let took = rig.orders(size.seconds.min(20), Duration::from_millis(500));
        ends.store(true, Ordering::Relaxed);
        took
    });
    let rate = sent.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
    told(&format!("beside {rate:.0} bad ones a second"), &took);
}

/// Many deliveries of few orders: what grows, and how many requests they cost.
fn long_time(rig: &Rig, size: &Size) {
    let ids: Vec<String> = rig.shop.ids().into_iter().rev().take(500).collect();
    let book = || std::fs::metadata(rig.home.join("orders.sqlite")).unwrap().len();
    let (before, book_before, asked) = (held(rig.id()), book(), rig.served());
    let letters = rig.shop.letters().len();
    let begun = Instant::now();
    for nth in 0..size.deliveries {
        sleep(Duration::from_millis(nth).saturating_sub(begun.elapsed()));
        assert!(rig.shop.touch(&ids[nth as usize % ids.len()]));
    }
    rig.until("the last delivery", |rig| rig.shop.letters().len() as u64 >= letters as u64 + size.deliveries);
    rig.until("the end of the work", |rig| rig.count("SELECT count(*) FROM rereads") == 0);
    let (after, seconds) = (held(rig.id()), begun.elapsed().as_secs_f64());
    let refused = rig.shop.letters()[letters..].iter().filter(|letter| letter.status != Some(200)).count();
    let memory = (after.1 as f64 - before.1 as f64) / 1e6;
    let what = format!("{} deliveries of {} orders in {seconds:.0} s", size.deliveries, ids.len());
    row(&format!("{what}: not answered 200"), refused, "0", refused == 0);
    row("  requests to the shop", rig.served() - asked, "", true);
    row("  memory grew by, MB (of)", format!("{memory:.1} ({:.1})", after.1 as f64 / 1e6), "flat", memory < 8.0);
    row("  open files more", after.2 as i64 - before.2 as i64, "flat", after.2 <= before.2 + 8);
    row("  the book grew by, bytes a delivery", (book() - book_before) / size.deliveries, "", true);
}

/// Killed at any instant, again and again.
fn kills(rig: &mut Rig, size: &Size) {
    let letters = rig.shop.letters().len();
    let begun = Instant::now();
    for nth in 0..size.kills {
        let id = rig.shop.place(&Purchase::of(&[("TEE-001", 1)]));
        sleep(Duration::from_micros(nth * 7_919 % 140_000));
        rig.shop.annotate(&id, "ring twice");
        sleep(Duration::from_micros(nth * 104_729 % 30_000));
        rig.kill();
        rig.start();
    }
    rig.run(&["sync"]);
    rig.until("the end of the work", |rig| rig.count("SELECT count(*) FROM rereads") == 0);
    let answered = rig.shop.letters()[letters..].iter().filter(|letter| letter.status == Some(200)).count();
    let there = rig.shop.ids().len() as u64;
    let kept = rig.count("SELECT count(*) FROM orders");
    let doubled = rig.count("SELECT count(*) - count(DISTINCT remote_id) FROM orders");
    let what = format!(
        "{} kills in {:.0} s, {answered} deliveries answered: lost, doubled",
        size.kills,
        begun.elapsed().as_secs_f64()
    );
    row(&what, format!("{}, {doubled}", there - kept), "0, 0", there == kept && doubled == 0);
}
