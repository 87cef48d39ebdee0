//! The site around the orders: home page, REST index, settings, currency, system status.

use serde_json::{Value, json};

use super::Context;
use super::args::error;
use super::options::{Options, Permalinks, Rights, Tracking};
use super::render::only_fields;
use super::request::Call;
use super::vendor::{CORE_STATUSES, status_name};
use crate::sim::http::Response;

/// The site's address as the shop believes it to be, without a slash at the end.
pub(super) fn home(context: &Context<'_>) -> String {
    let own = || format!("{}{}", context.served, context.options.prefix);
    context.options.home_url.clone().unwrap_or_else(own)
}

/// The REST root below the site's address, with a slash at the end.
pub(super) fn root(options: &Options, home: &str) -> String {
    match options.permalinks {
        Permalinks::Pretty => format!("{home}/wp-json/"),
        Permalinks::IndexPhp => format!("{home}/index.php/wp-json/"),
        Permalinks::Plain => format!("{home}/index.php?rest_route=/"),
    }
}

/// The shop's front page, whose header says where the REST API is.
pub(super) fn front_page(root: &str) -> Response {
    Response::html(200, "<!DOCTYPE html><html><head><title>A simulated shop</title></head><body></body></html>")
        .with_header("Link", format!("<{root}>; rel=\"https://api.w.org/\""))
}

/// What the theme or the web server shows for an address nobody knows.
pub(super) fn not_found() -> Response {
    Response::html(404, "<!DOCTYPE html><html><head><title>Page not found</title></head><body></body></html>")
}

/// `GET /wp-json/`.
pub(super) fn rest_index(options: &Options, home: &str) -> Response {
    let mut namespaces = vec!["oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wp/v2"];
    if options.tracking != Tracking::Off {
        namespaces.push("wc-shipment-tracking/v3");
    }
    let hours = f64::from(options.offset_minutes) / 60.0;
    let body = json!({
        "name": "A simulated shop", "description": "", "url": home, "home": home, "gmt_offset": hours.to_string(),
        "timezone_string": options.time_zone, "namespaces": namespaces, "authentication": [], "routes": {},
    });
    Response::json(200, &body)
}

/// `GET /settings/general`: the settings that say something about orders. Other groups are not
/// simulated.
pub(super) fn settings(call: &Call<'_>) -> Response {
    if call.path.first().is_none_or(|group| group != "general") {
        return error(404, "rest_setting_setting_group_invalid", "Invalid setting group.");
    }
    let decimals = call.options.decimals.to_string();
    let taxes = if call.options.tax_basis_points > 0 { "yes" } else { "no" };
    let rows = [
        ("woocommerce_store_address", "Musterstraße 1"),
        ("woocommerce_store_city", "Köln"),
        ("woocommerce_default_country", "DE:DE-NW"),
        ("woocommerce_store_postcode", "50667"),
        ("woocommerce_calc_taxes", taxes),
        ("woocommerce_currency", call.options.currency.as_str()),
        ("woocommerce_currency_pos", "left"),
        ("woocommerce_price_num_decimals", decimals.as_str()),
    ];
    let row = |(id, value): (&str, &str)| {
        json!({"id": id, "label": id, "description": "", "type": "text", "default": "", "tip": "", "value": value,
            "group_id": "general"})
    };
    Response::json(200, &only_fields(rows.into_iter().map(row).collect(), call.text("_fields")))
}

/// `GET /data/currencies/current`.
pub(super) fn currency(call: &Call<'_>) -> Response {
    let code = &call.options.currency;
    let (name, symbol) = match code.as_str() {
        "EUR" => ("Euro", "&euro;"),
        "USD" => ("United States (US) dollar", "&#36;"),
        "GBP" => ("Pound sterling", "&pound;"),
        other => (other, other),
    };
    let base = format!("{}wc/v3/data/currencies", call.root);
    let links = json!({
        "self": [{"href": format!("{base}/{code}"), "targetHints": {"allow": ["GET"]}}],
        "collection": [{"href": base}],
    });
    Response::json(200, &json!({"code": code, "name": name, "symbol": symbol, "_links": links}))
}

/// `GET /orders/statuses`.
pub(super) fn statuses(call: &Call<'_>) -> Response {
    let custom = call.options.custom_statuses.iter().map(String::as_str);
    let all: Value =
        CORE_STATUSES.into_iter().chain(custom).map(|s| json!({"slug": s, "name": status_name(s)})).collect();
    Response::json(200, &all)
}

/// `GET /system_status`: for administrators.
pub(super) fn system_status(call: &Call<'_>) -> Response {
    if call.who.as_ref().is_none_or(|key| key.rights != Rights::Admin) {
        return error(403, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.");
    }
    let version = call.options.profile.version();
    let hpos = call.options.profile.hpos();
    let body = json!({
        "environment": {"home_url": call.home, "site_url": call.home, "version": version, "wp_version": "6.8.8",
            "php_version": "8.2.36", "default_timezone": "UTC", "language": "en_US", "wp_cron": true},
        "settings": {"currency": call.options.currency, "number_of_decimals": call.options.decimals,
            "HPOS_enabled": hpos, "HPOS_sync_enabled": false},
    });
    Response::json(200, &only_fields(body, call.text("_fields")))
}
