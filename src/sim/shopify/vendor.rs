//! The world in Shopify's words: fulfilment orders, financial status, and what follows from what
//! happens.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::Value;

use super::options::{Options, REHEARSAL_CLIENT_ID, REHEARSAL_CLIENT_SECRET, REHEARSAL_TOKEN};
use super::{Context, Entry, Order, STEP, Shop, State, render, webhooks, writes};
use crate::channel::ChannelKind;
use crate::sim::budget::Bucket;
use crate::sim::graphql::plain;
use crate::sim::http::{Request, Response};
use crate::sim::tokens::Tokens;
use crate::sim::world::hooks::{Hook, News, Patience, Written};
use crate::sim::world::{Dice, Event, Line, Nature, Purchase, Refund, Tracking, Vendor, everything, mix, ship_items};
use crate::sim::{Access, FaultKind, Question};

/// Ids are far apart, so that what belongs to an order can be told from its id, and beyond what a
/// floating-point number can hold.
const FIRST_ID: u64 = 820_982_911_946_000 * STEP;

/// The vendor.
#[derive(Debug, Clone, Copy)]
pub struct Shopify;

/// What a shop remembers beside its orders.
#[derive(Default)]
pub struct Memory {
    /// Tokens.
    pub(crate) tokens: Tokens,
    next_id: u64,
    /// The points that queries cost.
    pub(crate) bucket: Bucket,
    /// Points spent so far.
    pub(crate) points: f64,
    /// Queries that were not carried out for want of points.
    pub(crate) throttled: u64,
    /// Queries that were not carried out because one may not cost that much.
    pub(crate) too_dear: u64,
    /// How many questions have found an order that was not asked for.
    pub(crate) strays: usize,
    /// Cancellations by their numbers.
    pub(crate) jobs: BTreeMap<u64, Job>,
    /// Bulk operations by id.
    pub(crate) bulk: BTreeMap<u64, Operation>,
    /// How many of the next bulk operations fail.
    pub(crate) failing_bulk: u32,
    /// How many of the next bulk operations never end.
    pub(crate) stuck_bulk: u32,
    /// How many of the next bulk operations lack the last row of their files.
    pub(crate) short_bulk: u32,
    /// How many of the next bulk operations end well and find nothing.
    pub(crate) empty_bulk: u32,
}

impl Memory {
    /// An id that nothing has.
    pub(crate) fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

/// A cancellation at work.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// The order.
    pub(crate) order: u64,
    /// When it will be done.
    pub(crate) done_at: i64,
    /// Shopify's reason.
    pub(crate) reason: String,
    /// For the staff.
    pub(crate) note: Option<String>,
    /// Whether money goes back.
    pub(crate) refund: bool,
    /// Whether the pieces go back on the shelf.
    pub(crate) restock: bool,
    /// Whether the buyer is told.
    pub(crate) notify: bool,
    /// Whether it comes to nothing.
    pub(crate) fails: bool,
}

/// A bulk operation.
#[derive(Clone)]
pub(crate) struct Operation {
    /// When it will be done.
    pub(crate) done_at: i64,
    /// Whether it fails.
    pub(crate) fails: bool,
    /// How many orders and rows its file has.
    pub(crate) counts: (u64, u64),
    /// The file.
    pub(crate) file: Arc<Vec<u8>>,
}

/// What only Shopify's orders have.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// `displayFinancialStatus`.
    pub(crate) financial: Option<&'static str>,
    /// How it was cancelled.
    pub(crate) cancelled: Option<Cancelled>,
    /// When it was closed.
    pub(crate) closed: Option<i64>,
    /// Its lines were edited.
    pub(crate) edited: bool,
    /// All its items are said to be in progress.
    pub(crate) in_progress: bool,
    /// The buyer's data were erased.
    pub(crate) erased: bool,
    /// Tags.
    pub(crate) tags: Vec<String>,
    /// Fulfilment orders.
    pub(crate) fulfillment_orders: Vec<FulfillmentOrder>,
}

/// How an order was cancelled.
#[derive(Debug, Clone)]
pub(crate) struct Cancelled {
    /// When.
    pub(crate) at: i64,
    /// Shopify's word.
    pub(crate) reason: String,
    /// For the staff.
    pub(crate) note: Option<String>,
}

/// A fulfilment order.
#[derive(Debug, Clone)]
pub(crate) struct FulfillmentOrder {
    /// Its id.
    pub(crate) id: u64,
    /// `OPEN`, ...
    pub(crate) status: &'static str,
    /// Where the goods are.
    pub(crate) location: u64,
    /// Whether a fulfilment service has the goods: nobody else ships them.
    pub(crate) service: bool,
    /// Whether what is in it needs no delivery.
    pub(crate) undelivered: bool,
    /// Why it is held back.
    pub(crate) hold: Option<String>,
    /// When that or its status changed by itself.
    pub(crate) touched: Option<i64>,
    /// Its lines.
    pub(crate) lines: Vec<OpenLine>,
}

