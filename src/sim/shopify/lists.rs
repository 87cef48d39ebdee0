//! Lists of orders: what the search index believes, in its order, page by page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::State;
use super::options::Options;
use super::render;
use super::search::{self, Filter};

/// Orders made before this are hidden from an app without `read_all_orders`, and nothing says so.
const WINDOW: i64 = 60 * 86_400_000;

/// Whether an app may see an order made then.
pub fn visible(options: &Options, created: i64, now: i64) -> bool {
    options.has("read_all_orders") || created >= now - WINDOW
}

fn fits(options: &Options, state: &State, filter: &Filter, id: u64, now: i64) -> bool {
    let Some(slot) = state.orders.get(&id) else { return false };
    let inside = |(from, to): (i64, i64), at| from <= at && at <= to;
    visible(options, slot.created, now)
        && inside(filter.created, slot.created)
        && inside(filter.updated, slot.seen)
        && (filter.id.0..=filter.id.1).contains(&id)
        && state.by_time.contains(&(slot.seen, id))
}

/// Every order that a filter finds, the oldest first.
pub fn matching(options: &Options, state: &State, filter: &Filter, now: i64) -> Vec<u64> {
    let all = state.by_creation.range((filter.created.0, 0)..).take_while(|(at, _)| *at <= filter.created.1);
    all.map(|(_, id)| *id).filter(|id| fits(options, state, filter, *id, now)).collect()
}

/// `ordersCount`.
pub fn count(options: &Options, state: &State, arguments: &Map<String, Value>, now: i64) -> (Value, Vec<Value>) {
    let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
    let (filter, warnings) = search::read(query);
    let count = matching(options, state, &filter, now).len();
    let (count, precision) = match arguments.get("limit") {
        Some(Value::Null) => (count, "EXACT"),
        limit => {
            let limit = limit.and_then(Value::as_u64).unwrap_or(10_000);
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            (count.min(limit), if count >= limit { "AT_LEAST" } else { "EXACT" })
        }
    };
    (json!({ "$type": "Count", "count": count, "precision": precision }), warnings)
}

/// `orders`: a page of a list, or what is wrong with the wish.
pub fn orders(
    options: &Options,
    state: &State,
    arguments: &Map<String, Value>,
    now: i64,
) -> Result<(Value, Vec<Value>), Value> {
    let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
    let (filter, warnings) = search::read(if options.deaf.filter { "" } else { query });
    let first = arguments.get("first").and_then(Value::as_u64).unwrap_or(0);
    let first = usize::try_from(first).unwrap_or(0);
    if first == 0 || first > 250 {
        return Err(
            json!({ "message": "you must provide one of first or last", "extensions": { "code": "BAD_REQUEST" } }),
        );
    }
    let by_update = match arguments.get("sortKey").and_then(Value::as_str).filter(|_| !options.deaf.order) {
        Some("UPDATED_AT") => true,
        // Processing is creation here.
        Some("CREATED_AT" | "PROCESSED_AT") | None => false,
        Some(_) => return Err(json!({ "message": "unsupported sort key in a simulated store" })),
    };
    let after = arguments.get("after").and_then(Value::as_str).map(|text| decode(options, text)).transpose()?;
    let (index, bounds) =
        if by_update { (&state.by_time, filter.updated) } else { (&state.by_creation, filter.created) };
    let reverse = arguments.get("reverse") == Some(&Value::Bool(true));
    let (start, end) = match (after, reverse) {
        (None, _) => ((bounds.0, 0), (bounds.1, u64::MAX)),
        (Some((value, id)), false) => ((value, id + 1).max((bounds.0, 0)), (bounds.1, u64::MAX)),
        (Some((value, id)), true) => ((bounds.0, 0), (value, id - 1).min((bounds.1, u64::MAX))),
    };
    let rows: Box<dyn Iterator<Item = &(i64, u64)> + '_> = match (start <= end, reverse) {
        (false, _) => Box::new(std::iter::empty()),
        (true, false) => Box::new(index.range(start..=end)),
        (true, true) => Box::new(index.range(start..=end).rev()),
    };
    let first = first.min(options.deaf.most_rows);
    let mut page: Vec<(i64, u64)> =
        rows.filter(|(_, id)| fits(options, state, &filter, *id, now)).take(first + 1).copied().collect();
    let more = page.len() > first && !options.deaf.ends;
    page.truncate(first);
    if page.iter().any(|(_, id)| state.unrenderable.contains(id)) {
        return Err(super::internal());
    }
    let trees: Vec<Value> = page.iter().filter_map(|(_, id)| render::order(options, state, *id, now)).collect();
    let info = json!({
        "$type": "PageInfo", "hasNextPage": more, "hasPreviousPage": after.is_some(),
        "startCursor": page.first().map(|row| encode(*row)), "endCursor": page.last().map(|row| encode(*row)),
    });
    Ok((json!({ "$connection": trees, "$page": info }), warnings))
}

/// Cursors as recorded: the last row's id and sort value.
fn encode((value, id): (i64, u64)) -> String {
    BASE64.encode(json!({ "last_id": id, "last_value": value }).to_string())
}

fn decode(options: &Options, cursor: &str) -> Result<(i64, u64), Value> {
    let refused =
        || json!({ "message": "Invalid cursor for current pagination sort.", "extensions": { "code": "BAD_REQUEST" } });
    if !options.cursors {
        return Err(refused());
    }
    let bytes = BASE64.decode(cursor).map_err(|_| refused())?;
    let place: Value = serde_json::from_slice(&bytes).map_err(|_| refused())?;
    place["last_value"].as_i64().zip(place["last_id"].as_u64()).ok_or_else(refused)
}
