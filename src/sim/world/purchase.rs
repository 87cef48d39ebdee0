//! What a buyer orders.

use serde_json::Value;

use super::order::Address;
use crate::clock::Timestamp;

/// An order about to be placed.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// Stock-keeping units and how many of each. One that is no fixture makes a product of that
    /// name for 10.00.
    pub lines: Vec<(String, u32)>,
    /// The same, for a second address.
    pub elsewhere: Vec<(String, u32)>,
    /// Whether it is paid at once.
    pub paid: bool,
    /// The buyer pays when it arrives: to be sent although no money has come.
    pub at_delivery: bool,
    /// How it gets to the buyer, if not in parcels: `PICK_UP`, `LOCAL`, `RETAIL`.
    pub delivery: &'static str,
    /// What the buyer writes.
    pub note: String,
    /// What the staff writes.
    pub staff_notes: String,
    /// Where it goes; empty: an invented street.
    pub street: String,
    /// When; `None`: now.
    pub at: Option<Timestamp>,
    /// Its first status in the channel's words; empty: that which goes with how it is paid.
    pub status: String,
    /// Another currency than the store's, and how much of it one of the store's is worth, in
    /// ten-thousandths.
    pub currency: Option<(String, i64)>,
    /// With ten per cent off.
    pub coupon: bool,
    /// With a gift wrapping.
    pub wrapped: bool,
    /// Of the checkout's tests.
    pub test: bool,
    /// 0 for a guest.
    pub customer: u64,
    /// How it is paid, in the channel's words; empty: the usual way.
    pub payment: String,
    /// Bill to; `None`: the next invented buyer.
    pub billing: Option<Address>,
    /// Ship to; `None`: the billing address.
    pub shipping: Option<Address>,
    /// Where it came from, in the channel's words; empty: the shop's own checkout.
    pub source: String,
    /// It was no buyer who made it, but a program of the merchant's.
    pub by_a_program: bool,
    /// What plugins and apps write on it.
    pub attributes: Vec<(String, Value)>,
    /// Name and hundredths of each further fee.
    pub fees: Vec<(String, i64)>,
    /// Customs duties in hundredths.
    pub duties: i64,
}

impl Purchase {
    /// Paid and waiting to be sent.
    pub fn paid() -> Self {
        Self {
            lines: Vec::new(),
            elsewhere: Vec::new(),
            paid: true,
            at_delivery: false,
            delivery: "",
            note: String::new(),
            staff_notes: String::new(),
            street: String::new(),
            at: None,
            status: String::new(),
            currency: None,
            coupon: false,
            wrapped: false,
            test: false,
            customer: 0,
            payment: String::new(),
            billing: None,
            shipping: None,
            source: String::new(),
            by_a_program: false,
            attributes: Vec::new(),
            fees: Vec::new(),
            duties: 0,
        }
    }

    /// A paid order of these lines, placed now.
    pub fn of(lines: &[(&str, u32)]) -> Self {
        lines.iter().fold(Self::paid(), |purchase, (sku, pieces)| purchase.line(sku, *pieces))
    }

    /// The same, not paid yet.
    pub fn unpaid(self) -> Self {
        Self { paid: false, ..self }
    }

    /// With one more line.
    pub fn line(mut self, sku: &str, pieces: u32) -> Self {
        self.lines.push((sku.to_owned(), pieces));
        self
    }

    /// With a line that goes to a second address.
    pub fn line_elsewhere(mut self, sku: &str, pieces: u32) -> Self {
        self.elsewhere.push((sku.to_owned(), pieces));
        self
    }

    /// Only a voucher: nothing to send.
    pub fn only_virtual(self) -> Self {
        self.line("VOUCHER-25", 1)
    }

    /// Fetched by the buyer.
    pub fn picked_up(self) -> Self {
        self.delivery("PICK_UP")
    }

    /// Not in a parcel.
    pub fn delivery(self, method: &'static str) -> Self {
        Self { delivery: method, ..self }
    }

    /// With a message of the buyer.
    pub fn note(self, note: &str) -> Self {
        Self { note: note.to_owned(), ..self }
    }

    /// With notes of the staff.
    pub fn staff_notes(self, notes: &str) -> Self {
        Self { staff_notes: notes.to_owned(), ..self }
    }

    /// To this street.
    pub fn street(self, street: &str) -> Self {
        Self { street: street.to_owned(), ..self }
    }

    /// Placed at this time.
    pub fn at(self, at: Timestamp) -> Self {
        Self { at: Some(at), ..self }
    }

    /// In this status, in the channel's words.
    pub fn status(self, status: &str) -> Self {
        Self { status: status.to_owned(), ..self }
    }

    /// In another currency than the store's.
    pub fn currency(self, code: &str) -> Self {
        self.currency_at(code, 10_000)
    }

    /// The same, at this rate in ten-thousandths.
    pub fn currency_at(self, code: &str, rate: i64) -> Self {
        Self { currency: Some((code.to_owned(), rate)), ..self }
    }

    /// With ten per cent off.
    pub fn coupon(self) -> Self {
        Self { coupon: true, ..self }
    }

    /// With a gift wrapping.
    pub fn wrapped(self) -> Self {
        Self { wrapped: true, ..self }
    }

    /// A test of the checkout.
    pub fn test(self) -> Self {
        Self { test: true, ..self }
    }

    /// By a customer with an account.
    pub fn customer(self, id: u64) -> Self {
        Self { customer: id, ..self }
    }

    /// Billed to.
    pub fn bill_to(self, address: Address) -> Self {
        Self { billing: Some(address), ..self }
    }

    /// Shipped to.
    pub fn ship_to(self, address: Address) -> Self {
        Self { shipping: Some(address), ..self }
    }

    /// Not by the shop's own checkout.
    pub fn source(self, source: &str) -> Self {
        Self { source: source.to_owned(), ..self }
    }

    /// Made by a program that copies orders of another store.
    pub fn by_a_program(self) -> Self {
        Self { by_a_program: true, ..self }
    }

    /// With what a plugin or an app writes.
    pub(crate) fn attribute(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.attributes.push((key.to_owned(), value.into()));
        self
    }

    /// With a fee of so many hundredths.
    pub fn fee(mut self, name: &str, hundredths: i64) -> Self {
        self.fees.push((name.to_owned(), hundredths));
        self
    }

    /// With customs duties of so many hundredths.
    pub fn duties(self, hundredths: i64) -> Self {
        Self { duties: hundredths, ..self }
    }
}
