//! What buyers, the merchant in the control panel and other apps do to the store, and what a test may look at.

use super::Shop;
use super::options::Options;
use super::seed;
use super::state::{Details, Order, State, Way};
use crate::clock::Timestamp;

/// An order about to be placed.
#[derive(Debug, Clone)]
pub struct NewOrder {
    status: u8,
    lines: Vec<(String, u64)>,
    elsewhere: Vec<(String, u64)>,
    note: String,
    street: String,
    currency: Option<(&'static str, u64)>,
    staff_notes: String,
    way: Option<Way>,
    wrapped: bool,
    coupon: bool,
    payment: Option<&'static str>,
    at: Option<Timestamp>,
}

impl NewOrder {
    /// Paid and waiting to be sent.
    pub fn paid() -> Self {
        Self::with_status(11)
    }

    /// Waiting for the buyer's money.
    pub fn unpaid() -> Self {
        Self::with_status(7)
    }

    /// With this status id.
    pub fn with_status(status: u8) -> Self {
        Self {
            status,
            lines: Vec::new(),
            elsewhere: Vec::new(),
            note: String::new(),
            street: String::new(),
            currency: None,
            staff_notes: String::new(),
            way: None,
            wrapped: false,
            coupon: false,
            payment: None,
            at: None,
        }
    }

    /// With one more line: a SKU of the wares, or any other text for a product of 10.00.
    pub fn line(mut self, sku: &str, pieces: u64) -> Self {
        self.lines.push((sku.to_owned(), pieces));
        self
    }

    /// With a line that goes to a second address.
    pub fn line_elsewhere(mut self, sku: &str, pieces: u64) -> Self {
        self.elsewhere.push((sku.to_owned(), pieces));
        self
    }

    /// With a message of the buyer.
    pub fn note(mut self, note: &str) -> Self {
        note.clone_into(&mut self.note);
        self
    }

    /// To this street.
    pub fn street(mut self, street: &str) -> Self {
        street.clone_into(&mut self.street);
        self
    }

    /// With notes of the staff.
    pub fn staff_notes(mut self, notes: &str) -> Self {
        notes.clone_into(&mut self.staff_notes);
        self
    }

    /// Paid in another currency than the store's; `rate` of it, in ten-thousandths, make one of the store's.
    pub fn currency(self, code: &'static str, rate: u64) -> Self {
        Self { currency: Some((code, rate)), ..self }
    }

    /// Picked up at the counter.
    pub fn picked_up(self) -> Self {
        Self { way: Some(Way::Pickup), ..self }
    }

    /// With a coupon.
    pub fn coupon(self) -> Self {
        Self { coupon: true, ..self }
    }

    /// Paid, or to be paid, in this way.
    pub fn payment(self, method: &'static str) -> Self {
        Self { payment: Some(method), ..self }
    }

    /// With a gift wrapping.
    pub fn wrapped(self) -> Self {
        Self { wrapped: true, ..self }
    }

    /// Placed at this time.
    pub fn at(self, at: Timestamp) -> Self {
        Self { at: Some(at), ..self }
    }

    fn details(&self, options: &Options, order: u64) -> Details {
        let mut details = seed::blank(options, order);
        self.lines.iter().for_each(|(sku, pieces)| seed::push(&mut details, order, sku, *pieces));
        if let Some(method) = self.payment {
            method.clone_into(&mut details.payment_method);
        }
        if let Some(way) = self.way {
            details.lines.iter_mut().for_each(|line| line.way = way);
            details.places.clear();
        }
        for (sku, pieces) in &self.elsewhere {
            seed::push(&mut details, order, sku, *pieces);
            if details.places.len() < 2 {
                seed::second_place(&mut details, order);
            } else if let (Some(line), Some(place)) = (details.lines.last_mut(), details.places.get(1)) {
                line.way = Way::Parcel(place.id);
            }
        }
        if let (Some(place), false) = (details.places.first_mut(), self.street.is_empty()) {
            self.street.clone_into(&mut place.address.street_1);
        }
        if let Some((code, rate)) = self.currency {
            (details.currency, details.rate) = (code.to_owned(), rate);
        }
        if self.wrapped {
            seed::wrap(&mut details);
        }
        if self.coupon {
            seed::coupon(&mut details);
        }
        (details.message, details.staff_notes) = (self.note.clone(), self.staff_notes.clone());
        details
    }
}

impl Shop {
    /// A buyer places an order; gives its id.
    pub fn place_order(&self, new: &NewOrder) -> u64 {
        let options = self.options().clone();
        let at = new.at.map_or_else(|| self.now(), |at| at.timestamp());
        let mut state = self.lock();
        let id = state.take_id();
        state.insert(Order::with(id, at, new.status, new.details(&options, id)));
        id
    }

    /// Changes an order as somebody in the control panel does. False for an unknown one.
    pub fn edit(&self, id: u64, change: impl FnOnce(&mut Details)) -> bool {
        self.change(id, |state, options, now| {
            let Some(details) = state.details_mut(options, id) else { return };
            change(details);
            state.touch(options, id, now);
        })
    }

    pub(super) fn change(&self, id: u64, change: impl FnOnce(&mut State, &Options, i64)) -> bool {
        let (options, now) = (self.options().clone(), self.now());
        let mut state = self.lock();
        let known = state.orders.contains_key(&id);
        if known {
            change(&mut state, &options, now);
        }
        known
    }

    /// The ids as numbers.
    pub fn numbers(&self) -> Vec<u64> {
        self.lock().orders.keys().copied().collect()
    }

    /// The status id, if there is such an order.
    pub fn status(&self, id: u64) -> Option<u8> {
        self.lock().orders.get(&id).map(|order| order.status)
    }

    /// The status is set by hand.
    pub fn set_status(&self, id: u64, status: u8) -> bool {
        self.change(id, |state, options, now| {
            state.set_status(options, id, status, now);
        })
    }

    /// What an order is made of.
    pub fn details(&self, id: u64) -> Option<Details> {
        let options = self.options().clone();
        self.lock().details(&options, id)
    }

    /// The order is put away (what a DELETE of it does), or fetched back.
    pub fn set_archived(&self, id: u64, archived: bool) -> bool {
        self.change(id, |state, options, now| {
            state.touch(options, id, now);
            if let Some(order) = state.orders.get_mut(&id) {
                order.archived = archived;
            }
        })
    }

    /// How many orders are archived.
    pub fn archived(&self) -> usize {
        self.lock().orders.values().filter(|order| order.archived).count()
    }

    /// From now on the order's document is not one that can be read, or can be again.
    pub fn spoil(&self, id: u64, spoilt: bool) -> bool {
        self.change(id, |state, options, now| {
            state.touch(options, id, now);
            if spoilt {
                state.spoilt.insert(id)
            } else {
                state.spoilt.remove(&id)
            };
        })
    }

    /// Several pieces of a line are given back, with their money.
    pub fn refund_pieces(&self, id: u64, pieces: u64) -> bool {
        self.change(id, |state, options, now| {
            let Some(details) = state.details_mut(options, id) else { return };
            seed::refund(details, id, now, pieces);
            let all = details.lines.iter().all(|line| line.refunded >= line.quantity);
            state.set_status(options, id, if all { 4 } else { 14 }, now);
        })
    }

    /// The API account was deleted: its token is worth nothing any more. Or made again.
    pub fn set_revoked(&self, revoked: bool) {
        self.lock().revoked = revoked;
    }

    /// The store is down for maintenance, or up again.
    pub fn set_down(&self, down: bool) {
        self.lock().down = down;
    }
}
