//! A list of orders: what is asked for, and whether that is what comes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::pages::Row;
use crate::clock::{Timestamp, rfc3339};
use crate::error::{Error, ErrorKind, Result};

/// After so many seconds the search index knows of a change, whatever its lag.
const SETTLED: i64 = 3600;

/// A span of modification time; seconds since the epoch, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    /// From this second on; `None`: from the first order on.
    pub(crate) since: Option<i64>,
    /// Up to this second.
    pub(crate) until: Option<i64>,
}

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// When orders were changed.
    Changed,
    /// When they were made.
    Made,
}

/// A list of orders, the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct List {
    by: By,
    from: Option<i64>,
    /// The second behind it.
    to: Option<i64>,
    /// By when they were made: those that were changed at or after.
    since: Option<i64>,
    /// Of one second of another list, and whether it begins with the last.
    second: Option<bool>,
}

impl List {
    /// By when they were changed.
    pub(crate) fn changed(Span { since, until }: Span) -> Self {
        Self { by: By::Changed, from: since, to: until.map(|until| until + 1), since: None, second: None }
    }

    /// By when they were made: at or after `from`, before `to`, changed at or after `since`.
    pub(crate) fn made(from: i64, to: Option<i64>, since: Option<i64>) -> Self {
        Self { by: By::Made, from: Some(from), to, since, second: None }
    }

    /// What is asked for a page of it.
    pub(crate) fn question(self, size: u32, lines: u32, after: Option<&str>) -> Value {
        json!({
            "first": size, "lines": lines, "after": after, "query": self.filter(), "sort": self.sort(),
            "reverse": self.second == Some(true),
        })
    }

    /// By what it is sorted.
    pub(crate) fn sort(self) -> &'static str {
        match self.by {
            By::Changed => "UPDATED_AT",
            By::Made => "CREATED_AT",
        }
    }

    /// Its orders of one second.
    pub(crate) fn only(self, at: i64, reverse: bool) -> Self {
        Self { from: Some(at), to: Some(at + 1), second: Some(reverse), ..self }
    }

    /// The filter for it; nothing for everything.
    pub(crate) fn filter(self) -> Option<String> {
        let field = if self.by == By::Changed { "updated_at" } else { "created_at" };
        let term = |field: &str, sign: &str, at: Option<i64>| at.map(|at| format!("{field}:{sign}'{}'", second(at)));
        let terms = [term(field, ">=", self.from), term(field, "<", self.to), term("updated_at", ">=", self.since)];
        let terms: Vec<String> = terms.into_iter().flatten().collect();
        (!terms.is_empty()).then(|| terms.join(" "))
    }

    /// The filter for those of its orders that were changed or made, as it is sorted, in these
    /// seconds, the last not included.
    pub(crate) fn between(self, from: i64, to: i64) -> String {
        Self { from: Some(from), to: Some(to), ..self }.filter().unwrap_or_default()
    }

    /// The filter for those up to and including this second.
    pub(crate) fn up_to(self, at: i64) -> String {
        let to = if self.second.is_some() { self.to } else { Some(self.to.map_or(at + 1, |to| to.min(at + 1))) };
        Self { to, ..self }.filter().unwrap_or_default()
    }

    /// The time by which an order is sorted.
    pub(crate) fn key(self, row: &Row) -> Option<i64> {
        match self.by {
            By::Changed => row.changed,
            By::Made => row.made,
        }
    }

    /// The first second of it.
    pub(crate) fn start(self) -> i64 {
        self.from.unwrap_or(0)
    }

    /// The second behind it, where it has an end.
    pub(crate) fn end(self) -> Option<i64> {
        self.to
    }

    /// Holds what came against what was asked for: a filter, an order of rows or a size that is
    /// ignored would move the position over orders that were never seen (I-3). The list is sorted
    /// by what the search index knows, an order says when it was changed in fact, which may be
    /// later than that, but never earlier.
    pub(crate) fn check(self, rows: &[Row], size: usize, now: i64) -> Result<()> {
        let ids: BTreeSet<&str> = rows.iter().map(|row| row.order.remote_id.as_str()).collect();
        if rows.len() > size || ids.len() < rows.len() {
            return Err(odd("more rows than asked for, or one of them twice"));
        }
        if self.second.is_some() {
            // Part of a list of which the rest is checked.
            return Ok(());
        }
        let settled = now - SETTLED;
        let late = |at: i64| self.to.is_some_and(|to| to <= at && (self.by == By::Made || at <= settled));
        let outside = |at: i64| self.from.is_some_and(|from| at < from) || late(at);
        let early = |row: &Row| self.since.zip(row.changed).is_some_and(|(since, at)| at < since);
        let times: Vec<i64> = rows.iter().filter_map(|row| self.key(row)).collect();
        let mut older = rows.iter().filter(|row| self.from.zip(self.key(row)).is_some_and(|(from, at)| at < from));
        if let (By::Changed, Some(row), None) = (self.by, older.next(), older.next()) {
            return Err(self.stray(row));
        }
        if times.iter().any(|at| outside(*at)) || rows.iter().any(early) {
            return Err(odd("orders that were made or changed at other times"));
        }
        let down = |(one, next): &(&i64, &i64)| next < one && (self.by == By::Made || **one <= settled);
        let down = times.iter().zip(times.iter().skip(1)).filter(down).count();
        // The index may have lost a change of one order or another; a list in no order goes down at
        // every other row.
        let is_lost = self.by == By::Changed && (down <= 1 || down * 4 <= times.len());
        if down > 0 && !is_lost { Err(odd("not in the order asked for")) } else { Ok(()) }
    }
}

