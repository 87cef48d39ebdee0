//! What REST APIs have in common: routes with declared parameters, calls, pages.

mod args;
mod params;
mod route;
#[cfg(test)]
mod tests;

use std::ops::{Deref, DerefMut};

use serde_json::{Map, Value};

pub(crate) use args::{Arg, What, Wrong, boolean, check, date_time, declared, integer, list};
pub(crate) use params::from_pairs;
pub(crate) use route::{Route, find};

use super::http::{Request, Response};
use super::world::{Context, Vendor};

/// An answer, or a refusal.
pub(crate) type Answer = Result<Response, Response>;

/// A request that has found its route; `by` is what the vendor knows about who asks.
pub(crate) struct Call<'a, 'w, V: Vendor, B = ()> {
    /// The store.
    pub(crate) context: &'a mut Context<'w, V>,
    /// The request.
    pub(crate) request: &'a Request,
    /// Its parameters, once they are checked.
    pub(crate) params: Map<String, Value>,
    /// What stands in the path where the route has names.
    pub(crate) path: Vec<String>,
    /// Who asks.
    pub(crate) by: B,
}

impl<V: Vendor, B> Call<'_, '_, V, B> {
    /// A number in the path; 0, which is nobody's id, where there is none.
    pub(crate) fn id(&self, at: usize) -> u64 {
        self.path.get(at).and_then(|part| part.parse().ok()).unwrap_or(0)
    }

    /// A parameter that is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }

    /// A parameter that is a whole number.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.params.get(name).and_then(integer)
    }

    /// Whether a parameter is true.
    pub(crate) fn truth(&self, name: &str) -> bool {
        self.params.get(name).and_then(boolean).unwrap_or(false)
    }

    /// The members of a parameter that is a list.
    pub(crate) fn list(&self, name: &str) -> Vec<Value> {
        self.params.get(name).map(list).unwrap_or_default()
    }

    /// A list of ids.
    pub(crate) fn ids(&self, name: &str) -> Vec<u64> {
        self.list(name).iter().filter_map(integer).filter_map(|id| u64::try_from(id).ok()).collect()
    }
}

impl<'w, V: Vendor, B> Deref for Call<'_, 'w, V, B> {
    type Target = Context<'w, V>;

    fn deref(&self) -> &Self::Target {
        self.context
    }
}

impl<V: Vendor, B> DerefMut for Call<'_, '_, V, B> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.context
    }
}

/// A page of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// How many rows pages have.
    pub(crate) size: usize,
    /// Rows before it.
    pub(crate) start: usize,
}

impl Page {
    /// The page of this number.
    pub(crate) fn new(number: usize, size: usize) -> Self {
        let (number, size) = (number.max(1), size.max(1));
        Self { number, size, start: (number - 1).saturating_mul(size) }
    }

    /// Its rows.
    pub(crate) fn of<T>(self, rows: &[T]) -> &[T] {
        let start = self.start.min(rows.len());
        rows.get(start..start.saturating_add(self.size).min(rows.len())).unwrap_or_default()
    }
}
