//! `getOrders` and `getOrder`: the grammar of filters, pages by offset.

use chrono::Months;
use serde_json::{Value, json};

use super::access::{error, moment};
use super::options::{Links, Sorted};
use super::render::{self, Shown};
use super::{Call, Context, Ebay, Entry, Response, vendor};
use crate::clock::Timestamp;
use crate::sim::rest::Answer;
use crate::sim::world::{ALL, Bounds, By, Query, Vendor};

/// Orders without a filter are those of so many milliseconds.
const USUAL: i64 = 90 * 86_400_000;

/// How many orders can be asked for by their ids.
const MOST_IDS: usize = 50;

/// A refusal of the Fulfillment API.
pub(super) fn refused(status: u16, id: u32, message: &str) -> Response {
    error(status, id, "API_FULFILLMENT", message)
}

/// The vendor's program has failed.
pub(super) fn failed() -> Response {
    refused(500, 30_500, "System error")
}

/// There is no such order.
pub(super) fn unknown(status: u16, id: &str) -> Response {
    refused(status, 32_100, &format!("Invalid order ID: {id}"))
}

/// The moment two years ago.
fn reach(now: i64) -> i64 {
    let now_there = Timestamp::from_timestamp_millis(now).unwrap_or_default();
    now_there.checked_sub_months(Months::new(24)).map_or(0, |at| at.timestamp_millis())
}

/// What a list is asked for.
#[derive(Debug, Clone, Copy, Default)]
struct Filter {
    created: Option<Bounds>,
    modified: Option<Bounds>,
    /// Not sent yet, or sent in part; or else sent at least in part.
    open: Option<bool>,
}

/// The filters of a text: `name:[from..to]`, `name:{A|B}`, with commas between.
fn filter(context: &Context<'_>, text: &str) -> Result<Filter, Response> {
    let mut filter = Filter::default();
    for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        let (name, value) =
            one.split_once(':').ok_or_else(|| refused(400, 30_700, &format!("Invalid filter name: {one}")))?;
        match name {
            "creationdate" => filter.created = Some(range(context, name, value, context.options.strict_reach)?),
            "lastmodifieddate" => filter.modified = Some(range(context, name, value, false)?),
            "orderfulfillmentstatus" => {
                let inside = value.strip_prefix('{').and_then(|value| value.strip_suffix('}')).unwrap_or_default();
                let mut words: Vec<&str> = inside.split('|').collect();
                words.sort_unstable();
                filter.open = Some(match words.as_slice() {
                    ["IN_PROGRESS", "NOT_STARTED"] => true,
                    ["FULFILLED", "IN_PROGRESS"] => false,
                    _ => return Err(wrong_value(name, inside)),
                });
            }
            _ => return Err(refused(400, 30_700, &format!("Invalid filter name: {name}"))),
        }
    }
    Ok(filter)
}

fn wrong_value(name: &str, value: &str) -> Response {
    refused(400, 30_800, &format!("Invalid filter value {value} for filter {name}"))
}

/// A range of time: both ends are in it, and the second may be left out.
fn range(context: &Context<'_>, name: &str, value: &str, is_strict: bool) -> Result<Bounds, Response> {
    let inside = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
    let ends = inside.and_then(|inside| inside.split_once(".."));
    let (from, to) = ends.ok_or_else(|| wrong_value(name, value))?;
    if from.is_empty() {
        return Err(refused(400, 30_820, "Start date is missing"));
    }
    let read = |text: &str| moment(text).ok_or_else(|| refused(400, 30_810, "Invalid date format"));
    let from = read(from)?;
    let to = if to.is_empty() { None } else { Some(read(to)?) };
    if from > context.now || to.is_some_and(|to| to > context.now) {
        return Err(refused(400, 30_850, "Start and end dates can't be in the future"));
    }
    if to.is_some_and(|to| from > to) {
        return Err(refused(400, 30_840, "Start date should be before end date"));
    }
    if from < reach(to.unwrap_or(context.now)) || is_strict && from < reach(context.now) {
        return Err(refused(400, 30_830, "Time range between start date and end date must be within '2' years."));
    }
    Ok((from, to.unwrap_or(i64::MAX)))
}

/// Whether the taxes that eBay collects are asked for.
fn breakdown(call: &Call<'_, '_>) -> Result<bool, Response> {
    match call.request.param("fieldGroups") {
        None | Some("") => Ok(false),
        Some("TAX_BREAKDOWN") => Ok(true),
        Some(other) => Err(refused(400, 32_800, &format!("Invalid field group: {other}"))),
    }
}

/// Whether the caller may see an order, and eBay still has it.
pub(super) fn is_there(call: &Call<'_, '_>, entry: &Entry) -> bool {
    call.by.is_seller && Ebay::is_listed(entry) && entry.created >= reach(call.now)
}

