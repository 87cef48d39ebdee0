//! Parameters of a route: what they may be, and what is wrong with them.
//!
//! They are declared in a text, `name!:kind=default` between blanks. `!`: required. Kinds are
//! `int`, `int(1..100)` (either bound may be left out), `bool`, `date`, `object`, `array`, `[kind]`
//! for a list, `these|words`; without a kind it is text.

use serde_json::{Map, Value, json};

/// What a parameter may be.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Text.
    Text,
    /// A whole number between the two, where given.
    Integer(Option<i64>, Option<i64>),
    /// A truth value.
    Boolean,
    /// `YYYY-MM-DDTHH:MM:SS` with or without zone.
    Date,
    /// One of these words.
    OneOf(Vec<String>),
    /// An object.
    Object,
    /// A list of such.
    List(Box<Kind>),
    /// A list whose members are not checked.
    Array,
}

/// A parameter of a route.
#[derive(Debug, Clone)]
pub(crate) struct Arg {
    /// Its name.
    pub(crate) name: String,
    /// What it may be.
    pub(crate) kind: Kind,
    /// Whether it must be there.
    pub(crate) required: bool,
    /// What it is otherwise.
    pub(crate) default: Option<Value>,
}

/// The parameters that a text declares.
pub(crate) fn declared(text: &str) -> Vec<Arg> {
    let arg = |word: &str| {
        let (word, default) = word.split_once('=').map_or((word, None), |(word, default)| (word, Some(default)));
        let (name, kind) = word.split_once(':').unwrap_or((word, ""));
        let default = default.map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
        let (required, name) = (name.ends_with('!'), name.trim_end_matches('!').to_owned());
        Arg { name, kind: Kind::of(kind), required, default }
    };
    text.split_whitespace().map(arg).collect()
}

impl Kind {
    fn of(text: &str) -> Self {
        if let Some(inner) = text.strip_prefix('[') {
            return Self::List(Box::new(Self::of(inner.trim_end_matches(']'))));
        }
        if let Some((low, high)) = text.strip_prefix("int(").and_then(|bounds| bounds.split_once("..")) {
            return Self::Integer(low.parse().ok(), high.trim_end_matches(')').parse().ok());
        }
        match text {
            "" => Self::Text,
            "int" => Self::Integer(None, None),
            "bool" => Self::Boolean,
            "date" => Self::Date,
            "object" => Self::Object,
            "array" => Self::Array,
            words => Self::OneOf(words.split('|').map(str::to_owned).collect()),
        }
    }

    /// As a JSON schema has it.
    pub(crate) fn describe(&self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Integer(low, high) => {
                let mut schema = json!({ "type": "integer" });
                low.iter().for_each(|low| schema["minimum"] = json!(low));
                high.iter().for_each(|high| schema["maximum"] = json!(high));
                schema
            }
            Self::Boolean => json!({ "type": "boolean" }),
            Self::Date => json!({ "type": "string", "format": "date-time" }),
            Self::OneOf(words) => json!({ "type": "string", "enum": words }),
            Self::Object => json!({ "type": "object" }),
            Self::List(of) => json!({ "type": "array", "items": of.describe() }),
            Self::Array => json!({ "type": "array" }),
        }
    }

    /// What is wrong with a value that goes by `name`.
    fn examine(&self, name: &str, value: &Value) -> Option<Wrong> {
        let good = match self {
            Self::Text => value.is_string(),
            Self::Boolean => boolean(value).is_some(),
            Self::Object => value.is_object() || *value == json!([]),
            Self::Array => value.is_array(),
            Self::Integer(low, high) => match integer(value) {
                Some(number) => {
                    let inside = low.is_none_or(|low| number >= low) && high.is_none_or(|high| number <= high);
                    return (!inside).then(|| Wrong::new(name, What::Bounds(*low, *high)));
                }
                None => false,
            },
            Self::Date => {
                let good = value.as_str().is_some_and(|text| date_time(text).is_some());
                return (!good).then(|| Wrong::new(name, What::Date));
            }
            Self::OneOf(words) => {
                let good = value.as_str().is_some_and(|text| words.iter().any(|word| word == text));
                return (!good).then(|| Wrong::new(name, What::NotOneOf(words.clone())));
            }
            Self::List(of) => {
                let mut members = list(value).into_iter().enumerate();
                return members.find_map(|(at, member)| of.examine(&format!("{name}[{at}]"), &member));
            }
        };
        let kind = self.describe()["type"].as_str().unwrap_or_default().to_owned();
        (!good).then(|| Wrong::new(name, What::Type(kind)))
    }
}

/// A parameter, or a member of one, and what is wrong with it.
pub(crate) struct Wrong {
    /// The parameter.
    pub(crate) arg: String,
    /// The parameter or the place in it.
    pub(crate) name: String,
    /// What is wrong.
    pub(crate) what: What,
}

/// What is wrong with a parameter.
pub(crate) enum What {
    /// It is not there.
    Missing,
    /// It is not of this type.
    Type(String),
    /// It is not between these.
    Bounds(Option<i64>, Option<i64>),
    /// It is none of these.
    NotOneOf(Vec<String>),
    /// It is no date.
    Date,
}

impl Wrong {
    fn new(name: &str, what: What) -> Self {
        let arg = name.split('[').next().unwrap_or_default().to_owned();
        Self { arg, name: name.to_owned(), what }
    }
}

/// Checks the parameters and fills in the defaults. What is missing is told alone.
pub(crate) fn check(args: &[Arg], params: &mut Map<String, Value>) -> Result<(), Vec<Wrong>> {
    let missing = args.iter().filter(|arg| arg.required && !params.contains_key(&arg.name));
    let missing: Vec<Wrong> = missing.map(|arg| Wrong::new(&arg.name, What::Missing)).collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let examine = |arg: &Arg| params.get(&arg.name).and_then(|value| arg.kind.examine(&arg.name, value));
    let wrong: Vec<Wrong> = args.iter().filter_map(examine).collect();
    for arg in args {
        if let Some(default) = arg.default.as_ref().filter(|_| !params.contains_key(&arg.name)) {
            params.insert(arg.name.clone(), default.clone());
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// A whole number, also as text.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        number => number.as_i64(),
    }
}

/// A truth value, also as number or text.
pub(crate) fn boolean(value: &Value) -> Option<bool> {
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

/// A list: an array, numbered elements of a query, or text with commas.
pub(crate) fn list(value: &Value) -> Vec<Value> {
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
pub(crate) fn date_time(text: &str) -> Option<(i64, Option<i64>)> {
    let (date, time) = (text.get(..10)?, text.get(11..)?);
    if !matches!(text.as_bytes().get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let text = format!("{date}T{time}");
    if let Ok(bare) = chrono::NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f") {
        return Some((bare.and_utc().timestamp(), None));
    }
    let zone = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    if !matches!(zone.len(), 1 | 3 | 6) {
        return None;
    }
    let zoned = chrono::DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%#z").ok()?;
    Some((zoned.naive_local().and_utc().timestamp(), Some(i64::from(zoned.offset().local_minus_utc()))))
}
