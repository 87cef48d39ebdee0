//! Wiping what was taken out of the book off its file: bytes that SQLite does not read any more.
//!
//! `secure_delete` overwrites rows that go and pages that become free. It does not reach the copies
//! that SQLite leaves in the gap of a page when it moves rows to another one, nor what became free
//! before it was on. Rewriting the file (`VACUUM`) would, and keep everybody out of a large book
//! for a minute. So the gaps, the free pages and the rests of overflow pages are overwritten in
//! place, a stretch of pages at a time: with the write lock, and while the log is empty, so that
//! what stands in the file is how things are. It goes round in a circle: what was cleared when it had
//! come to some page is wiped once it is there again, so that it comes to an end, and to every page,
//! also where something is cleared each day and once round takes longer. No byte is touched that SQLite reads, so a kill in
//! between harms nothing, and readers go on.
//!
//! The layout is that of <https://www.sqlite.org/fileformat2.html>.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::error::Done;
use super::file;
use crate::error::{Error, ErrorKind, Result};

/// How long the write lock is held at most, but for one page.
const STRETCH: Duration = Duration::from_millis(15);

/// How long to wait for the log to become empty.
const PATIENCE: Duration = Duration::from_millis(50);

/// The first page begins with the header of the file.
const FILE_HEADER: usize = 100;

/// In a larger file the first byte of an overflow page could be that of a page of rows.
const MOST_PAGES: u32 = 1 << 25;

/// What one stretch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wiped {
    /// There is more to do.
    Some,
    /// Nothing is left.
    All,
    /// Somebody reads or writes the book now, so that its log cannot be emptied.
    Held,
}

/// Wipes the next stretch of the file, from the page at which the book says that the last one
/// ended.
pub(super) fn stretch(path: &Path) -> Result<Wiped> {
    let mut db = file::connect(path)?;
    db.busy_timeout(PATIENCE).done("wiped")?;
    if !empty_log(&db)? {
        return Ok(Wiped::Held);
    }
    let transaction = match db.transaction_with_behavior(TransactionBehavior::Immediate) {
        Err(error) if is_busy(&error) => return Ok(Wiped::Held),
        other => other.done("wiped")?,
    };
    // Whoever wrote since the log was emptied has put something there.
    if std::fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0) {
        return Ok(Wiped::Held);
    }
    let Some(from) = Position::of(&transaction)? else { return Ok(Wiped::All) };
    let file = kept_open(path).map_err(unwiped)?;
    let pages = Pages::of(&file).map_err(unwiped)?;
    let end = from.end(pages.count);
    let reached = pages.wipe_from(from.page.saturating_add(1), end, pace()).map_err(unwiped)?;
    let written = Instant::now();
    file.sync_data().map_err(unwiped)?;
    keep_pace(written.elapsed());
    let left = if reached < end { Some(Position { page: reached, ..from }) } else { from.past_end() };
    // Whoever has the old bytes in memory reads the pages anew after this.
    let sql = "UPDATE wiping SET page = ?, until = ?, is_past_end = ?";
    let kept = left.as_ref().unwrap_or(&Position { page: 0, until: 0, is_past_end: false });
    let about = params![left.as_ref().map(|left| left.page), kept.until, kept.is_past_end];
    transaction.execute(sql, about).done("wiped")?;
    transaction.commit().done("wiped")?;
    if left.is_some() {
        return Ok(Wiped::Some);
    }
    empty_log(&db)?;
    Ok(Wiped::All)
}

/// Where the circle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    /// The file is wiped up to this page.
    page: u32,
    /// The page at which the last clearing fell: once round up to it is left to do.
    until: u32,
    /// Whether the end of the file was passed since.
    is_past_end: bool,
}

impl Position {
    fn of(db: &Connection) -> Result<Option<Self>> {
        let sql = "SELECT page, until, is_past_end FROM wiping WHERE page IS NOT NULL";
        let found =
            db.query_row(sql, [], |row| Ok(Self { page: row.get(0)?, until: row.get(1)?, is_past_end: row.get(2)? }));
        found.optional().done("read")
    }

    /// The last page of this part of the way.
    fn end(self, count: u32) -> u32 {
        if self.is_past_end { self.until.min(count) } else { count }
    }

    /// What is left to do at its end.
    fn past_end(self) -> Option<Self> {
        (!self.is_past_end && self.until > 0).then_some(Self { page: 0, is_past_end: true, ..self })
    }
}

