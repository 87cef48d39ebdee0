//! SQLite's errors in the merchant's words.

use rusqlite::ffi::ErrorCode;

use crate::error::{Error, ErrorKind};

/// What went wrong when the book was to be `done` ("written", "opened"), and what to do about it
/// (F-4).
pub(super) fn book_error(done: &str, error: rusqlite::Error) -> Error {
    use rusqlite::Error as Sql;
    if matches!(
        error,
        Sql::FromSqlConversionFailure(..)
            | Sql::InvalidColumnType(..)
            | Sql::IntegralValueOutOfRange(..)
            | Sql::Utf8Error(..)
    ) {
        let text = format!(
            "the book could not be {done}: it holds a value that ordersync does not write, so it may be damaged"
        );
        return Error::new(ErrorKind::Book, text)
            .hint("ordersync doctor tells how badly; restore the latest ordersync backup");
    }
    let code = error.sqlite_error_code();
    let (what, hint) = match code {
        Some(ErrorCode::DiskFull) => ("the disk is full", "free some space; nothing that was in the book is lost"),
        Some(ErrorCode::ReadOnly) => (
            "it is read-only",
            "check the owner and the permissions of the file and its directory, and how the disk is mounted",
        ),
        Some(ErrorCode::CannotOpen) => ("it cannot be opened", "check the path and the permissions"),
        Some(ErrorCode::PermissionDenied) => {
            ("permission is denied", "check the owner and the permissions of the file")
        }
        Some(ErrorCode::NotADatabase) => (
            "it is damaged, or not an order book",
            "restore the latest ordersync backup, or name another directory with --home",
        ),
        Some(ErrorCode::DatabaseCorrupt) => {
            ("it is damaged", "ordersync doctor tells how badly; restore the latest ordersync backup")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            ("another program is holding it", "close other programs that have the book open and run the command again")
        }
        Some(ErrorCode::SystemIoFailure) => {
            ("the disk reports a failure", "check the disk; ordersync doctor checks the book")
        }
        _ => return Error::new(ErrorKind::Book, format!("the book could not be {done}: {error}")),
    };
    Error::new(ErrorKind::Book, format!("the book could not be {done}: {what}")).hint(hint)
}

/// Attaches what was being done to SQLite's errors: `.done("written")?`.
pub(super) trait Done<T> {
    fn done(self, done: &str) -> Result<T, Error>;
}

impl<T> Done<T> for rusqlite::Result<T> {
    fn done(self, done: &str) -> Result<T, Error> {
        self.map_err(|e| book_error(done, e))
    }
}

/// A value in the book that this program did not write.
pub(super) fn odd(what: &str, value: &str) -> Error {
    let text = format!("the book holds a {what} that this version does not know ({value:?})");
    Error::new(ErrorKind::Book, text).hint("update ordersync, or restore a backup")
}
