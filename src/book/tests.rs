//! What the book promises, on books in temporary directories.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;
use rusqlite::params;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::*;
use crate::channel::{Cancellation, ChannelKind, Cursor, Goal, RemoteOrder, TrackingChange, Unshown, Values};
use crate::clock::{ManualClock, from_millis};
use crate::error::{Error, ErrorKind};
use crate::order::{Fate, Field, LineQuantity, Order, Parcel, RemoteShipment, Shipment, Status, testing};

mod privacy;

struct Shelf {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Shelf {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: Arc::new(ManualClock::at(from_millis(1_795_100_000_000))) }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("orders.sqlite")
    }

    fn open(&self) -> Book {
        Book::open(&self.path(), self.clock.clone()).unwrap()
    }

    fn with_store(&self) -> (Book, i64) {
        let mut book = self.open();
        let id = book.add_store(&store("shop", "shop.example.test")).unwrap().id;
        (book, id)
    }
}

fn store(name: &str, remote_id: &str) -> NewStore {
    NewStore {
        name: name.into(),
        kind: ChannelKind::WooCommerce,
        remote_id: remote_id.into(),
        title: "Test Shop".into(),
        url: format!("https://{remote_id}"),
        currency: None,
        time_zone: "Europe/Berlin".into(),
        values: Values::new(),
        facts: serde_json::Value::Null,
        since: None,
    }
}

fn remote(order: &Order) -> RemoteOrder {
    RemoteOrder {
        remote_id: order.remote_id.clone(),
        document: RawValue::from_string(serde_json::to_string(order).unwrap()).unwrap(),
        order: Ok(Box::new(order.clone())),
    }
}

fn unreadable(id: &str) -> RemoteOrder {
    let document = RawValue::from_string("{\"id\":[]}".into()).unwrap();
    RemoteOrder { remote_id: id.into(), document, order: Err("no id".into()) }
}

fn arrived(orders: &[RemoteOrder]) -> Vec<Arrived> {
    orders.iter().cloned().map(Arrived::from).collect()
}

fn import(book: &mut Book, store: i64, orders: &[RemoteOrder], update: fn() -> Update) -> Result<Tally> {
    let run = book.start_run(RunKind::Sync, false)?;
    let cursor = Cursor::from_stored("\"here\"".into());
    let moves = [CursorMove { walk: "changes".into(), cursor, done: true }];
    let batch = Batch {
        store,
        run,
        orders: &arrived(orders),
        unshown: &[],
        unlisted: 0,
        reread: &[],
        moves: &moves,
        drafts: 0,
        dry_run: false,
        clock: None,
    };
    take_in(book, &batch, || Ok(update()))
}

fn take_in(book: &mut Book, batch: &Batch<'_>, decide: impl Fn() -> Result<Update>) -> Result<Tally> {
    let mut intake = book.intake(batch)?;
    for seen in batch.orders {
        let Some(known) = intake.offer(seen)? else { continue };
        intake.apply(&known, seen, decide()?)?;
    }
    intake.commit()
}

/// Takes over a version of the first order as a whole.
fn accept(book: &mut Book, event: Option<i64>, before: Option<&Order>, seen: &Order) -> Result<Accepted> {
    book.accept(&Acceptance { order: 1, event, before, seen, fields: &[], part: None, differences: &[], gives_up: &[] })
}

fn keep() -> Update {
    Update::Keep(Box::new(Kept { fates: vec![(Field::Notes, Fate::Drift)], ..Kept::default() }))
}

/// A page that was fetched before the word of a change may come into the book after it.
#[test]
fn i3_an_order_that_is_to_be_read_again_waits_until_it_was_read_by_its_id() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let run = book.start_run(RunKind::Sync, false).unwrap();
    let take = |book: &mut Book, orders: &[RemoteOrder], unshown: &[Unshown], reread: &[String]| {
        let batch = Batch {
            store,
            run,
            orders: &arrived(orders),
            unshown,
            unlisted: 0,
            reread,
            moves: &[],
            drafts: 0,
            dry_run: false,
            clock: None,
        };
        take_in(book, &batch, || Ok(keep())).unwrap();
    };
    let due = |book: &Book, why| book.due_rereads(store, why, 9).unwrap();
    let ids = ["7".to_owned(), "8".to_owned()];
    take(&mut book, &[], &[], &ids);
    take(&mut book, &[unreadable("7")], &[], &ids[..1]);
    assert_eq!(due(&book, Why::Asked), ids);
    let hidden = Unshown { remote_id: Some("8".into()), place: String::new(), why: "500".into(), unlisted: 0 };
    take(&mut book, &[], &[hidden], &[]);
    book.rereads_done(store, &ids, shelf.clock.now()).unwrap();
    assert_eq!(due(&book, Why::Asked), [""; 0]);
    take(&mut book, &[], &[], &ids[1..]);
    assert_eq!(due(&book, Why::Asked), [""; 0], "what cannot be shown is asked for each day as it is");
}

/// A doorbell that rings while the order is just being read is not taken for what was read.
#[test]
fn w2_a_ring_that_comes_while_the_order_is_read_stays_and_one_that_came_before_costs_nothing() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let ring = |id: &str, key: Option<&str>| Ring {
        store,
        orders: vec![id.into()],
        key: key.map(str::to_owned),
        forget: Vec::new(),
    };
    let moment = TimeDelta::seconds(1);
    let due = |book: &Book| book.due_rereads(store, Why::Asked, 9).unwrap();
    book.keep_deliveries(&[ring("7", Some("a")), ring("7", Some("b")), ring("8", None)], moment).unwrap();
    assert_eq!(due(&book), [""; 0], "what else happens within the moment is read with it");
    shelf.clock.advance(moment);
    let begun = shelf.clock.now();
    assert_eq!(due(&book), ["7", "8"]);
    // The same delivery again, and a new one, while the orders are on their way.
    book.keep_deliveries(&[ring("8", Some("b")), ring("7", Some("c"))], moment).unwrap();
    book.rereads_done(store, &["7".into(), "8".into()], begun).unwrap();
    shelf.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(due(&book), ["7"], "rung for anew");
    book.rereads_done(store, &["7".into()], shelf.clock.now()).unwrap();
    for (hours, known) in [(47, true), (2, false)] {
        shelf.clock.advance(TimeDelta::hours(hours));
        book.keep_deliveries(&[ring("9", Some("a"))], moment).unwrap();
        shelf.clock.advance(moment);
        assert_eq!(due(&book).is_empty(), known, "a delivery is known for 48 hours");
    }
}

#[test]
fn w3_a_new_order_of_which_nothing_tells_in_its_time_is_noticed() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let missing = |book: &Book| book.unannounced_since(store, TimeDelta::hours(4)).unwrap().is_some();
    let placed = |id: &str, at| remote(&Order { placed_at: at, ..testing::order(id, Status::AwaitingFulfillment) });
    let later = |id: &str| placed(id, shelf.clock.now());
    import(&mut book, store, &[later("1")], keep).unwrap();
    book.hooks_checked(store, "https://orders.example.test").unwrap();
    import(&mut book, store, &[placed("2", shelf.clock.now() - TimeDelta::hours(1))], keep).unwrap();
    shelf.clock.advance(TimeDelta::hours(5));
    assert!(!missing(&book), "before it was on, nothing could tell");
    import(&mut book, store, &[later("3"), later("4")], keep).unwrap();
    assert!(!missing(&book), "a delivery may be late");
    shelf.clock.advance(TimeDelta::hours(5));
    assert!(missing(&book));
    let ring = |id: &str| Ring { store, orders: vec![id.into()], key: None, forget: Vec::new() };
    book.keep_deliveries(&[ring("3")], TimeDelta::zero()).unwrap();
    assert!(missing(&book));
    book.keep_deliveries(&[ring("4")], TimeDelta::zero()).unwrap();
    assert!(!missing(&book), "they came after all");
    // Where nothing comes any more that stays until something does, or until it is mended.
    shelf.clock.advance(TimeDelta::hours(1));
    import(&mut book, store, &[later("5")], keep).unwrap();
    let found = shelf.clock.now();
    for day in 0..9 {
        shelf.clock.advance(TimeDelta::days(1));
        import(&mut book, store, &[later(&format!("6{day}"))], keep).unwrap();
        book.hooks_checked(store, "https://orders.example.test").unwrap();
    }
    assert_eq!(book.unannounced_since(store, TimeDelta::hours(4)).unwrap(), Some(found));
    let rows = || book_rows(&shelf, "SELECT count(*) FROM unannounced");
    assert!(rows() < 6, "{} are remembered", rows());
    book.keep_deliveries(&[ring("9")], TimeDelta::zero()).unwrap();
    let since = book.unannounced_since(store, TimeDelta::hours(4)).unwrap();
    assert!(since > Some(found), "others come, and those of the last days are missing: {since:?}");
    book.hooks_restored(store).unwrap();
    assert!(!missing(&book), "what was missing is there again");
}

fn book_rows(shelf: &Shelf, sql: &str) -> i64 {
    let db = rusqlite::Connection::open(shelf.path()).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Every row of the copy, as text.
fn dump(path: &Path) -> String {
    let db = rusqlite::Connection::open(path).unwrap();
    let mut text = String::new();
    for table in ["orders", "lines", "addresses", "charges", "refunds", "shipments", "shipment_lines", "parcels"] {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                text.push_str(&format!("{:?}|", row.get_ref(column).unwrap()));
            }
            text.push('\n');
        }
    }
    text
}

fn shipment(key: &str, lines: &[(&str, i64)], completes: bool) -> Shipment {
    Shipment {
        key: key.into(),
        shipped_at: from_millis(1_795_100_000_000),
        lines: lines
            .iter()
            .map(|(id, n)| LineQuantity { line_id: (*id).into(), quantity: Decimal::from(*n) })
            .collect(),
        parcels: vec![Parcel { carrier: "dhl".into(), tracking: format!("JD-{key}"), url: None }],
        notify: true,
        completes,
        counted: Vec::new(),
    }
}

#[test]
fn i3_the_same_order_twice_is_one_row_and_the_second_is_unchanged() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let order = remote(&testing::order("7", Status::AwaitingFulfillment));
    let tally = import(&mut book, store, &[order.clone(), order.clone()], keep).unwrap();
    assert_eq!(tally, Tally { new: 1, unchanged: 1, ..Tally::default() });
    assert_eq!(import(&mut book, store, &[order], keep).unwrap(), Tally { unchanged: 1, ..Tally::default() });
    assert_eq!(book.size().unwrap().orders, 1);
    assert_eq!(book.walks(store).unwrap()[0].cursor.as_str(), "\"here\"");
}

#[test]
fn i3_rows_and_cursor_move_together_or_not_at_all() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    book.plan_walks(store, &[("changes".into(), Cursor::from_stored("\"before\"".into()))], "pass/").unwrap();
    let before = dump(&shelf.path());
    order.totals.total += Decimal::ONE;
    let page = [remote(&testing::order("8", Status::AwaitingFulfillment)), remote(&order)];
    let run = book.start_run(RunKind::Sync, false).unwrap();
    let cursor = Cursor::from_stored("\"after\"".into());
    let batch = Batch {
        store,
        run,
        orders: &arrived(&page),
        unshown: &[],
        unlisted: 0,
        reread: &[],
        moves: &[CursorMove { walk: "changes".into(), cursor, done: true }],
        drafts: 0,
        dry_run: false,
        clock: None,
    };
    let fail = || Err(Error::new(ErrorKind::Failed, "in the middle of the page"));
    assert!(take_in(&mut book, &batch, fail).is_err());
    assert_eq!(dump(&shelf.path()), before);
    assert_eq!(book.walks(store).unwrap()[0].cursor.as_str(), "\"before\"");
}

