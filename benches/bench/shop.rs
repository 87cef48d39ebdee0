//! The simulated shop, in a process of its own. It must not be what is measured: asked to, it
//! renders each answer once and repeats it, and no limit of its vendor's holds anybody back.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use ordersync::clock::{Clock, SystemClock};
use ordersync::sim::{
    Question, Recording, Request, Response, Server, ServerOptions, Simulated, Store, bigcommerce, ebay, etsy, magento,
    shopify, woocommerce,
};
use serde_json::{Value, json};

/// What it takes to have a shop.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    /// Its channel.
    pub kind: &'a str,
    /// How many orders it has.
    pub orders: u64,
    /// Whether it repeats what it has answered before.
    pub repeats: bool,
}

/// A running shop; ends when dropped.
pub struct ShopProcess {
    /// Its channel.
    pub kind: String,
    /// Its address.
    pub url: String,
    /// Flags of `connect`.
    pub flags: Vec<String>,
    /// Environment variables with its keys.
    pub secrets: Vec<(String, String)>,
    child: Child,
    stdin: ChildStdin,
    stdout: std::cell::RefCell<BufReader<ChildStdout>>,
}

impl ShopProcess {
    /// A shop.
    pub fn start(wish: Wish<'_>) -> Self {
        let Wish { kind, orders, repeats } = wish;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["shop", kind, &orders.to_string(), &repeats.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        Self {
            kind: kind.to_owned(),
            url: told["url"].as_str().unwrap().to_owned(),
            flags: serde_json::from_value(told["flags"].clone()).unwrap(),
            secrets: serde_json::from_value(told["secrets"].clone()).unwrap(),
            child,
            stdin,
            stdout: std::cell::RefCell::new(stdout),
        }
    }

    fn ask(&self, question: &str) -> String {
        writeln!(&self.stdin, "{question}").unwrap();
        let mut line = String::new();
        self.stdout.borrow_mut().read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Changes the delivery address of so many orders.
    pub fn change(&self, orders: u64) {
        assert_eq!(self.ask(&format!("change {orders}")), "done");
    }

    /// From now on a list of orders takes it so long.
    pub fn slow_down(&self, latency: Duration) {
        assert_eq!(self.ask(&format!("latency {}", latency.as_millis())), "done");
    }

    /// Seconds of CPU that the shop has used.
    pub fn cpu(&self) -> f64 {
        self.ask("cpu").parse().unwrap()
    }

    /// Bytes that it has given since the last question for them.
    pub fn bytes(&self) -> u64 {
        self.ask("bytes").parse().unwrap()
    }
}

impl Drop for ShopProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers by what was asked for: a target, and the body of a query.
type Answers = HashMap<(String, Vec<u8>), Response>;

/// A shop that repeats what it has answered before.
struct Repeating {
    shop: Arc<dyn Simulated>,
    answers: Option<Mutex<Answers>>,
    latency: AtomicU64,
    bytes: AtomicU64,
}

impl Repeating {
    fn answer(&self, request: &Request) -> Response {
        // Reads: of GraphQL those that are no mutation.
        let reads = request.method == "GET" || request.target().contains("#query");
        let Some(answers) = self.answers.as_ref().filter(|_| reads) else { return self.shop.handle(request) };
        // A signature differs from request to request and changes nothing in the answer.
        let mut bare = request.clone();
        bare.query.retain(|(name, _)| !name.starts_with("oauth_"));
        let key = (bare.target(), bare.body);
        if let Some(answer) = answers.lock().unwrap().get(&key) {
            return answer.clone();
        }
        let answer = self.shop.handle(request);
        if answer.status >= 300 {
            return answer;
        }
        answers.lock().unwrap().insert(key, answer.clone());
        answer
    }
}

impl Store for Repeating {
    fn handle(&self, request: &Request) -> Response {
        let mut answer = self.answer(request);
        let latency = self.latency.load(Ordering::Relaxed);
        let asks = self.shop.asks(Question::Orders);
        if asks.is_some_and(|(method, part)| latency > 0 && method == request.method && request.target().contains(part))
        {
            answer.delay = Duration::from_millis(latency);
        }
        self.bytes.fetch_add(answer.body.len() as u64, Ordering::Relaxed);
        answer
    }

    fn served_at(&self, url: &str) {
        self.shop.served_at(url);
    }
}

/// An empty shop of this kind whose vendor's limits nobody reaches.
fn open(kind: &str) -> Arc<dyn Simulated> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(Arc::default()));
    match kind {
        "bigcommerce" => {
            let options = bigcommerce::Options { quota: 1_000_000, ..bigcommerce::Options::default() };
            Arc::new(bigcommerce::Shop::new(options, clock))
        }
        "ebay" => {
            let options = ebay::Options { per_day: 1_000_000, ..ebay::Options::rehearsal() };
            Arc::new(ebay::Shop::new(options, clock))
        }
        "etsy" => {
            let options = etsy::Options { per_second: 10_000, per_day: 1_000_000, ..etsy::Options::rehearsal() };
            Arc::new(etsy::Shop::new(options, clock))
        }
        "magento" => Arc::new(magento::Shop::new(magento::Options::default(), clock)),
        "shopify" => {
            let points = 1_000_000.0;
            let options = shopify::Options { restore_rate: points, bucket: points, ..shopify::Options::default() };
            Arc::new(shopify::Shop::new(options, clock))
        }
        "woocommerce" => Arc::new(woocommerce::Shop::new(woocommerce::Options::demo(), clock)),
        _ => panic!("no shop of kind {kind}"),
    }
}

/// The process of the shop.
pub fn serve(args: &[&str]) {
    let [kind, orders, repeats] = args else { panic!("shop KIND ORDERS REPEATS") };
    let (shop, now, repeats) = (open(kind), Utc::now(), *repeats == "true");
    shop.seed(orders.parse().unwrap(), now - TimeDelta::days(365), now - TimeDelta::days(1));
    let (latency, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    let store = Arc::new(Repeating { shop: shop.clone(), answers: repeats.then(Mutex::default), latency, bytes });
    let options = ServerOptions { recording: Recording::Off, ..ServerOptions::default() };
    let server = Server::start(store.clone(), options).unwrap();
    let access = shop.access(server.url());
    println!("{}", json!({ "url": server.url(), "flags": access.flags, "secrets": access.secrets }));
    for line in std::io::stdin().lines().map_while(Result::ok) {
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("change", orders) => {
                let ids = shop.ids();
                let wanted: usize = orders.parse().unwrap();
                for id in ids.iter().step_by((ids.len() / wanted.max(1)).max(1)).take(wanted) {
                    shop.readdress(id, "2 Other Street");
                    // Where an edit alone moves no date.
                    shop.touch(id);
                }
                println!("done");
            }
            ("latency", ms) => {
                store.latency.store(ms.parse().unwrap(), Ordering::Relaxed);
                println!("done");
            }
            ("bytes", _) => println!("{}", store.bytes.swap(0, Ordering::Relaxed)),
            _ => {
                let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
                println!("{}", (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6);
            }
        }
    }
}
