//! The loop that reads a page of a walk: smaller where it is too much, and past an order that the
//! channel cannot show.

use serde_json::value::RawValue;

use super::{Count, Dialect, Key, Listed, Query, Row, Step, Walk, search};
use crate::channel::census::unlisted;
use crate::channel::isolate::{REPEATS, halve};
use crate::channel::page_size::of_least;
use crate::channel::{Found, Head, RemoteOrder, Unshown};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// So many orders in one page that cannot be shown are passed together.
const MOST_TOGETHER: usize = 3;

/// One list of a channel, as an adapter asks for it.
pub(crate) trait List {
    /// What it can do.
    fn dialect(&self) -> Dialect;

    /// The channel's clock, in seconds since the epoch.
    fn now(&self) -> i64;

    /// Our own clock.
    fn our_now(&self) -> i64;

    /// How many rows to ask for.
    fn size(&self) -> usize;

    /// How many rows every server gives; 1 where nobody says.
    fn least(&self) -> usize {
        1
    }

    /// More rows than these were too much.
    fn at_most(&self, rows: usize);

    /// It was not the number of rows.
    fn not_the_size(&self) {}

    /// Asks for a page, with this little patience.
    fn fetch(&self, query: &Query, walk: &Walk, repeats: u32) -> Result<Fetched>;

    /// How many orders fit a query.
    fn count(&self, query: &Query) -> Result<Option<u64>>;

    /// The first row of a list, and no more of its order than its place, where that can be had.
    fn first(&self, query: &Query, repeats: u32) -> Result<First> {
        let page = self.fetch(query, &Walk::new(Key::of(query.sort), None, None), repeats)?;
        let count = if let Count::OfPage(count) = page.count { Some(count) } else { None };
        Ok(First { count, row: page.rows.first().and_then(|entry| entry.row) })
    }

    /// The same where a page that came without a count proves nothing. What the query leaves out
    /// cannot be shown.
    fn proof(&self, query: &Query) -> Result<Count> {
        self.count(query).map(Count::Asked)
    }

    /// The orders of these documents, where their rows are not all of them.
    fn complete(&self, documents: Vec<Box<RawValue>>) -> Result<Found> {
        debug_assert!(documents.is_empty(), "rows are orders here");
        Ok(Found::default())
    }

    /// An order by its id; asked only where ids above one can be asked for, or none can be left
    /// out.
    fn one(&self, id: u64) -> Result<Option<RemoteOrder>> {
        let _ = id;
        Ok(None)
    }

    /// A question that holds no order: whether the channel answers at all.
    fn well(&self) -> Result<()>;

    /// Whether any order can be shown.
    fn shows_any(&self) -> Result<()> {
        Ok(())
    }

    /// An answer that is not the answer to what was asked.
    fn odd(&self, why: &str) -> Error;

    /// Whether it is held against the channel's count of it.
    fn is_held(&self) -> bool {
        true
    }

    /// Whether a short page is known to be the beginning of a list in order: a channel that ignores
    /// a request gives such a page too.
    fn is_heeded(&self) -> bool {
        true
    }

    /// A page went on from a short one as it should.
    fn heeded(&self) {}
}

/// A row as it came.
pub(crate) struct Entry {
    /// Its place in the list, where it has one.
    pub(crate) row: Option<Row>,
    /// When it was modified.
    pub(crate) modified: Option<i64>,
    /// What it is.
    pub(crate) content: Content,
}

/// What a row of a list is.
pub(crate) enum Content {
    /// An order.
    Order(RemoteOrder),
    /// An order of which only its id was asked for.
    Head(String),
    /// A document that is to be completed.
    Document(Box<RawValue>),
    /// No order yet.
    Draft,
    /// A sign that the order with this id has changed, where it tells one.
    Sign(Option<String>),
}

/// A page as it came.
pub(crate) struct Fetched {
    /// The rows, in the channel's order.
    pub(crate) rows: Vec<Entry>,
    /// What the channel says of how many there are.
    pub(crate) count: Count,
    /// What the merchant should know.
    pub(crate) warnings: Vec<String>,
}

/// The first row of a list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct First {
    /// How many rows the list has, where that comes with it.
    pub(crate) count: Option<u64>,
    /// The row; none where the list is empty.
    pub(crate) row: Option<Row>,
}