#[test]
fn i4_orders_that_no_list_shows_are_told_with_their_number_whichever_walks_miss_them() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let take = |book: &mut Book, missing: &[u64]| {
        let run = book.start_run(RunKind::Sync, false).unwrap();
        let mut unlisted = 0;
        let mut failed = Vec::new();
        for missing in missing {
            let unshown = [crate::channel::census::unlisted(*missing).unwrap()];
            let batch = Batch {
                store,
                run,
                orders: &[],
                unshown: &unshown,
                unlisted,
                reread: &[],
                moves: &[],
                drafts: 0,
                dry_run: false,
                clock: None,
            };
            failed.push(take_in(book, &batch, || Ok(keep())).unwrap().failed);
            unlisted += missing;
        }
        failed
    };
    assert_eq!(take(&mut book, &[3, 4]), [3, 4]);
    let told: Vec<String> = book.inbox(false).unwrap().into_iter().map(|entry| entry.text).collect();
    assert!(told.len() == 1 && told[0].starts_with("7 orders are not shown"), "{told:?}");
    assert_eq!(take(&mut book, &[7]), [0], "that is known");
}

#[test]
fn p1_a_kept_version_changes_no_byte_of_the_copy_and_stands_beside_it() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    let before = dump(&shelf.path());
    let first = remote(&order);
    order.ship_to[0].line1 = "2 Other Street".into();
    order.updated_at += chrono::TimeDelta::seconds(5);
    assert_eq!(import(&mut book, store, &[remote(&order)], keep).unwrap().changed, 1);
    assert_eq!(dump(&shelf.path()), before);
    assert_eq!(book.newest_document(1).unwrap().unwrap(), remote(&order).document.get().as_bytes());
    assert_eq!(book.base_document(1).unwrap().unwrap(), first.document.get().as_bytes());
    assert_eq!(book.counts().unwrap().1, 1);

    let mut back = testing::order("7", Status::AwaitingFulfillment);
    back.updated_at += chrono::TimeDelta::seconds(9);
    let same = || Update::Keep(Box::default());
    assert_eq!(import(&mut book, store, &[remote(&back)], same).unwrap().changed, 1);
    assert_eq!(book.counts().unwrap().1, 0);
    assert!(book.newest_document(1).unwrap().is_none(), "back at the merchant's version is no difference");
}

/// Two commands that have read the same, and one that has read before a sync: the version that the
/// merchant has is never lost, and none that was not read is taken for it.
#[test]
fn p1_what_is_accepted_is_what_was_read_and_once() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    let mut move_to = |book: &mut Book, street: &str| {
        order.ship_to[0].line1 = street.into();
        order.updated_at += chrono::TimeDelta::minutes(5);
        import(book, store, &[remote(&order)], keep).unwrap();
        order.clone()
    };
    let second = move_to(&mut book, "Second street 2");
    let event = book.order(1).unwrap().last_event;
    assert_eq!(accept(&mut book, event, None, &second).unwrap(), Accepted::Taken(0));
    assert_eq!(accept(&mut shelf.open(), event, None, &second).unwrap(), Accepted::Moved, "the other one");
    assert_eq!(accept(&mut book, None, None, &second).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(book.base_document(1).unwrap().unwrap(), remote(&second).document.get().as_bytes());

    let third = move_to(&mut book, "Third street 3");
    let event = book.order(1).unwrap().last_event;
    let fourth = move_to(&mut book, "Fourth street 4");
    assert_eq!(accept(&mut book, event, None, &third).unwrap(), Accepted::Moved, "beside a sync");
    assert_eq!(book.order(1).unwrap().ship_to[0].line1, "Second street 2");
    assert_eq!(book.newest_document(1).unwrap().unwrap(), remote(&fourth).document.get().as_bytes());
}

#[test]
fn p6_a_late_delivery_of_an_older_version_changes_nothing() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("7", Status::Cancelled))], keep).unwrap();
    let mut older = testing::order("7", Status::AwaitingFulfillment);
    older.updated_at -= chrono::TimeDelta::seconds(60);
    assert_eq!(import(&mut book, store, &[remote(&older)], || Update::Follow(Vec::new())).unwrap().unchanged, 1);
    assert_eq!(book.order(1).unwrap().status, Status::Cancelled);
}

#[test]
fn a_touch_without_a_change_writes_nothing() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    order.updated_at += chrono::TimeDelta::days(1);
    assert_eq!(import(&mut book, store, &[remote(&order)], keep).unwrap().unchanged, 1);
}

#[test]
fn i4_an_unreadable_order_costs_one_order_and_is_mended_by_a_readable_version() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let page = [unreadable("8"), remote(&testing::order("7", Status::AwaitingFulfillment)), unreadable("8")];
    let tally = import(&mut book, store, &page, keep).unwrap();
    assert_eq!((tally.new, tally.failed, tally.fetched()), (1, 2, 3));
    let entries = book.inbox(false).unwrap();
    assert_eq!(entries.len(), 1, "one entry however often it comes");
    assert_eq!(book.unreadable(store).unwrap().len(), 0, "this version has tried it");
    rusqlite::Connection::open(shelf.path()).unwrap().execute("UPDATE inbox SET program = '0.0.0'", []).unwrap();
    assert_eq!(book.unreadable(store).unwrap()[0].1.get(), "{\"id\":[]}");
    import(&mut book, store, &[remote(&testing::order("8", Status::AwaitingFulfillment))], keep).unwrap();
    assert!(book.inbox(false).unwrap().is_empty());
}

#[test]
fn i7_the_account_of_a_run_adds_up() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[unreadable("8"), remote(&testing::order("7", Status::Shipped))], keep).unwrap();
    let run = &book.runs(1).unwrap()[0];
    assert_eq!((run.tally.fetched(), run.tally.new, run.tally.failed), (2, 1, 1));
}

#[test]
fn i8_every_field_of_an_order_comes_back_exactly() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    order.totals.total = "12345678901234567890.1234".parse().unwrap();
    order.lines[0].unit_price = "22.220000000000002".parse().unwrap();
    order.buyer.name = "山田 O'Neil \"; DROP TABLE orders; --".into();
    order.attributes = vec![("gift".into(), "yes\u{1b}[2J".into())];
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    let read = book.order(1).unwrap();
    assert_eq!(read.totals.total, order.totals.total);
    assert_eq!(read.lines[0].unit_price, order.lines[0].unit_price);
    assert_eq!((&read.buyer, &read.payment, &read.charges), (&order.buyer, &order.payment, &order.charges));
    assert_eq!((&read.ship_to, &read.bill_to), (&order.ship_to, &order.bill_to));
    assert_eq!((read.placed_at, read.updated_at, read.paid_at), (order.placed_at, order.updated_at, order.paid_at));
    assert_eq!(read.attributes, order.attributes);
}

#[test]
fn i9_the_same_shop_cannot_be_connected_twice_and_comes_back_with_its_orders() {
    let shelf = Shelf::new();
    let (mut book, id) = shelf.with_store();
    import(&mut book, id, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
    let again = book.add_store(&store("other", "shop.example.test")).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Refused);
    assert!(again.message().contains("as shop"), "{again}");
    book.remove_store(id).unwrap();
    assert!(book.stores().unwrap().is_empty());
    let back = book.add_store(&store("renamed", "shop.example.test")).unwrap();
    assert_eq!((back.id, back.name.as_str()), (id, "renamed"));
    assert_eq!(book.walks(id).unwrap().len(), 1);
    assert_eq!(book.find("renamed:7").unwrap(), 1);
}

#[test]
fn d2_a_dispatch_is_recorded_as_a_whole_and_once() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
    book.dispatched(1, &shipment("a", &[("11", 1)], false), Guard::Check).unwrap();
    assert_eq!(book.order(1).unwrap().status, Status::PartiallyShipped);
    assert_eq!(book.order(1).unwrap().lines[0].open(), Decimal::ONE);
    let too_much = book.dispatched(1, &shipment("b", &[("11", 2)], true), Guard::Check).unwrap_err();
    assert_eq!(too_much.kind(), ErrorKind::Refused);
    book.dispatched(1, &shipment("c", &[("11", 1), ("12", 1)], true), Guard::Check).unwrap();
    assert_eq!(book.order(1).unwrap().status, Status::Shipped);
    let due = book.due(store, shelf.clock.now(), true).unwrap();
    assert_eq!(due.len(), 1, "the older row of an order goes out first");
    assert!(matches!(&due[0].goal, Goal::Dispatched(s) if s.key == "a"));
}

#[test]
fn what_was_dispatched_here_and_is_shown_by_the_channel_too_is_counted_once() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    let row = book.dispatched(1, &shipment("a", &[("11", 1)], false), Guard::Check).unwrap();
    book.settle(row, OutboxState::Sent, None, None, None).unwrap();
    order.status = Status::PartiallyShipped;
    let lines = ["11", "12"].map(|id| LineQuantity { line_id: id.into(), quantity: Decimal::ONE });
    let there = RemoteShipment { remote_id: "s".into(), shipped_at: None, lines: lines.into(), parcels: Vec::new() };
    order.shipments = vec![there];
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    accept(&mut book, None, None, &order).unwrap();
    let open: Vec<Decimal> = book.order(1).unwrap().lines.iter().map(|line| line.open()).collect();
    assert_eq!(open, [Decimal::ONE, Decimal::ZERO], "one of 11 is left; 12 was shipped by other means");
}

/// What is ours and cannot be read is neither offered again nor shown twice.
#[test]
fn f4_a_dispatch_of_ours_that_cannot_be_read_is_not_taken_for_nothing() {
    for damage in ["UPDATE outbox SET receipts = '[\"F1'", "UPDATE shipment_lines SET quantity = 'two'"] {
        let shelf = Shelf::new();
        let (mut book, store) = shelf.with_store();
        let mut order = testing::order("7", Status::AwaitingFulfillment);
        import(&mut book, store, &[remote(&order)], keep).unwrap();
        let row = book.dispatched(1, &shipment("a", &[("11", 1)], false), Guard::Check).unwrap();
        book.settle(row, OutboxState::Confirmed, None, None, Some("F1")).unwrap();
        let before = order.clone();
        order.status = Status::Shipped;
        order.updated_at += chrono::TimeDelta::minutes(5);
        let lines = vec![LineQuantity { line_id: "11".into(), quantity: Decimal::ONE }];
        let there = RemoteShipment { remote_id: "F1".into(), shipped_at: None, lines, parcels: Vec::new() };
        order.shipments = vec![there];
        import(&mut book, store, &[remote(&order)], keep).unwrap();
        let db = rusqlite::Connection::open(shelf.path()).unwrap();
        db.execute(damage, []).unwrap();
        let before = Some(&before).filter(|_| damage.contains("receipts"));
        let event = book.last_event(1).unwrap();
        assert_eq!(accept(&mut book, event, before, &order).unwrap_err().kind(), ErrorKind::Book, "{damage}");
        let own: i64 =
            db.query_row("SELECT count(*) FROM shipments WHERE key IS NOT NULL", [], |row| row.get(0)).unwrap();
        assert_eq!(own, 1, "{damage}");
    }
}

