//! Answers of V2 and V3, and their errors, which have different forms.

use std::time::Duration;

use serde_json::{Value, json};

use crate::sim::http::{Request, Response};

/// Where the vendor explains its status codes.
const EXPLAINED: &str = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes";

/// An answer with JSON.
pub(super) fn json(status: u16, body: &Value) -> Response {
    Response::json(status, body).with_header("Content-Type", "application/json")
}

/// Nothing to show, or nothing to say: V2 sends 204 without a body for every empty list.
pub(super) fn nothing() -> Response {
    Response { status: 204, headers: Vec::new(), body: Vec::new(), delay: Duration::ZERO }
}

/// A list of V2.
pub(super) fn list(rows: Vec<Value>) -> Response {
    if rows.is_empty() { nothing() } else { json(200, &Value::Array(rows)) }
}

/// A list of V3, with where it stands in the whole.
pub(super) fn page_v3(rows: &[Value], page: usize, limit: usize) -> Response {
    let limit = limit.max(1);
    let begin = page.saturating_sub(1).saturating_mul(limit).min(rows.len());
    let shown = &rows[begin..begin.saturating_add(limit).min(rows.len())];
    let pagination = json!({
        "total": rows.len(), "count": shown.len(), "per_page": limit, "current_page": page,
        "total_pages": rows.len().div_ceil(limit), "links": { "current": format!("?page={page}&limit={limit}") },
    });
    json(200, &json!({ "data": shown, "meta": { "pagination": pagination } }))
}

/// An error in the form of V2: a list.
pub(super) fn error_v2(status: u16, message: &str) -> Response {
    json(status, &json!([{ "status": status, "message": message }]))
}

/// An error in the form of V3: an object.
pub(super) fn error_v3(status: u16, title: &str) -> Response {
    json(status, &json!({ "status": status, "title": title, "type": EXPLAINED, "errors": {} }))
}

/// An error in the form of the version that was asked.
pub(super) fn error(request: &Request, status: u16, words: &str) -> Response {
    if request.path.contains("/v3/") { error_v3(status, words) } else { error_v2(status, words) }
}

/// The store's own program failed.
pub(super) fn failed(request: &Request) -> Response {
    error(request, 500, "Internal Server Error")
}

/// No such thing.
pub(super) fn not_found(request: &Request) -> Response {
    error(request, 404, "The requested resource was not found.")
}

/// A member that a request must not carry.
pub(super) fn not_writable(field: &str) -> Response {
    let text =
        format!("The field '{field}' cannot be written to. Please remove it from your request before trying again.");
    error_v2(400, &text)
}

/// What V2 gives to those who do not ask for JSON.
pub(super) fn as_xml(response: Response) -> Response {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(&mut text, if response.status < 400 { "orders" } else { "errors" }, &response.body_json());
    let body = if response.body.is_empty() { Vec::new() } else { text.into_bytes() };
    Response { body, ..response.with_header("Content-Type", "application/xml") }
}

fn element(text: &mut String, name: &str, value: &Value) {
    text.push_str(&format!("<{name}>"));
    match value {
        Value::Array(rows) => rows.iter().for_each(|row| element(text, name.trim_end_matches('s'), row)),
        Value::Object(members) => members.iter().for_each(|(name, value)| element(text, name, value)),
        Value::String(words) => text.push_str(&words.replace('&', "&amp;").replace('<', "&lt;")),
        Value::Null => {}
        other => text.push_str(&other.to_string()),
    }
    text.push_str(&format!("</{name}>"));
}
