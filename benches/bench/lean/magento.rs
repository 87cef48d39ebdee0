//! Magento: pages of 100 by id with the members that are used, the shipments of each page and the
//! credit memos of those orders that have some. Every request is signed (OAuth 1.0a).

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use sha2::Sha256;

use super::{Address, BASE64, Book, Http, Line, Row, Text, full, list, rounded, utc};

/// What is asked for of an order: what ordersync asks for, so that both have the same pages.
const ORDER: &str = "entity_id,increment_id,state,status,created_at,updated_at,order_currency_code,base_currency_code,\
discount_amount,discount_description,coupon_code,tax_amount,shipping_amount,shipping_tax_amount,shipping_discount_amount,\
shipping_discount_tax_compensation_amount,shipping_description,grand_total,total_paid,total_due,total_refunded,base_subtotal,\
base_discount_amount,base_discount_tax_compensation_amount,base_tax_amount,base_shipping_amount,base_grand_total,\
base_total_refunded,is_virtual,store_id,store_name,remote_ip,customer_id,customer_email,customer_firstname,customer_lastname,\
customer_taxvat,customer_note,relation_parent_real_id,original_increment_id,relation_child_real_id,ext_order_id,\
items[item_id,parent_item_id,product_id,product_type,sku,name,is_virtual,qty_ordered,qty_canceled,qty_invoiced,qty_refunded,\
qty_shipped,price,tax_amount,discount_amount,discount_tax_compensation_amount,amount_refunded,\
extension_attributes[gift_message[sender,recipient,message]]],\
billing_address[firstname,lastname,company,street,city,region,region_code,postcode,country_id,telephone,email,vat_id],\
payment[method,last_trans_id,po_number],\
extension_attributes[shipping_assignments[shipping[method,address[firstname,lastname,company,street,city,region,region_code,\
postcode,country_id,telephone,email,vat_id]]],payment_additional_info[key,value],gift_message[sender,recipient,message],\
pickup_location_code]";
const SHIPMENT: &str = "entity_id,increment_id,order_id,created_at,items[order_item_id,qty],\
tracks[entity_id,parent_id,created_at,track_number,title,carrier_code],comments[comment]";
const MEMO: &str = "entity_id,order_id,state,created_at,grand_total,\
items[order_item_id,qty,price,tax_amount,discount_amount,discount_tax_compensation_amount],comments[comment]";

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Page<T> {
    #[serde(deserialize_with = "list")]
    items: Vec<T>,
}

#[derive(Deserialize)]
struct Order<'a> {
    entity_id: u64,
    #[serde(borrow)]
    increment_id: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    created_at: Text<'a>,
    #[serde(borrow)]
    updated_at: Text<'a>,
    #[serde(borrow)]
    order_currency_code: Text<'a>,
    grand_total: f64,
    shipping_amount: f64,
    tax_amount: f64,
    discount_amount: f64,
    total_due: f64,
    #[serde(default)]
    total_refunded: f64,
    #[serde(default)]
    customer_id: u64,
    #[serde(borrow, default)]
    customer_email: Text<'a>,
    #[serde(borrow, default)]
    customer_firstname: Text<'a>,
    #[serde(borrow, default)]
    customer_lastname: Text<'a>,
    #[serde(borrow, default)]
    customer_note: Text<'a>,
    #[serde(borrow, default)]
    ext_order_id: Text<'a>,
    #[serde(borrow)]
    items: Vec<Item<'a>>,
    #[serde(borrow)]
    billing_address: Person<'a>,
    #[serde(borrow)]
    payment: Payment<'a>,
    #[serde(borrow, default)]
    extension_attributes: Extension<'a>,
}

#[derive(Deserialize)]
struct Item<'a> {
    item_id: u64,
    parent_item_id: Option<u64>,
    product_id: Option<u64>,
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    qty_ordered: f64,
    price: f64,
    #[serde(default)]
    tax_amount: f64,
    #[serde(default)]
    discount_amount: f64,
}

