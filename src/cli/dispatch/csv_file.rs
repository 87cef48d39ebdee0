//! `ordersync dispatch --from FILE.csv`: many dispatches, a result for each.
//!
//! Rows of one order that stand together are one shipment: several tracking numbers, several SKUs.
//! The file is checked as a whole before the first dispatch goes out: what it says that cannot be
//! meant, or cannot be told for sure, stops all of it. An order that the book does not have costs its
//! own rows.

mod rows;

use std::collections::HashMap;
use std::path::Path;

use serde_json::json;

use self::rows::{Group, Meant, Rows};
use super::{Args, naming, one, print_done, request, to_json};
use crate::book::{Book, OutboxState};
use crate::channel::Capabilities;
use crate::cli::csv_file::{BY, By, Column, Meaning, Name, ORDER, STORE, Text, say, unreadable};
use crate::cli::interrupt::{self, Left};
use crate::cli::{App, Outcome, output};
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result, common_code, exit_code};
use crate::sync::dispatch::{Done, choose};

/// The columns that a dispatch is made of.
const NAMES: [Name; 7] = [
    ORDER,
    STORE,
    BY,
    (
        Column::Carrier,
        "carrier",
        &[
            "carriername",
            "shippingcarrier",
            "courier",
            "couriername",
            "shippingprovider",
            "trackingcompany",
            "trackingprovider",
            "trackingcarrier",
            "shippingcompany",
            "versanddienstleister",
            "versanddienst",
            "paketdienst",
            "spediteur",
            "transporteur",
        ],
    ),
    (
        Column::Tracking,
        "tracking",
        &[
            "trackingnumber",
            "trackingno",
            "trackingnr",
            "trackingnum",
            "trackingid",
            "trackingcode",
            "trackingnumbers",
            "consignmentnumber",
            "shipmenttrackingnumber",
            "sendungsnummer",
            "paketnummer",
            "trackingnummer",
            "numerodesuivi",
        ],
    ),
    (Column::Sku, "sku", &["itemsku", "lineitemsku", "productsku", "variantsku", "articlesku"]),
    (Column::Quantity, "quantity", &["qty", "itemquantity", "lineitemquantity", "itemqty", "menge", "quantite"]),
];

/// A shipment of the file, its own arguments, and what came of it; nothing where it was not its
/// turn.
struct Wanted {
    group: Group,
    args: Args,
    done: Option<Result<Done>>,
}

pub(super) fn run(app: &App, args: &Args, file: &Path) -> Outcome {
    interrupt::leaves(Left::Nothing);
    let mut all = read(app, args, file)?;
    let mut book = app.book_to_write()?;
    if check(app, &book, &mut all)? {
        tell_all(app, &all)?;
        return Ok(refused(app, &all));
    }
    let mut stopped = None;
    let mut silent = Silent::new();
    for wanted in &mut all {
        if let Err(error) = app.context.clock.check_interrupt() {
            stopped = Some(error);
            break;
        }
        let done = in_its_turn(app, &mut book, wanted, &mut silent);
        interrupt::leaves(Left::Rows);
        if !app.global.json {
            tell(app, &wanted.group, &done)?;
        }
        wanted.done = Some(done);
    }
    if app.global.json {
        tell_all(app, &all)?;
    } else if !app.global.quiet {
        sum_up(&all);
    }
    stopped.map_or_else(|| Ok(code(&all)), |error| Err(error.into()))
}

/// Stores that could not be reached in this run, and why: the rows behind do not ask them one after
/// the other.
type Silent = HashMap<String, Error>;

fn in_its_turn(app: &App, book: &mut Book, wanted: &Wanted, silent: &mut Silent) -> Result<Done> {
    let Wanted { group, args, .. } = wanted;
    let store = book.find_as(&group.reference, naming(args)).and_then(|id| book.order(id))?.store;
    let done = match silent.get(&store) {
        Some(error) if args.dry_run => return Err(error.clone()),
        Some(_) => return one(app, book, &group.reference, &Args { later: true, ..args.clone() }),
        None => one(app, book, &group.reference, args),
    };
    let unreached = match &done {
        Ok(done) => done.error.as_ref().filter(|_| done.state == OutboxState::Queued.word()),
        Err(error) => Some(error),
    };
    if let Some(error) = unreached.filter(|error| error.kind() == ErrorKind::Temporary) {
        silent.insert(store, error.clone());
    }
    done
}

