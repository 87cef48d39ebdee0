//! `ordersync sync`.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::output::{self, Format};
use super::progress::Bars;
use super::when::{parse_since, parse_when};
use super::{App, Outcome};
use crate::book::{RunKind, Store};
use crate::channel::Range;
use crate::channel::settings::USUAL_INTERVAL;
use crate::clock::{BoundedClock, Timestamp, rfc3339};
use crate::error::{Error, ErrorKind, Result, exit_code};
use crate::lock::{self, Work};
use crate::sync::report::{Report, StoreReport};
use crate::sync::{self, Context, Job, Progress, Silent};

/// How much earlier than a store's interval the timer may come: its jitter must skip no turn.
pub(super) const JITTER: TimeDelta = TimeDelta::seconds(60);

/// An autosync has at least so long, however short the interval of a store is.
const SHORTEST_RUN: Duration = Duration::from_secs(10 * 60);

/// How long a run may take to notice that its time is over, before it is ended as it stands: a
/// request that hangs is not waited for.
const GRACE: Duration = Duration::from_secs(60);

/// Bring new and changed orders in, send dispatches and cancellations out.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this store, or all stores of this channel; may be given several times
    #[arg(long, value_name = "STORE")]
    channel: Vec<String>,
    /// Read again what changed since then (30d, 2026-11-01, all); the normal position stays where
    /// it is
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Read again what changed up to then
    #[arg(long, value_name = "TIME", requires = "since")]
    until: Option<String>,
    /// Read everything again from the first order wanted; changes nothing that is in the book
    /// already
    #[arg(long, conflicts_with_all = ["since", "until"])]
    full: bool,
    /// Fetch and count, but keep nothing and send nothing
    #[arg(long)]
    dry_run: bool,
    /// For the timer: only stores whose interval has passed; silent when another run is at work
    #[arg(long, hide = true, conflicts_with_all = ["since", "full", "dry_run"])]
    autosync: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let book = match app.existing_book() {
        // A timer that was installed before the first store has nothing to report.
        Err(error) if args.autosync && error.kind() == ErrorKind::NotFound => return Ok(0),
        other => other?,
    };
    let mut stores = app.stores(&book, &args.channel)?;
    if args.autosync {
        stores.retain(|store| is_due(app, store));
    }
    let job = Job {
        kind: if args.autosync { RunKind::Autosync } else { RunKind::Sync },
        range: range(app, &args)?,
        full: args.full,
        dry_run: args.dry_run,
    };
    if stores.is_empty() {
        return Ok(0);
    }
    if args.autosync {
        return autosync(app, &args, &stores, &job);
    }
    say_who_waits(app, &stores, &job);
    let report = watched(app, &app.context, &stores, &job)?;
    print(app, &args, &report)?;
    Ok(report.exit_code())
}

/// Who watches a sync that does not begin sees why.
fn say_who_waits(app: &App, stores: &[Store], job: &Job) {
    let watched = std::io::stderr().is_terminal() && !app.global.quiet && !app.global.json;
    if job.dry_run || !(watched || app.global.verbose) {
        return;
    }
    let locks = app.context.home.locks();
    for store in stores.iter().filter(|store| lock::is_held(&locks, &store.name, Work::Import)) {
        let longest = output::duration(TimeDelta::from_std(app.context.lock_timeout).unwrap_or_default());
        output::note(&format!(
            "{}: another ordersync is at work on it; this one waits for up to {longest}",
            store.name
        ));
    }
}

/// A sync by the timer: it has an end, so that a server that never comes to one does not keep the
/// next turns from coming. What was fetched is in the book, and the next turn goes on from there.
fn autosync(app: &App, args: &Args, stores: &[Store], job: &Job) -> Outcome {
    let longest = longest_run(stores)?;
    let why = format!(
        "stopped after {}, so that the next turn comes; what was fetched is in the book, and the next sync goes on from there",
        output::duration(TimeDelta::from_std(longest).unwrap_or_default())
    );
    end_after(longest + GRACE.min(longest), why.clone());
    let context = Context {
        home: app.context.home.clone(),
        clock: Arc::new(BoundedClock::new(app.context.clock.clone(), longest, why)),
        retry: app.context.retry,
        lock_timeout: app.context.lock_timeout,
    };
    let mut report = watched(app, &context, stores, job)?;
    app.context.clock.check_interrupt()?;
    let mut book = app.existing_book()?;
    for store in &mut report.stores {
        // Out of time with orders to show for it is how a long first sync goes, and no failure.
        let out_of_time = |e: &Error| e.kind() == ErrorKind::Interrupted && store.tally.fetched() > 0;
        store.error = store.error.take().filter(|e| e.kind() != ErrorKind::Locked && !out_of_time(e)).map(temporary);
    }
    let code = report.exit_code();
    for store in &mut report.stores {
        if let Some(error) = &store.error
            && !book.is_news(&store.store, error)?
        {
            store.error = None;
        }
    }
    print(app, args, &report)?;
    // Whatever comes of it is in the inbox and among the runs: it is no failure of this sync.
    if let Err(error) = super::reconcile::nightly(app, &context, &book, stores, false) {
        app.context.clock.check_interrupt()?;
        drop(error);
    }
    Ok(code)
}

