//! How a first sync is divided: slices by creation time that are read side by side, in pages or by
//! bulk operations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::api::Api;
use super::bulk::Bulk;
use super::list::{List, Span};
use super::pages::{self, Place, Position, Slice, Walk};
use super::settings::{Bulk as When, Settings};
use super::sizes::chokes;
use super::{map, query, wire};
use crate::channel::checkpoint::Checkpoint;
use crate::channel::slices::{cuts, parts};
use crate::channel::{Cursor, Plan, Range};
use crate::error::Result;

/// Up to so many orders one walk does it.
const ONE_WALK: u64 = 300;

/// About how many slices there are in pages: enough that several threads end at about the same
/// time.
const SLICES: usize = 32;

/// How many orders a slice is worth a walk of its own for.
const WORTH: u64 = 100;

/// How often slices are halved at most; what is still uneven then has its orders in a few minutes.
const MOST_ROUNDS: usize = 8;

/// Longer than so many seconds in pages, and a bulk operation is the better way.
const LONG: f64 = 600.0;

/// No order is older: 2006.
const SHOPIFY_BEGAN: i64 = 1_136_073_600;

/// Orders in one bulk operation: a failure costs one of them.
const IN_BULK: u64 = 50_000;

/// Bulk operations side by side. Shopify runs five for an app in a shop and refuses the sixth.
const BULKS: usize = 4;

/// The walks that read every order changed in `range`.
pub(crate) fn plan(api: &Api, settings: &Settings, range: &Range) -> Result<Plan> {
    let span = Span { since: range.since.map(|at| at.timestamp()), until: range.until.map(|at| at.timestamp()) };
    let list = List::changed(span);
    let began = api.now().timestamp();
    let (total, oldest) = survey(api, list)?;
    let many = total.filter(|total| *total > ONE_WALK || settings.bulk == When::Always && *total > 0);
    let (Some(many), Some(oldest), None) = (many, oldest, span.until) else {
        let changes = Cursor::new(&Position::Walk(Walk::over(span, total)))?;
        return Ok(Plan { slices: Vec::new(), changes, total });
    };
    let whole = Slice { from: oldest, to: None, since: span.since, place: Place::before(Some(many)) };
    let in_bulk = by_bulk(api, settings, many, list)?;
    let (wanted, worth) = if in_bulk { (BULKS, IN_BULK) } else { (SLICES, WORTH) };
    let position = |slice| if in_bulk { Position::Bulk(Bulk::new(slice)) } else { Position::Slice(slice) };
    let parts = divide(api, whole, began, wanted, worth)?;
    let slices = parts.into_iter().map(|part| Cursor::new(&position(part))).collect::<Result<Vec<_>>>()?;
    // What is made or changed while the slices are read is for this walk.
    let rest = Checkpoint::seen(Some(began), super::OVERLAP, began);
    Ok(Plan { slices, changes: Cursor::new(&Position::Walk(Walk::new(rest, span.since, None)))?, total })
}

/// How many orders there are and when the oldest was made, in seconds. Where it cannot be shown, in
/// the year in which Shopify began.
fn survey(api: &Api, list: List) -> Result<(Option<u64>, Option<i64>)> {
    let survey: wire::Orders<wire::Head> = match api.ask(&query::SURVEY, json!({ "query": list.filter() })) {
        Ok(answer) => answer.read()?,
        Err(error) if chokes(&error) => {
            let total = count_one(api, list.filter().unwrap_or_default())?;
            return Ok((Some(total), Some(SHOPIFY_BEGAN)));
        }
        Err(error) => return Err(error),
    };
    if let Some(app) = survey.current_app_installation {
        app.need_orders()?;
        api.note_scopes(&app);
    }
    let oldest = survey.orders.nodes.first().and_then(|order| map::second(order.created_at.as_deref()));
    Ok((survey.orders_count.map(|count| count.count), oldest))
}

/// Whether pages would take long: so many orders, at the price of a page just fetched, at the rate
/// at which points flow in.
fn by_bulk(api: &Api, settings: &Settings, orders: u64, list: List) -> Result<bool> {
    match settings.bulk {
        When::Always => Ok(true),
        When::Never => Ok(false),
        // Cheaper than a point for each order no shop's pages were ever seen to be.
        When::Auto if (orders as f64) < LONG => Ok(false),
        When::Auto => {
            let each = pages::measure(api, list)?.unwrap_or(4.0);
            let rate = api.restore_rate().unwrap_or(100.0).max(1.0);
            Ok(orders as f64 * each / rate > LONG)
        }
    }
}

