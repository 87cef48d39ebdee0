//! Lists of orders: which ones, the newest first, and what a list leaves out.
//!
//! What is to be sent is one rule. `orders.to_send` and `orders.left_out` hold what of it an order's
//! own row tells, [`SENT_AS_TWIN`], [`GONE`], [`CANCELLING`] and the store the rest; lists, counts
//! and the view `v_orders` go by these. What is due is [`Due`].

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Row, params};
use rust_decimal::Decimal;

use super::comparisons::GONE;
use super::error::{Done, odd};
use super::queries::amount;
use super::twins::SENT_AS_TWIN;
use super::{Book, Store};
use crate::clock::{Timestamp, from_millis};
use crate::error::Result;
use crate::order::waiting::Times;
use crate::order::{Due, ShipWithin, Status, stored_decimal, sum};

/// An order in a list.
#[derive(Debug, Clone)]
pub struct OrderRow {
    /// Its short number.
    pub id: i64,
    /// Its store.
    pub(crate) store: String,
    /// The channel's number.
    pub number: String,
    /// The channel's id.
    pub(crate) remote_id: String,
    /// Its status here.
    pub(crate) status: Status,
    /// Its status there, verbatim.
    pub(crate) channel_status: String,
    /// When it was placed.
    pub(crate) placed_at: Timestamp,
    /// The latest moment to ship it, if promised.
    pub(crate) ship_by: Option<Timestamp>,
    /// The total.
    pub(crate) total: Decimal,
    /// Its currency.
    pub(crate) currency: String,
    /// The buyer.
    pub(crate) buyer: String,
    /// The country it goes to.
    pub(crate) country: String,
    /// How many items.
    pub(crate) items: Decimal,
    /// Whether a newer version is kept beside it.
    pub(crate) drifted: bool,
    /// The orders of other stores that are the same sale, by store and number.
    pub(crate) twins: Vec<String>,
    /// Whether it is to be sent and goes out as its twin, which counts in its place.
    pub(crate) sent_as_twin: bool,
    /// A test order: never to be sent.
    pub(crate) test: bool,
    /// Whether it is known that the channel has it no more.
    pub(crate) gone: bool,
    /// Whether it is to be sent, and a cancellation at the channel waits for the merchant's word.
    pub(crate) cancelling: bool,
    /// When it is to be sent at the earliest, where it is in the waiting time of its store.
    pub(crate) not_before: Option<Timestamp>,
    /// The merchant's tags.
    pub(crate) tags: Vec<String>,
    /// Nobody tells of pieces of it that were given back whether more are to be sent.
    pub(crate) unclear: bool,
    /// Whether it is to be sent: as `--to-send` lists it.
    pub(crate) to_send: bool,
    /// The word for why it is not, though it is open, as far as its own row tells.
    pub(crate) left_out: Option<String>,
    /// Whether its personal data were taken out.
    pub(crate) cleared: bool,
}

/// What a list is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// Every order.
    #[default]
    All,
    /// What is to be sent.
    ToSend,
    /// Of that, what should have gone out by now.
    Late,
    /// Of that, what is to go out on this day of its shop.
    Today,
    /// Orders with changes at the channel that wait for the merchant's word.
    Review,
    /// Orders that are held back.
    Held,
}

/// Which orders to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// What it is a list of.
    pub view: View,
    /// Only this status.
    pub status: Option<Status>,
    /// Only these stores.
    pub stores: Vec<i64>,
    /// Only those placed since then.
    pub since: Option<Timestamp>,
    /// Only those with all words of this text in a number, name, e-mail address, phone number, note,
    /// SKU, title, postcode or tracking number.
    pub search: Option<String>,
    /// Only those of which a newer version is kept beside the merchant's copy.
    pub changed: bool,
    /// Only those that have all of these tags.
    pub tags: Vec<String>,
    /// At most so many.
    pub limit: usize,
}

