//! Shopify: pages by time of creation, each behind the cursor of the one before. The question for a
//! page is that of ordersync, so that both have the same pages.

use ordersync::channel::shopify::query;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Address, Book, Http, Line, Row, Text, full, key, money};

/// Orders in a page: as many as ordersync begins with.
const PAGE: usize = 50;

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Orders<'a> {
    #[serde(borrow)]
    orders: Connection<Order<'a>>,
}

/// The lines of an order that has more than its page brings.
#[derive(Deserialize)]
struct More<'a> {
    #[serde(borrow)]
    order: MoreLines<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MoreLines<'a> {
    #[serde(borrow)]
    line_items: Connection<Item<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
struct Connection<T> {
    nodes: Vec<T>,
    page_info: Option<PageInfo>,
}

impl<T> Connection<T> {
    /// Behind what the next page is, where there is one.
    fn next(&self) -> Option<String> {
        self.page_info.as_ref().filter(|info| info.has_next_page)?.end_cursor.clone()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    created_at: Text<'a>,
    #[serde(borrow)]
    updated_at: Text<'a>,
    #[serde(borrow)]
    display_fulfillment_status: Text<'a>,
    #[serde(borrow)]
    source_name: Text<'a>,
    #[serde(borrow)]
    note: Text<'a>,
    #[serde(borrow)]
    email: Text<'a>,
    #[serde(borrow)]
    phone: Text<'a>,
    #[serde(borrow)]
    customer: Option<Customer<'a>>,
    #[serde(borrow)]
    presentment_currency_code: Text<'a>,
    #[serde(borrow)]
    payment_gateway_names: Vec<Text<'a>>,
    #[serde(borrow)]
    shipping_address: Option<Person<'a>>,
    #[serde(borrow)]
    billing_address: Option<Person<'a>>,
    #[serde(borrow)]
    total_price_set: Bag<'a>,
    #[serde(borrow)]
    total_shipping_price_set: Bag<'a>,
    #[serde(borrow)]
    total_tax_set: Bag<'a>,
    #[serde(borrow)]
    total_discounts_set: Bag<'a>,
    #[serde(borrow)]
    total_refunded_set: Bag<'a>,
    #[serde(borrow)]
    transactions: Vec<Transaction<'a>>,
    #[serde(borrow)]
    fulfillments: Vec<Fulfillment<'a>>,
    #[serde(borrow)]
    line_items: Connection<Item<'a>>,
}

#[derive(Deserialize)]
struct Customer<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person<'a> {
    #[serde(borrow)]
    first_name: Text<'a>,
    #[serde(borrow)]
    last_name: Text<'a>,
    #[serde(borrow)]
    company: Text<'a>,
    #[serde(borrow)]
    address1: Text<'a>,
    #[serde(borrow)]
    address2: Text<'a>,
    #[serde(borrow)]
    city: Text<'a>,
    #[serde(borrow)]
    province: Text<'a>,
    #[serde(borrow)]
    zip: Text<'a>,
    #[serde(borrow)]
    country_code_v2: Text<'a>,
    #[serde(borrow)]
    phone: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bag<'a> {
    #[serde(borrow)]
    presentment_money: Amount<'a>,
}

#[derive(Deserialize)]
struct Amount<'a> {
    #[serde(borrow)]
    amount: Text<'a>,
}

impl Bag<'_> {
    fn units(&self) -> i64 {
        money(&self.presentment_money.amount)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    processed_at: Text<'a>,
    #[serde(borrow)]
    payment_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fulfillment<'a> {
    #[serde(borrow)]
    tracking_info: Vec<Tracking<'a>>,
}

#[derive(Deserialize)]
struct Tracking<'a> {
    #[serde(borrow)]
    number: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow)]
    title: Text<'a>,
    #[serde(borrow)]
    variant_title: Text<'a>,
    quantity: i64,
    #[serde(borrow)]
    product: Option<Product<'a>>,
    #[serde(borrow)]
    original_unit_price_set: Bag<'a>,
    #[serde(borrow)]
    discount_allocations: Vec<Discount<'a>>,
    #[serde(borrow)]
    tax_lines: Vec<TaxLine<'a>>,
}

#[derive(Deserialize)]
struct Product<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Discount<'a> {
    #[serde(borrow)]
    allocated_amount_set: Bag<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaxLine<'a> {
    #[serde(borrow)]
    price_set: Bag<'a>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

