//! What the merchant does in the admin screens and the buyers in the shop, and what a test may look at.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::auth::Who;
use super::call::Call;
use super::changes;
use super::options::Options;
use super::seed;
use super::state::{Address, Details, Line, Mails, Refund, State};
use super::{Shop, fulfillments, notes, orders, site, trackings};
use crate::clock::Timestamp;
use crate::sim::Counters;
use crate::sim::world::fixtures::{self as words, PEOPLE, WARES, Ware};

/// A line of a new order.
#[derive(Debug, Clone)]
pub struct NewLine {
    /// A SKU of [`WARES`]; any other text makes a product of that name and SKU for 10.00.
    pub sku: String,
    /// Pieces.
    pub quantity: u32,
}

/// An order about to be placed.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// The first status; `processing` means paid.
    pub status: String,
    /// Lines; without any, one `TEE-001`.
    pub lines: Vec<NewLine>,
    /// When; `None` is now.
    pub at: Option<Timestamp>,
    /// 0 for a guest.
    pub customer_id: u64,
    /// What the buyer wrote.
    pub customer_note: String,
    /// Bill to; `None` takes the next invented buyer.
    pub billing: Option<Address>,
    /// Ship to; `None` is the billing address for orders that are shipped.
    pub shipping: Option<Address>,
    /// Another currency than the shop's.
    pub currency: Option<String>,
    /// The order's own meta data.
    pub meta: Vec<(String, Value)>,
    /// Ten percent off.
    pub coupon: bool,
    /// How it is paid; `cod` is paid when it arrives.
    pub payment: String,
}

impl NewOrder {
    /// Paid and waiting to be sent.
    pub fn paid() -> Self {
        Self {
            status: "processing".to_owned(),
            lines: Vec::new(),
            at: None,
            customer_id: 0,
            customer_note: String::new(),
            billing: None,
            shipping: None,
            currency: None,
            meta: Vec::new(),
            coupon: false,
            payment: "stripe".to_owned(),
        }
    }

    /// Waiting for the buyer's money.
    pub fn unpaid() -> Self {
        Self::paid().status("on-hold")
    }

    /// In this status.
    pub fn status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.status);
        self
    }

    /// With one more line.
    pub fn line(mut self, sku: &str, quantity: u32) -> Self {
        self.lines.push(NewLine { sku: sku.to_owned(), quantity });
        self
    }

    /// Only a voucher: nothing to send.
    pub fn only_virtual(self) -> Self {
        self.line("VOUCHER-25", 1)
    }

    /// Picked up by the buyer: the checkout keeps the buyer's own address as the delivery address.
    pub fn picked_up(self) -> Self {
        self.meta("_sim_shipping_method", Value::from("local_pickup"))
    }

    /// Placed then.
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// By a customer with an account.
    pub fn customer(mut self, id: u64) -> Self {
        self.customer_id = id;
        self
    }

    /// With a note of the buyer.
    pub fn note(mut self, note: &str) -> Self {
        note.clone_into(&mut self.customer_note);
        self
    }

    /// Billed to.
    pub fn bill_to(mut self, address: Address) -> Self {
        self.billing = Some(address);
        self
    }

    /// Shipped to.
    pub fn ship_to(mut self, address: Address) -> Self {
        self.shipping = Some(address);
        self
    }

    /// In another currency.
    pub fn currency(mut self, code: &str) -> Self {
        self.currency = Some(code.to_owned());
        self
    }

    /// With a meta value.
    pub fn meta(mut self, key: &str, value: Value) -> Self {
        self.meta.push((key.to_owned(), value));
        self
    }

    /// Paid, or to be paid, in this way.
    pub fn payment(mut self, method: &str) -> Self {
        method.clone_into(&mut self.payment);
        self
    }

    /// With ten percent off.
    pub fn coupon(mut self) -> Self {
        self.coupon = true;
        self
    }
}

