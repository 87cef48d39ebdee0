//! Versions of an order that come late, twice or not at all: what becomes of them hangs on the
//! newest one and on what the merchant has done, history apart.

use rust_decimal::Decimal;

use super::super::goes_by::Versions;
use super::super::import::import_one;
use super::super::{accept, edit, undecided};
use super::*;
use crate::book::{HoldWish, NewRefund};
use crate::order::policies::KEYS;
use crate::order::sums::balanced;
use crate::order::{Fate, Field, Presence};

/// So many cases where nobody asks for others by `PROPTEST_CASES`.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    ProptestConfig::with_cases(asked.unwrap_or(usual))
}

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
            // As every adapter makes it.
            balanced(order).unwrap()
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
    set(&mut desk, policies);
    take(&desk, &testing::order("7", Status::AwaitingFulfillment));
    desk
}

/// Sets the store to do this with changes; what is kept is not decided again yet.
fn set(desk: &mut Desk, policies: &[&str]) {
    let mut book = desk.context.book().unwrap();
    for (key, word) in KEYS.into_iter().zip(policies) {
        // What no command sets: archiving changes nothing here.
        book.set_store_value(desk.open.store.id, key, Some(word)).unwrap();
    }
    desk.open.store = book.store(&desk.open.store.name).unwrap().unwrap();
}

/// Decides again about what is to be decided again.
fn decide_again(desk: &Desk) {
    let mut book = desk.context.book().unwrap();
    for due in book.undecided(0, 99).unwrap() {
        assert!(undecided::one(&mut book, &desk.open.store, desk.open.format.as_ref(), due).unwrap());
    }
    assert!(!book.is_any_undecided().unwrap());
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
        ("own refunds", "SELECT number, amount, lines, known, removed_at IS NULL FROM own_refunds ORDER BY number"),
        ("dropships", "SELECT supplier FROM dropships"),
        // That something was taken back once stays told whatever comes after it.
        (
            "inbox",
            "SELECT kind, text, hint FROM inbox WHERE resolved_at IS NULL AND kind <> 'taken-back' ORDER BY kind",
        ),
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
    Refund,
    RemoveRefund,
}

fn any_acts() -> impl Strategy<Value = Vec<Act>> {
    let one = proptest::sample::select(vec![
        Act::Hold,
        Act::Release,
        Act::Dropship,
        Act::Withdraw,
        Act::Refund,
        Act::RemoveRefund,
    ]);
    proptest::collection::vec(one, 0..4)
}

/// Refused ones change nothing.
fn act(desk: &Desk, act: Act) {
    let mut book = desk.context.book().unwrap();
    let done: Result<()> = match act {
        Act::Hold => book.hold(1, &HoldWish::default(), false).map(drop),
        Act::Release => book.release(1, false).map(drop),
        Act::Dropship => {
            let leave = crate::book::Leave::of_no_dispatch(crate::book::Guard::Force);
            book.request_dropship(1, Some("Sam"), leave, false).map(drop)
        }
        Act::Withdraw => book.withdraw_dropship(1, false).map(drop),
        Act::Refund => {
            let lines = [LineQuantity { line_id: "11".into(), quantity: Decimal::ONE }];
            let new = NewRefund { amount: Decimal::from(2), lines: &lines, reason: "", again: false };
            book.record_refund(1, &new, false).map(drop)
        }
        Act::RemoveRefund => book.remove_refund(1, 1, false).map(drop),
    };
    assert!(done.map_or_else(|error| matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotFound), |()| true));
}

fn cell(value: rusqlite::types::ValueRef<'_>) -> String {
    value.as_str().map_or_else(|_| format!("{value:?}"), str::to_owned)
}

fn rows_alone(standing: &[String]) -> Vec<String> {
    standing.iter().filter(|row| !["newest", "fates", "inbox"].iter().any(|t| row.starts_with(t))).cloned().collect()
}

