//! Reading pages of orders, and what else a sync has to look at.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::api::Api;
use super::list::Orders;
use super::settings::Settings;
use super::wire::Count;
use crate::channel::isolate::REPEATS;
use crate::channel::keyset::{self, Key, List, Lists, Walk};
use crate::channel::{Cursor, Heads, Page, Pass, Plan, Range, Survey, meant};
use crate::error::{ErrorKind, Result};

/// What is remembered of a store besides: nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Extra {}

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
        Stored::Before(Before::ById(rest, slice, Way::Changes(_))) => Position::Changes(rest, Box::new(slice.into())),
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

    fn extra(&self, _: i64) -> Extra {
        Extra {}
    }

    fn overlap(&self) -> Duration {
        super::OVERLAP
    }

    fn list(&self, pass: Option<&str>) -> Box<dyn List + '_> {
        Box::new(Orders { api: self.api, settings: self.settings, archived: pass.is_some(), places: false })
    }

    fn places(&self) -> Box<dyn List + '_> {
        Box::new(Orders { api: self.api, settings: self.settings, archived: false, places: true })
    }

    fn changes(&self, _: &mut Extra, from: Option<i64>, _: i64) -> Walk {
        Walk::new(Key::Modified, from, None)
    }
}

/// The cursors of a range.
pub(crate) fn plan(api: &Api, settings: &Settings, range: &Range) -> Result<Plan> {
    keyset::plan(&Store { api, settings }, range)
}

/// Archived orders are on no list but their own. Archiving changes nothing but the order's presence
/// (P-4).
pub(crate) fn passes(api: &Api, settings: &Settings, changes: &Cursor) -> Result<Vec<Pass>> {
    let position = stored(changes)?;
    let rest = position.rest().filter(|_| api.facts().archived);
    let look = |rest| keyset::look(&Store { api, settings }, rest, ARCHIVED, "archived orders", Key::Modified);
    rest.map(look).into_iter().collect()
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
    Ok(reply.json::<Count<'_>>().ok().and_then(|(count, _)| meant(count.count.get())))
}

/// How a range is listed for a comparison.
pub(crate) fn survey(api: &Api, settings: &Settings, range: &Range) -> Result<Survey> {
    keyset::survey(&Store { api, settings }, range)
}

/// The ids and times of the page at `at`.
pub(crate) fn heads(api: &Api, settings: &Settings, at: &Cursor) -> Result<Heads> {
    keyset::heads(&Store { api, settings }, stored(at)?)
}

/// The page at `at`.
pub(crate) fn page(api: &Api, settings: &Settings, at: &Cursor) -> Result<Page> {
    keyset::page(&Store { api, settings }, stored(at)?)
}
