//! The vendor's truth: recorded answers of real shops, from the directory that `ORDERSYNC_SPECS`
//! names.
//!
//! [`Schema`] learns from recorded answers which keys and JSON types occur and complains about
//! anything else; [`Index`] knows the routes of a recorded `wc/v3` index and complains about
//! requests that a real shop would not understand.
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ordersync::sim::Exchange;
use serde_json::{Map, Value};

/// The directory of WooCommerce's recorded answers.
pub fn recorded_dir() -> Option<PathBuf> {
    recorded_of("woocommerce")
}

/// The directory of a vendor's recorded answers; without it says so and gives `None`: the test
/// passes unasked.
pub fn recorded_of(vendor: &str) -> Option<PathBuf> {
    let found = std::env::var_os("ORDERSYNC_SPECS").map(|dir| PathBuf::from(dir).join(vendor).join("recorded"));
    if found.is_none() {
        println!("skipped: ORDERSYNC_SPECS does not name a directory of recorded answers");
    }
    found
}

/// A JSON file.
pub fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The body of a recorded answer, for a file with or without the request around it.
pub fn body(recorded: &Value) -> &Value {
    recorded.pointer("/response/body").unwrap_or(recorded)
}

/// A recorded answer's headers.
pub fn headers(recorded: &Value) -> BTreeMap<String, String> {
    let pairs = recorded["response"]["headers"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

/// Keys and types seen at each place of recorded answers.
#[derive(Default)]
pub struct Schema {
    types: BTreeSet<&'static str>,
    fields: BTreeMap<String, Self>,
    /// Keys that every object here had.
    always: Option<BTreeSet<String>>,
    items: Option<Box<Self>>,
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Meta values may be anything.
fn is_free(key: &str) -> bool {
    matches!(key, "value" | "display_value")
}

impl Schema {
    /// Takes over what `value` shows.
    pub fn learn(&mut self, value: &Value) {
        self.types.insert(type_of(value));
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.items.get_or_insert_default().learn(item)),
            Value::Object(fields) => self.learn_fields(fields),
            _ => {}
        }
    }

    fn learn_fields(&mut self, fields: &Map<String, Value>) {
        let keys: BTreeSet<String> = fields.keys().cloned().collect();
        self.always = Some(match self.always.take() {
            Some(always) => always.intersection(&keys).cloned().collect(),
            None => keys,
        });
        for (key, value) in fields {
            self.fields.entry(key.clone()).or_default().learn(value);
        }
    }

    /// Complaints about `value`: unknown keys, missing keys, other types.
    pub fn check(&self, at: &str, value: &Value) -> Vec<String> {
        let mut complaints = Vec::new();
        if !self.types.contains(type_of(value)) {
            complaints.push(format!("{at}: {} where the real shop has {:?}", type_of(value), self.types));
            return complaints;
        }
        match value {
            Value::Array(items) => {
                if let Some(schema) = &self.items {
                    complaints.extend(items.iter().flat_map(|item| schema.check(&format!("{at}[]"), item)));
                }
            }
            Value::Object(fields) => self.check_fields(at, fields, &mut complaints),
            _ => {}
        }
        complaints
    }

    fn check_fields(&self, at: &str, fields: &Map<String, Value>, complaints: &mut Vec<String>) {
        for key in self.always.iter().flatten().filter(|key| !fields.contains_key(*key)) {
            complaints.push(format!("{at}.{key}: missing"));
        }
        for (key, value) in fields.iter().filter(|(key, _)| !is_free(key)) {
            match self.fields.get(key) {
                Some(schema) => complaints.extend(schema.check(&format!("{at}.{key}"), value)),
                None => complaints.push(format!("{at}.{key}: the real shop has no such key")),
            }
        }
    }
}

/// The routes of a recorded `wc/v3` index.
pub struct Index {
    routes: Map<String, Value>,
    extra: Vec<&'static str>,
}

impl Index {
    /// Reads a recorded index.
    pub fn load(path: &Path) -> Self {
        let recorded = read(path);
        Self { routes: body(&recorded)["routes"].as_object().cloned().unwrap_or_default(), extra: Vec::new() }
    }

    /// The index of the recorded 10.5.0 shop, if there are recorded answers.
    pub fn recorded() -> Option<Self> {
        Some(Self::load(&recorded_dir()?.join("wc-v3-index.json")))
    }

    /// Accepts every request whose path contains `part`: routes of an extension the recorded shop
    /// had not.
    pub fn with_extra(mut self, part: &'static str) -> Self {
        self.extra.push(part);
        self
    }

    /// The recorded route with exactly this pattern.
    pub fn route(&self, pattern: &str) -> Option<&Value> {
        self.routes.get(pattern)
    }

    /// Complaints about a request: unknown route, method or parameter, wrong type or value.
    /// Requests outside `wc/v3` are not judged.
    pub fn check(&self, exchange: &Exchange) -> Vec<String> {
        let Some(path) = rest_path(exchange).filter(|path| path.starts_with("/wc/v3")) else { return Vec::new() };
        let what = format!("{} {path}", exchange.method);
        if self.extra.iter().any(|part| path.contains(part)) {
            return Vec::new();
        }
        let Some(route) = self.routes.iter().find(|(pattern, _)| matches(pattern, &path)).map(|(_, route)| route)
        else {
            return vec![format!("{what}: no such route")];
        };
        let endpoints = route["endpoints"].as_array().into_iter().flatten();
        let takes = |endpoint: &&Value| {
            endpoint["methods"].as_array().is_some_and(|m| m.iter().any(|m| m == exchange.method.as_str()))
        };
        match endpoints.clone().find(takes) {
            Some(endpoint) => check_args(&what, &endpoint["args"], exchange),
            None => vec![format!("{what}: the route does not take this method")],
        }
    }
}

/// The REST path of a request, whatever the permalinks.
fn rest_path(exchange: &Exchange) -> Option<String> {
    let found = exchange.param("rest_route").map(str::to_owned);
    let found = found.or_else(|| exchange.path.split_once("/wp-json").map(|(_, path)| path.to_owned()))?;
    Some(found.trim_end_matches('/').to_owned())
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut pieces, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (pieces.next(), parts.next()) {
            (None, None) => return true,
            (Some(piece), Some(part)) if piece.starts_with("(?P<") => {
                let good = |c: char| {
                    c.is_ascii_digit() || !piece.contains("[\\d]") && (c.is_alphanumeric() || c == '-' || c == '_')
                };
                if part.is_empty() || !part.chars().all(good) {
                    return false;
                }
            }
            (Some(piece), Some(part)) if piece == part => {}
            _ => return false,
        }
    }
}