proptest! {
    #![proptest_config(cases(48))]

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
            if newest.filter(|_| accepts).is_some() {
                let order = book.order(1).unwrap();
                accept::accept(&mut book, &desk.open.store, &FakeFormat, &order, &[]).unwrap();
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

    /// Shopify's default: nothing but a cancellation and facts (money, holds) is written.
    #[test]
    fn p1_what_is_ignored_leaves_the_row_as_it_is_by_the_byte(versions in any_versions()) {
        let desk = desk(&["ignore", "ignore", "apply", "ignore", "review"]);
        let before = rows_alone(&standing(&desk));
        for mut version in versions {
            if matches!(version.status, Status::Cancelled | Status::OnHold) {
                version.status = Status::AwaitingFulfillment;
            }
            version.totals.refunded = Decimal::ZERO;
            version.paid_at = Some(version.placed_at);
            take(&desk, &version);
            prop_assert_eq!(&rows_alone(&standing(&desk)), &before);
        }
    }
}

proptest! {
    #![proptest_config(cases(48))]

    /// Whatever came while the merchant held the order back, or had asked a supplier, and however often
    /// it was decided about meanwhile: once that has ended it is as if it had never been.
    #[test]
    fn p3_what_came_while_the_merchant_was_at_work_is_as_if_it_came_afterwards(
        versions in any_versions(),
        policies in any_policies(),
        acts in proptest::collection::vec(proptest::sample::select(vec![Act::Hold, Act::Release]), 4),
        looks in proptest::collection::vec(any::<bool>(), 4),
    ) {
        let (plain, worked) = (desk(&policies), desk(&policies));
        take(&plain, versions.last().unwrap());
        for (nth, act_and_look) in acts.iter().zip(looks).enumerate() {
            act(&worked, *act_and_look.0);
            if act_and_look.1 {
                decide_again(&worked);
            }
            versions.get(nth).into_iter().for_each(|version| take(&worked, version));
        }
        take(&worked, versions.last().unwrap());
        act(&worked, Act::Release);
        decide_again(&worked);
        prop_assert_eq!(standing(&worked), standing(&plain));
    }

    /// A request to a supplier is an act that makes what was applied the merchant's, so it stands alone.
    #[test]
    fn p3_what_came_while_a_supplier_was_asked_is_as_if_it_came_afterwards(
        versions in any_versions(),
        policies in any_policies(),
    ) {
        let (plain, worked) = (desk(&policies), desk(&policies));
        take(&plain, versions.last().unwrap());
        act(&worked, Act::Dropship);
        versions.iter().for_each(|version| take(&worked, version));
        act(&worked, Act::Withdraw);
        decide_again(&worked);
        prop_assert_eq!(standing(&worked), standing(&plain));
        decide_again(&worked);
    }

    /// A store that is set to do something else has what is kept decided by that, as if it had been so
    /// from the first day; what it has applied before stays, and no byte of a copy changes where
    /// nothing is applied.
    #[test]
    fn p2_what_a_store_is_set_to_do_decides_about_what_is_kept(
        versions in any_versions(),
        before in any_policies(),
        after in any_policies(),
        is_edited in any::<bool>(),
    ) {
        let (mut changed, plain) = (desk(&before), desk(&after));
        for desk in [&changed, &plain] {
            if is_edited {
                edit(desk, "9 Merchants Lane", "gate 4");
            }
            take(desk, versions.last().unwrap());
        }
        let copy = rows_alone(&standing(&changed));
        set(&mut changed, &after);
        decide_again(&changed);
        if !before.contains(&"apply") {
            prop_assert_eq!(standing(&changed), standing(&plain));
        }
        if !after.contains(&"apply") {
            prop_assert_eq!(rows_alone(&standing(&changed)), copy);
        }
        let known = standing(&changed);
        take(&changed, versions.last().unwrap());
        prop_assert_eq!(&standing(&changed), &known, "it comes again");
        decide_again(&changed);
        prop_assert_eq!(&standing(&changed), &known);
    }

    /// The same where a version comes before what was kept is decided again.
    #[test]
    fn p2_what_a_store_has_applied_stays_whatever_comes_before_it_is_decided_again(
        versions in any_versions(),
        late in any_versions(),
        before in any_policies(),
    ) {
        let (mut first, mut second) = (desk(&before), desk(&before));
        let mut later = late.last().unwrap().clone();
        later.updated_at += chrono::TimeDelta::hours(1);
        for desk in [&first, &second] {
            take(desk, versions.last().unwrap());
        }
        let is_cancelled = first.context.book().unwrap().order(1).unwrap().status == Status::Cancelled;
        for desk in [&mut first, &mut second] {
            set(desk, &["ignore"; 5]);
        }
        decide_again(&first);
        take(&first, &later);
        take(&second, &later);
        decide_again(&second);
        let without = |said: Vec<String>| -> Vec<String> {
            said.into_iter().filter(|row| !row.starts_with("inbox")).collect()
        };
        prop_assert_eq!(without(standing(&second)), without(standing(&first)));
        if is_cancelled {
            let status = first.context.book().unwrap().order(1).unwrap().status;
            prop_assert_eq!(status, Status::Cancelled, "no cancellation is undone by a setting");
        }
    }

    /// What the merchant has rejected stays so by whatever a store is set to do.
    #[test]
    fn p2_what_is_rejected_stays_so_by_whatever_a_store_is_set_to_do(
        versions in any_versions(),
        sets in proptest::collection::vec(any_policies(), 1..4),
    ) {
        let mut desk = desk(&["review"; 5]);
        take(&desk, versions.last().unwrap());
        reject(&desk);
        let is_rejected = |row: &String| row.starts_with("fates") && row.ends_with("rejected");
        let rejected: Vec<String> = standing(&desk).into_iter().filter(is_rejected).collect();
        for policies in sets {
            set(&mut desk, &policies);
            decide_again(&desk);
            let now: Vec<String> = standing(&desk).into_iter().filter(is_rejected).collect();
            prop_assert_eq!(&now, &rejected);
        }
    }
}

/// What was decided by what a store was set to do before is none of what it is set to do now,
/// however close the two come.
#[test]
fn p2_what_was_decided_while_the_store_was_set_to_do_something_else_is_void() {
    let mut desk = desk(&["review"; 5]);
    let mut version = testing::order("7", Status::AwaitingFulfillment);
    change(&mut version, Field::Address, 1);
    version.updated_at += chrono::TimeDelta::minutes(1);
    take(&desk, &version);
    set(&mut desk, &["apply", "apply", "apply", "review", "apply"]);
    let mut book = desk.context.book().unwrap();
    let (known, event) = (book.known(1).unwrap().unwrap(), book.last_event(1).unwrap());
    let (store, format) = (desk.open.store.clone(), desk.open.format.as_ref());
    let (seen, update) = super::super::versions::again_as_is(&store, format, &known, false).unwrap();
    let db = rusqlite::Connection::open(desk.context.home.book()).unwrap();
    db.execute("UPDATE stores SET settings = json_set(settings, '$.address', 'ignore')", []).unwrap();
    assert!(!book.decided(1, event, Some(known.since.policies), Some((&seen, &update))).unwrap());
    assert!(book.is_any_undecided().unwrap());
    decide_again(&desk);
    let order = desk.context.book().unwrap().order(1).unwrap();
    assert_eq!(order.ship_to[0].line1, "1 Test Street");
    assert!(standing(&desk).contains(&"fates: address drift".to_owned()));
}

/// The merchant does not want what waits.
fn reject(desk: &Desk) {
    let mut book = desk.context.book().unwrap();
    let versions = Versions::read(&book, 1, desk.open.format.as_ref()).unwrap().unwrap();
    let since = book.circumstances(1).unwrap();
    let waits = since.fates.iter().filter(|(_, fate)| *fate == Fate::Review).map(|(field, _)| *field);
    let newest = versions.newest.as_ref();
    let rejected: Vec<_> = waits
        .filter_map(|field| Some((field, super::super::policy::mark(&versions.base, newest?, field), String::new())))
        .collect();
    book.reject(1, None, &rejected).unwrap();
}

/// Takes over what of these fields differs, one after the other or at once; gives what did.
fn accept(desk: &Desk, fields: &[Field]) -> Vec<Field> {
    let mut book = desk.context.book().unwrap();
    let order = book.order(1).unwrap();
    let (store, format) = (&desk.open.store, desk.open.format.as_ref());
    let versions = Versions::read(&book, 1, format).unwrap().unwrap();
    let differing: Vec<Field> = versions.differences().iter().map(|found| found.aspect).collect();
    let wanted: Vec<Field> = fields.iter().copied().filter(|field| differing.contains(field)).collect();
    if !wanted.is_empty() {
        let done = accept::accept(&mut book, store, format, &order, &wanted).unwrap().unwrap();
        assert_eq!(done.differences.len(), wanted.len());
    }
    wanted
}

/// The merchant has another street, and another note.
fn edit(desk: &Desk, street: &str, note: &str) {
    let mut book = desk.context.book().unwrap();
    let order = book.order(1).unwrap();
    let wish = edit::Wish {
        parts: if order.status == Status::Cancelled || order.status == Status::Shipped {
            Vec::new()
        } else {
            vec![("line1", street.to_owned())]
        },
        note: Some(note.to_owned()),
        ..edit::Wish::default()
    };
    edit::edit(&mut book, &order, &wish).unwrap().unwrap();
}

fn any_fields() -> impl Strategy<Value = Vec<Field>> {
    proptest::sample::subsequence(Field::ALL.to_vec(), 1..=12).prop_shuffle()
}

/// How a version of an order stands that was not paid when it was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waits,
    Held,
    Paid,
    PaidAndHeld,
    OtherTerms,
    OtherTermsAndHeld,
    Cancelled,
}

