//! Reading pages of orders, and what else a sync has to look at.

use std::time::Duration;

use chrono::TimeDelta;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::api::Api;
use super::list::{Orders, Refunds, is_well, odd};
use super::settings::Settings;
use crate::channel::isolate::REPEATS;
use crate::channel::keyset::{self, Content, Key, List, Lists, Query, Sort, Walk};
use crate::channel::{Cursor, Found, Heads, Page, Pass, Plan, Range, Survey, Unshown};
use crate::error::Result;

/// Old shops that cannot list changes: how far back a sync reads, shortly and, every six hours,
/// thoroughly.
const SHORT_REACH: TimeDelta = TimeDelta::days(3);
const LONG_REACH: TimeDelta = TimeDelta::days(60);
const THOROUGH: TimeDelta = TimeDelta::hours(6);

/// What is remembered of a shop besides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Extra {
    /// When an old shop was last read thoroughly.
    thorough: i64,
}

type Position = keyset::Position<Extra>;
type Rest = keyset::Rest<Extra>;

/// As it stands in the book.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Before(Before),
    Now(Position),
}

/// What only the version before wrote. When it had read the changes it looked at the bin and the
/// refunds; those are passes now.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Before {
    Bin(Rest, IgnoredAny),
    Refunds(Rest, IgnoredAny, IgnoredAny),
    GivenBack(Rest, IgnoredAny),
    Trash(Walk),
    Refunded(Walk),
}

fn stored(at: &Cursor) -> Result<Position> {
    Ok(match at.position::<Stored>()? {
        Stored::Now(position) => position,
        Stored::Before(Before::Bin(rest, _) | Before::Refunds(rest, ..) | Before::GivenBack(rest, _)) => {
            Position::Rest(rest)
        }
        Stored::Before(Before::Trash(walk)) => Position::Pass(BIN.to_owned(), walk),
        Stored::Before(Before::Refunded(walk)) => Position::Pass(REFUNDS.to_owned(), walk),
    })
}

/// The passes.
const BIN: &str = "bin";
const REFUNDS: &str = "refunds";

/// A shop's lists.
struct Shop<'a> {
    api: &'a Api,
    settings: &'a Settings,
}

impl Lists for Shop<'_> {
    type Extra = Extra;

    fn extra(&self, now: i64) -> Extra {
        Extra { thorough: now }
    }

    fn overlap(&self) -> Duration {
        super::OVERLAP
    }

    fn list(&self, pass: Option<&str>) -> Box<dyn List + '_> {
        let (api, settings) = (self.api, self.settings);
        match pass {
            Some(REFUNDS) => Box::new(Refunds(api)),
            Some(_) => Box::new(Orders { api, settings, status: Some("trash"), places: false }),
            None => Box::new(Orders { api, settings, status: None, places: false }),
        }
    }

    fn places(&self) -> Box<dyn List + '_> {
        Box::new(Orders { api: self.api, settings: self.settings, status: None, places: true })
    }

    fn lists_changes(&self) -> bool {
        self.api.facts().modified_after
    }

    fn changes(&self, extra: &mut Extra, from: Option<i64>, now: i64) -> Walk {
        if self.lists_changes() {
            return Walk::new(Key::Modified, from, None);
        }
        let thorough = now - extra.thorough >= THOROUGH.num_seconds() || extra.thorough > now;
        let reach = if thorough { LONG_REACH } else { SHORT_REACH };
        if thorough {
            extra.thorough = now;
        }
        Walk::new(Key::Created, Some(now - reach.num_seconds()), None)
    }
}

/// The cursors of a range.
pub(crate) fn plan(api: &Api, settings: &Settings, range: &Range) -> Result<Plan> {
    keyset::plan(&Shop { api, settings }, range)
}

/// What the list of changes may not show. Orders in the bin are on no list but their own, and their
/// modification time moves when they go there. Some gateways refund without moving it.
pub(crate) fn passes(api: &Api, settings: &Settings, changes: &Cursor) -> Result<Vec<Pass>> {
    let position = stored(changes)?;
    let Some(rest) = position.rest() else { return Ok(Vec::new()) };
    let shop = Shop { api, settings };
    let key = if shop.lists_changes() { Key::Modified } else { Key::Created };
    let mut passes = vec![keyset::look(&shop, rest, BIN, "orders in the bin", key)?];
    if api.facts().refunds {
        passes.push(keyset::look(&shop, rest, REFUNDS, "refunds", Key::Created)?);
    }
    Ok(passes)
}

/// The page at `at`.
pub(crate) fn page(api: &Api, settings: &Settings, at: &Cursor) -> Result<Page> {
    keyset::page(&Shop { api, settings }, stored(at)?)
}

/// How a range is listed for a comparison.
pub(crate) fn survey(api: &Api, settings: &Settings, range: &Range) -> Result<Survey> {
    keyset::survey(&Shop { api, settings }, range)
}

/// The ids and times of the page at `at`.
pub(crate) fn heads(api: &Api, settings: &Settings, at: &Cursor) -> Result<Heads> {
    keyset::heads(&Shop { api, settings }, stored(at)?)
}

/// The orders with these ids, as far as they are on a list; in several requests where the shop
/// gives fewer than it is asked for, or fails at one of them.
pub(crate) fn of_ids(api: &Api, settings: &Settings, ids: Vec<u64>) -> Result<Found> {
    let list = Orders { api, settings, status: None, places: false };
    let mut all = Found::default();
    let mut asked = vec![ids];
    while let Some(mut ids) = asked.pop().filter(|ids| !ids.is_empty()) {
        let query = Query { only: ids.clone(), size: 100, ..Query::row(Sort::Id) };
        let page = match list.fetch(&query, &Walk::default(), REPEATS) {
            Err(error) if error.is_too_much() => {
                is_well(api)?;
                match ids.as_slice() {
                    [id] => all.unshown.push(Unshown::of(id.to_string(), &error)),
                    ids => asked.extend(ids.chunks(ids.len().div_ceil(2)).map(<[u64]>::to_vec)),
                }
                continue;
            }
            page => page?,
        };
        let is_read = |id: u64| all.orders.iter().any(|order| order.remote_id == id.to_string());
        let rows: Vec<u64> = page.rows.iter().filter_map(|entry| entry.row).map(|row| row.id).collect();
        if let Some(id) = rows.iter().find(|id| !ids.contains(id) && !is_read(**id)) {
            return Err(odd(&format!("order {id} came where others were asked for")));
        }
        let before = ids.len();
        ids.retain(|id| !rows.contains(id));
        // What is left where none of them came is in the bin or gone. The count may be that of the
        // page.
        if ids.len() < before {
            asked.push(ids);
        }
        all.orders.extend(page.rows.into_iter().filter_map(|entry| match entry.content {
            Content::Order(order) => Some(order),
            _ => None,
        }));
    }
    Ok(all)
}
