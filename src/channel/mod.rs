//! The seam between the core and the channels.
//!
//! An adapter owns its channel's URLs, authentication, wire types, mapping and the reading of that
//! channel's errors. The core owns retry, pacing, the paging loop, token renewal, the book, policy
//! and all output. Adapters see no SQL; the core sees no channel JSON.
//!
//! **Reading.** [`Channel::plan`] turns a range of time into walks and [`Channel::page`] reads one
//! page of a walk and says where the next one is. What no list of changes shows (a bin, archived
//! orders) is looked through in passes ([`Channel::passes`]). Which walk stands where, and which
//! pass is due, the core keeps. A [`Cursor`] is the adapter's own small document, stored by the
//! core in the same transaction as the page's orders, so whatever a channel needs to go on from
//! exactly there fits: a modification time, a page token, the id of a report that is still being
//! made.
//!
//! **Listening.** What the channel says by webhook is verified and reduced to ids by the adapter
//! ([`webhooks`]); the orders are then read as any others.
//!
//! **Writing.** A task states a goal ("this shipment is known there"). The core reads the order and
//! holds it against what the merchant knows. Only then the adapter plans: it says which parts the
//! dispatch has here and what the channel shows, the core matches the two, and the adapter turns
//! what is left into [`Write`]s. [`Channel::apply`] carries out one of them. The core never applies
//! a write without having read first, so a write whose answer was lost is looked for, not repeated
//! (D-3), and the goal is reached when nothing is left to do (D-4).

mod all_pages;
pub(crate) mod bigcommerce;
mod capabilities;
pub(crate) mod census;
mod checkpoint;
pub(crate) mod consent;
mod ebay;
mod etsy;
#[cfg(feature = "example")]
mod example;
mod first_where;
pub(crate) mod isolate;
pub(crate) mod json;
mod keyset;
mod kind;
mod magento;
pub mod matching;
mod open;
pub(crate) mod page_size;
mod parts;
pub(crate) mod rows;
pub mod settings;
pub mod shopify;
mod slices;
pub(crate) mod status_words;
mod strayed;
pub(crate) mod text;
pub(crate) mod webhooks;
pub(crate) mod woocommerce;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Currency, KnownPieces, LineQuantity, Order, Parcel, Shipment, same_number};
use crate::secret::Secret;
use matching::{Matched, Part, Record};

pub(crate) use capabilities::Cancelling;
pub use capabilities::{CancelSupport, Capabilities, Notify, UnknownCarrier};
pub(crate) use consent::Consent;
pub use kind::{ChannelKind, Field, Values};
pub(crate) use open::{Adapter, AuthMethod, Form, Forms, Learn, misplaced, origin};
pub use open::{Connection, Format, GuideTime, format, open};
pub use webhooks::{Hook, HookChange};

/// The requests that a channel permits in 24 hours, in a window that slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// In all.
    pub(crate) permitted: u64,
    /// Left when the last answer came; nothing where none has told it, and what is permitted is what
    /// is usual.
    pub(crate) left: Option<u64>,
}

impl Quota {
    /// How long the window is.
    pub(crate) const WINDOW: Duration = Duration::from_secs(24 * 3600);
}

/// A connected store of one channel. One value serves several threads.
pub trait Channel: Send + Sync {
    /// What this store can do; may depend on what [`Channel::probe`] found out about it.
    fn capabilities(&self) -> Capabilities;

    /// The time by the channel's clock, as far as its answers have told it. No network.
    fn now(&self) -> Option<Timestamp> {
        None
    }

