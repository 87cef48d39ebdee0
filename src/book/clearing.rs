//! Taking the personal data of closed orders out of the book: of old ones, and of people who
//! are to be forgotten.
//!
//! What is asked for is noted first, then done in steps that hold the write lock for a moment each,
//! each whole by itself: the orders, then the index of words (in between as well, where many orders
//! go), then the file ([`super::wiping`]). A process that is killed leaves the rest to the next sync,
//! and to the acts of the merchant until then, which take a small step each. Reading commands do
//! nothing of it.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use super::acts::column;
use super::error::Done;
use super::outbox::OPEN;
use super::trail::{self, By, Who};
use super::wiping::{self, Wiped};
use super::{BUSY, Book, personal, search};
use crate::clock::{Clock, Timestamp, from_millis, rfc3339};
use crate::error::{Error, ErrorKind, Result};

/// How much is done at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How long a step holds the write lock, but for one order.
    pub(super) moment: Duration,
    /// As many orders are looked through at once for old ones.
    pub(super) window: i64,
}

/// Of whoever has come for nothing else.
const STEADY: Pace = Pace { moment: Duration::from_millis(20), window: 5000 };

/// Of a command that does something else.
const IN_PASSING: Pace = Pace { moment: Duration::from_millis(3), window: 100 };

/// How long others have the lock to themselves between two steps.
const BETWEEN: Duration = Duration::from_millis(10);

/// How often it is tried again to wipe a file that somebody holds.
const TRIES: u32 = 40;

/// As many pages of the index of words are merged at once.
const MERGED: i64 = -16;

/// The words of as many cleared orders are merged out of the index within a moment, however few of
/// others are between them.
const SWIFT: i64 = 3000;

/// Whether the index merges its pieces by itself where documents of them go: for as long as a clearing
/// lasts only in the clearing's own steps, which are short.
const MERGES_ITSELF: &str = "INSERT INTO search (search, rank) VALUES ('deletemerge', ?)";

/// The share of a piece, in per cent, of which it does otherwise (SQLite's own default).
const DEAD_SHARE: i64 = 10;

/// Whether the order `o` has come to its end and nothing about it waits for anybody.
pub(super) fn closed() -> String {
    format!(
        "(o.status IN ('shipped', 'cancelled')
          AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.order_id = o.id AND x.state IN {OPEN})
          AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.order_id = o.id AND i.resolved_at IS NULL)
          AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.store_id = o.store_id AND i.kind = 'unreadable' AND i.subject = o.remote_id
            AND i.resolved_at IS NULL)
          AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.order_id = o.id AND c.fate = 'review'))"
    )
}

/// When the last thing happened to the order `o`, at its channel or by the merchant. That it was
/// imported, or read again, is none. A time that has not come (`now`) tells nothing: a wrong one of
/// the channel would keep the order for good. It is as old as its import then.
fn last(now: &str) -> String {
    format!(
        "max(iif(o.placed_at <= {now}, o.placed_at, o.imported_at), iif(o.updated_at <= {now}, o.updated_at, o.imported_at),
    coalesce((SELECT max(v.updated_at) FROM versions v WHERE v.order_id = o.id AND v.updated_at <= {now}), 0),
    coalesce((SELECT max(s.shipped_at) FROM shipments s WHERE s.order_id = o.id AND s.shipped_at <= {now}), 0),
    coalesce((SELECT max(r.refunded_at) FROM refunds r WHERE r.order_id = o.id AND r.refunded_at <= {now}), 0),
    coalesce((SELECT max(w.refunded_at) FROM own_refunds w WHERE w.order_id = o.id AND w.refunded_at <= {now}), 0),
    coalesce((SELECT max(h.at) FROM history h WHERE h.order_id = o.id AND h.at <= {now}
      AND (h.who = 'merchant' OR h.what IN ('dispatched', 'cancelled', 'cancelled here only'))), 0))"
    )
}

/// Whether nothing has happened to the order `o` since `before`, and it is not cleared.
fn is_old(before: &str, now: &str) -> String {
    format!(
        "((o.placed_at < {before} OR o.placed_at > {now}) AND NOT EXISTS (SELECT 1 FROM cleared z WHERE z.order_id = o.id)
          AND {} < {before})",
        last(now)
    )
}

/// Why an order is cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It was old, and the merchant has asked for it.
    Purge,
    /// It was older than its store keeps them.
    Retention,
    /// A person is to be forgotten.
    Forget,
}

