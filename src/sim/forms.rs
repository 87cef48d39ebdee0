//! How documents are written: members, money, times.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

use super::world::Address;
use crate::clock::Timestamp;

/// Takes further members over into an object.
pub(crate) fn merge(document: &mut Value, members: Value) {
    if let (Value::Object(document), Value::Object(members)) = (document, members) {
        document.extend(members);
    }
}

/// An address under a vendor's names for its parts.
pub(crate) fn address(address: &Address, names: &[&str; 11]) -> Value {
    names.iter().zip(address.parts()).map(|(name, part)| ((*name).to_owned(), json!(part))).collect()
}

/// Takes over the parts of an address that a document has; whether one of them was another.
pub(crate) fn readdress(address: &mut Address, names: &[&'static str; 11], document: &Value) -> bool {
    let Value::Object(document) = document else { return false };
    rewrite(document, names.iter().copied().zip(address.parts_mut()))
}

/// Takes over the texts that a document has under these names; whether one of them was another.
pub(crate) fn rewrite<'t>(
    document: &Map<String, Value>,
    texts: impl IntoIterator<Item = (&'static str, &'t mut String)>,
) -> bool {
    let mut changed = false;
    for (name, text) in texts {
        if let Some(wished) = document.get(name).and_then(Value::as_str).filter(|wished| wished != text) {
            wished.clone_into(text);
            changed = true;
        }
    }
    changed
}

/// An amount with so many decimals, rounded as shops do.
pub(crate) fn money(amount: Decimal, decimals: u32) -> String {
    let rounded = amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    format!("{rounded:.*}", decimals as usize)
}

/// A number as PHP writes it: a whole one without a fraction.
pub(crate) fn php_float(amount: Decimal) -> Value {
    amount.to_i64().filter(|_| amount.fract().is_zero()).map_or_else(|| json!(amount.to_f64()), |whole| json!(whole))
}

/// A time in seconds, written in a form.
pub(crate) fn stamp(seconds: i64, form: &str) -> String {
    Timestamp::from_timestamp(seconds, 0).unwrap_or_default().format(form).to_string()
}

/// Keeps only the wished fields (`a,b.c`).
pub(crate) fn only_fields(document: Value, fields: Option<&str>) -> Value {
    let Some(fields) = fields.filter(|fields| !fields.trim().is_empty()) else { return document };
    let wished: Vec<Vec<&str>> = fields.split(',').map(|field| field.trim().split('.').collect()).collect();
    let wished: Vec<&[&str]> = wished.iter().map(Vec::as_slice).collect();
    match document {
        Value::Array(rows) => rows.into_iter().map(|row| keep(row, &wished)).collect(),
        one => keep(one, &wished),
    }
}

fn keep(document: Value, wished: &[&[&str]]) -> Value {
    let Value::Object(fields) = document else { return document };
    let kept = fields.into_iter().filter_map(|(key, value)| {
        let deeper = wished.iter().filter_map(|path| path.split_first().filter(|(first, _)| **first == key));
        let deeper: Vec<&[&str]> = deeper.map(|(_, rest)| rest).collect();
        match deeper.iter().any(|path| path.is_empty()) {
            true => Some((key, value)),
            false => (!deeper.is_empty()).then(|| (key, keep(value, &deeper))),
        }
    });
    Value::Object(kept.collect())
}

/// JSON in which numbers with a fraction have seventeen digits, as PHP writes them under an old
/// setting: `9.0700000000000003`.
pub(crate) fn long_floats(document: &Value) -> String {
    struct Long;
    impl serde_json::ser::Formatter for Long {
        fn write_f64<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, value: f64) -> std::io::Result<()> {
            let whole = value.abs().log10().floor().max(0.0);
            let decimals = (16.0 - whole).max(0.0) as usize;
            let text = format!("{value:.decimals$}");
            write!(writer, "{}", text.trim_end_matches('0').trim_end_matches('.'))
        }
    }
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, Long);
    let written = serde::Serialize::serialize(document, &mut serializer);
    written.map_or_else(|_| document.to_string(), |()| String::from_utf8_lossy(&text).into_owned())
}

/// Keeps only the wished fields, as `items[id,lines[sku]],count` names them, of an object and of
/// each row of a list; nothing where the wish is not written so.
pub(crate) fn bracketed_fields(document: Value, wish: &str) -> Value {
    let letters = |c: char| c.is_alphanumeric() || matches!(c, '_' | '[' | ']' | ',');
    match Some(wish).filter(|wish| wish.chars().all(letters)).and_then(tree) {
        Some(wished) => prune(document, &wished),
        None => json!([]),
    }
}

/// The wished fields, each with those wished of it; `null` where it is wished whole.
fn tree(wish: &str) -> Option<Value> {
    let mut open = vec![Map::new()];
    let mut names = Vec::new();
    for part in wish.split_inclusive(['[', ']', ',']) {
        let name = part.trim_end_matches(['[', ']', ',']);
        if !name.is_empty() {
            open.last_mut()?.insert(name.to_owned(), Value::Null);
        }
        if part.ends_with('[') {
            names.push(name.to_owned());
            open.push(Map::new());
        } else if part.ends_with(']') {
            let (inner, name) = (open.pop()?, names.pop()?);
            open.last_mut()?.insert(name, Value::Object(inner));
        }
    }
    let top = open.pop()?;
    open.is_empty().then_some(Value::Object(top))
}

fn prune(document: Value, wished: &Value) -> Value {
    match (document, wished) {
        (document, Value::Null) => document,
        // Of a list without rows nothing is left, not even the list.
        (Value::Array(rows), _) if rows.is_empty() => Value::Null,
        (Value::Array(rows), wished) => rows.into_iter().map(|row| prune(row, wished)).collect(),
        (Value::Object(fields), Value::Object(wished)) => fields
            .into_iter()
            .filter_map(|(name, value)| wished.get(&name).map(|deeper| (name, prune(value, deeper))))
            .collect(),
        (other, _) => other,
    }
}
