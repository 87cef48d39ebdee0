//! Comparing what a channel lists with the book, both ways: an order that is there and not here,
//! one that is here and not there, one that has a newer version there.
//!
//! Only ids and modification times are listed, by the channel's own walk, up to the moment at which
//! the comparison began. It has a position of its own in the book and changes nothing that a sync
//! goes by. The sides are held against each other at the end. What the list lacks is read by its id
//! before anything is said of it, and what was modified so late that the next sync reads it anyway
//! is counted and is no difference.

use chrono::TimeDelta;

use super::headway::Headway;
use super::import::{import_found, import_one, read_by_ids};
use super::report::exit_code_of;
use super::store::OpenStore;
use super::{Context, Progress};
use crate::book::{Apart, Book, Comparison, InboxNote, NewComparison, RunKind, Store, StoreSummary};
use crate::channel::{Channel, Next, Range, RemoteOrder, Survey};
use crate::clock::{Timestamp, from_millis};
use crate::error::{Error, ErrorKind, Result};
use crate::lock::Work;
use crate::order::Presence;

/// So many orders that the list lacks are read by their ids in one comparison.
const READS: usize = 100;

/// So many differences of a store are named; the rest is counted.
const NAMED: usize = 10_000;

/// So many orders are asked for at once.
const AT_ONCE: usize = 100;

/// So far apart the channel's clock and ours may be before its is taken.
const CLOCKS: TimeDelta = TimeDelta::minutes(1);

/// So many orders of the book are read by their ids where nothing on the list tells that the channel
/// is the shop that the book has.
const SAMPLE: usize = 5;

/// What is to be compared.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// Which orders.
    pub(crate) which: Which,
    /// Say what it would cost, and no more.
    pub(crate) dry_run: bool,
    /// Bring what is missing or older here into the book.
    pub(crate) pull: bool,
}

/// Which orders of a store are compared.
#[derive(Debug, Clone)]
pub(crate) enum Which {
    /// Those modified since then (`None`: all), and how that was said.
    Since(Option<Timestamp>, String),
    /// So many that were modified last.
    Newest(u64),
}

impl Which {
    /// What tells a comparison that was interrupted from one of something else.
    fn words(&self) -> String {
        match self {
            Self::Since(_, said) => format!("since {said}"),
            Self::Newest(orders) => format!("newest {orders}"),
        }
    }
}

/// What is wrong with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The channel has it, the book does not.
    Missing,
    /// The channel has a newer version than the book.
    Newer,
    /// The book has it, the channel does not any more.
    Gone,
    /// It was put away at the channel (archive, bin), and the book does not know.
    PutAway,
    /// The channel has it and leaves it out of its list.
    Unlisted,
    /// The channel has it, and it could not be understood.
    Unreadable,
    /// The channel itself cannot show it.
    Unshown,
}

impl What {
    /// The word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Newer => "newer",
            Self::Gone => "gone",
            Self::PutAway => "put-away",
            Self::Unlisted => "unlisted",
            Self::Unreadable => "unreadable",
            Self::Unshown => "unshown",
        }
    }

    /// In words.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Missing => "at the channel and not in the book",
            Self::Newer => "newer at the channel than in the book",
            Self::Gone => "in the book; the channel has it no more",
            Self::PutAway => "put away at the channel (archive or bin); the book does not know",
            Self::Unlisted => "in the book and at the channel, but left out of its list",
            Self::Unreadable => "at the channel; it could not be read and is in the inbox",
            Self::Unshown => "at the channel, which cannot show it itself",
        }
    }

    /// Whether reading the order into the book settles it.
    pub(crate) fn is_mended_by_pull(self) -> bool {
        matches!(self, Self::Missing | Self::Newer | Self::PutAway)
    }
}

/// An order of which the two sides say different things.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    /// The channel's id; empty where nothing names it.
    pub(crate) remote_id: String,
    /// Its number in the book.
    pub(crate) order: Option<i64>,
    /// What is wrong.
    pub(crate) what: What,
    /// When it was modified at the channel.
    pub(crate) there: Option<Timestamp>,
    /// When the book's newest version was made.
    pub(crate) here: Option<Timestamp>,
    /// It was brought into the book.
    pub(crate) mended: bool,
    /// More of it, for people.
    pub(crate) detail: String,
}

