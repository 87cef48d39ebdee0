//! The world in Magento's words: states, and what follows from what happens.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use rust_decimal::Decimal;
use serde_json::Value;

use super::options::{ACCESS_TOKEN, ACCESS_TOKEN_SECRET, CONSUMER_KEY, CONSUMER_SECRET, Options};
use super::render::Sort;
use super::{Context, Entry, Line, Order, Shop, State, Tracking, access, async_events, orders, render, shipments};
use crate::channel::ChannelKind;
use crate::sim::http::{Request, Response};
use crate::sim::world::hooks::{Hook, News, Written};
use crate::sim::world::{Dice, Event, Nature, Purchase, Refund, Shipment, Vendor, Way, everything, wrap};
use crate::sim::{Access, Lack, Question};

/// The vendor.
#[derive(Debug, Clone, Copy)]
pub struct Magento;

/// What a shop remembers beside its orders.
#[derive(Default)]
pub struct Memory {
    /// The nonces of signed requests.
    pub(super) nonces: HashSet<String>,
    /// The access token was revoked.
    pub(super) revoked: bool,
    /// In maintenance mode.
    pub(super) down: bool,
    /// Shipments and credit memos that were made.
    pub(super) made: u64,
}

/// What only Magento's orders have.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Pieces of lines on invoices.
    pub(crate) invoiced: BTreeMap<u64, u64>,
    /// The invoices: id, and when they were made and paid.
    pub(crate) invoices: Vec<(u64, i64)>,
    /// Pieces of lines that were cancelled.
    pub(crate) canceled: BTreeMap<u64, u64>,
    /// The state before it was held.
    pub(crate) before_hold: Option<Cow<'static, str>>,
    /// The merchant's own word for how it stands.
    pub(crate) word: Option<String>,
    /// Pieces shipped of rows that are parts of a bundle.
    pub(crate) parts: BTreeMap<u64, u64>,
    /// Such rows in shipments.
    pub(crate) sent_parts: BTreeMap<u64, Vec<(u64, u64)>>,
    /// Such rows in credit memos that are of parts alone.
    pub(crate) parts_back: BTreeMap<u64, Vec<(u64, u64)>>,
    /// Tracks that came later than their shipment: when, and what was said of them.
    pub(crate) tracks: BTreeMap<u64, (i64, Value)>,
    /// Comments on shipments.
    pub(crate) remarks: BTreeMap<u64, Vec<Value>>,
    /// The order that it took the place of, after an edit.
    pub(crate) replaces: Option<u64>,
    /// The order that took its place.
    pub(crate) replaced_by: Option<u64>,
    /// What is wrong with the payment's data, if anything.
    pub(crate) payment_data: Vec<Value>,
}

/// The first id of shipments and credit memos that are made; those of seeded orders are below it.
const MADE: u64 = 10_000_000;

/// Ids of the shipment and the credit memo of a seeded order are so much above its own.
pub(super) const SEEDED: u64 = 1_000_000;

/// The next id of a shipment or a credit memo.
pub(super) fn next_made(state: &mut State) -> u64 {
    state.own.made += 1;
    MADE + state.own.made
}

/// Pieces of a line that were cancelled.
pub(super) fn canceled(order: &Order, line: &Line) -> u64 {
    order.own.canceled.get(&line.id).copied().unwrap_or(0)
}

/// Pieces of a line that are on invoices.
pub(super) fn invoiced(order: &Order, line: &Line) -> u64 {
    order.own.invoiced.get(&line.id).copied().unwrap_or(0)
}

/// Pieces that Magento still ships: what was given back and what was shipped are not added up.
pub(super) fn to_ship(order: &Order, line: &Line) -> u64 {
    let back = render::row_refunded(order, line);
    line.quantity.saturating_sub(line.shipped.max(back) + canceled(order, line))
}

/// Pieces that are not on an invoice yet.
pub(super) fn to_invoice(order: &Order, line: &Line) -> u64 {
    line.quantity.saturating_sub(invoiced(order, line) + canceled(order, line))
}

