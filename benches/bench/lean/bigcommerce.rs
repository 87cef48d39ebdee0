//! BigCommerce: pages of 250 by id with everything that `include` brings, and the refunds of those
//! among them that may have some.

use std::collections::HashMap;

use ordersync::sim::bigcommerce::Options;
use serde::Deserialize;

use super::{Address, Book, Http, Line, Row, Text, full, key, money, rounded};

#[derive(Deserialize)]
struct Order<'a> {
    id: u64,
    customer_id: u64,
    #[serde(borrow)]
    date_created: Text<'a>,
    #[serde(borrow)]
    date_modified: Text<'a>,
    status_id: u8,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    total_inc_tax: Text<'a>,
    #[serde(borrow)]
    total_tax: Text<'a>,
    #[serde(borrow)]
    shipping_cost_ex_tax: Text<'a>,
    #[serde(borrow)]
    coupon_discount: Text<'a>,
    #[serde(borrow)]
    default_currency_code: Text<'a>,
    #[serde(borrow)]
    payment_method: Text<'a>,
    #[serde(borrow, default)]
    payment_status: Text<'a>,
    #[serde(borrow)]
    customer_message: Text<'a>,
    #[serde(borrow)]
    order_source: Text<'a>,
    #[serde(borrow)]
    external_order_id: Text<'a>,
    #[serde(borrow)]
    billing_address: Person<'a>,
    #[serde(borrow)]
    consignments: Consignments<'a>,
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
    street_1: Text<'a>,
    #[serde(borrow)]
    street_2: Text<'a>,
    #[serde(borrow)]
    city: Text<'a>,
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    zip: Text<'a>,
    #[serde(borrow)]
    country_iso2: Text<'a>,
    #[serde(borrow)]
    phone: Text<'a>,
    #[serde(borrow)]
    email: Text<'a>,
    /// What goes to a delivery address.
    #[serde(borrow, default)]
    line_items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Consignments<'a> {
    #[serde(borrow)]
    shipping: Vec<Person<'a>>,
    #[serde(borrow)]
    pickups: Vec<Bundle<'a>>,
    #[serde(borrow)]
    downloads: Vec<Bundle<'a>>,
    #[serde(borrow)]
    email: Emails<'a>,
}

#[derive(Deserialize)]
struct Emails<'a> {
    #[serde(borrow)]
    gift_certificates: Vec<Bundle<'a>>,
}

#[derive(Deserialize)]
struct Bundle<'a> {
    #[serde(borrow)]
    line_items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    id: u64,
    product_id: u64,
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    quantity: i64,
    quantity_refunded: i64,
    #[serde(borrow)]
    price_ex_tax: Text<'a>,
    #[serde(borrow)]
    total_ex_tax: Text<'a>,
    #[serde(borrow)]
    total_tax: Text<'a>,
    #[serde(borrow)]
    product_options: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    display_value: Text<'a>,
}

#[derive(Deserialize)]
struct Refunds {
    data: Vec<Refund>,
}

#[derive(Deserialize)]
struct Refund {
    order_id: u64,
    total_amount: f64,
}

impl<'a> Order<'a> {
    fn items(&self) -> impl Iterator<Item = &Item<'a>> {
        let all = &self.consignments;
        let others = [&all.pickups, &all.downloads, &all.email.gift_certificates].into_iter().flatten();
        let sent = all.shipping.iter().flat_map(|place| &place.line_items);
        sent.chain(others.flat_map(|bundle| &bundle.line_items))
    }

    fn may_have_refunds(&self) -> bool {
        matches!(self.status_id, 4 | 13 | 14)
            || self.payment_status.contains("refunded")
            || self.items().any(|item| item.quantity_refunded > 0)
    }
}

pub(super) fn run(http: &mut Http, book: &mut Book) {
    let login = format!("X-Auth-Token: {}\r\nAccept: application/json\r\n", key("ACCESS_TOKEN"));
    let base = format!("/stores/{}", Options::default().store_hash);
    for page in 1.. {
        let target = format!(
            "{base}/v2/orders?limit=250&page={page}&sort=id:asc&include=consignments.line_items,fees&consignment_structure=object"
        );
        let body = http.get(&target, &login).to_owned();
        if body.is_empty() {
            break;
        }
        let orders: Vec<Order<'_>> = serde_json::from_slice(&body).unwrap();
        let asked = orders.iter().filter(|order| order.may_have_refunds()).map(|order| order.id.to_string());
        let asked = asked.collect::<Vec<_>>().join(",");
        let mut refunded: HashMap<u64, i64> = HashMap::new();
        if !asked.is_empty() {
            let target = format!("{base}/v3/orders/payment_actions/refunds?limit=250&order_id:in={asked}");
            let found: Refunds = serde_json::from_slice(http.get(&target, &login)).unwrap();
            for refund in found.data {
                *refunded.entry(refund.order_id).or_default() += rounded(refund.total_amount);
            }
        }
        book.page(orders.iter().map(|order| row(order, &refunded)));
        if orders.len() < 250 {
            break;
        }
    }
}

fn time(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc2822(text).unwrap().timestamp()
}

fn row<'o>(o: &'o Order<'_>, refunded: &HashMap<u64, i64>) -> Row<'o> {
    let line = |item: &'o Item<'_>| Line {
        id: item.id,
        sku: &item.sku,
        name: &item.name,
        variant: item.product_options.iter().map(|choice| &*choice.display_value).collect::<Vec<_>>().join(", ").into(),
        product: item.product_id,
        quantity: item.quantity,
        price: money(&item.price_ex_tax),
        total: money(&item.total_ex_tax),
        tax: money(&item.total_tax),
    };
    let placed_at = time(&o.date_created);
    let paid = matches!(&*o.payment_status, "captured" | "refunded" | "partially refunded");
    Row {
        id: o.id,
        status: &o.status,
        currency: &o.default_currency_code,
        placed_at,
        updated_at: time(&o.date_modified),
        paid_at: paid.then_some(placed_at),
        total: money(&o.total_inc_tax),
        shipping: money(&o.shipping_cost_ex_tax),
        tax: money(&o.total_tax),
        discount: money(&o.coupon_discount),
        refunded: refunded.get(&o.id).copied().unwrap_or(0),
        buyer_id: o.customer_id,
        buyer_name: full(&o.billing_address.first_name, &o.billing_address.last_name),
        email: &o.billing_address.email,
        phone: &o.billing_address.phone,
        payment: &o.payment_method,
        transaction: &o.external_order_id,
        note: &o.customer_message,
        source: &o.order_source,
        ship_to: o.consignments.shipping.first().map(address),
        bill_to: Some(address(&o.billing_address)),
        lines: o.items().map(line).collect(),
        ..Row::default()
    }
}

fn address<'o>(a: &'o Person<'_>) -> Address<'o> {
    Address {
        name: full(&a.first_name, &a.last_name),
        company: &a.company,
        line1: &a.street_1,
        line2: &a.street_2,
        city: &a.city,
        region: &a.state,
        postcode: &a.zip,
        country: &a.country_iso2,
        phone: &a.phone,
        email: &a.email,
    }
}
