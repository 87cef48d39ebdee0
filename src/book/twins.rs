//! The same sale seen in two stores: found as orders come, settled by the merchant. Nothing is
//! merged or hidden by it.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use sha2::{Digest, Sha256};

use super::error::{Done, odd};
use super::inbox::{InboxKind, InboxNote, put_note, resolve_subject};
use super::trail::{self, By, Who};
use super::{Book, acts, copy};
use crate::channel::ChannelKind;
use crate::clock::from_millis;
use crate::error::{Error, ErrorKind, Result};
use crate::order::sale::{Sale, digits};
use crate::order::twin::{self, AFTER_MS, How};
use crate::order::{Status, stored_decimal};

/// As many orders of before are looked at in one transaction.
const AT_ONCE: u32 = 500;

/// As many orders with the same mark are held against the rule.
const MOST: u32 = 50;

/// Whether the order `o`, which is to be sent, goes out as its twin: that one is sent, or is the
/// one of the two that is counted, and its channel still has it.
pub(super) const SENT_AS_TWIN: &str =
    "EXISTS (SELECT 1 FROM twins t JOIN orders w ON w.id = t.twin_id JOIN stores z ON z.id = w.store_id
    WHERE t.order_id = o.id AND t.state <> 'denied'
      AND (w.status = 'shipped' OR (t.copy AND z.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.order_id = w.id)
        AND coalesce(w.bare_status, w.status) IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested'))))";

/// An order of another store that is the same sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Twin {
    /// Its short number.
    pub(crate) id: i64,
    /// Its store and the channel's number: `etsy:1204`.
    pub(crate) name: String,
    /// Its status, without a hold here.
    pub(crate) status: Status,
    /// Whether the merchant holds it back here.
    pub(crate) held: bool,
    /// Whether all of it was given back before it was sent.
    pub(crate) given_back: bool,
    /// Whether its channel shows it as cancelled, which the merchant has not taken over or turned
    /// down.
    pub(crate) cancelled_there: bool,
    /// Whether the order that it is a twin of was made of this one.
    pub(crate) is_original: bool,
    /// Whether the merchant has said that it is one; else it was found.
    pub(crate) confirmed: bool,
    /// `number`, `buyer`, or `merchant`.
    pub(crate) how: String,
}

impl Twin {
    /// How it is known, in words.
    pub(crate) fn known_by(&self) -> &'static str {
        known_by(&self.how)
    }

    /// Whether it is cancelled, here or at its channel.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.status == Status::Cancelled || self.cancelled_there
    }

    /// Whether parcels have gone out for it.
    pub(crate) fn is_sent(&self) -> bool {
        matches!(self.status, Status::Shipped | Status::PartiallyShipped)
    }
}

fn known_by(how: &str) -> &'static str {
    match how {
        "number" => "found by the number of the one, which stands in the other",
        "buyer" => "found by name, postcode, pieces, total and time",
        _ => "as you said",
    }
}

fn word(how: How) -> &'static str {
    match how {
        How::Number => "number",
        How::Buyer => "buyer",
    }
}

/// What the merchant says of two orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are one sale.
    Confirmed,
    /// They are two.
    Denied,
}

impl Verdict {
    /// The word in JSON and in the book.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Denied => "denied",
        }
    }
}

impl Book {
    /// Looks for twins of orders that came before twins were looked for, or before there was a second
    /// store; false where there are no more of them.
    pub(crate) fn seek_old_twins(&mut self) -> Result<bool> {
        let by = self.by(Who::Program);
        let up_to = "SELECT up_to FROM twins_unsought";
        if !can_be(&self.db)? || self.db.query_row(up_to, [], |row| row.get::<_, i64>(0)).done("read")? == 0 {
            return Ok(false);
        }
        self.write("written", |db| {
            let up_to: i64 = db.query_row(up_to, [], |row| row.get(0)).done("read")?;
            let sql = "SELECT id FROM orders WHERE id <= ? ORDER BY id DESC LIMIT ?";
            let ids = acts::column::<i64>(db, sql, params![up_to, AT_ONCE])?;
            for id in &ids {
                seek(db, *id, &sale(db, *id)?, by)?;
            }
            let rest = ids.last().map_or(0, |last| last - 1);
            db.execute("UPDATE twins_unsought SET up_to = ?", [rest]).done("written")?;
            Ok(rest > 0)
        })
    }

