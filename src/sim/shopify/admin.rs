//! What only Shopify's merchants do in the admin, and what a test may look at.

use std::sync::Arc;

use super::options::Options;
use super::vendor::FulfillmentOrder;
use super::{NewOrder, Order, Shop};
use crate::clock::Clock;
use crate::sim::world::hooks::News;
use crate::sim::world::{Shipment, Tracking};

/// One order for each thing a merchant meets sooner or later.
fn stories() -> Vec<NewOrder> {
    let large = (1..=30).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), nth));
    vec![
        NewOrder::paid().line("TEE-001", 2).line("MUG-9", 1),
        NewOrder::paid().line("SHIRT-S-ROT", 1).note("Gift, no invoice please 🎁").attribute("gift message", "🌷"),
        NewOrder::paid().unpaid().line("BOOK-7", 1),
        NewOrder::paid().line("VOUCHER-25", 1),
        NewOrder::paid().line("TEE-001", 1).currency("USD"),
        large,
        NewOrder::paid().line("TEE-001", 4).line("BOOK-7", 2),
        NewOrder::paid().line("MUG-9", 2),
        NewOrder::paid().line("MUG-9", 1).line("TEE-001", 1),
        NewOrder::paid().line("BOOK-7", 10),
    ]
}

/// An order is held back.
pub(super) fn hold(order: &mut Order, reason: &str) {
    // Also what is left of one of which a part was sent.
    let can_be = |one: &&mut FulfillmentOrder| one.status == "OPEN" || (one.status == "IN_PROGRESS" && !one.service);
    for one in order.own.fulfillment_orders.iter_mut().filter(can_be) {
        (one.status, one.hold) = ("ON_HOLD", Some(reason.to_owned()));
    }
}

/// Ends that. The fulfilment orders are replaced by new ones.
pub(super) fn release(order: &mut Order) {
    for one in order.own.fulfillment_orders.iter_mut().filter(|one| one.status == "ON_HOLD") {
        (one.status, one.hold) = ("OPEN", None);
        one.id += 10;
    }
}

impl Shop {
    /// A shop with about forty orders of the last three weeks.
    pub fn demo(options: Options, clock: Arc<dyn Clock>) -> Self {
        let shop = Self::with_stories(options, clock, 30, stories());
        if let [.., split, held, gone, tagged] = shop.numbers().as_slice() {
            shop.split(*split);
            shop.hold(*held, "Awaiting payment");
            shop.edit_away(*gone, 0);
            shop.tag(*tagged, "wholesale");
        }
        shop
    }

    /// Changes what is not its lines of an order.
    fn update(&self, id: u64, change: impl FnOnce(&mut Order)) -> bool {
        self.with(|context| context.change(id, change))
    }

    /// Changes what is not the order's own: its date does not move.
    fn quietly(&self, id: u64, news: Option<News>, change: impl FnOnce(&mut Order)) -> bool {
        self.with(|context| {
            let now = context.now;
            let Some(order) = context.order_mut(id) else { return false };
            let before = order.own.fulfillment_orders.clone();
            change(order);
            for one in &mut order.own.fulfillment_orders {
                if !before.iter().any(|before| (before.id, before.status) == (one.id, one.status)) {
                    one.touched = Some(now);
                }
            }
            news.into_iter().for_each(|news| context.state.note(id, news));
            true
        })
    }

    /// Half of an order's pieces are to come from another location.
    pub fn split(&self, id: u64) -> bool {
        self.update(id, |order| {
            let Some(first) = order.own.fulfillment_orders.first_mut() else { return };
            let mut other = FulfillmentOrder { id: order.id + 201, location: 2, ..first.clone() };
            for (here, there) in first.lines.iter_mut().zip(&mut other.lines) {
                (there.id, there.remaining) = (here.id + 50, here.remaining / 2);
                here.remaining -= there.remaining;
                (here.total, there.total) = (here.remaining, there.remaining);
            }
            other.lines.retain(|line| line.remaining > 0);
            if !other.lines.is_empty() {
                order.own.fulfillment_orders.push(other);
            }
        })
    }

    /// The nth line of an order is at a fulfilment service, which has to ship it.
    pub fn outsource(&self, id: u64, nth: usize) -> bool {
        self.update(id, |order| {
            let Some(gone) = order.lines.get(nth).map(|line| line.id) else { return };
            let Some(first) = order.own.fulfillment_orders.first_mut() else { return };
            let (there, here) = first.lines.drain(..).partition(|open| open.line == gone);
            let other =
                FulfillmentOrder { id: order.id + 202, location: 99, service: true, lines: there, ..first.clone() };
            first.lines = here;
            order.own.fulfillment_orders.retain(|one| !one.lines.is_empty());
            order.own.fulfillment_orders.push(other);
        })
    }

