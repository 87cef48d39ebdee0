//! The world in eBay's words: its ids and statuses, and what follows from what happens.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::notifications::{self, CONFIRMED, Destination};
use super::options::{Options, REHEARSAL_RUNAME, SCOPE};
use super::signatures::Key;
use super::{Context, Entry, Order, Shop, State, access, render};
use crate::channel::ChannelKind;
use crate::sim::grants::{Grant, Grants};
use crate::sim::http::{Request, Response};
use crate::sim::world::hooks::{Hook, News, Written};
use crate::sim::world::{
    About, Dice, Event, Line, Nature, Purchase, Refund, Tracking, Vendor, Way, everything, part_id, ship_items, wrap,
};
use crate::sim::{Access, FaultKind, Lack, Question};

/// The vendor.
#[derive(Debug, Clone, Copy)]
pub struct Ebay;

/// What eBay does with an order beside selling it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Program {
    /// Nothing.
    #[default]
    None,
    /// It goes to a hub of eBay's, which sends it on.
    Hub,
    /// It goes to somebody who looks whether it is genuine.
    Authenticity,
    /// eBay sends it from a warehouse of its own.
    Fulfilled,
    /// The address has a tag of eBay's in its first line.
    Tagged,
    /// eBay has bought the label.
    Label,
}

/// A request to cancel an order.
#[derive(Debug, Clone)]
pub(crate) struct Cancel {
    /// Its id.
    pub(crate) id: u64,
    /// Whether the buyer has asked for it; else the seller.
    pub(crate) by_buyer: bool,
    /// Why.
    pub(crate) reason: String,
    /// When it was asked for.
    pub(crate) asked: i64,
    /// When it is through, where nobody has to decide first.
    pub(crate) due: Option<i64>,
    /// How it stands: state and status.
    pub(crate) stands: (&'static str, &'static str),
    /// When it was closed.
    pub(crate) closed: Option<i64>,
}

/// What only eBay's orders have.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// What eBay does with it.
    pub(crate) program: Program,
    /// Requests to cancel it.
    pub(crate) cancels: Vec<Cancel>,
    /// Another ship-by date than the usual one.
    pub(crate) ship_by: Option<i64>,
    /// What is off the delivery.
    pub(crate) delivery_discount: Decimal,
    /// What was agreed after the sale.
    pub(crate) adjustment: Decimal,
    /// Whether prices are told in the seller's currency, and not only payouts.
    pub(crate) localized: bool,
    /// The payout waits.
    pub(crate) held: bool,
    /// The buyer has closed the account.
    pub(crate) erased: bool,
}

/// What eBay remembers beside the orders.
#[derive(Debug, Default)]
pub struct Memory {
    /// Codes and tokens.
    pub(crate) grants: Grants,
    /// How many access tokens were given out.
    pub(crate) tokens_given: u64,
    /// So many of the next requests for tokens fail at eBay.
    pub(crate) failing_tokens: u32,
    /// Requests of the day that is the first, by the API.
    pub(crate) day: (i64, BTreeMap<&'static str, u32>),
    /// Requests, and those that were refused for want of quota.
    pub(crate) asked: (u64, u64),
    /// The orders of requests to cancel, by the id of the request.
    pub(crate) cancels: BTreeMap<u64, u64>,
    /// Cancellations that are under way: when each is through, its order, its id.
    pub(crate) due: Vec<(i64, u64, u64)>,
    /// The keys that were made to sign with.
    pub(crate) keys: Vec<Key>,
    /// Whom to write to about notifications.
    pub(crate) alert_email: Option<String>,
    /// Where notifications go, and the last id of these.
    pub(crate) destinations: Vec<Destination>,
    pub(crate) last_destination: u64,
}

/// Orders of one site bear its number.
const SITE: u64 = 14;
/// How many numbers a site has.
const ROOM: u64 = 10_000_000_000;
/// Ids do not grow with time: each is the one before with this added, in ten digits.
const STRIDE: u64 = 3_141_592_653;
/// What undoes that: `STRIDE * UNDO` is one more than a multiple of [`ROOM`].
const UNDO: u64 = inverse(STRIDE);

/// The number by which a number is multiplied to give one more than a multiple of [`ROOM`].
const fn inverse(number: u64) -> u64 {
    // By Newton, from an inverse of the last digit on: each step doubles the digits that are right.
    let (room, number) = (ROOM as i128, number as i128);
    let mut found: i128 = 1;
    while number * found % 10 != 1 {
        found += 1;
    }
    let mut step = 0;
    while step < 5 {
        found = (found * (2 - number * found % room)).rem_euclid(room);
        step += 1;
    }
    found as u64
}

/// The words under which orders are kept; the rest they tell themselves.
pub(super) const OPEN: &str = "open";
pub(super) const PENDING: &str = "pending";
pub(super) const FAILED: &str = "failed";
pub(super) const PAID: &str = "paid";
pub(super) const SHIPPED: &str = "shipped";
pub(super) const PART: &str = "part";
pub(super) const CANCELED: &str = "canceled";

/// A word without allocating.
fn word(status: &str) -> Cow<'static, str> {
    let known = [OPEN, PENDING, FAILED, PAID, SHIPPED, PART, CANCELED].into_iter().find(|known| *known == status);
    Cow::Borrowed(known.unwrap_or(PAID))
}

