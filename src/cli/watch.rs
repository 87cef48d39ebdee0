//! `ordersync watch`.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::output::{self, Format};
use super::{App, Outcome, interrupt, sync};
use crate::book::Store;
use crate::clock::rfc3339;
use crate::error::{Error, ErrorKind};
use crate::sync::Context;
use crate::watch::{Hooks, How, Night, Pace, Said, Slowed, Tell, Watchers, Why};

/// How often it is looked for stores that were connected meanwhile.
const LOOK: Duration = Duration::from_secs(5);

/// Poll stores without webhooks as often as their channels' limits allow.
///
/// Runs until it is ended. A fifth of what a channel permits is left to dispatches and to all else
/// that you do. Stores of which webhooks tell (ordersync listen) are left to them unless they are
/// named. Each round is a sync of its store, so the outbox goes out as well. The sync every half hour
/// stays on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this store, or all stores of this channel; may be given several times
    #[arg(long, value_name = "STORE")]
    channel: Vec<String>,
    /// Ask little in these hours, by this machine's clock
    #[arg(long, value_name = "HH:MM-HH:MM")]
    night: Option<String>,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    interrupt::is_the_end();
    match watch(app, &args) {
        Err(error) if error.downcast_ref::<Error>().is_some_and(|e| e.kind() == ErrorKind::Interrupted) => Ok(0),
        outcome => outcome,
    }
}

fn watch(app: &App, args: &Args) -> Outcome {
    let night = args.night.as_deref().map(str::parse::<Night>).transpose()?;
    let book = app.existing_book()?;
    let stores = app.stores(&book, &args.channel)?;
    let is_named = !args.channel.is_empty();
    let mut watchers = watchers(app, How { even_told: is_named, night });
    watchers.begin(&stores)?;
    while app.context.clock.sleep(LOOK).is_ok() {
        // What is connected meanwhile is watched, too. A book that cannot be read now, can later.
        let connected = book.stores().unwrap_or_default();
        let wanted = |store: &Store| !is_named || stores.iter().any(|named| named.id == store.id);
        watchers.begin(&connected.into_iter().filter(wanted).collect::<Vec<_>>())?;
    }
    watchers.end();
    Ok(0)
}

/// What watches stores and tells of it as the global flags say.
pub(super) fn watchers(app: &App, how: How) -> Watchers {
    let context = Context {
        home: app.context.home.clone(),
        clock: app.context.clock.clone(),
        retry: app.context.retry,
        lock_timeout: app.context.lock_timeout,
    };
    let (global, clock) = (app.global.clone(), app.context.clock.clone());
    let tell: Tell = Arc::new(move |store: &Store, said: &Said<'_>| {
        let now = clock.now();
        // What cannot be printed is no reason to end.
        let _ = match (global.json, said) {
            (true, _) => {
                let mut told = to_json(store, said);
                told["at"] = rfc3339(now).into();
                output::put(&format!("{}\n", output::escape_harmful(&told.to_string())))
            }
            (false, Said::Round(_, report)) => sync::print_store(report, !global.quiet, false, now),
            (false, Said::Failed(error)) => {
                output::print_error(&(*error).clone().context(&store.name), Format::Human);
                Ok(())
            }
            (false, Said::Pace { first: false, .. }) if !global.verbose => Ok(()),
            (false, _) if global.quiet => Ok(()),
            (false, said) => output::line(&format!("{}: {}", store.name, words(store, said, how))),
        };
    });
    Watchers::new(Arc::new(context), how, tell)
}

fn words(store: &Store, said: &Said<'_>, how: How) -> String {
    let name = &store.name;
    match said {
        Said::Pace { pace, hooks, .. } => {
            let night = match how.night {
                Some(_) if pace.slowed != Some(Slowed::Night) => "; less often at night",
                _ => "",
            };
            format!("every {} ({}){night}{}", span(pace.every), why(pace), beside(*hooks))
        }
        Said::Told => format!(
            "webhooks tell of its orders, so it is left to them as long as they do (ordersync watch --channel {name} asks it all the same)"
        ),
        Said::Watched => {
            "another ordersync watches it (watch or listen); this one takes over when that ends".to_owned()
        }
        Said::Kept(quota) => format!(
            "{} of {} requests are left of 24 hours, and they are kept for dispatches and the sync every half hour; it is asked again when more are permitted",
            output::number(quota.left.unwrap_or_default()),
            output::number(quota.permitted)
        ),
        Said::Back => "is read again".to_owned(),
        Said::Gone => "is not connected any more; it is watched no longer".to_owned(),
        Said::Round(..) | Said::Failed(_) => String::new(),
    }
}

