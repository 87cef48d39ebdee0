//! The site in front of the API, and who is asking: OAuth 1.0a, or an access token alone.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::errors::{error, plain, unauthorized};
use super::options::{
    ACCESS_TOKEN, ACCESS_TOKEN_SECRET, CONSUMER_KEY, CONSUMER_SECRET, OTHER_ACCESS_TOKEN, Options, Version,
};
use super::{Context, Request, Response, Shop, routes};
use crate::sim::{forms, oauth1, xml};

/// Seconds that a timestamp may be ahead; an old one is taken.
const AHEAD: i64 = 600;

/// The answer to whatever is asked.
pub(super) fn respond(shop: &Shop, request: &Request) -> Response {
    let not_found = || Response::html(404, "<html><head><title>404 Not Found</title></head></html>");
    shop.with(|context| {
        let options = context.options;
        let Some(path) = request.path.strip_prefix(options.prefix.as_str()) else { return not_found() };
        if context.state.own.down {
            return Response::html(503, "<html><title>Service Temporarily Unavailable</title></html>");
        }
        if options.redirects_to_https && !request.secure {
            let to = format!("{}{}", context.served.replacen("http://", "https://", 1), request.path);
            return Response::html(302, "").with_header("Location", to);
        }
        let bare = path.strip_prefix("/index.php");
        match bare.or(Some(path).filter(|_| options.rewrites)) {
            Some("/magento_version") => Response::html(200, "Magento/2.4 (Community)"),
            Some("" | "/") => Response::html(200, "<html><head><title>Home page</title></head></html>"),
            Some(path) => match path.strip_prefix("/rest/") {
                Some(path) => api(context, request, path),
                None => not_found(),
            },
            None => not_found(),
        }
    })
}

/// An answer of the API, in the form that was asked for.
fn api(context: &mut Context<'_>, request: &Request, path: &str) -> Response {
    let accept = request.header("accept").unwrap_or("*/*");
    let wants = |kind: &str| accept.contains(kind);
    if !["json", "xml", "*/*"].into_iter().any(wants) {
        return Response::html(500, "<html><title>There has been an error processing your request</title></html>");
    }
    let is_view = |store: &str| {
        let code = store.trim_end_matches('/');
        matches!(store, "" | "all/") || context.options.store_views.contains(&code)
    };
    let found = match path.split_once("V1/") {
        Some((store, path)) if is_view(store) => routes::answer(context, request, path),
        Some((store, _)) if store.len() > 1 => Err(plain(400, "Specified request cannot be processed.")),
        _ => Err(no_route()),
    };
    let mut response = found.unwrap_or_else(|refused| refused);
    let mut body = response.body_json();
    if response.status >= 400 && context.options.developer_mode {
        body["trace"] =
            json!("#0 /var/www/html/vendor/magento/framework/Interception.php(58): ___callParent()\n#1 {main}");
    }
    response.body = match context.options.long_floats {
        true => forms::long_floats(&body),
        false => body.to_string(),
    }
    .into_bytes();
    let json = wants("json") || !wants("xml") && !context.options.xml_by_default;
    let (response, kind) = if json { (response, "json") } else { (xml::as_xml(response, "response"), "xml") };
    let session = format!("PHPSESSID={:026x}; path=/; HttpOnly; SameSite=Lax", context.state.generation);
    let response = response.with_header("Content-Type", format!("application/{kind}; charset=utf-8"));
    response.with_header("Set-Cookie", session).with_header("Cache-Control", "no-store")
}

/// No such address in the API.
pub(super) fn no_route() -> Response {
    plain(404, "Request does not match any route.")
}

/// Whether who asks may use this resource.
pub(super) fn may(context: &mut Context<'_>, request: &Request, resource: &str) -> Result<(), Response> {
    let header = request.header("authorization").unwrap_or_default();
    let signed = header.to_ascii_lowercase().find("oauth ").and_then(|at| header.get(at + 6..));
    match signed {
        Some(signed) => oauth(context, request, signed)?,
        None if context.options.bearer && header.strip_prefix("Bearer ") == Some(ACCESS_TOKEN) => {}
        None => return Err(unauthorized(resource)),
    }
    if !resource.is_empty() && context.options.denied.contains(&resource) {
        Err(unauthorized(resource))
    } else {
        Ok(())
    }
}

