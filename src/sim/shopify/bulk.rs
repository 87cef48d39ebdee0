//! Bulk operations: a query of all orders, written into a file.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::State;
use super::document::{self, Field, Selection, SelectionSet};
use super::graphql::{Account, argument, select};
use super::options::Options;
use super::render::{self, gid};
use super::search;
use super::vendor::Operation;

/// At most so many at once.
const AT_ONCE: usize = 5;

/// `bulkOperationRunQuery`.
pub fn start(options: &Options, state: &mut State, query: &str, grouped: bool, now: i64) -> Value {
    let payload = |operation: Value, errors: Value| json!({ "$type": "BulkOperationRunQueryPayload", "bulkOperation": operation, "userErrors": errors });
    let refusal = |code: &str, message: String| {
        let error = json!({ "$type": "BulkOperationUserError", "field": ["query"], "message": message, "code": code });
        payload(Value::Null, json!([error]))
    };
    let running: Vec<String> =
        state.own.bulk.iter().filter(|(_, one)| one.done_at > now).map(|(id, _)| gid("BulkOperation", *id)).collect();
    if running.len() >= AT_ONCE {
        let text =
            format!("A bulk query operation for this app and shop is already in progress: {}.", running.join(", "));
        return refusal("OPERATION_IN_PROGRESS", text);
    }
    let file = match write(options, state, query, grouped, now) {
        Ok(file) => file,
        Err(why) => return refusal("INVALID", why),
    };
    let (file, (roots, rows), failed) = if state.own.empty_bulk > 0 { (Vec::new(), (0, 0), false) } else { file };
    state.own.empty_bulk = state.own.empty_bulk.saturating_sub(1);
    let mut file = file;
    if state.own.short_bulk > 0 {
        let whole = file.strip_suffix(b"\n").unwrap_or(&file);
        file.truncate(whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
    }
    state.own.short_bulk = state.own.short_bulk.saturating_sub(1);
    let fails = failed || state.own.failing_bulk > 0;
    state.own.failing_bulk = state.own.failing_bulk.saturating_sub(1);
    let id = state.own.take_id();
    let seconds = i64::try_from(1 + roots / options.bulk_rate.max(1)).unwrap_or(1);
    let done_at = if state.own.stuck_bulk > 0 { i64::MAX } else { now + seconds * 1000 };
    state.own.stuck_bulk = state.own.stuck_bulk.saturating_sub(1);
    let operation = Operation { done_at, fails, counts: (roots, rows), file: Arc::new(file) };
    state.own.bulk.insert(id, operation);
    payload(operation_of(state, id, now), json!([]))
}

/// `bulkOperation(id:)`. Numbers are texts.
pub fn operation_of(state: &State, id: u64, now: i64) -> Value {
    let Some(operation) = state.own.bulk.get(&id) else { return Value::Null };
    let done = operation.done_at <= now;
    let status = match (done, operation.fails) {
        (false, _) => "RUNNING",
        (true, true) => "FAILED",
        (true, false) => "COMPLETED",
    };
    let (roots, rows) = operation.counts;
    let has_file = status == "COMPLETED" && rows > 0;
    // Another host than the shop's, signed, and without need of a token.
    let url =
        format!("https://storage.shopifycloud.test/bulk/{id}.jsonl?X-Goog-Signature=rehearsal&X-Goog-Expires=604800");
    json!({
        "$type": "BulkOperation", "id": gid("BulkOperation", id), "status": status,
        "errorCode": (status == "FAILED").then_some("INTERNAL_SERVER_ERROR"),
        "completedAt": done.then(|| render::time(operation.done_at)),
        "objectCount": if done { rows.to_string() } else { "0".to_owned() },
        "rootObjectCount": if done { roots.to_string() } else { "0".to_owned() },
        "fileSize": has_file.then(|| operation.file.len().to_string()),
        "url": has_file.then_some(url), "partialDataUrl": null, "type": "QUERY",
    })
}

/// The file, how many orders and rows it has, and whether an order in it cannot be rendered.
type File = (Vec<u8>, (u64, u64), bool);

fn write(options: &Options, state: &mut State, query: &str, grouped: bool, now: i64) -> Result<File, String> {
    let operation = document::parse(query).map_err(|_| "Invalid bulk query: parse error".to_owned())?;
    if operation.is_mutation {
        return Err("Invalid operation type. Only `query` operations are supported.".to_owned());
    }
    let set = &operation.selection_set;
    if connections(set) > 5 {
        return Err("Bulk queries cannot contain more than 5 connections.".to_owned());
    }
    let [Selection::Field(orders)] = set.items.as_slice() else {
        return Err("Bulk queries must contain one connection.".to_owned());
    };
    let node = node_of(orders).ok_or("Bulk queries must read connections by `edges`, not by `nodes`.")?;
    let none = Map::new();
    let filter = argument(orders, "query", &none).and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default();
    let (filter, _) = search::read(&filter);
    let (mut file, mut roots, mut rows, mut failed) = (Vec::new(), 0, 0, false);
    // Without grouping, rows come below their order but anywhere.
    let mut scattered = Vec::new();
    for id in super::lists::matching(options, state, &filter, now) {
        failed |= state.unrenderable.contains(&id);
        let Some(tree) = render::order(options, state, id, now) else { continue };
        let mut below = Vec::new();
        let root = split(&tree, node, &mut below)?;
        roots += 1;
        rows += 1 + below.len() as u64;
        line(&mut file, &root);
        let to = if grouped { &mut file } else { &mut scattered };
        below.iter().for_each(|row| line(to, row));
    }
    file.extend(scattered);
    Ok((file, (roots, rows), failed))
}

fn line(file: &mut Vec<u8>, row: &Value) {
    file.extend(row.to_string().into_bytes());
    file.push(b'\n');
}

fn connections(set: &SelectionSet) -> usize {
    let fields = set.items.iter().filter_map(|item| match item {
        Selection::Field(field) => Some(field),
        _ => None,
    });
    fields.map(|field| usize::from(node_of(field).is_some()) + connections(&field.selection_set)).sum()
}

/// The selection under `edges{node{}}`.
fn node_of(field: &Field) -> Option<&SelectionSet> {
    fn inner<'a>(set: &'a SelectionSet, name: &str) -> Option<&'a SelectionSet> {
        set.items.iter().find_map(|item| match item {
            Selection::Field(field) if field.name == name => Some(&field.selection_set),
            _ => None,
        })
    }
    inner(inner(&field.selection_set, "edges")?, "node")
}

/// An order's own members, and the rows of its connections.
fn split(tree: &Value, set: &SelectionSet, below: &mut Vec<Value>) -> Result<Value, String> {
    let none = Map::new();
    let mut own = SelectionSet::default();
    for item in &set.items {
        let Selection::Field(field) = item else { continue };
        match (node_of(field), tree[&field.name]["$connection"].as_array()) {
            (Some(node), Some(members)) => {
                for member in members {
                    let mut row = picked(member, node, &none)?;
                    row["__parentId"] = tree["id"].clone();
                    below.push(row);
                }
            }
            (None, Some(_)) => return Err("Bulk queries must read connections by `edges`, not by `nodes`.".to_owned()),
            _ => own.items.push(item.clone()),
        }
    }
    picked(tree, &own, &none)
}

fn picked(tree: &Value, set: &SelectionSet, none: &Map<String, Value>) -> Result<Value, String> {
    let mut account = Account::default();
    let (value, _) = select(tree, set, none, &mut Vec::new(), &mut account);
    account.invalid.map_or(Ok(value), Err)
}