/// What came of one store.
#[derive(Debug)]
pub(crate) struct StoreOutcome {
    /// The store's name.
    pub(crate) store: String,
    /// Modified from then on were compared.
    pub(crate) since: Option<Timestamp>,
    /// Modified up to then.
    pub(crate) until: Option<Timestamp>,
    /// How many the channel counts.
    pub(crate) counted: Option<u64>,
    /// What listing them was computed to cost, in requests.
    pub(crate) computed: Option<u64>,
    /// How many requests listed them.
    pub(crate) made: u64,
    /// How many orders were listed.
    pub(crate) listed: u64,
    /// How many of the book's orders of that time were not listed.
    pub(crate) not_listed: u64,
    /// How many were read by their ids.
    pub(crate) reads: u64,
    /// It went on from where an earlier one was interrupted.
    pub(crate) resumed: bool,
    /// What differs.
    pub(crate) differences: Vec<Difference>,
    /// So many more differ and are not named.
    pub(crate) more: u64,
    /// So many are for the next sync.
    pub(crate) pending: u64,
    /// So many changed while they were compared.
    pub(crate) restless: u64,
    /// So many are older than what the key may see.
    pub(crate) hidden: u64,
    /// So many that the list lacks are known to be gone.
    pub(crate) known_gone: u64,
    /// So many that the list lacks were not read by their ids.
    pub(crate) unread: u64,
    /// Why it stopped.
    pub(crate) error: Option<Error>,
}

impl StoreOutcome {
    fn new(store: &str) -> Self {
        Self {
            store: store.to_owned(),
            since: None,
            until: None,
            counted: None,
            computed: None,
            made: 0,
            listed: 0,
            not_listed: 0,
            reads: 0,
            resumed: false,
            differences: Vec::new(),
            more: 0,
            pending: 0,
            restless: 0,
            hidden: 0,
            known_gone: 0,
            unread: 0,
            error: None,
        }
    }

    /// Whether the two sides say the same, as far as they were compared.
    pub(crate) fn is_clean(&self) -> bool {
        self.error.is_none() && self.more == 0 && self.unread == 0 && self.differences.iter().all(|one| one.mended)
    }

    /// Gives what it made of it; nothing where it is only counted.
    fn add(&mut self, what: What, apart: &Apart, detail: String) -> Option<&mut Difference> {
        if self.differences.len() >= NAMED {
            self.more += 1;
            return None;
        }
        self.differences.push(Difference {
            remote_id: apart.remote_id.clone(),
            order: apart.order,
            what,
            there: apart.listed,
            here: apart.known,
            mended: false,
            detail,
        });
        self.differences.last_mut()
    }
}

/// What came of all of them.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The run's number in the book.
    pub(crate) run: i64,
    /// Store by store.
    pub(crate) stores: Vec<StoreOutcome>,
}

impl Outcome {
    /// The exit code, by the rules of a sync: partly done where anything differs.
    pub(crate) fn exit_code(&self) -> u8 {
        exit_code_of(self.stores.iter().map(|store| (store.error.as_ref(), store.is_clean())))
    }
}

/// Told what a comparison will cost before it begins.
pub(crate) type Planned<'a> = dyn Fn(&StoreOutcome) + Sync + 'a;

/// Compares these stores with the book; one that fails costs one store (I-5).
pub(crate) fn reconcile(
    context: &Context,
    stores: &[(Store, Wish)],
    planned: &Planned<'_>,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let ids: Vec<i64> = stores.iter().map(|(store, _)| store.id).collect();
    let mut book = context.book()?;
    let dry_run = stores.iter().all(|(_, wish)| wish.dry_run);
    let run = book.start_run_of(RunKind::Reconcile, dry_run, &ids)?;
    let one = |store: &Store, wish: &Wish| {
        let mut outcome = StoreOutcome::new(&store.name);
        let mut requests = (0, 0);
        let done = one_store(context, (store, wish, run), planned, progress, &mut outcome, &mut requests);
        outcome.error = done.err();
        progress.finished(&store.name);
        (outcome, requests)
    };
    let results = std::thread::scope(|scope| {
        let threads: Vec<_> =
            stores.iter().map(|(store, wish)| (store, scope.spawn(move || one(store, wish)))).collect();
        let crashed = |store: &Store| StoreOutcome { error: Some(broke_down()), ..StoreOutcome::new(&store.name) };
        threads
            .into_iter()
            .map(|(store, thread)| thread.join().unwrap_or_else(|_| (crashed(store), (0, 0))))
            .collect::<Vec<_>>()
    });
    let summary = |(outcome, (requests, bytes)): &(StoreOutcome, (u64, u64))| StoreSummary {
        store: outcome.store.clone(),
        exported: 0,
        requests: *requests,
        bytes: *bytes,
        read: false,
        notes: Vec::new(),
        error: outcome.error.clone(),
    };
    book.finish_run(run, &results.iter().map(summary).collect::<Vec<_>>())?;
    Ok(Outcome { run, stores: results.into_iter().map(|(outcome, _)| outcome).collect() })
}

