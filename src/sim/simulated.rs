//! What every simulated store can be told by the people around it, whatever its channel: the
//! buyers, the merchant in the channel's own pages, another tool. `demo`, `simulate`, control over
//! HTTP and the contract tests need no more than this.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::http::{Request, Response, Store};
use super::world::hooks::{Hook, Letter};
use super::world::{About, Mail, Purchase};
use crate::channel::ChannelKind;
use crate::clock::Timestamp;

/// What a client asks a store for; each channel has its own requests for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// A list of orders.
    Orders,
    /// Where a walk through the changes begins.
    Changes,
    /// What was put away, where no other list has it.
    PutAway,
}

/// What a channel may not have. Acts of that sort come to nothing there and give false; what is
/// told of them is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// Orders that are put away as done with.
    Archive,
    /// Edits that move the time of the last change.
    DatedEdits,
    /// Webhooks of edits.
    EditsToldOf,
    /// The buyer's e-mail address.
    Emails,
    /// Webhooks that are switched off, or deleted, once their deliveries fail.
    GivingUp,
    /// Orders that are held back.
    Holds,
    /// Ids that are near to those of the shop's orders beside them, because the shop gives them out.
    NearIds,
    /// A list that has all orders, the cancelled ones too.
    OneList,
    /// Shipments of a part of an order.
    Parts,
    /// Orders that the buyer comes for.
    PickUp,
    /// Orders that can still be sent once all of their money was given back.
    OpenAfterRefund,
    /// Orders that a program has made.
    Programs,
    /// Reasons of a cancellation in the seller's own words.
    Reasons,
    /// Which pieces a refund is for.
    RefundedPieces,
    /// Shipments that are undone: what was shipped stays shipped.
    Undone,
}

/// What is done before each request: changes between two pages of a list.
pub(crate) type Interruption = Box<dyn Fn(&Request, &dyn Simulated) + Send + Sync>;

/// A simulated store with people around it. Ids are the channel's, as in `STORE:ID`.
pub trait Simulated: Store {
    /// The kind of its channel.
    fn kind(&self) -> ChannelKind;

    /// What `connect` takes to reach it at `url`.
    fn access(&self, url: &str) -> Access;

    /// Which requests ask this: their method, and what is in their targets. `None` where the
    /// channel has no such question.
    fn asks(&self, question: Question) -> Option<(&'static str, &'static str)>;

    /// Whether the channel has no such thing.
    fn lacks(&self, what: Lack) -> bool;

    /// Something is done before every request from now on.
    fn interrupt(&self, interruption: Interruption);

    /// A buyer places an order; gives its id.
    fn place(&self, purchase: &Purchase) -> String;

    /// So many orders of every sort, placed between the two times.
    fn seed(&self, orders: u64, from: Timestamp, to: Timestamp);

    /// Every order's id, also of cancelled and put-away ones.
    fn ids(&self) -> Vec<String>;

    /// Whether the order is on the store's lists: it is no draft, and is not put away.
    fn is_listed(&self, id: &str) -> bool;

    /// The payment comes in.
    fn pay(&self, id: &str) -> bool;

    /// The merchant cancels in the channel's own pages.
    fn cancel(&self, id: &str) -> bool;

    /// The buyer has the order sent to another street.
    fn readdress(&self, id: &str, street: &str) -> bool;

    /// The addresses that an order is split over stand in another order than before. False where
    /// there is one.
    fn reorder_places(&self, id: &str) -> bool;

    /// The nth address of those that an order is split over is taken out of it; what went there
    /// goes with the others. False where there is no other.
    fn remove_place(&self, id: &str, nth: usize) -> bool;

    /// The buyer's name, addresses and e-mail are erased on request, as the channel erases them.
    fn erase_buyer(&self, id: &str) -> bool;

    /// The buyer's note is written anew.
    fn annotate(&self, id: &str, note: &str) -> bool;

    /// All of it is shipped by other means.
    fn ship_elsewhere(&self, id: &str, carrier: &str, tracking: &str) -> bool;

    /// So many pieces of the nth line are shipped by other means. False where the channel knows no
    /// parts.
    fn ship_pieces(&self, id: &str, nth: usize, pieces: u32, carrier: &str, tracking: &str) -> bool;

    /// The tracking number `old` of a parcel becomes `new`. False where no parcel has it.
    fn retrack(&self, id: &str, old: &str, new: &str) -> bool;

    /// The merchant gives so much back.
    fn refund(&self, id: &str, amount: &str) -> bool;

    /// So many pieces of the nth line are given back, with their money: those not sent yet first.
    fn refund_pieces(&self, id: &str, nth: usize, pieces: u32) -> bool;

