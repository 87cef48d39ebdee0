//! The Shipment Tracking extension: parcels kept in the order's `_wc_shipment_tracking_items`.
//! Posting the same parcel again makes another one.

use serde_json::{Value, json};

use super::errors::{error, invalid_id};
use super::options::Tracking;
use super::render::gmt;
use super::{Answer, Call, Order, Response};
use crate::sim::world::mix;

pub(super) const META: &str = "_wc_shipment_tracking_items";

/// The parcels as they are stored.
fn stored(order: &Order) -> Vec<Value> {
    order.meta(META).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Carrier and number of each parcel.
pub(super) fn parcels(order: &Order) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all(order).iter().map(|one| (text(&one["tracking_provider"]), text(&one["tracking_number"]))).collect()
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

/// Every parcel as the routes show it: the date as a day, the provider under one name.
pub(super) fn all(order: &Order) -> Vec<Value> {
    stored(order).iter().map(shown).collect()
}

fn shown(parcel: &Value) -> Value {
    let text = |name: &str| parcel[name].as_str().unwrap_or_default();
    let (custom, number) = (text("custom_tracking_provider"), text("tracking_number"));
    let provider = if custom.is_empty() { text("tracking_provider") } else { custom };
    let shipped = text("date_shipped").parse().map(gmt).unwrap_or_default();
    let link = match text("custom_tracking_link") {
        "" if custom.is_empty() => format!("https://tracking.example.test/{provider}/{number}"),
        link => link.to_owned(),
    };
    json!({
        "tracking_id": parcel["tracking_id"], "tracking_provider": provider, "tracking_link": link,
        "tracking_number": number, "date_shipped": shipped.get(..10).unwrap_or_default(),
    })
}

/// `GET /orders/{id}/shipment-trackings`.
pub(super) fn list(call: &mut Call<'_, '_>) -> Answer {
    let order = call.order(call.id(0)).ok_or_else(|| invalid_id(404))?;
    Ok(Response::json(200, &json!(all(&order))))
}

/// `POST /orders/{id}/shipment-trackings`.
pub(super) fn create(call: &mut Call<'_, '_>) -> Answer {
    let id = call.id(0);
    let mut parcels = stored(&*call.order(id).ok_or_else(|| invalid_id(404))?);
    let text = |name: &str| call.text(name).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ' ');
    if call.options.tracking == Tracking::Strict && !text("tracking_number").chars().all(is_plain) {
        let code = "woocommerce_rest_order_invalid_id";
        return Err(error(404, code, "Special character not allowd in tracking number"));
    }
    let day = chrono::NaiveDate::parse_from_str(text("date_shipped"), "%Y-%m-%d").ok();
    let at = day.and_then(|day| day.and_hms_opt(0, 0, 0)).map_or(call.now, |at| at.and_utc().timestamp());
    let seed = mix(id ^ mix(mix(parcels.len() as u64) ^ call.now.unsigned_abs()));
    parcels.push(json!({
        "tracking_provider": text("tracking_provider"), "custom_tracking_provider": text("custom_tracking_provider"),
        "custom_tracking_link": text("custom_tracking_link"), "tracking_number": text("tracking_number"),
        "date_shipped": at.to_string(), "tracking_id": format!("{seed:016x}{:016x}", mix(seed)),
    }));
    let made = parcels.last().map(shown).unwrap_or_default();
    call.change(id, |order| order.set_meta(META, Value::Array(parcels)));
    Ok(Response::json(201, &made))
}

/// `GET /orders/{id}/shipment-trackings/{id}`.
pub(super) fn get(call: &mut Call<'_, '_>) -> Answer {
    let parcels = call.order(call.id(0)).map(|order| all(&order)).unwrap_or_default();
    let found =
        parcels.into_iter().find(|parcel| parcel["tracking_id"].as_str() == call.path.get(1).map(String::as_str));
    let unknown = "woocommerce_rest_order_shipment_tracking_invalid_id";
    found.map(|one| Response::json(200, &one)).ok_or_else(|| error(404, unknown, "Invalid shipment tracking ID."))
}

/// `DELETE /orders/{id}/shipment-trackings/{id}`.
pub(super) fn delete(call: &mut Call<'_, '_>) -> Answer {
    let (response, order) = (get(call)?, call.id(0));
    let gone = response.body_json()["tracking_id"].clone();
    call.change(order, |order| {
        let rest = stored(order).into_iter().filter(|parcel| parcel["tracking_id"] != gone).collect();
        order.set_meta(META, rest);
    });
    Ok(response)
}

/// `GET /orders/{id}/shipment-trackings/providers`: by country.
pub(super) fn providers(_: &mut Call<'_, '_>) -> Answer {
    let link = |host: &str| format!("https://{host}.example.test/track/%1$s");
    Ok(Response::json(
        200,
        &json!({
            "Germany": {"DHL Intraship (DE)": link("intraship"), "Hermes": link("hermes"),
                "Deutsche Post DHL": link("post"), "UPS Germany": link("ups-de"), "DPD.de": link("dpd")},
            "United Kingdom": {"DHL": link("dhl"), "DPD.co.uk": link("dpd-uk"), "Royal Mail": link("royal")},
            "United States": {"DHL US": link("dhl-us"), "Fedex": link("fedex"), "UPS": link("ups"), "USPS": link("usps")},
        }),
    ))
}