fn details_of(new: &NewOrder, options: &Options, id: u64) -> Details {
    let mut details = seed::blank(options, id);
    let lines =
        if new.lines.is_empty() { vec![NewLine { sku: "TEE-001".to_owned(), quantity: 1 }] } else { new.lines.clone() };
    for line in &lines {
        push_line(&mut details, id, line);
    }
    details.customer_id = new.customer_id;
    new.customer_note.clone_into(&mut details.customer_note);
    new.payment.clone_into(&mut details.payment_method);
    details.transaction_id = if new.payment == "cod" { String::new() } else { format!("txn_{id:012x}") };
    if let Some(currency) = &new.currency {
        currency.clone_into(&mut details.currency);
    }
    details.billing = new.billing.clone().unwrap_or_else(|| next_buyer(id));
    if details.lines.iter().any(|line| !line.is_virtual) {
        seed::ship_to_billing(&mut details, id);
    }
    if let Some(shipping) = &new.shipping {
        details.shipping = shipping.clone();
    }
    if new.coupon {
        seed::discount(&mut details);
    }
    for (key, value) in &new.meta {
        details.set_meta(id, key, value.clone());
    }
    details
}

fn next_buyer(id: u64) -> Address {
    let index = usize::try_from(id).unwrap_or(0) % PEOPLE.len().max(1);
    PEOPLE.get(index).map(|person| seed::address(person, id)).unwrap_or_default()
}

fn push_line(details: &mut Details, order: u64, new: &NewLine) {
    if let Some(ware) = words::ware(&new.sku) {
        seed::push_ware(details, order, ware, new.quantity);
        return;
    }
    let plain = Ware { product_id: 99, gtin: "", cents: 1_000, ..first_ware() };
    seed::push_ware(details, order, &plain, new.quantity);
    if let Some(line) = details.lines.last_mut() {
        new.sku.clone_into(&mut line.name);
        line.sku = Some(new.sku.clone());
    }
}

fn first_ware() -> Ware {
    WARES.first().copied().unwrap_or(Ware {
        product_id: 99,
        variation_id: 0,
        sku: "",
        name: "",
        parent: "",
        choices: &[],
        cents: 0,
        gtin: "",
        is_virtual: false,
        image: 0,
    })
}

impl Shop {
    /// A buyer places an order; returns its id.
    pub fn place_order(&self, new: NewOrder) -> u64 {
        let created = new.at.map_or_else(|| self.now(), |at| at.timestamp());
        let mut state = self.lock();
        let id = changes::create(&self.options, &mut state, &new.status, created);
        if let Some(details) = state.details_mut(&self.options, id) {
            *details = details_of(&new, &self.options, id);
        }
        if let Some(order) = state.orders.get_mut(&id) {
            let paid = matches!(&*new.status, "processing" | "completed") && new.payment != "cod";
            order.paid = paid.then_some(created);
            order.completed = (new.status == "completed").then_some(created);
        }
        id
    }

    /// Fills the shop with `count` varied orders placed between the two moments, oldest first; returns the
    /// first id. Each is made up only when it is looked at, so hundreds of thousands fit.
    pub fn seed(&self, count: u64, from: Timestamp, to: Timestamp) -> u64 {
        let (from, to) = (from.timestamp(), to.timestamp());
        let mut state = self.lock();
        let first = state.next_id;
        let span = i128::from((to - from).max(0));
        for nth in 0..count {
            let id = state.take_id();
            // Runs of orders share a second, as imports and bulk edits make them.
            let place = if id % 10 < 3 { nth - nth.min(id % 10) } else { nth };
            let created = from + i64::try_from(span * i128::from(place) / i128::from(count.max(1))).unwrap_or(0);
            state.insert(seed::order(&self.options, id, created, to));
        }
        first
    }

    /// Changes an order as somebody in the admin screen does, and moves its date. False for an unknown one.
    pub fn edit(&self, id: u64, change: impl FnOnce(&mut Details)) -> bool {
        let mut state = self.lock();
        let Some(details) = state.details_mut(&self.options, id) else { return false };
        change(details);
        state.bump(id, self.now());
        true
    }

    /// Changes the delivery address.
    pub fn edit_address(&self, id: u64, change: impl FnOnce(&mut Address)) -> bool {
        self.edit(id, |details| change(&mut details.shipping))
    }

    /// Changes the billing address.
    pub fn edit_billing(&self, id: u64, change: impl FnOnce(&mut Address)) -> bool {
        self.edit(id, |details| change(&mut details.billing))
    }

    /// Changes the lines.
    pub fn edit_lines(&self, id: u64, change: impl FnOnce(&mut Vec<Line>)) -> bool {
        self.edit(id, |details| change(&mut details.lines))
    }

    /// Changes the pieces of the nth line at the same price each.
    pub fn edit_quantity(&self, id: u64, nth: usize, pieces: u32) -> bool {
        self.edit(id, |details| {
            if let Some(line) = details.lines.get_mut(nth) {
                orders::set_quantity(line, pieces);
            }
        })
    }

