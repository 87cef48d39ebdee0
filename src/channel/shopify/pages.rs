//! Reading lists of orders, page by page.
//!
//! A walk by modification time asks for everything changed at or after a second
//! (`updated_at:>='...Z'`: quoted, else the time part is ignored), ascending, in every status.
//! Shopify's cursors hold the sort value and id of the last row, not a row number, so rows that
//! shift are no harm: an order that changes meanwhile moves to the end and is met again.
//!
//! The list is served by a search index that lags, so an order changed just before a walk passed
//! its place may not have been listed there yet: the newest minutes are read once more
//! ([`Checkpoint`]). So is an order in them that cannot be shown, which costs dozens of questions.
//! The book asks for it by its id each day.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::api::{Answer, Api};
use super::bulk::{self, Bulk};
use super::list::{List, Span};
use super::settings::Settings;
use super::sizes::chokes;
use super::slices::count_one;
use super::{OVERLAP, around, document, list, map, number, query, wire};
use crate::channel::census::{Census, SURELY_BEFORE, unlisted};
use crate::channel::checkpoint::{self, Checkpoint, Now, Taken};
use crate::channel::rows::nameless;
use crate::channel::{Cursor, Head, Heads, Next, Page, RemoteOrder, Survey, Unshown};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::order::Status;

/// A place in a store's orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Position {
    /// In the orders by modification time, at rest or under way.
    Walk(Walk),
    /// In a slice of a first sync, by creation time.
    Slice(Slice),
    /// The same by a bulk operation.
    Bulk(Bulk),
    /// Before a walk by modification time, as earlier versions wrote it.
    Start(Span),
    /// Within it: it begins anew.
    Changes {
        /// What it walks.
        span: Span,
    },
}

/// The walk by modification time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Walk {
    /// Where the changes stand.
    #[serde(flatten)]
    at: Checkpoint,
    /// The last second of a range that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    /// How many orders the next one will meet at least, where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counted: Option<u64>,
    /// The list that is being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reading: Option<Reading>,
    /// The orders that were held back or scheduled when it was last asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    held: Vec<String>,
    /// Those of which something was, the rest of an order in parts among them; nothing where the app
    /// could not see that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waiting: Option<Vec<String>>,
    /// Before it was asked for the first time: what was last changed before this second is not
    /// imported for being held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oldest: Option<i64>,
}

/// A list by modification time that is being read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reading {
    since: Option<i64>,
    #[serde(flatten)]
    place: Place,
}

/// Orders made in a span of time, the end not included, that were changed at or after another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slice {
    /// Made at or after.
    pub(crate) from: i64,
    /// Made before; `None`: without end.
    pub(crate) to: Option<i64>,
    /// Changed at or after.
    pub(crate) since: Option<i64>,
    /// How far it is read.
    #[serde(flatten)]
    pub(crate) place: Place,
}

/// How far a list is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    /// Shopify's cursor.
    after: Option<String>,
    /// How many orders the list was counted to have, and how many were met.
    pub(crate) counted: Option<u64>,
    met: u64,
    /// When the last few of them were made or changed.
    last: Last,
}

/// The times of the last few orders of a walk, by which its list is sorted.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Last(Vec<i64>);

impl Last {
    /// Few enough to be kept, and enough that one of them stands where its time says: an order may
    /// have been changed since it was listed.
    const FEW: usize = 5;

    /// Takes orders in.
    pub(crate) fn add(&mut self, list: List, rows: &[Row]) {
        self.0.extend(rows.iter().filter_map(|row| list.key(row)));
        self.0.drain(..self.0.len().saturating_sub(Self::FEW));
    }

    /// A second before which the walk has met everything, and how many of its orders it has met
    /// from there on, at least.
    pub(crate) fn floor(&self, list: List) -> (i64, u64) {
        // Those before the list's own start are of an earlier one.
        let own = || self.0.iter().copied().filter(|at| *at >= list.start());
        (own().min().unwrap_or(list.start()), own().count() as u64)
    }
}

impl Place {
    /// Before the first of so many orders, where they were counted.
    pub(crate) fn before(counted: Option<u64>) -> Self {
        Self { counted, ..Self::default() }
    }
}

