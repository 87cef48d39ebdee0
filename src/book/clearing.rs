//! Taking the personal data of closed orders out of the book: of old ones, and of people who
//! are to be forgotten.
//!
//! What is asked for is noted first, then done in steps that hold the write lock for a moment each,
//! each whole by itself: the orders, then the index of words, then the file ([`super::wiping`]). A
//! process that is killed leaves the rest to the next one that opens the book.

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

/// How long a step holds the write lock, but for one order. That may take longer now and then: the
/// index of words merges its pieces when documents of it go.
const MOMENT: Duration = Duration::from_millis(20);

/// How long others have the lock to themselves between two steps.
const BETWEEN: Duration = Duration::from_millis(10);

/// How often it is tried again to wipe a file that somebody holds.
const TRIES: u32 = 40;

/// As many orders are looked through at once for old ones.
const WINDOW: i64 = 5000;

/// As many pages of the index of words are merged at once.
const MERGED: i64 = -32;

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
/// imported, or read again, is none.
const LAST: &str = "max(o.placed_at, o.updated_at,
    coalesce((SELECT max(v.updated_at) FROM versions v WHERE v.order_id = o.id), 0),
    coalesce((SELECT max(s.shipped_at) FROM shipments s WHERE s.order_id = o.id), 0),
    coalesce((SELECT max(r.refunded_at) FROM refunds r WHERE r.order_id = o.id), 0),
    coalesce((SELECT max(w.refunded_at) FROM own_refunds w WHERE w.order_id = o.id), 0),
    coalesce((SELECT max(h.at) FROM history h WHERE h.order_id = o.id
      AND (h.who = 'merchant' OR h.what IN ('dispatched', 'cancelled', 'cancelled here only'))), 0))";

