//! Reading around an order that Shopify itself cannot show.
//!
//! Every page that holds such an order is an error as a whole. It is found by smaller pages ([`isolate`]), and stepped over by the
//! cursor behind it, where a list of ids alone still comes. Where that fails as well, counts still come, since they show no order: they tell
//! the second in which it stands, the list goes on behind that second, and what else is in it is read from its other end.

use std::collections::BTreeSet;

use serde_json::json;

use super::list::List;
use super::pages::{Last, Place, Read, Row, ask_shortly};
use super::settings::Settings;
use super::site::Site;
use super::sizes::chokes;
use super::slices::count_each;
use super::{number, query, wire};
use crate::channel::Unshown;
use crate::channel::isolate::isolate;
use crate::clock::{Timestamp, rfc3339};
use crate::error::{Error, Result};

/// So many orders of one second are named at most; each name takes a dozen questions.
const MOST_NAMED: u64 = 8;

/// Reads on from `after`, where a page failed, up to an order that cannot be shown and over it. `last` is what the walk has met before.
pub fn read(site: &Site, settings: &Settings, list: List, after: Option<&str>, last: &Last) -> Result<Read> {
    let size = site.sizes.page.get();
    let well = || site.ask(&query::SHOP, json!({})).map(drop);
    let found = isolate(after.map(str::to_owned), size as usize, rows_of(site, settings, list), well)?;
    let mut read = Read { rows: found.rows, ..Read::default() };
    match (found.at, found.why) {
        (None, _) => {}
        (Some(at), Some(why)) => {
            let mut last = last.clone();
            last.add(list, &read.rows);
            step_over(site, settings, (list, at), &last, &why, &mut read)?;
        }
        (Some(at), None) => {
            // Everything came in smaller pages: that much is what the server can bear.
            site.sizes.bear_less(size);
            read.next = at.map(Place::After);
        }
    }
    Ok(read)
}

/// Rows of a list, and the cursor that it goes on from, where it does.
type Stretch = (Vec<Row>, Option<Option<String>>);

/// Reads so many orders of a list from a cursor on.
fn rows_of<'a>(
    site: &'a Site,
    settings: &'a Settings,
    list: List,
) -> impl Fn(&Option<String>, usize) -> Result<Stretch> + 'a {
    move |after, count| {
        let page = ask_shortly(site, settings, list, after.as_deref(), u32::try_from(count).unwrap_or(1))?;
        let next = match page.next {
            Some(Place::After(after)) => Some(Some(after)),
            _ => None,
        };
        Ok((page.rows, next))
    }
}

/// Steps over the order that stands at this place of a list.
fn step_over(
    site: &Site,
    settings: &Settings,
    (list, at): (List, Option<String>),
    last: &Last,
    why: &Error,
    read: &mut Read,
) -> Result<()> {
    let question = json!({ "first": 1, "after": at, "query": list.filter(), "sort": list.sort() });
    match site.ask_shortly(&query::HEADS, question) {
        Ok(answer) => {
            let heads: wire::Heads = answer.read()?;
            let next = heads.orders.further(at.as_deref(), "orders", "nothing more was imported")?;
            if let Some(head) = heads.orders.nodes.first() {
                read.unshown.push(unshown(Some(number(&head.id)), &head.updated_at, why));
            }
            read.next = next.map(Place::After);
            Ok(())
        }
        Err(error) if chokes(&error) => by_time(site, settings, list, last, why, read),
        Err(error) => Err(error),
    }
}

/// Steps over it by the second in which it stands in the list. Where that cannot be told for sure it is an earlier one: its orders are read
/// once more, and the walk comes to the same place again.
fn by_time(site: &Site, settings: &Settings, list: List, last: &Last, why: &Error, read: &mut Read) -> Result<()> {
    let (floor, met) = last.floor(list);
    let filter = |end: i64| list.between(floor, end);
    // The first second by whose end there are more orders than were met.
    let end = first_where(site, floor + 1, site.now().timestamp() + 1, &filter, &|_, count| count > met)?;
    let at = end - 1;
    read.next = Some(Place::From(end));
    let (front, stopped) = up_to_it(site, settings, list.only(at, false))?;
    read.rows.extend(front);
    if !stopped {
        return Ok(());
    }
    let (mut back, _) = up_to_it(site, settings, list.only(at, true))?;
    back.reverse();
    read.rows.extend(back);
    let known: BTreeSet<&str> =
        read.rows.iter().filter(|row| list.key(row) == Some(at)).map(|row| &*row.order.remote_id).collect();
    let all = count_each(site, &[list.between(at, end)])?.first().copied().unwrap_or(0);
    let place = rfc3339(Timestamp::from_timestamp(at, 0).unwrap_or_default());
    let hidden = all.saturating_sub(known.len() as u64).max(1);
    let known = known.iter().filter_map(|id| id.parse().ok()).collect();
    let ids = ids_in(site, &list.between(at, end), known, hidden.min(MOST_NAMED)).unwrap_or_default();
    read.unshown.extend(ids.iter().map(|id| unshown(Some(&id.to_string()), &place, why)));
    if (ids.len() as u64) < hidden {
        read.unshown.push(unshown(None, &place, why));
    }
    Ok(())
}

/// The orders of a list up to one that cannot be shown, and whether there is one.
fn up_to_it(site: &Site, settings: &Settings, list: List) -> Result<(Vec<Row>, bool)> {
    let (mut rows, mut at) = (Vec::new(), None);
    loop {
        let found = isolate(at, site.sizes.page.get() as usize, rows_of(site, settings, list), || Ok(()))?;
        rows.extend(found.rows);
        match (found.at, found.why) {
            (Some(next), None) => at = next,
            (_, why) => return Ok((rows, why.is_some())),
        }
    }
}

/// The ids of so many orders of a filter that are not known, where ids can be asked for by range.
fn ids_in(site: &Site, filter: &str, mut known: Vec<i64>, hidden: u64) -> Result<Vec<i64>> {
    let below = |end: i64| format!("{filter} id:<{end}");
    let mut found = Vec::new();
    for _ in 0..hidden {
        let known_below = |end: i64| known.iter().filter(|id| **id < end).count() as u64;
        let end = first_where(site, 1, i64::MAX, &below, &|end, count| count > known_below(end))?;
        if end == i64::MAX {
            break;
        }
        found.push(end - 1);
        known.push(end - 1);
    }
    Ok(found)
}

/// The first of `from..=to` at which a count says yes, of which all after it do; the last is taken to. Each question counts at many at once.
fn first_where(
    site: &Site,
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
        let counts = count_each(site, &points.iter().map(|at| filter(*at)).collect::<Vec<_>>())?;
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