/// What came of a page.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The orders.
    pub(crate) orders: Vec<RemoteOrder>,
    /// Orders of which only the place was asked for.
    pub(crate) heads: Vec<Head>,
    /// Documents that are to be completed.
    documents: Vec<Box<RawValue>>,
    /// The id of its last row.
    pub(super) last: Option<u64>,
    /// Orders that the channel cannot show.
    pub(crate) unshown: Vec<Unshown>,
    /// The ids of those at which its list fails.
    pub(crate) hidden: Vec<u64>,
    /// Orders that are to be read again by their ids.
    pub(crate) reread: Vec<String>,
    /// Entries that are no orders yet.
    pub(crate) drafts: u32,
    /// What the merchant should know.
    pub(crate) warnings: Vec<String>,
    /// When its rows were modified.
    pub(crate) modified: Vec<i64>,
}

impl Batch {
    /// What these rows are.
    pub(super) fn of(rows: Vec<Entry>) -> Self {
        let mut batch = Self::default();
        for entry in rows {
            batch.modified.extend(entry.modified);
            batch.last = entry.row.map(|row| row.id).or(batch.last);
            match entry.content {
                Content::Order(order) => batch.orders.push(order),
                Content::Head(remote_id) => {
                    let modified = entry.modified.and_then(|at| Timestamp::from_timestamp(at, 0));
                    batch.heads.push(Head { remote_id, modified });
                }
                Content::Document(document) => batch.documents.push(document),
                Content::Draft => batch.drafts += 1,
                Content::Sign(id) => batch.reread.extend(id),
            }
        }
        batch.reread.sort_unstable();
        batch.reread.dedup();
        batch
    }

    /// The same with the orders of its documents. What belongs to several is read together.
    fn complete(mut self, list: &dyn List) -> Result<Self> {
        let documents = std::mem::take(&mut self.documents);
        if !documents.is_empty() {
            let found = list.complete(documents)?;
            self.orders.extend(found.orders);
            self.unshown.extend(found.unshown);
        }
        Ok(self)
    }

    /// How many orders it has, those that cannot be shown included.
    pub(super) fn len(&self) -> usize {
        self.orders.len() + self.documents.len() + self.hidden.len()
    }

    /// Takes in the page that goes on from this one.
    pub(crate) fn join(&mut self, more: Self) {
        self.orders.extend(more.orders);
        self.heads.extend(more.heads);
        self.documents.extend(more.documents);
        self.last = more.last.or(self.last);
        self.unshown.extend(more.unshown);
        self.hidden.extend(more.hidden);
        self.reread.extend(more.reread);
        self.drafts += more.drafts;
        self.warnings.extend(more.warnings);
        self.modified.extend(more.modified);
    }
}

/// How a walk goes on.
#[derive(Debug, Clone)]
pub(crate) enum Onward {
    More(Walk),
    Done(Walk),
}

impl Onward {
    /// The walk behind what is read.
    pub(crate) fn walk(&self) -> &Walk {
        match self {
            Self::More(walk) | Self::Done(walk) => walk,
        }
    }
}

/// Reads the walk's next page.
pub(crate) fn read(list: &dyn List, walk: &Walk) -> Result<(Batch, Onward)> {
    let (mut batch, mut onward, mut short) = whole_page(list, walk)?;
    // A short page is given out only together with one that goes on from it.
    while short
        && !list.is_heeded()
        && let Onward::More(walk) = &onward
    {
        let (more, after, is_short) = whole_page(list, walk)?;
        batch.join(more);
        if after.walk().by_id.is_none() {
            list.heeded();
        }
        (onward, short) = (after, is_short);
    }
    Ok((batch.complete(list)?, onward))
}

/// A page of the usual size, or what can be had of it; and whether it was shorter than asked for.
fn whole_page(list: &dyn List, walk: &Walk) -> Result<(Batch, Onward, bool)> {
    let above = list.dialect().above;
    if above && let Some((batch, onward)) = search::past_known(list, walk)? {
        return Ok((batch, onward, false));
    }
    let by_time = walk.by_id.is_none();
    // Where it has just failed, or has an order that is known not to be shown, it is not waited for.
    let is_expected = match &walk.by_id {
        Some(ids) => ids.vain > 0,
        None => above && !walk.skip.is_empty(),
    };
    let repeats = u32::from(!is_expected);
    let least = if is_expected && list.least() > 1 { list.least() } else { usize::MAX };
    let size = list.size().min(least);
    match one_page(list, walk, size, repeats) {
        // An order that is known not to be shown may be among them.
        Err(error) if error.is_too_much() && above && by_time && !walk.skip.is_empty() => {
            whole_page(list, &walk.all_by_id())
        }
        Err(error) if error.is_too_much() => {
            closely(list, walk, size, error).map(|(batch, onward)| (batch, onward, false))
        }
        Err(error) if is_refused(&error) => smaller(list, walk, size, error),
        page => page,
    }
}

