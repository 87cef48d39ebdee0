//! `ordersync export`.

use std::fs::File;
use std::io::{BufWriter, ErrorKind as Io, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::interrupt::{self, Left};
use super::output::{self, csv_text};
use super::waiting::Waiting;
use super::when::{parse_since, parse_when};
use super::{App, Outcome};
use crate::book::{Book, Cell, ExportFilter, Piece, Sheet};
use crate::error::{Error, ErrorKind, Result};
use crate::files::NewFile;
use crate::order::Status;

/// What is said where nothing came of it.
const UNDONE: &str = "nothing was exported";

/// Write the orders, or their lines, shipments, refunds or charges, as CSV or NDJSON.
///
/// Every order that fits is in it, in the order of the numbers in the book: test orders, cancelled
/// ones and those of removed stores as well, each marked as such by a column. The filters choose
/// orders; of those, all lines, shipments, refunds or charges are written, whenever they came. The
/// same book gives the same bytes. All columns are documented in docs/data.md, and are only ever
/// added to.
///
/// The book is read as of one moment, and a sync beside it goes on writing. The book's log (-wal)
/// grows by that meanwhile, for about a minute where there are a million orders. What is printed is
/// put aside first, and printed when the book is read to its end: a slow reader does not hold it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What the rows are
    #[arg(long, value_enum, default_value = "orders")]
    what: Sheet,
    /// How they are written; default is csv, or what the name of the file ends with
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file to write, which comes under its name when it is whole; without it, or with -, the rows
    /// are printed
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file where there is one
    #[arg(long, requires = "output")]
    replace: bool,
    /// Only orders of this status; may be given several times
    #[arg(long, value_name = "STATUS")]
    status: Vec<Status>,
    /// Only this store, or all stores of this channel; may be given several times
    #[arg(long, value_name = "STORE")]
    channel: Vec<String>,
    /// Only orders placed since then (7d, 2026-11-01, all)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only orders placed before then (2026-12-01)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Comma-separated, with a header; texts that a spreadsheet would take for formulas get an
    /// apostrophe
    Csv,
    /// One JSON object a line, texts as they are
    Ndjson,
}