impl Stage {
    fn is_unpaid(self) -> bool {
        matches!(self, Self::Waits | Self::Held)
    }

    /// The nth version, changed in these fields since the order was placed.
    fn version(self, fields: &[Field], nth: i64) -> Order {
        let status = match self {
            Self::Waits => Status::AwaitingPayment,
            Self::Held | Self::PaidAndHeld | Self::OtherTermsAndHeld => Status::OnHold,
            Self::Paid | Self::OtherTerms => Status::AwaitingFulfillment,
            Self::Cancelled => Status::Cancelled,
        };
        let mut order = testing::order("7", Status::AwaitingFulfillment);
        fields.iter().for_each(|field| change(&mut order, *field, nth));
        order.paid_at = order.paid_at.filter(|_| matches!(self, Self::Paid | Self::PaidAndHeld));
        (order.status, order.channel_status) = (status, format!("{self:?} {nth}"));
        order.held_as = (self == Self::OtherTermsAndHeld).then_some(Status::AwaitingFulfillment);
        if fields.contains(&Field::Refunded) && nth % 2 == 0 {
            order.totals.refunded = order.totals.total;
        }
        order.updated_at += chrono::TimeDelta::minutes(nth);
        balanced(order).unwrap()
    }
}

/// Versions of an order, each newer than the one before.
fn any_stages() -> impl Strategy<Value = Vec<(Stage, Order)>> {
    use Stage::*;
    let changed: Vec<Field> = Field::ALL
        .into_iter()
        .filter(|field| !matches!(field, Field::Cancelled | Field::Shipped | Field::Hold | Field::Payment))
        .collect();
    let one = (
        proptest::sample::select(vec![
            Waits,
            Waits,
            Held,
            Held,
            Paid,
            PaidAndHeld,
            OtherTerms,
            OtherTermsAndHeld,
            Cancelled,
        ]),
        proptest::sample::subsequence(changed, 0..=3),
    );
    proptest::collection::vec(one, 1..=6).prop_map(|stages| {
        let nth = |(nth, (stage, fields)): (usize, (Stage, Vec<Field>))| {
            (stage, stage.version(&fields, i64::try_from(nth).unwrap() + 1))
        };
        stages.into_iter().enumerate().map(nth).collect()
    })
}

/// A store with these policies that has imported this version alone.
fn fresh(policies: &[&str], version: &Order) -> Desk {
    let mut desk = Desk::new();
    set(&mut desk, policies);
    take(&desk, version);
    desk
}

