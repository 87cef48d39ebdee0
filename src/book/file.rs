//! The book as a file: what is known of it before a byte of it changes, and what of it may run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::{Done, book_error};
use super::{BUSY, SCHEMA, zones};
use crate::error::{Error, ErrorKind, Result};
use crate::files::NewFile;

/// What SQLite files of ours carry in their header since version 2: `ords`.
const OURS: u32 = 0x6f72_6473;

/// No version of the program will ever have made more steps than these.
const MOST_STEPS: i64 = 1000;

/// Bytes of the smallest page that SQLite makes.
const SMALLEST: u64 = 512;

/// What helps where a book should be and is none.
const RESTORE: &str = "restore the latest ordersync backup there, or name another directory with --home";

/// Tables that every version of the book has.
const SHAPE: [&str; 5] = ["stores", "cursors", "orders", "versions", "outbox"];

fn not_ours(path: &Path, why: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Book, format!("{} is not an order book: {why}; nothing was read or changed", path.display()))
        .hint(hint)
}

/// Whether there is a book at `path`.
///
/// # Errors
/// `Book` where that cannot be seen, or where what is there cannot be a book: not a file, empty, of
/// another program, of a newer version, damaged. Nothing of it is changed.
pub(super) fn recognise(path: &Path) -> Result<bool> {
    let data = match std::fs::metadata(path) {
        Ok(data) => data,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !path.is_symlink() => return Ok(false),
        Err(e) => {
            let text = format!("the book {} cannot be opened: {e}; nothing was read or changed", path.display());
            return Err(Error::new(ErrorKind::Book, text)
                .hint("check the owner and the permissions of the file, of its directory and of those above"));
        }
    };
    let elsewhere = "name another directory with --home, or restore a backup there";
    if !data.is_file() {
        return Err(not_ours(path, "it is not a file", elsewhere));
    }
    if data.len() == 0 {
        let hint = "restore the latest ordersync backup there; if there never was an order in it, delete it";
        return Err(not_ours(path, "it is empty, which a book never is", hint));
    }
    if data.len() < SMALLEST {
        return Err(not_ours(path, "it breaks off: it is damaged, or of another program", RESTORE));
    }
    look(path)?;
    Ok(true)
}

/// Asks SQLite, without the right to write, whose file this is. It must be SQLite that opens it: a
/// file of our own, closed again, would end the locks of every connection that this process has to
/// the book (POSIX).
fn look(path: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(|e| book_error("opened", e))?;
    db.busy_timeout(BUSY).done("opened")?;
    inspect(&db, path)
}

fn inspect(db: &Connection, path: &Path) -> Result<()> {
    let unread = |e: rusqlite::Error| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => {
            not_ours(path, "its first bytes are not SQLite's: it is damaged, or of another program", RESTORE)
        }
        _ => book_error("read", e),
    };
    let number = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(unread);
    let (mark, version) = (number("application_id")?, number("user_version")?);
    // To ask for the tables is to read the whole schema, which takes longer than all else of opening a
    // book: of a file with our mark, the connection that is to write it does so ([`refuse_others`]).
    if mark == i64::from(OURS) && (1..=SCHEMA.len() as i64).contains(&version) {
        return Ok(());
    }
    let tables: Vec<String> = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .and_then(|mut found| found.query_map([], |row| row.get(0))?.collect())
        .map_err(unread)?;
    let shaped = is_shaped(&tables);
    let ours = mark == i64::from(OURS) || (mark == 0 && shaped);
    if ours && !(0..=MOST_STEPS).contains(&version) {
        return Err(not_ours(
            path,
            "it is damaged: no book has such a version",
            "restore the latest ordersync backup there",
        ));
    }
    if ours && version > SCHEMA.len() as i64 {
        return Err(newer());
    }
    // Version 1 had no mark.
    if !shaped || version < 1 || (mark != i64::from(OURS) && mark != 0) {
        return Err(anothers(path));
    }
    Ok(())
}

fn is_shaped(tables: &[String]) -> bool {
    SHAPE.iter().all(|name| tables.iter().any(|table| table == name))
}

fn anothers(path: &Path) -> Error {
    let hint = "name another directory with --home; if it should be your book, restore the latest ordersync backup";
    not_ours(path, "it is another program's SQLite file", hint)
}

