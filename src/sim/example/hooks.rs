//! Webhooks: an address is asked whether it wants them, and what is sent there is signed with a key
//! that is the same for all shops.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::routes::{missing, refused};
use super::{Call, Context};
use crate::sim::http::Response;
use crate::sim::rest::Answer;
use crate::sim::world::hooks::{Hook, Letter, News, Written, ask, locked, sign};

/// The keys that there are, by their names.
const KEYS: [(&str, &str); 2] = [("k-1", "made up, opens nothing real"), ("k-2", "made up as well")];

/// `GET hooks`.
pub(super) fn list(call: &mut Call<'_, '_>) -> Answer {
    let row =
        |hook: &Hook| json!({ "id": hook.id, "topic": hook.topic, "address": hook.address, "active": hook.is_active });
    let rows: Vec<Value> = locked(&call.state.post).hooks.iter().map(row).collect();
    Ok(Response::json(200, &json!(rows)))
}

/// `POST hooks`: whoever is at the address has to know the key.
pub(super) fn create(call: &mut Call<'_, '_>) -> Answer {
    let wish = call.request.json().unwrap_or_default();
    let text = |name: &str| wish[name].as_str().unwrap_or_default().to_owned();
    let (topic, address, key) = (text("topic"), text("address"), text("key"));
    let code = format!("c-{}", call.state.generation);
    let hash = Sha256::digest(format!("{code}{key}{address}"));
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let (status, body) = ask(&address, &format!("challenge={code}")).unwrap_or_default();
    if status != 200 || serde_json::from_str::<Value>(&body).unwrap_or_default() != json!({ "answer": hash }) {
        return Err(refused(422, "the address does not want to be told"));
    }
    let id = locked(&call.state.post).subscribe(&topic, &address, &key, Vec::new());
    Ok(Response::json(201, &json!({ "id": id })))
}

/// `PUT hooks/{id}`.
pub(super) fn update(call: &mut Call<'_, '_>) -> Answer {
    let is_active = call.request.json().unwrap_or_default()["active"] == true;
    let mut post = locked(&call.state.post);
    let hook = post.hook(call.id(0)).ok_or_else(missing)?;
    (hook.is_active, hook.failures) = (is_active, 0);
    Ok(Response::json(200, &json!({ "id": hook.id })))
}

/// `DELETE hooks/{id}`.
pub(super) fn delete(call: &mut Call<'_, '_>) -> Answer {
    let is_gone = locked(&call.state.post).unsubscribe(call.id(0));
    if is_gone { Ok(Response::json(200, &json!({ "id": call.id(0) }))) } else { Err(missing()) }
}

/// `GET keys`: null where there is none of that name.
pub(super) fn key(call: &mut Call<'_, '_>) -> Answer {
    let wish = call.request.param("id").unwrap_or_default();
    Ok(Response::json(200, &json!({ "key": KEYS.iter().find(|(id, _)| *id == wish).map(|(_, key)| key) })))
}

fn signed(key: &str, body: &Value) -> Written {
    let body = body.to_string().into_bytes();
    let secret = KEYS.iter().find(|(id, _)| *id == key).map_or("", |(_, secret)| secret);
    let headers = [("X-Key", key.to_owned()), ("X-Signature", sign(secret, &body))];
    (headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), body)
}

/// What a shop sends when something happens to an order.
pub(super) fn written(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
    if hook.topic != "orders" || matches!(news, News::Named(..)) {
        return None;
    }
    let delivery = format!("{} {id} {} {news:?}", hook.id, context.state.generation);
    Some(signed("k-1", &json!({ "id": delivery, "shop": context.options.id, "orders": [id] })))
}

/// A delivery to an address, signed with the key of this name.
pub fn letter(address: &str, key: &str, body: &Value) -> Letter {
    let (headers, body) = signed(key, body);
    Letter {
        hook: 0,
        address: address.to_owned(),
        headers,
        body,
        patience: <super::Example as crate::sim::world::Vendor>::PATIENCE,
        status: None,
    }
}
