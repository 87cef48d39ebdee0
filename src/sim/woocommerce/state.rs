//! The shop's memory: orders and what hangs on them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::options::Options;
use super::seed;

/// A key and a value of any JSON type.
#[derive(Debug, Clone)]
pub struct Meta {
    /// The row's id.
    pub id: u64,
    /// The key; one that begins with `_` is hidden in the admin screen.
    pub key: String,
    /// The key as shoppers see it (lines only).
    pub label: String,
    /// Any JSON value.
    pub value: Value,
}

/// A postal address with phone and, for billing, e-mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Company.
    pub company: String,
    /// Street.
    pub address_1: String,
    /// Second line.
    pub address_2: String,
    /// City.
    pub city: String,
    /// State: code or free text.
    pub state: String,
    /// Postcode.
    pub postcode: String,
    /// ISO country.
    pub country: String,
    /// Phone.
    pub phone: String,
    /// E-mail; billing only.
    pub email: String,
}

/// A line of an order.
#[derive(Debug, Clone)]
pub struct Line {
    /// The item's id: what fulfilments and refunds name.
    pub id: u64,
    /// 0 when the product has been deleted since.
    pub product_id: u64,
    /// 0 for a product without choices.
    pub variation_id: u64,
    /// The name.
    pub name: String,
    /// The product's own name, for a choice.
    pub parent_name: Option<String>,
    /// Pieces.
    pub quantity: u32,
    /// Before discount, without tax.
    pub subtotal: Decimal,
    /// After discount, without tax.
    pub total: Decimal,
    /// `None` when the product is gone.
    pub sku: Option<String>,
    /// GTIN, `None` when the product is gone.
    pub gtin: Option<String>,
    /// The picture's id; 0 is shown as `""`.
    pub image: u64,
    /// Needs no shipping.
    pub is_virtual: bool,
    /// Choices and what plugins add.
    pub meta: Vec<Meta>,
}

/// A shipping line or a fee.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The item's id.
    pub id: u64,
    /// Method title or the fee's name.
    pub title: String,
    /// Without tax; a negative fee is a discount.
    pub total: Decimal,
}

/// A refund of an order.
#[derive(Debug, Clone)]
pub struct Refund {
    /// The refund's id, out of the same sequence as order ids.
    pub id: u64,
    /// Seconds since the epoch.
    pub created: i64,
    /// What was paid back, positive.
    pub amount: Decimal,
    /// Why.
    pub reason: String,
    /// Item, pieces and amount of each refunded line.
    pub lines: Vec<(u64, u32, Decimal)>,
}

/// Everything of an order that is rarely needed to find it.
#[derive(Debug, Clone)]
pub struct Details {
    /// The order's number as text.
    pub number: String,
    /// ISO currency.
    pub currency: String,
    /// 0 for guests.
    pub customer_id: u64,
    /// The secret in the payment link.
    pub order_key: String,
    /// Bill to.
    pub billing: Address,
    /// Ship to; all empty for virtual orders.
    pub shipping: Address,
    /// Payment method's slug.
    pub payment_method: String,
    /// The payment provider's number.
    pub transaction_id: String,
    /// Where the order was made.
    pub created_via: String,
    /// What the buyer wrote.
    pub customer_note: String,
    /// The order's own meta data.
    pub meta: Vec<Meta>,
    /// Lines.
    pub lines: Vec<Line>,
    /// Shipping lines.
    pub shipping_lines: Vec<Charge>,
    /// Fees.
    pub fee_lines: Vec<Charge>,
    /// Code of the coupon behind the lines' discounts.
    pub coupon: Option<String>,
    /// Refunds, newest first.
    pub refunds: Vec<Refund>,
    /// Tax in hundredths of a percent.
    pub tax_basis_points: u32,
    /// The last item id that was used, counted within the order.
    pub last_item: u64,
    /// The last meta id that was used, counted within the order.
    pub last_meta: u64,
}

impl Details {
    /// A new item id; ids of different orders never meet.
    pub(super) fn next_item(&mut self, order: u64) -> u64 {
        self.last_item += 1;
        order * 1_000 + self.last_item
    }

    /// A new meta id.
    pub(super) fn next_meta(&mut self, order: u64) -> u64 {
        self.last_meta += 1;
        order * 10_000 + self.last_meta
    }

    /// Sets one of the order's own meta values, as `update_meta_data` does: an existing key is overwritten.
    pub(super) fn set_meta(&mut self, order: u64, key: &str, value: Value) {
        if let Some(meta) = self.meta.iter_mut().find(|meta| meta.key == key) {
            meta.value = value;
            return;
        }
        let id = self.next_meta(order);
        self.meta.push(Meta { id, key: key.to_owned(), label: key.to_owned(), value });
    }
}

/// An order: what finds it, and its details.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) id: u64,
    /// Seconds since the epoch, as are all times here.
    pub(super) created: i64,
    pub(super) modified: i64,
    pub(super) paid: Option<i64>,
    pub(super) completed: Option<i64>,
    pub(super) status: Cow<'static, str>,
    /// `None`: as the seed says. Keeps 200,000 untouched orders small.
    pub(super) details: Option<Box<Details>>,
}

/// A note on an order.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) id: u64,
    pub(super) created: i64,
    pub(super) text: String,
    pub(super) to_customer: bool,
}

/// A fulfilment of an order.
#[derive(Debug, Clone)]
pub(super) struct Fulfillment {
    pub(super) id: u64,
    pub(super) status: String,
    pub(super) updated: i64,
    pub(super) deleted: bool,
    pub(super) meta: Vec<Meta>,
}

