//! What the people around a store do to it, whatever its channel.

use std::sync::Arc;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::hooks::{Hook, Letter, News, locked};
use super::order::{Address, Line, Mails, Refund, Tracking, Way};
use super::state::{Entry, everything};
use super::{Context, Event, Order, Purchase, Shop, Vendor, makeup, ticks};
use crate::channel::ChannelKind;
use crate::clock::{Clock, Timestamp};
use crate::sim::http::Response;
use crate::sim::simulated::{Access, Counters, Interruption, Lack, Question, Simulated, Standing};

impl<V: Vendor> Shop<V> {
    /// A store with some seeded orders of the last three weeks, and these, placed an hour or more
    /// apart.
    pub(in crate::sim) fn with_stories(
        options: V::Options,
        clock: Arc<dyn Clock>,
        seeded: u64,
        stories: Vec<Purchase>,
    ) -> Self {
        let now = clock.now();
        let shop = Self::new(options, clock);
        Simulated::seed(&shop, seeded, now - TimeDelta::weeks(3), now - TimeDelta::days(2));
        for (index, story) in stories.into_iter().enumerate() {
            let hours = 40 - 3 * i64::try_from(index).unwrap_or(0);
            shop.place_order(story.at(now - TimeDelta::hours(hours)));
        }
        shop
    }

    /// A buyer places an order; gives its id.
    pub fn place_order(&self, purchase: impl std::borrow::Borrow<Purchase>) -> u64 {
        let purchase = purchase.borrow();
        self.with(|context| {
            let at = purchase.at.map_or(context.now, ticks::<V>);
            let id = V::order_id(context.state.take_number());
            let order = makeup::bought::<V>(context.options, id, purchase, at);
            let entry = Entry::new(id, at, at, V::first_status(purchase));
            let entry = Entry { order: Some(Box::new(order)), ..entry };
            context.state.insert(context.options, entry, context.now);
            context.state.note(id, News::Placed);
            id
        })
    }

    /// Changes an order as somebody in the store's admin does. False for an unknown one.
    pub fn edit(&self, id: u64, change: impl FnOnce(&mut Order<V::Own>)) -> bool {
        self.with(|context| context.change_and(id, Event::Edited, change))
    }

    /// Something happens to an order.
    fn happens(&self, id: &str, event: Event, change: impl FnOnce(&mut Order<V::Own>)) -> bool {
        self.with(|context| context.change_and(V::read_id(id), event, change))
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
        self.edit(id, |order| order.lines.get_mut(nth).into_iter().for_each(|line| line.set_quantity(pieces)))
    }

    /// A plugin or an app writes on the order.
    pub fn set_meta(&self, id: u64, key: &str, value: Value) -> bool {
        self.edit(id, |order| order.set_meta(key, value))
    }

    /// Something saves many orders in one moment.
    pub fn touch_many(&self, ids: &[u64]) {
        self.with(|context| ids.iter().for_each(|id| context.touch(*id)));
    }

    /// The merchant pays back some pieces of a line; gives the refund's id.
    pub fn refund_line(&self, id: u64, item: u64, pieces: u64, amount: &str) -> Option<u64> {
        let amount: Decimal = amount.parse().ok()?;
        self.with(|context| context.refund(id, amount, "", vec![(item, pieces, amount)]))
    }

    /// A payment plugin pays back without moving the order's date, as some do.
    pub fn refund_silently(&self, id: u64, amount: &str) -> Option<u64> {
        let amount = amount.parse().ok()?;
        self.with(|context| {
            context.order(id)?;
            let (refund, at) = (V::refund_id(context.state, id), context.now);
            let (lines, reason) = (Vec::new(), String::new());
            context.order_mut(id)?.refunds.push(Refund { id: refund, at, amount, reason, lines });
            context.state.refunds.insert(refund, id);
            Some(refund)
        })
    }

    /// Somebody adds a note; one to the buyer is mailed.
    pub fn add_note(&self, id: u64, text: &str, to_buyer: bool) -> u64 {
        self.with(|context| context.add_note(id, text, to_buyer))
    }

