//! Listing the orders of a time for a comparison: ids and modification times, in one walk.
//!
//! What the walk will cost is told before, by the channel's own count. That holds as long as nothing
//! changes and no two pages meet in one second; then it is a request or two more.

use serde::Serialize;

use super::changes::{Lists, Position};
use super::read::{Onward, read};
use super::{Bounds, Dialect, Key, Walk};
use crate::channel::{Cursor, Heads, Next, Range, Survey};
use crate::error::Result;

/// A page of rows that may have been cut has at least so many.
const FEW: u64 = super::after::FEW;

/// The walk of a range, and what it costs.
pub(crate) fn survey<L: Lists>(lists: &L, range: &Range) -> Result<Survey> {
    let list = lists.places();
    let (since, until) = (range.since.map(|at| at.timestamp()), range.until.map(|at| at.timestamp()));
    let dialect = list.dialect();
    let walk = if dialect.above {
        // Ids do not move, so no row is met twice for a second that two pages share.
        Walk::of_ids(0, None, (since, until))
    } else if lists.lists_changes() {
        Walk::new(Key::Modified, since, until)
    } else {
        // What was modified in the range may have been created at any time.
        Walk::new(Key::Created, None, until)
    };
    let orders = list.count(&walk.query(&dialect, 1))?;
    let requests = orders.map(|orders| cost(&dialect, orders, list.size() as u64));
    Ok(Survey { walks: vec![Cursor::new(&Position::<L::Extra>::Slice(walk))?], orders, requests })
}

/// How many requests a walk through so many rows takes, its end proven.
fn cost(dialect: &Dialect, rows: u64, size: u64) -> u64 {
    let size = size.max(2);
    // Each page behind the first has a row of the one before, where that cannot be left out.
    if dialect.counts_with_pages && dialect.leaves_out == 0 && !dialect.above && rows > size {
        let behind = rows - size;
        // Where a bound may exclude, a full page is no end.
        let unsure = dialect.bounds != Bounds::Inclusive && behind.is_multiple_of(size - 1);
        return 1 + behind.div_ceil(size - 1) + u64::from(unsure);
    }
    if dialect.counts_with_pages {
        // By ids, an empty page is asked for once more.
        let again = u64::from(dialect.above);
        return match rows {
            // Nothing is asked for twice before it is believed.
            0 => 2,
            1..FEW => 1,
            // The only page, and a full last one, may have been cut.
            rows if rows <= size => 2 + again,
            rows => rows.div_ceil(size) + u64::from(rows.is_multiple_of(size)) * (1 + again),
        };
    }
    // The first page is held against a count.
    let further = match rows {
        rows if rows < size => 0,
        // No page has a row of the one before: behind a full last one an empty one comes, with its
        // count.
        rows if dialect.bounds == Bounds::Inclusive => {
            rows.div_ceil(size) - 1 + 2 * u64::from(rows.is_multiple_of(size))
        }
        // Each further one has a row of the one before.
        rows => (rows - size) / (size - 1) + 1,
    };
    2 + further
}

/// The page at a position of such a walk.
pub(crate) fn heads<L: Lists>(lists: &L, at: Position<L::Extra>) -> Result<Heads>
where
    L::Extra: Serialize,
{
    let Position::Slice(walk) = at else { return super::page(lists, at).map(Heads::from) };
    let (batch, onward) = read(lists.places().as_ref(), &walk)?;
    let position = |walk: &Walk| Cursor::new(&Position::<L::Extra>::Slice(walk.clone()));
    let next = match &onward {
        Onward::More(walk) => Next::More(position(walk)?),
        Onward::Done(walk) => Next::Done(position(walk)?),
    };
    Ok(Heads { orders: batch.heads, unshown: batch.unshown, next })
}
