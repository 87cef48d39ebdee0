//! The list of orders: filters, sorting, pages. What the API does not understand it ignores in
//! silence.

use serde_json::{Value, json};

use super::options::Options;
use super::render::{self, Expand, STATUSES};
use super::response::{self, error};
use super::{Call, Entry, Request, State, parts, vendor};
use crate::sim::rest::{Answer, Page};
use crate::sim::world::{ALL, Bounds, By, Query};

/// The order and the bounds of a list.
fn query(request: &Request, options: &Options) -> Query {
    let heard = |name: String| request.param(&name);
    let edge = i64::from(options.exclusive_bounds);
    let bounds = |name: &str, read: fn(&str) -> Option<i64>| -> Bounds {
        let low = heard(format!("min_{name}")).and_then(read);
        let high = heard(format!("max_{name}")).and_then(read);
        (low.map_or(ALL.0, |low| low.saturating_add(edge)), high.map_or(ALL.1, |high| high.saturating_sub(edge)))
    };
    let sort = heard("sort".to_owned()).unwrap_or("id:asc");
    let (key, direction) = sort.split_once(':').unwrap_or((sort, "asc"));
    let by = match key {
        "date_modified" => By::Modified,
        "date_created" => By::Created,
        _ => By::Id,
    };
    Query {
        by,
        descending: direction == "desc",
        created: bounds("date_created", time),
        modified: bounds("date_modified", time),
        id: bounds("id", |text| text.trim().parse().ok()),
        behind: None,
    }
}

/// RFC 2822 or ISO 8601.
fn time(text: &str) -> Option<i64> {
    let zoned = chrono::DateTime::parse_from_rfc2822(text).or_else(|_| chrono::DateTime::parse_from_rfc3339(text));
    zoned.ok().map(|at| at.timestamp())
}

/// The orders that a request asks for, by the rest of its filters.
fn matching<'s>(
    request: &'s Request,
    options: &'s Options,
    state: &'s State,
    query: Query,
) -> impl Iterator<Item = &'s Entry> {
    let heard = |name: &str| request.param(name);
    let archived = options.lists_archived && heard("is_deleted") == Some("true");
    let status: Option<u8> = heard("status_id").and_then(|text| text.parse().ok());
    let by_content = ["email", "customer_id", "payment_method", "external_order_id"].map(|name| (name, heard(name)));
    state.find(query).filter(move |entry| {
        entry.away.is_some() == archived
            && status.is_none_or(|status| vendor::status(entry) == status)
            // The content is made only where it is asked for.
            && (by_content.iter().all(|(_, wanted)| wanted.is_none()) || {
                let order = entry.order(options);
                by_content.iter().filter_map(|(name, wanted)| Some((*name, (*wanted)?))).all(|(name, wanted)| match name {
                    "email" => wanted == order.billing.email,
                    "customer_id" => wanted == order.customer.to_string(),
                    "payment_method" => wanted == order.payment,
                    _ => wanted == order.reference,
                })
            })
    })
}

/// The page that is asked for; one that is too large is refused.
fn paging(call: &Call<'_, '_>) -> Result<Page, super::Response> {
    let number = |name: &str, default: usize| {
        call.request.param(name).and_then(|text| text.parse().ok()).filter(|number| *number > 0).unwrap_or(default)
    };
    let (page, limit) = (number("page", 1), number("limit", 50));
    if limit > call.options.largest_limit {
        let text = "The requested page of results was too large. Please request a smaller set.";
        return Err(error(call.request, 413, text));
    }
    Ok(Page::new(page, limit))
}

/// One page of a list that is there as a whole.
pub(super) fn cut(call: &Call<'_, '_>, rows: &[Value]) -> Answer {
    let page = paging(call)?;
    Ok(response::list(if call.options.pages_of_parts { page.of(rows) } else { rows }))
}