    /// How the merchant is asked for the consent that the store has none of yet; `None` where it
    /// has one, or needs none.
    fn consent(&self) -> Option<Box<dyn Consent + '_>> {
        None
    }

    /// After how long without a good call the vendor takes the access away, where it does. No
    /// network.
    fn lapses_after(&self) -> Option<TimeDelta> {
        None
    }

    /// How many requests the channel permits in any 24 hours, where it counts so long. What it permits
    /// in a short time the lanes of its requests know. No network.
    fn quota(&self) -> Option<Quota> {
        None
    }

    /// Tests the connection and reads the facts about the shop. Reads only.
    fn probe(&self) -> Result<ShopInfo>;

    /// Makes at the channel what the store needs there beside the credentials, and puts it among these:
    /// a key to sign with. `connect` asks for it once the connection works; what has come of it, or what
    /// goes without, is told with the shop.
    fn furnish(&self, shop: &mut ShopInfo) -> Result<()> {
        let _ = shop;
        Ok(())
    }

    /// The walks that together read every order changed in `range`, in any status.
    fn plan(&self, range: &Range) -> Result<Plan>;

    /// What is to be looked through every so often, because no list of changes shows it. The
    /// changes are read up to `changes`; a pass begins where nothing that comes later can be
    /// missed. No network.
    fn passes(&self, changes: &Cursor) -> Result<Vec<Pass>> {
        let _ = changes;
        Ok(Vec::new())
    }

    /// The page at `at`. Repeating a call is harmless. An order that cannot be understood is an
    /// [`RemoteOrder`] with an error inside, never an error of the page.
    fn page(&self, at: &Cursor) -> Result<Page>;

    /// How the orders modified in `range`, which has an end, are listed for a comparison with the
    /// book, and what that costs. It may list more than these. One request at most, where the
    /// channel can count.
    fn survey(&self, range: &Range) -> Result<Survey> {
        let plan = self.plan(range)?;
        let walks = plan.slices.into_iter().chain([plan.changes]).collect();
        Ok(Survey { walks, orders: plan.total, requests: None })
    }

    /// The page of a survey's walk at `at`: of each order no more than its id and when it was
    /// modified, where the channel can give just that.
    fn heads(&self, at: &Cursor) -> Result<Heads> {
        self.page(at).map(Heads::from)
    }

    /// One order as it is now, or `None` where the channel says that there is none.
    fn order(&self, remote_id: &str) -> Result<Option<RemoteOrder>>;

    /// These orders as they are now, as far as there are any: one by one, where the channel has no
    /// way to ask for several.
    fn orders(&self, remote_ids: &[String]) -> Result<Found> {
        let mut found = Found::default();
        for id in remote_ids {
            match self.order(id) {
                Ok(order) => found.orders.extend(order),
                Err(error) if error.is_too_much() => found.unshown.push(Unshown::of(id.clone(), &error)),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Why [`Channel::order`] gave none: deleted, or hidden from the key.
    fn no_order(&self, remote_id: &str) -> Error {
        Error::new(ErrorKind::NotFound, format!("the store has no order {remote_id} any more; nothing was written"))
    }

    /// Orders placed before this are hidden from the key, where the channel hides old ones and
    /// says nothing of it. No network.
    fn shown_since(&self) -> Option<Timestamp> {
        None
    }

    /// The order's status word, as its setting takes it, where nobody knows what it means. Orders
    /// with it are what their payment makes of them.
    fn unknown_status(&self, order: &Order) -> Option<String> {
        let _ = order;
        None
    }

    /// Whether this dispatch can go out at all, the order being as the merchant has it. No network:
    /// what is known to be impossible is refused before it is recorded, also where it is to go out
    /// later.
    ///
    /// # Errors
    /// `Refused` for what the channel would surely refuse.
    fn may_dispatch(&self, order: &Order, shipment: &Shipment) -> Result<()> {
        let _ = (order, shipment);
        Ok(())
    }

    /// How this dispatch would be recorded here, beside what is shown of the order's shipments. The
    /// order is as in `now`, which was read just now and which the merchant may ship as it stands;
    /// `receipts` are those of the dispatch's writes so far. Writes nothing.
    ///
    /// # Errors
    /// `Refused` or `Unsupported` for what the channel would surely refuse, naming what can go
    /// instead.
    fn plan_dispatch<'a>(
        &'a self,
        now: &'a RemoteOrder,
        shipment: &'a Shipment,
        receipts: &'a [String],
    ) -> Result<DispatchPlan<'a>>;

    /// The same for another tracking number, or another carrier of the same, of a parcel that the
    /// channel knows.
    fn plan_tracking<'a>(
        &'a self,
        now: &'a RemoteOrder,
        change: &'a TrackingChange,
        receipts: &'a [String],
    ) -> Result<TrackingPlan<'a>>;

    /// What is to be done now so that the order is cancelled; `receipts` are those of the writes so
    /// far. Writes nothing.
    fn cancel(&self, now: &RemoteOrder, cancellation: &Cancellation, receipts: &[String]) -> Result<Step>;

    /// The subscriptions to webhooks that the credentials show, also those of others.
    fn hooks(&self) -> Result<Vec<Hook>> {
        Err(no_webhooks())
    }

    /// Whether the credentials may subscribe to this topic of its own; what others tell of then is
    /// found by the syncs.
    fn may_subscribe(&self, topic: &str) -> bool {
        let _ = topic;
        true
    }

    /// Changes one subscription. What is done already is harmless.
    fn change_hook(&self, change: &HookChange) -> Result<()> {
        let _ = change;
        Err(no_webhooks())
    }

    /// The channel's key of this name, which its deliveries are signed with; nothing where it has
    /// none. The name is of letters, digits, `-` and `_`.
    fn hook_key(&self, id: &str) -> Result<Option<Secret>> {
        let _ = id;
        Err(no_webhooks())
    }

    /// Whether the order has changed since this write was planned in a way that the channel would
    /// let it write over without a word. Asked right before the write; a channel that refuses by
    /// itself what does not fit is not asked for anything.
    fn is_overtaken(&self, write: &Write) -> Result<bool> {
        let _ = write;
        Ok(false)
    }

    /// Whether a write of this dispatch has replaced a cancellation that came in the same moment,
    /// where the channel keeps a record of that.
    fn has_replaced_cancellation(&self, now: &RemoteOrder, shipment: &Shipment) -> Result<bool> {
        let _ = (now, shipment);
        Ok(false)
    }

    /// Carries out one write and returns the channel's receipt, if it gives one. The error kind
    /// tells what is known: `Unknown` where the answer was lost, `Rejected` where the channel
    /// refused, `Temporary` where nothing was applied, `Partly` where the channel took it and its
    /// answer does not show what it was for.
    fn apply(&self, write: &Write) -> Result<Option<String>>;
}