/// Why an order that is open is not to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LeftOut {
    /// It is a test order.
    Test,
    /// All of it was given back.
    GivenBack,
    /// Nothing of it goes into a parcel.
    NoParcel,
    /// It is in the waiting time of its store.
    Waiting,
    /// The channel has it no more: nothing can be told there.
    Gone,
    /// It is cancelled at the channel, and that waits for the merchant's word.
    Cancelling,
    /// It goes out as its twin in another store.
    Twin,
    /// Its store is not connected any more: nothing can be told there.
    Removed,
}

impl LeftOut {
    /// The word in JSON and in the book.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::GivenBack => "given-back",
            Self::NoParcel => "no-parcel",
            Self::Waiting => "waiting-time",
            Self::Gone => "gone",
            Self::Cancelling => "cancellation-waits",
            Self::Twin => "twin",
            Self::Removed => "not-connected",
        }
    }

    const ALL: [Self; 8] = [
        Self::Test,
        Self::GivenBack,
        Self::NoParcel,
        Self::Waiting,
        Self::Gone,
        Self::Cancelling,
        Self::Twin,
        Self::Removed,
    ];

    /// The rule of `orders.left_out` for one reason, beside [`LEFT_OUT`]; nothing for those that an
    /// order's own row does not tell.
    fn of_row(self) -> Option<&'static str> {
        match self {
            Self::Test => Some("o.test = 1"),
            Self::GivenBack => Some("o.test = 0 AND o.given_back = 1"),
            Self::NoParcel => Some("o.test = 0 AND o.given_back = 0 AND o.ships = 0"),
            Self::Waiting | Self::Gone | Self::Cancelling | Self::Twin | Self::Removed => None,
        }
    }
}

/// How many orders are left out, and why.
pub(crate) type LeftOuts = BTreeMap<LeftOut, u64>;

/// The statuses of what is to be sent, as in the rule of the schema.
const OPEN: [Status; 3] = [Status::AwaitingFulfillment, Status::PartiallyShipped, Status::DropshipmentRequested];

/// The rule of `orders.to_send`, written out. SQLite reads the row of every order of which it is asked
/// for a computed column; of what this asks for all is in the index `orders_to_send`.
const TO_SEND: &str = "o.status IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested') AND o.test = 0 AND o.given_back = 0 AND o.ships = 1";

/// The rule of `orders.left_out`, likewise, for the index of that name.
const LEFT_OUT: &str = "o.status IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested') AND (o.test = 1 OR o.given_back = 1 OR o.ships = 0)";

/// Whether the order `o` is held back.
const HELD: &str = "o.status = 'on-hold'";

/// Whether changes of the order `o` wait for the merchant's word, and the orders of which they do.
const REVIEW: &str = "EXISTS (SELECT 1 FROM changes c WHERE c.order_id = o.id AND c.fate = 'review')";
/// See [`REVIEW`].
const REVIEWED: &str = "SELECT DISTINCT order_id FROM changes INDEXED BY changes_waiting WHERE fate = 'review'";

/// Whether a cancellation of the order `o` waits for the merchant's word, and the orders of which one
/// does.
const CANCELLING: &str =
    "EXISTS (SELECT 1 FROM changes c WHERE c.order_id = o.id AND c.field = 'cancelled' AND c.fate = 'review')";
/// See [`CANCELLING`].
const CANCELLED: &str =
    "SELECT order_id FROM changes INDEXED BY changes_cancelled WHERE field = 'cancelled' AND fate = 'review'";

/// Whether the order `o` has changed at the channel, and the orders that have.
const CHANGED: &str = "EXISTS (SELECT 1 FROM changes c WHERE c.order_id = o.id AND c.fate <> 'applied')";
/// See [`CHANGED`].
const DRIFTED: &str = "SELECT DISTINCT order_id FROM changes INDEXED BY changes_apart WHERE fate <> 'applied'";

