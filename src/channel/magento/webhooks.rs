//! Deliveries of Magento's free module for asynchronous events: signed with a key that goes with
//! the subscription, in hexadecimal digits, without a time.
//!
//! Sources (November 2026): github.com/mage-os/mageos-async-events (`etc/webapi.xml`,
//! `AsyncEventRepository`, `EventDispatcher`, `HttpNotifier`, `RetryManager` and `RetryHandler`, at
//! 5ea908b and at 498d25e, the next major version) and mageos-common-async-events
//! (`etc/async_events.xml` and its observers at eac19bb).
//!
//! - A body is `{"data": ...}`, or a CloudEvent of the next version, which is sent without a
//!   Content-Type. What is in it is read by the sender when it sends: the order, or what was made
//!   for it.
//! - A delivery that is answered with an error is repeated five times within a minute; one that
//!   nobody answers never is.
//! - A subscription can be switched off and on again, and nothing else: no route deletes one or
//!   changes its address.
//! - Nothing tells of what moves no state: an edited address, a comment, a tracking number that was
//!   added. The syncs find those as ever.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::api::{Api, Criteria};
use super::operation::Operation;
use crate::channel::all_pages::{More, all_pages};
use crate::channel::webhooks::{Delivery, Hook, HookChange, Keys, Test, Told, Webhooks, order_id};
use crate::channel::{Values, meant, rows};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::sign::hmac_sha256_in_hex;
use crate::secret::Secret;

/// What is known of the deliveries. `updated` is every change of an order's state: held, released,
/// cancelled and shipped to the end are among them.
pub(super) const WEBHOOKS: Webhooks = Webhooks {
    topics: &[
        "sales.order.created",
        "sales.order.updated",
        "sales.order.paid",
        "sales.shipment.created",
        "sales.creditmemo.created",
    ],
    signed_with: &[],
    takes_our_key: true,
    // Its queue is worked off by Magento's cron, where nobody keeps a consumer running.
    comes_within: TimeDelta::hours(1),
    needs: "the free module mage-os/mageos-async-events",
    deletes: false,
    application: None,
    challenge: None,
    key_id: None,
    port: None,
    read,
    test: Some(test),
};

/// What to do where the shop has no such module.
const INSTALL: &str = "on the shop's server: composer require mage-os/mageos-async-events mage-os/mageos-common-async-events && bin/magento setup:upgrade; then permit the integration \"Asynchronous Events\", see that the consumers event.trigger.consumer and event.retry.consumer run, and run the command again";

