//! The polling of stores that tell of nothing: as often as their channels' budgets allow.
//!
//! A round is a sync of one store like any other ([`sync::run`]): with its lock, so that a sync
//! beside it waits or gives way (F-2), its position, its outbox, and the same account of the
//! channel's budgets. Each store has a thread of its own, so that none waits for another (I-5), and
//! one watch at a time, whichever process that is in.
//!
//! | module | does |
//! |---|---|
//! | here | when a round is made, and when not |
//! | [`pace`] | how often: a pure decision |
//! | [`rounds`] | what rounds took of a day's requests |
//! | [`night`] | the hours in which little is to be asked |

mod night;
mod pace;
mod rounds;
#[cfg(all(test, feature = "simulator"))]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use crate::book::{Book, RunKind, Store};
use crate::channel::Quota;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::LaneUse;
use crate::listen::presence;
use crate::lock::{Lock, Work};
use crate::secret::Secrets;
use crate::sync::health::Announced;
use crate::sync::report::StoreReport;
use crate::sync::{self, Context, Job, Silent};
pub(crate) use night::Night;
use pace::{Facts, KEPT};
pub(crate) use pace::{Pace, Slowed, Why};
use rounds::Rounds;

/// How often it is looked whether things stand otherwise, on this machine alone: while a store is left
/// alone, and while its next round is not due.
const LOOK: Duration = Duration::from_secs(5);
const NOT_DUE: Duration = Duration::from_secs(30);

/// How long a store that fails is left alone at first, in pauses of a failed request, and at most.
const PAUSES: u32 = 5;
const LONGEST_PAUSES: u32 = 300;

/// A pace that differs from the last one by less is not worth a word.
const SAME: f64 = 1.25;

/// How the merchant wants it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct How {
    /// A store is asked also while webhooks tell of its orders.
    pub(crate) even_told: bool,
    /// When little is to be asked.
    pub(crate) night: Option<Night>,
}

/// What a watch tells of a store.
#[derive(Debug)]
pub(crate) enum Said<'a> {
    /// How often it is asked from now on.
    Pace {
        pace: &'a Pace,
        /// The first time, and once it was measured what decides it.
        first: bool,
        hooks: Hooks,
    },
    /// Webhooks tell of its orders, so it is not asked.
    Told,
    /// Another process watches it.
    Watched,
    /// What is left of the day's requests is kept.
    Kept(Quota),
    /// A round has brought something.
    Round(i64, &'a StoreReport),
    /// A round has failed, the first of several. Those after it are made less and less often, or none
    /// before there are other credentials.
    Failed(&'a Error),
    /// It is read again.
    Back,
    /// It is not connected any more.
    Gone,
}

/// How a store that is asked stands with webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hooks {
    /// Its channel has none.
    None,
    /// None are subscribed to.
    Off,
    /// They tell of its orders, and it is asked all the same.
    On,
    /// One about an order is late, and may still come.
    Late,
    /// They do not tell of all its orders.
    Failing,
    /// Nobody receives them.
    Unheard,
}

