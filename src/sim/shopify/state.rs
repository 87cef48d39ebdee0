//! A shop's orders and everything that belongs to them. Times are milliseconds since the epoch.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::options::Options;
use super::seed;

/// A shop's memory.
#[derive(Default)]
pub struct State {
    /// Orders by id.
    pub orders: BTreeMap<u64, Slot>,
    /// The search index: what it believes when an order was changed, in its order.
    pub by_update: BTreeSet<(i64, u64)>,
    /// Orders at which Shopify's own program fails.
    pub unrenderable: BTreeSet<u64>,
    /// Orders by when they were made.
    pub by_creation: BTreeSet<(i64, u64)>,
    /// Changes that the index has not noticed yet: when it will, and of which order.
    pub unnoticed: Vec<(i64, u64)>,
    /// Tokens and when they end; `None`: never.
    pub tokens: BTreeMap<String, Option<i64>>,
    /// How many tokens were fetched.
    pub tokens_fetched: u64,
    /// The next id of anything.
    pub next_id: u64,
    /// The next order's number.
    pub next_number: u64,
    /// Writes over the API that were applied.
    pub writes: u64,
    /// The bucket of points.
    pub bucket: Bucket,
    /// Points spent so far.
    pub points: f64,
    /// Queries that were not carried out for want of points.
    pub throttled: u64,
    /// Queries that were not carried out because one may not cost that much.
    pub too_dear: u64,
    /// Cancellations at work: by the job's id, order and when it will be done.
    pub jobs: BTreeMap<String, Job>,
    /// Bulk operations by id.
    pub bulk: BTreeMap<u64, Operation>,
    /// How many of the next bulk operations fail.
    pub failing_bulk: u32,
    /// How many of the next bulk operations never end.
    pub stuck_bulk: u32,
    /// How many of the next bulk operations lack the last row of their files.
    pub short_bulk: u32,
    /// How many of the next bulk operations end well and find nothing.
    pub empty_bulk: u32,
}

/// A bucket of points.
#[derive(Default)]
pub struct Bucket {
    /// What is in it.
    pub level: f64,
    /// When that was.
    pub at: i64,
    /// What was set aside and comes back when the query is over.
    pub refunds: Vec<(i64, f64)>,
}

/// A cancellation at work.
#[derive(Debug, Clone)]
pub struct Job {
    /// The order.
    pub order: u64,
    /// When it will be done.
    pub done_at: i64,
    /// Shopify's reason.
    pub reason: String,
    /// For the staff.
    pub note: Option<String>,
    /// Whether money goes back.
    pub refund: bool,
    /// Whether it comes to nothing.
    pub fails: bool,
}

/// A bulk operation.
#[derive(Clone)]
pub struct Operation {
    /// When it will be done.
    pub done_at: i64,
    /// Whether it fails.
    pub fails: bool,
    /// How many orders and rows its file has.
    pub counts: (u64, u64),
    /// The file.
    pub file: Arc<Vec<u8>>,
}

/// An order's place: what is made up only when it is looked at, or has a life of its own.
pub struct Slot {
    /// When it was made.
    pub created: i64,
    /// When it was changed.
    pub updated: i64,
    /// When the search index believes that.
    pub indexed: i64,
    /// Its number.
    pub number: u64,
    /// The order, once somebody changed it.
    pub order: Option<Box<Order>>,
}

/// An order.
#[derive(Debug, Clone, Default)]
pub struct Order {
    pub id: u64,
    pub number: u64,
    pub created: i64,
    pub financial: Option<&'static str>,
    pub paid_at: Option<i64>,
    pub cancelled: Option<Cancelled>,
    pub closed: Option<i64>,
    pub test: bool,
    pub edited: bool,
    pub person: usize,
    pub street: String,
    /// The buyer's data were erased.
    pub erased: bool,
    pub ships: bool,
    pub customer: Option<u64>,
    pub note: String,
    pub tags: Vec<String>,
    pub attributes: Vec<(String, String)>,
    pub lines: Vec<Line>,
    pub shipping_cents: i64,
    pub discount_cents: i64,
    pub duties_cents: i64,
    pub fees: Vec<(String, i64)>,
    /// Names of payment gateways; empty: those that go with how it is paid.
    pub gateway: String,
    /// How it gets to the buyer; empty: in parcels.
    pub delivery: &'static str,
    pub currency: &'static str,
    pub source: &'static str,
    pub refunds: Vec<Refund>,
    pub fulfillments: Vec<Fulfillment>,
    pub fulfillment_orders: Vec<FulfillmentOrder>,
    pub mails: u64,
    pub broken: bool,
}

/// How an order was cancelled.
#[derive(Debug, Clone)]
pub struct Cancelled {
    pub at: i64,
    pub reason: String,
    pub note: Option<String>,
}

/// A line.
#[derive(Debug, Clone)]
pub struct Line {
    pub id: u64,
    pub sku: String,
    pub title: String,
    pub variant: Option<String>,
    pub product: Option<u64>,
    pub quantity: i64,
    pub current: i64,
    pub cents: i64,
    pub ships: bool,
    pub gift_card: bool,
}

/// A refund.
#[derive(Debug, Clone)]
pub struct Refund {
    pub id: u64,
    pub at: i64,
    pub cents: i64,
    pub note: String,
}

/// A fulfilment.
#[derive(Debug, Clone)]
pub struct Fulfillment {
    pub id: u64,
    pub at: i64,
    pub status: &'static str,
    pub tracking: Vec<Tracking>,
    pub lines: Vec<(u64, i64)>,
}

