//! Which request is for what.

use serde_json::{Value, json};

use super::Shop;
use super::lists;
use super::options::Options;
use super::render::{self, STATUSES};
use super::response::{self, not_found};
use super::subresources;
use super::writes;
use super::{Context, Order, State};
use crate::sim::http::{Request, Response};

/// Answers a request that has been let in.
pub(super) fn respond(shop: &Shop, request: &Request, options: &Options) -> Response {
    let base = format!("/stores/{}/", options.store_hash);
    let path = request.path.strip_prefix(&base).unwrap_or_default().trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    let now = shop.now();
    let mut state = shop.lock();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["v2", "orders"]) => lists::orders(request, options, &state),
        ("GET", ["v2", "orders", "count"]) => lists::count(request, options, &state),
        ("GET", ["v2", "order_statuses"]) => response::json(200, &(0..STATUSES.len()).map(status).collect::<Value>()),
        ("GET", ["v2", "order_statuses", id]) => id
            .parse()
            .ok()
            .filter(|id| *id < STATUSES.len())
            .map_or_else(|| not_found(request), |id| response::json(200, &status(id))),
        ("GET", ["v2", "store"]) => response::json(200, &store(options)),
        ("GET", ["v2", "time"]) => response::json(200, &json!({ "time": now })),
        ("GET", ["v3", "orders", "payment_actions", "refunds"]) => lists::refunds(request, options, &state, None),
        ("GET", ["v3", "orders", id, "payment_actions", "refunds"]) => match known(&state, id) {
            Some(id) => lists::refunds(request, options, &state, Some(id)),
            None => not_found(request),
        },
        ("GET", ["v2", "orders", id, rest @ ..]) => match known(&state, id) {
            Some(id) if state.unrenderable.contains(&id) => response::failed(request),
            Some(id) => of_order(request, options, &state, id, rest).unwrap_or_else(|| not_found(request)),
            None => not_found(request),
        },
        (method, ["v2", "orders", rest @ ..]) => {
            let mut context = Context { options, state: &mut state, now, served: "" };
            writes::write(&mut context, method, rest, request)
        }
        _ => not_found(request),
    }
}

fn known(state: &State, id: &str) -> Option<u64> {
    id.parse().ok().filter(|id| state.orders.contains_key(id))
}

fn of_order(request: &Request, options: &Options, state: &State, id: u64, rest: &[&str]) -> Option<Response> {
    let entry = state.orders.get(&id)?;
    let order = entry.order(options);
    Some(match rest {
        [] => response::json(200, &lists::shown(request, options, state, entry)),
        ["products"] => lists::cut(request, options, products(&order)),
        ["products", line] => {
            let line = order.lines.iter().find(|l| l.id.to_string() == *line)?;
            response::json(200, &subresources::product(line, &order))
        }
        ["shipping_addresses" | "shippingaddresses"] => lists::cut(request, options, addresses(options, &order)),
        ["shipping_addresses", place] => {
            let place = order.places.iter().find(|p| p.id.to_string() == *place)?;
            response::json(200, &render::shipping_address(options, place, &order))
        }
        ["coupons"] => lists::cut(request, options, coupons(&order)),
        // As in the document's example; its schema is that of a single fee.
        ["fees"] => {
            let fees: Vec<Value> = order.fees.iter().map(render::fee).collect();
            response::json(200, &json!({ "fees": fees }))
        }
        ["consignments"] => {
            let lines = request.param("include").is_some_and(|part| part.contains("line_items"));
            response::json(200, &render::consignments(options, &order, lines))
        }
        ["messages"] => response::nothing(),
        ["shipments"] => lists::cut(request, options, shipments(&order)),
        ["shipments", "count"] => response::json(200, &json!({ "count": order.shipments.len() })),
        ["shipments", shipment] => {
            let shipment = order.shipments.iter().find(|s| s.id.to_string() == *shipment)?;
            response::json(200, &subresources::shipment(&order, shipment))
        }
        _ => return None,
    })
}

fn products(order: &Order) -> Vec<Value> {
    order.lines.iter().map(|line| subresources::product(line, order)).collect()
}

fn addresses(options: &Options, order: &Order) -> Vec<Value> {
    order.places.iter().map(|place| render::shipping_address(options, place, order)).collect()
}

fn shipments(order: &Order) -> Vec<Value> {
    order.shipments.iter().map(|shipment| subresources::shipment(order, shipment)).collect()
}

fn coupons(order: &Order) -> Vec<Value> {
    let discount = order.discount();
    let coupon = |code: &String| {
        json!({
            "id": order.id, "coupon_id": 1, "order_id": order.id, "code": code, "amount": "10.0000", "type": 1,
            "discount": render::number(discount),
        })
    };
    order.coupon.iter().map(coupon).collect()
}

fn status(id: usize) -> Value {
    let (name, place) = STATUSES.get(id).copied().unwrap_or(("Unknown", 0));
    json!({
        "id": id, "name": name, "system_label": name, "custom_label": name,
        "system_description": format!("{name}."), "order": place,
    })
}

fn store(options: &Options) -> Value {
    let panel = format!("https://store-{}.mybigcommerce.com", options.store_hash);
    let date_format = json!({ "display": "M jS Y", "export": "M jS Y", "extended_display": "M jS Y @ g:i A" });
    json!({
        "id": options.store_hash, "account_uuid": "8d4d492f-17a1-4d95-b396-e1c5720815a5", "domain": "green-cat.example.test",
        "secure_url": "https://green-cat.example.test", "control_panel_base_url": panel, "status": "live",
        "name": options.name, "first_name": "Jane", "last_name": "Doe", "address": "1 Cat Lane", "country": "United States",
        "country_code": "US", "phone": "", "admin_email": "admin@example.test", "order_email": "orders@example.test",
        "timezone": { "name": "America/Chicago", "raw_offset": -21600, "dst_offset": -18000, "dst_correction": true,
            "date_format": date_format },
        "language": "en", "currency": options.currency, "currency_symbol": "$", "decimal_separator": ".",
        "thousands_separator": ",", "decimal_places": 2, "currency_symbol_location": "left", "weight_units": "Ounces",
        "dimension_units": "Inches", "dimension_decimal_places": 2, "plan_name": "Pro", "plan_level": "Pro",
        "plan_is_trial": false, "industry": "Pets", "logo": [], "is_price_entered_with_tax": false,
        "store_id": 4_884_484, "default_channel_id": 1, "default_site_id": 1000, "active_comparison_modules": [],
    })
}
