//! `kill -9` at random moments while the store sells (F-5): after each the book opens, is whole,
//! and the next run ends with the store's orders, each once, and with buyers who were told once.
//!
//! `ORDERSYNC_KILLS` sets how many kills there are of each kind of store (10; up to 1000 for a long
//! night), `ORDERSYNC_SEED` repeats a run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use ordersync::sim::Purchase;

use super::desk::{Desk, each_kind};

/// Numbers by chance, the same for the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn new(told: &str) -> Self {
        let seed = std::env::var("ORDERSYNC_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or_else(|| Utc::now().timestamp_micros().unsigned_abs() | 1);
        println!("{told}: ORDERSYNC_SEED={seed}");
        Self(seed)
    }

    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below.max(1)
    }
}

/// How many kills each of the two tests makes of a kind of store.
fn kills() -> u64 {
    std::env::var("ORDERSYNC_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10u64).min(1000)
}

/// Runs `words` and kills it after up to `within`; says whether it came to its own end before.
fn killed(desk: &Desk, words: &str, within: Duration, dice: &mut Dice) -> bool {
    let mut child = desk.home.spawn(words, &[]);
    let moment = Duration::from_micros(dice.roll(u64::try_from(within.as_micros()).unwrap()));
    // The moment itself is what is tried out here; nothing waits for luck.
    std::thread::sleep(moment);
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    ended
}

/// How long a command takes when it is let be.
fn duration(run: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    run();
    begun.elapsed()
}

/// A store that grew without end would make each round longer than the one before.
const MOST_ORDERS: u64 = 70;

/// Changes orders of the store until `work` is done: edits, saves without a change, new orders.
fn while_the_store_sells<T>(desk: &Desk, ids: &[String], dice: &mut Dice, work: impl FnOnce(&mut Dice) -> T) -> T {
    let stop = AtomicBool::new(false);
    let mut own = Dice(dice.roll(u64::MAX) | 1);
    std::thread::scope(|scope| {
        let (stop_here, store) = (&stop, desk.store.clone());
        scope.spawn(move || {
            while !stop_here.load(Ordering::Relaxed) {
                let index = own.roll(ids.len() as u64) as usize;
                store.readdress(&ids[index], &format!("{} Long Road", own.roll(1000)));
                ids.iter().skip(index).take(5).for_each(|id| _ = store.touch(id));
                if own.roll(8) == 0 && store.counters().orders < MOST_ORDERS {
                    store.place(&Purchase::of(&[("MUG-9", 1)]));
                }
                std::thread::sleep(Duration::from_millis(own.roll(6)));
            }
        });
        let value = work(dice);
        stop.store(true, Ordering::Relaxed);
        value
    })
}

/// An empty store with these orders, and a home whose cut-off writes are given a fifth of a second
/// to arrive: time enough on loopback.
fn selling(kind: ordersync::channel::ChannelKind, orders: u64) -> (Desk, Vec<String>) {
    let mut desk = Desk::empty(kind);
    desk.home = desk.home.env("ORDERSYNC_RETRY_MS", "9");
    desk.store.seed(orders, Utc::now() - TimeDelta::days(2), Utc::now() - TimeDelta::hours(1));
    desk.connect("--set page_size=10").exits(0);
    let ids = desk.store.ids().into_iter().filter(|id| desk.store.is_listed(id)).collect();
    (desk, ids)
}

#[test]
fn f5_syncs_killed_at_random_while_the_store_sells_end_in_the_same_book() {
    each_kind(|kind| {
        let mut dice = Dice::new(kind.word());
        let (desk, ids) = selling(kind, 40);
        let mut within = duration(|| _ = desk.home.run("sync --dry-run").exits(0));
        let mut ended = 0;
        for _ in 0..kills() {
            let full = if dice.roll(4) == 0 { " --full" } else { "" };
            ended += u64::from(while_the_store_sells(&desk, &ids, &mut dice, |dice| {
                killed(&desk, &format!("sync{full}"), within, dice)
            }));
            assert_eq!(desk.home.sql("PRAGMA integrity_check"), ["ok"], "{kind}");
            within = within.max(duration(|| _ = desk.home.run("sync").exits(0)));
        }
        desk.settle();
        desk.home.run("sync").exits(0);
        desk.assert_converged("at the end");
        assert!(kills() == 0 || ended < kills(), "{kind}: none was killed in the middle");
    });
}

#[test]
fn f5_dispatches_killed_at_random_while_the_store_sells_tell_each_buyer_once() {
    each_kind(|kind| {
        let mut dice = Dice::new(kind.word());
        let (desk, ids) = selling(kind, 20);
        let first = desk.paid(&[("TEE-001", 1)]);
        let dispatch = |id: &str| format!("dispatch {kind}:{id} --carrier dhl --tracking JD{id}");
        let within = duration(|| _ = desk.home.run(&dispatch(&first)).exits(0));
        let once = desk.store.standing(&first).unwrap().dispatch_mails;
        for round in 0..kills() {
            let id = desk.paid(&[("TEE-001", 1)]);
            while_the_store_sells(&desk, &ids, &mut dice, |dice| {
                killed(&desk, &dispatch(&id), within, dice);
                if dice.roll(3) == 0 {
                    killed(&desk, "sync", within, dice);
                }
            });
            assert_eq!(desk.home.sql("PRAGMA integrity_check"), ["ok"], "{kind}");
            if desk.show(&id)["status"] == "awaiting-fulfillment" {
                // It died before it was recorded: nothing may have gone out, and the merchant says
                // it again.
                assert_eq!(desk.store.standing(&id).unwrap().dispatch_mails, 0, "{kind}: round {round}");
                desk.home.run(&dispatch(&id)).exits(0);
            }
            desk.home.sql("UPDATE outbox SET next_at = 0");
            desk.home.run("sync").exits(0);
            assert_eq!(desk.tracking_numbers(&id), [format!("JD{id}").replace('-', "")], "{kind}: round {round}");
            assert_eq!(desk.store.standing(&id).unwrap().dispatch_mails, once, "{kind}: round {round}");
            assert_eq!(desk.show(&id)["status"], "shipped", "{kind}: round {round}");
        }
        desk.settle();
        desk.home.run("sync").exits(0);
        desk.assert_converged("at the end");
    });
}