fn read(delivery: &Delivery<'_>) -> Told {
    let signature = delivery.header("x-magento-signature").unwrap_or_default();
    if !delivery.is_signed_in_hex(&delivery.keys.own, &[delivery.body], signature) {
        return Told::Refused;
    }
    let Ok(body) = serde_json::from_slice::<Value>(delivery.body) else { return Told::Refused };
    // An order, or what was made for one. Only a CloudEvent says which.
    let entity = if body["data"].is_null() { &body } else { &body["data"] };
    let is_of_orders = body["type"].as_str().is_none_or(|topic| topic.starts_with("sales."));
    let order = if entity["order_id"].is_null() { &entity["entity_id"] } else { &entity["order_id"] };
    let Some(order) = order_id(order).filter(|_| is_of_orders) else { return Told::Nothing };
    // Each subscription has deliveries of its own, and one that is repeated keeps its id. Where
    // they have none, the same letters are the same delivery: the time of the change is among them.
    let key = match body["id"].as_str() {
        Some(id) => id.to_owned(),
        None => Sha256::digest(delivery.body).iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    Told::Orders { ids: vec![order], key: Some(key) }
}

fn test(_: &Values, keys: &Keys, _: Timestamp, text: &str) -> Test {
    let body = json!({ "data": { "test": text } }).to_string().into_bytes();
    let key = keys.own.first().map_or("", Secret::reveal);
    Test { headers: vec![("X-Magento-Signature", hmac_sha256_in_hex(key.as_bytes(), &body))], body }
}

#[derive(Deserialize)]
struct Row {
    subscription_id: u64,
    #[serde(default)]
    event_name: String,
    #[serde(default)]
    recipient_url: String,
    #[serde(default)]
    status: bool,
}

/// How many subscriptions are asked for at once.
const AT_ONCE: usize = 100;

/// Every subscription of the shop, whoever has made it, and those that are switched off.
///
/// # Errors
/// `Unsupported` where the shop has no such module.
pub(super) fn list(api: &Api) -> Result<Vec<Hook>> {
    let number = |row: &RawValue| rows::dug(row, "subscription_id").as_deref().and_then(meant);
    let rows = all_pages(
        "webhooks",
        Vec::new(),
        0u64,
        |row: &Box<_>| number(row),
        |after| {
            let criteria = Criteria {
                filters: vec![("subscription_id", "gt", after.to_string())],
                sort: vec![("subscription_id", false)],
                size: AT_ONCE,
                fields: "subscription_id,event_name,recipient_url,status",
            };
            let reply = api.search("async_events", &criteria, None)?;
            let found = rows::member(&reply, "items", "total_count")?;
            let rows: Vec<Box<RawValue>> = found.rows.into_iter().map(|row| row.into_owned()).collect();
            let last = rows.iter().filter_map(|row| number(row)).max();
            let more = if rows.len() < AT_ONCE { More::No } else { last.map_or(More::No, More::Yes) };
            Ok((rows, more))
        },
    );
    let rows = match rows {
        Err(error) if error.kind() == ErrorKind::NoStore => {
            return Err(missing("the shop does not have the free module for webhooks (asynchronous events)"));
        }
        rows => rows?,
    };
    let hook = |row: Box<RawValue>| {
        let odd =
            || Error::new(ErrorKind::Unreadable, "the shop shows a webhook that cannot be read; none was changed");
        let row: Row = serde_json::from_str(row.get()).map_err(|_| odd())?;
        let (id, topic, address) = (row.subscription_id.to_string(), row.event_name, row.recipient_url);
        Ok(Hook { id, topic, address, is_active: row.status })
    };
    rows.into_iter().map(hook).collect()
}

fn missing(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{what}; nothing was subscribed to")).hint(INSTALL)
}

/// Whether a module that has the events of orders is on. A shop takes a subscription to any word,
/// and tells nothing. Where the integration may not read which modules there are, one is.
fn tells_of_orders(api: &Api) -> Result<bool> {
    match api.get("modules", &[], None) {
        Ok(reply) => {
            let modules = reply.json::<Vec<String>>().map(|(modules, _)| modules).unwrap_or_default();
            Ok(modules.is_empty() || modules.iter().any(|module| module.ends_with("CommonAsyncEvents")))
        }
        Err(error) if matches!(error.kind(), ErrorKind::Temporary | ErrorKind::Interrupted) => Err(error),
        Err(_) => Ok(true),
    }
}

/// Carries out a change.
///
/// # Errors
/// `Unsupported` for a new one where the shop has no module that tells of orders. Only then that is
/// asked: the daily look at the subscriptions is one request.
pub(super) fn change(api: &Api, change: &HookChange) -> Result<()> {
    let switch = |hook: &Hook, is_on| {
        let number = super::numeric(&hook.id)?;
        Ok::<_, Error>(Operation::Switch { hook: number, topic: hook.topic.clone(), is_on })
    };
    let operation = match change {
        HookChange::Create { .. } if !tells_of_orders(api)? => {
            return Err(missing("the shop has the module for webhooks, and not the one by which it tells of orders"));
        }
        HookChange::Create { topic, address, key } => {
            Operation::Subscribe { topic, address: address.clone(), key: key.clone() }
        }
        HookChange::Enable(hook) => switch(hook, true)?,
        HookChange::Remove(hook) => switch(hook, false)?,
    };
    api.carry_out(&operation).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Values;
    use crate::channel::webhooks::Keys;
    use crate::clock::from_millis;
    use crate::secret::Secret;

    fn told(body: &str, signature: &str) -> Told {
        let keys = Keys { vendor: Vec::new(), own: vec![Secret::new("token")], fetched: None };
        let headers = [("x-magento-signature".to_owned(), signature.as_bytes().to_vec())];
        let now = from_millis(1_795_000_000_000);
        read(&Delivery { headers: &headers, body: body.as_bytes(), values: &Values::new(), keys: &keys, now })
    }

    fn signed(body: &str) -> Told {
        use base64::Engine;
        let code = base64::engine::general_purpose::STANDARD
            .decode(crate::http::sign::hmac_sha256(b"token", body.as_bytes()))
            .unwrap();
        told(body, &code.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    /// By `printf %s BODY | openssl dgst -sha256 -hmac token`.
    #[test]
    fn w2_a_signature_made_by_another_program_is_good_and_any_other_is_not() {
        let (body, good) =
            (r#"{"data":{"entity_id":7}}"#, "914bd45d821c992d3570b649a740338368efe3517bdc30cfbac71e55b080edfb");
        assert!(matches!(told(body, good), Told::Orders { ids, .. } if ids == ["7"]));
        assert!(matches!(told(body, &good.to_uppercase()), Told::Orders { .. }));
        let long = format!("{good}00");
        for bad in ["", "zz", &good[1..], &good[2..], &long, &good.replace('0', "1"), "AAAA"] {
            assert_eq!(told(body, bad), Told::Refused, "{bad}");
        }
        assert_eq!(told(&format!("{body} "), good), Told::Refused);
    }

    /// What is said twice names one order, and that is read from the shop: nothing else comes of it.
    #[test]
    fn w2_a_member_that_comes_twice_names_one_order() {
        for (body, id) in [
            (r#"{"data":{"entity_id":7,"entity_id":8}}"#, "8"),
            (r#"{"data":{"entity_id":7},"data":{"entity_id":8}}"#, "8"),
            (r#"{"data":{"order_id":9,"entity_id":7,"order_id":8}}"#, "8"),
        ] {
            assert!(matches!(signed(body), Told::Orders { ids, .. } if ids == [id]), "{body}");
        }
        assert_eq!(signed(r#"{"data":{"entity_id":7,"entity_id":"7/../8"}}"#), Told::Nothing);
    }

    #[test]
    fn w2_both_forms_name_the_order_and_what_was_made_for_one_names_its_order() {
        let ids = |told: Told| match told {
            Told::Orders { ids, key } => (ids, key.unwrap_or_default()),
            other => panic!("{other:?}"),
        };
        let old = ids(signed(r#"{"data":{"entity_id":7,"increment_id":"000000007","items":[{"order_id":9}]}}"#));
        assert_eq!((old.0, old.1.len()), (vec!["7".to_owned()], 64));
        assert_eq!(ids(signed(r#"{"entity_id":7}"#)).0, ["7"]);
        assert_eq!(ids(signed(r#"{"data":{"entity_id":12,"order_id":7}}"#)).0, ["7"]);
        let event = |topic: &str, data: &str| {
            signed(&format!(
                r#"{{"specversion":"1.0","id":"5b4a","source":"0","type":"{topic}","datacontenttype":"application/json","data":{data}}}"#
            ))
        };
        let order = (vec!["7".to_owned()], "5b4a".to_owned());
        assert_eq!(ids(event("sales.order.updated", r#"{"entity_id":7}"#)), order);
        assert_eq!(ids(event("sales.shipment.created", r#"{"entity_id":12,"order_id":"7"}"#)), order);
        assert_eq!(event("customer.created", r#"{"id":7,"entity_id":7}"#), Told::Nothing);
        assert_eq!(event("catalog.product.updated", r#"{"id":7,"sku":"A"}"#), Told::Nothing);
        for odd in ["{}", "null", r#"{"entity_id":"7/../9"}"#, r#"{"entity_id":-1}"#, r#"{"entity_id":7,"order_id":0}"#]
        {
            assert!(!matches!(event("sales.order.updated", odd), Told::Orders { .. }), "{odd}");
        }
        assert_eq!(signed("{"), Told::Refused);
    }
}
