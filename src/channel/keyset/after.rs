//! How a walk goes on after a page.

use super::read::Onward;
use std::borrow::Cow;

use super::{Before, ById, Count, Dialect, Listed, Row, Sort, Step, Walk};
use crate::channel::census::Census;

/// Fewer rows than this are taken for a whole page where the channel counts no more, or none of
/// them is new: no server cuts pages so small.
pub(super) const FEW: u64 = 10;

/// A second that lies so far back is over on each of a channel's servers, whose clocks may be some
/// seconds apart: no row comes into it any more.
const CALM: i64 = 10;

/// How often a stretch that is read by ids may have to go back because rows have left it.
const MOST_STEPS_BACK: u32 = 50;

/// How many windows of rows that are counted and not shown are looked past in a row.
const MOST_IN_VAIN: u64 = 100;

/// Beyond every id.
const LARGEST: u64 = 1 << 60;

/// What nothing has proven.
pub(super) const NO_PROOF: &str = "it gives an empty list, and no count that says that there is nothing more";

/// What a page says of what is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    More,
    /// Nothing by its own count, which may be that of the page.
    Doubt,
    /// It does not say.
    Untold,
}

impl Walk {
    /// The walk after a page that was asked for with `size` rows, at `asked_at`.
    ///
    /// # Errors
    /// What does not fit the request.
    pub(crate) fn after(&self, dialect: &Dialect, page: &Listed, size: usize, asked_at: i64) -> Result<Step, String> {
        let size = self.at_least(dialect, size) as u64;
        let page = &self.as_placed(page, asked_at);
        let seen = self.having_seen(dialect, page, asked_at);
        if self.has_passed_over(page)
            && let Some(back) = seen.back_by_ids()
        {
            return Ok(Step::More(back));
        }
        let step = match &self.by_id {
            Some(ids) if !dialect.above => self.after_places(ids, seen, dialect, page, size)?,
            Some(ids) if ids.within > 0 && page.rows.iter().all(|row| row.id <= ids.last) => {
                seen.behind_window(ids, page, size)?
            }
            _ if page.length == 0 => match seen.after_nothing(self, dialect, page, size) {
                Err(_) if self.doubted => Step::End(seen),
                step => step?,
            },
            Some(ids) => self.after_ids(ids, seen, dialect, page, size)?,
            // What answers a doubt and is no answer leaves it at the count.
            None => match self.after_times(seen.clone(), dialect, page, size, asked_at) {
                Err(_) if self.doubted => Step::End(seen),
                step => step?,
            },
        };
        match step {
            Step::More(next) if next.stands_where(self) => Err("the same page comes again".to_owned()),
            step => Ok(step),
        }
    }

