//! WooCommerce: pages of 100 by id, with key and secret as Basic.

use serde::Deserialize;

use super::{Address, Book, Http, Line, Row, Text, basic, full, key, list, money, utc};

#[derive(Deserialize)]
struct Order<'a> {
    id: u64,
    #[serde(borrow)]
    number: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    currency: Text<'a>,
    #[serde(borrow)]
    date_created_gmt: Text<'a>,
    #[serde(borrow)]
    date_modified_gmt: Text<'a>,
    #[serde(borrow)]
    date_paid_gmt: Text<'a>,
    #[serde(borrow)]
    total: Text<'a>,
    #[serde(borrow)]
    total_tax: Text<'a>,
    #[serde(borrow)]
    shipping_total: Text<'a>,
    #[serde(borrow)]
    discount_total: Text<'a>,
    customer_id: u64,
    #[serde(borrow)]
    billing: Person<'a>,
    #[serde(borrow)]
    shipping: Person<'a>,
    #[serde(borrow)]
    payment_method: Text<'a>,
    #[serde(borrow)]
    payment_method_title: Text<'a>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
    #[serde(borrow)]
    customer_note: Text<'a>,
    #[serde(borrow)]
    created_via: Text<'a>,
    #[serde(borrow)]
    line_items: Vec<Item<'a>>,
    #[serde(borrow, deserialize_with = "list")]
    refunds: Vec<Refund<'a>>,
}

#[derive(Deserialize)]
struct Person<'a> {
    #[serde(borrow)]
    first_name: Text<'a>,
    #[serde(borrow)]
    last_name: Text<'a>,
    #[serde(borrow)]
    company: Text<'a>,
    #[serde(borrow)]
    address_1: Text<'a>,
    #[serde(borrow)]
    address_2: Text<'a>,
    #[serde(borrow)]
    city: Text<'a>,
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    postcode: Text<'a>,
    #[serde(borrow)]
    country: Text<'a>,
    #[serde(borrow, default)]
    phone: Text<'a>,
    #[serde(borrow, default)]
    email: Text<'a>,
}

#[derive(Deserialize)]
struct Item<'a> {
    id: u64,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    sku: Text<'a>,
    product_id: u64,
    quantity: i64,
    price: f64,
    #[serde(borrow)]
    total: Text<'a>,
    #[serde(borrow)]
    total_tax: Text<'a>,
}

#[derive(Deserialize)]
struct Refund<'a> {
    #[serde(borrow)]
    total: Text<'a>,
}

pub(super) fn run(http: &mut Http, book: &mut Book) {
    let login = basic(&key("CONSUMER_KEY"), &key("CONSUMER_SECRET"));
    for page in 1.. {
        let target = format!("/wp-json/wc/v3/orders?per_page=100&orderby=id&order=asc&page={page}");
        let orders: Vec<Order<'_>> = serde_json::from_slice(http.get(&target, &login)).unwrap();
        let is_last = orders.len() < 100;
        book.page(orders.iter().map(row));
        if is_last {
            break;
        }
    }
}

fn time(text: &str) -> i64 {
    utc(text, "%Y-%m-%dT%H:%M:%S")
}

fn row<'o>(o: &'o Order<'_>) -> Row<'o> {
    let line = |item: &'o Item<'_>| Line {
        id: item.id,
        sku: &item.sku,
        name: &item.name,
        product: item.product_id,
        quantity: item.quantity,
        price: super::rounded(item.price),
        total: money(&item.total),
        tax: money(&item.total_tax),
        ..Line::default()
    };
    Row {
        id: o.id,
        number: &o.number,
        status: &o.status,
        currency: &o.currency,
        placed_at: time(&o.date_created_gmt),
        updated_at: time(&o.date_modified_gmt),
        paid_at: (!o.date_paid_gmt.is_empty()).then(|| time(&o.date_paid_gmt)),
        total: money(&o.total),
        shipping: money(&o.shipping_total),
        tax: money(&o.total_tax),
        discount: money(&o.discount_total),
        refunded: o.refunds.iter().map(|refund| -money(&refund.total)).sum(),
        buyer_id: o.customer_id,
        buyer_name: full(&o.billing.first_name, &o.billing.last_name),
        email: &o.billing.email,
        phone: &o.billing.phone,
        payment: &o.payment_method,
        payment_title: &o.payment_method_title,
        transaction: &o.transaction_id,
        note: &o.customer_note,
        source: &o.created_via,
        ship_to: address(&o.shipping),
        bill_to: address(&o.billing),
        lines: o.line_items.iter().map(line).collect(),
        ..Row::default()
    }
}

fn address<'o>(a: &'o Person<'_>) -> Option<Address<'o>> {
    (!a.address_1.is_empty()).then(|| Address {
        name: full(&a.first_name, &a.last_name),
        company: &a.company,
        line1: &a.address_1,
        line2: &a.address_2,
        city: &a.city,
        region: &a.state,
        postcode: &a.postcode,
        country: &a.country,
        phone: &a.phone,
        email: &a.email,
    })
}
