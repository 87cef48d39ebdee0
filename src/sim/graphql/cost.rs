//! What a query costs: objects one point, lists less than their members one by one.

use super::document::{Field, Selection};

/// A vendor's prices. What is in none of the tables is an object, or a scalar, which costs nothing.
pub(crate) struct Prices {
    /// Lists with pages.
    pub(crate) connections: &'static [&'static str],
    /// Lists without, where they take `first`.
    pub(crate) lists: &'static [&'static str],
    /// Lists without, also where they do not.
    pub(crate) bare_lists: &'static [&'static str],
    /// Things that cost nothing themselves.
    pub(crate) free: &'static [&'static str],
    /// The same, by how their names end.
    pub(crate) free_endings: &'static [&'static str],
    /// What so many members of a list weigh.
    pub(crate) weight: fn(f64) -> f64,
}

impl Prices {
    /// The most that a selection can cost.
    pub(crate) fn requested(&self, set: &[Selection]) -> f64 {
        let one = |item: &Selection| match item {
            Selection::Field(field) => self.of_field(field),
            Selection::Fragment(_, set) => self.requested(set),
            Selection::Spread(_) => 0.0,
        };
        set.iter().map(one).sum()
    }

    /// Whether an object costs nothing itself, by its name.
    pub(super) fn is_free(&self, name: &str) -> bool {
        self.free_endings.iter().any(|ending| name.ends_with(ending))
    }

    fn of_field(&self, field: &Field) -> f64 {
        let inner = self.requested(&field.selections);
        let name = field.name.as_str();
        let first = field.argument("first").and_then(serde_json::Value::as_f64);
        if let Some(ids) = field.argument("ids").and_then(serde_json::Value::as_array) {
            return ids.len() as f64 * (1.0 + inner);
        }
        let members = || (self.weight)(first.unwrap_or(250.0)) * (1.0 + inner);
        match name {
            _ if self.connections.contains(&name) => 2.0 + members(),
            _ if self.bare_lists.contains(&name) || (self.lists.contains(&name) && first.is_some()) => members(),
            _ if field.selections.is_empty() || self.is_free(name) || self.free.contains(&name) => inner,
            _ => 1.0 + inner,
        }
    }
}
