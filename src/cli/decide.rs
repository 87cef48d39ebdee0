//! What `accept` and `reject` have in common: one order or many, named or in a file, and a result for
//! each.

mod rows;

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use self::rows::Wanted;
use super::csv_file::By;
use super::interrupt::{self, Left};
use super::{App, Outcome, output};
use crate::book::{Book, BookOrder};
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result, common_code, exit_code};
use crate::order::{Difference, Field};

/// Which orders, and what of them.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// The order: its number in the book, STORE:ID, or the channel's own order number; several for
    /// several
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    order: Vec<String>,
    /// Only this field of it, as `ordersync show` and `ordersync changes` call it; several times for
    /// several
    #[arg(long, value_name = "FIELD", value_parser = super::changes::field)]
    field: Vec<Field>,
    /// Those of a CSV file with a column order and, where wanted, store, by, field and channels (what
    /// the channel's version must still say), as `ordersync changes --csv` writes it; - reads
    /// standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// With --from: leave this column out; may be given several times
    #[arg(long, value_name = "COLUMN", requires = "from")]
    ignore: Vec<String>,
    /// Whose numbers a bare order number is: of the channel (the default with --from) or of the
    /// book
    #[arg(long, value_name = "WHOSE")]
    by: Option<By>,
}

/// What is decided about one order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// These fields; none: all.
    pub(super) fields: &'a [Field],
    /// What the channel's version said of fields when the merchant looked at it.
    pub(super) seen: &'a [(Field, String)],
    /// Whether it is the only one: then the channel may be asked for what the book does not have.
    pub(super) alone: bool,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Told {
    /// The keys of its JSON.
    pub(super) json: Value,
    /// The same for people.
    pub(super) lines: Vec<String>,
}

