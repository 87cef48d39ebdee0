//! Reading around an order that Shopify itself cannot show.
//!
//! Every page that holds such an order is an error as a whole. It is found by smaller pages
//! ([`isolate`]), and stepped over by the cursor behind it, where a list of ids alone still comes.
//! Where that fails as well, counts still come, since they show no order: they tell the second in
//! which it stands, the list goes on behind that second, and what else is in it is read from its
//! other end.

use std::collections::BTreeSet;

use serde_json::json;

use super::api::Api;
use super::list::List;
use super::pages::{Last, Onward, Read, Row, ask_shortly};
use super::settings::Settings;
use super::sizes::chokes;
use super::slices::{count_each, count_one};
use super::{map, number, query, wire};
use crate::channel::Unshown;
use crate::channel::first_where::first_where;
use crate::channel::isolate::isolate;
use crate::clock::{Timestamp, rfc3339};
use crate::error::{Error, Result};

/// So many orders of one second are named at most; each name takes a dozen questions.
const MOST_NAMED: u64 = 8;

/// So many seconds are looked through one by one before the list goes on behind them.
const SECONDS: usize = 32;

/// Reads on from `after`, where a page failed, up to an order that cannot be shown and over it.
/// `last` is what the walk has met before.
pub(crate) fn read(api: &Api, settings: &Settings, list: List, after: Option<&str>, last: &Last) -> Result<Read> {
    let mut search = Search { api, settings, list, read: Read::default() };
    search.go(after, last.clone())?;
    Ok(search.read)
}

/// A search in a list, and what has come of it.
struct Search<'a> {
    api: &'a Api,
    settings: &'a Settings,
    list: List,
    read: Read,
}

/// Rows of a list, and the cursor that it goes on from, where it does.
type Stretch = (Vec<Row>, Option<Option<String>>);

