//! Reading pages of orders, and what else a sync has to look at.
//!
//! A part shipment and an added tracking number do not move an order's time. So new shipments are
//! asked for at each sync, by their ids, and the shipments of the last days are looked through for
//! younger tracking numbers once a day; their orders are read again.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::api::{Api, Criteria, MOST_IDS};
use super::document::SHIPMENTS;
use super::list::{Orders, Seen, is_well, odd, time, utc};
use super::settings::Settings;
use super::wire::Shipment;
use crate::channel::isolate::{REPEATS, isolate};
use crate::channel::keyset::{self, Content, Count, Entry, Key, List, Lists, Query, Sort, Walk};
use crate::channel::{Cursor, Found, Heads, Next, Page, Pass, Plan, Range, Survey, Unshown, meant, rows};
use crate::error::Result;

/// What is remembered of a store besides: the youngest rows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Extra {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seen: Vec<Seen>,
}

type Position = keyset::Position<Extra>;

/// As it stands in the book.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Besides(Besides),
    Orders(Box<Position>),
}

/// A look through the shipments. Seconds are by the shop's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Besides {
    /// For new ones.
    Shipments(Young),
    /// For tracking numbers that were added.
    Tracks(Added),
}

/// Where the look for new shipments stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Young {
    /// Those made from here on, as long as none is known.
    from: i64,
    /// Those up to and including this id are known.
    after: u64,
    /// Of the younger ones those that are known, each with when it was made: one that was begun
    /// before them may show after them.
    known: Vec<(u64, i64)>,
    /// How far this look has come.
    at: u64,
}

/// Where the look for added tracking numbers stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Added {
    /// When the last look began.
    since: i64,
    /// When this one began; 0 where it has not.
    began: i64,
    /// Up to this shipment it has come.
    at: u64,
}

/// The passes.
const NEW_SHIPMENTS: &str = "shipments";
const NEW_TRACKS: &str = "tracks";

/// How many days before the last look the shipments are made that are looked through for tracking
/// numbers.
const DAYS: i64 = 7;

/// How far apart the ids of two shipments are at most that the shop can show.
const FARTHEST: u64 = 1 << 20;

/// How many young shipments, and how many young rows of orders, are remembered.
const MOST_KNOWN: usize = 500;

/// A shop's lists.
struct Shop<'a> {
    api: &'a Api,
    settings: &'a Settings,
    seen: Vec<Seen>,
    read: Mutex<Vec<Seen>>,
}

impl<'a> Shop<'a> {
    fn new(api: &'a Api, settings: &'a Settings) -> Self {
        Self { api, settings, seen: Vec::new(), read: Mutex::default() }
    }

    /// The page, and with the position behind it the rows that the next sync will read again. Only
    /// what is given out counts: a page may be read and dropped.
    fn page(mut self, position: Position) -> Result<Page> {
        self.seen = position.rest().map_or_else(Vec::new, |rest| rest.extra.seen.clone());
        let mut page = keyset::page(&self, position)?;
        let (Next::More(cursor) | Next::Done(cursor)) = &mut page.next else { return Ok(page) };
        let mut behind = cursor.position::<Position>()?;
        if let Some(rest) = behind.rest_mut() {
            let given: HashSet<u64> = page.orders.iter().filter_map(|order| meant(&order.remote_id)).collect();
            let read = self.read.into_inner().unwrap_or_else(PoisonError::into_inner);
            let new: BTreeMap<u64, Seen> =
                read.into_iter().filter(|row| given.contains(&row.id)).map(|row| (row.id, row)).collect();
            let from = rest.at.high().map_or(i64::MIN, |high| high - super::OVERLAP.as_secs().cast_signed());
            let mut seen = self.seen;
            seen.retain(|row| !given.contains(&row.id));
            seen.extend(new.into_values());
            seen.retain(|row| row.at >= from);
            seen.drain(..seen.len().saturating_sub(MOST_KNOWN));
            rest.extra.seen = seen;
            *cursor = Cursor::new(&behind)?;
        }
        Ok(page)
    }
}

impl Lists for Shop<'_> {
    type Extra = Extra;

    fn extra(&self, _: i64) -> Extra {
        Extra::default()
    }

    fn overlap(&self) -> Duration {
        super::OVERLAP
    }

    fn list(&self, _: Option<&str>) -> Box<dyn List + '_> {
        Box::new(Orders { api: self.api, settings: self.settings, places: false, seen: &self.seen, read: &self.read })
    }

    fn places(&self) -> Box<dyn List + '_> {
        Box::new(Orders { api: self.api, settings: self.settings, places: true, seen: &self.seen, read: &self.read })
    }

    fn changes(&self, _: &mut Extra, from: Option<i64>, _: i64) -> Walk {
        Walk::new(Key::Modified, from, None)
    }
}

