//! Import and export of one store, side by side: a dispatch waits for no list that fails or is long
//! to read (D-2, D-7).
//!
//! Each has its lock and its connection to the book. What the export confirms and the import reads
//! meanwhile do not disturb each other: an older version of an order than the book's changes
//! nothing. The export has a short head start, so that ordinarily the import reads what became of
//! it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::report::{Exports, StoreReport};
use super::store::OpenStore;
use super::{Context, Job, Progress, export, import};
use crate::book::Store;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Purpose, acting};
use crate::listen::subscriptions;
use crate::lock::Work;

/// How long the import waits for the export at most.
const HEAD_START: Duration = Duration::from_secs(5);

/// How often the outbox is looked at while the import is at work: each time so many first pauses of
/// a failed request have passed, a minute by default. Rehearsals that shorten the one shorten the
/// other, down to what a machine bears.
const AGAIN_PAUSES: u32 = 60;
const AGAIN_AT_LEAST: Duration = Duration::from_millis(20);

/// Brings the store's orders in and sends its outbox out. A rehearsal and the reading of a range
/// send nothing; a rehearsal takes no lock.
///
/// # Errors
/// What either of them ended with, or both.
pub(crate) fn both_ways(
    context: &Context,
    store: &Store,
    run: i64,
    job: &Job,
    progress: &dyn Progress,
    report: &mut StoreReport,
) -> Result<()> {
    let open = context.open_for(store, Purpose::Sync)?;
    progress.opened(&store.name, &open.http);
    let sends = !job.dry_run && job.range.is_none();
    let (imported, exported) = std::thread::scope(|scope| {
        let (looked, first_look) = channel();
        let (import_is_over, import_goes_on) = channel::<()>();
        let export = sends.then(|| {
            let open = &open;
            scope.spawn(move || acting(|| keep_sending(context, store, open, run, &looked, &import_goes_on)))
        });
        if sends {
            let _ = first_look.recv_timeout(HEAD_START);
        }
        let imported = bring_in(context, store, &open, run, job, progress, report);
        drop(import_is_over);
        let exported = export.map(|thread| thread.join().unwrap_or_else(|_| (Exports::default(), Err(broke_down()))));
        (imported, exported.unwrap_or((Exports::default(), Ok(()))))
    });
    report.exports = exported.0;
    report.requests = open.http.requests();
    report.bytes = open.http.received();
    report.clock_apart = open.http.clock_difference();
    (report.answers, report.used) = (open.http.answers(), open.http.used());
    if let Some(told) = open.channel.quota().filter(|quota| quota.left.is_some()) {
        // Where it cannot be kept just now, the next run tells it.
        let _ = context.book().and_then(|mut book| book.keep_quota(store.id, told));
    }
    both(imported, exported.1)
}

fn broke_down() -> Error {
    Error::new(ErrorKind::Failed, "ordersync itself failed while it was sending; what went out before is in the book")
        .hint("ordersync doctor --bundle collects what a report of this needs")
}

fn bring_in(
    context: &Context,
    store: &Store,
    open: &OpenStore,
    run: i64,
    job: &Job,
    progress: &dyn Progress,
    report: &mut StoreReport,
) -> Result<()> {
    let mut book = context.book()?.in_run(run);
    let lock = if job.dry_run { Ok(None) } else { context.lock(store, Work::Import).map(Some) };
    let imported = lock.and_then(|_lock| import::import(context, &mut book, open, run, job, progress, report));
    book.note_access(store.id, &imported)?;
    report.read = imported.is_ok() && job.range.is_none();
    if report.read && !job.dry_run {
        // What was lost meanwhile is in what was just read.
        match subscriptions::check(context, &mut book, open) {
            Ok(told) => report.warnings.extend(told),
            // The channel is down by now: the next sync looks.
            Err(error) => drop(error),
        }
    }
    imported
}

/// Sends what is due, and looks again from time to time until the import is over.
fn keep_sending(
    context: &Context,
    store: &Store,
    open: &OpenStore,
    run: i64,
    looked: &Sender<()>,
    import_goes_on: &Receiver<()>,
) -> (Exports, Result<()>) {
    let mut exports = Exports::default();
    let sent = keep_looking(context, store, open, run, looked, import_goes_on, &mut exports);
    if exports.waiting.is_empty() {
        return (exports, sent);
    }
    let settled = context
        .book()
        .and_then(|book| exports.settle(|row| Ok(book.outbox_row(row)?.is_some_and(|row| row.state.is_open()))));
    (exports, sent.and(settled))
}

fn keep_looking(
    context: &Context,
    store: &Store,
    open: &OpenStore,
    run: i64,
    looked: &Sender<()>,
    import_goes_on: &Receiver<()>,
    exports: &mut Exports,
) -> Result<()> {
    let again = context.retry.first_pause.saturating_mul(AGAIN_PAUSES).max(AGAIN_AT_LEAST);
    loop {
        let sent = send(context, store, open, run, exports);
        let _ = looked.send(());
        sent?;
        match import_goes_on.recv_timeout(again) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// One look at the outbox. The lock is held no longer, so that a dispatch by hand does not wait for
/// a long import either.
fn send(context: &Context, store: &Store, open: &OpenStore, run: i64, exports: &mut Exports) -> Result<()> {
    let mut book = context.book()?.in_run(run);
    if book.due(store.id, context.clock.now(), false)?.is_empty() {
        return Ok(());
    }
    let _lock = context.lock(store, Work::Export)?;
    export::export_due(context, &mut book, open, false, exports)
}

/// One error of two. Credentials and what needs the merchant come before what passes by itself.
fn both(imported: Result<()>, exported: Result<()>) -> Result<()> {
    let (import, export) = match (imported, exported) {
        (Err(import), Err(export)) => (import, export),
        (imported, exported) => return imported.and(exported),
    };
    // A store that is down fails both ways, and one account of it is enough.
    let passes = |error: &Error| matches!(error.kind(), ErrorKind::Temporary | ErrorKind::Locked);
    if import.kind() == export.kind() {
        return Err(import);
    }
    let (first, second) = if passes(&import) && !passes(&export) { (export, import) } else { (import, export) };
    let error = Error::new(first.kind(), format!("{}; and: {}", first.message(), second.message()));
    Err(match first.hint_text().or(second.hint_text()) {
        Some(hint) => error.hint(hint),
        None => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d7_what_failed_both_ways_is_told_both_ways() {
        let error = |kind, text: &str| Err(Error::new(kind, text));
        let told = |import, export| both(import, export).unwrap_err();
        let one = told(error(ErrorKind::Temporary, "the list is down"), Ok(()));
        assert_eq!((one.kind(), one.message()), (ErrorKind::Temporary, "the list is down"));
        assert_eq!(told(Ok(()), error(ErrorKind::Permission, "may not write")).kind(), ErrorKind::Permission);
        let two = told(error(ErrorKind::Temporary, "the list is down"), error(ErrorKind::Permission, "may not write"));
        assert_eq!((two.kind(), two.message()), (ErrorKind::Permission, "may not write; and: the list is down"));
        let same = told(error(ErrorKind::Temporary, "down"), error(ErrorKind::Temporary, "down, too"));
        assert_eq!(same.message(), "down");
        assert!(both(Ok(()), Ok(())).is_ok());
    }
}
