//! The worker of a store: reads again what was rung for.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::Tell;
use crate::book::{Book, RunKind, Store, Why};
use crate::error::{Error, ErrorKind, Result};
use crate::sync::Context;
use crate::sync::import::{AT_ONCE, import_found};
use crate::sync::store::OpenStore;

/// How often the queue is looked at without a ring: another process may have put something there.
const LOOK: Duration = Duration::from_secs(30);

/// How long the channel is left alone after a failure at first, and at most. The queue stands in the
/// book, and the next sync works it off as well.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long a run is written to: `runs` forgets those of long ago.
const RUN: Duration = Duration::from_secs(24 * 3600);

struct Worker<'a> {
    context: &'a Context,
    store: i64,
    open: Option<OpenStore>,
    run: Option<(i64, std::time::Instant)>,
}

/// Works until the process is to end.
pub(super) fn work(context: &Context, store: i64, bell: &Receiver<()>, tell: &Tell) {
    let mut worker = Worker { context, store, open: None, run: None };
    let mut pause = PAUSE;
    while context.clock.check_interrupt().is_ok() {
        let waited = worker.work_off().and_then(|until| {
            pause = PAUSE;
            match bell.recv_timeout(until) {
                Err(RecvTimeoutError::Disconnected) => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
                _ => Ok(()),
            }
        });
        match waited {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            Err(error) => {
                if pause == PAUSE {
                    tell(&format!(
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
    /// Reads all that is due; gives how long nothing more will be.
    fn work_off(&mut self) -> Result<Duration> {
        let mut book = self.context.book()?;
        loop {
            let due = self.context.clock.now();
            let ids = book.due_rereads(self.store, Why::Asked, AT_ONCE)?;
            if ids.is_empty() {
                let next = book.next_asked(self.store)?;
                let left = next.and_then(|at| (at - self.context.clock.now()).to_std().ok());
                return Ok(left.unwrap_or(LOOK).clamp(Duration::from_millis(5), LOOK));
            }
            self.read(&mut book, &ids)?;
            book.rereads_done(self.store, &ids, due)?;
            self.context.clock.check_interrupt()?;
        }
    }

    /// The path of every single read: from the channel into the book.
    fn read(&mut self, book: &mut Book, ids: &[String]) -> Result<()> {
        let run = self.run(book)?;
        let open = match self.open.take() {
            Some(open) => open,
            None => self.context.open(&self.connected(book)?)?,
        };
        let found = open.channel.orders(ids);
        let open = self.open.insert(open);
        match found {
            Ok(found) => import_found(book, open, run, found).map(drop)?,
            // One of them is what the channel cannot make anything of.
            Err(error) if ids.len() > 1 && is_about_one(&error) => {
                for id in ids {
                    self.read(book, std::slice::from_ref(id))?;
                }
            }
            // An id that is none there: the list of changes has what there is to be read.
            Err(error) if is_about_one(&error) => {}
            Err(error) => return Err(error),
        }
        book.finish_run(run, &[])
    }

    fn connected(&self, book: &Book) -> Result<Store> {
        let found = book.stores()?.into_iter().find(|store| store.id == self.store);
        found.ok_or_else(|| Error::new(ErrorKind::Interrupted, "the store is not connected any more"))
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

fn is_about_one(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Rejected)
}