/// The cursors of a range.
pub(crate) fn plan(api: &Api, settings: &Settings, range: &Range) -> Result<Plan> {
    keyset::plan(&Shop::new(api, settings), range)
}

/// The looks through the shipments, where they may be read.
pub(crate) fn passes(api: &Api, changes: &Cursor) -> Result<Vec<Pass>> {
    let Stored::Orders(position) = changes.position::<Stored>()? else { return Ok(Vec::new()) };
    let Some(rest) = position.rest().filter(|_| api.facts().shipments) else { return Ok(Vec::new()) };
    let from = rest.at.beside(super::OVERLAP, api.now());
    let pass = |name, title, every, at| -> Result<Pass> {
        Ok(Pass { name, title, every, start: Cursor::new(&Stored::Besides(at))?, goes_on: true, not_now: None })
    };
    let young = Besides::Shipments(Young { from, ..Young::default() });
    let added = Besides::Tracks(Added { since: from, ..Added::default() });
    Ok(vec![
        pass(NEW_SHIPMENTS, "new shipments", Duration::ZERO, young)?,
        pass(NEW_TRACKS, "tracking numbers added to shipments", Duration::from_secs(86_400), added)?,
    ])
}

/// The page at `at`.
pub(crate) fn page(api: &Api, settings: &Settings, at: &Cursor) -> Result<Page> {
    match at.position::<Stored>()? {
        Stored::Orders(position) => Shop::new(api, settings).page(*position),
        Stored::Besides(Besides::Shipments(young)) => new_shipments(api, settings, young),
        Stored::Besides(Besides::Tracks(added)) => added_tracks(api, settings, added),
    }
}

/// How a range is listed for a comparison.
pub(crate) fn survey(api: &Api, settings: &Settings, range: &Range) -> Result<Survey> {
    keyset::survey(&Shop::new(api, settings), range)
}

/// The ids and times of the page at `at`.
pub(crate) fn heads(api: &Api, settings: &Settings, at: &Cursor) -> Result<Heads> {
    match at.position::<Stored>()? {
        Stored::Orders(position) => keyset::heads(&Shop::new(api, settings), *position),
        Stored::Besides(_) => page(api, settings, at).map(Heads::from),
    }
}

/// A shipment as a look sees it.
struct Sent {
    id: u64,
    order: Option<String>,
    made: i64,
    /// Its youngest tracking number.
    track: Option<i64>,
}

/// So many of the shipments behind this one, and the last of them where there are more. What has no
/// id is none.
fn shipments(
    api: &Api,
    settings: &Settings,
    made_from: Option<i64>,
    behind: u64,
    size: usize,
) -> Result<(Vec<Option<Sent>>, Option<u64>)> {
    let ids = api.facts().ids_of(&settings.store_views)?;
    let mut filters: Vec<_> = made_from.map(|at| ("created_at", "gteq", utc(at))).into_iter().collect();
    filters.extend((behind > 0).then(|| ("entity_id", "gt", behind.to_string())));
    filters.extend((!ids.is_empty()).then(|| ("store_id", "in", ids.join(","))));
    let fields = "entity_id,order_id,created_at,tracks[created_at]";
    let criteria = Criteria { filters, sort: vec![("entity_id", false)], size, fields };
    let reply = api.search(SHIPMENTS, &criteria, Some(REPEATS))?;
    let listed = rows::member(&reply, "items", "total_count")?;
    let seen = |row: &RawValue| {
        let id = meant(&rows::dug(row, "entity_id")?)?;
        let one: Shipment<'_> = serde_json::from_str(row.get()).unwrap_or_default();
        let track = one.tracks.0.iter().filter_map(|track| time(track.created_at.get())).max();
        let made = time(one.created_at.get()).unwrap_or_default();
        Some(Sent { id, order: rows::dug(row, "order_id"), made, track })
    };
    let seen: Vec<Option<Sent>> = listed.rows.iter().map(|row| seen(row)).collect();
    let ids: Vec<u64> = seen.iter().flatten().map(|one| one.id).collect();
    if !ids.is_sorted_by(|a, b| a < b) || ids.iter().any(|id| *id <= behind) {
        return Err(odd("its shipments come in another order than asked for"));
    }
    let total = listed.total.as_deref().and_then(meant);
    let more = total.map_or(listed.rows.len() >= size, |total| total > listed.rows.len() as u64);
    match ids.last().copied() {
        None if more => Err(odd("its shipments have no ids")),
        last => Ok((seen, last.filter(|_| more))),
    }
}

