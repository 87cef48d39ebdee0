//! A walk through the list of orders by a time that sorts it: always the first page above a moving
//! lower bound, never page 2.
//!
//! Rows shift between pages while orders change, and WooCommerce 10.0 returns rows of the same
//! second in any order. So a page is complete only up to its last second. The next request starts
//! *at* that second and leaves out (`exclude`) the rows of it that were read; nothing can fall
//! between two pages.
//!
//! What comes is held against what was asked. A shop that gives fewer rows than asked for goes on
//! from the last one; one that lists a stretch out of order has it read by ids; one that heeds
//! nothing of a request ends the walk with an error. The end is what the shop's own count says,
//! never a short page.

use serde::{Deserialize, Serialize};

use crate::channel::census::Census;
use crate::clock::Timestamp;

/// Above this many rows in one second the request's address would get too long to leave them out
/// one by one.
const TOO_MANY_TO_EXCLUDE: usize = 200;

/// Fewer rows than this are taken for a whole page where the shop counts no more: no server cuts
/// pages so small.
const FEW: u64 = 10;

/// A row that changes while it is left out is met by the next sync, which reaches back behind the
/// newest row read. That holds only while less time passes than it reaches back; a walk that stood
/// still for longer (throttled) finishes its second on its own.
const COVERED_BY_OVERLAP: i64 = super::OVERLAP.as_secs() as i64 / 2;

/// How often a stretch that is read by ids may have to go back because rows have left it.
const MOST_STEPS_BACK: u32 = 50;

/// The time that sorts a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Modification: for changes. An order that changes meanwhile moves ahead and is met again.
    Modified,
    /// Creation: for slices of a first sync. It does not move.
    Created,
}

/// Where a walk stands. Seconds since the epoch, by the shop's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The time that sorts it.
    pub by: By,
    /// Everything before this second is read; `None`: from the beginning.
    pub from: Option<i64>,
    /// Up to and including this second; `None`: without end.
    pub until: Option<i64>,
    /// Only orders modified at or after this second.
    pub modified_since: Option<i64>,
    /// The rows of the second `from` that are read.
    pub taken: Vec<u64>,
    /// When they were read.
    #[serde(default)]
    pub taken_at: i64,
    /// The run that read them.
    #[serde(default)]
    pub taken_by: u64,
    /// Only what is left of the second `from`, before the walk goes on behind it.
    #[serde(default)]
    pub alone: bool,
    /// As earlier versions wrote down that the second `from` is read by ids.
    #[serde(default, skip_serializing)]
    pub crowd: Option<(u64, u64)>,
    /// A stretch in which time cannot tell where a page ends is read by ids first.
    #[serde(default)]
    pub stretch: Option<Stretch>,
    /// Orders that the shop cannot show: left out, so that the others of their pages come.
    #[serde(default)]
    pub skip: Vec<u64>,
    /// What the page before leaves to be read, by the shop's count.
    #[serde(default)]
    pub before: Option<Before>,
    /// How many rows the shop can bear to be asked for; 0: nothing is known against the size that
    /// is set.
    #[serde(default)]
    pub size: usize,
    /// How many rows the shop has counted so far and not shown.
    #[serde(default)]
    pub hidden: u64,
    /// The most rows that a page of this shop was seen to have: a shorter one was not cut.
    #[serde(default)]
    pub most: u64,
    /// Up to here everything is in the book already; `None`: nothing is.
    #[serde(default)]
    pub known: Option<i64>,
    /// The page before was the last by the shop's own count, which is doubted.
    #[serde(default)]
    pub doubted: bool,
    /// A doubt was right: the shop counts the rows of a page, and not those of the list.
    #[serde(default)]
    pub capped: bool,
}

/// A stretch of time that is read in the order of ids, by place in the list: more rows in one
/// second than can be left out one by one, or rows that come out of order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Its last second; the first one is the walk's `from`.
    pub to: i64,
    /// How many of its rows lie behind.
    pub read: u64,
    /// The highest id among them.
    pub last: u64,
    /// How often it went back.
    pub back: u32,
    /// What it has met, and what the shop counts.
    #[serde(default)]
    pub census: Census,
}

