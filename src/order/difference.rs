//! What changed between two versions of an order, field by field (D-1).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Address, Charge, ChargeKind, Field, Line, Mark, Order, Parcel, People, Presence, Status, scaled};

/// One thing that differs, as text for the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which side of the order.
    pub(crate) aspect: Field,
    /// Before, in words. Personal data: for the merchant's screen, never for a log.
    pub(crate) before: String,
    /// After, in words.
    pub(crate) after: String,
}

/// What is different in `after` as compared with `before`, the graver first. What `after` no longer
/// tells is no difference (P-11), nor what `before` could not tell yet, nor what touches no field.
pub fn differences(before: &Order, after: &Order) -> Vec<Difference> {
    let before = &*before.with_asked_since(after);
    let after = &after.with_known(&People::of(before));
    let differs = |field: &Field| field.difference(before, after);
    Field::ALL.iter().filter_map(differs).collect()
}

impl Field {
    /// What differs in this field. `after` tells what `before` told of people.
    fn difference(self, before: &Order, after: &Order) -> Option<Difference> {
        let in_words = |words: fn(&Order) -> String| (words(before), words(after));
        let (was, is) = match self {
            Self::Cancelled if before.is_gone() == after.is_gone() => return None,
            Self::Cancelled => in_words(standing),
            Self::Shipped => {
                let (was, is) = (Sent::of(before), Sent::of(after));
                (was != is).then(|| sent_in_words(&was, &is))?
            }
            Self::Address if same_destination(before, after) => return None,
            // Neither a telephone behind a street, nor a price behind a quantity, changes unseen.
            Self::Address if contacts(before) != contacts(after) => {
                told_apart(before, after, &[places_in_full, destinations])
            }
            Self::Address => told_apart(before, after, &[places, places_in_full, destinations]),
            Self::Lines if Goods::of(before) == Goods::of(after) => return None,
            Self::Lines if is_repriced(before, after) => {
                told_apart(before, after, &[lines_with_prices, lines, lines_in_full])
            }
            Self::Lines => told_apart(before, after, &[lines, lines_with_prices, lines_in_full]),
            // A list may tell the money alone of what an order of its own tells the pieces (P-11).
            Self::Refunded if money_back(before) == money_back(after) && !after.tells_pieces_back() => return None,
            Self::Refunded if given_back(before) == given_back(after) => return None,
            Self::Refunded => told_apart(before, after, &[money_back, given_back]),
            Self::Payment => in_words(payment),
            Self::Hold if !is_hold_told(before, after) || !is_hold_told(after, before) => return None,
            Self::Hold => in_words(hold),
            Self::Totals => in_words(totals),
            Self::Notes => in_words(note),
            Self::Service => in_words(service),
            Self::ShipBy => in_words(ship_by),
            // Shopify archives what is cancelled; into the bin or out of it is said by another field.
            Self::Archived if before.is_gone() != after.is_gone() => return None,
            Self::Archived => in_words(archived),
        };
        (was != is).then_some(Difference { aspect: self, before: was, after: is })
    }
}

impl Field {
    /// What marks its value in this version: versions that do not differ in it have the same, but
    /// for how an address is spelt.
    pub(crate) fn mark(self, order: &Order) -> Mark {
        let text = match self {
            Self::Cancelled => order.is_gone().to_string(),
            Self::Shipped => {
                let sent = Sent::of(order);
                format!("{}: {}", sent.words(), sent.pieces(|line, _| line.to_owned()))
            }
            Self::Address => format!("{} {}", places_in_full(order), destinations(order)),
            Self::Lines => format!("{} {}", lines_in_full(order), lines_with_prices(order)),
            Self::Refunded => given_back(order),
            Self::Payment => payment(order),
            Self::Hold => (order.status == Status::OnHold).to_string(),
            Self::Totals => totals(order),
            Self::Notes => note(order),
            Self::Service => service(order),
            Self::ShipBy => ship_by(order),
            Self::Archived => archived(order),
        };
        let mut mark = Mark::default();
        mark.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
        mark
    }
}

