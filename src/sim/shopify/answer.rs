//! Queries and mutations: what they cost, which fields the root has, and the answer.

use serde_json::{Map, Value, json};

use super::options::Options;
use super::render::{self, gid, id_of};
use super::{Context, Order, Shop, bulk, lists, webhooks, writes};
use crate::sim::graphql::{Dialect, Field, Prices, Run, Selection, parse};
use crate::sim::http::{Request, Response};

/// The most that one query may cost.
const MAX_COST: f64 = 1000.0;

/// Shopify does not publish its formula; this one fits the prices recorded from a real shop:
/// scalars, money and paging cost nothing, a mutation ten, and a list grows more slowly than its
/// size (1 -> 3, 5 -> 8, 20 -> 12, 50 -> 17, 100 -> 20 with one object in each).
pub(super) static DIALECT: Dialect = Dialect {
    prices: Prices {
        connections: &[
            "orders",
            "lineItems",
            "shippingLines",
            "fulfillmentOrders",
            "fulfillmentLineItems",
            "webhookSubscriptions",
        ],
        lists: &["fulfillments", "refunds", "transactions", "taxLines"],
        bare_lists: &["trackingInfo"],
        free: &[
            "nodes",
            "edges",
            "node",
            "pageInfo",
            "userErrors",
            "orderCancelUserErrors",
            "accessScopes",
            "supportedActions",
        ],
        free_endings: &["Set", "Money"],
        weight: |size| if size <= 1.0 { size } else { size.powf(0.46) + 0.8 },
    },
    denied,
};

