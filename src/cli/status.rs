//! `ordersync status`: reads only local files.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::output::{self, Table};
use super::{App, Outcome};
use crate::book::{Book, Counts, Store};
use crate::channel::ChannelKind;
use crate::clock::{Timestamp, from_millis, rfc3339};
use crate::error::{ErrorKind, Result, exit_code};
use crate::order::Status;
use crate::schedule::Installed;
use crate::sync::advice::{Patience, Stage, export_patience, import_stage};

/// How every store stands, on one screen: syncs, orders by status, outbox, inbox, advice. Reads only local files.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// For monitors: exit 0 when all is well, 4 when credentials are refused, else 3
    #[arg(long)]
    check: bool,
}

struct Standing {
    store: Store,
    orders: Vec<(Status, u64)>,
    outbox: u64,
    oldest: Option<Timestamp>,
    inbox: u64,
    refused: bool,
    late: u64,
    stage: Stage,
    patience: Patience,
    next: Option<Timestamp>,
    overdue: bool,
    paused: Option<Timestamp>,
    paused_long: bool,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let book = app.existing_book()?;
    let now = app.context.clock.now();
    let (counts, drifted) = book.counts()?;
    let timer = Installed::read(&app.context.home);
    let standings: Vec<Standing> = app
        .stores(&book, &[])?
        .into_iter()
        .map(|store| standing(&book, store, &counts, timer.as_ref(), now))
        .collect::<Result<_>>()?;
    if app.global.json {
        output::print_json(&json!({
            "stores": standings.iter().map(to_json).collect::<Vec<_>>(), "changed_at_channel": drifted,
            "book": app.context.home.book(), "now": rfc3339(now), "ok": standings.iter().all(Standing::is_well),
        }))?;
    } else if !(args.check && app.global.quiet) {
        print(app, &standings, drifted, now)?;
    }
    Ok(if args.check { check(&standings) } else { 0 })
}

fn standing(book: &Book, store: Store, counts: &Counts, timer: Option<&Installed>, now: Timestamp) -> Result<Standing> {
    let orders: Vec<(Status, u64)> =
        Status::ALL.into_iter().filter_map(|status| Some((status, *counts.get(&(store.id, status.word()))?))).collect();
    let (outbox, oldest) = book.outbox_age(store.id)?;
    let interval = store.interval();
    // A timer that was put in place by hand leaves no note, only its runs.
    let since = store.last_autosync_at.max(timer.map(|timer| from_millis(timer.at)));
    let due = since.map(|since| since + interval);
    let next = match timer {
        Some(timer) => {
            let turn = store.last_autosync_at.map_or(now, |last| last + interval - super::sync::JITTER);
            Some(timer.next(turn.max(now)))
        }
        None => due,
    };
    let test = store.test.as_ref().map(|(at, error)| (*at, error.is_none()));
    let refused = book.inbox(false)?.iter().any(|e| e.kind == "credentials" && e.store.as_ref() == Some(&store.name));
    Ok(Standing {
        stage: import_stage(now, store.connected_at, !orders.is_empty(), test),
        patience: export_patience(oldest.map(|at| now - at)),
        inbox: book.inbox_count(store.id)?,
        late: book.late(store.id, now - TimeDelta::days(3))?,
        overdue: due.is_some_and(|at| now - at > interval * 2),
        paused: store.pause(now),
        paused_long: store.pause(now).is_some_and(|until| until - now > interval * 2),
        orders,
        outbox,
        oldest,
        refused,
        next,
        store,
    })
}

impl Standing {
    fn is_well(&self) -> bool {
        !self.refused
            && self.inbox == 0
            && !self.overdue
            && !self.paused_long
            && self.patience != Patience::GetInTouch
            && !matches!(self.stage, Stage::Test | Stage::GetInTouch)
    }
}

fn check(standings: &[Standing]) -> u8 {
    if standings.iter().any(|s| s.refused) {
        return exit_code(ErrorKind::Credentials);
    }
    if standings.iter().all(Standing::is_well) { 0 } else { crate::error::EXIT_PARTLY }
}

