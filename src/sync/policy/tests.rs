//! The rules one by one, and all of them as a table that people can read.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::channel::ChannelKind;
use crate::order::{Presence, testing};

/// The table that `docs/after-import.md` holds.
const TABLE: &str = "docs/after-import.md";

fn order(status: Status) -> Order {
    testing::order("7", status)
}

fn case<'a>(policies: Policies, status: Status, base: &'a Order, incoming: &'a Order) -> Case<'a> {
    Case {
        policies,
        status,
        held: false,
        edited: &[],
        tracking: &[],
        base,
        accepted: &[],
        rejected: &[],
        channel: "Shopify",
        incoming,
    }
}

fn all(policy: Policy) -> Policies {
    Policies { edits: policy, address: policy, cancels: policy, archives: policy, shipments: policy }
}

/// The base with this field, and nothing else, as a channel may change it.
fn changed(base: &Order, field: Field) -> Order {
    let mut after = base.clone();
    match field {
        Field::Cancelled => after.status = Status::Cancelled,
        Field::Shipped => after.status = Status::Shipped,
        Field::Address => after.ship_to[0].line1 = "2 Other Street".into(),
        Field::Lines => after.lines[0].quantity = Decimal::from(3),
        Field::Refunded => after.totals.refunded = Decimal::ONE,
        Field::Payment => after.paid_at = None,
        Field::Hold => after.status = Status::OnHold,
        Field::Totals => after.totals.total = Decimal::from(50),
        Field::Notes => after.buyer_note = "please ring".into(),
        Field::Service => after.charges[0].title = "Express".into(),
        Field::ShipBy => after.ship_by = Some(after.placed_at),
        Field::Archived => after.presence = Presence::Archived,
    }
    after
}

fn kept(case: &Case<'_>) -> (Vec<(Field, Fate)>, Option<Notice>) {
    match decide(case) {
        Decision::Keep(fates, notice) => (fates, notice),
        Decision::Follow(_) => panic!("it follows"),
    }
}

fn fate(case: &Case<'_>, field: Field) -> Fate {
    kept(case).0.into_iter().find(|(found, _)| *found == field).map(|(_, fate)| fate).expect("it differs")
}

#[test]
fn p9_an_unpaid_order_follows_the_channel_in_everything() {
    let base = order(Status::AwaitingPayment);
    for status in Status::ALL {
        let incoming = order(status);
        let case = case(all(Policy::Ignore), Status::AwaitingPayment, &base, &incoming);
        assert_eq!(decide(&case), Decision::Follow(Vec::new()));
    }
}

/// The channel's hold says nothing of the payment, and is no act of the merchant's.
#[test]
fn p9_an_unpaid_order_follows_the_channel_also_while_that_holds_it_back() {
    let paid = order(Status::OnHold);
    let base = Order { paid_at: None, ..paid.clone() };
    let later = Order { held_as: Some(Status::AwaitingFulfillment), ..base.clone() };
    let waits = Order { held_as: Some(Status::AwaitingPayment), ..paid.clone() };
    for status in Status::ALL {
        let incoming = order(status);
        let held = case(all(Policy::Ignore), Status::OnHold, &base, &incoming);
        let follows = Decision::Follow(Vec::new());
        assert_eq!(decide(&held), follows, "{status}");
        assert_eq!(decide(&Case { base: &waits, ..held }), follows, "{status}: paid in part, or by mistake");
        assert_eq!(decide(&Case { held: true, ..held }), follows, "a hold of the merchant's lies over it");
        let others = [
            Case { base: &paid, ..held },
            Case { accepted: &[Field::Hold], ..held },
            Case { base: &later, ..held },
            Case { status: Status::DropshipmentRequested, ..held },
            Case { status: Status::PartiallyShipped, ..held },
        ];
        assert!(others.iter().all(|case| decide(case) != follows), "{status}");
    }
}

#[test]
fn p1_p2_what_is_ignored_or_reviewed_is_never_written() {
    let base = order(Status::AwaitingFulfillment);
    let is_fact = |field: Field| Policies::USUAL.of(field).is_none() || field == Field::Hold;
    for field in Field::ALL.into_iter().filter(|field| !is_fact(*field)) {
        let incoming = changed(&base, field);
        for (policy, expected) in [(Policy::Ignore, Fate::Drift), (Policy::Review, Fate::Review)] {
            let case = case(all(policy), Status::AwaitingFulfillment, &base, &incoming);
            assert_eq!(kept(&case).0, [(field, expected)]);
        }
    }
}

