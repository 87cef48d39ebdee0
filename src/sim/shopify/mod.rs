//! A simulated Shopify shop (Admin GraphQL `2026-10`).
//!
//! Written from the vendor's schema and answers recorded from real shops; it shares no types with
//! the adapter. Documents are parsed and answered by a small executor ([`graphql`]), so a field
//! that the schema does not have is an error here, too, as far as the tree of [`render`] goes.

mod admin;
mod bulk;
mod cost;
mod document;
mod graphql;
mod lists;
mod options;
mod render;
mod search;
#[cfg(test)]
mod tests;
mod vendor;
mod writes;

use serde_json::{Map, Value, json};

pub use options::{ALL_SCOPES, Deaf, Options, REHEARSAL_CLIENT_ID, REHEARSAL_CLIENT_SECRET, REHEARSAL_TOKEN};
pub use vendor::{Own, Shopify};

use super::FaultKind;
use super::http::{Request, Response, Store};
use super::world;
pub use super::world::Purchase as NewOrder;
use document::{Field, Selection, SelectionSet};
use graphql::{Account, arguments, select};

/// The most that one query may cost.
const MAX_COST: f64 = 1000.0;

/// A simulated Shopify shop.
pub type Shop = world::Shop<Shopify>;

type State = world::State<Shopify>;
type Entry = world::Entry<Shopify>;
type Order = world::Order<Own>;
type Context<'a> = world::Context<'a, Shopify>;

impl Shop {
    /// `/admin/oauth/access_token`, the client-credentials grant.
    fn grant(&self, request: &Request) -> Response {
        let options = self.options().clone();
        let form = super::http::parse_query(&String::from_utf8_lossy(&request.body));
        let has = |key: &str, value: &str| form.iter().any(|(name, given)| name == key && given == value);
        if !has("grant_type", "client_credentials") {
            return Response::json(400, &json!({ "error": "invalid_request" }));
        }
        if !has("client_id", REHEARSAL_CLIENT_ID) || !has("client_secret", REHEARSAL_CLIENT_SECRET) {
            return Response::html(
                400,
                "<html><body><h1>400</h1>Oauth error application_cannot_be_found</body></html>",
            );
        }
        let now = self.now();
        let mut state = self.lock();
        let token = format!("shpca_{:024x}", state.own.take_id());
        state.own.tokens.insert(token.clone(), Some(now + options.token_life * 1000));
        state.own.tokens_fetched += 1;
        let scope = options.scopes.join(",");
        Response::json(200, &json!({ "access_token": token, "scope": scope, "expires_in": options.token_life }))
    }

    fn knows(&self, request: &Request) -> bool {
        let now = self.now();
        let token = request.header("x-shopify-access-token").unwrap_or_default();
        self.lock().own.tokens.get(token).is_some_and(|ends| ends.is_none_or(|ends| now < ends))
    }

    /// A bulk operation's file, in ranges. It is not the shop's host: a token has no business
    /// there.
    fn file(&self, request: &Request, name: &str) -> Response {
        if request.header("x-shopify-access-token").is_some() {
            return Response::html(400, "<html>a token was sent to the file store</html>");
        }
        let id = name.strip_suffix(".jsonl").and_then(|id| id.parse().ok()).unwrap_or(0);
        let Some(file) = self.lock().own.bulk.get(&id).map(|operation| operation.file.clone()) else {
            return Response::html(404, "<html>NoSuchKey</html>");
        };
        let range = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let mut response = Response::json(200, &Value::Null);
        match range.and_then(|(from, to)| Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?))) {
            Some((from, _)) if from >= file.len() => response.status = 416,
            Some((from, to)) => {
                let to = to.saturating_add(1).min(file.len());
                response.status = 206;
                response.set_header("Content-Range", format!("bytes {from}-{}/{}", to.saturating_sub(1), file.len()));
                response.body = file.get(from..to).unwrap_or_default().to_vec();
            }
            None => response.body = file.to_vec(),
        }
        response.set_header("Content-Type", "application/jsonl");
        response
    }

    fn graphql(&self, request: &Request) -> Response {
        if !self.knows(request) {
            let text = "[API] Invalid API key or access token (unrecognized login or wrong password)";
            return Response::json(401, &json!({ "errors": text }));
        }
        let body = request.json().unwrap_or_default();
        let text = body["query"].as_str().unwrap_or_default();
        let variables = body["variables"].as_object().cloned().unwrap_or_default();
        let options = self.options().clone();
        let now = self.now();
        let mut state = self.lock();
        state.notice(now);
        Context { options: &options, state: &mut state, now }.work();
        let mut response = answer(&options, &mut state, text, variables, now);
        response.set_header("X-Shopify-API-Version", options.version);
        response.delay = options.latency / options.speed.max(1);
        response
    }
}