#[test]
fn d3_what_a_row_has_at_the_channel_is_no_other_rows_until_it_is_taken_back() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
    let first = book.dispatched(1, &shipment("a", &[("11", 1)], false), Guard::Check).unwrap();
    let second = book.dispatched(1, &shipment("b", &[("11", 1)], false), Guard::Check).unwrap();
    let goal = book.outbox_row(first).unwrap().unwrap().goal;
    book.settle(first, OutboxState::Sent, None, None, Some("F1")).unwrap();
    book.own(first, &["F1".into(), "F2".into()]).unwrap();
    assert_eq!(book.outbox_row(first).unwrap().unwrap().receipts, ["F1", "F2"], "each once");
    assert_eq!(book.receipts_of_others(1, &goal, Some(second)).unwrap(), ["F1", "F2"]);
    assert_eq!(book.receipts_of_others(1, &goal, None).unwrap(), ["F1", "F2"], "before it is recorded");
    assert!(book.receipts_of_others(1, &goal, Some(first)).unwrap().is_empty(), "its own");
    book.own(second, &["F3".into()]).unwrap();
    book.withdraw(second).unwrap();
    assert!(book.receipts_of_others(1, &goal, Some(first)).unwrap().is_empty(), "taken back");
}

/// Between the look at an order and what is made of its document other commands are at work.
#[test]
fn p12_what_was_worked_on_since_it_was_found_untouched_is_not_read_again() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let order = |id: &str| testing::order(id, Status::AwaitingFulfillment);
    import(&mut book, store, &["7", "8", "9", "10"].map(|id| remote(&order(id))), keep).unwrap();
    let mut newer = order("8");
    newer.updated_at += chrono::TimeDelta::minutes(5);
    newer.ship_to[0].line1.push('0');
    import(&mut book, store, &[remote(&newer)], keep).unwrap();
    let found = book.untouched(store, &[], 0, 10).unwrap();
    assert_eq!(found.iter().map(|one| one.order).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let mut other = shelf.open();
    other.record_cancel(1, None, None, "").unwrap();
    let new = Acceptance {
        order: 2,
        event: None,
        before: None,
        seen: &newer,
        fields: &[],
        part: None,
        differences: &[],
        gives_up: &[],
    };
    assert!(matches!(other.accept(&new).unwrap(), Accepted::Taken(0)));
    other.dispatched(3, &shipment("a", &[("11", 1)], false), Guard::Check).unwrap();
    let read = |one: &Untouched| (*one, testing::order(&(one.order + 6).to_string(), Status::OnHold));
    assert_eq!(book.reread(&found.iter().map(read).collect::<Vec<_>>()).unwrap(), 3);
    let status = |id| book.order(id).unwrap().status;
    let now = [1, 2, 3, 4].map(status);
    let (cancelled, sent) = (Status::Cancelled, Status::PartiallyShipped);
    assert_eq!(now, [cancelled, Status::AwaitingFulfillment, sent, Status::OnHold]);
    assert_eq!(book.order(2).unwrap().ship_to[0].line1, newer.ship_to[0].line1, "what was accepted");
}

/// What the merchant has cancelled in the book only stays cancelled: whatever is accepted, and
/// whatever status words are said to mean.
#[test]
fn d8_what_was_cancelled_here_only_stays_so_until_it_is_dispatched() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    let mut accepts = |book: &mut Book, status: Status| {
        order.status = status;
        order.updated_at += chrono::TimeDelta::minutes(5);
        order.ship_to[0].line1.push('0');
        import(book, store, &[remote(&order)], keep).unwrap();
        accept(book, None, None, &order).unwrap();
        book.order(1).unwrap().status
    };
    assert_eq!(book.record_cancel(1, None, None, "").unwrap(), Recorded::Local);
    assert_eq!(accepts(&mut book, Status::AwaitingFulfillment), Status::Cancelled);
    assert!(book.untouched(store, &["awaiting-fulfillment".into()], 0, 10).unwrap().is_empty());
    let row = book.dispatched(1, &shipment("a", &[("11", 1)], false), Guard::Force).unwrap();
    assert_eq!(accepts(&mut book, Status::AwaitingFulfillment), Status::PartiallyShipped, "the later word");
    book.withdraw(row).unwrap();
    assert_eq!(accepts(&mut book, Status::AwaitingFulfillment), Status::Cancelled, "which was taken back");
    assert_eq!(accepts(&mut book, Status::Cancelled), Status::Cancelled);
    assert_eq!(accepts(&mut book, Status::AwaitingFulfillment), Status::AwaitingFulfillment, "opened again there");
}

#[test]
fn d5_a_number_that_was_not_replaced_after_all_has_its_carrier_and_link_again() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
    let mut first = shipment("a", &[("11", 1)], false);
    first.parcels[0].url = Some("https://example.test/JD-a".into());
    book.dispatched(1, &first, Guard::Check).unwrap();
    let before = dump(&shelf.path());
    let parcel = Parcel { carrier: "ups".into(), tracking: "1Z9".into(), url: None };
    let change = TrackingChange { shipment: String::new(), was: "JD-a".into(), parcel, notify: false, before: None };
    let row = book.record_retracking(1, &change).unwrap();
    let replaced = dump(&shelf.path());
    let note = InboxNote { kind: InboxKind::Rejected, text: String::new(), hint: String::new() };
    book.refuse(row, &Error::new(ErrorKind::Rejected, "no"), &note).unwrap();
    assert_eq!(dump(&shelf.path()), before);
    book.retry(row, false).unwrap();
    assert_eq!(dump(&shelf.path()), replaced, "tried again");
}

#[test]
fn a_refused_cancellation_that_is_tried_again_starts_without_old_receipts() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
    let change = Cancellation {
        reason: String::new(),
        notify: false,
        restock: true,
        refund: false,
        force: false,
        key: "k".into(),
    };
    let row = book.record_cancel(1, None, Some((&Goal::Cancelled(change), Guard::Check)), "").unwrap();
    let Recorded::Row(row, _) = row else { panic!("{row:?}") };
    book.sending(row, "cancel").unwrap();
    book.settle(row, OutboxState::Sent, None, None, Some("job 1")).unwrap();
    let error = crate::error::Error::new(crate::error::ErrorKind::Rejected, "the job failed");
    let note = InboxNote { kind: InboxKind::Rejected, text: "it failed".into(), hint: String::new() };
    book.refuse(row, &error, &note).unwrap();
    book.retry(row, false).unwrap();
    let row = book.outbox_row(row).unwrap().unwrap();
    assert_eq!((row.state, row.receipts.len()), (OutboxState::Queued, 0));
}

/// A refused dispatch, a cancellation, and then the dispatch again: parcel and cancellation must
/// not both wait to be written.
#[test]
fn d2_a_refused_dispatch_does_not_come_back_while_a_cancellation_waits_nor_the_other_way_round() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
    let change = Cancellation {
        reason: String::new(),
        notify: false,
        restock: true,
        refund: false,
        force: false,
        key: "k".into(),
    };
    let cancel = Goal::Cancelled(change);
    let error = crate::error::Error::new(ErrorKind::Rejected, "no");
    let note = InboxNote { kind: InboxKind::Rejected, text: String::new(), hint: String::new() };
    let parcel = book.dispatched(1, &shipment("a", &[("11", 1)], false), Guard::Check).unwrap();
    book.refuse(parcel, &error, &note).unwrap();
    let Recorded::Row(end, _) = book.record_cancel(1, None, Some((&cancel, Guard::Check)), "").unwrap() else {
        panic!("not recorded")
    };
    let refused = book.retry(parcel, false).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert!(refused.message().contains("settled by a newer act"), "{refused:?}");
    assert_eq!(book.outbox_row(parcel).unwrap().unwrap().state, OutboxState::Withdrawn);
    assert_eq!(book.order(1).unwrap().status, Status::Cancelled);

    book.refuse(end, &error, &note).unwrap();
    assert_eq!(book.order(1).unwrap().status, Status::AwaitingFulfillment);
    let parcel = book.dispatched(1, &shipment("b", &[("11", 1)], false), Guard::Check).unwrap();
    assert_eq!(book.retry(end, false).unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(book.order(1).unwrap().status, Status::PartiallyShipped);
    book.withdraw(parcel).unwrap();
    assert_eq!(book.order(1).unwrap().status, Status::AwaitingFulfillment);
}

#[test]
fn what_has_not_gone_out_can_be_taken_back_and_leaves_no_trace_in_the_order() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
    let before = dump(&shelf.path());
    let row = book.dispatched(1, &shipment("a", &[("11", 2), ("12", 1)], true), Guard::Check).unwrap();
    book.withdraw(row).unwrap();
    assert_eq!(dump(&shelf.path()), before);
    let row = book.dispatched(1, &shipment("b", &[("11", 2), ("12", 1)], true), Guard::Check).unwrap();
    book.sending(row, "add tracking").unwrap();
    book.settle(row, OutboxState::Queued, None, None, None).unwrap();
    assert_eq!(book.withdraw(row).unwrap_err().kind(), ErrorKind::Refused, "a write was begun");
    book.not_applied(row).unwrap();
    book.withdraw(row).unwrap();
    assert_eq!(book.order(1).unwrap().status, Status::AwaitingFulfillment, "it was surely not applied");
}

/// Rows of `v_sales_by_day`, as any tool reads them.
fn sales(book: &Book) -> Vec<(String, String, i64, String, String)> {
    let sql = "SELECT day, currency, orders, total, refunded FROM v_sales_by_day ORDER BY day, currency";
    let mut statement = book.db.prepare(sql).unwrap();
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn sale(id: &str, placed: &str, currency: &str, total: &str, refunded: &str) -> RemoteOrder {
    let mut order = testing::order(id, Status::Shipped);
    order.placed_at = chrono::DateTime::parse_from_rfc3339(placed).unwrap().to_utc();
    order.currency = crate::order::Currency::new(currency).unwrap();
    order.totals.total = total.parse().unwrap();
    order.totals.refunded = refunded.parse().unwrap();
    remote(&order)
}

#[test]
fn sales_are_summed_exactly_by_the_shops_own_day() {
    let shelf = Shelf::new();
    let (mut book, shop) = shelf.with_store();
    let late = "2026-11-27T23:30:00Z";
    let orders = [
        sale("1", late, "EUR", "0.1", "0"),
        sale("2", late, "EUR", "0.2", "0.0500"),
        sale("3", "2026-11-28T22:59:59Z", "EUR", "1000000000000.7", "0.05"),
        sale("4", "2026-11-28T23:00:00Z", "EUR", "5", "0"),
        sale("5", "2026-11-29T10:00:00Z", "EUR", "-0.50", "0"),
        sale("6", "2026-11-30T10:00:00Z", "EUR", "-5", "0"),
        sale("7", "2026-11-30T10:00:00Z", "EUR", "0.25", "0"),
        sale("8", "2026-11-30T10:00:00Z", "JPY", "1500.00", "0"),
        sale("9", "2026-11-30T10:00:00Z", "KWD", "0.0125", "0"),
    ];
    import(&mut book, shop, &orders, keep).unwrap();
    let row = |day: &str, currency: &str, orders: i64, total: &str, refunded: &str| {
        (day.to_owned(), currency.to_owned(), orders, total.to_owned(), refunded.to_owned())
    };
    assert_eq!(
        sales(&book),
        [
            row("2026-11-28", "EUR", 3, "1000000000001.00", "0.10"),
            row("2026-11-29", "EUR", 2, "4.50", "0.00"),
            row("2026-11-30", "EUR", 2, "-4.75", "0.00"),
            row("2026-11-30", "JPY", 1, "1500", "0"),
            row("2026-11-30", "KWD", 1, "0.0125", "0.000"),
        ]
    );
}

#[test]
fn sales_have_the_scale_of_every_currency_there_is() {
    let shelf = Shelf::new();
    let (mut book, shop) = shelf.with_store();
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))));
    let codes: Vec<String> = codes.filter(|code| iso_currency::Currency::from_code(code).is_some()).collect();
    assert!(codes.len() > 150);
    let sold = |(nth, code): (usize, &String)| sale(&nth.to_string(), "2026-11-30T10:00:00Z", code, "5", "0");
    import(&mut book, shop, &codes.iter().enumerate().map(sold).collect::<Vec<_>>(), keep).unwrap();
    for (_, code, _, total, _) in sales(&book) {
        assert_eq!(total, crate::order::scaled(Decimal::from(5), &code), "{code}");
    }
}

