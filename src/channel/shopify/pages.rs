//! Reading lists of orders, page by page.
//!
//! A walk by modification time asks for everything changed at or after a second
//! (`updated_at:>='...Z'`: quoted, else the time part is ignored), ascending, in every status.
//! Shopify's cursors hold the sort value and id of the last row, not a row number, so rows that
//! shift are no harm: an order that changes meanwhile moves to the end and is met again.
//!
//! Where the next walk begins is not the newest order seen, but at most when this walk *began*,
//! less the overlap: the search index lags, so an order changed just before the walk passed its
//! place may not have been listed there yet, and a walk can take hours. So the newest minutes are
//! met again by every walk. Where they hold many orders, they are first compared with what the last
//! walk has seen of them ([`tail`](super::tail)), which is one small question.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::api::{Answer, Api};
use super::bulk::{self, Bulk};
use super::list::{List, Span};
use super::probe::Scopes;
use super::settings::Settings;
use super::sizes::chokes;
use super::slices::count_one;
use super::tail::Tail;
use super::{around, document, map, number, query, tail, wire};
use crate::channel::census::{Census, SURELY_BEFORE, unlisted};
use crate::channel::rows::nameless;
use crate::channel::strayed::{self, STRAYED};
use crate::channel::{Cursor, Next, Page, RemoteOrder, Unshown};
use crate::error::{Error, ErrorKind, Result};
use crate::order::Status;

/// A place in a store's orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Before the first page of a walk by modification time.
    Start(Start),
    /// Within it.
    Changes(Changes),
    /// A slice of a first sync, by creation time.
    Slice(Slice),
    /// The same by a bulk operation.
    Bulk(Bulk),
}

/// Before the first page of a walk by modification time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// What it will walk.
    #[serde(flatten)]
    pub span: Span,
    /// How many orders it will meet at least, where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
    /// What the walk before this one has seen of the span, where it is worth comparing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Tail>,
    /// Where an order stands that cannot be shown, in minutes that are met again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Hidden>,
}

/// An order that cannot be shown, in minutes of which all others were read. As long as they hold as
/// many orders as then, the walk begins behind it: to come upon it costs dozens of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// The second behind it.
    end: i64,
    /// How many orders were changed before that, since the beginning.
    count: u64,
}

/// A walk by modification time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// What it walks.
    pub span: Span,
    /// Shopify's cursor.
    pub after: Option<String>,
    /// The newest change seen.
    pub high: Option<i64>,
    /// When it began.
    pub began: i64,
    /// What it has seen of the newest minutes.
    #[serde(default)]
    pub tail: Tail,
    /// How many orders it was counted to meet, and how many it has met.
    #[serde(default)]
    pub counted: Option<u64>,
    #[serde(default)]
    pub met: u64,
    /// From where it goes on after an order that Shopify cannot show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// When the last few orders of it were changed.
    #[serde(default)]
    pub last: Last,
}

/// Orders made in a span of time, the end not included, that were changed at or after another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Made at or after.
    pub from: i64,
    /// Made before; `None`: without end.
    pub to: Option<i64>,
    /// Changed at or after.
    pub since: Option<i64>,
    /// Shopify's cursor.
    pub after: Option<String>,
    /// How many orders it was counted to have, and how many were met.
    #[serde(default)]
    pub counted: u64,
    #[serde(default)]
    pub met: u64,
    /// When the last few of them were made.
    #[serde(default)]
    pub last: Last,
}

/// The times of the last few orders of a walk, by which its list is sorted.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last(Vec<i64>);

impl Last {
    /// Few enough to be kept, and enough that one of them stands where its time says: an order may
    /// have been changed since it was listed.
    const FEW: usize = 5;

    /// Takes orders in.
    pub fn add(&mut self, list: List, rows: &[Row]) {
        self.0.extend(rows.iter().filter_map(|row| list.key(row)));
        self.0.drain(..self.0.len().saturating_sub(Self::FEW));
    }

    /// A second before which the walk has met everything, and how many of its orders it has met
    /// from there on, at least.
    pub fn floor(&self, list: List) -> (i64, u64) {
        // Those before the list's own start are of an earlier one.
        let own = || self.0.iter().copied().filter(|at| *at >= list.start());
        (own().min().unwrap_or(list.start()), own().count() as u64)
    }
}

