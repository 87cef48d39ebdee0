//! The world in Etsy's words: its statuses, and what follows from what happens.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::Value;

use super::options::{Options, REHEARSAL_KEYSTRING, REHEARSAL_SECRET};
use super::{Context, Entry, Order, Shop, State, access, render, writes};
use crate::channel::ChannelKind;
use crate::sim::budget::Sliding;
use crate::sim::grants::{Grant, Grants};
use crate::sim::http::{Request, Response};
use crate::sim::world::{
    About, Dice, Event, Nature, Purchase, Refund, Tracking, Vendor, Way, everything, part_id, ship_items,
};
use crate::sim::{Access, FaultKind, Lack, Question};

/// The vendor.
#[derive(Debug, Clone, Copy)]
pub struct Etsy;

/// What only Etsy's orders have.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// What the buyer wants written on it.
    pub(crate) personal: Option<String>,
    /// The faster service that the buyer has paid for.
    pub(crate) upgrade: Option<String>,
    /// Another ship-by date than the usual one.
    pub(crate) ship_by: Option<i64>,
    /// The buyer was erased on request.
    pub(crate) erased: bool,
}

/// What Etsy remembers beside the orders.
#[derive(Debug, Default)]
pub struct Memory {
    /// Codes and tokens.
    pub(crate) grants: Grants,
    /// How many consents for scripts are among these.
    pub(crate) consents: u64,
    /// How many pairs of tokens were given out.
    pub(crate) tokens_given: u64,
    /// So many of the next requests for tokens fail at Etsy.
    pub(crate) failing_tokens: u32,
    /// Requests of this second, and of the last day.
    pub(crate) second: Sliding,
    pub(crate) day: Sliding,
    /// Requests, and those that were refused for want of quota.
    pub(crate) asked: (u64, u64),
}

/// Before receipts were numbered so.
const FIRST_ID: u64 = 3_200_000_000;

/// The words under which receipts are kept: whether they are shipped or refunded, they tell
/// themselves.
pub(super) const CANCELED: &str = "canceled";
pub(super) const PROCESSING: &str = "payment processing";
const PAID: &str = "paid";
const COMPLETED: &str = "completed";
const OPEN: &str = "open";

/// Whether a receipt is cancelled.
pub(super) fn is_canceled(entry: &Entry) -> bool {
    entry.status == CANCELED
}

/// Whether a receipt counts as shipped.
pub(super) fn is_shipped(options: &Options, order: &Order) -> bool {
    let is_digital = order.lines.iter().all(|line| line.way == Way::Download);
    order.sent().next().is_some() || (options.digital_is_shipped && is_digital && order.paid.is_some())
}

/// The status as it is shown: the documents have it in lower case, real answers do not.
pub(super) fn status(options: &Options, entry: &Entry, order: &Order) -> &'static str {
    match (entry.status.as_ref(), order.refunded()) {
        (CANCELED, _) => "Canceled",
        (_, back) if back > Decimal::ZERO && back >= render::total(order) => "Fully Refunded",
        (_, back) if back > Decimal::ZERO => "Partially Refunded",
        (PROCESSING, _) => "Payment Processing",
        (OPEN, _) => "Open",
        _ if is_shipped(options, order) => "Completed",
        _ => "Paid",
    }
}

/// When an order is to be sent.
pub(super) fn ship_by(entry: &Entry, order: &Order) -> Option<i64> {
    order.own.ship_by.or(Some(entry.created + 3 * 86_400))
}

/// The buyer's user id, which every receipt has.
pub(super) fn buyer(order: &Order) -> u64 {
    22_000_000 + if order.customer > 0 { order.customer } else { 1_000_000 + Etsy::number(order.id) }
}

/// Yen have no parts.
fn whole_yen(order: &mut Order) {
    let decimals = render::decimals(order);
    for line in &mut order.lines {
        (line.price, line.discount) = (line.price.round_dp(decimals), line.discount.round_dp(decimals));
    }
    order.places.iter_mut().for_each(|place| place.cost = place.cost.round_dp(decimals));
}

