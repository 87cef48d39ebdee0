//! What an order is made of, whatever the channel.

use rust_decimal::Decimal;
use serde_json::Value;

/// A postal address. Its parts stand in the order of [`Address::parts`].
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
    /// State: code or free text.
    pub state: String,
    /// Postcode.
    pub postcode: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Phone.
    pub phone: String,
    /// E-mail.
    pub email: String,
}

impl Address {
    /// Every part, in the order in which they are declared.
    pub(in crate::sim) fn parts(&self) -> [&str; 11] {
        let Self { first_name, last_name, company, street_1, street_2, city, state, postcode, country, phone, email } =
            self;
        [first_name, last_name, company, street_1, street_2, city, state, postcode, country, phone, email]
            .map(String::as_str)
    }

    /// The same, to be changed.
    pub(in crate::sim) fn parts_mut(&mut self) -> [&mut String; 11] {
        let Self { first_name, last_name, company, street_1, street_2, city, state, postcode, country, phone, email } =
            self;
        [first_name, last_name, company, street_1, street_2, city, state, postcode, country, phone, email]
    }
}

/// A delivery address of an order.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its id.
    pub id: u64,
    /// Where.
    pub address: Address,
    /// The service the buyer chose.
    pub method: String,
    /// What it costs.
    pub cost: Decimal,
}

/// How a line reaches the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
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
    /// Its id.
    pub id: u64,
    /// The product; 0 for none.
    pub(crate) product: u64,
    /// The choice; 0 for a product without choices.
    pub(crate) variant: u64,
    /// Stock-keeping unit; empty for none.
    pub(crate) sku: String,
    /// The name as an order shows it.
    pub name: String,
    /// The product's own name, for a choice.
    pub(crate) parent: String,
    /// Choices: key, label, value.
    pub(crate) choices: Vec<(String, String, String)>,
    /// GTIN; empty for none.
    pub(crate) gtin: String,
    /// The picture; 0 for none.
    pub(crate) image: u64,
    /// The product was deleted since.
    pub(crate) gone: bool,
    /// Pieces as ordered.
    pub quantity: u64,
    /// Of which an edit took out.
    pub(crate) removed: u64,
    /// Of which shipped.
    pub(crate) shipped: u64,
    /// Of which given back.
    pub refunded: u64,
    /// Of which after they had been sent.
    pub(crate) returned: u64,
    /// Price of one.
    pub(crate) price: Decimal,
    /// Its share of a discount.
    pub discount: Decimal,
    /// How it reaches the buyer.
    pub(crate) way: Way,
    /// Name and message of its gift wrapping.
    pub(crate) wrapping: Option<(String, String)>,
}

impl Line {
    /// Pieces that go into parcels and are not shipped, given back or taken out.
    pub(crate) fn open(&self) -> u64 {
        if self.ships() { self.unsent() } else { 0 }
    }

    /// The same of any line.
    pub(crate) fn unsent(&self) -> u64 {
        let unsent = self.refunded.saturating_sub(self.returned);
        self.quantity.saturating_sub(self.shipped + unsent + self.removed)
    }

    /// Gives so many back: those that are not sent yet, then those that are; or only the latter.
    pub(in crate::sim) fn give_back(&mut self, pieces: u64, sent: bool) {
        let pieces = pieces.min(self.current());
        let unsent = if sent { 0 } else { pieces.min(self.unsent()) };
        self.returned = (self.returned + pieces - unsent).min(self.shipped);
        self.refunded += pieces;
    }

    /// Pieces that are still in the order.
    pub(crate) fn current(&self) -> u64 {
        self.quantity.saturating_sub(self.refunded + self.removed)
    }

    /// Whether it goes into a parcel.
    pub(crate) fn ships(&self) -> bool {
        matches!(self.way, Way::Parcel(_))
    }

    /// All its pieces, before discount.
    pub(crate) fn subtotal(&self) -> Decimal {
        self.price * Decimal::from(self.quantity)
    }

