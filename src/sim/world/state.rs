//! The memory of a simulated store: its orders, and how they change.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::hooks::{News, SharedPost};
use super::list::Kept;
use super::order::{About, Line, Note, Order, Refund, Shipment, Tracking, Way};
use super::{Event, Vendor, makeup};
use crate::sim::simulated::Lack;

/// An order as lists need it. What it is made of is made up only when somebody looks.
#[derive(Debug, Clone)]
pub struct Entry<V: Vendor> {
    /// Its id.
    pub(crate) id: u64,
    /// When it was placed.
    pub(crate) created: i64,
    /// When it was changed.
    pub(crate) modified: i64,
    /// When lists believe that it was.
    pub(crate) seen: i64,
    /// The channel's word or number for how it stands; empty where it has none that lists need.
    pub(crate) status: Cow<'static, str>,
    /// When it was put away as done with.
    pub(crate) away: Option<i64>,
    /// The content, once somebody changed it.
    pub(crate) order: Option<Box<Order<V::Own>>>,
}

impl<V: Vendor> Entry<V> {
    /// An untouched order.
    pub(in crate::sim) fn new(id: u64, created: i64, modified: i64, status: Cow<'static, str>) -> Self {
        Self { id, created, modified, seen: modified, status, away: None, order: None }
    }

    /// The content, made up where nobody has changed it.
    pub(crate) fn order<'a>(&'a self, options: &V::Options) -> Cow<'a, Order<V::Own>> {
        match &self.order {
            Some(order) => Cow::Borrowed(order),
            None => Cow::Owned(makeup::order(options, self)),
        }
    }
}

/// A store's memory.
pub struct State<V: Vendor> {
    /// The orders by id.
    pub(crate) orders: BTreeMap<u64, Entry<V>>,
    /// When lists believe that each order was changed.
    pub(crate) by_time: BTreeSet<(i64, u64)>,
    /// The orders by when they were placed.
    pub(crate) by_creation: BTreeSet<(i64, u64)>,
    /// Changes that lists do not know of yet: when they will, and of which order.
    pub(crate) unnoticed: Vec<(i64, u64)>,
    /// Orders at which the store's own program fails.
    pub(crate) unrenderable: BTreeSet<u64>,
    /// Orders whose documents break their own documentation.
    pub(crate) spoilt: BTreeSet<u64>,
    /// Refunds, and the orders that they are of.
    pub(crate) refunds: BTreeMap<u64, u64>,
    /// The next order's number.
    pub(crate) next: u64,
    /// Writes over the API that were applied.
    pub(crate) writes: u64,
    /// Counts every change.
    pub(crate) generation: u64,
    /// The last note's id.
    pub(super) last_note: u64,
    /// The last list.
    pub(super) kept: Kept,
    /// What happened that nobody was told of yet.
    pub(super) news: Vec<(u64, News)>,
    /// Subscriptions and deliveries.
    pub(crate) post: SharedPost,
    /// What only this channel's stores remember.
    pub(crate) own: V::Memory,
}

impl<V: Vendor> State<V> {
    pub(in crate::sim) fn new(first: u64, own: V::Memory) -> Self {
        Self {
            orders: BTreeMap::new(),
            by_time: BTreeSet::new(),
            by_creation: BTreeSet::new(),
            unnoticed: Vec::new(),
            unrenderable: BTreeSet::new(),
            spoilt: BTreeSet::new(),
            refunds: BTreeMap::new(),
            next: first,
            writes: 0,
            generation: 0,
            last_note: 0,
            kept: Kept::default(),
            news: Vec::new(),
            post: SharedPost::default(),
            own,
        }
    }

    /// The next number of an order, or of what shares its sequence.
    pub(in crate::sim) fn take_number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// Takes in an order.
    pub(in crate::sim) fn insert(&mut self, options: &V::Options, entry: Entry<V>, now: i64) {
        self.generation += 1;
        self.by_creation.insert((entry.created, entry.id));
        let lag = V::nature(options).lag;
        let known_at = entry.modified + lag;
        if lag == 0 || known_at <= now {
            self.by_time.insert((entry.seen, entry.id));
        } else {
            self.unnoticed.push((known_at, entry.id));
        }
        self.orders.insert(entry.id, entry);
    }

    /// Erases an order.
    pub(in crate::sim) fn remove(&mut self, id: u64) -> bool {
        self.generation += 1;
        let Some(entry) = self.orders.remove(&id) else { return false };
        self.refunds.retain(|_, owner| *owner != id);
        self.note(id, News::Erased);
        self.by_time.remove(&(entry.seen, id));
        self.by_creation.remove(&(entry.created, id))
    }