/// A word without allocating.
fn word(status: &str) -> Cow<'static, str> {
    let known = [CANCELED, PROCESSING, PAID, COMPLETED, OPEN].into_iter().find(|known| *known == status);
    Cow::Borrowed(known.unwrap_or(PAID))
}

impl Vendor for Etsy {
    const KIND: ChannelKind = ChannelKind::Etsy;
    const TICKS: i64 = 1;
    const KEEPS_LINES: bool = false;
    const REFUND_IS_CHANGE: bool = false;
    const LACKS: &[Lack] = &[
        Lack::Archive,
        Lack::Emails,
        Lack::Holds,
        Lack::NearIds,
        Lack::OneList,
        Lack::Parts,
        Lack::PickUp,
        Lack::Programs,
        Lack::RefundedPieces,
    ];
    const PROGRAM: &str = "";
    type Options = Options;
    type Memory = Memory;
    type Own = Own;

    fn memory(options: &Options, now: i64) -> Memory {
        let ends = now + options.refresh_life();
        let grant = Grant { user: options.seller, scopes: options.scopes.clone(), ends };
        let mut grants = Grants::new(options.seed ^ options.shop);
        if options.renewed_works {
            grants.trust(options.refresh_of(0), grant);
        }
        Memory { grants, ..Memory::default() }
    }

    fn asks(_options: &Options, question: Question) -> Option<(&'static str, &'static str)> {
        match question {
            Question::Orders => Some(("GET", "/receipts?")),
            Question::Changes => Some(("GET", "sort_on=updated")),
            // Nothing can be put away.
            Question::PutAway => None,
        }
    }

