//! Deliveries of all shops whose programs have one token, to one address: signed with a key of the
//! program's makers, which the delivery names, and which is fetched.
//!
//! The shop asks once whether an address wants them, with a code: the answer is the hash of that,
//! our key and the address. A delivery is of one shop and names its orders, or names a customer
//! whom a shop has erased, for all shops.

use chrono::TimeDelta;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::api::Api;
use crate::channel::webhooks::{Application, Challenge, Delivery, Hook, HookChange, Told, Webhooks, order_id};
use crate::error::Result;
use crate::secret::Secret;

/// What is known of the deliveries.
pub(super) const WEBHOOKS: Webhooks = Webhooks {
    topics: &["orders", "people"],
    signed_with: &[],
    takes_our_key: false,
    comes_within: TimeDelta::hours(1),
    needs: "",
    deletes: true,
    application: Some(Application { credential: "token", topics: &["people"] }),
    challenge: Some(answer),
    key_id: Some(|delivery| delivery.header("x-key").map(str::to_owned)),
    port: None,
    read,
    test: None,
};

/// The longest code.
const LONGEST: usize = 256;

fn answer(challenge: &Challenge<'_>) -> Option<Vec<u8>> {
    let (_, code) = challenge.query.iter().find(|(name, code)| name == "challenge" && code.len() <= LONGEST)?;
    let hash = Sha256::new().chain_update(code).chain_update(challenge.key.reveal()).chain_update(challenge.address);
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(json!({ "answer": hash }).to_string().into_bytes())
}

#[derive(Deserialize)]
struct Body {
    id: String,
    #[serde(default)]
    shop: String,
    #[serde(default)]
    orders: Vec<Value>,
    #[serde(default)]
    erased: Option<u64>,
}

fn read(delivery: &Delivery<'_>) -> Told {
    let signature = delivery.header("x-signature").unwrap_or_default();
    if !delivery.is_signed(delivery.keys.fetched.as_slice(), &[delivery.body], signature) {
        return Told::Refused;
    }
    let Ok(body) = serde_json::from_slice::<Body>(delivery.body) else { return Told::Refused };
    let key = Some(body.id);
    if let Some(person) = body.erased {
        return Told::Forget { names: vec![person.to_string()], key };
    }
    let ids: Vec<String> = body.orders.iter().filter_map(order_id).collect();
    Told::Of { account: body.shop, told: Box::new(Told::Orders { ids, key }) }
}

#[derive(Deserialize)]
struct Row {
    id: u64,
    topic: String,
    address: String,
    active: bool,
}

/// The shop's subscriptions.
pub(super) fn list(api: &Api) -> Result<Vec<Hook>> {
    let (rows, _) = api.get("hooks", &[], None)?.json::<Vec<Row>>()?;
    let hook = |Row { id, topic, address, active }| Hook { id: id.to_string(), topic, address, is_active: active };
    Ok(rows.into_iter().map(hook).collect())
}

/// Carries out a change.
pub(super) fn change(api: &Api, change: &HookChange) -> Result<()> {
    let of = |hook: &Hook| super::super::numeric(&hook.id, "a shop").map(|id| format!("hooks/{id}"));
    match change {
        HookChange::Create { topic, address, key } => {
            let hook = json!({ "topic": topic, "address": address, "key": key.reveal() });
            api.change_hook(Method::POST, "hooks", &hook)
        }
        HookChange::Enable(hook) => api.change_hook(Method::PUT, &of(hook)?, &json!({ "active": true })),
        HookChange::Remove(hook) => api.change_hook(Method::DELETE, &of(hook)?, &json!({})),
    }
}

#[derive(Deserialize)]
struct Found {
    key: Option<String>,
}

/// A key of the program's makers; null where there is none.
pub(super) fn key(api: &Api, id: &str) -> Result<Option<Secret>> {
    let (Found { key }, _) = api.get("keys", &[("id", id.to_owned())], None)?.json()?;
    Ok(key.map(Secret::new))
}