/// The dispatches of the file, each with its own arguments.
fn read(app: &App, args: &Args, file: &Path) -> Result<Vec<Wanted>> {
    let meaning = Meaning {
        names: &NAMES,
        ignored: &args.ignore,
        undone: "nothing was dispatched",
        header: "order,carrier,tracking and, where wanted, sku,quantity,store,by",
    };
    let text = Text::read(file, &meaning, app.context.clock.as_ref())?;
    let meant = Meant { no_tracking: args.no_tracking, trust_numbers: args.trust_numbers };
    let (columns, rows) = rows::read(&text, &meaning, &meant).map_err(|why| unreadable(file, &meaning, &why))?;
    if !app.global.quiet {
        say(&columns, rows.mended, text.told);
        shared_numbers(&rows).iter().for_each(|text| output::note(text));
    }
    let wanted = |group: Group| {
        let (carrier, tracking) = group.parcels.iter().cloned().unzip();
        let by = group.by.or(args.by).or(Some(By::Channel));
        let (order, item) = (Some(group.reference.clone()), group.items.clone());
        let args = Args { from: None, order, by, carrier, tracking, item, ..args.clone() };
        Wanted { group, args, done: None }
    };
    Ok(rows.groups.into_iter().map(wanted).collect())
}

/// Numbers that stand at several orders: one box for two orders of a buyer, or a slip.
fn shared_numbers(rows: &Rows) -> Vec<String> {
    let mut orders: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for group in &rows.groups {
        for (_, number) in &group.parcels {
            orders.entry(number).or_default().push(&group.written);
        }
    }
    let shared = orders.into_iter().filter(|(_, orders)| orders.len() > 1);
    shared
        .map(|(number, orders)| format!("the number {number} stands at several orders: {}", orders.join(", ")))
        .collect()
}

/// Whether something in the file is at fault. What only an order's own state speaks against, and an
/// order that is not in the book, costs that order alone, in its turn.
fn check(app: &App, book: &Book, all: &mut [Wanted]) -> Result<bool> {
    let mut stores: HashMap<String, Option<Capabilities>> = HashMap::new();
    let mut orders: HashMap<i64, String> = HashMap::new();
    for wanted in all.iter_mut() {
        let fault = match wanted.group.fault.take() {
            Some(fault) => Some(fault),
            None => fault(app, book, wanted, &mut stores, &mut orders).err(),
        };
        wanted.done = fault.filter(|error| matches!(error.kind(), ErrorKind::Usage | ErrorKind::NotFound)).map(Err);
    }
    Ok(all.iter().any(|wanted| wanted.done.is_some()))
}