/// The two in the first words that tell them apart.
fn told_apart(before: &Order, after: &Order, ways: &[fn(&Order) -> String]) -> (String, String) {
    let mut told = ways.iter().map(|words| (words(before), words(after)));
    let last = ways.last().map(|words| (words(before), words(after))).unwrap_or_default();
    told.find(|(was, is)| was != is).unwrap_or(last)
}

impl Order {
    /// Whether it says of any piece that it was given back.
    pub(crate) fn tells_pieces_back(&self) -> bool {
        self.lines.iter().any(|line| !line.refunded.is_zero())
    }

    /// Whether it is cancelled or in the bin.
    pub(crate) fn is_gone(&self) -> bool {
        self.status == Status::Cancelled || self.presence == Presence::Trashed
    }
}

/// Whether every parcel goes to the same door and person as before.
pub(crate) fn same_places(before: &Order, after: &Order) -> bool {
    let before = &*before.with_asked_since(after);
    before.ship_to.len() == after.ship_to.len()
        && before.ship_to.iter().zip(&after.ship_to).all(|(a, b)| a.same_place(b))
}

/// Whether the carrier also reaches the same person by the same telephone and e-mail.
fn same_destination(before: &Order, after: &Order) -> bool {
    let contact = |a: &Address| (a.phone.trim().to_owned(), a.email.trim().to_owned());
    let same_contact = |(a, b): (&Address, &Address)| contact(a) == contact(b);
    same_places(before, after)
        && before.ship_to.iter().zip(&after.ship_to).all(same_contact)
        && (before.ship_to.len() < 2 || which_where(before) == which_where(after))
}

/// To which of several addresses each line goes.
fn which_where(order: &Order) -> Vec<(&str, usize)> {
    let mut found: Vec<_> = order.lines.iter().map(|line| (line.remote_id.as_str(), line.ship_to)).collect();
    found.sort_unstable();
    found
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
        // That a label was bought is no evidence that anything left.
        let all = || order.shipments.iter().filter(|one| !one.is_label());
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
            // Also of one that was cancelled since.
            _ if !parcels.is_empty() || !pieces.is_empty() => Stage::Part,
            _ => Stage::Nothing,
        };
        let unnumbered = all().filter(|one| one.parcels.is_empty() && !one.is_count()).count();
        Self { stage, parcels, unnumbered, pieces }
    }

    fn words(&self) -> String {
        let what = match self.unnumbered {
            0 if self.parcels.is_empty() => String::new(),
            0 => self.parcels.join(", "),
            1 if self.parcels.is_empty() => "1 shipment without tracking".to_owned(),
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
fn sent_in_words(was: &Sent<'_>, is: &Sent<'_>) -> (String, String) {
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

fn places(order: &Order) -> String {
    addresses(order, |a| vec![&a.name, &a.company, &a.line1, &a.line2, &a.postcode, &a.city, &a.region, &a.country])
}

fn places_in_full(order: &Order) -> String {
    addresses(order, |a| a.label().into_iter().chain([&a.phone, &a.email]).collect())
}

fn contacts(order: &Order) -> String {
    addresses(order, |a| vec![&a.phone, &a.email])
}

fn addresses(order: &Order, parts: fn(&Address) -> Vec<&String>) -> String {
    if order.ship_to.is_empty() {
        return "no delivery address".to_owned();
    }
    let place = |a: &Address| {
        let parts = parts(a).into_iter().map(|part| part.trim()).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(", ")
    };
    order.ship_to.iter().map(place).collect::<Vec<_>>().join("; ")
}

fn destinations(order: &Order) -> String {
    let goes = |(line, to): (&str, usize)| format!("{} to {}", label(order, line), to + 1);
    which_where(order).into_iter().map(goes).collect::<Vec<_>>().join("; ")
}

/// The lines by the channel's ids of them, whatever their places. An id that several share is that
/// of all of them.
#[derive(PartialEq)]
struct Goods<'a>(BTreeMap<&'a str, Vec<Good<'a>>>);

/// What makes a line another one: how many, at which price, of what, made up how. The channel forgets
/// a product that is gone, which is no change.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Good<'a> {
    quantity: Decimal,
    price: Decimal,
    product: Product<'a>,
    made_up: MadeUp<'a>,
}

/// What was chosen or typed, whatever each is called. Nothing is what is not told.
#[derive(Eq)]
struct MadeUp<'a>(Vec<&'a str>);

impl<'a> MadeUp<'a> {
    fn of(variant: &'a str) -> Self {
        let value = |part: &'a str| part.split_once(": ").map_or(part, |(_, value)| value).trim();
        let mut values: Vec<&str> = variant.split(", ").map(value).filter(|value| !value.is_empty()).collect();
        values.sort_unstable();
        Self(values)
    }
}

impl PartialEq for MadeUp<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.0.is_empty() || other.0.is_empty()
    }
}

