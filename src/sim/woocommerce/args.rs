//! Parameters of a route: what they may be, and the answers WordPress gives when they are not.

use serde_json::{Map, Value, json};

use crate::sim::http::Response;

/// What a parameter may be.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Text,
    /// A whole number between the two, where given.
    Integer(Option<i64>, Option<i64>),
    Boolean,
    /// `YYYY-MM-DDTHH:MM:SS` with or without zone.
    Date,
    OneOf(Vec<String>),
    Object,
    List(Box<Kind>),
    /// An array whose elements are not checked.
    Array,
}

/// A parameter of a route.
#[derive(Debug, Clone)]
pub(super) struct Arg {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) default: Option<Value>,
}

impl Arg {
    pub(super) fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, default: None }
    }

    pub(super) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) fn default(mut self, value: Value) -> Self {
        self.default = Some(value);
        self
    }

    /// The parameter as the index describes it.
    pub(super) fn describe(&self) -> Value {
        let mut body = self.kind.describe();
        body["required"] = json!(self.required);
        body["description"] = json!("");
        if let Some(default) = &self.default {
            body["default"] = default.clone();
        }
        body
    }
}

impl Kind {
    fn describe(&self) -> Value {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::Integer(min, max) => {
                let mut body = json!({"type": "integer"});
                min.iter().for_each(|min| body["minimum"] = json!(min));
                max.iter().for_each(|max| body["maximum"] = json!(max));
                body
            }
            Self::Boolean => json!({"type": "boolean"}),
            Self::Date => json!({"type": "string", "format": "date-time"}),
            Self::OneOf(words) => json!({"type": "string", "enum": words}),
            Self::Object => json!({"type": "object"}),
            Self::List(of) => json!({"type": "array", "items": of.describe()}),
            Self::Array => json!({"type": "array"}),
        }
    }
}

/// A WordPress error.
pub(super) fn error(status: u16, code: &str, message: &str) -> Response {
    Response::json(status, &json!({"code": code, "message": message, "data": {"status": status}}))
}

/// What is wrong with one parameter: code, message, data.
struct Wrong(&'static str, String, Value);

/// Checks the parameters and fills in the defaults; the error answer lists everything that is
/// wrong.
pub(super) fn check(args: &[Arg], params: &mut Map<String, Value>) -> Result<(), Response> {
    let missing: Vec<_> =
        args.iter().filter(|arg| arg.required && !params.contains_key(arg.name)).map(|arg| arg.name).collect();
    if !missing.is_empty() {
        return Err(missing_params(&missing));
    }
    let mut wrong = Vec::new();
    for arg in args {
        match params.get(arg.name) {
            Some(value) => wrong.extend(examine(arg.name, value, &arg.kind).map(|problem| (arg.name, problem))),
            None => params.extend(arg.default.clone().map(|default| (arg.name.to_owned(), default))),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(invalid_params(&wrong)) }
}

fn missing_params(names: &[&str]) -> Response {
    let message = format!("Missing parameter(s): {}", names.join(", "));
    let data = json!({"status": 400, "params": names});
    Response::json(400, &json!({"code": "rest_missing_callback_param", "message": message, "data": data}))
}

fn invalid_params(wrong: &[(&str, Wrong)]) -> Response {
    let names: Vec<_> = wrong.iter().map(|(name, _)| *name).collect();
    let mut params = Map::new();
    let mut details = Map::new();
    for (name, Wrong(code, message, data)) in wrong {
        params.insert((*name).to_owned(), json!(message));
        details.insert((*name).to_owned(), json!({"code": code, "message": message, "data": data}));
    }
    let message = format!("Invalid parameter(s): {}", names.join(", "));
    let data = json!({"status": 400, "params": params, "details": details});
    Response::json(400, &json!({"code": "rest_invalid_param", "message": message, "data": data}))
}

fn examine(name: &str, value: &Value, kind: &Kind) -> Option<Wrong> {
    match kind {
        Kind::Text => wrong_type(name, "string", value.is_string()),
        Kind::Boolean => wrong_type(name, "boolean", boolean(value).is_some()),
        Kind::Object => wrong_type(name, "object", value.is_object() || *value == json!([])),
        Kind::Array => wrong_type(name, "array", value.is_array()),
        Kind::Integer(min, max) => match integer(value) {
            None => wrong_type(name, "integer", false),
            Some(number) => out_of_bounds(name, number, *min, *max),
        },
        Kind::Date => {
            let good = value.as_str().is_some_and(|text| date_time(text).is_some());
            (!good).then(|| Wrong("rest_invalid_date", "Invalid date.".to_owned(), Value::Null))
        }
        Kind::OneOf(words) => {
            let good = value.as_str().is_some_and(|text| words.iter().any(|word| word == text));
            let message = format!("{name} is not one of {}.", listed(words));
            (!good).then_some(Wrong("rest_not_in_enum", message, Value::Null))
        }
        Kind::List(of) => {
            list(value).iter().enumerate().find_map(|(at, item)| examine(&format!("{name}[{at}]"), item, of))
        }
    }
}

fn wrong_type(name: &str, kind: &str, good: bool) -> Option<Wrong> {
    let message = format!("{name} is not of type {kind}.");
    (!good).then(|| Wrong("rest_invalid_type", message, json!({"param": name})))
}

fn out_of_bounds(name: &str, number: i64, min: Option<i64>, max: Option<i64>) -> Option<Wrong> {
    if min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max) {
        return None;
    }
    let message = match (min, max) {
        (Some(min), Some(max)) => format!("{name} must be between {min} (inclusive) and {max} (inclusive)"),
        (Some(min), None) => format!("{name} must be greater than or equal to {min}"),
        (_, max) => format!("{name} must be less than or equal to {}", max.unwrap_or_default()),
    };
    Some(Wrong("rest_out_of_bounds", message, Value::Null))
}

fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    }
}

