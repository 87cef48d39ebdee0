//! Webhooks V3: subscriptions of the API account, and thin deliveries signed by the Standard
//! Webhooks.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::options::REHEARSAL_CLIENT_SECRET;
use super::response::{self, error_v3, not_found};
use super::{Call, Context};
use crate::sim::rest::{Answer, Page};
use crate::sim::world::hooks::{Hook, News, Written, locked, sign};

fn row(call: &Call<'_, '_>, hook: &Hook) -> Value {
    let headers: serde_json::Map<String, Value> =
        hook.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({ "id": hook.id, "client_id": "rehearsal", "store_hash": call.options.store_hash, "scope": hook.topic,
        "destination": hook.address, "headers": headers, "is_active": hook.is_active, "created_at": call.now,
        "updated_at": call.now })
}

/// `GET /v3/hooks`.
pub(super) fn list(call: &mut Call<'_, '_>) -> Answer {
    let rows: Vec<Value> = locked(&call.state.post).hooks.iter().map(|hook| row(call, hook)).collect();
    let number =
        |name: &str, usual: usize| call.request.param(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    Ok(response::page_v3(&rows, Page::new(number("page", 1), number("limit", 50).min(250))))
}

/// `POST /v3/hooks`.
pub(super) fn create(call: &mut Call<'_, '_>) -> Answer {
    let wish = call.request.json().unwrap_or_default();
    let text = |name: &str| wish[name].as_str().unwrap_or_default();
    let (scope, address) = (text("scope"), text("destination"));
    if !scope.starts_with("store/") || !address.contains("://") {
        return Err(error_v3(422, "Missing or invalid scope or destination"));
    }
    let headers = wish["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    let mut post = locked(&call.state.post);
    if post.hooks.iter().any(|hook| hook.topic == scope && hook.address == address) {
        return Err(error_v3(422, "A duplicate hook already exists"));
    }
    let id = post.subscribe(scope, address, "", headers);
    drop(post);
    shown(call, id)
}

/// `PUT /v3/hooks/{id}`.
pub(super) fn update(call: &mut Call<'_, '_>) -> Answer {
    let wish = call.request.json().unwrap_or_default();
    if let (Some(hook), Some(is_active)) = (locked(&call.state.post).hook(call.id(0)), wish["is_active"].as_bool()) {
        (hook.is_active, hook.failures) = (is_active, 0);
    }
    shown(call, call.id(0))
}

/// `DELETE /v3/hooks/{id}`.
pub(super) fn delete(call: &mut Call<'_, '_>) -> Answer {
    let answer = shown(call, call.id(0))?;
    locked(&call.state.post).unsubscribe(call.id(0));
    Ok(answer)
}

fn shown(call: &Call<'_, '_>, id: u64) -> Answer {
    let hook = locked(&call.state.post).hook(id).cloned();
    let hook = hook.ok_or_else(|| not_found(call.request))?;
    Ok(response::json(200, &json!({ "data": row(call, &hook), "meta": {} })))
}

/// The scopes of shipments.
pub(super) const SHIPPED: &str = "store/shipment/created";
pub(super) const RESHIPPED: &str = "store/shipment/updated";
pub(super) const UNSHIPPED: &str = "store/shipment/deleted";

/// A delivery: of an order no more than its id, also of a checkout that is not finished; of a shipment
/// its own and that of its order.
pub(super) fn letter(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
    let (scope, data) = match news {
        News::Placed => ("store/order/created", json!({ "type": "order", "id": id })),
        News::Changed | News::Held | News::Released => ("store/order/updated", json!({ "type": "order", "id": id })),
        News::PutAway => ("store/order/archived", json!({ "type": "order", "id": id })),
        News::Named(scope, of) => (scope, json!({ "type": "shipment", "id": of, "orderId": id })),
        News::Erased => return None,
    };
    let all = scope.rsplit_once('/').map_or(scope, |(group, _)| group);
    if hook.topic != scope && hook.topic.strip_suffix("/*") != Some(all) {
        return None;
    }
    let event = Sha256::digest(format!("{id} {} {} {}", context.state.generation, context.now, data["type"]));
    let event: String = event.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    let body = json!({ "scope": scope, "store_id": "1025646", "data": data, "hash": event,
        "created_at": context.now, "producer": format!("stores/{}", context.options.store_hash) });
    let body = body.to_string();
    let delivery = format!("msg_{}_{event}", hook.id);
    let signature = sign(REHEARSAL_CLIENT_SECRET, format!("{delivery}.{}.{body}", context.now).as_bytes());
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("webhook-id", delivery),
        ("webhook-timestamp", context.now.to_string()),
        ("webhook-signature", format!("v1,{signature}")),
    ];
    Some((headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), body.into_bytes()))
}
