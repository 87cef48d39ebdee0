//! What the merchant does in the admin and the buyers in the shop, and what a test may look at.

use serde_json::{Value, json};

use super::demo::FIRST_ID;
use super::options::{REHEARSAL_CLIENT_ID, REHEARSAL_CLIENT_SECRET};
use super::render;
use super::seed::{self, STEP};
use super::state::{FulfillmentOrder, Order, Refund, Slot};
use super::{Shop, writes};
use crate::channel::ChannelKind;
use crate::clock::Timestamp;
use crate::sim::http::Response;
use crate::sim::world::fixtures::{self as words, PEOPLE, WARES, Ware};
use crate::sim::{Access, Counters, Purchase, Simulated, Standing};

/// An order about to be placed.
#[derive(Debug, Clone, Default)]
pub struct NewOrder {
    lines: Vec<(String, i64)>,
    unpaid: bool,
    note: String,
    street: String,
    currency: Option<&'static str>,
    attributes: Vec<(String, String)>,
    at: Option<Timestamp>,
    test: bool,
    discounted: bool,
    duties: i64,
    fees: Vec<(String, i64)>,
    gateway: String,
    delivery: &'static str,
}

impl NewOrder {
    /// Paid and waiting to be sent.
    pub fn paid() -> Self {
        Self::default()
    }

    /// Waiting for the buyer's money.
    pub fn unpaid() -> Self {
        Self { unpaid: true, ..Self::default() }
    }

    /// With one more line: a SKU of the wares, or any other text for a product of 10.00.
    pub fn line(mut self, sku: &str, pieces: i64) -> Self {
        self.lines.push((sku.to_owned(), pieces));
        self
    }

    /// With a note of the buyer.
    pub fn note(mut self, note: &str) -> Self {
        note.clone_into(&mut self.note);
        self
    }

    /// With an attribute.
    pub fn attribute(mut self, key: &str, value: &str) -> Self {
        self.attributes.push((key.to_owned(), value.to_owned()));
        self
    }

    /// In another currency than the shop's.
    pub fn currency(self, currency: &'static str) -> Self {
        Self { currency: Some(currency), ..self }
    }

    /// With ten per cent off.
    pub fn discounted(self) -> Self {
        Self { discounted: true, ..self }
    }

    /// With duties of so many cents.
    pub fn duties(self, cents: i64) -> Self {
        Self { duties: cents, ..self }
    }

    /// With another fee.
    pub fn fee(mut self, name: &str, cents: i64) -> Self {
        self.fees.push((name.to_owned(), cents));
        self
    }

    /// Paid, or to be paid, in this way.
    pub fn gateway(mut self, name: &str) -> Self {
        name.clone_into(&mut self.gateway);
        self
    }

    /// Not in a parcel: `PICK_UP`, `LOCAL`, `RETAIL`.
    pub fn delivery(self, method: &'static str) -> Self {
        Self { delivery: method, ..self }
    }

    /// Placed then.
    pub fn at(self, at: Timestamp) -> Self {
        Self { at: Some(at), ..self }
    }

    /// A test of the checkout.
    pub fn test(self) -> Self {
        Self { test: true, ..self }
    }
}

impl Shop {
    /// A buyer places an order; gives its id.
    pub fn place_order(&self, new: &NewOrder) -> u64 {
        let now = self.now();
        let created = new.at.map_or(now, |at| at.timestamp_millis());
        let options = self.options().clone();
        let mut state = self.lock();
        state.next_number += 1;
        let number = state.next_number;
        let id = FIRST_ID + number * STEP;
        let mut slot = Slot { created, updated: created, indexed: created, number, order: None };
        let mut order = seed::blank(id, &slot);
        for (sku, pieces) in &new.lines {
            push(&mut order, sku, *pieces);
        }
        if order.ships {
            order.shipping_cents = 490;
        }
        if new.discounted {
            order.discount_cents = order.lines.iter().map(|line| line.cents * line.quantity / 10).sum();
        }
        (order.duties_cents, order.delivery) = (new.duties, new.delivery);
        order.fees.clone_from(&new.fees);
        order.gateway.clone_from(&new.gateway);
        if new.unpaid {
            (order.financial, order.paid_at) = (Some("PENDING"), None);
        }
        order.person = usize::try_from(number).unwrap_or(0) % PEOPLE.len().max(1);
        order.currency = new.currency.unwrap_or(order.currency);
        order.note.clone_from(&new.note);
        order.street.clone_from(&new.street);
        order.attributes.clone_from(&new.attributes);
        order.test = new.test;
        seed::route(&mut order);
        slot.order = Some(Box::new(order));
        state.insert(&options, id, slot, now);
        id
    }