impl List {
    /// One order of it was last changed before the time that was asked for. That the index has one
    /// wrong for a while is reported of Shopify now and then; that the filter was not heeded looks the
    /// same where the store has few orders, so nothing goes on from there (I-3).
    fn stray(self, row: &Row) -> Error {
        let (id, told) = (&row.order.remote_id, |at: Option<i64>| at.map(second).unwrap_or_default());
        let text = format!(
            "Shopify lists order {id} by {}, {OLDER} ({}): its list is not what was asked for; nothing of this page was \
             imported, and the sync goes on from where it was",
            told(self.key(row)),
            told(self.from)
        );
        Error::new(ErrorKind::Unreadable, text).hint(format!(
            "the next sync asks again; where it stays so, open order {id} in Shopify's own pages and save it, and look \
             whether something stands between here and Shopify (a proxy, a cache, --endpoint)"
        ))
    }
}

/// What is wrong with such an order.
const OLDER: &str = "before the time that was asked for";

/// Whether that is what is wrong with a page: a moment later the index may have it right.
pub(crate) fn is_of_a_stray(error: &Error) -> bool {
    error.kind() == ErrorKind::Unreadable && error.message().contains(OLDER)
}

fn odd(what: &str) -> Error {
    let text = format!("Shopify's list of orders is not what was asked for: {what}; nothing of it was imported");
    Error::new(ErrorKind::Unreadable, text)
        .hint("if something stands between here and Shopify (a proxy, a cache, --endpoint), it changes what is asked")
}

fn second(at: i64) -> String {
    rfc3339(Timestamp::from_timestamp(at, 0).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::RemoteOrder;

    fn rows(times: &[(i64, i64)]) -> Vec<Row> {
        let row = |(id, (made, changed)): (usize, &(i64, i64))| Row {
            order: RemoteOrder {
                remote_id: id.to_string(),
                document: serde_json::value::RawValue::from_string("{}".to_owned()).unwrap(),
                order: Err(String::new()),
            },
            made: Some(*made),
            changed: Some(*changed),
        };
        times.iter().enumerate().map(row).collect()
    }

    #[test]
    fn i3_what_comes_is_held_against_what_was_asked_for() {
        let now = 100_000;
        let changed = List::changed(Span { since: Some(1000), until: Some(9000) });
        let made = List::made(100, Some(200), Some(1000));
        let good: &[(List, &[(i64, i64)])] = &[
            (changed, &[(1, 1000), (1, 1000), (1, 9000)]),
            // Changed since the index knew of it.
            (changed, &[(1, 99_999), (1, 5000), (1, 99_000)]),
            // Changed long ago, and the index never knew.
            (changed, &[(1, 2000), (1, 8000), (1, 3000), (1, 4000)]),
            (made, &[(100, 5000), (100, 1000), (199, 2000)]),
        ];
        for (list, times) in good {
            list.check(&rows(times), 50, now).unwrap();
        }
        let bad: &[(List, &[(i64, i64)])] = &[
            (changed, &[(1, 999)]),
            (changed, &[(1, 999), (1, 5000)]),
            (changed, &[(1, 998), (1, 999), (1, 5000)]),
            (changed, &[(1, 9001)]),
            (changed, &[(1, 3000), (1, 2000), (1, 2500), (1, 1999)]),
            (made, &[(99, 5000)]),
            (made, &[(200, 5000)]),
            (made, &[(100, 999)]),
            (made, &[(150, 5000), (149, 5000)]),
        ];
        for (list, times) in bad {
            let error = list.check(&rows(times), 50, now).unwrap_err();
            assert!(error.message().contains("not what was asked for"), "{times:?}: {error}");
        }
        let mut twice = rows(&[(1, 2000), (1, 2000)]);
        assert!(changed.check(&twice, 1, now).is_err(), "more than asked for");
        twice[1].order.remote_id = "0".to_owned();
        assert!(changed.check(&twice, 50, now).is_err());
    }
}
