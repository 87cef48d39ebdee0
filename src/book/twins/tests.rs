//! Twins in a book: none that are none among many made-up orders, and all that are.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::*;
use crate::book::NewStore;
use crate::channel::Values;
use crate::clock::{Clock, ManualClock};
use crate::order::{Order, testing};

/// When the first order is placed, and the milliseconds of the year in which all are.
const BEGIN: i64 = 1_764_000_000_000;
const YEAR: i64 = 365 * 86_400_000;
const MINUTE: i64 = 60_000;

/// A marketplace, where every order is a buyer's own, and three shops; with the sources of what
/// their buyers placed and of what programs or people of the shop made.
const STORES: [(&str, ChannelKind, &str, [&str; 2]); 4] = [
    ("market", ChannelKind::Example, "", ["", ""]),
    ("shopify", ChannelKind::Shopify, "web", ["1466707", "shopify_draft_order"]),
    ("woo", ChannelKind::WooCommerce, "checkout", ["rest-api", "admin"]),
    ("big", ChannelKind::BigCommerce, "www", ["external", "manual"]),
];

struct Shelf {
    _dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    book: Book,
    stores: Vec<i64>,
}

impl Shelf {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(from_millis(BEGIN + YEAR)));
        let mut book = Book::open(&dir.path().join("orders.sqlite"), clock.clone()).unwrap();
        let add = |(name, kind, ..): &(&str, ChannelKind, &str, [&str; 2])| {
            let store = NewStore {
                name: (*name).into(),
                kind: *kind,
                remote_id: (*name).into(),
                title: (*name).into(),
                url: String::new(),
                currency: None,
                time_zone: "UTC".into(),
                values: Values::new(),
                facts: serde_json::Value::Null,
                since: None,
            };
            book.add_store(&store).unwrap().id
        };
        let stores = STORES.iter().map(add).collect();
        Self { _dir: dir, clock, book, stores }
    }

    /// Takes these orders of the stores in, and gives their numbers in the book.
    fn take(&mut self, orders: &[(usize, Order)], seeks: bool) -> Vec<i64> {
        let (by, stores) = (self.book.by(Who::Channel), self.stores.clone());
        let one = |db: &Connection, (store, order): &(usize, Order)| {
            let id = copy::insert_copy(db, stores[*store], order, by.at)?;
            if seeks {
                let sold_here = (STORES[*store].1.adapter().sold_here)(&order.source);
                seek(db, id, &Sale::of(stores[*store], sold_here, order), by)?;
            }
            Ok(id)
        };
        self.book.write("written", |db| orders.iter().map(|order| one(db, order)).collect()).unwrap()
    }

    /// Each pair: original, copy.
    fn pairs(&self) -> BTreeSet<(i64, i64)> {
        let mut rows = self.book.db.prepare("SELECT order_id, twin_id FROM twins WHERE NOT copy").unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    /// The first are wanted most.
    fn popular(&mut self, below: u64) -> u64 {
        let one = self.roll(below);
        self.roll(one + 1)
    }
}

/// One of the buyers: a name that many have, in one of two thousand postcodes.
fn address(buyer: u64) -> crate::order::Address {
    let (first, last, place) = (buyer % 97, buyer / 7 % 401, buyer * 31 % 2000);
    crate::order::Address {
        name: format!("First{first} Last{last}"),
        line1: format!("{} Test Street", buyer % 60),
        city: "Sampleton".into(),
        postcode: format!("{:05}", 10_000 + place * 37),
        country: "DE".into(),
        ..testing::address()
    }
}

/// An order of a buyer, as popular as things are: one product or two, in few pieces.
fn bought(dice: &mut Dice, nth: u64, store: usize, at: i64) -> Order {
    let buyer = dice.popular(30_000);
    let lines = (0..=dice.roll(10) / 8).map(|line| {
        let product = dice.popular(60);
        let pieces = i64::try_from(1 + dice.roll(12) / 10).unwrap();
        testing::line(
            &line.to_string(),
            &format!("SKU-{product}"),
            pieces,
            990 + 500 * i64::try_from(product % 7).unwrap(),
        )
    });
    let lines: Vec<_> = lines.collect();
    let mut order = testing::order(&(10_000 + nth).to_string(), Status::AwaitingFulfillment);
    order.totals.total = lines.iter().map(|line| line.total).sum::<Decimal>() + Decimal::new(490, 2);
    (order.lines, order.ship_to, order.placed_at) = (lines, vec![address(buyer)], from_millis(at));
    let (_, kind, own, others) = STORES[store];
    let made = dice.roll(4) == 0;
    order.source = if made { others[usize::try_from(dice.roll(2)).unwrap()] } else { own }.into();
    match kind {
        ChannelKind::Example => order.remote_id = market_number(nth),
        ChannelKind::Shopify => order.remote_id = (5_100_000_000_000 + nth * 32_768).to_string(),
        _ => {}
    }
    if kind == ChannelKind::Example {
        order.number.clone_from(&order.remote_id);
    }
    order.buyer_note = match dice.roll(20) {
        0 => format!("call 0170{:08}", dice.roll(100_000_000)),
        1 => "by 2026-11-29 please".into(),
        2 => format!("with my order {}", market_number(dice.roll(nth + 1))),
        _ => String::new(),
    };
    order
}