/// A line of a fulfilment order.
#[derive(Debug, Clone)]
pub(crate) struct OpenLine {
    /// Its id.
    pub(crate) id: u64,
    /// The order's line.
    pub(crate) line: u64,
    /// Pieces.
    pub(crate) total: u64,
    /// Of which not shipped yet.
    pub(crate) remaining: u64,
    /// Whether it is a gift card.
    pub(crate) gift: bool,
}

/// Pieces of a line that are still to be fulfilled.
pub(super) fn unfulfilled(line: &Line) -> u64 {
    line.unsent()
}

/// What the buyer pays for so many pieces less of a line, discounts taken off.
fn removed(line: &Line) -> Decimal {
    let pieces = Decimal::from(line.quantity - line.current());
    let discount = (line.discount * pieces).checked_div(Decimal::from(line.quantity)).unwrap_or_default();
    line.price * pieces - discount.trunc_with_scale(2)
}

/// What an edit took out of the order, discounts taken off.
pub(super) fn removed_from(order: &Order) -> Decimal {
    order.lines.iter().map(removed).sum()
}

/// Everything as ordered.
pub(super) fn total(order: &Order) -> Decimal {
    order.subtotal() - order.discount() + order.shipping() + order.fees() + order.duties
}

/// `displayFulfillmentStatus`: of all items, whether they are sent or not. Nothing is required where
/// nothing is left of an order of which nothing was fulfilled, as after a refund in full (changelog
/// of 2026-07-03).
pub(super) fn fulfillment_status(order: &Order) -> &'static str {
    let left = order.own.cancelled.is_none() && order.lines.iter().any(|line| unfulfilled(line) > 0);
    let some = |status: &str| order.own.fulfillment_orders.iter().any(|one| one.status == status);
    match (order.sent().next().is_some(), left) {
        (false, false) => "FULFILLMENT_NOT_REQUIRED",
        (true, false) => "FULFILLED",
        _ if order.own.in_progress => "IN_PROGRESS",
        (true, true) => "PARTIALLY_FULFILLED",
        _ if some("ON_HOLD") => "ON_HOLD",
        _ if some("SCHEDULED") => "SCHEDULED",
        _ => "UNFULFILLED",
    }
}

/// Shopify's background worker: one fulfilment order for all that ships, and one beside it for what
/// needs no delivery.
fn route(order: &mut Order) {
    let status = if order.own.cancelled.is_some() { "CLOSED" } else { "OPEN" };
    let of = |undelivered: bool| {
        let lines = order.lines.iter().filter(|line| line.ships() != undelivered && line.current() > 0);
        let open = |line: &Line| OpenLine {
            id: line.id + 300,
            line: line.id,
            total: line.current(),
            remaining: line.unsent(),
            gift: render::is_gift_card(line),
        };
        let (id, lines) = (order.id + if undelivered { 204 } else { 200 }, lines.map(open).collect());
        FulfillmentOrder { id, status, location: 1, service: false, undelivered, hold: None, touched: None, lines }
    };
    let all = [of(false), of(true)];
    order.own.fulfillment_orders = all.into_iter().filter(|one| !one.lines.is_empty()).collect();
}

/// What is not open in the order any more is not in its fulfilment orders.
fn settle(order: &mut Order, edited: bool) {
    for line in &order.lines {
        let all = order.own.fulfillment_orders.iter_mut().flat_map(|one| &mut one.lines);
        let mut here: Vec<&mut OpenLine> = all.filter(|open| open.line == line.id).collect();
        let mut excess = here.iter().map(|open| open.remaining).sum::<u64>().saturating_sub(line.unsent());
        for open in here.iter_mut().filter(|open| open.remaining > 0) {
            let taken = open.remaining.min(excess);
            (open.remaining, excess) = (open.remaining - taken, excess - taken);
            if edited && taken > 0 {
                open.total = open.remaining;
            }
        }
    }
}

/// Fulfilment orders of which nothing is left are closed, if they are of this sort.
pub(super) fn close(order: &mut Order, sort: impl Fn(&FulfillmentOrder) -> bool) {
    for one in order.own.fulfillment_orders.iter_mut().filter(|one| sort(one)) {
        if one.lines.iter().all(|open| open.remaining == 0) {
            (one.status, one.hold) = ("CLOSED", None);
        }
    }
}

/// New fulfilment orders take the place of those whose fulfilments are cancelled.
fn reopen(order: &mut Order) {
    for one in &mut order.own.fulfillment_orders {
        (one.status, one.id) = ("OPEN", one.id + 10);
        one.lines.iter_mut().for_each(|line| line.remaining = line.total);
    }
    settle(order, false);
}