    /// So many pieces more of the nth line are in the order from now on.
    fn grow_line(&self, id: &str, nth: usize, pieces: u32) -> bool;

    /// So many pieces of the nth line that had been sent come back, and their money is given back.
    fn return_pieces(&self, id: &str, nth: usize, pieces: u32) -> bool;

    /// The nth line is taken out of the order.
    fn remove_line(&self, id: &str, nth: usize) -> bool;

    /// It is held back: for a check, by an app, by hand.
    fn hold(&self, id: &str) -> bool;

    /// It is held back no more.
    fn release(&self, id: &str) -> bool;

    /// The payment is found not to have come in.
    fn unpay(&self, id: &str) -> bool;

    /// Whatever was shipped, by whom ever, is undone: it did not go out.
    fn undo_shipments(&self, id: &str) -> bool;

    /// The merchant puts it away as done with (archive, bin).
    fn put_away(&self, id: &str) -> bool;

    /// Whether what is put away stays the order that it was (an archive), and is not thrown away (a
    /// bin).
    fn archives(&self) -> bool;

    /// Whether an order tells of pieces given back that they had been sent before.
    fn tells_returns(&self) -> bool;

    /// The order is erased for good.
    fn erase(&self, id: &str) -> bool;

    /// A clock that was wrong, or a migration, has dated the order's last change so.
    fn redate(&self, id: &str, at: Timestamp) -> bool;

    /// The order's document is not one that can be read from now on, or can be again.
    fn spoil(&self, id: &str, spoilt: bool) -> bool;

    /// Something saves the order without changing it: its modification time moves.
    fn touch(&self, id: &str) -> bool;

    /// The channel's own program fails at this order: every answer that would hold it is a server
    /// error. Or not any more.
    fn set_unrenderable(&self, id: &str, unrenderable: bool) -> bool;

    /// The store's clock is so many minutes ahead of the real one from now on, or behind.
    fn set_clock(&self, ahead_minutes: i64);

    /// How an order stands.
    fn standing(&self, id: &str) -> Option<Standing>;

    /// The order's document as the channel's API gives it.
    fn document(&self, id: &str) -> Option<Value>;

    /// Counts over the whole store.
    fn counters(&self) -> Counters;

    /// The deliveries of webhooks that were answered so far.
    fn letters(&self) -> Vec<Letter>;

    /// The subscriptions to webhooks.
    fn hooks(&self) -> Vec<Hook>;

    /// Somebody, or the vendor, changes the subscriptions.
    fn change_hooks(&self, change: &mut dyn FnMut(&mut Vec<Hook>));

    /// Control requests of this channel's own; `None` where it has none of that name.
    fn verb(&self, method: &str, verb: &str, id: &str, wish: &Value) -> Option<Response> {
        let _ = (method, verb, id, wish);
        None
    }
}

/// How to connect a simulated store.
#[derive(Debug, Clone)]
pub struct Access {
    /// Flags of `connect` after the channel's name.
    pub flags: Vec<String>,
    /// Environment variables with the secrets.
    pub secrets: Vec<(&'static str, String)>,
    /// Members of a credentials file in which what was copied stands in each other's places.
    pub swapped: [(&'static str, &'static str); 2],
}

impl Access {
    /// Flags, and secrets by the names that `connect` takes them under.
    pub(super) fn of(flags: &[&str], secrets: &[(&'static str, &str)]) -> Self {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let secrets = secrets.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { flags, secrets, swapped: [("", ""); 2] }
    }

    /// With these members of a credentials file in each other's places.
    pub(super) fn swapped(self, swapped: [(&'static str, &'static str); 2]) -> Self {
        Self { swapped, ..self }
    }
}

/// How an order stands at the simulated store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Cancelled.
    pub cancelled: bool,
    /// Nothing is left to ship.
    pub shipped: bool,
    /// How many pieces are in shipments; 0 where the channel does not count them.
    pub sent: u64,
    /// Carrier and tracking number of each parcel, as the channel shows them.
    pub parcels: Vec<(String, String)>,
    /// How often the buyer was told of a shipment.
    pub dispatch_mails: u64,
    /// Every mail to the buyer.
    pub(crate) mails: Vec<Mail>,
    /// Pieces that went back on the shelf when it was cancelled.
    pub restocked: u64,
    /// Money given back.
    pub refunded: Decimal,
    /// What the staff reads beside it, the reason of its cancellation with it.
    pub remarks: String,
}

impl Standing {
    /// How many mails told the buyer this.
    pub fn told(&self, text: &str) -> usize {
        self.mails.iter().filter(|mail| mail.text.contains(text)).count()
    }

