//! A simulated store of one vendor and a home whose environment opens it.

/// The rig of a vendor: `usual` are the options of the store that most tests are of.
macro_rules! rig {
    ($vendor:ident, $usual:expr) => {
        use std::sync::Arc;
        use std::sync::atomic::AtomicBool;

        use ordersync::clock::SystemClock;
        use ordersync::sim::$vendor::{NewOrder, Options, Shop};
        use ordersync::sim::{Exchange, Fault, Server, ServerOptions, Simulated};
        use serde_json::Value;

        use crate::support::program::{Call, Done, Home};

        /// A store being served, and a home.
        pub struct Rig {
            /// The store.
            pub shop: Arc<Shop>,
            /// Its server.
            pub server: Server,
            /// The home.
            pub home: Home,
        }

        impl Rig {
            /// Connected to an empty store of the usual kind.
            pub fn new() -> Self {
                Self::with($usual)
            }

            /// Connected to an empty store of this kind.
            pub fn with(options: Options) -> Self {
                let rig = Self::unconnected(options);
                rig.connect("").exits(0);
                rig.server.clear_requests();
                rig
            }

            /// Beside an empty store.
            pub fn unconnected(options: Options) -> Self {
                Self::over(Shop::new(options, Arc::new(SystemClock::new(Arc::new(AtomicBool::new(false))))))
            }

            /// Beside this store.
            pub fn over(shop: Shop) -> Self {
                Self::served(Arc::new(shop))
            }

            /// Beside this store, which is served to others as well.
            pub fn served(shop: Arc<Shop>) -> Self {
                Self::served_with(shop, ServerOptions::default())
            }

            /// The same over a server of this kind.
            pub fn served_with(shop: Arc<Shop>, options: ServerOptions) -> Self {
                let server = Server::start(shop.clone(), options).unwrap();
                let access = shop.access(server.url());
                // Cut-off writes are given a little time to arrive: enough on loopback.
                let home = Home::new().env("ORDERSYNC_RETRY_MS", "9");
                let home = access.secrets.iter().fold(home, |home, (name, value)| home.secret(name, value));
                Self { shop, server, home }
            }

            /// Connects the store under its address.
            pub fn connect(&self, more: &str) -> Call<'_> {
                let access = self.shop.access(self.server.url());
                self.home.run(&format!(
                    concat!("connect ", stringify!($vendor), " {} {}"),
                    access.flags.join(" "),
                    more
                ))
            }

            /// Places an order and brings it into the book.
            pub fn order(&self, new: &NewOrder) -> u64 {
                let id = self.shop.place_order(new);
                self.sync();
                self.server.clear_requests();
                id
            }

            /// A sync that succeeds and says nothing.
            pub fn sync(&self) -> Done {
                self.home.run("sync").exits(0).silent()
            }

            /// The report of a sync of this store.
            pub fn report(&self) -> Value {
                self.home.json("sync")["stores"][0].clone()
            }

            /// A command on one order.
            pub fn on(&self, command: &str, id: u64, more: &str) -> Call<'_> {
                self.home.run(&format!(concat!("{} ", stringify!($vendor), ":{} {}"), command, id, more))
            }

            /// One order as `show --json` has it.
            pub fn show(&self, id: u64) -> Value {
                self.home.json(&format!(concat!("show ", stringify!($vendor), ":{}"), id))
            }

            /// The status of an order in the book.
            pub fn status(&self, id: u64) -> String {
                self.show(id)["status"].as_str().unwrap_or_default().to_owned()
            }

            /// The write requests so far.
            pub fn writes(&self) -> Vec<Exchange> {
                self.server.requests().into_iter().filter(Exchange::is_write).collect()
            }

            /// The requests so far whose path ends so.
            pub fn asked(&self, ending: &str) -> Vec<Exchange> {
                self.server.requests().into_iter().filter(|request| request.path.ends_with(ending)).collect()
            }

            /// Arms a fault.
            pub fn fault(&self, fault: Fault) {
                self.server.faults().add(fault);
            }

            /// The ids in the book, each as often as it stands there.
            pub fn known(&self) -> Vec<u64> {
                let ids = self.home.sql("SELECT remote_id FROM orders ORDER BY CAST(remote_id AS INTEGER)");
                ids.iter().map(|id| id.parse().unwrap()).collect()
            }

            /// Tracking numbers at the store, in the order of its shipments.
            pub fn tracking(&self, id: u64) -> Vec<String> {
                let shipments = self.shop.order(id).unwrap().shipments.into_iter();
                let numbers = shipments.flat_map(|shipment| shipment.tracking).map(|one| one.number);
                numbers.filter(|number| !number.is_empty()).collect()
            }

            /// How often the buyer was told of a shipment.
            pub fn mails(&self, id: u64) -> u64 {
                self.shop.standing(&id.to_string()).unwrap().dispatch_mails
            }

            /// Asserts that the book is whole, has every order of the store once, and that nothing waits or
            /// needs the merchant.
            pub fn assert_settled(&self, told: &str) {
                assert_eq!(self.home.sql("PRAGMA integrity_check"), ["ok"], "{told}");
                assert_eq!(self.known(), self.shop.numbers(), "{told}");
                assert_eq!(self.home.json("outbox"), serde_json::json!([]), "{told}");
                assert_eq!(self.home.json("inbox"), serde_json::json!([]), "{told}");
            }
        }
    };
}
