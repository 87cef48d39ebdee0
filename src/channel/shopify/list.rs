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
pub struct Span {
    /// From this second on; `None`: from the first order on.
    pub since: Option<i64>,
    /// Up to this second.
    pub until: Option<i64>,
}

/// A list of orders, the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// By when they were changed.
    Changed(Span),
    /// By when they were made.
    Made {
        /// At or after.
        from: i64,
        /// Before.
        to: Option<i64>,
        /// Those that were changed at or after.
        since: Option<i64>,
    },
    /// Those of one second of another list, also from the last on.
    Second {
        /// Whether it is by when they were changed.
        changed: bool,
        /// The second.
        at: i64,
        /// Those that were changed at or after.
        since: Option<i64>,
        /// Whether it begins with the last.
        reverse: bool,
    },
}

impl List {
    /// What is asked for a page of it.
    pub fn question(self, size: u32, lines: u32, after: Option<&str>) -> Value {
        let reverse = matches!(self, Self::Second { reverse: true, .. });
        json!({
            "first": size, "lines": lines, "after": after, "query": self.filter(), "sort": self.sort(), "reverse": reverse,
        })
    }

    /// By what it is sorted.
    pub fn sort(self) -> &'static str {
        match self {
            Self::Changed(_) | Self::Second { changed: true, .. } => "UPDATED_AT",
            Self::Made { .. } | Self::Second { .. } => "CREATED_AT",
        }
    }

    /// Its orders of one second.
    pub fn only(self, at: i64, reverse: bool) -> Self {
        match self {
            Self::Changed(_) => Self::Second { changed: true, at, since: None, reverse },
            Self::Made { since, .. } => Self::Second { changed: false, at, since, reverse },
            Self::Second { changed, since, .. } => Self::Second { changed, at, since, reverse },
        }
    }

    /// The filter for it; nothing for everything.
    pub fn filter(self) -> Option<String> {
        let terms: Vec<String> = match self {
            Self::Changed(Span { since, until }) => {
                let until = until.map(|at| format!("updated_at:<='{}'", second(at)));
                at_least("updated_at", since).into_iter().chain(until).collect()
            }
            Self::Made { from, to, since } => {
                let to = to.map(|at| format!("created_at:<'{}'", second(at)));
                at_least("created_at", Some(from)).into_iter().chain(to).chain(at_least("updated_at", since)).collect()
            }
            Self::Second { at, .. } => vec![self.between(at, at + 1)],
        };
        (!terms.is_empty()).then(|| terms.join(" "))
    }

    /// The filter for those of its orders that were changed or made, as it is sorted, in these
    /// seconds, the last not included.
    pub fn between(self, from: i64, to: i64) -> String {
        match self {
            Self::Changed(_) | Self::Second { changed: true, .. } => {
                format!("updated_at:>='{}' updated_at:<'{}'", second(from), second(to))
            }
            Self::Made { since, .. } | Self::Second { since, .. } => {
                Self::Made { from, to: Some(to), since }.filter().unwrap_or_default()
            }
        }
    }

    /// Those of its orders that were changed or made, as it is sorted, up to and including this
    /// second.
    pub fn up_to(self, at: i64) -> Self {
        let sooner = |end: Option<i64>, at: i64| Some(end.map_or(at, |end| end.min(at)));
        match self {
            Self::Changed(span) => Self::Changed(Span { until: sooner(span.until, at), ..span }),
            Self::Made { from, to, since } => Self::Made { from, to: sooner(to, at + 1), since },
            second @ Self::Second { .. } => second,
        }
    }

    /// The time by which an order is sorted.
    pub fn key(self, row: &Row) -> Option<i64> {
        match self {
            Self::Changed(_) | Self::Second { changed: true, .. } => row.changed,
            Self::Made { .. } | Self::Second { .. } => row.made,
        }
    }

    /// The first second of it.
    pub fn start(self) -> i64 {
        match self {
            Self::Changed(span) => span.since.unwrap_or(0),
            Self::Made { from, .. } => from,
            Self::Second { at, .. } => at,
        }
    }

    /// The second behind it, where it has an end.
    pub fn end(self) -> Option<i64> {
        match self {
            Self::Changed(span) => span.until.map(|until| until + 1),
            Self::Made { to, .. } => to,
            Self::Second { at, .. } => Some(at + 1),
        }
    }

    /// Holds what came against what was asked for: a filter, an order of rows or a size that is
    /// ignored would move the position over orders that were never seen (I-3). The list is sorted
    /// by what the search index knows, an order says when it was changed in fact, which may be
    /// later than that, but never earlier.
    pub fn check(self, rows: &[Row], size: usize, now: i64) -> Result<()> {
        let ids: BTreeSet<&str> = rows.iter().map(|row| row.order.remote_id.as_str()).collect();
        if rows.len() > size || ids.len() < rows.len() {
            return Err(odd("more rows than asked for, or one of them twice"));
        }
        match self {
            Self::Changed(span) => changed(span, rows, now - SETTLED),
            Self::Made { from, to, since } => made(from, to, since, rows),
            // Part of a list of which the rest is checked.
            Self::Second { .. } => Ok(()),
        }
    }
}

fn changed(span: Span, rows: &[Row], settled: i64) -> Result<()> {
    let times: Vec<i64> = rows.iter().filter_map(|row| row.changed).collect();
    let late = |at: i64| span.until.is_some_and(|until| until < at && at <= settled);
    if times.iter().any(|at| span.since.is_some_and(|since| *at < since) || late(*at)) {
        return Err(odd("orders that were changed at other times"));
    }
    // The index may have lost a change of one order or another; a list in no order goes down at
    // every other row.
    let down = times.iter().zip(times.iter().skip(1)).filter(|(one, next)| next < one && **one <= settled).count();
    if down > 1 && down * 4 > times.len() {
        return Err(odd("not in the order asked for"));
    }
    Ok(())
}

fn made(from: i64, to: Option<i64>, since: Option<i64>, rows: &[Row]) -> Result<()> {
    let mut newest = i64::MIN;
    for row in rows {
        let early = since.zip(row.changed).is_some_and(|(since, at)| at < since);
        let outside = |at: i64| at < from || to.is_some_and(|to| at >= to);
        if early || row.made.is_some_and(outside) {
            return Err(odd("orders that were made or changed at other times"));
        }
        if row.made.is_some_and(|at| at < newest) {
            return Err(odd("not in the order asked for"));
        }
        newest = newest.max(row.made.unwrap_or(newest));
    }
    Ok(())
}

fn odd(what: &str) -> Error {
    let text = format!("Shopify's list of orders is not what was asked for: {what}; nothing of it was imported");
    Error::new(ErrorKind::Unreadable, text)
        .hint("if something stands between here and Shopify (a proxy, a cache, --endpoint), it changes what is asked")
}

fn at_least(field: &str, at: Option<i64>) -> Option<String> {
    at.map(|at| format!("{field}:>='{}'", second(at)))
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
        let changed = List::Changed(Span { since: Some(1000), until: Some(9000) });
        let made = List::Made { from: 100, to: Some(200), since: Some(1000) };
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
