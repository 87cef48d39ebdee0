//! Where a store's changes stand between two syncs (I-3, Q-2).
//!
//! A channel's list of changes shows some of them late: an index lags, a replica is behind, a bulk
//! job ends. How late, at most, is the adapter's *overlap*: once it has passed since a moment, all
//! that was modified up to that moment shows. So a sync reads the overlap before what it knows once
//! more, until that was done well after the newest change was seen; from then on it asks for what
//! is newer only. Where the overlap holds many orders, not each sync reads them: what is owed is
//! remembered, and read when the overlap has passed.
//!
//! A walk may take hours, and what shows late may show behind its back. So what counts is when it
//! *began*: a sync that was killed and taken up again days later owes what was modified since.
//!
//! All times are seconds since the epoch by the channel's clock. Only an answer tells that, so a sync
//! begins by our own and is put right at its first page.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Page, strayed};
use crate::error::Result;

/// A second that lies so far back is over: nothing is modified in it any more.
const OVER: i64 = 2;

/// How far the clocks of a channel's servers are taken to be apart, at most; its answers tell whole
/// seconds, and some time after they were made, so that less than this is no difference.
const SERVERS_APART: i64 = 10;
const NOT_APART: i64 = 3;

/// What is known of a store's changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The newest modification time that was seen.
    high: Option<i64>,
    /// When it was first seen.
    #[serde(default)]
    reached: i64,
    /// From here on something may not have shown yet when it was read. Missing where an earlier
    /// version wrote the position: then the overlap before `high`.
    #[serde(default)]
    owed: Option<i64>,
    /// When what was owed was last read.
    #[serde(default)]
    paid: i64,
    /// From here on an order may have changed once more behind the last sync.
    #[serde(default)]
    unsure: Option<i64>,
    /// What is owed is more than a page.
    #[serde(default)]
    wide: bool,
    /// How far the channel's clock was ahead of ours, at least and at most, by the answers since a
    /// sync last began to read what is owed: more than one server may give them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ahead: Option<(i64, i64)>,
    /// The sync under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    under_way: Option<UnderWay>,
}

/// A sync that reads the changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct UnderWay {
    /// When it began.
    began: i64,
    /// It reads all that is owed.
    whole: bool,
    /// Up to here nothing shows late any more once it has ended, if it began the overlap after
    /// this was reached.
    settles: Option<i64>,
    /// When that was reached. Missing where an earlier version has decided it.
    #[serde(default)]
    reached: Option<i64>,
    /// When it began by our own clock, until an answer has told the channel's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ours: Option<i64>,
    /// From here on an order may have changed once more behind it.
    #[serde(default)]
    unsure: Option<i64>,
    /// The process that began it.
    #[serde(default)]
    process: u64,
}

/// What time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    /// By the channel's clock, as far as its answers have told it.
    pub(crate) theirs: i64,
    /// By our own.
    pub(crate) ours: i64,
}

/// What a page of a sync's changes comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// When its orders were modified.
    pub(crate) modified: Vec<i64>,
    /// There is more behind it.
    pub(crate) more: bool,
    /// What it took is too dear to be read at each sync.
    pub(crate) dear: bool,
    /// From here on the walk may have passed over orders that changed while a page was made.
    pub(crate) gap: Option<i64>,
}

/// How a sync goes on after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Onward {
    /// With the page behind it.
    Page,
    /// From its beginning.
    Again,
    /// It has read the changes to their end.
    Done,
}

/// The first page of a sync. It is `begin`'s from `at` on; from long ago, where the position lies
/// ahead of the channel's clock, which only an answer tells.
pub(crate) fn first_page(
    at: &Checkpoint,
    now: impl Fn() -> i64,
    begin: impl Fn(Checkpoint) -> Result<Page>,
) -> Result<Page> {
    let page = begin(at.clone())?;
    let Some(again) = at.strayed(now()) else { return Ok(page) };
    let mut page = begin(again)?;
    page.warnings.push(strayed::STRAYED.to_owned());
    Ok(page)
}

impl Checkpoint {
    /// Of a store of which nothing is read yet: everything from `since` on is owed.
    pub(crate) fn new(since: Option<i64>) -> Self {
        Self { high: since, owed: since, ..Self::default() }
    }

    /// Of a store that is read up to `high`, which was seen at `now`, by walks that were planned
    /// then.
    pub(crate) fn seen(high: Option<i64>, overlap: Duration, now: i64) -> Self {
        let owed = high.map(|high| high.min(now).saturating_sub(seconds(overlap)));
        Self { high, reached: now, owed, ..Self::default() }
    }

    /// The newest modification time that was seen.
    pub(crate) fn high(&self) -> Option<i64> {
        self.high
    }

