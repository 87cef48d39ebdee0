//! `ordersync reconcile`.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::output::{self, Format};
use super::progress::Bars;
use super::when::parse_since;
use super::{App, Outcome};
use crate::book::{Book, InboxNote, Store};
use crate::channel::settings::Given;
use crate::clock::{Timestamp, rfc3339};
use crate::error::ErrorKind;
use crate::sync::reconcile::{self, Difference, StoreOutcome, Which, Wish};
use crate::sync::{Context, Progress, Silent};

/// How far back is compared where nothing else is said.
const USUAL: &str = "7d";

/// How often the timer compares a store, less its jitter.
const NIGHTLY: TimeDelta = TimeDelta::hours(23);

/// How long after one that failed it compares it again, less its jitter.
const TRIED_AGAIN: TimeDelta = TimeDelta::minutes(235);

/// So many differences are told to people; JSON has all of them.
const TOLD: usize = 50;

/// Compare a channel's list of orders with the book, both ways: what is missing here, what is gone
/// there, what is newer there.
///
/// Ids and modification times are compared, so a change for which a channel moves no time is not
/// seen; the README says which these are. A dispatch reads the order itself before anything goes out.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this store, or all stores of this channel; may be given several times
    #[arg(long, value_name = "STORE")]
    channel: Vec<String>,
    /// Compare what changed since then (7d by default, 2026-11-01, all)
    #[arg(long, value_name = "TIME", conflicts_with = "nightly")]
    since: Option<String>,
    /// Bring what is missing or older here into the book
    #[arg(long)]
    pull: bool,
    /// Say what it would cost, and ask the channel no more than that
    #[arg(long)]
    dry_run: bool,
    /// As the timer does it: the newest orders of stores that are set to it, once a day; nothing is
    /// printed where all is well
    #[arg(long, conflicts_with_all = ["pull", "dry_run"])]
    nightly: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let book = app.existing_book()?;
    let stores = app.stores(&book, &args.channel)?;
    if args.nightly {
        return nightly(app, &app.context, &book, &stores, true);
    }
    let words = args.since.as_deref().unwrap_or(USUAL);
    let since = parse_since(words, app.context.clock.now())?;
    let which = Which::Since(since, words.trim().to_owned());
    let wish = Wish { which, dry_run: args.dry_run, pull: args.pull };
    let stores: Vec<(Store, Wish)> = stores.into_iter().map(|store| (store, wish.clone())).collect();
    let names = stores.iter().map(|(store, _)| store.name.as_str());
    let bars = app.watches().then(|| Bars::new(names));
    let progress: &dyn Progress = bars.as_ref().map_or(&Silent, |bars| bars);
    let planned = |plan: &StoreOutcome| {
        // Of a dry run it is the result.
        if !(args.dry_run || app.global.quiet || app.global.json) {
            output::note(&format!("{}: {}", plan.store, cost(plan)));
        }
    };
    let outcome = reconcile::reconcile(&app.context, &stores, &planned, progress)?;
    drop(bars);
    print(app, &args, &outcome)?;
    Ok(outcome.exit_code())
}

/// Compares the newest orders of the stores that are set to it and whose turn has come. What
/// differs is in the inbox.
pub(super) fn nightly(app: &App, context: &Context, book: &Book, stores: &[Store], alone: bool) -> Outcome {
    let now = app.context.clock.now();
    let mut due = Vec::new();
    for store in stores {
        let Some(newest) = newest(store) else { continue };
        if is_due(book.last_nightly(store.id)?, now) && is_tried_again(book.nightly_failed(store.id)?, now) {
            due.push((store.clone(), Wish { which: Which::Newest(newest), dry_run: false, pull: false }));
        }
    }
    if due.is_empty() {
        return Ok(0);
    }
    let outcome = reconcile::reconcile(context, &due, &|_| (), &Silent)?;
    let mut book = app.existing_book()?;
    for (store, (wanted, _)) in outcome.stores.iter().zip(&due) {
        match &store.error {
            None => book.note_nightly(wanted.id, now)?,
            // The next turn goes on with it.
            Some(error) if matches!(error.kind(), ErrorKind::Locked | ErrorKind::Interrupted) => {}
            Some(error) => {
                let again = book.nightly_failed(wanted.id)?.is_some();
                let note = is_told(error.kind(), again).then(|| InboxNote::not_compared(&wanted.name, error.message()));
                book.note_nightly_failed(wanted.id, now, note.as_ref())?;
            }
        }
    }
    if alone && (app.global.json || outcome.exit_code() != 0 || app.global.verbose) {
        print(app, &Args::default_of_timer(), &outcome)?;
    }
    Ok(if alone { outcome.exit_code() } else { 0 })
}