/// The immutable id of an order's buyer.
pub(super) fn user_id(order: &Order) -> String {
    let number = if order.customer > 0 { order.customer } else { 1_000_000 + Ebay::number(order.id) };
    format!("bUy{number:08}")
}

/// How far a line is sent.
pub(super) fn line_status(line: &Line) -> &'static str {
    match (line.shipped, line.unsent()) {
        (0, _) => "NOT_STARTED",
        (_, 0) => "FULFILLED",
        _ => "IN_PROGRESS",
    }
}

/// How far an order is sent.
pub(super) fn fulfillment(order: &Order) -> &'static str {
    let mut lines = order.lines.iter().map(line_status);
    let is_all = |wanted: &str| order.lines.iter().all(|line| line_status(line) == wanted);
    match () {
        () if is_all("FULFILLED") => "FULFILLED",
        () if lines.all(|status| status == "NOT_STARTED") => "NOT_STARTED",
        () => "IN_PROGRESS",
    }
}

/// How an order is paid, and whether the money has gone back.
pub(super) fn payment(entry: &Entry, order: &Order) -> &'static str {
    match (entry.status.as_ref(), order.refunded()) {
        (FAILED, _) => "FAILED",
        (_, back) if back > Decimal::ZERO && back >= render::total(order, false) => "FULLY_REFUNDED",
        (_, back) if back > Decimal::ZERO => "PARTIALLY_REFUNDED",
        _ if order.paid.is_none() => "PENDING",
        _ => "PAID",
    }
}

/// How a cancelled order is kept, and what happened to the request.
pub(super) const CLOSED: (&str, &str) = ("CLOSED", "CANCEL_CLOSED_WITH_REFUND");

/// The id of a new request to cancel.
pub(super) fn cancel_id(state: &mut State, order: u64) -> u64 {
    let id = 5_000_123_456 + state.own.cancels.len() as u64;
    state.own.cancels.insert(id, order);
    id
}

/// An order is cancelled for good: goods go back on the shelf, money to the buyer.
pub(super) fn close(context: &mut Context<'_>, id: u64) {
    let (now, refunds) = (context.now, context.options.cancelling_refunds);
    context.set_word(id, CANCELED);
    let Some(order) = context.order_mut(id) else { return };
    order.restock();
    order.mail(About::Cancellation, "");
    let amount = render::total(order, false) - order.refunded();
    if refunds && order.paid.is_some() && amount > Decimal::ZERO {
        let (id, reason) = (part_id::<Ebay>(order), "Order canceled".to_owned());
        order.refunds.push(Refund { id, at: now, reason, amount, lines: Vec::new() });
    }
}

/// Makes what follows from how an order is sold true of it: one address, and all of it goes there
/// or nothing does.
fn settle(order: &mut Order) {
    order.places.truncate(1);
    if let Some(first) = order.places.first().map(|place| place.id) {
        order.lines.iter_mut().for_each(|line| line.way = Way::Parcel(first));
    }
    let decimals = render::decimals(order);
    for line in &mut order.lines {
        (line.price, line.discount) = (line.price.round_dp(decimals), line.discount.round_dp(decimals));
    }
    order.places.iter_mut().for_each(|place| place.cost = place.cost.round_dp(decimals));
}

impl Vendor for Ebay {
    const KIND: ChannelKind = ChannelKind::Ebay;
    const TICKS: i64 = 1_000;
    const KEEPS_LINES: bool = false;
    const LACKS: &[Lack] = &[
        Lack::Archive,
        Lack::EditsToldOf,
        Lack::GivingUp,
        Lack::Holds,
        Lack::NearIds,
        Lack::Programs,
        Lack::Reasons,
        Lack::RefundedPieces,
    ];
    const PROGRAM: &str = "";
    const SERVICE: &str = "DE_DHLPaket";
    type Options = Options;
    type Memory = Memory;
    type Own = Own;

    fn memory(options: &Options, now: i64) -> Memory {
        let ends = now + options.refresh_life * 1_000;
        let mut grants = Grants::beginning(options.seed, "v^1.1#i^1#p^3#r^1#f^0#I^3#t^H4s%");
        let scopes = [String::new()].into_iter().chain(options.scopes.iter().cloned()).collect();
        grants.trust(options.refresh(), Grant { user: 1, scopes, ends });
        Memory { grants, ..Memory::default() }
    }

