//! The world in BigCommerce's words: status ids, and what follows from what happens.

use std::borrow::Cow;

use serde_json::Value;

use super::options::{Options, REHEARSAL_CLIENT_SECRET, REHEARSAL_TOKEN};
use super::render::{self, AT_DELIVERY, Expand};
use super::{Context, Entry, Order, Shop, State, access, webhooks};
use crate::channel::ChannelKind;
use crate::sim::budget::Window;
use crate::sim::http::{Request, Response};
use crate::sim::world::hooks::{Hook, News, Patience, Written};
use crate::sim::world::{
    Dice, Event, Nature, Purchase, Tracking, Vendor, Way, everything, fee, give_back, mix, part_id, second_place,
    ship_items, wrap,
};
use crate::sim::{Access, FaultKind, Question};

/// The vendor.
#[derive(Debug, Clone, Copy)]
pub struct BigCommerce;

/// What only BigCommerce's orders have.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// `date_shipped`.
    pub(crate) shipped: Option<i64>,
    /// What the merchant's own fields of the address form hold.
    pub(crate) form_fields: Vec<(String, String)>,
}

/// What a store remembers beside its orders.
#[derive(Debug, Default)]
pub struct Memory {
    /// The token was deleted.
    pub(crate) revoked: bool,
    /// Down for maintenance.
    pub(crate) down: bool,
    /// The quota's window.
    pub(crate) window: Window,
    /// Requests that were let in, and requests that were refused for want of quota.
    pub(crate) asked: (u64, u64),
}

/// The status id of an order.
pub(super) fn status(entry: &Entry) -> u8 {
    entry.status.parse().unwrap_or(0)
}

/// Sets the status and moves the modification time. False where there is no such order.
pub(super) fn set_status(context: &mut Context<'_>, id: u64, status: u8) -> bool {
    let now = context.now;
    context.set_word(id, word(status));
    context.change(id, |order| {
        if matches!(status, 2 | 3) && order.own.shipped.is_none() {
            order.own.shipped = Some(now);
        }
        if status == 5 {
            order.restock();
        }
    })
}

/// A status id as text.
fn word(status: u8) -> Cow<'static, str> {
    const IDS: [&str; 15] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14"];
    IDS.get(usize::from(status)).map_or_else(|| Cow::Owned(status.to_string()), |id| Cow::Borrowed(*id))
}

/// The status that the pieces shipped lead to, unless it says something that shipping does not
/// change.
pub(super) fn settle_status(context: &mut Context<'_>, id: u64) {
    let status = context.state.orders.get(&id).map_or(0, status);
    let Some(open) = context.order(id).map(|order| order.open()) else { return };
    if context.options.moves_status && !matches!(status, 4 | 5 | 6 | 13 | 14) {
        set_status(context, id, if open == 0 { 2 } else { 3 });
    }
    context.touch(id);
}

/// Why seeded orders are given back.
const CHANGED: &str = "Changed their mind";

/// Ships pieces of a seeded order.
fn send(order: &mut Order, items: &[(u64, u64)], at: i64) {
    let number = format!("9400{:016}", order.id);
    let tracking = Tracking { carrier: "usps".to_owned(), number, ..Tracking::default() };
    ship_items::<BigCommerce>(order, items, &tracking, at);
}

/// Ships one piece of an order with more than one; orders of one piece get a second.
fn ship_one(order: &mut Order, at: i64) {
    let Some(line) = order.lines.iter_mut().find(|line| line.ships()) else { return };
    line.quantity = line.quantity.max(2);
    let items = [(line.id, 1)];
    send(order, &items, at);
}

impl Vendor for BigCommerce {
    const KIND: ChannelKind = ChannelKind::BigCommerce;
    const TICKS: i64 = 1;
    const KEEPS_LINES: bool = false;
    const PROGRAM: &str = "external";
    const SERVICE: &str = "Ground";
    type Options = Options;
    type Memory = Memory;
    type Own = Own;

    fn asks(_options: &Options, question: Question) -> Option<(&'static str, &'static str)> {
        Some(match question {
            Question::Orders => ("GET", "/v2/orders?"),
            Question::Changes => ("GET", "sort=date_modified:asc"),
            Question::PutAway => ("GET", "is_deleted"),
        })
    }