/// A tracking number.
#[derive(Debug, Clone, Default)]
pub struct Tracking {
    pub company: Option<String>,
    pub number: Option<String>,
    pub url: Option<String>,
}

/// A fulfilment order.
#[derive(Debug, Clone)]
pub struct FulfillmentOrder {
    pub id: u64,
    pub status: &'static str,
    pub location: u64,
    /// Whether a fulfilment service has the goods: nobody else ships them.
    pub service: bool,
    pub hold: Option<String>,
    pub lines: Vec<OpenLine>,
}

/// A line of a fulfilment order.
#[derive(Debug, Clone)]
pub struct OpenLine {
    pub id: u64,
    pub line: u64,
    pub total: i64,
    pub remaining: i64,
}

impl Order {
    /// Pieces of a line that are in a fulfilment.
    pub fn fulfilled(&self, line: u64) -> i64 {
        let made = self.fulfillments.iter().filter(|fulfillment| fulfillment.status == "SUCCESS");
        made.flat_map(|fulfillment| &fulfillment.lines).filter(|(id, _)| *id == line).map(|(_, count)| count).sum()
    }

    /// Pieces of a line that are still to be shipped.
    pub fn unfulfilled(&self, line: &Line) -> i64 {
        (line.current - self.fulfilled(line.id)).max(0)
    }

    /// `displayFulfillmentStatus`.
    pub fn fulfillment_status(&self) -> &'static str {
        let shipping: Vec<&Line> = self.lines.iter().filter(|line| line.ships).collect();
        let some = self.fulfillments.iter().any(|fulfillment| fulfillment.status == "SUCCESS");
        let left = shipping.iter().any(|line| self.unfulfilled(line) > 0);
        match (some, left) {
            _ if shipping.is_empty() => "FULFILLMENT_NOT_REQUIRED",
            (true, false) => "FULFILLED",
            (true, true) => "PARTIALLY_FULFILLED",
            _ if self.fulfillment_orders.iter().any(|one| one.status == "ON_HOLD") => "ON_HOLD",
            _ if self.fulfillment_orders.iter().any(|one| one.status == "SCHEDULED") => "SCHEDULED",
            _ => "UNFULFILLED",
        }
    }

    /// Of all lines as ordered, before discounts and shipping.
    pub fn ordered_cents(&self) -> i64 {
        self.lines.iter().map(|line| line.cents * line.quantity).sum()
    }

    /// What is off so many pieces of a line.
    pub fn discount(&self, line: &Line, pieces: i64) -> i64 {
        if self.discount_cents > 0 { line.cents * pieces / 10 } else { 0 }
    }

    /// What an edit took out of the order, discounts taken off.
    pub fn removed_cents(&self) -> i64 {
        let gone = |line: &Line| {
            let pieces = line.quantity - line.current;
            let discount = self.discount(line, line.quantity) - self.discount(line, line.current);
            line.cents * pieces - discount
        };
        self.lines.iter().map(gone).sum()
    }

    /// Duties and other fees.
    pub fn fees_cents(&self) -> i64 {
        self.duties_cents + self.fees.iter().map(|(_, cents)| cents).sum::<i64>()
    }

    /// Given back so far.
    pub fn refunded_cents(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.cents).sum()
    }
}

impl State {
    /// An id that nothing has.
    pub fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// An order, made up if nobody has changed it.
    pub fn order<'a>(&'a self, options: &Options, id: u64) -> Option<Cow<'a, Order>> {
        let slot = self.orders.get(&id)?;
        Some(match &slot.order {
            Some(order) => Cow::Borrowed(order.as_ref()),
            None => Cow::Owned(seed::order(options, id, slot)),
        })
    }

    /// Changes an order at `now`; false where there is none.
    pub fn change(&mut self, options: &Options, id: u64, now: i64, change: impl FnOnce(&mut Order)) -> bool {
        let Some(slot) = self.orders.get_mut(&id) else { return false };
        let mut order = slot.order.take().unwrap_or_else(|| Box::new(seed::order(options, id, slot)));
        change(&mut order);
        slot.order = Some(order);
        slot.updated = now.max(slot.updated);
        self.unnoticed.push((now + options.lag * 1000, id));
        self.notice(now);
        true
    }

    /// Takes an order in.
    pub fn insert(&mut self, options: &Options, id: u64, slot: Slot, now: i64) {
        self.by_creation.insert((slot.created, id));
        let seen_at = slot.updated + options.lag * 1000;
        let listed = seen_at <= now;
        if listed {
            self.by_update.insert((slot.indexed, id));
        } else {
            self.unnoticed.push((seen_at, id));
        }
        self.orders.insert(id, slot);
    }

    /// Erases an order.
    pub fn remove(&mut self, id: u64) -> bool {
        let Some(slot) = self.orders.remove(&id) else { return false };
        self.by_update.remove(&(slot.indexed, id));
        self.by_creation.remove(&(slot.created, id));
        true
    }

    /// The search index comes up to date with what it should know at `now`.
    pub fn notice(&mut self, now: i64) {
        let mut due: Vec<u64> = Vec::new();
        self.unnoticed.retain(|(at, id)| {
            if *at <= now {
                due.push(*id);
            }
            *at > now
        });
        for id in due {
            if let Some(slot) = self.orders.get_mut(&id) {
                self.by_update.remove(&(slot.indexed, id));
                slot.indexed = slot.updated;
                self.by_update.insert((slot.indexed, id));
            }
        }
    }
}
