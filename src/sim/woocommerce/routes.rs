//! The routes of wc/v3 that exist here, with their parameters: what the index shows is what is
//! checked.

use serde_json::{Map, Value, json};

use super::args::{Arg, Kind};
use super::options::{Options, Profile, Tracking};
use super::vendor::CORE_STATUSES;

/// What a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Index,
    Orders,
    Order,
    OrdersBatch,
    Statuses,
    Refunds,
    OrderRefunds,
    OrderRefund,
    Notes,
    Note,
    Fulfillments,
    Fulfillment,
    FulfillmentMeta,
    FulfillmentLookup,
    Trackings,
    TrackingProviders,
    OneTracking,
    Settings,
    Currency,
    SystemStatus,
}

/// Methods and the parameters they take.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) methods: &'static [&'static str],
    pub(super) args: Vec<Arg>,
}

/// A route: `{name}` in the pattern is a number, `{name:x}` a hexadecimal number, `{name:w}` a
/// word.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) namespace: &'static str,
    pub(super) pattern: &'static str,
    pub(super) action: Action,
    pub(super) endpoints: Vec<Endpoint>,
}

const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];
const EDIT: &[&str] = &["POST", "PUT", "PATCH"];
const DELETE: &[&str] = &["DELETE"];

impl Route {
    /// The numbers and words in `path` where the pattern has names; `None` when the path is
    /// another's.
    pub(super) fn matches(&self, path: &str) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let mut parts = path.split('/');
        for piece in self.pattern.split('/') {
            let part = parts.next()?;
            if !piece.starts_with('{') {
                if piece != part {
                    return None;
                }
                continue;
            }
            let good: fn(char) -> bool = match piece {
                hex if hex.ends_with(":x}") => |c| c.is_ascii_hexdigit(),
                word if word.ends_with(":w}") => |c| c.is_ascii_alphanumeric() || c == '-' || c == '_',
                _ => |c| c.is_ascii_digit(),
            };
            if part.is_empty() || !part.chars().all(good) {
                return None;
            }
            found.push(part.to_owned());
        }
        parts.next().is_none().then_some(found)
    }

    /// Every method of the route, in order, for the `Allow` header.
    pub(super) fn methods(&self) -> Vec<&'static str> {
        self.endpoints.iter().flat_map(|endpoint| endpoint.methods.iter().copied()).collect()
    }

    /// The pattern as the index writes it, as a PHP regular expression.
    fn expression(&self) -> String {
        let pieces = self.pattern.split('/').map(|piece| match piece.strip_prefix('{') {
            None => piece.to_owned(),
            Some(name) => match name.trim_end_matches('}').split_once(':') {
                Some((name, "x")) => format!("(?P<{name}>[a-fA-F0-9]{{32}})"),
                Some((name, _)) => format!("(?P<{name}>[\\w-]+)"),
                None => format!("(?P<{}>[\\d]+)", name.trim_end_matches('}')),
            },
        });
        format!("/{}", pieces.collect::<Vec<_>>().join("/"))
    }

    fn describe(&self, root: &str) -> Value {
        let endpoints: Vec<_> = self
            .endpoints
            .iter()
            .map(|endpoint| {
                let args: Map<String, Value> =
                    endpoint.args.iter().map(|arg| (arg.name.to_owned(), arg.describe())).collect();
                // PHP writes an empty map as an empty list.
                let args = if args.is_empty() { json!([]) } else { Value::Object(args) };
                json!({"methods": endpoint.methods, "args": args})
            })
            .collect();
        let mut body = json!({"namespace": self.namespace, "methods": self.methods(), "endpoints": endpoints});
        if !self.pattern.contains('{') {
            body["_links"] = json!({"self": [{"href": format!("{root}{}", self.pattern)}]});
        }
        body
    }
}

/// The index of a namespace.
pub(super) fn index(routes: &[Route], namespace: &str, root: &str) -> Value {
    let described: Map<String, Value> = routes
        .iter()
        .filter(|route| route.namespace == namespace)
        .map(|route| (route.expression(), route.describe(root)))
        .collect();
    json!({
        "namespace": namespace, "routes": described,
        "_links": {"up": [{"href": root}]},
    })
}

/// All statuses that can be written.
pub(super) fn writable_statuses(options: &Options) -> Vec<String> {
    let custom = options.custom_statuses.iter().cloned();
    std::iter::once("auto-draft").chain(CORE_STATUSES).map(str::to_owned).chain(custom).collect()
}

fn listable_statuses(options: &Options) -> Vec<String> {
    ["any", "trash"].map(str::to_owned).into_iter().chain(writable_statuses(options)).collect()
}