    /// Changes the pieces at the same price for each.
    pub(in crate::sim) fn set_quantity(&mut self, pieces: u64) {
        let each = self.total().checked_div(Decimal::from(self.quantity)).unwrap_or_default();
        self.quantity = pieces;
        self.discount = self.subtotal() - (each * Decimal::from(pieces)).round_dp(2);
    }

    /// All its pieces, after discount.
    pub(crate) fn total(&self) -> Decimal {
        self.subtotal() - self.discount
    }
}

/// A fee.
#[derive(Debug, Clone)]
pub struct Fee {
    /// Its id.
    pub id: u64,
    /// What the buyer reads.
    pub name: String,
    /// How much; below zero it is a discount.
    pub cost: Decimal,
}

/// A tracking number and what goes with it; empty: not told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tracking {
    /// The carrier, by name.
    pub carrier: String,
    /// The carrier by a code of a tracking service.
    pub(crate) carrier_code: String,
    /// The number.
    pub number: String,
    /// Where the buyer can follow it.
    pub link: String,
}

/// Tracking numbers, as a mail has them.
pub(in crate::sim) fn numbers(tracking: &[Tracking]) -> String {
    tracking.iter().map(|one| one.number.as_str()).collect::<Vec<_>>().join(", ")
}

/// A shipment.
#[derive(Debug, Clone, Default)]
pub struct Shipment {
    /// Its id.
    pub id: u64,
    /// The address.
    pub place: u64,
    /// When.
    pub(crate) at: i64,
    /// It was called back: its pieces are open again.
    pub(crate) undone: bool,
    /// Line and pieces.
    pub items: Vec<(u64, u64)>,
    /// Its tracking numbers.
    pub tracking: Vec<Tracking>,
    /// The service.
    pub method: String,
    /// What the merchant wrote.
    pub comments: String,
}

/// A refund.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    /// Its id.
    pub id: u64,
    /// When.
    pub(crate) at: i64,
    /// Why.
    pub(crate) reason: String,
    /// How much.
    pub(crate) amount: Decimal,
    /// Line, pieces and amount of each refunded line.
    pub(crate) lines: Vec<(u64, u64, Decimal)>,
}

/// The sums of an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums {
    /// What the buyer pays.
    pub(crate) total: Decimal,
    /// Of which tax.
    pub(crate) tax: Decimal,
    /// Of which on lines and fees.
    pub(crate) goods_tax: Decimal,
    /// What sending it costs.
    pub(crate) shipping: Decimal,
    /// The tax on that.
    pub(crate) shipping_tax: Decimal,
    /// What is off.
    pub discount: Decimal,
    /// The tax that is off with it.
    pub(crate) discount_tax: Decimal,
}

/// What a mail to the buyer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The order is taken, or paid.
    Order,
    /// Something is on its way.
    Shipment,
    /// The order is done with.
    Completed,
    /// What the staff has to say.
    Note,
    /// It is cancelled.
    Cancellation,
    /// Money goes back.
    Refund,
}

/// A mail to the buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    /// What it is about.
    pub(crate) about: About,
    /// What it tells beside: tracking numbers, a reason, a note.
    pub(crate) text: String,
}

impl Mail {
    /// Whether the buyer learns by it that something is on its way.
    pub(crate) fn tells_dispatch(&self) -> bool {
        matches!(self.about, About::Shipment | About::Completed | About::Note)
    }
}

/// How many mails a buyer got about each thing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mails {
    /// "Your order is complete".
    pub completed: u32,
    /// "Your items are on their way".
    pub fulfillment: u32,
    /// A note of the staff.
    pub note: u32,
    /// "Your order is being processed".
    pub(crate) processing: u32,
    /// "You have been refunded".
    pub(crate) refunded: u32,
}

impl Mails {
    /// Those of an order.
    pub(in crate::sim) fn of<O>(order: &Order<O>) -> Self {
        let count = |about| u32::try_from(order.mails.iter().filter(|mail| mail.about == about).count()).unwrap_or(0);
        Self {
            completed: count(About::Completed),
            fulfillment: count(About::Shipment),
            note: count(About::Note),
            processing: count(About::Order),
            refunded: count(About::Refund),
        }
    }

