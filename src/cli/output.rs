//! The one output layer: results on stdout, talk on stderr, and nothing of what buyers or channels
//! wrote reaches a terminal or a spreadsheet as anything but text (C-1, C-7).

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use chrono::{Datelike, Local};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width as ComfyWidth, presets};
use serde::Serialize;
use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::wrap::wrapped;
use crate::book::BOOK;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, exit_code};

/// How errors are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// Makes text from outside safe for a terminal line: control characters (also ESC and the C1 set),
/// line breaks and characters that turn the direction of the text around become visible; letters of
/// every script stay.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|c| match c {
                '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
                c if is_harmful(c) => '\u{fffd}',
                c => c,
            })
            .collect(),
    )
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{61c}' | '\u{ad}' | '\u{180e}')
        // Letters and signs that look like nothing at all: a name made of them is an empty one.
        || matches!(c, '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

/// Makes a text cell safe for a spreadsheet: what would be read as a formula gets an apostrophe
/// before it, also where it follows a sign at which a spreadsheet of another country splits the
/// cell; control characters are none any more, and a line break is a blank. Amounts and numbers of
/// our own making are not text cells and stay as they are.
pub(crate) fn csv_text(text: &str) -> Cow<'_, str> {
    let text = clean(text);
    let splits = |c: char| matches!(c, ';' | ',' | '|');
    let parts = text.split_inclusive(splits);
    if !parts.clone().any(is_formula) {
        return text;
    }
    Cow::Owned(parts.map(|part| if is_formula(part) { format!("'{part}") } else { part.to_owned() }).collect())
}

fn is_formula(part: &str) -> bool {
    let risky = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    let blank = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\u{fffd}');
    part.trim_start_matches(blank).starts_with(risky)
}

/// Prints one line of results, and one only: a line break in a buyer's name is no way to forge a
/// line of ours. A reader that has gone (`| head`) ends the program quietly.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    let text = clean(text);
    put(&format!("{}\n", wrapped(&text, stdout_width(), column(&text))))
}

/// Prints a command to be copied: on one line, however narrow the terminal is.
#[cfg(feature = "simulator")]
pub(crate) fn command(text: &str) -> anyhow::Result<()> {
    put(&format!("{}\n", clean(text)))
}

/// Where the text of a line begins that names something before it: `  shop      Tea & Cups`.
fn column(line: &str) -> usize {
    let indent = line.len() - line.trim_start().len();
    let Some(name) = line.get(indent..).and_then(|rest| rest.find("  ")) else { return indent };
    let name = indent + name;
    let text = line.get(name..).map_or(name, |rest| name + rest.len() - rest.trim_start().len());
    if text <= WIDEST_NAME { text } else { indent }
}

/// The widest thing that is named before a text.
const WIDEST_NAME: usize = 20;

/// How wide the terminal is on which results stand; `None` where they go elsewhere, which gets
/// whole lines.
fn stdout_width() -> Option<usize> {
    wide(terminal_size::terminal_size_of(std::io::stdout()))
}

pub(crate) fn stderr_width() -> Option<usize> {
    wide(terminal_size::terminal_size_of(std::io::stderr()))
}

fn wide(size: Option<(terminal_size::Width, terminal_size::Height)>) -> Option<usize> {
    size.map(|(width, _)| usize::from(width.0)).filter(|width| *width >= 20)
}

/// Says something beside the results. That nobody listens is no reason to stop, let alone to panic.
pub(crate) fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints text that is data for programs, as it is.
pub(crate) fn put(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Nobody reads on. What the command does is done all the same: a file of dispatches does
        // not end half way.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(e) => Err(Error::new(ErrorKind::Failed, format!("the output could not be written: {e}")).into()),
        Ok(()) => Ok(()),
    }
}

/// Prints a value as JSON. What could harm a terminal is escaped, which changes nothing for a
/// program.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    put(&format!("{}\n", escape_harmful(&text)))
}

/// Harmful characters in JSON text stand within its strings, but for the line breaks between them.
pub(crate) fn escape_harmful(json: &str) -> Cow<'_, str> {
    let harms = |c: char| c != '\n' && is_harmful(c);
    if !json.chars().any(harms) {
        return Cow::Borrowed(json);
    }
    let escaped = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    Cow::Owned(json.chars().map(|c| if harms(c) { escaped(c) } else { c.to_string() }).collect())
}