/// The routes of this shop.
pub(super) fn routes(options: &Options) -> Vec<Route> {
    let mut routes = order_routes(options);
    routes.extend(site_routes());
    if options.has_fulfillments() {
        routes.extend(fulfillment_routes());
    }
    if options.tracking != Tracking::Off {
        routes.extend(tracking_routes("wc/v2"));
    }
    if options.tracking == Tracking::On {
        routes.extend(tracking_routes("wc/v3"));
    }
    routes
}

fn route(pattern: &'static str, action: Action, endpoints: Vec<Endpoint>) -> Route {
    Route { namespace: "wc/v3", pattern, action, endpoints }
}

fn on(methods: &'static [&'static str], args: Vec<Arg>) -> Endpoint {
    Endpoint { methods, args }
}

fn order_routes(options: &Options) -> Vec<Route> {
    let write = || order_args(options);
    let create =
        || write().into_iter().map(|arg| if arg.name == "status" { arg.default(json!("pending")) } else { arg });
    let mut list = list_args(options);
    list.extend([status_filter(options), Arg::new("customer", Kind::Integer(None, None))]);
    let force = Arg::new("force", Kind::Boolean).default(json!(false));
    let mut routes = vec![
        route("wc/v3", Action::Index, vec![on(GET, vec![])]),
        route("wc/v3/orders", Action::Orders, vec![on(GET, list), on(POST, create().collect())]),
        route("wc/v3/orders/{id}", Action::Order, vec![on(GET, view()), on(EDIT, write()), on(DELETE, vec![force])]),
        route("wc/v3/orders/batch", Action::OrdersBatch, vec![on(EDIT, write())]),
        route(
            "wc/v3/orders/{order_id}/refunds",
            Action::OrderRefunds,
            vec![on(GET, list_args(options)), on(POST, refund_args())],
        ),
        route("wc/v3/orders/{order_id}/refunds/{id}", Action::OrderRefund, vec![on(GET, view()), on(DELETE, vec![])]),
        route("wc/v3/orders/{order_id}/notes", Action::Notes, vec![on(GET, note_filter()), on(POST, note_args())]),
        route("wc/v3/orders/{order_id}/notes/{id}", Action::Note, vec![on(GET, view()), on(DELETE, vec![])]),
    ];
    if options.profile != Profile::V5_6 {
        routes.push(route("wc/v3/orders/statuses", Action::Statuses, vec![on(GET, vec![])]));
        routes.push(route("wc/v3/refunds", Action::Refunds, vec![on(GET, list_args(options))]));
    }
    routes
}

fn site_routes() -> Vec<Route> {
    vec![
        route("wc/v3/settings/{group_id:w}", Action::Settings, vec![on(GET, vec![])]),
        route("wc/v3/data/currencies/current", Action::Currency, vec![on(GET, vec![])]),
        route(
            "wc/v3/system_status",
            Action::SystemStatus,
            vec![on(GET, vec![Arg::new("context", words(&["view"])).default(json!("view"))])],
        ),
    ]
}

fn fulfillment_routes() -> Vec<Route> {
    let notify = || Arg::new("notify_customer", Kind::Boolean).default(json!(false));
    let write = || {
        vec![
            Arg::new("status", Kind::Text).default(json!("unfulfilled")),
            Arg::new("is_fulfilled", Kind::Boolean).default(json!(false)),
            Arg::new("meta_data", Kind::Array).required(),
            notify(),
        ]
    };
    let number = Arg::new("tracking_number", Kind::Text).required();
    let meta = vec![Arg::new("meta_data", Kind::Array).required()];
    vec![
        route("wc/v3/orders/{order_id}/fulfillments", Action::Fulfillments, vec![on(GET, vec![]), on(POST, write())]),
        route(
            "wc/v3/orders/{order_id}/fulfillments/{fulfillment_id}",
            Action::Fulfillment,
            vec![on(GET, vec![]), on(EDIT, write()), on(DELETE, vec![notify()])],
        ),
        route(
            "wc/v3/orders/{order_id}/fulfillments/{fulfillment_id}/metadata",
            Action::FulfillmentMeta,
            vec![on(GET, vec![]), on(EDIT, meta), on(DELETE, vec![])],
        ),
        route("wc/v3/orders/{order_id}/fulfillments/lookup", Action::FulfillmentLookup, vec![on(GET, vec![number])]),
    ]
}

