//! Lists of orders: filters, order and pages, with the oddities of each version.

use std::sync::Arc;

use serde_json::Value;

use super::errors::critical;
use super::orders::seen;
use super::{Answer, Call, Entry, Response, vendor};
use crate::sim::forms::only_fields;
use crate::sim::rest::{Page, date_time};
use crate::sim::world::{ALL, Bounds, By, Query, mix};

/// `GET /orders`.
pub(super) fn orders(call: &mut Call<'_, '_>) -> Answer {
    let (matching, start) = matching(call);
    let matching = matching.get(start..).unwrap_or_default();
    let ids = page(call).of(matching);
    if ids.iter().any(|id| call.state.unrenderable.contains(id)) {
        return Err(critical());
    }
    let style = call.style();
    let entries = ids.iter().filter_map(|id| call.state.orders.get(id));
    let rows: Vec<Value> = entries.map(|entry| seen(&style, call, entry)).collect();
    let statuses = call.list("status");
    let statuses = statuses.iter().filter_map(Value::as_str).enumerate();
    let mut added: Vec<_> = statuses.map(|(at, status)| (format!("status[{at}]"), status.to_owned())).collect();
    if !rows.is_empty() {
        added.push(("dp".to_owned(), style.dp.to_string()));
        added.push(("context".to_owned(), call.text("context").unwrap_or("view").to_owned()));
    }
    Ok(paged(call, "orders", matching.len(), rows, &added))
}

/// The page that the parameters ask for.
pub(super) fn page(call: &Call<'_, '_>) -> Page {
    let size = |name: &str| call.number(name).and_then(|number| usize::try_from(number).ok());
    let page = Page::new(size("page").unwrap_or(1), size("per_page").unwrap_or(10));
    Page { start: call.number("offset").map_or(page.start, |_| size("offset").unwrap_or(0)), ..page }
}

/// The answer with a page's headers. `added` are the defaults that `Link` repeats.
pub(super) fn paged(
    call: &Call<'_, '_>,
    route: &str,
    count: usize,
    rows: Vec<Value>,
    added: &[(String, String)],
) -> Response {
    // HPOS counts nothing when the page itself is empty; posts go on counting everything.
    let total = if rows.is_empty() && call.options.profile.hpos() { 0 } else { count };
    let page = page(call);
    let pages = total.div_ceil(page.size);
    let mut response = Response::json(200, &only_fields(Value::Array(rows), call.text("_fields")));
    response.delay = call.options.page_latency;
    response.set_header("X-WP-Total", total.to_string());
    response.set_header("X-WP-TotalPages", pages.to_string());
    let before = (page.number > 1).then(|| link(call, route, added, (page.number - 1).min(pages), "prev"));
    let behind = (pages > page.number).then(|| link(call, route, added, page.number + 1, "next"));
    let links: Vec<String> = before.into_iter().chain(behind).collect();
    if !links.is_empty() {
        response.set_header("Link", links.join(", "));
    }
    response
}