#[derive(Deserialize)]
struct Person<'a> {
    #[serde(borrow, default)]
    firstname: Text<'a>,
    #[serde(borrow, default)]
    lastname: Text<'a>,
    #[serde(borrow, default)]
    company: Text<'a>,
    #[serde(borrow, default)]
    street: Vec<Text<'a>>,
    #[serde(borrow, default)]
    city: Text<'a>,
    #[serde(borrow, default)]
    region: Text<'a>,
    #[serde(borrow, default)]
    postcode: Text<'a>,
    #[serde(borrow, default)]
    country_id: Text<'a>,
    #[serde(borrow, default)]
    telephone: Text<'a>,
    #[serde(borrow, default)]
    email: Text<'a>,
}

#[derive(Deserialize)]
struct Payment<'a> {
    #[serde(borrow)]
    method: Text<'a>,
    #[serde(borrow, default)]
    last_trans_id: Text<'a>,
}

#[derive(Default, Deserialize)]
struct Extension<'a> {
    #[serde(borrow, default)]
    shipping_assignments: Vec<Assignment<'a>>,
}

#[derive(Deserialize)]
struct Assignment<'a> {
    #[serde(borrow)]
    shipping: Shipping<'a>,
}

#[derive(Deserialize)]
struct Shipping<'a> {
    #[serde(borrow)]
    address: Option<Person<'a>>,
}

#[derive(Deserialize)]
struct Shipment {
    order_id: u64,
    #[serde(default)]
    tracks: Vec<Track>,
}

#[derive(Deserialize)]
struct Track {
    track_number: String,
}

#[derive(Deserialize)]
struct Memo {
    order_id: u64,
    grand_total: f64,
}

/// What stands beside the orders of a page.
#[derive(Default)]
struct Beside {
    tracking: HashMap<u64, String>,
    refunded: HashMap<u64, i64>,
}

pub(super) fn run(http: &mut Http, book: &mut Book) {
    let signer = Signer::new();
    for page in 1.. {
        let asked = [("sortOrders][0][field", "entity_id".to_owned()), ("sortOrders][0][direction", "ASC".to_owned())];
        let body = signer.search(http, "orders", asked, (100, page), ORDER).to_owned();
        let orders: Page<Order<'_>> = serde_json::from_slice(&body).unwrap();
        if orders.items.is_empty() {
            break;
        }
        let beside = beside(&signer, http, &orders.items);
        book.page(orders.items.iter().map(|order| row(order, &beside)));
        if orders.items.len() < 100 {
            break;
        }
    }
}

fn beside(signer: &Signer, http: &mut Http, orders: &[Order<'_>]) -> Beside {
    let ids = |wanted: fn(&Order<'_>) -> bool| -> String {
        orders.iter().filter(|o| wanted(o)).map(|o| o.entity_id.to_string()).collect::<Vec<_>>().join(",")
    };
    let of = |ids: String| {
        [
            ("filterGroups][0][filters][0][field", "order_id".to_owned()),
            ("filterGroups][0][filters][0][conditionType", "in".to_owned()),
            ("filterGroups][0][filters][0][value", ids),
        ]
    };
    let mut beside = Beside::default();
    let body = signer.search(http, "shipments", of(ids(|_| true)), (300, 1), SHIPMENT);
    let shipments: Page<Shipment> = serde_json::from_slice(body).unwrap();
    let numbers = shipments.items.into_iter().filter_map(|one| Some((one.order_id, one.tracks.into_iter().next()?)));
    beside.tracking.extend(numbers.map(|(order, track)| (order, track.track_number)));
    let refunded = ids(|order| order.total_refunded > 0.0);
    if !refunded.is_empty() {
        let body = signer.search(http, "creditmemos", of(refunded), (300, 1), MEMO);
        let memos: Page<Memo> = serde_json::from_slice(body).unwrap();
        for memo in memos.items {
            *beside.refunded.entry(memo.order_id).or_default() += rounded(memo.grand_total);
        }
    }
    beside
}

fn time(text: &str) -> i64 {
    utc(text, "%Y-%m-%d %H:%M:%S")
}

fn row<'o>(o: &'o Order<'_>, beside: &'o Beside) -> Row<'o> {
    let line = |item: &'o Item<'_>| Line {
        id: item.item_id,
        sku: &item.sku,
        name: &item.name,
        product: item.product_id.unwrap_or(0),
        quantity: item.qty_ordered as i64,
        price: rounded(item.price),
        total: rounded(item.price * item.qty_ordered - item.discount_amount.abs()),
        tax: rounded(item.tax_amount),
        ..Line::default()
    };
    let placed_at = time(&o.created_at);
    let to = o.extension_attributes.shipping_assignments.first().and_then(|one| one.shipping.address.as_ref());
    Row {
        id: o.entity_id,
        number: &o.increment_id,
        status: &o.status,
        currency: &o.order_currency_code,
        placed_at,
        updated_at: time(&o.updated_at),
        paid_at: (o.total_due <= 0.0).then_some(placed_at),
        total: rounded(o.grand_total),
        shipping: rounded(o.shipping_amount),
        tax: rounded(o.tax_amount),
        discount: rounded(o.discount_amount.abs()),
        refunded: beside.refunded.get(&o.entity_id).copied().unwrap_or(0),
        buyer_id: o.customer_id,
        buyer_name: full(&o.customer_firstname, &o.customer_lastname),
        email: &o.customer_email,
        phone: &o.billing_address.telephone,
        payment: &o.payment.method,
        transaction: &o.payment.last_trans_id,
        note: &o.customer_note,
        source: &o.ext_order_id,
        tracking: beside.tracking.get(&o.entity_id).map_or("", String::as_str),
        ship_to: to.map(address),
        bill_to: Some(address(&o.billing_address)),
        // The variant of a configurable product comes below it once more.
        lines: o.items.iter().filter(|item| item.parent_item_id.is_none()).map(line).collect(),
        ..Row::default()
    }
}

