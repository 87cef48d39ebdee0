//! Lists of orders: filters, sorting, pages. Parameters that are not known are ignored in silence, as BigCommerce does.

use serde_json::{Value, json};

use super::options::Options;
use super::render::{self, Expand, STATUSES};
use super::state::{Order, State};
use super::{errors, hands};
use crate::sim::http::{Request, Response};

/// The default length of a page.
const PAGE: usize = 50;

/// What of `include` is asked for; nothing where the store does not serve it, or without `consignment_structure`.
pub(super) fn expand(options: &Options, request: &Request) -> Expand {
    let wanted = request.param("include").unwrap_or_default();
    let has = |word: &str| options.include && wanted.split(',').any(|part| part == word);
    let structured = request.param("consignment_structure") == Some("object");
    Expand {
        consignments: structured && has("consignments"),
        lines: structured && has("consignments.line_items"),
        fees: has("fees"),
    }
}

/// `GET /v2/orders`.
pub(super) fn orders(options: &Options, state: &State, request: &Request) -> Response {
    let limit = number(request, "limit").map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(PAGE));
    let page = usize::try_from(number(request, "page").unwrap_or(1)).unwrap_or(1).max(1);
    if limit > 250 {
        return errors::v2(413, "The limit is too large.");
    }
    let limit = limit.clamp(1, options.most_rows);
    let expand = expand(options, request);
    let rows: Vec<Value> = sorted(options, state, request)
        .skip((page - 1) * limit)
        .take(limit)
        .filter_map(|order| Some(render::order(options, order, &state.details(options, order.id)?, expand)))
        .collect();
    if rows.is_empty() { errors::nothing() } else { Response::json(200, &Value::Array(rows)) }
}

/// `GET /v2/orders/count`.
pub(super) fn count(options: &Options, state: &State, request: &Request) -> Response {
    let mut counts = [0u64; STATUSES.len()];
    for order in sorted(options, state, request) {
        if let Some(count) = counts.get_mut(usize::from(order.status)) {
            *count += 1;
        }
    }
    let statuses: Vec<Value> = (0u8..)
        .zip(&STATUSES)
        .zip(&counts)
        .map(|((id, (name, place)), count)| {
            let mut shown = status(id, name);
            shown["count"] = json!(count);
            shown["sort_order"] = json!(place);
            shown
        })
        .collect();
    Response::json(200, &json!({ "statuses": statuses, "count": counts.iter().sum::<u64>() }))
}

/// One status, as both lists of them show it.
pub(super) fn status(id: u8, name: &str) -> Value {
    json!({ "id": id, "name": name, "system_label": name, "custom_label": hands::label(id), "system_description": format!("{name}.") })
}

type Rows<'s> = Box<dyn Iterator<Item = &'s Order> + 's>;

/// The orders that the filters leave, in the order asked for.
fn sorted<'s>(options: &Options, state: &'s State, request: &Request) -> Rows<'s> {
    let filter = Filter::of(options, request);
    let (field, down) = match request.param("sort").unwrap_or("id:asc").split_once(':') {
        Some((field, direction)) => (field, direction == "desc"),
        None => (request.param("sort").unwrap_or("id"), false),
    };
    let by_time = field == "date_modified" && !options.ignores_filters;
    let all: Rows<'s> = match (by_time, down && !options.ignores_filters) {
        (true, false) => {
            let from = filter.modified.0.unwrap_or(i64::MIN);
            Box::new(state.by_time.range((from, 0)..).filter_map(|(_, id)| state.orders.get(id)))
        }
        (true, true) => Box::new(state.by_time.iter().rev().filter_map(|(_, id)| state.orders.get(id))),
        (false, true) => Box::new(state.orders.values().rev()),
        (false, false) => Box::new(state.orders.range(filter.id.0.unwrap_or(0)..).map(|(_, order)| order)),
    };
    Box::new(all.filter(move |order| filter.leaves(order)))
}

/// Bounds, both ends included; exclusive ones have been narrowed.
#[derive(Default)]
struct Filter {
    id: (Option<u64>, Option<u64>),
    modified: (Option<i64>, Option<i64>),
    created: (Option<i64>, Option<i64>),
    status: Option<u64>,
    archived: bool,
}

impl Filter {
    fn of(options: &Options, request: &Request) -> Self {
        let archived = options.lists_archived && request.param("is_deleted") == Some("true");
        if options.ignores_filters {
            return Self { archived, ..Self::default() };
        }
        let edge = u8::from(options.exclusive_bounds);
        let time = |name: &str| request.param(name).and_then(hands::seconds);
        let times = |min: &str, max: &str| (time(min).map(|t| t + i64::from(edge)), time(max).map(|t| t - i64::from(edge)));
        Self {
            id: (
                number(request, "min_id").map(|id| id + u64::from(edge)),
                number(request, "max_id").map(|id| id.saturating_sub(u64::from(edge))),
            ),
            modified: times("min_date_modified", "max_date_modified"),
            created: times("min_date_created", "max_date_created"),
            status: number(request, "status_id"),
            archived,
        }
    }

    fn leaves(&self, order: &Order) -> bool {
        order.archived == self.archived
            && within(order.id, self.id)
            && within(order.modified, self.modified)
            && within(order.created, self.created)
            && self.status.is_none_or(|status| status == u64::from(order.status))
    }
}

fn within<T: PartialOrd>(value: T, (min, max): (Option<T>, Option<T>)) -> bool {
    min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
}

fn number(request: &Request, name: &str) -> Option<u64> {
    request.param(name)?.parse().ok()
}

/// A page of a sub-resource: 50 rows by default.
pub(super) fn page(request: &Request, rows: Vec<Value>) -> Response {
    let limit = number(request, "limit").map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(PAGE)).clamp(1, 250);
    let page = usize::try_from(number(request, "page").unwrap_or(1)).unwrap_or(1).max(1);
    let rows: Vec<Value> = rows.into_iter().skip((page - 1) * limit).take(limit).collect();
    if rows.is_empty() { errors::nothing() } else { Response::json(200, &Value::Array(rows)) }
}

/// `GET /v3/orders/payment_actions/refunds`, or of one order.
pub(super) fn refunds(options: &Options, state: &State, request: &Request, order: Option<u64>) -> Response {
    let wanted: Option<Vec<u64>> = match order {
        Some(id) => Some(vec![id]),
        None => request.param("order_id:in").map(|ids| ids.split(',').filter_map(|id| id.parse().ok()).collect()),
    };
    let ids: Vec<u64> = wanted.unwrap_or_else(|| state.orders.keys().copied().collect());
    let mut rows: Vec<Value> = Vec::new();
    for id in ids {
        let refunds = state.details(options, id).map(|details| details.refunds).unwrap_or_default();
        rows.extend(refunds.iter().map(|refund| render::refund(id, refund)));
    }
    rows.sort_by_key(|row| row["id"].as_u64());
    let limit = number(request, "limit").map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(PAGE)).clamp(1, 250);
    let page = usize::try_from(number(request, "page").unwrap_or(1)).unwrap_or(1).max(1);
    let rows: Vec<Value> = rows.into_iter().skip((page - 1) * limit).take(limit).collect();
    Response::json(200, &json!({ "data": rows, "meta": {} }))
}
