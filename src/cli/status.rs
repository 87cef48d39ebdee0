//! `ordersync status`: reads only local files.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::orders::{left_out_json, left_out_words};
use super::output::{self, Table};
use super::when::parse_when;
use super::{App, Outcome, select};
use crate::book::{Book, Counts, Hooked, LastError, Left, LeftOut, LeftOuts, Purge, Store};
use crate::clock::{Timestamp, from_millis, rfc3339};
use crate::error::{Error, ErrorKind, Result, exit_code};
use crate::http::message_signature::key_ends_at;
use crate::http::oauth2::consent_ends_at;
use crate::listen::presence::{self, Presence};
use crate::lock::{self, Work};
use crate::order::Status;
use crate::schedule::{Installed, removed};
use crate::secret::Secrets;
use crate::sync::advice::{RetryPolicy, Stage, export_patience, import_stage, is_later_than_usual};
use crate::sync::health::{Announced, Facts, Trouble};

/// How every store stands, on one screen: syncs, orders by status, outbox, inbox, advice. Reads
/// only local files.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// For monitors: exit 0 when every store is well, 4 when credentials are refused or gone, else
    /// 3
    #[arg(long)]
    check: bool,
    /// How long ago a store may have been read to be well (45m, 2h, 1d); default is twice its
    /// interval
    #[arg(long, value_name = "DURATION")]
    max_age: Option<String>,
}

struct Standing {
    store: Store,
    orders: Vec<(Status, u64)>,
    outbox: u64,
    oldest: Option<Timestamp>,
    late: u64,
    facts: Facts,
    /// A sync that was killed: it began then, never ended, and is not at work.
    cut_off: Option<Timestamp>,
    /// Why the newest sync failed, and when, if it did.
    last_error: Option<LastError>,
    /// What helps where the channel refuses the credentials.
    refusal: Option<String>,
    troubles: Vec<Trouble>,
    next: Option<Timestamp>,
    /// The last clearing of old orders' personal data.
    purge: Option<Purge>,
    /// When the merchant's consent ends if no sync renews it before.
    consent_ends: Option<Timestamp>,
    key_ends: Option<Timestamp>,
    /// That the access is about to be taken away for want of use.
    lapsing: Option<String>,
    /// How Instasync stands, where it is on.
    hooked: Option<Hooked>,
    /// Since when syncs find new orders that no delivery told of.
    unannounced: Option<Timestamp>,
    /// When a receiver was surely at work for it, where one is known.
    listening: Option<Timestamp>,
    /// Whether one is at work for it.
    received: bool,
    /// Whether that one has ended.
    unheard: bool,
    /// Whether a watch is at work on it, in whichever process.
    watched: bool,
}

/// What is known of why orders come that no delivery told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// No delivery ever came.
    NothingCame,
    /// None has come since.
    Stopped,
    /// Others have come since.
    SomeMissing,
}

impl Gap {
    /// The word in JSON.
    fn word(self) -> &'static str {
        match self {
            Self::NothingCame => "nothing-came",
            Self::Stopped => "stopped",
            Self::SomeMissing => "some-missing",
        }
    }
}

/// That the timer was taken away, and what relies on it.
struct Untimed {
    removed_at: Timestamp,
    /// Stores whose orders come in no other way.
    orders: Vec<String>,
    /// Stores whose lost deliveries are not made up for.
    instant: Vec<String>,
    /// Rows of outboxes that are not settled.
    outbox: u64,
}