impl Format {
    fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// What the name of a file says.
    fn of_file(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let book = app.existing_book()?;
    let filter = filter(app, &book, &args)?;
    say_unread(app, &book, &filter)?;
    let _waiting = Waiting::watched(app, "the book is being read; a million orders take about a minute".to_owned());
    match args.output.as_deref().filter(|file| *file != Path::new("-")) {
        Some(file) => to_file(app, &book, &args, &filter, file),
        None => to_stdout(app, &book, &args, &filter),
    }
}

fn filter(app: &App, book: &Book, args: &Args) -> Result<ExportFilter> {
    let now = app.context.clock.now();
    let since = args.since.as_deref().map(|text| parse_since(text, now)).transpose()?.flatten();
    let until = args.until.as_deref().map(|text| parse_when(text, now)).transpose();
    let until = until.map_err(|why| Error::new(ErrorKind::Usage, format!("--until: {why}; {UNDONE}")))?;
    if since.zip(until).is_some_and(|(since, until)| until <= since) {
        return Err(Error::new(ErrorKind::Usage, format!("--until is not after --since; {UNDONE}")));
    }
    let stores = if args.channel.is_empty() { Vec::new() } else { app.stores_of_old(book, &args.channel)? };
    Ok(ExportFilter { statuses: args.status.clone(), stores, since, until })
}

/// An export of a time before the first import is no account of that time.
fn say_unread(app: &App, book: &Book, filter: &ExportFilter) -> Result<()> {
    if app.global.quiet {
        return Ok(());
    }
    let stores = if filter.stores.is_empty() { book.stores()? } else { filter.stores.clone() };
    for store in &stores {
        let Some(read) = store.since else { continue };
        if filter.since.is_some_and(|since| since < read) || filter.until.is_some_and(|until| until < read) {
            output::note(&format!(
                "{0}: only orders that changed since {1} were imported; ordersync sync --channel {0} --since all reads the older ones",
                store.name,
                output::date(read)
            ));
        }
    }
    Ok(())
}

/// A file that is whole or not there.
fn to_file(app: &App, book: &Book, args: &Args, filter: &ExportFilter, file: &Path) -> Outcome {
    refuse_ours(app, file)?;
    let format = args.format.or_else(|| Format::of_file(file)).unwrap_or(Format::Csv);
    interrupt::leaves(Left::NoFile);
    let new = NewFile::begin(file, ".ordersync-export.", args.replace, UNDONE).map_err(|error| {
        let is_there = error.kind() == ErrorKind::Refused && !args.replace && file.is_file();
        if is_there { error.hint("give another file name, or replace it with --replace") } else { error }
    })?;
    let failed = |error: std::io::Error| new.failed(&error);
    let rows = write(book, args.what, filter, format, new.as_file(), &failed)?;
    new.keep()?;
    interrupt::leaves(Left::Kept);
    if app.global.json {
        let report = json!({
            "file": file.to_string_lossy(), "what": word(args.what), "format": format.word(), "rows": rows,
        });
        output::print_json(&report)?;
    } else if !app.global.quiet {
        output::line(&format!("{} of {} written to {}", output::count(rows, "row"), word(args.what), file.display()))?;
    }
    Ok(0)
}

/// What is printed is put aside first: an error while the book is read prints nothing, and a reader
/// that takes its time does not hold the book as it was.
fn to_stdout(app: &App, book: &Book, args: &Args, filter: &ExportFilter) -> Outcome {
    let format = match (args.format, app.global.json) {
        (Some(Format::Csv), true) => {
            let text = format!("--json prints NDJSON, and --format csv does not; {UNDONE}");
            return Err(Error::new(ErrorKind::Usage, text).hint("give one of the two").into());
        }
        (format, true) => format.unwrap_or(Format::Ndjson),
        (format, false) => format.unwrap_or(Format::Csv),
    };
    interrupt::leaves(Left::Nothing);
    let dir = app.context.home.data();
    let failed = |error: std::io::Error| {
        let text = format!("what is to be printed cannot be put aside in {}: {error}; {UNDONE}", dir.display());
        Error::new(ErrorKind::Failed, text).hint("free some space, or write a file on another disk with --output FILE")
    };
    let mut aside = tempfile::tempfile_in(dir).map_err(failed)?;
    write(book, args.what, filter, format, &aside, &failed)?;
    aside.seek(SeekFrom::Start(0)).map_err(failed)?;
    interrupt::leaves(Left::Printed);
    print(app, &mut aside)?;
    interrupt::leaves(Left::Kept);
    Ok(0)
}

/// Prints all of it: a reader that goes before the end has not got what it asked for, and an exit
/// code of 0 would say that it had.
fn print(app: &App, from: &mut File) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let mut part = vec![0; 1 << 16];
    loop {
        app.context.clock.check_interrupt()?;
        let read = from.read(&mut part).map_err(|e| unprinted(&e))?;
        let Some(part) = part.get(..read).filter(|part| !part.is_empty()) else { break };
        out.write_all(part).map_err(|e| unprinted(&e))?;
    }
    out.flush().map_err(|e| unprinted(&e))
}

fn unprinted(error: &std::io::Error) -> Error {
    let why = match error.kind() {
        Io::BrokenPipe => "the reader has gone before the end".to_owned(),
        _ => format!("the output could not be written: {error}"),
    };
    Error::new(ErrorKind::Failed, format!("{why}; what was printed is not all of it"))
}

