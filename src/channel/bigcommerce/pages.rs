//! Reading pages of orders, and what else a sync has to look at.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::api::{self, Api};
use super::list::{Orders, bounds, odd, parameters, place};
use super::settings::Settings;
use super::wire::{Count, Head};
use crate::channel::checkpoint::Checkpoint;
use crate::channel::isolate::REPEATS;
use crate::channel::keyset::{self, Key, List, Lists, Query, Row, Sort, Walk};
use crate::channel::{Cursor, Page, Pass, Plan, Range, meant};
use crate::error::{ErrorKind, Result};
use crate::http::read_json;

/// How often archived orders are looked at, which no ordinary list shows.
const EVERY: Duration = Duration::from_secs(3600);

/// A first sync of more pages than this is cut into slices.
const WORTH_SLICING: u64 = 3;

/// Pages in a slice, and the most slices.
const SLICE_PAGES: u64 = 10;
const MOST_SLICES: u64 = 16;

/// What is remembered of a store besides: nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Extra {}

type Position = keyset::Position<Extra>;
type Rest = keyset::Rest<Extra>;

/// As it stands in the book.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Before(Before),
    Now(Position),
}

/// What only the version before wrote.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Before {
    /// The archived orders, after the changes; they are a pass now.
    Archived(Rest, IgnoredAny),
    /// What was read by ids instead of by time.
    ById(Rest, Slice, Way),
    Slice(Slice),
    Range(Walk),
    Archive(Walk),
    ArchiveById(Slice),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    Changes(IgnoredAny),
    Archived,
}

/// A walk by ids as the version before wrote it.
#[derive(Deserialize)]
struct Slice {
    after: u64,
    until: Option<u64>,
    modified_since: Option<i64>,
    #[serde(default)]
    modified_until: Option<i64>,
}

impl From<Slice> for Walk {
    fn from(slice: Slice) -> Self {
        Self::of_ids(slice.after, slice.until, (slice.modified_since, slice.modified_until))
    }
}

fn stored(at: &Cursor) -> Result<Position> {
    Ok(match at.position::<Stored>()? {
        Stored::Now(position) => position,
        Stored::Before(Before::Archived(rest, _) | Before::ById(rest, _, Way::Archived)) => Position::Rest(rest),
        Stored::Before(Before::ById(rest, slice, Way::Changes(_))) => Position::Changes(rest, slice.into()),
        Stored::Before(Before::Slice(slice)) => Position::Slice(slice.into()),
        Stored::Before(Before::Range(walk)) => Position::Slice(walk),
        Stored::Before(Before::Archive(walk)) => Position::Pass(ARCHIVED.to_owned(), walk),
        Stored::Before(Before::ArchiveById(slice)) => Position::Pass(ARCHIVED.to_owned(), slice.into()),
    })
}

/// The pass through the archived orders.
const ARCHIVED: &str = "archived";

/// A store's lists.
struct Store<'a> {
    api: &'a Api,
    settings: &'a Settings,
}

impl Lists for Store<'_> {
    type Extra = Extra;

    fn overlap(&self) -> Duration {
        super::OVERLAP
    }

    fn list(&self, pass: Option<&str>) -> Box<dyn List + '_> {
        Box::new(Orders { api: self.api, settings: self.settings, archived: pass.is_some() })
    }

    fn changes(&self, _: &mut Extra, from: Option<i64>, _: i64) -> Walk {
        Walk::new(Key::Modified, from, None)
    }
}

/// The cursors of a range.
pub fn plan(api: &Api, settings: &Settings, range: &Range) -> Result<Plan> {
    let since = range.since.map(|at| at.timestamp());
    if let Some(until) = range.until {
        let walk = Walk::new(Key::Modified, since, Some(until.timestamp()));
        return Ok(Plan { slices: Vec::new(), changes: Cursor::new(&Position::Slice(walk))?, total: None });
    }
    let total = count(api, &bounds(&row(Sort::Id, since)))?;
    let known = total.unwrap_or(0);
    let ends = if known > WORTH_SLICING * settings.page_size as u64 { ends(api, since)? } else { None };
    let Some((first, last, newest)) = ends else {
        let mut rest = Rest::new(Checkpoint::new(since), Extra {});
        let walk = Walk::new(Key::Modified, rest.at.begin(super::OVERLAP, api.now()), None);
        let changes = Cursor::new(&Position::Changes(rest, walk))?;
        return Ok(Plan { slices: Vec::new(), changes, total });
    };
    let count = (known / (SLICE_PAGES * settings.page_size as u64)).clamp(4, MOST_SLICES);
    let slices = slices(first, last, count, since)
        .into_iter()
        .map(|slice| Cursor::new(&Position::Slice(slice)))
        .collect::<Result<_>>()?;
    // What changes or is placed while the slices are read is modified after the newest order of
    // now.
    let at = Checkpoint::seen(Some(newest.min(api.now())), super::OVERLAP, api.now());
    Ok(Plan { slices, changes: Cursor::new(&Position::Rest(Rest::new(at, Extra {})))?, total })
}

