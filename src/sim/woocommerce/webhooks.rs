//! Webhooks, as shops of 10.5.0 were recorded to send them.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::errors::error;
use super::render::{self, Style, gmt};
use super::{Answer, Call, Context, Response};
use crate::sim::world::hooks::{Hook, Letter, News, Written, deliver, locked, sign};

const TOPICS: [&str; 4] = ["order.created", "order.updated", "order.deleted", "order.restored"];

fn row(style: &Style<'_>, hook: &Hook, at: i64) -> Value {
    let (resource, event) = hook.topic.split_once('.').unwrap_or_default();
    json!({
        "id": hook.id, "name": hook.topic, "status": if hook.is_active { "active" } else { "disabled" },
        "topic": hook.topic, "resource": resource, "event": event, "hooks": [], "delivery_url": hook.address,
        "date_created": style.local(at), "date_created_gmt": gmt(at), "date_modified": style.local(at),
        "date_modified_gmt": gmt(at),
    })
}

/// `GET /webhooks`.
pub(super) fn list(call: &mut Call<'_, '_>) -> Answer {
    let hooks = locked(&call.state.post).hooks.clone();
    let page = super::lists::page(call);
    let rows: Vec<Value> = page.of(&hooks).iter().map(|hook| row(&call.style(), hook, call.now)).collect();
    Ok(super::lists::paged(call, "webhooks", hooks.len(), rows, &[]))
}

/// `POST /webhooks`: the new one is tested at once, with a form that nothing signs.
pub(super) fn create(call: &mut Call<'_, '_>) -> Answer {
    let text = |name: &str| call.text(name).unwrap_or_default().to_owned();
    let (topic, address, key) = (text("topic"), text("delivery_url"), text("secret"));
    if !TOPICS.contains(&topic.as_str()) {
        let message = "Webhook topic is required and must be valid.";
        return Err(error(400, "woocommerce_rest_shop_webhook_invalid_topic", message));
    }
    if !address.starts_with("http://") && !address.starts_with("https://") {
        let message = "Webhook delivery URL must be a valid URL starting with http:// or https://.";
        return Err(error(400, "woocommerce_rest_shop_webhook_invalid_delivery_url", message));
    }
    let post = call.state.post.clone();
    let id = locked(&post).subscribe(&topic, &address, &key, Vec::new());
    let headers = vec![("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let body = format!("webhook_id={id}").into_bytes();
    deliver::<super::WooCommerce>(
        Letter {
            hook: id,
            address,
            headers,
            body,
            patience: <super::WooCommerce as crate::sim::world::Vendor>::PATIENCE,
            status: None,
        },
        post,
    );
    shown(call, id, 201)
}

/// `GET /webhooks/{id}`.
pub(super) fn get(call: &mut Call<'_, '_>) -> Answer {
    let id = call.id(0);
    shown(call, id, 200)
}

/// `PUT /webhooks/{id}`.
pub(super) fn update(call: &mut Call<'_, '_>) -> Answer {
    let (id, status) = (call.id(0), call.text("status").map(str::to_owned));
    if let (Some(hook), Some(status)) = (locked(&call.state.post).hook(id), status) {
        hook.is_active = status == "active";
        hook.failures = 0;
    }
    shown(call, id, 200)
}

/// `DELETE /webhooks/{id}`: there is no bin for them.
pub(super) fn delete(call: &mut Call<'_, '_>) -> Answer {
    if !call.truth("force") {
        return Err(error(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing."));
    }
    let id = call.id(0);
    let answer = shown(call, id, 200)?;
    locked(&call.state.post).unsubscribe(id);
    Ok(answer)
}

fn shown(call: &Call<'_, '_>, id: u64, status: u16) -> Answer {
    let hook = locked(&call.state.post).hook(id).cloned();
    let hook = hook.ok_or_else(|| error(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID."))?;
    Ok(Response::json(status, &row(&call.style(), &hook, call.now)))
}

/// A delivery. Its body is made when it is sent: of an order that is gone by then it is an error,
/// signed as any other.
pub(super) fn letter(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
    let entry = context.state.orders.get(&id);
    let status = entry.map(|entry| entry.status.as_ref()).unwrap_or_default();
    let topic = match news {
        _ if matches!(status, "checkout-draft" | "auto-draft") => return None,
        News::Placed => "order.created",
        News::PutAway => "order.deleted",
        News::Changed if status == "trash" => return None,
        News::Named(..) => return None,
        News::Changed | News::Erased | News::Held | News::Released => "order.updated",
    };
    if topic != hook.topic {
        return None;
    }
    let body = match entry {
        _ if news == News::PutAway => json!({ "id": id }),
        Some(entry) if !context.state.unrenderable.contains(&id) => render::order(&Style::of(context), entry),
        _ => {
            json!({ "code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": { "status": 404 } })
        }
    };
    let body = body.to_string().into_bytes();
    let (resource, event) = topic.split_once('.')?;
    // The same for all that this one sends within a second.
    let delivery = Sha256::digest(format!("{} {}", hook.id, context.now));
    let delivery: String = delivery.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let headers = [
        ("User-Agent", "WooCommerce/10.5.0 Hookshot (WordPress/6.8.8)".to_owned()),
        ("Content-Type", "application/json".to_owned()),
        ("X-WC-Webhook-Source", format!("{}/", context.home())),
        ("X-WC-Webhook-Topic", topic.to_owned()),
        ("X-WC-Webhook-Resource", resource.to_owned()),
        ("X-WC-Webhook-Event", event.to_owned()),
        ("X-WC-Webhook-Signature", sign(&hook.key, &body)),
        ("X-WC-Webhook-ID", hook.id.to_string()),
        ("X-WC-Webhook-Delivery-ID", delivery),
    ];
    Some((headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), body))
}