impl How {
    /// The word in JSON and in the book.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Purge => "purge",
            Self::Retention => "retention",
            Self::Forget => "forget",
        }
    }

    fn from_word(word: &str) -> Self {
        match word {
            "purge" => Self::Purge,
            "retention" => Self::Retention,
            _ => Self::Forget,
        }
    }
}

/// That an order was cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cleared {
    /// When.
    pub(crate) at: Timestamp,
    /// Why.
    pub(crate) how: How,
}

/// A clearing of a store's old orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Purge {
    /// Why.
    pub(crate) how: How,
    /// Those to which nothing has happened since.
    pub(crate) before: Timestamp,
    /// When it began.
    pub(crate) begun_at: Timestamp,
    /// How many were cleared so far.
    pub(crate) orders: u64,
    /// How many are as old, and not closed.
    pub(crate) left_out: u64,
    /// When it ended, if it has.
    pub(crate) finished_at: Option<Timestamp>,
}

impl Purge {
    /// Whether it is the one that the merchant has asked for with this time.
    pub(crate) fn is_of(&self, before: Timestamp) -> bool {
        self.how == How::Purge && self.before.timestamp_millis() == before.timestamp_millis()
    }
}

/// What is left to be done of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing.
    Nothing,
    /// Orders are to be cleared.
    Orders,
    /// The orders are cleared; their words are still in the index.
    Words,
    /// The rest of them is to be wiped off the file.
    File,
}

impl Left {
    /// The word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Orders => "orders",
            Self::Words => "words",
            Self::File => "file",
        }
    }
}

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Done,
    /// Nothing could be done now: somebody reads the book.
    Held,
}

impl Book {
    /// How many orders of a store would be cleared, and how many are as old and not closed.
    pub(crate) fn old_orders(&self, store: i64, before: Timestamp) -> Result<(u64, u64)> {
        let sql = format!(
            "SELECT count(*) FILTER (WHERE {0}), count(*) FILTER (WHERE NOT {0}) FROM orders o
             WHERE +o.store_id = ?1 AND {1}",
            closed(),
            is_old("?2", "?3")
        );
        let about = params![store, before.timestamp_millis(), self.now_ms()];
        self.db.query_row(&sql, about, |row| Ok((row.get(0)?, row.get(1)?))).done("read")
    }

