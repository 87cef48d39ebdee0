//! Which walks read a shop's receipts, and what is looked through besides: the cancelled ones with
//! each sync, and once a day those of the last weeks, whose refunds and ship-by dates move no time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::api::Api;
use super::list::{Receipts, Which};
use crate::channel::keyset::{self, Key, List, Lists, Query, Sort, Walk};
use crate::channel::{Cursor, Heads, Next, Page, Pass, Plan, Quota, Range, Survey};
use crate::clock::{Timestamp, rfc3339};
use crate::error::Result;

/// How far back by their creation receipts are listed again, and how often.
const RECENT: i64 = 45 * DAY;
const DAY: i64 = 86_400;

/// The part of a day's quota that this may take, and what must be left of it.
const PART: u64 = 10;

/// The day's quota of an app of a merchant's own, where no answer tells it: the least that is told
/// of.
const AT_FIRST: u64 = 5_000;

/// What is remembered of a store besides: nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Extra {}

type Position = keyset::Position<Extra>;

/// As it stands in the book.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum At {
    Recent { recent: Recent },
    Listed(Position),
}

/// Where the look through the receipts of the last weeks stands.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Recent {
    /// Of those that are not cancelled, or of all; then of the cancelled ones. `None`: it begins.
    walk: Option<Walk>,
    cancelled: bool,
    /// Placed from this second on.
    from: i64,
    /// How many requests it may still take. None, in the middle of it: the look goes on there with
    /// those of another day.
    left: u64,
}

/// The lists beside the usual one: the cancelled receipts of a sync, those of a first sync or a
/// range, and those of a comparison; and the receipts of the last weeks.
const CANCELLED: &str = "cancelled";
const ALL_CANCELLED: &str = "all-cancelled";
const COMPARED: &str = "compared-cancelled";
const RECENTLY: &str = "recent";
const RECENTLY_CANCELLED: &str = "recent-cancelled";

/// A shop's lists.
struct Shop<'a> {
    api: &'a Api,
    /// Which receipts are listed for a comparison. The two together are all of them, however Etsy
    /// takes a question that says nothing of it.
    compared: Which,
}

impl<'a> Shop<'a> {
    fn of(api: &'a Api) -> Self {
        Self { api, compared: Which::Live }
    }
}

impl Lists for Shop<'_> {
    type Extra = Extra;

    fn extra(&self, _: i64) -> Extra {
        Extra {}
    }

    fn overlap(&self) -> Duration {
        super::OVERLAP
    }

    fn list(&self, pass: Option<&str>) -> Box<dyn List + '_> {
        let which = match pass {
            Some(CANCELLED | ALL_CANCELLED | RECENTLY_CANCELLED) => Which::Cancelled,
            _ => Which::Usual,
        };
        Box::new(Receipts { api: self.api, which, places: false, held: pass != Some(CANCELLED) })
    }

    fn places(&self) -> Box<dyn List + '_> {
        Box::new(Receipts { api: self.api, which: self.compared, places: true, held: true })
    }

    fn walks_beside(&self) -> u64 {
        1
    }

    fn changes(&self, _: &mut Extra, from: Option<i64>, _: i64) -> Walk {
        Walk::new(Key::Modified, from, None)
    }
}

/// The cursors of a range. The cancelled receipts have a walk of their own, page after page: it begins
/// first, so that it is over while the others still keep to the pace.
pub(crate) fn plan(api: &Api, range: &Range) -> Result<Plan> {
    let mut plan = keyset::plan(&Shop::of(api), range)?;
    let seconds = |at: Option<Timestamp>| at.map(|at| at.timestamp());
    let walk = Walk::new(Key::Modified, seconds(range.since), seconds(range.until));
    plan.slices.insert(0, Cursor::new(&Position::Pass(ALL_CANCELLED.to_owned(), walk))?);
    Ok(plan)
}

/// What the list of changes does not show, or may not.
pub(crate) fn passes(api: &Api, changes: &Cursor) -> Result<Vec<Pass>> {
    let At::Listed(position) = changes.position::<At>()? else { return Ok(Vec::new()) };
    let Some(rest) = position.rest() else { return Ok(Vec::new()) };
    let cancelled = keyset::look(&Shop::of(api), rest, CANCELLED, "cancelled orders", Key::Modified)?;
    let recent = Pass {
        name: RECENTLY,
        title: "orders of the last weeks",
        every: Duration::from_secs(DAY.unsigned_abs()),
        start: Cursor::new(&At::Recent { recent: Recent::default() })?,
        goes_on: true,
        not_now: api.quota().filter(|quota| quota.left < quota.permitted / PART).map(|quota| {
            format!(
                "orders of the last weeks were not looked through for refunds and ship-by dates: of the {} requests that Etsy \
                 permits in 24 hours, {} are left; the next sync tries again",
                quota.permitted, quota.left
            )
        }),
    };
    Ok(vec![Pass { every: Duration::ZERO, ..cancelled }, recent])
}

/// The page at `at`.
pub(crate) fn page(api: &Api, at: &Cursor) -> Result<Page> {
    match at.position::<At>()? {
        At::Listed(position) => keyset::page(&Shop::of(api), position),
        At::Recent { recent } => recent.page(api),
    }
}