/// What Shopify says when its own program fails.
fn internal() -> Value {
    let request = "f6b1c0de-0000-4000-8000-000000000000-1795000000";
    json!({
        "message": format!("Internal error. Looks like something went wrong on our end.\nRequest ID: {request} (include this in support requests)."),
        "extensions": { "code": "INTERNAL_SERVER_ERROR", "requestId": request },
    })
}

/// What is wrong with a query as a whole.
fn wrong(message: &str) -> Response {
    Response::json(200, &json!({ "errors": [{ "message": message, "extensions": { "code": "undefinedField" } }] }))
}

fn answer(options: &Options, state: &mut State, text: &str, variables: Map<String, Value>, now: i64) -> Response {
    let Ok(operation) = document::parse(text) else {
        return wrong("syntax error, unexpected end of file");
    };
    let (set, is_write) = (&operation.selection_set, operation.is_mutation);
    let requested = if is_write { 10.0 } else { (cost::requested(set, &variables) * options.price).ceil() };
    if requested > MAX_COST {
        state.own.too_dear += 1;
        let message = format!("Query cost is {requested}, which exceeds the single query max cost limit (1000).");
        let extensions = json!({ "code": "MAX_COST_EXCEEDED", "cost": requested, "maxCost": MAX_COST,
            "documentation": "https://shopify.dev/api/usage/rate-limits" });
        return Response::json(200, &json!({ "errors": [{ "message": message, "extensions": extensions }] }));
    }
    state.refill(options, now);
    if state.own.bucket.level < requested {
        state.own.throttled += 1;
        return throttled(options, state, requested);
    }
    let mut run = Run { options, state, variables: &variables, now, account: Account::default(), search: Vec::new() };
    let (data, actual) = run.root(set);
    let (account, search) = (run.account, run.search);
    if account.errors.iter().any(|error| error["extensions"]["code"] == "INTERNAL_SERVER_ERROR") {
        return Response::json(200, &json!({ "errors": account.errors }));
    }
    if let Some(message) = account.invalid {
        return wrong(&message);
    }
    let actual = if is_write { 10.0 } else { (actual * options.price).ceil().clamp(1.0, requested) };
    // What was set aside too much comes back when the query is over, and then it is told what there
    // is.
    let over = now + i64::try_from(options.latency.as_millis()).unwrap_or(0);
    state.own.bucket.level -= requested;
    state.own.bucket.refunds.push((over, requested - actual));
    state.own.points += actual;
    let flows_in = options.restore_rate * options.latency.as_secs_f64();
    let available = (state.own.bucket.level + requested - actual + flows_in).min(options.bucket).floor();
    let mut body =
        json!({ "data": data, "extensions": { "cost": cost_of(options, requested, Some(actual), available) } });
    if !account.errors.is_empty() {
        body["errors"] = account.errors.into();
    }
    if !search.is_empty() {
        body["extensions"]["search"] = json!([{ "path": ["orders"], "warnings": search }]);
    }
    Response::json(200, &body)
}

fn cost_of(options: &Options, requested: f64, actual: Option<f64>, available: f64) -> Value {
    let whole = |number: f64| number as i64;
    json!({
        "requestedQueryCost": whole(requested), "actualQueryCost": actual.map(whole),
        "throttleStatus": { "maximumAvailable": options.bucket, "currentlyAvailable": whole(available), "restoreRate": options.restore_rate },
    })
}

fn throttled(options: &Options, state: &State, requested: f64) -> Response {
    let extensions = json!({ "code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits" });
    Response::json(
        200,
        &json!({
            "errors": [{ "message": "Throttled", "extensions": extensions }],
            "extensions": { "cost": cost_of(options, requested, None, state.own.bucket.level.floor()) },
        }),
    )
}