/// Out of time and nothing to show for it: a channel that does not answer, and not the merchant's
/// Ctrl-C.
fn temporary(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Interrupted => Error::new(ErrorKind::Temporary, error.message()),
        _ => error,
    }
}

/// As long as the shortest interval among the stores, less what the timer's jitter may take.
/// `ORDERSYNC_RUN_MS` shortens it for rehearsals and tests.
fn longest_run(stores: &[Store]) -> Result<Duration> {
    if let Ok(text) = std::env::var("ORDERSYNC_RUN_MS") {
        let ms = text
            .parse()
            .map_err(|_| Error::new(ErrorKind::Usage, "ORDERSYNC_RUN_MS is not a number of milliseconds"))?;
        return Ok(Duration::from_millis(ms));
    }
    let shortest = stores.iter().map(Store::interval).min().unwrap_or(TimeDelta::minutes(USUAL_INTERVAL)) - JITTER;
    Ok(shortest.to_std().unwrap_or_default().max(SHORTEST_RUN))
}

/// Ends the process after `longest`, wherever it hangs. A run can be killed at any instant, so it
/// may be killed by itself.
fn end_after(longest: Duration, why: String) {
    std::thread::spawn(move || {
        std::thread::sleep(longest);
        output::print_error(&Error::new(ErrorKind::Temporary, why), Format::Human);
        std::process::exit(i32::from(exit_code(ErrorKind::Temporary)));
    });
}

/// Runs with bars where somebody watches.
fn watched(app: &App, context: &Context, stores: &[Store], job: &Job) -> Result<Report> {
    if app.global.quiet || app.global.json || !std::io::stderr().is_terminal() {
        return sync::run(context, stores, job, &Silent);
    }
    let bars = Bars::new(stores.iter().map(|store| store.name.as_str()));
    let progress: &dyn Progress = &bars;
    sync::run(context, stores, job, progress)
}

fn range(app: &App, args: &Args) -> Result<Option<Range>> {
    let now = app.context.clock.now();
    let Some(since) = args.since.as_deref().map(|text| parse_since(text, now)).transpose()? else { return Ok(None) };
    let until = args.until.as_deref().map(|text| parse_when(text, now)).transpose();
    let until = until.map_err(|why| Error::new(ErrorKind::Usage, format!("--until: {why}; nothing was read")))?;
    if let (Some(since), Some(until)) = (since, until)
        && until < since
    {
        return Err(Error::new(ErrorKind::Usage, "--until is before --since; nothing was read"));
    }
    Ok(Some(Range { since, until }))
}

/// Whether the store's interval has passed since its last autosync began.
fn is_due(app: &App, store: &Store) -> bool {
    let interval = store.interval() - JITTER;
    store.last_autosync_at.is_none_or(|last| {
        let since = app.context.clock.now() - last;
        // A clock that was set back must not switch the timer off.
        since >= interval || since < TimeDelta::zero()
    })
}

fn print(app: &App, args: &Args, report: &Report) -> anyhow::Result<()> {
    if app.global.json {
        return output::print_json(&to_json(report));
    }
    let watched = std::io::stdout().is_terminal() && !app.global.quiet;
    for store in &report.stores {
        // What a dry run found is its result, and not talk of one who is watched.
        let told = watched || app.global.verbose || (args.dry_run && !app.global.quiet);
        print_store(store, told, args.dry_run, app.context.clock.now())?;
    }
    Ok(())
}