    /// Begins a sync at `now`; gives the second from which on it reads, `None` for the beginning.
    pub(crate) fn begin(&mut self, overlap: Duration, now: Now) -> Option<i64> {
        let (overlap, ours, now) = (seconds(overlap), now.ours, now.theirs);
        // An earlier version did not write it down.
        if self.reached == 0 {
            self.reached = now;
        }
        self.owed = self.high.map(|high| self.owed.unwrap_or(high.saturating_sub(overlap)).min(high + 1));
        let newer = self.high.map(|high| self.unsure.map_or(high + 1, |unsure| unsure.min(high + 1)));
        let waits = self.wide && (0..overlap).contains(&(now - self.paid));
        let newer = newer.map(|newer| newer.saturating_sub(self.servers_apart()));
        let from = if waits { self.owed.max(newer) } else { self.owed };
        let whole = from == self.owed;
        self.wide &= !whole;
        if whole {
            self.ahead = None;
        }
        let settles = self.high.filter(|high| *high <= self.reached);
        let (reached, ours, process) = (Some(self.reached), Some(ours), this_process());
        self.under_way = Some(UnderWay { began: now, whole, settles, reached, ours, unsure: None, process });
        from
    }

    /// Takes notice of a page that the sync under way read at `now`.
    pub(crate) fn take(&mut self, page: &Taken, overlap: Duration, now: Now) -> Onward {
        self.put_right(now);
        let ahead = now.theirs.saturating_sub(now.ours);
        self.ahead = Some(self.ahead.map_or((ahead, ahead), |(least, most)| (least.min(ahead), most.max(ahead))));
        let now = now.theirs;
        self.reach(page.modified.iter().copied(), now);
        // What lies within the overlap and is more than a page is owed once, and not at each sync.
        let (first, last) = (page.modified.iter().min(), page.modified.iter().max());
        let is_near = first.zip(last).is_some_and(|(first, last)| last.saturating_sub(*first) < seconds(overlap));
        self.wide |= page.dear || (page.more && is_near);
        if let Some(gap) = page.gap {
            self.unsure_from(gap);
        }
        if page.more {
            // What the walk has passed may change behind it.
            self.unsure_from(now - OVER);
            return Onward::Page;
        }
        // What changed behind a walk that another process began is not left to the next sync: it
        // may have been some time ago.
        let is_inherited = self.under_way.is_some_and(|sync| sync.process != this_process());
        self.done(overlap, now);
        if is_inherited { Onward::Again } else { Onward::Done }
    }

    /// How far what one of the channel's servers dates may lie behind what another one has dated
    /// before.
    fn servers_apart(&self) -> i64 {
        let apart = self.ahead.map_or(0, |(least, most)| most.saturating_sub(least));
        if apart < NOT_APART { 0 } else { apart.min(SERVERS_APART) }
    }

    /// When the sync under way began, by the clock that an answer has told since.
    fn put_right(&mut self, now: Now) {
        let this = this_process();
        if let Some(sync) = &mut self.under_way
            && let Some(ours) = sync.ours.take().filter(|_| sync.process == this)
        {
            sync.began = now.theirs.saturating_sub(now.ours.saturating_sub(ours));
        }
    }

    /// Times to come are left aside: they would carry the position past all that changes until
    /// then. An answer tells the time in whole seconds, so it may be the next one already.
    fn reach(&mut self, modified: impl IntoIterator<Item = i64>, now: i64) {
        for at in modified.into_iter().filter(|at| *at <= now.saturating_add(1)) {
            if Some(at) > self.high {
                (self.high, self.reached) = (Some(at), now);
            }
            // It may change once more in the second in which it was read.
            if at >= now - OVER {
                self.unsure_from(at);
            }
        }
    }

    fn unsure_from(&mut self, at: i64) {
        if let Some(sync) = &mut self.under_way {
            sync.unsure = Some(sync.unsure.map_or(at, |unsure| unsure.min(at)));
        }
    }

    /// The sync under way has read the changes to their end.
    fn done(&mut self, overlap: Duration, now: i64) {
        let Some(sync) = self.under_way.take() else { return };
        self.unsure = sync.unsure;
        // A clock was set back.
        self.reached = self.reached.min(now);
        if !sync.whole {
            return;
        }
        let shown = self.high.map(|high| high.min(sync.began).saturating_sub(seconds(overlap)));
        let is_long_ago = |reached| sync.began.saturating_sub(reached) >= seconds(overlap);
        let settled = sync.settles.filter(|_| sync.reached.is_none_or(is_long_ago));
        self.owed = self.owed.max(shown).max(settled.map(|settled| settled + 1));
        // What the walk has passed over is owed as it was.
        self.owed = self.owed.map(|owed| self.unsure.map_or(owed, |unsure| owed.min(unsure)));
        self.paid = sync.began;
    }