/// Archived orders are on no list but their own. Archiving changes nothing but the order's presence
/// (P-4).
pub fn passes(api: &Api, changes: &Cursor) -> Result<Vec<Pass>> {
    let position = stored(changes)?;
    let Some(rest) = position.rest().filter(|_| api.facts().archived) else { return Ok(Vec::new()) };
    let walk = rest.beside(Walk::new(Key::Modified, None, None), super::OVERLAP, api.now());
    let start = Cursor::new(&Position::Pass(ARCHIVED.to_owned(), walk))?;
    Ok(vec![Pass { name: ARCHIVED, title: "archived orders", every: EVERY, start }])
}

/// How many orders there are, incomplete ones included. Only a first sync's way hangs on it: a
/// store that does not say is read in one walk.
pub(super) fn count(api: &Api, query: &[(&'static str, String)]) -> Result<Option<u64>> {
    let reply = match api.get_once("v2/orders/count", query, REPEATS) {
        Ok(reply) => reply,
        Err(error) if matches!(error.kind(), ErrorKind::NoStore | ErrorKind::Failed) || error.is_too_much() => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    Ok(read_json::<Count<'_>>(&reply.body).ok().and_then(|(count, _)| meant(count.count.get())))
}

/// A question for one row of all orders modified from `since` on.
fn row(sort: Sort, since: Option<i64>) -> Query {
    Query { modified: (since.map(|since| since - 1), None), ..Query::row(sort) }
}

/// The lowest and the highest id, and the newest modification time.
fn ends(api: &Api, since: Option<i64>) -> Result<Option<(u64, u64, i64)>> {
    let one = |sort, descending| -> Result<Option<Row>> {
        let reply = api.get_once("v2/orders", &parameters(&Query { descending, ..row(sort, since) }), 1)?;
        let row = api::list(&reply)?
            .first()
            .and_then(|row| serde_json::from_str::<Head<'_>>(row.get()).ok().as_ref().and_then(place));
        Ok(row)
    };
    // An order that the store cannot show may be one of them: then one walk does it.
    let known = |sort, descending| match one(sort, descending) {
        Err(error) if error.is_too_much() => Ok(None),
        known => known,
    };
    let (first, last, newest) = (known(Sort::Id, false)?, known(Sort::Id, true)?, known(Sort::Modified, true)?);
    let (Some(first), Some(last), Some(newest)) = (first, last, newest) else { return Ok(None) };
    if first.id > last.id || first.at > newest.at || last.at > newest.at {
        return Err(odd("orders came in another order than the one asked for: a filter was ignored"));
    }
    Ok(Some((first.id, last.id, newest.at)))
}

/// Cuts the ids into stretches of equal length: they are given out one by one, so the orders in
/// them are about as many. The last is open.
fn slices(first: u64, last: u64, count: u64, since: Option<i64>) -> Vec<Walk> {
    bounds_of(first, last, count).into_iter().map(|(after, up_to)| Walk::of_ids(after, up_to, (since, None))).collect()
}

fn bounds_of(first: u64, last: u64, count: u64) -> Vec<(u64, Option<u64>)> {
    let from = first.saturating_sub(1);
    let span = u128::from(last.saturating_sub(first)) + 1;
    let share = |n: u64| u64::try_from(span * u128::from(n) / u128::from(count.max(1))).unwrap_or(u64::MAX);
    let bound = |n: u64| from.saturating_add(share(n));
    (0..count).map(|n| (bound(n), (n + 1 < count).then(|| bound(n + 1)))).collect()
}

/// The page at `at`.
pub fn page(api: &Api, settings: &Settings, at: &Cursor) -> Result<Page> {
    keyset::page(&Store { api, settings }, stored(at)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_every_id_once() {
        for (first, last, count) in [(1, 10, 4), (100, 100_000, 16), (5, 6, 4)] {
            let slices = bounds_of(first, last, count);
            assert_eq!(slices[0].0, first - 1);
            assert!(slices.windows(2).all(|pair| pair[0].1 == Some(pair[1].0)));
            assert_eq!(slices.last().unwrap().1, None);
        }
    }
}
