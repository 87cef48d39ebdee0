//! A list of one order or a few, read to its end: lines, refunds, shipments.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};

/// More pages than any such list has.
const MOST_PAGES: usize = 200;

/// Whether a list goes on after a page, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum More<P> {
    /// It ends here.
    No,
    /// It may: there were fewer rows than were asked for, as a server gives that knows no pages of
    /// the list, or smaller ones.
    Perhaps(P),
    /// There is no sign of its end.
    Yes(P),
}

/// Reads on from `at`, behind `rows`, and takes each row once, told apart by `key`.
///
/// A list that does not move on is not at its end: what is not seen of it would be missing, or be
/// taken for gone.
///
/// # Errors
/// `Unreadable` where it does not move on or never ends, and any error of `read`.
pub(crate) fn all_pages<P, T, K: Ord>(
    what: &str,
    mut rows: Vec<T>,
    mut at: P,
    key: impl Fn(&T) -> K,
    mut read: impl FnMut(&P) -> Result<(Vec<T>, More<P>)>,
) -> Result<Vec<T>> {
    let mut known: BTreeSet<K> = rows.iter().map(&key).collect();
    for _ in 0..MOST_PAGES {
        let (page, more) = read(&at)?;
        let before = rows.len();
        rows.extend(page.into_iter().filter(|row| known.insert(key(row))));
        let stands = rows.len() == before;
        at = match more {
            More::No => return Ok(rows),
            More::Perhaps(_) if stands => return Ok(rows),
            More::Yes(_) if stands => return Err(unusable(what, "does not move on")),
            More::Perhaps(next) | More::Yes(next) => next,
        };
    }
    Err(unusable(what, "has no end"))
}

/// One order of several may be the reason.
fn unusable(what: &str, why: &str) -> Error {
    let text = format!("the list of {what} {why}; nothing of it was used");
    Error::new(ErrorKind::Unreadable, text).hint("a cache or proxy may stand before the API; try again").too_much()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads numbered pages of a list; gives its rows and how many pages were asked for.
    fn read(page: impl Fn(usize) -> (Vec<usize>, More<usize>)) -> (Result<Vec<usize>>, usize) {
        let mut asked = 0;
        let rows = all_pages(
            "things",
            vec![0],
            1,
            |row| *row,
            |at| {
                asked += 1;
                Ok(page(*at))
            },
        );
        (rows, asked)
    }

    #[test]
    fn i3_a_list_is_read_to_its_end_each_row_once() {
        let page = |at: usize| (vec![at - 1, at], if at < 4 { More::Yes(at + 1) } else { More::No });
        let (rows, asked) = read(page);
        assert_eq!((rows.unwrap(), asked), (vec![0, 1, 2, 3, 4], 4));
        let (rows, _) = read(|at| (vec![at], More::Perhaps(if at < 4 { at + 1 } else { 1 })));
        assert_eq!(rows.unwrap(), [0, 1, 2, 3, 4], "a server without pages gives the same again");
    }

    #[test]
    fn i3_a_list_that_does_not_move_on_is_not_at_its_end() {
        for page in [vec![0, 1], vec![]] {
            let (rows, asked) = read(|at| (if at == 1 { vec![1] } else { page.clone() }, More::Yes(at + 1)));
            let error = rows.unwrap_err();
            assert!(error.kind() == ErrorKind::Unreadable && error.is_too_much() && asked == 2, "{error}");
        }
        let (rows, asked) = read(|at| (vec![at], More::Yes(at + 1)));
        assert!(rows.unwrap_err().message().contains("has no end") && asked == MOST_PAGES);
    }

    proptest::proptest! {
        /// However a server cuts a list into pages, and whatever it repeats of them.
        #[test]
        fn i3_no_row_is_lost_or_doubled(sizes in proptest::collection::vec(1usize..7, 1..9), repeats in 0usize..3) {
            let total: usize = sizes.iter().sum();
            let ends: Vec<usize> = sizes.iter().scan(0, |end, size| { *end += size; Some(*end) }).collect();
            let page = |at: usize| {
                let from = if at == 1 { 0 } else { ends[at - 2] };
                let rows = (from.saturating_sub(repeats) + 1..=ends[at - 1]).collect();
                (rows, if at < ends.len() { More::Yes(at + 1) } else { More::No })
            };
            let (rows, _) = read(page);
            proptest::prop_assert_eq!(rows.unwrap(), (0..=total).collect::<Vec<_>>());
        }
    }
}