    /// Notes that the old orders of a store are to be cleared. What the merchant asks for takes the
    /// place of a clearing that is under way; what a store keeps no longer waits behind it.
    pub(crate) fn begin_purge(&mut self, store: i64, before: Timestamp, how: How) -> Result<()> {
        let (now, before) = (self.now_ms(), before.timestamp_millis());
        self.write_durably("written", |db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM purges WHERE store_id = ? AND finished_at IS NULL)";
            if how == How::Retention && db.query_row(sql, [store], |row| row.get(0)).done("read")? {
                return Ok(());
            }
            db.execute(
                "INSERT OR REPLACE INTO purges VALUES (?, ?, ?, ?, 0, 0, 0, NULL)",
                params![store, how.word(), before, now],
            )
            .done("written")?;
            Ok(())
        })
    }

    /// Calls off what the merchant has begun, where it has not come to its end; what is cleared stays
    /// so. Another one that has taken its place goes on.
    pub(crate) fn call_off_purge(&mut self, store: i64, before: Timestamp) -> Result<()> {
        self.write_durably("written", |db| {
            let sql = "DELETE FROM purges WHERE store_id = ? AND before = ? AND how = 'purge' AND finished_at IS NULL";
            db.execute(sql, [store, before.timestamp_millis()]).done("written")?;
            Ok(())
        })
    }

    /// The last clearing of a store's old orders, or the one that is under way.
    pub(crate) fn purge(&self, store: i64) -> Result<Option<Purge>> {
        let sql = "SELECT how, before, begun_at, orders, left_out, finished_at FROM purges WHERE store_id = ?";
        self.db
            .prepare_cached(sql)
            .done("read")?
            .query_row([store], |row| {
                Ok(Purge {
                    how: How::from_word(&row.get::<_, String>(0)?),
                    before: from_millis(row.get(1)?),
                    begun_at: from_millis(row.get(2)?),
                    orders: row.get(3)?,
                    left_out: row.get(4)?,
                    finished_at: row.get::<_, Option<i64>>(5)?.map(from_millis),
                })
            })
            .optional()
            .done("read")
    }

    /// What is left to be done.
    pub(crate) fn left_to_clear(&self) -> Result<Left> {
        let sql = "SELECT EXISTS (SELECT 1 FROM forgetting) OR EXISTS (SELECT 1 FROM purges WHERE finished_at IS NULL),
            words, page IS NOT NULL FROM wiping";
        let found = self.db.prepare_cached(sql).done("read")?.query_row([], |row| {
            Ok(match (row.get(0)?, row.get(1)?, row.get(2)?) {
                (true, ..) => Left::Orders,
                (_, true, _) => Left::Words,
                (_, _, true) => Left::File,
                _ => Left::Nothing,
            })
        });
        found.done("read")
    }

    /// Why the last sync did not clear what it should have, and when that began, if it did not.
    pub(crate) fn clearing_failure(&self) -> Result<Option<(String, Timestamp)>> {
        let sql = "SELECT failure, failed_at FROM wiping WHERE failure IS NOT NULL AND failed_at IS NOT NULL";
        let mut found = self.db.prepare_cached(sql).done("read")?;
        found.query_row([], |row| Ok((row.get(0)?, from_millis(row.get(1)?)))).optional().done("read")
    }

    /// Remembers why it did not, or that it did.
    pub(crate) fn note_clearing(&mut self, failure: Option<&str>) -> Result<()> {
        if self.clearing_failure()?.as_ref().map(|(known, _)| known.as_str()) == failure {
            return Ok(());
        }
        let failed_at = failure.map(|_| self.now_ms());
        self.write("written", |db| {
            db.execute("UPDATE wiping SET failure = ?, failed_at = ?", params![failure, failed_at]).done("written")?;
            Ok(())
        })
    }

    /// Does what is left, step by step, for as long as `most` lasts; gives what is left then.
    pub(crate) fn clear_for(&mut self, clock: &dyn Clock, most: Duration) -> Result<Left> {
        let (begun, mut tries, mut found) = (Instant::now(), 0, None);
        loop {
            let left = self.left_to_clear()?;
            if left == Left::Nothing || begun.elapsed() >= most {
                return Ok(left);
            }
            match self.clear_step(left, &mut found)? {
                Step::Done => tries = 0,
                Step::Held if tries >= TRIES => return Ok(left),
                Step::Held => tries += 1,
            }
            clock.check_interrupt()?;
            std::thread::sleep(BETWEEN);
        }
    }

    /// One small step of it, of a command that writes something else: a few orders, where nobody
    /// holds the lock. The index and the file are left to those who have time.
    pub(crate) fn clear_in_passing(&mut self) -> Result<()> {
        if self.left_to_clear()? != Left::Orders {
            return Ok(());
        }
        self.db.busy_timeout(Duration::ZERO).done("opened")?;
        let stepped = self.clear_orders(&mut None, IN_PASSING);
        self.db.busy_timeout(BUSY).done("opened")?;
        stepped
    }

    fn clear_step(&mut self, left: Left, found: &mut Option<Old>) -> Result<Step> {
        crate::crash::point("clearing");
        match left {
            Left::Nothing => Ok(Step::Done),
            Left::Orders if !self.is_index_full()? => self.clear_orders(found, STEADY).map(|()| Step::Done),
            Left::Orders | Left::Words => self.merge_words().map(|()| Step::Done),
            Left::File => {
                let Some(path) = self.db.path().map(std::path::PathBuf::from) else { return Ok(Step::Held) };
                Ok(if wiping::stretch(&path)? == Wiped::Held { Step::Held } else { Step::Done })
            }
        }
    }

    /// Whether more orders are cleared in the index than are still to be looked at. A merge passes over
    /// all documents that are gone at once, however many follow each other: there are always some
    /// between them that stay.
    fn is_index_full(&self) -> Result<bool> {
        let sql = "SELECT words > max(?, coalesce((SELECT max(id) FROM orders), 0)
              - coalesce((SELECT max(up_to) FROM purges WHERE finished_at IS NULL), 0)) FROM wiping";
        self.db.prepare_cached(sql).done("read")?.query_row([SWIFT], |row| row.get(0)).done("read")
    }

    /// Clears the next orders: of people first, then the old ones that were found, or are found now.
    pub(super) fn clear_orders(&mut self, found: &mut Option<Old>, pace: Pace) -> Result<()> {
        if self.clear_forgotten(pace)? {
            return Ok(());
        }
        let old = match found.take() {
            Some(old) => Some(old),
            None => self.find_old(pace)?,
        };
        *found = old.map(|old| self.clear_old(old, pace)).transpose()?.flatten();
        Ok(())
    }

    /// The next old orders of the first store that has a clearing under way.
    pub(super) fn find_old(&self, pace: Pace) -> Result<Option<Old>> {
        let sql = "SELECT store_id, how, before, begun_at, up_to, coalesce((SELECT max(id) FROM orders), 0) FROM purges
            WHERE finished_at IS NULL ORDER BY store_id LIMIT 1";
        let found = self.db.prepare_cached(sql).done("read")?.query_row([], |row| {
            let how = How::from_word(&row.get::<_, String>(1)?);
            let (up_to, last): (i64, i64) = (row.get(4)?, row.get(5)?);
            let end = up_to.saturating_add(pace.window).min(last);
            let (store, before, begun_at) = (row.get(0)?, row.get(2)?, row.get(3)?);
            Ok(Old { store, how, before, begun_at, up_to, end, is_last: end >= last, orders: Vec::new() })
        });
        let Some(old) = found.optional().done("read")? else { return Ok(None) };
        let sql = format!(
            "SELECT o.id FROM orders o WHERE o.id > ?1 AND o.id <= ?2 AND +o.store_id = ?3 AND {} ORDER BY o.id",
            is_old("?4", "?5")
        );
        let about = params![old.up_to, old.end, old.store, old.before, self.now_ms()];
        let orders = column(&self.db, &sql, about)?;
        Ok(Some(Old { orders, ..old }))
    }

    /// Clears as many of these as a moment lasts for; gives the rest of them. It is nothing where
    /// another process has done some of them meanwhile, or another clearing has begun.
    pub(super) fn clear_old(&mut self, mut old: Old, pace: Pace) -> Result<Option<Old>> {
        let who = if old.how == How::Retention { Who::Policy } else { Who::Merchant };
        let by = self.by(who);
        let sql = format!("SELECT {} FROM orders o WHERE o.id = ?1 AND {}", closed(), is_old("?2", "?3"));
        let now = by.at.timestamp_millis();
        self.write("written", |db| {
            let begun = Instant::now();
            if !old.goes_on(db)? {
                return Ok(None);
            }
            let (mut done, mut cleared, mut left_out) = (0, 0, 0);
            for order in &old.orders {
                let about = params![order, old.before, now];
                // What was done to it since it was found counts.
                let is_closed: Option<bool> =
                    db.prepare_cached(&sql).done("read")?.query_row(about, |row| row.get(0)).optional().done("read")?;
                match is_closed {
                    Some(true) => {
                        clear(db, *order, old.how, by)?;
                        cleared += 1;
                    }
                    Some(false) => left_out += 1,
                    None => {}
                }
                old.up_to = *order;
                done += 1;
                if begun.elapsed() >= pace.moment {
                    break;
                }
            }
            old.orders.drain(..done);
            let is_all = old.orders.is_empty();
            if is_all {
                old.up_to = old.end;
            }
            if cleared > 0 {
                personal::clear_told(db, old.store)?;
            }
            let finished = (is_all && old.is_last).then_some(now);
            db.execute(
                "UPDATE purges SET up_to = ?, orders = orders + ?, left_out = left_out + ?, finished_at = ? WHERE store_id = ?",
                params![old.up_to, cleared, left_out, finished, old.store],
            )
            .done("written")?;
            Ok((!is_all).then_some(old))
        })
    }

    /// Clears orders of people who are to be forgotten; false where there is none. One that was
    /// opened again since is left as it is.
    fn clear_forgotten(&mut self, pace: Pace) -> Result<bool> {
        if !is_any_forgotten(&self.db)? {
            return Ok(false);
        }
        let by = self.by(Who::Merchant);
        let is_closed = format!("SELECT {} FROM orders o WHERE o.id = ?", closed());
        self.write("written", |db| {
            let begun = Instant::now();
            for order in column::<i64>(db, "SELECT order_id FROM forgetting ORDER BY order_id LIMIT 500", [])? {
                let is_closed = db.prepare_cached(&is_closed).done("read")?.query_row([order], |row| row.get(0));
                if !is_closed.done("read")? {
                    trail::note(db, order, by, "personal data kept", "opened again")?;
                } else if cleared(db, order)?.is_none() {
                    clear(db, order, How::Forget, by)?;
                    let store = "SELECT store_id FROM orders WHERE id = ?";
                    let store = db.prepare_cached(store).done("read")?.query_row([order], |row| row.get(0));
                    personal::clear_told(db, store.done("read")?)?;
                }
                db.execute("DELETE FROM forgetting WHERE order_id = ?", [order]).done("written")?;
                if begun.elapsed() >= pace.moment {
                    break;
                }
            }
            Ok(true)
        })
    }

    /// Has the words of cleared orders leave the index: all of it is merged into one piece, which
    /// they are left out of.
    fn merge_words(&mut self) -> Result<()> {
        self.write("written", |db| {
            let begun = Instant::now();
            while begun.elapsed() < STEADY.moment {
                let before = db.total_changes();
                db.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", [MERGED]).done("written")?;
                // The request itself counts as one.
                if db.total_changes().saturating_sub(before) < 2 {
                    let sql = format!("UPDATE wiping SET words = 0, {}", wiping::ONCE_ROUND);
                    db.execute(&sql, []).done("written")?;
                    db.execute(MERGES_ITSELF, [DEAD_SHARE]).done("written")?;
                    break;
                }
            }
            Ok(())
        })
    }

    /// That the order was cleared, if it was.
    pub(crate) fn cleared(&self, order: i64) -> Result<Option<Cleared>> {
        cleared(&self.db, order)
    }

    /// Of an order that was cleared nothing more is done here.
    ///
    /// # Errors
    /// `Refused` for such an order.
    pub(crate) fn refuse_cleared(&self, order: i64) -> Result<()> {
        refuse_cleared(&self.db, order)
    }
}

