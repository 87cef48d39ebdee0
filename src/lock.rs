//! Locks between processes: one import and one export of a store at a time (F-2).
//!
//! The operating system frees a lock when its process ends, however it ends.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::files::private_dir;

/// How long a second process waits for the first.
pub(crate) const BRIEFLY: Duration = Duration::from_secs(5);

/// A held lock; dropping it frees it.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// What a lock keeps to one process at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Reading a store's orders into the book.
    Import,
    /// Writing a store's outbox to the channel.
    Export,
    /// Fetching a fresh access token.
    Renewal,
    /// Comparing its list with the book.
    Reconcile,
    /// Asking it again and again.
    Watch,
}

impl Work {
    fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
            Self::Renewal => "renewal",
            Self::Reconcile => "comparison",
            Self::Watch => "watch",
        }
    }
}

impl Lock {
    /// Takes the lock of `work` on `store`, waiting for at most `patience`.
    ///
    /// # Errors
    /// `Locked` where another process still holds it.
    pub fn take(dir: &Path, store: &str, work: Work, retry: Duration, clock: &dyn Clock) -> Result<Self> {
        const STEP: Duration = Duration::from_millis(50);
        private_dir(dir)?;
        let path = dir.join(format!("{store}.{}.lock", work.word()));
        let failed = |e: std::io::Error| {
            Error::new(
                ErrorKind::Failed,
                format!("the lock file {} cannot be used: {e}; nothing was done", path.display()),
            )
        };
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(failed)?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if waited < retry => {
                    clock.sleep(STEP)?;
                    waited += STEP;
                }
                Err(TryLockError::WouldBlock) => {
                    let text =
                        format!("another ordersync is at work on {store} ({}); nothing was done here", work.word());
                    return Err(Error::new(ErrorKind::Locked, text).hint("ordersync status shows what is running"));
                }
                Err(TryLockError::Error(e)) => return Err(failed(e)),
            }
        }
    }
}

/// Says that a run is at work, from its beginning to its end, whatever it does and waits for just
/// then. It keeps nobody away.
#[derive(Debug)]
pub(crate) struct AtWork {
    path: PathBuf,
    _file: File,
}

impl AtWork {
    /// Says so for the run of this number. Clears away what killed runs have left.
    ///
    /// # Errors
    /// Where the directory cannot be written to.
    pub(crate) fn say(dir: &Path, run: i64) -> Result<Self> {
        private_dir(dir)?;
        clear_away(dir, run);
        let path = run_file(dir, run);
        let failed = |e: std::io::Error| {
            let text = format!("the lock file {} cannot be used: {e}; nothing was done", path.display());
            Error::new(ErrorKind::Failed, text)
        };
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self { path, _file: file })
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn run_file(dir: &Path, run: i64) -> PathBuf {
    dir.join(format!("{run}.run.lock"))
}

/// A run that is killed takes no file away.
fn clear_away(dir: &Path, before: i64) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let run = name.strip_suffix(".run.lock").and_then(|run| run.parse().ok());
        if run.is_some_and(|run: i64| run < before && !is_at_work(dir, run)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Whether the run of this number is at work now. Looks only; creates nothing.
pub(crate) fn is_at_work(dir: &Path, run: i64) -> bool {
    is_locked(&run_file(dir, run))
}

/// Whether a process is at `work` on `store` now. Looks only; creates nothing.
pub(crate) fn is_held(dir: &Path, store: &str, work: Work) -> bool {
    is_locked(&dir.join(format!("{store}.{}.lock", work.word())))
}

fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, Timestamp};

    #[test]
    fn f2_a_run_is_at_work_to_its_end_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(run_file(dir.path(), 3), "").unwrap();
        assert!(!is_at_work(dir.path(), 3), "it was killed");
        let (one, other) = (AtWork::say(dir.path(), 4).unwrap(), AtWork::say(dir.path(), 5).unwrap());
        assert!(is_at_work(dir.path(), 4) && is_at_work(dir.path(), 5), "it keeps nobody away");
        drop(one);
        assert!(!is_at_work(dir.path(), 4) && is_at_work(dir.path(), 5));
        drop(other);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn f2_the_second_waits_briefly_and_then_gives_way() {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let take = |work| Lock::take(dir.path(), "shop", work, BRIEFLY, &clock);
        assert!(!is_held(dir.path(), "shop", Work::Import), "there is no file yet");
        let held = take(Work::Import).unwrap();
        assert!(is_held(dir.path(), "shop", Work::Import) && !is_held(dir.path(), "shop", Work::Export));
        assert_eq!(take(Work::Import).unwrap_err().kind(), ErrorKind::Locked);
        assert_eq!(clock.slept().iter().sum::<Duration>(), BRIEFLY);
        take(Work::Export).unwrap();
        drop(held);
        assert!(!is_held(dir.path(), "shop", Work::Import));
        take(Work::Import).unwrap();
    }
}
