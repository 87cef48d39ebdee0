//! `ordersync schedule`.

use serde_json::json;

use super::output;
use super::{App, Outcome};
use crate::book::Book;
use crate::clock::rfc3339;
use crate::error::Result;
use crate::schedule::{self, HALF_HOUR, Installed, Kind, Plan, systemd};

/// The half-hourly sync: a systemd user timer, a cron line or a launchd agent.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Sync every half hour from now on; safe to repeat
    Install {
        /// What runs it; by default what this machine has
        #[arg(long, value_name = "KIND")]
        with: Option<Kind>,
        /// Print what would be installed, touch nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Take away what install put in place, and nothing else
    Remove {
        /// Print what would be removed, touch nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Print what is installed, or what would be; touch nothing
    Show,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let plan = Plan::new(&app.context.home, shortest_interval(app)?)?;
    match args.action {
        Action::Install { with, dry_run } => install(app, &plan, with, dry_run),
        Action::Remove { dry_run } => remove(app, &plan, dry_run),
        Action::Show => show(app, &plan),
    }
}

/// The shortest interval that any store is set to: the timer must not be slower.
fn shortest_interval(app: &App) -> Result<u32> {
    let Some(book) = Book::open_existing(&app.context.home.book(), app.context.clock.clone())? else {
        return Ok(HALF_HOUR);
    };
    let stores = book.stores()?;
    let set = stores.iter().filter_map(|store| store.values.get("interval")?.parse().ok());
    Ok(set.min().unwrap_or(HALF_HOUR).min(HALF_HOUR))
}

fn install(app: &App, plan: &Plan, with: Option<Kind>, dry_run: bool) -> Outcome {
    let kind = match with {
        Some(kind) => kind,
        None => schedule::choose().map_err(|error| error.context("nothing was installed"))?,
    };
    if !dry_run {
        schedule::install(&app.context.home, plan, kind, app.context.clock.now())?;
        schedule::removed::forget(&app.context.home);
    }
    if app.global.json {
        output::print_json(
            &json!({ "with": kind, "dry_run": dry_run, "every_minutes": plan.every, "texts": texts(plan, kind) }),
        )?;
        return Ok(0);
    }
    if dry_run {
        return print_texts(plan, kind).map(|()| 0);
    }
    if !app.global.quiet {
        let next = Installed::read(&app.context.home).map(|installed| installed.next(app.context.clock.now()));
        let next = next.map_or(String::new(), |at| format!("; next at {}", output::when(at, app.context.clock.now())));
        output::line(&format!("ordersync syncs every {} minutes, by {kind}{next}", plan.every))?;
        if kind == Kind::Systemd && systemd::sleeps_without_login() {
            output::note(
                "on a machine where you are not always logged in, `loginctl enable-linger` lets it run without you",
            );
        }
    }
    Ok(0)
}

fn remove(app: &App, plan: &Plan, dry_run: bool) -> Outcome {
    let removed = if dry_run { schedule::in_place(plan)? } else { schedule::remove(&app.context.home, plan)? };
    if !dry_run && !removed.is_empty() {
        schedule::removed::keep(&app.context.home, app.context.clock.now());
    }
    if app.global.json {
        output::print_json(&json!({ "removed": removed, "dry_run": dry_run }))?;
    } else if removed.is_empty() {
        output::note("no timer of ordersync is installed; nothing was changed");
    } else if !app.global.quiet {
        for kind in removed {
            let would = if dry_run { "would remove" } else { "removed" };
            output::line(&format!("{would} the timer of {kind}"))?;
        }
    }
    Ok(0)
}

fn show(app: &App, plan: &Plan) -> Outcome {
    let installed = schedule::in_place(plan)?;
    let now = app.context.clock.now();
    let next =
        Installed::read(&app.context.home).filter(|_| !installed.is_empty()).map(|installed| installed.next(now));
    if app.global.json {
        let texts: Vec<_> = installed.iter().flat_map(|kind| texts(plan, *kind)).collect();
        output::print_json(&json!({ "installed": installed, "next_at": next.map(rfc3339), "texts": texts }))?;
        return Ok(0);
    }
    for kind in &installed {
        let next = next.map_or(String::new(), |at| format!(", next at {}", output::when(at, now)));
        output::line(&format!("installed with {kind}{next}\n"))?;
        print_texts(plan, *kind)?;
    }
    if installed.is_empty() {
        match schedule::choose() {
            Ok(kind) => {
                output::line(&format!("not installed; `ordersync schedule install` would use {kind}:\n"))?;
                print_texts(plan, kind)?;
            }
            Err(none) => {
                output::line(&format!("not installed; {}", none.message()))?;
                none.hint_text().into_iter().try_for_each(output::line)?;
            }
        }
    }
    Ok(0)
}

fn print_texts(plan: &Plan, kind: Kind) -> anyhow::Result<()> {
    for (place, text) in plan.texts(kind) {
        output::line(&output::bold(&format!("==> {place}")))?;
        output::put(&text)?;
        output::line("")?;
    }
    Ok(())
}

fn texts(plan: &Plan, kind: Kind) -> Vec<serde_json::Value> {
    plan.texts(kind).into_iter().map(|(place, text)| json!({ "place": place, "text": text })).collect()
}
