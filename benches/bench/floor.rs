//! The bare program: one thread, one connection, page after page; the typed parse of each page, and
//! its rows into the tables of ordersync's own book, its documents packed as there, one transaction
//! a page. It checks nothing, keeps no position, resumes nothing: what is left of a first sync of
//! WooCommerce when all that makes it safe is taken away.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use ordersync::book::Book;
use ordersync::clock::SystemClock;
use ordersync::sim::woocommerce::{REHEARSAL_KEY, REHEARSAL_SECRET};
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::lean::{Http, basic};

type Text<'a> = Cow<'a, str>;

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
    date_paid_gmt: Option<Text<'a>>,
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
    billing: Address<'a>,
    #[serde(borrow)]
    shipping: Address<'a>,
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
    line_items: Vec<Line<'a>>,
    #[serde(borrow)]
    shipping_lines: Vec<Charge<'a>>,
    #[serde(borrow)]
    fee_lines: Vec<Charge<'a>>,
    #[serde(borrow)]
    tax_lines: Vec<Tax<'a>>,
    #[serde(borrow)]
    coupon_lines: Vec<Coupon<'a>>,
    #[serde(borrow)]
    refunds: Vec<Refund<'a>>,
}

#[derive(Deserialize)]
struct Address<'a> {
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
struct Line<'a> {
    id: u64,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    sku: Option<Text<'a>>,
    product_id: u64,
    variation_id: u64,
    quantity: u64,
    #[serde(borrow)]
    subtotal: Text<'a>,
    #[serde(borrow)]
    total: Text<'a>,
    #[serde(borrow)]
    total_tax: Text<'a>,
}

#[derive(Deserialize)]
struct Charge<'a> {
    id: u64,
    #[serde(borrow, alias = "method_title", default)]
    name: Text<'a>,
    #[serde(borrow)]
    total: Text<'a>,
    #[serde(borrow)]
    total_tax: Text<'a>,
}

#[derive(Deserialize)]
struct Tax<'a> {
    id: u64,
    #[serde(borrow)]
    rate_code: Text<'a>,
    #[serde(borrow)]
    label: Text<'a>,
    #[serde(borrow)]
    tax_total: Text<'a>,
}

#[derive(Deserialize)]
struct Coupon<'a> {
    id: u64,
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    discount: Text<'a>,
    #[serde(borrow)]
    discount_tax: Text<'a>,
}

#[derive(Deserialize)]
struct Refund<'a> {
    id: u64,
    #[serde(borrow)]
    reason: Text<'a>,
    #[serde(borrow)]
    total: Text<'a>,
}

/// Fetches all pages of `url` into a new book at `path`.
pub fn run(url: &str, path: &Path) {
    let (mut http, login) = (Http::to(url), basic(REHEARSAL_KEY, REHEARSAL_SECRET));
    drop(Book::open(path, Arc::new(SystemClock::new(Arc::default()))).unwrap());
    let mut db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;").unwrap();
    db.set_prepared_statement_cache_capacity(64);
    db.execute_batch(
        "INSERT INTO stores (id, name, channel, remote_id, title, url, time_zone, settings, facts, connected_at)
         VALUES (1, 'shop', 'woocommerce', 'x', '', '', '', '{}', '{}', 0)",
    )
    .unwrap();
    let dictionary = include_bytes!("../../src/book/dictionaries/woocommerce_1.json");
    let mut packer = zstd::bulk::Compressor::with_dictionary(-1, dictionary).unwrap();
    for number in 1.. {
        let target = format!("/wp-json/wc/v3/orders?per_page=100&orderby=id&order=asc&page={number}");
        let rows: Vec<&RawValue> = serde_json::from_slice(http.get(&target, &login)).unwrap();
        if rows.is_empty() {
            break;
        }
        let transaction = db.transaction().unwrap();
        for row in rows {
            let order: Order<'_> = serde_json::from_str(row.get()).unwrap();
            insert(&transaction, &order, &packer.compress(row.get().as_bytes()).unwrap());
        }
        transaction.commit().unwrap();
    }
}

fn ms(text: &str) -> i64 {
    text.parse::<chrono::NaiveDateTime>().unwrap().and_utc().timestamp_millis()
}