const NOT_CLEARED: &str = "NOT EXISTS (SELECT 1 FROM cleared z WHERE z.order_id = o.id)";

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
             WHERE +o.store_id = ?1 AND o.placed_at < ?2 AND {NOT_CLEARED} AND {LAST} < ?2",
            closed()
        );
        let about = params![store, before.timestamp_millis()];
        self.db.query_row(&sql, about, |row| Ok((row.get(0)?, row.get(1)?))).done("read")
    }

    /// Notes that the old orders of a store are to be cleared. One that is under way goes on with
    /// the later of the two times.
    pub(crate) fn begin_purge(&mut self, store: i64, before: Timestamp, how: How) -> Result<()> {
        let (now, before) = (self.now_ms(), before.timestamp_millis());
        self.write_durably("written", |db| {
            let under_way = "SELECT before FROM purges WHERE store_id = ? AND finished_at IS NULL";
            let earlier: Option<i64> = db.query_row(under_way, [store], |row| row.get(0)).optional().done("read")?;
            db.execute(
                "INSERT OR REPLACE INTO purges VALUES (?, ?, ?, ?, 0, 0, 0, NULL)",
                params![store, how.word(), before.max(earlier.unwrap_or(before)), now],
            )
            .done("written")?;
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

    /// Does what is left, step by step, for as long as `most` lasts; gives what is left then.
    pub(crate) fn clear_for(&mut self, clock: &dyn Clock, most: Duration) -> Result<Left> {
        let (begun, mut tries) = (Instant::now(), 0);
        loop {
            let left = self.left_to_clear()?;
            if left == Left::Nothing || begun.elapsed() >= most {
                return Ok(left);
            }
            match self.clear_step(left)? {
                Step::Done => tries = 0,
                Step::Held if tries >= TRIES => return Ok(left),
                Step::Held => tries += 1,
            }
            clock.check_interrupt()?;
            std::thread::sleep(BETWEEN);
        }
    }

    /// One step of it in passing, when the book is opened: nothing is waited for.
    pub(super) fn clear_in_passing(&mut self) -> Result<()> {
        let left = self.left_to_clear()?;
        if left == Left::Nothing {
            return Ok(());
        }
        self.db.busy_timeout(Duration::ZERO).done("opened")?;
        let stepped = self.clear_step(left);
        self.db.busy_timeout(BUSY).done("opened")?;
        stepped.map(drop)
    }

    fn clear_step(&mut self, left: Left) -> Result<Step> {
        crate::crash::point("clearing");
        match left {
            Left::Nothing => Ok(Step::Done),
            Left::Orders => self.clear_orders().map(|()| Step::Done),
            Left::Words => self.merge_words().map(|()| Step::Done),
            Left::File => {
                let Some(path) = self.db.path().map(std::path::PathBuf::from) else { return Ok(Step::Held) };
                Ok(if wiping::stretch(&path)? == Wiped::Held { Step::Held } else { Step::Done })
            }
        }
    }

    /// Clears the next orders: of people first, then the old ones of the first store that has a
    /// clearing under way.
    fn clear_orders(&mut self) -> Result<()> {
        if self.clear_forgotten()? {
            return Ok(());
        }
        let sql = "SELECT store_id, how, before, up_to, coalesce((SELECT max(id) FROM orders), 0) FROM purges
            WHERE finished_at IS NULL ORDER BY store_id LIMIT 1";
        let found = self.db.query_row(sql, [], |row| {
            let how = How::from_word(&row.get::<_, String>(1)?);
            Ok(OldOf { store: row.get(0)?, how, before: row.get(2)?, up_to: row.get(3)?, last: row.get(4)? })
        });
        let Some(old) = found.optional().done("read")? else { return Ok(()) };
        let sql = format!(
            "SELECT o.id FROM orders o WHERE o.id > ?1 AND o.id <= ?2 AND +o.store_id = ?3 AND +o.placed_at < ?4
               AND {NOT_CLEARED} AND {LAST} < ?4 ORDER BY o.id"
        );
        let end = old.up_to.saturating_add(WINDOW).min(old.last);
        let orders: Vec<i64> = column(&self.db, &sql, params![old.up_to, end, old.store, old.before])?;
        let mut rest = orders.as_slice();
        loop {
            let done = self.clear_old(&old, rest, end)?;
            rest = rest.get(done..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            std::thread::sleep(BETWEEN);
        }
    }

    /// Clears as many of these as a moment lasts for; gives how many.
    fn clear_old(&mut self, old: &OldOf, orders: &[i64], end: i64) -> Result<usize> {
        let who = if old.how == How::Retention { Who::Policy } else { Who::Merchant };
        let by = self.by(who);
        let sql = format!("SELECT {} FROM orders o WHERE o.id = ?1 AND {NOT_CLEARED} AND {LAST} < ?2", closed());
        self.write("written", |db| {
            let begun = Instant::now();
            let (mut done, mut cleared, mut left_out) = (0, 0, 0);
            for order in orders {
                let about = params![order, old.before];
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
                done += 1;
                if begun.elapsed() >= MOMENT {
                    break;
                }
            }
            let is_all = done == orders.len();
            let up_to = if is_all { end } else { orders.get(done - 1).copied().unwrap_or(end) };
            let finished = (is_all && end >= old.last).then(|| by.at.timestamp_millis());
            db.execute(
                "UPDATE purges SET up_to = ?, orders = orders + ?, left_out = left_out + ?, finished_at = ? WHERE store_id = ?",
                params![up_to, cleared, left_out, finished, old.store],
            )
            .done("written")?;
            Ok(done)
        })
    }

    /// Clears orders of people who are to be forgotten; false where there is none.
    fn clear_forgotten(&mut self) -> Result<bool> {
        let is_any = "SELECT EXISTS (SELECT 1 FROM forgetting)";
        if !self.db.query_row(is_any, [], |row| row.get(0)).done("read")? {
            return Ok(false);
        }
        let by = self.by(Who::Merchant);
        self.write("written", |db| {
            let begun = Instant::now();
            for order in column::<i64>(db, "SELECT order_id FROM forgetting ORDER BY order_id LIMIT 500", [])? {
                if cleared(db, order)?.is_none() {
                    clear(db, order, How::Forget, by)?;
                }
                db.execute("DELETE FROM forgetting WHERE order_id = ?", [order]).done("written")?;
                if begun.elapsed() >= MOMENT {
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
            while begun.elapsed() < MOMENT {
                let before = db.total_changes();
                db.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", [MERGED]).done("written")?;
                // The request itself counts as one.
                if db.total_changes().saturating_sub(before) < 2 {
                    db.execute("UPDATE wiping SET words = 0, page = 0", []).done("written")?;
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

/// A clearing of old orders that is under way.
struct OldOf {
    store: i64,
    how: How,
    before: i64,
    up_to: i64,
    /// The last order of the book.
    last: i64,
}

/// Takes an order's personal data out of the tables, and says so in its trail.
fn clear(db: &Connection, order: i64, how: How, by: By) -> Result<()> {
    personal::clear(db, order)?;
    search::forget(db, order)?;
    let sql = "INSERT INTO cleared VALUES (?, ?, ?)";
    let about = params![order, by.at.timestamp_millis(), how.word()];
    db.prepare_cached(sql).done("written")?.execute(about).done("written")?;
    db.prepare_cached("UPDATE wiping SET words = 1, page = 0").done("written")?.execute([]).done("written")?;
    // The index of words follows the trail, and takes in what is left of the order.
    trail::note(db, order, by, "personal data cleared", how.word())
}

/// That an order was cleared, if it was.
pub(super) fn cleared(db: &Connection, order: i64) -> Result<Option<Cleared>> {
    let sql = "SELECT cleared_at, how FROM cleared WHERE order_id = ?";
    let found = db.prepare_cached(sql).done("read")?.query_row([order], |row| {
        Ok(Cleared { at: from_millis(row.get(0)?), how: How::from_word(&row.get::<_, String>(1)?) })
    });
    found.optional().done("read")
}

/// Whether any order was.
pub(super) fn is_any_cleared(db: &Connection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM cleared)";
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

fn is_to_be_forgotten(db: &Connection, order: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM forgetting WHERE order_id = ?)";
    db.prepare_cached(sql).done("read")?.query_row([order], |row| row.get(0)).done("read")
}
