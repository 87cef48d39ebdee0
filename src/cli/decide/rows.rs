//! The orders that are named, one by one or in a file.

use std::path::Path;

use csv::StringRecord;

use super::{Act, Told, Which};
use crate::cli::csv_file::{
    BY, By, Cells, Column, Columns, Meaning, Name, ORDER, STORE, Text, reference, say, unreadable,
};
use crate::cli::{App, output};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Field, undressed};

/// What `changes --csv` writes, and what of it is read.
const NAMES: [Name; 8] = [
    ORDER,
    STORE,
    BY,
    (Column::Field, "field", &["aspect"]),
    (Column::Theirs, "channels", &[]),
    (Column::Besides("number"), "number", &[]),
    (Column::Besides("status"), "status", &[]),
    (Column::Besides("yours"), "yours", &[]),
];

/// An order that is named, and what came of it; nothing where it was not its turn.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// The line of the file, as an editor counts them.
    pub(super) row: Option<u64>,
    /// The order as it is written there.
    pub(super) written: String,
    /// What `find` takes for it.
    pub(super) reference: String,
    /// Whose number it is, where that is said.
    pub(super) by: Option<By>,
    /// Only these fields.
    pub(super) fields: Vec<Field>,
    /// What the channel's version said of fields when the file was written.
    pub(super) seen: Vec<(Field, String)>,
    /// Why it cannot be used.
    pub(super) fault: Option<Error>,
    /// Its number in the book.
    pub(super) id: Option<i64>,
    /// The same order stands above, and is decided about there.
    pub(super) above: Option<i64>,
    /// What came of it.
    pub(super) done: Option<Result<Told>>,
}

impl Wanted {
    /// Where it stands, for an error.
    pub(super) fn place(&self) -> String {
        match self.row {
            Some(row) => format!("row {row}, order {}", self.written),
            None => format!("order {}", self.written),
        }
    }

    /// The order stands above already: what this row says of it goes with that.
    ///
    /// # Errors
    /// `Usage` where the two do not go together.
    pub(super) fn join(&mut self, above: &mut Self) -> Result<()> {
        if self.fields.is_empty() != above.fields.is_empty() {
            let text = format!(
                "stands above already as {}, and only one of the two names a field; nothing tells which is meant",
                above.written
            );
            return Err(Error::new(ErrorKind::Usage, text));
        }
        self.above = above.id;
        let new: Vec<Field> = self.fields.iter().copied().filter(|field| !above.fields.contains(field)).collect();
        above.fields.extend(new);
        above.seen.append(&mut self.seen);
        Ok(())
    }
}

/// The orders that the command line names.
pub(super) fn named(which: &Which) -> Vec<Wanted> {
    let named = |written: &String| Wanted {
        written: written.clone(),
        reference: written.clone(),
        by: which.by,
        fields: which.field.clone(),
        ..Wanted::default()
    };
    which.order.iter().map(named).collect()
}

/// The orders of a file.
pub(super) fn read(app: &App, which: &Which, file: &Path, act: &Act) -> Result<Vec<Wanted>> {
    let undone = format!("nothing was {}", act.done);
    let header = "order and, where wanted, store,by,field,channels";
    let meaning = Meaning { names: &NAMES, ignored: &which.ignore, undone: &undone, header };
    let text = Text::read(file, &meaning, app.context.clock.as_ref())?;
    let unreadable = |why: String| unreadable(file, &meaning, &why);
    let (columns, rows) = text.rows(&meaning).map_err(unreadable)?;
    if columns.has(Column::Theirs) && !columns.has(Column::Field) {
        return Err(unreadable("it has a column channels and none that says of which field".to_owned()));
    }
    let mut mended = 0;
    let mut all = Vec::new();
    for (line, record) in rows {
        let written = columns.cell(&record, Column::Order).trim().to_owned();
        let read = row(&columns, &record, which, &mut mended);
        let wanted = read.unwrap_or_else(|why| Wanted {
            fault: Some(Error::new(ErrorKind::Usage, format!("row {line} {why}"))),
            ..Wanted::default()
        });
        all.push(Wanted { row: Some(line), written, ..wanted });
    }
    if all.is_empty() {
        return Err(unreadable("it holds no row".to_owned()));
    }
    if !app.global.quiet {
        say(&columns, mended, text.told);
        let unread = columns.besides();
        if !unread.is_empty() {
            output::note(&format!("not read: {}", unread.join(", ")));
        }
    }
    Ok(all)
}

fn row(columns: &Columns, record: &StringRecord, which: &Which, mended: &mut usize) -> Result<Wanted, String> {
    let cells = Cells::of(columns, record)?;
    let mut text = |column| cells.text(column, mended);
    let (order, store, by, field) =
        (text(Column::Order)?, text(Column::Store)?, text(Column::By)?, text(Column::Field)?);
    let field = match field.as_str() {
        "" => None,
        word => Some(crate::cli::changes::field(word).map_err(|why| format!("has {word:?} under field, which {why}"))?),
    };
    let fields = field.map_or_else(|| which.field.clone(), |field| vec![field]);
    if field.is_some_and(|field| !which.field.is_empty() && !which.field.contains(&field)) {
        return Err("names a field that --field does not name".to_owned());
    }
    let theirs = undressed(columns.cell(record, Column::Theirs));
    let seen = field.filter(|_| !theirs.is_empty()).map(|field| (field, theirs));
    let by = By::read(&by)?.or(which.by).or(Some(By::Channel));
    Ok(Wanted {
        reference: reference(&order, &store)?,
        by,
        fields,
        seen: seen.into_iter().collect(),
        ..Wanted::default()
    })
}

/// What stands in a cell for this text once a file of ours was through a spreadsheet.
pub(super) fn cell(text: &str) -> String {
    undressed(&output::csv_text(text))
}