impl Search<'_> {
    fn go(&mut self, after: Option<&str>, mut last: Last) -> Result<()> {
        let size = self.api.sizes.page();
        let well = || self.api.ask(&query::SHOP, json!({})).and_then(|_| self.shows_any());
        let rows = |at: &Option<String>, count| self.rows(self.list, at, count);
        let found = isolate(after.map(str::to_owned), size as usize, rows, well)?;
        self.read.rows = found.rows;
        match (found.at, found.why) {
            (None, _) => {}
            (Some(at), Some(why)) => {
                last.add(self.list, &self.read.rows);
                self.step_over(at.as_deref(), &last, &why)?;
            }
            (Some(at), None) => {
                // Everything came in smaller pages: that much is what the server can bear.
                self.api.sizes.bear_less(size);
                self.read.next = at.map(Onward::After);
            }
        }
        Ok(())
    }

    /// Whether Shopify shows an order at all, one from either end of what was made and what was
    /// changed: where it fails at all of them, it is not the orders.
    fn shows_any(&self) -> Result<()> {
        let lines = self.api.sizes.page_lines.get();
        let one = |sort: &str, reverse: bool| {
            let question = json!({ "first": 1, "lines": lines, "sort": sort, "reverse": reverse });
            self.api.ask_shortly(&query::ORDERS, question).map(drop)
        };
        let ends = [("CREATED_AT", false), ("UPDATED_AT", true), ("UPDATED_AT", false)];
        ends.into_iter().fold(one("CREATED_AT", true), |shown, (sort, reverse)| shown.or_else(|_| one(sort, reverse)))
    }

    /// So many orders of a list from a cursor on.
    fn rows(&self, list: List, after: &Option<String>, count: usize) -> Result<Stretch> {
        let count = u32::try_from(count).unwrap_or(1);
        let page = ask_shortly(self.api, self.settings, list, after.as_deref(), count)?;
        let next = match page.next {
            Some(Onward::After(after)) => Some(Some(after)),
            _ => None,
        };
        Ok((page.rows, next))
    }

    /// Steps over the order that stands at this place of the list.
    fn step_over(&mut self, at: Option<&str>, last: &Last, why: &Error) -> Result<()> {
        let question = json!({ "first": 1, "after": at, "query": self.list.filter(), "sort": self.list.sort() });
        match self.api.ask_shortly(&query::HEADS, question) {
            Ok(answer) => {
                let heads: wire::Orders<wire::Head> = answer.read()?;
                let next = heads.orders.further(at, "orders", "nothing more was imported")?;
                if let Some(wire::Head { id, updated_at, .. }) = heads.orders.nodes.first() {
                    let changed = updated_at.as_deref().unwrap_or_default();
                    self.read.passed = map::second(Some(changed));
                    self.hide(id.as_deref().map(number), changed, why);
                }
                self.read.next = next.map(Onward::After);
                Ok(())
            }
            Err(error) if chokes(&error) => self.step_over_by_time(last, why),
            Err(error) => Err(error),
        }
    }

    /// Steps over it by the second in which it stands in the list.
    fn step_over_by_time(&mut self, last: &Last, why: &Error) -> Result<()> {
        let Some(at) = self.find_second(last)? else { return Ok(()) };
        self.read.passed = Some(at);
        let filter = self.list.between(at, at + 1);
        let all = count_one(self.api, filter.clone())?;
        if (self.met_at(at).len() as u64) + 1 < all {
            let (mut back, _) = self.up_to_it(self.list.only(at, true), all)?;
            back.reverse();
            self.read.rows.extend(back);
        }
        let known = self.met_at(at);
        let hidden = all.saturating_sub(known.len() as u64).max(1);
        let known = known.iter().filter_map(|id| id.parse().ok()).collect();
        let count = |filters: &[String]| count_each(self.api, filters);
        let ids = ids_in(&count, &filter, known, hidden.min(MOST_NAMED)).unwrap_or_default();
        let place = rfc3339(Timestamp::from_timestamp(at, 0).unwrap_or_default());
        ids.iter().for_each(|id| self.hide(Some(&id.to_string()), &place, why));
        if (ids.len() as u64) < hidden {
            self.hide(None, &place, why);
        }
        Ok(())
    }

    fn hide(&mut self, id: Option<&str>, at: &str, why: &Error) {
        let (remote_id, place) = (id.map(str::to_owned), format!("the order of {at}"));
        self.read.unshown.push(Unshown { remote_id, place, why: why.message().to_owned(), unlisted: 0 });
    }

    /// The orders of this second that were read; some of them twice, on the page and in their
    /// second alone.
    fn met_at(&self, at: i64) -> BTreeSet<&str> {
        let rows = self.read.rows.iter().filter(|row| self.list.key(row) == Some(at));
        rows.map(|row| &*row.order.remote_id).collect()
    }

    /// The second of the order that cannot be shown; what stands before it there is read, and the
    /// list goes on behind it. `None` where it was not come upon: what was read on the way is
    /// whole, and the list goes on behind that.
    fn find_second(&mut self, last: &Last) -> Result<Option<i64>> {
        let (mut from, met) = last.floor(self.list);
        let bound = self.list.end().unwrap_or(i64::MAX).min(self.api.now().timestamp() + 1);
        for (nth, met) in std::iter::once(met).chain(std::iter::repeat(0)).take(SECONDS).enumerate() {
            // The first second by whose end there are more orders than those that were met.
            let api = self.api;
            let count = |filters: &[String]| count_each(api, filters);
            let more = by_counts(&count, |end| self.list.between(from, end), |_, count| count > met);
            let end = first_where(from + 1, bound, query::COUNTED, more)?.max(from + 1);
            let all = count_one(api, self.list.between(end - 1, end))?;
            let (front, found) = self.up_to_it(self.list.only(end - 1, false), all)?;
            if nth == 0 && !found {
                // An order has moved meanwhile. From the last that were met for sure on, second by
                // second, nothing can be missed.
                continue;
            }
            self.read.rows.extend(front);
            self.read.next = Some(Onward::From(end));
            if found {
                return Ok(Some(end - 1));
            }
            if end >= bound {
                break;
            }
            from = end;
        }
        Ok(None)
    }

    /// The orders of a list of so many up to one that cannot be shown, and whether there is one.
    fn up_to_it(&self, list: List, many: u64) -> Result<(Vec<Row>, bool)> {
        let size = usize::try_from(many).unwrap_or(usize::MAX).min(self.api.sizes.page() as usize);
        let (mut rows, mut at) = (Vec::new(), None);
        if many == 0 {
            return Ok((rows, false));
        }
        loop {
            let found = isolate(at, size, |at, count| self.rows(list, at, count), || Ok(()))?;
            rows.extend(found.rows);
            match (found.at, found.why) {
                (Some(next), None) => at = next,
                (_, why) => return Ok((rows, why.is_some())),
            }
        }
    }
}