/// E-mails that the shop would have sent to a buyer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mails {
    /// "Your order is complete".
    pub completed: u32,
    /// "Your items are on their way", from fulfilments.
    pub fulfillment: u32,
    /// A note to the customer.
    pub note: u32,
    /// "Your order is being processed".
    pub processing: u32,
    /// "You have been refunded".
    pub refunded: u32,
}

impl Mails {
    /// How often the buyer was told that something is on its way.
    pub fn dispatch_mails(&self) -> u32 {
        self.completed + self.fulfillment + self.note
    }
}

/// What hangs on an order, for the few that have something.
#[derive(Debug, Default)]
pub(super) struct Attached {
    pub(super) notes: Vec<Note>,
    pub(super) fulfillments: Vec<Fulfillment>,
    pub(super) mails: Mails,
    pub(super) status_before_trash: Option<Cow<'static, str>>,
}

/// The ids of the last list, so that the next page does not filter and sort again.
pub(super) struct LastList {
    pub(super) generation: u64,
    pub(super) query: String,
    pub(super) ids: Arc<Vec<u64>>,
}

/// The shop's memory.
pub(super) struct State {
    pub(super) orders: BTreeMap<u64, Order>,
    /// Orders at which the shop's own program fails.
    pub(super) unrenderable: BTreeSet<u64>,
    pub(super) by_modified: BTreeSet<(i64, u64)>,
    pub(super) attached: BTreeMap<u64, Attached>,
    pub(super) refund_owners: BTreeMap<u64, u64>,
    pub(super) next_id: u64,
    pub(super) next_note: u64,
    pub(super) next_fulfillment: u64,
    pub(super) next_fulfillment_meta: u64,
    pub(super) nonces: HashSet<(String, String)>,
    pub(super) writes: u64,
    pub(super) generation: u64,
    pub(super) last_list: Option<LastList>,
}

impl State {
    pub(super) fn new(first_id: u64) -> Self {
        Self {
            orders: BTreeMap::new(),
            unrenderable: BTreeSet::new(),
            by_modified: BTreeSet::new(),
            attached: BTreeMap::new(),
            refund_owners: BTreeMap::new(),
            next_id: first_id,
            next_note: 1,
            next_fulfillment: 1,
            next_fulfillment_meta: 1,
            nonces: HashSet::new(),
            writes: 0,
            generation: 0,
            last_list: None,
        }
    }

    /// The next id for an order or a refund.
    pub(super) fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(super) fn insert(&mut self, order: Order) {
        self.generation += 1;
        self.by_modified.insert((order.modified, order.id));
        self.orders.insert(order.id, order);
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Order> {
        self.generation += 1;
        let order = self.orders.remove(&id)?;
        self.by_modified.remove(&(order.modified, id));
        self.refund_owners.retain(|_, owner| *owner != id);
        Some(order)
    }

    /// Moves an order's date of modification.
    pub(super) fn bump(&mut self, id: u64, now: i64) {
        self.generation += 1;
        if let Some(order) = self.orders.get_mut(&id) {
            self.by_modified.remove(&(order.modified, id));
            order.modified = now;
            self.by_modified.insert((now, id));
        }
    }

    /// The details of an order, to be changed.
    pub(super) fn details_mut(&mut self, options: &Options, id: u64) -> Option<&mut Details> {
        self.generation += 1;
        let order = self.orders.get_mut(&id)?;
        if order.details.is_none() {
            order.details = Some(Box::new(seed::details(options, order)));
        }
        order.details.as_deref_mut()
    }

    /// The details of an order, to be read.
    pub(super) fn details(&self, options: &Options, id: u64) -> Option<Cow<'_, Details>> {
        let order = self.orders.get(&id)?;
        Some(order.details(options))
    }

    pub(super) fn attached(&mut self, id: u64) -> &mut Attached {
        self.attached.entry(id).or_default()
    }

    /// Puts a note on an order and returns its id.
    pub(super) fn add_note(&mut self, id: u64, text: &str, to_customer: bool, now: i64) -> u64 {
        let note = self.next_note;
        self.next_note += 1;
        let attached = self.attached(id);
        attached.notes.push(Note { id: note, created: now, text: text.to_owned(), to_customer });
        if to_customer {
            attached.mails.note += 1;
        }
        note
    }
}

impl Order {
    /// The details, made from the seed when the order is untouched.
    pub(super) fn details(&self, options: &Options) -> Cow<'_, Details> {
        match &self.details {
            Some(details) => Cow::Borrowed(details),
            None => Cow::Owned(seed::details(options, self)),
        }
    }
}

impl Address {
    /// The address as order JSON has it: billing with `email`, shipping without.
    pub(super) fn json(&self, billing: bool) -> Value {
        let mut address = json!({
            "first_name": self.first_name, "last_name": self.last_name, "company": self.company,
            "address_1": self.address_1, "address_2": self.address_2, "city": self.city, "state": self.state,
            "postcode": self.postcode, "country": self.country, "phone": self.phone,
        });
        if billing {
            address["email"] = json!(self.email);
        }
        address
    }

    /// Takes over the fields that `change` has, as a PUT does.
    pub(super) fn update(&mut self, change: &Value) {
        let fields = [
            ("first_name", &mut self.first_name),
            ("last_name", &mut self.last_name),
            ("company", &mut self.company),
            ("address_1", &mut self.address_1),
            ("address_2", &mut self.address_2),
            ("city", &mut self.city),
            ("state", &mut self.state),
            ("postcode", &mut self.postcode),
            ("country", &mut self.country),
            ("phone", &mut self.phone),
            ("email", &mut self.email),
        ];
        for (name, field) in fields {
            if let Some(value) = change[name].as_str() {
                value.clone_into(field);
            }
        }
    }
}
