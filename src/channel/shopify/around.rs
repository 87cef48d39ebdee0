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
use crate::channel::isolate::isolate;
use crate::clock::{Timestamp, rfc3339};
use crate::error::{Error, Result};

/// So many orders of one second are named at most; each name takes a dozen questions.
const MOST_NAMED: u64 = 8;

/// So many seconds are looked through one by one before the list goes on behind them.
const SECONDS: usize = 32;

/// Reads on from `after`, where a page failed, up to an order that cannot be shown and over it.
/// `last` is what the walk has met before.
pub fn read(api: &Api, settings: &Settings, list: List, after: Option<&str>, last: &Last) -> Result<Read> {
    let size = api.sizes.page();
    let well = || {
        api.ask(&query::SHOP, json!({}))?;
        shows_any(api)
    };
    let found = isolate(after.map(str::to_owned), size as usize, rows_of(api, settings, list), well)?;
    let mut read = Read { rows: found.rows, ..Read::default() };
    match (found.at, found.why) {
        (None, _) => {}
        (Some(at), Some(why)) => {
            let mut last = last.clone();
            last.add(list, &read.rows);
            step_over(api, settings, (list, at), &last, &why, &mut read)?;
        }
        (Some(at), None) => {
            // Everything came in smaller pages: that much is what the server can bear.
            api.sizes.bear_less(size);
            read.next = at.map(Onward::After);
        }
    }
    Ok(read)
}

/// Whether Shopify shows an order at all, one from either end of what was made and what was
/// changed: where it fails at all of them, it is not the orders.
fn shows_any(api: &Api) -> Result<()> {
    let lines = api.sizes.page_lines.get();
    let one = |sort: &str, reverse: bool| {
        let question = json!({ "first": 1, "lines": lines, "sort": sort, "reverse": reverse });
        api.ask_shortly(&query::ORDERS, question).map(drop)
    };
    let ends = [("CREATED_AT", false), ("UPDATED_AT", true), ("UPDATED_AT", false)];
    ends.into_iter().fold(one("CREATED_AT", true), |shown, (sort, reverse)| shown.or_else(|_| one(sort, reverse)))
}

/// Rows of a list, and the cursor that it goes on from, where it does.
type Stretch = (Vec<Row>, Option<Option<String>>);

/// Reads so many orders of a list from a cursor on.
fn rows_of<'a>(
    api: &'a Api,
    settings: &'a Settings,
    list: List,
) -> impl Fn(&Option<String>, usize) -> Result<Stretch> + 'a {
    move |after, count| {
        let page = ask_shortly(api, settings, list, after.as_deref(), u32::try_from(count).unwrap_or(1))?;
        let next = match page.next {
            Some(Onward::After(after)) => Some(Some(after)),
            _ => None,
        };
        Ok((page.rows, next))
    }
}

/// Steps over the order that stands at this place of a list.
fn step_over(
    api: &Api,
    settings: &Settings,
    (list, at): (List, Option<String>),
    last: &Last,
    why: &Error,
    read: &mut Read,
) -> Result<()> {
    let question = json!({ "first": 1, "after": at, "query": list.filter(), "sort": list.sort() });
    match api.ask_shortly(&query::HEADS, question) {
        Ok(answer) => {
            let heads: wire::Orders<wire::Head> = answer.read()?;
            let next = heads.orders.further(at.as_deref(), "orders", "nothing more was imported")?;
            if let Some(head) = heads.orders.nodes.first() {
                read.passed = map::second(head.updated_at.as_deref());
                read.unshown.push(unshown(
                    head.id.as_deref().map(number),
                    head.updated_at.as_deref().unwrap_or_default(),
                    why,
                ));
            }
            read.next = next.map(Onward::After);
            Ok(())
        }
        Err(error) if chokes(&error) => by_time(api, settings, list, last, why, read),
        Err(error) => Err(error),
    }
}

/// Steps over it by the second in which it stands in the list.
fn by_time(api: &Api, settings: &Settings, list: List, last: &Last, why: &Error, read: &mut Read) -> Result<()> {
    let Some(at) = find_second(api, settings, list, last, read)? else { return Ok(()) };
    let end = at + 1;
    read.passed = Some(at);
    let all = count_one(api, list.between(at, end))?;
    if (met_at(read, list, at).len() as u64) + 1 < all {
        let (mut back, _) = up_to_it(api, settings, list.only(at, true), all)?;
        back.reverse();
        read.rows.extend(back);
    }
    let known = met_at(read, list, at);
    let place = rfc3339(Timestamp::from_timestamp(at, 0).unwrap_or_default());
    let hidden = all.saturating_sub(known.len() as u64).max(1);
    let known = known.iter().filter_map(|id| id.parse().ok()).collect();
    let filter = list.between(at, end);
    let ids = ids_in(&|filters| count_each(api, filters), &filter, known, hidden.min(MOST_NAMED)).unwrap_or_default();
    read.unshown.extend(ids.iter().map(|id| unshown(Some(&id.to_string()), &place, why)));
    if (ids.len() as u64) < hidden {
        read.unshown.push(unshown(None, &place, why));
    }
    Ok(())
}

