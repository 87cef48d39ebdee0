//! Clearing orders of personal data (X-3).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::*;
use crate::clock::{Clock, Timestamp};

/// A link that has the postcode in it.
const TRACKED: &str = "https://track.example.test/JD-1?zip=12345";

/// A cancelled order that tells all of a person that an order can tell.
fn told(id: &str) -> Order {
    let mut order = testing::order(id, Status::Cancelled);
    order.buyer_note = "please ring".into();
    order.attributes = vec![("Gift for".into(), "Leocadia".into())];
    order.lines[0].variant = "Engraving: Leocadia".into();
    order.payment.transaction_id = "TX-1".into();
    let refund = crate::order::Refund {
        remote_id: "R-1".into(),
        refunded_at: None,
        amount: Decimal::ONE,
        reason: "for Cressida Nightingale".into(),
        lines: Vec::new(),
    };
    order.refunds = vec![refund];
    let parcel = Parcel { carrier: "dhl".into(), tracking: "JD-1".into(), url: Some(TRACKED.into()) };
    let (lines, parcels) = (Vec::new(), vec![parcel]);
    order.shipments = vec![RemoteShipment { remote_id: "S-1".into(), shipped_at: None, lines, parcels }];
    order.payment.title = "Card of Robin".into();
    for address in order.ship_to.iter_mut().chain(&mut order.bill_to) {
        address.remote_id = Some("99".into());
        address.region = "Bavaria".into();
        address.phone = "+49 170 1234567".into();
        address.email = "robin@example.test".into();
    }
    order
}

fn all_of(book: &mut Book, clock: &dyn Clock) {
    assert_eq!(book.clear_for(clock, Duration::MAX).unwrap(), Left::Nothing);
}

fn old(shelf: &Shelf, age: i64) -> Timestamp {
    shelf.clock.now() - TimeDelta::days(age)
}

/// What a later version may still tell is what clearing has left: both rules say the same.
#[test]
fn x3_a_version_that_comes_again_brings_back_nothing_of_what_was_cleared() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let orders = [told("1"), Order { bill_to: None, ..told("2") }].map(|mut order| {
        let country = if order.remote_id == "1" { "US" } else { "DE" };
        order.ship_to.iter_mut().chain(&mut order.bill_to).for_each(|address| address.country = country.into());
        order
    });
    import(&mut book, store, &orders.each_ref().map(remote), keep).unwrap();
    let before = dump(&shelf.path());
    shelf.clock.advance(TimeDelta::days(400));
    book.begin_purge(store, old(&shelf, 90), How::Purge).unwrap();
    all_of(&mut book, shelf.clock.as_ref());
    let cleared = dump(&shelf.path());
    let cell = |text: &str| format!("{:?}", rusqlite::types::ValueRef::Text(text.as_bytes()));
    // A shipment that is read anew has a number of its own.
    let unnumbered = |dump: &str| -> Vec<String> {
        let is_sent = |row: &str| row.contains(&cell("S-1")) || row.contains(&cell("JD-1"));
        let cut = |row: &str| row.split_once('|').filter(|_| is_sent(row)).map_or(row, |(_, rest)| rest).to_owned();
        dump.lines().map(cut).collect()
    };
    for gone in [
        "Robin Example",
        "robin@example.test",
        "Engraving: Leocadia",
        "TX-1",
        "please ring",
        "99",
        "Parcel",
        "for Cressida Nightingale",
        TRACKED,
    ] {
        assert!(before.contains(&cell(gone)) && !cleared.contains(&cell(gone)), "{gone}");
    }
    for kept in ["TEA-001", "33.90", "DE", "US"] {
        assert!(cleared.contains(&cell(kept)), "{kept}");
    }
    assert_eq!(cleared.matches(&cell("Bavaria")).count(), 2, "the region where tax hangs on it, and nowhere else");
    for _ in 0..2 {
        import(&mut book, store, &orders.each_ref().map(remote), keep).unwrap();
        assert_eq!(unnumbered(&dump(&shelf.path())), unnumbered(&cleared));
    }
    let refunded = Order {
        updated_at: orders[0].updated_at + TimeDelta::days(1),
        totals: crate::order::Totals { refunded: Decimal::TEN, ..orders[0].totals },
        ..orders[0].clone()
    };
    assert_eq!(import(&mut book, store, &[remote(&refunded)], keep).unwrap().changed, 1, "facts follow");
    let order = book.order(1).unwrap();
    assert_eq!((order.totals.refunded, order.status, order.buyer.name.as_str()), (Decimal::TEN, Status::Cancelled, ""));
    assert!(book.base_document(1).unwrap().unwrap() == b"{}" && book.newest_document(1).unwrap().is_none());
}