impl Recent {
    fn page(self, api: &Api) -> Result<Page> {
        let Some(walk) = self.walk.clone() else { return Self::begin(api) };
        let name = if self.cancelled { RECENTLY_CANCELLED } else { RECENTLY };
        let before = api.requests();
        let mut page = keyset::page(&Shop::of(api), Position::Pass(name.to_owned(), walk))?;
        let had = if self.left == 0 { part(api) } else { self.left };
        let left = had.saturating_sub(api.requests().saturating_sub(before));
        let walk = match page.next.cursor().position::<At>()? {
            At::Listed(Position::Pass(_, walk)) => Some(walk),
            _ => None,
        };
        let goes_on = match (matches!(page.next, Next::Done(_)), self.cancelled) {
            (false, _) => Some(Self { walk, left, ..self }),
            (true, false) => Some(Self { walk: Some(placed_from(self.from)), cancelled: true, left, ..self }),
            (true, true) => None,
        };
        page.next = match goes_on {
            None => Next::Done(Cursor::new(&At::Recent { recent: Self::default() })?),
            Some(recent) if left > 0 => Next::More(Cursor::new(&At::Recent { recent })?),
            Some(recent) => {
                page.warnings.push(recent.used_up());
                Next::Done(Cursor::new(&At::Recent { recent })?)
            }
        };
        Ok(page)
    }

    /// That the look ends before it is through.
    fn used_up(&self) -> String {
        let from = self.walk.as_ref().and_then(|walk| walk.from).unwrap_or(self.from);
        let which = if self.cancelled { "cancelled orders" } else { "orders" };
        format!(
            "{which} placed since {} were not looked through for refunds and ship-by dates: the requests that this may take \
             in a day, a tenth of what Etsy permits, are used up; tomorrow's look goes on from there",
            Timestamp::from_timestamp(from, 0).map(rfc3339).unwrap_or_default()
        )
    }

    /// Where there are more receipts than a part of the quota is enough for, the newest are listed. A
    /// first one that cannot be shown is left to the walk, which finds it and goes past it.
    fn begin(api: &Api) -> Result<Page> {
        let now = api.now();
        let most = part(api);
        let count = Shop::of(api).list(Some(RECENTLY)).count(&placed(now - RECENT))?;
        let size = u64::from(api.page().get()).max(2) - 1;
        let needed = count.unwrap_or(0).div_ceil(size).saturating_add(NEXT);
        // What asking took, and the cancelled ones, which are few.
        let for_them = most.saturating_sub(most / PART).saturating_sub(1).max(1);
        let is_too_much = needed > for_them;
        let share = i64::try_from(for_them).unwrap_or(i64::MAX).saturating_mul(RECENT);
        let span = if is_too_much { share / i64::try_from(needed).unwrap_or(i64::MAX) } else { RECENT };
        let from = now - span;
        let recent =
            Self { walk: Some(placed_from(from)), cancelled: false, from, left: most.saturating_sub(1).max(1) };
        let mut page = Page::without_orders(Next::More(Cursor::new(&At::Recent { recent })?));
        if is_too_much {
            page.warnings.push(format!(
                "only orders placed since {} were looked through for refunds and ship-by dates: {most} requests a day, a \
                 tenth of what Etsy permits, are enough for no more",
                Timestamp::from_timestamp(from, 0).map(rfc3339).unwrap_or_default()
            ));
        }
        Ok(page)
    }
}

/// How many requests a look may take.
fn part(api: &Api) -> u64 {
    (quota(api).permitted / PART).max(1)
}

/// The requests of 24 hours.
pub(crate) fn quota(api: &Api) -> Quota {
    let told = api.quota();
    Quota { permitted: told.map_or(AT_FIRST, |quota| quota.permitted), left: told.map(|quota| quota.left) }
}

/// What a walk takes beside its pages: a last page that is full is doubted.
const NEXT: u64 = 1;

fn placed_from(from: i64) -> Walk {
    Walk::new(Key::Created, Some(from), None)
}

fn placed(from: i64) -> Query {
    Query { created: (Some(from), None), ..Query::row(Sort::Created) }
}

/// How a range is listed for a comparison.
pub(crate) fn survey(api: &Api, range: &Range) -> Result<Survey> {
    let live = keyset::survey(&Shop::of(api), range)?;
    let cancelled = keyset::survey(&Shop { api, compared: Which::Cancelled }, range)?;
    let both = |one: Option<u64>, other: Option<u64>| Some(one?.saturating_add(other?));
    let walks = cancelled.walks.iter().map(compared).collect::<Result<Vec<_>>>()?;
    Ok(Survey {
        walks: live.walks.into_iter().chain(walks).collect(),
        orders: both(live.orders, cancelled.orders),
        requests: both(live.requests, cancelled.requests),
    })
}

/// A walk of a comparison, through the cancelled receipts.
fn compared(walk: &Cursor) -> Result<Cursor> {
    match walk.position::<Position>()? {
        Position::Slice(walk) => Cursor::new(&Position::Pass(COMPARED.to_owned(), walk)),
        _ => Ok(walk.clone()),
    }
}

/// The ids and times of the page at `at`.
pub(crate) fn heads(api: &Api, at: &Cursor) -> Result<Heads> {
    match at.position::<At>()? {
        At::Listed(Position::Pass(name, walk)) if name == COMPARED => {
            let shop = Shop { api, compared: Which::Cancelled };
            let heads = keyset::heads(&shop, Position::Slice(walk))?;
            let next = match &heads.next {
                Next::More(walk) => Next::More(compared(walk)?),
                Next::Done(walk) => Next::Done(compared(walk)?),
                Next::Wait(walk, pause) => Next::Wait(compared(walk)?, *pause),
            };
            Ok(Heads { next, ..heads })
        }
        At::Listed(position) => keyset::heads(&Shop::of(api), position),
        At::Recent { .. } => page(api, at).map(Heads::from),
    }
}