fn address<'o>(a: &'o Person<'_>) -> Address<'o> {
    let street = |nth: usize| a.street.get(nth).map_or("", |line| &**line);
    Address {
        name: full(&a.firstname, &a.lastname),
        company: &a.company,
        line1: street(0),
        line2: street(1),
        city: &a.city,
        region: &a.region,
        postcode: &a.postcode,
        country: &a.country_id,
        phone: &a.telephone,
        email: &a.email,
    }
}

/// Everything but the unreserved characters (RFC 5849, 3.6).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The keys of an integration.
struct Signer {
    consumer: String,
    token: String,
    key: Vec<u8>,
}

impl Signer {
    fn new() -> Self {
        let key = |name| super::key(name);
        let secrets = format!("{}&{}", encode(&key("CONSUMER_SECRET")), encode(&key("ACCESS_TOKEN_SECRET")));
        Self { consumer: key("CONSUMER_KEY"), token: key("ACCESS_TOKEN"), key: secrets.into_bytes() }
    }

    /// Asks for a page of a list: its size, its number, and which members of each row.
    fn search<'h, const N: usize>(
        &self,
        http: &'h mut Http,
        route: &str,
        asked: [(&str, String); N],
        (size, page): (usize, usize),
        fields: &str,
    ) -> &'h [u8] {
        let mut query: Vec<(String, String)> = asked
            .into_iter()
            .map(|(name, value)| (encode(&format!("searchCriteria[{name}]")), encode(&value)))
            .collect();
        query.push((encode("searchCriteria[pageSize]"), size.to_string()));
        query.push((encode("searchCriteria[currentPage]"), page.to_string()));
        query.push(("fields".to_owned(), encode(&format!("items[{fields}],total_count"))));
        let path = format!("/rest/V1/{route}");
        let header = self.header(&format!("http://{}{path}", http.host), &query, http.requests);
        http.get(&format!("{path}?{}", joined(&query)), &header)
    }

    fn header(&self, address: &str, query: &[(String, String)], nonce: u64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let own = [
            ("oauth_consumer_key", self.consumer.clone()),
            ("oauth_nonce", format!("{:x}{nonce:x}", now.as_nanos())),
            ("oauth_signature_method", "HMAC-SHA256".to_owned()),
            ("oauth_timestamp", now.as_secs().to_string()),
            ("oauth_token", self.token.clone()),
            ("oauth_version", "1.0".to_owned()),
        ];
        let mut own: Vec<(String, String)> = own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let mut all: Vec<(String, String)> = query.iter().chain(&own).cloned().collect();
        all.sort();
        let base = format!("GET&{}&{}", encode(address), encode(&joined(&all)));
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).unwrap();
        mac.update(base.as_bytes());
        own.push(("oauth_signature".to_owned(), encode(&BASE64.encode(mac.finalize().into_bytes()))));
        let pairs: Vec<String> = own.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        format!("Authorization: OAuth {}\r\nAccept: application/json\r\n", pairs.join(", "))
    }
}

fn joined(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}
