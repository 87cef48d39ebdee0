//! Keys of a channel that its deliveries name: fetched when one is named, and kept.
//!
//! Whoever can send to a store's path can name any key. So one is fetched at a time, no more than a
//! few within minutes, and what is known of a name is kept, also that there is no such key.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::secret::Secret;

/// How many names are known at once.
const MOST: usize = 32;

/// How long a key is good, and how long it is where it cannot be had anew.
const FRESH: Duration = Duration::from_secs(3600);
const STALE: Duration = Duration::from_secs(24 * 3600);

/// How long a name is known to be none.
const NONE: Duration = Duration::from_secs(600);

/// How many keys are fetched within which time.
const FETCHES: usize = 5;
const WITHIN: Duration = Duration::from_secs(300);

/// What is known of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// It is this one.
    Is(Secret),
    /// The channel has no such key.
    None,
    /// It cannot be had now.
    NotNow,
}

/// The keys of a channel.
#[derive(Default)]
pub(super) struct Fetched {
    state: Mutex<State>,
    come: Condvar,
}

#[derive(Default)]
struct State {
    known: BTreeMap<String, (Option<Secret>, Instant)>,
    under_way: Option<String>,
    begun: VecDeque<Instant>,
}

impl State {
    /// What needs no fetching; of a key that is to be had anew, what it was where `is_last`.
    fn answer(&self, id: &str, is_last: bool) -> Option<Key> {
        match self.known.get(id) {
            Some((Some(key), at)) if at.elapsed() < if is_last { STALE } else { FRESH } => Some(Key::Is(key.clone())),
            Some((None, at)) if at.elapsed() < NONE => Some(Key::None),
            _ if is_last => Some(Key::NotNow),
            _ => None,
        }
    }

    fn may_begin(&mut self) -> bool {
        self.begun.retain(|at| at.elapsed() < WITHIN);
        let may = self.begun.len() < FETCHES;
        if may {
            self.begun.push_back(Instant::now());
        }
        may
    }

    /// Keys that there are stay longer than names that are none.
    fn keep(&mut self, id: String, key: Option<Secret>) {
        while self.known.len() >= MOST && !self.known.contains_key(&id) {
            let oldest = self.known.iter().min_by_key(|(_, (key, at))| (key.is_some(), *at)).map(|(id, _)| id.clone());
            oldest.map(|id| self.known.remove(&id));
        }
        self.known.insert(id, (key, Instant::now()));
    }
}

impl Fetched {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of this name. `fetch` asks the channel; it goes on where that takes longer than
    /// `patience`, and the next one who asks has what came of it.
    pub(super) fn key(
        self: &Arc<Self>,
        id: &str,
        patience: Duration,
        fetch: impl FnOnce() -> Result<Option<Secret>> + Send + 'static,
    ) -> Key {
        let (begun, mut fetch, mut is_asked) = (Instant::now(), Some(fetch), false);
        let mut state = self.lock();
        loop {
            let left = patience.saturating_sub(begun.elapsed());
            let is_free = state.under_way.is_none();
            if let Some(key) = state.answer(id, left.is_zero() || is_free && is_asked) {
                return key;
            }
            if is_free {
                let Some(fetch) = fetch.take().filter(|_| state.may_begin()) else {
                    return state.answer(id, true).unwrap_or(Key::NotNow);
                };
                state.under_way = Some(id.to_owned());
                if !self.begin(id.to_owned(), fetch) {
                    state.under_way = None;
                    return state.answer(id, true).unwrap_or(Key::NotNow);
                }
            }
            is_asked = state.under_way.as_deref() == Some(id);
            (state, _) = self.come.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn begin(self: &Arc<Self>, id: String, fetch: impl FnOnce() -> Result<Option<Secret>> + Send + 'static) -> bool {
        let own = self.clone();
        let work = move || {
            let found = fetch();
            let mut state = own.lock();
            state.under_way = None;
            if let Ok(key) = found {
                state.keep(id, key);
            }
            own.come.notify_all();
        };
        std::thread::Builder::new().name("key".to_owned()).spawn(work).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::error::{Error, ErrorKind};

    const PATIENCE: Duration = Duration::from_secs(5);

    #[test]
    fn w2_a_key_is_fetched_once_for_all_who_wait_and_names_that_are_none_cost_little() {
        let (keys, asked) = (Arc::new(Fetched::default()), Arc::new(AtomicU32::new(0)));
        let ask = |id: &str| {
            let (asked, id) = (asked.clone(), id.to_owned());
            move || {
                asked.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(50));
                Ok(Some(Secret::new("key")).filter(|_| id == "good"))
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| assert_eq!(keys.key("good", PATIENCE, ask("good")), Key::Is(Secret::new("key"))));
            }
        });
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let mut told = BTreeMap::new();
        for nth in 0..200 {
            let key = keys.key(&format!("bad-{}", nth % 50), PATIENCE, ask("bad"));
            *told.entry(format!("{key:?}")).or_insert(0) += 1;
        }
        assert_eq!(asked.load(Ordering::SeqCst), 5, "no more within minutes");
        assert_eq!(told, BTreeMap::from([("None".to_owned(), 16), ("NotNow".to_owned(), 184)]));
        assert_eq!(keys.key("good", PATIENCE, ask("good")), Key::Is(Secret::new("key")), "it is known all the while");
    }

    #[test]
    fn w2_nobody_waits_longer_than_he_can_and_the_next_has_what_came() {
        let keys = Arc::new(Fetched::default());
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let slow = move || {
            let _ = gone.recv();
            Ok(Some(Secret::new("key")))
        };
        assert_eq!(keys.key("a", Duration::from_millis(20), slow), Key::NotNow);
        go.send(()).unwrap();
        let never = || -> Result<Option<Secret>> { panic!("it is under way") };
        assert_eq!(keys.key("a", PATIENCE, never), Key::Is(Secret::new("key")));
        let failed = || Err(Error::new(ErrorKind::Temporary, "the channel is down"));
        assert_eq!(keys.key("b", PATIENCE, failed), Key::NotNow);
        // Many names do not push out a key.
        let mut state = keys.lock();
        (0..100).for_each(|nth| state.keep(format!("none-{nth}"), None));
        assert!(state.known.len() == MOST && state.answer("a", false).is_some());
    }
}
