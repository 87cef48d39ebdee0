//! Finding an order by what the merchant calls it.

use rusqlite::OptionalExtension;
use rusqlite::types::ToSql;

use super::Book;
use super::error::Done;
use crate::error::{Error, ErrorKind, Result};

/// What a bare number means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The book's number or the channel's, where only one order is meant.
    #[default]
    Either,
    /// The channel's number or id: files from outside know no other.
    Channel,
    /// The book's own number.
    Book,
}

/// An order that a reference may mean.
struct Candidate {
    id: i64,
    store: String,
    remote_id: String,
    number: String,
}

impl Candidate {
    /// By its number in the book, which is nobody else's, and what it is called at its channel.
    fn told(&self) -> String {
        let Self { id, store, remote_id, number } = self;
        if number == remote_id {
            format!("book:{id} ({store}:{remote_id})")
        } else {
            format!("book:{id} ({store}:{remote_id}, number {number})")
        }
    }
}

/// More than this many orders of one name are not all listed.
const NAMED: usize = 5;

/// Shops that fill their numbers with zeros fill them to this length at most (Magento: nine digits).
/// People and spreadsheets leave the zeros out.
const LONGEST_NUMBER: usize = 12;

/// Begins a reference that is a number in the book and can be nothing else.
pub(crate) const BOOK: &str = "book";

const COLUMNS: &str = "SELECT o.id, s.name, o.remote_id, o.number FROM";
const BY_BOOK_NUMBER: &str = "orders o JOIN stores s ON s.id = o.store_id WHERE o.id = ?";
/// A unary plus keeps SQLite on the index by number: a store may hold most of the book.
pub(super) const BY_NUMBER: &str = "orders o JOIN stores s ON s.id = o.store_id
    WHERE o.number IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR +o.store_id = ?2)";
/// Store by store, as the index has them.
pub(super) const BY_REMOTE_ID: &str = "stores s CROSS JOIN orders o ON o.store_id = s.id AND o.remote_id = ?1
    WHERE ?2 IS NULL OR s.id = ?2";

impl Book {
    /// The short number of the order meant by `reference`: its short number, `book:NUMBER`,
    /// `STORE:ID` with the channel's id or number, or the channel's own number or id where only one
    /// order has it. A `#` before a number is the channel's way of writing it.
    ///
    /// # Errors
    /// `NotFound` for no such order, `Usage` where it could mean several; it names them.
    pub fn find(&self, reference: &str) -> Result<i64> {
        self.find_as(reference, Naming::Either)
    }

    /// The same, where it is known whose numbers are meant.
    ///
    /// # Errors
    /// As [`Book::find`].
    pub(crate) fn find_as(&self, reference: &str, naming: Naming) -> Result<i64> {
        let reference = reference.trim();
        let mut found = self.candidates(reference, naming)?;
        found.sort_by_key(|candidate| candidate.id);
        found.dedup_by_key(|candidate| candidate.id);
        match found.as_slice() {
            [one] => Ok(one.id),
            [] => Err(self.not_found(reference, naming)?),
            several => Err(ambiguous(reference, several)),
        }
    }

    /// What every command takes for the order: its bare number where that is nobody else's.
    ///
    /// # Errors
    /// Where the book cannot be read.
    pub(crate) fn reference(&self, id: i64) -> Result<String> {
        let bare = id.to_string();
        match self.find(&bare) {
            Ok(_) => Ok(bare),
            Err(error) if error.kind() == ErrorKind::Usage => Ok(format!("{BOOK}:{id}")),
            Err(error) => Err(error),
        }
    }