/// A span of the channel's modification time; both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// From here on; `None` from the first order on.
    pub since: Option<Timestamp>,
    /// Up to here; `None` up to now, and go on from there next time.
    pub until: Option<Timestamp>,
}

/// How a range is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Walks of their own that can be read side by side, each to its end, in any order. Empty where
    /// one walk does it.
    pub slices: Vec<Cursor>,
    /// The walk by modification time. With slices it starts where the slices may have missed a
    /// change, and is read after them.
    pub changes: Cursor,
    /// How many orders all of it will bring, where the channel says.
    pub(crate) total: Option<u64>,
}

/// How a range is listed for a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The walks that list it, each to be read to its end.
    pub(crate) walks: Vec<Cursor>,
    /// How many orders they will bring, where the channel says.
    pub(crate) orders: Option<u64>,
    /// How many requests they will take while nothing changes, where that can be told.
    pub(crate) requests: Option<u64>,
}

/// One page of a survey's walk.
#[derive(Debug)]
pub struct Heads {
    /// The orders on it.
    pub(crate) orders: Vec<Head>,
    /// The orders that belong here and that the channel itself cannot show.
    pub(crate) unshown: Vec<Unshown>,
    /// How to go on.
    pub(crate) next: Next,
}

/// What a comparison takes of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The channel's id.
    pub(crate) remote_id: String,
    /// When it was modified, where that is told.
    pub(crate) modified: Option<Timestamp>,
}

