//! What every request has to pass: the token in the right header, its scopes, the limits of the day.
//! And what is said when something goes wrong on purpose.

use chrono::{FixedOffset, TimeZone};
use serde_json::{Value, json};

use super::{Caller, Context, Request, Response, Shop, consent, post_order, routes};
use crate::clock::Timestamp;
use crate::sim::FaultKind;

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// The answer to a request, whichever of eBay's hosts it is for.
pub(super) fn respond(shop: &Shop, request: &Request) -> Response {
    shop.with(|context| {
        post_order::settle(context);
        answer(context, request)
    })
}

fn answer(context: &mut Context<'_>, request: &Request) -> Response {
    match request.path.as_str() {
        "/oauth2/authorize" | "/oauth2/authorize/deny" => consent::page(context, request),
        "/identity/v1/oauth2/token" if request.method == "POST" => consent::token(context, request),
        _ => routes::respond(context, request),
    }
}

/// An error in the form of the REST APIs.
pub(super) fn error(status: u16, id: u32, domain: &str, message: &str) -> Response {
    let category = if status >= 500 { "APPLICATION" } else { "REQUEST" };
    let row = json!({
        "errorId": id, "domain": domain, "category": category, "message": message, "longMessage": message,
    });
    Response::json(status, &json!({ "errors": [row] }))
}

/// An error in the form of Post-Order.
pub(super) fn post_order_error(status: u16, id: u32, message: &str) -> Response {
    let category = if status >= 500 { "SYSTEM" } else { "REQUEST" };
    let row = json!({
        "errorId": id, "domain": "cancellationErrorDomain", "severity": "ERROR", "category": category,
        "message": message, "parameter": [], "longMessage": message, "httpStatusCode": status,
    });
    Response::json(status, &json!({ "errorMessage": { "error": [row] } }))
}

fn is_post_order(request: &Request) -> bool {
    request.path.starts_with("/post-order/")
}

/// The token is missing, or is none.
fn unauthorized(request: &Request, is_missing: bool) -> Response {
    let (id, message) = if is_missing { (1002, "Missing access token") } else { (1001, "Invalid access token") };
    if is_post_order(request) {
        return post_order_error(401, id, message);
    }
    let text = format!("{message}. Check the value of the Authorization HTTP request header.");
    let row = json!({
        "errorId": id, "domain": "OAuth", "category": "REQUEST", "message": message, "longMessage": text,
    });
    Response::json(401, &json!({ "errors": [row] }))
}

/// The token may not do this.
pub(super) fn denied() -> Response {
    let row = json!({
        "errorId": 1100, "domain": "ACCESS", "category": "REQUEST", "message": "Access denied",
        "longMessage": "Insufficient permissions to fulfill the request.",
    });
    Response::json(403, &json!({ "errors": [row] }))
}

fn too_many(request: &Request) -> Response {
    if is_post_order(request) {
        return post_order_error(429, 2001, "Too many requests.");
    }
    let row = json!({
        "errorId": 2001, "domain": "ACCESS", "category": "REQUEST", "message": "Too many requests.",
        "longMessage": "The request limit has been reached for the resource.",
    });
    Response::json(429, &json!({ "errors": [row] }))
}

/// Who asks, if the token in the header of this API has one of these scopes; `app`: the application
/// itself may ask.
pub(super) fn caller(context: &Context<'_>, request: &Request, scopes: &[&str], app: bool) -> Result<Caller, Response> {
    let header = request.header("authorization").unwrap_or_default();
    let (form, token) = header.split_once(' ').unwrap_or((header, ""));
    // The same token, but Post-Order is older than the others.
    let is_form = if is_post_order(request) { matches!(form, "IAF" | "TOKEN") } else { form == "Bearer" };
    let grant = context.state.own.grants.of(token.trim(), context.now).filter(|_| is_form);
    let grant = grant.ok_or_else(|| unauthorized(request, header.is_empty()))?;
    let may = scopes.is_empty() || scopes.iter().any(|wanted| grant.scopes.iter().any(|given| given == wanted));
    if !may || (grant.user == 0 && !app) {
        return Err(denied());
    }
    Ok(Caller { is_app: grant.user == 0, is_seller: grant.user == 1 })
}

/// When the day began in which a moment is: in California.
pub(super) fn day_of(now: i64) -> i64 {
    let zone = FixedOffset::west_opt(8 * 3_600);
    let local = zone.and_then(|zone| zone.timestamp_millis_opt(now).single());
    let into = local.map_or(0, |local| (local.naive_local().and_utc().timestamp_millis()).rem_euclid(DAY));
    now - into
}

/// Takes a request out of the day's limit of its API; the refusal where it is used up.
pub(super) fn throttle(context: &mut Context<'_>, request: &Request, api: &'static str) -> Result<(), Response> {
    let (now, most) = (context.now, context.options.per_day);
    let own = &mut context.state.own;
    own.asked.0 += 1;
    let day = day_of(now);
    if own.day.0 != day {
        own.day = (day, Default::default());
    }
    let used = own.day.1.entry(api).or_default();
    if *used >= most {
        own.asked.1 += 1;
        return Err(too_many(request));
    }
    *used += 1;
    Ok(())
}

/// How the limit of an API stands: used, and when the next day begins.
pub(super) fn used(context: &Context<'_>, api: &str) -> (u32, i64) {
    let day = day_of(context.now);
    let used = context.state.own.day.1.get(api).copied().filter(|_| context.state.own.day.0 == day);
    (used.unwrap_or(0), day + DAY)
}

/// A moment as eBay writes it.
pub(super) fn stamp(milliseconds: i64) -> String {
    let at = Timestamp::from_timestamp_millis(milliseconds).unwrap_or_default();
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A moment as eBay reads it: in UTC, and nothing else.
pub(super) fn moment(text: &str) -> Option<i64> {
    let is_utc = text.ends_with('Z') && text.len() >= 20;
    let at = chrono::DateTime::parse_from_rfc3339(text).ok().filter(|_| is_utc)?;
    Some(at.timestamp_millis())
}

/// eBay's own form of a fault.
pub(super) fn fault(kind: &FaultKind, request: &Request) -> Option<Response> {
    let is_token = request.path.ends_with("/oauth2/token");
    match kind {
        FaultKind::Unauthorized if is_token => {
            let body: Value = json!({ "error": "invalid_client", "error_description": "client authentication failed" });
            Some(Response::json(401, &body))
        }
        FaultKind::Unauthorized => Some(unauthorized(request, false)),
        FaultKind::RateLimited(after) => {
            let refused = too_many(request);
            Some(after.iter().fold(refused, |refused, after| refused.with_header("retry-after", after)))
        }
        FaultKind::Says(status, text) if is_post_order(request) => Some(post_order_error(*status, 1_500, text)),
        FaultKind::Says(status, text) => Some(error(*status, 32_600, "API_FULFILLMENT", text)),
        _ => None,
    }
}