/// How many orders the timer compares; `None` where the store is not set to it.
fn newest(store: &Store) -> Option<u64> {
    Given(&store.values).text("reconcile").and_then(|text| text.parse().ok()).filter(|orders| *orders > 0)
}

/// Once a day; a clock that was set back must not switch it off.
fn is_due(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| now - last >= NIGHTLY || now < last)
}

/// One that failed is not made again at every turn: what it has listed so far is kept, and it would
/// take the shop's requests from the syncs.
fn is_tried_again(failed: Option<Timestamp>, now: Timestamp) -> bool {
    failed.is_none_or(|failed| now - failed >= TRIED_AGAIN || now < failed)
}

/// Whether the merchant is told of a comparison that failed: of an outage when it is the second in
/// a row.
fn is_told(kind: ErrorKind, again: bool) -> bool {
    again || kind != ErrorKind::Temporary
}

impl Args {
    fn default_of_timer() -> Self {
        Self { channel: Vec::new(), since: None, pull: false, dry_run: false, nightly: true }
    }
}

impl App {
    /// Whether somebody sits at a terminal and looks.
    fn watches(&self) -> bool {
        std::io::IsTerminal::is_terminal(&std::io::stderr()) && !self.global.quiet && !self.global.json
    }
}

/// `1 204 orders changed since 22 Nov 10:00 are compared, in 14 requests`.
fn cost(plan: &StoreOutcome) -> String {
    let orders = plan.counted.map_or("the orders".to_owned(), |orders| output::count(orders, "order"));
    let since = plan.since.map_or(String::new(), |since| format!(" changed since {}", output::date(since)));
    let requests = match plan.computed {
        Some(requests) => format!("in {}", output::count(requests, "request")),
        None => "in as many requests as its pages take".to_owned(),
    };
    let resumed = if plan.resumed {
        format!(", of which {} are made: it goes on where it was interrupted", output::number(plan.made))
    } else {
        String::new()
    };
    format!("{orders}{since}, compared {requests}{resumed}; one request more for each order that the list lacks")
}

fn print(app: &App, args: &Args, outcome: &reconcile::Outcome) -> anyhow::Result<()> {
    if app.global.json {
        return output::print_json(&to_json(args, outcome));
    }
    for store in &outcome.stores {
        if let Some(error) = &store.error {
            output::print_error(&error.clone().context(&store.store), Format::Human);
        } else if args.dry_run {
            output::line(&format!("{}: {} (dry run: nothing was compared)", store.store, cost(store)))?;
        } else {
            print_store(app, args, store)?;
        }
    }
    Ok(())
}