    /// The twins of an order.
    pub(super) fn twins(&self, order: i64) -> Result<Vec<Twin>> {
        of(&self.db, order)
    }

    /// Settles whether two orders are one sale; without a second one, whether the order and its one
    /// twin are. Gives the first order's twin, and its own number.
    ///
    /// # Errors
    /// `NotFound` where no second order is named and there is no twin, `Usage` where there are
    /// several, or both are of one store.
    pub(crate) fn settle_twins(&mut self, one: i64, other: Option<i64>, verdict: Verdict) -> Result<i64> {
        let by = self.by(Who::Merchant);
        self.write("written", |db| {
            let other = other.map_or_else(|| only_twin(db, one), Ok)?;
            let known: Option<String> = state(db, one, other)?;
            if known.as_deref() == Some(verdict.word()) {
                return Ok(other);
            }
            if known.is_none() {
                tie_by_hand(db, one, other, by)?;
            }
            let sql = "UPDATE twins SET state = ?3 WHERE (order_id = ?1 AND twin_id = ?2) OR (order_id = ?2 AND twin_id = ?1)";
            db.execute(sql, params![one, other, verdict.word()]).done("written")?;
            let what = if verdict == Verdict::Confirmed { "is a twin" } else { "is no twin" };
            for (order, twin) in [(one, other), (other, one)] {
                trail::note(db, order, by, what, &name(db, twin)?)?;
                resolve_subject(db, store_of(db, order)?, &subject(one, other), by.at)?;
            }
            Ok(other)
        })
    }
}

/// Notes at the twins of an order that it was dispatched: what was decided about them before that
/// is void.
pub(super) fn tell_of_dispatch(db: &Connection, order: i64, by: By) -> Result<()> {
    for twin in of(db, order)? {
        trail::note(db, twin.id, by, "its twin was dispatched", &name(db, order)?)?;
    }
    Ok(())
}

/// Whether the book has a second store.
pub(super) fn can_be(db: &Connection) -> Result<bool> {
    let sql = "SELECT count(*) > 1 FROM stores";
    db.prepare_cached(sql).done("read")?.query_row([], |row| row.get(0)).done("read")
}

/// In a book of one store nothing is looked for: all its orders are looked at once a second store
/// comes.
pub(super) fn leave_unsought(db: &Connection) -> Result<()> {
    db.prepare_cached("UPDATE twins_unsought SET up_to = (SELECT coalesce(max(id), 0) FROM orders)")
        .done("written")?
        .execute([])
        .done("written")?;
    Ok(())
}

/// Looks for orders of other stores that are the same sale.
pub(super) fn seek(db: &Connection, order: i64, sale: &Sale, by: By) -> Result<()> {
    if sale.test {
        return Ok(());
    }
    let marks = Marks::of(sale);
    marks.put(db, order)?;
    let mut matches = Vec::new();
    for candidate in marks.candidates(db, order, sale)? {
        let other = self::sale(db, candidate)?;
        matches.extend(twin::twins(sale, &other).map(|(how, is_copy)| (candidate, other.store, how, is_copy)));
    }
    let numbered: Vec<_> = matches.iter().filter(|(_, _, how, _)| *how == How::Number).cloned().collect();
    // By what several sales have in common nothing is told.
    let chosen = match (numbered.is_empty(), matches.as_slice()) {
        (false, _) => numbered,
        (true, [(other, store, ..)]) if !has_twin_in(db, order, *store)? && !has_twin_in(db, *other, sale.store)? => {
            matches
        }
        (true, _) => return Ok(()),
    };
    for (other, _, how, other_is_copy) in chosen {
        if state(db, order, other)?.is_none() {
            let (original, made) = if other_is_copy { (order, other) } else { (other, order) };
            tie(db, original, made, word(how), by.who(Who::Program))?;
            tell(db, original, made, word(how), by)?;
        }
    }
    Ok(())
}