#[test]
fn p3_a_cancellation_is_applied_while_nobody_has_begun_and_told_of_after_that() {
    let base = order(Status::AwaitingFulfillment);
    let incoming = order(Status::Cancelled);
    for status in Status::ALL.into_iter().filter(|status| *status != Status::AwaitingPayment) {
        let tracking = ["JD01".to_owned()];
        let case = Case { tracking: &tracking, ..case(all(Policy::Apply), status, &base, &incoming) };
        let (fates, notice) = kept(&case);
        let fate = fates.iter().find(|(field, _)| *field == Field::Cancelled).map(|(_, fate)| *fate);
        let expected = match status {
            Status::AwaitingFulfillment | Status::DropshipmentRequested => (Some(Fate::Applied), None),
            Status::Cancelled => (Some(Fate::Drift), None),
            _ => (Some(Fate::Review), Some(Field::Cancelled)),
        };
        assert_eq!((fate, notice.as_ref().map(|notice| notice.field)), expected, "{status}");
        if status == Status::Shipped {
            let text = notice.unwrap().text;
            assert!(
                text.starts_with("cancelled at Shopify after dispatch") && text.contains("tracking JD01"),
                "{text}"
            );
        }
    }
}

/// Who holds an order back has begun with it, whatever it is beneath.
#[test]
fn p3_a_cancellation_of_an_order_that_the_merchant_holds_waits_and_the_rest_is_as_without_the_hold() {
    let base = order(Status::AwaitingFulfillment);
    for status in [Status::AwaitingFulfillment, Status::DropshipmentRequested, Status::OnHold] {
        for field in Field::ALL {
            let incoming = changed(&base, field);
            let plain = case(all(Policy::Apply), status, &base, &incoming);
            let held = Case { held: true, ..plain };
            if field == Field::Cancelled {
                let (fates, notice) = kept(&held);
                assert!(fates.contains(&(Field::Cancelled, Fate::Review)), "{status}: {fates:?}");
                assert!(notice.unwrap().text.contains("it stays on-hold here"), "{status}");
            } else {
                assert_eq!(kept(&held).0, kept(&plain).0, "{status} {field:?}");
            }
        }
    }
}

#[test]
fn p4_archived_and_cancelled_in_one_is_cancelled_and_archived_alone_writes_nothing() {
    let base = order(Status::AwaitingFulfillment);
    let incoming = Order { presence: Presence::Archived, ..order(Status::Cancelled) };
    let both = case(all(Policy::Apply), Status::AwaitingFulfillment, &base, &incoming);
    let fields: Vec<Field> = kept(&both).0.into_iter().map(|(field, _)| field).collect();
    assert!(fields.contains(&Field::Cancelled) && !fields.contains(&Field::Archived), "{fields:?}");
    let incoming = changed(&base, Field::Archived);
    let alone = case(all(Policy::Apply), Status::AwaitingFulfillment, &base, &incoming);
    assert_eq!(fate(&alone, Field::Archived), Fate::Review);
}

#[test]
fn p5_what_the_merchant_edited_is_never_overwritten() {
    let base = order(Status::AwaitingFulfillment);
    for field in Field::ALL.into_iter().filter(|field| Policies::USUAL.of(*field).is_some()) {
        let incoming = changed(&base, field);
        let case = Case { edited: &[field], ..case(all(Policy::Apply), Status::AwaitingFulfillment, &base, &incoming) };
        assert_eq!(kept(&case).0, [(field, Fate::Drift)]);
    }
}

#[test]
fn p6_an_order_imported_as_cancelled_is_not_reopened_by_itself() {
    let (base, incoming) = (order(Status::Cancelled), order(Status::AwaitingFulfillment));
    for policy in [Policy::Ignore, Policy::Review, Policy::Apply] {
        let case = case(all(policy), Status::Cancelled, &base, &incoming);
        assert!(!fate(&case, Field::Cancelled).is_written(), "{policy:?}");
        assert_eq!(kept(&case).1.is_some(), policy != Policy::Ignore);
    }
}