    /// The order's lines.
    pub(crate) fn lines(&self, id: u64) -> Vec<Line> {
        self.order(id).map(|order| order.lines).unwrap_or_default()
    }

    /// The ids of the order's lines.
    pub fn item_ids(&self, id: u64) -> Vec<u64> {
        self.lines(id).iter().map(|line| line.id).collect()
    }

    /// The e-mails that the order's buyer would have got.
    pub fn mails(&self, id: u64) -> Mails {
        self.order(id).map(|order| Mails::of(&order)).unwrap_or_default()
    }

    /// How many writes over the API have been applied.
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// What an order is made of.
    pub fn order(&self, id: u64) -> Option<Order<V::Own>> {
        self.with(|context| context.order(id).map(std::borrow::Cow::into_owned))
    }

    /// The ids as numbers.
    pub fn numbers(&self) -> Vec<u64> {
        self.lock().orders.keys().copied().collect()
    }
}

impl<V: Vendor> Simulated for Shop<V> {
    fn kind(&self) -> ChannelKind {
        V::KIND
    }

    fn access(&self, url: &str) -> Access {
        V::access(&self.options(), url)
    }

    fn asks(&self, question: Question) -> Option<(&'static str, &'static str)> {
        V::asks(&self.options(), question)
    }

    fn lacks(&self, what: Lack) -> bool {
        V::LACKS.contains(&what)
    }

    fn interrupt(&self, interruption: Interruption) {
        self.before_request(move |request, shop| interruption(request, shop));
    }

    fn place(&self, purchase: &Purchase) -> String {
        let id = self.place_order(purchase);
        if V::NEW_IS_CHANGED {
            self.with(|context| context.touch(id));
        }
        V::write_id(id)
    }

    /// Only ids, times and statuses are made now; the rest when it is looked at.
    fn seed(&self, orders: u64, from: Timestamp, to: Timestamp) {
        let (from, to) = (ticks::<V>(from), ticks::<V>(to));
        self.with(|context| {
            let span = i128::from((to - from).max(0));
            for nth in 0..orders {
                let id = V::order_id(context.state.take_number());
                // Runs of orders share a second, as imports and bulk edits make them.
                let place = if id % 10 < 3 { nth - nth.min(id % 10) } else { nth };
                let created = from + i64::try_from(span * i128::from(place) / i128::from(orders.max(1))).unwrap_or(0);
                let (status, modified) = V::fate(context.options, id, created, to.max(created));
                let now = context.now.max(modified + V::nature(context.options).lag);
                context.state.insert(context.options, Entry::new(id, created, modified, status), now);
            }
        });
    }

    fn set_clock(&self, ahead_minutes: i64) {
        self.clock.set(ahead_minutes);
    }

    fn ids(&self) -> Vec<String> {
        self.numbers().into_iter().map(V::write_id).collect()
    }

    fn is_listed(&self, id: &str) -> bool {
        self.lock().orders.get(&V::read_id(id)).is_some_and(V::is_listed)
    }

    fn pay(&self, id: &str) -> bool {
        let now = self.now();
        self.happens(id, Event::Paid, |order| order.paid = Some(now))
    }

    fn cancel(&self, id: &str) -> bool {
        self.happens(id, Event::Cancelled, |_| ())
    }

    fn readdress(&self, id: &str, street: &str) -> bool {
        self.with(|context| {
            context.amend(V::read_id(id), |order| {
                let first = order.places.first_mut();
                first.into_iter().for_each(|place| street.clone_into(&mut place.address.street_1));
            })
        })
    }

    fn reorder_places(&self, id: &str) -> bool {
        let mut is_done = false;
        let reverse = |order: &mut Order<V::Own>| {
            is_done = order.places.len() > 1;
            order.places.reverse();
        };
        self.happens(id, Event::Edited, reverse) && is_done
    }