fn market_number(nth: u64) -> String {
    format!("1{:02}-{:07}-{:07}", nth % 90 + 10, nth * 7919 % 10_000_000, nth)
}

/// What a connector makes of a marketplace's order.
fn connected(dice: &mut Dice, original: &Order, nth: u64, store: usize) -> Order {
    let (_, kind, _, made) = STORES[store];
    let mut order = original.clone();
    order.remote_id = (900_000 + nth).to_string();
    order.number = format!("#{}", order.remote_id);
    order.source = made[0].into();
    order.buyer_note.clear();
    // By a number it is known later, too.
    let late = if nth % 6 < 4 { dice.roll(5) * 1440 } else { dice.roll(61) };
    let late = i64::try_from(late).unwrap() * MINUTE;
    order.placed_at = from_millis(original.placed_at.timestamp_millis() + late);
    let number = original.number.clone();
    match nth % 6 {
        0 => order.buyer_note = format!("Imported from Amazon Order ID: {number}"),
        1 => order.attributes.push(("Amazon Order Id".into(), number)),
        2 => {
            // Taxes that the marketplace keeps.
            order.totals.total -= Decimal::ONE;
            order.attributes.push(("tags".into(), format!("amazon, AMAZON_ORDER:{number}")));
        }
        3 => {
            order.lines.iter_mut().for_each(|line| line.sku = format!("SHOP-{}", line.sku));
            order.number = format!("AMZ{number}");
        }
        4 => order.ship_to[0].name = original.ship_to[0].name.to_uppercase(),
        _ => {
            order.ship_to[0].postcode.insert(2, ' ');
            order.lines.iter_mut().for_each(|line| line.sku.clear());
        }
    }
    order.totals.total.rescale(if kind == ChannelKind::BigCommerce { 4 } else { 2 });
    order
}

/// A book of so many orders of all stores in a year, and which of them are twins.
fn book(orders: u64, seed: u64) -> (Shelf, BTreeSet<(i64, i64)>) {
    let mut dice = Dice(seed);
    let (mut made, mut planted) = (Vec::<(usize, Order)>::new(), Vec::new());
    let mut nth = 0;
    while (made.len() as u64) < orders {
        nth += 1;
        let store = usize::try_from(dice.roll(4)).unwrap();
        let at = BEGIN + YEAR / i64::try_from(orders).unwrap() * made.len() as i64;
        let order = bought(&mut dice, nth, store, at);
        match dice.roll(50) {
            // The same again, in the same shop or another, a few minutes later.
            0 => {
                let other = usize::try_from(dice.roll(4)).unwrap();
                let mut again = order.clone();
                (again.remote_id, again.number) = ((800_000 + nth).to_string(), (800_000 + nth).to_string());
                again.placed_at += chrono::TimeDelta::minutes(7);
                if STORES[store].2 == order.source {
                    again.source = STORES[other].2.into();
                    made.push((other, again));
                }
            }
            // Sent again for nothing.
            1 if store == 0 => {
                let mut again = order.clone();
                (again.remote_id, again.source) = ((700_000 + nth).to_string(), "admin".into());
                again.buyer_note = format!("replacement for {}", order.number);
                again.totals.total = Decimal::ZERO;
                made.push((2, again));
            }
            2..5 if store == 0 => {
                let shop = usize::try_from(1 + dice.roll(3)).unwrap();
                planted.push((made.len() + 1, made.len()));
                made.push((shop, connected(&mut dice, &order, nth, shop)));
            }
            _ => {}
        }
        made.push((store, order));
    }
    let mut shelf = Shelf::new();
    // Some of the copies come before what they were made of.
    let mut places: Vec<usize> = (0..made.len()).collect();
    for (original, copy) in planted.iter().filter(|(original, _)| original % 2 == 0) {
        places.swap(*original, *copy);
    }
    let in_order: Vec<(usize, Order)> = places.iter().map(|place| made[*place].clone()).collect();
    let ids = shelf.take(&in_order, true);
    let mut id_of = vec![0; ids.len()];
    places.iter().zip(&ids).for_each(|(place, id)| id_of[*place] = *id);
    (shelf, planted.into_iter().map(|(original, copy)| (id_of[original], id_of[copy])).collect())
}

