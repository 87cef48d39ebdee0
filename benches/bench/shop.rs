//! The simulated shop, in a process of its own. It must not be what is measured: asked to, it
//! renders each answer once and repeats it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use ordersync::clock::SystemClock;
use ordersync::sim::woocommerce::{Options, Shop};
use ordersync::sim::{Recording, Request, Response, Server, ServerOptions, Store};

/// A running shop; ends when dropped.
pub struct ShopProcess {
    /// Its address.
    pub url: String,
    child: Child,
    stdin: ChildStdin,
    stdout: std::cell::RefCell<BufReader<ChildStdout>>,
}

impl ShopProcess {
    /// A shop with so many orders, as slow as `latency` for a list.
    pub fn start(orders: u64, latency: Duration, repeats: bool) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["shop", &orders.to_string(), &latency.as_millis().to_string(), &repeats.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = std::cell::RefCell::new(BufReader::new(child.stdout.take().unwrap()));
        let mut shop = Self { url: String::new(), child, stdin, stdout };
        shop.url = shop.answer();
        shop
    }

    fn answer(&self) -> String {
        let mut line = String::new();
        self.stdout.borrow_mut().read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Changes the delivery address of so many orders.
    pub fn change(&mut self, orders: u64) {
        writeln!(self.stdin, "change {orders}").unwrap();
        assert_eq!(self.answer(), "changed");
    }

    /// Seconds of CPU that the shop has used.
    pub fn cpu(&self) -> f64 {
        writeln!(&self.stdin, "cpu").unwrap();
        self.answer().parse().unwrap()
    }
}

impl Drop for ShopProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shop that repeats what it has answered before.
struct Repeating {
    shop: Arc<Shop>,
    answers: Option<Mutex<HashMap<String, Response>>>,
}

impl Store for Repeating {
    fn handle(&self, request: &Request) -> Response {
        let Some(answers) = self.answers.as_ref().filter(|_| request.method == "GET") else {
            return self.shop.handle(request);
        };
        // A signature differs from request to request and changes nothing in the answer.
        let mut bare = request.clone();
        bare.query.retain(|(name, _)| !name.starts_with("oauth_"));
        let key = bare.target();
        if let Some(answer) = answers.lock().unwrap().get(&key) {
            return answer.clone();
        }
        let answer = self.shop.handle(request);
        answers.lock().unwrap().insert(key, answer.clone());
        answer
    }

    fn served_at(&self, url: &str) {
        self.shop.served_at(url);
    }
}

/// The process of the shop.
pub fn serve(args: &[&str]) {
    let [orders, latency, repeats] = args else { panic!("shop ORDERS LATENCY REPEATS") };
    let latency = Duration::from_millis(latency.parse().unwrap());
    let options = Options { page_latency: latency, ..Options::demo() };
    let shop = Arc::new(Shop::new(options, Arc::new(SystemClock::new(Arc::default()))));
    let now = Utc::now();
    shop.seed(orders.parse().unwrap(), now - TimeDelta::days(365), now - TimeDelta::days(1));
    let answers = (*repeats == "true").then(Mutex::default);
    let store = Arc::new(Repeating { shop: shop.clone(), answers });
    let server = Server::start(store, ServerOptions { recording: Recording::Off, ..ServerOptions::default() }).unwrap();
    println!("{}", server.url());
    for line in std::io::stdin().lines().map_while(Result::ok) {
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("change", orders) => {
                let ids = shop.ids();
                let wanted: usize = orders.parse().unwrap();
                for id in ids.iter().step_by((ids.len() / wanted.max(1)).max(1)).take(wanted) {
                    shop.edit_address(*id, |address| address.street_1 = "2 Other Street".to_owned());
                }
                println!("changed");
            }
            _ => {
                let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
                println!("{}", (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6);
            }
        }
    }
}