/// What all stores are looked at with.
struct View<'a> {
    app: &'a App,
    book: &'a Book,
    now: Timestamp,
    timer: Option<Installed>,
    /// When it was taken away, where it was and nothing has come in its place.
    removed_at: Option<Timestamp>,
    max_age: Option<TimeDelta>,
    receivers: Vec<Presence>,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let book = app.existing_book()?;
    let now = app.context.clock.now();
    let (counts, drifted) = book.counts()?;
    let waiting = book.waiting_count()?;
    let sending = book.to_send()?;
    let max_age = args.max_age.as_deref().map(|text| duration(text, now)).transpose()?;
    let (left, failure) = (book.left_to_clear()?, book.clearing_failure()?);
    let stores = book.stores()?;
    let timer = Installed::read(&app.context.home);
    // A timer that was put in place by hand leaves its runs.
    let runs_since = |at: &Timestamp| stores.iter().any(|store| store.last_autosync_at > Some(*at));
    let removed_at = removed::at(&app.context.home).filter(|at| timer.is_none() && !runs_since(at));
    let receivers = presence::all(&app.context.home, now);
    let view = View { app, book: &book, now, timer, removed_at, max_age, receivers };
    let standings: Vec<Standing> =
        stores.into_iter().map(|store| view.standing(store, &counts)).collect::<Result<_>>()?;
    let untimed = view.removed_at.and_then(|at| Untimed::of(at, &standings));
    if app.global.json {
        output::print_json(&json!({
            "timer": timer_json(&view, untimed.as_ref()),
            "stores": standings.iter().map(|s| to_json(s, now)).collect::<Vec<_>>(), "changed_at_channel": drifted,
            "waiting_for_review": waiting,
            "to_send": sending.0, "sent_as_twins": sending.1.get(&LeftOut::Twin).copied().unwrap_or(0),
            "left_out": left_out_json(&sending.1),
            "in_waiting_time": sending.1.get(&LeftOut::Waiting).copied().unwrap_or(0),
            "clearing": (left != Left::Nothing).then(|| left.word()),
            "clearing_failure": failure.as_ref().map(|(why, at)| json!({ "message": why, "at": rfc3339(*at) })),
            "book": app.context.home.book(), "now": rfc3339(now), "ok": standings.iter().all(Standing::is_well),
        }))?;
    } else if standings.is_empty() {
        if !app.global.quiet {
            output::line(&unconnected(&book)?)?;
        }
    } else if !(args.check && app.global.quiet) {
        print(app, &standings, (drifted, waiting, sending), now)?;
        if let (Some(untimed), false) = (&untimed, app.global.quiet) {
            output::line(&untimed.told(now))?;
        }
        if left != Left::Nothing && !app.global.quiet {
            output::line("personal data are being cleared; the next ordersync sync goes on with it")?;
        }
        if let (Some((why, at)), false) = (&failure, app.global.quiet) {
            let ago = output::duration(now - *at);
            output::line(&format!("personal data were not cleared as they should be: {why} (since {ago} ago)"))?;
        }
    }
    Ok(if args.check { check(&standings) } else { 0 })
}

/// `45m`, `2h`, `1d`.
fn duration(text: &str, now: Timestamp) -> Result<TimeDelta> {
    let span = text.ends_with(['m', 'h', 'd', 'w']).then(|| parse_when(text, now).ok()).flatten();
    span.map(|then| now - then).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("--max-age {text:?} is not a duration; write 45m, 2h or 1d"))
    })
}

