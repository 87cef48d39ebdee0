//! Shopify's deliveries: signed with the app's own secret, which is that of all its shops.
//!
//! Sources (November 2026): shopify.dev `apps/build/webhooks` (delivery structure, verify
//! deliveries, manage subscriptions), and the Admin GraphQL schema. A failed delivery is repeated
//! eight times within four hours, with its old body, to the address that it was first meant for;
//! after eight in a row that fail the subscription is deleted. The order of deliveries means nothing,
//! and one event may come under several ids.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Api;
use super::operation::Payload;
use super::settings::Settings;
use super::{operation, query};
use crate::channel::Values;
use crate::channel::webhooks::{Delivery, Hook, HookChange, Keys, Test, Told, Webhooks, order_id};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::sign::hmac_sha256;
use crate::secret::Secret;

/// What is known of the deliveries. What else happens to an order (refunds, shipments, edits) is told
/// as `ORDERS_UPDATED` as well, but for holds, which are of its fulfilment orders.
pub(super) const WEBHOOKS: Webhooks = Webhooks {
    topics: &[
        "ORDERS_CREATE",
        "ORDERS_UPDATED",
        "ORDERS_CANCELLED",
        "ORDERS_DELETE",
        "FULFILLMENT_ORDERS_PLACED_ON_HOLD",
        "FULFILLMENT_ORDERS_HOLD_RELEASED",
    ],
    signed_with: &["client_secret", "api_secret"],
    takes_our_key: false,
    comes_within: TimeDelta::hours(4),
    needs: "",
    deletes: true,
    application: None,
    challenge: None,
    key_id: None,
    port: None,
    read,
    test: Some(test),
};

/// Of the order in a body nothing but which it is.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    id: Value,
    /// Of a hold no more than what is held is told, not of which order it is.
    #[serde(default)]
    fulfillment_order: Value,
}

/// Whether an id is that of a fulfilment order, by which its order is asked for.
pub(super) fn is_route(id: &str) -> bool {
    let number = id.strip_prefix("gid://shopify/FulfillmentOrder/");
    number.is_some_and(|number| order_id(&Value::from(number)).is_some())
}

fn read(delivery: &Delivery<'_>) -> Told {
    let signature = header(delivery, "hmac-sha256").unwrap_or_default();
    if !delivery.is_signed(&delivery.keys.vendor, &[delivery.body], signature) {
        return Told::Refused;
    }
    // The secret is the app's, so the shop has to be the right one as well.
    let shop = Settings::read(delivery.values).map(|settings| settings.shop);
    if !header(delivery, "shop-domain").zip(shop.ok()).is_some_and(|(named, own)| named.eq_ignore_ascii_case(&own)) {
        return Told::Refused;
    }
    let Ok(body) = serde_json::from_slice::<Body>(delivery.body) else { return Told::Refused };
    let topic = header(delivery, "topic").unwrap_or_default();
    let id = match topic {
        _ if topic.starts_with("orders/") => order_id(&body.id),
        "fulfillment_orders/placed_on_hold" | "fulfillment_orders/hold_released" => {
            body.fulfillment_order["id"].as_str().filter(|id| is_route(id)).map(str::to_owned)
        }
        _ => None,
    };
    match id {
        Some(id) => Told::Orders { ids: vec![id], key: header(delivery, "webhook-id").map(str::to_owned) },
        _ => Told::Nothing,
    }
}

fn test(values: &Values, keys: &Keys, _: Timestamp, text: &str) -> Test {
    let body = json!({ "test": text }).to_string().into_bytes();
    let key = keys.vendor.first().map_or("", Secret::reveal);
    let headers = vec![
        ("X-Shopify-Hmac-SHA256", hmac_sha256(key.as_bytes(), &body)),
        ("X-Shopify-Shop-Domain", Settings::read(values).map(|settings| settings.shop).unwrap_or_default()),
        ("X-Shopify-Topic", "ordersync/test".to_owned()),
        ("Content-Type", "application/json".to_owned()),
    ];
    Test { headers, body }
}

/// A header of Shopify's; the next kind of deliveries has them without the `X-`.
fn header<'a>(delivery: &'a Delivery<'_>, name: &str) -> Option<&'a str> {
    delivery.header(&format!("x-shopify-{name}")).or_else(|| delivery.header(&format!("shopify-{name}")))
}

/// A page of the app's subscriptions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    webhook_subscriptions: Page,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    page_info: PageInfo,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    topic: String,
    #[serde(default)]
    uri: String,
}

/// How many pages of subscriptions are looked through.
const MOST_PAGES: u32 = 20;

/// The app's subscriptions in the shop; those that fail are deleted, so what there is delivers.
pub(super) fn list(api: &Api) -> Result<Vec<Hook>> {
    let (mut hooks, mut after) = (Vec::new(), None::<String>);
    for _ in 0..MOST_PAGES {
        let found: Found = api.ask(&query::HOOKS, json!({ "after": after }))?.read()?;
        let page = found.webhook_subscriptions;
        let hook = |node: Node| Hook { id: node.id, topic: node.topic, address: node.uri, is_active: true };
        hooks.extend(page.nodes.into_iter().map(hook));
        match page.page_info.end_cursor.filter(|_| page.page_info.has_next_page) {
            Some(cursor) => after = Some(cursor),
            None => return Ok(hooks),
        }
    }
    Err(Error::new(
        ErrorKind::Unreadable,
        "the app has more webhooks in the shop than can be looked through; none was changed",
    ))
}

