//! A simulated Shopify shop, served, and a merchant's home that is connected to it.
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ordersync::channel::settings::client;
use ordersync::channel::{Channel, ChannelKind, Connection, Values, open};
use ordersync::clock::{ManualClock, SystemClock};
use ordersync::credentials::Credentials;
use ordersync::http::{RateLimit, RetryPolicy};
use ordersync::secret::Secret;
use ordersync::sim::shopify::{NewOrder, Options, Shop};
use ordersync::sim::{Server, ServerOptions, Simulated};
use serde_json::Value;

use super::program::{Call, Home};

/// The adapter by itself, on a clock of the test's.
pub fn channel<const N: usize>(
    clock: &Arc<ManualClock>,
    values: Values,
    secrets: [(&str, &str); N],
) -> Box<dyn Channel> {
    let http = client(&values, clock.clone(), RetryPolicy::default(), RateLimit::open()).unwrap();
    let connection = Connection {
        values,
        credentials: Arc::new(Credentials::loose(
            secrets.map(|(key, value)| (key.to_owned(), Secret::new(value))).into(),
        )),
        facts: Value::Null,
        http: Arc::new(http),
        learn: Box::new(|_, _| {}),
    };
    open(ChannelKind::Shopify, connection).unwrap()
}

/// A shop and the merchant's side of it.
pub struct Desk {
    pub shop: Arc<Shop>,
    pub server: Server,
    pub home: Home,
}

impl Desk {
    /// A shop without orders and a home that is not connected yet.
    pub fn unconnected(options: Options) -> Self {
        let clock = SystemClock::new(Arc::new(AtomicBool::new(false)));
        let shop = Arc::new(Shop::new(options, Arc::new(clock)));
        let server = Server::start(shop.clone(), ServerOptions::default()).unwrap();
        let access = shop.access(server.url());
        let home = access.secrets.iter().fold(Home::new(), |home, (name, value)| home.secret(name, value));
        Self { shop, server, home }
    }

    /// The same, connected: everything is imported.
    pub fn with(options: Options) -> Self {
        let desk = Self::unconnected(options);
        desk.connect("").exits(0);
        desk.server.clear_requests();
        desk
    }

    /// With a budget that nobody waits for.
    pub fn new() -> Self {
        Self::with(Options::rehearsal())
    }

    pub fn connect(&self, more: &str) -> Call<'_> {
        let flags = self.shop.access(self.server.url()).flags.join(" ");
        self.home.run(&format!("connect shopify --since all {flags} {more}"))
    }

    /// Syncs; gives the store's account.
    pub fn sync(&self) -> Value {
        self.home.json("sync")["stores"][0].clone()
    }

    /// Places an order and imports it.
    pub fn place(&self, order: &NewOrder) -> u64 {
        let id = self.shop.place_order(order);
        self.sync();
        id
    }

    pub fn on(&self, command: &str, order: u64, more: &str) -> Call<'_> {
        self.home.run(&format!("{command} shopify:{order} {more}"))
    }

    pub fn show(&self, order: u64) -> Value {
        self.home.json(&format!("show shopify:{order}"))
    }

    /// How many orders are in the book.
    pub fn orders(&self) -> usize {
        self.home.json("orders --limit 0").as_array().unwrap().len()
    }

    /// How many requests with this operation there were.
    pub fn asked(&self, operation: &str) -> usize {
        let requests = self.server.requests();
        let is_it = |text: &str| text.contains(&format!(" {operation}(")) || text.contains(&format!(" {operation}{{"));
        requests.iter().filter(|one| one.json()["query"].as_str().is_some_and(is_it)).count()
    }
}
