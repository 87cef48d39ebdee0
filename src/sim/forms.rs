//! How documents are written: members, money, times.

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