#[test]
fn a_reference_names_one_order_or_none() {
    let shelf = Shelf::new();
    let (mut book, one) = shelf.with_store();
    let two = book.add_store(&store("other", "other.example.test")).unwrap().id;
    let order = |id: &str, number: &str| {
        let mut order = testing::order(id, Status::AwaitingFulfillment);
        order.number = number.into();
        remote(&order)
    };
    import(&mut book, one, &[order("700", "A-1"), order("701", "#55")], keep).unwrap();
    import(&mut book, two, &[order("900", "A-1")], keep).unwrap();
    assert_eq!((book.find("2").unwrap(), book.find("shop:700").unwrap(), book.find("other:A-1").unwrap()), (2, 1, 3));
    assert_eq!((book.find("#55").unwrap(), book.find("55").unwrap()), (2, 2));
    assert_eq!(book.find("A-1").unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(book.find("shop:1").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(book.find("").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_reference_that_could_mean_two_orders_is_never_guessed() {
    let shelf = Shelf::new();
    let (mut book, one) = shelf.with_store();
    let two = book.add_store(&store("other", "other.example.test")).unwrap().id;
    let order = |id: &str, number: &str| {
        let mut order = testing::order(id, Status::AwaitingFulfillment);
        order.number = number.into();
        remote(&order)
    };
    // book 1..6
    let first = [order("1", "1"), order("700", "3"), order("701", "#700"), order("4", "W-9"), order("02", "02")];
    import(&mut book, one, &first, keep).unwrap();
    import(&mut book, two, &[order("9001", "02"), order("8", "x:1")], keep).unwrap();
    let refused = |reference: &str, naming| {
        let error = book.find_as(reference, naming).unwrap_err();
        (error.kind(), error.message().to_owned())
    };
    assert_eq!(book.find("1").unwrap(), 1, "the same order under both numbers");
    assert_eq!(book.find("4").unwrap(), 4, "the same order under number and id");
    for (reference, first, second) in [
        ("3", "book:2 (shop:700, number 3)", "book:3 (shop:701, number #700)"),
        ("shop:700", "book:2 (shop:700, number 3)", "book:3 (shop:701, number #700)"),
        ("700", "book:2 ", "book:3 "),
        ("02", "book:5 (shop:02)", "book:6 (other:9001, number 02)"),
    ] {
        let (kind, text) = refused(reference, Naming::Either);
        assert_eq!(kind, ErrorKind::Usage, "{reference}: {text}");
        assert!(text.contains(first) && text.contains(second), "{text}");
    }
    assert_eq!((book.find("book:3").unwrap(), book.find("#3").unwrap(), book.find("x:1").unwrap()), (3, 2, 7));
    assert_eq!((book.find_as("3", Naming::Channel).unwrap(), book.find_as("3", Naming::Book).unwrap()), (2, 3));
    assert_eq!(book.find_as("book:3", Naming::Channel).unwrap(), 3, "said explicitly");
    assert_eq!(refused("5", Naming::Channel).0, ErrorKind::NotFound, "a number of the book only");
    assert_eq!(refused("700", Naming::Book).0, ErrorKind::NotFound);
    assert_eq!(refused("+3", Naming::Book).0, ErrorKind::NotFound);
    assert_eq!(book.find_remote(one, "700").unwrap(), 2);
}

/// Magento fills its numbers with zeros, which a spreadsheet takes away; its ids are other numbers.
#[test]
fn a_number_without_its_zeros_is_not_taken_for_the_id_of_another_order() {
    let shelf = Shelf::new();
    let (mut book, one) = shelf.with_store();
    let order = |id: &str, number: &str| {
        let mut order = testing::order(id, Status::AwaitingFulfillment);
        order.number = number.into();
        remote(&order)
    };
    let orders = [order("130", "000000128"), order("132", "000000130"), order("133", "000000133")];
    import(&mut book, one, &orders, keep).unwrap();
    for (reference, naming) in [("shop:130", Naming::Either), ("130", Naming::Channel)] {
        let error = book.find_as(reference, naming).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.message().contains("book:1 ") && error.message().contains("book:2 "), "{error}");
    }
    assert_eq!((book.find("shop:000000130").unwrap(), book.find("shop:128").unwrap()), (2, 1));
    assert_eq!((book.find("shop:132").unwrap(), book.find("shop:133").unwrap()), (2, 3));
    assert_eq!(book.find_as("128", Naming::Channel).unwrap(), 1, "what a spreadsheet makes of it");
    assert_eq!(book.find("2").unwrap(), 2, "what is typed is a number of the book");
    assert_eq!(book.find("shop:0130").unwrap_err().kind(), ErrorKind::NotFound, "only all of them are left out");
}

/// The steps in which SQLite would answer.
fn plan(book: &Book, sql: &str) -> Vec<String> {
    let mut statement = book.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values: Vec<i64> = (1..=statement.parameter_count() as i64).collect();
    let steps = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(3)).unwrap();
    steps.collect::<rusqlite::Result<_>>().unwrap()
}

/// What is asked once for an order, a shipment or a refusal must not go through a table that grows
/// with the book, for the statement itself or for what refers to a row that goes.
#[test]
fn q3_what_is_asked_of_one_order_reads_what_belongs_to_it() {
    let (book, _) = Shelf::new().with_store();
    for (sql, indexes) in [
        (queries::SHIPMENTS, &["shipments_by_order", "outbox_by_shipment"][..]),
        (copy::FORGET_THEIRS, &["shipments_by_order", "outbox_by_shipment"]),
        (outbox::FAILED, &["outbox_failed", "outbox_by_order", "inbox_settled"]),
        (own_refunds::ASKED_BEFORE, &["inbox_settled"]),
        (readings::TOLD_BEFORE, &["inbox_settled_words"]),
    ] {
        let steps = plan(&book, sql);
        assert!(steps.iter().all(|step| step == "SCAN CONSTANT ROW" || !step.starts_with("SCAN")), "{sql}: {steps:?}");
        for index in indexes {
            assert!(steps.iter().any(|step| step.contains(&format!("INDEX {index} "))), "{sql}: {index}: {steps:?}");
        }
    }
}

#[test]
fn an_order_is_found_through_an_index_whatever_it_is_called_by() {
    let (book, _) = Shelf::new().with_store();
    for from in [find::BY_NUMBER, find::BY_REMOTE_ID] {
        let mut statement = book.db.prepare(&format!("EXPLAIN QUERY PLAN SELECT o.id, s.name FROM {from}")).unwrap();
        let steps = statement.raw_bind_parameter(1, "7").and_then(|()| {
            let mut rows = statement.raw_query();
            let mut steps = Vec::new();
            while let Some(row) = rows.next()? {
                steps.push(row.get::<_, String>(3)?);
            }
            Ok(steps)
        });
        let steps = steps.unwrap();
        let wanted = if from == find::BY_NUMBER { "orders_by_number" } else { "orders_by_remote_id" };
        assert!(steps.iter().any(|step| step.starts_with("SEARCH o") && step.contains(wanted)), "{steps:?}");
    }
}

#[test]
fn f4_what_is_no_book_or_a_newer_one_is_refused_and_left_alone() {
    let shelf = Shelf::new();
    std::fs::write(shelf.path(), "this is a shopping list, not a database".repeat(50)).unwrap();
    let error = Book::open(&shelf.path(), shelf.clock.clone()).err().unwrap();
    assert!(error.message().contains("not an order book"), "{error}");
    assert!(std::fs::read_to_string(shelf.path()).unwrap().starts_with("this is a shopping list"));

    let shelf = Shelf::new();
    drop(shelf.open());
    rusqlite::Connection::open(shelf.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Book::open(&shelf.path(), shelf.clock.clone()).err().unwrap();
    assert!(error.message().contains("newer ordersync"), "{error}");
}

/// Commands that start together on a book of the version before: one brings it up to date, the
/// others go on with what it made.
#[test]
fn f4_a_book_of_the_version_before_is_brought_up_to_date_once() {
    for _ in 0..20 {
        let shelf = Shelf::new();
        let old = rusqlite::Connection::open(shelf.path()).unwrap();
        old.execute_batch(SCHEMA[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);
        let start = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            let open = || {
                start.wait();
                Book::open(&shelf.path(), shelf.clock.clone()).map(|_| ())
            };
            let all: Vec<_> = (0..6).map(|_| scope.spawn(open)).collect();
            all.into_iter().for_each(|one| one.join().unwrap().unwrap());
        });
    }
}

#[test]
fn f4_a_full_disk_is_named_and_loses_nothing() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("1", Status::Shipped))], keep).unwrap();
    let pages: i64 = book.db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    book.db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    let many: Vec<RemoteOrder> =
        (2..500).map(|n| remote(&testing::order(&n.to_string(), Status::AwaitingFulfillment))).collect();
    let error = import(&mut book, store, &many, keep).unwrap_err();
    assert!(error.message().contains("disk is full"), "{error}");
    drop(book);
    let book = shelf.open();
    assert!(book.check().unwrap().faults.is_empty());
    assert_eq!(book.size().unwrap().orders, 1);
}

#[cfg(unix)]
#[test]
fn x1_the_book_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let shelf = Shelf::new();
    let _book = shelf.open();
    for file in std::fs::read_dir(shelf.dir.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
    }
}

#[test]
fn a_backup_is_a_whole_book_and_overwrites_nothing() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("1", Status::Shipped))], keep).unwrap();
    let to = shelf.dir.path().join("copy.sqlite");
    book.backup(&to).unwrap();
    assert_eq!(Book::open(&to, shelf.clock.clone()).unwrap().size().unwrap().orders, 1);
    assert_eq!(book.backup(&to).unwrap_err().kind(), ErrorKind::Refused);
}

#[test]
fn the_counts_follow_every_change_of_status() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let orders = [remote(&testing::order("1", Status::AwaitingPayment)), remote(&testing::order("2", Status::Shipped))];
    import(&mut book, store, &orders, keep).unwrap();
    let paid = remote(&testing::order("1", Status::AwaitingFulfillment));
    import(&mut book, store, &[paid], || Update::Follow(Vec::new())).unwrap();
    book.record_cancel(1, None, None, "").unwrap();
    let (counts, _) = book.counts().unwrap();
    let expected = Counts::from([((store, "cancelled"), 1), ((store, "shipped"), 1)]);
    assert_eq!(counts, expected);
}

