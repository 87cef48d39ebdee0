//! A home as version 0.1.0 left it, in the middle of everything, goes on without loss; and a home
//! that one of that version's faults has damaged heals by itself or is named by `doctor` with the
//! command that heals it.
//!
//! `fixtures/book-1.sql.zst` is the dump of a book that version 0.1.0 made with three simulated
//! stores: Shopify's first sync killed after its first page, the hourly look aside of the two
//! others killed in its middle, settings, an order that could not be read, and for each store
//! twelve orders of its own ([`Old::placed`]) whose dispatches stand in every state of the outbox.

#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test; a failure here is a failed test")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use ordersync::channel::ChannelKind;
use ordersync::clock::{Clock, SystemClock, Timestamp, from_millis};
use ordersync::error::Error;
use ordersync::sim::{Purchase, Server, ServerOptions, Simulated, rehearsal};
use serde_json::Value;
use support::program::Home;

const BOOK: &[u8] = include_bytes!("fixtures/book-1.sql.zst");

/// The stores of the fixture, and the ports that they had.
const STORES: [(ChannelKind, u16); 3] =
    [(ChannelKind::BigCommerce, 47102), (ChannelKind::Shopify, 47103), (ChannelKind::WooCommerce, 47101)];

/// When the stores of the fixture were opened.
const MADE: i64 = 1_795_904_439_932;

/// A clock that shows the time of the fixture until it is let go.
struct Then {
    clock: SystemClock,
    back: AtomicI64,
}

impl Then {
    fn new() -> Self {
        let clock = SystemClock::new(Arc::new(AtomicBool::new(false)));
        // The orders were last changed a little later, one after the other: none may be older here
        // than the book knows it.
        let back = AtomicI64::new(clock.now().timestamp_millis() - MADE - 5_000);
        Self { clock, back }
    }

    fn let_go(&self) {
        self.back.store(0, Ordering::SeqCst);
    }
}

impl Clock for Then {
    fn now(&self) -> Timestamp {
        self.clock.now() - TimeDelta::milliseconds(self.back.load(Ordering::SeqCst))
    }

    fn sleep(&self, pause: Duration) -> Result<(), Error> {
        self.clock.sleep(pause)
    }

    fn check_interrupt(&self) -> Result<(), Error> {
        self.clock.check_interrupt()
    }
}

/// A store of the fixture as it is again: the same orders under the same ids.
struct Old {
    kind: ChannelKind,
    store: Arc<dyn Simulated>,
    server: Server,
    /// What became of them: 0 dispatched and confirmed, 1 queued, 2 killed before the write, 3
    /// killed after it, 4 sent, 5 a part queued, 6 refused (cancelled at the shop), 7 taken back, 8
    /// cancelled here only, 9 answer lost, 10 could not be read, 11 put away.
    placed: Vec<String>,
}

impl Old {
    fn open(kind: ChannelKind) -> Self {
        let clock = Arc::new(Then::new());
        let store = rehearsal(kind, clock.clone(), Duration::ZERO);
        let made = from_millis(MADE);
        store.seed(if kind == ChannelKind::Shopify { 60 } else { 0 }, made - TimeDelta::days(29), made);
        let lines = Purchase::of(&[("TEE-001", 2), ("MUG-9", 1)]);
        let placed: Vec<String> = (0..12).map(|_| store.place(&lines)).collect();
        assert!(store.cancel(&placed[6]) && store.put_away(&placed[11]));
        for (nth, carrier) in [(0, "DHL"), (3, "UPS"), (4, "UPS")] {
            assert!(store.ship_elsewhere(&placed[nth], carrier, &number(nth)));
        }
        clock.let_go();
        let server = Server::start(store.clone(), ServerOptions::default()).unwrap();
        Self { kind, store, server, placed }
    }

    fn name(&self, nth: usize) -> String {
        format!("{}:{}", self.kind, self.placed[nth])
    }

    fn numbers(&self, nth: usize) -> Vec<String> {
        self.store.standing(&self.placed[nth]).unwrap().parcels.into_iter().map(|(_, number)| number).collect()
    }
}

/// The tracking number of an order's dispatch.
fn number(nth: usize) -> String {
    format!("FX{nth:02}")
}

/// Credentials as the old version kept them.
const KEYS: [(&str, &str); 3] = [
    (
        "bigcommerce",
        r#"{"access_token": "decade000000000000000000000000000token1",
            "client_secret": "decade00000000000000000000000000000000000000000000000000000secret"}"#,
    ),
    ("shopify", r#"{"client_id": "rehearsal-client-id", "client_secret": "rehearsal-client-secret"}"#),
    (
        "woocommerce",
        r#"{"consumer_key": "ck_decade0000000000000000000000000000000001",
            "consumer_secret": "cs_decade0000000000000000000000000000000001"}"#,
    ),
];