fn newer() -> Error {
    let text = "this book was written by a newer ordersync; nothing was read or changed";
    Error::new(ErrorKind::Book, text).hint("update ordersync on this machine")
}

/// Makes a new book for its owner only: whole under a name of its own, then under its own, so that
/// there never is half of one.
pub(super) fn create(path: &Path) -> Result<()> {
    let failed = |e: std::io::Error| {
        let text = format!("the book {} cannot be created: {e}; nothing was done", path.display());
        Error::new(ErrorKind::Book, text)
    };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // tempfile creates with mode 0600; SQLite gives its side files the same mode.
    // Closed before SQLite opens it, and never again opened by other means than SQLite's, as above.
    let file = tempfile::Builder::new().prefix(".orders.").suffix(".tmp").tempfile_in(dir).map_err(failed)?;
    let file = file.into_temp_path();
    let mut db = connect(&file)?;
    migrate(&mut db)?;
    db.close().map_err(|(_, e)| book_error("created", e))?;
    match file.persist_noclobber(path) {
        Ok(()) => Ok(()),
        // Another process was faster: its book is as good.
        Err(e) if e.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(failed(e.error)),
    }
}

/// A connection to a file in which nothing runs that is not the program's own.
pub(super) fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(|e| book_error("opened", e))?;
    db.busy_timeout(BUSY).done("opened")?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).done("opened")?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).done("opened")?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// Has SQLite keep a write-ahead log. For this alone it does not wait while another program does
/// the same, so it is waited for here.
fn keep_a_log(db: &Connection) -> Result<()> {
    let pause = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match db.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(())) {
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) && waited < BUSY => {
                std::thread::sleep(pause);
                waited += pause;
            }
            other => return other.done("opened"),
        }
    }
}

/// A connection to the book at `path`, which has been recognised, brought up to date.
pub(super) fn open(path: &Path) -> Result<Connection> {
    let mut db = connect(path)?;
    refuse_others(&db, path)?;
    prepare(&mut db)?;
    Ok(db)
}

/// What has our mark and not our tables is not opened. Nor is what holds a trigger that is not the
/// program's own: it would run with whatever is written.
fn refuse_others(db: &Connection, path: &Path) -> Result<()> {
    let (mut tables, mut triggers): (Vec<String>, Vec<(String, Option<String>)>) = Default::default();
    let mut found =
        db.prepare("SELECT type, name, sql FROM sqlite_schema WHERE type IN ('table', 'trigger')").done("read")?;
    let mut rows = found.query([]).done("read")?;
    while let Some(row) = rows.next().done("read")? {
        let (kind, name): (String, String) = (row.get(0).done("read")?, row.get(1).done("read")?);
        match kind.as_str() {
            "table" => tables.push(name),
            _ => triggers.push((name, row.get(2).done("read")?)),
        }
    }
    if !is_shaped(&tables) {
        return Err(anothers(path));
    }
    let ours = |sql: &Option<String>| sql.as_ref().is_some_and(|sql| SCHEMA.iter().any(|step| step.contains(sql)));
    match triggers.iter().find(|(_, sql)| !ours(sql)) {
        None => Ok(()),
        Some((name, _)) => {
            let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
            let text = format!(
                "{} holds a trigger that ordersync has not made ({name:?}), which would run with every change; nothing was changed",
                path.display()
            );
            Err(Error::new(ErrorKind::Book, text)
                .hint("take it out with an SQLite tool (DROP TRIGGER), or restore the latest ordersync backup"))
        }
    }
}

fn prepare(db: &mut Connection) -> Result<()> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).done("opened")?;
    if version > SCHEMA.len() as i64 {
        return Err(newer());
    }
    let mode: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).done("opened")?;
    if mode != "wal" {
        keep_a_log(db)?;
    }
    db.execute_batch(
        "PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000;
         PRAGMA secure_delete=ON;",
    )
    .done("opened")?;
    if version == SCHEMA.len() as i64 { Ok(()) } else { migrate(db) }
}