/// Looks again for an order that has other fields now. What it was looked for by before may stay:
/// who is found by that is held against the rule.
pub(super) fn seek_anew(db: &Connection, order: i64, by: By) -> Result<()> {
    if can_be(db)? { seek(db, order, &sale(db, order)?, by) } else { Ok(()) }
}

/// By what the twins of a sale are looked for.
struct Marks<'s> {
    /// Its own place in time, and those beside it: two sales that are not further apart have
    /// neighbouring ones.
    sale: Option<[i64; 3]>,
    /// Its own long numbers.
    own: Vec<i64>,
    /// Those of its own that are written with hyphens, and may stand without them elsewhere.
    hyphened: Vec<i64>,
    /// Those that it carries.
    carried: Vec<&'s str>,
}

impl<'s> Marks<'s> {
    fn of(sale: &'s Sale) -> Self {
        let bought = sale.place().map(|place| {
            let text = format!("{place}\n{}\n{}", sale.currency, sale.total.normalize());
            let (time, rest) = (sale.placed_at.timestamp_millis().div_euclid(AFTER_MS), hash(&text) & 0xffff_ffff);
            // The time in front keeps the marks of one day beside each other in the file.
            [time, time - 1, time + 1].map(|time| (time << 32 | rest) & i64::MAX)
        });
        let own: Vec<i64> = sale.own_numbers().iter().map(|number| number_mark(number)).collect();
        let hyphened = if sale.names.iter().any(|name| name.contains('-')) { own.clone() } else { Vec::new() };
        Self { sale: bought, own, hyphened, carried: sale.carried() }
    }

    fn put(&self, db: &Connection, order: i64) -> Result<()> {
        let carried = self.carried.iter().map(|number| number_mark(&digits(number)));
        let numbers = self.hyphened.iter().copied().chain(carried);
        for mark in self.sale.iter().map(|marks| marks[0]).chain(numbers) {
            db.prepare_cached("INSERT OR IGNORE INTO twin_marks VALUES (?, ?)")
                .done("written")?
                .execute([mark, order])
                .done("written")?;
        }
        Ok(())
    }

    /// Orders that may be twins of this one.
    fn candidates(&self, db: &Connection, order: i64, sale: &Sale) -> Result<BTreeSet<i64>> {
        // Always as many, so that it is one statement: where there are fewer, some stand twice.
        let mut marks: Vec<i64> = self.sale.iter().flatten().chain(&self.own).copied().collect();
        let mut found = BTreeSet::new();
        if let Some(first) = marks.first().copied() {
            marks.resize(5, first);
            let sql = format!(
                "SELECT m.order_id FROM twin_marks m WHERE m.mark IN (?, ?, ?, ?, ?) AND m.order_id <> ? LIMIT {MOST}"
            );
            found.extend(acts::column::<i64>(db, &sql, params_from_iter(marks.into_iter().chain([order])))?);
        }
        for number in &self.carried {
            let sql = "SELECT id FROM orders WHERE number IN (?1, ?2) AND store_id <> ?3 UNION
                SELECT o.id FROM stores s CROSS JOIN orders o ON o.store_id = s.id AND o.remote_id IN (?1, ?2) WHERE s.id <> ?3 UNION
                SELECT order_id FROM twin_marks WHERE mark = ?4 AND order_id <> ?5 LIMIT 50";
            let digits = digits(number);
            let values = params![number, digits, sale.store, number_mark(&digits), order];
            found.extend(acts::column::<i64>(db, sql, values)?);
        }
        Ok(found)
    }
}

/// The mark of a number that an order carries: less than zero.
fn number_mark(digits: &str) -> i64 {
    !(hash(digits) & i64::MAX)
}

/// Must be the same in every version and on every machine.
fn hash(text: &str) -> i64 {
    let mut short = [0u8; 8];
    short.copy_from_slice(&Sha256::digest(text)[..8]);
    i64::from_le_bytes(short)
}

