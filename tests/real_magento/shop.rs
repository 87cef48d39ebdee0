//! The shop by other means than the program's: a signer of its own, the buyer's checkout, the
//! merchant's own calls.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

/// What opens the shop, by the names of the environment's variables.
pub const KEYS: [&str; 4] = ["CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET"];

/// What every variable of this test begins with.
pub const PREFIX: &str = "ORDERSYNC_REAL_MAGENTO_";

/// A real shop.
pub struct Shop {
    /// `host:port`.
    pub server: String,
    /// What its addresses begin with, without a slash at the end.
    pub path: String,
    /// In the order of [`KEYS`].
    pub keys: [String; 4],
}

/// What an answer is.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// The body of an answer that is good.
    pub fn good(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }
}

impl Shop {
    /// That of the environment; `None` where it names none.
    pub fn named() -> Option<Self> {
        let var = |name: &str| std::env::var(format!("{PREFIX}{name}")).ok().filter(|value| !value.is_empty());
        let url = url::Url::parse(&var("URL")?).unwrap();
        let host = url.host_str().unwrap_or_default();
        let is_here = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
        assert!(
            url.scheme() == "http" && is_here,
            "{PREFIX}URL: this test places, ships and cancels orders, so the shop has to be one at http:// on loopback"
        );
        let key = |name: &str| var(name).unwrap_or_else(|| panic!("{PREFIX}{name} is missing beside {PREFIX}URL"));
        Some(Self {
            server: format!("{host}:{}", url.port_or_known_default().unwrap()),
            path: url.path().trim_end_matches('/').to_owned(),
            keys: KEYS.map(key),
        })
    }

    fn host(&self) -> &str {
        self.server.strip_suffix(":80").unwrap_or(&self.server)
    }

    /// A call of the merchant, signed. `query` is plain.
    pub fn call(&self, method: &str, route: &str, query: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let path = format!("{}/rest/all/V1/{route}", self.path);
        let pairs = |sign: &str| {
            query
                .iter()
                .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
                .collect::<Vec<_>>()
                .join(sign)
        };
        let target = if query.is_empty() { path.clone() } else { format!("{path}?{}", pairs("&")) };
        let header = format!("Authorization: {}\r\n", self.signed(method, &path, query));
        self.send(method, &target, &header, body)
    }

    /// A call of a buyer, who has no key.
    pub fn anonymous(&self, method: &str, route: &str, body: Option<&Value>) -> Answer {
        self.send(method, &format!("{}/rest/default/V1/{route}", self.path), "", body)
    }

    fn signed(&self, method: &str, path: &str, query: &[(&str, &str)]) -> String {
        let [key, secret, token, token_secret] = &self.keys;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let ours = [
            ("oauth_consumer_key", key.clone()),
            ("oauth_nonce", nonce.iter().map(|byte| format!("{byte:02x}")).collect()),
            ("oauth_signature_method", "HMAC-SHA256".to_owned()),
            ("oauth_timestamp", now.to_string()),
            ("oauth_token", token.clone()),
            ("oauth_version", "1.0".to_owned()),
        ];
        let theirs = query.iter().map(|(name, value)| (encode(name), encode(value)));
        let mut all: Vec<_> = ours.iter().map(|(name, value)| (encode(name), encode(value))).chain(theirs).collect();
        all.sort();
        let all = all.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let address = format!("http://{}{path}", self.host());
        let base = [method, &address, &all].map(encode).join("&");
        let key = format!("{}&{}", encode(secret), encode(token_secret));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(base.as_bytes());
        let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        let ours = ours.iter().map(|(name, value)| format!("{name}=\"{}\"", encode(value)));
        format!("OAuth {}, oauth_signature=\"{}\"", ours.collect::<Vec<_>>().join(", "), encode(&signature))
    }

    fn send(&self, method: &str, target: &str, header: &str, body: Option<&Value>) -> Answer {
        let (kind, body) =
            body.map_or(("", String::new()), |body| ("Content-Type: application/json\r\n", body.to_string()));
        let head = format!(
            "{method} {target} HTTP/1.0\r\nHost: {}\r\nAccept: application/json\r\n{kind}{header}Content-Length: {}\r\n\r\n",
            self.host(),
            body.len()
        );
        let mut shop = TcpStream::connect(&self.server).unwrap();
        shop.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = Vec::new();
        shop.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8(answer).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {target}: no answer"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.chars().take(500).collect()));
        Answer { status, body }
    }

    /// Reads something as the merchant.
    pub fn get(&self, route: &str) -> Value {
        self.call("GET", route, &[], None).good()
    }

    /// Does something as the merchant, which must succeed.
    pub fn post(&self, route: &str, body: &Value) -> Value {
        self.call("POST", route, &[], Some(body)).good()
    }