    /// How often the buyer was told that something is on its way.
    pub fn dispatch_mails(&self) -> u32 {
        self.completed + self.fulfillment + self.note
    }
}

/// What plugins and apps write on an order: a key and a value of any JSON type.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    /// The row's number in its order.
    pub id: u64,
    /// The key.
    pub(crate) key: String,
    /// The value.
    pub(crate) value: Value,
}

/// A note of the staff or of the store's own program.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    /// Its id.
    pub id: u64,
    /// When.
    pub(crate) created: i64,
    /// What it says.
    pub(crate) text: String,
    /// Whether it was mailed to the buyer.
    pub(crate) to_customer: bool,
}

/// An order with everything that hangs on it; `own` is what only its channel has.
#[derive(Debug, Clone, Default)]
pub struct Order<O> {
    /// Its id.
    pub id: u64,
    /// Bill to.
    pub(crate) billing: Address,
    /// Ship to; none: nothing is shipped.
    pub places: Vec<Place>,
    /// What was bought.
    pub lines: Vec<Line>,
    /// Fees.
    pub fees: Vec<Fee>,
    /// Charges for sending it beside those of its addresses.
    pub charges: Vec<Fee>,
    /// The coupon's code.
    pub(crate) coupon: Option<String>,
    /// 0 for guests.
    pub(crate) customer: u64,
    /// What the buyer wrote.
    pub(crate) note: String,
    /// What the staff wrote.
    pub staff_notes: String,
    /// How it is paid, in the channel's words.
    pub(crate) payment: String,
    /// When it was paid.
    pub(crate) paid: Option<i64>,
    /// How it gets to the buyer, if not in parcels.
    pub(crate) delivery: &'static str,
    /// ISO 4217.
    pub(crate) currency: String,
    /// How much of it one of the store's own currency is worth.
    pub(crate) rate: Decimal,
    /// Its number elsewhere.
    pub(crate) reference: String,
    /// Where it was made.
    pub(crate) source: String,
    /// A test of the checkout.
    pub(crate) test: bool,
    /// Customs duties.
    pub(crate) duties: Decimal,
    /// What was sent.
    pub shipments: Vec<Shipment>,
    /// What was given back.
    pub(crate) refunds: Vec<Refund>,
    /// What plugins and apps wrote on it.
    pub(crate) meta: Vec<Meta>,
    /// Notes.
    pub(crate) notes: Vec<Note>,
    /// What the buyer was mailed.
    pub(crate) mails: Vec<Mail>,
    /// Pieces that went back on the shelf when it was cancelled.
    pub(crate) restocked: u64,
    /// What only this channel's orders have.
    pub(crate) own: O,
    pub(in crate::sim) last_part: u64,
    pub(in crate::sim) last_meta: u64,
}

impl<O> Order<O> {
    /// Pieces that are to be shipped yet.
    pub(crate) fn open(&self) -> u64 {
        self.lines.iter().map(Line::open).sum()
    }

