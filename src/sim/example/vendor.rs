//! The world in this shop's words: its states, and what follows from what happens.

use std::borrow::Cow;

use serde_json::Value;

use super::{Context, Entry, Options, Order, Shop, TOKEN, hooks, render, routes};
use crate::channel::ChannelKind;
use crate::sim::http::{Request, Response};
use crate::sim::world::hooks::{Hook, News, Written};
use crate::sim::world::{Dice, Event, Nature, Purchase, State, Tracking, Vendor, Way, everything, part_id, ship_items};
use crate::sim::{Access, Question};

/// The vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Example;

/// How an order is paid whose buyer pays the courier: it is sent before.
const AT_DELIVERY: &str = "at delivery";

/// How an order stands, in one word: what was sent says more than what the staff has set.
pub(super) fn state(entry: &Entry, order: &Order) -> &'static str {
    let is_sent = order.lines.iter().any(|line| line.shipped > 0);
    match entry.status.as_ref() {
        "cancelled" => "cancelled",
        "done" => "sent",
        _ if is_sent && order.open() == 0 => "sent",
        "held" => "held",
        _ if is_sent => "part-sent",
        _ if order.paid.is_none() && order.payment != AT_DELIVERY => "unpaid",
        _ => "open",
    }
}

impl Vendor for Example {
    const KIND: ChannelKind = ChannelKind::Example;
    const TICKS: i64 = 1;
    const KEEPS_LINES: bool = false;
    const PROGRAM: &str = "import";
    type Options = Options;
    type Memory = ();
    type Own = ();

    fn asks(_options: &Options, question: Question) -> Option<(&'static str, &'static str)> {
        match question {
            Question::Orders => Some(("GET", "/orders?")),
            Question::Changes => Some(("GET", "sort=changed")),
            // What is put away stays on the list.
            Question::PutAway => None,
        }
    }

    fn nature(_options: &Options) -> Nature<'_> {
        Nature { first: 301, seed: 7, currency: "EUR", lag: 0 }
    }

    fn part_id(order: u64, nth: u64) -> u64 {
        order * 100 + nth
    }

    fn refund_id(state: &mut State<Self>, order: u64) -> u64 {
        let kept = state.orders.get_mut(&order).and_then(|entry| entry.order.as_deref_mut());
        kept.map_or(0, part_id::<Self>)
    }

    /// A word of its own for what is shipped makes seeded orders that are.
    fn fate(_options: &Options, id: u64, created: i64, until: i64) -> (Cow<'static, str>, i64) {
        let mut dice = Dice::new(0xE8A3, id);
        let word = dice.among(&[(18, "sent"), (10, "open"), (2, "cancelled"), (1, "held")]).unwrap_or("open");
        let later = i64::try_from(dice.below(172_800)).unwrap_or(0) % (until - created).max(0).saturating_add(1);
        (Cow::Borrowed(word), created + later)
    }

    fn begin(_options: &Options, order: &mut Order) {
        "card".clone_into(&mut order.payment);
        "checkout".clone_into(&mut order.source);
    }

    fn dress(_options: &Options, order: &mut Order, entry: &Entry, dice: &mut Dice) {
        order.paid = (dice.below(10) > 0).then_some(entry.created);
        if dice.below(8) == 0 {
            order.discount_all("WELCOME10");
        }
        if entry.status == "sent" {
            let number = format!("JD{:010}", order.id);
            let tracking = Tracking { carrier: "dhl".to_owned(), number, ..Tracking::default() };
            let items = everything(order);
            ship_items::<Self>(order, &items, &tracking, entry.modified);
        }
    }

    fn first_status(_purchase: &Purchase) -> Cow<'static, str> {
        Cow::Borrowed("open")
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
        match event {
            Event::Cancelled => {
                context.set_word(id, "cancelled");
                context.order_mut(id).into_iter().for_each(Order::restock);
            }
            Event::Held => context.set_word(id, "held"),
            Event::Released | Event::Unshipped => context.set_word(id, "open"),
            _ => {}
        }
    }

    fn is_listed(_entry: &Entry) -> bool {
        true
    }

    fn stands(entry: &Entry, order: &Order) -> (bool, bool) {
        let state = state(entry, order);
        (state == "cancelled", state == "sent")
    }

    fn access(_options: &Options, url: &str) -> Access {
        Access::of(&["--url", url], &[("ORDERSYNC_TOKEN", TOKEN)])
            .swapped([("url", TOKEN), ("token", "https://shop.example.test")])
    }

    fn document(context: &Context<'_>, id: u64) -> Option<Value> {
        let entry = context.state.orders.get(&id)?;
        Some(render::order(entry, &entry.order(context.options), false))
    }

    /// After the eleventh repeat.
    const GIVES_UP_AFTER: u32 = 12;

    fn letter(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
        hooks::written(context, hook, id, news)
    }

    fn respond(shop: &Shop, request: &Request) -> Response {
        routes::respond(shop, request)
    }
}