/// Parameters that WordPress takes on every route, and those of the credentials.
fn is_global(name: &str) -> bool {
    matches!(name, "_fields" | "_envelope" | "_embed" | "_for" | "rest_route" | "consumer_key" | "consumer_secret")
        || name.starts_with("oauth_")
}

fn check_args(what: &str, args: &Value, exchange: &Exchange) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut given = Map::new();
    for (name, value) in exchange.query.iter().filter(|(name, _)| !is_global(name)) {
        let name = name.split('[').next().unwrap_or(name);
        complaints.extend(check_arg(what, args, name, &Value::String(value.clone()), true));
        given.insert(name.to_owned(), Value::Null);
    }
    let body = exchange.json();
    if !exchange.body.is_empty() && !body.is_object() {
        complaints.push(format!("{what}: the body is not a JSON object"));
    }
    for (name, value) in body.as_object().into_iter().flatten() {
        complaints.extend(check_arg(what, args, name, value, false));
        given.insert(name.clone(), Value::Null);
    }
    let in_path = exchange.path.split('/').filter(|part| part.parse::<u64>().is_ok()).count() > 0;
    for (name, arg) in args.as_object().into_iter().flatten() {
        let needed = arg["required"] == true && !given.contains_key(name);
        if needed && !(in_path && name.ends_with("id")) {
            complaints.push(format!("{what}: {name} is missing"));
        }
    }
    complaints
}

/// Parameters that real shops take without declaring them: the lists of a batch, the lines of a
/// refund.
fn is_undeclared(what: &str, name: &str) -> bool {
    what.ends_with("/batch") && matches!(name, "create" | "update" | "delete")
        || what.ends_with("/refunds") && name == "line_items"
}

fn check_arg(what: &str, args: &Value, name: &str, value: &Value, in_query: bool) -> Vec<String> {
    match args.get(name) {
        Some(arg) => check_value(&format!("{what}: {name}"), arg, value, in_query),
        None if is_undeclared(what, name) => Vec::new(),
        None => vec![format!("{what}: the route knows no parameter {name}")],
    }
}

fn check_value(at: &str, arg: &Value, value: &Value, in_query: bool) -> Vec<String> {
    let text = value.as_str().unwrap_or_default();
    let good = match arg["type"].as_str() {
        Some("integer") => return check_integer(at, arg, value),
        Some("array") if in_query => {
            return text.split(',').flat_map(|item| check_value(at, &arg["items"], &Value::from(item), true)).collect();
        }
        Some("array") => return check_array(at, arg, value),
        Some("object") => return check_object(at, arg, value),
        Some("boolean") => value.is_boolean() || in_query && matches!(text, "true" | "false" | "0" | "1"),
        Some("string") => value.is_string(),
        _ => true,
    };
    let in_enum = arg["enum"].as_array().is_none_or(|words| words.contains(value));
    let dated = arg["format"] != "date-time" || is_date_time(text);
    if good && in_enum && dated { Vec::new() } else { vec![format!("{at}: {value} is not what the route takes")] }
}

fn check_integer(at: &str, arg: &Value, value: &Value) -> Vec<String> {
    let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    let inside = |number: i64| {
        arg["minimum"].as_i64().is_none_or(|min| number >= min)
            && arg["maximum"].as_i64().is_none_or(|max| number <= max)
    };
    if number.is_some_and(inside) { Vec::new() } else { vec![format!("{at}: {value} is not a fitting whole number")] }
}

fn check_array(at: &str, arg: &Value, value: &Value) -> Vec<String> {
    match value.as_array() {
        Some(items) => items.iter().flat_map(|item| check_value(at, &arg["items"], item, false)).collect(),
        None => vec![format!("{at}: not an array")],
    }
}

fn check_object(at: &str, arg: &Value, value: &Value) -> Vec<String> {
    let Some(fields) = value.as_object() else { return vec![format!("{at}: not an object")] };
    // The description of fulfilment meta data is itself malformed in the recorded index.
    let Some(known) = arg["properties"].as_object().filter(|known| known.values().all(Value::is_object)) else {
        return Vec::new();
    };
    let check = |(key, value): (&String, &Value)| match known.get(key) {
        Some(arg) => check_value(&format!("{at}.{key}"), arg, value, false),
        // Taken by real shops though the description of delivery addresses forgets it.
        None if key == "phone" => Vec::new(),
        None => vec![format!("{at}.{key}: no such property")],
    };
    fields.iter().flat_map(check).collect()
}

/// `YYYY-MM-DDTHH:MM:SS`, then nothing, `Z` or an offset.
fn is_date_time(text: &str) -> bool {
    let shape: String = text.chars().take(19).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    matches!(shape.as_str(), "0000-00-00T00:00:00" | "0000-00-00 00:00:00")
}