#[test]
fn p10_a_refund_is_a_fact_and_one_in_full_is_told_of_under_every_policy() {
    let base = order(Status::AwaitingFulfillment);
    let mut incoming = base.clone();
    incoming.totals.refunded = incoming.totals.total;
    for policy in [Policy::Ignore, Policy::Review, Policy::Apply] {
        let (fates, notice) = kept(&case(all(policy), Status::AwaitingFulfillment, &base, &incoming));
        assert_eq!(fates, [(Field::Refunded, Fate::Fact)]);
        assert_eq!(notice.map(|notice| notice.field), Some(Field::Refunded));
    }
    let (_, notice) = kept(&case(all(Policy::Apply), Status::Shipped, &base, &incoming));
    assert_eq!(notice, None, "it has left");
}

#[test]
fn p9_a_hold_at_the_channel_is_a_fact_until_the_order_is_begun_with() {
    let (base, incoming) = (order(Status::AwaitingFulfillment), order(Status::OnHold));
    for (before, after) in [(&base, &incoming), (&incoming, &base)] {
        for policy in [Policy::Ignore, Policy::Review, Policy::Apply] {
            for held in [false, true] {
                let case = Case { held, ..case(all(policy), before.status, before, after) };
                assert_eq!(kept(&case), (vec![(Field::Hold, Fate::Applied)], None), "{policy:?} {held}");
            }
        }
        let begun = case(all(Policy::Ignore), Status::DropshipmentRequested, before, after);
        assert_eq!(fate(&begun, Field::Hold), Fate::Drift);
    }
}

#[test]
fn p9_money_for_an_order_that_was_cancelled_here_is_told() {
    let base = Order { paid_at: None, ..order(Status::AwaitingPayment) };
    for policy in [Policy::Ignore, Policy::Review, Policy::Apply] {
        let incoming = order(Status::AwaitingFulfillment);
        let case = Case { edited: &[Field::Cancelled], ..case(all(policy), Status::Cancelled, &base, &incoming) };
        let (fates, notice) = kept(&case);
        assert_eq!(fates, [(Field::Payment, Fate::Applied)], "{policy:?}");
        assert_eq!(notice.map(|notice| notice.field), Some(Field::Payment), "{policy:?}");
    }
}

#[test]
fn what_is_rejected_stays_so_until_it_changes_again() {
    let base = order(Status::AwaitingFulfillment);
    let (first, mut second) = (changed(&base, Field::Address), changed(&base, Field::Address));
    second.ship_to[0].line1 = "3 Other Street".into();
    let rejected = [(Field::Address, Field::Address.mark(&first))];
    let fate_of = |incoming: &Order| {
        let case =
            Case { rejected: &rejected, ..case(all(Policy::Review), Status::AwaitingFulfillment, &base, incoming) };
        fate(&case, Field::Address)
    };
    assert_eq!((fate_of(&first), fate_of(&second)), (Fate::Rejected, Fate::Review));
    let noted = Order { buyer_note: "please ring".into(), ..first };
    assert_eq!(fate_of(&noted), Fate::Rejected, "another field changed");
}

#[test]
fn the_echo_of_the_merchants_own_dispatch_is_no_news() {
    let (base, incoming) = (order(Status::AwaitingFulfillment), order(Status::Shipped));
    let case = Case { edited: &[Field::Shipped], ..case(Policies::USUAL, Status::Shipped, &base, &incoming) };
    assert_eq!(kept(&case), (vec![(Field::Shipped, Fate::Drift)], None));
}

#[test]
fn what_says_the_same_is_kept_nowhere() {
    let base = order(Status::AwaitingFulfillment);
    let mut incoming = base.clone();
    incoming.totals.total.rescale(4);
    let case = case(all(Policy::Review), Status::AwaitingFulfillment, &base, &incoming);
    assert_eq!(decide(&case), Decision::Keep(Vec::new(), None));
}

#[test]
fn p1_only_a_cancellation_and_a_fact_are_written_to_an_order_of_shopify_by_default() {
    let policies = ChannelKind::Shopify.adapter().policies;
    let base = order(Status::AwaitingFulfillment);
    for field in Field::ALL {
        let incoming = changed(&base, field);
        let written = fate(&case(policies, Status::AwaitingFulfillment, &base, &incoming), field).is_written();
        // Payment is written where it comes, not where it goes.
        assert_eq!(written, matches!(field, Field::Cancelled | Field::Refunded | Field::Hold), "{field:?}");
    }
}

/// What the table says of one case.
fn told(case: &Case<'_>, field: Field) -> String {
    match decide(case) {
        Decision::Follow(_) => "follows".to_owned(),
        Decision::Keep(fates, notice) => {
            let fate = fates.iter().find(|(found, _)| *found == field).map_or("no difference", |(_, fate)| fate.word());
            let inbox = if notice.is_some() { " + inbox" } else { "" };
            format!("{fate}{inbox}")
        }
    }
}