impl From<Page> for Heads {
    fn from(page: Page) -> Self {
        let head = |seen: RemoteOrder| Head {
            modified: seen.order.as_ref().ok().map(|order| order.updated_at),
            remote_id: seen.remote_id,
        };
        let signs = page.reread.into_iter().map(|remote_id| Head { remote_id, modified: None });
        let orders = page.orders.into_iter().map(head).chain(signs).collect();
        Self { orders, unshown: page.unshown, next: page.next }
    }
}

/// A list that is looked through every so often, beside the changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Its name among the channel's passes; it stays the same from version to version.
    pub(crate) name: &'static str,
    /// What is looked for, for people: `archived orders`.
    pub(crate) title: &'static str,
    /// How long after the last look the next one is due.
    pub(crate) every: Duration,
    /// Where the next look begins.
    pub(crate) start: Cursor,
    /// Each look but the first goes on where the one before it has ended, and not at `start`: for a
    /// list that has a position of its own.
    pub(crate) goes_on: bool,
    /// Why it is not looked through in this run, for people, where the channel has no room for it
    /// now. It stays due.
    pub(crate) not_now: Option<String>,
}

/// Where a walk stands: the adapter's own document, opaque to the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Writes down `position`.
    ///
    /// # Errors
    /// `Unreadable` for a number that nobody can mean: kept, it could not be read again, and the
    /// store would stand still there.
    pub(crate) fn new(position: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(position)
            .map_err(|e| Error::new(ErrorKind::Failed, format!("a position could not be written down: {e}")))?;
        if serde_json::from_str(&text).is_ok_and(|position| is_meant(&position)) {
            return Ok(Self(text));
        }
        let text = "the channel tells a number or an id that nobody can mean; nothing was imported of this page";
        Err(Error::new(ErrorKind::Unreadable, text).hint("ordersync connect --test STORE"))
    }

    /// A position as the book holds it.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The adapter's position back. Fails where an older version wrote something this one cannot
    /// read.
    pub(crate) fn position<T: for<'a> Deserialize<'a>>(&self) -> Result<T> {
        let unreadable = || {
            Error::new(
                ErrorKind::Unreadable,
                "the stored position of this store is not one that this version can read; nothing was imported",
            )
            .hint("ordersync sync --full reads everything again and changes no order that is in the book already")
        };
        let position: serde_json::Value = serde_json::from_str(&self.0).map_err(|_| unreadable())?;
        if !is_meant(&position) {
            return Err(unreadable());
        }
        serde_json::from_value(position).map_err(|_| unreadable())
    }
}

/// Beyond every time, every count and every id.
const LARGEST: u64 = 1 << 61;

/// A number that a channel tells, where it is one that can be meant: an id, a count.
pub(crate) fn meant(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|number| *number <= LARGEST)
}

/// Whether no number in a position is beyond what can be meant, so that adapters can reckon with
/// them.
fn is_meant(position: &serde_json::Value) -> bool {
    match position {
        serde_json::Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number <= LARGEST,
            (_, Some(number)) => number.unsigned_abs() <= LARGEST,
            _ => number.as_f64().is_some_and(|number| number.abs() <= LARGEST as f64),
        },
        serde_json::Value::Array(parts) => parts.iter().all(is_meant),
        serde_json::Value::Object(members) => members.values().all(is_meant),
        _ => true,
    }
}

/// One page of a walk.
#[derive(Debug)]
pub struct Page {
    /// The orders on it, in the channel's order.
    pub orders: Vec<RemoteOrder>,
    /// The orders that belong here and that the channel itself cannot show ([`isolate`]). The walk
    /// goes on behind them.
    pub unshown: Vec<Unshown>,
    /// Orders of which the page only says that they have changed: they are read again by their ids
    /// ([`Channel::orders`]).
    pub(crate) reread: Vec<String>,
    /// How to go on.
    pub next: Next,
    /// Entries that are no orders yet (open checkouts); counted, never imported.
    pub(crate) drafts: u32,
    /// What the merchant should know about how the page was read, e.g. notices that were cut away
    /// around the JSON.
    pub(crate) warnings: Vec<String>,
}

