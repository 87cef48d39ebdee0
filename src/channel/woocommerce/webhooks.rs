//! WooCommerce's deliveries: signed with a key that goes with the subscription, by the letters of
//! the body; and a test that is not signed at all.
//!
//! Source: `class-wc-webhook.php` (`deliver`, `deliver_ping`, `generate_signature`,
//! `failed_delivery`) and deliveries recorded from real shops. A failed delivery is not repeated;
//! after more than five in a row the shop switches the subscription off in silence.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::api::Api;
use super::operation::Operation;
use crate::channel::Values;
use crate::channel::rows;
use crate::channel::webhooks::{Delivery, Hook, HookChange, Keys, Test, Told, Webhooks, order_id};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::sign::hmac_sha256;
use crate::secret::Secret;

/// What is known of the deliveries.
pub(super) const WEBHOOKS: Webhooks = Webhooks {
    topics: &["order.created", "order.updated", "order.deleted", "order.restored"],
    signed_with: &[],
    takes_our_key: true,
    // Sent by WP-Cron, which a shop without visitors runs late.
    comes_within: TimeDelta::hours(1),
    needs: "",
    deletes: true,
    application: None,
    challenge: None,
    key_id: None,
    port: None,
    read,
    test: Some(test),
};

/// How many subscriptions a shop can have that are looked through.
const MOST_PAGES: u32 = 20;

/// Of the order in a body nothing but what tells which it is; of one that was deleted there is no
/// more.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    date_modified_gmt: Value,
}

fn read(delivery: &Delivery<'_>) -> Told {
    if is_ping(delivery) {
        return Told::Nothing;
    }
    let signature = delivery.header("x-wc-webhook-signature").unwrap_or_default();
    if !delivery.is_signed(&delivery.keys.own, &[delivery.body], signature) {
        return Told::Refused;
    }
    // The body is what is signed; the headers are not, so nothing hangs on the topic.
    let Ok(body) = serde_json::from_slice::<Body>(delivery.body) else { return Told::Refused };
    // What the shop could not render is an error in place of the order.
    let Some(id) = order_id(&body.id) else { return Told::Nothing };
    // The ids of deliveries are those of the second, and a save that moves no date is told as well;
    // an order may be again as it was. So the same letters under the same id are the same delivery;
    // of a deleted order nothing tells one time from the next.
    let number = delivery.header("x-wc-webhook-delivery-id").filter(|_| body.date_modified_gmt.is_string());
    let key = number.map(|number| {
        let hash = Sha256::new().chain_update(number).chain_update(delivery.body).finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    });
    Told::Orders { ids: vec![id], key }
}

fn test(_: &Values, keys: &Keys, _: Timestamp, text: &str) -> Test {
    let body = json!({ "test": text }).to_string().into_bytes();
    let key = keys.own.first().map_or("", Secret::reveal);
    let headers = vec![
        ("X-WC-Webhook-Topic", "ordersync.test".to_owned()),
        ("X-WC-Webhook-Signature", hmac_sha256(key.as_bytes(), &body)),
        ("Content-Type", "application/json".to_owned()),
    ];
    Test { headers, body }
}

/// The test of a new subscription: a form with its number, without a signature. Whoever does not
/// answer it 200 has the subscription switched off.
fn is_ping(delivery: &Delivery<'_>) -> bool {
    let is_form =
        delivery.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let number = delivery.body.strip_prefix(b"webhook_id=").unwrap_or_default();
    is_form && (1..=20).contains(&number.len()) && number.iter().all(u8::is_ascii_digit)
}

#[derive(Deserialize)]
struct Row {
    id: u64,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    delivery_url: String,
    #[serde(default)]
    status: String,
}

/// Every subscription of the shop, whoever has made it.
pub(super) fn list(api: &Api) -> Result<Vec<Hook>> {
    let mut hooks = Vec::new();
    for page in 1..=MOST_PAGES {
        let reply = api.list("wc/v3/webhooks", &[("per_page", "100".to_owned()), ("page", page.to_string())])?;
        if reply.status == 404 {
            let text = "the shop has no route for webhooks; nothing was subscribed to";
            return Err(Error::new(ErrorKind::Unsupported, text).hint("update WooCommerce to 3.0 or later"));
        }
        let (found, _) = reply.json::<Vec<Row>>()?;
        let is_last = found.len() < 100;
        hooks.extend(found.into_iter().map(|row| Hook {
            id: row.id.to_string(),
            topic: row.topic,
            address: row.delivery_url,
            is_active: row.status == "active",
        }));
        if is_last {
            return Ok(hooks);
        }
    }
    let text = format!("the shop has more than {} webhooks; none was changed", MOST_PAGES * 100);
    Err(Error::new(ErrorKind::Unreadable, text))
}