    /// The order with exactly this id at the channel.
    ///
    /// # Errors
    /// `NotFound` where the book has none.
    pub(crate) fn find_remote(&self, store: i64, remote_id: &str) -> Result<i64> {
        let found = self.named(BY_REMOTE_ID, &[&remote_id, &store])?;
        found.first().map(|order| order.id).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("no order with the channel's id {remote_id:?} is in the book"))
        })
    }

    fn candidates(&self, reference: &str, naming: Naming) -> Result<Vec<Candidate>> {
        let mut found = Vec::new();
        if let Some((prefix, rest)) = reference.split_once(':') {
            if prefix == BOOK {
                found.extend(self.by_book_number(rest)?);
            }
            let store = self.store_named(prefix)?;
            if let Some(store) = store {
                if let Some(number) = rest.strip_prefix(BOOK).and_then(|rest| rest.strip_prefix(':')) {
                    let of_store = |order: &Candidate| order.store == prefix;
                    found.extend(self.by_book_number(number)?.into_iter().filter(of_store));
                }
                found.extend(self.by_number(rest, Some(store), true)?);
                found.extend(self.by_remote_id(rest, Some(store))?);
            }
            if store.is_some() || prefix == BOOK {
                return Ok(found);
            }
        }
        if naming != Naming::Channel {
            found.extend(self.by_book_number(reference)?);
        }
        if naming != Naming::Book {
            // In a file it is what a spreadsheet made of it; a number that is typed may be the book's.
            found.extend(self.by_number(reference, None, naming == Naming::Channel)?);
            found.extend(self.by_remote_id(reference, None)?);
        }
        Ok(found)
    }

    /// Also one that is no longer connected: its orders stay in the book.
    fn store_named(&self, name: &str) -> Result<Option<i64>> {
        let mut statement = self.db.prepare_cached("SELECT id FROM stores WHERE name = ?").done("read")?;
        statement.query_row([name], |row| row.get(0)).optional().done("read")
    }

    /// Numbers of the book are written in one way only: `0119` is a shop's.
    fn by_book_number(&self, text: &str) -> Result<Vec<Candidate>> {
        let Some(number) = text.parse::<i64>().ok().filter(|number| number.to_string() == text) else {
            return Ok(Vec::new());
        };
        self.named(BY_BOOK_NUMBER, &[&number])
    }

    /// `filled`: also a number that begins with zeros which are left out here.
    fn by_number(&self, text: &str, store: Option<i64>, filled: bool) -> Result<Vec<Candidate>> {
        let bare = text.strip_prefix('#').unwrap_or(text);
        let mut numbers = vec![text.to_owned(), bare.to_owned(), format!("#{bare}")];
        let is_number = !bare.starts_with('0') && !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit());
        if filled && is_number {
            numbers.extend((bare.len() + 1..=LONGEST_NUMBER).map(|width| format!("{bare:0>width$}")));
        }
        let numbers = serde_json::to_string(&numbers).unwrap_or_default();
        self.named(BY_NUMBER, &[&numbers, &store])
    }

    fn by_remote_id(&self, text: &str, store: Option<i64>) -> Result<Vec<Candidate>> {
        self.named(BY_REMOTE_ID, &[&text, &store])
    }

    /// A few more than are named to the merchant: one order may come under both its number and its
    /// id.
    fn named(&self, from: &str, values: &[&dyn ToSql]) -> Result<Vec<Candidate>> {
        let sql = format!("{COLUMNS} {from} LIMIT {}", NAMED + 2);
        let mut statement = self.db.prepare_cached(&sql).done("read")?;
        let rows = statement
            .query_map(values, |row| {
                Ok(Candidate { id: row.get(0)?, store: row.get(1)?, remote_id: row.get(2)?, number: row.get(3)? })
            })
            .done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    fn not_found(&self, reference: &str, naming: Naming) -> Result<Error> {
        let error = Error::new(ErrorKind::NotFound, format!("no order {reference:?} is in the book; nothing was done"));
        if let Some((store, id)) = reference.split_once(':') {
            return Ok(match self.store_named(store)? {
                Some(_) if !id.trim().is_empty() => {
                    error.hint(format!("ordersync pull {reference} reads it from the channel"))
                }
                _ => error.hint("ordersync orders lists what is there, ordersync connect --list the stores"),
            });
        }
        if naming == Naming::Channel && !self.by_book_number(reference)?.is_empty() {
            let hint = format!("it is read as the channel's number; book:{reference} or --by book means the book's");
            return Ok(error.hint(hint));
        }
        Ok(error.hint("ordersync orders lists them; STORE:ID names one by the channel's id"))
    }
}

fn ambiguous(reference: &str, several: &[Candidate]) -> Error {
    let mut names: Vec<String> = several.iter().take(NAMED).map(Candidate::told).collect();
    if several.len() > NAMED {
        names.push("and more".to_owned());
    }
    let text = format!("{reference:?} could mean several orders: {}; nothing was done", names.join(", "));
    Error::new(ErrorKind::Usage, text).hint("name the one you mean by its number in the book, as book:NUMBER, or with its store, as STORE:NUMBER or in a column store of a file")
}