impl Page {
    /// A page without orders.
    pub(crate) fn without_orders(next: Next) -> Self {
        Self { orders: Vec::new(), unshown: Vec::new(), reread: Vec::new(), next, drafts: 0, warnings: Vec::new() }
    }
}

/// Orders that were asked for by their ids.
#[derive(Debug, Default)]
pub struct Found {
    /// Those that came.
    pub orders: Vec<RemoteOrder>,
    /// Those that the channel itself cannot show.
    pub unshown: Vec<Unshown>,
}

/// An order that the channel itself cannot show: each answer that would hold it is a server error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unshown {
    /// The channel's id, where it could be found out: then it is asked for again each day.
    pub remote_id: Option<String>,
    /// Where it stands, for people: `the order after 1204`. The same each time it is met.
    pub(crate) place: String,
    /// What the channel answers, without personal data.
    pub(crate) why: String,
    /// Instead of one order so many that are counted and that no list shows; else 0.
    pub(crate) unlisted: u64,
}

impl Unshown {
    /// An order that is known by its id.
    pub(crate) fn of(remote_id: String, why: &Error) -> Self {
        let place = format!("order {remote_id}");
        Self { remote_id: Some(remote_id), place, why: why.message().to_owned(), unlisted: 0 }
    }
}

/// How a walk goes on after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// There is more here.
    More(Cursor),
    /// The channel is still preparing the rest: ask again here after the pause.
    Wait(Cursor, Duration),
    /// The walk is at its end; a walk by modification time goes on from here next time.
    Done(Cursor),
}

impl Next {
    /// The position to store with the page.
    pub(crate) fn cursor(&self) -> &Cursor {
        match self {
            Self::More(cursor) | Self::Wait(cursor, _) | Self::Done(cursor) => cursor,
        }
    }
}

/// An order as fetched: its document, verbatim, and what could be made of it.
#[derive(Debug, Clone)]
pub struct RemoteOrder {
    /// The channel's id.
    pub remote_id: String,
    /// The channel's own JSON.
    pub document: Box<RawValue>,
    /// The order, or why it could not be understood.
    pub order: std::result::Result<Box<Order>, String>,
}

/// An order's id at a channel whose ids are numbers. `what` is what has such ids: "a Magento shop".
///
/// # Errors
/// `NotFound` for what cannot be one.
pub(crate) fn numeric(remote_id: &str, what: &str) -> Result<u64> {
    let digits = Some(remote_id).filter(|id| id.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|id| id.parse().ok()).ok_or_else(|| {
        let text = format!("{remote_id:?} is not an order id of {what}; nothing was sent");
        Error::new(ErrorKind::NotFound, text)
    })
}

/// What an adapter knows to be impossible before it asks the channel: one kind on every channel, so
/// that a script can tell it from what the channel itself has refused (`Rejected`).
pub(crate) fn impossible(why: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Refused, format!("{why}; nothing was written"))
}

fn no_webhooks() -> Error {
    Error::new(ErrorKind::Unsupported, "the channel has no webhooks; nothing was subscribed to")
}

/// A stored document, read by an adapter's mapping.
pub(crate) fn stored(document: &[u8], map: impl FnOnce(&str) -> std::result::Result<Order, String>) -> Result<Order> {
    let text = std::str::from_utf8(document).map_err(|_| "it is not UTF-8".to_owned());
    let unreadable = |why| Error::new(ErrorKind::Unreadable, format!("a stored order cannot be read: {why}"));
    text.and_then(map).map_err(unreadable)
}

