//! Requests and answers held against a vendor's OpenAPI 3.0 or Swagger 2.0 documents, from the
//! directory that `ORDERSYNC_SPECS` names.
//!
//! Beyond what a JSON schema says, a member or parameter that the document does not know is a
//! complaint too: a misspelt filter is ignored in silence by most servers, and a misspelt member of
//! an answer would be one that the adapter was written for and no store sends.
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jsonschema::{Draft, Validator};
use ordersync::sim::Exchange;
use serde_json::{Map, Value, json};

/// The directory of a vendor's documents; without it says so and gives `None`: the test passes
/// unasked.
pub fn specs_dir(vendor: &str) -> Option<PathBuf> {
    let found = std::env::var_os("ORDERSYNC_SPECS").map(|dir| PathBuf::from(dir).join(vendor));
    if found.is_none() {
        println!("skipped: ORDERSYNC_SPECS does not name a directory of vendors' documents");
    }
    found
}

/// A place where the vendor's document is wrong or silent, and why we think so.
pub struct Exception {
    /// A part of the complaint.
    pub about: &'static str,
    /// Why it is none.
    pub why: &'static str,
}

/// One document.
pub struct Api {
    document: Value,
    /// The segments before every path, from the document's server.
    base: Vec<String>,
    validators: RefCell<BTreeMap<String, Option<Validator>>>,
}

