//! What changed between two versions of an order, in the aspects a merchant must know before
//! shipping (D-1).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Address, Order, Parcel, People, Presence, Status, scaled};

/// Which side of an order changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Aspect {
    /// Cancelled or put in the bin.
    Cancelled,
    /// Shipped, or more of it shipped.
    Shipped,
    /// Goes somewhere else.
    Address,
    /// Other lines or quantities, or some given back.
    Lines,
    /// Money given back, whether or not it is said for what.
    Refunded,
    /// Paid, or no longer paid.
    Payment,
    /// Sums.
    Totals,
    /// Notes, numbers and everything else.
    Other,
}

impl Aspect {
    /// The word in JSON and in the book.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Shipped => "shipped",
            Self::Address => "address",
            Self::Lines => "lines",
            Self::Refunded => "refund",
            Self::Payment => "payment",
            Self::Totals => "totals",
            Self::Other => "other",
        }
    }
}

/// One thing that differs, as text for the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which side of the order.
    pub(crate) aspect: Aspect,
    /// Before, in words. Personal data: for the merchant's screen, never for a log.
    pub(crate) before: String,
    /// After, in words.
    pub(crate) after: String,
}

/// What is different in `after` as compared with `before`, the graver first. Nothing only where the
/// two say the same: whatever is kept as a change can be shown. What `after` no longer tells is no
/// difference (P-11).
pub fn differences(before: &Order, after: &Order) -> Vec<Difference> {
    let after = &after.with_known(&People::of(before));
    let mut found = Vec::new();
    let note = |found: &mut Vec<Difference>, aspect, before: String, after: String| {
        if before != after {
            found.push(Difference { aspect, before, after });
        }
    };
    if gone(before) != gone(after) {
        note(&mut found, Aspect::Cancelled, standing(before), standing(after));
    }
    let (was, is) = (Sent::of(before), Sent::of(after));
    if was != is {
        let (before, after) = in_words(&was, &is);
        found.push(Difference { aspect: Aspect::Shipped, before, after });
    }
    if !same_places(before, after) {
        note(&mut found, Aspect::Address, places(&before.ship_to), places(&after.ship_to));
    }
    note(&mut found, Aspect::Lines, lines(before), lines(after));
    note(&mut found, Aspect::Refunded, given_back(before), given_back(after));
    note(&mut found, Aspect::Payment, payment(before), payment(after));
    note(&mut found, Aspect::Totals, totals(before), totals(after));
    let rest = if found.is_empty() { without_time(after) } else { beside(before, after) };
    if rest != without_time(before) {
        let (before, after) = other(before, &rest);
        note(&mut found, Aspect::Other, before, after);
    }
    found
}

/// Whether what no aspect but the last speaks of is as it was, whatever else changed. What programs
/// attach to an order does not count: they do so as it ships.
pub(crate) fn same_beside(before: &Order, after: &Order) -> bool {
    let after = &after.with_known(&People::of(before));
    Order { attributes: before.attributes.clone(), ..beside(before, after) } == without_time(before)
}

/// The newer version with all put back that the other aspects speak of: what is left of the change
/// came in beside theirs.
fn beside(before: &Order, after: &Order) -> Order {
    let was = without_time(before);
    // Into the bin or out of it is said by another aspect; and Shopify archives what is cancelled.
    let moved = gone(before) != gone(after);
    let binned = before.presence == Presence::Trashed || after.presence == Presence::Trashed;
    Order {
        presence: if binned || moved { was.presence } else { after.presence },
        ship_to: if same_places(before, after) { after.ship_to.clone() } else { was.ship_to },
        number: after.number.clone(),
        placed_at: after.placed_at,
        ship_by: after.ship_by,
        buyer: after.buyer.clone(),
        bill_to: after.bill_to.clone(),
        buyer_note: after.buyer_note.clone(),
        source: after.source.clone(),
        test: after.test,
        attributes: after.attributes.clone(),
        charges: if same_money(before, after) { after.charges.clone() } else { was.charges },
        ..was
    }
}