/// Something was cleared: once round from here.
pub(super) const ONCE_ROUND: &str = "page = coalesce(page, 0), until = coalesce(page, 0), is_past_end = 0";

/// How long pages are wiped in a stretch, in microseconds: less where the disk takes long to keep
/// what was written.
static PACE: AtomicU64 = AtomicU64::new(STRETCH.as_micros() as u64);

fn pace() -> Duration {
    Duration::from_micros(PACE.load(Ordering::Relaxed))
}

/// What was written took so long to keep.
fn keep_pace(written: Duration) {
    let usual = STRETCH.as_micros() as u64;
    let now = PACE.load(Ordering::Relaxed);
    let next = if written > STRETCH { now / 2 } else { now.saturating_mul(2) };
    PACE.store(next.clamp(usual / 16, usual), Ordering::Relaxed);
}

/// Brings all of the log into the file and empties it; false where somebody holds it.
pub(super) fn empty_log(db: &Connection) -> Result<bool> {
    // Most of it without keeping anybody from writing, so that the rest is done in a moment.
    let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    match db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)) {
        Err(error) if is_busy(&error) => Ok(false),
        other => Ok(other.done("wiped")? == 0),
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

fn unwiped(e: std::io::Error) -> Error {
    let text =
        format!("the book's file could not be wiped: {e}; the orders are cleared, and bytes of them may be left");
    Error::new(ErrorKind::Book, text).hint("check the disk; the next ordersync sync goes on with it")
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// The file, which is never closed: closing one that SQLite has open as well would end its locks
/// (POSIX).
fn kept_open(path: &Path) -> std::io::Result<Arc<File>> {
    static OPEN: Mutex<Vec<Arc<File>>> = Mutex::new(Vec::new());
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let there = std::fs::metadata(path)?;
    for file in open.iter() {
        if is_same(&file.metadata()?, &there) {
            return Ok(file.clone());
        }
    }
    let file = Arc::new(File::options().read(true).write(true).open(path)?);
    open.push(file.clone());
    Ok(file)
}

#[cfg(unix)]
fn is_same(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(bytes)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], at: u64) -> std::io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let two: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(usize::from(u16::from_be_bytes(two)))
}

/// The pages of the file, as long as nobody else writes.
struct Pages<'f> {
    file: &'f File,
    /// Bytes of a page, and those of them that SQLite uses.
    size: usize,
    usable: usize,
    count: u32,
    free: Free,
}

/// The pages that are free, a bit each: they are found anew for each stretch.
struct Free(Vec<u64>);

impl Free {
    fn contains(&self, page: u32) -> bool {
        self.0.get(page as usize / 64).is_some_and(|bits| bits >> (page % 64) & 1 == 1)
    }

    fn insert(&mut self, page: u32) {
        if let Some(bits) = self.0.get_mut(page as usize / 64) {
            *bits |= 1 << (page % 64);
        }
    }
}

impl<'f> Pages<'f> {
    fn of(file: &'f File) -> std::io::Result<Self> {
        let damaged = || std::io::Error::other("its header cannot be understood");
        let mut header = [0; FILE_HEADER];
        read_at(file, &mut header, 0)?;
        let size = match short(&header, 16).ok_or_else(damaged)? {
            1 => 65_536,
            size => size,
        };
        let usable = size.checked_sub(header[20].into()).filter(|usable| *usable >= 480).ok_or_else(damaged)?;
        let count = number(&header, 28).ok_or_else(damaged)?;
        let first = number(&header, 32).ok_or_else(damaged)?;
        // Pointer maps, which this program never makes, are no pages of rows.
        let vacuums = number(&header, 52) != Some(0);
        if vacuums || count >= MOST_PAGES || file.metadata()?.len() < u64::from(count) * size as u64 {
            return Err(damaged());
        }
        let mut pages = Self { file, size, usable, count, free: Free(vec![0; count as usize / 64 + 1]) };
        pages.find_free(first)?;
        Ok(pages)
    }

    fn place(&self, page: u32) -> u64 {
        u64::from(page.saturating_sub(1)) * self.size as u64
    }