/// A sync that comes while a long export reads is neither held up nor in it.
#[test]
fn an_export_is_of_one_moment_while_others_write() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let order = |id: &str| remote(&testing::order(id, Status::AwaitingFulfillment));
    import(&mut book, store, &[order("1"), order("2")], keep).unwrap();
    let mut other = shelf.open();
    let mut seen = Vec::new();
    let all = ExportFilter::default();
    let rows = book.export(Sheet::Lines, &all, &mut |cells| {
        if seen.is_empty() {
            import(&mut other, store, &[order("3")], keep).unwrap();
            other.db.execute("UPDATE lines SET sku = 'other'", []).unwrap();
        }
        seen.push(cells.to_vec());
        Ok(())
    });
    assert_eq!((rows.unwrap(), seen.len()), (4, 4), "two lines each");
    assert!(!seen.iter().flatten().any(|cell| *cell == Cell::Text("other".into())));
    assert_eq!(book.export(Sheet::Lines, &all, &mut |_| Ok(())).unwrap(), 6);
    let error = book.export(Sheet::Orders, &all, &mut |_| Err(Error::new(ErrorKind::Failed, "full")));
    assert_eq!(error.unwrap_err().message(), "full");
}

/// Of an index they would be put in order, which takes memory for all of them.
#[test]
fn an_export_puts_nothing_in_order() {
    let shelf = Shelf::new();
    let (book, store) = shelf.with_store();
    let stores = vec![book.store("shop").unwrap().unwrap()];
    let filter = ExportFilter {
        statuses: vec![Status::Shipped],
        since: Some(from_millis(1)),
        until: Some(from_millis(2)),
        stores,
    };
    for filter in [ExportFilter::default(), filter] {
        let told = plan(&book, &export::orders_of(&filter));
        assert_eq!(told, ["SCAN o"], "of store {store}");
    }
    for sheet in <Sheet as clap::ValueEnum>::value_variants() {
        let scans = plan(&book, &sheet.sql()).into_iter().filter(|step| step.starts_with("SCAN "));
        let whole: Vec<String> =
            scans.filter(|step| !["SCAN r", "SCAN j"].iter().any(|own| step.starts_with(own))).collect();
        assert_eq!(whole, [""; 0], "{sheet:?} reads no more than the order's own");
    }
}

#[test]
fn lists_can_be_narrowed_and_searched() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let orders: Vec<RemoteOrder> = (1..=9)
        .map(|n| {
            let status = if n % 2 == 0 { Status::Shipped } else { Status::AwaitingFulfillment };
            let mut order = testing::order(&n.to_string(), status);
            order.placed_at += chrono::TimeDelta::hours(n);
            order.buyer.name = format!("Buyer 100%_{n}");
            remote(&order)
        })
        .collect();
    import(&mut book, store, &orders, keep).unwrap();
    while book.index_step().unwrap() > 0 {}
    let list = |filter: Filter| book.list(&filter).unwrap().into_iter().map(|row| row.id).collect::<Vec<_>>();
    let all = Filter { limit: 100, ..Filter::default() };
    assert_eq!(list(Filter { limit: 2, ..all.clone() }), [9, 8], "the newest first");
    assert_eq!(list(Filter { status: Some(Status::Shipped), ..all.clone() }), [8, 6, 4, 2]);
    assert_eq!(list(Filter { search: Some("100%_3".into()), ..all.clone() }), [3], "% and _ are plain characters");
    assert_eq!(list(Filter { search: Some("CUP-002".into()), limit: 1, ..all.clone() }), [9]);
    assert_eq!(list(Filter { search: Some("'; DROP TABLE orders; --".into()), ..all.clone() }), [0i64; 0]);
    shelf.clock.advance(chrono::TimeDelta::days(9));
    assert_eq!(list(Filter { view: View::Late, ..all }), [9, 7, 5, 3, 1]);
}

/// Whether the book's index of words has this one anywhere in its bytes.
fn is_in_index(book: &Book, word: &str) -> bool {
    let sql = "SELECT count(*) FROM search_data WHERE instr(block, CAST(? AS BLOB))";
    book.db.query_row(sql, [word], |row| row.get::<_, i64>(0)).unwrap() > 0
}

#[test]
fn a_search_follows_what_an_order_says_and_when_it_was_placed() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("1", Status::AwaitingFulfillment);
    order.buyer.name = "Quetzalcoatl Miller".into();
    order.ship_to.clear();
    order.bill_to = None;
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    let list = |book: &Book, text: &str| {
        let filter = Filter { search: Some(text.into()), limit: 9, ..Filter::default() };
        book.list(&filter).unwrap().into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(list(&book, "quetzalcoatl"), [0i64; 0], "an import does nothing for it");
    assert_eq!(book.index_step().unwrap(), 0);
    assert_eq!(list(&book, "quetzalcoatl"), [1]);
    order.buyer.name = "Anna Miller".into();
    order.placed_at -= chrono::TimeDelta::days(400);
    order.updated_at += chrono::TimeDelta::hours(1);
    import(&mut book, store, &[remote(&order)], || Update::Follow(Vec::new())).unwrap();
    book.index_after(1).unwrap();
    assert_eq!((list(&book, "quetzalcoatl"), list(&book, "miller anna")), (vec![], vec![1]));
    // What was taken out is gone from the bytes once the index is put together anew.
    assert!(is_in_index(&book, "quetzalcoatl") && is_in_index(&book, "anna"));
    book.db.execute_batch("INSERT INTO search (search) VALUES ('optimize')").unwrap();
    assert!(!is_in_index(&book, "quetzalcoatl") && is_in_index(&book, "anna"));
    assert!(book.check().unwrap().faults.is_empty());
}

#[test]
fn the_newest_of_what_a_search_finds_come_first_whatever_order_they_came_in() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let orders: Vec<RemoteOrder> = (1..=40)
        .map(|n: i64| {
            let mut order = testing::order(&n.to_string(), Status::AwaitingFulfillment);
            order.placed_at += chrono::TimeDelta::minutes(n * 17 % 40 * 20);
            remote(&order)
        })
        .collect();
    import(&mut book, store, &orders, keep).unwrap();
    while book.index_step().unwrap() > 0 {}
    let ids = |filter: Filter| book.list(&filter).unwrap().into_iter().map(|row| row.id).collect::<Vec<_>>();
    for limit in [1, 2, 3, 7, 40, 100] {
        let all = Filter { limit, ..Filter::default() };
        assert_eq!(ids(Filter { search: Some("cup".into()), ..all.clone() }), ids(all), "{limit}");
    }
}

#[test]
fn p10_what_was_given_back_in_full_is_not_late() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut orders = ["1", "2", "3"].map(|id| testing::order(id, Status::AwaitingFulfillment));
    import(&mut book, store, &orders.each_ref().map(remote), keep).unwrap();
    shelf.clock.advance(chrono::TimeDelta::days(9));
    let late = |book: &Book| {
        let rows = book.list(&Filter { view: View::Late, limit: 100, ..Filter::default() }).unwrap();
        let ids: Vec<i64> = rows.into_iter().map(|row| row.id).rev().collect();
        let due = book.shipping_due(&book.stores().unwrap()[0]).unwrap();
        assert_eq!(book.late(store, &due).unwrap(), ids.len() as u64, "{ids:?}");
        ids
    };
    assert_eq!(late(&book), [1, 2, 3]);
    orders[0].totals.refunded = orders[0].totals.total;
    orders[1].lines.iter_mut().for_each(|line| line.refunded = line.quantity);
    orders[2].totals.refunded = "0.01".parse().unwrap();
    for order in &mut orders {
        order.updated_at += chrono::TimeDelta::hours(1);
    }
    import(&mut book, store, &orders.each_ref().map(remote), || Update::Follow(Vec::new())).unwrap();
    assert_eq!(late(&book), [3]);
}

/// What one of two commands does, or what becomes of a row.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Command 0 or 1 reads the order.
    Read(usize),
    /// It records a dispatch of one piece by what it has read.
    Dispatch(usize),
    /// It records a cancellation by what it has read.
    Cancel(usize),
    /// The nth row is refused, taken back, tried again, begun and surely not applied, begun and
    /// taken by the channel.
    Refuse(usize),
    Withdraw(usize),
    Retry(usize),
    Sure(usize),
    Take(usize),
}

fn steps() -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    use proptest::prelude::*;
    let step = prop_oneof![
        3 => (0usize..2).prop_map(Step::Read),
        3 => (0usize..2).prop_map(Step::Dispatch),
        2 => (0usize..2).prop_map(Step::Cancel),
        1 => (0usize..6).prop_map(Step::Refuse),
        1 => (0usize..6).prop_map(Step::Withdraw),
        1 => (0usize..6).prop_map(Step::Retry),
        1 => (0usize..6).prop_map(Step::Sure),
        1 => (0usize..6).prop_map(Step::Take),
    ];
    prop::collection::vec(step, 1..24)
}

struct Two {
    book: Book,
    read: [(Option<i64>, Status); 2],
    keys: u32,
}

impl Two {
    /// As the command line does it: what was read decides, and the book says whether it still
    /// holds.
    fn take(&mut self, step: Step) {
        let note = InboxNote { kind: InboxKind::Rejected, text: String::new(), hint: String::new() };
        let error = crate::error::Error::new(ErrorKind::Rejected, "no");
        let row = |book: &Book, nth: usize| book.all_outbox(100).unwrap().into_iter().rev().nth(nth);
        let open = |book: &Book, nth| {
            row(book, nth).filter(|r| !matches!(r.state, OutboxState::Failed | OutboxState::Withdrawn))
        };
        match step {
            Step::Read(who) => {
                let order = self.book.order(1).unwrap();
                self.read[who] = (order.last_event, order.status);
            }
            Step::Dispatch(who) if self.read[who].1 != Status::Cancelled => {
                self.keys += 1;
                let shipment = shipment(&self.keys.to_string(), &[("11", 1)], false);
                let new = NewDispatch {
                    order: 1,
                    seen: self.read[who].0,
                    shipment: &shipment,
                    leave: Leave {
                        guard: Guard::Check,
                        unpaid: false,
                        on_hold: false,
                        again: false,
                        test_order: false,
                    },
                    named: true,
                };
                let _ = self.book.record_dispatch(&new);
            }
            Step::Cancel(who) if matches!(self.read[who].1, Status::AwaitingFulfillment | Status::Cancelled) => {
                let change = Cancellation {
                    reason: String::new(),
                    notify: false,
                    restock: true,
                    refund: false,
                    force: false,
                    key: "k".into(),
                };
                let goal = Goal::Cancelled(change);
                self.book.record_cancel(1, self.read[who].0, Some((&goal, Guard::Check)), "").unwrap();
            }
            Step::Dispatch(_) | Step::Cancel(_) => {}
            Step::Refuse(nth) => {
                if let Some(row) = open(&self.book, nth) {
                    self.book.refuse(row.id, &error, &note).unwrap()
                }
            }
            Step::Withdraw(nth) => {
                let _ = row(&self.book, nth).map(|row| self.book.withdraw(row.id).is_ok());
            }
            Step::Retry(nth) => {
                // `retry` takes rows that are open or refused.
                let row = row(&self.book, nth).filter(|row| row.state != OutboxState::Withdrawn);
                let _ = row.map(|row| self.book.retry(row.id, false).is_ok());
            }
            Step::Sure(nth) => {
                if let Some(row) = open(&self.book, nth) {
                    self.book.sending(row.id, "x").unwrap();
                    self.book.not_applied(row.id).unwrap();
                    self.book.settle(row.id, OutboxState::Queued, None, None, None).unwrap();
                }
            }
            Step::Take(nth) => {
                if let Some(row) = open(&self.book, nth) {
                    self.book.sending(row.id, "x").unwrap();
                    self.book.settle(row.id, OutboxState::Sent, None, None, None).unwrap();
                }
            }
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, ..Default::default() })]

    /// However two commands and their rows come in between each other: no piece is sent twice,
    /// nothing waits to be sent for an order that is cancelled here, and an order of which nothing
    /// is on its way is as it was.
    #[test]
    fn d2_whatever_two_commands_do_at_once_no_piece_is_in_two_dispatches(steps in steps()) {
        let shelf = Shelf::new();
        let (mut book, store) = shelf.with_store();
        import(&mut book, store, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
        let mut two = Two { book, read: [(None, Status::AwaitingFulfillment); 2], keys: 0 };
        two.take(Step::Read(0));
        two.take(Step::Read(1));
        for step in steps {
            two.take(step);
            let order = two.book.order(1).unwrap();
            let sent: Decimal = order.shipments.iter().flat_map(|s| &s.lines).map(|line| line.quantity).sum();
            proptest::prop_assert!(sent <= Decimal::TWO, "{step:?}: {sent}");
            let waits = |kind: &str| order.outbox.iter().any(|row| row.state == OutboxState::Queued && row.goal.word() == kind);
            proptest::prop_assert!(!(waits("dispatch") && waits("cancel")), "{step:?}");
            let at_rest = order.outbox.iter().all(|row| matches!(row.state, OutboxState::Withdrawn));
            proptest::prop_assert!(!at_rest || order.status == Status::AwaitingFulfillment, "{step:?}: {}", order.status);
        }
    }
}