/// The home of the fixture, with the addresses of `stores`.
fn home(stores: &[Old]) -> Home {
    let home = Home::new();
    let keys = home.path().join("credentials");
    std::fs::create_dir_all(&keys).unwrap();
    for (name, text) in KEYS {
        std::fs::write(keys.join(format!("{name}.json")), text).unwrap();
    }
    let book = rusqlite::Connection::open(home.book()).unwrap();
    // A dump is in no order that references could be held to.
    book.pragma_update(None, "foreign_keys", false).unwrap();
    book.execute_batch(std::str::from_utf8(&zstd::decode_all(BOOK).unwrap()).unwrap()).unwrap();
    private(&home);
    for store in stores {
        let port = STORES.into_iter().find(|(kind, _)| *kind == store.kind).unwrap().1;
        let (was, is) = (format!("127.0.0.1:{port}"), store.server.url().trim_start_matches("http://"));
        for column in ["settings", "url", "facts", "remote_id"] {
            let sql = format!("UPDATE stores SET {column} = replace({column}, ?, ?) WHERE name = ?");
            book.execute(&sql, [was.as_str(), is, store.kind.word()]).unwrap();
        }
    }
    home
}

/// For the owner alone, as the program makes them.
fn private(home: &Home) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let set = |path: std::path::PathBuf, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(home.path(), 0o700);
        set(home.path().join("credentials"), 0o700);
        set(home.book(), 0o600);
        KEYS.iter().for_each(|(name, _)| set(home.path().join(format!("credentials/{name}.json")), 0o600));
    }
}

fn all() -> Vec<Old> {
    STORES.into_iter().map(|(kind, _)| Old::open(kind)).collect()
}

fn names(home: &Home) -> BTreeSet<String> {
    let sql = "SELECT s.name || ':' || o.remote_id FROM orders o JOIN stores s ON s.id = o.store_id";
    let found = home.sql(sql);
    let distinct: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(found.len(), distinct.len(), "an order stands in the book twice");
    distinct
}

/// Syncs until nothing waits any more.
fn settle(home: &Home) {
    for _ in 0..4 {
        home.run("sync").done();
        home.sql("UPDATE outbox SET next_at = 0 WHERE state NOT IN ('confirmed', 'failed', 'withdrawn')");
    }
}

#[test]
fn a_home_of_the_version_before_goes_on_without_loss() {
    let stores = all();
    let home = home(&stores);
    let before = {
        let book = rusqlite::Connection::open(home.book()).unwrap();
        let mut rows = book.prepare("SELECT id || ' ' || store_id || ' ' || remote_id FROM orders").unwrap();
        rows.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect::<BTreeSet<_>>()
    };
    settle(&home);
    assert_eq!(home.sql("PRAGMA integrity_check"), ["ok"]);
    let kept: BTreeSet<String> =
        home.sql("SELECT id || ' ' || store_id || ' ' || remote_id FROM orders").into_iter().collect();
    assert!(before.is_subset(&kept), "an order was lost or has another number");
    let fresh = fresh(&stores);
    let (old, new) = (names(&home), names(&fresh));
    assert_eq!(new.difference(&old).collect::<Vec<_>>(), Vec::<&String>::new(), "never came");
    assert_eq!(home.run("config get woocommerce.interval").exits(0).stdout.trim(), "60");
    assert_eq!(home.run("config get bigcommerce.marker").exits(0).stdout.trim(), "no");
    let unread = home.sql("SELECT subject FROM inbox WHERE kind = 'unreadable' AND resolved_at IS NULL");
    assert_eq!(unread, [""; 0], "the shop gives it as it should be now");
    let limited = home.sql("SELECT channel FROM lanes JOIN stores ON stores.id = store_id ORDER BY channel");
    assert_eq!(limited, ["bigcommerce", "shopify"], "the next run knows what is left of their limits");
    for store in &stores {
        let numbers: Vec<Vec<String>> = (0..12).map(|nth| store.numbers(nth)).collect();
        let told = format!("{}: {numbers:?}", store.kind);
        for nth in [0, 1, 2, 3, 4, 5, 9] {
            assert_eq!(numbers[nth], [number(nth)], "{told}");
        }
        for nth in [6, 7, 8, 10, 11] {
            assert!(numbers[nth].is_empty(), "{told}");
        }
    }
    let open = home.json("outbox");
    let states: Vec<&Value> = open.as_array().unwrap().iter().map(|row| &row["state"]).collect();
    assert_eq!(states, ["failed", "failed", "failed"], "{open}");
    let who = home.sql("SELECT DISTINCT who FROM v_history ORDER BY who");
    assert!(who.contains(&"unknown".to_owned()) && who.contains(&"channel".to_owned()), "{who:?}");
}