/// Counts the orders of several filters.
type Count<'a> = dyn Fn(&[String]) -> Result<Vec<u64>> + 'a;

/// The ids of so many orders of a filter that are not known, where ids can be asked for by range.
/// Each is named only where it is counted alone as one: whatever answers with counts that do not
/// heed the range names an order that there is not.
fn ids_in(count: &Count<'_>, filter: &str, mut known: Vec<i64>, hidden: u64) -> Result<Vec<i64>> {
    let mut found = Vec::new();
    for _ in 0..hidden {
        let known_below = |end: i64| known.iter().filter(|id| **id < end).count() as u64;
        let more = by_counts(count, |end| format!("{filter} id:<{end}"), |end, count| count > known_below(end));
        let end = first_where(1, i64::MAX, query::COUNTED, more)?;
        let alone = format!("{filter} id:>={} id:<{end}", end - 1);
        if end == i64::MAX || end <= 1 || count(&[alone])?.first() != Some(&1) {
            break;
        }
        found.push(end - 1);
        known.push(end - 1);
    }
    Ok(found)
}

/// Asks for the counts of several filters at once, and which of them say yes.
fn by_counts<'a>(
    count: &'a Count<'_>,
    filter: impl Fn(i64) -> String + 'a,
    holds: impl Fn(i64, u64) -> bool + 'a,
) -> impl FnMut(&[i64]) -> Result<Vec<bool>> + 'a {
    move |places| {
        let counts = count(&places.iter().map(|at| filter(*at)).collect::<Vec<_>>())?;
        Ok(places.iter().zip(counts).map(|(at, count)| holds(*at, count)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts these ids by the ranges in a filter.
    fn heeds<'a>(ids: &'a [i64]) -> impl Fn(&[String]) -> Result<Vec<u64>> + 'a {
        let bound = |filter: &str, sign: &str| {
            let mut words = filter.split(' ');
            words.find_map(|word| word.strip_prefix(sign)).and_then(|text| text.parse::<i64>().ok())
        };
        move |filters| {
            let count = |filter: &String| {
                let (from, end) = (bound(filter, "id:>=").unwrap_or(0), bound(filter, "id:<").unwrap_or(i64::MAX));
                ids.iter().filter(|id| (from..end).contains(id)).count() as u64
            };
            Ok(filters.iter().map(count).collect())
        }
    }

    #[test]
    fn i4_orders_that_cannot_be_shown_are_named_by_counts_that_heed_the_range() {
        let ids = [5_000_000_000_001, 5_000_000_000_002, 5_000_000_000_007];
        let found = ids_in(&heeds(&ids), "created_at:x", vec![ids[1]], 2).unwrap();
        assert_eq!(found, [ids[0], ids[2]]);
        assert_eq!(ids_in(&heeds(&ids), "created_at:x", ids.to_vec(), 1).unwrap(), [0; 0], "none is hidden");
    }

    #[test]
    fn i4_no_order_is_named_by_counts_that_say_the_same_of_every_range() {
        for same in [0, 1, 2, 60] {
            let count = |filters: &[String]| Ok(vec![same; filters.len()]);
            assert_eq!(ids_in(&count, "created_at:x", Vec::new(), 1).unwrap(), [0; 0], "{same}");
        }
    }
}
