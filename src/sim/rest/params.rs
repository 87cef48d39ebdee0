//! Parameters in the way of PHP, which many vendors took over.

use serde_json::{Map, Value, json};

/// Query pairs as PHP reads them: `a[]=1&a[]=2` and `a[0][b]=1` become lists and objects, the last
/// of equal names wins.
pub(crate) fn from_pairs(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut params = Map::new();
    for (name, value) in pairs {
        match name.split_once('[').and_then(|(base, rest)| Some((base, rest.strip_suffix(']')?))) {
            None => drop(params.insert(name.clone(), json!(value))),
            Some((base, keys)) => {
                let place = params.entry(base.to_owned()).or_insert_with(|| json!({}));
                insert(place, keys.split("]["), value);
            }
        }
    }
    params.into_iter().map(|(name, value)| (name, as_list(value))).collect()
}

fn insert<'k>(place: &mut Value, mut keys: impl Iterator<Item = &'k str>, value: &str) {
    let Some(key) = keys.next() else {
        *place = json!(value);
        return;
    };
    if !place.is_object() {
        *place = json!({});
    }
    if let Value::Object(elements) = place {
        let key = if key.is_empty() { elements.len().to_string() } else { key.to_owned() };
        insert(elements.entry(key).or_insert(Value::Null), keys, value);
    }
}

/// Numbered elements are a list.
fn as_list(value: Value) -> Value {
    let Value::Object(elements) = value else { return value };
    let number = |key: &String| key.parse::<usize>().ok();
    if !elements.keys().all(|key| number(key).is_some()) {
        return Value::Object(elements.into_iter().map(|(key, value)| (key, as_list(value))).collect());
    }
    let mut numbered: Vec<_> = elements.into_iter().map(|(key, value)| (number(&key), as_list(value))).collect();
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, value)| value).collect()
}
