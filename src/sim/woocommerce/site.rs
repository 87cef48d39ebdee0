//! The site around the orders: home page, REST index, settings, currency, system status.

use serde_json::{Value, json};

use super::errors::error;
use super::options::{Permalinks, Rights, Tracking};
use super::vendor::{CORE_STATUSES, status_name};
use super::{Answer, Call, Context, Request, Response, Shop, routes};
use crate::sim::forms::only_fields;

impl Context<'_> {
    /// The site's address as the shop believes it to be, without a slash at the end.
    pub(super) fn home(&self) -> String {
        let own = || format!("{}{}", self.served, self.options.prefix);
        self.options.home_url.clone().unwrap_or_else(own)
    }

    /// The REST root, with a slash at the end.
    pub(super) fn root(&self) -> String {
        let path = match self.options.permalinks {
            Permalinks::Pretty => "wp-json/",
            Permalinks::IndexPhp => "index.php/wp-json/",
            Permalinks::Plain => "index.php?rest_route=/",
        };
        format!("{}/{path}", self.home())
    }
}

/// Home page, REST API or nothing: what the address means under the shop's permalinks.
pub(super) fn respond(shop: &Shop, request: &Request) -> Response {
    let page = |title| format!("<!DOCTYPE html><html><head><title>{title}</title></head><body></body></html>");
    // What the theme or the web server shows for an address nobody knows.
    let not_found = || Response::html(404, page("Page not found"));
    shop.with(|context| {
        let permalinks = context.options.permalinks;
        let Some(path) = request.path.strip_prefix(context.options.prefix.as_str()) else { return not_found() };
        let front = matches!(path, "" | "/" | "/index.php");
        if let Some(route) = request.param("rest_route").filter(|_| front) {
            return routes::rest(context, request, route);
        }
        let pretty = path.strip_prefix("/wp-json").filter(|_| permalinks == Permalinks::Pretty);
        let index_php = path.strip_prefix("/index.php/wp-json").filter(|_| permalinks != Permalinks::Plain);
        match pretty.or(index_php) {
            Some(route) if route.is_empty() || route.starts_with('/') => routes::rest(context, request, route),
            // The shop's front page, whose header says where the REST API is.
            None if front => Response::html(200, page("A simulated shop"))
                .with_header("Link", format!("<{}>; rel=\"https://api.w.org/\"", context.root())),
            _ => not_found(),
        }
    })
}

/// `GET /wp-json/`.
pub(super) fn rest_index(context: &Context<'_>) -> Response {
    let (options, home) = (context.options, context.home());
    let mut namespaces = vec!["oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wp/v2"];
    namespaces.extend((options.tracking != Tracking::Off).then_some("wc-shipment-tracking/v3"));
    let hours = f64::from(options.offset_minutes) / 60.0;
    let body = json!({
        "name": "A simulated shop", "description": "", "url": home, "home": home, "gmt_offset": hours.to_string(),
        "timezone_string": options.time_zone, "namespaces": namespaces, "authentication": [], "routes": {},
    });
    Response::json(200, &body)
}

/// `GET /settings/general`: the settings that say something about orders. Other groups are not
/// simulated.
pub(super) fn settings(call: &mut Call<'_, '_>) -> Answer {
    if call.path.first().is_none_or(|group| group != "general") {
        return Err(error(404, "rest_setting_setting_group_invalid", "Invalid setting group."));
    }
    let decimals = call.options.decimals.to_string();
    let rows = [
        ("store_address", "Musterstraße 1"),
        ("store_city", "Köln"),
        ("default_country", "DE:DE-NW"),
        ("store_postcode", "50667"),
        ("calc_taxes", if call.options.tax_basis_points > 0 { "yes" } else { "no" }),
        ("currency", call.options.currency.as_str()),
        ("currency_pos", "left"),
        ("price_num_decimals", decimals.as_str()),
    ];
    let row = |(id, value): (&str, &str)| {
        let id = format!("woocommerce_{id}");
        json!({ "id": id, "label": id, "description": "", "type": "text", "default": "", "tip": "", "value": value,
            "group_id": "general" })
    };
    Ok(Response::json(200, &only_fields(rows.into_iter().map(row).collect(), call.text("_fields"))))
}

/// `GET /data/currencies/current`.
pub(super) fn currency(call: &mut Call<'_, '_>) -> Answer {
    let code = &call.options.currency;
    let (name, symbol) = match code.as_str() {
        "EUR" => ("Euro", "&euro;"),
        "USD" => ("United States (US) dollar", "&#36;"),
        "GBP" => ("Pound sterling", "&pound;"),
        other => (other, other),
    };
    let base = format!("{}wc/v3/data/currencies", call.root());
    let links = json!({
        "self": [{ "href": format!("{base}/{code}"), "targetHints": { "allow": ["GET"] } }],
        "collection": [{ "href": base }],
    });
    Ok(Response::json(200, &json!({ "code": code, "name": name, "symbol": symbol, "_links": links })))
}

/// `GET /orders/statuses`.
pub(super) fn statuses(call: &mut Call<'_, '_>) -> Answer {
    let all = CORE_STATUSES.into_iter().chain(call.options.custom_statuses.iter().map(String::as_str));
    let all: Value = all.map(|slug| json!({ "slug": slug, "name": status_name(slug) })).collect();
    Ok(Response::json(200, &all))
}

/// `GET /system_status`: for administrators.
pub(super) fn system_status(call: &mut Call<'_, '_>) -> Answer {
    if call.by.as_ref().is_none_or(|key| key.rights != Rights::Admin) {
        return Err(error(403, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources."));
    }
    let (options, home) = (call.options, call.home());
    let body = json!({
        "environment": { "home_url": home, "site_url": home, "version": options.profile.version(),
            "wp_version": "6.8.8", "php_version": "8.2.36", "default_timezone": "UTC", "language": "en_US",
            "wp_cron": true },
        "settings": { "currency": options.currency, "number_of_decimals": options.decimals,
            "HPOS_enabled": options.profile.hpos(), "HPOS_sync_enabled": false },
    });
    Ok(Response::json(200, &only_fields(body, call.text("_fields"))))
}