fn link(call: &Call<'_, '_>, route: &str, added: &[(String, String)], page: usize, rel: &str) -> String {
    let sent = &call.request.query;
    let kept = sent.iter().filter(|(key, _)| key != "status" && !key.starts_with("status["));
    let added = added.iter().filter(|(key, _)| !sent.iter().any(|(other, _)| other == key));
    let mut pairs: Vec<(String, String)> = kept.chain(added).cloned().collect();
    match pairs.iter_mut().find(|(key, _)| key == "page") {
        Some((_, value)) => *value = page.to_string(),
        None => pairs.push(("page".to_owned(), page.to_string())),
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    let root = call.root();
    let separator = if root.contains('?') { '&' } else { '?' };
    format!("<{root}wc/v3/{route}{separator}{query}>; rel=\"{rel}\"")
}

fn loses_ties(call: &Call<'_, '_>) -> bool {
    call.options.profile.loses_ties() && call.text("orderby") == Some("modified")
}

/// The ids that match, in order, and where in them the list begins; kept for the next page as long
/// as the shop does not change. A list by ascending modification is kept whole whatever its
/// `modified_after`, so that a client that moves this bound along pays for finding its place only.
fn matching(call: &mut Call<'_, '_>) -> (Arc<Vec<u64>>, usize) {
    let whole = !loses_ties(call) && call.text("orderby") == Some("modified") && call.text("order") == Some("asc");
    let key = cache_key(call, whole);
    let ids = call.state.kept(&key).unwrap_or_else(|| {
        let ids = Arc::new(find(call, whole));
        call.state.keep(key, ids.clone());
        ids
    });
    let after = bound(call, "modified_after").filter(|_| whole && call.options.profile.filters_modified());
    let start = after.map_or(0, |after| {
        ids.partition_point(|id| call.state.orders.get(id).is_some_and(|order| order.modified <= after))
    });
    (ids, start)
}

/// The parameters that decide what is on the list; the page too, where it changes the order of
/// ties.
fn cache_key(call: &Call<'_, '_>, whole: bool) -> String {
    let keep_page = loses_ties(call);
    let deciding = call.params.iter().filter(|(name, _)| match name.as_str() {
        "page" | "per_page" => keep_page,
        "modified_after" => !whole,
        "_fields" | "dp" | "context" | "offset" => false,
        name => !name.starts_with("oauth_") && !name.starts_with("consumer_"),
    });
    deciding.map(|(name, value)| format!("{name}={value};")).collect()
}

fn find(call: &Call<'_, '_>, whole: bool) -> Vec<u64> {
    let (orderby, ascending) = (call.text("orderby").unwrap_or_default(), call.text("order") == Some("asc"));
    let by = match orderby {
        "modified" => By::Modified,
        "date" => By::Created,
        _ => By::Id,
    };
    let mut query = Query { by, descending: !ascending, created: bounds(call, "after", "before"), ..Query::default() };
    if call.options.profile.filters_modified() {
        query.modified = bounds(call, "modified_after", "modified_before");
    }
    if whole {
        query.modified.0 = ALL.0;
    }
    let include = call.ids("include");
    let takes = takes(call, &include);
    let mut found: Vec<&Entry> = call.state.find(query).filter(|entry| takes(entry)).collect();
    if orderby == "include" {
        found.sort_by_key(|entry| include.iter().position(|id| *id == entry.id));
    }
    if loses_ties(call) {
        // No second sort key: the database answers every page in another order.
        let page = page(call);
        let seed = mix((page.number * 1_000 + page.size) as u64);
        found.sort_by_key(|entry| (entry.modified, mix(entry.id ^ seed)));
        if !ascending {
            found.reverse();
        }
    }
    found.into_iter().map(|entry| entry.id).collect()
}

/// The filters beside the times. `any` leaves out trash and auto-drafts; HPOS does not list
/// auto-drafts at all.
fn takes<'c>(call: &'c Call<'_, '_>, include: &'c [u64]) -> impl Fn(&Entry) -> bool + 'c {
    let (statuses, exclude) = (call.list("status"), call.ids("exclude"));
    let any = statuses.is_empty() || statuses.iter().any(|status| status == "any");
    let customer = call.number("customer").and_then(|id| u64::try_from(id).ok());
    let search = call.text("search").filter(|text| !text.is_empty()).map(str::to_lowercase);
    let hpos = call.options.profile.hpos();
    move |entry: &Entry| {
        let hidden = matches!(&*entry.status, "trash" | "auto-draft");
        let listed = (any && !hidden) || statuses.iter().any(|wished| *wished == *entry.status);
        if !listed || (hpos && entry.status == "auto-draft") || exclude.contains(&entry.id) {
            return false;
        }
        if !include.is_empty() && !include.contains(&entry.id) {
            return false;
        }
        (customer.is_none() && search.is_none()) || {
            let order = entry.order(call.options);
            let names = [&order.billing.email, &order.billing.last_name, &order.billing.first_name];
            let number = vendor::number(call.options, entry.id);
            let mut texts = names.into_iter().chain([&number]);
            customer.is_none_or(|customer| order.customer == customer)
                && search.as_ref().is_none_or(|text| texts.any(|field| field.to_lowercase().contains(text)))
        }
    }
}

/// Strictly between: the bounds themselves are out.
pub(super) fn bounds(call: &Call<'_, '_>, after: &str, before: &str) -> Bounds {
    let after = bound(call, after).map_or(ALL.0, |at| at.saturating_add(1));
    (after, bound(call, before).map_or(ALL.1, |at| at.saturating_sub(1)))
}

/// A date parameter as the UTC second that is compared with.
///
/// A value with a zone is first turned into the site's time. Without `dates_are_gmt` the site's
/// time is compared with the site's column, which is right; with it, the site's time is compared
/// with the GMT column, which is wrong by the offset whenever a zone was written.
fn bound(call: &Call<'_, '_>, name: &str) -> Option<i64> {
    let offset = i64::from(call.options.offset_minutes) * 60;
    let (written, zone) = date_time(call.text(name)?)?;
    let compared = zone.map_or(written, |zone| written - zone + offset);
    Some(if call.truth("dates_are_gmt") { compared } else { compared - offset })
}

/// The ids of a list as JSON, for tests of the paging itself.
#[cfg(test)]
pub(super) fn row_ids(response: &Response) -> Vec<u64> {
    let body = response.body_json();
    body.as_array().map(|rows| rows.iter().filter_map(|row| row["id"].as_u64()).collect()).unwrap_or_default()
}
