//! What every request has to pass: maintenance, the token, its scopes, the quota that all apps of
//! the store share. And what is said when something goes wrong on purpose.

use super::options::{Options, REHEARSAL_TOKEN, Scope};
use super::response::{error, error_v3};
use super::{Context, Request, Response, Shop, routes};
use crate::sim::FaultKind;
use crate::sim::budget::Left;
use crate::sim::xml::as_xml;

/// The answer to a request that found its way to the store.
pub(super) fn respond(shop: &Shop, request: &Request) -> Response {
    let now = shop.milliseconds();
    shop.with(|context| {
        let options = context.options;
        let length = i64::try_from(options.window.as_millis()).unwrap_or(i64::MAX).max(1);
        let own = &mut context.state.own;
        let left = own.window.take(now, length, options.quota, options.others);
        own.asked.0 += u64::from(left.free);
        own.asked.1 += u64::from(!left.free);
        let response = match refuse(context, request) {
            Some(refused) => refused,
            None if !left.free => throttled(request),
            None => routes::respond(context, request),
        };
        let asks_for_json = request.header("accept").is_some_and(|kinds| kinds.contains("json"));
        let root = if response.status < 400 { "orders" } else { "errors" };
        let plain = asks_for_json || request.path.contains("/v3/");
        told(if plain { response } else { as_xml(response, root) }, options, left)
    })
}

/// The headers that every answer has.
fn told(response: Response, options: &Options, left: Left) -> Response {
    response
        .with_header("X-Rate-Limit-Requests-Left", left.requests.to_string())
        .with_header("X-Rate-Limit-Requests-Quota", options.quota.to_string())
        .with_header("X-Rate-Limit-Time-Reset-Ms", left.ends_in.to_string())
        .with_header("X-Rate-Limit-Time-Window-Ms", options.window.as_millis().to_string())
}

/// The answer to a request that does not get in.
fn refuse(context: &Context<'_>, request: &Request) -> Option<Response> {
    let own = &context.state.own;
    if own.down {
        return Some(error(request, 503, "The store is down for maintenance."));
    }
    let mine = request.path.starts_with(&format!("/stores/{}/", context.options.store_hash));
    if own.revoked || !mine || request.header("x-auth-token") != Some(REHEARSAL_TOKEN) {
        return Some(unauthorized(request));
    }
    // A missing scope has the form of V3 also under V2.
    let missing = || error_v3(403, "You don't have a required scope to access the endpoint");
    (!allowed(request, context.options)).then(missing)
}

/// The answer to a token that is not one of this store's.
fn unauthorized(request: &Request) -> Response {
    let v3 = "Unauthorized - the v3 Auth client ID or token in the request are not a valid combination for this store.";
    let text = if request.path.contains("/v3/") { v3 } else { "No valid API credentials provided." };
    error(request, 401, text)
}

fn allowed(request: &Request, options: &Options) -> bool {
    match options.orders {
        _ if request.path.ends_with("/v2/store") || request.path.ends_with("/v2/time") => options.information,
        Scope::None => false,
        Scope::ReadOnly => request.method == "GET",
        Scope::Modify => true,
    }
}

/// What is said when the quota is used up.
fn throttled(request: &Request) -> Response {
    error(request, 429, "Too many requests in a given time frame.")
}

/// BigCommerce's own form of a fault.
pub(super) fn fault(shop: &Shop, kind: &FaultKind, request: &Request) -> Option<Response> {
    match kind {
        FaultKind::Unauthorized => Some(unauthorized(request)),
        FaultKind::RateLimited(after) => {
            // Without these headers the platform itself is under load, and does not say for how
            // long.
            let seconds = after.as_deref().and_then(|text| text.parse::<i64>().ok());
            let Some(seconds) = seconds else { return Some(throttled(request)) };
            let left = Left { free: false, requests: 0, ends_in: seconds.saturating_mul(1000) };
            let told = told(throttled(request), &shop.options(), left);
            Some(told.with_header("X-Retry-After", seconds.to_string()))
        }
        _ => None,
    }
}
