//! A simulated store of some channel, a home that is connected to it, and what the contracts do
//! with them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ordersync::book::Book;
use ordersync::channel::{Capabilities, ChannelKind};
use ordersync::clock::{Clock, SystemClock};
use ordersync::home;
use ordersync::http::RetryPolicy;
use ordersync::sim::{
    Exchange, Fault, FaultKind, Lack, Purchase, Question, Server, ServerOptions, Simulated, another, rehearsal,
    variants,
};
use ordersync::sync::Context;
use ordersync::sync::store::OpenStore;
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
        let desk = Self::by_default(kind);
        // What is not about the defaults of a kind holds for all of them.
        desk.home.sql(
            "UPDATE stores SET settings = json_patch(settings, '{\"edits\":\"ignore\",\"address\":\"ignore\",\"cancels\":\"review\"}')
             RETURNING 1",
        );
        desk
    }

    /// With what its kind does by default to an order that changes after import.
    pub fn by_default(kind: ChannelKind) -> Self {
        let desk = Self::unconnected(kind);
        desk.connect("").exits(0);
        desk.server.clear_requests();
        desk
    }

    /// Sets what the store does.
    pub fn set(&self, setting: &str) {
        let (key, value) = setting.split_once('=').unwrap();
        self.home.run(&format!("config set {}.{key} {value}", self.kind)).exits(0);
    }

    pub fn unconnected(kind: ChannelKind) -> Self {
        Self::beside(rehearsal(kind, clock(), Duration::ZERO))
    }

    /// Beside an empty store of this kind, which is another than that of [`Desk::new`].
    pub fn empty(kind: ChannelKind) -> Self {
        Self::beside(another(kind, clock()))
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

    /// The library in this home.
    pub fn context(&self) -> Context {
        Context {
            home: home::Home::locate(Some(self.home.path())).unwrap(),
            clock: clock(),
            retry: RetryPolicy::default(),
            lock_timeout: Duration::ZERO,
        }
    }

    /// The book, and the store as its adapter sees it.
    pub fn opened(&self) -> (Book, OpenStore) {
        let context = self.context();
        let book = Book::open(&context.home.book(), context.clock.clone()).unwrap();
        let store = book.store(self.kind.word()).unwrap().unwrap();
        let open = context.open(&store).unwrap();
        (book, open)
    }

    pub fn capabilities(&self) -> Capabilities {
        self.opened().1.channel.capabilities()
    }

    /// Connects the store of another desk under this name.
    pub fn connect_also(&self, other: &Self, name: &str) {
        let access = other.store.access(other.server.url());
        let call = self.home.run(&format!("connect {} {} --name {name}", other.kind, access.flags.join(" ")));
        access.secrets.iter().fold(call, |call, (name, value)| call.env(name, value)).exits(0);
    }

    /// So much time passes at the store that nothing shows late in its lists any more.
    pub fn settle(&self) {
        self.store.set_clock(self.capabilities().overlap.as_secs() as i64 / 60 + 1);
    }

    /// Asserts that the book is whole and that its newest version of every order is the store's,
    /// each order once. What is on no list of the store is looked for less often, so it is left
    /// out.
    pub fn assert_converged(&self, told: &str) {
        assert_eq!(self.home.sql("PRAGMA integrity_check"), ["ok"], "{} {told}", self.kind);
        let known = self.home.sql("SELECT remote_id FROM orders");
        let once: BTreeSet<&String> = known.iter().collect();
        assert_eq!(once.len(), known.len(), "{} {told}: doubled", self.kind);
        let (book, open) = self.opened();
        let there: Vec<String> = self.store.ids().into_iter().filter(|id| self.store.is_listed(id)).collect();
        for id in &there {
            let at = book.find(&format!("{}:{id}", self.kind));
            let at = at.unwrap_or_else(|e| panic!("{} {told}: order {id}: {e}", self.kind));
            let newest = book.newest_document(at).unwrap().or(book.base_document(at).unwrap()).unwrap();
            let mut here = open.format.order(&newest).unwrap();
            // Of refunds and fulfilments the order itself tells the least.
            let now = open.channel.order(id).unwrap().unwrap().order.unwrap();
            // A save that changes nothing moves this date alone, and is no version.
            here.updated_at = now.updated_at;
            assert!(here == *now, "{} {told}: order {id} is not as the store has it\n{here:?}\n{now:?}", self.kind);
        }
        let unlisted = known.iter().filter(|id| !there.contains(id));
        assert!(unlisted.clone().all(|id| !self.store.is_listed(id)), "{} {told}: invented", self.kind);
    }

    /// The ids that another home has of the same store after its first sync.
    pub fn elsewhere(&self) -> Vec<String> {
        self.seen_elsewhere(|other| other.home.sql("SELECT remote_id FROM orders"))
    }

    /// What another home has of the same store after its first sync.
    pub fn seen_elsewhere<T>(&self, look: impl Fn(&Self) -> T) -> T {
        let other = Self::beside(self.store.clone());
        other.connect("").exits(0);
        other.sync();
        let seen = look(&other);
        // A shop has one address, which it signs with: it is this desk's again.
        self.store.served_at(self.server.url());
        seen
    }

    /// A fault that strikes lists of orders and no single order.
    pub fn list_fault(&self, kind: FaultKind) -> Fault {
        self.fault_of(kind, Question::Orders).unwrap()
    }

    /// A fault that strikes what asks this; `None` where nothing does.
    pub fn fault_of(&self, kind: FaultKind, question: Question) -> Option<Fault> {
        self.store.asks(question).map(|(method, part)| Fault::new(kind).on(method, part))
    }

    /// The lists of orders that were asked for so far.
    pub fn lists(&self) -> Vec<Exchange> {
        let (method, part) = self.store.asks(Question::Orders).unwrap();
        let is_list = |one: &Exchange| one.method == method && one.target().contains(part);
        self.server.requests().into_iter().filter(is_list).collect()
    }

    /// Puts the store's walks back to where they are due.
    pub fn passes_are_due(&self) {
        self.home.sql("UPDATE cursors SET looked_at = 0 WHERE walk LIKE 'pass/%'");
    }

    /// How many lists of the store have all of its orders together.
    pub fn walks(&self) -> usize {
        1 + usize::from(self.store.lacks(Lack::OneList))
    }

    pub fn orders(&self) -> usize {
        self.home.sql("SELECT count(*) FROM orders")[0].parse().unwrap()
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
    side_by_side(kinds().map(|kind| (kind.word().to_owned(), kind)), contract);
}

/// Every kind; for whoever writes a new one that kind alone, named by `ORDERSYNC_CONTRACT`.
pub fn kinds() -> impl Iterator<Item = ChannelKind> {
    let only = std::env::var("ORDERSYNC_CONTRACT").ok();
    let is_known = only.as_ref().is_none_or(|only| ChannelKind::ALL.iter().any(|kind| kind.word() == only));
    assert!(is_known, "ORDERSYNC_CONTRACT={} is no kind of channel", only.unwrap_or_default());
    ChannelKind::ALL.into_iter().filter(move |kind| only.as_ref().is_none_or(|only| kind.word() == only))
}

/// Holds the contract against each of these at once, and says with which it does not hold.
pub fn side_by_side<T: Send>(all: impl IntoIterator<Item = (String, T)>, contract: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        let one = |name: &str, with: T| {
            println!("contract with {name}");
            contract(with);
        };
        let spawn = |(name, with): (String, T)| (name.clone(), scope.spawn(move || one(&name, with)));
        for (name, contract) in all.into_iter().map(spawn).collect::<Vec<_>>() {
            assert!(contract.join().is_ok(), "the contract does not hold with {name}");
        }
    });
}

/// The same for an empty store of each sort of every kind, connected in pages of ten.
pub fn each_variant(contract: impl Fn(&Desk, &str) + Sync) {
    each_kind(|kind| {
        for (what, store) in variants(kind, &clock()) {
            let desk = Desk::beside(store);
            desk.connect("--set page_size=10").exits(0);
            contract(&desk, &format!("{kind}, {what}"));
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
    let part = part.split(id).next().unwrap_or(&part);
    // What is at the end of a route, a shipment or a number of it, has another id at the next order.
    Fault::new(kind).on(&write.method, part.trim_end_matches(|c: char| c.is_ascii_digit())).on_writes()
}

/// What a dispatch writes at a store, and for which order it did.
pub fn writes_of_a_dispatch(desk: &Desk) -> (Vec<Exchange>, String) {
    let id = desk.paid(&[("TEE-001", 1)]);
    desk.on("dispatch", &id, "--carrier dhl --tracking JD00").exits(0);
    (desk.server.requests().into_iter().filter(Exchange::is_write).collect(), id)
}