#[test]
fn among_many_orders_only_twins_are_twins() {
    let (shelf, planted) = book(100_000, 1);
    let found = shelf.pairs();
    assert!(planted.len() > 1000, "{}", planted.len());
    let told = |pairs: Vec<&(i64, i64)>| {
        let sales = pairs.into_iter().take(5).map(|(one, other)| [one, other].map(|id| sale(&shelf.book.db, *id)));
        sales.collect::<Vec<_>>()
    };
    let (wrong, missed) = (told(found.difference(&planted).collect()), told(planted.difference(&found).collect()));
    assert!(wrong.is_empty() && missed.is_empty(), "wrong: {wrong:#?}\nmissed: {missed:#?}");
}

/// A marketplace's order and what a shop's connector made of it, with what `change` does to that.
fn two(change: impl FnOnce(&mut Order)) -> [(usize, Order); 2] {
    let mut sale = testing::order("113-4300393-6159415", Status::AwaitingFulfillment);
    sale.source.clear();
    let mut made = sale.clone();
    (made.remote_id, made.number, made.source) = ("17".into(), "17".into(), "rest-api".into());
    change(&mut made);
    [(0, sale), (2, made)]
}

/// What is done to the copy, and what that is called.
type Case<'c> = (&'c str, &'c dyn Fn(&mut Order));

/// Whether they are twins, whichever of them comes first and whenever they are looked for.
fn are_twins(change: impl Fn(&mut Order)) -> bool {
    let mut orders = two(change);
    let found = [false, true].map(|turned| {
        if turned {
            orders.reverse();
        }
        let at_once = {
            let mut shelf = Shelf::new();
            shelf.take(&orders, true);
            shelf.pairs().len()
        };
        let mut shelf = Shelf::new();
        let ids = shelf.take(&orders, false);
        let sql = "UPDATE twins_unsought SET up_to = (SELECT max(id) FROM orders)";
        shelf.book.db.execute(sql, []).unwrap();
        while shelf.book.seek_old_twins().unwrap() {}
        let pairs = shelf.pairs();
        assert_eq!(pairs.len(), at_once);
        let expected = if turned { (ids[1], ids[0]) } else { (ids[0], ids[1]) };
        assert!(pairs.iter().all(|pair| *pair == expected), "original and copy: {pairs:?}, {expected:?}");
        pairs.len() == 1
    });
    assert_eq!(found[0], found[1]);
    found[0]
}

#[test]
fn twins_are_known_by_buyer_and_time_or_by_a_number_and_nothing_else() {
    let elsewhere = |order: &mut Order| order.ship_to[0].postcode = "54321".into();
    let later = |order: &mut Order, minutes| order.placed_at += chrono::TimeDelta::minutes(minutes);
    let numbered = |order: &mut Order| order.buyer_note = "Amazon Order ID: 113-4300393-6159415".into();
    let yes: [Case<'_>; 9] = [
        ("all the same", &|_| {}),
        ("an hour later", &|o| later(o, 60)),
        ("written otherwise", &|o| {
            o.ship_to[0].name = "EXAMPLE, ROBIN J.".into();
            o.ship_to[0].postcode = "12-345".into();
            o.totals.total.rescale(4);
            o.lines.reverse();
        }),
        ("without SKUs", &|o| o.lines.iter_mut().for_each(|line| line.sku.clear())),
        ("a number and the total", &|o| {
            numbered(o);
            o.lines.pop();
            elsewhere(o);
        }),
        ("a number and the pieces", &|o| {
            numbered(o);
            o.totals.total += Decimal::ONE;
            later(o, 9 * 1440);
        }),
        ("a number and nobody known", &|o| {
            numbered(o);
            o.ship_to.clear();
        }),
        ("a number in a tag", &|o| {
            o.attributes = vec![("tags".into(), "a, AMAZON_ORDER:113-4300393-6159415".into())];
            later(o, 1440);
        }),
        ("a number without hyphens as its own", &|o| {
            o.number = "AMZ11343003936159415".into();
            later(o, 1440);
        }),
    ];
    for (what, change) in yes {
        assert!(are_twins(change), "{what}");
    }
    let no: [Case<'_>; 15] = [
        ("another hour", &|o| later(o, 61)),
        ("before the sale", &|o| later(o, -6)),
        ("another place", &elsewhere),
        ("another name", &|o| o.ship_to[0].name = "Kim Example".into()),
        ("another country", &|o| o.ship_to[0].country = "FR".into()),
        ("other pieces", &|o| o.lines[0].quantity += Decimal::ONE),
        ("another total", &|o| o.totals.total += Decimal::ONE),
        ("no name", &|o| o.ship_to[0].name.clear()),
        ("no postcode", &|o| o.ship_to[0].postcode.clear()),
        ("no address", &|o| o.ship_to.clear()),
        ("at the own checkout", &|o| o.source = "checkout".into()),
        ("by the staff, with the number", &|o| {
            numbered(o);
            o.source = "admin".into();
        }),
        ("a number, for somebody else", &|o| {
            numbered(o);
            elsewhere(o);
            o.ship_to[0].name = "Kim Other".into();
        }),
        ("a number, for nothing", &|o| {
            numbered(o);
            o.totals.total = Decimal::ZERO;
            later(o, 1440);
        }),
        ("another number", &|o| {
            o.buyer_note = "113-4300393-6159416, 13-4300393-6159415, 2026-11-29".into();
            later(o, 1440);
        }),
    ];
    for (what, change) in no {
        assert!(!are_twins(change), "{what}");
    }
    assert!(!are_twins(|order| order.test = true), "a test");
}