impl Start {
    /// Of this span, of which nothing is known.
    pub fn of(span: Span, counted: Option<u64>) -> Self {
        Self { span, counted, known: None, hidden: None }
    }
}

impl Changes {
    fn list(&self) -> List {
        List::Changed(Span { since: self.span.since.max(self.from), ..self.span })
    }

    /// Where the next walk begins.
    fn end(self, api: &Api) -> Result<Start> {
        let settled = self.began - super::OVERLAP.as_secs() as i64;
        let reached = self.high.map(|high| high.min(self.began) - super::OVERLAP.as_secs() as i64);
        // What is behind an order that cannot be shown is met again only as long as the index may
        // lag.
        let behind = self.from.filter(|from| *from <= settled);
        let span = Span { since: self.span.since.max(reached).max(behind), until: None };
        let hidden = match self.from.filter(|end| span.since.is_none_or(|since| since < *end)) {
            Some(end) => Some(Hidden { end, count: before(api, span, end)? }),
            None => None,
        };
        let known = self.tail.worth_knowing(span.since, self.began).filter(|_| hidden.is_none());
        Ok(Start { span, counted: None, known, hidden })
    }
}

impl Slice {
    /// The orders of it.
    pub fn list(&self) -> List {
        List::Made { from: self.from, to: self.to, since: self.since }
    }
}

/// The page at a position.
pub fn page(api: &Api, settings: &Settings, at: &Cursor) -> Result<Page> {
    match at.position::<Position>()? {
        Position::Start(start) => begin(api, settings, start),
        Position::Changes(walk) => changes(api, settings, walk, false),
        Position::Slice(slice) => self::slice(api, settings, slice),
        Position::Bulk(walk) => bulk::page(api, settings, walk),
    }
}

/// The first page of a walk by modification time, or of one that goes back, where this one would
/// begin ahead of Shopify's clock.
fn begin(api: &Api, settings: &Settings, start: Start) -> Result<Page> {
    let span = start.span;
    let page = first_page(api, settings, start)?;
    match strayed::again_from(span.since, api.their_now().timestamp()) {
        None => Ok(page),
        Some(from) => {
            let span = Span { since: Some(from), ..span };
            let mut page = first_page(api, settings, Start::of(span, None))?;
            page.warnings.push(STRAYED.to_owned());
            Ok(page)
        }
    }
}

fn first_page(api: &Api, settings: &Settings, start: Start) -> Result<Page> {
    if let Some(known) = &start.known
        && let Some(warnings) = tail::unchanged(api, start.span, known)?
    {
        let next = Next::Done(Cursor::new(&Position::Start(start))?);
        return Ok(Page { warnings, ..Page::without_orders(next) });
    }
    let began = api.now().timestamp();
    let from = match start.hidden {
        Some(hidden) if before(api, start.span, hidden.end)? == hidden.count => Some(hidden.end),
        _ => None,
    };
    let Start { span, counted, .. } = start;
    // A clock that was wrong by minutes may have left a beginning that lies ahead.
    let span = Span { since: span.since.map(|since| since.min(began - super::OVERLAP.as_secs() as i64)), ..span };
    let (after, high, tail, met, last) = (None, None, Tail::default(), 0, Last::default());
    changes(api, settings, Changes { span, after, high, began, tail, counted, met, from, last }, true)
}

/// How many orders of a span were changed before a second.
fn before(api: &Api, span: Span, end: i64) -> Result<u64> {
    let list = List::Changed(span);
    count_one(api, list.between(list.start(), end))
}

fn changes(api: &Api, settings: &Settings, mut walk: Changes, first: bool) -> Result<Page> {
    let asked = api.now().timestamp();
    let mut read = match fetch(api, settings, first, walk.list(), walk.after.as_deref(), &walk.last) {
        Err(error) if walk.after.is_some() && is_bad_cursor(&error) && api.may_restart() => {
            let restarted = Changes { after: None, tail: Tail::default(), met: 0, last: Last::default(), ..walk };
            return changes(api, settings, restarted, first);
        }
        result => result?,
    };
    walk.last.add(walk.list(), &read.rows);
    walk.met += (read.rows.len() + read.unshown.len()) as u64;
    for row in &read.rows {
        walk.high = walk.high.max(row.changed);
        walk.tail.add(row);
    }
    let next = match read.next.take() {
        Some(Place::After(after)) => Position::Changes(Changes { after: Some(after), ..walk }),
        Some(Place::From(from)) => Position::Changes(Changes { after: None, from: Some(from), ..walk }),
        None => {
            let census = Census { counted: walk.counted, met: walk.met };
            read.unshown.extend(missing(api, walk.list(), census, asked, &read.rows)?);
            return finish(read, Next::Done(Cursor::new(&Position::Start(walk.end(api)?))?));
        }
    };
    finish(read, Next::More(Cursor::new(&next)?))
}