    fn read(&self, page: u32) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.size];
        read_at(self.file, &mut bytes, self.place(page))?;
        Ok(bytes)
    }

    /// Follows the list of free pages: leaves hold nothing, and trunks what names the leaves.
    fn find_free(&mut self, first: u32) -> std::io::Result<()> {
        let mut trunk = first;
        // Not longer than the file has pages: a list that is damaged may have no end.
        for _ in 0..self.count {
            if !(1..=self.count).contains(&trunk) || self.free.contains(trunk) {
                break;
            }
            let bytes = self.read(trunk)?;
            let leaves = number(&bytes, 4).unwrap_or(0) as usize;
            let named = (0..leaves.min(self.usable / 4)).filter_map(|nth| number(&bytes, 8 + 4 * nth));
            named.filter(|leaf| *leaf <= self.count).for_each(|leaf| self.free.insert(leaf));
            blank(self.file, self.place(trunk), &bytes, (8 + 4 * leaves).min(self.usable)..self.usable)?;
            trunk = number(&bytes, 0).unwrap_or(0);
        }
        Ok(())
    }

    /// Wipes the pages from the first one on, for so long at most; gives the last one.
    fn wipe_from(&self, first: u32, end: u32, most: Duration) -> std::io::Result<u32> {
        let begun = Instant::now();
        let mut last = first.saturating_sub(1);
        for page in first..=end {
            self.wipe(page)?;
            last = page;
            if begun.elapsed() >= most {
                break;
            }
        }
        Ok(last)
    }

    fn wipe(&self, page: u32) -> std::io::Result<()> {
        let bytes = self.read(page)?;
        if self.free.contains(page) {
            return blank(self.file, self.place(page), &bytes, 0..self.usable);
        }
        let at = if page == 1 { FILE_HEADER } else { 0 };
        let Some(rows) = Rows::of(&bytes, at, self.usable) else { return Ok(()) };
        rows.unused.into_iter().try_for_each(|range| blank(self.file, self.place(page), &bytes, range))?;
        rows.overflowing.iter().try_for_each(|(page, bytes)| self.wipe_rest(*page, *bytes))
    }

    /// Wipes what lies behind the end of a row in the last of its overflow pages.
    fn wipe_rest(&self, mut page: u32, mut left: usize) -> std::io::Result<()> {
        let holds = self.usable - 4;
        while left > holds {
            let mut next = [0; 4];
            if !(1..=self.count).contains(&page) {
                return Ok(());
            }
            read_at(self.file, &mut next, self.place(page))?;
            page = u32::from_be_bytes(next);
            left -= holds;
        }
        if !(1..=self.count).contains(&page) || self.free.contains(page) {
            return Ok(());
        }
        let bytes = self.read(page)?;
        // The last one of a chain names no other.
        if number(&bytes, 0) != Some(0) {
            return Ok(());
        }
        blank(self.file, self.place(page), &bytes, 4 + left..self.usable)
    }
}

/// Overwrites this range of a page, where it is not blank.
fn blank(file: &File, place: u64, bytes: &[u8], range: Range<usize>) -> std::io::Result<()> {
    let begin = range.start as u64;
    match bytes.get(range) {
        Some(there) if there.iter().any(|byte| *byte != 0) => {
            write_at(file, &vec![0; there.len()], place.saturating_add(begin))
        }
        _ => Ok(()),
    }
}

/// What a page of rows does not use, and the rows that go on in overflow pages.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rows {
    unused: Vec<Range<usize>>,
    /// The first overflow page of a row, and how many bytes are there.
    overflowing: Vec<(u32, usize)>,
}

const INDEX: [u8; 2] = [2, 10];
const TABLE_LEAF: u8 = 13;
const TABLE_INNER: u8 = 5;

impl Rows {
    /// Nothing where it is no page of rows, or is not understood to the last byte.
    fn of(page: &[u8], at: usize, usable: usize) -> Option<Self> {
        let kind = *page.get(at)?;
        let header = match kind {
            2 | TABLE_INNER => 12,
            10 | TABLE_LEAF => 8,
            _ => return None,
        };
        let cells = short(page, at + 3)?;
        let begin = match short(page, at + 5)? {
            0 => 65_536,
            begin => begin,
        };
        let pointers = at + header;
        let gap = pointers.checked_add(2 * cells)?..begin;
        if gap.start > gap.end || gap.end > usable {
            return None;
        }
        let mut found = Self { unused: vec![gap.clone()], overflowing: Vec::new() };
        let mut hole = short(page, at + 1)?;
        let mut after = gap.end;
        while hole != 0 {
            let (next, size) = (short(page, hole)?, short(page, hole + 2)?);
            if hole < after || size < 4 || hole + size > usable {
                return None;
            }
            found.unused.push(hole + 4..hole + size);
            after = hole + size;
            hole = next;
        }
        if kind == TABLE_INNER {
            return Some(found);
        }
        for nth in 0..cells {
            let cell = short(page, pointers + 2 * nth)?;
            if cell < gap.end || cell >= usable {
                return None;
            }
            found.overflowing.extend(overflow(page, kind, cell, usable)?);
        }
        Some(found)
    }
}