/// What of an order in the book tells its twin.
fn sale(db: &Connection, order: i64) -> Result<Sale> {
    let sql = "SELECT o.store_id, s.channel, o.source, o.test, o.remote_id, o.number, o.placed_at, o.currency, o.total, o.buyer_note, o.attributes
               FROM orders o JOIN stores s ON s.id = o.store_id WHERE o.id = ?";
    let (channel, total, attributes, mut sale): (String, String, String, Sale) = db
        .prepare_cached(sql)
        .done("read")?
        .query_row([order], |row| {
            let source: String = row.get(2)?;
            let sale = Sale {
                store: row.get(0)?,
                sold_here: false,
                test: row.get(3)?,
                names: [row.get(4)?, row.get(5)?],
                placed_at: from_millis(row.get(6)?),
                currency: row.get(7)?,
                total: Default::default(),
                to: Default::default(),
                pieces: Vec::new(),
                texts: vec![source, row.get(9)?],
            };
            Ok((row.get(1)?, row.get(8)?, row.get(10)?, sale))
        })
        .done("read")?;
    let kind = ChannelKind::from_word(&channel).ok_or_else(|| odd("channel", &channel))?;
    sale.sold_here = (kind.adapter().sold_here)(&sale.texts[0]);
    sale.total = stored_decimal(&total).map_err(|_| odd("amount", &total))?;
    let attributes: Vec<(String, String)> = serde_json::from_str(&attributes).unwrap_or_default();
    sale.texts.extend(attributes.into_iter().map(|(_, text)| text));
    // What the merchant has edited makes it no other sale.
    let people = copy::people(db, order)?;
    sale.texts[1] = people.buyer_note;
    if let [to] = people.ship_to.as_slice() {
        sale.to = [&to.name, &to.postcode, &to.country].map(String::clone);
    }
    let mut lines = db
        .prepare_cached("SELECT sku, name, quantity FROM lines WHERE order_id = ? AND ships ORDER BY position")
        .done("read")?;
    let rows = lines.query_map([order], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))).done("read")?;
    for row in rows {
        let (sku, name, quantity) = row.done("read")?;
        let quantity = stored_decimal(&quantity).map_err(|_| odd("quantity", &quantity))?;
        sale.pieces.push((sku, name, quantity));
    }
    Ok(sale)
}

fn tie(db: &Connection, original: i64, made: i64, how: &str, by: By) -> Result<()> {
    for (order, twin, is_copy) in [(original, made, false), (made, original, true)] {
        db.prepare_cached("INSERT INTO twins VALUES (?, ?, ?, 'found', ?, ?)")
            .done("written")?
            .execute(params![order, twin, is_copy, how, by.at.timestamp_millis()])
            .done("written")?;
        trail::note(db, order, by, "looks like a twin", &format!("{}: {}", name(db, twin)?, known_by(how)))?;
    }
    Ok(())
}

/// A pair that only the merchant sees.
fn tie_by_hand(db: &Connection, one: i64, other: i64, by: By) -> Result<()> {
    let (a, b) = (sale(db, one)?, sale(db, other)?);
    if a.store == b.store {
        let text = format!("orders {one} and {other} are of one store, and twins are of two; nothing was changed");
        return Err(Error::new(ErrorKind::Usage, text).hint("name orders of two stores, as STORE:NUMBER"));
    }
    let other_is_copy = match twin::twins(&a, &b) {
        Some((_, other_is_copy)) => other_is_copy,
        None if a.sold_here != b.sold_here => a.sold_here,
        None => a.placed_at <= b.placed_at,
    };
    let (original, made) = if other_is_copy { (one, other) } else { (other, one) };
    tie(db, original, made, "merchant", by)
}

/// Tells the merchant of a pair of which something is still to be sent. Of what is over nothing is
/// to be decided.
fn tell(db: &Connection, original: i64, made: i64, how: &str, by: By) -> Result<()> {
    let statuses = acts::column::<String>(db, "SELECT status FROM orders WHERE id IN (?, ?)", [original, made])?;
    let has = |words: &[Status]| statuses.iter().any(|word| words.iter().any(|status| status.word() == word));
    let over = [Status::Shipped, Status::Cancelled];
    if has(&[Status::Cancelled]) || statuses.iter().all(|word| over.iter().any(|status| status.word() == word)) {
        return Ok(());
    }
    let note = InboxNote {
        kind: InboxKind::Twin,
        text: format!(
            "order {made} ({}) looks like the same sale as order {original} ({}): {}; both stay as they are, and one of them counts as to be sent",
            name(db, made)?,
            name(db, original)?,
            known_by(how)
        ),
        hint: format!(
            "ordersync twin confirm book:{made} book:{original}, or, where they are two sales, ordersync twin deny book:{made} book:{original}"
        ),
    };
    put_note(db, Some(store_of(db, made)?), Some(made), &subject(original, made), &note, by.at)
}

