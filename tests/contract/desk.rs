//! A simulated store of some channel, a home that is connected to it, and what the contracts do
//! with them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ordersync::book::Book;
use ordersync::channel::{Capabilities, ChannelKind};
use ordersync::clock::{Clock, SystemClock};
use ordersync::home;
use ordersync::http::RetryPolicy;
use ordersync::sim::{Exchange, Fault, FaultKind, Purchase, Server, ServerOptions, Simulated, rehearsal};
use ordersync::sync::Context;
use serde_json::Value;

use super::support::program::{Call, Home};

/// A simulated store of some channel and a home that is connected to it.
pub struct Desk {
    pub kind: ChannelKind,
    pub store: Arc<dyn Simulated>,
    pub server: Server,
    pub home: Home,
}

pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))))
}

impl Desk {
    pub fn new(kind: ChannelKind) -> Self {
        let desk = Self::unconnected(kind);
        desk.connect("").exits(0);
        desk.server.clear_requests();
        desk
    }

    pub fn unconnected(kind: ChannelKind) -> Self {
        Self::beside(rehearsal(kind, clock(), Duration::ZERO))
    }

    pub fn beside(store: Arc<dyn Simulated>) -> Self {
        let kind = store.kind();
        let server = Server::start(store.clone(), ServerOptions::default()).unwrap();
        let access = store.access(server.url());
        let home = access.secrets.iter().fold(Home::new(), |home, (name, value)| home.secret(name, value));
        Self { kind, store, server, home }
    }

    pub fn connect(&self, more: &str) -> Call<'_> {
        let access = self.store.access(self.server.url());
        self.home.run(&format!("connect {} {} {more}", self.kind, access.flags.join(" ")))
    }

    pub fn sync(&self) -> Value {
        let report = self.home.json("sync");
        report["stores"][0].clone()
    }

    /// Places a paid order and imports it.
    pub fn paid(&self, lines: &[(&str, u32)]) -> String {
        let id = self.store.place(&Purchase::of(lines));
        self.sync();
        self.server.clear_requests();
        id
    }

    pub fn show(&self, id: &str) -> Value {
        self.home.json(&format!("show {}:{id}", self.kind))
    }

    pub fn on(&self, command: &str, id: &str, more: &str) -> Call<'_> {
        self.home.run(&format!("{command} {}:{id} {more}", self.kind))
    }

    pub fn writes(&self) -> u64 {
        self.store.counters().writes
    }

    pub fn capabilities(&self) -> Capabilities {
        let context = Context {
            home: home::Home::locate(Some(self.home.path())).unwrap(),
            clock: clock(),
            retry: RetryPolicy::default(),
            lock_timeout: Duration::ZERO,
        };
        let book = Book::open(&context.home.book(), context.clock.clone()).unwrap();
        context.open(&book.store(self.kind.word()).unwrap().unwrap()).unwrap().channel.capabilities()
    }

    /// The ids that another home has of the same store after its first sync.
    pub fn elsewhere(&self) -> Vec<String> {
        let other = Self::beside(self.store.clone());
        other.connect("").exits(0);
        other.sync();
        let ids = other.home.sql("SELECT remote_id FROM orders");
        // A shop has one address, which it signs with: it is this desk's again.
        self.store.served_at(self.server.url());
        ids
    }

    /// A fault that strikes lists of orders and no single order.
    pub fn list_fault(&self, kind: FaultKind) -> Fault {
        match self.kind {
            ChannelKind::Shopify => Fault::new(kind).on("POST", "Orders"),
            ChannelKind::BigCommerce => Fault::new(kind).on("GET", "/v2/orders?"),
            ChannelKind::WooCommerce => Fault::new(kind).on("GET", "wc/v3/orders?"),
        }
    }

    pub fn tracking_numbers(&self, id: &str) -> Vec<String> {
        self.store.standing(id).unwrap().parcels.into_iter().map(|(_, number)| number).collect()
    }
}

/// Holds the contract against every kind of channel, side by side: most of the time is waiting.
pub fn each(contract: impl Fn(&Desk) + Sync) {
    each_kind(|kind| contract(&Desk::new(kind)));
}

/// The same for what begins before a store is connected.
pub fn each_kind(contract: impl Fn(ChannelKind) + Sync) {
    std::thread::scope(|scope| {
        let one = |kind| {
            println!("contract with {kind}");
            contract(kind);
        };
        let all = ChannelKind::ALL.map(|kind| (kind, scope.spawn(move || one(kind))));
        for (kind, contract) in all {
            assert!(contract.join().is_ok(), "the contract does not hold with {kind}");
        }
    });
}

/// Every request takes a while, so that two commands see the order before either has recorded
/// anything.
pub fn slow(desk: &Desk) {
    desk.server.faults().add(Fault::new(FaultKind::Slow(Duration::from_millis(250))).always());
}

/// Runs both at once and gives their exit codes.
pub fn at_once(desk: &Desk, id: &str, one: (&str, &str), other: (&str, &str)) -> [Option<i32>; 2] {
    slow(desk);
    let codes = std::thread::scope(|scope| {
        let first = scope.spawn(|| desk.on(one.0, id, one.1).done().code);
        let second = scope.spawn(|| desk.on(other.0, id, other.1).done().code);
        [first.join().unwrap(), second.join().unwrap()]
    });
    desk.server.faults().clear();
    codes
}

/// The fault that loses the answer to the next write like this one.
pub fn lost(write: &Exchange, id: &str) -> Fault {
    struck(FaultKind::AnswerLost, write, id)
}

/// A fault of the next write like this one, which was about the order with this id.
pub fn struck(kind: FaultKind, write: &Exchange, id: &str) -> Fault {
    let part = write.name();
    Fault::new(kind).on(&write.method, part.split(id).next().unwrap_or(&part))
}

/// What a dispatch writes at a store, and for which order it did.
pub fn writes_of_a_dispatch(desk: &Desk) -> (Vec<Exchange>, String) {
    let id = desk.paid(&[("TEE-001", 1)]);
    desk.on("dispatch", &id, "--carrier dhl --tracking JD00").exits(0);
    (desk.server.requests().into_iter().filter(Exchange::is_write).collect(), id)
}
