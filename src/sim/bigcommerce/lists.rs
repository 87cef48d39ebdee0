//! The list of orders: filters, sorting, pages. What the API does not understand it ignores in
//! silence.

use serde_json::{Value, json};

use super::options::Options;
use super::render::{self, Expand, STATUSES};
use super::response;
use super::subresources;
use super::{Entry, State, vendor};
use crate::sim::http::{Request, Response};

/// The filters of a request.
struct Filter<'a> {
    request: &'a Request,
    /// 1 where bounds exclude what lies on them.
    edge: i64,
    archived: bool,
    created: (Option<i64>, Option<i64>),
    modified: (Option<i64>, Option<i64>),
    id: (Option<i64>, Option<i64>),
    status: Option<u8>,
}

impl<'a> Filter<'a> {
    fn of(request: &'a Request, options: &Options) -> Self {
        let heard = |name: &str| request.param(name).filter(|_| !options.ignores_filters);
        let time = |name: &str| heard(name).and_then(time);
        let number = |name: &str| heard(name).and_then(|text| text.trim().parse::<i64>().ok());
        Self {
            request,
            edge: i64::from(options.exclusive_bounds),
            archived: options.lists_archived && heard("is_deleted") == Some("true"),
            created: (time("min_date_created"), time("max_date_created")),
            modified: (time("min_date_modified"), time("max_date_modified")),
            id: (number("min_id"), number("max_id")),
            status: heard("status_id").and_then(|text| text.parse().ok()),
        }
    }

    fn within(&self, value: i64, (low, high): (Option<i64>, Option<i64>)) -> bool {
        low.is_none_or(|low| value >= low + self.edge) && high.is_none_or(|high| value <= high - self.edge)
    }

    fn takes(&self, options: &Options, entry: &Entry) -> bool {
        entry.away.is_some() == self.archived
            && self.within(entry.modified, self.modified)
            && self.within(entry.created, self.created)
            && self.within(i64::try_from(entry.id).unwrap_or(i64::MAX), self.id)
            && self.status.is_none_or(|status| vendor::status(entry) == status)
            && (options.ignores_filters || self.fits(options, entry))
    }

    /// The filters on the order's content, which is made only where one of them is asked for.
    fn fits(&self, options: &Options, entry: &Entry) -> bool {
        let wanted = ["email", "customer_id", "payment_method", "external_order_id"];
        if !wanted.iter().any(|name| self.request.param(name).is_some()) {
            return true;
        }
        let order = entry.order(options);
        let is = |name: &str, value: &str| self.request.param(name).is_none_or(|wanted| wanted == value);
        is("email", &order.billing.email)
            && is("customer_id", &order.customer.to_string())
            && is("payment_method", &order.payment)
            && is("external_order_id", &order.reference)
    }
}

/// RFC 2822 or ISO 8601.
fn time(text: &str) -> Option<i64> {
    let zoned = chrono::DateTime::parse_from_rfc2822(text).or_else(|_| chrono::DateTime::parse_from_rfc3339(text));
    zoned.ok().map(|at| at.timestamp())
}

fn number(request: &Request, name: &str, default: usize) -> usize {
    request.param(name).and_then(|text| text.parse().ok()).filter(|number| *number > 0).unwrap_or(default)
}

/// Page and rows of a page.
pub(super) fn paging(request: &Request) -> (usize, usize) {
    (number(request, "page", 1), number(request, "limit", 50))
}

/// One page of a list that is there as a whole.
pub(super) fn cut(request: &Request, options: &Options, rows: Vec<Value>) -> Response {
    let (page, limit) = paging(request);
    if limit > options.largest_limit {
        return too_large(request);
    }
    if !options.pages_of_parts {
        return response::list(rows);
    }
    response::list(rows.into_iter().skip((page - 1).saturating_mul(limit)).take(limit.min(250)).collect())
}

fn too_large(request: &Request) -> Response {
    response::error(request, 413, "The requested page of results was too large. Please request a smaller set.")
}

/// What of `include` is served. Without the structure consignments come in their discouraged form.
pub(super) fn expand(request: &Request, options: &Options) -> Expand {
    let wanted = request.param("include").filter(|_| options.include).unwrap_or_default();
    let has = |name: &str| wanted.split(',').any(|part| part == name);
    Expand { consignments: has("consignments"), lines: has("consignments.line_items"), fees: has("fees") }
}