fn broke_down() -> Error {
    Error::new(ErrorKind::Failed, "ordersync itself failed here; nothing in the book was changed by the comparison")
        .hint("ordersync doctor --bundle collects what a report of this needs")
}

fn one_store(
    context: &Context,
    (store, wish, run): (&Store, &Wish, i64),
    planned: &Planned<'_>,
    progress: &dyn Progress,
    outcome: &mut StoreOutcome,
    requests: &mut (u64, u64),
) -> Result<()> {
    let open = context.open(store)?;
    progress.opened(&store.name, &open.http);
    let mut book = context.book()?.in_run(run);
    let lock = if wish.dry_run { Ok(None) } else { context.lock(store, Work::Reconcile).map(Some) };
    let worked = lock.and_then(|_lock| {
        Reconcile { context, open: &open, book: &mut book, wish, run, outcome, progress }.work(planned)
    });
    *requests = (open.http.requests(), open.http.received());
    book.note_access(store.id, &worked)?;
    worked
}

struct Reconcile<'a> {
    context: &'a Context,
    open: &'a OpenStore,
    book: &'a mut Book,
    wish: &'a Wish,
    run: i64,
    outcome: &'a mut StoreOutcome,
    progress: &'a dyn Progress,
}

impl Reconcile<'_> {
    fn work(mut self, planned: &Planned<'_>) -> Result<()> {
        let store = &self.open.store;
        self.whole()?;
        let asked = self.wish.which.words();
        let known = if self.wish.dry_run { None } else { self.interrupted(&asked)? };
        self.outcome.resumed = known.is_some();
        let comparison = match known {
            Some(comparison) => comparison,
            None => self.begin(asked)?,
        };
        let new = &comparison.new;
        (self.outcome.since, self.outcome.until) = (new.since, Some(new.until));
        (self.outcome.counted, self.outcome.computed) = (new.orders, new.requests);
        self.outcome.made = comparison.made;
        planned(self.outcome);
        if self.wish.dry_run {
            return Ok(());
        }
        if let Some(orders) = new.orders {
            self.progress.total(&store.name, orders);
        }
        self.list()?;
        self.outcome.listed = self.book.count_listed(store.id)?;
        let compared = self.compare(&comparison).and_then(|()| if self.wish.pull { self.mend() } else { Ok(()) });
        // Also where that failed: what was listed is true of its own time only.
        self.book.end_comparison(store.id)?;
        compared?;
        self.tell()
    }

    /// A comparison that was interrupted in the middle of a walk. One that has listed all there was
    /// is begun anew: it would hold an old list against the book and the channel of now.
    fn interrupted(&self, asked: &str) -> Result<Option<Comparison>> {
        let store = self.open.store.id;
        let known = self.book.comparison(store, asked)?;
        Ok(if self.book.comparison_walks(store)?.is_empty() { None } else { known })
    }

    /// A book that was not read to its end yet lacks orders, and that is no difference.
    fn whole(&self) -> Result<()> {
        let store = &self.open.store;
        if is_read_whole(self.book, store)? {
            return Ok(());
        }
        let text =
            "its first sync has not come to its end, so the book lacks orders that it will bring; nothing was compared";
        Err(Error::new(ErrorKind::Refused, text).hint(format!("ordersync sync --channel {}", store.name)))
    }

    /// Asks the channel how many there are, and begins.
    fn begin(&mut self, asked: String) -> Result<Comparison> {
        let store = &self.open.store;
        let until = whole_second(self.context.clock.now());
        let since = match &self.wish.which {
            Which::Since(since, _) => since.map(whole_second),
            Which::Newest(orders) => self.book.newest_version(store.id, orders.saturating_sub(1))?.map(whole_second),
        };
        // Older ones were not asked for when the store was connected.
        let since = since.max(store.since.map(whole_second));
        let before = self.open.http.requests();
        let (range, survey) = self.survey(Range { since, until: Some(until) })?;
        let (since, until) = (range.since, range.until.unwrap_or(until));
        let made = self.open.http.requests() - before;
        let new = NewComparison {
            asked,
            since,
            until: until + TimeDelta::milliseconds(999),
            settled: settled(self.book, store, self.open.channel.as_ref())?,
            orders: survey.orders,
            requests: survey.requests.map(|requests| requests + made),
        };
        if !self.wish.dry_run {
            self.book.begin_comparison(store.id, &new, made, &survey.walks)?;
        }
        Ok(Comparison { new, made })
    }

    /// How the channel lists a stretch of time up to now, by its own clock: ours may be wrong, and
    /// then the stretch is one in which nothing happened. That is known from its first answer on.
    fn survey(&self, range: Range) -> Result<(Range, Survey)> {
        let survey = self.open.channel.survey(&range)?;
        let ahead = self.open.http.clock_difference().unwrap_or_default();
        if ahead.abs() < CLOCKS {
            return Ok((range, survey));
        }
        let by_theirs = |at: Timestamp| at.checked_add_signed(ahead).map_or(at, whole_second);
        // A date that was named means what it says, so no less is compared than from then on; that
        // of the newest orders is by the channel's clock already.
        let earlier = range.since.map(|since| since.min(by_theirs(since)));
        let since = if matches!(self.wish.which, Which::Newest(_)) { range.since } else { earlier };
        let since = since.max(self.open.store.since.map(whole_second));
        let range = Range { since, until: range.until.map(by_theirs) };
        let survey = self.open.channel.survey(&range)?;
        Ok((range, survey))
    }

    /// Lists what is left of it, page by page, each with the position behind it.
    fn list(&mut self) -> Result<()> {
        let store = self.open.store.id;
        for (nth, mut cursor) in self.book.comparison_walks(store)? {
            let mut headway = Headway::default();
            loop {
                self.context.clock.check_interrupt()?;
                let before = self.open.http.requests();
                let page = self.open.channel.heads(&cursor)?;
                if headway.stands_still_at(&cursor, &page) {
                    return Err(endless());
                }
                let made = self.open.http.requests() - before;
                crate::crash::point("before-listed");
                self.book.note_listed(store, nth, &page, made)?;
                crate::crash::point("after-listed");
                self.outcome.made += made;
                self.progress.advanced(&self.open.store.name, page.orders.len() as u64);
                match page.next {
                    Next::More(next) => cursor = next,
                    Next::Wait(next, pause) => {
                        self.context.clock.sleep(pause)?;
                        cursor = next;
                    }
                    Next::Done(_) => break,
                }
            }
        }
        Ok(())
    }

    /// Holds the two sides against each other.
    fn compare(&mut self, comparison: &Comparison) -> Result<()> {
        let (store, new) = (self.open.store.id, &comparison.new);
        for apart in self.book.not_in_book(store)? {
            let what = match apart.trouble.as_deref() {
                Some("unshown" | "nameless") => What::Unshown,
                Some(_) => What::Unreadable,
                None if apart.listed.is_some_and(|at| at > new.until) => {
                    self.outcome.restless += 1;
                    continue;
                }
                None if apart.listed.is_some_and(|at| at > new.settled) => {
                    self.outcome.pending += 1;
                    continue;
                }
                None => What::Missing,
            };
            let is_nameless = apart.trouble.as_deref() == Some("nameless");
            let detail = if is_nameless { format!("{}: {}", apart.remote_id, apart.why) } else { apart.why.clone() };
            let remote_id = if is_nameless { String::new() } else { apart.remote_id.clone() };
            self.outcome.add(what, &Apart { remote_id, ..apart }, detail);
        }
        for apart in self.book.newer_there(store, self.book.present(self.open.channel.now()))? {
            let at = apart.listed.unwrap_or_default();
            match () {
                () if at > new.until => self.outcome.restless += 1,
                () if at > new.settled => self.outcome.pending += 1,
                () => drop(self.outcome.add(What::Newer, &apart, String::new())),
            }
        }
        self.outcome.known_gone = self.book.known_gone(store, new.since, new.until)?;
        let since = new.since.unwrap_or_else(|| from_millis(0));
        let shown_since = self.open.channel.shown_since();
        let not_listed = self.book.not_listed(store, new.since, new.until)?;
        self.outcome.not_listed = not_listed.len() as u64;
        let mut missing = Vec::new();
        for apart in not_listed {
            if apart.placed.zip(shown_since).is_some_and(|(placed, since)| placed < since) {
                self.outcome.hidden += 1;
            } else if !self.is_known_away(&apart)? {
                missing.push(apart);
            }
        }
        self.is_the_shop(&missing)?;
        for apart in missing {
            self.look(apart, since, comparison)?;
        }
        Ok(())
    }

    /// A server that has nothing (another shop at the address, a database that was emptied) says of
    /// every order that there is none, and means nothing by it. So nothing is gone before one order
    /// of the book was seen at the channel: on its list, or by its id, within the stretch or beside
    /// it.
    ///
    /// # Errors
    /// `Refused` where none was.
    fn is_the_shop(&mut self, missing: &[Apart]) -> Result<()> {
        let store = self.open.store.id;
        if missing.is_empty() || self.book.knows_listed(store)? {
            return Ok(());
        }
        let mut ids = self.book.newest_ids(store, SAMPLE)?;
        ids.extend(missing.iter().step_by(missing.len().div_ceil(SAMPLE)).map(|apart| apart.remote_id.clone()));
        ids.sort_unstable();
        ids.dedup();
        for id in &ids {
            self.context.clock.check_interrupt()?;
            self.outcome.reads += 1;
            match self.open.channel.order(id) {
                Ok(None) => {}
                // It is there, or fails by itself: the reading one by one tells.
                Ok(Some(_)) => return Ok(()),
                Err(error) if error.is_too_much() || error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Err(not_the_shop(&self.open.store.name, missing.len() as u64, ids.len() as u64))
    }

    /// Whether the book's newest version says that the order was put away, so that it is on no list.
    fn is_known_away(&self, apart: &Apart) -> Result<bool> {
        let Some(order) = apart.order else { return Ok(false) };
        let document = match self.book.newest_document(order)? {
            Some(newest) => Some(newest),
            None => self.book.base_document(order)?,
        };
        let version = document.and_then(|document| self.open.format.order(&document).ok());
        Ok(version.is_some_and(|version| version.presence != Presence::Listed))
    }

    /// Reads an order that the list lacks by its id.
    fn look(&mut self, apart: Apart, since: Timestamp, comparison: &Comparison) -> Result<()> {
        if self.outcome.reads >= READS as u64 {
            self.outcome.unread += 1;
            return Ok(());
        }
        self.context.clock.check_interrupt()?;
        self.outcome.reads += 1;
        if let Some(order) = apart.order {
            self.book.note_looked_up(self.open.store.id, order)?;
        }
        let seen = match self.open.channel.order(&apart.remote_id) {
            Err(error) if error.is_too_much() => {
                // A channel that is down fails at every order.
                self.open.channel.probe()?;
                self.outcome.add(What::Unshown, &apart, error.message().to_owned());
                return Ok(());
            }
            // No order yet (a draft): it is on no list and is not gone.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            seen => seen?,
        };
        let Some(seen) = seen else {
            if let Some(order) = apart.order {
                self.book.note_gone(order)?;
            }
            self.outcome.add(What::Gone, &apart, String::new());
            return Ok(());
        };
        let Ok(order) = &seen.order else {
            self.outcome.add(What::Unreadable, &apart, String::new());
            return Ok(());
        };
        let (at, known) = (order.updated_at, apart.known.unwrap_or_default());
        let apart = Apart { listed: Some(at), ..apart };
        let overlap = TimeDelta::from_std(self.open.channel.capabilities().overlap).unwrap_or_default();
        let new = &comparison.new;
        if order.presence != Presence::Listed {
            self.put_away(&apart, seen)?;
        } else if at > new.until || at < since {
            self.outcome.restless += 1;
        } else if at > known && at > new.settled {
            self.outcome.pending += 1;
        } else if at > known {
            self.outcome.add(What::Newer, &apart, String::new());
        } else if at > new.until - overlap {
            // A list may show a change that late.
            self.outcome.pending += 1;
        } else {
            self.outcome.add(What::Unlisted, &apart, String::new());
        }
        Ok(())
    }

    /// Put away since the book's version was read.
    fn put_away(&mut self, apart: &Apart, seen: RemoteOrder) -> Result<()> {
        let difference = self.outcome.add(What::PutAway, apart, String::new());
        if self.wish.pull {
            import_one(self.book, self.open, self.run, seen)?;
            if let Some(difference) = difference {
                difference.mended = true;
            }
        }
        Ok(())
    }

    /// Brings into the book what is missing or older there.
    fn mend(&mut self) -> Result<()> {
        let ids: Vec<String> = self
            .outcome
            .differences
            .iter()
            .filter(|one| !one.mended && one.what.is_mended_by_pull())
            .map(|one| one.remote_id.clone())
            .collect();
        for some in ids.chunks(AT_ONCE) {
            self.context.clock.check_interrupt()?;
            let found = read_by_ids(self.context, self.open, some)?;
            import_found(self.book, self.open, self.run, found)?;
        }
        let store = self.open.store.id;
        for one in self.outcome.differences.iter_mut().filter(|one| !one.mended && one.what.is_mended_by_pull()) {
            let Ok(order) = self.book.find_remote(store, &one.remote_id) else { continue };
            one.order = Some(order);
            one.mended = one.what == What::Missing || self.book.version_time(order)? >= one.there;
        }
        Ok(())
    }

    /// What the timer finds is told in the inbox; what is settled is told no more.
    fn tell(&mut self) -> Result<()> {
        let store = &self.open.store;
        let open = self.outcome.differences.iter().filter(|one| !one.mended).count() as u64 + self.outcome.more;
        if self.outcome.is_clean() {
            return self.book.settle_comparison(store.id);
        }
        if !matches!(self.wish.which, Which::Newest(_)) {
            return Ok(());
        }
        self.book.tell_of_comparison(store.id, &InboxNote::apart(&store.name, open, self.outcome.unread))
    }
}

/// Whether the store was read to its end once.
pub(crate) fn is_read_whole(book: &Book, store: &Store) -> Result<bool> {
    let walks = book.walks(store.id)?;
    let is_open = walks.iter().any(|walk| walk.name.starts_with("first/") && !walk.done);
    Ok(store.last_sync_at.is_some() && !walks.is_empty() && !is_open)
}

/// What was modified up to here the syncs so far have read, by both clocks: what was modified later
/// is for the next one.
pub(crate) fn settled(book: &Book, store: &Store, channel: &dyn Channel) -> Result<Timestamp> {
    let newest = book.newest_version(store.id, 0)?;
    let read_at = store.last_sync_at.unwrap_or(store.connected_at);
    let overlap = TimeDelta::from_std(channel.capabilities().overlap).unwrap_or_default();
    Ok(newest.map_or(read_at, |newest| newest.min(read_at)) - overlap)
}

/// Channels compare in whole seconds.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}

fn not_the_shop(store: &str, missing: u64, asked: u64) -> Error {
    let count = |orders| if orders == 1 { "1 order".to_owned() } else { format!("{orders} orders") };
    let text = format!(
        "the channel lists none of the {} that the book has of that time, and has none of {} that it was asked for by their ids: \
         it may be an empty or another shop; nothing was noted as gone",
        count(missing),
        count(asked)
    );
    Error::new(ErrorKind::Refused, text).hint(format!(
        "ordersync connect --test {store} tells which shop answers; ordersync cancel ID --local ends an order that was really deleted there"
    ))
}

fn endless() -> Error {
    let text =
        "the channel gives the same orders again and again, so its list does not come to an end; nothing was compared";
    Error::new(ErrorKind::Unreadable, text)
        .hint("a cache or a proxy before the channel may answer in its place; exclude the API from it")
}
