//! WordPress's errors.

use serde_json::{Map, Value, json};

use super::Response;
use crate::sim::rest::{What, Wrong};

/// A WordPress error.
pub(super) fn error(status: u16, code: &str, message: &str) -> Response {
    with_data(code, message, json!({ "status": status }), status)
}

fn with_data(code: &str, message: &str, data: Value, status: u16) -> Response {
    Response::json(status, &json!({ "code": code, "message": message, "data": data }))
}

/// "Invalid ID." with the code that WooCommerce uses for orders.
pub(super) fn invalid_id(status: u16) -> Response {
    error(status, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
}

/// What WordPress says when a program in it ends in the middle of its work.
pub(super) fn critical() -> Response {
    error(500, "internal_server_error", "<p>There has been a critical error on this website.</p>")
}

/// A body that is no JSON.
pub(super) fn invalid_json() -> Response {
    let data = json!({ "status": 400, "json_error_code": 4, "json_error_message": "Syntax error" });
    with_data("rest_invalid_json", "Invalid JSON body passed.", data, 400)
}

/// Parameters that are missing, or wrong: everything that is wrong is listed.
pub(super) fn invalid_params(wrong: &[Wrong]) -> Response {
    let names: Vec<&str> = wrong.iter().map(|one| one.arg.as_str()).collect();
    if wrong.iter().any(|one| matches!(one.what, What::Missing)) {
        let message = format!("Missing parameter(s): {}", names.join(", "));
        return with_data("rest_missing_callback_param", &message, json!({ "status": 400, "params": names }), 400);
    }
    let (mut params, mut details) = (Map::new(), Map::new());
    for one in wrong {
        let (code, message, data) = explained(one);
        params.insert(one.arg.clone(), json!(message));
        details.insert(one.arg.clone(), json!({ "code": code, "message": message, "data": data }));
    }
    let message = format!("Invalid parameter(s): {}", names.join(", "));
    let data = json!({ "status": 400, "params": params, "details": details });
    with_data("rest_invalid_param", &message, data, 400)
}

/// Code, message and data for one parameter.
fn explained(Wrong { name, what, .. }: &Wrong) -> (&'static str, String, Value) {
    let bounds = "rest_out_of_bounds";
    let (code, message) = match what {
        What::Missing | What::Date => ("rest_invalid_date", "Invalid date.".to_owned()),
        What::Type(kind) => {
            return ("rest_invalid_type", format!("{name} is not of type {kind}."), json!({ "param": name }));
        }
        What::Bounds(Some(low), Some(high)) => {
            (bounds, format!("{name} must be between {low} (inclusive) and {high} (inclusive)"))
        }
        What::Bounds(Some(low), None) => (bounds, format!("{name} must be greater than or equal to {low}")),
        What::Bounds(_, high) => (bounds, format!("{name} must be less than or equal to {}", high.unwrap_or_default())),
        What::NotOneOf(words) => {
            let listed = match words.as_slice() {
                [most @ .., last] if !most.is_empty() => format!("{}, and {last}", most.join(", ")),
                words => words.concat(),
            };
            ("rest_not_in_enum", format!("{name} is not one of {listed}."))
        }
    };
    (code, message, Value::Null)
}