proptest! {
    #![proptest_config(cases(48))]

    /// However often the channel has held it back and released it: until it is paid, and with the
    /// payment or the cancellation that ends that, an order is what it would be had it come just now.
    #[test]
    fn p9_an_unpaid_order_is_as_if_its_newest_version_were_imported_just_now(
        stages in any_stages(),
        policies in any_policies(),
        is_held in any::<bool>(),
    ) {
        let mut desk: Option<Desk> = None;
        for (stage, version) in stages {
            let alone = fresh(&policies, &version);
            if is_held {
                act(&alone, Act::Hold);
            }
            match &desk {
                Some(desk) => take(desk, &version),
                None => desk = Some(fresh(&policies, &version)),
            }
            let many = desk.as_ref().unwrap();
            if is_held {
                // Of one that is cancelled nothing is held back any more.
                act(many, if version.status == Status::Cancelled { Act::Release } else { Act::Hold });
            }
            prop_assert_eq!(standing(many), standing(&alone), "{:?}", stage);
            if !stage.is_unpaid() {
                break;
            }
        }
    }

    /// The same where a supplier was asked meanwhile for one that the channel holds back.
    #[test]
    fn p9_what_came_of_an_unpaid_order_while_a_supplier_was_asked_is_as_if_it_came_afterwards(
        stages in any_stages(),
        policies in any_policies(),
    ) {
        // Of two that say the same the first one stays, with its time and its word; what came before
        // the store was connected is no news.
        let now = Desk::new().clock.now();
        let timeless = |(stage, version): &(Stage, Order)| Order {
            channel_status: format!("{stage:?}"),
            updated_at: now,
            ..version.clone()
        };
        let desk = fresh(&policies, &timeless(&(Stage::Held, Stage::Held.version(&[], 0))));
        act(&desk, Act::Dropship);
        stages.iter().for_each(|one| take(&desk, &timeless(one)));
        act(&desk, Act::Withdraw);
        decide_again(&desk);
        prop_assert_eq!(standing(&desk), standing(&fresh(&policies, &timeless(stages.last().unwrap()))));
    }
}

/// That all was given back before anything was sent is for the merchant to decide about, until the
/// channel has put the order away: whatever the merchant was at meanwhile.
#[test]
fn p9_an_unpaid_order_that_was_given_back_is_told_until_it_is_put_away() {
    let is_told = |desk: &Desk| standing(desk).iter().any(|one| one.starts_with("inbox: refund"));
    // What came before the store was connected is no news.
    let now = Desk::new().clock.now();
    let version = |fields: &[Field], nth: i64| Order {
        updated_at: now + chrono::TimeDelta::minutes(nth),
        ..Stage::Held.version(fields, nth)
    };
    for is_asked in [false, true] {
        let desk = fresh(&["ignore"; 5], &version(&[], 0));
        if is_asked {
            act(&desk, Act::Dropship);
        }
        take(&desk, &version(&[Field::Refunded], 2));
        assert!(is_told(&desk), "{is_asked}");
        take(&desk, &version(&[Field::Refunded, Field::Archived], 4));
        if is_asked {
            act(&desk, Act::Withdraw);
            decide_again(&desk);
        }
        assert!(!is_told(&desk), "{is_asked}");
    }
}

/// What nobody can tell how to send is told, until it has been put away; whether it was seen first so,
/// or came to it.
#[test]
fn p12_an_order_that_is_held_back_is_told_until_it_is_put_away() {
    let is_told = |desk: &Desk| standing(desk).iter().any(|row| row.starts_with("inbox: held "));
    let version = |presence: Presence, minutes: i64| {
        let mut order = testing::order("7", Status::AwaitingFulfillment).held_back("it goes to several addresses");
        order.presence = presence;
        order.updated_at += chrono::TimeDelta::minutes(minutes);
        order
    };
    let came = desk(&["ignore"; 5]);
    let first = fresh(&["ignore"; 5], &version(Presence::Listed, 0));
    assert!(is_told(&first));
    for (presence, minutes) in [(Presence::Listed, 1), (Presence::Archived, 2), (Presence::Listed, 3)] {
        for desk in [&came, &first] {
            take(desk, &version(presence, minutes));
            assert_eq!(is_told(desk), presence == Presence::Listed, "{minutes}");
        }
    }
    take(&came, &version(Presence::Archived, 4));
    take(&came, &Order { buyer_note: "please ring".into(), ..version(Presence::Archived, 5) });
    assert!(!is_told(&came), "and stays so");
}

/// The end of a hold that the order came with is a fact like any: what comes after it finds the order
/// as one to be sent.
#[test]
fn p3_an_order_that_came_on_hold_and_was_released_is_cancelled_like_any_other() {
    for (word, is_seen, expected) in [
        ("apply", true, Status::Cancelled),
        ("review", true, Status::AwaitingFulfillment),
        ("apply", false, Status::OnHold),
        ("review", false, Status::OnHold),
    ] {
        let desk = fresh(&["ignore", "ignore", word, "ignore", "review"], &Stage::PaidAndHeld.version(&[], 0));
        if is_seen {
            take(&desk, &Stage::Paid.version(&[Field::Address], 1));
            assert!(standing(&desk).contains(&"fates: address drift".to_owned()), "{word}");
        }
        take(&desk, &Stage::Cancelled.version(&[Field::Address], 2));
        assert_eq!(desk.context.book().unwrap().order(1).unwrap().status, expected, "{word} {is_seen}");
    }
}

