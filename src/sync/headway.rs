//! Whether a walk gets anywhere.
//!
//! A cache that gives the same page again and again, a cursor that does not move, pages that go
//! round in a circle: an adapter may not notice, and would ask for ever (I-3).

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::channel::{Cursor, Heads, Next, Page};

/// How often one page may come again before the walk is at an end. Some repeat is in order: the
/// last second of a page is read twice, and several refunds may belong to the same orders.
const AGAIN: u32 = 8;

/// How many empty pages in a row may announce more.
const EMPTY: u32 = 1000;

/// Watches the pages of one walk.
#[derive(Debug, Default)]
pub(crate) struct Headway {
    /// The page that is waited for to come again, renewed at ever longer distances: so a circle of
    /// any length is noticed, without remembering every page.
    mark: Option<u64>,
    pages: u64,
    distance: u64,
    again: u32,
    empty: u32,
}

impl Headway {
    /// Takes notice of the page at `at`; true where the walk does not get on.
    pub(crate) fn stands_still(&mut self, at: &Cursor, page: &Page) -> bool {
        let ids = page.orders.iter().map(|order| &*order.remote_id).chain(page.reread.iter().map(String::as_str));
        let is_empty = page.unshown.is_empty() && page.drafts == 0;
        self.stays(at, &page.next, ids, is_empty)
    }

    /// The same for a page of ids and times.
    pub(crate) fn stands_still_at(&mut self, at: &Cursor, page: &Heads) -> bool {
        self.stays(at, &page.next, page.orders.iter().map(|head| &*head.remote_id), page.unshown.is_empty())
    }

    fn stays<'a>(
        &mut self,
        at: &Cursor,
        next: &Next,
        ids: impl Iterator<Item = &'a str>,
        has_nothing_else: bool,
    ) -> bool {
        let Next::More(next) = next else { return false };
        if next == at {
            return true;
        }
        let Some(print) = fingerprint(ids) else {
            self.empty = if has_nothing_else { self.empty + 1 } else { 0 };
            return self.empty > EMPTY;
        };
        self.empty = 0;
        self.again += u32::from(self.mark == Some(print));
        if self.pages >= self.distance {
            (self.mark, self.again, self.pages) = (Some(print), 0, 0);
            self.distance = self.distance.saturating_mul(2).max(1);
        }
        self.pages += 1;
        self.again >= AGAIN
    }
}

/// `None` for a page without ids.
fn fingerprint<'a>(ids: impl Iterator<Item = &'a str>) -> Option<u64> {
    let mut ids = ids.peekable();
    ids.peek()?;
    let mut hasher = DefaultHasher::new();
    ids.for_each(|id| id.hash(&mut hasher));
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::RemoteOrder;

    fn cursor(n: usize) -> Cursor {
        Cursor::from_stored(n.to_string())
    }

    fn page(ids: &[usize], next: Next) -> Page {
        let order = |id: &usize| RemoteOrder {
            remote_id: id.to_string(),
            document: serde_json::value::RawValue::from_string("{}".to_owned()).unwrap(),
            order: Err("x".to_owned()),
        };
        Page { orders: ids.iter().map(order).collect(), ..Page::without_orders(next) }
    }

    /// After how many pages the walk is at an end; cursors move on all the time.
    fn ends(pages: impl Iterator<Item = Vec<usize>>) -> Option<usize> {
        let mut headway = Headway::default();
        pages.enumerate().position(|(n, ids)| headway.stands_still(&cursor(n), &page(&ids, Next::More(cursor(n + 1)))))
    }

    #[test]
    fn i3_a_walk_that_goes_round_ends_and_one_that_gets_on_does_not() {
        assert!(ends(std::iter::repeat_n(vec![1, 2], 100)).is_some_and(|at| at < 30));
        for length in 1..40 {
            let ends = ends((0..10_000).map(|n| vec![n % length]));
            assert!(ends.is_some_and(|at| at < 40 * length + 20), "{length}: {ends:?}");
        }
        assert_eq!(ends((0..100_000).map(|n| vec![n, n + 1])), None);
        assert!(ends(std::iter::repeat_n(vec![], 2_000)).is_some());
    }

    #[test]
    fn i3_a_cursor_that_stays_ends_the_walk_at_once_and_a_pause_does_not() {
        let stands = |next| Headway::default().stands_still(&cursor(1), &page(&[1], next));
        assert!(stands(Next::More(cursor(1))));
        assert!(!stands(Next::Wait(cursor(1), std::time::Duration::ZERO)));
        assert!(!stands(Next::Done(cursor(1))));
    }
}