#[test]
fn x3_an_order_is_as_old_as_the_last_thing_that_happened_to_it_and_open_ones_stay() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let orders = ["1", "2", "3"].map(told);
    let open = Order { status: Status::AwaitingFulfillment, ..told("4") };
    import(&mut book, store, &orders.each_ref().map(remote), keep).unwrap();
    import(&mut book, store, &[remote(&open)], keep).unwrap();
    shelf.clock.advance(TimeDelta::days(400));
    book.add_note(2, "they called", false).unwrap();
    assert_eq!(book.old_orders(store, old(&shelf, 90)).unwrap(), (2, 1));
    assert_eq!(book.old_orders(store, old(&shelf, 10_000)).unwrap(), (0, 0));
    book.begin_purge(store, old(&shelf, 90), How::Retention).unwrap();
    all_of(&mut book, shelf.clock.as_ref());
    let purge = book.purge(store).unwrap().unwrap();
    assert_eq!((purge.orders, purge.left_out, purge.how), (2, 1, How::Retention));
    assert!(purge.finished_at.is_some());
    let cleared: Vec<bool> = (1..=4).map(|id| book.cleared(id).unwrap().is_some()).collect();
    assert_eq!(cleared, [true, false, true, false]);
    let accepted = accept(&mut book, None, None, &told("1")).map(drop);
    let noted = book.add_note(1, "again", false).map(drop);
    for refused in [noted, book.refuse_cleared(1), book.dispatched_error(1), accepted] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Refused);
    }
}

/// A sync looks through the store by its own age, and the merchant asks for another one meanwhile:
/// all that is old for the merchant is looked at, and nothing is counted twice.
#[test]
fn x3_two_that_clear_one_store_neither_skip_an_order_nor_count_one_twice() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let orders: Vec<RemoteOrder> = (1..=40).map(|n| remote(&told(&n.to_string()))).collect();
    import(&mut book, store, &orders, keep).unwrap();
    let open = Order { status: Status::AwaitingFulfillment, ..told("41") };
    import(&mut book, store, &[remote(&open)], keep).unwrap();
    shelf.clock.advance(TimeDelta::days(400));
    let pace = clearing::Pace { moment: Duration::ZERO, window: 5000 };
    let mut other = shelf.open();
    book.begin_purge(store, old(&shelf, 365), How::Retention).unwrap();
    let mut of_the_sync = book.find_old(pace).unwrap();
    of_the_sync = book.clear_old(of_the_sync.unwrap(), pace).unwrap();
    assert!(of_the_sync.is_some(), "one order at a time");
    other.begin_purge(store, old(&shelf, 90), How::Purge).unwrap();
    assert!(book.clear_old(of_the_sync.unwrap(), pace).unwrap().is_none(), "another clearing has begun");
    assert_eq!(book.purge(store).unwrap().unwrap().finished_at, None);
    // Both go on with it, each with what it has found.
    let (mut mine, mut theirs) = (None, None);
    for _ in 0..100 {
        book.clear_orders(&mut mine, pace).unwrap();
        other.clear_orders(&mut theirs, pace).unwrap();
    }
    let purge = book.purge(store).unwrap().unwrap();
    assert_eq!((purge.orders, purge.left_out, purge.how), (39, 1, How::Purge));
    assert!(purge.finished_at.is_some());
    assert!((1..=40).all(|id| book.cleared(id).unwrap().is_some()));
}

