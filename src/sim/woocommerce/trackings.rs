//! The Shipment Tracking extension: parcels kept in the order's `_wc_shipment_tracking_items`.
//! Posting the same parcel again makes another one.

use serde_json::{Value, json};

use super::Order;
use super::args::error;
use super::render::gmt;
use super::request::{Call, invalid_id};
use super::vendor::set_meta;
use crate::sim::http::Response;
use crate::sim::world::mix;

pub(super) const META: &str = "_wc_shipment_tracking_items";

/// The parcels as they are stored.
fn stored(order: &Order) -> Vec<Value> {
    let meta = order.own.meta.iter().find(|meta| meta.key == META);
    meta.and_then(|meta| meta.value.as_array().cloned()).unwrap_or_default()
}

fn of(call: &Call<'_>, order: u64) -> Vec<Value> {
    call.order(order).map(|order| stored(&order)).unwrap_or_default()
}

/// Carrier and number of each parcel.
pub(super) fn parcels(order: &Order) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parcel = |one: Value| (text(&one["tracking_provider"]), text(&one["tracking_number"]));
    stored(order).iter().map(shown).map(parcel).collect()
}

/// The numbers of all parcels, as the mail about a completed order has them.
pub(super) fn numbers(order: &Order) -> String {
    parcels(order).into_iter().map(|(_, number)| number).collect::<Vec<_>>().join(", ")
}

/// What a tracking plugin keeps of a parcel that the merchant tells it of.
pub(super) fn by_hand(now: i64, carrier: &str, number: &str) -> Value {
    json!([{"tracking_provider": carrier, "tracking_number": number, "custom_tracking_provider": "",
        "custom_tracking_link": "", "date_shipped": now.to_string(), "tracking_id": number}])
}

fn store(call: &mut Call<'_>, order: u64, parcels: Vec<Value>) {
    call.context().change(order, |order| set_meta(order, META, Value::Array(parcels)));
}

/// A parcel as the route shows it: the date as a day, the provider under one name.
fn shown(parcel: &Value) -> Value {
    let custom = parcel["custom_tracking_provider"].as_str().unwrap_or_default();
    let provider = if custom.is_empty() { parcel["tracking_provider"].as_str().unwrap_or_default() } else { custom };
    let number = parcel["tracking_number"].as_str().unwrap_or_default();
    let shipped = parcel["date_shipped"].as_str().and_then(|at| at.parse().ok()).map(gmt).unwrap_or_default();
    let link = match parcel["custom_tracking_link"].as_str().unwrap_or_default() {
        "" if custom.is_empty() => format!("https://tracking.example.test/{provider}/{number}"),
        link => link.to_owned(),
    };
    json!({
        "tracking_id": parcel["tracking_id"], "tracking_provider": provider, "tracking_link": link,
        "tracking_number": number, "date_shipped": shipped.get(..10).unwrap_or_default(),
    })
}

/// Every parcel of an order.
pub(super) fn all(call: &Call<'_>, order: u64) -> Vec<Value> {
    of(call, order).iter().map(shown).collect()
}

/// `GET /orders/{id}/shipment-trackings`.
pub(super) fn list(call: &Call<'_>) -> Response {
    let order = call.id(0);
    if !call.has_order(order) {
        return invalid_id(404);
    }
    Response::json(200, &Value::Array(all(call, order)))
}

/// `POST /orders/{id}/shipment-trackings`.
pub(super) fn create(call: &mut Call<'_>) -> Response {
    let order = call.id(0);
    if !call.has_order(order) {
        return invalid_id(404);
    }
    let mut parcels = of(call, order);
    let parcel = parcel(call, order, parcels.len() as u64);
    let body = shown(&parcel);
    parcels.push(parcel);
    store(call, order, parcels);
    Response::json(201, &body)
}

fn parcel(call: &Call<'_>, order: u64, nth: u64) -> Value {
    let text = |name: &str| call.text(name).unwrap_or_default();
    let day = chrono::NaiveDate::parse_from_str(text("date_shipped"), "%Y-%m-%d").ok();
    let at = day.and_then(|day| day.and_hms_opt(0, 0, 0)).map_or(call.now, |at| at.and_utc().timestamp());
    let seed = mix(order ^ mix(nth ^ call.now.unsigned_abs()));
    json!({
        "tracking_provider": text("tracking_provider"), "custom_tracking_provider": text("custom_tracking_provider"),
        "custom_tracking_link": text("custom_tracking_link"), "tracking_number": text("tracking_number"),
        "date_shipped": at.to_string(), "tracking_id": format!("{seed:016x}{:016x}", mix(seed)),
    })
}

fn unknown() -> Response {
    error(404, "woocommerce_rest_order_shipment_tracking_invalid_id", "Invalid shipment tracking ID.")
}

/// `GET /orders/{id}/shipment-trackings/{id}`.
pub(super) fn get(call: &Call<'_>) -> Response {
    let id = call.path.get(1).map_or("", String::as_str);
    let found = all(call, call.id(0)).into_iter().find(|parcel| parcel["tracking_id"] == id);
    found.map_or_else(unknown, |parcel| Response::json(200, &parcel))
}

/// `DELETE /orders/{id}/shipment-trackings/{id}`.
pub(super) fn delete(call: &mut Call<'_>) -> Response {
    let response = get(call);
    if response.status == 200 {
        let order = call.id(0);
        let id = call.path.get(1).cloned().unwrap_or_default();
        let rest = of(call, order).into_iter().filter(|parcel| parcel["tracking_id"] != id.as_str()).collect();
        store(call, order, rest);
    }
    response
}

/// `GET /orders/{id}/shipment-trackings/providers`: by country.
pub(super) fn providers() -> Response {
    let link = |host: &str| format!("https://{host}.example.test/track/%1$s");
    Response::json(
        200,
        &json!({
            "Germany": {"DHL Intraship (DE)": link("intraship"), "Hermes": link("hermes"),
                "Deutsche Post DHL": link("post"), "UPS Germany": link("ups-de"), "DPD.de": link("dpd")},
            "United Kingdom": {"DHL": link("dhl"), "DPD.co.uk": link("dpd-uk"), "Royal Mail": link("royal")},
            "United States": {"DHL US": link("dhl-us"), "Fedex": link("fedex"), "UPS": link("ups"), "USPS": link("usps")},
        }),
    )
}
