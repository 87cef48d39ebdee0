//! What every request to the API has to pass: the app's key, its limits, the token and its scopes.
//! And what is said when something goes wrong on purpose.

use serde_json::json;

use super::options::{Key, Options, REHEARSAL_KEYSTRING, REHEARSAL_SECRET};
use super::{Context, Request, Response, Shop, consent, routes};
use crate::sim::FaultKind;
use crate::sim::world::Dice;

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// The answer to a request, whichever of Etsy's hosts it is for.
pub(super) fn respond(shop: &Shop, request: &Request) -> Response {
    let now = shop.milliseconds();
    shop.with(|context| match request.path.as_str() {
        "/oauth/connect" | "/oauth/connect/deny" => consent::page(context, request),
        "/v3/public/oauth/token" if request.method == "POST" => consent::token(context, request),
        path if path.starts_with("/v3/application/") => api(context, request, now),
        _ => error(404, "Resource not found"),
    })
}

/// An error.
pub(super) fn error(status: u16, text: &str) -> Response {
    Response::json(status, &json!({ "error": text }))
}

/// An error of who asks.
fn oauth_error(status: u16, word: &str, text: &str) -> Response {
    Response::json(status, &json!({ "error": word, "error_description": text }))
}

/// The answer of the API, with what is left of the limits and the number that support asks for.
fn api(context: &mut Context<'_>, request: &Request, now: i64) -> Response {
    let options = context.options;
    let counts = !matches!(request.path.as_str(), "/v3/application/openapi-ping" | "/v3/application/scopes");
    let own = &mut context.state.own;
    own.asked.0 += 1;
    let mut dice = Dice::new(options.seed, own.asked.0);
    let (uuid, is_let_in) = (dice.roll(), key(options, request));
    let refused = is_let_in.err().or_else(|| if counts { throttle(context, now) } else { None });
    let response = refused.unwrap_or_else(|| routes::respond(context, request));
    let own = &context.state.own;
    response
        .with_header("x-limit-per-second", options.per_second.to_string())
        .with_header("x-remaining-this-second", own.second.left(options.per_second).to_string())
        .with_header("x-limit-per-day", options.per_day.to_string())
        .with_header("x-remaining-today", own.day.left(options.per_day).to_string())
        .with_header("X-Etsy-Request-Uuid", format!("{uuid:032x}"))
}

/// Whether the app's key is one.
fn key(options: &Options, request: &Request) -> Result<(), Response> {
    let refused = |text| Err(error(403, text));
    match request.header("x-api-key").unwrap_or_default() {
        "" | ":" => refused("Invalid API key: should be in the format 'keystring:shared_secret'."),
        REHEARSAL_KEYSTRING => refused("Shared secret is required in x-api-key header."),
        key if key.split_once(':') != Some((REHEARSAL_KEYSTRING, REHEARSAL_SECRET)) || options.key == Key::Inactive => {
            refused("API key not found or not active, or incorrect shared secret for API key.")
        }
        _ => Ok(()),
    }
}

/// Takes a request out of the limits; the refusal where one of them is used up.
fn throttle(context: &mut Context<'_>, now: i64) -> Option<Response> {
    let (options, own) = (context.options, &mut context.state.own);
    own.second.since(now - now.rem_euclid(1_000), now);
    own.day.since(now - DAY + 1, now);
    let (second, day) = (own.second.left(options.per_second), own.day.left(options.per_day));
    if second > 0 && day > 0 {
        own.second.take(now);
        own.day.take(now);
        return None;
    }
    own.asked.1 += 1;
    Some(match day {
        0 => error(429, "Exceeded daily rate limit").with_header("retry-after", "86400"),
        _ => error(429, "Exceeded per second rate limit").with_header("retry-after", "1"),
    })
}

/// The user whose token a request has, if the token has this scope.
pub(super) fn user(context: &Context<'_>, request: &Request, scope: &str) -> Result<u64, Response> {
    let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer ")).map(str::trim);
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Err(error(403, "No user was provided as part of the bearer token."));
    };
    let grant = context.state.own.grants.of(token, context.now);
    let grant = grant.ok_or_else(|| oauth_error(401, "invalid_token", "access token is expired"))?;
    if scope.is_empty() || grant.scopes.iter().any(|given| given == scope) {
        return Ok(grant.user);
    }
    Err(match context.options.names_scopes {
        true => oauth_error(403, "insufficient_scope", "Insufficient scope"),
        false => error(401, "invalid_token"),
    })
}

/// Etsy's own form of a fault.
pub(super) fn fault(kind: &FaultKind, request: &Request) -> Option<Response> {
    if !request.path.starts_with("/v3/") {
        return None;
    }
    match kind {
        FaultKind::Unauthorized if request.path.contains("/oauth/") => {
            Some(oauth_error(401, "invalid_client", "client_id is invalid"))
        }
        FaultKind::Unauthorized => Some(oauth_error(401, "invalid_token", "access token is expired")),
        FaultKind::RateLimited(after) => {
            let refused = error(429, "Exceeded per second rate limit");
            Some(after.iter().fold(refused, |refused, after| refused.with_header("retry-after", after)))
        }
        FaultKind::Says(status, text) => Some(error(*status, text)),
        _ => None,
    }
}