/// Whether the channel has understood a question and does not answer it.
fn is_refused(error: &Error) -> bool {
    error.kind() == ErrorKind::Failed && !error.is_too_much()
}

/// Where a page is refused: a channel, a plugin or a proxy may permit fewer rows than were asked
/// for. As few as there can be show whether it is that; then as many of half of the page, of half of
/// that and so on as are not refused are asked for from now on. Anything else that is refused costs
/// one question more.
fn smaller(list: &dyn List, walk: &Walk, size: usize, error: Error) -> Result<(Batch, Onward, bool)> {
    let least = walk.at_least(&list.dialect(), 1);
    let refused = |error: Error| match walk.query(&list.dialect(), least).offset {
        0 => error,
        place => error.context(format!("more than {place} orders{} cannot be told apart", walk.stretch())),
    };
    if size <= least {
        return Err(refused(error));
    }
    match list.fetch(&walk.query(&list.dialect(), least), walk, 0) {
        Err(again) if is_refused(&again) => {
            // Of a stretch that most orders have left since, no place so far is needed any more.
            return match again_by_places(list, walk)? {
                Some(walk) => Ok((Batch::default(), Onward::More(walk), false)),
                None => Err(refused(error)),
            };
        }
        Err(error) if !error.is_too_much() => return Err(error),
        // One that cannot be shown is no refusal.
        _ => {}
    }
    let mut rows = size;
    while rows > least {
        rows = (rows / 2).max(least);
        match one_page(list, walk, rows, 1) {
            Err(again) if is_refused(&again) => {}
            Err(hidden) if hidden.is_too_much() => {
                list.at_most(rows);
                return closely(list, walk, rows, hidden).map(|(batch, onward)| (batch, onward, false));
            }
            Err(error) => return Err(error),
            Ok(page) => {
                list.at_most(rows);
                return Ok(page);
            }
        }
    }
    Err(refused(error))
}

/// The walk from the beginning of a stretch that is read by places, where it stands at one behind all
/// that are counted there now.
fn again_by_places(list: &dyn List, walk: &Walk) -> Result<Option<Walk>> {
    let query = walk.query(&list.dialect(), 1);
    let Some(again) = walk.at_first_place().filter(|_| query.offset > 0) else { return Ok(None) };
    let count = list.count(&Query { offset: 0, ..query.clone() })?;
    Ok(count.is_some_and(|count| count <= query.offset).then_some(again))
}

/// Reads one page of `size` rows.
fn one_page(list: &dyn List, walk: &Walk, size: usize, repeats: u32) -> Result<(Batch, Onward, bool)> {
    let dialect = list.dialect();
    let query = walk.query(&dialect, size);
    let mut told = told(list, walk, &query, size, repeats)?;
    if told.listed.length == 0 && matches!(told.listed.count, Count::Last(Some(last)) if !walk.is_past(last)) {
        // An order may have come to the end of the list between the two questions.
        told = self::told(list, walk, &query, size, repeats)?;
    }
    let Told { rows, listed, warnings, asked_at } = told;
    let step = walk.after(&dialect, &listed, size, asked_at).map_err(|why| list.odd(&why))?;
    let wanted = |entry: &Entry| entry.row.is_none_or(|row| walk.wants(row.id));
    let mut batch = Batch::of(rows.into_iter().filter(wanted).collect());
    batch.warnings.extend(warnings);
    let is_whole = listed.length >= query.size as u64;
    let onward = match step {
        Step::More(next) => Onward::More(next),
        Step::End(done) => {
            batch.unshown.extend(missing(list, &dialect, &done, asked_at)?);
            Onward::Done(done)
        }
        Step::Ask => return Err(list.odd(super::after::NO_PROOF)),
    };
    Ok((batch, onward, !is_whole))
}

