//! The lean program: what a good engineer writes in an afternoon for one shop. It fetches all pages
//! over one connection, parses them with types of its own, and stores orders, addresses and lines
//! in tables of its own, one transaction a page. It keeps no document and no position, compares
//! nothing, resumes nothing, and takes every answer to be a good one.
//!
//! Here is what it has in common for all channels; beside it one file a channel: its addresses, its
//! authentication, its pages, and the mapping to a [`Row`].

mod bigcommerce;
mod ebay;
mod etsy;
mod magento;
mod shopify;
mod woocommerce;

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::{Connection, params};
use serde::{Deserialize, Deserializer};

/// What its tables hold in the end, and what it took to fill them. An amount is in ten-thousandths.
#[derive(Debug, PartialEq, serde::Serialize, Deserialize)]
pub struct Sums {
    /// Orders.
    pub orders: u64,
    /// The sum of their totals, whatever their currency.
    pub total: i64,
    /// Lines.
    pub lines: u64,
    /// Requests for pages.
    pub requests: u64,
}

/// Fetches all orders of the shop into a new file, and prints the sums of what is in it.
pub fn run(kind: &str, url: &str, path: &Path) {
    let (mut http, mut book) = (Http::to(url), Book::new(path));
    match kind {
        "bigcommerce" => bigcommerce::run(&mut http, &mut book),
        "ebay" => ebay::run(&mut http, &mut book),
        "etsy" => etsy::run(&mut http, &mut book),
        "magento" => magento::run(&mut http, &mut book),
        "shopify" => shopify::run(&mut http, &mut book),
        _ => woocommerce::run(&mut http, &mut book),
    }
    let sums = Sums { requests: http.requests, ..book.sums() };
    println!("{}", serde_json::to_string(&sums).unwrap());
}

/// A key out of the environment, by the name under which `connect` takes it.
fn key(name: &str) -> String {
    std::env::var(format!("ORDERSYNC_{name}")).unwrap()
}

/// A text that is borrowed wherever nothing in it is escaped; empty where there is none.
#[derive(Default)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
        Ok(Self(Option::<Borrowed<'de>>::deserialize(deserializer)?.map(|text| text.0).unwrap_or_default()))
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A list that may be null.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An order, as it is stored.
#[derive(Default)]
struct Row<'a> {
    id: u64,
    number: &'a str,
    status: &'a str,
    currency: &'a str,
    /// Times are in seconds since the epoch.
    placed_at: i64,
    updated_at: i64,
    paid_at: Option<i64>,
    total: i64,
    shipping: i64,
    tax: i64,
    discount: i64,
    refunded: i64,
    buyer_id: u64,
    buyer_name: Cow<'a, str>,
    email: &'a str,
    phone: &'a str,
    payment: &'a str,
    payment_title: &'a str,
    transaction: &'a str,
    note: &'a str,
    source: &'a str,
    tracking: &'a str,
    ship_to: Option<Address<'a>>,
    bill_to: Option<Address<'a>>,
    lines: Vec<Line<'a>>,
}

/// A delivery or billing address.
#[derive(Default)]
struct Address<'a> {
    name: Cow<'a, str>,
    company: &'a str,
    line1: &'a str,
    line2: &'a str,
    city: &'a str,
    region: &'a str,
    postcode: &'a str,
    country: &'a str,
    phone: &'a str,
    email: &'a str,
}

/// A line.
#[derive(Default)]
struct Line<'a> {
    id: u64,
    sku: &'a str,
    name: &'a str,
    variant: Cow<'a, str>,
    product: u64,
    quantity: i64,
    price: i64,
    total: i64,
    tax: i64,
}

/// The tables.
struct Book(Connection);

