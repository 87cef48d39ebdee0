//! A small executor: takes from a tree of everything what a document selects.
//!
//! The tree is JSON with a few members of its own: `$type` names an object's type, `$connection`
//! holds the members of a paged list, `$list` those of a list that takes `first`, `$denied` stands
//! where the app may not look.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::cost::weight;
use super::document::{Field, Literal, Selection, SelectionSet};

/// What comes out besides the data.
#[derive(Default)]
pub struct Account {
    /// Errors of fields.
    pub errors: Vec<Value>,
    /// The query as a whole is wrong.
    pub invalid: Option<String>,
}

/// The value of an argument, variables filled in.
pub fn argument(field: &Field, name: &str, variables: &Map<String, Value>) -> Option<Value> {
    let (_, literal) = field.arguments.iter().find(|(key, _)| key == name)?;
    Some(value(literal, variables)).filter(|value| !value.is_null())
}

/// Every argument of a field.
pub fn arguments(field: &Field, variables: &Map<String, Value>) -> Map<String, Value> {
    field.arguments.iter().map(|(key, literal)| (key.clone(), value(literal, variables))).collect()
}

fn value(literal: &Literal, variables: &Map<String, Value>) -> Value {
    match literal {
        Literal::Variable(name) => variables.get(name).cloned().unwrap_or_default(),
        Literal::Number(number) => json!(number),
        Literal::String(text) => json!(text),
        Literal::Boolean(yes) => json!(yes),
        Literal::Null => Value::Null,
        Literal::Enum(word) => json!(word),
        Literal::List(items) => items.iter().map(|item| value(item, variables)).collect(),
        Literal::Object(members) => members.iter().map(|(key, item)| (key.clone(), value(item, variables))).collect(),
    }
}

/// Takes the selected members out of `tree`. Gives them and what they cost in fact.
pub fn select(
    tree: &Value,
    set: &SelectionSet,
    variables: &Map<String, Value>,
    path: &mut Vec<Value>,
    account: &mut Account,
) -> (Value, f64) {
    let mut out = Map::new();
    let mut cost = 0.0;
    for item in &set.items {
        match item {
            Selection::Field(field) => {
                let key = field.alias.as_ref().unwrap_or(&field.name);
                path.push(json!(key));
                let (value, price) = member(tree, field, variables, path, account);
                path.pop();
                out.insert(key.clone(), value);
                cost += price;
            }
            Selection::InlineFragment(fragment) => {
                let fits = match &fragment.type_condition {
                    Some(kind) => tree["$type"] == kind.as_str(),
                    None => true,
                };
                if fits {
                    let (value, price) = select(tree, &fragment.selection_set, variables, path, account);
                    out.extend(value.as_object().cloned().unwrap_or_default());
                    cost += price;
                }
            }
            Selection::FragmentSpread(name) => {
                account.invalid = Some(format!("Fragment {name} was used, but not defined"));
            }
        }
    }
    (Value::Object(out), cost)
}

fn member(
    tree: &Value,
    field: &Field,
    variables: &Map<String, Value>,
    path: &mut Vec<Value>,
    account: &mut Account,
) -> (Value, f64) {
    if field.name == "__typename" {
        return (tree["$type"].clone(), 0.0);
    }
    let Some(value) = tree.get(&field.name) else {
        let kind = tree["$type"].as_str().unwrap_or("object");
        account.invalid = Some(format!("Field '{}' doesn't exist on type '{kind}'", field.name));
        return (Value::Null, 0.0);
    };
    if let Some(access) = value.get("$denied") {
        account.errors.push(denied(&field.name, access, path));
        return (Value::Null, 0.0);
    }
    let first = argument(field, "first", variables).and_then(|first| first.as_u64());
    let first = first.and_then(|first| usize::try_from(first).ok());
    if let Some(members) = value.get("$connection").and_then(Value::as_array) {
        return connection(value, members, first, field, variables, path, account);
    }
    let listed = value.get("$list").and_then(Value::as_array).or(value.as_array());
    match listed {
        Some(items) if field.selection_set.items.is_empty() => (json!(items), 0.0),
        Some(items) => {
            let taken = items.get(..first.unwrap_or(items.len()).min(items.len())).unwrap_or_default();
            each(taken, &field.selection_set, variables, path, account)
        }
        None if value.is_object() && !field.selection_set.items.is_empty() => {
            let free = field.name.ends_with("Set") || field.name.ends_with("Money");
            let (value, cost) = select(value, &field.selection_set, variables, path, account);
            (value, cost + f64::from(u8::from(!free)))
        }
        None => (value.clone(), 0.0),
    }
}

