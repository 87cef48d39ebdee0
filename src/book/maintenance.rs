//! Backup, checks and sizes.

use std::path::Path;

use super::Book;
use super::error::Done;
use crate::error::Result;

/// What SQLite's own checks found.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    /// Faults in the file; none is good.
    pub(crate) faults: Vec<String>,
}

/// How large the book is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Orders in it.
    pub(crate) orders: u64,
    /// Bytes of the file.
    pub(crate) bytes: u64,
}

impl Book {
    /// Writes a consistent copy to `to`, also while others write to the book.
    ///
    /// # Errors
    /// `Refused` where the file exists: a backup never overwrites another.
    pub(crate) fn backup(&self, to: &Path) -> Result<()> {
        super::file::copy(&self.db, to)
    }

    /// Checks the whole file: structure, and that every reference leads somewhere.
    pub(crate) fn check(&self) -> Result<Check> {
        let mut statement = self.db.prepare("PRAGMA integrity_check").done("checked")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).done("checked")?;
        let mut faults: Vec<String> = rows.collect::<rusqlite::Result<_>>().done("checked")?;
        faults.retain(|line| line != "ok");
        let mut statement = self.db.prepare("PRAGMA foreign_key_check").done("checked")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).done("checked")?;
        for table in rows {
            faults.push(format!("a row of {} refers to nothing", table.done("checked")?));
        }
        Ok(Check { faults })
    }

    /// How many orders, and how many bytes.
    pub(crate) fn size(&self) -> Result<Size> {
        let orders =
            self.db.query_row("SELECT coalesce(sum(orders), 0) FROM counts", [], |row| row.get(0)).done("read")?;
        let pages: u64 = self.db.query_row("PRAGMA page_count", [], |row| row.get(0)).done("read")?;
        let page: u64 = self.db.query_row("PRAGMA page_size", [], |row| row.get(0)).done("read")?;
        Ok(Size { orders, bytes: pages * page })
    }
}
