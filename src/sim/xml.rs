//! JSON as XML, for those who do not ask for JSON.

use serde_json::Value;

use super::http::Response;

/// The same answer in XML, under a root element; an empty one stays empty.
pub(crate) fn as_xml(response: Response, root: &str) -> Response {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(&mut text, root, &response.body_json());
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
