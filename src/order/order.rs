//! One version of an order as a channel tells it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Address, Currency, RemoteShipment, Status};
use crate::clock::Timestamp;

/// One version of an order, in the merchant's words. An adapter's `map.rs` makes it from the
/// channel's document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The channel's id: unique within the store, and what its URLs take.
    pub remote_id: String,
    /// The number that buyer and merchant see; often, but not always, the id.
    pub number: String,
    /// What the channel's statuses amount to in the merchant's words.
    pub(crate) status: Status,
    /// What it would be without the channel's hold, as far as that is known; nothing where the
    /// channel does not hold it back.
    #[serde(default)]
    pub(crate) held_as: Option<Status>,
    /// The channel's own status words, verbatim; several are joined with ` / `.
    pub(crate) channel_status: String,
    /// Whether it is still on the channel's ordinary lists.
    pub(crate) presence: Presence,
    /// When the buyer placed it.
    pub(crate) placed_at: Timestamp,
    /// When the channel last changed it: the channel's own modification time.
    pub updated_at: Timestamp,
    /// When it was paid; `None` while it is not.
    pub(crate) paid_at: Option<Timestamp>,
    /// The latest moment to ship it, where the channel promises one to the buyer.
    pub(crate) ship_by: Option<Timestamp>,
    /// The currency of every amount below: what the buyer paid in.
    pub(crate) currency: Currency,
    /// The sums.
    pub totals: Totals,
    /// The same sums in the shop's own currency, where the channel has both.
    pub(crate) shop_totals: Option<(Currency, Totals)>,
    /// Whether line prices include tax.
    pub prices_include_tax: bool,
    /// Who bought.
    pub(crate) buyer: Buyer,
    /// Where the parcels go: none (virtual goods), one, or several (BigCommerce).
    pub(crate) ship_to: Vec<Address>,
    /// Who is billed.
    pub(crate) bill_to: Option<Address>,
    /// What was bought.
    pub lines: Vec<Line>,
    /// Shipping, taxes, fees and discounts, one by one.
    pub charges: Vec<Charge>,
    /// Money given back.
    pub(crate) refunds: Vec<Refund>,
    /// What the channel knows to be shipped.
    pub shipments: Vec<RemoteShipment>,
    /// How it was paid.
    pub(crate) payment: Payment,
    /// What the buyer wrote at checkout.
    pub(crate) buyer_note: String,
    /// Where the order came from within the channel: checkout, admin, an app.
    pub(crate) source: String,
    /// A test order, never to be shipped.
    pub(crate) test: bool,
    /// Anything else worth showing, as pairs of a label and a text.
    pub(crate) attributes: Vec<(String, String)>,
    /// Whether it is of a document for which an earlier version of the program asked less: parts of
    /// names and options that only another version has are untold here (P-11).
    #[serde(skip)]
    pub(crate) asked_less: bool,
}

impl Order {
    /// Whether it waits for its payment: so it does while the channel holds it back, where it would
    /// without that. Of a hold that says nothing of it the payment does.
    pub(crate) fn is_unpaid(&self) -> bool {
        match self.status {
            Status::OnHold => self.held_as.map_or(self.paid_at.is_none(), |held| held == Status::AwaitingPayment),
            status => status == Status::AwaitingPayment,
        }
    }

    /// Whether all of it was given back. What had left before that has left; nothing more is to be
    /// sent (P-10).
    pub(crate) fn is_given_back(&self) -> bool {
        is_given_back(&self.totals, self.lines.iter().map(|line| (line.quantity, line.refunded)))
    }

    /// Whether all of it was given back and not all of it has left: the merchant is to know of it.
    pub(crate) fn waits_given_back(&self) -> bool {
        self.is_given_back() && !matches!(self.status, Status::Shipped | Status::Cancelled)
    }

    /// What the merchant is told of such an order.
    pub(crate) fn given_back_text(&self) -> String {
        format!(
            "refunded in full at the channel before all of it was sent ({}); dispatch refuses it",
            self.channel_status
        )
    }

    /// The order of a channel that says in one word that all was given back. A word without an
    /// amount means all of the money; where there are amounts and they come to less, nobody knows
    /// what is left to be sent, and it is held back.
    pub(crate) fn said_to_be_given_back(mut self) -> Self {
        if self.refunds.is_empty() {
            self.totals.refunded = self.totals.total;
            if let Some((_, totals)) = &mut self.shop_totals {
                totals.refunded = totals.total;
            }
        }
        if self.status == Status::AwaitingFulfillment && !self.is_given_back() {
            self.held_as = Some(self.status);
            self.status = Status::OnHold;
        }
        self
    }
}

/// The label under which an order tells why its channel's adapter holds it back.
pub(crate) const HELD_BACK: &str = "held back";

impl Order {
    /// The same, held back: the channel shows it as open, and what it tells does not say where, or
    /// whether, its pieces are to be sent. What is not to be sent yet or any more stays as it is.
    pub(crate) fn held_back(mut self, why: &str) -> Self {
        if matches!(self.status, Status::AwaitingFulfillment | Status::PartiallyShipped) {
            self.held_as = Some(self.status);
            self.status = Status::OnHold;
            self.attributes.insert(0, (HELD_BACK.to_owned(), why.to_owned()));
        }
        self
    }

    /// Why it is held back; nothing where it is not, or its channel itself holds it.
    pub(crate) fn why_held_back(&self) -> Option<&str> {
        let found = self.attributes.iter().find(|(label, _)| label == HELD_BACK);
        found.filter(|_| self.status == Status::OnHold).map(|(_, why)| why.as_str())
    }
}

