//! Versions of an order that come late, twice or not at all: what becomes of them hangs on the
//! newest one and on what the merchant has done, history apart.

use rust_decimal::Decimal;

use super::super::import::import_one;
use super::*;
use crate::book::HoldWish;
use crate::order::policies::KEYS;
use crate::order::{Field, Presence};

fn change(order: &mut Order, field: Field, nth: i64) {
    match field {
        Field::Cancelled => order.status = Status::Cancelled,
        Field::Shipped => order.status = Status::Shipped,
        Field::Address => order.ship_to[0].line1 = format!("{nth} Other Street"),
        Field::Lines => order.lines[0].quantity = Decimal::from(3 + nth),
        Field::Refunded => order.totals.refunded = Decimal::from(nth),
        Field::Payment => order.paid_at = order.paid_at.map(|at| at + chrono::TimeDelta::hours(nth)),
        Field::Hold => order.status = Status::OnHold,
        Field::Totals => order.totals.total = Decimal::from(50 + nth),
        Field::Notes => order.buyer_note = format!("note {nth}"),
        Field::Service => order.charges[0].title = format!("Express {nth}"),
        Field::ShipBy => order.ship_by = Some(order.placed_at + chrono::TimeDelta::days(nth)),
        Field::Archived => order.presence = Presence::Archived,
    }
}

/// The versions after the imported one, each newer than the one before.
fn any_versions() -> impl Strategy<Value = Vec<Order>> {
    let fields = proptest::sample::subsequence(Field::ALL.to_vec(), 0..=3);
    proptest::collection::vec(fields, 1..=4).prop_map(|versions| {
        let version = |(nth, fields): (usize, Vec<Field>)| {
            let mut order = testing::order("7", Status::AwaitingFulfillment);
            let nth = i64::try_from(nth).unwrap() + 1;
            fields.into_iter().for_each(|field| change(&mut order, field, nth));
            order.updated_at += chrono::TimeDelta::minutes(nth);
            order
        };
        versions.into_iter().enumerate().map(version).collect()
    })
}

fn any_policies() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(proptest::sample::select(vec!["ignore", "review", "apply"]), KEYS.len())
}

/// An order that was imported, in a store with these policies.
fn desk(policies: &[&str]) -> Desk {
    let mut desk = Desk::new();
    for (key, word) in KEYS.into_iter().zip(policies) {
        desk.open.store.values.insert(key.to_owned(), (*word).to_owned());
    }
    take(&desk, &testing::order("7", Status::AwaitingFulfillment));
    desk
}

fn take(desk: &Desk, version: &Order) {
    let mut book = desk.context.book().unwrap();
    let run = book.start_run(RunKind::Pull, false).unwrap();
    import_one(&mut book, &desk.open, run, FakeChannel::remote(version)).unwrap();
}

/// Everything that the book says of the order, but for the audit trail and when it was told.
fn standing(desk: &Desk) -> Vec<String> {
    let db = rusqlite::Connection::open(desk.context.home.book()).unwrap();
    let mut said = Vec::new();
    for (table, sql) in [
        ("order", "SELECT * FROM orders"),
        ("lines", "SELECT * FROM lines ORDER BY position"),
        ("addresses", "SELECT * FROM addresses ORDER BY kind, position"),
        ("charges", "SELECT * FROM charges ORDER BY position"),
        ("shipments", "SELECT remote_id FROM shipments"),
        ("newest", "SELECT updated_at, fingerprint FROM versions WHERE role = 'newest'"),
        ("fates", "SELECT field, fate FROM changes ORDER BY field"),
        ("holds", "SELECT until, reason FROM holds"),
        ("dropships", "SELECT supplier FROM dropships"),
        ("inbox", "SELECT kind, text, hint FROM inbox WHERE resolved_at IS NULL ORDER BY kind"),
    ] {
        let mut statement = db.prepare(sql).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<String> = (0..columns).map(|n| cell(row.get_ref(n).unwrap())).collect();
            said.push(format!("{table}: {}", cells.join(" ")));
        }
    }
    said
}

/// What the merchant may do to an order in the book alone.
#[derive(Debug, Clone, Copy)]
enum Act {
    Hold,
    Release,
    Dropship,
    Withdraw,
}

fn any_acts() -> impl Strategy<Value = Vec<Act>> {
    let one = proptest::sample::select(vec![Act::Hold, Act::Release, Act::Dropship, Act::Withdraw]);
    proptest::collection::vec(one, 0..4)
}

/// Refused ones change nothing.
fn act(desk: &Desk, act: Act) {
    let mut book = desk.context.book().unwrap();
    let done: Result<()> = match act {
        Act::Hold => book.hold(1, &HoldWish::default(), false).map(drop),
        Act::Release => book.release(1, false).map(drop),
        Act::Dropship => book.request_dropship(1, Some("Sam"), true, false).map(drop),
        Act::Withdraw => book.withdraw_dropship(1, false).map(drop),
    };
    assert!(done.map_or_else(|error| error.kind() == ErrorKind::Refused, |()| true));
}

fn cell(value: rusqlite::types::ValueRef<'_>) -> String {
    value.as_str().map_or_else(|_| format!("{value:?}"), str::to_owned)
}