const LIST: &str = "SELECT o.id, s.name, o.number, o.remote_id, o.status, o.channel_status, o.placed_at, o.ship_by, o.total, o.currency,
    o.buyer_name, coalesce((SELECT country FROM addresses a WHERE a.order_id = o.id AND a.kind = 'ship' AND a.position = 0), ''),
    coalesce((SELECT group_concat(quantity, ' ') FROM lines l WHERE l.order_id = o.id), ''),
    EXISTS (SELECT 1 FROM changes c WHERE c.order_id = o.id AND c.fate <> 'applied'),
    (SELECT json_group_array(z.name || ':' || w.number) FROM twins t JOIN orders w ON w.id = t.twin_id JOIN stores z ON z.id = w.store_id
      WHERE t.order_id = o.id AND t.state <> 'denied'), o.test, (SELECT json_group_array(tag) FROM tags g WHERE g.order_id = o.id), o.imported_at, o.store_id,
    o.left_out, o.to_send AND s.removed_at IS NULL, EXISTS (SELECT 1 FROM gone g WHERE g.order_id = o.id),
    o.status = 'partially-shipped' AND EXISTS (SELECT 1 FROM lines b WHERE b.order_id = o.id AND b.refunded NOT IN ('0', '0.00')), ";

const JOIN: &str = "JOIN stores s ON s.id = o.store_id";

/// Up to so many late orders of a store are put in order by time; where there are more, the newest
/// of them are soon met on the way back from now.
const MANY: usize = 5_000;

/// Which part of what a filter asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// What is listed.
    Listed,
    /// What a list of what is to be sent leaves out for this reason.
    LeftOut(LeftOut),
}

impl Filter {
    /// Whether it is a list of what is to be sent.
    fn is_to_send(&self) -> bool {
        match self.view {
            View::ToSend | View::Late | View::Today => true,
            View::All => self.status.is_some_and(|status| OPEN.contains(&status)),
            View::Review | View::Held => false,
        }
    }

    /// Whether it is one of what is due.
    fn is_of_due(&self) -> bool {
        matches!(self.view, View::Late | View::Today)
    }

    /// The statuses that are asked for one by one, as the index has them: over several at once
    /// SQLite would sort every open order of the book.
    fn by_status(&self) -> Vec<Option<Status>> {
        match self.view {
            View::ToSend | View::Late | View::Today => {
                OPEN.into_iter().filter(|one| self.status.is_none_or(|it| it == *one)).map(Some).collect()
            }
            View::Held => vec![self.status.or(Some(Status::OnHold))],
            View::All | View::Review => vec![self.status],
        }
    }

    /// The filter as conditions on `o` and `s`, but for the text that is searched.
    fn conditions(&self, part: Part, due: &[(i64, Due)], waits: Option<&str>) -> String {
        let mut sql = String::new();
        let mut and = |condition: &str| {
            sql.push_str(" AND ");
            sql.push_str(condition);
        };
        if self.is_to_send() {
            self.to_send(part, waits).iter().for_each(|condition| and(condition));
        }
        match self.view {
            View::Review => and(REVIEW),
            View::Held => and(HELD),
            View::Late | View::Today => {
                let stores: Vec<String> = due
                    .iter()
                    .map(|(store, due)| format!("(o.store_id = {store} AND ({}))", self.due(due).join(" OR ")))
                    .collect();
                and(&if stores.is_empty() { "0".to_owned() } else { format!("({})", stores.join(" OR ")) });
            }
            View::All | View::ToSend => {}
        }
        if self.changed {
            and(CHANGED);
        }
        if let Some(status) = self.status {
            and(&format!("o.status = '{}'", status.word()));
        }
        if !self.stores.is_empty() {
            let ids: Vec<String> = self.stores.iter().map(i64::to_string).collect();
            // A unary plus keeps SQLite on the index by time: a store may hold most of the book.
            and(&format!("+o.store_id IN ({})", ids.join(", ")));
        }
        for tag in &self.tags {
            let tag = tag.replace('\'', "''");
            and(&format!("EXISTS (SELECT 1 FROM tags g WHERE g.order_id = o.id AND g.tag = '{tag}')"));
        }
        if let Some(since) = self.since {
            and(&format!("o.placed_at >= {}", since.timestamp_millis()));
        }
        sql
    }

