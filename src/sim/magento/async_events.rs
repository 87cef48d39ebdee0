//! The free modules for webhooks: subscriptions, which nothing deletes, and deliveries.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::criteria::{Cell, Criteria};
use super::errors::{error, internal, only, plain, required};
use super::options::AsyncEvents;
use super::{Answer, Call, Context, Response, render, shipments};
use crate::sim::world::hooks::{Hook, News, Written, locked, sign_in_hex};

/// The verification token is never shown.
fn row(call: &Call<'_, '_>, hook: &Hook) -> Value {
    json!({ "subscription_id": hook.id, "event_name": hook.topic, "recipient_url": hook.address,
        "status": hook.is_active, "subscribed_at": render::time(call.now), "store_id": 0 })
}

/// `GET async_events`.
pub(super) fn list(call: &mut Call<'_, '_>) -> Answer {
    let criteria = Criteria::of(call)?;
    let rows: Vec<Value> = locked(&call.state.post).hooks.iter().map(|hook| row(call, hook)).collect();
    let mut found = Vec::new();
    for row in rows {
        let cell = |name: &str| row.get(name).map(|_| Cell::of(&row, name));
        if criteria.takes(cell).map_err(|_| internal(call))? {
            found.push(row);
        }
    }
    found.sort_by(|one, other| criteria.compare(|is_first, field| Cell::of(if is_first { one } else { other }, field)));
    let page = criteria.page(call, found.len());
    Ok(Response::json(200, &criteria.answer(page.of(&found), found.len())))
}

/// `POST async_event` and `PUT async_event/{id}`: one that is there takes another status and
/// nothing else. Any word is taken for an event.
pub(super) fn save(call: &mut Call<'_, '_>) -> Answer {
    let wish = call.params.get("asyncEvent").or_else(|| call.params.get("async_event")).cloned();
    let wish = wish.ok_or_else(|| required("asyncEvent"))?;
    #[rustfmt::skip]
    only(&wish, &[
        "subscription_id", "event_name", "recipient_url", "verification_token", "status", "subscribed_at", "metadata",
        "store_id",
    ])?;
    let text = |name: &str| wish[name].as_str().unwrap_or_default().to_owned();
    let named = wish["subscription_id"].as_u64().unwrap_or(0);
    let given = if call.request.method == "PUT" { call.id(0) } else { named };
    let id = match given.min(named) {
        0 => {
            if text("metadata") != "http" {
                return Err(plain(500, "Cannot instantiate a notifier"));
            }
            locked(&call.state.post).subscribe(
                &text("event_name"),
                &text("recipient_url"),
                &text("verification_token"),
                Vec::new(),
            )
        }
        _ => {
            if let Some(hook) = locked(&call.state.post).hook(given) {
                hook.is_active = wish["status"].as_bool().unwrap_or(false);
            }
            given
        }
    };
    let hook = locked(&call.state.post).hook(id).cloned();
    let missing = || error(404, "Async event with subscription ID %1 does not exist", json!([id.to_string()]));
    Ok(Response::json(200, &row(call, &hook.ok_or_else(missing)?)))
}

/// A delivery; what is in it is read when it is sent.
pub(super) fn letter(context: &Context<'_>, hook: &Hook, id: u64, news: News) -> Option<Written> {
    let (topic, of) = match news {
        News::Placed => ("sales.order.created", id),
        News::Named(topic, of) => (topic, of),
        News::Changed | News::PutAway | News::Erased | News::Held | News::Released => return None,
    };
    if topic != hook.topic {
        return None;
    }
    // One that is gone, or that the shop cannot show, is told of in its log alone.
    let entry = context.state.orders.get(&id).filter(|_| !context.state.unrenderable.contains(&id))?;
    let order = entry.order(context.options);
    let data = match topic {
        "sales.shipment.created" => shipments::document(&order, order.sent().find(|one| one.id == of)?),
        "sales.creditmemo.created" => {
            render::memo(context.options, &order, order.refunds.iter().find(|one| one.id == of)?)
        }
        _ => render::order(context.options, entry, &order),
    };
    let (body, kind) = match context.options.async_events {
        AsyncEvents::No | AsyncEvents::Base => return None,
        AsyncEvents::Data => (json!({ "data": data }), Some("application/json")),
        AsyncEvents::CloudEvent => {
            let event = Sha256::digest(format!("{} {topic} {of} {}", hook.id, context.state.generation));
            let event: String = event.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            let body = json!({ "specversion": "1.0", "id": event, "source": "0", "type": topic,
                "datacontenttype": "application/json", "data": data });
            (body, None)
        }
    };
    let body = body.to_string().into_bytes();
    let mut headers = vec![
        ("User-Agent".to_owned(), "GuzzleHttp/7".to_owned()),
        ("x-magento-signature".to_owned(), sign_in_hex(&hook.key, &body)),
    ];
    headers.extend(kind.map(|kind| ("Content-Type".to_owned(), kind.to_owned())));
    Some((headers, body))
}