/// Whether nothing was done to an order by which its charges become others.
fn same_money(before: &Order, after: &Order) -> bool {
    let same = |words: fn(&Order) -> String| words(before) == words(after);
    gone(before) == gone(after) && same(totals) && same(given_back) && same(lines)
}

fn gone(order: &Order) -> bool {
    order.status == Status::Cancelled || order.presence == Presence::Trashed
}

fn same_places(before: &Order, after: &Order) -> bool {
    before.ship_to.len() == after.ship_to.len()
        && before.ship_to.iter().zip(&after.ship_to).all(|(a, b)| a.same_place(b))
}

fn standing(order: &Order) -> String {
    match order.presence {
        Presence::Trashed => format!("in the bin ({})", order.channel_status),
        _ if order.status == Status::Cancelled => format!("cancelled ({})", order.channel_status),
        _ => order.channel_status.clone(),
    }
}

/// What has left, as far as the channel tells: held against each other by numbers, not by words.
#[derive(PartialEq)]
struct Sent<'a> {
    stage: Stage,
    /// Carrier and number of each parcel.
    parcels: Vec<String>,
    /// How many shipments have no number.
    unnumbered: usize,
    /// How many pieces of which line are in the channel's shipments, where it says what is in them.
    pieces: BTreeMap<&'a str, (Decimal, Label<'a>)>,
}

#[derive(PartialEq)]
enum Stage {
    Nothing,
    Part,
    All,
}

/// What a line is called: for show, never to tell lines apart.
struct Label<'a>(&'a str);

impl PartialEq for Label<'_> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<'a> Sent<'a> {
    fn of(order: &'a Order) -> Self {
        let all = || order.shipments.iter();
        let parcel = |parcel: &Parcel| format!("{} {}", parcel.carrier, parcel.tracking).trim().to_owned();
        let mut parcels: Vec<String> = all().flat_map(|one| &one.parcels).map(parcel).collect();
        parcels.sort();
        let mut pieces = BTreeMap::new();
        for line in all().flat_map(|one| &one.lines).filter(|line| !line.quantity.is_zero()) {
            let label = || (Decimal::ZERO, Label(label(order, &line.line_id)));
            let (sum, _) = pieces.entry(line.line_id.as_str()).or_insert_with(label);
            *sum = sum.saturating_add(line.quantity);
        }
        let stage = match order.status {
            Status::Shipped => Stage::All,
            Status::PartiallyShipped => Stage::Part,
            _ if !parcels.is_empty() => Stage::Part,
            _ => Stage::Nothing,
        };
        let unnumbered = all().filter(|one| one.parcels.is_empty() && !one.is_count()).count();
        Self { stage, parcels, unnumbered, pieces }
    }

    fn words(&self) -> String {
        let what = match self.unnumbered {
            0 if self.parcels.is_empty() => String::new(),
            0 => self.parcels.join(", "),
            n if self.parcels.is_empty() => format!("{n} shipments without tracking"),
            n => format!("{}, {n} without tracking", self.parcels.join(", ")),
        };
        match (&self.stage, what.is_empty()) {
            (Stage::All, true) => "shipped".to_owned(),
            (Stage::All, false) => format!("shipped ({what})"),
            (Stage::Part, true) => "partly shipped".to_owned(),
            (Stage::Part, false) => format!("partly shipped ({what})"),
            (Stage::Nothing, true) => "not shipped".to_owned(),
            (Stage::Nothing, false) => what,
        }
    }

    fn pieces(&self, name: impl Fn(&str, &str) -> String) -> String {
        let piece = |(line, (count, label)): (&&str, &(Decimal, Label<'_>))| {
            format!("{} × {}", count.normalize(), name(line, label.0))
        };
        let pieces: Vec<String> = self.pieces.iter().map(piece).collect();
        if pieces.is_empty() { "no piece named".to_owned() } else { pieces.join(", ") }
    }
}

fn label<'a>(order: &'a Order, line: &'a str) -> &'a str {
    let found = order.lines.iter().find(|one| one.remote_id == line);
    found.map(|line| if line.sku.is_empty() { line.name.as_str() } else { line.sku.as_str() }).unwrap_or(line)
}