    fn nature(options: &Options) -> Nature<'_> {
        Nature { first: 1, seed: options.seed, currency: &options.currency, lag: 0 }
    }

    fn order_id(number: u64) -> u64 {
        FIRST_ID + number
    }

    fn number(id: u64) -> u64 {
        id.saturating_sub(FIRST_ID)
    }

    fn part_id(order: u64, nth: u64) -> u64 {
        4_100_000_000 + Self::number(order) * 1_000 + nth
    }

    fn refund_id(state: &mut State, order: u64) -> u64 {
        let kept = state.orders.get_mut(&order).and_then(|entry| entry.order.as_deref_mut());
        kept.map_or(0, part_id::<Self>)
    }

    fn fate(options: &Options, id: u64, created: i64, until: i64) -> (Cow<'static, str>, i64) {
        let mut dice = Dice::new(options.seed ^ 0xE75, id);
        let status = dice.among(&[(18, COMPLETED), (9, PAID), (1, PROCESSING), (1, OPEN), (2, CANCELED)]);
        let later = i64::try_from(dice.below(172_800)).unwrap_or(0);
        (Cow::Borrowed(status.unwrap_or(PAID)), (created + later).min(until))
    }

    fn begin(_options: &Options, order: &mut Order) {
        "cc".clone_into(&mut order.payment);
    }

    fn dress(_options: &Options, order: &mut Order, entry: &Entry, dice: &mut Dice) {
        let methods = ["cc", "paypal", "apple_pay", "google_pay", "klarna", "ideal"];
        order.payment = dice.pick(&methods).copied().unwrap_or_default().to_owned();
        order.paid = (!matches!(entry.status.as_ref(), PROCESSING | OPEN)).then_some(entry.created + 7);
        match dice.below(8) {
            0 => order.discount_all("WELCOME10"),
            1 => order.own.personal = Some("For \"Ana & Luis\"".to_owned()),
            2 => order.own.upgrade = Some("Express".to_owned()),
            3 => order.lines.iter_mut().take(1).for_each(|line| line.gone = true),
            4 => crate::sim::world::wrap(order),
            _ => {}
        }
        whole_yen(order);
        if entry.status == COMPLETED {
            let number = format!("JD{:018}", order.id);
            let carrier = dice.pick(&["dhl-germany", "royal-mail", "DHL", "usps"]).copied().unwrap_or_default();
            let tracking = Tracking { carrier: carrier.to_owned(), number, ..Tracking::default() };
            let items = everything(order);
            ship_items::<Self>(order, &items, &tracking, entry.modified);
            // Refunds move no date, not even one before the shipping.
            let amount = (order.subtotal() / Decimal::TWO).round_dp(render::decimals(order));
            if dice.below(7) == 0 && amount > Decimal::ZERO {
                let (id, at) = (part_id::<Self>(order), entry.created + 3_600);
                order.refunds.push(Refund { id, at, reason: String::new(), amount, lines: Vec::new() });
            }
        }
    }

    fn first_status(purchase: &Purchase) -> Cow<'static, str> {
        match (purchase.status.as_str(), purchase.paid) {
            ("", true) => Cow::Borrowed(PAID),
            ("", false) => Cow::Borrowed(OPEN),
            (status, _) => word(status),
        }
    }

    /// All of it goes to one address.
    fn placed(_options: &Options, order: &mut Order, purchase: &Purchase, _at: i64) {
        order.places.truncate(1);
        let first = order.places.first().map(|place| place.id);
        for line in order.lines.iter_mut().filter(|line| line.ships()) {
            line.way = first.map_or(line.way, Way::Parcel);
        }
        if matches!(Self::first_status(purchase).as_ref(), PROCESSING | OPEN) {
            order.paid = None;
        }
        whole_yen(order);
    }

    fn follow(context: &mut Context<'_>, id: u64, event: Event) {
        let (now, refunds) = (context.now, context.options.cancelling_refunds);
        match event {
            Event::Paid => context.set_word(id, PAID),
            Event::Unpaid => context.set_word(id, PROCESSING),
            Event::Cancelled => {
                context.set_word(id, CANCELED);
                let Some(order) = context.order_mut(id) else { return };
                order.restock();
                order.mail(About::Cancellation, "");
                let amount = render::total(order) - order.refunded();
                if refunds && order.paid.is_some() && amount > Decimal::ZERO {
                    let (id, reason) = (part_id::<Self>(order), "Order canceled".to_owned());
                    order.refunds.push(Refund { id, at: now, reason, amount, lines: Vec::new() });
                }
            }
            Event::Refunded(_) => context.order_mut(id).into_iter().for_each(|order| order.mail(About::Refund, "")),
            _ => {}
        }
    }

    /// The whole of it, in Shop Manager: the buyer is told as of any other tracking.
    fn ship(context: &mut Context<'_>, id: u64, items: &[(u64, u64)], tracking: Tracking, _: bool) -> bool {
        let open: u64 = context.order(id).map_or(0, |order| order.open());
        let is_whole = items.iter().map(|(_, pieces)| pieces).sum::<u64>() >= open;
        is_whole && writes::send(context, id, tracking, "")
    }

    /// Who it was stays known by number.
    fn erase(order: &mut Order) {
        order.own.erased = true;
    }

    fn is_listed(_entry: &Entry) -> bool {
        true
    }

    fn stands(entry: &Entry, order: &Order) -> (bool, bool) {
        (is_canceled(entry), order.sent().next().is_some())
    }

    fn access(options: &Options, url: &str) -> Access {
        let refresh = options.given_refresh();
        let secrets = [("ORDERSYNC_SHARED_SECRET", REHEARSAL_SECRET), ("ORDERSYNC_REFRESH_TOKEN", refresh.as_str())];
        Access::of(&["--keystring", REHEARSAL_KEYSTRING, "--endpoint", url], &secrets)
            .swapped([("keystring", REHEARSAL_SECRET), ("shared_secret", REHEARSAL_KEYSTRING)])
    }

    fn document(context: &Context<'_>, id: u64) -> Option<Value> {
        let entry = context.state.orders.get(&id)?;
        Some(render::receipt(context.options, entry, &entry.order(context.options), false))
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