    /// What is to be sent, or left out of it. A list of one status leaves in what other rows than the
    /// order's own tell, and marks it.
    fn to_send(&self, part: Part, waits: Option<&str>) -> Vec<String> {
        let connected = self.stores.is_empty().then(|| "s.removed_at IS NULL".to_owned());
        let twin = format!("(EXISTS (SELECT 1 FROM twins) AND {SENT_AS_TWIN})");
        let gone = format!("(EXISTS (SELECT 1 FROM gone) AND {GONE})");
        let cancelling = format!("(EXISTS ({CANCELLED}) AND {CANCELLING})");
        let whole = self.view != View::All;
        let not = |what: &str| whole.then(|| format!("NOT {what}"));
        let own = match part {
            Part::LeftOut(reason) => {
                reason.of_row().map_or(TO_SEND.to_owned(), |reason| format!("{LEFT_OUT} AND {reason}"))
            }
            Part::Listed => TO_SEND.to_owned(),
        };
        let rest = match part {
            Part::Listed => {
                let waits = waits.map(|waits| format!("NOT {waits}"));
                vec![connected, not(&gone), not(&cancelling), not(&twin), waits]
            }
            Part::LeftOut(LeftOut::Waiting) => {
                let waits = Some(waits.unwrap_or("0").to_owned());
                vec![connected, not(&gone), not(&cancelling), not(&twin), waits]
            }
            Part::LeftOut(LeftOut::Gone) => vec![connected, Some(gone)],
            Part::LeftOut(LeftOut::Cancelling) => vec![connected, not(&gone), Some(cancelling)],
            Part::LeftOut(LeftOut::Twin) => vec![connected, not(&gone), not(&cancelling), Some(twin)],
            Part::LeftOut(LeftOut::Removed) => vec![Some("s.removed_at IS NOT NULL".to_owned())],
            Part::LeftOut(_) => vec![connected],
        };
        std::iter::once(own).chain(rest.into_iter().flatten()).collect()
    }

    /// What is due in a shop: by a promised moment, and without one.
    fn due(&self, due: &Due) -> [String; 2] {
        let within = |column: &str, from: i64, to: i64| format!("o.{column} >= {from} AND o.{column} < {to}");
        match self.view {
            View::Today => {
                let (promised, placed) = &due.today;
                let placed = within("placed_at", placed.start, placed.end);
                [within("ship_by", promised.start, promised.end), format!("o.ship_by IS NULL AND {placed}")]
            }
            _ => {
                let (promised, placed) = due.late;
                [format!("o.ship_by < {promised}"), format!("o.ship_by IS NULL AND o.placed_at < {placed}")]
            }
        }
    }

    /// The rows that are gone through for a part.
    fn source(&self, part: Part) -> String {
        let of = |ids: &str| format!("FROM ({ids}) x CROSS JOIN orders o ON o.id = x.order_id {JOIN} WHERE 1");
        match part {
            Part::LeftOut(LeftOut::Twin) => of("SELECT DISTINCT order_id FROM twins"),
            Part::LeftOut(LeftOut::Gone) => of("SELECT order_id FROM gone"),
            Part::LeftOut(LeftOut::Cancelling) => of(CANCELLED),
            Part::LeftOut(LeftOut::Removed) => {
                "FROM stores s CROSS JOIN orders o INDEXED BY orders_to_send ON o.store_id = s.id WHERE 1".to_owned()
            }
            Part::LeftOut(LeftOut::Waiting) => format!("FROM orders o INDEXED BY orders_by_status {JOIN} WHERE 1"),
            Part::LeftOut(_) => format!("FROM orders o INDEXED BY orders_left_out {JOIN} WHERE 1"),
            Part::Listed if self.view == View::Review => of(REVIEWED),
            Part::Listed if self.changed => of(DRIFTED),
            Part::Listed if !self.tags.is_empty() => {
                let tag = self.tags[0].replace('\'', "''");
                of(&format!("SELECT order_id FROM tags WHERE tag = '{tag}'"))
            }
            Part::Listed => format!("FROM orders o {JOIN} WHERE 1"),
        }
    }
}

/// An order's place in a list: when it was placed, and its number.
type Place = (i64, i64);

