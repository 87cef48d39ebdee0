//! BigCommerce's deliveries: thin, signed by the Standard Webhooks with the client secret of the API
//! account, and with a header of our own.
//!
//! Sources: the vendor's `integrations/webhooks` (overview, https webhooks, events), the OpenAPI file
//! `webhooks.v3.yml`, github.com/standard-webhooks. A failed delivery is repeated for about 48 hours,
//! then the subscription is switched off; so it is after 90 days without an event. Not confirmed, so
//! handled both ways: whether every delivery to every store is signed. Where one is not, our own
//! header proves it.

use chrono::TimeDelta;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Api;
use super::settings::Settings;
use crate::channel::Values;
use crate::channel::webhooks::{Delivery, Hook, HookChange, Keys, Test, Told, Webhooks, order_id};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::sign::{hmac_sha256, is_same};
use crate::secret::Secret;

/// What is known of the deliveries. An order that is placed or changed is told in several, one of
/// them for checkouts that are not finished.
pub(super) const WEBHOOKS: Webhooks = Webhooks {
    topics: &["store/order/*", "store/shipment/*"],
    signed_with: &["client_secret"],
    takes_our_key: true,
    comes_within: TimeDelta::hours(48),
    needs: "",
    deletes: true,
    application: None,
    challenge: None,
    key_id: None,
    port: Some(443),
    read,
    test: Some(test),
};

/// The header of our own, in lower case.
const OUR_KEY: &str = "x-ordersync-key";

/// How far a delivery's time may be from ours, by the standard; what is older may be a replay.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    scope: String,
    #[serde(default)]
    producer: String,
    #[serde(default)]
    hash: String,
    #[serde(default)]
    created_at: Value,
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    order_id: Value,
}

fn read(delivery: &Delivery<'_>) -> Told {
    if !is_proven(delivery) {
        return Told::Refused;
    }
    let Ok(body) = serde_json::from_slice::<Body>(delivery.body) else { return Told::Refused };
    let own = Settings::read(delivery.values).map(|settings| format!("stores/{}", settings.store_hash));
    if own.ok().as_ref() != Some(&body.producer) {
        return Told::Refused;
    }
    let id = match body.scope.split('/').nth(1) {
        Some("order") => order_id(&body.data.id),
        Some("shipment") => order_id(&body.data.order_id),
        _ => None,
    };
    // The hash is that of the event: one that is sent again has it again, and its other scopes have
    // it, too. Two changes of one order may share it, so its time belongs to it.
    let key = || match (delivery.header("webhook-id"), body.hash.as_str()) {
        (Some(id), _) => Some(id.to_owned()),
        (None, "") => None,
        (None, hash) => Some(format!("{} {hash} {}", body.scope, body.created_at)),
    };
    id.map_or(Told::Nothing, |id| Told::Orders { ids: vec![id], key: key() })
}

/// With the signature where there is a key to it, and with our own header, as the channel sends it.
fn test(values: &Values, keys: &Keys, now: Timestamp, text: &str) -> Test {
    let producer = Settings::read(values).map(|settings| format!("stores/{}", settings.store_hash)).unwrap_or_default();
    let body = json!({ "scope": "ordersync/test", "producer": producer, "test": text }).to_string().into_bytes();
    let mut headers = vec![
        ("X-Ordersync-Key", keys.own.first().map_or("", Secret::reveal).to_owned()),
        ("Content-Type", "application/json".to_owned()),
    ];
    if let Some(key) = keys.vendor.first() {
        let (id, time) = ("ordersync-test", now.timestamp().to_string());
        let message = [id.as_bytes(), b".", time.as_bytes(), b".", &body].concat();
        headers.extend([
            ("webhook-signature", format!("v1,{}", hmac_sha256(key.reveal().as_bytes(), &message))),
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", time),
        ]);
    }
    Test { headers, body }
}

fn is_proven(delivery: &Delivery<'_>) -> bool {
    match delivery.header("webhook-signature") {
        Some(signatures) if !delivery.keys.vendor.is_empty() => is_signed(delivery, signatures),
        _ => delivery.header(OUR_KEY).is_some_and(|given| {
            delivery.keys.own.iter().any(|key| is_same(key.reveal().as_bytes(), given.as_bytes()))
        }),
    }
}

/// Standard Webhooks: `v1,` and the signature of id, time and body, one or several with blanks
/// between.
fn is_signed(delivery: &Delivery<'_>, signatures: &str) -> bool {
    let (Some(id), Some(time)) = (delivery.header("webhook-id"), delivery.header("webhook-timestamp")) else {
        return false;
    };
    let at = time.parse().ok().and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    let is_fresh = at.is_some_and(|at| (delivery.now - at).abs() <= TOLERANCE);
    let message = [id.as_bytes(), b".", time.as_bytes(), b".", delivery.body];
    let mut signatures = signatures.split(' ').filter_map(|one| one.strip_prefix("v1,"));
    is_fresh && signatures.any(|one| delivery.is_signed(&delivery.keys.vendor, &message, one))
}

#[derive(Deserialize)]
struct Row {
    id: u64,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    destination: String,
    #[serde(default)]
    is_active: bool,
}