/// The page before, as far as it must agree with the next one: rows that are counted there and not
/// here were passed over, because the shop sorted the page by something else than the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Where the walk stood.
    pub from: Option<i64>,
    /// How many rows it left.
    pub left: u64,
}

/// A row as the walk sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The order's id.
    pub id: u64,
    /// The time that sorts the walk.
    pub at: i64,
}

/// A page as the shop gave it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The rows that have an id and a time.
    pub rows: Vec<Row>,
    /// How many entries came, whatever they are.
    pub length: u64,
    /// The shop's own count of what fits the query.
    pub total: Option<u64>,
    /// How many pages that is, as the shop counts.
    pub pages: Option<u64>,
}

/// How a walk goes on after a page.
#[allow(clippy::large_enum_variant, reason = "one is made for each page")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// There is more.
    More(Walk),
    /// The shop's count says that all of it is read. So many orders it counts and does not show.
    End { hidden: u64 },
    /// Nothing came and nothing was counted: whether that is the end has to be asked in another
    /// way.
    Unproven,
}

impl Walk {
    /// A walk from the second `from` on.
    pub fn new(by: By, from: Option<i64>, until: Option<i64>) -> Self {
        Self {
            by,
            from,
            until,
            modified_since: None,
            taken: Vec::new(),
            taken_at: 0,
            taken_by: 0,
            alone: false,
            crowd: None,
            stretch: None,
            before: None,
            skip: Vec::new(),
            size: 0,
            hidden: 0,
            most: 0,
            known: None,
            doubted: false,
            capped: false,
        }
    }

    /// The walk as `run` goes on with it at `now`. Rows that another run has left out, or this one
    /// long ago, may have changed since.
    ///
    /// They may stand further on now: left out there too they would be lost, so only the rest of
    /// their second is read without them. A walk that had come near the present may have left out
    /// more: rows that changed while the pages before were read, also within their own second. It
    /// reaches back as a new sync does. So does one that had passed the present, led there by an
    /// order with a date in the future. (An old one does not, so that runs that all break off after
    /// a page get on nevertheless.)
    pub fn resumed(&self, run: u64, now: i64) -> Self {
        let old = self.taken_by != run || (now - self.taken_at).abs() >= COVERED_BY_OVERLAP;
        let stretch = self.stretch.map(|stretch| Stretch { back: if old { 0 } else { stretch.back }, ..stretch });
        let as_before = self.crowd.zip(self.from).map(|(_, second)| Stretch { to: second, ..Stretch::default() });
        let next = Self { taken_by: run, crowd: None, stretch: stretch.or(as_before), ..self.clone() };
        // Nothing of it is read yet.
        if !old || self.taken_at == 0 {
            return next;
        }
        let overlap = super::OVERLAP.as_secs() as i64;
        let near = match self.by {
            By::Modified => overlap,
            By::Created => 0,
        };
        match self.from.filter(|second| self.taken_at - second < near) {
            Some(second) => {
                let back = Some(second.min(self.taken_at) - overlap);
                // Nobody has confirmed yet that the page before was in order.
                let from = self.before.map_or(back, |before| before.from.min(back));
                Self { from, taken: Vec::new(), alone: false, stretch: None, before: None, ..next }
            }
            None if self.by == By::Modified && next.stretch.is_none() => {
                Self { alone: !self.taken.is_empty() || self.alone, ..next }
            }
            None => next,
        }
    }

    /// The last second that a request asks for.
    fn end(&self) -> Option<i64> {
        match self.stretch {
            Some(stretch) => Some(stretch.to),
            None if self.alone => self.from,
            None => self.until,
        }
    }

    /// The query of the next page of `size` rows. Bounds are exclusive and in whole seconds there;
    /// times are bare GMT with `dates_are_gmt`.
    pub fn query(&self, size: usize) -> Vec<(&'static str, String)> {
        let (after, before, orderby) = self.words();
        let size = self.at_least(size);
        let mut query =
            vec![("per_page", size.to_string()), ("order", "asc".to_owned()), ("dates_are_gmt", "true".to_owned())];
        if let Some(from) = self.from {
            query.push((after, gmt(from - 1)));
        }
        if let Some(end) = self.end() {
            query.push((before, gmt(end + 1)));
        }
        if let (By::Created, Some(since)) = (self.by, self.modified_since) {
            query.push(("modified_after", gmt(since - 1)));
        }
        match self.stretch {
            None => query.push(("orderby", orderby.to_owned())),
            Some(stretch) => {
                query.push(("orderby", "id".to_owned()));
                query.push(("offset", stretch.offset().to_string()));
            }
        }
        let ids: Vec<String> = self.taken.iter().chain(&self.skip).map(u64::to_string).collect();
        if !ids.is_empty() {
            query.push(("exclude", ids.join(",")));
        }
        query
    }