    fn asks(_options: &Options, question: Question) -> Option<(&'static str, &'static str)> {
        match question {
            Question::Orders => Some(("GET", "/sell/fulfillment/v1/order?")),
            Question::Changes => Some(("GET", "lastmodifieddate:")),
            // Nothing can be put away.
            Question::PutAway => None,
        }
    }

    fn nature(options: &Options) -> Nature<'_> {
        Nature { first: 1_001, seed: options.seed, currency: &options.currency, lag: options.lag }
    }

    fn order_id(number: u64) -> u64 {
        let low = u128::from(number) * u128::from(STRIDE) % u128::from(ROOM);
        SITE * ROOM + u64::try_from(low).unwrap_or(0)
    }

    fn number(id: u64) -> u64 {
        u64::try_from(u128::from(id % ROOM) * u128::from(UNDO) % u128::from(ROOM)).unwrap_or(0)
    }

    /// `14-01234-56789`.
    fn write_id(id: u64) -> String {
        format!("{:02}-{:05}-{:05}", id / ROOM, id / 100_000 % 100_000, id % 100_000)
    }

    fn read_id(text: &str) -> u64 {
        let digits: String = text.split('-').collect();
        let id = digits.parse().unwrap_or(0);
        if Self::write_id(id) == text { id } else { 0 }
    }

    fn part_id(order: u64, nth: u64) -> u64 {
        10_000_000_000 + Self::number(order) * 1_000 + nth
    }

    fn refund_id(state: &mut State, order: u64) -> u64 {
        let kept = state.orders.get_mut(&order).and_then(|entry| entry.order.as_deref_mut());
        kept.map_or(0, part_id::<Self>)
    }

    fn fate(options: &Options, id: u64, created: i64, until: i64) -> (Cow<'static, str>, i64) {
        let mut dice = Dice::new(options.seed ^ 0xEBA1, id);
        let fates = [(18, SHIPPED), (9, PAID), (1, PENDING), (1, PART), (2, CANCELED)];
        let status = dice.among(&fates).unwrap_or(PAID);
        let later = i64::try_from(dice.below(172_800_000)).unwrap_or(0);
        (Cow::Borrowed(status), (created + later).min(until))
    }

    fn begin(_options: &Options, order: &mut Order) {
        "EBAY".clone_into(&mut order.payment);
    }

    fn dress(options: &Options, order: &mut Order, entry: &Entry, dice: &mut Dice) {
        order.paid = (entry.status != PENDING).then_some(entry.created + 7_000);
        match dice.below(10) {
            0 => order.discount_all("10% off"),
            1 => order.own.program = Program::Hub,
            2 => order.own.program = Program::Tagged,
            3 => order.own.delivery_discount = order.shipping(),
            4 => order.own.program = Program::Label,
            5 => (order.currency, order.rate) = ("USD".to_owned(), Decimal::new(108, 2)),
            _ => {}
        }
        order.own.held = dice.below(12) == 0;
        settle(order);
        let (id, at) = (order.id, entry.modified);
        let send = |order: &mut Order, items: &[(u64, u64)]| {
            let (carrier, number) = ("DHL".to_owned(), format!("JD{id:018}"));
            ship_items::<Self>(order, items, &Tracking { carrier, number, ..Tracking::default() }, at);
        };
        match entry.status.as_ref() {
            SHIPPED => {
                send(order, &everything(order));
                let amount = (order.subtotal() / Decimal::TWO).round_dp(render::decimals(order));
                if dice.below(7) == 0 && amount > Decimal::ZERO {
                    let (id, reason) = (part_id::<Self>(order), String::new());
                    order.refunds.push(Refund { id, at, reason, amount, lines: Vec::new() });
                }
            }
            PART => {
                let first = order.lines.iter_mut().find(|line| line.ships());
                let first = first.map(|line| {
                    line.quantity = line.quantity.max(2);
                    (line.id, 1)
                });
                send(order, first.as_slice());
            }
            CANCELED => {
                let cancel = 4_000_000_000 + Self::number(id);
                let reason = "OUT_OF_STOCK_OR_CANNOT_FULFILL".to_owned();
                let closed = Some(at);
                let by_buyer = options.seed.is_multiple_of(2);
                order.own.cancels.push(Cancel {
                    id: cancel,
                    by_buyer,
                    reason,
                    asked: at,
                    due: None,
                    stands: CLOSED,
                    closed,
                });
            }
            _ => {}
        }
    }

    fn first_status(purchase: &Purchase) -> Cow<'static, str> {
        match (purchase.status.as_str(), purchase.paid) {
            ("", true) => Cow::Borrowed(PAID),
            ("", false) => Cow::Borrowed(PENDING),
            (status, _) => word(status),
        }
    }

    /// Where it came from says what eBay does with it.
    fn placed(_options: &Options, order: &mut Order, purchase: &Purchase, at: i64) {
        order.own.program = match purchase.source.as_str() {
            "hub" => Program::Hub,
            "authenticity" => Program::Authenticity,
            "fulfilled-by-ebay" => Program::Fulfilled,
            "tagged" => Program::Tagged,
            "label" => Program::Label,
            _ => Program::None,
        };
        order.own.localized = purchase.source == "localized";
        if purchase.source == "adjusted" {
            order.own.adjustment = Decimal::new(-150, 2);
            order.own.delivery_discount = Decimal::ONE;
        }
        if purchase.delivery.is_empty() {
            settle(order);
        } else {
            order.lines.iter_mut().for_each(|line| line.way = Way::Pickup);
            order.places.clear();
        }
        if purchase.wrapped {
            wrap(order);
        }
        order.paid = (Self::first_status(purchase) == PAID).then_some(at);
    }

    fn follow(context: &mut Context<'_>, id: u64, event: Event) {
        let now = context.now;
        match event {
            Event::Paid => {
                context.set_word(id, PAID);
                context.state.note(id, News::Named(CONFIRMED, id));
            }
            Event::Unpaid => context.set_word(id, PENDING),
            Event::Cancelled => {
                let cancel = cancel_id(context.state, id);
                let reason = "OUT_OF_STOCK_OR_CANNOT_FULFILL".to_owned();
                let closed = Some(now);
                close(context, id);
                let made =
                    Cancel { id: cancel, by_buyer: false, reason, asked: now, due: None, stands: CLOSED, closed };
                context.order_mut(id).into_iter().for_each(|order| order.own.cancels.push(made.clone()));
            }
            Event::Shipped => {
                let Some(order) = context.order_mut(id) else { return };
                let number = order.sent().last().and_then(|shipment| shipment.tracking.first().cloned());
                order.mail(About::Shipment, number.unwrap_or_default().number);
            }
            Event::Refunded(_) => context.order_mut(id).into_iter().for_each(|order| order.mail(About::Refund, "")),
            _ => {}
        }
    }

    fn erase(order: &mut Order) {
        order.own.erased = true;
    }

    /// Before the checkout is complete nobody is told of an order.
    fn is_listed(entry: &Entry) -> bool {
        entry.status != OPEN
    }

    fn stands(entry: &Entry, order: &Order) -> (bool, bool) {
        (entry.status == CANCELED, fulfillment(order) == "FULFILLED")
    }

    /// What needs no parcel is in none.
    fn parcels(order: &Order) -> (u64, Vec<(String, String)>) {
        let ships = |line: u64| order.line(line).is_none_or(Line::ships);
        let items = order.sent().flat_map(|one| &one.items).filter(|(line, _)| ships(*line));
        let shown = |one: &Tracking| (one.carrier.clone(), one.number.clone());
        let parcels = order.sent().flat_map(|shipment| &shipment.tracking).map(shown);
        (items.map(|(_, pieces)| pieces).sum(), parcels.filter(|(_, number)| !number.is_empty()).collect())
    }

    fn access(options: &Options, url: &str) -> Access {
        let (refresh, (id, secret)) = (options.refresh(), options.keys());
        let secrets = [
            ("ORDERSYNC_CLIENT_ID", id),
            ("ORDERSYNC_CLIENT_SECRET", secret),
            ("ORDERSYNC_REFRESH_TOKEN", refresh.as_str()),
        ];
        let name = format!("ru_name={REHEARSAL_RUNAME}");
        let mut flags = vec!["--marketplace", options.marketplace.as_str(), "--set", &name, "--endpoint", url];
        if options.sandbox {
            flags.push("--sandbox");
        }
        Access::of(&flags, &secrets).swapped([("client_id", secret), ("client_secret", id)])
    }

    fn document(context: &Context<'_>, id: u64) -> Option<Value> {
        let entry = context.state.orders.get(&id)?;
        let shown = render::Shown { breakdown: true, whole: true, spoilt: false };
        Some(render::order(context, entry, &entry.order(context.options), shown))
    }

    fn letter(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
        notifications::letter(context, hook, id, news)
    }

    fn respond(shop: &Shop, request: &Request) -> Response {
        access::respond(shop, request)
    }

    fn fault(_shop: &Shop, kind: &FaultKind, request: &Request) -> Option<Response> {
        access::fault(kind, request)
    }

    fn control(shop: &Shop, verb: &str, id: u64, wish: &Value) -> Option<bool> {
        shop.act(verb, id, wish)
    }
}

/// The ending of a scope that is one of eBay's; empty for the one that every keyset has.
pub(super) fn ending(scope: &str) -> Option<&str> {
    scope.strip_prefix(SCOPE)
}