    /// Where to read on if the position lies ahead of the channel's clock, which only an answer
    /// tells.
    fn strayed(&self, now: i64) -> Option<Self> {
        strayed::again_from(self.high, now).map(|from| Self::new(Some(from)))
    }

    /// From where on a list beside the changes is looked through at `now`: a channel whose clock is
    /// behind dates what is to come after the newest change, and before now.
    pub(crate) fn beside(&self, overlap: Duration, now: i64) -> i64 {
        self.high.map_or(now, |high| high.min(now)).saturating_sub(seconds(overlap))
    }
}

/// What tells this process from every other: when it began, and its number.
fn this_process() -> u64 {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // A position holds no number that is larger than any time or id.
        (began.as_micros() as u64 ^ u64::from(std::process::id()) << 32) & ((1 << 56) - 1)
    });
    *PROCESS
}

/// In whole seconds.
pub(crate) fn seconds(overlap: Duration) -> i64 {
    i64::try_from(overlap.as_secs()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const OVERLAP: Duration = Duration::from_secs(600);

    /// A page of the channel.
    const PAGE: usize = 5;

    /// An order as a list shows it.
    #[derive(Debug, Clone, Copy)]
    struct Change {
        at: i64,
        shows: i64,
    }

    /// Our clock shows what the channel's does.
    fn at_both(now: i64) -> Now {
        Now { theirs: now, ours: now }
    }

    /// One sync from `now` on that takes so many seconds; gives how many pages it read. It passes
    /// the place of what was modified before it began at once, and the rest at its end. Our clock
    /// is so far `ahead`, as is known from the first answer on.
    fn sync(
        checkpoint: &mut Checkpoint,
        changes: &[Change],
        (now, takes, ahead): (i64, i64, i64),
        met: &mut BTreeSet<usize>,
    ) -> usize {
        let from = checkpoint.begin(OVERLAP, at_both(now + ahead));
        let passed = |change: &Change| if change.at <= now { now } else { now + takes };
        let listed: Vec<usize> = changes
            .iter()
            .enumerate()
            .filter(|(_, change)| from.is_none_or(|from| change.at >= from) && change.shows <= passed(change))
            .map(|(nth, _)| nth)
            .collect();
        let pages = listed.len().div_ceil(PAGE).max(1);
        let times: Vec<i64> = listed.iter().filter_map(|nth| changes.get(*nth)).map(|change| change.at).collect();
        let end = Now { theirs: now + takes, ours: now + takes + ahead };
        let mut chunks: Vec<&[i64]> = times.chunks(PAGE).collect();
        chunks.resize(pages, &[]);
        for (nth, page) in chunks.into_iter().enumerate() {
            let page = Taken { modified: page.to_vec(), more: nth + 1 < pages, ..Taken::default() };
            checkpoint.take(&page, OVERLAP, end);
            // Each page is read by another process.
            *checkpoint = serde_json::from_str(&serde_json::to_string(checkpoint).unwrap()).unwrap();
        }
        met.extend(listed);
        pages
    }

    proptest! {
        /// However late a change shows within the overlap, however long a sync takes, however
        /// often it is called: once the overlap has passed, it was read. Then nothing new costs
        /// one page, for ever.
        #[test]
        fn i3_what_shows_late_is_read_and_nothing_new_is_one_request(
            mut changes in prop::collection::vec((1i64..4_000, 0i64..=600), 0..60),
            syncs in prop::collection::vec((1i64..900, 0i64..400), 1..20),
            since in prop::option::of(1i64..2_000),
            ahead in prop_oneof![Just(0i64), -20_000i64..20_000],
        ) {
            changes.sort_unstable();
            let changes: Vec<Change> = changes.iter().map(|(at, late)| Change { at: 10_000 + at, shows: 10_000 + at + late }).collect();
            let mut checkpoint = Checkpoint::new(since.map(|since| 10_000 + since));
            let (mut now, mut met) = (10_000, BTreeSet::new());
            for (pause, takes) in syncs {
                now += pause;
                sync(&mut checkpoint, &changes, (now, takes, ahead), &mut met);
                now += takes;
            }
            now = now.max(15_000);
            for _ in 0..3 {
                sync(&mut checkpoint, &changes, (now, 1, ahead), &mut met);
                now += 601;
            }
            for (nth, change) in changes.iter().enumerate() {
                let wanted = since.is_none_or(|since| change.at >= 10_000 + since);
                prop_assert!(!wanted || met.contains(&nth), "{:?} of {:?}", change, checkpoint);
            }
            for _ in 0..3 {
                prop_assert_eq!(sync(&mut checkpoint, &changes, (now, 1, ahead), &mut met), 1);
                now += 7;
            }
        }
    }

    #[test]
    fn q2_what_is_owed_is_read_once_more_well_after_the_newest_change_and_then_left_alone() {
        let mut at = Checkpoint::new(None);
        assert_eq!(at.begin(OVERLAP, at_both(5_090)), None);
        at.take(&Taken { modified: vec![5_000], dear: true, ..Taken::default() }, OVERLAP, at_both(5_100));
        let begun = |at: &Checkpoint, now| at.clone().begin(OVERLAP, at_both(now));
        assert_eq!(begun(&at, 5_110), Some(5_001), "not all of many orders at every sync");
        assert_eq!(begun(&Checkpoint { wide: false, ..at.clone() }, 5_110), Some(4_400));
        let mut just_now = at.clone();
        just_now.begin(OVERLAP, at_both(5_200));
        just_now.reach([5_150, 5_199], 5_200);
        just_now.done(OVERLAP, 5_200);
        assert_eq!(begun(&just_now, 5_210), Some(5_199), "the second was not over when it was read");
        assert_eq!(begun(&at, 5_700), Some(4_400));
        let mut early = at.clone();
        early.begin(OVERLAP, at_both(5_690));
        early.done(OVERLAP, 5_690);
        assert_eq!(begun(&early, 6_400), Some(4_400), "what shows late may still have come");
        at.begin(OVERLAP, at_both(5_700));
        at.done(OVERLAP, 5_700);
        assert_eq!(begun(&at, 5_710), Some(5_001));
        at.begin(OVERLAP, at_both(6_000));
        at.reach(Some(5_500), 6_100);
        at.done(OVERLAP, 6_100);
        assert_eq!(begun(&at, 7_000), Some(5_001), "what was settled stays so");
    }

    #[test]
    fn i3_what_a_server_dates_whose_clock_is_behind_is_read_while_the_overlap_waits() {
        let page = |modified: i64, more| Taken { modified: vec![modified], more, dear: true, ..Taken::default() };
        let mut at = Checkpoint::new(None);
        at.begin(OVERLAP, at_both(5_000));
        at.take(&page(4_900, true), OVERLAP, Now { theirs: 5_009, ours: 5_010 });
        at.take(&page(5_000, false), OVERLAP, at_both(5_010));
        assert_eq!(at.clone().begin(OVERLAP, at_both(5_100)), Some(5_001), "one clock");
        at.begin(OVERLAP, at_both(5_100));
        at.take(&Taken::default(), OVERLAP, Now { theirs: 5_096, ours: 5_100 });
        assert_eq!(at.clone().begin(OVERLAP, at_both(5_200)), Some(4_997));
        assert_eq!(at.begin(OVERLAP, at_both(5_700)), Some(4_399));
        at.done(OVERLAP, 5_700);
        assert_eq!(at.begin(OVERLAP, at_both(5_710)), Some(5_001), "then no more than what is newer");
    }

    #[test]
    fn i3_what_a_short_sync_leaves_stays_owed() {
        let mut at = Checkpoint::seen(Some(1_000), OVERLAP, 1_000);
        at.begin(OVERLAP, at_both(1_000));
        at.take(&Taken { dear: true, ..Taken::default() }, OVERLAP, at_both(1_000));
        assert_eq!(at.begin(OVERLAP, at_both(1_590)), Some(1_001));
        at.reach(Some(1_580), 1_590);
        at.done(OVERLAP, 1_590);
        assert_eq!(at.begin(OVERLAP, at_both(2_200)), Some(400), "an order of 900 may have shown at 1300");
    }

    #[test]
    fn f4_a_position_in_the_future_heals() {
        let mut ahead = Checkpoint::seen(Some(9_000_000), OVERLAP, 9_000_000);
        ahead.begin(OVERLAP, at_both(9_000_000));
        let mut back = ahead.strayed(6_000_000).unwrap();
        assert_eq!(back.begin(OVERLAP, at_both(6_000_000)), Some(6_000_000 - 60 * 86_400));
        back.done(OVERLAP, 6_000_000);
        back.reach(Some(5_999_000), 6_000_000);
        assert_eq!((back.high(), back.strayed(6_000_000)), (Some(5_999_000), None));
        let clock = Checkpoint {
            reached: 9_000_000,
            paid: 9_000_000,
            wide: true,
            ..Checkpoint::seen(Some(1_000), OVERLAP, 1_000)
        };
        assert_eq!(clock.clone().begin(OVERLAP, at_both(2_000)), Some(400), "a clock that was ahead holds up nothing");
        assert_eq!(ahead.beside(OVERLAP, 6_000_000), 6_000_000 - 600);
    }

    #[test]
    fn i3_a_position_of_an_earlier_version_owes_the_overlap() {
        let mut old: Checkpoint = serde_json::from_str(r#"{"high":5000,"reached":5000,"settled":true}"#).unwrap();
        assert_eq!(old.begin(OVERLAP, at_both(9_000)), Some(4_400));
        old.done(OVERLAP, 9_000);
        assert_eq!(old.begin(OVERLAP, at_both(9_100)), Some(5_001));
    }
}
