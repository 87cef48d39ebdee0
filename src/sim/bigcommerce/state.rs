//! The store's memory: orders and what hangs on them. Money in hundredths.

use std::collections::{BTreeMap, BTreeSet};

use super::options::Options;
use super::seed;

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Company.
    pub company: String,
    /// Street.
    pub street_1: String,
    /// Second line.
    pub street_2: String,
    /// City.
    pub city: String,
    /// State, as a name.
    pub state: String,
    /// Postcode.
    pub zip: String,
    /// Country by name.
    pub country: String,
    /// ISO 3166-1 alpha-2.
    pub country_iso2: String,
    /// Phone.
    pub phone: String,
    /// E-mail.
    pub email: String,
    /// What the merchant's own fields of the address form hold.
    pub form_fields: Vec<(String, String)>,
}

/// A delivery address of an order.
#[derive(Debug, Clone)]
pub struct Place {
    /// `order_address_id`.
    pub id: u64,
    /// Where.
    pub address: Address,
    /// The service the buyer chose.
    pub method: String,
    /// What it costs, without tax.
    pub cost: i64,
}

/// How a line reaches the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In a parcel to the address with this id.
    Parcel(u64),
    /// Picked up at the counter.
    Pickup,
    /// By download.
    Download,
    /// A gift certificate by e-mail.
    Certificate,
}

/// A line.
#[derive(Debug, Clone)]
pub struct Line {
    /// `order_product_id`.
    pub id: u64,
    /// 0 for a custom product.
    pub product_id: u64,
    /// 0 for a product without variants.
    pub variant_id: u64,
    /// Stock-keeping unit.
    pub sku: String,
    /// Name.
    pub name: String,
    /// Choices.
    pub options: Vec<(String, String)>,
    /// Pieces.
    pub quantity: u64,
    /// Of which shipped.
    pub shipped: u64,
    /// Of which given back.
    pub refunded: u64,
    /// Price of one without tax.
    pub price: i64,
    /// Its share of a discount.
    pub discount: i64,
    /// How it reaches the buyer.
    pub way: Way,
    /// Name and message of its gift wrapping.
    pub wrapping: Option<(String, String)>,
}

/// A fee.
#[derive(Debug, Clone)]
pub struct Fee {
    /// Its id.
    pub id: u64,
    /// What the buyer reads.
    pub name: String,
    /// Without tax.
    pub cost: i64,
}

/// A shipment.
#[derive(Debug, Clone, Default)]
pub struct Shipment {
    /// Its id.
    pub id: u64,
    /// The address.
    pub place: u64,
    /// Seconds since the epoch.
    pub created: i64,
    /// `tracking_number`.
    pub tracking_number: String,
    /// `shipping_provider`.
    pub shipping_provider: String,
    /// `tracking_carrier`.
    pub tracking_carrier: String,
    /// `tracking_link`.
    pub tracking_link: String,
    /// `shipping_method`.
    pub shipping_method: String,
    /// `comments`.
    pub comments: String,
    /// Line and pieces.
    pub items: Vec<(u64, u64)>,
}

/// A refund.
#[derive(Debug, Clone)]
pub struct Refund {
    /// Its id.
    pub id: u64,
    /// Seconds since the epoch.
    pub created: i64,
    /// Why.
    pub reason: String,
    /// How much.
    pub amount: i64,
    /// Line, pieces and amount of each refunded line.
    pub lines: Vec<(u64, u64, i64)>,
}

/// Everything of an order that is rarely needed to find it.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// Bill to.
    pub billing: Address,
    /// Ship to.
    pub places: Vec<Place>,
    /// What was bought.
    pub lines: Vec<Line>,
    /// Fees.
    pub fees: Vec<Fee>,
    /// The coupon's code.
    pub coupon: Option<String>,
    /// 0 for guests.
    pub customer_id: u64,
    /// What the buyer wrote.
    pub message: String,
    /// What the staff wrote.
    pub staff_notes: String,
    /// Display name of the payment method.
    pub payment_method: String,
    /// The transactional currency.
    pub currency: String,
    /// How many of it one of the store's own currency is worth, in ten-thousandths.
    pub rate: u64,
    /// The order's number elsewhere.
    pub external_order_id: String,
    /// `www`, `manual`, ...
    pub source: String,
    /// What was sent.
    pub shipments: Vec<Shipment>,
    /// What was given back.
    pub refunds: Vec<Refund>,
    pub(super) last_id: u64,
}

