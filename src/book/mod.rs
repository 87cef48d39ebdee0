//! The order book: one SQLite file that the merchant owns. All SQL of the program lives in this
//! folder.
//!
//! `orders` and its children hold the merchant's working copy; `versions` holds what the channel
//! said, as its own compressed document. Methods are sentences, each one transaction. Views named
//! `v_...` are for the merchant's own tools.
//!
//! The journal is a write-ahead log: readers and one writer work side by side, and a killed process
//! leaves a book that opens as of its last transaction. Imports run with `synchronous=NORMAL`,
//! where a power cut may undo the last pages together with their positions, so they are read again;
//! everything about the outbox runs with `FULL`, because what was told to a channel must not be
//! forgotten.

mod accepted;
mod acts;
mod arrived;
mod audit;
mod changes;
mod clearing;
mod comparisons;
mod confirm;
mod copy;
mod cursors;
mod documents;
mod edits;
mod error;
mod export;
mod file;
mod find;
mod followed;
mod hooks;
mod import;
mod inbox;
mod lanes;
mod lists;
mod local;
mod maintenance;
mod notes;
mod outbox;
mod outward;
mod own_refunds;
mod person;
mod personal;
mod pieces;
mod present;
mod queries;
mod readings;
mod rereads;
mod runs;
mod search;
mod stores;
#[cfg(test)]
mod tests;
mod trail;
mod twins;
mod undecided;
mod undone;
mod waiting;
mod wiping;
mod words;
mod zones;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::clock::{Clock, Timestamp};
use crate::error::Result;
use crate::files::private_dir;

pub(crate) use accepted::{Basis, Known};
pub(crate) use acts::{NewDispatch, Recorded};
pub(crate) use arrived::{Arrived, Making};
pub(crate) use audit::Fault;
pub(crate) use changes::{Circumstances, Rejected};
pub(crate) use clearing::{Cleared, How, Left, Purge};
pub(crate) use comparisons::{Apart, Comparison, NewComparison};
pub(crate) use confirm::Beside;
pub(crate) use cursors::Walk;
pub(crate) use edits::{Edit, NewEdits, Place, Value};
pub(crate) use export::{Cell, ExportFilter, Piece, Sheet};
pub(crate) use file::exposed;
pub(crate) use find::{BOOK, Naming};
pub(crate) use hooks::{Hooked, Ring};
pub(crate) use import::{Acceptance, Accepted, Batch, CursorMove, Kept, Tally, Update};
pub(crate) use inbox::{InboxEntry, InboxKind, InboxNote};
pub use lists::{Filter, View};
pub(crate) use lists::{LeftOut, LeftOuts, OrderRow};
pub(crate) use local::{Dropship, Hold, HoldWish, Worked};
pub(crate) use notes::Note;
pub(crate) use outbox::{Guard, Leave, LeftToSend, OutboxRow, OutboxState, Sending};
pub(crate) use outward::{Standing, Way, over_there};
pub(crate) use own_refunds::{NewRefund, OwnRefund};
pub(crate) use person::{Doubt, Person};
pub(crate) use present::Present;
pub(crate) use queries::{BookLine, BookOrder};
pub(crate) use readings::{Reading, Untouched};
pub(crate) use rereads::Why;
pub use runs::RunKind;
pub(crate) use runs::{LastError, RunRow, StoreSummary};
pub(crate) use stores::{Counts, check_store_name};
pub use stores::{NewStore, Store};
pub(crate) use trail::Event;
pub(crate) use twins::{Twin, Verdict};
pub(crate) use undecided::Undecided;

use error::book_error;

