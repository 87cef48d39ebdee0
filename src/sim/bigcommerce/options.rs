//! What kind of store is simulated.

use std::time::Duration;

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
pub const REHEARSAL_CLIENT_SECRET: &str = "decade00000000000000000000000000000000000000000000000000000secret";

/// A store and its API, with what its documents leave open as a choice.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its permanent id.
    pub store_hash: String,
    /// Its name.
    pub name: String,
    /// Its own currency.
    pub currency: String,
    /// What the token may do with orders.
    pub orders: Scope,
    /// Whether it may read the store's information.
    pub information: bool,
    /// Requests in a window, for all apps together.
    pub quota: u32,
    /// How long a window is.
    pub window: Duration,
    /// How many requests of each window the store's other apps make.
    pub others: u32,
    /// Whether date and id bounds exclude what lies on them (not documented).
    pub exclusive_bounds: bool,
    /// Whether `include` is served in the list and for one order.
    pub include: bool,
    /// The most rows that a page of orders has, whatever `limit` says.
    pub most_rows: usize,
    /// The largest `limit` that is taken; more is answered with 413.
    pub largest_limit: usize,
    /// Whether the lists that belong to one order have pages; else they come whole, whatever page
    /// is asked for.
    pub pages_of_parts: bool,
    /// Whether the refunds of several orders can be asked for at once; else all refunds of the
    /// store come back.
    pub refunds_of_several: bool,
    /// Whether `is_deleted=true` lists archived orders (no longer documented).
    pub lists_archived: bool,
    /// Whether a shipment moves the order's status by itself.
    pub moves_status: bool,
    /// Whether filters and sorting are ignored, as a proxy or a misnamed parameter would have it.
    pub ignores_filters: bool,
    /// How long a page of orders takes.
    pub page_latency: Duration,
    /// The id of the first order.
    pub first_id: u64,
    /// Where the made-up orders come from.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            store_hash: "abc123".to_owned(),
            name: "Green Cat Supplies".to_owned(),
            currency: "USD".to_owned(),
            orders: Scope::Modify,
            information: true,
            quota: 150,
            window: Duration::from_secs(30),
            others: 0,
            exclusive_bounds: false,
            include: true,
            most_rows: 250,
            largest_limit: 250,
            pages_of_parts: true,
            refunds_of_several: true,
            lists_archived: true,
            moves_status: true,
            ignores_filters: false,
            page_latency: Duration::ZERO,
            first_id: 100,
            seed: 7,
        }
    }
}

impl Options {
    /// For rehearsals: the store of a merchant on the Pro plan, so that a script that is tried out
    /// does not wait.
    pub fn rehearsal() -> Self {
        Self { quota: 450, ..Self::default() }
    }
}
