//! `ordersync retry`.

use serde_json::json;

use super::output;
use super::{App, Outcome};
use crate::book::{Book, OutboxRow, OutboxState};
use crate::error::{EXIT_PARTLY, Error, ErrorKind, Result, common_code, exit_code};
use crate::sync::act;

/// Try a failed dispatch or cancellation again: everything that has not arrived, or one order's.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The order; without it everything in the outbox that has not arrived
    order: Option<String>,
    /// Make again what the channel took and does not show: only after a look at its own pages, as
    /// the buyer may be told twice
    #[arg(long, requires = "order")]
    again: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let mut book = app.book_to_write()?;
    let rows = chosen(&book, args.order.as_deref())?;
    let mut results = Vec::new();
    for row in rows {
        app.context.clock.check_interrupt()?;
        // A row that cannot go costs that row.
        let (state, error) = match one(app, &mut book, &row, args.again) {
            Err(error) if matches!(error.kind(), ErrorKind::Book | ErrorKind::Interrupted) => return Err(error.into()),
            Err(error) => (row.state.word(), Some(error)),
            Ok(done) => done,
        };
        if !app.global.json {
            tell(app, &row, state, error.as_ref())?;
        }
        results.push((row, state, error));
    }
    if app.global.json {
        let rows: Vec<_> = results
            .iter()
            .map(|(row, state, error)| {
                json!({ "order": row.order_id.to_string(), "goal": row.goal.word(), "state": state,
                        "error": error.as_ref().map(output::error_json) })
            })
            .collect();
        output::print_json(&rows)?;
    } else if results.is_empty() && !app.global.quiet {
        match book.stranded_outbox()? {
            rows if rows.is_empty() => output::line("nothing to try again: everything has arrived")?,
            rows => output::line(&format!("nothing to try again; {}", super::outbox::forsaken(&rows)))?,
        }
    }
    let codes = results.iter().map(|(_, _, error)| error.as_ref().map_or(0, |e| exit_code(e.kind())));
    Ok(common_code(codes).unwrap_or(EXIT_PARTLY))
}

/// One row again; gives its state afterwards, and why it has not arrived.
fn one(app: &App, book: &mut Book, row: &OutboxRow, again: bool) -> Result<(&'static str, Option<Error>)> {
    let store = app.store(book, &row.store)?;
    let open = app.context.open(&store)?;
    book.retry(row.id, again)?;
    let (state, pushed) = act::push_row(&app.context, book, &open, row.id, None)?;
    Ok((state, pushed.error(row)))
}

fn chosen(book: &Book, order: Option<&str>) -> Result<Vec<OutboxRow>> {
    let open = book.open_outbox()?;
    let Some(reference) = order else { return Ok(open) };
    let id = book.find(reference)?;
    let rows: Vec<OutboxRow> = open.into_iter().filter(|row| row.order_id == id).collect();
    if rows.is_empty() {
        let text = format!("order {id} has nothing in the outbox; nothing was sent");
        return Err(Error::new(ErrorKind::NotFound, text).hint(format!("ordersync show book:{id} says how it stands")));
    }
    Ok(rows)
}

fn tell(app: &App, row: &OutboxRow, state: &str, error: Option<&Error>) -> anyhow::Result<()> {
    if !app.global.quiet {
        let is = |settled: OutboxState| state == settled.word();
        let stands = match state {
            _ if is(OutboxState::Confirmed) => "has arrived".to_owned(),
            _ if is(OutboxState::Failed) || is(OutboxState::Withdrawn) => state.to_owned(),
            _ if row.held => format!("waits; {}", act::ON_HOLD),
            _ => format!("waits; {}", act::standing(state)),
        };
        output::line(&format!("order {}: {} {stands}", row.order_id, row.goal.word()))?;
    }
    if let Some(error) = error {
        output::print_error(error, output::Format::Human);
    }
    Ok(())
}
