//! Notes on an order. They move no date; a note to the customer is an e-mail each time.

use serde_json::{Value, json};

use super::args::error;
use super::render::gmt;
use super::request::Call;
use super::vendor::{Note, add_note};
use crate::sim::http::Response;

fn body(call: &Call<'_>, order: u64, note: &Note) -> Value {
    let base = format!("{}wc/v3/orders/{order}", call.root);
    json!({
        "id": note.id, "author": "WooCommerce", "date_created": call.style().local(note.created),
        "date_created_gmt": gmt(note.created), "note": shown(call, note), "customer_note": note.to_customer,
        "_links": {
            "self": [{"href": format!("{base}/notes/{}", note.id), "targetHints": {"allow": ["GET", "DELETE"]}}],
            "collection": [{"href": format!("{base}/notes")}],
            "up": [{"href": base}],
        },
    })
}

/// The text as stored, or as WordPress's filters for texts of people leave it (wptexturize,
/// make_clickable, wpautop).
fn shown(call: &Call<'_>, note: &Note) -> String {
    if !call.options.pretty_notes {
        return note.text.clone();
    }
    let words: Vec<String> = note.text.split(' ').map(pretty_word).collect();
    format!("<p>{}</p>\n", words.join(" "))
}

fn pretty_word(word: &str) -> String {
    if word.starts_with("https://") {
        let link = word.replace('&', "&#038;");
        return format!("<a href=\"{link}\" rel=\"nofollow\">{link}</a>");
    }
    let signs: Vec<char> = word.chars().collect();
    let digit = |nth: Option<usize>| nth.and_then(|nth| signs.get(nth)).is_some_and(char::is_ascii_digit);
    let between_digits = |nth: usize| digit(nth.checked_sub(1)) && digit(nth.checked_add(1));
    let spelt = signs.iter().enumerate().map(|(nth, sign)| match sign {
        'x' if between_digits(nth) => "&#215;".to_owned(),
        '&' => "&amp;".to_owned(),
        '"' => "&#8221;".to_owned(),
        '\'' => "&#8217;".to_owned(),
        sign => sign.to_string(),
    });
    spelt.collect::<String>().replace("---", "&#8212;").replace("--", "&#8211;").replace("...", "&#8230;")
}

fn invalid_order() -> Response {
    error(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
}

/// Every note of an order, newest first.
pub(super) fn all(call: &Call<'_>, order: u64) -> Vec<Value> {
    let mut notes = call.order(order).map(|order| order.own.notes.clone()).unwrap_or_default();
    notes.sort_by_key(|note| std::cmp::Reverse(note.created));
    let wanted = |note: &Note| match call.text("type") {
        Some("customer") => note.to_customer,
        Some("internal") => !note.to_customer,
        _ => true,
    };
    notes.into_iter().filter(wanted).map(|note| body(call, order, &note)).collect()
}

/// `GET /orders/{id}/notes`.
pub(super) fn list(call: &Call<'_>) -> Response {
    let order = call.id(0);
    if !call.has_order(order) {
        return invalid_order();
    }
    Response::json(200, &Value::Array(all(call, order)))
}

/// `GET /orders/{id}/notes/{id}`.
pub(super) fn get(call: &Call<'_>) -> Response {
    let (order, id) = (call.id(0), call.id(1));
    let found = call.order(order);
    match found.and_then(|order| order.own.notes.iter().find(|note| note.id == id).cloned()) {
        Some(note) => Response::json(200, &body(call, order, &note)),
        None => error(404, "woocommerce_rest_invalid_id", "Invalid resource ID."),
    }
}

/// `POST /orders/{id}/notes`.
pub(super) fn create(call: &mut Call<'_>) -> Response {
    let order = call.id(0);
    if !call.has_order(order) {
        return invalid_order();
    }
    let text = call.text("note").unwrap_or_default().to_owned();
    let to_customer = call.truth("customer_note");
    let id = add_note(&mut call.context(), order, &text, to_customer);
    let note = Note { id, created: call.now, text, to_customer };
    let location = format!("{}wc/v3/orders/{order}/notes/{id}", call.root);
    Response::json(201, &body(call, order, &note)).with_header("Location", location)
}

/// `DELETE /orders/{id}/notes/{id}`.
pub(super) fn delete(call: &mut Call<'_>) -> Response {
    let (order, id) = (call.id(0), call.id(1));
    let response = get(call);
    if response.status == 200 {
        let found = call.state.order_mut(call.options, order);
        found.into_iter().for_each(|order| order.own.notes.retain(|note| note.id != id));
    }
    response
}