    /// The service has taken it, cannot go on, and gives it back.
    pub fn give_up(&self, id: u64) -> bool {
        self.update(id, |order| {
            let held = order.own.fulfillment_orders.iter_mut().filter(|one| one.service && one.status != "CLOSED");
            held.for_each(|one| (one.service, one.status, one.location) = (false, "INCOMPLETE", 99));
        })
    }

    /// What a service gave back is moved to the merchant's own location: another fulfilment order.
    pub fn bring_home(&self, id: u64) -> bool {
        self.update(id, |order| {
            let back = order.own.fulfillment_orders.iter_mut().filter(|one| one.status == "INCOMPLETE");
            back.for_each(|one| (one.status, one.location, one.id) = ("OPEN", 1, one.id + 10));
        })
    }

    /// All items of an order are marked as in progress.
    pub fn begin(&self, id: u64) -> bool {
        self.update(id, |order| order.own.in_progress = true)
    }

    /// An order is to be shipped later.
    pub fn schedule(&self, id: u64) -> bool {
        self.quietly(id, None, |order| {
            order
                .own
                .fulfillment_orders
                .iter_mut()
                .filter(|one| one.status == "OPEN")
                .for_each(|one| one.status = "SCHEDULED");
        })
    }

    /// An order has been sent in so many parts already, each of them called back but the last.
    pub fn try_often(&self, id: u64, times: usize) -> bool {
        let now = self.now();
        self.update(id, |order| {
            for nth in 0..times {
                let tracking = vec![Tracking { number: format!("TRY{nth:03}"), ..Tracking::default() }];
                let items = order.lines.first().map(|line| (line.id, 1)).into_iter().collect();
                let id = order.id + 600 + nth as u64;
                order.add_shipment(Shipment { id, at: now, items, tracking, ..Shipment::default() });
                if nth + 1 < times {
                    order.undo_shipment(id);
                }
            }
        })
    }

    /// An authorised payment has run out.
    pub fn expire(&self, id: u64) -> bool {
        self.update(id, |order| order.own.financial = Some("EXPIRED"))
    }

    /// An order is held back.
    pub fn hold(&self, id: u64, reason: &str) -> bool {
        self.quietly(id, Some(News::Held), |order| hold(order, reason))
    }

    /// A hold is over. Its fulfilment orders are replaced by new ones.
    pub fn release(&self, id: u64) -> bool {
        self.quietly(id, Some(News::Released), release)
    }

    /// An edit takes one piece of the nth line out.
    pub fn edit_away(&self, id: u64, nth: usize) -> bool {
        self.edit(id, |order| {
            let line = order.lines.get_mut(nth);
            line.into_iter().for_each(|line| line.removed += u64::from(line.current() > 0));
        })
    }

    /// A tag is added.
    pub(crate) fn tag(&self, id: u64, tag: &str) -> bool {
        self.update(id, |order| order.own.tags.push(tag.to_owned()))
    }

    /// Every fetched token ends now.
    pub fn end_tokens(&self) {
        let now = self.now();
        self.lock().own.tokens.end(now);
    }

    /// How many tokens were fetched.
    pub fn tokens_fetched(&self) -> u64 {
        self.lock().own.tokens.fetched
    }

    /// So many of the next bulk operations fail.
    pub fn fail_bulk(&self, times: u32) {
        self.lock().own.failing_bulk = times;
    }

    /// So many of the next bulk operations never end.
    pub fn stall_bulk(&self, times: u32) {
        self.lock().own.stuck_bulk = times;
    }

    /// So many of the next bulk operations lack the last row of their files.
    pub fn shorten_bulk(&self, times: u32) {
        self.lock().own.short_bulk = times;
    }

    /// So many of the next bulk operations end well and find nothing.
    pub fn empty_bulk(&self, times: u32) {
        self.lock().own.empty_bulk = times;
    }

    /// How many bulk operations there were.
    pub fn bulk_operations(&self) -> usize {
        self.lock().own.bulk.len()
    }

    /// Points spent so far.
    pub fn points(&self) -> f64 {
        self.lock().own.points
    }

    /// How many queries were not carried out because one may not cost that much.
    pub fn too_dear(&self) -> u64 {
        self.lock().own.too_dear
    }

    /// How many queries were not carried out for want of points.
    pub fn throttled(&self) -> u64 {
        self.lock().own.throttled
    }

    /// An order's fulfilments: the pieces in each, and its tracking numbers.
    pub fn fulfillments(&self, id: u64) -> Vec<(u64, Vec<String>)> {
        let shown = |one: &Shipment| {
            let numbers = one.tracking.iter().map(|tracking| tracking.number.clone()).collect();
            (one.items.iter().map(|(_, pieces)| pieces).sum(), numbers)
        };
        self.order(id).map(|order| order.shipments.iter().map(shown).collect()).unwrap_or_default()
    }

    /// What was said about an order's cancellation: reason and note.
    pub fn cancellation(&self, id: u64) -> Option<(String, Option<String>)> {
        let cancelled = self.order(id)?.own.cancelled?;
        Some((cancelled.reason, cancelled.note))
    }
}
