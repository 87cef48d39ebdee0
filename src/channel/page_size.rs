//! How much of a list a store's server bears in one answer.
//!
//! What was too much once is so for a while: it is kept with the store, so that the next process
//! does not find it out again. With each day it is asked for twice as much: outages pass, and
//! servers are mended.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Learn;
use crate::clock::{Clock, Timestamp};
use crate::error::Result;

/// Where the sizes stand among the facts of a store.
const FACT: &str = "sizes";

/// The sizes of a store's lists.
pub(crate) struct PageSizes {
    kept: Mutex<BTreeMap<String, Kept>>,
    learn: Learn,
    clock: Arc<dyn Clock>,
}

/// What was not too much, and when that was found out.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Kept {
    rows: u32,
    at: Timestamp,
}

impl Kept {
    /// How much is asked for at `now`.
    fn grown(self, now: Timestamp) -> u32 {
        let days = now.signed_duration_since(self.at).num_days().clamp(0, 31);
        self.rows.max(1).saturating_mul(1 << days)
    }
}

/// How much of one list is asked for at once; shared by the threads of a store.
pub(crate) struct PageSize {
    name: &'static str,
    most: u32,
    now: AtomicU32,
    sizes: Arc<PageSizes>,
}

impl PageSizes {
    /// Those of a store, by its facts.
    pub(crate) fn new(facts: &Value, learn: Learn, clock: Arc<dyn Clock>) -> Arc<Self> {
        let kept = facts[FACT].as_object().into_iter().flatten();
        let kept = kept.filter_map(|(name, kept)| Some((name.clone(), Kept::deserialize(kept).ok()?))).collect();
        Arc::new(Self { kept: Mutex::new(kept), learn, clock })
    }

    /// The size of a list of which `most` may be asked for at once. It is `first` to begin with.
    pub(crate) fn of(self: &Arc<Self>, name: &'static str, first: u32, most: u32) -> PageSize {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        let now = kept.map_or(first, |kept| kept.grown(self.clock.now())).clamp(1, first.clamp(1, most.max(1)));
        PageSize { name, most: most.max(1), now: AtomicU32::new(now), sizes: self.clone() }
    }

    fn keep(&self, name: &str, rows: Option<u32>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match rows {
            Some(rows) => drop(kept.insert(name.to_owned(), Kept { rows, at: self.clock.now() })),
            None if kept.remove(name).is_none() => return,
            None => {}
        }
        (self.learn)(FACT, &json!(*kept));
    }
}

impl PageSize {
    /// As it is now.
    pub(crate) fn get(&self) -> u32 {
        self.now.load(Ordering::Relaxed)
    }

    /// More than `rows` was too much.
    pub(crate) fn at_most(&self, rows: u32) {
        let rows = rows.max(1);
        if self.now.fetch_min(rows, Ordering::Relaxed) > rows {
            self.sizes.keep(self.name, Some(rows));
        }
    }

    /// Half of `rows` from now on. False where there is nothing to halve.
    pub(crate) fn halve(&self, rows: u32) -> bool {
        self.at_most(rows / 2);
        rows > 1
    }

