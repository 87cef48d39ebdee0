//! What the shop says when it does not do what it was asked: messages keep their placeholders.

use serde_json::{Map, Value, json};

use super::{Context, Response};

/// An error, with what its placeholders stand for.
pub(super) fn error(status: u16, message: &str, parameters: Value) -> Response {
    let mut body = json!({ "message": message });
    if !parameters.is_null() {
        body["parameters"] = parameters;
    }
    Response::json(status, &body)
}

/// One without placeholders.
pub(super) fn plain(status: u16, message: &str) -> Response {
    error(status, message, Value::Null)
}

/// No such order, shipment or track.
pub(super) fn missing() -> Response {
    plain(404, "The entity that was requested doesn't exist. Verify the entity and try again.")
}

/// The asker may not, or is nobody: all the same.
pub(super) fn unauthorized(resource: &str) -> Response {
    error(401, "The consumer isn't authorized to access %resources.", json!({ "resources": resource }))
}

/// A parameter that must be there.
pub(super) fn required(name: &str) -> Response {
    error(400, r#""%fieldName" is required. Enter and try again."#, json!({ "fieldName": name }))
}

/// A value of another type.
pub(super) fn wrong_type(value: &str, kind: &str) -> Response {
    plain(
        400,
        &format!(r#"The "{value}" value's type is invalid. The "{kind}" type was expected. Verify and try again."#),
    )
}

/// No members but these.
pub(super) fn only(object: &Value, known: &[&str]) -> Result<(), Response> {
    let mut names = object.as_object().into_iter().flat_map(Map::keys);
    match names.find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let field = name.split('_').map(upper).collect::<String>();
            let text = r#""%fieldName" is not supported. Correct the field name and try again."#;
            Err(error(400, text, json!({ "fieldName": field })))
        }
    }
}

fn upper(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The shop's program failed; what happened is in its log.
pub(super) fn internal(context: &Context<'_>) -> Response {
    let report = format!("{:013x}", crate::sim::world::mix(context.state.generation));
    let report = report.get(..13).unwrap_or_default();
    plain(500, &format!("Internal Error. Details are available in Magento log file. Report ID: webapi-{report}"))
}
