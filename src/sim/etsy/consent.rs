//! Consent and tokens: the page where the seller allows an app, and the endpoint that gives tokens
//! for a code or for a refresh token.

use std::sync::atomic::Ordering;

use serde_json::json;
use url::form_urlencoded::Serializer;

use super::options::{REHEARSAL_KEYSTRING, SCOPES};
use super::{Context, Request, Response};
use crate::sim::grants::Grant;

/// An error page of Etsy's.
fn oops(status: u16, text: &str) -> Response {
    let page = format!(
        "<!DOCTYPE html><html><head><title>Etsy</title></head><body><h1>An error occurred</h1><p>{text}</p></body></html>"
    );
    Response::html(status, page)
}

/// Sends the browser back to the app.
fn back(redirect: &str, pairs: &[(&str, &str)]) -> Response {
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    let sign = if redirect.contains('?') { '&' } else { '?' };
    Response::html(302, "").with_header("Location", format!("{redirect}{sign}{query}"))
}

/// `/oauth/connect`: the page (GET), the seller's consent (POST), and `/oauth/connect/deny`.
pub(super) fn page(context: &mut Context<'_>, request: &Request) -> Response {
    let asked = |name: &str| request.param(name).unwrap_or_default();
    let redirect = asked("redirect_uri");
    if asked("client_id") != REHEARSAL_KEYSTRING {
        return oops(400, "The application that is requesting authorization is not recognized.");
    }
    if !context.options.redirects.iter().any(|known| known == redirect) {
        return oops(400, "The requested redirect URL is not permitted.");
    }
    let refused = |error: &str, text: &str| {
        back(redirect, &[("error", error), ("error_description", text), ("state", asked("state"))])
    };
    let is_challenge = asked("code_challenge").len() == 43 && asked("code_challenge_method") == "S256";
    match () {
        () if asked("response_type") != "code" => {
            return refused("unsupported_response_type", "response_type is invalid");
        }
        () if asked("state").is_empty() => return refused("invalid_request", "state is required"),
        () if !is_challenge => return refused("invalid_request", "code_challenge is required"),
        () => {}
    }
    let mut scopes = asked("scope").split(' ').peekable();
    if !scopes.all(|scope| SCOPES.contains(&scope)) {
        return refused("invalid_scope", "scope is invalid");
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/oauth/connect") => Response::html(200, form(request)),
        ("POST", "/oauth/connect") => {
            let code = allow(context, request);
            back(redirect, &[("code", &code), ("state", asked("state"))])
        }
        ("GET", _) if context.options.denial_returns => refused("access_denied", "The user denied the request"),
        _ => oops(200, "Uh oh! A stitch has gone awry. Please try again later."),
    }
}

/// The page: one button that allows, one link that denies.
fn form(request: &Request) -> String {
    let query: String = Serializer::new(String::new()).extend_pairs(&request.query).finish().replace('&', "&amp;");
    let asked: String =
        request.param("scope").unwrap_or_default().split(' ').map(|scope| format!("<li>{scope}</li>")).collect();
    format!(
        "<!DOCTYPE html><html><head><title>Etsy: an application would like to connect</title></head><body>\
         <h1>An application would like to connect to your account</h1><ul>{asked}</ul>\
         <form method=\"post\" action=\"/oauth/connect?{query}\"><button id=\"allow\" type=\"submit\">Grant access</button></form>\
         <a id=\"deny\" href=\"/oauth/connect/deny?{query}\">Cancel</a></body></html>"
    )
}

/// Whoever is signed in allows the app what it asks for; gives the code.
fn allow(context: &mut Context<'_>, request: &Request) -> String {
    let (options, now) = (context.options, context.now);
    let asked = |name: &str| request.param(name).unwrap_or_default().to_owned();
    let scopes = asked("scope").split(' ').map(str::to_owned).filter(|scope| options.scopes.contains(scope)).collect();
    let user = options.seller + if options.stranger { 777 } else { 0 };
    let grant = Grant { user, scopes, ends: now + options.code_life };
    context.state.own.grants.allow(grant, &asked("redirect_uri"), &asked("code_challenge"))
}

/// `POST /v3/public/oauth/token`.
pub(super) fn token(context: &mut Context<'_>, request: &Request) -> Response {
    let (options, now) = (context.options, context.now);
    let own = &mut context.state.own;
    if own.failing_tokens > 0 {
        own.failing_tokens -= 1;
        return Response::json(500, &json!({ "error": "Server Error" }));
    }
    let is_form =
        request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let form = if is_form { request.form() } else { Vec::new() };
    let sent = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let refused = |error: &str, text: &str| Response::json(400, &json!({ "error": error, "error_description": text }));
    if sent("client_id") != REHEARSAL_KEYSTRING {
        return refused("invalid_client", "client_id is invalid");
    }
    let grant = match sent("grant_type") {
        "authorization_code" => own.grants.redeem(sent("code"), sent("code_verifier"), sent("redirect_uri"), now),
        "refresh_token" => {
            // Consents for scripts that have been given since.
            for nth in own.consents + 1..=options.consents.load(Ordering::Relaxed) {
                let grant =
                    Grant { user: options.seller, scopes: options.scopes.clone(), ends: now + options.refresh_life() };
                own.grants.trust(options.refresh_of(nth), grant);
                own.consents = nth;
            }
            own.grants.renew(sent("refresh_token"), now, options.renewed_works).ok_or("refresh_token is revoked")
        }
        _ => return refused("unsupported_grant_type", "grant_type is invalid"),
    };
    let grant = match grant {
        Ok(grant) => grant,
        Err(text) => return refused("invalid_grant", text),
    };
    own.tokens_given += 1;
    let life = options.token_life;
    let [access, refresh] = own.grants.give(&grant, now + life, now + options.refresh_life());
    let pair = json!({ "access_token": access, "token_type": "Bearer", "expires_in": life, "refresh_token": refresh });
    Response::json(200, &pair)
}
