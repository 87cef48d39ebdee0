//! The shop's program as a server: addresses, the token, what an answer means, and the writes.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::settings::Settings;
use crate::channel::{Connection, ShopInfo};
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
        /// Line id and pieces, as text.
        lines: Vec<(String, String)>,
    },
    /// Gives a shipment another number.
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
    /// Cancels an order.
    Cancel {
        /// The order.
        order: String,
    },
}

#[derive(Deserialize)]
struct Shop {
    id: String,
    name: String,
    currency: String,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

impl Api {
    /// The server of a connection.
    pub(crate) fn new(connection: Connection) -> Result<Self> {
        connection.credentials.need("token")?;
        let url = Settings::read(&connection.values)?.url;
        Ok(Self { url, http: connection.http, credentials: connection.credentials })
    }

    /// Reads a file of the folder; a missing one is an answer with status 404.
    pub(crate) fn get(&self, file: &str) -> Result<Reply> {
        self.http.send(self, &Request::get(self.address(file)?))
    }

    /// What the shop says of itself.
    pub(crate) fn shop(&self) -> Result<ShopInfo> {
        let reply = self.get("shop.json")?;
        let (shop, _) = reply.json::<Shop>()?;
        Ok(ShopInfo {
            remote_id: shop.id,
            title: shop.name,
            url: self.url.to_string(),
            currency: Currency::new(&shop.currency),
            time_zone: "UTC".to_owned(),
            orders: None,
            facts: serde_json::Value::Null,
            warnings: Vec::new(),
        })
    }

    /// Carries out a write; the receipt is the id of the shipment that was made.
    pub(crate) fn carry_out(&self, operation: &Operation) -> Result<Option<String>> {
        let (method, file, body) = match operation {
            Operation::Ship { order, mark, carrier, tracking, lines } => (
                Method::POST,
                format!("orders/{order}/shipments.json"),
                json!({ "mark": mark, "carrier": carrier, "tracking": tracking, "lines": lines }),
            ),
            Operation::Retrack { order, shipment, carrier, tracking } => (
                Method::PUT,
                format!("orders/{order}/shipments/{shipment}.json"),
                json!({ "carrier": carrier, "tracking": tracking }),
            ),
            Operation::Cancel { order } => (Method::POST, format!("orders/{order}/cancel.json"), json!({})),
        };
        let reply = self.http.send(self, &Request::write_json(method, self.address(&file)?, &body))?;
        Ok(reply.json::<Made>().ok().map(|(made, _)| made.id))
    }

    fn address(&self, file: &str) -> Result<Url> {
        self.url.join(file).map_err(|why| Error::new(ErrorKind::Failed, format!("{file}: {why}; nothing was sent")))
    }
}

impl Protocol for Api {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        let token = self.credentials.need("token")?;
        let unsendable = |_| Error::new(ErrorKind::Credentials, "the token cannot be sent; nothing was sent");
        let mut value = HeaderValue::from_str(token.reveal()).map_err(unsendable)?;
        value.set_sensitive(true);
        request.headers.insert("x-token", value);
        Ok(())
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        match (reply.status, request.effect) {
            // A file that is not there.
            (404, Effect::Read) => Verdict::Good,
            (status @ (400 | 404 | 409 | 422), Effect::Write) => status::refused(&WORDS, request, status, ""),
            _ => status::classify(&WORDS, request, reply, self.http.clock().now()),
        }
    }
}