/// The same of a hold that the merchant has accepted, whatever the store does with what comes: what
/// was seen of its end is not unseen by a version that tells of no hold. One that comes behind a newer
/// version is no news (I-3).
#[test]
fn p1_the_end_of_a_hold_that_was_accepted_is_a_fact_that_no_later_version_takes_back() {
    let version = |fields: &[Field], minutes: i64| {
        let mut order = testing::order("7", Status::AwaitingFulfillment);
        fields.iter().for_each(|field| change(&mut order, *field, 1));
        order.updated_at += chrono::TimeDelta::minutes(minutes);
        balanced(order).unwrap()
    };
    let (held, released) = (version(&[Field::Notes, Field::Hold], 1), version(&[Field::Notes], 2));
    let over = [
        (Field::Cancelled, version(&[Field::Notes, Field::Cancelled], 3)),
        (Field::Shipped, version(&[Field::Notes, Field::Shipped], 3)),
    ];
    for ((field, last), word) in over.iter().flat_map(|over| ["ignore", "review", "apply"].map(|word| (over, word))) {
        let status_of = |came: &[&Order]| {
            let desk = desk(&["ignore", "ignore", word, "ignore", word]);
            take(&desk, &held);
            // What was applied before it is accepted with it.
            accept(&desk, &[Field::Notes]);
            came.iter().for_each(|version| take(&desk, version));
            desk.context.book().unwrap().order(1).unwrap().status
        };
        let (seen, unseen) = match (word, field) {
            ("apply", Field::Shipped) => (Status::Shipped, Status::Shipped),
            ("apply", _) => (Status::Cancelled, Status::OnHold),
            _ => (Status::AwaitingFulfillment, Status::OnHold),
        };
        assert_eq!(status_of(&[&released, last]), seen, "{word} {field:?}");
        assert_eq!(status_of(&[&released, &released, last, last, &released, &held]), seen, "{word} {field:?}, again");
        assert_eq!(status_of(&[last]), unseen, "{word} {field:?}, P-3: it was on hold when it came");
        assert_eq!(status_of(&[last, &released]), unseen, "{word} {field:?}, late");
    }
}

/// What was to be sent before the channel held it back is paid by other terms: what the merchant then
/// does makes it none that follows.
#[test]
fn p1_a_hold_of_an_order_that_is_paid_later_makes_it_no_unpaid_one() {
    let acts: [&dyn Fn(&Desk); 3] = [
        &|_| (),
        &|desk| {
            accept(desk, &[Field::Notes]);
        },
        &|desk| {
            act(desk, Act::Dropship);
            act(desk, Act::Withdraw);
            decide_again(desk);
        },
    ];
    for act in acts {
        let desk = fresh(&["ignore"; 5], &Stage::OtherTerms.version(&[], 0));
        let street = || desk.context.book().unwrap().order(1).unwrap().ship_to[0].line1.clone();
        let before = street();
        take(&desk, &Stage::Held.version(&[Field::Address, Field::Notes], 1));
        act(&desk);
        assert_eq!(street(), before);
        take(&desk, &Stage::Held.version(&[Field::Address, Field::Notes], 2));
        assert_eq!(street(), before);
        assert_eq!(desk.context.book().unwrap().order(1).unwrap().shown, Status::OnHold);
    }
}

/// The same where the hold was there when it was first seen: what it would be without it counts, also
/// once it has ended and whatever became of the payment.
#[test]
fn p1_an_order_that_is_paid_later_and_was_first_seen_on_hold_is_no_unpaid_one() {
    let desk = fresh(&["ignore"; 5], &Stage::OtherTermsAndHeld.version(&[], 0));
    let order = || desk.context.book().unwrap().order(1).unwrap();
    let before = order().ship_to[0].line1.clone();
    for (stage, status) in [
        (Stage::OtherTermsAndHeld, Status::OnHold),
        (Stage::Held, Status::OnHold),
        (Stage::OtherTerms, Status::AwaitingFulfillment),
        (Stage::Waits, Status::AwaitingFulfillment),
        (Stage::OtherTermsAndHeld, Status::OnHold),
        (Stage::Paid, Status::AwaitingFulfillment),
    ] {
        take(&desk, &stage.version(&[Field::Address, Field::Notes], 1));
        assert_eq!((order().ship_to[0].line1.clone(), order().status), (before.clone(), status), "{stage:?}");
    }
    assert!(order().paid_at.is_some(), "P-9: that it is paid is a fact");
}