    /// Changes an order as somebody in the admin does. False for an unknown one.
    fn edit(&self, id: u64, change: impl FnOnce(&mut Order)) -> bool {
        let options = self.options().clone();
        let now = self.now();
        self.lock().change(&options, id, now, change)
    }

    /// The ids as numbers.
    pub fn numbers(&self) -> Vec<u64> {
        self.lock().orders.keys().copied().collect()
    }

    /// Half of an order's pieces are to come from another location.
    pub fn split(&self, id: u64) -> bool {
        self.edit(id, |order| {
            let Some(first) = order.fulfillment_orders.first_mut() else { return };
            let mut other = FulfillmentOrder { id: order.id + 201, location: 2, ..first.clone() };
            for (here, there) in first.lines.iter_mut().zip(&mut other.lines) {
                (there.id, there.remaining) = (here.id + 50, here.remaining / 2);
                here.remaining -= there.remaining;
                (here.total, there.total) = (here.remaining, there.remaining);
            }
            other.lines.retain(|line| line.remaining > 0);
            if !other.lines.is_empty() {
                order.fulfillment_orders.push(other);
            }
        })
    }

    /// The nth line of an order is at a fulfilment service, which has to ship it.
    pub fn outsource(&self, id: u64, nth: usize) -> bool {
        self.edit(id, |order| {
            let Some(gone) = order.lines.get(nth).map(|line| line.id) else { return };
            let Some(first) = order.fulfillment_orders.first_mut() else { return };
            let (there, here) = first.lines.drain(..).partition(|open| open.line == gone);
            let other =
                FulfillmentOrder { id: order.id + 202, location: 99, service: true, lines: there, ..first.clone() };
            first.lines = here;
            order.fulfillment_orders.retain(|one| !one.lines.is_empty());
            order.fulfillment_orders.push(other);
        })
    }

    /// An order is to be shipped later.
    pub fn schedule(&self, id: u64) -> bool {
        self.edit(id, |order| {
            order
                .fulfillment_orders
                .iter_mut()
                .filter(|one| one.status == "OPEN")
                .for_each(|one| one.status = "SCHEDULED");
        })
    }

    /// An order has been sent in so many parts already, each of them called back but the last.
    pub fn try_often(&self, id: u64, times: usize) -> bool {
        let now = self.now();
        self.edit(id, |order| {
            for nth in 0..times {
                let status = if nth + 1 == times { "SUCCESS" } else { "CANCELLED" };
                let tracking = super::state::Tracking {
                    number: Some(format!("TRY{nth:03}")),
                    ..super::state::Tracking::default()
                };
                let lines = order.lines.first().map(|line| (line.id, 1)).into_iter().collect();
                let id = order.id + 600 + nth as u64;
                order.fulfillments.push(super::state::Fulfillment {
                    id,
                    at: now,
                    status,
                    tracking: vec![tracking],
                    lines,
                });
            }
        })
    }

    /// An authorised payment has run out.
    pub fn expire(&self, id: u64) -> bool {
        self.edit(id, |order| order.financial = Some("EXPIRED"))
    }

    /// An order is held back.
    pub fn hold(&self, id: u64, reason: &str) -> bool {
        self.edit(id, |order| {
            for one in order.fulfillment_orders.iter_mut().filter(|one| one.status == "OPEN") {
                (one.status, one.hold) = ("ON_HOLD", Some(reason.to_owned()));
            }
        })
    }

    /// A hold is over. Its fulfilment orders are replaced by new ones.
    pub fn release(&self, id: u64) -> bool {
        self.edit(id, |order| {
            for one in order.fulfillment_orders.iter_mut().filter(|one| one.status == "ON_HOLD") {
                (one.status, one.hold) = ("OPEN", None);
                one.id += 10;
            }
        })
    }

    /// An order's fulfilments are cancelled; new fulfilment orders take the place of theirs.
    pub fn undo_fulfillments(&self, id: u64) -> bool {
        self.edit(id, |order| {
            for one in order.fulfillments.iter_mut().filter(|one| one.status == "SUCCESS") {
                one.status = "CANCELLED";
            }
            for one in &mut order.fulfillment_orders {
                (one.status, one.id) = ("OPEN", one.id + 10);
                one.lines.iter_mut().for_each(|line| line.remaining = line.total);
            }
        })
    }