/// A decision, and its words.
pub(super) struct Act {
    /// What it has done: `accepted`.
    pub(super) done: &'static str,
    /// Does it.
    pub(super) one: fn(&App, &mut Book, i64, Asked<'_>) -> Result<Told>,
}

/// Decides about all that are named.
pub(super) fn run(app: &App, which: &Which, act: &Act) -> Outcome {
    if let ([reference], None) = (which.order.as_slice(), &which.from) {
        let mut book = app.book_to_write()?;
        let id = book.find_as(reference, By::naming(which.by))?;
        let told = (act.one)(app, &mut book, id, Asked { fields: &which.field, seen: &[], alone: true })?;
        if app.global.json {
            output::print_json(&told.json)?;
        } else if !app.global.quiet {
            told.lines.iter().try_for_each(|line| output::line(line))?;
        }
        return Ok(0);
    }
    interrupt::leaves(Left::Nothing);
    let mut all = match &which.from {
        Some(file) => rows::read(app, which, file, act)?,
        None => rows::named(which),
    };
    let mut book = app.book_to_write()?;
    if !is_usable(&book, &mut all) {
        tell_all(app, &all, act)?;
        return refused(app, &all, act);
    }
    decide_all(app, &mut book, &mut all, act)
}

/// Decides in the order of the file, each order in a transaction of its own.
fn decide_all(app: &App, book: &mut Book, all: &mut [Wanted], act: &Act) -> Outcome {
    let mut stopped = None;
    for wanted in all.iter_mut().filter(|wanted| wanted.above.is_none()) {
        if let Err(error) = app.context.clock.check_interrupt() {
            stopped = Some(error);
            break;
        }
        if let (Some(id), None) = (wanted.id, &wanted.done) {
            let asked = Asked { fields: &wanted.fields, seen: &wanted.seen, alone: false };
            wanted.done = Some((act.one)(app, book, id, asked));
            interrupt::leaves(Left::Decided);
        }
        if !app.global.json {
            tell(app, wanted)?;
        }
    }
    if app.global.json {
        tell_all(app, all, act)?;
    } else if !app.global.quiet {
        sum_up(all);
    }
    stopped.map_or_else(|| Ok(code(all)), |error| Err(error.into()))
}

/// Finds the orders and puts together what is said of one in several rows. False where something in
/// it cannot be meant, or cannot be told for sure: then nothing is decided. An order that is not in
/// the book costs itself.
fn is_usable(book: &Book, all: &mut [Wanted]) -> bool {
    let mut places: HashMap<i64, usize> = HashMap::new();
    let mut usable = true;
    for at in 0..all.len() {
        let (before, rest) = all.split_at_mut(at);
        let Some(wanted) = rest.first_mut() else { continue };
        let found = match wanted.fault.take() {
            Some(fault) => Err(fault),
            None => book.find_as(&wanted.reference, By::naming(wanted.by)),
        };
        let joined = found.and_then(|id| {
            wanted.id = Some(id);
            let first = *places.entry(id).or_insert(at);
            before.get_mut(first).map_or(Ok(()), |above| wanted.join(above))
        });
        if let Err(error) = joined {
            usable &= error.kind() == ErrorKind::NotFound;
            wanted.done = Some(Err(error));
        }
    }
    usable
}

fn tell_all(app: &App, all: &[Wanted], act: &Act) -> anyhow::Result<()> {
    if app.global.json {
        return output::print_json(&all.iter().map(|wanted| row_json(all, wanted, act)).collect::<Vec<_>>());
    }
    all.iter().filter(|wanted| wanted.done.is_some()).try_for_each(|wanted| tell(app, wanted))
}

fn tell(app: &App, wanted: &Wanted) -> anyhow::Result<()> {
    match &wanted.done {
        Some(Ok(told)) if !app.global.quiet => told.lines.iter().try_for_each(|line| output::line(line)),
        Some(Err(error)) => {
            output::print_error(&error.clone().context(wanted.place()), output::Format::Human);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A result, with its line in the file and the order as it is written there, so that it can be joined
/// with the input. A row of an order that stands above has the result of that.
fn row_json(all: &[Wanted], wanted: &Wanted, act: &Act) -> Value {
    let done = match wanted.above {
        Some(above) => {
            all.iter().find(|one| one.id == Some(above) && one.above.is_none()).and_then(|one| one.done.as_ref())
        }
        None => wanted.done.as_ref(),
    };
    let mut value = match done {
        Some(Ok(told)) => told.json.clone(),
        Some(Err(error)) => json!({ "order": wanted.id.map(|id| id.to_string()), "error": output::error_json(error) }),
        None => json!({ "order": wanted.id.map(|id| id.to_string()), "error": null }),
    };
    if let Some(keys) = value.as_object_mut() {
        let state = match done {
            Some(Ok(_)) if wanted.above.is_some() => "already".to_owned(),
            Some(Ok(_)) => act.done.to_owned(),
            _ => format!("not-{}", act.done),
        };
        keys.insert("state".to_owned(), json!(state));
        keys.insert("row".to_owned(), json!(wanted.row));
        keys.insert("reference".to_owned(), json!(wanted.written));
    }
    value
}

/// After so many lines that nobody reads them all: how many went well, and which rows did not.
fn sum_up(all: &[Wanted]) {
    let twice = all.iter().filter(|wanted| wanted.above.is_some()).count() as u64;
    if twice > 0 {
        output::note(&format!(
            "{} of an order that stands above; each order was decided once",
            output::count(twice, "row")
        ));
    }
    let decided = || all.iter().filter(|wanted| wanted.above.is_none());
    let is_well = |wanted: &&Wanted| matches!(wanted.done, Some(Ok(_)));
    let (well, of) = (decided().filter(is_well).count(), decided().count());
    if well < of {
        let missed: Vec<String> = decided().filter(|wanted| !is_well(wanted)).map(Wanted::place).collect();
        let (well, of) = (output::number(well as u64), output::number(of as u64));
        output::note(&format!("{well} of {of} orders went well; not so {}", missed.join("; ")));
    }
}

/// Nothing was decided: says so, and gives the code that all faults have in common.
fn refused(app: &App, all: &[Wanted], act: &Act) -> Outcome {
    let errors = all.iter().filter_map(|wanted| wanted.done.as_ref()?.as_ref().err());
    let codes: Vec<u8> = errors.map(|error| exit_code(error.kind())).collect();
    if !app.global.json {
        let (bad, of) = (output::count(codes.len() as u64, "row"), output::number(all.len() as u64));
        output::note(&format!("{bad} of {of} cannot be used as they stand; nothing was {}", act.done));
    }
    Ok(common_code(codes).unwrap_or(exit_code(ErrorKind::Usage)))
}

/// 0 when every order was decided about; the common code when none was and all for the same reason;
/// else "partly done".
fn code(all: &[Wanted]) -> u8 {
    let decided = all.iter().filter(|wanted| wanted.above.is_none());
    let codes = decided.filter_map(|wanted| wanted.done.as_ref());
    common_code(codes.map(|done| done.as_ref().map_or_else(|error| exit_code(error.kind()), |_| 0)))
        .unwrap_or(EXIT_PARTLY)
}

/// What differs is what the merchant has looked at.
///
/// # Errors
/// `Refused` where the channel's version says something else by now.
pub(super) fn is_as_seen(order: &BookOrder, asked: Asked<'_>, found: &[Difference]) -> Result<()> {
    for (field, seen) in asked.seen {
        let now = found.iter().find(|found| found.aspect == *field).map(|found| rows::cell(&found.after));
        if now.as_ref() != Some(seen) {
            let text = format!(
                "the {} of order {} at the channel is not what the file says any more; nothing was changed",
                field.word(),
                order.id
            );
            return Err(Error::new(ErrorKind::Refused, text).hint(format!(
                "ordersync show book:{} prints both versions; ordersync changes --csv writes a new file",
                order.id
            )));
        }
    }
    Ok(())
}