/// Reads one page, and past the known orders at which the walk stands behind it.
fn page_past_known(list: &dyn List, walk: &Walk, size: usize, repeats: u32) -> Result<(Batch, Onward)> {
    let (mut batch, mut onward, _) = one_page(list, walk, size, repeats)?;
    while list.dialect().above
        && let Onward::More(next) = &onward
        && let Some((more, behind)) = search::past_known(list, next)?
    {
        batch.join(more);
        onward = behind;
    }
    Ok((batch, onward))
}

/// A page, and what the channel says of what is behind it.
struct Told {
    rows: Vec<Entry>,
    listed: Listed,
    warnings: Vec<String>,
    asked_at: i64,
}

fn told(list: &dyn List, walk: &Walk, query: &Query, size: usize, repeats: u32) -> Result<Told> {
    let dialect = list.dialect();
    let asked_at = list.now();
    let Fetched { rows: entries, count, warnings } = answered(list, walk, query, repeats)?;
    let rows = entries.iter().filter_map(|entry| entry.row).collect();
    let mut listed = Listed { rows, length: entries.len() as u64, count, gives: 0 };
    // A walk of several pages is held against a count from its beginning.
    let is_whole = listed.length >= query.size as u64;
    if count == Count::Untold && is_whole && walk.is_new() && list.is_held() && !dialect.counts_with_pages {
        listed.count = Count::Asked(list.count(query)?);
    }
    // The channel is asked for its count, and where that is no proof, for what is shown at the end.
    for _ in 0..2 {
        if walk.after(&dialect, &listed, size, asked_at) != Ok(Step::Ask) {
            break;
        }
        // A stretch that is read by ids ends by the time all the same. Of what the page left out,
        // only rows that were read can prove its end.
        let without = if dialect.leaves_out == 0 { Vec::new() } else { walk.skip.clone() };
        match listed.count {
            Count::Untold => {
                listed.count = list.proof(&Query { sort: walk.key.sort(), without, ..query.clone() })?;
            }
            _ => (listed.count, listed.gives) = last_shown(list, walk, size, listed.count)?,
        }
    }
    Ok(Told { rows: entries, listed, warnings, asked_at })
}

/// The last row of a walk's list that is shown, and how many came with it.
fn last_shown(list: &dyn List, walk: &Walk, size: usize, count: Count) -> Result<(Count, u64)> {
    // What gives one answer to every question, as a cache does, shows there what it shows everywhere.
    let nothing = (None, Some(1));
    let (modified, created) = match walk.key {
        Key::Modified => (nothing, (None, None)),
        Key::Created => ((None, None), nothing),
    };
    let none = list.fetch(&Query { modified, created, ..Query::row(walk.key.sort()) }, walk, REPEATS)?;
    if none.rows.iter().filter_map(|entry| entry.row).any(|row| row.at > 2) {
        return Err(list.odd("orders came where those of before all shops were asked for: a filter was ignored"));
    }
    for query in walk.its_end(&list.dialect(), size) {
        let page = match list.fetch(&query, walk, REPEATS) {
            // No order of this page is to blame.
            Err(error) if error.is_too_much() => return Err(list.odd(error.message())),
            page => page?,
        };
        if let Some(last) = page.rows.iter().find_map(|entry| entry.row) {
            return Ok((Count::Last(Some(walk.within(last, query.sort))), page.rows.len() as u64));
        }
    }
    // All of a stretch may have changed since: what is behind it shows that the answers are real.
    let is_counted = matches!(count, Count::OfPage(_) | Count::Asked(Some(_)));
    let all = Query { descending: true, ..Query::row(walk.key.sort()) };
    if !is_counted && walk.is_in_stretch() && !list.fetch(&all, walk, REPEATS)?.rows.is_empty() {
        return Ok((Count::Asked(Some(0)), 0));
    }
    Ok((Count::Last(None), 0))
}