/// Prints rows as CSV; texts in them went through [`csv_text`].
pub(crate) fn print_csv(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| clean(cell).into_owned()))?;
    }
    let text = String::from_utf8(writer.into_inner().map_err(|e| anyhow::anyhow!("{e}"))?)?;
    put(&text)
}

/// An order in a column `order` of CSV. Lists become files for `dispatch --from`, which takes a bare
/// number for the channel's: another order's, and a parcel to somebody else.
pub(crate) fn csv_order(id: impl std::fmt::Display) -> String {
    format!("{BOOK}:{id}")
}

/// Prints values of `--json` as CSV: of each, what stands under these keys. A column is the key of
/// the same name.
pub(crate) fn print_csv_of(columns: &[&str], rows: &[serde_json::Value]) -> anyhow::Result<()> {
    let cell = |name: &str, value: &serde_json::Value| match value.as_str() {
        Some(id) if name == "order" => csv_order(id),
        _ => cell_of(value),
    };
    let row = |row: &serde_json::Value| columns.iter().map(|name| cell(name, &row[*name])).collect();
    print_csv(columns, rows.iter().map(row))
}

/// A value of JSON as a cell: the texts of a list, and of an object in it, beside one another.
fn cell_of(value: &serde_json::Value) -> String {
    use serde_json::Value;
    let joined = |parts: Vec<String>, between: &str| {
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
    };
    match value {
        Value::Null => String::new(),
        Value::String(text) => csv_text(text).into_owned(),
        Value::Array(items) => csv_text(&joined(items.iter().map(cell_of).collect(), ", ")).into_owned(),
        Value::Object(fields) => joined(fields.values().map(cell_of).collect(), " "),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// The words of the command line that is running.
static RUNNING: OnceLock<Vec<String>> = OnceLock::new();

/// Remembers what is running, so that no hint advises it.
pub(crate) fn running(args: &[OsString]) {
    let _ = RUNNING.set(args.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect());
}

/// What an error advises to do next, less the command that is running: whoever did it just now is
/// not helped by doing it again.
pub(crate) fn advice(error: &Error) -> Option<String> {
    let running = RUNNING.get().map(Vec::as_slice).unwrap_or_default();
    error.hint_text().and_then(|hint| other_ways(hint, running))
}

/// The parts of a hint that advise something else than the command `running`.
fn other_ways(hint: &str, running: &[String]) -> Option<String> {
    // A rehearsal records nothing that could be tried again.
    let rehearses = running.iter().any(|word| word == "--dry-run");
    let is_void = |way: &str| is_running(way, running) || rehearses && way.starts_with("ordersync retry ");
    let ways: Vec<&str> = hint.split("; ").filter(|way| !is_void(way)).collect();
    let again = |way: &str| way.to_lowercase().starts_with("the next sync") && is_done_by_no_sync(running);
    let ways: Vec<&str> =
        ways.into_iter().map(|way| if again(way) { "give the command again later" } else { way }).collect();
    if ways.is_empty() { None } else { Some(ways.join("; ")) }
}

/// Whether what is running is nothing that a sync would do again by itself.
fn is_done_by_no_sync(running: &[String]) -> bool {
    running.iter().any(|word| {
        matches!(word.as_str(), "--dry-run" | "pull" | "connect" | "doctor" | "accept" | "reconcile" | "why")
    })
}

/// Whether a hint begins with a command that says no more than the one that is running: `ordersync
/// doctor tells how badly`. What it does with it begins with a verb.
fn is_running(way: &str, running: &[String]) -> bool {
    let Some(advised) = way.strip_prefix("ordersync ") else { return false };
    let verb = |word: &&str| word.ends_with('s') && word.bytes().all(|b| b.is_ascii_lowercase());
    let mut words = advised.split_whitespace();
    let same = |word: &str| running.iter().any(|typed| typed == word);
    words.next().is_some_and(same) && words.take_while(|word| !verb(word)).all(same)
}

/// Tells the merchant something on stderr.
pub(crate) fn note(text: &str) {
    said("note:", "", &clean(text));
}

/// Says a text with a word before it, which is what the rest hangs below.
fn said(word: &str, code: &str, text: &str) {
    let told = wrapped(&format!("{word} {text}"), stderr_width(), word.len() + 1);
    let rest = told.strip_prefix(word).unwrap_or(&told);
    let word = if code.is_empty() { word.to_owned() } else { style(word, code) };
    say(&format!("{word}{rest}\n"));
}

/// Prints an error, what to do next below it.
pub(crate) fn print_error(error: &Error, format: Format) {
    match format {
        Format::Json => say(&format!("{}\n", escape_harmful(&json!({ "error": error_json(error) }).to_string()))),
        Format::Human => {
            said("error:", "1;31", &brief(&clean(error.message())));
            if let Some(hint) = advice(error) {
                said("hint:", "1", &brief(&clean(&hint)));
            }
        }
    }
}

/// A word of more signs than this is no name, number or path that anybody reads.
const LONGEST_WORD: usize = 500;

/// What clap says of the command line, as safe and short as any error.
pub(crate) fn typed(text: &str) -> String {
    brief(&clean(text)).into_owned()
}

/// An error for people says what was typed, however much that was, but in short.
fn brief(text: &str) -> Cow<'_, str> {
    let long = |word: &str| word.len() > LONGEST_WORD && word.chars().count() > LONGEST_WORD;
    if !text.split(' ').any(long) {
        return Cow::Borrowed(text);
    }
    let words = text.split(' ').map(|word| {
        if !long(word) {
            return word.to_owned();
        }
        let shown: String = word.chars().take(LONGEST_WORD / 5).collect();
        format!("{shown}... ({} signs)", number(word.chars().count() as u64))
    });
    Cow::Owned(words.collect::<Vec<_>>().join(" "))
}

/// An error as JSON: a stable kind, the message, the hint and the exit code.
pub(crate) fn error_json(error: &Error) -> serde_json::Value {
    json!({
        "kind": error.kind().word(), "message": error.message(), "hint": advice(error), "exit_code": exit_code(error.kind()),
    })
}

/// Prints whatever ended a command and gives its exit code.
pub(crate) fn print_failure(error: &anyhow::Error, as_json: bool) -> u8 {
    let format = if as_json { Format::Json } else { Format::Human };
    match error.downcast_ref::<Error>() {
        Some(error) => {
            print_error(error, format);
            exit_code(error.kind())
        }
        None => {
            let error = Error::new(ErrorKind::Failed, format!("{error:#}"));
            print_error(&error, format);
            exit_code(error.kind())
        }
    }
}

fn style(text: &str, code: &str) -> String {
    if std::io::stderr().is_terminal() && colours() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// Emphasis on stdout, where somebody sees it.
pub(crate) fn bold(text: &str) -> String {
    if std::io::stdout().is_terminal() && colours() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// A table for people: a header, columns as wide as they need, cut to the terminal's width only on
/// a terminal.
pub(crate) struct Table {
    /// The names of the columns; one that begins with `>` is aligned to the right.
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// How it is brought to one line a row on a narrow terminal.
    narrow: Option<Narrow>,
    /// The columns that were left out for want of room.
    left_out: Vec<&'static str>,
    /// The column that is never cut: where a row has no room for it, it stands below.
    below: Option<&'static str>,
}

/// How a table becomes narrow: one column is cut, as long as something of it can be read, and
/// others are left out in this order.
struct Narrow {
    cut: &'static str,
    leave_out: &'static [&'static str],
}

/// So much of a column that is cut is still worth reading.
const READABLE: usize = 10;

/// How deep the rest of a row hangs that is wider than the terminal.
const HANGING: usize = 2;

/// How deep a text hangs that stands below its row.
const BELOW: usize = 6;

/// Stands before the first cell of a row, and takes no room: where a row begins that is drawn in
/// several lines.
const ROW: char = '\u{200b}';

/// What stands behind each column.
const GAP: u16 = 2;

impl Table {
    /// A table with these columns; a name that begins with `>` is aligned to the right.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Self { columns, rows: Vec::new(), narrow: None, left_out: Vec::new(), below: None }
    }

    /// Has a column, the last one, whole: below its row where that has no room for it.
    pub(crate) fn below(self, column: &'static str) -> Self {
        Self { below: Some(column), ..self }
    }

    /// Keeps every row on one line of a terminal: `cut` is shortened, and `leave_out` are left out
    /// one after the other.
    pub(crate) fn one_line(mut self, cut: &'static str, leave_out: &'static [&'static str]) -> Self {
        self.narrow = Some(Narrow { cut, leave_out });
        self
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: &[&str]) {
        let whole = self.below.and_then(|name| self.place(name));
        let cell = |(n, cell): (usize, &&str)| match Some(n) == whole {
            true => clean(cell).to_string(),
            false => shorten(&clean(cell)),
        };
        self.rows.push(cells.iter().enumerate().map(cell).collect());
    }

    /// How wide a column is, its gap included.
    fn wide(&self, n: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(n));
        let name = self.columns.get(n).map_or(0, |name| name.trim_start_matches('>').width());
        cells.map(|cell| cell.width()).max().unwrap_or_default().max(name) + usize::from(GAP)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.trim_start_matches('>') == name)
    }

    /// Brings every row to one line of this width, as far as that was asked for.
    fn make_narrow(&mut self, width: usize) {
        let Some(narrow) = self.narrow.take() else { return };
        let room = |table: &Self, without: Option<usize>| {
            let all = (0..table.columns.len()).filter(|n| Some(*n) != without);
            // Nothing stands behind the last one.
            (width + usize::from(GAP)).checked_sub(all.map(|n| table.wide(n)).sum())
        };
        for name in narrow.leave_out {
            let cut = self.place(narrow.cut);
            let least = cut.map_or(0, |n| self.wide(n).min(READABLE + usize::from(GAP)));
            if room(self, cut).is_some_and(|room| room >= least) {
                break;
            }
            if let Some(n) = self.place(name) {
                self.columns.remove(n);
                self.rows.iter_mut().filter(|row| n < row.len()).for_each(|row| drop(row.remove(n)));
                self.left_out.push(name);
            }
        }
        let Some(n) = self.place(narrow.cut) else { return };
        let most = room(self, Some(n)).unwrap_or_default().saturating_sub(usize::from(GAP)).max(READABLE);
        for cell in self.rows.iter_mut().filter_map(|row| row.get_mut(n)) {
            *cell = cut_to(cell, most);
        }
    }

    /// Which columns were left out when it was printed, and where they are; nothing where none was.
    pub(crate) fn left_out(&self, forms: &str) -> Option<String> {
        let names = self.left_out.join(", ");
        (!names.is_empty()).then(|| format!("left out for want of room: {names}; {forms} or a wider window has them"))
    }

    fn drawn(&self, width: Option<usize>) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.columns.iter().map(|name| name.trim_start_matches('>')));
        for (n, name) in self.columns.iter().enumerate() {
            if let Some(column) = table.column_mut(n) {
                column.set_padding((0, GAP));
                if name.starts_with('>') {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        for row in &self.rows {
            table.add_row(row);
        }
        if let Some(width) = width.filter(|width| self.whole_width() > width + usize::from(GAP)) {
            self.fit(&mut table, width);
        }
        table
    }

    /// Breaks the texts in it between words where it is wider than the terminal; no word of a
    /// column is broken.
    fn fit(&self, table: &mut comfy_table::Table, width: usize) {
        let cells = |n: usize| self.rows.iter().filter_map(move |row| row.get(n));
        let words: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(n, name)| {
                let longest = cells(n).map(|cell| longest_word(cell)).max().unwrap_or_default();
                longest.max(longest_word(name.trim_start_matches('>')))
            })
            .collect();
        let least: usize = words.iter().map(|word| word + usize::from(GAP)).sum();
        let Ok(most) = u16::try_from(width) else { return };
        if least > width {
            return;
        }
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(most);
        for (n, word) in words.iter().enumerate() {
            let least = u16::try_from(*word).unwrap_or(u16::MAX).saturating_add(GAP);
            if let Some(column) = table.column_mut(n) {
                column.set_constraint(ColumnConstraint::LowerBoundary(ComfyWidth::Fixed(least)));
            }
        }
    }

    /// Prints it; nothing at all where it has no row.
    pub(crate) fn print(&mut self) -> anyhow::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        put(&self.text(stdout_width()))
    }

    fn text(&mut self, width: Option<usize>) -> String {
        if let Some(width) = width {
            self.make_narrow(width);
        }
        let is_wider = width.is_some_and(|width| self.whole_width() > width + usize::from(GAP));
        let texts = match self.below.and_then(|name| self.place(name)) {
            Some(n) if is_wider => self.take_out(n),
            _ => Vec::new(),
        };
        let mut texts = texts.into_iter();
        let mut said = String::new();
        let mut say_below = |said: &mut String| {
            let text = texts.next().filter(|text| !text.is_empty());
            text.into_iter().for_each(|text| {
                let text = format!("{}{text}", " ".repeat(BELOW));
                said.push_str(&format!("{}\n", wrapped(&text, width, BELOW)));
            });
        };
        let mut rows = 0;
        for line in self.drawn(width).lines() {
            if line.contains(ROW) {
                rows += 1;
                if rows > 1 {
                    say_below(&mut said);
                }
            }
            // A row that does not fit at all is broken between its cells.
            let line = line.replace(ROW, "");
            said.push_str(&format!("{}\n", wrapped(line.trim_end(), width, HANGING)));
        }
        say_below(&mut said);
        said
    }

    /// Takes a column out and gives its cells; each row is marked where it begins.
    fn take_out(&mut self, n: usize) -> Vec<String> {
        self.columns.remove(n);
        let texts = self.rows.iter_mut().map(|row| if n < row.len() { row.remove(n) } else { String::new() }).collect();
        self.rows.iter_mut().filter_map(|row| row.first_mut()).for_each(|first| first.insert(0, ROW));
        texts
    }

    fn whole_width(&self) -> usize {
        (0..self.columns.len()).map(|n| self.wide(n)).sum()
    }
}