impl Walk {
    /// A walk from where the changes stand.
    /// `oldest`: the first second of what is imported at all.
    pub(crate) fn new(at: Checkpoint, oldest: Option<i64>, counted: Option<u64>) -> Self {
        Self { at, until: None, counted, reading: None, held: Vec::new(), waiting: None, oldest }
    }

    /// A walk over a span.
    pub(crate) fn over(span: Span, counted: Option<u64>) -> Self {
        Self { until: span.until, ..Self::new(Checkpoint::new(span.since), span.since, counted) }
    }

    /// Which orders were held back when it was last asked.
    fn known(&self) -> Known {
        Known { held: self.held.clone(), waiting: self.waiting.clone(), oldest: self.oldest }
    }
}

impl Slice {
    /// How many orders it was counted to have.
    pub(crate) fn counted(&self) -> u64 {
        self.place.counted.unwrap_or(0)
    }

    /// The orders of it.
    pub(crate) fn list(&self) -> List {
        List::made(self.from, self.to, self.since)
    }
}

/// The page at a position.
pub(crate) fn page(api: &Api, settings: &Settings, at: &Cursor) -> Result<Page> {
    match at.position::<Position>()? {
        Position::Walk(walk) => changes(api, settings, walk),
        Position::Start(span) | Position::Changes { span } => changes(api, settings, Walk::over(span, None)),
        Position::Slice(slice) => self::slice(api, settings, slice),
        Position::Bulk(walk) => bulk::page(api, settings, walk),
    }
}

/// How many orders a span has, and the walk that lists them.
pub(crate) fn survey(api: &Api, span: Span) -> Result<Survey> {
    let orders = count_one(api, List::changed(span).filter().unwrap_or_default())?;
    let walks = vec![Cursor::new(&Position::Walk(Walk::over(span, Some(orders))))?];
    let requests = orders.div_ceil(u64::from(api.sizes.heads.get().max(1))).max(1);
    Ok(Survey { walks, orders: Some(orders), requests: Some(requests) })
}

/// The ids and times of a page of a span. Where that much is too much, an order of it may be the
/// reason: it is found as in any page.
pub(crate) fn heads(api: &Api, settings: &Settings, at: &Cursor) -> Result<Heads> {
    let Position::Walk(mut walk) = at.position::<Position>()? else { return page(api, settings, at).map(Heads::from) };
    let fresh = |walk: &Walk| Reading { since: walk.at.high(), place: Place::before(walk.counted) };
    let mut reading = walk.reading.take().unwrap_or_else(|| fresh(&walk));
    let list = List::changed(Span { since: reading.since, until: walk.until });
    let (asked, place) = (api.now().timestamp(), &mut reading.place);
    let (rows, next) = match ask_heads(api, list, place.after.as_deref()) {
        Err(error) if place.after.is_some() && is_bad_cursor(&error) && api.may_restart() => {
            return heads(api, settings, &Cursor::new(&Position::Walk(walk))?);
        }
        Err(error) if chokes(&error) => {
            let reading = Some(reading);
            return page(api, settings, &Cursor::new(&Position::Walk(Walk { reading, ..walk }))?).map(Heads::from);
        }
        read => read?,
    };
    place.last.add(list, &rows);
    place.met += rows.len() as u64;
    let mut unshown = Vec::new();
    if next.is_none() {
        let census = Census { counted: place.counted, met: place.met };
        unshown.extend(missing(api, list, census, asked, &rows)?);
    }
    let is_done = next.is_none();
    place.after = next;
    walk.reading = (!is_done).then_some(reading);
    let cursor = Cursor::new(&Position::Walk(walk))?;
    let head = |row: Row| Head {
        remote_id: row.order.remote_id,
        modified: row.changed.and_then(|at| Timestamp::from_timestamp(at, 0)),
    };
    let next = if is_done { Next::Done(cursor) } else { Next::More(cursor) };
    Ok(Heads { orders: rows.into_iter().map(head).collect(), unshown, next })
}