/// Where that is told.
pub(crate) type Tell = Arc<dyn Fn(&Store, &Said<'_>) + Send + Sync>;

/// How long rounds that are under way when the process is to end may take to come to their ends.
/// They can be cut off at any instant.
const TO_THE_END: Duration = Duration::from_millis(700);

/// How long another's transaction is waited for when the process is to end.
const HURRY: Duration = Duration::from_millis(200);

/// Stores that are watched, each by a thread of its own, until the process is to end.
pub(crate) struct Watchers {
    context: Arc<Context>,
    how: How,
    tell: Tell,
    at_work: BTreeSet<i64>,
    ended: (Sender<i64>, Receiver<i64>),
}

impl Watchers {
    /// Those of nothing yet.
    pub(crate) fn new(context: Arc<Context>, how: How, tell: Tell) -> Self {
        Self { context, how, tell, at_work: BTreeSet::new(), ended: channel() }
    }

    /// Watches these stores from now on, as far as they are not watched already.
    ///
    /// # Errors
    /// Where a thread cannot be had.
    pub(crate) fn begin(&mut self, stores: &[Store]) -> Result<()> {
        while let Ok(store) = self.ended.1.try_recv() {
            self.at_work.remove(&store);
        }
        for store in stores {
            if !self.at_work.insert(store.id) {
                continue;
            }
            let (context, store, how, tell) = (self.context.clone(), store.clone(), self.how, self.tell.clone());
            let ended = Ended(store.id, self.ended.0.clone());
            let work = move || {
                let _ended = ended;
                let _ = watch(&context, &store, how, &tell);
            };
            let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(work);
            thread.map_err(|e| Error::new(ErrorKind::Failed, format!("no thread can be started: {e}")))?;
        }
        Ok(())
    }

    /// Waits a moment for the rounds that are under way, once the process is to end. Those that are cut
    /// off then are over: what they have read is in the book.
    pub(crate) fn end(self) {
        let Self { context, mut at_work, ended: (none_more, ended), .. } = self;
        drop(none_more);
        let begun = Instant::now();
        while !at_work.is_empty() {
            let Ok(store) = ended.recv_timeout(TO_THE_END.saturating_sub(begun.elapsed())) else { break };
            at_work.remove(&store);
        }
        if !at_work.is_empty() {
            let _ = context.book().and_then(|book| book.in_a_hurry(HURRY)?.rounds_cut_off());
        }
    }
}

/// Says that a store is watched no longer, whatever ended that.
struct Ended(i64, Sender<i64>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.1.send(self.0);
    }
}

/// Asks a store again and again, until it is not connected any more.
///
/// # Errors
/// `Interrupted`, when the merchant ends it.
fn watch(context: &Context, store: &Store, how: How, tell: &Tell) -> Result<()> {
    let mut watch = Watch::new(context, store.clone(), how, tell);
    loop {
        context.clock.check_interrupt()?;
        let pause = match watch.look() {
            Ok(Some(pause)) => pause,
            Ok(None) => {
                watch.say(&Said::Gone);
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            // The book: it is full, locked or damaged, and no round can be made.
            Err(error) => {
                watch.failed(&error, None);
                watch.back_off()
            }
        };
        context.clock.sleep(pause)?;
    }
}

/// Why nothing is asked just now; each is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Told,
    Watched,
    Kept,
}

struct Watch<'a> {
    context: &'a Context,
    store: Store,
    how: How,
    tell: &'a Tell,
    /// Open all the time: whoever is last to close the book folds its log into it.
    book: Option<Book>,
    lock: Option<Lock>,
    rounds: Rounds,
    /// What one with nothing new takes, as the last one did or as it is usual.
    cost: f64,
    lanes: Vec<LaneUse>,
    answers: Duration,
    /// The quota as the adapter supposes it where no answer has told it.
    usual: Option<Quota>,
    /// When the last round began, and when it was over.
    begun: Option<Timestamp>,
    ended: Option<Timestamp>,
    /// When something new came last.
    new_at: Timestamp,
    /// Orders of the last round that could not be read: they may be met again in each.
    unread: u64,
    failures: u32,
    /// The credentials that the channel refuses.
    refused: Option<Option<Secrets>>,
    /// No round before.
    not_before: Option<Timestamp>,
    said: Option<Pace>,
    measured: bool,
    rest: Option<Rest>,
}

impl<'a> Watch<'a> {
    fn new(context: &'a Context, store: Store, how: How, tell: &'a Tell) -> Self {
        Self {
            context,
            store,
            how,
            tell,
            book: None,
            lock: None,
            rounds: Rounds::default(),
            cost: 1.0,
            lanes: Vec::new(),
            answers: Duration::ZERO,
            usual: None,
            begun: None,
            ended: None,
            new_at: context.clock.now(),
            unread: 0,
            failures: 0,
            refused: None,
            not_before: None,
            said: None,
            measured: false,
            rest: None,
        }
    }

    fn say(&self, said: &Said<'_>) {
        (self.tell)(&self.store, said);
    }

    /// Says once why nothing is asked.
    fn rests(&mut self, rest: Rest, said: &Said<'_>) -> Duration {
        if self.rest.replace(rest) != Some(rest) {
            self.say(said);
        }
        LOOK
    }

