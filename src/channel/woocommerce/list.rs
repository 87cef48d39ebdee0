//! One page of a list of orders: asked for, held against what was asked, and read row by row.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::api::Api;
use super::map::{self, Statuses};
use super::settings::Settings;
use super::unshown;
use super::walk::{By, Listed, Row, Step, Walk};
use super::wire::Head;
use crate::channel::census::unlisted;
use crate::channel::isolate::{REPEATS, isolate};
use crate::channel::json::Text;
use crate::channel::{RemoteOrder, Unshown, rows};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Reply, read_json};
use crate::order::Order;

/// A page as read.
#[derive(Default)]
pub struct Read {
    pub orders: Vec<RemoteOrder>,
    pub listed: Listed,
    /// The newest modification time that is not in the future.
    pub high: Option<i64>,
    /// How many rows were asked for, where the shop bears fewer than are set; else 0.
    pub size: usize,
    /// Fewer rows came than were asked for.
    pub is_short: bool,
    /// The most rows that came at once, and whether the shop's count is that of a page.
    pub most: u64,
    pub capped: bool,
    /// The id of the row before what is to be looked at closely.
    pub last: Option<u64>,
    pub unshown: Vec<Unshown>,
    pub drafts: u32,
    pub warnings: Vec<String>,
}

/// How many rows to ask for: the merchant's setting, unless more is known to be too much for the
/// shop.
fn size(api: &Api, settings: &Settings, known: usize) -> usize {
    let known = if known == 0 { settings.page_size } else { known };
    settings.page_size.min(known).min(api.bearable()).max(1)
}

/// Reads the walk's next page. One that holds fewer rows than were asked for, of more that there
/// are, is given out only together with a page that goes on from it: a shop that ignores the
/// request gives such a page too, and nothing goes on from that.
pub fn step(api: &Api, settings: &Settings, walk: &Walk, status: Option<&str>) -> Result<(Read, Option<Walk>)> {
    let walk = confirmed(api, walk.resumed(api.run(), api.now().timestamp()), status)?;
    let (mut page, mut next) = one_page(api, settings, &walk, status)?;
    while page.is_short
        && !api.is_heeded()
        && let Some(walk) = next.take()
    {
        let (more, after) = one_page(api, settings, &walk, status)?;
        page.absorb(more);
        if after.as_ref().is_none_or(|walk| walk.stretch.is_none()) {
            api.heeded();
        }
        next = after;
    }
    Ok((page, next))
}

/// A walk that another run goes on with reads the rest of a second first; that nothing was passed
/// over before it is asked once.
fn confirmed(api: &Api, walk: Walk, status: Option<&str>) -> Result<Walk> {
    if !walk.alone || walk.before.is_none() {
        return Ok(walk);
    }
    let all = Walk { alone: false, ..walk.clone() };
    let mut query = all.query(1);
    query.push(("_fields", "id".to_owned()));
    query.extend(status.map(|status| ("status", status.to_owned())));
    let passed_over = total(&api.list("wc/v3/orders", &query)?).is_some_and(|total| walk.has_passed_over(total));
    let back = walk.back_by_ids(api.now().timestamp()).filter(|_| passed_over);
    Ok(back.unwrap_or(Walk { before: None, ..walk }))
}

/// Reads one page. Where the shop fails at it, it is down, or the page is too much for it, or an
/// order of it is.
fn one_page(api: &Api, settings: &Settings, walk: &Walk, status: Option<&str>) -> Result<(Read, Option<Walk>)> {
    let size = size(api, settings, walk.size);
    match ask(api, settings, walk, status, size, REPEATS) {
        Err(error) if error.is_too_much() => closely(api, settings, walk, status, size),
        answer => answer,
    }
}

fn ask(
    api: &Api,
    settings: &Settings,
    walk: &Walk,
    status: Option<&str>,
    size: usize,
    repeats: u32,
) -> Result<(Read, Option<Walk>)> {
    let mut query = walk.query(size);
    query.extend(status.map(|status| ("status", status.to_owned())));
    let listed = || {
        let reply = api.ask("wc/v3/orders", &query, repeats)?;
        read(&reply, &settings.statuses, walk.by, api.now().timestamp())
    };
    let mut page = listed()?;
    // A walk begins where orders were seen, unless it asks for what is newer. A shop whose database
    // failed at the list calls it empty, too.
    let newer = matches!((walk.from, walk.known), (Some(from), Some(known)) if from > known);
    let begins = walk.taken_at == 0 && status.is_none() && (walk.from, walk.until) != (None, None) && !newer;
    // One that is counted and empty is no answer at all, most often once.
    if page.listed.length == 0 && (begins || page.listed.total.is_some_and(|total| total > 0)) {
        page = listed()?;
    }
    page.size = if size < settings.page_size { size } else { 0 };
    page.is_short = page.listed.length < size as u64;
    (page.most, page.capped) = (page.listed.length, walk.is_capped(&page.listed));
    if let Some(status) = status.filter(|status| page.others(status)) {
        return Err(odd(&format!("other orders came where those with status {status} were asked for")));
    }
    let next = match onward(api, "wc/v3/orders", status, walk, &page.listed, size)? {
        Onward::More(next) => Some(Walk { size: page.size, ..*next }),
        Onward::End { hidden } => {
            page.unshown.extend(unlisted(hidden));
            None
        }
    };
    Ok((page, next))
}