/// The answer to a question. Nothing, out of a cache or from a server whose database failed, is no
/// answer where something must be there, most often once.
fn answered(list: &dyn List, walk: &Walk, query: &Query, repeats: u32) -> Result<Fetched> {
    let fetched = list.fetch(query, walk, repeats)?;
    if !fetched.rows.is_empty() {
        return Ok(fetched);
    }
    let is_owed = walk.is_owed() && list.is_held();
    if list.dialect().counts_with_pages {
        let counted = matches!(fetched.count, Count::OfPage(count) if count > 0);
        let begins = walk.is_new() && (walk.from, walk.until) != (None, None);
        // A slice ends with a page of the slice, by its count; an empty one is asked for only where
        // orders were deleted.
        let begins = is_owed && (begins || walk.by_id.is_some());
        return if counted || begins { list.fetch(query, walk, repeats) } else { Ok(fetched) };
    }
    let count = if is_owed { list.count(query)? } else { None };
    let again = if count.is_some_and(|count| count > 0) { list.fetch(query, walk, repeats)? } else { fetched };
    Ok(if again.rows.is_empty() { Fetched { count: Count::Asked(count), ..again } } else { again })
}

/// What is to be told of orders that a walk, whose last page was asked for at `asked_at`, should
/// have met by the channel's counts.
fn missing(list: &dyn List, dialect: &Dialect, walk: &Walk, asked_at: i64) -> Result<Option<Unshown>> {
    let Some(query) = walk.in_doubt(dialect, asked_at).filter(|_| list.is_held()) else { return Ok(None) };
    let count = list.count(&query)?.unwrap_or(0);
    Ok(unlisted(walk.missing(count)))
}

/// Where the channel fails at a page, it is down, or the page is too much for it, or an order of it
/// is: reads in ever smaller pages up to what it fails at, and past it.
fn closely(list: &dyn List, walk: &Walk, size: usize, error: Error) -> Result<(Batch, Onward)> {
    let dialect = list.dialect();
    let least = list.least();
    if least > 1
        && let Some((batch, onward, _)) =
            of_least(size, least, |rows| list.at_most(rows), |rows| one_page(list, walk, rows, 0))?
    {
        return Ok((batch, onward));
    }
    // An order can only be passed where it is left out, or where ids are asked for, which do not
    // move while it is searched.
    let is_by_time = |walk: &Walk| dialect.leaves_out == 0 && walk.by_id.is_none();
    // Where that fails as well, nothing has moved.
    if is_by_time(walk) && dialect.above {
        return whole_page(list, &walk.all_by_id()).map(|(batch, onward, _)| (batch, onward));
    }
    let (mut all, mut borne, mut walk) = (Batch::default(), 1, walk.clone());
    let size = if least > 1 { size.min(least) } else { size };
    for _ in 0..MOST_TOGETHER {
        let by_time = is_by_time(&walk);
        if by_time {
            walk = if dialect.above { walk.all_by_id() } else { search::near(list, &walk, size)? };
        }
        let mut done = None;
        let (_, at) = halve(
            walk.clone(),
            // The first row behind a page by time belongs to what is read instead.
            size + usize::from(by_time),
            |at: &Walk, count| {
                let (page, onward) = page_past_known(list, at, count + at.joins(&dialect), 0)?;
                borne = borne.max(count);
                all.join(page);
                let next = match onward {
                    Onward::More(next) => Some(next),
                    Onward::Done(walk) => {
                        done = Some(walk);
                        None
                    }
                };
                Ok((Vec::<()>::new(), next))
            },
            // It has just shown what is behind such a page.
            || if by_time && !dialect.above { Ok(()) } else { list.well() },
        )?;
        let Some(at) = at else { return Ok((all, Onward::Done(done.unwrap_or(walk)))) };
        if at == walk && walk.by_id.as_ref().is_some_and(|ids| ids.vain >= search::MANY) {
            list.shows_any().map_err(|_| error.clone())?;
        }
        let Some(onward) = search::past(list, &at, &error, &mut all)? else {
            // Each row came, though not all together.
            if !by_time {
                list.at_most(borne);
            }
            return Ok((all, Onward::More(at)));
        };
        list.not_the_size();
        let next = match onward {
            Onward::More(next) if search::known_at(&next).is_none() => next,
            onward => {
                list.well()?;
                return Ok((all, onward));
            }
        };
        // The page behind it shows that the channel answers.
        match page_past_known(list, &next, size, 0) {
            Ok((more, onward)) => {
                all.join(more);
                return Ok((all, onward));
            }
            Err(error) if error.is_too_much() => walk = next,
            Err(error) => return Err(error),
        }
    }
    list.well()?;
    Ok((all, Onward::More(walk)))
}