impl Book {
    /// The orders that fit the filter, the newest first.
    pub fn list(&self, filter: &Filter) -> Result<Vec<OrderRow>> {
        let sql = format!(
            "{LIST}{SENT_AS_TWIN}, {CANCELLING}, EXISTS (SELECT 1 FROM cleared x WHERE x.order_id = o.id) FROM orders o {JOIN} WHERE o.id = ?"
        );
        let mut statement = self.db.prepare_cached(&sql).done("read")?;
        let waits = self.waits()?;
        let row = |(_, id)| {
            let read = |row: &Row<'_>| Ok((order_row(row)?, from_millis(row.get(17)?), row.get::<_, i64>(18)?));
            let (row, imported_at, store) = statement.query_row([id], read).done("read")?;
            let mut row = row?;
            let times = Times { placed_at: row.placed_at, imported_at, ship_by: row.ship_by };
            row.not_before = self.waits_until(&waits, store, row.status, times);
            row.to_send &= row.not_before.is_none();
            row.unclear = row.unclear && super::pieces::is_unclear(&self.db, row.id)?;
            Ok(row)
        };
        self.places(filter, Part::Listed)?.into_iter().map(row).collect()
    }

    /// How many orders a list of what is to be sent leaves out, and why.
    pub(crate) fn left_outs(&self, filter: &Filter) -> Result<LeftOuts> {
        let mut found = LeftOuts::new();
        if !filter.is_to_send() {
            return Ok(found);
        }
        let filter = &Filter { limit: usize::MAX, ..filter.clone() };
        let waits = self.in_waiting_time()?;
        let can_be = |reason: &LeftOut| match reason {
            LeftOut::Gone | LeftOut::Cancelling | LeftOut::Twin => filter.view != View::All,
            LeftOut::Removed => filter.stores.is_empty(),
            LeftOut::Waiting => waits.is_some(),
            _ => true,
        };
        for reason in LeftOut::ALL.into_iter().filter(can_be) {
            let orders = self.count(filter, reason)?;
            if orders > 0 {
                found.insert(reason, orders);
            }
        }
        Ok(found)
    }

    /// How many orders a list leaves out for this reason.
    fn count(&self, filter: &Filter, reason: LeftOut) -> Result<u64> {
        let part = Part::LeftOut(reason);
        if filter.search.is_some() {
            return Ok(self.places(filter, part)?.len() as u64);
        }
        let sql = self.counting(filter, part)?;
        self.db.prepare_cached(&sql).done("read")?.query_row([], |row| row.get(0)).done("read")
    }

    fn counting(&self, filter: &Filter, part: Part) -> Result<String> {
        let due = if filter.is_of_due() { self.dues(filter)? } else { Vec::new() };
        let conditions = filter.conditions(part, &due, self.in_waiting_time()?.as_deref());
        Ok(format!("SELECT count(*) {}{conditions}", filter.source(part)))
    }

    /// How many orders are late that are not due today.
    pub(crate) fn late_besides(&self, today: &Filter) -> Result<u64> {
        if *today == (Filter { view: View::Today, limit: today.limit, ..Filter::default() }) {
            let late = |store: &Store| self.late(store.id, &self.shipping_due(store)?.before_today());
            return self.stores()?.iter().map(late).sum();
        }
        let all = |view| self.places(&Filter { view, limit: usize::MAX, ..today.clone() }, Part::Listed);
        let today: BTreeSet<Place> = all(View::Today)?.into_iter().collect();
        Ok(all(View::Late)?.into_iter().filter(|place| !today.contains(place)).count() as u64)
    }

    /// What is due in a store by now.
    pub(crate) fn shipping_due(&self, store: &Store) -> Result<Due> {
        let now = self.now_ms();
        let within = store.values.get("ship_within").and_then(|text| ShipWithin::parse(text.trim()));
        let offsets = super::zones::offsets_before(&self.db, store.id, now.saturating_add(3 * 86_400_000))?;
        Ok(Due::at(now, &offsets, within.unwrap_or(ShipWithin::USUAL)))
    }

