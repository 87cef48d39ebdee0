//! One document for one order: its row of a list, and beside it, under `ordersync`, what the
//! channel keeps elsewhere, verbatim.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::json::{Text, documents};
use crate::error::{Error, ErrorKind, Result};

/// Rows of another route.
pub(crate) type Rows = Vec<Box<RawValue>>;

documents! {
    /// A row by its id.
    Head { id: Text<'a> }
}

/// The row with one member more, at its end; itself where nothing is to be added.
pub(crate) fn joined(row: &RawValue, parts: &[(&'static str, Rows)]) -> Result<Box<RawValue>> {
    let open = row.get().trim_end().strip_suffix('}').map(str::trim_end);
    let Some(open) = open.filter(|_| !parts.is_empty()) else { return Ok(row.to_owned()) };
    let list = |(name, rows): &(&str, Rows)| {
        let rows: Vec<&str> = rows.iter().map(|row| row.get()).collect();
        format!("\"{name}\":[{}]", rows.join(","))
    };
    let parts = parts.iter().map(list).collect::<Vec<_>>().join(",");
    let comma = if open.ends_with('{') { "" } else { "," };
    RawValue::from_string(format!("{open}{comma}\"ordersync\":{{{parts}}}}}"))
        .map_err(|_| Error::new(ErrorKind::Unreadable, "an order's parts do not make one document; it was not used"))
}

/// The rows by the order that each is `of`; `None` where one is of no order that was asked for, so
/// that the question was not understood.
pub(crate) fn by_order(
    rows: Rows,
    ids: &[&str],
    of: impl Fn(&RawValue) -> Option<String>,
) -> Option<BTreeMap<String, Rows>> {
    let mut found: BTreeMap<String, Rows> = BTreeMap::new();
    for row in rows {
        let order = of(&row).filter(|order| ids.contains(&order.as_str()))?;
        found.entry(order).or_default().push(row);
    }
    Some(found.into_iter().map(|(order, rows)| (order, in_order(rows))).collect())
}

/// By their ids, each once, in whatever order they came.
pub(crate) fn in_order(mut rows: Rows) -> Rows {
    let id =
        |row: &RawValue| -> Option<u64> { serde_json::from_str::<Head<'_>>(row.get()).ok()?.id.id()?.parse().ok() };
    rows.sort_by_key(|row| id(row));
    rows.dedup_by(|row, before| id(row).is_some() && id(row) == id(before));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn i8_parts_go_into_the_document_verbatim_and_their_digits_stay() {
        let parts = [("refunds", vec![raw(r#"{"total_amount":1.10}"#)]), ("fees", vec![])];
        let document = joined(&raw("{\"id\":7 }"), &parts).unwrap();
        assert_eq!(document.get(), r#"{"id":7,"ordersync":{"refunds":[{"total_amount":1.10}],"fees":[]}}"#);
        assert_eq!(joined(&raw("{}"), &[("fees", vec![])]).unwrap().get(), r#"{"ordersync":{"fees":[]}}"#);
        assert_eq!(joined(&raw(r#"{"id":7}"#), &[]).unwrap().get(), r#"{"id":7}"#);
        assert_eq!(joined(&raw("[]"), &parts).unwrap().get(), "[]");
    }

    #[test]
    fn rows_go_to_their_orders_in_the_order_of_their_ids_and_strangers_are_no_answer() {
        let rows = |texts: &[&str]| texts.iter().map(|text| raw(text)).collect::<Rows>();
        let of = |row: &RawValue| {
            let of: serde_json::Value = serde_json::from_str(row.get()).ok()?;
            of["of"].as_str().map(str::to_owned)
        };
        let three = [r#"{"id":9,"of":"7"}"#, r#"{"id":"8","of":"7"}"#, r#"{"id":9,"of":"7"}"#];
        let found = by_order(rows(&three), &["7", "6"], of).unwrap();
        let texts: Vec<&str> = found["7"].iter().map(|row| row.get()).collect();
        assert_eq!((found.len(), texts), (1, vec![three[1], three[0]]));
        for stranger in [r#"{"id":9,"of":"5"}"#, r#"{"id":9}"#, "[]"] {
            assert!(by_order(rows(&[stranger]), &["7"], of).is_none(), "{stranger}");
        }
        assert_eq!(in_order(rows(&[r#"{"a":1}"#, r#"{"a":2}"#])).len(), 2, "without ids nothing is the same");
    }
}