fn insert(db: &Connection, o: &Order<'_>, document: &[u8]) {
    let name = format!("{} {}", o.billing.first_name, o.billing.last_name);
    db.prepare_cached("INSERT INTO orders (id, store_id, remote_id, number, status, channel_status, presence, placed_at, updated_at, imported_at, paid_at, ship_by, currency, total, lines_total, shipping_total, tax_total, discount_total, refunded_total, shop_currency, shop_totals, prices_include_tax, buyer_remote_id, buyer_name, buyer_email, buyer_phone, payment_method, payment_title, transaction_id, buyer_note, source, test, attributes) VALUES (NULL, 1, ?, ?, ?, ?, 'listed', ?, ?, 0, ?, NULL, ?, ?, ?, ?, ?, ?, '0', NULL, NULL, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '[]')")
        .unwrap()
        .execute(params![
            o.id.to_string(), o.number, status(&o.status), o.status, ms(&o.date_created_gmt), ms(&o.date_modified_gmt),
            o.date_paid_gmt.as_deref().map(ms), o.currency, o.total, o.total, o.shipping_total, o.total_tax, o.discount_total,
            o.customer_id.to_string(), name, o.billing.email, o.billing.phone, o.payment_method, o.payment_method_title,
            o.transaction_id, o.customer_note, o.created_via
        ])
        .unwrap();
    let id = db.last_insert_rowid();
    for (n, line) in o.line_items.iter().enumerate() {
        db.prepare_cached("INSERT INTO lines (order_id, position, remote_id, sku, name, variant, product_id, quantity, refunded, unit_price, total, tax, ships, ship_to) VALUES (?, ?, ?, ?, ?, '', ?, ?, '0', ?, ?, ?, 1, 0)")
            .unwrap()
            .execute(params![
                id,
                n,
                line.id.to_string(),
                line.sku.as_deref().unwrap_or_default(),
                line.name,
                format!("{}:{}", line.product_id, line.variation_id),
                line.quantity.to_string(),
                line.subtotal,
                line.total,
                line.total_tax
            ])
            .unwrap();
    }
    for (kind, a) in [("ship", &o.shipping), ("bill", &o.billing)] {
        // Orders of nothing but downloads have no delivery address.
        if a.address_1.is_empty() {
            continue;
        }
        db.prepare_cached("INSERT INTO addresses VALUES (?, ?, 0, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .unwrap()
            .execute(params![
                id,
                kind,
                format!("{} {}", a.first_name, a.last_name),
                a.company,
                a.address_1,
                a.address_2,
                a.city,
                a.state,
                a.postcode,
                a.country,
                a.phone,
                a.email
            ])
            .unwrap();
    }
    let mut position = 0;
    let mut charge = |kind: &str, remote: u64, code: &str, title: &str, amount: &str, tax: &str| {
        db.prepare_cached("INSERT INTO charges VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
            .unwrap()
            .execute(params![id, position, kind, remote.to_string(), code, title, amount, tax])
            .unwrap();
        position += 1;
    };
    o.shipping_lines.iter().for_each(|c| charge("shipping", c.id, "", &c.name, &c.total, &c.total_tax));
    o.fee_lines.iter().for_each(|c| charge("fee", c.id, "", &c.name, &c.total, &c.total_tax));
    o.tax_lines.iter().for_each(|c| charge("tax", c.id, &c.rate_code, &c.label, &c.tax_total, "0"));
    o.coupon_lines.iter().for_each(|c| charge("discount", c.id, &c.code, &c.code, &c.discount, &c.discount_tax));
    for (n, refund) in o.refunds.iter().enumerate() {
        db.prepare_cached("INSERT INTO refunds VALUES (?, ?, ?, NULL, ?, ?, '[]')")
            .unwrap()
            .execute(params![id, n, refund.id.to_string(), refund.total, refund.reason])
            .unwrap();
    }
    db.prepare_cached("INSERT INTO versions VALUES (?, 'base', ?, x'00112233445566778899aabbccddeeff', 2, ?)")
        .unwrap()
        .execute(params![id, ms(&o.date_modified_gmt), document])
        .unwrap();
    db.prepare_cached("INSERT INTO history (order_id, at, what, detail) VALUES (?, 0, 'imported', ?)")
        .unwrap()
        .execute(params![id, o.status])
        .unwrap();
}

fn status(word: &str) -> &str {
    match word {
        "processing" => "awaiting-fulfillment",
        "completed" => "shipped",
        "cancelled" => "cancelled",
        _ => "awaiting-payment",
    }
}