/// Carries out a change.
pub(super) fn change(api: &Api, change: &HookChange) -> Result<()> {
    let number = |hook: &Hook| super::super::numeric(&hook.id, "a WooCommerce shop");
    let operation = match change {
        HookChange::Create { topic, address, key } => {
            Operation::Subscribe { topic, address: address.clone(), key: key.clone() }
        }
        HookChange::Enable(hook) => Operation::Resume { hook: number(hook)? },
        HookChange::Remove(hook) => Operation::Unsubscribe { hook: number(hook)? },
    };
    let reply = api.write(&operation)?;
    rows::single(&reply).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    const BODY: &str = r#"{"id":727,"date_modified_gmt":"2026-11-23T10:00:00"}"#;

    /// As `generate_signature` has it: `base64_encode(hash_hmac('sha256', $payload, $secret, true))`; by
    /// `printf %s BODY | openssl dgst -sha256 -hmac 'made up' -binary | base64`.
    const GOOD: &str = "MTc9jxPXMc6PBQXfnr1IHBLivijHC3p1OzWT3YMdgKA=";

    fn told(headers: &[(&str, &str)], body: &str) -> Told {
        let keys = Keys { vendor: Vec::new(), own: vec![Secret::new("made up")], fetched: None };
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        let now = from_millis(1_795_000_000_000);
        read(&Delivery { headers: &headers, body: body.as_bytes(), values: &Values::new(), keys: &keys, now })
    }

    fn signed(body: &str) -> Told {
        let signature = hmac_sha256(b"made up", body.as_bytes());
        told(&[("x-wc-webhook-signature", &signature), ("x-wc-webhook-delivery-id", "65b4")], body)
    }

    fn key(told: Told) -> Option<String> {
        match told {
            Told::Orders { key, .. } => key,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn w2_a_signature_made_by_another_program_is_good_and_any_other_is_not() {
        let of = |signature: &str| told(&[("x-wc-webhook-signature", signature)], BODY);
        assert_eq!(of(GOOD), Told::Orders { ids: vec!["727".to_owned()], key: None });
        for bad in ["", "AAAA", &GOOD[1..], &GOOD.to_lowercase(), &GOOD.replace('=', "")] {
            assert_eq!(of(bad), Told::Refused, "{bad}");
        }
        assert_eq!(told(&[], BODY), Told::Refused);
        assert_eq!(told(&[("x-wc-webhook-signature", GOOD)], &BODY.replace("727", "728")), Told::Refused);
        let twice = [("x-wc-webhook-signature", GOOD), ("x-wc-webhook-signature", "AAAA")];
        assert_eq!(told(&twice, BODY), Told::Refused);
    }

    #[test]
    fn w2_the_ping_alone_needs_no_signature_and_is_about_nothing() {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(told(&form, "webhook_id=142"), Told::Nothing);
        for odd in
            ["webhook_id=", "webhook_id=1&id=7", "webhook_id=x", "id=7", "", BODY, "webhook_id=123456789012345678901"]
        {
            assert_eq!(told(&form, odd), Told::Refused, "{odd}");
        }
        assert_eq!(told(&[("content-type", "application/json")], "webhook_id=142"), Told::Refused);
    }

    #[test]
    fn w2_what_is_no_order_is_nothing_and_one_delivery_is_known_again() {
        // What the shop could not render.
        let error =
            r#"{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}"#;
        assert_eq!(signed(error), Told::Nothing);
        for odd in ["-1", "9223372036854775808", "1.5", "null", "\"7/../9\""] {
            assert_eq!(signed(&BODY.replace("727", odd)), Told::Nothing, "{odd}");
        }
        assert_eq!(signed(&BODY.replace("\"date_modified_gmt\"", "\"id\"")), Told::Refused, "two ids");
        assert_eq!((signed("[]"), signed("{")), (Told::Nothing, Told::Refused));
        // Two deliveries of a second have one id; the same letters again are the same delivery.
        let later = BODY.replace("10:00", "11:00");
        assert!(key(signed(BODY)).is_some());
        assert_eq!(key(signed(BODY)), key(signed(BODY)));
        assert_ne!(key(signed(BODY)), key(signed(&later)));
        assert_eq!(key(signed(r#"{"id":727}"#)), None, "of a deleted order nothing tells one time from the next");
    }
}