/// Whether nothing of it goes into a parcel.
pub(super) fn is_virtual(order: &Order) -> bool {
    order.lines.iter().all(|line| line.way == Way::Download)
}

/// Whether anything is left to ship.
pub(super) fn can_ship(order: &Order) -> bool {
    let left = |line: &Line| match Sort::of(line) {
        Sort::Apart => shipments::parts_left(order, line).iter().any(|(_, pieces)| *pieces > 0),
        _ => to_ship(order, line) > 0,
    };
    order.lines.iter().any(|line| line.way != Way::Download && left(line))
}

fn can_invoice(order: &Order) -> bool {
    order.lines.iter().any(|line| to_invoice(order, line) > 0)
}

/// Whether an order in this state is cancelled when somebody wants that.
pub(super) fn can_cancel(state: &str, order: &Order) -> bool {
    let closed = matches!(state, "holded" | "payment_review" | "canceled" | "complete" | "closed");
    !closed && can_invoice(order)
}

/// Magento's own word for a state.
pub(super) fn word(state: &str) -> &str {
    if state == "new" { "pending" } else { state }
}

/// The status word of an order in this state.
pub(super) fn status<'s>(state: &'s str, order: &'s Order) -> &'s str {
    order.own.word.as_deref().unwrap_or(word(state))
}

/// Puts an order into a state, with its status word. False where it is in it.
pub(super) fn set_state(context: &mut Context<'_>, id: u64, state: impl Into<Cow<'static, str>>) -> bool {
    let state = state.into();
    let changed = context.state.orders.get(&id).is_some_and(|entry| entry.status != state);
    if changed {
        context.set_word(id, state);
        context.order_mut(id).into_iter().for_each(|order| order.own.word = None);
        context.touch(id);
        let is_cancelled = context.state.orders.get(&id).is_some_and(|entry| entry.status == "canceled");
        context.state.note(id, News::Named("sales.order.updated", id));
        if is_cancelled {
            context.state.note(id, News::Named("sales.order.cancelled", id));
        }
    }
    changed
}

/// The state that shipments, invoices and credit memos lead to.
pub(super) fn settle(context: &mut Context<'_>, id: u64) {
    let Some(state) = context.state.orders.get(&id).map(|entry| entry.status.clone()) else { return };
    let Some(order) = context.order(id) else { return };
    if !matches!(&*state, "processing" | "complete") || can_invoice(&order) {
        return;
    }
    // Half of a bundle may be taken for all of it: its parts count beside it, and are not ordered.
    let (shipped, back) = render::rows_done(&order);
    let rest_sent = shipped > 0 && order.lines.iter().map(|line| line.quantity).sum::<u64>() <= shipped + back;
    let next = match can_ship(&order) {
        false if order.refunded() >= render::total(context.options, &order) => "closed",
        ships if state == "processing" && (!ships || rest_sent) => "complete",
        _ => return,
    };
    set_state(context, id, next);
}

/// Everything that is not on an invoice yet goes on one.
pub(super) fn invoice(order: &mut Order, at: i64) {
    let rows: Vec<(u64, u64)> = order.lines.iter().map(|line| (line.id, to_invoice(order, line))).collect();
    if rows.iter().any(|(_, pieces)| *pieces > 0) {
        note_invoice(order, at);
    }
    rows.into_iter().for_each(|(line, pieces)| *order.own.invoiced.entry(line).or_default() += pieces);
}

fn note_invoice(order: &mut Order, at: i64) {
    let id = order.id * 100 + order.own.invoices.len() as u64;
    order.own.invoices.push((id, at));
}