/// The book and the credentials are no files to be written over.
fn refuse_ours(app: &App, file: &Path) -> Result<()> {
    let Ok(file) = std::path::absolute(file) else { return Ok(()) };
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (book, dir) = (app.context.home.book(), file.parent().map(real).unwrap_or_default());
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // On some file systems names that differ by case are the same one.
    let [ours, other] = [book.as_path(), file.as_path()].map(|path| name(path).to_lowercase());
    let is_book = dir == book.parent().map(real).unwrap_or_default() && other.starts_with(&ours);
    if is_book
        || dir.starts_with(real(app.context.home.credentials()))
        || dir.starts_with(real(&app.context.home.locks()))
    {
        let text = format!("{} is for ordersync's own files; {UNDONE}", file.display());
        return Err(Error::new(ErrorKind::Refused, text).hint("give another file name"));
    }
    Ok(())
}

/// Writes the rows; gives how many.
fn write(
    book: &Book,
    sheet: Sheet,
    filter: &ExportFilter,
    format: Format,
    to: &File,
    failed: &dyn Fn(std::io::Error) -> Error,
) -> Result<u64> {
    let columns = sheet.columns();
    let mut to = BufWriter::with_capacity(1 << 16, to);
    let rows = match format {
        Format::Ndjson => book.export(sheet, filter, &mut |cells| {
            let row = serde_json::to_string(&Object { columns: &columns, cells });
            let row = row.map_err(|e| failed(e.into()))?;
            writeln!(to, "{}", output::escape_harmful(&row)).map_err(failed)
        })?,
        Format::Csv => {
            let unwritten = |error: csv::Error| match error.into_kind() {
                csv::ErrorKind::Io(error) => failed(error),
                other => failed(std::io::Error::other(format!("{other:?}"))),
            };
            let mut csv = csv::Writer::from_writer(&mut to);
            csv.write_record(&columns).map_err(unwritten)?;
            let rows =
                book.export(sheet, filter, &mut |cells| csv.write_record(cells.iter().map(text)).map_err(unwritten))?;
            csv.flush().map_err(failed)?;
            rows
        }
    };
    to.flush().map_err(failed)?;
    Ok(rows)
}

fn word(sheet: Sheet) -> &'static str {
    match sheet {
        Sheet::Orders => "orders",
        Sheet::Lines => "lines",
        Sheet::Shipments => "shipments",
        Sheet::Refunds => "refunds",
        Sheet::Charges => "charges",
    }
}

/// A cell in CSV.
fn text(cell: &Cell) -> String {
    match cell {
        Cell::None => String::new(),
        Cell::Order(id) => output::csv_order(id),
        Cell::Own(word) => word.clone(),
        Cell::Text(text) => csv_text(text).into_owned(),
        Cell::Number(number) => number.to_string(),
        Cell::Flag(is_so) => is_so.to_string(),
        Cell::Texts(texts, between) => csv_text(&texts.join(between)).into_owned(),
        Cell::Pieces(pieces) => {
            // As `dispatch --item` takes them.
            let item = |piece: &Piece| format!("{}={}", piece.sku.as_ref().unwrap_or(&piece.line_id), piece.quantity);
            csv_text(&pieces.iter().map(item).collect::<Vec<_>>().join(", ")).into_owned()
        }
    }
}

/// A row in NDJSON, its keys in the order of the columns.
struct Object<'a> {
    columns: &'a [&'static str],
    cells: &'a [Cell],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for (name, cell) in self.columns.iter().zip(self.cells) {
            match cell {
                Cell::None => map.serialize_entry(name, &())?,
                Cell::Order(id) => map.serialize_entry(name, &id.to_string())?,
                Cell::Own(text) | Cell::Text(text) => map.serialize_entry(name, text)?,
                Cell::Number(number) => map.serialize_entry(name, number)?,
                Cell::Flag(is_so) => map.serialize_entry(name, is_so)?,
                Cell::Texts(texts, _) => map.serialize_entry(name, texts)?,
                Cell::Pieces(pieces) => map.serialize_entry(name, pieces)?,
            }
        }
        map.end()
    }
}