/// The subscriptions of this API account.
pub(super) fn list(api: &Api) -> Result<Vec<Hook>> {
    let hook = |row: Box<serde_json::value::RawValue>| {
        let odd =
            || Error::new(ErrorKind::Unreadable, "the store shows a webhook that cannot be read; none was changed");
        let row: Row = serde_json::from_str(row.get()).map_err(|_| odd())?;
        Ok(Hook { id: row.id.to_string(), topic: row.scope, address: row.destination, is_active: row.is_active })
    };
    api.all_v3("v3/hooks", None)?.into_iter().map(hook).collect()
}

/// Carries out a change.
pub(super) fn change(api: &Api, change: &HookChange) -> Result<()> {
    let of = |hook: &Hook| super::numeric(&hook.id).map(|id| format!("v3/hooks/{id}"));
    let (method, route, body) = match change {
        HookChange::Create { topic, address, key } => {
            let body = json!({ "scope": topic, "destination": address, "is_active": true,
                "headers": { "X-Ordersync-Key": key.reveal() } });
            (Method::POST, "v3/hooks".to_owned(), body)
        }
        HookChange::Enable(hook) => (Method::PUT, of(hook)?, json!({ "is_active": true })),
        HookChange::Remove(hook) => (Method::DELETE, of(hook)?, Value::Null),
    };
    api.change_hook(method, &route, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    const BODY: &str = r#"{"scope":"store/order/statusUpdated","store_id":"1025646","data":{"type":"order","id":250},"hash":"7ee6","created_at":1561479335,"producer":"stores/abc123"}"#;

    fn told(headers: &[(&str, &str)], body: &str, vendor: &[&str]) -> Told {
        let secrets = |keys: &[&str]| keys.iter().copied().map(Secret::new).collect();
        let keys = Keys { vendor: secrets(vendor), own: secrets(&["ours"]), fetched: None };
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        let values = Values::from([("store_hash".to_owned(), "abc123".to_owned())]);
        let now = from_millis(1_795_000_000_000);
        read(&Delivery { headers: &headers, body: body.as_bytes(), values: &values, keys: &keys, now })
    }

    fn signed(body: &str, seconds: i64, key: &str) -> Told {
        let time = seconds.to_string();
        let one = hmac_sha256(key.as_bytes(), format!("msg_1.{time}.{body}").as_bytes());
        let signatures = format!("v1,AAAA v2,{one} v1,{one}");
        told(
            &[("webhook-id", "msg_1"), ("webhook-timestamp", &time), ("webhook-signature", &signatures)],
            body,
            &["secret"],
        )
    }

    #[test]
    fn w2_the_standard_s_own_example_is_signed() {
        // github.com/standard-webhooks/standard-webhooks, the specification's example.
        let key =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
                .unwrap();
        let message = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        let signature = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert!(crate::http::sign::is_hmac_sha256(&key, &[message.as_bytes()], signature));
    }

    #[test]
    fn w2_a_delivery_is_signed_or_has_our_header_and_is_this_store_s() {
        let now = 1_795_000_000;
        let orders = |key: &str| Told::Orders { ids: vec!["250".to_owned()], key: Some(key.to_owned()) };
        assert_eq!(signed(BODY, now, "secret"), orders("msg_1"));
        assert_eq!(signed(BODY, now, "other"), Told::Refused);
        // Clocks may differ by five minutes, either way.
        for (apart, is_good) in [(299, true), (-299, true), (301, false), (-301, false), (i64::MAX - now, false)] {
            assert_eq!(signed(BODY, now + apart, "secret") == orders("msg_1"), is_good, "{apart}");
        }
        assert_eq!(signed(&BODY.replace("abc123", "other1"), now, "secret"), Told::Refused, "another store's");
        let shipment =
            BODY.replace("order/statusUpdated", "shipment/created").replace("\"id\":250", "\"id\":12,\"orderId\":250");
        assert_eq!(signed(&shipment, now, "secret"), orders("msg_1"));
        assert_eq!(signed(&BODY.replace("store/order", "store/product"), now, "secret"), Told::Nothing);
        for odd in ["-1", "9223372036854775808", "1.5", "null", "\"7/../9\""] {
            assert_eq!(signed(&BODY.replace("250", odd), now, "secret"), Told::Nothing, "{odd}");
        }
        assert_eq!(signed(&BODY.replace("\"hash\"", "\"scope\""), now, "secret"), Told::Refused, "two scopes");
        // Where nothing is signed, our own header proves it; a bad signature it does not mend.
        assert_eq!(told(&[(OUR_KEY, "ours")], BODY, &["secret"]), orders("store/order/statusUpdated 7ee6 1561479335"));
        assert_eq!(told(&[(OUR_KEY, "ours")], BODY, &[]), orders("store/order/statusUpdated 7ee6 1561479335"));
        assert_eq!(told(&[(OUR_KEY, "other")], BODY, &[]), Told::Refused);
        assert_eq!(told(&[(OUR_KEY, "ours"), ("webhook-signature", "v1,AAAA")], BODY, &["secret"]), Told::Refused);
        assert_eq!(told(&[], BODY, &["secret"]), Told::Refused);
    }
}
