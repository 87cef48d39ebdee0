//! eBay's list of orders: what is asked of it, and what its answers are.
//!
//! It is filtered by the time of the last change or by that of creation; where both are given, eBay
//! takes the second and says nothing of it, so they never are. Its order is documented nowhere. Orders
//! stand in it for two years.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::api::Api;
use super::errors;
use super::map::time;
use super::wire::{Head, Page};
use crate::channel::isolate::REPEATS;
use crate::channel::page_size::of_least;
use crate::channel::{meant, rows};
use crate::clock::{Timestamp, from_millis};
use crate::error::{Error, ErrorKind, Result};

/// How far back the list reaches: two years, less what two clocks may be apart.
const REACH: i64 = 729 * DAY;

/// A day in milliseconds.
pub(crate) const DAY: i64 = 86_400_000;

/// What eBay says that it lists may be so many milliseconds beside what it was asked for.
const SLACK: i64 = 1_000;

/// So many orders every server gives.
const LEAST: usize = 25;

/// An order that was changed after it was listed, and before its row was made, was so not long ago.
const JUST_NOW: i64 = 3_600_000;

/// The time that a list is filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum By {
    /// That of the last change.
    Modified,
    /// That of creation, which does not move.
    Created,
}

/// Orders of a stretch of time, in milliseconds since the epoch, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) by: By,
    pub(crate) from: i64,
    /// `None`: without end.
    pub(crate) until: Option<i64>,
}

/// A row of the list.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: Option<String>,
    /// When it was changed last, in milliseconds since the epoch.
    pub(crate) modified: Option<i64>,
    created: Option<i64>,
    pub(crate) document: Box<RawValue>,
}

/// A page as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listed {
    pub(crate) rows: Vec<Row>,
    /// How many orders the list has, where it is told.
    pub(crate) total: Option<u64>,
    /// It says that there are more behind these.
    pub(crate) more: bool,
    pub(crate) warnings: Vec<String>,
}

/// The first moment that can be asked for.
pub(crate) fn reach(now: i64) -> i64 {
    now.saturating_sub(REACH)
}

/// eBay's clock, in milliseconds since the epoch.
pub(crate) fn now(api: &Api) -> i64 {
    api.now().timestamp_millis()
}

/// Asks for so many orders of a span, from a place on.
pub(crate) fn read(api: &Api, span: &Span, size: u64, offset: u64, repeats: u32) -> Result<Listed> {
    // A clock that was set back, or is behind ours: the second time eBay's own is known.
    for _ in 0..2 {
        let asked = span.as_asked(now(api));
        let reply = api.orders(&asked.filter(), size, offset, repeats)?;
        if errors::is_in_future(&reply) {
            continue;
        }
        let listed = rows::member(&reply, "orders", "total")?;
        let page: Page<'_> = reply.json().map(|(page, _)| page).unwrap_or_default();
        let total = listed.total.as_deref().and_then(meant);
        if listed.rows.len() as u64 > size {
            return Err(odd(&format!("{} orders came where {size} were asked for", listed.rows.len())));
        }
        if meant(page.offset.get()).is_some_and(|told| told != offset) {
            return Err(odd("another page came than the one that was asked for"));
        }
        let rows: Vec<Row> = listed.rows.into_iter().map(|row| self::row(row.into_owned())).collect();
        asked.check(&rows, now(api))?;
        let warnings = listed.cut.then(|| "eBay's answers have more around them than JSON; it was left out".to_owned());
        return Ok(Listed { rows, total, more: !page.next.get().is_empty(), warnings: warnings.into_iter().collect() });
    }
    let text = "eBay says that this moment has not come yet by its clock; nothing was imported";
    Err(Error::new(ErrorKind::Temporary, text).hint(crate::http::status::AGAIN))
}

/// Asks for a page of a span, from a place on. One may be refused for its size; where a small one is as
/// well, it was not that.
pub(crate) fn page(api: &Api, span: &Span, offset: u64) -> Result<Listed> {
    let fetch = |size: usize| read(api, span, size as u64, offset, REPEATS);
    let size = api.page().get() as usize;
    match fetch(size) {
        Err(error) if error.kind() == ErrorKind::Failed && size > LEAST => {
            let keep = |rows: usize| api.page().at_most(u32::try_from(rows).unwrap_or(u32::MAX));
            of_least(size, LEAST, keep, fetch).ok().flatten().ok_or(error)
        }
        listed => listed,
    }
}