/// Cuts the whole into about `wanted` slices with about as many orders in each, and no less than
/// `worth` of them. They are equal parts by time first, which are halved where many orders were
/// made and joined where few were. Each round of counting is one question.
fn divide(api: &Api, whole: Slice, now: i64, wanted: usize, worth: u64) -> Result<Vec<Slice>> {
    let even = whole.counted().div_ceil(wanted as u64).max(worth);
    if whole.counted() <= even {
        return Ok(vec![whole]);
    }
    let mut parts = equal_parts(api, whole, now)?;
    for _ in 0..MOST_ROUNDS {
        let large = parts.iter().filter(|part| part.counted() > even + even / 2);
        let halves: Vec<Slice> = large.filter_map(|part| first_half(part, now)).take(query::COUNTED).collect();
        if halves.is_empty() {
            break;
        }
        for half in count(api, halves)? {
            if let Some(part) = parts.iter_mut().find(|part| part.from == half.from) {
                part.from = half.to.unwrap_or(part.from);
                part.place.counted = Some(part.counted().saturating_sub(half.counted()));
            }
            parts.push(half);
        }
    }
    // The oldest first, so that the book grows from the past on.
    parts.sort_by_key(|slice| slice.from);
    Ok(join(parts, even))
}

/// Joins neighbours that have no more than `even` orders together. Nothing between them is left
/// out, so an order made there meanwhile is found.
fn join(parts: Vec<Slice>, even: u64) -> Vec<Slice> {
    let mut joined: Vec<Slice> = Vec::new();
    for slice in parts {
        match joined.last_mut() {
            Some(last) if last.counted().saturating_add(slice.counted()) <= even => {
                last.to = slice.to;
                last.place.counted = Some(last.counted().saturating_add(slice.counted()));
            }
            _ => joined.push(slice),
        }
    }
    joined
}

/// The whole in parts of equal length, as many as one question counts.
fn equal_parts(api: &Api, whole: Slice, now: i64) -> Result<Vec<Slice>> {
    let length = u64::try_from(now - whole.from).unwrap_or(0);
    if length < query::COUNTED as u64 {
        return Ok(vec![whole]);
    }
    let bounds: Vec<i64> =
        cuts(length, query::COUNTED as u64).map(|cut| whole.from.saturating_add_unsigned(cut)).collect();
    count(api, parts(whole.from, &bounds).map(|(from, to)| Slice { from, to, ..whole.clone() }).collect())
}

/// The first half of a slice, where it has two.
fn first_half(slice: &Slice, now: i64) -> Option<Slice> {
    let end = slice.to.unwrap_or(now);
    let middle = slice.from + (end - slice.from) / 2;
    (middle > slice.from).then(|| Slice { to: Some(middle), ..slice.clone() })
}

/// Up to [`query::COUNTED`] slices with how many orders each has.
fn count(api: &Api, mut slices: Vec<Slice>) -> Result<Vec<Slice>> {
    let filters: Vec<String> = slices.iter().filter_map(|slice| slice.list().filter()).collect();
    for (slice, count) in slices.iter_mut().zip(count_each(api, &filters)?) {
        slice.place.counted = Some(count);
    }
    Ok(slices)
}

/// How many orders a filter finds.
pub(crate) fn count_one(api: &Api, filter: String) -> Result<u64> {
    Ok(count_each(api, &[filter])?.first().copied().unwrap_or(0))
}

/// How many orders each of up to [`query::COUNTED`] filters finds.
pub(crate) fn count_each(api: &Api, filters: &[String]) -> Result<Vec<u64>> {
    let filter = |n| filters.get(n).cloned().unwrap_or_else(|| "id:0".to_owned());
    let variables: serde_json::Map<String, Value> =
        (0..query::COUNTED).map(|n| (format!("q{n}"), filter(n).into())).collect();
    let counts: BTreeMap<String, Option<wire::Count>> = api.ask(&query::COUNTS, variables.into())?.read()?;
    let one = |n| counts.get(&format!("c{n}")).and_then(Option::as_ref).map_or(0, |count| count.count);
    Ok((0..filters.len()).map(one).collect())
}
