//! The rows of a file: cells mended or refused, rows of one order put together.

use std::collections::HashMap;

use csv::StringRecord;
use rust_decimal::Decimal;

use crate::cli::csv_file::{By, Cells, Column, Columns, Meaning, Text, reference};
use crate::error::{Error, ErrorKind};
use crate::order::{tracking_number, undressed, zeros_behind};

/// Rows of one order: one shipment.
#[derive(Debug)]
pub(super) struct Group {
    /// The lines of the file, as an editor counts them.
    pub(crate) rows: Vec<u64>,
    /// The order as it is written there.
    pub(crate) written: String,
    /// What `find` takes for it.
    pub(crate) reference: String,
    /// Whose number it is, where the row says.
    pub(crate) by: Option<By>,
    /// Carrier and tracking number of each parcel.
    pub(crate) parcels: Vec<(String, String)>,
    /// `SKU=QTY`.
    pub(crate) items: Vec<String>,
    /// Why it cannot be dispatched.
    pub(crate) fault: Option<Error>,
}

/// All rows, and how many cells were mended.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(crate) groups: Vec<Group>,
    pub(crate) mended: usize,
}

/// What the merchant says of the file that its rows do not say.
#[derive(Debug)]
pub(super) struct Meant {
    /// A row without a tracking number goes out without one, and is not one that has no label yet.
    pub(crate) no_tracking: bool,
    /// Numbers that look as if a spreadsheet had rounded them are right.
    pub(crate) trust_numbers: bool,
}

/// Zeros behind the digits that a spreadsheet keeps: so many in a row are hardly chance.
const ZEROS: usize = 3;

const ROUNDED: &str = "ends in zeros as if a spreadsheet had rounded it; format the column as text and export it again, \
                       or add --trust-numbers if the numbers are right";

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Row {
    order: String,
    by: Option<By>,
    carrier: String,
    tracking: String,
    sku: String,
    quantity: String,
}

/// Reads all rows, each once, whatever is wrong with others.
///
/// # Errors
/// Where the file itself is at fault.
pub(super) fn read(text: &Text, meaning: &Meaning<'_>, meant: &Meant) -> Result<(Columns, Rows), String> {
    let (columns, records) = text.rows(meaning)?;
    if !meant.no_tracking && !columns.has(Column::Tracking) {
        return Err(
            "no column is called tracking; --no-tracking dispatches all of its orders without a number".to_owned()
        );
    }
    let mut rows = Rows::default();
    let mut places: HashMap<(String, Option<By>), usize> = HashMap::new();
    let mut seen: HashMap<Row, u64> = HashMap::new();
    for (line, record) in records {
        let read = row(&columns, &record, meant, &mut rows.mended);
        let fault = read.as_ref().err().cloned().or_else(|| {
            let row = read.as_ref().ok()?;
            let twice = seen.insert(row.clone(), line)?;
            Some(format!("is the same as row {twice}; where both are meant, put the quantities together"))
        });
        let written = columns.cell(&record, Column::Order).trim().to_owned();
        let key = read.as_ref().map_or_else(|_| (format!("\0{line}"), None), |row| (row.order.clone(), row.by));
        let last = rows.groups.len();
        let at = *places.entry(key).or_insert(last);
        if at == last {
            rows.groups.push(Group::new(written, read.as_ref().ok()));
        }
        let apart = at + 1 < rows.groups.len();
        let Some(group) = rows.groups.get_mut(at) else { continue };
        let fault = fault.or_else(|| match &read {
            _ if apart => Some("names an order that stands above already; put its rows together".to_owned()),
            Ok(row) => group.add(row).err(),
            Err(_) => None,
        });
        if let Some(fault) = fault {
            group.blame(line, &fault);
        }
        group.rows.push(line);
    }
    if !meant.trust_numbers {
        blame_rounded(&mut rows.groups);
    }
    if rows.groups.is_empty() { Err("it holds no row".to_owned()) } else { Ok((columns, rows)) }
}