    /// Adds a line for a SKU.
    pub fn add_line(&self, id: u64, sku: &str, pieces: u32) -> bool {
        self.edit(id, |details| push_line(details, id, &NewLine { sku: sku.to_owned(), quantity: pieces }))
    }

    /// Sets a meta value of the order.
    pub fn set_meta(&self, id: u64, key: &str, value: Value) -> bool {
        self.edit(id, |details| details.set_meta(id, key, value))
    }

    /// The money has come.
    pub fn pay(&self, id: u64) -> bool {
        self.set_status(id, "processing")
    }

    /// Somebody changes the status in the admin screen. False when nothing changed.
    pub fn set_status(&self, id: u64, status: &str) -> bool {
        changes::set_status(&self.options, &mut self.lock(), id, status, self.now())
    }

    /// The order is cancelled.
    pub fn cancel(&self, id: u64) -> bool {
        self.set_status(id, "cancelled")
    }

    /// The order goes to the trash.
    pub fn trash(&self, id: u64) -> bool {
        changes::trash(&self.options, &mut self.lock(), id, self.now())
    }

    /// The order comes back from the trash.
    pub fn restore(&self, id: u64) -> bool {
        changes::restore(&mut self.lock(), id, self.now())
    }

    /// The order is erased for good.
    pub fn force_delete(&self, id: u64) -> bool {
        self.lock().remove(id).is_some()
    }

    /// The merchant pays `amount` back; returns the refund's id. `None` for an unknown order or an amount
    /// that is no number.
    pub fn refund(&self, id: u64, amount: &str, reason: &str) -> Option<u64> {
        self.add_refund(id, amount, reason, Vec::new())
    }

    /// The merchant pays back some pieces of a line.
    pub fn refund_line(&self, id: u64, item: u64, pieces: u32, amount: &str) -> Option<u64> {
        self.add_refund(id, amount, "", vec![(item, pieces, amount.parse().ok()?)])
    }

    fn add_refund(&self, id: u64, amount: &str, reason: &str, lines: Vec<(u64, u32, Decimal)>) -> Option<u64> {
        let amount = amount.parse().ok()?;
        changes::add_refund(&self.options, &mut self.lock(), id, amount, reason, lines, self.now())
    }

    /// A payment plugin pays back without moving the order's date, as some do.
    pub fn refund_silently(&self, id: u64, amount: &str) -> Option<u64> {
        let amount = amount.parse().ok()?;
        let mut state = self.lock();
        let refund = state.take_id();
        let now = self.now();
        let details = state.details_mut(&self.options, id)?;
        details
            .refunds
            .insert(0, Refund { id: refund, created: now, amount, reason: String::new(), lines: Vec::new() });
        state.refund_owners.insert(refund, id);
        Some(refund)
    }

    /// The merchant ships by another tool: a tracking plugin's meta value and the status `completed`.
    pub fn complete_with_tracking(&self, id: u64, carrier: &str, number: &str) -> bool {
        let parcel = json!([{"tracking_provider": carrier, "tracking_number": number, "custom_tracking_provider": "",
            "custom_tracking_link": "", "date_shipped": self.now().to_string(), "tracking_id": number}]);
        self.set_meta(id, "_wc_shipment_tracking_items", parcel) && self.set_status(id, "completed")
    }

    /// The merchant makes a fulfilment of some pieces in the admin screen. False in a shop without the feature.
    pub fn fulfill(&self, id: u64, items: &[(u64, u32)], carrier: &str, number: &str) -> bool {
        let known = self.lock().orders.contains_key(&id) && self.options.has_fulfillments();
        let items: Vec<Value> = items.iter().map(|(item, qty)| json!({ "item_id": item, "qty": qty })).collect();
        let mut meta = vec![("_items".to_owned(), Value::Array(items))];
        if !number.is_empty() {
            meta.push(("_shipment_provider".to_owned(), json!(carrier)));
            meta.push(("_tracking_number".to_owned(), json!(number)));
        }
        known && self.hand(|call| fulfillments::add(call, id, "fulfilled".to_owned(), meta)).is_object()
    }

    /// The merchant deletes the nth fulfilment; the order's status stays as it is.
    pub fn delete_fulfillment(&self, id: u64, nth: usize) -> bool {
        self.hand(|call| fulfillments::remove(call, id, nth))
    }

