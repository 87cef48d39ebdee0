//! Etsy: the receipts that are not cancelled, then those that are, in pages of 100 by the time that
//! they were made. An offset ends somewhere, so each page begins at the second in which the one
//! before ended, which may bring rows of that second once more.

use std::borrow::Cow;

use ordersync::sim::etsy::REHEARSAL_KEYSTRING;
use serde::Deserialize;

use super::{Address, Book, Http, Line, Row, Text, key};

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    results: Vec<Receipt<'a>>,
}

#[derive(Deserialize)]
struct Receipt<'a> {
    receipt_id: u64,
    buyer_user_id: u64,
    #[serde(borrow)]
    buyer_email: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    first_line: Text<'a>,
    #[serde(borrow)]
    second_line: Text<'a>,
    #[serde(borrow)]
    city: Text<'a>,
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    zip: Text<'a>,
    #[serde(borrow)]
    country_iso: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    payment_method: Text<'a>,
    #[serde(borrow)]
    message_from_buyer: Text<'a>,
    created_timestamp: i64,
    updated_timestamp: i64,
    #[serde(borrow)]
    grandtotal: Money<'a>,
    #[serde(borrow)]
    total_shipping_cost: Money<'a>,
    #[serde(borrow)]
    total_tax_cost: Money<'a>,
    #[serde(borrow)]
    total_vat_cost: Money<'a>,
    #[serde(borrow)]
    discount_amt: Money<'a>,
    #[serde(borrow)]
    shipments: Vec<Shipment<'a>>,
    #[serde(borrow)]
    transactions: Vec<Transaction<'a>>,
    #[serde(borrow)]
    refunds: Vec<Refund<'a>>,
}

#[derive(Deserialize)]
struct Money<'a> {
    amount: i64,
    divisor: i64,
    #[serde(borrow)]
    currency_code: Text<'a>,
}

impl Money<'_> {
    fn units(&self) -> i64 {
        self.amount * 10_000 / self.divisor
    }
}

#[derive(Deserialize)]
struct Shipment<'a> {
    #[serde(borrow)]
    tracking_code: Text<'a>,
}

#[derive(Deserialize)]
struct Transaction<'a> {
    transaction_id: u64,
    #[serde(borrow)]
    title: Text<'a>,
    quantity: i64,
    product_id: Option<u64>,
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow)]
    price: Money<'a>,
    paid_timestamp: Option<i64>,
    #[serde(borrow)]
    variations: Vec<Variation<'a>>,
}

#[derive(Deserialize)]
struct Variation<'a> {
    #[serde(borrow)]
    formatted_value: Text<'a>,
}

#[derive(Deserialize)]
struct Refund<'a> {
    #[serde(borrow)]
    amount: Money<'a>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Me {
    shop_id: u64,
}

pub(super) fn run(http: &mut Http, book: &mut Book) {
    let (keystring, refresh) = (REHEARSAL_KEYSTRING, key("REFRESH_TOKEN"));
    let form = format!("grant_type=refresh_token&client_id={keystring}&refresh_token={refresh}");
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = http.ask("POST", "/v3/public/oauth/token", kind, &form);
    let token: Token = serde_json::from_slice(answer).unwrap();
    let (token, secret) = (token.access_token, key("SHARED_SECRET"));
    let login = format!("x-api-key: {keystring}:{secret}\r\nAuthorization: Bearer {token}\r\n");
    let me: Me = serde_json::from_slice(http.get("/v3/application/users/me", &login)).unwrap();
    for cancelled in [false, true] {
        let mut from = 946_684_800;
        loop {
            let target = format!(
                "/v3/application/shops/{}/receipts?limit=100&sort_on=created&sort_order=asc&was_canceled={cancelled}&min_created={from}",
                me.shop_id
            );
            let page: Page<'_> = serde_json::from_slice(http.get(&target, &login)).unwrap();
            book.page(page.results.iter().map(row));
            match page.results.last() {
                Some(last) if page.results.len() == 100 => from = last.created_timestamp,
                _ => break,
            }
        }
    }
}

fn row<'o>(o: &'o Receipt<'_>) -> Row<'o> {
    let name: Cow<'_, str> = Cow::Borrowed(&o.name);
    let line = |t: &'o Transaction<'_>| Line {
        id: t.transaction_id,
        sku: &t.sku,
        name: &t.title,
        variant: t.variations.iter().map(|v| &*v.formatted_value).collect::<Vec<_>>().join(", ").into(),
        product: t.product_id.unwrap_or(0),
        quantity: t.quantity,
        price: t.price.units(),
        total: t.price.units() * t.quantity,
        tax: 0,
    };
    Row {
        id: o.receipt_id,
        status: &o.status,
        currency: &o.grandtotal.currency_code,
        placed_at: o.created_timestamp,
        updated_at: o.updated_timestamp,
        paid_at: o.transactions.iter().filter_map(|t| t.paid_timestamp).min(),
        total: o.grandtotal.units(),
        shipping: o.total_shipping_cost.units(),
        tax: o.total_tax_cost.units() + o.total_vat_cost.units(),
        discount: o.discount_amt.units(),
        refunded: o.refunds.iter().map(|refund| refund.amount.units()).sum(),
        buyer_id: o.buyer_user_id,
        buyer_name: name.clone(),
        email: &o.buyer_email,
        payment: &o.payment_method,
        note: &o.message_from_buyer,
        tracking: o.shipments.first().map_or("", |shipment| &shipment.tracking_code),
        ship_to: Some(Address {
            name,
            line1: &o.first_line,
            line2: &o.second_line,
            city: &o.city,
            region: &o.state,
            postcode: &o.zip,
            country: &o.country_iso,
            ..Address::default()
        }),
        lines: o.transactions.iter().map(line).collect(),
        ..Row::default()
    }
}
