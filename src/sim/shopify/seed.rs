//! Orders of every sort, made up from their id when they are looked at.

use super::options::Options;
use super::state::{Cancelled, Fulfillment, FulfillmentOrder, Line, OpenLine, Order, Refund, Slot, Tracking};
use crate::sim::world::fixtures::{Dice, NOTES, PEOPLE, WARES, Ware};

/// Ids within an order: its own, then room for a thousand things that belong to it.
pub const STEP: u64 = 1000;

/// The order of an untouched place.
pub fn order(_options: &Options, id: u64, slot: &Slot) -> Order {
    let mut dice = Dice::new(7, id);
    let mut order = blank(id, slot);
    order.person = usize::try_from(dice.below(PEOPLE.len() as u64)).unwrap_or(0);
    let count = match dice.below(40) {
        0 => 24,
        n => 1 + n % 4,
    };
    for _ in 0..count {
        if let Some(ware) = dice.pick(WARES) {
            push(&mut order, ware, 1 + i64::try_from(dice.below(3)).unwrap_or(0));
        }
    }
    order.note = dice.pick(NOTES).map(|note| (*note).to_owned()).unwrap_or_default();
    order.shipping_cents = if order.ships { 490 } else { 0 };
    if dice.below(8) == 0 {
        order.discount_cents = order.lines.iter().map(|line| line.cents * line.quantity / 10).sum();
    }
    if dice.below(12) == 0 {
        order.currency = "USD";
    }
    order.customer = (dice.below(3) > 0).then(|| 5_000_000 + dice.below(900));
    let sort = dice.below(100);
    fate(&mut order, sort, slot.created);
    route(&mut order);
    if (20..60).contains(&sort) {
        ship_all(&mut order, slot.created + 86_400_000, "DHL Express", &format!("JD{id:012}"));
    }
    order
}

/// What has become of it.
fn fate(order: &mut Order, sort: u64, created: i64) {
    match sort {
        0..6 => {
            order.financial = Some("PENDING");
            order.paid_at = None;
        }
        6..9 => order.financial = Some("AUTHORIZED"),
        9..12 => {
            order.cancelled = Some(Cancelled { at: created + 3_600_000, reason: "CUSTOMER".to_owned(), note: None })
        }
        12..14 => order.test = true,
        14..16 => {
            let cents = (order.ordered_cents() / 4).max(1);
            order.refunds.push(Refund {
                id: order.id + 900,
                at: created + 7_200_000,
                cents,
                note: "Goodwill".to_owned(),
            });
            order.financial = Some("PARTIALLY_REFUNDED");
        }
        16..18 => order.financial = None,
        40..60 => order.closed = Some(created + 90_000_000),
        _ => {}
    }
}

/// A paid order without lines.
pub fn blank(id: u64, slot: &Slot) -> Order {
    Order {
        id,
        number: slot.number,
        created: slot.created,
        financial: Some("PAID"),
        paid_at: Some(slot.created),
        currency: "EUR",
        source: "web",
        ..Order::default()
    }
}

/// Adds a line of a ware.
pub fn push(order: &mut Order, ware: &Ware, pieces: i64) {
    let variant: Vec<&str> = ware.choices.iter().map(|(_, _, value)| *value).collect();
    order.lines.push(Line {
        id: order.id + 1 + order.lines.len() as u64,
        sku: ware.sku.to_owned(),
        title: if ware.parent.is_empty() { ware.name } else { ware.parent }.to_owned(),
        variant: (!variant.is_empty()).then(|| variant.join(" / ")),
        product: Some(ware.product_id),
        quantity: pieces,
        current: pieces,
        cents: ware.cents,
        ships: !ware.is_virtual,
        gift_card: ware.is_virtual,
    });
    order.ships |= !ware.is_virtual;
}

/// Shopify's background worker: one fulfilment order for all that ships.
pub fn route(order: &mut Order) {
    let lines: Vec<OpenLine> = order
        .lines
        .iter()
        .filter(|line| line.ships && line.current > 0)
        .map(|line| OpenLine { id: line.id + 300, line: line.id, total: line.current, remaining: line.current })
        .collect();
    if lines.is_empty() {
        return;
    }
    let status = if order.cancelled.is_some() { "CLOSED" } else { "OPEN" };
    order.fulfillment_orders =
        vec![FulfillmentOrder { id: order.id + 200, status, location: 1, service: false, hold: None, lines }];
}

/// Everything that is left is shipped.
pub fn ship_all(order: &mut Order, at: i64, company: &str, number: &str) {
    ship(order, at, (company, number), |_, remaining| remaining);
}

/// Ships of each line, by its id and what remains of it, as much as `wanted` says.
pub fn ship(order: &mut Order, at: i64, (company, number): (&str, &str), mut wanted: impl FnMut(u64, i64) -> i64) {
    let mut lines = Vec::new();
    for fulfillment_order in &mut order.fulfillment_orders {
        for open in &mut fulfillment_order.lines {
            let count = wanted(open.line, open.remaining).clamp(0, open.remaining);
            lines.push((open.line, count));
            open.remaining -= count;
        }
        if fulfillment_order.lines.iter().all(|open| open.remaining == 0) {
            fulfillment_order.status = "CLOSED";
            fulfillment_order.hold = None;
        }
    }
    lines.retain(|(_, count)| *count > 0);
    if lines.is_empty() {
        return;
    }
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let tracking = Tracking { company: text(company), number: text(number), url: None };
    let tracking = if number.is_empty() { Vec::new() } else { vec![tracking] };
    let id = order.id + 600 + order.fulfillments.len() as u64;
    order.fulfillments.push(Fulfillment { id, at, status: "SUCCESS", tracking, lines });
}