fn print(app: &App, standings: &[Standing], drifted: u64, now: Timestamp) -> anyhow::Result<()> {
    let ago = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| format!("{} ago", output::duration(now - at)));
    let mut table = Table::new(&["store", "last sync", "next autosync", ">outbox", ">inbox", ">late", "advice"]);
    for s in standings {
        let next = match s.next {
            None => "not scheduled".to_owned(),
            Some(_) if s.overdue => "overdue".to_owned(),
            Some(at) if at <= now => "now".to_owned(),
            Some(at) => format!("in {}", output::duration(at - now)),
        };
        let outbox = s.oldest.map_or("0".to_owned(), |at| format!("{} ({})", s.outbox, output::duration(now - at)));
        table.row(&[
            &s.store.name,
            &ago(s.store.last_sync_at),
            &next,
            &outbox,
            &s.inbox.to_string(),
            &s.late.to_string(),
            if s.refused { "credentials" } else { s.stage.word() },
        ]);
    }
    table.print()?;
    output::line("")?;
    let mut table = Table::new(&["orders", ">number"]);
    for status in Status::ALL {
        let orders: u64 = standings.iter().flat_map(|s| &s.orders).filter(|(s, _)| *s == status).map(|(_, n)| n).sum();
        if orders > 0 {
            table.row(&[status.word(), &output::number(orders)]);
        }
    }
    table.print()?;
    if drifted > 0 {
        output::line(&format!(
            "{} changed at the channel since you last saw them (marked * in orders)",
            output::count(drifted, "order")
        ))?;
    }
    for s in standings {
        advise(app, s, now)?;
    }
    if standings.iter().all(|s| s.next.is_none()) && !app.global.quiet {
        output::line("no timer is installed: ordersync schedule install syncs every half hour")?;
    }
    Ok(())
}

fn advise(app: &App, s: &Standing, now: Timestamp) -> anyhow::Result<()> {
    let name = &s.store.name;
    let guide = guide_time(s.store.kind);
    let say = |text: String| if app.global.quiet { Ok(()) } else { output::line(&format!("{name}: {text}")) };
    if s.refused {
        say(format!("the channel refuses the credentials; ordersync connect --reauth {name}"))?;
    }
    match s.stage {
        Stage::Ok => {}
        Stage::Wait => {
            say(format!("no order yet; a first sync takes approximately {guide}. ordersync sync --channel {name}"))?
        }
        Stage::Test => say(format!("no order yet; test the connection: ordersync connect --test {name}"))?,
        Stage::WaitAfterTest => say("the connection works; give it another half hour".to_owned())?,
        Stage::GetInTouch => {
            let why = s.store.test.as_ref().and_then(|(_, error)| error.clone());
            let why = why
                .map_or("the connection works, but no order came".to_owned(), |why| format!("the test failed: {why}"));
            say(format!("{why}. Get in touch, with what ordersync doctor --bundle writes"))?;
        }
    }
    match (s.patience, s.oldest) {
        (Patience::Allow, _) => say("a dispatch is not confirmed yet; allow up to an hour and a half".to_owned())?,
        (Patience::GetInTouch, Some(at)) => say(format!(
            "a dispatch is not confirmed for {}; ordersync outbox tells why. Get in touch, with what ordersync doctor --bundle writes",
            output::duration(now - at)
        ))?,
        _ => {}
    }
    if let Some(until) = s.store.pause(now) {
        let left = output::duration(until - now);
        say(format!(
            "the channel asked to be left alone for another {left}; ordersync connect --test {name} asks now"
        ))?;
    }
    if s.overdue {
        say("the timer has not run for a while; ordersync schedule show".to_owned())?;
    }
    if s.inbox > 0 {
        say(format!("{} in the inbox need you; ordersync inbox", output::count(s.inbox, "thing")))?;
    }
    Ok(())
}

/// The approximate time of a first sync (PRODUCT.md A-1).
fn guide_time(kind: ChannelKind) -> &'static str {
    crate::channel::guide_time(kind)
}

fn to_json(s: &Standing) -> Value {
    let orders: serde_json::Map<String, Value> =
        s.orders.iter().map(|(status, n)| (status.word().to_owned(), (*n).into())).collect();
    json!({
        "store": s.store.name, "channel": s.store.kind.word(), "title": s.store.title,
        "last_sync_at": s.store.last_sync_at.map(rfc3339), "last_autosync_at": s.store.last_autosync_at.map(rfc3339),
        "next_autosync_at": s.next.map(rfc3339), "overdue": s.overdue, "instasync": false,
        "orders": orders, "late": s.late,
        "outbox": { "open": s.outbox, "oldest_at": s.oldest.map(rfc3339), "patience": s.patience.word() },
        "inbox": s.inbox, "credentials_refused": s.refused, "credentials_expire_at": null,
        "paused_until": s.paused.map(rfc3339),
        "advice": s.stage.word(), "guide_time": guide_time(s.store.kind), "ok": s.is_well(),
    })
}
