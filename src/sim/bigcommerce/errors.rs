//! Answers that are no good news: a list of `{status, message}` in V2, an object in V3 and from the gateway.

use serde_json::json;

use crate::sim::http::Response;

const DOCUMENT: &str = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes";

/// V2's form.
pub(super) fn v2(status: u16, message: &str) -> Response {
    Response::json(status, &json!([{ "status": status, "message": message }]))
}

/// V3's form, also the gateway's.
pub(super) fn v3(status: u16, title: &str) -> Response {
    Response::json(status, &json!({ "status": status, "title": title, "type": DOCUMENT, "errors": {} }))
}

/// V2's answer about something that is not there.
pub(super) fn not_found() -> Response {
    v2(404, "The requested resource was not found.")
}

/// Nothing to show.
pub(super) fn nothing() -> Response {
    let mut response = Response::json(204, &json!(null));
    response.headers.clear();
    response.body.clear();
    response
}

/// What V2 answers to a request that does not ask for JSON.
pub(super) fn xml(status: u16) -> Response {
    let mut response = Response::html(status, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<orders></orders>");
    response.set_header("Content-Type", "application/xml");
    response
}

/// A field that is not to be written.
pub(super) fn read_only(field: &str) -> Response {
    v2(400, &format!("The field '{field}' cannot be written to. Please remove it from your request before trying again."))
}

/// A field with a wrong value.
pub(super) fn invalid(field: &str) -> Response {
    v2(400, &format!("The field '{field}' is invalid."))
}