/// The pieces of a line, at a channel that ships whole ones only.
pub(crate) fn whole_pieces(line: &LineQuantity, channel: &str) -> Result<u64> {
    let quantity = line.quantity.normalize();
    let pieces = (quantity.scale() == 0 && quantity > Decimal::ZERO).then(|| quantity.to_u64()).flatten();
    pieces.ok_or_else(|| impossible(format!("line {}: {channel} ships whole pieces, not {quantity}", line.line_id)))
}

/// The pieces of a line as a number of JSON, at a channel that ships parts of one too: whole ones as
/// integers. A server reads a fraction as a float: one that is another number there is not written.
pub(crate) fn number_of_pieces(line: &LineQuantity, channel: &str) -> Result<serde_json::Value> {
    let quantity = line.quantity.normalize();
    let exactly = |float: &f64| float.to_string().parse::<Decimal>().is_ok_and(|back| back.normalize() == quantity);
    let number = match quantity.scale() {
        0 => quantity.to_i64().map(serde_json::Value::from),
        _ => quantity.to_f64().filter(exactly).map(serde_json::Value::from),
    };
    let meant = number.filter(|_| quantity > Decimal::ZERO);
    meant.ok_or_else(|| impossible(format!("line {}: {channel} takes no quantity of {quantity}", line.line_id)))
}

/// What [`Channel::probe`] learns about the account.
#[derive(Debug, Clone)]
pub struct ShopInfo {
    /// What makes the shop the same shop under another name or URL (I-9).
    pub remote_id: String,
    /// Its name as the merchant knows it.
    pub title: String,
    /// Its address for people.
    pub url: String,
    /// Its currency, where the key may read it.
    pub currency: Option<Currency>,
    /// Its time zone in the channel's words.
    pub time_zone: String,
    /// How many orders it holds, where the channel says.
    pub(crate) orders: Option<u64>,
    /// What the adapter found out and wants back at the next opening: REST root, version, features.
    pub facts: serde_json::Value,
    /// What the merchant should know, one sentence each.
    pub(crate) warnings: Vec<String>,
    /// The settings for which the shop itself has the values.
    pub(crate) choices: Vec<Choice>,
}

/// A setting whose value is one of what the shop has.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The setting's key.
    pub(crate) key: &'static str,
    /// What the shop has for it; nothing where it does not tell.
    pub(crate) of: Vec<String>,
    /// Why one has to be chosen where none is set, as it stands among the warnings; `None` where
    /// the store does without.
    pub(crate) wanted: Option<String>,
}

impl ShopInfo {
    /// # Errors
    /// `Usage` for a value that the shop does not have.
    pub(crate) fn check_choices(&self, values: &Values) -> Result<()> {
        for Choice { key, of, .. } in self.choices.iter().filter(|choice| !choice.of.is_empty()) {
            if let Some(value) = values.get(*key).filter(|value| !of.contains(value)) {
                let text = format!("the shop has no {key} {value:?}, only {}; nothing was changed", of.join(", "));
                return Err(Error::new(ErrorKind::Usage, text));
            }
        }
        Ok(())
    }
}

/// A goal at the channel, from the outbox.
#[derive(Debug, Clone)]
pub struct Task {
    /// The order's id at the channel.
    pub remote_id: String,
    /// What is to be true there.
    pub goal: Goal,
    /// What the channel answered to the writes made so far, oldest first (feed ids, job ids), and
    /// what was found there to be this task's.
    pub receipts: Vec<String>,
    /// The receipts of the order's other tasks of this kind: what the channel has under them is
    /// theirs, however like this one it is.
    pub others: Vec<String>,
    /// What the book knows of the order's pieces besides a dispatch of this goal: not every channel
    /// tells which pieces it was told of, nor which of them came back.
    pub pieces: Vec<KnownPieces>,
}

/// What is to be true at the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// The channel knows this shipment.
    Dispatched(Shipment),
    /// The order is cancelled there.
    Cancelled(Cancellation),
    /// A shipment that the channel knows has another tracking number.
    Retracked(TrackingChange),
}