    /// What an order is made of.
    pub(in crate::sim) fn order(&self, options: &V::Options, id: u64) -> Option<Cow<'_, Order<V::Own>>> {
        self.orders.get(&id).map(|entry| entry.order(options))
    }

    /// The same, to be changed.
    pub(in crate::sim) fn order_mut(&mut self, options: &V::Options, id: u64) -> Option<&mut Order<V::Own>> {
        self.generation += 1;
        let entry = self.orders.get_mut(&id)?;
        if entry.order.is_none() {
            entry.order = Some(Box::new(makeup::order(options, entry)));
        }
        entry.order.as_deref_mut()
    }

    /// Lists come to know what they should at `now`.
    pub(in crate::sim) fn notice(&mut self, now: i64) {
        let (due, later) = std::mem::take(&mut self.unnoticed).into_iter().partition(|(at, _)| *at <= now);
        self.unnoticed = later;
        let due: Vec<(i64, u64)> = due;
        for (_, id) in due {
            let Some(entry) = self.orders.get_mut(&id) else { continue };
            self.by_time.remove(&(entry.seen, id));
            entry.seen = entry.modified;
            self.by_time.insert((entry.seen, id));
        }
    }
}

/// A store at a moment, for whoever acts on it.
pub struct Context<'a, V: Vendor> {
    /// What kind of store it is.
    pub(crate) options: &'a V::Options,
    /// Its memory.
    pub(crate) state: &'a mut State<V>,
    /// The time.
    pub(crate) now: i64,
    /// The address under which it is served.
    pub(crate) served: &'a str,
}

impl<V: Vendor> Context<'_, V> {
    /// What an order is made of.
    pub(in crate::sim) fn order(&self, id: u64) -> Option<Cow<'_, Order<V::Own>>> {
        self.state.order(self.options, id)
    }

    /// The same, to be changed.
    pub(in crate::sim) fn order_mut(&mut self, id: u64) -> Option<&mut Order<V::Own>> {
        self.state.order_mut(self.options, id)
    }

    /// Changes an order and its date. False for an unknown one.
    pub(in crate::sim) fn change(&mut self, id: u64, change: impl FnOnce(&mut Order<V::Own>)) -> bool {
        let Some(order) = self.order_mut(id) else { return false };
        change(order);
        self.touch(id);
        true
    }

    /// Changes what the staff edits; the date moves where the vendor saves the order with it.
    pub(in crate::sim) fn amend(&mut self, id: u64, change: impl FnOnce(&mut Order<V::Own>)) -> bool {
        match V::edits_move(self.options) {
            true => self.change(id, change),
            false => self.order_mut(id).map(change).is_some(),
        }
    }

    /// Changes an order, its date, and what follows from that.
    pub(in crate::sim) fn change_and(
        &mut self,
        id: u64,
        event: Event,
        change: impl FnOnce(&mut Order<V::Own>),
    ) -> bool {
        let Some(order) = self.order_mut(id) else { return false };
        change(order);
        V::follow(self, id, event);
        match event {
            Event::Held if V::HOLDS_IN_SILENCE => self.state.note(id, News::Held),
            Event::Released if V::HOLDS_IN_SILENCE => self.state.note(id, News::Released),
            _ => self.touch(id),
        }
        true
    }

    /// Dates an order's last change by the store's clock, which may have been set back since.
    pub(in crate::sim) fn touch(&mut self, id: u64) {
        self.date(id, self.now);
    }

    /// Dates an order's last change. The content is written down first: what is made up follows
    /// status and time.
    pub(in crate::sim) fn date(&mut self, id: u64, modified: i64) {
        self.order_mut(id);
        let Some(entry) = self.state.orders.get_mut(&id) else { return };
        entry.modified = modified;
        self.state.note(id, News::Changed);
        self.state.unnoticed.push((self.now + V::nature(self.options).lag, id));
        self.state.notice(self.now);
    }

    /// Puts a note on an order and gives its id; its date does not move.
    pub(in crate::sim) fn add_note(&mut self, id: u64, text: &str, to_customer: bool) -> u64 {
        self.state.last_note += 1;
        let (note, created) = (self.state.last_note, self.now);
        if let Some(order) = self.order_mut(id) {
            order.notes.push(Note { id: note, created, text: text.to_owned(), to_customer });
            if to_customer {
                order.mail(About::Note, text);
            }
        }
        note
    }

    /// Sets the status word, without what follows from it.
    pub(in crate::sim) fn set_word(&mut self, id: u64, status: impl Into<Cow<'static, str>>) {
        self.order_mut(id);
        if let Some(entry) = self.state.orders.get_mut(&id) {
            entry.status = status.into();
        }
    }

    /// Puts an order away, or fetches it back.
    pub(in crate::sim) fn put_away(&mut self, id: u64, away: bool) -> bool {
        let now = self.now;
        self.order_mut(id);
        let Some(entry) = self.state.orders.get_mut(&id) else { return false };
        entry.away = away.then_some(now);
        if away {
            self.state.note(id, News::PutAway);
        }
        self.change_and(id, Event::PutAway(away), |_| ())
    }

    /// Ships these pieces, one shipment for each address.
    pub(in crate::sim) fn ship(&mut self, id: u64, items: &[(u64, u64)], tracking: Tracking) -> bool {
        let now = self.now;
        self.change_and(id, Event::Shipped, |order| ship::<V>(order, items, &tracking, now))
    }

    /// Gives money back, for these pieces of lines if any; gives the refund's id.
    pub(in crate::sim) fn refund(
        &mut self,
        id: u64,
        amount: Decimal,
        reason: &str,
        lines: Vec<(u64, u64, Decimal)>,
    ) -> Option<u64> {
        self.refund_as(id, amount, reason, lines, false)
    }

    /// The same, of pieces that had been sent.
    pub(in crate::sim) fn refund_as(
        &mut self,
        id: u64,
        amount: Decimal,
        reason: &str,
        lines: Vec<(u64, u64, Decimal)>,
        sent: bool,
    ) -> Option<u64> {
        self.order_mut(id)?;
        let refund = V::refund_id(self.state, id);
        self.state.refunds.insert(refund, id);
        let (now, reason) = (self.now, reason.to_owned());
        let lines = if V::LACKS.contains(&Lack::RefundedPieces) { Vec::new() } else { lines };
        let give_back = |order: &mut Order<V::Own>| {
            for (wanted, pieces, _) in &lines {
                let found = order.lines.iter_mut().filter(|line| line.id == *wanted);
                found.for_each(|line| line.give_back(*pieces, sent));
            }
            order.refunds.push(Refund { id: refund, at: now, reason, amount, lines });
        };
        if V::REFUND_IS_CHANGE {
            self.change_and(id, Event::Refunded(refund), give_back);
        } else {
            give_back(self.order_mut(id)?);
            V::follow(self, id, Event::Refunded(refund));
        }
        Some(refund)
    }
}

