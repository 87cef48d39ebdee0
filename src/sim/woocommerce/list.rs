//! Lists: filters, order and pages, with the oddities of each version.

use std::sync::Arc;

use serde_json::Value;

use super::Entry;
use super::args::{date_time, integer, list};
use super::render;
use super::request::{Call, critical};
use super::vendor::LastList;
use crate::sim::http::Response;
use crate::sim::world::mix;

/// A page of a list and the numbers for its headers.
pub(super) struct Page {
    pub(super) ids: Vec<u64>,
    total: usize,
    pages: usize,
    page: usize,
}

/// `GET /orders`.
pub(super) fn orders(call: &mut Call<'_>) -> Response {
    let (matching, start) = matching(call);
    let page = page_of(call, matching.get(start..).unwrap_or_default());
    if page.ids.iter().any(|id| call.state.unrenderable.contains(id)) {
        return critical();
    }
    let style = call.style();
    let rows: Vec<Value> =
        page.ids.iter().filter_map(|id| call.state.orders.get(id)).map(|order| render::order(style, order)).collect();
    let mut added = vec![];
    let statuses = call.params.get("status").map(list).unwrap_or_default();
    for (at, status) in statuses.iter().filter_map(Value::as_str).enumerate() {
        added.push((format!("status[{at}]"), status.to_owned()));
    }
    if !rows.is_empty() {
        added.push(("dp".to_owned(), style.dp.to_string()));
        added.push(("context".to_owned(), call.text("context").unwrap_or("view").to_owned()));
    }
    paged(call, "orders", &page, rows, added)
}

/// The answer with a page's headers. `added` are the defaults that `Link` repeats.
pub(super) fn paged(
    call: &Call<'_>,
    route: &str,
    page: &Page,
    rows: Vec<Value>,
    added: Vec<(String, String)>,
) -> Response {
    let fields = call.text("_fields");
    let mut response = Response::json(200, &render::only_fields(Value::Array(rows), fields));
    response.delay = call.options.page_latency;
    response.set_header("X-WP-Total", page.total.to_string());
    response.set_header("X-WP-TotalPages", page.pages.to_string());
    let mut links = Vec::new();
    if page.page > 1 {
        links.push(link(call, route, &added, (page.page - 1).min(page.pages), "prev"));
    }
    if page.pages > page.page {
        links.push(link(call, route, &added, page.page + 1, "next"));
    }
    if !links.is_empty() {
        response.set_header("Link", links.join(", "));
    }
    response
}