    /// An edit takes one piece of the nth line out.
    pub fn edit_away(&self, id: u64, nth: usize) -> bool {
        self.edit(id, |order| {
            order.edited = true;
            let Some(line) = order.lines.get_mut(nth) else { return };
            line.current = (line.current - 1).max(0);
            let gone = line.id;
            take_out(order, gone, 1);
        })
    }

    /// A tag is added.
    pub fn tag(&self, id: u64, tag: &str) -> bool {
        self.edit(id, |order| order.tags.push(tag.to_owned()))
    }

    /// An order has no name any more, which the schema does not permit.
    pub fn spoil(&self, id: u64) -> bool {
        self.edit(id, |order| order.broken = true)
    }

    /// The order is erased for good.
    pub fn delete(&self, id: u64) -> bool {
        self.lock().remove(id)
    }

    /// Every fetched token ends now.
    pub fn end_tokens(&self) {
        let now = self.now();
        self.lock().tokens.values_mut().flatten().for_each(|ends| *ends = now);
    }

    /// No token is worth anything any more: the app was removed from the shop.
    pub fn revoke(&self) {
        self.lock().tokens.clear();
    }

    /// How many tokens were fetched.
    pub fn tokens_fetched(&self) -> u64 {
        self.lock().tokens_fetched
    }

    /// So many of the next bulk operations fail.
    pub fn fail_bulk(&self, times: u32) {
        self.lock().failing_bulk = times;
    }

    /// So many of the next bulk operations never end.
    pub fn stall_bulk(&self, times: u32) {
        self.lock().stuck_bulk = times;
    }

    /// So many of the next bulk operations lack the last row of their files.
    pub fn shorten_bulk(&self, times: u32) {
        self.lock().short_bulk = times;
    }

    /// So many of the next bulk operations end well and find nothing.
    pub fn empty_bulk(&self, times: u32) {
        self.lock().empty_bulk = times;
    }

    /// How many bulk operations there were.
    pub fn bulk_operations(&self) -> usize {
        self.lock().bulk.len()
    }

    /// Points spent so far.
    pub fn points(&self) -> f64 {
        self.lock().points
    }

    /// How many queries were not carried out because one may not cost that much.
    pub fn too_dear(&self) -> u64 {
        self.lock().too_dear
    }

    /// How many queries were not carried out for want of points.
    pub fn throttled(&self) -> u64 {
        self.lock().throttled
    }

    /// An order's fulfilments: the pieces in each, and its tracking numbers.
    pub fn fulfillments(&self, id: u64) -> Vec<(i64, Vec<String>)> {
        let options = self.options().clone();
        let state = self.lock();
        let order = state.order(&options, id);
        let shown = |one: &super::state::Fulfillment| {
            let numbers = one.tracking.iter().filter_map(|tracking| tracking.number.clone());
            (one.lines.iter().map(|(_, count)| count).sum(), numbers.collect())
        };
        order.map(|order| order.fulfillments.iter().map(shown).collect()).unwrap_or_default()
    }

    /// What was said about an order's cancellation: reason and note.
    pub fn cancellation(&self, id: u64) -> Option<(String, Option<String>)> {
        let options = self.options().clone();
        let state = self.lock();
        let cancelled = state.order(&options, id)?.cancelled.clone()?;
        Some((cancelled.reason, cancelled.note))
    }
}

/// So many pieces of a line are not to be shipped any more.
fn take_out(order: &mut Order, line: u64, mut pieces: i64) {
    for open in order.fulfillment_orders.iter_mut().flat_map(|one| &mut one.lines).filter(|open| open.line == line) {
        let taken = open.remaining.min(pieces);
        (open.remaining, pieces) = (open.remaining - taken, pieces - taken);
        open.total = open.remaining;
    }
}

fn push(order: &mut Order, sku: &str, pieces: i64) {
    if let Some(ware) = words::ware(sku) {
        return seed::push(order, ware, pieces);
    }
    let Some(first) = WARES.first() else { return };
    seed::push(order, &Ware { product_id: 99, cents: 1000, ..*first }, pieces);
    if let Some(line) = order.lines.last_mut() {
        (line.title, line.sku) = (sku.to_owned(), sku.to_owned());
    }
}