/// A tree that is selected from, or an error of the field.
pub(super) type Answer = Result<Value, Value>;
type Arguments = Map<String, Value>;
type Resolver = fn(&mut Context<'_>, &Arguments) -> Answer;

/// The fields of the root, the scope that each needs, and what they are.
const FIELDS: &[(&str, &str, Resolver)] = &[
    ("shop", "", |context, _| Ok(shop(context.options))),
    ("currentAppInstallation", "", |context, _| Ok(installation(context.options))),
    ("orders", "read_orders", lists::orders),
    ("ordersCount", "read_orders", lists::count),
    ("order", "read_orders", order),
    ("nodes", "read_orders", lists::nodes),
    ("fulfillmentOrders", "", lists::fulfillment_orders),
    ("fulfillmentOrder", "", |context, given| {
        let found = id_of("FulfillmentOrder", &given["id"]).and_then(|id| {
            let find = |order: &Order| order.own.fulfillment_orders.iter().find(|one| one.id == id).cloned();
            context.order(super::order_of(id)).and_then(|order| find(&order))
        });
        Ok(found.as_ref().map(render::fulfillment_order).unwrap_or_default())
    }),
    ("fulfillment", "", |context, given| {
        let found = id_of("Fulfillment", &given["id"]).and_then(|id| {
            let owner = writes::owner_of_fulfillment(context, id)?;
            context.order(owner)?.shipments.iter().find(|one| one.id == id).map(render::fulfillment)
        });
        Ok(found.unwrap_or_default())
    }),
    ("node", "", |context, given| Ok(writes::job_result(context, &given["id"]))),
    ("job", "", |context, given| Ok(writes::job(context, &given["id"]))),
    ("bulkOperation", "", |context, given| {
        Ok(bulk::operation(context, id_of("BulkOperation", &given["id"]).unwrap_or(0)))
    }),
    ("bulkOperationRunQuery", "", bulk::start),
    ("fulfillmentCreate", "write_merchant_managed_fulfillment_orders", writes::fulfill),
    ("fulfillmentTrackingInfoUpdate", "write_merchant_managed_fulfillment_orders", writes::retrack),
    ("orderCancel", "write_orders", writes::cancel),
    ("webhookSubscriptions", "", |context, _| Ok(webhooks::list(context))),
    ("webhookSubscriptionCreate", "write_orders", |context, given| Ok(webhooks::create(context, given))),
    ("webhookSubscriptionDelete", "", |context, given| Ok(webhooks::delete(context, given))),
];

/// `POST /admin/api/2026-10/graphql.json`.
pub(super) fn graphql(shop: &Shop, request: &Request) -> Response {
    let token = request.header("x-shopify-access-token");
    let body = request.json().unwrap_or_default();
    let variables = body["variables"].as_object().cloned().unwrap_or_default();
    shop.with(|context| {
        if !context.state.own.tokens.are(token, context.now) {
            return unauthorized();
        }
        context.state.notice(context.now);
        writes::work(context);
        let mut response = answer(context, body["query"].as_str().unwrap_or_default(), &variables);
        response.set_header("X-Shopify-API-Version", context.options.version.as_str());
        response.delay = context.options.latency / context.options.speed.max(1);
        response
    })
}

/// What is said to a token that is worth nothing.
pub(super) fn unauthorized() -> Response {
    let text = "[API] Invalid API key or access token (unrecognized login or wrong password)";
    Response::json(401, &json!({ "errors": text }))
}

/// What Shopify says when its own program fails.
pub(super) fn internal() -> Value {
    let request = "f6b1c0de-0000-4000-8000-000000000000-1795000000";
    json!({
        "message": format!("Internal error. Looks like something went wrong on our end.\nRequest ID: {request} (include this in support requests)."),
        "extensions": { "code": "INTERNAL_SERVER_ERROR", "requestId": request },
    })
}

/// What is wrong with a query as a whole.
fn wrong(message: &str, extensions: Value) -> Response {
    Response::json(200, &json!({ "errors": [{ "message": message, "extensions": extensions }] }))
}

/// Where Shopify explains its limits.
const LIMITS: &str = "https://shopify.dev/api/usage/rate-limits";

fn answer(context: &mut Context<'_>, text: &str, variables: &Arguments) -> Response {
    let undefined = || json!({ "code": "undefinedField" });
    let Ok(operation) = parse(text, variables) else {
        return wrong("syntax error, unexpected end of file", undefined());
    };
    let (options, now) = (context.options, context.now);
    let price = |points: f64| if operation.is_mutation { 10.0 } else { (points * options.price).ceil() };
    let requested = price(DIALECT.prices.requested(&operation.selections));
    if requested > MAX_COST {
        context.state.own.too_dear += 1;
        let message = format!("Query cost is {requested}, which exceeds the single query max cost limit (1000).");
        let code = "MAX_COST_EXCEEDED";
        return wrong(
            &message,
            json!({ "code": code, "cost": requested, "maxCost": MAX_COST, "documentation": LIMITS }),
        );
    }
    context.state.own.bucket.refill(now, options.restore_rate, options.bucket);
    if context.state.own.bucket.level < requested {
        context.state.own.throttled += 1;
        return throttled(options, context.state.own.bucket.level, requested);
    }
    let mut run = Run::new(&DIALECT);
    let mut warnings = Vec::new();
    let (data, actual) = root(context, &mut run, &operation.selections, &mut warnings);
    if run.errors.iter().any(|error| error["extensions"]["code"] == "INTERNAL_SERVER_ERROR") {
        return Response::json(200, &json!({ "errors": run.errors }));
    }
    if let Some(message) = run.invalid {
        return wrong(&message, undefined());
    }
    let mut body = json!({ "data": data, "extensions": { "cost": spend(context, requested, price(actual)) } });
    if !run.errors.is_empty() {
        body["errors"] = run.errors.into();
    }
    if !warnings.is_empty() {
        body["extensions"]["search"] = json!([{ "path": ["orders"], "warnings": warnings }]);
    }
    Response::json(200, &body)
}

/// What was set aside too much comes back when the query is over, and then it is told what there
/// is.
fn spend(context: &mut Context<'_>, requested: f64, actual: f64) -> Value {
    let (options, own) = (context.options, &mut context.state.own);
    let actual = actual.clamp(1.0, requested);
    let over = context.now + i64::try_from(options.latency.as_millis()).unwrap_or(0);
    own.bucket.spend(requested, actual, over);
    own.points += actual;
    let flows_in = options.restore_rate * options.latency.as_secs_f64();
    let available = (own.bucket.level + requested - actual + flows_in).min(options.bucket);
    cost_of(options, requested, Some(actual), available)
}

fn cost_of(options: &Options, requested: f64, actual: Option<f64>, available: f64) -> Value {
    let whole = |number: f64| number.floor() as i64;
    json!({
        "requestedQueryCost": whole(requested), "actualQueryCost": actual.map(whole),
        "throttleStatus": { "maximumAvailable": options.bucket, "currentlyAvailable": whole(available), "restoreRate": options.restore_rate },
    })
}

/// There are not enough points for it.
pub(super) fn throttled(options: &Options, level: f64, requested: f64) -> Response {
    let extensions = json!({ "code": "THROTTLED", "documentation": LIMITS });
    let cost = cost_of(options, requested, None, level);
    let errors = json!([{ "message": "Throttled", "extensions": extensions }]);
    Response::json(200, &json!({ "errors": errors, "extensions": { "cost": cost } }))
}

/// A scope is missing, or an approval, which Shopify says in other words.
fn denied(field: &str, access: &Value, path: &[Value]) -> Value {
    if access == "personal" {
        let message = "This app is not approved to access the Customer object. See https://partners.shopify.com/1/apps/1/customer_data for more details.";
        return json!({ "message": message, "path": path });
    }
    if access == "untold" {
        // Of fulfilment orders it is not told which access they take.
        let message = format!("Access denied for {field} field.");
        return json!({ "message": message, "path": path, "extensions": { "code": "ACCESS_DENIED" } });
    }
    let message = format!("Access denied for {field} field. Required access: {}", access.as_str().unwrap_or_default());
    let documentation = "https://shopify.dev/api/usage/access-scopes";
    json!({
        "message": message, "locations": [{ "line": 1, "column": 1 }], "path": path,
        "extensions": { "code": "ACCESS_DENIED", "documentation": documentation, "requiredAccess": access },
    })
}

/// The fields of the root one by one. What must not be null and is, takes everything around it with
/// it.
fn root(context: &mut Context<'_>, run: &mut Run, set: &[Selection], warnings: &mut Vec<Value>) -> (Value, f64) {
    let mut data = Map::new();
    let mut cost = 0.0;
    for item in set {
        let Selection::Field(one) = item else { continue };
        let tree = field(context, run, one);
        warnings.extend(tree["$warnings"].as_array().cloned().unwrap_or_default());
        let (value, price) = run.select(&json!({ &one.name: tree }), std::slice::from_ref(item));
        data.extend(value.as_object().cloned().unwrap_or_default());
        cost += price;
    }
    let gone = |name: &&str| data.get(*name).is_some_and(Value::is_null);
    let gone = run.takes_away || ["orders", "shop", "currentAppInstallation"].iter().any(gone);
    (if gone { Value::Null } else { Value::Object(data) }, cost)
}

fn field(context: &mut Context<'_>, run: &mut Run, field: &Field) -> Value {
    let Some((_, scope, read)) = FIELDS.iter().find(|(name, _, _)| *name == field.name) else {
        return run.unknown(&field.name, "type 'QueryRoot'");
    };
    if !scope.is_empty() && !context.options.has(scope) {
        return render::needs(scope);
    }
    read(context, &field.arguments).unwrap_or_else(|error| run.fail(error))
}

fn order(context: &mut Context<'_>, given: &Arguments) -> Answer {
    let Some(id) = id_of("Order", &given["id"]) else { return Ok(Value::Null) };
    if context.state.unrenderable.contains(&id) {
        return Err(internal());
    }
    let seen = |entry: &super::Entry| lists::visible(context.options, entry.created, context.now);
    let visible = context.state.orders.get(&id).is_some_and(seen);
    Ok(if visible { render::order(context, id).unwrap_or_default() } else { Value::Null })
}

fn shop(options: &Options) -> Value {
    json!({
        "$type": "Shop", "id": gid("Shop", options.shop), "name": "Tea & Cups", "myshopifyDomain": options.domain,
        "url": "https://tea-and-cups.test", "currencyCode": "EUR", "ianaTimezone": "Europe/Berlin",
        "plan": { "$type": "ShopPlan", "publicDisplayName": "Basic" },
    })
}

fn installation(options: &Options) -> Value {
    let scope = |handle: &String| json!({ "$type": "AccessScope", "handle": handle });
    let scopes: Vec<Value> = options.scopes.iter().map(scope).collect();
    json!({ "$type": "AppInstallation", "id": gid("AppInstallation", 1), "accessScopes": scopes })
}