/// Reads in ever smaller pages up to what the shop fails at. An order that it cannot show is named
/// and left out.
fn closely(
    api: &Api,
    settings: &Settings,
    walk: &Walk,
    status: Option<&str>,
    size: usize,
) -> Result<(Read, Option<Walk>)> {
    let (mut all, mut borne) = (Read::default(), 0);
    let found = isolate(
        walk.clone(),
        size,
        |at, count| {
            let (page, next) = ask(api, settings, at, status, count, 0)?;
            borne = borne.max(count);
            all.last = page.listed.rows.last().map(|row| row.id).or(all.last);
            all.absorb(page);
            Ok((Vec::<()>::new(), next))
        },
        || is_well(api),
    )?;
    let Some(at) = found.at else { return Ok((all, None)) };
    let Some(why) = found.why else {
        // Each row came, though not all together.
        let size = borne.max(1);
        api.bears(size);
        all.size = size;
        return Ok((all, Some(Walk { size, ..at })));
    };
    // That it fails at one order says nothing about how many it can bear.
    let at = Walk { size: walk.size, ..at };
    all.size = walk.size;
    let next = match unshown::find(api, &at, status, all.last) {
        Some(id) => {
            all.unshown.push(Unshown::of(id.to_string(), &why));
            at.without(id)
        }
        None => return Err(stuck(why, &at)),
    };
    Ok((all, Some(next)))
}

/// A question that holds no order: whether the shop answers at all.
pub fn is_well(api: &Api) -> Result<()> {
    api.ask("wc/v3/orders", &NO_ORDER.map(|(name, value)| (name, value.to_owned())), 1).map(|_| ())
}

/// A list that is empty in every shop.
pub const NO_ORDER: [(&str, &str); 3] = [("per_page", "1"), ("after", "9990-01-01T00:00:00"), ("_fields", "id")];

/// How a list goes on after a page.
pub enum Onward {
    More(Box<Walk>),
    /// It is proven to be the last. So many orders the shop counts and did not list.
    End {
        hidden: u64,
    },
}

/// The walk after this page.
pub fn onward(
    api: &Api,
    route: &str,
    status: Option<&str>,
    walk: &Walk,
    listed: &Listed,
    size: usize,
) -> Result<Onward> {
    let end = Onward::End { hidden: walk.hidden };
    match walk.after(listed, size, api.now().timestamp()).map_err(|why| odd(&why))? {
        Step::More(next) => return Ok(Onward::More(Box::new(next))),
        Step::End { hidden } => return Ok(Onward::End { hidden }),
        Step::Unproven => {}
    }
    // Nothing came and nothing was counted. The last row of the list, if it is one that is read
    // already, proves the end.
    let mut query = walk.query_of_last();
    query.extend(status.map(|status| ("status", status.to_owned())));
    query.push(("_fields", "id,date_created_gmt,date_modified_gmt".to_owned()));
    let reply = api.list(route, &query)?;
    let (rows, _) = read_json::<Vec<Head<'_>>>(&reply.body)?;
    if rows.is_empty() && total(&reply) == Some(0) {
        return Ok(end);
    }
    let last = rows.first().and_then(|row| placed(row, walk.by));
    match walk.after_nothing(last) {
        Some(Step::More(next)) => Ok(Onward::More(Box::new(next))),
        Some(_) => Ok(end),
        None => Err(odd("it gives an empty list, and no count that says that there is nothing more")),
    }
}

/// An answer that is not the answer to what was asked.
pub fn odd(why: &str) -> Error {
    let text = format!("the shop does not answer what it is asked ({why}); nothing of the answer was used");
    Error::new(ErrorKind::Unreadable, text).hint(
        "a cache, a proxy or a plugin stands before the shop's API and changes what is asked of it; exclude /wp-json/ from it, then ordersync connect --test STORE",
    )
}

/// A shop that fails at a page of a single order.
fn stuck(error: Error, walk: &Walk) -> Error {
    let place = walk.from.map(super::walk::gmt).unwrap_or_default();
    let text = format!("{}; it fails even when asked for a single order (after {place} UTC)", error.message());
    Error::new(ErrorKind::Temporary, text)
        .hint("an order that the shop itself cannot show; its error log names it. The rest is read once that is mended")
}

