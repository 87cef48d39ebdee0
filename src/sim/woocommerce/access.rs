//! Who is asking: keys over HTTPS, OAuth 1.0a over plain HTTP, as WooCommerce's
//! `WC_REST_Authentication` decides it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};
use sha1::Sha1;
use sha2::Sha256;

use super::args::{error, php_params};
use super::options::{HttpsSeen, Key, Options, Permission, Rights};
use super::vendor::Memory;
use crate::sim::http::{Request, Response};

/// What the shop knows about the asker: `None` without valid credentials.
pub(super) type Who = Option<Key>;

/// Seconds that an OAuth timestamp may be off either way.
const WINDOW: i64 = 15 * 60;

/// Finds out who asks. `home_path` is the path of the site's address, `home` the address itself.
pub(super) fn who(
    options: &Options,
    state: &mut Memory,
    request: &Request,
    home: &str,
    now: i64,
) -> Result<Who, Response> {
    if !is_for_the_api(request) {
        return Ok(None);
    }
    let is_ssl = match options.https_seen {
        HttpsSeen::AsConnected | HttpsSeen::Rehearsal => request.secure,
        HttpsSeen::Always => true,
        HttpsSeen::Never => false,
    };
    let takes_keys = is_ssl || options.https_seen == HttpsSeen::Rehearsal;
    if takes_keys && let Some(key) = plain_keys(options, request)? {
        return Ok(Some(key));
    }
    oauth(options, state, request, home, is_ssl, now)
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
    let Some((consumer_key, secret)) = pair.or_else(|| basic(options, request)) else { return Ok(None) };
    let Some(key) = find(options, &consumer_key) else { return Ok(None) };
    if key.consumer_secret != secret {
        return Err(refused("Consumer secret is invalid.").with_header("WWW-Authenticate", BASIC_REALM));
    }
    Ok(Some(key))
}

const BASIC_REALM: &str = "Basic realm=\"WooCommerce API. Use a consumer key in the username field and a consumer secret in the password field.\"";

fn basic(options: &Options, request: &Request) -> Option<(String, String)> {
    if options.strips_authorization {
        return None;
    }
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (key, secret) = decoded.split_once(':')?;
    Some((key.to_owned(), secret.to_owned()))
}

fn find(options: &Options, consumer_key: &str) -> Option<Key> {
    options.keys.iter().find(|key| key.consumer_key == consumer_key).cloned()
}

const OAUTH_PARAMS: [&str; 5] =
    ["oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method"];

fn oauth(
    options: &Options,
    state: &mut Memory,
    request: &Request,
    home: &str,
    is_ssl: bool,
    now: i64,
) -> Result<Who, Response> {
    let params = oauth_params(options, request);
    let missing: Vec<_> = OAUTH_PARAMS.into_iter().filter(|name| !params.contains_key(*name)).collect();
    if missing.len() == OAUTH_PARAMS.len() {
        return Ok(None);
    }
    if !missing.is_empty() {
        let message = format!("Missing OAuth parameters {}", missing.join(", "));
        return Err(error(401, "woocommerce_rest_authentication_missing_parameter", &message));
    }
    let text = |name: &str| params.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let key = find(options, &text("oauth_consumer_key")).ok_or_else(|| refused("Consumer key is invalid."))?;
    check_signature(&key, request, params.clone(), home, is_ssl)?;
    check_freshness(state, &key, &text("oauth_timestamp"), &text("oauth_nonce"), now)?;
    Ok(Some(key))
}

/// The query's parameters and those of an `Authorization: OAuth` header.
fn oauth_params(options: &Options, request: &Request) -> Map<String, Value> {
    let mut params = php_params(&request.sent());
    let header = request.header("authorization").filter(|_| !options.strips_authorization);
    if let Some(pairs) = header.and_then(|header| header.strip_prefix("OAuth ")) {
        for (name, value) in pairs.split(',').filter_map(|pair| pair.trim().split_once('=')) {
            let value = percent_decode_str(value.trim_matches('"')).decode_utf8_lossy().into_owned();
            if name.starts_with("oauth_") {
                params.insert(name.to_owned(), Value::String(value));
            }
        }
    }
    params
}

fn check_signature(
    key: &Key,
    request: &Request,
    mut params: Map<String, Value>,
    home: &str,
    is_ssl: bool,
) -> Result<(), Response> {
    let signature = params.remove("oauth_signature").and_then(|value| value.as_str().map(str::to_owned));
    let given = percent_decode_str(&signature.unwrap_or_default().replace(' ', "+")).decode_utf8_lossy().into_owned();
    let base = base_string(request, &params, home, is_ssl);
    let secret = format!("{}&", key.consumer_secret);
    let expected = match params.get("oauth_signature_method").and_then(Value::as_str) {
        Some("HMAC-SHA1") => hmac_sha1(&secret, &base),
        Some("HMAC-SHA256") => hmac_sha256(&secret, &base),
        _ => return Err(refused("Invalid signature - signature method is invalid.")),
    };
    if expected.as_deref() != Some(given.as_str()) {
        return Err(refused("Invalid signature - provided signature does not match."));
    }
    Ok(())
}

/// Method, the site's own idea of the address, and the parameters in order of their names; keys and
/// values are encoded twice.
fn base_string(request: &Request, params: &Map<String, Value>, home: &str, is_ssl: bool) -> String {
    let mut sorted: Vec<_> = params.iter().collect();
    sorted.sort_by(|one, other| one.0.as_bytes().cmp(other.0.as_bytes()));
    let mut pairs = Vec::new();
    for (name, value) in sorted {
        join(&encode(name), value, &mut pairs);
    }
    format!("{}&{}&{}", request.method, encode(&base_url(request, home, is_ssl)), pairs.join("%26"))
}

fn base_url(request: &Request, home: &str, is_ssl: bool) -> String {
    let bare = home.split_once("://").map_or(home, |(_, rest)| rest);
    let home_path = bare.split_once('/').map_or("/".to_owned(), |(_, path)| format!("/{path}/"));
    let path = request.path.strip_prefix(&home_path).unwrap_or(&request.path).trim_start_matches('/');
    let scheme = if is_ssl { "https" } else { "http" };
    if path.is_empty() { format!("{scheme}://{bare}") } else { format!("{scheme}://{bare}/{path}") }
}

fn join(name: &str, value: &Value, pairs: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                join(&format!("{name}%5B{at}%5D"), item, pairs);
            }
        }
        Value::Object(items) => items.iter().for_each(|(key, item)| join(&format!("{name}%5B{key}%5D"), item, pairs)),
        Value::String(text) => pairs.push(encode(&format!("{name}={}", encode(text)))),
        other => pairs.push(encode(&format!("{name}={other}"))),
    }
}

/// RFC 3986: what stays unencoded.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn hmac_sha1(secret: &str, text: &str) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

fn hmac_sha256(secret: &str, text: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

fn check_freshness(state: &mut Memory, key: &Key, timestamp: &str, nonce: &str, now: i64) -> Result<(), Response> {
    let fresh = timestamp.parse::<i64>().is_ok_and(|at| (at - now).abs() <= WINDOW);
    if !fresh {
        return Err(refused("Invalid timestamp."));
    }
    if !state.nonces.insert((key.consumer_key.clone(), nonce.to_owned())) {
        return Err(refused("Invalid nonce - nonce has already been used."));
    }
    Ok(())
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