/// A clock that was ahead, by years or by hours, leaves times in the book that would never come.
#[test]
fn i6_what_a_clock_that_was_ahead_has_put_off_is_due() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("1", Status::AwaitingFulfillment))], keep).unwrap();
    let (part, seen) = (shipment("a", &[("11", 1)], false), book.order(1).unwrap().last_event);
    book.record_dispatch(&NewDispatch {
        order: 1,
        seen,
        shipment: &part,
        leave: Leave { guard: Guard::Check, unpaid: false, on_hold: false, again: false, test_order: false },
        named: true,
    })
    .unwrap();
    let due = |book: &Book| book.due(store, shelf.clock.now(), false).unwrap().len();
    let put_off = |book: &Book, by: i64| {
        let at = shelf.clock.now().timestamp_millis() + by;
        book.db.execute("UPDATE outbox SET next_at = ?", [at]).unwrap();
    };
    assert_eq!(due(&book), 1);
    put_off(&book, 25 * 60_000);
    assert_eq!(due(&book), 0);
    put_off(&book, 3 * 365 * 86_400_000);
    assert_eq!(due(&book), 1);
}

fn held(until: Option<i64>) -> HoldWish {
    HoldWish { until: until.map(|ms| Some(from_millis(ms))), reason: Some("the buyer is asked".into()) }
}

/// A day that is over ends a hold for all that reads the book next.
#[test]
fn a_hold_with_a_day_ends_by_itself_whoever_looks_first() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
    let day = shelf.clock.now() + chrono::TimeDelta::days(2);
    let wish = held(Some(day.timestamp_millis()));
    assert_eq!(book.hold(1, &wish, false).unwrap().0, Worked::Done);
    assert_eq!(book.hold(1, &wish, false).unwrap().0, Worked::Already);
    let count = |book: &Book, status: Status| book.counts().unwrap().0.get(&(store, status.word())).copied();
    let listed =
        |book: &Book, status| book.list(&Filter { status: Some(status), limit: 9, ..Filter::default() }).unwrap().len();
    let look = |book: &Book| {
        let order = book.order(1).unwrap();
        let on_hold = (count(book, Status::OnHold), listed(book, Status::OnHold));
        (order.shown, on_hold, listed(book, Status::AwaitingFulfillment), book.to_send().unwrap().0)
    };
    shelf.clock.advance(chrono::TimeDelta::days(2) - chrono::TimeDelta::milliseconds(1));
    assert_eq!(look(&shelf.open()), (Status::OnHold, (Some(1), 1), 0, 0));
    shelf.clock.advance(chrono::TimeDelta::milliseconds(1));
    assert_eq!(look(&shelf.open()), (Status::AwaitingFulfillment, (None, 0), 1, 1));
    let history = book.history(1).unwrap();
    assert_eq!(history.iter().filter(|event| event.what == "released by itself").count(), 1);
    assert_eq!(book.release(1, false).unwrap(), (Worked::Already, Status::AwaitingFulfillment));
}

/// Of a hold and a dispatch at once one is first, and the other is told.
#[test]
fn d2_a_hold_and_a_dispatch_at_once_are_never_both_done_in_silence() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
    let seen = book.order(1).unwrap().last_event;
    let whole = shipment("a", &[("11", 2), ("12", 1)], true);
    let leave = Leave { guard: Guard::Check, unpaid: false, on_hold: false, again: false, test_order: false };
    let new = NewDispatch { order: 1, seen, shipment: &whole, leave, named: true };
    shelf.open().hold(1, &HoldWish::default(), false).unwrap();
    assert_eq!(book.record_dispatch(&new).unwrap(), Recorded::Moved, "what was read is void");
    book.release(1, false).unwrap();
    let row = book.dispatched(1, &whole, Guard::Check).unwrap();
    // One that waits in the outbox waits until it is released.
    shelf.open().hold(1, &HoldWish::default(), false).unwrap();
    let due = |book: &Book| book.due(store, shelf.clock.now(), true).unwrap().len();
    assert_eq!((book.order(1).unwrap().shown, due(&book)), (Status::OnHold, 0));
    assert_eq!(book.retry(row, false).unwrap_err().kind(), ErrorKind::Refused);
    assert!(matches!(book.sending(row, "told").unwrap(), Sending::Held(_)), "held since it was found due");
    book.release(1, false).unwrap();
    assert_eq!((book.order(1).unwrap().shown, due(&book)), (Status::Shipped, 1));

    // One that was refused comes back to an order that is held meanwhile only by the merchant's word.
    let (no, note) = (
        Error::new(ErrorKind::Rejected, "no"),
        InboxNote { kind: InboxKind::Rejected, text: String::new(), hint: String::new() },
    );
    book.refuse(row, &no, &note).unwrap();
    book.hold(1, &HoldWish::default(), false).unwrap();
    assert_eq!(book.retry(row, false).unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!((book.order(1).unwrap().shown, book.order(1).unwrap().shipments.len()), (Status::OnHold, 0));
    book.release(1, false).unwrap();
    book.retry(row, false).unwrap();
    assert_eq!(book.order(1).unwrap().shown, Status::Shipped);
    // A dispatch that is taken back leaves what was there before.
    book.withdraw(row).unwrap();
    assert_eq!(book.order(1).unwrap().shown, Status::AwaitingFulfillment);
}

#[test]
fn a_hold_lies_over_what_the_order_is_and_leaves_it_as_that() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    for status in Status::ALL.into_iter().filter(|status| *status != Status::DropshipmentRequested) {
        let order = testing::order(status.word(), status);
        import(&mut book, store, &[remote(&order)], keep).unwrap();
        let id = book.find(&format!("shop:{}", status.word())).unwrap();
        let before = dump(&shelf.path());
        let events = book.history(id).unwrap().len();
        if matches!(status, Status::Shipped | Status::Cancelled) {
            assert_eq!(book.hold(id, &HoldWish::default(), false).unwrap_err().kind(), ErrorKind::Refused);
            continue;
        }
        assert_eq!(book.hold(id, &HoldWish::default(), true).unwrap().0, Worked::Done);
        assert_eq!((dump(&shelf.path()), book.history(id).unwrap().len()), (before.clone(), events), "a rehearsal");
        book.hold(id, &held(None), false).unwrap();
        assert_eq!(book.order(id).unwrap().shown, Status::OnHold);
        assert_eq!(book.order(id).unwrap().status, status);
        assert_eq!(book.release(id, false).unwrap(), (Worked::Done, status), "the channel's hold is the channel's");
        assert_eq!(dump(&shelf.path()), before);
        match (status, book.release(id, false)) {
            (Status::OnHold, Err(error)) => assert_eq!(error.kind(), ErrorKind::Refused),
            (_, done) => assert_eq!(done.unwrap(), (Worked::Already, status)),
        }
    }
}

#[test]
fn a_supplier_is_asked_only_for_what_is_to_be_shipped_as_a_whole() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut ask = |status: Status, change: fn(&mut Order), on_hold: bool| {
        let mut order = testing::order("7", status);
        change(&mut order);
        order.remote_id = format!("{}", book.size().unwrap().orders + 7);
        import(&mut book, store, &[remote(&order)], keep).unwrap();
        let id = book.find(&format!("shop:{}", order.remote_id)).unwrap();
        let leave = Leave { guard: Guard::Check, unpaid: false, on_hold, again: false, test_order: false };
        let done = book.request_dropship(id, Some("Sam"), leave, false).map(|_| ());
        let shown = book.order(id).unwrap().shown;
        assert_eq!(done.is_ok(), shown == Status::DropshipmentRequested, "{status}");
        if done.is_ok() {
            assert_eq!(book.request_dropship(id, None, leave, false).unwrap().0, Worked::Already);
            assert_eq!(book.withdraw_dropship(id, false).unwrap(), (Worked::Done, status));
            assert_eq!(book.withdraw_dropship(id, false).unwrap(), (Worked::Already, status));
        }
        done.map_err(|error| error.kind())
    };
    use Status::*;
    let plain = |_: &mut Order| {};
    assert_eq!(ask(AwaitingFulfillment, plain, false), Ok(()));
    for status in [AwaitingPayment, OnHold, PartiallyShipped, Shipped, Cancelled] {
        assert_eq!(ask(status, plain, false), Err(ErrorKind::Refused), "{status}");
    }
    assert_eq!(ask(OnHold, plain, true), Ok(()));
    assert_eq!(ask(AwaitingFulfillment, |o| o.test = true, false), Err(ErrorKind::Refused));
    assert_eq!(ask(AwaitingFulfillment, |o| o.totals.refunded = o.totals.total, false), Err(ErrorKind::Refused));
    assert_eq!(
        ask(AwaitingFulfillment, |o| o.lines.iter_mut().for_each(|line| line.ships = false), false),
        Err(ErrorKind::Refused)
    );
}

fn back(cents: i64, lines: &[(&str, i64)]) -> (Decimal, Vec<LineQuantity>) {
    let piece = |(id, n): &(&str, i64)| LineQuantity { line_id: (*id).into(), quantity: Decimal::from(*n) };
    (Decimal::new(cents, 2), lines.iter().map(piece).collect())
}

fn give_back(book: &mut Book, order: i64, (amount, lines): &(Decimal, Vec<LineQuantity>)) -> Result<(Worked, i64)> {
    book.record_refund(order, &NewRefund { amount: *amount, lines, reason: "", again: false }, false)
}