fn rows_alone(standing: &[String]) -> Vec<String> {
    standing.iter().filter(|row| !["newest", "fates", "inbox"].iter().any(|t| row.starts_with(t))).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn i3_whatever_versions_came_and_in_which_order_the_newest_one_decides(
        versions in any_versions(),
        policies in any_policies(),
        before in proptest::collection::vec(any::<proptest::sample::Index>(), 0..3),
        acts in any_acts(),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
        again in any::<bool>(),
    ) {
        let newest = versions.last().unwrap();
        let [alone, many] = [(); 2].map(|()| {
            let desk = desk(&policies);
            before.iter().for_each(|nth| take(&desk, nth.get(&versions)));
            acts.iter().for_each(|one| act(&desk, *one));
            desk
        });
        take(&alone, newest);
        for nth in order {
            take(&many, nth.get(&versions));
        }
        take(&many, newest);
        if again {
            take(&many, &versions[0]);
            take(&many, newest);
        }
        prop_assert_eq!(standing(&many), standing(&alone));
    }

    /// Whatever comes from the channel, and whatever of it is accepted: a hold of the merchant's
    /// stands, and what it lies over is what it would be without it, but for a cancellation, which
    /// waits.
    #[test]
    fn p5_a_hold_and_a_request_to_a_supplier_outlive_every_version(
        versions in any_versions(),
        policies in any_policies(),
        acts in any_acts(),
        accepts in any::<bool>(),
    ) {
        let desk = desk(&policies);
        acts.iter().for_each(|one| act(&desk, *one));
        let local = desk.context.book().unwrap().circumstances(1).unwrap().local;
        for version in &versions {
            take(&desk, version);
            let mut book = desk.context.book().unwrap();
            let newest = book.newest_document(1).unwrap();
            if let Some(newest) = newest.filter(|_| accepts) {
                book.accept(1, None, None, &FakeFormat.order(&newest).unwrap()).unwrap();
            }
            let (since, order) = (book.circumstances(1).unwrap(), book.order(1).unwrap());
            prop_assert_eq!(since.local, local);
            prop_assert_eq!(order.shown, local.over(order.status));
            prop_assert!(order.status != Status::DropshipmentRequested, "that is the merchant's word alone");
            if local.held && !accepts {
                prop_assert!(order.status != Status::Cancelled, "P-3: the merchant has begun with it");
            }
        }
    }

    /// Shopify's default: nothing but a cancellation and facts is written.
    #[test]
    fn p1_what_is_ignored_leaves_the_row_as_it_is_by_the_byte(versions in any_versions()) {
        let desk = desk(&["ignore", "ignore", "apply", "ignore", "review"]);
        let before = rows_alone(&standing(&desk));
        for mut version in versions {
            if version.status == Status::Cancelled {
                version.status = Status::AwaitingFulfillment;
            }
            version.totals.refunded = Decimal::ZERO;
            version.paid_at = Some(version.placed_at);
            take(&desk, &version);
            prop_assert_eq!(&rows_alone(&standing(&desk)), &before);
        }
    }
}

#[test]
fn a_version_of_the_year_2100_and_one_that_is_older_than_the_last_stand_in_no_other_ones_way() {
    let desk = desk(&["review"; 5]);
    let at = |minutes: i64| desk.clock.now() + chrono::TimeDelta::minutes(minutes);
    let mut version = testing::order("7", Status::AwaitingFulfillment);
    change(&mut version, Field::Address, 1);
    version.updated_at = "2100-01-01T00:00:00Z".parse().unwrap();
    take(&desk, &version);
    let known = standing(&desk);
    assert!(known.contains(&"fates: address review".to_owned()), "{known:?}");
    change(&mut version, Field::Notes, 1);
    version.updated_at = at(-5);
    take(&desk, &version);
    assert_eq!(standing(&desk), known, "older than what was shown before");
    version.updated_at = at(5);
    take(&desk, &version);
    let known = standing(&desk);
    assert!(known.contains(&"fates: notes review".to_owned()), "{known:?}");
}

#[test]
fn an_address_of_blanks_empties_nothing() {
    let desk = desk(&["apply", "apply", "apply", "review", "apply"]);
    let known = rows_alone(&standing(&desk));
    let mut version = testing::order("7", Status::AwaitingFulfillment);
    for part in version.ship_to[0].label_mut() {
        *part = "   ".into();
    }
    version.updated_at += chrono::TimeDelta::minutes(1);
    take(&desk, &version);
    assert_eq!(rows_alone(&standing(&desk)), known);
}

#[test]
fn p11_an_address_that_was_applied_outlives_its_erasure() {
    let desk = desk(&["apply", "apply", "apply", "review", "apply"]);
    let mut version = testing::order("7", Status::AwaitingFulfillment);
    change(&mut version, Field::Address, 1);
    version.updated_at += chrono::TimeDelta::minutes(1);
    take(&desk, &version);
    for nth in 2..4 {
        let to = &mut version.ship_to[0];
        [&mut to.name, &mut to.line1].into_iter().for_each(String::clear);
        change(&mut version, Field::Notes, nth);
        version.updated_at += chrono::TimeDelta::minutes(1);
        take(&desk, &version);
        let ship_to = &desk.context.book().unwrap().order(1).unwrap().ship_to[0];
        assert_eq!((ship_to.line1.as_str(), ship_to.name.as_str()), ("1 Other Street", "Robin Example"));
    }
}