/// A page of ids and times, held against what was asked for, and the cursor behind it.
fn ask_heads(api: &Api, list: List, after: Option<&str>) -> Result<(Vec<Row>, Option<String>)> {
    let ask = |size: u32| {
        let question = json!({ "first": size, "after": after, "query": list.filter(), "sort": list.sort() });
        api.ask_page(&query::HEADS, question).map(|answer| (size, answer))
    };
    let (size, answer) = api.sizes.fitting(&api.sizes.heads, u32::MAX, ask)?;
    let data: wire::Orders<wire::Head> = answer.read()?;
    if let Some(app) = &data.current_app_installation {
        app.need_orders()?;
        api.note_scopes(app);
    }
    let next = data.orders.further(after, "orders", "nothing more was compared")?;
    let row = |head: &wire::Head| {
        let id = head.id.as_deref().map(number).filter(|id| !id.is_empty())?;
        let order =
            RemoteOrder { remote_id: id.to_owned(), document: RawValue::NULL.to_owned(), order: Err(String::new()) };
        Some(Row { order, made: None, changed: map::second(head.updated_at.as_deref()) })
    };
    let rows: Vec<Row> = data.orders.nodes.iter().filter_map(row).collect();
    list.check(&rows, size as usize, api.now().timestamp())?;
    Ok((rows, next))
}

/// The changes since the last sync.
fn changes(api: &Api, settings: &Settings, walk: Walk) -> Result<Page> {
    match &walk.reading {
        Some(_) => go_on(api, settings, walk),
        None => checkpoint::first_page(
            &walk.at,
            || api.their_now().timestamp(),
            |at| go_on(api, settings, Walk { at, ..walk.clone() }),
        ),
    }
}

fn go_on(api: &Api, settings: &Settings, mut walk: Walk) -> Result<Page> {
    let known = walk.reading.is_none().then(|| walk.known());
    let mut reading = match walk.reading.take() {
        Some(reading) => reading,
        None => {
            let since = walk.at.begin(OVERLAP, clock(api));
            Reading { since, place: Place::before(walk.counted.take()) }
        }
    };
    let list = List::changed(Span { since: reading.since, until: walk.until });
    let mut read = step(api, settings, list, &mut reading.place, known.as_ref())?;
    match read.held.take() {
        Some(held) if walk.until.is_none() => {
            (walk.held, walk.waiting, walk.oldest) = (held.now, held.waiting, None);
            read.reread = held.changed;
        }
        _ => {}
    }
    let now = api.now().timestamp();
    let modified = read.rows.iter().filter_map(|row| row.changed).chain(read.passed).map(|at| at.min(now)).collect();
    let page = Taken { modified, more: read.next.is_some(), dear: !read.unshown.is_empty(), gap: None };
    let after = walk.at.take(&page, OVERLAP, clock(api));
    walk.reading = match read.next {
        None => None,
        Some(Onward::From(from)) => Some(Reading { since: Some(from), ..reading }),
        Some(Onward::After(_)) => Some(reading),
    };
    // A range that ends is read once.
    let is_done = after == checkpoint::Onward::Done || (read.next.is_none() && walk.until.is_some());
    finish(read, is_done, &Position::Walk(walk))
}

/// What time it is at Shopify and here.
fn clock(api: &Api) -> Now {
    Now { theirs: api.now().timestamp(), ours: api.our_now().timestamp() }
}

/// A page of a slice. Times of creation do not move, so nothing shifts between its pages; what
/// changes meanwhile is for the changes' walk.
fn slice(api: &Api, settings: &Settings, mut slice: Slice) -> Result<Page> {
    let read = step(api, settings, slice.list(), &mut slice.place, None)?;
    if let Some(Onward::From(from)) = read.next {
        slice.from = from;
    }
    let is_done = read.next.is_none();
    finish(read, is_done, &Position::Slice(slice))
}

/// Reads a page of a list. Its end is held against how many orders were counted. `known`: the first
/// page of a run, and which orders were held back before it.
fn step(api: &Api, settings: &Settings, list: List, place: &mut Place, known: Option<&Known>) -> Result<Read> {
    let asked = api.now().timestamp();
    let mut read = match fetch(api, settings, known, list, place.after.as_deref(), &place.last) {
        Err(error) if place.after.is_some() && is_bad_cursor(&error) && api.may_restart() => {
            *place = Place::before(place.counted);
            return step(api, settings, list, place, known);
        }
        result => result?,
    };
    place.last.add(list, &read.rows);
    place.met += (read.rows.len() + read.unshown.len()) as u64;
    match &read.next {
        Some(Onward::After(after)) => place.after = Some(after.clone()),
        // The list that begins there has none of those that were met.
        Some(Onward::From(_)) => {
            place.counted = place.counted.map(|counted| counted.saturating_sub(place.met));
            (place.after, place.met) = (None, 0);
        }
        None => {
            let census = Census { counted: place.counted, met: place.met };
            read.unshown.extend(missing(api, list, census, asked, &read.rows)?);
        }
    }
    Ok(read)
}