/// A whole number, also as text.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        number => number.as_i64(),
    }
}

/// A truth value as WordPress reads it.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => number.as_i64().filter(|n| (0..=1).contains(n)).map(|n| n == 1),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" | "" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A list: a JSON array, a PHP array in the query, or comma-separated text.
pub(super) fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Object(items) => items.values().cloned().collect(),
        Value::String(text) => {
            text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty()).map(|part| json!(part)).collect()
        }
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// A date and time: seconds as written, and the zone's offset in seconds if one is written.
pub(super) fn date_time(text: &str) -> Option<(i64, Option<i64>)> {
    let bytes = text.as_bytes();
    if !matches!(bytes.get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let (date, time) = (text.get(..10)?, text.get(11..19)?);
    let written = chrono::NaiveDateTime::parse_from_str(&format!("{date} {time}"), "%Y-%m-%d %H:%M:%S").ok()?;
    let mut rest = text.get(19..)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        rest = fraction.get(digits..)?;
    }
    let offset = match rest {
        "" => None,
        "Z" => Some(0),
        zone => Some(zone_offset(zone)?),
    };
    Some((written.and_utc().timestamp(), offset))
}

fn zone_offset(zone: &str) -> Option<i64> {
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let hours: i64 = zone.get(1..3)?.parse().ok()?;
    let minutes: i64 = match zone.get(3..)? {
        "" => 0,
        rest => rest.strip_prefix(':').filter(|minutes| minutes.len() == 2)?.parse().ok()?,
    };
    Some(sign * (hours * 3_600 + minutes * 60))
}

/// Query pairs as PHP reads them: `a[]=1&a[]=2` and `a[0]=1` become arrays, the last of equal names
/// wins.
pub(super) fn php_params(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut params = Map::new();
    for (name, value) in pairs {
        match name.split_once('[').and_then(|(base, rest)| Some((base, rest.strip_suffix(']')?))) {
            None => {
                params.insert(name.clone(), json!(value));
            }
            Some((base, key)) => insert_element(&mut params, base, key, value),
        }
    }
    params.into_iter().map(|(name, value)| (name, as_list(value))).collect()
}

fn insert_element(params: &mut Map<String, Value>, base: &str, key: &str, value: &str) {
    let entry = params.entry(base.to_owned()).or_insert_with(|| json!({}));
    if !entry.is_object() {
        *entry = json!({});
    }
    if let Value::Object(elements) = entry {
        let key = if key.is_empty() { elements.len().to_string() } else { key.to_owned() };
        elements.insert(key, json!(value));
    }
}

fn as_list(value: Value) -> Value {
    match value {
        Value::Object(elements) if elements.keys().all(|key| key.parse::<usize>().is_ok()) => {
            let mut numbered: Vec<_> =
                elements.into_iter().map(|(key, value)| (key.parse::<usize>().unwrap_or(0), value)).collect();
            numbered.sort_by_key(|(key, _)| *key);
            Value::Array(numbered.into_iter().map(|(_, value)| value).collect())
        }
        other => other,
    }
}