impl PartialOrd for MadeUp<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MadeUp<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

#[derive(Eq)]
struct Product<'a>(&'a str);

impl PartialEq for Product<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.0.is_empty() || other.0.is_empty()
    }
}

impl PartialOrd for Product<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Product<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(other.0)
    }
}

impl<'a> Goods<'a> {
    fn of(order: &'a Order) -> Self {
        let mut goods: BTreeMap<&str, Vec<Good<'_>>> = BTreeMap::new();
        for line in &order.lines {
            let product = Product(&line.product_id);
            let made_up = MadeUp::of(&line.variant);
            let good = Good { quantity: line.quantity, price: line.unit_price, product, made_up };
            goods.entry(line.remote_id.as_str()).or_default().push(good);
        }
        goods.values_mut().for_each(|same| same.sort_unstable());
        Self(goods)
    }
}

fn lines(order: &Order) -> String {
    each_line(order, |line| format!("{} × {}", line.quantity.normalize(), named(line)))
}

fn lines_with_prices(order: &Order) -> String {
    each_line(order, |line| {
        let price = scaled(line.unit_price, order.currency.code());
        format!("{} × {} at {price}", line.quantity.normalize(), named(line))
    })
}

/// Whether a line that both have has another price.
fn is_repriced(before: &Order, after: &Order) -> bool {
    let was: BTreeMap<&str, Decimal> =
        before.lines.iter().map(|line| (line.remote_id.as_str(), line.unit_price)).collect();
    after.lines.iter().any(|line| was.get(line.remote_id.as_str()).is_some_and(|price| *price != line.unit_price))
}

fn lines_in_full(order: &Order) -> String {
    each_line(order, |line| {
        let (count, of) = (line.quantity.normalize(), &line.product_id);
        format!("{count} × {} (line {}, product {of})", named(line), line.remote_id)
    })
}

fn each_line(order: &Order, words: impl Fn(&Line) -> String) -> String {
    let mut lines: Vec<String> = order.lines.iter().map(words).collect();
    lines.sort();
    lines.join("; ")
}

fn named(line: &Line) -> String {
    let label = if line.sku.is_empty() { &line.name } else { &line.sku };
    if line.variant.is_empty() { label.clone() } else { format!("{label} ({})", line.variant) }
}

fn payment(order: &Order) -> String {
    match (order.status, order.paid_at) {
        (Status::AwaitingPayment, _) => "awaiting payment",
        (_, Some(_)) => "paid",
        (_, None) => "not marked as paid",
    }
    .to_owned()
}

/// Whether an order, beside another version of it, tells if it is held: not one that is on its way,
/// or gone. That a part of it is sent says nothing of the rest, but where the other version shows that
/// this channel calls an order held of which something is sent.
fn is_hold_told(order: &Order, other: &Order) -> bool {
    match order.status {
        _ if order.is_gone() => false,
        Status::Shipped => false,
        Status::PartiallyShipped => other.status == Status::OnHold && !other.shipments.is_empty(),
        _ => true,
    }
}

