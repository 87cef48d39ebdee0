//! Takes out of a tree of everything what a document selects.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::cost::Prices;
use super::document::{Field, Selection};

/// What a vendor adds to GraphQL.
pub(crate) struct Dialect {
    /// What queries cost.
    pub(crate) prices: Prices,
    /// The error for a field that the client may not see: its name, what `$denied` holds, its path.
    pub(crate) denied: fn(&str, &Value, &[Value]) -> Value,
}

/// A document being answered.
pub(crate) struct Run {
    dialect: &'static Dialect,
    path: Vec<Value>,
    /// Errors of fields.
    pub(crate) errors: Vec<Value>,
    /// The query as a whole is wrong.
    pub(crate) invalid: Option<String>,
    /// Something that may not be null is: so is what stands around it, up to what may be.
    pub(crate) takes_away: bool,
}

impl Run {
    /// Nothing is answered yet.
    pub(crate) fn new(dialect: &'static Dialect) -> Self {
        Self { dialect, path: Vec::new(), errors: Vec::new(), invalid: None, takes_away: false }
    }

    /// A field of the root came to nothing.
    pub(crate) fn fail(&mut self, error: Value) -> Value {
        self.errors.push(error);
        Value::Null
    }

    /// There is no such field.
    pub(crate) fn unknown(&mut self, field: &str, on: &str) -> Value {
        self.invalid = Some(format!("Field '{field}' doesn't exist on {on}"));
        Value::Null
    }

    /// Takes the selected members out of `tree`. Gives them and what they cost in fact.
    pub(crate) fn select(&mut self, tree: &Value, set: &[Selection]) -> (Value, f64) {
        let mut out = Map::new();
        let mut cost = 0.0;
        // What takes its parent away takes away none of the members beside it.
        let mut is_taken = false;
        for item in set {
            self.takes_away = false;
            match item {
                Selection::Field(field) => {
                    let (value, price) = self.at(json!(field.key()), |run| run.member(tree, field));
                    out.insert(field.key().to_owned(), value);
                    cost += price;
                }
                Selection::Fragment(kind, set) => {
                    if kind.as_ref().is_none_or(|kind| tree["$type"] == kind.as_str()) {
                        let (value, price) = self.select(tree, set);
                        out.extend(value.as_object().cloned().unwrap_or_default());
                        cost += price;
                    }
                }
                Selection::Spread(name) => {
                    self.invalid = Some(format!("Fragment {name} was used, but not defined"));
                }
            }
            is_taken |= self.takes_away;
        }
        self.takes_away = is_taken;
        (if is_taken { Value::Null } else { Value::Object(out) }, cost)
    }

    /// Does something one step further down.
    fn at<T>(&mut self, step: Value, work: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let done = work(self);
        self.path.pop();
        done
    }

    fn member(&mut self, tree: &Value, field: &Field) -> (Value, f64) {
        if field.name == "__typename" {
            return (tree["$type"].clone(), 0.0);
        }
        let Some(value) = tree.get(&field.name) else {
            let kind = tree["$type"].as_str().unwrap_or("object");
            return (self.unknown(&field.name, &format!("type '{kind}'")), 0.0);
        };
        if let Some(access) = value.get("$denied") {
            let error = (self.dialect.denied)(&field.name, access, &self.path);
            self.takes_away = value["$needed"] == true;
            return (self.fail(error), 0.0);
        }
        if let Some(members) = value.get("$connection").and_then(Value::as_array) {
            return self.connection(value, members, field);
        }
        match value.get("$list").unwrap_or(value) {
            Value::Array(items) if field.selections.is_empty() => (json!(items), 0.0),
            Value::Array(items) => self.each(head(items, field.first()), &field.selections),
            Value::Object(_) if !field.selections.is_empty() => {
                let (value, cost) = self.select(value, &field.selections);
                self.takes_away = false;
                (value, cost + f64::from(u8::from(!self.dialect.prices.is_free(&field.name))))
            }
            _ => (value.clone(), 0.0),
        }
    }

    /// Members of a list. Together they cost less than one by one.
    fn each(&mut self, items: &[Value], set: &[Selection]) -> (Value, f64) {
        let mut values = Vec::with_capacity(items.len());
        let mut cost = 0.0;
        let mut is_taken = false;
        for (n, item) in items.iter().enumerate() {
            if item.is_null() {
                values.push(Value::Null);
                continue;
            }
            let (value, price) = self.at(json!(n), |run| run.select(item, set));
            is_taken |= self.takes_away && item["$nullable"] != true;
            values.push(value);
            cost += 1.0 + price;
        }
        let count = items.len().max(1) as f64;
        self.takes_away = is_taken;
        let values = if is_taken { Value::Null } else { Value::Array(values) };
        (values, cost / count * (self.dialect.prices.weight)(items.len() as f64))
    }

    fn connection(&mut self, list: &Value, members: &[Value], field: &Field) -> (Value, f64) {
        let (items, info) = match list.get("$page") {
            Some(info) => (members, info.clone()),
            None => page(members, field),
        };
        let mut out = Map::new();
        let mut cost: f64 = 2.0;
        let mut is_taken = false;
        for selection in &field.selections {
            let Selection::Field(part) = selection else { continue };
            self.takes_away = false;
            let (value, price) = self.at(json!(part.key()), |run| match part.name.as_str() {
                "pageInfo" => (run.select(&info, &part.selections).0, 0.0),
                "nodes" => run.each(items, &part.selections),
                "edges" => {
                    let edge = |item: &Value| json!({ "node": item, "cursor": cursor(item) });
                    run.each(&items.iter().map(edge).collect::<Vec<_>>(), &part.selections)
                }
                other => (run.unknown(other, "a connection"), 0.0),
            });
            out.insert(part.key().to_owned(), value);
            cost += price;
            is_taken |= self.takes_away;
        }
        self.takes_away = is_taken;
        (if is_taken { Value::Null } else { Value::Object(out) }, cost)
    }
}

/// The cursor of a member in a list of its own: its id.
fn cursor(item: &Value) -> String {
    BASE64.encode(item["id"].as_str().unwrap_or_default())
}

fn head(items: &[Value], most: Option<usize>) -> &[Value] {
    items.get(..most.unwrap_or(items.len()).min(items.len())).unwrap_or_default()
}

/// The page of a list that `first` and `after` ask for.
fn page<'v>(members: &'v [Value], field: &Field) -> (&'v [Value], Value) {
    let behind = |after: &str| members.iter().position(|item| cursor(item) == after).map_or(members.len(), |at| at + 1);
    let start = field.argument("after").and_then(Value::as_str).map_or(0, behind);
    let rest = members.get(start..).unwrap_or_default();
    let items = head(rest, Some(field.first().unwrap_or(250)));
    let info = json!({
        "$type": "PageInfo", "hasNextPage": items.len() < rest.len(), "hasPreviousPage": start > 0,
        "startCursor": items.first().map(cursor), "endCursor": items.last().map(cursor),
    });
    (items, info)
}

/// A tree without the members that only the executor knows, for people who look.
pub(crate) fn plain(tree: &Value) -> Value {
    match tree {
        Value::Object(members) => {
            let list = ["$connection", "$list"].iter().find_map(|hidden| members.get(*hidden)?.as_array());
            if let Some(items) = list {
                return items.iter().map(plain).collect();
            }
            if members.contains_key("$denied") {
                return Value::Null;
            }
            let shown = members.iter().filter(|(key, _)| !key.starts_with('$'));
            Value::Object(shown.map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}