/// Whether all was given back: all the money, or every piece. `lines`: of each, how many were
/// ordered and how many of them given back.
pub(crate) fn is_given_back(totals: &Totals, lines: impl Iterator<Item = (Decimal, Decimal)>) -> bool {
    let mut lines = lines.peekable();
    let money = totals.refunded > Decimal::ZERO && totals.refunded >= totals.total;
    money || (lines.peek().is_some() && lines.all(|(ordered, back)| back > Decimal::ZERO && back >= ordered))
}

/// Whether an order is still on the channel's ordinary lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Presence {
    /// Listed as usual.
    #[default]
    Listed,
    /// Put away as done with (Shopify, BigCommerce). Means nothing for shipping.
    Archived,
    /// In the bin (WooCommerce). It must not be shipped.
    Trashed,
}

impl Presence {
    /// The word in JSON and in the book.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Archived => "archived",
            Self::Trashed => "trashed",
        }
    }
}

/// The sums of an order. `total` is what the buyer pays; nothing here is computed, all is as the
/// channel says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// What the buyer pays in all, refunds not subtracted.
    pub total: Decimal,
    /// The lines after discounts, without shipping, as the channel states it (with or without tax:
    /// `prices_include_tax`).
    pub(crate) lines: Decimal,
    /// Shipping without tax, where the channel separates it.
    pub(crate) shipping: Decimal,
    /// All tax.
    pub tax: Decimal,
    /// All discounts, as a positive number.
    pub(crate) discount: Decimal,
    /// Given back so far, as a positive number.
    pub refunded: Decimal,
}

impl Totals {
    /// The sums with their names.
    pub(crate) fn named(&self) -> [(&'static str, Decimal); 6] {
        [
            ("lines", self.lines),
            ("shipping", self.shipping),
            ("tax", self.tax),
            ("discount", self.discount),
            ("total", self.total),
            ("refunded", self.refunded),
        ]
    }
}

/// Who bought. Every field may be empty: guests, redacted data, marketplaces that hide the buyer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Buyer {
    /// The channel's id of the customer; empty for guests.
    pub remote_id: String,
    /// Name.
    pub(crate) name: String,
    /// E-mail.
    pub(crate) email: String,
    /// Phone.
    pub(crate) phone: String,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The channel's id of the line.
    pub remote_id: String,
    /// Stock-keeping unit; empty where the product has none or is gone.
    pub(crate) sku: String,
    /// What it is called.
    pub(crate) name: String,
    /// The variant: `Size: S, Colour: Red`; empty where there is none.
    pub(crate) variant: String,
    /// The channel's id of the product (and variant, after a colon); empty where it is gone.
    pub(crate) product_id: String,
    /// How many are ordered now, after edits. Usually whole; some plugins sell by weight.
    pub quantity: Decimal,
    /// How many of them have been given back.
    pub refunded: Decimal,
    /// How many of these had been sent before; `None` where the channel does not tell it.
    #[serde(default, skip_serializing_if = "says_of_none")]
    pub(crate) returned: Option<Decimal>,
    /// Price of one before discounts.
    pub(crate) unit_price: Decimal,
    /// The line after discounts, without tax where the channel separates it.
    pub total: Decimal,
    /// Tax on the line.
    pub tax: Decimal,
    /// Whether it goes into a parcel: false for virtual goods, gift cards, tips.
    pub ships: bool,
    /// Which of the order's `ship_to` addresses it goes to.
    pub(crate) ship_to: usize,
}

/// Whether no piece is said to have come back: such a line is written as ever, so that versions
/// from before are known as the same.
fn says_of_none(returned: &Option<Decimal>) -> bool {
    returned.is_none_or(|returned| returned.is_zero())
}

/// What a [`Charge`] is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChargeKind {
    /// A shipping line, with the service the buyer chose.
    Shipping,
    /// A tax line.
    Tax,
    /// A fee; negative for a discount given as one.
    Fee,
    /// A coupon or another discount, as a positive number. It is off the lines already.
    Discount,
    /// What is in the total and the channel itemises nowhere; may be negative (see
    /// [`super::sums`]).
    Other,
}

impl ChargeKind {
    /// The word in JSON and in the book.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Shipping => "shipping",
            Self::Tax => "tax",
            Self::Fee => "fee",
            Self::Discount => "discount",
            Self::Other => "other",
        }
    }
}

/// A part of the total that is not a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// What it is for.
    pub kind: ChargeKind,
    /// The channel's id of it; may be empty.
    pub remote_id: String,
    /// The shipping service, tax rate or coupon code.
    pub(crate) code: String,
    /// What the buyer reads.
    pub(crate) title: String,
    /// The amount without tax.
    pub amount: Decimal,
    /// Tax on it.
    pub tax: Decimal,
}

/// Money given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refund {
    /// The channel's id of it.
    pub remote_id: String,
    /// When; `None` where the order's document does not say.
    pub(crate) refunded_at: Option<Timestamp>,
    /// How much, as a positive number.
    pub amount: Decimal,
    /// Why, as the merchant wrote it.
    pub(crate) reason: String,
    /// Which lines, where the channel says.
    pub(crate) lines: Vec<RefundLine>,
}

/// The part of a refund that belongs to one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefundLine {
    /// The order line's `remote_id`.
    pub(crate) line_id: String,
    /// How many, as a positive number.
    pub quantity: Decimal,
    /// How much, as a positive number.
    pub amount: Decimal,
}

/// How the order was paid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payment {
    /// The channel's code of the method (`paypal`, `bacs`).
    pub(crate) method: String,
    /// Its name as the buyer reads it.
    pub(crate) title: String,
    /// The gateway's transaction id.
    pub(crate) transaction_id: String,
}
