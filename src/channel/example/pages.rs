//! The one walk: by change and, within a second, by id.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::api::Api;
use super::map;
use crate::channel::{Cursor, Next, Page, Plan, Range, RemoteOrder};
use crate::error::Result;

/// As many orders as the shop gives at once.
const PAGE: usize = 50;

/// Where the walk stands.
#[derive(Serialize, Deserialize)]
struct Position {
    since: i64,
    after: String,
    until: Option<i64>,
}

/// The walk of a range.
pub(crate) fn plan(range: &Range) -> Result<Plan> {
    let since = range.since.map_or(0, |at| at.timestamp());
    let position = Position { since, after: String::new(), until: range.until.map(|at| at.timestamp()) };
    Ok(Plan { slices: Vec::new(), changes: Cursor::new(&position)?, total: None })
}

/// The page at a position.
pub(crate) fn page(api: &Api, at: &Cursor) -> Result<Page> {
    let Position { since, after, until } = at.position()?;
    let reply = api.get(&format!("orders.json?since={since}&after={after}"))?;
    let (rows, _) = reply.json::<Vec<&RawValue>>()?;
    let last = rows.last().and_then(|row| map::document(row.get().as_bytes()).ok());
    let orders = rows.iter().map(|row| remote(row)).collect();
    let next = match last {
        Some(last) if rows.len() == PAGE && until.is_none_or(|until| last.changed <= until) => {
            Next::More(Cursor::new(&Position { since: last.changed, after: last.id, until })?)
        }
        // More may change in the second of the last one, so the next walk begins with that second.
        last => {
            let since = last.map_or(since, |last| last.changed);
            Next::Done(Cursor::new(&Position { since, after: String::new(), until })?)
        }
    };
    Ok(Page { orders, ..Page::without_orders(next) })
}

/// One order.
pub(crate) fn one(api: &Api, id: &str) -> Result<Option<RemoteOrder>> {
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let reply = if is_id { api.get(&format!("orders/{id}.json"))? } else { return Ok(None) };
    if reply.status == 404 {
        return Ok(None);
    }
    let (row, _) = reply.json::<&RawValue>()?;
    Ok(Some(remote(row)))
}

fn remote(row: &RawValue) -> RemoteOrder {
    let text = row.get().as_bytes();
    let remote_id = map::document(text).map_or_else(|_| crate::channel::rows::nameless(row.get()), |found| found.id);
    RemoteOrder { remote_id, document: row.to_owned(), order: map::order(text).map(Box::new) }
}
