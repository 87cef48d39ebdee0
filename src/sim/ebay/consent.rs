//! Consent and tokens: the page where the seller allows an app, and the endpoint that gives tokens
//! for a code, for a refresh token, or to the application itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::form_urlencoded::Serializer;

use super::options::{Options, REHEARSAL_LANDING, REHEARSAL_RUNAME, SCOPE};
use super::vendor::ending;
use super::{Context, Request, Response};
use crate::sim::grants::Grant;

/// An error page.
fn oops(status: u16, word: &str, text: &str) -> Response {
    let page = format!(
        "<!DOCTYPE html><html><head><title>eBay</title></head><body><h1>{word}</h1><p>{text}</p></body></html>"
    );
    Response::html(status, page)
}

/// Sends the browser to the landing address.
fn land(pairs: &[(&str, &str)]) -> Response {
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    Response::html(302, "").with_header("Location", format!("{REHEARSAL_LANDING}?{query}"))
}

/// The endings of the scopes of a text; `None` where the keyset does not own one of them.
fn scopes(options: &Options, text: &str) -> Option<Vec<String>> {
    let owned = |scope: &str| {
        let ending = ending(scope)?;
        (ending.is_empty() || options.owned().any(|one| one == ending)).then(|| ending.to_owned())
    };
    text.split_whitespace().map(owned).collect()
}

impl Options {
    /// What the keyset owns.
    fn owned(&self) -> impl Iterator<Item = &'static str> {
        super::options::SCOPES.iter().copied()
    }
}

/// `/oauth2/authorize`: the page (GET), the seller's consent (POST), and `/oauth2/authorize/deny`.
pub(super) fn page(context: &mut Context<'_>, request: &Request) -> Response {
    let asked = |name: &str| request.param(name).unwrap_or_default();
    if asked("client_id") != context.options.keys().0 {
        return oops(400, "unauthorized_client", "The OAuth client was not found.");
    }
    if asked("redirect_uri") != REHEARSAL_RUNAME {
        return oops(400, "invalid_request", "Input request parameters are invalid.");
    }
    if asked("response_type") != "code" {
        return oops(400, "unsupported_response_type", "The response type is not supported.");
    }
    let Some(wished) = scopes(context.options, asked("scope")).filter(|scopes| !scopes.is_empty()) else {
        return oops(
            400,
            "invalid_scope",
            "The requested scope is invalid, unknown, malformed, or exceeds what is granted.",
        );
    };
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/oauth2/authorize") => Response::html(200, form(request)),
        ("POST", "/oauth2/authorize") => {
            let code = allow(context, wished);
            let ends = context.options.code_life.to_string();
            let told = [("state", asked("state")), ("code", &code), ("expires_in", &ends)];
            land(if asked("state").is_empty() { &told[1..] } else { &told })
        }
        _ => land(&[("error", "access_denied"), ("state", asked("state"))]),
    }
}

/// The page: one button that allows, one link that denies.
fn form(request: &Request) -> String {
    let query: String = Serializer::new(String::new()).extend_pairs(&request.query).finish().replace('&', "&amp;");
    let asked: String =
        request.param("scope").unwrap_or_default().split(' ').map(|scope| format!("<li>{scope}</li>")).collect();
    format!(
        "<!DOCTYPE html><html><head><title>eBay: grant application access</title></head><body>\
         <h1>Grant application access</h1><ul>{asked}</ul>\
         <form method=\"post\" action=\"/oauth2/authorize?{query}\"><button id=\"allow\" type=\"submit\">Agree and Continue</button></form>\
         <a id=\"deny\" href=\"/oauth2/authorize/deny?{query}\">Not now</a></body></html>"
    )
}

/// Whoever is signed in allows the app what it asks for; gives the code.
fn allow(context: &mut Context<'_>, wished: Vec<String>) -> String {
    let options = context.options;
    let scopes = wished.into_iter().filter(|scope| scope.is_empty() || options.scopes.contains(scope)).collect();
    let grant = Grant { user: 1 + u64::from(options.stranger), scopes, ends: context.now + options.code_life * 1_000 };
    context.state.own.grants.allow(grant, REHEARSAL_RUNAME, "")
}

/// Whether the application has shown its keys.
fn is_client(options: &Options, request: &Request) -> bool {
    let (id, secret) = options.keys();
    let sent = request.header("authorization").and_then(|header| header.strip_prefix("Basic "));
    sent.is_some_and(|sent| STANDARD.decode(sent.trim()).is_ok_and(|keys| keys == format!("{id}:{secret}").as_bytes()))
}

/// `POST /identity/v1/oauth2/token`.
pub(super) fn token(context: &mut Context<'_>, request: &Request) -> Response {
    let (options, now) = (context.options, context.now);
    let own = &mut context.state.own;
    let refused = |status: u16, word: &str, text: &str| {
        Response::json(status, &json!({ "error": word, "error_description": text }))
    };
    if own.failing_tokens > 0 {
        own.failing_tokens -= 1;
        return refused(500, "server_error", "The authorization server encountered an unexpected condition");
    }
    if !is_client(options, request) {
        return refused(401, "invalid_client", "client authentication failed");
    }
    let is_form =
        request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let form = if is_form { request.form() } else { Vec::new() };
    let sent = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let life = options.token_life;
    let answer = |token: &str, kind: &str| json!({ "access_token": token, "expires_in": life, "token_type": kind });
    let wished = scopes(options, sent("scope"));
    let Some(wished) = wished else {
        return refused(
            400,
            "invalid_scope",
            "The requested scope is invalid, unknown, malformed, or exceeds the scope granted to the client",
        );
    };
    let ends = now + life * 1_000;
    let given = match sent("grant_type") {
        "authorization_code" => {
            let code = own.grants.redeem(sent("code"), "", sent("redirect_uri"), now);
            let Ok(grant) = code else {
                let text = "the provided authorization grant code is invalid or was issued to another client";
                return refused(400, "invalid_grant", text);
            };
            let [access, refresh] = own.grants.give(&grant, ends, now + options.refresh_life * 1_000);
            let mut given = answer(&access, "User Access Token");
            given["refresh_token"] = json!(refresh);
            given["refresh_token_expires_in"] = json!(options.refresh_life);
            given
        }
        "refresh_token" => {
            let Some(grant) = own.grants.renew(sent("refresh_token"), now, true) else {
                let text = "the provided authorization refresh token is invalid or was issued to another client";
                return refused(400, "invalid_grant", text);
            };
            if wished.iter().any(|scope| !grant.scopes.contains(scope)) {
                return refused(
                    400,
                    "invalid_scope",
                    "The requested scope is invalid, unknown, malformed, or exceeds the scope granted to the client",
                );
            }
            let scopes = if wished.is_empty() { grant.scopes.clone() } else { wished };
            answer(&own.grants.access(&Grant { scopes, ..grant }, ends), "User Access Token")
        }
        "client_credentials" if wished.is_empty() => {
            let text = format!("the scope is missing; {SCOPE} is one");
            return refused(400, "invalid_scope", &text);
        }
        "client_credentials" => {
            let grant = Grant { user: 0, scopes: wished, ends };
            answer(&own.grants.access(&grant, ends), "Application Access Token")
        }
        _ => {
            return refused(
                400,
                "unsupported_grant_type",
                "grant type in request is not supported by the authorization server",
            );
        }
    };
    own.tokens_given += 1;
    Response::json(200, &given)
}
