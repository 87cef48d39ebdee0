//! What only WooCommerce's merchants do in the admin screens, and what a test may look at.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::Value;

use super::options::{HttpsSeen, Options};
use super::request::Call;
use super::vendor::{Mails, add_note, set_meta, set_status, trash};
use super::{Line, NewOrder, Refund, Shop, fulfillments, notes, orders, site, trackings};
use crate::clock::{Clock, Timestamp};
use crate::sim::world::{Address, Vendor};
use crate::sim::{Counters, Simulated};

impl Options {
    /// The options of [`Shop::demo`].
    pub fn demo() -> Self {
        Self { fulfillments: true, https_seen: HttpsSeen::Rehearsal, ..Self::default() }
    }
}

/// One order for each thing a merchant meets sooner or later.
fn stories() -> Vec<NewOrder> {
    let large = (1..=12).fold(NewOrder::paid(), |order, nth| order.line(&format!("PART-{nth:02}"), nth));
    vec![
        NewOrder::paid().line("TEE-001", 2).line("MUG-9", 1),
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
    /// fixed keys
    /// [`REHEARSAL_KEY`](super::REHEARSAL_KEY) and [`REHEARSAL_SECRET`](super::REHEARSAL_SECRET). It takes
    /// them over Basic and over OAuth 1.0a, on loopback HTTP too.
    pub fn demo(clock: Arc<dyn Clock>) -> Self {
        Self::demo_with(Options::demo(), clock)
    }

    /// The same orders in a shop with other options.
    pub fn demo_with(options: Options, clock: Arc<dyn Clock>) -> Self {
        Self::with_stories(options, clock, 32, stories())
    }

    /// The site's address as the shop believes it to be, without a slash at the end.
    pub fn home_url(&self) -> String {
        let options = self.options().clone();
        options.home_url.unwrap_or_else(|| format!("{}{}", self.served(), options.prefix))
    }

    /// Fills the shop with `count` varied orders placed between the two moments; returns the first
    /// id.
    pub fn seed(&self, count: u64, from: Timestamp, to: Timestamp) -> u64 {
        let first = self.lock().next;
        Simulated::seed(self, count, from, to);
        first
    }

    /// Changes the delivery address.
    pub fn edit_address(&self, id: u64, change: impl FnOnce(&mut Address)) -> bool {
        self.edit(id, |order| {
            if let Some(place) = order.places.first_mut() {
                change(&mut place.address);
            }
        })
    }

    /// Changes the pieces of the nth line at the same price each.
    pub fn edit_quantity(&self, id: u64, nth: usize, pieces: u64) -> bool {
        self.edit(id, |order| {
            let line = order.lines.get_mut(nth);
            line.into_iter().for_each(|line| orders::set_quantity(line, pieces));
        })
    }

    /// Sets a meta value of the order.
    pub fn set_meta(&self, id: u64, key: &str, value: Value) -> bool {
        self.edit(id, |order| set_meta(order, key, value))
    }

    /// The money has come.
    pub fn pay(&self, id: u64) -> bool {
        self.set_status(id, "processing")
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
    pub fn restore(&self, id: u64) -> bool {
        self.status(id).as_deref() == Some("trash") && self.with(|context| context.put_away(id, false))
    }

    /// The order is erased for good.
    pub fn force_delete(&self, id: u64) -> bool {
        let mut state = self.lock();
        state.own.refund_owners.retain(|_, owner| *owner != id);
        state.remove(id)
    }

    /// The merchant pays `amount` back; returns the refund's id. `None` for an unknown order or an
    /// amount that is no number.
    pub fn refund(&self, id: u64, amount: &str, reason: &str) -> Option<u64> {
        let amount = amount.parse().ok()?;
        self.with(|context| context.refund(id, amount, reason, Vec::new()))
    }

    /// The merchant pays back some pieces of a line.
    pub fn refund_line(&self, id: u64, item: u64, pieces: u64, amount: &str) -> Option<u64> {
        let amount: Decimal = amount.parse().ok()?;
        self.with(|context| context.refund(id, amount, "", vec![(item, pieces, amount)]))
    }

    /// A payment plugin pays back without moving the order's date, as some do.
    pub fn refund_silently(&self, id: u64, amount: &str) -> Option<u64> {
        let amount = amount.parse().ok()?;
        self.with(|context| {
            context.order(id)?;
            let (refund, at) = (super::WooCommerce::refund_id(context.state, id), context.now);
            let lines = Vec::new();
            context.order_mut(id)?.refunds.push(Refund { id: refund, at, amount, reason: String::new(), lines });
            Some(refund)
        })
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
        self.with(|context| fulfillments::remove(context, id, nth))
    }

    /// The order's lines.
    pub fn lines(&self, id: u64) -> Vec<Line> {
        self.order(id).map(|order| order.lines).unwrap_or_default()
    }

    /// Something saves the order without changing it: only its date moves.
    pub fn touch(&self, id: u64) {
        self.touch_many(&[id]);
    }

    /// Something saves many orders in one second.
    pub fn touch_many(&self, ids: &[u64]) {
        self.with(|context| ids.iter().for_each(|id| context.touch(*id)));
    }

    /// The order as `GET /orders/{id}` gives it.
    pub fn order_json(&self, id: u64) -> Option<Value> {
        self.look(|call| call.has_order(id).then(|| orders::body(call, id)))
    }

    /// The order's fulfilments that are not deleted.
    pub fn fulfillments(&self, id: u64) -> Vec<Value> {
        self.look(|call| fulfillments::all(call, id))
    }

    /// The order's parcels in the Shipment Tracking extension.
    pub fn trackings(&self, id: u64) -> Vec<Value> {
        self.look(|call| trackings::all(call, id))
    }

    /// Somebody adds a note; one to the buyer is mailed.
    pub fn add_note(&self, id: u64, text: &str, to_buyer: bool) -> u64 {
        self.with(|context| add_note(context, id, text, to_buyer))
    }

    /// The order's notes, newest first.
    pub fn notes(&self, id: u64) -> Vec<Value> {
        self.look(|call| notes::all(call, id))
    }

    /// The order's status.
    pub fn status(&self, id: u64) -> Option<String> {
        self.lock().orders.get(&id).map(|entry| entry.status.clone().into_owned())
    }

    /// Every order's id, trash included.
    pub fn ids(&self) -> Vec<u64> {
        self.numbers()
    }

    /// The item ids of the order's lines.
    pub fn item_ids(&self, id: u64) -> Vec<u64> {
        self.lines(id).iter().map(|line| line.id).collect()
    }

    /// The e-mails that the order's buyer would have got.
    pub fn mails(&self, id: u64) -> Mails {
        self.order(id).map(|order| Mails::of(&order)).unwrap_or_default()
    }

    /// How many write requests over the API have been applied.
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// Counts over the whole shop.
    pub fn counters(&self) -> Counters {
        Simulated::counters(self)
    }

    /// Looks at the shop by a call that nobody made.
    fn look<T>(&self, read: impl FnOnce(&Call<'_>) -> T) -> T {
        let home = self.home_url();
        self.with(|context| {
            let root = site::root(context.options, &home);
            let (options, now, params) = (context.options, context.now, serde_json::Map::new());
            let (state, path) = (&mut *context.state, Vec::new());
            let call = Call {
                options,
                state,
                method: "GET",
                query: &[],
                params,
                path,
                who: None,
                root: &root,
                home: &home,
                now,
            };
            read(&call)
        })
    }
}
