//! Which request is for what.

use serde_json::{Value, json};

use super::options::Options;
use super::render::{self, STATUSES};
use super::response::{self, error_v2, failed, not_found};
use super::{Call, Context, Order, Request, Response, lists, parts, webhooks, writes};
use crate::sim::rest::{Answer, Route, find};

type Handler = fn(&mut Call<'_, '_>) -> Answer;

/// Every route.
const ROUTES: &[Route<Handler>] = &[
    Route("GET", "v2/orders", "", lists::orders),
    Route("GET", "v2/orders/count", "", lists::count),
    Route("GET", "v2/order_statuses", "", |_| {
        Ok(response::json(200, &(0..STATUSES.len()).filter_map(status).collect()))
    }),
    Route("GET", "v2/order_statuses/{id}", "", |call| {
        let found = usize::try_from(call.id(0)).ok().and_then(status);
        found.map(|status| response::json(200, &status)).ok_or_else(|| not_found(call.request))
    }),
    Route("GET", "v2/store", "", |call| Ok(response::json(200, &store(call.options)))),
    Route("GET", "v2/time", "", |call| Ok(response::json(200, &json!({ "time": call.now })))),
    Route("GET", "v3/orders/payment_actions/refunds", "", lists::refunds),
    Route("GET", "v3/orders/{id}/payment_actions/refunds", "", lists::refunds),
    Route("GET", "v2/orders/{id}", "", lists::one),
    Route("GET", "v2/orders/{id}/products", "", |call| list(call, parts::products)),
    Route("GET", "v2/orders/{id}/products/{id}", "", |call| member(call, parts::products)),
    Route("GET", "v2/orders/{id}/shipping_addresses", "", |call| list(call, parts::addresses)),
    Route("GET", "v2/orders/{id}/shippingaddresses", "", |call| list(call, parts::addresses)),
    Route("GET", "v2/orders/{id}/shipping_addresses/{id}", "", |call| member(call, parts::addresses)),
    Route("GET", "v2/orders/{id}/coupons", "", |call| list(call, parts::coupons)),
    // As in the document's example; its schema is that of a single fee.
    Route("GET", "v2/orders/{id}/fees", "", |call| Ok(response::json(200, &json!({ "fees": of(call, parts::fees)? })))),
    Route("GET", "v2/orders/{id}/consignments", "", |call| {
        let lines = call.request.param("include").is_some_and(|part| part.contains("line_items"));
        let order = call.order(call.id(0)).ok_or_else(|| not_found(call.request))?;
        Ok(response::json(200, &render::consignments(call.options, &order, lines)))
    }),
    Route("GET", "v2/orders/{id}/messages", "", |_| Ok(response::nothing())),
    Route("GET", "v2/orders/{id}/shipments", "", |call| list(call, parts::shipments)),
    Route("GET", "v2/orders/{id}/shipments/count", "", |call| {
        Ok(response::json(200, &json!({ "count": of(call, parts::shipments)?.len() })))
    }),
    Route("GET", "v2/orders/{id}/shipments/{id}", "", |call| member(call, parts::shipments)),
    Route("DELETE", "v2/orders", "", writes::archive_everything),
    Route("PUT", "v2/orders/{id}", "", writes::change),
    Route("DELETE", "v2/orders/{id}", "", writes::archive),
    Route("POST", "v2/orders/{id}/shipments", "", writes::ship),
    Route("PUT", "v2/orders/{id}/shipments/{id}", "", writes::change_shipment),
    Route("DELETE", "v2/orders/{id}/shipments/{id}", "", writes::undo_shipment),
    Route("GET", "v3/hooks", "", webhooks::list),
    Route("POST", "v3/hooks", "", webhooks::create),
    Route("PUT", "v3/hooks/{id}", "", webhooks::update),
    Route("DELETE", "v3/hooks/{id}", "", webhooks::delete),
];

/// Answers a request that has been let in.
pub(super) fn respond(context: &mut Context<'_>, request: &Request) -> Response {
    let base = format!("/stores/{}/", context.options.store_hash);
    let path = request.path.strip_prefix(&base).unwrap_or_default().trim_end_matches('/');
    let reads = request.method == "GET";
    let Some((route, path)) = find(ROUTES, &request.method, path) else {
        let known = ROUTES.iter().find_map(|route| route.parts(path)).filter(|parts| is_known(context, parts));
        let refused = known.filter(|_| !reads).map(|_| error_v2(405, "The requested method is not allowed."));
        return refused.unwrap_or_else(|| not_found(request));
    };
    if route.1.contains("orders/{id}") && !is_known(context, &path) {
        return not_found(request);
    }
    let mut call = Call { context, request, params: serde_json::Map::new(), path, by: () };
    if reads && route.1.starts_with("v2/orders/{id}") && call.state.unrenderable.contains(&call.id(0)) {
        return failed(request);
    }
    let done = (route.3)(&mut call);
    call.state.writes += u64::from(!reads && done.is_ok());
    done.unwrap_or_else(|refused| refused)
}

/// Whether the first number of a path is that of an order.
fn is_known(context: &Context<'_>, path: &[String]) -> bool {
    path.first().and_then(|id| id.parse().ok()).is_some_and(|id| context.state.orders.contains_key(&id))
}

/// What hangs on an order.
type Parts = fn(&Options, &Order) -> Vec<Value>;

fn of(call: &Call<'_, '_>, parts: Parts) -> Result<Vec<Value>, Response> {
    let order = call.order(call.id(0)).ok_or_else(|| not_found(call.request))?;
    Ok(parts(call.options, &order))
}

fn list(call: &Call<'_, '_>, parts: Parts) -> Answer {
    lists::cut(call, &of(call, parts)?)
}

fn member(call: &Call<'_, '_>, parts: Parts) -> Answer {
    let found = of(call, parts)?.into_iter().find(|part| part["id"] == json!(call.id(1)));
    found.map(|part| response::json(200, &part)).ok_or_else(|| not_found(call.request))
}

fn status(id: usize) -> Option<Value> {
    let (name, place) = STATUSES.get(id)?;
    let text = format!("{name}.");
    Some(json!({ "id": id, "name": name, "system_label": name, "custom_label": name, "system_description": text,
        "order": place }))
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