/// A page of shipments, past one that the shop cannot show.
struct Look {
    seen: Vec<Sent>,
    /// Where it goes on, where there are more.
    at: Option<u64>,
    /// The one that it went past.
    past: Option<u64>,
    warnings: Vec<String>,
}

impl Look {
    fn of(rows: Vec<Option<Sent>>, at: Option<u64>) -> Self {
        let nameless = rows.iter().filter(|row| row.is_none()).count();
        let text = format!(
            "the shop gives {nameless} of its shipments as null or without an id; what is in them is not seen until it gives them"
        );
        let warnings = (nameless > 0).then_some(text).into_iter().collect();
        Self { seen: rows.into_iter().flatten().collect(), at, past: None, warnings }
    }
}

fn look(api: &Api, settings: &Settings, made_from: Option<i64>, behind: u64) -> Result<Look> {
    let read = |behind: u64, size| shipments(api, settings, made_from, behind, size);
    let error = match read(behind, MOST_IDS) {
        Ok((rows, at)) => return Ok(Look::of(rows, at)),
        Err(error) if error.is_too_much() => error,
        Err(error) => return Err(error),
    };
    let found = isolate(behind, MOST_IDS, |at, size| read(*at, size), || is_well(api))?;
    let (Some(at), Some(why)) = (found.at, found.why) else {
        return Ok(Look::of(found.rows, found.at));
    };
    // Its id is the lowest of those behind which the shop answers.
    let answers = |skip: u64| match read(at + skip, 1) {
        Err(error) if error.is_too_much() => Ok(false),
        page => page.map(|_| true),
    };
    let mut far = 1;
    while !answers(far)? {
        far = Some(far * 2).filter(|far| *far <= FARTHEST).ok_or_else(|| error.clone())?;
    }
    let mut near = far / 2;
    while far - near > 1 {
        let middle = u64::midpoint(near, far);
        *(if answers(middle)? { &mut far } else { &mut near }) = middle;
    }
    let text = format!(
        "the shop cannot show shipment {} ({}); what it holds of its order is not seen until it can",
        at + far,
        why.message()
    );
    let mut look = Look::of(found.rows, Some(at + far));
    look.warnings.push(text);
    Ok(Look { past: look.at, ..look })
}

/// Shipments that were not there at the look before.
fn new_shipments(api: &Api, settings: &Settings, mut young: Young) -> Result<Page> {
    let behind = young.at.max(young.after);
    let Look { mut seen, at, past, warnings } = look(api, settings, (behind == 0).then_some(young.from), behind)?;
    seen.retain(|one| young.known.iter().all(|(id, _)| *id != one.id));
    young.known.extend(seen.iter().map(|one| (one.id, one.made)));
    young.known.extend(past.map(|id| (id, api.now())));
    let next = match at {
        Some(at) => Next::More(besides(Besides::Shipments(Young { at, ..young }))?),
        None => Next::Done(besides(Besides::Shipments(young.settled(api.now())))?),
    };
    Ok(Page { reread: orders(seen), warnings, ..Page::without_orders(next) })
}

/// The orders of shipments, each once.
fn orders(seen: Vec<Sent>) -> Vec<String> {
    let mut orders: Vec<String> = seen.into_iter().filter_map(|one| one.order).collect();
    orders.sort_unstable();
    orders.dedup();
    orders
}

impl Young {
    /// The look at its end: what was made so long ago that nothing begun before it is to come is
    /// known for good.
    fn settled(mut self, now: i64) -> Self {
        self.at = 0;
        self.known.sort_unstable();
        let long_ago = now.saturating_sub(super::OVERLAP.as_secs().try_into().unwrap_or(i64::MAX));
        let old = self.known.iter().take_while(|(_, made)| *made < long_ago).count();
        let settled = old.max(self.known.len().saturating_sub(MOST_KNOWN));
        self.after = self.known.drain(..settled).next_back().map_or(self.after, |(id, _)| id);
        self
    }
}