    /// Makes a round where it is time for one. Gives how long nothing is to be done; nothing where the
    /// store is not connected any more.
    fn look(&mut self) -> Result<Option<Duration>> {
        let book = match self.book.take() {
            Some(book) => book,
            None => self.begin()?,
        };
        let connected = book.stores()?.into_iter().find(|store| store.id == self.store.id);
        let Some(store) = connected else { return Ok(None) };
        self.store = store;
        let (hooks, now) = (hooks(self.context, &book, &self.store)?, self.context.clock.now());
        let told = book.told_quota(self.store.id)?;
        self.book = Some(book);
        if hooks == Hooks::On && !self.how.even_told {
            self.lock = None;
            self.said = None;
            return Ok(Some(self.rests(Rest::Told, &Said::Told)));
        }
        if self.lock.is_none() && !self.take()? {
            return Ok(Some(self.rests(Rest::Watched, &Said::Watched)));
        }
        if self.is_refused() {
            return Ok(Some(LOOK));
        }
        let facts = self.facts(told, now);
        let pace = facts.pace(KEPT);
        self.tell_pace(&pace, hooks);
        let due = self.due(&pace, now);
        if due > now {
            return Ok(Some((due - now).to_std().unwrap_or_default().min(NOT_DUE)));
        }
        if let Some(quota) = facts.quota.filter(|_| !facts.are_enough(KEPT)) {
            return Ok(Some(self.rests(Rest::Kept, &Said::Kept(quota))));
        }
        self.rest = None;
        self.round()?;
        Ok(Some(Duration::ZERO))
    }

    /// What is known of the store before its first round. No network.
    fn begin(&mut self) -> Result<Book> {
        let book = self.context.book()?;
        if self.said.is_none() {
            // What cannot be opened is told by its first round.
            if let Ok(open) = self.context.open(&self.store) {
                self.cost = f64::from(open.channel.capabilities().beside) + 1.0;
                self.usual = open.channel.quota();
            }
        }
        Ok(book)
    }

    fn take(&mut self) -> Result<bool> {
        let (dir, clock) = (self.context.home.locks(), self.context.clock.as_ref());
        match Lock::take(&dir, &self.store.name, Work::Watch, Duration::ZERO, clock) {
            Ok(lock) => self.lock = Some(lock),
            Err(error) if error.kind() == ErrorKind::Locked => return Ok(false),
            Err(error) => return Err(error),
        }
        // Those of a former process, or of the one that has watched it so far.
        if let Some(book) = &self.book {
            self.rounds = Rounds::of(book.rounds(self.store.id, Rounds::since(self.context.clock.now()))?);
        }
        Ok(true)
    }

    /// Whether the channel refuses the credentials, and there are no others yet.
    fn is_refused(&mut self) -> bool {
        let Some(known) = &self.refused else { return false };
        if self.store.refused && *known == self.secrets() {
            return true;
        }
        self.refused = None;
        self.not_before = None;
        false
    }

    fn secrets(&self) -> Option<Secrets> {
        self.context.credential_store().read(&self.store.name).ok()
    }

    fn facts(&self, told: Option<(Timestamp, Quota)>, now: Timestamp) -> Facts {
        Facts {
            quota: told.map(|told| self.rounds.left(told, now)).or(self.usual),
            own: self.rounds.own(now),
            cost: self.cost,
            lanes: self.lanes.clone(),
            answers: self.answers,
            quiet: (now - self.new_at).to_std().unwrap_or_default(),
            night: self.how.night.is_some_and(|night| night.is_at(now)),
        }
    }

    fn tell_pace(&mut self, pace: &Pace, hooks: Hooks) {
        let apart = |said: &Pace| {
            let (a, b) = (said.every.as_secs_f64(), pace.every.as_secs_f64());
            a.max(b) / a.min(b) >= SAME
        };
        let is_measured = !self.answers.is_zero();
        let first = self.said.is_none() || (is_measured && !self.measured);
        self.measured |= is_measured;
        if self.said.as_ref().is_none_or(apart) {
            self.say(&Said::Pace { pace, first, hooks });
            self.said = Some(*pace);
        }
    }

    /// When the next round is due. What another sync has read needs no round of ours.
    fn due(&self, pace: &Pace, now: Timestamp) -> Timestamp {
        let after = |at: Timestamp| at.checked_add_signed(TimeDelta::from_std(pace.every).ok()?);
        let by_others = self.store.last_sync_at.filter(|at| self.ended.is_none_or(|ended| *at > ended));
        // By a clock that was ahead nothing was done yet.
        let done = [self.begun, by_others].into_iter().flatten().filter(|at| *at <= now).max();
        let not_before = self.not_before.max(self.store.pause(now));
        done.and_then(after).max(not_before).unwrap_or(now)
    }