impl Read {
    /// Takes in the page that goes on from this one.
    pub fn absorb(&mut self, more: Self) {
        self.orders.extend(more.orders);
        self.high = self.high.max(more.high);
        (self.most, self.capped) = (self.most.max(more.most), self.capped || more.capped);
        self.size = more.size;
        self.drafts += more.drafts;
        self.unshown.extend(more.unshown);
        self.warnings.extend(more.warnings);
    }

    /// A full page of less time than the overlap.
    pub fn is_dense(&self) -> bool {
        let times = || self.listed.rows.iter().map(|row| row.at);
        let span = times().max().zip(times().min()).map_or(0, |(newest, oldest)| newest - oldest);
        !self.is_short && self.listed.length > 0 && span < super::OVERLAP.as_secs() as i64
    }

    /// Whether most orders of the page have another status than this one.
    fn others(&self, status: &str) -> bool {
        let others = self.orders.iter().filter(|seen| seen.order.as_ref().is_ok_and(|o| o.channel_status != status));
        others.count() * 2 > self.orders.len()
    }
}

/// Whether the shop heeds what it is asked: order, size of the page, bounds. Gives what the
/// merchant should know.
pub fn heeds(api: &Api) -> Result<Vec<String>> {
    let query = [("per_page", "100"), ("orderby", "id"), ("order", "asc"), ("_fields", "id,date_modified_gmt")];
    let (first, listed) = match heads(api, &query) {
        // An order that the shop cannot show, or too many of them: a sync looks more closely.
        Err(error) if error.is_too_much() => return Ok(Vec::new()),
        answer => answer?,
    };
    if !first.is_sorted_by_key(|row| row.0) {
        return Err(odd("its list comes in another order"));
    }
    let mut warnings = Vec::new();
    match listed.total {
        None if listed.length > 0 => warnings.push(
            "the shop's answers come without X-WP-Total: something before it takes headers away, and each sync costs two requests more"
                .to_owned(),
        ),
        Some(total) if listed.length < total.min(100) => warnings.push(format!(
            "the shop gives {} orders a page where 100 were asked for: all of them come, in more requests",
            listed.length
        )),
        _ => {}
    }
    if api.facts().modified_after && listed.length > 0 {
        let tomorrow = api.now().timestamp() + 86_400;
        let bound = super::walk::gmt(tomorrow);
        let query =
            [("modified_after", bound.as_str()), ("dates_are_gmt", "true"), ("_fields", "id,date_modified_gmt")];
        let (later, _) = heads(api, &query)?;
        if later.iter().any(|row| row.1.is_some_and(|at| at <= tomorrow)) {
            return Err(odd("orders came that were modified before the time asked for"));
        }
    }
    Ok(warnings)
}

/// An order's id, and when it was modified.
type Stamp = (u64, Option<i64>);

/// Ids and modification times of a list.
fn heads(api: &Api, query: &[(&str, &str)]) -> Result<(Vec<Stamp>, Listed)> {
    let reply = api.get("wc/v3/orders", query)?;
    let (rows, _) = read_json::<Vec<Head<'_>>>(&reply.body)?;
    let listed = Listed { length: rows.len() as u64, ..counted(&reply) };
    let head = |row: &Head<'_>| {
        let modified = map::parse_time(row.date_modified_gmt.get()).map(|at| at.timestamp());
        Some((row.id.id()?.parse().ok()?, modified))
    };
    Ok((rows.iter().filter_map(head).collect(), listed))
}

/// What a reply's headers say about the whole list.
pub fn counted(reply: &Reply) -> Listed {
    let number = |name| reply.header(name)?.trim().parse().ok();
    Listed { total: number("x-wp-total"), pages: number("x-wp-totalpages"), ..Listed::default() }
}

/// A row's place in a list that is sorted by this time.
pub fn placed(head: &Head<'_>, by: By) -> Option<Row> {
    let at = match by {
        By::Modified => head.date_modified_gmt.get(),
        By::Created => head.date_created_gmt.get(),
    };
    Some(Row { id: head.id.id()?.parse().ok()?, at: map::parse_time(at)?.timestamp() })
}

pub fn total(reply: &Reply) -> Option<u64> {
    counted(reply).total
}