fn print_store(app: &App, args: &Args, store: &StoreOutcome) -> anyhow::Result<()> {
    let now = app.context.clock.now();
    let all = store.differences.len() as u64 + store.more;
    let orders = output::count(store.listed, "order");
    let head = match all {
        0 if store.unread > 0 => format!("{}: {orders} compared, not all of what the list lacks was read", store.store),
        0 if store.listed == 0 && store.not_listed > 0 => format!(
            "{}: {orders} compared; the book has {} of that time, which the channel does not list",
            store.store,
            output::number(store.not_listed)
        ),
        0 => format!("{}: {orders} compared, no difference", store.store),
        1 => format!("{}: {orders} compared, 1 differs", store.store),
        all => format!("{}: {orders} compared, {} differ", store.store, output::number(all)),
    };
    output::line(&head)?;
    for one in store.differences.iter().take(TOLD) {
        output::line(&format!("  {}", told(one, now)))?;
        if !one.mended && one.what.is_mended_by_pull() {
            output::line(&format!("    ordersync pull {}:{}", store.store, one.remote_id))?;
        }
    }
    let rest = all.saturating_sub(TOLD as u64);
    if rest > 0 {
        output::line(&format!("  and {} more; --json names them", output::number(rest)))?;
    }
    let open = store.differences.iter().filter(|one| !one.mended && one.what.is_mended_by_pull()).count();
    if open > 1 && !args.pull {
        output::note(&format!("ordersync reconcile --channel {} --pull brings all of these", store.store));
    }
    for note in left_out(store) {
        output::note(&format!("{}: {note}", store.store));
    }
    Ok(())
}

fn told(one: &Difference, now: Timestamp) -> String {
    let name = if one.remote_id.is_empty() { "?" } else { one.remote_id.as_str() };
    let at = one.there.map(|at| format!(", changed {}", output::when(at, now))).unwrap_or_default();
    let detail = if one.detail.is_empty() { String::new() } else { format!(" ({})", one.detail) };
    let mended = if one.mended { "; it was brought in" } else { "" };
    format!("{name}  {}{at}{mended}{detail}", one.what.told())
}

/// What is no difference, and why.
fn left_out(store: &StoreOutcome) -> Vec<String> {
    let are = |count: u64, what: &str| (count > 0).then(|| format!("{}: {what}", output::count(count, "order")));
    [
        are(store.pending, "changed since the last sync; the next one brings what is new"),
        are(store.restless, "changed while it was compared, and left out"),
        are(store.hidden, "too old for what the channel shows to this key, and left out"),
        are(
            store.unread,
            "not on the list and not read by id, as there are too many; the next comparison goes on with them",
        ),
        are(store.known_gone, "known to be gone at the channel (ordersync orders marks them)"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn to_json(args: &Args, outcome: &reconcile::Outcome) -> Value {
    let difference = |one: &Difference, store: &str| {
        let pull = one.what.is_mended_by_pull().then(|| format!("ordersync pull {store}:{}", one.remote_id));
        json!({
            "remote_id": (!one.remote_id.is_empty()).then_some(&one.remote_id), "order": one.order.map(|id| id.to_string()),
            "difference": one.what.word(), "changed_at": one.there.map(rfc3339), "known_at": one.here.map(rfc3339),
            "mended": one.mended, "detail": one.detail, "fix": pull,
        })
    };
    let stores: Vec<Value> = outcome
        .stores
        .iter()
        .map(|store| {
            json!({
                "store": store.store, "since": store.since.map(rfc3339), "until": store.until.map(rfc3339),
                "orders": store.counted, "listed": store.listed,
                "requests": { "computed": store.computed, "listing": store.made, "single": store.reads },
                "resumed": store.resumed, "clean": !args.dry_run && store.is_clean(),
                "differences": store.differences.iter().map(|one| difference(one, &store.store)).collect::<Vec<_>>(),
                "more": store.more,
                "left_out": { "next_sync": store.pending, "changing": store.restless, "hidden": store.hidden, "not_read": store.unread,
                    "known_gone": store.known_gone },
                "error": store.error.as_ref().map(output::error_json),
            })
        })
        .collect();
    json!({ "run": outcome.run.to_string(), "dry_run": args.dry_run, "stores": stores, "exit_code": outcome.exit_code() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn the_timer_compares_once_a_day_whatever_the_clock_did() {
        let now = from_millis(1_795_000_000_000);
        assert!(is_due(None, now) && is_due(Some(now - TimeDelta::days(1)), now));
        assert!(is_due(Some(now + TimeDelta::hours(1)), now), "the clock was set back");
        assert!(!is_due(Some(now - TimeDelta::hours(22)), now) && !is_due(Some(now), now));
    }
}
