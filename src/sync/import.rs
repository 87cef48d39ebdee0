//! Import: walks are fetched by threads of their own, ahead of the book; one thread per store
//! writes.
//!
//! A page's orders and the position behind it go into the book in one transaction, so the position
//! never stands behind an order that is not there (I-3). What needs no book the fetching threads make
//! ([`Making`]); the writing thread is what a first sync waits for.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};

use super::headway::Headway;
use super::report::StoreReport;
use super::store::OpenStore;
use super::{Context, Job, Progress, versions};
use crate::book::{Arrived, Batch, Book, CursorMove, Making, Tally, Walk, Why};
use crate::channel::{Cursor, Found, Next, Page, Pass, Plan, Range, RemoteOrder, Unshown};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// The walk by modification time, the one that goes on for ever.
pub(crate) const CHANGES: &str = "changes";

/// Slices of a first sync are called `first/0001` and so on, passes `pass/archived`.
const SLICE: &str = "first/";
const PASS: &str = "pass/";

/// How many fetched pages may wait for the book, over all walks of a store: enough to keep it busy,
/// few enough to stay small.
const AHEAD: usize = 2;

/// Of a first sync, pages that wait for the book go into it together, up to so many orders and the
/// page that comes to them: others who write wait no longer for it than for a page of changes.
const TOGETHER: usize = 300;

/// How many orders are asked for by their ids at once.
pub(crate) const AT_ONCE: u32 = 100;

/// How many orders that the channel could not show are asked for again in one sync: each failure
/// costs its patience.
const REREADS: u32 = 8;

struct Import<'a> {
    context: &'a Context,
    open: &'a OpenStore,
    run: i64,
    job: &'a Job,
    progress: &'a dyn Progress,
    /// The orders of this run that could not be read: a list that cannot place them may give them
    /// on each of its pages.
    unreadable: Mutex<BTreeSet<String>>,
    /// How many orders its walks have told that are counted and not listed.
    unlisted: AtomicU64,
}

/// Brings the store's orders into the book as `job` asks.
pub(crate) fn import(
    context: &Context,
    book: &mut Book,
    open: &OpenStore,
    run: i64,
    job: &Job,
    progress: &dyn Progress,
    report: &mut StoreReport,
) -> Result<()> {
    let import =
        Import { context, open, run, job, progress, unreadable: Mutex::default(), unlisted: AtomicU64::new(0) };
    import.read_again(book, report)?;
    if !job.dry_run {
        super::readings::refresh(book, open)?;
    }
    match (&job.range, job.dry_run) {
        (Some(range), _) => import.range(book, range, report),
        (None, true) => import.rehearse(book, report),
        (None, false) => import.go_on(book, report),
    }
}

/// Takes one order, read just now, into the book: the path of `pull` and of every other single
/// read.
pub(crate) fn import_one(book: &mut Book, open: &OpenStore, run: i64, seen: RemoteOrder) -> Result<Tally> {
    import_found(book, open, run, Found { orders: vec![seen], unshown: Vec::new() })
}

/// The same for several that were asked for by their ids.
pub(crate) fn import_found(book: &mut Book, open: &OpenStore, run: i64, found: Found) -> Result<Tally> {
    let Taken { orders, unshown, .. } = &found.into();
    let batch = Batch {
        store: open.store.id,
        run,
        orders,
        unshown,
        unlisted: 0,
        reread: &[],
        moves: &[],
        drafts: 0,
        dry_run: false,
        clock: open.channel.now(),
    };
    take_in(book, &batch, open)
}

