//! `ordersync schedule`.

use std::net::SocketAddr;

use serde_json::json;

use super::output;
use super::{App, Outcome};
use crate::book::Book;
use crate::clock::rfc3339;
use crate::error::Result;
use crate::schedule::listener::Listener;
use crate::schedule::{self, HALF_HOUR, Installed, Kind, Plan, systemd};

/// The half-hourly sync: a systemd user timer, a cron line or a launchd agent. And the receiver of
/// webhooks (ordersync listen) as a service that is always there.
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
        /// Keep ordersync listen running, in place of the sync every half hour, which is a schedule
        /// of its own
        #[arg(long)]
        listen: bool,
        /// Where it is to listen, as with ordersync listen
        #[arg(long, value_name = "ADDRESS:PORT", requires = "listen")]
        bind: Option<SocketAddr>,
        /// Print what would be installed, touch nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Take away what install put in place, and nothing else
    Remove {
        /// Only the receiver of webhooks; the sync every half hour stays
        #[arg(long)]
        listen: bool,
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
        Action::Install { with, listen: true, bind, dry_run } => {
            install_receiver(app, &Listener::new(&plan, bind), with, dry_run)
        }
        Action::Install { with, dry_run, .. } => install(app, &plan, with, dry_run),
        Action::Remove { listen, dry_run } => remove(app, &plan, listen, dry_run),
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

fn install_receiver(app: &App, listener: &Listener<'_>, with: Option<Kind>, dry_run: bool) -> Outcome {
    let kind = match with {
        Some(kind) => kind,
        None => schedule::choose().map_err(|error| {
            error.context("nothing was installed").hint("have a supervisor of your own run `ordersync listen`")
        })?,
    };
    let (place, text) = listener.text(kind)?;
    if !dry_run {
        listener.install(kind)?;
    }
    if app.global.json {
        let texts = json!([{ "place": place, "text": text }]);
        output::print_json(&json!({ "with": kind, "dry_run": dry_run, "listen": true, "texts": texts }))?;
    } else if dry_run {
        print_text(&place, &text)?;
    } else if !app.global.quiet {
        output::line(&format!("ordersync listen runs from now on, kept by {kind} as {}", listener.name()))?;
        if kind == Kind::Systemd && systemd::sleeps_without_login() {
            output::note(
                "it ends when you log out, unless `loginctl enable-linger` lets your services run without you",
            );
        }
    }
    Ok(0)
}

fn remove(app: &App, plan: &Plan, only_receiver: bool, dry_run: bool) -> Outcome {
    let listener = Listener::new(plan, None);
    let receivers: Vec<Kind> = match dry_run {
        true => listener.in_place().into_iter().map(|(kind, ..)| kind).collect(),
        false => listener.remove()?,
    };
    let removed = match (only_receiver, dry_run) {
        (true, _) => Vec::new(),
        (false, true) => schedule::in_place(plan)?,
        (false, false) => schedule::remove(&app.context.home, plan)?,
    };
    if !dry_run && !removed.is_empty() {
        schedule::removed::keep(&app.context.home, app.context.clock.now());
    }
    if app.global.json {
        output::print_json(&json!({ "removed": removed, "removed_listen": receivers, "dry_run": dry_run }))?;
    } else if removed.is_empty() && receivers.is_empty() {
        output::note("no timer of ordersync is installed; nothing was changed");
    } else if !app.global.quiet {
        let would = if dry_run { "would remove" } else { "removed" };
        let all = removed.iter().map(|kind| ("timer", kind)).chain(receivers.iter().map(|kind| ("receiver", kind)));
        for (what, kind) in all {
            output::line(&format!("{would} the {what} of {kind}"))?;
        }
    }
    Ok(0)
}

fn show(app: &App, plan: &Plan) -> Outcome {
    let installed = schedule::in_place(plan)?;
    let receivers = Listener::new(plan, None).in_place();
    let now = app.context.clock.now();
    let next =
        Installed::read(&app.context.home).filter(|_| !installed.is_empty()).map(|installed| installed.next(now));
    if app.global.json {
        let mut texts: Vec<_> = installed.iter().flat_map(|kind| texts(plan, *kind)).collect();
        texts.extend(receivers.iter().map(|(_, path, text)| json!({ "place": path, "text": text })));
        let listen: Vec<Kind> = receivers.iter().map(|(kind, ..)| *kind).collect();
        output::print_json(
            &json!({ "installed": installed, "next_at": next.map(rfc3339), "listen": listen, "texts": texts }),
        )?;
        return Ok(0);
    }
    for kind in &installed {
        let next = next.map_or(String::new(), |at| format!(", next at {}", output::when(at, now)));
        output::line(&format!("installed with {kind}{next}\n"))?;
        print_texts(plan, *kind)?;
    }
    for (kind, path, text) in &receivers {
        output::line(&format!("ordersync listen is kept running by {kind}\n"))?;
        print_text(&path.display().to_string(), text)?;
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
        print_text(&place, &text)?;
    }
    Ok(())
}

fn print_text(place: &str, text: &str) -> anyhow::Result<()> {
    output::line(&output::bold(&format!("==> {place}")))?;
    output::put(text)?;
    output::line("")
}

fn texts(plan: &Plan, kind: Kind) -> Vec<serde_json::Value> {
    plan.texts(kind).into_iter().map(|(place, text)| json!({ "place": place, "text": text })).collect()
}