/// What goes back must be on an invoice; what goes back whole goes back with its pieces.
fn refunded(context: &mut Context<'_>, id: u64, refund: u64) {
    let (options, now) = (context.options, context.now);
    let Some(order) = context.order_mut(id) else { return };
    let all_back = order.refunded() >= render::total(options, order);
    let Some(at) = order.refunds.iter().position(|one| one.id == refund) else { return };
    let mut lines = order.refunds.get(at).map(|one| one.lines.clone()).unwrap_or_default();
    if all_back {
        let rest = order.lines.iter_mut().filter(|line| line.current() > 0);
        lines.extend(rest.map(|line| {
            let pieces = line.current();
            line.give_back(pieces, false);
            (line.id, pieces, line.price * Decimal::from(pieces))
        }));
    }
    if lines.is_empty() || all_back {
        invoice(order, now);
    }
    if order.lines.iter().any(|line| line.refunded > invoiced(order, line)) {
        note_invoice(order, now);
    }
    for line in &order.lines {
        let pieces = order.own.invoiced.entry(line.id).or_default();
        *pieces = (*pieces).max(line.refunded);
    }
    order.refunds.get_mut(at).into_iter().for_each(|one| one.lines.clone_from(&lines));
    settle(context, id);
    context.state.note(id, News::Named("sales.creditmemo.created", refund));
    let is_new = context.state.orders.get(&id).is_some_and(|entry| entry.status == "new");
    if is_new {
        set_state(context, id, "processing");
    }
}

impl Vendor for Magento {
    const KIND: ChannelKind = ChannelKind::Magento;
    const LACKS: &[Lack] = &[Lack::DatedEdits, Lack::EditsToldOf, Lack::GivingUp, Lack::OpenAfterRefund, Lack::Undone];
    const TICKS: i64 = 1;
    const KEEPS_LINES: bool = false;
    const ARCHIVES: bool = false;
    const PROGRAM: &str = "import";
    const SERVICE: &str = "Flat Rate - Fixed";
    type Options = Options;
    type Memory = Memory;
    type Own = Own;

    fn asks(_options: &Options, question: Question) -> Option<(&'static str, &'static str)> {
        match question {
            Question::Orders => Some(("GET", "/V1/orders?")),
            Question::Changes => {
                Some(("GET", "[sortOrders][0][field]=updated_at&searchCriteria[sortOrders][0][direction]=ASC"))
            }
            // Magento has neither archive nor bin.
            Question::PutAway => None,
        }
    }