/// A text of at most this width; what was cut off shows as such.
pub(crate) fn cut_to(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        let next = cut.width() + c.to_string().width();
        if next >= width {
            break;
        }
        cut.push(c);
    }
    format!("{}…", cut.trim_end())
}

fn longest_word(cell: &str) -> usize {
    cell.split(' ').map(UnicodeWidthStr::width).max().unwrap_or_default()
}

/// A cell of more than this many characters hides the other columns.
const WIDEST: usize = 60;

fn shorten(text: &str) -> String {
    if !std::io::stdout().is_terminal() || text.chars().count() <= WIDEST {
        return text.to_owned();
    }
    text.chars().take(WIDEST - 1).chain(['…']).collect()
}

/// `1 order`, `12 300 orders`; words in -ch, -s or -x take `es`.
pub(crate) fn count(n: u64, word: &str) -> String {
    match word.split_once(" or ") {
        Some((one, other)) if n != 1 => format!("{} {} or {}", number(n), plural(one), plural(other)),
        _ if n == 1 => format!("1 {word}"),
        _ => format!("{} {}", number(n), plural(word)),
    }
}

fn plural(word: &str) -> String {
    if word.ends_with("ch") || word.ends_with('x') || word.ends_with('s') {
        format!("{word}es")
    } else {
        format!("{word}s")
    }
}

