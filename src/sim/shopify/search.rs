//! The `query` argument of lists: terms, comparators, and what becomes of those that are not understood.

use serde_json::{Value, json};

/// What a filter asks for. Bounds are in milliseconds, inclusive.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    pub created: (i64, i64),
    pub updated: (i64, i64),
    pub id: Option<u64>,
}

impl Default for Filter {
    fn default() -> Self {
        Self { created: (i64::MIN, i64::MAX), updated: (i64::MIN, i64::MAX), id: None }
    }
}

/// Reads a filter. Unknown fields do not fail: they are warned of and the list comes unfiltered.
pub fn read(query: &str) -> (Filter, Vec<Value>) {
    let mut filter = Filter::default();
    let mut warnings = Vec::new();
    for term in query.split_whitespace() {
        let (field, rest) = term.split_once(':').unwrap_or(("", term));
        match field {
            "created_at" => narrow(&mut filter.created, rest),
            "updated_at" => narrow(&mut filter.updated, rest),
            "id" => filter.id = rest.parse().ok(),
            _ => warnings.push(json!({
                "field": field, "message": "Invalid search field for this query.", "code": "invalid_field",
            })),
        }
    }
    (filter, warnings)
}

fn narrow(bounds: &mut (i64, i64), text: &str) {
    let (sign, value) = match text.as_bytes() {
        [b'>' | b'<', b'=', ..] => text.split_at(2),
        [b'>' | b'<', ..] => text.split_at(1),
        _ => ("=", text),
    };
    let Some(at) = time(value) else { return };
    match sign {
        ">=" => bounds.0 = bounds.0.max(at),
        ">" => bounds.0 = bounds.0.max(at + 1),
        "<=" => bounds.1 = bounds.1.min(at + 999),
        "<" => bounds.1 = bounds.1.min(at - 1),
        _ => *bounds = (bounds.0.max(at), bounds.1.min(at + 999)),
    }
}

/// Without quotes only the date counts.
fn time(text: &str) -> Option<i64> {
    let quoted = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let full = match quoted {
        Some(full) => full.to_owned(),
        None => format!("{}T00:00:00Z", text.get(..10)?),
    };
    chrono::DateTime::parse_from_rfc3339(&full).ok().map(|at| at.timestamp_millis())
}