/// The same stores, connected anew.
fn fresh(stores: &[Old]) -> Home {
    let home = stores.iter().fold(Home::new(), |home, store| {
        store.store.access(store.server.url()).secrets.iter().fold(home, |home, (name, value)| home.env(name, value))
    });
    for store in stores {
        let access = store.store.access(store.server.url());
        home.run(&format!("connect {} {} --since all", store.kind, access.flags.join(" "))).exits(0);
    }
    home.run("sync").exits(0);
    home
}

#[test]
fn the_new_version_works_on_with_the_old_ones_orders() {
    let stores = all();
    let home = home(&stores);
    settle(&home);
    for store in &stores {
        let order = store.name(10);
        home.run(&format!("dispatch {order} --carrier dhl --tracking NEW10")).exits(0);
        assert_eq!(store.numbers(10), ["NEW10"], "{}", store.kind);
        // What the old version took back is to be shipped as ever.
        home.run(&format!("dispatch {} --carrier dhl --tracking NEW07", store.name(7))).exits(0);
        assert_eq!(store.numbers(7), ["NEW07"], "{}", store.kind);
        let new = store.store.place(&Purchase::of(&[("TEE-001", 1)]));
        home.run("sync").done();
        assert_eq!(home.json(&format!("show {}:{new}", store.kind))["status"], "awaiting-fulfillment");
    }
    // A fulfilment is known by its number, also where the old version had kept more.
    let known = home.sql(
        "SELECT r.value FROM outbox x JOIN stores s ON s.id = x.store_id AND s.channel = 'shopify', json_each(x.receipts) r
         WHERE x.kind = 'dispatch'",
    );
    assert!(known.len() > 2 && known.iter().all(|id| id.bytes().all(|b| b.is_ascii_digit())), "{known:?}");
}

/// The documents of the old version do not tell what was in a fulfilment.
#[test]
fn p10_a_piece_of_an_old_order_that_was_sent_and_comes_back_takes_nothing_from_what_is_left() {
    let stores = all();
    let home = home(&stores);
    settle(&home);
    for store in &stores {
        let (id, order) = (&store.placed[5], store.name(5));
        let show = || home.json(&format!("show {order}"));
        let line = || show()["lines"][0].clone();
        let (sent, left) = (line()["shipped"].clone(), line()["left"].clone());
        assert_eq!((sent.as_str(), left.as_str()), (Some("1"), Some("1")), "{}: {}", store.kind, show());
        store.store.set_clock(2);
        assert!(store.store.return_pieces(id, 0, 1), "{}", store.kind);
        home.run("sync").done();
        home.run(&format!("accept {order}")).exits(0);
        if line()["unclear"] == "1" {
            home.run(&format!("refund {order} --returned TEE-001=1")).exits(0);
        }
        assert_eq!((&line()["left"], &line()["returned"]), (&Value::from("1"), &Value::from("1")), "{}", store.kind);
    }
}

#[test]
fn what_the_old_version_shipped_only_here_is_named_and_taken_back() {
    let stores = all();
    let home = home(&stores);
    let named = home.run("doctor --offline").exits(3).prints("shipped here, but the dispatch was refused");
    assert!(named.stdout.contains("ordersync outbox --withdraw 7"), "{named:?}");
    for row in home.sql("SELECT id FROM outbox WHERE state = 'failed'") {
        home.run(&format!("outbox --withdraw {row}")).exits(0);
    }
    home.run("doctor --offline").exits(0);
    for store in &stores {
        assert_ne!(home.json(&format!("show {}", store.name(6)))["status"], "shipped", "{}", store.kind);
    }
}