/// The two in as few words as tell them apart.
fn in_words(was: &Sent<'_>, is: &Sent<'_>) -> (String, String) {
    let both = |words: &dyn Fn(&Sent<'_>) -> String| (words(was), words(is));
    let brief = both(&|sent| sent.words());
    if brief.0 != brief.1 {
        return brief;
    }
    let named = both(&|sent| format!("{}: {}", sent.words(), sent.pieces(|_, label| label.to_owned())));
    if named.0 != named.1 {
        return named;
    }
    both(&|sent| format!("{}: {}", sent.words(), sent.pieces(|line, label| format!("{label} (line {line})"))))
}

fn places(addresses: &[Address]) -> String {
    if addresses.is_empty() {
        return "no delivery address".to_owned();
    }
    let place = |a: &Address| {
        [&a.name, &a.company, &a.line1, &a.line2, &a.postcode, &a.city, &a.region, &a.country]
            .into_iter()
            .map(|part| part.trim())
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    };
    addresses.iter().map(place).collect::<Vec<_>>().join("; ")
}

fn lines(order: &Order) -> String {
    let mut lines: Vec<String> = order
        .lines
        .iter()
        .map(|line| {
            let label = if line.sku.is_empty() { &line.name } else { &line.sku };
            let variant = if line.variant.is_empty() { String::new() } else { format!(" ({})", line.variant) };
            let refunded = if line.refunded.is_zero() {
                String::new()
            } else {
                format!(", {} refunded", line.refunded.normalize())
            };
            format!("{} × {label}{variant}{refunded}", line.quantity.normalize())
        })
        .collect();
    lines.sort();
    lines.join("; ")
}

fn payment(order: &Order) -> String {
    match (order.status, order.paid_at) {
        (Status::AwaitingPayment, _) => "awaiting payment",
        (_, Some(_)) => "paid",
        (_, None) => "not marked as paid",
    }
    .to_owned()
}

fn totals(order: &Order) -> String {
    format!("{} {}", scaled(order.totals.total, order.currency.code()), order.currency)
}

fn given_back(order: &Order) -> String {
    let refunded = order.totals.refunded;
    if refunded.is_zero() {
        return "nothing".to_owned();
    }
    format!("{} {}", scaled(refunded, order.currency.code()), order.currency)
}

/// The members of the two that differ, by name and in words.
fn other(before: &Order, after: &Order) -> (String, String) {
    // Writing a plain value down cannot fail.
    let members = |order: &Order| serde_json::to_value(without_time(order)).unwrap_or_default();
    let (before, after) = (members(before), members(after));
    let (mut was, mut is) = (Vec::new(), Vec::new());
    for (name, old) in before.as_object().into_iter().flatten().filter(|(name, old)| after[name] != **old) {
        let label = name.replace('_', " ");
        let (old, new) = (words(old), words(&after[name]));
        was.push(format!("{label} {old}").trim().to_owned());
        // Where the words are the same it is in how they are put together.
        is.push(if old == new { format!("other {label}") } else { format!("{label} {new}").trim().to_owned() });
    }
    (was.join("; "), is.join("; "))
}

/// The texts and numbers in a member, empty ones left out; `none` where there is nothing.
fn words(member: &Value) -> String {
    fn collect(member: &Value, found: &mut Vec<String>) {
        match member {
            Value::Null => {}
            Value::String(text) => found.extend(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            Value::Object(members) => members.values().for_each(|member| collect(member, found)),
            other => found.push(other.to_string()),
        }
    }
    let mut found = Vec::new();
    collect(member, &mut found);
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}

fn without_time(order: &Order) -> Order {
    Order { updated_at: crate::clock::Timestamp::UNIX_EPOCH, ..order.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{ChargeKind, LineQuantity, RemoteShipment, testing};

    fn sent(parcels: &[(&str, &[(&str, i64)])]) -> Order {
        let mut order = testing::order("7", Status::PartiallyShipped);
        let quantity = |(id, n): &(&str, i64)| LineQuantity { line_id: (*id).into(), quantity: Decimal::from(*n) };
        let parcel = |tracking: &str| Parcel { carrier: "ups".into(), tracking: tracking.into(), url: None };
        let one = |(number, lines): &(&str, &[(&str, i64)])| RemoteShipment {
            lines: lines.iter().map(quantity).collect(),
            parcels: (!number.is_empty()).then(|| parcel(number)).into_iter().collect(),
            remote_id: "1".into(),
            shipped_at: None,
        };
        order.shipments = parcels.iter().map(one).collect();
        order
    }

    #[test]
    fn d1_every_piece_that_is_sent_and_every_number_counts() {
        let before = sent(&[("T1", &[("11", 1)])]);
        for (after, shown) in [
            (sent(&[("T1", &[("11", 1)]), ("", &[("11", 1)])]), "partly shipped (ups T1, 1 without tracking)"),
            (sent(&[("T1", &[("11", 2)])]), "partly shipped (ups T1): 2 × TEA-001"),
            (sent(&[("T1", &[("12", 1)])]), "partly shipped (ups T1): 1 × CUP-002"),
            (sent(&[("T1", &[])]), "partly shipped (ups T1): no piece named"),
            (sent(&[("T2", &[("11", 1)])]), "partly shipped (ups T2)"),
        ] {
            let found = differences(&before, &after);
            let [Difference { aspect: Aspect::Shipped, before, after }] = &found[..] else {
                panic!("{shown}: {found:?}")
            };
            assert!(before != after && after == shown, "{shown}: {before} → {after}");
        }
        let mut alike = sent(&[("T1", &[("12", 1)])]);
        alike.lines[1].sku = "TEA-001".into();
        let told = differences(&alike, &Order { shipments: before.shipments.clone(), ..alike.clone() });
        assert_eq!(told[0].after, "partly shipped (ups T1): 1 × TEA-001 (line 11)");
        let both: [(&str, &[(&str, i64)]); 2] = [("T1", &[("11", 1)]), ("", &[("12", 1)])];
        let turned = [both[1], both[0]];
        let turned = differences(&sent(&both), &sent(&turned));
        assert!(turned.iter().all(|d| d.aspect == Aspect::Other), "the same in another order: {turned:?}");
    }

    #[test]
    fn p1_whatever_changes_there_is_a_difference_to_be_shown() {
        type Change = fn(&mut Order);
        let changes: [(&str, Change); 9] = [
            ("presence archived", |o| o.presence = Presence::Archived),
            ("number X", |o| o.number = "X".into()),
            ("buyer note please ring", |o| o.buyer_note = "please ring".into()),
            ("ann@example.test", |o| o.buyer.email = "ann@example.test".into()),
            ("2 Other Street", |o| o.bill_to.as_mut().unwrap().line1 = "2 Other Street".into()),
            ("tags, vip", |o| o.attributes.push(("tags".into(), "vip".into()))),
            ("+49", |o| o.ship_to[0].phone = "+49".into()),
            ("fee", |o| o.charges[0].kind = ChargeKind::Fee),
            ("source none", |o| o.source.clear()),
        ];
        let before = testing::order("7", Status::AwaitingFulfillment);
        for (shown, change) in changes {
            let mut after = before.clone();
            change(&mut after);
            let found = differences(&before, &after);
            let [Difference { aspect: Aspect::Other, before, after }] = &found[..] else {
                panic!("{shown}: {found:?}")
            };
            assert!(after.contains(shown) && before != after, "{shown}: {before} → {after}");
        }
        for (shown, change) in changes {
            let mut after = before.clone();
            after.status = Status::Shipped;
            after.channel_status = "completed".into();
            assert!(same_beside(&before, &after));
            change(&mut after);
            assert_eq!(same_beside(&before, &after), shown == "tags, vip", "{shown}");
            let [Difference { aspect: Aspect::Shipped, .. }, Difference { aspect: Aspect::Other, after, .. }] =
                &differences(&before, &after)[..]
            else {
                panic!("{shown} beside a shipment")
            };
            assert!(after.contains(shown) && !after.contains("completed"), "{shown}: {after}");
        }
        let mut touched = before.clone();
        touched.updated_at += chrono::TimeDelta::days(1);
        touched.totals.total.rescale(4);
        assert_eq!(differences(&before, &touched), [], "a later time and more decimals say nothing");
    }
}