/// How a store went: what is wrong in any case, what is not where it is to be `told`.
pub(super) fn print_store(store: &StoreReport, told: bool, dry_run: bool, now: Timestamp) -> anyhow::Result<()> {
    if told && store.error.is_none() {
        output::line(&summary(store, dry_run, now))?;
    }
    for warning in store.warnings.iter().filter(|_| told) {
        output::note(&format!("{}: {warning}", store.store));
    }
    if let Some(error) = &store.error {
        output::print_error(&explained(error).context(&store.store), Format::Human);
    }
    if store.tally.failed > 0 {
        let text = format!(
            "{}: {} could not be read; the inbox has the details",
            store.store,
            output::count(store.tally.failed, "order")
        );
        output::print_error(&Error::new(ErrorKind::Unreadable, text).hint("ordersync inbox"), Format::Human);
    }
    if !store.exports.lost.is_empty() {
        let text = format!(
            "{}: {}: it is not known whether the channel has it, and the next sync looks there before anything is \
              written again",
            store.store,
            output::count(store.exports.lost.len() as u64, "dispatch or cancellation")
        );
        output::print_error(&Error::new(ErrorKind::Unknown, text).hint("ordersync outbox"), Format::Human);
    }
    if told && store.left.put_off > 0 {
        output::note("ordersync outbox says what waits and why, ordersync retry tries it now");
    }
    if store.exports.unheard > 0 {
        let text = format!(
            "{}: {} at the channel as wished, and not all that was wished with it is known to have happened",
            store.store,
            output::count(u64::from(store.exports.unheard), "dispatch or cancellation")
        );
        output::print_error(&Error::new(ErrorKind::Refused, text).hint("ordersync inbox"), Format::Human);
    }
    if store.exports.refused > 0 {
        let text = format!(
            "{}: {} did not go out",
            store.store,
            output::count(u64::from(store.exports.refused), "dispatch or cancellation")
        );
        output::print_error(&Error::new(ErrorKind::Rejected, text).hint("ordersync inbox"), Format::Human);
    }
    Ok(())
}

/// What Ctrl-C means for a sync.
fn explained(error: &Error) -> Error {
    if error.kind() != ErrorKind::Interrupted || error.message() != "interrupted" {
        return error.clone();
    }
    Error::new(
        ErrorKind::Interrupted,
        "interrupted; what was fetched is in the book, and the next sync goes on from there",
    )
}

/// `woocommerce: 12 new, 3 changed, 85 unchanged; 2 sent out (4 requests, 1.2 s)`.
fn summary(store: &StoreReport, dry_run: bool, now: Timestamp) -> String {
    let tally = &store.tally;
    let mut parts = vec![format!("{} new, {} changed, {} unchanged", tally.new, tally.changed, tally.unchanged)];
    if tally.failed > 0 {
        parts[0].push_str(&format!(", {} unreadable", tally.failed));
    }
    if store.exports.confirmed > 0 {
        parts.push(format!("{} sent out", store.exports.confirmed));
    }
    let left = &store.left;
    let to_go = left.open.saturating_sub(left.put_off);
    match to_go {
        0 => {}
        _ if dry_run => parts.push(format!("{} would be sent out", output::number(to_go))),
        _ => parts.push(format!("{} still to be sent out", output::number(to_go))),
    }
    if let Some(at) = left.next_at {
        let waits = if left.put_off == 1 { "waits" } else { "wait" };
        parts.push(format!("{} {waits} until {}", output::number(left.put_off), output::when(at, now)));
    }
    let dry = if dry_run { " (dry run: nothing was kept or sent)" } else { "" };
    let requests = output::count(store.requests, "request");
    format!("{}: {} ({requests}, {:.1} s){dry}", store.store, parts.join("; "), store.elapsed.as_secs_f64())
}

fn to_json(report: &Report) -> serde_json::Value {
    let stores: Vec<_> = report.stores.iter().map(store_json).collect();
    json!({ "run": report.run.to_string(), "stores": stores, "exit_code": report.exit_code() })
}

/// How a store went, for programs.
pub(super) fn store_json(s: &StoreReport) -> serde_json::Value {
    json!({
        "store": s.store,
        "fetched": s.tally.fetched(), "new": s.tally.new, "changed": s.tally.changed,
        "unchanged": s.tally.unchanged, "failed": s.tally.failed,
        "sent": s.exports.confirmed, "refused": s.exports.refused, "unheard": s.exports.unheard,
        "waiting": s.left.open, "unknown": s.left.unknown, "next_try_at": s.left.next_at.map(rfc3339),
        "requests": s.requests, "bytes": s.bytes, "seconds": s.elapsed.as_secs_f64(),
        "warnings": s.warnings,
        "error": s.error.as_ref().map(output::error_json),
    })
}