/// A shorter tail of zeros may be chance in one number. It is none where every long number of the
/// file has one.
fn blame_rounded(groups: &mut [Group]) {
    let tails: Vec<usize> =
        groups.iter().flat_map(|group| &group.parcels).filter_map(|(_, number)| zeros_behind(number)).collect();
    if tails.contains(&0) || tails.iter().sum::<usize>() < ZEROS {
        return;
    }
    for group in groups {
        let number = group.parcels.iter().map(|(_, number)| number).find(|number| zeros_behind(number).is_some());
        if let (Some(number), Some(line)) = (number.cloned(), group.rows.first().copied()) {
            group.blame(
                line,
                &format!("cannot be used: the tracking number {number:?}, as each long one of the file, {ROUNDED}"),
            );
        }
    }
}

impl Group {
    fn new(written: String, row: Option<&Row>) -> Self {
        Self {
            rows: Vec::new(),
            written,
            reference: row.map(|row| row.order.clone()).unwrap_or_default(),
            by: row.and_then(|row| row.by),
            parcels: Vec::new(),
            items: Vec::new(),
            fault: None,
        }
    }

    fn blame(&mut self, line: u64, why: &str) {
        self.fault.get_or_insert_with(|| Error::new(ErrorKind::Usage, format!("row {line} {why}")));
    }

    /// What the row adds to the shipment.
    fn add(&mut self, row: &Row) -> Result<(), String> {
        let first = self.rows.is_empty();
        if !first && self.items.is_empty() != row.sku.is_empty() {
            return Err("names a sku where another row of the order names none, which ships all of it".to_owned());
        }
        let parcel = (row.carrier.clone(), row.tracking.clone());
        let already = self.parcels.iter().find(|(_, tracking)| *tracking == row.tracking);
        match already {
            Some((carrier, _)) if *carrier != row.carrier => {
                return Err(format!("gives {} another carrier than a row above", row.tracking));
            }
            None if !row.tracking.is_empty() => self.parcels.push(parcel),
            _ if row.sku.is_empty() && !first => return Err("says nothing that a row above does not say".to_owned()),
            _ => {}
        }
        if !row.sku.is_empty() {
            self.items.push(format!("{}={}", row.sku, row.quantity));
        }
        Ok(())
    }
}

fn row(columns: &Columns, record: &StringRecord, meant: &Meant, mended: &mut usize) -> Result<Row, String> {
    let cells = Cells::of(columns, record)?;
    let mut cell = |column| cells.text(column, mended);
    let (order, store, by) = (cell(Column::Order)?, cell(Column::Store)?, cell(Column::By)?);
    let (carrier, sku, quantity) = (cell(Column::Carrier)?, cell(Column::Sku)?, cell(Column::Quantity)?);
    let tracking = tracking(columns.cell(record, Column::Tracking), meant.trust_numbers, mended)?;
    if tracking.is_empty() && !carrier.is_empty() {
        return Err(format!("has the carrier {carrier} but no tracking number"));
    }
    if tracking.is_empty() && !meant.no_tracking && !order.is_empty() {
        return Err("has no tracking number; --no-tracking dispatches such rows without one".to_owned());
    }
    let quantity = match (sku.is_empty(), quantity.is_empty()) {
        (true, true) => String::new(),
        (true, false) => return Err("has a quantity but no sku; without one all of the order ships".to_owned()),
        (false, true) => return Err(format!("has the sku {sku} but no quantity")),
        (false, false) => pieces(&quantity)?,
    };
    Ok(Row { order: reference(&order, &store)?, by: By::read(&by)?, carrier, tracking, sku, quantity })
}

/// A tracking number as it was; an empty cell is none.
fn tracking(raw: &str, trusted: bool, mended: &mut usize) -> Result<String, String> {
    if undressed(raw).is_empty() {
        return Ok(String::new());
    }
    let told = |why: &str| format!("cannot be used: the tracking number {:?} {why}", raw.trim());
    let number = tracking_number(raw).map_err(told)?;
    if !trusted && zeros_behind(&number).is_some_and(|zeros| zeros >= ZEROS) {
        return Err(told(ROUNDED));
    }
    *mended += usize::from(number != raw.trim());
    Ok(number)
}

/// A quantity as `--item` takes it: `2`, `2.0`, `1.5` of what is sold by weight.
fn pieces(text: &str) -> Result<String, String> {
    let refused = || format!("has the quantity {text:?}; it takes a number above zero");
    if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(refused());
    }
    let number: Decimal = text.parse().map_err(|_| refused())?;
    if number > Decimal::ZERO { Ok(number.normalize().to_string()) } else { Err(refused()) }
}
