//! The routes of wc/v3 that exist here, with their parameters: what the index shows is what is
//! checked.

use serde_json::{Map, Value, json};

use super::access::{check_permission, check_rights, who};
use super::errors::{error, invalid_json, invalid_params};
use super::options::{Options, Profile, Tracking};
use super::vendor::CORE_STATUSES;
use super::{
    Answer, Call, Context, Request, Response, fulfillments, lists, notes, orders, products, refunds, site, trackings,
    webhooks,
};
use crate::sim::rest::{Arg, Route, check, declared, find, from_pairs};

type Handler = fn(&mut Call<'_, '_>) -> Answer;

const LIST: &str = "context:view|edit=view page:int(1..)=1 per_page:int(1..100)=10 offset:int search after:date \
    before:date dates_are_gmt:bool=false include:[int]=[] exclude:[int]=[] parent:[int]=[] order:asc|desc=desc \
    dp:int=$decimals $modified";

const PRODUCTS: &str = "page:int(1..)=1 per_page:int(1..100)=10 offset:int include:[int]=[]";

const ORDER: &str = "currency customer_id:int customer_note billing:object shipping:object payment_method \
    payment_method_title transaction_id meta_data:array line_items:array shipping_lines:array fee_lines:array \
    coupon_lines:array set_paid:bool";

const VIEW: &str = "context:view|edit=view";
const WRITE: &str = "parent_id:int status:$writable $order";
const REFUND: &str = "amount reason api_refund:bool=true api_restock:bool=true";
const NOTE: &str = "note! customer_note:bool=false added_by_user:bool=false";
const FULFILLMENT: &str = "status=unfulfilled is_fulfilled:bool=false meta_data!:array notify_customer:bool=false";
const PARCEL: &str = "tracking_provider custom_tracking_provider custom_tracking_link tracking_number! date_shipped";

const WEBHOOK: &str = "name status:active|paused|disabled topic! delivery_url! secret!";

const EDIT: &str = "POST|PUT|PATCH";

/// Every route of every version and extension.
const ROUTES: &[Route<Handler>] = &[
    Route("GET", "wc/v3", "", index),
    Route("GET", "wc/v3/orders", "$list status:[$listable]=any customer:int", lists::orders),
    Route("POST", "wc/v3/orders", "parent_id:int status:$writable=pending $order", orders::create),
    Route("GET", "wc/v3/orders/{id}", VIEW, orders::get),
    Route(EDIT, "wc/v3/orders/{id}", WRITE, orders::update),
    Route("DELETE", "wc/v3/orders/{id}", "force:bool=false", orders::delete),
    Route(EDIT, "wc/v3/orders/batch", WRITE, orders::batch),
    Route("GET", "wc/v3/orders/{order_id}/refunds", "$list", refunds::list),
    Route("POST", "wc/v3/orders/{order_id}/refunds", REFUND, refunds::create),
    Route("GET", "wc/v3/orders/{order_id}/refunds/{id}", VIEW, refunds::get),
    Route("DELETE", "wc/v3/orders/{order_id}/refunds/{id}", "", refunds::delete),
    Route("GET", "wc/v3/orders/{order_id}/notes", "$view type:any|customer|internal=any", notes::list),
    Route("POST", "wc/v3/orders/{order_id}/notes", NOTE, notes::create),
    Route("GET", "wc/v3/orders/{order_id}/notes/{id}", VIEW, notes::get),
    Route("DELETE", "wc/v3/orders/{order_id}/notes/{id}", "", notes::delete),
    Route("GET", "wc/v3/orders/statuses", "", site::statuses),
    Route("GET", "wc/v3/refunds", "$list", refunds::all),
    Route("GET", "wc/v3/products", PRODUCTS, products::all),
    Route("GET", "wc/v3/products/{product_id}/variations", PRODUCTS, products::variations),
    Route("GET", "wc/v3/settings/{group_id:w}", "", site::settings),
    Route("GET", "wc/v3/data/currencies/current", "", site::currency),
    Route("GET", "wc/v3/system_status", "context:view=view", site::system_status),
    Route("GET", "wc/v3/orders/{order_id}/fulfillments", "", fulfillments::list),
    Route("POST", "wc/v3/orders/{order_id}/fulfillments", FULFILLMENT, fulfillments::create),
    Route("GET", "wc/v3/orders/{order_id}/fulfillments/{fulfillment_id}", "", fulfillments::get),
    Route(EDIT, "wc/v3/orders/{order_id}/fulfillments/{fulfillment_id}", FULFILLMENT, fulfillments::update),
    Route(
        "DELETE",
        "wc/v3/orders/{order_id}/fulfillments/{fulfillment_id}",
        "notify_customer:bool=false",
        fulfillments::delete,
    ),
    Route("GET", "wc/v3/orders/{order_id}/fulfillments/{fulfillment_id}/metadata", "", fulfillments::metadata),
    Route(
        EDIT,
        "wc/v3/orders/{order_id}/fulfillments/{fulfillment_id}/metadata",
        "meta_data!:array",
        fulfillments::metadata,
    ),
    Route("DELETE", "wc/v3/orders/{order_id}/fulfillments/{fulfillment_id}/metadata", "", fulfillments::metadata),
    Route("GET", "wc/v3/orders/{order_id}/fulfillments/lookup", "tracking_number!", fulfillments::lookup),
    Route("GET", "wc/v3/orders/{order_id}/shipment-trackings", "", trackings::list),
    Route("POST", "wc/v3/orders/{order_id}/shipment-trackings", PARCEL, trackings::create),
    Route("GET", "wc/v3/orders/{order_id}/shipment-trackings/providers", "", trackings::providers),
    Route("GET", "wc/v3/orders/{order_id}/shipment-trackings/{id:x}", "", trackings::get),
    Route("DELETE", "wc/v3/orders/{order_id}/shipment-trackings/{id:x}", "", trackings::delete),
    Route("GET", "wc/v3/webhooks", PRODUCTS, webhooks::list),
    Route("POST", "wc/v3/webhooks", WEBHOOK, webhooks::create),
    Route("GET", "wc/v3/webhooks/{id}", VIEW, webhooks::get),
    Route(EDIT, "wc/v3/webhooks/{id}", "name status:active|paused|disabled topic secret", webhooks::update),
    Route("DELETE", "wc/v3/webhooks/{id}", "force:bool=false", webhooks::delete),
    Route("GET", "wc/v2", "", index),
    Route("GET", "wc/v2/orders/{order_id}/shipment-trackings", "", trackings::list),
    Route("POST", "wc/v2/orders/{order_id}/shipment-trackings", PARCEL, trackings::create),
    Route("GET", "wc/v2/orders/{order_id}/shipment-trackings/providers", "", trackings::providers),
    Route("GET", "wc/v2/orders/{order_id}/shipment-trackings/{id:x}", "", trackings::get),
    Route("DELETE", "wc/v2/orders/{order_id}/shipment-trackings/{id:x}", "", trackings::delete),
];

