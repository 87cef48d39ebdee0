//! What kind of store is simulated.

use std::time::Duration;

use crate::sim::options::options;

/// What a token may do with a group of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing: 403.
    None,
    /// Read only.
    ReadOnly,
    /// Read and modify.
    Modify,
}

/// The access token that every simulated store accepts unless told otherwise: made up, opens
/// nothing real.
pub const REHEARSAL_TOKEN: &str = "decade000000000000000000000000000token1";

/// The client secret that goes with it.
pub(crate) const REHEARSAL_CLIENT_SECRET: &str = "decade00000000000000000000000000000000000000000000000000000secret";

options! {
    /// A store and its API, with what its documents leave open as a choice.
    Options {
        /// Its permanent id.
        store_hash: String = "abc123".to_owned(),
        /// Its name.
        name: String = "Green Cat Supplies".to_owned(),
        /// Its own currency.
        currency: String = "USD".to_owned(),
        /// What the token may do with orders.
        orders: Scope = Scope::Modify,
        /// Whether it may read the store's information.
        information: bool = true,
        /// Requests in a window, for all apps together.
        quota: u32 = 150,
        /// How long a window is.
        window: Duration = Duration::from_secs(30),
        /// How many requests of each window the store's other apps make.
        others: u32 = 0,
        /// Whether date and id bounds exclude what lies on them (not documented).
        exclusive_bounds: bool = false,
        /// Whether `include` is served in the list and for one order.
        include: bool = true,
        /// Whether the lines that go to an address are missing in a list of orders with downloads
        /// (https://github.com/bigcommerce/dev-docs/issues/2052).
        loses_lines: bool = false,
        /// The most rows that a page of orders has, whatever `limit` says.
        most_rows: usize = 250,
        /// The largest `limit` that is taken; more is answered with 413.
        largest_limit: usize = 250,
        /// Whether the lists that belong to one order have pages; else they come whole, whatever
        /// page is asked for.
        pages_of_parts: bool = true,
        /// Whether the refunds of several orders can be asked for at once; else all refunds of the
        /// store come back.
        refunds_of_several: bool = true,
        /// Whether `is_deleted=true` lists archived orders (no longer documented).
        lists_archived: bool = true,
        /// Whether a shipment moves the order's status by itself.
        moves_status: bool = true,
        /// How long a page of orders takes.
        page_latency: Duration = Duration::ZERO,
        /// The id of the first order.
        first_id: u64 = 100,
        /// Where the made-up orders come from.
        seed: u64 = 7,
    }
}

impl Options {
    /// For rehearsals: the store of a merchant on the Pro plan, so that a script that is tried out
    /// does not wait.
    pub fn rehearsal() -> Self {
        Self { quota: 450, ..Self::default() }
    }

    /// Another store than that of a rehearsal, with quota that nobody uses up.
    pub(crate) fn another() -> Self {
        Self { store_hash: "other1".to_owned(), quota: 20_000, ..Self::default() }
    }

    /// What the documents leave open, decided the other way.
    pub(crate) fn variants() -> Vec<(&'static str, Self)> {
        vec![
            ("bounds exclude", Self { exclusive_bounds: true, ..Self::another() }),
            ("without include", Self { include: false, ..Self::another() }),
            ("at most 50 rows", Self { largest_limit: 50, ..Self::another() }),
            ("no archived orders", Self { lists_archived: false, ..Self::another() }),
        ]
    }
}