    fn remove_place(&self, id: &str, nth: usize) -> bool {
        let mut is_done = false;
        let remove = |order: &mut Order<V::Own>| {
            if order.places.len() < 2 || nth >= order.places.len() {
                return;
            }
            let gone = order.places.remove(nth).id;
            let Some(other) = order.places.first().map(|place| place.id) else { return };
            let there = order.lines.iter_mut().filter(|line| line.way == Way::Parcel(gone));
            there.for_each(|line| line.way = Way::Parcel(other));
            is_done = true;
        };
        self.happens(id, Event::Edited, remove) && is_done
    }

    fn erase_buyer(&self, id: &str) -> bool {
        self.with(|context| context.amend(V::read_id(id), V::erase))
    }

    fn annotate(&self, id: &str, note: &str) -> bool {
        self.with(|context| context.amend(V::read_id(id), |order| note.clone_into(&mut order.note)))
    }

    fn ship_elsewhere(&self, id: &str, carrier: &str, tracking: &str) -> bool {
        self.with(|context| {
            let items = context.order(V::read_id(id)).map(|order| everything(&order));
            items.is_some_and(|items| V::ship(context, V::read_id(id), &items, parcel(carrier, tracking), true))
        })
    }

    fn ship_pieces(&self, id: &str, nth: usize, pieces: u32, carrier: &str, tracking: &str) -> bool {
        self.with(|context| {
            let wanted = nth_line(context, id, nth);
            wanted.is_some_and(|(line, _)| {
                V::ship(context, V::read_id(id), &[(line, u64::from(pieces))], parcel(carrier, tracking), false)
            })
        })
    }

    fn retrack(&self, id: &str, old: &str, new: &str) -> bool {
        let mut found = false;
        self.with(|context| {
            let at = context.now;
            context.amend(V::read_id(id), |order| found = V::retrack(order, old, new, at))
        }) && found
    }

    fn refund(&self, id: &str, amount: &str) -> bool {
        let amount = amount.trim().parse::<Decimal>().ok().filter(|amount| *amount > Decimal::ZERO);
        amount
            .is_some_and(|amount| self.with(|context| context.refund(V::read_id(id), amount, "", Vec::new())).is_some())
    }

    fn refund_pieces(&self, id: &str, nth: usize, pieces: u32) -> bool {
        self.with(|context| {
            let Some((line, price)) = nth_line(context, id, nth) else { return false };
            let amount = price * Decimal::from(pieces);
            context.refund(V::read_id(id), amount, "", vec![(line, u64::from(pieces), amount)]).is_some()
        })
    }

    fn grow_line(&self, id: &str, nth: usize, pieces: u32) -> bool {
        self.happens(id, Event::Edited, |order| {
            if let Some(line) = order.lines.get_mut(nth) {
                line.quantity = line.quantity.saturating_add(pieces.into());
            }
        })
    }

    fn return_pieces(&self, id: &str, nth: usize, pieces: u32) -> bool {
        self.with(|context| {
            let Some((line, price)) = nth_line(context, id, nth) else { return false };
            let amount = price * Decimal::from(pieces);
            let lines = vec![(line, u64::from(pieces), amount)];
            context.refund_as(V::read_id(id), amount, "", lines, true).is_some()
        })
    }

    fn remove_line(&self, id: &str, nth: usize) -> bool {
        self.happens(id, Event::Edited, |order| match order.lines.get_mut(nth) {
            Some(line) if V::KEEPS_LINES => line.removed = line.quantity.saturating_sub(line.refunded),
            Some(_) => drop(order.lines.remove(nth)),
            None => {}
        })
    }

    fn hold(&self, id: &str) -> bool {
        !self.lacks(Lack::Holds) && self.happens(id, Event::Held, |_| ())
    }

    fn release(&self, id: &str) -> bool {
        !self.lacks(Lack::Holds) && self.happens(id, Event::Released, |_| ())
    }

    fn unpay(&self, id: &str) -> bool {
        self.happens(id, Event::Unpaid, |order| order.paid = None)
    }

    fn undo_shipments(&self, id: &str) -> bool {
        self.happens(id, Event::Unshipped, V::undo_shipments)
    }

