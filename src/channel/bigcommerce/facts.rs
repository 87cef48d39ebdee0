//! What `probe` found out about a store, as stored with it.

use serde::{Deserialize, Serialize};

/// What is known about a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The store's numeric id, where the token may read it: what webhooks name.
    pub store_id: Option<String>,
    /// The list of orders is served with lines, addresses and fees in it (`include`), at one request for a page instead of three for
    /// each order.
    pub include: bool,
    /// Archived orders can be listed (`is_deleted=true`, which the current documents no longer mention: fact sheet 2.1).
    pub archived: bool,
}

impl Default for Facts {
    /// Before the first probe: what is documented is tried, what is not is left alone.
    fn default() -> Self {
        Self { store_id: None, include: true, archived: false }
    }
}