/// The order of the tests costs 33.90: 2 of line 11, 1 of line 12.
#[test]
fn p10_no_more_is_given_back_by_hand_than_is_left_and_exactly() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    order.totals.refunded = Decimal::from(10);
    order.lines[0].refunded = Decimal::ONE;
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    let before = dump(&shelf.path());
    for (cents, lines, kind) in [
        (0, vec![], ErrorKind::Usage),
        (-100, vec![], ErrorKind::Usage),
        (2391, vec![], ErrorKind::Refused),
        (100, vec![("11", 2)], ErrorKind::Refused),
        (100, vec![("99", 1)], ErrorKind::Refused),
    ] {
        assert_eq!(give_back(&mut book, 1, &back(cents, &lines)).unwrap_err().kind(), kind, "{cents} {lines:?}");
    }
    let odd = (Decimal::new(1001, 3), Vec::new());
    assert_eq!(give_back(&mut book, 1, &odd).unwrap_err().kind(), ErrorKind::Usage, "EUR has two decimals");
    assert_eq!(dump(&shelf.path()), before, "nothing of it stays");

    assert_eq!(give_back(&mut book, 1, &back(1000, &[("11", 1)])).unwrap(), (Worked::Done, 1));
    assert_eq!(give_back(&mut book, 1, &back(1000, &[("11", 1)])).unwrap(), (Worked::Already, 1));
    assert_eq!(give_back(&mut book, 1, &back(1390, &[])).unwrap(), (Worked::Done, 2), "to the last cent");
    let again = NewRefund { amount: Decimal::new(1, 2), lines: &[], reason: "", again: true };
    assert_eq!(book.record_refund(1, &again, false).unwrap_err().kind(), ErrorKind::Refused);
    let now = book.order(1).unwrap();
    assert_eq!((now.lines[0].open(), now.lines[1].open()), (Decimal::ZERO, Decimal::ONE));
    assert!(now.waits_given_back(), "all the money is back");
    assert_eq!(
        book.list(&Filter { status: Some(Status::AwaitingFulfillment), limit: 9, ..Filter::default() }).unwrap().len(),
        0
    );
    for (number, worked) in [(1, Worked::Done), (2, Worked::Done), (2, Worked::Already)] {
        assert_eq!(book.remove_refund(1, number, false).unwrap(), worked);
    }
    assert_eq!(book.remove_refund(1, 3, false).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(dump(&shelf.path()), before, "to the byte");
    assert_eq!(give_back(&mut book, 1, &back(500, &[])).unwrap(), (Worked::Done, 3), "no number is given twice");
}

/// The same money or another: until the merchant has said so both count, and it is asked once.
#[test]
fn p10_money_that_comes_back_at_the_channel_after_it_was_given_back_by_hand_is_asked_about() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    give_back(&mut book, 1, &back(1000, &[("11", 1)])).unwrap();
    let asked = |book: &Book| {
        let inbox = book.inbox(false).unwrap();
        inbox.into_iter().map(|entry| (entry.id, entry.kind, entry.hint)).collect::<Vec<_>>()
    };
    let mut take = |book: &mut Book, cents: i64| {
        order.totals.refunded = Decimal::new(cents, 2);
        order.updated_at += chrono::TimeDelta::minutes(1);
        import(book, store, &[remote(&order)], || Update::Follow(Vec::new())).unwrap();
    };
    take(&mut book, 0);
    assert_eq!(
        (asked(&book), book.order(1).unwrap().lines[0].refunded),
        (vec![], Decimal::ONE),
        "it outlives a version"
    );
    take(&mut book, 1000);
    let first = asked(&book);
    assert_eq!((first.len(), first[0].1.as_str()), (1, "refunds"));
    assert!(first[0].2.contains("refund book:1 --remove 1"), "{first:?}");
    // Settled as two refunds it stays settled until more comes.
    book.resolve(first[0].0).unwrap();
    take(&mut book, 1000);
    assert_eq!(asked(&book), vec![]);
    take(&mut book, 1500);
    assert_eq!(asked(&book).len(), 1);
    book.remove_refund(1, 1, false).unwrap();
    assert_eq!((asked(&book), book.order(1).unwrap().lines[0].refunded), (vec![], Decimal::ZERO));
}

/// What is left after a refund by hand is all that is left to be sent.
#[test]
fn p10_an_order_of_which_the_rest_was_given_back_by_hand_is_shipped() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
    book.dispatched(1, &shipment("a", &[("11", 1), ("12", 1)], false), Guard::Check).unwrap();
    give_back(&mut book, 1, &back(1000, &[("11", 1)])).unwrap();
    assert_eq!(book.order(1).unwrap().status, Status::Shipped);
    let more = shipment("b", &[("11", 1)], true);
    let leave = Leave { guard: Guard::Check, unpaid: false, on_hold: false, again: false, test_order: false };
    let new = NewDispatch { order: 1, seen: None, shipment: &more, leave, named: true };
    assert_eq!(book.record_dispatch(&new).unwrap_err().kind(), ErrorKind::Refused);
    book.remove_refund(1, 1, false).unwrap();
    assert_eq!(book.order(1).unwrap().status, Status::PartiallyShipped);
    book.record_dispatch(&new).unwrap();
}

/// Of three pieces one was shipped at the channel, and the others are the merchant's.
#[test]
fn f7_how_far_an_order_is_sent_counts_what_others_have_sent_as_well() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("7", Status::PartiallyShipped);
    let first = LineQuantity { line_id: "12".into(), quantity: Decimal::ONE };
    order.shipments = vec![RemoteShipment { remote_id: "s1".into(), lines: vec![first], ..RemoteShipment::default() }];
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    let row = book.dispatched(1, &shipment("a", &[("11", 2)], true), Guard::Check).unwrap();
    let left = |book: &Book| book.order(1).unwrap().lines.iter().map(BookLine::open).sum::<Decimal>();
    assert_eq!((book.order(1).unwrap().status, left(&book)), (Status::Shipped, Decimal::ZERO));
    super::acts::stand_by_own_acts(&book.db, 1, Status::PartiallyShipped).unwrap();
    assert_eq!((book.order(1).unwrap().status, left(&book)), (Status::Shipped, Decimal::ZERO), "accepted again");
    give_back(&mut book, 1, &back(100, &[])).unwrap();
    assert_eq!(book.order(1).unwrap().status, Status::Shipped);
    book.withdraw(row).unwrap();
    assert_eq!((book.order(1).unwrap().status, left(&book)), (Status::PartiallyShipped, Decimal::from(2)));
}

#[test]
fn notes_and_tags_are_the_merchants_own_and_leave_nothing_behind() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let orders = ["7", "8"].map(|id| remote(&testing::order(id, Status::AwaitingFulfillment)));
    import(&mut book, store, &orders, keep).unwrap();
    assert_eq!(book.add_note(1, "Mrs Jones rings on Monday", false).unwrap(), (Worked::Done, 1));
    assert_eq!(book.add_note(1, "Mrs Jones rings on Monday", false).unwrap(), (Worked::Already, 1));
    assert_eq!(book.add_note(1, "a card goes with it", false).unwrap(), (Worked::Done, 2));
    assert_eq!(book.order(1).unwrap().notes.len(), 2);
    for worked in [Worked::Done, Worked::Already] {
        assert_eq!(book.remove_note(1, 1, false).unwrap(), worked);
    }
    assert_eq!(book.add_note(1, "third", true).unwrap(), (Worked::Done, 3), "a rehearsal");
    assert_eq!(book.remove_note(1, 3, false).unwrap_err().kind(), ErrorKind::NotFound);
    let trail: Vec<String> = book.history(1).unwrap().into_iter().map(|event| event.detail).collect();
    assert!(!trail.join(" ").contains("Jones"), "{trail:?}");
    let text: i64 =
        book.db.query_row("SELECT count(*) FROM notes WHERE text LIKE '%Jones%'", [], |row| row.get(0)).unwrap();
    assert_eq!(text, 0);

    let tags = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(book.tag(1, &tags(&["vip", "it's a gift"]), false, false).unwrap().1, tags(&["it's a gift", "vip"]));
    assert_eq!(book.tag(1, &tags(&["vip"]), false, false).unwrap().0, Worked::Already);
    book.tag(2, &tags(&["vip"]), false, false).unwrap();
    let listed = |book: &Book, words: &[&str], status| {
        let filter = Filter { tags: tags(words), status, limit: 9, ..Filter::default() };
        book.list(&filter).unwrap().into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(&book, &["vip"], None), [2, 1]);
    assert_eq!(listed(&book, &["vip", "it's a gift"], Some(Status::AwaitingFulfillment)), [1]);
    assert_eq!(listed(&book, &["' OR 1 --"], None), [0; 0]);
    assert_eq!(book.tag(1, &tags(&["vip"]), true, false).unwrap(), (Worked::Done, tags(&["it's a gift"])));
    assert_eq!(book.tag(1, &tags(&["vip"]), true, false).unwrap().0, Worked::Already);
}

/// What a store keeps from being sent for a while is in no list of what is to be sent, and in none of
/// its counts, for as long as the rule says.
#[test]
fn a_new_order_is_not_to_be_sent_before_the_waiting_time_of_its_store_is_over() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let now = shelf.clock.now();
    let ages = [0, 59, 60, 61, -600];
    let orders = ages.map(|age| {
        let mut order = testing::order(&format!("{}", 1000 + age), Status::AwaitingFulfillment);
        order.placed_at = now - chrono::TimeDelta::minutes(age);
        remote(&order)
    });
    let mut promised = testing::order("7", Status::AwaitingFulfillment);
    (promised.placed_at, promised.ship_by) = (now, Some(now + chrono::TimeDelta::minutes(5)));
    import(&mut book, store, &orders, keep).unwrap();
    import(&mut book, store, &[remote(&promised)], keep).unwrap();
    let look = |book: &Book| {
        let list = |status| book.list(&Filter { status, limit: 99, ..Filter::default() }).unwrap();
        let all = list(None);
        let waits: Vec<String> =
            all.iter().filter(|row| row.not_before.is_some()).map(|row| row.number.clone()).collect();
        let offered = list(Some(Status::AwaitingFulfillment));
        assert_eq!(offered.len() + waits.len(), all.len(), "each order is either");
        assert!(offered.iter().all(|row| row.not_before.is_none()));
        assert_eq!(book.to_send().unwrap().0, offered.len() as u64);
        assert_eq!(book.to_send().unwrap().1.get(&LeftOut::Waiting).copied().unwrap_or(0), waits.len() as u64);
        for row in &all {
            assert_eq!(book.order(row.id).unwrap().not_before, row.not_before);
        }
        waits
    };
    assert_eq!(look(&book), [""; 0], "by default there is none");
    book.set_store_value(store, "send_after", Some("60")).unwrap();
    assert_eq!(look(&book), ["400", "7", "1000", "1059"]);
    book.hold(1, &HoldWish::default(), false).unwrap();
    assert_eq!(book.order(1).unwrap().not_before, None, "what is on hold is on hold");
    book.release(1, false).unwrap();
    shelf.clock.advance(chrono::TimeDelta::minutes(5));
    assert_eq!(look(&book), ["400", "1000"]);
    shelf.clock.advance(chrono::TimeDelta::minutes(55));
    assert_eq!(look(&book), [""; 0], "a clock that is ahead makes it no longer");
}