/// The schema, step by step. A step is never edited once released, only added to. What of a book
/// may run is what stands here.
const SCHEMA: &[&str] = &[
    include_str!("schema/0001_book.sql"),
    include_str!("schema/0002_nothing_lost.sql"),
    include_str!("schema/0003_passes.sql"),
    include_str!("schema/0004_lanes.sql"),
    include_str!("schema/0005_twins.sql"),
    include_str!("schema/0006_changes.sql"),
    include_str!("schema/0007_trail.sql"),
    include_str!("schema/0008_local.sql"),
    include_str!("schema/0009_accepted.sql"),
    include_str!("schema/0010_comparisons.sql"),
    include_str!("schema/0011_edits.sql"),
    include_str!("schema/0012_lists.sql"),
    include_str!("schema/0013_again.sql"),
    include_str!("schema/0014_returns.sql"),
    include_str!("schema/0015_indexes.sql"),
    include_str!("schema/0016_followed.sql"),
    include_str!("schema/0017_undecided.sql"),
    include_str!("schema/0018_privacy.sql"),
    include_str!("schema/0019_clearing.sql"),
    include_str!("schema/0020_notes.sql"),
    include_str!("schema/0021_receipts.sql"),
    include_str!("schema/0022_hooks.sql"),
    include_str!("schema/0023_to_forget.sql"),
    include_str!("schema/0024_former_addresses.sql"),
];

/// Nothing is put off for longer, in milliseconds: what is due later than this was put off by a
/// clock that was ahead, and is due now.
const NO_PAUSE_IS_LONGER: i64 = 8 * 24 * 3600 * 1000;

/// How long a comparison that was interrupted can be taken up again, in milliseconds.
const INTERRUPTED_STAYS: i64 = 24 * 3600 * 1000;

/// How long a writer waits for another process's transaction. Transactions are a page long at
/// most, in a first sync a few pages.
const BUSY: Duration = Duration::from_secs(15);

/// An open order book.
pub struct Book {
    db: Connection,
    clock: Arc<dyn Clock>,
    documents: documents::Documents,
    /// The run that writes it, if one does.
    run: Option<i64>,
}

impl Book {
    /// Opens the book at `path`, creating it, for its owner only, where there is none.
    ///
    /// # Errors
    /// `Book` for a file that is damaged, no book, of a newer version, or cannot be written; each
    /// says which.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        if !file::recognise(path)? {
            path.parent().map_or(Ok(()), private_dir)?;
            file::create(path)?;
        }
        let db = file::open(path).map_err(|e| e.context(path.display()))?;
        let mut book = Self { db, clock, documents: documents::Documents::default(), run: None };
        // Of a book that cannot be written now the rest can be read all the same; what is to be
        // written says so by itself.
        let _ = book.release_due();
        Ok(book)
    }

    /// Opens the book at `path`, or gives `None` where there is none yet.
    pub(crate) fn open_existing(path: &Path, clock: Arc<dyn Clock>) -> Result<Option<Self>> {
        if file::recognise(path)? { Self::open(path, clock).map(Some) } else { Ok(None) }
    }

    /// Runs `work` in one transaction that takes the write lock before it reads.
    fn write<T>(&mut self, done: &str, work: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T>) -> Result<T> {
        let transaction =
            self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| book_error(done, e))?;
        let value = work(&transaction)?;
        transaction.commit().map_err(|e| book_error(done, e))?;
        Ok(value)
    }

    /// The same, on the disk before it returns: for what the outside world is about to be told, or
    /// was told.
    fn write_durably<T>(
        &mut self,
        done: &str,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.synchronous("FULL")?;
        let value = self.write(done, work);
        self.synchronous("NORMAL")?;
        value
    }

    /// A first sync is about to be written: what this connection writes stays in the log for longer
    /// (16 MB, where SQLite has 4) before it is folded into the file, so that a page of an index that
    /// is written again and again goes there once. A power cut may undo as much more; a kill nothing.
    pub(crate) fn expect_many(&self) -> Result<()> {
        self.db.query_row("PRAGMA wal_autocheckpoint = 4000", [], |_| Ok(())).map_err(|e| book_error("opened", e))
    }

    fn synchronous(&self, mode: &str) -> Result<()> {
        self.db.pragma_update(None, "synchronous", mode).map_err(|e| book_error("written", e))
    }

    /// What time it is at a channel whose answers have told it, and here.
    pub(crate) fn present(&self, theirs: Option<Timestamp>) -> Present {
        Present::new(theirs, self.clock.now())
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }
}