    /// Fulfilments and tracking numbers are deleted, and an order that was completed is at work again.
    pub fn undo_shipments(&self, id: u64) -> bool {
        let mut state = self.lock();
        if !state.orders.contains_key(&id) {
            return false;
        }
        state.attached(id).fulfillments.iter_mut().for_each(|one| one.deleted = true);
        if let Some(details) = state.details_mut(&self.options, id) {
            details.meta.retain(|meta| !matches!(&*meta.key, "_wc_shipment_tracking_items" | "_fulfillment_status"));
        }
        changes::set_status(&self.options, &mut state, id, "processing", self.now());
        state.bump(id, self.now());
        true
    }

    /// The order's lines.
    pub fn lines(&self, id: u64) -> Vec<Line> {
        self.lock().details(&self.options, id).map(|details| details.lines.clone()).unwrap_or_default()
    }

    /// Something saves the order without changing it: only its date moves.
    pub fn touch(&self, id: u64) {
        self.lock().bump(id, self.now());
    }

    /// A clock that was wrong, or a migration, has dated the order's last change so.
    pub fn modified_at(&self, id: u64, at: Timestamp) -> bool {
        let mut state = self.lock();
        let known = state.orders.contains_key(&id);
        if known {
            state.bump(id, at.timestamp());
        }
        known
    }

    /// Something saves many orders in one second.
    pub fn touch_many(&self, ids: &[u64]) {
        let mut state = self.lock();
        let now = self.now();
        ids.iter().for_each(|id| state.bump(*id, now));
    }

    /// The order as `GET /orders/{id}` gives it.
    pub fn order_json(&self, id: u64) -> Option<Value> {
        self.look(|call| call.has_order(id).then(|| orders::body(call, id)))
    }

    /// The order's fulfilments that are not deleted.
    pub fn fulfillments(&self, id: u64) -> Vec<Value> {
        self.look(|call| fulfillments::all(call, id))
    }

    /// The order's parcels in the Shipment Tracking extension.
    pub fn trackings(&self, id: u64) -> Vec<Value> {
        self.look(|call| trackings::all(call, id))
    }

    /// Somebody adds a note; one to the buyer is mailed.
    pub fn add_note(&self, id: u64, text: &str, to_buyer: bool) -> u64 {
        self.lock().add_note(id, text, to_buyer, self.now())
    }

    /// The order's notes, newest first.
    pub fn notes(&self, id: u64) -> Vec<Value> {
        self.look(|call| notes::all(call, id))
    }

    /// The order's status.
    pub fn status(&self, id: u64) -> Option<String> {
        self.lock().orders.get(&id).map(|order| order.status.clone().into_owned())
    }

    /// Every order's id, trash included.
    pub fn ids(&self) -> Vec<u64> {
        self.lock().orders.keys().copied().collect()
    }

    /// The item ids of the order's lines.
    pub fn item_ids(&self, id: u64) -> Vec<u64> {
        let state = self.lock();
        let details = state.details(&self.options, id);
        details.map(|details| details.lines.iter().map(|line| line.id).collect()).unwrap_or_default()
    }

    /// The e-mails that the order's buyer would have got.
    pub fn mails(&self, id: u64) -> Mails {
        self.lock().attached.get(&id).map(|attached| attached.mails).unwrap_or_default()
    }

    /// How many write requests over the API have been applied.
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// Counts over the whole shop.
    pub fn counters(&self) -> Counters {
        let state = self.lock();
        let mails = state.attached.values().map(|attached| u64::from(attached.mails.dispatch_mails())).sum();
        Counters { orders: state.orders.len() as u64, writes: state.writes, dispatch_mails: mails }
    }

    fn look<T>(&self, read: impl FnOnce(&Call<'_>) -> T) -> T {
        self.hand(|call| read(call))
    }

    fn hand<T>(&self, act: impl FnOnce(&mut Call<'_>) -> T) -> T {
        let home = self.home_url();
        let root = site::root(&self.options, &home);
        let now = self.now();
        let mut state = self.lock();
        act(&mut quiet_call(&self.options, &mut state, &home, &root, now))
    }
}

/// A call that nobody made, for looking at the shop.
fn quiet_call<'a>(options: &'a Options, state: &'a mut State, home: &'a str, root: &'a str, now: i64) -> Call<'a> {
    let who: Who = None;
    let params = serde_json::Map::new();
    Call { options, state, method: "GET", query: &[], params, path: Vec::new(), who, root, home, now }
}
