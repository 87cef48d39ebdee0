//! Bulk operations: a query of all orders, written into a file.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::{Answer, DIALECT};
use super::render::{self, gid};
use super::vendor::Operation;
use super::{Context, lists};
use crate::sim::graphql::{Field, Run, Selection, Selections, parse};

/// At most so many at once.
const AT_ONCE: usize = 5;

/// `bulkOperationRunQuery`.
pub(crate) fn start(context: &mut Context<'_>, given: &Map<String, Value>) -> Answer {
    let (operation, errors) = match begin(context, given) {
        Ok(id) => (operation(context, id), Vec::new()),
        Err((code, message)) => {
            let error =
                json!({ "$type": "BulkOperationUserError", "field": ["query"], "message": message, "code": code });
            (Value::Null, vec![error])
        }
    };
    Ok(json!({ "$type": "BulkOperationRunQueryPayload", "bulkOperation": operation, "userErrors": errors }))
}

fn begin(context: &mut Context<'_>, given: &Map<String, Value>) -> Result<u64, (&'static str, String)> {
    let running = context.state.own.bulk.iter().filter(|(_, one)| one.done_at > context.now);
    let running: Vec<String> = running.map(|(id, _)| gid("BulkOperation", *id)).collect();
    if running.len() >= AT_ONCE {
        let text = "A bulk query operation for this app and shop is already in progress";
        return Err(("OPERATION_IN_PROGRESS", format!("{text}: {}.", running.join(", "))));
    }
    let query = given.get("query").and_then(Value::as_str).unwrap_or_default();
    let mut file = write(context, query, given.get("groupObjects") == Some(&json!(true)));
    let own = &mut context.state.own;
    let struck = |times: &mut u32| std::mem::replace(times, times.saturating_sub(1)) > 0;
    if let Ok(file) = &mut file {
        if struck(&mut own.empty_bulk) {
            *file = File::default();
        }
        if struck(&mut own.short_bulk) {
            let whole = file.text.strip_suffix(b"\n").unwrap_or(&file.text);
            file.text.truncate(whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        }
        file.failed |= struck(&mut own.failing_bulk);
    }
    let file = file.map_err(|why| ("INVALID", why))?;
    let id = own.take_id();
    let seconds = i64::try_from(1 + file.roots / context.options.bulk_rate.max(1)).unwrap_or(1);
    let done_at = if struck(&mut own.stuck_bulk) { i64::MAX } else { context.now + seconds * 1000 };
    let counts = (file.roots, file.rows);
    own.bulk.insert(id, Operation { done_at, fails: file.failed, counts, file: Arc::new(file.text) });
    Ok(id)
}

/// `bulkOperation(id:)`. Numbers are texts.
pub(crate) fn operation(context: &Context<'_>, id: u64) -> Value {
    let Some(operation) = context.state.own.bulk.get(&id) else { return Value::Null };
    let done = operation.done_at <= context.now;
    let status = match (done, operation.fails) {
        (false, _) => "RUNNING",
        (true, true) => "FAILED",
        (true, false) => "COMPLETED",
    };
    let (roots, rows) = if done { operation.counts } else { (0, 0) };
    let has_file = status == "COMPLETED" && rows > 0;
    // Another host than the shop's, signed, and without need of a token.
    let url =
        format!("https://storage.shopifycloud.test/bulk/{id}.jsonl?X-Goog-Signature=rehearsal&X-Goog-Expires=604800");
    json!({
        "$type": "BulkOperation", "id": gid("BulkOperation", id), "status": status,
        "errorCode": (status == "FAILED").then_some("INTERNAL_SERVER_ERROR"),
        "completedAt": done.then(|| render::time(operation.done_at)), "objectCount": rows.to_string(),
        "rootObjectCount": roots.to_string(), "fileSize": has_file.then(|| operation.file.len().to_string()),
        "url": has_file.then_some(url), "partialDataUrl": null, "type": "QUERY",
    })
}

/// A file: how many orders and rows it has, and whether an order in it cannot be rendered.
#[derive(Default)]
struct File {
    text: Vec<u8>,
    roots: u64,
    rows: u64,
    failed: bool,
}

fn write(context: &Context<'_>, query: &str, grouped: bool) -> Result<File, String> {
    let operation = parse(query, &Map::new()).map_err(|_| "Invalid bulk query: parse error")?;
    if operation.is_mutation {
        return Err("Invalid operation type. Only `query` operations are supported.".to_owned());
    }
    if connections(&operation.selections) > 5 {
        return Err("Bulk queries cannot contain more than 5 connections.".to_owned());
    }
    let [Selection::Field(orders)] = operation.selections.as_slice() else {
        return Err("Bulk queries must contain one connection.".to_owned());
    };
    let node = node_of(orders).ok_or(BY_NODES)?;
    let text = orders.argument("query").and_then(Value::as_str).unwrap_or_default();
    let mut file = File::default();
    // Without grouping, rows come below their order but anywhere.
    let mut scattered = Vec::new();
    for entry in context.state.find(lists::search(context, text).0) {
        file.failed |= context.state.unrenderable.contains(&entry.id);
        let Some(tree) = render::order(context, entry.id) else { continue };
        let mut below = Vec::new();
        let order = split(&tree, node, &mut below)?;
        // What the app may not see, and must be there, ends the operation.
        file.failed |= order.is_null();
        line(&mut file.text, &order);
        (file.roots, file.rows) = (file.roots + 1, file.rows + 1 + below.len() as u64);
        let to = if grouped { &mut file.text } else { &mut scattered };
        below.iter().for_each(|row| line(to, row));
    }
    file.text.extend(scattered);
    Ok(file)
}

/// Only edges say what the rows of a file are.
const BY_NODES: &str = "Bulk queries must read connections by `edges`, not by `nodes`.";

fn line(file: &mut Vec<u8>, row: &Value) {
    file.extend(row.to_string().into_bytes());
    file.push(b'\n');
}

fn connections(set: &[Selection]) -> usize {
    let of = |item: &Selection| match item {
        Selection::Field(field) => usize::from(node_of(field).is_some()) + connections(&field.selections),
        _ => 0,
    };
    set.iter().map(of).sum()
}

/// The selection under `edges{node{}}`.
fn node_of(field: &Field) -> Option<&Selections> {
    Some(&field.member("edges")?.member("node")?.selections)
}

/// An order's own members, and the rows of its connections.
fn split(tree: &Value, set: &Selections, below: &mut Vec<Value>) -> Result<Value, String> {
    let mut own = Selections::new();
    for item in set {
        let Selection::Field(field) = item else { continue };
        match (node_of(field), tree[&field.name]["$connection"].as_array()) {
            (Some(node), Some(members)) => {
                for member in members {
                    let mut row = picked(member, node)?;
                    row["__parentId"] = tree["id"].clone();
                    below.push(row);
                }
            }
            (None, Some(_)) => return Err(BY_NODES.to_owned()),
            _ => own.push(item.clone()),
        }
    }
    picked(tree, &own)
}

fn picked(tree: &Value, set: &Selections) -> Result<Value, String> {
    let mut run = Run::new(&DIALECT);
    let (value, _) = run.select(tree, set);
    run.invalid.map_or(Ok(value), Err)
}