proptest! {
    #![proptest_config(cases(48))]

    /// The same between two acts of the merchant: what was accepted field by field is what later
    /// versions are held against. A hold that was accepted is over once a version has told so, also
    /// where the newest one tells of none, and only then.
    #[test]
    fn p2_whatever_came_after_a_field_was_accepted_the_newest_version_decides(
        first in any_versions(),
        fields in any_fields(),
        later in any_versions(),
        policies in any_policies(),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
    ) {
        let late = |version: &Order| {
            let mut version = version.clone();
            version.updated_at += chrono::TimeDelta::hours(1);
            version
        };
        let later: Vec<Order> = later.iter().map(late).collect();
        let begun = || {
            let desk = desk(&policies);
            take(&desk, first.last().unwrap());
            accept(&desk, &fields);
            desk
        };
        let (alone, many) = (begun(), begun());
        let came: Vec<&Order> = order.iter().map(|nth| nth.get(&later)).collect();
        if is_held_by_the_merchants_version(&alone) {
            released(&came).into_iter().for_each(|version| take(&alone, version));
        }
        take(&alone, later.last().unwrap());
        came.iter().for_each(|version| take(&many, version));
        take(&many, later.last().unwrap());
        take(&many, first.last().unwrap());
        prop_assert_eq!(standing(&many), standing(&alone));
    }

    /// What is accepted is no difference any more, nothing else is, and the version that it is of
    /// changes nothing when it comes again.
    #[test]
    fn p2_a_field_that_is_accepted_differs_no_more_and_the_others_do(
        versions in any_versions(),
        fields in any_fields(),
        policies in any_policies(),
    ) {
        let desk = desk(&policies);
        let newest = versions.last().unwrap();
        take(&desk, newest);
        let differ = |desk: &Desk| -> Vec<Field> {
            let book = desk.context.book().unwrap();
            let versions = Versions::read(&book, 1, desk.open.format.as_ref()).unwrap().unwrap();
            versions.differences().iter().map(|found| found.aspect).collect()
        };
        let before = differ(&desk);
        let taken = accept(&desk, &fields);
        let left: Vec<Field> = before.into_iter().filter(|field| !taken.contains(field)).collect();
        // A cancellation is the end of what else would be applied, and accepting it of that too.
        let after: Vec<Field> = differ(&desk);
        if !taken.contains(&Field::Cancelled) {
            prop_assert!(after.iter().all(|field| left.contains(field)), "{after:?} of {left:?}");
        }
        prop_assert!(after.iter().all(|field| !taken.contains(field)), "{after:?} without {taken:?}");
        let (copy, base) = (desk.context.book().unwrap().order(1).unwrap(), testing::order("7", Status::AwaitingFulfillment));
        let stays = |field: Field| after.contains(&field) && field != Field::Refunded;
        prop_assert!(!stays(Field::Address) || copy.ship_to == base.ship_to);
        prop_assert!(!stays(Field::Notes) || copy.buyer_note == base.buyer_note);
        prop_assert!(!stays(Field::Totals) || copy.totals.total == base.totals.total);
        prop_assert!(!stays(Field::Lines) || copy.lines[0].quantity == base.lines[0].quantity);
        prop_assert!(!stays(Field::Service) || copy.charges[0].title == base.charges[0].title);
        let known = standing(&desk);
        take(&desk, newest);
        prop_assert_eq!(standing(&desk), known);
    }

    /// P-5, whatever the store applies, and whatever other fields are accepted.
    #[test]
    fn p5_a_field_that_the_merchant_has_edited_never_changes_by_itself(
        versions in any_versions(),
        later in any_versions(),
        fields in any_fields(),
        policies in any_policies(),
        after in any::<bool>(),
    ) {
        let desk = desk(&policies);
        if after {
            take(&desk, &versions[0]);
        }
        edit(&desk, "9 Merchants Lane", "gate 4");
        // An address that is not edited, as one of an order that was shipped, is not held.
        let own = |desk: &Desk| {
            let order = desk.context.book().unwrap().order(1).unwrap();
            let is_edited = order.edits.iter().any(|edit| edit.place.field() == Field::Address);
            (is_edited.then(|| order.ship_to[0].line1.clone()), order.buyer_note.clone())
        };
        let edited = own(&desk);
        prop_assert_eq!(&edited.1, "gate 4");
        for version in &versions {
            take(&desk, version);
            prop_assert_eq!(own(&desk), edited.clone());
        }
        let others: Vec<Field> =
            fields.into_iter().filter(|field| !matches!(field, Field::Address | Field::Notes)).collect();
        accept(&desk, &others);
        prop_assert_eq!(own(&desk), edited.clone());
        for mut version in later {
            version.updated_at += chrono::TimeDelta::hours(1);
            take(&desk, &version);
            prop_assert_eq!(own(&desk), edited.clone());
        }
    }

    /// An edit that was given up has left nothing behind. Where an order went that is over is not
    /// changed any more.
    #[test]
    fn p5_what_is_edited_and_reverted_is_as_if_it_had_never_been(
        versions in any_versions(),
        policies in any_policies(),
    ) {
        let (plain, edited) = (desk(&policies), desk(&policies));
        edit(&edited, "9 Merchants Lane", "gate 4");
        for version in &versions {
            take(&plain, version);
            take(&edited, version);
        }
        let mut book = edited.context.book().unwrap();
        let order = book.order(1).unwrap();
        let (store, format) = (&edited.open.store, edited.open.format.as_ref());
        let before = standing(&edited);
        let reverted = edit::revert(&mut book, store, format, &order, &[], false);
        if matches!(order.status, Status::Shipped | Status::Cancelled) {
            prop_assert_eq!(reverted.unwrap_err().kind(), ErrorKind::Refused);
            prop_assert_eq!(standing(&edited), before);
        } else {
            reverted.unwrap().unwrap();
            prop_assert_eq!(standing(&edited), standing(&plain));
        }
    }

    /// P-9 under an edit, and the same whatever came between: the order is as the newest version has
    /// it, and what differs from what the merchant saw under the edit is to be looked at.
    #[test]
    fn p5_an_unpaid_order_that_is_edited_follows_in_all_else_and_what_changed_under_it_is_kept(
        versions in any_versions(),
        policies in any_policies(),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 0..4),
        is_paid in any::<bool>(),
    ) {
        // Held back by the channel, or not.
        let unpaid = |version: &Order| {
            let status = if version.status == Status::OnHold { Status::OnHold } else { Status::AwaitingPayment };
            Order { status, paid_at: None, ..version.clone() }
        };
        let begun = || {
            let desk = desk(&policies);
            let mut first = unpaid(&testing::order("8", Status::AwaitingPayment));
            first.remote_id = "8".into();
            take(&desk, &first);
            let mut book = desk.context.book().unwrap();
            let order = book.order(2).unwrap();
            let wish = edit::Wish { parts: vec![("line1", "9 Merchants Lane".into())], ..edit::Wish::default() };
            edit::edit(&mut book, &order, &wish).unwrap().unwrap();
            desk
        };
        let of = |version: &Order| Order { remote_id: "8".into(), number: "8".into(), ..unpaid(version) };
        let (alone, many) = (begun(), begun());
        let mut last = of(versions.last().unwrap());
        last.channel_status = "last".into();
        if is_paid {
            (last.status, last.paid_at) = (Status::AwaitingFulfillment, Some(last.placed_at));
        }
        last.updated_at += chrono::TimeDelta::hours(1);
        for nth in order {
            take(&many, &of(nth.get(&versions)));
        }
        for desk in [&many, &alone] {
            take(desk, &last);
        }
        take(&many, &last);
        prop_assert_eq!(standing(&many), standing(&alone));
        let book = alone.context.book().unwrap();
        let copy = book.order(2).unwrap();
        prop_assert_eq!(&copy.ship_to[0].line1, "9 Merchants Lane");
        prop_assert_eq!(&copy.buyer_note, &last.buyer_note);
        prop_assert_eq!(copy.status, last.status);
        let versions = Versions::read(&book, 2, alone.open.format.as_ref()).unwrap().unwrap();
        let differ: Vec<Field> = versions.differences().iter().map(|found| found.aspect).collect();
        let imported = testing::order("8", Status::AwaitingPayment);
        let is_moved = last.ship_to != imported.ship_to;
        prop_assert_eq!(differ, if is_moved { vec![Field::Address] } else { vec![] });
        prop_assert_eq!(copy.followed, if is_moved { vec![Field::Address] } else { vec![] });
    }

    #[test]
    fn p2_all_fields_accepted_one_by_one_are_the_version_accepted_as_a_whole(
        versions in any_versions(),
        fields in proptest::sample::subsequence(Field::ALL.to_vec(), 12).prop_shuffle(),
        policies in any_policies(),
    ) {
        let (whole, single) = (desk(&policies), desk(&policies));
        for desk in [&whole, &single] {
            take(desk, versions.last().unwrap());
        }
        let mut last = Vec::new();
        // That it is put away as well is no difference before its cancellation is accepted.
        for field in fields.into_iter().chain([Field::Archived]) {
            last.extend(accept(&single, &[field]));
        }
        if !last.is_empty() {
            let mut book = whole.context.book().unwrap();
            let order = book.order(1).unwrap();
            accept::accept(&mut book, &whole.open.store, whole.open.format.as_ref(), &order, &[]).unwrap().unwrap();
        }
        prop_assert_eq!(standing(&single), standing(&whole));
    }
}