impl Api {
    /// Reads a document in YAML.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let document: Value =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut server = document["servers"][0]["url"].as_str().unwrap_or_default().to_owned();
        // What stands for one part of a path is a parameter of it.
        for (name, variable) in document["servers"][0]["variables"].as_object().into_iter().flatten() {
            if let Some(path) = variable["default"].as_str().filter(|path| path.starts_with('/')) {
                server = server.replace(&format!("{{{name}}}"), path);
            }
        }
        let base = server.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
        let base = base.or(document["basePath"].as_str()).unwrap_or_default();
        let base = segments(base).map(str::to_owned).collect();
        Self { document, base, validators: RefCell::default() }
    }

    /// The operation that answers this request, with its place in the document.
    fn operation(&self, exchange: &Exchange) -> Option<(String, &Value, &Value)> {
        let path: Vec<&str> = segments(&exchange.path).collect();
        let matches = |template: &str| {
            let wanted: Vec<&str> = self.base.iter().map(String::as_str).chain(segments(template)).collect();
            wanted.len() == path.len() && wanted.iter().zip(&path).all(|(w, p)| w.starts_with('{') || w == p)
        };
        let found = self.document["paths"].as_object()?.iter().filter(|(template, _)| matches(template));
        // A path spelt out goes before one with an id in the same place.
        let (template, item) = found.min_by_key(|(template, _)| template.matches('{').count())?;
        let method = exchange.method.to_lowercase();
        Some((format!("{} {template}", exchange.method), item, item.get(&method)?))
    }

    fn resolve<'d>(&'d self, value: &'d Value) -> &'d Value {
        match value["$ref"].as_str().and_then(|place| self.document.pointer(place.trim_start_matches('#'))) {
            Some(found) => self.resolve(found),
            None => value,
        }
    }

    /// Complaints about a request and its answer; `None` where this document has no such operation.
    pub fn check(&self, exchange: &Exchange) -> Option<Vec<String>> {
        let (name, item, operation) = self.operation(exchange)?;
        let mut complaints = self.check_query(&name, item, operation, exchange);
        if !exchange.body.is_empty() {
            // A body is a parameter in version 2, and has a content type from version 3 on.
            let own = operation["parameters"].as_array().into_iter().flatten().find(|one| one["in"] == "body");
            let content = &operation["requestBody"]["content"];
            let form = content["application/x-www-form-urlencoded"].get("schema");
            let own = own.and_then(|one| one.get("schema"));
            match (own.or_else(|| content["application/json"].get("schema")), form) {
                (Some(schema), _) => {
                    complaints.extend(self.check_json(&format!("{name} request"), schema, &exchange.json()))
                }
                (None, Some(schema)) => complaints.extend(self.check_form(&name, schema, &exchange.body)),
                (None, None) => complaints.push(format!("{name}: takes no body")),
            }
        }
        if !exchange.faulty {
            complaints.extend(self.check_answer(&name, operation, exchange));
        }
        Some(complaints)
    }

    fn check_query(&self, name: &str, item: &Value, operation: &Value, exchange: &Exchange) -> Vec<String> {
        let lists = [&item["parameters"], &operation["parameters"]];
        let parameters: Vec<&Value> =
            lists.iter().filter_map(|list| list.as_array()).flatten().map(|p| self.resolve(p)).collect();
        let mut complaints = Vec::new();
        for (key, value) in &exchange.query {
            let key = first_of(key);
            let known = parameters.iter().find(|p| p["in"] == "query" && p["name"] == key.as_str());
            let schema =
                |known: &'_ Value| if known["schema"].is_null() { known.clone() } else { known["schema"].clone() };
            match known {
                None => complaints.push(format!("{name}: unknown parameter {key}")),
                Some(known) if !self.fits(self.resolve(&schema(known)), value) => {
                    complaints.push(format!("{name}: parameter {key}={value}"));
                }
                Some(_) => {}
            }
        }
        complaints
    }

    /// Complaints about the members of a form.
    fn check_form(&self, name: &str, schema: &Value, body: &[u8]) -> Vec<String> {
        let schema = self.resolve(schema);
        let pairs = url::form_urlencoded::parse(body);
        let wrong = |key: &str, value: &str| match schema["properties"].get(key) {
            // A recording keeps no credentials.
            None if key == "<credentials>" => None,
            None => Some(format!("{name}: unknown member {key} of the form")),
            Some(known) => (!self.fits(self.resolve(known), value)).then(|| format!("{name}: member {key}={value}")),
        };
        pairs.filter_map(|(key, value)| wrong(&key, &value)).collect()
    }

    /// What a schema of the document knows of members; empty where there is no such schema.
    pub fn members(&self, schema: &str) -> BTreeSet<String> {
        let members = self.document["components"]["schemas"][schema]["properties"].as_object();
        members.into_iter().flat_map(|members| members.keys().cloned()).collect()
    }

    /// Whether a text is a value of a parameter's schema; lists are separated by commas.
    fn fits(&self, schema: &Value, text: &str) -> bool {
        let listed = schema["enum"].as_array().is_none_or(|values| values.iter().any(|value| value == text));
        listed
            && match schema["type"].as_str() {
                Some("integer") => text.parse::<i64>().is_ok(),
                Some("number") => text.parse::<f64>().is_ok(),
                Some("boolean") => matches!(text, "true" | "false"),
                Some("array") => text.split(',').all(|part| self.fits(self.resolve(&schema["items"]), part)),
                _ => true,
            }
    }

    fn check_answer(&self, name: &str, operation: &Value, exchange: &Exchange) -> Vec<String> {
        let Some(status) = exchange.status else { return Vec::new() };
        let responses = &operation["responses"];
        let response = self.resolve(responses.get(status.to_string()).unwrap_or(&responses["default"]));
        if response.is_null() {
            return vec![format!("{name}: answer {status} is not in the document")];
        }
        let schema = response.get("schema").or_else(|| response["content"]["application/json"].get("schema"));
        match (schema, serde_json::from_slice::<Value>(&exchange.answer)) {
            (Some(schema), Ok(body)) => self.check_json(&format!("{name} answer {status}"), schema, &body),
            (Some(_), Err(_)) => vec![format!("{name}: the answer {status} is not JSON")],
            (None, _) if exchange.answer.is_empty() => Vec::new(),
            (None, _) => vec![format!("{name}: the answer {status} has a body")],
        }
    }

    fn check_json(&self, place: &str, schema: &Value, body: &Value) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(place.to_owned()).or_insert_with(|| self.validator(schema));
        match validator {
            Some(validator) => complaints.extend(validator.iter_errors(body).map(|error| {
                format!("{place}{}: {}", plain(&error.instance_path().to_string()), brief(&error.to_string()))
            })),
            None => complaints.push(format!("{place}: the document's schema cannot be used")),
        }
        drop(validators);
        self.unknown(place, &[schema], body, &mut complaints);
        complaints
    }

    fn validator(&self, schema: &Value) -> Option<Validator> {
        let mut whole = json!({ "allOf": [schema] });
        for part in ["components", "definitions"].into_iter().filter(|part| !self.document[*part].is_null()) {
            whole[part] = self.document[part].clone();
        }
        jsonschema::options().with_draft(Draft::Draft4).build(&plain_schema(&whole)).ok()
    }

    /// Members that none of the schemas knows, as far as a schema says what its members are.
    fn unknown(&self, place: &str, schemas: &[&Value], body: &Value, complaints: &mut Vec<String>) {
        let mut all = Vec::new();
        schemas.iter().for_each(|schema| self.spread(schema, &mut all, 0));
        match body {
            Value::Array(rows) => {
                let items: Vec<&Value> = all.iter().filter_map(|schema| schema.get("items")).collect();
                rows.iter().for_each(|row| self.unknown(&format!("{place}[]"), &items, row, complaints));
            }
            Value::Object(members) => {
                let open = all.iter().all(|schema| schema["properties"].as_object().is_none_or(Map::is_empty));
                for (name, value) in members.iter().filter(|_| !open) {
                    let known: Vec<&Value> = all.iter().filter_map(|s| s["properties"].get(name)).collect();
                    if known.is_empty() {
                        complaints.push(format!("{place}.{name}: the document has no such member"));
                    }
                    self.unknown(&format!("{place}.{name}"), &known, value, complaints);
                }
            }
            _ => {}
        }
    }

    /// A schema with everything that it is put together from.
    fn spread<'d>(&'d self, schema: &'d Value, all: &mut Vec<&'d Value>, depth: usize) {
        if depth > 12 {
            return;
        }
        let schema = self.resolve(schema);
        all.push(schema);
        for word in ["allOf", "anyOf", "oneOf"] {
            for part in schema[word].as_array().into_iter().flatten() {
                self.spread(part, all, depth + 1);
            }
        }
    }
}