/// Whether a topic is of fulfilment orders, which an app may be denied.
pub(super) fn is_of_routes(topic: &str) -> bool {
    topic.starts_with("FULFILLMENT_ORDERS_")
}

/// Carries out a change. What is as wished already is no error.
pub(super) fn change(api: &Api, change: &HookChange) -> Result<()> {
    let (document, variables, is_done) = match change {
        HookChange::Create { topic, address, .. } => {
            let hook = json!({ "uri": address, "format": "JSON" });
            (&query::SUBSCRIBE, json!({ "topic": topic, "hook": hook }), "already been taken")
        }
        HookChange::Enable(_) => return Ok(()),
        HookChange::Remove(hook) => (&query::UNSUBSCRIBE, json!({ "id": hook.id }), "does not exist"),
    };
    let payload = Payload::of(&api.tell(document, variables)?)?.unwrap_or_default();
    match payload.errors.first().map(|error| &*error.message) {
        Some(why) if !why.contains(is_done) => Err(Error::new(ErrorKind::Rejected, operation::refusal(why))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(&str, &str)], body: &[u8], keys: &[&str]) -> Told {
        let keys = Keys { vendor: keys.iter().copied().map(Secret::new).collect(), own: Vec::new(), fetched: None };
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        let values = Values::from([("shop".to_owned(), "tea-and-cups.myshopify.com".to_owned())]);
        read(&Delivery { headers: &headers, body, values: &values, keys: &keys, now: crate::clock::from_millis(0) })
    }

    /// By `printf %s BODY | openssl dgst -sha256 -hmac hush -binary | base64`, as the vendor says how to
    /// verify one (base64 of the HMAC of the raw body with the client secret).
    #[test]
    fn w2_a_signature_made_by_another_program_is_good() {
        let (body, good) =
            (r##"{"id":820982911946154508,"name":"#9999"}"##, "YBwnJ9vsibq7srObgXybmGHWuwos+jDEL//7749XS78=");
        fn headers(signature: &str) -> [(&str, &str); 3] {
            [
                ("x-shopify-hmac-sha256", signature),
                ("x-shopify-shop-domain", "tea-and-cups.myshopify.com"),
                ("x-shopify-topic", "orders/create"),
            ]
        }
        let orders = Told::Orders { ids: vec!["820982911946154508".to_owned()], key: None };
        assert_eq!(told(&headers(good), body.as_bytes(), &["hush"]), orders);
        for bad in ["", "AAAA", &good[1..], &good.to_lowercase(), &good.replace('=', "")] {
            assert_eq!(told(&headers(bad), body.as_bytes(), &["hush"]), Told::Refused, "{bad}");
        }
        assert_eq!(told(&headers(good), format!("{body} ").as_bytes(), &["hush"]), Told::Refused);
    }

    #[test]
    fn w2_a_delivery_is_signed_by_its_raw_bytes_for_this_shop() {
        let body = "{\"id\":820982911946154508,\"note\":\"Grüße 🌷\",\"total\":\"403.00\"}".as_bytes();
        let signature = hmac_sha256(b"new", body);
        let good = [
            ("x-shopify-hmac-sha256", signature.as_str()),
            ("x-shopify-shop-domain", "Tea-and-Cups.myshopify.com"),
            ("x-shopify-topic", "orders/updated"),
            ("x-shopify-webhook-id", "b54557e4"),
        ];
        let orders = Told::Orders { ids: vec!["820982911946154508".to_owned()], key: Some("b54557e4".to_owned()) };
        assert_eq!(told(&good, body, &["new"]), orders);
        assert_eq!(told(&good, body, &["newer", "new"]), orders, "while the secret is replaced, both are good");
        assert_eq!(told(&good, body, &["other"]), Told::Refused);
        assert_eq!(told(&good, body, &[]), Told::Refused);
        assert_eq!(told(&good, &body[1..], &["new"]), Told::Refused);
        let bare = good.map(|(name, value)| (&name[2..], value));
        assert_eq!(told(&bare, body, &["new"]), orders, "without the X-");
        for (nth, other) in [(1, "other.myshopify.com"), (1, ""), (0, "AAAA")] {
            let mut headers = good;
            headers[nth].1 = other;
            assert_eq!(told(&headers, body, &["new"]), Told::Refused, "{other}");
        }
        let mut headers = good;
        headers[2].1 = "products/update";
        assert_eq!(told(&headers, body, &["new"]), Told::Nothing);
        for (id, is_told) in
            [("gid://shopify/FulfillmentOrder/7", true), ("gid://shopify/Order/7", false), ("7", false)]
        {
            let body = format!(r#"{{"id":9,"fulfillment_order":{{"id":"{id}","status":"on_hold"}}}}"#);
            let signature = hmac_sha256(b"new", body.as_bytes());
            let mut headers = headers;
            (headers[0].1, headers[2].1) = (&signature, "fulfillment_orders/placed_on_hold");
            let orders = Told::Orders { ids: vec![id.to_owned()], key: Some("b54557e4".to_owned()) };
            assert_eq!(told(&headers, body.as_bytes(), &["new"]), if is_told { orders } else { Told::Nothing });
        }
    }
}
