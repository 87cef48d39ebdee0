//! What only WooCommerce's merchants do in the admin screens, and what a test may look at.

use std::sync::Arc;

use serde_json::Value;

use super::options::Options;
use super::render::Style;
use super::vendor::{Fulfillment, set_status, trash};
use super::{NewOrder, Shop, fulfillments, notes, trackings};
use crate::clock::{Clock, Timestamp};
use crate::sim::Simulated;

/// One order for each thing a merchant meets sooner or later.
fn stories() -> Vec<NewOrder> {
    let large = (1..=12).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), nth));
    vec![
        NewOrder::of(&[("TEE-001", 2), ("MUG-9", 1)]),
        NewOrder::paid().line("SHIRT-S-ROT", 1).note("Gift, no invoice please 🎁").attribute("gift_message", "🌷"),
        NewOrder::paid().unpaid().line("BOOK-7", 1),
        NewOrder::paid().only_virtual(),
        large,
        NewOrder::paid().line("SHIRT-XL-OCE", 11).coupon(),
        NewOrder::paid().line("TEE-001", 1).currency("USD").customer(7),
        NewOrder::paid().status("checkout-draft").line("MUG-9", 1),
    ]
}

impl Shop {
    /// A shop with about forty orders of the last three weeks, the fulfilments feature on, and the
    /// fixed keys [`REHEARSAL_KEY`](super::REHEARSAL_KEY) and
    /// [`REHEARSAL_SECRET`](super::REHEARSAL_SECRET). It takes them over Basic and over OAuth 1.0a,
    /// on loopback HTTP too.
    pub fn demo(clock: Arc<dyn Clock>) -> Self {
        Self::demo_with(Options::demo(), clock)
    }

    /// The same orders in a shop with other options.
    pub fn demo_with(options: Options, clock: Arc<dyn Clock>) -> Self {
        Self::with_stories(options, clock, 32, stories())
    }

    /// Fills the shop with `count` varied orders placed between the two moments; returns the first
    /// id.
    pub fn seed(&self, count: u64, from: Timestamp, to: Timestamp) -> u64 {
        let first = self.lock().next;
        Simulated::seed(self, count, from, to);
        first
    }

    /// Somebody changes the status in the admin screen. False when nothing changed.
    pub fn set_status(&self, id: u64, status: &str) -> bool {
        self.with(|context| set_status(context, id, status))
    }

    /// The order is cancelled.
    pub fn cancel(&self, id: u64) -> bool {
        self.set_status(id, "cancelled")
    }

    /// The order goes to the trash.
    pub fn trash(&self, id: u64) -> bool {
        self.with(|context| trash(context, id))
    }

    /// The order comes back from the trash.
    pub(crate) fn restore(&self, id: u64) -> bool {
        self.status(id).as_deref() == Some("trash") && self.with(|context| context.put_away(id, false))
    }

    /// The merchant pays `amount` back; returns the refund's id. `None` for an unknown order or an
    /// amount that is no number.
    pub fn refund(&self, id: u64, amount: &str, reason: &str) -> Option<u64> {
        let amount = amount.parse().ok()?;
        self.with(|context| context.refund(id, amount, reason, Vec::new()))
    }

    /// The merchant ships by another tool: a tracking plugin's meta value and the status
    /// `completed`.
    pub fn complete_with_tracking(&self, id: u64, carrier: &str, number: &str) -> bool {
        self.ship_elsewhere(&id.to_string(), carrier, number)
    }

    /// The merchant makes a fulfilment of some pieces in the admin screen. False in a shop without
    /// the feature.
    pub fn fulfill(&self, id: u64, items: &[(u64, u64)], carrier: &str, number: &str) -> bool {
        self.with(|context| fulfillments::by_hand(context, id, items, carrier, number))
    }

    /// The merchant deletes the nth fulfilment; the order's status stays as it is.
    pub fn delete_fulfillment(&self, id: u64, nth: usize) -> bool {
        self.with(|context| fulfillments::edit(context, id, nth, |one| Fulfillment { deleted: true, ..one }))
    }

    /// The merchant makes a draft of the nth fulfilment again.
    pub fn unfulfill(&self, id: u64, nth: usize) -> bool {
        let draft = |one| Fulfillment { status: "unfulfilled".to_owned(), ..one };
        self.with(|context| fulfillments::edit(context, id, nth, draft))
    }

    /// A plugin has made the order of another one.
    pub fn set_parent(&self, id: u64, parent: u64) -> bool {
        self.with(|context| context.change(id, |order| order.own.parent = parent))
    }

    /// The nth fulfilment was made at this time.
    pub fn date_fulfillment(&self, id: u64, nth: usize, at: Timestamp) -> bool {
        self.with(|context| fulfillments::date(context, id, nth, at.timestamp()))
    }

    /// The carrier has delivered what is in the nth fulfilment, in a shop with a shipping plugin.
    pub fn deliver(&self, id: u64, nth: usize) -> bool {
        let delivered = |one| Fulfillment { status: "delivered".to_owned(), ..one };
        self.options().shipping_plugin && self.with(|context| fulfillments::edit(context, id, nth, delivered))
    }

    /// The order as `GET /orders/{id}` gives it.
    pub fn order_json(&self, id: u64) -> Option<Value> {
        self.document(&id.to_string())
    }

    /// The order's fulfilments that are not deleted.
    pub fn fulfillments(&self, id: u64) -> Vec<Value> {
        self.order(id).map(|order| fulfillments::all(&self.options(), &order)).unwrap_or_default()
    }

    /// The order's parcels in the Shipment Tracking extension.
    pub fn trackings(&self, id: u64) -> Vec<Value> {
        self.order(id).map(|order| trackings::all(&order)).unwrap_or_default()
    }

    /// The order's notes, newest first.
    pub fn notes(&self, id: u64) -> Vec<Value> {
        self.with(|context| {
            let order = context.order(id);
            order.map(|order| notes::all(&Style::of(context), &order, |_| true)).unwrap_or_default()
        })
    }

    /// The order's status.
    pub fn status(&self, id: u64) -> Option<String> {
        self.lock().orders.get(&id).map(|entry| entry.status.clone().into_owned())
    }

    /// Every order's id, trash included.
    pub fn ids(&self) -> Vec<u64> {
        self.numbers()
    }
}
