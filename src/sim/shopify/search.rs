//! The `query` argument of lists: terms, comparators, and what becomes of those that are not
//! understood.

use serde_json::{Value, json};

/// What a filter asks for. Bounds are in milliseconds, inclusive.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    pub created: (i64, i64),
    pub updated: (i64, i64),
    /// Both inclusive.
    pub id: (u64, u64),
}

impl Default for Filter {
    fn default() -> Self {
        Self { created: (i64::MIN, i64::MAX), updated: (i64::MIN, i64::MAX), id: (0, u64::MAX) }
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
            "id" => ids(&mut filter.id, rest),
            _ => warnings.push(json!({
                "field": field, "message": "Invalid search field for this query.", "code": "invalid_field",
            })),
        }
    }
    (filter, warnings)
}

fn ids(bounds: &mut (u64, u64), text: &str) {
    let digits = text.trim_start_matches(['<', '>', '=']);
    let Ok(id) = digits.parse::<u64>() else { return };
    match text.strip_suffix(digits).unwrap_or_default() {
        ">=" => bounds.0 = bounds.0.max(id),
        ">" => bounds.0 = bounds.0.max(id.saturating_add(1)),
        "<=" => bounds.1 = bounds.1.min(id),
        "<" => bounds.1 = bounds.1.min(id.saturating_sub(1)),
        _ => *bounds = (bounds.0.max(id), bounds.1.min(id)),
    }
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
