//! What a walk met, held against the channel's own counts of it (I-3, I-4).
//!
//! A plugin, a proxy or the rights of a key may take orders out of every list and leave the counts
//! as they are. The end of a list says nothing of that. Orders come and go while a walk reads, so
//! it is held against the lowest count: one that was erased is in no later count, one that was
//! placed in no earlier one. A count that is taken last is of what was there before the last page
//! was asked for.

use serde::{Deserialize, Serialize};

use super::Unshown;

/// A count that is taken last leaves out so many seconds before the last page: the clocks there and
/// here are not the same to the second.
pub(crate) const SURELY_BEFORE: i64 = 2;

/// The orders of a walk: how many the channel counts, and how many were met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Census {
    /// The lowest count so far.
    pub(crate) counted: Option<u64>,
    /// How many different orders were met, those included that the channel cannot show.
    pub(crate) met: u64,
}

impl Census {
    /// Takes notice of a count of all that the walk is to meet.
    pub(crate) fn count(self, count: u64) -> Self {
        Self { counted: Some(self.counted.map_or(count, |counted| counted.min(count))), ..self }
    }

    /// Takes notice of orders that were not met before.
    pub(crate) fn meet(self, orders: u64) -> Self {
        Self { met: self.met.saturating_add(orders), ..self }
    }

    /// How many orders every count holds and no list has shown.
    pub(crate) fn missing(self) -> u64 {
        self.counted.map_or(0, |counted| counted.saturating_sub(self.met))
    }
}

/// What is told of so many orders that are counted and not listed. Which ones, nothing says: those
/// of all walks of a run are told together.
pub(crate) fn unlisted(missing: u64) -> Option<Unshown> {
    let why = "more are counted than listed; a plugin or a proxy may hide them, or the rights of the key or its user";
    (missing > 0).then(|| Unshown {
        remote_id: None,
        place: "an order or more".to_owned(),
        why: why.to_owned(),
        unlisted: missing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i3_only_what_every_count_holds_is_missing() {
        let census = Census::default().count(340).meet(326);
        assert_eq!(census.missing(), 14);
        assert_eq!(census.count(341).missing(), 14, "one was placed meanwhile");
        assert_eq!(census.count(326).missing(), 0, "fourteen were erased meanwhile");
        assert_eq!(census.meet(20).missing(), 0);
        assert_eq!(Census::default().meet(3).missing(), 0, "nothing was counted");
        assert!(unlisted(0).is_none() && unlisted(14).is_some_and(|told| told.unlisted == 14));
    }
}