impl Details {
    /// The next id of anything that hangs on the order.
    pub(super) fn next_id(&mut self, order: u64) -> u64 {
        self.last_id += 1;
        order * 100 + self.last_id
    }

    /// Pieces that go into parcels and are not shipped or given back.
    pub(super) fn open(&self) -> u64 {
        self.parcels().map(|line| line.quantity.saturating_sub(line.shipped + line.refunded)).sum()
    }

    /// The lines that go into parcels.
    pub(super) fn parcels(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| matches!(line.way, Way::Parcel(_)))
    }
}

/// An order, as lists need it.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its id, also the number that buyers see.
    pub id: u64,
    /// Seconds since the epoch.
    pub created: i64,
    /// Seconds since the epoch.
    pub modified: i64,
    /// `date_shipped`.
    pub shipped: Option<i64>,
    /// 0 to 14.
    pub status: u8,
    /// Archived.
    pub archived: bool,
    /// How often the buyer was told of a shipment.
    pub mails: u64,
    /// `None`: as made up from the seed.
    pub(super) details: Option<Box<Details>>,
}

impl Order {
    /// An order without a content of its own.
    pub(super) fn new(id: u64, created: i64, status: u8) -> Self {
        Self { id, created, modified: created, shipped: None, status, archived: false, mails: 0, details: None }
    }

    /// An order with this content.
    pub(super) fn with(id: u64, created: i64, status: u8, details: Details) -> Self {
        Self { details: Some(Box::new(details)), ..Self::new(id, created, status) }
    }
}

/// The memory.
#[derive(Default)]
pub struct State {
    /// The orders by id.
    pub orders: BTreeMap<u64, Order>,
    /// Modification time and id of each.
    pub by_time: BTreeSet<(i64, u64)>,
    /// The next order's id.
    pub next_id: u64,
    /// Writes over the API that were applied.
    pub writes: u64,
    /// Orders whose documents break their own documentation.
    pub spoilt: BTreeSet<u64>,
    /// Orders at which the store's own program fails.
    pub unrenderable: BTreeSet<u64>,
    /// The token was deleted.
    pub revoked: bool,
    /// Down for maintenance.
    pub down: bool,
    /// When the quota's window began, in milliseconds, and how much of it this client has used.
    pub window: (i64, u32),
    /// Requests that were let in, and requests that were refused for want of quota.
    pub asked: (u64, u64),
}

impl State {
    /// Takes in an order.
    pub fn insert(&mut self, order: Order) {
        self.by_time.insert((order.modified, order.id));
        self.orders.insert(order.id, order);
    }

    /// The next order's id.
    pub fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// The order's content.
    pub fn details(&self, options: &Options, id: u64) -> Option<Details> {
        let order = self.orders.get(&id)?;
        Some(order.details.as_deref().cloned().unwrap_or_else(|| seed::details(options, order)))
    }

    /// The order's content, to be changed.
    pub fn details_mut(&mut self, options: &Options, id: u64) -> Option<&mut Details> {
        let order = self.orders.get_mut(&id)?;
        if order.details.is_none() {
            order.details = Some(Box::new(seed::details(options, order)));
        }
        order.details.as_deref_mut()
    }

    /// Moves the modification time to `now`; never back. The content is written down first: what is made up follows status and time.
    pub fn touch(&mut self, options: &Options, id: u64, now: i64) {
        self.details_mut(options, id);
        let Some(order) = self.orders.get_mut(&id) else { return };
        self.by_time.remove(&(order.modified, id));
        order.modified = now.max(order.modified);
        self.by_time.insert((order.modified, id));
    }

    /// Sets the status and moves the modification time. False where there is no such order.
    pub fn set_status(&mut self, options: &Options, id: u64, status: u8, now: i64) -> bool {
        self.touch(options, id, now);
        let Some(order) = self.orders.get_mut(&id) else { return false };
        order.status = status;
        if matches!(status, 2 | 3) && order.shipped.is_none() {
            order.shipped = Some(now);
        }
        true
    }

    /// The status that the pieces shipped lead to, unless it says something that shipping does not change.
    pub fn settle_status(&mut self, options: &Options, id: u64, now: i64) {
        let Some(details) = self.details(options, id) else { return };
        let status = self.orders.get(&id).map_or(0, |order| order.status);
        if options.moves_status && !matches!(status, 4 | 5 | 6 | 13 | 14) {
            self.set_status(options, id, if details.open() == 0 { 2 } else { 3 }, now);
        }
        self.touch(options, id, now);
    }
}
