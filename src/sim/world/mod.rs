//! One world under all simulated stores: orders, money, shipments, refunds, mails, the people
//! around a store and what they can do to it.
//!
//! A store is a [`Shop`] of a [`Vendor`]. The world keeps the orders and carries out what a buyer,
//! the merchant or another tool does; a vendor says which words it has for that, renders its
//! documents, answers its API and has its quirks. So an act that is written here once works on
//! every kind of store.

mod controls;
mod dice;
pub mod fixtures;
pub mod hooks;
mod list;
mod makeup;
mod order;
mod purchase;
mod state;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

pub use dice::Dice;
pub(crate) use dice::mix;
pub(super) use list::narrow;
pub(crate) use list::{ALL, Bounds, By, Query};
pub(super) use makeup::{add_line, blank, fee, part_id, second_place, wrap};
pub(super) use order::numbers;
pub use order::{About, Address, Fee, Tracking, cents};
pub(crate) use order::{Line, Mail, Meta, Note, Order, Place, Refund, Shipment, Sums, Way};
pub use purchase::Purchase;
pub(crate) use state::{Context, Entry, State};
pub(super) use state::{everything, give_back, ship as ship_items};

use hooks::{Hook, News, Written, deliver};

use super::CONTROL;
use super::faults::FaultKind;
use super::http::{Request, Response, Store};
use super::simulated::{Access, Lack, Question};
use super::time::ShopClock;
use crate::channel::ChannelKind;
use crate::clock::{Clock, Timestamp};

/// What happened to an order, to be followed in the channel's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The money came.
    Paid,
    /// The money is gone again.
    Unpaid,
    /// The merchant cancelled it.
    Cancelled,
    /// It is held back.
    Held,
    /// It is held back no more.
    Released,
    /// Pieces were sent, all that were left or some.
    Shipped,
    /// Whatever was sent is undone.
    Unshipped,
    /// Money went back: the refund's id.
    Refunded(u64),
    /// Lines changed.
    Edited,
    /// It is put away as done with, or fetched back.
    PutAway(bool),
}

/// What the world has to know of a store.
#[derive(Debug, Clone, Copy)]
pub struct Nature<'a> {
    /// The first order's number.
    pub first: u64,
    /// Decides what is in seeded orders.
    pub seed: u64,
    /// The store's currency.
    pub currency: &'a str,
    /// How many ticks later lists know of a change.
    pub lag: i64,
}