#[test]
fn x3_a_purge_that_is_called_off_ends_and_another_age_takes_its_place() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &["1", "2"].map(|id| remote(&told(id))), keep).unwrap();
    shelf.clock.advance(TimeDelta::days(400));
    let meant = old(&shelf, 9);
    book.begin_purge(store, meant, How::Purge).unwrap();
    book.begin_purge(store, old(&shelf, 30), How::Retention).unwrap();
    assert!(book.purge(store).unwrap().unwrap().is_of(meant), "what is kept no longer waits behind it");
    book.call_off_purge(store, meant).unwrap();
    assert_eq!((book.purge(store).unwrap(), book.left_to_clear().unwrap()), (None, Left::Nothing));
    book.begin_purge(store, meant, How::Purge).unwrap();
    let later = old(&shelf, 365);
    book.begin_purge(store, later, How::Purge).unwrap();
    book.call_off_purge(store, meant).unwrap();
    assert!(book.purge(store).unwrap().unwrap().is_of(later), "another one has taken its place");
    all_of(&mut book, shelf.clock.as_ref());
    book.call_off_purge(store, later).unwrap();
    assert_eq!(book.purge(store).unwrap().unwrap().orders, 2, "one that is over stays on record");
}

#[test]
fn x3_opening_clears_nothing_and_a_command_that_writes_takes_a_small_step() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let orders: Vec<RemoteOrder> = (1..=200).map(|n| remote(&told(&n.to_string()))).collect();
    import(&mut book, store, &orders, keep).unwrap();
    shelf.clock.advance(TimeDelta::days(400));
    book.begin_purge(store, old(&shelf, 90), How::Purge).unwrap();
    let done = |book: &Book| book.purge(store).unwrap().unwrap().orders;
    let mut book = shelf.open();
    assert_eq!(done(&book), 0);
    book.clear_in_passing().unwrap();
    assert!((1..=100).contains(&done(&book)), "{}", done(&book));
    let holder = rusqlite::Connection::open(shelf.path()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    assert!(book.clear_in_passing().is_err() && begun.elapsed() < Duration::from_secs(5), "it waits for nobody");
}

/// What a channel dates into the year 2100 is no reason to keep it until then.
#[test]
fn x3_an_order_of_a_time_to_come_is_as_old_as_its_import() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[remote(&told("1"))], keep).unwrap();
    let to_come = 4_102_444_800_000i64;
    for set in ["orders SET placed_at", "orders SET updated_at", "versions SET updated_at"] {
        book.db.execute(&format!("UPDATE {set} = ?"), [to_come]).unwrap();
    }
    shelf.clock.advance(TimeDelta::days(80));
    assert_eq!(book.old_orders(store, old(&shelf, 90)).unwrap(), (0, 0));
    shelf.clock.advance(TimeDelta::days(20));
    assert_eq!(book.old_orders(store, old(&shelf, 90)).unwrap(), (1, 0));
    book.begin_purge(store, old(&shelf, 90), How::Purge).unwrap();
    all_of(&mut book, shelf.clock.as_ref());
    assert!(book.cleared(1).unwrap().is_some());
}

#[test]
fn x3_an_order_that_is_opened_again_before_its_person_is_forgotten_keeps_its_address() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &["1", "2"].map(|id| remote(&told(id))), keep).unwrap();
    book.begin_forgetting(&[1, 2]).unwrap();
    // A version that cannot be read leaves no document behind in this moment either.
    import(&mut book, store, &[unreadable("2")], keep).unwrap();
    assert_eq!(book.inbox(true).unwrap().len(), 0);
    book.db.execute("UPDATE orders SET status = 'awaiting-fulfillment' WHERE id = 1", []).unwrap();
    all_of(&mut book, shelf.clock.as_ref());
    assert!(book.cleared(1).unwrap().is_none() && book.cleared(2).unwrap().is_some());
    assert_eq!(book.order(1).unwrap().buyer.name, "Robin Example");
}

/// A channel may write the buyer's name where it writes a number for others.
#[test]
fn x3_a_person_whom_the_channel_knows_by_two_names_is_forgotten_by_each() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let by = |id: &str, buyer: &str| {
        let mut order = told(id);
        order.buyer.remote_id = buyer.into();
        remote(&order)
    };
    import(&mut book, store, &[by("1", "uId7"), by("2", "robin_sells"), by("3", "robin")], keep).unwrap();
    let forget = vec!["uId7".to_owned(), "robin_sells".to_owned()];
    let erased = crate::book::Ring { store, orders: Vec::new(), key: Some("n-1".into()), forget };
    book.keep_deliveries(&[erased], TimeDelta::zero()).unwrap();
    assert!(book.begin_forgetting_told().unwrap());
    all_of(&mut book, shelf.clock.as_ref());
    let left = [1, 2, 3].map(|id| book.cleared(id).unwrap().is_none());
    assert_eq!(left, [false, false, true], "nobody else");
    assert!(!book.begin_forgetting_told().unwrap());
}