/// Where a row goes on, if it does.
fn overflow(page: &[u8], kind: u8, cell: usize, usable: usize) -> Option<Option<(u32, usize)>> {
    let at = if kind == 2 { cell + 4 } else { cell };
    let (payload, mut at) = varint(page, at)?;
    if kind == TABLE_LEAF {
        at = varint(page, at)?.1;
    }
    let payload = usize::try_from(payload).ok()?;
    let most = if INDEX.contains(&kind) { (usable - 12) * 64 / 255 - 23 } else { usable - 35 };
    if payload <= most {
        return Some(None);
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let fitting = least + (payload - least) % (usable - 4);
    let local = if fitting <= most { fitting } else { least };
    Some(Some((number(page, at.checked_add(local)?)?, payload - local)))
}

/// A number of one to nine bytes, and where it ends.
fn varint(page: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for nth in 0..9 {
        let byte = *page.get(at + nth)?;
        if nth == 8 {
            return Some((value << 8 | u64::from(byte), at + 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + nth + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn has(path: &Path, what: &str) -> bool {
        [path.to_owned(), log_of(path)]
            .iter()
            .filter_map(|path| std::fs::read(path).ok())
            .any(|bytes| bytes.windows(what.len()).any(|part| part == what.as_bytes()))
    }

    /// A file of all kinds of pages, its rows moved about and deleted without care: only what is
    /// still there can be found in it afterwards, and all of that.
    #[test]
    fn x3_nothing_that_was_deleted_is_in_the_file_once_it_is_wiped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.sqlite");
        file::create(&path).unwrap();
        let db = file::connect(&path).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA secure_delete=OFF; PRAGMA synchronous=OFF;
             CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT); CREATE INDEX a_by_t ON a (t);
             CREATE TABLE b (k TEXT PRIMARY KEY, t BLOB) WITHOUT ROWID;",
        )
        .unwrap();
        let long = |n: i64| (n * 7919) % 211 * if n % 9 == 0 { 97 } else { 1 };
        for n in 0..3000i64 {
            let text = format!("{}{n}-{}", if n % 3 == 0 { "stays" } else { "LEAVES" }, "x".repeat(long(n) as usize));
            db.execute("INSERT INTO a VALUES (?, ?)", rusqlite::params![(n * 7919) % 3001, text]).unwrap();
            db.execute("INSERT INTO b VALUES (?, ?)", rusqlite::params![format!("{n:x} {text}"), text]).unwrap();
        }
        db.execute_batch(
            "UPDATE a SET t = t || 'yyyyyyyyyyyyyyyy' WHERE id % 5 = 0; UPDATE b SET t = 'LEAVES' || t WHERE t LIKE 'LEAVES1%';
             DELETE FROM a WHERE t LIKE 'LEAVES%'; DELETE FROM b WHERE t LIKE 'LEAVES%'; UPDATE wiping SET page = 0;",
        )
        .unwrap();
        let content = |db: &Connection| -> Vec<(String, Vec<u8>)> {
            let sql = "SELECT id, CAST(t AS BLOB) FROM a UNION ALL SELECT k, CAST(t AS BLOB) FROM b ORDER BY 1, 2";
            let mut rows = db.prepare(sql).unwrap();
            let rows = rows.query_map([], |r| Ok((r.get::<_, rusqlite::types::Value>(0)?, r.get(1)?))).unwrap();
            rows.map(|row| row.map(|(key, text)| (format!("{key:?}"), text)).unwrap()).collect()
        };
        let before = content(&db);
        assert!(has(&path, "LEAVES"), "the file has to be cleaned of something");
        let reader = file::connect(&path).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM a;").unwrap();
        db.execute_batch("UPDATE a SET t = t WHERE id = 0").unwrap();
        assert_eq!(stretch(&path).unwrap(), Wiped::Held);
        reader.execute_batch("COMMIT").unwrap();
        let mut steps = 0;
        while stretch(&path).unwrap() != Wiped::All {
            steps += 1;
            assert!(steps < 10_000);
        }
        assert!(!has(&path, "LEAVES") && has(&path, "stays"));
        for db in [&db, &reader, &file::connect(&path).unwrap()] {
            assert_eq!(content(db), before);
            let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(sound, "ok");
        }
        // Who had pages in memory writes none of the old bytes back.
        reader.execute_batch("UPDATE a SET t = t || 'z'; UPDATE b SET t = t || 'z';").unwrap();
        db.execute_batch("UPDATE a SET t = t || 'z'; UPDATE b SET t = t || 'z';").unwrap();
        assert!(!has(&path, "LEAVES"));
    }

    /// Once round takes longer than it takes until more is cleared: every page is come to, and once
    /// nothing more is cleared there is an end.
    #[test]
    fn x3_wiping_goes_round_in_a_circle_from_where_the_last_clearing_fell() {
        let (count, clear) = (10, |at: Position| Position { page: at.page, until: at.page, is_past_end: false });
        let mut at = Position { page: 0, until: 0, is_past_end: false };
        let mut seen = [0; 11];
        let mut step = |at: Position| {
            let page = at.page + 1;
            if page <= at.end(count) {
                seen[page as usize] += 1;
                if page < at.end(count) {
                    return Some(Position { page, ..at });
                }
            }
            at.past_end()
        };
        for _ in 0..10 {
            for _ in 0..3 {
                at = step(at).unwrap();
            }
            at = clear(at);
        }
        let mut steps = 0;
        let mut next = Some(at);
        while let Some(here) = next {
            next = step(here);
            steps += 1;
        }
        assert!((10..=12).contains(&steps), "{steps}");
        assert!(seen[1..].iter().all(|times| *times >= 3), "{seen:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

        /// Whatever was written, moved about and deleted without care: the book is as it was, and
        /// nothing that it does not hold any more is in its file.
        #[test]
        fn x3_a_wiped_file_holds_what_the_book_holds_and_nothing_else(
            acts in prop::collection::vec((0u8..5, 0i64..60, 0usize..20_000), 1..160),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("orders.sqlite");
            file::create(&path).unwrap();
            let db = file::connect(&path).unwrap();
            db.execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA secure_delete=OFF; PRAGMA synchronous=OFF;
                 CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT); CREATE INDEX a_by_t ON a (t);
                 CREATE TABLE b (k TEXT PRIMARY KEY, t TEXT) WITHOUT ROWID; CREATE INDEX b_by_t ON b (t, k);",
            )
            .unwrap();
            // Each text has a mark of its own at its beginning, in its middle and at its end.
            let mark = |nth: usize| format!("<{nth:07}>");
            for (nth, (act, id, length)) in acts.iter().enumerate() {
                let length = if length % 3 == 0 { *length } else { length % 300 };
                let half = "x".repeat(length / 2);
                let text = format!("{0}{half}{0}{half}{0}", mark(nth));
                let about = rusqlite::params![id, text];
                match act {
                    0 | 1 => db.execute("INSERT OR REPLACE INTO a VALUES (?, ?)", about),
                    2 => db.execute("INSERT OR REPLACE INTO b VALUES ('key ' || ?, ?)", about),
                    3 => db.execute("UPDATE a SET t = ?2 WHERE id BETWEEN ?1 AND ?1 + 3", about),
                    _ => db
                        .execute("DELETE FROM a WHERE id BETWEEN ?1 AND ?1 + 9", [id])
                        .and_then(|_| db.execute("DELETE FROM b WHERE k = 'key ' || ?", [id])),
                }
                .unwrap();
            }
            db.execute_batch("UPDATE wiping SET page = 0").unwrap();
            let content = |db: &Connection| -> Vec<String> {
                let sql = "SELECT id || ' ' || t FROM a UNION ALL SELECT k || ' ' || t FROM b ORDER BY 1";
                db.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(std::result::Result::unwrap).collect()
            };
            let before = content(&db);
            while stretch(&path).unwrap() != Wiped::All {}
            let fresh = file::connect(&path).unwrap();
            prop_assert_eq!(content(&fresh), before.clone());
            let sound: String = fresh.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            prop_assert_eq!(sound, "ok");
            let bytes = std::fs::read(&path).unwrap();
            let there: std::collections::BTreeSet<&[u8]> =
                bytes.windows(9).filter(|part| part[0] == b'<' && part[8] == b'>').collect();
            for nth in 0..acts.len() {
                let mark = mark(nth);
                if there.contains(mark.as_bytes()) {
                    prop_assert!(before.iter().any(|row| row.contains(&mark)), "{} was deleted", mark);
                }
            }
        }
    }
}
