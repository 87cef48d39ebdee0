//! CSV files that a merchant gives: read whatever spreadsheet or system wrote them, and refused where
//! what they say cannot be told for sure.

mod columns;
mod quotes;
mod text;

use std::path::Path;

use csv::StringRecord;

pub(super) use self::columns::{BY, Column, Columns, Name, ORDER, STORE};
use super::output;
use crate::book::{BOOK, Naming};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{KEPT_DIGITS, undressed};

/// Whose numbers a bare order number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub(super) enum By {
    /// The channel's own.
    Channel,
    /// The book's.
    Book,
}

impl By {
    /// How a reference is to be read by it.
    pub(super) fn naming(by: Option<Self>) -> Naming {
        match by {
            None => Naming::Either,
            Some(Self::Channel) => Naming::Channel,
            Some(Self::Book) => Naming::Book,
        }
    }

    /// The word in a column for it; an empty cell says nothing.
    ///
    /// # Errors
    /// For another word, in the words behind `row 7`.
    pub(super) fn read(word: &str) -> Result<Option<Self>, String> {
        match word.to_lowercase().as_str() {
            "" => Ok(None),
            "book" => Ok(Some(Self::Book)),
            "channel" => Ok(Some(Self::Channel)),
            other => Err(format!("has {other:?} under by; it takes book or channel")),
        }
    }
}

/// What a file is to hold.
#[derive(Debug)]
pub(super) struct Meaning<'a> {
    /// The columns that it may have.
    pub(super) names: &'a [Name],
    /// Columns that are left out.
    pub(super) ignored: &'a [String],
    /// What is not done where it cannot be used: `nothing was dispatched`.
    pub(super) undone: &'a str,
    /// What its first line names, for people.
    pub(super) header: &'a str,
}

/// A file's text.
#[derive(Debug)]
pub(super) struct Text {
    text: String,
    /// How many lines stand before it in the file.
    pub(super) first_line: u64,
    delimiter: u8,
    /// How it was read where that is not plain.
    pub(super) told: Option<&'static str>,
}

impl Text {
    /// Reads a file; `-` is standard input.
    ///
    /// # Errors
    /// `Usage` where it is no CSV file.
    pub(super) fn read(file: &Path, meaning: &Meaning<'_>, clock: &dyn Clock) -> Result<Self> {
        let bytes = text::read(file, clock).map_err(|error| match error.kind() {
            ErrorKind::Usage => unusable(file, meaning, error.message()),
            _ => error,
        })?;
        let unreadable = |why: &str| unreadable(file, meaning, why);
        let (text, told) = text::decode(&bytes).map_err(unreadable)?;
        let (text, first_line, delimiter) = separated(&text, meaning.names);
        quotes::check(text, first_line, delimiter).map_err(|why| unreadable(&why))?;
        Ok(Self { text: text.to_owned(), first_line, delimiter, told })
    }

    /// Its columns, and its rows with their lines as an editor counts them; none of them is empty.
    ///
    /// # Errors
    /// Where the file itself is at fault.
    pub(super) fn rows(&self, meaning: &Meaning<'_>) -> Result<(Columns, Vec<(u64, StringRecord)>), String> {
        if self.text.trim().is_empty() {
            return Err("it holds no row".to_owned());
        }
        let mut reader =
            csv::ReaderBuilder::new().delimiter(self.delimiter).flexible(true).from_reader(self.text.as_bytes());
        let header = reader.headers().map_err(|e| e.to_string())?;
        let columns = Columns::read(header, meaning.ignored, meaning.names)?;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| e.to_string())?;
            let line = record.position().map_or(0, |at| line_of(&self.text, at)) + self.first_line;
            if !record.iter().all(|cell| undressed(cell).is_empty()) {
                rows.push((line, record));
            }
        }
        Ok((columns, rows))
    }
}

/// The file cannot be used, whatever stands in it.
fn unusable(file: &Path, meaning: &Meaning<'_>, why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("{}: {why}; {}", file.display(), meaning.undone))
}

/// What stands in the file cannot be used.
pub(super) fn unreadable(file: &Path, meaning: &Meaning<'_>, why: &str) -> Error {
    unusable(file, meaning, why).hint(format!("the first line names the columns: {}", meaning.header))
}