#[test]
fn x3_the_document_of_an_order_that_could_not_be_read_goes_with_its_entry() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &[unreadable("7")], keep).unwrap();
    let documents = |book: &Book| -> i64 {
        book.db.query_row("SELECT count(*) FROM inbox WHERE document IS NOT NULL", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(documents(&book), 1);
    let entry = book.inbox(false).unwrap()[0].id;
    assert!(book.resolve(entry).unwrap());
    assert_eq!(documents(&book), 0);
}

/// An order of somebody, with nothing else of a person in it.
fn sold(id: &str, (customer, email, phone, name): (&str, &str, &str, &str)) -> Order {
    let mut order = testing::order(id, Status::Cancelled);
    order.number = format!("N-{id}");
    order.buyer.remote_id = customer.into();
    order.buyer.email = email.into();
    order.buyer.phone = phone.into();
    order.buyer.name = name.into();
    for address in order.ship_to.iter_mut().chain(&mut order.bill_to) {
        (address.email, address.phone, address.name) = (String::new(), phone.into(), name.into());
    }
    order
}

#[test]
fn x3_whose_orders_are_whose_is_told_by_address_number_and_phone_and_never_by_name_alone() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let mut orders = [
        sold("101", ("7", "Ann@Example.test", "+49 170 1234567", "Ann Other")),
        sold("102", ("7", "ann.other@example.test", "", "Ann Other")),
        sold("103", ("0", " ann@example.TEST ", "", "Ann Other")),
        sold("104", ("0", "bob@example.test", "0170 1234567", "Bob")),
        sold("105", ("", "", "", "")),
        sold("106", ("0", "gina@example.test", "+39 170 1234567", "Gina")),
        sold("107", ("900", "", "", "Sale at the counter")),
        sold("108", ("900", "zoe@example.test", "", "Zoe")),
        sold("109", ("55", "max@example.test", "", "Max")),
        sold("110", ("56", "eve@example.test", "", "Eve")),
    ];
    orders[3].ship_to[0].email = "ANN@example.test".into();
    orders[9].number = "#55".into();
    import(&mut book, store, &orders.each_ref().map(remote), keep).unwrap();
    let found = |user: &str| {
        let person = book.person(store, user).unwrap();
        (person.orders, person.doubt)
    };
    let several = Some(Doubt::Several);
    assert_eq!(found("ann@example.test"), (vec![1, 2, 3, 4], None), "with what was bought with the same number");
    assert_eq!(found("7"), (vec![1, 2, 3, 4], several), "under several addresses");
    assert_eq!(found("+49 170 1234567"), (vec![1, 4], several), "a household may share a phone");
    assert_eq!(found("+39 170 1234567"), (vec![4, 6], several), "one that is written without a country may be it");
    assert_eq!(found("0170-1234567"), (vec![1, 4, 6], several));
    assert_eq!(found("gina@example.test"), (vec![6], None));
    assert_eq!(found("900"), (vec![7, 8], several), "all who bought at the counter");
    assert_eq!(found("zoe@example.test").1, several, "with what others bought at the counter");
    assert_eq!(found("55"), (vec![9], Some(Doubt::Number)), "order #55 is somebody else's");
    assert_eq!(found("56"), (vec![10], None));
    for nobody in ["0", "", "nobody@example.test", "1234567", "Ann Other"] {
        assert_eq!(found(nobody), (vec![], None), "{nobody}");
    }
    assert_eq!(book.person(store, "ann OTHER").unwrap().namesakes, [1, 2, 3]);
}