    /// How many orders of a store are late: as `--late` lists them.
    pub(crate) fn late(&self, store: i64, due: &Due) -> Result<u64> {
        // Two ranges of one index: a million of them are counted without a look at their rows. What
        // is known to be sent otherwise, or not yet, is little, and is taken off.
        let [promised, placed] = ["o.ship_by < ?2", "o.ship_by IS NULL AND o.placed_at < ?3"];
        let of_store = format!("orders o INDEXED BY orders_to_send WHERE {TO_SEND} AND o.store_id = ?1");
        let is_late = format!("{TO_SEND} AND o.store_id = ?1 AND (o.ship_by < ?2 OR ({placed}))");
        let waiting = self.in_waiting_time()?.map_or(String::new(), |waits| {
            format!(
                "- (SELECT count(*) FROM orders o INDEXED BY orders_by_status
                    WHERE {is_late} AND {waits} AND NOT {GONE} AND NOT {CANCELLING} AND NOT {SENT_AS_TWIN})"
            )
        });
        let sql = format!(
            "SELECT (SELECT count(*) FROM {of_store} AND {promised}) + (SELECT count(*) FROM {of_store} AND {placed})
               - (SELECT count(*) FROM (SELECT order_id FROM twins UNION SELECT order_id FROM gone UNION {CANCELLED}) x
                  CROSS JOIN orders o ON o.id = x.order_id
                  WHERE {is_late} AND ({GONE} OR {CANCELLING} OR {SENT_AS_TWIN})) {waiting}"
        );
        let about = params![store, due.late.0, due.late.1];
        self.db.prepare_cached(&sql).done("read")?.query_row(about, |row| row.get(0)).done("read")
    }

    /// How many orders are to be sent by connected stores, each sale once, and how many open ones
    /// are not, and why.
    pub(crate) fn to_send(&self) -> Result<(u64, LeftOuts)> {
        let open = "SELECT coalesce(sum(c.orders), 0) FROM counts c JOIN stores s ON s.id = c.store_id
            WHERE s.removed_at IS NULL AND c.status IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested')";
        let open: u64 = self.db.prepare_cached(open).done("read")?.query_row([], |row| row.get(0)).done("read")?;
        let mut left_outs = self.left_outs(&Filter { view: View::ToSend, ..Filter::default() })?;
        left_outs.remove(&LeftOut::Removed);
        Ok((open.saturating_sub(left_outs.values().sum()), left_outs))
    }

    /// Where the orders of a part stand, the newest first, at most as many as are wanted.
    fn places(&self, filter: &Filter, part: Part) -> Result<Vec<Place>> {
        let due = if filter.is_of_due() { self.dues(filter)? } else { Vec::new() };
        let waits = if filter.is_to_send() { self.in_waiting_time()? } else { None };
        let conditions = filter.conditions(part, &due, waits.as_deref());
        if let Some(text) = &filter.search {
            return self.found(text, &conditions, filter.limit);
        }
        if part == Part::Listed
            && filter.is_of_due()
            && let Some(places) = self.due_places(filter, &conditions, &due)?
        {
            return Ok(places);
        }
        let source = filter.source(part);
        if part != Part::Listed || source.contains("CROSS JOIN") {
            return self.sorted(&format!("{source}{conditions}"), filter.limit);
        }
        let mut places = Vec::new();
        for status in filter.by_status() {
            let status = status.map(|status| format!(" AND o.status = '{}'", status.word())).unwrap_or_default();
            places.extend(self.sorted(&format!("{source}{conditions}{status}"), filter.limit)?);
        }
        Ok(newest(places, filter.limit))
    }

    fn sorted(&self, from: &str, limit: usize) -> Result<Vec<Place>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read_places(&format!("SELECT o.placed_at, o.id {from} ORDER BY o.placed_at DESC, o.id DESC LIMIT {limit}"))
    }

    fn read_places(&self, sql: &str) -> Result<Vec<Place>> {
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// What is due in the stores that a filter is about.
    fn dues(&self, filter: &Filter) -> Result<Vec<(i64, Due)>> {
        let stores = self.stores_of_old()?.into_iter();
        let stores = stores.filter(|store| filter.stores.is_empty() || filter.stores.contains(&store.id));
        stores.map(|store| Ok((store.id, self.shipping_due(&store)?))).collect()
    }

    /// What is due, by the index that has it; `None` where a store has too much of it to be put in
    /// order.
    fn due_places(&self, filter: &Filter, conditions: &str, due: &[(i64, Due)]) -> Result<Option<Vec<Place>>> {
        let mut places = Vec::new();
        for (store, due) in due {
            for range in filter.due(due) {
                let from =
                    format!("FROM orders o INDEXED BY orders_to_send {JOIN} WHERE o.store_id = {store} AND {range}");
                let some = self.read_places(&format!("SELECT o.placed_at, o.id {from}{conditions} LIMIT {MANY}"))?;
                if some.len() == MANY {
                    return Ok(None);
                }
                places.extend(some);
            }
        }
        Ok(Some(newest(places, filter.limit)))
    }

    /// The orders that have all words of a text. The index gives them by the hour: the last hour is
    /// gone through to its end.
    fn found(&self, text: &str, conditions: &str, limit: usize) -> Result<Vec<Place>> {
        let sql = format!("SELECT o.placed_at FROM orders o {JOIN} WHERE o.id = ?{conditions}");
        let mut statement = self.db.prepare_cached(&sql).done("read")?;
        let (mut places, mut last) = (Vec::new(), i64::MAX);
        self.search(text, |order, hour| {
            if places.len() >= limit && hour < last {
                return Ok(false);
            }
            if let Some(placed_at) = statement.query_row([order], |row| row.get(0)).optional().done("read")? {
                places.push((placed_at, order));
                last = hour;
            }
            Ok(true)
        })?;
        Ok(newest(places, limit))
    }
}

