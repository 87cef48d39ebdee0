//! What changed between two versions of an order, in the aspects a merchant must know before shipping (PRODUCT.md D-1).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Address, Order, Presence, Status, scaled};

/// Which side of an order changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
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
    pub fn word(self) -> &'static str {
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

    /// Whether a dispatch must stop for it until the merchant has looked.
    pub fn stops_dispatch(self) -> bool {
        matches!(self, Self::Cancelled | Self::Shipped | Self::Address | Self::Lines | Self::Refunded)
    }
}

/// One thing that differs, as text for the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which side of the order.
    pub aspect: Aspect,
    /// Before, in words. Personal data: for the merchant's screen, never for a log.
    pub before: String,
    /// After, in words.
    pub after: String,
}

/// What is different in `after` as compared with `before`, the graver first. Nothing only where the two say the same: whatever is kept
/// as a change can be shown.
pub fn differences(before: &Order, after: &Order) -> Vec<Difference> {
    let mut found = Vec::new();
    let note = |found: &mut Vec<Difference>, aspect, before: String, after: String| {
        if before != after {
            found.push(Difference { aspect, before, after });
        }
    };
    let gone = |o: &Order| o.status == Status::Cancelled || o.presence == Presence::Trashed;
    if gone(before) != gone(after) {
        note(&mut found, Aspect::Cancelled, standing(before), standing(after));
    }
    if shipped(before) != shipped(after) {
        note(&mut found, Aspect::Shipped, shipped(before), shipped(after));
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

/// Whether what no aspect but the last speaks of is as it was, whatever else changed. What programs attach to an order does not count:
/// they do so as it ships.
pub fn same_beside(before: &Order, after: &Order) -> bool {
    Order { attributes: before.attributes.clone(), ..beside(before, after) } == without_time(before)
}

/// The newer version with all put back that the other aspects speak of: what is left of the change came in beside theirs.
fn beside(before: &Order, after: &Order) -> Order {
    let was = without_time(before);
    let binned = before.presence == Presence::Trashed || after.presence == Presence::Trashed;
    Order {
        presence: if binned { was.presence } else { after.presence },
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
        ..was
    }
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

fn shipped(order: &Order) -> String {
    let parcels: Vec<String> = order
        .shipments
        .iter()
        .flat_map(|shipment| &shipment.parcels)
        .map(|parcel| format!("{} {}", parcel.carrier, parcel.tracking).trim().to_owned())
        .collect();
    match (order.status, parcels.is_empty()) {
        (Status::Shipped, true) => match order.shipments.len() {
            0 => "shipped".to_owned(),
            n => format!("shipped ({n} shipments without tracking)"),
        },
        (Status::Shipped, false) => format!("shipped ({})", parcels.join(", ")),
        (Status::PartiallyShipped, true) => match pieces(order) {
            none if none.is_zero() => "partly shipped".to_owned(),
            pieces => format!("partly shipped ({} pieces)", pieces.normalize()),
        },
        (_, false) => format!("partly shipped ({})", parcels.join(", ")),
        (_, true) => match order.shipments.len() {
            0 => "not shipped".to_owned(),
            n => format!("{n} shipments without tracking"),
        },
    }
}

/// How many pieces are in the channel's shipments, where it says what is in them.
fn pieces(order: &Order) -> rust_decimal::Decimal {
    super::sum(order.shipments.iter().flat_map(|shipment| &shipment.lines).map(|line| line.quantity))
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
    use crate::order::{ChargeKind, testing};

    #[test]
    fn p1_whatever_changes_there_is_a_difference_to_be_shown() {
        type Change = fn(&mut Order);
        let changes: [(&str, Change); 9] = [
            ("presence archived", |o| o.presence = Presence::Archived),
            ("number X", |o| o.number = "X".into()),
            ("buyer note please ring", |o| o.buyer_note = "please ring".into()),
            ("ann@example.test", |o| o.buyer.email = "ann@example.test".into()),
            ("bill to none", |o| o.bill_to = None),
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
            if shown == "fee" {
                continue;
            }
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
