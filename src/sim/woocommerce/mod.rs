//! A simulated WooCommerce shop (REST API wc/v3), as shops of versions 10.5.0, 10.0.2 and 5.6
//! answer.
//!
//! Written from the vendor's documentation, its source and answers recorded from real shops; it
//! shares no types with the adapter. Orders have a life of their own: see [`Shop::place_order`] and
//! the other verbs of the merchant's and the buyers' hands.

mod access;
mod admin;
mod args;
mod fulfillments;
mod list;
mod notes;
mod options;
mod orders;
mod refunds;
mod render;
mod request;
mod routes;
mod site;
#[cfg(test)]
mod tests;
mod trackings;
mod vendor;

use serde_json::{Map, Value, json};

pub use options::{
    HttpsSeen, Key, Options, Permalinks, Permission, Profile, REHEARSAL_KEY, REHEARSAL_SECRET, Rights, Tracking,
};
pub use vendor::{Mails, Meta, Own, WooCommerce};

use super::http::{Request, Response};
use super::world;
pub use super::world::{Address, Fee, Line, Purchase as NewOrder, Refund};
use access::Who;
use request::Call;
use routes::{Action, Endpoint, Route};

/// A simulated WooCommerce shop.
pub type Shop = world::Shop<WooCommerce>;

type State = world::State<WooCommerce>;
type Entry = world::Entry<WooCommerce>;
type Order = world::Order<Own>;
type Context<'a> = world::Context<'a, WooCommerce>;

/// Home page, REST API or nothing: what the address means under the shop's permalinks.
fn site(shop: &Shop, request: &Request) -> Response {
    let home = shop.home_url();
    shop.with(|context| {
        let options = context.options;
        let root = site::root(options, &home);
        let Some(path) = request.path.strip_prefix(options.prefix.as_str()) else { return site::not_found() };
        if let Some(route) = request.param("rest_route").filter(|_| matches!(path, "" | "/" | "/index.php")) {
            return rest(context, request, route, &home, &root);
        }
        let pretty = path.strip_prefix("/wp-json").filter(|_| options.permalinks == Permalinks::Pretty);
        let index_php = path.strip_prefix("/index.php/wp-json").filter(|_| options.permalinks != Permalinks::Plain);
        match pretty.or(index_php) {
            Some(route) if route.is_empty() || route.starts_with('/') => rest(context, request, route, &home, &root),
            None if matches!(path, "" | "/" | "/index.php") => site::front_page(&root),
            _ => site::not_found(),
        }
    })
}

fn rest(context: &mut Context<'_>, request: &Request, path: &str, home: &str, root: &str) -> Response {
    let path = path.trim_matches('/');
    if path.is_empty() {
        return finish(site::rest_index(context.options, home), &None, root, &[]);
    }
    let who = match access::who(context.options, &mut context.state.own, request, home, context.now) {
        Ok(who) => who,
        Err(refusal) => return finish(refusal, &None, root, &[]),
    };
    let permitted = who.as_ref().map_or(Ok(()), |key| access::check_permission(key, &request.method));
    if let Err(refusal) = permitted {
        return finish(refusal, &who, root, &[]);
    }
    let routes = context.state.own.routes.clone();
    let Some((route, endpoint, parts)) = find_route(&routes, path, &request.method) else {
        let refusal = args::error(404, "rest_no_route", "No route was found matching the URL and request method.");
        return finish(refusal, &who, root, &[]);
    };
    let call = Call {
        options: context.options,
        state: context.state,
        method: if request.method == "HEAD" { "GET" } else { &request.method },
        query: &request.query,
        params: Map::new(),
        path: parts,
        who,
        root,
        home,
        now: context.now,
    };
    run(call, request, &routes, route, endpoint)
}

fn find_route<'r>(routes: &'r [Route], path: &str, method: &str) -> Option<(&'r Route, &'r Endpoint, Vec<String>)> {
    let method = if method == "HEAD" { "GET" } else { method };
    let (route, parts) = routes.iter().find_map(|route| Some((route, route.matches(path)?)))?;
    let endpoint = route.endpoints.iter().find(|endpoint| endpoint.methods.contains(&method))?;
    Some((route, endpoint, parts))
}

/// Parameters first, then rights, then the deed: the order in which WordPress looks.
fn run(mut call: Call<'_>, request: &Request, routes: &[Route], route: &Route, endpoint: &Endpoint) -> Response {
    let who = call.who.clone();
    let checked = params(request).and_then(|mut params| {
        args::check(&endpoint.args, &mut params)?;
        Ok(params)
    });
    let permitted = allowed(&call, route.action);
    // `Allow` lists the methods only to those who may use them.
    let allow = if permitted.is_ok() { route.methods() } else { Vec::new() };
    let response = checked.and_then(|params| {
        permitted?;
        call.params = params;
        Ok(act(&mut call, routes, route))
    });
    let response = response.unwrap_or_else(|refusal| refusal);
    let applied = call.method != "GET" && response.status < 300;
    call.state.writes += u64::from(applied);
    finish(response, &who, call.root, &allow)
}