impl State {
    /// The bucket as it is at `now`.
    fn refill(&mut self, options: &Options, now: i64) {
        let passed = (now - self.own.bucket.at).max(0) as f64 / 1000.0;
        let back: f64 = self.own.bucket.refunds.iter().filter(|(at, _)| *at <= now).map(|(_, points)| points).sum();
        self.own.bucket.refunds.retain(|(at, _)| *at > now);
        self.own.bucket.level = (self.own.bucket.level + passed * options.restore_rate + back).min(options.bucket);
        self.own.bucket.at = self.own.bucket.at.max(now);
    }
}

/// A query being answered.
struct Run<'a> {
    options: &'a Options,
    state: &'a mut State,
    variables: &'a Map<String, Value>,
    now: i64,
    account: Account,
    search: Vec<Value>,
}

impl Run<'_> {
    fn root(&mut self, set: &SelectionSet) -> (Value, f64) {
        let mut data = Map::new();
        let mut cost = 0.0;
        for item in &set.items {
            let Selection::Field(field) = item else { continue };
            let tree = json!({ &field.name: self.field(field) });
            let one = SelectionSet { items: vec![item.clone()] };
            let (value, price) = select(&tree, &one, self.variables, &mut Vec::new(), &mut self.account);
            data.extend(value.as_object().cloned().unwrap_or_default());
            cost += price;
        }
        // What must not be null and is, takes everything around it with it.
        let gone =
            ["orders", "shop", "currentAppInstallation"].iter().any(|name| data.get(*name).is_some_and(Value::is_null));
        (if gone { Value::Null } else { Value::Object(data) }, cost)
    }

    fn needs(&self, scope: &str) -> Option<Value> {
        (!self.options.has(scope)).then(|| json!({ "$denied": format!("`{scope}` access scope.") }))
    }

    fn fail(&mut self, error: Value) -> Value {
        self.account.errors.push(error);
        Value::Null
    }

    fn field(&mut self, field: &Field) -> Value {
        let given = arguments(field, self.variables);
        let name = field.name.as_str();
        let scope = match name {
            "orders" | "ordersCount" | "order" => self.needs("read_orders"),
            "fulfillmentCreate" | "fulfillmentTrackingInfoUpdate" => {
                self.needs("write_merchant_managed_fulfillment_orders")
            }
            "orderCancel" => self.needs("write_orders"),
            _ => None,
        };
        if let Some(denied) = scope {
            return denied;
        }
        let (options, now) = (self.options, self.now);
        let mut desk = Context { options, state: self.state, now };
        let written = match name {
            "fulfillmentCreate" => desk.fulfill(&given),
            "fulfillmentTrackingInfoUpdate" => desk.retrack(&given),
            "orderCancel" => desk.cancel(&given),
            "node" => Ok(desk.job_result(&given["id"])),
            "job" => Ok(desk.job(&given["id"])),
            _ => Ok(self.read(name, &given)),
        };
        written.unwrap_or_else(|error| self.fail(error))
    }

    fn read(&mut self, name: &str, given: &Map<String, Value>) -> Value {
        let (options, now) = (self.options, self.now);
        let id = given.get("id").cloned().unwrap_or_default();
        match name {
            "shop" => shop(options),
            "currentAppInstallation" => {
                let scope = |handle: &String| json!({ "$type": "AccessScope", "handle": handle });
                let scopes: Vec<Value> = options.scopes.iter().map(scope).collect();
                json!({ "$type": "AppInstallation", "id": "gid://shopify/AppInstallation/1", "accessScopes": scopes })
            }
            "orders" => match lists::orders(options, self.state, given, now) {
                Ok((list, warnings)) => {
                    self.search.extend(warnings);
                    list
                }
                Err(error) => self.fail(error),
            },
            "ordersCount" => {
                let (count, warnings) = lists::count(options, self.state, given, now);
                self.search.extend(warnings);
                count
            }
            "order" => match render::id_of("Order", &id) {
                Some(id) if self.state.unrenderable.contains(&id) => self.fail(internal()),
                id => id.and_then(|id| self.order(id)).unwrap_or_default(),
            },
            "fulfillmentOrder" => self.fulfillment_order(&id),
            "fulfillment" => self.fulfillment(&id),
            "bulkOperation" => {
                let id = render::id_of("BulkOperation", &id).unwrap_or(0);
                bulk::operation_of(self.state, id, now)
            }
            "bulkOperationRunQuery" => {
                let query = given.get("query").and_then(Value::as_str).unwrap_or_default();
                let grouped = given.get("groupObjects") == Some(&json!(true));
                bulk::start(options, self.state, query, grouped, now)
            }
            other => {
                self.account.invalid = Some(format!("Field '{other}' doesn't exist on type 'QueryRoot'"));
                Value::Null
            }
        }
    }

    fn order(&self, id: u64) -> Option<Value> {
        let slot = self.state.orders.get(&id)?;
        let visible = lists::visible(self.options, slot.created, self.now);
        visible.then(|| render::order(self.options, self.state, id, self.now))?
    }

    fn fulfillment(&mut self, id: &Value) -> Value {
        let desk = Context { options: self.options, state: self.state, now: self.now };
        let found = render::id_of("Fulfillment", id).and_then(|id| {
            let owner = desk.owner_of_fulfillment(id)?;
            desk.order(owner)?.shipments.iter().find(|one| one.id == id).map(render::fulfillment)
        });
        found.unwrap_or_default()
    }

    fn fulfillment_order(&self, id: &Value) -> Value {
        let found = render::id_of("FulfillmentOrder", id).and_then(|id| {
            let order = self.state.order(self.options, id / vendor::STEP * vendor::STEP)?;
            order.own.fulfillment_orders.iter().find(|one| one.id == id).map(render::fulfillment_order)
        });
        found.unwrap_or_default()
    }
}

