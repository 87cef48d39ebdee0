//! The search for a place in a range by questions that are yes from it on: for an order that fails
//! each list that holds it, or for a second by counts.

use super::slices::cuts;
use crate::error::Result;

/// The first of `from..to` at which the answer is yes, where it is yes at all after it; `to` where
/// it is no at all of them. Each question asks about up to so many places at once.
pub(crate) fn first_where(
    mut from: i64,
    mut to: i64,
    places: usize,
    mut ask: impl FnMut(&[i64]) -> Result<Vec<bool>>,
) -> Result<i64> {
    while from < to {
        let cuts = cuts(to.abs_diff(from), places as u64 + 1);
        let mut places: Vec<i64> = cuts.map(|cut| from.saturating_add_unsigned(cut)).collect();
        places.dedup();
        let nos = ask(&places)?.into_iter().take_while(|yes| !yes).count();
        to = places.get(nos).copied().unwrap_or(to);
        from = nos.checked_sub(1).and_then(|nth| places.get(nth)).map_or(from, |last| last + 1);
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_found_in_as_many_questions_as_it_takes_to_tell_the_places_apart() {
        for (from, to, first, places, most) in [
            (0, 100, 37, 1, 7),
            (0, 100, 0, 1, 7),
            (0, 100, 100, 1, 7),
            (5, 5, 5, 1, 0),
            (-3, 60, 59, 8, 3),
            (1, i64::MAX, 5_000_000_000_001, 20, 16),
        ] {
            let mut asked = 0;
            let found = first_where(from, to, places, |at| {
                asked += 1;
                assert!(!at.is_empty() && at.len() <= places && at.iter().all(|at| (from..to).contains(at)));
                Ok(at.iter().map(|at| *at >= first).collect())
            });
            assert_eq!(found.unwrap(), first);
            assert!(asked <= most, "{asked} for {first} of {from}..{to}");
        }
    }
}