    /// Where `rows` were asked for, `fits` would do. An answer that was long on its way does not
    /// undo what a later one taught.
    pub(crate) fn fit(&self, rows: u32, fits: u32) {
        let _ = self.now.compare_exchange(rows, fits.clamp(1, self.most), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// It was not the size.
    pub(crate) fn reset(&self) {
        self.now.store(self.most, Ordering::Relaxed);
        self.sizes.keep(self.name, None);
    }
}

/// Where `size` rows were too much: reads as many as every server gives, where that is less, and
/// notes that they were borne. Nothing where these are too much as well: then it was not the size.
pub(crate) fn of_least<T>(
    size: usize,
    least: usize,
    at_most: impl FnOnce(usize),
    read: impl FnOnce(usize) -> Result<T>,
) -> Result<Option<T>> {
    if size <= least {
        return Ok(None);
    }
    match read(least) {
        Ok(read) => {
            at_most(least);
            Ok(Some(read))
        }
        Err(error) if error.is_too_much() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::clock::ManualClock;
    use crate::error::{Error, ErrorKind};

    /// A store whose facts the next process finds.
    struct Store {
        facts: Arc<Mutex<Value>>,
        clock: Arc<ManualClock>,
    }

    impl Store {
        fn new() -> Self {
            Self { facts: Arc::default(), clock: Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)) }
        }

        fn open(&self) -> Arc<PageSizes> {
            let facts = self.facts.clone();
            let learn: Learn = Box::new(move |name, value| *facts.lock().unwrap() = json!({ name: value }));
            PageSizes::new(&self.facts.lock().unwrap(), learn, self.clock.clone())
        }
    }

    #[test]
    fn what_was_too_much_is_kept_and_tried_again_from_day_to_day() {
        let store = Store::new();
        let sizes = store.open();
        let (page, other) = (sizes.of("page", 100, 100), sizes.of("other", 250, 250));
        assert_eq!((page.get(), other.get()), (100, 250));
        page.at_most(100);
        assert_eq!(*store.facts.lock().unwrap(), Value::Null, "nothing new, nothing kept");
        assert!(page.halve(50) && page.halve(25) && !page.halve(1));
        page.at_most(40);
        assert_eq!((page.get(), other.get()), (1, 250), "what is smaller already stays");
        let days = |days: i64| {
            store.clock.advance(TimeDelta::days(days));
            store.open().of("page", 100, 100).get()
        };
        assert_eq!([0, 1, 2, 4].map(days), [1, 2, 8, 100]);
        store.clock.advance(TimeDelta::days(40_000));
        assert_eq!(store.open().of("page", u32::MAX, u32::MAX).get(), 1 << 31);
    }

    #[test]
    fn a_server_that_fails_at_the_least_size_too_teaches_no_size() {
        let down = || Error::new(ErrorKind::Temporary, "503").too_much();
        for (answer, kept) in [(Ok(7), Some(50)), (Err(down()), None), (Err(Error::new(ErrorKind::Failed, "")), None)] {
            let mut most = None;
            let read = of_least(250, 50, |size| most = Some(size), |size| answer.clone().map(|row| (row, size)));
            match answer {
                Ok(row) => assert_eq!(read.unwrap(), Some((row, 50))),
                Err(error) if error.is_too_much() => assert_eq!(read.unwrap(), None),
                Err(_) => assert_eq!(read.unwrap_err().kind(), ErrorKind::Failed),
            }
            assert_eq!(most, kept);
        }
        assert_eq!(of_least(50, 50, |_| (), |_| Ok(())).unwrap(), None, "nothing smaller");
    }

    #[test]
    fn a_size_that_was_not_the_reason_is_forgotten() {
        let store = Store::new();
        let page = store.open().of("page", 250, 250);
        page.at_most(7);
        page.reset();
        assert_eq!((page.get(), store.open().of("page", 250, 250).get()), (250, 250));
    }

    #[test]
    fn x7_what_is_no_size_is_not_used() {
        let store = Store::new();
        let at = |at: &str| json!({ "rows": 7, "at": at });
        for (kept, expected) in [
            (json!(7), 50),
            (json!({ "rows": -1, "at": "1970-01-01T00:00:00Z" }), 50),
            (json!({ "rows": 0, "at": "1970-01-01T00:00:00Z" }), 1),
            (json!({ "rows": 900, "at": "1970-01-01T00:00:00Z" }), 50),
            (at("1970-01-01T00:00:00Z"), 7),
            (at("+262142-01-01T00:00:00Z"), 7),
            (at("soon"), 50),
        ] {
            *store.facts.lock().unwrap() = json!({ "sizes": { "page": kept } });
            assert_eq!(store.open().of("page", 50, 50).get(), expected, "{kept}");
        }
    }

    #[test]
    fn what_fits_may_be_more_than_at_first_and_is_only_learned_from_the_newest_size() {
        let store = Store::new();
        let page = store.open().of("page", 50, 250);
        page.fit(50, 900);
        assert_eq!(page.get(), 250);
        page.fit(50, 10);
        assert_eq!(page.get(), 250);
        page.fit(250, 0);
        assert_eq!(page.get(), 1);
    }
}