fn shop(options: &Options) -> Value {
    json!({
        "$type": "Shop", "id": format!("gid://shopify/Shop/{}", options.shop), "name": "Tea & Cups", "myshopifyDomain": options.domain,
        "url": "https://tea-and-cups.test", "currencyCode": "EUR", "ianaTimezone": "Europe/Berlin",
        "plan": { "$type": "ShopPlan", "publicDisplayName": "Basic" },
    })
}

/// The answer to a request that found its way to the shop.
fn respond(shop: &Shop, request: &Request) -> Response {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/admin/oauth/access_token") => shop.grant(request),
        ("POST", "/admin/api/2026-10/graphql.json") => shop.graphql(request),
        ("GET", path) if path.starts_with("/bulk/") => shop.file(request, path.trim_start_matches("/bulk/")),
        _ => Response::html(404, "<!DOCTYPE html><html><body>This store is unavailable</body></html>"),
    }
}

fn fault(shop: &Shop, kind: &FaultKind, request: &Request) -> Option<Response> {
    if !request.path.ends_with("graphql.json") {
        return None;
    }
    match kind {
        FaultKind::RateLimited(None) => {
            let options = shop.options().clone();
            Some(throttled(&options, &shop.lock(), 100.0))
        }
        FaultKind::Unauthorized => {
            let text = "[API] Invalid API key or access token (unrecognized login or wrong password)";
            Some(Response::json(401, &json!({ "errors": text })))
        }
        FaultKind::WrongType(_, wanted) => Some(shop.broken(request, *wanted)),
        _ => None,
    }
}

impl Shop {
    /// An answer in which one order breaks its own documentation.
    fn broken(&self, request: &Request, wanted: Option<u64>) -> Response {
        let mut response = self.handle(request);
        let mut body = response.body_json();
        let wanted = wanted.map(|id| render::gid("Order", id));
        let data = &mut body["data"];
        let chosen = if data["order"].is_object() {
            Some(&mut data["order"])
        } else {
            let rows = data["orders"]["nodes"].as_array_mut();
            rows.and_then(|rows| rows.iter_mut().find(|row| wanted.as_deref().is_none_or(|id| row["id"] == id)))
        };
        if let Some(order) = chosen {
            order["totalPriceSet"] = json!("12.00");
        }
        response.body = body.to_string().into_bytes();
        response
    }
}
