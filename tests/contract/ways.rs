//! The ways on which an order comes into the book: each brings it once, as the channel has it.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ordersync::book::RunKind;
use ordersync::clock::{Clock, Timestamp};
use ordersync::error::{Error, ErrorKind, Result};
use ordersync::sim::{FaultKind, Purchase, another};
use ordersync::sync::{Context, Job, Silent, run};
use serde_json::{Value, json};

use super::desk::{Desk, clock, each, each_kind};
use super::setups::peculiar;
use super::support::program::until;

#[test]
fn i3_one_order_seen_by_every_way_is_one_row() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let before = desk.orders();
        desk.on("pull", &id, "").exits(0).prints("unchanged");
        for words in ["sync --since 2d", "sync --full", "sync"] {
            desk.home.run(words).exits(0);
            assert_eq!(desk.orders(), before, "{}: {words}", desk.kind);
        }
        let later = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        assert_eq!(desk.home.json(&format!("pull {}:{later}", desk.kind))["result"], "new");
        desk.sync();
        assert_eq!(desk.orders(), before + 1, "{}", desk.kind);
        desk.on("pull", "99999999", "").exits(7).says("has no order 99999999");
        desk.home.run("pull 99999999").exits(7).says("STORE:ID");
    });
}

#[test]
fn a_range_is_read_again_without_touching_the_position() {
    each(|desk| {
        let (changed, same) = (desk.paid(&[("TEE-001", 1)]), desk.paid(&[("MUG-9", 1)]));
        let position = || desk.home.sql("SELECT walk || position FROM cursors ORDER BY walk");
        let before = position();
        assert!(desk.store.readdress(&changed, "77 Somewhere Else"));
        let one = desk.home.json("sync --since 1d")["stores"][0].clone();
        assert!(one["changed"] == 1 && one["unchanged"].as_u64().unwrap() >= 1, "{}: {one}", desk.kind);
        assert_eq!(position(), before, "{}", desk.kind);
        assert_eq!(desk.show(&changed)["changed_at_channel"], true, "{}", desk.kind);
        assert_eq!(desk.show(&same)["changed_at_channel"], false, "{}", desk.kind);
    });
}

#[test]
fn orders_from_before_the_reach_come_only_when_asked_for() {
    each_kind(|kind| {
        let store = another(kind, clock());
        store.seed(1, Utc::now() - TimeDelta::days(95), Utc::now() - TimeDelta::days(90));
        store.place(&Purchase::of(&[("TEE-001", 1)]));
        let count = |since: &str| {
            let desk = Desk::beside(store.clone());
            desk.connect(since).exits(0);
            desk.sync();
            desk.orders()
        };
        assert_eq!((count(""), count("--since 100d"), count("--since all")), (1, 2, 2), "{kind}");
    });
}

/// Also what the program has no member for can be looked up.
#[test]
fn p1_the_channels_own_document_is_kept_as_it_came() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 3), ("MUG-9", 1)]);
        let kept = desk.home.json(&format!("show {}:{id} --raw", desk.kind));
        let now = desk.opened().1.channel.order(&id).unwrap().unwrap();
        assert_eq!(kept, serde_json::from_str::<Value>(now.document.get()).unwrap(), "{}", desk.kind);
    });
}

#[test]
fn p6_an_order_first_seen_cancelled_or_shipped_is_imported_as_that() {
    each(|desk| {
        let cancelled = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        let shipped = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        assert!(desk.store.cancel(&cancelled) && desk.store.ship_elsewhere(&shipped, "DHL", "JD01"));
        desk.sync();
        assert_eq!(desk.show(&cancelled)["status"], "cancelled", "{}", desk.kind);
        assert_eq!(desk.show(&shipped)["status"], "shipped", "{}", desk.kind);
        assert_eq!(desk.home.json("inbox"), json!([]), "{}: nothing of it is news", desk.kind);
    });
}

#[test]
fn an_order_that_is_erased_at_the_channel_stays_in_the_book() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        assert!(desk.store.erase(&id));
        desk.sync();
        assert_eq!(desk.show(&id)["status"], "awaiting-fulfillment", "{}", desk.kind);
        desk.on("pull", &id, "").exits(7);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(7).says("any more");
        assert_eq!(desk.writes(), 0, "{}", desk.kind);
    });
}

#[test]
fn f2_two_processes_at_once_bring_every_order_once() {
    each_kind(|kind| {
        let desk = Desk::empty(kind);
        desk.store.seed(80, Utc::now() - TimeDelta::days(9), Utc::now() - TimeDelta::days(1));
        desk.connect("--set page_size=10").exits(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| desk.home.run("sync").exits(0).silent());
            }
        });
        desk.assert_converged("three at once");
        assert_eq!(desk.home.sql("SELECT sum(new) FROM run_stores"), [desk.orders().to_string()], "{kind}");
    });
}