    /// The rows of a list of which a field has this value.
    pub fn found(&self, list: &str, field: &str, value: &str) -> Vec<Value> {
        let of = |name: &str| format!("searchCriteria[filterGroups][0][filters][0][{name}]");
        let (by, is) = (of("field"), of("value"));
        let rows =
            self.call("GET", list, &[(&by, field), (&is, value), ("searchCriteria[pageSize]", "200")], None).good();
        rows["items"].as_array().cloned().unwrap_or_default()
    }

    /// Every order that the shop has, page by page.
    pub fn orders(&self) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let page = (all.len() / 100 + 1).to_string();
            let query = [
                ("searchCriteria[sortOrders][0][field]", "entity_id"),
                ("searchCriteria[sortOrders][0][direction]", "ASC"),
                ("searchCriteria[pageSize]", "100"),
                ("searchCriteria[currentPage]", page.as_str()),
            ];
            let found = self.call("GET", "orders", &query, None).good();
            all.extend(found["items"].as_array().cloned().unwrap_or_default());
            if all.len() as u64 >= found["total_count"].as_u64().unwrap() {
                return all;
            }
        }
    }

    /// One order.
    pub fn order(&self, id: u64) -> Value {
        self.get(&format!("orders/{id}"))
    }

    /// How many pieces of each row of an order are sent, by the rows' places.
    pub fn sent(&self, id: u64) -> Vec<f64> {
        self.order(id)["items"].as_array().unwrap().iter().map(|item| item["qty_shipped"].as_f64().unwrap()).collect()
    }

    /// The tracking numbers of each shipment of an order.
    pub fn numbers(&self, id: u64) -> Vec<Vec<String>> {
        let number = |track: &Value| track["track_number"].as_str().unwrap().to_owned();
        let of = |one: &Value| one["tracks"].as_array().unwrap().iter().map(number).collect();
        self.found("shipments", "order_id", &id.to_string()).iter().map(of).collect()
    }

    /// The ids of an order's rows.
    pub fn rows(&self, id: u64) -> Vec<u64> {
        self.order(id)["items"].as_array().unwrap().iter().map(|item| item["item_id"].as_u64().unwrap()).collect()
    }

    /// The merchant has the money: the whole order is invoiced.
    pub fn invoice(&self, id: u64) {
        self.post(&format!("order/{id}/invoice"), &json!({ "capture": true, "notify": false }));
    }

    /// A buyer's order of these goods, by the checkout; its id.
    pub fn place(&self, goods: &[(&str, u32)]) -> u64 {
        let cart = self.anonymous("POST", "guest-carts", Some(&json!({}))).good();
        let cart = format!("guest-carts/{}", cart.as_str().unwrap());
        for (sku, qty) in goods {
            let mut item = json!({ "sku": sku, "qty": qty, "quote_id": cart.rsplit('/').next() });
            if let Some(option) = self.chosen(sku) {
                item["product_option"] = json!({ "extension_attributes": option });
            }
            self.anonymous("POST", &format!("{cart}/items"), Some(&json!({ "cartItem": item }))).good();
        }
        let address = json!({ "firstname": "Jürgen", "lastname": "Müller-Lüdenscheidt", "company": "Bäcker & Söhne",
            "street": ["Straße des 17. Juni 135", "Hinterhaus"], "city": "Köln", "postcode": "50667", "country_id": "DE",
            "telephone": "+49 221 1", "email": "buyer@example.com" });
        let body = json!({ "address": address });
        let ways = self.anonymous("POST", &format!("{cart}/estimate-shipping-methods"), Some(&body)).good();
        let way = ways.as_array().and_then(|ways| ways.first()).cloned().unwrap_or_default();
        let body = json!({ "addressInformation": { "shipping_address": address, "billing_address": address,
            "shipping_carrier_code": way["carrier_code"], "shipping_method_code": way["method_code"] } });
        let paying = self.anonymous("POST", &format!("{cart}/shipping-information"), Some(&body)).good();
        let ways = paying["payment_methods"].as_array().unwrap();
        let method = ways
            .iter()
            .find(|way| way["code"] == "checkmo")
            .unwrap_or_else(|| panic!("the shop has to take checks or money orders (checkmo): {ways:?}"));
        let body = json!({ "email": "buyer@example.com", "billingAddress": address, "paymentMethod": { "method": method["code"] } });
        let id = self.anonymous("POST", &format!("{cart}/payment-information"), Some(&body)).good();
        id.as_u64().or_else(|| id.as_str()?.parse().ok()).unwrap()
    }
}

/// As RFC 3986 has it.
pub fn encode(text: &str) -> String {
    let sign = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(sign).collect()
}