impl View<'_> {
    fn standing(&self, store: Store, counts: &Counts) -> Result<Standing> {
        let (book, now) = (self.book, self.now);
        let orders: Vec<(Status, u64)> = Status::ALL
            .into_iter()
            .filter_map(|status| Some((status, *counts.get(&(store.id, status.word()))?)))
            .collect();
        let (outbox, oldest) = book.outbox_age(store.id)?;
        let locks = self.app.context.home.locks();
        let (at_work, killed): (Vec<_>, Vec<_>) =
            book.unfinished(store.id)?.into_iter().partition(|(run, _)| lock::is_at_work(&locks, *run));
        let last_error = book.last_error(store.id)?;
        // What was read in full since, or failed since in words of its own, makes up for it.
        let ended = store.last_sync_at.max(last_error.as_ref().map(|error| error.at));
        let cut_off = killed.first().map(|(_, at)| *at).filter(|at| ended.is_none_or(|ended| ended < *at));
        let (next, overdue) = self.next_turn(&store);
        let facts = Facts {
            at_work_since: at_work.last().map(|(_, at)| *at),
            sync_failed: last_error.as_ref().is_some_and(|error| !error.about_credentials),
            cut_off: cut_off.is_some(),
            unconfirmed: oldest.map(|at| now - at),
            failed: book.failed_count(store.id)?,
            overdue,
            ..self.facts(&store, !orders.is_empty())?
        };
        let receivers = self.receivers.iter().filter(|found| found.stores.contains(&store.name));
        let receiver = receivers.max_by_key(|found| (found.is_at_work(now), found.at));
        Ok(Standing {
            late: book.late(store.id, &book.shipping_due(&store)?)?,
            cut_off,
            last_error,
            refusal: book.refusal(store.id)?,
            troubles: facts.troubles(now),
            orders,
            outbox,
            oldest,
            facts,
            next,
            purge: book.purge(store.id)?,
            consent_ends: self.secret_of(&store, consent_ends_at),
            key_ends: self.secret_of(&store, key_ends_at),
            lapsing: lapsing(self.app, &store, now),
            hooked: book.hooked(store.id)?.filter(|hooked| hooked.is_whole),
            unannounced: Announced::of(book, &store)?.not_all_since(),
            listening: receiver.map(Presence::seen_at),
            received: presence::is_received(&self.app.context.home, &store.name, now),
            unheard: receiver.is_some_and(|found| found.ended),
            watched: lock::is_held(&locks, &store.name, Work::Watch),
            store,
        })
    }

    /// What the store's own row, its credentials and the inbox tell.
    fn facts(&self, store: &Store, has_orders: bool) -> Result<Facts> {
        let test = store.test.as_ref().map(|(at, error)| (*at, error.is_none()));
        Ok(Facts {
            connected_at: store.connected_at,
            read_at: store.last_sync_at,
            at_work_since: None,
            interval: store.interval(),
            max_age: self.max_age,
            has_credentials: self.app.context.credential_store().read(&store.name).is_ok(),
            refused: self.book.refusal(store.id)?.is_some(),
            paused_until: store.pause(self.now),
            unconfirmed: None,
            failed: 0,
            overdue: false,
            inbox: self.book.inbox_count(store.id)?,
            stage: import_stage(self.now, store.connected_at, has_orders, test),
            sync_failed: false,
            cut_off: false,
        })
    }

    fn secret_of(&self, store: &Store, of: fn(&Secrets) -> Option<Timestamp>) -> Option<Timestamp> {
        self.app.context.credential_store().read(&store.name).ok().and_then(|secrets| of(&secrets))
    }

    /// When the timer takes the store next, and whether it should have done so long ago.
    fn next_turn(&self, store: &Store) -> (Option<Timestamp>, bool) {
        let (now, interval) = (self.now, store.interval());
        if self.removed_at.is_some() {
            return (None, false);
        }
        // A timer that was put in place by hand leaves no note, only its runs.
        let since = store.last_autosync_at.max(self.timer.as_ref().map(|timer| from_millis(timer.at)));
        let due = since.map(|since| since + interval);
        let next = match &self.timer {
            Some(timer) => {
                let turn = store.last_autosync_at.map_or(now, |last| last + interval - super::sync::JITTER);
                Some(timer.next(turn.max(now)))
            }
            None => due,
        };
        (next, due.is_some_and(|at| now - at > interval * 2))
    }
}

impl Standing {
    fn is_well(&self) -> bool {
        self.troubles.iter().all(|trouble| trouble.passes())
    }

    /// Whether its orders come by webhook: it is subscribed, and somebody receives.
    fn is_instant(&self) -> bool {
        self.hooked.is_some() && self.received
    }

    /// The mark of a store whose orders come by webhook; another where some do not that should.
    fn mark(&self, is_utf8: bool) -> Option<&'static str> {
        let is_gap = self.hooked.is_some() && self.unannounced.is_some();
        if !is_gap && !self.is_instant() {
            return None;
        }
        Some(match (is_utf8, is_gap) {
            (true, false) => "⚡",
            (true, true) => "⚡!",
            (false, false) => "[instant]",
            (false, true) => "[instant!]",
        })
    }

    /// Why orders come that no delivery told of, and since when, where they do and some should.
    fn gap(&self) -> Option<(Gap, Timestamp)> {
        let (hooked, since) = (self.hooked.as_ref()?, self.unannounced?);
        let gap = match hooked.delivered_at {
            None => Gap::NothingCame,
            Some(at) if at < since => Gap::Stopped,
            Some(_) => Gap::SomeMissing,
        };
        Some((gap, since))
    }

    /// How orders come sooner than with the next sync, where they do not yet.
    fn sooner(&self) -> Option<String> {
        match (&self.hooked, self.store.kind.adapter().webhooks.is_some()) {
            (Some(_), _) => None,
            (None, true) => Some("ordersync listen --public-url https://...".to_owned()),
            (None, false) if self.watched => None,
            (None, false) => Some(format!("ordersync watch --channel {}", self.store.name)),
        }
    }

    fn has(&self, trouble: impl Fn(Trouble) -> bool) -> bool {
        self.troubles.iter().copied().any(trouble)
    }
}