fn hold(order: &Order) -> String {
    if order.status == Status::OnHold {
        format!("on hold ({})", order.channel_status)
    } else {
        "not on hold".to_owned()
    }
}

fn totals(order: &Order) -> String {
    format!("{} {}", scaled(order.totals.total, order.currency.code()), order.currency)
}

fn money_back(order: &Order) -> String {
    let refunded = order.totals.refunded;
    if refunded.is_zero() {
        return "nothing".to_owned();
    }
    format!("{} {}", scaled(refunded, order.currency.code()), order.currency)
}

/// Money and pieces.
fn given_back(order: &Order) -> String {
    let back = order.lines.iter().filter(|line| !line.refunded.is_zero());
    let piece = |line: &Line| {
        let returned = line.returned.filter(|returned| !returned.is_zero());
        let returned = returned.map(|count| format!(", {} of it sent before", count.normalize())).unwrap_or_default();
        format!("{} × {}{returned}", line.refunded.normalize(), label(order, &line.remote_id))
    };
    let mut pieces: Vec<String> = back.map(piece).collect();
    pieces.sort();
    if pieces.is_empty() { money_back(order) } else { format!("{} ({})", money_back(order), pieces.join(", ")) }
}

fn note(order: &Order) -> String {
    match order.buyer_note.trim() {
        "" => "none".to_owned(),
        note => note.to_owned(),
    }
}

/// What the buyer reads of the way that the parcel takes; a code alone is not what was chosen.
fn service(order: &Order) -> String {
    let shipping = order.charges.iter().filter(|charge| charge.kind == ChargeKind::Shipping);
    let name = |charge: &Charge| if charge.title.is_empty() { charge.code.clone() } else { charge.title.clone() };
    let mut names: Vec<String> = shipping.map(name).map(|name| name.trim().to_owned()).collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    if names.is_empty() { "none".to_owned() } else { names.join("; ") }
}

fn ship_by(order: &Order) -> String {
    order.ship_by.map_or("none".to_owned(), crate::clock::rfc3339)
}

