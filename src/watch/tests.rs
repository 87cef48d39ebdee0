//! Whole days of a watch against a simulated Etsy, by a clock that both go by.
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::sync::Mutex;

use super::*;
use crate::book::NewStore;
use crate::channel::{ChannelKind, Values};
use crate::clock::{Clock, ManualClock, from_millis};
use crate::home::Home;
use crate::http::RetryPolicy;
use crate::secret::Secret;
use crate::sim::etsy::{Options, Shop};
use crate::sim::{Server, ServerOptions, Simulated};

/// A clock that notes how much was asked by which time, and ends the work at one.
struct Counting {
    clock: Arc<ManualClock>,
    end: Mutex<Timestamp>,
    server: Arc<Server>,
    asked: Mutex<Vec<(Timestamp, usize)>>,
}

impl Clock for Counting {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep(&self, pause: Duration) -> Result<()> {
        // The tokens of each hour are not counted among the requests of a day.
        let asked = self.server.requests().iter().filter(|one| !one.target().ends_with("/oauth/token")).count();
        self.asked.lock().unwrap().push((self.now(), asked));
        self.clock.sleep(pause)?;
        self.check_interrupt()
    }

    fn check_interrupt(&self) -> Result<()> {
        match self.now() >= *self.end.lock().unwrap() {
            true => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
            false => Ok(()),
        }
    }
}

struct Day {
    context: Context,
    clock: Arc<Counting>,
    server: Arc<Server>,
    store: Store,
    _dir: tempfile::TempDir,
}

impl Day {
    /// A shop of an app that may ask so much in 24 hours.
    fn new(per_day: u32) -> Self {
        let manual = Arc::new(ManualClock::at(from_millis(1_795_000_000_000)));
        let shop = Shop::new(Options { per_day, ..Options::rehearsal() }, manual.clone());
        let shop = Arc::new(shop);
        let server = Arc::new(Server::start(shop.clone(), ServerOptions::default()).unwrap());
        let clock = Arc::new(Counting {
            end: Mutex::new(manual.now() + TimeDelta::days(9)),
            clock: manual,
            server: server.clone(),
            asked: Mutex::default(),
        });
        let dir = tempfile::tempdir().unwrap();
        let context = Context {
            home: Home::locate(Some(dir.path().into())).unwrap(),
            clock: clock.clone(),
            retry: RetryPolicy::brief(),
            lock_timeout: Duration::ZERO,
        };
        let access = shop.access(server.url());
        let values: Values =
            access.flags.chunks(2).map(|pair| (pair[0].trim_start_matches("--").to_owned(), pair[1].clone())).collect();
        let secret = |(name, value): &(&str, String)| {
            (name.trim_start_matches("ORDERSYNC_").to_lowercase(), Secret::new(value.as_str()))
        };
        context.credential_store().write("etsy", &access.secrets.iter().map(secret).collect()).unwrap();
        let new = |facts| NewStore {
            name: "etsy".into(),
            kind: ChannelKind::Etsy,
            remote_id: "22220000".into(),
            title: "Shop".into(),
            url: "https://shop.example.test".into(),
            currency: None,
            time_zone: String::new(),
            values: values.clone(),
            facts,
            since: None,
        };
        let facts = serde_json::json!({ "shop_id": "22220000" });
        let store = context.book().unwrap().add_store(&new(facts)).unwrap();
        Self { context, clock, server, store, _dir: dir }
    }

    /// Watches for so many hours; gives what was said of the pace.
    fn watch(&self, hours: i64) -> Vec<(u64, Why)> {
        *self.clock.end.lock().unwrap() = self.clock.now() + TimeDelta::hours(hours);
        let said = Arc::new(Mutex::new(Vec::new()));
        let all = said.clone();
        let tell: Tell = Arc::new(move |_: &Store, said: &Said<'_>| match said {
            Said::Pace { pace, .. } => all.lock().unwrap().push((pace.every.as_secs(), pace.why)),
            Said::Failed(error) => panic!("{error}"),
            _ => {}
        });
        let ended = watch(&self.context, &self.store, How::default(), &tell).unwrap_err();
        assert_eq!(ended.kind(), ErrorKind::Interrupted);
        *self.clock.end.lock().unwrap() = self.clock.now() + TimeDelta::days(9);
        std::mem::take(&mut *said.lock().unwrap())
    }

    /// The most that was asked in any 24 hours.
    fn most(&self) -> usize {
        let asked = self.clock.asked.lock().unwrap();
        let before = |at: Timestamp| {
            asked.iter().take_while(|(then, _)| *then <= at - TimeDelta::days(1)).last().map_or(0, |(_, n)| *n)
        };
        asked.iter().map(|(at, n)| n - before(*at)).max().unwrap_or(0)
    }

    fn asked(&self) -> usize {
        self.server.requests().len()
    }

    fn assert_never_too_much(&self) {
        assert!(self.server.requests().iter().all(|one| one.status == Some(200)), "a limit was met");
    }
}

#[test]
fn i6_of_a_day_s_quota_a_fifth_stays_and_a_restart_changes_nothing() {
    let day = Day::new(300);
    let said = day.watch(26);
    let of_all = Why::Day { permitted: 300, others: 0 };
    assert!(said.iter().any(|(every, why)| (600..1000).contains(every) && *why == of_all), "{said:?}");
    assert!(day.asked() > 200, "{}", day.asked());
    day.watch(10);
    assert!(day.most() <= 245, "{}", day.most());
    assert!(day.asked() > 300, "{}", day.asked());
    let runs = day.context.book().unwrap().runs(1000).unwrap();
    assert!((30..50).contains(&runs.len()), "the quiet rounds of an hour are one run: {}", runs.len());
    let requests: u64 = runs.iter().map(|run| run.requests).sum();
    // Tokens are asked for as well.
    assert!(requests as usize <= day.asked(), "{requests} of {}", day.asked());
    assert!(requests > 300, "{requests}");
    day.assert_never_too_much();
}

#[test]
fn i6_what_others_take_of_a_day_is_theirs() {
    let day = Day::new(300);
    let open = day.context.open(&day.store).unwrap();
    for _ in 0..150 {
        open.channel.order("7").unwrap();
    }
    let said = day.watch(20);
    assert!(
        said.iter().any(|(every, why)| (1500..4000).contains(every) && matches!(why, Why::Day { others: 140.., .. })),
        "{said:?}"
    );
    assert!(day.asked() > 190 && day.most() <= 245, "{} {}", day.asked(), day.most());
    let said = day.watch(10);
    assert!(said.iter().any(|(every, _)| *every < 1000), "what they took is permitted again: {said:?}");
    assert!(day.most() <= 245, "{}", day.most());
}