    /// The walk without an order that the shop cannot show.
    pub fn without(&self, id: u64) -> Self {
        Self { skip: [self.skip.as_slice(), &[id]].concat(), before: None, ..self.clone() }
    }

    /// The query for the last row of the list, whatever is read.
    pub fn query_of_last(&self) -> Vec<(&'static str, String)> {
        let (_, before, orderby) = self.words();
        let mut query = vec![
            ("per_page", "1".to_owned()),
            ("order", "desc".to_owned()),
            ("orderby", orderby.to_owned()),
            ("dates_are_gmt", "true".to_owned()),
        ];
        query.extend(self.end().map(|end| (before, gmt(end + 1))));
        if !self.skip.is_empty() {
            query.push(("exclude", self.skip.iter().map(u64::to_string).collect::<Vec<_>>().join(",")));
        }
        query
    }

    /// Within a stretch one row of a page only joins it to the one before.
    fn at_least(&self, size: usize) -> usize {
        if self.stretch.is_some() { size.max(2) } else { size }
    }

    fn words(&self) -> (&'static str, &'static str, &'static str) {
        match self.by {
            By::Modified => ("modified_after", "modified_before", "modified"),
            By::Created => ("after", "before", "date"),
        }
    }

    /// The walk after an empty page without a count, by the last row of the list; `None` where it
    /// proves nothing.
    pub fn after_nothing(&self, last: Option<Row>) -> Option<Step> {
        if last.is_some_and(|last| self.is_past(last)) {
            return Some(self.at_end(0));
        }
        // Without leaving out what is read, the list shows by its rows what it does not count.
        self.alone.then(|| Step::More(Self { taken: Vec::new(), alone: false, ..self.clone() }))
    }

    /// Whether the last row of a list shows that nothing of it is left to read.
    fn is_past(&self, last: Row) -> bool {
        self.from.is_some_and(|from| last.at < from || (last.at == from && self.taken.contains(&last.id)))
    }

    /// The walk after a page that was asked for with `size` rows and read at `now`. The error says
    /// what does not fit the request.
    pub fn after(&self, page: &Listed, size: usize, now: i64) -> Result<Step, String> {
        let seen = self.having_seen(page);
        let step = match self.stretch {
            Some(stretch) => seen.after_stretch(stretch, page, size)?,
            // What answers a doubt and is no answer leaves it at the count.
            None => match seen.after_page(page, size, now) {
                Err(_) if self.doubted => seen.at_end(0),
                step => step?,
            },
        };
        match step {
            Step::More(next) if next.stands_where(self) => Err("the same page comes again".to_owned()),
            step => Ok(step),
        }
    }

    /// The walk with what the page tells of the shop.
    fn having_seen(&self, page: &Listed) -> Self {
        Self { most: self.most.max(page.length), capped: self.is_capped(page), doubted: false, ..self.clone() }
    }

    /// Whether the shop counts the rows of a page only: behind one that was the last by its count
    /// come others.
    pub fn is_capped(&self, page: &Listed) -> bool {
        self.capped || (self.doubted && self.has_fresh(page))
    }

    fn has_fresh(&self, page: &Listed) -> bool {
        page.rows.iter().any(|row| self.asks_for(row) && !self.taken.contains(&row.id))
    }

    /// Whether there may be rows behind a page that is the last by the shop's count. Something that
    /// cuts pages may count what it gives; then the count is that of the rows on the page, and
    /// these are as many as ever came at once and fewer than were asked for. A page of a sync that
    /// brings nothing new is not doubted, so that such a sync stays one request.
    fn is_doubtful(&self, page: &Listed, size: usize) -> bool {
        let cut = page.length >= FEW && page.length >= self.most && page.length < size as u64;
        let is_news = |row: &Row| self.known.is_none_or(|known| row.at > known);
        cut && self.has_fresh(page) && (self.capped || page.rows.iter().any(is_news))
    }