fn finish(mut read: Read, is_done: bool, position: &Position) -> Result<Page> {
    let cursor = Cursor::new(position)?;
    let next = if is_done { Next::Done(cursor) } else { Next::More(cursor) };
    let orders = std::mem::take(&mut read.rows).into_iter().map(|row| row.order).collect();
    let Read { unshown, warnings, reread, .. } = read;
    Ok(Page { orders, unshown, warnings, reread, ..Page::without_orders(next) })
}

/// A list that ends is held against Shopify's counts of it, before and after; its last page was
/// asked for at `asked` and has these rows. A few that are missing in it are told; many more are
/// the end of a list that was cut.
pub(crate) fn missing(api: &Api, list: List, census: Census, asked: i64, rows: &[Row]) -> Result<Option<Unshown>> {
    if census.missing() == 0 {
        return Ok(None);
    }
    let settled = asked - SURELY_BEFORE;
    let count = count_one(api, list.up_to(settled))?;
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
pub(crate) struct Read {
    /// Its orders.
    pub(crate) rows: Vec<Row>,
    /// Those that Shopify itself cannot show.
    pub(crate) unshown: Vec<Unshown>,
    /// Where the list goes on.
    pub(crate) next: Option<Onward>,
    /// When the last of those that cannot be shown was changed.
    pub(crate) passed: Option<i64>,
    /// What the merchant should know.
    pub(crate) warnings: Vec<String>,
    /// The orders that are held back, where it was asked.
    held: Option<Held>,
    /// Those to be read by their ids.
    reread: Vec<String>,
}

/// The orders that are held back or scheduled. A hold is of a fulfilment order: neither its beginning
/// nor its end moves the time of the order's last change.
struct Held {
    /// As many of them as are looked after, the newest first.
    now: Vec<String>,
    /// Those with a fulfilment order that is; nothing where the app does not see such.
    waiting: Option<Vec<String>>,
    /// Those that are so since it was last asked, or no more.
    changed: Vec<String>,
}

/// Which orders were held back when it was last asked.
struct Known {
    held: Vec<String>,
    waiting: Option<Vec<String>>,
    /// Where it was never asked: what was last changed before is not looked after.
    oldest: Option<i64>,
}

/// How many orders that are held back are looked after: as many as one question lists.
const MOST_HELD: usize = 100;

impl Held {
    fn of(before: &Known, data: &Told, rows: &[Row]) -> Self {
        let (known, listed) = (&data.known, &data.listed);
        let is_meant =
            |at: Option<&str>| before.oldest.is_none_or(|oldest| map::second(at).is_none_or(|at| at >= oldest));
        let is_held = |one: &wire::Held| matches!(&*one.display_fulfillment_status, map::ON_HOLD | map::SCHEDULED);
        let known = || known.iter().flatten();
        // Whatever the search gives, each says how it is.
        let mut now: Vec<String> =
            listed.iter().filter(|one| is_held(one)).map(|one| number(&one.id).to_owned()).collect();
        let was_known = |id: &&String| !known().any(|one| number(&one.id) == **id);
        let is_new = |one: &&wire::Held| is_held(one) && is_meant(one.updated_at.as_deref());
        let new = listed.iter().filter(is_new).map(|one| number(&one.id).to_owned());
        let mut changed: Vec<String> = new.filter(|id| was_known(&id)).collect();
        // What is asked for by its id is as it is now; the list is of an index.
        changed.extend(known().filter(|one| !is_held(one)).map(|one| number(&one.id).to_owned()));
        for one in known().filter(|one| is_held(one)) {
            let id = number(&one.id);
            if now.iter().all(|listed| listed != id) {
                now.push(id.to_owned());
            }
        }
        let is_over = |id: &String| known().any(|one| number(&one.id) == id && !is_held(one));
        now.retain(|id| !is_over(id));
        now.truncate(MOST_HELD);
        let waiting = data.waiting.as_deref().map(|routes| {
            let of = |route: &wire::Waiting| route.order_id.as_deref().map(|id| number(id).to_owned());
            let (was, all) = (before.waiting.as_deref().unwrap_or_default(), routes.iter().filter_map(of));
            let mut ids: Vec<String> = all.filter(|id| !now.contains(id)).collect();
            ids.sort_unstable();
            ids.dedup();
            let new = routes.iter().filter(|route| is_meant(route.updated_at.as_deref())).filter_map(of);
            changed.extend(new.filter(|id| ids.contains(id) && !was.contains(id)));
            // The list is of the fulfilment orders that wait: what is no more on it waits no more.
            changed.extend(was.iter().filter(|id| !ids.contains(id)).cloned());
            ids
        });
        changed.retain(|id| rows.iter().all(|row| row.order.remote_id != *id));
        changed.sort_unstable();
        changed.dedup();
        Self { now, waiting: waiting.or_else(|| before.waiting.clone()), changed }
    }
}

/// What the first page of a run tells of orders that are held back.
struct Told {
    /// How those stand that were when it was last asked, each by its id.
    known: Vec<Option<wire::Held>>,
    /// Those that are by the search.
    listed: Vec<wire::Held>,
    /// The fulfilment orders that are.
    waiting: Option<Vec<wire::Waiting>>,
}

/// Orders by their global ids, as they are now, as far as there are any.
pub(crate) fn by_ids(api: &Api, settings: &Settings, ids: &[String]) -> Result<Vec<RemoteOrder>> {
    let (mut found, mut rest) = (Vec::new(), ids);
    while !rest.is_empty() {
        let lines = api.sizes.page_lines.get();
        let ask = |count: u32| {
            let some = rest.get(..rest.len().min(count as usize)).unwrap_or_default();
            api.ask(&query::NODES, json!({ "ids": some, "lines": lines })).map(|answer| (some.len(), answer))
        };
        let (count, answer) = api.sizes.fitting(&api.sizes.by_ids, u32::MAX, ask)?;
        let listed: wire::Listed = answer.read()?;
        let orders = listed.nodes.into_iter().flatten().filter(|node| node["id"].is_string()).map(|mut order| {
            let text = order.to_string();
            answer.mark(&mut order, || text);
            order
        });
        let documents = document::complete(api, orders)?;
        found.extend(documents.into_iter().map(|document| remote(document, settings.authorized)));
        rest = rest.get(count..).unwrap_or_default();
    }
    Ok(found)
}

/// An order in a list.
pub(crate) struct Row {
    /// The order.
    pub(crate) order: RemoteOrder,
    /// When it was made and changed, in seconds, where it says.
    pub(crate) made: Option<i64>,
    /// When it was changed.
    pub(crate) changed: Option<i64>,
}

/// Where a list goes on.
pub(crate) enum Onward {
    /// After this cursor.
    After(String),
    /// With the orders from this second on.
    From(i64),
}

/// Fetches a page, smaller ones where the size asked for costs too much, and around an order that
/// Shopify cannot show.
fn fetch(
    api: &Api,
    settings: &Settings,
    known: Option<&Known>,
    list: List,
    after: Option<&str>,
    last: &Last,
) -> Result<Read> {
    let saw_routes = api.sees_routes();
    match fetch_once(api, settings, known, list, after) {
        // Once more, at once: the index may have it right by now. If not, the page is refused.
        Err(error) if list::is_of_a_stray(&error) => fetch_once(api, settings, known, list, after),
        Err(error) if chokes(&error) => around::read(api, settings, list, after, last),
        // The app may see them since it was last asked what it may do.
        Ok(_) if !saw_routes && api.sees_routes() => fetch(api, settings, known, list, after, last),
        result => result,
    }
}

fn fetch_once(api: &Api, settings: &Settings, known: Option<&Known>, list: List, after: Option<&str>) -> Result<Read> {
    let (size, answer) = ask(api, known, list, after)?;
    read(api, settings, answer, (list, known), after, size)
}

/// A page of as many orders as may be asked for at once, and how many that is.
fn ask(api: &Api, known: Option<&Known>, list: List, after: Option<&str>) -> Result<(u32, Answer)> {
    let document = if known.is_some() { &query::FIRST_ORDERS } else { &query::ORDERS };
    loop {
        let (size, lines) = (api.sizes.page(), api.sizes.page_lines.get());
        let mut question = list.question(size, lines, after);
        if let Some(known) = known {
            question["known"] = known.held.iter().map(|id| format!("gid://shopify/Order/{id}")).collect();
        }
        match api.ask_page(document, question) {
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
pub(crate) fn ask_shortly(api: &Api, settings: &Settings, list: List, after: Option<&str>, size: u32) -> Result<Read> {
    let question = list.question(size, api.sizes.page_lines.get(), after);
    let answer = api.ask_shortly(&query::ORDERS, question)?;
    read(api, settings, answer, (list, None), after, size)
}

/// What a page of orders comes to in points for each order, for an estimate.
pub(crate) fn measure(api: &Api, list: List) -> Result<Option<f64>> {
    let (size, answer) = match ask(api, None, list, None) {
        // One of its orders cannot be shown: the reading will find out which.
        Err(error) if chokes(&error) => return Ok(None),
        result => result?,
    };
    let Some(cost) = &answer.cost else { return Ok(None) };
    Ok(cost.actual_query_cost.map(|cost| cost / f64::from(size)))
}

fn read(
    api: &Api,
    settings: &Settings,
    answer: Answer,
    (list, known): (List, Option<&Known>),
    after: Option<&str>,
    size: u32,
) -> Result<Read> {
    let data: wire::Orders<Box<RawValue>> = answer.read()?;
    let mut warnings = answer.hidden.clone();
    warnings.sort();
    warnings.dedup();
    let waiting = data.waiting.map(|routes| routes.nodes);
    let told = Told { known: data.known, listed: data.held.nodes, waiting };
    if let Some(app) = data.current_app_installation {
        // A scope that went away is an error where orders hang on it, and the one that hides old
        // orders is told in every run.
        app.need_orders()?;
        api.note_scopes(&app);
        warnings.extend(app.warnings());
    }
    let next = data.orders.further(after, "orders", "nothing more was imported")?.map(Onward::After);
    let mut times = Vec::new();
    let parsed = data.orders.nodes.into_iter().map(|text| {
        let mut order: Value = serde_json::from_str(text.get()).unwrap_or_else(|_| unparsed(text.get()));
        let second = |name: &str| map::second(order[name].as_str());
        times.push((second("createdAt"), second("updatedAt")));
        answer.mark(&mut order, || text.get().to_owned());
        order
    });
    let documents = document::complete(api, parsed)?;
    drop(answer);
    let row = |(document, (made, changed))| Row { order: remote(document, settings.authorized), made, changed };
    let rows: Vec<Row> = documents.into_iter().zip(times).map(row).collect();
    list.check(&rows, size as usize, api.now().timestamp())?;
    let held = known.map(|known| Held::of(known, &told, &rows));
    Ok(Read { rows, next, warnings, held, ..Read::default() })
}

/// What stands for an order whose JSON cannot be read, such as one with a number that no number
/// type holds: its id is dug out on its own, so that it is the same order when it comes mended.
fn unparsed(text: &str) -> Value {
    let head: wire::Head = serde_json::from_str(text).unwrap_or_default();
    json!({ "id": head.id, "unread": text })
}

/// An order's document with what could be made of it.
pub(crate) fn remote(document: Box<RawValue>, authorized: Status) -> RemoteOrder {
    let order = map::order(document.get(), authorized).map(Box::new);
    let remote_id = match &order {
        Ok(order) => order.remote_id.clone(),
        Err(_) => {
            let head: wire::Head = serde_json::from_str(document.get()).unwrap_or_default();
            let whole = head.id.or_else(|| crate::channel::rows::dug(&document, "id"));
            let id = whole.as_deref().map(number).filter(|id| !id.is_empty());
            id.map_or_else(|| nameless(document.get()), str::to_owned)
        }
    };
    RemoteOrder { remote_id, order, document }
}