/// The orders of a list, in its order.
fn found<'c>(call: &'c Call<'_, '_>, wish: Filter) -> Vec<&'c Entry> {
    // Of the two dates one is heeded.
    let (created, modified) = match (wish.created, wish.modified) {
        (Some(created), _) => (created, ALL),
        (None, Some(modified)) => (ALL, modified),
        (None, None) if wish.open.is_some() => (ALL, ALL),
        (None, None) => ((call.now - USUAL, i64::MAX), ALL),
    };
    let (by, descending) = match call.options.sorted {
        Sorted::Newest => (By::Created, true),
        Sorted::Oldest => (By::Created, false),
        Sorted::ById => (By::Id, false),
        Sorted::Changed => (By::Modified, true),
    };
    let query = Query { by, descending, created, modified, ..Query::default() };
    let is_wished = |entry: &&Entry| {
        wish.open.is_none_or(|open| {
            let status = vendor::fulfillment(&entry.order(call.options));
            status == "IN_PROGRESS" || (status == "NOT_STARTED") == open
        })
    };
    call.state.find(query).filter(|entry| is_there(call, entry)).filter(is_wished).collect()
}

/// `GET order`.
pub(super) fn orders(call: &mut Call<'_, '_>) -> Answer {
    if call.state.unnoticed.iter().any(|(at, _)| *at <= call.now) {
        let now = call.now;
        call.state.notice(now);
    }
    let breakdown = breakdown(call)?;
    if let Some(ids) = call.request.param("orderIds").filter(|ids| !ids.is_empty()) {
        let ids: Vec<&str> = ids.split(',').map(str::trim).collect();
        if ids.len() > MOST_IDS {
            return Err(refused(400, 30_900, "Exceeded maximum number of order IDs (the current limit is 50)"));
        }
        let known = ids.iter().filter_map(|id| call.state.orders.get(&Ebay::read_id(id)));
        let rows: Vec<&Entry> = known.filter(|entry| is_there(call, entry)).collect();
        return page(call, &rows, 0, MOST_IDS, breakdown);
    }
    let size = |name: &str, usual: usize, least: usize| match call.request.param(name) {
        None => Some(usual),
        Some(text) => text.parse().ok().filter(|size| *size >= least),
    };
    let told = |name: &str| call.request.param(name).unwrap_or_default();
    let limit = size("limit", 50, 1).filter(|limit| *limit <= 200);
    let limit = limit.ok_or_else(|| refused(400, 31_100, &format!("Invalid limit: {}", told("limit"))))?;
    let offset = size("offset", 0, 0);
    let offset = offset.ok_or_else(|| refused(400, 31_000, &format!("Invalid offset: {}", told("offset"))))?;
    let wish = filter(call, told("filter"))?;
    let found = found(call, wish);
    page(call, &found, offset, limit, breakdown)
}

/// Where another page is.
fn link(call: &Call<'_, '_>, offset: usize, limit: usize) -> String {
    let kept = call.request.query.iter().filter(|(name, _)| name != "offset" && name != "limit");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept);
    query.append_pair("limit", &limit.to_string()).append_pair("offset", &offset.to_string());
    let host = match call.options.links {
        Links::OfEbay if call.options.sandbox => "https://api.sandbox.ebay.com",
        Links::OfEbay => "https://api.ebay.com",
        Links::Served => call.served,
        Links::Relative => "",
    };
    format!("{host}{}?{}", call.request.path, query.finish())
}

fn page(call: &Call<'_, '_>, found: &[&Entry], offset: usize, limit: usize, breakdown: bool) -> Answer {
    let page: Vec<&Entry> = found.iter().skip(offset).take(limit).copied().collect();
    if page.iter().any(|entry| call.state.unrenderable.contains(&entry.id)) {
        return Err(failed());
    }
    let rows: Value = page.iter().map(|entry| shown(call, entry, breakdown, false)).collect();
    let mut body = json!({
        "href": link(call, offset, limit), "total": found.len(), "limit": limit, "offset": offset, "orders": rows,
    });
    if offset.saturating_add(limit) < found.len() {
        body["next"] = json!(link(call, offset + limit, limit));
    }
    if offset > 0 {
        body["prev"] = json!(link(call, offset.saturating_sub(limit), limit));
    }
    Ok(Response { delay: call.options.page_latency, ..Response::json(200, &body) })
}

/// An order as a request sees it.
fn shown(call: &Call<'_, '_>, entry: &Entry, breakdown: bool, whole: bool) -> Value {
    let shown = Shown { breakdown, whole, spoilt: call.state.spoilt.contains(&entry.id) };
    render::order(call.context, entry, &entry.order(call.options), shown)
}

/// `GET order/{id}`.
pub(super) fn one(call: &mut Call<'_, '_>) -> Answer {
    let breakdown = breakdown(call)?;
    let text = call.path.first().cloned().unwrap_or_default();
    let id = Ebay::read_id(&text);
    if id == 0 {
        return Err(unknown(400, &text));
    }
    let entry = call.state.orders.get(&id).filter(|entry| is_there(call, entry));
    let entry = entry.ok_or_else(|| unknown(404, &text))?;
    if call.state.unrenderable.contains(&id) {
        return Err(failed());
    }
    Ok(Response::json(200, &shown(call, entry, breakdown, true)))
}
