//! The audit trail: who did what to an order, when, and in which run.

use rusqlite::{Connection, params};

use super::Book;
use super::error::Done;
use crate::clock::{Timestamp, from_millis};
use crate::error::Result;

/// Who has done something to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// The channel tells it so.
    Channel,
    /// The merchant, by a command.
    Merchant,
    /// What the store is set to do with changes that come from its channel.
    Policy,
    /// This program, by a rule of its own.
    Program,
}

impl Who {
    /// The word in the book, in JSON and for people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Merchant => "merchant",
            Self::Policy => "policy",
            Self::Program => "program",
        }
    }
}

/// By whom and when something is done, and in which run.
#[derive(Debug, Clone, Copy)]
pub(super) struct By {
    who: Who,
    /// When.
    pub(super) at: Timestamp,
    run: Option<i64>,
}

impl By {
    /// The same by somebody else.
    pub(super) fn who(self, who: Who) -> Self {
        Self { who, ..self }
    }

    /// The same in this run.
    pub(super) fn in_run(self, run: i64) -> Self {
        Self { run: Some(run), ..self }
    }
}

/// A line of the audit trail.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// When.
    pub(crate) at: Timestamp,
    /// A word of [`Who`], or `unknown` where a book of before did not note it.
    pub(crate) who: String,
    /// In which run, where it was in one. The runs themselves are forgotten after some months.
    pub(crate) run: Option<i64>,
    /// What happened.
    pub(crate) what: String,
    /// In detail. Personal data: for the merchant's screen, never for a log.
    pub(crate) detail: String,
}

impl Book {
    /// This book is written by a run, one of several that have it open.
    pub(crate) fn in_run(self, run: i64) -> Self {
        Self { run: Some(run), ..self }
    }

    /// What is done now, in the run that this book is written by.
    pub(super) fn by(&self, who: Who) -> By {
        By { who, at: self.clock.now(), run: self.run }
    }

    /// The order's audit trail, the oldest first.
    pub(crate) fn history(&self, order: i64) -> Result<Vec<Event>> {
        let sql =
            "SELECT at, coalesce(who, 'unknown'), run, what, detail FROM history WHERE order_id = ? ORDER BY rowid";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement.query_map([order], |row| {
            Ok(Event {
                at: from_millis(row.get(0)?),
                who: row.get(1)?,
                run: row.get(2)?,
                what: row.get(3)?,
                detail: row.get(4)?,
            })
        });
        rows.done("read")?.collect::<rusqlite::Result<_>>().done("read")
    }
}

/// Adds a line to the order's audit trail.
pub(super) fn note(db: &Connection, order: i64, by: By, what: &str, detail: &str) -> Result<()> {
    db.prepare_cached("INSERT INTO history (order_id, at, what, detail, who, run) VALUES (?, ?, ?, ?, ?, ?)")
        .done("written")?
        .execute(params![order, by.at.timestamp_millis(), what, detail, by.who.word(), by.run])
        .done("written")?;
    Ok(())
}