/// The routes of this shop.
fn routes(options: &Options) -> impl Iterator<Item = &'static Route<Handler>> {
    let (profile, tracking, fulfillments) = (options.profile, options.tracking, options.has_fulfillments());
    ROUTES.iter().filter(move |route| match route.1 {
        pattern if pattern.contains("/fulfillments") => fulfillments,
        pattern if pattern.starts_with("wc/v2") => tracking != Tracking::Off,
        pattern if pattern.contains("/shipment-trackings") => matches!(tracking, Tracking::On | Tracking::Strict),
        "wc/v3/orders/statuses" | "wc/v3/refunds" => profile != Profile::V5_6,
        _ => true,
    })
}

/// The parameters that a text declares in this shop.
pub(super) fn args(options: &Options, text: &str) -> Vec<Arg> {
    let custom = options.custom_statuses.iter().map(String::as_str);
    let statuses: Vec<&str> = CORE_STATUSES.into_iter().chain(custom).collect();
    let writable = format!("auto-draft|{}", statuses.join("|"));
    let orderings = "orderby:date|id|include|title|slug";
    let modified = match options.profile.filters_modified() {
        true => format!("modified_after:date modified_before:date {orderings}|modified=date"),
        false => format!("{orderings}=date"),
    };
    let text = text.replace("$list ", &format!("{LIST} ")).replace("$order", ORDER).replace("$view", VIEW);
    let text = if text == "$list" { LIST.to_owned() } else { text };
    let text = text.replace("$listable", &format!("any|trash|{writable}")).replace("$writable", &writable);
    declared(&text.replace("$decimals", &options.decimals.to_string()).replace("$modified", &modified))
}

/// The index of a namespace.
fn index(call: &mut Call<'_, '_>) -> Answer {
    let namespace = if call.request.target().contains("wc/v2") { "wc/v2" } else { "wc/v3" };
    let root = call.style().root;
    let mut described = Map::new();
    for route in routes(call.options).filter(|route| route.1.starts_with(namespace)) {
        let args = args(call.options, route.2).into_iter().map(|arg| (arg.name.clone(), describe(&arg)));
        let args: Map<String, Value> = args.collect();
        // PHP writes an empty map as an empty list.
        let args = if args.is_empty() { json!([]) } else { Value::Object(args) };
        let methods: Vec<&str> = route.0.split('|').collect();
        let seen = described.entry(expression(route.1)).or_insert_with(|| {
            let mut body = json!({ "namespace": namespace, "methods": [], "endpoints": [] });
            if !route.1.contains('{') {
                body["_links"] = json!({ "self": [{ "href": format!("{root}{}", route.1) }] });
            }
            body
        });
        let members = [("endpoints", vec![json!({ "methods": methods, "args": args })])];
        let all = methods.iter().map(|method| json!(method)).collect();
        for (member, more) in members.into_iter().chain([("methods", all)]) {
            seen[member].as_array_mut().into_iter().for_each(|list| list.extend(more.iter().cloned()));
        }
    }
    let up = json!({ "up": [{ "href": root }] });
    Ok(Response::json(200, &json!({ "namespace": namespace, "routes": described, "_links": up })))
}