/// Reads a page at `now`, each order on its own: one that cannot be understood costs one order.
pub fn read(reply: &Reply, statuses: &Statuses, by: By, now: i64) -> Result<Read> {
    let (documents, cut) = rows::rows(&reply.body)?;
    let listed = Listed { length: documents.len() as u64, ..counted(reply) };
    let mut page = Read { listed, ..Read::default() };
    if cut {
        page.warnings.push(
            "the shop prints notices around its answers (PHP errors shown to visitors); they were cut away, but should be switched off there"
                .to_owned(),
        );
    }
    for document in &documents {
        let (head, order) = understand(document, statuses);
        let seen = named(document, &head, order);
        let modified = map::parse_time(head.date_modified_gmt.get()).map(|at| at.timestamp());
        page.listed.rows.extend(placed(&head, by));
        if map::is_draft(head.status.get()) {
            page.drafts += 1;
            continue;
        }
        // The position stays at what is past, else all that is modified between now and then would
        // be lost.
        page.high = page.high.max(modified.filter(|at| *at <= now));
        page.orders.push(seen);
    }
    Ok(page)
}

/// An order's document with what could be made of it.
pub fn remote(document: &RawValue, statuses: &Statuses) -> RemoteOrder {
    let (head, order) = understand(document, statuses);
    named(document, &head, order)
}

/// The order, and what places it in a list; a document is parsed once, where it can be understood
/// at all.
fn understand<'a>(document: &'a RawValue, statuses: &Statuses) -> (Head<'a>, Result<Box<Order>, String>) {
    if let Some(why) = rows::broken(document) {
        return (dug(document), Err(why.to_owned()));
    }
    match map::parse(document.get()) {
        Ok(parsed) => {
            let order = map::map(&parsed, statuses).map(Box::new);
            let head = if order.is_ok() { Head::from(parsed) } else { dug(document) };
            (head, order)
        }
        Err(why) => (dug(document), Err(why)),
    }
}

/// What places an order in a list, out of a row that cannot be read as one. Where its id is none,
/// the address that it has for itself tells it.
fn dug(row: &RawValue) -> Head<'static> {
    let text = |name: &str| Text(Cow::Owned(rows::dug(row, name).unwrap_or_default()));
    let mut head = Head {
        id: text("id"),
        status: text("status"),
        date_created_gmt: text("date_created_gmt"),
        date_modified_gmt: text("date_modified_gmt"),
        parent_id: text("parent_id"),
        ..Head::default()
    };
    let is_id = head.id.get().bytes().all(|byte| byte.is_ascii_digit()) && head.id.id().is_some();
    if let Some(id) = rows::text(row).split_once("\"_links\"").and_then(|(_, links)| own_id(links)).filter(|_| !is_id) {
        head.id = Text(Cow::Owned(id));
    }
    head
}

/// The id in the address that an order has for itself.
fn own_id(links: &str) -> Option<String> {
    let (_, rest) = links.split_once("\"self\"")?;
    let rest = rest.replace("\\/", "/");
    let (_, rest) = rest.split_once("/orders/")?;
    let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!id.is_empty()).then_some(id)
}

fn named(document: &RawValue, head: &Head<'_>, order: Result<Box<Order>, String>) -> RemoteOrder {
    RemoteOrder {
        remote_id: head.id.id().map_or_else(|| rows::nameless(document.get()), str::to_owned),
        document: document.to_owned(),
        order,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(row: &str) -> String {
        let row = RawValue::from_string(row.to_owned()).unwrap();
        dug(&row).id.get().to_owned()
    }

    #[test]
    fn i4_an_id_is_found_where_it_stands_twice_or_is_none() {
        assert_eq!(id(r#"{"id":7,"id":8,"meta":{"id":9}}"#), "8");
        let links =
            r#"{"id":"abc","_links":{"self":[{"href":"https:\/\/shop.example\/wp-json\/wc\/v3\/orders\/102"}]}}"#;
        assert_eq!(id(links), "102");
        assert_eq!(id("{}"), "");
    }

    #[test]
    fn i4_a_row_that_is_broken_has_its_place_in_the_list() {
        for broken in [
            &b"{\"id\":7,\"name\":\"J\xffrg, \\\"x\\\" ]\",\"date_modified_gmt\":\"2026-11-23T07:00:50\"}"[..],
            b"{\"id\":7,\"n\":NaN,\"l\":[{\"id\":9}],\"date_modified_gmt\":\"2026-11-23T07:00:50\"}",
        ] {
            let body = [&b" [{\"id\":6},"[..], broken, b",{\"id\":8}]\n"].concat();
            let (rows, _) = rows::rows(&body).unwrap();
            assert_eq!([0, 2].map(|nth| rows[nth].get()), [r#"{"id":6}"#, r#"{"id":8}"#]);
            let (head, order) = understand(&rows[1], &Statuses::new());
            assert!(order.is_err());
            assert_eq!((head.id.get(), head.date_modified_gmt.get()), ("7", "2026-11-23T07:00:50"));
        }
    }
}