/// What has become of a seeded order.
fn become_of(order: &mut Order, sort: u64, created: i64) {
    match sort {
        0..6 => (order.own.financial, order.paid) = (Some("PENDING"), None),
        6..9 => order.own.financial = Some("AUTHORIZED"),
        9..12 => {
            let reason = "CUSTOMER".to_owned();
            order.own.cancelled = Some(Cancelled { at: created + 3_600_000, reason, note: None });
        }
        12..14 => order.test = true,
        14..16 => {
            let amount = (order.subtotal() / Decimal::from(4)).trunc_with_scale(2).max(Decimal::new(1, 2));
            let (id, at, reason) = (order.id + 900, created + 7_200_000, "Goodwill".to_owned());
            order.refunds.push(Refund { id, at, amount, reason, lines: Vec::new() });
            order.own.financial = Some("PARTIALLY_REFUNDED");
        }
        16..18 => order.own.financial = None,
        40..60 => order.own.closed = Some(created + 90_000_000),
        _ => {}
    }
}

impl Vendor for Shopify {
    const KIND: ChannelKind = ChannelKind::Shopify;
    const TICKS: i64 = 1000;
    const KEEPS_LINES: bool = true;
    const TELLS_RETURNS: bool = true;
    const HOLDS_IN_SILENCE: bool = true;
    const PROGRAM: &str = "1466707";
    const NEW_IS_CHANGED: bool = true;
    type Options = Options;
    type Memory = Memory;
    type Own = Own;

    fn memory(options: &Options, now: i64) -> Memory {
        let (bucket, tokens) = (Bucket::full(options.bucket, now), Tokens::with(REHEARSAL_TOKEN));
        Memory { next_id: 9_000_000_000_000_000_000, bucket, tokens, ..Memory::default() }
    }

    fn asks(_options: &Options, question: Question) -> Option<(&'static str, &'static str)> {
        match question {
            Question::Orders => Some(("POST", "Orders")),
            Question::Changes => Some(("POST", "query FirstOrders")),
            Question::PutAway => None,
        }
    }