/// The name of the first of a numbered parameter, which documents declare for all of them.
fn first_of(key: &str) -> String {
    let part = |part: &str| if part.parse::<usize>().is_ok() { "0".to_owned() } else { part.to_owned() };
    key.split_inclusive(['[', ']'])
        .map(|piece| piece.strip_suffix(']').map_or_else(|| piece.to_owned(), |inner| part(inner) + "]"))
        .collect()
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// A place without the numbers of rows.
fn plain(place: &str) -> String {
    segments(place)
        .map(|part| if part.parse::<usize>().is_ok() { "[]".to_owned() } else { format!(".{part}") })
        .collect()
}

/// The end of a schema's complaint, without what differs from one value to the next; its beginning
/// repeats the whole value.
fn brief(text: &str) -> String {
    let length = text.chars().count();
    let end = text.chars().skip(length.saturating_sub(90));
    end.map(|letter| if letter.is_ascii_digit() { '#' } else { letter }).collect()
}

/// OpenAPI 3.0's schemas as JSON schemas of draft 4: `nullable` becomes a type, examples go.
fn plain_schema(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain_schema).collect(),
        Value::Object(members) => {
            let kept = members.iter().filter(|(key, _)| !matches!(key.as_str(), "example" | "examples" | "x-examples"));
            let mut plain: Map<String, Value> = kept.map(|(key, value)| (key.clone(), plain_schema(value))).collect();
            // One of one says no more than that one, and its complaints name the place.
            if plain.get("oneOf").and_then(Value::as_array).is_some_and(|all| all.len() == 1) {
                plain.remove("oneOf").into_iter().for_each(|one| drop(plain.insert("allOf".to_owned(), one)));
            }
            if plain.remove("nullable") == Some(Value::Bool(true)) {
                return json!({ "anyOf": [Value::Object(plain), { "type": "null" }] });
            }
            Value::Object(plain)
        }
        other => other.clone(),
    }
}

/// Holds everything against the documents: complaints that no exception explains, each once, with
/// how often it was made. An exception that explains nothing is a complaint as well, so that the
/// list stays true.
pub fn complaints(apis: &[Api], exchanges: &[Exchange], exceptions: &[Exception]) -> Vec<String> {
    let (mut found, mut used) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    for exchange in exchanges {
        let checked = apis.iter().find_map(|api| api.check(exchange));
        let own = checked.unwrap_or_else(|| vec![format!("{} {}: no such operation", exchange.method, exchange.path)]);
        for complaint in own {
            match exceptions.iter().position(|exception| complaint.contains(exception.about)) {
                Some(exception) => {
                    used.insert(exception);
                }
                None => *found.entry(complaint).or_default() += 1,
            }
        }
    }
    let unused = exceptions.iter().enumerate().filter(|(nth, _)| !used.contains(nth));
    let unused = unused.map(|(_, exception)| format!("needless exception: {} ({})", exception.about, exception.why));
    found.into_iter().map(|(complaint, times)| format!("{times} x {complaint}")).chain(unused).collect()
}
