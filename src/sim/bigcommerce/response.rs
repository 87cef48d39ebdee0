//! Answers of V2 and V3, and their errors, which have different forms.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Request, Response};
use crate::sim::rest::Page;

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
pub(super) fn list(rows: &[Value]) -> Response {
    if rows.is_empty() { nothing() } else { json(200, &json!(rows)) }
}

/// A list of V3, with where it stands in the whole.
pub(super) fn page_v3(rows: &[Value], page: Page) -> Response {
    let (shown, number, size) = (page.of(rows), page.number, page.size);
    let pagination = json!({
        "total": rows.len(), "count": shown.len(), "per_page": size, "current_page": number,
        "total_pages": rows.len().div_ceil(size), "links": { "current": format!("?page={number}&limit={size}") },
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

/// A member whose value is not one.
pub(super) fn invalid(field: &str) -> Response {
    error_v2(400, &format!("The field '{field}' is invalid."))
}

/// A member that a request must not carry.
pub(super) fn not_writable(field: &str) -> Response {
    let text = "cannot be written to. Please remove it from your request before trying again.";
    error_v2(400, &format!("The field '{field}' {text}"))
}
