//! Which request is for what.

use serde_json::{Value, json};

use super::Shop;
use super::answer::{self, not_found};
use super::lists;
use super::options::Options;
use super::parts;
use super::render::{self, STATUSES};
use super::state::{Details, Order, State};
use super::writes::Desk;
use crate::sim::http::{Request, Response};

/// Answers a request that has been let in.
pub(super) fn answer(shop: &Shop, request: &Request, options: &Options) -> Response {
    let base = format!("/stores/{}/", options.store_hash);
    let path = request.path.strip_prefix(&base).unwrap_or_default().trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    let now = shop.now();
    let mut state = shop.lock();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["v2", "orders"]) => lists::orders(request, options, &state),
        ("GET", ["v2", "orders", "count"]) => lists::count(request, options, &state),
        ("GET", ["v2", "order_statuses"]) => answer::json(200, &(0..STATUSES.len()).map(status).collect::<Value>()),
        ("GET", ["v2", "order_statuses", id]) => id
            .parse()
            .ok()
            .filter(|id| *id < STATUSES.len())
            .map_or_else(|| not_found(request), |id| answer::json(200, &status(id))),
        ("GET", ["v2", "store"]) => answer::json(200, &store(options)),
        ("GET", ["v2", "time"]) => answer::json(200, &json!({ "time": now })),
        ("GET", ["v3", "orders", "payment_actions", "refunds"]) => lists::refunds(request, options, &state, None),
        ("GET", ["v3", "orders", id, "payment_actions", "refunds"]) => match known(&state, id) {
            Some(id) => lists::refunds(request, options, &state, Some(id)),
            None => not_found(request),
        },
        ("GET", ["v2", "orders", id, rest @ ..]) => match known(&state, id) {
            Some(id) if state.unrenderable.contains(&id) => answer::failed(request),
            Some(id) => of_order(request, options, &state, id, rest).unwrap_or_else(|| not_found(request)),
            None => not_found(request),
        },
        (method, ["v2", "orders", rest @ ..]) => {
            let mut desk = Desk { options, state: &mut state, now };
            desk.write(method, rest, request)
        }
        _ => not_found(request),
    }
}

fn known(state: &State, id: &str) -> Option<u64> {
    id.parse().ok().filter(|id| state.orders.contains_key(id))
}

fn of_order(request: &Request, options: &Options, state: &State, id: u64, rest: &[&str]) -> Option<Response> {
    let order = state.orders.get(&id)?;
    let details = state.details(options, id)?;
    Some(match rest {
        [] => answer::json(200, &lists::shown(request, options, state, order)?),
        ["products"] => lists::cut(request, options, products(id, &details)),
        ["products", line] => {
            let line = details.lines.iter().find(|l| l.id.to_string() == *line)?;
            answer::json(200, &parts::product(id, line, &details))
        }
        ["shipping_addresses" | "shippingaddresses"] => lists::cut(request, options, addresses(options, id, &details)),
        ["shipping_addresses", place] => {
            let place = details.places.iter().find(|p| p.id.to_string() == *place)?;
            answer::json(200, &render::shipping_address(options, id, place, &details))
        }
        ["coupons"] => lists::cut(request, options, coupons(id, &details)),
        // As in the document's example; its schema is that of a single fee.
        ["fees"] => {
            let fees: Vec<Value> = details.fees.iter().map(render::fee).collect();
            answer::json(200, &json!({ "fees": fees }))
        }
        ["consignments"] => {
            let lines = request.param("include").is_some_and(|part| part.contains("line_items"));
            answer::json(200, &render::consignments(options, order, &details, lines))
        }
        ["messages"] => answer::nothing(),
        ["shipments"] => lists::cut(request, options, shipments(order, &details)),
        ["shipments", "count"] => answer::json(200, &json!({ "count": details.shipments.len() })),
        ["shipments", shipment] => {
            let shipment = details.shipments.iter().find(|s| s.id.to_string() == *shipment)?;
            answer::json(200, &parts::shipment(order, &details, shipment))
        }
        _ => return None,
    })
}

fn products(order: u64, details: &Details) -> Vec<Value> {
    details.lines.iter().map(|line| parts::product(order, line, details)).collect()
}

fn addresses(options: &Options, order: u64, details: &Details) -> Vec<Value> {
    details.places.iter().map(|place| render::shipping_address(options, order, place, details)).collect()
}

fn shipments(order: &Order, details: &Details) -> Vec<Value> {
    details.shipments.iter().map(|shipment| parts::shipment(order, details, shipment)).collect()
}

fn coupons(order: u64, details: &Details) -> Vec<Value> {
    let discount: i64 = details.lines.iter().map(|line| line.discount).sum();
    let coupon = |code: &String| {
        json!({
            "id": order, "coupon_id": 1, "order_id": order, "code": code, "amount": "10.0000", "type": 1,
            "discount": render::number(discount),
        })
    };
    details.coupon.iter().map(coupon).collect()
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