    fn round(&mut self) -> Result<()> {
        let begun = self.context.clock.now();
        self.begun = Some(begun);
        let job = Job { kind: RunKind::Watch, range: None, full: false, dry_run: false };
        let done = sync::run(self.context, std::slice::from_ref(&self.store), &job, &Silent);
        self.ended = Some(self.context.clock.now());
        let mut done = done?;
        if let Some(book) = &mut self.book {
            book.round_over(done.run)?;
        }
        let Some(report) = done.stores.pop() else { return Ok(()) };
        self.account(done.run, report, begun)
    }

    fn account(&mut self, run: i64, mut report: StoreReport, begun: Timestamp) -> Result<()> {
        let ended = self.context.clock.now();
        let is_quiet = report.error.is_none() && !has_brought(&report);
        if is_quiet {
            self.cost = (report.requests as f64).max(1.0);
            self.lanes = std::mem::take(&mut report.used);
            // So short that no clock tells is measured, too.
            self.answers = report.answers.max(Duration::from_nanos(1));
        }
        self.rounds.add(begun, ended, report.requests, self.cost);
        if report.tally.new + report.tally.changed > 0 {
            self.new_at = ended;
        }
        let unread = std::mem::replace(&mut self.unread, report.tally.failed);
        if report.tally.failed == unread {
            report.tally.failed = 0;
        }
        let error = report.error.take();
        if has_brought(&report) {
            self.say(&Said::Round(run, &report));
        }
        match error {
            None => self.went_well(),
            Some(error) => match error.kind() {
                ErrorKind::Interrupted => return Err(error),
                // A sync by hand or by the timer reads it just now.
                ErrorKind::Locked => {}
                // All was read, and something of the outbox did not go out.
                _ if report.read => self.failed(&error, None),
                ErrorKind::Credentials => {
                    self.failed(&error, None);
                    self.refused = Some(self.secrets());
                }
                _ => {
                    self.failed(&error, error.retry_after());
                    let pause = TimeDelta::from_std(self.back_off()).unwrap_or_default();
                    self.not_before = self.not_before.max(ended.checked_add_signed(pause));
                }
            },
        }
        Ok(())
    }

    fn went_well(&mut self) {
        self.not_before = None;
        if std::mem::take(&mut self.failures) > 0 {
            self.say(&Said::Back);
        }
    }

    fn failed(&mut self, error: &Error, asked: Option<Duration>) {
        if self.failures == 0 {
            self.say(&Said::Failed(error));
        }
        self.failures = self.failures.saturating_add(1);
        let until =
            asked.and_then(|pause| self.context.clock.now().checked_add_signed(TimeDelta::from_std(pause).ok()?));
        self.not_before = until;
    }

    /// How long the store is left alone after a failure: longer each time.
    fn back_off(&self) -> Duration {
        let times = PAUSES.saturating_mul(1 << self.failures.saturating_sub(1).min(8)).min(LONGEST_PAUSES);
        self.context.retry.first_pause.saturating_mul(times)
    }
}

fn has_brought(report: &StoreReport) -> bool {
    let (tally, exports) = (&report.tally, &report.exports);
    tally.new + tally.changed + tally.failed > 0
        || exports.confirmed + exports.refused + exports.unheard > 0
        || !exports.lost.is_empty()
}

/// How the store stands with webhooks.
fn hooks(context: &Context, book: &Book, store: &Store) -> Result<Hooks> {
    if store.kind.adapter().webhooks.is_none() {
        return Ok(Hooks::None);
    }
    let hooked = book.hooked(store.id)?.filter(|hooked| hooked.is_whole);
    if hooked.is_none() {
        return Ok(Hooks::Off);
    }
    if !presence::is_received(&context.home, &store.name, context.clock.now()) {
        return Ok(Hooks::Unheard);
    }
    Ok(match Announced::of(book, store)? {
        Announced::All => Hooks::On,
        Announced::Late => Hooks::Late,
        Announced::NotAll(_) => Hooks::Failing,
    })
}
