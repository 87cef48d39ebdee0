//! Which request is for what, and what somebody must be allowed to for it.

use serde_json::{Value, json};

use super::access::{body, may, no_route};
use super::errors::{plain, wrong_type};
use super::options::AsyncEvents;
use super::{Answer, Call, Context, Request, Response, async_events, lists, orders, shipments};
use crate::sim::forms::bracketed_fields;
use crate::sim::rest::{Route, find, from_pairs};

type Handler = fn(&mut Call<'_, '_>) -> Answer;

/// Every route, with the resource that it needs.
const ROUTES: &[Route<Handler>] = &[
    Route("GET", "orders", "Magento_Sales::actions_view", lists::orders),
    Route("GET", "orders/{id}", "Magento_Sales::actions_view", orders::one),
    Route("GET", "orders/{id}/statuses", "Magento_Sales::actions_view", orders::statuses),
    Route("GET", "orders/{id}/comments", "Magento_Sales::actions_view", orders::comments),
    Route("POST", "orders/{id}/comments", "Magento_Sales::comment", orders::comment),
    Route("POST", "orders/{id}/cancel", "Magento_Sales::cancel", orders::cancel),
    Route("POST", "orders/{id}/hold", "Magento_Sales::hold", orders::hold),
    Route("POST", "orders/{id}/unhold", "Magento_Sales::unhold", orders::unhold),
    Route("PUT", "orders/{id}", "Magento_Sales::create", orders::address),
    Route("POST", "order/{id}/ship", "Magento_Sales::ship", shipments::ship),
    Route("GET", "shipments", "Magento_Sales::shipment", lists::shipments),
    Route("GET", "shipment/{id}", "Magento_Sales::shipment", shipments::one),
    Route("POST", "shipment/{id}/comments", "Magento_Sales::shipment", shipments::comment),
    Route("POST", "shipment/{id}/emails", "Magento_Sales::shipment", shipments::mail),
    Route("POST", "shipment/track", "Magento_Sales::shipment", shipments::add_track),
    Route("DELETE", "shipment/track/{id}", "Magento_Sales::shipment", shipments::remove_track),
    Route("GET", "creditmemos", "Magento_Sales::sales_creditmemo", lists::memos),
    Route("GET", "invoices", "Magento_Sales::sales_invoice", lists::invoices),
    Route("GET", "store/storeConfigs", "Magento_Backend::store", configs),
    Route("GET", "modules", "Magento_Backend::admin", modules),
    Route("GET", "inventory/sources", "Magento_InventoryApi::source", sources),
    Route("GET", "async_events", "MageOS_AsyncEvents::manage", async_events::list),
    Route("POST", "async_event", "MageOS_AsyncEvents::manage", async_events::save),
    Route("PUT", "async_event/{id}", "MageOS_AsyncEvents::manage", async_events::save),
];

/// The answer to a request for this path below `V1/`.
pub(super) fn answer(context: &mut Context<'_>, request: &Request, path: &str) -> Answer {
    let method = request.method.as_str();
    if !matches!(method, "GET" | "POST" | "PUT" | "DELETE") {
        return Err(plain(405, &format!("The {method} HTTP method is not supported.")));
    }
    let path = path.trim_end_matches('/');
    if path.starts_with("async_event") && context.options.async_events == AsyncEvents::No {
        return Err(no_route());
    }
    let (route, path) = match find(ROUTES, method, path) {
        Some(found) => found,
        None => return Err(misplaced(method, path).unwrap_or_else(no_route)),
    };
    may(context, request, route.2)?;
    let body = body(context.options, request)?;
    let query = from_pairs(&request.query);
    let params = if body.is_null() { query.clone() } else { body.as_object().cloned().unwrap_or_default() };
    let mut call = Call { context, request, params, path, by: () };
    let response = (route.3)(&mut call)?;
    call.state.writes += u64::from(method != "GET");
    Ok(match query.get("fields").and_then(Value::as_str) {
        Some(wish) => {
            Response { body: bracketed_fields(response.body_json(), wish).to_string().into_bytes(), ..response }
        }
        None => response,
    })
}

/// A word where a route has a number.
fn misplaced(method: &str, path: &str) -> Option<Response> {
    let parts: Vec<&str> = path.split('/').collect();
    let numbered: Vec<&str> = (0..).zip(&parts).map(|(nth, part)| if nth == 1 { "0" } else { *part }).collect();
    find(ROUTES, method, &numbered.join("/"))?;
    parts.get(1).map(|word| wrong_type(word, "int"))
}

/// `GET store/storeConfigs`.
fn configs(call: &mut Call<'_, '_>) -> Answer {
    let (home, currency) = (format!("{}{}/", call.served, call.options.prefix), &call.options.currency);
    let link = if call.options.rewrites { home.clone() } else { format!("{home}index.php/") };
    let config = |(id, code): (u64, &&str)| {
        let mut config = json!({
            "id": id, "code": code, "website_id": 1, "locale": "de_DE", "base_currency_code": currency,
            "default_display_currency_code": currency, "timezone": "Europe/Berlin", "weight_unit": "kgs",
        });
        for (name, url) in [("url", &home), ("link_url", &link), ("static_url", &home), ("media_url", &home)] {
            config[format!("base_{name}")] = json!(url);
            config[format!("secure_base_{name}")] = json!(url);
        }
        config
    };
    Ok(Response::json(200, &(1..).zip(&call.options.store_views).map(config).collect()))
}

/// `GET modules`.
fn modules(call: &mut Call<'_, '_>) -> Answer {
    let mut names =
        vec!["Magento_Store", "Magento_Sales", "Magento_Catalog", "Magento_Integration", "Magento_InventoryApi"];
    match call.options.async_events {
        AsyncEvents::No => {}
        AsyncEvents::Base => names.push("MageOS_AsyncEvents"),
        AsyncEvents::Data | AsyncEvents::CloudEvent => names.extend(["MageOS_AsyncEvents", "MageOS_CommonAsyncEvents"]),
    }
    Ok(Response::json(200, &json!(names)))
}

/// `GET inventory/sources`.
fn sources(call: &mut Call<'_, '_>) -> Answer {
    let source = |code: &&str| {
        json!({
            "source_code": code, "name": format!("Source {code}"), "enabled": true, "country_id": "DE",
            "postcode": "20095", "use_default_carrier_config": true, "carrier_links": [],
        })
    };
    let sources: Vec<Value> = call.options.sources.iter().map(source).collect();
    let count = sources.len();
    let body = json!({ "items": sources, "search_criteria": { "filter_groups": [] }, "total_count": count });
    Ok(Response::json(200, &body))
}