/// That nothing is connected, and what the book has all the same.
fn unconnected(book: &Book) -> Result<String> {
    let error = select::no_store_of(book)?;
    Ok(format!("{}; {}", error.message(), error.hint_text().unwrap_or_default()))
}

fn check(standings: &[Standing]) -> u8 {
    if standings.iter().any(|s| s.has(Trouble::is_about_credentials)) {
        return exit_code(ErrorKind::Credentials);
    }
    if standings.iter().all(Standing::is_well) { 0 } else { crate::error::EXIT_PARTLY }
}

fn print(
    app: &App,
    standings: &[Standing],
    (drifted, waiting, (to_send, left_out)): (u64, u64, (u64, LeftOuts)),
    now: Timestamp,
) -> anyhow::Result<()> {
    let ago = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| format!("{} ago", output::duration(now - at)));
    let mut table = Table::new(&["store", "last sync", "next autosync", ">outbox", ">inbox", ">late", "advice"]);
    for s in standings {
        let next = match s.next {
            None => "not scheduled".to_owned(),
            Some(_) if s.facts.overdue => "overdue".to_owned(),
            Some(at) if at <= now => "now".to_owned(),
            Some(at) => format!("in {}", output::duration(at - now)),
        };
        let outbox = match s.oldest {
            Some(at) => format!("{} ({})", s.outbox, output::duration(now - at)),
            None if s.outbox > 0 => format!("{} (on hold)", s.outbox),
            None => "0".to_owned(),
        };
        // The mark stands at the task that runs by webhook: at the orders, not at the outbox.
        let read = match s.mark(output::utf8()) {
            Some(mark) => format!("{} {mark}", ago(s.facts.read_at)),
            None => ago(s.facts.read_at),
        };
        table.row(&[
            &s.store.name,
            &read,
            &next,
            &outbox,
            &output::number(s.facts.inbox),
            &output::number(s.late),
            advice_word(s),
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
    if let Some(left_out) = left_out_words(&left_out) {
        let sales = output::count(to_send, "sale");
        output::line(&format!("{sales} to send (ordersync orders --to-send): of those above, {left_out}"))?;
    }
    if drifted > 0 {
        output::line(&format!(
            "{} changed at the channel since last seen (ordersync orders --changed lists what changed)",
            output::count(drifted, "order")
        ))?;
    }
    if waiting > 0 {
        let what = output::count(waiting, "order");
        output::line(&format!("{what} with changes that wait for your word (ordersync changes)"))?;
    }
    for s in standings {
        advise(app, s, now)?;
    }
    if let (Some(found), false) = (crate::book::exposed(&app.context.home.book()).first(), app.global.quiet) {
        output::note(&format!("{found}; ordersync doctor says more"));
    }
    let was_removed = removed::at(&app.context.home).is_some();
    if standings.iter().all(|s| s.next.is_none()) && !was_removed && !app.global.quiet {
        output::line(&match crate::schedule::is_possible() {
            true => "no timer is installed: ordersync schedule install syncs every half hour".to_owned(),
            false => format!(
                "no timer can be installed on this machine: have anything run {} every half hour",
                crate::schedule::BY_OTHERS
            ),
        })?;
    }
    if app.global.quiet {
        return Ok(());
    }
    let names = |webhooks: bool| {
        let of = |s: &&Standing| s.sooner().is_some() && s.store.kind.adapter().webhooks.is_some() == webhooks;
        standings.iter().filter(of).map(|s| s.store.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let (could, cannot) = (names(true), names(false));
    if !could.is_empty() {
        output::line(&format!(
            "Instasync is off for {could}: ordersync listen --public-url https://... turns it on, and ordersync help instasync says how orders come within seconds"
        ))?;
    }
    if !cannot.is_empty() {
        output::line(&format!(
            "no webhooks tell of the orders of {cannot}: ordersync watch reads them as often as their channels permit"
        ))?;
    }
    Ok(())
}

impl Untimed {
    /// What relies on the timer, if anything does.
    fn of(removed_at: Timestamp, standings: &[Standing]) -> Option<Self> {
        let names = |is: &dyn Fn(&Standing) -> bool| {
            standings.iter().filter(|s| is(s)).map(|s| s.store.name.clone()).collect::<Vec<_>>()
        };
        let orders = names(&|s| s.hooked.is_none() && !s.watched);
        let instant = names(&|s| s.hooked.is_some() && !s.watched);
        let outbox = standings.iter().map(|s| s.outbox).sum();
        let relies = !orders.is_empty() || !instant.is_empty() || outbox > 0;
        relies.then_some(Self { removed_at, orders, instant, outbox })
    }

    fn told(&self, now: Timestamp) -> String {
        let orders = (!self.orders.is_empty())
            .then(|| format!("orders of {} come with a sync by hand alone", self.orders.join(", ")));
        let instant = (!self.instant.is_empty())
            .then(|| format!("what webhooks of {} lose is not found by itself", self.instant.join(", ")));
        let outbox = (self.outbox > 0)
            .then(|| format!("{} not settled", output::count(self.outbox, "dispatch or cancellation")));
        let what: Vec<String> = [orders, instant, outbox].into_iter().flatten().collect();
        format!(
            "the timer was removed {} ago, and nothing syncs by itself: {}; ordersync schedule install puts it back",
            output::duration(now - self.removed_at),
            what.join("; ")
        )
    }

    /// The words of what relies on it.
    fn words(&self) -> Vec<&'static str> {
        let all =
            [("orders", !self.orders.is_empty()), ("instasync", !self.instant.is_empty()), ("outbox", self.outbox > 0)];
        all.into_iter().filter(|(_, relies)| *relies).map(|(word, _)| word).collect()
    }
}

fn timer_json(view: &View<'_>, untimed: Option<&Untimed>) -> Value {
    json!({
        "installed": view.timer.is_some(), "removed_at": view.removed_at.map(rfc3339),
        "relied_on_by": untimed.map(Untimed::words).unwrap_or_default(),
    })
}

/// The gravest thing, in a word.
fn advice_word(s: &Standing) -> &'static str {
    match s.troubles.first() {
        Some(trouble) if trouble.is_about_credentials() => "credentials",
        Some(trouble) if s.facts.stage == Stage::Ok => trouble.word(),
        _ => s.facts.stage.word(),
    }
}

fn advise(app: &App, s: &Standing, now: Timestamp) -> anyhow::Result<()> {
    if app.global.quiet {
        return Ok(());
    }
    let name = &s.store.name;
    let lines =
        s.troubles.iter().filter_map(|trouble| told(s, *trouble, now)).chain(advice(s, now)).chain(remarks(s, now));
    lines.into_iter().try_for_each(|text| output::line(&format!("{name}: {text}")))
}

/// What is wrong, with the command that helps. A first sync has its own words.
fn told(s: &Standing, trouble: Trouble, now: Timestamp) -> Option<String> {
    let name = &s.store.name;
    let span = output::duration;
    Some(match trouble {
        Trouble::CredentialsGone => {
            format!("its credentials are not on this machine (or cannot be read); ordersync connect --reauth {name}")
        }
        Trouble::CredentialsRefused => {
            format!("the channel refuses the credentials; {}", s.refusal.as_deref().unwrap_or_default())
        }
        Trouble::NotRead(age) => not_read(s, age),
        Trouble::Paused(left) => format!(
            "the channel asked to be left alone for another {}; ordersync connect --test {name} asks it again",
            span(left)
        ),
        Trouble::NotConfirmed(age) => format!(
            "a dispatch is not confirmed for {}; ordersync outbox tells why. Get in touch, with what ordersync doctor --bundle writes",
            span(age)
        ),
        Trouble::Failed(n) => {
            let what = output::count(n, "dispatch or cancellation");
            format!("{what} did not go out; ordersync outbox tells why, ordersync retry tries again")
        }
        Trouble::Inbox(n) => format!("{} in the inbox; ordersync inbox says what needs you", output::count(n, "thing")),
        Trouble::Overdue => "the timer has not run for a while; ordersync schedule show".to_owned(),
        Trouble::SyncFailed => {
            let LastError { why, at, .. } = s.last_error.as_ref()?;
            let ago = span(now - *at);
            format!("the last sync failed: {why} ({ago} ago); ordersync sync --channel {name} tries now")
        }
        Trouble::CutOff => {
            let ago = s.cut_off.map(|at| span(now - at)).unwrap_or_default();
            format!("the sync of {ago} ago was cut off; the next one goes on from there")
        }
        Trouble::Unfinished => format!(
            "the first sync has not come to its end: orders are missing; ordersync sync --channel {name} goes on from there"
        ),
        Trouble::NoOrders => return None,
    })
}
/// A store that nobody has read for too long, and as far as it is known why.
fn not_read(s: &Standing, age: TimeDelta) -> String {
    let name = &s.store.name;
    let since = match s.facts.read_at {
        Some(_) => format!("not read for {}", output::duration(age)),
        None => format!("not read since it was connected, {} ago", output::duration(age)),
    };
    match (s.facts.at_work_since, &s.last_error) {
        (Some(_), _) => format!("{since}; a sync is at work on it"),
        (None, Some(LastError { why, .. })) => format!("{since}: {why}; ordersync sync --channel {name} tries now"),
        (None, None) => {
            format!("{since}; ordersync sync --channel {name} reads it now, ordersync runs tells what was done")
        }
    }
}

/// That no order has come although it is later than usual, where it is.
fn usual(s: &Standing, now: Timestamp) -> String {
    let title = s.store.kind.title();
    if is_late(s, now) { format!(", later than usual for {title}") } else { String::new() }
}

fn is_late(s: &Standing, now: Timestamp) -> bool {
    let guide = s.store.kind.adapter().guide_time;
    s.facts.stage != Stage::Ok && is_later_than_usual(now, s.store.connected_at, guide)
}

/// What to do about a first sync.
fn advice(s: &Standing, now: Timestamp) -> Option<String> {
    let name = &s.store.name;
    match s.facts.stage {
        Stage::Ok => None,
        Stage::Wait if s.facts.read_at.is_some() => {
            let since = s.store.since.map_or_else(String::new, |at| format!(" since {}", output::date(at)));
            Some(format!("no order yet: the last sync found none{since}{}", usual(s, now)))
        }
        Stage::Wait => {
            let guide = s.store.kind.adapter().guide_time;
            let usual = usual(s, now);
            Some(format!(
                "no order yet; a first sync takes approximately {guide}{usual}: ordersync sync --channel {name}"
            ))
        }
        Stage::Test => Some(format!("no order yet; test the connection: ordersync connect --test {name}")),
        Stage::WaitAfterTest => Some("the connection works; give it another half hour".to_owned()),
        Stage::GetInTouch => {
            let why = s.store.test.as_ref().and_then(|(_, error)| error.clone());
            let why = why
                .map_or("the connection works, but no order came".to_owned(), |why| format!("the test failed: {why}"));
            Some(format!("{why}. Get in touch, with what ordersync doctor --bundle writes"))
        }
    }
}

/// What is good to know and no trouble yet.
fn remarks(s: &Standing, now: Timestamp) -> Vec<String> {
    let running = s.facts.at_work_since.map(|at| format!("a sync is at work since {}", output::duration(now - at)));
    let allow = (export_patience(s.facts.unconfirmed) == RetryPolicy::Allow)
        .then(|| "a dispatch is not confirmed yet; allow up to an hour and a half".to_owned());
    let pause = s.facts.paused_until.filter(|until| *until > now && !s.has(|t| matches!(t, Trouble::Paused(_))));
    let pause =
        pause.map(|until| format!("the channel asked to be left alone for another {}", output::duration(until - now)));
    let consent = consent_ending(&s.store, s.consent_ends, now);
    let key = key_ending(&s.store, s.key_ends, now);
    [running, allow, pause, consent, key, s.lapsing.clone(), instant(s, now), deaf(s, now), watched(s), kept(s, now)]
        .into_iter()
        .flatten()
        .collect()
}

/// That it is polled all the time.
fn watched(s: &Standing) -> Option<String> {
    s.watched.then(|| "it is watched: read as often as its channel permits".to_owned())
}

/// How Instasync stands, where it is on.
fn instant(s: &Standing, now: Timestamp) -> Option<String> {
    let (hooked, mark) = (s.hooked.as_ref()?, s.mark(output::utf8())?);
    let last = hooked
        .delivered_at
        .map_or("none came yet".to_owned(), |at| format!("the last one came {} ago", output::duration(now - at)));
    let Some((gap, since)) = s.gap() else {
        return deaf(s, now).is_none().then(|| format!("{mark} orders come by webhook; {last}"));
    };
    let ago = output::duration(now - since);
    let reach = format!("ordersync listen has to run where {} reaches it", hooked.address);
    let why = match gap {
        Gap::NothingCame => format!("no delivery ever came; {reach}"),
        Gap::Stopped => format!("none has come since, {last}; {reach}"),
        Gap::SomeMissing => {
            format!(
                "others come, {last}: a subscription may be missing, which ordersync listen makes again when it starts"
            )
        }
    };
    let refused = match hooked.refused {
        0 => String::new(),
        n => format!(", and {} came that were not the channel's", output::number(n)),
    };
    Some(format!(
        "{mark} for {ago} syncs have found new orders that no webhook told of: {why}{refused}. Until then the syncs bring them"
    ))
}

/// From when on it is told that no receiver is at work, where it has not said that it ended.
const DEAF: TimeDelta = TimeDelta::minutes(10);

/// That the channel is to deliver, and nobody receives.
fn deaf(s: &Standing, now: Timestamp) -> Option<String> {
    let hooked = s.hooked.as_ref()?;
    let silent = now - s.listening?;
    (s.unheard || silent > DEAF).then(|| {
        format!(
            "its webhooks go to {}, and no ordersync listen has run for {}; ordersync schedule install --listen keeps one running",
            hooked.address,
            output::duration(silent)
        )
    })
}

/// How long before its end a consent is spoken of: whoever has a timer never comes near.
const SPOKEN_OF: TimeDelta = TimeDelta::days(30);

/// The same of what no sync renews: somebody has to sit down for it.
const SPOKEN_OF_EARLY: TimeDelta = TimeDelta::days(60);

/// That a consent is about to end, or has ended.
pub(super) fn consent_ending(store: &Store, ends: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let (name, left) = (&store.name, ends? - now);
    let is_renewed = store.kind.adapter().renews_consent;
    if left <= TimeDelta::zero() {
        return Some(format!(
            "your consent at the channel has ended by its age; ordersync connect --reauth {name} asks for a new one"
        ));
    }
    if !is_renewed {
        return (left < SPOKEN_OF_EARLY).then(|| {
            format!(
                "your consent at the channel ends in {}, and no sync renews it: ordersync connect --reauth {name} asks for a new one",
                output::duration(left)
            )
        });
    }
    (left < SPOKEN_OF).then(|| {
        format!(
            "your consent at the channel ends in {} unless a sync renews it: ordersync sync --channel {name}",
            output::duration(left)
        )
    })
}

/// That the key which signs requests is about to end, or has ended.
pub(super) fn key_ending(store: &Store, ends: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let (name, left) = (&store.name, ends? - now);
    let ends =
        if left <= TimeDelta::zero() { "has ended".to_owned() } else { format!("ends in {}", output::duration(left)) };
    (left < SPOKEN_OF_EARLY).then(|| {
        format!("the key that signs what moves money at the channel {ends}; ordersync connect --reauth {name} makes another one")
    })
}

/// So long before an access lapses it is spoken of.
const A_MONTH: TimeDelta = TimeDelta::days(30);

/// No channel takes an access away that was used in that time, so none is asked.
const IN_USE: TimeDelta = TimeDelta::days(30);

/// That an access is about to be taken away for want of use, or may have been.
pub(super) fn lapsing(app: &App, store: &Store, now: Timestamp) -> Option<String> {
    let passed = store.test.as_ref().filter(|(_, error)| error.is_none()).map(|(at, _)| *at);
    let used = Some(store.connected_at).max(store.last_sync_at).max(passed)?;
    let idle = now - used;
    if idle < IN_USE {
        return None;
    }
    let lapses = app.context.open(store).ok()?.channel.lapses_after()?;
    (idle > lapses - A_MONTH).then(|| {
        format!(
            "the last good call was {} ago, and after {} without one the channel takes the access away; ordersync connect --test {} \
             makes one, {} makes them by itself",
            output::duration(idle),
            output::duration(lapses),
            store.name,
            if crate::schedule::is_possible() { "ordersync schedule install" } else { "a sync every half hour" }
        )
    })
}

/// How long the store keeps personal data, and what was cleared last.
fn kept(s: &Standing, now: Timestamp) -> Option<String> {
    let retain = s.store.values.get("retain").map(|age| format!("personal data of closed orders are kept for {age}"));
    let cleared = s.purge.filter(|purge| purge.orders > 0).map(|purge| {
        let ago = output::duration(now - purge.finished_at.unwrap_or(purge.begun_at));
        format!("{} cleared of personal data {ago} ago", output::count(purge.orders, "order"))
    });
    let parts: Vec<String> = [retain, cleared].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A store as `--json` tells of it.
fn to_json(s: &Standing, now: Timestamp) -> Value {
    let orders: serde_json::Map<String, Value> =
        s.orders.iter().map(|(status, n)| (status.word().to_owned(), (*n).into())).collect();
    let f = &s.facts;
    json!({
        "store": s.store.name, "channel": s.store.kind.word(), "title": s.store.title,
        "last_sync_at": f.read_at.map(rfc3339), "last_autosync_at": s.store.last_autosync_at.map(rfc3339),
        "next_autosync_at": s.next.map(rfc3339), "overdue": f.overdue, "instasync": s.hooked.is_some(),
        "instasync_since": s.hooked.as_ref().map(|hooked| rfc3339(hooked.since)),
        "last_delivery_at": s.hooked.as_ref().and_then(|hooked| hooked.delivered_at).map(rfc3339),
        "deliveries": s.hooked.as_ref().map(|hooked| hooked.delivered),
        "deliveries_refused": s.hooked.as_ref().map(|hooked| hooked.refused),
        "unannounced_since": s.unannounced.map(rfc3339),
        "listening_at": s.listening.filter(|_| s.hooked.is_some()).map(rfc3339),
        "instasync_gap": s.gap().map(|(gap, since)| json!({ "reason": gap.word(), "since": rfc3339(since) })),
        "tasks": [
            { "task": "orders", "instasync": s.is_instant() },
            { "task": "outbox", "instasync": false },
        ],
        "watched": s.watched, "sooner_with": s.sooner(),
        "at_work_since": f.at_work_since.map(rfc3339), "max_age_seconds": f.limit().num_seconds(),
        "orders": orders, "late": s.late,
        "outbox": {
            "open": s.outbox, "oldest_at": s.oldest.map(rfc3339), "failed": f.failed,
            "patience": export_patience(f.unconfirmed).word(),
        },
        "inbox": f.inbox, "credentials_refused": f.refused, "credentials_gone": !f.has_credentials,
        "credentials_expire_at": s.consent_ends.map(rfc3339), "paused_until": f.paused_until.map(rfc3339),
        "last_error": s.last_error.as_ref().map(|error| json!({ "message": error.why, "at": rfc3339(error.at) })),
        "advice": if f.stage == Stage::Ok { advice_word(s) } else { f.stage.word() }, "guide_time": s.store.kind.adapter().guide_time.to_string(),
        "retain": s.store.values.get("retain"), "last_purge": s.purge.map(|purge| json!({
            "how": purge.how.word(), "before": rfc3339(purge.before), "begun_at": rfc3339(purge.begun_at),
            "orders": purge.orders, "left_out": purge.left_out, "finished_at": purge.finished_at.map(rfc3339),
        })),
        "later_than_usual": is_late(s, now), "ok": s.is_well(),
        "troubles": s.troubles.iter().map(|trouble| trouble.word()).collect::<Vec<_>>(),
    })
}