/// An order as a request sees it: what of `include` is served, without the structure in its
/// discouraged form.
fn shown(call: &Call<'_, '_>, entry: &Entry) -> Value {
    let wanted = call.request.param("include").filter(|_| call.options.include).unwrap_or_default();
    let has = |name: &str| wanted.split(',').any(|part| part == name);
    let expand = Expand { consignments: has("consignments"), lines: has("consignments.line_items"), fees: has("fees") };
    let mut row = render::order(call.options, entry, &entry.order(call.options), expand);
    let legacy = call.request.param("consignment_structure") != Some("object");
    if legacy && (expand.consignments || expand.lines) {
        row["consignments"] = json!([row["consignments"]]);
    }
    if call.state.spoilt.contains(&entry.id) {
        row["date_modified"] = json!("yesterday");
        row["total_inc_tax"] = json!({ "amount": "12.00" });
    }
    row
}

/// `GET /v2/orders/{id}`.
pub(super) fn one(call: &mut Call<'_, '_>) -> Answer {
    let row = call.state.orders.get(&call.id(0)).map(|entry| shown(call, entry));
    Ok(response::json(200, &row.unwrap_or_default()))
}

/// `GET /v2/orders`.
pub(super) fn orders(call: &mut Call<'_, '_>) -> Answer {
    let page = paging(call)?;
    let page = Page::new(page.number, page.size.min(call.options.most_rows));
    let (request, options, query) = (call.request, call.options, query(call.request, call.options));
    let mut found: Vec<&Entry> = Vec::new();
    if request.param("sort").is_some_and(|sort| sort.starts_with("status_id")) {
        found.extend(matching(request, options, call.state, Query { descending: false, ..query }));
        found.sort_by_key(|entry| vendor::status(entry));
        if query.descending {
            found.reverse();
        }
        found = page.of(&found).to_vec();
    } else {
        found.extend(matching(request, options, call.state, query).skip(page.start).take(page.size));
    }
    let mut response = match found.iter().any(|entry| call.state.unrenderable.contains(&entry.id)) {
        true => response::failed(request),
        false => response::list(&found.into_iter().map(|entry| shown(call, entry)).collect::<Vec<_>>()),
    };
    response.delay = options.page_latency;
    Ok(response)
}

/// `GET /v2/orders/count`, with the list's filters.
pub(super) fn count(call: &mut Call<'_, '_>) -> Answer {
    let mut counts = [0_u64; STATUSES.len()];
    for entry in matching(call.request, call.options, call.state, query(call.request, call.options)) {
        counts.get_mut(usize::from(vendor::status(entry))).into_iter().for_each(|count| *count += 1);
    }
    let status = |(id, (name, place)): (usize, &(&str, u8))| {
        json!({
            "id": id, "name": name, "system_label": name, "custom_label": name, "sort_order": place,
            "system_description": format!("{name}."), "count": counts.get(id),
        })
    };
    let statuses: Value = STATUSES.iter().enumerate().map(status).collect();
    Ok(response::json(200, &json!({ "statuses": statuses, "count": counts.iter().sum::<u64>() })))
}

/// `GET /v3/orders/payment_actions/refunds`, or of one order.
pub(super) fn refunds(call: &mut Call<'_, '_>) -> Answer {
    let list = |name: &str| -> Option<Vec<u64>> {
        Some(call.request.param(name)?.split(',').filter_map(|id| id.trim().parse().ok()).collect())
    };
    let several = || list("order_id:in").filter(|_| call.options.refunds_of_several);
    let orders = call.path.first().map(|_| vec![call.id(0)]).or_else(several);
    let (ids, bound) = (list("id:in"), |name: &str| call.request.param(name).and_then(time));
    let (from, to) = (bound("created:min").unwrap_or(ALL.0), bound("created:max").unwrap_or(ALL.1));
    let mut found: Vec<(u64, Value)> = Vec::new();
    let wanted = call.state.orders.keys().filter(|id| orders.as_ref().is_none_or(|orders| orders.contains(id)));
    for order in wanted.filter_map(|id| call.order(*id)) {
        let kept = order.refunds.iter().filter(|refund| {
            ids.as_ref().is_none_or(|ids| ids.contains(&refund.id)) && (from..=to).contains(&refund.at)
        });
        found.extend(kept.map(|refund| (refund.id, parts::refund(order.id, refund))));
    }
    found.sort_by_key(|(id, _)| *id);
    let page = paging(call)?;
    let rows: Vec<Value> = found.into_iter().map(|(_, refund)| refund).collect();
    Ok(response::page_v3(&rows, Page::new(page.number, page.size.min(250))))
}