    /// The shipments that were not called back.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &Shipment> {
        self.shipments.iter().filter(|shipment| !shipment.undone)
    }

    /// Given back so far.
    pub(crate) fn refunded(&self) -> Decimal {
        self.refunds.iter().map(|refund| refund.amount).sum()
    }

    /// All lines before discount.
    pub(crate) fn subtotal(&self) -> Decimal {
        self.lines.iter().map(Line::subtotal).sum()
    }

    /// What is off.
    pub(crate) fn discount(&self) -> Decimal {
        self.lines.iter().map(|line| line.discount).sum()
    }

    /// What sending it costs.
    pub(crate) fn shipping(&self) -> Decimal {
        self.places.iter().map(|place| place.cost).chain(self.charges.iter().map(|charge| charge.cost)).sum()
    }

    /// The sums, with the tax on each amount by itself.
    pub(in crate::sim) fn sums(&self, tax: impl Fn(Decimal) -> Decimal) -> Sums {
        let (lines, fees) = (self.lines.iter().map(Line::total), self.fees.iter().map(|fee| fee.cost));
        let goods: Vec<Decimal> = lines.chain(fees).collect();
        let sent = self.places.iter().map(|place| place.cost).chain(self.charges.iter().map(|charge| charge.cost));
        let sent: Vec<Decimal> = sent.collect();
        let taxes = |amounts: &[Decimal]| amounts.iter().map(|amount| tax(*amount)).sum::<Decimal>();
        let (goods_tax, shipping_tax) = (taxes(&goods), taxes(&sent));
        let tax_before: Decimal = self.lines.iter().map(|line| tax(line.subtotal()) - tax(line.total())).sum();
        let (goods, shipping): (Decimal, Decimal) = (goods.iter().sum(), sent.iter().sum());
        let tax = goods_tax + shipping_tax;
        let (discount, discount_tax) = (self.discount(), tax_before);
        Sums { total: goods + shipping + tax, tax, goods_tax, shipping, shipping_tax, discount, discount_tax }
    }

    /// All fees.
    pub(crate) fn fees(&self) -> Decimal {
        self.fees.iter().map(|fee| fee.cost).sum()
    }

    /// The line with this id.
    pub(crate) fn line(&self, id: u64) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }

    /// Ten per cent off every line.
    pub(crate) fn discount_all(&mut self, code: &str) {
        self.coupon = Some(code.to_owned());
        for line in &mut self.lines {
            line.discount = line.subtotal() - (line.subtotal() * Decimal::new(9, 1)).round_dp(2);
        }
    }

    /// Writes a value under a key; a key that is there gets it.
    pub(in crate::sim) fn set_meta(&mut self, key: &str, value: Value) {
        if let Some(meta) = self.meta.iter_mut().find(|meta| meta.key == key) {
            meta.value = value;
            return;
        }
        self.last_meta += 1;
        self.meta.push(Meta { id: self.last_meta, key: key.to_owned(), value });
    }

    /// What stands under a key.
    pub(in crate::sim) fn meta(&self, key: &str) -> Option<&Value> {
        self.meta.iter().find(|meta| meta.key == key).map(|meta| &meta.value)
    }

    /// A mail goes to the buyer.
    pub(in crate::sim) fn mail(&mut self, about: About, text: impl Into<String>) {
        self.mails.push(Mail { about, text: text.into() });
    }

    /// How often the buyer was told of a shipment.
    pub(crate) fn dispatch_mails(&self) -> u64 {
        self.mails.iter().filter(|mail| mail.tells_dispatch()).count() as u64
    }

    /// What was not sent goes back on the shelf.
    pub(in crate::sim) fn restock(&mut self) {
        self.restocked = self.lines.iter().map(|line| line.current().saturating_sub(line.shipped)).sum();
    }

    /// Takes in a shipment: its pieces are not open any more.
    pub(in crate::sim) fn add_shipment(&mut self, shipment: Shipment) {
        for (id, pieces) in &shipment.items {
            self.lines.iter_mut().filter(|line| line.id == *id).for_each(|line| line.shipped += pieces);
        }
        self.shipments.push(shipment);
    }

    /// The nth shipment is called back: its pieces are open again.
    pub(in crate::sim) fn undo_shipment(&mut self, id: u64) {
        let found = self.shipments.iter_mut().find(|one| one.id == id && !one.undone);
        let Some(shipment) = found else { return };
        shipment.undone = true;
        for (id, pieces) in &shipment.items {
            let lines = self.lines.iter_mut().filter(|line| line.id == *id);
            lines.for_each(|line| {
                line.shipped = line.shipped.saturating_sub(*pieces);
                line.returned = line.returned.min(line.shipped);
            });
        }
    }
}

/// An amount of so many hundredths.
pub fn cents(hundredths: i64) -> Decimal {
    Decimal::new(hundredths, 2)
}
