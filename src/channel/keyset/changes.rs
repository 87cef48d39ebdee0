//! A store's changes from sync to sync, and the walks beside them.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::read::{Batch, List, Onward, read};
use super::{Bounds, Key, Walk};
use crate::channel::checkpoint::{self, Checkpoint, Now, Taken, first_page, seconds};
use crate::channel::{Cursor, Next, Page, Pass};
use crate::error::Result;

/// How often a list is looked through besides.
const EVERY: Duration = Duration::from_secs(3600);

/// How long an order that the channel cannot show is left out of its lists, and how many of them:
/// more would not fit into an address. They are asked for by themselves.
const LEFT_OUT: i64 = 20 * 3_600;
const MOST_LEFT_OUT: usize = 100;

/// Where a store's walks stand. `X` is what an adapter remembers besides.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Position<X> {
    /// The changes, at rest between two syncs.
    Rest(Rest<X>),
    /// In the middle of them.
    Changes(Rest<X>, Box<Walk>),
    /// In a slice of a first sync, or in a range that was asked for.
    Slice(Walk),
    /// In a list that is looked through besides, by its name.
    Pass(String, Walk),
}

/// What is remembered from sync to sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rest<X> {
    /// Where the changes stand.
    #[serde(flatten)]
    pub(crate) at: Checkpoint,
    /// Bounds that nobody says anything of are known to be inclusive. An earlier version has written
    /// down as `inclusive` what it had taken for a proof.
    #[serde(default, rename = "includes")]
    inclusive: bool,
    /// They are not taken for that: not all orders came that were counted.
    #[serde(default)]
    wider: bool,
    /// The most rows that a page has had, and whether its count is known to be that of the page
    /// alone.
    #[serde(default)]
    most: u64,
    #[serde(default)]
    capped: bool,
    /// Orders that the channel cannot show, and until when they are left out.
    #[serde(default, alias = "skip")]
    unshown: Vec<(u64, i64)>,
    /// As an earlier version wrote down when it had last looked through the lists besides, and the
    /// newest modification time known then.
    #[serde(default, skip_serializing)]
    aside: Option<i64>,
    #[serde(default, skip_serializing)]
    aside_from: Option<i64>,
    /// What the adapter remembers.
    #[serde(flatten)]
    pub(crate) extra: X,
}

impl<X> Rest<X> {
    /// Of a store whose changes stand there.
    pub(crate) fn new(at: Checkpoint, extra: X) -> Self {
        let (unshown, aside, aside_from) = (Vec::new(), None, None);
        Self { at, inclusive: false, wider: false, most: 0, capped: false, unshown, aside, aside_from, extra }
    }

    /// The walk through a list that is looked through besides, if it begins at `now`.
    fn beside(&self, walk: Walk, overlap: Duration, now: i64) -> Walk {
        let before = [self.aside_from, self.aside].into_iter().flatten().min();
        let beside = self.at.beside(overlap, now);
        let from = before.map_or(beside, |before| beside.min(before - seconds(overlap)));
        Walk { from: Some(from), most: self.most, capped: self.capped, ..walk }
    }
}

impl<X> Position<X> {
    /// The same, to remember more.
    pub(crate) fn rest_mut(&mut self) -> Option<&mut Rest<X>> {
        match self {
            Self::Rest(rest) | Self::Changes(rest, _) => Some(rest),
            Self::Slice(_) | Self::Pass(..) => None,
        }
    }

    /// What is remembered of the changes, where it is a position in them.
    pub(crate) fn rest(&self) -> Option<&Rest<X>> {
        match self {
            Self::Rest(rest) | Self::Changes(rest, _) => Some(rest),
            Self::Slice(_) | Self::Pass(..) => None,
        }
    }
}

/// The lists of a store.
pub(crate) trait Lists {
    /// What is remembered of it besides.
    type Extra: Clone + Serialize + DeserializeOwned;

    /// What is remembered of a store of which nothing is read yet at `now`.
    fn extra(&self, now: i64) -> Self::Extra;

    /// How late a change shows, at most.
    fn overlap(&self) -> Duration;

    /// The list of orders, or the one of a pass.
    fn list(&self, pass: Option<&str>) -> Box<dyn List + '_>;

    /// The list of orders with no more of each than its place and id ([`super::Content::Head`]).
    fn places(&self) -> Box<dyn List + '_>;

    /// Whether the list of orders can be asked for changes.
    fn lists_changes(&self) -> bool {
        true
    }

    /// How many walks a first sync has besides its slices.
    fn walks_beside(&self) -> u64 {
        0
    }

    /// The walk of a sync that begins at `now`, with the changes from `from` on.
    fn changes(&self, extra: &mut Self::Extra, from: Option<i64>, now: i64) -> Walk;
}

/// A look through the list of the pass `name`, besides the changes that are read up to `rest`.
pub(crate) fn look<L: Lists>(
    lists: &L,
    rest: &Rest<L::Extra>,
    name: &'static str,
    title: &'static str,
    key: Key,
) -> Result<Pass> {
    let walk = rest.beside(Walk::new(key, None, None), lists.overlap(), lists.list(None).now());
    let start = Cursor::new(&Position::<L::Extra>::Pass(name.to_owned(), walk))?;
    Ok(Pass { name, title, every: EVERY, start, goes_on: false, not_now: None })
}