    fn nature(options: &Options) -> Nature<'_> {
        Nature { first: options.first_id, seed: options.seed, currency: &options.currency, lag: 0 }
    }

    fn part_id(order: u64, nth: u64) -> u64 {
        order * 10_000 + nth * 10
    }

    fn refund_id(state: &mut State, _order: u64) -> u64 {
        next_made(state)
    }

    fn fate(options: &Options, id: u64, created: i64, until: i64) -> (Cow<'static, str>, i64) {
        let mut dice = Dice::new(options.seed ^ 0x03A6_E470, id);
        #[rustfmt::skip]
        let fates = [
            (18, "complete"), (14, "processing"), (3, "new"), (2, "canceled"), (1, "holded"), (2, "closed"),
            (1, "pending_payment"), (1, "payment_review"),
        ];
        let state = dice.among(&fates).unwrap_or("processing");
        let later = i64::try_from(dice.below(172_800)).unwrap_or(0) % (until - created).max(0).saturating_add(1);
        (Cow::Borrowed(state), created + later)
    }

    fn begin(_options: &Options, order: &mut Order) {
        "adyen_cc".clone_into(&mut order.payment);
        "checkout".clone_into(&mut order.source);
    }

    fn dress(options: &Options, order: &mut Order, entry: &Entry, dice: &mut Dice) {
        match dice.below(10) {
            0 => order.discount_all("WELCOME10"),
            1 => (order.currency, order.rate) = ("CHF".to_owned(), Decimal::new(9_412, 4)),
            2 => order.own.replaces = Some(order.id.saturating_sub(1)).filter(|id| *id >= options.first_id),
            3 => wrap(order),
            4 => order.own.payment_data = vec![Value::Null, "[]".into(), "auth 81".into()],
            _ => {}
        }
        let (state, at) = (&*entry.status, entry.modified);
        order.paid = matches!(state, "complete" | "processing" | "closed" | "holded").then_some(entry.created);
        if matches!(state, "complete" | "closed") || dice.below(2) == 0 && order.paid.is_some() {
            invoice(order, entry.created);
        }
        match state {
            "complete" => {
                let number = format!("JD{:010}", order.id);
                let tracking = Tracking {
                    carrier: "DHL".to_owned(),
                    carrier_code: "custom".to_owned(),
                    number,
                    ..Tracking::default()
                };
                let (id, rows) = (order.id + SEEDED, shipments::left(order));
                if !rows.is_empty() {
                    shipments::add(order, Shipment { id, at, tracking: vec![tracking], ..Shipment::default() }, &rows);
                }
            }
            "closed" => give_all_back(options, order, at),
            "canceled" => orders::cancel_rest(order),
            "holded" => order.own.before_hold = Some(Cow::Borrowed("processing")),
            _ => {}
        }
    }

    fn first_status(purchase: &Purchase) -> Cow<'static, str> {
        match purchase.status.split(':').next().unwrap_or_default() {
            "" if purchase.paid => Cow::Borrowed("processing"),
            "" => Cow::Borrowed("new"),
            state => Cow::Owned(state.to_owned()),
        }
    }

    /// A status is written `state` or `state:word`.
    fn placed(options: &Options, order: &mut Order, purchase: &Purchase, at: i64) {
        order.own.word = purchase.status.split_once(':').map(|(_, word)| word.to_owned());
        if order.payment == "adyen_cc" && !purchase.paid {
            if purchase.at_delivery { "cashondelivery" } else { "banktransfer" }.clone_into(&mut order.payment);
        }
        // Several addresses make several orders here: one of them.
        order.places.truncate(1);
        let first = order.places.first().map(|place| place.id);
        for line in &mut order.lines {
            if let (Way::Parcel(_), Some(place)) = (line.way, first) {
                line.way = Way::Parcel(place);
            }
            if line.sku.starts_with("DOWNLOAD") {
                line.way = Way::Download;
            }
        }
        if !purchase.delivery.is_empty() {
            order.lines.iter_mut().for_each(|line| line.way = Way::Pickup);
        }
        if is_virtual(order) {
            order.places.clear();
        }
        if options.prices_include_tax {
            order
                .lines
                .iter_mut()
                .filter(|line| line.discount.is_zero())
                .for_each(|line| render::take_out_tax(options, line));
        }
        if options.invoices_at_once && purchase.paid {
            invoice(order, at);
        }
    }

    fn follow(context: &mut Context<'_>, id: u64, event: Event) {
        let Some(state) = context.state.orders.get(&id).map(|entry| entry.status.clone()) else { return };
        let (options, now) = (context.options, context.now);
        let Some(order) = context.order_mut(id) else { return };
        match event {
            Event::Paid => {
                if options.invoices_at_once {
                    invoice(order, now);
                }
                context.state.note(id, News::Named("sales.order.paid", id));
                if matches!(&*state, "new" | "pending_payment" | "payment_review") {
                    set_state(context, id, "processing");
                }
                settle(context, id);
            }
            Event::Unpaid => {
                order.own.invoiced.clear();
                order.own.invoices.clear();
                if matches!(&*state, "new" | "processing") {
                    set_state(context, id, "payment_review");
                }
            }
            // Magento has neither archive nor bin: what is done with unsent is cancelled.
            Event::Cancelled | Event::PutAway(true) => {
                orders::cancel_order(context, id);
            }
            Event::Held => {
                orders::hold_order(context, id);
            }
            Event::Released => {
                orders::unhold_order(context, id);
            }
            Event::Unshipped => {
                order.own.parts.clear();
                if state == "complete" {
                    set_state(context, id, "processing");
                }
            }
            Event::Refunded(refund) => refunded(context, id, refund),
            Event::Shipped | Event::Edited | Event::PutAway(false) => {}
        }
    }

    fn edits_move(options: &Options) -> bool {
        options.edits_save
    }

    /// In the admin: as over the API, with the carrier's name as the title.
    fn ship(context: &mut Context<'_>, id: u64, items: &[(u64, u64)], tracking: Tracking, whole: bool) -> bool {
        let Some(order) = context.order(id) else { return false };
        let wanted: Vec<(u64, u64)> = if whole { everything(&order) } else { items.to_vec() }
            .into_iter()
            .filter(|(_, pieces)| *pieces > 0)
            .collect();
        let rows = shipments::rows_of(&order, &wanted);
        let tracking = if tracking.number.is_empty() {
            Vec::new()
        } else {
            vec![Tracking { carrier_code: "custom".to_owned(), ..tracking }]
        };
        shipments::send(context, id, &rows, tracking, String::new());
        true
    }

    /// A track cannot be changed: it is taken away, and another is added, with a time of its own.
    fn retrack(order: &mut Order, old: &str, new: &str, at: i64) -> bool {
        let found = order.shipments.iter_mut().filter(|one| !one.undone).flat_map(|one| {
            let at = one.tracking.iter().position(|track| track.number == old)?;
            Some((one, at))
        });
        let Some((shipment, nth)) = found.into_iter().next() else { return false };
        let Some(track) = shipment.tracking.get_mut(nth) else { return false };
        let next = Tracking { number: new.to_owned(), ..track.clone() };
        track.number.clear();
        shipment.tracking.push(next);
        let id = shipments::track_id(shipment, shipment.tracking.len());
        order.own.tracks.insert(id, (at, Value::Null));
        true
    }

    fn is_listed(_entry: &Entry) -> bool {
        true
    }

    fn stands(entry: &Entry, order: &Order) -> (bool, bool) {
        let sent = order.lines.iter().any(|line| line.shipped > 0);
        (entry.status == "canceled", entry.status == "complete" || sent && order.open() == 0)
    }

    fn access(options: &Options, url: &str) -> Access {
        let secrets = [
            ("ORDERSYNC_CONSUMER_KEY", CONSUMER_KEY),
            ("ORDERSYNC_CONSUMER_SECRET", CONSUMER_SECRET),
            ("ORDERSYNC_ACCESS_TOKEN", ACCESS_TOKEN),
            ("ORDERSYNC_ACCESS_TOKEN_SECRET", ACCESS_TOKEN_SECRET),
        ];
        Access::of(&["--url", &format!("{url}{}", options.prefix)], &secrets)
            .swapped([("url", ACCESS_TOKEN), ("access_token", "https://shop.example.test")])
    }

    fn document(context: &Context<'_>, id: u64) -> Option<Value> {
        let entry = context.state.orders.get(&id)?;
        Some(render::order(context.options, entry, &entry.order(context.options)))
    }

    fn letter(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
        async_events::letter(context, hook, id, news)
    }

    fn respond(shop: &Shop, request: &Request) -> Response {
        access::respond(shop, request)
    }

    /// `POST down` and `up` (maintenance mode), `invoice/{id}`, `revoke` and `restore` (of the
    /// access token), `status/{id}` with `{"status": "packed"}`.
    fn control(shop: &Shop, verb: &str, id: u64, wish: &Value) -> Option<bool> {
        match verb {
            "down" | "up" => shop.set_down(verb == "down"),
            "revoke" | "restore" => shop.set_revoked(verb == "revoke"),
            "invoice" => return Some(shop.invoice(id)),
            "status" => return Some(shop.set_status(id, wish["status"].as_str().unwrap_or_default())),
            _ => return None,
        }
        Some(true)
    }
}

/// A seeded order of which everything went back.
fn give_all_back(options: &Options, order: &mut Order, at: i64) {
    let back = |line: &mut Line| {
        line.refunded = line.quantity;
        (line.id, line.quantity, line.total())
    };
    let lines = order.lines.iter_mut().map(back).collect();
    let (amount, reason) = (render::total(options, order), String::new());
    order.refunds.push(Refund { id: order.id + SEEDED, at, reason, amount, lines });
}