/// These orders as they are now, for all that reads orders by their ids. An answer that makes nothing
/// of one of them costs that one: each is asked for by itself then, and one that fails is unshown.
/// Where none comes, it is looked whether the channel is well.
///
/// # Errors
/// What says something of the store as a whole, the book or this run.
pub(crate) fn read_by_ids(context: &Context, open: &OpenStore, ids: &[String]) -> Result<Found> {
    match open.channel.orders(ids) {
        Err(error) if is_about_orders(&error) => {}
        found => return found,
    }
    let (mut all, mut odd) = (Found::default(), Vec::new());
    for id in ids {
        context.clock.check_interrupt()?;
        match open.channel.orders(std::slice::from_ref(id)) {
            Ok(found) => {
                all.orders.extend(found.orders);
                all.unshown.extend(found.unshown);
            }
            // An id that is none there: the list of changes has what there is to be read.
            Err(error) if is_no_order(&error) => {}
            Err(error) if is_about_orders(&error) => odd.push(Unshown::of(id.clone(), &error)),
            Err(error) => return Err(error),
        }
    }
    if !odd.is_empty() && all.orders.is_empty() {
        open.channel.probe()?;
    }
    all.unshown.extend(odd);
    Ok(all)
}

/// Whether the channel says that there is no such order, or can make nothing of its id.
fn is_no_order(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Rejected)
}

/// Whether an error of a read by ids may be due to one of them.
fn is_about_orders(error: &Error) -> bool {
    is_no_order(error) || matches!(error.kind(), ErrorKind::Unreadable | ErrorKind::Failed | ErrorKind::Unsupported)
}

/// Takes a page into the book: each order is offered to it, and where that knows another version,
/// what becomes of the new one is decided. What a status word means that nobody knows is asked at
/// once, however the order was read.
fn take_in(book: &mut Book, batch: &Batch<'_>, open: &OpenStore) -> Result<Tally> {
    let mut intake = book.intake(batch)?;
    for seen in batch.orders {
        let Some(offered) = intake.offer(seen)? else { continue };
        let Ok(order) = &seen.order else { continue };
        let decision = versions::decide(&open.store, open.format.as_ref(), &offered.known, order)?;
        intake.apply(&offered, seen, decision)?;
    }
    let tally = intake.commit()?;
    if !batch.dry_run {
        super::readings::puzzle(book, open, batch.orders)?;
    }
    Ok(tally)
}

