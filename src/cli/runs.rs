//! `ordersync runs`.

use serde_json::json;

use super::output::{self, Table};
use super::{App, Outcome};
use crate::clock::rfc3339;

/// What each sync did: fetched = new + changed + unchanged + failed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// At most so many runs
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let runs = app.existing_book()?.runs(args.limit)?;
    if app.global.json {
        let rows: Vec<_> = runs
            .iter()
            .map(|r| {
                json!({
                    "run": r.id.to_string(), "kind": r.kind, "dry_run": r.dry, "store": r.store,
                    "started_at": rfc3339(r.started_at), "finished_at": r.finished_at.map(rfc3339),
                    "fetched": r.tally.fetched(), "new": r.tally.new, "changed": r.tally.changed,
                    "unchanged": r.tally.unchanged, "failed": r.tally.failed, "drafts": r.tally.drafts,
                    "sent": r.exported, "requests": r.requests, "bytes": r.bytes, "error": r.error,
                })
            })
            .collect();
        output::print_json(&rows)?;
        return Ok(0);
    }
    let now = app.context.clock.now();
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
    ]);
    for r in &runs {
        let how = match (&r.error, r.finished_at) {
            (Some(error), _) => error.clone(),
            (None, None) => "at work, or interrupted".to_owned(),
            (None, Some(end)) => {
                let took = (end - r.started_at).num_milliseconds() as f64 / 1000.0;
                format!("well, {took:.1} s{}", if r.dry { ", dry run" } else { "" })
            }
        };
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
    table.print()?;
    Ok(0)
}