/// A page of a slice. Times of creation do not move, so nothing shifts between its pages; what
/// changes meanwhile is for the changes' walk.
fn slice(api: &Api, settings: &Settings, mut slice: Slice) -> Result<Page> {
    let asked = api.now().timestamp();
    let mut read = match fetch(api, settings, false, slice.list(), slice.after.as_deref(), &slice.last) {
        Err(error) if slice.after.is_some() && is_bad_cursor(&error) && api.may_restart() => {
            return self::slice(api, settings, Slice { after: None, met: 0, last: Last::default(), ..slice });
        }
        result => result?,
    };
    slice.last.add(slice.list(), &read.rows);
    slice.met += (read.rows.len() + read.unshown.len()) as u64;
    let next = match read.next.take() {
        Some(Place::After(after)) => Slice { after: Some(after), ..slice },
        Some(Place::From(from)) => Slice { after: None, from, ..slice },
        None => {
            let census = Census { counted: Some(slice.counted), met: slice.met };
            read.unshown.extend(missing(api, slice.list(), census, asked, &read.rows)?);
            return finish(read, Next::Done(Cursor::new(&Position::Slice(slice))?));
        }
    };
    finish(read, Next::More(Cursor::new(&Position::Slice(next))?))
}

fn finish(read: Read, next: Next) -> Result<Page> {
    let orders = read.rows.into_iter().map(|row| row.order).collect();
    Ok(Page { orders, unshown: read.unshown, warnings: read.warnings, ..Page::without_orders(next) })
}

/// A list that ends is held against Shopify's counts of it, before and after; its last page was
/// asked for at `asked` and has these rows. A few that are missing in it are told; many more are
/// the end of a list that was cut.
pub fn missing(api: &Api, list: List, census: Census, asked: i64, rows: &[Row]) -> Result<Option<Unshown>> {
    if census.missing() == 0 {
        return Ok(None);
    }
    let settled = asked - SURELY_BEFORE;
    let count = count_one(api, list.up_to(settled).filter().unwrap_or_default())?;
    let later = rows.iter().filter(|row| list.key(row).is_some_and(|at| at > settled)).count() as u64;
    let census = census.count(count.saturating_add(later));
    let (counted, met) = (census.counted.unwrap_or(0), census.met);
    if census.missing() <= counted / 20 + 2 {
        return Ok(unlisted(census.missing()));
    }
    let text = format!(
        "Shopify counts {counted} orders and listed {met} of them; the rest was not imported, and the sync does not go on from there"
    );
    Err(Error::new(ErrorKind::Unreadable, text).hint("ordersync sync --full reads everything again"))
}

/// How long cursors live is not documented: one that is refused costs the way from the walk's
/// beginning.
fn is_bad_cursor(error: &Error) -> bool {
    error.kind() == ErrorKind::Failed && error.message().to_lowercase().contains("cursor")
}

/// What came of a page.
#[derive(Default)]
pub struct Read {
    /// Its orders.
    pub rows: Vec<Row>,
    /// Those that Shopify itself cannot show.
    pub unshown: Vec<Unshown>,
    /// Where the list goes on.
    pub next: Option<Place>,
    /// What the merchant should know.
    pub warnings: Vec<String>,
}

/// An order in a list.
pub struct Row {
    /// The order.
    pub order: RemoteOrder,
    /// When it was made and changed, in seconds, where it says.
    pub made: Option<i64>,
    /// When it was changed.
    pub changed: Option<i64>,
}

/// Where a list goes on.
pub enum Place {
    /// After this cursor.
    After(String),
    /// With the orders from this second on.
    From(i64),
}