    fn put_away(&self, id: &str) -> bool {
        !self.lacks(Lack::Archive) && self.with(|context| context.put_away(V::read_id(id), true))
    }

    fn archives(&self) -> bool {
        V::ARCHIVES
    }

    fn tells_returns(&self) -> bool {
        V::TELLS_RETURNS
    }

    fn erase(&self, id: &str) -> bool {
        self.with(|context| context.state.remove(V::read_id(id)))
    }

    fn redate(&self, id: &str, at: Timestamp) -> bool {
        self.with(|context| {
            context.date(V::read_id(id), ticks::<V>(at));
            context.state.orders.contains_key(&V::read_id(id))
        })
    }

    fn spoil(&self, id: &str, spoilt: bool) -> bool {
        self.with(|context| {
            if spoilt {
                context.state.spoilt.insert(V::read_id(id))
            } else {
                context.state.spoilt.remove(&V::read_id(id))
            };
            context.change(V::read_id(id), |_| ())
        })
    }

    fn touch(&self, id: &str) -> bool {
        self.with(|context| context.change(V::read_id(id), |_| ()))
    }

    fn set_unrenderable(&self, id: &str, unrenderable: bool) -> bool {
        let (id, mut state) = (V::read_id(id), self.lock());
        if unrenderable {
            state.unrenderable.insert(id)
        } else {
            state.unrenderable.remove(&id)
        };
        state.orders.contains_key(&id)
    }

    fn standing(&self, id: &str) -> Option<Standing> {
        self.with(|context| {
            let entry = context.state.orders.get(&V::read_id(id))?;
            let order = entry.order(context.options);
            let (cancelled, shipped) = V::stands(entry, &order);
            let (sent, parcels) = V::parcels(&order);
            let (dispatch_mails, mails) = (order.dispatch_mails(), order.mails.clone());
            let (restocked, refunded, remarks) = (order.restocked, order.refunded(), V::remarks(&order));
            Some(Standing { cancelled, shipped, sent, parcels, dispatch_mails, mails, restocked, refunded, remarks })
        })
    }

    fn document(&self, id: &str) -> Option<Value> {
        self.with(|context| V::document(context, V::read_id(id)))
    }

    fn counters(&self) -> Counters {
        let state = self.lock();
        let mails =
            state.orders.values().filter_map(|entry| entry.order.as_ref()).map(|order| order.dispatch_mails()).sum();
        Counters { orders: state.orders.len() as u64, writes: state.writes, dispatch_mails: mails }
    }

    fn letters(&self) -> Vec<Letter> {
        locked(&self.lock().post).letters.clone()
    }

    fn hooks(&self) -> Vec<Hook> {
        locked(&self.lock().post).hooks.clone()
    }

    fn change_hooks(&self, change: &mut dyn FnMut(&mut Vec<Hook>)) {
        change(&mut locked(&self.lock().post).hooks);
    }

    fn verb(&self, method: &str, verb: &str, id: &str, wish: &Value) -> Option<Response> {
        let changed = V::control(self, verb, V::read_id(id), wish).filter(|_| method == "POST")?;
        let mut body = json!({ "id": id, "changed": changed });
        if let Some(entry) = self.lock().orders.get(&V::read_id(id)) {
            body["status"] = json!(entry.status);
        }
        let known = changed || body.get("status").is_some();
        Some(Response::json(if known { 200 } else { 404 }, &body))
    }
}

/// A tracking number; nothing where there is none.
fn parcel(carrier: &str, number: &str) -> Tracking {
    match number {
        "" => Tracking::default(),
        number => Tracking { carrier: carrier.to_owned(), number: number.to_owned(), ..Tracking::default() },
    }
}

/// Id and price of an order's nth line.
fn nth_line<V: Vendor>(context: &Context<'_, V>, id: &str, nth: usize) -> Option<(u64, Decimal)> {
    context.order(V::read_id(id))?.lines.get(nth).map(|line| (line.id, line.price))
}
