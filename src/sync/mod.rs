//! The engine: one run imports and exports the stores it is asked for, each on a thread of its own.
//!
//! A run can be killed at any instant. What it has fetched is in the book page by page, together
//! with the position to go on from; what it was writing is marked in the outbox before the write
//! goes out. The next run goes on from there.

pub(crate) mod accept;
pub(crate) mod act;
pub(crate) mod advice;
pub(crate) mod cancel;
pub(crate) mod dispatch;
mod echo;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod goes_by;
pub(crate) mod guard;
mod headway;
pub(crate) mod health;
pub(crate) mod import;
pub mod outstanding;
pub(crate) mod policy;
pub(crate) mod readings;
pub(crate) mod reconcile;
pub(crate) mod report;
mod retention;
mod side_by_side;
pub mod store;
#[cfg(test)]
mod tests;
pub(crate) mod undecided;
mod versions;
pub(crate) mod why;
mod wishes;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::book::{Book, RunKind, Store};
use crate::channel::Range;
use crate::clock::Clock;
use crate::credentials::CredentialStore;
use crate::error::{Error, ErrorKind, Result};
use crate::home::Home;
use crate::http::{Client, Purpose, RetryPolicy};
use crate::lock::{AtWork, Lock, Work};
use report::{Report, StoreReport};
use store::OpenStore;

/// Told of what happens during a run, from several threads.
pub trait Progress: Sync {
    /// The connection of `store` is open; it tells what is being waited for.
    fn opened(&self, store: &str, http: &Arc<Client>);
    /// `store` is about to bring `total` orders, as far as the channel says.
    fn total(&self, store: &str, total: u64);
    /// `orders` more have been taken into the book.
    fn advanced(&self, store: &str, orders: u64);
    /// Something the merchant may want to read while it runs.
    fn message(&self, store: &str, text: &str);
    /// The store is done, well or not.
    fn finished(&self, store: &str);
}

/// A progress that nobody looks at.
pub struct Silent;

impl Progress for Silent {
    fn opened(&self, _: &str, _: &Arc<Client>) {}
    fn total(&self, _: &str, _: u64) {}
    fn advanced(&self, _: &str, _: u64) {}
    fn message(&self, _: &str, _: &str) {}
    fn finished(&self, _: &str) {}
}

/// Where and how a run works.
pub struct Context {
    /// The directories.
    pub home: Home,
    /// Who tells the time.
    pub clock: Arc<dyn Clock>,
    /// How long to go on trying a request.
    pub retry: RetryPolicy,
    /// How long to wait for another process.
    pub lock_timeout: Duration,
}

impl Context {
    /// Opens the book, creating it where there is none.
    pub fn book(&self) -> Result<Book> {
        Book::open(&self.home.book(), self.clock.clone())
    }

    /// The stores' secrets.
    pub fn credential_store(&self) -> CredentialStore {
        CredentialStore::new(self.home.credentials())
    }

    /// Opens the channel of a connected store.
    pub fn open(&self, store: &Store) -> Result<OpenStore> {
        OpenStore::connected(self, store, Purpose::Act)
    }

    /// The same for reads that leave a part of the channel's budget to what is more urgent.
    pub(crate) fn open_for(&self, store: &Store, purpose: Purpose) -> Result<OpenStore> {
        OpenStore::connected(self, store, purpose)
    }

    fn lock(&self, store: &Store, work: Work) -> Result<Lock> {
        let dir: &Path = &self.home.locks();
        Lock::take(dir, &store.name, work, self.lock_timeout, self.clock.as_ref())
    }
}

/// What a run is to do.
#[derive(Debug, Clone)]
pub struct Job {
    /// Who asked.
    pub kind: RunKind,
    /// Re-read this range without touching the cursor.
    pub range: Option<Range>,
    /// Read everything again from the first order wanted.
    pub full: bool,
    /// Only count what would change.
    pub dry_run: bool,
}

/// Runs `job` for `stores`, each on its own thread; one store that fails costs one store (I-5).
pub fn run(context: &Context, stores: &[Store], job: &Job, progress: &dyn Progress) -> Result<Report> {
    let ids: Vec<i64> = stores.iter().map(|store| store.id).collect();
    // Open to the end: whoever is last to close the book folds its log into it, which takes time.
    let mut book = context.book()?;
    let run = book.start_run_of(job.kind, job.dry_run, &ids)?;
    let mut book = book.in_run(run);
    let _at_work = AtWork::say(&context.home.locks(), run)?;
    if !job.dry_run {
        undecided::all(&mut book, context.clock.as_ref())?;
    }
    // Of a book in which twins were not looked for yet.
    while !job.dry_run && book.seek_old_twins()? {
        context.clock.check_interrupt()?;
    }
    let mut reports = std::thread::scope(|scope| {
        let threads: Vec<_> = stores
            .iter()
            .map(|store| (store, scope.spawn(move || one_store(context, store, run, job, progress))))
            .collect();
        threads.into_iter().map(|(store, thread)| thread.join().unwrap_or_else(|_| crashed(store))).collect::<Vec<_>>()
    });
    if job.range.is_none() {
        for (store, report) in stores.iter().zip(&mut reports) {
            report.left = book.left_to_send(store.id)?;
        }
    }
    let mut report = Report { run, stores: reports };
    if !job.dry_run {
        let written: u64 = report.stores.iter().map(|store| store.tally.new + store.tally.changed).sum();
        // A search does what is not done here.
        let _ = book.index_after(written);
    }
    book.finish_run(run, &report.summaries())?;
    if !job.dry_run && job.range.is_none() {
        retention::sweep(context, &mut book, stores, &mut report.stores);
    }
    Ok(report)
}

fn crashed(store: &Store) -> StoreReport {
    let error = Error::new(ErrorKind::Failed, "ordersync itself failed here; what was fetched before is in the book")
        .hint("ordersync doctor --bundle collects what a report of this needs");
    StoreReport { error: Some(error), ..StoreReport::new(&store.name) }
}

fn one_store(context: &Context, store: &Store, run: i64, job: &Job, progress: &dyn Progress) -> StoreReport {
    let started = context.clock.now();
    let mut report = StoreReport::new(&store.name);
    if let Err(error) = side_by_side::both_ways(context, store, run, job, progress, &mut report) {
        report.error = Some(error);
    }
    report.elapsed = (context.clock.now() - started).to_std().unwrap_or_default();
    progress.finished(&store.name);
    report
}