fn fault(
    app: &App,
    book: &Book,
    wanted: &Wanted,
    stores: &mut HashMap<String, Option<Capabilities>>,
    orders: &mut HashMap<i64, String>,
) -> Result<()> {
    let id = match book.find_as(&wanted.group.reference, naming(&wanted.args)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if let Some(above) = orders.insert(id, wanted.group.written.clone()) {
        let text = format!("stands above already as {above}; put its rows together");
        return Err(Error::new(ErrorKind::Usage, text));
    }
    let order = book.order(id)?;
    let store = app.store(book, &order.store)?;
    let can = stores
        .entry(order.store.clone())
        .or_insert_with(|| app.context.open(&store).ok().map(|open| open.channel.capabilities()));
    if let Some(can) = can {
        request(&wanted.args).parcels(can, &order.channel)?;
    }
    let can_replace = can.as_ref().is_some_and(|can| can.replace_tracking);
    choose(&order, &wanted.args.item, can_replace).map(|_| ())
}

fn tell_all(app: &App, all: &[Wanted]) -> anyhow::Result<()> {
    if app.global.json {
        return output::print_json(&all.iter().map(row_json).collect::<Vec<_>>());
    }
    all.iter().try_for_each(|wanted| wanted.done.as_ref().map_or(Ok(()), |done| tell(app, &wanted.group, done)))
}

fn tell(app: &App, group: &Group, done: &Result<Done>) -> anyhow::Result<()> {
    let error = match done {
        Ok(done) => {
            print_done(done, app.global.quiet)?;
            done.error.as_ref()
        }
        Err(error) => Some(error),
    };
    if let Some(error) = error {
        let rows: Vec<String> = group.rows.iter().map(u64::to_string).collect();
        let which = if rows.len() == 1 { "row" } else { "rows" };
        let place = format!("{which} {}, order {}", rows.join(", "), group.written);
        output::print_error(&error.clone().context(place), output::Format::Human);
    }
    Ok(())
}

/// A result, with the lines of the file and the order as it is written there, so that it can be
/// joined with the input.
fn row_json(wanted: &Wanted) -> serde_json::Value {
    let Group { rows, written, .. } = &wanted.group;
    let mut value = match &wanted.done {
        Some(Ok(done)) => to_json(done),
        Some(Err(error)) => json!({ "order": written, "state": "not-recorded", "error": output::error_json(error) }),
        None => json!({ "order": written, "state": "not-recorded", "error": null }),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("rows".to_owned(), json!(rows));
        fields.insert("reference".to_owned(), json!(written));
    }
    value
}

/// After so many lines that nobody reads them all: how many went well, and which rows did not.
fn sum_up(all: &[Wanted]) {
    // What only stands in the outbox has not gone well yet, where it was to go out at once.
    let queued = OutboxState::Queued.word();
    let is_well = |done: &Done, args: &Args| done.error.is_none() && (args.later || done.state != queued);
    let well = |wanted: &&Wanted| matches!(&wanted.done, Some(Ok(done)) if is_well(done, &wanted.args));
    let rows: Vec<String> =
        all.iter().filter(|wanted| !well(wanted)).flat_map(|wanted| &wanted.group.rows).map(u64::to_string).collect();
    if !rows.is_empty() {
        let (good, of) = (output::number(all.iter().filter(well).count() as u64), output::number(all.len() as u64));
        let which =
            if let [row] = rows.as_slice() { format!("row {row}") } else { format!("rows {}", rows.join(", ")) };
        output::note(&format!("{good} of {of} orders went well; not so {which}"));
    }
}

/// Nothing went out: says so, and gives the code that all faults have in common.
fn refused(app: &App, all: &[Wanted]) -> u8 {
    let codes: Vec<u8> = all
        .iter()
        .filter_map(|wanted| wanted.done.as_ref()?.as_ref().err())
        .map(|error| exit_code(error.kind()))
        .collect();
    if !app.global.json {
        let (bad, of) = (codes.len() as u64, output::number(all.len() as u64));
        output::note(&format!(
            "{} of {of} cannot be used as they stand; nothing was dispatched",
            output::count(bad, "shipment")
        ));
    }
    common_code(codes).unwrap_or(exit_code(ErrorKind::Usage))
}

/// 0 when every row is done as it was asked for; the common code when none is and all for the same
/// reason; else "partly done".
fn code(all: &[Wanted]) -> u8 {
    let code = |wanted: &Wanted| {
        Some(match wanted.done.as_ref()? {
            Ok(Done { error: Some(error), .. }) | Err(error) => exit_code(error.kind()),
            // Behind another one of its store, which could not be reached.
            Ok(done) if !(wanted.args.later || wanted.args.dry_run || done.is_confirmed()) => {
                exit_code(ErrorKind::Temporary)
            }
            Ok(_) => 0,
        })
    };
    common_code(all.iter().filter_map(code)).unwrap_or(EXIT_PARTLY)
}
