//! How a first sync is divided: slices by creation time that are read side by side, in pages or by bulk operations.

use serde::Deserialize;
use serde_json::json;

use super::bulk::Bulk;
use super::pages::{self, Position, Slice, Span};
use super::query;
use super::settings::{Bulk as When, Settings};
use super::site::Site;
use super::wire::{App, Count, Nodes};
use crate::channel::{Cursor, Plan, Range};
use crate::error::Result;

/// Up to so many orders one walk does it.
const ONE_WALK: u64 = 300;

/// How many slices there are at most in pages: enough that several threads end at about the same time.
const SLICES: usize = 16;

/// How many orders a slice is worth a walk of its own for.
const WORTH: u64 = 100;

/// Longer than so many seconds in pages, and a bulk operation is the better way.
const LONG: f64 = 600.0;

/// Orders in one bulk operation: a failure costs one of them.
const IN_BULK: u64 = 50_000;

/// Bulk operations side by side. Shopify runs five for an app in a shop and refuses the sixth (fact sheet, 2.8).
const BULKS: usize = 4;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Survey {
    orders_count: Option<Count>,
    orders: Nodes<Oldest>,
    current_app_installation: Option<App>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Oldest {
    created_at: String,
}

/// The walks that read every order changed in `range`.
pub fn begin(site: &Site, settings: &Settings, range: &Range) -> Result<Plan> {
    let span = Span { since: range.since.map(|at| at.timestamp()), until: range.until.map(|at| at.timestamp()) };
    let filter = span.filter();
    let began = site.now().timestamp();
    let survey: Survey = site.ask(&query::SURVEY, json!({ "query": filter }))?.read()?;
    if let Some(app) = survey.current_app_installation {
        app.scopes().need_orders()?;
    }
    let total = survey.orders_count.map(|count| count.count);
    let oldest = survey.orders.nodes.first().and_then(|order| super::map::time(&order.created_at, "").ok());
    let many = total.filter(|total| *total > ONE_WALK || settings.bulk == When::Always && *total > 0);
    let (Some(many), Some(oldest), None) = (many, oldest, span.until) else {
        return Ok(Plan { slices: Vec::new(), changes: Cursor::new(&Position::Start(span))?, total });
    };
    let whole = Slice { from: oldest.timestamp(), to: None, since: span.since, after: None };
    let in_bulk = by_bulk(site, settings, many, filter.as_deref())?;
    let (wanted, worth) = if in_bulk { (BULKS, IN_BULK) } else { (SLICES, WORTH) };
    let parts = divide(site, whole, many, began, wanted, worth)?;
    let position =
        |(slice, count)| if in_bulk { Position::Bulk(Bulk::new(slice, count)) } else { Position::Slice(slice) };
    let slices = parts.into_iter().map(|part| Cursor::new(&position(part))).collect::<Result<Vec<_>>>()?;
    // What is made or changed while the slices are read is for this walk.
    let rest = Span { since: Some(began - super::OVERLAP.as_secs() as i64), until: None };
    Ok(Plan { slices, changes: Cursor::new(&Position::Start(rest))?, total })
}

/// Whether pages would take long: so many orders, at the price of a page just fetched, at the rate at which points flow in.
fn by_bulk(site: &Site, settings: &Settings, orders: u64, filter: Option<&str>) -> Result<bool> {
    match settings.bulk {
        When::Always => Ok(true),
        When::Never => Ok(false),
        // Cheaper than a point for each order no shop's pages were ever seen to be.
        When::Auto if (orders as f64) < LONG => Ok(false),
        When::Auto => {
            let each = pages::measure(site, filter)?.unwrap_or(4.0);
            let rate = site.restore_rate().unwrap_or(100.0).max(1.0);
            Ok(orders as f64 * each / rate > LONG)
        }
    }
}

/// Halves the largest slice by time until there are `wanted`, or none is worth it; gives each with its count. Orders are not spread evenly over
/// time, so each half is counted.
fn divide(site: &Site, whole: Slice, orders: u64, now: i64, wanted: usize, worth: u64) -> Result<Vec<(Slice, u64)>> {
    let mut parts = vec![(whole, orders)];
    if wanted >= 8 && orders > worth {
        parts = equal_parts(site, parts, now)?;
    }
    while parts.len() < wanted {
        let room = (wanted - parts.len()).min(8);
        parts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let halves: Vec<(usize, Slice)> = parts
            .iter()
            .enumerate()
            .filter(|(_, (_, count))| *count > worth)
            .filter_map(|(at, (slice, _))| Some((at, first_half(slice, now)?)))
            .take(room)
            .collect();
        if halves.is_empty() {
            break;
        }
        let counts = count(site, &halves)?;
        for ((at, first), count) in halves.into_iter().zip(counts) {
            if let Some((slice, all)) = parts.get_mut(at) {
                slice.from = first.to.unwrap_or(slice.from);
                *all = all.saturating_sub(count);
                parts.push((first, count));
            }
        }
    }
    // The oldest first, so that the book grows from the past on. Empty ones stay: an order made in one meanwhile is cheap to ask for.
    parts.sort_by_key(|(slice, _)| slice.from);
    Ok(parts)
}

/// The whole in eight parts of equal length, counted with one question: the halves that follow then start from what is known of each.
fn equal_parts(site: &Site, whole: Vec<(Slice, u64)>, now: i64) -> Result<Vec<(Slice, u64)>> {
    let [(slice, _)] = whole.as_slice() else { return Ok(whole) };
    let end = slice.to.unwrap_or(now);
    let bounds: Vec<i64> = (0..8).map(|n| slice.from + (end - slice.from) / 8 * n).collect();
    if bounds.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Ok(whole);
    }
    let parts: Vec<(usize, Slice)> = bounds
        .iter()
        .enumerate()
        .map(|(n, from)| {
            let to = bounds.get(n + 1).copied().or(slice.to);
            (n, Slice { from: *from, to, ..slice.clone() })
        })
        .collect();
    let counts = count(site, &parts)?;
    Ok(parts.into_iter().map(|(_, part)| part).zip(counts).collect())
}

/// The first half of a slice, where it has two.
fn first_half(slice: &Slice, now: i64) -> Option<Slice> {
    let end = slice.to.unwrap_or(now);
    let middle = slice.from + (end - slice.from) / 2;
    (middle > slice.from).then(|| Slice { to: Some(middle), ..slice.clone() })
}

fn count(site: &Site, slices: &[(usize, Slice)]) -> Result<Vec<u64>> {
    let mut variables = serde_json::Map::new();
    for n in 0..8 {
        let filter = slices.get(n).map_or_else(|| "id:0".to_owned(), |(_, slice)| slice.filter());
        variables.insert(format!("q{n}"), filter.into());
    }
    let counts: std::collections::BTreeMap<String, Option<Count>> =
        site.ask(&query::COUNTS, variables.into())?.read()?;
    let one = |n| counts.get(&format!("c{n}")).cloned().flatten().unwrap_or_default().count;
    Ok((0..slices.len()).map(one).collect())
}