/// `12 300`: groups of three, with a space that does not break.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{a0}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A moment for people, in this machine's time zone: `24 Nov 13:05`, with the year where it is not
/// this one.
pub(crate) fn when(at: Timestamp, now: Timestamp) -> String {
    let (at, now) = (at.with_timezone(&Local), now.with_timezone(&Local));
    let form = if at.year() == now.year() { "%-d %b %H:%M" } else { "%-d %b %Y %H:%M" };
    at.format(form).to_string()
}

/// A day for people: `24 Nov 2026`.
pub(crate) fn date(at: Timestamp) -> String {
    at.with_timezone(&Local).format("%-d %b %Y").to_string()
}

/// `45 s`, `12 min`, `2 h 05 min`, `3 days`.
pub(crate) fn duration(span: chrono::TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Gives the terminal its cursor back: what hid it (a question, a bar) may have been cut off.
pub(crate) fn show_cursor() {
    if std::io::stderr().is_terminal() {
        say("\x1b[?25h");
    }
}

/// Whether the terminal shows UTF-8, by the locale.
pub(crate) fn utf8() -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    locale.is_some_and(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_below_its_row_is_whole_at_every_width_and_no_word_is_broken() {
        let why = "order 42 changed at the channel since you last saw it (address); nothing was sent, and more than a row holds";
        let rows =
            [["3", "woocommerce:143", "dispatch dhl JD0143", "failed", why], ["2", "etsy:7", "cancel", "queued", ""]];
        for width in [None, Some(40), Some(60), Some(80), Some(200)] {
            let mut table = Table::new(&[">row", "store", "what", "state", "why"]).below("why");
            rows.iter().for_each(|row| table.row(row));
            let told = table.text(width);
            assert!(width.is_none_or(|width| told.lines().all(|line| line.width() <= width)), "{width:?}:\n{told}");
            let words: Vec<&str> = told.split_whitespace().collect();
            for word in rows.iter().flatten().flat_map(|cell| cell.split_whitespace()) {
                assert!(words.contains(&word), "{width:?}: {word} of\n{told}");
            }
            assert!(told.find("nothing was sent").or(told.find("nothing")) < told.find("cancel"), "{told}");
            assert!(!told.contains(ROW), "{told}");
        }
    }

    #[test]
    fn c7_text_from_outside_cannot_steer_the_terminal() {
        assert_eq!(clean("Ann\x1b[2J\x07\u{9b}31m"), "Ann\u{fffd}[2J\u{fffd}\u{fffd}31m");
        assert_eq!(clean("one\ntwo\tthree\r"), "one two three ");
        assert_eq!(clean("evil\u{202e}txt.exe"), "evil\u{fffd}txt.exe");
        assert_eq!(clean("\u{61c}a\u{3164}\u{2800}"), "\u{fffd}a\u{fffd}\u{fffd}");
        for harmless in ["Müller", "山田 太郎", "محمد", "👩‍👩‍👧", "e\u{301}"] {
            assert_eq!(clean(harmless), harmless);
        }
    }

    #[test]
    fn c7_a_cell_cannot_become_a_formula() {
        for formula in ["=1+1", "+49", "-2", "@SUM(A1)", " =1", "\"=1", "\t=1", "＝1", "\u{feff}=1"] {
            assert!(csv_text(formula).starts_with('\''), "{formula:?}");
        }
        for text in ["Ann", "1 Test Street", "", "a=b", "Smith; Ann", "Tel. 1-2"] {
            assert_eq!(csv_text(text), text);
        }
    }

    #[test]
    fn c7_a_formula_is_none_either_where_a_spreadsheet_splits_the_cell() {
        for (text, safe) in [
            ("x;=1+1", "x;'=1+1"),
            ("x\t=1+1", "x =1+1"),
            ("x;\n=1+1", "x;' =1+1"),
            ("\n=1+1", "' =1+1"),
            ("a,b;\"@SUM(A1)", "a,b;'\"@SUM(A1)"),
            ("x| =1", "x|' =1"),
            ("esc\u{1b}[2J", "esc\u{fffd}[2J"),
            ("\u{61c}=1", "'\u{fffd}=1"),
            ("\u{200b}=1", "'\u{fffd}=1"),
        ] {
            assert_eq!(csv_text(text), safe, "{text:?}");
        }
    }

    #[test]
    fn what_was_typed_is_repeated_in_short() {
        let long = "x".repeat(100_000);
        let told = brief(&format!("no order \"{long}\" is in the book")).into_owned();
        assert!(told.len() < 200 && told.ends_with("100\u{a0}002 signs) is in the book"), "{told}");
        assert_eq!(brief("no order \"17\" is in the book"), "no order \"17\" is in the book");
    }

    #[test]
    fn c6_no_hint_advises_the_command_that_is_running() {
        const BUNDLE: &str = "ordersync doctor --bundle collects what a report needs";
        let damaged = "ordersync doctor tells how badly; restore the latest ordersync backup";
        for (hint, running, left) in [
            (damaged, "doctor --offline", Some("restore the latest ordersync backup")),
            (damaged, "status", Some(damaged)),
            (BUNDLE, "doctor", Some(BUNDLE)),
            (BUNDLE, "doctor --bundle", None),
            ("ordersync inbox", "inbox --json", None),
            ("ordersync inbox", "sync", Some("ordersync inbox")),
            ("ordersync connect --reauth tea", "connect --test tea", Some("ordersync connect --reauth tea")),
            ("ordersync connect --reauth tea", "connect --reauth tea", None),
            ("ordersync dispatch 17 --as-local", "dispatch 17", Some("ordersync dispatch 17 --as-local")),
            ("free some space", "sync", Some("free some space")),
            ("the next sync tries again by itself", "sync", Some("the next sync tries again by itself")),
            ("the next sync tries again by itself", "sync --dry-run", Some("give the command again later")),
            ("look; the next sync tries again by itself", "pull tea:1", Some("look; give the command again later")),
            ("the next sync tries again by itself", "reconcile --since 2d", Some("give the command again later")),
            (
                "the next sync tries again by itself; ordersync retry book:7 does so now",
                "dispatch 7 --dry-run",
                Some("give the command again later"),
            ),
            ("look; the next sync tries again by itself", "connect --test", Some("look; give the command again later")),
        ] {
            let running: Vec<String> = running.split(' ').map(str::to_owned).collect();
            assert_eq!(other_ways(hint, &running).as_deref(), left, "{hint} while running {running:?}");
        }
    }

    #[test]
    fn a_table_that_is_too_wide_is_broken_between_words() {
        let rows = |width: usize| {
            let mut table = Table::new(&["store", "title", ">total"]);
            table.row(&["woocommerce", "The shop of Ann and her brother in the old harbour", "1 234.00"]);
            table.drawn(Some(width)).lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(rows(100).len(), 2);
        for width in [40, 44, 60] {
            let text = rows(width).join("\n");
            assert!(rows(width).len() > 2 && text.lines().all(|line| line.width() <= width), "{text}");
            let words: Vec<&str> = text.split_whitespace().collect();
            assert!(
                ["woocommerce", "brother", "harbour", "1", "234.00"].iter().all(|word| words.contains(word)),
                "{text}"
            );
        }
        assert_eq!(rows(20).len(), 2, "a word that cannot stand is not broken by us");
    }

    #[test]
    fn a_list_keeps_every_row_on_one_line() {
        let lines = |width: usize| {
            let mut table =
                Table::new(&[">order", "store", "status", ">items", "buyer"]).one_line("buyer", &["items", "store"]);
            table.row(&["book:1619", "woocommerce", "awaiting-fulfillment *", "4", "Jörg-Maximilian 花子 Größmann"]);
            table.row(&["7", "tea", "shipped", "1", "Ann"]);
            table.make_narrow(width);
            table.drawn(Some(width)).lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>()
        };
        for width in [45, 50, 60, 70, 80, 200] {
            let text = lines(width);
            assert!(text.len() == 3 && text.iter().all(|line| line.width() <= width), "{width}: {text:?}");
            assert!(text[1].starts_with("book:1619") && text[1].contains("awaiting-fulfillment *"), "{text:?}");
            assert!(text[1].contains("  Jörg-Maxi"), "{text:?}");
        }
        assert!(lines(200)[1].ends_with("4  Jörg-Maximilian 花子 Größmann"), "{:?}", lines(200));
        assert!(lines(45)[0].split_whitespace().eq(["order", "status", "buyer"]), "{:?}", lines(45));
        let mut table = Table::new(&["store", ">items", "buyer"]).one_line("buyer", &["items", "store"]);
        table.row(&["woocommerce", "4", "Ann"]);
        table.make_narrow(80);
        assert_eq!(table.left_out("--json"), None);
        table.narrow = Some(Narrow { cut: "buyer", leave_out: &["items", "store"] });
        table.make_narrow(8);
        let told = table.left_out("--json");
        assert_eq!(told.as_deref(), Some("left out for want of room: items, store; --json or a wider window has them"));
    }

    #[test]
    fn numbers_and_plurals_read_well() {
        assert_eq!(count(1, "order"), "1 order");
        assert_eq!(count(12_300, "order"), "12\u{a0}300 orders");
        assert_eq!(count(2, "dispatch or cancellation"), "2 dispatches or cancellations");
        assert_eq!(duration(chrono::TimeDelta::seconds(7500)), "2 h 05 min");
    }
}