fn tracking_routes(namespace: &'static str) -> Vec<Route> {
    let patterns = match namespace {
        "wc/v2" => [
            "wc/v2/orders/{order_id}/shipment-trackings",
            "wc/v2/orders/{order_id}/shipment-trackings/providers",
            "wc/v2/orders/{order_id}/shipment-trackings/{id:x}",
        ],
        _ => [
            "wc/v3/orders/{order_id}/shipment-trackings",
            "wc/v3/orders/{order_id}/shipment-trackings/providers",
            "wc/v3/orders/{order_id}/shipment-trackings/{id:x}",
        ],
    };
    let text = |name| Arg::new(name, Kind::Text);
    let write = vec![
        text("tracking_provider"),
        text("custom_tracking_provider"),
        text("custom_tracking_link"),
        text("tracking_number").required(),
        text("date_shipped"),
    ];
    let [list, providers, one] = patterns;
    let of = |pattern, action, endpoints| Route { namespace, pattern, action, endpoints };
    let mut routes = vec![
        of(list, Action::Trackings, vec![on(GET, vec![]), on(POST, write)]),
        of(providers, Action::TrackingProviders, vec![on(GET, vec![])]),
        of(one, Action::OneTracking, vec![on(GET, vec![]), on(DELETE, vec![])]),
    ];
    if namespace == "wc/v2" {
        routes.push(of("wc/v2", Action::Index, vec![on(GET, vec![])]));
    }
    routes
}

fn words(words: &[&str]) -> Kind {
    Kind::OneOf(words.iter().map(|word| (*word).to_owned()).collect())
}

fn view() -> Vec<Arg> {
    vec![Arg::new("context", words(&["view", "edit"])).default(json!("view"))]
}

fn status_filter(options: &Options) -> Arg {
    Arg::new("status", Kind::List(Box::new(Kind::OneOf(listable_statuses(options))))).default(json!("any"))
}

fn list_args(options: &Options) -> Vec<Arg> {
    let number = || Kind::Integer(None, None);
    let numbers = |name| Arg::new(name, Kind::List(Box::new(Kind::Integer(None, None)))).default(json!([]));
    let mut args = view();
    args.extend([
        Arg::new("page", Kind::Integer(Some(1), None)).default(json!(1)),
        Arg::new("per_page", Kind::Integer(Some(1), Some(100))).default(json!(10)),
        Arg::new("offset", number()),
        Arg::new("search", Kind::Text),
        Arg::new("after", Kind::Date),
        Arg::new("before", Kind::Date),
        Arg::new("dates_are_gmt", Kind::Boolean).default(json!(false)),
        numbers("include"),
        numbers("exclude"),
        numbers("parent"),
        Arg::new("order", words(&["asc", "desc"])).default(json!("desc")),
        Arg::new("dp", number()).default(json!(options.decimals)),
    ]);
    let mut orderings = vec!["date", "id", "include", "title", "slug"];
    if options.profile.filters_modified() {
        orderings.push("modified");
        args.extend([Arg::new("modified_after", Kind::Date), Arg::new("modified_before", Kind::Date)]);
    }
    args.push(Arg::new("orderby", words(&orderings)).default(json!("date")));
    args
}

fn order_args(options: &Options) -> Vec<Arg> {
    vec![
        Arg::new("parent_id", Kind::Integer(None, None)),
        Arg::new("status", Kind::OneOf(writable_statuses(options))),
        Arg::new("currency", Kind::Text),
        Arg::new("customer_id", Kind::Integer(None, None)),
        Arg::new("customer_note", Kind::Text),
        Arg::new("billing", Kind::Object),
        Arg::new("shipping", Kind::Object),
        Arg::new("payment_method", Kind::Text),
        Arg::new("payment_method_title", Kind::Text),
        Arg::new("transaction_id", Kind::Text),
        Arg::new("meta_data", Kind::Array),
        Arg::new("line_items", Kind::Array),
        Arg::new("shipping_lines", Kind::Array),
        Arg::new("fee_lines", Kind::Array),
        Arg::new("coupon_lines", Kind::Array),
        Arg::new("set_paid", Kind::Boolean),
    ]
}

fn refund_args() -> Vec<Arg> {
    vec![
        Arg::new("amount", Kind::Text),
        Arg::new("reason", Kind::Text),
        Arg::new("api_refund", Kind::Boolean).default(json!(true)),
        Arg::new("api_restock", Kind::Boolean).default(json!(true)),
    ]
}

fn note_filter() -> Vec<Arg> {
    let mut args = view();
    args.push(Arg::new("type", words(&["any", "customer", "internal"])).default(json!("any")));
    args
}

fn note_args() -> Vec<Arg> {
    vec![
        Arg::new("note", Kind::Text).required(),
        Arg::new("customer_note", Kind::Boolean).default(json!(false)),
        Arg::new("added_by_user", Kind::Boolean).default(json!(false)),
    ]
}