    fn nature(options: &Options) -> Nature<'_> {
        Nature { first: options.first_id, seed: options.seed, currency: &options.currency, lag: 0 }
    }

    fn part_id(order: u64, nth: u64) -> u64 {
        order * 100 + nth
    }

    fn buyer(number: u64) -> u64 {
        mix(number)
    }

    fn refund_id(state: &mut State, order: u64) -> u64 {
        let kept = state.orders.get_mut(&order).and_then(|entry| entry.order.as_deref_mut());
        kept.map_or(0, part_id::<Self>)
    }

    fn fate(options: &Options, id: u64, created: i64, until: i64) -> (Cow<'static, str>, i64) {
        let mut dice = Dice::new(options.seed ^ 0x0B16_C033, id);
        #[rustfmt::skip]
        let fates = [
            (18, 2), (10, 11), (2, 9), (1, 7), (1, 0), (1, 3), (1, 5), (1, 10), (1, 14), (1, 4), (1, 12), (1, 1), (1, 8),
        ];
        let status = dice.among(&fates).unwrap_or(8);
        // An hour to two days later, or at some time until now where that has not passed yet.
        let later = 3_600 + i64::try_from(dice.below(172_800)).unwrap_or(0);
        let later = later % (until - created).max(0).saturating_add(1);
        (word(status), if matches!(status, 2 | 3 | 4 | 5 | 10 | 14) { created + later } else { created })
    }

    fn begin(_options: &Options, order: &mut Order) {
        "Credit Card".clone_into(&mut order.payment);
        "www".clone_into(&mut order.source);
    }

    fn dress(_options: &Options, order: &mut Order, entry: &Entry, dice: &mut Dice) {
        let payments = ["Credit Card", "PayPal", "Bank Deposit", AT_DELIVERY];
        dice.pick(&payments).copied().unwrap_or_default().clone_into(&mut order.payment);
        match dice.below(10) {
            0 => order.discount_all("WELCOME10"),
            1 => second_place::<Self>(order),
            2 => wrap(order),
            3 => fee::<Self>(order, "Parcel insurance", 250),
            4 => order.reference = format!("ERP-{}", order.id),
            5 => order.own.form_fields.push(("Tax number".to_owned(), format!("DE{:09}", order.id))),
            _ => {}
        }
        let (status, at) = (status(entry), entry.modified);
        order.own.shipped = matches!(status, 2 | 3 | 10).then_some(at);
        match status {
            2 | 10 => send(order, &everything(order), at),
            3 => ship_one(order, at),
            4 => give_back::<Self>(order, usize::MAX, u64::MAX, CHANGED, at),
            14 => give_back::<Self>(order, 1, 1, CHANGED, at),
            _ => {}
        }
    }

    fn first_status(purchase: &Purchase) -> Cow<'static, str> {
        match (purchase.status.as_str(), purchase.paid || purchase.at_delivery) {
            ("", true) => word(11),
            ("", false) => word(7),
            (status, _) => Cow::Owned(status.to_owned()),
        }
    }

    fn placed(_options: &Options, order: &mut Order, purchase: &Purchase, _at: i64) {
        if purchase.at_delivery {
            AT_DELIVERY.clone_into(&mut order.payment);
        }
        if !purchase.delivery.is_empty() {
            order.lines.iter_mut().for_each(|line| line.way = Way::Pickup);
            order.places.clear();
        }
    }

    fn follow(context: &mut Context<'_>, id: u64, event: Event) {
        let Some(order) = context.order(id) else { return };
        let all_sent = order.open() == 0;
        let all_back = order.refunded() >= render::total(&order) || order.lines.iter().all(|line| line.current() == 0);
        let status = match event {
            Event::Paid | Event::Released => 11,
            Event::Cancelled => 5,
            Event::Held => 12,
            Event::Unpaid => 7,
            Event::Shipped => 3 - u8::from(all_sent),
            Event::Unshipped => 11,
            Event::Refunded(_) if all_back => 4,
            Event::Refunded(_) => 14,
            Event::Edited | Event::PutAway(_) => return,
        };
        set_status(context, id, status);
        if event == Event::Unshipped {
            context.order_mut(id).into_iter().for_each(|order| order.own.shipped = None);
        }
    }

    /// The control panel knows carriers by their codes.
    fn ship(context: &mut Context<'_>, id: u64, items: &[(u64, u64)], tracking: Tracking, _: bool) -> bool {
        let carrier = tracking.carrier.to_lowercase();
        let shipments = |context: &Context<'_>| -> Vec<u64> {
            context.order(id).map_or_else(Vec::new, |order| order.shipments.iter().map(|one| one.id).collect())
        };
        let before = shipments(context);
        let is_shipped = context.ship(id, items, Tracking { carrier, ..tracking });
        for made in shipments(context).into_iter().filter(|one| !before.contains(one)) {
            context.state.note(id, News::Named(webhooks::SHIPPED, made));
        }
        is_shipped
    }

    /// A shipment that is undone is deleted.
    fn undo_shipments(order: &mut Order) {
        order.shipments.clear();
        order.lines.iter_mut().for_each(|line| (line.shipped, line.returned) = (0, 0));
    }

    fn stands(entry: &Entry, _order: &Order) -> (bool, bool) {
        (status(entry) == 5, matches!(status(entry), 2 | 10))
    }

    fn access(options: &Options, url: &str) -> Access {
        let secrets =
            [("ORDERSYNC_ACCESS_TOKEN", REHEARSAL_TOKEN), ("ORDERSYNC_CLIENT_SECRET", REHEARSAL_CLIENT_SECRET)];
        Access::of(&["--store-hash", &options.store_hash, "--endpoint", url], &secrets)
            .swapped([("store_hash", "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d"), ("access_token", "abc123xyz0")])
    }

    fn document(context: &Context<'_>, id: u64) -> Option<Value> {
        let entry = context.state.orders.get(&id)?;
        let all = Expand { consignments: true, lines: true, fees: true };
        Some(render::order(context.options, entry, &entry.order(context.options), all))
    }

    /// After the eleventh repeat.
    /// The vendor does not tell; as the least patient of the others.
    const PATIENCE: Patience = Patience::seconds(1, 5);
    const GIVES_UP_AFTER: u32 = 12;

    fn letter(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
        webhooks::letter(context, hook, id, news)
    }

    fn respond(shop: &Shop, request: &Request) -> Response {
        access::respond(shop, request)
    }

    fn fault(shop: &Shop, kind: &FaultKind, request: &Request) -> Option<Response> {
        access::fault(shop, kind, request)
    }

    /// `POST status/{id}` with `{"status_id": 9}`, `POST restore/{id}`, `POST down` and `POST up`.
    fn control(shop: &Shop, verb: &str, id: u64, wish: &Value) -> Option<bool> {
        let status = || wish["status_id"].as_u64().and_then(|id| u8::try_from(id).ok());
        match verb {
            "status" => Some(shop.set_status(id, status().filter(|status| *status < 15)?)),
            "restore" => Some(shop.set_archived(id, false)),
            "down" | "up" => {
                shop.set_down(verb == "down");
                Some(true)
            }
            _ => None,
        }
    }
}