    fn after_page(&self, page: &Listed, size: usize, now: i64) -> Result<Step, String> {
        if page.total.is_some_and(|total| self.has_passed_over(total))
            && let Some(walk) = self.back_by_ids(now)
        {
            return Ok(Step::More(walk));
        }
        let doubted = page.total == Some(page.length) && self.is_doubtful(page, size);
        let whole = page.total == Some(page.length) && !doubted;
        let fitting: Vec<Row> = page.rows.iter().copied().filter(|row| self.asks_for(row)).collect();
        // The count of an answer to another question proves nothing.
        if fitting.len() * 2 < page.rows.len() {
            return Err(self.strays(page));
        }
        if whole && fitting.is_sorted_by_key(|row| row.at) {
            return Ok(self.at_end(0));
        }
        let Some(last) = fitting.iter().map(|row| row.at).max() else { return self.nothing_came(page) };
        if !fitting.is_sorted_by_key(|row| row.at) {
            // What is modified from now on must not enter the stretch behind what is read of it.
            let to = if self.from.is_some_and(|from| from > now) { last } else { last.min(now) };
            return Ok(Step::More(self.by_ids(to, now)));
        }
        let fresh = fitting.iter().any(|row| !self.taken.contains(&row.id));
        let mut taken: Vec<u64> = fitting.iter().filter(|row| row.at == last).map(|row| row.id).collect();
        if self.from == Some(last) {
            taken.extend(&self.taken);
        }
        taken.sort_unstable();
        taken.dedup();
        let before = page.total.map(|total| Before { from: self.from, left: total.saturating_sub(page.length) });
        let next = Self { from: Some(last), before, doubted, ..self.clone() };
        // A shop that does not leave out what it is asked to: by their ids the rows can be told
        // apart.
        if !fresh {
            return Ok(Step::More(self.back_by_ids(now).unwrap_or_else(|| next.by_ids(last, now))));
        }
        if taken.len() > TOO_MANY_TO_EXCLUDE {
            return Ok(Step::More(next.by_ids(last, now)));
        }
        Ok(Step::More(Self { taken, taken_at: now, ..next }))
    }

    /// Whether there are fewer rows by this count than the page before has left: it was not sorted
    /// by the time.
    pub fn has_passed_over(&self, total: u64) -> bool {
        self.before.is_some_and(|before| total < before.left)
    }

    /// The stretch of the page before, by ids.
    pub fn back_by_ids(&self, now: i64) -> Option<Self> {
        let (before, to) = (self.before?, self.from?);
        Some(Self { from: before.from, alone: false, ..self.by_ids(to, now) })
    }

    /// No row of the page was asked for, and the shop does not say that there is none.
    fn nothing_came(&self, page: &Listed) -> Result<Step, String> {
        match (page.total, page.pages) {
            _ if !page.rows.is_empty() => Err(self.strays(page)),
            (None, _) if page.length == 0 => Ok(Step::Unproven),
            (Some(total), Some(1)) => Ok(self.at_end(total - page.length.min(total))),
            (Some(total), _) => Err(format!("it counts {total} orders and shows none of them")),
            (None, _) => Err("its rows have neither ids nor dates".to_owned()),
        }
    }

    fn asks_for(&self, row: &Row) -> bool {
        self.from.is_none_or(|from| row.at >= from) && self.end().is_none_or(|end| row.at <= end)
    }

    fn strays(&self, page: &Listed) -> String {
        let stray = page.rows.iter().find(|row| !self.asks_for(row));
        let stray = stray.map(|row| format!("order {} of {}", row.id, gmt(row.at))).unwrap_or_default();
        let from = self.from.map(gmt).unwrap_or_default();
        let to = self.end().map(|end| format!(" to {}", gmt(end))).unwrap_or_default();
        format!("{stray} came where those from {from}{to} UTC were asked for")
    }

    fn by_ids(&self, to: i64, now: i64) -> Self {
        let stretch = Stretch { to, ..Stretch::default() };
        Self { taken: Vec::new(), taken_at: now, stretch: Some(stretch), before: None, ..self.clone() }
    }