fn link(call: &Call<'_>, route: &str, added: &[(String, String)], page: usize, rel: &str) -> String {
    let mut pairs: Vec<(String, String)> =
        call.query.iter().filter(|(key, _)| key != "status" && !key.starts_with("status[")).cloned().collect();
    for pair in added.iter().filter(|(key, _)| !call.query.iter().any(|(sent, _)| sent == key)) {
        pairs.push(pair.clone());
    }
    match pairs.iter_mut().find(|(key, _)| key == "page") {
        Some((_, value)) => *value = page.to_string(),
        None => pairs.push(("page".to_owned(), page.to_string())),
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    let separator = if call.root.contains('?') { '&' } else { '?' };
    format!("<{}wc/v3/{route}{separator}{query}>; rel=\"{rel}\"", call.root)
}

/// The page that the parameters ask for.
pub(super) fn page_of(call: &Call<'_>, ids: &[u64]) -> Page {
    let size = |name: &str, otherwise: usize| {
        call.number(name).and_then(|number| usize::try_from(number).ok()).unwrap_or(otherwise)
    };
    let (per_page, page) = (size("per_page", 10).max(1), size("page", 1).max(1));
    let start = match call.number("offset") {
        Some(_) => size("offset", 0),
        None => (page - 1).saturating_mul(per_page),
    };
    let rows: Vec<u64> = ids.iter().skip(start).take(per_page).copied().collect();
    // HPOS counts nothing when the page itself is empty; posts go on counting everything.
    let total = if rows.is_empty() && call.options.profile.hpos() { 0 } else { ids.len() };
    Page { ids: rows, total, pages: total.div_ceil(per_page), page }
}

/// The ids that match, in order, and where in them the list begins; kept for the next page as long
/// as the shop does not change. A list by ascending modification is kept whole whatever its
/// `modified_after`, so that a client that moves this bound along pays for finding its place only.
fn matching(call: &mut Call<'_>) -> (Arc<Vec<u64>>, usize) {
    let whole = !loses_ties(call) && call.text("orderby") == Some("modified") && call.text("order") == Some("asc");
    let ids = kept(call, whole);
    let after = bound(call, "modified_after").filter(|_| whole && call.options.profile.filters_modified());
    let start = after.map_or(0, |after| {
        ids.partition_point(|id| call.state.orders.get(id).is_some_and(|order| order.modified <= after))
    });
    (ids, start)
}

fn kept(call: &mut Call<'_>, whole: bool) -> Arc<Vec<u64>> {
    let query = cache_key(call, whole);
    let generation = call.state.generation;
    let last = call.state.own.last_list.as_ref();
    if let Some(last) = last.filter(|last| last.generation == generation && last.query == query) {
        return last.ids.clone();
    }
    let ids = Arc::new(find(call, whole));
    call.state.own.last_list = Some(LastList { generation, query, ids: ids.clone() });
    ids
}

fn loses_ties(call: &Call<'_>) -> bool {
    call.options.profile.loses_ties() && call.text("orderby") == Some("modified")
}

/// The parameters that decide what is on the list; the page too, where it changes the order of
/// ties.
fn cache_key(call: &Call<'_>, whole: bool) -> String {
    let keep_page = loses_ties(call);
    let deciding = call.params.iter().filter(|(name, _)| match name.as_str() {
        "page" | "per_page" => keep_page,
        "modified_after" => !whole,
        "_fields" | "dp" | "context" | "offset" => false,
        name => !name.starts_with("oauth_") && !name.starts_with("consumer_"),
    });
    deciding.map(|(name, value)| format!("{name}={value};")).collect()
}

fn find(call: &Call<'_>, whole: bool) -> Vec<u64> {
    let mut filter = Filter::new(call);
    if whole {
        filter.modified.0 = None;
    }
    let modified_after = filter.modified.0;
    let mut found: Vec<&Entry> = match modified_after {
        Some(after) => call
            .state
            .by_time
            .range((after + 1, 0)..)
            .filter_map(|(_, id)| call.state.orders.get(id))
            .filter(|order| filter.takes(call, order))
            .collect(),
        None => call.state.orders.values().filter(|order| filter.takes(call, order)).collect(),
    };
    sort(call, &mut found, &filter.include);
    found.into_iter().map(|order| order.id).collect()
}

fn sort(call: &Call<'_>, found: &mut [&Entry], include: &[u64]) {
    match call.text("orderby") {
        Some("modified") if loses_ties(call) => {
            // No second sort key: the database answers every page in another order.
            let page = call.number("page").unwrap_or(1).unsigned_abs() * 1_000
                + call.number("per_page").unwrap_or(10).unsigned_abs();
            found.sort_by_key(|order| (order.modified, mix(order.id ^ mix(page))));
        }
        Some("modified") => found.sort_by_key(|order| (order.modified, order.id)),
        Some("date") => found.sort_by_key(|order| (order.created, order.id)),
        Some("include") => {
            found.sort_by_key(|order| include.iter().position(|id| *id == order.id));
            return;
        }
        _ => found.sort_by_key(|order| order.id),
    }
    if call.text("order") != Some("asc") {
        found.reverse();
    }
}

type Bounds = (Option<i64>, Option<i64>);

struct Filter {
    statuses: Vec<String>,
    any: bool,
    include: Vec<u64>,
    exclude: Vec<u64>,
    created: Bounds,
    modified: Bounds,
    customer: Option<u64>,
    search: Option<String>,
}

impl Filter {
    fn new(call: &Call<'_>) -> Self {
        let statuses: Vec<String> =
            values(call, "status").iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let bounds = |after: &str, before: &str| (bound(call, after), bound(call, before));
        Self {
            any: statuses.is_empty() || statuses.iter().any(|status| status == "any"),
            statuses,
            include: ids(call, "include"),
            exclude: ids(call, "exclude"),
            created: bounds("after", "before"),
            modified: match call.options.profile.filters_modified() {
                true => bounds("modified_after", "modified_before"),
                false => (None, None),
            },
            customer: call.number("customer").and_then(|id| u64::try_from(id).ok()),
            search: call.text("search").filter(|text| !text.is_empty()).map(str::to_lowercase),
        }
    }

    fn takes(&self, call: &Call<'_>, order: &Entry) -> bool {
        self.takes_status(call, &order.status)
            && within(order.created, self.created)
            && within(order.modified, self.modified)
            && (self.include.is_empty() || self.include.contains(&order.id))
            && !self.exclude.contains(&order.id)
            && self.takes_details(call, order)
    }

    /// `any` leaves out trash and auto-drafts; HPOS does not list auto-drafts at all.
    fn takes_status(&self, call: &Call<'_>, status: &str) -> bool {
        if status == "auto-draft" && call.options.profile.hpos() {
            return false;
        }
        let hidden = matches!(status, "trash" | "auto-draft");
        (self.any && !hidden) || self.statuses.iter().any(|wished| wished == status)
    }

    fn takes_details(&self, call: &Call<'_>, order: &Entry) -> bool {
        if self.customer.is_none() && self.search.is_none() {
            return true;
        }
        let details = order.order(call.options);
        let found = |text: &str| {
            let texts =
                [&details.own.number, &details.billing.email, &details.billing.last_name, &details.billing.first_name];
            texts.iter().any(|field| field.to_lowercase().contains(text))
        };
        self.customer.is_none_or(|customer| details.customer == customer) && self.search.as_deref().is_none_or(found)
    }
}

fn values(call: &Call<'_>, name: &str) -> Vec<Value> {
    call.params.get(name).map(list).unwrap_or_default()
}

fn ids(call: &Call<'_>, name: &str) -> Vec<u64> {
    values(call, name).iter().filter_map(integer).filter_map(|id| u64::try_from(id).ok()).collect()
}

/// Strictly between: the bounds themselves are out.
fn within(at: i64, (after, before): Bounds) -> bool {
    after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
}

/// A date parameter as the UTC second that is compared with.
///
/// A value with a zone is first turned into the site's time. Without `dates_are_gmt` the site's
/// time is compared with the site's column, which is right; with it, the site's time is compared
/// with the GMT column, which is wrong by the offset whenever a zone was written.
fn bound(call: &Call<'_>, name: &str) -> Option<i64> {
    let offset = i64::from(call.options.offset_minutes) * 60;
    let (written, zone) = date_time(call.text(name)?)?;
    let compared = zone.map_or(written, |zone| written - zone + offset);
    Some(if call.truth("dates_are_gmt") { compared } else { compared - offset })
}

/// `GET /refunds` and `GET /orders/{id}/refunds`.
pub(super) fn refunds(call: &mut Call<'_>, owner: Option<u64>) -> Response {
    let after = bound(call, "after");
    let before = bound(call, "before");
    let parents = ids(call, "parent");
    let mut found: Vec<(i64, u64, u64)> = Vec::new();
    for (refund, order) in &call.state.own.refund_owners {
        let created = call.order(*order).and_then(|order| order.refunds.iter().find(|r| r.id == *refund).map(|r| r.at));
        let Some(created) = created.filter(|at| within(*at, (after, before))) else { continue };
        if owner.is_none_or(|owner| owner == *order) && (parents.is_empty() || parents.contains(order)) {
            found.push((created, *refund, *order));
        }
    }
    found.sort_unstable();
    if call.text("order") != Some("asc") {
        found.reverse();
    }
    let ids: Vec<u64> = found.iter().map(|(_, refund, _)| *refund).collect();
    let page = page_of(call, &ids);
    let rows = page.ids.iter().filter_map(|id| refund_json(call, *id, owner.is_none())).collect();
    let route = owner.map_or_else(|| "refunds".to_owned(), |owner| format!("orders/{owner}/refunds"));
    let dp = call.style().dp.to_string();
    paged(call, &route, &page, rows, vec![("dp".to_owned(), dp)])
}

/// One refund.
pub(super) fn refund_json(call: &Call<'_>, id: u64, name_parent: bool) -> Option<Value> {
    let owner = *call.state.own.refund_owners.get(&id)?;
    let order = call.order(owner)?;
    let refund = order.refunds.iter().find(|refund| refund.id == id)?;
    Some(render::refund(call.style(), &order, refund, name_parent))
}

/// The ids of a list as JSON, for tests of the paging itself.
#[cfg(test)]
pub(super) fn row_ids(response: &Response) -> Vec<u64> {
    let body = response.body_json();
    body.as_array().map(|rows| rows.iter().filter_map(|row| row["id"].as_u64()).collect()).unwrap_or_default()
}