impl Book {
    fn new(path: &Path) -> Self {
        let db = Connection::open(path).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;
             CREATE TABLE orders (
               id INTEGER PRIMARY KEY, number TEXT, status TEXT, currency TEXT, placed_at INTEGER, updated_at INTEGER,
               paid_at INTEGER, total INTEGER, shipping INTEGER, tax INTEGER, discount INTEGER, refunded INTEGER,
               buyer_id INTEGER, buyer_name TEXT, email TEXT, phone TEXT, payment TEXT, payment_title TEXT, transaction_id TEXT,
               note TEXT, source TEXT, tracking TEXT);
             CREATE TABLE addresses (
               order_id INTEGER, kind TEXT, name TEXT, company TEXT, line1 TEXT, line2 TEXT, city TEXT, region TEXT,
               postcode TEXT, country TEXT, phone TEXT, email TEXT, PRIMARY KEY (order_id, kind)) WITHOUT ROWID;
             CREATE TABLE lines (
               id INTEGER PRIMARY KEY, order_id INTEGER, remote_id INTEGER, sku TEXT, name TEXT, variant TEXT,
               product INTEGER, quantity INTEGER, price INTEGER, total INTEGER, tax INTEGER);
             CREATE INDEX lines_by_order ON lines (order_id);",
        )
        .unwrap();
        Self(db)
    }

    /// Stores a page.
    fn page<'a>(&mut self, rows: impl IntoIterator<Item = Row<'a>>) {
        let transaction = self.0.transaction().unwrap();
        rows.into_iter().for_each(|row| insert(&transaction, &row));
        transaction.commit().unwrap();
    }

    fn sums(&self) -> Sums {
        let one = |sql: &str| self.0.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        Sums {
            orders: one("SELECT count(*) FROM orders") as u64,
            total: one("SELECT coalesce(sum(total), 0) FROM orders"),
            lines: one("SELECT count(*) FROM lines") as u64,
            requests: 0,
        }
    }
}

fn insert(db: &Connection, o: &Row<'_>) {
    db.prepare_cached(
        "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .unwrap()
    .execute(params![
        o.id,
        o.number,
        o.status,
        o.currency,
        o.placed_at,
        o.updated_at,
        o.paid_at,
        o.total,
        o.shipping,
        o.tax,
        o.discount,
        o.refunded,
        o.buyer_id,
        o.buyer_name,
        o.email,
        o.phone,
        o.payment,
        o.payment_title,
        o.transaction,
        o.note,
        o.source,
        o.tracking
    ])
    .unwrap();
    for (kind, address) in [("ship", &o.ship_to), ("bill", &o.bill_to)] {
        let Some(a) = address else { continue };
        db.prepare_cached("INSERT OR REPLACE INTO addresses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .unwrap()
            .execute(params![
                o.id, kind, a.name, a.company, a.line1, a.line2, a.city, a.region, a.postcode, a.country, a.phone,
                a.email
            ])
            .unwrap();
    }
    db.prepare_cached("DELETE FROM lines WHERE order_id = ?").unwrap().execute([o.id]).unwrap();
    for l in &o.lines {
        db.prepare_cached("INSERT INTO lines VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .unwrap()
            .execute(params![o.id, l.id, l.sku, l.name, l.variant, l.product, l.quantity, l.price, l.total, l.tax])
            .unwrap();
    }
}

/// An amount in text, in ten-thousandths.
fn money(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<4}");
    let units = whole.trim_start_matches('-').parse::<i64>().unwrap_or(0) * 10_000 + part[..4].parse::<i64>().unwrap();
    if whole.starts_with('-') { -units } else { units }
}

/// The same of a number.
fn rounded(number: f64) -> i64 {
    (number * 10_000.0).round() as i64
}

/// A time in UTC.
fn utc(text: &str, format: &str) -> i64 {
    chrono::NaiveDateTime::parse_from_str(text, format).unwrap().and_utc().timestamp()
}

/// First and last name.
fn full(first: &str, last: &str) -> Cow<'static, str> {
    format!("{first} {last}").trim().to_owned().into()
}

/// A kept-alive connection.
pub struct Http {
    stream: BufReader<TcpStream>,
    host: String,
    body: Vec<u8>,
    requests: u64,
}

impl Http {
    /// Connects to `http://HOST:PORT`.
    pub fn to(url: &str) -> Self {
        let host = url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::with_capacity(64 * 1024, stream), host, body: Vec::new(), requests: 0 }
    }

    /// Asks for an address, with more headers than are needed, each with its end of line.
    pub fn get(&mut self, target: &str, headers: &str) -> &[u8] {
        self.ask("GET", target, headers, "")
    }

    fn ask(&mut self, method: &str, target: &str, headers: &str, body: &str) -> &[u8] {
        let (host, length) = (&self.host, body.len());
        let length = if method == "GET" { String::new() } else { format!("Content-Length: {length}\r\n") };
        let request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}{length}\r\n{body}");
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        self.requests += 1;
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            assert!(!line.starts_with("HTTP/1.1 4") && !line.starts_with("HTTP/1.1 5"), "{line}");
            let line = line.trim_end();
            if let Some(text) = line.get(..15).filter(|name| name.eq_ignore_ascii_case("content-length:")) {
                length = line[text.len()..].trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).unwrap();
        &self.body
    }
}

/// The header for a user and a password.
pub fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", BASE64.encode(format!("{user}:{password}")))
}