    /// Within a stretch rows come by id. Where rows have left it, those behind them have moved
    /// ahead: the next page begins higher than the one before it ended, and is asked for again from
    /// further ahead.
    fn after_stretch(&self, stretch: Stretch, page: &Listed, size: usize) -> Result<Step, String> {
        if !page.rows.is_sorted_by_key(|row| row.id) {
            return Err("its rows are neither in the order of their dates nor in that of their ids".to_owned());
        }
        if page.rows.iter().filter(|row| self.asks_for(row)).count() * 2 < page.rows.len() {
            return Err(self.strays(page));
        }
        let size = self.at_least(size) as u64;
        let joins = stretch.read == 0 || page.rows.first().is_some_and(|row| row.id <= stretch.last);
        if !joins {
            return self.step_back(stretch, stretch.read.saturating_sub(size / 2), stretch.last, 1);
        }
        let read = stretch.offset() + page.length;
        // A count of the whole list is more than what stands on a page from further on.
        let is_of_page = |total: u64| total == page.length && page.length > 0;
        let total = page
            .total
            .filter(|total| !is_of_page(*total) || (stretch.offset() == 0 && !self.is_doubtful(page, size as usize)));
        let last = page.rows.last().map_or(0, |row| row.id).max(stretch.last);
        let census = stretch.met(page, total);
        // Nothing new, although the page reaches to the end: the shop counts rows that it does not
        // show.
        let all_shown = |total: u64| {
            last == stretch.last && page.pages == Some(total.div_ceil(size.max(1))) && stretch.offset() + size >= total
        };
        match total {
            Some(total) if read >= total || all_shown(total) => Ok(self.behind(census.missing())),
            // The row that joins the pages came, and none after it.
            None if page.length == 1 && stretch.read > 0 => Ok(self.behind(0)),
            None if page.length == 0 => Err("it gives an empty list and no count".to_owned()),
            _ if last == stretch.last => self.step_back(stretch, 0, 0, 10),
            _ => Ok(Step::More(Self { stretch: Some(Stretch { read, last, census, ..stretch }), ..self.clone() })),
        }
    }

    fn step_back(&self, stretch: Stretch, read: u64, last: u64, steps: u32) -> Result<Step, String> {
        let back = stretch.back + steps;
        if back > MOST_STEPS_BACK || (stretch.read == 0 && stretch.last == 0) {
            return Err("its pages do not join".to_owned());
        }
        let census = if last == 0 { Census::default() } else { stretch.census };
        Ok(Step::More(Self { stretch: Some(Stretch { read, last, back, census, ..stretch }), ..self.clone() }))
    }

    /// The walk at the end of what was asked for.
    fn at_end(&self, hidden: u64) -> Step {
        if self.alone { self.behind(hidden) } else { Step::End { hidden: self.hidden.saturating_add(hidden) } }
    }

    /// The walk behind the second, or the stretch, all of which is read.
    fn behind(&self, hidden: u64) -> Step {
        let from = self.end().map(|second| second + 1);
        let hidden = self.hidden.saturating_add(hidden);
        if matches!((from, self.until), (Some(from), Some(until)) if from > until) {
            return Step::End { hidden };
        }
        Step::More(Self { from, hidden, taken: Vec::new(), alone: false, stretch: None, before: None, ..self.clone() })
    }

    /// Whether the next request would be the same.
    fn stands_where(&self, other: &Self) -> bool {
        (self.from, self.until, &self.taken, self.alone) == (other.from, other.until, &other.taken, other.alone)
            && (self.stretch, &self.skip) == (other.stretch, &other.skip)
    }
}

impl Stretch {
    /// One row again, to see that the pages join.
    fn offset(&self) -> u64 {
        self.read.saturating_sub(1)
    }

    /// The orders met with this page, which joins. A hidden row makes a page shorter, and the next
    /// one overlaps it by as much: so it is orders that are counted, not rows.
    fn met(&self, page: &Listed, total: Option<u64>) -> Census {
        let known = page.rows.iter().filter(|row| row.id <= self.last).count() as u64;
        let census = self.census.meet(page.length.saturating_sub(known));
        total.map_or(census, |total| census.count(total))
    }
}
/// A second as the shop wants it: GMT without a zone.
pub fn gmt(seconds: i64) -> String {
    Timestamp::from_timestamp(seconds.max(0), 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