fn parse(id: &str) -> u64 {
    id.parse().unwrap_or(0)
}

impl Simulated for Shop {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Shopify
    }

    fn access(&self, url: &str) -> Access {
        let shop = self.options().domain.clone();
        Access {
            flags: vec!["--shop".to_owned(), shop, "--endpoint".to_owned(), url.to_owned()],
            secrets: vec![
                ("ORDERSYNC_CLIENT_ID", REHEARSAL_CLIENT_ID.to_owned()),
                ("ORDERSYNC_CLIENT_SECRET", REHEARSAL_CLIENT_SECRET.to_owned()),
            ],
        }
    }

    fn place(&self, purchase: &Purchase) -> String {
        let lines = purchase.lines.iter().map(|(sku, pieces)| (sku.clone(), i64::from(*pieces))).collect();
        let new = NewOrder {
            lines,
            unpaid: !purchase.paid,
            note: purchase.note.clone(),
            street: purchase.street.clone(),
            at: purchase.at,
            gateway: if purchase.at_delivery { "Cash on Delivery (COD)".to_owned() } else { String::new() },
            delivery: purchase.delivery,
            ..NewOrder::default()
        };
        let id = self.place_order(&new).to_string();
        // Also one that was placed a while ago becomes known only now.
        self.touch(&id);
        id
    }

    fn seed(&self, orders: u64, from: Timestamp, to: Timestamp) {
        let (from, to) = (from.timestamp_millis(), to.timestamp_millis());
        let options = self.options().clone();
        let now = self.now();
        let mut state = self.lock();
        for nth in 0..orders {
            let place = i128::from(nth) * i128::from((to - from).max(0)) / i128::from(orders.max(1));
            let created = from + i64::try_from(place).unwrap_or(0);
            state.next_number += 1;
            let number = state.next_number;
            // Changed at some time after it was made, in no order of its own.
            let later = i64::try_from(words::mix(number) % 172_800_000).unwrap_or(0);
            let updated = (created + later).min(to.max(created));
            let slot = Slot { created, updated, indexed: updated, number, order: None };
            state.insert(&options, FIRST_ID + number * STEP, slot, now.max(updated + options.lag * 1000));
        }
    }

    fn set_clock(&self, ahead_minutes: i64) {
        self.clock.set(ahead_minutes);
    }

    /// What only Shopify has: lines that another service sends, orders in parts, holds that end, and queries that cost more.
    fn verb(&self, method: &str, verb: &str, id: &str, wish: &Value) -> Option<Response> {
        let nth = usize::try_from(wish["line"].as_u64().unwrap_or(0)).unwrap_or(0);
        let changed = match (method, verb) {
            ("POST", "outsource") => self.outsource(parse(id), nth),
            ("POST", "split") => self.split(parse(id)),
            ("POST", "schedule") => self.schedule(parse(id)),
            ("POST", "release") => self.release(parse(id)),
            ("POST", "price") => {
                self.options().price = wish["times"].as_f64().unwrap_or(1.0);
                true
            }
            _ => return None,
        };
        let status = if changed { 200 } else { 404 };
        Some(Response::json(status, &json!({ "id": id, "changed": changed })))
    }

    fn ids(&self) -> Vec<String> {
        self.numbers().iter().map(u64::to_string).collect()
    }

    fn pay(&self, id: &str) -> bool {
        let now = self.now();
        self.edit(parse(id), |order| (order.financial, order.paid_at) = (Some("PAID"), Some(now)))
    }

    fn cancel(&self, id: &str) -> bool {
        let now = self.now();
        self.edit(parse(id), |order| writes::cancel(order, now, "CUSTOMER", None))
    }

    fn readdress(&self, id: &str, street: &str) -> bool {
        self.edit(parse(id), |order| street.clone_into(&mut order.street))
    }

    fn erase_buyer(&self, id: &str) -> bool {
        self.edit(parse(id), |order| {
            order.erased = true;
            order.customer = None;
        })
    }

    fn annotate(&self, id: &str, note: &str) -> bool {
        self.edit(parse(id), |order| note.clone_into(&mut order.note))
    }

    fn ship_elsewhere(&self, id: &str, carrier: &str, tracking: &str) -> bool {
        let now = self.now();
        self.edit(parse(id), |order| seed::ship_all(order, now, carrier, tracking))
    }

    fn ship_pieces(&self, id: &str, nth: usize, pieces: u32, carrier: &str, tracking: &str) -> bool {
        let (now, mut rest) = (self.now(), i64::from(pieces));
        self.edit(parse(id), |order| {
            let Some(wanted) = order.lines.get(nth).map(|line| line.id) else { return };
            seed::ship(order, now, (carrier, tracking), |line, remaining| {
                let count = if line == wanted { rest.min(remaining) } else { 0 };
                rest -= count;
                count
            });
        })
    }

    fn refund(&self, id: &str, amount: &str) -> bool {
        let Ok(amount) = amount.parse::<rust_decimal::Decimal>() else { return false };
        let cents =
            rust_decimal::prelude::ToPrimitive::to_i64(&(amount * rust_decimal::Decimal::ONE_HUNDRED)).unwrap_or(0);
        let (now, refund) = (self.now(), self.lock().take_id());
        self.edit(parse(id), |order| {
            order.refunds.push(Refund { id: refund, at: now, cents, note: String::new() });
            let all = order.ordered_cents() - order.discount_cents + order.shipping_cents + order.fees_cents();
            order.financial = Some(if order.refunded_cents() >= all { "REFUNDED" } else { "PARTIALLY_REFUNDED" });
        })
    }

    fn refund_pieces(&self, id: &str, nth: usize, pieces: u32) -> bool {
        let (now, refund, back) = (self.now(), self.lock().take_id(), i64::from(pieces));
        self.edit(parse(id), |order| {
            let Some(line) = order.lines.get_mut(nth) else { return };
            let (gone, cents) = (line.id, line.cents * back);
            line.current = (line.current - back).max(0);
            order.refunds.push(Refund { id: refund, at: now, cents, note: String::new() });
            order.financial = Some("PARTIALLY_REFUNDED");
            take_out(order, gone, back);
        })
    }

    fn remove_line(&self, id: &str, nth: usize) -> bool {
        self.edit(parse(id), |order| {
            order.edited = true;
            let Some(line) = order.lines.get_mut(nth) else { return };
            let (gone, pieces) = (line.id, std::mem::take(&mut line.current));
            take_out(order, gone, pieces);
        })
    }

    fn hold(&self, id: &str) -> bool {
        Shop::hold(self, parse(id), "Awaiting verification")
    }

    fn unpay(&self, id: &str) -> bool {
        self.edit(parse(id), |order| (order.financial, order.paid_at) = (Some("PENDING"), None))
    }

    fn undo_shipments(&self, id: &str) -> bool {
        self.undo_fulfillments(parse(id))
    }

    fn put_away(&self, id: &str) -> bool {
        let now = self.now();
        self.edit(parse(id), |order| order.closed = Some(now))
    }

    fn touch(&self, id: &str) -> bool {
        self.edit(parse(id), |_| ())
    }

    fn set_unrenderable(&self, id: &str, unrenderable: bool) -> bool {
        let (id, mut state) = (parse(id), self.lock());
        if unrenderable {
            state.unrenderable.insert(id)
        } else {
            state.unrenderable.remove(&id)
        };
        state.orders.contains_key(&id)
    }

    fn standing(&self, id: &str) -> Option<Standing> {
        let options = self.options().clone();
        let state = self.lock();
        let order = state.order(&options, parse(id))?;
        let made = order.fulfillments.iter().filter(|one| one.status == "SUCCESS");
        let parcel = |t: &super::state::Tracking| Some((t.company.clone().unwrap_or_default(), t.number.clone()?));
        Some(Standing {
            cancelled: order.cancelled.is_some(),
            shipped: order.fulfillment_status() == "FULFILLED",
            sent: made.clone().flat_map(|one| &one.lines).map(|(_, count)| count.unsigned_abs()).sum(),
            parcels: made.flat_map(|one| &one.tracking).filter_map(parcel).collect(),
            dispatch_mails: order.mails,
        })
    }

    fn document(&self, id: &str) -> Option<Value> {
        let options = self.options().clone();
        let now = self.now();
        let state = self.lock();
        let id = parse(id);
        let order = state.order(&options, id)?;
        Some(render::plain(&render::order(&options, &order, state.orders.get(&id)?, now)))
    }

    fn counters(&self) -> Counters {
        let state = self.lock();
        let mails = state.orders.values().filter_map(|slot| slot.order.as_ref()).map(|order| order.mails).sum();
        Counters { orders: state.orders.len() as u64, writes: state.writes, dispatch_mails: mails }
    }
}
