//! Webhooks: subscriptions of the app, and deliveries with the order in the form of the REST API.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Context;
use super::options::REHEARSAL_CLIENT_SECRET;
use super::render::{gid, id_of, time};
use crate::sim::world::hooks::{Hook, News, Written, locked, sign};

const KIND: &str = "WebhookSubscription";

fn tree(hook: &Hook) -> Value {
    json!({ "$type": KIND, "id": gid(KIND, hook.id), "topic": hook.topic, "uri": hook.address, "format": "JSON" })
}

/// `webhookSubscriptions`.
pub(super) fn list(context: &Context<'_>) -> Value {
    let trees: Vec<Value> = locked(&context.state.post).hooks.iter().map(tree).collect();
    json!({ "$connection": trees })
}

fn refused(field: &[&str], message: &str) -> Vec<Value> {
    vec![json!({ "$type": "UserError", "field": field, "message": message })]
}

/// `webhookSubscriptionCreate`, with the refusals that a real shop was recorded to give.
pub(super) fn create(context: &mut Context<'_>, arguments: &Map<String, Value>) -> Value {
    let topic = arguments.get("topic").and_then(Value::as_str).unwrap_or_default();
    let address = arguments["webhookSubscription"]["uri"].as_str().unwrap_or_default();
    let is_of_routes = topic.starts_with("FULFILLMENT_ORDERS_");
    if is_of_routes && !context.options.scopes.iter().any(|scope| scope.ends_with("_fulfillment_orders")) {
        let message = format!("You do not have permission to create or update webhooks with {topic} topic.");
        let errors = refused(&["topic"], &message);
        return json!({ "$type": "WebhookSubscriptionCreatePayload", "webhookSubscription": null, "userErrors": errors });
    }
    let mut post = locked(&context.state.post);
    let is_taken = post.hooks.iter().any(|hook| hook.topic == topic && hook.address == address);
    let (made, errors) = match address.split_once("://") {
        None => (None, refused(&["webhookSubscription", "callbackUrl"], "Address is invalid")),
        Some(("http" | "https", _)) if is_taken => {
            let message = "Address for this topic has already been taken";
            (None, refused(&["webhookSubscription", "callbackUrl"], message))
        }
        Some(("http" | "https", _)) => (Some(post.subscribe(topic, address, "", Vec::new())), Vec::new()),
        Some((scheme, _)) => {
            let message = format!("Address protocol {scheme}:// is not supported");
            (None, refused(&["webhookSubscription", "callbackUrl"], &message))
        }
    };
    let hook = made.and_then(|id| post.hook(id).map(|hook| tree(hook)));
    drop(post);
    context.state.writes += u64::from(hook.is_some());
    json!({ "$type": "WebhookSubscriptionCreatePayload", "webhookSubscription": hook, "userErrors": errors })
}

/// `webhookSubscriptionDelete`.
pub(super) fn delete(context: &mut Context<'_>, arguments: &Map<String, Value>) -> Value {
    let id = id_of(KIND, &arguments["id"]).filter(|id| locked(&context.state.post).unsubscribe(*id));
    context.state.writes += u64::from(id.is_some());
    let errors = if id.is_some() { Vec::new() } else { refused(&["id"], "Webhook subscription does not exist") };
    let kind = "WebhookSubscriptionDeletePayload";
    json!({ "$type": kind, "deletedWebhookSubscriptionId": id.map(|id| gid(KIND, id)), "userErrors": errors })
}

/// A delivery. Each has an id of its own, also where two are about one event; a new order is told as
/// created and as updated. Updates that say the same as the one before are not sent (debounced).
pub(super) fn letter(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
    let order = context.order(id);
    let is_cancelled = order.as_ref().is_some_and(|order| order.own.cancelled.is_some());
    let held = order.as_ref().and_then(|order| order.own.fulfillment_orders.first()).map(|one| (one.id, &one.hold));
    let topic = match (hook.topic.as_str(), news) {
        ("FULFILLMENT_ORDERS_PLACED_ON_HOLD", News::Held) => "fulfillment_orders/placed_on_hold",
        ("FULFILLMENT_ORDERS_HOLD_RELEASED", News::Released) => "fulfillment_orders/hold_released",
        ("ORDERS_CREATE", News::Placed) => "orders/create",
        ("ORDERS_UPDATED", News::Placed | News::Changed) => "orders/updated",
        ("ORDERS_CANCELLED", News::Changed) if is_cancelled => "orders/cancelled",
        ("ORDERS_DELETE", News::Erased) => "orders/delete",
        _ => return None,
    };
    let body = match (&order, news) {
        // Which order it is of is not told.
        (_, News::Held | News::Released) => {
            let (one, hold) = held?;
            let holds: Vec<Value> =
                hold.iter().map(|notes| json!({ "reason": "other", "reason_notes": notes })).collect();
            let status = if news == News::Held { "on_hold" } else { "open" };
            json!({ "fulfillment_order": { "id": gid("FulfillmentOrder", one), "status": status, "fulfillment_holds": holds } })
        }
        (_, News::Erased) | (None, _) => json!({ "id": id }),
        (Some(order), _) => json!({
            "id": id, "admin_graphql_api_id": gid("Order", id), "email": order.billing.email, "note": order.note,
            "name": format!("#{}", id % 10_000), "updated_at": context.state.orders.get(&id).map(|entry| time(entry.modified)), "tags": order.own.tags.join(", "), "total_price": "0.00",
            "line_items": order.lines.iter().map(|line| json!({ "id": line.id, "quantity": line.quantity })).collect::<Vec<_>>(),
        }),
    };
    let body = body.to_string().into_bytes();
    if topic == "orders/updated" && !locked(&context.state.post).is_news(hook.id, id, &body) {
        return None;
    }
    let delivery = Sha256::digest(format!("{} {} {id} {}", hook.id, context.state.generation, context.now));
    let delivery: String = delivery.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("X-Shopify-Topic", topic.to_owned()),
        ("X-Shopify-Hmac-Sha256", sign(REHEARSAL_CLIENT_SECRET, &body)),
        ("X-Shopify-Shop-Domain", context.options.domain.clone()),
        ("X-Shopify-API-Version", "2026-10".to_owned()),
        ("X-Shopify-Webhook-Id", delivery),
    ];
    Some((headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), body))
}