const NEEDED: [&str; 6] = [
    "oauth_consumer_key",
    "oauth_signature",
    "oauth_signature_method",
    "oauth_nonce",
    "oauth_timestamp",
    "oauth_token",
];

/// As Magento checks a signed request, in its order.
fn oauth(context: &mut Context<'_>, request: &Request, header: &str) -> Result<(), Response> {
    let refused = |message: &str| Err(plain(401, message));
    let mut params = query(request);
    params.extend(pairs(header.split(',').map(str::trim), |value| value.trim_matches('"')));
    let text = |name: &str| params.get(name).cloned().unwrap_or_default();
    if let Some(name) = NEEDED.into_iter().find(|name| !params.contains_key(*name)) {
        return Err(super::errors::required(name));
    }
    if text("oauth_token").len() != 32 {
        return Err(plain(400, "The token length is invalid. Check the length and try again."));
    }
    if text("oauth_signature_method") != "HMAC-SHA256" {
        return Err(error(400, "Signature method %1 is not supported", json!([text("oauth_signature_method")])));
    }
    match text("oauth_consumer_key").as_str() {
        CONSUMER_KEY => {}
        key if key.len() != 32 => return refused("Consumer key is not the correct length"),
        _ => return refused("A consumer having the specified key does not exist"),
    }
    let at = text("oauth_timestamp").parse().unwrap_or(0);
    if at <= 0 || at > context.now + AHEAD {
        return refused("An error occurred validating the nonce");
    }
    if !context.state.own.nonces.insert(text("oauth_nonce")) {
        return Err(error(401, "The nonce is already being used by the consumer with ID %1", json!(["1"])));
    }
    match text("oauth_token").as_str() {
        ACCESS_TOKEN => {}
        OTHER_ACCESS_TOKEN => return refused("Token is not associated with the specified consumer"),
        _ => return refused("Specified token does not exist"),
    }
    if context.state.own.revoked {
        return refused("Access token has been revoked");
    }
    let given = params.remove("oauth_signature");
    let (address, natural) = (address(context, request), context.options.version < Version::V2_4_9);
    let secrets = (CONSUMER_SECRET, ACCESS_TOKEN_SECRET);
    match oauth1::signature(&request.method, &address, &params, secrets, natural) {
        expected if expected.is_some() && expected == given => Ok(()),
        _ => refused("The signature is invalid. Verify and try again."),
    }
}

/// Names and values, decoded once; a plus is a plus, and what has not one equals sign is left out.
fn pairs<'t>(parts: impl Iterator<Item = &'t str>, value: fn(&str) -> &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pair = |part: &'t str| part.split_once('=').map(|(name, text)| (decoded(name), decoded(value(text))));
    parts.filter_map(pair).collect()
}

/// The query as it was sent.
fn query(request: &Request) -> BTreeMap<String, String> {
    match request.raw_query() {
        Some(raw) => pairs(raw.split('&').filter(|part| part.matches('=').count() == 1), |value| value),
        None => request.query.iter().cloned().collect(),
    }
}

/// The address, as the shop believes that it was asked.
fn address(context: &Context<'_>, request: &Request) -> String {
    let (scheme, host) = context.served.split_once("://").unwrap_or(("http", context.served));
    let host = request.header("host").unwrap_or(host);
    let host = if context.options.sees_port { host } else { host.split(':').next().unwrap_or(host) };
    format!("{scheme}://{host}{}", request.path)
}

/// The body of a write; `null` where there is none.
pub(super) fn body(options: &Options, request: &Request) -> Result<Value, Response> {
    if !matches!(request.method.as_str(), "POST" | "PUT") {
        return Ok(Value::Null);
    }
    if request.body.is_empty() {
        return Ok(json!({}));
    }
    if request.header("content-type").is_none_or(str::is_empty) {
        return Err(plain(400, "Content-Type header is empty."));
    }
    let body = request.json().ok_or_else(|| plain(400, "Decoding error."))?;
    let is_long = |name: &str| body[name].as_array().map_or(0, Vec::len) > 20;
    let found = [("items", "Item"), ("tracks", "Track")].into_iter().find(|(name, _)| is_long(name));
    match found.filter(|_| options.input_limits) {
        Some((_, kind)) => {
            let of = format!("\\Magento\\Sales\\Api\\Data\\Shipment{kind}CreationInterface");
            Err(error(400, r#"Maximum items of type "%type" is %max"#, json!({ "type": of, "max": 20 })))
        }
        None => Ok(body),
    }
}