/// Where a store of the version before may stand, two hours ago: as its adapter wrote it down.
fn old_positions(kind: ChannelKind, then: i64) -> Vec<String> {
    match kind.word() {
        "woocommerce" => {
            let rest = format!(r#"{{"high":{then},"aside":{then},"aside_from":{then},"thorough":{then},"run":7}}"#);
            let walk = |by: &str| {
                format!(
                    r#"{{"by":"{by}","from":{then},"until":null,"modified_since":null,"taken":[],"taken_at":{then},"taken_by":7}}"#
                )
            };
            let old_walk = format!(
                r#"{{"by":"modified","from":{then},"until":null,"modified_since":null,"taken":[3],"crowd":[2,5]}}"#
            );
            vec![
                format!(r#"{{"rest":{rest}}}"#),
                format!(r#"{{"changes":[{rest},{}]}}"#, walk("modified")),
                format!(r#"{{"changes":[{rest},{old_walk}]}}"#),
                format!(r#"{{"bin":[{rest},{}]}}"#, walk("modified")),
                format!(r#"{{"refunds":[{rest},{then},2]}}"#),
                format!(r#"{{"given-back":[{rest},{}]}}"#, walk("created")),
            ]
        }
        "bigcommerce" => {
            let rest = format!(r#"{{"high":{then},"aside":{then},"inclusive":true,"run":7}}"#);
            let walk = format!(r#"{{"from":{then},"until":null,"inclusive":true,"crowd":null,"read_at":{then}}}"#);
            let slice = format!(r#"{{"after":0,"until":null,"modified_since":{then},"vain":1}}"#);
            vec![
                format!(r#"{{"rest":{rest}}}"#),
                format!(r#"{{"changes":[{rest},{walk}]}}"#),
                format!(r#"{{"archived":[{rest},{walk}]}}"#),
                format!(r#"{{"by-id":[{rest},{slice},"archived"]}}"#),
                format!(r#"{{"by-id":[{rest},{slice},{{"changes":{then}}}]}}"#),
            ]
        }
        _ => vec![
            format!(r#"{{"start":{{"since":{then},"until":null}}}}"#),
            format!(
                r#"{{"changes":{{"span":{{"since":{then},"until":null}},"after":null,"high":{then},"began":{then}}}}}"#
            ),
        ],
    }
}

#[test]
fn wherever_a_walk_of_the_version_before_stands_it_goes_on_without_loss() {
    let stores = all();
    let home = home(&stores);
    settle(&home);
    let then = SystemClock::new(Arc::new(AtomicBool::new(false))).now().timestamp() - 7_200;
    let place = |store: &Old| store.store.place(&Purchase::of(&[("TEE-001", 1)]));
    for store in &stores {
        for position in old_positions(store.kind, then) {
            let told = format!("{}: {position}", store.kind);
            let away = place(store);
            home.run("sync").done();
            let row = format!("store_id = (SELECT id FROM stores WHERE name = '{}')", store.kind);
            home.sql(&format!("DELETE FROM cursors WHERE {row} AND walk <> 'changes' RETURNING 1"));
            home.sql(&format!("UPDATE cursors SET position = '{position}' WHERE {row} RETURNING 1"));
            assert!(store.store.put_away(&away));
            let new = place(store);
            home.run("sync").done();
            assert_eq!(home.json(&format!("show {}:{new}", store.kind))["status"], "awaiting-fulfillment", "{told}");
            assert_eq!(home.json(&format!("show {}:{away}", store.kind))["changed_at_channel"], true, "{told}");
        }
    }
}

/// Slices of a first sync that was broken off, as the version before wrote them down: of one of
/// them something is read already.
#[test]
fn a_first_sync_that_the_version_before_began_is_brought_to_its_end() {
    let stores = all();
    let home = home(&stores);
    settle(&home);
    let slices = [
        (
            "woocommerce",
            r#"{"slice":{"by":"created","from":null,"until":null,"modified_since":null,"taken":[],"taken_at":0,"taken_by":0}}"#,
        ),
        ("bigcommerce", r#"{"slice":{"after":0,"until":null,"modified_since":null}}"#),
        ("shopify", r#"{"slice":{"from":0,"to":null,"since":null,"after":null}}"#),
    ];
    let before = names(&home);
    for (store, position) in slices {
        let row = format!("(SELECT id FROM stores WHERE name = '{store}')");
        home.sql(&format!(
            "INSERT INTO cursors (store_id, walk, position, done) VALUES ({row}, 'first/0001', '{position}', 0) RETURNING 1"
        ));
    }
    // As if none of them had come.
    home.sql("UPDATE orders SET remote_id = 'gone-' || id RETURNING 1");
    home.run("sync").done();
    let after = names(&home);
    // Put away long ago: on no list but their own.
    let away: BTreeSet<String> = stores.iter().map(|store| store.name(11)).collect();
    assert!(before.difference(&after).all(|name| away.contains(name)), "{:?}", before.difference(&after));
    assert_eq!(home.sql("SELECT 1 FROM cursors WHERE walk LIKE 'first/%'"), [""; 0]);
}

/// The same position with every time in it a year on.
fn ahead(position: &str) -> String {
    let mut text = String::new();
    let mut digits = String::new();
    for sign in position.chars().chain(['\0']) {
        if sign.is_ascii_digit() {
            digits.push(sign);
            continue;
        }
        match digits.parse::<i64>() {
            Ok(at) if (1_700_000_000..2_000_000_000).contains(&at) => text.push_str(&(at + 31_536_000).to_string()),
            _ => text.push_str(&digits),
        }
        digits.clear();
        text.push(sign);
    }
    text.trim_end_matches('\0').to_owned()
}

#[test]
fn a_position_in_the_future_heals_by_itself() {
    let stores = all();
    let home = home(&stores);
    for resting in [false, true] {
        if resting {
            settle(&home);
        }
        for (store, position) in home
            .sql("SELECT store_id || '|' || position FROM cursors WHERE walk = 'changes'")
            .iter()
            .map(|row| row.split_once('|').unwrap())
        {
            home.sql(&format!(
                "UPDATE cursors SET position = '{}' WHERE store_id = {store} RETURNING 1",
                ahead(position)
            ));
        }
        let new: Vec<String> = stores
            .iter()
            .map(|store| {
                // Placed while the position lay ahead already: half an hour ago.
                store.store.set_clock(-30);
                let placed = store.store.place(&Purchase::of(&[("TEE-001", 1)]));
                store.store.set_clock(0);
                format!("{}:{placed}", store.kind)
            })
            .collect();
        settle(&home);
        let known = names(&home);
        let missing: Vec<&String> = new.iter().filter(|name| !known.contains(*name)).collect();
        assert_eq!(missing, Vec::<&String>::new(), "at rest: {resting}");
    }
}

#[test]
fn f7_sums_that_do_not_hold_are_named_and_mended() {
    let stores = all();
    let home = home(&stores);
    home.run("outbox").exits(0);
    home.sql("UPDATE outbox SET state = 'withdrawn', shipment_id = NULL WHERE state = 'failed' RETURNING id");
    home.run("doctor --offline").exits(0).prints("sums and pieces add up");
    let id =
        home.sql("SELECT id FROM orders WHERE store_id = 1 AND status = 'awaiting-fulfillment' ORDER BY id LIMIT 1");
    let id = &id[0];
    let broken = |sql: &str, says: &str| {
        home.sql(&format!("{sql} RETURNING 1"));
        let told = home.run("doctor --offline").exits(3).prints(says);
        assert!(told.stdout.contains(&format!(": {id}")), "{told:?}");
        home.run("orders --limit 0").exits(0);
        home.run(&format!("show book:{id}")).exits(0);
    };
    let absurd = "79228162514264337593543950335";
    broken(&format!("UPDATE orders SET total = '{absurd}', tax_total = '{absurd}' WHERE id = {id}"), "nobody can mean");
    home.run("doctor --offline --mend").exits(0);
    broken(&format!("DELETE FROM lines WHERE order_id = {id} AND position = 0"), "the parts are not the total");
    home.run("doctor --offline --mend").exits(0).says("1 order made anew");
    broken(
        &format!("UPDATE lines SET refunded = 99 WHERE order_id = {id} AND position = 0"),
        "more is sent or given back",
    );
}

/// The first half of a dispatch was taken, the second met a busy shop: the old version left it
/// queued, without a receipt.
#[test]
fn d2_half_of_a_dispatch_that_the_old_version_left_waiting_is_not_taken_back_as_if_nothing_was_sent() {
    let stores = all();
    let home = home(&stores);
    let waiting: Vec<i64> = {
        let book = rusqlite::Connection::open(home.book()).unwrap();
        let sql =
            "SELECT id FROM outbox WHERE kind = 'dispatch' AND state = 'queued' AND attempts = 0 ORDER BY id LIMIT 2";
        let rows: Vec<i64> =
            book.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for (attempts, row) in [2, 1].into_iter().zip(&rows) {
            let sql = "UPDATE outbox SET attempts = ?, attempted_at = ?, doing = 'set the status' WHERE id = ?";
            assert_eq!(book.execute(sql, [attempts, MADE, *row]).unwrap(), 1);
        }
        rows
    };
    private(&home);
    home.run(&format!("outbox --withdraw {}", waiting[0])).exits(6).says("may have reached the channel");
    home.run(&format!("outbox --withdraw {}", waiting[1])).exits(0);
}