/// Brings a book up to date, all of it or nothing. Commands that start together all find it old;
/// the first one does it while the others wait for the lock, so what is missing is only asked for
/// under it.
fn migrate(db: &mut Connection) -> Result<()> {
    let done = "brought up to date";
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).done(done)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).done(done)?;
    let missing = usize::try_from(version).ok().and_then(|version| SCHEMA.get(version..)).ok_or_else(newer)?;
    if missing.is_empty() {
        return Ok(());
    }
    for step in missing {
        transaction.execute_batch(step).done(done)?;
    }
    zones::keep_all(&transaction)?;
    transaction.pragma_update(None, "user_version", SCHEMA.len() as i64).done(done)?;
    transaction.commit().done(done)
}

/// A copy of an open book at `to`: private, checked, and only then under its name, which must be
/// free.
///
/// # Errors
/// `Refused` where there is something at `to` already, also a link that leads nowhere.
pub(super) fn copy(db: &Connection, to: &Path) -> Result<()> {
    let file = NewFile::begin(to, ".ordersync-backup.", false, "no backup was made")?;
    let place = file.path().to_str().ok_or_else(|| file.failed(&std::io::Error::other("its name is not UTF-8")))?;
    db.execute("VACUUM INTO ?", [place]).done("copied")?;
    check_copy(file.path())?;
    file.keep()
}

/// A backup that cannot be read is none.
fn check_copy(path: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copy = Connection::open_with_flags(path, flags).map_err(|e| book_error("copied", e))?;
    let verdict: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).done("copied")?;
    if verdict == "ok" {
        return Ok(());
    }
    let text = format!("the copy does not pass SQLite's check ({verdict}); no backup was made");
    Err(Error::new(ErrorKind::Book, text).hint("ordersync doctor checks the book; try another disk"))
}

/// Which files of the book or directories above it others can read or change, or own: a note for
/// people each.
#[cfg(unix)]
pub(crate) fn exposed(book: &Path) -> Vec<String> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let Some(dir) = book.parent() else { return Vec::new() };
    let side = |suffix: &str| {
        let mut name = book.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    // Who we are, as far as that can be told without asking the system's libraries.
    let me = std::fs::metadata("/proc/self").map(|data| data.uid()).ok();
    let places = [(dir.to_owned(), 0o022), (book.to_owned(), 0o077), (side("-wal"), 0o077), (side("-shm"), 0o077)];
    let mut found = Vec::new();
    for (path, forbidden) in places {
        let Ok(data) = std::fs::metadata(&path) else { continue };
        let mode = data.permissions().mode() & 0o777;
        if mode & forbidden != 0 {
            let what = if mode & forbidden & 0o022 != 0 { "change" } else { "read" };
            let right = if forbidden == 0o022 { "700" } else { "600" };
            found.push(format!("others can {what} {0} (mode {mode:o}): chmod {right} '{0}'", path.display()));
        } else if me.is_some_and(|me| me != data.uid() && me != 0) {
            found.push(format!("{} belongs to somebody else", path.display()));
        }
    }
    found
}