/// Whether the version that the merchant goes by is one on hold.
fn is_held_by_the_merchants_version(desk: &Desk) -> bool {
    let book = desk.context.book().unwrap();
    let versions = Versions::read(&book, 1, desk.open.format.as_ref()).unwrap().unwrap();
    versions.base.status == Status::OnHold
}

/// The first of these versions that tells of no hold, where it was the newest one when it came: a
/// cancelled order and one that was sent tell nothing of holds, and an older version is no news.
fn released<'a>(came: &[&'a Order]) -> Option<&'a Order> {
    let is_newest = |nth: usize| came[..nth].iter().all(|before| before.updated_at <= came[nth].updated_at);
    let nth = (0..came.len()).find(|nth| is_newest(*nth) && came[*nth].status == Status::AwaitingFulfillment)?;
    Some(came[nth])
}

/// A hold that came and went between, and is written to the copy, changes nothing else of it.
#[test]
fn p2_a_hold_that_came_and_went_after_totals_were_accepted_leaves_the_copy_as_it_was() {
    let version = |fields: &[Field], minutes: i64| {
        let mut order = testing::order("7", Status::AwaitingFulfillment);
        fields.iter().for_each(|field| change(&mut order, *field, 1));
        order.updated_at += chrono::TimeDelta::minutes(minutes);
        balanced(order).unwrap()
    };
    let [alone, many] = [false, true].map(|is_held| {
        let desk = desk(&["ignore"; 5]);
        take(&desk, &version(&[Field::Totals], 1));
        accept(&desk, &[Field::Totals]);
        if is_held {
            take(&desk, &version(&[Field::Hold], 61));
        }
        take(&desk, &version(&[], 62));
        desk
    });
    assert_eq!(standing(&many), standing(&alone));
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

/// What was applied is not taken back by the next version because a parcel has left since.
#[test]
fn p3_what_was_applied_before_an_act_of_the_merchant_stays() {
    let desk = desk(&["apply", "apply", "apply", "review", "apply"]);
    let mut version = testing::order("7", Status::AwaitingFulfillment);
    change(&mut version, Field::Notes, 1);
    version.updated_at += chrono::TimeDelta::minutes(1);
    take(&desk, &version);
    let lines = vec![LineQuantity { line_id: "11".into(), quantity: Decimal::ONE }];
    let parcels = vec![Parcel { carrier: "ups".into(), tracking: "1Z".into(), url: None }];
    let shipped_at = desk.clock.now();
    let shipment =
        Shipment { key: "a".into(), shipped_at, lines, parcels, notify: true, completes: false, counted: Vec::new() };
    desk.context.book().unwrap().dispatched(1, &shipment, Guard::Check).unwrap();
    change(&mut version, Field::ShipBy, 1);
    version.updated_at += chrono::TimeDelta::minutes(1);
    take(&desk, &version);
    let order = desk.context.book().unwrap().order(1).unwrap();
    assert_eq!((order.buyer_note.as_str(), order.ship_by), ("note 1", None));
}

/// Saved again without a change, it is the newest all the same: one of the time between that comes
/// late is older.
#[test]
fn i3_a_version_that_says_the_same_later_is_newer_than_one_of_the_time_between() {
    let desk = desk(&["review"; 5]);
    let version = |note: &str, minutes: i64| {
        let mut version = testing::order("7", Status::AwaitingFulfillment);
        version.buyer_note = note.into();
        version.updated_at += chrono::TimeDelta::minutes(minutes);
        version
    };
    for (same, between) in [("", 2), ("please ring", 5)] {
        take(&desk, &version(same, between - 1));
        let known = standing(&desk);
        take(&desk, &version(same, between + 1));
        take(&desk, &version("between", between));
        let fates =
            |known: &[String]| known.iter().filter(|row| !row.starts_with("newest")).cloned().collect::<Vec<_>>();
        assert_eq!(fates(&standing(&desk)), fates(&known), "{same:?}");
    }
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

#[test]
fn f6_ten_thousand_lines_whose_ids_repeat_and_vanish_are_taken_as_they_are() {
    let desk = desk(&["review"; 5]);
    let mut version = testing::order("7", Status::AwaitingFulfillment);
    // Each id twice, and those of before are gone.
    version.lines = (0..10_000).map(|n| testing::line(&format!("L{}", n / 2), "TEA-001", 1, 100)).collect();
    version.updated_at += chrono::TimeDelta::minutes(1);
    take(&desk, &version);
    assert_eq!(accept(&desk, &[Field::Lines]), [Field::Lines]);
    assert_eq!(desk.context.book().unwrap().order(1).unwrap().lines.len(), 10_000);
    let known = standing(&desk);
    version.lines.reverse();
    version.updated_at += chrono::TimeDelta::minutes(1);
    take(&desk, &version);
    let rows = |standing: &[String]| rows_alone(standing);
    assert_eq!(rows(&standing(&desk)), rows(&known), "in another order they are the same lines");
}

#[test]
fn five_thousand_events_of_an_order_are_told_in_their_order() {
    let desk = desk(&["review"; 5]);
    let db = rusqlite::Connection::open(desk.context.home.book()).unwrap();
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
               INSERT INTO history (order_id, at, what, detail) SELECT 1, i, 'noted', i FROM n";
    db.execute(sql, []).unwrap();
    let history = desk.context.book().unwrap().history(1).unwrap();
    assert_eq!(history.len(), 5_001, "and how it was imported");
    assert!(history[1..].iter().zip(1..).all(|(event, n)| event.detail == n.to_string() && event.who == "unknown"));
}

/// Orders of which what they changed is kept, for measurements.
fn ten_thousand_changed(desk: &Desk) -> Book {
    let mut book = desk.context.book().unwrap();
    let run = book.start_run(RunKind::Pull, false).unwrap();
    let mut orders: Vec<Order> =
        (0..10_000).map(|n| testing::order(&format!("M{n}"), Status::AwaitingFulfillment)).collect();
    for _ in 0..2 {
        for order in &mut orders {
            import_one(&mut book, &desk.open, run, FakeChannel::remote(order)).unwrap();
            change(order, Field::Address, 1);
            change(order, Field::Notes, 1);
            order.updated_at += chrono::TimeDelta::minutes(1);
        }
    }
    book
}

/// `cargo test --release --lib measured -- --ignored --nocapture` prints it.
#[test]
#[ignore = "a measurement"]
fn measured_ten_thousand_orders_decided_again() {
    let mut desk = desk(&["ignore"; 5]);
    let mut book = ten_thousand_changed(&desk);
    for word in ["review", "apply", "ignore"] {
        let begun = std::time::Instant::now();
        set(&mut desk, &[word; 5]);
        let noted = begun.elapsed();
        let due = book.undecided(0, 100_000).unwrap();
        for one in &due {
            assert!(undecided::one(&mut book, &desk.open.store, desk.open.format.as_ref(), *one).unwrap());
        }
        println!("{} orders decided again as {word}: {:?}, noted in {noted:?}", due.len(), begun.elapsed());
    }
    let begun = std::time::Instant::now();
    for _ in 0..10_000 {
        assert!(!book.is_any_undecided().unwrap());
    }
    println!("whether any is to be decided again, none is: {:?} each", begun.elapsed() / 10_000);
}

/// `cargo test --release --lib measured -- --ignored --nocapture` prints it.
#[test]
#[ignore = "a measurement"]
fn measured_ten_thousand_changes_accepted() {
    let desk = desk(&["review"; 5]);
    let mut book = ten_thousand_changed(&desk);
    let waiting = book.waiting(&[], &[], usize::MAX).unwrap();
    assert_eq!(waiting.len(), 10_000);
    for fields in [&[Field::Address][..], &[]] {
        let begun = std::time::Instant::now();
        for id in &waiting {
            let order = book.order(*id).unwrap();
            accept::accept(&mut book, &desk.open.store, &FakeFormat, &order, fields).unwrap().unwrap();
        }
        println!("accept of 10,000 changes, {fields:?}: {:?}", begun.elapsed());
    }
}