/// A scope is missing, or an approval, which Shopify says in other words.
pub fn denied(field: &str, access: &Value, path: &[Value]) -> Value {
    match access.as_str() {
        Some("personal") => json!({
            "message": "This app is not approved to access the Customer object. See https://partners.shopify.com/1/apps/1/customer_data for more details.",
            "path": path,
        }),
        access => json!({
            "message": format!("Access denied for {field} field. Required access: {}", access.unwrap_or_default()),
            "locations": [{ "line": 1, "column": 1 }],
            "extensions": {
                "code": "ACCESS_DENIED", "documentation": "https://shopify.dev/api/usage/access-scopes", "requiredAccess": access,
            },
            "path": path,
        }),
    }
}

/// Members of a list. Together they cost less than one by one.
fn each(
    items: &[Value],
    set: &SelectionSet,
    variables: &Map<String, Value>,
    path: &mut Vec<Value>,
    account: &mut Account,
) -> (Value, f64) {
    let mut values = Vec::with_capacity(items.len());
    let mut cost = 0.0;
    for (n, item) in items.iter().enumerate() {
        path.push(json!(n));
        let (value, price) = select(item, set, variables, path, account);
        path.pop();
        values.push(value);
        cost += 1.0 + price;
    }
    let count = items.len().max(1) as f64;
    (Value::Array(values), cost / count * weight(items.len() as f64))
}

/// The cursor of a member in a list of its own: its id.
fn cursor(item: &Value) -> String {
    BASE64.encode(item["id"].as_str().unwrap_or_default())
}

fn connection(
    list: &Value,
    members: &[Value],
    first: Option<usize>,
    field: &Field,
    variables: &Map<String, Value>,
    path: &mut Vec<Value>,
    account: &mut Account,
) -> (Value, f64) {
    // The list of orders comes as one page already.
    let (items, info) = match list.get("$page") {
        Some(info) => (members, info.clone()),
        None => {
            let after = argument(field, "after", variables);
            let start = after.as_ref().and_then(Value::as_str).map_or(0, |after| {
                members.iter().position(|item| cursor(item) == after).map_or(members.len(), |at| at + 1)
            });
            let rest = members.get(start..).unwrap_or_default();
            let items = rest.get(..first.unwrap_or(250).min(rest.len())).unwrap_or_default();
            let info = json!({
                "$type": "PageInfo", "hasNextPage": items.len() < rest.len(), "hasPreviousPage": start > 0,
                "startCursor": items.first().map(cursor), "endCursor": items.last().map(cursor),
            });
            (items, info)
        }
    };
    let mut out = Map::new();
    let mut cost: f64 = 2.0;
    for selection in &field.selection_set.items {
        let Selection::Field(part) = selection else { continue };
        let key = part.alias.as_ref().unwrap_or(&part.name);
        path.push(json!(key));
        let value = match part.name.as_str() {
            "pageInfo" => select(&info, &part.selection_set, variables, path, account).0,
            "nodes" => {
                let (values, price) = each(items, &part.selection_set, variables, path, account);
                cost += price;
                values
            }
            "edges" => {
                let edges: Vec<Value> =
                    items.iter().map(|item| json!({ "node": item, "cursor": cursor(item) })).collect();
                let (values, price) = each(&edges, &part.selection_set, variables, path, account);
                cost += price;
                values
            }
            other => {
                account.invalid = Some(format!("Field '{other}' doesn't exist on a connection"));
                Value::Null
            }
        };
        path.pop();
        out.insert(key.clone(), value);
    }
    (Value::Object(out), cost)
}