/// Old orders of a store that a clearing has come to.
pub(super) struct Old {
    store: i64,
    how: How,
    before: i64,
    begun_at: i64,
    /// Orders up to this number were looked at.
    up_to: i64,
    /// Up to which number they were looked for, and whether that is the last of the book.
    end: i64,
    is_last: bool,
    orders: Vec<i64>,
}

impl Old {
    /// Whether it is this clearing that is under way, and stands where it was left.
    fn goes_on(&self, db: &Connection) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM purges WHERE store_id = ? AND before = ? AND begun_at = ? AND up_to = ?
            AND how = ? AND finished_at IS NULL)";
        let about = params![self.store, self.before, self.begun_at, self.up_to, self.how.word()];
        db.prepare_cached(sql).done("read")?.query_row(about, |row| row.get(0)).done("read")
    }
}

/// Takes an order's personal data out of the tables, and says so in its trail.
fn clear(db: &Connection, order: i64, how: How, by: By) -> Result<()> {
    personal::clear(db, order)?;
    let was_found = search::forget(db, order)?;
    let sql = "INSERT INTO cleared VALUES (?, ?, ?)";
    let about = params![order, by.at.timestamp_millis(), how.word()];
    db.prepare_cached(sql).done("written")?.execute(about).done("written")?;
    let sql = format!("UPDATE wiping SET words = words + 1, {} RETURNING words", wiping::ONCE_ROUND);
    let words: i64 = db.prepare_cached(&sql).done("written")?.query_row([], |row| row.get(0)).done("written")?;
    if words == 1 {
        db.execute(MERGES_ITSELF, [0]).done("written")?;
    }
    trail::note(db, order, by, "personal data cleared", how.word())?;
    // What is left of it is found at once: a million of them would have the next search wait.
    if was_found { search::put_noted(db, order) } else { Ok(()) }
}