    /// The page with each row of a stretch that is read by ids in it: one that was modified while the
    /// page was made shows a time behind the stretch, and no filter was ignored.
    fn as_placed<'p>(&self, page: &'p Listed, asked_at: i64) -> Cow<'p, Listed> {
        let Some(end) = self.by_id.as_ref().and_then(|_| self.end()) else { return Cow::Borrowed(page) };
        let has_left = |row: &Row| row.at > end && row.at >= asked_at - 1;
        if !page.rows.iter().any(has_left) {
            return Cow::Borrowed(page);
        }
        let placed = |row: &Row| Row { at: if has_left(row) { end } else { row.at }, ..*row };
        Cow::Owned(Listed { rows: page.rows.iter().map(placed).collect(), ..page.clone() })
    }

    /// Whether there are fewer rows by this count than the page before has left: it was not sorted
    /// by the time, or this is no answer.
    fn has_passed_over(&self, page: &Listed) -> bool {
        let left = self.before.as_ref().map(|before| before.left);
        matches!((page.count, left), (Count::OfPage(count), Some(left)) if count < left)
    }

    /// The walk with what the page tells of the channel, and with the orders that it met.
    fn having_seen(&self, dialect: &Dialect, page: &Listed, asked_at: i64) -> Self {
        let inclusive = self.inclusive || (!self.wider && self.shows_its_bound(dialect, page, asked_at));
        let mut seen = Self { begun: true, doubted: false, inclusive, ahead: 0, ..self.clone() };
        seen.most = self.most.max(page.length);
        seen.capped = self.capped || (self.doubted && self.has_fresh(dialect, page));
        if page.rows.iter().any(|row| self.is_fresh(row)) {
            seen.vain = 0;
        }
        if !self.begun {
            seen.start = (self.from, self.by_id.clone());
            seen.census = match page.count {
                Count::OfPage(count) | Count::Asked(Some(count)) => Some(Census::default().count(count)),
                _ => None,
            };
        }
        seen.census = seen.census.map(|census| census.meet(self.news(page)));
        seen.edge +=
            page.rows.iter().filter(|row| self.is_beyond(row) || (!self.begun && self.is_before(row))).count() as u64;
        seen
    }

    /// How many orders of a page no page before had.
    fn news(&self, page: &Listed) -> u64 {
        let nameless = page.length.saturating_sub(page.rows.len() as u64);
        page.rows.iter().filter(|row| self.is_fresh(row)).count() as u64 + nameless
    }

    /// Whether a row lies on the lower bound as it was sent. One that was modified while the page was
    /// made shows its new time in its old place, which proves nothing.
    fn shows_its_bound(&self, dialect: &Dialect, page: &Listed, asked_at: i64) -> bool {
        let is_in_order = page.rows.is_sorted_by_key(|row| row.at);
        let is_on = |low: i64| low < asked_at - CALM && page.rows.iter().any(|row| row.at == low);
        is_in_order && self.bounds(dialect).0.is_some_and(is_on)
    }

    /// Whether it lies on the lower bound as it was sent, and is none of the walk's.
    fn is_before(&self, row: &Row) -> bool {
        self.from.is_some_and(|from| row.at < from) || self.by_id.as_ref().is_some_and(|ids| row.id <= ids.last)
    }

    /// The same with the upper bound.
    fn is_beyond(&self, row: &Row) -> bool {
        let up_to = self.by_id.as_ref().and_then(|ids| ids.up_to);
        self.until.is_some_and(|until| row.at > until) || up_to.is_some_and(|up_to| row.id > up_to)
    }

    /// Whether no page before had this row.
    fn is_fresh(&self, row: &Row) -> bool {
        let behind = self.end().is_some_and(|end| row.at > end);
        !behind && !self.is_before(row) && !self.is_beyond(row) && !self.taken.contains(&row.id)
    }

    fn has_fresh(&self, dialect: &Dialect, page: &Listed) -> bool {
        page.rows.iter().any(|row| self.asks_for(dialect, row) && self.is_fresh(row))
    }

    /// Whether an empty page has to be proven: not where a sync asks for what is newer than all
    /// that is known.
    pub(crate) fn is_owed(&self) -> bool {
        let is_known = self.known.is_some_and(|known| self.from.is_some_and(|from| from > known));
        self.begun || self.by_id.is_some() || self.wider || !is_known
    }

    fn behind(&self, dialect: &Dialect, page: &Listed, size: u64) -> Behind {
        let more = |more| if more { Behind::More } else { Behind::Nothing };
        match page.count {
            Count::OfPage(count) if count > self.ahead + page.length => Behind::More,
            Count::OfPage(_) if self.is_doubtful(dialect, page, size) => Behind::Doubt,
            Count::OfPage(_) => Behind::Nothing,
            Count::Asked(Some(count)) if count <= page.length && page.length >= size => Behind::Doubt,
            Count::Asked(count) => more(count.is_none_or(|count| count > page.length)),
            // Rows of one second come in any order: of the one that it stands at others may be shown.
            Count::Last(last) => {
                let is_past = |last: Row| self.is_past(last) && (self.by_id.is_some() || Some(last.at) < self.from);
                more(!last.is_some_and(is_past))
            }
            Count::Untold if page.length >= size || dialect.counts_with_pages => Behind::More,
            Count::Untold if self.may_be_cut(page) => Behind::Untold,
            Count::Untold => Behind::Nothing,
        }
    }

    fn has_news(&self, page: &Listed) -> bool {
        page.rows.iter().any(|row| self.known.is_none_or(|known| row.at > known))
    }

    /// Whether there may be rows behind a page that is the last by the channel's count. Something
    /// that cuts pages may count what it gives; then the count is that of the rows on the page, and
    /// these are as many as ever came at once. A full page is no end by a count alone; a shorter
    /// one of a sync that brings nothing new is not doubted, so that such a sync stays one request.
    fn is_doubtful(&self, dialect: &Dialect, page: &Listed, size: u64) -> bool {
        let may_be_cut = page.length >= FEW && page.length >= self.most && (self.capped || self.has_news(page));
        // Rows of one second that are known may fill it.
        let is_crowded = page.length >= size && dialect.leaves_out == 0;
        is_crowded || ((page.length >= size || may_be_cut) && self.has_fresh(dialect, page))
    }

    /// Whether a page without a count, which is shorter than asked for, may have been cut: also one
    /// after which orders are missing that were counted, as something may take rows out of any page.
    fn may_be_cut(&self, page: &Listed) -> bool {
        let is_short = self.census.is_some_and(|census| census.missing() > self.edge + self.news(page));
        let may_go_on = self.by_id.is_some() || page.length >= FEW || self.has_news(page);
        // Where orders are hidden, a page of them may look like the end.
        is_short || (page.length >= self.most && (may_go_on || (self.wider && page.length > 0)))
    }

    /// After a page without entries. A count that says so proves that there is nothing; what is
    /// wrong with it otherwise, the row at the other end of the list tells: it must be one that is
    /// read.
    fn after_nothing(&self, before: &Self, dialect: &Dialect, page: &Listed, size: u64) -> Result<Step, String> {
        match page.count {
            Count::OfPage(count) if before.ahead > 0 && count > before.ahead + page.length => {
                self.further(before, dialect, page, size)
            }
            // What was shown may have come since, and stand where it began.
            _ if before.ahead > 0 => self.in_vain(MOST_IN_VAIN / 4, MOST_IN_VAIN),
            Count::OfPage(0) | Count::Asked(Some(0)) => Ok(self.past()),
            Count::Asked(None) if !dialect.counts_with_pages => Ok(self.past()),
            Count::Last(Some(last)) if before.is_past(last) || (page.gives == 0 && before.has_taken(last)) => {
                Ok(self.past())
            }
            // It has changed since it was read, and is left out for that.
            Count::Last(Some(last)) if dialect.leaves_out > 0 && self.taken.contains(&last.id) => {
                Ok(Step::More(Self { taken: Vec::new(), ..self.clone() }))
            }
            Count::Last(Some(_)) => self.further(before, dialect, page, size),
            Count::Last(None) if dialect.above && self.census.is_some() => self.further(before, dialect, page, size),
            Count::Last(None) => Err(NO_PROOF.to_owned()),
            // Rows of its second come in any order, and more are counted than a page has.
            Count::OfPage(count) | Count::Asked(Some(count))
                if self.by_id.is_none() && !self.taken.is_empty() && count > size.min(self.most.max(FEW)) =>
            {
                Ok(self.from.map_or(Step::Ask, |from| Step::More(self.clone().tied(from))))
            }
            Count::OfPage(_) | Count::Asked(_) | Count::Untold => Ok(Step::Ask),
        }
    }

    /// Whether the last row of a list shows that nothing of it is left to read.
    pub(super) fn is_past(&self, last: Row) -> bool {
        let is_before = self.from.is_some_and(|from| last.at < from);
        is_before || self.by_id.as_ref().map_or_else(|| self.has_taken(last), |ids| last.id <= ids.last)
    }

    /// Whether a row is of the second that it stands at, and read.
    fn has_taken(&self, row: Row) -> bool {
        Some(row.at) == self.from && self.taken.contains(&row.id)
    }

    /// The last row of its list, as bounds were sent, as one of its own: it is not left out where the
    /// row of a bound alone says that there may be more.
    pub(super) fn within(&self, last: Row, sort: Sort) -> Row {
        let at = match sort {
            Sort::Id => self.from.map_or(last.at, |from| last.at.max(from)),
            _ => self.end().map_or(last.at, |end| last.at.min(end)),
        };
        Row { at, ..last }
    }

    /// The walk farther on, where nothing of a page is new and a row behind it is shown: what lies
    /// between is counted and not shown. Ids do not move; of places every second window has half of
    /// the one before, as rows may have left the list meanwhile.
    fn further(&self, before: &Self, dialect: &Dialect, page: &Listed, size: u64) -> Result<Step, String> {
        // As many rows as came at once are a window.
        let most = self.most.max(page.gives);
        let next = Self { before: None, doubted: false, most, ..self.clone() };
        if dialect.above {
            let within = next.few_ids(size);
            let shown = if let Count::Last(Some(last)) = page.count { last.id } else { LARGEST };
            let ids = self.by_id.clone().map(|ids| ById { within, shown, ..ids });
            let ids = ids.unwrap_or_else(|| ById { known: self.skip.clone(), ..ById::default() });
            return Ok(Step::More(Self { by_id: Some(ids), ..next }));
        }
        let half = (size.min(most) / 2).max(1);
        Self { ahead: before.ahead + half, ..next }.in_vain(1, MOST_IN_VAIN)
    }

    /// The walk, where so much was done for nothing, of at most so much.
    fn in_vain(&self, much: u64, most: u64) -> Result<Step, String> {
        let vain = self.vain.saturating_add(much);
        if vain > most {
            return Err("it shows an order at the end of a list, and does not where the list is read".to_owned());
        }
        Ok(Step::More(Self { vain, before: None, doubted: false, ..self.clone() }))
    }

    /// Of no more ids than these a page shows all: where bounds are sent wider, it has two more.
    fn few_ids(&self, size: u64) -> u64 {
        size.min(self.most).saturating_sub(2).max(1)
    }

    /// After a window of ids in which nothing is shown. One that has no more ids than a page has rows
    /// has shown all that there is to show, where the answer is one: it has the row that joins it to
    /// the page before, or a count.
    fn behind_window(&self, ids: &ById, page: &Listed, size: u64) -> Result<Step, String> {
        match page.count {
            Count::OfPage(_) | Count::Asked(Some(_)) => {}
            _ if page.length > 0 => {}
            Count::Untold => return Ok(Step::Ask),
            Count::Asked(None) | Count::Last(_) => return Err(NO_PROOF.to_owned()),
        }
        let few = self.few_ids(size);
        let is_empty = matches!(page.count, Count::OfPage(count) | Count::Asked(Some(count)) if count <= page.length);
        if ids.within > few && !is_empty {
            return Ok(Step::More(Self { by_id: Some(ById { within: few, ..ids.clone() }), ..self.clone() }));
        }
        let last = ids.last.saturating_add(ids.within);
        // No id is larger.
        if last >= ids.end().unwrap_or(LARGEST).min(ids.shown) {
            return Ok(self.past());
        }
        let within = if is_empty { ids.within.saturating_mul(2) } else { few };
        let next = Self { by_id: Some(ById { last, within, ..ids.clone() }), ..self.clone() };
        if is_empty || ids.shown == LARGEST {
            return next.in_vain(if is_empty { 0 } else { MOST_IN_VAIN / 20 }, MOST_IN_VAIN);
        }
        // Windows do not hold more orders than all that are counted: such a count says nothing.
        let counted = if let Count::OfPage(count) | Count::Asked(Some(count)) = page.count { count } else { few };
        let all = self.census.and_then(|census| census.counted).unwrap_or(0);
        next.in_vain(counted.clamp(1, few + 2), all.saturating_add(MOST_IN_VAIN))
    }

    fn after_times(
        &self,
        seen: Self,
        dialect: &Dialect,
        page: &Listed,
        size: u64,
        asked_at: i64,
    ) -> Result<Step, String> {
        let fitting = self.fitting(dialect, page)?;
        let (settled, gap) = self.settled(fitting.clone(), asked_at);
        let in_order = settled.is_sorted_by_key(|row| row.at);
        let behind = self.behind(dialect, page, size);
        match behind {
            Behind::Nothing if in_order => return Ok(Step::End(seen)),
            Behind::Untold => return Ok(Step::Ask),
            Behind::More if self.ahead > 0 && !self.has_fresh(dialect, page) => {
                return seen.further(self, dialect, page, size);
            }
            // What lies on the bound as it was sent, and nothing more.
            Behind::More if page.length < size && page.rows.iter().all(|row| Some(row.at) < self.from) => {
                if let Count::OfPage(_) | Count::Asked(Some(_)) = page.count {
                    return Ok(Step::Ask);
                }
            }
            _ => {}
        }
        let Some(last) = settled.iter().map(|row| row.at).max() else {
            return Err("its rows have neither ids nor dates".to_owned());
        };
        let last = self.from.map_or(last, |from| last.max(from));
        if !in_order {
            // What is modified from now on must not enter the stretch behind what is read of it.
            let to = if self.from.is_some_and(|from| from > asked_at) { last } else { last.min(asked_at) };
            return Ok(Step::More(seen.tied(to)));
        }
        if self.until.is_some_and(|until| last > until) {
            return Ok(Step::End(seen));
        }
        let left = match page.count {
            Count::OfPage(count) if self.ahead == 0 => Some(count.saturating_sub(page.length)),
            _ => None,
        };
        let (from, taken) = (self.from, self.taken.clone());
        let before = left.map(|left| Before { from, taken, met: self.census.map_or(0, |census| census.met), left });
        let gap = gap.into_iter().chain(self.gap).min();
        let next = Self { from: Some(last), before, doubted: behind == Behind::Doubt, gap, ..seen };
        Ok(Step::More(self.onward(next, dialect, &fitting, last)))
    }

    /// The rows whose place is sure. A row that was modified while the page was made shows its new
    /// time in its old place; going on from there would leave out all between.
    ///
    /// Where such rows may only be the last of the page, and the next sync reads again what this one
    /// leaves unsure, it goes on behind them: from the second that is given besides, orders may have
    /// been passed over. A bulk edit just before a sync would cost a request more otherwise.
    fn settled(&self, rows: Vec<Row>, asked_at: i64) -> (Vec<Row>, Option<i64>) {
        let calm: Vec<Row> = rows.iter().copied().filter(|row| row.at < asked_at - 1).collect();
        if calm.len() == rows.len() {
            return (rows, None);
        }
        let may_pass = self.is_revisited && rows.is_sorted_by_key(|row| row.at);
        match (may_pass, calm.is_empty()) {
            (true, _) => (rows, Some(calm.last().map(|row| row.at).max(self.from).unwrap_or(0))),
            (false, true) => (rows, None),
            (false, false) => (calm, None),
        }
    }

    /// The walk from the last second of a page on; by ids, where that is no step forward.
    fn onward(&self, next: Self, dialect: &Dialect, fitting: &[Row], last: i64) -> Self {
        let again = self.from == Some(last);
        let mut taken: Vec<u64> = fitting.iter().filter(|row| row.at == last).map(|row| row.id).collect();
        taken.extend(self.taken.iter().filter(|_| again));
        taken.sort_unstable();
        taken.dedup();
        if dialect.leaves_out == 0 {
            // The page was filled by the bound's second, which is now known to be included, or by
            // the second itself.
            let stuck = again && next.inclusive == self.inclusive;
            let next = Self { taken, ..next };
            return if stuck { next.tied(last) } else { next };
        }
        // A channel that does not leave out what it is asked to: by their ids the rows can be told
        // apart.
        if fitting.iter().all(|row| self.taken.contains(&row.id)) {
            let back = Self { before: self.before.clone(), from: self.from, ..next.clone() }.back_by_ids();
            return back.unwrap_or_else(|| next.tied(last));
        }
        // The page was filled by what lies on the bound.
        let stuck = again && taken == self.taken && next.inclusive == self.inclusive;
        let too_many = taken.len() > dialect.leaves_out;
        let next = Self { taken, ..next };
        if stuck || too_many { next.tied(last) } else { next }
    }

    /// The rows that were asked for. The count of an answer to another question proves nothing.
    fn fitting(&self, dialect: &Dialect, page: &Listed) -> Result<Vec<Row>, String> {
        let fitting: Vec<Row> = page.rows.iter().copied().filter(|row| self.asks_for(dialect, row)).collect();
        if fitting.len() * 2 >= page.rows.len() {
            return Ok(fitting);
        }
        let stray = page.rows.iter().find(|row| !self.asks_for(dialect, row));
        let stray = stray.map(|row| format!("order {} of {}", row.id, utc(row.at))).unwrap_or_default();
        let from = self.from.map(|from| format!(" from {}", utc(from))).unwrap_or_default();
        let to = self.end().map(|end| format!(" to {}", utc(end))).unwrap_or_default();
        Err(format!("{stray} came where those{from}{to} UTC were asked for: a filter was ignored"))
    }

    fn asks_for(&self, dialect: &Dialect, row: &Row) -> bool {
        // Also where bounds are said to be exclusive: something before the channel may widen them.
        let (low, high) = self.bounds(dialect);
        let ids = self.by_id.as_ref().filter(|_| dialect.above);
        low.is_none_or(|low| row.at >= low)
            && high.is_none_or(|high| row.at <= high)
            && ids
                .is_none_or(|ids| row.id >= ids.last && ids.up_to.is_none_or(|up_to| row.id <= up_to.saturating_add(1)))
    }

    /// The stretch up to this second, by ids.
    pub(super) fn tied(self, to: i64) -> Self {
        Self { by_id: Some(ById { to: Some(to), ..ById::default() }), before: None, doubted: false, ahead: 0, ..self }
    }

    /// The stretch of the page before, by ids, as if that page had not been read.
    fn back_by_ids(&self) -> Option<Self> {
        let (before, to) = (self.before.clone()?, self.from?);
        let census = self.census.map(|census| Census { met: before.met, ..census });
        Some(Self { from: before.from, taken: before.taken, census, ..self.clone() }.tied(to))
    }

    fn after_ids(&self, ids: &ById, seen: Self, dialect: &Dialect, page: &Listed, size: u64) -> Result<Step, String> {
        let last = self.in_order_of_ids(dialect, page)?.max(ids.last);
        if ids.end().is_some_and(|end| last >= end) {
            // All of it on one page: no count has come that it could be held against.
            let is_uncounted = !self.begun && page.count == Count::Untold && !dialect.counts_with_pages;
            return Ok(if is_uncounted { Step::Ask } else { seen.past() });
        }
        // Behind a window there may be more, whatever is in it.
        let behind = if ids.within > 0 { Behind::More } else { self.behind(dialect, page, size) };
        Ok(match (behind, page.count) {
            (Behind::Untold, _) => Step::Ask,
            (Behind::More | Behind::Doubt, _) if last > ids.last => {
                Step::More(Self { by_id: Some(ById { last, within: 0, vain: 0, ..ids.clone() }), ..seen })
            }
            (Behind::More, Count::Last(_)) => return seen.further(self, dialect, page, size),
            (Behind::More, Count::OfPage(_) | Count::Asked(Some(_))) => Step::Ask,
            _ => seen.past(),
        })
    }

    /// Where only places in the list can be asked for. Where rows have left it, those behind them
    /// have moved ahead: the next page begins higher than the one before it ended, and is asked for
    /// again from further ahead.
    fn after_places(
        &self,
        ids: &ById,
        seen: Self,
        dialect: &Dialect,
        page: &Listed,
        size: u64,
    ) -> Result<Step, String> {
        let last = self.in_order_of_ids(dialect, page)?.max(ids.last);
        if ids.read > 0 && self.ahead == 0 && page.rows.first().is_none_or(|row| row.id > ids.last) {
            return self.step_back(ids, ids.read.saturating_sub(size / 2), ids.last, 1);
        }
        if page.length == 0 {
            // All of the stretch has changed since, or is not shown, or this is no answer.
            return seen.after_nothing(self, dialect, page, size);
        }
        // A count of the whole list is more than what stands on a page from further on.
        let offset = ids.offset() + self.ahead;
        let count = match page.count {
            Count::OfPage(count) if count > page.length || offset == 0 => Some(count),
            _ => None,
        };
        let (read, is_new) = (offset + page.length, last > ids.last);
        let is_end = count.is_some_and(|count| read >= count);
        match page.count {
            _ if is_new && is_end && !self.is_doubtful(dialect, page, size) => Ok(seen.past()),
            _ if is_new => {
                let back = ids.back.saturating_sub(1);
                Ok(Step::More(Self { by_id: Some(ById { read, last, back, ..ids.clone() }), ..seen }))
            }
            Count::Last(Some(row)) if self.is_past(row) => Ok(seen.past()),
            // A channel that heeds no place shows the same rows at each.
            count if self.ahead > 0 || matches!(count, Count::Last(_)) => {
                let vain = seen.vain + MOST_IN_VAIN / 20;
                Self { vain, ..seen }.further(self, dialect, page, size)
            }
            // The row that joins the pages came, and none after it.
            _ if (is_end || count.is_none()) && page.length == 1 && ids.read > 0 => Ok(seen.past()),
            Count::OfPage(_) if count.is_some() => Ok(Step::Ask),
            _ => self.step_back(ids, 0, 0, 10),
        }
    }

    fn step_back(&self, ids: &ById, read: u64, last: u64, steps: u32) -> Result<Step, String> {
        let back = ids.back + steps;
        if back > MOST_STEPS_BACK || (ids.read == 0 && ids.last == 0) {
            return Err("its pages do not join".to_owned());
        }
        Ok(Step::More(Self { by_id: Some(ById { read, last, back, ..ids.clone() }), begun: true, ..self.clone() }))
    }

    /// The highest id of a page that is in the order of ids.
    fn in_order_of_ids(&self, dialect: &Dialect, page: &Listed) -> Result<u64, String> {
        if !page.rows.is_sorted_by_key(|row| row.id) {
            return Err("its rows are neither in the order of their dates nor in that of their ids".to_owned());
        }
        self.fitting(dialect, page).map(|rows| rows.last().map_or(0, |row| row.id))
    }

    /// The walk behind the stretch that is read by ids, up to an order that is read around, or
    /// behind all of it.
    fn past(&self) -> Step {
        if let Some((ids, id)) = self.by_id.as_ref().and_then(|ids| Some((ids, ids.hidden()?))) {
            let last = ids.last.max(id.saturating_sub(2));
            return Step::More(Self { by_id: Some(ById { last, ..ids.clone() }), ..self.clone() });
        }
        let Some(to) = self.by_id.as_ref().and_then(|ids| ids.to) else { return Step::End(self.clone()) };
        let next = Self { from: Some(to + 1), taken: Vec::new(), by_id: None, before: None, ..self.clone() };
        if self.until.is_some_and(|until| to >= until) { Step::End(next) } else { Step::More(next) }
    }

    /// How the walk goes on behind the stretch that is read by ids.
    pub(super) fn behind_stretch(&self) -> Onward {
        match self.past() {
            Step::More(next) => Onward::More(next),
            Step::End(done) => Onward::Done(done),
            Step::Ask => Onward::More(self.clone()),
        }
    }

    /// Whether the next request would be the same.
    fn stands_where(&self, other: &Self) -> bool {
        (self.from, self.inclusive, &self.taken, &self.by_id, &self.skip, self.ahead)
            == (other.from, other.inclusive, &other.taken, &other.by_id, &other.skip, other.ahead)
    }
}

/// A second for people.
pub(super) fn utc(seconds: i64) -> String {
    crate::clock::Timestamp::from_timestamp(seconds, 0)
        .map(|at| at.format("%Y-%m-%dT%H:%M:%S").to_string())
        .unwrap_or_default()
}
