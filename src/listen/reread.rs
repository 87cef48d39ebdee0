//! The worker of a store: reads again what was rung for.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::{Line, Tells};
use crate::book::{Book, RunKind, Store, Why};
use crate::error::{ErrorKind, Result};
use crate::http::Purpose;
use crate::secret::Secrets;
use crate::sync::Context;
use crate::sync::import::{AT_ONCE, import_found, read_by_ids};
use crate::sync::store::OpenStore;

/// How often the queue is looked at without a ring: another process may have put something there.
const LOOK: Duration = Duration::from_secs(30);

/// How long the channel is left alone after a failure at first, and at most. The queue stands in the
/// book, and the next sync works it off as well.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long a run is written to: `runs` forgets those of long ago.
const RUN: Duration = Duration::from_secs(24 * 3600);

/// How long the people are cleared at once whom a channel wants forgotten; syncs go on with it.
const CLEARED_WITHIN: Duration = Duration::from_secs(2);

struct Worker<'a> {
    context: &'a Context,
    store: i64,
    tells: &'a Tells,
    /// With the credentials that it was opened with.
    open: Option<(OpenStore, Secrets)>,
    run: Option<(i64, std::time::Instant)>,
}

/// Works until the process is to end, or the store is not connected any more.
pub(super) fn work(context: &Context, line: &Line, bell: &Receiver<()>, tells: &Tells) {
    let mut worker = Worker { context, store: line.store.id, tells, open: None, run: None };
    let mut pause = PAUSE;
    while line.is_open() && context.clock.check_interrupt().is_ok() {
        match worker.work_off() {
            Ok(Some(until)) => {
                pause = PAUSE;
                if bell.recv_timeout(until) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
            Ok(None) => {
                line.close(tells);
                return;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            Err(error) => {
                if pause == PAUSE {
                    tells.note(&format!(
                        "{}; what was rung for waits, and is read here or by the next sync",
                        error.message()
                    ));
                }
                worker.open = None;
                if context.clock.sleep(pause).is_err() {
                    return;
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

impl Worker<'_> {
    /// Reads all that is due; gives how long nothing more will be, or nothing where the store is not
    /// connected any more.
    fn work_off(&mut self) -> Result<Option<Duration>> {
        let mut book = self.context.book()?;
        if book.begin_forgetting_told()? {
            book.clear_for(self.context.clock.as_ref(), CLEARED_WITHIN)?;
        }
        loop {
            let Some(store) = book.stores()?.into_iter().find(|store| store.id == self.store) else { return Ok(None) };
            let due = self.context.clock.now();
            let ids = book.due_rereads(self.store, Why::Asked, AT_ONCE)?;
            if ids.is_empty() {
                let next = book.next_asked(self.store)?;
                let left = next.and_then(|at| (at - self.context.clock.now()).to_std().ok());
                return Ok(Some(left.unwrap_or(LOOK).clamp(Duration::from_millis(5), LOOK)));
            }
            self.read(&mut book, &store, &ids)?;
            book.rereads_done(self.store, &ids, due)?;
            self.context.clock.check_interrupt()?;
        }
    }

    /// The store as it is opened now: its settings, its credentials, and the pause that another
    /// process was told (I-6) may be other ones than those of the last batch.
    fn open(&mut self, store: &Store) -> Result<&OpenStore> {
        let secrets = self.context.credential_store().read(&store.name)?;
        let known = self.open.take().filter(|(open, known)| is_opened_alike(&open.store, store) && *known == secrets);
        let open = match known {
            Some(known) => known,
            None => (self.context.open_for(store, Purpose::Told)?, secrets),
        };
        Ok(&self.open.insert(open).0)
    }

    /// The path of every single read: from the channel into the book.
    fn read(&mut self, book: &mut Book, store: &Store, ids: &[String]) -> Result<()> {
        let run = self.run(book)?;
        let context = self.context;
        let open = self.open(store)?;
        let found = read_by_ids(context, open, ids)?;
        crate::crash::point("before-reread");
        import_found(book, open, run, found)?;
        crate::crash::point("after-reread");
        ids.iter().for_each(|id| self.tells.each(|| format!("{}: order {id} was read", store.name)));
        book.finish_run(run, &[])
    }

    fn run(&mut self, book: &mut Book) -> Result<i64> {
        if let Some((run, _)) = self.run.filter(|(_, begun)| begun.elapsed() < RUN) {
            return Ok(run);
        }
        let run = book.start_run(RunKind::Listen, false)?;
        self.run = Some((run, std::time::Instant::now()));
        Ok(run)
    }
}

/// Whether a store's row says nothing new to one who has it open.
fn is_opened_alike(open: &Store, now: &Store) -> bool {
    let told = |store: &Store| (store.paused_until, store.refused);
    open.name == now.name && open.values == now.values && open.facts == now.facts && told(open) == told(now)
}