/// The page at a position.
pub(crate) fn page<L: Lists>(lists: &L, at: Position<L::Extra>) -> Result<Page> {
    match at {
        Position::Rest(rest) => resume(lists, rest),
        Position::Changes(rest, walk) => changes(lists, rest, &walk),
        Position::Slice(walk) => aside(lists, None, &walk, Position::Slice),
        Position::Pass(name, walk) => aside(lists, Some(&name), &walk, |walk| Position::Pass(name.clone(), walk)),
    }
}

/// The changes since the last sync.
fn resume<L: Lists>(lists: &L, rest: Rest<L::Extra>) -> Result<Page> {
    if !lists.lists_changes() {
        return begin(lists, rest);
    }
    first_page(&rest.at, || lists.list(None).now(), |at| begin(lists, Rest { at, ..rest.clone() }))
}

fn begin<L: Lists>(lists: &L, mut rest: Rest<L::Extra>) -> Result<Page> {
    let list = lists.list(None);
    let now = clock(list.as_ref());
    let from = rest.at.begin(lists.overlap(), now);
    let walk = lists.changes(&mut rest.extra, from, now.theirs);
    rest.unshown.retain(|(_, until)| (now.theirs..=now.theirs + LEFT_OUT).contains(until));
    let skip = rest.unshown.iter().map(|(id, _)| *id).collect();
    let (most, capped) = (rest.most, rest.capped);
    let is_revisited = walk.key == Key::Modified;
    let inclusive = rest.inclusive && list.dialect().bounds == Bounds::Unknown;
    let wider = rest.wider;
    let walk = Walk { known: rest.at.high(), inclusive, wider, skip, most, capped, is_revisited, ..walk };
    changes(lists, rest, &walk)
}

fn changes<L: Lists>(lists: &L, mut rest: Rest<L::Extra>, walk: &Walk) -> Result<Page> {
    let list = lists.list(None);
    let (mut batch, onward) = read(list.as_ref(), walk)?;
    let behind = onward.walk();
    // Where bounds are said to be exclusive, what a walk has seen is for that walk. Orders that were
    // counted and did not come may have lain on a bound.
    let is_short = batch.unshown.iter().any(|one| one.unlisted > 0);
    let again_from = if is_short && behind.inclusive { behind.start.0 } else { None };
    // A walk that was counted and came as a whole shows that they may be again.
    let is_whole = matches!(onward, Onward::Done(_)) && behind.census.is_some();
    rest.wider = is_short || (rest.wider && !is_whole);
    let learns = list.dialect().bounds == Bounds::Unknown && !rest.wider;
    rest.inclusive = learns && (rest.inclusive || behind.inclusive);
    if list.dialect().counts_with_pages {
        (rest.most, rest.capped) = (behind.most, behind.capped);
    }
    let until = list.now() + LEFT_OUT;
    let known: Vec<u64> = rest.unshown.iter().map(|(id, _)| *id).collect();
    let new = batch.hidden.iter().filter(|id| !known.contains(id));
    rest.unshown.extend(new.map(|id| (*id, until)));
    let surplus = rest.unshown.len().saturating_sub(MOST_LEFT_OUT);
    rest.unshown.drain(..surplus);
    let modified = std::mem::take(&mut batch.modified);
    let more = matches!(onward, Onward::More(_));
    let gap = onward.walk().gap.into_iter().chain(again_from).min();
    let page = Taken { modified, more, gap, dear: !batch.unshown.is_empty() || !batch.hidden.is_empty() };
    let after = rest.at.take(&page, lists.overlap(), clock(list.as_ref()));
    let next = match onward {
        Onward::More(walk) => Next::More(Cursor::new(&Position::Changes(rest, Box::new(walk)))?),
        Onward::Done(_) => {
            let cursor = Cursor::new(&Position::Rest(rest))?;
            if after == checkpoint::Onward::Again { Next::More(cursor) } else { Next::Done(cursor) }
        }
    };
    Ok(finish(batch, next))
}

/// What time it is at the channel and here.
pub(super) fn clock(list: &dyn List) -> Now {
    Now { theirs: list.now(), ours: list.our_now() }
}

/// A page of a walk that remembers nothing beside itself.
fn aside<L: Lists>(
    lists: &L,
    pass: Option<&str>,
    walk: &Walk,
    position: impl Fn(Walk) -> Position<L::Extra>,
) -> Result<Page> {
    let (batch, onward) = read(lists.list(pass).as_ref(), walk)?;
    let next = match onward {
        Onward::More(walk) => Next::More(Cursor::new(&position(walk))?),
        Onward::Done(walk) => Next::Done(Cursor::new(&position(walk))?),
    };
    Ok(finish(batch, next))
}

fn finish(batch: Batch, next: Next) -> Page {
    Page {
        orders: batch.orders,
        unshown: batch.unshown,
        reread: batch.reread,
        drafts: batch.drafts,
        warnings: batch.warnings,
        next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i4_what_an_earlier_version_had_left_out_stays_left_out() {
        let kept = r#"{"high":1795000000,"skip":[[5,1795086400]]}"#;
        let rest: Rest<std::collections::BTreeMap<String, String>> = serde_json::from_str(kept).unwrap();
        assert_eq!(rest.unshown, [(5, 1_795_086_400)]);
    }
}
