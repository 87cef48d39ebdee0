//! A simulated WooCommerce shop (REST API wc/v3), as shops of versions 10.5.0, 10.0.2 and 5.6 answer.
//!
//! Written from the vendor's documentation, its source and answers recorded from real shops; it shares no
//! types with the adapter. Orders have a life of their own: see [`Shop::place_order`] and the other verbs
//! of the merchant's and the buyers' hands.

mod args;
mod auth;
mod call;
mod changes;
mod demo;
mod fulfillments;
mod hands;
mod list;
mod notes;
mod options;
mod orders;
mod people;
mod refunds;
mod render;
mod routes;
mod seed;
mod site;
mod state;
mod trackings;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

pub use hands::{NewLine, NewOrder};
pub use options::{
    HttpsSeen, Key, Options, Permalinks, Permission, Profile, REHEARSAL_KEY, REHEARSAL_SECRET, Rights, Tracking,
};
pub use state::{Address, Charge, Details, Line, Mails, Meta, Refund};

use super::CONTROL;
use super::http::{Request, Response, Store};
use crate::clock::Clock;
use crate::sim::time::ShopClock;
use auth::Who;
use call::Call;
use routes::{Action, Endpoint, Route};
use state::State;

type Hook = Arc<dyn Fn(&Request, &Shop) + Send + Sync>;

/// A simulated WooCommerce shop. Share it as `Arc<Shop>` between a [`Server`](super::Server) and a test.
pub struct Shop {
    options: Options,
    routes: Vec<Route>,
    clock: ShopClock,
    state: Mutex<State>,
    served: Mutex<String>,
    hook: Mutex<Option<Hook>>,
}

impl Shop {
    /// An empty shop that reads the time from `clock`.
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Self {
        Self {
            state: Mutex::new(State::new(options.first_id)),
            routes: routes::routes(&options),
            options,
            clock: ShopClock::new(clock),
            served: Mutex::new("http://127.0.0.1".to_owned()),
            hook: Mutex::new(None),
        }
    }

    /// The shop's options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The site's address as the shop believes it to be, without a slash at the end.
    pub fn home_url(&self) -> String {
        self.options.home_url.clone().unwrap_or_else(|| {
            let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
            format!("{served}{}", self.options.prefix)
        })
    }

    /// Calls `hook` before every request, for instance to change orders between two pages of a list.
    pub fn before_request(&self, hook: impl Fn(&Request, &Self) + Send + Sync + 'static) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }

    fn call_hook(&self, request: &Request) {
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(hook) = hook {
            hook(request, self);
        }
    }

    /// Home page, REST API or nothing: what the address means under the shop's permalinks.
    fn site(&self, request: &Request) -> Response {
        let home = self.home_url();
        let root = site::root(&self.options, &home);
        let Some(path) = request.path.strip_prefix(self.options.prefix.as_str()) else { return site::not_found() };
        if let Some(route) = request.param("rest_route").filter(|_| matches!(path, "" | "/" | "/index.php")) {
            return self.rest(request, route, &home, &root);
        }
        let pretty = path.strip_prefix("/wp-json").filter(|_| self.options.permalinks == Permalinks::Pretty);
        let index_php =
            path.strip_prefix("/index.php/wp-json").filter(|_| self.options.permalinks != Permalinks::Plain);
        match pretty.or(index_php) {
            Some(route) if route.is_empty() || route.starts_with('/') => self.rest(request, route, &home, &root),
            None if matches!(path, "" | "/" | "/index.php") => site::front_page(&root),
            _ => site::not_found(),
        }
    }

    fn rest(&self, request: &Request, path: &str, home: &str, root: &str) -> Response {
        let path = path.trim_matches('/');
        if path.is_empty() {
            return finish(site::rest_index(&self.options, home), &None, root, &[]);
        }
        let mut state = self.lock();
        let who = match auth::who(&self.options, &mut state, request, home, self.now()) {
            Ok(who) => who,
            Err(refusal) => return finish(refusal, &None, root, &[]),
        };
        let permitted = who.as_ref().map_or(Ok(()), |key| auth::check_permission(key, &request.method));
        if let Err(refusal) = permitted {
            return finish(refusal, &who, root, &[]);
        }
        let Some((route, endpoint, parts)) = self.find_route(path, &request.method) else {
            let refusal = args::error(404, "rest_no_route", "No route was found matching the URL and request method.");
            return finish(refusal, &who, root, &[]);
        };
        let call = Call {
            options: &self.options,
            state: &mut state,
            method: if request.method == "HEAD" { "GET" } else { &request.method },
            query: &request.query,
            params: Map::new(),
            path: parts,
            who,
            root,
            home,
            now: self.now(),
        };
        self.run(call, request, route, endpoint)
    }

    fn find_route(&self, path: &str, method: &str) -> Option<(&Route, &Endpoint, Vec<String>)> {
        let method = if method == "HEAD" { "GET" } else { method };
        let (route, parts) = self.routes.iter().find_map(|route| Some((route, route.matches(path)?)))?;
        let endpoint = route.endpoints.iter().find(|endpoint| endpoint.methods.contains(&method))?;
        Some((route, endpoint, parts))
    }

    /// Parameters first, then rights, then the deed: the order in which WordPress looks.
    fn run(&self, mut call: Call<'_>, request: &Request, route: &Route, endpoint: &Endpoint) -> Response {
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
            Ok(self.act(&mut call, route))
        });
        let response = response.unwrap_or_else(|refusal| refusal);
        let applied = call.method != "GET" && response.status < 300;
        call.state.writes += u64::from(applied);
        finish(response, &who, call.root, &allow)
    }

    fn act(&self, call: &mut Call<'_>, route: &Route) -> Response {
        match (route.action, call.method) {
            (Action::Index, _) => Response::json(200, &routes::index(&self.routes, route.namespace, call.root)),
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
    auth::check_rights(&call.who, code, message)
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

impl Store for Shop {
    fn handle(&self, request: &Request) -> Response {
        if request.path.starts_with(CONTROL) {
            return super::simulated::control(self, request);
        }
        self.call_hook(request);
        self.site(request).with_header("Date", httpdate::fmt_http_date(self.clock.now().into()))
    }

    fn served_at(&self, url: &str) {
        url.clone_into(&mut self.served.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
