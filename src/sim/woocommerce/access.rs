//! Who is asking: keys over HTTPS, OAuth 1.0a over plain HTTP, as WooCommerce's
//! `WC_REST_Authentication` decides it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::errors::error;
use super::options::{HttpsSeen, Key, Options, Permission, Rights};
use super::{Context, Request, Response, Who};
use crate::sim::oauth1;

/// Seconds that an OAuth timestamp may be off either way.
const WINDOW: i64 = 15 * 60;

/// Finds out who asks.
pub(super) fn who(context: &mut Context<'_>, request: &Request) -> Result<Who, Response> {
    if !is_for_the_api(request) {
        return Ok(None);
    }
    let is_ssl = match context.options.https_seen {
        HttpsSeen::AsConnected | HttpsSeen::Rehearsal => request.secure,
        HttpsSeen::Always => true,
        HttpsSeen::Never => false,
    };
    let takes_keys = is_ssl || context.options.https_seen == HttpsSeen::Rehearsal;
    if takes_keys && let Some(key) = plain_keys(context.options, request)? {
        return Ok(Some(key));
    }
    oauth(context, request, is_ssl)
}

/// As versions before 11.1 decide it: by the letters of the address as it was sent.
fn is_for_the_api(request: &Request) -> bool {
    let pairs = || request.query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let query = request.raw_query().map_or_else(pairs, str::to_owned);
    let address = format!("{}?{query}", request.path);
    address.contains("wp-json/wc/") || address.contains("wp-json/wc-")
}

fn refused(message: &str) -> Response {
    error(401, "woocommerce_rest_authentication_error", message)
}

/// Keys in the query win over Basic. An unknown key is no key at all; a wrong secret is an error.
fn plain_keys(options: &Options, request: &Request) -> Result<Who, Response> {
    let in_query = request.param("consumer_key").zip(request.param("consumer_secret"));
    let pair = in_query.map(|(key, secret)| (key.to_owned(), secret.to_owned()));
    let Some((key, secret)) = pair.or_else(|| basic(options, request)) else { return Ok(None) };
    let found = find(options, &key);
    if found.as_ref().is_some_and(|key| key.consumer_secret != secret) {
        let realm =
            "WooCommerce API. Use a consumer key in the username field and a consumer secret in the password field.";
        let asked = format!("Basic realm=\"{realm}\"");
        return Err(refused("Consumer secret is invalid.").with_header("WWW-Authenticate", asked));
    }
    Ok(found)
}

fn basic(options: &Options, request: &Request) -> Option<(String, String)> {
    let header = request.header("authorization").filter(|_| !options.strips_authorization);
    let decoded = String::from_utf8(STANDARD.decode(header?.strip_prefix("Basic ")?.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(key, secret)| (key.to_owned(), secret.to_owned()))
}

fn find(options: &Options, consumer_key: &str) -> Who {
    options.keys.iter().find(|key| key.consumer_key == consumer_key).cloned()
}

const OAUTH_PARAMS: [&str; 5] =
    ["oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method"];

fn oauth(context: &mut Context<'_>, request: &Request, is_ssl: bool) -> Result<Who, Response> {
    let params = oauth1::params(request, context.options.strips_authorization);
    let missing: Vec<_> = OAUTH_PARAMS.into_iter().filter(|name| !params.contains_key(*name)).collect();
    if missing.len() == OAUTH_PARAMS.len() {
        return Ok(None);
    }
    if !missing.is_empty() {
        let message = format!("Missing OAuth parameters {}", missing.join(", "));
        return Err(error(401, "woocommerce_rest_authentication_missing_parameter", &message));
    }
    let text = |name: &str| params.get(name).and_then(Value::as_str).unwrap_or_default();
    let key = find(context.options, text("oauth_consumer_key")).ok_or_else(|| refused("Consumer key is invalid."))?;
    let address = address(request, &context.home(), is_ssl);
    match oauth1::is_signed(&request.method, &address, &params, &key.consumer_secret) {
        Some(true) => {}
        Some(false) => return Err(refused("Invalid signature - provided signature does not match.")),
        None => return Err(refused("Invalid signature - signature method is invalid.")),
    }
    let at: Option<i64> = text("oauth_timestamp").parse().ok();
    if at.is_none_or(|at| (at - context.now).abs() > WINDOW) {
        return Err(refused("Invalid timestamp."));
    }
    if !context.state.own.nonces.insert((key.consumer_key.clone(), text("oauth_nonce").to_owned())) {
        return Err(refused("Invalid nonce - nonce has already been used."));
    }
    Ok(Some(key))
}

/// The site's own idea of the address.
fn address(request: &Request, home: &str, is_ssl: bool) -> String {
    let bare = home.split_once("://").map_or(home, |(_, rest)| rest);
    let home_path = bare.split_once('/').map_or("/".to_owned(), |(_, path)| format!("/{path}/"));
    let path = request.path.strip_prefix(&home_path).unwrap_or(&request.path).trim_start_matches('/');
    let scheme = if is_ssl { "https" } else { "http" };
    if path.is_empty() { format!("{scheme}://{bare}") } else { format!("{scheme}://{bare}/{path}") }
}

/// Whether the key's own permission covers the method.
pub(super) fn check_permission(key: &Key, method: &str) -> Result<(), Response> {
    let reads = matches!(method, "GET" | "HEAD");
    match key.permission {
        Permission::Read if !reads => Err(refused("The API key provided does not have write permissions.")),
        Permission::Write if reads => Err(refused("The API key provided does not have read permissions.")),
        _ => Ok(()),
    }
}

/// Whether the asker may manage the shop; the error is 401 for nobody and 403 for a customer.
pub(super) fn check_rights(who: &Who, code: &str, message: &str) -> Result<(), Response> {
    match who {
        None => Err(error(401, code, message)),
        Some(key) if key.rights == Rights::Customer => Err(error(403, code, message)),
        Some(_) => Ok(()),
    }
}