fn subject(one: i64, other: i64) -> String {
    format!("twin {} {}", one.min(other), one.max(other))
}

fn name(db: &Connection, order: i64) -> Result<String> {
    let sql = "SELECT s.name || ':' || o.number FROM orders o JOIN stores s ON s.id = o.store_id WHERE o.id = ?";
    db.prepare_cached(sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
}

pub(super) fn store_of(db: &Connection, order: i64) -> Result<i64> {
    let sql = "SELECT store_id FROM orders WHERE id = ?";
    db.prepare_cached(sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
}

fn state(db: &Connection, one: i64, other: i64) -> Result<Option<String>> {
    let sql = "SELECT state FROM twins WHERE order_id = ? AND twin_id = ?";
    db.prepare_cached(sql).done("read")?.query_row([one, other], |row| row.get(0)).optional().done("read")
}

fn has_twin_in(db: &Connection, order: i64, store: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM twins t JOIN orders w ON w.id = t.twin_id
               WHERE t.order_id = ? AND t.state <> 'denied' AND w.store_id = ?)";
    db.prepare_cached(sql).done("read")?.query_row([order, store], |row| row.get(0)).done("read")
}

pub(super) fn of(db: &Connection, order: i64) -> Result<Vec<Twin>> {
    let sql = "SELECT t.twin_id, s.name || ':' || w.number, coalesce(w.bare_status, w.status), t.copy, t.state, t.how,
          w.status = 'on-hold' AND EXISTS (SELECT 1 FROM holds h WHERE h.order_id = w.id), w.given_back,
          EXISTS (SELECT 1 FROM changes c WHERE c.order_id = w.id AND c.field = 'cancelled' AND c.fate IN ('review', 'drift'))
        FROM twins t JOIN orders w ON w.id = t.twin_id JOIN stores s ON s.id = w.store_id
        WHERE t.order_id = ? AND t.state <> 'denied' ORDER BY t.twin_id";
    let mut statement = db.prepare_cached(sql).done("read")?;
    let rows = statement.query_map([order], |row| {
        let (id, name, word, is_original) = (row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?);
        let (state, how): (String, String) = (row.get(4)?, row.get(5)?);
        let (confirmed, held) = (state == Verdict::Confirmed.word(), row.get(6)?);
        let (given_back, cancelled_there) = (row.get(7)?, row.get(8)?);
        let twin = |status| Twin { id, name, status, held, given_back, cancelled_there, is_original, confirmed, how };
        Ok(word.parse().map(twin).map_err(|_| odd("status", &word)))
    });
    rows.done("read")?.map(|row| row.done("read")?).collect()
}

/// The one twin that a verdict about an order can be meant of: one that is not settled, else the
/// only one.
fn only_twin(db: &Connection, order: i64) -> Result<i64> {
    let all = of(db, order)?;
    let open: Vec<&Twin> = all.iter().filter(|twin| !twin.confirmed).collect();
    match (open.as_slice(), all.as_slice()) {
        ([one], _) => Ok(one.id),
        ([], [one]) => Ok(one.id),
        (_, []) => {
            let text = format!("order {order} has no twin in another store; nothing was changed");
            Err(Error::new(ErrorKind::NotFound, text).hint("two orders that are one sale are named both"))
        }
        (_, several) => {
            let names: Vec<String> = several.iter().map(|twin| format!("book:{} ({})", twin.id, twin.name)).collect();
            let text = format!("order {order} has several twins: {}; nothing was changed", names.join(", "));
            Err(Error::new(ErrorKind::Usage, text).hint("name the other one, too"))
        }
    }
}

#[cfg(test)]
mod tests;