/// The content of a `cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Why, in the merchant's words; may be empty.
    pub reason: String,
    /// Whether the channel tells the buyer, where that is a choice.
    pub notify: bool,
    /// Whether stock goes back, where that is a choice.
    pub restock: bool,
    /// Whether the money is given back, where the channel can.
    pub refund: bool,
    /// Whether the merchant wants it although the order is shipped or refunded.
    #[serde(default)]
    pub force: bool,
    /// A key of the book's own that never changes.
    pub key: String,
}

/// The content of a `dispatch --replaces`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingChange {
    /// The key of the merchant's own shipment that the number belongs to; empty where the channel
    /// showed it at import.
    pub shipment: String,
    /// The tracking number to be replaced.
    pub was: String,
    /// What takes its place.
    pub parcel: Parcel,
    /// Whether the channel tells the buyer, where that is a choice.
    pub notify: bool,
    /// The parcel as the book had it before, to be given back where this comes to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Parcel>,
}

impl TrackingChange {
    /// What its write does, in words.
    pub(crate) fn summary(&self) -> String {
        if self.is_of_carrier() {
            return format!("name {} as the carrier of tracking {}", self.parcel.title(), self.was);
        }
        format!("replace tracking {} by {}", self.was, self.parcel)
    }

    /// Whether the number stays, and its carrier is another one.
    pub(crate) fn is_of_carrier(&self) -> bool {
        same_number(&self.was, &self.parcel.tracking)
    }
}

impl Goal {
    /// The word in JSON and in the book.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Dispatched(_) => "dispatch",
            Self::Cancelled(_) => "cancel",
            Self::Retracked(_) => "tracking",
        }
    }
}

/// What is to be done next to reach a goal.
#[derive(Debug, Clone, Default)]
pub enum Step {
    /// Nothing is missing.
    #[default]
    Nothing,
    /// These writes, in this order; never none.
    Write(Vec<Write>),
    /// The channel is at work, or not ready yet: look again after this pause.
    Wait(Duration),
}

impl Step {
    /// These writes, or nothing where there are none.
    pub(crate) fn of(writes: Vec<Write>) -> Self {
        if writes.is_empty() { Self::Nothing } else { Self::Write(writes) }
    }
}

/// A dispatch as one channel would record it. The core matches its parts with what is shown
/// ([`matching`]), and asks for the writes of what is left.
pub struct DispatchPlan<'a> {
    /// The writes that it consists of; the same each time it is planned.
    pub(crate) parts: Vec<Part>,
    /// What the channel shows.
    pub(crate) shown: Vec<Record>,
    /// The mark that the channel's records of this dispatch carry; empty where it keeps none.
    pub(crate) mark: String,
    /// How far the channel's clock may be behind ours.
    pub(crate) behind: TimeDelta,
    /// What more is shown where what was not found is looked for next, one place after the other.
    pub(crate) further: Vec<Told<'a, Vec<Record>>>,
    /// What is to be done about what is left; also where nothing is, for what comes after the
    /// shipments (a status).
    pub(crate) step: Told<'a, Step>,
}

/// What an adapter tells, for what is shown and what was found in it.
pub(crate) type Told<'a, T> = Box<dyn Fn(&[Record], &Matched) -> Result<T> + 'a>;

impl<'a> DispatchPlan<'a> {
    /// A dispatch of these parts, of which all that is known is shown.
    pub(crate) fn new(
        parts: Vec<Part>,
        shown: Vec<Record>,
        step: impl Fn(&[Record], &Matched) -> Result<Step> + 'a,
    ) -> Self {
        let (mark, behind, further) = (String::new(), TimeDelta::zero(), Vec::new());
        Self { parts, shown, mark, behind, further, step: Box::new(step) }
    }
}

/// Another tracking number as one channel would record it.
pub struct TrackingPlan<'a> {
    /// What the channel shows.
    pub(crate) shown: Vec<Record>,
    /// Of each, whether the number is shown with the new carrier there: counts where the number
    /// stays.
    pub(crate) carried: Vec<bool>,
    /// The writes for the records that have the old number, by their places; and whether one has
    /// the new number already.
    pub(crate) writes: Box<Retracking<'a>>,
}