fn beside(hooks: Hooks) -> &'static str {
    match hooks {
        Hooks::None => "",
        Hooks::Off => "; its channel has webhooks, which are not subscribed to: ordersync help instasync",
        Hooks::On => "; webhooks tell of its orders as well",
        Hooks::Late => "; webhooks are on, and a delivery about one of its orders is late",
        Hooks::Failing => "; webhooks are on, and do not tell of all its orders: ordersync status",
        Hooks::Unheard => "; webhooks are on, and no ordersync listen receives them",
    }
}

/// A time in words, without rounding it: it is what is done.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, _) | (1..10, 1..) => format!("{seconds} s"),
        _ => output::duration(TimeDelta::from_std(time).unwrap_or_default()),
    }
}

fn why(pace: &Pace) -> String {
    let limit = match pace.why {
        Why::Shortest => "more often is of no use".to_owned(),
        Why::Answers(time) => format!("its answers take {:.1} s", time.as_secs_f64()),
        Why::Lane { per_second, kept } => {
            let kept = if kept { ", a fifth kept for dispatch" } else { "" };
            format!("{per_second:.3} requests or points a second{kept}")
        }
        Why::Day { permitted, others: 0 } => {
            format!("{} requests a day, a fifth kept for dispatch", output::number(permitted))
        }
        Why::Day { permitted, others } => format!(
            "{} requests a day, of which {} went to other things, a fifth kept for dispatch",
            output::number(permitted),
            output::number(others)
        ),
    };
    match pace.slowed {
        None => limit,
        Some(Slowed::Quiet) => format!("{limit}; less often, as nothing happens"),
        Some(Slowed::Night) => format!("{limit}; less often, as it is night"),
    }
}

fn to_json(store: &Store, said: &Said<'_>) -> Value {
    let of = |event: &str| json!({ "event": event, "store": store.name, "channel": store.kind.word() });
    match said {
        Said::Pace { pace, hooks, .. } => {
            let mut told = of("interval");
            let (by, requests, others, per_second, answers) = match pace.why {
                Why::Shortest => ("shortest", None, None, None, None),
                Why::Answers(time) => ("answers", None, None, None, Some(time.as_secs_f64())),
                Why::Lane { per_second, .. } => ("rate", None, None, Some(per_second), None),
                Why::Day { permitted, others } => ("day", Some(permitted), Some(others), None, None),
            };
            let slowed = pace.slowed.map(|slowed| match slowed {
                Slowed::Quiet => "quiet",
                Slowed::Night => "night",
            });
            let hooks = match hooks {
                Hooks::None => "none",
                Hooks::Off => "off",
                Hooks::On => "on",
                Hooks::Late => "late",
                Hooks::Failing => "failing",
                Hooks::Unheard => "unheard",
            };
            let more = json!({
                "every_seconds": pace.every.as_secs(), "by": by, "requests_a_day": requests, "used_otherwise": others,
                "per_second": per_second, "answer_seconds": answers, "slowed": slowed, "webhooks": hooks,
            });
            merged(&mut told, more);
            told
        }
        Said::Told => of("left-to-webhooks"),
        Said::Watched => of("watched-elsewhere"),
        Said::Kept(quota) => {
            let mut told = of("kept");
            merged(&mut told, json!({ "requests_a_day": quota.permitted, "left": quota.left }));
            told
        }
        Said::Round(run, report) => {
            let mut told = of("round");
            told["run"] = run.to_string().into();
            merged(&mut told, sync::store_json(report));
            told
        }
        Said::Failed(error) => {
            let mut told = of("failed");
            told["error"] = output::error_json(error);
            told
        }
        Said::Back => of("read-again"),
        Said::Gone => of("gone"),
    }
}

fn merged(told: &mut Value, more: Value) {
    if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
        told.extend(more);
    }
}
