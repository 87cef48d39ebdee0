//! OAuth 1.0a as a server checks it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};
use sha1::Sha1;
use sha2::Sha256;

use super::http::Request;
use super::rest::from_pairs;

/// The parameters of a signed request: those of the query and, unless a server strips it, of an
/// `Authorization: OAuth` header.
pub(crate) fn params(request: &Request, strips_authorization: bool) -> Map<String, Value> {
    let mut params = from_pairs(&request.sent());
    let header = request.header("authorization").filter(|_| !strips_authorization);
    let pairs = header.and_then(|header| header.strip_prefix("OAuth ")).unwrap_or_default().split(',');
    for (name, value) in pairs.filter_map(|pair| pair.trim().split_once('=')) {
        if name.starts_with("oauth_") {
            let value = percent_decode_str(value.trim_matches('"')).decode_utf8_lossy().into_owned();
            params.insert(name.to_owned(), Value::String(value));
        }
    }
    params
}

/// Whether the signature in `params` is that of a request to this address with this secret; `None`
/// where it is of an unknown method.
pub(crate) fn is_signed(method: &str, address: &str, params: &Map<String, Value>, secret: &str) -> Option<bool> {
    let text = |name: &str| params.get(name).and_then(Value::as_str).unwrap_or_default();
    let given = text("oauth_signature").replace(' ', "+");
    let given = percent_decode_str(&given).decode_utf8_lossy();
    let (secret, base) = (format!("{secret}&"), base_string(method, address, params));
    let expected = match text("oauth_signature_method") {
        "HMAC-SHA1" => mac::<Hmac<Sha1>>(&secret, &base),
        "HMAC-SHA256" => mac::<Hmac<Sha256>>(&secret, &base),
        _ => return None,
    };
    Some(expected.as_deref() == Some(&*given))
}

/// The HMAC-SHA256 signature of a request with these parameters, each under its name as it is sent
/// (brackets are a part of it), by the secrets of the consumer and of the token.
///
/// RFC 5849 sorts encoded names by their bytes; `natural` servers sort them as people do it, `[2]`
/// before `[10]`, and others the names as they were before, by their bytes.
pub(crate) fn signature(
    method: &str,
    address: &str,
    params: &BTreeMap<String, String>,
    secrets: (&str, &str),
    natural: bool,
) -> Option<String> {
    let mut pairs: Vec<_> = params.iter().map(|(name, value)| (encode(name), encode(value))).collect();
    if natural {
        pairs.sort_by(|one, other| by_numbers(&one.0, &other.0));
    }
    let joined = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let base = format!("{method}&{}&{}", encode(address), encode(&joined));
    mac::<Hmac<Sha256>>(&format!("{}&{}", encode(secrets.0), encode(secrets.1)), &base)
}

/// Digits that stand together are a number.
fn by_numbers(one: &str, other: &str) -> Ordering {
    fn runs(text: &str) -> impl Iterator<Item = &[u8]> {
        text.as_bytes().chunk_by(|a, b| a.is_ascii_digit() && b.is_ascii_digit())
    }
    let number = |run: &[u8]| std::str::from_utf8(run).ok().and_then(|text| text.parse::<u64>().ok());
    let compare = |(a, b): (&[u8], &[u8])| match (number(a), number(b)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => a.cmp(b),
    };
    let first = runs(one).zip(runs(other)).map(compare).find(|order| order.is_ne());
    first.unwrap_or_else(|| one.len().cmp(&other.len()))
}

fn mac<M: Mac + KeyInit>(secret: &str, text: &str) -> Option<String> {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

/// Method, address, and the parameters in order of their names; keys and values are encoded twice.
fn base_string(method: &str, address: &str, params: &Map<String, Value>) -> String {
    let mut sorted: Vec<_> = params.iter().filter(|(name, _)| *name != "oauth_signature").collect();
    sorted.sort_by(|one, other| one.0.as_bytes().cmp(other.0.as_bytes()));
    let mut pairs = Vec::new();
    for (name, value) in sorted {
        join(&encode(name), value, &mut pairs);
    }
    format!("{method}&{}&{}", encode(address), pairs.join("%26"))
}

fn join(name: &str, value: &Value, pairs: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            (0..).zip(items).for_each(|(at, item): (usize, _)| join(&format!("{name}%5B{at}%5D"), item, pairs));
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