type Retracking<'a> = dyn Fn(&[usize], bool) -> Result<Vec<Write>> + 'a;

impl<'a> TrackingPlan<'a> {
    /// Each record that has the old number is changed where it stands, by its document there.
    pub(crate) fn in_place<D: 'a>(
        there: Vec<(Record, D)>,
        is_carried: impl Fn(&D) -> bool,
        write: impl Fn(&D) -> Result<Write> + 'a,
    ) -> Self {
        let (shown, documents): (Vec<_>, Vec<_>) = there.into_iter().unzip();
        let carried = documents.iter().map(is_carried).collect();
        let writes = move |old: &[usize], _| old.iter().filter_map(|place| documents.get(*place)).map(&write).collect();
        Self { shown, carried, writes: Box::new(writes) }
    }
}

/// One write, ready to go.
#[derive(Debug, Clone)]
pub struct Write {
    /// What it does, in words for `--dry-run` and the audit trail: `add a fulfilment with tracking
    /// JD01 (DHL)`.
    pub(crate) summary: String,
    /// What it is known by among the writes of its goal: the same goal is always made of the same
    /// writes.
    pub(crate) mark: String,
    /// Nothing at the channel shows whether it was made (an e-mail): it is made once, after all else
    /// that is missing.
    pub(crate) is_traceless: bool,
    operation: Arc<dyn Any + Send + Sync>,
}

impl Write {
    /// A write that carries out the adapter's `operation`.
    pub fn new<T: Serialize + Any + Send + Sync>(summary: impl Into<String>, operation: T) -> Result<Self> {
        let text = serde_json::to_value(&operation)
            .map_err(|_| Error::new(ErrorKind::Failed, "a write could not be put into words; nothing was sent"))?;
        let mark = Sha256::digest(text.to_string()).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { summary: summary.into(), mark, is_traceless: false, operation: Arc::new(operation) })
    }

    /// The same of which nothing at the channel shows whether it was made.
    pub(crate) fn traceless(self) -> Self {
        Self { is_traceless: true, ..self }
    }

    /// The adapter's operation back.
    ///
    /// # Errors
    /// `Failed` for a write of another adapter.
    pub(crate) fn operation<T: Any>(&self) -> Result<&T> {
        let another = || Error::new(ErrorKind::Failed, "this is another channel's write; nothing was sent");
        self.operation.downcast_ref().ok_or_else(another)
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn d5_quantities_are_whole_where_they_are() {
        let number = |text: &str| {
            number_of_pieces(&LineQuantity { line_id: "7".to_owned(), quantity: text.parse().unwrap() }, "the shop")
        };
        assert_eq!(number("2.0").unwrap(), json!(2));
        assert_eq!(number("0.5").unwrap(), json!(0.5));
        for absurd in ["9223372036854775808", "0", "-1", "0.1234567890123456789012345"] {
            let error = number(absurd).unwrap_err();
            assert!(error.kind() == ErrorKind::Refused && error.message().contains("nothing was written"), "{error}");
        }
    }

    #[test]
    fn x7_a_position_that_could_not_be_read_again_is_not_written_down() {
        for number in [0, 1_795_000_000, LARGEST] {
            let cursor = Cursor::new(&json!({ "walk": [{ "last": number }] })).unwrap();
            assert_eq!(cursor.position::<serde_json::Value>().unwrap()["walk"][0]["last"], number);
            assert_eq!(meant(&number.to_string()), Some(number));
        }
        for number in [LARGEST + 1, u64::MAX] {
            let error = Cursor::new(&json!({ "walk": [{ "last": number }] })).unwrap_err();
            assert!(
                error.kind() == ErrorKind::Unreadable && error.message().contains("nothing was imported"),
                "{error}"
            );
            assert_eq!(meant(&number.to_string()), None);
        }
    }
}