/// Ships these pieces, one shipment for each address.
pub(in crate::sim) fn ship<V: Vendor>(order: &mut Order<V::Own>, items: &[(u64, u64)], tracking: &Tracking, at: i64) {
    let places: Vec<u64> = order.places.iter().map(|place| place.id).collect();
    for place in places {
        let here = |line: u64| order.line(line).is_some_and(|line| line.way == Way::Parcel(place));
        let items: Vec<(u64, u64)> = items.iter().filter(|(line, count)| *count > 0 && here(*line)).copied().collect();
        if !items.is_empty() {
            let id = makeup::part_id::<V>(order);
            let tracking = if *tracking == Tracking::default() { Vec::new() } else { vec![tracking.clone()] };
            order.add_shipment(Shipment { id, place, at, items, tracking, ..Shipment::default() });
        }
    }
}

/// Gives back at most so many pieces of so many lines, as a seeded order has it.
pub(in crate::sim) fn give_back<V: Vendor>(
    order: &mut Order<V::Own>,
    lines: usize,
    pieces: u64,
    reason: &str,
    at: i64,
) {
    let back = |line: &mut Line| {
        line.refunded = line.quantity.min(pieces);
        (line.id, line.refunded, line.price * Decimal::from(line.refunded))
    };
    let lines: Vec<_> = order.lines.iter_mut().take(lines).map(back).collect();
    let amount = lines.iter().map(|(_, _, amount)| amount).sum();
    let id = makeup::part_id::<V>(order);
    order.refunds.push(Refund { id, at, reason: reason.to_owned(), amount, lines });
}

/// Every open piece of every line.
pub(in crate::sim) fn everything<O>(order: &Order<O>) -> Vec<(u64, u64)> {
    order.lines.iter().map(|line| (line.id, line.open())).filter(|(_, open)| *open > 0).collect()
}