/// That an order was cleared, if it was.
pub(super) fn cleared(db: &Connection, order: i64) -> Result<Option<Cleared>> {
    let sql = "SELECT cleared_at, how FROM cleared WHERE order_id = ?";
    let found = db.prepare_cached(sql).done("read")?.query_row([order], |row| {
        Ok(Cleared { at: from_millis(row.get(0)?), how: How::from_word(&row.get::<_, String>(1)?) })
    });
    found.optional().done("read")
}

fn is_any_forgotten(db: &Connection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM forgetting)";
    db.prepare_cached(sql).done("read")?.query_row([], |row| row.get(0)).done("read")
}

/// Whether any order was, or is about to be.
pub(super) fn is_any_cleared(db: &Connection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM cleared) OR EXISTS (SELECT 1 FROM forgetting)";
    db.prepare_cached(sql).done("read")?.query_row([], |row| row.get(0)).done("read")
}

/// Of an order that was cleared, or is about to be, nothing more is done here.
pub(super) fn refuse_cleared(db: &Connection, order: i64) -> Result<()> {
    let when = match cleared(db, order)? {
        Some(Cleared { at, .. }) => format!("were cleared at {}", rfc3339(at)),
        None if is_to_be_forgotten(db, order)? => "are being cleared".to_owned(),
        None => return Ok(()),
    };
    let text = format!("the personal data of order {order} {when}; nothing was recorded or sent");
    Err(Error::new(ErrorKind::Refused, text).hint(
        "if something is to be sent or given back after all, do it in the channel's own pages, which may still have the address",
    ))
}

/// Whether the order's person is to be forgotten, and it is not cleared yet.
pub(super) fn is_to_be_forgotten(db: &Connection, order: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM forgetting WHERE order_id = ?)";
    db.prepare_cached(sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
}
