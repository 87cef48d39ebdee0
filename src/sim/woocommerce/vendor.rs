//! The world in WooCommerce's words: statuses, and the dates, notes and mails that follow from what
//! happens.

use std::borrow::Cow;
use std::collections::HashSet;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::options::{Options, Permalinks, REHEARSAL_KEY, REHEARSAL_SECRET};
use super::render::{self, ADDRESS, Style};
use super::{Context, Entry, Order, Shop, State, fulfillments, site, trackings, webhooks};
use crate::channel::ChannelKind;
use crate::clock::Timestamp;
use crate::sim::forms::readdress;
use crate::sim::http::{Request, Response};
use crate::sim::world::hooks::{Hook, News, Patience, Written};
use crate::sim::world::{About, Dice, Event, Meta, Nature, Purchase, Tracking, Vendor, fee};
use crate::sim::{Access, Question, Simulated};

/// The vendor.
#[derive(Debug, Clone, Copy)]
pub struct WooCommerce;

/// A fulfilment of an order.
#[derive(Debug, Clone)]
pub(crate) struct Fulfillment {
    /// Its id.
    pub(crate) id: u64,
    /// `fulfilled` or not.
    pub(crate) status: String,
    /// When it was changed.
    pub(crate) updated: i64,
    /// Deleted ones stay in the table.
    pub(crate) deleted: bool,
    /// What is in it, and the rest.
    pub(crate) meta: Vec<Meta>,
}

/// What only WooCommerce's orders have.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// The payment provider's number.
    pub(crate) transaction_id: String,
    /// When it was completed.
    pub(crate) completed: Option<i64>,
    /// The order that it was made of; 0 for none.
    pub(crate) parent: u64,
    /// Fulfilments, deleted ones too.
    pub(crate) fulfillments: Vec<Fulfillment>,
}

/// An order's number as people see it.
pub(super) fn number(options: &Options, id: u64) -> String {
    match &options.number_prefix {
        Some(prefix) => format!("{prefix}{}", id.saturating_sub(options.first_id) + 1),
        None => id.to_string(),
    }
}

/// What a shop remembers beside its orders.
#[derive(Default)]
pub struct Memory {
    pub(super) last_fulfillment: u64,
    pub(super) last_fulfillment_meta: u64,
    /// Keys and nonces of signed requests.
    pub(crate) nonces: HashSet<(String, String)>,
}

/// The statuses WooCommerce itself knows, in its own order.
pub(super) const CORE_STATUSES: [&str; 8] =
    ["pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft"];

/// A known status without allocating.
fn status_word(status: &str) -> Cow<'static, str> {
    let known = CORE_STATUSES.iter().chain(&["trash", "auto-draft"]).find(|known| **known == status);
    known.map_or_else(|| Cow::Owned(status.to_owned()), |known| Cow::Borrowed(*known))
}

