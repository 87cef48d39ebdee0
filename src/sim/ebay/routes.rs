//! Which request is for what, and the small documents.

use serde_json::{Map, json};

use super::access::{self, caller, error, throttle};
use super::{Call, Context, Request, Response, fulfillments, lists, notifications, post_order, signatures};
use crate::sim::rest::{Answer, Route, find};

type Handler = fn(&mut Call<'_, '_>) -> Answer;

/// The API of a route, the endings of the scopes of which one is needed, whether the application
/// itself may ask, and what the route does.
struct Way(&'static str, &'static [&'static str], bool, Handler);

const READ: &[&str] = &["/sell.fulfillment", "/sell.fulfillment.readonly"];
const WRITE: &[&str] = &["/sell.fulfillment"];
/// Whatever the user has consented to.
const ANY: &[&str] = &[];
/// The scope that every keyset has.
const ROOT: &[&str] = &[""];
const INVENTORY: &[&str] = &["/sell.inventory", "/sell.inventory.readonly"];
const TELL: &[&str] = &["", "/commerce.notification.subscription"];
const TOLD: &[&str] = &["", "/commerce.notification.subscription", "/commerce.notification.subscription.readonly"];

/// Every route.
const ROUTES: &[Route<Way>] = &[
    Route("GET", "sell/fulfillment/v1/order", "", Way("fulfillment", READ, false, lists::orders)),
    Route("GET", "sell/fulfillment/v1/order/{id:w}", "", Way("fulfillment", READ, false, lists::one)),
    Route(
        "GET",
        "sell/fulfillment/v1/order/{id:w}/shipping_fulfillment",
        "",
        Way("fulfillment", READ, false, fulfillments::list),
    ),
    Route(
        "GET",
        "sell/fulfillment/v1/order/{id:w}/shipping_fulfillment/{id:w}",
        "",
        Way("fulfillment", READ, false, fulfillments::one),
    ),
    Route(
        "POST",
        "sell/fulfillment/v1/order/{id:w}/shipping_fulfillment",
        "",
        Way("fulfillment", WRITE, false, fulfillments::create),
    ),
    Route("POST", "post-order/v2/cancellation/check_eligibility", "", Way("post-order", ANY, false, post_order::check)),
    Route("GET", "post-order/v2/cancellation/search", "", Way("post-order", ANY, false, post_order::search)),
    Route("POST", "post-order/v2/cancellation", "", Way("post-order", ANY, false, post_order::create)),
    Route("GET", "post-order/v2/cancellation/{id}", "", Way("post-order", ANY, false, post_order::one)),
    Route("POST", "post-order/v2/cancellation/{id}/approve", "", Way("post-order", ANY, false, post_order::approve)),
    Route("POST", "post-order/v2/cancellation/{id}/reject", "", Way("post-order", ANY, false, post_order::reject)),
    Route("POST", "developer/key_management/v1/signing_key", "", Way("keys", ROOT, true, signatures::make)),
    Route("GET", "developer/key_management/v1/signing_key", "", Way("keys", ROOT, true, signatures::list)),
    Route("GET", "developer/key_management/v1/signing_key/{id:w}", "", Way("keys", ROOT, true, signatures::one)),
    Route("GET", "developer/analytics/v1_beta/rate_limit/", "", Way("analytics", ROOT, true, limits)),
    Route("GET", "developer/analytics/v1_beta/user_rate_limit/", "", Way("analytics", INVENTORY, false, limits)),
    Route("GET", "commerce/notification/v1/topic", "", Way("notification", ROOT, true, notifications::list_topics)),
    Route("GET", "commerce/notification/v1/topic/{id:w}", "", Way("notification", ROOT, true, notifications::topic)),
    Route("GET", "commerce/notification/v1/config", "", Way("notification", ROOT, true, notifications::config)),
    Route("PUT", "commerce/notification/v1/config", "", Way("notification", ROOT, true, notifications::configure)),
    Route(
        "GET",
        "commerce/notification/v1/destination",
        "",
        Way("notification", ROOT, true, notifications::destinations),
    ),
    Route(
        "POST",
        "commerce/notification/v1/destination",
        "",
        Way("notification", ROOT, true, notifications::create_destination),
    ),
    Route(
        "GET",
        "commerce/notification/v1/destination/{id}",
        "",
        Way("notification", ROOT, true, notifications::destination),
    ),
    Route(
        "PUT",
        "commerce/notification/v1/destination/{id}",
        "",
        Way("notification", ROOT, true, notifications::update_destination),
    ),
    Route(
        "DELETE",
        "commerce/notification/v1/destination/{id}",
        "",
        Way("notification", ROOT, true, notifications::delete_destination),
    ),
    Route(
        "GET",
        "commerce/notification/v1/subscription",
        "",
        Way("notification", TOLD, true, notifications::subscriptions),
    ),
    Route(
        "POST",
        "commerce/notification/v1/subscription",
        "",
        Way("notification", TELL, true, notifications::subscribe),
    ),
    Route(
        "GET",
        "commerce/notification/v1/subscription/{id}",
        "",
        Way("notification", TOLD, true, notifications::subscription),
    ),
    Route(
        "PUT",
        "commerce/notification/v1/subscription/{id}",
        "",
        Way("notification", TELL, true, notifications::update),
    ),
    Route(
        "DELETE",
        "commerce/notification/v1/subscription/{id}",
        "",
        Way("notification", TELL, true, notifications::unsubscribe),
    ),
    Route(
        "POST",
        "commerce/notification/v1/subscription/{id}/enable",
        "",
        Way("notification", TELL, true, notifications::switch),
    ),
    Route(
        "POST",
        "commerce/notification/v1/subscription/{id}/disable",
        "",
        Way("notification", TELL, true, notifications::switch),
    ),
    Route(
        "POST",
        "commerce/notification/v1/subscription/{id}/test",
        "",
        Way("notification", TELL, true, notifications::test),
    ),
    Route("GET", "commerce/notification/v1/public_key/{id:w}", "", Way("notification", ROOT, true, notifications::key)),
    Route("GET", "commerce/identity/v1/user/", "", Way("identity", &["/commerce.identity.readonly"], false, user)),
    Route("GET", "commerce/identity/v1/user", "", Way("identity", &["/commerce.identity.readonly"], false, user)),
];

/// Answers a request to one of the APIs.
pub(super) fn respond(context: &mut Context<'_>, request: &Request) -> Response {
    answer(context, request).unwrap_or_else(|refused| refused)
}

fn answer(context: &mut Context<'_>, request: &Request) -> Answer {
    let path = request.path.strip_prefix('/').unwrap_or_default();
    let Some((route, path)) = find(ROUTES, &request.method, path) else {
        let known = ROUTES.iter().any(|route| route.parts(path).is_some());
        return Err(error(if known { 405 } else { 404 }, 2_002, "ACCESS", "Resource not found"));
    };
    let Way(api, scopes, app, act) = route.3;
    let by = caller(context, request, scopes, app)?;
    throttle(context, request, api)?;
    let mut call = Call { context, request, params: Map::new(), path, by };
    let response = act(&mut call)?;
    let is_write = request.method != "GET" && matches!(api, "fulfillment" | "post-order");
    call.state.writes += u64::from(is_write && !request.path.ends_with("/check_eligibility"));
    Ok(response)
}

/// The APIs of which limits are told: context, name, version and resource.
const LIMITED: &[(&str, &str, &str, &str)] = &[
    ("sell", "fulfillment", "v1", "sell.fulfillment"),
    ("sell", "post-order", "v2", "post-order"),
    ("commerce", "identity", "v1", "commerce.identity"),
    ("commerce", "notification", "v1", "commerce.notification"),
    ("developer", "analytics", "v1_beta", "developer.analytics"),
];

/// `GET rate_limit/` and `user_rate_limit/`.
fn limits(call: &mut Call<'_, '_>) -> Answer {
    if call.by.is_app != call.request.path.ends_with("/rate_limit/") {
        return Err(access::denied());
    }
    let is_wished = |name: &str, of: &str| call.request.param(name).is_none_or(|wish| wish.eq_ignore_ascii_case(of));
    let wished =
        LIMITED.iter().filter(|(context, name, ..)| is_wished("api_context", context) && is_wished("api_name", name));
    let row = |(context, name, version, resource): &(&str, &str, &str, &str)| {
        let (used, reset) = access::used(call, name);
        let most = call.options.per_day;
        let rate = json!({
            "count": used, "limit": most, "remaining": most.saturating_sub(used), "reset": access::stamp(reset),
            "timeWindow": 86_400,
        });
        json!({
            "apiContext": context, "apiName": name, "apiVersion": version,
            "resources": [{ "name": resource, "rates": [rate] }],
        })
    };
    let rows: Vec<_> = wished.map(row).collect();
    match rows.is_empty() {
        true => Ok(Response { status: 204, body: Vec::new(), ..Response::json(204, &json!(null)) }),
        false => Ok(Response::json(200, &json!({ "rateLimits": rows }))),
    }
}

/// `GET commerce/identity/v1/user/`.
fn user(call: &mut Call<'_, '_>) -> Answer {
    let options = call.options;
    let (id, name) = match call.by.is_seller {
        true => (options.user_id.as_str(), options.username.as_str()),
        false => ("sTrAnGeR777", "somebody_else"),
    };
    let account = json!({
        "name": "Green Cat Pottery", "email": "seller@greencat.test",
        "address": { "city": "Köln", "country": options.country, "postalCode": "50667" },
        "primaryContact": { "firstName": "Rehearsal", "lastName": "Seller" },
    });
    Ok(Response::json(
        200,
        &json!({
            "userId": id, "username": name, "accountType": "BUSINESS", "status": "CONFIRMED",
            "registrationMarketplaceId": options.marketplace, "businessAccount": account,
        }),
    ))
}