/// A channel's part of a simulated store.
pub trait Vendor: Sized + Send + Sync + 'static {
    /// The channel.
    const KIND: ChannelKind;
    /// How many ticks of its times are in a second.
    const TICKS: i64;
    /// Whether a line that is taken out stays in the order, without pieces.
    const KEEPS_LINES: bool;
    /// Whether an order that was placed a while ago counts as changed when it comes in.
    const NEW_IS_CHANGED: bool = false;
    /// Whether what is put away stays what it was.
    const ARCHIVES: bool = true;
    /// Whether an order tells of pieces given back that they had been sent before.
    const TELLS_RETURNS: bool = false;
    /// Whether neither the beginning nor the end of a hold counts as a change of the order.
    const HOLDS_IN_SILENCE: bool = false;
    /// Whether an order counts as changed when money goes back.
    const REFUND_IS_CHANGE: bool = true;
    /// What the channel does not have.
    const LACKS: &[Lack] = &[];
    /// What a program that makes orders leaves as their source.
    const PROGRAM: &str;
    /// The service that brings an order to its buyer.
    const SERVICE: &str = "Standard";
    /// What kind of store it is.
    type Options: Clone + Send + Sync + 'static;
    /// What the store remembers beside its orders.
    type Memory: Default + Send + 'static;
    /// What only this channel's orders have.
    type Own: Clone + Debug + Default + Send + 'static;

    /// Which requests ask this: their method, and what is in their targets.
    fn asks(options: &Self::Options, question: Question) -> Option<(&'static str, &'static str)>;

    /// The memory of a new store.
    fn memory(options: &Self::Options, now: i64) -> Self::Memory {
        let _ = (options, now);
        Self::Memory::default()
    }

    /// What the world has to know of a store.
    fn nature(options: &Self::Options) -> Nature<'_>;

    /// An order's id, from its number.
    fn order_id(number: u64) -> u64 {
        number
    }

    /// An order's number, from its id.
    fn number(id: u64) -> u64 {
        id
    }

    /// An order's id as the channel writes it.
    fn write_id(id: u64) -> String {
        id.to_string()
    }

    /// The id that is written so; 0, which no order has, for anything else.
    fn read_id(text: &str) -> u64 {
        text.parse().unwrap_or(0)
    }

    /// The id of the nth thing that hangs on an order.
    fn part_id(order: u64, nth: u64) -> u64;

    /// The id of a new delivery address.
    fn place_id(order: &mut Order<Self::Own>) -> u64 {
        makeup::part_id::<Self>(order)
    }

    /// Which of the invented people buys the order of this number.
    fn buyer(number: u64) -> u64 {
        number
    }

    /// The id of a new refund.
    fn refund_id(state: &mut State<Self>, order: u64) -> u64;

    /// Status and time of the last change of a seeded order.
    fn fate(options: &Self::Options, id: u64, created: i64, until: i64) -> (Cow<'static, str>, i64);

    /// How many lines a seeded order has.
    fn lines(dice: &mut Dice) -> u64 {
        1 + dice.below(3)
    }

    /// What only this channel's orders have, before any lines; and how they are paid.
    fn begin(options: &Self::Options, order: &mut Order<Self::Own>);

    /// What is special about a seeded order, and what must have happened to it.
    fn dress(options: &Self::Options, order: &mut Order<Self::Own>, entry: &Entry<Self>, dice: &mut Dice);

    /// The first status of a new order.
    fn first_status(purchase: &Purchase) -> Cow<'static, str>;

    /// What is special about a new order.
    fn placed(options: &Self::Options, order: &mut Order<Self::Own>, purchase: &Purchase, at: i64);

    /// Status, dates and mails that follow from what happened.
    fn follow(context: &mut Context<'_, Self>, id: u64, event: Event);

    /// Somebody ships these pieces by other means; `whole`: the order is done with that. False
    /// where the channel cannot.
    fn ship(context: &mut Context<'_, Self>, id: u64, items: &[(u64, u64)], tracking: Tracking, whole: bool) -> bool {
        let _ = whole;
        context.ship(id, items, tracking)
    }

    /// Everything that was sent is undone.
    fn undo_shipments(order: &mut Order<Self::Own>) {
        let ids: Vec<u64> = order.sent().map(|shipment| shipment.id).collect();
        ids.into_iter().for_each(|id| order.undo_shipment(id));
    }

    /// The tracking number `old` becomes `new` at this time; whether a parcel had it.
    fn retrack(order: &mut Order<Self::Own>, old: &str, new: &str, at: i64) -> bool {
        let _ = at;
        let sent = order.shipments.iter_mut().filter(|shipment| !shipment.undone);
        let found = sent.flat_map(|shipment| &mut shipment.tracking).find(|tracking| tracking.number == old);
        found.map(|tracking| new.clone_into(&mut tracking.number)).is_some()
    }

    /// Whether an address, a note or a tracking number that the staff edits moves the order's date.
    fn edits_move(options: &Self::Options) -> bool {
        let _ = options;
        true
    }

    /// The buyer is erased on request.
    fn erase(order: &mut Order<Self::Own>) {
        order.billing = Address::default();
        order.places.iter_mut().for_each(|place| place.address = Address::default());
        order.customer = 0;
    }

    /// Whether an order is on the store's lists.
    fn is_listed(entry: &Entry<Self>) -> bool {
        entry.away.is_none()
    }

    /// Whether an order is cancelled, and whether nothing is left to ship.
    fn stands(entry: &Entry<Self>, order: &Order<Self::Own>) -> (bool, bool);

    /// Pieces in shipments, and carrier and number of each parcel.
    fn parcels(order: &Order<Self::Own>) -> (u64, Vec<(String, String)>) {
        let pieces = order.sent().flat_map(|one| &one.items).map(|(_, pieces)| pieces).sum();
        // Where no carrier is named, the service may say who it is.
        let shown = |shipment: &Shipment, one: &Tracking| {
            let carrier = [&one.carrier, &one.carrier_code, &shipment.method].into_iter().find(|name| !name.is_empty());
            (carrier.cloned().unwrap_or_default(), one.number.clone())
        };
        let parcels = order.sent().flat_map(|shipment| shipment.tracking.iter().map(move |one| shown(shipment, one)));
        (pieces, parcels.filter(|(_, number)| !number.is_empty()).collect())
    }

    /// What the staff reads beside an order, the reason of its cancellation with it.
    fn remarks(order: &Order<Self::Own>) -> String {
        let notes = order.notes.iter().map(|note| note.text.as_str());
        let said: Vec<&str> =
            [order.staff_notes.as_str()].into_iter().chain(notes).filter(|text| !text.is_empty()).collect();
        said.join("\n")
    }

    /// What `connect` takes to reach the store at `url`.
    fn access(options: &Self::Options, url: &str) -> Access;

    /// The order's document as the API gives it.
    fn document(context: &Context<'_, Self>, id: u64) -> Option<Value>;

    /// Answers a request to the API or the site.
    fn respond(shop: &Shop<Self>, request: &Request) -> Response;

    /// The channel's own form of a fault.
    fn fault(shop: &Shop<Self>, kind: &FaultKind, request: &Request) -> Option<Response> {
        let _ = (shop, kind, request);
        None
    }

    /// How long the vendor waits for whoever receives a delivery.
    const PATIENCE: hooks::Patience = hooks::Patience::seconds(5, 10);
    /// How many deliveries of a webhook fail in a row before it is switched off.
    const GIVES_UP_AFTER: u32 = u32::MAX;
    /// Whether one that is switched off is deleted.
    const FORGETS_HOOKS: bool = false;

    /// Whether this answer to a delivery is a good one.
    fn is_delivered(status: u16) -> bool {
        (200..300).contains(&status)
    }

    /// Headers and body of the delivery that a subscription gets for this; nothing where it is not
    /// about that.
    fn letter(context: &Context<'_, Self>, hook: &Hook, id: u64, news: News) -> Option<Written> {
        let _ = (context, hook, id, news);
        None
    }

    /// Control requests of this channel's own: whether something changed; `None` where it has none
    /// of that name.
    fn control(shop: &Shop<Self>, verb: &str, id: u64, wish: &Value) -> Option<bool> {
        let _ = (shop, verb, id, wish);
        None
    }
}

type BeforeRequest<V> = Arc<dyn Fn(&Request, &Shop<V>) + Send + Sync>;

/// A simulated store. Share it as `Arc` between a [`Server`](super::Server) and a test.
pub struct Shop<V: Vendor> {
    options: Mutex<V::Options>,
    clock: ShopClock,
    state: Mutex<State<V>>,
    served: Mutex<String>,
    hook: Mutex<Option<BeforeRequest<V>>>,
}

impl<V: Vendor> Shop<V> {
    /// An empty store that reads the time from `clock`.
    pub fn new(options: V::Options, clock: Arc<dyn Clock>) -> Self {
        let clock = ShopClock::new(clock);
        let memory = V::memory(&options, ticks::<V>(clock.now()));
        Self {
            state: Mutex::new(State::new(V::nature(&options).first, memory)),
            options: Mutex::new(options),
            clock,
            served: Mutex::new("http://127.0.0.1".to_owned()),
            hook: Mutex::new(None),
        }
    }

    /// The store's options, to look at or to change.
    pub fn options(&self) -> MutexGuard<'_, V::Options> {
        self.options.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `hook` before every request, for instance to change orders between two pages of a
    /// list.
    pub fn before_request(&self, hook: impl Fn(&Request, &Self) + Send + Sync + 'static) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    pub(in crate::sim) fn lock(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store's time, in its ticks.
    pub(in crate::sim) fn now(&self) -> i64 {
        ticks::<V>(self.clock.now())
    }

    /// The same in milliseconds.
    pub(in crate::sim) fn milliseconds(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    /// The address under which it is served.
    pub(in crate::sim) fn served(&self) -> String {
        self.served.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does something with the store as it is now; whoever wants to be told of it is.
    pub(in crate::sim) fn with<T>(&self, act: impl FnOnce(&mut Context<'_, V>) -> T) -> T {
        let (options, now, served) = (self.options().clone(), self.now(), self.served());
        let mut state = self.lock();
        let mut context = Context { options: &options, state: &mut state, now, served: &served };
        let done = act(&mut context);
        let letters = context.letters();
        letters.into_iter().for_each(|letter| deliver::<V>(letter, state.post.clone()));
        done
    }
}

/// A moment in a vendor's ticks.
pub(in crate::sim) fn ticks<V: Vendor>(at: Timestamp) -> i64 {
    if V::TICKS == 1 { at.timestamp() } else { at.timestamp_millis() }
}

impl<V: Vendor> Store for Shop<V> {
    fn handle(&self, request: &Request) -> Response {
        if request.path.starts_with(CONTROL) {
            return super::simulated::control(self, request);
        }
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(hook) = hook {
            hook(request, self);
        }
        V::respond(self, request).with_header("Date", httpdate::fmt_http_date(self.clock.now().into()))
    }

    fn fault(&self, kind: &FaultKind, request: &Request) -> Option<Response> {
        V::fault(self, kind, request)
    }

    fn served_at(&self, url: &str) {
        url.clone_into(&mut self.served.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