fn table() -> String {
    let mut text = String::from(
        "# What a newer version of an order does after import\n\n\
         Made by a test from the rules themselves (`src/sync/policy.rs`); do not edit.\n\n\
         `applied`: the copy takes it over. `fact`: it is recorded, and a parcel waits until you have seen it. `drift`: it is kept beside\n\
         the copy, `show` prints both. `review`: it is kept there and waits in `changes`. `inbox`: you are told. `follows`: the copy\n\
         takes over the whole version. In brackets, where it is another: the same for a field that you have changed yourself.\n",
    );
    for kind in ChannelKind::offered() {
        let policies = kind.adapter().policies;
        text.push_str(&format!(
            "\n## {} by default\n\n| changed there | {} |\n",
            kind.title(),
            Status::ALL.map(Status::word).join(" | ")
        ));
        text.push_str(&format!("|---|{}\n", "---|".repeat(Status::ALL.len())));
        for field in Field::ALL {
            let cells = Status::ALL.map(|status| {
                let base = order(Status::AwaitingFulfillment);
                let incoming = changed(&base, field);
                let plain = case(policies, status, &base, &incoming);
                let (plain, own) = (told(&plain, field), told(&Case { edited: &[field], ..plain }, field));
                if plain == own { plain } else { format!("{plain} ({own})") }
            });
            text.push_str(&format!("| {} | {} |\n", field.word(), cells.join(" | ")));
        }
    }
    text
}

#[test]
fn the_table_in_the_documents_is_what_the_rules_say() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE);
    if std::env::var_os("ORDERSYNC_WRITE_TABLE").is_some() {
        std::fs::write(&path, table()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, table(), "ORDERSYNC_WRITE_TABLE=1 cargo test --lib the_table writes {TABLE}");
}

/// `cargo test --release --lib measured -- --ignored --nocapture` prints it.
#[test]
#[ignore = "a measurement"]
fn measured_a_decision() {
    let base = order(Status::AwaitingFulfillment);
    for fields in [&[][..], &[Field::Notes], &[Field::Address, Field::Lines, Field::Totals]] {
        let incoming = fields.iter().fold(base.clone(), |order, field| changed(&order, *field));
        let case = case(all(Policy::Apply), Status::AwaitingFulfillment, &base, &incoming);
        let begun = std::time::Instant::now();
        for _ in 0..100_000 {
            std::hint::black_box(decide(std::hint::black_box(&case)));
        }
        println!("a decision on {fields:?}: {} ns", begun.elapsed().as_nanos() / 100_000);
    }
}

fn any_version() -> impl Strategy<Value = Order> {
    proptest::sample::subsequence(Field::ALL.to_vec(), 0..=4).prop_map(|fields| {
        fields.into_iter().fold(order(Status::AwaitingFulfillment), |order, field| changed(&order, field))
    })
}

fn any_policies() -> impl Strategy<Value = Policies> {
    let one = || prop_oneof![Just(Policy::Ignore), Just(Policy::Review), Just(Policy::Apply)];
    (one(), one(), one(), one(), one()).prop_map(|(edits, address, cancels, archives, shipments)| Policies {
        edits,
        address,
        cancels,
        archives,
        shipments,
    })
}

proptest! {
    /// Every field that differs has one fate, and what is written differs no more.
    #[test]
    fn what_is_written_is_all_that_the_copy_takes(incoming in any_version(), policies in any_policies()) {
        let base = order(Status::AwaitingFulfillment);
        let (fates, notice) = kept(&case(policies, Status::AwaitingFulfillment, &base, &incoming));
        let written: Vec<Field> = fates.iter().filter(|(_, fate)| fate.is_written()).map(|(field, _)| *field).collect();
        let copy = base.taking(&written, &incoming);
        let differing: Vec<Field> = differences(&base, &copy).iter().map(|found| found.aspect).collect();
        prop_assert!(differing.iter().all(|field| written.contains(field)), "{differing:?} by {written:?}");
        if written.is_empty() {
            prop_assert_eq!(&copy, &base);
        }
        let waits = fates.iter().any(|(_, fate)| *fate == Fate::Review);
        let is_of_a_fact = |field| matches!(field, Field::Refunded | Field::Payment);
        prop_assert!(waits || notice.is_none_or(|notice| is_of_a_fact(notice.field)));
    }
}
