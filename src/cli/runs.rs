//! `ordersync runs`.

use serde_json::json;

use super::output::{self, Table};
use super::{App, Outcome};
use crate::book::RunRow;
use crate::clock::{Timestamp, rfc3339};
use crate::lock;

const COLUMNS: [&str; 18] = [
    "run",
    "kind",
    "dry_run",
    "store",
    "state",
    "started_at",
    "finished_at",
    "fetched",
    "new",
    "changed",
    "unchanged",
    "failed",
    "drafts",
    "sent",
    "requests",
    "bytes",
    "notes",
    "error",
];

/// What each sync did: fetched = new + changed + unchanged + failed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// At most so many runs, 0 for all; default is 20 on the screen, and all in JSON and CSV
    #[arg(long)]
    limit: Option<usize>,
    /// Print as CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let all = i64::MAX as usize;
    let limit = match args.limit {
        Some(0) => all,
        Some(limit) => limit.min(all),
        None if app.global.json || args.csv => all,
        None => 20,
    };
    let runs = app.existing_book()?.runs(limit)?;
    let locks = app.context.home.locks();
    let states: Vec<State> = runs.iter().map(|run| State::of(run, &locks)).collect();
    if app.global.json || args.csv {
        let rows: Vec<_> = runs.iter().zip(&states).map(|(run, state)| to_json(run, *state)).collect();
        if args.csv {
            output::print_csv_of(&COLUMNS, &rows)?
        } else {
            output::print_json(&rows)?
        }
        return Ok(0);
    }
    if runs.is_empty() && !app.global.quiet {
        output::note("no sync has run yet: ordersync sync");
    }
    let mut table = table(&runs, &states, app.context.clock.now());
    table.print()?;
    if let Some(left_out) = table.left_out("--json").filter(|_| !app.global.quiet) {
        output::note(&left_out);
    }
    Ok(0)
}

fn to_json(r: &RunRow, state: State) -> serde_json::Value {
    json!({
        "state": state.word(),
        "run": r.id.to_string(), "kind": r.kind, "dry_run": r.dry, "store": r.store,
        "started_at": rfc3339(r.started_at), "finished_at": r.finished_at.map(rfc3339),
        "fetched": r.tally.fetched(), "new": r.tally.new, "changed": r.tally.changed,
        "unchanged": r.tally.unchanged, "failed": r.tally.failed, "drafts": r.tally.drafts,
        "sent": r.exported, "requests": r.requests, "bytes": r.bytes, "notes": r.notes, "error": r.error,
    })
}

fn table(runs: &[RunRow], states: &[State], now: Timestamp) -> Table {
    let mut table = Table::new(&[
        ">run",
        "when",
        "kind",
        "store",
        ">fetched",
        ">new",
        ">changed",
        ">unchanged",
        ">failed",
        ">sent",
        ">requests",
        "how it went",
    ])
    .one_line("how it went", &["requests", "unchanged", "fetched", "kind", "store"]);
    for (r, state) in runs.iter().zip(states) {
        let how = how(r, *state);
        let t = &r.tally;
        let numbers =
            [t.fetched(), t.new, t.changed, t.unchanged, t.failed, r.exported, r.requests].map(output::number);
        let [fetched, new, changed, unchanged, failed, sent, requests] = &numbers;
        table.row(&[
            &r.id.to_string(),
            &output::when(r.started_at, now),
            &r.kind,
            r.store.as_deref().unwrap_or(""),
            fetched,
            new,
            changed,
            unchanged,
            failed,
            sent,
            requests,
            &how,
        ]);
    }
    table
}

/// How a run ended for a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// All of it went well.
    Done,
    /// It came to its end, but some orders could not be read.
    Partly,
    /// It stopped early.
    Failed,
    /// It is not at its end yet.
    AtWork,
    /// It was killed.
    CutOff,
}

impl State {
    fn of(run: &RunRow, locks: &std::path::Path) -> Self {
        match (run.finished_at, &run.error) {
            (None, _) if lock::is_at_work(locks, run.id) => Self::AtWork,
            (None, _) => Self::CutOff,
            (Some(_), Some(_)) => Self::Failed,
            (Some(_), None) if run.tally.failed > 0 => Self::Partly,
            (Some(_), None) => Self::Done,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partly => "partly",
            Self::Failed => "failed",
            Self::AtWork => "at-work",
            Self::CutOff => "cut-off",
        }
    }
}

fn how(r: &RunRow, state: State) -> String {
    let took = |end: Timestamp| format!("{:.1} s", (end - r.started_at).num_milliseconds() as f64 / 1000.0);
    let dry = if r.dry { ", dry run" } else { "" };
    match (state, &r.error, r.finished_at) {
        (State::AtWork, ..) => "at work".to_owned(),
        (State::CutOff, ..) => "cut off before its end".to_owned(),
        (_, Some(error), _) => error.clone(),
        (State::Partly, _, Some(end)) => {
            let orders = output::count(r.tally.failed, "order");
            format!("{orders} could not be read, {}{dry}", took(end))
        }
        (_, None, Some(end)) if !r.notes.is_empty() => format!("{}{dry}: {}", took(end), r.notes.join("; ")),
        (_, None, Some(end)) => format!("well, {}{dry}", took(end)),
        (_, None, None) => String::new(),
    }
}