/// What counts orders by their own rows.
#[cfg(test)]
pub(super) fn counts(book: &Book, filter: &Filter) -> Vec<String> {
    let reasons = LeftOut::ALL.into_iter().filter(|reason| reason.of_row().is_some());
    let late = format!(
        "SELECT count(*) FROM orders o INDEXED BY orders_to_send WHERE {TO_SEND} AND o.store_id = 1 AND o.ship_by < 1"
    );
    reasons.map(|reason| book.counting(filter, Part::LeftOut(reason)).unwrap()).chain([late]).collect()
}

fn newest(mut places: Vec<Place>, limit: usize) -> Vec<Place> {
    places.sort_unstable_by(|a, b| b.cmp(a));
    places.truncate(limit);
    places
}

fn order_row(row: &Row<'_>) -> rusqlite::Result<Result<OrderRow>> {
    let word: String = row.get(4)?;
    let Ok(status) = word.parse() else { return Ok(Err(odd("status", &word))) };
    let items: String = row.get(12)?;
    let (is_open, gone, cancelling) = (row.get::<_, bool>(20)?, row.get::<_, bool>(21)?, row.get::<_, bool>(24)?);
    let sent_as_twin = OPEN.contains(&status) && row.get(23)?;
    let by_others = [(gone, LeftOut::Gone), (cancelling, LeftOut::Cancelling)];
    let by_others = by_others.into_iter().find(|(is_so, _)| is_open && *is_so).map(|(_, why)| why.word().to_owned());
    let left_out = row.get::<_, Option<String>>(19)?.or(by_others);
    Ok(Ok(OrderRow {
        id: row.get(0)?,
        store: row.get(1)?,
        number: row.get(2)?,
        remote_id: row.get(3)?,
        status,
        channel_status: row.get(5)?,
        placed_at: from_millis(row.get(6)?),
        ship_by: row.get::<_, Option<i64>>(7)?.map(from_millis),
        total: amount(row, 8)?,
        currency: row.get(9)?,
        buyer: row.get(10)?,
        country: row.get(11)?,
        items: sum(items.split(' ').filter_map(|text| stored_decimal(text).ok())),
        drifted: row.get(13)?,
        twins: serde_json::from_str(&row.get::<_, String>(14)?).unwrap_or_default(),
        test: row.get(15)?,
        tags: serde_json::from_str(&row.get::<_, String>(16)?).unwrap_or_default(),
        not_before: None,
        left_out,
        gone,
        to_send: is_open && !gone && !cancelling && !sent_as_twin,
        cancelling: cancelling && OPEN.contains(&status),
        sent_as_twin,
        unclear: row.get(22)?,
        cleared: row.get(25)?,
    }))
}