#[test]
fn x3_an_order_that_could_not_be_read_is_found_by_whatever_its_person_is_known_by() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let known = sold("101", ("7", "ann@example.test", "+49 170 1234567", "Ann Other"));
    import(&mut book, store, &[remote(&known)], keep).unwrap();
    let documents = [
        ("1", r#"{"customer":{"id":7}}"#),
        ("2", r#"{"customer_id":"gid://shop/Customer/7"}"#),
        ("3", r#"{"billing":{"phone":"0170/1234567"}}"#),
        ("4", r#"{"billing":{"email":"ANN\u0040example.test"}}"#),
        ("5", r#"{"lines":[{"quantity":7}],"customer":{"id":8},"phone":"+39 170 1234567"}"#),
    ];
    let unread = documents
        .map(|(id, text)| RemoteOrder { document: RawValue::from_string(text.into()).unwrap(), ..unreadable(id) });
    import(&mut book, store, &unread, keep).unwrap();
    let named = |user: &str| book.person(store, user).unwrap().unreadable;
    assert_eq!(named("ann@example.test"), ["1", "2", "3", "4"]);
    assert_eq!(named("7"), ["1", "2", "3", "4"]);
    assert_eq!(named("+49 170 1234567"), ["3"]);
    assert_eq!(named("8"), ["5"]);
}

#[test]
fn x3_what_is_left_of_a_cleared_order_is_found_at_once() {
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    import(&mut book, store, &["1", "2"].map(|id| remote(&told(id))), keep).unwrap();
    while book.index_step().unwrap() > 0 {}
    shelf.clock.advance(TimeDelta::days(400));
    book.begin_purge(store, old(&shelf, 90), How::Purge).unwrap();
    all_of(&mut book, shelf.clock.as_ref());
    assert_eq!(book.unsearched().unwrap(), 0, "no search has to look at them again");
    let found = |text: &str| {
        let mut found = Vec::new();
        let take = |order, _| {
            found.push(order);
            Ok(true)
        };
        book.search(text, take).unwrap();
        found
    };
    assert_eq!((found("TEA-001"), found("Robin")), (vec![2, 1], vec![]));
}

impl Book {
    fn dispatched_error(&mut self, order: i64) -> Result<()> {
        let leave = Leave { guard: Guard::Force, unpaid: true, on_hold: true, again: true, test_order: true };
        self.may_go_out(order, Way::Dispatch { named: false }, leave)
    }
}

/// `cargo test --release --lib measured_a_purge -- --ignored --nocapture` prints it: how long a
/// purge of a million orders takes, and how long somebody waits for the lock who writes all the
/// time.
#[test]
#[ignore = "a measurement"]
fn measured_a_purge_of_a_million_orders() {
    let number = std::env::var("ORDERS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000u64);
    let shelf = Shelf::new();
    let (mut book, store) = shelf.with_store();
    let begun = Instant::now();
    for page in 0..number.div_ceil(500) {
        let orders: Vec<RemoteOrder> = (page * 500..number.min(page * 500 + 500))
            .map(|n| {
                let mut order = told(&n.to_string());
                order.buyer.name = format!("Robin Example-{n}");
                order.buyer.email = format!("robin{n}@example.test");
                order.status = if n % 2 == 0 { Status::Shipped } else { Status::Cancelled };
                remote(&order)
            })
            .collect();
        import(&mut book, store, &orders, keep).unwrap();
    }
    while book.index_step().unwrap() > 0 {}
    let size = std::fs::metadata(shelf.path()).unwrap().len() / 1_000_000;
    println!("{number} orders imported and indexed in {:?}, {size} MB", begun.elapsed());
    shelf.clock.advance(TimeDelta::days(400));
    let over = AtomicBool::new(false);
    let waits = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut book = shelf.open();
            let mut waits = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                book.write("written", |_| Ok(())).unwrap();
                waits.push(begun.elapsed());
                std::thread::sleep(Duration::from_millis(7));
            }
            waits
        });
        let begun = Instant::now();
        book.begin_purge(store, old(&shelf, 90), How::Purge).unwrap();
        let mut stage = (Left::Orders, begun);
        loop {
            let left = book.clear_for(shelf.clock.as_ref(), Duration::from_millis(1)).unwrap();
            if left != stage.0 {
                println!("{}: {:?}", stage.0.word(), stage.1.elapsed());
                stage = (left, Instant::now());
            }
            if left == Left::Nothing {
                break;
            }
        }
        println!("purge of {number} orders: {:?}", begun.elapsed());
        over.store(true, Ordering::Relaxed);
        other.join().unwrap()
    });
    let mut waits = waits;
    waits.sort();
    let at = |share: usize| waits[(waits.len() - 1) * share / 1000];
    println!(
        "{} waits of another writer: p50 {:?}, p99 {:?}, p99.9 {:?}, longest {:?}",
        waits.len(),
        at(500),
        at(990),
        at(999),
        at(1000)
    );
    assert_eq!(book.purge(store).unwrap().unwrap().orders, number);
}
