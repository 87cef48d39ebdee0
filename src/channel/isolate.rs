//! Finding the one order that the channel cannot show.
//!
//! Every list and page that holds such an order fails as a whole, so a store would stand still at
//! it for ever (I-4). It is found by asking for fewer and fewer rows from one position on. The
//! questions of the search are sent with little patience ([`crate::http::Request::repeated`]): here
//! a failure is an answer.

use crate::error::{Error, Result};

/// How often a page of orders is asked for again before it is looked at more closely. An outage
/// that passes is waited for by the question whether the channel is well, which holds no order, and
/// not by each of the pages that it strikes.
pub(crate) const REPEATS: u32 = 2;

/// What came of a search.
#[derive(Debug)]
pub(crate) struct Isolated<P, R> {
    /// The rows before the order that cannot be shown, in the list's order.
    pub(crate) rows: Vec<R>,
    /// The position behind them: right before that order. `None` where the list ended meanwhile.
    pub(crate) at: Option<P>,
    /// Why the next order cannot be shown; `None` where everything came after all.
    pub(crate) why: Option<Error>,
}

/// Reads on from `at`, where a page of `size` rows failed, in halves up to the row that it must have
/// failed at: log2(`size`) questions. That row is not asked for. Gives the rows before it, and the
/// position behind these; `None` where the list ended meanwhile.
///
/// `read` gives so many rows from a position, and the position behind them; `None` where there are
/// no more. `well` asks the channel for something that holds no order, best on the same route: an
/// outage, in which everything fails, is no fault of an order. It is asked where the first half
/// fails as well, so that one that has passed by then costs no order either. Before an order is
/// blamed, the channel must have answered once more.
///
/// # Errors
/// Any error of `read` that is not [`Error::is_too_much`], and the error of `well`.
pub(crate) fn halve<P, R>(
    mut at: P,
    size: usize,
    mut read: impl FnMut(&P, usize) -> Result<(Vec<R>, Option<P>)>,
    well: impl Fn() -> Result<()>,
) -> Result<(Vec<R>, Option<P>)> {
    let (mut rows, mut is_well) = (Vec::new(), false);
    // The order is among this many rows from `at` on.
    let mut among = size.max(1);
    while among > 1 {
        let count = among / 2;
        match read(&at, count) {
            Ok((more, next)) => {
                rows.extend(more);
                let Some(next) = next else { return Ok((rows, None)) };
                (at, among) = (next, among - count);
            }
            Err(error) if error.is_too_much() => {
                if !is_well {
                    well()?;
                }
                among = count;
            }
            Err(error) => return Err(error),
        }
        is_well = true;
    }
    Ok((rows, Some(at)))
}

/// The same, up to an order at which the channel fails when it is asked for by itself.
///
/// # Errors
/// Any error of `read` that is not [`Error::is_too_much`], and the error of `well`.
pub(crate) fn isolate<P, R>(
    at: P,
    size: usize,
    mut read: impl FnMut(&P, usize) -> Result<(Vec<R>, Option<P>)>,
    well: impl Fn() -> Result<()>,
) -> Result<Isolated<P, R>> {
    let (mut rows, at) = halve(at, size, &mut read, &well)?;
    let Some(at) = at else { return Ok(Isolated { rows, at: None, why: None }) };
    well()?;
    match read(&at, 1) {
        Ok((more, next)) => {
            rows.extend(more);
            Ok(Isolated { rows, at: next, why: None })
        }
        Err(error) if error.is_too_much() => Ok(Isolated { rows, at: Some(at), why: Some(error) }),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn failed() -> Error {
        Error::new(ErrorKind::Temporary, "500").too_much()
    }

    /// Reads a list of so many rows in which some cannot be shown; gives the search and how many
    /// questions it took.
    fn search(length: usize, poisoned: &[usize], from: usize, size: usize) -> (Isolated<usize, usize>, usize) {
        let mut asked = 0;
        let found = isolate(
            from,
            size,
            |at, count| {
                asked += 1;
                let end = (at + count).min(length);
                if (*at..end).any(|row| poisoned.contains(&row)) {
                    return Err(failed());
                }
                Ok(((*at..end).collect(), (end < length).then_some(end)))
            },
            || Ok(()),
        );
        (found.unwrap(), asked)
    }

    #[test]
    fn i4_the_order_is_found_wherever_it_stands_and_all_before_it_is_read() {
        for size in [1, 2, 3, 50, 100, 250] {
            for poisoned in 0..size {
                let (found, asked) = search(1000, &[poisoned, poisoned + 1], 0, size);
                assert_eq!(found.rows, (0..poisoned).collect::<Vec<_>>(), "{size}: {poisoned}");
                assert_eq!(found.at, Some(poisoned));
                assert!(found.why.is_some());
                let most = 2 * (usize::BITS - size.leading_zeros()) as usize;
                assert!(asked <= most, "{size}: {poisoned} took {asked}");
            }
        }
    }

    #[test]
    fn i4_a_failure_that_passes_costs_no_order() {
        let (found, _) = search(100, &[], 0, 40);
        assert!(found.why.is_none());
        assert_eq!(found.rows, (0..found.rows.len()).collect::<Vec<_>>());
        assert_eq!(found.at, Some(found.rows.len()));
        let (ended, _) = search(3, &[], 0, 40);
        assert_eq!((ended.rows.len(), ended.at), (3, None));
    }

    #[test]
    fn i4_an_outage_is_no_fault_of_an_order() {
        let read = |_: &usize, _| -> Result<(Vec<usize>, Option<usize>)> { Err(failed()) };
        let down = || Err(Error::new(ErrorKind::Temporary, "down"));
        assert_eq!(isolate(0, 100, read, down).unwrap_err().message(), "down");
        let read =
            |_: &usize, _| -> Result<(Vec<usize>, Option<usize>)> { Err(Error::new(ErrorKind::Credentials, "x")) };
        assert_eq!(isolate(0, 100, read, || Ok(())).unwrap_err().kind(), ErrorKind::Credentials);
    }
}