    fn nature(options: &Options) -> Nature<'_> {
        Nature { first: 1001, seed: 7, currency: "EUR", lag: options.lag * 1000 }
    }

    fn order_id(number: u64) -> u64 {
        FIRST_ID + number * STEP
    }

    fn number(id: u64) -> u64 {
        id.saturating_sub(FIRST_ID) / STEP
    }

    fn part_id(order: u64, nth: u64) -> u64 {
        order + nth
    }

    fn place_id(order: &mut Order) -> u64 {
        order.id + 100
    }

    fn refund_id(state: &mut State, _order: u64) -> u64 {
        state.own.take_id()
    }

    /// Changed at some time after it was made, in no order of its own.
    fn fate(_options: &Options, id: u64, created: i64, until: i64) -> (Cow<'static, str>, i64) {
        let later = i64::try_from(mix(Self::number(id)) % 172_800_000).unwrap_or(0);
        (Cow::Borrowed(""), (created + later).min(until))
    }

    fn lines(dice: &mut Dice) -> u64 {
        match dice.below(40) {
            0 => 24,
            n => 1 + n % 4,
        }
    }

    fn begin(_options: &Options, order: &mut Order) {
        order.own.financial = Some("PAID");
        "web".clone_into(&mut order.source);
    }

    fn dress(_options: &Options, order: &mut Order, entry: &Entry, dice: &mut Dice) {
        order.paid = Some(entry.created);
        if dice.below(8) == 0 {
            order.discount_all("TEN");
        }
        if dice.below(12) == 0 {
            "USD".clone_into(&mut order.currency);
        }
        order.customer = if dice.below(3) > 0 { 5_000_000 + dice.below(900) } else { 0 };
        let sort = dice.below(100);
        become_of(order, sort, entry.created);
        route(order);
        if (20..60).contains(&sort) {
            let items = everything(order);
            let (carrier, number) = ("DHL Express".to_owned(), format!("JD{:012}", order.id));
            let tracking = Tracking { carrier, number, ..Tracking::default() };
            ship_items::<Self>(order, &items, &tracking, entry.created + 86_400_000);
            settle(order, false);
            close(order, |_| true);
        }
    }

    fn first_status(_purchase: &Purchase) -> Cow<'static, str> {
        Cow::Borrowed("")
    }

    fn placed(_options: &Options, order: &mut Order, purchase: &Purchase, _at: i64) {
        if !purchase.paid {
            order.own.financial = Some("PENDING");
        }
        if purchase.at_delivery {
            "Cash on Delivery (COD)".clone_into(&mut order.payment);
        }
        route(order);
    }

    fn follow(context: &mut Context<'_>, id: u64, event: Event) {
        let now = context.now;
        let Some(order) = context.order_mut(id) else { return };
        match event {
            Event::Paid => order.own.financial = Some("PAID"),
            Event::Unpaid => order.own.financial = Some("PENDING"),
            Event::Cancelled => {
                writes::close(order, Cancelled { at: now, reason: "CUSTOMER".to_owned(), note: None });
                order.restock();
            }
            Event::Held => super::admin::hold(order, "Awaiting verification"),
            Event::Released => super::admin::release(order),
            Event::Shipped => {
                settle(order, false);
                close(order, |_| true);
            }
            Event::Unshipped => reopen(order),
            Event::Refunded(_) => {
                let all = order.refunded() >= total(order);
                order.own.financial = Some(if all { "REFUNDED" } else { "PARTIALLY_REFUNDED" });
                settle(order, true);
            }
            Event::Edited => {
                order.own.edited = true;
                settle(order, true);
            }
            Event::PutAway(away) => order.own.closed = away.then_some(now),
        }
    }

    /// No more pieces than are left.
    fn ship(context: &mut Context<'_>, id: u64, items: &[(u64, u64)], tracking: Tracking, _: bool) -> bool {
        let Some(order) = context.order(id) else { return false };
        let left = |line: u64, pieces: u64| pieces.min(order.line(line).map_or(0, Line::open));
        let items: Vec<(u64, u64)> = items.iter().map(|(line, pieces)| (*line, left(*line, *pieces))).collect();
        drop(order);
        context.ship(id, &items, tracking)
    }

    fn erase(order: &mut Order) {
        order.own.erased = true;
        order.customer = 0;
    }

    fn stands(_entry: &Entry, order: &Order) -> (bool, bool) {
        let has_all = |line: &Line| !line.ships() || unfulfilled(line) == 0;
        let is_sent = order.sent().next().is_some() && order.lines.iter().all(has_all);
        (order.own.cancelled.is_some(), is_sent)
    }

    /// What needs no delivery is in fulfilments of its own, and in no parcel.
    fn parcels(order: &Order) -> (u64, Vec<(String, String)>) {
        let items = order.sent().flat_map(|one| &one.items);
        let pieces =
            items.filter(|(line, _)| order.line(*line).is_some_and(Line::ships)).map(|(_, pieces)| pieces).sum();
        let numbers = order.sent().flat_map(|one| &one.tracking).filter(|one| !one.number.is_empty());
        (pieces, numbers.map(|one| (one.carrier.clone(), one.number.clone())).collect())
    }

    fn remarks(order: &Order) -> String {
        let cancelled = order.own.cancelled.as_ref();
        cancelled.map(|why| format!("{} {}", why.reason, why.note.as_deref().unwrap_or_default())).unwrap_or_default()
    }

    fn access(options: &Options, url: &str) -> Access {
        let secrets =
            [("ORDERSYNC_CLIENT_ID", REHEARSAL_CLIENT_ID), ("ORDERSYNC_CLIENT_SECRET", REHEARSAL_CLIENT_SECRET)];
        Access::of(&["--shop", &options.domain, "--endpoint", url], &secrets)
            .swapped([("access_token", "shpss_0123456789"), ("api_secret", "shpat_0123456789")])
    }

    fn document(context: &Context<'_>, id: u64) -> Option<Value> {
        render::order(context, id).as_ref().map(plain)
    }

    const PATIENCE: Patience = Patience::seconds(1, 5);
    const GIVES_UP_AFTER: u32 = 8;
    const FORGETS_HOOKS: bool = true;

    fn letter(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
        webhooks::letter(context, hook, id, news)
    }

    fn respond(shop: &Shop, request: &Request) -> Response {
        super::respond(shop, request)
    }

    fn fault(shop: &Shop, kind: &FaultKind, request: &Request) -> Option<Response> {
        super::fault(shop, kind, request)
    }

    /// What only Shopify has: lines that another service sends, orders in parts, holds that end,
    /// and queries that cost more.
    fn control(shop: &Shop, verb: &str, id: u64, wish: &Value) -> Option<bool> {
        let nth = usize::try_from(wish["line"].as_u64().unwrap_or(0)).unwrap_or(0);
        Some(match verb {
            "outsource" => shop.outsource(id, nth),
            "split" => shop.split(id),
            "schedule" => shop.schedule(id),
            "begin" => shop.begin(id),
            "give-up" => shop.give_up(id),
            "move" => shop.bring_home(id),
            "price" => {
                shop.options().price = wish["times"].as_f64().unwrap_or(1.0);
                true
            }
            _ => return None,
        })
    }
}