/// The orders of this second that were read; some of them twice, on the page and in their second
/// alone.
fn met_at(read: &Read, list: List, at: i64) -> BTreeSet<&str> {
    read.rows.iter().filter(|row| list.key(row) == Some(at)).map(|row| &*row.order.remote_id).collect()
}

/// The second of the order that cannot be shown; what stands before it there is read, and the list
/// goes on behind it. `None` where it was not come upon: what was read on the way is whole, and the
/// list goes on behind that.
fn find_second(api: &Api, settings: &Settings, list: List, last: &Last, read: &mut Read) -> Result<Option<i64>> {
    let (floor, met) = last.floor(list);
    let bound = list.end().unwrap_or(i64::MAX).min(api.now().timestamp() + 1);
    // The first second by whose end there are more orders than so many.
    let more_than = |met: u64, from: i64| {
        let filter = |end: i64| list.between(from, end);
        first_where(&|filters| count_each(api, filters), from + 1, bound, &filter, &|_, count| count > met)
    };
    let mut from = floor;
    for (nth, met) in std::iter::once(met).chain(std::iter::repeat(0)).take(SECONDS).enumerate() {
        let end = more_than(met, from)?.max(from + 1);
        let (front, found) = second_of(api, settings, list, end - 1)?;
        if nth == 0 && !found {
            // An order has moved meanwhile. From the last that were met for sure on, second by
            // second, nothing can be missed.
            continue;
        }
        read.rows.extend(front);
        read.next = Some(Onward::From(end));
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

/// The orders of one second of a list up to one that cannot be shown, and whether there is one.
fn second_of(api: &Api, settings: &Settings, list: List, at: i64) -> Result<(Vec<Row>, bool)> {
    let all = count_one(api, list.between(at, at + 1))?;
    if all == 0 { Ok((Vec::new(), false)) } else { up_to_it(api, settings, list.only(at, false), all) }
}

/// The orders of a list of so many up to one that cannot be shown, and whether there is one.
fn up_to_it(api: &Api, settings: &Settings, list: List, many: u64) -> Result<(Vec<Row>, bool)> {
    let size = usize::try_from(many).unwrap_or(usize::MAX).min(api.sizes.page() as usize);
    let (mut rows, mut at) = (Vec::new(), None);
    loop {
        let found = isolate(at, size, rows_of(api, settings, list), || Ok(()))?;
        rows.extend(found.rows);
        match (found.at, found.why) {
            (Some(next), None) => at = next,
            (_, why) => return Ok((rows, why.is_some())),
        }
    }
}

/// Counts the orders of several filters.
type Count<'a> = dyn Fn(&[String]) -> Result<Vec<u64>> + 'a;

/// The ids of so many orders of a filter that are not known, where ids can be asked for by range.
/// Each is named only where it is counted alone as one: whatever answers with counts that do not
/// heed the range names an order that there is not.
fn ids_in(count: &Count<'_>, filter: &str, mut known: Vec<i64>, hidden: u64) -> Result<Vec<i64>> {
    let below = |end: i64| format!("{filter} id:<{end}");
    let mut found = Vec::new();
    for _ in 0..hidden {
        let known_below = |end: i64| known.iter().filter(|id| **id < end).count() as u64;
        let end = first_where(count, 1, i64::MAX, &below, &|end, count| count > known_below(end))?;
        let alone = format!("{filter} id:>={} id:<{end}", end - 1);
        if end == i64::MAX || end <= 1 || count(&[alone])?.first() != Some(&1) {
            break;
        }
        found.push(end - 1);
        known.push(end - 1);
    }
    Ok(found)
}

/// The first of `from..=to` at which a count says yes, of which all after it do; the last is taken
/// to. Each question counts at many at once.
fn first_where(
    count: &Count<'_>,
    mut from: i64,
    mut to: i64,
    filter: &dyn Fn(i64) -> String,
    holds: &dyn Fn(i64, u64) -> bool,
) -> Result<i64> {
    while from < to {
        let step = ((to - from) / query::COUNTED as i64).max(1);
        let points: Vec<i64> = (0..query::COUNTED as i64)
            .map_while(|n| from.checked_add(step.checked_mul(n)?))
            .filter(|at| *at < to)
            .collect();
        let counts = count(&points.iter().map(|at| filter(*at)).collect::<Vec<_>>())?;
        let first = points.iter().zip(counts).position(|(at, count)| holds(*at, count));
        let last = points.last().copied().unwrap_or(from);
        match first {
            Some(0) => return Ok(from),
            Some(n) => {
                let (before, at) = (points.get(n - 1).copied().unwrap_or(from), points.get(n).copied().unwrap_or(to));
                (from, to) = (before + 1, at);
            }
            None => from = last + 1,
        }
    }
    Ok(to)
}

fn unshown(id: Option<&str>, at: &str, why: &Error) -> Unshown {
    let place = format!("the order of {at}");
    Unshown { remote_id: id.map(str::to_owned), place, why: why.message().to_owned() }
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
