//! eBay: the orders of two years in pages of 200 by their places, and the parcels of those of which
//! something has left.

use std::borrow::Cow;

use ordersync::sim::ebay::{REHEARSAL_CLIENT_ID, REHEARSAL_CLIENT_SECRET};
use serde::Deserialize;

use super::{Address, Book, Http, Line, Row, Text, basic, key, money, utc};

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    orders: Vec<Order<'a>>,
    total: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order<'a> {
    #[serde(borrow)]
    order_id: Text<'a>,
    #[serde(borrow)]
    creation_date: Text<'a>,
    #[serde(borrow)]
    last_modified_date: Text<'a>,
    #[serde(borrow)]
    order_fulfillment_status: Text<'a>,
    #[serde(borrow)]
    order_payment_status: Text<'a>,
    #[serde(borrow, default)]
    buyer_checkout_notes: Text<'a>,
    #[serde(borrow)]
    buyer: Buyer<'a>,
    #[serde(borrow)]
    pricing_summary: Pricing<'a>,
    #[serde(borrow)]
    fulfillment_start_instructions: Vec<Instruction<'a>>,
    #[serde(borrow)]
    line_items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Buyer<'a> {
    #[serde(borrow, default)]
    username: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pricing<'a> {
    #[serde(borrow)]
    delivery_cost: Option<Money<'a>>,
    #[serde(borrow)]
    price_discount: Option<Money<'a>>,
    #[serde(borrow)]
    tax: Option<Money<'a>>,
    #[serde(borrow)]
    total: Money<'a>,
}

#[derive(Deserialize)]
struct Money<'a> {
    #[serde(borrow)]
    value: Text<'a>,
    #[serde(borrow)]
    currency: Text<'a>,
}

fn units(amount: &Option<Money<'_>>) -> i64 {
    amount.as_ref().map_or(0, |amount| money(&amount.value))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instruction<'a> {
    #[serde(borrow)]
    shipping_step: Option<Step<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Step<'a> {
    #[serde(borrow)]
    ship_to: Option<Contact<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Contact<'a> {
    #[serde(borrow, default)]
    full_name: Text<'a>,
    #[serde(borrow, default)]
    email: Text<'a>,
    #[serde(borrow)]
    contact_address: Place<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place<'a> {
    #[serde(borrow, default)]
    address_line1: Text<'a>,
    #[serde(borrow, default)]
    address_line2: Text<'a>,
    #[serde(borrow, default)]
    city: Text<'a>,
    #[serde(borrow, default)]
    postal_code: Text<'a>,
    #[serde(borrow, default)]
    country_code: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(borrow)]
    line_item_id: Text<'a>,
    #[serde(borrow, default)]
    legacy_item_id: Text<'a>,
    #[serde(borrow, default)]
    sku: Text<'a>,
    #[serde(borrow)]
    title: Text<'a>,
    quantity: i64,
    #[serde(borrow)]
    line_item_cost: Money<'a>,
    #[serde(borrow)]
    discounted_line_item_cost: Option<Money<'a>>,
}

#[derive(Deserialize)]
struct Parcels<'a> {
    #[serde(borrow)]
    fulfillments: Vec<Parcel<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parcel<'a> {
    #[serde(borrow, default)]
    shipment_tracking_number: Text<'a>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

pub(super) fn run(http: &mut Http, book: &mut Book) {
    let refresh: String = url::form_urlencoded::byte_serialize(key("REFRESH_TOKEN").as_bytes()).collect();
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let login = basic(REHEARSAL_CLIENT_ID, REHEARSAL_CLIENT_SECRET);
    let kind = format!("{login}Content-Type: application/x-www-form-urlencoded\r\n");
    let token: Token = serde_json::from_slice(http.ask("POST", "/identity/v1/oauth2/token", &kind, &form)).unwrap();
    let login = format!("Authorization: Bearer {}\r\n", token.access_token);
    let from = chrono::Utc::now() - chrono::TimeDelta::days(729);
    let from = from.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let mut offset = 0;
    loop {
        let target = format!(
            "/sell/fulfillment/v1/order?filter=creationdate:%5B{from}..%5D&limit=200&offset={offset}&fieldGroups=TAX_BREAKDOWN"
        );
        let bytes = http.get(&target, &login).to_vec();
        let page: Page<'_> = serde_json::from_slice(&bytes).unwrap();
        let mut numbers = Vec::new();
        for order in &page.orders {
            let sent = &*order.order_fulfillment_status != "NOT_STARTED";
            let target = format!("/sell/fulfillment/v1/order/{}/shipping_fulfillment", &*order.order_id);
            let parcels = sent.then(|| serde_json::from_slice::<Parcels<'_>>(http.get(&target, &login)).unwrap());
            let first = parcels.as_ref().and_then(|parcels| parcels.fulfillments.first());
            numbers.push(first.map_or(String::new(), |one| one.shipment_tracking_number.to_string()));
        }
        book.page(page.orders.iter().zip(&numbers).map(|(order, number)| row(order, number)));
        offset += page.orders.len();
        if offset >= page.total || page.orders.is_empty() {
            break;
        }
    }
}

fn number(id: &str) -> u64 {
    id.replace('-', "").parse().unwrap_or(0)
}

fn time(text: &str) -> i64 {
    utc(text, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

fn row<'o>(o: &'o Order<'_>, tracking: &'o str) -> Row<'o> {
    let p = &o.pricing_summary;
    let line = |item: &'o Item<'_>| {
        let total = item.discounted_line_item_cost.as_ref().unwrap_or(&item.line_item_cost);
        Line {
            id: number(&item.line_item_id),
            sku: &item.sku,
            name: &item.title,
            variant: Cow::Borrowed(""),
            product: number(&item.legacy_item_id),
            quantity: item.quantity,
            price: money(&item.line_item_cost.value) / item.quantity.max(1),
            total: money(&total.value),
            tax: 0,
        }
    };
    let to = o.fulfillment_start_instructions.first().and_then(|one| one.shipping_step.as_ref()?.ship_to.as_ref());
    Row {
        id: number(&o.order_id),
        number: &o.order_id,
        status: &o.order_fulfillment_status,
        currency: &p.total.currency,
        placed_at: time(&o.creation_date),
        updated_at: time(&o.last_modified_date),
        total: money(&p.total.value),
        shipping: units(&p.delivery_cost),
        tax: units(&p.tax),
        discount: -units(&p.price_discount),
        buyer_name: to.map_or(Cow::Borrowed(""), |to| Cow::Borrowed(&*to.full_name)),
        email: to.map_or("", |to| &*to.email),
        payment: &o.order_payment_status,
        note: &o.buyer_checkout_notes,
        source: &o.buyer.username,
        tracking,
        ship_to: to.map(|to| Address {
            name: Cow::Borrowed(&*to.full_name),
            line1: &to.contact_address.address_line1,
            line2: &to.contact_address.address_line2,
            city: &to.contact_address.city,
            postcode: &to.contact_address.postal_code,
            country: &to.contact_address.country_code,
            ..Address::default()
        }),
        lines: o.line_items.iter().map(line).collect(),
        ..Row::default()
    }
}