/// Nothing is known of owners here.
#[cfg(not(unix))]
pub(crate) fn exposed(_: &Path) -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::book::Book;
    use crate::clock::{ManualClock, Timestamp};

    fn open(path: &Path) -> Result<Book> {
        Book::open(path, Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)))
    }

    fn sql(path: &Path, text: &str) {
        Connection::open(path).unwrap().execute_batch(text).unwrap();
    }

    #[test]
    fn x8_what_is_no_book_of_ours_is_known_before_a_byte_of_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.sqlite");
        let wal = "PRAGMA journal_mode=WAL; CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine');";
        let shaped = "CREATE TABLE stores (x); CREATE TABLE orders (x);";
        let cases: [(&str, &dyn Fn(), &str); 10] = [
            ("a foreign file", &|| sql(&path, "CREATE TABLE notes (text);"), "another program's"),
            ("a foreign file with a log", &|| sql(&path, wal), "another program's"),
            (
                "a marked one",
                &|| sql(&path, "PRAGMA application_id = 7; CREATE TABLE stores (x);"),
                "another program's",
            ),
            (
                "one with our mark and another shape",
                &|| sql(&path, &format!("PRAGMA application_id = {OURS}; PRAGMA user_version = 1; {shaped}")),
                "another program's",
            ),
            ("half a shape", &|| sql(&path, &format!("PRAGMA user_version = 1; {shaped}")), "another program's"),
            ("nothing", &|| std::fs::write(&path, "").unwrap(), "empty"),
            ("no SQLite", &|| std::fs::write(&path, "x".repeat(4096)).unwrap(), "damaged"),
            ("a beginning", &|| std::fs::write(&path, "SQLite format 3\0").unwrap(), "damaged"),
            (
                "a damaged version",
                &|| {
                    open(&path).unwrap();
                    sql(&path, "PRAGMA user_version = 1515870810;");
                },
                "damaged",
            ),
            (
                "a newer book",
                &|| {
                    open(&path).unwrap();
                    sql(&path, "PRAGMA user_version = 999;");
                },
                "newer",
            ),
        ];
        for (what, make, said) in cases {
            make();
            let before = std::fs::read(&path).unwrap();
            for result in [
                open(&path),
                Book::open_existing(&path, Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH))).map(Option::unwrap),
            ] {
                let Err(error) = result else { panic!("{what} was opened") };
                assert!(error.message().contains(said) && error.hint_text().is_some(), "{what}: {error}");
            }
            assert!(std::fs::read(&path).unwrap() == before, "{what} was changed");
            for entry in std::fs::read_dir(dir.path()).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
        std::fs::create_dir(&path).unwrap();
        assert!(open(&path).is_err_and(|error| error.message().contains("not a file")));
    }

    #[test]
    fn x8_a_book_of_version_1_goes_on_and_is_marked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.sqlite");
        sql(&path, &format!("{} PRAGMA user_version = 1; PRAGMA journal_mode = WAL;", SCHEMA[0]));
        open(&path).unwrap();
        let mark: u32 = Connection::open(&path).unwrap().query_row("PRAGMA application_id", [], |r| r.get(0)).unwrap();
        assert_eq!(mark, OURS);
        open(&path).unwrap();
    }

    #[test]
    fn x8_nothing_that_somebody_put_into_the_file_runs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.sqlite");
        open(&path).unwrap();
        sql(&path, "CREATE TRIGGER sly AFTER INSERT ON runs BEGIN DELETE FROM orders; END;");
        let error = open(&path).err().unwrap();
        assert!(error.message().contains("sly") && error.hint_text().is_some(), "{error}");
        sql(&path, "DROP TRIGGER sly;");
        let book = open(&path).unwrap();
        let trusted: bool = book.db.query_row("PRAGMA trusted_schema", [], |row| row.get(0)).unwrap();
        assert!(!trusted);
    }

    #[test]
    fn a_backup_has_exactly_the_name_it_was_given_and_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.sqlite");
        let book = open(&path).unwrap();
        let taken = dir.path().join("taken");
        std::fs::write(&taken, "mine").unwrap();
        for name in [&taken, &path, &dir.path().to_owned()] {
            assert_eq!(book.backup(name).unwrap_err().kind(), ErrorKind::Refused, "{}", name.display());
        }
        assert_eq!(std::fs::read(&taken).unwrap(), b"mine");
        assert_eq!(book.backup(&dir.path().join("no/such/dir")).unwrap_err().kind(), ErrorKind::Failed);
        for name in [":memory:", "file:x?mode=memory", "file:y", "z?immutable=1#%41"] {
            let to = dir.path().join(name);
            book.backup(&to).unwrap();
            assert!(open(&to).is_ok() && std::fs::metadata(&to).unwrap().len() > 4096, "{name}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let link = dir.path().join("link");
            std::os::unix::fs::symlink(dir.path().join("nowhere"), &link).unwrap();
            assert_eq!(book.backup(&link).unwrap_err().kind(), ErrorKind::Refused);
            let mode = |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(":memory:"), mode("orders.sqlite")), (0o600, 0o600));
        }
        let left = std::fs::read_dir(dir.path())
            .unwrap()
            .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().ends_with(".tmp"));
        assert_eq!(left.count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn x8_a_book_that_others_can_read_is_noticed() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("home/orders.sqlite");
        open(&path).unwrap();
        assert_eq!(exposed(&path), [""; 0]);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::set_permissions(path.parent().unwrap(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let found = exposed(&path).join("\n");
        assert!(found.contains("chmod 700") && found.contains("chmod 600") && found.contains("read"), "{found}");
    }
}
