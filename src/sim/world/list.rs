//! Lists of orders: within bounds, in an order, from a place on.

use std::sync::Arc;

use super::{Entry, State, Vendor};

/// By what a list is ordered; orders of the same time by their ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum By {
    /// The id.
    #[default]
    Id,
    /// When it was placed.
    Created,
    /// When it was changed, as far as lists know.
    Modified,
}

/// From and to, both in it.
pub(crate) type Bounds = (i64, i64);

/// No bounds.
pub(crate) const ALL: Bounds = (i64::MIN, i64::MAX);

/// Which orders a list has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    /// The order.
    pub(crate) by: By,
    /// The other way round.
    pub(crate) descending: bool,
    /// When they were placed.
    pub(crate) created: Bounds,
    /// When they were changed.
    pub(crate) modified: Bounds,
    /// Their ids.
    pub(crate) id: Bounds,
    /// Only what comes behind this row: time (nothing for a list by id) and id.
    pub(crate) behind: Option<(i64, u64)>,
}

impl Default for Query {
    fn default() -> Self {
        Self { by: By::Id, descending: false, created: ALL, modified: ALL, id: ALL, behind: None }
    }
}

/// Bounds that a comparison leaves, for a value that stands for all from `first` to `last` (a
/// second in milliseconds).
pub(in crate::sim) fn narrow(bounds: &mut Bounds, sign: &str, (first, last): Bounds) {
    let (low, high) = match sign {
        ">=" => (first, i64::MAX),
        ">" => (first.saturating_add(1), i64::MAX),
        "<=" => (i64::MIN, last),
        "<" => (i64::MIN, first.saturating_sub(1)),
        _ => (first, last),
    };
    *bounds = (bounds.0.max(low), bounds.1.min(high));
}

/// The ids of the last list.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    generation: u64,
    key: String,
    ids: Option<Arc<Vec<u64>>>,
}

impl<V: Vendor> State<V> {
    /// The orders that lists know of and that a query asks for, in its order.
    pub(in crate::sim) fn find(&self, query: Query) -> Box<dyn Iterator<Item = &Entry<V>> + '_> {
        let (low, high) = match query.by {
            By::Id => query.id,
            By::Created => query.created,
            By::Modified => query.modified,
        };
        let row = |at: i64, id: u64| if query.by == By::Id { (0, id) } else { (at, id) };
        let id = |id: i64| u64::try_from(id.max(0)).unwrap_or(0);
        let (mut low, mut high) = match query.by {
            By::Id => ((0, id(low)), (0, id(high))),
            _ => ((low, 0), (high, u64::MAX)),
        };
        match query.behind.map(|(at, id)| row(at, id)) {
            Some((at, id)) if query.descending => high = high.min((at, id.saturating_sub(1))),
            Some((at, id)) => low = low.max((at, id.saturating_add(1))),
            None => {}
        }
        if low > high {
            return Box::new(std::iter::empty());
        }
        let ids: Box<dyn DoubleEndedIterator<Item = u64>> = match query.by {
            By::Id => Box::new(self.orders.range(low.1..=high.1).map(|(id, _)| *id)),
            By::Created => Box::new(self.by_creation.range(low..=high).map(|(_, id)| *id)),
            By::Modified => Box::new(self.by_time.range(low..=high).map(|(_, id)| *id)),
        };
        let ids = if query.descending { Box::new(ids.rev()) } else { ids as Box<dyn Iterator<Item = u64>> };
        Box::new(ids.filter_map(|id| self.orders.get(&id)).filter(move |entry| self.has(&query, entry)))
    }

    fn has(&self, query: &Query, entry: &Entry<V>) -> bool {
        let within = |at: i64, (low, high): Bounds| low <= at && at <= high;
        within(entry.created, query.created)
            && within(entry.seen, query.modified)
            && within(i64::try_from(entry.id).unwrap_or(i64::MAX), query.id)
            && (self.unnoticed.is_empty() || self.by_time.contains(&(entry.seen, entry.id)))
    }

    /// The ids of the last list, if the question is the same and the store did not change since.
    pub(in crate::sim) fn kept(&self, key: &str) -> Option<Arc<Vec<u64>>> {
        let same = self.kept.generation == self.generation && self.kept.key == key;
        same.then(|| self.kept.ids.clone()).flatten()
    }

    /// Keeps the ids of a list for its next page.
    pub(in crate::sim) fn keep(&mut self, key: String, ids: Arc<Vec<u64>>) {
        self.kept = Kept { generation: self.generation, key, ids: Some(ids) };
    }
}