/// Shipments of the days before the last look with a tracking number that is younger than it. By
/// how much a long transaction may be late, looks overlap.
fn added_tracks(api: &Api, settings: &Settings, mut added: Added) -> Result<Page> {
    if added.began == 0 {
        added.began = api.now();
    }
    let made_from = added.since.min(added.began) - DAYS * 86_400;
    let Look { mut seen, at, warnings, .. } = look(api, settings, Some(made_from), added.at)?;
    seen.retain(|one| one.track.is_some_and(|track| track >= added.since && track > one.made));
    let next = match at {
        Some(at) => Next::More(besides(Besides::Tracks(Added { at, ..added }))?),
        None => {
            let since = added.began - super::OVERLAP.as_secs().cast_signed();
            Next::Done(besides(Besides::Tracks(Added { since, ..Added::default() }))?)
        }
    };
    Ok(Page { reread: orders(seen), warnings, ..Page::without_orders(next) })
}

fn besides(at: Besides) -> Result<Cursor> {
    Cursor::new(&Stored::Besides(at))
}

/// The orders with these ids, as far as there are any; in halves, where the shop fails at one of
/// them.
pub(crate) fn of_ids(api: &Api, settings: &Settings, ids: Vec<u64>) -> Result<Found> {
    let read = Mutex::default();
    let list = Orders { api, settings, places: false, seen: &[], read: &read };
    let mut all = Found::default();
    let halves = |ids: &[u64]| ids.chunks(ids.len().div_ceil(2).max(1)).map(<[u64]>::to_vec).collect::<Vec<_>>();
    let mut asked: Vec<Vec<u64>> = ids.chunks(MOST_IDS).map(<[u64]>::to_vec).collect();
    while let Some(ids) = asked.pop() {
        let query = Query { only: ids.clone(), size: ids.len(), ..Query::row(Sort::Id) };
        let page = match list.fetch(&query, &Walk::default(), REPEATS) {
            Err(error) if error.is_too_much() => {
                is_well(api)?;
                match ids.as_slice() {
                    [id] => all.unshown.push(Unshown::of(id.to_string(), &error)),
                    ids => asked.extend(halves(ids)),
                }
                continue;
            }
            page => page?,
        };
        // A row that is null is counted and not given.
        let is_null = |entry: &Entry| matches!(&entry.content, Content::Document(document) if document.get() == "null");
        let shown = page.rows.iter().filter(|entry| !is_null(entry)).count();
        // The shop, or a proxy, may give less at once than was asked for.
        let came: HashSet<u64> = page.rows.iter().filter_map(|entry| entry.row).map(|row| row.id).collect();
        let left: Vec<u64> = ids.iter().copied().filter(|id| !came.contains(id)).collect();
        if !came.is_empty() && !left.is_empty() {
            asked.push(left);
        } else if came.is_empty() && matches!(page.count, Count::OfPage(count) if count > shown as u64) {
            let why = odd("it counts an order that it was asked for and does not give it");
            all.unshown.extend(ids.iter().map(|id| Unshown::of(id.to_string(), &why)));
        }
        if let Some(row) = page.rows.iter().filter_map(|entry| entry.row).find(|row| !ids.contains(&row.id)) {
            return Err(odd(&format!("order {} came where others were asked for", row.id)));
        }
        let documents = page.rows.into_iter().filter(|entry| !is_null(entry)).filter_map(|entry| match entry.content {
            Content::Document(document) => Some(document),
            _ => None,
        });
        let found = list.complete(documents.collect())?;
        all.orders.extend(found.orders);
        all.unshown.extend(found.unshown);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shipment_is_known_for_good_once_nothing_begun_before_it_is_to_come() {
        let young = Young { after: 7, known: vec![(12, 1_000), (9, 300), (8, 200)], at: 12, from: 0 };
        let settled = young.clone().settled(1_000);
        assert_eq!((settled.after, settled.at, settled.known), (9, 0, vec![(12, 1_000)]));
        assert_eq!(young.settled(700).after, 7, "one made before may still show");
        let many = Young { known: (1..=600).map(|id| (id, 1_000)).collect(), ..Young::default() };
        let settled = many.settled(1_000);
        assert_eq!((settled.after, settled.known.len()), (100, MOST_KNOWN));
    }

    #[test]
    fn f5_positions_are_read_as_they_were_written() {
        let young = Young { after: 7, known: vec![(8, 200)], at: 8, from: 5 };
        for at in [Besides::Shipments(young), Besides::Tracks(Added { since: 1, began: 2, at: 3 })] {
            let cursor = besides(at.clone()).unwrap();
            assert!(matches!(cursor.position::<Stored>().unwrap(), Stored::Besides(read) if read == at));
        }
        let orders = r#"{"rest":{"high":7}}"#.to_owned();
        assert!(matches!(Cursor::from_stored(orders).position::<Stored>().unwrap(), Stored::Orders(_)));
    }
}