/// What people read instead of a status word.
pub(super) fn status_name(status: &str) -> String {
    match status {
        "pending" => "Pending payment".to_owned(),
        "on-hold" => "On hold".to_owned(),
        "checkout-draft" => "Draft".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}

/// Puts an order into a status, with all that follows: dates, note, e-mail. Returns whether it
/// changed.
pub(super) fn set_status(context: &mut Context<'_>, id: u64, status: &str) -> bool {
    let (options, now) = (context.options, context.now);
    context.order_mut(id);
    let Some(entry) = context.state.orders.get_mut(&id).filter(|entry| entry.status != status) else { return false };
    let before = std::mem::replace(&mut entry.status, status_word(status));
    let was_unpaid = matches!(&*before, "pending" | "failed" | "on-hold" | "checkout-draft");
    if let Some(order) = context.order_mut(id) {
        if matches!(status, "processing" | "completed") && order.paid.is_none() {
            order.paid = Some(now);
        }
        if matches!(status, "processing" | "completed") {
            fulfillments::by_itself(options, order, now);
        }
        if status == "completed" {
            order.own.completed = Some(now);
        }
        match status {
            "completed" => order.mail(About::Completed, trackings::numbers(order)),
            "processing" if was_unpaid => order.mail(About::Order, ""),
            "cancelled" if matches!(&*before, "processing" | "on-hold" | "completed") => order.restock(),
            _ => {}
        }
    }
    let text = format!("Order status changed from {} to {}.", status_name(&before), status_name(status));
    context.add_note(id, &text, false);
    if status == "refunded" {
        let rest = refundable(context, id);
        if rest > Decimal::ZERO {
            context.refund(id, rest, "Order fully refunded.", Vec::new());
        }
    }
    context.touch(id);
    true
}

/// What is left to refund of an order.
pub(super) fn refundable(context: &Context<'_>, id: u64) -> Decimal {
    let (style, decimals) = (Style::of(context), context.options.decimals);
    let left = |order: &Order| order.sums(|amount| style.tax(amount)).total.round_dp(decimals) - order.refunded();
    context.order(id).map(|order| left(&order)).unwrap_or_default()
}

/// Moves an order to the trash, where it keeps the status it had in its meta data. False where it
/// is there.
pub(super) fn trash(context: &mut Context<'_>, id: u64) -> bool {
    let thrown = context.state.orders.get(&id).is_some_and(|entry| entry.status != "trash");
    thrown && context.put_away(id, true)
}

fn follow_trash(context: &mut Context<'_>, id: u64, away: bool) {
    let now = context.now;
    let Some(status) = context.state.orders.get(&id).map(|entry| entry.status.clone()) else { return };
    let Some(order) = context.order_mut(id) else { return };
    if away {
        order.set_meta(TRASHED_FROM, json!(format!("wc-{status}")));
        order.set_meta("_wp_trash_meta_time", json!(now.to_string()));
        context.set_word(id, "trash");
    } else if status == "trash" {
        let before = order.meta(TRASHED_FROM).and_then(Value::as_str).and_then(|word| word.strip_prefix("wc-"));
        let before = status_word(before.unwrap_or("pending"));
        context.set_word(id, before);
    }
}

/// Where an order in the trash keeps the status that it had.
const TRASHED_FROM: &str = "_wp_trash_meta_status";

/// A new, empty order; returns its id.
pub(super) fn create(context: &mut Context<'_>) -> u64 {
    let id = context.state.take_number();
    let order = crate::sim::world::blank::<WooCommerce>(context.options, id);
    let entry = Entry::new(id, context.now, context.now, Cow::Borrowed("pending"));
    let entry = Entry { order: Some(Box::new(Order { source: "rest-api".to_owned(), ..order })), ..entry };
    context.state.insert(context.options, entry, context.now);
    context.state.note(id, News::Placed);
    id
}

impl Vendor for WooCommerce {
    const KIND: ChannelKind = ChannelKind::WooCommerce;
    const TICKS: i64 = 1;
    const KEEPS_LINES: bool = false;
    const PROGRAM: &str = "rest-api";
    const ARCHIVES: bool = false;
    const SERVICE: &str = "Flat Rate";
    type Options = Options;
    type Memory = Memory;
    type Own = Own;

    fn asks(options: &Options, question: Question) -> Option<(&'static str, &'static str)> {
        Some(match question {
            Question::Orders if options.permalinks == Permalinks::Plain => ("GET", "wc/v3/orders&"),
            Question::Orders => ("GET", "wc/v3/orders?"),
            Question::Changes => ("GET", "order=asc&dates"),
            Question::PutAway => ("GET", "status=trash"),
        })
    }

    fn is_listed(entry: &Entry) -> bool {
        !matches!(&*entry.status, "trash" | "checkout-draft" | "auto-draft")
    }

    fn nature(options: &Options) -> Nature<'_> {
        Nature { first: options.first_id, seed: options.seed, currency: &options.currency, lag: 0 }
    }

    fn part_id(order: u64, nth: u64) -> u64 {
        order * 1_000 + nth
    }

    /// Shipping lines are counted apart from the rest.
    fn place_id(order: &mut Order) -> u64 {
        order.id * 1_000 + 900 + order.places.len() as u64
    }

    /// Out of the same sequence as the ids of orders.
    fn refund_id(state: &mut State, _order: u64) -> u64 {
        state.take_number()
    }

    fn fate(options: &Options, id: u64, created: i64, until: i64) -> (Cow<'static, str>, i64) {
        let mut dice = Dice::new(options.seed ^ 0x000D_DE12, id);
        let fates =
            [(9, "completed"), (7, "processing"), (1, "on-hold"), (1, "pending"), (1, "cancelled"), (1, "failed")];
        let status = dice.among(&fates).unwrap_or("failed");
        let later = match status {
            "completed" => 3_600 + i64::try_from(dice.below(172_800)).unwrap_or(0),
            "processing" => 60,
            _ => 0,
        };
        (Cow::Borrowed(status), (created + later).min(until))
    }

    fn begin(_options: &Options, order: &mut Order) {
        "checkout".clone_into(&mut order.source);
    }

    fn dress(_options: &Options, order: &mut Order, entry: &Entry, dice: &mut Dice) {
        let id = order.id;
        let pick =
            |dice: &mut Dice, words: &[&str]| dice.pick(words).map(|word| (*word).to_owned()).unwrap_or_default();
        order.payment = pick(dice, &["bacs", "cod", "stripe", "ppcp-gateway"]);
        order.own.transaction_id = format!("txn_{id:012x}");
        order.source = pick(dice, &["checkout", "store-api", "admin"]);
        match dice.below(8) {
            0 => order.lines.iter_mut().take(1).for_each(|line| line.gone = true),
            1 => order.discount_all("welcome10"),
            2 => order.set_meta("gift_message", json!("Schöne Grüße 🌷")),
            3 => order.set_meta("erp", json!({"ref": format!("A-{id}"), "n": id, "list": [1, null, "x"]})),
            4 => fee::<Self>(order, "Nachnahmegebühr", 200),
            _ => {}
        }
        let done = entry.status == "completed";
        order.paid = (done || entry.status == "processing").then_some((entry.created + 60).min(entry.modified));
        order.own.completed = done.then_some(entry.modified);
    }

    fn first_status(purchase: &Purchase) -> Cow<'static, str> {
        match (purchase.status.as_str(), purchase.paid || purchase.at_delivery) {
            ("", true) => Cow::Borrowed("processing"),
            ("", false) => Cow::Borrowed("on-hold"),
            (status, _) => status_word(status),
        }
    }

    fn placed(options: &Options, order: &mut Order, purchase: &Purchase, at: i64) {
        let status = Self::first_status(purchase);
        if order.payment.is_empty() {
            if purchase.at_delivery { "cod" } else { "stripe" }.clone_into(&mut order.payment);
        }
        if order.payment != "cod" {
            order.own.transaction_id = format!("txn_{:012x}", order.id);
        }
        order.paid = (matches!(&*status, "processing" | "completed") && order.payment != "cod").then_some(at);
        order.own.completed = (status == "completed").then_some(at);
        order.coupon = order.coupon.take().map(|code| code.to_lowercase());
        if matches!(&*status, "processing" | "completed") {
            fulfillments::by_itself(options, order, at);
        }
    }

    fn follow(context: &mut Context<'_>, id: u64, event: Event) {
        let status = match event {
            Event::Paid | Event::Released | Event::Unshipped => "processing",
            Event::Unpaid => "pending",
            Event::Cancelled => "cancelled",
            Event::Held => "on-hold",
            Event::Shipped => "completed",
            Event::PutAway(away) => return follow_trash(context, id, away),
            Event::Refunded(_) => {
                context.order_mut(id).into_iter().for_each(|order| order.mail(About::Refund, ""));
                if refundable(context, id) <= Decimal::ZERO {
                    context.set_word(id, "refunded");
                }
                return;
            }
            Event::Edited => return,
        };
        set_status(context, id, status);
    }

    /// The whole by a tracking plugin's meta value and the status `completed`; pieces by a
    /// fulfilment.
    fn ship(context: &mut Context<'_>, id: u64, items: &[(u64, u64)], tracking: Tracking, whole: bool) -> bool {
        if !whole {
            let carrier = tracking.carrier.to_lowercase();
            return fulfillments::by_hand(context, id, items, &carrier, &tracking.number);
        }
        let parcel = trackings::by_hand(context.now, &tracking.carrier, &tracking.number);
        context.change(id, |order| order.set_meta(trackings::META, parcel)) && set_status(context, id, "completed")
    }

    fn undo_shipments(order: &mut Order) {
        order.own.fulfillments.iter_mut().for_each(|one| one.deleted = true);
        order.meta.retain(|meta| meta.key != trackings::META && meta.key != fulfillments::META);
    }

    /// In a fulfilment, or with a tracking plugin.
    fn retrack(order: &mut Order, old: &str, new: &str, _at: i64) -> bool {
        let live = order.own.fulfillments.iter_mut().filter(|one| !one.deleted);
        let numbers = live.flat_map(|one| &mut one.meta).filter(|meta| meta.key == "_tracking_number");
        let plugin = order.meta.iter_mut().filter(|meta| meta.key == trackings::META);
        let parcels = plugin.flat_map(|meta| meta.value.as_array_mut()).flatten();
        let mut all = numbers.map(|meta| &mut meta.value).chain(parcels.map(|parcel| &mut parcel["tracking_number"]));
        all.find(|number| **number == old).map(|number| *number = json!(new)).is_some()
    }

    /// As WooCommerce does it: texts get a mark, each digit of a telephone becomes a zero, and so does
    /// what is a number; the rest is emptied.
    fn erase(order: &mut Order) {
        let delivery = order.places.iter_mut().map(|place| &mut place.address);
        for address in delivery.chain([&mut order.billing]) {
            let names = [&mut address.first_name, &mut address.last_name, &mut address.company];
            let places = [&mut address.street_1, &mut address.street_2, &mut address.city, &mut address.postcode];
            for text in names.into_iter().chain(places).filter(|text| !text.is_empty()) {
                "[deleted]".clone_into(text);
            }
            address.phone = address.phone.chars().map(|c| if c.is_numeric() { '0' } else { c }).collect();
            for text in [&mut address.state, &mut address.country] {
                text.clear();
            }
        }
        "deleted@site.invalid".clone_into(&mut order.billing.email);
        if !order.own.transaction_id.is_empty() {
            "0".clone_into(&mut order.own.transaction_id);
        }
        order.customer = 0;
        order.set_meta("_anonymized", json!("yes"));
    }

    fn stands(entry: &Entry, _order: &Order) -> (bool, bool) {
        (matches!(&*entry.status, "cancelled" | "trash"), entry.status == "completed")
    }

    fn parcels(order: &Order) -> (u64, Vec<(String, String)>) {
        let (sent, fulfilled) = fulfillments::parcels(order);
        let all = fulfilled.into_iter().chain(trackings::parcels(order));
        (sent, all.filter(|(_, number)| !number.is_empty()).collect())
    }

    fn access(options: &Options, url: &str) -> Access {
        let secrets = [("ORDERSYNC_CONSUMER_KEY", REHEARSAL_KEY), ("ORDERSYNC_CONSUMER_SECRET", REHEARSAL_SECRET)];
        Access::of(&["--url", &format!("{url}{}", options.prefix)], &secrets)
            .swapped([("consumer_key", "cs_0123456789"), ("consumer_secret", "ck_0123456789")])
    }

    fn document(context: &Context<'_>, id: u64) -> Option<Value> {
        context.state.orders.get(&id).map(|entry| render::order(&Style::of(context), entry))
    }

    /// On the seventh in a row, whatever the pages say.
    /// `wp_safe_remote_request` with a timeout of a minute, for the connection as well.
    const PATIENCE: Patience = Patience::seconds(60, 60);
    const GIVES_UP_AFTER: u32 = 7;

    fn is_delivered(status: u16) -> bool {
        (200..=302).contains(&status)
    }

    fn letter(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
        webhooks::letter(context, hook, id, news)
    }

    fn respond(shop: &Shop, request: &Request) -> Response {
        site::respond(shop, request)
    }

    fn control(shop: &Shop, verb: &str, id: u64, wish: &Value) -> Option<bool> {
        Some(match verb {
            "status" => shop.set_status(id, wish["status"].as_str().unwrap_or_default()),
            "date" => {
                let at = wish["modified"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
                at.is_some_and(|at| shop.redate(&id.to_string(), at))
            }
            "trash" => shop.trash(id),
            "restore" => shop.restore(id),
            "edit-address" if wish["street"].is_null() => shop.edit_address(id, |address| {
                readdress(address, &ADDRESS, wish);
            }),
            _ => return None,
        })
    }
}