/// An order as a request sees it.
pub(super) fn shown(request: &Request, options: &Options, state: &State, entry: &Entry) -> Value {
    let order = entry.order(options);
    let expand = expand(request, options);
    let mut row = render::order(options, entry, &order, expand);
    let legacy = request.param("consignment_structure") != Some("object");
    if legacy && (expand.consignments || expand.lines) {
        row["consignments"] = json!([row["consignments"]]);
    }
    if state.spoilt.contains(&entry.id) {
        row["date_modified"] = json!("yesterday");
        row["total_inc_tax"] = json!({ "amount": "12.00" });
    }
    row
}

/// `GET /v2/orders`.
pub(super) fn orders(request: &Request, options: &Options, state: &State) -> Response {
    let (page, limit) = paging(request);
    if limit > options.largest_limit {
        return too_large(request);
    }
    let filter = Filter::of(request, options);
    let limit = limit.min(options.most_rows.max(1));
    let skip = (page - 1).saturating_mul(limit);
    let matching = ordered(request, options, state).into_iter().filter(|entry| filter.takes(options, entry));
    let page: Vec<&Entry> = matching.skip(skip).take(limit).collect();
    let mut response = match page.iter().any(|entry| state.unrenderable.contains(&entry.id)) {
        true => response::failed(request),
        false => response::list(page.into_iter().map(|entry| shown(request, options, state, entry)).collect()),
    };
    response.delay = options.page_latency;
    response
}

/// All orders in the order asked for; by id where it is not understood.
fn ordered<'s>(request: &Request, options: &Options, state: &'s State) -> Vec<&'s Entry> {
    let sort = request.param("sort").filter(|_| !options.ignores_filters).unwrap_or("id:asc");
    let (key, direction) = sort.split_once(':').unwrap_or((sort, "asc"));
    let mut orders: Vec<&Entry> = match key {
        "date_modified" => state.by_time.iter().filter_map(|(_, id)| state.orders.get(id)).collect(),
        _ => state.orders.values().collect(),
    };
    match key {
        "date_created" => orders.sort_by_key(|entry| entry.created),
        "status_id" => orders.sort_by_key(|entry| vendor::status(entry)),
        _ => {}
    }
    if direction == "desc" {
        orders.reverse();
    }
    orders
}

/// `GET /v2/orders/count`, with the list's filters.
pub(super) fn count(request: &Request, options: &Options, state: &State) -> Response {
    let filter = Filter::of(request, options);
    let mut counts = [0_u64; STATUSES.len()];
    for entry in state.orders.values().filter(|entry| filter.takes(options, entry)) {
        if let Some(count) = counts.get_mut(usize::from(vendor::status(entry))) {
            *count += 1;
        }
    }
    let statuses: Vec<Value> = STATUSES
        .iter()
        .zip(counts)
        .enumerate()
        .map(|(id, ((name, place), count))| {
            json!({
                "id": id, "name": name, "system_label": name, "custom_label": name,
                "system_description": format!("{name}."), "count": count, "sort_order": place,
            })
        })
        .collect();
    response::json(200, &json!({ "statuses": statuses, "count": counts.iter().sum::<u64>() }))
}

/// `GET /v3/orders/payment_actions/refunds`, or of one order.
pub(super) fn refunds(request: &Request, options: &Options, state: &State, of: Option<u64>) -> Response {
    let list = |name: &str| -> Option<Vec<u64>> {
        Some(request.param(name)?.split(',').filter_map(|id| id.trim().parse().ok()).collect())
    };
    let several = || list("order_id:in").filter(|_| options.refunds_of_several);
    let (orders, ids) = (of.map(|id| vec![id]).or_else(several), list("id:in"));
    let (from, to) = (request.param("created:min").and_then(time), request.param("created:max").and_then(time));
    let wanted = state.orders.keys().filter(|id| orders.as_ref().is_none_or(|orders| orders.contains(id)));
    let mut found: Vec<(u64, Value)> = Vec::new();
    for id in wanted {
        let Some(order) = state.order(options, *id) else { continue };
        let kept = order.refunds.iter().filter(|refund| ids.as_ref().is_none_or(|ids| ids.contains(&refund.id)));
        let kept = kept
            .filter(|r| from.is_none_or(|from| r.at >= from) && to.is_none_or(|to| r.at <= to))
            .map(|refund| (refund.id, subresources::refund(*id, refund)));
        found.extend(kept);
    }
    found.sort_by_key(|(id, _)| *id);
    let (page, limit) = paging(request);
    if limit > options.largest_limit {
        return too_large(request);
    }
    response::page_v3(&found.into_iter().map(|(_, refund)| refund).collect::<Vec<_>>(), page, limit.min(250))
}