fn describe(arg: &Arg) -> Value {
    let mut body = arg.kind.describe();
    (body["required"], body["description"]) = (json!(arg.required), json!(""));
    arg.default.iter().for_each(|default| body["default"] = default.clone());
    body
}

/// A pattern as the index writes it, as a PHP regular expression.
fn expression(pattern: &str) -> String {
    let pieces = pattern.split('/').map(|piece| match piece.strip_prefix('{') {
        None => piece.to_owned(),
        Some(name) => match name.trim_end_matches('}').split_once(':') {
            Some((name, "x")) => format!("(?P<{name}>[a-fA-F0-9]{{32}})"),
            Some((name, _)) => format!("(?P<{name}>[\\w-]+)"),
            None => format!("(?P<{}>[\\d]+)", name.trim_end_matches('}')),
        },
    });
    format!("/{}", pieces.collect::<Vec<_>>().join("/"))
}

/// A request to the REST API. Parameters first, then rights, then the act: the order in which
/// WordPress looks.
pub(super) fn rest(context: &mut Context<'_>, request: &Request, path: &str) -> Response {
    let root = context.root();
    let path = path.trim_matches('/');
    if path.is_empty() {
        return finish(site::rest_index(context), false, &root, &[]);
    }
    let by = match who(context, request) {
        Ok(who) => who,
        Err(refusal) => return finish(refusal, false, &root, &[]),
    };
    let known = by.is_some();
    if let Err(refusal) = by.as_ref().map_or(Ok(()), |key| check_permission(key, &request.method)) {
        return finish(refusal, known, &root, &[]);
    }
    let method = if request.method == "HEAD" { "GET" } else { request.method.as_str() };
    let Some((route, path)) = find(routes(context.options), method, path) else {
        let refusal = error(404, "rest_no_route", "No route was found matching the URL and request method.");
        return finish(refusal, known, &root, &[]);
    };
    let checked = params(request).and_then(|mut params| {
        check(&args(context.options, route.2), &mut params).map_err(|wrong| invalid_params(&wrong))?;
        Ok(params)
    });
    let mut call = Call { context, request, params: Map::new(), path, by };
    let permitted = allowed(&call, route.1, method);
    // `Allow` lists the methods only to those who may use them.
    let mine = routes(call.options).filter(|other| other.1 == route.1 && permitted.is_ok());
    let allow: Vec<&str> = mine.flat_map(|route| route.0.split('|')).collect();
    let response = checked.and_then(|params| {
        permitted?;
        call.params = params;
        (route.3)(&mut call)
    });
    let response = response.unwrap_or_else(|refusal| refusal);
    call.state.writes += u64::from(method != "GET" && response.status < 300);
    finish(response, known, &root, &allow)
}

/// The query and the body together; the body wins.
fn params(request: &Request) -> Result<Map<String, Value>, Response> {
    let mut params = from_pairs(&request.query);
    if !request.header("content-type").is_some_and(|kind| kind.contains("json")) {
        params.extend(from_pairs(&request.form()));
    } else if !request.body.is_empty() {
        let body: Value = serde_json::from_slice(&request.body).map_err(|_| invalid_json())?;
        params.extend(body.as_object().cloned().unwrap_or_default());
    }
    Ok(params)
}

fn allowed(call: &Call<'_, '_>, pattern: &str, method: &str) -> Result<(), Response> {
    let (code, message) = match (pattern, method) {
        ("wc/v2" | "wc/v3", _) => return Ok(()),
        (pattern, method) if pattern.contains("/fulfillments") => return fulfillments::allowed(call, method == "GET"),
        (pattern, "GET") if pattern.ends_with("{id}") => ("view", "Sorry, you cannot view this resource."),
        (_, "GET") => ("view", "Sorry, you cannot list resources."),
        (_, "DELETE") => ("delete", "Sorry, you are not allowed to delete this resource."),
        ("wc/v3/orders/batch", _) => ("batch", "Sorry, you are not allowed to batch manipulate this resource."),
        ("wc/v3/orders/{id}", _) => ("edit", "Sorry, you are not allowed to edit this resource."),
        _ => ("create", "Sorry, you are not allowed to create resources."),
    };
    check_rights(&call.by, &format!("woocommerce_rest_cannot_{code}"), message)
}

/// The headers that every REST answer has.
fn finish(mut response: Response, known: bool, root: &str, allow: &[&str]) -> Response {
    response.set_header("X-Robots-Tag", "noindex");
    if response.header("Link").is_none() {
        response.set_header("Link", format!("<{root}>; rel=\"https://api.w.org/\""));
    }
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link");
    let allowed_headers = "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type";
    response.set_header("Access-Control-Allow-Headers", allowed_headers);
    if !allow.is_empty() {
        response.set_header("Allow", allow.join(", "));
    }
    if !known {
        return response.with_header("Vary", "Origin");
    }
    response.set_header("Expires", "Wed, 11 Jan 1984 05:00:00 GMT");
    response.with_header("Cache-Control", "no-cache, must-revalidate, max-age=0, no-store, private")
}