pub(super) fn run(http: &mut Http, book: &mut Book) {
    let (id, secret) = (key("CLIENT_ID"), key("CLIENT_SECRET"));
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let token: Token = serde_json::from_slice(http.ask("POST", "/admin/oauth/access_token", kind, &form)).unwrap();
    let headers = format!("X-Shopify-Access-Token: {}\r\nContent-Type: application/json\r\n", token.access_token);
    let mut ask = |document: &str, variables: Value| {
        let question = json!({ "query": document, "variables": variables }).to_string();
        http.ask("POST", "/admin/api/2026-10/graphql.json", &headers, &question).to_owned()
    };
    let mut after: Option<String> = None;
    loop {
        let variables = json!({ "first": PAGE, "lines": 20, "after": after, "query": null, "sort": "CREATED_AT", "reverse": false });
        let body = ask(query::ORDERS.text, variables);
        let orders = serde_json::from_slice::<Answer<Orders<'_>>>(&body).unwrap().data.orders;
        let mut more: Vec<(usize, Vec<u8>)> = Vec::new();
        for (nth, order) in orders.nodes.iter().enumerate() {
            let mut after = order.line_items.next();
            while after.is_some() {
                more.push((nth, ask(query::LINES.text, json!({ "id": &*order.id, "first": 100, "after": after }))));
                after = lines(&more[more.len() - 1].1).next();
            }
        }
        let more: Vec<(usize, Connection<Item<'_>>)> = more.iter().map(|(nth, body)| (*nth, lines(body))).collect();
        book.page(orders.nodes.iter().enumerate().map(|(nth, order)| {
            let others = more.iter().filter(|(of, _)| *of == nth).flat_map(|(_, lines)| &lines.nodes);
            Row { lines: order.line_items.nodes.iter().chain(others).map(line).collect(), ..row(order) }
        }));
        after = orders.next();
        if after.is_none() {
            break;
        }
    }
}

fn lines(body: &[u8]) -> Connection<Item<'_>> {
    serde_json::from_slice::<Answer<More<'_>>>(body).unwrap().data.order.line_items
}

/// The number at the end of a global id.
fn number(id: &str) -> u64 {
    id.rsplit('/').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn time(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp()
}

fn line<'o>(item: &'o Item<'_>) -> Line<'o> {
    let price = item.original_unit_price_set.units();
    let off: i64 = item.discount_allocations.iter().map(|one| one.allocated_amount_set.units()).sum();
    Line {
        id: number(&item.id),
        sku: &item.sku,
        name: &item.title,
        variant: (&*item.variant_title).into(),
        product: item.product.as_ref().map_or(0, |product| number(&product.id)),
        quantity: item.quantity,
        price,
        total: price * item.quantity - off,
        tax: item.tax_lines.iter().map(|tax| tax.price_set.units()).sum(),
    }
}

fn row<'o>(o: &'o Order<'_>) -> Row<'o> {
    let sale = o.transactions.iter().find(|one| matches!(&*one.kind, "SALE" | "CAPTURE"));
    let billing = o.billing_address.as_ref();
    Row {
        id: number(&o.id),
        number: &o.name,
        status: &o.display_fulfillment_status,
        currency: &o.presentment_currency_code,
        placed_at: time(&o.created_at),
        updated_at: time(&o.updated_at),
        paid_at: sale.map(|sale| time(&sale.processed_at)),
        total: o.total_price_set.units(),
        shipping: o.total_shipping_price_set.units(),
        tax: o.total_tax_set.units(),
        discount: o.total_discounts_set.units(),
        refunded: o.total_refunded_set.units(),
        buyer_id: o.customer.as_ref().map_or(0, |customer| number(&customer.id)),
        buyer_name: billing.map(|to| full(&to.first_name, &to.last_name)).unwrap_or_default(),
        email: &o.email,
        phone: &o.phone,
        payment: o.payment_gateway_names.first().map_or("", |name| name),
        transaction: sale.map_or("", |sale| &sale.payment_id),
        note: &o.note,
        source: &o.source_name,
        tracking: o.fulfillments.iter().flat_map(|one| &one.tracking_info).next().map_or("", |one| &one.number),
        ship_to: o.shipping_address.as_ref().map(address),
        bill_to: billing.map(address),
        ..Row::default()
    }
}

fn address<'o>(a: &'o Person<'_>) -> Address<'o> {
    Address {
        name: full(&a.first_name, &a.last_name),
        company: &a.company,
        line1: &a.address1,
        line2: &a.address2,
        city: &a.city,
        region: &a.province,
        postcode: &a.zip,
        country: &a.country_code_v2,
        phone: &a.phone,
        ..Address::default()
    }
}