/// Fetches a page, smaller ones where the size asked for costs too much, and around an order that
/// Shopify cannot show.
fn fetch(api: &Api, settings: &Settings, first: bool, list: List, after: Option<&str>, last: &Last) -> Result<Read> {
    let document = if first { &query::FIRST_ORDERS } else { &query::ORDERS };
    match ask(api, document, list, after).and_then(|(size, answer)| read(api, settings, answer, list, after, size)) {
        Err(error) if chokes(&error) => around::read(api, settings, list, after, last),
        result => result,
    }
}

/// A page of as many orders as may be asked for at once, and how many that is.
fn ask(api: &Api, document: &'static query::Document, list: List, after: Option<&str>) -> Result<(u32, Answer)> {
    loop {
        let (size, lines) = (api.sizes.page(), api.sizes.page_lines.get());
        match api.ask_page(document, list.question(size, lines, after)) {
            Ok(answer) => {
                api.fit_page(size, &answer);
                return Ok((size, answer));
            }
            Err(error) if api.sizes.less_of_a_page(size, lines, &error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// A page of `size` orders, asked for with little patience.
pub fn ask_shortly(api: &Api, settings: &Settings, list: List, after: Option<&str>, size: u32) -> Result<Read> {
    let question = list.question(size, api.sizes.page_lines.get(), after);
    let answer = api.ask_shortly(&query::ORDERS, question)?;
    read(api, settings, answer, list, after, size)
}

/// What a page of orders comes to in points for each order, for an estimate.
pub fn measure(api: &Api, list: List) -> Result<Option<f64>> {
    let (size, answer) = match ask(api, &query::ORDERS, list, None) {
        // One of its orders cannot be shown: the reading will find out which.
        Err(error) if chokes(&error) => return Ok(None),
        result => result?,
    };
    let Some(cost) = &answer.cost else { return Ok(None) };
    Ok(cost.actual_query_cost.map(|cost| cost / f64::from(size)))
}

fn read(api: &Api, settings: &Settings, answer: Answer, list: List, after: Option<&str>, size: u32) -> Result<Read> {
    let data: wire::Orders<Box<RawValue>> = answer.read()?;
    let mut warnings = answer.hidden.clone();
    warnings.sort();
    warnings.dedup();
    if let Some(app) = data.current_app_installation {
        warnings.extend(checked(&app.scopes())?);
    }
    let next = data.orders.further(after, "orders", "nothing more was imported")?.map(Place::After);
    let mut times = Vec::new();
    let parsed = data.orders.nodes.into_iter().map(|text| {
        let mut order: Value = serde_json::from_str(text.get()).unwrap_or_else(|_| unparsed(text.get()));
        let second = |name: &str| Some(map::time(order[name].as_str()?, "").ok()?.timestamp());
        times.push((second("createdAt"), second("updatedAt")));
        answer.mark(&mut order, || text.get().to_owned());
        order
    });
    let documents = document::complete(api, parsed)?;
    drop(answer);
    let row = |(document, (made, changed))| Row { order: remote(document, settings.authorized), made, changed };
    let rows: Vec<Row> = documents.into_iter().zip(times).map(row).collect();
    list.check(&rows, size as usize, api.now().timestamp())?;
    Ok(Read { rows, unshown: Vec::new(), next, warnings })
}

/// What stands for an order whose JSON cannot be read, such as one with a number that no number
/// type holds: its id is dug out on its own, so that it is the same order when it comes mended.
fn unparsed(text: &str) -> Value {
    let head: wire::Head = serde_json::from_str(text).unwrap_or_default();
    json!({ "id": head.id, "unread": text })
}

/// A scope that went away is an error where orders hang on it, and the one that hides old orders is
/// told in every run.
pub fn checked(scopes: &Scopes) -> Result<Vec<String>> {
    scopes.need_orders()?;
    Ok(scopes.warnings())
}

/// An order's document with what could be made of it.
pub fn remote(document: Box<RawValue>, authorized: Status) -> RemoteOrder {
    let head: wire::Head = serde_json::from_str(document.get()).unwrap_or_default();
    let whole = head.id.or_else(|| crate::channel::rows::dug(&document, "id"));
    let id = whole.as_deref().map(number).filter(|id| !id.is_empty());
    RemoteOrder {
        remote_id: id.map_or_else(|| nameless(document.get()), str::to_owned),
        order: map::order(document.get(), authorized).map(Box::new),
        document,
    }
}
