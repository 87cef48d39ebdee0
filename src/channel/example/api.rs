//! The shop's program as a server: addresses, the token, what an answer means, and the writes.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::settings::Settings;
use crate::channel::page_size::{PageSize, PageSizes};
use crate::channel::{Connection, ShopInfo};
use crate::clock::Timestamp;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::http::status::{self, Words};
use crate::http::{Client, Effect, Protocol, Reply, Request, Verdict};
use crate::order::Currency;

const WORDS: Words = Words::of("the shop");

/// The server of a shop.
pub(crate) struct Api {
    url: Url,
    http: Arc<Client>,
    credentials: Arc<Credentials>,
    page: PageSize,
}

/// The writes that this adapter can make.
#[derive(Debug, Serialize)]
pub(crate) enum Operation {
    /// Ships pieces of an order.
    Ship {
        /// The order.
        order: String,
        /// The dispatch's key, which the shop keeps.
        mark: String,
        /// Carrier and number; empty without a parcel.
        carrier: String,
        /// The tracking number.
        tracking: String,
        /// The pieces of each line.
        lines: Vec<Pieces>,
    },
    /// Gives a shipment another carrier and number.
    Retrack {
        /// The order.
        order: String,
        /// The shipment.
        shipment: String,
        /// The new carrier.
        carrier: String,
        /// The new number.
        tracking: String,
    },
    /// Closes an order that takes no parcel.
    Done {
        /// The order.
        order: String,
    },
    /// Cancels an order.
    Cancel {
        /// The order.
        order: String,
        /// Why, for the staff.
        reason: String,
    },
}

/// Pieces of a line.
#[derive(Debug, Serialize)]
pub(crate) struct Pieces {
    /// The line.
    pub(crate) line: u64,
    /// How many.
    pub(crate) pieces: u64,
}

#[derive(Deserialize)]
struct Shop {
    id: String,
    name: String,
    currency: String,
}

#[derive(Deserialize)]
struct Counted {
    count: u64,
}

#[derive(Deserialize)]
struct Made {
    id: u64,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Api {
    /// The server of a connection.
    pub(crate) fn new(connection: Connection, settings: &Settings) -> Result<Self> {
        connection.credentials.need("token")?;
        let sizes = PageSizes::new(&connection.facts, connection.learn, connection.http.clock().clone());
        let most = u32::try_from(settings.page_size).unwrap_or(u32::MAX);
        Ok(Self {
            url: settings.url.clone(),
            http: connection.http,
            credentials: connection.credentials,
            page: sizes.of("page", most, most),
        })
    }

    /// How many orders are asked for at once.
    pub(crate) fn page(&self) -> &PageSize {
        &self.page
    }

    /// The time by the shop's clock, where an answer has told it.
    pub(crate) fn told_now(&self) -> Option<Timestamp> {
        self.http.told_now()
    }

    /// The shop's clock in seconds since the epoch, as far as its answers have told it.
    pub(crate) fn now(&self) -> i64 {
        self.http.their_now().timestamp()
    }

    /// Our own clock.
    pub(crate) fn our_now(&self) -> i64 {
        self.http.clock().now().timestamp()
    }

    /// Reads from the shop; an order that is not there is an answer with status 404.
    pub(crate) fn get(&self, route: &str, query: &[(&str, String)], repeats: Option<u32>) -> Result<Reply> {
        let mut url = self.address(route)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = Request::get(url);
        self.http.send(self, &if let Some(repeats) = repeats { request.repeated(repeats) } else { request })
    }

    /// How many orders a list has.
    pub(crate) fn count(&self, query: &[(&str, String)]) -> Result<u64> {
        let reply = self.get("orders/count", query, None)?;
        reply.json::<Counted>().map(|(counted, _)| counted.count)
    }

    /// What the shop says of itself.
    pub(crate) fn shop(&self) -> Result<ShopInfo> {
        let reply = self.get("shop", &[], None)?;
        let (shop, _) = reply.json::<Shop>()?;
        Ok(ShopInfo {
            remote_id: shop.id,
            title: shop.name,
            url: self.url.to_string(),
            currency: Currency::new(&shop.currency),
            time_zone: "UTC".to_owned(),
            orders: Some(self.count(&[])?),
            facts: json!({}),
            warnings: Vec::new(),
            choices: Vec::new(),
        })
    }

    /// Carries out a write; the receipt is the id of the shipment that was made.
    pub(crate) fn carry_out(&self, operation: &Operation) -> Result<Option<String>> {
        let (method, route, body) = match operation {
            Operation::Ship { order, mark, carrier, tracking, lines } => (
                Method::POST,
                format!("orders/{order}/shipments"),
                json!({ "mark": mark, "carrier": carrier, "tracking": tracking, "lines": lines }),
            ),
            Operation::Retrack { order, shipment, carrier, tracking } => (
                Method::PUT,
                format!("orders/{order}/shipments/{shipment}"),
                json!({ "carrier": carrier, "tracking": tracking }),
            ),
            Operation::Done { order } => (Method::POST, format!("orders/{order}/done"), json!({})),
            Operation::Cancel { order, reason } => {
                (Method::POST, format!("orders/{order}/cancel"), json!({ "reason": reason }))
            }
        };
        let reply = self.http.send(self, &Request::write_json(method, self.address(&route)?, &body))?;
        let is_receipt = matches!(operation, Operation::Ship { .. });
        Ok(reply.json::<Made>().ok().filter(|_| is_receipt).map(|(made, _)| made.id.to_string()))
    }

    /// Makes, changes or takes away a subscription to webhooks.
    pub(crate) fn change_hook(&self, method: Method, route: &str, body: &serde_json::Value) -> Result<()> {
        self.http.send(self, &Request::write_json(method, self.address(route)?, body)).map(drop)
    }

    fn address(&self, route: &str) -> Result<Url> {
        self.url.join(route).map_err(|_| Error::new(ErrorKind::Failed, "an address cannot be made; nothing was sent"))
    }
}

impl Protocol for Api {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        let token = self.credentials.need("token")?;
        let unsendable = |_| Error::new(ErrorKind::Credentials, "the token cannot be sent; nothing was sent");
        let mut value = HeaderValue::from_str(token.reveal().trim()).map_err(unsendable)?;
        value.set_sensitive(true);
        request.headers.insert("x-token", value);
        Ok(())
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        classify(request, reply, self.http.clock().now())
    }
}

/// What a reply means. The shop's own refusals have a message.
fn classify(request: &Request, reply: &Reply, now: Timestamp) -> Verdict {
    let told = reply.json::<Refusal>().map(|(refusal, _)| refusal.message);
    match (reply.status, request.effect, told) {
        (404, Effect::Read, Ok(_)) if is_of_one_order(&request.url) => Verdict::Good,
        (status @ (400 | 409 | 422), _, Ok(told)) => status::refused(&WORDS, request, status, &told),
        (404, Effect::Write, Ok(told)) => status::refused(&WORDS, request, 404, &told),
        _ => status::classify(&WORDS, request, reply, now),
    }
}

/// Whether what is asked for is one order, and no list.
fn is_of_one_order(url: &Url) -> bool {
    url.path().rsplit_once("/orders/").is_some_and(|(_, id)| id.bytes().all(|byte| byte.is_ascii_digit()))
}
