//! Notes on an order. They move no date; a note to the customer is an e-mail each time.

use serde_json::{Value, json};

use super::errors::error;
use super::render::{Style, gmt};
use super::{Answer, Call, Order, Response};
use crate::sim::world::Note;

fn body(style: &Style<'_>, order: u64, note: &Note) -> Value {
    let base = format!("{}wc/v3/orders/{order}", style.root);
    json!({
        "id": note.id, "author": "WooCommerce", "date_created": style.local(note.created),
        "date_created_gmt": gmt(note.created), "customer_note": note.to_customer,
        "note": if style.options.pretty_notes { pretty(&note.text) } else { note.text.clone() },
        "_links": style.links(&base, "notes", note.id),
    })
}

/// The text as WordPress's filters for texts of people leave it (wptexturize, make_clickable,
/// wpautop).
fn pretty(text: &str) -> String {
    let words: Vec<String> = text.split(' ').map(pretty_word).collect();
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

/// Every note of an order, newest first.
pub(super) fn all(style: &Style<'_>, order: &Order, wanted: impl Fn(&Note) -> bool) -> Vec<Value> {
    let mut notes: Vec<&Note> = order.notes.iter().filter(|note| wanted(note)).collect();
    notes.sort_by_key(|note| std::cmp::Reverse(note.created));
    notes.into_iter().map(|note| body(style, order.id, note)).collect()
}

fn invalid_order() -> Response {
    error(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
}

/// `GET /orders/{id}/notes`.
pub(super) fn list(call: &mut Call<'_, '_>) -> Answer {
    let order = call.order(call.id(0)).ok_or_else(invalid_order)?;
    let wanted = |note: &Note| match call.text("type") {
        Some("customer") => note.to_customer,
        Some("internal") => !note.to_customer,
        _ => true,
    };
    Ok(Response::json(200, &json!(all(&call.style(), &order, wanted))))
}

/// `GET /orders/{id}/notes/{id}`.
pub(super) fn get(call: &mut Call<'_, '_>) -> Answer {
    let (order, id) = (call.order(call.id(0)), call.id(1));
    let found = order.and_then(|order| order.notes.iter().find(|note| note.id == id).cloned());
    let note = found.ok_or_else(|| error(404, "woocommerce_rest_invalid_id", "Invalid resource ID."))?;
    Ok(Response::json(200, &body(&call.style(), call.id(0), &note)))
}

/// `POST /orders/{id}/notes`.
pub(super) fn create(call: &mut Call<'_, '_>) -> Answer {
    let (order, style) = (call.id(0), call.style());
    call.order(order).ok_or_else(invalid_order)?;
    let (text, to_customer) = (call.text("note").unwrap_or_default().to_owned(), call.truth("customer_note"));
    let id = call.add_note(order, &text, to_customer);
    let note = Note { id, created: call.now, text, to_customer };
    let location = format!("{}wc/v3/orders/{order}/notes/{id}", style.root);
    Ok(Response::json(201, &body(&style, order, &note)).with_header("Location", location))
}

/// `DELETE /orders/{id}/notes/{id}`.
pub(super) fn delete(call: &mut Call<'_, '_>) -> Answer {
    let (response, order, id) = (get(call)?, call.id(0), call.id(1));
    call.order_mut(order).into_iter().for_each(|order| order.notes.retain(|note| note.id != id));
    Ok(response)
}