/// The text behind a line `sep=;`, how many lines that were, and the separator: the one that makes
/// the most of the header.
fn separated<'a>(text: &'a str, names: &[Name]) -> (&'a str, u64, u8) {
    if let Some((first, rest)) = text.split_once('\n')
        && let Some(&[sign]) = first.trim_matches(['"', ' ']).strip_prefix("sep=").map(str::as_bytes)
    {
        return (rest, 1, sign);
    }
    let known = |delimiter: u8| {
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
        reader.headers().map_or(0, |header| Columns::known(header, names))
    };
    let best = b"|\t;,".iter().copied().max_by_key(|delimiter| known(*delimiter));
    (text, 0, best.unwrap_or(b','))
}

/// The line that a row begins in; the reader counts the empty ones before it to it.
fn line_of(text: &str, at: &csv::Position) -> u64 {
    let from = usize::try_from(at.byte()).unwrap_or(usize::MAX);
    let empty = text.as_bytes().get(from..).unwrap_or_default().iter().take_while(|b| **b == b'\n').count();
    at.line() + empty as u64
}

/// A row of a file.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
}

impl<'a> Cells<'a> {
    /// A row that has the cells of the header and no others.
    ///
    /// # Errors
    /// In the words behind `row 7`.
    pub(super) fn of(columns: &'a Columns, record: &'a StringRecord) -> Result<Self, String> {
        if columns.are_again(record) {
            return Err("names the columns again, as where two files were put together; take it out".to_owned());
        }
        if record.len() < columns.width {
            let cells = output::count(record.len() as u64, "cell");
            return Err(format!("has {cells} where the header has {}", columns.width));
        }
        let extra = record.iter().skip(columns.width).chain(columns.unnamed.iter().filter_map(|at| record.get(*at)));
        if extra.into_iter().any(|cell| !undressed(cell).is_empty()) {
            return Err(
                "has a cell that belongs to no column; a cell with a separator in it stands in quotes".to_owned()
            );
        }
        Ok(Self { columns, record })
    }

    /// A cell without what a spreadsheet adds to it; `mended` counts those that had any of that.
    ///
    /// # Errors
    /// In the words behind `row 7`.
    pub(super) fn text(&self, column: Column, mended: &mut usize) -> Result<String, String> {
        let raw = self.columns.cell(self.record, column);
        let text = undressed(raw);
        *mended += usize::from(text != raw.trim());
        if text.chars().any(char::is_control) {
            return Err("has a cell with a line break or a control character; is a quote missing?".to_owned());
        }
        Ok(text)
    }
}

/// What `find` takes for an order: `STORE:ORDER` where the file has a column for the store.
///
/// # Errors
/// In the words behind `row 7`.
pub(super) fn reference(order: &str, store: &str) -> Result<String, String> {
    if order.is_empty() {
        return Err("names no order".to_owned());
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let broken = order.split_once(['E', 'e']).is_some_and(|(mantissa, exponent)| {
        mantissa.contains(['.', ','])
            && digits(&mantissa.replace(['.', ','], ""))
            && digits(exponent.trim_start_matches(['+', '-']))
    });
    if broken {
        return Err(format!("has the order {order:?}, which a spreadsheet has shortened"));
    }
    let whole = order.strip_suffix(".0").or_else(|| order.strip_suffix(".00")).or_else(|| order.strip_suffix(",00"));
    let order = whole.filter(|whole| digits(whole) && whole.len() <= KEPT_DIGITS).unwrap_or(order);
    match order.split_once(':') {
        _ if store.is_empty() => Ok(order.to_owned()),
        None => Ok(format!("{store}:{order}")),
        Some((named, _)) if named == store => Ok(order.to_owned()),
        // As lists write it: the store has to be that order's.
        Some((BOOK, _)) => Ok(format!("{store}:{order}")),
        Some(_) => Err(format!("has the order {order} and the store {store}")),
    }
}

/// Says what was read in another way than it is written.
pub(super) fn say(columns: &Columns, mended: usize, encoding: Option<&str>) {
    encoding.into_iter().for_each(output::note);
    if !columns.told.is_empty() {
        output::note(&columns.told.join(", "));
    }
    if mended > 0 {
        output::note(&format!(
            "{} mended: blanks and signs that a spreadsheet adds",
            output::count(mended as u64, "cell")
        ));
    }
}