fn act(call: &mut Call<'_>, routes: &[Route], route: &Route) -> Response {
    match (route.action, call.method) {
        (Action::Index, _) => Response::json(200, &routes::index(routes, route.namespace, call.root)),
        (Action::Orders, "GET") => list::orders(call),
        (Action::Orders, _) => orders::create(call),
        (Action::Order, "GET") => orders::get(call),
        (Action::Order, "DELETE") => orders::delete(call),
        (Action::Order, _) => orders::update(call),
        (Action::OrdersBatch, _) => orders::batch(call),
        (Action::Statuses, _) => site::statuses(call),
        (Action::Refunds, _) => list::refunds(call, None),
        (Action::OrderRefunds, "GET") => refunds::list(call),
        (Action::OrderRefunds, _) => refunds::create(call),
        (Action::OrderRefund, "GET") => refunds::get(call),
        (Action::OrderRefund, _) => refunds::delete(call),
        (Action::Notes, "GET") => notes::list(call),
        (Action::Notes, _) => notes::create(call),
        (Action::Note, "GET") => notes::get(call),
        (Action::Note, _) => notes::delete(call),
        (Action::Fulfillments, "GET") => fulfillments::list(call),
        (Action::Fulfillments, _) => fulfillments::create(call),
        (Action::Fulfillment, "GET") => fulfillments::get(call),
        (Action::Fulfillment, "DELETE") => fulfillments::delete(call),
        (Action::Fulfillment, _) => fulfillments::update(call),
        (Action::FulfillmentMeta, _) => fulfillments::metadata(call),
        (Action::FulfillmentLookup, _) => fulfillments::lookup(call),
        (Action::Trackings, "GET") => trackings::list(call),
        (Action::Trackings, _) => trackings::create(call),
        (Action::TrackingProviders, _) => trackings::providers(),
        (Action::OneTracking, "GET") => trackings::get(call),
        (Action::OneTracking, _) => trackings::delete(call),
        (Action::Settings, _) => site::settings(call),
        (Action::Currency, _) => site::currency(call),
        (Action::SystemStatus, _) => site::system_status(call),
    }
}

/// The query and the JSON body together; the body wins.
fn params(request: &Request) -> Result<Map<String, Value>, Response> {
    let mut params = args::php_params(&request.query);
    let is_json = request.header("content-type").is_some_and(|kind| kind.contains("json"));
    if request.body.is_empty() {
        return Ok(params);
    }
    if !is_json {
        let text = String::from_utf8_lossy(&request.body);
        params.extend(args::php_params(&super::http::parse_query(&text)));
        return Ok(params);
    }
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(body)) => params.extend(body),
        Ok(_) => {}
        Err(_) => {
            let data = json!({"status": 400, "json_error_code": 4, "json_error_message": "Syntax error"});
            let body = json!({"code": "rest_invalid_json", "message": "Invalid JSON body passed.", "data": data});
            return Err(Response::json(400, &body));
        }
    }
    Ok(params)
}

fn allowed(call: &Call<'_>, action: Action) -> Result<(), Response> {
    let (code, message) = match (action, call.method) {
        (Action::Index, _) => return Ok(()),
        (Action::Fulfillments | Action::Fulfillment | Action::FulfillmentMeta | Action::FulfillmentLookup, _) => {
            return fulfillments::allowed(call);
        }
        (Action::Order | Action::Note | Action::OrderRefund, "GET") => {
            ("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource.")
        }
        (_, "GET") => ("woocommerce_rest_cannot_view", "Sorry, you cannot list resources."),
        (_, "DELETE") => ("woocommerce_rest_cannot_delete", "Sorry, you are not allowed to delete this resource."),
        (Action::OrdersBatch, _) => {
            ("woocommerce_rest_cannot_batch", "Sorry, you are not allowed to batch manipulate this resource.")
        }
        (Action::Order, _) => ("woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource."),
        _ => ("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources."),
    };
    access::check_rights(&call.who, code, message)
}

/// The headers that every REST answer has.
fn finish(mut response: Response, who: &Who, root: &str, allow: &[&str]) -> Response {
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
    if who.is_some() {
        response.set_header("Expires", "Wed, 11 Jan 1984 05:00:00 GMT");
        response.set_header("Cache-Control", "no-cache, must-revalidate, max-age=0, no-store, private");
    } else {
        response.set_header("Vary", "Origin");
    }
    response
}