    /// How many mails were about this.
    pub fn mailed(&self, about: About) -> usize {
        self.mails.iter().filter(|mail| mail.about == about).count()
    }
}

/// Counts over a whole store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Orders, also cancelled and put-away ones.
    pub orders: u64,
    /// Writes over the API that were applied.
    pub writes: u64,
    /// How often buyers were told of a shipment.
    pub dispatch_mails: u64,
}

/// Answers a request below [`super::CONTROL`].
pub(super) fn control(store: &(impl Simulated + ?Sized), request: &Request) -> Response {
    let rest = request.path.strip_prefix(super::CONTROL).unwrap_or_default().trim_matches('/');
    let wish = request.json().unwrap_or(Value::Null);
    let (verb, id) = rest.split_once('/').unwrap_or((rest, ""));
    if let Some(response) = store.verb(&request.method, verb, id, &wish) {
        return response;
    }
    match (request.method.as_str(), verb) {
        ("GET", "stats") => {
            let Counters { orders, writes, dispatch_mails } = store.counters();
            Response::json(200, &json!({ "orders": orders, "writes": writes, "dispatch_mails": dispatch_mails }))
        }
        ("GET", "ids") => Response::json(200, &json!(store.ids())),
        ("GET", "order") => store.document(id).map_or_else(unknown, |order| Response::json(200, &order)),
        ("POST", "place-order") => {
            let id = store.place(&purchase(&wish));
            Response::json(201, &json!({ "id": id }))
        }
        ("POST", "clock") => {
            let minutes = wish["minutes"].as_i64().unwrap_or(0);
            store.set_clock(minutes);
            Response::json(200, &json!({ "minutes": minutes }))
        }
        ("POST", verb) if act(store, verb, id, &wish) => Response::json(200, &json!({ "id": id, "changed": true })),
        _ => unknown(),
    }
}

/// Does something to an order; whether it is one and that is known.
fn act(store: &(impl Simulated + ?Sized), verb: &str, id: &str, wish: &Value) -> bool {
    let text = |key: &str| wish[key].as_str().unwrap_or_default();
    let number = |key: &str| wish[key].as_u64().and_then(|number| u32::try_from(number).ok());
    let (nth, pieces) = (number("line").unwrap_or(0) as usize, number("pieces").unwrap_or(1));
    match verb {
        "pay" => store.pay(id),
        "cancel" => store.cancel(id),
        "edit-address" => store.readdress(id, text("street")),
        "erase-buyer" => store.erase_buyer(id),
        "annotate" => store.annotate(id, text("note")),
        "ship" => store.ship_elsewhere(id, text("carrier"), text("tracking")),
        "ship-pieces" => store.ship_pieces(id, nth, pieces, text("carrier"), text("tracking")),
        "retrack" => store.retrack(id, text("old"), text("new")),
        "refund" => store.refund(id, text("amount")),
        "refund-pieces" => store.refund_pieces(id, nth, pieces),
        "return-pieces" => store.return_pieces(id, nth, pieces),
        "remove-line" => store.remove_line(id, nth),
        "hold" => store.hold(id),
        "release" => store.release(id),
        "unpay" => store.unpay(id),
        "undo-shipments" => store.undo_shipments(id),
        "put-away" => store.put_away(id),
        "touch" => store.touch(id),
        "unrenderable" => store.set_unrenderable(id, true),
        "renderable" => store.set_unrenderable(id, false),
        _ => false,
    }
}

/// `{"lines": [{"sku": "TEE-001", "quantity": 2}], "paid": true, "note": "...", "street": "..."}`,
/// all of it optional.
fn purchase(wish: &Value) -> Purchase {
    let line = |line: &Value| {
        let pieces = line["quantity"].as_u64().and_then(|pieces| u32::try_from(pieces).ok()).unwrap_or(1);
        (line["sku"].as_str().unwrap_or("TEE-001").to_owned(), pieces)
    };
    let mut lines: Vec<(String, u32)> = wish["lines"].as_array().into_iter().flatten().map(line).collect();
    if lines.is_empty() {
        lines.push(("TEE-001".to_owned(), 1));
    }
    let text = |key: &str| wish[key].as_str().unwrap_or_default().to_owned();
    Purchase {
        lines,
        paid: wish["paid"].as_bool().unwrap_or(true) && wish["payment"] != "at-delivery",
        at_delivery: wish["payment"] == "at-delivery",
        delivery: if wish["delivery"] == "pick-up" { "PICK_UP" } else { "" },
        ..Purchase::paid().note(&text("note")).street(&text("street"))
    }
}

fn unknown() -> Response {
    Response::json(404, &json!({ "error": "unknown order or verb: see the documentation of `sim`" }))
}