fn archived(order: &Order) -> String {
    if order.presence == Presence::Archived { "archived".to_owned() } else { "not archived".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{LineQuantity, RemoteShipment, testing};

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
            let [Difference { aspect: Field::Shipped, before, after }] = &found[..] else {
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
        assert_eq!(differences(&sent(&both), &sent(&turned)), [], "the same in another order");
    }

    type Change = fn(&mut Order);

    #[test]
    fn p1_every_field_that_changes_is_a_difference_to_be_shown_by_itself() {
        let changes: [(Field, &str, Change); 16] = [
            (Field::Cancelled, "cancelled (gone)", |o| {
                o.status = Status::Cancelled;
                o.channel_status = "gone".into();
            }),
            (Field::Cancelled, "in the bin", |o| o.presence = Presence::Trashed),
            (Field::Shipped, "shipped", |o| o.status = Status::Shipped),
            (Field::Address, "2 Other Street", |o| o.ship_to[0].line1 = "2 Other Street".into()),
            (Field::Address, "+49", |o| o.ship_to[0].phone = "+49".into()),
            (Field::Lines, "3 × TEA-001", |o| o.lines[0].quantity = Decimal::from(3)),
            (Field::Lines, "1 × CUP-002; 1 × NEW", |o| o.lines.push(testing::line("14", "NEW", 1, 100))),
            (Field::Lines, "TEA-001 at 9.00", |o| o.lines[0].unit_price = Decimal::new(900, 2)),
            (Field::Lines, "product 99", |o| o.lines[0].product_id = "99".into()),
            (Field::Refunded, "nothing (1 × TEA-001)", |o| o.lines[0].refunded = Decimal::ONE),
            (Field::Payment, "not marked as paid", |o| o.paid_at = None),
            (Field::Hold, "on hold", |o| o.status = Status::OnHold),
            (Field::Totals, "40.00 EUR", |o| o.totals.total = Decimal::new(4000, 2)),
            (Field::Notes, "please ring", |o| o.buyer_note = "please ring".into()),
            (Field::Service, "Express", |o| o.charges[0].title = "Express".into()),
            (Field::Archived, "archived", |o| o.presence = Presence::Archived),
        ];
        let before = testing::order("7", Status::AwaitingFulfillment);
        for (field, shown, change) in changes {
            let mut after = before.clone();
            change(&mut after);
            let found = differences(&before, &after);
            let [Difference { aspect, before, after }] = &found[..] else { panic!("{shown}: {found:?}") };
            assert!(*aspect == field && after.contains(shown) && before != after, "{aspect:?}: {before} → {after}");
        }
        let mut after = before.clone();
        after.ship_by = Some(before.placed_at);
        assert_eq!(differences(&before, &after)[0].aspect, Field::ShipBy);
    }

    #[test]
    fn what_touches_no_field_is_no_difference() {
        let changes: [(&str, Change); 10] = [
            ("number", |o| o.number = "X".into()),
            ("buyer", |o| o.buyer.email = "ann@example.test".into()),
            ("billing", |o| o.bill_to.as_mut().unwrap().line1 = "2 Other Street".into()),
            ("tags", |o| o.attributes.push(("tags".into(), "vip".into()))),
            ("the code of the service", |o| o.charges[0].code = "flat_rate:7".into()),
            ("names of products", |o| o.lines[0].name = "Better tea".into()),
            ("stock-keeping units", |o| o.lines[0].sku = "TEA-1".into()),
            ("a product that is gone", |o| o.lines[0].product_id.clear()),
            ("the order of lines", |o| o.lines.reverse()),
            ("spelling", |o| o.ship_to[0].city = " sampleton".into()),
        ];
        let before = testing::order("7", Status::AwaitingFulfillment);
        for (what, change) in changes {
            let mut after = before.clone();
            change(&mut after);
            assert_eq!(differences(&before, &after), [], "{what}");
        }
        let mut touched = before.clone();
        touched.updated_at += chrono::TimeDelta::days(1);
        touched.totals.total.rescale(4);
        assert_eq!(differences(&before, &touched), [], "a later time and more decimals say nothing");
    }

    #[test]
    fn d1_what_a_line_is_made_up_of_is_held_against_by_its_values_and_what_is_not_told_is_no_change() {
        let of = |variant: &str| {
            let mut order = testing::order("7", Status::AwaitingFulfillment);
            variant.clone_into(&mut order.lines[0].variant);
            order
        };
        for (was, is, differs) in [
            ("Size: S, Text: For Ann", "Size: S, Text: For Bob", true),
            ("Size: S", "Size: S, Text: For Ann", true),
            ("Size: S, Text: For Ann", "Inscription: For Ann, Größe: S", false),
            ("Text: For Ann", "", false),
            ("", "Text: For Ann", false),
        ] {
            let told = differences(&of(was), &of(is));
            assert_eq!(
                told.iter().map(|one| one.aspect).collect::<Vec<_>>(),
                vec![Field::Lines; differs.into()],
                "{was}"
            );
            assert!(told.iter().all(|one| one.before.contains(was) && one.after.contains(is)), "{told:?}");
        }
    }

    #[test]
    fn what_changed_beside_something_else_is_told_as_well() {
        let before = testing::order("7", Status::AwaitingFulfillment);
        let mut after = before.clone();
        after.ship_to[0].line1 = "2 Other Street".into();
        after.ship_to[0].phone = "+49 999".into();
        after.lines[0].quantity += Decimal::ONE;
        after.lines[0].unit_price += Decimal::ONE;
        let told = differences(&before, &after);
        let of = |field| told.iter().find(|one| one.aspect == field).unwrap().after.clone();
        assert!(of(Field::Address).contains("2 Other Street") && of(Field::Address).contains("+49 999"), "{told:?}");
        assert!(of(Field::Lines).contains("3 × TEA-001 at 11.00"), "{told:?}");
    }

    #[test]
    fn lines_are_told_apart_by_the_channels_ids_also_where_these_repeat_or_are_lost() {
        let mut before = testing::order("7", Status::AwaitingFulfillment);
        before.lines[1] = testing::line("11", "TEA-001", 2, 1000);
        let mut after = before.clone();
        after.lines.reverse();
        assert_eq!(differences(&before, &after), []);
        after.lines.pop();
        assert_eq!(differences(&before, &after)[0].aspect, Field::Lines, "one of two alike is gone");
        let mut other = before.clone();
        other.lines[1].remote_id = "15".into();
        assert_eq!(
            differences(&before, &other)[0].after,
            "2 × TEA-001 (line 11, product 11); 2 × TEA-001 (line 15, product 11)"
        );
        let mut nameless = before.clone();
        nameless.lines.iter_mut().for_each(|line| line.remote_id.clear());
        assert_eq!(differences(&before, &nameless)[0].aspect, Field::Lines);
        assert_eq!(differences(&nameless, &nameless.clone()), []);
    }

    #[test]
    fn p11_a_version_that_tells_of_a_refund_the_money_alone_changes_nothing() {
        let mut before = testing::order("7", Status::AwaitingFulfillment);
        (before.totals.refunded, before.lines[0].refunded) = (Decimal::TEN, Decimal::ONE);
        let mut after = before.clone();
        after.lines[0].refunded = Decimal::ZERO;
        assert_eq!(differences(&before, &after), []);
        after.totals.refunded = Decimal::from(20);
        assert_eq!(differences(&before, &after)[0].aspect, Field::Refunded);
        assert_eq!(before.taking(&[Field::Refunded], &after).lines[0].refunded, Decimal::ONE);
    }

    #[test]
    fn p10_that_a_piece_given_back_had_been_sent_is_a_difference_and_that_none_had_is_told_as_ever() {
        let mut before = testing::order("7", Status::PartiallyShipped);
        (before.totals.refunded, before.lines[0].refunded) = (Decimal::TEN, Decimal::ONE);
        let returned = |count: i64| {
            let mut after = before.clone();
            after.lines[0].returned = Some(Decimal::from(count));
            after
        };
        let written = |order: &Order| serde_json::to_string(&order.lines).unwrap_or_default();
        assert_eq!(differences(&before, &returned(0)), []);
        assert_eq!(Field::Refunded.mark(&before), Field::Refunded.mark(&returned(0)));
        assert_eq!(written(&before), written(&returned(0)), "a version of before has the same fingerprint");
        let after = returned(1);
        assert_eq!(differences(&before, &after)[0].after, "10.00 EUR (1 × TEA-001, 1 of it sent before)");
        assert_eq!(differences(&before.taking(&[Field::Refunded], &after), &after), []);
    }

    #[test]
    fn p4_archived_and_cancelled_at_once_is_cancelled() {
        let before = testing::order("7", Status::AwaitingFulfillment);
        let after = Order { status: Status::Cancelled, presence: Presence::Archived, ..before.clone() };
        let found: Vec<Field> = differences(&before, &after).iter().map(|found| found.aspect).collect();
        assert_eq!(found, [Field::Cancelled]);
    }

    #[test]
    fn an_order_of_ten_thousand_lines_is_compared_at_once() {
        let mut before = testing::order("7", Status::AwaitingFulfillment);
        before.lines = (0..10_000).map(|n| testing::line(&n.to_string(), "TEA-001", 1, 100)).collect();
        let mut after = before.clone();
        after.lines.reverse();
        after.lines[7].quantity = Decimal::TWO;
        assert_eq!(differences(&before, &after).len(), 1);
    }
}
