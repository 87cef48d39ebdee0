//! `ordersync dispatch --from FILE.csv`: many dispatches, a result for each.
//!
//! Rows of one order that stand together are one shipment: several tracking numbers, several SKUs. The file is checked
//! as a whole before the first dispatch goes out.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::{Args, By, Done, one, print, to_json};
use crate::cli::{App, Outcome, output};
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result, exit_code};

#[derive(Debug, Deserialize)]
struct Row {
    order: String,
    #[serde(default)]
    carrier: String,
    #[serde(default)]
    tracking: String,
    #[serde(default)]
    sku: String,
    #[serde(default)]
    quantity: String,
}

pub(super) fn run(app: &App, args: &Args, file: &Path) -> Outcome {
    let wanted = read(args, file)?;
    let mut book = app.existing_book()?;
    let mut results = Vec::with_capacity(wanted.len());
    for (order, args) in &wanted {
        app.context.clock.check_interrupt()?;
        let done = one(app, &mut book, order, args);
        if !app.global.json {
            report(app, order, &done)?;
        }
        results.push((order.clone(), done));
    }
    if app.global.json {
        output::print_json(&results.iter().map(|(order, done)| row_json(order, done)).collect::<Vec<_>>())?;
    }
    Ok(code(&results))
}

fn report(app: &App, order: &str, done: &Result<Done>) -> anyhow::Result<()> {
    match done {
        Ok(done) => print(done, app.global.quiet),
        Err(error) => {
            output::print_error(&error.clone().context(format!("order {order}")), output::Format::Human);
            Ok(())
        }
    }
}

fn row_json(order: &str, done: &Result<Done>) -> serde_json::Value {
    match done {
        Ok(done) => to_json(done),
        Err(error) => {
            serde_json::json!({ "order": order, "state": "not-recorded", "error": output::error_json(error) })
        }
    }
}

/// 0 when every row is recorded and none refused; the common code when all failed alike; else "partly done".
fn code(results: &[(String, Result<Done>)]) -> u8 {
    let codes: Vec<u8> = results
        .iter()
        .map(|(_, done)| match done {
            Ok(Done { error: Some(error), state, .. }) if *state == "failed" => exit_code(error.kind()),
            Ok(_) => 0,
            Err(error) => exit_code(error.kind()),
        })
        .collect();
    match codes.split_first() {
        None => 0,
        Some((first, rest)) if rest.iter().all(|code| code == first) => *first,
        Some(_) => EXIT_PARTLY,
    }
}

/// The dispatches of the file, each with its own arguments.
fn read(args: &Args, file: &Path) -> Result<Vec<(String, Args)>> {
    let unreadable = |why: String| {
        Error::new(ErrorKind::Usage, format!("{}: {why}; nothing was dispatched", file.display()))
            .hint("the first line names the columns: order,carrier,tracking and, where wanted, sku,quantity")
    };
    let text = contents(file).map_err(|e| unreadable(e.to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let delimiter =
        if text.lines().next().is_some_and(|head| head.contains(';') && !head.contains(',')) { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).delimiter(delimiter).from_reader(text.as_bytes());
    let mut wanted: Vec<(String, Args)> = Vec::new();
    for (n, row) in reader.deserialize::<Row>().enumerate() {
        let row = row.map_err(|e| unreadable(e.to_string()))?;
        if row.order.is_empty() {
            return Err(unreadable(format!("row {} names no order", n + 2)));
        }
        let last = wanted.len().saturating_sub(1);
        match wanted.iter().position(|(order, _)| *order == row.order) {
            Some(at) if at == last => wanted.iter_mut().skip(at).for_each(|(_, args)| add(args, &row)),
            Some(_) => {
                let text = format!("row {}: order {} stands above already; put its rows together", n + 2, row.order);
                return Err(unreadable(text));
            }
            None => {
                let mut own = Args {
                    from: None,
                    order: Some(row.order.clone()),
                    by: args.by.or(Some(By::Channel)),
                    ..args.clone()
                };
                let order = row.order.clone();
                add(&mut own, &row);
                wanted.push((order, own));
            }
        }
    }
    if wanted.is_empty() { Err(unreadable("it holds no row".to_owned())) } else { Ok(wanted) }
}

fn add(args: &mut Args, row: &Row) {
    if !row.tracking.is_empty() && !args.tracking.contains(&row.tracking) {
        args.tracking.push(row.tracking.clone());
        args.carrier.push(row.carrier.clone());
    }
    if !row.sku.is_empty() {
        let quantity = if row.quantity.is_empty() { "1" } else { &row.quantity };
        args.item.push(format!("{}={quantity}", row.sku));
    }
}

fn contents(file: &Path) -> std::io::Result<String> {
    const LARGEST: u64 = 16 * 1024 * 1024;
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().take(LARGEST).read_to_string(&mut text)?;
    } else {
        std::fs::File::open(file)?.take(LARGEST).read_to_string(&mut text)?;
    }
    Ok(text)
}