/// How many orders a span has; nothing where its first ones cannot be shown. The question is that for
/// its first page: a cache that heeds no more than the path gives nothing new for it.
pub(crate) fn count(api: &Api, span: &Span) -> Result<Option<u64>> {
    match page(api, span, 0) {
        Ok(listed) => Ok(listed.total),
        Err(error) if error.is_too_much() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks for what holds no order, or an old one: an outage fails here too.
pub(crate) fn is_well(api: &Api) -> Result<()> {
    let first = reach(now(api));
    let nothing = Span { by: By::Created, from: first, until: Some(first + SLACK) };
    api.orders(&nothing.filter(), 1, 0, 1).map(drop)
}

/// An answer that is not the answer to what was asked: going on would import other orders, or leave
/// some out.
pub(crate) fn odd(why: &str) -> Error {
    let text = format!("eBay does not answer what it is asked ({why}); nothing was imported of this page");
    Error::new(ErrorKind::Unreadable, text)
        .hint("a proxy or a cache may stand before it; if it stays so, ordersync doctor --bundle and tell us")
}

impl Span {
    /// The span as it can be asked for: not beyond what is kept, nor what has not come yet.
    fn as_asked(&self, now: i64) -> Self {
        let from = self.from.max(reach(now)).min(now);
        Self { by: self.by, from, until: self.until.map(|until| until.min(now).max(from)) }
    }

    fn filter(&self) -> String {
        let name = match self.by {
            By::Modified => "lastmodifieddate",
            By::Created => "creationdate",
        };
        format!("{name}:[{}..{}]", moment(self.from), self.until.map(moment).unwrap_or_default())
    }

    /// Holds what came against what was asked.
    fn check(&self, rows: &[Row], now: i64) -> Result<()> {
        let key = |row: &Row| if self.by == By::Created { row.created } else { row.modified };
        let ignored = rows.iter().filter_map(key).any(|at| {
            let is_late = self.until.is_some_and(|until| at > until.saturating_add(SLACK));
            let is_excused = self.by == By::Modified && at >= now.saturating_sub(JUST_NOW);
            at < self.from.saturating_sub(SLACK) || (is_late && !is_excused)
        });
        if ignored { Err(odd("it gives orders of another time: the filter was ignored")) } else { Ok(()) }
    }
}

fn moment(at: i64) -> String {
    super::operation::moment(from_millis(at))
}

fn row(document: Box<RawValue>) -> Row {
    let (id, modified, created) = {
        let head: Head<'_> = serde_json::from_str(document.get()).unwrap_or_default();
        let at = |text| time(text, "").ok().flatten().map(|at: Timestamp| at.timestamp_millis());
        (head.order_id.id().map(str::to_owned), at(&head.modified), at(&head.created))
    };
    let id = id.or_else(|| rows::dug(&document, "orderId"));
    Row { id, modified, created, document }
}

#[cfg(test)]
pub(crate) fn row_for_tests(id: &str, at: i64) -> Row {
    let document = RawValue::from_string(serde_json::json!({ "orderId": id }).to_string()).unwrap_or_default();
    Row { id: Some(id.to_owned()), modified: Some(at), created: Some(at), document }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000_000;

    #[test]
    fn a_filter_names_one_time_and_stays_within_what_ebay_takes() {
        let span = Span { by: By::Modified, from: NOW - DAY, until: None };
        assert_eq!(span.as_asked(NOW).filter(), "lastmodifieddate:[2026-11-17T11:06:40.000Z..]");
        let old = Span { by: By::Created, from: 0, until: Some(NOW + DAY) }.as_asked(NOW);
        assert_eq!((old.from, old.until), (NOW - 729 * DAY, Some(NOW)));
        assert_eq!(old.filter(), "creationdate:[2024-11-19T11:06:40.000Z..2026-11-18T11:06:40.000Z]");
        let ahead = Span { from: NOW + DAY, ..span }.as_asked(NOW);
        assert_eq!(ahead.from, NOW, "a bound that has not come yet is refused");
    }

    #[test]
    fn i3_orders_of_another_time_than_was_asked_for_are_no_answer() {
        let by = |by, until| Span { by, from: NOW - DAY, until };
        let at = |at| [row_for_tests("1-1", at)];
        for (span, row, fits) in [
            (by(By::Modified, None), NOW - DAY, true),
            (by(By::Modified, None), NOW + 9 * DAY, true),
            (by(By::Modified, None), NOW - 2 * DAY, false),
            (by(By::Modified, Some(NOW - 1)), NOW, true),
            (by(By::Modified, Some(NOW - DAY / 2)), NOW - DAY / 4, false),
            (by(By::Created, Some(NOW - 5_000)), NOW, false),
        ] {
            assert_eq!(span.check(&at(row), NOW).is_ok(), fits, "{span:?} {row}");
        }
    }
}
