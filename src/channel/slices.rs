//! How something long is cut into parts that are read or counted side by side.

/// Where a stretch of this length is cut, so that it has so many parts of about the same length.
pub(crate) fn cuts(length: u64, parts: u64) -> impl Iterator<Item = u64> {
    let share = move |n| u128::from(length) * u128::from(n) / u128::from(parts.max(1));
    (1..parts).map(move |n| u64::try_from(share(n)).unwrap_or(u64::MAX))
}

/// The parts between these bounds, each with the bound behind it. The last part is open.
pub(crate) fn parts<T: Copy>(first: T, bounds: &[T]) -> impl Iterator<Item = (T, Option<T>)> {
    let starts = std::iter::once(first).chain(bounds.iter().copied());
    starts.zip(bounds.iter().copied().map(Some).chain([None]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i3_parts_are_about_equal_and_cover_everything_once() {
        for (length, count) in [(10, 4), (99_901, 16), (2, 4), (7, 1), (u64::MAX, 3)] {
            let cuts: Vec<u64> = cuts(length, count).collect();
            let parts: Vec<_> = parts(0, &cuts).collect();
            assert_eq!((parts.len() as u64, parts[0].0), (count, 0));
            assert!(parts.windows(2).all(|pair| pair[0].1 == Some(pair[1].0)));
            assert_eq!(parts.last().unwrap().1, None);
            let lengths = parts.iter().map(|(from, to)| to.unwrap_or(length) - from);
            assert!(lengths.clone().max().unwrap() - lengths.min().unwrap() <= 1, "{parts:?}");
        }
    }
}