/// What decides whether an order is to be sent, put together at random: the lists, the counts, the
/// rows and the view are one rule, and what is late is to be sent.
#[test]
fn what_is_to_be_sent_is_the_same_in_every_list_count_and_view() {
    for seed in 1..=12_u64 {
        let shelf = Shelf::new();
        let book = made_up(&shelf, seed);
        let all = Filter { limit: usize::MAX, ..Filter::default() };
        let ids = |view| -> Vec<i64> {
            let mut ids: Vec<i64> =
                book.list(&Filter { view, ..all.clone() }).unwrap().iter().map(|row| row.id).collect();
            ids.sort_unstable();
            ids
        };
        let (to_send, late, today) = (ids(View::ToSend), ids(View::Late), ids(View::Today));
        let (count, left_out) = book.to_send().unwrap();
        assert_eq!(count, to_send.len() as u64, "{seed}: {left_out:?}");
        assert!(late.iter().chain(&today).all(|id| to_send.contains(id)), "{seed}: {late:?} {today:?}");
        let rows = book.list(&all).unwrap();
        let connected: Vec<Store> = book.stores().unwrap();
        let mut told: Vec<i64> = rows.iter().filter(|row| row.to_send).map(|row| row.id).collect();
        told.sort_unstable();
        assert_eq!(told, to_send, "{seed}: each row says the same");
        let open = [Status::AwaitingFulfillment, Status::PartiallyShipped, Status::DropshipmentRequested];
        let is_open =
            |row: &&OrderRow| open.contains(&row.status) && connected.iter().any(|store| store.name == row.store);
        assert_eq!(
            rows.iter().filter(is_open).count() as u64,
            count + left_out.values().sum::<u64>(),
            "{seed}: each open order is in the list or left out for one reason: {left_out:?}"
        );
        assert!(left_out.len() >= 5, "{seed}: {left_out:?}");
        let sql = "SELECT v.id FROM v_orders v WHERE v.to_send ORDER BY v.id";
        let waits = |id: &i64| rows.iter().any(|row| row.id == *id && row.not_before.is_some());
        let viewed: Vec<i64> = acts::column(&book.db, sql, []).unwrap();
        assert_eq!(viewed.into_iter().filter(|id| !waits(id)).collect::<Vec<_>>(), to_send, "{seed}: the view");
        let counted: u64 =
            connected.iter().map(|one| book.late(one.id, &book.shipping_due(one).unwrap()).unwrap()).sum();
        assert_eq!(counted, late.len() as u64, "{seed}: what `status` counts as late");
        let besides = late.iter().filter(|id| !today.contains(id)).count() as u64;
        assert_eq!(book.late_besides(&Filter { view: View::Today, ..all.clone() }).unwrap(), besides, "{seed}");
        assert!(!late.is_empty() && late.len() < to_send.len(), "{seed}: {} of {}", late.len(), to_send.len());
    }
}

/// A book of three stores, one of them removed, with orders of every kind.
fn made_up(shelf: &Shelf, seed: u64) -> Book {
    let mut book = shelf.open();
    let names = ["one", "two", "old"];
    let stores = names.map(|name| book.add_store(&store(name, name)).unwrap().id);
    let orders: Vec<RemoteOrder> =
        (1..=60).map(|n| remote(&testing::order(&n.to_string(), Status::AwaitingFulfillment))).collect();
    for store in stores {
        import(&mut book, store, &orders, keep).unwrap();
    }
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut dice = |sides: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(state >> 33).unwrap() % sides
    };
    let now = shelf.clock.now().timestamp_millis();
    let set = "UPDATE orders SET status = ?, test = ?, given_back = ?, ships = ?, placed_at = ?, imported_at = ?, ship_by = ? WHERE id = ?";
    for id in 1..=180 {
        let status = match dice(3) {
            0 => Status::ALL[usize::try_from(dice(Status::ALL.len() as i64)).unwrap()],
            _ => Status::AwaitingFulfillment,
        };
        let placed = now - dice(6 * 24 * 60) * 60_000;
        let ship_by = (dice(2) == 0).then(|| now + (dice(200) - 100) * 3_600_000);
        let facts = (dice(9) == 0, dice(9) == 0, dice(9) > 0);
        let values = params![status.word(), facts.0, facts.1, facts.2, placed, placed, ship_by, id];
        book.db.execute(set, values).unwrap();
        if dice(9) == 0 {
            book.db.execute("INSERT INTO gone VALUES (?, ?)", [id, now]).unwrap();
        }
        for (nth, field, fate) in [(7, "cancelled", "review"), (5, "cancelled", "drift"), (9, "address", "review")] {
            if id % nth == 0 {
                let sql = "INSERT OR IGNORE INTO changes VALUES (?, ?, ?)";
                book.db.execute(sql, params![id, field, fate]).unwrap();
            }
        }
        if id <= 60 && dice(4) == 0 {
            let (twin, is_copy) = (id + 60 * (1 + dice(2)), dice(2));
            let state = ["found", "confirmed", "denied"][usize::try_from(dice(3)).unwrap()];
            for (order, other, copy) in [(id, twin, is_copy), (twin, id, 1 - is_copy)] {
                book.db
                    .execute("INSERT INTO twins VALUES (?, ?, ?, ?, 'buyer', 0)", params![order, other, copy, state])
                    .unwrap();
            }
        }
    }
    book.set_store_value(stores[0], "send_after", Some("4320")).unwrap();
    book.set_store_value(stores[0], "ship_within", Some("1d")).unwrap();
    book.db.execute("UPDATE stores SET removed_at = 1 WHERE name = 'old'", []).unwrap();
    book
}

#[test]
fn q3_what_is_to_be_sent_is_counted_without_a_look_at_its_rows() {
    let (book, _) = Shelf::new().with_store();
    let filter = Filter { view: View::ToSend, ..Filter::default() };
    for sql in lists::counts(&book, &filter) {
        let steps = plan(&book, &sql);
        assert!(steps.iter().any(|step| step.contains("COVERING INDEX orders_")), "{sql}: {steps:?}");
    }
}

#[test]
fn the_newest_order_of_a_quiet_store_is_found_beside_a_busy_one() {
    let (mut book, busy) = Shelf::new().with_store();
    let quiet = book.add_store(&store("quiet", "quiet.example.test")).unwrap().id;
    let at = |id: i64, minute: i64| {
        let mut order = testing::order(&id.to_string(), Status::AwaitingFulfillment);
        order.updated_at += chrono::TimeDelta::minutes(minute);
        remote(&order)
    };
    let times = |minute| testing::order("1", Status::Shipped).updated_at + chrono::TimeDelta::minutes(minute);
    import(&mut book, quiet, &[at(1, 0), at(2, 5), at(3, 9)], keep).unwrap();
    let many: Vec<RemoteOrder> = (1..=1500).map(|id| at(id, 20 + id)).collect();
    import(&mut book, busy, &many, keep).unwrap();
    // A version that is kept beside the copy makes no second order of it.
    book.db
        .execute(
            "INSERT INTO versions SELECT order_id, 'newest', updated_at + 60000, fingerprint, codec, document FROM versions WHERE order_id = 3",
            [],
        )
        .unwrap();
    for (before, minute) in [(0, Some(10)), (1, Some(5)), (2, Some(0)), (3, None)] {
        assert_eq!(book.newest_version(quiet, before).unwrap(), minute.map(times), "{before}");
    }
    assert_eq!(book.newest_version(busy, 1).unwrap(), Some(times(1519)));
    assert_eq!(book.newest_version(busy, 1499).unwrap(), Some(times(21)));
}

#[test]
fn what_a_list_lacks_is_looked_for_from_where_the_last_comparison_ended() {
    let (mut book, store) = Shelf::new().with_store();
    let orders: Vec<RemoteOrder> =
        (1..=5).map(|id| remote(&testing::order(&id.to_string(), Status::AwaitingFulfillment))).collect();
    import(&mut book, store, &orders, keep).unwrap();
    let until = from_millis(1_795_100_000_000);
    let lacks = |book: &Book| -> Vec<i64> {
        book.not_listed(store, None, until).unwrap().into_iter().filter_map(|apart| apart.order).collect()
    };
    assert_eq!(lacks(&book), [1, 2, 3, 4, 5]);
    book.note_looked_up(store, 3).unwrap();
    assert_eq!(lacks(&book), [4, 5, 1, 2, 3]);
    book.note_gone(5).unwrap();
    assert_eq!((lacks(&book), book.known_gone(store, None, until).unwrap()), (vec![4, 1, 2, 3], 1));
}

/// Short and long, so that it has pages of its own, too; also what is in the log and in free pages.
#[test]
fn of_a_note_that_was_removed_no_byte_stays_in_the_file() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&testing::order("7", Status::AwaitingFulfillment))], keep).unwrap();
    let long = "Zebrafinch ".repeat(2_000);
    for note in ["keep this", "Zebrafinch rings twice", long.trim()] {
        book.add_note(1, note, false).unwrap();
    }
    while book.index_step().unwrap() > 0 {}
    let found = |path: PathBuf| {
        let bytes = std::fs::read(path).unwrap_or_default().to_ascii_lowercase();
        bytes.windows(10).filter(|some| some == b"zebrafinch").count()
    };
    let everywhere = || found(shelf.path()) + found(shelf.dir.path().join("orders.sqlite-wal"));
    assert!(everywhere() > 0);
    for number in [2, 3] {
        book.remove_note(1, number, false).unwrap();
    }
    assert_eq!(everywhere(), 0);
    assert_eq!(book.order(1).unwrap().notes.len(), 1);
}

#[test]
fn f1_a_round_that_gave_way_says_nothing_of_how_the_store_stands() {
    use ErrorKind::{Interrupted, Locked, Temporary};
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut round = |error: Option<ErrorKind>| {
        let run = book.start_run(RunKind::Watch, false).unwrap();
        let error = error.map(|kind| Error::new(kind, format!("{kind:?}")));
        let read = error.is_none();
        let (store_name, notes) = ("shop".into(), Vec::new());
        let summary = StoreSummary { store: store_name, exported: 0, requests: 1, bytes: 1, read, notes, error };
        book.finish_run(run, &[summary]).unwrap();
        book.round_over(run).unwrap();
        let told: Vec<_> = book.runs(9).unwrap().into_iter().filter_map(|run| run.error).collect();
        assert!(told.iter().all(|error| error == "Temporary"), "no failure of its own: {told:?}");
        book.last_error(store).unwrap().map(|error| error.why)
    };
    let failed = Some("Temporary".to_owned());
    assert_eq!(round(Some(Temporary)), failed);
    for gave_way in [Locked, Interrupted, Locked, Locked] {
        assert_eq!(round(Some(gave_way)), failed, "{gave_way:?}");
    }
    assert_eq!(round(None), None);
    assert_eq!(round(Some(Locked)), None, "all was well before it");
    assert_eq!(round(None), None);
    assert_eq!(round(Some(Interrupted)), None);
    assert_eq!(round(Some(Temporary)), failed);
}

#[test]
fn x3_nothing_is_written_while_nobody_can_be_forgotten() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut order = testing::order("7", Status::AwaitingFulfillment);
    order.buyer.remote_id = "77".into();
    import(&mut book, store, &[remote(&order)], keep).unwrap();
    let forget = vec!["77".to_owned()];
    book.keep_deliveries(&[Ring { store, orders: Vec::new(), key: None, forget }], TimeDelta::zero()).unwrap();
    let other = rusqlite::Connection::open(shelf.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(!book.begin_forgetting_told().unwrap(), "their order is open, and another process writes");
    other.execute_batch("ROLLBACK").unwrap();
    other.execute("UPDATE orders SET status = 'shipped'", []).unwrap();
    assert!(book.begin_forgetting_told().unwrap());
    assert_eq!(other.query_row("SELECT count(*) FROM to_forget", [], |row| row.get(0)), Ok(0));
    assert!(!book.begin_forgetting_told().unwrap());
}
