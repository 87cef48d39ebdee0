//! A simulated WooCommerce shop and a home whose environment opens it.
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use std::time::Duration;

use ordersync::book::Book;
use ordersync::clock::{Clock, SystemClock};
use ordersync::home::Home as Directories;
use ordersync::http::RetryPolicy;
use ordersync::sim::woocommerce::{NewOrder, Options, REHEARSAL_KEY, REHEARSAL_SECRET, Shop};
use ordersync::sim::{Exchange, Fault, FaultKind, Server, ServerOptions};
use ordersync::sync::Context;
use serde_json::Value;

use super::program::{Done, Home};

/// The part of a path that only requests about orders have.
pub const ORDERS: &str = "wc/v3/orders";

/// The key and its secret, and what they look like in a Basic header, where no command may print
/// them.
pub fn home() -> Home {
    Home::new().secret("ORDERSYNC_CONSUMER_KEY", REHEARSAL_KEY).secret("ORDERSYNC_CONSUMER_SECRET", REHEARSAL_SECRET)
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))))
}

/// A shop being served.
pub struct Served {
    /// Its state.
    pub shop: Arc<Shop>,
    /// Its server.
    pub server: Server,
}

impl Served {
    /// An empty shop.
    pub fn new(options: Options) -> Self {
        Self::over(options, ServerOptions::default())
    }

    /// An empty shop, served in this way.
    pub fn over(options: Options, server: ServerOptions) -> Self {
        let shop = Arc::new(Shop::new(options, clock()));
        let server = Server::start(shop.clone(), server).unwrap();
        Self { shop, server }
    }

    /// Arms a fault.
    pub fn fault(&self, fault: Fault) {
        self.server.faults().add(fault);
    }

    /// The write requests so far.
    pub fn writes(&self) -> Vec<Exchange> {
        self.server.requests().into_iter().filter(Exchange::is_write).collect()
    }

    /// Places a paid order of `pieces` T-shirts.
    pub fn paid(&self, pieces: u32) -> u64 {
        self.shop.place_order(NewOrder::paid().line("TEE-001", pieces))
    }

    /// From now on nobody can reach it: every request fails as if the network were gone.
    pub fn unplug(&self) {
        self.fault(Fault::new(FaultKind::CutBefore).always());
    }

    /// It can be reached again.
    pub fn plug_in(&self) {
        self.server.faults().clear();
    }
}

/// A home connected to one shop.
pub struct Rig {
    /// The shop.
    pub served: Served,
    /// The home.
    pub home: Home,
}

impl std::ops::Deref for Rig {
    type Target = Served;

    fn deref(&self) -> &Served {
        &self.served
    }
}

impl Rig {
    /// Connected to an empty shop with the fulfilments feature.
    pub fn new() -> Self {
        Self::with(Options::demo())
    }

    /// Connected to an empty shop of this kind.
    pub fn with(options: Options) -> Self {
        let rig = Self { served: Served::new(options), home: home() };
        rig.connect("").exits(0);
        rig.server.clear_requests();
        rig
    }

    /// The same, with these paid orders in the shop and in the book; the ids in the shop are
    /// returned beside.
    pub fn with_orders(pieces: &[u32]) -> (Self, Vec<u64>) {
        let rig = Self::new();
        let ids = pieces.iter().map(|pieces| rig.paid(*pieces)).collect();
        rig.sync();
        rig.server.clear_requests();
        (rig, ids)
    }

    /// Connects the shop under its address.
    pub fn connect(&self, more: &str) -> super::program::Call<'_> {
        self.home.run(&format!("connect woocommerce --url {}{} {more}", self.server.url(), self.shop.options().prefix))
    }

    /// A sync that succeeds and says nothing.
    pub fn sync(&self) -> Done {
        self.home.run("sync").exits(0).silent()
    }

    /// One order as `show --json` has it.
    pub fn show(&self, id: u64) -> Value {
        self.home.json(&format!("show woocommerce:{id}"))
    }

    /// The status of an order in the book.
    pub fn status(&self, id: u64) -> String {
        self.show(id)["status"].as_str().unwrap_or_default().to_owned()
    }

    /// Dispatches one order of the shop.
    pub fn dispatch(&self, id: u64, more: &str) -> super::program::Call<'_> {
        self.home.run(&format!("dispatch woocommerce:{id} {more}"))
    }

    /// With one parcel.
    pub fn parcel(&self, id: u64, tracking: &str) -> super::program::Call<'_> {
        self.dispatch(id, &format!("--carrier dhl --tracking {tracking}"))
    }

    /// The states of the outbox, the oldest first.
    pub fn outbox(&self) -> Vec<String> {
        let rows = self.home.json("outbox --all");
        let state = |row: &Value| row["state"].as_str().unwrap().to_owned();
        rows.as_array().unwrap().iter().rev().map(state).collect()
    }

    /// The next sync finds every open row due.
    pub fn all_due(&self) {
        self.home.sql("UPDATE outbox SET next_at = 0 WHERE state IN ('queued', 'sending', 'unknown', 'sent')");
    }

    /// Asserts that the shop knows of one dispatch of all of it, and its buyer too.
    pub fn assert_told_once(&self, id: u64, told: &str) {
        let mails = self.shop.mails(id);
        assert_eq!((self.shop.fulfillments(id).len(), mails.fulfillment, mails.completed), (1, 1, 1), "{told}");
        assert_eq!(
            (self.status(id).as_str(), self.shop.status(id).as_deref()),
            ("shipped", Some("completed")),
            "{told}"
        );
        assert!(self.outbox().iter().all(|state| state == "confirmed"), "{told}: {:?}", self.outbox());
    }

    /// Asserts that the book is whole and that its newest version of every order is the shop's,
    /// each order once.
    ///
    /// Drafts are no orders, and what is in the bin is looked for less often, so both are left out.
    pub fn assert_converged(&self, told: &str) {
        assert_eq!(self.home.sql("PRAGMA integrity_check"), ["ok"], "{told}");
        let context = Context {
            home: Directories::locate(Some(self.home.path())).unwrap(),
            clock: clock(),
            retry: RetryPolicy::default(),
            lock_timeout: Duration::ZERO,
        };
        let book = Book::open(&context.home.book(), context.clock.clone()).unwrap();
        let open = context.open(&book.store("woocommerce").unwrap().unwrap()).unwrap();
        let mut orders = 0;
        for id in self.shop.ids() {
            let there = self.shop.order_json(id).unwrap();
            if matches!(there["status"].as_str(), Some("checkout-draft" | "trash")) {
                continue;
            }
            orders += 1;
            let at = book.find(&format!("woocommerce:{id}")).unwrap_or_else(|e| panic!("{told}: order {id}: {e}"));
            let newest = book.newest_document(at).unwrap().or(book.base_document(at).unwrap()).unwrap();
            let mut here = open.format.order(&newest).unwrap();
            // Of refunds and fulfilments the order itself tells the least.
            let there = open.channel.order(&id.to_string()).unwrap().unwrap().order.unwrap();
            // A save that changes nothing moves this date alone, and is no version.
            here.updated_at = there.updated_at;
            assert!(here == *there, "{told}: order {id} is not as the shop has it\n{here:?}\n{there:?}");
        }
        let trashed = self.shop.ids().len() - orders;
        let kept: usize = self.home.sql("SELECT count(*) FROM orders")[0].parse().unwrap();
        assert!((orders..=orders + trashed).contains(&kept), "{told}: {kept} orders kept of {orders}");
    }
}