impl Import<'_> {
    /// Orders that an older version could not read get another try (I-4).
    fn read_again(&self, book: &mut Book, report: &mut StoreReport) -> Result<()> {
        if self.job.dry_run {
            return Ok(());
        }
        let orders: Vec<Arrived> = book
            .unreadable(self.open.store.id)?
            .into_iter()
            .filter_map(|(remote_id, document)| {
                let order = self.open.format.order(document.get().as_bytes()).ok()?;
                Some(RemoteOrder { remote_id, document, order: Ok(Box::new(order)) }.into())
            })
            .collect();
        if orders.is_empty() {
            return Ok(());
        }
        self.take(book, Taken { orders, ..Taken::default() }, report)
    }

    /// The normal sync: what is left of a first sync, then the changes since the cursor.
    fn go_on(&self, book: &mut Book, report: &mut StoreReport) -> Result<()> {
        let begun = self.context.clock.now();
        let is_new = self.job.full || book.walks(self.open.store.id)?.is_empty();
        if is_new {
            let since = Range { since: self.open.store.since, until: None };
            let plan = self.open.channel.plan(&since)?;
            // What the passes have not come to yet is not in what is read again.
            book.plan_walks(self.open.store.id, &named(&plan), PASS)?;
            self.announce(&plan);
        }
        // What was there before a first sync, it reads; a store whose passes are not known yet is
        // looked through at once.
        self.add_passes(book, if is_new { begun } else { Timestamp::UNIX_EPOCH })?;
        let walks = book.walks(self.open.store.id)?;
        let slices: Vec<_> =
            walks.iter().filter(|walk| walk.name.starts_with(SLICE) && !walk.done).map(placed).collect();
        if !slices.is_empty() {
            book.expect_many()?;
        }
        self.walk(book, slices, true, report)?;
        book.drop_walks(self.open.store.id, SLICE)?;
        self.walk(book, walks.iter().filter(|walk| walk.name == CHANGES).map(placed).collect(), true, report)?;
        let mut missed = None;
        if self.passes(book, report, &mut missed)? {
            let asked = self.read_asked(book, report);
            if spared(asked, "orders that are to be read again", &mut missed)? {
                self.ask_again(book, report)?;
            }
        }
        // What was not looked at is no success, whatever else was read.
        if let Some(error) = missed {
            return Err(error);
        }
        if self.job.full {
            book.settle_nameless(self.open.store.id, begun)?;
        }
        Ok(())
    }

    /// The store's passes as they are to begin after what is read of the changes.
    fn known_passes(&self, walks: &[Walk]) -> Result<Vec<Pass>> {
        match walks.iter().find(|walk| walk.name == CHANGES) {
            Some(changes) => self.open.channel.passes(&changes.cursor),
            None => Ok(Vec::new()),
        }
    }

    /// Takes up the passes that are not in the book yet.
    fn add_passes(&self, book: &mut Book, looked_at: Timestamp) -> Result<()> {
        let walks = book.walks(self.open.store.id)?;
        for pass in self.known_passes(&walks)? {
            let name = named_pass(&pass);
            if walks.iter().all(|walk| walk.name != name) {
                book.add_pass(self.open.store.id, &name, &pass.start, looked_at)?;
            }
        }
        Ok(())
    }

    /// Looks through what is due, and in a full sync through all of it. A pass that fails costs that pass and is taken up again by the
    /// next sync; false where the channel is not well, so that there is no point in asking for
    /// more.
    fn passes(&self, book: &mut Book, report: &mut StoreReport, missed: &mut Option<Error>) -> Result<bool> {
        let walks = book.walks(self.open.store.id)?;
        for pass in self.known_passes(&walks)? {
            let name = named_pass(&pass);
            let now = self.context.clock.now();
            let is_due = |walk: &Walk| self.job.full || is_due(walk, &pass, now);
            let Some(walk) = walks.iter().find(|walk| walk.name == name && is_due(walk)) else { continue };
            if let Some(why) = &pass.not_now {
                report.warnings.push(why.clone());
                continue;
            }
            if !walk.under_way {
                let again = (!pass.goes_on).then_some(&pass.start);
                book.begin_pass(self.open.store.id, &name, again)?;
            }
            let looked = self.walk(book, vec![placed(walk)], true, report);
            if !spared(looked, pass.title, missed)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads the orders that something has said to have changed.
    fn read_asked(&self, book: &mut Book, report: &mut StoreReport) -> Result<()> {
        loop {
            let due = self.context.clock.now();
            let ids = book.due_rereads(self.open.store.id, Why::Asked, AT_ONCE)?;
            if ids.is_empty() {
                return Ok(());
            }
            let found = read_by_ids(self.context, self.open, &ids)?;
            self.take(book, found.into(), report)?;
            book.rereads_done(self.open.store.id, &ids, due)?;
            self.context.clock.check_interrupt()?;
        }
    }

    /// Orders that the channel could not show are asked for again each day, each by itself. They
    /// come after the walks, whose end shows that the channel is well.
    fn ask_again(&self, book: &mut Book, report: &mut StoreReport) -> Result<()> {
        for remote_id in book.due_rereads(self.open.store.id, Why::Unshown, REREADS)? {
            match self.open.channel.order(&remote_id) {
                Ok(Some(order)) => {
                    self.take(book, Found { orders: vec![order], unshown: Vec::new() }.into(), report)?
                }
                Ok(None) => book.reread_gone(self.open.store.id, &remote_id)?,
                Err(error) if is_no_order(&error) => book.reread_gone(self.open.store.id, &remote_id)?,
                Err(error) if error.kind() == ErrorKind::Temporary || is_about_orders(&error) => {
                    let unshown = vec![Unshown::of(remote_id, &error)];
                    self.take(book, Taken { unshown, ..Taken::default() }, report)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A range of time, without touching the cursor.
    fn range(&self, book: &mut Book, range: &Range, report: &mut StoreReport) -> Result<()> {
        let plan = self.open.channel.plan(range)?;
        self.announce(&plan);
        let mut walks = named(&plan);
        let changes = walks.pop();
        self.walk(book, walks, false, report)?;
        self.walk(book, changes.into_iter().collect(), false, report)
    }

    /// A dry run: the same walks as a normal sync, nothing kept.
    fn rehearse(&self, book: &mut Book, report: &mut StoreReport) -> Result<()> {
        let walks = book.walks(self.open.store.id)?;
        if walks.is_empty() || self.job.full {
            return self.range(book, &Range { since: self.open.store.since, until: None }, report);
        }
        let now = self.context.clock.now();
        let passes = self.known_passes(&walks)?;
        let due = |walk: &Walk| {
            passes.iter().any(|pass| walk.name == named_pass(pass) && pass.not_now.is_none() && is_due(walk, pass, now))
        };
        let open = walks.iter().filter(|walk| match walk.name.as_str() {
            CHANGES => true,
            name if name.starts_with(PASS) => due(walk),
            _ => !walk.done,
        });
        self.walk(book, open.map(placed).collect(), false, report)
    }

    fn announce(&self, plan: &Plan) {
        if let Some(total) = plan.total {
            self.progress.total(&self.open.store.name, total);
        }
    }

    /// Reads `walks` to their ends, several at a time, and takes page after page into the book.
    fn walk(&self, book: &mut Book, walks: Vec<(String, Cursor)>, keep: bool, report: &mut StoreReport) -> Result<()> {
        if walks.is_empty() {
            return Ok(());
        }
        let threads = walks.len().min(self.in_flight());
        let queue = Mutex::new(VecDeque::from(walks));
        let stop = AtomicBool::new(false);
        let (sender, receiver) = mpsc::sync_channel::<Result<Taken>>(AHEAD.max(threads));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let (sender, queue, stop) = (sender.clone(), &queue, &stop);
                scope.spawn(move || self.fetch(queue, stop, &sender));
            }
            drop(sender);
            let result = self.write(book, &receiver, keep, report);
            stop.store(true, Ordering::Relaxed);
            // Fetchers that wait for room would wait for ever.
            drop(receiver);
            result
        })
    }

    /// How many walks are read at the same time: the merchant's setting, else what the channel can
    /// bear.
    fn in_flight(&self) -> usize {
        let setting = self.open.store.values.get("in_flight").and_then(|text| text.parse().ok());
        setting.unwrap_or(self.open.channel.capabilities().in_flight).max(1)
    }

    /// One fetching thread: takes a walk, reads it to its end, takes the next.
    fn fetch(
        &self,
        queue: &Mutex<VecDeque<(String, Cursor)>>,
        stop: &AtomicBool,
        to_book: &mpsc::SyncSender<Result<Taken>>,
    ) {
        loop {
            let next = queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop_front();
            let Some((walk, cursor)) = next else { return };
            if !self.fetch_walk(&walk, cursor, stop, to_book) {
                return;
            }
        }
    }

    /// Reads one walk to its end; false where there is no point in going on.
    fn fetch_walk(
        &self,
        walk: &str,
        mut cursor: Cursor,
        stop: &AtomicBool,
        to_book: &mpsc::SyncSender<Result<Taken>>,
    ) -> bool {
        let (mut headway, making) = (Headway::default(), Making::new(self.open.store.kind));
        // Of a first sync, hardly an order is in the book already.
        let is_new = walk.starts_with(SLICE) && !self.job.full;
        while !stop.load(Ordering::Relaxed) {
            let page = self.context.clock.check_interrupt().and_then(|()| self.open.channel.page(&cursor));
            let page = page.and_then(|page| match headway.stands_still(&cursor, &page) {
                true => Err(endless()),
                false => Ok(page),
            });
            let next = page.as_ref().ok().map(|page| page.next.clone());
            let taken = page.and_then(|page| Taken::of(walk, page, |order| making.make(order, is_new)));
            if to_book.send(taken).is_err() {
                return false;
            }
            match next {
                Some(Next::More(next)) => cursor = next,
                Some(Next::Wait(next, pause)) => {
                    cursor = next;
                    if self.context.clock.sleep(pause).is_err() {
                        return false;
                    }
                }
                Some(Next::Done(_)) => return true,
                None => return false,
            }
        }
        false
    }

    /// The writing side: every page that was fetched before an error is kept.
    fn write(
        &self,
        book: &mut Book,
        pages: &mpsc::Receiver<Result<Taken>>,
        keep: bool,
        report: &mut StoreReport,
    ) -> Result<()> {
        while let Ok(page) = pages.recv() {
            let mut taken = page?;
            let (joined, failure) = join(&mut taken, pages);
            for warning in std::mem::take(&mut taken.warnings) {
                if !report.warnings.contains(&warning) {
                    report.warnings.push(warning);
                }
            }
            let reread = if keep { Vec::new() } else { taken.reread.clone() };
            if !keep {
                taken.moves.clear();
            }
            let orders = taken.orders.len() as u64;
            self.take(book, taken, report)?;
            (0..joined).for_each(|_| crate::crash::point("after-import"));
            if !reread.is_empty() {
                // Where nothing is kept, nothing stands in the book to be read again.
                self.take(book, read_by_ids(self.context, self.open, &reread)?.into(), report)?;
            }
            self.progress.advanced(&self.open.store.name, orders);
            failure.map_or(Ok(()), Err)?;
            self.context.clock.check_interrupt()?;
        }
        Ok(())
    }

    fn take(&self, book: &mut Book, mut taken: Taken, report: &mut StoreReport) -> Result<()> {
        crate::crash::point("before-import");
        self.count_once(&mut taken.orders);
        let Taken { orders, unshown, reread, drafts, moves, .. } = &taken;
        let (store, run, dry_run, drafts) = (self.open.store.id, self.run, self.job.dry_run, *drafts);
        let told = unshown.iter().fold(0u64, |told, one| told.saturating_add(one.unlisted));
        let unlisted = self.unlisted.fetch_add(told, Ordering::Relaxed);
        let clock = self.open.channel.now();
        let batch = Batch { store, run, orders, unshown, unlisted, reread, moves, drafts, dry_run, clock };
        report.tally += take_in(book, &batch, self.open)?;
        crate::crash::point("after-import");
        Ok(())
    }
}

/// Joins to a page of a first sync those that have come meanwhile: they share a transaction, which
/// writes the pages of the book's indexes once for all of them. Gives how many, and the error that
/// came behind them.
fn join(taken: &mut Taken, pages: &mpsc::Receiver<Result<Taken>>) -> (u32, Option<Error>) {
    let mut joined = 0;
    while taken.is_of_first_sync() && taken.orders.len() < TOGETHER {
        match pages.try_recv() {
            Ok(Ok(page)) => {
                crate::crash::point("before-import");
                taken.join(page);
                joined += 1;
            }
            Ok(Err(error)) => return (joined, Some(error)),
            Err(_) => break,
        }
    }
    (joined, None)
}

impl Import<'_> {
    /// Leaves out the orders that this run has counted as unreadable already.
    fn count_once(&self, orders: &mut Vec<Arrived>) {
        let mut known = self.unreadable.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        orders.retain(|seen| seen.order.is_ok() || known.insert(seen.remote_id.clone()));
    }
}

/// A walk that does not get on: asking again would be asking for ever.
fn endless() -> Error {
    let text = "the channel gives the same orders again and again, so its list does not come to an end; nothing more was imported, the position stays where it is";
    Error::new(ErrorKind::Unreadable, text)
        .hint(concat!("a cache or a proxy before the channel may answer in its place; ", crate::http::again!()))
}

/// What goes into the book together.
#[derive(Default)]
struct Taken {
    orders: Vec<Arrived>,
    unshown: Vec<Unshown>,
    reread: Vec<String>,
    drafts: u32,
    moves: Vec<CursorMove>,
    warnings: Vec<String>,
}

impl Taken {
    /// A page of a walk.
    fn of(walk: &str, page: Page, make: impl Fn(RemoteOrder) -> Result<Arrived>) -> Result<Self> {
        let Page { orders, unshown, reread, next, drafts, warnings } = page;
        let done = matches!(next, Next::Done(_));
        let moves = vec![CursorMove { walk: walk.to_owned(), cursor: next.cursor().clone(), done }];
        let orders = orders.into_iter().map(make).collect::<Result<_>>()?;
        Ok(Self { orders, unshown, reread, drafts, moves, warnings })
    }

    fn is_of_first_sync(&self) -> bool {
        self.moves.iter().all(|to| to.walk.starts_with(SLICE))
    }

    fn join(&mut self, page: Self) {
        self.orders.extend(page.orders);
        self.unshown.extend(page.unshown);
        self.reread.extend(page.reread);
        self.drafts += page.drafts;
        self.moves.extend(page.moves);
        self.warnings.extend(page.warnings);
    }
}

impl From<Found> for Taken {
    fn from(found: Found) -> Self {
        let orders = found.orders.into_iter().map(Arrived::from).collect();
        Self { orders, unshown: found.unshown, ..Self::default() }
    }
}

/// The plan's walks with their names, the changes last.
fn named(plan: &Plan) -> Vec<(String, Cursor)> {
    let slices = plan.slices.iter().enumerate().map(|(n, cursor)| (format!("{SLICE}{:04}", n + 1), cursor.clone()));
    slices.chain([(CHANGES.to_owned(), plan.changes.clone())]).collect()
}

fn named_pass(pass: &Pass) -> String {
    format!("{PASS}{}", pass.name)
}

/// A walk by its name and where it stands.
fn placed(walk: &Walk) -> (String, Cursor) {
    (walk.name.clone(), walk.cursor.clone())
}

/// Whether a pass is to be looked through: it is under way, or its last look was long enough ago.
/// One that lies ahead was made by a clock that was wrong.
fn is_due(walk: &Walk, pass: &Pass, now: Timestamp) -> bool {
    let waits = walk.looked_at.is_some_and(|at| {
        let since = now.signed_duration_since(at).to_std();
        since.is_ok_and(|since| since < pass.every)
    });
    walk.under_way || !waits
}

/// What is read beside the changes: an error of it costs that alone, and is the run's at its end.
/// False where the channel is not well. One that says something of the store as a whole, the book
/// or this run ends it at once.
fn spared(read: Result<()>, title: &str, missed: &mut Option<Error>) -> Result<bool> {
    use ErrorKind::{Book, Credentials, Interrupted, Locked};
    match read {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), Book | Credentials | Interrupted | Locked) => Err(error),
        Err(error) => {
            let is_well = error.kind() != ErrorKind::Temporary;
            let what = format!("new and changed orders were read, {title} were not");
            missed.get_or_insert(error.context(what));
            Ok(is_well)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(walk: &str, nth: u32) -> Taken {
        let order = |n: u32| RemoteOrder {
            remote_id: format!("{nth}/{n}"),
            document: serde_json::value::RawValue::NULL.to_owned(),
            order: Err(String::new()),
        };
        let cursor = Cursor::from_stored(nth.to_string());
        let moves = vec![CursorMove { walk: walk.to_owned(), cursor, done: false }];
        Taken { orders: (0..100).map(order).map(Arrived::from).collect(), moves, ..Taken::default() }
    }

    #[test]
    fn i3_pages_that_share_a_transaction_bring_their_positions_with_them_and_an_error_comes_behind() {
        let (sender, pages) = mpsc::sync_channel(9);
        let first = |nth: u32| page(&format!("{SLICE}0001"), nth);
        (2..=5).for_each(|nth| sender.send(Ok(first(nth))).unwrap());
        sender.send(Err(Error::new(ErrorKind::Temporary, "down"))).unwrap();
        let mut taken = first(1);
        let (joined, failure) = join(&mut taken, &pages);
        let positions: Vec<&str> = taken.moves.iter().map(|to| to.cursor.as_str()).collect();
        assert_eq!((joined, taken.orders.len(), positions, failure.is_none()), (2, 300, vec!["1", "2", "3"], true));
        let mut taken = pages.recv().unwrap().unwrap();
        let (joined, failure) = join(&mut taken, &pages);
        assert_eq!((joined, taken.orders.len()), (1, 200), "what came before the error is kept");
        assert_eq!(failure.map(|error| error.kind()), Some(ErrorKind::Temporary));
        // What changes has to be decided about, which takes longer than what is new.
        sender.send(Ok(page(CHANGES, 2))).unwrap();
        assert_eq!(join(&mut page(CHANGES, 1), &pages).0, 0);
    }
}