/// Nothing is told where it could be one of several; what has its twin has no other.
#[test]
fn of_two_equal_sales_neither_is_guessed() {
    let [sale, made] = two(|_| {});
    let mut again = sale.clone();
    again.1.remote_id = "113-4300393-6159416".into();
    again.1.number.clone_from(&again.1.remote_id);
    let mut shelf = Shelf::new();
    shelf.take(&[sale.clone(), again.clone(), made.clone()], true);
    assert!(shelf.pairs().is_empty());
    let mut shelf = Shelf::new();
    let ids = shelf.take(&[sale, made, again], true);
    assert_eq!(shelf.pairs(), BTreeSet::from([(ids[0], ids[1])]));
}

/// What is over needs nobody.
#[test]
fn only_of_what_is_still_to_be_sent_the_inbox_tells() {
    for (first, second, told) in [
        (Status::AwaitingFulfillment, Status::AwaitingFulfillment, 1),
        (Status::Shipped, Status::AwaitingFulfillment, 1),
        (Status::Shipped, Status::Shipped, 0),
        (Status::Cancelled, Status::AwaitingFulfillment, 0),
    ] {
        let mut orders = two(|_| {});
        (orders[0].1.status, orders[1].1.status) = (first, second);
        let mut shelf = Shelf::new();
        shelf.take(&orders, true);
        assert_eq!((shelf.pairs().len(), shelf.book.inbox(false).unwrap().len()), (1, told), "{first} {second}");
    }
}

/// A sale counts until one of its two orders is sent, whichever that is; an order whose twin is
/// cancelled counts by itself.
#[test]
fn a_sale_counts_once_by_whatever_becomes_of_its_two_orders() {
    use Status::{AwaitingFulfillment as Open, Cancelled, OnHold, PartiallyShipped as Partly, Shipped};
    for (original, made, counted) in [
        (Open, Open, (1, 1)),
        (Open, Shipped, (0, 1)),
        (Shipped, Open, (0, 1)),
        (Shipped, Shipped, (0, 0)),
        (Partly, Open, (1, 1)),
        (Cancelled, Open, (1, 0)),
        (OnHold, Open, (1, 0)),
        (Open, Cancelled, (1, 0)),
    ] {
        let mut orders = two(|_| {});
        (orders[0].1.status, orders[1].1.status) = (original, made);
        let mut shelf = Shelf::new();
        shelf.take(&orders, true);
        let (to_send, left_out) = shelf.book.to_send().unwrap();
        let twins = left_out.get(&crate::book::LeftOut::Twin).copied().unwrap_or(0);
        assert_eq!((to_send, twins), counted, "{original} {made}");
        let listed = crate::book::Filter { view: crate::book::View::ToSend, limit: 9, ..Default::default() };
        assert_eq!(shelf.book.list(&listed).unwrap().len() as u64, to_send, "{original} {made}");
    }
}

/// Two terminals dispatch the two orders at the same time: what the second decided is void.
#[test]
fn d2_a_dispatch_of_one_twin_voids_what_was_decided_about_the_other() {
    let mut shelf = Shelf::new();
    let ids = shelf.take(&two(|_| {}), true);
    let seen = shelf.book.order(ids[1]).unwrap().last_event;
    let shipment = |key: &str| crate::order::Shipment {
        key: key.into(),
        shipped_at: shelf.clock.now(),
        lines: vec![crate::order::LineQuantity { line_id: "11".into(), quantity: Decimal::ONE }],
        parcels: Vec::new(),
        notify: false,
        completes: false,
        counted: Vec::new(),
    };
    let (one, other) = (shipment("a"), shipment("b"));
    shelf.book.dispatched(ids[0], &one, crate::book::Guard::Check).unwrap();
    let leave = crate::book::Leave {
        guard: crate::book::Guard::Check,
        unpaid: false,
        on_hold: false,
        again: false,
        test_order: false,
    };
    let new = crate::book::NewDispatch { order: ids[1], seen, shipment: &other, leave, named: true };
    assert_eq!(shelf.book.record_dispatch(&new).unwrap(), crate::book::Recorded::Moved);
}