#[test]
fn f2_orders_are_dispatched_while_a_first_sync_is_reading() {
    each_kind(|kind| {
        let desk = Desk::empty(kind);
        let id = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.store.seed(150, Utc::now() - TimeDelta::days(9), Utc::now() - TimeDelta::days(1));
        desk.connect("--set page_size=10 --set in_flight=2").exits(0);
        desk.on("pull", &id, "").exits(0);
        // So slow that it is at work for as long as the test has it wait, on whatever machine.
        desk.server.faults().add(desk.list_fault(FaultKind::Slow(Duration::from_secs(1))).always());
        let mut sync = desk.home.spawn("sync", &[]);
        until("the first page", || desk.orders() > 1);
        desk.on("dispatch", &id, "--carrier dhl --tracking JD01").exits(0);
        assert!(sync.try_wait().unwrap().is_none(), "{kind}: the sync was at its end");
        desk.server.faults().clear();
        assert!(sync.wait().unwrap().success(), "{kind}");
        assert_eq!(desk.tracking_numbers(&id), ["JD01"], "{kind}");
        desk.assert_converged("both");
    });
}

/// As README says it is done.
#[test]
fn a_book_restored_from_a_copy_reads_on_and_tells_nobody_twice() {
    each(|desk| {
        let id = desk.paid(&[("TEE-001", 1)]);
        let copy = desk.home.beside("copy.sqlite");
        desk.home.run(&format!("backup {}", copy.display())).exits(0);
        desk.on("dispatch", &id, "--carrier ups --tracking 1Z999AA10123456784").exits(0);
        let later = desk.store.place(&Purchase::of(&[("TEE-001", 1)]));
        desk.sync();
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", desk.home.book().display()));
        }
        std::fs::rename(&copy, desk.home.book()).unwrap();
        let writes = desk.writes();
        desk.sync();
        desk.assert_converged("restored");
        assert_eq!(desk.show(&later)["status"], "awaiting-fulfillment", "{}", desk.kind);
        assert_eq!(desk.show(&id)["changed_at_channel"], true, "{}", desk.kind);
        desk.on("accept", &id, "").exits(0);
        assert_eq!(desk.show(&id)["status"], "shipped", "{}", desk.kind);
        desk.on("dispatch", &id, "--carrier ups --tracking 1Z999AA10123456784").done();
        assert_eq!(desk.writes(), writes, "{}", desk.kind);
    });
}

/// A clock that says after so many looks at it that the time is over.
struct Impatient {
    clock: Arc<dyn Clock>,
    left: AtomicU32,
}

impl Clock for Impatient {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep(&self, pause: Duration) -> Result<()> {
        self.clock.sleep(pause)
    }

    fn check_interrupt(&self) -> Result<()> {
        let left = self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| Error::new(ErrorKind::Interrupted, "stopped after a while"))
    }
}

/// The timer's turns are short where a shop is slow: what one has read is not read again.
#[test]
fn f1_a_sync_by_the_timer_has_an_end_and_the_next_one_goes_on() {
    each_kind(|kind| {
        let desk = Desk::empty(kind);
        desk.store.seed(160, Utc::now() - TimeDelta::days(20), Utc::now() - TimeDelta::days(1));
        desk.connect("--set page_size=20").exits(0);
        let job = Job { kind: RunKind::Autosync, range: None, full: false, dry_run: false };
        let (mut turns, mut read) = (0, 0);
        while desk.home.json("status")["stores"][0]["last_sync_at"].is_null() {
            turns += 1;
            // The first is too short for anything; longer ones get on.
            let clock = Arc::new(Impatient { clock: clock(), left: AtomicU32::new(turns) });
            let context = Context { clock, ..desk.context() };
            let stores = context.book().unwrap().stores().unwrap();
            let report = run(&context, &stores, &job, &Silent).unwrap();
            let error = report.stores[0].error.as_ref().map(Error::kind);
            assert!(matches!(error, None | Some(ErrorKind::Interrupted)), "{kind}: {:?}", report.stores[0].error);
            read += report.stores[0].tally.fetched();
            assert!(turns < if peculiar(kind).asks_apart { 120 } else { 40 }, "{kind}: it does not get on");
        }
        assert!(turns > 1, "{kind}: one turn did it all");
        assert!(read < 2 * 160, "{kind}: {read} orders were read of 160, in {turns} turns");
        desk.assert_converged("in turns");
        desk.home.run("runs --limit 100").exits(0).prints("stopped after");
    });
}
